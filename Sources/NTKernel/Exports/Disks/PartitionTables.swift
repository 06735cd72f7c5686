import Guest
import WindowsTypes

/// A disk as the partition routines see it: sectors, read and written by requests to its device.
struct Disk {
  let kernel: Kernel
  let device: Pointer<DEVICE_OBJECT>
  /// In bytes.
  let sectorSize: UInt64

  /// - Parameter sectorSize: in bytes; what is below 512 becomes that.
  init(_ kernel: Kernel, _ device: Pointer<DEVICE_OBJECT>, sectorSize: UInt32) {
    self.kernel = kernel
    self.device = device
    self.sectorSize = UInt64(max(512, min(sectorSize, 4096)))
  }

  /// Asks the device how large its sectors are: `IOCTL_DISK_GET_DRIVE_GEOMETRY`.
  static func asking(_ kernel: Kernel, _ device: Pointer<DEVICE_OBJECT>) async throws -> Disk {
    let (status, bytes) = try await kernel.control(device, IOControlCode(rawValue: 0x7_0000), [], outputLength: 24)
    guard status.isSuccess, bytes.count == 24 else { throw Kernel.Refusal(status.isFailure ? status : .unsuccessful) }
    return Disk(kernel, device, sectorSize: bytes.word(at: 20))
  }

  /// `IOCTL_DISK_GET_LENGTH_INFO`, in bytes.
  func length() async throws -> UInt64 {
    let (status, bytes) = try await kernel.control(device, IOControlCode(rawValue: 0x7_405c), [], outputLength: 8)
    guard status.isSuccess, bytes.count == 8 else { throw Kernel.Refusal(status.isFailure ? status : .unsuccessful) }
    return bytes.long(at: 0)
  }

  func read(_ count: UInt64, at offset: UInt64) async throws -> [UInt8] {
    let buffer = try kernel.allocate(count)
    defer { kernel.free(buffer) }
    let status = try await kernel.transfer(device, buffer, UInt32(count), at: Int64(bitPattern: offset), isRead: true)
    guard status.isSuccess else { throw Kernel.Refusal(status) }
    return try kernel.memory.memory.bytes(Int(count), at: buffer)
  }

  func write(_ bytes: [UInt8], at offset: UInt64) async throws {
    let buffer = try kernel.allocate(UInt64(bytes.count))
    defer { kernel.free(buffer) }
    try kernel.memory.memory.write(bytes, at: buffer)
    let status = try await kernel.transfer(device, buffer, UInt32(bytes.count), at: Int64(bitPattern: offset), isRead: false)
    guard status.isSuccess else { throw Kernel.Refusal(status) }
  }
}

/// One of the four entries of a boot record's table.
struct PartitionEntry: Hashable {
  /// In bytes from the start of the disk.
  var start: UInt64 = 0
  var length: UInt64 = 0
  /// In sectors, as the table has it: from the record, or for a link from the first extended partition.
  var hiddenSectors: UInt32 = 0
  var type: UInt8 = 0
  var isActive = false

  /// `IsContainerPartition`
  var isContainer: Bool { type == 0x05 || type == 0x0f }
  /// `IsRecognizedPartition`: the file systems' own types, and members of fault-tolerant sets of them.
  var isRecognized: Bool {
    let plain = type & 0x80 != 0 ? type & ~0xc0 : type
    return [0x01, 0x04, 0x06, 0x07, 0x0b, 0x0c, 0x0e].contains(plain)
  }
}

/// A master boot record or an extended one, and where it lies.
struct BootRecord {
  var offset: UInt64
  var sector: [UInt8]

  static let tableOffset = 0x1be
  var hasSignature: Bool { sector[510] == 0x55 && sector[511] == 0xaa }
  /// `NT_DISK_SIGNATURE`
  var diskSignature: UInt32 { sector.word(at: 0x1b8) }

  func entries(_ sectorSize: UInt64, firstExtended: UInt64) -> [PartitionEntry] {
    (0..<4).map { index in
      let place = Self.tableOffset + 16 * index
      var entry = PartitionEntry()
      entry.type = sector[place + 4]
      entry.isActive = sector[place] & 0x80 != 0
      entry.hiddenSectors = sector.word(at: place + 8)
      guard entry.type != 0 else { return entry }
      let base = offset == 0 ? 0 : entry.isContainer ? firstExtended : offset
      entry.start = base + UInt64(entry.hiddenSectors) * sectorSize
      entry.length = UInt64(sector.word(at: place + 12)) * sectorSize
      return entry
    }
  }
}

extension Disk {
  /// `STATUS_BAD_MASTER_BOOT_RECORD`
  static let badBootRecord = NTSTATUS(rawValue: 0xc000_00a9)

  func bootRecord(at offset: UInt64) async throws -> BootRecord {
    BootRecord(offset: offset, sector: try await read(sectorSize, at: offset))
  }

  /// The master boot record and the chain of extended ones, each with its four entries.
  func bootRecords() async throws -> [(record: BootRecord, entries: [PartitionEntry])] {
    var result: [(record: BootRecord, entries: [PartitionEntry])] = []
    var (next, firstExtended): (UInt64?, UInt64) = (0, 0)
    // A chain that is longer, or leads back, is damaged.
    while let offset = next, result.count < 64, !result.contains(where: { $0.record.offset == offset }) {
      let record = try await bootRecord(at: offset)
      guard record.hasSignature else {
        if offset == 0 { throw Kernel.Refusal(Self.badBootRecord) }
        break
      }
      let entries = record.entries(sectorSize, firstExtended: firstExtended)
      result.append((record, entries))
      next = entries.first { $0.isContainer && $0.start != 0 }?.start
      if offset == 0 { firstExtended = next ?? 0 }
    }
    return result
  }

  /// Changes the type of the partition with this number, in the record that it stands in.
  func setType(_ type: UInt8, ofPartition number: UInt32) async throws {
    var seen: UInt32 = 0
    for (record, entries) in try await bootRecords() {
      for (index, entry) in entries.enumerated() where entry.type != 0 && !entry.isContainer {
        seen += 1
        guard seen == number else { continue }
        var record = record
        record.sector[BootRecord.tableOffset + 16 * index + 4] = type
        return try await write(record.sector, at: record.offset)
      }
    }
    throw Kernel.Refusal(.invalidParameter)
  }

  /// Writes the tables that have an entry to be rewritten: four entries a record, chained by their extended partitions.
  func writeEntries(_ entries: [(entry: PartitionEntry, isRewritten: Bool)], signature: UInt32?) async throws {
    var (offset, firstExtended): (UInt64, UInt64) = (0, 0)
    for first in stride(from: 0, to: max(entries.count, 1), by: 4) {
      let group = entries[first..<min(first + 4, entries.count)]
      var record = try await bootRecord(at: offset)
      if !record.hasSignature { record.sector = Array(repeating: 0, count: Int(sectorSize)) }
      (record.sector[510], record.sector[511]) = (0x55, 0xaa)
      if offset == 0, let signature { record.sector.put(signature, at: 0x1b8) }
      for index in 0..<4 {
        let place = BootRecord.tableOffset + 16 * index
        let (entry, isRewritten) = index < group.count ? group[first + index] : (PartitionEntry(), true)
        guard isRewritten else { continue }
        let base = offset == 0 ? 0 : entry.isContainer ? firstExtended : offset
        var bytes = [UInt8](repeating: 0, count: 16)
        if entry.type != 0 {
          // Cylinders beyond what the old geometry can say.
          bytes[0] = entry.isActive ? 0x80 : 0
          for (place, value) in zip(1..<4, [0xfe, 0xff, 0xff] as [UInt8]) { (bytes[place], bytes[place + 4]) = (value, value) }
          bytes[4] = entry.type
          bytes.put(UInt32(truncatingIfNeeded: (entry.start &- base) / sectorSize), at: 8)
          bytes.put(UInt32(truncatingIfNeeded: entry.length / sectorSize), at: 12)
        }
        record.sector.replaceSubrange(place..<place + 16, with: bytes)
      }
      try await write(record.sector, at: offset)
      guard let next = group.first(where: { $0.entry.isContainer })?.entry.start, next != 0 else { return }
      if offset == 0 { firstExtended = next }
      offset = next
    }
  }
}

extension [UInt8] {
  func word(at offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << UInt32(8 * $1) } }
  func long(at offset: Int) -> UInt64 { UInt64(word(at: offset)) | UInt64(word(at: offset + 4)) << 32 }
  mutating func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    Swift.withUnsafeBytes(of: value.littleEndian) { replaceSubrange(offset..<offset + $0.count, with: $0) }
  }
}
