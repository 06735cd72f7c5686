import Guest
import WindowsTypes

/// Counted strings of either width.
extension Export {
  static let unicodeStrings = strings(UNICODE_STRING.self, "Unicode", longest: 0x7ffe)
  static let ansiStrings =
    strings(STRING.self, "", longest: 0xfffe) + [
      // nf-wdm-rtlinitansistring
      export("RtlInitAnsiString(DestinationString, SourceString)") { (_, target: Pointer<STRING>, source: Pointer<UInt8>) in
        try target.describe(source, longest: 0xfffe)
      },
      // nf-ntddk-rtlcopystring has no terminator to write, unlike its wide relative; nor has this.
      export("RtlAppendAsciizToString(Destination, Source)") {
        (_, target: Pointer<STRING>, source: Pointer<UInt8>) -> NTSTATUS in
        if source.isNull { return .success }
        return try target.append(source.units(), isTerminated: false) ? .success : .bufferTooSmall
      },
      // nf-ntddk-rtlupperstring: as much as fits.
      export("RtlUpperString(DestinationString, SourceString)", irql: .passive) {
        (_, target: Pointer<STRING>, source: Pointer<STRING>) in
        let units = try source.units().prefix(target.capacity).map(\.uppercased)
        try target.text.write(units)
        try target.set(count: units.count)
      },
      // nf-ntddk-rtlupperchar
      export("RtlUpperChar(Character)") { (_, unit: UInt8) -> UInt8 in unit.uppercased },
      // nf-wdm-rtlfreeansistring
      export("RtlFreeAnsiString(AnsiString)", irql: .passive) { (kernel, text: Pointer<STRING>) in
        try kernel.release(text, clears: true)
      },
      // nf-ntifs-rtlfreeoemstring
      export("RtlFreeOemString(OemString)", irql: .passive) { (kernel, text: Pointer<STRING>) in
        try kernel.release(text, clears: false)
      }
      .uncertain("the structure keeps pointing at the freed buffer"),
    ]

  static let unicodeText: [Export] = [
    // nf-wdm-rtlinitunicodestring, the form that reports what does not fit
    export("RtlInitUnicodeStringEx(DestinationString, SourceString)") {
      (_, target: Pointer<UNICODE_STRING>, source: Pointer<UInt16>) -> NTSTATUS in
      if try !source.isNull && source.length(limit: 0x7fff) >= 0x7fff { return .nameTooLong }
      try target.describe(source, longest: 0x7ffe)
      return .success
    },
    // nf-ntifs-rtlcreateunicodestring
    export("RtlCreateUnicodeString(DestinationString, SourceString)", irql: .passive) {
      (kernel, target: Pointer<UNICODE_STRING>, source: Pointer<UInt16>) -> UInt8 in
      let units = try source.units(limit: 0x8000)
      guard units.count < 0x7fff, try kernel.allocate(target, count: units.count + 1) else { return 0 }
      try target.text.write(units + [0])
      try target.set(count: units.count)
      return 1
    },
    // nf-wdm-rtlfreeunicodestring
    export("RtlFreeUnicodeString(UnicodeString)", irql: .passive) { (kernel, text: Pointer<UNICODE_STRING>) in
      try kernel.release(text, clears: true)
    },
    // nf-wdm-rtlappendunicodetostring
    export("RtlAppendUnicodeToString(Destination, Source)") {
      (_, target: Pointer<UNICODE_STRING>, source: Pointer<UInt16>) -> NTSTATUS in
      if source.isNull { return .success }
      return try target.append(source.units(), isTerminated: true) ? .success : .bufferTooSmall
    },
    // nf-wdm-rtlupcaseunicodestring
    export("RtlUpcaseUnicodeString(DestinationString, SourceString, AllocateDestinationString)", irql: .passive) {
      (kernel, target: Pointer<UNICODE_STRING>, source: Pointer<UNICODE_STRING>, allocate: UInt8) -> NTSTATUS in
      try kernel.map(source, to: target, allocate != 0, CaseMapping.upper)
    },
    // nf-wdm-rtldowncaseunicodestring
    export("RtlDowncaseUnicodeString(DestinationString, SourceString, AllocateDestinationString)", irql: .passive) {
      (kernel, target: Pointer<UNICODE_STRING>, source: Pointer<UNICODE_STRING>, allocate: UInt8) -> NTSTATUS in
      try kernel.map(source, to: target, allocate != 0, CaseMapping.lower)
    },
    // nf-ntifs-rtlupcaseunicodechar
    export("RtlUpcaseUnicodeChar(SourceCharacter)", irql: .passive) { (_, unit: UInt16) -> UInt16 in CaseMapping.upper(unit) },
    // nf-ntifs-rtldowncaseunicodechar
    export("RtlDowncaseUnicodeChar(SourceCharacter)", irql: .passive) { (_, unit: UInt16) -> UInt16 in CaseMapping.lower(unit) },
    // nf-ntifs-rtlhashunicodestring: algorithm 1, which 0 stands for, multiplies by 65599.
    export("RtlHashUnicodeString(String, CaseInSensitive, HashAlgorithm, HashValue)", irql: .apc) {
      (_, text: Pointer<UNICODE_STRING>, ignoresCase: UInt8, algorithm: UInt32, value: Pointer<UInt32>) -> NTSTATUS in
      guard !text.isNull, !value.isNull, algorithm <= 1 else { return .invalidParameter }
      try value.store(
        text.units().reduce(0) { $0 &* 65599 &+ UInt32(ignoresCase == 0 ? $1 : CaseMapping.upper($1)) })
      return .success
    },
  ]

  /// What both widths have, with `kind` in the name.
  private static func strings<Text: CountedText>(_: Text.Type, _ kind: String, longest: Int) -> [Export] {
    let isWide = kind == "Unicode"
    return [
      // nf-wdm-rtlinitunicodestring, nf-wdm-rtlinitstring
      export("RtlInit\(kind)String(DestinationString, SourceString)") {
        (_, target: Pointer<Text>, source: Pointer<Text.Unit>) in
        try target.describe(source, longest: longest)
      },
      // nf-wdm-rtlcopyunicodestring: as much as fits, and a terminator after it if there is room. nf-ntddk-rtlcopystring
      export("RtlCopy\(kind)String(DestinationString, SourceString)") { (_, target: Pointer<Text>, source: Pointer<Text>) in
        try target.set(count: source.isNull ? 0 : min(target.capacity, source.count))
        if source.isNull { return }
        let count = try target.count
        try target.text.write(source.text.array(count: count))
        if try isWide && count < target.capacity { try target.text[count].store(0) }
      },
      // nf-wdm-rtlappendunicodestringtostring
      export(isWide ? "RtlAppendUnicodeStringToString(Destination, Source)" : "RtlAppendStringToString(Destination, Source)") {
        (_, target: Pointer<Text>, source: Pointer<Text>) -> NTSTATUS in
        try target.append(source.units(), isTerminated: isWide) ? .success : .bufferTooSmall
      },
      // nf-wdm-rtlcompareunicodestring: negative, 0 or positive; the difference is that of the units, or of the lengths.
      export("RtlCompare\(kind)String(String1, String2, CaseInSensitive)", irql: .passive) {
        (_, first: Pointer<Text>, second: Pointer<Text>, ignoresCase: UInt8) -> Int32 in
        let (a, b) = (try first.units(), try second.units())
        for (x, y) in zip(a, b) {
          let (x, y) = ignoresCase == 0 ? (x, y) : (x.uppercased, y.uppercased)
          if x != y { return Int32(x) - Int32(y) }
        }
        return Int32(a.count - b.count) * Int32(MemoryLayout<Text.Unit>.size)
      },
      // nf-wdm-rtlequalunicodestring
      export("RtlEqual\(kind)String(String1, String2, CaseInSensitive)", irql: .passive) {
        (_, first: Pointer<Text>, second: Pointer<Text>, ignoresCase: UInt8) -> UInt8 in
        guard try first.count == second.count else { return 0 }
        return isPrefix(try first.units(), of: try second.units(), ignoresCase != 0) ? 1 : 0
      },
      // nf-ntifs-rtlprefixunicodestring
      export("RtlPrefix\(kind)String(String1, String2, CaseInSensitive)", irql: .passive) {
        (_, first: Pointer<Text>, second: Pointer<Text>, ignoresCase: UInt8) -> UInt8 in
        guard try first.count <= second.count else { return 0 }
        return isPrefix(try first.units(), of: try second.units(), ignoresCase != 0) ? 1 : 0
      },
    ]
  }

  private static func isPrefix<Unit: CodeUnit>(_ first: [Unit], of second: [Unit], _ ignoresCase: Bool) -> Bool {
    zip(first, second).allSatisfy { $0 == $1 || ignoresCase && $0.uppercased == $1.uppercased }
  }
}

extension CodeUnit {
  /// As Windows maps it, for bytes by way of the ANSI code page; a capital that the page lacks leaves a byte as it is.
  var uppercased: Self {
    if self < 0x80 { return asciiUppercased }
    guard MemoryLayout<Self>.size == 1 else { return Self(CaseMapping.upper(UInt16(truncatingIfNeeded: self))) }
    let capital = CaseMapping.upper(CodePage.ansi.unit(for: UInt8(self)))
    let byte = CodePage.ansi.byte(for: capital)
    return byte == CodePage.substitute ? self : Self(byte)
  }
}

extension Kernel {
  /// Frees a string's buffer, if it has one.
  fileprivate func release<Text: CountedText>(_ text: Pointer<Text>, clears: Bool) throws {
    let buffer = try text.text
    if buffer.isNull { return }
    try freePool(buffer.address)
    if clears { try text.zero() }
  }

  /// Writes `source`, unit by unit changed, to `target`, which is given a buffer if `allocates`.
  fileprivate func map(
    _ source: Pointer<UNICODE_STRING>, to target: Pointer<UNICODE_STRING>, _ allocates: Bool, _ change: (UInt16) -> UInt16
  ) throws -> NTSTATUS {
    let units = try source.units().map(change)
    if allocates {
      guard try allocate(target, count: units.count) else { return .noMemory }
    } else if try units.count > target.capacity {
      return .bufferOverflow
    }
    try target.text.write(units)
    try target.set(count: units.count)
    return .success
  }
}
