import FilterManager
import Guest
import NTKernel
import WindowsTypes

/// The user side of communication ports.
extension Machine {
  func perform(_ request: Fixture.PortRequest, _ index: Int, _ line: Int?) throws {
    let thread = try thread(request.thread, line: line)
    let owner = thread.owner
    guard !thread.isServing else { throw error(line, "\(request.thread) serves a port already") }
    func call(_ function: String, _ arguments: [UInt64], _ title: String) throws {
      let expectation: Fixture.CallExpectation? =
        switch request.expect {
        case .returns(let result): .returns(.integer(UInt64(result.rawValue)))
        case .call(let expectation): expectation
        case nil: nil
        }
      try perform(
        Fixture.Call(
          on: request.thread, .symbol(module: "fltLib", name: function, offset: 0),
          with: Fixture.Arguments(arguments.map { .init(nil, .integer($0)) }), kind: .systemCall, expect: expectation),
        index, line, title: "\(title) on \(request.thread)")
    }
    switch request.kind {
    case .connect(let port, let handle, let context, let options):
      if try beginRemoteService(on: thread, index, line) { return }
      let bytes = context?.spelledOut ?? []
      let place = try kernel.userBlock(8, in: owner)
      let text = try text(port, in: owner)
      var address: UInt64 = 0
      if !bytes.isEmpty {
        address = try kernel.userBlock(UInt64(bytes.count), in: owner)
        try kernel.store(bytes, at: address, in: owner)
      }
      try call(
        "FilterConnectCommunicationPort", [text, UInt64(options), address, UInt64(bytes.count), 0, place], "connect to \(port)")
      values[handle] = isOver ? 0xffff_ffff : try word(at: place, in: owner)
    case .getMessage(let handle, let buffer, let overlapped):
      try call(
        "FilterGetMessage", [try self.handle(handle, line), buffer.address, UInt64(buffer.length), overlapped ?? 0],
        "get a message from \(handle)")
    case .replyMessage(let handle, let buffer):
      try call("FilterReplyMessage", [try self.handle(handle, line), buffer.address, UInt64(buffer.length)], "reply on \(handle)")
    case .sendMessage(let handle, let input, let output):
      let place = try kernel.userBlock(8, in: owner)
      try call(
        "FilterSendMessage",
        [
          try self.handle(handle, line), input?.address ?? 0, UInt64(input?.length ?? 0), output?.address ?? 0,
          UInt64(output?.length ?? 0), place,
        ], "send a message to \(handle)")
    case .load(let name): try call("FilterLoad", [try text(name, in: owner)], "load the filter \(name)")
    case .unload(let name): try call("FilterUnload", [try text(name, in: owner)], "unload the filter \(name)")
    }
  }

  /// A terminated UTF-16 string in memory of `process`.
  private func text(_ text: String, in process: NTKernel.Process) throws -> UInt64 {
    let units = Fixture.Content.utf16(text).spelledOut + [0, 0]
    let place = try kernel.userBlock(UInt64(units.count), in: process)
    try kernel.store(units, at: place, in: process)
    return place
  }

  // MARK: Services

  func perform(_ service: Fixture.Service, _ index: Int, _ line: Int?) throws {
    let thread = try thread(service.thread, line: line)
    if remoteThreads.contains(thread.id) { return }
    if try beginRemoteService(on: thread, index, line) { return }
    guard !thread.isServing else { throw error(line, "\(service.thread) serves a port already") }
    let buffer = service.buffer.map { $0.address..<$0.address + UInt64($0.length) }
    let library = try ThreadLibrary(kernel, on: thread, buffer: buffer)
    if let body = options.services[service.thread] {
      try start(on: thread, index, "\(service.thread) runs its service") { try await body(library) }
      return
    }
    let port = FilterPort(handle: UInt32(truncatingIfNeeded: try handle(service.handle, line)))
    let script = ServiceScript(
      service, port, capacity: max(0, Int(service.buffer?.length ?? 4096) - 16),
      statuses: try service.replies.map { try $0.status.map { try status($0, line: line) } ?? .success }, kernel)
    try start(on: thread, index, "\(service.thread) serves \(service.handle)") { try await script.run(library) }
  }

  /// Starts a service, and lets it and everybody else run until all wait.
  func start(on thread: NTKernel.Thread, _ index: Int, _ title: String, _ body: @escaping () async throws -> Void) throws {
    stream.append(.step(index, title))
    try kernel.start(on: thread) { [unowned self] in
      do {
        try await body()
        stream.append(.note("\(thread.name)'s service is done"))
      } catch let result as HRESULT {
        stream.append(.note("\(thread.name)'s service is done: \(result)"))
      }
    }
    try runUntilIdle()
  }

  /// Lets a process of its own be the service of `thread`, if the run takes any and a step has the thread serve. Returns whether it
  /// does; the service then connects by itself.
  func beginRemoteService(on thread: NTKernel.Thread, _ index: Int, _ line: Int?) throws -> Bool {
    let serves = fixture.steps.contains { if case .serve(let service) = $0.action { service.thread == thread.name } else { false } }
    guard serves, let host = options.serviceHost else { return false }
    let services = remoteServices ?? RemoteServices(host, kernel)
    remoteServices = services
    remoteThreads.insert(thread.id)
    let session = try host.admit(thread: thread.name)
    let library = try ThreadLibrary(kernel, on: thread)
    try start(on: thread, index, "\(thread.name) is a process of its own") { try await services.run(session, on: library) }
    return true
  }

  func runUntilIdle() throws {
    isIdling = true
    defer { isIdling = false }
    if try kernel.runUntilIdle() == .proceed { try runGuest() } else { noteEnding() }
  }
}

/// A service that a fixture describes.
private struct ServiceScript {
  let service: Fixture.Service
  let port: FilterPort
  let capacity: Int
  /// The status of each reply.
  let statuses: [NTSTATUS]
  let kernel: Kernel

  init(_ service: Fixture.Service, _ port: FilterPort, capacity: Int, statuses: [NTSTATUS], _ kernel: Kernel) {
    self.service = service
    self.port = port
    self.capacity = capacity
    self.statuses = statuses
    self.kernel = kernel
  }

  func run(_ library: ThreadLibrary) async throws {
    var count: UInt64 = 0
    while count < service.messages ?? .max {
      count += 1
      let message = try await library.message(from: port, capacity: capacity)
      guard let index = service.replies.firstIndex(where: { $0.fits(message.payload) }) else { continue }
      let reply = service.replies[index]
      try await library.sleep(for: reply.after)
      if let path = reply.open { try await library.open(path) }
      if let data = reply.send { _ = try await library.send(data.spelledOut, to: port, capacity: 64) }
      if let name = reply.ends, let thread = kernel.threads.first(where: { $0.name == name }) { try kernel.terminate(thread) }
      if reply.exits { throw ThreadEnds(status: .success) }
      if reply.closes { return try await library.close(port) }
      guard reply.with != nil || reply.status != nil else { continue }
      do {
        try await library.reply(to: message.id, on: port, status: statuses[index], reply.with?.spelledOut ?? [])
      } catch let result as HRESULT where result == .noWaiterForReply {
        // The driver has given up on this one; the next may still come.
        continue
      }
    }
  }
}

extension Fixture.Reply {
  fileprivate func fits(_ payload: [UInt8]) -> Bool { to.map { payload.starts(with: $0.spelledOut) } ?? true }
}
