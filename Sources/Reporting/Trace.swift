import Emulation
import Events
import Guest
import Images
import NTKernel
import WindowsTypes

extension Run {
  /// Hands the trace of the run to `sink`, line by line, without line ends: instructions as the debugger prints them, and what
  /// they brought about.
  ///
  /// The same run gives the same lines everywhere. No more than one line, and each distinct block's text, is held in memory.
  public func writeTrace(_ options: TraceOptions = TraceOptions(), to sink: (String) -> Void) {
    header(options).forEach(sink)
    withoutActuallyEscaping(sink) { sink in
      var writer = TraceWriter(events, names, snapshots, options, sink)
      writer.write(events)
    }
    footer.forEach(sink)
  }

  /// The whole trace, each line ended by a line feed.
  public func trace(_ options: TraceOptions = TraceOptions()) -> String {
    var text = ""
    writeTrace(options) { text += $0 + "\n" }
    return text
  }

  /// The trace without instructions: which routines were called, with what, and what happened in them.
  public func callList() -> String {
    var options = TraceOptions()
    options.instructions = false
    return trace(options)
  }

  private func header(_ options: TraceOptions) -> [String] {
    var lines = ["# \(fixture.name)   \(names.target)   \(names.images.map(\.name).joined(separator: " "))"]
    let hasReconstructed = names.images.contains { $0.provenance.contains { $0.origin == .reconstructed } }
    if options.instructions && hasReconstructed {
      lines.append(
        "# \(TraceBlock.reconstructedMark) before an instruction: reconstructed, so that the traced ones can run; those bear no mark")
    }
    if options.instructions && !fixture.patches.isEmpty {
      lines.append("# \(TraceBlock.changedMark) before an instruction: not what the image holds there")
    }
    return lines
  }

  private var footer: [String] {
    let count = "\(instructions) \(instructions == 1 ? "instruction" : "instructions")"
    var lines = ["# \(outcomeText) after \(count)"]
    if events.isFull { lines.append("# the trace ends early: its budget is used up") }
    lines.append("# verdict: \(verdict.title)" + (isAboutMemory ? ": " + headline : ""))
    lines += findings.filter { $0.sentence != headline }.map { "# \($0.rule): \($0.sentence)" }
    if let missing { lines.append("# \(missing.module)!\(missing.name): \(names.advice(missing))") }
    for stub in stubs {
      let times = stub.count == 1 ? "once" : "\(stub.count) times"
      let place = TraceValues(names: names).place(stub.site.ip)
      lines.append("# stub \(stub.routine) returned \(hex(UInt64(stub.value))) \(times), first to \(place)")
    }
    lines += mismatches.map { "# not as expected: \($0.sentence)" }
    return lines
  }

  /// `returned STATUS_SUCCESS`, `bugcheck INVALID_PROCESS_ATTACH_ATTEMPT (5)`
  private var outcomeText: String {
    switch outcome {
    case .returned(let value): "returned \(TraceValues(names: names).result(value))"
    case .bugCheck(let bugCheck): "bugcheck \(bugCheck.code)"
    case .limit(let limit): "stopped: the limit of \(limit.rawValue) is reached"
    default: ending
    }
  }
}
