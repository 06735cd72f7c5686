import Guest
import Testing

@Suite("64-bit numbers, bitmaps, calendar and version") struct NumberTests {
  let g: RuntimeGuest
  init() throws { g = try RuntimeGuest() }

  static let divideByZero = RuntimeGuest.Outcome.raised(0xc000_0094)

  /// Calls a helper of two 64-bit numbers.
  func pair(_ name: String, _ a: Int64, _ b: Int64) throws -> Int64 {
    let words = [a, b].flatMap { [UInt64(bitPattern: $0) & 0xffff_ffff, UInt64(bitPattern: $0) >> 32] }
    guard case .returned(let low, let high) = try g.outcome(name, words) else { return 0x0bad }
    return Int64(bitPattern: low | high << 32)
  }

  @Test("the compiler's arithmetic") func arithmetic() throws {
    #expect(try pair("_allmul", -3, 5_000_000_000) == -15_000_000_000)
    #expect(try pair("_alldiv", -7, 2) == -3)
    #expect(try pair("_allrem", -7, 2) == -1)
    #expect(try pair("_aulldiv", -1, 16) == 0x0fff_ffff_ffff_ffff)
    #expect(try pair("_aullrem", -1, 16) == 15)
    #expect(try pair("_alldiv", .min, -1) == .min)
    #expect(try pair("_alldvrm", -7, 2) == -3)
    #expect(g.registers[.cx] == 0xffff_ffff && g.registers[.bx] == 0xffff_ffff)
    #expect(try pair("_aulldvrm", 0x5_0000_0003, 0x1_0000_0000) == 5)
    #expect(g.registers[.cx] == 3 && g.registers[.bx] == 0)
    for name in ["_alldiv", "_allrem", "_aulldiv", "_aullrem", "_alldvrm", "_aulldvrm"] {
      #expect(try RuntimeGuest().failure(name, 1, 0, 0, 0) == Self.divideByZero, "\(name)")
    }
    #expect(try pair("_allmul", .max, 2) == -2)
  }

  @Test("shifts take edx:eax and cl") func shifts() throws {
    func shift(_ name: String, _ value: UInt64, _ count: UInt64) throws -> UInt64 {
      let registers: [Register: UInt64] = [.ax: value & 0xffff_ffff, .dx: value >> 32, .cx: 0xabcd_ef00 | count]
      guard case .returned(let low, let high) = try g.outcome(name, [], setting: registers) else { return 0x0bad }
      return low | high << 32
    }
    #expect(try shift("_allshl", 0x1_8000_0001, 4) == 0x18_0000_0010)
    #expect(try shift("_allshl", 1, 64) == 0)
    #expect(try shift("_aullshr", 0x8000_0000_0000_0000, 63) == 1)
    #expect(try shift("_aullshr", .max, 200) == 0)
    #expect(try shift("_allshr", 0x8000_0000_0000_0000, 60) == 0xffff_ffff_ffff_fff8)
    #expect(try shift("_allshr", 0x8000_0000_0000_0000, 100) == .max)
  }

  @Test("large integers") func largeIntegers() throws {
    #expect(try pair("RtlLargeIntegerAdd", .max, 1) == .min)
    #expect(try pair("RtlLargeIntegerSubtract", 1, 3) == -2)
    #expect(try g.callWide("RtlLargeIntegerNegate", 1, 0) == .max)
    #expect(try g.callWide("RtlLargeIntegerShiftLeft", 1, 0, 65) == 2)
    #expect(try g.callWide("RtlLargeIntegerShiftRight", 0, 0x8000_0000, 63) == 1)
    #expect(try g.callWide("RtlLargeIntegerArithmeticShift", 0, 0x8000_0000, 63) == .max)
    let rest = try g.room(8)
    #expect(try g.callWide("RtlLargeIntegerDivide", 7, 1, 2, 0, rest) == 0x8000_0003)
    #expect(try g.load64(rest) == 1)
    #expect(try g.callWide("RtlExtendedLargeIntegerDivide", 7, 1, 16, rest) == 0x1000_0000)
    #expect(try g.load(rest) == 7)
    #expect(try g.callWide("RtlExtendedLargeIntegerDivide", 7, 0, 2, 0) == 3)
    #expect(try g.callWide("RtlExtendedIntegerMultiply", 3, 0, 0xffff_ffff) == UInt64(bitPattern: -3))
    // A division by ten: the reciprocal and its shift.
    #expect(try g.callWide("RtlExtendedMagicDivide", 1234, 0, 0xcccc_cccd, 0xcccc_cccc, 3) == 123)
    #expect(try g.callWide("RtlExtendedMagicDivide", 0xffff_fb2e, 0xffff_ffff, 0xcccc_cccd, 0xcccc_cccc, 3) == UInt64(bitPattern: -123))
    #expect(try g.callWide("RtlEnlargedIntegerMultiply", 0xffff_ffff, 0x7fff_ffff) == UInt64(bitPattern: -0x7fff_ffff))
    #expect(try g.callWide("RtlEnlargedUnsignedMultiply", 0xffff_ffff, 0xffff_ffff) == 0xffff_fffe_0000_0001)
    #expect(try g.callWide("RtlConvertLongToLargeInteger", 0xffff_ffff) == .max)
    #expect(try g.callWide("RtlConvertUlongToLargeInteger", 0xffff_ffff) == 0xffff_ffff)
    #expect(try g.call("RtlUshortByteSwap", 0x1234) == 0x3412)
    #expect(try g.call("RtlUlongByteSwap", 0x1234_5678) == 0x7856_3412)
    #expect(try g.callWide("RtlUlonglongByteSwap", 0x5566_7788, 0x1122_3344) == 0x8877_6655_4433_2211)
    #expect(try RuntimeGuest().failure("RtlLargeIntegerDivide", 1, 0, 0, 0, 0) == Self.divideByZero)
    #expect(try RuntimeGuest().failure("RtlExtendedLargeIntegerDivide", 1, 0, 0, 0) == Self.divideByZero)
  }

  /// A bitmap of `text`, whose first character is bit 0.
  func bitmap(_ text: String) throws -> UInt64 {
    let (header, buffer) = (try g.room(8), try g.place([UInt8](repeating: 0, count: (text.count + 31) / 32 * 4)))
    try g.call("RtlInitializeBitMap", header, buffer, UInt64(text.count))
    for (index, bit) in text.enumerated() where bit == "1" { try g.call("RtlSetBit", header, UInt64(index)) }
    return header
  }
  func text(_ header: UInt64) throws -> String {
    try (0..<UInt64(g.load(header))).map { try g.call("RtlTestBit", header, $0) == 1 ? "1" : "0" }.joined()
  }

  @Test("bits are set, cleared and counted") func bits() throws {
    let map = try bitmap(String(repeating: "0", count: 40))
    try g.call("RtlSetBits", map, 30, 5)
    #expect(try text(map) == String(repeating: "0", count: 30) + "1111100000")
    try g.call("RtlClearBits", map, 31, 2)
    try g.call("RtlClearBit", map, 34)
    #expect(try text(map) == String(repeating: "0", count: 30) + "1001000000")
    #expect(try g.call("RtlNumberOfSetBits", map) == 2)
    #expect(try g.call("RtlNumberOfClearBits", map) == 38)
    #expect(try g.call("RtlAreBitsClear", map, 31, 2) == 1)
    #expect(try g.call("RtlAreBitsClear", map, 31, 3) == 0)
    #expect(try g.call("RtlAreBitsClear", map, 39, 2) == 0)
    #expect(try g.call("RtlAreBitsSet", map, 30, 1) == 1)
    #expect(try g.call("RtlAreBitsSet", map, 30, 0) == 0)
    try g.call("RtlSetAllBits", map)
    #expect(try g.load(UInt64(g.load(map + 4)) + 4) == 0xffff_ffff)
    try g.call("RtlClearAllBits", map)
    #expect(try g.call("RtlNumberOfSetBits", map) == 0)
    for name in ["RtlSetAllBits", "RtlClearAllBits", "RtlNumberOfSetBits", "RtlNumberOfClearBits"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing) == accessViolation)
    }
    for name in ["RtlSetBit", "RtlClearBit", "RtlTestBit"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, 1) == accessViolation)
    }
    for name in ["RtlSetBits", "RtlClearBits", "RtlInitializeBitMap", "RtlAreBitsSet"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, 1, 1) == accessViolation)
    }
  }

  @Test("runs are found, from the hint on or else from the start") func runs() throws {
    let map = try bitmap("1100011001111000")
    #expect(try g.call("RtlFindClearBits", map, 2, 4) == 7)
    #expect(try g.call("RtlFindClearBits", map, 3, 14) == 2)
    #expect(try g.call("RtlFindClearBits", map, 4, 0) == 0xffff_ffff)
    #expect(try g.call("RtlFindSetBits", map, 3, 0) == 9)
    #expect(try g.call("RtlFindSetBits", map, 5, 0) == 0xffff_ffff)
    #expect(try g.call("RtlFindClearBitsAndSet", map, 2, 7) == 7)
    #expect(try g.call("RtlFindClearBitsAndSet", map, 9, 7) == 0xffff_ffff)
    #expect(try text(map) == "1100011111111000")
    #expect(try g.call("RtlFindSetBitsAndClear", map, 2, 7) == 7)
    #expect(try g.call("RtlFindSetBitsAndClear", map, 9, 7) == 0xffff_ffff)
    let start = try g.room(4)
    #expect(try g.call("RtlFindFirstRunClear", map, start) == 3)
    #expect(try g.load(start) == 2)
    #expect(try g.call("RtlFindNextForwardRunClear", map, 5, start) == 2)
    #expect(try g.load(start) == 7)
    #expect(try g.call("RtlFindLastBackwardRunClear", map, 6, start) == 3)
    #expect(try g.load(start) == 2)
    #expect(try g.call("RtlFindLongestRunClear", map, start) == 3)
    #expect(try g.load(start) == 2)
    let array = try g.room(16)
    #expect(try g.call("RtlFindClearRuns", map, array, 2, 1) == 2)
    #expect(try (0..<4).map { try g.load(array + 4 * $0) } == [2, 3, 13, 3])
    let full = try bitmap("1111")
    #expect(try g.call("RtlFindFirstRunClear", full, start) == 0)
    #expect(try g.call("RtlFindNextForwardRunClear", full, 2, start) == 0)
    #expect(try g.call("RtlFindLastBackwardRunClear", full, 2, start) == 0)
    #expect(try g.call("RtlFindLongestRunClear", full, start) == 0)
    #expect(try g.call("RtlFindClearRuns", full, array, 2, 0) == 0)
    #expect(try g.call("RtlFindLeastSignificantBit", 0, 0x10) == 36)
    #expect(try g.call("RtlFindMostSignificantBit", 0x18, 0) == 4)
    #expect(try g.call("RtlFindLeastSignificantBit", 0, 0) == 0xff)
    #expect(try g.call("RtlFindMostSignificantBit", 0, 0) == 0xff)
  }

  @Test(
    "dates",
    arguments: [
      (128_831_904_610_070_000, [2009, 4, 3, 0, 1, 1, 7, 5]), (0, [1601, 1, 1, 0, 0, 0, 0, 1]),
      (125_963_423_990_000_000, [2000, 2, 29, 23, 59, 59, 0, 2]), (126_227_807_999_990_000, [2000, 12, 31, 23, 59, 59, 999, 0]),
    ] as [(UInt64, [UInt16])])
  func dates(time: UInt64, fields: [UInt16]) throws {
    let (place, result, back) = (try g.room(8), try g.room(16), try g.room(8))
    try g.store64(time, at: place)
    try g.call("RtlTimeToTimeFields", place, result)
    #expect(try (0..<8).map { try g.load16(result + 2 * $0) } == fields)
    #expect(try g.call("RtlTimeFieldsToTime", result, back) == 1)
    #expect(try g.load64(back) == time)
    try g.store16(13, at: result + 2)
    #expect(try g.call("RtlTimeFieldsToTime", result, back) == 0)
    try g.store16(2, at: result + 2)
    try g.store16(30, at: result + 4)
    #expect(try g.call("RtlTimeFieldsToTime", result, back) == 0)
    #expect(try g.failure("RtlTimeToTimeFields", RuntimeGuest.missing, result) == accessViolation)
  }

  @Test("seconds", arguments: [("1970", 116_444_736_000_000_000), ("1980", 119_600_064_000_000_000)] as [(String, UInt64)])
  func seconds(year: String, start: UInt64) throws {
    let (time, seconds) = (try g.room(8), try g.room(4))
    try g.store64(start + 59_999_999, at: time)
    #expect(try g.call("RtlTimeToSecondsSince\(year)", time, seconds) == 1)
    #expect(try g.load(seconds) == 5)
    try g.store64(start - 1, at: time)
    #expect(try g.call("RtlTimeToSecondsSince\(year)", time, seconds) == 0)
    try g.call("RtlSecondsSince\(year)ToTime", 0xffff_ffff, time)
    #expect(try g.load64(time) == start + 42_949_672_950_000_000)
    #expect(try g.call("RtlTimeToSecondsSince\(year)", time, seconds) == 1)
    try g.store64(start + 42_949_672_960_000_000, at: time)
    #expect(try g.call("RtlTimeToSecondsSince\(year)", time, seconds) == 0)
    #expect(try g.failure("RtlSecondsSince\(year)ToTime", 0, RuntimeGuest.missing) == accessViolation)
  }

  @Test("the version is XP's") func version() throws {
    let info = try g.place([UInt8](repeating: 0xcc, count: 0x11c))
    try g.store(0x11c, at: info)
    #expect(try g.call("RtlGetVersion", info) == 0)
    #expect(try (1..<5).map { try g.load(info + 4 * $0) } == [5, 1, 2600, 2])
    #expect(try g.wideText(info + 0x14) == "Service Pack 3")
    #expect(try g.load16(info + 0x114) == 3 && g.load8(info + 0x11a) == 1)
    try g.store(0x114, at: info)
    try g.store16(0x7777, at: info + 0x114)
    try g.call("RtlGetVersion", info)
    #expect(try g.load16(info + 0x114) == 0x7777)
    #expect(try g.failure("RtlGetVersion", RuntimeGuest.missing) == accessViolation)
  }

  @Test("versions are compared from the highest part down") func verify() throws {
    let info = try g.place([UInt8](repeating: 0, count: 0x11c))
    // VER_MAJORVERSION and VER_MINORVERSION, each at least.
    var mask = try g.callWide("VerSetConditionMask", 0, 0, 2, 3)
    #expect(mask == 3 << 3)
    mask = try g.callWide("VerSetConditionMask", mask & 0xffff_ffff, mask >> 32, 1, 3)
    #expect(mask == 3 << 3 | 3)
    #expect(try g.callWide("VerSetConditionMask", 5, 0, 0, 3) == 5)
    for (major, minor, status) in [(4, 9, 0), (5, 1, 0), (5, 2, 0xc000_0059), (6, 0, 0xc000_0059)] as [(UInt32, UInt32, UInt64)] {
      try g.store(major, at: info + 4)
      try g.store(minor, at: info + 8)
      #expect(try g.call("RtlVerifyVersionInfo", info, 3, mask & 0xffff_ffff, mask >> 32) == status, "\(major).\(minor)")
    }
    #expect(try g.call("RtlVerifyVersionInfo", info, 0, 1, 0) == 0xc000_000d)
    let (major, build, pack) = (try g.room(4), try g.room(4), try g.room(8))
    #expect(try g.call("PsGetVersion", major, 0, build, pack) == 0)
    #expect(try g.load(major) == 5 && g.load(build) == 2600 && g.text(pack) == "Service Pack 3")
    #expect(try RuntimeGuest().failure("PsGetVersion", RuntimeGuest.missing, 0, 0, 0) == accessViolation)
    #expect(try g.call("IoIsWdmVersionAvailable", 1, 0x30) == 1)
    #expect(try g.call("IoIsWdmVersionAvailable", 6, 0) == 0)
    #expect(try g.call("ExIsProcessorFeaturePresent", 64) == 0)
    try g.memory.memory.store(UInt8(1), at: 0xffdf_0000 + 0x274 + 6)
    #expect(try g.call("ExIsProcessorFeaturePresent", 6) == 1)
    #expect(try g.call("ExVerifySuite", 8) == 1)
    #expect(try g.call("ExVerifySuite", 3) == 0)
  }

  @Test("time is what instructions and stalls took") func time() throws {
    let place = try g.room(8)
    g.kernel.clock = { 10 * 156_250 * 3 + 5 }
    try g.call("KeQuerySystemTime", place)
    #expect(try g.load64(place) == 128_831_040_000_000_000 + 3 * 156_250)
    try g.call("KeQueryTickCount", place)
    #expect(try g.load64(place) == 3)
    #expect(try g.call("KeQueryTimeIncrement") == 156_250)
    #expect(try g.callWide("KeQueryInterruptTime") == 3 * 156_250)
    // What the page shows that everyone reads.
    #expect(try g.load64(0xffdf_0014) == 128_831_040_000_000_000 + 3 * 156_250)
    let counter = try g.callWide("KeQueryPerformanceCounter", place)
    #expect(try g.load64(place) == 3_579_545)
    #expect(counter == 3 * 156_250 * 3_579_545 / 10_000_000)
    try g.call("KeStallExecutionProcessor", 1_000_000)
    #expect(try g.callWide("KeQueryPerformanceCounter", 0) == (3 * 156_250 + 10_000_000) * 3_579_545 / 10_000_000)
    #expect(try g.callWide("KeQueryInterruptTime") == 67 * 156_250)
    let local = try g.room(8)
    // One hour behind.
    try g.store64(36_000_000_000, at: 0xffdf_0020)
    try g.store64(100_000_000_000, at: place)
    try g.call("ExSystemTimeToLocalTime", place, local)
    #expect(try g.load64(local) == 64_000_000_000)
    try g.call("ExLocalTimeToSystemTime", local, local)
    #expect(try g.load64(local) == 100_000_000_000)
    #expect(try g.call("ExSetTimerResolution", 10_000, 1) == 156_250)
    for name in ["KeQuerySystemTime", "KeQueryTickCount", "KeQueryPerformanceCounter"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing) == accessViolation)
    }
    for name in ["ExSystemTimeToLocalTime", "ExLocalTimeToSystemTime"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, RuntimeGuest.missing) == accessViolation)
    }
  }

  @Test("ports have no device, registers are memory", arguments: [("UCHAR", 1), ("USHORT", 2), ("ULONG", 4)] as [(String, UInt64)])
  func hardware(type: String, size: UInt64) throws {
    let ones = (UInt64(1) << (8 * size)) - 1
    let (buffer, register) = (try g.room(16), try g.room(16))
    #expect(try g.call("READ_PORT_\(type)", 0x3f8) == ones)
    try g.call("WRITE_PORT_\(type)", 0x3f8, 1)
    try g.call("READ_PORT_BUFFER_\(type)", 0x3f8, buffer, 2)
    #expect(try g.bytes(Int(2 * size) + 1, at: buffer) == [UInt8](repeating: 0xff, count: Int(2 * size)) + [0xcc])
    try g.call("WRITE_PORT_BUFFER_\(type)", 0x3f8, buffer, 2)
    try g.call("WRITE_REGISTER_\(type)", register, 0x1234_5678)
    #expect(try g.call("READ_REGISTER_\(type)", register) == 0x1234_5678 & ones)
    try g.call("READ_REGISTER_BUFFER_\(type)", register, buffer, 2)
    #expect(try g.bytes(Int(2 * size), at: buffer) == g.bytes(Int(2 * size), at: register))
    try g.memory.memory.fill(7, count: 16, at: buffer)
    try g.call("WRITE_REGISTER_BUFFER_\(type)", register, buffer, 2)
    #expect(try g.bytes(Int(2 * size), at: register) == [UInt8](repeating: 7, count: Int(2 * size)))
    let missing = RuntimeGuest.missing
    for name in ["READ_PORT_BUFFER", "WRITE_PORT_BUFFER", "READ_REGISTER_BUFFER", "WRITE_REGISTER_BUFFER"] {
      #expect(try RuntimeGuest().failure("\(name)_\(type)", missing, missing, 1) == accessViolation)
    }
    #expect(try RuntimeGuest().failure("READ_REGISTER_\(type)", missing) == accessViolation)
    #expect(try RuntimeGuest().failure("WRITE_REGISTER_\(type)", missing, 0) == accessViolation)
  }
}
