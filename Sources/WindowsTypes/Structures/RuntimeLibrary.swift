import Guest

/// The head of a sequenced singly linked list (`ntdef.h`).
public struct SLIST_HEADER: GuestStructure {
  public static let name = "_SLIST_HEADER"
  public let Alignment: Field<UInt64>
  public let Next: Field<Pointer<SINGLE_LIST_ENTRY>>
  public let Depth: Field<UInt16>
  public let Sequence: Field<UInt16>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, SLIST_HEADER(Alignment: 0x00, Next: 0x00, Depth: 0x04, Sequence: 0x06)))
}

/// A list of blocks of one size that are kept for the next caller (public symbols of XP SP3).
public struct GENERAL_LOOKASIDE: GuestStructure {
  public static let name = "_GENERAL_LOOKASIDE"
  public let ListHead: Field<SLIST_HEADER>
  public let Depth: Field<UInt16>
  public let MaximumDepth: Field<UInt16>
  public let TotalAllocates: Field<UInt32>
  public let AllocateMisses: Field<UInt32>
  public let AllocateHits: Field<UInt32>
  public let TotalFrees: Field<UInt32>
  public let FreeMisses: Field<UInt32>
  public let FreeHits: Field<UInt32>
  public let `Type`: Field<POOL_TYPE>
  public let Tag: Field<UInt32>
  public let Size: Field<UInt32>
  public let Allocate: Field<Pointer<Void>>
  public let Free: Field<Pointer<Void>>
  public let ListEntry: Field<LIST_ENTRY>
  public let LastTotalAllocates: Field<UInt32>
  public let LastAllocateMisses: Field<UInt32>
  public let LastAllocateHits: Field<UInt32>
  public let Future: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x80,
      GENERAL_LOOKASIDE(
        ListHead: 0x00, Depth: 0x08, MaximumDepth: 0x0a, TotalAllocates: 0x0c, AllocateMisses: 0x10, AllocateHits: 0x10,
        TotalFrees: 0x14, FreeMisses: 0x18, FreeHits: 0x18, Type: 0x1c, Tag: 0x20, Size: 0x24, Allocate: 0x28, Free: 0x2c,
        ListEntry: 0x30, LastTotalAllocates: 0x38, LastAllocateMisses: 0x3c, LastAllocateHits: 0x3c, Future: Field(0x40, count: 2)
      )
    ))
}

/// A place in the queue of a spin lock, on its owner's stack (`wdm.h`).
public struct KLOCK_QUEUE_HANDLE: GuestStructure {
  public static let name = "_KLOCK_QUEUE_HANDLE"
  public let LockQueue: Field<KSPIN_LOCK_QUEUE>
  public let OldIrql: Field<IRQL>

  public static let layouts = Layouts((.windowsXP_x86, 0xc, KLOCK_QUEUE_HANDLE(LockQueue: 0x00, OldIrql: 0x08)))
}

/// A bitmap that lies elsewhere (`wdm.h`).
public struct RTL_BITMAP: GuestStructure {
  public static let name = "_RTL_BITMAP"
  public let SizeOfBitMap: Field<UInt32>
  public let Buffer: Field<Pointer<UInt32>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, RTL_BITMAP(SizeOfBitMap: 0x00, Buffer: 0x04)))
}

/// A run of bits (`ntifs.h`).
public struct RTL_BITMAP_RUN: GuestStructure {
  public static let name = "_RTL_BITMAP_RUN"
  public let StartingIndex: Field<UInt32>
  public let NumberOfBits: Field<UInt32>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, RTL_BITMAP_RUN(StartingIndex: 0x00, NumberOfBits: 0x04)))
}

/// A calendar date and a time of day (`wdm.h`).
public struct TIME_FIELDS: GuestStructure {
  public static let name = "_TIME_FIELDS"
  public let Year: Field<Int16>
  public let Month: Field<Int16>
  public let Day: Field<Int16>
  public let Hour: Field<Int16>
  public let Minute: Field<Int16>
  public let Second: Field<Int16>
  public let Milliseconds: Field<Int16>
  public let Weekday: Field<Int16>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      TIME_FIELDS(
        Year: 0x00, Month: 0x02, Day: 0x04, Hour: 0x06, Minute: 0x08, Second: 0x0a, Milliseconds: 0x0c, Weekday: 0x0e)
    ))
}

/// Which Windows it is (`wdm.h`); the first form ends before `wServicePackMajor`.
public struct OSVERSIONINFOEXW: GuestStructure {
  public static let name = "_OSVERSIONINFOEXW"
  public let dwOSVersionInfoSize: Field<UInt32>
  public let dwMajorVersion: Field<UInt32>
  public let dwMinorVersion: Field<UInt32>
  public let dwBuildNumber: Field<UInt32>
  public let dwPlatformId: Field<UInt32>
  public let szCSDVersion: Field<UInt16>
  public let wServicePackMajor: Field<UInt16>
  public let wServicePackMinor: Field<UInt16>
  public let wSuiteMask: Field<UInt16>
  public let wProductType: Field<UInt8>
  public let wReserved: Field<UInt8>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x11c,
      OSVERSIONINFOEXW(
        dwOSVersionInfoSize: 0x00, dwMajorVersion: 0x04, dwMinorVersion: 0x08, dwBuildNumber: 0x0c, dwPlatformId: 0x10,
        szCSDVersion: Field(0x14, count: 128), wServicePackMajor: 0x114, wServicePackMinor: 0x116, wSuiteMask: 0x118,
        wProductType: 0x11a, wReserved: 0x11b
      )
    ))
}

/// A security identifier, which its subauthorities follow (`ntifs.h`).
public struct SID: GuestStructure {
  public static let name = "_SID"
  public let Revision: Field<UInt8>
  public let SubAuthorityCount: Field<UInt8>
  public let IdentifierAuthority: Field<UInt8>
  public let SubAuthority: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0xc,
      SID(Revision: 0x00, SubAuthorityCount: 0x01, IdentifierAuthority: Field(0x02, count: 6), SubAuthority: 0x08)
    ))
}

/// The head of an access control list, which its entries follow (`wdm.h`).
public struct ACL: GuestStructure {
  public static let name = "_ACL"
  public let AclRevision: Field<UInt8>
  public let Sbz1: Field<UInt8>
  public let AclSize: Field<UInt16>
  public let AceCount: Field<UInt16>
  public let Sbz2: Field<UInt16>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, ACL(AclRevision: 0x00, Sbz1: 0x01, AclSize: 0x02, AceCount: 0x04, Sbz2: 0x06)))
}

/// An entry of an access control list that allows or denies something to one identifier (`ntifs.h`).
public struct KNOWN_ACE: GuestStructure {
  public static let name = "_KNOWN_ACE"
  public let AceType: Field<UInt8>
  public let AceFlags: Field<UInt8>
  public let AceSize: Field<UInt16>
  public let Mask: Field<UInt32>
  public let SidStart: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0xc, KNOWN_ACE(AceType: 0x00, AceFlags: 0x01, AceSize: 0x02, Mask: 0x04, SidStart: 0x08)))
}

/// An object's owner and access control lists: by addresses, or by offsets where it is self-relative (`wdm.h`).
public struct SECURITY_DESCRIPTOR: GuestStructure {
  public static let name = "_SECURITY_DESCRIPTOR"
  public let Revision: Field<UInt8>
  public let Sbz1: Field<UInt8>
  public let Control: Field<UInt16>
  public let Owner: Field<Pointer<SID>>
  public let Group: Field<Pointer<SID>>
  public let Sacl: Field<Pointer<ACL>>
  public let Dacl: Field<Pointer<ACL>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x14,
      SECURITY_DESCRIPTOR(Revision: 0x00, Sbz1: 0x01, Control: 0x02, Owner: 0x04, Group: 0x08, Sacl: 0x0c, Dacl: 0x10)
    ))
}

/// A node of a balanced tree (`ntddk.h`).
public struct RTL_BALANCED_LINKS: GuestStructure {
  public static let name = "_RTL_BALANCED_LINKS"
  public let Parent: Field<Pointer<RTL_BALANCED_LINKS>>
  public let LeftChild: Field<Pointer<RTL_BALANCED_LINKS>>
  public let RightChild: Field<Pointer<RTL_BALANCED_LINKS>>
  public let Balance: Field<Int8>
  public let Reserved: Field<UInt8>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      RTL_BALANCED_LINKS(Parent: 0x00, LeftChild: 0x04, RightChild: 0x08, Balance: 0x0c, Reserved: Field(0x0d, count: 3))
    ))
}

/// A generic table over a balanced tree (`ntddk.h`).
public struct RTL_AVL_TABLE: GuestStructure {
  public static let name = "_RTL_AVL_TABLE"
  public let BalancedRoot: Field<RTL_BALANCED_LINKS>
  public let OrderedPointer: Field<Pointer<Void>>
  public let WhichOrderedElement: Field<UInt32>
  public let NumberGenericTableElements: Field<UInt32>
  public let DepthOfTree: Field<UInt32>
  public let RestartKey: Field<Pointer<RTL_BALANCED_LINKS>>
  public let DeleteCount: Field<UInt32>
  public let CompareRoutine: Field<Pointer<Void>>
  public let AllocateRoutine: Field<Pointer<Void>>
  public let FreeRoutine: Field<Pointer<Void>>
  public let TableContext: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x38,
      RTL_AVL_TABLE(
        BalancedRoot: 0x00, OrderedPointer: 0x10, WhichOrderedElement: 0x14, NumberGenericTableElements: 0x18, DepthOfTree: 0x1c,
        RestartKey: 0x20, DeleteCount: 0x24, CompareRoutine: 0x28, AllocateRoutine: 0x2c, FreeRoutine: 0x30, TableContext: 0x34
      )
    ))
}

/// A node of a splay tree; a root is its own parent (`ntddk.h`).
public struct RTL_SPLAY_LINKS: GuestStructure {
  public static let name = "_RTL_SPLAY_LINKS"
  public let Parent: Field<Pointer<RTL_SPLAY_LINKS>>
  public let LeftChild: Field<Pointer<RTL_SPLAY_LINKS>>
  public let RightChild: Field<Pointer<RTL_SPLAY_LINKS>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0xc, RTL_SPLAY_LINKS(Parent: 0x00, LeftChild: 0x04, RightChild: 0x08)))
}

/// A generic table over a splay tree, with a list in the order of insertion (`ntddk.h`).
public struct RTL_GENERIC_TABLE: GuestStructure {
  public static let name = "_RTL_GENERIC_TABLE"
  public let TableRoot: Field<Pointer<RTL_SPLAY_LINKS>>
  public let InsertOrderList: Field<LIST_ENTRY>
  public let OrderedPointer: Field<Pointer<LIST_ENTRY>>
  public let WhichOrderedElement: Field<UInt32>
  public let NumberGenericTableElements: Field<UInt32>
  public let CompareRoutine: Field<Pointer<Void>>
  public let AllocateRoutine: Field<Pointer<Void>>
  public let FreeRoutine: Field<Pointer<Void>>
  public let TableContext: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x28,
      RTL_GENERIC_TABLE(
        TableRoot: 0x00, InsertOrderList: 0x04, OrderedPointer: 0x0c, WhichOrderedElement: 0x10, NumberGenericTableElements: 0x14,
        CompareRoutine: 0x18, AllocateRoutine: 0x1c, FreeRoutine: 0x20, TableContext: 0x24
      )
    ))
}
