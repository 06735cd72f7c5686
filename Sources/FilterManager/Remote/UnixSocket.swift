import Glibc

/// Something about a socket that its user must know.
public struct SocketError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
  init(_ path: String, _ what: String, _ code: Int32) { description = "\(path): \(what): \(String(cString: strerror(code)))" }
}

/// A stream socket of this machine's: frames go in and out.
final class UnixSocket: @unchecked Sendable {
  let descriptor: Int32
  private var buffer: [UInt8] = []

  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { Glibc.close(descriptor) }

  /// The longest path that fits into an address.
  private static let longestPath = 107

  static func address(_ path: String) throws(SocketError) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard !bytes.isEmpty, bytes.count <= longestPath, !bytes.contains(0) else {
      throw SocketError("\(path): the path of a socket has 1 to \(longestPath) bytes")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return address
  }

  static func with<Result>(_ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = address
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  static func open() throws(SocketError) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError("socket", "cannot be made", errno) }
    return descriptor
  }

  /// A socket at `path`, mode 0600, which nobody else's name was taken for.
  ///
  /// The name appears when connections are taken already: who waits for it to appear is never refused. Until then the socket has
  /// another name in the same folder, and is bound through the folder's descriptor, for which any path is short enough.
  static func listening(at path: String) throws(SocketError) -> UnixSocket {
    _ = try address(path)
    let socket = UnixSocket(try open())
    let slash = path.lastIndex(of: "/")
    let folder = Glibc.open(slash.map { String(path[...$0]) } ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw SocketError(path, "cannot listen", errno) }
    defer { Glibc.close(folder) }
    let early = ".probelock-\(getpid())-\(socket.descriptor)"
    let isBound = with(try address("/proc/self/fd/\(folder)/\(early)")) { bind(socket.descriptor, $0, $1) == 0 }
    guard isBound else { throw SocketError(path, "cannot listen", errno) }
    defer { unlinkat(folder, early, 0) }
    let name = String(slash.map { path[path.index(after: $0)...] } ?? path[...])
    guard fchmodat(folder, early, 0o600, 0) == 0, listen(socket.descriptor, 16) == 0, linkat(folder, early, folder, name, 0) == 0 else {
      throw SocketError(path, "cannot listen", errno)
    }
    return socket
  }

  /// Connects to who listens at `path`.
  static func connected(to path: String) throws(SocketError) -> UnixSocket {
    let address = try address(path)
    let socket = UnixSocket(try open())
    guard with(address, { Glibc.connect(socket.descriptor, $0, $1) }) == 0 else { throw SocketError(path, "nobody serves here", errno) }
    return socket
  }

  /// Sends all of `bytes`. Returns whether the other side took them.
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// The next frame's body if all of it is here already.
  func bufferedFrame() throws(MalformedFrame) -> [UInt8]? { try ServiceFrame.take(from: &buffer) }

  /// Waits for more bytes. Returns whether there are any; `false` when the other side is gone.
  func receive() -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { room in
      var count = recv(descriptor, room.baseAddress, room.count, 0)
      while count < 0 && errno == EINTR { count = recv(descriptor, room.baseAddress, room.count, 0) }
      guard count > 0 else { return false }
      buffer.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<count]))
      return true
    }
  }

  /// Waits for a whole frame; `nil` when the other side is gone.
  func frame() throws(MalformedFrame) -> [UInt8]? {
    while true {
      if let frame = try bufferedFrame() { return frame }
      if !receive() { return nil }
    }
  }
}
