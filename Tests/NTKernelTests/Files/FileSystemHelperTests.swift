import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Helpers of file systems") struct FileSystemHelperTests {
  @Test("small and base run lists map clusters, and make room between them") func runLists() throws {
    let g = try RuntimeGuest()
    let (mcb, base, large) = (try g.room(0x20), try g.room(0x20), try g.room(0x20))
    let (virtual, physical, count, index, start, whole) = (
      try g.room(8), try g.room(8), try g.room(8), try g.room(8), try g.room(8), try g.room(8)
    )
    try g.call("FsRtlInitializeMcb", mcb, 1)
    #expect(try g.call("FsRtlAddMcbEntry", mcb, 0, 100, 10) & 1 == 1 && g.call("FsRtlAddMcbEntry", mcb, 20, 300, 5) & 1 == 1)
    #expect(try g.call("FsRtlAddMcbEntry", mcb, 5, 700, 1) & 1 == 0 && g.call("FsRtlNumberOfRunsInMcb", mcb) == 3)
    #expect(try g.call("FsRtlLookupMcbEntry", mcb, 4, physical, count, index) & 1 == 1 && g.load(physical) == 104 && g.load(count) == 6)
    #expect(try g.call("FsRtlLookupMcbEntry", mcb, 12, physical, count, index) & 1 == 1 && g.load(physical) == .max && g.load(index) == 1)
    #expect(try g.call("FsRtlLookupMcbEntry", mcb, 25, physical, count, index) & 1 == 0)
    #expect(try g.call("FsRtlLookupLastMcbEntry", mcb, virtual, physical) & 1 == 1 && g.load(virtual) == 24 && g.load(physical) == 304)
    #expect(try g.call("FsRtlGetNextMcbEntry", mcb, 2, virtual, physical, count) & 1 == 1 && g.load(virtual) == 20 && g.load(count) == 5)
    #expect(try g.call("FsRtlGetNextMcbEntry", mcb, 3, virtual, physical, count) & 1 == 0)
    try g.call("FsRtlRemoveMcbEntry", mcb, 22, 3)
    #expect(try g.call("FsRtlLookupLastMcbEntry", mcb, virtual, physical) & 1 == 1 && g.load(virtual) == 21)
    try g.call("FsRtlTruncateMcb", mcb, 0)
    #expect(try g.call("FsRtlLookupLastMcbEntry", mcb, virtual, physical) & 1 == 0)
    try g.call("FsRtlUninitializeMcb", mcb)
    #expect(try g.call("FsRtlAddMcbEntry", mcb, 0, 100, 10) & 1 == 0)

    try g.call("FsRtlInitializeBaseMcb", base, 1)
    #expect(try g.call("FsRtlInitializeBaseMcbEx", base, 1, 0) & 1 == 1)
    #expect(try g.call("FsRtlAddBaseMcbEntry", base, 0, 0, 100, 0, 10, 0) & 1 == 1)
    #expect(try g.call("FsRtlAddBaseMcbEntryEx", base, 0, 0, 101, 0, 10, 0) == 0xc000_0001)
    #expect(try g.call("FsRtlAddBaseMcbEntryEx", base, 10, 0, 200, 0, 10, 0) == 0)
    #expect(try g.call("FsRtlAddBaseMcbEntry", base, 0, 0xffff_ffff, 100, 0, 10, 0) & 1 == 0)
    #expect(try g.call("FsRtlSplitBaseMcb", base, 4, 0, 6, 0) & 1 == 1 && g.call("FsRtlNumberOfRunsInBaseMcb", base) == 4)
    #expect(try g.call("FsRtlLookupBaseMcbEntry", base, 11, 0, physical, count, start, whole, index) & 1 == 1)
    #expect(try g.load64(physical) == 105 && g.load64(count) == 5 && g.load64(start) == 104 && g.load64(whole) == 6 && g.load(index) == 2)
    #expect(try g.call("FsRtlLookupBaseMcbEntry", base, 99, 0, physical, count, start, whole, index) & 1 == 0)
    #expect(
      try g.call("FsRtlLookupLastBaseMcbEntry", base, virtual, physical) & 1 == 1 && g.load64(virtual) == 25 && g.load64(physical) == 209)
    #expect(try g.call("FsRtlLookupLastBaseMcbEntryAndIndex", base, virtual, physical, index) & 1 == 1 && g.load(index) == 3)
    #expect(try g.call("FsRtlGetNextBaseMcbEntry", base, 1, virtual, physical, count) & 1 == 1 && g.load64(physical) == .max)
    #expect(try g.call("FsRtlGetNextBaseMcbEntry", base, 4, virtual, physical, count) & 1 == 0)
    #expect(try g.call("FsRtlSplitBaseMcb", base, 100, 0, 6, 0) & 1 == 0)
    #expect(try g.call("FsRtlRemoveBaseMcbEntry", base, 0, 0, 20, 0) & 1 == 1)
    try g.call("FsRtlTruncateBaseMcb", base, 0, 0)
    #expect(try g.call("FsRtlLookupLastBaseMcbEntry", base, virtual, physical) & 1 == 0)
    #expect(try g.call("FsRtlLookupLastBaseMcbEntryAndIndex", base, virtual, physical, index) & 1 == 0)
    try g.call("FsRtlResetBaseMcb", base)
    try g.call("FsRtlUninitializeBaseMcb", base)
    #expect(try g.call("FsRtlRemoveBaseMcbEntry", base, 0, 0, 20, 0) & 1 == 0)

    try g.call("FsRtlInitializeLargeMcb", large, 1)
    #expect(try g.call("FsRtlAddLargeMcbEntry", large, 0, 0, 100, 0, 10, 0) & 1 == 1)
    #expect(try g.call("FsRtlSplitLargeMcb", large, 5, 0, 1, 0) & 1 == 1 && g.call("FsRtlNumberOfRunsInLargeMcb", large) == 3)
    #expect(try g.call("FsRtlSplitLargeMcb", large, 0, 0xffff_ffff, 1, 0) & 1 == 0)
    try g.call("FsRtlResetLargeMcb", large, 0)
    #expect(try g.call("FsRtlNumberOfRunsInLargeMcb", large) == 0)
  }

  @Test("paths in bytes: the longest that a name begins with") func prefixes() throws {
    let g = try RuntimeGuest()
    let table = try g.room(8)
    let entries = try (0..<3).map { _ in try g.room(0x18) }
    try g.call("PfxInitialize", table)
    let (short, long) = (try g.ansi(#"\device"#), try g.ansi(#"\device\disk"#))
    #expect(try g.call("PfxInsertPrefix", table, short, entries[0]) & 1 == 1 && g.call("PfxInsertPrefix", table, long, entries[1]) & 1 == 1)
    #expect(try g.call("PfxInsertPrefix", table, short, entries[2]) & 1 == 0)
    #expect(try g.call("PfxFindPrefix", table, g.ansi(#"\device\disk\file"#)) == entries[1])
    #expect(try g.call("PfxFindPrefix", table, g.ansi(#"\device\diskette"#)) == entries[0])
    #expect(try g.call("PfxFindPrefix", table, g.ansi(#"\Device\disk"#)) == 0)
    try g.call("PfxRemovePrefix", table, entries[1])
    #expect(try g.call("PfxFindPrefix", table, long) == entries[0])
    #expect(try g.failure("PfxInitialize", RuntimeGuest.missing) == accessViolation)
    #expect(try RuntimeGuest().failure("PfxRemovePrefix", RuntimeGuest.missing, 0) == accessViolation)
  }

  @Test("dots leave a path, names come apart, counters count") func names() throws {
    let g = try RuntimeGuest()
    let (path, length) = (try g.wide(#"\a\.\b\..\c"#), try g.room(4))
    #expect(try g.call("FsRtlRemoveDotsFromPath", path, 22, length) == 0 && g.load16(length) == 8)
    #expect(try String(decoding: (0..<4).map { try g.load16(path + 2 * $0) }, as: UTF16.self) == #"\a\c"#)
    #expect(try g.call("FsRtlRemoveDotsFromPath", g.wide(#"\..\c"#), 10, length) == 0xc000_0278)
    let (first, rest) = (try g.room(8), try g.room(8))
    try g.call("FsRtlDissectDbcs", 0x000d_000d, g.narrow(#"\dir\sub\file"#), first, rest)
    #expect(try g.bytes(ofString: first) == Array("dir".utf8) && g.bytes(ofString: rest) == Array(#"sub\file"#.utf8))
    #expect(try g.call("FsRtlDoesDbcsContainWildCards", g.ansi("a*.txt")) & 1 == 1)
    #expect(try g.call("FsRtlDoesDbcsContainWildCards", g.ansi("a.txt")) & 1 == 0)
    let place = try #require(try g.kernel.address(ofVariable: "CcFastMdlReadWait", in: "nt"))
    let before = try g.load(place)
    for name in [
      "FsRtlIncrementCcFastMdlReadWait", "FsRtlIncrementCcFastReadNoWait", "FsRtlIncrementCcFastReadNotPossible",
      "FsRtlIncrementCcFastReadResourceMiss", "FsRtlIncrementCcFastReadWait",
    ] { try g.call(name) }
    #expect(try g.load(place) == before + 1)
    #expect(try g.call("FsRtlAreVolumeStartupApplicationsComplete") & 1 == 1 && g.call("FsRtlQueryMaximumVirtualDiskNestingLevel") == 2)
    #expect(try g.call("FsRtlGetVirtualDiskNestingLevel", 0, first, rest) == 0 && g.load(first) == 0 && g.load(rest) == 0)
    #expect(try g.call("FsRtlIsPagingFile", 0x1000) == 0)
    #expect(try g.call("FsRtlLogCcFlushError", g.unicode(#"\a"#), 0, 0, 0xc000_0185, 0) == 0)
    let block = try g.call("FsRtlAllocatePool", 0, 0x20)
    #expect(try block != 0 && g.load(block) == 0 && g.call("FsRtlAllocatePoolWithQuota", 1, 0x20) != 0)
    #expect(try g.failure("FsRtlAllocatePool", 0, 0xf000_0000) == .raised(0xc000_009a))
    #expect(try RuntimeGuest().failure("FsRtlAllocatePoolWithQuota", 1, 0xf000_0000) == .raised(0xc000_009a))
  }

  @Test("locks, resources and contexts of files") func objects() throws {
    let f = try CachedFile(size: 0x2000)
    let (g, file) = (f.g, f.file.address)
    let lock = try g.call("FsRtlAllocateFileLock", 0, 0)
    #expect(try lock != 0 && g.call("FsRtlAreThereCurrentOrInProgressFileLocks", lock) & 1 == 0)
    try g.call("FsRtlFreeFileLock", lock)
    let resources = Set(try (0..<20).map { _ in try g.call("FsRtlAllocateResource") })
    #expect(resources.count == 16)
    let context = try g.space()
    try g.k.store([0, 0, 0x11, 0x22], at: context)
    #expect(try g.status("FsRtlInsertPerFileObjectContext", 0, context) == .invalidParameter)
    #expect(try g.status("FsRtlInsertPerFileObjectContext", file, context) == .success)
    #expect(try g.call("FsRtlLookupPerFileObjectContext", file, 0x11, 0x22) == context)
    #expect(try g.call("FsRtlLookupPerFileObjectContext", file, 0x12, 0) == 0)
    #expect(try g.call("FsRtlRemovePerFileObjectContext", file, 0x11, 0) == context)
    #expect(try g.call("FsRtlRemovePerFileObjectContext", file, 0x11, 0) == 0)
    // By the main resource, for want of a fast I/O table.
    let header = Pointer<FSRTL_ADVANCED_FCB_HEADER>(try f.file.FsContext.load().address, in: g.k.memory.memory)
    let resource = try g.space(0x40)
    #expect(try g.status("ExInitializeResourceLite", resource) == .success)
    try header.Resource.store(Pointer(resource, in: g.k.memory.memory))
    try g.call("FsRtlAcquireFileExclusive", file)
    #expect(try g.call("ExIsResourceAcquiredExclusiveLite", resource) & 1 == 1)
    try g.call("FsRtlReleaseFile", file)
    #expect(try g.call("ExIsResourceAcquiredExclusiveLite", resource) & 1 == 0)
    // The library's own routines stand in for those that the driver lacks.
    let (block, chain) = (try g.space(), try g.space())
    try header.AllocationSize.store(0x3000)
    #expect(try g.call("FsRtlMdlRead", file, f.number(0), 0x20, 0, chain, block) & 1 == 0)
    try header.IsFastIoPossible.store(1)
    #expect(try g.call("FsRtlMdlRead", file, f.number(0x10), 0x20, 0, chain, block) & 1 == 1 && g.k.load(block + 4) == 0x20)
    #expect(try g.call("FsRtlMdlReadComplete", file, UInt64(g.k.load(chain))) & 1 == 1)
    #expect(try g.call("FsRtlPrepareMdlWrite", file, f.number(0x10), 0x20, 0, chain, block) & 1 == 1)
    #expect(try g.call("FsRtlMdlWriteComplete", file, f.number(0x10), UInt64(g.k.load(chain))) & 1 == 1)
    #expect(try g.call("FsRtlPrepareMdlWrite", file, f.number(0x3000), 0x20, 0, chain, block) & 1 == 0)
  }

  @Test("waits that a cancelled request does not begin") func waits() throws {
    let g = try IOGuest()
    let (event, irp, list, timeout) = (try g.space(), try g.call("IoAllocateIrp", 1, 0), try g.space(), try g.space())
    try g.call("KeInitializeEvent", event, 0, 1)
    #expect(try g.status("FsRtlCancellableWaitForSingleObject", event, 0, irp) == .success)
    try g.k.store([UInt32(event), UInt32(event)], at: list)
    #expect(try g.status("FsRtlCancellableWaitForMultipleObjects", 2, list, 1, timeout, 0, irp) == .success)
    try g.call("KeClearEvent", event)
    #expect(try g.status("FsRtlCancellableWaitForSingleObject", event, timeout, irp) == .timeout)
    try g.call("IoCancelIrp", irp)
    #expect(try g.status("FsRtlCancellableWaitForSingleObject", event, 0, irp) == .cancelled)
    #expect(try g.status("FsRtlCancellableWaitForMultipleObjects", 2, list, 1, 0, 0, irp) == .cancelled)
  }

  @Test("extra create parameters from a lookaside list") func parameters() throws {
    let g = try IOGuest()
    let (list, type, place) = (try g.space(0x80), try g.space(), try g.space())
    try g.call("FsRtlInitExtraCreateParameterLookasideList", list, 2, 0x20, 0x74736554)
    #expect(try g.status("FsRtlAllocateExtraCreateParameterFromLookasideList", type, 0x20, 0, 0, list, place) == .success)
    try g.call("FsRtlFreeExtraCreateParameter", UInt64(g.k.load(place)))
    #expect(
      try g.status("FsRtlAllocateExtraCreateParameterFromLookasideList", type, 0x7fff_ffff, 0, 0, list, place) == .insufficientResources)
    try g.call("FsRtlDeleteExtraCreateParameterLookasideList", list, 2)
  }

  @Test("a section for who scans a file, which cannot be written through") func scan() throws {
    let v = try VolumeGuest()
    let g = v.g
    let file = try v.opened(#"\Device\HarddiskVolume1\dir\hello.txt"#)
    let (place, handle, object, size) = (try g.space(), try g.space(), try g.space(), try g.space())
    #expect(try g.status("ObReferenceObjectByHandle", file, 0, 0, 0, place, 0) == .success)
    let fileObject = UInt64(try g.k.load(place))
    func make(_ protection: UInt64, _ kind: UInt64) throws -> NTSTATUS {
      try g.status("FsRtlCreateSectionForDataScan", handle, object, size, fileObject, 5, 0, 0, protection, kind, 0)
    }
    #expect(try make(4, 0x800_0000) == NTSTATUS(rawValue: 0xc000_00f6) && make(2, 0x100_0000) == NTSTATUS(rawValue: 0xc000_00f7))
    #expect(try make(2, 0x800_0000) == .success && g.k.load(size) == 12)
    #expect(try g.call("ObfDereferenceObject", UInt64(g.k.load(object))) == 1 && g.status("ZwClose", UInt64(g.k.load(handle))) == .success)
  }

  @Test("locks are broken to none, and asked for by Windows 7's names") func oplocks() throws {
    let o = try OplockGuest()
    let g = o.g
    let irp = try o.irp(0xd, o.first, [0, 0, 0x9_0008])
    #expect(try g.status("FsRtlOplockFsctrlEx", o.lock, irp, 1, 0) == .pending && g.call("FsRtlCurrentOplock", o.lock) & 1 == 1)
    let refused = try o.irp(0xd, o.second, [0, 0, 0x9_0000])
    #expect(try g.status("FsRtlOplockFsctrlEx", o.lock, refused, 2, 0) == .oplockNotGranted)
    let write = try o.irp(4, o.second)
    #expect(try g.status("FsRtlOplockBreakToNoneEx", o.lock, write, 1, 0, 0, 0) == .oplockBreakInProgress)
    #expect(o.completed[irp]?.last == 8)
    let fresh = try g.space()
    try g.call("FsRtlInitializeOplock", fresh)
    #expect(try g.status("FsRtlOplockBreakToNone", fresh, 0, write, 0, 0, 0) == .success)
    #expect(try g.call("FsRtlOplockKeysEqual", o.first, o.first) & 1 == 1 && g.call("FsRtlOplockKeysEqual", o.first, o.second) & 1 == 0)
  }

  @Test("watchers and reports in their older forms") func notifications() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    let device = try g.device(#"\Device\Own"#)
    let (sync, list) = (try g.space(), try g.space())
    try g.call("FsRtlNotifyInitializeSync", sync)
    let watcher = UInt64(try g.k.load(sync))
    try g.dispatch(0xe) { _, irp in
      try g.k.store(0x40, at: UInt64(g.k.load(irp + 0x60)) + 4)
      try g.call("FsRtlNotifyChangeDirectory", watcher, 0x77, g.string(#"\dir"#), list, 0, 1, irp)
      return .pending
    }
    let (handle, block, buffer, length) = (try g.space(), try g.space(), try g.space(0x40), try g.space())
    #expect(try g.status("ZwOpenFile", handle, 1, g.attributes(#"\Device\Own"#), block, 7, 0) == .success)
    #expect(
      try g.status("ZwDeviceIoControlFile", UInt64(g.k.load(handle)), 0, 0, 0, block, 0x22_2003, 0, 0, buffer, 0x40) == .pending)
    try g.k.store([8], at: length)
    try g.call("FsRtlNotifyReportChange", watcher, list, g.string(#"\dir\file"#), length, 2)
    #expect(try g.k.load(block) == 0)
    try g.k.store([0x103], at: block)
    try g.call("FsRtlNotifyReportChange", watcher, list, g.string(#"\dir\file"#), length, 1)
    #expect(try g.k.load(block) != 0x103)
    // A notification of the caller's own.
    let place = try g.space()
    #expect(try g.status("ObReferenceObjectByHandle", UInt64(g.k.load(handle)), 0, 0, 0, place, 0) == .success)
    let event = try g.space(0x30)
    try g.k.store([0x24_0001, 0x1234_5678], at: event)
    #expect(try device != 0 && g.status("FsRtlNotifyVolumeEventEx", UInt64(g.k.load(place)), 3, event) == .success)
    #expect(try g.status("FsRtlNotifyVolumeEventEx", UInt64(g.k.load(place)), 3, 0) == .invalidParameter)
  }
}
