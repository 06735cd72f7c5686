import Guest
import WindowsTypes

/// A GUID partition table (UEFI specification, chapter 5.3).
struct GUIDPartitionTable {
  static let entrySize = 128
  /// `EFI PART`
  static let signature: UInt64 = 0x5452_4150_2049_4645

  var identifier: [UInt8]
  /// In sectors.
  var firstUsable: UInt64
  var lastUsable: UInt64
  /// Entries of 128 bytes, those that are not in use with them.
  var entries: [[UInt8]]

  static func isUsed(_ entry: [UInt8]) -> Bool { entry.prefix(16).contains { $0 != 0 } }
  static let emptyEntry = [UInt8](repeating: 0, count: entrySize)

  /// CRC-32 of IEEE 802.3.
  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value & 1 != 0 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }
  }
}

extension Disk {
  /// `STATUS_DISK_CORRUPT_ERROR`
  static let corrupt = NTSTATUS(rawValue: 0xc000_0032)

  /// The primary table, or the backup where that is damaged.
  func partitionTable() async throws -> GUIDPartitionTable {
    do { return try await partitionTable(at: 1) } catch let refusal as Kernel.Refusal where refusal.status == Self.corrupt {
      return try await partitionTable(at: length() / sectorSize - 1)
    }
  }

  private func partitionTable(at sector: UInt64) async throws -> GUIDPartitionTable {
    var header = try await read(sectorSize, at: sector &* sectorSize)
    let size = Int(header.word(at: 12))
    let checksum = header.word(at: 16)
    header.put(UInt32(0), at: 16)
    let (count, entrySize) = (Int(header.word(at: 80)), Int(header.word(at: 84)))
    guard header.long(at: 0) == GUIDPartitionTable.signature, 92...512 ~= size, header.long(at: 24) == sector,
      GUIDPartitionTable.checksum(header.prefix(size)) == checksum, count <= 1024, entrySize == GUIDPartitionTable.entrySize
    else { throw Kernel.Refusal(Self.corrupt) }
    let room = roundUp(UInt64(max(1, count) * entrySize), sectorSize)
    let array = try await read(room, at: header.long(at: 72) &* sectorSize).prefix(count * entrySize)
    guard GUIDPartitionTable.checksum(array) == header.word(at: 88) else { throw Kernel.Refusal(Self.corrupt) }
    return GUIDPartitionTable(
      identifier: Array(header[56..<72]), firstUsable: header.long(at: 40), lastUsable: header.long(at: 48),
      entries: (0..<count).map { Array(array[$0 * entrySize..<($0 + 1) * entrySize]) })
  }

  /// A table without partitions for a disk of this length.
  func emptyTable(_ identifier: [UInt8], places: Int) async throws -> GUIDPartitionTable {
    let sectors = try await length() / sectorSize
    let places = max(128, min(places, 1024))
    let array = roundUp(UInt64(places * GUIDPartitionTable.entrySize), sectorSize) / sectorSize
    guard sectors > 2 * array + 3 else { throw Kernel.Refusal(.invalidParameter) }
    return GUIDPartitionTable(
      identifier: identifier, firstUsable: 2 + array, lastUsable: sectors - array - 2,
      entries: Array(repeating: GUIDPartitionTable.emptyEntry, count: places))
  }

  /// Writes both copies of a table.
  func write(_ table: GUIDPartitionTable) async throws {
    let last = try await length() / sectorSize - 1
    var array = table.entries.flatMap { $0 }
    let checksum = GUIDPartitionTable.checksum(array)
    array += Array(repeating: 0, count: Int(roundUp(UInt64(array.count), sectorSize)) - array.count)
    let sectors = UInt64(array.count) / sectorSize
    for (own, other, place) in [(1, last, 2), (last, 1, last - sectors)] as [(UInt64, UInt64, UInt64)] {
      var header = [UInt8](repeating: 0, count: Int(sectorSize))
      header.put(GUIDPartitionTable.signature, at: 0)
      header.put(UInt32(0x1_0000), at: 8)
      header.put(UInt32(92), at: 12)
      header.put(own, at: 24)
      header.put(other, at: 32)
      header.put(table.firstUsable, at: 40)
      header.put(table.lastUsable, at: 48)
      header.replaceSubrange(56..<72, with: table.identifier)
      header.put(place, at: 72)
      header.put(UInt32(table.entries.count), at: 80)
      header.put(UInt32(GUIDPartitionTable.entrySize), at: 84)
      header.put(checksum, at: 88)
      header.put(GUIDPartitionTable.checksum(header.prefix(92)), at: 16)
      try await write(array, at: place * sectorSize)
      try await write(header, at: own * sectorSize)
    }
  }

  /// The boot record of a disk with such a table: one partition over all of it, for those who know no other table.
  func writeProtectiveRecord() async throws {
    let sectors = try await length() / sectorSize
    var entry = PartitionEntry()
    (entry.start, entry.length, entry.type) = (sectorSize, min(sectors - 1, 0xffff_ffff) * sectorSize, 0xee)
    try await writeEntries([(entry, true)], signature: 0)
  }
}
