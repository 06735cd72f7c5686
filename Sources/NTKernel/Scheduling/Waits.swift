import Events
import Guest
import WindowsTypes

/// Waiting for dispatcher objects: wait blocks in guest memory, hung on the objects' own lists.
///
/// What each kind of object does to a waiter and a waiter to it: KeWaitForSingleObject and the pages of the objects.
extension Kernel {
  package typealias DispatcherObject = Pointer<DISPATCHER_HEADER>

  /// How a wait ends: at once with a status, or the thread blocks.
  enum WaitOutcome { case satisfied(NTSTATUS), blocked }

  /// Begins a wait of the running thread.
  ///
  /// - Parameters:
  ///   - blocks: the caller's wait blocks, for more than three objects.
  ///   - timeout: `nil` waits for ever; 0 does not wait.
  ///   - timeoutStatus: what the wait's status is when time runs out.
  func beginWait(
    _ objects: [DispatcherObject], _ type: WAIT_TYPE, timeout: Int64?, mode: KPROCESSOR_MODE = .kernelMode,
    blocks: Pointer<KWAIT_BLOCK>? = nil, timeoutStatus: NTSTATUS = .timeout
  ) throws -> WaitOutcome {
    guard let thread = running else { throw KernelError("no thread runs") }
    if type == .any {
      for (index, object) in objects.enumerated() where try isSignaled(object, for: thread) {
        return .satisfied(NTSTATUS(rawValue: UInt32(index) + (try consume(object, by: thread))))
      }
    } else if try objects.allSatisfy({ try isSignaled($0, for: thread) }) {
      var abandoned: UInt32 = 0
      for object in objects { abandoned |= try consume(object, by: thread) }
      return .satisfied(NTSTATUS(rawValue: abandoned))
    }
    if timeout == 0 { return .satisfied(timeoutStatus) }
    let irql = try kpcr.Irql.load()
    if irql >= .dispatch {
      // ATTEMPTED_SWITCH_FROM_DPC in a DPC; else the dispatcher runs at a level at which it must not.
      if try isDPCActive() { throw BugCheck(.attemptedSwitchFromDPC, thread.object.address, 0, 0, 0) }
      throw BugCheck(.irqlNotLessOrEqual, objects.first?.address ?? 0, UInt64(irql.rawValue), 0, registers[.ip])
    }
    try hang(thread, on: objects, type, blocks ?? thread.object.Tcb.WaitBlock)
    try thread.object.Tcb.State.store(.waiting)
    try thread.object.Tcb.WaitMode.store(mode)
    try thread.object.Tcb.WaitIrql.store(irql)
    thread.waitsFor = objects
    thread.waitType = type
    thread.timeoutStatus = timeoutStatus
    if let timeout { timers.insert(.wait(thread.id), due: dueTime(timeout)) }
    return .blocked
  }

  /// For exports whose last act is a wait.
  func wait(
    _ objects: [DispatcherObject], _ type: WAIT_TYPE = .any, timeout: Int64?, mode: KPROCESSOR_MODE = .kernelMode,
    blocks: Pointer<KWAIT_BLOCK>? = nil, timeoutStatus: NTSTATUS = .timeout
  ) throws -> NTSTATUS {
    switch try beginWait(objects, type, timeout: timeout, mode: mode, blocks: blocks, timeoutStatus: timeoutStatus) {
    case .satisfied(let status): return status
    case .blocked: throw ThreadBlocks()
    }
  }

  /// For routines that go on after a wait.
  package func waiting(_ objects: [DispatcherObject], _ type: WAIT_TYPE = .any, timeout: Int64? = nil) async throws -> NTSTATUS {
    if case .satisfied(let status) = try beginWait(objects, type, timeout: timeout) { return status }
    guard let thread = running else { return .success }
    let status = try await thread.routines.suspend(.blocked, at: registers[.sp])
    return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: status))
  }

  private func hang(
    _ thread: Thread, on objects: [DispatcherObject], _ type: WAIT_TYPE, _ blocks: Pointer<KWAIT_BLOCK>
  ) throws {
    for (index, object) in objects.enumerated() {
      let block = blocks.advanced(by: index)
      try block.Thread.store(thread.object.Tcb)
      try block.Object.store(object.cast())
      try block.WaitKey.store(UInt16(index))
      try block.WaitType.store(UInt16(type.rawValue))
      try block.NextWaitBlock.store(blocks.advanced(by: (index + 1) % objects.count))
      try object.WaitListHead.insertTail(block.WaitListEntry)
    }
    try thread.object.Tcb.WaitBlockList.store(blocks)
  }

  /// Ends a thread's wait: off the lists, and ready.
  package func wake(_ thread: Thread, _ status: NTSTATUS) throws {
    let blocks = try thread.object.Tcb.WaitBlockList.load()
    for index in thread.waitsFor.indices { try blocks.advanced(by: index).WaitListEntry.remove() }
    thread.waitsFor = []
    timers.remove(.wait(thread.id))
    try thread.object.Tcb.WaitStatus.store(status)
    try makeReady(thread)
  }

  /// An object may have become signaled: whoever waits for it, first come first served, as long as it lasts.
  func signal(_ object: DispatcherObject) throws {
    for entry in try object.WaitListHead.entries() {
      let block = entry.container(\KWAIT_BLOCK.WaitListEntry)
      guard let thread = thread(at: try block.Thread.load().address), thread.waitsFor.contains(object) else { continue }
      if thread.waitType == .all {
        guard try thread.waitsFor.allSatisfy({ try isSignaled($0, for: thread) }) else { continue }
        var abandoned: UInt32 = 0
        for other in thread.waitsFor { abandoned |= try consume(other, by: thread) }
        try wake(thread, NTSTATUS(rawValue: abandoned))
      } else {
        guard try isSignaled(object, for: thread) else { return }
        let key = UInt32(try block.WaitKey.load())
        try wake(thread, NTSTATUS(rawValue: key + (try consume(object, by: thread))))
      }
    }
  }

  private func isSignaled(_ object: DispatcherObject, for thread: Thread) throws -> Bool {
    if try object.SignalState.load() > 0 { return true }
    guard try object.Type.load() == .mutant else { return false }
    return try object.cast(to: KMUTANT.self).OwnerThread.load() == thread.object.Tcb
  }

  /// What a satisfied wait does to the object. Returns 0x80 for an abandoned mutex, else 0.
  private func consume(_ object: DispatcherObject, by thread: Thread) throws -> UInt32 {
    switch try object.Type.load() {
    case .eventSynchronization, .timerSynchronization: try object.SignalState.store(0)
    case .semaphore, .queue: try object.SignalState.store(object.SignalState.load() - 1)
    case .mutant:
      let mutant = object.cast(to: KMUTANT.self)
      let state = try object.SignalState.load() &- 1
      // MUTANT_LIMIT_EXCEEDED: acquired recursively more often than a LONG counts.
      if state == .min { throw GuestException(NTSTATUS(rawValue: 0xc000_0191), isContinuable: false) }
      try object.SignalState.store(state)
      guard state == 0 else { return 0 }
      try mutant.OwnerThread.store(thread.object.Tcb)
      try thread.object.Tcb.MutantListHead.insertTail(mutant.MutantListEntry)
      let disable = UInt32(try mutant.ApcDisable.load())
      try thread.object.Tcb.kernelApcDisable.store(thread.object.Tcb.kernelApcDisable.load() &- disable)
      guard try mutant.Abandoned.load() != 0 else { return 0 }
      try mutant.Abandoned.store(0)
      return 0x80
    default: break
    }
    return 0
  }

  /// Releases a mutex once. Not its owner's: STATUS_MUTANT_NOT_OWNED is raised (KeReleaseMutex).
  func release(_ mutant: Pointer<KMUTANT>) throws -> Int32 {
    let thread = try currentThread()
    guard try mutant.OwnerThread.load() == thread else {
      throw GuestException(NTSTATUS(rawValue: 0xc000_0046), isContinuable: false)
    }
    let old = try mutant.Header.SignalState.load()
    try mutant.Header.SignalState.store(old + 1)
    guard old == 0 else { return old }
    try mutant.OwnerThread.store(Pointer(0, in: memory.memory))
    try mutant.MutantListEntry.remove()
    try thread.kernelApcDisable.store(thread.kernelApcDisable.load() &+ UInt32(try mutant.ApcDisable.load()))
    try signal(mutant.Header)
    return old
  }
}
