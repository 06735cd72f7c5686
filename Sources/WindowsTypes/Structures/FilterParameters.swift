import Guest

/// The parameters of an operation, by its major function: a union, packed to four bytes (`fltKernel.h`).
public struct FLT_PARAMETERS: GuestStructure {
  public static let name = "_FLT_PARAMETERS"
  public let Create: Field<FLT_PARAMETERS_Create>
  public let Read: Field<FLT_PARAMETERS_Read>
  public let Write: Field<FLT_PARAMETERS_Write>
  public let QueryFileInformation: Field<FLT_PARAMETERS_QueryFileInformation>
  public let SetFileInformation: Field<FLT_PARAMETERS_SetFileInformation>
  public let QueryEa: Field<FLT_PARAMETERS_QueryEa>
  public let SetEa: Field<FLT_PARAMETERS_SetEa>
  public let QueryVolumeInformation: Field<FLT_PARAMETERS_QueryVolumeInformation>
  public let SetVolumeInformation: Field<FLT_PARAMETERS_SetVolumeInformation>
  public let DirectoryControl: Field<FLT_PARAMETERS_DirectoryControl>
  public let FileSystemControl: Field<FLT_PARAMETERS_FileSystemControl>
  public let DeviceIoControl: Field<FLT_PARAMETERS_DeviceIoControl>
  public let LockControl: Field<FLT_PARAMETERS_LockControl>
  public let QuerySecurity: Field<FLT_PARAMETERS_QuerySecurity>
  public let SetSecurity: Field<FLT_PARAMETERS_SetSecurity>
  public let WMI: Field<FLT_PARAMETERS_WMI>
  public let QueryQuota: Field<FLT_PARAMETERS_QueryQuota>
  public let SetQuota: Field<FLT_PARAMETERS_SetQuota>
  public let AcquireForSectionSynchronization: Field<FLT_PARAMETERS_AcquireForSectionSynchronization>
  public let AcquireForModifiedPageWriter: Field<FLT_PARAMETERS_AcquireForModifiedPageWriter>
  public let ReleaseForModifiedPageWriter: Field<FLT_PARAMETERS_ReleaseForModifiedPageWriter>
  public let FastIoCheckIfPossible: Field<FLT_PARAMETERS_FastIoCheckIfPossible>
  public let NetworkQueryOpen: Field<FLT_PARAMETERS_NetworkQueryOpen>
  public let MdlRead: Field<FLT_PARAMETERS_MdlRead>
  public let MdlReadComplete: Field<FLT_PARAMETERS_MdlReadComplete>
  public let PrepareMdlWrite: Field<FLT_PARAMETERS_PrepareMdlWrite>
  public let MdlWriteComplete: Field<FLT_PARAMETERS_MdlWriteComplete>
  public let MountVolume: Field<FLT_PARAMETERS_MountVolume>
  public let Others: Field<FLT_PARAMETERS_Others>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      FLT_PARAMETERS(
        Create: 0x00, Read: 0x00, Write: 0x00, QueryFileInformation: 0x00, SetFileInformation: 0x00, QueryEa: 0x00, SetEa: 0x00,
        QueryVolumeInformation: 0x00, SetVolumeInformation: 0x00, DirectoryControl: 0x00, FileSystemControl: 0x00,
        DeviceIoControl: 0x00, LockControl: 0x00, QuerySecurity: 0x00, SetSecurity: 0x00, WMI: 0x00, QueryQuota: 0x00,
        SetQuota: 0x00, AcquireForSectionSynchronization: 0x00, AcquireForModifiedPageWriter: 0x00,
        ReleaseForModifiedPageWriter: 0x00, FastIoCheckIfPossible: 0x00, NetworkQueryOpen: 0x00, MdlRead: 0x00,
        MdlReadComplete: 0x00, PrepareMdlWrite: 0x00, MdlWriteComplete: 0x00, MountVolume: 0x00, Others: 0x00
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS.Create`.
public struct FLT_PARAMETERS_Create: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let SecurityContext: Field<Pointer<IO_SECURITY_CONTEXT>>
  public let Options: Field<UInt32>
  public let FileAttributes: Field<UInt16>
  public let ShareAccess: Field<UInt16>
  public let EaLength: Field<UInt32>
  public let EaBuffer: Field<Pointer<Void>>
  public let AllocationSize: Field<LARGE_INTEGER>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      FLT_PARAMETERS_Create(
        SecurityContext: 0x00, Options: 0x04, FileAttributes: 0x08, ShareAccess: 0x0a, EaLength: 0x0c, EaBuffer: 0x10,
        AllocationSize: 0x14
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS.Read`.
public struct FLT_PARAMETERS_Read: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let Key: Field<UInt32>
  public let ByteOffset: Field<LARGE_INTEGER>
  public let ReadBuffer: Field<Pointer<Void>>
  public let MdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x18, FLT_PARAMETERS_Read(Length: 0x00, Key: 0x04, ByteOffset: 0x08, ReadBuffer: 0x10, MdlAddress: 0x14)))
}

/// The unnamed type of `FLT_PARAMETERS.Write`.
public struct FLT_PARAMETERS_Write: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let Key: Field<UInt32>
  public let ByteOffset: Field<LARGE_INTEGER>
  public let WriteBuffer: Field<Pointer<Void>>
  public let MdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x18, FLT_PARAMETERS_Write(Length: 0x00, Key: 0x04, ByteOffset: 0x08, WriteBuffer: 0x10, MdlAddress: 0x14)))
}

/// The unnamed type of `FLT_PARAMETERS.QueryFileInformation`.
public struct FLT_PARAMETERS_QueryFileInformation: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FileInformationClass: Field<UInt32>
  public let InfoBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0xc, FLT_PARAMETERS_QueryFileInformation(Length: 0x00, FileInformationClass: 0x04, InfoBuffer: 0x08)))
}

/// The unnamed type of `FLT_PARAMETERS.SetFileInformation`.
public struct FLT_PARAMETERS_SetFileInformation: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FileInformationClass: Field<UInt32>
  public let ParentOfTarget: Field<Pointer<FILE_OBJECT>>
  public let ReplaceIfExists: Field<UInt8>
  public let AdvanceOnly: Field<UInt8>
  public let ClusterCount: Field<UInt32>
  public let DeleteHandle: Field<Pointer<Void>>
  public let InfoBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x14,
      FLT_PARAMETERS_SetFileInformation(
        Length: 0x00, FileInformationClass: 0x04, ParentOfTarget: 0x08, ReplaceIfExists: 0x0c, AdvanceOnly: 0x0d,
        ClusterCount: 0x0c, DeleteHandle: 0x0c, InfoBuffer: 0x10
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS.QueryEa`.
public struct FLT_PARAMETERS_QueryEa: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let EaList: Field<Pointer<Void>>
  public let EaListLength: Field<UInt32>
  public let EaIndex: Field<UInt32>
  public let EaBuffer: Field<Pointer<Void>>
  public let MdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_QueryEa(Length: 0x00, EaList: 0x04, EaListLength: 0x08, EaIndex: 0x0c, EaBuffer: 0x10, MdlAddress: 0x14)
    ))
}

/// The unnamed type of `FLT_PARAMETERS.SetEa`.
public struct FLT_PARAMETERS_SetEa: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let EaBuffer: Field<Pointer<Void>>
  public let MdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts((.windowsXP_x86, 0xc, FLT_PARAMETERS_SetEa(Length: 0x00, EaBuffer: 0x04, MdlAddress: 0x08)))
}

/// The unnamed type of `FLT_PARAMETERS.QueryVolumeInformation`.
public struct FLT_PARAMETERS_QueryVolumeInformation: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FsInformationClass: Field<UInt32>
  public let VolumeBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0xc, FLT_PARAMETERS_QueryVolumeInformation(Length: 0x00, FsInformationClass: 0x04, VolumeBuffer: 0x08)))
}

/// The unnamed type of `FLT_PARAMETERS.SetVolumeInformation`.
public struct FLT_PARAMETERS_SetVolumeInformation: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let FsInformationClass: Field<UInt32>
  public let VolumeBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0xc, FLT_PARAMETERS_SetVolumeInformation(Length: 0x00, FsInformationClass: 0x04, VolumeBuffer: 0x08)))
}

/// The unnamed type of `FLT_PARAMETERS.LockControl`.
public struct FLT_PARAMETERS_LockControl: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<Pointer<LARGE_INTEGER>>
  public let Key: Field<UInt32>
  public let ByteOffset: Field<LARGE_INTEGER>
  public let ProcessId: Field<Pointer<EPROCESS>>
  public let FailImmediately: Field<UInt8>
  public let ExclusiveLock: Field<UInt8>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_LockControl(
        Length: 0x00, Key: 0x04, ByteOffset: 0x08, ProcessId: 0x10, FailImmediately: 0x14, ExclusiveLock: 0x15
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS.QuerySecurity`.
public struct FLT_PARAMETERS_QuerySecurity: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let SecurityInformation: Field<UInt32>
  public let Length: Field<UInt32>
  public let SecurityBuffer: Field<Pointer<Void>>
  public let MdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      FLT_PARAMETERS_QuerySecurity(SecurityInformation: 0x00, Length: 0x04, SecurityBuffer: 0x08, MdlAddress: 0x0c)
    ))
}

/// The unnamed type of `FLT_PARAMETERS.SetSecurity`.
public struct FLT_PARAMETERS_SetSecurity: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let SecurityInformation: Field<UInt32>
  public let SecurityDescriptor: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, FLT_PARAMETERS_SetSecurity(SecurityInformation: 0x00, SecurityDescriptor: 0x04)))
}

/// The unnamed type of `FLT_PARAMETERS.WMI`.
public struct FLT_PARAMETERS_WMI: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let ProviderId: Field<GuestWord>
  public let DataPath: Field<Pointer<Void>>
  public let BufferSize: Field<UInt32>
  public let Buffer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, FLT_PARAMETERS_WMI(ProviderId: 0x00, DataPath: 0x04, BufferSize: 0x08, Buffer: 0x0c)))
}

/// The unnamed type of `FLT_PARAMETERS.QueryQuota`.
public struct FLT_PARAMETERS_QueryQuota: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let StartSid: Field<Pointer<Void>>
  public let SidList: Field<Pointer<Void>>
  public let SidListLength: Field<UInt32>
  public let QuotaBuffer: Field<Pointer<Void>>
  public let MdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      FLT_PARAMETERS_QueryQuota(
        Length: 0x00, StartSid: 0x04, SidList: 0x08, SidListLength: 0x0c, QuotaBuffer: 0x10, MdlAddress: 0x14
      )
    ))
}

/// The unnamed type of `FLT_PARAMETERS.SetQuota`.
public struct FLT_PARAMETERS_SetQuota: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Length: Field<UInt32>
  public let QuotaBuffer: Field<Pointer<Void>>
  public let MdlAddress: Field<Pointer<MDL>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0xc, FLT_PARAMETERS_SetQuota(Length: 0x00, QuotaBuffer: 0x04, MdlAddress: 0x08)))
}

/// The unnamed type of `FLT_PARAMETERS.MountVolume`.
public struct FLT_PARAMETERS_MountVolume: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let DeviceType: Field<UInt32>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, FLT_PARAMETERS_MountVolume(DeviceType: 0x00)))
}

/// The unnamed type of `FLT_PARAMETERS.Others`.
public struct FLT_PARAMETERS_Others: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Argument1: Field<Pointer<Void>>
  public let Argument2: Field<Pointer<Void>>
  public let Argument3: Field<Pointer<Void>>
  public let Argument4: Field<Pointer<Void>>
  public let Argument5: Field<Pointer<Void>>
  public let Argument6: Field<LARGE_INTEGER>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      FLT_PARAMETERS_Others(
        Argument1: 0x00, Argument2: 0x04, Argument3: 0x08, Argument4: 0x0c, Argument5: 0x10, Argument6: 0x14
      )
    ))
}
