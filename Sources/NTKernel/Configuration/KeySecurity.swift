import Guest
import WindowsTypes

/// What a security descriptor says, apart from where it lies.
struct SecurityParts: Hashable, Sendable {
  /// System list, discretionary list, owner, group, as a self-relative descriptor has them; empty where there is none.
  var parts: [[UInt8]]
  /// `SECURITY_DESCRIPTOR_CONTROL`
  var control: UInt16

  init(_ descriptor: Pointer<SECURITY_DESCRIPTOR>) throws {
    parts = try descriptor.parts().map(\.bytes)
    control = try descriptor.Control.load()
  }

  /// A discretionary list of entries that grant, which subkeys inherit.
  init(owner: SecurityIdentifier, group: SecurityIdentifier, granting entries: KeyValuePairs<SecurityIdentifier, UInt32>) {
    // ACCESS_ALLOWED_ACE_TYPE, CONTAINER_INHERIT_ACE
    let list = entries.flatMap { sid, rights -> [UInt8] in
      [0, 2, UInt8(8 + sid.bytes.count), 0] + (0..<4).map { UInt8(truncatingIfNeeded: rights >> (8 * UInt32($0))) } + sid.bytes
    }
    parts = [
      [], [2, 0, UInt8(truncatingIfNeeded: 8 + list.count), UInt8(8 + list.count >> 8), UInt8(entries.count), 0, 0, 0] + list,
      owner.bytes, group.bytes,
    ]
    control = 0x8004
  }
}

extension SecurityParts {
  /// Takes what a maker of a key has not said from the key above, and from the maker's token.
  mutating func complete(from above: SecurityParts?, _ token: Token) {
    // SE_DACL_PRESENT
    if control & 4 == 0, let above {
      parts[1] = above.parts[1]
      control |= above.control & 4
    }
    if parts[2].isEmpty { parts[2] = token.user.bytes }
    if parts[3].isEmpty { parts[3] = (token.groups.first?.sid ?? token.user).bytes }
  }
}

extension GenericMapping {
  /// Of keys: `KEY_READ`, `KEY_WRITE`, `KEY_EXECUTE`, `KEY_ALL_ACCESS` ("Registry Key Security and Access Rights").
  static let key = Self(read: 0x2_0019, write: 0x2_0006, execute: 0x2_0019, all: 0xf_003f)
}

extension RegistryKey {
  /// The key's own descriptor, or that of the nearest key above that has one: its entries are inherited.
  var security: SecurityParts? { ownSecurity ?? parent?.security }
}

extension Registry {
  /// The descriptors of the hives' roots, as "Registry Key Security and Access Rights" and a fresh installation's tools show them:
  /// everybody may read what the machine has, administrators and the system may do everything, and nobody else reads accounts.
  func secure() {
    typealias Rights = KeyValuePairs<SecurityIdentifier, UInt32>
    let (all, read) = (GenericMapping.key.all, GenericMapping.key.read)
    let common: Rights = [.world: read, .administrators: all, .localSystem: all]
    let installed: Rights = [.users: read, .administrators: all, .localSystem: all]
    // READ_CONTROL, WRITE_DAC
    let accounts: Rights = [.administrators: 0x6_0000, .localSystem: all]
    let lists: [(String, Rights)] = [
      ("HKLM", common), ("HKU", common), (#"HKLM\SOFTWARE"#, installed), (#"HKLM\SYSTEM"#, installed), (#"HKLM\SAM\SAM"#, accounts),
      (#"HKLM\SECURITY"#, accounts), (#"HKU\.DEFAULT"#, installed),
      (#"HKU\S-1-5-19"#, [.localService: all, .administrators: all, .localSystem: all]),
      (#"HKU\S-1-5-20"#, [.networkService: all, .administrators: all, .localSystem: all]),
    ]
    for (path, rights) in lists {
      key(at: path)?.ownSecurity = SecurityParts(owner: .administrators, group: .localSystem, granting: rights)
    }
  }
}

extension Kernel {
  /// What a caller may do with `key`: what it asks for, in kernel mode; of user mode, or where the check is asked for, what the key's
  /// list grants to its token (OBJ_FORCE_ACCESS_CHECK; nf-wdm-zwopenkey).
  func rights(
    to key: RegistryKey, _ access: UInt32, _ flags: ObjectAttributeFlags, _ mode: KPROCESSOR_MODE
  ) throws -> Result<UInt32, Refusal> {
    guard mode == .userMode || flags.contains(.forceAccessCheck), let security = key.security else {
      return .success(KeyAccess.mapping(access))
    }
    let descriptor = try store(security.parts, control: security.control, POOL_TYPE(rawValue: 1))
    defer { releaseDescriptor(descriptor) }
    let decision = try accessCheck(
      descriptor: Pointer(descriptor, in: memory.memory), token: currentToken(), desired: access, genericMapping: .key)
    return decision.status.isSuccess ? .success(decision.granted) : .failure(Refusal(decision.status))
  }

  /// The descriptor that a key's object has in memory: as the key has it now.
  func refreshDescriptor(ofKeyObject object: UInt64, at place: Pointer<GuestWord>) throws {
    guard let security = configuration.open[object]?.key.security else { return }
    let current = try place.load().bits & ~7
    if try current != 0 && SecurityParts(Pointer(current, in: memory.memory)) == security { return }
    let caller = self.caller.address
    defer { self.caller.address = caller }
    self.caller.address = 0
    try place.store(GuestWord(store(security.parts, control: security.control, POOL_TYPE(rawValue: 1))))
    releaseDescriptor(current)
  }
}
