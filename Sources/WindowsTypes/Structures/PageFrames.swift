import Guest

/// The state of a page frame (public symbols of XP SP3).
public struct MMPFNENTRY: GuestStructure {
  public static let name = "_MMPFNENTRY"
  public let Modified: Field<UInt32>
  public let ReadInProgress: Field<UInt32>
  public let WriteInProgress: Field<UInt32>
  public let PrototypePte: Field<UInt32>
  public let PageColor: Field<UInt32>
  public let ParityError: Field<UInt32>
  public let PageLocation: Field<UInt32>
  public let RemovalRequested: Field<UInt32>
  public let CacheAttribute: Field<UInt32>
  public let Rom: Field<UInt32>
  public let LockCharged: Field<UInt32>
  public let DontUse: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMPFNENTRY(
        Modified: Field(0x00, bits: 0...0), ReadInProgress: Field(0x00, bits: 1...1), WriteInProgress: Field(0x00, bits: 2...2),
        PrototypePte: Field(0x00, bits: 3...3), PageColor: Field(0x00, bits: 4...6), ParityError: Field(0x00, bits: 7...7),
        PageLocation: Field(0x00, bits: 8...10), RemovalRequested: Field(0x00, bits: 11...11),
        CacheAttribute: Field(0x00, bits: 12...13), Rom: Field(0x00, bits: 14...14), LockCharged: Field(0x00, bits: 15...15),
        DontUse: Field(0x00, bits: 16...31)
      )
    ), isCarriedOver: false)
}

/// One page frame in the frame database (public symbols of XP SP3).
public struct MMPFN: GuestStructure {
  public static let name = "_MMPFN"
  public let u1: Field<MMPFN_u1>
  public let PteAddress: Field<Pointer<MMPTE>>
  public let u2: Field<MMPFN_u2>
  public let u3: Field<MMPFN_u3>
  public let OriginalPte: Field<MMPTE>
  public let u4: Field<MMPFN_u4>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x18, MMPFN(u1: 0x00, PteAddress: 0x04, u2: 0x08, u3: 0x0c, OriginalPte: 0x10, u4: 0x14)), isCarriedOver: false)
}

/// The unnamed type of `MMPFN.u1`.
public struct MMPFN_u1: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Flink: Field<GuestWord>
  public let WsIndex: Field<GuestWord>
  public let Event: Field<Pointer<KEVENT>>
  public let ReadStatus: Field<NTSTATUS>
  public let NextStackPfn: Field<SINGLE_LIST_ENTRY>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x4, MMPFN_u1(Flink: 0x00, WsIndex: 0x00, Event: 0x00, ReadStatus: 0x00, NextStackPfn: 0x00)), isCarriedOver: false)
}

/// The unnamed type of `MMPFN.u2`.
public struct MMPFN_u2: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Blink: Field<GuestWord>
  public let ShareCount: Field<GuestWord>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, MMPFN_u2(Blink: 0x00, ShareCount: 0x00)), isCarriedOver: false)
}

/// The unnamed type of `MMPFN_u3.e2`.
public struct MMPFN_u3_e2: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let ShortFlags: Field<UInt16>
  public let ReferenceCount: Field<UInt16>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, MMPFN_u3_e2(ShortFlags: 0x00, ReferenceCount: 0x02)), isCarriedOver: false)
}

/// The unnamed type of `MMPFN.u3`.
public struct MMPFN_u3: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let e1: Field<MMPFNENTRY>
  public let e2: Field<MMPFN_u3_e2>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, MMPFN_u3(e1: 0x00, e2: 0x00)), isCarriedOver: false)
}

/// The unnamed type of `MMPFN.u4`.
public struct MMPFN_u4: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let EntireFrame: Field<GuestWord>
  public let PteFrame: Field<GuestWord>
  public let InPageError: Field<GuestWord>
  public let VerifierAllocation: Field<GuestWord>
  public let AweAllocation: Field<GuestWord>
  public let LockCharged: Field<GuestWord>
  public let KernelStack: Field<GuestWord>
  public let Reserved: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMPFN_u4(
        EntireFrame: 0x00, PteFrame: Field(0x00, bits: 0...25), InPageError: Field(0x00, bits: 26...26),
        VerifierAllocation: Field(0x00, bits: 27...27), AweAllocation: Field(0x00, bits: 28...28),
        LockCharged: Field(0x00, bits: 29...29), KernelStack: Field(0x00, bits: 30...30), Reserved: Field(0x00, bits: 31...31)
      )
    ), isCarriedOver: false)
}
