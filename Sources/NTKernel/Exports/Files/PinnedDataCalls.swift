import Guest
import WindowsTypes

extension Export {
  /// The cache manager's rarer routines.
  static let pinnedDataCalls: [Export] = [
    // nf-ntifs-ccpinmappeddata: data that is mapped is in memory, and stays.
    export("CcPinMappedData(FileObject, FileOffset, Length, Flags, Bcb)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, flags: UInt32, bcb: Pointer<GuestWord>) -> UInt8 in
      let view = try kernel.view(bcb.load().bits)
      let start = try kernel.checked(offset.load())
      guard length > 0, view.pages.contains(start >> 12), view.pages.contains((start + UInt64(length) - 1) >> 12) else {
        throw GuestException(.invalidParameter)
      }
      return 1
    },
    // nf-ntifs-ccpreparepinwrite: the pages are pinned, zeroed if that is asked for, and dirty.
    export("CcPreparePinWrite(FileObject, FileOffset, Length, Zero, Flags, Bcb, Buffer)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, zero: UInt8, flags: UInt32, bcb: Pointer<GuestWord>,
        buffer: Pointer<GuestWord>
      ) async throws -> UInt8 in
      let map = try kernel.cacheMap(of: file)
      let start = try kernel.checked(offset.load())
      if flags & 1 == 0, try !kernel.isResident(map, start, UInt64(length)) { return 0 }
      try await kernel.mapView(of: map, start, UInt64(length), bcb, buffer)
      if zero != 0 { map.store.zero(start, to: start + UInt64(length)) }
      map.dirty.formUnion(start >> 12...(start + UInt64(length) - 1) >> 12)
      return 1
    },
    // nf-ntifs-ccrepinbcb: until CcUnpinRepinnedBcb.
    export("CcRepinBcb(Bcb)", irql: .apc) { (kernel, bcb: GuestWord) in
      _ = try kernel.view(bcb.bits)
      kernel.files.cacheViews[bcb.bits]?.references += 1
    },
    // nf-ntifs-ccunpinrepinnedbcb: what is dirty is written first, if that is asked for.
    export("CcUnpinRepinnedBcb(Bcb, WriteThrough, IoStatus)", irql: .apc) {
      (kernel, bcb: GuestWord, through: UInt8, block: Pointer<IO_STATUS_BLOCK>) async throws in
      let view = try kernel.view(bcb.bits)
      var status = NTSTATUS.success
      if through != 0, let last = view.pages.last { status = try await kernel.flush(view.map, view.pages.lowerBound...last) }
      try block.Status.store(status)
      try block.Information.store(0)
      try kernel.unmapCacheView(bcb.bits)
    },
    // nf-ntifs-ccunpindataforthread: the thread whose resource the Bcb holds; there is no resource.
    export("CcUnpinDataForThread(Bcb, ResourceThreadId)", irql: .dispatch) { (kernel, bcb: GuestWord, thread: GuestWord) in
      _ = try kernel.view(bcb.bits)
      try kernel.unmapCacheView(bcb.bits)
    },
    // nf-ntifs-ccsetbcbownerpointer
    export("CcSetBcbOwnerPointer(Bcb, OwnerPointer)", irql: .apc) { (kernel, bcb: GuestWord, owner: GuestWord) in
      _ = try kernel.view(bcb.bits)
    }
    .partially("a pinned block has no owner: any thread may unpin it"),
    // nf-ntifs-ccgetfileobjectfrombcb
    export("CcGetFileObjectFromBcb(Bcb)") { (kernel, bcb: GuestWord) -> Pointer<FILE_OBJECT> in try kernel.view(bcb.bits).map.file },
    // nf-ntifs-ccistheredirtydata: of a volume's files, temporary ones aside.
    export("CcIsThereDirtyData(Vpb)", irql: .apc) { (kernel, vpb: Pointer<VPB>) -> UInt8 in
      try kernel.files.caches.values.contains {
        try !$0.dirty.isEmpty && $0.file.Vpb.load() == vpb && $0.file.Flags.load() & Kernel.FileFlags.temporary == 0
      } ? 1 : 0
    },
    // nf-ntifs-ccfastcopyread: CcCopyRead that always waits, with an offset of 32 bits.
    export("CcFastCopyRead(FileObject, FileOffset, Length, PageCount, Buffer, IoStatus)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: UInt32, length: UInt32, pages: UInt32, buffer: GuestWord,
        block: Pointer<IO_STATUS_BLOCK>
      ) async throws in
      let count = try await kernel.copyOut(kernel.cacheMap(of: file), UInt64(offset), UInt64(length), to: buffer.bits, waits: true)
      try block.Status.store(.success)
      try block.Information.store(GuestWord(count ?? 0))
    },
    // nf-ntifs-ccfastcopywrite
    export("CcFastCopyWrite(FileObject, FileOffset, Length, Buffer)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, offset: UInt32, length: UInt32, buffer: GuestWord) async throws in
      _ = try await kernel.copyIn(kernel.cacheMap(of: file), UInt64(offset), UInt64(length), from: buffer.bits, waits: true)
    },
    // nf-ntifs-cccopywritewontflush: at most 64 KB, as the macro of the same name says.
    export("CcCopyWriteWontFlush(FileObject, FileOffset, Length)") { (_, file: GuestWord, offset: GuestWord, length: UInt32) -> UInt8 in
      length <= 0x1_0000 ? 1 : 0
    },
    // nf-ntifs-ccmdlwriteabort: nothing becomes dirty.
    export("CcMdlWriteAbort(FileObject, MdlChain)", irql: .apc) { (kernel, file: GuestWord, mdl: Pointer<MDL>) in
      try kernel.releaseCacheMDL(mdl)
    },
    // nf-ntifs-ccwaitforcurrentlazywriteractivity: the lazy writer is never at work.
    export("CcWaitForCurrentLazyWriterActivity()", irql: .apc) { _ -> NTSTATUS in .success },
    // nf-ntifs-ccsetadditionalcacheattributes
    export("CcSetAdditionalCacheAttributes(FileObject, DisableReadAhead, DisableWriteBehind)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, readAhead: UInt8, writeBehind: UInt8) in
      _ = try kernel.cacheMap(of: file)
    }
    .partially("nothing is read ahead, nor written behind, so there is nothing to disable"),
  ]
}

extension Kernel {
  /// The view that a `Bcb` stands for; bugcheck 0x34, CACHE_MANAGER, where it stands for none.
  func view(_ bcb: UInt64) throws -> CacheView {
    guard let view = files.cacheViews[bcb] else { throw BugCheck(BugCheckCode(rawValue: 0x34), bcb) }
    return view
  }
}
