import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Operations sent down again, and reparse points") struct ReissueTests {
  typealias F = FilterGuest
  private static let lowerPre: UInt64 = 0xf8b0_8400
  private static let tag: UInt32 = 0x0000_0042

  /// A GUID, and a filter that tags a file with it.
  private func tagged(_ body: (F, _ instance: UInt64, _ file: UInt64, _ guid: UInt64) throws -> Void) throws {
    let f = try F()
    let filter = try f.start()
    let guid = try f.g.space(16)
    try f.k.store([1, 2, 3, 4], at: guid)
    try body(f, f.instance(of: filter), f.fileObject(f.open()), guid)
  }

  @Test("FltTagFile and FltUntagFile: a tag that is not Microsoft's has a GUID, and both must be right") func tags() throws {
    try tagged { f, instance, file, guid in
      let (data, other, tag) = (try f.g.space(8), try f.g.space(16), UInt64(Self.tag))
      try f.k.store([0x6c6c_6568, 0x6f], at: data)
      #expect(try f.g.status("FltTagFile", instance, file, tag, 0, data, 5) == .invalidParameter)
      #expect(try f.g.status("FltUntagFile", instance, file, tag, guid).rawValue == 0xc000_0275)
      #expect(try f.g.status("FltTagFile", instance, file, tag, guid, data, 5) == .success)
      #expect(try f.g.status("FltTagFile", instance, file, tag + 1, guid, data, 5).rawValue == 0xc000_0277)
      #expect(try f.g.status("FltTagFile", instance, file, tag, other, data, 5).rawValue == 0xc000_02b2)
      #expect(try f.g.status("FltTagFile", f.k.scratch, file, tag, guid, data, 5) == .invalidParameter)
      let (information, count) = (try f.g.space(8), try f.g.space())
      #expect(try f.g.status("FltQueryInformationFile", instance, file, information, 8, 35, count) == .success)
      #expect(try f.k.load(information) & 0x400 != 0 && f.k.load(information + 4) == Self.tag)
      let buffer = try f.g.space(64)
      #expect(try f.g.status("FltFsControlFile", instance, file, 0x9_00a8, 0, 0, buffer, 64, count) == .success)
      #expect(try f.k.load(count) == 29 && f.k.load(buffer) == Self.tag && f.k.half(buffer + 4) == 5 && f.k.byte(buffer + 28) == 0x6f)
      #expect(try f.g.status("FltFsControlFile", instance, file, 0x9_00a8, 0, 0, buffer, 26, count) == .bufferOverflow)
      #expect(try f.g.status("FltFsControlFile", instance, file, 0x9_00a8, 0, 0, buffer, 20, count) == .bufferTooSmall)
      #expect(try f.g.status("FltUntagFile", instance, file, tag, other).rawValue == 0xc000_02b2)
      // Nobody else follows the tag.
      _ = try f.open(expect: NTSTATUS(rawValue: 0xc000_0279))
      #expect(try f.g.status("FltUntagFile", instance, file, tag, guid) == .success)
      _ = try f.open()
    }
    let fat = try F(.fat)
    let instance = try fat.instance(of: fat.start())
    let file = try fat.fileObject(fat.open(#"\??\C:\Long directory\notes.txt"#))
    #expect(try fat.g.status("FltTagFile", instance, file, 0x8000_0005, 0, fat.g.space(), 4) == .invalidDeviceRequest)
  }

  /// A filter that owns a reparse point and sees who opens it: the create comes back, and is sent down again to the file itself.
  @Test("a filter opens its own reparse points once more; those above see nothing of it") func reissue() throws {
    let f = try F()
    var log: [String] = []
    var lower: UInt64 = 0
    f.g.routine(at: Self.lowerPre, 3) {
      let flags = try f.k.load($0[0])
      log.append("below \(flags & 0x2_0000 != 0 ? "again" : "first")")
      return 1
    }
    // FLT_PREOP_SYNCHRONIZE
    f.g.routine(at: F.pre, 3) { _ in 5 }
    f.g.routine(at: F.post, 4) {
      let data = $0[0]
      let point = UInt64(try f.k.load(data + 0x14))
      guard try f.k.load(data + 0xc) == 0x104, point != 0 else { return 0 }
      // The tag is the create's information; nothing of the name lies behind it.
      #expect(try f.k.load(data + 0x10) == Self.tag && f.k.load(point) == Self.tag && f.k.half(point + 6) == 0)
      let block = UInt64(try f.k.load(data + 8))
      // FILE_OPEN_REPARSE_POINT
      try f.k.store(f.k.load(block + 0x14) | 0x20_0000, at: block + 0x14)
      try f.g.call("FltSetCallbackDataDirty", data)
      try f.g.call("FltReissueSynchronousIo", UInt64(f.k.load($0[1] + 0xc)), data)
      log.append("reissued: \(NTSTATUS(rawValue: try f.k.load(data + 0xc)))")
      #expect(try f.k.load(data + 0x14) == 0)
      return 0
    }
    let filter = try f.start([0xc: f.operations([(0, 0, F.pre, F.post)])])
    lower = try f.other("lower", altitude: "360000", [0xc: f.operations([(0, 0, Self.lowerPre, 0)])])
    let (guid, data) = (try f.g.space(16), try f.g.space(8))
    let handle = try f.open()
    #expect(try f.g.status("FltTagFile", f.instance(of: filter), f.fileObject(handle), UInt64(Self.tag), guid, data, 4) == .success)
    log = []
    let again = try f.open()
    #expect(log == ["below first", "below again", "reissued: STATUS_SUCCESS"] && lower != 0)
    #expect(try String(decoding: f.read(again, 5), as: UTF8.self) == "hello" && f.g.violations.isEmpty)
  }

  @Test("what is not synchronized is not sent again; a cancelled create fails") func refusals() throws {
    let f = try F()
    var isSynchronized = false
    f.g.routine(at: F.pre, 3) { _ in isSynchronized ? 5 : 0 }
    f.g.routine(at: F.post, 4) {
      let (instance, data) = (UInt64(try f.k.load($0[1] + 0xc)), $0[0])
      if isSynchronized {
        try f.g.call("FltCancelFileOpen", instance, UInt64(f.k.load($0[1] + 0x10)))
      }
      try f.g.call("FltReissueSynchronousIo", instance, data)
      return 0
    }
    _ = try f.start([0xc: f.operations([(0, 0, F.pre, F.post)])])
    _ = try f.open()
    #expect(f.g.violations.contains { $0.contains("has not synchronized") })
    isSynchronized = true
    _ = try f.open(expect: .cancelled)
  }

  @Test("callback data of a filter's own is performed again") func own() throws {
    let f = try F()
    let instance = try f.instance(of: f.start())
    let file = try f.fileObject(f.open())
    let data = try f.out { try f.g.status("FltAllocateCallbackData", instance, file, $0) }
    let (block, buffer) = (UInt64(try f.k.load(data + 8)), try f.g.space(16))
    try f.k.memory.memory.store(UInt8(5), at: block + 4)
    try f.k.store([8, 35, UInt32(buffer)], at: block + 0x10)
    try f.g.call("FltPerformSynchronousIo", data)
    #expect(try f.k.load(data + 0xc) == 0)
    try f.k.store(0, at: buffer)
    try f.g.call("FltReissueSynchronousIo", instance, data)
    #expect(try f.k.load(data + 0xc) == 0)
    try f.g.call("FltFreeCallbackData", data)
    #expect(f.g.violations.isEmpty)
  }
}
