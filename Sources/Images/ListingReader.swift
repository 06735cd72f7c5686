import Guest

extension Image {
  /// Reads a WinDbg listing, with or without directives.
  ///
  /// Every line's bytes are decoded and must mean what the line's text says; every name must fit its address. A bare excerpt,
  /// without `.image`, makes an image of the pages that it touches, named after `name` or else after its own symbols.
  /// `images/README.md` describes the format.
  /// - Parameter file: what an error calls the listing.
  public init(
    listing: some Collection<UInt8>, named name: String? = nil, file: String = "listing", target: Target = .windowsXP_x86
  ) throws(ListingError) {
    do {
      self = try ListingReader(listing, target).image(named: name)
    } catch {
      throw ListingError(file: file, line: error.line, message: error.message)
    }
  }

  public init(
    listing: String, named name: String? = nil, file: String = "listing", target: Target = .windowsXP_x86
  ) throws(ListingError) {
    try self.init(listing: listing.utf8, named: name, file: file, target: target)
  }
}

/// Collects the lines of one listing; ``image(named:)`` checks them against each other.
struct ListingReader {
  struct Instruction {
    let line: Int
    let address: UInt64
    let bytes: [UInt8]
    let text: String
    let origin: Image.Origin
    /// Whether the line before it says that something may be missing.
    let mayFollowGap: Bool
  }
  struct Data {
    let line: Int
    let address: UInt64
    let bytes: [UInt8]
    let origin: Image.Origin
    let isWritable: Bool
  }
  struct Named<Value> {
    let line: Int
    let value: Value
  }

  let target: Target
  var header: Named<(name: String, base: UInt64, size: UInt64)>?
  var instructions: [Instruction] = []
  var data: [Data] = []
  var symbols: [Named<(reference: ListingLine.Reference, address: UInt64)>] = []
  var imports: [Named<Image.Import>] = []
  var exports: [Named<(name: String, address: UInt64)>] = []
  var routines: [Named<(name: String, address: UInt64)>] = []

  private var origin = Image.Origin.traced
  private var mayFollowGap = true
  /// Symbol lines that the next line's address will answer.
  private var open: [Named<ListingLine.Reference>] = []

  /// In bytes: far above any listing that a person made, far below what would exhaust a machine.
  static let longest = 16 << 20
  static let longestLine = 4096

  init(_ bytes: some Collection<UInt8>, _ target: Target) throws(Complaint) {
    self.target = target
    guard !bytes.isEmpty else { throw Complaint(0, "the listing is empty; expected lines such as “f84cc35b 50 push eax”") }
    guard bytes.count <= Self.longest else {
      throw Complaint(0, "the listing has \(bytes.count) bytes; expected at most \(Self.longest)")
    }
    var number = 0
    for raw in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard raw.count <= Self.longestLine else {
        throw Complaint(number, "the line has \(raw.count) bytes; expected at most \(Self.longestLine)")
      }
      guard let line = String(validating: raw, as: UTF8.self) else { throw Complaint(number, "the line is not UTF-8 text") }
      try add(ListingLine(line, number: number), number)
    }
    if let left = open.first {
      throw Complaint(left.line, "nothing follows the symbol line “\(left.value.text):”; expected an instruction or data")
    }
    guard !instructions.isEmpty || !data.isEmpty || !routines.isEmpty else {
      throw Complaint(0, "the listing shows no instruction; expected lines such as “f84cc35b 50 push eax”")
    }
  }

  private mutating func add(_ line: ListingLine, _ number: Int) throws(Complaint) {
    switch line {
    case .nothing: break
    case .symbol(let reference):
      open.append(Named(line: number, value: reference))
      mayFollowGap = true
    case .instruction(let address, let bytes, let text):
      try answer(address)
      instructions.append(
        Instruction(line: number, address: address, bytes: bytes, text: text, origin: origin, mayFollowGap: mayFollowGap))
      mayFollowGap = false
    case .directive(let name, let arguments):
      try obey(Directive(name, arguments, number))
      mayFollowGap = true
    }
  }

  private mutating func answer(_ address: UInt64) throws(Complaint) {
    for item in open {
      guard item.value.offset <= address else {
        throw Complaint(item.line, "“\(item.value.text):” stands before \(hex(address)), which is below that offset")
      }
      symbols.append(Named(line: item.line, value: (item.value, address - item.value.offset)))
    }
    open = []
  }

  private mutating func obey(_ directive: Directive) throws(Complaint) {
    let line = directive.line
    switch directive.name {
    case ".image":
      try directive.expect(3...3, "a name, a base and a size")
      if let header { throw Complaint(line, "a second .image; the first is in line \(header.line)") }
      let (name, base, size) = (try directive.name(0), try directive.number(1), try directive.number(2))
      guard base.isMultiple(of: 0x1000), size > 0, base + size <= 1 << 32 else {
        throw Complaint(line, "an image of \(hex(size)) bytes cannot lie at \(hex(base)); expected whole pages below 4 GB")
      }
      header = Named(line: line, value: (name, base, size))
    case ".traced", ".reconstructed":
      try directive.expect(0...0, "nothing")
      origin = directive.name == ".traced" ? .traced : .reconstructed
    case ".import":
      try directive.expect(2...2, "a slot and a name such as nt!IoThreadToProcess")
      let slot = try directive.number(0)
      guard let reference = ListingLine.Reference(directive.arguments[1]), reference.offset == 0 else {
        throw Complaint(line, "“\(directive.arguments[1])” is no import; expected a name such as nt!IoThreadToProcess")
      }
      imports.append(Named(line: line, value: .init(module: reference.module, name: reference.name, slot: slot)))
    case ".export":
      try directive.expect(2...2, "a name and an address")
      exports.append(Named(line: line, value: (try directive.name(0), try directive.number(1))))
    case ".routine":
      try directive.expect(2...2, "an address and a name")
      routines.append(Named(line: line, value: (try directive.name(1), try directive.number(0))))
    case ".data":
      try directive.expect(2...1024, "an address, perhaps “writable”, and bytes")
      let address = try directive.number(0)
      let isWritable = directive.arguments[1] == "writable"
      var bytes: [UInt8] = []
      for word in directive.arguments[(isWritable ? 2 : 1)...] {
        guard let more = ListingLine.bytes(word) else {
          throw Complaint(line, "“\(word)” is no data; expected pairs of hexadecimal digits")
        }
        bytes += more
      }
      guard !bytes.isEmpty else { throw Complaint(line, ".data has no bytes; expected pairs of hexadecimal digits") }
      try answer(address)
      data.append(Data(line: line, address: address, bytes: bytes, origin: origin, isWritable: isWritable))
    default:
      throw Complaint(line, "unknown directive “\(directive.name.prefix(40))”\(suggestion(for: directive.name, among: Directive.all))")
    }
  }
}

/// A directive and its arguments, which it hands out checked.
private struct Directive {
  let name: String
  let arguments: [String]
  let line: Int

  static let all = [".image", ".traced", ".reconstructed", ".import", ".export", ".routine", ".data"]

  init(_ name: String, _ arguments: [String], _ line: Int) {
    self.name = name
    self.arguments = arguments
    self.line = line
  }

  func expect(_ count: ClosedRange<Int>, _ what: String) throws(Complaint) {
    guard count.contains(arguments.count) else {
      throw Complaint(line, "\(name) has \(counted(arguments.count, "argument")); expected \(what)")
    }
  }
  func number(_ index: Int) throws(Complaint) -> UInt64 {
    guard let value = Images.number(arguments[index]) else {
      throw Complaint(line, "“\(arguments[index].prefix(40))” is no address or size; expected up to 8 hexadecimal digits")
    }
    return value
  }
  func name(_ index: Int) throws(Complaint) -> String {
    guard isName(arguments[index]) else {
      throw Complaint(line, "“\(arguments[index].prefix(40))” is no name; expected letters, digits and _ @ ? $ . -")
    }
    return arguments[index]
  }
}
