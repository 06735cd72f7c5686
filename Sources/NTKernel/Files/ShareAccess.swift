import Guest
import WindowsTypes

/// Sharing of a file by those who have it open: the counts of `SHARE_ACCESS`.
extension Kernel {
  /// `FILE_EXECUTE | FILE_READ_DATA`, `FILE_WRITE_DATA | FILE_APPEND_DATA`, `DELETE` (`wdm.h`).
  private static let (reading, writing, deleting): (UInt32, UInt32, UInt32) = (0x21, 0x6, 0x1_0000)

  /// Writes into a file object what it asks for and what it leaves to others. Returns whether it asks for anything that is shared.
  private func note(_ access: UInt32, _ share: UInt32, in file: Pointer<FILE_OBJECT>) throws -> Bool {
    try file.ReadAccess.store(access & Self.reading != 0 ? 1 : 0)
    try file.WriteAccess.store(access & Self.writing != 0 ? 1 : 0)
    try file.DeleteAccess.store(access & Self.deleting != 0 ? 1 : 0)
    guard access & (Self.reading | Self.writing | Self.deleting) != 0 else { return false }
    try file.SharedRead.store(UInt8(share & 1))
    try file.SharedWrite.store(UInt8(share >> 1 & 1))
    try file.SharedDelete.store(UInt8(share >> 2 & 1))
    return true
  }

  /// What a file object adds to each count behind the first, in the structure's order.
  private func contribution(_ file: Pointer<FILE_OBJECT>) throws -> [UInt32] {
    try [file.ReadAccess, file.WriteAccess, file.DeleteAccess, file.SharedRead, file.SharedWrite, file.SharedDelete].map {
      UInt32(try $0.load() == 0 ? 0 : 1)
    }
  }

  /// `IoCheckShareAccess` (nf-wdm-iocheckshareaccess).
  func checkShareAccess(
    _ access: UInt32, _ share: UInt32, _ file: Pointer<FILE_OBJECT>, _ counts: Pointer<SHARE_ACCESS>, updates: Bool
  ) throws -> NTSTATUS {
    guard try note(access, share, in: file) else { return .success }
    let opens = try counts.OpenCount.load()
    let wanted = try contribution(file)
    let shared = try [counts.SharedRead, counts.SharedWrite, counts.SharedDelete].map { try $0.load() }
    let users = try [counts.Readers, counts.Writers, counts.Deleters].map { try $0.load() }
    for index in 0..<3 {
      if wanted[index] != 0 && shared[index] < opens || users[index] != 0 && wanted[index + 3] == 0 { return .sharingViolation }
    }
    if updates { try add(file, to: counts, sign: 1) }
    return .success
  }

  private func add(_ file: Pointer<FILE_OBJECT>, to counts: Pointer<SHARE_ACCESS>, sign: UInt32) throws {
    let fields = [
      counts.Readers, counts.Writers, counts.Deleters, counts.SharedRead, counts.SharedWrite, counts.SharedDelete,
    ]
    try counts.OpenCount.store(counts.OpenCount.load() &+ sign)
    for (field, value) in zip(fields, try contribution(file)) { try field.store(field.load() &+ value &* sign) }
  }

  /// Whether the file takes part in sharing at all.
  private func takesPart(_ file: Pointer<FILE_OBJECT>) throws -> Bool { try contribution(file)[..<3].contains(1) }

  /// `IoSetShareAccess` (nf-wdm-iosetshareaccess): the first open's counts.
  func setShareAccess(_ access: UInt32, _ share: UInt32, _ file: Pointer<FILE_OBJECT>, _ counts: Pointer<SHARE_ACCESS>) throws {
    try memory.memory.fill(0, count: Pointer<SHARE_ACCESS>.size(in: memory.memory), at: counts.address)
    if try note(access, share, in: file) { try add(file, to: counts, sign: 1) }
  }

  /// `IoUpdateShareAccess` (nf-wdm-ioupdateshareaccess).
  func updateShareAccess(_ file: Pointer<FILE_OBJECT>, _ counts: Pointer<SHARE_ACCESS>) throws {
    if try takesPart(file) { try add(file, to: counts, sign: 1) }
  }

  /// `IoRemoveShareAccess` (nf-wdm-ioremoveshareaccess).
  func removeShareAccess(_ file: Pointer<FILE_OBJECT>, _ counts: Pointer<SHARE_ACCESS>) throws {
    if try takesPart(file) { try add(file, to: counts, sign: .max) }
  }
}
