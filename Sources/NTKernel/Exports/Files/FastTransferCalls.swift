import Guest
import WindowsTypes

extension Export {
  /// What file systems put into their fast I/O tables: cached transfers without an IRP. All return FALSE where it takes one.
  static let fastTransferCalls: [Export] = [
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlcopyread
    export("FsRtlCopyRead(FileObject, FileOffset, Length, Wait, LockKey, Buffer, IoStatus, DeviceObject)", irql: .passive) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, wait: UInt8, key: UInt32, buffer: GuestWord,
        block: Pointer<IO_STATUS_BLOCK>, device: Pointer<DEVICE_OBJECT>
      ) async throws -> UInt8 in
      try await kernel.transferFast(file, offset, length, waits: wait != 0, key: key, isRead: true, block, device) { map, start, count in
        try await kernel.copyOut(map, start, count, to: buffer.bits, waits: wait != 0)
      }
    },
    // fsrtlcopywrite: not beyond the end of the file's allocation.
    export("FsRtlCopyWrite(FileObject, FileOffset, Length, Wait, LockKey, Buffer, IoStatus, DeviceObject)", irql: .passive) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, wait: UInt8, key: UInt32, buffer: GuestWord,
        block: Pointer<IO_STATUS_BLOCK>, device: Pointer<DEVICE_OBJECT>
      ) async throws -> UInt8 in
      try await kernel.transferFast(file, offset, length, waits: wait != 0, key: key, isRead: false, block, device) { map, start, count in
        try await kernel.copyIn(map, start, count, from: buffer.bits, waits: wait != 0) ? count : nil
      }
    },
    // fsrtlmdlreaddev
    export("FsRtlMdlReadDev(FileObject, FileOffset, Length, LockKey, MdlChain, IoStatus, DeviceObject)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, key: UInt32, chain: Pointer<Pointer<MDL>>,
        block: Pointer<IO_STATUS_BLOCK>, device: Pointer<DEVICE_OBJECT>
      ) async throws -> UInt8 in
      try await kernel.transferFast(file, offset, length, waits: true, key: key, isRead: true, block, device) { map, start, count in
        let end = UInt64(max(0, map.fileSize))
        let count = min(count, end - min(start, end))
        try await kernel.describe(map, start, count, in: chain, isWrite: false)
        return count
      }
    },
    // fsrtlmdlreadcompletedev
    export("FsRtlMdlReadCompleteDev(FileObject, MdlChain, DeviceObject)", irql: .apc) {
      (kernel, file: GuestWord, mdl: Pointer<MDL>, device: GuestWord) -> UInt8 in
      try kernel.releaseCacheMDL(mdl)
      return 1
    },
    // fsrtlpreparemdlwritedev
    export("FsRtlPrepareMdlWriteDev(FileObject, FileOffset, Length, LockKey, MdlChain, IoStatus, DeviceObject)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, length: UInt32, key: UInt32, chain: Pointer<Pointer<MDL>>,
        block: Pointer<IO_STATUS_BLOCK>, device: Pointer<DEVICE_OBJECT>
      ) async throws -> UInt8 in
      try await kernel.transferFast(file, offset, length, waits: true, key: key, isRead: false, block, device) { map, start, count in
        try await kernel.describe(map, start, count, in: chain, isWrite: true)
        return count
      }
    },
    // fsrtlmdlwritecompletedev
    export("FsRtlMdlWriteCompleteDev(FileObject, FileOffset, MdlChain, DeviceObject)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, offset: Pointer<UInt64>, mdl: Pointer<MDL>, device: GuestWord) -> UInt8 in
      let map = try kernel.cacheMap(of: file)
      let start = try kernel.checked(offset.load())
      let length = UInt64(try mdl.ByteCount.load())
      if length > 0 { map.dirty.formUnion(start >> 12...(start + length - 1) >> 12) }
      try kernel.releaseCacheMDL(mdl)
      return 1
    },
  ]
}

extension Kernel {
  /// A cached transfer under the file's resource, and what it leaves in the file object and the status block.
  ///
  /// - Parameter move: does it, and returns how much was moved; `nil` where that would have to wait.
  fileprivate func transferFast(
    _ file: Pointer<FILE_OBJECT>, _ offset: Pointer<UInt64>, _ length: UInt32, waits: Bool, key: UInt32, isRead: Bool,
    _ block: Pointer<IO_STATUS_BLOCK>, _ device: Pointer<DEVICE_OBJECT>,
    _ move: (CacheMap, UInt64, UInt64) async throws -> UInt64?
  ) async throws -> UInt8 {
    func done(_ status: NTSTATUS, _ count: UInt64) throws -> UInt8 {
      try block.Status.store(status)
      try block.Information.store(GuestWord(count))
      return 1
    }
    if length == 0 { return try done(.success, 0) }
    let header = try file.FsContext.load().cast(to: FSRTL_ADVANCED_FCB_HEADER.self)
    let start = try checked(offset.load())
    guard !header.isNull, try !file.PrivateCacheMap.load().isNull else { return 0 }
    let resource = try header.Resource.load().address
    if resource != 0 {
      let taken = try await call(trapAddress(of: "ExAcquireResourceSharedLite"), [resource, waits ? 1 : 0])
      guard taken & 0xff != 0 else { return 0 }
    }
    let result = try await transferHeld(file, header, start, offset, length, waits, key, isRead, block, device, move)
    if resource != 0 { _ = try await call(trapAddress(of: "ExReleaseResourceForThreadLite"), [resource, currentThread().address]) }
    switch result {
    case .moved(let count):
      try file.CurrentByteOffset.QuadPart.store(Int64(start + count))
      // FO_FILE_FAST_IO_READ; FO_FILE_MODIFIED
      try file.Flags.store(file.Flags.load() | (isRead ? 0x8_0000 : FileFlags.fileModified))
      return try done(.success, count)
    case .atEnd: return try done(.endOfFile, 0)
    case .needsIRP: return 0
    }
  }

  private enum FastResult { case moved(UInt64), atEnd, needsIRP }

  private func transferHeld(
    _ file: Pointer<FILE_OBJECT>, _ header: Pointer<FSRTL_ADVANCED_FCB_HEADER>, _ start: UInt64, _ offset: Pointer<UInt64>,
    _ length: UInt32, _ waits: Bool, _ key: UInt32, _ isRead: Bool, _ block: Pointer<IO_STATUS_BLOCK>, _ device: Pointer<DEVICE_OBJECT>,
    _ move: (CacheMap, UInt64, UInt64) async throws -> UInt64?
  ) async throws -> FastResult {
    // FastIoIsNotPossible 0, FastIoIsPossible 1, FastIoIsQuestionable 2: then the file system is asked.
    switch try header.IsFastIoPossible.load() {
    case 1: break
    case 2:
      let table = try device.isNull ? 0 : relatedDevice(of: file).DriverObject.load().FastIoDispatch.load().address
      let routine = table == 0 ? 0 : UInt64(try memory.memory.load(UInt32.self, at: table + 4))
      guard routine != 0 else { return .needsIRP }
      let answer = try await call(
        routine,
        [file.address, offset.address, UInt64(length), waits ? 1 : 0, UInt64(key), isRead ? 1 : 0, block.address, device.address])
      guard answer & 0xff != 0 else { return .needsIRP }
    default: return .needsIRP
    }
    let map = try cacheMap(of: file)
    let size = UInt64(max(0, try header.FileSize.load()))
    var count = UInt64(length)
    if isRead {
      if start >= size { return .atEnd }
      count = min(count, size - start)
    } else {
      let allocation = UInt64(max(0, try header.AllocationSize.load()))
      guard start + count <= allocation else { return .needsIRP }
      if start + count > size {
        try header.FileSize.store(Int64(start + count))
        map.fileSize = max(map.fileSize, Int64(start + count))
        try file.Flags.store(file.Flags.load() | FileFlags.fileSizeChanged)
      }
      if Int64(start + count) > (try header.ValidDataLength.load()) { try header.ValidDataLength.store(Int64(start + count)) }
    }
    guard let moved = try await move(map, start, count) else { return .needsIRP }
    return .moved(moved)
  }
}
