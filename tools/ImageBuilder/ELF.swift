import Guest

/// A linked i386 ELF file: the sections that hold code or data, and the symbols.
///
/// It reads what our own linker wrote a moment ago, so whatever it does not expect is a ``BuildError``.
struct ELF {
  struct Section {
    let address: UInt64
    let bytes: [UInt8]
    let isExecutable: Bool
    let isWritable: Bool
  }
  var sections: [Section] = []
  /// Defined in a section; those given on the linker's command line are left out.
  var symbols: [(name: String, address: UInt64)] = []

  init(_ bytes: [UInt8]) throws {
    let file = Bytes(bytes)
    guard try file.range(0, 4) == [0x7f, 0x45, 0x4c, 0x46] else { throw BuildError("the linker's output is no ELF file") }
    let (table, size, count) = (try file.word(32), try file.half(46), try file.half(48))
    for index in 0..<count {
      let entry = table + index * size
      let (type, flags, address) = (try file.word(entry + 4), try file.word(entry + 8), try file.word(entry + 12))
      let (offset, length, link) = (try file.word(entry + 16), try file.word(entry + 20), try file.word(entry + 24))
      if type == 1, flags & 2 != 0, length > 0 {  // SHT_PROGBITS, SHF_ALLOC
        sections.append(
          Section(
            address: UInt64(address), bytes: try file.range(offset, length), isExecutable: flags & 4 != 0,
            isWritable: flags & 1 != 0))
      } else if type == 2 {  // SHT_SYMTAB
        let names = try file.word(table + link * size + 16)
        for symbol in stride(from: offset, to: offset + length, by: 16) {
          let section = try file.half(symbol + 14)
          let name = try file.string(names + file.word(symbol))
          guard section > 0, section < 0xff00, !name.isEmpty, bytes[symbol + 12] & 0xf < 3 else { continue }
          symbols.append((name, UInt64(try file.word(symbol + 4))))
        }
      }
    }
    sections.sort { $0.address < $1.address }
    symbols.sort { ($0.address, $0.name) < ($1.address, $1.name) }
  }
}

/// Little-endian values at offsets that are checked.
private struct Bytes {
  let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func range(_ offset: Int, _ count: Int) throws -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= bytes.count - count else { throw BuildError("the linker's output is cut off") }
    return Array(bytes[offset..<offset + count])
  }
  func word(_ offset: Int) throws -> Int { try range(offset, 4).reversed().reduce(0) { $0 << 8 | Int($1) } }
  func half(_ offset: Int) throws -> Int { try range(offset, 2).reversed().reduce(0) { $0 << 8 | Int($1) } }
  func string(_ offset: Int) throws -> String {
    String(decoding: try range(offset, bytes.count - offset).prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// Why an image cannot be built.
struct BuildError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
