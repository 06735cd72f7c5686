import Guest
import NTKernel

extension Fixture {
  /// A routine that a run is to take for one that returns at once: the YAML key `stubs`.
  public struct Stub: Hashable, Sendable {
    /// As the debugger names it, `nt`; nil for whichever module it is imported from.
    public var module: String?
    public var name: String
    /// What it pops, in bytes; nil for what its documentation says, and for nothing where that is not known.
    public var stackBytes: Int?
    /// What it returns.
    public var value: Code
    public var origin: Origin

    public init(_ name: String, in module: String? = nil, stackBytes: Int? = nil, returning value: Code = 0, origin: Origin = nil) {
      self.module = module
      self.name = name
      self.stackBytes = stackBytes
      self.value = value
      self.origin = origin
    }

    /// Reads `ZwFoo`, `nt!ZwFoo` or `ZwFoo@12`; nil where `text` is none of these.
    public init?(text: String, returning value: Code, origin: Origin = nil) {
      let parts = text.split(separator: "!", omittingEmptySubsequences: false).map(String.init)
      guard parts.count <= 2, let last = parts.last else { return nil }
      let pieces = last.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
      let bytes = pieces.count == 2 ? Int(pieces[1]) : nil
      guard pieces.count == 1 || bytes.map({ $0 >= 0 && $0 <= 256 && $0 % 4 == 0 }) == true, parts.count == 1 || !parts[0].isEmpty,
        !pieces[0].isEmpty, text.utf8.count <= 512, text.allSatisfy({ $0.isASCII && !$0.isWhitespace })
      else { return nil }
      self.init(pieces[0], in: parts.count == 2 ? parts[0] : nil, stackBytes: bytes, returning: value, origin: origin)
    }

    /// Whether an import of `module!name` is this routine.
    func stands(for name: String, in module: String) -> Bool {
      self.name == name && (self.module.map { $0.lowercased() == module.lowercased() } ?? true)
    }
  }
}

extension FixtureReader {
  func readStubs(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Stub] {
    var stubs: [Fixture.Stub] = []
    for (key, value) in try node.entries() {
      let text = try key.text()
      guard let stub = Fixture.Stub(text: text, returning: try names.code(value, prefix: "STATUS_"), origin: key.origin) else {
        throw key.error("\(quoted(text)) names no routine: write ZwFoo, nt!ZwFoo, or ZwFoo@12 for one that pops 12 bytes")
      }
      stubs.append(stub)
    }
    return stubs
  }
}
