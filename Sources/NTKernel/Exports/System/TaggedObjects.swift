import Guest
import WindowsTypes

extension Export {
  /// Handles and releases with tags, handles looked up, and checks of access to an object.
  static let taggedObjects: [Export] = [
    // nf-ntifs-obopenobjectbypointerwithtag
    export(
      "ObOpenObjectByPointerWithTag(Object, HandleAttributes, PassedAccessState, DesiredAccess, ObjectType, AccessMode, Tag, Handle)",
      irql: .passive
    ) {
      (
        kernel, object: GuestWord, attributes: UInt32, state: GuestWord, access: UInt32, type: GuestWord, mode: KPROCESSOR_MODE,
        tag: UInt32, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.openObject(object.bits, attributes, access, type.bits, result)
    },
    // nf-wdm-obdereferenceobjectdeferdeletewithtag
    export("ObDereferenceObjectDeferDeleteWithTag(Object, Tag)", irql: .dispatch) {
      (kernel, object: GuestWord, tag: UInt32) async throws in
      _ = try await kernel.call(kernel.trapAddress(of: "ObDereferenceObjectDeferDelete"), [object.bits])
    },
    // nf-ntifs-obiskernelhandle: the high bit, but for the handles that mean the current process and thread.
    export("ObIsKernelHandle(Handle)") { (_, handle: GuestWord) -> UInt8 in
      handle.bits & 0x8000_0000 != 0 && handle.bits < 0xffff_fffe ? 1 : 0
    },
    // ObFindHandleForObject (no page): a handle of the process to the object, or to any of a type.
    export("ObFindHandleForObject(Process, Object, ObjectType, MatchCriteria, Handle)", irql: .apc) {
      (
        kernel, process: GuestWord, object: GuestWord, type: GuestWord, criteria: Pointer<UInt32>, result: Pointer<GuestWord>
      ) -> UInt8 in
      guard let owner = kernel.process(at: process.bits), !owner.hasExited else { return 0 }
      // OBJECT_HANDLE_INFORMATION: attributes, and the access that was granted.
      let granted = criteria.isNull ? nil : try criteria[1].load()
      for handle in kernel.handles.handles(of: owner.id) {
        guard let entry = kernel.handles[handle, owner.id] else { continue }
        guard object.bits == 0 || entry.object == object.bits, try kernel.isOfType(entry.object, type.bits) else { continue }
        if let granted, granted != entry.grantedAccess { continue }
        try result.store(GuestWord(handle))
        return 1
      }
      return 0
    }
    .partially("of what is to match, the handle's attributes are not looked at"),
    // nf-ntifs (no page): nothing is audited.
    export("ObQueryObjectAuditingByHandle(Handle, GenerateOnClose)", irql: .passive) {
      (kernel, handle: GuestWord, generate: Pointer<UInt8>) -> NTSTATUS in
      guard try kernel.entry(of: handle.bits) != nil else { return .invalidHandle }
      try generate.store(0)
      return .success
    },
    // ObReferenceSecurityDescriptor (ntifs.h): of those that ObLogSecurityDescriptor shares.
    export("ObReferenceSecurityDescriptor(SecurityDescriptor, Count)", irql: .passive) { (kernel, descriptor: GuestWord, count: UInt32) in
      kernel.sharedDescriptors.all[descriptor.bits]?.count &+= count
    },
    // ObAssignSecurity (no page): a fresh object's descriptor, from what its creator says and its own token.
    export("ObAssignSecurity(AccessState, ParentDescriptor, Object, Type)", irql: .passive) {
      (kernel, state: Pointer<ACCESS_STATE>, parent: GuestWord, object: GuestWord, type: GuestWord) -> NTSTATUS in
      let explicit: Pointer<SECURITY_DESCRIPTOR> = try state.SecurityDescriptor.load().cast()
      guard try explicit.isNull || explicit.isValid else { return .invalidSecurityDescriptor }
      let new = try kernel.assignSecurity(explicit, kernel.token(of: state.SubjectSecurityContext), POOL_TYPE(rawValue: 1))
      let status = try kernel.setSecurity(
        of: object.bits, [.owner, .group, .dacl, .sacl], Pointer<SECURITY_DESCRIPTOR>(new, in: kernel.memory.memory))
      try kernel.freePool(new)
      return status
    }
    .partially("entries are not inherited from the parent's descriptor"),
    // ObCheckObjectAccess, ObCheckCreateObjectAccess (no page): what is granted leaves the state's remaining access.
    export("ObCheckObjectAccess(Object, AccessState, TypeMutexLocked, AccessMode, AccessStatus)", irql: .passive) {
      (
        kernel, object: GuestWord, state: Pointer<ACCESS_STATE>, locked: UInt8, mode: KPROCESSOR_MODE, status: Pointer<NTSTATUS>
      ) -> UInt8 in
      try kernel.checkAccess(to: object.bits, state, state.RemainingDesiredAccess.load(), mode, status)
    },
    export(
      "ObCheckCreateObjectAccess(Object, CreateAccess, AccessState, ComponentName, TypeMutexLocked, PreviousMode, AccessStatus)",
      irql: .passive
    ) {
      (
        kernel, object: GuestWord, access: UInt32, state: Pointer<ACCESS_STATE>, name: GuestWord, locked: UInt8, mode: KPROCESSOR_MODE,
        status: Pointer<NTSTATUS>
      ) -> UInt8 in
      try kernel.checkAccess(to: object.bits, state, access, mode, status)
    },
    // ObSetSecurityDescriptorInfo (no page): SeSetSecurityDescriptorInfo for descriptors that are shared.
    export(
      "ObSetSecurityDescriptorInfo(Object, SecurityInformation, SecurityDescriptor, ObjectsSecurityDescriptor, PoolType, GenericMapping)",
      irql: .passive
    ) {
      (
        kernel, object: GuestWord, information: Pointer<UInt32>, change: Pointer<SECURITY_DESCRIPTOR>, current: Pointer<GuestWord>,
        type: POOL_TYPE, mapping: GuestWord
      ) -> NTSTATUS in
      try kernel.changeDescriptor(information, change, current, type)
    }
    .partially("the new descriptor is not shared with other objects, and the old one is left to the caller"),
    // nf-ntifs-sesetsecuritydescriptorinfoex
    export(
      "SeSetSecurityDescriptorInfoEx(Object, SecurityInformation, ModificationDescriptor, ObjectsSecurityDescriptor, AutoInheritFlags, PoolType, GenericMapping)",
      irql: .passive
    ) {
      (
        kernel, object: GuestWord, information: Pointer<UInt32>, change: Pointer<SECURITY_DESCRIPTOR>, current: Pointer<GuestWord>,
        flags: UInt32, type: POOL_TYPE, mapping: GuestWord
      ) -> NTSTATUS in
      try kernel.changeDescriptor(information, change, current, type)
    }
    .partially("nothing is inherited, so the flags for that change nothing"),
  ]
}

extension Kernel {
  fileprivate func checkAccess(
    to object: UInt64, _ state: Pointer<ACCESS_STATE>, _ desired: UInt32, _ mode: KPROCESSOR_MODE, _ status: Pointer<NTSTATUS>
  ) throws -> UInt8 {
    let descriptor = Pointer<SECURITY_DESCRIPTOR>(try securityDescriptor(of: object), in: memory.memory)
    // An object without a descriptor is everybody's.
    guard mode == .userMode, !descriptor.isNull else {
      try state.PreviouslyGrantedAccess.store(state.PreviouslyGrantedAccess.load() | desired & ~0x200_0000)
      try state.RemainingDesiredAccess.store(state.RemainingDesiredAccess.load() & ~desired)
      try status.store(.success)
      return 1
    }
    let mapping = GenericMapping(read: 0x2_0000, write: 0x2_0000, execute: 0x2_0000, all: 0x1f_ffff)
    let decision = try accessCheck(
      descriptor: descriptor, token: token(of: state.SubjectSecurityContext), desired: desired, genericMapping: mapping,
      previous: state.PreviouslyGrantedAccess.load())
    try status.store(decision.status)
    guard decision.status.isSuccess else { return 0 }
    try state.PreviouslyGrantedAccess.store(state.PreviouslyGrantedAccess.load() | decision.granted)
    try state.RemainingDesiredAccess.store(state.RemainingDesiredAccess.load() & ~(decision.granted | 0x200_0000))
    return 1
  }

  fileprivate func changeDescriptor(
    _ information: Pointer<UInt32>, _ change: Pointer<SECURITY_DESCRIPTOR>, _ current: Pointer<GuestWord>, _ type: POOL_TYPE
  ) throws -> NTSTATUS {
    let old = try current.load().bits
    // STATUS_NO_SECURITY_ON_OBJECT
    guard old != 0 else { return NTSTATUS(rawValue: 0xc000_00d7) }
    let new = try merge(Pointer(old, in: memory.memory), SecurityInformation(rawValue: information.load()), change, type)
    try current.store(GuestWord(new))
    return .success
  }
}
