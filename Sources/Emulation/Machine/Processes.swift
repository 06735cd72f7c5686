import Guest
import NTKernel
import WindowsTypes

/// The life of processes and threads.
extension Machine {
  func perform(_ start: Fixture.ProcessStart, _ index: Int, _ line: Int?) throws {
    let creator = try liveThread(start.creator, line: line)
    stream.append(.step(index, "\(start.creator) creates \(start.process.name)"))
    let creation = ProcessCreation(
      start.process.name, uniqueID: freeID(start.process.id), threadName: start.thread, threadID: freeID(start.threadID),
      imageName: start.image, commandLine: start.commandLine, user: start.process.user
    ) { [self] process in
      for region in start.process.memory { try map(region, in: process) }
      nameNewcomers()
    }
    try finish(try kernel.beginCreation(creation, by: creator), line)
    nameNewcomers()
    checkResult(start.expect, line)
    guard !isOver, kernel.wantsImages, let thread = kernel.threads.last(where: { $0.name == start.thread }), !thread.hasEnded else {
      return
    }
    try finish(try kernel.beginFirstRun(of: thread), line)
  }

  func perform(_ start: Fixture.ThreadStart, _ index: Int, _ line: Int?) throws {
    let creator = try liveThread(start.creator, line: line)
    let owner = try start.process.map { try process($0, line: line) } ?? creator.owner
    guard !owner.hasExited else { throw error(line, "\(owner.name) has ended") }
    stream.append(.step(index, "\(start.creator) creates \(start.thread) in \(owner.name)"))
    try finish(try kernel.beginThread(start.thread, in: owner, uniqueID: freeID(start.id), by: creator), line)
    nameNewcomers()
  }

  /// A process ends: each of its threads does, in its own context, and the last one takes the process with it.
  func exit(_ name: String, _ code: Fixture.Code?, _ index: Int, _ line: Int?) throws {
    let process = try process(name, line: line)
    guard process.id != 0 else { throw error(line, "System does not end") }
    guard !process.hasExited else { throw error(line, "\(name) has ended already") }
    stream.append(.step(index, "\(name) exits"))
    let status = try code.map { try self.status($0, line: line) } ?? NTSTATUS.success
    let threads = kernel.threads.filter { $0.owner === process && !$0.hasEnded }
    if threads.isEmpty { return try kernel.exit(process) }
    for thread in threads where !isOver { try finish(try kernel.beginExit(of: thread, status), line) }
  }

  func exitThread(_ name: String, _ code: Fixture.Code?, _ index: Int, _ line: Int?) throws {
    let thread = try liveThread(name, line: line)
    stream.append(.step(index, "\(name) exits"))
    try finish(try kernel.beginExit(of: thread, try code.map { try self.status($0, line: line) } ?? NTSTATUS.success), line)
  }

  /// Runs what a step has begun until it has come back, or the run is over.
  func finish(_ continuation: Continuation, _ line: Int?) throws {
    if continuation == .proceed { try runGuest() } else { noteEnding() }
    guard !isOver else { return }
    guard case .returned(let value) = kernel.callResult else { throw error(line, "the step ended without a result") }
    outcome = .returned(value)
    try deliverAPCs()
  }

  private func checkResult(_ expectation: Fixture.CallExpectation?, _ line: Int?) {
    let routine = Fixture.Place.symbol(module: "nt", name: "NtCreateProcess", offset: 0)
    if expectation != nil || isOver { return check(expectation, of: routine, line, eventsFrom: stream.events.count) }
    if case .returned(let value) = outcome, value != 0 {
      mismatch(line, "\(routine) was to succeed; it returned \(NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value)))")
    }
  }

  private func liveThread(_ name: String, line: Int?) throws -> NTKernel.Thread {
    let thread = try thread(name, line: line)
    guard !thread.hasEnded else { throw error(line, "\(name) has ended") }
    return thread
  }

  /// Makes the names of processes and threads that came after the start known to whoever prints the run.
  func nameNewcomers() {
    for process in kernel.processes.dropFirst(names.processes.count) {
      let id = (try? process.object.UniqueProcessId.load().address) ?? 0
      names.processes.append(Names.Process(name: process.name, uniqueID: id, object: process.object.address))
    }
    for thread in kernel.threads.dropFirst(names.threads.count) {
      names.threads.append(Names.Thread(name: thread.name, owner: thread.owner.id, object: thread.object.address))
    }
  }

  /// An identifier that neither a process nor a thread has, nor the fixture gives to another.
  private func freeID(_ wanted: UInt32?) -> UInt64 {
    if let wanted { return UInt64(wanted) }
    let given = fixture.processes.compactMap(\.id) + fixture.threads.compactMap(\.id) + stepIDs
    let used = kernel.processes.compactMap { try? UInt32(truncatingIfNeeded: $0.object.UniqueProcessId.load().address) }
    let threads = kernel.threads.compactMap { try? UInt32(truncatingIfNeeded: $0.object.Cid.UniqueThread.load().address) }
    let taken = Set(given + used + threads + chosenIDs)
    let choice = stride(from: UInt32(0x400), to: .max, by: 4).first { !taken.contains($0) } ?? 0
    chosenIDs.append(choice)
    return UInt64(choice)
  }

  private var stepIDs: [UInt32] {
    fixture.steps.flatMap { step -> [UInt32] in
      switch step.action {
      case .createProcess(let start): [start.process.id, start.threadID].compactMap { $0 }
      case .createThread(let start): [start.id].compactMap { $0 }
      default: []
      }
    }
  }
}
