import Events

/// Every lock of a run, what the rules find, and the verdict: a function of the events.
public struct Ledger {
  /// Every lock, in order.
  public private(set) var locks: [LockRecord] = []
  /// What the rules found, what involves the wrong process first.
  public private(set) var findings: [Finding] = []
  public private(set) var verdict = Verdict.noLocks

  private let names: LedgerNames
  private var attachments: [ThreadID: [Attachment]] = [:]
  private var thread: ThreadID = 0
  /// Who called the routine that was called last.
  private var lastCaller: UInt64 = 0
  private var hasJudged = false
  private var hasUnjudged = false

  /// An address space that a thread has left, to come back.
  private struct Attachment {
    let from: ProcessID
    /// Whether it was a routine of Windows that attached.
    let isInternal: Bool
  }

  public init(_ stream: EventStream, names: LedgerNames) {
    self.names = names
    stream.forEach { element in
      switch element {
      case .call(_, let returnAddress, _): lastCaller = returnAddress
      case .event(let event): note(event)
      case .block, .result: break
      }
    }
    findings = findings.filter(\.isWrongProcess) + findings.filter { !$0.isWrongProcess }
    verdict =
      if findings.contains(where: \.isWrongProcess) { .wrongProcess } else if hasUnjudged { .unjudged } else if hasJudged {
        .rightProcess
      } else { .noLocks }
  }

  private mutating func note(_ event: Event) {
    switch event {
    case .thread(let id): thread = id
    case .addressSpace(let from, let to, let id, let reason): note(switchFrom: from, to: to, of: id, reason)
    case .lock(let event):
      let lock = LockRecord(event, runningIn: processBeforeAttach(event.current))
      let earlier = locks.last { $0.event.mdl == event.mdl && !$0.isUndone }
      // Of system space every process has the same pages: a lock there is right, if it is anything.
      if lock.judgement == .unjudged { hasUnjudged = true } else { hasJudged = true }
      ask(.lock(lock, earlier: earlier))
      locks.append(lock)
    case .unlock(let mdl, _, _, _, _):
      if let index = locks.lastIndex(where: { $0.event.mdl == mdl && !$0.isUndone }) { locks[index].isUndone = true }
    case .mapping(let mapping):
      let behind = locks.last { $0.event.mdl == mapping.mdl && $0.standsBehind(mapping) } ?? locks.last { $0.standsBehind(mapping) }
      if behind == nil {
        switch mapping.judgement(systemRangeStart: names.systemRangeStart) {
        case .right, .wrongFrames, .wrongAccount: hasJudged = true
        case .unjudged: hasUnjudged = true
        case .systemSpace: break
        }
      }
      ask(.mapping(mapping, behind: behind))
    case .foreignAccess(let access): ask(.foreignAccess(access))
    case .processExit(let process, let lockedPages):
      ask(.exit(process, lockedPages: lockedPages))
      leave(atExitOf: process)
    case .leftBehind(let driver, let what, let site): ask(.leftBehind(driver: driver, what: what, site))
    case .violation(let sentence, let site): ask(.violation(sentence, site))
    case .deadlock(let sentence): ask(.deadlock(sentence))
    case .irqlTooHigh(let routine, let irql, let limit, let site): ask(.call(routine: routine, irql: irql, limit: limit, site))
    default: break
    }
  }

  private mutating func ask(_ occasion: Occasion) {
    for rule in Self.rules {
      guard let opinion = rule.judge(occasion, names) else { continue }
      findings.append(
        Finding(rule: rule.name, sentence: opinion.sentence, site: occasion.site, isWrongProcess: opinion.isWrongProcess))
    }
  }

  /// Reports the open locks that `process` pays for. The end of a run reports none: a filter manager, say, unlocks when the
  /// operation completes, which a run of one call does not reach.
  private mutating func leave(atExitOf process: ProcessID) {
    for lock in locks where !lock.isUndone && lock.event.account == process { ask(.leftLocked(lock, atExitOf: process)) }
  }

  // MARK: Address spaces

  private mutating func note(switchFrom from: ProcessID, to: ProcessID, of thread: ThreadID, _ reason: SwitchReason) {
    switch reason {
    case .schedule: break
    case .attach: attachments[thread, default: []].append(Attachment(from: from, isInternal: isInternal))
    case .detach: _ = attachments[thread]?.popLast()
    case .control:
      // `mov cr3` there and back.
      if attachments[thread]?.last?.from == to {
        attachments[thread]?.removeLast()
      } else {
        attachments[thread, default: []].append(Attachment(from: from, isInternal: false))
      }
    }
  }

  private var isInternal: Bool { names.windowsRoutine(at: lastCaller) != nil }

  /// The process that was current for the running thread when a driver called into Windows.
  private func processBeforeAttach(_ current: ProcessID) -> ProcessID {
    var process = current
    for attachment in (attachments[thread] ?? []).reversed() {
      guard attachment.isInternal else { break }
      process = attachment.from
    }
    return process
  }
}
