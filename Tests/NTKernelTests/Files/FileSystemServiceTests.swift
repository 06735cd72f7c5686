import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Services for file systems") struct FileSystemServiceTests {
  @Test("a name that a directory lost is found for a while, with its other name and its data") func tunnels() throws {
    let g = try IOGuest()
    let (cache, data) = (try g.space(0x30), try g.space(0x20))
    try g.call("FsRtlInitializeTunnelCache", cache)
    try g.k.store([1, 2, 3], at: data)
    let long = "A long name.text"
    try g.call("FsRtlAddToTunnelCache", cache, 7, 0, g.string("ALONGN~1.TEX"), g.string(long), 0, 12, data)
    let (short, found, length, result) = (try g.space(), try g.space(), try g.space(), try g.space(0x20))
    func find(_ key: UInt64, _ name: String) throws -> UInt64 {
      // 12 characters for the short name, 2 for the long one.
      try g.k.store([24 << 16, UInt32(g.space(24))], at: short)
      try g.k.store([4 << 16, UInt32(g.space())], at: found)
      try g.k.store([12], at: length)
      return try g.call("FsRtlFindInTunnelCache", cache, key, 0, g.string(name), short, found, length, result) & 1
    }
    func text(_ place: UInt64) throws -> String { try Pointer<UNICODE_STRING>(place, in: g.k.memory.memory).string() }
    #expect(try find(7, "a LONG name.text") == 1)
    #expect(try text(short) == "ALONGN~1.TEX" && text(found) == long && g.k.load(length) == 12)
    #expect(try (0..<3).map { try g.k.load(result + 4 * $0) } == [1, 2, 3] && g.k.half(cache + 0x2c) == 1)
    #expect(try find(8, long) == 0 && find(7, "ALONGN~1.TEX") == 0)
    try g.call("FsRtlDeleteKeyFromTunnelCache", cache, 7, 0)
    #expect(try find(7, long) == 0 && g.k.half(cache + 0x2c) == 0)
    // By its short name, and for 15 seconds.
    try g.call("FsRtlAddToTunnelCache", cache, 7, 0, g.string("OLD.TXT"), g.string(long), 1, 0, 0)
    #expect(try find(7, "old.txt") == 1 && find(7, long) == 0)
    try g.call("FsRtlDeleteTunnelCache", cache)
    #expect(try find(7, "old.txt") == 0)
  }

  @Test("extra create parameters go with a create to the driver that looks for them") func createParameters() throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    let (place, type, size) = (try g.space(), try g.space(), try g.space())
    try here.write(Array(1...16), at: type)
    #expect(try g.status("FsRtlAllocateExtraCreateParameterList", 0, place) == .success)
    let list = UInt64(try g.k.load(place))
    var freed: [UInt64] = []
    g.routine(at: 0xf8b0_7300, 2) {
      let type = try here.bytes(16, at: $0[1])
      freed.append(type == Array(1...16) ? $0[0] : 0)
      return 0
    }
    #expect(try g.status("FsRtlAllocateExtraCreateParameter", type, 0x20, 0, 0xf8b0_7300, 0x74736554, place) == .success)
    let context = UInt64(try g.k.load(place))
    #expect(try g.status("FsRtlAllocateExtraCreateParameter", type, 8, 2, 0xf8b0_7300, 0x74736554, place) == .success)
    let twin = UInt64(try g.k.load(place))
    #expect(try g.status("FsRtlInsertExtraCreateParameter", list, context) == .success)
    #expect(try g.status("FsRtlInsertExtraCreateParameter", list, twin) == .invalidParameter)
    #expect(try g.status("FsRtlFindExtraCreateParameter", list, type, place, size) == .success)
    #expect(try g.k.load(place) == UInt32(context) && g.k.load(size) == 0x20)
    #expect(try g.status("FsRtlGetNextExtraCreateParameter", list, 0, type, place, size) == .success && g.k.load(place) == UInt32(context))
    #expect(try g.status("FsRtlGetNextExtraCreateParameter", list, context, 0, place, size) == .notFound)
    try g.call("FsRtlAcknowledgeEcp", context)
    #expect(try g.call("FsRtlIsEcpAcknowledged", context) & 1 == 1 && g.call("FsRtlIsEcpFromUserMode", context) & 1 == 0)
    try g.call("FsRtlPrepareToReuseEcp", context)
    #expect(try g.call("FsRtlIsEcpAcknowledged", context) & 1 == 0)
    // IO_DRIVER_CREATE_CONTEXT
    try g.acceptFiles()
    _ = try g.device(#"\Device\Own"#)
    var seen: [UInt32] = []
    try g.dispatch(0) { _, irp in
      #expect(try g.status("FsRtlGetEcpListFromIrp", irp, place) == .success)
      seen.append(try g.k.load(place))
      #expect(try g.status("FsRtlSetEcpListIntoIrp", irp, list) == (seen.last == 0 ? .success : .invalidParameter3))
      return try g.complete(irp)
    }
    try g.dispatch(2) { _, irp in
      #expect(try g.status("FsRtlGetEcpListFromIrp", irp, place) == .invalidParameter)
      #expect(try g.status("FsRtlSetEcpListIntoIrp", irp, list) == .invalidParameter2)
      return try g.complete(irp)
    }
    let (handle, block, driver) = (try g.space(), try g.space(), try g.space())
    try g.k.store([0x10, UInt32(list), 0, 0], at: driver)
    func create(_ context: UInt64) throws -> NTSTATUS {
      try g.status(
        "IoCreateFileEx", handle, 0xc010_0000, g.attributes(#"\Device\Own\x"#), block, 0, 0x80, 3, 1, 0x20, 0, 0, 0, 0, 0x100, context)
    }
    #expect(try create(driver) == .success && g.status("ZwClose", UInt64(g.k.load(handle))) == .success)
    #expect(try create(0) == .success && g.status("ZwClose", UInt64(g.k.load(handle))) == .success)
    #expect(seen == [UInt32(list), 0])
    try g.k.store([8, UInt32(list), 0, 0], at: driver)
    #expect(try create(driver) == .invalidParameter)
    #expect(try g.status("FsRtlRemoveExtraCreateParameter", list, type, place, size) == .success)
    #expect(try g.status("FsRtlRemoveExtraCreateParameter", list, type, place, size) == .notFound && g.k.load(place) == 0)
    #expect(try g.status("FsRtlInsertExtraCreateParameter", list, context) == .success)
    try g.call("FsRtlFreeExtraCreateParameterList", list)
    try g.call("FsRtlFreeExtraCreateParameter", twin)
    #expect(freed == [context, twin])
  }

  @Test("a file object's name is replaced, in place where it fits") func replacedName() throws {
    let g = try IOGuest(target: .windows7_x86)
    let (file, long) = (try g.space(0x80), Array(#"\a longer name"#.utf16))
    let text = try g.space(0x40)
    for (index, unit) in long.enumerated() { try g.k.memory.memory.store(unit, at: text + 2 * UInt64(index)) }
    // FileName is at 30h; its buffer is none yet.
    #expect(try g.status("IoReplaceFileObjectName", file, text, UInt64(long.count * 2)) == .success)
    let buffer = UInt64(try g.k.load(file + 0x34))
    #expect(try g.k.load(file + 0x30) == UInt32(long.count * 2) | UInt32(long.count * 2) << 16)
    #expect(try g.status("IoReplaceFileObjectName", file, text, 4) == .success)
    #expect(try g.k.load(file + 0x30) & 0xffff == 4 && UInt64(g.k.load(file + 0x34)) == buffer)
  }

  @Test("fast I/O copies cached data where the file's header allows it") func fastTransfers() throws {
    let f = try CachedFile(size: 0x2000)
    let (g, file) = (f.g, f.file.address)
    let (buffer, block, chain) = (try g.space(0x2000), try g.space(), try g.space())
    let header = Pointer<FSRTL_ADVANCED_FCB_HEADER>(try f.file.FsContext.load().address, in: g.k.memory.memory)
    let resource = try g.space(0x38)
    #expect(try g.status("ExInitializeResourceLite", resource) == .success)
    try header.Resource.store(Pointer(resource, in: g.k.memory.memory))
    try header.AllocationSize.store(0x3000)
    func read(_ offset: UInt64, _ length: UInt64, wait: UInt64 = 1) throws -> UInt64 {
      try g.call("FsRtlCopyRead", file, f.number(offset), length, wait, 0, buffer, block, 0) & 1
    }
    // FastIoIsNotPossible
    #expect(try read(0, 16) == 0 && read(0, 0) == 1)
    try header.IsFastIoPossible.store(1)
    #expect(try read(0x1ff0, 0x100) == 1 && g.k.load(block + 4) == 0x10 && f.file.CurrentByteOffset.QuadPart.load() == 0x2000)
    #expect(try g.k.memory.memory.bytes(0x10, at: buffer) == Array(f.disk[0x1ff0..<0x2000]))
    #expect(try read(0x2000, 1) == 1 && g.k.load(block) == NTSTATUS.endOfFile.rawValue)
    #expect(try read(0, 16, wait: 0) == 0)
    try g.k.memory.memory.write([UInt8](repeating: 0xee, count: 0x20), at: buffer)
    func write(_ offset: UInt64) throws -> UInt64 {
      try g.call("FsRtlCopyWrite", file, f.number(offset), 0x20, 1, 0, buffer, block, 0) & 1
    }
    #expect(try write(0x1fe0) == 1 && header.FileSize.load() == 0x2000 && write(0x2ff0) == 0)
    #expect(try g.call("ExIsResourceAcquiredSharedLite", resource) == 0)
    // By MDL.
    #expect(try g.call("FsRtlMdlReadDev", file, f.number(0x10), 0x20, 0, chain, block, 0) & 1 == 1 && g.k.load(block + 4) == 0x20)
    #expect(try g.call("FsRtlMdlReadCompleteDev", file, UInt64(g.k.load(chain)), 0) & 1 == 1)
    #expect(try g.call("FsRtlPrepareMdlWriteDev", file, f.number(0x10), 0x20, 0, chain, block, 0) & 1 == 1)
    #expect(try g.call("FsRtlMdlWriteCompleteDev", file, f.number(0x10), UInt64(g.k.load(chain)), 0) & 1 == 1)
    #expect(try g.call("FsRtlPrepareMdlWriteDev", file, f.number(0x10), 0x20, 0, chain, block, 0) & 1 == 1)
    try g.call("CcMdlWriteAbort", file, UInt64(g.k.load(chain)))
    // FastIoIsQuestionable: there is nobody to ask.
    try header.IsFastIoPossible.store(2)
    #expect(try read(0, 16) == 0 && g.call("FsRtlMdlReadDev", file, f.number(0), 0x20, 0, chain, block, 0) & 1 == 0)
    #expect(try g.call("FsRtlPrepareMdlWriteDev", file, f.number(0), 0x20, 0, chain, block, 0) & 1 == 0)
  }

  @Test("pinned blocks are kept, written through and told apart") func pinned() throws {
    let f = try CachedFile(size: 0x3000)
    let (g, file) = (f.g, f.file.address)
    let (bcb, buffer, block) = (try g.space(), try g.space(), try g.space())
    #expect(try g.call("CcMapData", file, f.number(0x1000), 0x10, 1, bcb, buffer) & 1 == 1)
    #expect(try g.call("CcPinMappedData", file, f.number(0x1004), 4, 1, bcb) & 1 == 1)
    let handle = UInt64(try g.k.load(bcb))
    #expect(try g.call("CcGetFileObjectFromBcb", handle) == file)
    try g.call("CcSetBcbOwnerPointer", handle, 0x1000)
    try g.call("CcUnpinDataForThread", handle, 0x1000)
    #expect(try g.call("CcIsThereDirtyData", f.file.Vpb.load().address) & 1 == 0)
    #expect(try g.call("CcPreparePinWrite", file, f.number(0x2000), 0x1000, 1, 1, bcb, buffer) & 1 == 1)
    #expect(try g.call("CcIsThereDirtyData", f.file.Vpb.load().address) & 1 == 1)
    let pinned = UInt64(try g.k.load(bcb))
    try g.call("CcRepinBcb", pinned)
    try g.call("CcUnpinData", pinned)
    try g.call("CcUnpinRepinnedBcb", pinned, 1, block)
    #expect(try g.k.load(block) == 0 && f.requests.last == "W2000" && f.disk[0x2000..<0x3000].allSatisfy { $0 == 0 })
    // CcFastCopyRead and its like.
    try g.call("CcFastCopyRead", file, 0x10, 0x20, 1, buffer, block)
    #expect(try g.k.load(block + 4) == 0x20)
    try g.call("CcFastCopyWrite", file, 0x10, 4, buffer)
    #expect(try g.call("CcCopyWriteWontFlush", file, 0, 0x1_0000) & 1 == 1 && g.call("CcCopyWriteWontFlush", file, 0, 0x1_0001) & 1 == 0)
    #expect(try g.status("CcWaitForCurrentLazyWriterActivity") == .success)
    try g.call("CcSetAdditionalCacheAttributes", file, 1, 1)
    // CACHE_MANAGER: what is no block, and no cached file.
    for name in ["CcRepinBcb", "CcGetFileObjectFromBcb"] {
      let other = try CachedFile(size: 0x1000)
      #expect(try other.g.bugCheck(name, 0x1234).first == 0x34, "\(name)")
    }
    #expect(try CachedFile(size: 16).g.bugCheck("CcSetAdditionalCacheAttributes", g.space(0x70), 0, 0).first == 0x34)
  }

  @Test("contexts hang on streams and files until they are torn down") func contexts() throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    let header = Pointer<FSRTL_ADVANCED_FCB_HEADER>(try g.space(0x40), in: here)
    try header.FilterContexts.initialize()
    let context = try g.space(0x20)
    try g.k.store([0, 0, 0x11, 0x22, 0xf8b0_7400], at: context)
    #expect(try g.status("FsRtlInsertPerStreamContext", header.address, context) == .invalidDeviceRequest)
    try header.Flags2.store(2)
    #expect(try g.status("FsRtlInsertPerStreamContext", header.address, context) == .success)
    #expect(try g.call("FsRtlLookupPerStreamContextInternal", header.address, 0x11, 0x22) == context)
    #expect(try g.call("FsRtlLookupPerStreamContextInternal", header.address, 0x11, 0x23) == 0)
    #expect(try g.call("FsRtlRemovePerStreamContext", header.address, 0x11, 0) == context)
    #expect(try g.call("FsRtlRemovePerStreamContext", header.address, 0x11, 0) == 0)
    var freed: [UInt64] = []
    g.routine(at: 0xf8b0_7400, 1) {
      freed.append($0[0])
      return 0
    }
    #expect(try g.status("FsRtlInsertPerStreamContext", header.address, context) == .success)
    try g.call("FsRtlTeardownPerStreamContexts", header.address)
    #expect(try freed == [context] && header.FilterContexts.isEmpty)
    let place = try g.space()
    #expect(try g.status("FsRtlInsertPerFileContext", 0, context) == .invalidDeviceRequest)
    #expect(try g.status("FsRtlInsertPerFileContext", place, context) == .success)
    #expect(try g.call("FsRtlLookupPerFileContext", place, 0x11, 0) == context && g.call("FsRtlLookupPerFileContext", place, 0x12, 0) == 0)
    #expect(try g.call("FsRtlRemovePerFileContext", place, 0x11, 0) == context && g.call("FsRtlRemovePerFileContext", place, 0x11, 0) == 0)
    #expect(try g.status("FsRtlInsertPerFileContext", place, context) == .success)
    try g.call("FsRtlTeardownPerFileContexts", place)
    #expect(try freed.count == 2 && g.k.load(place) == 0)
  }

  @Test("filters hear of the acquisition for a section and for a flush, and may refuse it") func callbacks() throws {
    let f = try CachedFile(size: 0x1000)
    let g = f.g
    var heard: [UInt8] = []
    var answer: UInt64 = 0
    g.routine(at: 0xf8b0_7500, 2) {
      heard.append(try g.k.memory.memory.load(UInt8.self, at: $0[0] + 4))
      #expect(try g.k.load($0[0] + 12) == UInt32(f.file.address))
      return answer
    }
    let callbacks = try g.space(0x38)
    // Before each acquisition and each release.
    try g.k.store([0x38, 0] + (0..<12).map { $0 % 2 == 0 ? 0xf8b0_7500 : 0 }, at: callbacks)
    #expect(try g.status("FsRtlRegisterFileSystemFilterCallbacks", g.driver.object.address, 0) == .invalidParameter)
    #expect(try g.status("FsRtlRegisterFileSystemFilterCallbacks", g.driver.object.address, callbacks) == .success)
    let block = try g.space()
    try g.call("CcFlushCache", f.pointers, 0, 0, block)
    #expect(try heard == [0xfb, 0xfa] && g.k.load(block) == 0)
    answer = 0xc000_0022
    try g.call("CcFlushCache", f.pointers, 0, 0, block)
    #expect(try g.k.load(block) == 0xc000_0022)
  }

  @Test("overflows are handled by a worker, events of a volume told, and odds and ends") func rest() throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    g.routine(at: 0xf8b0_7600, 2) { _ in 0 }
    for name in ["FsRtlPostStackOverflow", "FsRtlPostPagingFileStackOverflow"] { try g.call(name, 1, g.space(), 0xf8b0_7600) }
    let device = try g.device(#"\Device\Disk"#)
    try g.acceptFiles()
    let handle = try g.open(#"\Device\Disk"#)
    let place = try g.space()
    #expect(try g.status("ObReferenceObjectByHandle", handle, 0, 0, 0, place, 0) == .success)
    let file = UInt64(try g.k.load(place))
    var events: [UInt32] = []
    g.routine(at: 0xf8b0_7700, 2) {
      events.append(try g.k.load($0[0] + 4))
      return 0
    }
    let entry = try g.space()
    // EventCategoryTargetDeviceChange
    #expect(
      try g.status("IoRegisterPlugPlayNotification", 3, 0, file, g.driver.object.address, 0xf8b0_7700, 0, entry) == .success)
    // FSRTL_VOLUME_LOCK
    #expect(try g.status("FsRtlNotifyVolumeEvent", file, 3) == .success && events == [0x5070_8874])
    #expect(try g.status("FsRtlNotifyVolumeEvent", file, 99) == .invalidParameter)
    try g.dispatch(14) { _, irp in
      #expect(try g.k.load(UInt64(g.k.load(irp + 0x60)) + 12) == 0x66_001b)
      return try g.complete(irp, .invalidDeviceRequest)
    }
    #expect(try g.status("FsRtlBalanceReads", device) == .invalidDeviceRequest)
    // A mount point of "a" for "b".
    let reparse = try g.space(0x40)
    try here.write([3, 0, 0, 0xa0, 16, 0, 0, 0, 0, 0, 2, 0, 4, 0, 2, 0, 97, 0, 0, 0, 98, 0, 0, 0], at: reparse)
    #expect(try g.status("FsRtlValidateReparsePointBuffer", 24, reparse) == .success)
    #expect(try g.status("FsRtlValidateReparsePointBuffer", 23, reparse) == NTSTATUS(rawValue: 0xc000_0278))
    try g.k.store([1], at: reparse)
    #expect(try g.status("FsRtlValidateReparsePointBuffer", 24, reparse) == NTSTATUS(rawValue: 0xc000_0276))
    let (mcb, virtual, physical, index) = (try g.space(), try g.space(), try g.space(), try g.space())
    try g.call("FsRtlInitializeLargeMcb", mcb, 0)
    #expect(try g.call("FsRtlLookupLastLargeMcbEntryAndIndex", mcb, virtual, physical, index) & 1 == 0)
    try g.call("FsRtlAddLargeMcbEntry", mcb, 0, 0, 100, 0, 4, 0)
    #expect(try g.call("FsRtlLookupLastLargeMcbEntryAndIndex", mcb, virtual, physical, index) & 1 == 1)
    #expect(try [virtual, physical, index].map { try g.k.load($0) } == [3, 103, 0])
    let lock = try g.space(0x40)
    try g.call("FsRtlInitializeFileLock", lock, 0, 0)
    #expect(try g.call("FsRtlGetNextFileLock", lock, 1) == 0 && g.call("FsRtlAreThereCurrentOrInProgressFileLocks", lock) & 1 == 0)
    try here.store(UInt64(0x10), at: virtual)
    try here.store(UInt64(0x20), at: physical)
    #expect(try g.call("FsRtlPrivateLock", lock, file, virtual, physical, 0x44, 5, 1, 1, place, 0, 0, 0) & 1 == 1)
    let next = try g.call("FsRtlGetNextFileLock", lock, 1)
    #expect(try [0, 8, 16, 20, 32].map { try g.k.load(next + $0) } == [0x10, 0x20, 1, 5, 0x2f])
    #expect(try g.call("FsRtlGetNextFileLock", lock, 0) == 0 && g.call("FsRtlAreThereCurrentOrInProgressFileLocks", lock) & 1 == 1)
    let provider = try g.space()
    #expect(try g.status("FsRtlRegisterUncProvider", provider, g.string(#"\Device\Redirector"#), 0) == .success)
    try g.call("FsRtlDeregisterUncProvider", UInt64(g.k.load(provider)))
    #expect(try g.status("FsRtlRegisterUncProviderEx", provider, g.string(#"\Device\Redirector"#), device, 0) == .invalidParameter)
    #expect(try g.status("FsRtlRegisterUncProviderEx", provider, g.string(#"\Device\Redirector"#), g.device(nil), 0) == .success)
    #expect(try g.status("FsRtlMupGetProviderInfoFromFileObject", file, 1, place, index) == .invalidDeviceRequest)
    #expect(try g.status("FsRtlMupGetProviderInfoFromFileObject", file, 2, place, index) == .invalidParameter)
  }

  @Test("a watcher's own routine chooses what it hears of; the last cleanup ends all") func filteredWatching() throws {
    let o = try OplockGuest()
    let g = o.g
    let (sync, list) = (try g.space(), try g.space())
    try g.call("FsRtlNotifyInitializeSync", sync)
    try g.k.store([UInt32(list), UInt32(list)], at: list)
    let name = try g.string(#"\dir"#)
    var answers: [[UInt64]] = []
    g.routine(at: 0xf8b0_7800, 2) {
      answers.append($0)
      return $0[1] == 2 ? 1 : 0
    }
    let (first, second) = (try o.irp(0xc, o.first, [0x100, 0, 0, 0]), try o.irp(0xc, o.second, [0x100, 0, 0, 0]))
    func watch(_ irp: UInt64, _ context: UInt64) throws {
      try g.call(
        "FsRtlNotifyFilterChangeDirectory", UInt64(g.k.load(sync)), list, context, name, 0, 0, 1, irp, 0, 0, 0xf8b0_7800)
    }
    try watch(first, 0x51)
    func report(_ context: UInt64) throws {
      try g.call(
        "FsRtlNotifyFilterReportChange", UInt64(g.k.load(sync)), list, g.string(#"\dir\x"#), 10, 0, 0, 1, 1, 0, context)
    }
    try report(1)
    #expect(o.completed[first] == nil && answers == [[0x51, 1]])
    try report(2)
    #expect(o.completed[first] == [0, 14])
    try watch(second, 0x52)
    try g.call("FsRtlNotifyCleanupAll", UInt64(g.k.load(sync)), list)
    #expect(o.completed[second]?[0] == NTSTATUS.notifyCleanup.rawValue)
  }
}
