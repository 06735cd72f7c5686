import Guest
import Memory
import NTKernel
import Testing
import WindowsTypes

/// A driver with one file of its own, which it reads and writes by paging requests alone.
final class CachedFile {
  let g: IOGuest
  let file: Pointer<FILE_OBJECT>
  let pointers: UInt64
  /// What is on the driver's disk.
  var disk: [UInt8]
  /// The paging requests so far: `R` or `W`, and the offset.
  var requests: [String] = []
  var failure: NTSTATUS?

  init(size: Int) throws {
    g = try IOGuest()
    disk = (0..<(size + 4095) / 4096 * 4096).map { UInt8(truncatingIfNeeded: $0 / 7) }
    try g.acceptFiles()
    _ = try g.device(#"\Device\Own"#)
    let handle = try g.open(#"\Device\Own\file"#)
    let place = try g.space()
    #expect(try g.status("ObReferenceObjectByHandle", handle, 0, 0, 0, place, 0) == .success)
    file = Pointer(UInt64(try g.k.load(place)), in: g.k.memory.memory)
    pointers = try g.space()
    try file.SectionObjectPointer.store(Pointer(pointers, in: g.k.memory.memory))
    let header = Pointer<FSRTL_ADVANCED_FCB_HEADER>(try g.space(0x40), in: g.k.memory.memory)
    try header.FileSize.store(Int64(size))
    try file.FsContext.store(header.cast())
    for major in [3, 4] {
      try g.dispatch(major) { [unowned self] _, irp in
        let stack = UInt64(try g.k.load(irp + 0x60))
        // IRP_NOCACHE | IRP_PAGING_IO
        #expect(try g.k.load(irp + 8) & 3 == 3)
        let (length, offset) = (Int(try g.k.load(stack + 4)), Int(try g.k.load(stack + 12)))
        requests.append((major == 3 ? "R" : "W") + String(offset, radix: 16))
        if let failure { return try g.complete(irp, failure) }
        let frame = try g.k.load(UInt64(g.k.load(irp + 4)) + 0x1c)
        if major == 3 {
          g.k.memory.physical.fill(frame, with: disk[offset..<offset + length])
        } else {
          disk.replaceSubrange(offset..<offset + length, with: g.k.memory.physical.bytes(of: frame))
        }
        return try g.complete(irp, .success, UInt32(length))
      }
    }
    let sizes = try g.space(24)
    for index in 0..<3 { try g.k.memory.memory.store(Int64(size), at: sizes + 8 * UInt64(index)) }
    try g.call("CcInitializeCacheMap", file.address, sizes, 0, 0, 0)
  }

  func number(_ value: UInt64) throws -> UInt64 {
    let place = try g.space()
    try g.k.memory.memory.store(value, at: place)
    return place
  }
}

@Suite("The cache manager") struct CacheTests {
  @Test("cached reads come from pages that the driver was asked for once") func reading() throws {
    let f = try CachedFile(size: 0x2800)
    let (buffer, block) = (try f.g.space(0x3000), try f.g.space())
    func read(_ offset: UInt64, _ length: UInt64, wait: UInt64 = 1) throws -> UInt64 {
      try f.g.call("CcCopyRead", f.file.address, f.number(offset), length, wait, buffer, block)
    }
    #expect(try read(0x800, 0x1000, wait: 0) == 0)
    #expect(try read(0x800, 0x1000) == 1 && f.g.k.load(block + 4) == 0x1000)
    #expect(try f.g.k.memory.memory.bytes(0x1000, at: buffer) == Array(f.disk[0x800..<0x1800]))
    #expect(f.requests == ["R0", "R1000"])
    #expect(try read(0x900, 0x10, wait: 0) == 1 && f.requests.count == 2)
    // Up to the end of the file.
    #expect(try read(0x2700, 0x1000) == 1 && f.g.k.load(block + 4) == 0x100)
    #expect(try !f.file.PrivateCacheMap.load().isNull && f.g.k.load(f.pointers + 4) != 0)
    #expect(try f.g.call("CcPurgeCacheSection", f.pointers, 0, 0, 0) == 1)
    #expect(try read(0, 4) == 1 && f.requests.last == "R0")
    #expect(try f.g.call("CcUninitializeCacheMap", f.file.address, 0, 0) == 1)
    #expect(try f.file.PrivateCacheMap.load().isNull && f.g.k.load(f.pointers + 4) == 0)
    // CACHE_MANAGER
    #expect(try f.g.bugCheck("CcCopyRead", f.file.address, f.number(0), 4, 1, buffer, block).first == 0x34)
  }

  @Test("cached writes are the driver's when they are flushed") func writing() throws {
    let f = try CachedFile(size: 0x3000)
    let (buffer, block) = (try f.g.space(0x2000), try f.g.space())
    try f.g.k.memory.memory.write([UInt8](repeating: 0xee, count: 0x1800), at: buffer)
    #expect(try f.g.call("CcCanIWrite", f.file.address, 0x1800, 1, 0) == 1)
    #expect(try f.g.call("CcCopyWrite", f.file.address, f.number(0x800), 0x1800, 0, buffer) == 0)
    #expect(try f.g.call("CcCopyWrite", f.file.address, f.number(0x800), 0x1800, 1, buffer) == 1)
    #expect(f.requests == ["R0", "R1000"])
    let old = f.disk
    try f.g.call("CcFlushCache", f.pointers, f.number(0x1000), 1, block)
    #expect(f.requests.last == "W1000" && f.disk[0x1000] == 0xee && f.disk[..<0x1000] == old[..<0x1000])
    try f.g.call("CcFlushCache", f.pointers, 0, 0, block)
    #expect(try f.requests.last == "W0" && f.disk[0x7ff] == old[0x7ff] && f.disk[0x800] == 0xee && f.g.k.load(block) == 0)
    f.failure = .deviceNotReady
    #expect(try f.g.call("CcCopyWrite", f.file.address, f.number(0x1000), 16, 1, buffer) == 1)
    try f.g.call("CcFlushCache", f.pointers, 0, 0, block)
    #expect(try f.g.k.load(block) == NTSTATUS.deviceNotReady.rawValue)
    // CC_FILE_SIZES: shorter.
    let sizes = try f.g.space(24)
    try f.g.k.store([0x1000, 0, 0x800, 0, 0x800, 0], at: sizes)
    try f.g.call("CcSetFileSizes", f.file.address, sizes)
    try f.g.call("CcSetReadAheadGranularity", f.file.address, 0x1_0000)
    #expect(try f.g.call("CcCopyRead", f.file.address, f.number(0x700), 0x1000, 1, buffer, block) == 1 && f.g.k.load(block + 4) == 0x100)
    var posted: [UInt64] = []
    f.g.routine(at: 0xf8b0_6200, 2) {
      posted = $0
      return 0
    }
    try f.g.call("CcDeferWrite", f.file.address, 0xf8b0_6200, 7, 8, 16, 0)
    #expect(posted == [7, 8])
    #expect(try f.g.bugCheck("CcSetFileSizes", f.g.space(0x70), sizes).first == 0x34)
  }

  @Test("data is mapped and pinned where system space shows it") func mapping() throws {
    let f = try CachedFile(size: 0x3000)
    let (bcb, place) = (try f.g.space(), try f.g.space())
    #expect(try f.g.call("CcMapData", f.file.address, f.number(0xff0), 0x20, 0, bcb, place) == 0)
    #expect(try f.g.call("CcMapData", f.file.address, f.number(0xff0), 0x20, 1, bcb, place) == 1)
    let view = UInt64(try f.g.k.load(place))
    #expect(try view & 0xfff == 0xff0 && f.g.k.memory.memory.bytes(0x20, at: view) == Array(f.disk[0xff0..<0x1010]))
    #expect(try f.g.call("CcPurgeCacheSection", f.pointers, 0, 0, 0) == 0)
    try f.g.call("CcUnpinData", UInt64(f.g.k.load(bcb)))
    #expect(!f.g.k.memory.memory.allows(.read, at: view))
    #expect(try f.g.call("CcPinRead", f.file.address, f.number(0x2000), 0x10, 1, bcb, place) == 1)
    try f.g.k.store(0x5555_5555, at: UInt64(f.g.k.load(place)))
    try f.g.call("CcSetDirtyPinnedData", UInt64(f.g.k.load(bcb)), 0)
    try f.g.call("CcUnpinData", UInt64(f.g.k.load(bcb)))
    try f.g.call("CcFlushCache", f.pointers, 0, 0, 0)
    #expect(f.requests.last == "W2000" && f.disk[0x2000] == 0x55)
  }

  @Test("a section of a driver's file shows what the driver reads in") func section() throws {
    let f = try CachedFile(size: 0x1800)
    let place = try f.g.space(16)
    #expect(try f.g.status("MmCreateSection", place, 0xf001f, 0, 0, 4, 0x800_0000, 0, f.file.address) == .success)
    #expect(try f.g.status("MmMapViewInSystemSpace", UInt64(f.g.k.load(place)), place + 4, place + 8) == .success)
    let base = UInt64(try f.g.k.load(place + 4))
    #expect(f.requests == ["R0", "R1000"])
    #expect(try f.g.k.memory.memory.bytes(16, at: base + 0x1000) == Array(f.disk[0x1000..<0x1010]))
  }
}

extension CacheTests {
  @Test("cached data by MDL, and zeros") func mdls() throws {
    let f = try CachedFile(size: 0x3000)
    let (chain, block) = (try f.g.space(), try f.g.space())
    try f.g.call("CcMdlRead", f.file.address, f.number(0xff0), 0x20, chain, block)
    let mdl = UInt64(try f.g.k.load(chain))
    #expect(try f.g.k.load(block + 4) == 0x20 && f.g.k.load(mdl + 0x14) == 0x20 && f.g.k.load(mdl + 0x18) == 0xff0)
    let frame = try f.g.k.load(mdl + 0x1c)
    #expect(f.g.k.pins(frame) == 1 && f.g.k.memory.physical.bytes(of: frame)[0xff0] == f.disk[0xff0])
    try f.g.call("CcMdlReadComplete", f.file.address, mdl)
    #expect(f.g.k.pins(frame) == 0)
    // Behind the end there is nothing.
    try f.g.call("CcMdlRead", f.file.address, f.number(0x4000), 0x20, chain, block)
    #expect(try f.g.k.load(chain) == 0 && f.g.k.load(block + 4) == 0)
    try f.g.call("CcPrepareMdlWrite", f.file.address, f.number(0x2000), 0x10, chain, block)
    let write = UInt64(try f.g.k.load(chain))
    f.g.k.memory.physical.fill(try f.g.k.load(write + 0x1c), with: [9, 9])
    try f.g.call("CcMdlWriteComplete", f.file.address, f.number(0x2000), write)
    #expect(try f.g.call("CcZeroData", f.file.address, f.number(0x800), f.number(0x900), 1) == 1)
    try f.g.call("CcFlushCache", f.pointers, 0, 0, 0)
    #expect(f.disk[0x2000] == 9 && f.disk[0x800..<0x900].allSatisfy { $0 == 0 } && f.disk[0x7ff] != 0)
    for name in ["CcPrepareMdlWrite", "CcMdlWriteComplete", "CcZeroData"] {
      #expect(try f.g.bugCheck(name, f.g.space(0x70), f.number(0), name == "CcZeroData" ? f.number(1) : 1, chain, block).first == 0x34)
      break
    }
  }

  @Test("who watches a directory is told of what changes in it, and let go with its last handle") func notification() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Own"#)
    let (sync, list) = (try g.space(), try g.space())
    try g.call("FsRtlNotifyInitializeSync", sync)
    #expect(try g.k.load(sync) != 0)
    func bytes(_ text: String) throws -> UInt64 {
      let place = try g.string(text)
      return place
    }
    // FILE_NOTIFY_CHANGE_FILE_NAME of \dir
    var irps: [UInt64] = []
    try g.dispatch(0xe) { _, irp in
      irps.append(irp)
      try g.k.store(0x40, at: UInt64(g.k.load(irp + 0x60)) + 4)
      try g.call("FsRtlNotifyFullChangeDirectory", UInt64(g.k.load(sync)), list, 0x77, bytes(#"\dir"#), 0, 0, 1, irp, 0, 0)
      return .pending
    }
    let (handle, block, buffer) = (try g.space(), try g.space(), try g.space(0x40))
    #expect(try g.status("ZwOpenFile", handle, 1, g.attributes(#"\Device\Own"#), block, 7, 0) == .success)
    func watch() throws -> NTSTATUS {
      try g.status("ZwDeviceIoControlFile", UInt64(g.k.load(handle)), 0, 0, 0, block, 0x22_2003, 0, 0, buffer, 0x40)
    }
    func report(_ name: String, _ offset: UInt64, _ filter: UInt64) throws {
      try g.call("FsRtlNotifyFullReportChange", UInt64(g.k.load(sync)), list, bytes(name), offset, 0, 0, filter, 1, 0)
    }
    #expect(try watch() == .pending && irps.count == 1)
    try report(#"\other\file"#, 14, 1)
    try report(#"\dir\file"#, 10, 2)
    try report(#"\dir\below\file"#, 22, 1)
    #expect(try g.k.load(block + 4) == 0)
    // FILE_ACTION_ADDED
    try report(#"\dir\file"#, 10, 1)
    #expect(try g.k.load(block + 4) == 20 && g.k.load(buffer + 4) == 1 && g.k.load(buffer + 8) == 8 && g.k.half(buffer + 12) == 0x66)
    #expect(try watch() == .pending)
    try g.call("FsRtlNotifyCleanup", UInt64(g.k.load(sync)), list, 0x78)
    try g.call("FsRtlNotifyCleanup", UInt64(g.k.load(sync)), list, 0x77)
    #expect(try g.k.load(block) == NTSTATUS.notifyCleanup.rawValue)
    try g.call("FsRtlNotifyUninitializeSync", sync)
    #expect(try g.k.load(sync) == 0)
  }
}
