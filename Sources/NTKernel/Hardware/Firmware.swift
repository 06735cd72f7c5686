/// The BIOS as drivers find it in physical memory, at F0000h: its date and the machine's kind where a PC has them, and what the
/// System Management BIOS tells of the machine (DMTF DSP0134, version 2.3).
enum Firmware {
  /// The first byte's physical address.
  static let base: UInt64 = 0xf_0000

  /// The page of it at a physical address; `nil` where it has none.
  static func page(at physical: UInt64) -> ArraySlice<UInt8>? {
    guard physical >= base, physical < base + UInt64(image.count) else { return nil }
    let start = Int(physical - base) & ~0xfff
    return image[start..<start + 0x1000]
  }

  private static let entryPoint = 0xf0
  private static let tableStart = 0x120

  static let image: [UInt8] = {
    var bytes = [UInt8](repeating: 0, count: 0x1_0000)
    func put(_ values: [UInt8], at offset: Int) { bytes.replaceSubrange(offset..<offset + values.count, with: values) }
    let table = structures.flatMap(\.self)
    put(table, at: tableStart)
    put(anchor(tableLength: table.count, largest: structures.map(\.count).max() ?? 0), at: entryPoint)
    // jmp far F000:E05B, the date, and the model byte of an AT.
    put([0xea, 0x5b, 0xe0, 0x00, 0xf0] + Array("04/13/08".utf8), at: 0xfff0)
    bytes[0xfffe] = 0xfc
    return bytes
  }()

  private static func anchor(tableLength: Int, largest: Int) -> [UInt8] {
    let address = UInt32(base) + UInt32(tableStart)
    func word(_ value: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)] }
    func checked(_ bytes: [UInt8], at index: Int) -> [UInt8] {
      var bytes = bytes
      bytes[index] = 0 &- bytes.reduce(0, &+)
      return bytes
    }
    let intermediate = checked(
      Array("_DMI_".utf8) + [0] + word(tableLength) + (0..<4).map { UInt8(truncatingIfNeeded: address >> (8 * $0)) }
        + word(structures.count) + [0x23], at: 5)
    return checked(
      Array("_SM_".utf8) + [0, 0x1f, 2, 3] + word(largest) + [0] + [UInt8](repeating: 0, count: 5) + intermediate, at: 4)
  }

  private static let structures: [[UInt8]] = [
    // BIOS: vendor, version, segment F000h, date, 64 KB, characteristics not supported.
    structure(0, [1, 2, 0x00, 0xf0, 3, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0], ["PROBELOCK", "1", "04/13/2008"]),
    // System: manufacturer, product, version, serial number, UUID not set, woken by the power switch.
    structure(1, [1, 2, 3, 4] + [UInt8](repeating: 0, count: 16) + [6], ["Probelock", "PC", "1", "0"]),
    // Baseboard.
    structure(2, [1, 2, 3, 4], ["Probelock", "440FX", "1", "0"]),
    // Processor: socket, central, Pentium III, its maker, CPUID's words, 3.3 V, external and greatest and current MHz, populated.
    structure(
      4,
      [1, 3, 0x11, 2, 0x83, 0x06, 0, 0, 0xff, 0xfb, 0x83, 0x03, 3, 0x02, 100, 0, 100, 0, 100, 0, 0x41, 4]
        + [UInt8](repeating: 0xff, count: 6) + [0, 0, 0], ["CPU 0", "GenuineIntel", "Pentium III"]),
    structure(127, [], []),
  ]

  /// Type, length, handle and members, then the strings and a zero.
  private static func structure(_ type: UInt8, _ members: [UInt8], _ strings: [String]) -> [UInt8] {
    [type, UInt8(4 + members.count), type, 0] + members + strings.flatMap { Array($0.utf8) + [0] } + (strings.isEmpty ? [0, 0] : [0])
  }
}
