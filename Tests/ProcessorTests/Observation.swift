import Disassembly
import Events
import Guest
import Memory
import Processor

/// A guest program and the world it runs in: demand-zero user pages, traps that return, instructions the supervisor answers.
struct Program: Sendable {
  var code: [UInt8]
  var address = Bench.code
  /// What is prepared besides: pages, registers, other code.
  var prepare: @Sendable (Bench) throws -> Void = { _ in }
  /// The run is bounded by this.
  var limit: UInt64 = 100_000
}

/// What one run of a ``Program`` showed.
struct Observation: Equatable {
  /// Every instruction that ran, as the blocks say.
  var expanded: [Instruction]
  /// Every instruction that ran, as a hook on each says; empty where there was none.
  var snapshots: [RegisterSnapshot]
  var elements: [EventStream.Element]
  var count: UInt64
  var registers: [UInt64]
  var reason: StopReason

  var addresses: [UInt64] { expanded.map(\.address) }

  static func == (a: Self, b: Self) -> Bool {
    a.elements == b.elements && a.count == b.count && a.registers == b.registers && a.reason == b.reason
      && a.addresses == b.addresses
  }

  /// - Parameter quantum: the run is stopped and continued after each so many instructions.
  init(_ program: Program, recordsRegisters: Bool, quantum: UInt64? = nil) throws {
    let bench = try Bench(recordsRegisters: recordsRegisters)
    bench.onFault = { [unowned bench] _, address in
      guard (0x40_0000..<0x48_0000).contains(address) else { return .stop }
      try bench.mapUser(address & ~0xfff)
      return .proceed
    }
    bench.onSensitive = { [unowned bench] instruction in
      bench.processor[.ax] = 0x4000_0000 | bench.processor.instructions & 0xff
      bench.processor[.dx] = 7
      return .proceed
    }
    bench.onTrap = { [unowned bench] trap in
      bench.processor[.ax] = UInt64(trap) << 8
      return .proceed
    }
    for register in [Register.ax, .cx, .dx, .bx, .bp, .si, .di] { bench.processor[register] = 0 }
    try program.prepare(bench)
    bench.processor.instructionLimit = min(quantum ?? program.limit, program.limit)
    var reason = try bench.run(program.code, at: program.address)
    while let quantum, reason == .instructionLimit, bench.processor.instructionLimit < program.limit {
      bench.processor.instructionLimit = min(bench.processor.instructionLimit + quantum, program.limit)
      reason = try bench.processor.run()
    }
    if let error = bench.error { throw error }
    let disassembler = Disassembler(.windowsXP_x86)
    expanded = []
    elements = bench.stream.elements
    for case .block(let id) in elements {
      expanded += disassembler.decodeAll(bench.stream.blocks.bytes(of: id), at: bench.stream.blocks[id].address)
    }
    snapshots = bench.processor.snapshots
    count = bench.processor.instructions
    registers = Register.allCases.map { bench.processor[$0] }
    self.reason = reason
  }

  /// What is wrong with the trace on its own: an instruction after which the next one cannot be the next one.
  ///
  /// This needs no second opinion: a straight instruction that is recorded twice, or skipped, breaks the path.
  var brokenStep: String? {
    for (index, (one, next)) in zip(expanded, expanded.dropFirst()).enumerated() {
      if one.endsBlock || one.end == next.address { continue }
      if one.isRepeated && one.address == next.address {
        guard !snapshots.isEmpty else { continue }
        if (snapshots[index][.cx] &- snapshots[index + 1][.cx]) & 0xffff_ffff == 1 { continue }
      }
      return "step \(index): \(one.line()) is followed by \(next.line())"
    }
    return nil
  }
}

/// How the traces of `program` differ from what ran, or `nil`: every way to run it must tell the same.
func difference(_ program: Program, quanta: [UInt64]) throws -> String? {
  let watched = try Observation(program, recordsRegisters: true)
  let hooked = watched.snapshots.map { $0[.ip] }
  if let index = firstDifference(watched.addresses, hooked) {
    return "hooked, the trace differs from the instructions at step \(index): \(around(index, watched.addresses, hooked))"
  }
  if let broken = watched.brokenStep { return "hooked, " + broken }
  if watched.count != UInt64(hooked.count) { return "hooked, \(watched.count) counted of \(hooked.count)" }
  let plain = try Observation(program, recordsRegisters: false)
  if let index = firstDifference(plain.addresses, hooked) {
    return "the trace differs from the instructions at step \(index): \(around(index, plain.addresses, hooked))"
  }
  if let broken = plain.brokenStep { return broken }
  if plain.count != watched.count || plain.registers != watched.registers || plain.reason != watched.reason {
    return "the run ends otherwise without hooks: \(plain.count) of \(watched.count), \(plain.registers), \(watched.registers)"
  }
  if try Observation(program, recordsRegisters: false) != plain { return "two runs differ" }
  for quantum in quanta {
    let parts = try Observation(program, recordsRegisters: false, quantum: quantum)
    if let index = firstDifference(parts.addresses, hooked) {
      return "in parts of \(quantum), the trace differs at step \(index): \(around(index, parts.addresses, hooked))"
    }
    if parts.count != plain.count || parts.registers != plain.registers || parts.reason != plain.reason {
      return "in parts of \(quantum), the run ends otherwise: \(parts.count) of \(plain.count)"
    }
  }
  return nil
}

private func firstDifference(_ a: [UInt64], _ b: [UInt64]) -> Int? {
  if a == b { return nil }
  return zip(a, b).enumerated().first { $1.0 != $1.1 }?.offset ?? min(a.count, b.count)
}

private func around(_ index: Int, _ a: [UInt64], _ b: [UInt64]) -> String {
  [a, b].map { list in
    list.dropFirst(max(0, index - 3)).prefix(7).map { hex($0) }.joined(separator: " ") + " of \(list.count)"
  }.joined(separator: " | ")
}
