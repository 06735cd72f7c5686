import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Names and files of filters") struct FilterFileTests {
  typealias F = FilterGuest

  /// Does `body` in a pre- and in a post-operation callback of a create.
  private func onCreate(_ path: String, expect: NTSTATUS = .success, _ body: @escaping (F, _ data: UInt64, _ isPre: Bool) throws -> Void)
    throws
  {
    let f = try F()
    f.g.routine(at: F.pre, 3) {
      try body(f, $0[0], true)
      return 0
    }
    f.g.routine(at: F.post, 4) {
      try body(f, $0[0], false)
      return 0
    }
    _ = try f.start([0xc: f.operations([(0, 0, F.pre, F.post)])])
    _ = try f.open(path, expect: expect)
    #expect(f.g.violations.isEmpty)
  }

  private func name(_ f: F, _ data: UInt64, _ options: UInt64) throws -> String {
    let name = try f.out { try f.g.status("FltGetFileNameInformation", data, options, $0) }
    defer { _ = try? f.g.call("FltReleaseFileNameInformation", name) }
    return try f.text(name + 8)
  }

  @Test func names() throws {
    try onCreate(#"\??\C:\LONGDI~1\notes.txt"#) { (f: F, data: UInt64, isPre: Bool) throws -> Void in
      #expect(try self.name(f, data, 0x101) == F.volumeName + #"\Long directory\notes.txt"#)
      #expect(try self.name(f, data, 0x102) == F.volumeName + #"\LONGDI~1\notes.txt"#)
      if isPre {
        #expect(try f.g.status("FltGetFileNameInformation", data, 0x103, f.g.space()) == .fltInvalidNameRequest)
      } else {
        #expect(try self.name(f, data, 0x103).lowercased() == "notes.txt")
      }
      #expect(try f.g.status("FltGetFileNameInformation", data, 0x104, f.g.space()) == .invalidParameter)
      #expect(try f.g.status("FltGetFileNameInformation", data, 0x501, f.g.space()) == .invalidParameter)
      #expect(try self.name(f, data, 0x201) == F.volumeName + #"\Long directory\notes.txt"#)
    }
    try onCreate(#"\??\C:\none\notes.txt"#, expect: .objectPathNotFound) { (f: F, data: UInt64, isPre: Bool) throws -> Void in
      guard isPre else { return }
      #expect(try f.g.status("FltGetFileNameInformation", data, 0x201, f.g.space()) == .fltNameCacheMiss)
      #expect(try f.g.status("FltGetFileNameInformation", data, 0x101, f.g.space()) == .objectPathNotFound)
    }
  }

  @Test func parsing() throws {
    let f = try F()
    let filter = try f.start()
    let instance = try f.instance(of: filter)
    let file = try f.fileObject(f.open())
    let name = try f.out { try f.g.status("FltGetFileNameInformationUnsafe", file, instance, 0x101, $0) }
    #expect(try f.k.half(name) == 0x40 && f.k.half(name + 2) == 0 && f.text(name + 0x10) == F.volumeName)
    #expect(try f.g.status("FltParseFileNameInformation", name) == .success)
    #expect(try f.k.half(name + 2) == 0xf)
    #expect(
      try [0x10, 0x18, 0x20, 0x28, 0x30, 0x38].map { try f.text(name + $0) } == [
        F.volumeName, "", "txt", "", "notes.txt", #"\Long directory\"#,
      ])
    try f.g.call("FltReferenceFileNameInformation", name)
    try f.g.call("FltReleaseFileNameInformation", name)
    #expect(try f.k.kernel.leftovers(of: f.g.driver).map(\.what).contains("a file name information"))
    try f.g.call("FltReleaseFileNameInformation", name)
    #expect(try f.g.status("FltParseFileNameInformation", f.k.scratch) == .invalidParameter)
    #expect(try f.g.status("FltGetFileNameInformationUnsafe", f.g.space(0x70), 0, 0x101, f.g.space()) == .invalidParameter)
    #expect(try f.g.bugCheck("FltReleaseFileNameInformation", name).prefix(2) == [0xf5, 0x68])
  }

  @Test(
    "a name is taken apart as its page shows",
    arguments: [
      (#"\Docume~1\TestRe~1.txt:stream1:$DATA"#, "txt", ":stream1:$DATA", "TestRe~1.txt:stream1:$DATA"),
      (#"\a.b\plain"#, "", "", "plain"), ("short.tar.gz", "gz", "", "short.tar.gz"), (#"\dir\"#, "", "", ""), ("", "", "", ""),
      ("trailing.", "", "", "trailing."),
    ])
  func fileName(name: String, suffix: String, stream: String, final: String) throws {
    let f = try F(hasVolume: false)
    let parts = try f.g.space(24)
    #expect(try f.g.status("FltParseFileName", f.g.string(name), parts, parts + 8, parts + 16) == .success)
    #expect(try [0, 8, 16].map { try f.text(parts + $0) } == [suffix, stream, final])
    #expect(try f.g.status("FltParseFileName", f.g.string(name), 0, 0, 0) == .success)
  }

  @Test func destination() throws {
    let f = try F()
    let filter = try f.start()
    let instance = try f.instance(of: filter)
    let file = try f.fileObject(f.open())
    func name(_ text: String, root: UInt64 = 0, options: UInt64 = 0x101, expect: NTSTATUS = .success) throws -> String {
      let string = try f.g.string(text)
      let result = try f.out(
        {
          try f.g.status(
            "FltGetDestinationFileNameInformation", instance, file, root, UInt64(f.k.load(string + 4)), UInt64(f.k.half(string)),
            options, $0)
        }, expect: expect)
      return result == 0 ? "" : try f.text(result + 8)
    }
    #expect(try name("new.txt") == F.volumeName + #"\Long directory\new.txt"#)
    #expect(try name(#"\??\C:\LONGDI~1\new.txt"#) == F.volumeName + #"\Long directory\new.txt"#)
    #expect(try name(#"\??\C:\LONGDI~1\new.txt"#, options: 0x102) == F.volumeName + #"\LONGDI~1\new.txt"#)
    #expect(try name(#"\??\C:\none\new.txt"#, expect: .objectPathNotFound) == "")
    #expect(try name("new.txt", root: 0x7770, expect: .invalidHandle) == "")
    #expect(try name("new.txt", options: 0x103, expect: .invalidParameter) == "")
  }

  @Test func nameControl() throws {
    let f = try F(hasVolume: false)
    let control = try f.g.space()
    let buffer = try f.g.call("ExAllocatePoolWithTag", 0, 8, 0x31)
    try f.k.store([4 | 8 << 16, UInt32(buffer)], at: control)
    try f.k.store(0x62_0061, at: buffer)
    #expect(try f.g.status("FltCheckAndGrowNameControl", control, 8) == .success)
    #expect(try UInt64(f.k.load(control + 4)) == buffer)
    #expect(try f.g.status("FltCheckAndGrowNameControl", control, 32) == .success)
    #expect(try f.text(control) == "ab" && f.k.half(control + 2) == 32 && UInt64(f.k.load(control + 4)) != buffer)
  }

  @Test("what a filter does with files itself passes it by, and not those below") func ownFiles() throws {
    let f = try F()
    var log: [String] = []
    for (index, name) in ["own", "below"].enumerated() {
      for major in [0, 3, 2] as [UInt64] {
        f.g.routine(at: F.pre + UInt64(index) * 0x80 + major * 0x10, 3) { _ in
          log.append("\(name) \(major)")
          return 1
        }
      }
    }
    func table(_ index: UInt64) throws -> UInt64 {
      try f.operations([0, 3, 2].map { (UInt32($0), 0, F.pre + index * 0x80 + $0 * 0x10, 0) })
    }
    let filter = try f.start([0xc: table(0)])
    _ = try f.other("below", altitude: "45000", [0xc: table(1)])
    let instance = try f.instance(of: filter)
    let (handle, block, object) = (try f.g.space(), try f.g.space(), try f.g.space())
    let path = try f.g.attributes(#"\Device\HarddiskVolume1\Long directory\notes.txt"#)
    let arguments = [0x12_019f, path, block, 0, 0x80, 7, 1, 0x20, 0, 0, 0]
    #expect(try f.g.status(list: "FltCreateFile", [filter, instance, handle] + arguments) == .success)
    #expect(log == ["below 0"])
    let opened = UInt64(try f.k.load(handle))
    let file = try f.fileObject(opened)
    let (buffer, count, offset) = (try f.g.space(), try f.g.space(), try f.g.space())
    #expect(try f.g.status("FltReadFile", instance, file, offset, 5, buffer, 0, count, 0, 0) == .success)
    #expect(try f.k.memory.memory.bytes(5, at: buffer) == Array("hello".utf8) && f.k.load(count) == 5)
    #expect(log == ["below 0", "below 3"])
    // By the handle, it passes the filter by, too.
    _ = try f.read(opened, 5)
    #expect(log == ["below 0", "below 3", "below 3"])
    #expect(try f.g.status("FltClose", opened) == .success)
    #expect(log.last == "below 2" && log.count == 4)
    #expect(try f.g.status("FltClose", opened) == .invalidHandle)
    #expect(try f.g.status(list: "FltCreateFileEx", [filter, instance, handle, object] + arguments) == .success)
    #expect(try UInt64(f.k.load(object)) == f.fileObject(UInt64(f.k.load(handle))))
    #expect(try f.g.status(list: "FltCreateFileEx2", [filter, 0, handle, 0] + arguments + [0]) == .success)
    #expect(log.suffix(2) == ["own 0", "below 0"])
    #expect(try f.g.status(list: "FltCreateFile", [filter, filter, handle] + arguments) == .invalidParameter)
    #expect(try f.g.status(list: "FltCreateFileEx", [f.k.scratch, 0, handle, 0] + arguments) == .invalidParameter)
    #expect(try f.g.status(list: "FltCreateFileEx2", [f.k.scratch, 0, handle, 0] + arguments + [0]) == .invalidParameter)
  }

  @Test func requests() throws {
    let f = try F()
    let filter = try f.start()
    let instance = try f.instance(of: filter)
    let file = try f.fileObject(f.open())
    let (buffer, count, offset) = (try f.g.space(0x100), try f.g.space(), try f.g.space())
    try f.k.memory.memory.write(Array("HELLO!".utf8), at: buffer)
    #expect(try f.g.status("FltWriteFile", instance, file, offset, 6, buffer, 0, count, 0, 0) == .success)
    #expect(try f.k.load(count) == 6)
    #expect(try f.g.status("FltFlushBuffers", instance, file) == .success)
    // FileStandardInformation: EndOfFile.
    #expect(try f.g.status("FltQueryInformationFile", instance, file, buffer, 0x18, 5, count) == .success)
    #expect(try f.k.load(buffer + 8) == 6 && f.k.load(count) == 0x18)
    #expect(try f.g.status("FltQueryInformationFile", instance, file, buffer, 4, 5, count) == .infoLengthMismatch)
    // FileEndOfFileInformation
    try f.k.store([2, 0], at: buffer)
    #expect(try f.g.status("FltSetInformationFile", instance, file, buffer, 8, 20) == .success)
    #expect(try f.g.status("FltSetInformationFile", instance, file, buffer, 2, 20) != .success)
    #expect(try f.g.status("FltReadFile", instance, file, offset, 6, buffer, 4, count, 0, 0) == .success)
    #expect(try f.k.load(count) == 2)
    // FileFsSizeInformation
    #expect(try f.g.status("FltQueryVolumeInformationFile", instance, file, buffer, 0x18, 3, count) == .success)
    #expect(try f.k.load(buffer + 20) == 512)
    #expect(try f.g.status("FltQueryVolumeInformationFile", instance, file, buffer, 4, 3, count) == .infoLengthMismatch)
    #expect(try f.g.status("FltFsControlFile", instance, file, 0x9_fffc, 0, 0, 0, 0, count).isSuccess == false)
    #expect(try f.g.status("FltDeviceIoControlFile", instance, file, 0x7_0000, 0, 0, 0, 0, count).isSuccess == false)
    #expect(try f.out { try f.g.status("FltIsDirectory", file, instance, $0) } & 0xff == 0)
    let directory = try f.fileObject(f.openDirectory(#"\??\C:\Long directory"#))
    #expect(try f.out { try f.g.status("FltIsDirectory", directory, instance, $0) } & 0xff == 1)
    #expect(try f.g.status("FltIsDirectory", f.g.space(0x70), instance, count) == .invalidParameter)
    // FileNamesInformation, one entry: the directory itself.
    #expect(try f.g.status("FltQueryDirectoryFile", instance, directory, buffer, 0x100, 12, 1, 0, 1, count) == .success)
    #expect(try f.k.load(buffer + 8) == 2)
    for routine in ["FltWriteFile", "FltReadFile"] {
      #expect(try f.g.status(routine, f.k.scratch, file, offset, 6, buffer, 0, count, 0, 0) == .invalidParameter)
    }
  }

  @Test func completionCallback() throws {
    let f = try F()
    let filter = try f.start()
    let (instance, file) = (try f.instance(of: filter), try f.fileObject(f.open()))
    var told: [UInt64] = []
    f.g.routine(at: 0xf8b0_9000, 2) {
      told = [UInt64(try f.k.load($0[0] + 0x10)), $0[1]]
      return 0
    }
    let (buffer, offset) = (try f.g.space(), try f.g.space())
    #expect(try f.g.status("FltReadFile", instance, file, offset, 5, buffer, 0, 0, 0xf8b0_9000, 0x44) == .success)
    #expect(told == [5, 0x44])
  }

  @Test("a request with a callback that completes later is pending, and the callback comes at DISPATCH_LEVEL") func lateCompletion() throws
  {
    let f = try F(hasVolume: false)
    var volume = VolumeDescription(
      device: F.volumeName, drive: "C:", files: [FileDescription(#"\Long directory\notes.txt"#, content: Array("hello".utf8))])
    volume.completion = .atDispatch
    try f.k.kernel.addVolume(volume)
    let filter = try f.start()
    let (instance, file) = (try f.instance(of: filter), try f.fileObject(f.open()))
    var told: [UInt64] = []
    // FltpLateCompletion calls it.
    f.g.routine(at: 0xf8b0_9000, 2) {
      told = try [UInt64(f.k.load($0[0] + 0xc)), UInt64(f.k.load($0[0] + 0x10)), $0[1], UInt64(f.k.irql)]
      return 0
    }
    let (buffer, offset) = (try f.g.space(), try f.g.space())
    #expect(try f.g.status("FltReadFile", instance, file, offset, 5, buffer, 0, 0, 0xf8b0_9000, 0x44) == .pending)
    #expect(told.isEmpty)
    #expect(try f.g.status("KeDelayExecutionThread", 0, 0, f.delay()) == .success)
    #expect(told == [0, 5, 0x44, 2])
    #expect(try f.k.memory.memory.bytes(5, at: buffer) == Array("hello".utf8))
    try f.g.call("FltUnregisterFilter", filter)
    #expect(f.g.violations.isEmpty, "\(f.g.violations)")
  }

  @Test("push locks are one thread's or shared, in a critical region") func pushLocks() throws {
    let f = try F()
    let lock = try f.g.space()
    try f.g.call("FltInitializePushLock", lock)
    try f.g.call("FltAcquirePushLockExclusive", lock)
    #expect(try f.k.load(lock) == 1 && f.k.kernel.currentThread().KernelApcDisable.load() != 0)
    try f.g.call("FltDeletePushLock", lock)
    #expect(f.g.violations.count == 1)
    try f.g.call("FltReleasePushLock", lock)
    for _ in 0..<2 { try f.g.call("FltAcquirePushLockShared", lock) }
    for _ in 0..<2 { try f.g.call("FltReleasePushLock", lock) }
    #expect(try f.k.load(lock) == 0)
    try f.g.call("FltDeletePushLock", lock)
    #expect(f.g.violations.count == 1)
    #expect(try f.k.kernel.currentThread().KernelApcDisable.load() == 0)
  }

  @Test("what a filter may ask of an operation, and of a volume without a file") func more() throws {
    let f = try F()
    let filter = try f.start()
    let (instance, file) = (try f.instance(of: filter), try f.fileObject(f.open()))
    let (block, buffer, needed) = (try f.g.space(), try f.g.space(0x40), try f.g.space())
    // FileFsSizeInformation: the size of a sector.
    #expect(try f.g.status("FltQueryVolumeInformation", instance, block, buffer, 0x18, 3) == .success)
    #expect(try f.k.load(buffer + 20) == 512 && f.k.load(block + 4) == 0x18)
    #expect(try f.g.status("FltQueryVolumeInformation", f.k.scratch, block, buffer, 0x18, 3) == .invalidParameter)
    #expect(try f.g.status("FltQuerySecurityObject", f.k.scratch, file, 4, buffer, 0, needed) == .invalidParameter)
    #expect(try f.g.status("FltQuerySecurityObject", instance, file, 4, buffer, 0, needed) != .success)
    // Data that are no operation are none of fast I/O either.
    #expect(try f.g.call("FltIsOperationSynchronous", f.g.space(0x30)) & 0xff == 1)
    #expect(try f.g.call("FltGetSwappedBufferMdlAddress", f.g.space(0x30)) == 0)
    try f.g.call("FltRetainSwappedBufferMdlAddress", f.g.space(0x30))
    #expect(f.g.violations.filter { $0.contains("no operation") }.count == 2)
  }

  @Test func callbackData() throws {
    let f = try F()
    let filter = try f.start()
    let (instance, file) = (try f.instance(of: filter), try f.fileObject(f.open()))
    let data = try f.out { try f.g.status("FltAllocateCallbackData", instance, file, $0) }
    #expect(try f.g.status("FltAllocateCallbackData", f.k.scratch, file, f.g.space()) == .invalidParameter)
    let (iopb, buffer) = (UInt64(try f.k.load(data + 8)), try f.g.space())
    try f.k.store(3, at: iopb + 4)
    try f.k.store([5, 0, 0, 0, UInt32(buffer)], at: iopb + 0x10)
    try f.g.call("FltPerformSynchronousIo", data)
    #expect(try f.k.load(data + 0xc) == 0 && f.k.load(data + 0x10) == 5)
    #expect(try f.k.memory.memory.bytes(5, at: buffer) == Array("hello".utf8))
    try f.g.call("FltReuseCallbackData", data)
    #expect(try f.k.load(iopb + 0x10) == 0 && UInt64(f.k.load(iopb + 8)) == file)
    var count = 0
    f.g.routine(at: 0xf8b0_9000, 2) { _ in
      count += 1
      return 0
    }
    // FileStandardInformation
    try f.k.store(5, at: iopb + 4)
    let information = try f.g.space(0x18)
    try f.k.store([0x18, 5, UInt32(information)], at: iopb + 0x10)
    #expect(try f.g.status("FltPerformAsynchronousIo", data, 0xf8b0_9000, 0) == .success)
    #expect(try f.k.load(information + 8) == 5)
    #expect(try f.g.status("FltPerformAsynchronousIo", data, 0, 0) == .invalidParameter)
    #expect(count == 1)
    #expect(try f.k.kernel.leftovers(of: f.g.driver).map(\.what).contains("callback data of its own"))
    try f.g.call("FltFreeCallbackData", data)
    try f.g.call("FltFreeCallbackData", data)
    // The instance that is none, and the data that are gone.
    #expect(f.g.violations.count == 2, "\(f.g.violations)")
  }

  @Test func rest() throws {
    let f = try F()
    let filter = try f.start()
    let instance = try f.instance(of: filter)
    let pool = try f.g.call("FltAllocatePoolAlignedWithTag", instance, 0, 100, 0x31)
    #expect(pool & 7 == 0 && pool != 0)
    try f.g.call("FltFreePoolAlignedWithTag", instance, pool, 0x31)
    #expect(try f.g.bugCheckOrViolation("FltFreePoolAlignedWithTag", instance, pool, 0x31))
    let other = try F()
    let second = try other.start()
    let own = try other.instance(of: second)
    #expect(try other.g.call("FltAllocatePoolAlignedWithTag", other.k.scratch, 0, 100, 0x31) == 0)
    #expect(try other.g.status("FltCreateSystemVolumeInformationFolder", own) == .success)
    #expect(try other.g.status("FltCreateSystemVolumeInformationFolder", own) == .success)
    _ = try other.openDirectory(#"\??\C:\System Volume Information"#)
    #expect(try other.g.status("FltCreateSystemVolumeInformationFolder", other.k.scratch) == .invalidParameter)
    let opened = try other.open()
    #expect(try other.g.bugCheck("FltCancelFileOpen", own, other.fileObject(opened)).isEmpty == false)
  }
}

extension FilterGuest {
  /// A handle to a directory of the volume.
  func openDirectory(_ path: String) throws -> UInt64 {
    let (handle, block) = (try g.space(), try g.space())
    #expect(try g.status("ZwCreateFile", handle, 0x10_0001, g.attributes(path), block, 0, 0, 7, 1, 0x21, 0, 0) == .success)
    return UInt64(try k.load(handle))
  }
}

extension IOGuest {
  func status(list name: String, _ arguments: [UInt64]) throws -> NTSTATUS {
    NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try call(name, arguments)))
  }

  /// Whether a call is told off, by a bugcheck or by a broken rule.
  func bugCheckOrViolation(_ name: String, _ arguments: UInt64...) throws -> Bool {
    let before = violations.count
    do {
      _ = try call(name, arguments)
      return violations.count > before
    } catch is Stopped { return true }
  }
}
