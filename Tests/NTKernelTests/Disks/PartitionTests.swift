import Guest
import NTKernel
import Testing
import WindowsTypes

/// A driver with a disk of 512 KB, whose sectors have 512 bytes.
private final class DiskGuest {
  let g = try! IOGuest()
  let device: UInt64
  var disk = [UInt8](repeating: 0, count: 0x8_0000)
  var failure: NTSTATUS?

  init() throws {
    device = try g.device(#"\Device\Disk"#)
    for major in [3, 4] {
      try g.dispatch(major) { [unowned self] _, irp in
        let stack = UInt64(try g.k.load(irp + 0x60))
        let (length, offset, buffer) = (Int(try g.k.load(stack + 4)), Int(try g.k.load(stack + 12)), UInt64(try g.k.load(irp + 0x3c)))
        if let failure { return try g.complete(irp, failure) }
        #expect(length % 512 == 0 && offset % 512 == 0)
        if major == 3 {
          try g.k.memory.memory.write(disk[offset..<offset + length], at: buffer)
        } else {
          disk.replaceSubrange(offset..<offset + length, with: try g.k.memory.memory.bytes(length, at: buffer))
        }
        return try g.complete(irp, .success, UInt32(length))
      }
    }
    try g.dispatch(14) { [unowned self] _, irp in
      let (stack, buffer) = (UInt64(try g.k.load(irp + 0x60)), UInt64(try g.k.load(irp + 0xc)))
      switch try g.k.load(stack + 12) {
      case 0x7_0000:
        try g.k.store([1, 0, 12, 16, 64, 512], at: buffer)
        return try g.complete(irp, .success, 24)
      case 0x7_405c:
        try g.k.store([UInt32(disk.count), 0], at: buffer)
        return try g.complete(irp, .success, 8)
      default: return try g.complete(irp, .invalidDeviceRequest)
      }
    }
  }

  /// A boot record with a table: type, first sector and count of each entry.
  func write(record offset: Int, signature: UInt32 = 0, _ entries: [(type: UInt8, start: UInt32, count: UInt32)]) {
    disk.replaceSubrange(offset + 0x1b8..<offset + 0x1bc, with: VolumeGuest.bytes(signature))
    for (index, entry) in entries.enumerated() {
      let place = offset + 0x1be + 16 * index
      disk.replaceSubrange(
        place..<place + 16, with: [0, 0, 0, 0, entry.type, 0, 0, 0] + VolumeGuest.bytes(entry.start) + VolumeGuest.bytes(entry.count))
    }
    disk.replaceSubrange(offset + 510..<offset + 512, with: [0x55, 0xaa])
  }

  /// What a routine leaves at an address that it tells.
  func result(_ name: String, _ arguments: UInt64...) throws -> (status: NTSTATUS, place: UInt64) {
    let place = try g.space()
    let status = NTSTATUS(rawValue: UInt32(try g.call(name, [device] + arguments + [place])))
    return (status, UInt64(try g.k.load(place)))
  }

  func bytes(_ count: Int, at address: UInt64) throws -> [UInt8] { try g.k.memory.memory.bytes(count, at: address) }
}

@Suite("Partition tables") struct PartitionTests {
  /// A primary partition, and an extended one with two logical ones.
  private func partitioned() throws -> DiskGuest {
    let d = try DiskGuest()
    d.write(record: 0, signature: 0x1234_5678, [(7, 64, 128), (5, 256, 512)])
    d.write(record: 256 * 512, [(6, 16, 32), (5, 64, 128)])
    d.write(record: 320 * 512, [(0x83, 16, 64)])
    return d
  }

  @Test("the chain of boot records is read through the disk's device") func reading() throws {
    let d = try partitioned()
    let (status, layout) = try d.result("IoReadPartitionTable", 512, 1)
    // DRIVE_LAYOUT_INFORMATION: NTFS and FAT16, with offsets, lengths, numbers.
    #expect(try status == .success && d.g.k.load(layout) == 2 && d.g.k.load(layout + 4) == 0x1234_5678)
    #expect(try (0..<8).map { try d.g.k.load(layout + 8 + 4 * $0) } == [64 * 512, 0, 128 * 512, 0, 64, 1, 0x0001_0007, 0])
    #expect(try (0..<7).map { try d.g.k.load(layout + 40 + 4 * $0) } == [272 * 512, 0, 32 * 512, 0, 16, 2, 0x0001_0006])
    let all = try d.result("IoReadPartitionTable", 512, 0)
    #expect(try d.g.k.load(all.place) == 12)
    let (statusEx, extended) = try d.result("IoReadPartitionTableEx")
    #expect(
      try statusEx == .success && d.g.k.load(extended) == 0 && d.g.k.load(extended + 4) == 12 && d.g.k.load(extended + 8) == 0x1234_5678)
    // The logical partition of the last record: behind eight entries of 90h bytes.
    let last = extended + 0x30 + 8 * 0x90
    #expect(try d.g.k.load(last + 8) == 336 * 512 && d.g.k.load(last + 0x18) == 3 && d.bytes(1, at: last + 0x20) == [0x83])
    d.failure = .deviceNotReady
    #expect(try d.result("IoReadPartitionTableEx").status == .deviceNotReady)
    #expect(try DiskGuest().result("IoReadPartitionTable", 512, 1).status == NTSTATUS(rawValue: 0xc000_00a9))
  }

  @Test("types are changed where they stand, and tables are written") func writing() throws {
    let d = try partitioned()
    #expect(try d.g.status("IoSetPartitionInformation", d.device, 512, 2, 0x0b) == .success && d.disk[256 * 512 + 0x1c2] == 0x0b)
    #expect(try d.g.status("IoSetPartitionInformation", d.device, 512, 9, 0x0b) == .invalidParameter)
    let information = try d.g.space(0x80)
    try d.g.k.store([0, 0, 0x0c], at: information)
    #expect(try d.g.status("IoSetPartitionInformationEx", d.device, 1, information) == .success && d.disk[0x1c2] == 0x0c)
    try d.g.k.store([1], at: information)
    #expect(try d.g.status("IoSetPartitionInformationEx", d.device, 1, information) == .invalidParameter)
    // What was read is written to another disk, and read there.
    let layout = try d.result("IoReadPartitionTable", 512, 0).place
    let other = try DiskGuest()
    let copy = try other.g.space(0x400)
    var bytes = try d.bytes(8 + 12 * 0x20, at: layout)
    for index in 0..<12 { bytes[8 + 0x20 * index + 0x1b] = 1 }
    try other.g.k.memory.memory.write(bytes, at: copy)
    #expect(try other.g.status("IoWritePartitionTable", other.device, 512, 63, 255, copy) == .success)
    #expect(other.disk[0x1be..<0x1fe].map { $0 } != Array(repeating: 0, count: 64))
    let again = try other.result("IoReadPartitionTable", 512, 1).place
    #expect(try other.g.k.load(again) == 2 && other.g.k.load(again + 8) == 64 * 512 && other.g.k.load(again + 40) == 272 * 512)
    try other.g.k.store([9999], at: copy)
    #expect(try other.g.status("IoWritePartitionTable", other.device, 512, 63, 255, copy) == .invalidParameter)
    // IoWritePartitionTableEx in the boot record's style.
    let extended = try d.result("IoReadPartitionTableEx").place
    var long = try d.bytes(0x30 + 12 * 0x90, at: extended)
    for index in 0..<12 { long[0x30 + 0x90 * index + 0x1c] = 1 }
    let third = try DiskGuest()
    let longCopy = try third.g.space(UInt64(long.count))
    try third.g.k.memory.memory.write(long, at: longCopy)
    #expect(try third.g.status("IoWritePartitionTableEx", third.device, longCopy) == .success)
    #expect(Array(third.disk[0x1b8..<0x1bc]) == [0x78, 0x56, 0x34, 0x12])
    try third.g.k.store([7], at: longCopy)
    #expect(try third.g.status("IoWritePartitionTableEx", third.device, longCopy) == .notSupported)
  }

  @Test("a GUID partition table is made, filled, read and, where its first copy is damaged, read from the second") func guid() throws {
    let d = try DiskGuest()
    let wish = try d.g.space(0x400)
    let here = d.g.k.memory.memory
    let identifier = Array(1...16) as [UInt8]
    try here.write([1, 0, 0, 0] + identifier + [128, 0, 0, 0], at: wish)
    #expect(try d.g.status("IoCreateDisk", d.device, wish) == .success)
    #expect(d.disk[0x1c2] == 0xee && String(decoding: d.disk[512..<520], as: UTF8.self) == "EFI PART")
    // DRIVE_LAYOUT_INFORMATION_EX with one partition of a megabyte's eighth.
    var layout = [UInt8](repeating: 0, count: 0x30 + 0x90)
    layout.replaceSubrange(0..<8, with: [1, 0, 0, 0, 1, 0, 0, 0])
    layout.replaceSubrange(8..<24, with: identifier)
    layout[40] = 128
    layout.replaceSubrange(0x38..<0x48, with: VolumeGuest.bytes(UInt64(64 * 512)) + VolumeGuest.bytes(UInt64(256 * 512)))
    layout.replaceSubrange(0x50..<0x70, with: Array(repeating: 0xa5, count: 32))
    layout[0x78] = 0x41
    try here.write(layout, at: wish)
    #expect(try d.g.status("IoWritePartitionTableEx", d.device, wish) == .success)
    let (status, place) = try d.result("IoReadPartitionTableEx")
    #expect(try status == .success && d.g.k.load(place) == 1 && d.g.k.load(place + 4) == 1 && d.bytes(16, at: place + 8) == identifier)
    let entry = place + 0x30
    #expect(try [8, 0x10, 0x18].map { try d.g.k.load(entry + $0) } == [64 * 512, 256 * 512, 1] && d.bytes(1, at: entry + 0x48) == [0x41])
    try d.g.k.store([1, 0] + Array(repeating: 0x5a5a_5a5a, count: 28), at: wish)
    #expect(try d.g.status("IoSetPartitionInformationEx", d.device, 1, wish) == .success && d.disk[1024] == 0x5a)
    let signature = try d.g.space(0x14)
    #expect(try d.g.status("IoReadDiskSignature", d.device, 512, signature) == .success && d.bytes(16, at: signature + 4) == identifier)
    d.disk[512 + 60] ^= 1
    #expect(try d.result("IoReadPartitionTableEx").status == .success)
    d.disk[d.disk.count - 512] ^= 1
    #expect(try d.result("IoReadPartitionTableEx").status == NTSTATUS(rawValue: 0xc000_0032))
    // CREATE_DISK of no known style; NULL makes the disk raw.
    try d.g.k.store([5], at: wish)
    #expect(try d.g.status("IoCreateDisk", d.device, wish) == .notSupported)
    #expect(try d.g.status("IoCreateDisk", d.device, 0) == .success && d.disk[..<512].allSatisfy { $0 == 0 })
    let raw = try d.result("IoReadPartitionTableEx")
    #expect(try raw.status == .success && d.g.k.load(raw.place) == 2)
  }

  @Test("signatures, a disk manager's record, and the system's partition") func signatures() throws {
    let d = try partitioned()
    let signature = try d.g.space(0x14)
    #expect(try d.g.status("IoReadDiskSignature", d.device, 512, signature) == .success)
    let sum = (0..<128).reduce(UInt32(0)) { sum, index in
      sum &+ (0..<4).reduce(0) { $0 | UInt32(d.disk[4 * index + $1]) << UInt32(8 * $1) }
    }
    #expect(try d.g.k.load(signature + 4) == 0x1234_5678 && d.g.k.load(signature + 8) &+ sum == 0)
    let empty = try DiskGuest()
    #expect(try empty.g.status("IoReadDiskSignature", empty.device, 512, empty.g.space(0x14)) == NTSTATUS(rawValue: 0xc000_0032))
    let place = try d.g.space()
    try d.g.call("HalExamineMBR", d.device, 512, 7, place)
    #expect(try d.bytes(512, at: UInt64(d.g.k.load(place))) == Array(d.disk[..<512]))
    try d.g.call("HalExamineMBR", d.device, 512, 0x54, place)
    #expect(try d.g.k.load(place) == 0)
    #expect(try d.g.status("IoSetSystemPartition", d.g.string(#"\Device\HarddiskVolume1"#)) == .success)
    #expect(d.g.k.kernel.registry.key(at: #"\Registry\Machine\System\Setup"#)?["SystemPartition"] == .string(#"\Device\HarddiskVolume1"#))
    #expect(try d.g.status("IoSetSystemPartition", d.g.string("")) == .invalidParameter)
  }
}
