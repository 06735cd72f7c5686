import Disassembly
import Events
import Glibc
import Guest
import Memory
import Processor

/// A kernel small enough to measure the processor under it: code, a stack, a segment table, and traps that a subclass serves.
class Machine: Supervisor {
  static let code: UInt64 = 0x8040_0000
  static let data: UInt64 = 0x8041_0000
  static let stack: UInt64 = 0x8043_0000
  static let traps: UInt64 = 0x8043_0000

  let memory: VirtualMemory
  let stream = EventStream(budget: 1 << 30)
  private(set) var processor: Processor!
  private var failure: (any Error)?

  /// - Parameter memory: the limit for frames, in bytes.
  init(memory limit: Int = 32 << 20) throws {
    memory = try VirtualMemory(target: .windowsXP_x86, limit: limit)
    for page in stride(from: Self.code, to: 0x8044_0000, by: 4096) {
      try memory.kernel.set(Page(.valid, frame: memory.physical.allocate()), at: page)
    }
    let table: UInt64 = 0x8041_f000
    for (index, descriptor) in [0x00cf_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0x00cf_9300_0000_ffff].enumerated() {
      try memory.memory.store(UInt64(descriptor), at: table + UInt64(index + 1) * 8)
    }
    processor = try Processor(
      memory: memory, stream: stream, segments: Segments(table: table, size: 32, code: 8, data: 0x10, processor: 0x18),
      supervisor: self)
    for trap in 0..<8 {
      // Trap 0 ends a run; trap 1 takes two arguments, the others none.
      try memory.memory.write(TrapRange.code(popping: trap == 1 ? 8 : 0), at: Self.traps + UInt64(trap) * TrapRange.stride)
    }
    try processor.add(TrapRange(base: Self.traps, count: 8, first: 0))
    processor[.flags] = 0x202
    processor[.si] = Self.data
  }

  /// Runs `code` until it returns. Returns the seconds it took.
  @discardableResult
  func run(_ code: [UInt8]) throws -> Double {
    try memory.memory.write(code, at: Self.code)
    processor[.sp] = Self.stack - 4
    try memory.memory.store(UInt32(Self.traps), at: Self.stack - 4)
    processor[.ip] = Self.code
    let start = processorTime()
    let reason = try processor.run()
    let taken = processorTime() - start
    if let failure { throw failure }
    guard reason == .supervisor else { throw ProcessorError("the program did not end: \(reason)") }
    return taken
  }

  /// What stands behind the traps from 1 on.
  func answer(_ trap: Int) throws {}

  final func serve(trap: Int, with registers: any Registers) -> Directive {
    if trap == 0 { return .stop }
    do {
      try answer(trap)
      return .proceed
    } catch {
      failure = error
      return .stop
    }
  }
  func pageFault(_ access: Access, at address: UInt64) -> Directive {
    failure = GuestFault(access, at: address)
    return .stop
  }
  func exception(vector: Int, isSoftware: Bool) -> Directive {
    failure = ProcessorError("exception \(vector)")
    return .stop
  }
  func sensitive(_ instruction: Instruction) -> Directive { .proceed }
}

/// The little-endian bytes of `value`, as they stand in an instruction.
func bytes(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: UInt32(truncatingIfNeeded: value).littleEndian, Array.init) }

/// `call trap`, as it stands at `address`.
func call(trap: Int, at address: UInt64) -> [UInt8] {
  [0xe8] + bytes(Machine.traps + UInt64(trap) * TrapRange.stride &- (address + 5))
}

/// Seconds of processor time that this thread has used: what else the machine does counts less than by the clock on the wall.
func processorTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
