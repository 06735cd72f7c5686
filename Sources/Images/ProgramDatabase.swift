import Guest

/// The public symbols of a linker's program database (`.pdb`).
///
/// The container and its streams are described in LLVM's “The PDB File Format” (MSF file, PDB info stream, DBI stream). Types
/// and source lines are not read.
public struct ProgramDatabase: Sendable {
  public struct PublicSymbol: Hashable, Sendable {
    public let name: String
    /// Counted from 1, as the image's section table does; 0 where ``offset`` counts from the image's base.
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
      let symbols = Int(try debug.u16(20, "the debug information stream"))
      let found = symbols == 0xffff ? [] : try Self.publicSymbols(FileBytes(streams.stream(symbols, "the symbol stream")))
      publicSymbols = try AddressMap(debug, streams)?.moved(found) ?? found
    } catch {
      throw PEError(file: file, offset: error.offset, message: error.message)
    }
  }

  private static func signature(_ info: FileBytes) throws(PEComplaint) -> [UInt8] {
    try info.need(12, 16) { "the info stream" }
    return Array(info.bytes[12..<28])
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
