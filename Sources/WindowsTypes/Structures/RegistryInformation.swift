import Guest

/// A key, briefly (`wdm.h`); its name follows the fixed part.
public struct KEY_BASIC_INFORMATION: GuestStructure {
  public static let name = "_KEY_BASIC_INFORMATION"
  public let LastWriteTime: Field<Int64>
  public let TitleIndex: Field<UInt32>
  public let NameLength: Field<UInt32>
  public let Name: Field<UInt16>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x18, KEY_BASIC_INFORMATION(LastWriteTime: 0x00, TitleIndex: 0x08, NameLength: 0x0c, Name: 0x10)))
}

/// A key with its class (`wdm.h`).
public struct KEY_NODE_INFORMATION: GuestStructure {
  public static let name = "_KEY_NODE_INFORMATION"
  public let LastWriteTime: Field<Int64>
  public let TitleIndex: Field<UInt32>
  public let ClassOffset: Field<UInt32>
  public let ClassLength: Field<UInt32>
  public let NameLength: Field<UInt32>
  public let Name: Field<UInt16>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x20,
      KEY_NODE_INFORMATION(LastWriteTime: 0x00, TitleIndex: 0x08, ClassOffset: 0x0c, ClassLength: 0x10, NameLength: 0x14, Name: 0x18)
    ))
}

/// What a key holds (`wdm.h`); lengths are in bytes.
public struct KEY_FULL_INFORMATION: GuestStructure {
  public static let name = "_KEY_FULL_INFORMATION"
  public let LastWriteTime: Field<Int64>
  public let TitleIndex: Field<UInt32>
  public let ClassOffset: Field<UInt32>
  public let ClassLength: Field<UInt32>
  public let SubKeys: Field<UInt32>
  public let MaxNameLen: Field<UInt32>
  public let MaxClassLen: Field<UInt32>
  public let Values: Field<UInt32>
  public let MaxValueNameLen: Field<UInt32>
  public let MaxValueDataLen: Field<UInt32>
  public let Class: Field<UInt16>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x30,
      KEY_FULL_INFORMATION(
        LastWriteTime: 0x00, TitleIndex: 0x08, ClassOffset: 0x0c, ClassLength: 0x10, SubKeys: 0x14, MaxNameLen: 0x18, MaxClassLen: 0x1c,
        Values: 0x20, MaxValueNameLen: 0x24, MaxValueDataLen: 0x28, Class: 0x2c)
    ))
}

/// A key's path (`ntddk.h`).
public struct KEY_NAME_INFORMATION: GuestStructure {
  public static let name = "_KEY_NAME_INFORMATION"
  public let NameLength: Field<UInt32>
  public let Name: Field<UInt16>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, KEY_NAME_INFORMATION(NameLength: 0x00, Name: 0x04)))
}

/// A value's name and type (`wdm.h`).
public struct KEY_VALUE_BASIC_INFORMATION: GuestStructure {
  public static let name = "_KEY_VALUE_BASIC_INFORMATION"
  public let TitleIndex: Field<UInt32>
  public let `Type`: Field<UInt32>
  public let NameLength: Field<UInt32>
  public let Name: Field<UInt16>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, KEY_VALUE_BASIC_INFORMATION(TitleIndex: 0x00, Type: 0x04, NameLength: 0x08, Name: 0x0c)))
}

/// A value with name and data (`wdm.h`).
public struct KEY_VALUE_FULL_INFORMATION: GuestStructure {
  public static let name = "_KEY_VALUE_FULL_INFORMATION"
  public let TitleIndex: Field<UInt32>
  public let `Type`: Field<UInt32>
  public let DataOffset: Field<UInt32>
  public let DataLength: Field<UInt32>
  public let NameLength: Field<UInt32>
  public let Name: Field<UInt16>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      KEY_VALUE_FULL_INFORMATION(TitleIndex: 0x00, Type: 0x04, DataOffset: 0x08, DataLength: 0x0c, NameLength: 0x10, Name: 0x14)
    ))
}

/// A value's type and data (`wdm.h`).
public struct KEY_VALUE_PARTIAL_INFORMATION: GuestStructure {
  public static let name = "_KEY_VALUE_PARTIAL_INFORMATION"
  public let TitleIndex: Field<UInt32>
  public let `Type`: Field<UInt32>
  public let DataLength: Field<UInt32>
  public let Data: Field<UInt8>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, KEY_VALUE_PARTIAL_INFORMATION(TitleIndex: 0x00, Type: 0x04, DataLength: 0x08, Data: 0x0c)))
}

/// One query of `RtlQueryRegistryValues` (`wdm.h`).
public struct RTL_QUERY_REGISTRY_TABLE: GuestStructure {
  public static let name = "_RTL_QUERY_REGISTRY_TABLE"
  public let QueryRoutine: Field<Pointer<Procedure<NTSTATUS>>>
  public let Flags: Field<UInt32>
  public let Name: Field<Pointer<UInt16>>
  public let EntryContext: Field<Pointer<Void>>
  public let DefaultType: Field<UInt32>
  public let DefaultData: Field<Pointer<Void>>
  public let DefaultLength: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      RTL_QUERY_REGISTRY_TABLE(
        QueryRoutine: 0x00, Flags: 0x04, Name: 0x08, EntryContext: 0x0c, DefaultType: 0x10, DefaultData: 0x14, DefaultLength: 0x18)
    ))
}

/// What a handle to a key refers to (public symbols of XP SP3).
public struct CM_KEY_BODY: GuestStructure {
  public static let name = "_CM_KEY_BODY"
  public let `Type`: Field<UInt32>
  public let KeyControlBlock: Field<Pointer<Void>>
  public let NotifyBlock: Field<Pointer<Void>>
  public let ProcessID: Field<Pointer<Void>>
  public var Callers: Field<UInt32> = .absent
  public var CallerAddress: Field<Pointer<Void>> = .absent
  public let KeyBodyList: Field<LIST_ENTRY>
  public var Flags: Field<UInt32> = .absent
  public var KtmTrans: Field<Pointer<Void>> = .absent
  public var KtmUow: Field<Pointer<Void>> = .absent
  public var ContextListHead: Field<LIST_ENTRY> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x44,
      CM_KEY_BODY(
        Type: 0x00, KeyControlBlock: 0x04, NotifyBlock: 0x08, ProcessID: 0x0c, Callers: 0x10, CallerAddress: Field(0x14, count: 10),
        KeyBodyList: 0x3c)
    ),
    (
      .windows7_x86, 0x2c,
      CM_KEY_BODY(
        Type: 0x00, KeyControlBlock: 0x04, NotifyBlock: 0x08, ProcessID: 0x0c, KeyBodyList: 0x10, Flags: 0x18, KtmTrans: 0x1c, KtmUow: 0x20,
        ContextListHead: 0x24)
    ))
}

/// What a registry callback is told of a deletion, and of a handle that is closed (`wdm.h`); XP knows the object alone.
public struct REG_DELETE_KEY_INFORMATION: GuestStructure {
  public static let name = "_REG_DELETE_KEY_INFORMATION"
  public let Object: Field<Pointer<Void>>
  public let CallContext: Field<Pointer<Void>>
  public let ObjectContext: Field<Pointer<Void>>
  public let Reserved: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, REG_DELETE_KEY_INFORMATION(Object: 0x00, CallContext: 0x04, ObjectContext: 0x08, Reserved: 0x0c)))
}

/// What a registry callback is told of a value that is set (`wdm.h`); on XP up to `DataSize`.
public struct REG_SET_VALUE_KEY_INFORMATION: GuestStructure {
  public static let name = "_REG_SET_VALUE_KEY_INFORMATION"
  public let Object: Field<Pointer<Void>>
  public let ValueName: Field<Pointer<UNICODE_STRING>>
  public let TitleIndex: Field<UInt32>
  public let `Type`: Field<UInt32>
  public let Data: Field<Pointer<Void>>
  public let DataSize: Field<UInt32>
  public let CallContext: Field<Pointer<Void>>
  public let ObjectContext: Field<Pointer<Void>>
  public let Reserved: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x24,
      REG_SET_VALUE_KEY_INFORMATION(
        Object: 0x00, ValueName: 0x04, TitleIndex: 0x08, Type: 0x0c, Data: 0x10, DataSize: 0x14, CallContext: 0x18, ObjectContext: 0x1c,
        Reserved: 0x20)
    ))
}

/// What a registry callback is told of a value that is deleted (`wdm.h`); on XP up to `ValueName`.
public struct REG_DELETE_VALUE_KEY_INFORMATION: GuestStructure {
  public static let name = "_REG_DELETE_VALUE_KEY_INFORMATION"
  public let Object: Field<Pointer<Void>>
  public let ValueName: Field<Pointer<UNICODE_STRING>>
  public let CallContext: Field<Pointer<Void>>
  public let ObjectContext: Field<Pointer<Void>>
  public let Reserved: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x14,
      REG_DELETE_VALUE_KEY_INFORMATION(Object: 0x00, ValueName: 0x04, CallContext: 0x08, ObjectContext: 0x0c, Reserved: 0x10)
    ))
}

/// What a registry callback is told of an enumeration, of values too (`wdm.h`); on XP up to `ResultLength`.
public struct REG_ENUMERATE_KEY_INFORMATION: GuestStructure {
  public static let name = "_REG_ENUMERATE_KEY_INFORMATION"
  public let Object: Field<Pointer<Void>>
  public let Index: Field<UInt32>
  public let KeyInformationClass: Field<UInt32>
  public let KeyInformation: Field<Pointer<Void>>
  public let Length: Field<UInt32>
  public let ResultLength: Field<Pointer<UInt32>>
  public let CallContext: Field<Pointer<Void>>
  public let ObjectContext: Field<Pointer<Void>>
  public let Reserved: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x24,
      REG_ENUMERATE_KEY_INFORMATION(
        Object: 0x00, Index: 0x04, KeyInformationClass: 0x08, KeyInformation: 0x0c, Length: 0x10, ResultLength: 0x14, CallContext: 0x18,
        ObjectContext: 0x1c, Reserved: 0x20)
    ))
}

/// What a registry callback is told of a query of a key (`wdm.h`); on XP up to `ResultLength`.
public struct REG_QUERY_KEY_INFORMATION: GuestStructure {
  public static let name = "_REG_QUERY_KEY_INFORMATION"
  public let Object: Field<Pointer<Void>>
  public let KeyInformationClass: Field<UInt32>
  public let KeyInformation: Field<Pointer<Void>>
  public let Length: Field<UInt32>
  public let ResultLength: Field<Pointer<UInt32>>
  public let CallContext: Field<Pointer<Void>>
  public let ObjectContext: Field<Pointer<Void>>
  public let Reserved: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x20,
      REG_QUERY_KEY_INFORMATION(
        Object: 0x00, KeyInformationClass: 0x04, KeyInformation: 0x08, Length: 0x0c, ResultLength: 0x10, CallContext: 0x14,
        ObjectContext: 0x18, Reserved: 0x1c)
    ))
}

/// What a registry callback is told of a query of a value (`wdm.h`); on XP up to `ResultLength`.
public struct REG_QUERY_VALUE_KEY_INFORMATION: GuestStructure {
  public static let name = "_REG_QUERY_VALUE_KEY_INFORMATION"
  public let Object: Field<Pointer<Void>>
  public let ValueName: Field<Pointer<UNICODE_STRING>>
  public let KeyValueInformationClass: Field<UInt32>
  public let KeyValueInformation: Field<Pointer<Void>>
  public let Length: Field<UInt32>
  public let ResultLength: Field<Pointer<UInt32>>
  public let CallContext: Field<Pointer<Void>>
  public let ObjectContext: Field<Pointer<Void>>
  public let Reserved: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x24,
      REG_QUERY_VALUE_KEY_INFORMATION(
        Object: 0x00, ValueName: 0x04, KeyValueInformationClass: 0x08, KeyValueInformation: 0x0c, Length: 0x10, ResultLength: 0x14,
        CallContext: 0x18, ObjectContext: 0x1c, Reserved: 0x20)
    ))
}

/// What a registry callback of XP's is told before a key is made or opened (`wdm.h`).
public struct REG_PRE_CREATE_KEY_INFORMATION: GuestStructure {
  public static let name = "_REG_PRE_CREATE_KEY_INFORMATION"
  public let CompleteName: Field<Pointer<UNICODE_STRING>>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, REG_PRE_CREATE_KEY_INFORMATION(CompleteName: 0x00)))
}

/// What a registry callback of XP's is told after a key was made or opened (`wdm.h`).
public struct REG_POST_CREATE_KEY_INFORMATION: GuestStructure {
  public static let name = "_REG_POST_CREATE_KEY_INFORMATION"
  public let CompleteName: Field<Pointer<UNICODE_STRING>>
  public let Object: Field<Pointer<Void>>
  public let Status: Field<NTSTATUS>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0xc, REG_POST_CREATE_KEY_INFORMATION(CompleteName: 0x00, Object: 0x04, Status: 0x08)))
}

/// What a registry callback of Vista's is told before a key is made or opened (`wdm.h`).
public struct REG_CREATE_KEY_INFORMATION: GuestStructure {
  public static let name = "_REG_CREATE_KEY_INFORMATION"
  public let CompleteName: Field<Pointer<UNICODE_STRING>>
  public let RootObject: Field<Pointer<Void>>
  public let ObjectType: Field<Pointer<Void>>
  public let CreateOptions: Field<UInt32>
  public let Class: Field<Pointer<UNICODE_STRING>>
  public let SecurityDescriptor: Field<Pointer<Void>>
  public let SecurityQualityOfService: Field<Pointer<Void>>
  public let DesiredAccess: Field<UInt32>
  public let GrantedAccess: Field<UInt32>
  public let Disposition: Field<Pointer<UInt32>>
  public let ResultObject: Field<Pointer<Pointer<Void>>>
  public let CallContext: Field<Pointer<Void>>
  public let RootObjectContext: Field<Pointer<Void>>
  public let Transaction: Field<Pointer<Void>>
  public let Reserved: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x3c,
      REG_CREATE_KEY_INFORMATION(
        CompleteName: 0x00, RootObject: 0x04, ObjectType: 0x08, CreateOptions: 0x0c, Class: 0x10, SecurityDescriptor: 0x14,
        SecurityQualityOfService: 0x18, DesiredAccess: 0x1c, GrantedAccess: 0x20, Disposition: 0x24, ResultObject: 0x28, CallContext: 0x2c,
        RootObjectContext: 0x30, Transaction: 0x34, Reserved: 0x38)
    ))
}

/// What a registry callback of Vista's is told after an operation (`wdm.h`).
public struct REG_POST_OPERATION_INFORMATION: GuestStructure {
  public static let name = "_REG_POST_OPERATION_INFORMATION"
  public let Object: Field<Pointer<Void>>
  public let Status: Field<NTSTATUS>
  public let PreInformation: Field<Pointer<Void>>
  public let ReturnStatus: Field<NTSTATUS>
  public let CallContext: Field<Pointer<Void>>
  public let ObjectContext: Field<Pointer<Void>>
  public let Reserved: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      REG_POST_OPERATION_INFORMATION(
        Object: 0x00, Status: 0x04, PreInformation: 0x08, ReturnStatus: 0x0c, CallContext: 0x10, ObjectContext: 0x14, Reserved: 0x18)
    ))
}
