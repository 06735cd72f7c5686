import Guest
import WindowsTypes

/// A table of paths (`ntifs.h`, opaque): its entries hang one behind the other, the latest first.
struct UNICODE_PREFIX_TABLE: GuestStructure {
  static let name = "_UNICODE_PREFIX_TABLE"
  let NodeTypeCode: Field<Int16>
  let NameLength: Field<Int16>
  let NextPrefixTree: Field<Pointer<UNICODE_PREFIX_TABLE_ENTRY>>
  let LastNextEntry: Field<Pointer<UNICODE_PREFIX_TABLE_ENTRY>>

  static let layouts = Layouts(
    (.windowsXP_x86, 0xc, UNICODE_PREFIX_TABLE(NodeTypeCode: 0x00, NameLength: 0x02, NextPrefixTree: 0x04, LastNextEntry: 0x08)))
}

/// The caller's memory for one path of the table.
struct UNICODE_PREFIX_TABLE_ENTRY: GuestStructure {
  static let name = "_UNICODE_PREFIX_TABLE_ENTRY"
  let NodeTypeCode: Field<Int16>
  let NameLength: Field<Int16>
  let NextPrefixTree: Field<Pointer<UNICODE_PREFIX_TABLE_ENTRY>>
  let Prefix: Field<Pointer<UNICODE_STRING>>

  static let layouts = Layouts(
    (.windowsXP_x86, 0x1c, UNICODE_PREFIX_TABLE_ENTRY(NodeTypeCode: 0x00, NameLength: 0x02, NextPrefixTree: 0x04, Prefix: 0x18)))
}

extension Export {
  /// Tables of paths, asked for the longest that a name begins with.
  static let namePrefixes: [Export] = [
    // nf-ntifs-rtlinitializeunicodeprefix
    export("RtlInitializeUnicodePrefix(PrefixTable)", irql: .apc) { (_, table: Pointer<UNICODE_PREFIX_TABLE>) in
      try table.zero()
      try table.NodeTypeCode.store(0x800)
    },
    // nf-ntifs-rtlinsertunicodeprefix: FALSE where the same path is there already.
    export("RtlInsertUnicodePrefix(PrefixTable, Prefix, PrefixTableEntry)", irql: .apc) {
      (
        _, table: Pointer<UNICODE_PREFIX_TABLE>, prefix: Pointer<UNICODE_STRING>, entry: Pointer<UNICODE_PREFIX_TABLE_ENTRY>
      ) -> UInt8 in
      let units = try prefix.units()
      guard try !table.entries().contains(where: { try $0.Prefix.load().units() == units }) else { return 0 }
      try entry.zero()
      try entry.NodeTypeCode.store(0x801)
      try entry.NameLength.store(Int16(truncatingIfNeeded: units.split(separator: 0x5c).count))
      try entry.Prefix.store(prefix)
      try entry.NextPrefixTree.store(table.NextPrefixTree.load())
      try table.NextPrefixTree.store(entry)
      return 1
    },
    // nf-ntifs-rtlfindunicodeprefix: the longest, whole components only; case counts before the index alone.
    export("RtlFindUnicodePrefix(PrefixTable, FullName, CaseInsensitiveIndex)", irql: .apc) {
      (
        kernel, table: Pointer<UNICODE_PREFIX_TABLE>, name: Pointer<UNICODE_STRING>, index: UInt32
      ) -> Pointer<UNICODE_PREFIX_TABLE_ENTRY> in
      let units = try name.units()
      var best: (length: Int, entry: Pointer<UNICODE_PREFIX_TABLE_ENTRY>) = (-1, Pointer(0, in: kernel.memory.memory))
      for entry in try table.entries() {
        let prefix = try entry.Prefix.load().units()
        guard prefix.count > best.length, prefix.count <= units.count else { continue }
        let isSame = zip(prefix, units).enumerated().allSatisfy { place, pair in
          pair.0 == pair.1 || place >= Int(index) && pair.0.uppercased == pair.1.uppercased
        }
        let isWhole = prefix.count == units.count || units[prefix.count] == 0x5c || prefix.last == 0x5c
        if isSame, isWhole { best = (prefix.count, entry) }
      }
      return best.entry
    },
    // nf-ntifs-rtlnextunicodeprefix
    export("RtlNextUnicodePrefix(PrefixTable, Restart)", irql: .apc) {
      (kernel, table: Pointer<UNICODE_PREFIX_TABLE>, restart: UInt8) -> Pointer<UNICODE_PREFIX_TABLE_ENTRY> in
      let last = try table.LastNextEntry.load()
      let next = try restart != 0 || last.isNull ? table.NextPrefixTree.load() : last.NextPrefixTree.load()
      if !next.isNull { try table.LastNextEntry.store(next) }
      return next
    },
    // nf-ntifs-rtlremoveunicodeprefix
    export("RtlRemoveUnicodePrefix(PrefixTable, PrefixTableEntry)", irql: .apc) {
      (kernel, table: Pointer<UNICODE_PREFIX_TABLE>, entry: Pointer<UNICODE_PREFIX_TABLE_ENTRY>) in
      var place = table.NextPrefixTree
      while case let next = try place.load(), !next.isNull {
        if next == entry {
          try place.store(entry.NextPrefixTree.load())
          break
        }
        place = next.NextPrefixTree
      }
      // An enumeration starts anew.
      if try table.LastNextEntry.load() == entry { try table.LastNextEntry.store(Pointer(0, in: kernel.memory.memory)) }
    },
  ]
}

extension Pointer where Pointee == UNICODE_PREFIX_TABLE {
  fileprivate func entries() throws -> [Pointer<UNICODE_PREFIX_TABLE_ENTRY>] {
    var result: [Pointer<UNICODE_PREFIX_TABLE_ENTRY>] = []
    var entry = try self.NextPrefixTree.load()
    while !entry.isNull, result.count < 1 << 14 {
      result.append(entry)
      entry = try entry.NextPrefixTree.load()
    }
    return result
  }
}
