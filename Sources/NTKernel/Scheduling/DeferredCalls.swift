import Events
import Guest
import WindowsTypes

/// Deferred procedure calls: run at DISPATCH_LEVEL on whatever thread is there, in whatever process.
extension Kernel {
  /// `KeInsertQueueDpc`: returns `false` if it is queued already.
  func queue(_ dpc: Pointer<KDPC>, _ first: GuestWord, _ second: GuestWord, by maker: UInt64? = nil) throws -> Bool {
    if deferredCalls.contains(dpc.address) { return false }
    makers.deferredCalls[dpc.address] = maker ?? caller.address
    try dpc.SystemArgument1.store(Pointer(first.bits, in: memory.memory))
    try dpc.SystemArgument2.store(Pointer(second.bits, in: memory.memory))
    // HighImportance: to the head of the queue (KeSetImportanceDpc).
    if try dpc.Importance.load() == 2 { deferredCalls.insert(dpc.address, at: 0) } else { deferredCalls.append(dpc.address) }
    try kpcr.PrcbData.DpcQueueDepth.store(UInt32(deferredCalls.count))
    return true
  }

  /// Whether something is due that an interrupt would bring.
  @inline(__always) var isInterruptDue: Bool {
    isPreemptionDue || !deferredCalls.isEmpty || nextTimerDue != .max && nextTimerDue <= interruptTime
  }

  /// Lets what is due interrupt the running thread, which goes on with `values` afterwards.
  func interrupt(goingOnWith values: [Register: UInt64]) throws -> Continuation? {
    guard let thread = running, try kpcr.Irql.load() < .dispatch, try !isDPCActive() else { return nil }
    try expireTimers()
    if !deferredCalls.isEmpty { return try deliverDeferredCalls(on: thread, interrupting: values) }
    return try preempt(thread, values)
  }

  /// A thread that was made ready and has a higher priority takes the processor at once. The other stays ahead of its equals.
  private func preempt(_ thread: Thread, _ values: [Register: UInt64]) throws -> Continuation? {
    isPreemptionDue = false
    let own = try thread.object.Tcb.Priority.load()
    guard try readyThreads.contains(where: { try $0.object.Tcb.Priority.load() > own }) else { return nil }
    try suspendRunning(.registers(values))
    try thread.object.Tcb.State.store(.ready)
    readyThreads.insert(thread, at: 0)
    return try runNextThread()
  }

  /// Runs every queued call on `thread`'s stack, and then goes back to `values`, or to idling.
  func deliverDeferredCalls(on thread: Thread, interrupting values: [Register: UInt64]?) throws -> Continuation {
    if values == nil {
      try run(thread)
      registers[.sp] = thread.restingStackPointer
      registers[.bp] = 0
    }
    let irql = try kpcr.Irql.load()
    return try start(.interrupt(values)) { [self] in
      _ = try raiseIRQL(to: .dispatch)
      try kpcr.PrcbData.dpcRoutineActive.store(1)
      while !deferredCalls.isEmpty {
        let dpc = Pointer<KDPC>(deferredCalls.removeFirst(), in: memory.memory)
        try kpcr.PrcbData.DpcQueueDepth.store(UInt32(deferredCalls.count))
        _ = try await call(
          dpc.DeferredRoutine.load().address,
          [
            dpc.address, dpc.DeferredContext.load().address, dpc.SystemArgument1.load().address,
            dpc.SystemArgument2.load().address,
          ], below: below(registers[.sp], 32))
        let level = try kpcr.Irql.load()
        guard level == .dispatch else {
          // IRQL_NOT_DISPATCH_LEVEL (8).
          throw BugCheck(BugCheckCode(rawValue: 0x8), UInt64(level.rawValue))
        }
      }
      try kpcr.PrcbData.dpcRoutineActive.store(0)
      try lowerIRQL(to: irql)
      return 0
    }
  }

  /// The interrupting calls are done: the interrupted code goes on, or whoever is ready.
  func returnFromInterrupt(to values: [Register: UInt64]?) throws -> Continuation {
    guard let values, let thread = running else { return try runNextThread() }
    for (register, value) in values { registers[register] = value }
    return try preempt(thread, values) ?? .proceed
  }
}
