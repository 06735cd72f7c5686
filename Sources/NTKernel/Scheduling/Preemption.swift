import Guest
import WindowsTypes

/// The clock interrupt: what takes the processor from code that calls nobody.
///
/// It comes when it has something to do, not at every tick: when a timer is due, or a thread's quantum ends while another is
/// ready; at every tick only where someone can see it, in `KeTickCount`. All are counted in executed instructions, so that a run
/// is the same each time.
extension Kernel {
  /// The deadline has come: lets due timers and deferred calls interrupt the running thread, and shares the processor out.
  public func clockInterrupt() -> Continuation {
    do {
      if time.tickVariable != nil, try kpcr.Irql.load() < Self.clockLevel { try publishTime() }
      guard try canInterrupt() else {
        // Guest code raised the level without a call; it may lower it so again.
        setDeadline(clock() + VirtualTime.tick * VirtualTime.instructionsPerUnit)
        return .proceed
      }
      let values = allRegisters()
      if isSettlingOver, let thread = running {
        try suspendRunning(.registers(values))
        try makeReady(thread)
        return try runNextThread()
      }
      let continuation = try interrupt(goingOnWith: values) ?? endQuantum(goingOnWith: values) ?? .proceed
      armDeadline()
      return continuation
    } catch {
      return handle(error, ip: registers[.ip], sp: registers[.sp])
    }
  }

  /// Gives the processor to the next thread of the same priority, or a higher one, if the running one has had it long enough.
  private func endQuantum(goingOnWith values: [Register: UInt64]) throws -> Continuation? {
    guard let thread = running, interruptTime >= thread.quantumEnd else { return nil }
    let own = try thread.object.Tcb.Priority.load()
    guard try readyThreads.contains(where: { try $0.object.Tcb.Priority.load() >= own }) else {
      thread.quantumEnd = interruptTime + VirtualTime.quantum
      return nil
    }
    try suspendRunning(.registers(values))
    try makeReady(thread)
    return try runNextThread()
  }

  /// `CLOCK2_LEVEL` of x86: code at this IRQL or above keeps the clock from ticking.
  private static let clockLevel = IRQL(rawValue: 28)

  /// Whether the clock may interrupt what runs now.
  private func canInterrupt() throws -> Bool { try kpcr.Irql.load() < .dispatch && !isDPCActive() }

  /// Sets the deadline by what is ready and what is due. To be called when either, the running thread or the IRQL has changed.
  func armDeadline() {
    let tick = time.tickVariable == nil ? .max : instructions(at: interruptTimeAtTick + VirtualTime.tick)
    guard timers.nextDue != nil || !readyThreads.isEmpty else { return setDeadline(tick) }
    guard let thread = running, (try? canInterrupt()) ?? false else { return setDeadline(tick) }
    let due = min(timers.nextDue ?? .max, readyThreads.isEmpty ? .max : thread.quantumEnd)
    setDeadline(min(tick, instructions(at: due)))
  }

  private func setDeadline(_ wanted: UInt64) {
    let value = settling.map { min($0.instructions, wanted) } ?? wanted
    guard value != deadline else { return }
    deadline = value
    onDeadline(value)
  }

  /// How many instructions have run when ``interruptTime`` is `time`.
  private func instructions(at time: UInt64) -> UInt64 {
    guard time > self.time.skipped else { return 0 }
    let (count, isTooLate) = (time - self.time.skipped).multipliedReportingOverflow(by: VirtualTime.instructionsPerUnit)
    return isTooLate ? .max : count
  }
}
