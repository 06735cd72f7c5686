import Guest

/// A page-table entry as the processor reads it (public symbols of XP SP3, uniprocessor form).
public struct HARDWARE_PTE: GuestStructure {
  public static let name = "_HARDWARE_PTE"
  public let Valid: Field<GuestWord>
  public let Write: Field<GuestWord>
  public let Owner: Field<GuestWord>
  public let WriteThrough: Field<GuestWord>
  public let CacheDisable: Field<GuestWord>
  public let Accessed: Field<GuestWord>
  public let Dirty: Field<GuestWord>
  public let LargePage: Field<GuestWord>
  public let Global: Field<GuestWord>
  public let CopyOnWrite: Field<GuestWord>
  public let Prototype: Field<GuestWord>
  public let reserved: Field<GuestWord>
  public let PageFrameNumber: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      HARDWARE_PTE(
        Valid: Field(0x00, bits: 0...0), Write: Field(0x00, bits: 1...1), Owner: Field(0x00, bits: 2...2),
        WriteThrough: Field(0x00, bits: 3...3), CacheDisable: Field(0x00, bits: 4...4), Accessed: Field(0x00, bits: 5...5),
        Dirty: Field(0x00, bits: 6...6), LargePage: Field(0x00, bits: 7...7), Global: Field(0x00, bits: 8...8),
        CopyOnWrite: Field(0x00, bits: 9...9), Prototype: Field(0x00, bits: 10...10), reserved: Field(0x00, bits: 11...11),
        PageFrameNumber: Field(0x00, bits: 12...31)
      )
    ))
}

/// The entry of a valid page (public symbols of XP SP3, multiprocessor form).
///
/// The processor honours bit 1 alone, here `Writable`; `Write` is the memory manager's.
public struct MMPTE_HARDWARE: GuestStructure {
  public static let name = "_MMPTE_HARDWARE"
  public let Valid: Field<GuestWord>
  public let Writable: Field<GuestWord>
  public let Owner: Field<GuestWord>
  public let WriteThrough: Field<GuestWord>
  public let CacheDisable: Field<GuestWord>
  public let Accessed: Field<GuestWord>
  public let Dirty: Field<GuestWord>
  public let LargePage: Field<GuestWord>
  public let Global: Field<GuestWord>
  public let CopyOnWrite: Field<GuestWord>
  public let Prototype: Field<GuestWord>
  public let Write: Field<GuestWord>
  public let PageFrameNumber: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMPTE_HARDWARE(
        Valid: Field(0x00, bits: 0...0), Writable: Field(0x00, bits: 1...1), Owner: Field(0x00, bits: 2...2),
        WriteThrough: Field(0x00, bits: 3...3), CacheDisable: Field(0x00, bits: 4...4), Accessed: Field(0x00, bits: 5...5),
        Dirty: Field(0x00, bits: 6...6), LargePage: Field(0x00, bits: 7...7), Global: Field(0x00, bits: 8...8),
        CopyOnWrite: Field(0x00, bits: 9...9), Prototype: Field(0x00, bits: 10...10), Write: Field(0x00, bits: 11...11),
        PageFrameNumber: Field(0x00, bits: 12...31)
      )
    ))
}

/// The entry of a page in a paging file, or of one that was never touched (public symbols of XP SP3).
public struct MMPTE_SOFTWARE: GuestStructure {
  public static let name = "_MMPTE_SOFTWARE"
  public let Valid: Field<GuestWord>
  public let PageFileLow: Field<GuestWord>
  public let Protection: Field<GuestWord>
  public let Prototype: Field<GuestWord>
  public let Transition: Field<GuestWord>
  public let PageFileHigh: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMPTE_SOFTWARE(
        Valid: Field(0x00, bits: 0...0), PageFileLow: Field(0x00, bits: 1...4), Protection: Field(0x00, bits: 5...9),
        Prototype: Field(0x00, bits: 10...10), Transition: Field(0x00, bits: 11...11), PageFileHigh: Field(0x00, bits: 12...31)
      )
    ))
}

/// The entry of a page on the standby or modified list (public symbols of XP SP3).
public struct MMPTE_TRANSITION: GuestStructure {
  public static let name = "_MMPTE_TRANSITION"
  public let Valid: Field<GuestWord>
  public let Write: Field<GuestWord>
  public let Owner: Field<GuestWord>
  public let WriteThrough: Field<GuestWord>
  public let CacheDisable: Field<GuestWord>
  public let Protection: Field<GuestWord>
  public let Prototype: Field<GuestWord>
  public let Transition: Field<GuestWord>
  public let PageFrameNumber: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMPTE_TRANSITION(
        Valid: Field(0x00, bits: 0...0), Write: Field(0x00, bits: 1...1), Owner: Field(0x00, bits: 2...2),
        WriteThrough: Field(0x00, bits: 3...3), CacheDisable: Field(0x00, bits: 4...4), Protection: Field(0x00, bits: 5...9),
        Prototype: Field(0x00, bits: 10...10), Transition: Field(0x00, bits: 11...11), PageFrameNumber: Field(0x00, bits: 12...31)
      )
    ))
}

/// The entry of a shared page, which points to the prototype entry (public symbols of XP SP3).
public struct MMPTE_PROTOTYPE: GuestStructure {
  public static let name = "_MMPTE_PROTOTYPE"
  public let Valid: Field<GuestWord>
  public let ProtoAddressLow: Field<GuestWord>
  public let ReadOnly: Field<GuestWord>
  public let WhichPool: Field<GuestWord>
  public let Prototype: Field<GuestWord>
  public let ProtoAddressHigh: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMPTE_PROTOTYPE(
        Valid: Field(0x00, bits: 0...0), ProtoAddressLow: Field(0x00, bits: 1...7), ReadOnly: Field(0x00, bits: 8...8),
        WhichPool: Field(0x00, bits: 9...9), Prototype: Field(0x00, bits: 10...10), ProtoAddressHigh: Field(0x00, bits: 11...31)
      )
    ))
}

/// The prototype entry of a page in a mapped file (public symbols of XP SP3).
public struct MMPTE_SUBSECTION: GuestStructure {
  public static let name = "_MMPTE_SUBSECTION"
  public let Valid: Field<GuestWord>
  public let SubsectionAddressLow: Field<GuestWord>
  public let Protection: Field<GuestWord>
  public let Prototype: Field<GuestWord>
  public let SubsectionAddressHigh: Field<GuestWord>
  public let WhichPool: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMPTE_SUBSECTION(
        Valid: Field(0x00, bits: 0...0), SubsectionAddressLow: Field(0x00, bits: 1...4), Protection: Field(0x00, bits: 5...9),
        Prototype: Field(0x00, bits: 10...10), SubsectionAddressHigh: Field(0x00, bits: 11...30),
        WhichPool: Field(0x00, bits: 31...31)
      )
    ))
}

/// A free system page-table entry (public symbols of XP SP3).
public struct MMPTE_LIST: GuestStructure {
  public static let name = "_MMPTE_LIST"
  public let Valid: Field<GuestWord>
  public let OneEntry: Field<GuestWord>
  public let filler0: Field<GuestWord>
  public let Prototype: Field<GuestWord>
  public let filler1: Field<GuestWord>
  public let NextEntry: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMPTE_LIST(
        Valid: Field(0x00, bits: 0...0), OneEntry: Field(0x00, bits: 1...1), filler0: Field(0x00, bits: 2...9),
        Prototype: Field(0x00, bits: 10...10), filler1: Field(0x00, bits: 11...11), NextEntry: Field(0x00, bits: 12...31)
      )
    ))
}

/// The unnamed type of `MMPTE.u`.
public struct MMPTE_u: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Long: Field<GuestWord>
  public let Flush: Field<HARDWARE_PTE>
  public let Hard: Field<MMPTE_HARDWARE>
  public let Proto: Field<MMPTE_PROTOTYPE>
  public let Soft: Field<MMPTE_SOFTWARE>
  public let Trans: Field<MMPTE_TRANSITION>
  public let Subsect: Field<MMPTE_SUBSECTION>
  public let List: Field<MMPTE_LIST>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMPTE_u(Long: 0x00, Flush: 0x00, Hard: 0x00, Proto: 0x00, Soft: 0x00, Trans: 0x00, Subsect: 0x00, List: 0x00)
    ))
}

/// A page-table entry, in any of its forms (public symbols of XP SP3, without PAE).
public struct MMPTE: GuestStructure {
  public static let name = "_MMPTE"
  public let u: Field<MMPTE_u>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, MMPTE(u: 0x00)))
}
