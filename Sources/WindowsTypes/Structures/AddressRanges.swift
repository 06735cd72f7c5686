import Guest

/// The protection and kind of a range of user addresses (public symbols of XP SP3).
public struct MMVAD_FLAGS: GuestStructure {
  public static let name = "_MMVAD_FLAGS"
  public let CommitCharge: Field<GuestWord>
  public let PhysicalMapping: Field<GuestWord>
  public let ImageMap: Field<GuestWord>
  public let UserPhysicalPages: Field<GuestWord>
  public let NoChange: Field<GuestWord>
  public let WriteWatch: Field<GuestWord>
  public let Protection: Field<GuestWord>
  public let LargePages: Field<GuestWord>
  public let MemCommit: Field<GuestWord>
  public let PrivateMemory: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMVAD_FLAGS(
        CommitCharge: Field(0x00, bits: 0...18), PhysicalMapping: Field(0x00, bits: 19...19), ImageMap: Field(0x00, bits: 20...20),
        UserPhysicalPages: Field(0x00, bits: 21...21), NoChange: Field(0x00, bits: 22...22), WriteWatch: Field(0x00, bits: 23...23),
        Protection: Field(0x00, bits: 24...28), LargePages: Field(0x00, bits: 29...29), MemCommit: Field(0x00, bits: 30...30),
        PrivateMemory: Field(0x00, bits: 31...31)
      )
    ), isCarriedOver: false)
}

/// The file offset and inheritance of a range of user addresses (public symbols of XP SP3).
public struct MMVAD_FLAGS2: GuestStructure {
  public static let name = "_MMVAD_FLAGS2"
  public let FileOffset: Field<UInt32>
  public let SecNoChange: Field<UInt32>
  public let OneSecured: Field<UInt32>
  public let MultipleSecured: Field<UInt32>
  public let ReadOnly: Field<UInt32>
  public let LongVad: Field<UInt32>
  public let ExtendableFile: Field<UInt32>
  public let Inherit: Field<UInt32>
  public let CopyOnWrite: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMVAD_FLAGS2(
        FileOffset: Field(0x00, bits: 0...23), SecNoChange: Field(0x00, bits: 24...24), OneSecured: Field(0x00, bits: 25...25),
        MultipleSecured: Field(0x00, bits: 26...26), ReadOnly: Field(0x00, bits: 27...27), LongVad: Field(0x00, bits: 28...28),
        ExtendableFile: Field(0x00, bits: 29...29), Inherit: Field(0x00, bits: 30...30), CopyOnWrite: Field(0x00, bits: 31...31)
      )
    ), isCarriedOver: false)
}

/// The unnamed type of `MMVAD.u`.
public struct MMVAD_u: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let LongFlags: Field<GuestWord>
  public let VadFlags: Field<MMVAD_FLAGS>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, MMVAD_u(LongFlags: 0x00, VadFlags: 0x00)), isCarriedOver: false)
}

/// The unnamed type of `MMVAD.u2`.
public struct MMVAD_u2: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let LongFlags2: Field<UInt32>
  public let VadFlags2: Field<MMVAD_FLAGS2>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, MMVAD_u2(LongFlags2: 0x00, VadFlags2: 0x00)), isCarriedOver: false)
}

/// A range of user addresses (public symbols of XP SP3).
public struct MMVAD: GuestStructure {
  public static let name = "_MMVAD"
  public let StartingVpn: Field<GuestWord>
  public let EndingVpn: Field<GuestWord>
  public let Parent: Field<Pointer<MMVAD>>
  public let LeftChild: Field<Pointer<MMVAD>>
  public let RightChild: Field<Pointer<MMVAD>>
  public let u: Field<MMVAD_u>
  public let ControlArea: Field<Pointer<CONTROL_AREA>>
  public let FirstPrototypePte: Field<Pointer<MMPTE>>
  public let LastContiguousPte: Field<Pointer<MMPTE>>
  public let u2: Field<MMVAD_u2>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x28,
      MMVAD(
        StartingVpn: 0x00, EndingVpn: 0x04, Parent: 0x08, LeftChild: 0x0c, RightChild: 0x10, u: 0x14, ControlArea: 0x18,
        FirstPrototypePte: 0x1c, LastContiguousPte: 0x20, u2: 0x24
      )
    ), isCarriedOver: false)
}

/// The state of a working set (public symbols of XP SP3).
public struct MMSUPPORT_FLAGS: GuestStructure {
  public static let name = "_MMSUPPORT_FLAGS"
  public let SessionSpace: Field<UInt32>
  public let BeingTrimmed: Field<UInt32>
  public let SessionLeader: Field<UInt32>
  public let TrimHard: Field<UInt32>
  public let WorkingSetHard: Field<UInt32>
  public let AddressSpaceBeingDeleted: Field<UInt32>
  public let Available: Field<UInt32>
  public let AllowWorkingSetAdjustment: Field<UInt32>
  public let MemoryPriority: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      MMSUPPORT_FLAGS(
        SessionSpace: Field(0x00, bits: 0...0), BeingTrimmed: Field(0x00, bits: 1...1), SessionLeader: Field(0x00, bits: 2...2),
        TrimHard: Field(0x00, bits: 3...3), WorkingSetHard: Field(0x00, bits: 4...4),
        AddressSpaceBeingDeleted: Field(0x00, bits: 5...5), Available: Field(0x00, bits: 6...15),
        AllowWorkingSetAdjustment: Field(0x00, bits: 16...23), MemoryPriority: Field(0x00, bits: 24...31)
      )
    ), isCarriedOver: false)
}

/// A working set (public symbols of XP SP3).
public struct MMSUPPORT: GuestStructure {
  public static let name = "_MMSUPPORT"
  public var LastTrimTime: Field<LARGE_INTEGER> = .absent
  public let Flags: Field<MMSUPPORT_FLAGS>
  public let PageFaultCount: Field<UInt32>
  public let PeakWorkingSetSize: Field<UInt32>
  public let WorkingSetSize: Field<UInt32>
  public let MinimumWorkingSetSize: Field<UInt32>
  public let MaximumWorkingSetSize: Field<UInt32>
  public let VmWorkingSetList: Field<Pointer<MMWSL>>
  public let WorkingSetExpansionLinks: Field<LIST_ENTRY>
  public var Claim: Field<UInt32> = .absent
  public var NextEstimationSlot: Field<UInt32> = .absent
  public var NextAgingSlot: Field<UInt32> = .absent
  public var EstimatedAvailable: Field<UInt32> = .absent
  public var GrowthSinceLastEstimate: Field<UInt32> = .absent
  public var WorkingSetMutex: Field<EX_PUSH_LOCK> = .absent
  public var ExitGate: Field<Pointer<Void>> = .absent
  public var AccessLog: Field<Pointer<Void>> = .absent
  public var AgeDistribution: Field<UInt32> = .absent
  public var WorkingSetPrivateSize: Field<UInt32> = .absent
  public var ChargedWslePages: Field<UInt32> = .absent
  public var ActualWslePages: Field<UInt32> = .absent
  public var WorkingSetSizeOverhead: Field<UInt32> = .absent
  public var HardFaultCount: Field<UInt32> = .absent
  public var NextPageColor: Field<UInt16> = .absent
  public var LastTrimStamp: Field<UInt16> = .absent
  public var RepurposeCount: Field<UInt32> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x40,
      MMSUPPORT(
        LastTrimTime: 0x00, Flags: 0x08, PageFaultCount: 0x0c, PeakWorkingSetSize: 0x10, WorkingSetSize: 0x14,
        MinimumWorkingSetSize: 0x18, MaximumWorkingSetSize: 0x1c, VmWorkingSetList: 0x20, WorkingSetExpansionLinks: 0x24,
        Claim: 0x2c, NextEstimationSlot: 0x30, NextAgingSlot: 0x34, EstimatedAvailable: 0x38, GrowthSinceLastEstimate: 0x3c
      )
    ),
    (
      .windows7_x86, 0x6c,
      MMSUPPORT(
        Flags: 0x68, PageFaultCount: 0x5c, PeakWorkingSetSize: 0x4c, WorkingSetSize: 0x34, MinimumWorkingSetSize: 0x30,
        MaximumWorkingSetSize: 0x3c, VmWorkingSetList: 0x54, WorkingSetExpansionLinks: 0x0c, WorkingSetMutex: 0x00, ExitGate: 0x04,
        AccessLog: 0x08, AgeDistribution: Field(0x14, count: 7), WorkingSetPrivateSize: 0x38, ChargedWslePages: 0x40, ActualWslePages: 0x44,
        WorkingSetSizeOverhead: 0x48, HardFaultCount: 0x50, NextPageColor: 0x58, LastTrimStamp: 0x5a, RepurposeCount: 0x60)
    ))
}
