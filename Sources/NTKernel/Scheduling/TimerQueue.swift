import Guest
import WindowsTypes

/// What is to happen at a time: a timer object expires, or a wait runs out.
struct TimerQueue {
  enum Subject: Equatable {
    /// A `KTIMER`, by its address.
    case timer(UInt64)
    /// A thread's wait.
    case wait(Int)
  }

  private var entries: [(due: UInt64, order: Int, subject: Subject)] = []
  private var order = 0

  /// When the first entry is due, in 100 ns since boot.
  var nextDue: UInt64? { entries.first?.due }

  mutating func insert(_ subject: Subject, due: UInt64) {
    order += 1
    let index = entries.firstIndex { $0.due > due } ?? entries.endIndex
    entries.insert((due, order, subject), at: index)
  }

  /// Takes `subject` out. Returns whether it was there.
  @discardableResult
  mutating func remove(_ subject: Subject) -> Bool {
    guard let index = entries.firstIndex(where: { $0.subject == subject }) else { return false }
    entries.remove(at: index)
    return true
  }

  /// The subjects of all entries, in order.
  var subjects: [Subject] { entries.map(\.subject) }

  /// The next entry that is due at `now`, which goes.
  mutating func popDue(_ now: UInt64) -> (due: UInt64, subject: Subject)? {
    guard let first = entries.first, first.due <= now else { return nil }
    entries.removeFirst()
    return (first.due, first.subject)
  }
}

extension Kernel {
  /// A due time as callers give it: negative is relative, positive is absolute since 1601 (KeSetTimer, KeWaitForSingleObject).
  func dueTime(_ value: Int64) -> UInt64 {
    if value < 0 { return interruptTime &+ value.magnitude }
    let absolute = UInt64(value)
    return absolute > VirtualTime.boot ? absolute - VirtualTime.boot : 0
  }

  /// Whether nothing can come of waiting: only periodic timers are left, signaled already and without deferred calls, which nobody
  /// has taken.
  func isTimeFruitless() throws -> Bool {
    guard deferredCalls.isEmpty else { return false }
    return try timers.subjects.allSatisfy { subject in
      guard case .timer(let address) = subject else { return false }
      let timer = Pointer<KTIMER>(address, in: memory.memory)
      return try timer.Period.load() > 0 && timer.Header.SignalState.load() > 0 && timer.Dpc.load().isNull
    }
  }

  /// Does what is due by now: signals timers, queues their deferred calls, ends waits.
  func expireTimers() throws {
    while let (due, subject) = timers.popDue(interruptTime) {
      switch subject {
      case .wait(let id): try wake(threads[id], threads[id].timeoutStatus)
      case .timer(let address):
        let timer = Pointer<KTIMER>(address, in: memory.memory)
        try timer.Header.store(bits: \.Inserted, 0)
        try timer.Header.SignalState.store(1)
        let period = try timer.Period.load()
        if period > 0 {
          try timer.Header.store(bits: \.Inserted, 1)
          timers.insert(.timer(address), due: due + UInt64(period) * 10_000)
        }
        try signal(timer.Header)
        let dpc = try timer.Dpc.load()
        if !dpc.isNull {
          let now = systemTime
          _ = try queue(dpc, GuestWord(now & 0xffff_ffff), GuestWord(now >> 32), by: io.timerSites[address]?.ip ?? 0)
        }
      }
    }
  }

  /// `KeSetTimerEx`: (re)starts a timer. Returns whether it was running.
  func setTimer(_ timer: Pointer<KTIMER>, due: Int64, period: Int32, _ dpc: Pointer<KDPC>) throws -> Bool {
    let wasRunning = timers.remove(.timer(timer.address))
    try timer.Header.SignalState.store(0)
    try timer.Header.store(bits: \.Inserted, 1)
    try timer.Dpc.store(dpc)
    try timer.Period.store(period)
    let when = dueTime(due)
    try timer.DueTime.QuadPart.store(when)
    timers.insert(.timer(timer.address), due: when)
    io.timerSites[timer.address] = site()
    return wasRunning
  }

  func cancelTimer(_ timer: Pointer<KTIMER>) throws -> Bool {
    try timer.Header.store(bits: \.Inserted, 0)
    return timers.remove(.timer(timer.address))
  }
}
