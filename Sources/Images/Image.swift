import Guest

/// Guest code with its names: a traced listing, or a file that Windows would load.
public struct Image: Sendable {
  /// As the debugger names it, without extension: `fltMgr`.
  public let name: String
  /// Where its first byte lies.
  public let base: UInt64
  /// In bytes, from ``base``.
  public let size: UInt64
  /// In the order of their addresses; they do not overlap.
  public let sections: [Section]
  /// What its own names stand for, in the order of their addresses.
  public let symbols: [Symbol]
  /// What other images can import from it.
  public let exports: [String: UInt64]
  public let imports: [Import]
  /// Addresses in this image that stand for a routine which the run provides.
  public let routines: [String: UInt64]
  /// Where each byte of code or data comes from, in the order of addresses. Bytes in no range are padding.
  public let provenance: [Provenance]
  private let lookup: [Symbol]

  public init(
    name: String, base: UInt64, size: UInt64, sections: [Section], symbols: [Symbol], exports: [String: UInt64] = [:],
    imports: [Import] = [], routines: [String: UInt64] = [:], provenance: [Provenance] = []
  ) {
    self.name = name
    self.base = base
    self.size = size
    self.sections = sections.sorted { $0.address < $1.address }
    self.symbols = symbols.sorted()
    self.exports = exports
    self.imports = imports
    self.routines = routines
    self.provenance = provenance.sorted { $0.start < $1.start }
    // Of several names at one address the image's own symbol is the best, then what it exports.
    var best: [UInt64: String] = [:]
    for symbol in symbols.sorted() where best[symbol.address] == nil { best[symbol.address] = symbol.name }
    for (name, address) in exports.sorted(by: { $0.key < $1.key }) where best[address] == nil { best[address] = name }
    for (name, address) in routines.sorted(by: { $0.key < $1.key }) where best[address] == nil { best[address] = name }
    for item in imports where best[item.slot] == nil { best[item.slot] = item.symbol }
    lookup = best.map { Symbol(address: $0.key, name: $0.value) }.sorted()
  }

  /// Whether `address` is inside, mapped or not.
  public func contains(_ address: UInt64) -> Bool { address >= base && address - base < size }

  /// `fltMgr!FltLockUserBuffer+0x86`: the nearest name at or below `address`, or `nil` outside the image.
  public func symbol(at address: UInt64) -> String? {
    guard contains(address) else { return nil }
    guard let nearest = lookup.last(notAbove: address, by: \.address) else {
      return address == base ? name : "\(name)+0x\(hex(address - base, digits: 1))"
    }
    let offset = address - nearest.address
    return "\(name)!\(nearest.name)" + (offset == 0 ? "" : "+0x\(hex(offset, digits: 1))")
  }

  /// What the image itself calls `name`: a symbol, an export, a routine or an import slot.
  public func address(of name: String) -> UInt64? {
    symbols.first { $0.name == name }?.address ?? exports[name] ?? routines[name]
      ?? imports.first { $0.symbol == name }?.slot
  }

  /// Where the byte at `address` comes from, or `nil` if it is padding or outside.
  public func origin(of address: UInt64) -> Origin? {
    guard let range = provenance.last(notAbove: address, by: \.start), address < range.end else { return nil }
    return range.origin
  }

  /// Where `code`, met at `address` in a run, comes from; `nil` also where it is not what the image holds there.
  public func origin(of code: [UInt8], at address: UInt64) -> Origin? {
    bytes(at: address, count: code.count).map { $0.elementsEqual(code) } == true ? origin(of: address) : nil
  }

  /// `count` bytes at `address`, or `nil` where one section does not hold them all.
  public func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
    guard let section = sections.last(notAbove: address, by: \.address), count >= 0,
      address - section.address <= UInt64(section.bytes.count)
    else { return nil }
    let start = Int(address - section.address)
    guard count <= section.bytes.count - start else { return nil }
    return section.bytes[start..<start + count]
  }
}

extension Image {
  /// A range of memory that the image brings.
  public struct Section: Sendable {
    public let name: String
    public let address: UInt64
    public let bytes: [UInt8]
    public let isReadable: Bool
    public let isWritable: Bool
    public let isExecutable: Bool
    /// Whether it may go once the image is initialised.
    public let isDiscardable: Bool

    public init(
      name: String, address: UInt64, bytes: [UInt8], isReadable: Bool = true, isWritable: Bool = false,
      isExecutable: Bool = false, isDiscardable: Bool = false
    ) {
      self.name = name
      self.address = address
      self.bytes = bytes
      self.isReadable = isReadable
      self.isWritable = isWritable
      self.isExecutable = isExecutable
      self.isDiscardable = isDiscardable
    }
    public var end: UInt64 { address &+ UInt64(bytes.count) }
  }

  public struct Symbol: Hashable, Comparable, Sendable {
    public let address: UInt64
    /// Without the image's own name.
    public let name: String

    public init(address: UInt64, name: String) {
      self.address = address
      self.name = name
    }
    public static func < (a: Self, b: Self) -> Bool { (a.address, a.name) < (b.address, b.name) }
  }

  /// A routine or variable of another image, whose address the loader writes to a slot.
  public struct Import: Hashable, Sendable {
    /// As the debugger names the exporting image: `nt`.
    public let module: String
    public let name: String
    /// Where the loader writes the address.
    public let slot: UInt64

    public init(module: String, name: String, slot: UInt64) {
      self.module = module
      self.name = name
      self.slot = slot
    }
    /// What the debugger calls the slot: `_imp__IoThreadToProcess`.
    public var symbol: String { "_imp__" + name }
  }

  /// Where bytes come from.
  public enum Origin: String, Sendable {
    /// A listing or file that shows real code.
    case traced
    /// Ours, made so that traced code can run.
    case reconstructed
  }

  public struct Provenance: Hashable, Sendable {
    public let start: UInt64
    public let end: UInt64
    public let origin: Origin

    public init(start: UInt64, end: UInt64, origin: Origin) {
      self.start = start
      self.end = end
      self.origin = origin
    }
  }
}

extension Array {
  /// The last element whose key is not above `limit`, in an array that is sorted by the key.
  func last(notAbove limit: UInt64, by key: KeyPath<Element, UInt64>) -> Element? {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle][keyPath: key] <= limit { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : self[low - 1]
  }
}
