import Guest
import WindowsTypes

extension Export {
  /// Auditing: the run's machine audits nothing, as a fresh workstation.
  static let auditing: [Export] = [
    // nf-ntifs-seauditingfileeventswithcontext and its like: FALSE.
    export("SeAuditingAnyFileEventsWithContext(SecurityDescriptor, SubjectSecurityContext)", irql: .passive) {
      (_, descriptor: GuestWord, context: GuestWord) -> UInt8 in 0
    },
    export("SeAuditingFileEventsWithContext(AccessGranted, SecurityDescriptor, SubjectSecurityContext)", irql: .passive) {
      (_, granted: UInt8, descriptor: GuestWord, context: GuestWord) -> UInt8 in 0
    },
    export("SeAuditingFileOrGlobalEvents(AccessGranted, SecurityDescriptor, SubjectSecurityContext)", irql: .passive) {
      (_, granted: UInt8, descriptor: GuestWord, context: GuestWord) -> UInt8 in 0
    },
    export("SeAuditingHardLinkEvents(AccessGranted, SecurityDescriptor)", irql: .passive) {
      (_, granted: UInt8, descriptor: GuestWord) -> UInt8 in 0
    },
    export("SeAuditingHardLinkEventsWithContext(AccessGranted, SecurityDescriptor, SubjectSecurityContext)", irql: .passive) {
      (_, granted: UInt8, descriptor: GuestWord, context: GuestWord) -> UInt8 in 0
    },
    // nf-ntifs-seaudithardlinkcreation; nf-ntifs-seaudithardlinkcreationwithtransaction
    export("SeAuditHardLinkCreation(FileName, LinkName, bSuccess)", irql: .passive) {
      (_, file: GuestWord, link: GuestWord, success: UInt8) in
    },
    export("SeAuditHardLinkCreationWithTransaction(FileName, LinkName, bSuccess, TransactionId)", irql: .passive) {
      (_, file: GuestWord, link: GuestWord, success: UInt8, transaction: GuestWord) in
    },
    // nf-ntifs-seaudittransactionstatechange
    export("SeAuditTransactionStateChange(TransactionId, ResourceManagerId, NewTransactionState)", irql: .passive) {
      (_, transaction: GuestWord, manager: GuestWord, state: UInt32) in
    },
    // SeCloseObjectAuditAlarm, SeDeleteObjectAuditAlarm (nf-ntifs-sedeleteobjectauditalarm)
    export("SeCloseObjectAuditAlarm(Object, Handle, GenerateOnClose)", irql: .passive) {
      (_, object: GuestWord, handle: GuestWord, generate: UInt8) in
    },
    export("SeDeleteObjectAuditAlarm(Object, Handle)", irql: .passive) { (_, object: GuestWord, handle: GuestWord) in },
    export("SeDeleteObjectAuditAlarmWithTransaction(Object, Handle, TransactionId)", irql: .passive) {
      (_, object: GuestWord, handle: GuestWord, transaction: GuestWord) in
    },
    // nf-ntifs-seopenobjectfordeleteauditalarm; with a transaction as well.
    export(
      "SeOpenObjectForDeleteAuditAlarm(ObjectTypeName, Object, AbsoluteObjectName, SecurityDescriptor, AccessState, ObjectCreated, AccessGranted, AccessMode, GenerateOnClose)",
      irql: .passive
    ) {
      (
        _, type: GuestWord, object: GuestWord, name: GuestWord, descriptor: GuestWord, state: GuestWord, created: UInt8, granted: UInt8,
        mode: UInt8, generate: Pointer<UInt8>
      ) in try generate.store(0)
    },
    openAlarm("SeOpenObjectForDeleteAuditAlarmWithTransaction"), openAlarm("SeOpenObjectAuditAlarmWithTransaction"),
    // SePrivilegeObjectAuditAlarm (ntifs.h)
    export(
      "SePrivilegeObjectAuditAlarm(Handle, SubjectSecurityContext, DesiredAccess, Privileges, AccessGranted, AccessMode)", irql: .passive
    ) {
      (_, handle: GuestWord, context: GuestWord, access: UInt32, privileges: GuestWord, granted: UInt8, mode: UInt8) in
    },
    // nf-ntifs-sereportsecurityevent: the event would go to the LSA.
    export("SeReportSecurityEvent(Flags, SourceName, UserSid, AuditParameters)", irql: .passive) {
      (kernel, flags: UInt32, source: Pointer<UNICODE_STRING>, sid: GuestWord, parameters: Pointer<UInt32>) -> NTSTATUS in
      try kernel.reportSecurityEvent(flags, source, parameters)
    }
    .partially(noLog),
    export("SeReportSecurityEventWithSubCategory(Flags, SourceName, UserSid, AuditParameters, AuditSubcategoryId)", irql: .passive) {
      (
        kernel, flags: UInt32, source: Pointer<UNICODE_STRING>, sid: GuestWord, parameters: Pointer<UInt32>, category: UInt32
      ) -> NTSTATUS in
      try kernel.reportSecurityEvent(flags, source, parameters)
    }
    .partially(noLog),
    // nf-ntifs-sesetauditparameter: SE_ADT_PARAMETER_ARRAY has a head of 0x18 bytes, and 32 entries of 0x14.
    export("SeSetAuditParameter(AuditParameters, Type, Index, Data)", irql: .passive) {
      (kernel, parameters: Pointer<UInt32>, type: UInt32, index: UInt32, data: GuestWord) -> NTSTATUS in
      guard !parameters.isNull, index < 32, let size = try kernel.auditSize(type, data.bits) else { return .invalidParameter }
      let memory = kernel.memory.memory
      let entry = Pointer<UInt32>(parameters.address &+ 0x18 &+ 0x14 &* UInt64(index), in: memory)
      try memory.fill(0, count: 0x14, at: entry.address)
      try entry.store(type)
      try entry[1].store(size)
      // Numbers lie in the entry itself, up to eight bytes; else it has their address.
      if [3, 5, 12, 20].contains(type) {
        for word in 0..<Int(size / 4) { try entry[2 + word].store(memory.load(UInt32.self, at: data.bits &+ UInt64(4 * word))) }
      } else {
        try entry[4].store(UInt32(truncatingIfNeeded: data.bits))
      }
      try parameters[2].store(max(parameters[2].load(), index + 1))
      return .success
    }
    .partially("the types of strings, files, identifiers, numbers, pointers and logons alone"),
  ]

  private static let noLog = "the trace is told: there is no security log"

  private static func openAlarm(_ name: String) -> Export {
    export(
      "\(name)(ObjectTypeName, Object, AbsoluteObjectName, SecurityDescriptor, AccessState, ObjectCreated, AccessGranted, AccessMode, TransactionId, GenerateOnClose)",
      irql: .passive
    ) {
      (
        _, type: GuestWord, object: GuestWord, text: GuestWord, descriptor: GuestWord, state: GuestWord, created: UInt8, granted: UInt8,
        mode: UInt8, transaction: GuestWord, generate: Pointer<UInt8>
      ) in try generate.store(0)
    }
  }
}

extension Kernel {
  fileprivate func reportSecurityEvent(
    _ flags: UInt32, _ source: Pointer<UNICODE_STRING>, _ parameters: Pointer<UInt32>
  ) throws -> NTSTATUS {
    // No flag is known (nf-ntifs-sereportsecurityevent).
    guard flags == 0, !source.isNull, !parameters.isNull else { return .invalidParameter }
    stream.append(.note("\(try source.string()) reports security event \(try parameters[1].load())"))
    return .success
  }

  /// What SE_ADT_PARAMETER_TYPE says of a parameter's length: file name 2, string 1, number 3, identifier 4, logon 5, pointer 12, 64 bits 20.
  fileprivate func auditSize(_ type: UInt32, _ data: UInt64) throws -> UInt32? {
    switch type {
    case 1, 2: UInt32(try Pointer<UNICODE_STRING>(data, in: memory.memory).Length.load()) + 8
    case 3, 12: 4
    case 4: UInt32(try Pointer<SID>(data, in: memory.memory).length)
    case 5, 20: 8
    default: nil
    }
  }
}
