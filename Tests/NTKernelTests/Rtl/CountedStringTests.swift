import Testing

@Suite("Counted strings") struct CountedStringTests {
  let g: RuntimeGuest
  init() throws { g = try RuntimeGuest() }

  static let success: UInt64 = 0
  static let bufferOverflow: UInt64 = 0x8000_0005
  static let bufferTooSmall: UInt64 = 0xc000_0023
  static let invalidParameter: UInt64 = 0xc000_000d

  /// Lengths and buffer of a header.
  func fields(_ header: UInt64) throws -> [UInt64] {
    [UInt64(try g.load16(header)), UInt64(try g.load16(header + 2)), UInt64(try g.load(header + 4))]
  }

  @Test("a header describes its text, or nothing") func initialize() throws {
    let header = try g.room(8)
    let (wide, narrow) = (try g.wide("abc"), try g.narrow("abc"))
    try g.call("RtlInitUnicodeString", header, wide)
    #expect(try fields(header) == [6, 8, wide])
    try g.call("RtlInitUnicodeString", header, 0)
    #expect(try fields(header) == [0, 0, 0])
    for name in ["RtlInitAnsiString", "RtlInitString"] {
      try g.call(name, header, narrow)
      #expect(try fields(header) == [3, 4, narrow])
      try g.call(name, header, 0)
      #expect(try fields(header) == [0, 0, 0])
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, 0) == accessViolation)
    }
    #expect(try g.call("RtlInitUnicodeStringEx", header, wide) == Self.success)
    #expect(try fields(header) == [6, 8, wide])
    #expect(try g.failure("RtlInitUnicodeString", RuntimeGuest.missing, 0) == accessViolation)
  }

  @Test("text that no header can describe") func tooLong() throws {
    let text = RuntimeGuest.data
    let header: UInt64 = RuntimeGuest.missing - 0x100
    for page in 4..<UInt64(17) {
      try g.memory.kernel.set(.init(.valid, frame: g.memory.physical.allocate()), at: text + page << 12)
    }
    for index in 0..<UInt64(0x8000) { try g.store16(0x61, at: text + 2 * index) }
    try g.store16(0, at: text + 0x1_0000)
    try g.call("RtlInitUnicodeString", header, text)
    #expect(try fields(header) == [0xfffc, 0xfffe, text])
    #expect(try g.call("RtlInitUnicodeStringEx", header, text) == 0xc000_0106)
    #expect(try g.call("RtlCreateUnicodeString", header, text) == 0)
  }

  @Test("copies keep to the target's size") func copy() throws {
    let (target, source) = (try g.unicode("xxxx", spare: 2), try g.unicode("abc"))
    try g.call("RtlCopyUnicodeString", target, source)
    #expect(try g.text(target) == "abc")
    #expect(try g.load16(UInt64(g.load(target + 4)) + 6) == 0)
    try g.call("RtlCopyUnicodeString", target, try g.unicode("abcdefgh"))
    #expect(try g.text(target) == "abcde")
    try g.call("RtlCopyUnicodeString", target, 0)
    #expect(try fields(target)[0] == 0)
    let narrow = try g.ansi("xxx")
    try g.call("RtlCopyString", narrow, try g.ansi("abcdef"))
    #expect(try g.bytes(ofString: narrow) == Array("abc".utf8))
    for name in ["RtlCopyUnicodeString", "RtlCopyString"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, 0) == accessViolation)
    }
  }

  @Test("what is appended fits, or nothing is") func append() throws {
    let target = try g.unicode("ab", spare: 8)
    #expect(try g.call("RtlAppendUnicodeStringToString", target, try g.unicode("cd")) == Self.success)
    #expect(try g.text(target) == "abcd")
    #expect(try g.load16(UInt64(g.load(target + 4)) + 8) == 0)
    #expect(try g.call("RtlAppendUnicodeToString", target, try g.wide("ef")) == Self.success)
    #expect(try g.text(target) == "abcdef")
    #expect(try g.call("RtlAppendUnicodeToString", target, try g.wide("g")) == Self.bufferTooSmall)
    #expect(try g.call("RtlAppendUnicodeStringToString", target, try g.unicode("g")) == Self.bufferTooSmall)
    #expect(try g.call("RtlAppendUnicodeToString", target, 0) == Self.success)
    #expect(try g.text(target) == "abcdef")
    let narrow = try g.ansi("ab", spare: 3)
    #expect(try g.call("RtlAppendStringToString", narrow, try g.ansi("c")) == Self.success)
    #expect(try g.call("RtlAppendAsciizToString", narrow, try g.narrow("de")) == Self.success)
    #expect(try g.bytes(ofString: narrow) == Array("abcde".utf8))
    #expect(try g.call("RtlAppendAsciizToString", narrow, try g.narrow("f")) == Self.bufferTooSmall)
    #expect(try g.call("RtlAppendStringToString", narrow, try g.ansi("f")) == Self.bufferTooSmall)
  }

  @Test("comparisons") func compare() throws {
    let (a, b) = (try g.unicode("\\Device\\Äpfel"), try g.unicode("\\DEVICE\\äPFEL\\x"))
    #expect(try g.call("RtlPrefixUnicodeString", a, b, 1) == 1)
    #expect(try g.call("RtlPrefixUnicodeString", a, b, 0) == 0)
    #expect(try g.call("RtlPrefixUnicodeString", b, a, 1) == 0)
    #expect(try g.call("RtlEqualUnicodeString", a, b, 1) == 0)
    #expect(try g.call("RtlEqualUnicodeString", a, a, 0) == 1)
    #expect(try g.call("RtlCompareUnicodeString", a, b, 1) == 0xffff_fffc)
    #expect(try g.call("RtlCompareUnicodeString", a, b, 0) == 0x20)
    #expect(try g.call("RtlCompareUnicodeString", a, a, 0) == 0)
    // 0xe4 and 0xc4 are a pair in the ANSI code page.
    let (x, y) = (try g.ansi([0x61, 0xe4]), try g.ansi([0x41, 0xc4]))
    #expect(try g.call("RtlEqualString", x, y, 1) == 1)
    #expect(try g.call("RtlEqualString", x, y, 0) == 0)
    #expect(try g.call("RtlCompareString", x, y, 0) == 0x20)
    #expect(try g.call("RtlCompareString", x, y, 1) == 0)
    #expect(try g.call("RtlPrefixString", try g.ansi("A"), x, 1) == 1)
    #expect(try g.call("RtlPrefixString", try g.ansi("B"), x, 1) == 0)
    for kind in ["Unicode", ""] {
      for name in ["RtlCompare\(kind)String", "RtlEqual\(kind)String", "RtlPrefix\(kind)String"] {
        #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, RuntimeGuest.missing, 0) == accessViolation)
      }
    }
  }

  @Test("case by Unicode's simple mapping") func cases() throws {
    let source = try g.unicode("aß\u{131}\u{1fb3}\u{ff5a}ÿ")
    let target = try g.room(8)
    #expect(try g.call("RtlUpcaseUnicodeString", target, source, 1) == Self.success)
    #expect(try g.text(target) == "Aß\u{131}\u{1fbc}\u{ff3a}\u{178}")
    #expect(try fields(target)[1] == 12)
    try g.call("RtlFreeUnicodeString", target)
    #expect(try fields(target) == [0, 0, 0])
    try g.call("RtlFreeUnicodeString", target)
    let small = try g.unicode("xx")
    #expect(try g.call("RtlUpcaseUnicodeString", small, source, 0) == Self.bufferOverflow)
    #expect(try g.call("RtlDowncaseUnicodeString", small, try g.unicode("ÄB"), 0) == Self.success)
    #expect(try g.text(small) == "äb")
    #expect(try g.call("RtlDowncaseUnicodeString", small, source, 0) == Self.bufferOverflow)
    #expect(try g.call("RtlUpcaseUnicodeChar", 0xff) == 0x178)
    #expect(try g.call("RtlUpcaseUnicodeChar", 0xdf) == 0xdf)
    #expect(try g.call("RtlDowncaseUnicodeChar", 0x178) == 0xff)
    #expect(try g.call("RtlDowncaseUnicodeChar", 0x130) == 0x130)
    #expect(try g.call("RtlUpperChar", 0xe4) == 0xc4)
    #expect(try g.call("RtlUpperChar", 0xb5) == 0xb5)
    let upper = try g.ansi("xxx")
    try g.call("RtlUpperString", upper, try g.ansi("abcd"))
    #expect(try g.bytes(ofString: upper) == Array("ABC".utf8))
    #expect(try RuntimeGuest().failure("RtlUpperString", RuntimeGuest.missing, RuntimeGuest.missing) == accessViolation)
  }

  @Test("a hash, and which algorithms there are") func hash() throws {
    let (text, value) = (try g.unicode("aB"), try g.room(4))
    #expect(try g.call("RtlHashUnicodeString", text, 0, 0, value) == Self.success)
    #expect(try g.load(value) == 0x61 * 65599 + 0x42)
    #expect(try g.call("RtlHashUnicodeString", text, 1, 1, value) == Self.success)
    #expect(try g.load(value) == 0x41 * 65599 + 0x42)
    #expect(try g.call("RtlHashUnicodeString", text, 1, 2, value) == Self.invalidParameter)
    #expect(try g.call("RtlHashUnicodeString", 0, 1, 1, value) == Self.invalidParameter)
  }

  @Test("made and freed") func create() throws {
    let header = try g.room(8)
    #expect(try g.call("RtlCreateUnicodeString", header, try g.wide("abc")) == 1)
    #expect(try g.text(header) == "abc")
    #expect(try fields(header)[1] == 8)
    let buffer = try fields(header)[2]
    try g.call("RtlFreeUnicodeString", header)
    // Freeing again through a stale header is what pool makes of it: BAD_POOL_CALLER.
    try g.store(UInt32(buffer), at: header + 4)
    #expect(try g.failure("RtlFreeUnicodeString", header) == .bugCheck(0xc2))
    for name in ["RtlFreeAnsiString", "RtlFreeOemString"] {
      let g = try RuntimeGuest()
      let text = try g.room(8)
      #expect(try g.call("RtlUnicodeStringToAnsiString", text, try g.unicode("x"), 1) == 0)
      try g.call(name, text)
      #expect(try g.load(text + 4) == 0 || name == "RtlFreeOemString")
      try g.store(0x8234_5678, at: text + 4)
      #expect(try g.failure(name, text) == .bugCheck(0xc2))
    }
  }

  @Test("ANSI and OEM text to UTF-16", arguments: [("Ansi", 0xe4), ("Oem", 0x84)] as [(String, UInt8)])
  func widen(kind: String, byte: UInt8) throws {
    let (target, source) = (try g.room(8), try g.ansi([0x61, byte]))
    #expect(try g.call("Rtl\(kind)StringToUnicodeString", target, source, 1) == Self.success)
    #expect(try g.text(target) == "aä")
    #expect(try fields(target)[1] == 6)
    // There must be room for the terminator.
    #expect(try g.call("Rtl\(kind)StringToUnicodeString", try g.unicode("xx"), source, 0) == Self.bufferOverflow)
    let small = try g.unicode("xx", spare: 2)
    #expect(try g.call("Rtl\(kind)StringToUnicodeString", small, source, 0) == Self.success)
    #expect(try g.text(small) == "aä")
    #expect(try g.call("Rtlx\(kind)StringToUnicodeSize", source) == 6)
    #expect(try g.call("RtlxUnicodeStringTo\(kind)Size", small) == 3)
    for name in ["Rtlx\(kind)StringToUnicodeSize", "RtlxUnicodeStringTo\(kind)Size"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing) == accessViolation)
    }
  }

  @Test("UTF-16 to ANSI and OEM text", arguments: [("Ansi", 0xe4, 0xc4), ("Oem", 0x84, 0x8e)] as [(String, UInt8, UInt8)])
  func narrow(kind: String, byte: UInt8, capital: UInt8) throws {
    let (target, source) = (try g.room(8), try g.unicode("aä中"))
    #expect(try g.call("RtlUnicodeStringTo\(kind)String", target, source, 1) == Self.success)
    #expect(try g.bytes(ofString: target) == [0x61, byte, 0x3f])
    #expect(try fields(target)[1] == 4)
    #expect(try g.call("RtlUpcaseUnicodeStringTo\(kind)String", target, source, 1) == Self.success)
    #expect(try g.bytes(ofString: target) == [0x41, capital, 0x3f])
    let small = try g.ansi("xxx")
    #expect(try g.call("RtlUnicodeStringTo\(kind)String", small, source, 0) == Self.bufferOverflow)
    // The ANSI form converts what fits, and ends it.
    #expect(try g.bytes(ofString: small) == (kind == "Ansi" ? [0x61, byte] : Array("xxx".utf8)))
    #expect(try g.call("RtlUpcaseUnicodeStringTo\(kind)String", small, source, 0) == Self.bufferOverflow)
  }

  @Test("counted OEM strings have no terminator") func countedOem() throws {
    let (narrow, wide) = (try g.ansi("xxx"), try g.unicode("xx"))
    #expect(try g.call("RtlUnicodeStringToCountedOemString", narrow, try g.unicode("äbc"), 0) == Self.success)
    #expect(try g.bytes(ofString: narrow) == [0x84, 0x62, 0x63])
    #expect(try g.call("RtlUpcaseUnicodeStringToCountedOemString", narrow, try g.unicode("äbc"), 0) == Self.success)
    #expect(try g.bytes(ofString: narrow) == [0x8e, 0x42, 0x43])
    #expect(try g.call("RtlOemStringToCountedUnicodeString", wide, try g.ansi([0x84, 0x62]), 0) == Self.success)
    #expect(try g.text(wide) == "äb")
    #expect(try g.call("RtlUnicodeStringToCountedOemString", narrow, try g.unicode("abcd"), 0) == Self.bufferOverflow)
    #expect(try g.call("RtlUpcaseUnicodeStringToCountedOemString", narrow, try g.unicode("abcd"), 0) == Self.bufferOverflow)
    #expect(try g.call("RtlOemStringToCountedUnicodeString", wide, try g.ansi("abc"), 0) == Self.bufferOverflow)
  }

  @Test("runs of text", arguments: [("MultiByte", 0xe4), ("Oem", 0x84)] as [(String, UInt8)])
  func runs(kind: String, byte: UInt8) throws {
    let (target, count) = (try g.room(16), try g.room(4))
    #expect(try g.call("Rtl\(kind)ToUnicodeN", target, 16, count, try g.place([0x61, byte]), 2) == Self.success)
    #expect(try g.bytes(4, at: target) == [0x61, 0, 0xe4, 0])
    #expect(try g.load(count) == 4)
    #expect(try g.call("Rtl\(kind)ToUnicodeN", target, 2, 0, try g.place([0x62, byte]), 2) == Self.success)
    #expect(try g.bytes(4, at: target) == [0x62, 0, 0xe4, 0])
    #expect(try g.call("RtlUnicodeTo\(kind)N", target, 16, count, try g.wide("ä"), 2) == Self.success)
    #expect(try g.load(count) == 1)
    #expect(try g.load8(target) == byte)
    #expect(try g.call("RtlUpcaseUnicodeTo\(kind)N", target, 1, count, try g.wide("ab"), 4) == Self.success)
    #expect(try g.bytes(2, at: target) == [0x41, 0])
    for name in ["Rtl\(kind)ToUnicodeN", "RtlUnicodeTo\(kind)N", "RtlUpcaseUnicodeTo\(kind)N"] {
      #expect(try RuntimeGuest().failure(name, target, 4, 0, RuntimeGuest.missing, 4) == accessViolation)
    }
    #expect(try g.call("RtlMultiByteToUnicodeSize", count, target, 3) == Self.success)
    #expect(try g.load(count) == 6)
    #expect(try g.call("RtlUnicodeToMultiByteSize", count, target, 6) == Self.success)
    #expect(try g.load(count) == 3)
    for name in ["RtlMultiByteToUnicodeSize", "RtlUnicodeToMultiByteSize"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, 0, 1) == accessViolation)
    }
    let place = try g.room(4)
    try g.store(UInt32(try g.place([0x80, 0])), at: place)
    let before = try g.load(place)
    #expect(try g.call("RtlAnsiCharToUnicodeChar", place) == 0x20ac)
    #expect(try g.load(place) == before + 1)
    #expect(try RuntimeGuest().failure("RtlAnsiCharToUnicodeChar", RuntimeGuest.missing) == accessViolation)
  }

  @Test(
    "text to numbers",
    arguments: [
      ("123", 10, 123), ("-345", 10, 0xffff_fea7), ("xyz", 10, 0), ("+678abc", 10, 678), ("+678abc", 16, 0x678abc),
      (" 0x1F", 0, 31), ("0o17", 0, 15), ("0b101", 0, 5), ("0x1F", 16, 0), ("12", 2, 1),
    ] as [(String, UInt64, UInt32)])
  func integers(text: String, base: UInt64, value: UInt32) throws {
    let place = try g.room(4)
    #expect(try g.call("RtlUnicodeStringToInteger", try g.unicode(text), base, place) == Self.success)
    #expect(try g.load(place) == value)
    #expect(try g.call("RtlCharToInteger", try g.narrow(text), base, place) == Self.success)
    #expect(try g.load(place) == value)
    #expect(try g.call("RtlUnicodeStringToInteger", try g.unicode(text), 7, place) == Self.invalidParameter)
    #expect(try g.call("RtlCharToInteger", try g.narrow(text), 3, place) == Self.invalidParameter)
    #expect(try g.call("RtlUnicodeStringToInteger", try g.unicode(""), 0, place) == Self.invalidParameter)
  }

  @Test("numbers to text") func integerText() throws {
    let text = try g.unicode("", spare: 22)
    #expect(try g.call("RtlIntegerToUnicodeString", 0xdead_beef, 16, text) == Self.success)
    #expect(try g.text(text) == "DEADBEEF")
    #expect(try g.call("RtlIntegerToUnicodeString", 4_294_967_295, 0, text) == Self.success)
    #expect(try g.text(text) == "4294967295")
    #expect(try g.call("RtlIntegerToUnicodeString", 1, 3, text) == Self.invalidParameter)
    #expect(try g.call("RtlIntegerToUnicodeString", 0xffff, 2, text) == Self.bufferOverflow)
    #expect(try g.call("RtlInt64ToUnicodeString", 1, 2, 16, text) == Self.success)
    #expect(try g.text(text) == "200000001")
    #expect(try g.call("RtlInt64ToUnicodeString", 0, 1 << 31, 10, text) == Self.bufferOverflow)
    #expect(try g.call("RtlInt64ToUnicodeString", 0, 1, 5, text) == Self.invalidParameter)
  }

  @Test("identifiers") func guids() throws {
    let bytes: [UInt8] = [0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 1, 2, 3, 4, 5, 6, 7, 0xab]
    let (guid, text) = (try g.place(bytes), try g.room(8))
    #expect(try g.call("RtlStringFromGUID", guid, text) == Self.success)
    #expect(try g.text(text) == "{12345678-9ABC-DEF0-0102-0304050607AB}")
    #expect(try fields(text)[1] == 78)
    let back = try g.room(16)
    #expect(try g.call("RtlGUIDFromString", text, back) == Self.success)
    #expect(try g.bytes(16, at: back) == bytes)
    for bad in ["", "12345678-9ABC-DEF0-0102-0304050607AB", "{12345678-9ABC-DEF0-0102-0304050607Ag}", "{12345678-9ABC-DEF0-0102}"] {
      #expect(try g.call("RtlGUIDFromString", try g.unicode(bad), back) == Self.invalidParameter)
    }
    #expect(try g.failure("RtlStringFromGUID", RuntimeGuest.missing, text) == accessViolation)
  }
}
