/// The run's clock, in units of 100 ns: executed instructions, and what was skipped while every thread waited.
///
/// A processor of 100 million instructions a second: ten of them are one unit. Nothing of the host's time enters.
struct VirtualTime {
  static let instructionsPerUnit: UInt64 = 10
  /// When the machine booted, in 100 ns since 1601: 2 April 2009, 00:00 UTC.
  static let boot: UInt64 = 128_831_040_000_000_000
  /// Between two ticks of the clock interrupt, in 100 ns: 15.625 ms, as XP sets it on most machines.
  static let tick: UInt64 = 156_250

  /// How long a thread keeps the processor while others of its priority are ready, in 100 ns: two ticks. A quantum is 6 units on
  /// a workstation, and each tick takes 3 (Windows Internals, 4th edition, chapter 6, "Quantum").
  static let quantum = 2 * tick

  /// What was skipped so far, in 100 ns.
  var skipped: UInt64 = 0
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
    if due > now { time.skipped += due - now }
  }
}
