import Events
import Guest
import Memory
import NTKernel
import WindowsTypes

extension Machine {
  /// Performs the fixture's steps in order, until the run is over.
  func performSteps() throws {
    try startDrivers()
    for (index, step) in fixture.steps.enumerated() {
      if isOver {
        // What a run came to can still be looked at.
        if case .expect(let expectation) = step.action { check(expectation) }
        continue
      }
      try perform(step, index)
    }
  }

  private func perform(_ step: Fixture.Step, _ index: Int) throws {
    let line = step.origin.line
    do {
      switch step.action {
      case .call(let call): try perform(call, index, line)
      case .expect(let expectation): check(expectation)
      case .issue(let operation, let name):
        stream.append(.step(index, "\(operation.requestor ?? "nobody") asks for \(operation.kind.rawValue)"))
        let data = try callbackData(for: operation, line: line)
        if let name { values[name] = data }
      case .exit(let name, let status): try exit(name, status, index, line)
      case .createProcess(let start): try perform(start, index, line)
      case .createThread(let start): try perform(start, index, line)
      case .exitThread(let name, let status): try exitThread(name, status, index, line)
      case .map(let name, let region):
        stream.append(.step(index, "map \(hex(region.address)) in \(name)"))
        let owner = try process(name, line: line)
        for page in 0..<((region.size + 0xfff) >> 12) where owner.space[region.address + page << 12].kind != .free {
          throw error(line, "\(name) has memory at \(hex(region.address + page << 12)) already")
        }
        try map(region, in: owner)
      case .unmap(let range):
        stream.append(.step(index, "unmap \(hex(range.address)) in \(range.process)"))
        let owner = try process(range.process, line: line)
        try owner.space.user.set(
          repeatElement(Page.free, count: Int((range.size + 0xfff) >> 12)), at: range.address)
      case .protect(let protect):
        stream.append(.step(index, "protect \(hex(protect.range.address)) in \(protect.range.process)"))
        try change(protect, line)
      case .store(let name, let address, let content):
        stream.append(.step(index, "\(name) stores at \(hex(address))"))
        try kernel.store(content.spelledOut, at: address, in: process(name, line: line))
      case .pageOut(let range):
        stream.append(.step(index, "page out \(hex(range.address)) of \(range.process)"))
        let owner = try process(range.process, line: line)
        for page in 0..<((range.size + 0xfff) >> 12) { try kernel.trim(range.address + page << 12, in: owner) }
      case .load(let load): try perform(load, index, line)
      case .unload(let unload): try perform(unload, index, line)
      case .request(let request): try perform(request, index, line)
      case .port(let request): try perform(request, index, line)
      case .serve(let service): try perform(service, index, line)
      case .device(let request): try perform(request, index, line)
      case .volume(let change): try perform(change, index, line)
      case .interrupt(let vector, let expect): try raiseInterrupt(vector, expect: expect, index, line)
      case .run(.untilIdle):
        stream.append(.step(index, "run until idle"))
        try runUntilIdle()
      case .run(.settled): try settle(index)
      case .run(.devicesAsked): try askDevices(index, line)
      case .run(.shutdown):
        let call = Fixture.Call(
          on: try systemThread().name, .symbol(module: "nt", name: "NtShutdownSystem", offset: 0), with: [.integer(0)])
        try perform(call, index, line, title: "shutdown")
      }
    } catch let bugCheck as BugCheck {
      kernel.fail(bugCheck)
      noteEnding()
    } catch let exception as GuestException {
      guard case .store = step.action else {
        // Guest code has damaged what the kernel itself goes by: the trap handler would fault in turn.
        kernel.fail(BugCheck(.unexpectedKernelModeTrap, 8, UInt64(exception.code.rawValue)))
        return noteEnding()
      }
      throw error(line, "the step raised \(exception.code) in the process's own name")
    } catch let exhausted as MemoryExhausted {
      stream.append(.note(exhausted.description))
      end(.limit(.memory))
    }
  }

  private func change(_ protect: Fixture.Protect, _ line: Int?) throws {
    let owner = try process(protect.range.process, line: line)
    for index in 0..<((protect.range.size + 0xfff) >> 12) {
      let place = protect.range.address + index << 12
      var page = owner.space[place]
      guard page.kind != .free else { throw error(line, "\(owner.name) has no memory at \(hex(place)) to protect") }
      if let protection = protect.protection { page.protection = self.protection(protection) }
      if let isGuard = protect.guard { page.isGuard = isGuard }
      switch protect.kind {
      case .noAccess: page.protection = .noAccess
      case .copyOnWrite: page.protection = .writeCopy
      case .reserved, .decommitted: page = Page(protect.kind == .reserved ? .reserved : .decommitted, page.protection)
      case .valid, .demandZero, .pagedOut, nil: break
      }
      try owner.space.user.set(page, at: place)
    }
  }

  func perform(_ call: Fixture.Call, _ index: Int, _ line: Int?, title: String? = nil) throws {
    let thread = try thread(call.thread, line: line)
    let routine = try address(of: call.routine, line: line)
    let arguments = try words(of: call, line: line)
    try perform(
      Invocation(
        name: call.routine, routine: routine, arguments: arguments, irql: call.irql, result: call.result, kind: call.kind,
        expect: call.expect),
      on: thread, index, line, title: title ?? "\(call.routine) on \(call.thread)")
  }

  /// A call whose names are all known: what most steps come to.
  struct Invocation {
    /// What sentences call the routine.
    let name: Fixture.Place
    let routine: UInt64
    let arguments: [UInt64]
    var irql: Fixture.IRQL?
    /// The name under which later steps find what the call returned.
    var result: String?
    var kind = Fixture.Call.Kind.thread
    var expect: Fixture.CallExpectation?
  }

  /// - Parameter title: what the trace calls the step.
  func perform(_ call: Invocation, on thread: NTKernel.Thread, _ index: Int, _ line: Int?, title: String) throws {
    stream.append(.step(index, title))
    var isGuarded = false
    if case .raises = call.expect { isGuarded = true }
    let firstEvent = stream.events.count
    if call.kind == .dpc { try kernel.enterDPC() }
    if let irql = call.irql, irql.rawValue > 0, call.kind != .dpc { _ = try kernel.raiseIRQL(to: IRQL(rawValue: irql.rawValue)) }
    if try kernel.beginCall(call.routine, call.arguments, on: thread, isGuarded: isGuarded) == .proceed {
      try runGuest()
    } else {
      noteEnding()
    }
    if !isOver {
      switch kernel.callResult {
      case .returned(let value):
        outcome = .returned(value)
        if let name = call.result { values[name] = value }
      case .raised(let code): outcome = .raised(code)
      case nil: throw error(line, "the call ended without a result")
      }
      try leave(call)
      if call.kind == .systemCall { try returnToUserMode(thread) }
      try deliverAPCs()
    }
    check(call.expect, of: call.name, line, eventsFrom: firstEvent)
    try endIfTerminated(thread, line)
  }

  /// A thread that somebody has ended meanwhile does not come back to user mode.
  private func endIfTerminated(_ thread: NTKernel.Thread, _ line: Int?) throws {
    guard !isOver, try kernel.isTerminating(thread) else { return }
    let result = outcome
    try finish(try kernel.beginExit(of: thread, .success), line)
    if !isOver { outcome = result }
  }

  /// Lets the kernel APCs of threads in user mode run, as they do when those get the processor.
  func deliverAPCs() throws {
    guard !isOver, try kernel.beginDeliveries() == .proceed else { return }
    try runGuest()
  }

  /// A thread that goes back to user mode takes its user APCs first.
  private func returnToUserMode(_ thread: NTKernel.Thread) throws {
    while !isOver, !thread.hasEnded, try kernel.isUserAPCDue(to: thread) {
      if try kernel.beginUserAPCs(of: thread) == .proceed { try runGuest() } else { noteEnding() }
    }
  }

  /// What the kernel does when a routine of this kind has returned.
  private func leave(_ call: Invocation) throws {
    switch call.kind {
    case .systemCall: try kernel.checkReturn(of: call.routine, isWorker: false)
    case .workItem: try kernel.checkReturn(of: call.routine, isWorker: true)
    case .dpc: try kernel.leaveDPC()
    case .thread: if call.irql != nil { try kernel.lowerIRQL(to: .passive) }
    }
  }
}
