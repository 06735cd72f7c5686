import Guest
import WindowsTypes

extension Export {
  /// UTF-8, counted strings compared and copied by hand, and the sizes that conversions take.
  static let utf8Text: [Export] = [
    // nf-wdm-rtlunicodetoutf8n: whole characters, as many as fit; what is no character becomes U+FFFD.
    export(
      "RtlUnicodeToUTF8N(UTF8StringDestination, UTF8StringMaxByteCount, UTF8StringActualByteCount, UnicodeStringSource, UnicodeStringByteCount)"
    ) {
      (_, target: Pointer<UInt8>, room: UInt32, written: Pointer<UInt32>, source: Pointer<UInt16>, bytes: UInt32) -> NTSTATUS in
      guard !source.isNull else { return Kernel.invalidParameter(4) }
      guard !written.isNull else { return .invalidParameter }
      guard target.isNull || bytes & 1 == 0 else { return Kernel.invalidParameter(5) }
      let units = try source.array(count: Int(bytes / 2))
      var result: [UInt8] = []
      var fits = true
      for scalar in String(decoding: units, as: UTF16.self).unicodeScalars {
        let character = UTF8.encode(scalar).map(Array.init) ?? []
        fits = target.isNull || result.count + character.count <= Int(room)
        guard fits else { break }
        result += character
      }
      if !target.isNull { try target.write(result) }
      try written.store(UInt32(result.count))
      guard fits else { return .bufferTooSmall }
      return String(validating: units, as: UTF16.self) == nil ? NTSTATUS.someNotMapped : .success
    },
    // nf-wdm-rtlutf8tounicoden
    export(
      "RtlUTF8ToUnicodeN(UnicodeStringDestination, UnicodeStringMaxByteCount, UnicodeStringActualByteCount, UTF8StringSource, UTF8StringByteCount)"
    ) {
      (_, target: Pointer<UInt16>, room: UInt32, written: Pointer<UInt32>, source: Pointer<UInt8>, bytes: UInt32) -> NTSTATUS in
      guard !source.isNull else { return Kernel.invalidParameter(4) }
      guard !written.isNull else { return .invalidParameter }
      let narrow = try source.array(count: Int(bytes))
      var result: [UInt16] = []
      var fits = true
      for scalar in String(decoding: narrow, as: UTF8.self).unicodeScalars {
        let character = UTF16.encode(scalar).map(Array.init) ?? []
        fits = target.isNull || result.count + character.count <= Int(room / 2)
        guard fits else { break }
        result += character
      }
      if !target.isNull { try target.write(result) }
      try written.store(UInt32(2 * result.count))
      guard fits else { return .bufferTooSmall }
      return String(validating: narrow, as: UTF8.self) == nil ? NTSTATUS.someNotMapped : .success
    }
    .uncertain("how many U+FFFD a broken sequence becomes: one for each longest part that a character could begin with"),
    // nf-wdm-rtlcompareunicodestrings: lengths are in characters.
    export("RtlCompareUnicodeStrings(String1, String1Length, String2, String2Length, CaseInSensitive)", irql: .passive) {
      (_, first: Pointer<UInt16>, firstCount: UInt32, second: Pointer<UInt16>, secondCount: UInt32, ignoresCase: UInt8) -> Int32 in
      for index in 0..<Int(min(firstCount, secondCount)) {
        let (x, y) = (try first[index].load(), try second[index].load())
        let (a, b) = ignoresCase == 0 ? (x, y) : (x.uppercased, y.uppercased)
        if a != b { return Int32(a) - Int32(b) }
      }
      return Int32(truncatingIfNeeded: Int(firstCount) - Int(secondCount))
    },
    // nf-ntifs-rtlduplicateunicodestring: RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE 1, _ALLOCATE_NULL_STRING 2.
    export("RtlDuplicateUnicodeString(Flags, StringIn, StringOut)", irql: .passive) {
      (kernel, flags: UInt32, source: Pointer<UNICODE_STRING>, target: Pointer<UNICODE_STRING>) -> NTSTATUS in
      guard flags < 4, flags != 2, !source.isNull, !target.isNull, try source.isSound() else { return .invalidParameter }
      let units = try source.units()
      if units.isEmpty, flags != 3 {
        try target.set(count: 0)
        try target.set(capacity: 0)
        try target.set(text: Pointer(0, in: target.memory))
        return .success
      }
      let terminator: [UInt16] = flags & 1 != 0 ? [0] : []
      guard (units.count + terminator.count) * 2 <= 0xffff else { return .nameTooLong }
      guard try kernel.allocate(target, count: units.count + terminator.count) else { return .noMemory }
      try target.text.write(units + terminator)
      try target.set(count: units.count)
      return .success
    },
    // nf-ntifs-rtlvalidateunicodestring: no flag is known; no string at all is valid.
    export("RtlValidateUnicodeString(Flags, SourceString)", irql: .passive) {
      (_, flags: UInt32, source: Pointer<UNICODE_STRING>) -> NTSTATUS in
      guard flags == 0, try source.isNull || source.isSound() else { return .invalidParameter }
      return .success
    },
    // nf-wdm-rtlinitansistringex (as RtlInitUnicodeStringEx for bytes)
    export("RtlInitAnsiStringEx(DestinationString, SourceString)") {
      (_, target: Pointer<STRING>, source: Pointer<UInt8>) -> NTSTATUS in
      // MaximumLength counts the terminator, too.
      guard try source.isNull || source.length(limit: 0xffff) < 0xffff else { return .nameTooLong }
      try target.describe(source, longest: 0xfffe)
      return .success
    },
    // nf-wdm-rtlansistringtounicodesize and its kin: the functions behind the macros, with the terminator.
    export("RtlAnsiStringToUnicodeSize(AnsiString)", irql: .passive) { (_, text: Pointer<STRING>) -> UInt32 in
      UInt32(try text.count * 2 + 2)
    },
    export("RtlOemStringToUnicodeSize(OemString)", irql: .passive) { (_, text: Pointer<STRING>) -> UInt32 in
      UInt32(try text.count * 2 + 2)
    },
    export("RtlUnicodeStringToAnsiSize(UnicodeString)", irql: .passive) { (_, text: Pointer<UNICODE_STRING>) -> UInt32 in
      UInt32(try text.count + 1)
    },
    export("RtlUnicodeStringToOemSize(UnicodeString)", irql: .passive) { (_, text: Pointer<UNICODE_STRING>) -> UInt32 in
      UInt32(try text.count + 1)
    },
    // nf-ntifs-rtlisvalidoemcharacter: the character changes to its capital, as a short name has it.
    export("RtlIsValidOemCharacter(Char)", irql: .passive) { (_, character: Pointer<UInt16>) -> UInt8 in
      let capital = CaseMapping.upper(try character.load())
      let byte = CodePage.oem.byte(for: capital)
      guard byte != CodePage.substitute || capital == UInt16(CodePage.substitute) else { return 0 }
      try character.store(capital)
      return 1
    }
    .uncertain("the capital is stored, so a letter without one in the code page stays as it is"),
    // RtlGetDefaultCodePage (ntrtl.h): what AnsiCodePage and OemCodePage are.
    export("RtlGetDefaultCodePage(AnsiCodePage, OemCodePage)") { (_, ansi: Pointer<UInt16>, oem: Pointer<UInt16>) in
      try ansi.store(1252)
      try oem.store(437)
    },
    // nf-ntddk (no page): RtlIntegerToUnicodeString's digits, without a counted string.
    digits("RtlIntegerToChar", UInt8.self), digits("RtlIntegerToUnicode", UInt16.self),
    // nf-ntifs-rtlcomparealtitudes: decimal numbers of any length.
    export("RtlCompareAltitudes(Altitude1, Altitude2)", irql: .passive) {
      (_, first: Pointer<UNICODE_STRING>, second: Pointer<UNICODE_STRING>) -> Int32 in
      let (a, b) = (Altitude(try first.units()), Altitude(try second.units()))
      return a == b ? 0 : a < b ? -1 : 1
    },
  ]

  private static func digits<Unit: CodeUnit>(_ name: String, _: Unit.Type) -> Export {
    export("\(name)(Value, Base, OutputLength, String)", irql: .passive) {
      (_, value: UInt32, base: UInt32, length: Int32, text: Pointer<Unit>) -> NTSTATUS in
      guard [0, 2, 8, 10, 16].contains(base) else { return .invalidParameter }
      var units = String(value, radix: base == 0 ? 10 : Int(base), uppercase: true).utf8.map { Unit($0) }
      if length < 0 {
        let width = Int(length.magnitude)
        guard width <= 64, units.count <= width else { return .bufferOverflow }
        units = Array(repeating: Unit(ascii: "0"), count: width - units.count) + units
      } else {
        guard units.count <= Int(length) else { return .bufferOverflow }
      }
      // The terminator is left out where it does not fit.
      try text.write(Int(length) > units.count ? units + [0] : units)
      return .success
    }
    .uncertain("a negative length pads with zeros (phnt's comment); the length counts characters")
  }
}

/// A filter's altitude: a decimal number, of which the parts in front of and behind the point are compared.
private struct Altitude: Comparable {
  let whole: [UInt16]
  let fraction: [UInt16]

  init(_ units: [UInt16]) {
    let point = units.firstIndex(of: 0x2e) ?? units.count
    whole = Array(units[..<point].drop { $0 == 0x30 })
    var rest = Array(units[point...].dropFirst())
    while rest.last == 0x30 { rest.removeLast() }
    fraction = rest
  }

  static func < (a: Altitude, b: Altitude) -> Bool {
    if a.whole.count != b.whole.count { return a.whole.count < b.whole.count }
    if a.whole != b.whole { return a.whole.lexicographicallyPrecedes(b.whole) }
    return a.fraction.lexicographicallyPrecedes(b.fraction)
  }
}

extension Pointer where Pointee == UNICODE_STRING {
  /// Whether its lengths are even, in order, and have a buffer.
  fileprivate func isSound() throws -> Bool {
    let (length, capacity) = (try self.Length.load(), try self.MaximumLength.load())
    return try length & 1 == 0 && capacity & 1 == 0 && length <= capacity && (capacity == 0 || !self.Buffer.load().isNull)
  }
}

extension NTSTATUS {
  /// `STATUS_SOME_NOT_MAPPED`
  static let someNotMapped = NTSTATUS(rawValue: 0x107)
}
