import Guest
import WindowsTypes

/// A table of paths in bytes (`ntifs.h`, opaque): its entries hang one behind the other, the latest first.
struct PREFIX_TABLE: GuestStructure {
  static let name = "_PREFIX_TABLE"
  let NodeTypeCode: Field<Int16>
  let NameLength: Field<Int16>
  let NextPrefixTree: Field<Pointer<PREFIX_TABLE_ENTRY>>

  static let layouts = Layouts((.windowsXP_x86, 0x8, PREFIX_TABLE(NodeTypeCode: 0x00, NameLength: 0x02, NextPrefixTree: 0x04)))
}

/// The caller's memory for one path of the table.
struct PREFIX_TABLE_ENTRY: GuestStructure {
  static let name = "_PREFIX_TABLE_ENTRY"
  let NodeTypeCode: Field<Int16>
  let NameLength: Field<Int16>
  let NextPrefixTree: Field<Pointer<PREFIX_TABLE_ENTRY>>
  let Prefix: Field<Pointer<STRING>>

  static let layouts = Layouts(
    (.windowsXP_x86, 0x18, PREFIX_TABLE_ENTRY(NodeTypeCode: 0x00, NameLength: 0x02, NextPrefixTree: 0x04, Prefix: 0x14)))
}

extension Export {
  /// Tables of paths in bytes, asked for the longest that a name begins with.
  static let ansiPrefixes: [Export] = [
    // nf-ntifs-pfxinitialize
    export("PfxInitialize(PrefixTable)", irql: .apc) { (_, table: Pointer<PREFIX_TABLE>) in
      try table.zero()
      try table.NodeTypeCode.store(0x200)
    },
    // nf-ntifs-pfxinsertprefix: FALSE where the same path is there already.
    export("PfxInsertPrefix(PrefixTable, Prefix, PrefixTableEntry)", irql: .apc) {
      (_, table: Pointer<PREFIX_TABLE>, prefix: Pointer<STRING>, entry: Pointer<PREFIX_TABLE_ENTRY>) -> UInt8 in
      let units = try prefix.units()
      guard try !table.entries().contains(where: { try $0.Prefix.load().units() == units }) else { return 0 }
      try entry.zero()
      try entry.NodeTypeCode.store(0x201)
      try entry.NameLength.store(Int16(truncatingIfNeeded: units.split(separator: 0x5c).count))
      try entry.Prefix.store(prefix)
      try entry.NextPrefixTree.store(table.NextPrefixTree.load())
      try table.NextPrefixTree.store(entry)
      return 1
    },
    // nf-ntifs-pfxremoveprefix
    export("PfxRemovePrefix(PrefixTable, PrefixTableEntry)", irql: .apc) {
      (_, table: Pointer<PREFIX_TABLE>, entry: Pointer<PREFIX_TABLE_ENTRY>) in
      var place = table.NextPrefixTree
      while case let next = try place.load(), !next.isNull {
        if next == entry { return try place.store(entry.NextPrefixTree.load()) }
        place = next.NextPrefixTree
      }
    },
    // nf-ntifs-pfxfindprefix: whole components; case counts.
    export("PfxFindPrefix(PrefixTable, FullName)", irql: .apc) {
      (kernel, table: Pointer<PREFIX_TABLE>, name: Pointer<STRING>) -> Pointer<PREFIX_TABLE_ENTRY> in
      let units = try name.units()
      var best: (length: Int, entry: Pointer<PREFIX_TABLE_ENTRY>) = (-1, Pointer(0, in: kernel.memory.memory))
      for entry in try table.entries() {
        let prefix = try entry.Prefix.load().units()
        guard prefix.count > best.length, units.starts(with: prefix) else { continue }
        if prefix.count == units.count || units[prefix.count] == 0x5c || prefix.last == 0x5c { best = (prefix.count, entry) }
      }
      return best.entry
    },
  ]
}

extension Pointer where Pointee == PREFIX_TABLE {
  fileprivate func entries() throws -> [Pointer<PREFIX_TABLE_ENTRY>] {
    var result: [Pointer<PREFIX_TABLE_ENTRY>] = []
    var entry = try self.NextPrefixTree.load()
    while !entry.isNull, result.count < 1 << 14 {
      result.append(entry)
      entry = try entry.NextPrefixTree.load()
    }
    return result
  }
}
