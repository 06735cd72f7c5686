import Guest

extension RuntimeGuest {
  /// An image of 0x400 bytes in memory: its headers, and these words, of which the resource directory begins at offset 0x100.
  func image(withResources tables: [(offset: UInt64, words: [UInt32])]) throws -> UInt64 {
    let base = try room(0x400) & ~7
    try memory.memory.fill(0, count: 0x400, at: base)
    try store16(0x5a4d, at: base)
    try store(0x40, at: base + 0x3c)
    try store(0x4550, at: base + 0x40)
    try store16(0x10b, at: base + 0x58)
    for (offset, value) in [(0x74, 16), (0x88, 0x100), (0x8c, 0x200)] as [(UInt64, UInt32)] { try store(value, at: base + 0x40 + offset) }
    for (offset, words) in tables {
      for (index, word) in words.enumerated() { try store(word, at: base + offset + 4 * UInt64(index)) }
    }
    return base
  }
}
