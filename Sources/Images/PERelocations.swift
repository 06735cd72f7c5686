import Guest

/// The words of a PE file that hold addresses of the image itself.
enum PERelocations {
  /// Many times what the largest drivers have.
  static let most = 1 << 20

  /// Relative addresses, ascending within each block; `nil` where the linker left them out.
  ///
  /// PE/COFF specification, “The .reloc Section”: blocks of a page address, a size and entries of a type in 4 bits and an
  /// offset in 12. An i386 file holds ABSOLUTE entries, which pad, and HIGHLOW ones.
  static func read(_ layout: PELayout, _ headers: PEHeaders) throws(PEComplaint) -> [UInt64]? {
    if headers.hasRelocationsStripped { return nil }
    guard let directory = headers.directory(.relocations) else { return [] }
    guard directory.size <= layout.memory.count, layout.holds(UInt64(directory.address), UInt64(directory.size)) else {
      throw PEComplaint(
        directory.at,
        "the base relocation table at 0x\(hex(directory.address, digits: 1)) of 0x\(hex(directory.size, digits: 1)) bytes lies outside the sections; expected inside"
      )
    }
    var result: [UInt64] = []
    var at = UInt64(directory.address)
    let end = at + UInt64(directory.size)
    while at + 8 <= end {
      let blame = layout.offset(of: at) ?? directory.at
      let (page, size) = (UInt64(try layout.u32(at, "a relocation block")), UInt64(try layout.u32(at + 4, "a relocation block")))
      // Padding behind the last block is zero.
      if size == 0 && page == 0 { break }
      guard size >= 8, size.isMultiple(of: 2), at + size <= end else {
        throw PEComplaint(blame + 4, "a relocation block has \(size) bytes; expected 8 or more, within the table")
      }
      for entry in stride(from: at + 8, to: at + size, by: 2) {
        let value = try layout.u16(entry, "a relocation")
        let place = page + UInt64(value & 0xfff)
        switch value >> 12 {
        case 0: continue
        case 3:
          guard layout.holds(place, 4) else {
            throw PEComplaint(
              layout.offset(of: entry) ?? blame, "a relocation is for 0x\(hex(place, digits: 1)), outside the sections; expected inside")
          }
          guard result.count < most else {
            throw PEComplaint(blame, "the file has more than \(most) relocations; expected an end of the table")
          }
          result.append(place)
        default:
          throw PEComplaint(
            layout.offset(of: entry) ?? blame,
            "a relocation is of type \(value >> 12); expected 3 (HIGHLOW) or 0 (ABSOLUTE), as i386 files have")
        }
      }
      at += size
    }
    return result
  }
}
