/// Something that happened to a communication port, or crossed one.
public struct PortEvent: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// A driver made the port.
    case created(maximumConnections: Int)
    /// A driver takes no more connections.
    case closed
    /// A process asks to be connected; `bytes` is its context.
    case connecting
    case connected
    /// The connection came to nothing: the status, and whether the driver's routine chose it.
    case refused(UInt32, byDriver: Bool)
    /// A driver sends; `capacity` is the room for a reply, `nil` where none is expected.
    case sent(capacity: Int?)
    /// A process took the message, to this address of its own.
    case delivered(address: UInt64)
    /// A process replied, with this status in the header.
    case replied(status: UInt32)
    /// A reply to a message that nobody waits for any more.
    case lateReply
    /// The driver's call came back: its status, and how long it waited, in 100 ns.
    case returned(status: UInt32, waited: UInt64)
    /// A process sends to the driver; the driver's routine gets this address of the process's.
    case requested(address: UInt64)
    case answered(status: UInt32)
    /// The connection is over: the process closed it, or the driver did.
    case disconnected(byDriver: Bool)
  }

  public var kind: Kind
  /// The port's name.
  public var port: String
  /// The connection's number in the run, from 1; 0 for the port itself.
  public var connection: Int
  /// The message's number; 0 where there is none.
  public var message: UInt64
  /// In whose address space the processor was.
  public var process: ProcessID
  public var thread: ThreadID
  /// In 100 ns since boot.
  public var time: UInt64
  /// How many bytes crossed.
  public var length: Int
  /// The first of them, at most ``shownBytes``.
  public var bytes: [UInt8]

  public static let shownBytes = 16

  public init(
    _ kind: Kind, port: String, connection: Int = 0, message: UInt64 = 0, process: ProcessID, thread: ThreadID, time: UInt64,
    _ bytes: some Collection<UInt8> = []
  ) {
    self.kind = kind
    self.port = port
    self.connection = connection
    self.message = message
    self.process = process
    self.thread = thread
    self.time = time
    length = bytes.count
    self.bytes = Array(bytes.prefix(Self.shownBytes))
  }
}
