import Events
import Guest
import NTKernel
import WindowsTypes

/// What the filter manager knows of communication ports beside the objects that stand for them in guest memory.
package final class Ports {
  /// By the address of the port's object.
  var servers: [UInt64: ServerPort] = [:]
  /// By the address of each of its ends.
  var connections: [UInt64: Connection] = [:]
  /// In the order in which they came about, those that are over included.
  private(set) var connectionCount = 0
  private var lastMessage: UInt64 = 0
  /// How long the message was that each thread took last, by the thread's number.
  var deliveries: [Int: Int] = [:]

  func nextMessage() -> UInt64 {
    lastMessage += 1
    return lastMessage
  }

  func nextConnection() -> Int {
    connectionCount += 1
    return connectionCount
  }
}

/// A port that takes connections: what `FltCreateCommunicationPort` made.
final class ServerPort {
  let filter: Filter
  let name: String
  let cookie: UInt64
  let (connect, disconnect, message): (UInt64, UInt64, UInt64)
  let maximumConnections: Int
  /// A self-relative descriptor in paged pool, or 0.
  let security: UInt64
  /// The kernel's handle, which the driver has as `PFLT_PORT`.
  var handle: UInt64 = 0
  var isOpen = true
  /// Those that are not over.
  var connections: [Connection] = []

  init(
    _ filter: Filter, name: String, cookie: UInt64, connect: UInt64, disconnect: UInt64, message: UInt64, maximumConnections: Int,
    security: UInt64
  ) {
    self.filter = filter
    self.name = name
    self.cookie = cookie
    (self.connect, self.disconnect, self.message) = (connect, disconnect, message)
    self.maximumConnections = maximumConnections
    self.security = security
  }
}

/// One connection: the driver's end, the process's end, and the messages on their way.
final class Connection {
  let server: ServerPort
  /// From 1.
  let number: Int
  let process: NTKernel.Process
  /// The address of the driver's end.
  var driverEnd: UInt64 = 0
  /// The address of the process's end.
  var processEnd: UInt64 = 0
  var cookie: UInt64 = 0
  var isOver = false
  /// Whether the driver was told, or is not to be.
  var isDriverTold = false
  /// Those that nobody has taken yet.
  var queue: [Message] = []
  /// Those that were taken, and whose senders wait for a reply.
  var awaiting: [UInt64: Message] = [:]
  /// The threads that wait for a message, first come first served.
  var receivers: [NTKernel.Thread] = []
  /// Calls of `FilterGetMessage` that are to complete later.
  var pending: [PendingReceive] = []
  /// The threads that have ever asked for a message.
  var servants: [NTKernel.Thread] = []

  init(_ server: ServerPort, number: Int, process: NTKernel.Process) {
    self.server = server
    self.number = number
    self.process = process
  }
}

/// A call of `FilterGetMessage` with an `OVERLAPPED`.
struct PendingReceive {
  let address: UInt64
  let size: UInt64
  let overlapped: UInt64
  /// The object of `hEvent`, if there is one.
  let event: UInt64?
}

/// A message from a driver: captured when it is sent, written into the receiver's pages when it is taken.
final class Message {
  let id: UInt64
  let payload: [UInt8]
  /// Room for a reply; `nil` where none is expected.
  let capacity: Int?
  let sender: NTKernel.Thread
  /// Who took it.
  var taker: NTKernel.Thread?
  /// The reply's data and the status in its header.
  var reply: (status: NTSTATUS, data: [UInt8])?

  init(_ id: UInt64, _ payload: [UInt8], capacity: Int?, sender: NTKernel.Thread) {
    self.id = id
    self.payload = payload
    self.capacity = capacity
    self.sender = sender
  }
}

extension Kernel {
  /// The ports of this kernel.
  var ports: Ports {
    part {
      let ports = Ports()
      onLastClose(of: .serverPort) { [unowned self, unowned ports] in if let port = ports.servers[$0] { try self.close(port, at: $0) } }
      onLastClose(of: .clientPort) { [unowned self, unowned ports] in
        guard let connection = ports.connections.removeValue(forKey: $0) else { return }
        try self.end(connection, byDriver: true)
      }
      onLastClose(of: .portFile) { [unowned self, unowned ports] in
        guard let connection = ports.connections.removeValue(forKey: $0) else { return }
        try self.end(connection, byDriver: false)
        try await self.tellDriver(of: connection)
      }
      return ports
    }
  }

  func note(
    _ kind: PortEvent.Kind, _ server: ServerPort, connection: Int = 0, message: UInt64 = 0, _ bytes: some Collection<UInt8> = []
  ) throws {
    stream.append(
      .port(
        PortEvent(
          kind, port: server.name, connection: connection, message: message, process: try requestor().id, thread: running?.id ?? 0,
          time: interruptTime, bytes)))
  }

  func note(
    _ kind: PortEvent.Kind, _ connection: Connection, message: UInt64 = 0, _ bytes: some Collection<UInt8> = []
  ) throws {
    try note(kind, connection.server, connection: connection.number, message: message, bytes)
  }
}
