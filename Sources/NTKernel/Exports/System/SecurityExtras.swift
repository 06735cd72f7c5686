import Guest
import WindowsTypes

/// Descriptors that objects share, by address: what they say, and how many share each.
final class SharedDescriptors {
  var all: [UInt64: (bytes: [UInt8], count: UInt32)] = [:]
}

extension Export {
  /// Logon sessions, restricted tokens, and shared descriptors.
  static let securityExtras: [Export] = [
    // nf-ntifs-seregisterlogonsessionterminatedroutine
    export("SeRegisterLogonSessionTerminatedRoutine(CallbackRoutine)", irql: .passive) { (kernel, routine: GuestWord) -> NTSTATUS in
      guard routine.bits != 0 else { return .invalidParameter }
      kernel.register(Kernel.logonSessionRoutine, routine.bits)
      return .success
    }
    .partially("no logon session ends in a run, so the routine is never called"),
    // nf-ntifs-seunregisterlogonsessionterminatedroutine
    export("SeUnregisterLogonSessionTerminatedRoutine(CallbackRoutine)", irql: .passive) { (kernel, routine: GuestWord) -> NTSTATUS in
      kernel.unregister(Kernel.logonSessionRoutine, routine.bits) ? .success : .notFound
    },
    // nf-ntifs-semarklogonsessionforterminationnotification: a session is there while a token of it is.
    export("SeMarkLogonSessionForTerminationNotification(LogonId)", irql: .passive) {
      (kernel, id: Pointer<UInt64>) -> NTSTATUS in
      let id = try id.load()
      // Tokens are made when somebody asks for them; everybody's sessions are there from the start.
      for process in kernel.processes where !process.hasExited { _ = try kernel.primaryToken(of: process) }
      return kernel.security.tokens.values.contains { $0.authenticationID == id } ? .success : .notFound
    }
    .partially("no logon session ends in a run, so nobody is notified"),
    // nf-ntifs-sefiltertoken: DISABLE_MAX_PRIVILEGE 1, SANDBOX_INERT 2.
    export("SeFilterToken(ExistingToken, Flags, SidsToDisable, PrivilegesToDelete, RestrictedSids, FilteredToken)", irql: .passive) {
      (
        kernel, existing: GuestWord, flags: UInt32, disabled: Pointer<UInt32>, deleted: Pointer<UInt32>, restricted: Pointer<UInt32>,
        result: Pointer<GuestWord>
      ) -> NTSTATUS in
      try result.store(0)
      guard let token = try kernel.token(at: existing.bits), flags & ~0xf == 0 else { return .invalidParameter }
      let (disabled, restricted) = (try kernel.identifiers(disabled), try kernel.identifiers(restricted))
      // TOKEN_PRIVILEGES: a count, then LUID and attributes of each.
      let count = deleted.isNull ? 0 : Int(min(try deleted.load(), 64))
      let numbers = Set(try (0..<count).map { try deleted[1 + 3 * $0].load() })
      // Disabled groups only deny: SE_GROUP_USE_FOR_DENY_ONLY in place of SE_GROUP_ENABLED and its default.
      let groups = token.groups.map { disabled.contains($0.sid) ? ($0.sid, $0.attributes & ~6 | 0x10) : ($0.sid, $0.attributes) }
      let privileges = token.privileges.filter { flags & 1 != 0 ? $0.number == Privilege.changeNotify : !numbers.contains($0.number) }
      let new = try kernel.makeToken(
        token.user, groups: groups, privileges, logon: token.authenticationID, type: token.type, level: token.impersonationLevel)
      new.restricted = token.restricted.isEmpty ? restricted : token.restricted.filter { restricted.contains($0) || restricted.isEmpty }
      try result.store(GuestWord(new.object))
      return .success
    }
    .partially("the user itself is not disabled"),
    // nf-wdm-seassignsecurityex: SeAssignSecurity with a type for entries that mean objects, and flags for inheritance.
    export(
      "SeAssignSecurityEx(ParentDescriptor, ExplicitDescriptor, NewDescriptor, ObjectType, IsDirectoryObject, AutoInheritFlags, SubjectContext, GenericMapping, PoolType)",
      irql: .passive
    ) {
      (
        kernel, parent: Pointer<SECURITY_DESCRIPTOR>, explicit: Pointer<SECURITY_DESCRIPTOR>, result: Pointer<GuestWord>,
        type: GuestWord, isDirectory: UInt8, flags: UInt32, context: Pointer<SECURITY_SUBJECT_CONTEXT>,
        mapping: Pointer<GENERIC_MAPPING>, pool: POOL_TYPE
      ) -> NTSTATUS in
      if try !explicit.isNull && !explicit.isValid { return NTSTATUS(rawValue: 0xc000_0079) }
      try result.store(GuestWord(kernel.assignSecurity(explicit, kernel.token(of: context), pool)))
      return .success
    }
    .partially("entries are not inherited from the parent's descriptor, so the flags for that change nothing"),
    // nf-ntifs-selocateprocessimagename: a UNICODE_STRING in pool, which the caller frees.
    export("SeLocateProcessImageName(Process, pImageFileName)", irql: .passive) {
      (kernel, process: Pointer<EPROCESS>, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(0)
      guard let process = kernel.process(at: process.address) else { return .invalidParameter }
      let name = kernel.imagePath(of: process)
      let size = UInt64(8 + name.utf16.count * 2 + 2)
      // "SeOn"
      guard let block = try kernel.pagedPool.allocate(size, tag: 0x6e4f_6553, in: kernel.memory) else { return .noMemory }
      try Pointer<UNICODE_STRING>(block, in: kernel.memory.memory).store(name, buffer: Pointer(block + 8, in: kernel.memory.memory))
      try result.store(GuestWord(block))
      return .success
    },
    // nf-ntifs-seopenobjectauditalarm: the run's machine audits nothing.
    export(
      "SeOpenObjectAuditAlarm(ObjectTypeName, Object, AbsoluteObjectName, SecurityDescriptor, AccessState, ObjectCreated, AccessGranted, AccessMode, GenerateOnClose)",
      irql: .passive
    ) {
      (
        _, type: GuestWord, object: GuestWord, name: GuestWord, descriptor: GuestWord, state: GuestWord, created: UInt8, granted: UInt8,
        mode: UInt8, generate: Pointer<UInt8>
      ) in try generate.store(0)
    },
    // ObLogSecurityDescriptor (ntifs.h): one copy of what many objects say.
    export("ObLogSecurityDescriptor(InputSecurityDescriptor, OutputSecurityDescriptor, RefBias)", irql: .passive) {
      (kernel, input: Pointer<SECURITY_DESCRIPTOR>, result: Pointer<GuestWord>, bias: UInt32) -> NTSTATUS in
      guard try !input.isNull && input.isValid else { return NTSTATUS(rawValue: 0xc000_0079) }
      let parts = try input.parts().map(\.bytes)
      let control = try input.Control.load() | 0x8000
      let key = parts.flatMap { [UInt8($0.count & 0xff), UInt8($0.count >> 8)] + $0 } + [UInt8(control & 0xff), UInt8(control >> 8)]
      let shared = kernel.sharedDescriptors
      if let known = shared.all.first(where: { $0.value.bytes == key }) {
        shared.all[known.key]?.count &+= bias
        try result.store(GuestWord(known.key))
        return .success
      }
      let new = try kernel.store(parts, control: control, POOL_TYPE(rawValue: 1))
      shared.all[new] = (key, bias)
      try result.store(GuestWord(new))
      return .success
    },
    // ObDereferenceSecurityDescriptor (ntifs.h)
    export("ObDereferenceSecurityDescriptor(SecurityDescriptor, Count)", irql: .passive) {
      (kernel, descriptor: GuestWord, count: UInt32) in
      let shared = kernel.sharedDescriptors
      guard let known = shared.all[descriptor.bits] else { return }
      shared.all[descriptor.bits]?.count = known.count &- min(count, known.count)
      guard known.count <= count else { return }
      shared.all[descriptor.bits] = nil
      try kernel.freePool(descriptor.bits)
    },
  ]
}

extension Kernel {
  static let logonSessionRoutine = "a logon session routine"
  var sharedDescriptors: SharedDescriptors { part { SharedDescriptors() } }

  /// The identifiers of a `TOKEN_GROUPS`; none for a null one.
  fileprivate func identifiers(_ groups: Pointer<UInt32>) throws -> [SecurityIdentifier] {
    guard !groups.isNull else { return [] }
    return try (0..<Int(min(groups.load(), 256))).compactMap { index in
      let sid = Pointer<SID>(UInt64(try groups[1 + 2 * index].load()), in: memory.memory)
      return SecurityIdentifier(try sid.bytes())
    }
  }
}
