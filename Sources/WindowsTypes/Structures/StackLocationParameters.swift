import Guest

/// The unnamed type of `IO_STACK_LOCATION_Parameters.Create`.
public struct IO_STACK_LOCATION_Parameters_Create: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let SecurityContext: Field<Pointer<IO_SECURITY_CONTEXT>>
  public let Options: Field<UInt32>
  public let FileAttributes: Field<UInt16>
  public let ShareAccess: Field<UInt16>
  public let EaLength: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters_Create(
        SecurityContext: 0x00, Options: 0x04, FileAttributes: 0x08, ShareAccess: 0x0a, EaLength: 0x0c
      )
    ))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.Read`.
public struct IO_STACK_LOCATION_Parameters_Read: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let Key: Field<UInt32>
  public let ByteOffset: Field<LARGE_INTEGER>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, IO_STACK_LOCATION_Parameters_Read(Length: 0x00, Key: 0x04, ByteOffset: 0x08)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.Write`.
public struct IO_STACK_LOCATION_Parameters_Write: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let Key: Field<UInt32>
  public let ByteOffset: Field<LARGE_INTEGER>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, IO_STACK_LOCATION_Parameters_Write(Length: 0x00, Key: 0x04, ByteOffset: 0x08)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.QueryDirectory`.
public struct IO_STACK_LOCATION_Parameters_QueryDirectory: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FileName: Field<Pointer<UNICODE_STRING>>
  public let FileInformationClass: Field<UInt32>
  public let FileIndex: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters_QueryDirectory(Length: 0x00, FileName: 0x04, FileInformationClass: 0x08, FileIndex: 0x0c)
    ))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.NotifyDirectory`.
public struct IO_STACK_LOCATION_Parameters_NotifyDirectory: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let CompletionFilter: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, IO_STACK_LOCATION_Parameters_NotifyDirectory(Length: 0x00, CompletionFilter: 0x04)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.QueryFile`.
public struct IO_STACK_LOCATION_Parameters_QueryFile: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FileInformationClass: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, IO_STACK_LOCATION_Parameters_QueryFile(Length: 0x00, FileInformationClass: 0x04)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.SetFile`.
public struct IO_STACK_LOCATION_Parameters_SetFile: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FileInformationClass: Field<UInt32>
  public let FileObject: Field<Pointer<FILE_OBJECT>>
  public let ReplaceIfExists: Field<UInt8>
  public let AdvanceOnly: Field<UInt8>
  public let ClusterCount: Field<UInt32>
  public let DeleteHandle: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters_SetFile(
        Length: 0x00, FileInformationClass: 0x04, FileObject: 0x08, ReplaceIfExists: 0x0c, AdvanceOnly: 0x0d, ClusterCount: 0x0c,
        DeleteHandle: 0x0c
      )
    ))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.QueryEa`.
public struct IO_STACK_LOCATION_Parameters_QueryEa: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let EaList: Field<Pointer<Void>>
  public let EaListLength: Field<UInt32>
  public let EaIndex: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, IO_STACK_LOCATION_Parameters_QueryEa(Length: 0x00, EaList: 0x04, EaListLength: 0x08, EaIndex: 0x0c)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.SetEa`.
public struct IO_STACK_LOCATION_Parameters_SetEa: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, IO_STACK_LOCATION_Parameters_SetEa(Length: 0x00)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.QueryVolume`.
public struct IO_STACK_LOCATION_Parameters_QueryVolume: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FsInformationClass: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, IO_STACK_LOCATION_Parameters_QueryVolume(Length: 0x00, FsInformationClass: 0x04)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.SetVolume`.
public struct IO_STACK_LOCATION_Parameters_SetVolume: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FsInformationClass: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, IO_STACK_LOCATION_Parameters_SetVolume(Length: 0x00, FsInformationClass: 0x04)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.FileSystemControl`.
public struct IO_STACK_LOCATION_Parameters_FileSystemControl: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let FsControlCode: Field<IOControlCode>
  public let Type3InputBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters_FileSystemControl(
        OutputBufferLength: 0x00, InputBufferLength: 0x04, FsControlCode: 0x08, Type3InputBuffer: 0x0c
      )
    ))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.LockControl`.
public struct IO_STACK_LOCATION_Parameters_LockControl: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<Pointer<LARGE_INTEGER>>
  public let Key: Field<UInt32>
  public let ByteOffset: Field<LARGE_INTEGER>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, IO_STACK_LOCATION_Parameters_LockControl(Length: 0x00, Key: 0x04, ByteOffset: 0x08)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.DeviceIoControl`.
public struct IO_STACK_LOCATION_Parameters_DeviceIoControl: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let OutputBufferLength: Field<UInt32>
  public let InputBufferLength: Field<UInt32>
  public let IoControlCode: Field<IOControlCode>
  public let Type3InputBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters_DeviceIoControl(
        OutputBufferLength: 0x00, InputBufferLength: 0x04, IoControlCode: 0x08, Type3InputBuffer: 0x0c
      )
    ))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.QuerySecurity`.
public struct IO_STACK_LOCATION_Parameters_QuerySecurity: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let SecurityInformation: Field<UInt32>
  public let Length: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, IO_STACK_LOCATION_Parameters_QuerySecurity(SecurityInformation: 0x00, Length: 0x04)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.SetSecurity`.
public struct IO_STACK_LOCATION_Parameters_SetSecurity: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let SecurityInformation: Field<UInt32>
  public let SecurityDescriptor: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, IO_STACK_LOCATION_Parameters_SetSecurity(SecurityInformation: 0x00, SecurityDescriptor: 0x04)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.MountVolume`.
public struct IO_STACK_LOCATION_Parameters_MountVolume: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Vpb: Field<Pointer<VPB>>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, IO_STACK_LOCATION_Parameters_MountVolume(Vpb: 0x00, DeviceObject: 0x04)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.VerifyVolume`.
public struct IO_STACK_LOCATION_Parameters_VerifyVolume: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Vpb: Field<Pointer<VPB>>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, IO_STACK_LOCATION_Parameters_VerifyVolume(Vpb: 0x00, DeviceObject: 0x04)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.Scsi`.
public struct IO_STACK_LOCATION_Parameters_Scsi: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Srb: Field<Pointer<SCSI_REQUEST_BLOCK>>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, IO_STACK_LOCATION_Parameters_Scsi(Srb: 0x00)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.QueryQuota`.
public struct IO_STACK_LOCATION_Parameters_QueryQuota: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let StartSid: Field<Pointer<Void>>
  public let SidList: Field<Pointer<Void>>
  public let SidListLength: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters_QueryQuota(Length: 0x00, StartSid: 0x04, SidList: 0x08, SidListLength: 0x0c)
    ))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.SetQuota`.
public struct IO_STACK_LOCATION_Parameters_SetQuota: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, IO_STACK_LOCATION_Parameters_SetQuota(Length: 0x00)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.QueryDeviceRelations`.
public struct IO_STACK_LOCATION_Parameters_QueryDeviceRelations: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let `Type`: Field<UInt32>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, IO_STACK_LOCATION_Parameters_QueryDeviceRelations(Type: 0x00)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.QueryInterface`.
public struct IO_STACK_LOCATION_Parameters_QueryInterface: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let InterfaceType: Field<Pointer<Void>>
  public let Size: Field<UInt16>
  public let Version: Field<UInt16>
  public let Interface: Field<Pointer<Void>>
  public let InterfaceSpecificData: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters_QueryInterface(
        InterfaceType: 0x00, Size: 0x04, Version: 0x06, Interface: 0x08, InterfaceSpecificData: 0x0c
      )
    ))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.DeviceCapabilities`.
public struct IO_STACK_LOCATION_Parameters_DeviceCapabilities: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Capabilities: Field<Pointer<Void>>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, IO_STACK_LOCATION_Parameters_DeviceCapabilities(Capabilities: 0x00)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.ReadWriteConfig`.
public struct IO_STACK_LOCATION_Parameters_ReadWriteConfig: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let WhichSpace: Field<UInt32>
  public let Buffer: Field<Pointer<Void>>
  public let Offset: Field<UInt32>
  public let Length: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters_ReadWriteConfig(WhichSpace: 0x00, Buffer: 0x04, Offset: 0x08, Length: 0x0c)
    ))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.QueryId`.
public struct IO_STACK_LOCATION_Parameters_QueryId: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let IdType: Field<UInt32>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, IO_STACK_LOCATION_Parameters_QueryId(IdType: 0x00)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.Power`.
public struct IO_STACK_LOCATION_Parameters_Power: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let SystemContext: Field<UInt32>
  public let `Type`: Field<UInt32>
  public let State: Field<UInt32>
  public let ShutdownType: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, IO_STACK_LOCATION_Parameters_Power(SystemContext: 0x00, Type: 0x04, State: 0x08, ShutdownType: 0x0c)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.StartDevice`.
public struct IO_STACK_LOCATION_Parameters_StartDevice: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let AllocatedResources: Field<Pointer<Void>>
  public let AllocatedResourcesTranslated: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x8,
      IO_STACK_LOCATION_Parameters_StartDevice(AllocatedResources: 0x00, AllocatedResourcesTranslated: 0x04)
    ))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.WMI`.
public struct IO_STACK_LOCATION_Parameters_WMI: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let ProviderId: Field<GuestWord>
  public let DataPath: Field<Pointer<Void>>
  public let BufferSize: Field<UInt32>
  public let Buffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, IO_STACK_LOCATION_Parameters_WMI(ProviderId: 0x00, DataPath: 0x04, BufferSize: 0x08, Buffer: 0x0c)))
}

/// The unnamed type of `IO_STACK_LOCATION_Parameters.Others`.
public struct IO_STACK_LOCATION_Parameters_Others: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Argument1: Field<Pointer<Void>>
  public let Argument2: Field<Pointer<Void>>
  public let Argument3: Field<Pointer<Void>>
  public let Argument4: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters_Others(Argument1: 0x00, Argument2: 0x04, Argument3: 0x08, Argument4: 0x0c)
    ))
}
