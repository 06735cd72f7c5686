/// Where the parts of an image went that was reordered after linking, as Windows' own files were.
///
/// Its database holds the addresses of before; a table of pairs leads from each to where it is now, or to 0 if the part is gone
/// (LLVM, “The PDB DBI Stream”, optional debug header: streams 4 and 10).
struct AddressMap {
  /// From, to: relative addresses, ascending in the first.
  private var pairs: [(from: UInt32, to: UInt32)] = []
  /// Where each section was.
  private var sections: [UInt32] = []

  /// `nil` for an image that was not reordered.
  init?(_ debug: FileBytes, _ streams: MultiStreamFile) throws(PEComplaint) {
    var at = 64
    for field in [24, 28, 32, 36, 40, 52] { at += Int(try debug.u32(field, "the debug information stream")) }
    let size = Int(try debug.u32(48, "the debug information stream"))
    guard size >= 22, at <= debug.count, size <= debug.count - at else { return nil }
    let (map, headers) = (Int(try debug.u16(at + 8, "the debug header")), Int(try debug.u16(at + 20, "the debug header")))
    guard map != 0xffff, headers != 0xffff else { return nil }
    let table = FileBytes(try streams.stream(map, "the address map"))
    for row in 0..<table.count / 8 {
      pairs.append((try table.u32(row * 8, "the address map"), try table.u32(row * 8 + 4, "the address map")))
    }
    pairs.sort { $0.from < $1.from }
    let rows = FileBytes(try streams.stream(headers, "the original section headers"))
    for row in 0..<rows.count / 40 { sections.append(try rows.u32(row * 40 + 12, "the original section headers")) }
  }

  /// `symbols` at their addresses of now, without those whose code is gone.
  func moved(_ symbols: [ProgramDatabase.PublicSymbol]) -> [ProgramDatabase.PublicSymbol] {
    symbols.compactMap { symbol in
      guard symbol.section > 0, symbol.section <= sections.count else { return nil }
      let old = sections[symbol.section - 1] &+ symbol.offset
      var (low, high) = (0, pairs.count)
      while low < high {
        let middle = (low + high) / 2
        if pairs[middle].from <= old { low = middle + 1 } else { high = middle }
      }
      guard low > 0, pairs[low - 1].to != 0 else { return nil }
      return .init(name: symbol.name, section: 0, offset: pairs[low - 1].to &+ (old - pairs[low - 1].from))
    }
  }
}
