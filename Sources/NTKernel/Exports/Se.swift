import Guest
import WindowsTypes

extension Export {
  /// Who asks, and whether it is granted.
  static let securityChecks: [Export] = [
    // nf-ntifs-secapturesubjectcontext
    export("SeCaptureSubjectContext(SubjectContext)", irql: .passive) { (kernel, context: Pointer<SECURITY_SUBJECT_CONTEXT>) in
      try kernel.capture(context)
    },
    // nf-ntifs-selocksubjectcontext: nothing of a run's changes a token meanwhile.
    export("SeLockSubjectContext(SubjectContext)", irql: .passive) { (_, context: Pointer<SECURITY_SUBJECT_CONTEXT>) in },
    // nf-ntifs-seunlocksubjectcontext
    export("SeUnlockSubjectContext(SubjectContext)", irql: .passive) { (_, context: Pointer<SECURITY_SUBJECT_CONTEXT>) in },
    // nf-ntifs-sereleasesubjectcontext
    export("SeReleaseSubjectContext(SubjectContext)", irql: .passive) { (kernel, context: Pointer<SECURITY_SUBJECT_CONTEXT>) in
      try kernel.release(context)
    },
    // nf-wdm-seaccesscheck
    export(
      "SeAccessCheck(SecurityDescriptor, SubjectSecurityContext, SubjectContextLocked, DesiredAccess, PreviouslyGrantedAccess, Privileges, GenericMapping, AccessMode, GrantedAccess, AccessStatus)",
      irql: .passive
    ) {
      (
        kernel, descriptor: Pointer<SECURITY_DESCRIPTOR>, context: Pointer<SECURITY_SUBJECT_CONTEXT>, locked: UInt8, desired: UInt32,
        previous: UInt32, privileges: Pointer<GuestWord>, mapping: Pointer<GENERIC_MAPPING>, mode: KPROCESSOR_MODE,
        granted: Pointer<UInt32>, status: Pointer<NTSTATUS>
      ) -> UInt8 in
      if !privileges.isNull { try privileges.store(0) }
      if mode == .kernelMode {
        // MAXIMUM_ALLOWED
        let all = desired & 0x200_0000 != 0 ? try mapping.mapping().all : 0
        try granted.store(desired & ~0x200_0000 | all | previous)
        try status.store(.success)
        return 1
      }
      let decision = try kernel.accessCheck(
        descriptor: descriptor, token: kernel.token(of: context), desired: desired, genericMapping: mapping.mapping(), previous: previous)
      try granted.store(decision.granted)
      try status.store(decision.status)
      if !privileges.isNull, !decision.privileges.isEmpty {
        try privileges.store(GuestWord(kernel.makePrivilegeSet(decision.privileges)))
      }
      return decision.status.isSuccess ? 1 : 0
    }
    .partially("Windows 7's integrity levels, and entries for single properties of an object, are not looked at"),
    // nf-ntifs-sefreeprivileges
    export("SeFreePrivileges(Privileges)", irql: .passive) { (kernel, privileges: GuestWord) in
      if privileges.bits != 0 { try kernel.freePool(privileges.bits) }
    },
    // nf-ntifs-seprivilegecheck: PRIVILEGE_SET is a count, a flag that all are necessary, and the privileges.
    export("SePrivilegeCheck(RequiredPrivileges, SubjectSecurityContext, AccessMode)", irql: .passive) {
      (kernel, set: Pointer<UInt32>, context: Pointer<SECURITY_SUBJECT_CONTEXT>, mode: KPROCESSOR_MODE) -> UInt8 in
      if mode == .kernelMode { return 1 }
      let token = try kernel.token(of: context)
      var found = 0
      let count = Int(min(try set.load(), 64))
      for index in 0..<count where token.hasEnabled(try set[2 + 3 * index].load()) {
        // SE_PRIVILEGE_USED_FOR_ACCESS
        try set[4 + 3 * index].store(set[4 + 3 * index].load() | 0x8000_0000)
        found += 1
      }
      return try found == count || set[1].load() & 1 == 0 && found > 0 ? 1 : 0
    },
    // nf-ntddk-sesingleprivilegecheck
    export("SeSinglePrivilegeCheck(PrivilegeValue, PreviousMode)", irql: .passive) {
      (kernel, privilege: UInt64, mode: KPROCESSOR_MODE) -> UInt8 in
      try mode == .kernelMode || kernel.currentToken().hasEnabled(UInt32(truncatingIfNeeded: privilege)) ? 1 : 0
    },
    // No reference page; `ntifs.h` declares it. AuxData holds the mapping at 8 (ReactOS: SeCreateAccessState).
    export("SeCreateAccessState(AccessState, AuxData, DesiredAccess, GenericMapping)", irql: .passive) {
      (
        kernel, state: Pointer<ACCESS_STATE>, auxiliary: Pointer<GuestWord>, desired: UInt32, mapping: Pointer<GENERIC_MAPPING>
      ) -> NTSTATUS in
      try state.zero()
      let access = mapping.isNull ? desired : try mapping.mapping().map(desired)
      try state.OperationID.store(kernel.allocateLUID())
      try state.AuxData.store(auxiliary.cast())
      try state.OriginalDesiredAccess.store(access)
      try state.RemainingDesiredAccess.store(access)
      try kernel.capture(state.SubjectSecurityContext)
      if !auxiliary.isNull {
        try kernel.memory.memory.fill(0, count: 0x30, at: auxiliary.address)
        if !mapping.isNull {
          try kernel.memory.memory.write(kernel.memory.memory.bytes(16, at: mapping.address), at: auxiliary.address + 8)
        }
      }
      return .success
    }
    .uncertain("AUX_ACCESS_DATA is not documented: it is zeroed, with the mapping at offset 8"),
    // nf-ntifs-sedeleteaccessstate
    export("SeDeleteAccessState(AccessState)", irql: .passive) { (kernel, state: Pointer<ACCESS_STATE>) in
      try kernel.release(state.SubjectSecurityContext)
    },
    // nf-ntifs-seappendprivileges
    export("SeAppendPrivileges(AccessState, Privileges)", irql: .passive) {
      (_, state: Pointer<ACCESS_STATE>, added: Pointer<UInt32>) -> NTSTATUS in
      let set = state.Privileges
      let (count, more) = (try set.load(), try added.load())
      // INITIAL_PRIVILEGE_SET has room for three.
      guard UInt64(count) + UInt64(more) <= 3 else { return .insufficientResources }
      for word in 0..<Int(3 * more) { try set[2 + 3 * Int(count) + word].store(added[2 + word].load()) }
      try set.store(count + more)
      return .success
    }
    .partially("more than the three privileges that ACCESS_STATE has room for are STATUS_INSUFFICIENT_RESOURCES"),
    // nf-ntifs-seauditingfileevents: the run's machine audits nothing.
    export("SeAuditingFileEvents(AccessGranted, SecurityDescriptor)", irql: .passive) {
      (_, isGranted: UInt8, descriptor: Pointer<SECURITY_DESCRIPTOR>) -> UInt8 in 0
    },
  ]
}

extension Pointer where Pointee == GENERIC_MAPPING {
  func mapping() throws -> GenericMapping {
    GenericMapping(
      read: try self.GenericRead.load(), write: try self.GenericWrite.load(), execute: try self.GenericExecute.load(),
      all: try self.GenericAll.load())
  }
}

extension Kernel {
  /// What the running thread acts with.
  func currentToken() throws -> Token {
    guard let running else { throw KernelError("no thread runs") }
    return try effectiveToken(of: running)
  }

  func capture(_ context: Pointer<SECURITY_SUBJECT_CONTEXT>) throws {
    guard let running else { throw KernelError("no thread runs") }
    let client = try impersonated(by: running)
    let primary = try primaryToken(of: running.owner)
    let here = memory.memory
    if let client { try reference(client.token.object, for: nil) }
    try reference(primary.object, for: nil)
    try context.ClientToken.store(Pointer(client?.token.object ?? 0, in: here))
    try context.ImpersonationLevel.store(client?.level ?? 0)
    try context.PrimaryToken.store(Pointer(primary.object, in: here))
    try context.ProcessAuditId.store(running.owner.object.UniqueProcessId.load())
  }

  func release(_ context: Pointer<SECURITY_SUBJECT_CONTEXT>) throws {
    let null = Pointer<Void>(0, in: memory.memory)
    for member in [context.ClientToken, context.PrimaryToken] {
      let token = try member.load()
      if try self.token(at: token.address) != nil { try decrement(token.address) }
      try member.store(null)
    }
  }

  /// The token that a captured context stands for. What is none is the running thread's.
  func token(of context: Pointer<SECURITY_SUBJECT_CONTEXT>) throws -> Token {
    if let client = try token(at: context.ClientToken.load().address) { return client }
    return try token(at: context.PrimaryToken.load().address) ?? currentToken()
  }

  /// A `PRIVILEGE_SET` that its reader frees.
  func makePrivilegeSet(_ numbers: [UInt32]) throws -> UInt64 {
    guard let block = try pagedPool.allocate(UInt64(8 + 12 * numbers.count), tag: 0x7250_6553, in: memory) else { return 0 }
    try memory.memory.store(UInt32(numbers.count), at: block)
    for (index, number) in numbers.enumerated() {
      try memory.memory.store(number, at: block + 8 + 12 * UInt64(index))
      try memory.memory.store(0x8000_0000 as UInt32, at: block + 16 + 12 * UInt64(index))
    }
    return block
  }
}
