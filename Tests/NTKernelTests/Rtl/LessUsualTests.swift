import Foundation
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Rarely imported routines of the run-time library") struct LessUsualTests {
  let g: RuntimeGuest
  init() throws { g = try RuntimeGuest() }

  @Test("UTF-8 goes to UTF-16 and back, whole characters only") func utf8() throws {
    let (wide, narrow, count) = (try g.wide("aé€𝄞"), try g.room(16), try g.room(4))
    #expect(try g.call("RtlUnicodeToUTF8N", narrow, 16, count, wide, 10) == 0 && g.load(count) == 10)
    #expect(try g.bytes(10, at: narrow) == Array("aé€𝄞".utf8))
    #expect(try g.call("RtlUnicodeToUTF8N", 0, 0, count, wide, 10) == 0 && g.load(count) == 10)
    #expect(try g.call("RtlUnicodeToUTF8N", narrow, 5, count, wide, 10) == 0xc000_0023 && g.load(count) == 3)
    #expect(try g.call("RtlUnicodeToUTF8N", narrow, 16, count, wide + 6, 2) == 0x107 && g.bytes(3, at: narrow) == [0xef, 0xbf, 0xbd])
    #expect(try g.call("RtlUnicodeToUTF8N", narrow, 16, count, 0, 2) == 0xc000_00f2)
    #expect(try g.call("RtlUnicodeToUTF8N", narrow, 16, count, wide, 3) == 0xc000_00f3)
    let text = try g.place(Array("aé€𝄞".utf8) + [0xff])
    let target = try g.room(16)
    #expect(try g.call("RtlUTF8ToUnicodeN", target, 16, count, text, 10) == 0 && g.load(count) == 10)
    #expect(try g.bytes(10, at: target) == g.bytes(10, at: wide))
    #expect(try g.call("RtlUTF8ToUnicodeN", target, 8, count, text, 10) == 0xc000_0023 && g.load(count) == 6)
    #expect(try g.call("RtlUTF8ToUnicodeN", 0, 0, count, text, 11) == 0x107 && g.load(count) == 12)
    #expect(try g.call("RtlUTF8ToUnicodeN", target, 16, 0, text, 10) == 0xc000_000d)
    #expect(try g.call("RtlUTF8ToUnicodeN", target, 16, count, 0, 10) == 0xc000_00f2)
  }

  @Test("strings are compared, copied and judged") func strings() throws {
    let (a, b) = (try g.wide("Straße"), try g.wide("STRAßEN"))
    #expect(try g.call("RtlCompareUnicodeStrings", a, 6, b, 6, 1) == 0)
    #expect(try Int32(truncatingIfNeeded: g.call("RtlCompareUnicodeStrings", a, 6, b, 7, 1)) < 0)
    #expect(try Int32(truncatingIfNeeded: g.call("RtlCompareUnicodeStrings", a, 6, b, 6, 0)) > 0)
    let (source, target) = (try g.unicode("abc"), try g.room(8))
    #expect(try g.call("RtlDuplicateUnicodeString", 1, source, target) == 0 && g.text(target) == "abc")
    #expect(try g.load16(target + 2) == 8 && g.load16(UInt64(g.load(target + 4)) + 6) == 0)
    #expect(try g.call("RtlDuplicateUnicodeString", 2, source, target) == 0xc000_000d)
    let empty = try g.unicode("")
    #expect(try g.call("RtlDuplicateUnicodeString", 0, empty, target) == 0 && g.load(target + 4) == 0)
    #expect(try g.call("RtlDuplicateUnicodeString", 3, empty, target) == 0 && g.load16(target + 2) == 2)
    #expect(try g.call("RtlValidateUnicodeString", 0, source) == 0 && g.call("RtlValidateUnicodeString", 0, 0) == 0)
    try g.store16(5, at: source)
    #expect(try g.call("RtlValidateUnicodeString", 0, source) == 0xc000_000d && g.call("RtlValidateUnicodeString", 1, 0) == 0xc000_000d)
    #expect(try g.call("RtlInitAnsiStringEx", target, g.narrow("hello")) == 0 && g.bytes(ofString: target) == Array("hello".utf8))
    #expect(try g.failure("RtlInitAnsiStringEx", target, RuntimeGuest.missing) == accessViolation)
  }

  @Test("sizes, code pages and digits") func sizes() throws {
    let (narrow, wide) = (try g.ansi("abcd"), try g.unicode("abc"))
    #expect(try g.call("RtlAnsiStringToUnicodeSize", narrow) == 10 && g.call("RtlOemStringToUnicodeSize", narrow) == 10)
    #expect(try g.call("RtlUnicodeStringToAnsiSize", wide) == 4 && g.call("RtlUnicodeStringToOemSize", wide) == 4)
    let (first, second) = (try g.room(4), try g.room(4))
    try g.call("RtlGetDefaultCodePage", first, second)
    #expect(try g.load16(first) == 1252 && g.load16(second) == 437)
    try g.store16(0xe9, at: first)
    #expect(try g.call("RtlIsValidOemCharacter", first) & 0xff == 1 && g.load16(first) == 0xc9)
    try g.store16(0x4e00, at: first)
    #expect(try g.call("RtlIsValidOemCharacter", first) & 0xff == 0)
    let text = try g.room(32)
    #expect(try g.call("RtlIntegerToChar", 0xbeef, 16, 8, text) == 0 && g.narrowText(text) == "BEEF")
    #expect(try g.call("RtlIntegerToChar", 0xbeef, 16, 3, text) == 0x8000_0005 && g.call("RtlIntegerToChar", 1, 3, 8, text) == 0xc000_000d)
    #expect(try g.call("RtlIntegerToUnicode", 42, 0, 8, text) == 0 && g.wideText(text) == "42")
    #expect(try g.call("RtlIntegerToUnicode", 42, 10, 1, text) == 0x8000_0005)
  }

  @Test(
    "altitudes are numbers, not text",
    arguments: [("38000", "320000", -1), ("320000.5", "320000.50", 0), ("0320001", "320000.999", 1), ("1.25", "1.3", -1)])
  func altitudes(first: String, second: String, order: Int32) throws {
    #expect(try Int32(truncatingIfNeeded: g.call("RtlCompareAltitudes", g.unicode(first), g.unicode(second))) == order)
    #expect(try g.failure("RtlCompareAltitudes", RuntimeGuest.missing, 0) == accessViolation)
  }

  @Test(
    "a status becomes an error code",
    arguments: [
      (0, 0), (0xc000_0022, 5), (0xc000_0034, 2), (0xc000_0035, 183), (0xc000_009a, 1450), (0xc000_000d, 87), (0x8000_0005, 234), (0x103, 997),
      (0x8007_0005, 5), (0xd000_0022, 5), (0x2000_0001, 0x2000_0001), (0xc000_dead, 317),
    ] as [(UInt64, UInt64)])
  func errors(status: UInt64, code: UInt64) throws {
    #expect(try g.call("RtlNtStatusToDosError", status) == code && g.call("RtlNtStatusToDosErrorNoTeb", status) == code)
  }

  @Test("an Ethernet address is text and back") func ethernet() throws {
    let (address, text, end) = (try g.place([0xf4, 0xce, 0x46, 0x2d, 0x90, 0x8c]), try g.room(40), try g.room(4))
    #expect(try g.call("RtlEthernetAddressToStringA", address, text) == text + 17 && g.narrowText(text) == "F4-CE-46-2D-90-8C")
    let back = try g.room(8)
    #expect(try g.call("RtlEthernetStringToAddressA", g.narrow("f4-ce-46-2d-90-8c!"), end, back) == 0)
    #expect(try g.bytes(6, at: back) == g.bytes(6, at: address) && g.load8(UInt64(g.load(end))) == 0x21)
    #expect(try g.call("RtlEthernetStringToAddressA", g.narrow("f4:ce:46:2d:90:8c"), end, back) == 0xc000_000d)
    #expect(try g.call("RtlEthernetAddressToStringW", address, text) == text + 34 && g.wideText(text) == "F4-CE-46-2D-90-8C")
    #expect(try g.call("RtlEthernetStringToAddressW", text, end, back) == 0 && UInt64(g.load(end)) == text + 34)
    #expect(try g.call("RtlEthernetStringToAddressW", g.wide("f4-ce-46"), end, back) == 0xc000_000d)
  }

  @Test("LZNT1: what is packed is what is unpacked") func compression() throws {
    let (buffer, fragment) = (try g.room(4), try g.room(4))
    #expect(try g.call("RtlGetCompressionWorkSpaceSize", 2, buffer, fragment) == 0 && g.load(buffer) == 0x8010)
    #expect(try g.call("RtlGetCompressionWorkSpaceSize", 5, buffer, fragment) == 0xc000_025f)
    #expect(try g.call("RtlGetCompressionWorkSpaceSize", 0, buffer, fragment) == 0xc000_000d)
    // The example of MS-XCA, 3.3.
    let text = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0"
    let packed: [UInt8] = [
      0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2, 0x47, 0x01, 0xa0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45,
      0x01, 0x50, 0x79, 0x00, 0xc0, 0x45, 0x20, 0x05, 0x24, 0x13, 0x88, 0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58, 0x02, 0x8c, 0x09, 0x16,
      0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00,
    ]
    let (source, target, size) = (try g.place(packed), try g.room(0x200), try g.room(4))
    #expect(try g.call("RtlDecompressBuffer", 2, target, 0x200, source, UInt64(packed.count), size) == 0)
    #expect(try g.load(size) == UInt32(text.utf8.count) && g.bytes(text.utf8.count, at: target) == Array(text.utf8))
    #expect(try g.call("RtlDecompressFragment", 2, target, 5, source, UInt64(packed.count), 6, size, 0) == 0)
    #expect(try g.load(size) == 5 && g.bytes(5, at: target) == Array("G A A".utf8))
    try g.store(0xb000_b0ff, at: source)
    #expect(try g.call("RtlDecompressBuffer", 2, target, 0x200, source, UInt64(packed.count), size) == 0xc000_0242)
    #expect(try g.call("RtlDecompressFragment", 1, target, 5, source, 8, 0, size, 0) == 0xc000_000d)
    // Text, noise and zeros, over several chunks.
    var state: UInt32 = 1
    let bytes: [UInt8] = (0..<0x1800).map { index in
      state = state &* 1_664_525 &+ 1_013_904_223
      return index < 0x800 ? UInt8(index / 7 & 0xff) : index < 0x1200 ? UInt8(state >> 24) : 0
    }
    let (place, out) = (try g.place(bytes), try g.room(0x1c00))
    #expect(try g.call("RtlCompressBuffer", 2, place, 0x1800, out, 0x1c00, 4096, size, 0) == 0)
    let length = try g.load(size)
    #expect(length < 0x1200)
    try g.memory.memory.fill(0xcc, count: 0x1800, at: place)
    #expect(try g.call("RtlDecompressBuffer", 2, place, 0x1800, out, UInt64(length), size) == 0 && g.load(size) == 0x1800)
    #expect(try g.bytes(0x1800, at: place) == bytes)
    #expect(try g.call("RtlCompressBuffer", 2, place, 0x1800, out, 16, 4096, size, 0) == 0xc000_0023)
    #expect(try g.call("RtlCompressBuffer", 2, place + 0x1400, 0x400, out, 0x400, 4096, size, 0) == 0x117)
    // Chunk by chunk.
    let (next, chunk) = (try g.place(withUnsafeBytes(of: UInt32(out).littleEndian) { Array($0) }), try g.room(4))
    #expect(try g.call("RtlDescribeChunk", 2, next, out + 0x400, chunk, size) == 0 && UInt64(g.load(chunk)) == out)
    #expect(try UInt64(g.load(next)) == out + UInt64(g.load(size)))
    #expect(try g.call("RtlDescribeChunk", 2, next, UInt64(g.load(next)), chunk, size) == 0x8000_001a)
  }

  @Test("atoms are counted, pinned and told by number") func atoms() throws {
    let (handle, atom, other) = (try g.place([0, 0, 0, 0]), try g.room(4), try g.room(4))
    #expect(try g.call("RtlCreateAtomTable", 37, handle) == 0)
    let table = UInt64(try g.load(handle))
    #expect(try g.call("RtlAddAtomToAtomTable", table, g.wide("Hello"), atom) == 0 && g.load16(atom) == 0xc000)
    #expect(try g.call("RtlAddAtomToAtomTable", table, g.wide("HELLO"), other) == 0 && g.load16(other) == 0xc000)
    #expect(try g.call("RtlAddAtomToAtomTable", table, g.wide(""), other) == 0xc000_0033)
    #expect(try g.call("RtlLookupAtomInAtomTable", table, g.wide("#77"), other) == 0 && g.load16(other) == 77)
    #expect(try g.call("RtlLookupAtomInAtomTable", table, g.wide("World"), other) == 0xc000_0034)
    #expect(try g.call("RtlGetIntegerAtom", 0x1234, other) & 0xff == 1 && g.load16(other) == 0x1234)
    #expect(try g.call("RtlGetIntegerAtom", g.wide("Hello"), other) & 0xff == 0)
    let (references, pins, name, length) = (try g.room(4), try g.room(4), try g.room(32), try g.place([32, 0, 0, 0]))
    #expect(try g.call("RtlQueryAtomInAtomTable", table, 0xc000, references, pins, name, length) == 0)
    #expect(try g.load(references) == 2 && g.load(pins) == 0 && g.wideText(name) == "Hello" && g.load(length) == 10)
    #expect(try g.call("RtlQueryAtomInAtomTable", table, 0xc001, references, pins, name, length) == 0xc000_0008)
    #expect(try g.call("RtlPinAtomInAtomTable", table, 0xc000) == 0 && g.call("RtlPinAtomInAtomTable", table, 0xc009) == 0xc000_0008)
    #expect(try g.call("RtlDeleteAtomFromAtomTable", table, 0xc000) == 0x4000_0019)
    #expect(try g.call("RtlEmptyAtomTable", table, 1) == 0 && g.call("RtlDeleteAtomFromAtomTable", table, 0xc000) == 0xc000_0008)
    #expect(try g.call("RtlDestroyAtomTable", table) == 0 && g.call("RtlDestroyAtomTable", table) == 0xc000_000d)
    #expect(try g.call("RtlEmptyAtomTable", table, 1) == 0xc000_000d)
  }

  @Test("lengths beyond 4 GB in resource descriptors") func lengths() throws {
    let (one, two, value) = (try g.place(Array(repeating: 0, count: 16)), try g.place(Array(repeating: 0, count: 32)), try g.room(8))
    #expect(try g.call("RtlCmEncodeMemIoResource", one, 3, 0, 0x10, 0x1000, 0) == 0)
    #expect(try g.load8(one) == 7 && g.load16(one + 2) == 0x200 && g.load(one + 0xc) == 0x1000_0000)
    #expect(try g.callWide("RtlCmDecodeMemIoResource", one, value) == 0x10_0000_0000 && g.load64(value) == 0x1000)
    #expect(try g.call("RtlCmEncodeMemIoResource", one, 1, 0, 0x10, 0x1000, 0) == 0xc000_0001)
    #expect(try g.call("RtlIoEncodeMemIoResource", two, 3, 0x1000, 0, 0x1000, 0, 0x10, 0, 0x20, 0) == 0 && g.load8(two + 1) == 3)
    let (lowest, highest) = (try g.room(8), try g.room(8))
    #expect(try g.callWide("RtlIoDecodeMemIoResource", two, value, lowest, highest) == 0x1000)
    #expect(try g.load64(value) == 0x1000 && g.load64(lowest) == 0x10 && g.load64(highest) == 0x20)
    #expect(try g.call("RtlIoEncodeMemIoResource", two, 2, 0x1000, 0, 0x1000, 0, 0x10, 0, 0x20, 0) == 0xc000_0001)
    #expect(try g.call("RtlFindClosestEncodableLength", 1, 1, value) == 0 && g.load64(value) == 0x1_0000_0100)
    #expect(try g.call("RtlFindClosestEncodableLength", 1, 0xffff_ffff, value) == 0xc000_0001)
  }

  @Test("sums, patterns, masks and versions") func small() throws {
    let text = try g.narrow("123456789")
    #expect(try g.call("RtlComputeCrc32", 0, text, 9) == 0xcbf4_3926)
    #expect(try g.call("RtlComputeCrc32", g.call("RtlComputeCrc32", 0, text, 4), text + 4, 5) == 0xcbf4_3926)
    #expect(try RuntimeGuest().failure("RtlComputeCrc32", 0, RuntimeGuest.missing, 4) == accessViolation)
    let room = try g.room(24)
    try g.call("RtlFillMemoryUlonglong", room, 16, 0x5566_7788, 0x1122_3344)
    #expect(try g.load64(room + 8) == 0x1122_3344_5566_7788 && g.load(room + 16) == 0xcccc_cccc)
    #expect(try g.call("RtlNumberOfSetBitsUlongPtr", 0xf00f) == 8 && g.call("RtlNumberOfSetBitsUlongPtr", 0) == 0)
    #expect(try g.call("RtlEnlargedUnsignedDivide", 0, 1, 0x1_0001, room) == 0xffff && g.load(room) == 1)
    #expect(try RuntimeGuest().failure("RtlEnlargedUnsignedDivide", 0, 1, 0, room) == .raised(0xc000_0094))
    #expect(try g.call("RtlAreAllAccessesGranted", 7, 5) & 0xff == 1 && g.call("RtlAreAllAccessesGranted", 5, 7) & 0xff == 0)
    #expect(try g.call("RtlAreAnyAccessesGranted", 4, 5) & 0xff == 1 && g.call("RtlAreAnyAccessesGranted", 2, 5) & 0xff == 0)
    #expect(try g.call("RtlGetNtGlobalFlags") == 0)
    #expect(try g.call("RtlIsNtDdiVersionAvailable", 0x0501_0000) & 0xff == 1 && g.call("RtlIsNtDdiVersionAvailable", 0x0600_0000) & 0xff == 0)
    #expect(try g.call("RtlIsServicePackVersionInstalled", 0x0501_0200) & 0xff == 1)
    #expect(try g.call("RtlIsServicePackVersionInstalled", 0x0502_0100) & 0xff == 0)
    #expect(try g.call("RtlGetProductInfo", 6, 1, 0, 0, room) & 0xff == 1 && g.load(room) == 0x30)
    #expect(try g.call("RtlGetProductInfo", 5, 1, 3, 0, room) & 0xff == 0 && g.load(room) == 0)
    #expect(try g.callWide("RtlGetEnabledExtendedFeatures", 7, 0) == 0)
  }

  @Test("an image's directories, mapped and as a file") func directories() throws {
    var image = [UInt8](repeating: 0, count: 0x200)
    func put(_ value: UInt32, at offset: Int) { for byte in 0..<4 { image[offset + byte] = UInt8(value >> UInt32(8 * byte) & 0xff) } }
    put(0x5a4d, at: 0)
    put(0x40, at: 0x3c)
    put(0x4550, at: 0x40)
    put(0x0001_014c, at: 0x44)
    put(0xe0, at: 0x54)
    put(0x10b, at: 0x58)
    put(0x180, at: 0x94)
    put(16, at: 0xb4)
    // The import directory, in the only section: at 0x1000 in memory, at 0x180 in the file.
    put(0x1010, at: 0xc0)
    put(0x28, at: 0xc4)
    for (offset, value) in [(0x8, 0x1000), (0xc, 0x1000), (0x10, 0x80), (0x14, 0x180)] { put(UInt32(value), at: 0x138 + offset) }
    let (base, size) = (try g.place(image), try g.room(4))
    #expect(try g.call("RtlImageDirectoryEntryToData", base, 1, 1, size) == base + 0x1010 && g.load(size) == 0x28)
    #expect(try g.call("RtlImageDirectoryEntryToData", base, 0, 1, size) == base + 0x190)
    #expect(try g.call("RtlImageDirectoryEntryToData", base, 1, 2, size) == 0 && g.call("RtlImageDirectoryEntryToData", base, 1, 16, size) == 0)
  }

  @Test("local time, zones and spans") func time() throws {
    let (first, second, zone) = (try g.room(8), try g.room(8), try g.room(0x1b0))
    try g.store64(0x01d0_0000_0000_0000, at: first)
    #expect(try g.call("RtlSystemTimeToLocalTime", first, second) == 0 && g.load64(second) == 0x01d0_0000_0000_0000)
    #expect(try g.call("RtlLocalTimeToSystemTime", second, first) == 0 && g.load64(first) == 0x01d0_0000_0000_0000)
    #expect(try RuntimeGuest().failure("RtlLocalTimeToSystemTime", RuntimeGuest.missing, first) == accessViolation)
    #expect(try RuntimeGuest().failure("RtlSystemTimeToLocalTime", RuntimeGuest.missing, first) == accessViolation)
    // 2 days, 3:04:05.006
    try g.store64((((2 * 24 + 3) * 60 + 4) * 60 + 5) * 10_000_000 + 60_000, at: first)
    try g.call("RtlTimeToElapsedTimeFields", first, zone)
    #expect(try (0..<8).map { try g.load16(zone + 2 * $0) } == [0, 0, 2, 3, 4, 5, 6, 0])
    #expect(try g.call("RtlQueryTimeZoneInformation", zone) == 0 && g.load(zone) == 0 && g.wideText(zone + 4) == "UTC")
    #expect(try g.call("RtlQueryDynamicTimeZoneInformation", zone) == 0 && g.wideText(zone + 0x58) == "UTC" && g.load8(zone + 0x1ac) == 0)
    #expect(g.kernel.registry.removeKey(at: #"\Registry\Machine\System\CurrentControlSet\Control\TimeZoneInformation"#))
    #expect(try g.call("RtlQueryTimeZoneInformation", zone) == 0xc000_0034)
    #expect(try g.call("RtlQueryDynamicTimeZoneInformation", zone) == 0xc000_0034)
  }

  @Test("a heap is memory of the current process") func heap() throws {
    let heap = try g.call("RtlCreateHeap", 2, 0, 0x1000, 0x1000, 0, 0)
    #expect(heap > 0 && heap < 0x7fff_0000)
    let first = try g.call("RtlAllocateHeap", heap, 8, 100)
    let second = try g.call("RtlAllocateHeap", heap, 0, 0x2000)
    #expect(first > heap && second > 0 && second & 7 == 0)
    #expect(try g.load(first) == 0 && g.call("RtlSizeHeap", heap, 0, first) == 100)
    try g.store(7, at: first)
    #expect(try g.call("RtlFreeHeap", heap, 0, first) & 0xff == 1 && g.call("RtlFreeHeap", heap, 0, first) & 0xff == 0)
    #expect(try g.call("RtlSizeHeap", heap, 0, first) == 0xffff_ffff)
    #expect(try g.call("RtlZeroHeap", heap, 0) == 0 && g.load(first) == 0 && g.call("RtlZeroHeap", 0, 0) == 0xc000_000d)
    #expect(try g.call("RtlDestroyHeap", heap) == 0 && g.call("RtlDestroyHeap", heap) == heap)
    #expect(try g.call("RtlAllocateHeap", heap, 0, 8) == 0)
    // In memory of the driver's own, which does not grow.
    let own = try g.room(0x200)
    #expect(try g.call("RtlCreateHeap", 0, own, 0, 0x200, 0, 0) == own)
    #expect(try (own..<own + 0x200).contains(g.call("RtlAllocateHeap", own, 0, 0x40)) && g.call("RtlAllocateHeap", own, 0, 0x400) == 0)
    #expect(try g.outcome("RtlAllocateHeap", [own, 4, 0x400]) == .raised(0xc000_0017))
  }

  @Test("something is done once") func once() throws {
    let (once, context) = (try g.place([1, 2, 3, 4]), try g.room(4))
    try g.call("RtlRunOnceInitialize", once)
    var count: UInt64 = 0
    g.routines[0xf8b0_2000] = { g in
      count += 1
      #expect(try g.argument(0) == once && g.argument(1) == 0x77)
      try g.store(0x1230, at: g.argument(2))
      return count - 1
    }
    #expect(try g.call("RtlRunOnceBeginInitialize", once, 1, context) == 0xc000_0001)
    #expect(try g.call("RtlRunOnceExecuteOnce", once, 0xf8b0_2000, 0x77, context) == 0xc000_0001)
    #expect(try g.call("RtlRunOnceExecuteOnce", once, 0xf8b0_2000, 0x77, context) == 0 && g.load(context) == 0x1230)
    #expect(try g.call("RtlRunOnceExecuteOnce", once, 0xf8b0_2000, 0x77, 0) == 0 && count == 2)
    #expect(try g.call("RtlRunOnceBeginInitialize", once, 1, context) == 0 && g.load(context) == 0x1230)
    try g.call("RtlRunOnceInitialize", once)
    #expect(try g.call("RtlRunOnceBeginInitialize", once, 2, context) == 0x103 && g.call("RtlRunOnceComplete", once, 0, 0) == 0xc000_000d)
    #expect(try g.call("RtlRunOnceComplete", once, 2, 0x41) == 0xc000_000d && g.call("RtlRunOnceComplete", once, 2, 0x40) == 0)
    #expect(try g.call("RtlRunOnceComplete", once, 2, 0x40) == 0xc000_0001)
    try g.call("RtlRunOnceInitialize", once)
    #expect(try g.call("RtlRunOnceBeginInitialize", once, 0, 0) == 0x103 && g.call("RtlRunOnceBeginInitialize", once, 2, 0) == 0xc000_000d)
    #expect(try g.call("RtlRunOnceComplete", once, 4, 0) == 0 && g.load(once) == 0)
  }

  @Test("a table is searched first, and then changed", arguments: ["", "Avl"]) func searches(suffix: String) throws {
    g.routines[0xf8b0_2000] = { g in
      let (a, b) = (try g.load(g.argument(1)), try g.load(g.argument(2)))
      return a < b ? 0 : a > b ? 1 : 2
    }
    g.routines[0xf8b0_2010] = { g in try g.room(g.argument(1)) }
    let (table, place, result, isNew) = (try g.room(0x38), try g.room(4), try g.room(4), try g.room(4))
    try g.call("RtlInitializeGenericTable\(suffix)", table, 0xf8b0_2000, 0xf8b0_2010, 0, 0)
    for (index, value) in [20, 10, 30, 25].enumerated() {
      let key = try g.place([UInt8(value), 0, 0, 0])
      #expect(try g.call("RtlLookupElementGenericTableFull\(suffix)", table, key, place, result) == 0)
      if index == 0 { #expect(try g.load(result) == 0) }
      let element = try g.call(
        "RtlInsertElementGenericTableFull\(suffix)", table, key, 4, isNew, UInt64(g.load(place)), UInt64(g.load(result)))
      #expect(try g.load(element) == UInt32(value) && g.load8(isNew) == 1)
      #expect(try g.call("RtlLookupElementGenericTableFull\(suffix)", table, key, place, result) == element && g.load(result) == 1)
      #expect(
        try g.call("RtlInsertElementGenericTableFull\(suffix)", table, key, 4, isNew, UInt64(g.load(place)), 1) == element
          && g.load8(isNew) == 0)
    }
    var found: [UInt32] = []
    var element = try g.call("RtlEnumerateGenericTable\(suffix)", table, 1)
    while element != 0 && found.count < 10 {
      found.append(try g.load(element))
      element = try g.call("RtlEnumerateGenericTable\(suffix)", table, 0)
    }
    #expect(found == [10, 20, 25, 30])
    guard suffix == "Avl" else { return }
    // Everything from 20 to 29 is a match for 2.
    g.routines[0xf8b0_2000] = { g in
      let (a, b) = (try g.load(g.argument(1)), try g.load(g.argument(2)) / 10)
      return a < b ? 0 : a > b ? 1 : 2
    }
    let first = try g.call("RtlLookupFirstMatchingElementGenericTableAvl", table, g.place([2, 0, 0, 0]), place)
    #expect(try g.load(first) == 20 && UInt64(g.load(place)) + 16 == first)
    #expect(try g.call("RtlLookupFirstMatchingElementGenericTableAvl", table, g.place([9, 0, 0, 0]), place) == 0)
  }

  @Test("a node leaves a splay tree that keeps its shape") func noSplay() throws {
    // 4 over 2 (1, 3) and 6.
    let nodes = try (0..<7).map { _ in try g.place([UInt8](repeating: 0, count: 12)) }
    func link(_ parent: Int, _ left: Int?, _ right: Int?) throws {
      for (child, offset) in [(left, 4), (right, 8)] as [(Int?, UInt64)] {
        guard let child else { continue }
        try g.store(UInt32(nodes[child]), at: nodes[parent] + offset)
        try g.store(UInt32(nodes[parent]), at: nodes[child])
      }
    }
    try link(4, 2, 6)
    try link(2, 1, 3)
    try g.store(UInt32(nodes[4]), at: nodes[4])
    let root = try g.place(withUnsafeBytes(of: UInt32(nodes[4]).littleEndian) { Array($0) })
    try g.call("RtlDeleteNoSplay", nodes[4], root)
    #expect(try UInt64(g.load(root)) == nodes[3] && UInt64(g.load(nodes[3])) == nodes[3])
    #expect(try UInt64(g.load(nodes[3] + 4)) == nodes[2] && UInt64(g.load(nodes[3] + 8)) == nodes[6] && g.load(nodes[2] + 8) == 0)
    try g.call("RtlDeleteNoSplay", nodes[2], root)
    #expect(try UInt64(g.load(root)) == nodes[3] && UInt64(g.load(nodes[3] + 4)) == nodes[1])
    for node in [1, 6] { try g.call("RtlDeleteNoSplay", nodes[node], root) }
    try g.call("RtlDeleteNoSplay", nodes[3], root)
    #expect(try g.load(root) == 0)
    #expect(try g.failure("RtlDeleteNoSplay", RuntimeGuest.missing, root) == accessViolation)
  }

  @Test("range lists are copied, merged, turned inside out and searched") func ranges() throws {
    let lists = try (0..<6).map { _ in try g.room(0x14) }
    for list in lists { try g.call("RtlInitializeRangeList", list) }
    try g.call("RtlAddRange", lists[0], 0x100, 0, 0x1ff, 0, 0, 0, 0, 1)
    try g.call("RtlAddRange", lists[1], 0x180, 0, 0x2ff, 0, 0, 0, 0, 2)
    let (iterator, range) = (try g.room(0x10), try g.room(4))
    func bounds() throws -> [UInt64] {
      var all: [UInt64] = []
      while try g.load(range) != 0, all.count < 16 {
        let place = UInt64(try g.load(range))
        all += [try g.load64(place), try g.load64(place + 8)]
        try g.call("RtlGetNextRange", iterator, range, 1)
      }
      return all
    }
    #expect(try g.call("RtlCopyRangeList", lists[2], lists[0]) == 0 && g.call("RtlCopyRangeList", lists[2], lists[0]) == 0xc000_000d)
    #expect(try g.call("RtlGetLastRange", lists[2], iterator, range) == 0 && g.load64(UInt64(g.load(range))) == 0x100)
    #expect(try g.call("RtlMergeRangeLists", lists[3], lists[0], lists[1], 0) == 0xc000_0282)
    try g.call("RtlFreeRangeList", lists[3])
    #expect(try g.call("RtlMergeRangeLists", lists[3], lists[0], lists[1], 1) == 0)
    #expect(try g.call("RtlInvertRangeList", lists[4], lists[3]) == 0 && g.call("RtlInvertRangeList", lists[4], lists[3]) == 0xc000_000d)
    #expect(try g.call("RtlGetFirstRange", lists[4], iterator, range) == 0)
    #expect(try bounds() == [0, 0xff, 0x300, .max])
    #expect(try g.call("RtlInvertRangeListEx", lists[5], lists[3], 3, 4, 5) == 0)
    #expect(try g.call("RtlGetLastRange", lists[5], iterator, range) == 0 && g.load(UInt64(g.load(range)) + 0x10) == 4)
    #expect(try g.call("RtlInvertRangeListEx", lists[5], lists[3], 3, 4, 5) == 0xc000_000d)
    let start = try g.room(8)
    #expect(try g.call("RtlFindRange", lists[3], 0, 0, 0x27f, 0, 0x40, 0x20, 0, 0, 0, 0, start) == 0 && g.load64(start) == 0xc0)
    #expect(try g.call("RtlFindRange", lists[3], 0, 0, 0x3ff, 0, 0x40, 0x20, 0, 0, 0, 0, start) == 0 && g.load64(start) == 0x3c0)
    #expect(try g.call("RtlFindRange", lists[3], 0x100, 0, 0x2ff, 0, 0x10, 1, 0, 0, 0, 0, start) == 0xc000_0001)
    let empty = try g.room(0x14)
    try g.call("RtlInitializeRangeList", empty)
    #expect(try g.call("RtlGetLastRange", empty, iterator, range) == 0x8000_001a)
  }

  @Test("identifiers in arrays, lists and descriptors") func identifiers() throws {
    // S-1-5-18, S-1-3-4, S-1-5-19
    let (system, owner, local) = (
      try g.place([1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]), try g.place([1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0]),
      try g.place([1, 1, 0, 0, 0, 0, 0, 5, 19, 0, 0, 0])
    )
    let array = try g.room(16)
    for (index, value) in [system, 7, owner, 6].enumerated() { try g.store(UInt32(value), at: array + 4 * UInt64(index)) }
    let (target, buffer, next, rest) = (try g.room(16), try g.room(32), try g.room(4), try g.room(4))
    #expect(try g.call("RtlCopySidAndAttributesArray", 2, array, 32, target, buffer, next, rest) == 0)
    #expect(try UInt64(g.load(target + 8)) == buffer + 12 && g.load(target + 12) == 6 && g.load(rest) == 8)
    #expect(try g.call("RtlCopySidAndAttributesArray", 2, array, 20, target, buffer, next, rest) == 0xc000_0023)
    let hash = try g.room(0x88)
    #expect(try g.call("RtlSidHashInitialize", array, 2, hash) == 0 && g.call("RtlSidHashInitialize", array, 2, 0) == 0xc000_000d)
    #expect(try g.call("RtlSidHashLookup", hash, owner) == array + 8 && g.call("RtlSidHashLookup", hash, local) == 0)
    let pairs = try g.place(Array(0..<24))
    let copy = try g.room(24)
    try g.call("RtlCopyLuidAndAttributesArray", 2, pairs, copy)
    #expect(try g.bytes(24, at: copy) == Array(0..<24))
    #expect(try RuntimeGuest().failure("RtlCopyLuidAndAttributesArray", 1, RuntimeGuest.missing, copy) == accessViolation)
    let (list, index) = (try g.room(64), try g.place([0, 0, 0, 0]))
    try g.call("RtlCreateAcl", list, 64, 2)
    try g.call("RtlAddAccessAllowedAce", list, 2, 0x1f, system)
    #expect(try g.call("RtlOwnerAcesPresent", list) & 0xff == 0)
    try g.call("RtlAddAccessAllowedAce", list, 2, 0x1f, owner)
    #expect(try g.call("RtlOwnerAcesPresent", list) & 0xff == 1)
    #expect(try g.call("RtlFindAceByType", list, 0, index) == list + 8)
    try g.store(1, at: index)
    #expect(try g.call("RtlFindAceByType", list, 0, index) == list + 28 && g.call("RtlFindAceByType", list, 1, index) == 0)
    // A self-relative descriptor with an owner and that list.
    let descriptor = try g.place([UInt8](repeating: 0, count: 20))
    try g.store(0x8004_0001, at: descriptor)
    try g.store(UInt32(truncatingIfNeeded: system &- descriptor), at: descriptor + 4)
    try g.store(UInt32(truncatingIfNeeded: list &- descriptor), at: descriptor + 16)
    let changes = try g.room(4)
    #expect(try g.call("RtlSelfRelativeToAbsoluteSD2", descriptor, 0) == 0xc000_00f0)
    #expect(try g.call("RtlSelfRelativeToAbsoluteSD2", descriptor, changes) == 0 && g.load16(descriptor + 2) == 4)
    #expect(try g.call("RtlSelfRelativeToAbsoluteSD2", descriptor, changes) == 0xc000_00e7)
    try g.store(UInt32(system), at: descriptor + 4)
    try g.store(UInt32(list), at: descriptor + 16)
    #expect(try g.call("RtlReplaceSidInSd", descriptor, system, local, changes) == 0 && g.load(changes) == 2)
    #expect(try g.load8(list + 24) == 19)
    #expect(try g.call("RtlReplaceSidInSd", descriptor, g.place([2, 0, 0, 0, 0, 0, 0, 5]), local, changes) == 0xc000_000d)
  }
}
