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
