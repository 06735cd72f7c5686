import Disassembly
import Events
import FilterManager
import Guest
import KMDF
import Images
import Memory
import NTKernel
import Processor
import WindowsTypes

/// One run: the guest's memory, its kernel, its processor, and the fixture's world in them.
final class Machine: Supervisor {
  let fixture: Fixture
  let options: EmulationOptions
  let memory: VirtualMemory
  let stream: EventStream
  let kernel: Kernel
  /// Set once the world stands; guest code runs only then.
  private(set) var processor: Processor!
  var names: Names
  /// What names in calls stand for: values, named regions, results.
  var values: [String: UInt64] = [:]
  /// The system services that steps have called, by name, while so many images were there.
  var services: [String: Service] = [:]
  var servicesImageCount = 0
  /// Routines that some image imports and no export is, by trap number less the exports'.
  var unprovided: [Unprovided] = []
  var unprovidedNumbers: [String: Int] = [:]
  /// The call that ended the run because nobody provides the routine.
  var missing: MissingRoutine?
  /// What was called of the fixture's stubs, in the order of the first calls; and the names of those that somebody imports.
  var stubCalls: [StubCalls] = []
  var usedStubs: Set<String> = []
  /// Each loaded file's entry in the kernel's list, by the image's base.
  var moduleEntries: [UInt64: Pointer<LDR_DATA_TABLE_ENTRY>] = [:]
  /// The name of each loaded file, by the image's base.
  var fileNames: [UInt64: String] = [:]
  /// Images that the fixture does not name and that others import from, by name in lower case: they start with their importers.
  var impliedImages: Set<String> = []
  /// The order in which the fixture's drivers start by themselves.
  var startOrder: [DriverStart] = []
  var sections: [String: [FrameNumber]] = [:]

  var outcome: Outcome = .returned(0)
  var isOver = false
  var mismatches: [Mismatch] = []
  var drivers: [DriverRecord] = []
  /// The threads whose services are processes of their own.
  var remoteThreads: Set<Int> = []
  var remoteServices: RemoteServices?
  /// Identifiers that steps were given because they asked for none.
  var chosenIDs: [UInt32] = []
  /// Whether the machine runs on its own until it has nothing to do.
  var isIdling = false
  private var watch: ((Event) -> Watch)?
  private var isStoppedByWatcher = false

  static let exports = ExportTable(ExportTable.kernel + [FilterManager.exports, KMDF.exports]).withServices

  init(_ fixture: Fixture, _ options: EmulationOptions, _ watch: ((Event) -> Watch)?) throws {
    self.fixture = fixture
    self.options = options
    self.watch = watch
    memory = try VirtualMemory(target: fixture.target, limit: Int(clamping: fixture.limits.memory))
    stream = EventStream(budget: Int(clamping: fixture.limits.trace), forgets: options.forgetsTrace)
    let atRest = RegisterValues()
    kernel = try Kernel(memory: memory, stream: stream, exports: Self.exports, registers: atRest)
    names = Names(target: fixture.target, exports: Self.exports)
    serviceNumbers = Self.serviceNumbers(in: fixture.target)
    if fixture.usesSpecialPool { kernel.useSpecialPool() }
    kernel.loader = self
    let traps = try loadImages()
    try buildWorld()
    try fillRegistry()
    try mountVolumes()
    try kernel.fillVariables()
    try applyPatches()
    let segments = kernel.segmentTable
    processor = try Processor(
      memory: memory, stream: stream,
      segments: Segments(
        table: segments.address, size: segments.size, code: segments.code, data: segments.data, processor: segments.processor),
      supervisor: self, recordsRegisters: options.recordsRegisters)
    processor.instructionLimit = options.instructionLimit ?? fixture.limits.instructions
    for range in traps { try processor.add(range) }
    kernel.registers = processor
    kernel.clock = { [unowned processor] in processor?.instructions ?? 0 }
    kernel.onDeadline = { [unowned processor] in processor?.deadline = $0 }
    processor.deadline = kernel.deadline
    kernel.isKernelCode = { [unowned self] in ["nt", "hal"].contains(names.image(at: $0)?.name ?? "nt") }
    kernel.imageExport = { [unowned self] module, name in
      if let address = unprovidedNumbers["\(module)!\(name)"], unprovided[address].stub != nil {
        return kernel.trapRange.base + UInt64(kernel.trapRange.count + address) * TrapRange.stride
      }
      return names.images.first { $0.name.lowercased() == module && $0.exports[name] != nil }?.exports[name]
    }
    kernel.prepareDriver = { [unowned self] in try prepareDriver($0) }
    if let watch {
      stream.onEvent = { [unowned self] event in
        if watch(event) == .stop { isStoppedByWatcher = true }
      }
    }
  }

  deinit { kernel.shutDown() }

  // MARK: Supervisor

  /// The accesses that one service of the kernel may make: what walks a circle of the guest's making ends there.
  private static let accessesPerService = 4_000_000

  @inline(__always)
  private func directive(_ continuation: Continuation) -> Directive {
    memory.accessesLeft = Self.accessesPerService
    return continuation == .stop || isStoppedByWatcher ? .stop : .proceed
  }

  private let exportCount = Machine.exports.exports.count

  /// The system service that each export calls, by number; -1 for one that is no service.
  let serviceNumbers: [Int]

  /// A `Zw` routine goes through the table of services: to what guest code has put there, or else to the kernel's own.
  private func serveService(_ trap: Int, _ registers: any Registers) -> Directive {
    if let hook = kernel.hookedService(serviceNumbers[trap]) {
      processor[.ip] = hook
      return .proceed
    }
    return directive(kernel.serve(trap: trap, with: registers))
  }

  private static func serviceNumber(of export: Export, in target: Target) -> Int? {
    export.isImportable && export.module == "nt" && export.name.hasPrefix("Zw")
      ? SystemServices.number(of: export.name, in: target) : nil
  }

  private static let serviceNumbersByTarget = Target.all.map { target in
    exports.exports.map { serviceNumber(of: $0, in: target) ?? -1 }
  }

  static func serviceNumbers(in target: Target) -> [Int] { serviceNumbersByTarget[target.ordinal] }

  /// Trap numbers from here on are places that callbacks return to.
  static let firstCallback = 1 << 20

  func serve(trap: Int, with registers: any Registers) -> Directive {
    if trap < exportCount {
      if serviceNumbers[trap] >= 0 { return serveService(trap, registers) }
      return directive(kernel.serve(trap: trap, with: registers))
    }
    if trap >= Self.firstCallback { return directive(kernel.callbackReturned(to: trap - Self.firstCallback)) }
    return serveUnprovided(unprovided[trap - exportCount]) ? .proceed : .stop
  }

  func pageFault(_ access: Access, at address: UInt64) -> Directive { directive(kernel.pageFault(access, at: address)) }

  func exception(vector: Int, isSoftware: Bool) -> Directive {
    directive(kernel.processorException(vector: vector, isSoftware: isSoftware))
  }

  func sensitive(_ instruction: Instruction) -> Directive { directive(kernel.execute(instruction)) }

  func deadline() -> Directive { directive(kernel.clockInterrupt()) }

  // MARK: Running

  /// Runs guest code until the call that the run made has come back, or the run is over.
  func runGuest() throws {
    memory.accessesLeft = Self.accessesPerService
    defer { memory.accessesLeft = .max }
    let reason = try processor.run()
    if let failure = kernel.failure { throw failure }
    switch reason {
    case .instructionLimit: end(.limit(.instructions))
    case .traceLimit: end(.limit(.trace))
    case .supervisor: noteEnding()
    }
  }

  func noteEnding() {
    switch kernel.ending {
    case .bugCheck(let bugCheck): end(.bugCheck(bugCheck))
    case .memoryExhausted: end(.limit(.memory))
    case .idle where isIdling:
      kernel.noteDeadlock(among: kernel.waitingThreads())
      kernel.leaveIdle()
    case .idle:
      kernel.noteWaits()
      end(.waiting)
    case .endless: end(.limit(.instructions))
    case .missingRoutine(let name):
      let parts = name.split(separator: "!", maxSplits: 1).map(String.init)
      missing = missingRoutine(parts.first ?? "nt", parts.last ?? name, kernel.site())
      end(.missingRoutine(name))
    case nil: if isStoppedByWatcher { end(.stopped) }
    }
  }

  func end(_ outcome: Outcome) {
    self.outcome = outcome
    isOver = true
  }
}
