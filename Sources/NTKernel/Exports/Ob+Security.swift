import Guest
import WindowsTypes

/// `SECURITY_INFORMATION` (`wdm.h`).
struct SecurityInformation: OptionSet {
  let rawValue: UInt32
  static let owner = Self(rawValue: 1)
  static let group = Self(rawValue: 2)
  static let dacl = Self(rawValue: 4)
  static let sacl = Self(rawValue: 8)
}

extension Export {
  /// Objects' security descriptors.
  static let objectSecurity: [Export] = [
    // nf-ntifs-obgetobjectsecurity: an object without a descriptor has NULL.
    export("ObGetObjectSecurity(Object, SecurityDescriptor, MemoryAllocated)", irql: .passive) {
      (kernel, object: GuestWord, result: Pointer<GuestWord>, allocated: Pointer<UInt8>) -> NTSTATUS in
      try allocated.store(0)
      try result.store(GuestWord(kernel.securityDescriptor(of: object.bits)))
      return .success
    },
    // nf-ntifs-obreleaseobjectsecurity
    export("ObReleaseObjectSecurity(SecurityDescriptor, MemoryAllocated)", irql: .passive) {
      (kernel, descriptor: GuestWord, allocated: UInt8) in
      if allocated != 0, descriptor.bits != 0 { try kernel.freePool(descriptor.bits) }
    },
    // nf-ntifs-obsetsecurityobjectbypointer
    export("ObSetSecurityObjectByPointer(Object, SecurityInformation, SecurityDescriptor)", irql: .passive) {
      (kernel, object: GuestWord, information: UInt32, descriptor: Pointer<SECURITY_DESCRIPTOR>) -> NTSTATUS in
      try kernel.setSecurity(of: object.bits, SecurityInformation(rawValue: information), descriptor)
    },
    setSecurity("ZwSetSecurityObject"), setSecurity("NtSetSecurityObject"),
    querySecurity("ZwQuerySecurityObject"), querySecurity("NtQuerySecurityObject"),
    // nf-ntifs-secapturesecuritydescriptor: a self-relative copy in pool; of kernel mode's own only if it is asked for.
    export(
      "SeCaptureSecurityDescriptor(OriginalSecurityDescriptor, CurrentMode, PoolType, CaptureIfKernel, CapturedSecurityDescriptor)",
      irql: .passive
    ) {
      (
        kernel, original: Pointer<SECURITY_DESCRIPTOR>, mode: KPROCESSOR_MODE, type: POOL_TYPE, captures: UInt8,
        result: Pointer<GuestWord>
      ) -> NTSTATUS in
      guard !original.isNull else {
        try result.store(0)
        return .success
      }
      guard mode == .userMode || captures != 0 else {
        try result.store(GuestWord(original.address))
        return .success
      }
      do {
        guard try original.isValid else { return NTSTATUS(rawValue: 0xc000_0058) }
        let parts = try original.parts()
        try result.store(GuestWord(kernel.store(parts.map(\.bytes), control: original.Control.load(), type)))
        return .success
      } catch let exception as GuestException where mode == .userMode { return exception.code }
    },
    // nf-ntifs-sereleasesecuritydescriptor
    export("SeReleaseSecurityDescriptor(CapturedSecurityDescriptor, CurrentMode, CaptureIfKernelMode)", irql: .passive) {
      (kernel, descriptor: GuestWord, mode: KPROCESSOR_MODE, captures: UInt8) -> NTSTATUS in
      if descriptor.bits != 0, mode == .userMode || captures != 0 { try kernel.freePool(descriptor.bits) }
      return .success
    },
    // nf-ntifs-sequerysecuritydescriptorinfo
    export("SeQuerySecurityDescriptorInfo(SecurityInformation, SecurityDescriptor, Length, ObjectsSecurityDescriptor)", irql: .passive) {
      (
        kernel, information: Pointer<UInt32>, target: Pointer<SECURITY_DESCRIPTOR>, length: Pointer<UInt32>,
        object: Pointer<GuestWord>
      ) -> NTSTATUS in
      try kernel.querySecurity(object.load().bits, SecurityInformation(rawValue: information.load()), target, length)
    },
    // nf-ntifs-sesetsecuritydescriptorinfo
    export(
      "SeSetSecurityDescriptorInfo(Object, SecurityInformation, ModificationDescriptor, ObjectsSecurityDescriptor, PoolType, GenericMapping)",
      irql: .passive
    ) {
      (
        kernel, object: GuestWord, information: Pointer<UInt32>, change: Pointer<SECURITY_DESCRIPTOR>, current: Pointer<GuestWord>,
        type: POOL_TYPE, mapping: Pointer<GENERIC_MAPPING>
      ) -> NTSTATUS in
      let old = try current.load().bits
      // STATUS_NO_SECURITY_ON_OBJECT
      guard old != 0 else { return NTSTATUS(rawValue: 0xc000_00d7) }
      let new = try kernel.merge(Pointer(old, in: kernel.memory.memory), SecurityInformation(rawValue: information.load()), change, type)
      try current.store(GuestWord(new))
      return .success
    }
    .uncertain("the old descriptor is left to the caller"),
    // nf-wdm-seassignsecurity
    export(
      "SeAssignSecurity(ParentDescriptor, ExplicitDescriptor, NewDescriptor, IsDirectoryObject, SubjectContext, GenericMapping, PoolType)",
      irql: .passive
    ) {
      (
        kernel, parent: Pointer<SECURITY_DESCRIPTOR>, explicit: Pointer<SECURITY_DESCRIPTOR>, result: Pointer<GuestWord>,
        isDirectory: UInt8, context: Pointer<SECURITY_SUBJECT_CONTEXT>, mapping: Pointer<GENERIC_MAPPING>, type: POOL_TYPE
      ) -> NTSTATUS in
      try result.store(GuestWord(kernel.assignSecurity(explicit, kernel.token(of: context), type)))
      return .success
    }
    .partially("entries are not inherited from the parent's descriptor"),
    // nf-wdm-sedeassignsecurity
    export("SeDeassignSecurity(SecurityDescriptor)", irql: .passive) { (kernel, descriptor: Pointer<GuestWord>) -> NTSTATUS in
      let block = try descriptor.load().bits
      if block != 0 { try kernel.freePool(block) }
      try descriptor.store(0)
      return .success
    },
  ]

  private static func setSecurity(_ name: String) -> Export {
    // nf-ntifs-zwsetsecurityobject
    export("\(name)(Handle, SecurityInformation, SecurityDescriptor)", irql: .passive) {
      (kernel, handle: GuestWord, information: UInt32, descriptor: Pointer<SECURITY_DESCRIPTOR>) -> NTSTATUS in
      // STATUS_INVALID_SECURITY_DESCR's neighbour: no descriptor at all is an access violation of user mode's.
      guard !descriptor.isNull else { return .accessViolation }
      return try kernel.guarded(name) {
        let wanted = SecurityInformation(rawValue: information)
        // WRITE_OWNER for owner and group, WRITE_DAC, ACCESS_SYSTEM_SECURITY.
        var access: UInt32 = wanted.isDisjoint(with: [.owner, .group]) ? 0 : 0x8_0000
        if wanted.contains(.dacl) { access |= 0x4_0000 }
        if wanted.contains(.sacl) { access |= 0x100_0000 }
        switch try kernel.object(handle.bits, access: access, type: 0, mode: kernel.mode(of: name)) {
        case .failure(let refusal): return refusal.status
        case .success(let entry): return try kernel.setSecurity(of: entry.object, wanted, descriptor)
        }
      }
    }
    .partially("a file system is not asked: the descriptor of a file's device is meant")
  }

  private static func querySecurity(_ name: String) -> Export {
    // nf-ntifs-zwquerysecurityobject
    export("\(name)(Handle, SecurityInformation, SecurityDescriptor, Length, LengthNeeded)", irql: .passive) {
      (
        kernel, handle: GuestWord, information: UInt32, target: Pointer<SECURITY_DESCRIPTOR>, length: UInt32, needed: Pointer<UInt32>
      ) -> NTSTATUS in
      try kernel.guarded(name) {
        switch try kernel.object(handle.bits, access: 0x2_0000, type: 0, mode: kernel.mode(of: name)) {
        case .failure(let refusal): return refusal.status
        case .success(let entry):
          try needed.store(length)
          return try kernel.querySecurity(
            kernel.securityDescriptor(of: entry.object), SecurityInformation(rawValue: information), target, needed)
        }
      }
    }
    .partially("a file system is not asked: the descriptor of a file's device is meant")
  }
}

extension Kernel {
  /// Where an object's descriptor hangs: a device's own member for a device or a file of one, else the object header's.
  private func securityPlace(of object: UInt64) throws -> Pointer<GuestWord> {
    let here = memory.memory
    switch kind(of: object) {
    case .file:
      let device = try Pointer<FILE_OBJECT>(object, in: here).DeviceObject.load()
      return device.isNull ? header(of: object).SecurityDescriptor.cast() : device.SecurityDescriptor.cast()
    case .device: return Pointer<DEVICE_OBJECT>(object, in: here).SecurityDescriptor.cast()
    default: return header(of: object).SecurityDescriptor.cast()
    }
  }

  /// The address of an object's self-relative descriptor; 0 where it has none. The low three bits count references.
  public func securityDescriptor(of object: UInt64) throws -> UInt64 {
    let place = try securityPlace(of: object)
    if kind(of: object) == .key { try refreshDescriptor(ofKeyObject: object, at: place) }
    return try place.load().bits & ~7
  }

  /// Gives back what an object that goes has in memory of its own.
  func releaseDescriptor(ofObject object: UInt64) throws { releaseDescriptor(try securityPlace(of: object).load().bits & ~7) }

  /// Replaces what `information` names of the object's descriptor.
  func setSecurity(of object: UInt64, _ information: SecurityInformation, _ change: Pointer<SECURITY_DESCRIPTOR>) throws -> NTSTATUS {
    guard try change.isValid else { return NTSTATUS(rawValue: 0xc000_0079) }
    let place = try securityPlace(of: object)
    let old = try securityDescriptor(of: object)
    // The block is the object's, not the caller's.
    let caller = self.caller.address
    defer { self.caller.address = caller }
    self.caller.address = 0
    let new = try merge(Pointer(old, in: memory.memory), information, change, POOL_TYPE(rawValue: 1))
    try place.store(GuestWord(new))
    releaseDescriptor(old)
    configuration.open[object]?.key.ownSecurity = try SecurityParts(Pointer(new, in: memory.memory))
    return .success
  }

  /// Gives an object's own descriptor back: it goes with the object.
  func releaseDescriptor(_ descriptor: UInt64) {
    if pagedPool.blocks[descriptor]?.tag == Self.descriptorTag { _ = pagedPool.free(descriptor) }
  }

  /// "SeSd"
  private static let descriptorTag: UInt32 = 0x6453_6553

  /// A self-relative descriptor in pool: of `current`, with what `information` names taken from `change`.
  func merge(
    _ current: Pointer<SECURITY_DESCRIPTOR>, _ information: SecurityInformation, _ change: Pointer<SECURITY_DESCRIPTOR>,
    _ type: POOL_TYPE
  ) throws -> UInt64 {
    var parts = try current.isNull ? Array(repeating: [UInt8](), count: 4) : current.parts().map(\.bytes)
    let new = try change.parts().map(\.bytes)
    var control = try current.isNull ? 0 : current.Control.load()
    // In the order of the parts: system list, discretionary list, owner, group; with the bits that say a list is present.
    let kinds: [(SecurityInformation, UInt16)] = [(.sacl, 0x10), (.dacl, 4), (.owner, 0), (.group, 0)]
    for (index, (kind, present)) in kinds.enumerated() where information.contains(kind) {
      parts[index] = new[index]
      control = try control & ~present | change.Control.load() & present
    }
    return try store(parts, control: control, type)
  }

  /// A fresh descriptor: what is explicit, and from the subject's token what is not.
  func assignSecurity(_ explicit: Pointer<SECURITY_DESCRIPTOR>, _ token: Token, _ type: POOL_TYPE) throws -> UInt64 {
    var parts = try explicit.isNull ? Array(repeating: [UInt8](), count: 4) : explicit.parts().map(\.bytes)
    var control = try explicit.isNull ? 0 : explicit.Control.load()
    if control & 4 == 0 {
      parts[1] = defaultList(for: token)
      control |= 4
    }
    if parts[2].isEmpty { parts[2] = token.user.bytes }
    if parts[3].isEmpty { parts[3] = (token.groups.first?.sid ?? token.user).bytes }
    return try store(parts, control: control, type)
  }

  /// Writes a self-relative descriptor of these parts: system list, discretionary list, owner, group.
  func store(_ parts: [[UInt8]], control: UInt16, _ type: POOL_TYPE) throws -> UInt64 {
    let size = parts.reduce(20) { $0 + ($1.count + 3) / 4 * 4 }
    let block =
      type.isPaged
      ? try pagedPool.allocate(UInt64(size), tag: Self.descriptorTag, in: memory)
      : try nonPagedPool.allocate(UInt64(size), tag: Self.descriptorTag, in: memory)
    guard let block else { throw GuestException(.insufficientResources) }
    let descriptor = Pointer<SECURITY_DESCRIPTOR>(block, in: memory.memory)
    try descriptor.Revision.store(1)
    try descriptor.Control.store(control | 0x8000)
    var offset: UInt64 = 20
    for (bytes, member) in zip(parts, descriptor.members) where !bytes.isEmpty {
      try memory.memory.write(bytes, at: block + offset)
      try member.store(GuestWord(offset))
      offset += UInt64((bytes.count + 3) / 4 * 4)
    }
    return block
  }

  /// Writes the parts that are asked for, self-relative; STATUS_BUFFER_TOO_SMALL with the size that it takes.
  func querySecurity(
    _ descriptor: UInt64, _ information: SecurityInformation, _ target: Pointer<SECURITY_DESCRIPTOR>, _ length: Pointer<UInt32>
  ) throws -> NTSTATUS {
    let here = memory.memory
    let source = Pointer<SECURITY_DESCRIPTOR>(descriptor, in: here)
    var parts = try descriptor == 0 ? Array(repeating: [UInt8](), count: 4) : source.parts().map(\.bytes)
    var control = try descriptor == 0 ? 0 : source.Control.load()
    let kinds: [(SecurityInformation, UInt16)] = [(.sacl, 0x10), (.dacl, 4), (.owner, 0), (.group, 0)]
    for (index, (kind, present)) in kinds.enumerated() where !information.contains(kind) {
      parts[index] = []
      control &= ~present
    }
    let size = UInt32(parts.reduce(20) { $0 + ($1.count + 3) / 4 * 4 })
    let room = try length.load()
    try length.store(size)
    guard room >= size, !target.isNull else { return .bufferTooSmall }
    let copy = try store(parts, control: control, POOL_TYPE(rawValue: 1))
    defer { _ = pagedPool.free(copy) }
    try here.write(here.bytes(Int(size), at: copy), at: target.address)
    return .success
  }
}
