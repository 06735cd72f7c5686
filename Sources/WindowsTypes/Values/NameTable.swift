import Guest

/// Names of 32-bit values, to be looked up in both directions.
struct NameTable: Sendable {
  let inOrder: [(name: String, value: UInt32)]
  private let values: [String: UInt32]
  private let names: [UInt32: String]

  /// - Parameter text: names and hexadecimal values in turn, between blanks or line ends. A malformed table is a bug of ours.
  init(_ text: String) {
    let words = text.split(whereSeparator: \.isWhitespace)
    precondition(words.count.isMultiple(of: 2), "a name or a value is missing")
    inOrder = stride(from: 0, to: words.count, by: 2).map { index in
      guard let value = UInt32(words[index + 1], radix: 16) else { preconditionFailure("\(words[index + 1]) is not a value") }
      return (String(words[index]), value)
    }
    values = Dictionary(inOrder.map { ($0.name, $0.value) }) { first, _ in first }
    names = Dictionary(inOrder.map { ($0.value, $0.name) }) { first, _ in first }
  }

  func name(of value: UInt32) -> String? { names[value] }
  func value(named name: String) -> UInt32? { values[name.uppercased()] }

  /// The name that `name` was probably meant to be; `prefix` may be missing.
  func nearest(to name: String, prefix: String = "") -> String? {
    let name = name.uppercased()
    return Guest.nearest(name.hasPrefix(prefix) ? name : prefix + name, among: inOrder.lazy.map(\.name))
  }
}
