import Guest

/// A JSON value whose objects keep the order they were written in, so that the same run gives the same text.
public indirect enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case number(Int)
  case string(String)
  case array([JSONValue])
  case object([Member])

  public struct Member: Sendable, Hashable {
    public let name: String
    public let value: JSONValue

    public init(name: String, value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The version of every document that the tool and the library write: the member `probelock`.
  public static let version = 1

  /// An object with the members whose value is not `nil`.
  public static func object(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    .object(members.compactMap { pair in pair.value.map { Member(name: pair.key, value: $0) } })
  }

  /// An object that says first which version of the format it has.
  public static func document(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    guard case .object(let list) = object(members) else { return .null }
    return .object([Member(name: "probelock", value: .number(version))] + list)
  }

  /// An address or another word as `"0x804f7638"`: JSON's numbers end at 2^53.
  public static func address(_ address: UInt64) -> JSONValue { .string("0x" + hex(address, digits: 8)) }
  public static func hexadecimal(_ value: UInt64) -> JSONValue { .string("0x" + hex(value, digits: 1)) }
  public static func bytes(_ bytes: some Sequence<UInt8>) -> JSONValue { .string(bytes.map { hex($0, digits: 2) }.joined()) }

  /// The text, with a member or element a line down to `depth`, what is deeper on one line each, and a final new line.
  public func text(depth: Int = 3) -> String {
    var text = ""
    write(to: &text, indent: 0, depth: depth)
    return text + "\n"
  }

  private func write(to text: inout String, indent: Int, depth: Int) {
    func list<Element>(_ open: String, _ close: String, _ elements: [Element], _ body: (Element, inout String) -> Void) {
      text += open
      for (index, element) in elements.enumerated() {
        if index > 0 { text += depth > 0 ? "," : ", " }
        if depth > 0 { text += "\n" + String(repeating: "  ", count: indent + 1) }
        body(element, &text)
      }
      if depth > 0, !elements.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
      text += close
    }
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let value): text += String(value)
    case .string(let value): Self.quote(value, to: &text)
    case .array(let elements):
      list("[", "]", elements) { $0.write(to: &$1, indent: indent + 1, depth: depth - 1) }
    case .object(let members):
      list("{", "}", members) { member, text in
        Self.quote(member.name, to: &text)
        text += ": "
        member.value.write(to: &text, indent: indent + 1, depth: depth - 1)
      }
    }
  }

  private static func quote(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value): text += "\\u" + hex(scalar.value, digits: 4)
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}
