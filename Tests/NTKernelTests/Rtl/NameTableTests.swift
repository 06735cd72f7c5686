import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Prefixes, short names, ranges, resources") struct NameTableTests {
  @Test("the longest path is found that a name begins with") func prefixes() throws {
    let g = try RuntimeGuest()
    let (table, first, second) = (try g.room(12), try g.room(0x1c), try g.room(0x1c))
    try g.call("RtlInitializeUnicodePrefix", table)
    #expect(try g.call("RtlInsertUnicodePrefix", table, g.unicode(#"\dir"#), first) & 1 == 1)
    #expect(try g.call("RtlInsertUnicodePrefix", table, g.unicode(#"\dir\Sub"#), second) & 1 == 1)
    #expect(try g.call("RtlInsertUnicodePrefix", table, g.unicode(#"\dir"#), g.room(0x1c)) & 1 == 0)
    func find(_ name: String, _ index: UInt64 = 0) throws -> UInt64 { try g.call("RtlFindUnicodePrefix", table, g.unicode(name), index) }
    #expect(try find(#"\DIR\sub\file"#) == second && find(#"\dir\file"#) == first && find(#"\dir"#) == first)
    // Whole components only, and case where it counts.
    #expect(try find(#"\directory"#) == 0 && find(#"\DIR\file"#, 4) == 0)
    #expect(try g.call("RtlNextUnicodePrefix", table, 1) == second && g.call("RtlNextUnicodePrefix", table, 0) == first)
    #expect(try g.call("RtlNextUnicodePrefix", table, 0) == 0)
    try g.call("RtlRemoveUnicodePrefix", table, second)
    #expect(try find(#"\dir\sub\file"#) == first)
    guard case .raised = try g.failure("RtlFindUnicodePrefix", table, RuntimeGuest.missing, 0) else {
      Issue.record("a name that is not there")
      return
    }
  }

  @Test("short names are counted up, and take a checksum from the fifth on") func shortNames() throws {
    let g = try RuntimeGuest()
    let (context, result) = (try g.room(0x24), try g.unicode("", spare: 24))
    try g.memory.memory.fill(0, count: 0x24, at: context)
    let name = try g.unicode("A long file, name.text")
    var names: [String] = []
    for _ in 0..<5 {
      try g.call("RtlGenerate8dot3Name", name, 0, context, result)
      names.append(try g.text(result))
    }
    #expect(Array(names.prefix(4)) == (1...4).map { "ALONGF~\($0).TEX" })
    #expect(names[4].hasPrefix("AL") && names[4].hasSuffix("~1.TEX") && names[4].count == 12)
    #expect(
      try g.failure("RtlGenerate8dot3Name", RuntimeGuest.missing, 0, g.place(Array(repeating: 0, count: 0x24)), result) == accessViolation)
  }

  @Test("ranges conflict, unless both are shared") func ranges() throws {
    let g = try RuntimeGuest()
    let (list, available, iterator, range) = (try g.room(0x14), try g.room(4), try g.room(0x10), try g.room(4))
    try g.call("RtlInitializeRangeList", list)
    func add(_ start: UInt64, _ end: UInt64, flags: UInt64 = 0, owner: UInt64 = 1) throws -> UInt64 {
      try g.call("RtlAddRange", list, start, 0, end, 0, 0, flags, 0x55, owner)
    }
    #expect(try add(0x100, 0x1ff) == 0 && add(0x180, 0x2ff) == 0xc000_0282 && add(2, 1) == 0xc000_000d)
    #expect(try add(0x10, 0x1f, flags: 2) == 0 && add(0x18, 0x2f, flags: 2, owner: 2) == 0 && add(0x180, 0x2ff, flags: 1, owner: 3) == 0)
    func isFree(_ start: UInt64, _ end: UInt64, flags: UInt64 = 0) throws -> Bool {
      #expect(try g.call("RtlIsRangeAvailable", list, start, 0, end, 0, flags, 0, 0, 0, available) == 0)
      return try g.load8(available) == 1
    }
    #expect(try !isFree(0x10, 0x10) && isFree(0x10, 0x10, flags: 1) && isFree(0x30, 0xff) && !isFree(0x30, 0x100))
    #expect(try g.call("RtlGetFirstRange", list, iterator, range) == 0 && g.load64(UInt64(g.load(range))) == 0x10)
    #expect(try g.call("RtlGetNextRange", iterator, range, 1) == 0 && g.load64(UInt64(g.load(range))) == 0x18)
    #expect(try g.call("RtlGetNextRange", iterator, range, 0) == 0 && g.call("RtlGetNextRange", iterator, range, 0) == 0x8000_001a)
    #expect(try g.call("RtlDeleteRange", list, 0x100, 0, 0x1ff, 0, 1) == 0)
    #expect(try g.call("RtlDeleteRange", list, 0x100, 0, 0x1ff, 0, 1) == 0xc000_028c)
    #expect(try g.call("RtlDeleteOwnersRanges", list, 3) == 0 && isFree(0x100, 0x300))
    try g.call("RtlFreeRangeList", list)
    #expect(try isFree(0, 0x1000) && g.call("RtlGetFirstRange", list, iterator, range) == 0x8000_001a)
  }

  @Test("resources and messages of an image in memory") func resources() throws {
    let g = try RuntimeGuest()
    // Type 11, name 1, language 409h; a table of the messages 5 and 6.
    let base = try g.image(withResources: [
      (0x100, [0, 0, 0, 1 << 16, 11, 0x8000_0018]), (0x118, [0, 0, 0, 1 << 16, 1, 0x8000_0030]),
      (0x130, [0, 0, 0, 1 << 16, 0x409, 0x48]), (0x148, [0x200, 0x40, 0, 0]),
      (0x200, [1, 5, 6, 0x10, 0x0000_0008, 0x41, 0x0000_0008, 0x42]),
    ])
    let (information, entry, place, size) = (try g.room(12), try g.room(4), try g.room(4), try g.room(4))
    func find(_ type: UInt32, _ name: UInt32, _ language: UInt32, level: UInt64 = 3) throws -> UInt64 {
      for (index, word) in [type, name, language].enumerated() { try g.store(word, at: information + 4 * UInt64(index)) }
      return try g.call("LdrFindResource_U", base, information, level, entry)
    }
    #expect(try find(11, 1, 0x407) == 0 && UInt64(g.load(entry)) == base + 0x148)
    #expect(try find(12, 1, 0) == 0xc000_008a && find(11, 2, 0) == 0xc000_008b && find(11, 1, 0, level: 2) == 0xc000_000d)
    #expect(try g.call("LdrAccessResource", base, base + 0x148, place, size) == 0)
    #expect(try UInt64(g.load(place)) == base + 0x200 && g.load(size) == 0x40)
    #expect(try g.call("RtlFindMessage", base, 11, 0x409, 6, entry) == 0 && UInt64(g.load(entry)) == base + 0x218)
    #expect(try g.call("RtlFindMessage", base, 11, 0x409, 7, entry) == 0xc000_0109)
    #expect(try g.call("LdrAccessResource", information, base + 0x148, place, size) == 0xc000_0089)
  }

  @Test("a table is enumerated like a directory, also when it changes") func directory() throws {
    let g = try RuntimeGuest()
    let (table, element, key, deletions) = (try g.room(0x38), try g.room(4), try g.room(4), try g.room(4))
    var free: UInt64 = try g.room(0x800)
    g.routines[0xf8b0_3000] = { g in
      let (a, b) = (try g.load(g.argument(1)), try g.load(g.argument(2)))
      return a < b ? 0 : a > b ? 1 : 2
    }
    g.routines[0xf8b0_3010] = { _ in
      free += 0x40
      return free - 0x40
    }
    g.routines[0xf8b0_3020] = { _ in 0 }
    // Odd elements are none, and 9 ends it: STATUS_NO_MATCH, STATUS_NO_MORE_MATCHES.
    g.routines[0xf8b0_3030] = { g in
      let value = try g.load(g.argument(1))
      return value == 9 ? 0xc000_0273 : value % 2 == 1 ? 0xc000_0272 : 0
    }
    try g.call("RtlInitializeGenericTableAvl", table, 0xf8b0_3000, 0xf8b0_3010, 0xf8b0_3020, 0)
    func enumerate(from value: UInt32, next: UInt64) throws -> UInt32? {
      try g.store(value, at: element)
      let found = try g.call(
        "RtlEnumerateGenericTableLikeADirectory", table, 0xf8b0_3030, 0, next, key, deletions, element)
      return found == 0 ? nil : try g.load(found)
    }
    try g.store(0, at: key)
    try g.store(0, at: deletions)
    #expect(try enumerate(from: 0, next: 0) == nil)
    for value in [1, 2, 4, 6, 8, 9, 10] as [UInt32] {
      try g.store(value, at: element)
      try g.call("RtlInsertElementGenericTableAvl", table, element, 4, 0)
    }
    try g.store(0, at: key)
    #expect(try enumerate(from: 0, next: 0) == 2 && enumerate(from: 0, next: 1) == 4)
    // Its own place is gone: the element that the caller knows leads on.
    try g.store(4, at: element)
    try g.call("RtlDeleteElementGenericTableAvl", table, element)
    #expect(try enumerate(from: 4, next: 1) == 6 && enumerate(from: 6, next: 1) == 8 && enumerate(from: 8, next: 1) == nil)
  }
}
