import Disassembly
import Guest
import Images

/// Writes sections as lines of a listing.
struct ListingWriter {
  let names: Image
  let traced: Image?
  private(set) var lines: [String] = []
  private var origin: Image.Origin?

  init(names: Image, traced: Image?) {
    self.names = names
    self.traced = traced
  }

  mutating func write(_ section: ELF.Section) throws {
    if section.isExecutable { try writeCode(section) } else { writeData(section) }
  }

  private mutating func writeCode(_ section: ELF.Section) throws {
    let disassembler = Disassembler(.windowsXP_x86)
    var bytes = section.bytes
    for offset in bytes.indices {
      guard let byte = traced?.bytes(at: section.address + UInt64(offset), count: 1)?.first,
        traced?.origin(of: section.address + UInt64(offset)) != nil
      else { continue }
      bytes[offset] = byte
    }
    var offset = 0
    while offset < bytes.count {
      let address = section.address + UInt64(offset)
      // Between two routines the assembler's padding is no code of anyone's.
      if bytes[offset] == 0xcc, let next = paddingEnd(bytes, from: offset, at: section.address) {
        offset = next
        continue
      }
      label(address)
      mark(traced?.origin(of: address) ?? .reconstructed)
      guard let instruction = disassembler.decode(bytes[offset...], at: address) else {
        throw BuildError("\(hex(address)) holds no instruction")
      }
      lines.append(instruction.line { names.symbol(at: $0) })
      offset += instruction.length
    }
  }

  /// Where padding that begins at `offset` ends, if it does so at a label.
  private func paddingEnd(_ bytes: [UInt8], from offset: Int, at base: UInt64) -> Int? {
    guard !symbols(at: base + UInt64(offset)) else { return nil }
    let end = bytes[offset...].firstIndex { $0 != 0xcc } ?? bytes.count
    let next = (offset...end).first { symbols(at: base + UInt64($0)) } ?? end
    return next == bytes.count || symbols(at: base + UInt64(next)) ? next : nil
  }

  private func symbols(at address: UInt64) -> Bool { names.symbols.contains { $0.address == address } }

  private mutating func writeData(_ section: ELF.Section) {
    var start = section.address
    let end = section.address + UInt64(section.bytes.count)
    while start < end {
      label(start)
      mark(.reconstructed)
      let stop = names.symbols.first { $0.address > start }?.address ?? end
      let next = Swift.min(start + 12, stop, end)
      let row = section.bytes[Int(start - section.address)..<Int(next - section.address)]
      lines.append(
        ".data \(hex(start)) " + (section.isWritable ? "writable " : "") + row.map { hex($0, digits: 2) }.joined(separator: " "))
      start = next
    }
  }

  private mutating func label(_ address: UInt64) {
    for symbol in names.symbols where symbol.address == address {
      lines += ["", "\(names.name)!\(symbol.name):"]
    }
  }

  private mutating func mark(_ next: Image.Origin) {
    guard next != origin else { return }
    origin = next
    lines.append("." + next.rawValue)
  }
}
