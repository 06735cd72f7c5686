import Guest
import WindowsTypes

/// What run-time routines keep between calls and guest code cannot see.
struct RuntimeState {
  /// Time that passed without instructions, in instructions: stalls, waits that nothing else filled.
  var skipped: UInt64 = 0
  /// The C runtime's `rand`.
  var randomSeed: UInt32 = 1
  /// What `RtlRandom` shuffles through, once it was called.
  var randomTable: [UInt32] = []
  /// The heads of the lists of lookaside lists, nonpaged and paged, once there is one.
  var lookasideHeads: [Pointer<LIST_ENTRY>] = []
}

/// Virtual time: the count of executed instructions, plus what stalls and waits skipped.
///
/// One place says how fast the machine is: ten instructions take 100 ns, as on a processor of 100 MIPS.
extension Kernel {
  static let instructionsPer100ns: UInt64 = 10
  /// 2009-04-02 00:00:00 UTC, in units of 100 ns from 1601-01-01.
  static let bootTime: UInt64 = 128_831_040_000_000_000
  /// What the system clock advances by at each of its interrupts, in units of 100 ns: 15.625 ms.
  static let timeIncrement: UInt64 = 156_250
  /// What the time stamp counter shows when the run begins.
  static let timeStampBase: UInt64 = 0x10_0000_0000
  /// The frequency of the performance counter: that of the power management timer, which XP's ACPI HAL reads.
  static let performanceFrequency: UInt64 = 3_579_545

  /// Instructions' worth of time since the run began.
  var elapsed: UInt64 { clock() &+ runtime.skipped }
  var timeStamp: UInt64 { Self.timeStampBase &+ elapsed }
  /// Since the run began, in units of 100 ns, to the instruction.
  public var exactInterruptTime: UInt64 { elapsed / Self.instructionsPer100ns }
  /// Clock interrupts since the run began.
  public var tickCount: UInt64 { exactInterruptTime / Self.timeIncrement }
  /// Since the run began, in units of 100 ns, as of the latest clock interrupt.
  public var interruptTime: UInt64 { tickCount &* Self.timeIncrement }
  /// Coordinated universal time as of the latest clock interrupt, in units of 100 ns from 1601.
  public var systemTime: UInt64 { Self.bootTime &+ interruptTime }

  /// Lets time pass in which no instruction runs.
  public func skip(_ hundredsOfNanoseconds: UInt64) {
    runtime.skipped &+= hundredsOfNanoseconds &* Self.instructionsPer100ns
  }

  /// Writes the time as of the latest clock interrupt to the page that everyone reads it from (`KUSER_SHARED_DATA`).
  public func publishTime() throws {
    let shared = Pointer<KUSER_SHARED_DATA>(memory.target.sharedUserDataAddress, in: memory.memory)
    func store(_ value: UInt64, in time: Pointer<KSYSTEM_TIME>) throws {
      let high = Int32(truncatingIfNeeded: value >> 32)
      try time.High2Time.store(high)
      try time.LowPart.store(UInt32(truncatingIfNeeded: value))
      try time.High1Time.store(high)
    }
    try store(interruptTime, in: shared.InterruptTime)
    try store(systemTime, in: shared.SystemTime)
    try store(tickCount, in: shared.TickCount)
    try shared.TickCountLow.store(UInt32(truncatingIfNeeded: tickCount))
  }
}
