import Guest

/// How far the machine runs on by itself between two calls of the run's.
struct SettlingLimit {
  /// The value of ``Kernel/interruptTime`` after which no timer is waited for.
  let time: UInt64
  /// The count of instructions after which nobody gets the processor any more.
  let instructions: UInt64
}

extension Kernel {
  /// Whether somebody would run, or something come due, if the machine ran on for `duration`, in 100 ns.
  public func hasWork(within duration: UInt64) throws -> Bool {
    if !readyThreads.isEmpty || !deferredCalls.isEmpty { return true }
    guard let due = timers.nextDue, try !isTimeFruitless() else { return false }
    return due <= interruptTime + duration
  }

  /// Lets threads, deferred calls, timers and work items run until every thread waits and nothing is due within `duration`, in
  /// 100 ns, or `instructions` have run: then ``Ending/idle``.
  public func settle(for duration: UInt64, instructions: UInt64) throws -> Continuation {
    settling = SettlingLimit(time: interruptTime + duration, instructions: clock() + instructions)
    armDeadline()
    return try runNextThread()
  }

  /// The limits are no more. Returns whether one of them kept somebody who was ready from running.
  public func endSettling() -> Bool {
    settling = nil
    armDeadline()
    return !readyThreads.isEmpty
  }

  /// Whether the machine has run on by itself for as long as it may.
  var isSettlingOver: Bool { settling.map { clock() >= $0.instructions } ?? false }
}
