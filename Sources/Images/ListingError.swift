/// What is wrong with a listing, and where.
public struct ListingError: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// Counted from 1; 0 where the whole file is meant.
  public let line: Int
  /// One sentence: what is wrong, and what was expected.
  public let message: String

  public var description: String { line == 0 ? "\(file): \(message)" : "\(file):\(line): \(message)" }
}

/// What is wrong, before the file is known.
struct Complaint: Error {
  let line: Int
  let message: String

  init(_ line: Int, _ message: String) {
    self.line = line
    self.message = message
  }
}

/// `; did you mean “x”?` with the one of `known` that is spelled most like `name`, or nothing if none is close.
func suggestion(for name: String, among known: some Sequence<String>) -> String {
  let close = known.map { (name: $0, distance: distance(name, $0)) }
    .filter { $0.distance <= Swift.max(2, name.count / 3) }
    .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
  return close.map { "; did you mean “\($0.name)”?" } ?? ""
}

/// `1 byte`, `2 bytes`.
func counted(_ count: some BinaryInteger, _ what: String) -> String { "\(count) \(what)" + (count == 1 ? "" : "s") }

/// How many characters must be inserted, removed or replaced to turn `a` into `b`.
private func distance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a.lowercased().utf8.prefix(128)), Array(b.lowercased().utf8.prefix(128)))
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let replaced = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = Swift.min(replaced, diagonal + 1, row[j] + 1)
    }
  }
  return row[b.count]
}
