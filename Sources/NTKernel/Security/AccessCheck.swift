import Guest
import WindowsTypes

/// The rights of an object type that the generic ones stand for: a `GENERIC_MAPPING`.
public struct GenericMapping: Hashable, Sendable {
  public var read: UInt32
  public var write: UInt32
  public var execute: UInt32
  public var all: UInt32

  public init(read: UInt32, write: UInt32, execute: UInt32, all: UInt32) {
    self.read = read
    self.write = write
    self.execute = execute
    self.all = all
  }

  /// `RtlMapGenericMask`.
  public func map(_ access: UInt32) -> UInt32 {
    var mask = access & 0x0fff_ffff
    if access & 1 << 31 != 0 { mask |= read }
    if access & 1 << 30 != 0 { mask |= write }
    if access & 1 << 29 != 0 { mask |= execute }
    if access & 1 << 28 != 0 { mask |= all }
    return mask
  }

  /// Of files and devices (`FILE_GENERIC_READ` and its like in `wdm.h`).
  public static let file = Self(read: 0x12_0089, write: 0x12_0116, execute: 0x12_00a0, all: 0x1f_01ff)
}

/// What an access check comes to.
public struct AccessDecision: Hashable, Sendable {
  /// STATUS_SUCCESS, STATUS_ACCESS_DENIED or STATUS_PRIVILEGE_NOT_HELD.
  public var status: NTSTATUS
  /// What is granted; 0 where something that was asked for is not.
  public var granted: UInt32
  /// The privileges that it took.
  public var privileges: [UInt32] = []
}

private enum Right {
  static let readControl: UInt32 = 0x2_0000
  static let writeDacl: UInt32 = 0x4_0000
  static let writeOwner: UInt32 = 0x8_0000
  static let systemSecurity: UInt32 = 0x100_0000
  static let maximumAllowed: UInt32 = 0x200_0000
}

extension Kernel {
  /// Whether `token` is granted `desired` to an object with `descriptor`: the check that `SeAccessCheck` makes of a user's request.
  ///
  /// The owner may always read the descriptor and change its list; the entries of the list decide the rest in their order; an object
  /// without a list grants everything (nf-wdm-seaccesscheck; [MS-DTYP] 2.5.3.2).
  ///
  /// - Parameters:
  ///   - descriptor: absolute or self-relative; null grants nothing.
  ///   - desired: may hold generic rights and MAXIMUM_ALLOWED.
  ///   - previous: what was granted already.
  public func accessCheck(
    descriptor: Pointer<SECURITY_DESCRIPTOR>, token: Token, desired: UInt32, genericMapping: GenericMapping, previous: UInt32 = 0
  ) throws -> AccessDecision {
    guard !descriptor.isNull else { return AccessDecision(status: .accessDenied, granted: 0) }
    let wantsMaximum = desired & Right.maximumAllowed != 0
    var (remaining, granted) = (genericMapping.map(desired & ~Right.maximumAllowed), previous)
    var privileges: [UInt32] = []
    if remaining & Right.systemSecurity != 0 {
      guard token.hasEnabled(Privilege.security) else { return AccessDecision(status: .privilegeNotHeld, granted: 0) }
      remaining &= ~Right.systemSecurity
      granted |= Right.systemSecurity
      privileges.append(Privilege.security)
    }
    if token.hasEnabled(Privilege.takeOwnership), remaining & Right.writeOwner != 0 || wantsMaximum {
      if remaining & Right.writeOwner != 0 { privileges.append(Privilege.takeOwnership) }
      remaining &= ~Right.writeOwner
      granted |= Right.writeOwner
    }
    let (owner, entries) = (try owner(of: descriptor), try entries(of: descriptor))
    guard let entries else {
      return AccessDecision(
        status: .success, granted: granted | remaining | (wantsMaximum ? genericMapping.all : 0), privileges: privileges)
    }
    var rights = allowed(entries, owner: owner, mapping: genericMapping, grants: token.isGranted, denies: token.isDenied)
    if !token.restricted.isEmpty {
      let own = { (sid: SecurityIdentifier) in token.restricted.contains(sid) }
      rights &= allowed(entries, owner: owner, mapping: genericMapping, grants: own, denies: own)
    }
    guard remaining & ~rights == 0 else { return AccessDecision(status: .accessDenied, granted: 0) }
    granted |= remaining | (wantsMaximum ? rights : 0)
    guard granted != 0 else { return AccessDecision(status: .accessDenied, granted: 0) }
    return AccessDecision(status: .success, granted: granted, privileges: privileges)
  }

  /// Every right that the entries grant before they deny it.
  private func allowed(
    _ entries: [AccessEntry], owner: SecurityIdentifier?, mapping: GenericMapping, grants: (SecurityIdentifier) -> Bool,
    denies: (SecurityIdentifier) -> Bool
  ) -> UInt32 {
    var allowed: UInt32 = 0
    var denied: UInt32 = 0
    if let owner, grants(owner) { allowed |= Right.readControl | Right.writeDacl }
    for entry in entries {
      let mask = mapping.map(entry.mask)
      if entry.denies {
        if denies(entry.sid) { denied |= mask & ~allowed }
      } else if grants(entry.sid) {
        allowed |= mask & ~denied
      }
    }
    return allowed
  }

  /// An entry that takes part in a check.
  private struct AccessEntry {
    let denies: Bool
    let mask: UInt32
    let sid: SecurityIdentifier
  }

  private func owner(of descriptor: Pointer<SECURITY_DESCRIPTOR>) throws -> SecurityIdentifier? {
    let place = try descriptor.address(of: descriptor.members[2])
    return place == 0 ? nil : SecurityIdentifier(try Pointer<SID>(place, in: memory.memory).bytes())
  }

  /// The entries of the discretionary list; `nil` where there is no list. Those that are only inherited do not count.
  private func entries(of descriptor: Pointer<SECURITY_DESCRIPTOR>) throws -> [AccessEntry]? {
    let place = try descriptor.address(of: descriptor.members[1])
    guard place != 0, try descriptor.Control.load() & 4 != 0 else { return nil }
    let list = Pointer<ACL>(place, in: memory.memory)
    let end = place + UInt64(try list.AclSize.load())
    var entries: [AccessEntry] = []
    var next = place + 8
    for _ in 0..<(try list.AceCount.load()) where next + 12 <= end {
      let ace = Pointer<KNOWN_ACE>(next, in: memory.memory)
      let (type, flags, size) = (try ace.AceType.load(), try ace.AceFlags.load(), UInt64(try ace.AceSize.load()))
      guard size >= 8 else { break }
      next += size
      // ACCESS_ALLOWED_ACE_TYPE 0, ACCESS_DENIED_ACE_TYPE 1; INHERIT_ONLY_ACE 8.
      guard type <= 1, flags & 8 == 0,
        let sid = SecurityIdentifier(try Pointer<SID>(ace.SidStart.address, in: memory.memory).bytes())
      else { continue }
      entries.append(AccessEntry(denies: type == 1, mask: try ace.Mask.load(), sid: sid))
    }
    return entries
  }
}
