import Guest
import WindowsTypes

/// `IRP_MJ_READ` and `IRP_MJ_WRITE` of files.
extension Kernel {
  private struct Transfer {
    let node: FileNode
    let length: UInt32
    let key: UInt32
    let offset: Int64
    let isPaging: Bool
    /// It goes to the disk by itself.
    let isUnbuffered: Bool
  }

  private func transfer(_ request: FileRequest) throws -> Transfer {
    guard let node = request.node, !node.isDirectory else { throw Refusal(.invalidDeviceRequest) }
    // MDL requests: IRP_MN_MDL and its completion.
    if try request.stack.MinorFunction.load() != 0 { throw Refusal(.invalidDeviceRequest) }
    let parameters = request.stack.Parameters.Read
    let flags = try request.irp.Flags.load()
    let isPaging = flags.contains(.pagingIO)
    let length = try parameters.Length.load()
    let offset = try parameters.ByteOffset.QuadPart.load()
    let isUnbuffered = try request.file.Flags.load() & FileFlags.noIntermediateBuffering != 0 || flags.contains(.noCache)
    let sector = request.volume.kind.sectorSize
    if isUnbuffered, !isPaging, UInt64(length) % sector != 0 || (offset >= 0 && UInt64(offset) % sector != 0) {
      throw Refusal(.invalidParameter)
    }
    if node.isDeleted, !isPaging { throw Refusal(.fileClosed) }
    return Transfer(
      node: node, length: length, key: try parameters.Key.load(), offset: offset, isPaging: isPaging, isUnbuffered: isUnbuffered)
  }

  func read(_ request: FileRequest) async throws -> Reply {
    let transfer = try transfer(request)
    let node = transfer.node
    guard transfer.offset >= 0 else { throw Refusal(.invalidParameter) }
    if transfer.length == 0 { return .success }
    let offset = UInt64(transfer.offset)
    guard offset < node.size else { throw Refusal(.endOfFile) }
    let count = Int(min(UInt64(transfer.length), node.size - offset))
    if !transfer.isPaging {
      try checkLocks(
        of: node, offset, UInt64(transfer.length), key: transfer.key, file: request.file.address, isWrite: false)
    }
    var source = node.data
    if let cache = node.cache {
      if transfer.isPaging || transfer.isUnbuffered {
        // What others have in memory comes to the disk first.
        if !transfer.isPaging { try await writeBack(node, for: request) }
        source = cache.disk
      } else {
        try await readIn(node, offset, UInt64(count), request.file, for: request.irp.address)
      }
    }
    var done = 0
    while done < count {
      let piece = source.piece(count - done, at: offset + UInt64(done))
      try store(piece, request, at: UInt64(done))
      done += piece.count
    }
    if !transfer.isPaging {
      try advance(request.file, to: transfer.offset + Int64(count))
      node.lastAccessTime = fileTime
    }
    return Reply(.success, UInt64(count))
  }

  func write(_ request: FileRequest) async throws -> Reply {
    let transfer = try transfer(request)
    let (node, volume) = (transfer.node, request.volume)
    if volume.isReadOnly { throw Refusal(.mediaWriteProtected) }
    if transfer.length == 0 { return .success }
    // FILE_WRITE_TO_END_OF_FILE
    let offset = transfer.offset == -1 ? node.size : UInt64(bitPattern: transfer.offset)
    guard transfer.offset >= -1 else { throw Refusal(.invalidParameter) }
    guard offset <= 1 << 44 else { throw Refusal(.diskFull) }
    var count = Int(transfer.length)
    if transfer.isPaging {
      // Paging writes never extend a file.
      guard offset < node.size else { return .success }
      count = Int(min(UInt64(count), node.size - offset))
    } else {
      try checkLocks(
        of: node, offset, UInt64(transfer.length), key: transfer.key, file: request.file.address, isWrite: true)
    }
    let end = offset + UInt64(count)
    let isCached = node.cache != nil && !transfer.isPaging && !transfer.isUnbuffered
    if isCached { try await prepareWrite(node, offset, UInt64(count), request.file, for: request.irp.address) }
    if transfer.isUnbuffered, !transfer.isPaging { try await writeBack(node, for: request) }
    if end > node.size {
      try extend(node, to: end, on: volume)
      node.resize(to: end, cluster: volume.kind.clusterSize)
      try request.file.Flags.store(request.file.Flags.load() | FileFlags.fileSizeChanged)
    }
    var done = 0
    while done < count {
      let piece = try load(min(count - done, 0x1000), request, at: UInt64(done))
      try (isCached ? node.data : node.cache?.disk ?? node.data).write(piece, at: offset + UInt64(done))
      done += piece.count
    }
    if let cache = node.cache, transfer.isUnbuffered, !transfer.isPaging {
      // Memory no longer shows what the disk holds: views get it, other pages are read in again.
      for page in offset >> 12...(end - 1) >> 12 where node.data.residentFrame(page) != nil {
        guard node.data.userViews > 0 else {
          node.data.forget(page)
          continue
        }
        try node.data.write(cache.disk.bytes(0x1000, at: page << 12), at: page << 12)
        cache.noteClean(page, node.data)
      }
    }
    // FO_WRITE_THROUGH, SL_WRITE_THROUGH
    if isCached, try request.flags & 4 != 0 || request.file.Flags.load() & FileFlags.writeThrough != 0 {
      try await writeBack(node, for: request)
    }
    try publishSizes(of: node)
    if !transfer.isPaging {
      try advance(request.file, to: Int64(end))
      try request.file.Flags.store(request.file.Flags.load() | FileFlags.fileModified)
      touch(node, isWrite: true)
    }
    return Reply(.success, UInt64(count))
  }

  /// Refuses a size that the volume has no room for.
  func extend(_ node: FileNode, to size: UInt64, on volume: Volume) throws {
    let wanted = roundUp(size, volume.kind.clusterSize)
    if wanted > node.allocationSize, wanted - node.allocationSize > volume.free { throw Refusal(.diskFull) }
  }

  /// The position of a file that is opened for synchronous I/O follows its transfers.
  private func advance(_ file: Pointer<FILE_OBJECT>, to position: Int64) throws {
    if try file.Flags.load() & FileFlags.synchronous != 0 { try file.CurrentByteOffset.QuadPart.store(position) }
  }
}
