import Guest

/// The public symbols of a linker's program database (`.pdb`).
///
/// The container and its streams are described in LLVM's “The PDB File Format” (MSF file, PDB info stream, DBI stream). Types
/// and source lines are not read.
public struct ProgramDatabase: Sendable {
  public struct PublicSymbol: Hashable, Sendable {
    public let name: String
    /// Counted from 1, as the image's section table does.
    public let section: Int
    /// In bytes, from the section's start.
    public let offset: UInt32
  }

  /// The 16 bytes that the image it belongs to carries as well.
  public let signature: [UInt8]
  public let publicSymbols: [PublicSymbol]

  /// In bytes; databases that one would put beside a driver have a few million.
  static let largest = 256 << 20

  /// Reads the database beside `path`, `driver.pdb` for `driver.sys`; `nil` where there is none that can be read.
  init?(beside path: String) {
    let stem = path.lastIndex(of: ".").map { String(path[..<$0]) } ?? path
    guard let bytes = try? HostFile.bytes(stem + ".pdb", limit: Self.largest) else { return nil }
    try? self.init(bytes, file: stem + ".pdb")
  }

  /// - Parameter file: what an error calls the database.
  public init(_ bytes: [UInt8], file: String = "database") throws(PEError) {
    do {
      let streams = try MultiStreamFile(FileBytes(bytes))
      signature = try Self.signature(FileBytes(streams.stream(1, "the info stream")))
      let debug = FileBytes(try streams.stream(3, "the debug information stream"))
      try Self.refuseReorderedCode(debug)
      let symbols = Int(try debug.u16(20, "the debug information stream"))
      publicSymbols = symbols == 0xffff ? [] : try Self.publicSymbols(FileBytes(streams.stream(symbols, "the symbol stream")))
    } catch {
      throw PEError(file: file, offset: error.offset, message: error.message)
    }
  }

  private static func signature(_ info: FileBytes) throws(PEComplaint) -> [UInt8] {
    try info.need(12, 16) { "the info stream" }
    return Array(info.bytes[12..<28])
  }

  /// A database whose image was reordered after linking holds the addresses of before; a table then leads to those of now.
  private static func refuseReorderedCode(_ debug: FileBytes) throws(PEComplaint) {
    var at = 64
    for field in [24, 28, 32, 36, 40, 52] { at += Int(try debug.u32(field, "the debug information stream")) }
    let size = Int(try debug.u32(48, "the debug information stream"))
    guard size >= 10, at <= debug.count, size <= debug.count - at else { return }
    if try debug.u16(at + 8, "the debug header") != 0xffff {
      throw PEComplaint(nil, "the database is of an image that was reordered after linking; expected one that was not")
    }
  }

  /// Records of a length, a kind and a body; `S_PUB32` (110Eh) is flags, offset, section and name.
  private static func publicSymbols(_ records: FileBytes) throws(PEComplaint) -> [PublicSymbol] {
    var result: [PublicSymbol] = []
    var at = 0
    while at + 4 <= records.count {
      let length = Int(try records.u16(at, "a symbol"))
      guard length >= 2, at + 2 + length <= records.count else {
        throw PEComplaint(nil, "a symbol has \(length) bytes; expected 2 or more, within its stream")
      }
      if try records.u16(at + 2, "a symbol") == 0x110e, length > 12 {
        let text = records.bytes[(at + 14)..<(at + 2 + length)].prefix { $0 != 0 }
        if let name = PESymbols.undecorated(text) {
          result.append(
            PublicSymbol(name: name, section: Int(try records.u16(at + 12, "a symbol")), offset: try records.u32(at + 8, "a symbol")))
        }
      }
      at += 2 + length
    }
    return result
  }
}

/// A file of numbered streams, each a list of blocks (LLVM, “The MSF File Format”).
private struct MultiStreamFile {
  private let file: FileBytes
  private let blockSize: Int
  private var streams: [(size: Int, table: Int)] = []
  private let directory: FileBytes

  private static let magic = Array("Microsoft C/C++ MSF 7.00\r\n\u{1a}DS\0\0\0".utf8)

  init(_ file: FileBytes) throws(PEComplaint) {
    self.file = file
    guard file.bytes.starts(with: Self.magic) else {
      throw PEComplaint(0, "the file does not begin as a program database; expected “Microsoft C/C++ MSF 7.00”")
    }
    blockSize = Int(try file.u32(32, "the superblock"))
    guard [512, 1024, 2048, 4096, 8192, 16384, 32768].contains(blockSize) else {
      throw PEComplaint(32, "blocks have \(blockSize) bytes; expected a power of two from 512 to 32768")
    }
    let size = Int(try file.u32(44, "the superblock"))
    let map = Int(try file.u32(52, "the superblock")) * blockSize
    let count = (size + blockSize - 1) / blockSize
    guard size <= file.count else { throw PEComplaint(44, "the directory has \(size) bytes, more than the file") }
    var blocks: [UInt32] = []
    for index in 0..<count { blocks.append(try file.u32(map + index * 4, "the directory's block list")) }
    directory = FileBytes(try Self.bytes(of: blocks, size: size, in: file, blockSize))

    let streamCount = Int(try directory.u32(0, "the stream directory"))
    guard streamCount <= 65536 else { throw PEComplaint(nil, "the database has \(streamCount) streams; expected at most 65536") }
    var table = 4 + streamCount * 4
    for index in 0..<streamCount {
      let size = try directory.u32(4 + index * 4, "the stream directory")
      // A stream that was deleted.
      let length = size == .max ? 0 : Int(size)
      streams.append((length, table))
      table += (length + blockSize - 1) / blockSize * 4
    }
  }

  func stream(_ number: Int, _ what: String) throws(PEComplaint) -> [UInt8] {
    guard number < streams.count else { throw PEComplaint(nil, "there is no stream \(number); expected \(what)") }
    let (size, table) = streams[number]
    guard size <= file.count else { throw PEComplaint(nil, "\(what) has \(size) bytes, more than the file") }
    var blocks: [UInt32] = []
    for index in 0..<(size + blockSize - 1) / blockSize { blocks.append(try directory.u32(table + index * 4, what)) }
    return try Self.bytes(of: blocks, size: size, in: file, blockSize)
  }

  private static func bytes(of blocks: [UInt32], size: Int, in file: FileBytes, _ blockSize: Int) throws(PEComplaint) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(size)
    for block in blocks {
      let (start, count) = (Int(block) * blockSize, Swift.min(blockSize, size - result.count))
      guard start <= file.count, count <= file.count - start else {
        throw PEComplaint(nil, "block \(block) lies behind the end of the file of \(file.count) bytes; expected inside")
      }
      result += file.bytes[start..<start + count]
    }
    return result
  }
}
