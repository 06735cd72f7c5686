import Events
import Guest
import WindowsTypes

/// A thread: its registers while it does not run, the kernel routines that wait on it, and where its `ETHREAD` lies.
public final class Thread {
  /// Its number in the run, from 0.
  public let id: ThreadID
  public let name: String
  public let object: Pointer<ETHREAD>
  /// The process it was created in.
  public let owner: Process
  let routines: RoutineStack
  /// What each waiting routine returns to, innermost last: as many as ``routines`` has, and one that runs.
  @exclusivity(unchecked) var activations: [Activation] = []
  /// The first address above its kernel stack.
  let stackBase: UInt64
  let stackLimit: UInt64
  /// The stack pointer from which the run's next call on this thread starts.
  var restingStackPointer: UInt64
  /// How it goes on, while it does not run.
  @exclusivity(unchecked) var resumption = Resumption.none
  var savedExceptionList: UInt64 = 0xffff_ffff
  var savedIRQL = IRQL.passive
  /// What it has in the floating-point unit, while it does not run.
  var floatingPoint = FloatingPointState.initial
  /// Until when it keeps the processor from others of its priority, in 100 ns since boot.
  var quantumEnd: UInt64 = 0
  /// The wait that it is in.
  var wait: Wait?
  var waitsFor: [Kernel.DispatcherObject] { wait?.objects ?? [] }
  /// The waits in which APCs run at this moment, outermost first.
  var interruptedWaits: [InterruptedWait] = []
  /// Where the stack and the chain of handlers were when unwinds called finally blocks, outermost first.
  var localUnwinds: [(stackPointer: UInt64, frames: UInt64)] = []
  /// Whether it is in user mode but for the APCs that it takes.
  var isTakingAPCs = false
  /// What it waits for, where no object tells.
  var purpose: WaitPurpose?
  /// Whether it runs something of its own beside the run's calls.
  public internal(set) var isServing = false
  /// Whether it has ended.
  public var hasEnded: Bool { (try? object.Tcb.State.load()) == .terminated }
  /// Whether it is in no call of the kernel's: in user mode, or before its start.
  var isAtRest: Bool {
    guard case .none = resumption else { return false }
    return activations.isEmpty
  }
  /// Whether its next turn is its way out.
  var startsExit = false
  /// A worker that found its queue empty.
  var isIdleWorker = false

  init(
    id: ThreadID, name: String, object: Pointer<ETHREAD>, owner: Process, routines: RoutineStack, stackBase: UInt64,
    stackLimit: UInt64
  ) {
    self.id = id
    self.name = name
    self.object = object
    self.owner = owner
    self.routines = routines
    self.stackBase = stackBase
    self.stackLimit = stackLimit
    restingStackPointer = stackBase - 0x10
    savedExceptionList = object.memory.target.endOfExceptionChain
  }
}

extension Kernel {
  /// Makes a thread of `process`, with a kernel stack of its own.
  @discardableResult
  public func createThread(_ name: String, in process: Process, uniqueID: UInt64? = nil) throws -> Thread {
    let object: Pointer<ETHREAD> = try allocateObject()
    guard let bottom = stackAddresses.allocate(layout.stackSize + GuestMemory.pageSize) else {
      throw GuestException(.insufficientResources)
    }
    let limit = bottom + GuestMemory.pageSize
    for page in stride(from: limit, to: limit + layout.stackSize, by: Int(GuestMemory.pageSize)) {
      try memory.kernel.set(.init(.valid, frame: memory.physical.allocate()), at: page)
    }
    let thread = Thread(
      id: threads.count, name: name, object: object, owner: process, routines: RoutineStack(on: loop),
      stackBase: limit + layout.stackSize, stackLimit: limit)
    threads.append(thread)
    threadByObject[object.address] = thread

    let tcb = object.Tcb
    let here = memory.memory
    try tcb.Header.Type.store(.thread)
    try tcb.Header.Size.store(UInt8(Pointer<KTHREAD>.size(in: here) / 4))
    try tcb.Header.WaitListHead.initialize()
    try tcb.MutantListHead.initialize()
    try tcb.InitialStack.store(Pointer(thread.stackBase, in: here))
    try tcb.StackBase.store(Pointer(thread.stackBase, in: here))
    try tcb.StackLimit.store(Pointer(thread.stackLimit, in: here))
    try tcb.State.store(.ready)
    try tcb.Priority.store(8)
    try tcb.BasePriority.store(8)
    for index in 0..<2 {
      try tcb.ApcState.ApcListHead.advanced(by: index).initialize()
      try tcb.SavedApcState.ApcListHead.advanced(by: index).initialize()
    }
    try tcb.ApcState.Process.store(process.object.cast())
    try tcb.ApcStatePointer[0].store(tcb.ApcState)
    try tcb.ApcStatePointer[1].store(tcb.SavedApcState)
    try tcb.apcQueueable.store(1)
    // A thread of System has never been in user mode; any other has entered the kernel by a system call.
    try tcb.PreviousMode.store(process.id == 0 ? .kernelMode : .userMode)
    try object.threadsProcess.store(process.object)
    try object.Cid.UniqueProcess.store(process.object.UniqueProcessId.load())
    try object.Cid.UniqueThread.store(Pointer(uniqueID ?? UInt64(0x100 + 4 * threads.count), in: here))
    try noteClient(object.Cid.UniqueThread.load().address, object.address)
    try object.IrpList.initialize()
    if process.id == 0 { try object.setSystemThread() }
    try process.object.ThreadListHead.insertTail(object.ThreadListEntry)
    try process.object.Pcb.ThreadListHead.insertTail(tcb.ThreadListEntry)
    try process.object.ActiveThreads.store(process.object.ActiveThreads.load() + 1)
    return thread
  }

  /// The running thread's object: `fs:[124h]`.
  package func currentThread() throws -> Pointer<KTHREAD> { try kpcr.PrcbData.CurrentThread.load() }

  /// Attaches `thread` to `process` before the run begins, as its own call of `KeStackAttachProcess` would.
  public func attach(_ thread: Thread, to process: Process) throws {
    try run(thread)
    try attach(thread.object.Tcb, to: process.object.Pcb, saving: thread.object.Tcb.SavedApcState)
  }

  public func thread(at address: UInt64) -> Thread? { threadByObject[address] }

  /// Makes `thread` the running one, in the address space that it is attached to.
  public func run(_ thread: Thread) throws {
    if running !== thread {
      running?.floatingPoint = registers.floatingPoint
      registers.floatingPoint = thread.floatingPoint
    }
    running = thread
    thread.quantumEnd = interruptTime + VirtualTime.quantum
    try kpcr.PrcbData.CurrentThread.store(thread.object.Tcb)
    try kpcr.NtTib.StackBase.store(Pointer(thread.stackBase, in: memory.memory))
    try kpcr.NtTib.StackLimit.store(Pointer(thread.stackLimit, in: memory.memory))
    try kpcr.NtTib.ExceptionList.store(Pointer(memory.target.endOfExceptionChain, in: memory.memory))
    try thread.object.Tcb.State.store(.running)
    stream.append(.thread(thread.id))
    isAPCDue = try thread.object.Tcb.ApcState.KernelApcPending.load() != 0
    try switchAddressSpace(to: thread.object.Tcb.ApcState.Process.load(), .schedule)
    armDeadline()
  }
}
