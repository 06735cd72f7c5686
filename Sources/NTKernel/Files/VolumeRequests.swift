import Guest
import WindowsTypes

/// `FS_INFORMATION_CLASS` (`wdm.h`), and how long the fixed part of each is.
enum VolumeInformationClass {
  static let volume: UInt32 = 1
  static let label: UInt32 = 2
  static let size: UInt32 = 3
  static let device: UInt32 = 4
  static let attribute: UInt32 = 5
  static let fullSize: UInt32 = 7
  static let objectID: UInt32 = 8

  static let fixedSizes: [UInt32: Int] = [volume: 24, label: 8, size: 24, device: 8, attribute: 16, fullSize: 32, objectID: 64]
}

/// Requests on a volume as a whole.
extension Kernel {
  func queryVolumeInformation(_ request: FileRequest) throws -> Reply {
    let volume = request.volume
    let parameters = request.stack.Parameters.QueryVolume
    var record = RecordBuilder()
    var fixed: Int?
    let (sector, cluster) = (volume.kind.sectorSize, volume.kind.clusterSize)
    let (total, free) = (volume.size / cluster, volume.isReadOnly ? 0 : volume.free / cluster)
    switch try parameters.FsInformationClass.load() {
    case VolumeInformationClass.volume:
      record.put(volume.kind == .ntfs ? volume.created : Int64(0))
      record.put(volume.serialNumber)
      record.put(UInt32(volume.label.utf16.count * 2))
      record.put(UInt8(volume.kind == .ntfs ? 1 : 0))
      record.align(2)
      record.put(volume.label)
      fixed = 18
    case VolumeInformationClass.size:
      record.put(total)
      record.put(free)
      record.put(UInt32(cluster / sector))
      record.put(UInt32(sector))
    case VolumeInformationClass.fullSize:
      record.put(total)
      record.put(free)
      record.put(free)
      record.put(UInt32(cluster / sector))
      record.put(UInt32(sector))
    case VolumeInformationClass.device:
      record.put(volume.kind.deviceType)
      // FILE_DEVICE_IS_MOUNTED, FILE_READ_ONLY_DEVICE
      record.put(UInt32(0x20 | (volume.isReadOnly ? 2 : 0)))
    case VolumeInformationClass.attribute:
      record.put(volume.kind.attributes)
      record.put(UInt32(volume.kind == .cdfs ? 110 : 255))
      record.put(UInt32(volume.kind.rawValue.utf16.count * 2))
      record.put(volume.kind.rawValue)
      fixed = 12
    case VolumeInformationClass.objectID where volume.kind == .ntfs: throw Refusal(.objectNameNotFound)
    default: throw Refusal(.invalidParameter)
    }
    return try reply(
      record.bytes, fixed: fixed ?? record.bytes.count, length: parameters.Length.load(), to: systemBuffer(request))
  }

  func setVolumeInformation(_ request: FileRequest) throws -> Reply {
    let volume = request.volume
    let parameters = request.stack.Parameters.SetVolume
    guard try parameters.FsInformationClass.load() == VolumeInformationClass.label else { throw Refusal(.invalidParameter) }
    if volume.isReadOnly { throw Refusal(.mediaWriteProtected) }
    let (buffer, here) = (try systemBuffer(request), memory.memory)
    let length = try here.load(UInt32.self, at: buffer)
    guard length & 1 == 0, length <= 64, UInt64(length) + 4 <= UInt64(try parameters.Length.load()) else {
      throw Refusal(.invalidParameter)
    }
    let units = try (0..<UInt64(length / 2)).map { try here.load(UInt16.self, at: buffer + 4 + 2 * $0) }
    volume.label = String(decoding: units, as: UTF16.self)
    try storeLabel(of: volume)
    return .success
  }

  /// `IRP_MJ_FILE_SYSTEM_CONTROL` (`FSCTL_…` of winioctl.h).
  func fileSystemControl(_ request: FileRequest) throws -> Reply {
    guard try request.stack.MinorFunction.load() == 0 else { throw Refusal(.invalidDeviceRequest) }
    let parameters = request.stack.Parameters.FileSystemControl
    let code = try parameters.FsControlCode.load().rawValue
    let (buffer, outputLength) = (try systemBuffer(request), try parameters.OutputBufferLength.load())
    let inputLength = try parameters.InputBufferLength.load()
    switch code {
    case 0x9_0018:  // FSCTL_LOCK_VOLUME: nobody else may have a file open.
      guard request.node == nil, let open = request.open else { throw Refusal(.invalidParameter) }
      let others = files.opens.values.contains { $0 !== open && $0.volume === request.volume && !$0.isCleanedUp }
      if others || request.volume.lockedBy != 0 { throw Refusal(.accessDenied) }
      request.volume.lockedBy = request.file.address
      return .success
    case 0x9_001c:  // FSCTL_UNLOCK_VOLUME
      guard request.node == nil else { throw Refusal(.invalidParameter) }
      guard request.volume.lockedBy != 0 else { throw Refusal(.notLocked) }
      request.volume.lockedBy = 0
      return .success
    // FSCTL_IS_VOLUME_MOUNTED, FSCTL_IS_PATHNAME_VALID
    case 0x9_0028, 0x9_002c: return .success
    case 0x9_003c:  // FSCTL_GET_COMPRESSION: COMPRESSION_FORMAT_NONE
      guard outputLength >= 2 else { throw Refusal(.invalidParameter) }
      try memory.memory.store(UInt16(0), at: buffer)
      return Reply(.success, 2)
    case 0x9_0078:  // FSCTL_IS_VOLUME_DIRTY
      guard request.node == nil else { throw Refusal(.invalidParameter) }
      guard outputLength >= 4 else { throw Refusal(.invalidUserBuffer) }
      try memory.memory.store(UInt32(0), at: buffer)
      return Reply(.success, 4)
    // FSCTL_GET_OBJECT_ID: no file has one.
    case 0x9_009c where request.volume.kind == .ntfs && request.node != nil: throw Refusal(.objectIDNotFound)
    // FSCTL_SET_REPARSE_POINT, FSCTL_GET_REPARSE_POINT, FSCTL_DELETE_REPARSE_POINT
    case 0x9_00a4, 0x9_00a8, 0x9_00ac: return try reparsePointControl(request, code)
    case 0x9_80c8 where request.volume.kind == .ntfs:  // FSCTL_SET_ZERO_DATA: from, to
      let node = try request.requireNode()
      guard inputLength >= 16, !node.isDirectory else { throw Refusal(.invalidParameter) }
      let from = try memory.memory.load(Int64.self, at: buffer)
      let to = try memory.memory.load(Int64.self, at: buffer + 8)
      guard from >= 0, to >= from else { throw Refusal(.invalidParameter) }
      node.data.zero(UInt64(from), to: min(UInt64(to), node.size))
      node.cache?.disk.zero(UInt64(from), to: min(UInt64(to), node.size))
      return .success
    default: throw Refusal(.invalidDeviceRequest)
    }
  }

  /// Control codes of a volume's disk (mountdev.h, ntddstor.h, ntdddisk.h).
  func storageControl(_ request: FileRequest) throws -> Reply {
    let parameters = request.stack.Parameters.DeviceIoControl
    let code = try parameters.IoControlCode.load().rawValue
    let (buffer, length) = (try systemBuffer(request), try parameters.OutputBufferLength.load())
    let volume = request.volume
    var record = RecordBuilder()
    switch code {
    // IOCTL_MOUNTDEV_QUERY_DEVICE_NAME, IOCTL_MOUNTDEV_QUERY_UNIQUE_ID: a length, then the bytes.
    case 0x4d_0008, 0x4d_0000:
      let bytes = code == 0x4d_0008 ? volume.name.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] } : uniqueID(of: volume)
      record.put(UInt16(bytes.count))
      record.put(raw: bytes)
      guard length >= 2 else { throw Refusal(.invalidParameter) }
      if Int(length) < record.bytes.count {
        try memory.memory.write(record.bytes.prefix(2), at: buffer)
        return Reply(.bufferOverflow, 2)
      }
    case 0x7_405c: record.put(volume.size)  // IOCTL_DISK_GET_LENGTH_INFO
    case 0x7_0000:  // IOCTL_DISK_GET_DRIVE_GEOMETRY: cylinders, FixedMedia, tracks, sectors, bytes
      let sector = volume.kind.sectorSize
      record.put(volume.size / (255 * 63 * sector))
      record.put(UInt32(12))
      record.put(UInt32(255))
      record.put(UInt32(63))
      record.put(UInt32(sector))
    case 0x7_0024:  // IOCTL_DISK_IS_WRITABLE
      if volume.isReadOnly { throw Refusal(.mediaWriteProtected) }
      return .success
    case 0x2d_1080:  // IOCTL_STORAGE_GET_DEVICE_NUMBER: type, number, partition
      record.put(volume.kind.deviceType)
      record.put(UInt32(0))
      record.put(UInt32((files.volumes.firstIndex { $0 === volume } ?? 0) + 1))
    case 0x56_0000:  // IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS: one, on disk 0
      for value in [1, 0, partitionStart(of: volume), volume.size] { record.put(value) }
    case 0x7_4004, 0x7_0048:  // IOCTL_DISK_GET_PARTITION_INFO, IOCTL_DISK_GET_PARTITION_INFO_EX
      let number = UInt32((files.volumes.firstIndex { $0 === volume } ?? 0) + 1)
      let partition = StandingDisk.Partition(start: partitionStart(of: volume), length: volume.size, number: number, type: 7)
      record.put(raw: code == 0x7_4004 ? partition.information : partition.extendedInformation)
    case 0x56_c008: return .success  // IOCTL_VOLUME_ONLINE
    case 0x7_4800, 0x2d_4800, 0x2_4800: return .success  // IOCTL_…_CHECK_VERIFY
    default: throw Refusal(.invalidDeviceRequest)
    }
    guard Int(length) >= record.bytes.count else { throw Refusal(.bufferTooSmall) }
    try memory.memory.write(record.bytes, at: buffer)
    return Reply(.success, UInt64(record.bytes.count))
  }

  /// Where on its disk the volume begins, in bytes.
  private func partitionStart(of volume: Volume) -> UInt64 {
    UInt64((files.volumes.firstIndex { $0 === volume } ?? 0) * 0x10_0000) + StandingDisk.partitionStart
  }

  /// A basic disk's: signature and offset of the partition.
  private func uniqueID(of volume: Volume) -> [UInt8] {
    var record = RecordBuilder()
    record.put(volume.serialNumber)
    record.put(UInt32(truncatingIfNeeded: partitionStart(of: volume)))
    record.put(UInt32(0))
    return record.bytes
  }

  /// The dispatch routine of the run's disks, for those who open one beside its file system.
  func storageRequest(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    var reply = Reply(.invalidDeviceRequest)
    switch try stack.MajorFunction.load() {
    case .create: reply = Reply(.success, 1)
    case .cleanup where volume(of: device) == nil:
      // Whatever else the device has to say, its cleanup succeeds.
      _ = try await answer(irp, stack, on: device)
      reply = .success
    case .cleanup, .close, .flushBuffers, .shutdown: reply = .success
    case .deviceControl:
      if let volume = volume(of: device) {
        let request = FileRequest(
          irp: irp, stack: stack, file: try stack.FileObject.load(), volume: volume, node: nil, open: nil, flags: 0)
        do { reply = try storageControl(request) } catch let refusal as Refusal { reply = Reply(refusal.status) }
      } else {
        reply = try await answer(irp, stack, on: device) ?? reply
      }
    default:
      guard volume(of: device) == nil else { break }
      if [.pnp, .power].contains(try stack.MajorFunction.load()) {
        // What the Plug and Play and the power manager send: it is through as it came.
        reply = Reply(try irp.IoStatus.Status.load())
      } else {
        guard let answer = try await answer(irp, stack, on: device) else { return .pending }
        reply = answer
      }
    }
    try irp.IoStatus.Status.store(reply.status)
    try irp.IoStatus.Information.store(GuestWord(reply.information))
    try await completeRequest(irp)
    return reply.status
  }
}
