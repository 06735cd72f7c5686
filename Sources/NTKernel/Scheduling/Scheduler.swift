import Events
import Guest
import WindowsTypes

/// How a thread goes on when it gets the processor.
indirect enum Resumption {
  /// It runs, or has never run a call of its own.
  case none
  /// With these registers.
  case registers([Register: UInt64])
  /// It waits in an export that ends with the wait: with these registers, and the wait's status as the result.
  case export(number: Int, [Register: UInt64])
  /// A kernel routine of its waits; these were the registers.
  case routine([Register: UInt64])
  /// It begins with this routine.
  case start(RoutineStack.Body)
  /// It runs this routine, and is at rest when that is done.
  case serve(RoutineStack.Body)
  /// It takes up a wait that an APC has interrupted, and goes on as it says here when that is over.
  case again(InterruptedWait, Resumption)

  /// The registers that it goes on with; `nil` where it begins.
  var registers: [Register: UInt64]? {
    switch self {
    case .registers(let values), .export(_, let values), .routine(let values): values
    case .again(_, let resumption): resumption.registers
    case .none, .start, .serve: nil
    }
  }
}

/// An export's last act is a wait that is not over: its thread goes on when somebody wakes it.
struct ThreadBlocks: Error {}

/// The running thread ends here and now.
package struct ThreadEnds: Error {
  let status: NTSTATUS
  package init(status: NTSTATUS) { self.status = status }
}

/// Who runs: one processor, the highest priority first, and first come first served within one.
///
/// Nothing of the host decides: the order follows from the order of the calls that made threads ready.
extension Kernel {
  /// Makes a thread ready behind those of its priority.
  func makeReady(_ thread: Thread) throws {
    try thread.object.Tcb.State.store(.ready)
    readyThreads.append(thread)
    isPreemptionDue = true
  }

  private func nextReady() throws -> Thread? {
    var best: (index: Int, priority: Int8)?
    for (index, thread) in readyThreads.enumerated() {
      let priority = try thread.object.Tcb.Priority.load()
      if best == nil || priority > best?.priority ?? 0 { best = (index, priority) }
    }
    return best.map { readyThreads.remove(at: $0.index) }
  }

  /// Gives the processor to the next ready thread; lets time pass while there is none.
  ///
  /// Where nobody is ready and nothing is due, the run has come to rest: ``Ending/idle``.
  func runNextThread() throws -> Continuation {
    while true {
      if isDelivering {
        if let next = nextDelivery() { return try resume(next) }
        isDelivering = false
        return .stop
      }
      if isSettlingOver {
        ending = .idle
        return .stop
      }
      if let next = try nextReady() { return try resume(next) }
      if let awaitOutside, try awaitOutside() { continue }
      guard let due = timers.nextDue, due <= settling?.time ?? .max, try !isTimeFruitless() else {
        ending = .idle
        return .stop
      }
      skipTime(to: due)
      try expireTimers()
      if !deferredCalls.isEmpty { return try deliverDeferredCalls(on: try idleThread(), interrupting: nil) }
    }
  }

  /// Lets `thread` go on where it stopped.
  private func resume(_ thread: Thread) throws -> Continuation {
    let resumption = thread.resumption
    thread.resumption = .none
    try run(thread)
    try kpcr.NtTib.ExceptionList.store(Pointer(thread.savedExceptionList, in: memory.memory))
    try kpcr.Irql.store(thread.savedIRQL)
    armDeadline()
    return try deliverAPCs(on: thread, before: resumption) ?? goOn(thread, by: resumption)
  }

  /// Lets `thread`, which has the processor, go on.
  func goOn(_ thread: Thread, by resumption: Resumption) throws -> Continuation {
    switch resumption {
    case .none: throw KernelError("\(thread.name) was ready with nothing to do")
    case .registers(let values):
      registers.load(values)
      return .proceed
    case .export(let number, let values):
      registers.load(values)
      recordResult(number, UInt64(try thread.object.Tcb.WaitStatus.load().rawValue))
      return .proceed
    case .routine(let values):
      registers.load(values)
      return try resumeRoutine(of: thread, returning: UInt64(try thread.object.Tcb.WaitStatus.load().rawValue))
    case .start(let body):
      registers.load(restingRegisters(of: thread))
      return try start(thread.startsExit ? .exit(isStep: false) : .thread, body)
    case .serve(let body):
      registers.load(restingRegisters(of: thread))
      return try start(.service, body)
    case .again(let interrupted, let resumption):
      if let values = resumption.registers { registers.load(values) }
      thread.interruptedWaits.removeAll { $0 === interrupted }
      if let status = interrupted.status {
        try thread.object.Tcb.WaitStatus.store(status)
        return try goOn(thread, by: resumption)
      }
      switch try take(interrupted.wait, up: thread) {
      case .satisfied(let status):
        try thread.object.Tcb.WaitStatus.store(status)
        return try goOn(thread, by: resumption)
      case .blocked:
        try suspendRunning(resumption)
        return try runNextThread()
      }
    }
  }

  /// The registers with which a routine of the kernel's own begins on `thread`.
  func restingRegisters(of thread: Thread) -> [Register: UInt64] {
    [.sp: thread.restingStackPointer, .bp: 0, .flags: 0x202]
  }

  /// The running thread gives the processor away, to go on by `resumption`.
  func suspendRunning(_ resumption: Resumption) throws {
    guard let thread = running else { throw KernelError("no thread runs") }
    thread.resumption = resumption
    thread.savedExceptionList = try kpcr.NtTib.ExceptionList.load().address
    thread.savedIRQL = try kpcr.Irql.load()
    // One that came to it before it waited, and could not run then.
    if thread.wait != nil, try thread.object.Tcb.deliverableAPC(at: thread.savedIRQL) != nil { try interruptWait(of: thread) }
  }

  /// All registers, as they are.
  func allRegisters() -> [Register: UInt64] {
    Dictionary(uniqueKeysWithValues: Register.allCases.map { ($0, registers[$0]) })
  }

  /// The registers as they are once the export that was called at `stackPointer` has returned.
  func registersAfterReturn(of export: Int, stackPointer: UInt64) throws -> [Register: UInt64] {
    var values = allRegisters()
    values[.ip] = try GuestWord.load(memory.memory, at: stackPointer).bits
    values[.sp] = stackPointer + services[export].poppedBytes
    return values
  }

  // MARK: Threads

  /// Makes a system thread that runs `routine` with `context`, ready to run.
  func createSystemThread(_ routine: UInt64, _ context: UInt64, in process: Process) throws -> Thread {
    let thread = try createThread("system-\(threads.count)", in: process)
    makers.threads[thread.id] = caller.address
    try thread.object.StartAddress.store(Pointer(routine, in: memory.memory))
    thread.resumption = .start { [self] in try await call(routine, [context]) }
    try makeReady(thread)
    return thread
  }

  /// Ends the running thread: its waiting routines are abandoned, and what it leaves is cleaned up in its own context.
  ///
  /// - Parameter isStep: whether a step of the run's ends with it; if not given, whether one is its outermost call.
  func endRunningThread(_ status: NTSTATUS, isStep: Bool? = nil) throws -> Continuation {
    guard let thread = running else { throw KernelError("no thread runs") }
    // KERNEL_APC_PENDING_DURING_EXIT: a critical region is open, or a mutex held. APC, disable count, IRQL.
    let disabled = try thread.object.Tcb.combinedDisable
    if disabled != 0 { return end(BugCheck(.kernelAPCPendingDuringExit, 0, disabled, UInt64(try kpcr.Irql.load().rawValue))) }
    if try thread.object.Tcb.ApcStateIndex.load() != 0 {
      return end(try invalidAttach(thread.owner.object.Pcb, thread.object.Tcb))
    }
    let endsStep = isStep ?? thread.activations.contains { if case .step = $0 { true } else { false } }
    thread.routines.abandonAll()
    thread.activations = []
    thread.interruptedWaits = []
    registers[.sp] = thread.restingStackPointer
    registers[.bp] = 0
    try kpcr.NtTib.ExceptionList.store(Pointer(memory.target.endOfExceptionChain, in: memory.memory))
    callResult = nil
    return try start(.exit(isStep: endsStep)) { [self] in
      try await tearDown(thread, status)
      return UInt64(status.rawValue)
    }
  }

  /// The thread on which deferred calls run while nobody else does.
  private func idleThread() throws -> Thread {
    if let idle { return idle }
    let made = try createThread("idle", in: processes[0])
    idle = made
    return made
  }
}
