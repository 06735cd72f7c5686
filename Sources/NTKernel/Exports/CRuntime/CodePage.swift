import Guest

/// A single-byte code page as the kernel's conversions use it: 1252 for ANSI and 437 for OEM text, those of an English XP.
struct CodePage: Sendable {
  private let units: [UInt16]
  private let bytes: [UInt16: UInt8]
  /// What a character without a byte becomes.
  static let substitute = UInt8(ascii: "?")

  /// - Parameter upper: the characters of bytes 128 to 255.
  private init(upper: [UInt16]) {
    units = Array(0..<128) + upper
    bytes = Dictionary(units.enumerated().map { ($1, UInt8($0)) }) { first, _ in first }
  }

  func unit(for byte: UInt8) -> UInt16 { units[Int(byte)] }
  func byte(for unit: UInt16) -> UInt8 { bytes[unit] ?? Self.substitute }

  /// Windows-1252. The five bytes that it leaves undefined stand for the control characters of the same numbers.
  static let ansi = CodePage(
    upper: [
      0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
      0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
    ] + Array(0xa0...0xff))

  static let oem = CodePage(
    upper: Array(
      ("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
        + "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}").utf16))
}

/// Upper and lower case as Windows maps them: one UTF-16 unit to one, for the Basic Multilingual Plane, the same for all locales.
///
/// That is Unicode's simple mapping, where the character maps back; so the dotless i, the long s and the micro sign, whose
/// capitals belong to other letters, stay as they are. Letters that came after Unicode 3.0 have no case in XP's table.
enum CaseMapping {
  static func upper(_ unit: UInt16) -> UInt16 {
    if unit < 0x80 { return unit.asciiUppercased }
    return map(unit, upperOf, lowerOf)
  }

  static func lower(_ unit: UInt16) -> UInt16 {
    if unit < 0x80 { return unit.asciiLowercased }
    return map(unit, lowerOf, upperOf)
  }

  private static func map(_ unit: UInt16, _ forth: (Unicode.Scalar) -> UInt16?, _ back: (Unicode.Scalar) -> UInt16?) -> UInt16 {
    guard let scalar = Unicode.Scalar(unit), let mapped = forth(scalar), let other = Unicode.Scalar(mapped), back(other) == unit,
      let age = other.properties.age, age.major <= 3
    else { return unit }
    return mapped
  }

  private static func upperOf(_ scalar: Unicode.Scalar) -> UInt16? {
    let properties = scalar.properties
    // The Greek letters with iota below have two letters for a capital, and one for a title.
    return single(properties.uppercaseMapping) ?? single(properties.titlecaseMapping)
  }

  private static func lowerOf(_ scalar: Unicode.Scalar) -> UInt16? { single(scalar.properties.lowercaseMapping) }

  private static func single(_ text: String) -> UInt16? {
    let units = text.utf16
    return units.count == 1 ? units.first : nil
  }
}
