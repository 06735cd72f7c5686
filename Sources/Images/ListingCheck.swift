import Disassembly
import Guest

extension ListingReader {
  /// The image that the lines describe, once they agree with each other and with what their bytes mean.
  func image(named given: String?) throws(Complaint) -> Image {
    let references = try operandReferences()
    let name = try imageName(given, references)
    var names = try Names(self, image: name)
    if header == nil { try names.learn(references, from: self) }
    let extent = extent(names)
    try checkOrder()
    for item in references { try names.check(item, in: extent, of: name) }
    let layout = try ListingLayout(self, names, extent)
    return Image(
      name: name, base: extent.lowerBound, size: extent.upperBound - extent.lowerBound, sections: layout.sections(),
      symbols: names.symbols.map { .init(address: $0.value, name: $0.key) }, exports: names.exports,
      imports: names.imports.values.sorted { $0.slot < $1.slot }, routines: names.routines, provenance: layout.provenance())
  }

  /// A name that an operand shows beside its address.
  struct OperandReference {
    let line: Int
    let reference: ListingLine.Reference
    let address: UInt64
    /// Whether the operand is the direct target of a call or jump.
    let isTarget: Bool
  }

  /// Decodes every line and compares it with its text.
  private func operandReferences() throws(Complaint) -> [OperandReference] {
    let disassembler = Disassembler(target)
    var result: [OperandReference] = []
    for item in instructions {
      guard let decoded = disassembler.decode(item.bytes, at: item.address) else {
        throw Complaint(item.line, "\(shown(item.bytes)) begins no instruction; the line says “\(item.text.prefix(80))”")
      }
      guard decoded.length == item.bytes.count else {
        throw Complaint(
          item.line, "“\(decoded.text())” takes \(decoded.length) of \(counted(item.bytes.count, "byte")); expected one instruction a line")
      }
      let shownNames = try namesShown(in: item)
      let meant = decoded.text { address in shownNames.first { $0.address == address }?.reference.text }
      guard normalized(meant) == normalized(item.text) else {
        let expected = meant.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        throw Complaint(item.line, "\(shown(item.bytes)) at \(hex(item.address)) means “\(expected)”, not “\(item.text.prefix(80))”")
      }
      result += shownNames.map {
        OperandReference(
          line: item.line, reference: $0.reference, address: $0.address, isTarget: decoded.endsBlock && decoded.memoryOperands.isEmpty)
      }
    }
    return result
  }

  /// Each `name (address)` of the text.
  private func namesShown(in item: Instruction) throws(Complaint) -> [(reference: ListingLine.Reference, address: UInt64)] {
    let pieces = item.text.split(separator: "(", omittingEmptySubsequences: false)
    var result: [(ListingLine.Reference, UInt64)] = []
    for (before, after) in zip(pieces, pieces.dropFirst()) {
      guard let digits = after.split(separator: ")", omittingEmptySubsequences: false).first, digits.utf8.count == 8,
        let address = number(digits)
      else { continue }
      let name = before.split { $0 == " " || $0 == "[" || $0 == "," }.last ?? ""
      guard let reference = ListingLine.Reference(String(name)) else {
        throw Complaint(item.line, "“\(name.prefix(80))” is no symbol; expected a name such as nt!KeStackAttachProcess before (\(digits))")
      }
      result.append((reference, address))
    }
    return result
  }

  private func shown(_ bytes: [UInt8]) -> String { bytes.map { hex($0, digits: 2) }.joined(separator: " ") }

  /// Without case and without the spaces that listings set differently.
  private func normalized(_ text: String) -> String {
    var result = ""
    var pending = false
    for character in text.lowercased() {
      if character == " " {
        pending = !result.isEmpty
      } else {
        let glued = ",[]+*()".contains(character) || result.last.map { ",[+*(".contains($0) } == true
        if pending && !glued { result.append(" ") }
        pending = false
        result.append(character)
      }
    }
    return result
  }

  private func imageName(_ given: String?, _ references: [OperandReference]) throws(Complaint) -> String {
    if let header { return header.value.name }
    if let given {
      guard isName(given) else { throw Complaint(0, "“\(given.prefix(40))” cannot name an image") }
      return given
    }
    guard let first = symbols.first?.value.reference.module ?? references.first?.reference.module else {
      throw Complaint(0, "nothing names the image; expected .image, a symbol line, or a name from the caller")
    }
    return first
  }

  /// What the image spans: as declared, or the pages that an excerpt speaks of.
  private func extent(_ names: Names) -> Range<UInt64> {
    if let header { return header.value.base..<header.value.base + header.value.size }
    var spans: [Range<UInt64>] = []
    for item in instructions { spans.append(item.address..<item.address + UInt64(item.bytes.count)) }
    for item in data { spans.append(item.address..<item.address + UInt64(item.bytes.count)) }
    for item in names.imports.values { spans.append(item.slot..<item.slot + UInt64(target.width.rawValue)) }
    for address in names.routines.values { spans.append(address..<address + ListingLayout.routineSize) }
    let low = spans.map(\.lowerBound).min() ?? 0
    let high = spans.map(\.upperBound).max() ?? 0
    return low & ~0xfff..<Swift.min((high + 0xfff) & ~0xfff, 1 << 32)
  }

  private func checkOrder() throws(Complaint) {
    var end: UInt64?
    for item in instructions {
      if let end, !item.mayFollowGap, item.address != end {
        throw Complaint(
          item.line,
          item.address > end
            ? "after a gap of \(counted(item.address - end, "byte")) comes \(hex(item.address)); expected \(hex(end)), or a symbol line where code is left out"
            : "\(hex(item.address)) lies below the end of the instruction before it; expected \(hex(end))")
      }
      end = item.address + UInt64(item.bytes.count)
    }
  }
}
