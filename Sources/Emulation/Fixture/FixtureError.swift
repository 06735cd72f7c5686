/// Why a fixture could not be read, in one line.
public struct FixtureError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// There is no such file, or it cannot be opened.
    case missingFile
    /// The file does not say what a fixture may say.
    case badInput
  }

  public let kind: Kind
  /// As the caller named it.
  public let file: String
  /// From 1, where the error has a place.
  public let line: Int?
  /// From 1, in Unicode scalars.
  public let column: Int?
  public let message: String

  public init(_ message: String, in file: String, line: Int? = nil, column: Int? = nil, kind: Kind = .badInput) {
    self.kind = kind
    self.file = file
    self.line = line
    self.column = column
    self.message = message
  }

  /// What a command exits with: `EX_NOINPUT` or `EX_DATAERR`.
  public var exitCode: Int32 { kind == .missingFile ? 66 : 65 }

  /// `lock.yaml:12: unknown key “lenght”…`, on one line whatever the file holds.
  public var description: String {
    let place = line.map { "\(file):\($0)" } ?? file
    return Self.printable(place + ": " + message)
  }

  private static func printable(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .format: line += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }
}

/// `text` in quotation marks, cut where it is long.
func quoted(_ text: some StringProtocol) -> String {
  text.count <= 60 ? "“\(text)”" : "“\(text.prefix(57))…”"
}
