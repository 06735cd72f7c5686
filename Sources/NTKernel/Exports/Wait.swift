import Guest
import WindowsTypes

extension Export {
  /// Waiting.
  static let waiting: [Export] = [
    // nf-wdm-kewaitforsingleobject
    export("KeWaitForSingleObject(Object, WaitReason, WaitMode, Alertable, Timeout)", irql: .dispatch) {
      (
        kernel, object: Pointer<DISPATCHER_HEADER>, reason: UInt32, mode: KPROCESSOR_MODE, alertable: UInt8, timeout: Pointer<Int64>
      ) -> NTSTATUS in
      try kernel.wait([object], timeout: timeout.isNull ? nil : timeout.load(), mode: mode)
    }
    .partially("a wait is not ended by an alert or an APC"),
    // KeWaitForMutexObject is the same routine by another name (wdm.h).
    export("KeWaitForMutexObject(Mutex, WaitReason, WaitMode, Alertable, Timeout)", irql: .dispatch) {
      (
        kernel, object: Pointer<DISPATCHER_HEADER>, reason: UInt32, mode: KPROCESSOR_MODE, alertable: UInt8, timeout: Pointer<Int64>
      ) -> NTSTATUS in
      try kernel.wait([object], timeout: timeout.isNull ? nil : timeout.load(), mode: mode)
    }
    .partially("a wait is not ended by an alert or an APC"),
    // nf-wdm-kewaitformultipleobjects: more than 3 objects need the caller's wait blocks, more than 64 are MAXIMUM_WAIT_OBJECTS_EXCEEDED.
    export(
      "KeWaitForMultipleObjects(Count, Object, WaitType, WaitReason, WaitMode, Alertable, Timeout, WaitBlockArray)", irql: .dispatch
    ) {
      (
        kernel, count: UInt32, objects: Pointer<GuestWord>, type: WAIT_TYPE, reason: UInt32, mode: KPROCESSOR_MODE, alertable: UInt8,
        timeout: Pointer<Int64>, blocks: Pointer<KWAIT_BLOCK>
      ) -> NTSTATUS in
      guard count <= (blocks.isNull ? 3 : 64) else { throw BugCheck(BugCheckCode(rawValue: 0xc)) }
      let list = try (0..<Int(count)).map {
        Pointer<DISPATCHER_HEADER>(try objects[$0].load().bits, in: kernel.memory.memory)
      }
      return try kernel.wait(
        list, type, timeout: timeout.isNull ? nil : timeout.load(), mode: mode, blocks: blocks.isNull ? nil : blocks)
    }
    .partially("a wait is not ended by an alert or an APC"),
    // nf-wdm-kedelayexecutionthread
    export("KeDelayExecutionThread(WaitMode, Alertable, Interval)", irql: .apc) {
      (kernel, mode: KPROCESSOR_MODE, alertable: UInt8, interval: Pointer<Int64>) -> NTSTATUS in
      try kernel.wait([], timeout: interval.load(), mode: mode, timeoutStatus: .success)
    }
    .partially("a delay is not ended by an alert or an APC"),
  ]

  /// Events, semaphores and mutexes.
  static let dispatcherObjects: [Export] = [
    // nf-wdm-keinitializeevent
    export("KeInitializeEvent(Event, Type, State)") { (_, event: Pointer<KEVENT>, type: EVENT_TYPE, state: UInt8) in
      try event.Header.initialize(
        type == .synchronization ? .eventSynchronization : .eventNotification, state: state == 0 ? 0 : 1, size: 4)
    },
    // nf-wdm-kesetevent: returns the previous state.
    export("KeSetEvent(Event, Increment, Wait)", irql: .dispatch) {
      (kernel, event: Pointer<KEVENT>, increment: Int32, wait: UInt8) -> Int32 in
      let old = try event.Header.SignalState.load()
      try event.Header.SignalState.store(1)
      try kernel.signal(event.Header)
      return old
    },
    // nf-wdm-keresetevent
    export("KeResetEvent(Event)", irql: .dispatch) { (_, event: Pointer<KEVENT>) -> Int32 in
      let old = try event.Header.SignalState.load()
      try event.Header.SignalState.store(0)
      return old
    },
    // nf-wdm-keclearevent
    export("KeClearEvent(Event)", irql: .dispatch) { (_, event: Pointer<KEVENT>) in try event.Header.SignalState.store(0) },
    // nf-ntifs-kepulseevent: whoever waits now, and nobody else.
    export("KePulseEvent(Event, Increment, Wait)", irql: .dispatch) {
      (kernel, event: Pointer<KEVENT>, increment: Int32, wait: UInt8) -> Int32 in
      let old = try event.Header.SignalState.load()
      try event.Header.SignalState.store(1)
      try kernel.signal(event.Header)
      try event.Header.SignalState.store(0)
      return old
    },
    // nf-wdm-kereadstateevent
    export("KeReadStateEvent(Event)", irql: .dispatch) { (_, event: Pointer<KEVENT>) -> Int32 in
      try event.Header.SignalState.load()
    },
    // nf-wdm-keinitializesemaphore
    export("KeInitializeSemaphore(Semaphore, Count, Limit)") { (_, semaphore: Pointer<KSEMAPHORE>, count: Int32, limit: Int32) in
      try semaphore.Header.initialize(.semaphore, state: count, size: 5)
      try semaphore.Limit.store(limit)
    },
    // nf-wdm-kereleasesemaphore: beyond the limit STATUS_SEMAPHORE_LIMIT_EXCEEDED is raised.
    export("KeReleaseSemaphore(Semaphore, Increment, Adjustment, Wait)", irql: .dispatch) {
      (kernel, semaphore: Pointer<KSEMAPHORE>, increment: Int32, adjustment: Int32, wait: UInt8) -> Int32 in
      let old = try semaphore.Header.SignalState.load()
      let new = old &+ adjustment
      guard new >= old, new <= (try semaphore.Limit.load()) else {
        throw GuestException(NTSTATUS(rawValue: 0xc000_0047), isContinuable: false)
      }
      try semaphore.Header.SignalState.store(new)
      try kernel.signal(semaphore.Header)
      return old
    },
    // nf-wdm-kereadstatesemaphore
    export("KeReadStateSemaphore(Semaphore)") { (_, semaphore: Pointer<KSEMAPHORE>) -> Int32 in
      try semaphore.Header.SignalState.load()
    },
    // nf-wdm-keinitializemutex
    export("KeInitializeMutex(Mutex, Level)") { (kernel, mutex: Pointer<KMUTANT>, level: UInt32) in
      try mutex.Header.initialize(.mutant, state: 1, size: 8)
      try mutex.OwnerThread.store(Pointer(0, in: kernel.memory.memory))
      try mutex.Abandoned.store(0)
      try mutex.ApcDisable.store(1)
    },
    // nf-wdm-kereleasemutex
    export("KeReleaseMutex(Mutex, Wait)", irql: .dispatch) { (kernel, mutex: Pointer<KMUTANT>, wait: UInt8) -> Int32 in
      try kernel.release(mutex)
    },
    // nf-wdm-kereadstatemutex
    export("KeReadStateMutex(Mutex)") { (_, mutex: Pointer<KMUTANT>) -> Int32 in try mutex.Header.SignalState.load() },
  ]

  /// Timers and deferred calls.
  static let timersAndDPCs: [Export] = [
    // nf-wdm-keinitializetimer
    export("KeInitializeTimer(Timer)") { (_, timer: Pointer<KTIMER>) in try timer.initialize(.timerNotification) },
    // nf-wdm-keinitializetimerex
    export("KeInitializeTimerEx(Timer, Type)") { (_, timer: Pointer<KTIMER>, type: UInt32) in
      try timer.initialize(type == 0 ? .timerNotification : .timerSynchronization)
    },
    // nf-wdm-kesettimer
    export("KeSetTimer(Timer, DueTime, Dpc)", irql: .dispatch) {
      (kernel, timer: Pointer<KTIMER>, due: Int64, dpc: Pointer<KDPC>) -> UInt8 in
      try kernel.setTimer(timer, due: due, period: 0, dpc) ? 1 : 0
    },
    // nf-wdm-kesettimerex
    export("KeSetTimerEx(Timer, DueTime, Period, Dpc)", irql: .dispatch) {
      (kernel, timer: Pointer<KTIMER>, due: Int64, period: Int32, dpc: Pointer<KDPC>) -> UInt8 in
      try kernel.setTimer(timer, due: due, period: period, dpc) ? 1 : 0
    },
    // nf-wdm-kecanceltimer
    export("KeCancelTimer(Timer)", irql: .dispatch) { (kernel, timer: Pointer<KTIMER>) -> UInt8 in
      try kernel.cancelTimer(timer) ? 1 : 0
    },
    // nf-wdm-kereadstatetimer
    export("KeReadStateTimer(Timer)", irql: .dispatch) { (_, timer: Pointer<KTIMER>) -> UInt8 in
      try timer.Header.SignalState.load() == 0 ? 0 : 1
    },
    // nf-wdm-keinitializedpc
    export("KeInitializeDpc(Dpc, DeferredRoutine, DeferredContext)") {
      (_, dpc: Pointer<KDPC>, routine: Pointer<Procedure<Void>>, context: Pointer<Void>) in
      try dpc.zero()
      try dpc.Type.store(0x13)
      try dpc.Importance.store(1)
      try dpc.DeferredRoutine.store(routine)
      try dpc.DeferredContext.store(context)
    },
    // nf-wdm-keinsertqueuedpc
    export("KeInsertQueueDpc(Dpc, SystemArgument1, SystemArgument2)") {
      (kernel, dpc: Pointer<KDPC>, first: GuestWord, second: GuestWord) -> UInt8 in
      try kernel.queue(dpc, first, second) ? 1 : 0
    },
    // nf-wdm-keremovequeuedpc
    export("KeRemoveQueueDpc(Dpc)") { (kernel, dpc: Pointer<KDPC>) -> UInt8 in
      guard let index = kernel.deferredCalls.firstIndex(of: dpc.address) else { return 0 }
      kernel.deferredCalls.remove(at: index)
      try kernel.kpcr.PrcbData.DpcQueueDepth.store(UInt32(kernel.deferredCalls.count))
      return 1
    },
    // nf-wdm-kesetimportancedpc
    export("KeSetImportanceDpc(Dpc, Importance)") { (_, dpc: Pointer<KDPC>, importance: UInt32) in
      try dpc.Importance.store(UInt8(truncatingIfNeeded: importance))
    },
    // nf-wdm-kesettargetprocessordpc: there is one processor.
    export("KeSetTargetProcessorDpc(Dpc, Number)") { (_, dpc: Pointer<KDPC>, number: Int8) in
      try dpc.Number.store(UInt8(bitPattern: number) &+ 32)
    },
    // nf-wdm-keflushqueueddpcs: on one processor they run before the caller goes on.
    export("KeFlushQueuedDpcs()", irql: .passive) { _ in },
  ]

  /// Threads and work items.
  static let systemThreads: [Export] = [
    // nf-wdm-pscreatesystemthread
    export(
      "PsCreateSystemThread(ThreadHandle, DesiredAccess, ObjectAttributes, ProcessHandle, ClientId, StartRoutine, StartContext)",
      irql: .passive
    ) {
      (
        kernel, handle: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>, process: GuestWord,
        client: Pointer<CLIENT_ID>, routine: GuestWord, context: GuestWord
      ) async throws -> NTSTATUS in
      let owner = try process.bits == 0 ? kernel.processes[0] : kernel.process(ofHandle: process.bits)
      guard let owner else { return .invalidHandle }
      let thread = try kernel.createSystemThread(routine.bits, context.bits, in: owner)
      try handle.store(
        GuestWord(
          kernel.handles.insert(thread.object.address, access: access, process: HandleTable.kernel, site: kernel.servedReturnAddress)))
      if !client.isNull {
        try client.UniqueProcess.store(thread.object.Cid.UniqueProcess.load())
        try client.UniqueThread.store(thread.object.Cid.UniqueThread.load())
      }
      try await kernel.notifyThread(thread, isCreated: true)
      return .success
    },
    // nf-wdm-psterminatesystemthread: does not return. Another thread than a system thread: STATUS_INVALID_PARAMETER.
    export("PsTerminateSystemThread(ExitStatus)", irql: .passive) { (kernel, status: NTSTATUS) -> NTSTATUS in
      guard let thread = kernel.running, thread.owner.id == 0 else { return .invalidParameter }
      throw ThreadEnds(status: status)
    },
    // nf-wdm-kesetprioritythread
    export("KeSetPriorityThread(Thread, Priority)", irql: .dispatch) { (kernel, thread: Pointer<KTHREAD>, priority: Int32) -> Int32 in
      kernel.isPreemptionDue = true
      let old = try thread.Priority.load()
      try thread.Priority.store(Int8(truncatingIfNeeded: max(1, min(31, priority))))
      return Int32(old)
    },
    // nf-wdm-kequeryprioritythread
    export("KeQueryPriorityThread(Thread)") { (_, thread: Pointer<KTHREAD>) -> Int32 in Int32(try thread.Priority.load()) },
    // nf-wdm-exqueueworkitem: WORK_QUEUE_ITEM is a list entry, then routine and parameter.
    export("ExQueueWorkItem(WorkItem, QueueType)", irql: .dispatch) { (kernel, item: Pointer<GuestWord>, type: UInt32) in
      let (routine, parameter) = (try item[2].load().bits, try item[3].load().bits)
      // The pages' order is CriticalWorkQueue 0, DelayedWorkQueue 1, HyperCriticalWorkQueue 2.
      try kernel.queue(WorkItem(routine: routine, arguments: [parameter], finish: {}), queue: [1, 0, 2][Int(min(type, 2))])
    },
  ]
}

extension Pointer where Pointee == DISPATCHER_HEADER {
  /// `size` is in 32-bit words, as the header has it.
  func initialize(_ type: DispatcherObjectType, state: Int32, size: UInt8) throws {
    try self.Type.store(type)
    try self.store(bits: \.Absolute, 0)
    try self.Size.store(size)
    try self.store(bits: \.Inserted, 0)
    try self.SignalState.store(state)
    try self.WaitListHead.initialize()
  }
}

extension Pointer where Pointee == KTIMER {
  /// A timer that is set stays so, and keeps its deferred call: only what says when it is due goes.
  func initialize(_ type: DispatcherObjectType) throws {
    try self.DueTime.QuadPart.store(0)
    try self.Period.store(0)
    try self.Header.initialize(type, state: 0, size: UInt8(Pointer<KTIMER>.size(in: memory) / 4))
  }
}

extension Kernel {
  /// The process that a handle of the current process's, or of the kernel's, means; -1 is the current process.
  func process(ofHandle handle: UInt64) throws -> Process? {
    if handle == 0xffff_ffff { return process(at: try currentProcess().address) }
    return handles[handle, running?.owner.id ?? 0].flatMap { process(at: $0.object) }
  }
}
