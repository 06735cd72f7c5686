import Guest

/// Who wants to be asked about handles (`wdm.h`, `ns-wdm-_ob_callback_registration`).
public struct OB_CALLBACK_REGISTRATION: GuestStructure {
  public static let name = "_OB_CALLBACK_REGISTRATION"
  public let Version: Field<UInt16>
  public let OperationRegistrationCount: Field<UInt16>
  public let Altitude: Field<UNICODE_STRING>
  public let RegistrationContext: Field<Pointer<Void>>
  public let OperationRegistration: Field<Pointer<OB_OPERATION_REGISTRATION>>

  public static let layouts = Layouts(
    (
      .windows7_x86, 0x14,
      OB_CALLBACK_REGISTRATION(
        Version: 0x00, OperationRegistrationCount: 0x02, Altitude: 0x04, RegistrationContext: 0x0c, OperationRegistration: 0x10)
    ))
}

/// Which operations on handles of one type, and whom to call (`wdm.h`, `ns-wdm-_ob_operation_registration`).
public struct OB_OPERATION_REGISTRATION: GuestStructure {
  public static let name = "_OB_OPERATION_REGISTRATION"
  public let ObjectType: Field<Pointer<GuestWord>>
  public let Operations: Field<UInt32>
  public let PreOperation: Field<Pointer<Procedure<Void>>>
  public let PostOperation: Field<Pointer<Procedure<Void>>>

  public static let layouts = Layouts(
    (
      .windows7_x86, 0x10,
      OB_OPERATION_REGISTRATION(ObjectType: 0x00, Operations: 0x04, PreOperation: 0x08, PostOperation: 0x0c)
    ))
}
