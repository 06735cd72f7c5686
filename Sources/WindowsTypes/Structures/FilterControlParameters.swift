import Guest

/// The unnamed type of `FLT_PARAMETERS.DirectoryControl`.
public struct FLT_PARAMETERS_DirectoryControl: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let QueryDirectory: Field<FLT_PARAMETERS_DirectoryControl_QueryDirectory>
  public let NotifyDirectory: Field<FLT_PARAMETERS_DirectoryControl_NotifyDirectory>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x18, FLT_PARAMETERS_DirectoryControl(QueryDirectory: 0x00, NotifyDirectory: 0x00)))
}

/// The unnamed type of `FLT_PARAMETERS_DirectoryControl.QueryDirectory`.
public struct FLT_PARAMETERS_DirectoryControl_QueryDirectory: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FileName: Field<Pointer<UNICODE_STRING>>
  public let FileInformationClass: Field<UInt32>
  public let FileIndex: Field<UInt32>
  public let DirectoryBuffer: Field<Pointer<Void>>
  public let MdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_DirectoryControl_QueryDirectory(
        Length: 0x00, FileName: 0x04, FileInformationClass: 0x08, FileIndex: 0x0c, DirectoryBuffer: 0x10, MdlAddress: 0x14
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS_DirectoryControl.NotifyDirectory`.
public struct FLT_PARAMETERS_DirectoryControl_NotifyDirectory: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let CompletionFilter: Field<UInt32>
  public let Spare1: Field<UInt32>
  public let Spare2: Field<UInt32>
  public let DirectoryBuffer: Field<Pointer<Void>>
  public let MdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_DirectoryControl_NotifyDirectory(
        Length: 0x00, CompletionFilter: 0x04, Spare1: 0x08, Spare2: 0x0c, DirectoryBuffer: 0x10, MdlAddress: 0x14
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS.FileSystemControl`.
public struct FLT_PARAMETERS_FileSystemControl: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let VerifyVolume: Field<FLT_PARAMETERS_FileSystemControl_VerifyVolume>
  public let Common: Field<FLT_PARAMETERS_FileSystemControl_Common>
  public let Neither: Field<FLT_PARAMETERS_FileSystemControl_Neither>
  public let Buffered: Field<FLT_PARAMETERS_FileSystemControl_Buffered>
  public let Direct: Field<FLT_PARAMETERS_FileSystemControl_Direct>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_FileSystemControl(VerifyVolume: 0x00, Common: 0x00, Neither: 0x00, Buffered: 0x00, Direct: 0x00)
    ))
}

/// The unnamed type of `FLT_PARAMETERS_FileSystemControl.VerifyVolume`.
public struct FLT_PARAMETERS_FileSystemControl_VerifyVolume: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Vpb: Field<Pointer<VPB>>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, FLT_PARAMETERS_FileSystemControl_VerifyVolume(Vpb: 0x00, DeviceObject: 0x04)))
}

/// The unnamed type of `FLT_PARAMETERS_FileSystemControl.Common`.
public struct FLT_PARAMETERS_FileSystemControl_Common: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let FsControlCode: Field<IOControlCode>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0xc,
      FLT_PARAMETERS_FileSystemControl_Common(OutputBufferLength: 0x00, InputBufferLength: 0x04, FsControlCode: 0x08)
    ))
}

/// The unnamed type of `FLT_PARAMETERS_FileSystemControl.Neither`.
public struct FLT_PARAMETERS_FileSystemControl_Neither: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let FsControlCode: Field<IOControlCode>
  public let InputBuffer: Field<Pointer<Void>>
  public let OutputBuffer: Field<Pointer<Void>>
  public let OutputMdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_FileSystemControl_Neither(
        OutputBufferLength: 0x00, InputBufferLength: 0x04, FsControlCode: 0x08, InputBuffer: 0x0c, OutputBuffer: 0x10,
        OutputMdlAddress: 0x14
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS_FileSystemControl.Buffered`.
public struct FLT_PARAMETERS_FileSystemControl_Buffered: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let FsControlCode: Field<IOControlCode>
  public let SystemBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      FLT_PARAMETERS_FileSystemControl_Buffered(
        OutputBufferLength: 0x00, InputBufferLength: 0x04, FsControlCode: 0x08, SystemBuffer: 0x0c
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS_FileSystemControl.Direct`.
public struct FLT_PARAMETERS_FileSystemControl_Direct: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let FsControlCode: Field<IOControlCode>
  public let InputSystemBuffer: Field<Pointer<Void>>
  public let OutputBuffer: Field<Pointer<Void>>
  public let OutputMdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_FileSystemControl_Direct(
        OutputBufferLength: 0x00, InputBufferLength: 0x04, FsControlCode: 0x08, InputSystemBuffer: 0x0c, OutputBuffer: 0x10,
        OutputMdlAddress: 0x14
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS.DeviceIoControl`.
public struct FLT_PARAMETERS_DeviceIoControl: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Common: Field<FLT_PARAMETERS_DeviceIoControl_Common>
  public let Neither: Field<FLT_PARAMETERS_DeviceIoControl_Neither>
  public let Buffered: Field<FLT_PARAMETERS_DeviceIoControl_Buffered>
  public let Direct: Field<FLT_PARAMETERS_DeviceIoControl_Direct>
  public let FastIo: Field<FLT_PARAMETERS_DeviceIoControl_FastIo>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_DeviceIoControl(Common: 0x00, Neither: 0x00, Buffered: 0x00, Direct: 0x00, FastIo: 0x00)
    ))
}

/// The unnamed type of `FLT_PARAMETERS_DeviceIoControl.Common`.
public struct FLT_PARAMETERS_DeviceIoControl_Common: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let IoControlCode: Field<IOControlCode>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0xc,
      FLT_PARAMETERS_DeviceIoControl_Common(OutputBufferLength: 0x00, InputBufferLength: 0x04, IoControlCode: 0x08)
    ))
}

/// The unnamed type of `FLT_PARAMETERS_DeviceIoControl.Neither`.
public struct FLT_PARAMETERS_DeviceIoControl_Neither: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let IoControlCode: Field<IOControlCode>
  public let InputBuffer: Field<Pointer<Void>>
  public let OutputBuffer: Field<Pointer<Void>>
  public let OutputMdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_DeviceIoControl_Neither(
        OutputBufferLength: 0x00, InputBufferLength: 0x04, IoControlCode: 0x08, InputBuffer: 0x0c, OutputBuffer: 0x10,
        OutputMdlAddress: 0x14
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS_DeviceIoControl.Buffered`.
public struct FLT_PARAMETERS_DeviceIoControl_Buffered: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let IoControlCode: Field<IOControlCode>
  public let SystemBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      FLT_PARAMETERS_DeviceIoControl_Buffered(
        OutputBufferLength: 0x00, InputBufferLength: 0x04, IoControlCode: 0x08, SystemBuffer: 0x0c
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS_DeviceIoControl.Direct`.
public struct FLT_PARAMETERS_DeviceIoControl_Direct: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let IoControlCode: Field<IOControlCode>
  public let InputSystemBuffer: Field<Pointer<Void>>
  public let OutputBuffer: Field<Pointer<Void>>
  public let OutputMdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_DeviceIoControl_Direct(
        OutputBufferLength: 0x00, InputBufferLength: 0x04, IoControlCode: 0x08, InputSystemBuffer: 0x0c, OutputBuffer: 0x10,
        OutputMdlAddress: 0x14
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS_DeviceIoControl.FastIo`.
public struct FLT_PARAMETERS_DeviceIoControl_FastIo: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let IoControlCode: Field<IOControlCode>
  public let InputBuffer: Field<Pointer<Void>>
  public let OutputBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x14,
      FLT_PARAMETERS_DeviceIoControl_FastIo(
        OutputBufferLength: 0x00, InputBufferLength: 0x04, IoControlCode: 0x08, InputBuffer: 0x0c, OutputBuffer: 0x10
      )
    ))
}
