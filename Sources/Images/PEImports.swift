import Guest

/// What a PE file imports and exports, at relative addresses.
struct PENames {
  struct Import {
    /// As the file names the other one: `ntoskrnl.exe`.
    let file: String
    let symbol: Image.ExportedName
    let slot: UInt64
  }
  private(set) var imports: [Import] = []
  private(set) var exports: [String: UInt64] = [:]
  private(set) var ordinals: [UInt32: UInt64] = [:]
  private(set) var forwarders: [Image.ExportedName: Image.Forwarder] = [:]

  /// A loader's patience: no real driver imports a tenth of it.
  static let mostImports = 16384
  static let mostFiles = 1024
  /// An ordinal has 16 bits.
  static let mostExports = 65536

  private let layout: PELayout
  private let headers: PEHeaders

  init(_ layout: PELayout, _ headers: PEHeaders) throws(PEComplaint) {
    self.layout = layout
    self.headers = headers
    try readImports()
    try readExports()
  }

  /// The offset to blame: where a byte comes from, or else the directory's own entry.
  private func blame(_ address: UInt64, _ directory: PEHeaders.Directory) -> Int? {
    layout.offset(of: address) ?? headers.directory(directory)?.at
  }

  private func located<T>(
    _ address: UInt64, _ directory: PEHeaders.Directory, _ body: () throws(PEComplaint) -> T
  ) throws(PEComplaint) -> T {
    do { return try body() } catch { throw PEComplaint(error.offset ?? blame(address, directory), error.message) }
  }

  /// PE/COFF specification, “Import Directory Table” and “Import Lookup Table”. Delayed and bound imports are left alone: a
  /// driver's loader fills every slot before anything runs.
  private mutating func readImports() throws(PEComplaint) {
    guard let directory = headers.directory(.imports) else { return }
    for index in 0... {
      let at = UInt64(directory.address) + UInt64(index) * 20
      let (lookup, name, table) = try located(at, .imports) { () throws(PEComplaint) in
        (
          try layout.u32(at, "the import directory"), try layout.u32(at + 12, "the import directory"),
          try layout.u32(at + 16, "the import directory")
        )
      }
      guard name != 0, table != 0 else { return }
      guard index < Self.mostFiles else {
        throw PEComplaint(blame(at, .imports), "the import directory does not end; expected at most \(Self.mostFiles) files")
      }
      let file = try located(at + 12, .imports) { () throws(PEComplaint) in try layout.name(UInt64(name), "the name of an imported file") }
      try readLookup(UInt64(lookup == 0 ? table : lookup), table: UInt64(table), of: file, at)
    }
  }

  private mutating func readLookup(_ lookup: UInt64, table: UInt64, of file: String, _ entry: UInt64) throws(PEComplaint) {
    for index in 0... {
      let (place, slot) = (lookup + UInt64(index) * 4, table + UInt64(index) * 4)
      let value = try located(entry, .imports) { () throws(PEComplaint) in try layout.u32(place, "what is imported from \(file)") }
      guard value != 0 else { return }
      guard imports.count < Self.mostImports else {
        throw PEComplaint(blame(place, .imports), "the file imports more than \(Self.mostImports) routines; expected an end of the table")
      }
      guard layout.holds(slot, 4) else {
        throw PEComplaint(
          blame(entry + 16, .imports), "the import slot at 0x\(hex(slot, digits: 1)) for \(file) lies outside the sections; expected inside"
        )
      }
      let symbol: Image.ExportedName =
        if value & 0x8000_0000 != 0 {
          .ordinal(value & 0xffff)
        } else {
          .name(
            try located(place, .imports) { () throws(PEComplaint) in
              try layout.name(UInt64(value) + 2, "the name of a routine that is imported from \(file)")
            })
        }
      imports.append(Import(file: file, symbol: symbol, slot: slot))
    }
  }

  /// PE/COFF specification, “The .edata Section”. An address inside the directory is a forwarder's text.
  private mutating func readExports() throws(PEComplaint) {
    guard let directory = headers.directory(.exports) else { return }
    let at = UInt64(directory.address)
    func field(_ offset: UInt64) throws(PEComplaint) -> UInt32 {
      try located(at, .exports) { () throws(PEComplaint) in try layout.u32(at + offset, "the export directory") }
    }
    let (base, count, names) = (try field(16), Int(try field(20)), Int(try field(24)))
    let (addresses, nameTable, ordinalTable) = (UInt64(try field(28)), UInt64(try field(32)), UInt64(try field(36)))
    guard count <= Self.mostExports, names <= Self.mostExports else {
      throw PEComplaint(
        blame(at + 20, .exports), "the file exports \(Swift.max(count, names)) routines; expected at most \(Self.mostExports)")
    }
    var values: [UInt32] = []
    for index in 0..<count {
      let place = addresses + UInt64(index) * 4
      let value = try located(at + 28, .exports) { () throws(PEComplaint) in try layout.u32(place, "the export address table") }
      values.append(value)
      guard value != 0 else { continue }
      try note(.ordinal(base &+ UInt32(index)), value, directory, place)
    }
    for index in 0..<names {
      let (place, ordinalPlace) = (nameTable + UInt64(index) * 4, ordinalTable + UInt64(index) * 2)
      let name = try located(at + 32, .exports) { () throws(PEComplaint) in
        try layout.name(UInt64(try layout.u32(place, "the export name table")), "an exported name")
      }
      let ordinal = try located(at + 36, .exports) { () throws(PEComplaint) in try layout.u16(ordinalPlace, "the export ordinal table") }
      guard Int(ordinal) < count else {
        throw PEComplaint(
          blame(ordinalPlace, .exports), "\(name) is exported as number \(ordinal) of \(count); expected one of them")
      }
      try note(.name(name), values[Int(ordinal)], directory, place)
    }
  }

  private mutating func note(
    _ symbol: Image.ExportedName, _ value: UInt32, _ directory: (address: UInt32, size: UInt32, at: Int), _ place: UInt64
  ) throws(PEComplaint) {
    guard value &- directory.address >= directory.size else {
      let text = try located(place, .exports) { () throws(PEComplaint) in try layout.name(UInt64(value), "the forwarder of \(symbol)") }
      // `NTOSKRNL.ExFoo` or `NTOSKRNL.#12`; the file's name may hold dots of its own.
      guard let dot = text.lastIndex(of: "."), dot != text.startIndex, text.index(after: dot) != text.endIndex else {
        throw PEComplaint(
          blame(UInt64(value), .exports), "\(symbol) is forwarded to “\(text.prefix(80))”; expected a module, a dot and a name")
      }
      forwarders[symbol] = Image.Forwarder(
        module: Image.moduleName(ofFile: String(text[..<dot])), symbol: Image.ExportedName(String(text[text.index(after: dot)...])))
      return
    }
    guard Int(value) < headers.imageSize else {
      throw PEComplaint(
        blame(place, .exports),
        "\(symbol) is exported at 0x\(hex(value, digits: 1)); expected inside the image of 0x\(hex(headers.imageSize, digits: 1)) bytes")
    }
    switch symbol {
    case .name(let name): exports[name] = UInt64(value)
    case .ordinal(let number): ordinals[number] = UInt64(value)
    }
  }
}
