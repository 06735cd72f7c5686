import Guest

/// What the services outside a run did, in the order in which the run saw it: enough to run it again without them.
///
/// As text, a line each: the service's number, then its frame in hexadecimal, or `gone` and why.
public struct ServiceRecording: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let session: Int
    public let asked: Asked
  }
  public private(set) var entries: [Entry] = []

  public init() {}

  mutating func append(_ session: Int, _ asked: Asked) { entries.append(Entry(session: session, asked: asked)) }

  private static let title = "probelock-recording 1"

  public var text: String {
    Self.title + "\n"
      + entries.map { entry in
        switch entry.asked {
        case .request(let request):
          "\(entry.session) " + ServiceFrame.bytes(of: request).dropFirst(ServiceFrame.head).map { hex($0, digits: 2) }.joined() + "\n"
        case .gone(let why): "\(entry.session) gone \(why)\n"
        }
      }.joined()
  }

  /// Reads what ``text`` wrote. Throws what is wrong, with its line.
  public init(text: String, file: String) throws {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first.map(String.init) == Self.title else { throw SocketError("\(file):1: no recording: it begins with “\(Self.title)”") }
    for (index, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.count == 2, let session = Int(words[0]), session >= 0 else {
        throw SocketError("\(file):\(index + 1): a line is a service's number and its frame")
      }
      if words[1].hasPrefix("gone ") {
        append(session, .gone(String(words[1].dropFirst(5))))
        continue
      }
      let digits = Array(words[1].utf8)
      var bytes: [UInt8] = []
      for place in stride(from: 0, to: digits.count - 1, by: 2) {
        guard let byte = UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16) else {
          throw SocketError("\(file):\(index + 1): a frame is pairs of hexadecimal digits")
        }
        bytes.append(byte)
      }
      do throws(MalformedFrame) {
        append(session, .request(try ServiceFrame.request(bytes)))
      } catch {
        throw SocketError("\(file):\(index + 1): \(error)")
      }
    }
  }
}

/// Plays a recording in the place of services.
public final class ServiceReplay: ServiceHost {
  private let recording: ServiceRecording
  private let file: String
  private var place = 0
  private var count = 0

  public init(_ recording: ServiceRecording, file: String) {
    self.recording = recording
    self.file = file
  }

  public func admit(thread: String) -> Int {
    count += 1
    return count - 1
  }

  public func next(of sessions: [Int]) throws -> (session: Int, Asked) {
    guard place < recording.entries.count else {
      // The recorded run ended here, by a limit or a bugcheck of its own.
      return (sessions[0], .gone("the recording ends"))
    }
    let entry = recording.entries[place]
    guard sessions.contains(entry.session) else {
      throw SocketError(
        "\(file):\(place + 2): service \(entry.session) speaks, and the run waits for \(sessions.map(String.init).joined(separator: ", ")): "
          + "the recording is of another fixture, or of another version of it")
    }
    place += 1
    return (entry.session, entry.asked)
  }

  public func answer(_ response: ServiceResponse, to session: Int) {}
  public func dismiss(_ session: Int) {}
}
