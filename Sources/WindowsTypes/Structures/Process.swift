import Guest

/// Which pages of a process may be executed (public symbols of XP SP3).
public struct KEXECUTE_OPTIONS: GuestStructure {
  public static let name = "_KEXECUTE_OPTIONS"
  public let ExecuteDisable: Field<UInt8>
  public let ExecuteEnable: Field<UInt8>
  public let DisableThunkEmulation: Field<UInt8>
  public let Permanent: Field<UInt8>
  public let ExecuteDispatchEnable: Field<UInt8>
  public let ImageDispatchEnable: Field<UInt8>
  public let Spare: Field<UInt8>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1,
      KEXECUTE_OPTIONS(
        ExecuteDisable: Field(0x00, bits: 0...0), ExecuteEnable: Field(0x00, bits: 1...1),
        DisableThunkEmulation: Field(0x00, bits: 2...2), Permanent: Field(0x00, bits: 3...3),
        ExecuteDispatchEnable: Field(0x00, bits: 4...4), ImageDispatchEnable: Field(0x00, bits: 5...5),
        Spare: Field(0x00, bits: 6...7)
      )
    ))
}

/// The kernel's part of a process object: address space and scheduling (public symbols of XP SP3).
public struct KPROCESS: GuestStructure {
  public static let name = "_KPROCESS"
  public let Header: Field<DISPATCHER_HEADER>
  public let ProfileListHead: Field<LIST_ENTRY>
  public let DirectoryTableBase: Field<GuestWord>
  public let LdtDescriptor: Field<KGDTENTRY>
  public let Int21Descriptor: Field<KIDTENTRY>
  public let IopmOffset: Field<UInt16>
  public var Iopl: Field<UInt8> = .absent
  public var Unused: Field<UInt8> = .absent
  public var ActiveProcessors: Field<GuestWord> = .absent
  public let KernelTime: Field<UInt32>
  public let UserTime: Field<UInt32>
  public let ReadyListHead: Field<LIST_ENTRY>
  public let SwapListEntry: Field<SINGLE_LIST_ENTRY>
  public let VdmTrapcHandler: Field<Pointer<Void>>
  public let ThreadListHead: Field<LIST_ENTRY>
  public let ProcessLock: Field<GuestWord>
  public var Affinity: Field<GuestWord> = .absent
  public var StackCount: Field<UInt16> = .absent
  public let BasePriority: Field<Int8>
  public var ThreadQuantum: Field<Int8> = .absent
  public var AutoAlignment: Field<UInt8> = .absent
  public var State: Field<UInt8> = .absent
  public var ThreadSeed: Field<Int8> = .absent
  public var DisableBoost: Field<UInt8> = .absent
  public var PowerState: Field<UInt8> = .absent
  public var DisableQuantum: Field<UInt8> = .absent
  public var IdealNode: Field<UInt8> = .absent
  public let Flags: Field<KEXECUTE_OPTIONS>
  public var ExecuteOptions: Field<UInt8> = .absent
  public var Affinity_7: Field<KAFFINITY_EX> = .absent
  public var ActiveProcessors_7: Field<KAFFINITY_EX> = .absent
  public var AutoAlignment_7: Field<UInt32> = .absent
  public var DisableBoost_7: Field<UInt32> = .absent
  public var DisableQuantum_7: Field<UInt32> = .absent
  public var ActiveGroupsMask: Field<UInt32> = .absent
  public var ReservedFlags: Field<UInt32> = .absent
  public var ProcessFlags: Field<Int32> = .absent
  public var QuantumReset: Field<Int8> = .absent
  public var Visited: Field<UInt8> = .absent
  public var Unused3: Field<UInt8> = .absent
  public var ThreadSeed_7: Field<UInt32> = .absent
  public var IdealNode_7: Field<UInt16> = .absent
  public var IdealGlobalNode: Field<UInt16> = .absent
  public var Unused1: Field<UInt8> = .absent
  public var Unused4: Field<UInt32> = .absent
  public var StackCount_7: Field<KSTACK_COUNT> = .absent
  public var ProcessListEntry: Field<LIST_ENTRY> = .absent
  public var CycleTime: Field<UInt64> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x6c,
      KPROCESS(
        Header: 0x00, ProfileListHead: 0x10, DirectoryTableBase: Field(0x18, count: 2), LdtDescriptor: 0x20, Int21Descriptor: 0x28,
        IopmOffset: 0x30, Iopl: 0x32, Unused: 0x33, ActiveProcessors: 0x34, KernelTime: 0x38, UserTime: 0x3c, ReadyListHead: 0x40,
        SwapListEntry: 0x48, VdmTrapcHandler: 0x4c, ThreadListHead: 0x50, ProcessLock: 0x58, Affinity: 0x5c, StackCount: 0x60,
        BasePriority: 0x62, ThreadQuantum: 0x63, AutoAlignment: 0x64, State: 0x65, ThreadSeed: 0x66, DisableBoost: 0x67,
        PowerState: 0x68, DisableQuantum: 0x69, IdealNode: 0x6a, Flags: 0x6b, ExecuteOptions: 0x6b
      )
    ),
    (
      .windows7_x86, 0x98,
      KPROCESS(
        Header: 0x00, ProfileListHead: 0x10, DirectoryTableBase: 0x18, LdtDescriptor: 0x1c, Int21Descriptor: 0x24, IopmOffset: 0x6e,
        KernelTime: 0x88, UserTime: 0x8c, ReadyListHead: 0x44, SwapListEntry: 0x4c, VdmTrapcHandler: 0x90, ThreadListHead: 0x2c,
        ProcessLock: 0x34, BasePriority: 0x60, Flags: 0x6c, Affinity_7: 0x38, ActiveProcessors_7: 0x50,
        AutoAlignment_7: Field(0x5c, bits: 0...0), DisableBoost_7: Field(0x5c, bits: 1...1), DisableQuantum_7: Field(0x5c, bits: 2...2),
        ActiveGroupsMask: Field(0x5c, bits: 3...3), ReservedFlags: Field(0x5c, bits: 4...31), ProcessFlags: 0x5c, QuantumReset: 0x61,
        Visited: 0x62, Unused3: 0x63, ThreadSeed_7: 0x64, IdealNode_7: 0x68, IdealGlobalNode: 0x6a, Unused1: 0x6d, Unused4: 0x70,
        StackCount_7: 0x74, ProcessListEntry: 0x78, CycleTime: 0x80)
    ))
}

/// A process object (public symbols of XP SP3).
///
/// The address of a process is that of its `Pcb`, too.
public struct EPROCESS: GuestStructure {
  public static let name = "_EPROCESS"
  public let Pcb: Field<KPROCESS>
  public let ProcessLock: Field<EX_PUSH_LOCK>
  public let CreateTime: Field<LARGE_INTEGER>
  public let ExitTime: Field<LARGE_INTEGER>
  public let RundownProtect: Field<EX_RUNDOWN_REF>
  public let UniqueProcessId: Field<Pointer<Void>>
  public let ActiveProcessLinks: Field<LIST_ENTRY>
  public var QuotaUsage: Field<GuestWord> = .absent
  public var QuotaPeak: Field<GuestWord> = .absent
  public let CommitCharge: Field<GuestWord>
  public let PeakVirtualSize: Field<GuestWord>
  public let VirtualSize: Field<GuestWord>
  public let SessionProcessLinks: Field<LIST_ENTRY>
  public let DebugPort: Field<Pointer<Void>>
  public var ExceptionPort: Field<Pointer<Void>> = .absent
  public let ObjectTable: Field<Pointer<HANDLE_TABLE>>
  public let Token: Field<EX_FAST_REF>
  public var WorkingSetLock: Field<FAST_MUTEX> = .absent
  public let WorkingSetPage: Field<GuestWord>
  public var AddressCreationLock: Field<FAST_MUTEX> = .absent
  public var HyperSpaceLock: Field<GuestWord> = .absent
  public let ForkInProgress: Field<Pointer<ETHREAD>>
  public let HardwareTrigger: Field<GuestWord>
  public var VadRoot: Field<Pointer<Void>> = .absent
  public var VadHint: Field<Pointer<Void>> = .absent
  public let CloneRoot: Field<Pointer<Void>>
  public let NumberOfPrivatePages: Field<GuestWord>
  public let NumberOfLockedPages: Field<GuestWord>
  public let Win32Process: Field<Pointer<Void>>
  public let Job: Field<Pointer<EJOB>>
  public let SectionObject: Field<Pointer<Void>>
  public let SectionBaseAddress: Field<Pointer<Void>>
  public let QuotaBlock: Field<Pointer<EPROCESS_QUOTA_BLOCK>>
  public let WorkingSetWatch: Field<Pointer<PAGEFAULT_HISTORY>>
  public let Win32WindowStation: Field<Pointer<Void>>
  public let InheritedFromUniqueProcessId: Field<Pointer<Void>>
  public let LdtInformation: Field<Pointer<Void>>
  public var VadFreeHint: Field<Pointer<Void>> = .absent
  public let VdmObjects: Field<Pointer<Void>>
  public let DeviceMap: Field<Pointer<Void>>
  public var PhysicalVadList: Field<LIST_ENTRY> = .absent
  public let PageDirectoryPte: Field<HARDWARE_PTE>
  public let Filler: Field<UInt64>
  public let Session: Field<Pointer<Void>>
  public let ImageFileName: Field<UInt8>
  public let JobLinks: Field<LIST_ENTRY>
  public let LockedPagesList: Field<Pointer<Void>>
  public let ThreadListHead: Field<LIST_ENTRY>
  public let SecurityPort: Field<Pointer<Void>>
  public let PaeTop: Field<Pointer<Void>>
  public let ActiveThreads: Field<UInt32>
  public var GrantedAccess: Field<UInt32> = .absent
  public let DefaultHardErrorProcessing: Field<UInt32>
  public let LastThreadExitStatus: Field<NTSTATUS>
  public let Peb: Field<Pointer<PEB>>
  public let PrefetchTrace: Field<EX_FAST_REF>
  public let ReadOperationCount: Field<LARGE_INTEGER>
  public let WriteOperationCount: Field<LARGE_INTEGER>
  public let OtherOperationCount: Field<LARGE_INTEGER>
  public let ReadTransferCount: Field<LARGE_INTEGER>
  public let WriteTransferCount: Field<LARGE_INTEGER>
  public let OtherTransferCount: Field<LARGE_INTEGER>
  public let CommitChargeLimit: Field<GuestWord>
  public let CommitChargePeak: Field<GuestWord>
  public let AweInfo: Field<Pointer<Void>>
  public let SeAuditProcessCreationInfo: Field<SE_AUDIT_PROCESS_CREATION_INFO>
  public let Vm: Field<MMSUPPORT>
  public var LastFaultCount: Field<UInt32> = .absent
  public let ModifiedPageCount: Field<UInt32>
  public var NumberOfVads: Field<UInt32> = .absent
  public var JobStatus: Field<UInt32> = .absent
  public let Flags: Field<UInt32>
  public let CreateReported: Field<UInt32>
  public let NoDebugInherit: Field<UInt32>
  public let ProcessExiting: Field<UInt32>
  public let ProcessDelete: Field<UInt32>
  public let Wow64SplitPages: Field<UInt32>
  public let VmDeleted: Field<UInt32>
  public let OutswapEnabled: Field<UInt32>
  public let Outswapped: Field<UInt32>
  public let ForkFailed: Field<UInt32>
  public var HasPhysicalVad: Field<UInt32> = .absent
  public let AddressSpaceInitialized: Field<UInt32>
  public let SetTimerResolution: Field<UInt32>
  public let BreakOnTermination: Field<UInt32>
  public var SessionCreationUnderway: Field<UInt32> = .absent
  public let WriteWatch: Field<UInt32>
  public let ProcessInSession: Field<UInt32>
  public let OverrideAddressSpace: Field<UInt32>
  public let HasAddressSpace: Field<UInt32>
  public let LaunchPrefetched: Field<UInt32>
  public let InjectInpageErrors: Field<UInt32>
  public let VmTopDown: Field<UInt32>
  public var Unused3: Field<UInt32> = .absent
  public var Unused4: Field<UInt32> = .absent
  public let VdmAllowed: Field<UInt32>
  public var Unused: Field<UInt32> = .absent
  public var Unused1: Field<UInt32> = .absent
  public var Unused2: Field<UInt32> = .absent
  public let ExitStatus: Field<NTSTATUS>
  public var NextPageColor: Field<UInt16> = .absent
  public var SubSystemMinorVersion: Field<UInt8> = .absent
  public var SubSystemMajorVersion: Field<UInt8> = .absent
  public var SubSystemVersion: Field<UInt16> = .absent
  public let PriorityClass: Field<UInt8>
  public var WorkingSetAcquiredUnsafe: Field<UInt8> = .absent
  public let Cookie: Field<UInt32>
  public var ProcessQuotaUsage: Field<GuestWord> = .absent
  public var ProcessQuotaPeak: Field<GuestWord> = .absent
  public var CpuQuotaBlock: Field<Pointer<Void>> = .absent
  public var ExceptionPortData: Field<Pointer<Void>> = .absent
  public var ExceptionPortValue: Field<UInt32> = .absent
  public var ExceptionPortState: Field<UInt32> = .absent
  public var AddressCreationLock_7: Field<EX_PUSH_LOCK> = .absent
  public var RotateInProgress: Field<Pointer<ETHREAD>> = .absent
  public var PhysicalVadRoot: Field<Pointer<Void>> = .absent
  public var Spare8: Field<UInt32> = .absent
  public var ConsoleHostProcess: Field<UInt32> = .absent
  public var EtwDataSource: Field<Pointer<Void>> = .absent
  public var FreeTebHint: Field<Pointer<Void>> = .absent
  public var ImagePathHash: Field<UInt32> = .absent
  public var MmProcessLinks: Field<LIST_ENTRY> = .absent
  public var HighestUserAddress: Field<Pointer<Void>> = .absent
  public var Flags2: Field<UInt32> = .absent
  public var JobNotReallyActive: Field<UInt32> = .absent
  public var AccountingFolded: Field<UInt32> = .absent
  public var NewProcessReported: Field<UInt32> = .absent
  public var ExitProcessReported: Field<UInt32> = .absent
  public var ReportCommitChanges: Field<UInt32> = .absent
  public var LastReportMemory: Field<UInt32> = .absent
  public var ReportPhysicalPageChanges: Field<UInt32> = .absent
  public var HandleTableRundown: Field<UInt32> = .absent
  public var NeedsHandleRundown: Field<UInt32> = .absent
  public var RefTraceEnabled: Field<UInt32> = .absent
  public var NumaAware: Field<UInt32> = .absent
  public var ProtectedProcess: Field<UInt32> = .absent
  public var DefaultPagePriority: Field<UInt32> = .absent
  public var PrimaryTokenFrozen: Field<UInt32> = .absent
  public var ProcessVerifierTarget: Field<UInt32> = .absent
  public var StackRandomizationDisabled: Field<UInt32> = .absent
  public var AffinityPermanent: Field<UInt32> = .absent
  public var AffinityUpdateEnable: Field<UInt32> = .absent
  public var PropagateNode: Field<UInt32> = .absent
  public var ExplicitAffinity: Field<UInt32> = .absent
  public var Wow64VaSpace4Gb: Field<UInt32> = .absent
  public var DeprioritizeViews: Field<UInt32> = .absent
  public var ImageNotifyDone: Field<UInt32> = .absent
  public var PdeUpdateNeeded: Field<UInt32> = .absent
  public var CrossSessionCreate: Field<UInt32> = .absent
  public var ProcessInserted: Field<UInt32> = .absent
  public var DefaultIoPriority: Field<UInt32> = .absent
  public var ProcessSelfDelete: Field<UInt32> = .absent
  public var SetTimerResolutionLink: Field<UInt32> = .absent
  public var VadRoot_7: Field<MM_AVL_TABLE> = .absent
  public var AlpcContext: Field<UInt32> = .absent
  public var TimerResolutionLink: Field<LIST_ENTRY> = .absent
  public var RequestedTimerResolution: Field<UInt32> = .absent
  public var ActiveThreadsHighWatermark: Field<UInt32> = .absent
  public var SmallestTimerResolution: Field<UInt32> = .absent
  public var TimerResolutionStackRecord: Field<Pointer<Void>> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x260,
      EPROCESS(
        Pcb: 0x00, ProcessLock: 0x6c, CreateTime: 0x70, ExitTime: 0x78, RundownProtect: 0x80, UniqueProcessId: 0x84,
        ActiveProcessLinks: 0x88, QuotaUsage: Field(0x90, count: 3), QuotaPeak: Field(0x9c, count: 3), CommitCharge: 0xa8,
        PeakVirtualSize: 0xac, VirtualSize: 0xb0, SessionProcessLinks: 0xb4, DebugPort: 0xbc, ExceptionPort: 0xc0,
        ObjectTable: 0xc4, Token: 0xc8, WorkingSetLock: 0xcc, WorkingSetPage: 0xec, AddressCreationLock: 0xf0,
        HyperSpaceLock: 0x110, ForkInProgress: 0x114, HardwareTrigger: 0x118, VadRoot: 0x11c, VadHint: 0x120, CloneRoot: 0x124,
        NumberOfPrivatePages: 0x128, NumberOfLockedPages: 0x12c, Win32Process: 0x130, Job: 0x134, SectionObject: 0x138,
        SectionBaseAddress: 0x13c, QuotaBlock: 0x140, WorkingSetWatch: 0x144, Win32WindowStation: 0x148,
        InheritedFromUniqueProcessId: 0x14c, LdtInformation: 0x150, VadFreeHint: 0x154, VdmObjects: 0x158, DeviceMap: 0x15c,
        PhysicalVadList: 0x160, PageDirectoryPte: 0x168, Filler: 0x168, Session: 0x170, ImageFileName: Field(0x174, count: 16),
        JobLinks: 0x184, LockedPagesList: 0x18c, ThreadListHead: 0x190, SecurityPort: 0x198, PaeTop: 0x19c, ActiveThreads: 0x1a0,
        GrantedAccess: 0x1a4, DefaultHardErrorProcessing: 0x1a8, LastThreadExitStatus: 0x1ac, Peb: 0x1b0, PrefetchTrace: 0x1b4,
        ReadOperationCount: 0x1b8, WriteOperationCount: 0x1c0, OtherOperationCount: 0x1c8, ReadTransferCount: 0x1d0,
        WriteTransferCount: 0x1d8, OtherTransferCount: 0x1e0, CommitChargeLimit: 0x1e8, CommitChargePeak: 0x1ec, AweInfo: 0x1f0,
        SeAuditProcessCreationInfo: 0x1f4, Vm: 0x1f8, LastFaultCount: 0x238, ModifiedPageCount: 0x23c, NumberOfVads: 0x240,
        JobStatus: 0x244, Flags: 0x248, CreateReported: Field(0x248, bits: 0...0), NoDebugInherit: Field(0x248, bits: 1...1),
        ProcessExiting: Field(0x248, bits: 2...2), ProcessDelete: Field(0x248, bits: 3...3),
        Wow64SplitPages: Field(0x248, bits: 4...4), VmDeleted: Field(0x248, bits: 5...5), OutswapEnabled: Field(0x248, bits: 6...6),
        Outswapped: Field(0x248, bits: 7...7), ForkFailed: Field(0x248, bits: 8...8), HasPhysicalVad: Field(0x248, bits: 9...9),
        AddressSpaceInitialized: Field(0x248, bits: 10...11), SetTimerResolution: Field(0x248, bits: 12...12),
        BreakOnTermination: Field(0x248, bits: 13...13), SessionCreationUnderway: Field(0x248, bits: 14...14),
        WriteWatch: Field(0x248, bits: 15...15), ProcessInSession: Field(0x248, bits: 16...16),
        OverrideAddressSpace: Field(0x248, bits: 17...17), HasAddressSpace: Field(0x248, bits: 18...18),
        LaunchPrefetched: Field(0x248, bits: 19...19), InjectInpageErrors: Field(0x248, bits: 20...20),
        VmTopDown: Field(0x248, bits: 21...21), Unused3: Field(0x248, bits: 22...22), Unused4: Field(0x248, bits: 23...23),
        VdmAllowed: Field(0x248, bits: 24...24), Unused: Field(0x248, bits: 25...29), Unused1: Field(0x248, bits: 30...30),
        Unused2: Field(0x248, bits: 31...31), ExitStatus: 0x24c, NextPageColor: 0x250, SubSystemMinorVersion: 0x252,
        SubSystemMajorVersion: 0x253, SubSystemVersion: 0x252, PriorityClass: 0x254, WorkingSetAcquiredUnsafe: 0x255, Cookie: 0x258
      )
    ),
    (
      .windows7_x86, 0x2c0,
      EPROCESS(
        Pcb: 0x00, ProcessLock: 0x98, CreateTime: 0xa0, ExitTime: 0xa8, RundownProtect: 0xb0, UniqueProcessId: 0xb4,
        ActiveProcessLinks: 0xb8, CommitCharge: 0xd0, PeakVirtualSize: 0xdc, VirtualSize: 0xe0, SessionProcessLinks: 0xe4, DebugPort: 0xec,
        ObjectTable: 0xf4, Token: 0xf8, WorkingSetPage: 0xfc, ForkInProgress: 0x108, HardwareTrigger: 0x10c, CloneRoot: 0x114,
        NumberOfPrivatePages: 0x118, NumberOfLockedPages: 0x11c, Win32Process: 0x120, Job: 0x124, SectionObject: 0x128,
        SectionBaseAddress: 0x12c, QuotaBlock: 0xd4, WorkingSetWatch: 0x138, Win32WindowStation: 0x13c, InheritedFromUniqueProcessId: 0x140,
        LdtInformation: 0x144, VdmObjects: 0x148, DeviceMap: 0x150, PageDirectoryPte: 0x160, Filler: 0x160, Session: 0x168,
        ImageFileName: Field(0x16c, count: 15), JobLinks: 0x17c, LockedPagesList: 0x184, ThreadListHead: 0x188, SecurityPort: 0x190,
        PaeTop: 0x194, ActiveThreads: 0x198, DefaultHardErrorProcessing: 0x1a0, LastThreadExitStatus: 0x1a4, Peb: 0x1a8,
        PrefetchTrace: 0x1ac, ReadOperationCount: 0x1b0, WriteOperationCount: 0x1b8, OtherOperationCount: 0x1c0, ReadTransferCount: 0x1c8,
        WriteTransferCount: 0x1d0, OtherTransferCount: 0x1d8, CommitChargeLimit: 0x1e0, CommitChargePeak: 0x1e4, AweInfo: 0x1e8,
        SeAuditProcessCreationInfo: 0x1ec, Vm: 0x1f0, ModifiedPageCount: 0x268, Flags: 0x270, CreateReported: Field(0x270, bits: 0...0),
        NoDebugInherit: Field(0x270, bits: 1...1), ProcessExiting: Field(0x270, bits: 2...2), ProcessDelete: Field(0x270, bits: 3...3),
        Wow64SplitPages: Field(0x270, bits: 4...4), VmDeleted: Field(0x270, bits: 5...5), OutswapEnabled: Field(0x270, bits: 6...6),
        Outswapped: Field(0x270, bits: 7...7), ForkFailed: Field(0x270, bits: 8...8), AddressSpaceInitialized: Field(0x270, bits: 10...11),
        SetTimerResolution: Field(0x270, bits: 12...12), BreakOnTermination: Field(0x270, bits: 13...13),
        WriteWatch: Field(0x270, bits: 15...15), ProcessInSession: Field(0x270, bits: 16...16),
        OverrideAddressSpace: Field(0x270, bits: 17...17), HasAddressSpace: Field(0x270, bits: 18...18),
        LaunchPrefetched: Field(0x270, bits: 19...19), InjectInpageErrors: Field(0x270, bits: 20...20),
        VmTopDown: Field(0x270, bits: 21...21), VdmAllowed: Field(0x270, bits: 24...24), ExitStatus: 0x274, PriorityClass: 0x17b,
        Cookie: 0x130, ProcessQuotaUsage: Field(0xc0, count: 2), ProcessQuotaPeak: Field(0xc8, count: 2), CpuQuotaBlock: 0xd8,
        ExceptionPortData: 0xf0, ExceptionPortValue: 0xf0, ExceptionPortState: Field(0xf0, bits: 0...2), AddressCreationLock_7: 0x100,
        RotateInProgress: 0x104, PhysicalVadRoot: 0x110, Spare8: 0x134, ConsoleHostProcess: 0x14c, EtwDataSource: 0x154, FreeTebHint: 0x158,
        ImagePathHash: 0x19c, MmProcessLinks: 0x25c, HighestUserAddress: 0x264, Flags2: 0x26c,
        JobNotReallyActive: Field(0x26c, bits: 0...0), AccountingFolded: Field(0x26c, bits: 1...1),
        NewProcessReported: Field(0x26c, bits: 2...2), ExitProcessReported: Field(0x26c, bits: 3...3),
        ReportCommitChanges: Field(0x26c, bits: 4...4), LastReportMemory: Field(0x26c, bits: 5...5),
        ReportPhysicalPageChanges: Field(0x26c, bits: 6...6), HandleTableRundown: Field(0x26c, bits: 7...7),
        NeedsHandleRundown: Field(0x26c, bits: 8...8), RefTraceEnabled: Field(0x26c, bits: 9...9), NumaAware: Field(0x26c, bits: 10...10),
        ProtectedProcess: Field(0x26c, bits: 11...11), DefaultPagePriority: Field(0x26c, bits: 12...14),
        PrimaryTokenFrozen: Field(0x26c, bits: 15...15), ProcessVerifierTarget: Field(0x26c, bits: 16...16),
        StackRandomizationDisabled: Field(0x26c, bits: 17...17), AffinityPermanent: Field(0x26c, bits: 18...18),
        AffinityUpdateEnable: Field(0x26c, bits: 19...19), PropagateNode: Field(0x26c, bits: 20...20),
        ExplicitAffinity: Field(0x26c, bits: 21...21), Wow64VaSpace4Gb: Field(0x270, bits: 9...9),
        DeprioritizeViews: Field(0x270, bits: 14...14), ImageNotifyDone: Field(0x270, bits: 22...22),
        PdeUpdateNeeded: Field(0x270, bits: 23...23), CrossSessionCreate: Field(0x270, bits: 25...25),
        ProcessInserted: Field(0x270, bits: 26...26), DefaultIoPriority: Field(0x270, bits: 27...29),
        ProcessSelfDelete: Field(0x270, bits: 30...30), SetTimerResolutionLink: Field(0x270, bits: 31...31), VadRoot_7: 0x278,
        AlpcContext: Field(0x298, count: 4), TimerResolutionLink: 0x2a8, RequestedTimerResolution: 0x2b0, ActiveThreadsHighWatermark: 0x2b4,
        SmallestTimerResolution: 0x2b8, TimerResolutionStackRecord: 0x2bc)
    ))
}

/// The image name that process auditing reports (public symbols of XP SP3).
public struct SE_AUDIT_PROCESS_CREATION_INFO: GuestStructure {
  public static let name = "_SE_AUDIT_PROCESS_CREATION_INFO"
  public let ImageFileName: Field<Pointer<OBJECT_NAME_INFORMATION>>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, SE_AUDIT_PROCESS_CREATION_INFO(ImageFileName: 0x00)))
}

/// The full name of an object (`ntifs.h`).
public struct OBJECT_NAME_INFORMATION: GuestStructure {
  public static let name = "_OBJECT_NAME_INFORMATION"
  public let Name: Field<UNICODE_STRING>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, OBJECT_NAME_INFORMATION(Name: 0x00)))
}
