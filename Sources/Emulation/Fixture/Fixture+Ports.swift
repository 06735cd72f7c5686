import WindowsTypes

extension Fixture {
  /// Whether a step has a thread serve a port.
  public var hasServices: Bool { steps.contains { if case .serve = $0.action { true } else { false } } }

  /// What a process's thread asks of the user side of the filter manager, once.
  public struct PortRequest: Hashable, Sendable {
    public var thread: String
    public var kind: Kind
    /// What the function must return; nil where any result will do.
    public var expect: PortExpectation?

    public enum Kind: Hashable, Sendable {
      /// `FilterConnectCommunicationPort`; the handle gets a name.
      case connect(port: String, handle: String, context: Content?, options: UInt32)
      /// `FilterGetMessage`; with the address of an `OVERLAPPED`, it does not wait.
      case getMessage(handle: String, Buffer, overlapped: UInt64?)
      /// `FilterReplyMessage`
      case replyMessage(handle: String, Buffer)
      /// `FilterSendMessage`
      case sendMessage(handle: String, input: Buffer?, output: Buffer?)
      /// `FilterLoad`
      case load(String)
      /// `FilterUnload`
      case unload(String)
    }

    public init(on thread: String, _ kind: Kind, expect: PortExpectation? = nil) {
      self.thread = thread
      self.kind = kind
      self.expect = expect
    }
  }

  /// How a function of the user side must end.
  public enum PortExpectation: Hashable, Sendable {
    case returns(HRESULT)
    case call(CallExpectation)
  }

  /// A thread takes messages from a connection and replies, until the connection is over.
  public struct Service: Hashable, Sendable {
    public var thread: String
    /// The connection's name.
    public var handle: String
    /// Where messages go, in the process; pages of the run's choice if nil.
    public var buffer: Buffer?
    /// What is done with a message: the first that fits it. One that none fits is taken, and not answered.
    public var replies: [Reply]
    /// After how many messages the thread takes no more; nil for no end.
    public var messages: UInt64?

    public init(on thread: String, _ handle: String, buffer: Buffer? = nil, replies: [Reply] = [], messages: UInt64? = nil) {
      self.thread = thread
      self.handle = handle
      self.buffer = buffer
      self.replies = replies
      self.messages = messages
    }
  }

  /// What a service does with a message, in this order.
  public struct Reply: Hashable, Sendable {
    /// What the message begins with; nil fits any.
    public var to: Content?
    /// How long the service takes, in 100 ns of virtual time.
    public var after: UInt64 = 0
    /// A device or file that it opens and closes meanwhile.
    public var open: String?
    /// What it sends to the driver by `FilterSendMessage` meanwhile.
    public var send: Content?
    /// A thread that it ends meanwhile, as `TerminateThread` does.
    public var ends: String?
    /// Whether its process ends, with the message in its hands.
    public var exits = false
    /// Whether it closes the connection.
    public var closes = false
    /// `FILTER_REPLY_HEADER.Status`.
    public var status: Code?
    /// The reply's data; nil, with no status either, for no reply.
    public var with: Content?

    public init(to: Content? = nil, with: Content? = nil, after: UInt64 = 0) {
      self.to = to
      self.with = with
      self.after = after
    }
  }
}
