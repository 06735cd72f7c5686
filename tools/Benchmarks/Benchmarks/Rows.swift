import CBaseline
import Disassembly
import Events
import Guest
import Memory
import Processor

/// A loop that both sides run: `loop` is repeated, and ends in a branch back to its start.
private struct Loop: Sendable {
  let iterations: UInt64
  let instructions: UInt64
  let loop: [UInt8]

  /// mov ecx,iterations; loop
  var code: [UInt8] { [0xb9] + bytes(iterations) + loop }
  /// In millions of instructions a second.
  func rate(_ seconds: Double) -> Double { Double(iterations * instructions) / seconds / 1e6 }
}

/// L: mov eax,[esi]; add eax,1; mov [esi],eax; dec ecx; jne L
private let loadAndStore = Loop(
  iterations: 1_000_000, instructions: 5, loop: [0x8b, 0x06, 0x83, 0xc0, 0x01, 0x89, 0x06, 0x49, 0x75, 0xf6])
/// L: inc eax; dec ecx; jne L
private let registersOnly = Loop(iterations: 2_000_000, instructions: 3, loop: [0x40, 0x49, 0x75, 0xfc])

/// The rate of our recorded run, and that of a C hook on every instruction.
private func trace(_ loop: Loop) throws -> (Double, Double?) {
  let machine = try Machine()
  let ours = try machine.run(loop.code + [0xc3])
  guard machine.processor.instructions >= loop.iterations * loop.instructions else { throw ProcessorError("instructions are missing") }
  return (loop.rate(ours), loop.rate(baseline_trace(loop.code, loop.code.count, 1)))
}

/// The rate of running and then expanding the blocks to one line of text for each instruction.
private func text(_ loop: Loop) throws -> (Double, Double?) {
  let machine = try Machine()
  let ran = try machine.run(loop.code + [0xc3])
  let start = processorTime()
  var lines = BlockText(machine.stream.blocks, Disassembler(machine.memory.target))
  var (written, buffer) = (0, [UInt8]())
  buffer.reserveCapacity(2 << 20)
  machine.stream.forEach { element in
    guard case .block(let id) = element else { return }
    buffer += lines[id]
    if buffer.count > 1 << 20 {
      // Here a real consumer would write it out.
      written += buffer.count
      buffer.removeAll(keepingCapacity: true)
    }
  }
  written += buffer.count
  guard written > Int(loop.iterations * loop.instructions) * 20 else { throw ProcessorError("lines are missing") }
  return (loop.rate(ran + processorTime() - start), nil)
}

/// The text of each block, made when it is first asked for.
private struct BlockText {
  private let blocks: BlockTable
  private let disassembler: Disassembler
  private var made: [[UInt8]?]

  init(_ blocks: BlockTable, _ disassembler: Disassembler) {
    self.blocks = blocks
    self.disassembler = disassembler
    made = Array(repeating: nil, count: blocks.blocks.count)
  }

  subscript(id: BlockID) -> [UInt8] {
    mutating get {
      if let text = made[Int(id)] { return text }
      let text = disassembler.decodeAll(blocks.bytes(of: id), at: blocks[id].address).map { $0.line() + "\n" }.joined()
      made[Int(id)] = Array(text.utf8)
      return Array(text.utf8)
    }
  }
}

/// Behind trap 2 the other address space, behind trap 3 the first one.
private final class Switcher: Machine {
  private(set) lazy var home = memory.current
  var other: AddressSpace?

  override func answer(_ trap: Int) throws { memory.activate(trap == 2 ? other ?? home : home) }
}

/// Microseconds for going to another address space from a trap and back from the next one, with `pages` pages mapped there.
private func switches(pages: Int) throws -> Double {
  let machine = try Switcher(memory: (32 << 20) + pages * 4096)
  _ = machine.home
  let other = try machine.memory.makeAddressSpace()
  let first = try machine.memory.physical.allocate(contiguous: pages)
  try other.user.set((0..<pages).map { Page(.valid, frame: first + FrameNumber($0)) }, at: 0x40_0000)
  machine.other = other
  let count = 50_000
  func program(_ count: Int) -> [UInt8] {
    // mov ecx,count; L: call attach; call detach; dec ecx; jne L; ret
    [0xb9] + bytes(UInt64(count)) + call(trap: 2, at: Machine.code + 5) + call(trap: 3, at: Machine.code + 10) + [0x49, 0x75, 0xf3, 0xc3]
  }
  try machine.run(program(100))
  return try machine.run(program(count)) / Double(count) * 1e6
}

/// Seconds for setting up 256 address spaces of 16 pages, and entering each once if `runs`.
private func manySpaces(runs: Bool) throws -> (Double, Double?) {
  let machine = try Machine()
  let start = processorTime()
  for _ in 0..<256 {
    let space = try machine.memory.makeAddressSpace()
    for page in 0..<16 as Range<UInt64> {
      try space.user.set(Page(.valid, frame: machine.memory.physical.allocate()), at: 0x40_0000 + page * 0x1_0000)
      try space.memory.store(UInt32(space.id), at: 0x40_0000 + page * 0x1_0000)
    }
  }
  if runs {
    for space in machine.memory.spaces {
      machine.memory.activate(space)
      try machine.run([0x40, 0xc3])
    }
  }
  return (processorTime() - start, nil)
}

/// Everything that is measured, in the order of the table.
///
/// Those that run the tool come first: what the system says of a child's memory is never less than its parent had.
let rows = commandRows + driverToolRows + processorRows + kernelRows + driverRows + filterRows + portRows

/// The processor under a kernel that does nothing: what the engine and its hooks cost.
private let processorRows: [Row] = [
  Row("trace, load/store loop", "M/s", .ratioAtLeast(1.3)) { try trace(loadAndStore) },
  Row("trace, register loop", "M/s", .ratioAtLeast(1.3)) { try trace(registersOnly) },
  Row("trace to text, load/store loop", "M/s", .none) { try text(loadAndStore) },
  Row("trace to text, register loop", "M/s", .none) { try text(registersOnly) },
  Row("two switches of the address space", "us", .below(8)) { (try switches(pages: 1), nil) },
  Row("two switches, 100,000 pages against one", "us", .within(0.2)) { (try switches(pages: 100_000), try switches(pages: 1)) },
  Row("256 address spaces of 16 pages", "s", .below(2)) { try manySpaces(runs: false) },
  Row("256 address spaces of 16 pages, each entered", "s", .below(2)) { try manySpaces(runs: true) },
]
