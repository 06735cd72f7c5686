import Guest
import WindowsTypes

/// The kernel's `printf`: what `DbgPrint`, `sprintf`, `swprintf` and their like make of a format string.
///
/// Conversions are those of the C runtime's `printf` without floating point, plus the kernel's own: `%wZ` and `%Z` for counted
/// strings, `%ws` and `%ls` for wide ones, `%hs` for narrow ones, `%S` and `%C` for those that the format itself is not, `%I64`
/// and `%ll` for 64-bit values, `%p` in capitals (DbgPrint, remarks; format specification fields of the C runtime). Memory that
/// the format names is read with the caller's faults.
struct Formatter<Unit: CodeUnit> {
  /// How many units it makes at most.
  let limit: Int
  /// Whether `%n` writes how much there is so far; it takes its argument either way.
  let storesCount: Bool
  /// How wide text is shown in these units.
  let widen: ([UInt16]) -> [Unit]
  /// What `%S` and `%C` are about; `%s` and `%c` are about the other.
  private let otherIsWide = MemoryLayout<Unit>.size == 1
  private(set) var output: [Unit] = []

  /// No routine makes more than this: what a guest asks for beyond would be a matter of minutes, not of text.
  static var longest: Int { 1 << 20 }

  init(
    limit: Int = Self.longest, storesCount: Bool = true,
    widen: @escaping ([UInt16]) -> [Unit] = { $0.map(Unit.converted(fromWide:)) }
  ) {
    self.limit = limit
    self.storesCount = storesCount
    self.widen = widen
  }

  /// Formats; ``output`` has the result, of which ``limit`` units count.
  mutating func format(_ format: Pointer<Unit>, _ arguments: inout VariadicArguments) throws {
    var place = format
    while output.count < limit {
      let unit = try place.load()
      if unit == 0 { break }
      place = place[1]
      guard unit == Unit(ascii: "%") else {
        output.append(unit)
        continue
      }
      let specification = try specification(&place, &arguments)
      let conversion = try place.load()
      if conversion == 0 { break }
      place = place[1]
      output += specification.padded(try converted(conversion, specification, &arguments))
    }
  }

  /// Reads flags, width, precision and size.
  private func specification(_ place: inout Pointer<Unit>, _ arguments: inout VariadicArguments) throws -> Specification {
    var result = Specification()
    while let flag = Specification.Flag(rawValue: UInt8(clamping: try place.load())) {
      result.flags.insert(flag)
      place = place[1]
    }
    if let width = try number(&place, &arguments) {
      if width < 0 { result.flags.insert(.left) }
      result.width = min(limit, abs(width))
    }
    if try skip(".", &place) {
      let precision = try number(&place, &arguments) ?? 0
      // A negative one counts as none.
      result.precision = precision < 0 ? nil : precision
    }
    if try skip("I", &place) {
      if try skip("6", &place) { result.size = try skip("4", &place) ? .wide : .normal }
      if try skip("3", &place) { _ = try skip("2", &place) }
    } else if try skip("l", &place) {
      result.size = try skip("l", &place) ? .wide : .long
    } else if try skip("h", &place) {
      result.size = try skip("h", &place) ? .byte : .short
    } else if try skip("w", &place) {
      result.size = .long
    }
    return result
  }

  private func skip(_ wanted: Unicode.Scalar, _ place: inout Pointer<Unit>) throws -> Bool {
    guard try place.load() == Unit(ascii: wanted) else { return false }
    place = place[1]
    return true
  }

  private func number(_ place: inout Pointer<Unit>, _ arguments: inout VariadicArguments) throws -> Int? {
    if try skip("*", &place) { return Int(try arguments.next(Int32.self)) }
    var value: Int?
    while case let digit = try place.load(), digit.isASCIIDigit {
      value = min(limit, (value ?? 0) * 10 + Int(digit - 0x30))
      place = place[1]
    }
    return value
  }

  private func converted(
    _ conversion: Unit, _ specification: Specification, _ arguments: inout VariadicArguments
  ) throws -> [Unit] {
    func integer() throws -> (bits: UInt64, width: Int) {
      switch specification.size {
      case .wide: (try arguments.next(UInt64.self), 64)
      case .byte: (UInt64(try arguments.next(UInt32.self) & 0xff), 8)
      case .short: (UInt64(try arguments.next(UInt32.self) & 0xffff), 16)
      case .normal, .long: (UInt64(try arguments.next(UInt32.self)), 32)
      }
    }
    func number(_ value: UInt64, radix: Int, uppercase: Bool = false) -> [Unit] {
      specification.number(value, radix: radix, uppercase: uppercase).map { Unit($0) }
    }
    switch Character(UnicodeScalar(UInt8(clamping: conversion))) {
    case "d", "i":
      let (bits, width) = try integer()
      let value = Int64(bitPattern: bits << UInt64(64 - width)) >> Int64(64 - width)
      return specification.number(value.magnitude, radix: 10, isNegative: value < 0, isSigned: true).map { Unit($0) }
    case "u": return number(try integer().bits, radix: 10)
    case "o": return number(try integer().bits, radix: 8)
    case "x": return number(try integer().bits, radix: 16)
    case "X": return number(try integer().bits, radix: 16, uppercase: true)
    case "p", "P":
      let pointer = try arguments.next(Pointer<Void>.self)
      return hex(pointer.address, pointer.memory.target).uppercased().utf8.map { Unit($0) }
    case "c": return character(try arguments.next(UInt32.self), isWide: specification.isWide ?? !otherIsWide)
    case "C": return character(try arguments.next(UInt32.self), isWide: specification.isWide ?? otherIsWide)
    case "s": return try string(arguments.next(Pointer<Void>.self), isWide: specification.isWide ?? !otherIsWide, specification)
    case "S": return try string(arguments.next(Pointer<Void>.self), isWide: specification.isWide ?? otherIsWide, specification)
    case "Z": return try counted(arguments.next(Pointer<UNICODE_STRING>.self), specification)
    case "n":
      let place = try arguments.next(Pointer<UInt32>.self)
      if storesCount { try place.store(UInt32(output.count)) }
      return []
    // `%%`, and what is no conversion stands for itself.
    default: return [conversion]
    }
  }

  private func character(_ value: UInt32, isWide: Bool) -> [Unit] {
    isWide ? widen([UInt16(truncatingIfNeeded: value)]) : [Unit.converted(fromNarrow: UInt8(truncatingIfNeeded: value))]
  }

  private static var null: [Unit] { "(null)".utf8.map { Unit($0) } }

  private func string(_ text: Pointer<Void>, isWide: Bool, _ specification: Specification) throws -> [Unit] {
    let limit = min(specification.precision ?? limit, limit)
    if text.isNull { return Array(Self.null.prefix(limit)) }
    if isWide { return widen(try text.cast(to: UInt16.self).units(limit: limit)) }
    return try text.cast(to: UInt8.self).units(limit: limit).map(Unit.converted(fromNarrow:))
  }

  /// A `UNICODE_STRING`, or an `ANSI_STRING` without the `w`.
  private func counted(_ text: Pointer<UNICODE_STRING>, _ specification: Specification) throws -> [Unit] {
    if text.isNull { return Self.null }
    let (count, buffer) = (Int(try text.Length.load()), try text.Buffer.load())
    if buffer.isNull { return Self.null }
    let limit = min(specification.precision ?? limit, limit)
    if specification.size == .long { return widen(try buffer.array(count: min(count / 2, limit))) }
    return try buffer.cast(to: UInt8.self).array(count: min(count, limit)).map(Unit.converted(fromNarrow:))
  }
}

/// One conversion's flags, width, precision and size.
private struct Specification {
  enum Flag: UInt8 { case left = 0x2d, plus = 0x2b, space = 0x20, alternate = 0x23, zero = 0x30 }
  enum Size { case normal, byte, short, long, wide }

  var flags: Set<Flag> = []
  var width = 0
  var precision: Int?
  var size = Size.normal

  /// Whether the size says that text is wide; `nil` if it says nothing.
  var isWide: Bool? {
    switch size {
    case .long: true
    case .short, .byte: false
    case .normal, .wide: nil
    }
  }

  func number(
    _ magnitude: UInt64, radix: Int, isNegative: Bool = false, isSigned: Bool = false, uppercase: Bool = false
  ) -> [UInt8] {
    var digits = String(magnitude, radix: radix, uppercase: uppercase)
    if precision == 0 && magnitude == 0 { digits = "" }
    digits = String(repeating: "0", count: max(0, min(precision ?? 0, 1 << 16) - digits.count)) + digits
    var sign = isNegative ? "-" : isSigned && flags.contains(.plus) ? "+" : isSigned && flags.contains(.space) ? " " : ""
    if flags.contains(.alternate) && magnitude != 0 && radix == 16 { sign = uppercase ? "0X" : "0x" }
    if flags.contains(.alternate) && radix == 8 && !digits.hasPrefix("0") { digits = "0" + digits }
    if flags.contains(.zero) && !flags.contains(.left) && precision == nil {
      digits = String(repeating: "0", count: max(0, width - digits.count - sign.count)) + digits
    }
    return Array((sign + digits).utf8)
  }

  func padded<Unit: CodeUnit>(_ text: [Unit]) -> [Unit] {
    let blanks = [Unit](repeating: 0x20, count: max(0, width - text.count))
    return flags.contains(.left) ? text + blanks : blanks + text
  }
}

extension Kernel {
  /// `DbgPrint` transmits at most 512 bytes.
  private static let longestMessage = 512

  /// What `DbgPrint` shows; wide text appears as it is, whatever the code page.
  func formatted(_ format: Pointer<UInt8>, _ arguments: inout VariadicArguments) throws -> String {
    var formatter = Formatter<UInt8>(limit: Self.longestMessage, storesCount: false) {
      Array(String(decoding: $0, as: UTF16.self).utf8)
    }
    try formatter.format(format, &arguments)
    return String(decoding: formatter.output.prefix(Self.longestMessage), as: UTF8.self)
  }
}
