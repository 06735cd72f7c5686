import Emulation
import NTKernel
import WindowsTypes

extension Run {
  /// What was locked, or used, whose, and how the run ended where it locked nothing or did not just return.
  ///
  ///     MmProbeAndLockPages locked 1 page of notepad.exe (1232); then bugcheck 0x76 PROCESS_HAS_LOCKED_PAGES
  public var sentence: String {
    if !isAboutMemory { return ending }
    if case .returned = outcome { return headline }
    return "\(headline); then \(ending)"
  }

  /// Whether ``headline`` says whose memory was used, not how the run ended.
  var isAboutMemory: Bool { !locks.isEmpty || verdict == .wrongProcess }

  /// How the run ended, in a few words: `returned 0`, `bugcheck 0x76 PROCESS_HAS_LOCKED_PAGES`.
  public var ending: String {
    switch outcome {
    case .returned(let value):
      let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value))
      return "returned " + (status.isSuccess ? "0x" + String(value, radix: 16) : "\(status)")
    case .raised(let code): return "raised \(NTSTATUS(rawValue: code))"
    case .bugCheck(let check):
      return "bugcheck 0x\(String(check.code.rawValue, radix: 16))" + (check.code.name.map { " " + $0 } ?? "")
        + (poolFault.map { ": " + $0 } ?? "")
    case .limit(let limit): return "stopped: the limit of its \(limit.rawValue) is reached after \(instructions) instructions"
    case .missingRoutine(let name): return "stopped: \(name) was called, which nobody provides"
    case .waiting: return "stopped: every thread waits, and nothing is due"
    case .stopped: return "stopped by its watcher"
    }
  }
}
