import Dispatch
import WindowsTypes

/// The user side in a process of its own: each function is asked of a run that `probelock serve` lets in.
///
///     let library = try RemoteFilterLibrary(socket: "/run/user/1000/probelock.sock")
///     try await monitor(library)
///
/// The run's time stands still between an answer and the next request: what takes this process long takes the run none, and
/// ``sleep(for:)`` lets its time pass. One library is one thread of the fixture's; a service with several opens several.
public final class RemoteFilterLibrary: FilterLibrary, @unchecked Sendable {
  private let socket: UnixSocket
  /// One request at a time: each blocks a thread of the host's that nobody else needs.
  private let queue = DispatchQueue(label: "probelock.filter-library")

  /// The run has ended, or let this service go.
  public struct RunEnded: Error, Hashable, Sendable, CustomStringConvertible {
    public let description = "the run has ended, or closed this connection"
  }

  /// Connects to a run.
  ///
  /// - Parameters:
  ///   - path: what `probelock serve` listens on.
  ///   - thread: the thread of the fixture's that this service is; `nil` for the first that has no service yet.
  public init(socket path: String, as thread: String? = nil) throws {
    socket = try UnixSocket.connected(to: path)
    guard socket.send(ServiceFrame.bytes(of: .hello(thread: thread ?? ""))) else { throw RunEnded() }
  }

  /// Asks, and waits for the answer: blocks the calling thread of the host.
  package func exchange(_ request: ServiceRequest) throws -> [UInt8] {
    guard socket.send(ServiceFrame.bytes(of: request)), let body = try socket.frame() else { throw RunEnded() }
    let response = try ServiceFrame.response(body)
    guard response.result.isSuccess else { throw response.result }
    return response.bytes
  }

  private func ask(_ request: ServiceRequest) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try self.exchange(request) }) }
    }
  }

  public func connect(to port: String, options: UInt32, context: [UInt8]) async throws -> FilterPort {
    guard context.count <= 0xffff else { throw HRESULT.invalidArgument }
    var reader = FrameReader(try await ask(.connect(port: port, options: options, context: context)))
    return FilterPort(handle: try reader.word())
  }

  public func message(from port: FilterPort, capacity: Int) async throws -> FilterMessage {
    try Self.message(try await ask(.message(port: port.handle, capacity: UInt32(clamping: capacity))))
  }

  package static func message(_ bytes: [UInt8]) throws -> FilterMessage {
    var reader = FrameReader(bytes)
    let length = try reader.word()
    let id = UInt64(try reader.word()) | UInt64(try reader.word()) << 32
    return FilterMessage(id: id, replyLength: length, payload: reader.rest())
  }

  public func reply(to message: UInt64, on port: FilterPort, status: NTSTATUS, _ data: [UInt8]) async throws {
    guard data.count <= ThreadLibrary.largestBuffer - 16 else { throw HRESULT(win32: 8) }
    _ = try await ask(.reply(port: port.handle, message: message, status: status.rawValue, data))
  }

  public func send(_ data: [UInt8], to port: FilterPort, capacity: Int) async throws -> [UInt8] {
    guard data.count <= ThreadLibrary.largestBuffer - 16 else { throw HRESULT(win32: 8) }
    return try await ask(.send(port: port.handle, capacity: UInt32(clamping: capacity), data))
  }

  public func close(_ port: FilterPort) async throws { _ = try await ask(.close(port: port.handle)) }
  public func load(_ filter: String) async throws { _ = try await ask(.load(filter)) }
  public func unload(_ filter: String) async throws { _ = try await ask(.unload(filter)) }
  public func sleep(for duration: UInt64) async throws { _ = try await ask(.sleep(duration)) }
}
