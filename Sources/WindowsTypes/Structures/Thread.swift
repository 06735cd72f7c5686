import Guest

/// The APC queues of a thread in one address space, and which one that is (`ntifs.h`).
///
/// `KeStackAttachProcess` fills one in; its size and the place of `Process` are part of that contract.
public struct KAPC_STATE: GuestStructure {
  public static let name = "_KAPC_STATE"
  public let ApcListHead: Field<LIST_ENTRY>
  public let Process: Field<Pointer<KPROCESS>>
  public let KernelApcInProgress: Field<UInt8>
  public let KernelApcPending: Field<UInt8>
  public let UserApcPending: Field<UInt8>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      KAPC_STATE(
        ApcListHead: Field(0x00, count: 2), Process: 0x10, KernelApcInProgress: 0x14, KernelApcPending: 0x15, UserApcPending: 0x16
      )
    ))
}

/// An asynchronous procedure call (`wdm.h`).
public struct KAPC: GuestStructure {
  public static let name = "_KAPC"
  public let `Type`: Field<Int16>
  public let Size: Field<Int16>
  public var Spare0: Field<UInt32> = .absent
  public let Thread: Field<Pointer<KTHREAD>>
  public let ApcListEntry: Field<LIST_ENTRY>
  public let KernelRoutine: Field<Pointer<Procedure<Void>>>
  public let RundownRoutine: Field<Pointer<Procedure<Void>>>
  public let NormalRoutine: Field<Pointer<Procedure<Void>>>
  public let NormalContext: Field<Pointer<Void>>
  public let SystemArgument1: Field<Pointer<Void>>
  public let SystemArgument2: Field<Pointer<Void>>
  public let ApcStateIndex: Field<UInt8>
  public let ApcMode: Field<KPROCESSOR_MODE>
  public let Inserted: Field<UInt8>
  public var SpareByte0: Field<UInt8> = .absent
  public var SpareByte1: Field<UInt8> = .absent
  public var SpareLong0: Field<UInt32> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x30,
      KAPC(
        Type: 0x00, Size: 0x02, Spare0: 0x04, Thread: 0x08, ApcListEntry: 0x0c, KernelRoutine: 0x14, RundownRoutine: 0x18,
        NormalRoutine: 0x1c, NormalContext: 0x20, SystemArgument1: 0x24, SystemArgument2: 0x28, ApcStateIndex: 0x2c, ApcMode: 0x2d,
        Inserted: 0x2e
      )
    ),
    (
      .windows7_x86, 0x30,
      KAPC(
        Type: 0x00, Size: 0x02, Thread: 0x08, ApcListEntry: 0x0c, KernelRoutine: 0x14, RundownRoutine: 0x18, NormalRoutine: 0x1c,
        NormalContext: 0x20, SystemArgument1: 0x24, SystemArgument2: 0x28, ApcStateIndex: 0x2c, ApcMode: 0x2d, Inserted: 0x2e,
        SpareByte0: 0x01, SpareByte1: 0x03, SpareLong0: 0x04)
    ))
}

/// The kernel's part of a thread object: stack, APC state, waiting (public symbols of XP SP3).
///
/// `ApcState.Process` is the process whose address space the thread runs in; see ``ETHREAD/ThreadsProcess`` for its owner.
public struct KTHREAD: GuestStructure {
  public static let name = "_KTHREAD"
  public let Header: Field<DISPATCHER_HEADER>
  public let MutantListHead: Field<LIST_ENTRY>
  public let InitialStack: Field<Pointer<Void>>
  public let StackLimit: Field<Pointer<Void>>
  public let Teb: Field<Pointer<Void>>
  public var TlsArray: Field<Pointer<Void>> = .absent
  public let KernelStack: Field<Pointer<Void>>
  public var DebugActive: Field<UInt8> = .absent
  public let State: Field<KTHREAD_STATE>
  public let Alerted: Field<UInt8>
  public var Iopl: Field<UInt8> = .absent
  public let NpxState: Field<UInt8>
  public let Saturation: Field<Int8>
  public let Priority: Field<Int8>
  public let ApcState: Field<KAPC_STATE>
  public let ContextSwitches: Field<UInt32>
  public var IdleSwapBlock: Field<UInt8> = .absent
  public var Spare0: Field<UInt8> = .absent
  public let WaitStatus: Field<NTSTATUS>
  public let WaitIrql: Field<IRQL>
  public let WaitMode: Field<KPROCESSOR_MODE>
  public var WaitNext: Field<UInt8> = .absent
  public let WaitReason: Field<UInt8>
  public let WaitBlockList: Field<Pointer<KWAIT_BLOCK>>
  public let WaitListEntry: Field<LIST_ENTRY>
  public let SwapListEntry: Field<SINGLE_LIST_ENTRY>
  public let WaitTime: Field<UInt32>
  public let BasePriority: Field<Int8>
  public var DecrementCount: Field<UInt8> = .absent
  public let PriorityDecrement: Field<Int8>
  public var Quantum: Field<Int8> = .absent
  public let WaitBlock: Field<KWAIT_BLOCK>
  public let LegoData: Field<Pointer<Void>>
  public var KernelApcDisable: Field<UInt32> = .absent
  public var UserAffinity: Field<GuestWord> = .absent
  public var SystemAffinityActive: Field<UInt8> = .absent
  public var PowerState: Field<UInt8> = .absent
  public var NpxIrql: Field<UInt8> = .absent
  public var InitialNode: Field<UInt8> = .absent
  public let ServiceTable: Field<Pointer<Void>>
  public let Queue: Field<Pointer<KQUEUE>>
  public let ApcQueueLock: Field<GuestWord>
  public let Timer: Field<KTIMER>
  public let QueueListEntry: Field<LIST_ENTRY>
  public var SoftAffinity: Field<GuestWord> = .absent
  public var Affinity: Field<GuestWord> = .absent
  public let Preempted: Field<UInt8>
  public var ProcessReadyQueue: Field<UInt8> = .absent
  public var KernelStackResident: Field<UInt8> = .absent
  public var NextProcessor: Field<UInt8> = .absent
  public let CallbackStack: Field<Pointer<Void>>
  public let Win32Thread: Field<Pointer<Void>>
  public let TrapFrame: Field<Pointer<KTRAP_FRAME>>
  public let ApcStatePointer: Field<Pointer<KAPC_STATE>>
  public let PreviousMode: Field<KPROCESSOR_MODE>
  public var EnableStackSwap: Field<UInt8> = .absent
  public let LargeStack: Field<UInt8>
  public let ResourceIndex: Field<UInt8>
  public let KernelTime: Field<UInt32>
  public let UserTime: Field<UInt32>
  public let SavedApcState: Field<KAPC_STATE>
  public var Alertable: Field<UInt8> = .absent
  public let ApcStateIndex: Field<UInt8>
  public var ApcQueueable: Field<UInt8> = .absent
  public var AutoAlignment: Field<UInt8> = .absent
  public let StackBase: Field<Pointer<Void>>
  public let SuspendApc: Field<KAPC>
  public let SuspendSemaphore: Field<KSEMAPHORE>
  public let ThreadListEntry: Field<LIST_ENTRY>
  public var FreezeCount: Field<Int8> = .absent
  public let SuspendCount: Field<Int8>
  public var IdealProcessor: Field<UInt8> = .absent
  public var DisableBoost: Field<UInt8> = .absent
  public var CycleTime: Field<UInt64> = .absent
  public var HighCycleTime: Field<UInt32> = .absent
  public var QuantumTarget: Field<UInt64> = .absent
  public var ThreadLock: Field<GuestWord> = .absent
  public var WaitRegister: Field<UInt8> = .absent
  public var Running: Field<UInt8> = .absent
  public var KernelStackResident_7: Field<UInt32> = .absent
  public var ReadyTransition: Field<UInt32> = .absent
  public var ProcessReadyQueue_7: Field<UInt32> = .absent
  public var WaitNext_7: Field<UInt32> = .absent
  public var SystemAffinityActive_7: Field<UInt32> = .absent
  public var Alertable_7: Field<UInt32> = .absent
  public var GdiFlushActive: Field<UInt32> = .absent
  public var UserStackWalkActive: Field<UInt32> = .absent
  public var ApcInterruptRequest: Field<UInt32> = .absent
  public var ForceDeferSchedule: Field<UInt32> = .absent
  public var QuantumEndMigrate: Field<UInt32> = .absent
  public var UmsDirectedSwitchEnable: Field<UInt32> = .absent
  public var TimerActive: Field<UInt32> = .absent
  public var SystemThread: Field<UInt32> = .absent
  public var Reserved: Field<UInt32> = .absent
  public var MiscFlags: Field<Int32> = .absent
  public var NextProcessor_7: Field<UInt32> = .absent
  public var DeferredProcessor: Field<UInt32> = .absent
  public var KernelApcDisable_7: Field<Int16> = .absent
  public var SpecialApcDisable: Field<Int16> = .absent
  public var CombinedApcDisable: Field<UInt32> = .absent
  public var AutoAlignment_7: Field<UInt32> = .absent
  public var DisableBoost_7: Field<UInt32> = .absent
  public var EtwStackTraceApc1Inserted: Field<UInt32> = .absent
  public var EtwStackTraceApc2Inserted: Field<UInt32> = .absent
  public var CalloutActive: Field<UInt32> = .absent
  public var ApcQueueable_7: Field<UInt32> = .absent
  public var EnableStackSwap_7: Field<UInt32> = .absent
  public var GuiThread: Field<UInt32> = .absent
  public var UmsPerformingSyscall: Field<UInt32> = .absent
  public var VdmSafe: Field<UInt32> = .absent
  public var UmsDispatched: Field<UInt32> = .absent
  public var ReservedFlags: Field<UInt32> = .absent
  public var ThreadFlags: Field<Int32> = .absent
  public var FirstArgument: Field<Pointer<Void>> = .absent
  public var CallbackDepth: Field<UInt32> = .absent
  public var AdjustReason: Field<UInt8> = .absent
  public var AdjustIncrement: Field<Int8> = .absent
  public var SystemCallNumber: Field<UInt32> = .absent
  public var FreezeCount_7: Field<UInt32> = .absent
  public var UserAffinity_7: Field<GROUP_AFFINITY> = .absent
  public var Process: Field<Pointer<KPROCESS>> = .absent
  public var Affinity_7: Field<GROUP_AFFINITY> = .absent
  public var IdealProcessor_7: Field<UInt32> = .absent
  public var UserIdealProcessor: Field<UInt32> = .absent
  public var OtherPlatformFill: Field<UInt8> = .absent
  public var QuantumReset: Field<UInt8> = .absent
  public var WaitPrcb: Field<Pointer<KPRCB>> = .absent
  public var SListFaultCount: Field<UInt32> = .absent
  public var SListFaultAddress: Field<Pointer<Void>> = .absent
  public var ThreadCounters: Field<Pointer<Void>> = .absent
  public var XStateSave: Field<Pointer<Void>> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c0,
      KTHREAD(
        Header: 0x00, MutantListHead: 0x10, InitialStack: 0x18, StackLimit: 0x1c, Teb: 0x20, TlsArray: 0x24, KernelStack: 0x28,
        DebugActive: 0x2c, State: 0x2d, Alerted: Field(0x2e, count: 2), Iopl: 0x30, NpxState: 0x31, Saturation: 0x32,
        Priority: 0x33, ApcState: 0x34, ContextSwitches: 0x4c, IdleSwapBlock: 0x50, Spare0: Field(0x51, count: 3), WaitStatus: 0x54,
        WaitIrql: 0x58, WaitMode: 0x59, WaitNext: 0x5a, WaitReason: 0x5b, WaitBlockList: 0x5c, WaitListEntry: 0x60,
        SwapListEntry: 0x60, WaitTime: 0x68, BasePriority: 0x6c, DecrementCount: 0x6d, PriorityDecrement: 0x6e, Quantum: 0x6f,
        WaitBlock: Field(0x70, count: 4), LegoData: 0xd0, KernelApcDisable: 0xd4, UserAffinity: 0xd8, SystemAffinityActive: 0xdc,
        PowerState: 0xdd, NpxIrql: 0xde, InitialNode: 0xdf, ServiceTable: 0xe0, Queue: 0xe4, ApcQueueLock: 0xe8, Timer: 0xf0,
        QueueListEntry: 0x118, SoftAffinity: 0x120, Affinity: 0x124, Preempted: 0x128, ProcessReadyQueue: 0x129,
        KernelStackResident: 0x12a, NextProcessor: 0x12b, CallbackStack: 0x12c, Win32Thread: 0x130, TrapFrame: 0x134,
        ApcStatePointer: Field(0x138, count: 2), PreviousMode: 0x140, EnableStackSwap: 0x141, LargeStack: 0x142,
        ResourceIndex: 0x143, KernelTime: 0x144, UserTime: 0x148, SavedApcState: 0x14c, Alertable: 0x164, ApcStateIndex: 0x165,
        ApcQueueable: 0x166, AutoAlignment: 0x167, StackBase: 0x168, SuspendApc: 0x16c, SuspendSemaphore: 0x19c,
        ThreadListEntry: 0x1b0, FreezeCount: 0x1b8, SuspendCount: 0x1b9, IdealProcessor: 0x1ba, DisableBoost: 0x1bb
      )
    ),
    (
      .windows7_x86, 0x200,
      KTHREAD(
        Header: 0x00, MutantListHead: 0x1e8, InitialStack: 0x28, StackLimit: 0x2c, Teb: 0x88, KernelStack: 0x30, State: 0x68,
        Alerted: Field(0x3a, count: 2), NpxState: 0x69, Saturation: 0x13b, Priority: 0x57, ApcState: 0x40, ContextSwitches: 0x64,
        WaitStatus: 0x6c, WaitIrql: 0x6a, WaitMode: 0x6b, WaitReason: 0x187, WaitBlockList: 0x70, WaitListEntry: 0x74, SwapListEntry: 0x74,
        WaitTime: 0x80, BasePriority: 0x135, PriorityDecrement: 0x136, WaitBlock: Field(0xc0, count: 4), LegoData: 0x1bc,
        ServiceTable: 0xbc, Queue: 0x7c, ApcQueueLock: 0x60, Timer: 0x90, QueueListEntry: 0x120, Preempted: 0x137, CallbackStack: 0x130,
        Win32Thread: 0x18c, TrapFrame: 0x128, ApcStatePointer: Field(0x168, count: 2), PreviousMode: 0x13a, LargeStack: 0x1c3,
        ResourceIndex: 0x195, KernelTime: 0x198, UserTime: 0x1c4, SavedApcState: 0x170, ApcStateIndex: 0x134, StackBase: 0x190,
        SuspendApc: 0x194, SuspendSemaphore: 0x1c8, ThreadListEntry: 0x1e0, SuspendCount: 0x188, CycleTime: 0x10, HighCycleTime: 0x18,
        QuantumTarget: 0x20, ThreadLock: 0x34, WaitRegister: 0x38, Running: 0x39, KernelStackResident_7: Field(0x3c, bits: 0...0),
        ReadyTransition: Field(0x3c, bits: 1...1), ProcessReadyQueue_7: Field(0x3c, bits: 2...2), WaitNext_7: Field(0x3c, bits: 3...3),
        SystemAffinityActive_7: Field(0x3c, bits: 4...4), Alertable_7: Field(0x3c, bits: 5...5), GdiFlushActive: Field(0x3c, bits: 6...6),
        UserStackWalkActive: Field(0x3c, bits: 7...7), ApcInterruptRequest: Field(0x3c, bits: 8...8),
        ForceDeferSchedule: Field(0x3c, bits: 9...9), QuantumEndMigrate: Field(0x3c, bits: 10...10),
        UmsDirectedSwitchEnable: Field(0x3c, bits: 11...11), TimerActive: Field(0x3c, bits: 12...12),
        SystemThread: Field(0x3c, bits: 13...13), Reserved: Field(0x3c, bits: 14...31), MiscFlags: 0x3c, NextProcessor_7: 0x58,
        DeferredProcessor: 0x5c, KernelApcDisable_7: 0x84, SpecialApcDisable: 0x86, CombinedApcDisable: 0x84,
        AutoAlignment_7: Field(0xb8, bits: 0...0), DisableBoost_7: Field(0xb8, bits: 1...1),
        EtwStackTraceApc1Inserted: Field(0xb8, bits: 2...2), EtwStackTraceApc2Inserted: Field(0xb8, bits: 3...3),
        CalloutActive: Field(0xb8, bits: 4...4), ApcQueueable_7: Field(0xb8, bits: 5...5), EnableStackSwap_7: Field(0xb8, bits: 6...6),
        GuiThread: Field(0xb8, bits: 7...7), UmsPerformingSyscall: Field(0xb8, bits: 8...8), VdmSafe: Field(0xb8, bits: 9...9),
        UmsDispatched: Field(0xb8, bits: 10...10), ReservedFlags: Field(0xb8, bits: 11...31), ThreadFlags: 0xb8, FirstArgument: 0x12c,
        CallbackDepth: 0x130, AdjustReason: 0x138, AdjustIncrement: 0x139, SystemCallNumber: 0x13c, FreezeCount_7: 0x140,
        UserAffinity_7: 0x144, Process: 0x150, Affinity_7: 0x154, IdealProcessor_7: 0x160, UserIdealProcessor: 0x164,
        OtherPlatformFill: 0x18a, QuantumReset: 0x197, WaitPrcb: 0x1b8, SListFaultCount: 0x1dc, SListFaultAddress: 0x1f0,
        ThreadCounters: 0x1f4, XStateSave: 0x1f8)
    ))
}

/// A thread object (public symbols of XP SP3).
///
/// The address of a thread is that of its `Tcb`, too.
public struct ETHREAD: GuestStructure {
  public static let name = "_ETHREAD"
  public let Tcb: Field<KTHREAD>
  public let CreateTime: Field<LARGE_INTEGER>
  public var NestedFaultCount: Field<UInt32> = .absent
  public var ApcNeeded: Field<UInt32> = .absent
  public let ExitTime: Field<LARGE_INTEGER>
  public var LpcReplyChain: Field<LIST_ENTRY> = .absent
  public var KeyedWaitChain: Field<LIST_ENTRY> = .absent
  public let ExitStatus: Field<NTSTATUS>
  public var OfsChain: Field<Pointer<Void>> = .absent
  public let PostBlockList: Field<LIST_ENTRY>
  public let TerminationPort: Field<Pointer<TERMINATION_PORT>>
  public var ReaperLink: Field<Pointer<ETHREAD>> = .absent
  public var KeyedWaitValue: Field<Pointer<Void>> = .absent
  public let ActiveTimerListLock: Field<GuestWord>
  public let ActiveTimerListHead: Field<LIST_ENTRY>
  public let Cid: Field<CLIENT_ID>
  public var LpcReplySemaphore: Field<KSEMAPHORE> = .absent
  public let KeyedWaitSemaphore: Field<KSEMAPHORE>
  public var LpcReplyMessage: Field<Pointer<Void>> = .absent
  public var LpcWaitingOnPort: Field<Pointer<Void>> = .absent
  public var ImpersonationInfo: Field<Pointer<PS_IMPERSONATION_INFORMATION>> = .absent
  public let IrpList: Field<LIST_ENTRY>
  public let TopLevelIrp: Field<GuestWord>
  public let DeviceToVerify: Field<Pointer<DEVICE_OBJECT>>
  public var ThreadsProcess: Field<Pointer<EPROCESS>> = .absent
  public var StartAddress: Field<Pointer<Void>> = .absent
  public let Win32StartAddress: Field<Pointer<Void>>
  public var LpcReceivedMessageId: Field<UInt32> = .absent
  public let ThreadListEntry: Field<LIST_ENTRY>
  public let RundownProtect: Field<EX_RUNDOWN_REF>
  public let ThreadLock: Field<EX_PUSH_LOCK>
  public var LpcReplyMessageId: Field<UInt32> = .absent
  public let ReadClusterSize: Field<UInt32>
  public var GrantedAccess: Field<UInt32> = .absent
  public let CrossThreadFlags: Field<UInt32>
  public let Terminated: Field<UInt32>
  public var DeadThread: Field<UInt32> = .absent
  public let HideFromDebugger: Field<UInt32>
  public let ActiveImpersonationInfo: Field<UInt32>
  public var SystemThread: Field<UInt32> = .absent
  public let HardErrorsAreDisabled: Field<UInt32>
  public let BreakOnTermination: Field<UInt32>
  public let SkipCreationMsg: Field<UInt32>
  public let SkipTerminationMsg: Field<UInt32>
  public let SameThreadPassiveFlags: Field<UInt32>
  public let ActiveExWorker: Field<UInt32>
  public let ExWorkerCanWaitUser: Field<UInt32>
  public let MemoryMaker: Field<UInt32>
  public let SameThreadApcFlags: Field<UInt32>
  public var LpcReceivedMsgIdValid: Field<UInt32> = .absent
  public var LpcExitThreadCalled: Field<UInt32> = .absent
  public var AddressSpaceOwner: Field<UInt32> = .absent
  public var ForwardClusterOnly: Field<UInt8> = .absent
  public let DisablePageFaultClustering: Field<UInt8>
  public var ForwardLinkShadow: Field<Pointer<Void>> = .absent
  public var AlpcWaitSemaphore: Field<KSEMAPHORE> = .absent
  public var ClientSecurity: Field<PS_CLIENT_SECURITY_CONTEXT> = .absent
  public var CpuQuotaApc: Field<Pointer<Void>> = .absent
  public var LegacyPowerObject: Field<Pointer<Void>> = .absent
  public var MmLockOrdering: Field<Int32> = .absent
  public var ThreadInserted: Field<UInt32> = .absent
  public var Reserved: Field<UInt32> = .absent
  public var CopyTokenOnOpen: Field<UInt32> = .absent
  public var ThreadIoPriority: Field<UInt32> = .absent
  public var ThreadPagePriority: Field<UInt32> = .absent
  public var RundownFail: Field<UInt32> = .absent
  public var NeedsWorkingSetAging: Field<UInt32> = .absent
  public var ClonedThread: Field<UInt32> = .absent
  public var KeyedEventInUse: Field<UInt32> = .absent
  public var RateApcState: Field<UInt32> = .absent
  public var SelfTerminate: Field<UInt32> = .absent
  public var PriorityRegionActive: Field<UInt8> = .absent
  public var CacheManagerActive: Field<UInt8> = .absent
  public var ActiveFaultCount: Field<UInt8> = .absent
  public var LockOrderState: Field<UInt8> = .absent
  public var AlpcMessageId: Field<UInt32> = .absent
  public var AlpcMessage: Field<Pointer<Void>> = .absent
  public var AlpcReceiveAttributeSet: Field<UInt32> = .absent
  public var AlpcWaitListEntry: Field<LIST_ENTRY> = .absent
  public var CacheManagerCount: Field<UInt32> = .absent
  public var IoBoostCount: Field<UInt32> = .absent
  public var IrpListLock: Field<GuestWord> = .absent
  public var ReservedForSynchTracking: Field<Pointer<Void>> = .absent
  public var CmCallbackListHead: Field<SINGLE_LIST_ENTRY> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x258,
      ETHREAD(
        Tcb: 0x00, CreateTime: 0x1c0, NestedFaultCount: Field(0x1c0, bits: 0...1), ApcNeeded: Field(0x1c0, bits: 2...2),
        ExitTime: 0x1c8, LpcReplyChain: 0x1c8, KeyedWaitChain: 0x1c8, ExitStatus: 0x1d0, OfsChain: 0x1d0, PostBlockList: 0x1d4,
        TerminationPort: 0x1dc, ReaperLink: 0x1dc, KeyedWaitValue: 0x1dc, ActiveTimerListLock: 0x1e0, ActiveTimerListHead: 0x1e4,
        Cid: 0x1ec, LpcReplySemaphore: 0x1f4, KeyedWaitSemaphore: 0x1f4, LpcReplyMessage: 0x208, LpcWaitingOnPort: 0x208,
        ImpersonationInfo: 0x20c, IrpList: 0x210, TopLevelIrp: 0x218, DeviceToVerify: 0x21c, ThreadsProcess: 0x220,
        StartAddress: 0x224, Win32StartAddress: 0x228, LpcReceivedMessageId: 0x228, ThreadListEntry: 0x22c, RundownProtect: 0x234,
        ThreadLock: 0x238, LpcReplyMessageId: 0x23c, ReadClusterSize: 0x240, GrantedAccess: 0x244, CrossThreadFlags: 0x248,
        Terminated: Field(0x248, bits: 0...0), DeadThread: Field(0x248, bits: 1...1), HideFromDebugger: Field(0x248, bits: 2...2),
        ActiveImpersonationInfo: Field(0x248, bits: 3...3), SystemThread: Field(0x248, bits: 4...4),
        HardErrorsAreDisabled: Field(0x248, bits: 5...5), BreakOnTermination: Field(0x248, bits: 6...6),
        SkipCreationMsg: Field(0x248, bits: 7...7), SkipTerminationMsg: Field(0x248, bits: 8...8), SameThreadPassiveFlags: 0x24c,
        ActiveExWorker: Field(0x24c, bits: 0...0), ExWorkerCanWaitUser: Field(0x24c, bits: 1...1),
        MemoryMaker: Field(0x24c, bits: 2...2), SameThreadApcFlags: 0x250, LpcReceivedMsgIdValid: Field(0x250, bits: 0...0),
        LpcExitThreadCalled: Field(0x250, bits: 1...1), AddressSpaceOwner: Field(0x250, bits: 2...2), ForwardClusterOnly: 0x254,
        DisablePageFaultClustering: 0x255
      )
    ),
    (
      .windows7_x86, 0x2b8,
      ETHREAD(
        Tcb: 0x00, CreateTime: 0x200, ExitTime: 0x208, KeyedWaitChain: 0x208, ExitStatus: 0x210, PostBlockList: 0x214,
        TerminationPort: 0x21c, ReaperLink: 0x21c, KeyedWaitValue: 0x21c, ActiveTimerListLock: 0x220, ActiveTimerListHead: 0x224,
        Cid: 0x22c, KeyedWaitSemaphore: 0x234, IrpList: 0x24c, TopLevelIrp: 0x254, DeviceToVerify: 0x258, StartAddress: 0x218,
        Win32StartAddress: 0x260, ThreadListEntry: 0x268, RundownProtect: 0x270, ThreadLock: 0x274, ReadClusterSize: 0x278,
        CrossThreadFlags: 0x280, Terminated: Field(0x280, bits: 0...0), HideFromDebugger: Field(0x280, bits: 2...2),
        ActiveImpersonationInfo: Field(0x280, bits: 3...3), HardErrorsAreDisabled: Field(0x280, bits: 5...5),
        BreakOnTermination: Field(0x280, bits: 6...6), SkipCreationMsg: Field(0x280, bits: 7...7),
        SkipTerminationMsg: Field(0x280, bits: 8...8), SameThreadPassiveFlags: 0x284, ActiveExWorker: Field(0x284, bits: 0...0),
        ExWorkerCanWaitUser: Field(0x284, bits: 1...1), MemoryMaker: Field(0x284, bits: 2...2), SameThreadApcFlags: 0x288,
        DisablePageFaultClustering: 0x28d, ForwardLinkShadow: 0x214, AlpcWaitSemaphore: 0x234, ClientSecurity: 0x248, CpuQuotaApc: 0x25c,
        LegacyPowerObject: 0x264, MmLockOrdering: 0x27c, ThreadInserted: Field(0x280, bits: 1...1), Reserved: Field(0x280, bits: 4...4),
        CopyTokenOnOpen: Field(0x280, bits: 9...9), ThreadIoPriority: Field(0x280, bits: 10...12),
        ThreadPagePriority: Field(0x280, bits: 13...15), RundownFail: Field(0x280, bits: 16...16),
        NeedsWorkingSetAging: Field(0x280, bits: 17...17), ClonedThread: Field(0x284, bits: 3...3),
        KeyedEventInUse: Field(0x284, bits: 4...4), RateApcState: Field(0x284, bits: 5...6), SelfTerminate: Field(0x284, bits: 7...7),
        PriorityRegionActive: 0x28b, CacheManagerActive: 0x28c, ActiveFaultCount: 0x28e, LockOrderState: 0x28f, AlpcMessageId: 0x290,
        AlpcMessage: 0x294, AlpcReceiveAttributeSet: 0x294, AlpcWaitListEntry: 0x298, CacheManagerCount: 0x2a0, IoBoostCount: 0x2a4,
        IrpListLock: 0x2a8, ReservedForSynchTracking: 0x2ac, CmCallbackListHead: 0x2b0)
    ))
}

/// The client whose token a thread uses (public symbols of XP SP3).
public struct PS_IMPERSONATION_INFORMATION: GuestStructure {
  public static let name = "_PS_IMPERSONATION_INFORMATION"
  public let Token: Field<Pointer<Void>>
  public let CopyOnOpen: Field<UInt8>
  public let EffectiveOnly: Field<UInt8>
  public let ImpersonationLevel: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0xc,
      PS_IMPERSONATION_INFORMATION(Token: 0x00, CopyOnOpen: 0x04, EffectiveOnly: 0x05, ImpersonationLevel: 0x08)
    ))
}

/// A port that is told of a thread's end (public symbols of XP SP3).
public struct TERMINATION_PORT: GuestStructure {
  public static let name = "_TERMINATION_PORT"
  public let Next: Field<Pointer<TERMINATION_PORT>>
  public let Port: Field<Pointer<Void>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, TERMINATION_PORT(Next: 0x00, Port: 0x04)))
}
