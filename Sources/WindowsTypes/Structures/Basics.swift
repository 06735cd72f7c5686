import Guest

/// The unnamed type of `LARGE_INTEGER.u`.
public struct LARGE_INTEGER_u: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let LowPart: Field<UInt32>
  public let HighPart: Field<Int32>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, LARGE_INTEGER_u(LowPart: 0x00, HighPart: 0x04)))
}

/// A signed 64-bit integer that C code may also take in halves (`ntdef.h`).
public struct LARGE_INTEGER: GuestStructure {
  public static let name = "_LARGE_INTEGER"
  public let LowPart: Field<UInt32>
  public let HighPart: Field<Int32>
  public let u: Field<LARGE_INTEGER_u>
  public let QuadPart: Field<Int64>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, LARGE_INTEGER(LowPart: 0x00, HighPart: 0x04, u: 0x00, QuadPart: 0x00)))
}

/// The unnamed type of `ULARGE_INTEGER.u`.
public struct ULARGE_INTEGER_u: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let LowPart: Field<UInt32>
  public let HighPart: Field<UInt32>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, ULARGE_INTEGER_u(LowPart: 0x00, HighPart: 0x04)))
}

/// An unsigned 64-bit integer that C code may also take in halves (`ntdef.h`).
public struct ULARGE_INTEGER: GuestStructure {
  public static let name = "_ULARGE_INTEGER"
  public let LowPart: Field<UInt32>
  public let HighPart: Field<UInt32>
  public let u: Field<ULARGE_INTEGER_u>
  public let QuadPart: Field<UInt64>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, ULARGE_INTEGER(LowPart: 0x00, HighPart: 0x04, u: 0x00, QuadPart: 0x00)))
}

/// A counted UTF-16 string, lengths in bytes (`ntdef.h`).
public struct UNICODE_STRING: GuestStructure {
  public static let name = "_UNICODE_STRING"
  public let Length: Field<UInt16>
  public let MaximumLength: Field<UInt16>
  public let Buffer: Field<Pointer<UInt16>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, UNICODE_STRING(Length: 0x00, MaximumLength: 0x02, Buffer: 0x04)))
}

/// A counted string of bytes: `ANSI_STRING` and `OEM_STRING` (`ntdef.h`).
public struct STRING: GuestStructure {
  public static let name = "_STRING"
  public let Length: Field<UInt16>
  public let MaximumLength: Field<UInt16>
  public let Buffer: Field<Pointer<Int8>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, STRING(Length: 0x00, MaximumLength: 0x02, Buffer: 0x04)))
}

/// A locally unique identifier (`ntdef.h`).
public struct LUID: GuestStructure {
  public static let name = "_LUID"
  public let LowPart: Field<UInt32>
  public let HighPart: Field<Int32>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, LUID(LowPart: 0x00, HighPart: 0x04)))
}

/// A 64-bit time whose high half is written twice, so that a reader notices a torn read (`ntddk.h`).
public struct KSYSTEM_TIME: GuestStructure {
  public static let name = "_KSYSTEM_TIME"
  public let LowPart: Field<UInt32>
  public let High1Time: Field<Int32>
  public let High2Time: Field<Int32>

  public static let layouts = Layouts((.windowsXP_x86, 0xc, KSYSTEM_TIME(LowPart: 0x00, High1Time: 0x04, High2Time: 0x08)))
}

/// What to open or create: name, root directory and attributes of an object (`ntdef.h`).
public struct OBJECT_ATTRIBUTES: GuestStructure {
  public static let name = "_OBJECT_ATTRIBUTES"
  public let Length: Field<UInt32>
  public let RootDirectory: Field<Pointer<Void>>
  public let ObjectName: Field<Pointer<UNICODE_STRING>>
  public let Attributes: Field<UInt32>
  public let SecurityDescriptor: Field<Pointer<Void>>
  public let SecurityQualityOfService: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      OBJECT_ATTRIBUTES(
        Length: 0x00, RootDirectory: 0x04, ObjectName: 0x08, Attributes: 0x0c, SecurityDescriptor: 0x10,
        SecurityQualityOfService: 0x14
      )
    ))
}

/// A thread by the identifiers of its process and itself (`ntddk.h`).
public struct CLIENT_ID: GuestStructure {
  public static let name = "_CLIENT_ID"
  public let UniqueProcess: Field<Pointer<Void>>
  public let UniqueThread: Field<Pointer<Void>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, CLIENT_ID(UniqueProcess: 0x00, UniqueThread: 0x04)))
}

/// The outcome of an I/O request (`wdm.h`).
public struct IO_STATUS_BLOCK: GuestStructure {
  public static let name = "_IO_STATUS_BLOCK"
  public let Status: Field<NTSTATUS>
  public let Pointer: Field<Pointer<Void>>
  public let Information: Field<GuestWord>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, IO_STATUS_BLOCK(Status: 0x00, Pointer: 0x00, Information: 0x04)))
}

/// The specific rights behind the four generic ones (`wdm.h`).
public struct GENERIC_MAPPING: GuestStructure {
  public static let name = "_GENERIC_MAPPING"
  public let GenericRead: Field<UInt32>
  public let GenericWrite: Field<UInt32>
  public let GenericExecute: Field<UInt32>
  public let GenericAll: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, GENERIC_MAPPING(GenericRead: 0x00, GenericWrite: 0x04, GenericExecute: 0x08, GenericAll: 0x0c)))
}

/// Eight bytes of a body that is not described further (public symbols of XP SP3).
public struct QUAD: GuestStructure {
  public static let name = "_QUAD"
  public let DoNotUseThisField: Field<UInt64>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, QUAD(DoNotUseThisField: 0x00)))
}
