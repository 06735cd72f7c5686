import Guest

/// The start of a thread environment block, and of the KPCR (`ntddk.h`).
///
/// In kernel mode `fs:[0]` is `ExceptionList`.
public struct NT_TIB: GuestStructure {
  public static let name = "_NT_TIB"
  public let ExceptionList: Field<Pointer<EXCEPTION_REGISTRATION_RECORD>>
  public let StackBase: Field<Pointer<Void>>
  public let StackLimit: Field<Pointer<Void>>
  public let SubSystemTib: Field<Pointer<Void>>
  public let FiberData: Field<Pointer<Void>>
  public let Version: Field<UInt32>
  public let ArbitraryUserPointer: Field<Pointer<Void>>
  public let `Self`: Field<Pointer<NT_TIB>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      NT_TIB(
        ExceptionList: 0x00, StackBase: 0x04, StackLimit: 0x08, SubSystemTib: 0x0c, FiberData: 0x10, Version: 0x10,
        ArbitraryUserPointer: 0x14, Self: 0x18
      )
    ))
}

/// The processor control region, which `fs` addresses in kernel mode (`ntddk.h`; public symbols of XP SP3).
public struct KPCR: GuestStructure {
  public static let name = "_KPCR"
  public let NtTib: Field<NT_TIB>
  public let SelfPcr: Field<Pointer<KPCR>>
  public let Prcb: Field<Pointer<KPRCB>>
  public let Irql: Field<IRQL>
  public let IRR: Field<UInt32>
  public let IrrActive: Field<UInt32>
  public let IDR: Field<UInt32>
  public let KdVersionBlock: Field<Pointer<Void>>
  public let IDT: Field<Pointer<KIDTENTRY>>
  public let GDT: Field<Pointer<KGDTENTRY>>
  public let TSS: Field<Pointer<KTSS>>
  public let MajorVersion: Field<UInt16>
  public let MinorVersion: Field<UInt16>
  public let SetMember: Field<GuestWord>
  public let StallScaleFactor: Field<UInt32>
  public var DebugActive: Field<UInt8> = .absent
  public let Number: Field<UInt8>
  public let Spare0: Field<UInt8>
  public let SecondLevelCacheAssociativity: Field<UInt8>
  public let VdmAlert: Field<UInt32>
  public let KernelReserved: Field<UInt32>
  public let SecondLevelCacheSize: Field<UInt32>
  public let HalReserved: Field<UInt32>
  public let InterruptMode: Field<UInt32>
  public let Spare1: Field<UInt8>
  public let KernelReserved2: Field<UInt32>
  public let PrcbData: Field<KPRCB>
  public var SpareUnused: Field<UInt8> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0xd70,
      KPCR(
        NtTib: 0x00, SelfPcr: 0x1c, Prcb: 0x20, Irql: 0x24, IRR: 0x28, IrrActive: 0x2c, IDR: 0x30, KdVersionBlock: 0x34, IDT: 0x38,
        GDT: 0x3c, TSS: 0x40, MajorVersion: 0x44, MinorVersion: 0x46, SetMember: 0x48, StallScaleFactor: 0x4c, DebugActive: 0x50,
        Number: 0x51, Spare0: 0x52, SecondLevelCacheAssociativity: 0x53, VdmAlert: 0x54, KernelReserved: Field(0x58, count: 14),
        SecondLevelCacheSize: 0x90, HalReserved: Field(0x94, count: 16), InterruptMode: 0xd4, Spare1: 0xd8,
        KernelReserved2: Field(0xdc, count: 17), PrcbData: 0x120
      )
    ),
    (
      .windows7_x86, 0x3748,
      KPCR(
        NtTib: 0x00, SelfPcr: 0x1c, Prcb: 0x20, Irql: 0x24, IRR: 0x28, IrrActive: 0x2c, IDR: 0x30, KdVersionBlock: 0x34, IDT: 0x38,
        GDT: 0x3c, TSS: 0x40, MajorVersion: 0x44, MinorVersion: 0x46, SetMember: 0x48, StallScaleFactor: 0x4c, Number: 0x51, Spare0: 0x52,
        SecondLevelCacheAssociativity: 0x53, VdmAlert: 0x54, KernelReserved: Field(0x58, count: 14), SecondLevelCacheSize: 0x90,
        HalReserved: Field(0x94, count: 16), InterruptMode: 0xd4, Spare1: 0xd8, KernelReserved2: Field(0xdc, count: 17), PrcbData: 0x120,
        SpareUnused: 0x50)
    ))
}

/// The processor control block: current thread, DPC state (public symbols of XP SP3).
///
/// The members after `CpuID` that no driver reads are left out; the size is the whole one.
public struct KPRCB: GuestStructure {
  public static let name = "_KPRCB"
  public let MinorVersion: Field<UInt16>
  public let MajorVersion: Field<UInt16>
  public let CurrentThread: Field<Pointer<KTHREAD>>
  public let NextThread: Field<Pointer<KTHREAD>>
  public let IdleThread: Field<Pointer<KTHREAD>>
  public var Number: Field<Int8> = .absent
  public var SetMember: Field<GuestWord> = .absent
  public let CpuType: Field<Int8>
  public let CpuID: Field<Int8>
  public let ProcessorState: Field<KPROCESSOR_STATE>
  public let LockQueue: Field<KSPIN_LOCK_QUEUE>
  public let NpxThread: Field<Pointer<KTHREAD>>
  public let InterruptCount: Field<UInt32>
  public let KernelTime: Field<UInt32>
  public let UserTime: Field<UInt32>
  public var KeContextSwitches: Field<UInt32> = .absent
  public let KeSystemCalls: Field<UInt32>
  public let PPLookasideList: Field<PP_LOOKASIDE_LIST>
  public let DpcStack: Field<Pointer<Void>>
  public let DpcQueueDepth: Field<UInt32>
  public var DpcRoutineActive: Field<UInt32> = .absent
  public var DpcInterruptRequested: Field<UInt32> = .absent
  public var QuantumEnd: Field<UInt32> = .absent
  public var LegacyNumber: Field<UInt8> = .absent
  public var NestingLevel: Field<UInt8> = .absent
  public var BuildType: Field<UInt16> = .absent
  public var CpuStep: Field<UInt16> = .absent
  public var GroupSetMember: Field<GuestWord> = .absent
  public var Number_7: Field<UInt32> = .absent
  public var MaximumDpcQueueDepth: Field<Int32> = .absent
  public var QuantumEnd_7: Field<UInt8> = .absent
  public var DpcRoutineActive_7: Field<UInt8> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0xc50,
      KPRCB(
        MinorVersion: 0x00, MajorVersion: 0x02, CurrentThread: 0x04, NextThread: 0x08, IdleThread: 0x0c, Number: 0x10,
        SetMember: 0x14, CpuType: 0x18, CpuID: 0x19, ProcessorState: 0x1c, LockQueue: Field(0x418, count: 16), NpxThread: 0x4a0,
        InterruptCount: 0x4a4, KernelTime: 0x4a8, UserTime: 0x4ac, KeContextSwitches: 0x4fc, KeSystemCalls: 0x518,
        PPLookasideList: Field(0x520, count: 16), DpcStack: 0x868, DpcQueueDepth: 0x870, DpcRoutineActive: 0x874,
        DpcInterruptRequested: 0x878, QuantumEnd: 0x88c
      )
    ),
    (
      .windows7_x86, 0x3628,
      KPRCB(
        MinorVersion: 0x00, MajorVersion: 0x02, CurrentThread: 0x04, NextThread: 0x08, IdleThread: 0x0c, CpuType: 0x14, CpuID: 0x15,
        ProcessorState: 0x18, LockQueue: Field(0x418, count: 17), NpxThread: 0x4a0, InterruptCount: 0x4a4, KernelTime: 0x4a8,
        UserTime: 0x4ac, KeSystemCalls: 0x590, PPLookasideList: Field(0x5a0, count: 16), DpcStack: 0x1908, DpcQueueDepth: 0x18ec,
        LegacyNumber: 0x10, NestingLevel: 0x11, BuildType: 0x12, CpuStep: 0x16, GroupSetMember: 0x3c8, Number_7: 0x3cc,
        MaximumDpcQueueDepth: 0x190c, QuantumEnd_7: 0x1931, DpcRoutineActive_7: 0x1932)
    ))
}

/// The registers of a processor that is stopped (public symbols of XP SP3).
public struct KPROCESSOR_STATE: GuestStructure {
  public static let name = "_KPROCESSOR_STATE"
  public let ContextFrame: Field<CONTEXT>
  public let SpecialRegisters: Field<KSPECIAL_REGISTERS>

  public static let layouts = Layouts((.windowsXP_x86, 0x320, KPROCESSOR_STATE(ContextFrame: 0x00, SpecialRegisters: 0x2cc)))
}

/// Control, debug and table registers (public symbols of XP SP3).
public struct KSPECIAL_REGISTERS: GuestStructure {
  public static let name = "_KSPECIAL_REGISTERS"
  public let Cr0: Field<UInt32>
  public let Cr2: Field<UInt32>
  public let Cr3: Field<UInt32>
  public let Cr4: Field<UInt32>
  public let KernelDr0: Field<UInt32>
  public let KernelDr1: Field<UInt32>
  public let KernelDr2: Field<UInt32>
  public let KernelDr3: Field<UInt32>
  public let KernelDr6: Field<UInt32>
  public let KernelDr7: Field<UInt32>
  public let Gdtr: Field<DESCRIPTOR>
  public let Idtr: Field<DESCRIPTOR>
  public let Tr: Field<UInt16>
  public let Ldtr: Field<UInt16>
  public let Reserved: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x54,
      KSPECIAL_REGISTERS(
        Cr0: 0x00, Cr2: 0x04, Cr3: 0x08, Cr4: 0x0c, KernelDr0: 0x10, KernelDr1: 0x14, KernelDr2: 0x18, KernelDr3: 0x1c,
        KernelDr6: 0x20, KernelDr7: 0x24, Gdtr: 0x28, Idtr: 0x30, Tr: 0x38, Ldtr: 0x3a, Reserved: Field(0x3c, count: 6)
      )
    ))
}

/// The operand of `lgdt` and `lidt` (public symbols of XP SP3).
public struct DESCRIPTOR: GuestStructure {
  public static let name = "_DESCRIPTOR"
  public let Pad: Field<UInt16>
  public let Limit: Field<UInt16>
  public let Base: Field<UInt32>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, DESCRIPTOR(Pad: 0x00, Limit: 0x02, Base: 0x04)))
}

/// A processor's own and the shared lookaside list of one kind (public symbols of XP SP3).
public struct PP_LOOKASIDE_LIST: GuestStructure {
  public static let name = "_PP_LOOKASIDE_LIST"
  public let P: Field<Pointer<GENERAL_LOOKASIDE>>
  public let L: Field<Pointer<GENERAL_LOOKASIDE>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, PP_LOOKASIDE_LIST(P: 0x00, L: 0x04)))
}

/// A segment descriptor (`ntddk.h`).
public struct KGDTENTRY: GuestStructure {
  public static let name = "_KGDTENTRY"
  public let LimitLow: Field<UInt16>
  public let BaseLow: Field<UInt16>
  public let HighWord: Field<KGDTENTRY_HighWord>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, KGDTENTRY(LimitLow: 0x00, BaseLow: 0x02, HighWord: 0x04)))
}

/// The unnamed type of `KGDTENTRY.HighWord`.
public struct KGDTENTRY_HighWord: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Bytes: Field<KGDTENTRY_HighWord_Bytes>
  public let Bits: Field<KGDTENTRY_HighWord_Bits>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, KGDTENTRY_HighWord(Bytes: 0x00, Bits: 0x00)))
}

/// The unnamed type of `KGDTENTRY_HighWord.Bytes`.
public struct KGDTENTRY_HighWord_Bytes: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let BaseMid: Field<UInt8>
  public let Flags1: Field<UInt8>
  public let Flags2: Field<UInt8>
  public let BaseHi: Field<UInt8>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x4, KGDTENTRY_HighWord_Bytes(BaseMid: 0x00, Flags1: 0x01, Flags2: 0x02, BaseHi: 0x03)))
}

/// The unnamed type of `KGDTENTRY_HighWord.Bits`.
public struct KGDTENTRY_HighWord_Bits: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let BaseMid: Field<UInt32>
  public let `Type`: Field<UInt32>
  public let Dpl: Field<UInt32>
  public let Pres: Field<UInt32>
  public let LimitHi: Field<UInt32>
  public let Sys: Field<UInt32>
  public let Reserved_0: Field<UInt32>
  public let Default_Big: Field<UInt32>
  public let Granularity: Field<UInt32>
  public let BaseHi: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      KGDTENTRY_HighWord_Bits(
        BaseMid: Field(0x00, bits: 0...7), Type: Field(0x00, bits: 8...12), Dpl: Field(0x00, bits: 13...14),
        Pres: Field(0x00, bits: 15...15), LimitHi: Field(0x00, bits: 16...19), Sys: Field(0x00, bits: 20...20),
        Reserved_0: Field(0x00, bits: 21...21), Default_Big: Field(0x00, bits: 22...22), Granularity: Field(0x00, bits: 23...23),
        BaseHi: Field(0x00, bits: 24...31)
      )
    ))
}

/// An interrupt gate (public symbols of XP SP3).
public struct KIDTENTRY: GuestStructure {
  public static let name = "_KIDTENTRY"
  public let Offset: Field<UInt16>
  public let Selector: Field<UInt16>
  public let Access: Field<UInt16>
  public let ExtendedOffset: Field<UInt16>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, KIDTENTRY(Offset: 0x00, Selector: 0x02, Access: 0x04, ExtendedOffset: 0x06)))
}
