import Guest
import WindowsTypes

extension Export {
  /// The cache manager's calls that hardly anybody but a file system of Microsoft's makes.
  static let cacheExtras: [Export] = [
    // nf-ntifs-ccgetfileobjectfromsectionptrs: the file object that paging requests name; NULL where nothing is cached.
    export("CcGetFileObjectFromSectionPtrs(SectionObjectPointer)", irql: .dispatch) { (kernel, pointers: GuestWord) -> GuestWord in
      GuestWord(kernel.files.caches[pointers.bits]?.file.address ?? 0)
    },
    // nf-ntifs-ccgetfileobjectfromsectionptrsref: with a reference, which the caller gives back.
    export("CcGetFileObjectFromSectionPtrsRef(SectionObjectPointer)", irql: .dispatch) { (kernel, pointers: GuestWord) -> GuestWord in
      guard let file = kernel.files.caches[pointers.bits]?.file else { return 0 }
      try kernel.reference(file.address, for: kernel.site())
      return GuestWord(file.address)
    },
    // nf-ntifs-ccistheredirtydataex: how many pages of a volume's files wait to be written.
    export("CcIsThereDirtyDataEx(Vpb, NumberOfDirtyPages)", irql: .apc) { (kernel, vpb: Pointer<VPB>, result: Pointer<UInt32>) -> UInt8 in
      var count = 0
      for map in kernel.files.caches.values
      where try map.file.Vpb.load() == vpb && map.file.Flags.load() & Kernel.FileFlags.temporary == 0 { count += map.dirty.count }
      if !result.isNull { try result.store(UInt32(count)) }
      return count == 0 ? 0 : 1
    },
    // nf-ntifs-ccsetfilesizesex: CcSetFileSizes, which says whether it could.
    export("CcSetFileSizesEx(FileObject, FileSizes)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, sizes: GuestWord) async throws -> NTSTATUS in
      let pointers = try file.SectionObjectPointer.load()
      // A file that is not cached has nothing to adjust.
      guard !pointers.isNull, kernel.files.caches[pointers.address] != nil else { return .success }
      _ = try await kernel.call(kernel.trapAddress(of: "CcSetFileSizes"), [file.address, sizes.bits])
      return .success
    },
    // nf-ntifs-cccoherencyflushandpurgecache: what is written and then forgotten; CC_FLUSH_AND_PURGE_NO_PURGE is 1.
    export("CcCoherencyFlushAndPurgeCache(SectionObjectPointer, FileOffset, Length, IoStatus, Flags)", irql: .apc) {
      (
        kernel, pointers: GuestWord, offset: GuestWord, length: UInt32, block: Pointer<IO_STATUS_BLOCK>, flags: UInt32
      ) async throws in
      _ = try await kernel.call(
        kernel.trapAddress(of: "CcFlushCache"), [pointers.bits, offset.bits, UInt64(length), block.address])
      guard try flags & 1 == 0 && block.Status.load().isSuccess else { return }
      let purged = try await kernel.call(
        kernel.trapAddress(of: "CcPurgeCacheSection"), [pointers.bits, offset.bits, UInt64(length), 0])
      // STATUS_CACHE_PAGE_LOCKED: what is mapped stays.
      if purged & 0xff == 0 { try block.Status.store(NTSTATUS(rawValue: 0x115)) }
    },
    // nf-ntifs-ccremapbcb: another reference to the same pages.
    export("CcRemapBcb(Bcb)", irql: .apc) { (kernel, bcb: GuestWord) -> GuestWord in
      _ = try kernel.view(bcb.bits)
      kernel.files.cacheViews[bcb.bits]?.references += 1
      return bcb
    },
    // nf-ntifs-ccschedulereadahead: a hint.
    export("CcScheduleReadAhead(FileObject, FileOffset, Length)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, offset: GuestWord, length: UInt32) in _ = try kernel.cacheMap(of: file)
    }
    .partially("nothing is read ahead"),
    // nf-ntifs-ccsetdirtypagethreshold: with it CcCanIWrite would hold writes back.
    export("CcSetDirtyPageThreshold(FileObject, DirtyPageThreshold)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, threshold: UInt32) in _ = try kernel.cacheMap(of: file)
    }
    .partially("writes are never held back"),
    // nf-ntifs-ccsetparallelflushfile
    export("CcSetParallelFlushFile(FileObject, EnableParallelFlush)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, enables: UInt8) in _ = try kernel.cacheMap(of: file)
    }
    .partially("what is flushed is written by the thread that asks for it"),
    // nf-ntifs-ccgetflushedvaliddata: up to which byte the file is on its disk; MAXLONGLONG where all of it is, or nothing is cached.
    export("CcGetFlushedValidData(SectionObjectPointer, BcbListHeld)", irql: .dispatch) {
      (kernel, pointers: GuestWord, held: UInt8) -> Int64 in
      guard let map = kernel.files.caches[pointers.bits], let first = map.dirty.min() else { return .max }
      return Int64(clamping: first << 12)
    },
  ]
}
