import WindowsTypes

/// The data of a registry value: a type, and bytes that need not be what the type says.
public struct RegistryData: Hashable, Sendable {
  public var type: RegistryValueType
  public var bytes: [UInt8]

  public init(_ type: RegistryValueType, _ bytes: [UInt8]) {
    self.type = type
    self.bytes = bytes
  }

  /// `REG_SZ`, with its terminator.
  public static func string(_ text: String) -> Self { Self(.string, units(text) + [0, 0]) }
  /// `REG_EXPAND_SZ`, with its terminator.
  public static func expandableString(_ text: String) -> Self { Self(.expandableString, units(text) + [0, 0]) }
  /// `REG_MULTI_SZ`: each string with its terminator, then an empty one.
  public static func strings(_ texts: [String]) -> Self { Self(.multiString, texts.flatMap { units($0) + [0, 0] } + [0, 0]) }
  /// `REG_LINK`, which has no terminator.
  public static func link(_ path: String) -> Self { Self(.link, units(path)) }
  /// `REG_DWORD`
  public static func dword(_ value: UInt32) -> Self { Self(.dword, littleEndian(value)) }
  /// `REG_QWORD`
  public static func qword(_ value: UInt64) -> Self { Self(.qword, littleEndian(value)) }
  /// `REG_BINARY`
  public static func binary(_ bytes: [UInt8]) -> Self { Self(.binary, bytes) }

  /// The number, of a `REG_DWORD` or `REG_QWORD` that is long enough.
  public var number: UInt64? {
    let size = type == .dword ? 4 : type == .qword ? 8 : 0
    guard size > 0, bytes.count >= size else { return nil }
    return bytes.prefix(size).enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
  }

  /// The text up to its terminator, of a `REG_SZ`, `REG_EXPAND_SZ` or `REG_LINK`.
  public var text: String? {
    guard type.isText, type != .multiString else { return nil }
    return String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)
  }

  /// The strings, of a `REG_MULTI_SZ` up to the empty one; the one string of another text.
  public var texts: [String]? {
    guard type == .multiString else { return text.map { [$0] } }
    return units.split(separator: 0, omittingEmptySubsequences: false).prefix { !$0.isEmpty }.map { String(decoding: $0, as: UTF16.self) }
  }

  /// The bytes as UTF-16 units; an odd last byte is left out.
  public var units: [UInt16] {
    stride(from: 0, to: bytes.count & ~1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
  }

  private static func units(_ text: String) -> [UInt8] { text.utf16.flatMap(littleEndian) }

  private static func littleEndian<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
    withUnsafeBytes(of: word.littleEndian) { Array($0) }
  }
}

extension RegistryData: CustomStringConvertible {
  /// As WinDbg's `!dreg` and the registry editor show it: the type, then number, text or bytes.
  public var description: String {
    let content: String
    switch type {
    case .dword, .qword: content = number.map { "0x\(String($0, radix: 16))" } ?? dump
    case .multiString: content = (texts ?? []).map { "“\($0)”" }.joined(separator: ", ")
    default: content = text.map { "“\($0)”" } ?? dump
    }
    return content.isEmpty ? "\(type)" : "\(type) \(content)"
  }

  private var dump: String {
    let shown = bytes.prefix(32).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined(separator: " ")
    return bytes.count > 32 ? shown + " …" : shown
  }
}
