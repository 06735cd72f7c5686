import Disassembly
import Events
import Guest
import Memory
import Processor

/// A machine small enough to see whole: code at 80400000, a stack, the segment table and a processor page; a supervisor whose
/// decisions the test spells out.
final class Bench: Supervisor {
  static let code: UInt64 = 0x8040_0000
  static let stack: UInt64 = 0x8042_0000
  static let trap: UInt64 = 0x8043_0000
  static let end = Bench.trap

  let memory: VirtualMemory
  let stream = EventStream()
  private(set) var processor: Processor!
  var onTrap: (Int) throws -> Directive = { _ in .proceed }
  var onFault: (Access, UInt64) throws -> Directive = { _, _ in .stop }
  var onException: (Int, Bool) throws -> Directive = { _, _ in .stop }
  var onSensitive: (Instruction) throws -> Directive = { _ in .proceed }
  var onDeadline: () throws -> Directive = { .proceed }
  var faults: [(Access, UInt64)] = []
  var vectors: [Int] = []
  var error: (any Error)?

  init(recordsRegisters: Bool = false) throws {
    memory = try VirtualMemory(target: .windowsXP_x86, limit: 32 << 20)
    for page in stride(from: UInt64(0x8040_0000), to: 0x8044_0000, by: 4096) { try mapKernel(page) }
    try mapKernel(0xffdf_f000)
    try memory.memory.store(UInt32(0xcafe), at: 0xffdf_f124)
    let base: UInt64 = 0xffdf_f000
    for (index, descriptor) in [
      0, 0x00cf_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0, 0, 0,
      (base >> 24) << 56 | 0xc0 << 48 | 0x93 << 40 | (base & 0xff_ffff) << 16 | 1,
    ].enumerated() {
      try memory.memory.store(UInt64(descriptor), at: 0x8041_f000 + UInt64(index) * 8)
    }
    processor = try Processor(
      memory: memory, stream: stream,
      segments: Segments(table: 0x8041_f000, size: 64, code: 8, data: 0x10, processor: 0x30), supervisor: self,
      recordsRegisters: recordsRegisters)
    // Trap 0 ends a run; the others are the tests' own.
    for index in 0..<16 { try memory.memory.write(TrapRange.code(popping: 0), at: Self.trap + UInt64(index) * 16) }
    try processor.add(TrapRange(base: Self.trap, count: 16, first: 0))
    processor[.flags] = 0x202
  }

  func mapKernel(_ address: UInt64, _ frame: FrameNumber? = nil) throws {
    try memory.kernel.set(Page(.valid, frame: frame ?? memory.physical.allocate()), at: address)
  }

  func mapUser(_ address: UInt64, in space: AddressSpace? = nil, _ protection: Page.Protection = .readWrite) throws {
    try (space ?? memory.current).user.set(Page(.valid, protection, frame: memory.physical.allocate()), at: address)
  }

  /// Runs `code`, placed at `address`, until it returns.
  @discardableResult
  func run(_ code: [UInt8], at address: UInt64 = Bench.code) throws -> StopReason {
    try memory.memory.write(code, at: address)
    return try run(from: address)
  }

  @discardableResult
  func run(from address: UInt64) throws -> StopReason {
    processor[.sp] = Self.stack - 4
    try memory.memory.store(UInt32(Self.trap), at: Self.stack - 4)
    processor[.ip] = address
    let reason = try processor.run()
    if let error { throw error }
    return reason
  }

  /// Every instruction that ran, expanded from the recorded blocks.
  var instructions: [UInt64] {
    let disassembler = Disassembler(.windowsXP_x86)
    var result: [UInt64] = []
    stream.forEach { element in
      guard case .block(let id) = element else { return }
      result += disassembler.decodeAll(stream.blocks.bytes(of: id), at: stream.blocks[id].address).map(\.address)
    }
    return result
  }

  private func decide(_ body: () throws -> Directive) -> Directive {
    do { return try body() } catch {
      self.error = error
      return .stop
    }
  }
  func serve(trap: Int, with registers: any Registers) -> Directive { trap == 0 ? .stop : decide { try onTrap(trap) } }
  func pageFault(_ access: Access, at address: UInt64) -> Directive {
    faults.append((access, address))
    return decide { try onFault(access, address) }
  }
  func exception(vector: Int, isSoftware: Bool) -> Directive {
    vectors.append(vector)
    return decide { try onException(vector, isSoftware) }
  }
  func sensitive(_ instruction: Instruction) -> Directive { decide { try onSensitive(instruction) } }
  func deadline() -> Directive { decide(onDeadline) }
}

func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
/// `call target`, as it stands at `address`.
func call(_ target: UInt64, at address: UInt64) -> [UInt8] {
  [0xe8] + bytes(UInt32(truncatingIfNeeded: target &- (address + 5)))
}
