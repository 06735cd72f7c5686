import Guest
import Verification

extension Names {
  /// The names as the rules need them.
  public var forLedger: LedgerNames {
    LedgerNames(
      process: { processes[$0].title }, symbol: { symbol(at: $0) }, systemRangeStart: target.systemRangeStart)
  }
}

extension Run {
  /// The line that says most about the run's locks; `nil` without any.
  public var headline: String? { locks.headline(names.forLedger) }
}
