import Testing

@Suite("C runtime") struct CRuntimeTests {
  let g: RuntimeGuest
  init() throws { g = try RuntimeGuest() }

  @Test("blocks of memory") func blocks() throws {
    let block = try g.place([1, 2, 3, 4, 5, 6, 7, 8])
    #expect(try g.call("memmove", block + 2, block, 6) == block + 2)
    #expect(try g.bytes(8, at: block) == [1, 2, 1, 2, 3, 4, 5, 6])
    #expect(try g.call("memcpy", block, block + 4, 4) == block)
    #expect(try g.bytes(8, at: block) == [3, 4, 5, 6, 3, 4, 5, 6])
    #expect(try g.call("memcmp", block, block + 4, 4) == 0)
    #expect(try g.call("memset", block + 1, 0x1ff, 2) == block + 1)
    #expect(try g.bytes(4, at: block) == [3, 0xff, 0xff, 6])
    #expect(try g.call("memcmp", block, block + 4, 4) == 1)
    #expect(try g.call("memchr", block, 6, 8) == block + 3)
    #expect(try g.call("memchr", block, 9, 8) == 0)
    #expect(try g.call("RtlCompareMemory", block, block + 4, 4) == 1)
    try g.call("RtlZeroMemory", block, 2)
    try g.call("RtlFillMemory", block + 2, 2, 0x55)
    #expect(try g.bytes(4, at: block) == [0, 0, 0x55, 0x55])
    try g.call("RtlMoveMemory", block + 4, block, 2)
    try g.call("RtlMoveMemory", block + 6, block + 2, 2)
    #expect(try g.bytes(4, at: block + 4) == [0, 0, 0x55, 0x55])
    try g.call("RtlFillMemoryUlong", block, 7, 0x0102_0304)
    #expect(try g.bytes(8, at: block) == [4, 3, 2, 1, 0, 0, 0x55, 0x55])
    #expect(try g.call("RtlCompareMemoryUlong", block, 8, 0x0102_0304) == 4)
    #expect(try g.call("RtlCompareMemoryUlong", block + 1, 4, 0) == 0)
    try g.call("RtlPrefetchMemoryNonTemporal", block, 8)
  }

  @Test("a fault leaves what came before it, and is the caller's", arguments: ["memcpy", "memmove", "RtlMoveMemory"])
  func faults(name: String) throws {
    let source = try g.place([1, 2, 3, 4, 5, 6, 7, 8])
    #expect(try g.failure(name, RuntimeGuest.missing - 4, source, 8) == accessViolation)
    #expect(try g.bytes(4, at: RuntimeGuest.missing - 4) == [1, 2, 3, 4])
  }

  @Test(
    "memory that is not there is the caller's fault",
    arguments: [
      "memset", "memcmp", "memchr", "RtlCompareMemory", "RtlZeroMemory", "RtlFillMemory", "RtlFillMemoryUlong", "RtlCompareMemoryUlong",
    ])
  func missing(name: String) throws { #expect(try g.failure(name, RuntimeGuest.missing, RuntimeGuest.missing, 8) == accessViolation) }

  @Test("characters") func characters() throws {
    for (name, yes, no) in [
      ("isdigit", "7", "a"), ("islower", "a", "A"), ("isupper", "A", "a"), ("isspace", "\t", "x"), ("isxdigit", "f", "g"),
      ("isprint", "~", "\n"),
    ] as [(String, Character, Character)] {
      #expect(try g.call(name, UInt64(yes.asciiValue ?? 0)) != 0, "\(name)")
      #expect(try g.call(name, UInt64(no.asciiValue ?? 0)) == 0, "\(name)")
    }
    #expect(try g.call("tolower", 0x41) == 0x61)
    #expect(try g.call("toupper", 0x61) == 0x41)
    #expect(try g.call("toupper", 0xe4) == 0xe4)
    #expect(try g.call("towlower", 0xc4) == 0xe4)
    #expect(try g.call("towupper", 0xe4) == 0xc4)
    // Sharp s and dotless i have no capital of their own.
    #expect(try g.call("towupper", 0xdf) == 0xdf)
    #expect(try g.call("towupper", 0x131) == 0x131)
    #expect(try g.call("towlower", 0x131) == 0x131)
  }

  @Test("numbers and text") func numbers() throws {
    #expect(try g.call("atoi", try g.narrow(" \t-17x")) == 0xffff_ffef)
    #expect(try g.call("atol", try g.narrow("+4294967297")) == 1)
    #expect(try g.call("atoi", try g.narrow("x")) == 0)
    let buffer = try g.room(80)
    #expect(try g.call("_itoa", 0xffff_ffff, buffer, 10) == buffer)
    #expect(try g.narrowText(buffer) == "-1")
    try g.call("_itoa", 0xffff_ffff, buffer, 16)
    #expect(try g.narrowText(buffer) == "ffffffff")
    try g.call("_itow", 35, buffer, 36)
    #expect(try g.wideText(buffer) == "z")
    try g.call("_ultoa", 0xffff_ffff, buffer, 10)
    #expect(try g.narrowText(buffer) == "4294967295")
    try g.call("_ultow", 5, buffer, 2)
    #expect(try g.wideText(buffer) == "101")
    try g.call("_ultow", 5, buffer, 1)
    #expect(try g.wideText(buffer) == "")
    for name in ["atoi", "atol"] { #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing) == accessViolation) }
    for name in ["_itoa", "_itow", "_ultoa", "_ultow"] {
      #expect(try RuntimeGuest().failure(name, 1, RuntimeGuest.missing, 10) == accessViolation)
    }
  }

  @Test("one width and the other") func widths() throws {
    let target = try g.room(32)
    let text = try g.place([0x61, 0x80, 0xe4, 0])
    #expect(try g.call("mbstowcs", target, text, 8) == 3)
    #expect(try g.wideText(target) == "a€ä")
    #expect(try g.call("mbstowcs", 0, text, 0) == 3)
    #expect(try g.call("wcstombs", target, try g.wide("a€ä中"), 8) == 4)
    #expect(try g.bytes(5, at: target) == [0x61, 0x80, 0xe4, 0x3f, 0])
    #expect(try g.call("wcstombs", target, try g.wide("abc"), 2) == 2)
    #expect(try g.call("mbtowc", target, text + 1, 1) == 1)
    #expect(try g.load16(target) == 0x20ac)
    #expect(try g.call("mbtowc", target, text + 3, 1) == 0)
    #expect(try g.call("wctomb", target, 0x20ac) == 1)
    #expect(try g.load8(target) == 0x80)
    #expect(try g.call("wctomb", 0, 0x20ac) == 0)
    for name in ["mbstowcs", "wcstombs"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, RuntimeGuest.missing, 4) == accessViolation)
    }
  }

  @Test("random numbers follow their seed") func random() throws {
    try g.call("srand", 1)
    let first = try (0..<3).map { _ in try g.call("rand") }
    #expect(first == [41, 18467, 6334])
    try g.call("srand", 1)
    #expect(try g.call("rand") == 41)
    let seed = try g.place([1, 0, 0, 0])
    for name in ["RtlRandom", "RtlRandomEx"] {
      let values = try (0..<64).map { _ in try g.call(name, seed) }
      #expect(Set(values).count > 60 && values.allSatisfy { $0 < 0x7fff_ffff })
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing) == accessViolation)
    }
  }

  @Test("sorting and searching call the comparison with the elements' addresses") func sorting() throws {
    let values: [UInt32] = [5, 3, 9, 1, 3, 7]
    let base = try g.room(24)
    for (index, value) in values.enumerated() { try g.store(value, at: base + UInt64(4 * index)) }
    let compare: UInt64 = 0xf8b0_2000
    g.routines[compare] = { g in
      let (a, b) = (try g.load(g.argument(0)), try g.load(g.argument(1)))
      return a < b ? 0xffff_ffff : a > b ? 1 : 0
    }
    try g.call("qsort", base, 6, 4, compare)
    #expect(try (0..<6).map { try g.load(base + 4 * $0) } == [1, 3, 3, 5, 7, 9])
    let key = try g.place([7, 0, 0, 0])
    #expect(try g.call("bsearch", key, base, 6, 4, compare) == base + 16)
    try g.store(8, at: key)
    #expect(try g.call("bsearch", key, base, 6, 4, compare) == 0)
    #expect(try RuntimeGuest().failure("_purecall") == .bugCheck(0x1e))
  }
}
