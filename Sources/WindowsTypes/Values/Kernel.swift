import Guest

/// An interrupt request level of the x86 kernel: `KIRQL` (`wdm.h`).
public struct IRQL: NamedValue, Comparable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `PASSIVE_LEVEL`, 0x0
  public static let passive = Self(rawValue: 0)
  /// `APC_LEVEL`, 0x1
  public static let apc = Self(rawValue: 1)
  /// `DISPATCH_LEVEL`, 0x2
  public static let dispatch = Self(rawValue: 2)
  /// `PROFILE_LEVEL`, 0x1b
  public static let profile = Self(rawValue: 0x1b)
  /// `CLOCK2_LEVEL`, 0x1c
  public static let clock = Self(rawValue: 0x1c)
  /// `IPI_LEVEL`, 0x1d
  public static let ipi = Self(rawValue: 0x1d)
  /// `POWER_LEVEL`, 0x1e
  public static let power = Self(rawValue: 0x1e)
  /// `HIGH_LEVEL`, 0x1f
  public static let high = Self(rawValue: 0x1f)

  public static let names: [(Self, String)] = [
    (.passive, "PASSIVE_LEVEL"), (.apc, "APC_LEVEL"), (.dispatch, "DISPATCH_LEVEL"), (.profile, "PROFILE_LEVEL"),
    (.clock, "CLOCK2_LEVEL"), (.ipi, "IPI_LEVEL"), (.power, "POWER_LEVEL"), (.high, "HIGH_LEVEL"),
  ]

  public var description: String { name ?? (3...26 ~= rawValue ? "DIRQL \(rawValue)" : "\(rawValue)") }
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The mode that a request came from (`wdm.h`).
public struct KPROCESSOR_MODE: NamedValue {
  public let rawValue: Int8
  public init(rawValue: Int8) { self.rawValue = rawValue }

  /// `KernelMode`, 0x0
  public static let kernelMode = Self(rawValue: 0)
  /// `UserMode`, 0x1
  public static let userMode = Self(rawValue: 1)

  public static let names: [(Self, String)] = [
    (.kernelMode, "KernelMode"), (.userMode, "UserMode"),
  ]
}

/// `DISPATCHER_HEADER.Type` on Windows XP: `_KOBJECTS` (public symbols).
public struct DispatcherObjectType: NamedValue {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `EventNotificationObject`, 0x0
  public static let eventNotification = Self(rawValue: 0)
  /// `EventSynchronizationObject`, 0x1
  public static let eventSynchronization = Self(rawValue: 1)
  /// `MutantObject`, 0x2
  public static let mutant = Self(rawValue: 2)
  /// `ProcessObject`, 0x3
  public static let process = Self(rawValue: 3)
  /// `QueueObject`, 0x4
  public static let queue = Self(rawValue: 4)
  /// `SemaphoreObject`, 0x5
  public static let semaphore = Self(rawValue: 5)
  /// `ThreadObject`, 0x6
  public static let thread = Self(rawValue: 6)
  /// `GateObject`, 0x7
  public static let gate = Self(rawValue: 7)
  /// `TimerNotificationObject`, 0x8
  public static let timerNotification = Self(rawValue: 8)
  /// `TimerSynchronizationObject`, 0x9
  public static let timerSynchronization = Self(rawValue: 9)
  /// `ApcObject`, 0x12
  public static let apc = Self(rawValue: 0x12)
  /// `DpcObject`, 0x13
  public static let dpc = Self(rawValue: 0x13)
  /// `DeviceQueueObject`, 0x14
  public static let deviceQueue = Self(rawValue: 0x14)
  /// `EventPairObject`, 0x15
  public static let eventPair = Self(rawValue: 0x15)
  /// `InterruptObject`, 0x16
  public static let interrupt = Self(rawValue: 0x16)
  /// `ProfileObject`, 0x17
  public static let profile = Self(rawValue: 0x17)

  public static let names: [(Self, String)] = [
    (.eventNotification, "EventNotificationObject"), (.eventSynchronization, "EventSynchronizationObject"),
    (.mutant, "MutantObject"), (.process, "ProcessObject"), (.queue, "QueueObject"), (.semaphore, "SemaphoreObject"),
    (.thread, "ThreadObject"), (.gate, "GateObject"), (.timerNotification, "TimerNotificationObject"),
    (.timerSynchronization, "TimerSynchronizationObject"), (.apc, "ApcObject"), (.dpc, "DpcObject"),
    (.deviceQueue, "DeviceQueueObject"), (.eventPair, "EventPairObject"), (.interrupt, "InterruptObject"),
    (.profile, "ProfileObject"),
  ]
}

/// The address space that an APC is queued for (public symbols).
public struct KAPC_ENVIRONMENT: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `OriginalApcEnvironment`, 0x0
  public static let original = Self(rawValue: 0)
  /// `AttachedApcEnvironment`, 0x1
  public static let attached = Self(rawValue: 1)
  /// `CurrentApcEnvironment`, 0x2
  public static let current = Self(rawValue: 2)
  /// `InsertApcEnvironment`, 0x3
  public static let insert = Self(rawValue: 3)

  public static let names: [(Self, String)] = [
    (.original, "OriginalApcEnvironment"), (.attached, "AttachedApcEnvironment"), (.current, "CurrentApcEnvironment"),
    (.insert, "InsertApcEnvironment"),
  ]
}

/// `KTHREAD.State` (public symbols).
public struct KTHREAD_STATE: NamedValue {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `Initialized`, 0x0
  public static let initialized = Self(rawValue: 0)
  /// `Ready`, 0x1
  public static let ready = Self(rawValue: 1)
  /// `Running`, 0x2
  public static let running = Self(rawValue: 2)
  /// `Standby`, 0x3
  public static let standby = Self(rawValue: 3)
  /// `Terminated`, 0x4
  public static let terminated = Self(rawValue: 4)
  /// `Waiting`, 0x5
  public static let waiting = Self(rawValue: 5)
  /// `Transition`, 0x6
  public static let transition = Self(rawValue: 6)
  /// `DeferredReady`, 0x7
  public static let deferredReady = Self(rawValue: 7)

  public static let names: [(Self, String)] = [
    (.initialized, "Initialized"), (.ready, "Ready"), (.running, "Running"), (.standby, "Standby"), (.terminated, "Terminated"),
    (.waiting, "Waiting"), (.transition, "Transition"), (.deferredReady, "DeferredReady"),
  ]
}

/// Whether an event stays signalled (`ntdef.h`).
public struct EVENT_TYPE: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `NotificationEvent`, 0x0
  public static let notification = Self(rawValue: 0)
  /// `SynchronizationEvent`, 0x1
  public static let synchronization = Self(rawValue: 1)

  public static let names: [(Self, String)] = [
    (.notification, "NotificationEvent"), (.synchronization, "SynchronizationEvent"),
  ]
}

/// Whether a wait needs all of its objects (`ntdef.h`).
public struct WAIT_TYPE: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `WaitAll`, 0x0
  public static let all = Self(rawValue: 0)
  /// `WaitAny`, 0x1
  public static let any = Self(rawValue: 1)

  public static let names: [(Self, String)] = [
    (.all, "WaitAll"), (.any, "WaitAny"),
  ]
}

/// Why a thread waits: `KTHREAD.WaitReason` (`wdm.h`).
public struct KWAIT_REASON: NamedValue {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `Executive`, 0
  public static let executive = Self(rawValue: 0)
  /// `FreePage`, 1
  public static let freePage = Self(rawValue: 1)
  /// `PageIn`, 2
  public static let pageIn = Self(rawValue: 2)
  /// `PoolAllocation`, 3
  public static let poolAllocation = Self(rawValue: 3)
  /// `DelayExecution`, 4
  public static let delayExecution = Self(rawValue: 4)
  /// `Suspended`, 5
  public static let suspended = Self(rawValue: 5)
  /// `UserRequest`, 6
  public static let userRequest = Self(rawValue: 6)
  /// `WrExecutive`, 7
  public static let wrExecutive = Self(rawValue: 7)
  /// `WrFreePage`, 8
  public static let wrFreePage = Self(rawValue: 8)
  /// `WrPageIn`, 9
  public static let wrPageIn = Self(rawValue: 9)
  /// `WrPoolAllocation`, 10
  public static let wrPoolAllocation = Self(rawValue: 10)
  /// `WrDelayExecution`, 11
  public static let wrDelayExecution = Self(rawValue: 11)
  /// `WrSuspended`, 12
  public static let wrSuspended = Self(rawValue: 12)
  /// `WrUserRequest`, 13
  public static let wrUserRequest = Self(rawValue: 13)
  /// `WrEventPair`, 14
  public static let wrEventPair = Self(rawValue: 14)
  /// `WrQueue`, 15
  public static let wrQueue = Self(rawValue: 15)
  /// `WrLpcReceive`, 16
  public static let wrLpcReceive = Self(rawValue: 16)
  /// `WrLpcReply`, 17
  public static let wrLpcReply = Self(rawValue: 17)
  /// `WrVirtualMemory`, 18
  public static let wrVirtualMemory = Self(rawValue: 18)
  /// `WrPageOut`, 19
  public static let wrPageOut = Self(rawValue: 19)
  /// `WrRendezvous`, 20
  public static let wrRendezvous = Self(rawValue: 20)

  public static let names: [(Self, String)] = [
    (.executive, "Executive"), (.freePage, "FreePage"), (.pageIn, "PageIn"), (.poolAllocation, "PoolAllocation"),
    (.delayExecution, "DelayExecution"), (.suspended, "Suspended"), (.userRequest, "UserRequest"), (.wrExecutive, "WrExecutive"),
    (.wrFreePage, "WrFreePage"), (.wrPageIn, "WrPageIn"), (.wrPoolAllocation, "WrPoolAllocation"),
    (.wrDelayExecution, "WrDelayExecution"), (.wrSuspended, "WrSuspended"), (.wrUserRequest, "WrUserRequest"),
    (.wrEventPair, "WrEventPair"), (.wrQueue, "WrQueue"), (.wrLpcReceive, "WrLpcReceive"), (.wrLpcReply, "WrLpcReply"),
    (.wrVirtualMemory, "WrVirtualMemory"), (.wrPageOut, "WrPageOut"), (.wrRendezvous, "WrRendezvous"),
  ]
}
