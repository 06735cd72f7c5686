import Guest

/// The start of every object that a thread can wait for (`wdm.h`).
public struct DISPATCHER_HEADER: GuestStructure {
  public static let name = "_DISPATCHER_HEADER"
  public let `Type`: Field<DispatcherObjectType>
  public let Absolute: Field<UInt8>
  public let Size: Field<UInt8>
  public let Inserted: Field<UInt8>
  public let SignalState: Field<Int32>
  public let WaitListHead: Field<LIST_ENTRY>
  public var TimerControlFlags: Field<UInt8> = .absent
  public var ThreadControlFlags: Field<UInt8> = .absent
  public var Hand: Field<UInt8> = .absent
  public var TimerMiscFlags: Field<UInt8> = .absent
  public var DebugActive: Field<UInt8> = .absent
  public var DpcActive: Field<UInt8> = .absent
  public var Lock: Field<Int32> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      DISPATCHER_HEADER(Type: 0x00, Absolute: 0x01, Size: 0x02, Inserted: 0x03, SignalState: 0x04, WaitListHead: 0x08)
    ),
    (
      .windows7_x86, 0x10,
      DISPATCHER_HEADER(
        Type: 0x00, Absolute: Field(0x01, bits: 0...0), Size: 0x02, Inserted: Field(0x03, bits: 6...6), SignalState: 0x04,
        WaitListHead: 0x08, TimerControlFlags: 0x01, ThreadControlFlags: 0x02, Hand: 0x02, TimerMiscFlags: 0x03, DebugActive: 0x03,
        DpcActive: 0x03, Lock: 0x00)
    ))
}

/// An event: notification or synchronization, as its header says (`wdm.h`).
public struct KEVENT: GuestStructure {
  public static let name = "_KEVENT"
  public let Header: Field<DISPATCHER_HEADER>

  public static let layouts = Layouts((.windowsXP_x86, 0x10, KEVENT(Header: 0x00)))
}

/// A counting semaphore (`wdm.h`).
public struct KSEMAPHORE: GuestStructure {
  public static let name = "_KSEMAPHORE"
  public let Header: Field<DISPATCHER_HEADER>
  public let Limit: Field<Int32>

  public static let layouts = Layouts((.windowsXP_x86, 0x14, KSEMAPHORE(Header: 0x00, Limit: 0x10)))
}

/// A mutex that its owner may take repeatedly (`wdm.h`).
public struct KMUTANT: GuestStructure {
  public static let name = "_KMUTANT"
  public let Header: Field<DISPATCHER_HEADER>
  public let MutantListEntry: Field<LIST_ENTRY>
  public let OwnerThread: Field<Pointer<KTHREAD>>
  public let Abandoned: Field<UInt8>
  public let ApcDisable: Field<UInt8>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x20, KMUTANT(Header: 0x00, MutantListEntry: 0x10, OwnerThread: 0x18, Abandoned: 0x1c, ApcDisable: 0x1d)))
}

/// A timer, with the DPC it queues when it expires (`wdm.h`).
public struct KTIMER: GuestStructure {
  public static let name = "_KTIMER"
  public let Header: Field<DISPATCHER_HEADER>
  public let DueTime: Field<ULARGE_INTEGER>
  public let TimerListEntry: Field<LIST_ENTRY>
  public let Dpc: Field<Pointer<KDPC>>
  public let Period: Field<Int32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x28, KTIMER(Header: 0x00, DueTime: 0x10, TimerListEntry: 0x18, Dpc: 0x20, Period: 0x24)))
}

/// A deferred procedure call (`wdm.h`).
public struct KDPC: GuestStructure {
  public static let name = "_KDPC"
  public let `Type`: Field<Int16>
  public let Number: Field<UInt8>
  public let Importance: Field<UInt8>
  public let DpcListEntry: Field<LIST_ENTRY>
  public let DeferredRoutine: Field<Pointer<Procedure<Void>>>
  public let DeferredContext: Field<Pointer<Void>>
  public let SystemArgument1: Field<Pointer<Void>>
  public let SystemArgument2: Field<Pointer<Void>>
  public var Lock: Field<Pointer<GuestWord>> = .absent
  public var DpcData: Field<Pointer<Void>> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x20,
      KDPC(
        Type: 0x00, Number: 0x02, Importance: 0x03, DpcListEntry: 0x04, DeferredRoutine: 0x0c, DeferredContext: 0x10,
        SystemArgument1: 0x14, SystemArgument2: 0x18, Lock: 0x1c
      )
    ),
    (
      .windows7_x86, 0x20,
      KDPC(
        Type: 0x00, Number: 0x02, Importance: 0x01, DpcListEntry: 0x04, DeferredRoutine: 0x0c, DeferredContext: 0x10, SystemArgument1: 0x14,
        SystemArgument2: 0x18, DpcData: 0x1c)
    ))
}

/// One object that one thread waits for (`wdm.h`).
public struct KWAIT_BLOCK: GuestStructure {
  public static let name = "_KWAIT_BLOCK"
  public let WaitListEntry: Field<LIST_ENTRY>
  public let Thread: Field<Pointer<KTHREAD>>
  public let Object: Field<Pointer<Void>>
  public let NextWaitBlock: Field<Pointer<KWAIT_BLOCK>>
  public let WaitKey: Field<UInt16>
  public let WaitType: Field<UInt16>
  public var BlockState: Field<UInt8> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      KWAIT_BLOCK(WaitListEntry: 0x00, Thread: 0x08, Object: 0x0c, NextWaitBlock: 0x10, WaitKey: 0x14, WaitType: 0x16)
    ),
    (
      .windows7_x86, 0x18,
      KWAIT_BLOCK(WaitListEntry: 0x00, Thread: 0x08, Object: 0x0c, NextWaitBlock: 0x10, WaitKey: 0x14, WaitType: 0x16, BlockState: 0x17)
    ))
}

/// A queue of work for a limited number of running threads (`ntifs.h`).
public struct KQUEUE: GuestStructure {
  public static let name = "_KQUEUE"
  public let Header: Field<DISPATCHER_HEADER>
  public let EntryListHead: Field<LIST_ENTRY>
  public let CurrentCount: Field<UInt32>
  public let MaximumCount: Field<UInt32>
  public let ThreadListHead: Field<LIST_ENTRY>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x28,
      KQUEUE(Header: 0x00, EntryListHead: 0x10, CurrentCount: 0x18, MaximumCount: 0x1c, ThreadListHead: 0x20)
    ))
}

/// A mutex without recursion, taken at `APC_LEVEL` (`wdm.h`).
public struct FAST_MUTEX: GuestStructure {
  public static let name = "_FAST_MUTEX"
  public let Count: Field<Int32>
  public let Owner: Field<Pointer<KTHREAD>>
  public let Contention: Field<UInt32>
  public let Event: Field<KEVENT>
  public let OldIrql: Field<UInt32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x20, FAST_MUTEX(Count: 0x00, Owner: 0x04, Contention: 0x08, Event: 0x0c, OldIrql: 0x1c)))
}

/// A thread that owns an `ERESOURCE`, or the size of the table of owners (`wdm.h`).
public struct OWNER_ENTRY: GuestStructure {
  public static let name = "_OWNER_ENTRY"
  public let OwnerThread: Field<GuestWord>
  public var OwnerCount: Field<Int32> = .absent
  public let TableSize: Field<UInt32>
  public var IoPriorityBoosted: Field<UInt32> = .absent
  public var OwnerReferenced: Field<UInt32> = .absent
  public var OwnerCount_7: Field<UInt32> = .absent

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, OWNER_ENTRY(OwnerThread: 0x00, OwnerCount: 0x04, TableSize: 0x04)),
    (
      .windows7_x86, 0x8,
      OWNER_ENTRY(
        OwnerThread: 0x00, TableSize: 0x04, IoPriorityBoosted: Field(0x04, bits: 0...0), OwnerReferenced: Field(0x04, bits: 1...1),
        OwnerCount_7: Field(0x04, bits: 2...31))
    ))
}

/// A reader-writer lock with owners (`wdm.h`).
public struct ERESOURCE: GuestStructure {
  public static let name = "_ERESOURCE"
  public let SystemResourcesList: Field<LIST_ENTRY>
  public let OwnerTable: Field<Pointer<OWNER_ENTRY>>
  public let ActiveCount: Field<Int16>
  public let Flag: Field<UInt16>
  public let SharedWaiters: Field<Pointer<KSEMAPHORE>>
  public let ExclusiveWaiters: Field<Pointer<KEVENT>>
  public var OwnerThreads: Field<OWNER_ENTRY> = .absent
  public let ContentionCount: Field<UInt32>
  public var NumberOfSharedWaiters: Field<UInt16> = .absent
  public var NumberOfExclusiveWaiters: Field<UInt16> = .absent
  public let Address: Field<Pointer<Void>>
  public let CreatorBackTraceIndex: Field<GuestWord>
  public let SpinLock: Field<GuestWord>
  public var OwnerEntry: Field<OWNER_ENTRY> = .absent
  public var ActiveEntries: Field<UInt32> = .absent
  public var NumberOfSharedWaiters_7: Field<UInt32> = .absent
  public var NumberOfExclusiveWaiters_7: Field<UInt32> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x38,
      ERESOURCE(
        SystemResourcesList: 0x00, OwnerTable: 0x08, ActiveCount: 0x0c, Flag: 0x0e, SharedWaiters: 0x10, ExclusiveWaiters: 0x14,
        OwnerThreads: Field(0x18, count: 2), ContentionCount: 0x28, NumberOfSharedWaiters: 0x2c, NumberOfExclusiveWaiters: 0x2e,
        Address: 0x30, CreatorBackTraceIndex: 0x30, SpinLock: 0x34
      )
    ),
    (
      .windows7_x86, 0x38,
      ERESOURCE(
        SystemResourcesList: 0x00, OwnerTable: 0x08, ActiveCount: 0x0c, Flag: 0x0e, SharedWaiters: 0x10, ExclusiveWaiters: 0x14,
        ContentionCount: 0x24, Address: 0x30, CreatorBackTraceIndex: 0x30, SpinLock: 0x34, OwnerEntry: 0x18, ActiveEntries: 0x20,
        NumberOfSharedWaiters_7: 0x28, NumberOfExclusiveWaiters_7: 0x2c)
    ))
}

/// A reader-writer lock of one word (public symbols of XP SP3).
public struct EX_PUSH_LOCK: GuestStructure {
  public static let name = "_EX_PUSH_LOCK"
  public let Waiting: Field<GuestWord>
  public var Exclusive: Field<GuestWord> = .absent
  public let Shared: Field<GuestWord>
  public let Value: Field<GuestWord>
  public let Ptr: Field<Pointer<Void>>
  public var Locked: Field<GuestWord> = .absent
  public var Waking: Field<GuestWord> = .absent
  public var MultipleShared: Field<GuestWord> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x4,
      EX_PUSH_LOCK(
        Waiting: Field(0x00, bits: 0...0), Exclusive: Field(0x00, bits: 1...1), Shared: Field(0x00, bits: 2...31), Value: 0x00,
        Ptr: 0x00
      )
    ),
    (
      .windows7_x86, 0x4,
      EX_PUSH_LOCK(
        Waiting: Field(0x00, bits: 1...1), Shared: Field(0x00, bits: 4...31), Value: 0x00, Ptr: 0x00, Locked: Field(0x00, bits: 0...0),
        Waking: Field(0x00, bits: 2...2), MultipleShared: Field(0x00, bits: 3...3))
    ))
}

/// A count of those who keep an object from being run down (`ntifs.h`).
public struct EX_RUNDOWN_REF: GuestStructure {
  public static let name = "_EX_RUNDOWN_REF"
  public let Count: Field<GuestWord>
  public let Ptr: Field<Pointer<Void>>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, EX_RUNDOWN_REF(Count: 0x00, Ptr: 0x00)))
}

/// An object pointer with a reference count in its low bits (public symbols of XP SP3).
public struct EX_FAST_REF: GuestStructure {
  public static let name = "_EX_FAST_REF"
  public let Object: Field<Pointer<Void>>
  public let RefCnt: Field<GuestWord>
  public let Value: Field<GuestWord>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x4, EX_FAST_REF(Object: 0x00, RefCnt: Field(0x00, bits: 0...2), Value: 0x00)))
}

/// One processor's place in the queue of a spin lock (public symbols of XP SP3).
public struct KSPIN_LOCK_QUEUE: GuestStructure {
  public static let name = "_KSPIN_LOCK_QUEUE"
  public let Next: Field<Pointer<KSPIN_LOCK_QUEUE>>
  public let Lock: Field<Pointer<GuestWord>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, KSPIN_LOCK_QUEUE(Next: 0x00, Lock: 0x04)))
}

/// A device's queue of waiting requests (`wdm.h`).
public struct KDEVICE_QUEUE: GuestStructure {
  public static let name = "_KDEVICE_QUEUE"
  public let `Type`: Field<Int16>
  public let Size: Field<Int16>
  public let DeviceListHead: Field<LIST_ENTRY>
  public let Lock: Field<GuestWord>
  public let Busy: Field<UInt8>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x14, KDEVICE_QUEUE(Type: 0x00, Size: 0x02, DeviceListHead: 0x04, Lock: 0x0c, Busy: 0x10)))
}

/// One waiting request of a device queue (`wdm.h`).
public struct KDEVICE_QUEUE_ENTRY: GuestStructure {
  public static let name = "_KDEVICE_QUEUE_ENTRY"
  public let DeviceListEntry: Field<LIST_ENTRY>
  public let SortKey: Field<UInt32>
  public let Inserted: Field<UInt8>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, KDEVICE_QUEUE_ENTRY(DeviceListEntry: 0x00, SortKey: 0x08, Inserted: 0x0c)))
}
