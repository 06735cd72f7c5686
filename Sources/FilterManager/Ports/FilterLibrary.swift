import Guest
import WindowsTypes

/// A process's end of a connection, as `FilterConnectCommunicationPort` gives it out.
public struct FilterPort: Hashable, Sendable {
  /// The handle, in the process's own table.
  public let handle: UInt32
  public init(handle: UInt32) { self.handle = handle }
}

/// A message from a driver, as `FilterGetMessage` gives it out.
public struct FilterMessage: Hashable, Sendable {
  /// `FILTER_MESSAGE_HEADER.MessageId`: what a reply names.
  public var id: UInt64
  /// `FILTER_MESSAGE_HEADER.ReplyLength`: how long a reply may be, its header of 16 bytes included; 0 where none is expected.
  public var replyLength: UInt32
  /// What the driver sent.
  public var payload: [UInt8]

  public init(id: UInt64, replyLength: UInt32, payload: [UInt8]) {
    self.id = id
    self.replyLength = replyLength
    self.payload = payload
  }

  public var expectsReply: Bool { replyLength > 0 }
}

/// What a service does with the filter manager: the functions of `fltlib.dll`, as one process's thread calls them.
///
/// Each waits as the function does, in the run's virtual time, and throws the ``HRESULT`` that it returns. There are two: a
/// thread inside a run (`Fixture.Service`, ``EmulationOptions/services``), and a Linux process of its own, which `probelock
/// serve` lets in (``RemoteFilterLibrary``). A service that is written for one runs as the other.
///
///     func monitor(_ library: any FilterLibrary) async throws {
///       let port = try await library.connect(to: "\\ProcessMonitor", context: [])
///       while true {
///         let message = try await library.message(from: port, capacity: 64)
///         if message.expectsReply { try await library.reply(to: message, on: port, status: .success, [1, 0, 0, 0]) }
///       }
///     }
public protocol FilterLibrary: AnyObject {
  /// `FilterConnectCommunicationPort`. Beyond 65,535 bytes of context, or of another option than 1: `E_INVALIDARG`.
  func connect(to port: String, options: UInt32, context: [UInt8]) async throws -> FilterPort
  /// `FilterGetMessage`: waits for a message of at most `capacity` bytes; a longer one stays queued, and is
  /// `ERROR_INSUFFICIENT_BUFFER`. `ERROR_INVALID_HANDLE` when the driver's end is gone.
  func message(from port: FilterPort, capacity: Int) async throws -> FilterMessage
  /// `FilterReplyMessage`. `ERROR_FLT_NO_WAITER_FOR_REPLY` when the sender has given up.
  func reply(to message: UInt64, on port: FilterPort, status: NTSTATUS, _ data: [UInt8]) async throws
  /// `FilterSendMessage`: the driver's own routine runs in this process. Returns at most `capacity` bytes.
  func send(_ data: [UInt8], to port: FilterPort, capacity: Int) async throws -> [UInt8]
  /// `CloseHandle`
  func close(_ port: FilterPort) async throws
  /// `FilterLoad`: starts the driver of a service.
  func load(_ filter: String) async throws
  /// `FilterUnload`
  func unload(_ filter: String) async throws
  /// Lets virtual time pass, in 100 ns.
  func sleep(for duration: UInt64) async throws
}

extension FilterLibrary {
  public func connect(to port: String, context: [UInt8] = []) async throws -> FilterPort {
    try await connect(to: port, options: 0, context: context)
  }

  public func reply(to message: FilterMessage, on port: FilterPort, status: NTSTATUS = .success, _ data: [UInt8]) async throws {
    try await reply(to: message.id, on: port, status: status, data)
  }
}

/// A service: what a thread of a process does with the filter manager.
public typealias FilterService = @Sendable (any FilterLibrary) async throws -> Void
