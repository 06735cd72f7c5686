import Disassembly
import Emulation
import Events
import Guest
import NTKernel
import Processor
import WindowsTypes

/// Turns a run's events into lines of text, one after another.
struct TraceWriter {
  let names: Names
  let options: TraceOptions
  let snapshots: [RegisterSnapshot]
  let values: TraceValues
  let events: TraceEvents
  let put: (String) -> Void

  private var blocks: TraceBlocks
  private var calls = TraceCalls()
  /// Where the instruction after the last one is, while nothing else has come between on this thread.
  private var expected: UInt64?
  private var nextSnapshot = 0
  private var hasBegun = false
  private var repetition: Repetition?
  private var waiting: Waiting?

  /// A repeated instruction, whose records are not all read yet.
  private struct Repetition {
    let line: TraceBlock.Line
    var records: Int
    let firstSnapshot: Int
  }

  /// A line that what comes next may complete.
  private struct Waiting {
    /// The routine, for a call.
    let routine: Int?
    var text: String
    var changes: [String] = []
    var arguments: [UInt64] = []
    var line: String { ([text] + changes).joined(separator: "  ") }
  }

  init(
    _ stream: EventStream, _ names: Names, _ snapshots: [RegisterSnapshot] = [], _ options: TraceOptions,
    _ put: @escaping (String) -> Void
  ) {
    self.names = names
    self.options = options
    self.snapshots = snapshots
    self.put = put
    values = TraceValues(names: names)
    events = TraceEvents(values: values)
    blocks = TraceBlocks(stream.blocks, names)
  }

  mutating func write(_ stream: EventStream) {
    stream.forEach { write($0) }
    finishRepetition(isLast: true)
    finishWaiting()
  }

  private mutating func write(_ element: EventStream.Element) {
    if case .block(let id) = element {
      finishWaiting()
      calls.noteGuestCode()
      if options.instructions { write(blocks[id]) }
      return
    }
    finishRepetition(isLast: false)
    switch element {
    case .block: break
    case .call(let number, _, let arguments):
      finishWaiting()
      waiting = Waiting(routine: number, text: call(number, arguments), arguments: arguments)
    case .result(let number, let value): finish(number, value)
    case .event(let event): write(event)
    }
  }

  // MARK: Instructions

  private mutating func write(_ block: TraceBlock) {
    for index in block.lines.indices {
      let line = block.lines[index]
      let address = line.instruction.address
      if line.instruction.isRepeated {
        if repetition?.line.instruction.address == address {
          repetition?.records += 1
        } else {
          finishRepetition(isLast: true)
          writeLabel(line)
          repetition = Repetition(line: line, records: 1, firstSnapshot: nextSnapshot)
        }
      } else {
        if repetition != nil { finishRepetition(isLast: true) }
        writeLabel(line)
        put(line.text + operands(line, at: nextSnapshot))
        if options.registers { writeChanges(by: line.instruction, from: nextSnapshot, to: nextSnapshot + 1) }
      }
      expected = line.instruction.end
      nextSnapshot += 1
    }
  }

  private mutating func writeLabel(_ line: TraceBlock.Line) {
    if expected != line.instruction.address || line.beginsRoutine { put(line.label) }
  }

  /// Writes the repeated instruction that is held back.
  ///
  /// - Parameter isLast: whether it ran to its end: its last record then found the count used up, or the condition met.
  private mutating func finishRepetition(isLast: Bool) {
    guard let held = repetition else { return }
    repetition = nil
    let times =
      switch held.line.instruction.repetition {
      case .no, .rep: isLast ? held.records - 1 : held.records
      case .repeCondition, .repneCondition: held.records
      }
    let bound = held.line.instruction.repetition == .rep ? "" : "up to "
    put(held.line.text + operands(held.line, at: held.firstSnapshot) + "  ; \(bound)\(times) \(times == 1 ? "time" : "times")")
    if options.registers { writeChanges(by: held.line.instruction, from: held.firstSnapshot, to: nextSnapshot) }
  }

  /// The addresses of the operands in memory, from the registers before the instruction: `  ; ss:f8a3fdec`.
  private func operands(_ line: TraceBlock.Line, at index: Int) -> String {
    guard options.memoryOperands, snapshots.indices.contains(index) else { return "" }
    let shown = line.instruction.memoryOperands.filter { $0.size > 0 }.map { operand in
      let base = operand.segment == .fs ? names.target.kpcrAddress : 0
      return "\(operand.segment):" + values.address((base &+ operand.offset { snapshots[index][$0] }) & Self.mask(names.target))
    }
    return shown.isEmpty ? "" : "  ; " + shown.joined(separator: " ")
  }

  private static func mask(_ target: Target) -> UInt64 { target.width == .x86 ? 0xffff_ffff : .max }

  /// Writes what changed between two snapshots, unless something else than `instruction` had a part in it.
  private func writeChanges(by instruction: Instruction, from first: Int, to second: Int) {
    guard snapshots.indices.contains(first), snapshots.indices.contains(second),
      instruction.endsBlock || snapshots[second][.ip] == instruction.end
    else { return }
    let order: [Register] = [.ax, .bx, .cx, .dx, .si, .di, .sp, .bp, .flags]
    let changes = order.filter { snapshots[first][$0] != snapshots[second][$0] }
      .map { "\($0.name(in: names.target))=\(values.address(snapshots[second][$0]))" }
    if !changes.isEmpty { put(indentation(0) + changes.joined(separator: " ")) }
  }

  // MARK: Calls

  /// Deeper nesting, as of exceptions that raise exceptions, is not shown.
  private static let deepest = 8

  private func indentation(_ depth: Int) -> String {
    String(repeating: " ", count: (options.instructions ? 1 + options.effectsIndent : 0) + 2 * min(depth, Self.deepest))
  }

  private func call(_ number: Int, _ arguments: [UInt64]) -> String {
    guard names.exports.exports.indices.contains(number) else { return values.routine(number) + "()" }
    let export = names.exports.exports[number]
    var shown = values.arguments(export, arguments).map { "\($0.name)=\(values.text($0.bits, as: $0.type))" }
    if export.isVariadic { shown.append("...") }
    return "\(values.routine(number))(\(shown.joined(separator: ", ")))"
  }

  private func result(_ number: Int, _ value: UInt64?) -> String? {
    guard let value, names.exports.exports.indices.contains(number), let type = names.exports.exports[number].resultType
    else { return nil }
    return values.text(value, as: type)
  }

  private mutating func finish(_ number: Int, _ value: UInt64?) {
    let result = result(number, value)
    if let call = waiting, call.routine == number {
      waiting = nil
      let text = call.text + (result.map { " -> " + $0 } ?? "")
      put(indentation(calls.depth) + ([text] + call.changes).joined(separator: "  "))
      return
    }
    finishWaiting()
    guard calls.close(number) else { return }
    put(indentation(calls.depth) + values.routine(number) + " returned" + (result.map { " " + $0 } ?? ""))
    if isHandler(number), value == 0 { calls.endDispatch() }
  }

  /// Writes the line that is held back, and opens the call that it is.
  private mutating func finishWaiting() {
    guard let line = waiting else { return }
    waiting = nil
    put(indentation(calls.depth) + line.line)
    if let routine = line.routine { calls.open(routine, line.arguments, isHandler: isHandler(routine)) }
  }

  /// Whether the routine is an exception handler, called with a frame as its second argument.
  private func isHandler(_ number: Int) -> Bool {
    names.exports.exports.indices.contains(number) && names.exports.exports[number].resultType is EXCEPTION_DISPOSITION.Type
  }

  // MARK: Events

  private mutating func write(_ event: Event) {
    switch event {
    case .addressSpace(let from, let to, _, _) where waiting != nil: waiting?.changes.append(events.transition(from, to))
    case .irql where waiting?.routine != nil: events.line(event).map { waiting?.changes.append($0) }
    case .thread(let thread):
      finishWaiting()
      calls.run(thread)
      expected = nil
      // Before the first step the world is built, in its processes' names.
      if hasBegun { waiting = Waiting(routine: nil, text: events.line(event) ?? "") }
    case .addressSpace where !hasBegun: break
    case .step:
      finishWaiting()
      hasBegun = true
      calls.beginStep()
      expected = nil
      if let line = events.line(event) { put(line) }
    case .exception:
      finishWaiting()
      writeLines(event)
      calls.beginDispatch()
    case .handled(let frame, _):
      finishWaiting()
      writeLines(event)
      calls.unwind(to: frame)
    default:
      finishWaiting()
      writeLines(event)
    }
  }

  private func writeLines(_ event: Event) {
    let start = indentation(calls.depth)
    if let line = events.line(event) { put(start + line) }
    for line in events.meanings(event) { put(start + line) }
    if options.callStacks { for line in events.stack(event) { put(start + line) } }
  }
}
