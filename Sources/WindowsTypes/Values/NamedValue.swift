import Guest

/// A value of a C enumeration: each of its bit patterns is a value, and some of them have a name.
public protocol NamedValue: GuestScalar, RawRepresentable, Hashable, Sendable, CustomStringConvertible
where RawValue: FixedWidthInteger & Sendable {
  init(rawValue: RawValue)
  /// Every named value with its C name; the first of several names is the one printed.
  static var names: [(Self, String)] { get }
}

extension NamedValue {
  /// The C name, if the value has one.
  public var name: String? { Self.names.first { $0.0 == self }?.1 }
  /// The C name, or the value in hexadecimal with `0x`.
  public var description: String { name ?? "0x" + hex(UInt64(truncatingIfNeeded: bits), digits: 1) }

  /// The value with this C name, spelled in any case.
  public init?(name: String) {
    let name = name.uppercased()
    guard let found = Self.names.first(where: { $0.1.uppercased() == name }) else { return nil }
    self = found.0
  }
}

/// A set of flags in one scalar, some of which have a name.
public protocol NamedFlags: GuestScalar, OptionSet, Hashable, Sendable, CustomStringConvertible
where RawValue: FixedWidthInteger & Sendable, Element == Self {
  init(rawValue: RawValue)
  /// Every named flag with its C name, from the lowest bit up.
  static var names: [(Self, String)] { get }
}

extension NamedFlags {
  /// The C names of the flags that are set, then the rest in hexadecimal: `["MDL_PAGES_LOCKED", "0x4000"]`.
  public var flagNames: [String] {
    var rest = rawValue
    var result: [String] = []
    for (flag, name) in Self.names where flag.rawValue != 0 && rest & flag.rawValue == flag.rawValue {
      result.append(name)
      rest &= ~flag.rawValue
    }
    if rest != 0 { result.append("0x" + hex(Self(rawValue: rest).bits, digits: 1)) }
    return result
  }

  /// The names with ` | ` between them, or `0`.
  public var description: String { flagNames.isEmpty ? "0" : flagNames.joined(separator: " | ") }

  /// The flag with this C name, spelled in any case.
  public init?(name: String) {
    let name = name.uppercased()
    guard let found = Self.names.first(where: { $0.1.uppercased() == name }) else { return nil }
    self = found.0
  }
}
