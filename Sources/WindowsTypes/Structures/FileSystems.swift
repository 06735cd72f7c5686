import Guest

/// How the files that are open on one stream share it (`wdm.h`, `ns-wdm-_share_access`).
public struct SHARE_ACCESS: GuestStructure {
  public static let name = "_SHARE_ACCESS"
  public let OpenCount: Field<UInt32>
  public let Readers: Field<UInt32>
  public let Writers: Field<UInt32>
  public let Deleters: Field<UInt32>
  public let SharedRead: Field<UInt32>
  public let SharedWrite: Field<UInt32>
  public let SharedDelete: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      SHARE_ACCESS(
        OpenCount: 0x00, Readers: 0x04, Writers: 0x08, Deleters: 0x0c, SharedRead: 0x10, SharedWrite: 0x14, SharedDelete: 0x18)
    ))
}

/// What a file system's own structure for a stream begins with (`ntifs.h`, `ns-ntifs-_fsrtl_advanced_fcb_header`).
public struct FSRTL_ADVANCED_FCB_HEADER: GuestStructure {
  public static let name = "_FSRTL_ADVANCED_FCB_HEADER"
  public let NodeTypeCode: Field<Int16>
  public let NodeByteSize: Field<Int16>
  public let Flags: Field<UInt8>
  public let IsFastIoPossible: Field<UInt8>
  public let Flags2: Field<UInt8>
  public let Reserved: Field<UInt8>
  public let Resource: Field<Pointer<ERESOURCE>>
  public let PagingIoResource: Field<Pointer<ERESOURCE>>
  public let AllocationSize: Field<Int64>
  public let FileSize: Field<Int64>
  public let ValidDataLength: Field<Int64>
  public let FastMutex: Field<Pointer<FAST_MUTEX>>
  public let FilterContexts: Field<LIST_ENTRY>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x38,
      FSRTL_ADVANCED_FCB_HEADER(
        NodeTypeCode: 0x00, NodeByteSize: 0x02, Flags: 0x04, IsFastIoPossible: 0x05, Flags2: 0x06, Reserved: 0x07, Resource: 0x08,
        PagingIoResource: 0x0c, AllocationSize: 0x10, FileSize: 0x18, ValidDataLength: 0x20, FastMutex: 0x28, FilterContexts: 0x2c
      )
    ))
}
