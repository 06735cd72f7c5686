import Images

/// Why a fixture could not be run: something that its user must mend, or a defect of this program.
public struct EmulationError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable { case missingFile, badInput, internalError }

  public let kind: Kind
  /// One line: where, what is wrong, what was expected.
  public let description: String

  public init(_ description: String, kind: Kind = .badInput) {
    self.kind = kind
    self.description = description
  }

  /// What a command exits with (`sysexits.h`).
  public var exitCode: Int32 {
    switch kind {
    case .missingFile: 66
    case .badInput: 65
    case .internalError: 70
    }
  }
}
