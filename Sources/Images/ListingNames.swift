import Guest

/// The names of one listing, each with its one address.
struct Names {
  private(set) var symbols: [String: UInt64] = [:]
  private(set) var imports: [String: Image.Import] = [:]
  private(set) var exports: [String: UInt64] = [:]
  private(set) var routines: [String: UInt64] = [:]
  /// Where the listing first speaks of a routine or an import slot.
  private(set) var lines: [String: Int] = [:]

  init(_ reader: ListingReader, image: String) throws(Complaint) {
    for item in reader.symbols {
      let (reference, address) = item.value
      guard reference.module == image else {
        throw Complaint(item.line, "“\(reference.text):” names an address of another image; expected \(image)!…")
      }
      try Self.note(reference.name, address, in: &symbols, item.line)
    }
    for item in reader.routines {
      try Self.note(item.value.name, item.value.address, in: &routines, item.line)
      lines[item.value.name] = item.line
    }
    for item in reader.imports {
      lines[item.value.symbol] = item.line
      guard imports.updateValue(item.value, forKey: item.value.symbol) == nil else {
        throw Complaint(item.line, "\(item.value.name) is imported twice; expected one slot for each routine")
      }
    }
    for item in reader.exports {
      let (name, address) = item.value
      guard let known = symbols[name] ?? routines[name] else {
        let suggestion = suggestion(for: name, among: ([String](symbols.keys) + routines.keys).sorted())
        throw Complaint(item.line, "the listing shows no \(name) that it could export\(suggestion)")
      }
      guard known == address else {
        throw Complaint(item.line, "\(name) is at \(hex(known)), but exported at \(hex(address))")
      }
      try Self.note(name, address, in: &exports, item.line)
    }
  }

  private static func note(_ name: String, _ address: UInt64, in names: inout [String: UInt64], _ line: Int) throws(Complaint) {
    if let known = names.updateValue(address, forKey: name), known != address {
      throw Complaint(line, "\(name) is at \(hex(known)) and at \(hex(address)); expected one address")
    }
  }

  /// Takes an excerpt's word for what it calls: a named slot is an import, a call's named target a routine.
  ///
  /// The excerpt does not say which image a slot is bound to; drivers import from the kernel, so `nt` it is.
  mutating func learn(_ references: [ListingReader.OperandReference], from reader: ListingReader) throws(Complaint) {
    let code = reader.instructions.sorted { $0.address < $1.address }
    for item in references {
      let (name, offset) = (item.reference.name, item.reference.offset)
      if symbols[name] != nil { continue }
      if name.hasPrefix("_imp__"), name.utf8.count > 6, offset == 0, !item.isTarget {
        let found = Image.Import(module: "nt", name: String(name.dropFirst(6)), slot: item.address)
        if let known = imports.updateValue(found, forKey: name), known.slot != found.slot {
          throw Complaint(item.line, "\(name) is at \(hex(known.slot)) and at \(hex(found.slot)); expected one slot")
        }
      } else if item.isTarget, offset == 0, Self.isFree(item.address, of: code) {
        try Self.note(name, item.address, in: &routines, item.line)
      } else if routines[name] == nil, offset <= item.address {
        symbols[name] = item.address - offset
      }
      if lines[name] == nil { lines[name] = item.line }
    }
  }

  /// Whether a routine that the run provides has room at `address`.
  private static func isFree(_ address: UInt64, of code: [ListingReader.Instruction]) -> Bool {
    guard let nearest = code.last(notAbove: address + ListingLayout.routineSize - 1, by: \.address) else { return true }
    return nearest.address + UInt64(nearest.bytes.count) <= address
  }

  /// Checks that an operand's name and address belong together.
  func check(_ item: ListingReader.OperandReference, in extent: Range<UInt64>, of image: String) throws(Complaint) {
    let reference = item.reference
    guard reference.module == image else {
      guard extent.contains(item.address) else { return }
      throw Complaint(item.line, "\(hex(item.address)) lies in \(image), but is called \(reference.text)")
    }
    guard let known = symbols[reference.name] ?? routines[reference.name] ?? imports[reference.name]?.slot else {
      let all = ([String](symbols.keys) + routines.keys + imports.keys).sorted()
      throw Complaint(item.line, "\(image) has no \(reference.name)\(suggestion(for: reference.name, among: all))")
    }
    guard known &+ reference.offset == item.address else {
      throw Complaint(item.line, "\(reference.text) is \(hex(known &+ reference.offset)), not \(hex(item.address))")
    }
  }
}
