import Guest

/// An operation, as a minifilter sees it (`fltKernel.h`, `ns-fltkernel-_flt_callback_data`).
public struct FLT_CALLBACK_DATA: GuestStructure {
  public static let name = "_FLT_CALLBACK_DATA"
  public let Flags: Field<CallbackDataFlags>
  public let Thread: Field<Pointer<ETHREAD>>
  public let Iopb: Field<Pointer<FLT_IO_PARAMETER_BLOCK>>
  public let IoStatus: Field<IO_STATUS_BLOCK>
  public let TagData: Field<Pointer<FLT_TAG_DATA_BUFFER>>
  public let QueueLinks: Field<LIST_ENTRY>
  public let QueueContext: Field<Pointer<Void>>
  public let FilterContext: Field<Pointer<Void>>
  public let RequestorMode: Field<KPROCESSOR_MODE>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x2c,
      FLT_CALLBACK_DATA(
        Flags: 0x00, Thread: 0x04, Iopb: 0x08, IoStatus: 0x0c, TagData: 0x14, QueueLinks: 0x18, QueueContext: Field(0x20, count: 2),
        FilterContext: Field(0x18, count: 4), RequestorMode: 0x28
      )
    ))
}

/// The parameters of an operation (`fltKernel.h`, `ns-fltkernel-_flt_io_parameter_block`).
public struct FLT_IO_PARAMETER_BLOCK: GuestStructure {
  public static let name = "_FLT_IO_PARAMETER_BLOCK"
  public let IrpFlags: Field<IRPFlags>
  public let MajorFunction: Field<IRP_MJ>
  public let MinorFunction: Field<UInt8>
  public let OperationFlags: Field<UInt8>
  public let Reserved: Field<UInt8>
  public let TargetFileObject: Field<Pointer<FILE_OBJECT>>
  public let TargetInstance: Field<Pointer<FLT_INSTANCE>>
  public let Parameters: Field<FLT_PARAMETERS>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x2c,
      FLT_IO_PARAMETER_BLOCK(
        IrpFlags: 0x00, MajorFunction: 0x04, MinorFunction: 0x05, OperationFlags: 0x06, Reserved: 0x07, TargetFileObject: 0x08,
        TargetInstance: 0x0c, Parameters: 0x10
      )
    ))
}

/// The objects that an operation concerns (`fltKernel.h`, `ns-fltkernel-_flt_related_objects`).
public struct FLT_RELATED_OBJECTS: GuestStructure {
  public static let name = "_FLT_RELATED_OBJECTS"
  public let Size: Field<UInt16>
  public let TransactionContext: Field<UInt16>
  public let Filter: Field<Pointer<FLT_FILTER>>
  public let Volume: Field<Pointer<FLT_VOLUME>>
  public let Instance: Field<Pointer<FLT_INSTANCE>>
  public let FileObject: Field<Pointer<FILE_OBJECT>>
  public let Transaction: Field<Pointer<KTRANSACTION>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_RELATED_OBJECTS(
        Size: 0x00, TransactionContext: 0x02, Filter: 0x04, Volume: 0x08, Instance: 0x0c, FileObject: 0x10, Transaction: 0x14
      )
    ))
}
