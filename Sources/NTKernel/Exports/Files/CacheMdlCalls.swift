import Guest
import Memory
import WindowsTypes

extension Export {
  /// Cached data by MDL, and zeros.
  static let cacheMdlCalls: [Export] = [
    // nf-ntifs-cczerodata: both ends of the range may lie inside a page.
    export("CcZeroData(FileObject, StartOffset, EndOffset, Wait)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, start: Pointer<UInt64>, end: Pointer<UInt64>, wait: UInt8) async throws -> UInt8 in
      let map = try kernel.cacheMap(of: file)
      let (from, to) = (try kernel.checked(start.load()), try kernel.checked(end.load()))
      guard from < to else { return 1 }
      let pages = from >> 12...(to - 1) >> 12
      guard pages.count <= 1 << 14 else { throw GuestException(.insufficientResources) }
      for place in [from, to - 1] {
        if wait == 0, try !kernel.isResident(map, place & ~0xfff, 1) { return 0 }
        try await kernel.bringIn(map, place & ~0xfff, 1)
      }
      for page in pages { _ = try map.store.frame(page) }
      map.store.zero(from, to: to)
      map.dirty.formUnion(pages)
      return 1
    },
    // nf-ntifs-ccmdlread
    export("CcMdlRead(FileObject, FileOffset, Length, MdlChain, IoStatus)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, chain: Pointer<Pointer<MDL>>,
        block: Pointer<IO_STATUS_BLOCK>
      ) async throws in
      let map = try kernel.cacheMap(of: file)
      let start = try kernel.checked(offset.load())
      let rest = UInt64(max(0, map.fileSize)) - min(start, UInt64(max(0, map.fileSize)))
      let count = min(UInt64(length), rest)
      try await kernel.describe(map, start, count, in: chain, isWrite: false)
      try block.Status.store(.success)
      try block.Information.store(GuestWord(count))
    },
    // nf-ntifs-ccmdlreadcomplete
    export("CcMdlReadComplete(FileObject, MdlChain)", irql: .apc) { (kernel, file: Pointer<FILE_OBJECT>, mdl: Pointer<MDL>) in
      try kernel.releaseCacheMDL(mdl)
    },
    // nf-ntifs-ccpreparemdlwrite
    export("CcPrepareMdlWrite(FileObject, FileOffset, Length, MdlChain, IoStatus)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, chain: Pointer<Pointer<MDL>>,
        block: Pointer<IO_STATUS_BLOCK>
      ) async throws in
      let map = try kernel.cacheMap(of: file)
      try await kernel.describe(map, try kernel.checked(offset.load()), UInt64(length), in: chain, isWrite: true)
      try block.Status.store(.success)
      try block.Information.store(GuestWord(UInt64(length)))
    },
    // nf-ntifs-ccmdlwritecomplete
    export("CcMdlWriteComplete(FileObject, FileOffset, MdlChain)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, mdl: Pointer<MDL>) in
      let map = try kernel.cacheMap(of: file)
      let start = try kernel.checked(offset.load())
      let length = UInt64(try mdl.ByteCount.load())
      if length > 0 { map.dirty.formUnion(start >> 12...(start + length - 1) >> 12) }
      try kernel.releaseCacheMDL(mdl)
    },
  ]
}

extension Kernel {
  /// An MDL of cached pages, which stay for as long as it lives.
  func describe(
    _ map: CacheMap, _ offset: UInt64, _ length: UInt64, in chain: Pointer<Pointer<MDL>>, isWrite: Bool
  ) async throws {
    guard length > 0 else { return try chain.store(Pointer(0, in: memory.memory)) }
    guard length <= 1 << 24 else { throw GuestException(.insufficientResources) }
    try await bringIn(map, offset, length)
    let mdl = try allocateMDL(offset & 0xfff, length, isSecondary: false, Pointer(0, in: memory.memory))
    guard !mdl.isNull else { throw GuestException(.insufficientResources) }
    for (index, page) in (offset >> 12...(offset + length - 1) >> 12).enumerated() {
      let frame = try map.store.frame(page)
      memory.physical.pin(frame)
      try mdl.frames[index].store(GuestWord(UInt64(frame)))
    }
    try mdl.MdlFlags.store(mdl.MdlFlags.load().union(.ioPageRead))
    files.cacheMDLs.insert(mdl.address)
    try chain.store(mdl)
  }

  func releaseCacheMDL(_ mdl: Pointer<MDL>) throws {
    guard files.cacheMDLs.remove(mdl.address) != nil else { return }
    for frame in try frames(of: mdl) { _ = memory.physical.unpin(frame) }
    if try mdl.MdlFlags.load().contains(.mappedToSystemVA) { try unmapSystemView(of: mdl, at: mdl.MappedSystemVa.load().address) }
    _ = nonPagedPool.free(mdl.address)
  }
}
