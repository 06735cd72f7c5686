import Guest

/// Who asks: the tokens of a thread at one moment (`wdm.h`).
public struct SECURITY_SUBJECT_CONTEXT: GuestStructure {
  public static let name = "_SECURITY_SUBJECT_CONTEXT"
  public let ClientToken: Field<Pointer<Void>>
  public let ImpersonationLevel: Field<UInt32>
  public let PrimaryToken: Field<Pointer<Void>>
  public let ProcessAuditId: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      SECURITY_SUBJECT_CONTEXT(ClientToken: 0x00, ImpersonationLevel: 0x04, PrimaryToken: 0x08, ProcessAuditId: 0x0c)
    ))
}

/// An access under way: what was asked for, and what is granted so far (`wdm.h`).
public struct ACCESS_STATE: GuestStructure {
  public static let name = "_ACCESS_STATE"
  public let OperationID: Field<UInt64>
  public let SecurityEvaluated: Field<UInt8>
  public let GenerateAudit: Field<UInt8>
  public let GenerateOnClose: Field<UInt8>
  public let PrivilegesAllocated: Field<UInt8>
  public let Flags: Field<UInt32>
  public let RemainingDesiredAccess: Field<UInt32>
  public let PreviouslyGrantedAccess: Field<UInt32>
  public let OriginalDesiredAccess: Field<UInt32>
  public let SubjectSecurityContext: Field<SECURITY_SUBJECT_CONTEXT>
  public let SecurityDescriptor: Field<Pointer<Void>>
  public let AuxData: Field<Pointer<Void>>
  public let Privileges: Field<UInt32>
  public let AuditPrivileges: Field<UInt8>
  public let ObjectName: Field<UNICODE_STRING>
  public let ObjectTypeName: Field<UNICODE_STRING>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x74,
      ACCESS_STATE(
        OperationID: 0x00, SecurityEvaluated: 0x08, GenerateAudit: 0x09, GenerateOnClose: 0x0a, PrivilegesAllocated: 0x0b, Flags: 0x0c,
        RemainingDesiredAccess: 0x10, PreviouslyGrantedAccess: 0x14, OriginalDesiredAccess: 0x18, SubjectSecurityContext: 0x1c,
        SecurityDescriptor: 0x2c, AuxData: 0x30, Privileges: 0x34, AuditPrivileges: 0x60, ObjectName: 0x64, ObjectTypeName: 0x6c
      )
    ))
}

/// A client that a server may act for (`ntifs.h`).
public struct SECURITY_CLIENT_CONTEXT: GuestStructure {
  public static let name = "_SECURITY_CLIENT_CONTEXT"
  public let Length: Field<UInt32>
  public let ImpersonationLevel: Field<UInt32>
  public let ContextTrackingMode: Field<UInt8>
  public let EffectiveOnly: Field<UInt8>
  public let ClientToken: Field<Pointer<Void>>
  public let DirectlyAccessClientToken: Field<UInt8>
  public let DirectAccessEffectiveOnly: Field<UInt8>
  public let ServerIsRemote: Field<UInt8>
  public let ClientTokenControl: Field<UInt64>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x3c,
      SECURITY_CLIENT_CONTEXT(
        Length: 0x00, ImpersonationLevel: 0x04, ContextTrackingMode: 0x08, EffectiveOnly: 0x09, ClientToken: 0x0c,
        DirectlyAccessClientToken: 0x10, DirectAccessEffectiveOnly: 0x11, ServerIsRemote: 0x12,
        ClientTokenControl: Field(0x14, count: 5)
      )
    ))
}
