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
  public let Iopl: Field<UInt8>
  public let Unused: Field<UInt8>
  public let ActiveProcessors: Field<GuestWord>
  public let KernelTime: Field<UInt32>
  public let UserTime: Field<UInt32>
  public let ReadyListHead: Field<LIST_ENTRY>
  public let SwapListEntry: Field<SINGLE_LIST_ENTRY>
  public let VdmTrapcHandler: Field<Pointer<Void>>
  public let ThreadListHead: Field<LIST_ENTRY>
  public let ProcessLock: Field<GuestWord>
  public let Affinity: Field<GuestWord>
  public let StackCount: Field<UInt16>
  public let BasePriority: Field<Int8>
  public let ThreadQuantum: Field<Int8>
  public let AutoAlignment: Field<UInt8>
  public let State: Field<UInt8>
  public let ThreadSeed: Field<Int8>
  public let DisableBoost: Field<UInt8>
  public let PowerState: Field<UInt8>
  public let DisableQuantum: Field<UInt8>
  public let IdealNode: Field<UInt8>
  public let Flags: Field<KEXECUTE_OPTIONS>
  public let ExecuteOptions: Field<UInt8>

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
  public let QuotaUsage: Field<GuestWord>
  public let QuotaPeak: Field<GuestWord>
  public let CommitCharge: Field<GuestWord>
  public let PeakVirtualSize: Field<GuestWord>
  public let VirtualSize: Field<GuestWord>
  public let SessionProcessLinks: Field<LIST_ENTRY>
  public let DebugPort: Field<Pointer<Void>>
  public let ExceptionPort: Field<Pointer<Void>>
  public let ObjectTable: Field<Pointer<HANDLE_TABLE>>
  public let Token: Field<EX_FAST_REF>
  public let WorkingSetLock: Field<FAST_MUTEX>
  public let WorkingSetPage: Field<GuestWord>
  public let AddressCreationLock: Field<FAST_MUTEX>
  public let HyperSpaceLock: Field<GuestWord>
  public let ForkInProgress: Field<Pointer<ETHREAD>>
  public let HardwareTrigger: Field<GuestWord>
  public let VadRoot: Field<Pointer<Void>>
  public let VadHint: Field<Pointer<Void>>
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
  public let VadFreeHint: Field<Pointer<Void>>
  public let VdmObjects: Field<Pointer<Void>>
  public let DeviceMap: Field<Pointer<Void>>
  public let PhysicalVadList: Field<LIST_ENTRY>
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
  public let GrantedAccess: Field<UInt32>
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
  public let LastFaultCount: Field<UInt32>
  public let ModifiedPageCount: Field<UInt32>
  public let NumberOfVads: Field<UInt32>
  public let JobStatus: Field<UInt32>
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
  public let HasPhysicalVad: Field<UInt32>
  public let AddressSpaceInitialized: Field<UInt32>
  public let SetTimerResolution: Field<UInt32>
  public let BreakOnTermination: Field<UInt32>
  public let SessionCreationUnderway: Field<UInt32>
  public let WriteWatch: Field<UInt32>
  public let ProcessInSession: Field<UInt32>
  public let OverrideAddressSpace: Field<UInt32>
  public let HasAddressSpace: Field<UInt32>
  public let LaunchPrefetched: Field<UInt32>
  public let InjectInpageErrors: Field<UInt32>
  public let VmTopDown: Field<UInt32>
  public let Unused3: Field<UInt32>
  public let Unused4: Field<UInt32>
  public let VdmAllowed: Field<UInt32>
  public let Unused: Field<UInt32>
  public let Unused1: Field<UInt32>
  public let Unused2: Field<UInt32>
  public let ExitStatus: Field<NTSTATUS>
  public let NextPageColor: Field<UInt16>
  public let SubSystemMinorVersion: Field<UInt8>
  public let SubSystemMajorVersion: Field<UInt8>
  public let SubSystemVersion: Field<UInt16>
  public let PriorityClass: Field<UInt8>
  public let WorkingSetAcquiredUnsafe: Field<UInt8>
  public let Cookie: Field<UInt32>

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
