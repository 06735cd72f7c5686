import Guest

/// The callbacks of one operation (`fltKernel.h`, `ns-fltkernel-_flt_operation_registration`).
public struct FLT_OPERATION_REGISTRATION: GuestStructure {
  public static let name = "_FLT_OPERATION_REGISTRATION"
  public let MajorFunction: Field<IRP_MJ>
  public let Flags: Field<UInt32>
  public let PreOperation: Field<Pointer<Procedure<FLT_PREOP_CALLBACK_STATUS>>>
  public let PostOperation: Field<Pointer<Procedure<FLT_POSTOP_CALLBACK_STATUS>>>
  public let Reserved1: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x14,
      FLT_OPERATION_REGISTRATION(MajorFunction: 0x00, Flags: 0x04, PreOperation: 0x08, PostOperation: 0x0c, Reserved1: 0x10)
    ))
}

/// A kind of context that a minifilter keeps (`fltKernel.h`, `ns-fltkernel-_flt_context_registration`).
public struct FLT_CONTEXT_REGISTRATION: GuestStructure {
  public static let name = "_FLT_CONTEXT_REGISTRATION"
  public let ContextType: Field<UInt16>
  public let Flags: Field<UInt16>
  public let CleanupCallback: Field<Pointer<Procedure<Void>>>
  public let Size: Field<GuestWord>
  public let PoolTag: Field<UInt32>
  public let AllocateCallback: Field<Pointer<Procedure<Pointer<Void>>>>
  public let FreeCallback: Field<Pointer<Procedure<Void>>>
  public let Reserved1: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      FLT_CONTEXT_REGISTRATION(
        ContextType: 0x00, Flags: 0x02, CleanupCallback: 0x04, Size: 0x08, PoolTag: 0x0c, AllocateCallback: 0x10,
        FreeCallback: 0x14, Reserved1: 0x18
      )
    ))
}

/// A minifilter, as it registers itself: version 0x0200 (`fltKernel.h`, `ns-fltkernel-_flt_registration`).
public struct FLT_REGISTRATION: GuestStructure {
  public static let name = "_FLT_REGISTRATION"
  public let Size: Field<UInt16>
  public let Version: Field<UInt16>
  public let Flags: Field<UInt32>
  public let ContextRegistration: Field<Pointer<FLT_CONTEXT_REGISTRATION>>
  public let OperationRegistration: Field<Pointer<FLT_OPERATION_REGISTRATION>>
  public let FilterUnloadCallback: Field<Pointer<Procedure<NTSTATUS>>>
  public let InstanceSetupCallback: Field<Pointer<Procedure<NTSTATUS>>>
  public let InstanceQueryTeardownCallback: Field<Pointer<Procedure<NTSTATUS>>>
  public let InstanceTeardownStartCallback: Field<Pointer<Procedure<Void>>>
  public let InstanceTeardownCompleteCallback: Field<Pointer<Procedure<Void>>>
  public let GenerateFileNameCallback: Field<Pointer<Procedure<NTSTATUS>>>
  public let NormalizeNameComponentCallback: Field<Pointer<Procedure<NTSTATUS>>>
  public let NormalizeContextCleanupCallback: Field<Pointer<Procedure<Void>>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x30,
      FLT_REGISTRATION(
        Size: 0x00, Version: 0x02, Flags: 0x04, ContextRegistration: 0x08, OperationRegistration: 0x0c, FilterUnloadCallback: 0x10,
        InstanceSetupCallback: 0x14, InstanceQueryTeardownCallback: 0x18, InstanceTeardownStartCallback: 0x1c,
        InstanceTeardownCompleteCallback: 0x20, GenerateFileNameCallback: 0x24, NormalizeNameComponentCallback: 0x28,
        NormalizeContextCleanupCallback: 0x2c
      )
    ))
}
