/// Threads that wait for each other, where nobody else can end the wait.
struct Deadlock: Rule {
  let name = "deadlock"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .deadlock(let sentence) = occasion else { return nil }
    return Opinion(sentence)
  }
}
