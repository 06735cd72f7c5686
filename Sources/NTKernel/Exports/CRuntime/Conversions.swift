import Guest
import WindowsTypes

/// Numbers and text, and text of one width and the other, as the C runtime converts them.
extension Export {
  static let numberText: [Export] = [
    // reference/atoi-atoi-l-wtoi-wtoi-l
    export("atoi(str)", .cdecl) { (_, text: Pointer<UInt8>) -> Int32 in try text.decimalValue() },
    // reference/atol-atol-l-wtol-wtol-l
    export("atol(str)", .cdecl) { (_, text: Pointer<UInt8>) -> Int32 in try text.decimalValue() },
    // reference/itoa-itow
    export("_itoa(value, buffer, radix)", .cdecl) {
      (_, value: UInt32, buffer: Pointer<UInt8>, radix: UInt32) -> Pointer<UInt8> in
      try buffer.store(value, radix: radix, isSigned: radix == 10)
    },
    export("_itow(value, buffer, radix)", .cdecl) {
      (_, value: UInt32, buffer: Pointer<UInt16>, radix: UInt32) -> Pointer<UInt16> in
      try buffer.store(value, radix: radix, isSigned: radix == 10)
    },
    export("_ultoa(value, buffer, radix)", .cdecl) {
      (_, value: UInt32, buffer: Pointer<UInt8>, radix: UInt32) -> Pointer<UInt8> in
      try buffer.store(value, radix: radix, isSigned: false)
    },
    export("_ultow(value, buffer, radix)", .cdecl) {
      (_, value: UInt32, buffer: Pointer<UInt16>, radix: UInt32) -> Pointer<UInt16> in
      try buffer.store(value, radix: radix, isSigned: false)
    },
  ]

  static let widthChanges: [Export] = [
    // reference/mbstowcs-mbstowcs-l: without a target it says how long the text would be.
    export("mbstowcs(wcstr, mbstr, count)", .cdecl) {
      (_, target: Pointer<UInt16>, source: Pointer<UInt8>, count: GuestWord) -> UInt32 in
      try convert(source, to: target, count.bits, CodePage.ansi.unit(for:))
    },
    // reference/wcstombs-wcstombs-l
    export("wcstombs(mbstr, wcstr, count)", .cdecl) {
      (_, target: Pointer<UInt8>, source: Pointer<UInt16>, count: GuestWord) -> UInt32 in
      try convert(source, to: target, count.bits, CodePage.ansi.byte(for:))
    }
    .uncertain("a character that the code page lacks becomes a question mark, as in the kernel's other conversions"),
    // reference/mbtowc-mbtowc-l
    export("mbtowc(wchar, mbchar, count)", .cdecl) {
      (_, target: Pointer<UInt16>, source: Pointer<UInt8>, count: GuestWord) -> Int32 in
      if source.isNull || count.bits == 0 { return 0 }
      let byte = try source.load()
      if !target.isNull { try target.store(CodePage.ansi.unit(for: byte)) }
      return byte == 0 ? 0 : 1
    },
    // reference/wctomb-wctomb-l
    export("wctomb(mbchar, wchar)", .cdecl) { (_, target: Pointer<UInt8>, unit: UInt32) -> Int32 in
      if target.isNull { return 0 }
      try target.store(CodePage.ansi.byte(for: UInt16(truncatingIfNeeded: unit)))
      return 1
    },
  ]

  /// Converts at most `count` units, with the terminator if it is among them; returns how many without it.
  private static func convert<From: CodeUnit, To: CodeUnit>(
    _ source: Pointer<From>, to target: Pointer<To>, _ count: UInt64, _ change: (From) -> To
  ) throws -> UInt32 {
    if target.isNull { return UInt32(try source.length()) }
    var index = 0
    while index < count {
      let unit = try source[index].load()
      try target[index].store(unit == 0 ? 0 : change(unit))
      if unit == 0 { break }
      index += 1
    }
    return UInt32(index)
  }
}

extension Pointer where Pointee: CodeUnit {
  /// Blanks, a sign, digits; what does not fit wraps around.
  func decimalValue() throws -> Int32 {
    var place = self
    while try place.load().isASCIIBlank { place = place[1] }
    let isNegative = try place.load() == Pointee(ascii: "-")
    if try isNegative || place.load() == Pointee(ascii: "+") { place = place[1] }
    var value: Int32 = 0
    while case let digit = try place.load(), digit.isASCIIDigit {
      value = value &* 10 &+ Int32(digit - 0x30)
      place = place[1]
    }
    return isNegative ? 0 &- value : value
  }

  /// Writes `value` in `radix`, from 2 to 36, and a terminator; any other radix leaves the empty string.
  func store(_ value: UInt32, radix: UInt32, isSigned: Bool) throws -> Self {
    var text = ""
    if (2...36).contains(radix) {
      text = isSigned ? String(Int32(bitPattern: value), radix: Int(radix)) : String(value, radix: Int(radix))
    }
    try write(text.utf8.map { Pointee($0) } + [0])
    return self
  }
}
