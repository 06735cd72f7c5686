import Guest
import Memory
import WindowsTypes

extension Export {
  /// The cache manager, as file systems call it.
  static let cacheCalls: [Export] = [
    // nf-ntifs-ccinitializecachemap: CC_FILE_SIZES are AllocationSize, FileSize, ValidDataLength.
    export("CcInitializeCacheMap(FileObject, FileSizes, PinAccess, Callbacks, LazyWriteContext)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, sizes: Pointer<Int64>, pin: UInt8, callbacks: Pointer<Void>, context: GuestWord
      ) async throws in
      try await kernel.initializeCacheMap(file, sizes)
    }
    .partially("the lazy writer's callbacks are not called: data is written back by CcFlushCache and when the last user has gone"),
    // nf-ntifs-ccuninitializecachemap
    export("CcUninitializeCacheMap(FileObject, TruncateSize, UninitializeCompleteEvent)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, size: Pointer<Int64>, event: Pointer<GuestWord>) async throws -> UInt8 in
      try await kernel.uninitializeCacheMap(file, size, event) ? 1 : 0
    },
    // nf-ntifs-ccsetfilesizes
    export("CcSetFileSizes(FileObject, FileSizes)", irql: .apc) { (kernel, file: Pointer<FILE_OBJECT>, sizes: Pointer<Int64>) in
      let map = try kernel.cacheMap(of: file)
      let old = map.fileSize
      (map.allocationSize, map.fileSize, map.validDataLength) = (try sizes.load(), try sizes[1].load(), try sizes[2].load())
      if map.fileSize < old, map.fileSize >= 0, try kernel.node(of: file) == nil {
        map.store.truncate(to: UInt64(map.fileSize))
        map.dirty = map.dirty.filter { Int64($0 << 12) < map.fileSize }
      }
    },
    // nf-ntifs-cccopyread: raises what the driver fails with, and what the buffer comes to.
    export("CcCopyRead(FileObject, FileOffset, Length, Wait, Buffer, IoStatus)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, wait: UInt8, buffer: GuestWord,
        block: Pointer<IO_STATUS_BLOCK>
      ) async throws -> UInt8 in
      let start = try kernel.checked(offset.load())
      guard let count = try await kernel.copyOut(kernel.cacheMap(of: file), start, UInt64(length), to: buffer.bits, waits: wait != 0)
      else { return 0 }
      try block.Status.store(.success)
      try block.Information.store(GuestWord(count))
      return 1
    },
    // nf-ntifs-cccopywrite
    export("CcCopyWrite(FileObject, FileOffset, Length, Wait, Buffer)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, wait: UInt8, buffer: GuestWord
      ) async throws -> UInt8 in
      let start = try kernel.checked(offset.load())
      return try await kernel.copyIn(kernel.cacheMap(of: file), start, UInt64(length), from: buffer.bits, waits: wait != 0) ? 1 : 0
    },
    // nf-ntifs-ccflushcache
    export("CcFlushCache(SectionObjectPointer, FileOffset, Length, IoStatus)", irql: .apc) {
      (
        kernel, pointers: GuestWord, offset: Pointer<UInt64>, length: UInt32, block: Pointer<IO_STATUS_BLOCK>
      ) async throws in
      var status = NTSTATUS.success
      if let map = kernel.files.caches[pointers.bits] {
        if offset.isNull {
          status = try await kernel.flush(map)
        } else if length > 0 {
          let start = try kernel.checked(offset.load())
          status = try await kernel.flush(map, start >> 12...(start + UInt64(length) - 1) >> 12)
        }
      }
      if !block.isNull {
        try block.Status.store(status)
        try block.Information.store(0)
      }
    },
    // nf-ntifs-ccpurgecachesection: what is mapped stays, and so does everything else then.
    export("CcPurgeCacheSection(SectionObjectPointer, FileOffset, Length, Flags)", irql: .apc) {
      (kernel, pointers: Pointer<SECTION_OBJECT_POINTERS>, offset: Pointer<UInt64>, length: UInt32, flags: UInt8) -> UInt8 in
      guard let map = kernel.files.caches[pointers.address] else { return 1 }
      if try kernel.areMapped(pointers, beyond: 0) || kernel.files.cacheViews.values.contains(where: { $0.map === map }) { return 0 }
      let first = try offset.isNull ? 0 : kernel.checked(offset.load()) >> 12
      let last = try offset.isNull || length == 0 ? UInt64.max : (kernel.checked(offset.load()) + UInt64(length) - 1) >> 12
      guard try kernel.node(of: map.file) == nil else { return 1 }
      for page in map.store.residentPages where page >= first && page <= last {
        map.store.forget(page)
        map.dirty.remove(page)
      }
      return 1
    },
    // nf-ntifs-cccaniwrite: there is always room.
    export("CcCanIWrite(FileObject, BytesToWrite, Wait, Retrying)", irql: .apc) {
      (_, file: Pointer<FILE_OBJECT>, count: UInt32, wait: UInt8, retrying: UInt8) -> UInt8 in 1
    }
    .partially("writes are never held back"),
    // nf-ntifs-ccdeferwrite
    export("CcDeferWrite(FileObject, PostRoutine, Context1, Context2, BytesToWrite, Retrying)", irql: .apc) {
      (
        kernel, file: GuestWord, routine: GuestWord, first: GuestWord, second: GuestWord, count: UInt32, retrying: UInt8
      ) async throws in
      _ = try await kernel.call(routine.bits, [first.bits, second.bits])
    }
    .partially("writes are never held back: the routine is called at once"),
    // nf-ntifs-ccsetreadaheadgranularity
    export("CcSetReadAheadGranularity(FileObject, Granularity)", irql: .apc) { (_, file: Pointer<FILE_OBJECT>, size: UInt32) in }
      .partially("nothing is read ahead"),
    // nf-ntifs-ccmapdata
    view("CcMapData"),
    // nf-ntifs-ccpinread
    view("CcPinRead"),
    // nf-ntifs-ccunpindata
    export("CcUnpinData(Bcb)", irql: .dispatch) { (kernel, bcb: GuestWord) in try kernel.unmapCacheView(bcb.bits) },
    // nf-ntifs-ccsetdirtypinneddata
    export("CcSetDirtyPinnedData(Bcb, Lsn)", irql: .apc) { (kernel, bcb: GuestWord, lsn: Pointer<Int64>) in
      guard let view = kernel.files.cacheViews[bcb.bits] else { return }
      view.map.dirty.formUnion(view.pages)
    }
    .partially("log sequence numbers are not kept"),
  ]

  private static func view(_ name: String) -> Export {
    export("\(name)(FileObject, FileOffset, Length, Flags, Bcb, Buffer)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, flags: UInt32, bcb: Pointer<GuestWord>,
        buffer: Pointer<GuestWord>
      ) async throws -> UInt8 in
      let map = try kernel.cacheMap(of: file)
      let start = try kernel.checked(offset.load())
      // MAP_WAIT, PIN_WAIT
      if flags & 1 == 0, try !kernel.isResident(map, start, UInt64(length)) { return 0 }
      try await kernel.mapView(of: map, start, UInt64(length), bcb, buffer)
      return 1
    }
  }
}

extension Kernel {
  /// An offset that a file can have.
  func checked(_ offset: UInt64) throws -> UInt64 {
    guard offset <= 1 << 44 else { throw GuestException(.invalidParameter) }
    return offset
  }

  fileprivate func initializeCacheMap(_ file: Pointer<FILE_OBJECT>, _ sizes: Pointer<Int64>) async throws {
    let pointers = try file.SectionObjectPointer.load()
    guard !pointers.isNull else { throw BugCheck(BugCheckCode(rawValue: 0x34), file.address) }
    let map: CacheMap
    if let known = files.caches[pointers.address] {
      map = known
    } else {
      map = CacheMap(try await pages(of: file), file: file)
      files.caches[pointers.address] = map
      try reference(file.address, for: nil)
      try pointers.SharedCacheMap.store(Pointer(try allocate(0x10), in: memory.memory))
      (map.allocationSize, map.fileSize, map.validDataLength) = (try sizes.load(), try sizes[1].load(), try sizes[2].load())
    }
    map.users.insert(file.address)
    try file.PrivateCacheMap.store(pointers.SharedCacheMap.load())
  }

  fileprivate func uninitializeCacheMap(
    _ file: Pointer<FILE_OBJECT>, _ size: Pointer<Int64>, _ event: Pointer<GuestWord>
  ) async throws -> Bool {
    let null = Pointer<Void>(0, in: memory.memory)
    let pointers = try file.SectionObjectPointer.load()
    try file.PrivateCacheMap.store(null)
    var isGone = false
    if !pointers.isNull, let map = files.caches[pointers.address], map.users.remove(file.address) != nil {
      if !size.isNull, case let end = try size.load(), end >= 0, try node(of: file) == nil {
        map.store.truncate(to: UInt64(end))
        map.dirty = map.dirty.filter { Int64($0 << 12) < end }
      }
      if map.users.isEmpty {
        _ = try await flush(map)
        files.caches[pointers.address] = nil
        files.sections.stores[pointers.address] = nil
        let block = try pointers.SharedCacheMap.load().address
        if block != 0 { _ = nonPagedPool.free(block) }
        try pointers.SharedCacheMap.store(null)
        isGone = true
        try await dereference(map.file.address)
      }
    }
    // CACHE_UNINITIALIZE_EVENT: the next one, then the event.
    if !event.isNull { try set(Pointer<KEVENT>(event.address + 4, in: memory.memory)) }
    return isGone
  }
}
