import Events

/// A routine that was called at an IRQL above what its documentation allows.
struct CalledTooHigh: Rule {
  let name = "irql-too-high"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .call(let routine, let irql, let limit, _) = occasion else { return nil }
    return Opinion("\(routine) was called at \(level(irql)); it may be called at \(level(limit)) or below")
  }

  private func level(_ irql: UInt8) -> String {
    let named = ["PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL"]
    return Int(irql) < named.count ? named[Int(irql)] : "IRQL \(irql)"
  }
}
