import Guest

/// A file's name and its parts (`fltKernel.h`, `ns-fltkernel-_flt_file_name_information`).
public struct FLT_FILE_NAME_INFORMATION: GuestStructure {
  public static let name = "_FLT_FILE_NAME_INFORMATION"
  public let Size: Field<UInt16>
  public let NamesParsed: Field<UInt16>
  public let Format: Field<UInt32>
  public let Name: Field<UNICODE_STRING>
  public let Volume: Field<UNICODE_STRING>
  public let Share: Field<UNICODE_STRING>
  public let Extension: Field<UNICODE_STRING>
  public let Stream: Field<UNICODE_STRING>
  public let FinalComponent: Field<UNICODE_STRING>
  public let ParentDir: Field<UNICODE_STRING>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x40,
      FLT_FILE_NAME_INFORMATION(
        Size: 0x00, NamesParsed: 0x02, Format: 0x04, Name: 0x08, Volume: 0x10, Share: 0x18, Extension: 0x20, Stream: 0x28,
        FinalComponent: 0x30, ParentDir: 0x38
      )
    ))
}

/// What a volume is and on which devices it lies (`fltKernel.h`, `ns-fltkernel-_flt_volume_properties`).
public struct FLT_VOLUME_PROPERTIES: GuestStructure {
  public static let name = "_FLT_VOLUME_PROPERTIES"
  public let DeviceType: Field<UInt32>
  public let DeviceCharacteristics: Field<UInt32>
  public let DeviceObjectFlags: Field<UInt32>
  public let AlignmentRequirement: Field<UInt32>
  public let SectorSize: Field<UInt16>
  public let Reserved0: Field<UInt16>
  public let FileSystemDriverName: Field<UNICODE_STRING>
  public let FileSystemDeviceName: Field<UNICODE_STRING>
  public let RealDeviceName: Field<UNICODE_STRING>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x2c,
      FLT_VOLUME_PROPERTIES(
        DeviceType: 0x00, DeviceCharacteristics: 0x04, DeviceObjectFlags: 0x08, AlignmentRequirement: 0x0c, SectorSize: 0x10,
        Reserved0: 0x12, FileSystemDriverName: 0x14, FileSystemDeviceName: 0x1c, RealDeviceName: 0x24
      )
    ))
}

/// A filter's queue of operations that can be cancelled (`fltKernel.h`, `ns-fltkernel-_flt_callback_data_queue`).
public struct FLT_CALLBACK_DATA_QUEUE: GuestStructure {
  public static let name = "_FLT_CALLBACK_DATA_QUEUE"
  public let Csq: Field<UInt32>
  public let Flags: Field<UInt32>
  public let Instance: Field<Pointer<FLT_INSTANCE>>
  public let InsertIo: Field<Pointer<Procedure<NTSTATUS>>>
  public let RemoveIo: Field<Pointer<Procedure<Void>>>
  public let PeekNextIo: Field<Pointer<Procedure<Pointer<FLT_CALLBACK_DATA>>>>
  public let Acquire: Field<Pointer<Procedure<Void>>>
  public let Release: Field<Pointer<Procedure<Void>>>
  public let CompleteCanceledIo: Field<Pointer<Procedure<Void>>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x40,
      FLT_CALLBACK_DATA_QUEUE(
        Csq: Field(0x00, count: 8), Flags: 0x20, Instance: 0x24, InsertIo: 0x28, RemoveIo: 0x2c, PeekNextIo: 0x30, Acquire: 0x34,
        Release: 0x38, CompleteCanceledIo: 0x3c
      )
    ))
}
