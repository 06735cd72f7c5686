import Verification
import WindowsTypes

extension Machine {
  /// The run's result, after its last step.
  func result() throws -> Run {
    let ledger = Ledger(stream, names: names.forLedger)
    check(fixture.expect)
    return Run(
      fixture: fixture, outcome: outcome, verdict: ledger.verdict, findings: ledger.findings, locks: ledger.locks,
      headline: headline(ledger), events: stream,
      names: names, messages: messages, instructions: processor.instructions, snapshots: processor.snapshots,
      startOrder: startOrder, drivers: drivers, missing: missing,
      poolFault: kernel.poolFault?.sentence { names.symbol(at: $0) ?? describe($0) }, stubs: stubCalls,
      unusedStubs: fixture.stubs.map(\.name).filter { name in !stubCalls.contains { $0.routine.hasSuffix("!" + name) } },
      mismatches: mismatches, memory: FinalMemory(spaces: kernel.processes.map(\.space), current: memory.current))
  }

  /// What says most: a lock that is wrong, else what else is wrong, else a lock, else how the run ended.
  private func headline(_ ledger: Ledger) -> String {
    let wrong = ledger.findings.first { $0.isWrongProcess }
    if let wrong, !ledger.locks.contains(where: { $0.isRight == false }) { return wrong.sentence }
    return ledger.locks.headline(names.forLedger) ?? sentence(outcome)
  }

  /// What is expected of the verdict, the findings and the locks, as if the run ended here.
  func checkLedger(_ expectation: Fixture.Expectation) {
    guard expectation.verdict != nil || expectation.findings != nil || expectation.locks != nil else { return }
    let ledger = Ledger(stream, names: names.forLedger)
    let line = expectation.origin.line
    if let verdict = expectation.verdict, verdict.rawValue != ledger.verdict.rawValue {
      mismatch(line, "the verdict was to be \(verdict.rawValue); it is \(ledger.verdict.rawValue)")
    }
    if let findings = expectation.findings { check(ledger.findings, against: findings, line) }
    guard let expected = expectation.locks else { return }
    guard expected.count == ledger.locks.count else {
      return mismatch(line, "the number of locks was to be \(expected.count); it is \(ledger.locks.count)")
    }
    for (lock, record) in zip(expected, ledger.locks) { check(lock, record) }
  }

  /// Each is named by its rule, or by a part of its sentence.
  private func check(_ findings: [Finding], against expected: [String], _ line: Int?) {
    let isMatch =
      findings.count == expected.count
      && zip(findings, expected).allSatisfy { $0.rule == $1 || $0.sentence.contains($1) }
    if isMatch { return }
    func list(_ texts: [String]) -> String { texts.isEmpty ? "none" : texts.joined(separator: "; ") }
    mismatch(
      line,
      "the findings were to be: \(list(expected)); they are: \(list(findings.map { "\($0.rule) (\($0.sentence))" }))")
  }

  private func check(_ lock: Fixture.Expectation.Lock, _ record: LockRecord) {
    let line = lock.origin.line
    let event = record.event
    func expect(_ what: String, _ expected: String?, _ actual: String) {
      if let expected, expected != actual { mismatch(line, "the lock's \(what) was to be \(expected); it is \(actual)") }
    }
    func name(_ process: Int?) -> String { process.map { names.processes[$0].name } ?? "nobody" }
    expect("process", lock.process, name(record.holder))
    expect("address", lock.address.map { describe($0) }, describe(event.address))
    expect("page count", lock.pages.map { "\($0)" }, "\(event.frames.count)")
    expect("operation", lock.operation?.rawValue, "\(event.intent)")
    expect("account", lock.account, name(event.account))
    expect("undoing", lock.undone.map { "\($0)" }, "\(record.isUndone)")
    guard let by = lock.by else { return }
    let callers = [event.site.ip] + event.site.stack
    let routines = callers.compactMap { names.symbol(at: $0) }.map { $0.split(separator: "+").first.map(String.init) ?? $0 }
    let found = (routines + ["nt!" + event.routine]).contains { $0.lowercased() == "\(by)".lowercased() }
    if !found {
      mismatch(
        line, "the lock was to be made by \(by); it was made by nt!\(event.routine), called from \(routines.joined(separator: ", "))")
    }
  }
}
