extension Fixture {
  /// A thread makes a process, with a first thread in it.
  public struct ProcessStart: Hashable, Sendable {
    /// The thread that asks for it.
    public var creator: String
    public var process: Process
    /// The new process's first thread.
    public var thread: String
    /// That thread's identifier; nil lets the kernel choose.
    public var threadID: UInt32?
    /// The image's path, as the object manager names it; nil for one in `\WINDOWS\system32`.
    public var image: String?
    public var commandLine: String?
    /// How the system call must end; nil for a success.
    public var expect: CallExpectation?

    public init(
      by creator: String, _ process: Process, thread: String, threadID: UInt32? = nil, image: String? = nil, commandLine: String? = nil,
      expect: CallExpectation? = nil
    ) {
      self.creator = creator
      self.process = process
      self.thread = thread
      self.threadID = threadID
      self.image = image
      self.commandLine = commandLine
      self.expect = expect
    }
  }

  /// A thread makes another.
  public struct ThreadStart: Hashable, Sendable {
    public var creator: String
    public var thread: String
    /// The process that it is made in; nil for the creator's own.
    public var process: String?
    public var id: UInt32?

    public init(by creator: String, _ thread: String, in process: String? = nil, id: UInt32? = nil) {
      self.creator = creator
      self.thread = thread
      self.process = process
      self.id = id
    }
  }
}
