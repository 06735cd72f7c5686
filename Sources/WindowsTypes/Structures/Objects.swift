import Guest

/// What the object manager keeps in front of an object (public symbols of XP SP3).
///
/// Its size includes the first eight bytes of the body.
public struct OBJECT_HEADER: GuestStructure {
  public static let name = "_OBJECT_HEADER"
  public let PointerCount: Field<Int32>
  public let HandleCount: Field<Int32>
  public let NextToFree: Field<Pointer<Void>>
  public var `Type`: Field<Pointer<OBJECT_TYPE>> = .absent
  public var NameInfoOffset: Field<UInt8> = .absent
  public var HandleInfoOffset: Field<UInt8> = .absent
  public var QuotaInfoOffset: Field<UInt8> = .absent
  public let Flags: Field<UInt8>
  public let ObjectCreateInfo: Field<Pointer<OBJECT_CREATE_INFORMATION>>
  public let QuotaBlockCharged: Field<Pointer<Void>>
  public let SecurityDescriptor: Field<Pointer<Void>>
  public let Body: Field<QUAD>
  public var Lock: Field<EX_PUSH_LOCK> = .absent
  public var TypeIndex: Field<UInt8> = .absent
  public var TraceFlags: Field<UInt8> = .absent
  public var InfoMask: Field<UInt8> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x20,
      OBJECT_HEADER(
        PointerCount: 0x00, HandleCount: 0x04, NextToFree: 0x04, Type: 0x08, NameInfoOffset: 0x0c, HandleInfoOffset: 0x0d,
        QuotaInfoOffset: 0x0e, Flags: 0x0f, ObjectCreateInfo: 0x10, QuotaBlockCharged: 0x10, SecurityDescriptor: 0x14, Body: 0x18
      )
    ),
    (
      .windows7_x86, 0x20,
      OBJECT_HEADER(
        PointerCount: 0x00, HandleCount: 0x04, NextToFree: 0x04, Flags: 0x0f, ObjectCreateInfo: 0x10, QuotaBlockCharged: 0x10,
        SecurityDescriptor: 0x14, Body: 0x18, Lock: 0x08, TypeIndex: 0x0c, TraceFlags: 0x0d, InfoMask: 0x0e)
    ))
}

/// The name of an object, in front of its header (public symbols of XP SP3).
public struct OBJECT_HEADER_NAME_INFO: GuestStructure {
  public static let name = "_OBJECT_HEADER_NAME_INFO"
  public let Directory: Field<Pointer<OBJECT_DIRECTORY>>
  public let Name: Field<UNICODE_STRING>
  public var QueryReferences: Field<UInt32> = .absent
  public var ReferenceCount: Field<Int32> = .absent

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, OBJECT_HEADER_NAME_INFO(Directory: 0x00, Name: 0x04, QueryReferences: 0x0c)),
    (
      .windows7_x86, 0x10,
      OBJECT_HEADER_NAME_INFO(Directory: 0x00, Name: 0x04, ReferenceCount: 0x0c)
    ))
}

/// A kind of object (public symbols of XP SP3).
public struct OBJECT_TYPE: GuestStructure {
  public static let name = "_OBJECT_TYPE"
  public var Mutex: Field<ERESOURCE> = .absent
  public let TypeList: Field<LIST_ENTRY>
  public let Name: Field<UNICODE_STRING>
  public let DefaultObject: Field<Pointer<Void>>
  public var Index: Field<UInt32> = .absent
  public let TotalNumberOfObjects: Field<UInt32>
  public let TotalNumberOfHandles: Field<UInt32>
  public let HighWaterNumberOfObjects: Field<UInt32>
  public let HighWaterNumberOfHandles: Field<UInt32>
  public let TypeInfo: Field<OBJECT_TYPE_INITIALIZER>
  public let Key: Field<UInt32>
  public var ObjectLocks: Field<ERESOURCE> = .absent
  public var Index_7: Field<UInt8> = .absent
  public var TypeLock: Field<EX_PUSH_LOCK> = .absent
  public var CallbackList: Field<LIST_ENTRY> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x190,
      OBJECT_TYPE(
        Mutex: 0x00, TypeList: 0x38, Name: 0x40, DefaultObject: 0x48, Index: 0x4c, TotalNumberOfObjects: 0x50,
        TotalNumberOfHandles: 0x54, HighWaterNumberOfObjects: 0x58, HighWaterNumberOfHandles: 0x5c, TypeInfo: 0x60, Key: 0xac,
        ObjectLocks: Field(0xb0, count: 4)
      )
    ),
    (
      .windows7_x86, 0x88,
      OBJECT_TYPE(
        TypeList: 0x00, Name: 0x08, DefaultObject: 0x10, TotalNumberOfObjects: 0x18, TotalNumberOfHandles: 0x1c,
        HighWaterNumberOfObjects: 0x20, HighWaterNumberOfHandles: 0x24, TypeInfo: 0x28, Key: 0x7c, Index_7: 0x14, TypeLock: 0x78,
        CallbackList: 0x80)
    ))
}

/// The procedures and defaults of a kind of object (public symbols of XP SP3).
public struct OBJECT_TYPE_INITIALIZER: GuestStructure {
  public static let name = "_OBJECT_TYPE_INITIALIZER"
  public let Length: Field<UInt16>
  public var UseDefaultObject: Field<UInt8> = .absent
  public var CaseInsensitive: Field<UInt8> = .absent
  public let InvalidAttributes: Field<UInt32>
  public let GenericMapping: Field<GENERIC_MAPPING>
  public let ValidAccessMask: Field<UInt32>
  public var SecurityRequired: Field<UInt8> = .absent
  public var MaintainHandleCount: Field<UInt8> = .absent
  public var MaintainTypeList: Field<UInt8> = .absent
  public let PoolType: Field<POOL_TYPE>
  public let DefaultPagedPoolCharge: Field<UInt32>
  public let DefaultNonPagedPoolCharge: Field<UInt32>
  public let DumpProcedure: Field<Pointer<Procedure<Void>>>
  public let OpenProcedure: Field<Pointer<Procedure<NTSTATUS>>>
  public let CloseProcedure: Field<Pointer<Procedure<Void>>>
  public let DeleteProcedure: Field<Pointer<Procedure<Void>>>
  public let ParseProcedure: Field<Pointer<Procedure<NTSTATUS>>>
  public let SecurityProcedure: Field<Pointer<Procedure<NTSTATUS>>>
  public let QueryNameProcedure: Field<Pointer<Procedure<NTSTATUS>>>
  public let OkayToCloseProcedure: Field<Pointer<Procedure<UInt8>>>
  public var CaseInsensitive_7: Field<UInt8> = .absent
  public var UnnamedObjectsOnly: Field<UInt8> = .absent
  public var UseDefaultObject_7: Field<UInt8> = .absent
  public var SecurityRequired_7: Field<UInt8> = .absent
  public var MaintainHandleCount_7: Field<UInt8> = .absent
  public var MaintainTypeList_7: Field<UInt8> = .absent
  public var SupportsObjectCallbacks: Field<UInt8> = .absent
  public var ObjectTypeFlags: Field<UInt8> = .absent
  public var ObjectTypeCode: Field<UInt32> = .absent
  public var RetainAccess: Field<UInt32> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4c,
      OBJECT_TYPE_INITIALIZER(
        Length: 0x00, UseDefaultObject: 0x02, CaseInsensitive: 0x03, InvalidAttributes: 0x04, GenericMapping: 0x08,
        ValidAccessMask: 0x18, SecurityRequired: 0x1c, MaintainHandleCount: 0x1d, MaintainTypeList: 0x1e, PoolType: 0x20,
        DefaultPagedPoolCharge: 0x24, DefaultNonPagedPoolCharge: 0x28, DumpProcedure: 0x2c, OpenProcedure: 0x30,
        CloseProcedure: 0x34, DeleteProcedure: 0x38, ParseProcedure: 0x3c, SecurityProcedure: 0x40, QueryNameProcedure: 0x44,
        OkayToCloseProcedure: 0x48
      )
    ),
    (
      .windows7_x86, 0x50,
      OBJECT_TYPE_INITIALIZER(
        Length: 0x00, InvalidAttributes: 0x08, GenericMapping: 0x0c, ValidAccessMask: 0x1c, PoolType: 0x24, DefaultPagedPoolCharge: 0x28,
        DefaultNonPagedPoolCharge: 0x2c, DumpProcedure: 0x30, OpenProcedure: 0x34, CloseProcedure: 0x38, DeleteProcedure: 0x3c,
        ParseProcedure: 0x40, SecurityProcedure: 0x44, QueryNameProcedure: 0x48, OkayToCloseProcedure: 0x4c,
        CaseInsensitive_7: Field(0x02, bits: 0...0), UnnamedObjectsOnly: Field(0x02, bits: 1...1),
        UseDefaultObject_7: Field(0x02, bits: 2...2), SecurityRequired_7: Field(0x02, bits: 3...3),
        MaintainHandleCount_7: Field(0x02, bits: 4...4), MaintainTypeList_7: Field(0x02, bits: 5...5),
        SupportsObjectCallbacks: Field(0x02, bits: 6...6), ObjectTypeFlags: 0x02, ObjectTypeCode: 0x04, RetainAccess: 0x20)
    ))
}
