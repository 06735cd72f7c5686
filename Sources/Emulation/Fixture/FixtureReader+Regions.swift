import Guest

extension FixtureReader {
  /// A region of a process's memory, from its address and the keys of a region.
  func readRegion(
    at key: FixtureNode, _ fields: Fields
  ) throws(FixtureError) -> Fixture.Region {
    var region = Fixture.Region(at: try key.pageAddress(), size: 0, origin: key.origin)
    region.kind = try readKind(fields)
    if let node = fields["section"] {
      try readView(node, fields, &region)
    } else {
      try fields.refuse(["offset"], because: "the region has no “section”")
      region.content = try readContent(fields)
      region.size = try readSize(fields, region.content)
    }
    try checkRange(key, region.address, region.size, inKernel: false)
    try checkContent(fields, region.kind)
    region.protection = try readProtection(fields, region.kind)
    if region.kind == .noAccess || region.kind == .reserved || region.kind == .decommitted {
      try fields.refuse(["guard"], because: "the kind \(quoted(region.kind.rawValue)) allows no access")
    }
    region.guard = try fields["guard"]?.boolean() ?? false
    if region.kind != .pagedOut { try fields.refuse(["pager"], because: "only pages of the kind “paged-out” are read in") }
    if let node = fields["pager"] { region.pager = try names.code(node, prefix: "STATUS_") }
    return region
  }

  private func readView(
    _ node: FixtureNode, _ fields: Fields, _ region: inout Fixture.Region
  ) throws(FixtureError) {
    let name = try names.check(node, is: .section)
    let size = sectionSizes[name] ?? 0
    try fields.refuse(KeyTable.contents, because: "the content is that of the section \(quoted(name))")
    if region.kind != .valid && region.kind != .copyOnWrite {
      throw try fields.required("kind").error("a view of a section is “valid” or “copy-on-write”, not “\(region.kind.rawValue)”")
    }
    if let offset = fields["offset"] {
      region.sectionOffset = try offset.size()
      if region.sectionOffset % Fixture.pageSize != 0 || region.sectionOffset >= size {
        throw offset.error("“offset” is whole pages of 0x1000 bytes within the section's 0x\(String(size, radix: 16))")
      }
    }
    region.section = name
    region.size = try fields["size"]?.pages() ?? size - region.sectionOffset
    if region.size > size - region.sectionOffset {
      throw node.error("the section \(quoted(name)) ends after 0x\(String(size, radix: 16)) bytes, before the region does")
    }
  }

  func readKind(_ fields: Fields) throws(FixtureError) -> Fixture.Region.Kind {
    try fields["kind"]?.word(Fixture.Region.Kind.self) ?? .valid
  }

  func readProtection(_ fields: Fields, _ kind: Fixture.Region.Kind) throws(FixtureError) -> Fixture.Protection {
    if kind == .noAccess || kind == .reserved || kind == .decommitted {
      try fields.refuse(["protection"], because: "the kind \(quoted(kind.rawValue)) allows no access")
    }
    return try fields["protection"]?.word(Fixture.Protection.self) ?? .readWrite
  }

  func checkContent(_ fields: Fields, _ kind: Fixture.Region.Kind) throws(FixtureError) {
    if !kind.holdsContent {
      try fields.refuse(KeyTable.contents, because: "pages of the kind \(quoted(kind.rawValue)) hold nothing yet")
    }
  }

  /// The content that an object spells, at most once.
  func readContent(_ fields: Fields) throws(FixtureError) -> Fixture.Content {
    let given = fields.given(KeyTable.contents)
    guard let key = given.first, let node = fields[key] else { return .zeros }
    if given.count > 1 { try fields.refuse([given[1]], because: "the content is given by \(quoted(key))") }
    switch key {
    case "text": return .text(try node.text())
    case "utf16": return .utf16(try node.text())
    case "bytes": return .bytes(try node.bytes())
    case "fill": return .fill(UInt8(truncatingIfNeeded: try node.count(upTo: 0xff)))
    case "u16": return .u16(try words(node, UInt16.self))
    case "u32": return .u32(try words(node, UInt32.self))
    default: return .u64(try words(node, UInt64.self))
    }
  }

  private func words<Word: FixedWidthInteger>(_ node: FixtureNode, _: Word.Type) throws(FixtureError) -> [Word] {
    if node.isScalar { return [Word(truncatingIfNeeded: try node.word(upTo: UInt64(Word.max)))] }
    var words: [Word] = []
    for element in try node.list() { words.append(Word(truncatingIfNeeded: try element.word(upTo: UInt64(Word.max)))) }
    if words.isEmpty { throw node.error("\(quoted(node.role)) has no words") }
    return words
  }

  /// The size in whole pages: as given, or as many as the content takes.
  func readSize(_ fields: Fields, _ content: Fixture.Content) throws(FixtureError) -> UInt64 {
    if let size = try fields["size"]?.pages() {
      try checkFit(fields, content, size)
      return size
    }
    guard let count = content.count, count > 0 else {
      throw fields.node.error("\(fields.table.title) needs “size”, or content that has one")
    }
    return (UInt64(count) + Fixture.pageSize - 1) / Fixture.pageSize * Fixture.pageSize
  }

  func checkFit(_ fields: Fields, _ content: Fixture.Content, _ size: UInt64) throws(FixtureError) {
    if let count = content.count, UInt64(count) > size {
      throw fields.node.error("the content has \(count) bytes, and the size is \(size)")
    }
  }

  /// Refuses a range outside the half of the address space it belongs in.
  func checkRange(_ node: FixtureNode, _ address: UInt64, _ size: UInt64, inKernel: Bool) throws(FixtureError) {
    let limit: UInt64 = target.width == .x86 ? 0xffff_ffff : .max
    let start = String(target.systemRangeStart, radix: 16)
    guard size > 0, address <= limit, size - 1 <= limit - address else {
      throw node.error("the range leaves the address space of \(target.name)")
    }
    if inKernel, address < target.systemRangeStart { throw node.error("kernel memory begins at 0x\(start)") }
    if !inKernel, address + (size - 1) >= target.systemRangeStart {
      throw node.error("a process's memory ends at 0x\(start), where the kernel's begins")
    }
  }

  /// The regions in order of address; throws where two overlap, naming both lines.
  func ordered(_ regions: [(Fixture.Region, FixtureNode)]) throws(FixtureError) -> [Fixture.Region] {
    let sorted = regions.sorted { $0.0.address < $1.0.address }
    for (lower, upper) in zip(sorted, sorted.dropFirst()) where lower.0.address + (lower.0.size - 1) >= upper.0.address {
      let first = (lower.1.line ?? 0) <= (upper.1.line ?? 0)
      let (earlier, later) = first ? (lower, upper) : (upper, lower)
      throw later.1.error(
        "the region at 0x\(String(later.0.address, radix: 16)) overlaps the one at 0x\(String(earlier.0.address, radix: 16))"
          + (earlier.1.line.map { " (line \($0))" } ?? ""))
    }
    return sorted.map(\.0)
  }
}
