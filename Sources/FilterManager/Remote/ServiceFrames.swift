import WindowsTypes

/// What a service outside the run asks for: one function of the user side.
public enum ServiceRequest: Hashable, Sendable {
  /// Says for which thread of the fixture's the service comes; empty for whichever has none yet.
  case hello(thread: String)
  case connect(port: String, options: UInt32, context: [UInt8])
  case message(port: UInt32, capacity: UInt32)
  case reply(port: UInt32, message: UInt64, status: UInt32, [UInt8])
  case send(port: UInt32, capacity: UInt32, [UInt8])
  case close(port: UInt32)
  case load(String)
  case unload(String)
  case sleep(UInt64)
}

/// The answer: the function's result, and what it gave out.
public struct ServiceResponse: Hashable, Sendable {
  public var result: HRESULT
  public var bytes: [UInt8]

  public init(_ result: HRESULT, _ bytes: [UInt8] = []) {
    self.result = result
    self.bytes = bytes
  }
}

/// Bytes that are no frame: what is wrong with them.
public struct MalformedFrame: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}

/// Frames between a run and a service outside it, without I/O: a length of four bytes, little-endian, and as many bytes.
public enum ServiceFrame {
  /// The version that a hello names.
  static let version: UInt8 = 1
  /// How long a frame may be, its length aside.
  public static let largest = ThreadLibrary.largestBuffer + 64
  /// The length in front of a frame.
  public static let head = 4

  public static func bytes(of request: ServiceRequest) -> [UInt8] {
    switch request {
    case .hello(let thread): framed([0, version] + Array(thread.utf8))
    case .connect(let port, let options, let context):
      framed([1] + word(options) + word(UInt32(port.utf8.count)) + Array(port.utf8) + context)
    case .message(let port, let capacity): framed([2] + word(port) + word(capacity))
    case .reply(let port, let message, let status, let data):
      framed([3] + word(port) + word(status) + word(UInt32(truncatingIfNeeded: message)) + word(UInt32(message >> 32)) + data)
    case .send(let port, let capacity, let data): framed([4] + word(port) + word(capacity) + data)
    case .close(let port): framed([5] + word(port))
    case .load(let name): framed([6] + Array(name.utf8))
    case .unload(let name): framed([7] + Array(name.utf8))
    case .sleep(let units): framed([8] + word(UInt32(truncatingIfNeeded: units)) + word(UInt32(units >> 32)))
    }
  }

  public static func bytes(of response: ServiceResponse) -> [UInt8] { framed(word(response.result.rawValue) + response.bytes) }

  private static func framed(_ body: [UInt8]) -> [UInt8] { word(UInt32(body.count)) + body }

  static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

  /// Takes the first whole frame's body from `buffer`; `nil` while it is not all there. A length beyond ``largest`` is refused at once.
  public static func take(from buffer: inout [UInt8]) throws(MalformedFrame) -> [UInt8]? {
    guard buffer.count >= head else { return nil }
    let length = (0..<4).reduce(0) { $0 | Int(buffer[$1]) << (8 * $1) }
    guard length <= largest else { throw MalformedFrame("a frame of \(length) bytes; the longest has \(largest)") }
    guard buffer.count >= head + length else { return nil }
    let body = Array(buffer[head..<head + length])
    buffer.removeFirst(head + length)
    return body
  }

  public static func request(_ body: [UInt8]) throws(MalformedFrame) -> ServiceRequest {
    var reader = FrameReader(body)
    let kind = try reader.byte()
    let request: ServiceRequest
    switch kind {
    case 0:
      let version = try reader.byte()
      guard version == self.version else { throw MalformedFrame("protocol version \(version); this build has \(self.version)") }
      request = .hello(thread: try reader.text(reader.left))
    case 1:
      let options = try reader.word()
      let count = Int(try reader.word())
      request = .connect(port: try reader.text(count), options: options, context: reader.rest())
    case 2: request = .message(port: try reader.word(), capacity: try reader.word())
    case 3:
      let (port, status) = (try reader.word(), try reader.word())
      let id = UInt64(try reader.word()) | UInt64(try reader.word()) << 32
      request = .reply(port: port, message: id, status: status, reader.rest())
    case 4: request = .send(port: try reader.word(), capacity: try reader.word(), reader.rest())
    case 5: request = .close(port: try reader.word())
    case 6: request = .load(try reader.text(reader.left))
    case 7: request = .unload(try reader.text(reader.left))
    case 8: request = .sleep(UInt64(try reader.word()) | UInt64(try reader.word()) << 32)
    default: throw MalformedFrame("a frame of kind \(kind), which there is not")
    }
    guard reader.left == 0 else { throw MalformedFrame("a frame of kind \(kind) with \(reader.left) bytes too many") }
    return request
  }

  public static func response(_ body: [UInt8]) throws(MalformedFrame) -> ServiceResponse {
    var reader = FrameReader(body)
    return ServiceResponse(HRESULT(rawValue: try reader.word()), reader.rest())
  }
}

/// Reads a frame's fields.
struct FrameReader {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var left: Int { bytes.count - place }

  mutating func byte() throws(MalformedFrame) -> UInt8 {
    guard left >= 1 else { throw MalformedFrame("a frame that ends too early") }
    defer { place += 1 }
    return bytes[place]
  }

  mutating func word() throws(MalformedFrame) -> UInt32 {
    guard left >= 4 else { throw MalformedFrame("a frame that ends too early") }
    defer { place += 4 }
    return (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
  }

  mutating func text(_ count: Int) throws(MalformedFrame) -> String {
    guard count >= 0, left >= count else { throw MalformedFrame("a frame that ends too early") }
    defer { place += count }
    guard count <= 1024, let text = String(validating: bytes[place..<place + count], as: UTF8.self) else {
      throw MalformedFrame("a frame whose text is too long, or no UTF-8")
    }
    return text
  }

  mutating func rest() -> [UInt8] {
    defer { place = bytes.count }
    return Array(bytes[place...])
  }
}
