/// Writes PE32 files for tests, right or wrong in any field.
public struct PEBuilder: Sendable {
  public struct Section: Sendable {
    public var name: String
    public var address: UInt32
    public var bytes: [UInt8]
    /// `nil` for as many bytes as there are.
    public var virtualSize: UInt32?
    public var rawSize: UInt32?
    public var rawOffset: UInt32?
    public var characteristics: UInt32

    public init(_ name: String, at address: UInt32, _ bytes: [UInt8], _ characteristics: UInt32, virtualSize: UInt32? = nil) {
      self.name = name
      self.address = address
      self.bytes = bytes
      self.characteristics = characteristics
      self.virtualSize = virtualSize
    }
  }

  public static let code: UInt32 = 0x6000_0020
  public static let data: UInt32 = 0xc000_0040
  public static let constants: UInt32 = 0x4000_0040
  public static let discardable: UInt32 = 0x0200_0000

  public var machine: UInt16 = 0x14c
  public var magic: UInt16 = 0x10b
  public var characteristics: UInt16 = 0x102
  public var timestamp: UInt32 = 0x4802_5a3e
  public var checksum: UInt32 = 0x1234
  public var imageBase: UInt32 = 0x1_0000
  public var sectionAlignment: UInt32 = 0x1000
  public var fileAlignment: UInt32 = 0x200
  public var entryPoint: UInt32 = 0x1000
  public var imageSize: UInt32?
  public var headersSize: UInt32?
  public var sections: [Section]
  /// Address and size, by number.
  public var directories: [Int: (UInt32, UInt32)] = [:]

  public init(_ sections: [Section]) { self.sections = sections }

  private func aligned(_ value: UInt32, _ alignment: UInt32) -> UInt32 {
    let alignment = max(1, alignment)
    return (value + alignment - 1) / alignment * alignment
  }

  public func build() -> [UInt8] {
    var file: [UInt8] = Array("MZ".utf8) + [UInt8](repeating: 0, count: 62)
    file.put(UInt32(0x40), at: 0x3c)
    file += Array("PE\0\0".utf8)
    file.append(machine)
    file.append(UInt16(sections.count))
    file.append(timestamp)
    file.append(UInt32(0))
    file.append(UInt32(0))
    file.append(UInt16(224))
    file.append(characteristics)
    let optional = file.count
    let headers = aligned(UInt32(optional + 224 + 40 * sections.count), fileAlignment)
    let end = sections.map { $0.address &+ ($0.virtualSize ?? UInt32($0.bytes.count)) }.max() ?? 0x1000
    file += [UInt8](repeating: 0, count: 224)
    file.put(magic, at: optional)
    file.put(entryPoint, at: optional + 16)
    file.put(imageBase, at: optional + 28)
    file.put(sectionAlignment, at: optional + 32)
    file.put(fileAlignment, at: optional + 36)
    file.put(imageSize ?? aligned(end & 0xfff_ffff, max(1, sectionAlignment)), at: optional + 56)
    file.put(headersSize ?? headers, at: optional + 60)
    file.put(checksum, at: optional + 64)
    file.put(UInt16(1), at: optional + 68)
    file.put(UInt32(16), at: optional + 92)
    for (index, (address, size)) in directories {
      file.put(address, at: optional + 96 + index * 8)
      file.put(size, at: optional + 100 + index * 8)
    }
    var next = headers
    for section in sections {
      let count = UInt32(section.bytes.count)
      // A file of low alignment is laid out as memory is.
      let offset = section.rawOffset ?? (sectionAlignment < 0x1000 ? section.address : next)
      file += Array(section.name.utf8.prefix(8)) + [UInt8](repeating: 0, count: 8 - min(8, section.name.utf8.count))
      file.append(section.virtualSize ?? count)
      file.append(section.address)
      file.append(section.rawSize ?? aligned(count, fileAlignment))
      file.append(offset)
      file += [UInt8](repeating: 0, count: 12)
      file.append(section.characteristics)
      if section.rawOffset == nil { next = aligned(offset + count, fileAlignment) }
    }
    for section in sections where section.rawOffset == nil {
      let offset = Int(file.word(at: optional + 224 + 40 * (sections.firstIndex { $0.address == section.address } ?? 0) + 20))
      let end = Int(aligned(UInt32(offset + section.bytes.count), fileAlignment))
      if file.count < end { file += [UInt8](repeating: 0, count: end - file.count) }
      file.replaceSubrange(offset..<offset + section.bytes.count, with: section.bytes)
    }
    if file.count < Int(headers) { file += [UInt8](repeating: 0, count: Int(headers) - file.count) }
    return file
  }

  // MARK: Tables

  /// An import table that begins at `address`, and where each slot lies. A name that begins with `#` is a number.
  public static func imports(_ files: [(String, [String])], at address: UInt32) -> (bytes: [UInt8], slots: [String: UInt32]) {
    var bytes = [UInt8](repeating: 0, count: 20 * (files.count + 1))
    var slots: [String: UInt32] = [:]
    for (index, (file, names)) in files.enumerated() {
      var values: [UInt32] = []
      for name in names {
        if name.hasPrefix("#"), let number = UInt32(name.dropFirst()) {
          values.append(0x8000_0000 | number)
        } else {
          values.append(address + UInt32(bytes.count))
          bytes += [0, 0] + Array(name.utf8) + [0]
        }
      }
      bytes.put(address + UInt32(bytes.count), at: index * 20 + 12)
      bytes += Array(file.utf8) + [0]
      bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
      bytes.put(address + UInt32(bytes.count), at: index * 20)
      for value in values + [0] { bytes.append(value) }
      bytes.put(address + UInt32(bytes.count), at: index * 20 + 16)
      for (name, value) in zip(names, values) {
        slots[name] = address + UInt32(bytes.count)
        bytes.append(value)
      }
      bytes.append(UInt32(0))
    }
    return (bytes, slots)
  }

  /// An export table that begins at `address`: names with their addresses, and forwarders with their texts, numbered from 1.
  public static func exports(_ items: [(String, UInt32)], forwarding forwarders: [(String, String)] = [], at address: UInt32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 40)
    let names = items.map(\.0) + forwarders.map(\.0)
    bytes.put(UInt32(1), at: 16)
    bytes.put(UInt32(names.count), at: 20)
    bytes.put(UInt32(names.count), at: 24)
    bytes.put(address + 40, at: 28)
    bytes.put(address + 40 + UInt32(4 * names.count), at: 32)
    bytes.put(address + 40 + UInt32(8 * names.count), at: 36)
    for (_, value) in items { bytes.append(value) }
    bytes += [UInt8](repeating: 0, count: 4 * forwarders.count + 4 * names.count)
    for index in names.indices { bytes.append(UInt16(index)) }
    for (index, name) in names.enumerated() {
      bytes.put(address + UInt32(bytes.count), at: 40 + 4 * names.count + 4 * index)
      bytes += Array(name.utf8) + [0]
    }
    for (index, (_, text)) in forwarders.enumerated() {
      bytes.put(address + UInt32(bytes.count), at: 40 + 4 * (items.count + index))
      bytes += Array(text.utf8) + [0]
    }
    return bytes
  }

  /// One block of HIGHLOW relocations.
  public static func relocations(page: UInt32, _ offsets: [UInt16]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(page)
    bytes.append(UInt32(8 + 2 * (offsets.count + offsets.count % 2)))
    for offset in offsets { bytes.append(0x3000 | offset) }
    if offsets.count % 2 == 1 { bytes.append(UInt16(0)) }
    return bytes
  }
}

extension [UInt8] {
  public mutating func append<Word: FixedWidthInteger>(_ value: Word) {
    Swift.withUnsafeBytes(of: value.littleEndian) { self += Array($0) }
  }
  public mutating func put<Word: FixedWidthInteger>(_ value: Word, at offset: Int) {
    Swift.withUnsafeBytes(of: value.littleEndian) { replaceSubrange(offset..<offset + $0.count, with: Array($0)) }
  }
  public func word(at offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << (8 * UInt32($1)) } }
}
