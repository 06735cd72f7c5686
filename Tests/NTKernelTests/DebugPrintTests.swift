import Guest
import Memory
import NTKernel
import Testing
import WindowsTypes

/// What the debugger shows of a format and its arguments, as the C runtime's `printf` and the kernel's own conversions say.
@Suite("DbgPrint") struct DebugPrintTests {
  let k: TestKernel
  init() throws { k = try TestKernel() }

  /// An argument: a word, a 64-bit value, or text in one of its forms.
  enum Value: Sendable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    case word(UInt32)
    case wide(UInt64)
    case text(String)
    case utf16(String)
    case counted(String)
    case countedNarrow(String)
    init(integerLiteral value: Int) { self = .word(UInt32(truncatingIfNeeded: value)) }
    init(stringLiteral value: String) { self = .text(value) }
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let format: String
    let arguments: [Value]
    let output: String
    init(_ format: String, _ arguments: Value..., gives output: String) {
      (self.format, self.arguments, self.output) = (format, arguments, output)
    }
    var testDescription: String { format }
  }

  static let rows = [
    Row("plain", gives: "plain"),
    Row("%d", 42, gives: "42"),
    Row("%d", -1, gives: "-1"),
    Row("%i", -2_147_483_648, gives: "-2147483648"),
    Row("%u", -1, gives: "4294967295"),
    Row("%x", 0xBEEF, gives: "beef"),
    Row("%X", 0xBEEF, gives: "BEEF"),
    Row("%08x", 0xBEEF, gives: "0000beef"),
    Row("%8x|", 0xBEEF, gives: "    beef|"),
    Row("%-8x|", 0xBEEF, gives: "beef    |"),
    Row("%#x", 0xBEEF, gives: "0xbeef"),
    Row("%#X", 0xBEEF, gives: "0XBEEF"),
    Row("%#x", 0, gives: "0"),
    Row("%o", 8, gives: "10"),
    Row("%#o", 8, gives: "010"),
    Row("%5d|", 42, gives: "   42|"),
    Row("%-5d|", 42, gives: "42   |"),
    Row("%05d", -42, gives: "-0042"),
    Row("%+d", 42, gives: "+42"),
    Row("% d", 42, gives: " 42"),
    Row("%.4d", 42, gives: "0042"),
    Row("%6.4d|", -42, gives: " -0042|"),
    Row("%*d|", 6, 42, gives: "    42|"),
    Row("%*d|", -6, 42, gives: "42    |"),
    Row("%.*d", 3, 7, gives: "007"),
    Row("%ld", -7, gives: "-7"),
    Row("%hu", 0x1_0002, gives: "2"),
    Row("%hd", 0xffff, gives: "-1"),
    Row("%llu", .wide(0x1_0000_0000), gives: "4294967296"),
    Row("%I64d", .wide(UInt64(bitPattern: -5)), gives: "-5"),
    Row("%I64x then %d", .wide(0x1122_3344_5566_7788), 9, gives: "1122334455667788 then 9"),
    Row("%016I64X", .wide(0xABCDEF), gives: "0000000000ABCDEF"),
    Row("%I32u", -1, gives: "4294967295"),
    Row("%p", 0x8055_abcd, gives: "8055ABCD"),
    Row("%p", 0, gives: "00000000"),
    Row("%c%c", 0x48, 0x69, gives: "Hi"),
    Row("%C", 0xe9, gives: "é"),
    Row("%s", "text", gives: "text"),
    Row("%s", 0, gives: "(null)"),
    Row("%.3s|", "text", gives: "tex|"),
    Row("%8s|", "text", gives: "    text|"),
    Row("%-8s|", "text", gives: "text    |"),
    Row("%.0s|", 0x10, gives: "|"),
    Row("%hs", "narrow", gives: "narrow"),
    Row("%S", .utf16("wide"), gives: "wide"),
    Row("%ls", .utf16("wide"), gives: "wide"),
    Row("%ws", .utf16("größer"), gives: "größer"),
    Row("%S", 0, gives: "(null)"),
    Row("%.2S|", .utf16("wide"), gives: "wi|"),
    Row("%wZ", .counted("\\Device\\Null"), gives: "\\Device\\Null"),
    Row("%12wZ|", .counted("Null"), gives: "        Null|"),
    Row("%wZ", 0, gives: "(null)"),
    Row("%Z", .countedNarrow("ansi"), gives: "ansi"),
    Row("100%%", gives: "100%"),
    Row("%d %s %x", 1, "two", 3, gives: "1 two 3"),
    Row("ends in %", gives: "ends in "),
    Row("%-", gives: ""),
    Row("%n%d", 0x10, 5, gives: "5"),
  ]

  private func text(_ bytes: [UInt8]) throws -> UInt64 {
    let address = try k.kernel.allocate(UInt64(max(1, bytes.count)))
    try k.memory.memory.write(bytes, at: address)
    return address
  }

  private func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] } }

  private func words(_ values: [Value]) throws -> [UInt64] {
    try values.flatMap { value -> [UInt64] in
      switch value {
      case .word(let word): return [UInt64(word)]
      case .wide(let wide): return [wide & 0xffff_ffff, wide >> 32]
      case .text(let string): return [try text(Array(string.utf8) + [0])]
      case .utf16(let string): return [try text(utf16(string) + [0, 0])]
      case .counted(let string):
        let bytes = utf16(string)
        // Not terminated: what follows must not show.
        let header = try k.kernel.allocate(8)
        try k.store([UInt32(bytes.count | bytes.count << 16), UInt32(text(bytes + utf16("XX")))], at: header)
        return [header]
      case .countedNarrow(let string):
        let bytes = Array(string.utf8)
        let header = try k.kernel.allocate(8)
        try k.store([UInt32(bytes.count | bytes.count << 16), UInt32(text(bytes + [0x58, 0x58]))], at: header)
        return [header]
      }
    }
  }

  @Test("a format and its arguments", arguments: rows)
  func format(row: Row) throws {
    let format = try text(Array(row.format.utf8) + [0])
    #expect(try k.call("DbgPrint", [format] + words(row.arguments)).status == 0)
    #expect(k.messages == [row.output])
  }

  @Test("DbgPrintEx has component and level before its format; vDbgPrintEx takes a list of arguments")
  func variants() throws {
    let format = try text(Array("%d %s".utf8) + [0])
    let list = try words([7, "seven"])
    #expect(try k.call("DbgPrintEx", [0x4d, 3, format] + list).status == 0)
    let place = k.scratch + 0x80
    try k.store(list.map { UInt32($0) }, at: place)
    #expect(try k.call("vDbgPrintEx", [0x4d, 3, format, place]).status == 0)
    #expect(k.messages == ["7 seven", "7 seven"])
  }

  @Test("a message ends at 512 bytes, however it comes about")
  func longest() throws {
    let format = try text(Array(repeating: 0x61, count: 600) + [0])
    try k.value("DbgPrint", format)
    let wide = try text(Array("%2000d%2000d".utf8) + [0])
    try k.value("DbgPrint", wide, 1, 2)
    let precise = try text(Array("%.*d".utf8) + [0])
    try k.value("DbgPrint", precise, 0x7fff_ffff, 1)
    #expect(k.messages.map(\.utf8.count) == [512, 512, 512])
  }

  @Test("a string without its end is read up to the limit")
  func unterminated() throws {
    let format = try text(Array("%s".utf8) + [0])
    let block = try k.kernel.allocate(0x1000)
    try k.memory.memory.fill(0x62, count: 0x1000, at: block)
    try k.value("DbgPrint", format, block)
    #expect(k.messages == [String(repeating: "b", count: 512)])
  }

  @Test("a string that cannot be read faults at the caller, and nothing is printed", arguments: ["%s", "%S", "%wZ", "%Z"])
  func faultInString(conversion: String) throws {
    let format = try text(Array(conversion.utf8) + [0])
    let exception = try k.raised("DbgPrint", format, 0x10)
    #expect(try exception.code == .accessViolation)
    #expect(k.messages.isEmpty)
  }

  @Test("a format that cannot be read faults at the caller", arguments: ["DbgPrint", "DbgPrintEx", "vDbgPrintEx"])
  func faultInFormat(name: String) throws {
    let reply = try k.call(name, name == "DbgPrint" ? [0x10] : [0, 0, 0x10, 0x20])
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.information == [0, 0x10])
  }

  @Test("the end of a format at a page's end is not read beyond")
  func formatAtPageEnd() throws {
    try k.map(1, in: k.notepad)
    let place = k.buffer + 0x1000 - 3
    try k.memory.memory.write([0x25, 0x64, 0], at: place)
    try k.value("DbgPrint", place, 12)
    #expect(k.messages == ["12"])
  }
}

extension TestKernel.Reply {
  /// What was returned, if anything was.
  var status: UInt64? { if case .returned(let value) = self { value } else { nil } }
}
