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
  public let Spare0: Field<UInt32>
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

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x30,
      KAPC(
        Type: 0x00, Size: 0x02, Spare0: 0x04, Thread: 0x08, ApcListEntry: 0x0c, KernelRoutine: 0x14, RundownRoutine: 0x18,
        NormalRoutine: 0x1c, NormalContext: 0x20, SystemArgument1: 0x24, SystemArgument2: 0x28, ApcStateIndex: 0x2c, ApcMode: 0x2d,
        Inserted: 0x2e
      )
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
  public let TlsArray: Field<Pointer<Void>>
  public let KernelStack: Field<Pointer<Void>>
  public let DebugActive: Field<UInt8>
  public let State: Field<KTHREAD_STATE>
  public let Alerted: Field<UInt8>
  public let Iopl: Field<UInt8>
  public let NpxState: Field<UInt8>
  public let Saturation: Field<Int8>
  public let Priority: Field<Int8>
  public let ApcState: Field<KAPC_STATE>
  public let ContextSwitches: Field<UInt32>
  public let IdleSwapBlock: Field<UInt8>
  public let Spare0: Field<UInt8>
  public let WaitStatus: Field<NTSTATUS>
  public let WaitIrql: Field<IRQL>
  public let WaitMode: Field<KPROCESSOR_MODE>
  public let WaitNext: Field<UInt8>
  public let WaitReason: Field<UInt8>
  public let WaitBlockList: Field<Pointer<KWAIT_BLOCK>>
  public let WaitListEntry: Field<LIST_ENTRY>
  public let SwapListEntry: Field<SINGLE_LIST_ENTRY>
  public let WaitTime: Field<UInt32>
  public let BasePriority: Field<Int8>
  public let DecrementCount: Field<UInt8>
  public let PriorityDecrement: Field<Int8>
  public let Quantum: Field<Int8>
  public let WaitBlock: Field<KWAIT_BLOCK>
  public let LegoData: Field<Pointer<Void>>
  public let KernelApcDisable: Field<UInt32>
  public let UserAffinity: Field<GuestWord>
  public let SystemAffinityActive: Field<UInt8>
  public let PowerState: Field<UInt8>
  public let NpxIrql: Field<UInt8>
  public let InitialNode: Field<UInt8>
  public let ServiceTable: Field<Pointer<Void>>
  public let Queue: Field<Pointer<KQUEUE>>
  public let ApcQueueLock: Field<GuestWord>
  public let Timer: Field<KTIMER>
  public let QueueListEntry: Field<LIST_ENTRY>
  public let SoftAffinity: Field<GuestWord>
  public let Affinity: Field<GuestWord>
  public let Preempted: Field<UInt8>
  public let ProcessReadyQueue: Field<UInt8>
  public let KernelStackResident: Field<UInt8>
  public let NextProcessor: Field<UInt8>
  public let CallbackStack: Field<Pointer<Void>>
  public let Win32Thread: Field<Pointer<Void>>
  public let TrapFrame: Field<Pointer<KTRAP_FRAME>>
  public let ApcStatePointer: Field<Pointer<KAPC_STATE>>
  public let PreviousMode: Field<KPROCESSOR_MODE>
  public let EnableStackSwap: Field<UInt8>
  public let LargeStack: Field<UInt8>
  public let ResourceIndex: Field<UInt8>
  public let KernelTime: Field<UInt32>
  public let UserTime: Field<UInt32>
  public let SavedApcState: Field<KAPC_STATE>
  public let Alertable: Field<UInt8>
  public let ApcStateIndex: Field<UInt8>
  public let ApcQueueable: Field<UInt8>
  public let AutoAlignment: Field<UInt8>
  public let StackBase: Field<Pointer<Void>>
  public let SuspendApc: Field<KAPC>
  public let SuspendSemaphore: Field<KSEMAPHORE>
  public let ThreadListEntry: Field<LIST_ENTRY>
  public let FreezeCount: Field<Int8>
  public let SuspendCount: Field<Int8>
  public let IdealProcessor: Field<UInt8>
  public let DisableBoost: Field<UInt8>

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
    ))
}

/// A thread object (public symbols of XP SP3).
///
/// The address of a thread is that of its `Tcb`, too.
public struct ETHREAD: GuestStructure {
  public static let name = "_ETHREAD"
  public let Tcb: Field<KTHREAD>
  public let CreateTime: Field<LARGE_INTEGER>
  public let NestedFaultCount: Field<UInt32>
  public let ApcNeeded: Field<UInt32>
  public let ExitTime: Field<LARGE_INTEGER>
  public let LpcReplyChain: Field<LIST_ENTRY>
  public let KeyedWaitChain: Field<LIST_ENTRY>
  public let ExitStatus: Field<NTSTATUS>
  public let OfsChain: Field<Pointer<Void>>
  public let PostBlockList: Field<LIST_ENTRY>
  public let TerminationPort: Field<Pointer<TERMINATION_PORT>>
  public let ReaperLink: Field<Pointer<ETHREAD>>
  public let KeyedWaitValue: Field<Pointer<Void>>
  public let ActiveTimerListLock: Field<GuestWord>
  public let ActiveTimerListHead: Field<LIST_ENTRY>
  public let Cid: Field<CLIENT_ID>
  public let LpcReplySemaphore: Field<KSEMAPHORE>
  public let KeyedWaitSemaphore: Field<KSEMAPHORE>
  public let LpcReplyMessage: Field<Pointer<Void>>
  public let LpcWaitingOnPort: Field<Pointer<Void>>
  public let ImpersonationInfo: Field<Pointer<PS_IMPERSONATION_INFORMATION>>
  public let IrpList: Field<LIST_ENTRY>
  public let TopLevelIrp: Field<GuestWord>
  public let DeviceToVerify: Field<Pointer<DEVICE_OBJECT>>
  public let ThreadsProcess: Field<Pointer<EPROCESS>>
  public let StartAddress: Field<Pointer<Void>>
  public let Win32StartAddress: Field<Pointer<Void>>
  public let LpcReceivedMessageId: Field<UInt32>
  public let ThreadListEntry: Field<LIST_ENTRY>
  public let RundownProtect: Field<EX_RUNDOWN_REF>
  public let ThreadLock: Field<EX_PUSH_LOCK>
  public let LpcReplyMessageId: Field<UInt32>
  public let ReadClusterSize: Field<UInt32>
  public let GrantedAccess: Field<UInt32>
  public let CrossThreadFlags: Field<UInt32>
  public let Terminated: Field<UInt32>
  public let DeadThread: Field<UInt32>
  public let HideFromDebugger: Field<UInt32>
  public let ActiveImpersonationInfo: Field<UInt32>
  public let SystemThread: Field<UInt32>
  public let HardErrorsAreDisabled: Field<UInt32>
  public let BreakOnTermination: Field<UInt32>
  public let SkipCreationMsg: Field<UInt32>
  public let SkipTerminationMsg: Field<UInt32>
  public let SameThreadPassiveFlags: Field<UInt32>
  public let ActiveExWorker: Field<UInt32>
  public let ExWorkerCanWaitUser: Field<UInt32>
  public let MemoryMaker: Field<UInt32>
  public let SameThreadApcFlags: Field<UInt32>
  public let LpcReceivedMsgIdValid: Field<UInt32>
  public let LpcExitThreadCalled: Field<UInt32>
  public let AddressSpaceOwner: Field<UInt32>
  public let ForwardClusterOnly: Field<UInt8>
  public let DisablePageFaultClustering: Field<UInt8>

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
