import Guest

/// A status as kernel routines return it (`ntdef.h`): bit 31 says failure, the lower bits what happened.
///
/// Every bit pattern is a status; ``name`` knows those of the public `ntstatus.h` that concern a kernel.
public struct NTSTATUS: GuestScalar, RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `NT_SUCCESS`: success or information. `STATUS_TIMEOUT` and `STATUS_PENDING` are successes, too.
  @inlinable public var isSuccess: Bool { Int32(bitPattern: rawValue) >= 0 }

  public enum Severity: UInt32, Sendable { case success, informational, warning, error }
  public var severity: Severity { Severity(rawValue: rawValue >> 30)! }
}

extension NTSTATUS: CustomStringConvertible {
  /// The C name, `STATUS_ACCESS_VIOLATION`, if the status has one.
  public var name: String? { Self.names.name(of: rawValue) }

  /// The status with this C name, spelled in any case, with or without `STATUS_`.
  public init?(name: String) {
    guard let value = Self.names.value(named: name) ?? Self.names.value(named: "STATUS_" + name) else { return nil }
    self.init(rawValue: value)
  }

  /// The C name, or eight hexadecimal digits.
  public var description: String { name ?? hex(rawValue) }

  /// Every C name, by value.
  public static var allNames: [String] { names.inOrder.map(\.name) }
  /// The C name that `name` was probably meant to be.
  public static func nearestName(to name: String) -> String? { names.nearest(to: name, prefix: "STATUS_") }

  static let names = NameTable(table)
}
