import Events

/// What a driver made and did not take back before it was unloaded.
struct LeftBehind: Rule {
  let name = "left-behind"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .leftBehind(let driver, let what, let site) = occasion else { return nil }
    let maker = site.ip == 0 ? "" : ", made by \(names.symbol(site.ip) ?? "the code at 0x" + String(site.ip, radix: 16))"
    return Opinion("\(driver) left \(what) behind\(maker)")
  }
}

/// A rule of the I/O manager's that a driver broke, and that stops no machine by itself.
struct BrokenRule: Rule {
  let name = "io-rule"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .violation(let sentence, _) = occasion else { return nil }
    return Opinion(sentence)
  }
}
