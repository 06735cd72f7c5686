import Guest
import WindowsTypes

extension Export {
  /// Security descriptors, absolute and self-relative.
  static let securityDescriptors: [Export] = [
    // nf-wdm-rtlcreatesecuritydescriptor
    export("RtlCreateSecurityDescriptor(SecurityDescriptor, Revision)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, revision: UInt32) -> NTSTATUS in
      guard revision == 1 else { return .unknownRevision }
      try descriptor.zero()
      try descriptor.Revision.store(1)
      return .success
    },
    // nf-wdm-rtlsetdaclsecuritydescriptor
    export("RtlSetDaclSecurityDescriptor(SecurityDescriptor, DaclPresent, Dacl, DaclDefaulted)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, present: UInt8, list: Pointer<ACL>, defaulted: UInt8) -> NTSTATUS in
      try descriptor.set(descriptor.Dacl, list, .daclPresent, .daclDefaulted, present != 0, defaulted != 0)
    },
    // nf-ntifs-rtlsetsaclsecuritydescriptor
    export("RtlSetSaclSecurityDescriptor(SecurityDescriptor, SaclPresent, Sacl, SaclDefaulted)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, present: UInt8, list: Pointer<ACL>, defaulted: UInt8) -> NTSTATUS in
      try descriptor.set(descriptor.Sacl, list, .saclPresent, .saclDefaulted, present != 0, defaulted != 0)
    },
    // nf-ntifs-rtlsetownersecuritydescriptor
    export("RtlSetOwnerSecurityDescriptor(SecurityDescriptor, Owner, OwnerDefaulted)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, sid: Pointer<SID>, defaulted: UInt8) -> NTSTATUS in
      try descriptor.set(descriptor.Owner, sid, [], .ownerDefaulted, true, defaulted != 0)
    },
    // nf-ntifs-rtlsetgroupsecuritydescriptor
    export("RtlSetGroupSecurityDescriptor(SecurityDescriptor, Group, GroupDefaulted)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, sid: Pointer<SID>, defaulted: UInt8) -> NTSTATUS in
      try descriptor.set(descriptor.Group, sid, [], .groupDefaulted, true, defaulted != 0)
    },
    // nf-ntifs-rtlgetdaclsecuritydescriptor
    export("RtlGetDaclSecurityDescriptor(SecurityDescriptor, DaclPresent, Dacl, DaclDefaulted)", irql: .apc) {
      (
        _, descriptor: Pointer<SECURITY_DESCRIPTOR>, present: Pointer<UInt8>, list: Pointer<Pointer<ACL>>,
        defaulted: Pointer<UInt8>
      ) -> NTSTATUS in
      try descriptor.get(descriptor.Dacl, .daclPresent, .daclDefaulted, present, list, defaulted)
    },
    // nf-ntifs-rtlgetsaclsecuritydescriptor
    export("RtlGetSaclSecurityDescriptor(SecurityDescriptor, SaclPresent, Sacl, SaclDefaulted)", irql: .apc) {
      (
        _, descriptor: Pointer<SECURITY_DESCRIPTOR>, present: Pointer<UInt8>, list: Pointer<Pointer<ACL>>,
        defaulted: Pointer<UInt8>
      ) -> NTSTATUS in
      try descriptor.get(descriptor.Sacl, .saclPresent, .saclDefaulted, present, list, defaulted)
    },
    // nf-ntifs-rtlgetownersecuritydescriptor
    export("RtlGetOwnerSecurityDescriptor(SecurityDescriptor, Owner, OwnerDefaulted)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, sid: Pointer<Pointer<SID>>, defaulted: Pointer<UInt8>) -> NTSTATUS in
      try descriptor.get(descriptor.Owner, [], .ownerDefaulted, nil, sid, defaulted)
    },
    // nf-ntifs-rtlgetgroupsecuritydescriptor
    export("RtlGetGroupSecurityDescriptor(SecurityDescriptor, Group, GroupDefaulted)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, sid: Pointer<Pointer<SID>>, defaulted: Pointer<UInt8>) -> NTSTATUS in
      try descriptor.get(descriptor.Group, [], .groupDefaulted, nil, sid, defaulted)
    },
    // nf-wdm-rtllengthsecuritydescriptor
    export("RtlLengthSecurityDescriptor(SecurityDescriptor)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>) -> UInt32 in
      try descriptor.parts().reduce(20) { $0 + UInt32($1.bytes.count + 3) / 4 * 4 }
    },
    // nf-wdm-rtlvalidsecuritydescriptor
    export("RtlValidSecurityDescriptor(SecurityDescriptor)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>) -> UInt8 in
      do { return try descriptor.isValid ? 1 : 0 } catch is GuestException { return 0 }
    },
    // nf-ntifs-rtlvalidrelativesecuritydescriptor: within its length, with the parts that are asked for.
    export(
      "RtlValidRelativeSecurityDescriptor(SecurityDescriptorInput, SecurityDescriptorLength, RequiredInformation)", irql: .apc
    ) { (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, length: UInt32, required: UInt32) -> UInt8 in
      try descriptor.isValid(within: UInt64(length), required) ? 1 : 0
    },
    // nf-ntifs-rtlabsolutetoselfrelativesd: the lists first, as XP lays them out.
    export("RtlAbsoluteToSelfRelativeSD(AbsoluteSecurityDescriptor, SelfRelativeSecurityDescriptor, BufferLength)", irql: .apc) {
      (
        _, source: Pointer<SECURITY_DESCRIPTOR>, target: Pointer<SECURITY_DESCRIPTOR>, size: Pointer<UInt32>
      ) -> NTSTATUS in
      if try source.control.contains(.selfRelative) { return .badDescriptorFormat }
      return try source.writeSelfRelative(to: target, size)
    },
    // nf-ntifs-rtlselfrelativetoabsolutesd
    export(
      "RtlSelfRelativeToAbsoluteSD(SelfRelativeSecurityDescriptor, AbsoluteSecurityDescriptor, AbsoluteSecurityDescriptorSize, "
        + "Dacl, DaclSize, Sacl, SaclSize, Owner, OwnerSize, PrimaryGroup, PrimaryGroupSize)", irql: .apc
    ) {
      (
        _, source: Pointer<SECURITY_DESCRIPTOR>, target: Pointer<SECURITY_DESCRIPTOR>, size: Pointer<UInt32>,
        dacl: Pointer<ACL>, daclSize: Pointer<UInt32>, sacl: Pointer<ACL>, saclSize: Pointer<UInt32>, owner: Pointer<SID>,
        ownerSize: Pointer<UInt32>, group: Pointer<SID>, groupSize: Pointer<UInt32>
      ) -> NTSTATUS in
      guard try source.control.contains(.selfRelative) else { return .badDescriptorFormat }
      let parts = try source.parts()
      let places: [(address: UInt64, size: Pointer<UInt32>)] = [
        (sacl.address, saclSize), (dacl.address, daclSize), (owner.address, ownerSize), (group.address, groupSize),
      ]
      var fits = try size.load() >= 20
      for (part, place) in zip(parts, places) { fits = try fits && place.size.load() >= UInt32(part.bytes.count) }
      try size.store(20)
      for (part, place) in zip(parts, places) { try place.size.store(UInt32(part.bytes.count)) }
      guard fits else { return .bufferTooSmall }
      try target.zero()
      try target.Revision.store(1)
      try target.Control.store(source.control.subtracting(.selfRelative).rawValue)
      for ((part, place), member) in zip(zip(parts, places), target.members) where !part.bytes.isEmpty {
        try target.memory.write(part.bytes, at: place.address)
        try member.store(GuestWord(place.address))
      }
      return .success
    },
  ]
}

/// `SECURITY_DESCRIPTOR_CONTROL` (`wdm.h`).
private struct Control: OptionSet {
  let rawValue: UInt16
  static let ownerDefaulted = Control(rawValue: 0x1)
  static let groupDefaulted = Control(rawValue: 0x2)
  static let daclPresent = Control(rawValue: 0x4)
  static let daclDefaulted = Control(rawValue: 0x8)
  static let saclPresent = Control(rawValue: 0x10)
  static let saclDefaulted = Control(rawValue: 0x20)
  static let selfRelative = Control(rawValue: 0x8000)
}

extension Pointer where Pointee == SECURITY_DESCRIPTOR {
  fileprivate var control: Control { get throws { Control(rawValue: try self.Control.load()) } }

  /// The four parts' members, in the order in which a self-relative descriptor has the parts.
  var members: [Pointer<GuestWord>] {
    [self.Sacl.cast(), self.Dacl.cast(), self.Owner.cast(), self.Group.cast()]
  }

  /// Where a part lies: an address, or an offset from here; 0 for none.
  func address(of member: Pointer<GuestWord>) throws -> UInt64 {
    let value = try member.load().bits
    return try value == 0 || !control.contains(.selfRelative) ? value : address + value
  }

  fileprivate func set<Part>(
    _ member: Pointer<Pointer<Part>>, _ part: Pointer<Part>, _ presence: Control, _ default: Control, _ isPresent: Bool,
    _ isDefaulted: Bool
  ) throws -> NTSTATUS {
    guard try self.Revision.load() == 1 else { return .unknownRevision }
    var control = try control
    if control.contains(.selfRelative) { return .invalidSecurityDescriptor }
    control.subtract(presence)
    if isPresent {
      control.formUnion(presence)
      try member.store(part)
      control.subtract(`default`)
      if isDefaulted { control.formUnion(`default`) }
    }
    try self.Control.store(control.rawValue)
    return .success
  }

  /// - Parameter present: where to say whether there is a list; a list that there is not changes nothing else.
  fileprivate func get<Part>(
    _ member: Pointer<Pointer<Part>>, _ presence: Control, _ default: Control, _ present: Pointer<UInt8>?,
    _ part: Pointer<Pointer<Part>>, _ defaulted: Pointer<UInt8>
  ) throws -> NTSTATUS {
    guard try self.Revision.load() == 1 else { return .unknownRevision }
    let control = try control
    if let present {
      try present.store(control.contains(presence) ? 1 : 0)
      guard control.contains(presence) else { return .success }
    }
    try part.store(Pointer<Part>(try address(of: member.cast()), in: memory))
    try defaulted.store(control.contains(`default`) ? 1 : 0)
    return .success
  }

  /// The bytes of each part, empty where it is missing, in the order of ``members``.
  func parts() throws -> [(member: Pointer<GuestWord>, bytes: [UInt8])] {
    let control = try control
    return try members.enumerated().map { index, member in
      let place = try address(of: member)
      let isList = index < 2
      guard place != 0, !isList || control.contains(index == 0 ? .saclPresent : .daclPresent) else { return (member, []) }
      let size = isList ? Int(try Pointer<ACL>(place, in: memory).AclSize.load()) : try Pointer<SID>(place, in: memory).length
      return (member, try memory.bytes(size, at: place))
    }
  }

  func writeSelfRelative(to target: Self, _ size: Pointer<UInt32>) throws -> NTSTATUS {
    let parts = try parts()
    let needed = parts.reduce(20) { $0 + ($1.bytes.count + 3) / 4 * 4 }
    let isEnough = try size.load() >= UInt32(needed)
    try size.store(UInt32(needed))
    guard isEnough else { return .bufferTooSmall }
    try memory.fill(0, count: needed, at: target.address)
    try target.Revision.store(1)
    try target.Control.store(control.union(.selfRelative).rawValue)
    var offset: UInt64 = 20
    for (part, member) in zip(parts, target.members) where !part.bytes.isEmpty {
      try memory.write(part.bytes, at: target.address + offset)
      try member.store(GuestWord(offset))
      offset += UInt64((part.bytes.count + 3) / 4 * 4)
    }
    return .success
  }

  var isValid: Bool {
    get throws {
      guard !isNull, try self.Revision.load() == 1 else { return false }
      return try partsAreValid()
    }
  }

  private func partsAreValid() throws -> Bool {
    let control = try control
    for (index, member) in members.enumerated() {
      let place = try address(of: member)
      guard place != 0 else { continue }
      if index >= 2 {
        guard try Pointer<SID>(place, in: memory).isValid else { return false }
      } else if control.contains(index == 0 ? .saclPresent : .daclPresent) {
        guard try Pointer<ACL>(place, in: memory).isValid else { return false }
      }
    }
    return true
  }

  /// Whether it is self-relative, lies within `length` bytes, and has the parts of `required` (`SECURITY_INFORMATION`: owner 1,
  /// group 2, discretionary list 4, system list 8).
  func isValid(within length: UInt64, _ required: UInt32) throws -> Bool {
    guard length >= 20, try self.Revision.load() == 1, try control.contains(.selfRelative) else { return false }
    for (index, member) in members.enumerated() {
      let offset = try member.load().bits
      let bit: UInt32 = [8, 4, 1, 2][index]
      if offset == 0 {
        // A list may be missing although it was asked for; an owner or a group may not.
        if index >= 2 && required & bit != 0 { return false }
        continue
      }
      guard offset >= 20, offset & 3 == 0, offset + 8 <= length else { return false }
      let place = address + offset
      let size = index < 2 ? Int(try Pointer<ACL>(place, in: memory).AclSize.load()) : try Pointer<SID>(place, in: memory).length
      guard offset + UInt64(size) <= length else { return false }
    }
    return try partsAreValid()
  }
}
