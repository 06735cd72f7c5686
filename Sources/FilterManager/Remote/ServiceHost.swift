import Glibc

/// Where services outside a run come from: a socket, or a recording.
public protocol ServiceHost: AnyObject {
  /// Waits for the service of a thread. The result numbers it.
  func admit(thread: String) throws -> Int
  /// Waits until one of `sessions` asks for something; `nil` for the request when it is gone, and why.
  func next(of sessions: [Int]) throws -> (session: Int, Asked)
  func answer(_ response: ServiceResponse, to session: Int)
  /// The service is to go.
  func dismiss(_ session: Int)
}

/// What a service outside the run did.
public enum Asked: Hashable, Sendable {
  case request(ServiceRequest)
  /// It is gone, or was sent away: why.
  case gone(String)
}

/// Lets services in over a socket in the file system that only its owner can use, and may record what they do.
public final class ServiceListener: ServiceHost {
  public let path: String
  private let listener: UnixSocket
  private var sessions: [Int: UnixSocket] = [:]
  /// Those that have said who they are, and whose turn has not come.
  private var waiting: [(thread: String, UnixSocket)] = []
  private var count = 0
  /// What has happened, in the order in which the run saw it.
  public private(set) var recording = ServiceRecording()
  /// Told of what is said to nobody else: a service that was sent away.
  public var onNotice: (String) -> Void = { _ in }

  /// Listens at `path`, with mode 0600. A socket that nobody listens on any more is taken away; anything else there is in the way.
  public init(path: String) throws(SocketError) {
    self.path = path
    let address = try UnixSocket.address(path)
    var status = stat()
    if lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFSOCK else { throw SocketError("\(path): something else has this name") }
      let probe = UnixSocket(try UnixSocket.open())
      guard UnixSocket.with(address, { Glibc.connect(probe.descriptor, $0, $1) }) != 0 else {
        throw SocketError("\(path): another run listens here")
      }
      guard errno == ECONNREFUSED, unlink(path) == 0 else { throw SocketError(path, "cannot be taken over", errno) }
    }
    listener = try UnixSocket.listening(at: path)
  }

  deinit { close() }

  /// Ends every connection, and takes the socket away.
  public func close() {
    sessions = [:]
    waiting = []
    unlink(path)
  }

  public func admit(thread: String) throws -> Int {
    while true {
      if let index = waiting.firstIndex(where: { $0.thread.isEmpty || $0.thread == thread }) {
        sessions[count] = waiting.remove(at: index).1
        count += 1
        return count - 1
      }
      let descriptor = accept(listener.descriptor, nil, nil)
      if descriptor < 0 {
        if errno == EINTR || errno == ECONNABORTED { continue }
        throw SocketError(path, "cannot let services in", errno)
      }
      let socket = UnixSocket(descriptor)
      // A service that connects and says nothing must not hold up the others, nor one that does not listen.
      var limit = timeval(tv_sec: 5, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      do throws(MalformedFrame) {
        guard let body = try socket.frame() else {
          onNotice("a service left without a word")
          continue
        }
        guard case .hello(let name) = try ServiceFrame.request(body) else { throw MalformedFrame("the first frame is no hello") }
        var forEver = timeval()
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &forEver, socklen_t(MemoryLayout<timeval>.size))
        waiting.append((name, socket))
      } catch {
        onNotice("a service was sent away: \(error)")
      }
    }
  }

  public func next(of sessions: [Int]) throws -> (session: Int, Asked) {
    while true {
      for session in sessions {
        guard let asked = asked(by: session) else { continue }
        if case .gone(let why) = asked {
          onNotice("the service \(session + 1) is gone: \(why)")
          self.sessions[session] = nil
        }
        recording.append(session, asked)
        return (session, asked)
      }
      try receive(from: sessions)
    }
  }

  /// What a session has asked for already, if it has.
  private func asked(by session: Int) -> Asked? {
    guard let socket = sessions[session] else { return .gone("it was let go") }
    do throws(MalformedFrame) {
      guard let body = try socket.bufferedFrame() else { return closed.remove(session) == nil ? nil : .gone("it closed the connection") }
      return .request(try ServiceFrame.request(body))
    } catch {
      return .gone("it sent \(error)")
    }
  }

  /// Those whose end was seen.
  private var closed: Set<Int> = []

  private func receive(from sessions: [Int]) throws {
    let open = sessions.compactMap { session in self.sessions[session].map { (session, $0) } }
    if open.count == 1 {
      if !open[0].1.receive() { closed.insert(open[0].0) }
      return
    }
    var polls = open.map { pollfd(fd: $0.1.descriptor, events: Int16(POLLIN), revents: 0) }
    while poll(&polls, nfds_t(polls.count), -1) < 0 {
      guard errno == EINTR else { throw SocketError(path, "cannot wait for services", errno) }
    }
    for (entry, (session, socket)) in zip(polls, open) where entry.revents != 0 {
      if !socket.receive() { closed.insert(session) }
    }
  }

  public func answer(_ response: ServiceResponse, to session: Int) {
    guard let socket = sessions[session] else { return }
    if !socket.send(ServiceFrame.bytes(of: response)) { closed.insert(session) }
  }

  public func dismiss(_ session: Int) { sessions[session] = nil }
}
