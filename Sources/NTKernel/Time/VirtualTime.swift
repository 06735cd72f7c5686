import Guest
import WindowsTypes

/// The run's clock, in units of 100 ns: executed instructions, and what was skipped while every thread waited.
///
/// A processor of 100 million instructions a second: ten of them are one unit. Nothing of the host's time enters.
struct VirtualTime {
  static let instructionsPerUnit: UInt64 = 10
  /// When the machine booted, in 100 ns since 1601: 2 April 2009, 00:00 UTC.
  static let boot: UInt64 = 128_831_040_000_000_000
  /// Between two ticks of the clock interrupt, in 100 ns: 15.625 ms, as XP sets it on most machines.
  static let tick: UInt64 = 156_250
  /// What the time stamp counter shows when the run begins.
  static let firstTimeStamp: UInt64 = 0x10_0000_0000
  /// The performance counter's frequency: that of the power management timer, which XP's ACPI HAL reads.
  static let performanceFrequency: UInt64 = 3_579_545

  /// How long a thread keeps the processor while others of its priority are ready, in 100 ns: two ticks. A quantum is 6 units on
  /// a workstation, and each tick takes 3 (Windows Internals, 4th edition, chapter 6, "Quantum").
  static let quantum = 2 * tick

  /// What was skipped so far, in 100 ns.
  var skipped: UInt64 = 0
  /// Where `KeTickCount` lies, if someone imports it: guest code may wait for it to change without a call.
  var tickVariable: UInt64?
}

extension Kernel {
  /// Since boot, in 100 ns.
  public var interruptTime: UInt64 { clock() / VirtualTime.instructionsPerUnit + time.skipped }

  /// Since 1601, in 100 ns.
  public var systemTime: UInt64 { VirtualTime.boot + interruptTime }

  /// Ticks of the clock interrupt since boot.
  public var tickCount: UInt64 { interruptTime / VirtualTime.tick }

  /// Lets time pass until `due`, a value of ``interruptTime``.
  func skipTime(to due: UInt64) {
    let now = interruptTime
    if due > now { skipTime(by: due - now) }
  }

  /// Lets time pass in which no instruction runs, in 100 ns.
  func skipTime(by duration: UInt64) {
    time.skipped += duration
    guard time.tickVariable != nil else { return }
    // The pages are the kernel's own, and are always there.
    try? publishTime()
    armDeadline()
  }

  /// What the time stamp counter shows: one for each instruction, and for each that would have fitted into what was skipped.
  var timeStamp: UInt64 { VirtualTime.firstTimeStamp &+ clock() &+ time.skipped &* VirtualTime.instructionsPerUnit }

  /// Since boot as of the latest tick, in 100 ns: what the kernel's routines and the shared page say.
  var interruptTimeAtTick: UInt64 { tickCount * VirtualTime.tick }
  /// Since 1601 as of the latest tick, in 100 ns.
  var systemTimeAtTick: UInt64 { VirtualTime.boot + interruptTimeAtTick }

  /// Writes the time as of the latest tick to the page that everyone reads it from (`KUSER_SHARED_DATA`).
  public func publishTime() throws {
    let shared = Pointer<KUSER_SHARED_DATA>(memory.target.sharedUserDataAddress, in: memory.memory)
    func store(_ value: UInt64, in time: Pointer<KSYSTEM_TIME>) throws {
      let high = Int32(truncatingIfNeeded: value >> 32)
      try time.High2Time.store(high)
      try time.LowPart.store(UInt32(truncatingIfNeeded: value))
      try time.High1Time.store(high)
    }
    try store(interruptTimeAtTick, in: shared.InterruptTime)
    try store(systemTimeAtTick, in: shared.SystemTime)
    try store(tickCount, in: shared.TickCount)
    // Later versions keep the quadword alone: the member is called TickCountLowDeprecated.
    if !KUSER_SHARED_DATA.layouts[memory.target].TickCountLow.isAbsent {
      try shared.TickCountLow.store(UInt32(truncatingIfNeeded: tickCount))
    }
    if let place = time.tickVariable { try store(tickCount, in: Pointer(place, in: memory.memory)) }
  }
}
