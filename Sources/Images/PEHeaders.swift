import Guest

/// The headers of one PE32 file, in the ranges that everything after them relies on.
struct PEHeaders {
  /// An optional header data directory (PE/COFF specification, “Optional Header Data Directories”).
  enum Directory: Int, CaseIterable {
    case exports = 0
    case imports = 1
    case relocations = 5
    case debug = 6
    case loadConfiguration = 10

    var title: String {
      switch self {
      case .exports: "export directory"
      case .imports: "import directory"
      case .relocations: "base relocation table"
      case .debug: "debug directory"
      case .loadConfiguration: "load configuration"
      }
    }
  }

  /// A row of the section table (PE/COFF specification, “Section Table”).
  struct Section {
    let name: String
    let header: Int
    let address: UInt32
    /// What it takes in memory: VirtualSize, or SizeOfRawData where that is 0.
    let size: UInt32
    let rawOffset: Int
    let rawSize: Int
    let characteristics: UInt32

    var end: UInt64 { UInt64(address) + UInt64(size) }
    var isReadable: Bool { characteristics & 0x4000_0000 != 0 }
    var isWritable: Bool { characteristics & 0x8000_0000 != 0 }
    var isExecutable: Bool { characteristics & 0x2000_0000 != 0 }
    /// `IMAGE_SCN_MEM_DISCARDABLE`, or the name by which the kernel knows what it may drop after initialisation.
    var isDiscardable: Bool { characteristics & 0x0200_0000 != 0 || name == "INIT" }
  }

  let timestamp: UInt32
  let characteristics: UInt16
  let symbolTable: (offset: Int, count: Int)
  let entryPoint: UInt32
  let imageBase: UInt32
  let sectionAlignment: UInt32
  /// A whole number of pages.
  let imageSize: Int
  let headersSize: Int
  let checksum: UInt32
  let subsystem: UInt16
  let dllCharacteristics: UInt16
  let subsystemVersion: (major: UInt16, minor: UInt16)
  let sections: [Section]
  private let directories: [(address: UInt32, size: UInt32, at: Int)]

  /// In bytes; the largest drivers of the era have a few.
  static let largestImage = 64 << 20
  /// A loader of the era takes no more (PE/COFF specification, “COFF File Header”).
  static let mostSections = 96

  var isLowAligned: Bool { sectionAlignment < 0x1000 }
  var isDLL: Bool { characteristics & 0x2000 != 0 }
  var hasRelocationsStripped: Bool { characteristics & 0x0001 != 0 }

  /// Where a directory lies, and the file offset of the entry that says so; `nil` if it is absent.
  func directory(_ directory: Directory) -> (address: UInt32, size: UInt32, at: Int)? {
    guard directory.rawValue < directories.count, directories[directory.rawValue].address != 0 else { return nil }
    return directories[directory.rawValue]
  }

  init(_ file: FileBytes) throws(PEComplaint) {
    guard file.count >= 2, file.bytes[0] == 0x4d, file.bytes[1] == 0x5a else {
      throw PEComplaint(0, "the file does not begin with “MZ”; expected a PE file such as a driver")
    }
    let start = Int(try file.u32(0x3c, "the DOS header"))
    guard start >= 4, start <= file.count else {
      throw PEComplaint(
        0x3c,
        "the PE header is said to be at 0x\(hex(start, digits: 1)); expected a place in the file of 0x\(hex(file.count, digits: 1)) bytes")
    }
    guard try file.u32(start, "the PE signature") == 0x4550 else {
      throw PEComplaint(start, "there is no PE signature; expected “PE\\0\\0”")
    }

    let coff = start + 4
    let optional = coff + 20
    let machine = try file.u16(coff, "the COFF header")
    try file.need(coff, 20) { "the COFF header" }
    let sectionCount = Int(try file.u16(coff + 2, "the COFF header"))
    timestamp = try file.u32(coff + 4, "the COFF header")
    symbolTable = (Int(try file.u32(coff + 8, "the COFF header")), Int(try file.u32(coff + 12, "the COFF header")))
    let optionalSize = Int(try file.u16(coff + 16, "the COFF header"))
    characteristics = try file.u16(coff + 18, "the COFF header")
    let magic = optionalSize >= 2 ? try file.u16(optional, "the optional header") : 0
    guard magic != 0x20b, machine != 0x8664 else {
      throw PEComplaint(
        coff, "this is a PE32+ file for machine 0x\(hex(machine, digits: 4)): 64-bit drivers do not run yet; expected PE32 for i386")
    }
    guard machine == 0x14c else { throw PEComplaint(coff, "the machine is 0x\(hex(machine, digits: 4)); expected 0x014c, i386") }
    guard characteristics & 0x0002 != 0 else {
      throw PEComplaint(coff + 18, "the file is not marked executable: it is an object file or was not linked; expected an image")
    }
    guard magic == 0x10b else {
      throw PEComplaint(optional, "the optional header's magic is 0x\(hex(magic, digits: 4)); expected 0x010b, PE32")
    }
    guard optionalSize >= 96 else {
      throw PEComplaint(coff + 16, "the optional header has \(optionalSize) bytes; expected at least 96")
    }
    try file.need(optional, optionalSize) { "the optional header" }
    entryPoint = try file.u32(optional + 16, "AddressOfEntryPoint")
    imageBase = try file.u32(optional + 28, "ImageBase")
    sectionAlignment = try file.u32(optional + 32, "SectionAlignment")
    let fileAlignment = try file.u32(optional + 36, "FileAlignment")
    let size = try file.u32(optional + 56, "SizeOfImage")
    headersSize = Int(try file.u32(optional + 60, "SizeOfHeaders"))
    checksum = try file.u32(optional + 64, "CheckSum")
    subsystem = try file.u16(optional + 68, "Subsystem")
    dllCharacteristics = try file.u16(optional + 70, "DllCharacteristics")
    subsystemVersion = (try file.u16(optional + 48, "MajorSubsystemVersion"), try file.u16(optional + 50, "MinorSubsystemVersion"))

    guard imageBase & 0xffff == 0 else {
      throw PEComplaint(optional + 28, "ImageBase is \(hex(imageBase)); expected a multiple of 64 KiB")
    }
    guard sectionAlignment.nonzeroBitCount == 1, fileAlignment.nonzeroBitCount == 1, fileAlignment <= sectionAlignment else {
      throw PEComplaint(
        optional + 32,
        "sections are aligned to 0x\(hex(sectionAlignment, digits: 1)) in memory and 0x\(hex(fileAlignment, digits: 1)) in the file; expected powers of two, the first no smaller"
      )
    }
    guard size > 0, size <= Self.largestImage else {
      throw PEComplaint(optional + 56, "SizeOfImage is 0x\(hex(size, digits: 1)); expected up to 0x\(hex(Self.largestImage, digits: 1))")
    }
    imageSize = Int((UInt64(size) + 0xfff) & ~0xfff)
    guard headersSize <= imageSize else {
      throw PEComplaint(
        optional + 60, "SizeOfHeaders is 0x\(hex(headersSize, digits: 1)); expected at most SizeOfImage, 0x\(hex(imageSize, digits: 1))")
    }
    guard entryPoint < size else {
      throw PEComplaint(
        optional + 16, "the entry point 0x\(hex(entryPoint, digits: 1)) lies outside the image of 0x\(hex(size, digits: 1)) bytes")
    }
    let directoryCount = Swift.min(16, Int(try file.u32(optional + 92, "NumberOfRvaAndSizes")), (optionalSize - 96) / 8)
    var directories: [(address: UInt32, size: UInt32, at: Int)] = []
    for index in 0..<directoryCount {
      let at = optional + 96 + index * 8
      directories.append((try file.u32(at, "the data directories"), try file.u32(at + 4, "the data directories"), at))
    }
    self.directories = directories
    sections = try Self.sections(file, at: optional + optionalSize, count: sectionCount)
  }

  private static func sections(_ file: FileBytes, at table: Int, count: Int) throws(PEComplaint) -> [Section] {
    guard count <= mostSections else {
      throw PEComplaint(table, "the file has \(count) sections; expected at most \(mostSections)")
    }
    try file.need(table, count * 40) { "the section table" }
    var result: [Section] = []
    for index in 0..<count {
      let at = table + index * 40
      let name = String(decoding: file.bytes[at..<at + 8].prefix { $0 > 0x20 && $0 < 0x7f }, as: UTF8.self)
      let (virtualSize, rawSize) = (try file.u32(at + 8, "a section"), try file.u32(at + 16, "a section"))
      result.append(
        Section(
          name: name.isEmpty ? "section\(index + 1)" : name, header: at, address: try file.u32(at + 12, "a section"),
          size: virtualSize == 0 ? rawSize : virtualSize, rawOffset: Int(try file.u32(at + 20, "a section")), rawSize: Int(rawSize),
          characteristics: try file.u32(at + 36, "a section")))
    }
    return result
  }
}
