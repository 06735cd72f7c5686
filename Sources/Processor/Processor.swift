import CUnicorn
import Disassembly
import Events
import Glibc
import Guest
import Memory

/// The guest's one processor: runs code in the current address space, an engine for each space that runs any.
///
/// Control reaches the ``Supervisor`` inside the engine's hooks; the engine is left only to go on in another address space or
/// to stop. Registers are carried from engine to engine, so they belong to the processor.
public final class Processor: Registers {
  public let memory: VirtualMemory
  public let stream: EventStream
  /// Safety: who supervises a processor outlives it; a counted reference would cost more than a trap does.
  public unowned(unsafe) let supervisor: any Supervisor
  let segments: Segments
  let disassembler: Disassembler
  let facts: EngineFacts
  private let tables: ShadowTables
  private var engines: [Int: Engine] = [:]
  /// The engine that holds the registers.
  private(set) var engine: Engine
  private let context: OpaquePointer
  /// A context for what happens inside a hook; ``context`` may be in use then.
  let scratch: OpaquePointer
  let progress: UnsafeMutablePointer<Progress>
  var traps: [TrapRange] = []
  /// Every block the run has seen.
  var blockNumbers: [BlockContent: BlockID] = [:]
  /// What the blocks were translated from: engines compare it with memory. Those of traps are not recorded and have no number.
  var savedBytes: [BlockID: UnsafeMutableRawPointer] = [:]
  var unrecordedBytes: [UnsafeMutableRawPointer] = []
  /// Where guest code goes on, if somebody said so since control left it.
  private(set) var nextIP: UInt64?
  /// Where guest code stands while it does not run.
  var currentIP: UInt64 = 0
  /// The routine of the trap at ``currentIP`` has been served: its `ret` runs next, without asking again.
  var isServed = false
  private var request: Request = .none
  private var failure: (any Error)?
  private var switches = 0
  /// At most so many engines exist at a time; each takes about 3 MB.
  public var engineLimit = 48
  /// Where each instruction stood and what the registers held, if ``recordsRegisters``.
  public internal(set) var snapshots: [RegisterSnapshot] = []
  public let recordsRegisters: Bool

  enum Request { case none, switchSpace, stop(StopReason) }

  /// - Parameter recordsRegisters: keeps the registers before every instruction, at the price of a hook on each.
  public init(
    memory: VirtualMemory, stream: EventStream, segments: Segments, supervisor: any Supervisor, recordsRegisters: Bool = false
  ) throws {
    self.memory = memory
    self.stream = stream
    self.segments = segments
    self.supervisor = supervisor
    self.recordsRegisters = recordsRegisters
    disassembler = Disassembler(memory.target)
    facts = try EngineFacts.measured.get()
    tables = try ShadowTables()
    progress = .allocate(capacity: 1)
    progress.initialize(to: Progress())
    try Self.installFlushStub(in: memory)
    engine = try Engine(space: memory.current, tables: tables, segments: segments)
    var context: OpaquePointer?
    guard uc_context_alloc(engine.handle, &context) == UC_ERR_OK, let context else {
      throw ProcessorError("libunicorn allocates no context")
    }
    self.context = context
    var scratch: OpaquePointer?
    guard uc_context_alloc(engine.handle, &scratch) == UC_ERR_OK, let scratch else {
      throw ProcessorError("libunicorn allocates no context")
    }
    self.scratch = scratch
    engines[memory.current.id] = engine
    stream.onFull = { [progress] in progress.pointee.end = 0 }
    try prepare(engine)
  }

  deinit {
    stream.onFull = nil
    uc_context_free(context)
    uc_context_free(scratch)
    progress.deallocate()
    savedBytes.values.forEach { $0.deallocate() }
    unrecordedBytes.forEach { $0.deallocate() }
  }

  // MARK: Registers

  static let registerNames: [Int32] = [
    UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX, UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI,
    UC_X86_REG_EDI, UC_X86_REG_EIP, UC_X86_REG_EFLAGS,
  ].map { Int32($0.rawValue) }

  /// Safety: the array behind it is never freed.
  nonisolated(unsafe) static let registerNumbers: UnsafePointer<Int32> = {
    let place = UnsafeMutablePointer<Int32>.allocate(capacity: registerNames.count)
    place.initialize(from: registerNames, count: registerNames.count)
    return UnsafePointer(place)
  }()

  /// Held here because a global is asked each time whether it exists yet.
  private let numbers = registerNumbers

  public subscript(register: Register) -> UInt64 {
    get {
      if register == .ip { return nextIP ?? currentIP }
      var value: UInt32 = 0
      uc_reg_read(engine.handle, numbers[register.rawValue], &value)
      return UInt64(value)
    }
    set {
      if register == .ip {
        nextIP = newValue
        return
      }
      var value = UInt32(truncatingIfNeeded: newValue)
      uc_reg_write(engine.handle, numbers[register.rawValue], &value)
    }
  }

  /// The base and limit of the segment behind `selector`'s cache are the engine's; the selectors themselves can be read here.
  public func segmentSelector(_ segment: Segment) -> UInt16 {
    let names = [UC_X86_REG_ES, UC_X86_REG_CS, UC_X86_REG_SS, UC_X86_REG_DS, UC_X86_REG_FS, UC_X86_REG_GS]
    return UInt16(truncatingIfNeeded: engine.read(names[Int(segment.rawValue)]))
  }

  /// So many instructions have run; what a fault or a stop cut short counts as far as it got.
  public var instructions: UInt64 { progress.pointee.instructions }

  /// ``run()`` ends once so many instructions have run.
  public var instructionLimit: UInt64 {
    get { progress.pointee.end }
    set { progress.pointee.end = newValue }
  }

  /// Once so many instructions have run, the supervisor is asked before the next block, and before each one until this is moved.
  public var deadline: UInt64 {
    get { progress.pointee.deadline }
    set { progress.pointee.deadline = newValue }
  }

  // MARK: Running

  /// Runs guest code from ``Register/ip`` on until the supervisor or a limit stops it.
  public func run() throws -> StopReason {
    while true {
      try carryRegisters()
      if nextIP != nil { isServed = false }
      var start = nextIP ?? currentIP
      nextIP = nil
      if engine.isStale {
        progress.pointee.afterFlush = start
        progress.pointee.flushCX = engine.read(UC_X86_REG_ECX)
        start = FlushStub.address
      }
      request = .none
      currentIP = start
      let status = uc_emu_start(engine.handle, start, Self.nowhere, 0, 0)
      removeStopHooks()
      if let failure { throw failure }
      switch request {
      case .stop(let reason): return reason
      case .switchSpace: continue
      case .none: break
      }
      currentIP = UInt64(engine.read(UC_X86_REG_EIP))
      closeBlock(at: currentIP)
      let directive: Directive
      if status == UC_ERR_INSN_INVALID {
        clearPendingException()
        directive = supervisor.exception(vector: 6, isSoftware: false)
      } else if status == UC_ERR_OK && currentIP == Self.nowhere {
        directive = supervisor.pageFault(.execute, at: currentIP)
      } else {
        throw ProcessorError("the engine stopped unasked at \(hex(currentIP)): \(Engine.text(status))")
      }
      if directive == .stop { return .supervisor }
    }
  }

  /// Where no guest code can be: the page belongs to the engines.
  private static let nowhere: UInt64 = 0xffff_ffff

  /// Makes the current space's engine the one that holds the registers.
  private func carryRegisters() throws {
    guard memory.current !== engine.space else {
      clearPendingException()
      return
    }
    let next = try engine(for: memory.current)
    uc_context_save(engine.handle, context)
    // A fault that was handled inside its hook is pending again once the engine has stopped.
    UnsafeMutableRawPointer(context).storeBytes(of: -1, toByteOffset: facts.pendingException, as: Int32.self)
    uc_context_restore(next.handle, context)
    engine = next
    switches += 1
    next.lastUse = switches
  }

  private func engine(for space: AddressSpace) throws -> Engine {
    if let engine = engines[space.id] { return engine }
    if engines.count >= engineLimit,
      let idle = engines.values.filter({ $0 !== engine }).min(by: { ($0.lastUse, $0.space.id) < ($1.lastUse, $1.space.id) })
    {
      engines[idle.space.id] = nil
    }
    let made = try Engine(space: space, tables: tables, segments: segments)
    try prepare(made)
    engines[space.id] = made
    return made
  }

  var allEngines: some Collection<Engine> { engines.values }

  /// Drops the engine of an address space that goes away.
  public func forget(_ space: AddressSpace) {
    if engines[space.id] !== engine { engines[space.id] = nil }
  }

  /// The hooks that every engine carries.
  private func prepare(_ engine: Engine) throws {
    try hookBlocks(engine)
    try hookExceptions(engine)
    try hookFlushStub(engine)
    for range in traps { try hook(range, in: engine) }
    if recordsRegisters { try hookEveryInstruction(engine) }
  }

  func check(_ status: uc_err, _ what: String) throws {
    guard status == UC_ERR_OK else { throw ProcessorError("\(what): \(Engine.text(status))") }
  }

  /// What every hook does last: obeys `directive`, and goes on wherever guest code is to go on.
  ///
  /// The instruction pointer is written or the engine stopped, never both: the older library does not stop then. Returns
  /// whether guest code is interrupted on its way: by a stop, a switch or a flush.
  @discardableResult
  func leaveHook(_ directive: Directive) -> Bool {
    if directive == .stop {
      stop(.supervisor)
      return true
    }
    if !engine.sees(memory.memory) {
      request = .switchSpace
      uc_emu_stop(engine.handle)
      return true
    }
    if engine.isStale {
      flush(thenGoTo: nextIP ?? currentIP)
      return true
    }
    if let next = nextIP { go(to: next) }
    return false
  }

  func stop(_ reason: StopReason) {
    request = .stop(reason)
    uc_emu_stop(engine.handle)
  }

  func fail(_ error: any Error) {
    failure = error
    stop(.supervisor)
  }

  /// Leaves the running block for `address`.
  func go(to address: UInt64) {
    nextIP = nil
    engine.write(UC_X86_REG_EIP, UInt32(truncatingIfNeeded: address))
  }

  func enterHook(at address: UInt64) {
    currentIP = address
    nextIP = nil
  }
}

/// The registers before one instruction.
public struct RegisterSnapshot: Sendable, Hashable {
  public var values: [UInt32]
  public subscript(register: Register) -> UInt64 { UInt64(values[register.rawValue]) }
}
