import Guest

/// A buffer as the list of page frames behind it (`wdm.h`, `ns-wdm-_mdl`).
///
/// The frame numbers, one ``GuestWord`` each, follow the header.
public struct MDL: GuestStructure {
  public static let name = "_MDL"
  public let Next: Field<Pointer<MDL>>
  public let Size: Field<Int16>
  public let MdlFlags: Field<MdlFlags>
  public let Process: Field<Pointer<EPROCESS>>
  public let MappedSystemVa: Field<Pointer<Void>>
  public let StartVa: Field<Pointer<Void>>
  public let ByteCount: Field<UInt32>
  public let ByteOffset: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      MDL(
        Next: 0x00, Size: 0x04, MdlFlags: 0x06, Process: 0x08, MappedSystemVa: 0x0c, StartVa: 0x10, ByteCount: 0x14,
        ByteOffset: 0x18
      )
    ))
}
