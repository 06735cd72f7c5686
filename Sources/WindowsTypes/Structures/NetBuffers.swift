import Guest

/// A packet, or a part of one: a range of a chain of MDLs (ndis.h, nbl.h).
public struct NET_BUFFER: GuestStructure {
  public static let name = "_NET_BUFFER"
  public let Next: Field<Pointer<NET_BUFFER>>
  public let CurrentMdl: Field<Pointer<MDL>>
  public let CurrentMdlOffset: Field<UInt32>
  public let DataLength: Field<UInt32>
  public let MdlChain: Field<Pointer<MDL>>
  public let DataOffset: Field<UInt32>
  public let NdisPoolHandle: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x60,
      NET_BUFFER(
        Next: 0x00, CurrentMdl: 0x04, CurrentMdlOffset: 0x08, DataLength: 0x0c, MdlChain: 0x10, DataOffset: 0x14,
        NdisPoolHandle: 0x1c)
    ))
}

/// Packets that belong together (ndis.h, nbl.h).
public struct NET_BUFFER_LIST: GuestStructure {
  public static let name = "_NET_BUFFER_LIST"
  public let Next: Field<Pointer<NET_BUFFER_LIST>>
  public let FirstNetBuffer: Field<Pointer<NET_BUFFER>>
  public let Context: Field<Pointer<Void>>
  public let ParentNetBufferList: Field<Pointer<NET_BUFFER_LIST>>
  public let NdisPoolHandle: Field<Pointer<Void>>
  public let SourceHandle: Field<Pointer<Void>>
  public let Flags: Field<UInt32>
  public let Status: Field<NTSTATUS>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0xb0,
      NET_BUFFER_LIST(
        Next: 0x00, FirstNetBuffer: 0x04, Context: 0x08, ParentNetBufferList: 0x0c, NdisPoolHandle: 0x10, SourceHandle: 0x3c,
        Flags: 0x48, Status: 0x4c)
    ))
}
