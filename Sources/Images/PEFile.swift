import FoundationEssentials
import Guest

extension Image {
  /// Reads a PE32 file for i386, as the kernel's loader maps a driver (PE/COFF specification).
  ///
  /// The image is at the base that it prefers; ``rebased(to:)`` moves it.
  /// - Parameters:
  ///   - name: what the debugger calls it, without extension.
  ///   - file: what an error calls the file.
  ///   - origin: whose code it is.
  ///   - database: the bytes of the linker's program database, if there is one for this very file.
  public init(
    portableExecutable bytes: [UInt8], named name: String, file: String = "image", origin: Origin = .traced,
    database: ProgramDatabase? = nil
  ) throws(PEError) {
    do {
      self = try PEReader(bytes, database).image(named: name, origin)
    } catch {
      throw PEError(file: file, offset: error.offset, message: error.message)
    }
  }

  /// Reads the PE32 file at `path`, and the names from the `.pdb` of the same name beside it if that belongs to it.
  public init(contentsOfPortableExecutable path: String, named name: String, origin: Origin = .traced) throws(PEError) {
    func fail(_ message: String) -> PEError { PEError(file: path, offset: nil, message: message) }
    let bytes: [UInt8]
    do { bytes = try HostFile.bytes(path, limit: PEHeaders.largestImage) } catch { throw fail(error.message) }
    try self.init(
      portableExecutable: bytes, named: name, file: path, origin: origin, database: ProgramDatabase(beside: path))
  }

  /// Whether `bytes` are those of a PE file rather than a listing.
  public static func isPortableExecutable(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: [0x4d, 0x5a]) }
}

/// Puts one file's parts together.
private struct PEReader {
  let file: FileBytes
  let headers: PEHeaders
  let layout: PELayout
  let names: PENames
  let relocations: [UInt64]?
  let database: ProgramDatabase?

  init(_ bytes: [UInt8], _ database: ProgramDatabase?) throws(PEComplaint) {
    guard bytes.count <= PEHeaders.largestImage else {
      throw PEComplaint(nil, "the file has \(bytes.count) bytes; expected at most \(PEHeaders.largestImage)")
    }
    file = FileBytes(bytes)
    headers = try PEHeaders(file)
    layout = try PELayout(file, headers)
    names = try PENames(layout, headers)
    relocations = try PERelocations.read(layout, headers)
    self.database = database
  }

  func image(named name: String, _ origin: Image.Origin) throws(PEComplaint) -> Image {
    let base = UInt64(headers.imageBase)
    guard base + UInt64(headers.imageSize) <= 1 << 32 else {
      throw PEComplaint(
        nil, "an image of 0x\(hex(headers.imageSize, digits: 1)) bytes cannot lie at \(hex(base)); expected below 4 GiB")
    }
    let pieces = layout.pieces
    let sections = pieces.map {
      Image.Section(
        name: $0.name, address: base + UInt64($0.range.lowerBound), bytes: Array(layout.memory[$0.range]),
        isReadable: $0.isReadable, isWritable: $0.isWritable, isExecutable: $0.isExecutable, isDiscardable: $0.isDiscardable)
    }
    let imports = names.imports.map {
      Image.Import(module: Image.moduleName(ofFile: $0.file), name: $0.symbol.description, slot: base + $0.slot)
    }
    var facts = Image.FileFacts(
      isPortableExecutable: true, entryPoint: headers.entryPoint == 0 ? nil : base + UInt64(headers.entryPoint),
      timestamp: headers.timestamp,
      checksum: headers.checksum, isDLL: headers.isDLL, relocations: relocations?.map { base + $0 },
      ordinals: names.ordinals.mapValues { base + $0 }, forwarders: names.forwarders, securityCookie: securityCookie(),
      forcesIntegrity: headers.dllCharacteristics & 0x80 != 0, subsystemVersion: headers.subsystemVersion)
    facts.content = file.bytes
    return Image(
      name: name, base: base, size: UInt64(headers.imageSize), sections: sections, symbols: symbols(base),
      exports: names.exports.mapValues { base + $0 }, imports: imports,
      provenance: layout.sections.map {
        .init(start: base + UInt64($0.address), end: base + Swift.min($0.end, UInt64(headers.imageSize)), origin: origin)
      },
      file: facts)
  }

  /// The program database's names where there is one, else the symbol table's, and `DriverEntry` for the entry point if neither
  /// knows it.
  private func symbols(_ base: UInt64) -> [Image.Symbol] {
    var found: [Image.Symbol] = []
    if let database, let signature = PEDebug.signature(layout, headers), database.signature == signature {
      found = database.publicSymbols.compactMap { symbol in
        if symbol.section == 0 {
          return Int(symbol.offset) < headers.imageSize ? .init(address: UInt64(symbol.offset), name: symbol.name) : nil
        }
        guard symbol.section <= headers.sections.count,
          symbol.offset < headers.sections[symbol.section - 1].size
        else { return nil }
        return .init(address: UInt64(headers.sections[symbol.section - 1].address) + UInt64(symbol.offset), name: symbol.name)
      }
    }
    if found.isEmpty { found = PESymbols.read(file, headers) }
    if headers.entryPoint != 0, !found.contains(where: { $0.name == "DriverEntry" }), names.exports["DriverEntry"] == nil {
      found.append(.init(address: UInt64(headers.entryPoint), name: "DriverEntry"))
    }
    return Set(found).map { .init(address: base + $0.address, name: $0.name) }
  }

  /// Where the load configuration says that the stack cookie lies (PE/COFF specification, “The Load Configuration Structure”);
  /// `nil` if it says nothing, or a place outside the image, which Windows ignores.
  private func securityCookie() -> UInt64? {
    guard let directory = headers.directory(.loadConfiguration) else { return nil }
    let at = UInt64(directory.address)
    guard let size = try? layout.u32(at, ""), size >= 0x40, let cookie = try? layout.u32(at + 0x3c, ""), cookie >= headers.imageBase,
      layout.holds(UInt64(cookie - headers.imageBase), 4)
    else { return nil }
    return UInt64(cookie)
  }
}
