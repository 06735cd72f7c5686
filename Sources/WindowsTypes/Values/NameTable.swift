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
    return nearestName(to: name.hasPrefix(prefix) ? name : prefix + name, in: inOrder.lazy.map(\.name))
  }
}

/// The candidate that differs least from `name`, if it differs by no more than a third of its length.
public func nearestName(to name: String, in candidates: some Sequence<String>) -> String? {
  let name = Array(name.lowercased().utf8)
  var best: (distance: Int, name: String)?
  for candidate in candidates {
    let limit = best.map { $0.distance - 1 } ?? max(1, name.count / 3)
    if let distance = editDistance(name, Array(candidate.lowercased().utf8), limit: limit) { best = (distance, candidate) }
  }
  return best?.name
}

/// How many letters must be inserted, removed or replaced to turn one into the other, unless more than `limit`.
private func editDistance(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int? {
  guard abs(a.count - b.count) <= limit else { return nil }
  var row = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in b.enumerated() {
      (diagonal, row[j + 1]) = (row[j + 1], min(diagonal + (letter == other ? 0 : 1), row[j] + 1, row[j + 1] + 1))
    }
  }
  return row[b.count] <= limit ? row[b.count] : nil
}
