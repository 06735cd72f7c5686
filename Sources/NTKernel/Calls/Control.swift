import Events
import Guest
import Memory
import WindowsTypes

/// Control between guest code and kernel routines: traps come in here, and go back from here.
extension Kernel {
  /// Guest code reached the trap of export number `trap`: its routine runs, at once or until it waits. `registers` are
  /// ``registers``, passed so that a call counts no reference to them.
  public func serve(trap: Int, with registers: any Registers) -> Continuation {
    let stackPointer = registers[.sp]
    servedExport = trap
    servedStackPointer = stackPointer
    do {
      if !pageTableViews.isEmpty { try releasePageTableViews() }
      servedReturnAddress = try GuestWord.load(memory.memory, at: stackPointer).bits
      var reader = arguments(of: services[trap].convention, registers, at: stackPointer)
      do {
        let value: UInt64
        if let routine = services[trap].immediate {
          value = try routine._withUnsafeGuaranteedRef { try $0.body(self, &reader) }
        } else {
          guard let routine = services[trap].waiting else { throw KernelError("export \(trap) has no body") }
          switch try routine._withUnsafeGuaranteedRef({ try $0.decode(self, &reader) }) {
          case .done(let result): value = result
          case .waits(let body):
            return try start(.export(number: trap, saved: PreservedRegisters(registers, sp: stackPointer)), body)
          }
        }
        finishCall(trap, value, registers)
      } catch is ThreadBlocks {
        try suspendRunning(.export(number: trap, registersAfterReturn(of: trap, stackPointer: stackPointer)))
        return try runNextThread()
      }
      guard isInterruptDue else { return .proceed }
      return try interrupt(goingOnWith: registersAfterReturn(of: trap, stackPointer: stackPointer)) ?? .proceed
    } catch {
      return handle(error, ip: registers[.ip], sp: servedStackPointer)
    }
  }

  /// Serves a call whose arguments are in ``registers``.
  public func serve(trap: Int) -> Continuation { serve(trap: trap, with: registers) }

  @inline(__always)
  private func finishCall(_ number: Int, _ value: UInt64, _ registers: any Registers) {
    let result = services[number].result
    stream.append(resultOf: number, value, hasValue: result != .none)
    if result == .none { return }
    registers[.ax] = value & 0xffff_ffff
    if result == .twoRegisters { registers[.dx] = value >> 32 }
  }

  /// A wait that an export ended with is over: its result, late.
  func recordResult(_ number: Int, _ value: UInt64) { finishCall(number, value, registers) }

  /// Lets the innermost waiting routine of `thread` go on.
  func resumeRoutine(of thread: Thread, returning value: UInt64) throws -> Continuation {
    recallCaller(on: thread)
    return try obey(try thread.routines.resume(returning: value), on: thread)
  }

  /// A routine goes on after others have been served: its caller is the one that called it.
  private func recallCaller(on thread: Thread) {
    guard case .export(let number, let saved) = thread.activations.last else { return }
    servedExport = number
    servedStackPointer = saved.sp
    servedReturnAddress = (try? GuestWord.load(memory.memory, at: saved.sp).bits) ?? 0
  }

  /// Starts a routine on the running thread's stack of waiting routines.
  func start(_ activation: Activation, _ body: @escaping RoutineStack.Body) throws -> Continuation {
    guard let thread = running else { throw KernelError("no thread runs") }
    try abandonRoutines(below: registers[.sp], of: thread)
    thread.activations.append(activation)
    return try obey(try thread.routines.start(body), on: thread)
  }

  /// A callback has returned to place number `place`: the routine that waits for it goes on, whatever the callback popped.
  public func callbackReturned(to place: Int) -> Continuation {
    do {
      guard let thread = running else { throw KernelError("no thread runs") }
      // Those above it were abandoned by a jump; one that is not there is guest code that strayed to a place of ours.
      guard let depth = stride(from: thread.routines.depth, to: 0, by: -1).first(where: { ($0 - 1) % Self.callbackPlaces == place })
      else { throw BugCheck(.unexpectedKernelModeTrap, 6, 0, 0, registers[.ip]) }
      let dead = try thread.routines.unwind(toDepth: depth)
      thread.activations.removeLast(dead)
      if let stackPointer = thread.routines.stackPointer { registers[.sp] = stackPointer }
      recallCaller(on: thread)
      return try obey(try thread.routines.resume(returning: registers[.ax]), on: thread)
    } catch {
      return end(error)
    }
  }

  /// Guest code whose stack pointer lies above waiting routines has jumped over them. One that lies elsewhere tells nothing:
  /// guest code may run on a stack of its own.
  private func abandonRoutines(below stackPointer: UInt64, of thread: Thread) throws {
    guard stackPointer >= thread.stackLimit && stackPointer <= thread.stackBase else { return }
    let dead = try thread.routines.unwind(to: stackPointer)
    thread.activations.removeLast(dead)
  }

  private func obey(_ exit: Exit, on thread: Thread) throws -> Continuation {
    switch exit {
    case .returned(let value):
      switch thread.activations.popLast() {
      case .export(let number, let saved):
        finishCall(number, value, registers)
        saved.restore(to: registers)
        registers[.ip] = try GuestWord.load(memory.memory, at: saved.sp).bits
        registers[.sp] = saved.sp + services[number].poppedBytes
        guard isAPCDue else { return .proceed }
        return try deliverAPCs(on: thread, before: .registers(allRegisters())) ?? .proceed
      case .step:
        callResult = .returned(value)
        return .stop
      case .thread: return try endRunningThread(.success)
      case .service: return try runNextThread()
      case .exit(let isStep):
        guard isStep else { return try runNextThread() }
        callResult = .returned(value)
        return .stop
      case .interrupt(let values): return try returnFromInterrupt(to: values)
      case .apc(let resumption): return try returnFromAPCs(of: thread, to: resumption)
      case .dispatch, nil: throw KernelError("exception dispatch returned")
      }
    case .raised(let error):
      let activation = thread.activations.popLast()
      if case .export(let number, let saved) = activation {
        if !(error is ControlTransfer) { saved.restore(to: registers) }
        return handle(error, ip: trapAddresses[number], sp: registers[.sp])
      }
      return handle(error, ip: registers[.ip], sp: registers[.sp])
    case .call(let call):
      try enter(call, on: thread)
      return .proceed
    case .blocked:
      try suspendRunning(.routine(allRegisters()))
      return try runNextThread()
    }
  }

  /// Makes guest code run `call`, and come back by the callback trap.
  private func enter(_ call: GuestCall, on thread: Thread) throws {
    for (register, value) in call.registers { registers[register] = value }
    registers[.sp] = try pushFrame(call.arguments, callbackReturn(depth: thread.routines.depth), below: call.stackPointer)
    registers[.ip] = call.routine
  }

  /// Writes what a caller leaves on the stack: arguments and a return address. Returns the stack pointer at the callee's entry.
  private func pushFrame(_ arguments: [UInt64], _ returnAddress: UInt64, below top: UInt64) throws -> UInt64 {
    let width = UInt64(memory.target.width.rawValue)
    var stackPointer = top
    func push(_ value: UInt64) throws {
      stackPointer = below(stackPointer, width)
      try GuestWord(value).store(memory.memory, at: stackPointer)
    }
    for value in arguments.reversed() { try push(value) }
    try push(returnAddress)
    return stackPointer
  }

  /// For routines: calls a driver's dispatch or completion routine and returns its result.
  ///
  /// One of the kernel's own drivers runs here and now, recorded like any call: the way through the processor and back would cost
  /// more than it does.
  package func callDriverRoutine(_ routine: UInt64, _ arguments: [UInt64]) async throws -> UInt64 {
    guard let thread = running, let number = ownRoutine(at: routine), let own = services[number].waiting else {
      return try await call(routine, arguments)
    }
    let saved = PreservedRegisters(registers, sp: registers[.sp])
    let caller = (servedExport, servedStackPointer, servedReturnAddress)
    let returnAddress = callbackReturn(depth: thread.routines.depth + 1)
    let stackPointer = try pushFrame(arguments, returnAddress, below: saved.sp)
    registers[.sp] = stackPointer
    (servedExport, servedStackPointer, servedReturnAddress) = (number, stackPointer, returnAddress)
    var reader = self.arguments(of: services[number].convention, registers, at: stackPointer)
    let value: UInt64
    switch try own._withUnsafeGuaranteedRef({ try $0.decode(self, &reader) }) {
    case .done(let result): value = result
    case .waits(let body): value = try await body()
    }
    finishCall(number, value, registers)
    saved.restore(to: registers)
    (servedExport, servedStackPointer, servedReturnAddress) = caller
    return value
  }

  /// The number of the routine behind a trap that no guest code can import: one of the kernel's own drivers'.
  private func ownRoutine(at address: UInt64) -> Int? {
    guard layout.traps.contains(address), address & 0xf == 0 else { return nil }
    let number = Int((address - layout.traps.lowerBound) >> 4)
    return number < services.count && services[number].isInternal && trapAddresses[number] == address ? number : nil
  }

  /// Whether a dispatch routine is one of the kernel's own drivers'.
  func isOwnRoutine(at address: UInt64) -> Bool { ownRoutine(at: address) != nil }

  /// How many places for returning callbacks there are; deeper routines share them.
  private static let callbackPlaces = 256

  /// Where the callback returns to that the routine at `depth`, counted from 1, waits for.
  private func callbackReturn(depth: Int) -> UInt64 {
    layout.callbacks.lowerBound + UInt64((depth - 1) % Self.callbackPlaces) * 16
  }

  /// The places that callbacks return to.
  public var callbackRange: (base: UInt64, count: Int) { (layout.callbacks.lowerBound, Self.callbackPlaces) }

  /// `size` bytes below a stack pointer, which guest code may have set to anything.
  package func below(_ stackPointer: UInt64, _ size: UInt64) -> UInt64 {
    let place = stackPointer &- size
    return memory.target.width == .x86 ? place & 0xffff_ffff : place
  }

  /// For routines: calls guest code on the running thread and returns its result register.
  ///
  /// - Parameters:
  ///   - stackPointer: below which the call's frame begins; the current one if `nil`.
  ///   - values: what the routine is to find in registers.
  public func call(
    _ routine: UInt64, _ arguments: [UInt64], below stackPointer: UInt64? = nil, setting values: [Register: UInt64] = [:]
  ) async throws -> UInt64 {
    guard let thread = running else { throw KernelError("no thread runs") }
    let base = stackPointer ?? registers[.sp]
    return try await thread.routines.suspend(
      .call(GuestCall(routine: routine, arguments: arguments, stackPointer: base, registers: values)), at: base)
  }

  /// Something that a routine or an access threw: an exception is dispatched, a transfer made, anything else ends the run.
  ///
  /// - Parameters:
  ///   - ip: the instruction that is to blame; for an export, its own address.
  ///   - sp: the guest's stack pointer there.
  func handle(_ error: any Error, ip: UInt64, sp: UInt64) -> Continuation {
    do {
      switch error {
      case let exception as GuestException: return try raise(exception, ip: ip, sp: sp)
      case let raised as CallersException:
        return try raise(raised.exception, ip: servedReturnAddress, sp: servedStackPointer + services[servedExport].poppedBytes)
      case let reached as TrapHandlerReached: return enterTrapHandler(reached.vector)
      case let transfer as ControlTransfer:
        try leave(for: transfer)
        return .proceed
      case let ends as ThreadEnds: return try endRunningThread(ends.status)
      case let raised as GuardedRaise:
        callResult = .raised(raised.code.rawValue)
        return .stop
      default: throw error
      }
    } catch {
      return end(error)
    }
  }

  private func leave(for transfer: ControlTransfer) throws {
    if let thread = running, let stackPointer = transfer.registers[.sp] {
      try abandonRoutines(below: stackPointer, of: thread)
    }
    for (register, value) in transfer.registers { registers[register] = value }
  }

  /// Ends the run with a bugcheck that no guest code called for.
  public func fail(_ bugCheck: BugCheck) { _ = end(bugCheck) }

  /// The run is over.
  func end(_ error: any Error) -> Continuation {
    switch error {
    case let bugCheck as BugCheck:
      stream.append(.bugCheck(code: bugCheck.code.rawValue, parameters: bugCheck.parameters, site: site()))
      if let continuation = notifyBugCheck(bugCheck) { return continuation }
      ending = .bugCheck(hardware.stopping ?? bugCheck)
    case let done as BugCheckDone: ending = .bugCheck(done.bugCheck)
    case let loop as EndlessLoop:
      stream.append(.note(loop.description))
      ending = .endless(loop.description)
    case is AccessLimit: return end(EndlessLoop(description: "a routine walks structures that have no end"))
    case let exhausted as MemoryExhausted: ending = .memoryExhausted(exhausted.description)
    case let exception as GuestException:
      // No stack is left to dispatch on: what the processor makes of that is a double fault.
      return end(BugCheck(.unexpectedKernelModeTrap, 8, UInt64(exception.code.rawValue)))
    case let routine as RoutineNotProvided: ending = .missingRoutine(routine.name)
    case is Abandoned: return .proceed
    default: failure = error
    }
    return .stop
  }

  /// Where guest code is: the instruction or the return address of the export that runs, and who called it.
  package func site() -> Site {
    let here = memory.memory
    let ip = registers[.ip]
    let isInExport = layout.traps.contains(ip) || trapPlaces.contains(ip)
    var stack: [UInt64] = []
    // Looking must not fault.
    if isInExport, here.allows(.read, at: registers[.sp]), here.allows(.read, at: registers[.sp] &+ 3),
      let caller = try? here.load(UInt32.self, at: registers[.sp])
    {
      stack.append(UInt64(caller))
    }
    var frame = registers[.bp]
    // A frame pointer chain goes up, within the stack.
    while stack.count < 16, frame & 3 == 0, let thread = running, frame >= thread.stackLimit, frame + 8 <= thread.stackBase,
      let next = try? here.load(UInt32.self, at: frame), let caller = try? here.load(UInt32.self, at: frame + 4)
    {
      if stack.isEmpty || stack.last != UInt64(caller) { stack.append(UInt64(caller)) }
      guard UInt64(next) > frame else { break }
      frame = UInt64(next)
    }
    // A return to a place of the kernel's own says nothing to anybody.
    return Site(ip: isInExport ? stack.first ?? ip : ip, stack: stack.filter { !layout.callbacks.contains($0) })
  }

  /// Calls `routine` on `thread` with the registers at rest: the run's own way in. The processor runs after this.
  ///
  /// - Parameter isGuarded: an exception that reaches the call ends it instead of the machine.
  public func beginCall(_ routine: UInt64, _ arguments: [UInt64], on thread: Thread, isGuarded: Bool) throws -> Continuation {
    try run(thread)
    registers[.sp] = thread.restingStackPointer
    registers[.bp] = 0
    registers[.flags] = 0x202
    callResult = nil
    thread.activations.append(.step)
    let exit = try thread.routines.start { [self] in
      var below = registers[.sp]
      if isGuarded { below = try installGuard(below: below) }
      let value = try await call(routine, arguments, below: below)
      if isGuarded { try kpcr.NtTib.ExceptionList.store(Pointer(memory.target.endOfExceptionChain, in: memory.memory)) }
      return value
    }
    return try obey(exit, on: thread)
  }

  /// A frame of the run's own at the end of the exception chain.
  private func installGuard(below stackPointer: UInt64) throws -> UInt64 {
    let place = stackPointer - 16
    let frame = Pointer<EXCEPTION_REGISTRATION_RECORD>(place, in: memory.memory)
    try frame.Next.store(kpcr.NtTib.ExceptionList.load())
    try frame.Handler.store(Pointer(trapAddresses[exports["nt", "KiGuardHandler"] ?? 0], in: memory.memory))
    try kpcr.NtTib.ExceptionList.store(frame)
    return place
  }
}
