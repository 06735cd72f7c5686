import Guest
import WindowsTypes

/// `PARTITION_STYLE` (`ntdddisk.h`).
private enum PartitionStyle {
  static let bootRecord: UInt32 = 0
  static let guid: UInt32 = 1
  static let raw: UInt32 = 2
}

extension Export {
  /// Partition tables, as disk drivers read and write them: by requests to the disk's own device.
  static let partitionCalls: [Export] = [
    // nf-ntddk-ioreadpartitiontable: DRIVE_LAYOUT_INFORMATION in pool, which the caller frees.
    export("IoReadPartitionTable(DeviceObject, SectorSize, ReturnRecognizedPartitions, PartitionBuffer)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, size: UInt32, recognized: UInt8, result: Pointer<GuestWord>) async throws -> NTSTATUS in
      try await kernel.statusOf {
        let records = try await Disk(kernel, device, sectorSize: size).bootRecords()
        let entries = records.numbered().filter { recognized == 0 || $0.entry.isRecognized }
        var record = RecordBuilder()
        record.put(UInt32(entries.count))
        record.put(records.first?.record.diskSignature ?? 0)
        for (entry, number) in entries {
          record.put(entry.start)
          record.put(entry.length)
          record.put(entry.hiddenSectors)
          record.put(number)
          record.put(raw: [entry.type, entry.isActive ? 1 : 0, entry.isRecognized ? 1 : 0, 0, 0, 0, 0, 0])
        }
        try result.store(GuestWord(kernel.poolCopy(record.bytes)))
      }
    }
    .uncertain("a disk without a boot record is STATUS_BAD_MASTER_BOOT_RECORD"),
    // nf-ntddk-ioreadpartitiontableex: DRIVE_LAYOUT_INFORMATION_EX in pool.
    export("IoReadPartitionTableEx(DeviceObject, DriveLayout)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, result: Pointer<GuestWord>) async throws -> NTSTATUS in
      try await kernel.statusOf {
        let disk = try await Disk.asking(kernel, device)
        let master = try await disk.bootRecord(at: 0)
        let bytes: [UInt8]
        if !master.hasSignature {
          bytes = layout(PartitionStyle.raw, count: 0, [])
        } else if master.entries(disk.sectorSize, firstExtended: 0).contains(where: { $0.type == 0xee }) {
          bytes = try await layout(disk.partitionTable(), disk.sectorSize)
        } else {
          let records = try await disk.bootRecords()
          var head = [UInt8](repeating: 0, count: 4)
          head.put(master.diskSignature, at: 0)
          let entries = records.numbered()
          bytes = layout(PartitionStyle.bootRecord, count: entries.count, head) + entries.flatMap { extended($0.entry, $0.number) }
        }
        try result.store(GuestWord(kernel.poolCopy(bytes)))
      }
    }
    .uncertain("a disk without a boot record is raw, and has no partitions"),
    // nf-ntddk-iosetpartitioninformation
    export("IoSetPartitionInformation(DeviceObject, SectorSize, PartitionNumber, PartitionType)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, size: UInt32, number: UInt32, type: UInt32) async throws -> NTSTATUS in
      try await kernel.statusOf {
        try await Disk(kernel, device, sectorSize: size).setType(UInt8(truncatingIfNeeded: type), ofPartition: number)
      }
    },
    // nf-ntddk-iosetpartitioninformationex: SET_PARTITION_INFORMATION_EX, of the disk's own style.
    export("IoSetPartitionInformationEx(DeviceObject, PartitionNumber, PartitionInfo)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, number: UInt32, information: GuestWord) async throws -> NTSTATUS in
      try await kernel.statusOf {
        let here = kernel.memory.memory
        let disk = try await Disk.asking(kernel, device)
        let isGUID = try await disk.bootRecord(at: 0).entries(disk.sectorSize, firstExtended: 0).contains { $0.type == 0xee }
        let style = try here.load(UInt32.self, at: information.bits)
        guard style == (isGUID ? PartitionStyle.guid : PartitionStyle.bootRecord) else { throw Kernel.Refusal(.invalidParameter) }
        guard isGUID else {
          return try await disk.setType(here.load(UInt8.self, at: information.bits + 8), ofPartition: number)
        }
        var table = try await disk.partitionTable()
        let used = table.entries.indices.filter { GUIDPartitionTable.isUsed(table.entries[$0]) }
        guard number > 0, Int(number) <= used.count else { throw Kernel.Refusal(.invalidParameter) }
        // Type and identifier; attributes and name.
        let place = used[Int(number) - 1]
        table.entries[place].replaceSubrange(0..<32, with: try here.bytes(32, at: information.bits + 8))
        table.entries[place].replaceSubrange(48..<128, with: try here.bytes(80, at: information.bits + 40))
        try await disk.write(table)
      }
    },
    // nf-ntddk-iowritepartitiontable: DRIVE_LAYOUT_INFORMATION.
    export("IoWritePartitionTable(DeviceObject, SectorSize, SectorsPerTrack, NumberOfHeads, PartitionBuffer)", irql: .passive) {
      (
        kernel, device: Pointer<DEVICE_OBJECT>, size: UInt32, track: UInt32, heads: UInt32, buffer: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.statusOf {
        let here = kernel.memory.memory
        let head = try here.bytes(8, at: buffer.bits)
        guard head.word(at: 0) <= 256 else { throw Kernel.Refusal(.invalidParameter) }
        let entries = try (0..<UInt64(head.word(at: 0))).map { index -> (PartitionEntry, Bool) in
          let bytes = try here.bytes(0x20, at: buffer.bits + 8 + 0x20 * index)
          var entry = PartitionEntry()
          (entry.start, entry.length, entry.type, entry.isActive) = (bytes.long(at: 0), bytes.long(at: 8), bytes[0x18], bytes[0x19] != 0)
          return (entry, bytes[0x1b] != 0)
        }
        try await Disk(kernel, device, sectorSize: size).writeEntries(entries, signature: head.word(at: 4))
      }
    }
    .partially("cylinder, head and sector are not written: they say that the geometry cannot express the place"),
    // nf-ntddk-iowritepartitiontableex: DRIVE_LAYOUT_INFORMATION_EX.
    export("IoWritePartitionTableEx(DeviceObject, DriveLayout)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, buffer: GuestWord) async throws -> NTSTATUS in
      try await kernel.statusOf {
        let here = kernel.memory.memory
        let head = try here.bytes(0x30, at: buffer.bits)
        let (style, count) = (head.word(at: 0), UInt64(head.word(at: 4)))
        guard count <= 256 else { throw Kernel.Refusal(.invalidParameter) }
        let disk = try await Disk.asking(kernel, device)
        let entries = try (0..<count).map { try here.bytes(0x90, at: buffer.bits + 0x30 + 0x90 * $0) }
        switch style {
        case PartitionStyle.bootRecord:
          let list = entries.map { bytes -> (PartitionEntry, Bool) in
            var entry = PartitionEntry()
            (entry.start, entry.length, entry.type, entry.isActive) =
              (bytes.long(at: 8), bytes.long(at: 0x10), bytes[0x20], bytes[0x21] != 0)
            return (entry, bytes[0x1c] != 0)
          }
          try await disk.writeEntries(list, signature: head.word(at: 8))
        case PartitionStyle.guid:
          var table = try await disk.emptyTable(Array(head[8..<24]), places: Int(head.word(at: 40)))
          for (index, bytes) in entries.enumerated() where index < table.entries.count {
            var entry = GUIDPartitionTable.emptyEntry
            entry.replaceSubrange(0..<32, with: bytes[0x20..<0x40])
            entry.put(bytes.long(at: 8) / disk.sectorSize, at: 32)
            entry.put((bytes.long(at: 8) &+ bytes.long(at: 0x10)) / disk.sectorSize &- 1, at: 40)
            entry.replaceSubrange(48..<128, with: bytes[0x40..<0x90])
            table.entries[index] = entry
          }
          try await disk.write(table)
        default: throw Kernel.Refusal(.notSupported)
        }
      }
    }
    .partially("cylinder, head and sector are not written: they say that the geometry cannot express the place"),
    // nf-ntddk-iocreatedisk: CREATE_DISK; NULL makes the disk raw.
    export("IoCreateDisk(DeviceObject, Disk)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, wish: GuestWord) async throws -> NTSTATUS in
      try await kernel.statusOf {
        let bytes = wish.bits == 0 ? nil : try kernel.memory.memory.bytes(24, at: wish.bits)
        let disk = try await Disk.asking(kernel, device)
        switch bytes?.word(at: 0) ?? PartitionStyle.raw {
        case PartitionStyle.raw: try await disk.write(Array(repeating: 0, count: Int(disk.sectorSize)), at: 0)
        case PartitionStyle.bootRecord:
          try await disk.write(Array(repeating: 0, count: Int(disk.sectorSize)), at: 0)
          try await disk.writeEntries([], signature: bytes?.word(at: 4) ?? 0)
        case PartitionStyle.guid:
          guard let bytes else { return }
          let table = try await disk.emptyTable(Array(bytes[4..<20]), places: Int(bytes.word(at: 20)))
          try await disk.writeProtectiveRecord()
          try await disk.write(table)
        default: throw Kernel.Refusal(.notSupported)
        }
      }
    },
    // nf-ntddk-ioreaddisksignature: DISK_SIGNATURE; the checksum makes the sum of the sector's words zero.
    export("IoReadDiskSignature(DeviceObject, BytesPerSector, Signature)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, size: UInt32, result: GuestWord) async throws -> NTSTATUS in
      try await kernel.statusOf {
        let disk = Disk(kernel, device, sectorSize: size)
        let master = try await disk.bootRecord(at: 0)
        var record = RecordBuilder()
        if master.entries(disk.sectorSize, firstExtended: 0).contains(where: { $0.type == 0xee }) {
          record.put(PartitionStyle.guid)
          record.put(raw: try await disk.partitionTable().identifier)
        } else {
          guard master.hasSignature else { throw Kernel.Refusal(Disk.corrupt) }
          let sum = stride(from: 0, to: 512, by: 4).reduce(UInt32(0)) { $0 &+ master.sector.word(at: $1) }
          record.put(PartitionStyle.bootRecord)
          record.put(master.diskSignature)
          record.put(0 &- sum)
        }
        try kernel.memory.memory.write(record.bytes, at: result.bits)
      }
    }
    .uncertain("a disk without a boot record is STATUS_DISK_CORRUPT_ERROR"),
    // nf-ntddk-iosetsystempartition: the value that the setup's key has of it.
    export("IoSetSystemPartition(VolumeNameString)", irql: .passive) { (kernel, name: Pointer<UNICODE_STRING>) -> NTSTATUS in
      let text = try name.string()
      guard !text.isEmpty else { return .invalidParameter }
      guard let key = kernel.registry.makeKey(at: #"\Registry\Machine\System\Setup"#) else { return .objectNameNotFound }
      key["SystemPartition"] = .string(text)
      return .success
    },
    // HalExamineMBR (ntddk.h of the time): the sector, in pool, of a disk whose first partition has this type.
    export("HalExamineMBR(DeviceObject, SectorSize, MBRTypeIdentifier, Buffer)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, size: UInt32, type: UInt32, result: Pointer<GuestWord>) async throws in
      try result.store(0)
      _ = try await kernel.statusOf {
        let disk = Disk(kernel, device, sectorSize: size)
        var record = try await disk.bootRecord(at: 0)
        guard record.hasSignature, UInt32(record.sector[BootRecord.tableOffset + 4]) == type else { return }
        // Disk managers of type 54h shift the disk by a track.
        if type == 0x54 { record.sector.put(UInt32(63), at: 0) }
        try result.store(GuestWord(kernel.poolCopy(record.sector)))
      }
    },
  ]

  /// The head of `DRIVE_LAYOUT_INFORMATION_EX`, which the entries follow.
  private static func layout(_ style: UInt32, count: Int, _ fields: [UInt8]) -> [UInt8] {
    var head = [UInt8](repeating: 0, count: 0x30)
    head.put(style, at: 0)
    head.put(UInt32(count), at: 4)
    head.replaceSubrange(8..<8 + fields.count, with: fields)
    return head
  }

  /// `PARTITION_INFORMATION_EX` of an entry of a boot record.
  private static func extended(_ entry: PartitionEntry, _ number: UInt32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 0x90)
    bytes.put(entry.start, at: 8)
    bytes.put(entry.length, at: 0x10)
    bytes.put(number, at: 0x18)
    (bytes[0x20], bytes[0x21], bytes[0x22]) = (entry.type, entry.isActive ? 1 : 0, entry.isRecognized ? 1 : 0)
    bytes.put(entry.hiddenSectors, at: 0x24)
    return bytes
  }

  private static func layout(_ table: GUIDPartitionTable, _ sectorSize: UInt64) -> [UInt8] {
    var fields = table.identifier + [UInt8](repeating: 0, count: 20)
    fields.put(table.firstUsable &* sectorSize, at: 16)
    fields.put((table.lastUsable &- table.firstUsable &+ 1) &* sectorSize, at: 24)
    fields += [0, 0, 0, 0]
    fields.put(UInt32(table.entries.count), at: 32)
    let used = table.entries.filter(GUIDPartitionTable.isUsed)
    var bytes = layout(PartitionStyle.guid, count: used.count, fields)
    for (index, entry) in used.enumerated() {
      var part = [UInt8](repeating: 0, count: 0x90)
      part.put(PartitionStyle.guid, at: 0)
      part.put(entry.long(at: 32) &* sectorSize, at: 8)
      part.put((entry.long(at: 40) &- entry.long(at: 32) &+ 1) &* sectorSize, at: 0x10)
      part.put(UInt32(index + 1), at: 0x18)
      part.replaceSubrange(0x20..<0x40, with: entry[0..<32])
      part.replaceSubrange(0x40..<0x90, with: entry[48..<128])
      bytes += part
    }
    return bytes
  }
}

extension [(record: BootRecord, entries: [PartitionEntry])] {
  /// Every entry with its number: from 1 on for what is a partition, 0 for what is not in use or holds others.
  fileprivate func numbered() -> [(entry: PartitionEntry, number: UInt32)] {
    var number: UInt32 = 0
    return flatMap(\.entries).map { entry in
      guard entry.type != 0, !entry.isContainer else { return (entry, 0) }
      number += 1
      return (entry, number)
    }
  }
}

extension Kernel {
  /// What a routine comes to whose steps may be refused.
  func statusOf(_ body: () async throws -> Void) async throws -> NTSTATUS {
    do {
      try await body()
      return .success
    } catch let refusal as Refusal { return refusal.status }
  }

  /// Nonpaged pool with these bytes, for the caller to free.
  fileprivate func poolCopy(_ bytes: [UInt8]) throws -> UInt64 {
    // "FstB", as the debugger's list of pool tags has it.
    guard let block = try nonPagedPool.allocate(UInt64(bytes.count), tag: 0x4274_7346, in: memory) else {
      throw Refusal(.insufficientResources)
    }
    try memory.memory.write(bytes, at: block)
    return block
  }
}
