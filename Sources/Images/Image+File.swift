import Guest

extension Image {
  /// What only a file of an executable format says of an image; a listing has the defaults.
  public struct FileFacts: Sendable {
    /// Whether the image was read from a PE file rather than a listing.
    public var isPortableExecutable: Bool
    /// Where a driver's `DriverEntry`, or what its compiler put before it, begins.
    public var entryPoint: UInt64?
    /// `TimeDateStamp`: seconds since 1970, or a hash in a reproducible build.
    public var timestamp: UInt32
    public var checksum: UInt32
    /// Whether the file is marked as a library: an export driver is.
    public var isDLL: Bool
    /// The words that hold addresses of the image itself; `nil` where it can run at its own base only.
    public var relocations: [UInt64]?
    /// What it exports by number.
    public var ordinals: [UInt32: UInt64]
    /// What it exports that another image holds.
    public var forwarders: [ExportedName: Forwarder]
    /// The word that the loader gives a fresh value.
    public var securityCookie: UInt64?
    /// The whole file.
    public var content: [UInt8] = []
    /// Whether the image asks for its signature to be checked (`IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY`).
    public var forcesIntegrity: Bool
    /// The version of Windows that the linker was told the image is for: 6 and 1 for Windows 7.
    public var subsystemVersion: (major: UInt16, minor: UInt16)?

    public init(
      isPortableExecutable: Bool = false, entryPoint: UInt64? = nil, timestamp: UInt32 = 0, checksum: UInt32 = 0, isDLL: Bool = false,
      relocations: [UInt64]? = nil,
      ordinals: [UInt32: UInt64] = [:], forwarders: [ExportedName: Forwarder] = [:], securityCookie: UInt64? = nil,
      forcesIntegrity: Bool = false, subsystemVersion: (major: UInt16, minor: UInt16)? = nil
    ) {
      self.isPortableExecutable = isPortableExecutable
      self.entryPoint = entryPoint
      self.timestamp = timestamp
      self.checksum = checksum
      self.isDLL = isDLL
      self.relocations = relocations
      self.ordinals = ordinals
      self.forwarders = forwarders
      self.securityCookie = securityCookie
      self.forcesIntegrity = forcesIntegrity
      self.subsystemVersion = subsystemVersion
    }
  }

  /// How one image names what another exports.
  public enum ExportedName: Hashable, Sendable, CustomStringConvertible {
    case name(String)
    case ordinal(UInt32)

    /// Reads `ExFreePool`, or `#12` for a number.
    public init(_ text: String) {
      if text.hasPrefix("#"), let number = UInt32(text.dropFirst()) { self = .ordinal(number) } else { self = .name(text) }
    }
    public var description: String {
      switch self {
      case .name(let name): name
      case .ordinal(let number): "#\(number)"
      }
    }
  }

  /// Where else an export is.
  public struct Forwarder: Hashable, Sendable {
    /// As the debugger names the image: `nt`.
    public let module: String
    public let symbol: ExportedName

    public init(module: String, symbol: ExportedName) {
      self.module = module
      self.symbol = symbol
    }
  }

  /// What an export comes to.
  public enum Export: Hashable, Sendable {
    case address(UInt64)
    case forwarder(Forwarder)
  }

  /// What the image exports as `symbol`, or `nil`.
  public func export(_ symbol: ExportedName) -> Export? {
    if let forwarder = file.forwarders[symbol] { return .forwarder(forwarder) }
    return switch symbol {
    case .name(let name): exports[name].map(Export.address)
    case .ordinal(let number): file.ordinals[number].map(Export.address)
    }
  }

  /// Whether other drivers import from it and its loader calls it by `DllInitialize` and `DllUnload`.
  public var isExportDriver: Bool { file.isDLL || exports["DllInitialize"] != nil || exports["DllUnload"] != nil }

  /// What the debugger calls the module that a file of this name is: the kernel in all its builds is `nt`.
  public static func moduleName(ofFile name: String) -> String {
    var stem = Substring(name)
    for suffix in [".exe", ".sys", ".dll"] where stem.lowercased().hasSuffix(suffix) {
      stem = stem.dropLast(suffix.count)
      break
    }
    return switch stem.lowercased() {
    case "ntoskrnl", "ntkrnlpa", "ntkrnlmp", "ntkrpamp": "nt"
    case "hal", "halacpi", "halaacpi", "halmacpi": "hal"
    case "fltmgr": "fltMgr"
    default: String(stem)
    }
  }

  /// The same image at another base: every address moves, and so does every word that the relocations name.
  ///
  /// - Returns: `nil` where the image cannot move, or would not lie below 4 GiB.
  public func rebased(to newBase: UInt64) -> Image? {
    if newBase == base { return self }
    guard let relocations = file.relocations, newBase + size <= 1 << 32 else { return nil }
    let delta = newBase &- base
    func moved(_ address: UInt64) -> UInt64 { address &+ delta }
    var sections = sections
    // Most relocations follow each other in one section; its bytes are changed in place.
    var bytes = sections.map(\.bytes)
    var current = 0
    for place in relocations {
      if !(sections.indices.contains(current) && sections[current].holds(place, 4)) {
        guard let index = sections.firstIndex(where: { $0.holds(place, 4) }) else { continue }
        current = index
      }
      let offset = Int(place - sections[current].address)
      var value: UInt32 = 0
      for index in (0..<4).reversed() { value = value << 8 | UInt32(bytes[current][offset + index]) }
      value &+= UInt32(truncatingIfNeeded: delta)
      for index in 0..<4 { bytes[current][offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
    }
    for index in sections.indices {
      let old = sections[index]
      sections[index] = Section(
        name: old.name, address: moved(old.address), bytes: bytes[index], isReadable: old.isReadable, isWritable: old.isWritable,
        isExecutable: old.isExecutable, isDiscardable: old.isDiscardable)
      bytes[index] = []
    }
    var file = file
    file.entryPoint = file.entryPoint.map(moved)
    file.securityCookie = file.securityCookie.map(moved)
    file.relocations = relocations.map(moved)
    file.ordinals = file.ordinals.mapValues(moved)
    return Image(
      name: name, base: newBase, size: size, sections: sections,
      symbols: symbols.map { Symbol(address: moved($0.address), name: $0.name) }, exports: exports.mapValues(moved),
      imports: imports.map { Import(module: $0.module, name: $0.name, slot: moved($0.slot)) },
      routines: routines.mapValues(moved),
      provenance: provenance.map { Provenance(start: moved($0.start), end: moved($0.end), origin: $0.origin) }, file: file)
  }
}

extension Image.Section {
  /// Whether `count` bytes at `address` are all in this section.
  func holds(_ address: UInt64, _ count: UInt64) -> Bool {
    address >= self.address && count <= UInt64(bytes.count) && address - self.address <= UInt64(bytes.count) - count
  }
}
