import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Contexts of filters") struct FilterContextTests {
  typealias F = FilterGuest

  private func started() throws -> (F, filter: UInt64, cleaned: () -> [UInt64]) {
    let f = try F()
    var cleaned: [UInt64] = []
    f.g.routine(at: F.cleanup, 2) {
      cleaned.append($0[1])
      return 0
    }
    let table = try f.contexts([(1, 16), (2, 16), (8, 0xffff_ffff), (0x10, 16)])
    return (f, try f.start([8: table]), { cleaned })
  }

  private func allocate(_ f: F, _ filter: UInt64, _ type: UInt64, _ size: UInt64 = 16, expect: NTSTATUS = .success) throws -> UInt64 {
    try f.out({ try f.g.status("FltAllocateContext", filter, type, size, 0, $0) }, expect: expect)
  }

  @Test func allocation() throws {
    let (f, filter, cleaned) = try started()
    _ = try allocate(f, filter, 2, 0, expect: .invalidParameter)
    _ = try allocate(f, filter, 2, 0x10000, expect: .invalidParameter)
    _ = try allocate(f, filter, 3, expect: .invalidParameter)
    _ = try allocate(f, filter, 2, 20, expect: .fltContextAllocationNotFound)
    _ = try allocate(f, filter, 4, expect: .notSupported)
    _ = try allocate(f, filter, 0x20, expect: .notSupported)
    let stream = try allocate(f, filter, 8, 77)
    #expect(try f.k.kernel.leftovers(of: f.g.driver).map(\.what).contains("a stream context of 77 bytes"))
    try f.g.call("FltReferenceContext", stream)
    try f.g.call("FltReleaseContext", stream)
    #expect(cleaned().isEmpty)
    try f.g.call("FltReleaseContext", stream)
    #expect(cleaned() == [8])
    #expect(try f.g.bugCheck("FltReferenceContext", stream).prefix(3) == [0xf5, 0x6e, stream])
  }

  @Test("an instance's and a volume's contexts: kept or replaced, got and deleted", arguments: ["Instance", "Volume"])
  func onObjects(kind: String) throws {
    let (f, filter, cleaned) = try started()
    let object = kind == "Instance" ? [try f.instance(of: filter)] : [filter, try f.volume(filter)]
    let type: UInt64 = kind == "Instance" ? 2 : 1
    func status(_ routine: String, _ rest: UInt64...) throws -> NTSTATUS {
      // FltSetVolumeContext takes the filter from the context.
      let first = routine.hasPrefix("FltSet") ? object.suffix(1) : object[...]
      return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try f.g.call(routine, first + rest)))
    }
    let (set, get, delete) = ("FltSet\(kind)Context", "FltGet\(kind)Context", "FltDelete\(kind)Context")
    let (first, second, wrong) = (try allocate(f, filter, type), try allocate(f, filter, type), try allocate(f, filter, 8))
    let old = try f.g.space()
    #expect(try status(get, old) == .notFound)
    #expect(try status(delete, old) == .notFound)
    #expect(try status(set, 0, wrong, old) == .invalidParameter)
    #expect(try status(set, 2, first, old) == .invalidParameter)
    #expect(try status(set, 1, first, old) == .success)
    #expect(try status(set, 1, first, old) == .fltContextAlreadyLinked)
    #expect(try status(set, 1, second, old) == .fltContextAlreadyDefined)
    #expect(try UInt64(f.k.load(old)) == first)
    try f.g.call("FltReleaseContext", first)
    #expect(try status(get, old) == .success)
    #expect(try UInt64(f.k.load(old)) == first)
    try f.g.call("FltReleaseContext", first)
    // Replaced: the caller gets the reference that the object had.
    #expect(try status(set, 0, second, old) == .success)
    #expect(try UInt64(f.k.load(old)) == first)
    try f.g.call("FltReleaseContext", first)
    try f.g.call("FltReleaseContext", first)
    #expect(cleaned() == [type])
    #expect(try status(delete, 0) == .success)
    try f.g.call("FltReleaseContext", second)
    #expect(cleaned() == [type, type])
    // One too many, while it hangs on its object.
    let third = try allocate(f, filter, type)
    #expect(try status(set, 0, third, 0) == .success)
    try f.g.call("FltReleaseContext", third)
    #expect(try f.g.bugCheck("FltReleaseContext", third).prefix(3) == [0xf5, 0x6d, third])
  }

  @Test("contexts of files and handles end with them") func onFiles() throws {
    let (f, filter, cleaned) = try started()
    let instance = try f.instance(of: filter)
    let (first, second) = (try f.open(), try f.open())
    let files = [try f.fileObject(first), try f.fileObject(second)]
    #expect(try f.g.call("FltSupportsStreamContexts", files[0]) & 0xff == 1)
    #expect(try f.g.call("FltSupportsStreamHandleContexts", files[0]) & 0xff == 1)
    #expect(try f.g.call("FltSupportsStreamContexts", f.g.space(0x70)) & 0xff == 0)
    for (kind, type) in [("Stream", 8), ("StreamHandle", 0x10)] as [(String, UInt64)] {
      let context = try allocate(f, filter, type)
      #expect(try f.g.status("FltSet\(kind)Context", instance, f.g.space(0x70), 0, context, 0) == .notSupported)
      #expect(try f.g.status("FltSet\(kind)Context", instance, files[0], 0, context, 0) == .success)
      try f.g.call("FltReleaseContext", context)
      let got = try f.out { try f.g.status("FltGet\(kind)Context", instance, files[0], $0) }
      try f.g.call("FltReleaseContext", got)
      // The file's context is every handle's; a handle's is its own.
      #expect(try f.g.status("FltGet\(kind)Context", instance, files[1], f.g.space()) == (type == 8 ? .success : .notFound))
      if type == 8 { try f.g.call("FltReleaseContext", got) }
    }
    let (objects, contexts) = (try f.g.space(0x18), try f.g.space(0x18))
    try f.k.store([0x18, UInt32(filter), UInt32(f.volume(filter)), UInt32(instance), UInt32(files[0])], at: objects)
    try f.g.call("FltGetContexts", objects, 0x1f, contexts)
    #expect(try (0..<6).map { try f.k.load(contexts + 4 * $0) != 0 } == [false, false, false, true, true, false])
    try f.g.call("FltReleaseContexts", contexts)
    #expect(try f.k.load(contexts + 12) == 0)
    try f.g.call("ZwClose", first)
    #expect(cleaned() == [0x10])
    try f.g.call("ZwClose", second)
    #expect(cleaned() == [0x10, 8])
    let handle = try f.open()
    let file = try f.fileObject(handle)
    for (kind, type) in [("Stream", 8), ("StreamHandle", 0x10)] as [(String, UInt64)] {
      let context = try allocate(f, filter, type)
      #expect(try f.g.status("FltSet\(kind)Context", instance, file, 0, context, 0) == .success)
      #expect(try f.g.status("FltDelete\(kind)Context", instance, file, 0) == .success)
      #expect(try f.g.status("FltDelete\(kind)Context", instance, file, 0) == .notFound)
      try f.g.call("FltReleaseContext", context)
    }
    #expect(cleaned() == [0x10, 8, 8, 0x10])
  }

  @Test func deleted() throws {
    let (f, filter, cleaned) = try started()
    let instance = try f.instance(of: filter)
    let context = try allocate(f, filter, 2)
    #expect(try f.g.status("FltSetInstanceContext", instance, 0, context, 0) == .success)
    try f.g.call("FltDeleteContext", context)
    #expect(try f.g.status("FltGetInstanceContext", instance, f.g.space()) == .notFound)
    #expect(cleaned().isEmpty)
    try f.g.call("FltDeleteContext", context)
    try f.g.call("FltReleaseContext", context)
    #expect(cleaned() == [2])
    try f.g.call("FltDeleteContext", f.k.scratch)
    #expect(f.g.violations.count == 1)
    // What hangs on an instance ends with it.
    let last = try allocate(f, filter, 2)
    #expect(try f.g.status("FltSetInstanceContext", instance, 0, last, 0) == .success)
    try f.g.call("FltReleaseContext", last)
    try f.g.call("FltUnregisterFilter", filter)
    #expect(cleaned() == [2, 2])
    #expect(try f.k.kernel.leftovers(of: f.g.driver).isEmpty)
  }

  @Test("FltSetVolumeContext takes the volume, and the filter from its context") func volumeContext() throws {
    let (f, filter, _) = try started()
    let volume = try f.volume(filter)
    let (context, second) = (try allocate(f, filter, 1), try allocate(f, filter, 1))
    #expect(try f.g.status("FltSetVolumeContext", volume, 1, context, 0) == .success)
    #expect(try f.g.status("FltSetVolumeContext", volume, 1, context, 0) == .fltContextAlreadyLinked)
    #expect(try f.out({ try f.g.status("FltSetVolumeContext", volume, 1, second, $0) }, expect: .fltContextAlreadyDefined) == context)
    #expect(try f.out { try f.g.status("FltGetVolumeContext", filter, volume, $0) } == context)
    #expect(try f.g.status("FltSetVolumeContext", filter, 1, second, 0) == .invalidParameter)
    for context in [context, context, context, second] { try f.g.call("FltReleaseContext", context) }
    #expect(try f.g.status("FltDeleteVolumeContext", filter, volume, 0) == .success)
    #expect(try f.g.status("FltGetVolumeContext", filter, volume, f.g.space()) == .notFound)
  }

  @Test("file and transaction contexts are Windows Vista's", arguments: ["File", "Transaction"]) func later(kind: String) throws {
    let (f, filter, _) = try started()
    let instance = try f.instance(of: filter)
    #expect(try f.g.status("FltSet\(kind)Context", instance, 0, 0, 0, 0) == .notSupported)
    #expect(try f.g.status("FltGet\(kind)Context", instance, 0, f.g.space()) == .notSupported)
    #expect(try f.g.status("FltDelete\(kind)Context", instance, 0, 0) == .notSupported)
    // FltSetFileContext, FltGetFileContext, FltDeleteFileContext, FltSetTransactionContext, FltGetTransactionContext,
    // FltDeleteTransactionContext; FltSetVolumeContext, FltGetVolumeContext, FltDeleteVolumeContext, FltDeleteInstanceContext,
    // FltSetStreamContext, FltGetStreamContext, FltDeleteStreamContext, FltSetStreamHandleContext, FltGetStreamHandleContext,
    // FltDeleteStreamHandleContext.
  }

  /// A file with a named stream, on Windows 7.
  @Test("a file's contexts are those of all of its streams, from Windows Vista on", arguments: [FileSystemKind.ntfs, .fat])
  func ofFiles(kind: FileSystemKind) throws {
    let f = try F(kind, target: .windows7_x86)
    var cleaned: [UInt64] = []
    f.g.routine(at: F.cleanup, 2) {
      cleaned.append($0[1])
      return 0
    }
    let filter = try f.start([8: f.contexts([(4, 16)])])
    let instance = try f.instance(of: filter)
    let handle = try f.open()
    let file = try f.fileObject(handle)
    let result = try f.g.space()
    #expect(try f.g.call("FltSupportsFileContexts", file) & 1 == (kind == .ntfs ? 1 : 0))
    #expect(try f.g.call("FltSupportsFileContextsEx", file, 0) & 1 == (kind == .ntfs ? 1 : 0))
    #expect(try f.g.call("FltSupportsFileContextsEx", file, instance) & 1 == 1)
    let context = try allocate(f, filter, 4)
    #expect(try f.g.status("FltGetFileContext", instance, file, result) == .notFound)
    #expect(try f.g.status("FltSetFileContext", instance, file, 1, context, 0) == .success)
    #expect(try f.g.status("FltSetFileContext", instance, file, 1, context, result) == .fltContextAlreadyLinked)
    var stream = file
    var streamHandle = handle
    if kind == .ntfs {
      streamHandle = try f.open(#"\??\C:\Long directory\notes.txt:more"#, disposition: 2)
      stream = try f.fileObject(streamHandle)
    }
    #expect(try f.g.status("FltGetFileContext", instance, stream, result) == .success && UInt64(f.k.load(result)) == context)
    let related = try f.g.space(0x18)
    try f.k.store([0x18, UInt32(filter), UInt32(f.volume(filter)), UInt32(instance), UInt32(stream), 0], at: related)
    let all = try f.g.space(24)
    try f.g.call("FltGetContexts", related, 0x3f, all)
    #expect(try UInt64(f.k.load(all + 8)) == context)
    try f.g.call("FltReleaseContexts", all)
    for _ in 0..<2 { try f.g.call("FltReleaseContext", context) }
    // It stays while any of the streams is open.
    try f.g.call("ZwClose", handle)
    #expect(cleaned.isEmpty == (kind == .ntfs))
    if kind == .ntfs { try f.g.call("ZwClose", streamHandle) }
    #expect(cleaned == [4] && f.g.violations.isEmpty)
  }

  @Test("a file's context is deleted; before Windows Vista there is none") func ofFilesDeleted() throws {
    let f = try F(target: .windows7_x86)
    let instance = try f.instance(of: f.start([8: f.contexts([(4, 16)])]))
    let file = try f.fileObject(f.open())
    #expect(try f.g.status("FltDeleteFileContext", instance, file, 0) == .notFound)
    let old = try F()
    let oldInstance = try old.instance(of: old.start())
    let oldFile = try old.fileObject(old.open())
    #expect(try old.g.status("FltDeleteFileContext", oldInstance, oldFile, 0) == .notSupported)
    #expect(try old.g.call("FltSupportsFileContexts", oldFile) & 1 == 0)
    #expect(try old.g.call("FltSupportsFileContextsEx", oldFile, oldInstance) & 1 == 0)
  }
}
