import Guest

/// A unit of guest text: a byte of the ANSI code page, or a UTF-16 unit. What narrow and wide routines share is written over it.
protocol CodeUnit: GuestValue, FixedWidthInteger, UnsignedInteger, BitwiseCopyable, Sendable {
  /// The unit that shows `unit`, a UTF-16 one.
  static func converted(fromWide unit: UInt16) -> Self
  /// The unit that shows `byte`, one of the ANSI code page.
  static func converted(fromNarrow byte: UInt8) -> Self
}

extension UInt8: CodeUnit {
  static func converted(fromWide unit: UInt16) -> UInt8 { CodePage.ansi.byte(for: unit) }
  static func converted(fromNarrow byte: UInt8) -> UInt8 { byte }
}
extension UInt16: CodeUnit {
  static func converted(fromWide unit: UInt16) -> UInt16 { unit }
  static func converted(fromNarrow byte: UInt8) -> UInt16 { CodePage.ansi.unit(for: byte) }
}
extension UInt32: CodeUnit {
  static func converted(fromWide unit: UInt16) -> UInt32 { UInt32(unit) }
  static func converted(fromNarrow byte: UInt8) -> UInt32 { UInt32(byte) }
}

/// Letters of ASCII: all that the C locale knows.
extension CodeUnit {
  init(ascii: Unicode.Scalar) { self = Self(truncatingIfNeeded: ascii.value) }
  var isASCIIUpper: Bool { self >= 0x41 && self <= 0x5a }
  var isASCIILower: Bool { self >= 0x61 && self <= 0x7a }
  var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }
  var isASCIIBlank: Bool { self == 0x20 || self >= 0x09 && self <= 0x0d }
  var asciiLowercased: Self { isASCIIUpper ? self | 0x20 : self }
  var asciiUppercased: Self { isASCIILower ? self & ~0x20 : self }
  /// Its value as a digit of any radix up to 36.
  var digitValue: UInt64? {
    if isASCIIDigit { return UInt64(self - 0x30) }
    let letter = asciiLowercased
    return letter.isASCIILower ? UInt64(letter - 0x61 + 10) : nil
  }
}

/// Zero-terminated text. A missing terminator ends in the caller's page fault, or goes round the address space no more than once.
extension Pointer where Pointee: CodeUnit {
  /// How many units precede the terminating zero; `limit` if none is among that many.
  func length(limit: Int = 0x1_0000_0000) throws -> Int {
    var count = 0
    while try count < limit && self[count].load() != 0 { count += 1 }
    return count
  }

  /// The units before the terminating zero.
  func units(limit: Int = 0x1_0000_0000) throws -> [Pointee] { try array(count: length(limit: limit)) }

  /// `count` units.
  func array(count: Int) throws -> [Pointee] {
    let size = MemoryLayout<Pointee>.size
    let bytes = try memory.bytes(count * size, at: address)
    if size == 1 { return bytes.map { Pointee(truncatingIfNeeded: $0) } }
    return (0..<count).map { index in
      (0..<size).reduce(0) { $0 | Pointee(truncatingIfNeeded: bytes[index * size + $1]) << Pointee(truncatingIfNeeded: 8 * $1) }
    }
  }

  /// Writes `units` from here on.
  func write(_ units: some Collection<Pointee>) throws {
    for (index, unit) in units.enumerated() { try self[index].store(unit) }
  }
}
