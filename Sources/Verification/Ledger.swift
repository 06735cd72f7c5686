import Events
public struct Ledger {
  public let locks: [LockRecord]
  public let findings: [Finding]
  public let verdict: Verdict
  public init(stream: EventStream, processName: (ProcessID) -> String, symbol: (UInt64) -> String?) {
    locks = stream.events.compactMap { if case .lock(let e) = $0 { LockRecord(event: e, isUndone: false, holder: e.account, isRight: nil) } else { nil } }
    findings = []
    verdict = .unjudged
  }
}
