import Guest

/// What a PE file says of the program database that belongs to it.
enum PEDebug {
  /// The signature in the CodeView record `RSDS` (PE/COFF specification, “Debug Directory (Image Only)”); `nil` without one.
  static func signature(_ layout: PELayout, _ headers: PEHeaders) -> [UInt8]? {
    guard let directory = headers.directory(.debug) else { return nil }
    for entry in 0..<Swift.min(16, directory.size / 28) {
      let at = UInt64(directory.address) + UInt64(entry) * 28
      guard let type = try? layout.u32(at + 12, ""), let place = try? layout.u32(at + 20, "") else { return nil }
      guard type == 2, layout.holds(UInt64(place), 24), (try? layout.u32(UInt64(place), "")) == 0x5344_5352 else { continue }
      return Array(layout.memory[Int(place) + 4..<Int(place) + 20])
    }
    return nil
  }
}
