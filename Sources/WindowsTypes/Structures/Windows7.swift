import Guest

/// A set of processors over all groups (public symbols of Windows 7 SP1).
public struct KAFFINITY_EX: GuestStructure {
  public static let name = "_KAFFINITY_EX"
  public let Count: Field<UInt16>
  public let Size: Field<UInt16>
  public let Reserved: Field<UInt32>
  public let Bitmap: Field<GuestWord>

  public static let layouts = Layouts(
    (.windows7_x86, 0xc, KAFFINITY_EX(Count: 0x00, Size: 0x02, Reserved: 0x04, Bitmap: 0x08)))
}

/// A set of processors of one group (`wdm.h`).
public struct GROUP_AFFINITY: GuestStructure {
  public static let name = "_GROUP_AFFINITY"
  public let Mask: Field<GuestWord>
  public let Group: Field<UInt16>
  public let Reserved: Field<UInt16>

  public static let layouts = Layouts(
    (.windows7_x86, 0xc, GROUP_AFFINITY(Mask: 0x00, Group: 0x04, Reserved: Field(0x06, count: 3))))
}

/// How many kernel stacks of a process are in memory (public symbols of Windows 7 SP1).
public struct KSTACK_COUNT: GuestStructure {
  public static let name = "_KSTACK_COUNT"
  public let Value: Field<Int32>
  public let State: Field<UInt32>
  public let StackCount: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windows7_x86, 0x4,
      KSTACK_COUNT(Value: 0x00, State: Field(0x00, bits: 0...2), StackCount: Field(0x00, bits: 3...31))
    ))
}

/// The ranges of a process's user addresses (public symbols of Windows 7 SP1).
public struct MM_AVL_TABLE: GuestStructure {
  public static let name = "_MM_AVL_TABLE"
  public let BalancedRoot: Field<GuestWord>
  public let DepthOfTree: Field<GuestWord>
  public let Unused: Field<GuestWord>
  public let NumberGenericTableElements: Field<GuestWord>
  public let NodeHint: Field<Pointer<Void>>
  public let NodeFreeHint: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windows7_x86, 0x20,
      MM_AVL_TABLE(
        BalancedRoot: Field(0x00, count: 5), DepthOfTree: Field(0x14, bits: 0...4), Unused: Field(0x14, bits: 5...7),
        NumberGenericTableElements: Field(0x14, bits: 8...31), NodeHint: 0x18, NodeFreeHint: 0x1c)
    ))
}

/// The client whose token a thread uses: a pointer that the level and a flag share (public symbols of Windows 7 SP1).
public struct PS_CLIENT_SECURITY_CONTEXT: GuestStructure {
  public static let name = "_PS_CLIENT_SECURITY_CONTEXT"
  public let ImpersonationData: Field<GuestWord>
  public let ImpersonationToken: Field<Pointer<Void>>
  public let ImpersonationLevel: Field<GuestWord>
  public let EffectiveOnly: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windows7_x86, 0x4,
      PS_CLIENT_SECURITY_CONTEXT(
        ImpersonationData: 0x00, ImpersonationToken: 0x00, ImpersonationLevel: Field(0x00, bits: 0...1),
        EffectiveOnly: Field(0x00, bits: 2...2))
    ))
}
