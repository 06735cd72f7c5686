import Guest

/// One PE file as it lies in memory before relocation: every byte at its relative address.
struct PELayout {
  /// From the image's base, a whole number of pages.
  private(set) var memory: [UInt8]
  /// The sections in the order of their addresses, without those that take no memory.
  let sections: [PEHeaders.Section]
  private let headersSize: Int
  private let isFileLayout: Bool
  private let fileSize: Int

  /// What the mapped memory is made of, by page.
  struct Piece {
    let name: String
    let range: Range<Int>
    let isReadable: Bool
    let isWritable: Bool
    let isExecutable: Bool
    let isDiscardable: Bool
  }

  /// Puts headers and sections where the section table says.
  ///
  /// Of a section the file's bytes come first, as far as the pages reach that VirtualSize needs; zeros follow. An image whose
  /// sections are aligned to less than a page is a single mapping of the file (PE/COFF specification, SectionAlignment).
  init(_ file: FileBytes, _ headers: PEHeaders) throws(PEComplaint) {
    fileSize = file.count
    headersSize = Swift.min(headers.headersSize, file.count)
    isFileLayout = headers.isLowAligned
    let pageMask: UInt64 = headers.isLowAligned ? 0 : 0xfff
    sections = headers.sections.filter { $0.size > 0 }.sorted { ($0.address, $0.header) < ($1.address, $1.header) }
    var end: UInt64 = 0
    for section in sections {
      guard UInt64(section.address) & pageMask == 0 else {
        throw PEComplaint(
          section.header + 12, "section \(section.name) is at 0x\(hex(section.address, digits: 1)); expected the start of a page")
      }
      guard section.end <= headers.imageSize else {
        throw PEComplaint(
          section.header + 8,
          "section \(section.name) ends at 0x\(hex(section.end, digits: 1)); expected inside the image of 0x\(hex(headers.imageSize, digits: 1)) bytes"
        )
      }
      guard UInt64(section.address) >= end else {
        throw PEComplaint(
          section.header + 12,
          "section \(section.name) at 0x\(hex(section.address, digits: 1)) overlaps what ends at 0x\(hex(end, digits: 1)); expected one after the other"
        )
      }
      end = (section.end + pageMask) & ~pageMask
      guard
        section.rawSize == 0 || section.rawOffset == 0
          || section.rawOffset <= file.count && section.rawSize <= file.count - section.rawOffset
      else {
        throw PEComplaint(
          section.header + 16,
          "the bytes of section \(section.name), 0x\(hex(section.rawOffset, digits: 1)) to 0x\(hex(section.rawOffset + section.rawSize, digits: 1)), do not end in the file of 0x\(hex(file.count, digits: 1)) bytes"
        )
      }
      guard !headers.isLowAligned || section.rawSize == 0 || section.rawOffset == Int(section.address) else {
        throw PEComplaint(
          section.header + 20,
          "section \(section.name) is at 0x\(hex(section.rawOffset, digits: 1)) in the file and 0x\(hex(section.address, digits: 1)) in memory; expected the same place where SectionAlignment is below a page"
        )
      }
    }
    if let first = sections.first, !headers.isLowAligned, headersSize > first.address {
      throw PEComplaint(
        first.header + 12,
        "section \(first.name) at 0x\(hex(first.address, digits: 1)) overlaps the headers of 0x\(hex(headersSize, digits: 1)) bytes")
    }
    memory = [UInt8](repeating: 0, count: headers.imageSize)
    guard !headers.isLowAligned else {
      let count = Swift.min(file.count, memory.count)
      memory.replaceSubrange(0..<count, with: file.bytes[0..<count])
      return
    }
    memory.replaceSubrange(0..<headersSize, with: file.bytes[0..<headersSize])
    for section in sections where section.rawSize > 0 && section.rawOffset > 0 {
      let pages = Int((UInt64(section.size) + 0xfff) & ~0xfff)
      let (count, start) = (Swift.min(section.rawSize, pages), Int(section.address))
      memory.replaceSubrange(start..<start + count, with: file.bytes[section.rawOffset..<section.rawOffset + count])
    }
  }

  /// The memory in runs of one protection each: the headers, then each section to the end of its last page.
  var pieces: [Piece] {
    guard !isFileLayout else {
      return [
        Piece(name: "image", range: 0..<memory.count, isReadable: true, isWritable: true, isExecutable: true, isDiscardable: false)
      ]
    }
    var result: [Piece] = []
    let headersEnd = (headersSize + 0xfff) & ~0xfff
    if headersEnd > 0 {
      result.append(
        Piece(name: "headers", range: 0..<headersEnd, isReadable: true, isWritable: false, isExecutable: false, isDiscardable: false))
    }
    for section in sections {
      let end = Swift.min(memory.count, Int((section.end + 0xfff) & ~0xfff))
      result.append(
        Piece(
          name: section.name, range: Int(section.address)..<end, isReadable: section.isReadable, isWritable: section.isWritable,
          isExecutable: section.isExecutable, isDiscardable: section.isDiscardable))
    }
    return result
  }

  /// Whether `size` bytes at the relative address `address` are mapped.
  func holds(_ address: UInt64, _ size: UInt64) -> Bool {
    guard address <= memory.count, size <= UInt64(memory.count) - address else { return false }
    if isFileLayout || address + size <= (headersSize + 0xfff) & ~0xfff { return true }
    return sections.contains { address >= $0.address && address + size <= ($0.end + 0xfff) & ~0xfff }
  }

  /// Where in the file the byte at a relative address comes from; `nil` for zeros and outside.
  func offset(of address: UInt64) -> Int? {
    if isFileLayout || address < headersSize { return address < fileSize ? Int(address) : nil }
    guard let section = sections.first(where: { address >= $0.address && address - UInt64($0.address) < $0.rawSize }) else { return nil }
    return section.rawOffset + Int(address - UInt64(section.address))
  }

  func u16(_ address: UInt64, _ what: @autoclosure () -> String) throws(PEComplaint) -> UInt16 {
    try need(address, 2, what)
    let place = Int(address)
    return UInt16(memory[place]) | UInt16(memory[place + 1]) << 8
  }

  func u32(_ address: UInt64, _ what: @autoclosure () -> String) throws(PEComplaint) -> UInt32 {
    try need(address, 4, what)
    let place = Int(address)
    return UInt32(memory[place]) | UInt32(memory[place + 1]) << 8 | UInt32(memory[place + 2]) << 16 | UInt32(memory[place + 3]) << 24
  }

  /// In bytes: what a kernel exports has a tenth of it.
  private static let longestName = 512

  /// The printable, zero-terminated name at a relative address.
  func name(_ address: UInt64, _ what: @autoclosure () -> String) throws(PEComplaint) -> String {
    try need(address, 1, what)
    let text = memory[Int(address)..<Swift.min(memory.count, Int(address) + Self.longestName)].prefix { $0 != 0 }
    guard text.endIndex < memory.count, text.count < Self.longestName else {
      throw PEComplaint(offset(of: address), "\(what()) does not end; expected a zero within \(Self.longestName) bytes")
    }
    guard !text.isEmpty, text.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw PEComplaint(offset(of: address), "\(what()) is no name; expected printable characters")
    }
    return String(decoding: text, as: UTF8.self)
  }

  func need(_ address: UInt64, _ size: UInt64, _ what: () -> String) throws(PEComplaint) {
    guard address <= memory.count, size <= UInt64(memory.count) - address else {
      throw PEComplaint(
        nil, "\(what()) is said to be at 0x\(hex(address, digits: 1)); expected inside the image of 0x\(hex(memory.count, digits: 1)) bytes"
      )
    }
  }
}
