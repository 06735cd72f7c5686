import Guest

/// A loaded image, as `PsLoadedModuleList` links them (public symbols of XP SP3).
public struct LDR_DATA_TABLE_ENTRY: GuestStructure {
  public static let name = "_LDR_DATA_TABLE_ENTRY"
  public let InLoadOrderLinks: Field<LIST_ENTRY>
  public let InMemoryOrderLinks: Field<LIST_ENTRY>
  public let InInitializationOrderLinks: Field<LIST_ENTRY>
  public let DllBase: Field<Pointer<Void>>
  public let EntryPoint: Field<Pointer<Void>>
  public let SizeOfImage: Field<UInt32>
  public let FullDllName: Field<UNICODE_STRING>
  public let BaseDllName: Field<UNICODE_STRING>
  public let Flags: Field<UInt32>
  public let LoadCount: Field<UInt16>
  public let TlsIndex: Field<UInt16>
  public let HashLinks: Field<LIST_ENTRY>
  public let SectionPointer: Field<Pointer<Void>>
  public var CheckSum: Field<UInt32> = .absent
  public let TimeDateStamp: Field<UInt32>
  public let LoadedImports: Field<Pointer<Void>>
  public let EntryPointActivationContext: Field<Pointer<Void>>
  public let PatchInformation: Field<Pointer<Void>>
  public var ForwarderLinks: Field<LIST_ENTRY> = .absent
  public var ServiceTagLinks: Field<LIST_ENTRY> = .absent
  public var StaticLinks: Field<LIST_ENTRY> = .absent
  public var ContextInformation: Field<Pointer<Void>> = .absent
  public var OriginalBase: Field<GuestWord> = .absent
  public var LoadTime: Field<LARGE_INTEGER> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x50,
      LDR_DATA_TABLE_ENTRY(
        InLoadOrderLinks: 0x00, InMemoryOrderLinks: 0x08, InInitializationOrderLinks: 0x10, DllBase: 0x18, EntryPoint: 0x1c,
        SizeOfImage: 0x20, FullDllName: 0x24, BaseDllName: 0x2c, Flags: 0x34, LoadCount: 0x38, TlsIndex: 0x3a, HashLinks: 0x3c,
        SectionPointer: 0x3c, CheckSum: 0x40, TimeDateStamp: 0x44, LoadedImports: 0x44, EntryPointActivationContext: 0x48,
        PatchInformation: 0x4c
      )
    ),
    (
      .windows7_x86, 0x78,
      LDR_DATA_TABLE_ENTRY(
        InLoadOrderLinks: 0x00, InMemoryOrderLinks: 0x08, InInitializationOrderLinks: 0x10, DllBase: 0x18, EntryPoint: 0x1c,
        SizeOfImage: 0x20, FullDllName: 0x24, BaseDllName: 0x2c, Flags: 0x34, LoadCount: 0x38, TlsIndex: 0x3a, HashLinks: 0x3c,
        SectionPointer: 0x3c, CheckSum: 0x40, TimeDateStamp: 0x44, LoadedImports: 0x44, EntryPointActivationContext: 0x48,
        PatchInformation: 0x4c, ForwarderLinks: 0x50, ServiceTagLinks: 0x58, StaticLinks: 0x60, ContextInformation: 0x68,
        OriginalBase: 0x6c, LoadTime: 0x70)
    ))
}
