import Events
import Guest
import NTKernel
import WindowsTypes

/// What is expected, against what came.
extension Machine {
  func mismatch(_ line: Int?, _ sentence: String) { mismatches.append(Mismatch(line: line, sentence: sentence)) }

  /// What a step expects of its call. Without that, a call may return anything, but must return.
  func check(_ expectation: Fixture.CallExpectation?, of routine: Fixture.Place, _ line: Int?, eventsFrom first: Int) {
    switch expectation {
    case .any: return
    case nil:
      if isOver && expectedEnding == nil { mismatch(line, "\(routine) was to return; \(sentence(outcome))") }
    case .returns(let argument):
      guard case .returned(let value) = outcome else {
        return mismatch(line, "\(routine) was to return \(describe(argument)); \(sentence(outcome))")
      }
      guard let expected = try? word(argument, line: line), expected & 0xffff_ffff == value & 0xffff_ffff else {
        return mismatch(line, "\(routine) was to return \(describe(argument, of: routine)); it returned \(describe(value, of: routine))")
      }
    case .raises(let code):
      guard case .raised(let raised) = outcome, let expected = try? status(code, line: line) else {
        return mismatch(line, "\(routine) was to raise \(code); \(sentence(outcome))")
      }
      if expected.rawValue != raised { mismatch(line, "\(routine) was to raise \(code); it raised \(NTSTATUS(rawValue: raised))") }
    case .bugcheck(let expectation): check(expectation, line)
    case .fault(let expectation):
      let found = stream.events.dropFirst(first).contains { event in
        guard case .fault(let fault) = event else { return false }
        if case .repaired = fault.resolution { return false }
        return (expectation.access.map { $0.rawValue == fault.access } ?? true)
          && (expectation.address.map { $0 == fault.address } ?? true)
      }
      if !found { mismatch(line, "\(routine) was to fault, and did not") }
    case .limit(let limit):
      guard case .limit(let reached) = outcome, reached.rawValue == limit.rawValue else {
        return mismatch(line, "the limit of \(limit.rawValue) was to end the call; \(sentence(outcome))")
      }
    case .outcome(let name): check(outcomeNamed: name, line)
    }
  }

  /// How the fixture says that the run ends, if it says that it does not return.
  private var expectedEnding: String? {
    fixture.expect.bugcheck.map { "\($0.code)" } ?? fixture.expect.outcome.flatMap { $0 == .returned ? nil : $0.rawValue }
  }

  func check(_ expectation: Fixture.BugcheckExpectation, _ line: Int?) {
    guard let code = try? bugCheckCode(expectation.code, line: line) else {
      return mismatch(line, "no bugcheck is called \(expectation.code)")
    }
    guard case .bugCheck(let bugCheck) = outcome else { return mismatch(line, "bugcheck \(code) was expected; \(sentence(outcome))") }
    if bugCheck.code != code { return mismatch(line, "bugcheck \(code) was expected; \(sentence(outcome))") }
    for (index, pattern) in expectation.parameters.enumerated() {
      guard case .exactly(let argument) = pattern, let expected = try? word(argument, line: line) else { continue }
      if index >= 4 || bugCheck.parameters[index] != expected {
        let got = index < 4 ? describe(bugCheck.parameters[index]) : "nothing"
        mismatch(line, "parameter \(index + 1) of bugcheck \(code) was to be \(describe(argument)); it is \(got)")
      }
    }
  }

  private func check(outcomeNamed name: Fixture.OutcomeName, _ line: Int?) {
    let actual: Fixture.OutcomeName =
      switch outcome {
      case .returned: .returned
      case .raised: .exception
      case .bugCheck: .bugcheck
      case .limit, .stopped: .limit
      case .missingRoutine: .missingRoutine
      case .waiting: .waiting
      }
    if actual != name { mismatch(line, "the outcome was to be \(name.rawValue); \(sentence(outcome))") }
  }

  /// Expectations about the world as it is now.
  func check(_ expectation: Fixture.Expectation) {
    let line = expectation.origin.line
    if let name = expectation.outcome { check(outcomeNamed: name, line) }
    if let bugcheck = expectation.bugcheck { check(bugcheck, line) }
    for memory in expectation.memory { check(memory) }
    for memory in expectation.kernelMemory {
      guard let place = try? address(of: memory.place, line: memory.origin.line) else {
        mismatch(memory.origin.line, "nothing is called \(memory.place)")
        continue
      }
      compare(memory.content, in: kernel.processes[0], "system space", at: place, memory.origin.line)
    }
    if let irql = expectation.irql, let actual = try? kernel.kpcr.Irql.load(), actual.rawValue != irql.rawValue {
      mismatch(line, "the IRQL was to be \(irql); it is \(actual)")
    }
    for (name, owner) in expectation.attached.sorted(by: { $0.key < $1.key }) {
      guard let thread = try? thread(name, line: line), let current = try? thread.object.Tcb.ApcState.Process.load() else { continue }
      let actual = kernel.process(at: current.address)?.name ?? hex(current.address)
      if actual != owner { mismatch(line, "\(name) was to be in \(owner); it is in \(actual)") }
    }
    for (name, count) in expectation.lockedPages.sorted(by: { $0.key < $1.key }) {
      guard let process = try? process(name, line: line), let actual = try? process.object.NumberOfLockedPages.load().bits else { continue }
      if actual != count { mismatch(line, "\(name) was to have \(count) locked pages; it has \(actual)") }
    }
    if let messages = expectation.messages, messages != self.messages {
      mismatch(line, "the messages were to be \(messages); they are \(self.messages)")
    }
    for text in expectation.uncertain ?? [] where !uncertainties.contains(where: { $0.contains(text) }) {
      mismatch(line, "the run was to say that “\(text)” is uncertain, and did not")
    }
    if expectation.uncertain == [] && !uncertainties.isEmpty {
      mismatch(line, "nothing was to be uncertain; the run says: \(uncertainties[0])")
    }
    for key in expectation.registry { check(key) }
    checkCalls(expectation.calls, line)
    checkLedger(expectation)
  }

  var messages: [String] {
    stream.events.compactMap { if case .message(let text) = $0 { text } else { nil } }
  }

  private var uncertainties: [String] {
    stream.events.compactMap { if case .uncertain(let text) = $0 { text } else { nil } }
  }

  private func check(_ memory: Fixture.Expectation.MemoryContent) {
    guard let process = try? process(memory.process, line: memory.origin.line) else {
      return mismatch(memory.origin.line, "no process is called \(memory.process)")
    }
    compare(memory.content, in: process, memory.process, at: memory.address, memory.origin.line)
  }

  /// Compares without touching: a page that is not resident holds nothing.
  private func compare(_ content: Fixture.Content, in process: NTKernel.Process, _ name: String, at address: UInt64, _ line: Int?) {
    let expected = content.spelledOut
    var actual: [UInt8] = []
    for offset in 0..<UInt64(expected.count) {
      guard process.space.memory.allows(.read, at: address + offset),
        let byte = try? process.space.memory.load(UInt8.self, at: address + offset)
      else { break }
      actual.append(byte)
    }
    guard actual != expected else { return }
    func text(_ bytes: [UInt8]) -> String {
      bytes.isEmpty ? "nothing" : bytes.prefix(24).map { hex($0, digits: 2) }.joined(separator: " ")
    }
    mismatch(line, "\(name) was to hold \(text(expected)) at \(hex(address)); it holds \(text(actual))")
  }

  /// The calls that must appear, in this order, with others between them.
  private func checkCalls(_ expected: [Fixture.Expectation.ExpectedCall], _ line: Int?) {
    guard !expected.isEmpty else { return }
    var rest = expected[...]
    var process = names.processes.first?.name ?? ""
    stream.forEach { element in
      switch element {
      case .event(.addressSpace(_, let to, _, _)): process = names.processes[to].name
      case .call(let number, _, _):
        guard let next = rest.first else { return }
        let export = Self.exports.exports[number]
        guard case .symbol(let module, let name, _) = next.routine, module.lowercased() == export.module.lowercased(),
          name == export.name, next.process ?? process == process
        else { return }
        rest = rest.dropFirst()
      default: break
      }
    }
    if let missing = rest.first {
      mismatch(missing.origin.line ?? line, "\(missing.routine) was to be called\(missing.process.map { " in \($0)" } ?? ""), and was not")
    }
  }

  // MARK: Words

  func sentence(_ outcome: Outcome) -> String {
    switch outcome {
    case .returned(let value): "it returned \(value == 0 ? "STATUS_SUCCESS" : describe(value))"
    case .raised(let code): "it raised \(NTSTATUS(rawValue: code))"
    case .bugCheck(let bugCheck):
      "it ended in bugcheck \(bugCheck.code): \(bugCheck.parameters.map { describe($0) }.joined(separator: ", "))\(place(of: bugCheck))"
    case .limit(.instructions):
      "it reached the limit of \(processor.instructionLimit) instructions"
        + (names.symbol(at: processor[.ip]).map { " in \($0)" } ?? "") + "; --max-instructions allows more"
    case .limit(let limit): "it reached the limit of \(limit.rawValue)"
    case .missingRoutine(let name):
      "it called \(name), which \(missing?.introduced == nil ? "nobody provides" : "\(fixture.target.system.release) does not have")"
        + (missing.map { ": \(names.advice($0))" } ?? "")
    case .waiting: "it waits, and nothing is due\(waits)"
    case .stopped: "it was stopped"
    }
  }

  /// Where the exception was raised that a bugcheck is about.
  private func place(of bugCheck: BugCheck) -> String {
    // SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, KMODE_EXCEPTION_NOT_HANDLED and KERNEL_MODE_EXCEPTION_NOT_HANDLED, with _M too.
    guard [0x7e, 0x1e, 0x8e].contains(bugCheck.code.rawValue & 0xfff), let symbol = names.symbol(at: bugCheck.parameters[1]) else {
      return ""
    }
    let fault = stream.events.reversed().lazy.compactMap { if case .fault(let fault) = $0 { fault } else { nil } }.first
    return " (\(symbol)\(fault.map { " touched \(hex($0.address))" } ?? ""))"
  }

  /// What a routine returns, by the names that its callers know: an `HRESULT` of the user side's, a status that is no error.
  private func describe(_ value: UInt64, of routine: Fixture.Place) -> String {
    let bits = UInt32(truncatingIfNeeded: value)
    guard case .symbol(let module, let name, _) = routine else { return describe(value) }
    if module.lowercased() == "fltlib" { return "\(HRESULT(rawValue: bits))" }
    // STATUS_TIMEOUT, STATUS_PENDING and their like; smaller numbers are as well counts.
    if name.hasPrefix("Nt") || name.hasPrefix("Zw"), (0x100..<0x4000_0000).contains(bits), let name = NTSTATUS(rawValue: bits).name {
      return name
    }
    return describe(value)
  }

  private func describe(_ argument: Fixture.Argument, of routine: Fixture.Place) -> String {
    if case .integer(let value) = argument { describe(value, of: routine) } else { describe(argument) }
  }

  /// Who waits for what, where that is few.
  private var waits: String {
    let waits = kernel.waitingThreads()
    guard (1...3).contains(waits.count) else { return "" }
    return ": " + waits.map { "\($0.thread.name) of \($0.thread.owner.name) waits for \($0.what)" }.joined(separator: "; ")
  }

  private func describe(_ argument: Fixture.Argument) -> String {
    switch argument {
    case .status(let name), .process(let name), .thread(let name), .result(let name), .constant(let name): name
    case .integer(let value): describe(value)
    default: (try? word(argument, line: nil)).map { describe($0) } ?? "\(argument)"
    }
  }

  /// A word with the name that fits it: a process, a thread, a status.
  func describe(_ value: UInt64) -> String {
    if let process = names.process(at: value) { return "\(hex(value)) \(names.processes[process].title)" }
    if let thread = names.thread(at: value) { return "\(hex(value)) \(names.threads[thread].name)" }
    if let name = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value)).name, value & 0x8000_0000 != 0 { return name }
    return hex(value)
  }
}
