import FilterManager
import Guest
import NTKernel
import WindowsTypes

/// Services in processes of their own: each plays a thread of the fixture's.
///
/// While one of them owes its next request, no time passes in the run: the machine asks for it when no thread is ready.
final class RemoteServices {
  let host: any ServiceHost
  /// The sessions that owe a request, and the threads that wait for it.
  private var owing: [Int: NTKernel.Thread] = [:]
  private var asked: [Int: Asked] = [:]
  private unowned let kernel: Kernel

  init(_ host: any ServiceHost, _ kernel: Kernel) {
    self.host = host
    self.kernel = kernel
    kernel.awaitOutside = { [unowned self] in
      guard !owing.isEmpty else { return false }
      let (session, asked) = try self.host.next(of: owing.keys.sorted())
      guard let thread = owing.removeValue(forKey: session) else { return false }
      self.asked[session] = asked
      try self.kernel.wake(thread, .success)
      return true
    }
  }

  /// What `thread` does: whatever its service asks for, until it is gone.
  func run(_ session: Int, on library: ThreadLibrary) async throws {
    var ports: Set<UInt32> = []
    defer { host.dismiss(session) }
    while true {
      owing[session] = library.thread
      _ = try await kernel.block(WaitPurpose("its service to say what it does next"))
      guard case .request(let request) = asked.removeValue(forKey: session) else { break }
      do {
        host.answer(ServiceResponse(.ok, try await perform(request, on: library, &ports)), to: session)
      } catch let result as HRESULT {
        host.answer(ServiceResponse(result), to: session)
      }
    }
    // As when a process ends: its handles are closed.
    for port in ports.sorted() { try? await library.close(FilterPort(handle: port)) }
  }

  private func perform(_ request: ServiceRequest, on library: ThreadLibrary, _ ports: inout Set<UInt32>) async throws -> [UInt8] {
    func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    switch request {
    case .hello: throw HRESULT.invalidArgument
    case .connect(let name, let options, let context):
      let port = try await library.connect(to: name, options: options, context: context)
      ports.insert(port.handle)
      return word(port.handle)
    case .message(let port, let capacity):
      let message = try await library.message(
        from: FilterPort(handle: port), capacity: min(Int(capacity), ThreadLibrary.largestBuffer - 16))
      return word(message.replyLength) + word(UInt32(truncatingIfNeeded: message.id)) + word(UInt32(message.id >> 32)) + message.payload
    case .reply(let port, let id, let status, let data):
      try await library.reply(to: id, on: FilterPort(handle: port), status: NTSTATUS(rawValue: status), data)
    case .send(let port, let capacity, let data):
      return try await library.send(data, to: FilterPort(handle: port), capacity: Int(capacity))
    case .close(let port):
      try await library.close(FilterPort(handle: port))
      ports.remove(port)
    case .load(let name): try await library.load(name)
    case .unload(let name): try await library.unload(name)
    case .sleep(let units): try await library.sleep(for: units)
    }
    return []
  }
}
