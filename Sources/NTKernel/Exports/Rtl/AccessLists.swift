import Guest
import WindowsTypes

extension Export {
  /// Access control lists.
  static let accessLists: [Export] = [
    // nf-ntifs-rtlcreateacl
    export("RtlCreateAcl(Acl, AclLength, AclRevision)", irql: .apc) {
      (_, list: Pointer<ACL>, size: UInt32, revision: UInt32) -> NTSTATUS in
      guard size >= 8 else { return .bufferTooSmall }
      guard ACL.revisions.contains(revision), size <= 0xffff else { return .invalidParameter }
      try list.zero()
      try list.AclRevision.store(UInt8(revision))
      try list.AclSize.store(UInt16(size & ~3))
      return .success
    },
    // nf-ntifs-rtladdaccessallowedace
    export("RtlAddAccessAllowedAce(Acl, AceRevision, AccessMask, Sid)", irql: .apc) {
      (_, list: Pointer<ACL>, revision: UInt32, mask: UInt32, sid: Pointer<SID>) -> NTSTATUS in
      try list.allow(sid, mask, flags: 0, revision)
    },
    // nf-ntifs-rtladdaccessallowedaceex
    export("RtlAddAccessAllowedAceEx(Acl, AceRevision, AceFlags, AccessMask, Sid)", irql: .apc) {
      (_, list: Pointer<ACL>, revision: UInt32, flags: UInt32, mask: UInt32, sid: Pointer<SID>) -> NTSTATUS in
      // Only the flags of inheritance are allowed here.
      guard flags & ~0x1f == 0 else { return .invalidParameter }
      return try list.allow(sid, mask, flags: UInt8(flags), revision)
    },
    // nf-ntifs-rtladdace: before the entry at the index; a larger index appends.
    export("RtlAddAce(Acl, AceRevision, StartingAceIndex, AceList, AceListLength)", irql: .apc) {
      (kernel, list: Pointer<ACL>, revision: UInt32, index: UInt32, entries: Pointer<KNOWN_ACE>, size: UInt32) -> NTSTATUS in
      guard try list.isValid, let end = try list.end else { return .invalidParameter }
      var (place, count): (UInt64, UInt16) = (entries.address, 0)
      while place < entries.address + UInt64(size) {
        let length = try Pointer<KNOWN_ACE>(place, in: list.memory).AceSize.load()
        guard length >= 4 else { return .invalidParameter }
        (place, count) = (place + UInt64(length), count + 1)
      }
      guard place == entries.address + UInt64(size) else { return .invalidParameter }
      guard end + UInt64(size) <= list.address + UInt64(try list.AclSize.load()) else { return .bufferTooSmall }
      let start = try list.entry(Int(index))?.address ?? end
      try kernel.move(end - start, from: start, to: start + UInt64(size))
      try kernel.move(UInt64(size), from: entries.address, to: start)
      try list.AceCount.store(list.AceCount.load() + count)
      try list.AclRevision.store(max(list.AclRevision.load(), UInt8(truncatingIfNeeded: revision)))
      return .success
    },
    // nf-ntifs-rtlgetace
    export("RtlGetAce(Acl, AceIndex, Ace)", irql: .apc) {
      (_, list: Pointer<ACL>, index: UInt32, found: Pointer<Pointer<KNOWN_ACE>>) -> NTSTATUS in
      guard ACL.revisions.contains(UInt32(try list.AclRevision.load())), let entry = try list.entry(Int(index)) else {
        return .invalidParameter
      }
      try found.store(entry)
      return .success
    },
    // nf-ntifs-rtldeleteace
    export("RtlDeleteAce(Acl, AceIndex)", irql: .apc) { (kernel, list: Pointer<ACL>, index: UInt32) -> NTSTATUS in
      guard try list.isValid, let entry = try list.entry(Int(index)), let end = try list.end else { return .invalidParameter }
      let size = UInt64(try entry.AceSize.load())
      try kernel.move(end - entry.address - size, from: entry.address + size, to: entry.address)
      try kernel.memory.memory.fill(0, count: Int(size), at: end - size)
      try list.AceCount.store(list.AceCount.load() - 1)
      return .success
    },
  ]
}

extension ACL {
  /// `MIN_ACL_REVISION` to `MAX_ACL_REVISION`
  static let revisions: ClosedRange<UInt32> = 2...4
}

extension Pointer where Pointee == ACL {
  /// The entry at `index`, or `nil`.
  func entry(_ index: Int) throws -> Pointer<KNOWN_ACE>? {
    guard try index >= 0 && index < Int(self.AceCount.load()) else { return nil }
    var place = address + 8
    for _ in 0..<index { place += UInt64(try Pointer<KNOWN_ACE>(place, in: memory).AceSize.load()) }
    return Pointer<KNOWN_ACE>(place, in: memory)
  }

  /// The first free byte, or `nil` where the entries run past the end.
  var end: UInt64? {
    get throws {
      let limit = address + UInt64(try self.AclSize.load())
      var place = address + 8
      for _ in 0..<(try self.AceCount.load()) {
        guard place + 4 <= limit, case let size = try Pointer<KNOWN_ACE>(place, in: memory).AceSize.load(), size >= 4 else {
          return nil
        }
        place += UInt64(size)
      }
      return place <= limit ? place : nil
    }
  }

  var isValid: Bool {
    get throws {
      try ACL.revisions.contains(UInt32(self.AclRevision.load())) && self.AclSize.load() >= 8 && end != nil
    }
  }

  /// Appends an entry that allows `mask` to `sid`.
  fileprivate func allow(_ sid: Pointer<SID>, _ mask: UInt32, flags: UInt8, _ revision: UInt32) throws -> NTSTATUS {
    guard try sid.isValid else { return .invalidSID }
    guard try UInt32(self.AclRevision.load()) <= 4, revision <= 4 else { return .revisionMismatch }
    guard try isValid, let end = try end else { return .invalidACL }
    let size = 8 + (try sid.length)
    guard end + UInt64(size) <= address + UInt64(try self.AclSize.load()) else { return .allottedSpaceExceeded }
    let entry = Pointer<KNOWN_ACE>(end, in: memory)
    // ACCESS_ALLOWED_ACE_TYPE
    try entry.AceType.store(0)
    try entry.AceFlags.store(flags)
    try entry.AceSize.store(UInt16(size))
    try entry.Mask.store(mask)
    try memory.write(sid.bytes(), at: entry.SidStart.address)
    try self.AceCount.store(self.AceCount.load() + 1)
    try self.AclRevision.store(Swift.max(self.AclRevision.load(), UInt8(revision)))
    return .success
  }
}
