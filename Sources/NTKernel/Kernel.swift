import Events
import Guest
import Memory
import WindowsTypes

/// The kernel model: what `ntoskrnl.exe` does for guest code, over real address spaces and without a processor.
///
/// Its state is guest memory, at the documented offsets; what Swift holds are names for it and what the guest cannot see.
/// Safety: no access to a property that is not checked for exclusive access spans a call.
public final class Kernel {
  public let memory: VirtualMemory
  public let stream: EventStream
  public let exports: ExportTable
  /// The processor's registers. Whoever owns the processor sets it before guest code runs.
  @exclusivity(unchecked) public var registers: any Registers
  let layout = KernelLayout()
  let loop = RunLoop()
  public let kpcr: Pointer<KPCR>

  @exclusivity(unchecked) public internal(set) var processes: [Process] = []
  @exclusivity(unchecked) public internal(set) var threads: [Thread] = []
  var processByObject: [UInt64: Process] = [:]
  var processByDirectory: [UInt64: Process] = [:]
  var threadByObject: [UInt64: Thread] = [:]
  var activeProcesses: Pointer<LIST_ENTRY>?
  /// The thread that runs.
  @exclusivity(unchecked) public internal(set) var running: Thread?
  /// Those that could run, in the order in which they became ready.
  var readyThreads: [Thread] = [] { didSet { armDeadline() } }
  /// Whether a thread has become ready, or has another priority, since it was last decided who runs.
  var isPreemptionDue = false
  /// Whether kernel APCs may have come for the thread that runs.
  var isAPCDue = false
  /// How far the machine runs on by itself, while it does.
  @exclusivity(unchecked) var settling: SettlingLimit?
  /// Whether threads in user mode get the processor for their APCs alone.
  var isDelivering = false
  /// Runs deferred calls while nobody else runs.
  var idle: Thread?
  var timers = TimerQueue() {
    didSet {
      nextTimerDue = timers.nextDue ?? .max
      armDeadline()
    }
  }
  /// When the first timer is due, so that a served call need not look into the queue.
  private(set) var nextTimerDue = UInt64.max
  /// The queued `KDPC`s, by address.
  var deferredCalls: [UInt64] = []
  var workQueues: [Int: [WorkItem]] = [:]
  var workers: [Int: Thread] = [:]
  /// Who waits for an `ERESOURCE`, by its address, in order.
  var resourceWaiters: [UInt64: [ResourceWaiter]] = [:]

  /// Who waits for a push lock, and who has it alone, by its address.
  var pushLockWaiters: [UInt64: [ResourceWaiter]] = [:]
  var pushLockOwners: [UInt64: Thread] = [:]

  var handles = HandleTable()
  /// The run's registry. Made when it is first asked for.
  public private(set) lazy var registry: Registry = {
    let registry = Registry(of: memory.target.system)
    registry.now = { [unowned self] in systemTime }
    return registry
  }()
  var io = IOManager()
  var objectCallbacks = ObjectCallbacks()
  /// Where drivers' blocks come from, if the run wants special pool.
  var specialPool: SpecialPool?
  /// What special pool found.
  public internal(set) var poolFault: SpecialPoolFault?
  /// What objects that drivers have made, and not inserted yet, are to be called.
  var pendingNames: [UInt64: PendingName] = [:]
  var hardware = HardwareState()
  var files = FileSystems()
  var fast = FastIO()
  var processManager = ProcessManager()
  var security = SecurityState()
  var configuration = ConfigurationManager()
  var images = DriverImages()
  var makers = Makers()
  /// What threads outside System asked for, by the event that each waits for.
  var loadRequests: [UInt64: LoadRequest] = [:]
  /// Which drivers the system starts at this moment, while it does. Set by whoever starts them.
  public var startPhase: StartOrder.Start?
  /// What puts drivers' images into memory. Set by whoever has their files.
  public weak var loader: (any DriverLoader)?
  var nonPagedPool: Pool
  var pagedPool: Pool
  var systemPTEs: AddressAllocator
  var stackAddresses: AddressAllocator
  var imageAddresses: AddressAllocator
  var moduleSpace: AddressAllocator
  var loadedModules: Pointer<LIST_ENTRY>?
  var variableSpace: AddressAllocator
  /// The exported variables that someone imports, by `module!name` in lower case.
  var variableAddresses: [String: (address: UInt64, variable: KernelVariable)] = [:]
  /// Whether the variables in use have their first values: whatever comes into use later gets its own at once.
  var hasFilledVariables = false
  var objectTypes: [String: Pointer<OBJECT_TYPE>] = [:]
  /// The page tables that guest code looks at, as they were made, by address.
  var pageTableViews: [UInt64: [UInt32]] = [:]
  /// The views of MDLs in system space: how many pages each has, by its first page's address.
  var systemViews: [UInt64: Int] = [:]
  /// The contents of pages that are paged out, by slot; the slot's number stands in the page's frame field.
  var pagingFile: [PagedOutPage] = []
  /// Whose buffers outstanding I/O is about.
  @exclusivity(unchecked) public internal(set) var requests: [BufferRequest] = []
  /// For which requests a use of their buffer's address was recorded, and in which process: once is enough.
  @exclusivity(unchecked) var notedAccesses: Set<NotedAccess> = []

  /// Where each export's code lies, by number.
  public private(set) var trapAddresses: [UInt64] = []
  /// Every address in ``trapAddresses``.
  private(set) var trapPlaces: Set<UInt64> = []
  /// The export that is being served, and what its caller passed.
  @exclusivity(unchecked) var servedExport = 0
  @exclusivity(unchecked) var servedStackPointer: UInt64 = 0
  /// How many exports were called so far.
  @exclusivity(unchecked) public internal(set) var callCount = 0
  let caller = CallSite()
  var servedReturnAddress: UInt64 {
    get { caller.address }
    set { caller.address = newValue }
  }
  private let argumentLog: UnsafeMutablePointer<UInt64>
  /// What serving each export takes, by number: reached without a copy of the declaration.
  let services: UnsafeMutableBufferPointer<Service>
  /// The highest IRQL of each export, by number; 255 where any will do.
  private let highestIRQLs: [UInt8]
  /// The processor page's IRQL byte. That page is never taken away, and this object keeps the memory that it is in.
  private let irqlByte: UnsafePointer<UInt8>
  /// What a routine that returns nothing leaves in the result register.
  @usableFromInline var keptResult: UInt64 { registers[.ax] }
  /// Why the run is over, once it is.
  @exclusivity(unchecked) public internal(set) var ending: Ending?
  /// The result of the run's own call, once it has come back.
  @exclusivity(unchecked) public internal(set) var callResult: CallResult?
  /// A defect of this program that a routine met, if any.
  public internal(set) var failure: (any Error)?
  /// `CR0` and the descriptor table registers, as guest code last wrote them.
  var control = ControlRegisters()
  /// What each system service leads to, by number, and the guest's table of them; empty until somebody imports it.
  public var serviceRoutines: [UInt64] = []
  var serviceTable: ServiceTable?
  /// What modules above this one keep with the kernel, by type.
  var parts: [ObjectIdentifier: AnyObject] = [:]
  /// What run-time routines keep between calls and guest code cannot see.
  var runtime = RuntimeState()
  /// What an instruction at an address belongs to: tells a driver's fault from the kernel's own. Set by the loader.
  public var isKernelCode: (UInt64) -> Bool = { _ in false }
  /// What a loaded image exports under a module's and a routine's name. Set by the loader.
  public var imageExport: (_ module: String, _ name: String) -> UInt64? = { _, _ in nil }
  /// Instructions executed so far: virtual time's clock. Set by whoever owns the processor.
  public var clock: () -> UInt64 = { 0 }
  var time = VirtualTime()
  /// The count of instructions from which on ``clockInterrupt()`` is wanted; `.max` while nothing could come of it.
  @exclusivity(unchecked) public internal(set) var deadline = UInt64.max
  /// Asked when no thread is ready, before time passes: whether somebody outside the run has made one ready. It may take its time.
  public var awaitOutside: (() throws -> Bool)?
  /// Makes the object of a driver that a service's name stands for, ready to start; `nil` where there is none. Set by the loader.
  public var prepareDriver: (_ service: String) throws -> Driver? = { _ in nil }
  /// Told when ``deadline`` moves. Set by whoever owns the processor.
  public var onDeadline: (UInt64) -> Void = { _ in }

  /// What ended the run, other than its last step.
  public enum Ending: Sendable, Hashable {
    case bugCheck(BugCheck)
    /// Every thread waits, and nothing is due.
    case idle
    /// Guest code called a routine that nobody provides.
    case missingRoutine(String)
    case memoryExhausted(String)
    /// A routine walks guest memory in a circle, where Windows would hang.
    case endless(String)
  }

  /// - Parameters:
  ///   - exports: the table of routines; positions are trap numbers.
  ///   - registers: a stand-in until there is a processor.
  public init(memory: VirtualMemory, stream: EventStream, exports: ExportTable, registers: any Registers) throws {
    self.memory = memory
    self.stream = stream
    self.exports = exports
    self.registers = registers
    kpcr = Pointer(memory.target.kpcrAddress, in: memory.memory)
    nonPagedPool = Pool(layout.nonPagedPool, caller: caller)
    pagedPool = Pool(layout.pagedPool, caller: caller)
    systemPTEs = AddressAllocator(layout.systemPTEs, granule: GuestMemory.pageSize)
    stackAddresses = AddressAllocator(layout.stacks, granule: GuestMemory.pageSize)
    imageAddresses = AddressAllocator(layout.drivers, granule: GuestMemory.pageSize)
    moduleSpace = AddressAllocator(layout.modules, granule: 8)
    variableSpace = AddressAllocator(layout.variables, granule: 8)
    argumentLog = .allocate(capacity: ArgumentReader.maximumCount)
    argumentLog.initialize(repeating: 0, count: ArgumentReader.maximumCount)
    services = .allocate(capacity: exports.exports.count)
    _ = services.initialize(from: exports.exports.map { Service($0, memory.target) })
    highestIRQLs = exports.exports.map { $0.highestIRQL?.rawValue ?? .max }
    let processorPages = (Pointer<KPCR>.size(in: memory.memory) + Int(GuestMemory.pageSize) - 1) >> GuestMemory.pageShift
    let processorPage = try memory.physical.allocate(contiguous: processorPages)
    irqlByte = UnsafePointer(
      (memory.physical.host(processorPage) + KPCR.layouts[memory.target].Irql.offset).assumingMemoryBound(to: UInt8.self))
    memory.resolver = self
    try memory.kernel.set(
      (0..<processorPages).map { Page(.valid, frame: processorPage + FrameNumber($0)) }, at: kpcr.address)
    try bringUp()
  }

  deinit {
    argumentLog.deallocate()
    services.deinitialize().deallocate()
  }

  /// Ends every routine that still waits. Until then they keep the kernel, and with it the guest's memory: whoever made the
  /// kernel calls this when the run is over.
  public func shutDown() {
    for thread in threads {
      thread.resumption = .none
      thread.routines.end()
    }
    workQueues = [:]
    parts = [:]
  }

  /// The processor page, the shared data page, the segments.
  private func bringUp() throws {
    for page in [memory.target.sharedUserDataAddress, layout.segmentTable, layout.variables.lowerBound] {
      try mapKernelPages(at: page, size: GuestMemory.pageSize)
    }
    let here = memory.memory
    let prcb = kpcr.PrcbData
    try kpcr.NtTib.ExceptionList.store(Pointer(memory.target.endOfExceptionChain, in: here))
    try kpcr.SelfPcr.store(kpcr)
    try kpcr.Prcb.store(prcb)
    try kpcr.MajorVersion.store(1)
    try kpcr.MinorVersion.store(1)
    try kpcr.GDT.store(Pointer(layout.segmentTable, in: here))
    try kpcr.IDT.store(Pointer(layout.segmentTable + 0x400, in: here))
    // What a debugger is told first, which drivers look for the list of modules in: DBGKD_GET_VERSION64.
    let version = layout.segmentTable + 0xc00
    try kpcr.KdVersionBlock.store(Pointer(version, in: here))
    for (offset, word) in [
      (0x0, memory.target.system.build << 16 | 0xf), (0x4, 0x3_0006), (0x8, 0x0006_014c), (0x10, 0x804d_7000), (0x14, 0xffff_ffff),
      (0x18, UInt32(truncatingIfNeeded: layout.modules.lowerBound)), (0x1c, 0xffff_ffff),
    ] as [(UInt64, UInt32)] {
      try here.store(word, at: version + offset)
    }
    try makeDebuggerData(behind: version)
    try fillSharedData()
    try kpcr.SetMember.store(1)
    try prcb.member(\.SetMember, or: \.GroupSetMember).store(1)
    try prcb.MajorVersion.store(1)
    try prcb.MinorVersion.store(1)
    let base = kpcr.address
    // Flat code and data of ring 0; the processor page behind selector 30h (KGDT_R0_PCR).
    let descriptors: [Int: UInt64] = [
      1: 0x00cf_9b00_0000_ffff, 2: 0x00cf_9300_0000_ffff,
      6: (base >> 24) << 56 | 0xc0 << 48 | 0x93 << 40 | (base & 0xff_ffff) << 16 | 1,
    ]
    for (index, descriptor) in descriptors { try here.store(descriptor, at: layout.segmentTable + UInt64(index) * 8) }
  }

  /// Where the segment table lies, and the selectors that kernel code runs with (`KGDT_R0_CODE` and its like in i386 headers).
  public var segmentTable: (address: UInt64, size: Int, code: UInt32, data: UInt32, processor: UInt32) {
    (layout.segmentTable, 64, 0x08, 0x10, 0x30)
  }

  /// Maps fresh, zeroed, writable pages of system space.
  public func mapKernelPages(at address: UInt64, size: UInt64, _ protection: Page.Protection = .readWrite) throws {
    let count = Int((size + GuestMemory.pageSize - 1) >> GuestMemory.pageShift)
    let first = try memory.physical.allocate(contiguous: count)
    try memory.kernel.set(
      (0..<count).map { Page(.valid, protection, frame: first + FrameNumber($0)) }, at: address)
  }

  /// Zeroed memory of the nonpaged pool, for the run itself.
  public func allocate(_ size: UInt64, tag: UInt32 = 0x6b6c_6250) throws -> UInt64 {
    guard let block = try nonPagedPool.allocate(size, tag: tag, in: memory) else {
      throw MemoryExhausted(description: "the nonpaged pool is used up")
    }
    return block
  }

  /// An object of the object manager's: its body behind an `OBJECT_HEADER`.
  func allocateObject<Body: GuestStructure>() throws -> Pointer<Body> {
    let here = memory.memory
    let body = OBJECT_HEADER.layouts[memory.target].Body.offset
    let start = try allocate(UInt64(body + Pointer<Body>.size(in: here)))
    try Pointer<OBJECT_HEADER>(start, in: here).PointerCount.store(1)
    return Pointer(start + UInt64(body), in: here)
  }

  /// Writes the code of every export: at the address an image reserves for it, or in the kernel's own range.
  ///
  /// - Parameter reserved: addresses that images name for a routine, by `module!name`.
  /// - Returns: for each export, in order, the address of its trap.
  public func placeTraps(reserved: [String: UInt64]) throws -> [UInt64] {
    for range in [layout.traps, layout.callbacks] {
      try mapKernelPages(at: range.lowerBound, size: range.upperBound - range.lowerBound)
    }
    // Guest code that goes back from a routine to the beginning of its image finds the HAL's there.
    for offset in stride(from: 0, to: UInt64(layout.traps.count), by: Int(GuestMemory.pageSize)) {
      try memory.kernel.set(memory.kernel[layout.traps.lowerBound + offset], at: layout.halTraps.lowerBound + offset)
    }
    trapAddresses = exports.exports.enumerated().map { index, export in
      reserved["\(export.module)!\(export.name)"]
        ?? (export.module == "hal" ? layout.halTraps : layout.traps).lowerBound + UInt64(index) * 16
    }
    trapPlaces = Set(trapAddresses)
    try fillInterruptTable()
    return trapAddresses
  }

  /// How many traps there is room for, the exports' included.
  public var trapCapacity: Int { Int((layout.traps.upperBound - layout.traps.lowerBound) / 16) }
  public var trapRange: (base: UInt64, count: Int) { (layout.traps.lowerBound, exports.exports.count) }
  /// Where the HAL's are, at the same distances.
  public var halTrapBase: UInt64 { layout.halTraps.lowerBound }

  /// Says that something happened which the documentation leaves open.
  public func note(uncertain choice: String) { stream.append(.uncertain(choice)) }

  /// A reader of the arguments of the export that has just been called.
  @inline(__always)
  func arguments(of convention: CallingConvention, _ registers: any Registers, at stackPointer: UInt64) -> ArgumentReader {
    ArgumentReader(convention, memory: memory.memory, registers: registers, stackPointer: stackPointer, log: argumentLog)
  }

  /// The arguments have been read: the call is recorded, and its IRQL checked.
  @usableFromInline
  func beginCall(_ reader: inout ArgumentReader) {
    callCount &+= 1
    stream.append(call: servedExport, returnAddress: servedReturnAddress, arguments: reader.raw)
    if irqlByte.pointee > highestIRQLs[servedExport] { noteIRQL(above: IRQL(rawValue: highestIRQLs[servedExport])) }
  }

  /// Records that the export which is being served was called above `limit`, if it was.
  func noteIRQL(above limit: IRQL) {
    guard irqlByte.pointee > limit.rawValue else { return }
    stream.append(
      .irqlTooHigh(
        routine: exports.exports[servedExport].name, irql: irqlByte.pointee, limit: limit.rawValue, site: site()))
  }
}
