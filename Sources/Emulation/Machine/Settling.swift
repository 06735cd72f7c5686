import NTKernel

extension Machine {
  /// How long the machine runs on by itself, in 100 ns of its time: a second.
  private static let settlingTime: UInt64 = 10_000_000
  private static let settlingInstructions: UInt64 = 1_000_000

  /// Lets what drivers have begun run on for a while: threads, timers, deferred calls, work items. Where there is nothing of it,
  /// nothing happens, and nothing is recorded; nor where nobody has been asked for anything since the last time.
  func settle(_ index: Int) throws {
    guard drivers.last?.phase != .settle, try kernel.hasWork(within: Self.settlingTime) else { return }
    stream.append(.step(index, "run until settled"))
    let (before, start, result) = (counters, kernel.interruptTime, outcome)
    isIdling = true
    defer { isIdling = false }
    if try kernel.settle(for: Self.settlingTime, instructions: Self.settlingInstructions) == .proceed {
      try runGuest()
    } else {
      noteEnding()
    }
    let isBusy = kernel.endSettling()
    if !isOver { outcome = result }
    guard let driver = kernel.drivers.last(where: \.isLoaded), isOver || counters.instructions > before.instructions else { return }
    note(.settle, of: driver, since: before, lasting: kernel.interruptTime - start, isBusy: isBusy)
  }
}
