import Disassembly
import Events
import Guest
import Memory
import NTKernel
import Processor
import WindowsTypes

/// The kernel model with a processor and a stretch of code: what a run of a fixture stands on, without the fixture.
final class KernelMachine: Supervisor {
  static let code: UInt64 = 0xf8c0_0000
  /// Trap numbers from here on are places that callbacks return to.
  private static let firstCallback = 1 << 20

  let memory: VirtualMemory
  let stream = EventStream(budget: 1 << 30)
  let kernel: Kernel
  let system: NTKernel.Process
  let worker: NTKernel.Thread
  private let addresses: [UInt64]
  private var processor: Processor!
  private var other: String?

  private static let exports = ExportTable(ExportTable.kernel + [[exchange]])

  /// What C's hook does: stores one argument through the other and returns their sum.
  private static let exchange = export("Exchange(Process, State)") {
    (_, process: Pointer<UInt32>, state: Pointer<Pointer<UInt32>>) -> GuestWord in
    try state.advanced(byBytes: 0x10).store(process)
    return GuestWord(process.address &+ state.address)
  }

  /// - Parameter memory: the limit for frames, in bytes.
  init(memory limit: Int) throws {
    memory = try VirtualMemory(target: .windowsXP_x86, limit: limit)
    let atRest = RegisterValues()
    kernel = try Kernel(memory: memory, stream: stream, exports: Self.exports, registers: atRest)
    addresses = try kernel.placeTraps(reserved: [:])
    for (export, address) in zip(Self.exports.exports, addresses) {
      try memory.memory.write(TrapRange.code(popping: export.stackBytes(memory.target)), at: address)
    }
    let callbacks = kernel.callbackRange
    for place in 0..<callbacks.count { try memory.memory.store(0xc3 as UInt8, at: callbacks.base + UInt64(place) * TrapRange.stride) }
    try kernel.mapKernelPages(at: Self.code, size: 0x1000)
    system = try kernel.createProcess("System", uniqueID: 4)
    worker = try kernel.createThread("worker", in: system)
    try kernel.run(worker)
    let segments = kernel.segmentTable
    processor = try Processor(
      memory: memory, stream: stream,
      segments: Segments(
        table: segments.address, size: segments.size, code: segments.code, data: segments.data, processor: segments.processor),
      supervisor: self)
    let (base, count) = kernel.trapRange
    try processor.add(TrapRange(base: base, count: count, first: 0))
    try processor.add(TrapRange(base: callbacks.base, count: callbacks.count, first: Self.firstCallback))
    kernel.registers = processor
    kernel.clock = { [unowned processor] in processor?.instructions ?? 0 }
  }

  deinit { kernel.shutDown() }

  /// Runs `code` as a routine on `thread` until it returns. Returns the seconds it took.
  @discardableResult
  func run(_ code: [UInt8], on thread: NTKernel.Thread? = nil) throws -> Double {
    try memory.memory.write(code, at: Self.code)
    _ = try kernel.beginCall(Self.code, [], on: thread ?? worker, isGuarded: false)
    let start = processorTime()
    let reason = try processor.run()
    let taken = processorTime() - start
    if let failure = kernel.failure { throw failure }
    guard reason == .supervisor, case .returned = kernel.callResult else {
      throw ProcessorError("the program did not end: \(reason) \(kernel.ending.map { "\($0)" } ?? "") \(other ?? "")")
    }
    return taken
  }

  /// `call routine`, as it stands at `offset` in the code, after `push` of each argument.
  func call(_ routine: String, _ arguments: [UInt64], at offset: Int, module: String = "nt") throws -> [UInt8] {
    guard let number = Self.exports[module, routine] else { throw ProcessorError("no routine \(routine)") }
    let pushes: [UInt8] = arguments.reversed().flatMap { [0x68] + bytes($0) }
    return pushes + [0xe8] + bytes(addresses[number] &- (Self.code + UInt64(offset + pushes.count + 5)))
  }

  /// `mov ebx,count; L: body; dec ebx; jne L; ret`, with what `body` makes of its offset in the code.
  func loop(_ count: Int, _ body: (Int) throws -> [UInt8]) rethrows -> [UInt8] {
    let body = try body(5)
    let back = withUnsafeBytes(of: Int32(-(body.count + 7)).littleEndian, Array.init)
    return [0xbb] + bytes(UInt64(count)) + body + [0x4b, 0x0f, 0x85] + back + [0xc3]
  }

  // MARK: Supervisor

  private func directive(_ continuation: Continuation) -> Directive { continuation == .stop ? .stop : .proceed }

  func serve(trap: Int, with registers: any Registers) -> Directive {
    trap < Self.firstCallback
      ? directive(kernel.serve(trap: trap, with: registers)) : directive(kernel.callbackReturned(to: trap - Self.firstCallback))
  }
  func pageFault(_ access: Access, at address: UInt64) -> Directive { directive(kernel.pageFault(access, at: address)) }
  func exception(vector: Int, isSoftware: Bool) -> Directive {
    other = "exception \(vector)"
    return .stop
  }
  func sensitive(_ instruction: Instruction) -> Directive { directive(kernel.execute(instruction)) }
}
