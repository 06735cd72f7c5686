import Guest
import Verification

extension Names {
  /// The names as the rules need them.
  public var forLedger: LedgerNames {
    LedgerNames(
      process: { processes[$0].title }, symbol: { symbol(at: $0) }, systemRangeStart: target.systemRangeStart)
  }
}
