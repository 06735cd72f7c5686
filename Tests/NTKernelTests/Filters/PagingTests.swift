import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Paging I/O that filters see") struct PagingTests {
  typealias F = FilterGuest

  /// A filter that says what it sees: the operation, whether it is paging I/O, the IRQL and the top-level request.
  private func watched() throws -> (f: F, log: () -> [String], clear: () -> Void) {
    let f = try F(pagingIO: true)
    var log: [String] = []
    for (major, name) in [(2, "close"), (3, "read"), (4, "write"), (9, "flush"), (0x12, "cleanup")] as [(UInt64, String)] {
      f.g.routine(at: F.pre + major * 0x10, 3) { arguments in
        let block = UInt64(try f.k.load(arguments[0] + 8))
        let flags = try f.k.load(block)
        var line = name
        if flags & 2 != 0 {
          let top = try f.g.call("IoGetTopLevelIrp")
          let mdl = try f.k.load(block + 0x24)
          #expect(flags & 0x43 == 0x43 && mdl != 0)
          let (length, offset) = (try f.k.load(block + 0x10), try f.k.load(block + 0x18))
          line += " paging \(offset)+\(length) at \(try f.k.irql)" + (top == 2 ? " lazily" : top == 0 ? " for nobody" : "")
          if try f.k.kernel.currentThread().address == f.k.client.object.address { line += " here" }
          // Names are not to be had there.
          let status = try f.g.status("FltGetFileNameInformation", arguments[0], 0x102, f.g.space())
          #expect(status == .fltInvalidNameRequest)
        }
        log.append(line)
        return 1
      }
    }
    _ = try f.start([0xc: f.operations([2, 3, 4, 9, 0x12].map { (UInt32($0), 0, F.pre + UInt64($0) * 0x10, 0) })])
    return (f, { log }, { log = [] })
  }

  private func write(_ f: F, _ handle: UInt64, _ text: String) throws {
    let (block, buffer, offset) = (try f.g.space(), try f.g.space(0x20), try f.g.space())
    try f.k.memory.memory.write(Array(text.utf8), at: buffer)
    #expect(try f.g.status("ZwWriteFile", handle, 0, 0, 0, block, buffer, UInt64(text.utf8.count), offset, 0) == .success)
  }

  @Test("a cached read faults its page in, once, at APC_LEVEL in the reader's thread") func reads() throws {
    let (f, log, clear) = try watched()
    let handle = try f.open()
    #expect(try f.read(handle, 5) == Array("hello".utf8))
    #expect(log() == ["read", "read paging 0+4096 at 1 here"])
    clear()
    #expect(try f.read(handle, 5) == Array("hello".utf8) && log() == ["read"])
    #expect(f.g.violations.isEmpty)
  }

  @Test("what is written stays in memory until it is flushed; the lazy writer has the rest, and closes the file") func writes() throws {
    let (f, log, clear) = try watched()
    let handle = try f.open()
    try write(f, handle, "HE")
    #expect(log() == ["write", "read paging 0+4096 at 1 here"])
    clear()
    #expect(try f.g.status("ZwFlushBuffersFile", handle, f.g.space()) == .success)
    #expect(log() == ["flush", "write paging 0+4096 at 0 here"])
    #expect(try f.g.status("ZwFlushBuffersFile", handle, f.g.space()) == .success && log().last == "flush")
    try write(f, handle, "HEL")
    clear()
    try f.g.call("ZwClose", handle)
    #expect(log() == ["cleanup"])
    try f.g.call("KeDelayExecutionThread", 0, 0, f.delay())
    #expect(log() == ["cleanup", "write paging 0+4096 at 0 lazily", "close"])
    // It is on the disk now, and has to be read from there again.
    clear()
    #expect(try f.read(f.open(), 5) == Array("HELlo".utf8) && log().count == 2)
    #expect(f.g.violations.isEmpty)
  }

  @Test("a file opened without a cache sees what is in memory, and memory what it writes") func unbuffered() throws {
    let (f, log, clear) = try watched()
    let cached = try f.open()
    try write(f, cached, "J")
    clear()
    let (handle, block) = (try f.g.space(), try f.g.space())
    // FILE_NO_INTERMEDIATE_BUFFERING
    #expect(
      try f.g.status(
        "ZwCreateFile", handle, 0x12_019f, f.g.attributes(#"\??\C:\Long directory\notes.txt"#), block, 0, 0x80, 7, 1, 0x28, 0, 0)
        == .success)
    let direct = UInt64(try f.k.load(handle))
    #expect(try String(decoding: f.read(direct, 512).prefix(5), as: UTF8.self) == "Jello")
    #expect(log() == ["read", "write paging 0+4096 at 0 here"])
    clear()
    let (buffer, offset) = (try f.g.space(512), try f.g.space())
    try f.k.memory.memory.write(Array("direct".utf8), at: buffer)
    #expect(try f.g.status("ZwWriteFile", direct, 0, 0, 0, block, buffer, 512, offset, 0) == .success)
    #expect(try f.read(cached, 6) == Array("direct".utf8))
    #expect(log() == ["write", "read", "read paging 0+4096 at 1 here"])
  }

  @Test("a write-through file is on the disk when its write returns; a deleted one is never written") func writeThrough() throws {
    let (f, log, clear) = try watched()
    let (handle, block) = (try f.g.space(), try f.g.space())
    func open(_ options: UInt64, access: UInt64 = 0x12_019f) throws -> UInt64 {
      #expect(
        try f.g.status(
          "ZwCreateFile", handle, access, f.g.attributes(#"\??\C:\Long directory\notes.txt"#), block, 0, 0x80, 7, 1, options, 0, 0)
          == .success)
      return UInt64(try f.k.load(handle))
    }
    let through = try open(0x22)
    try write(f, through, "W")
    #expect(log() == ["write", "read paging 0+4096 at 1 here", "write paging 0+4096 at 0 here"])
    // FILE_DELETE_ON_CLOSE
    let doomed = try open(0x1020, access: 0x13_019f)
    try write(f, doomed, "gone")
    try f.g.call("ZwClose", through)
    clear()
    try f.g.call("ZwClose", doomed)
    try f.g.call("KeDelayExecutionThread", 0, 0, f.delay())
    #expect(!log().contains { $0.contains("paging") } && log().first == "cleanup")
    #expect(try f.k.trap("CcpLazyWriter") != 0)
  }
}
