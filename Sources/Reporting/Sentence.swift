import Emulation
import Events
import NTKernel
import Verification
import WindowsTypes

extension Run {
  /// What the run came to, in one line: the lock that matters most, and how the run ended where it did not just return.
  ///
  ///     FltLockUserBuffer locked 3 pages of notepad.exe (1232) while running in System (4)
  public var sentence: String {
    guard let lock = locks.first(where: { $0.isRight == false }) ?? locks.last else {
      return findings.first { $0.isWrongProcess }?.sentence ?? ending
    }
    let sentence = describe(lock)
    if let finding = findings.first(where: \.isWrongProcess), lock.isRight != false { return "\(sentence); \(finding.sentence)" }
    if case .returned = outcome { return sentence }
    return "\(sentence); then \(ending)"
  }

  /// How the run ended, in a few words: `returned 0`, `bugcheck 0x76 PROCESS_HAS_LOCKED_PAGES`.
  public var ending: String {
    switch outcome {
    case .returned(let value):
      let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value))
      return "returned " + (status.isSuccess ? Self.word(value) : status.name ?? Self.word(value))
    case .raised(let code): return "raised \(NTSTATUS(rawValue: code))"
    case .bugCheck(let check): return "bugcheck 0x\(String(check.code.rawValue, radix: 16)) \(check.code)"
    case .limit(let limit): return "stopped at the limit of its \(limit.rawValue), after \(instructions) instructions"
    case .missingRoutine(let name): return "called \(name), which nobody provides"
    }
  }

  private static func word(_ value: UInt64) -> String { value < 10 ? String(value) : "0x" + String(value, radix: 16) }

  private func describe(_ lock: LockRecord) -> String {
    let event = lock.event
    let pages = "\(event.frames.count) page" + (event.frames.count == 1 ? "" : "s")
    let owner = lock.holder.flatMap(process)
    var sentence = "\(routine(of: event)) locked \(pages)" + (owner.map { " of \($0.title)" } ?? " that no process holds")
    if let account = event.account.flatMap(process), event.account != lock.holder { sentence += ", charged to \(account.title)" }
    if lock.isRight == false {
      if let requestor = event.requestor.flatMap(process), event.requestor != lock.holder {
        sentence += "; the buffer is \(requestor.name)'s"
      }
    } else if let home = home(of: event), home != lock.holder, let place = process(home) {
      sentence += " while running in \(place.title)"
    }
    return sentence
  }

  /// The outermost routine of the system that led to the lock: what the driver called.
  private func routine(of event: LockEvent) -> String {
    var name = event.routine
    for address in [event.site.ip] + event.site.stack {
      guard let symbol = names.symbol(at: address) else { break }
      let parts = symbol.split(separator: "!", maxSplits: 1)
      guard parts.count == 2, parts[0] == "nt" || parts[0] == "fltMgr" else { break }
      name = parts[1].split(separator: "+").first.map(String.init) ?? name
    }
    return name
  }

  /// The process whose address space the locking thread was in before it attached.
  private func home(of lock: LockEvent) -> ProcessID? {
    var homes: [ThreadID: ProcessID] = [:]
    var current: ThreadID?
    for event in events.events {
      switch event {
      case .thread(let thread): current = thread
      case .addressSpace(_, let to, let thread, .schedule):
        homes[thread] = to
        current = thread
      case .addressSpace(let from, _, let thread, .attach):
        if homes[thread] == nil { homes[thread] = from }
        current = thread
      case .addressSpace(_, let to, let thread, .detach):
        if homes[thread] == to { homes[thread] = nil }
      case .lock(let other) where other == lock: return current.flatMap { homes[$0] } ?? lock.current
      default: break
      }
    }
    return nil
  }

  private func process(_ id: ProcessID) -> Names.Process? { names.processes.indices.contains(id) ? names.processes[id] : nil }
}
