import Guest
import WindowsTypes

extension Export {
  /// Who asks, once more; and the local security authority, which does not answer.
  static let subjects: [Export] = [
    // nf-ntifs-secapturesubjectcontextex: of a thread and a process that the caller names.
    export("SeCaptureSubjectContextEx(Thread, Process, SubjectContext)", irql: .passive) {
      (kernel, thread: GuestWord, process: GuestWord, context: Pointer<SECURITY_SUBJECT_CONTEXT>) in
      try kernel.capture(context, thread: thread.bits, process: process.bits)
    },
    // SeCreateAccessStateEx (ntifs.h): SeCreateAccessState of a thread and a process.
    export("SeCreateAccessStateEx(Thread, Process, AccessState, AuxData, DesiredAccess, GenericMapping)", irql: .passive) {
      (
        kernel, thread: GuestWord, process: GuestWord, state: Pointer<ACCESS_STATE>, auxiliary: GuestWord, desired: UInt32,
        mapping: GuestWord
      ) async throws -> NTSTATUS in
      let status = try await kernel.call(
        kernel.trapAddress(of: "SeCreateAccessState"), [state.address, auxiliary.bits, UInt64(desired), mapping.bits])
      try kernel.release(state.SubjectSecurityContext)
      try kernel.capture(state.SubjectSecurityContext, thread: thread.bits, process: process.bits)
      return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: status))
    }
    .uncertain("AUX_ACCESS_DATA is not documented: it is zeroed, with the mapping at offset 8"),
    // nf-ntifs-sesetaccessstategenericmapping
    export("SeSetAccessStateGenericMapping(AccessState, GenericMapping)", irql: .passive) {
      (kernel, state: Pointer<ACCESS_STATE>, mapping: GuestWord) in
      try kernel.move(16, from: mapping.bits, to: state.AuxData.load().address &+ 8)
    }
    .uncertain("AUX_ACCESS_DATA is not documented: the mapping lies at offset 8"),
    // nf-ntifs-sevalidsecuritydescriptor: a self-relative one within its length.
    export("SeValidSecurityDescriptor(Length, SecurityDescriptor)", irql: .passive) {
      (_, length: UInt32, descriptor: Pointer<SECURITY_DESCRIPTOR>) -> UInt8 in
      try !descriptor.isNull && descriptor.isValid(within: UInt64(length), 0) ? 1 : 0
    },
    // SeTokenImpersonationLevel (ntifs.h)
    export("SeTokenImpersonationLevel(Token)", irql: .passive) { (kernel, token: GuestWord) -> UInt32 in
      try kernel.token(at: token.bits)?.impersonationLevel ?? 0
    },
    // nf-ntifs-setokeniswriterestricted
    export("SeTokenIsWriteRestricted(Token)", irql: .passive) { (kernel, token: GuestWord) -> UInt8 in 0 }
      .partially("SeFilterToken makes no token that is restricted for writes alone"),
    // nf-ntifs-lsaregisterlogonprocess: nobody listens at the authority's port.
    export("LsaRegisterLogonProcess(LogonProcessName, LsaHandle, SecurityMode)", irql: .passive) {
      (_, name: Pointer<STRING>, handle: Pointer<GuestWord>, mode: GuestWord) -> NTSTATUS in
      guard try name.Length.load() <= 127 else { return .nameTooLong }
      return .objectNameNotFound
    },
    // No handle of the authority's was ever given out.
    export("LsaDeregisterLogonProcess(LsaHandle)", irql: .passive) { (_, handle: GuestWord) -> NTSTATUS in .invalidHandle },
    export("LsaLookupAuthenticationPackage(LsaHandle, PackageName, AuthenticationPackage)", irql: .passive) {
      (_, handle: GuestWord, name: Pointer<STRING>, package: GuestWord) -> NTSTATUS in
      guard try name.Length.load() <= 127 else { return .nameTooLong }
      return .invalidHandle
    },
    export(
      "LsaCallAuthenticationPackage(LsaHandle, AuthenticationPackage, ProtocolSubmitBuffer, SubmitBufferLength, ProtocolReturnBuffer, ReturnBufferLength, ProtocolStatus)",
      irql: .passive
    ) {
      (
        _, handle: GuestWord, package: UInt32, buffer: GuestWord, length: UInt32, result: GuestWord, resultLength: GuestWord,
        status: GuestWord
      ) -> NTSTATUS in .invalidHandle
    },
    export(
      "LsaLogonUser(LsaHandle, OriginName, LogonType, AuthenticationPackage, AuthenticationInformation, AuthenticationInformationLength, LocalGroups, SourceContext, ProfileBuffer, ProfileBufferLength, LogonId, Token, Quotas, SubStatus)",
      irql: .passive
    ) {
      (
        _, handle: GuestWord, origin: GuestWord, type: UInt32, package: UInt32, information: GuestWord, length: UInt32, groups: GuestWord,
        source: GuestWord, profile: GuestWord, profileLength: GuestWord, identifier: GuestWord, token: GuestWord, quotas: GuestWord,
        status: GuestWord
      ) -> NTSTATUS in .invalidHandle
    },
  ]
}

extension Kernel {
  fileprivate func capture(_ context: Pointer<SECURITY_SUBJECT_CONTEXT>, thread: UInt64, process: UInt64) throws {
    guard let owner = self.process(at: process) ?? running?.owner else { throw KernelError("no thread runs") }
    // Without a thread there is no client.
    let client = try threads.first { $0.object.address == thread }.flatMap { try impersonated(by: $0) }
    let primary = try primaryToken(of: owner)
    let here = memory.memory
    if let client { try reference(client.token.object, for: nil) }
    try reference(primary.object, for: nil)
    try context.ClientToken.store(Pointer(client?.token.object ?? 0, in: here))
    try context.ImpersonationLevel.store(client?.level ?? 0)
    try context.PrimaryToken.store(Pointer(primary.object, in: here))
    try context.ProcessAuditId.store(owner.object.UniqueProcessId.load())
  }
}
