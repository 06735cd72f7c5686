import Guest

/// One driver's part of an I/O request (`wdm.h`, `ns-wdm-_io_stack_location`).
public struct IO_STACK_LOCATION: GuestStructure {
  public static let name = "_IO_STACK_LOCATION"
  public let MajorFunction: Field<IRP_MJ>
  public let MinorFunction: Field<UInt8>
  public let Flags: Field<UInt8>
  public let Control: Field<StackLocationControl>
  public let Parameters: Field<IO_STACK_LOCATION_Parameters>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>
  public let FileObject: Field<Pointer<FILE_OBJECT>>
  public let CompletionRoutine: Field<Pointer<Procedure<NTSTATUS>>>
  public let Context: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x24,
      IO_STACK_LOCATION(
        MajorFunction: 0x00, MinorFunction: 0x01, Flags: 0x02, Control: 0x03, Parameters: 0x04, DeviceObject: 0x14,
        FileObject: 0x18, CompletionRoutine: 0x1c, Context: 0x20
      )
    ))
}

/// The parameters of a request, by its major function: a union (`wdm.h`).
public struct IO_STACK_LOCATION_Parameters: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Create: Field<IO_STACK_LOCATION_Parameters_Create>
  public let Read: Field<IO_STACK_LOCATION_Parameters_Read>
  public let Write: Field<IO_STACK_LOCATION_Parameters_Write>
  public let QueryDirectory: Field<IO_STACK_LOCATION_Parameters_QueryDirectory>
  public let NotifyDirectory: Field<IO_STACK_LOCATION_Parameters_NotifyDirectory>
  public let QueryFile: Field<IO_STACK_LOCATION_Parameters_QueryFile>
  public let SetFile: Field<IO_STACK_LOCATION_Parameters_SetFile>
  public let QueryEa: Field<IO_STACK_LOCATION_Parameters_QueryEa>
  public let SetEa: Field<IO_STACK_LOCATION_Parameters_SetEa>
  public let QueryVolume: Field<IO_STACK_LOCATION_Parameters_QueryVolume>
  public let SetVolume: Field<IO_STACK_LOCATION_Parameters_SetVolume>
  public let FileSystemControl: Field<IO_STACK_LOCATION_Parameters_FileSystemControl>
  public let LockControl: Field<IO_STACK_LOCATION_Parameters_LockControl>
  public let DeviceIoControl: Field<IO_STACK_LOCATION_Parameters_DeviceIoControl>
  public let QuerySecurity: Field<IO_STACK_LOCATION_Parameters_QuerySecurity>
  public let SetSecurity: Field<IO_STACK_LOCATION_Parameters_SetSecurity>
  public let MountVolume: Field<IO_STACK_LOCATION_Parameters_MountVolume>
  public let VerifyVolume: Field<IO_STACK_LOCATION_Parameters_VerifyVolume>
  public let Scsi: Field<IO_STACK_LOCATION_Parameters_Scsi>
  public let QueryQuota: Field<IO_STACK_LOCATION_Parameters_QueryQuota>
  public let SetQuota: Field<IO_STACK_LOCATION_Parameters_SetQuota>
  public let QueryDeviceRelations: Field<IO_STACK_LOCATION_Parameters_QueryDeviceRelations>
  public let QueryInterface: Field<IO_STACK_LOCATION_Parameters_QueryInterface>
  public let DeviceCapabilities: Field<IO_STACK_LOCATION_Parameters_DeviceCapabilities>
  public let ReadWriteConfig: Field<IO_STACK_LOCATION_Parameters_ReadWriteConfig>
  public let QueryId: Field<IO_STACK_LOCATION_Parameters_QueryId>
  public let Power: Field<IO_STACK_LOCATION_Parameters_Power>
  public let StartDevice: Field<IO_STACK_LOCATION_Parameters_StartDevice>
  public let WMI: Field<IO_STACK_LOCATION_Parameters_WMI>
  public let Others: Field<IO_STACK_LOCATION_Parameters_Others>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_STACK_LOCATION_Parameters(
        Create: 0x00, Read: 0x00, Write: 0x00, QueryDirectory: 0x00, NotifyDirectory: 0x00, QueryFile: 0x00, SetFile: 0x00,
        QueryEa: 0x00, SetEa: 0x00, QueryVolume: 0x00, SetVolume: 0x00, FileSystemControl: 0x00, LockControl: 0x00,
        DeviceIoControl: 0x00, QuerySecurity: 0x00, SetSecurity: 0x00, MountVolume: 0x00, VerifyVolume: 0x00, Scsi: 0x00,
        QueryQuota: 0x00, SetQuota: 0x00, QueryDeviceRelations: 0x00, QueryInterface: 0x00, DeviceCapabilities: 0x00,
        ReadWriteConfig: 0x00, QueryId: 0x00, Power: 0x00, StartDevice: 0x00, WMI: 0x00, Others: 0x00
      )
    ))
}
