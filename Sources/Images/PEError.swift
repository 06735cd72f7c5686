import Guest

/// What is wrong with a file that Windows would load, and where.
public struct PEError: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// In bytes from the file's start; `nil` where the whole file is meant.
  public let offset: Int?
  /// One sentence: what is wrong, and what was expected.
  public let message: String

  public var description: String { offset.map { "\(file)+0x\(hex($0, digits: 1)): \(message)" } ?? "\(file): \(message)" }
}

/// What is wrong, before the file's name is known.
struct PEComplaint: Error {
  let offset: Int?
  let message: String

  init(_ offset: Int?, _ message: String) {
    self.offset = offset
    self.message = message
  }
}

/// A file's bytes, read only inside the file.
///
/// Little-endian, as every field of the format is (PE/COFF specification, “General Concepts”).
struct FileBytes: Sendable {
  let bytes: [UInt8]
  var count: Int { bytes.count }

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// - Parameter what: names the field in an error: `the DOS header`.
  func u16(_ offset: Int, _ what: @autoclosure () -> String) throws(PEComplaint) -> UInt16 {
    try need(offset, 2, what)
    return UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
  }

  func u32(_ offset: Int, _ what: @autoclosure () -> String) throws(PEComplaint) -> UInt32 {
    try need(offset, 4, what)
    return UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16 | UInt32(bytes[offset + 3]) << 24
  }

  /// Makes sure that `size` bytes lie at `offset`.
  func need(_ offset: Int, _ size: Int, _ what: () -> String) throws(PEComplaint) {
    guard offset >= 0, size >= 0, offset <= count, size <= count - offset else {
      throw PEComplaint(
        Swift.min(Swift.max(offset, 0), count),
        "the file ends in \(what()): it has 0x\(hex(count, digits: 1)) bytes, expected \(counted(size, "byte")) here"
      )
    }
  }
}
