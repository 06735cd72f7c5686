import Guest
import WindowsTypes

/// The hard disk that a plain installation is on: one active NTFS partition behind the first track.
enum StandingDisk {
  /// In bytes: the system's volume and the track before it.
  static let size: UInt64 = 8 << 30 + partitionStart
  static let partitionStart: UInt64 = 63 * 512
  static let signature: UInt32 = 0x5050_1e0c

  /// The end of the first sector: the disk's signature, the partition, and the boot signature.
  static let partitionTable: [UInt8] =
    [0x0c, 0x1e, 0x50, 0x50, 0, 0, 0x80, 1, 1, 0, 7, 0xfe, 0xff, 0xff, 63, 0, 0, 0, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 48)
    + [0x55, 0xaa]

  /// A partition as the structures of ntdddisk.h describe it.
  struct Partition {
    var start: UInt64 = 0
    var length: UInt64 = 0
    var number: UInt32 = 0
    /// `PARTITION_IFS` (7); 0 for an entry that is not used, and for the disk as a whole.
    var type: UInt8 = 0

    /// `PARTITION_INFORMATION`
    var information: [UInt8] {
      var record = RecordBuilder()
      record.put(start)
      record.put(length)
      record.put(UInt32(start / 512))
      record.put(number)
      record.put(raw: [type, type == 0 ? 0 : 1, type == 0 ? 0 : 1, 0, 0, 0, 0, 0])
      return record.bytes
    }

    /// `PARTITION_INFORMATION_EX`, of the style `PARTITION_STYLE_MBR`.
    var extendedInformation: [UInt8] {
      var record = RecordBuilder()
      for value in [0, start, length] { record.put(value) }
      record.put(number)
      record.put(raw: [0, 0, 0, 0, type, type == 0 ? 0 : 1, type == 0 ? 0 : 1, 0])
      record.put(UInt32(start / 512))
      return record.bytes + [UInt8](repeating: 0, count: 0x90 - record.bytes.count)
    }
  }

  /// The four entries of the table.
  static let partitions =
    [Partition(start: partitionStart, length: size - partitionStart, number: 1, type: 7)] + [Partition](repeating: Partition(), count: 3)

  /// `DISK_GEOMETRY`: cylinders, FixedMedia, tracks, sectors, bytes.
  static let geometry: [UInt8] = {
    var record = RecordBuilder()
    record.put(size / (255 * 63 * 512))
    for value in [12, 255, 63, 512] as [UInt32] { record.put(value) }
    return record.bytes
  }()

  /// What the disk answers to a control code (ntdddisk.h, ntddstor.h, ntddscsi.h); `nil` to one that it does not know.
  static func answer(to code: UInt32, _ input: [UInt8]) -> [UInt8]? {
    var record = RecordBuilder()
    switch code {
    case 0x7_405c: record.put(size)  // IOCTL_DISK_GET_LENGTH_INFO
    case 0x7_0000: return geometry  // IOCTL_DISK_GET_DRIVE_GEOMETRY
    case 0x7_00a0:  // IOCTL_DISK_GET_DRIVE_GEOMETRY_EX
      record.put(raw: geometry)
      record.put(size)
    case 0x7_4004: return Partition(length: size).information  // IOCTL_DISK_GET_PARTITION_INFO
    case 0x7_0048: return Partition(length: size).extendedInformation  // IOCTL_DISK_GET_PARTITION_INFO_EX
    case 0x7_400c:  // IOCTL_DISK_GET_DRIVE_LAYOUT
      for value in [4, signature] as [UInt32] { record.put(value) }
      for partition in partitions { record.put(raw: partition.information) }
    case 0x7_0050:  // IOCTL_DISK_GET_DRIVE_LAYOUT_EX: the style, the count, DRIVE_LAYOUT_INFORMATION_MBR in a union of 40 bytes
      for value in [0, 4, signature] as [UInt32] { record.put(value) }
      record.put(raw: [UInt8](repeating: 0, count: 36))
      for partition in partitions { record.put(raw: partition.extendedInformation) }
    case 0x2d_1080:  // IOCTL_STORAGE_GET_DEVICE_NUMBER: type, number, partition 0
      for value in [7, 0, 0] as [UInt32] { record.put(value) }
    case 0x2d_0c14:  // IOCTL_STORAGE_GET_HOTPLUG_INFO: the size; nothing of it can be pulled out
      for value in [8, 0] as [UInt32] { record.put(value) }
    case 0x4_1018:  // IOCTL_SCSI_GET_ADDRESS: the length; port, path, target and unit 0
      for value in [8, 0] as [UInt32] { record.put(value) }
    case 0x2d_1400: return property(input)
    case 0x7_0024, 0x7_4800, 0x2d_4800, 0x2d_0800: break  // IOCTL_DISK_IS_WRITABLE, IOCTL_…_CHECK_VERIFY
    default: return nil
    }
    return record.bytes
  }

  /// IOCTL_STORAGE_QUERY_PROPERTY: the device's or the adapter's descriptor; whether there is one is asked by a query of type 1.
  private static func property(_ input: [UInt8]) -> [UInt8]? {
    guard input.count >= 8, input[0] < 2, input[4] < 2, input[1...3].allSatisfy({ $0 == 0 }) else { return nil }
    if input[4] == 1 { return [] }
    var record = RecordBuilder()
    let ata: UInt32 = 3
    guard input[0] == 0 else {
      // STORAGE_ADAPTER_DESCRIPTOR: 128 KiB in 32 pages at a time, from an even address; the bus.
      for value in [0x20, 0x20, 0x2_0000, 0x20, 1, 0, ata, 0] as [UInt32] { record.put(value) }
      return record.bytes
    }
    // STORAGE_DEVICE_DESCRIPTOR: direct access, fixed; no vendor; product and revision behind it; no serial number.
    let (product, revision) = ("PROBELOCK DISK", "1.0")
    let size = UInt32(0x28 + product.utf8.count + 1 + revision.utf8.count + 1)
    for value in [0x28, size, 0, 0, 0x28, 0x28 + UInt32(product.utf8.count) + 1, 0, ata, 0, 0] as [UInt32] { record.put(value) }
    record.put(raw: Array(product.utf8) + [0] + Array(revision.utf8) + [0])
    return record.bytes
  }
}

extension Kernel {
  /// What the disk of ``StandingDisk`` answers a control request. Descriptors are cut where the buffer ends.
  func diskControl(_ irp: Pointer<IRP>, _ stack: Pointer<IO_STACK_LOCATION>) throws -> Reply {
    let parameters = stack.Parameters.DeviceIoControl
    let code = try parameters.IoControlCode.load().rawValue
    let buffer = try irp.AssociatedIrp.SystemBuffer.load().address
    let input = try memory.memory.bytes(Int(min(16, parameters.InputBufferLength.load())), at: buffer)
    guard let bytes = StandingDisk.answer(to: code, input) else { return Reply(.invalidDeviceRequest) }
    let length = Int(try parameters.OutputBufferLength.load())
    let isDescriptor = code == 0x2d_1400 && length >= 8
    guard length >= bytes.count || isDescriptor else { return Reply(.bufferTooSmall) }
    try memory.memory.write(Array(bytes.prefix(length)), at: buffer)
    return Reply(.success, UInt64(min(length, bytes.count)))
  }
}
