import Events
import FilterManager
import Glibc
import Guest
import KMDF
import Memory
import NTKernel
import Synchronization
import Testing
import WindowsTypes

/// A kernel with three processes, without a processor: the test plays the guest code.
///
/// An export is called as a driver would: arguments on the thread's kernel stack, the return address below them, and the trap
/// entered with what a driver's registers hold. What it must preserve is checked at each return.
final class TestKernel {
  let memory: VirtualMemory
  let stream = EventStream(budget: 32 << 20)
  let registers = RegisterValues()
  let kernel: Kernel
  let system: NTKernel.Process
  let notepad: NTKernel.Process
  let service: NTKernel.Process
  /// Of System.
  let worker: NTKernel.Thread
  /// Of notepad, and the one that runs first.
  let client: NTKernel.Thread

  /// Where calls come from: a driver's code, as far as anyone can tell. Nothing is mapped there.
  static let caller: UInt64 = 0xf8b0_1234
  /// The handler of the frame that ``call(_:_:)`` links: the test plays it.
  static let handler: UInt64 = 0xf8b0_5000
  /// What a driver keeps in the registers that a routine preserves.
  static let kept: [Register: UInt64] = [.bx: 0xbbbb_0001, .si: 0x5151_0002, .di: 0xd1d1_0003, .bp: 0xb0b0_0004]

  init(limit: Int = 64 << 20, target: Target = .windowsXP_x86) throws {
    memory = try VirtualMemory(target: target, limit: limit)
    let table = ExportTable(ExportTable.kernel + [FilterManager.exports, KMDF.exports])
    kernel = try Kernel(memory: memory, stream: stream, exports: table, registers: registers)
    kernel.isKernelCode = { $0 < 0xf000_0000 }
    _ = try kernel.placeTraps(reserved: [:])
    system = try kernel.createProcess("System", uniqueID: 4)
    notepad = try kernel.createProcess("notepad.exe", uniqueID: 1232)
    service = try kernel.createProcess("service.exe", uniqueID: 800)
    worker = try kernel.createThread("worker", in: system, uniqueID: 0x44)
    client = try kernel.createThread("client", in: notepad, uniqueID: 0x4d4)
    try kernel.run(client)
    try memory.kernel.set(Page(.valid, frame: memory.physical.allocate()), at: Self.scratch)
  }

  deinit { kernel.shutDown() }

  // MARK: Calling

  /// What became of a call.
  enum Reply {
    case returned(UInt64)
    case raised(RaisedException)
    case bugCheck(BugCheck)
    /// The routine calls guest code at this address.
    case calls(UInt64)
    case ended
  }

  /// An exception as the first frame's handler receives it.
  struct RaisedException {
    let record: Pointer<EXCEPTION_RECORD>
    let context: Pointer<CONTEXT>
    /// The frame that the handler belongs to.
    let frame: UInt64
    /// `ExceptionCode`, from the record's first word.
    var code: NTSTATUS { get throws { NTSTATUS(rawValue: try record.memory.load(UInt32.self, at: record.address)) } }
    var flags: UInt32 { get throws { try record.memory.load(UInt32.self, at: record.address + 4) } }
    var address: UInt64 { get throws { UInt64(try record.memory.load(UInt32.self, at: record.address + 0xc)) } }
    var information: [UInt64] {
      get throws {
        let count = try record.memory.load(UInt32.self, at: record.address + 0x10)
        return try (0..<UInt64(count)).map { UInt64(try record.memory.load(UInt32.self, at: record.address + 0x14 + 4 * $0)) }
      }
    }
  }

  /// The handlers of the frames that a call's callers have on the stack, innermost first.
  var handlers = [TestKernel.handler]
  /// Those frames: registration records, 0x40 bytes apart.
  private(set) var frames: [UInt64] = []
  var frame: UInt64 { frames[0] }
  private(set) var entryStackPointer: UInt64 = 0
  private var export: Export?
  private lazy var trapNumbers = Dictionary(uniqueKeysWithValues: kernel.trapAddresses.enumerated().map { ($1, $0) })

  func number(of name: String) throws -> Int {
    try #require(kernel.exports.exports.firstIndex { $0.name == name }, "no export \(name)")
  }
  func trap(_ name: String) throws -> UInt64 { kernel.trapAddresses[try number(of: name)] }

  /// Calls the export `name` on the running thread.
  func call(_ name: String, _ arguments: UInt64...) throws -> Reply { try call(name, arguments) }

  func call(_ name: String, _ arguments: [UInt64]) throws -> Reply {
    try linkFrames()
    let sp = frame - 0x40
    for (register, value) in Self.kept { registers[register] = value }
    return try enter(name, arguments, at: sp)
  }

  /// Links a frame for each handler into the chain, at the top of the running thread's stack.
  func linkFrames() throws {
    let top = try #require(kernel.running).object.Tcb.StackBase.load().address - 0x100
    frames = handlers.indices.map { top - 0x40 * UInt64(handlers.count - 1 - $0) }
    for (index, handler) in handlers.enumerated() {
      let next = index + 1 < frames.count ? frames[index + 1] : 0xffff_ffff
      try store([UInt32(next), UInt32(handler)], at: frames[index])
    }
    try store(UInt32(frames.first ?? 0xffff_ffff), at: kernel.kpcr.address)
  }

  /// Puts arguments and a return address below `stackPointer`, and enters the routine.
  func enter(_ name: String, _ arguments: [UInt64], at stackPointer: UInt64) throws -> Reply {
    let number = try number(of: name)
    let export = kernel.exports.exports[number]
    CalledExports.insert("\(export.module)!\(name)")
    self.export = export
    var sp = stackPointer
    var rest = arguments[...]
    if export.convention == .fastcall {
      registers[.cx] = rest.popFirst() ?? 0
      registers[.dx] = rest.popFirst() ?? 0
    }
    for argument in rest.reversed() {
      sp -= 4
      try store(UInt32(truncatingIfNeeded: argument), at: sp)
    }
    sp -= 4
    try store(UInt32(Self.caller), at: sp)
    entryStackPointer = sp
    registers[.sp] = sp
    registers[.ip] = kernel.trapAddresses[number]
    registers[.ax] = 0xaaaa_0000
    return try serve(number)
  }

  /// The guest routine that an export waits for returns `value`.
  func returnFromCallback(_ value: UInt64) throws -> Reply {
    let place = UInt64(try load(registers[.sp]))
    registers[.ax] = value
    registers[.sp] += 4
    registers[.ip] = place
    return try goOn(try enterTrap(at: place))
  }

  /// Enters trap `number`, and goes on as a processor would: a routine's `ret` runs, and a trap that comes next is entered.
  func serve(_ number: Int) throws -> Reply { try goOn(try enterTrap(at: kernel.trapAddresses[number])) }

  /// Enters what stands at `address`, if it is a routine of the kernel's or a place that callbacks return to.
  private func enterTrap(at address: UInt64) throws -> Continuation? {
    let (base, count) = kernel.callbackRange
    if (base..<base + 16 * UInt64(count)).contains(address) { return kernel.callbackReturned(to: Int(address - base) / 16) }
    guard let number = trapNumbers[address] else { return nil }
    CalledExports.insert("\(kernel.exports.exports[number].module)!\(kernel.exports.exports[number].name)")
    let continuation = kernel.serve(trap: number)
    if continuation == .proceed, kernel.ending == nil, registers[.ip] == address {
      let bytes = kernel.exports.exports[number].stackBytes(.windowsXP_x86)
      registers[.ip] = UInt64(try load(registers[.sp]))
      registers[.sp] += 4 + UInt64(bytes)
    }
    return continuation
  }

  private func goOn(_ first: Continuation?) throws -> Reply {
    var next = first
    while let continuation = next {
      if let failure = kernel.failure { throw failure }
      if case .bugCheck(let bugCheck) = kernel.ending {
        #expect(continuation == .stop)
        return .bugCheck(bugCheck)
      }
      guard continuation == .proceed else { return .ended }
      next = try enterTrap(at: registers[.ip])
    }
    switch registers[.ip] {
    case Self.handler:
      return .raised(
        RaisedException(
          record: Pointer(try argument(0), in: memory.memory), context: Pointer(try argument(2), in: memory.memory),
          frame: try argument(1)))
    case Self.caller:
      guard let export else { return .ended }
      #expect(registers[.sp] == entryStackPointer + 4 + UInt64(export.stackBytes(.windowsXP_x86)), "\(export.name) leaves the stack")
      for (register, value) in Self.kept { #expect(registers[register] == value, "\(export.name) changes \(register)") }
      return .returned(registers[.ax])
    case let routine: return .calls(routine)
    }
  }

  /// The `index`th argument on the stack of the guest routine that has just been entered.
  func argument(_ index: Int) throws -> UInt64 { UInt64(try load(registers[.sp] + 4 + 4 * UInt64(index))) }

  /// Calls `name`, which must return, and gives what it returns.
  @discardableResult
  func value(_ name: String, _ arguments: UInt64..., location: SourceLocation = #_sourceLocation) throws -> UInt64 {
    let reply = try call(name, arguments)
    guard case .returned(let value) = reply else {
      Issue.record("\(name) was to return: \(reply)", sourceLocation: location)
      throw Unexpected()
    }
    return value
  }

  /// Calls `name`, which must raise, and gives what its caller's frame is told.
  @discardableResult
  func raised(_ name: String, _ arguments: UInt64..., location: SourceLocation = #_sourceLocation) throws -> RaisedException {
    let reply = try call(name, arguments)
    guard case .raised(let exception) = reply else {
      Issue.record("\(name) was to raise: \(reply)", sourceLocation: location)
      throw Unexpected()
    }
    return exception
  }

  /// Calls `name`, which must stop the machine: the bugcheck's code and four parameters.
  func bugCheck(_ name: String, _ arguments: UInt64..., location: SourceLocation = #_sourceLocation) throws -> [UInt64] {
    let reply = try call(name, arguments)
    guard case .bugCheck(let bugCheck) = reply else {
      Issue.record("\(name) was to be a bugcheck: \(reply)", sourceLocation: location)
      throw Unexpected()
    }
    return [UInt64(bugCheck.code.rawValue)] + bugCheck.parameters
  }

  struct Unexpected: Error {}

  // MARK: Memory

  func load(_ address: UInt64) throws -> UInt32 { try memory.memory.load(UInt32.self, at: address) }
  func byte(_ address: UInt64) throws -> UInt8 { try memory.memory.load(UInt8.self, at: address) }
  func half(_ address: UInt64) throws -> UInt16 { try memory.memory.load(UInt16.self, at: address) }
  func store(_ value: UInt32, at address: UInt64) throws { try memory.memory.store(value, at: address) }
  func store(_ values: [UInt32], at address: UInt64) throws {
    for (index, value) in values.enumerated() { try store(value, at: address + 4 * UInt64(index)) }
  }

  /// The running thread's object: `fs:[124h]`.
  var currentThread: UInt64 { get throws { UInt64(try load(kernel.kpcr.address + 0x124)) } }
  var irql: UInt8 { get throws { try byte(kernel.kpcr.address + 0x24) } }
  /// `EPROCESS.NumberOfLockedPages`.
  func lockedPages(of process: NTKernel.Process) throws -> UInt32 { try load(process.object.address + 0x12c) }

  /// A page of system space for the test's own data.
  static let scratch: UInt64 = 0xf8c0_0000
  var scratch: UInt64 { Self.scratch }

  /// Where user buffers of these tests are.
  static let buffer: UInt64 = 0x42_1000
  var buffer: UInt64 { Self.buffer }

  /// Maps `count` pages of `process` at ``buffer``, each filled with its index plus `base`.
  func map(_ count: Int, in process: NTKernel.Process, _ page: Page = Page(.valid), filledFrom base: UInt8 = 1) throws {
    try kernel.map(page, pages: count, at: buffer, in: process)
    for index in 0..<count {
      guard let frame = process.space.frame(at: buffer + UInt64(index) << 12) else { continue }
      memory.physical.fill(frame, with: repeatElement(base + UInt8(index), count: 4096))
    }
  }

  func frame(of process: NTKernel.Process, _ index: UInt64 = 0) throws -> FrameNumber {
    try #require(process.space.frame(at: buffer + index << 12))
  }

  func pins(_ frame: FrameNumber) -> UInt32 { memory.physical[frame].pins }

  /// An MDL in nonpaged pool, as `IoAllocateMdl` makes it.
  func makeMDL(_ address: UInt64, _ length: UInt64) throws -> UInt64 {
    let mdl = try value("IoAllocateMdl", address, length, 0, 0, 0)
    try #require(mdl != 0)
    return mdl
  }

  /// A locked MDL of the running thread's address space.
  func lock(_ address: UInt64, _ length: UInt64, _ operation: UInt64 = 1) throws -> UInt64 {
    let mdl = try makeMDL(address, length)
    try value("MmProbeAndLockPages", mdl, 1, operation)
    return mdl
  }

  /// `MdlFlags`.
  func flags(_ mdl: UInt64) throws -> UInt16 { try half(mdl + 6) }
  func frames(_ mdl: UInt64, _ count: Int) throws -> [UInt32] { try (0..<UInt64(count)).map { try load(mdl + 0x1c + 4 * $0) } }

  var messages: [String] { stream.events.compactMap { if case .message(let text) = $0 { text } else { nil } } }
  var notes: [String] { stream.events.compactMap { if case .note(let text) = $0 { text } else { nil } } }

  func raiseIRQL(to level: UInt8) throws { try memory.memory.store(level, at: kernel.kpcr.address + 0x24) }
}

/// Records that a call ended in another way than a test expects.
func unexpected(_ reply: TestKernel.Reply, location: SourceLocation = #_sourceLocation) {
  Issue.record("the call ended otherwise: \(reply)", sourceLocation: location)
}

/// Records that something was to come that did not.
func missing(_ what: String, location: SourceLocation = #_sourceLocation) {
  Issue.record("\(what)", sourceLocation: location)
}

/// Every export that a test of this target has called, by `module!name`. When the tests are over, those that none has called are
/// printed; how many there are, where only some of the tests ran.
enum CalledExports {
  private static let names = Mutex<Set<String>>([])
  private static let report: Void = {
    atexit {
      let all = DeclarationTests.table.exports.map { "\($0.module)!\($0.name)" }
      let missing = all.filter { name in names.withLock { !$0.contains(name) } }
      let list = missing.isEmpty ? "none" : missing.count > all.count / 4 ? "\(missing.count)" : missing.joined(separator: ", ")
      print("exports that no NTKernel test called in this run: \(list)")
    }
  }()

  static func insert(_ name: String) {
    _ = report
    names.withLock { _ = $0.insert(name) }
  }
}
