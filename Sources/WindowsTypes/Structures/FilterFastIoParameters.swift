import Guest

/// The unnamed type of `FLT_PARAMETERS.AcquireForSectionSynchronization`.
public struct FLT_PARAMETERS_AcquireForSectionSynchronization: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let SyncType: Field<UInt32>
  public let PageProtection: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, FLT_PARAMETERS_AcquireForSectionSynchronization(SyncType: 0x00, PageProtection: 0x04)))
}

/// The unnamed type of `FLT_PARAMETERS.AcquireForModifiedPageWriter`.
public struct FLT_PARAMETERS_AcquireForModifiedPageWriter: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let EndingOffset: Field<Pointer<LARGE_INTEGER>>
  public let ResourceToRelease: Field<Pointer<Pointer<ERESOURCE>>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, FLT_PARAMETERS_AcquireForModifiedPageWriter(EndingOffset: 0x00, ResourceToRelease: 0x04)))
}

/// The unnamed type of `FLT_PARAMETERS.ReleaseForModifiedPageWriter`.
public struct FLT_PARAMETERS_ReleaseForModifiedPageWriter: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let ResourceToRelease: Field<Pointer<ERESOURCE>>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, FLT_PARAMETERS_ReleaseForModifiedPageWriter(ResourceToRelease: 0x00)))
}

/// The unnamed type of `FLT_PARAMETERS.FastIoCheckIfPossible`.
public struct FLT_PARAMETERS_FastIoCheckIfPossible: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let FileOffset: Field<LARGE_INTEGER>
  public let Length: Field<UInt32>
  public let LockKey: Field<UInt32>
  public let CheckForReadOperation: Field<UInt8>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x14,
      FLT_PARAMETERS_FastIoCheckIfPossible(FileOffset: 0x00, Length: 0x08, LockKey: 0x0c, CheckForReadOperation: 0x10)
    ))
}

/// The unnamed type of `FLT_PARAMETERS.NetworkQueryOpen`.
public struct FLT_PARAMETERS_NetworkQueryOpen: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Irp: Field<Pointer<IRP>>
  public let NetworkInformation: Field<Pointer<Void>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, FLT_PARAMETERS_NetworkQueryOpen(Irp: 0x00, NetworkInformation: 0x04)))
}

/// The unnamed type of `FLT_PARAMETERS.MdlRead`.
public struct FLT_PARAMETERS_MdlRead: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let FileOffset: Field<LARGE_INTEGER>
  public let Length: Field<UInt32>
  public let Key: Field<UInt32>
  public let MdlChain: Field<Pointer<Pointer<MDL>>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x14, FLT_PARAMETERS_MdlRead(FileOffset: 0x00, Length: 0x08, Key: 0x0c, MdlChain: 0x10)))
}

/// The unnamed type of `FLT_PARAMETERS.MdlReadComplete`.
public struct FLT_PARAMETERS_MdlReadComplete: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let MdlChain: Field<Pointer<MDL>>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, FLT_PARAMETERS_MdlReadComplete(MdlChain: 0x00)))
}

/// The unnamed type of `FLT_PARAMETERS.MdlWriteComplete`.
public struct FLT_PARAMETERS_MdlWriteComplete: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let FileOffset: Field<LARGE_INTEGER>
  public let MdlChain: Field<Pointer<MDL>>

  public static let layouts = Layouts((.windowsXP_x86, 0xc, FLT_PARAMETERS_MdlWriteComplete(FileOffset: 0x00, MdlChain: 0x08)))
}

/// The unnamed type of `FLT_PARAMETERS.PrepareMdlWrite`.
public struct FLT_PARAMETERS_PrepareMdlWrite: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let FileOffset: Field<LARGE_INTEGER>
  public let Length: Field<UInt32>
  public let Key: Field<UInt32>
  public let MdlChain: Field<Pointer<Pointer<MDL>>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x14, FLT_PARAMETERS_PrepareMdlWrite(FileOffset: 0x00, Length: 0x08, Key: 0x0c, MdlChain: 0x10)))
}
