import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Dynamic hash tables, texts and code pages of images") struct HashTableTests {
  let g: RuntimeGuest
  init() throws { g = try RuntimeGuest() }

  func counts(_ table: UInt64) throws -> (entries: UInt32, filled: UInt32, buckets: UInt32) {
    (try g.load(table + 0x14), try g.load(table + 0x18), try g.load(table + 8))
  }

  @Test("elements are found by their signatures while the table grows and shrinks") func growth() throws {
    let place = try g.place([0, 0, 0, 0])
    #expect(try g.call("RtlCreateHashTable", place, 0, 0) & 1 == 1)
    let table = UInt64(try g.load(place))
    // The same signature three times among two hundred others.
    let entries = try (0..<200).map { _ in try g.room(16) }
    for (index, entry) in entries.enumerated() {
      #expect(try g.call("RtlInsertEntryHashTable", table, entry, UInt64(index < 3 ? 7 : 1000 + 3 * index), 0) & 1 == 1)
    }
    let context = try g.room(12)
    func all(_ signature: UInt64) throws -> Set<UInt64> {
      var found: Set<UInt64> = []
      var entry = try g.call("RtlLookupEntryHashTable", table, signature, context)
      while entry != 0 && found.count < 100 {
        found.insert(entry)
        entry = try g.call("RtlGetNextEntryHashTable", table, context)
      }
      return found
    }
    func check() throws {
      #expect(try all(7) == Set(entries[..<3]) && all(1000 + 3 * 150) == [entries[150]] && all(8).isEmpty)
      let heads = UInt64(try g.load(table + 0x20))
      let (count, filled, buckets) = try counts(table)
      #expect(try count == 200 && filled == (0..<UInt64(buckets)).count { try UInt64(g.load(heads + 8 * $0)) != heads + 8 * $0 })
    }
    try check()
    for _ in 0..<200 { #expect(try g.call("RtlExpandHashTable", table) & 1 == 1) }
    #expect(try counts(table).buckets == 328)
    try check()
    for _ in 0..<200 { #expect(try g.call("RtlContractHashTable", table) & 1 == 1) }
    #expect(try g.call("RtlContractHashTable", table) & 1 == 0 && counts(table).buckets == 128)
    try check()
    // While somebody enumerates, the table keeps its size; elements may go.
    let enumerator = try g.room(0x14)
    #expect(try g.call("RtlInitEnumerationHashTable", table, enumerator) & 1 == 1 && g.call("RtlExpandHashTable", table) & 1 == 0)
    var seen: [UInt64] = []
    while case let entry = try g.call("RtlEnumerateEntryHashTable", table, enumerator), entry != 0, seen.count < 300 {
      seen.append(entry)
      #expect(try g.call("RtlRemoveEntryHashTable", table, entry, 0) & 1 == 1)
    }
    try g.call("RtlEndEnumerationHashTable", table, enumerator)
    #expect(try Set(seen) == Set(entries) && seen.count == 200 && counts(table).entries == 0 && counts(table).filled == 0)
    try g.call("RtlInitEnumerationHashTable", table, enumerator)
    #expect(try g.call("RtlEnumerateEntryHashTable", table, enumerator) == 0)
    try g.call("RtlEndEnumerationHashTable", table, enumerator)
    // A weak enumeration leaves no trace.
    try g.call("RtlInsertEntryHashTable", table, entries[0], 0, 0)
    #expect(try g.load(entries[0] + 8) == 1 && g.call("RtlInitWeakEnumerationHashTable", table, enumerator) & 1 == 1)
    #expect(try g.call("RtlWeaklyEnumerateEntryHashTable", table, enumerator) == entries[0])
    #expect(try g.call("RtlWeaklyEnumerateEntryHashTable", table, enumerator) == 0)
    try g.call("RtlEndWeakEnumerationHashTable", table, enumerator)
    try g.call("RtlDeleteHashTable", table)
    #expect(try g.call("RtlCreateHashTable", place, 0, 1) & 1 == 0)
    for name in ["RtlInitEnumerationHashTable", "RtlInitWeakEnumerationHashTable"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, enumerator) == accessViolation)
    }
  }

  @Test("strings and directories of an image's resources") func resources() throws {
    // Type 6, block 2, language 409h: the strings from 16 on, of which the second is "Hi".
    let base = try g.image(withResources: [
      (0x100, [0, 0, 0, 1 << 16, 6, 0x8000_0018]), (0x118, [0, 0, 0, 1 << 16, 2, 0x8000_0030]),
      (0x130, [0, 0, 0, 1 << 16, 0x409, 0x48]), (0x148, [0x200, 8, 0, 0]), (0x200, [2 << 16, 0x0069_0048]),
    ])
    let (result, length, information) = (try g.room(4), try g.room(4), try g.place([6, 0, 0, 0, 2, 0, 0, 0, 9, 4, 0, 0]))
    #expect(try g.call("RtlLoadString", base, 17, 0, 0, result, length, 0, 0) == 0)
    #expect(try UInt64(g.load(result)) == base + 0x204 && g.load16(length) == 2)
    #expect(try g.call("RtlLoadString", base, 16, 0, 0, result, length, 0, 0) == 0xc000_0225)
    #expect(try g.call("RtlLoadString", base, 1, 0, 0, result, length, 0, 0) == 0xc000_008b)
    #expect(try g.call("RtlLoadString", 0, 1, 0, 0, result, length, 0, 0) == 0xc000_000d)
    #expect(try g.call("LdrFindResourceEx_U", 0, base, information, 3, result) == 0 && UInt64(g.load(result)) == base + 0x148)
    #expect(try g.call("LdrFindResourceEx_U", 4, base, information, 3, result) == 0xc000_000d)
    #expect(try g.call("LdrFindResourceDirectory_U", base, information, 2, result) == 0 && UInt64(g.load(result)) == base + 0x130)
    #expect(try g.call("LdrFindResourceDirectory_U", base, information, 0, result) == 0 && UInt64(g.load(result)) == base + 0x100)
    try g.store(7, at: information)
    #expect(try g.call("LdrFindResourceDirectory_U", base, information, 1, result) == 0xc000_008a)
  }

  @Test("modules are listed, a zone is set, a code page is read") func tables() throws {
    let (length, buffer) = (try g.place([0, 0, 0, 0]), try g.room(0x400))
    #expect(try g.call("RtlQueryModuleInformation", length, 0x10c, 0) == 0)
    let needed = try g.load(length)
    #expect(needed % 0x10c == 0)
    #expect(try g.call("RtlQueryModuleInformation", length, 5, 0) == 0xc000_00f0)
    #expect(try g.call("RtlQueryModuleInformation", length, 4, buffer + 1) == 0xc000_00f1)
    if needed > 0 {
      try g.store(0, at: length)
      #expect(try g.call("RtlQueryModuleInformation", length, 4, buffer) == 0xc000_0023)
    }
    let zone = try g.room(0x1b0)
    #expect(try g.call("RtlQueryDynamicTimeZoneInformation", zone) == 0)
    try g.store(UInt32(bitPattern: -60), at: zone)
    try g.store16(0x58, at: zone + 4)
    #expect(try g.call("RtlSetDynamicTimeZoneInformation", zone) == 0 && g.call("RtlSetTimeZoneInformation", zone) == 0)
    let other = try g.room(0xac)
    #expect(
      try g.call("RtlQueryTimeZoneInformation", other) == 0 && g.load(other) == UInt32(bitPattern: -60) && g.wideText(other + 4) == "XTC")
    #expect(g.kernel.registry.removeKey(at: #"\Registry\Machine\System\CurrentControlSet\Control\TimeZoneInformation"#))
    #expect(try g.call("RtlSetTimeZoneInformation", zone) == 0xc000_0034 && g.call("RtlSetDynamicTimeZoneInformation", zone) == 0xc000_0034)
    // A page in which bytes from 80h on are letters from 400h on.
    var words: [UInt16] = [13, 866, 1, 0x3f, 0x3f, 0x3f, 0x3f, 0, 0, 0, 0, 0, 0]
    words.append(259)
    for byte in UInt16(0)..<256 { words.append(byte < 0x80 ? byte : 0x380 + byte) }
    words += [0, 0, 4]
    let file = try g.place(words.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] })
    // The table from characters to bytes, for as many as the test needs.
    var bytes = [UInt8](repeating: 0x3f, count: 0x480)
    for byte in 0..<0x80 { (bytes[byte], bytes[0x400 + byte]) = (UInt8(byte), UInt8(0x80 + byte)) }
    let narrow = try g.place(bytes)
    let table = try g.room(0x2c)
    try g.call("RtlInitCodePageTable", file, table)
    #expect(try g.load16(table) == 866 && g.load16(table + 12) == 0 && UInt64(g.load(table + 0x1c)) == file + 28)
    #expect(try UInt64(g.load(table + 0x20)) == file + 2 * (13 + 260))
    try g.store(UInt32(narrow), at: table + 0x20)
    let (target, written) = (try g.room(16), try g.room(4))
    #expect(try g.call("RtlCustomCPToUnicodeN", table, target, 16, written, g.place([0x41, 0x81]), 2) == 0)
    #expect(try g.load(written) == 4 && g.load(target) == 0x0401_0041)
    #expect(try g.call("RtlUnicodeToCustomCPN", table, target, 16, written, g.place([0x61, 0, 0x01, 0x04]), 4) == 0)
    #expect(try g.load(written) == 2 && g.bytes(2, at: target) == [0x61, 0x81])
    #expect(try g.call("RtlUpcaseUnicodeToCustomCPN", table, target, 16, written, g.place([0x61, 0]), 2) == 0 && g.load8(target) == 0x41)
    try g.store16(1, at: table + 12)
    for name in ["RtlCustomCPToUnicodeN", "RtlUnicodeToCustomCPN", "RtlUpcaseUnicodeToCustomCPN"] {
      #expect(try g.call(name, table, target, 16, written, target, 2) == 0xc000_00bb)
    }
    #expect(try g.failure("RtlInitCodePageTable", RuntimeGuest.missing, table) == accessViolation)
  }
}
