import Guest
import WindowsTypes

/// The kernel's `printf`: what `DbgPrint` and its like make of a format string.
///
/// Conversions are those of the C runtime's `printf` without floating point, plus the kernel's own: `%wZ` and `%Z` for counted
/// strings, `%ws` and `%S` for wide ones, `%wc` and `%C`, `%I64` and `%ll` for 64-bit values, `%p` in capitals (DbgPrint, remarks;
/// format specification fields of the C runtime). Memory the format names is read with the caller's faults.
extension Kernel {
  /// `DbgPrint` transmits at most 512 bytes.
  private static let longestMessage = 512

  func formatted(_ format: Pointer<UInt8>, _ arguments: inout VariadicArguments) throws -> String {
    var output: [UInt8] = []
    var place = format.address
    func peek() throws -> UInt8 { try memory.memory.load(UInt8.self, at: place) }
    while output.count < Self.longestMessage {
      let byte = try peek()
      if byte == 0 { break }
      place += 1
      guard byte == UInt8(ascii: "%") else {
        output.append(byte)
        continue
      }
      var specification = Specification()
      while let flag = Specification.Flag(rawValue: try peek()) {
        specification.flags.insert(flag)
        place += 1
      }
      func number() throws -> Int? {
        if try peek() == UInt8(ascii: "*") {
          place += 1
          return Int(try arguments.next(Int32.self))
        }
        var value: Int?
        while case let digit = try peek(), digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") {
          value = min(Self.longestMessage, (value ?? 0) * 10 + Int(digit - UInt8(ascii: "0")))
          place += 1
        }
        return value
      }
      if let width = try number() {
        if width < 0 { specification.flags.insert(.left) }
        specification.width = min(Self.longestMessage, abs(width))
      }
      if try peek() == UInt8(ascii: ".") {
        place += 1
        // A negative one, which only an argument can be, counts as none.
        let precision = try number() ?? 0
        specification.precision = precision < 0 ? nil : min(Self.longestMessage, precision)
      }
      place += try size(at: place, &specification)
      let conversion = try peek()
      if conversion == 0 { break }
      place += 1
      output += specification.padded(try converted(conversion, specification, &arguments))
    }
    return String(decoding: output.prefix(Self.longestMessage), as: UTF8.self)
  }

  /// Reads `h`, `l`, `ll`, `w`, `I64`, `I32` or `I` and returns its length.
  private func size(at place: UInt64, _ specification: inout Specification) throws -> UInt64 {
    let letters = try (0..<3).map { offset -> UInt8 in
      memory.memory.allows(.read, at: place + offset) ? try memory.memory.load(UInt8.self, at: place + offset) : 0
    }
    let text = String(decoding: letters, as: UTF8.self)
    for (prefix, size) in [
      ("I64", Specification.Size.wide), ("I32", .normal), ("ll", .wide), ("hh", .byte), ("h", .short), ("l", .long), ("w", .long),
      ("I", .normal),
    ] where text.hasPrefix(prefix) {
      specification.size = size
      return UInt64(prefix.utf8.count)
    }
    return 0
  }

  private func converted(
    _ conversion: UInt8, _ specification: Specification, _ arguments: inout VariadicArguments
  ) throws -> [UInt8] {
    func integer() throws -> (bits: UInt64, width: Int) {
      switch specification.size {
      case .wide: (try arguments.next(UInt64.self), 64)
      case .byte: (UInt64(try arguments.next(UInt32.self) & 0xff), 8)
      case .short: (UInt64(try arguments.next(UInt32.self) & 0xffff), 16)
      case .normal, .long: (UInt64(try arguments.next(UInt32.self)), 32)
      }
    }
    switch Character(UnicodeScalar(conversion)) {
    case "%": return [conversion]
    case "d", "i":
      let (bits, width) = try integer()
      let value = Int64(bitPattern: bits << UInt64(64 - width)) >> Int64(64 - width)
      return specification.number(value.magnitude, radix: 10, isNegative: value < 0, isSigned: true)
    case "u": return specification.number(try integer().bits, radix: 10)
    case "o": return specification.number(try integer().bits, radix: 8)
    case "x": return specification.number(try integer().bits, radix: 16)
    case "X": return specification.number(try integer().bits, radix: 16, uppercase: true)
    case "p", "P":
      let value = try arguments.next(GuestWord.self).bits
      return Array(hex(value, memory.target).uppercased().utf8)
    case "c":
      let value = try arguments.next(UInt32.self)
      return specification.size == .long ? narrow([UInt16(truncatingIfNeeded: value)]) : [UInt8(truncatingIfNeeded: value)]
    case "C":
      let value = try arguments.next(UInt32.self)
      return specification.size == .short ? [UInt8(truncatingIfNeeded: value)] : narrow([UInt16(truncatingIfNeeded: value)])
    case "s": return try string(at: arguments.next(GuestWord.self).bits, isWide: specification.size == .long, specification)
    case "S": return try string(at: arguments.next(GuestWord.self).bits, isWide: specification.size != .short, specification)
    case "Z":
      let counted = Pointer<UNICODE_STRING>(try arguments.next(GuestWord.self).bits, in: memory.memory)
      if counted.isNull { return Array("(null)".utf8) }
      let (count, buffer) = (Int(try counted.Length.load()), try counted.Buffer.load())
      if buffer.isNull { return Array("(null)".utf8) }
      let limit = specification.precision ?? Self.longestMessage
      if specification.size != .long { return try memory.memory.bytes(min(count, limit), at: buffer.address) }
      return narrow(try (0..<min(count / 2, limit)).map { try buffer[$0].load() })
    case "n":
      // Takes its argument. What a kernel would write through it is left out: a format must not store.
      _ = try arguments.next(GuestWord.self)
      return []
    default: return [UInt8(ascii: "%"), conversion]
    }
  }

  private func string(at address: UInt64, isWide: Bool, _ specification: Specification) throws -> [UInt8] {
    if address == 0 { return Array("(null)".utf8) }
    let limit = min(specification.precision ?? Self.longestMessage, Self.longestMessage)
    var result: [UInt8] = []
    var units: [UInt16] = []
    for index in 0..<UInt64(limit) {
      if isWide {
        let unit = try memory.memory.load(UInt16.self, at: address + 2 * index)
        if unit == 0 { break }
        units.append(unit)
      } else {
        let byte = try memory.memory.load(UInt8.self, at: address + index)
        if byte == 0 { break }
        result.append(byte)
      }
    }
    return isWide ? narrow(units) : result
  }

  /// Wide text as the debugger shows it.
  private func narrow(_ units: [UInt16]) -> [UInt8] { Array(String(decoding: units, as: UTF16.self).utf8) }
}

/// One conversion's flags, width, precision and size.
private struct Specification {
  enum Flag: UInt8 { case left = 0x2d, plus = 0x2b, space = 0x20, alternate = 0x23, zero = 0x30 }
  enum Size { case normal, byte, short, long, wide }

  var flags: Set<Flag> = []
  var width = 0
  var precision: Int?
  var size = Size.normal

  func number(
    _ magnitude: UInt64, radix: Int, isNegative: Bool = false, isSigned: Bool = false, uppercase: Bool = false
  ) -> [UInt8] {
    var digits = String(magnitude, radix: radix, uppercase: uppercase)
    if precision == 0 && magnitude == 0 { digits = "" }
    digits = String(repeating: "0", count: max(0, (precision ?? 0) - digits.count)) + digits
    var sign = isNegative ? "-" : isSigned && flags.contains(.plus) ? "+" : isSigned && flags.contains(.space) ? " " : ""
    if flags.contains(.alternate) && magnitude != 0 && radix == 16 { sign = uppercase ? "0X" : "0x" }
    if flags.contains(.alternate) && radix == 8 && !digits.hasPrefix("0") { digits = "0" + digits }
    if flags.contains(.zero) && !flags.contains(.left) && precision == nil {
      digits = String(repeating: "0", count: max(0, width - digits.count - sign.count)) + digits
    }
    return Array((sign + digits).utf8)
  }

  func padded(_ text: [UInt8]) -> [UInt8] {
    let blanks = [UInt8](repeating: UInt8(ascii: " "), count: max(0, width - text.count))
    return flags.contains(.left) ? text + blanks : blanks + text
  }
}
