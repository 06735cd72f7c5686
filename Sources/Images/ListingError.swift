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

/// `1 byte`, `2 bytes`.
func counted(_ count: some BinaryInteger, _ what: String) -> String { "\(count) \(what)" + (count == 1 ? "" : "s") }
