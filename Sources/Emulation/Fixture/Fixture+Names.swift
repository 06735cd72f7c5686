extension Fixture {
  /// A place in kernel memory: an address, a symbol of an image, or something the fixture names.
  public enum Place: Hashable, Sendable {
    case address(UInt64)
    /// `module!name`, or with an offset `module!name+0x1c`.
    case symbol(module: String, name: String, offset: UInt64)
    /// A value or a named region of the kernel's memory, or with an offset `name+0x1c`.
    case named(String, offset: UInt64)
    /// Where the pointer at a place points: `poi(name+0x8)+0x24`, as the debugger writes it.
    indirect case pointee(Place, offset: UInt64)

    /// Reads `0x8042d0a0`, `nt!Foo`, `nt!Foo+0x1c`, `name`, `name+0x1c`, or `poi(…)+0x24` around one of these; nil where `text`
    /// is none of these.
    public init?(text: String) { self.init(text: text, depth: 0) }

    private init?(text: String, depth: Int) {
      if text.hasPrefix("poi(") {
        guard let end = text.lastIndex(of: ")"), depth < 8 else { return nil }
        let rest = text[text.index(after: end)...]
        guard let inner = Place(text: String(text[..<end].dropFirst(4)), depth: depth + 1) else { return nil }
        guard let offset = rest.isEmpty ? 0 : rest.first == "+" ? Self.hexadecimal(rest.dropFirst()) : nil else { return nil }
        self = .pointee(inner, offset: offset)
        return
      }
      if text.hasPrefix("0x") {
        guard let address = Self.hexadecimal(text) else { return nil }
        self = .address(address)
        return
      }
      var name = Substring(text)
      var offset: UInt64 = 0
      if let plus = text.lastIndex(of: "+") {
        guard let value = Self.hexadecimal(text[text.index(after: plus)...]) else { return nil }
        offset = value
        name = text[..<plus]
      }
      let parts = name.split(separator: "!", omittingEmptySubsequences: false)
      guard !parts.contains(where: { $0.isEmpty || $0.contains(where: \.isWhitespace) }) else { return nil }
      switch parts.count {
      case 1 where parts[0].first?.isNumber == false: self = .named(String(parts[0]), offset: offset)
      case 2: self = .symbol(module: String(parts[0]), name: String(parts[1]), offset: offset)
      default: return nil
      }
    }

    /// The value of `0x` and up to 16 hexadecimal digits.
    static func hexadecimal(_ text: some StringProtocol) -> UInt64? {
      let digits = text.dropFirst(2)
      guard text.hasPrefix("0x"), !digits.isEmpty, digits.utf8.count <= 16, digits.allSatisfy({ $0.isHexDigit && $0.isASCII })
      else { return nil }
      return UInt64(digits, radix: 16)
    }
  }

  /// A status or bugcheck code, by its Windows name or by number.
  public enum Code: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, CustomStringConvertible {
    case name(String)
    case number(UInt32)

    public init(stringLiteral name: String) { self = .name(name) }
    public init(integerLiteral number: UInt32) { self = .number(number) }

    public var description: String {
      switch self {
      case .name(let name): name
      case .number(let number): "0x" + String(number, radix: 16)
      }
    }
  }

  /// What a call passes.
  public enum Argument: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    /// The bits of a number; a negative one in two's complement.
    case integer(UInt64)
    case boolean(Bool)
    /// A status by name: `STATUS_SUCCESS`.
    case status(String)
    /// The process object.
    case process(String)
    /// The thread object.
    case thread(String)
    /// What an earlier call returned.
    case result(String)
    /// The address of a symbol, of a value, or of a named region.
    case place(Place)
    /// A constant of the interface, a key of ``Fixture/constants``.
    case constant(String)
    /// The address of a counted string (`UNICODE_STRING`) that holds this text.
    case text(String)
    /// The address of the `FLT_CALLBACK_DATA` that describes this operation.
    indirect case operation(Operation)

    public init(integerLiteral value: Int) { self = .integer(UInt64(bitPattern: Int64(value))) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
  }

  /// The constants that arguments may name, with their values.
  public static let constants: [String: UInt64] = [
    "IoReadAccess": 0, "IoWriteAccess": 1, "IoModifyAccess": 2,
    "KernelMode": 0, "UserMode": 1,
    "MmNonCached": 0, "MmCached": 1, "MmWriteCombined": 2, "MmHardwareCoherentCached": 3,
    "LowPagePriority": 0, "NormalPagePriority": 16, "HighPagePriority": 32,
    "NonPagedPool": 0, "PagedPool": 1, "NonPagedPoolMustSucceed": 2, "NonPagedPoolCacheAligned": 4,
    "PagedPoolCacheAligned": 5,
    "NotificationEvent": 0, "SynchronizationEvent": 1,
    "NULL": 0,
  ]
}

extension Fixture.Place: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, CustomStringConvertible {
  /// Stops the program where the literal is not a place: ``init(text:)`` is for text that comes from outside.
  public init(stringLiteral text: String) {
    guard let place = Self(text: text) else { preconditionFailure("“\(text)” is neither an address nor module!symbol+0x…") }
    self = place
  }
  public init(integerLiteral address: UInt64) { self = .address(address) }

  public var description: String {
    func suffix(_ offset: UInt64) -> String { offset == 0 ? "" : "+0x" + String(offset, radix: 16) }
    return switch self {
    case .address(let address): "0x" + String(address, radix: 16)
    case .symbol(let module, let name, let offset): module + "!" + name + suffix(offset)
    case .named(let name, let offset): name + suffix(offset)
    case .pointee(let place, let offset): "poi(\(place))" + suffix(offset)
    }
  }
}
