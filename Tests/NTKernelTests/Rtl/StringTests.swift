import Testing

@Suite("C strings") struct CStringTests {
  let g: RuntimeGuest
  init() throws { g = try RuntimeGuest() }

  /// A text of either width, by the prefix of the routines that take it.
  func text(_ prefix: String, _ text: String) throws -> UInt64 { prefix == "str" ? try g.narrow(text) : try g.wide(text) }
  func read(_ prefix: String, _ address: UInt64) throws -> String {
    prefix == "str" ? try g.narrowText(address) : try g.wideText(address)
  }
  func size(_ prefix: String) -> UInt64 { prefix == "str" ? 1 : 2 }

  @Test("lengths, comparisons and searches", arguments: ["str", "wcs"])
  func reading(p: String) throws {
    let (hello, other) = (try text(p, "Hello, hello"), try text(p, "hello, world"))
    #expect(try g.call("\(p)len", hello) == 12)
    #expect(try g.call("\(p)cmp", hello, other) == 0xffff_ffff)
    #expect(try g.call("\(p)cmp", other, hello) == 1)
    #expect(try g.call("\(p)cmp", hello, hello) == 0)
    #expect(try g.call("\(p)ncmp", hello, try text(p, "Hellish"), 4) == 0)
    #expect(try g.call("\(p)ncmp", hello, try text(p, "Hellish"), 5) == 1)
    #expect(try g.call("_\(p)icmp", hello, try text(p, "hELLO, HELLO")) == 0)
    #expect(try g.call("_\(p)icmp", hello, other) == 0xffff_ffff)
    #expect(try g.call("_\(p)nicmp", hello, other, 7) == 0)
    #expect(try g.call("_\(p)nicmp", hello, other, 8) == 0xffff_ffff)
    #expect(try g.call("\(p)chr", hello, 0x6c) == hello + 2 * size(p))
    #expect(try g.call("\(p)chr", hello, 0) == hello + 12 * size(p))
    #expect(try g.call("\(p)chr", hello, 0x7a) == 0)
    #expect(try g.call("\(p)rchr", hello, 0x6c) == hello + 10 * size(p))
    #expect(try g.call("\(p)rchr", hello, 0x7a) == 0)
    #expect(try g.call("\(p)str", hello, try text(p, "hello")) == hello + 7 * size(p))
    #expect(try g.call("\(p)str", hello, try text(p, "")) == hello)
    #expect(try g.call("\(p)str", hello, try text(p, "help")) == 0)
    #expect(try g.call("\(p)spn", hello, try text(p, "olleH")) == 5)
    for name in ["\(p)len", "_\(p)icmp", "\(p)chr", "\(p)rchr", "\(p)str", "\(p)spn", "\(p)cmp", "\(p)ncmp", "_\(p)nicmp"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, RuntimeGuest.missing, 5) == accessViolation, "\(name)")
    }
  }

  @Test("copies and changes", arguments: ["str", "wcs"])
  func writing(p: String) throws {
    let target = try g.room(64)
    #expect(try g.call("\(p)cpy", target, try text(p, "abc")) == target)
    #expect(try g.call("\(p)cat", target, try text(p, "def")) == target)
    #expect(try read(p, target) == "abcdef")
    try g.call("\(p)ncat", target, try text(p, "ghi"), 2)
    #expect(try read(p, target) == "abcdefgh")
    try g.call("_\(p)upr", target)
    #expect(try read(p, target) == "ABCDEFGH")
    try g.call("_\(p)lwr", target)
    #expect(try read(p, target) == "abcdefgh")
    try g.call("_\(p)rev", target)
    #expect(try read(p, target) == "hgfedcba")
    try g.call("_\(p)nset", target, 0x2a, 3)
    #expect(try read(p, target) == "***edcba")
    try g.call("_\(p)set", target, 0x2d)
    #expect(try read(p, target) == "--------")
    // Padded with zeros to the count; not terminated where the text is as long.
    try g.call("\(p)ncpy", target, try text(p, "xy"), 4)
    #expect(try g.bytes(4 * Int(size(p)), at: target) == (p == "str" ? [0x78, 0x79, 0, 0] : [0x78, 0, 0x79, 0, 0, 0, 0, 0]))
    #expect(try g.load8(target + 4 * size(p)) == 0x2d)
    for name in ["\(p)cpy", "\(p)cat", "\(p)ncat", "\(p)ncpy", "_\(p)upr", "_\(p)lwr", "_\(p)rev", "_\(p)nset", "_\(p)set"] {
      let other = try RuntimeGuest()
      let source = try other.narrow("x")
      #expect(try other.failure(name, RuntimeGuest.missing, source, 5) == accessViolation, "\(name)")
    }
  }

  @Test("routines that know the target's size empty it rather than overrun it", arguments: ["str", "wcs"])
  func secure(p: String) throws {
    let target = try g.room(64)
    #expect(try g.call("\(p)cpy_s", target, 4, try text(p, "abc")) == 0)
    #expect(try g.call("\(p)cat_s", target, 6, try text(p, "de")) == 0)
    #expect(try read(p, target) == "abcde")
    #expect(try g.call("\(p)ncat_s", target, 16, try text(p, "fgh"), 2) == 0)
    #expect(try read(p, target) == "abcdefg")
    #expect(try g.call("\(p)ncpy_s", target, 8, try text(p, "wxyz"), 3) == 0)
    #expect(try read(p, target) == "wxy")
    // ERANGE, 34; STRUNCATE, 80; EINVAL, 22.
    #expect(try g.call("\(p)cpy_s", target, 3, try text(p, "abc")) == 34)
    #expect(try read(p, target) == "")
    #expect(try g.call("\(p)ncpy_s", target, 3, try text(p, "abc"), 0xffff_ffff) == 80)
    #expect(try read(p, target) == "ab")
    #expect(try g.call("\(p)cat_s", target, 4, try text(p, "cd")) == 34)
    #expect(try g.call("\(p)cpy_s", 0, 3, target) == 22)
    #expect(try g.call("\(p)cpy_s", target, 3, 0) == 22)
    #expect(try g.call("\(p)ncat_s", target, 0, target, 1) == 22)
    #expect(try g.call("\(p)nlen", try text(p, "four"), 9) == 4)
    #expect(try g.call("\(p)nlen", try text(p, "four"), 3) == 3)
  }

  @Test("printf in both widths", arguments: [("sprintf", "str"), ("swprintf", "wcs")])
  func printing(name: String, p: String) throws {
    let target = try g.room(256)
    let (narrow, wide) = (try g.narrow("na"), try g.wide("wi"))
    let counted = try g.unicode("counted")
    let own = p == "str" ? narrow : wide
    let other = p == "str" ? wide : narrow
    #expect(try g.call(name, target, try text(p, "%s %S %hs %ls %wZ"), own, other, narrow, wide, counted) == 19)
    #expect(try read(p, target) == (p == "str" ? "na wi na wi counted" : "wi na na wi counted"))
    try g.call(name, target, try text(p, "%5d|%-5d|%05d|%+d|%x|%#X|%o|%u|%c|%%"), 42, 42, 42, 42, 255, 255, 8, 0xffff_ffff, 0x21)
    #expect(try read(p, target) == "   42|42   |00042|+42|ff|0XFF|10|4294967295|!|%")
    try g.call(name, target, try text(p, "%I64d %lld %p %.2s %*d %s"), 0xffff_fffe, 0xffff_ffff, 1, 1, 0x1a, own, 4, 7, 0)
    #expect(try read(p, target) == "-2 4294967297 0000001A \(p == "str" ? "na" : "wi")    7 (null)")
    let count = try g.room(4)
    try g.call(name, target, try text(p, "abc%nd"), count)
    #expect(try g.load(count) == 3)
    #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, RuntimeGuest.missing) == accessViolation)
  }

  @Test(
    "the counted forms say -1 where the text is longer, and end it only where it is shorter",
    arguments: [("_snprintf", "_vsnprintf", "vsprintf", "str"), ("_snwprintf", "_vsnwprintf", "vswprintf", "wcs")])
  func counted(name: String, listName: String, plainListName: String, p: String) throws {
    let target = try g.room(64)
    let format = try text(p, "<%d>")
    #expect(try g.call(name, target, 8, format, 12) == 4)
    #expect(try read(p, target) == "<12>")
    #expect(try g.call(name, target, 4, format, 99) == 4)
    #expect(try g.call(name, target, 3, format, 12) == 0xffff_ffff)
    #expect(try read(p, target) == "<12>")
    #expect(try g.call(name, 0, 0, format, 12345) == 7)
    let list = try g.room(4)
    try g.store(77, at: list)
    #expect(try g.call(listName, target, 8, format, list) == 4)
    #expect(try read(p, target) == "<77>")
    #expect(try g.call(listName, target, 2, format, list) == 0xffff_ffff)
    #expect(try g.call(plainListName, target, format, list) == 4)
    #expect(try RuntimeGuest().failure(plainListName, RuntimeGuest.missing, RuntimeGuest.missing, 0) == accessViolation)
  }

  @Test(
    "the secure forms empty a buffer that is too small",
    arguments: [
      ("sprintf_s", "vsprintf_s", "_snprintf_s", "_vsnprintf_s", "str"),
      ("swprintf_s", "vswprintf_s", "_snwprintf_s", "_vsnwprintf_s", "wcs"),
    ])
  func securePrinting(plain: String, list: String, counted: String, countedList: String, p: String) throws {
    let target = try g.room(64)
    let (format, arguments) = (try text(p, "<%d>"), try g.room(4))
    try g.store(12, at: arguments)
    #expect(try g.call(plain, target, 5, format, 12) == 4)
    #expect(try g.call(list, target, 5, format, arguments) == 4)
    #expect(try read(p, target) == "<12>")
    #expect(try g.call(plain, target, 4, format, 12) == 0xffff_ffff)
    #expect(try read(p, target) == "")
    #expect(try g.call(list, target, 4, format, arguments) == 0xffff_ffff)
    // _TRUNCATE keeps what fits.
    #expect(try g.call(counted, target, 4, 0xffff_ffff, format, 12) == 0xffff_ffff)
    #expect(try read(p, target) == "<12")
    #expect(try g.call(countedList, target, 4, 2, format, arguments) == 0xffff_ffff)
    #expect(try read(p, target) == "<1")
    #expect(try g.call(counted, target, 4, 4, format, 12) == 0xffff_ffff)
    #expect(try read(p, target) == "")
    #expect(try g.call(countedList, 0, 4, 4, format, arguments) == 0xffff_ffff)
  }
}
