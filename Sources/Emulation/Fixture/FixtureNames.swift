import Guest

/// The names that a fixture gives, and what each stands for.
struct FixtureNames {
  enum Meaning: String {
    case process, thread, section, value, result
    case region = "named region"
  }

  private var meanings: [String: (meaning: Meaning, line: Int?)] = [:]
  private var identifiers: [UInt32: (name: String, line: Int?)] = [:]
  private static let reserved: Set<String> = ["any", "true", "false", "null"]

  /// The names with one of these meanings, sorted.
  func names(_ wanted: Meaning...) -> [String] {
    meanings.filter { wanted.contains($0.value.meaning) }.keys.sorted()
  }

  /// Gives the name that `node` spells a meaning, which it must not have yet.
  mutating func define(_ node: FixtureNode, as meaning: Meaning) throws(FixtureError) -> String {
    let name = try node.text()
    guard name.utf8.count <= 128, name.first?.isWhitespace == false, name.last?.isWhitespace == false,
      name.unicodeScalars.allSatisfy({ $0.properties.isAlphabetic || ("0"..."9").contains($0) || " ._-".unicodeScalars.contains($0) }),
      FixtureNode.plainNumber(name) == nil
    else { throw node.error("\(quoted(name)) cannot name a \(meaning.rawValue): use letters, digits, “.”, “_”, “-”") }
    if Self.reserved.contains(name) || Fixture.constants[name] != nil || name.hasPrefix("STATUS_") {
      throw node.error("\(quoted(name)) cannot name a \(meaning.rawValue): it has a meaning of its own")
    }
    if let other = meanings[name] {
      let place = other.line.map { " (line \($0))" } ?? ""
      throw node.error("\(quoted(name)) already names a \(other.meaning.rawValue)\(place)")
    }
    meanings[name] = (meaning, node.line)
    return name
  }

  /// Takes an identifier for the process or thread `name`; the two kinds share one table.
  mutating func identify(_ node: FixtureNode, _ name: String) throws(FixtureError) -> UInt32 {
    let id = UInt32(truncatingIfNeeded: try node.count(upTo: 0x7fff_fffc))
    if id == 0 || id % 4 != 0 { throw node.error("the identifier \(id) is not a multiple of 4, as Windows’ identifiers are") }
    if let other = identifiers[id] {
      let place = other.line.map { " (line \($0))" } ?? ""
      throw node.error("the identifier \(id) is already that of \(quoted(other.name))\(place)")
    }
    identifiers[id] = (name, node.line)
    return id
  }

  func meaning(of name: String) -> Meaning? { meanings[name]?.meaning }

  /// The name that `node` spells, which must have this meaning.
  func check(_ node: FixtureNode, is wanted: Meaning) throws(FixtureError) -> String {
    let name = try node.text()
    if let meaning = meaning(of: name) {
      if meaning == wanted { return name }
      throw node.error("\(quoted(name)) is a \(meaning.rawValue), and \(quoted(node.role)) takes a \(wanted.rawValue)")
    }
    throw node.unknown("\(wanted.rawValue) \(quoted(name))", name, among: names(wanted))
  }

  /// A place in kernel memory whose names are known.
  func place(_ node: FixtureNode) throws(FixtureError) -> Fixture.Place {
    let text = try node.text()
    if text.first?.isHexDigit == true, text.count >= 6, text.allSatisfy(\.isHexDigit), meaning(of: text) == nil {
      throw node.error("an address needs 0x: write 0x\(text)")
    }
    guard let place = Fixture.Place(text: text) else {
      throw node.error("\(quoted(text)) is no place: write 0x8042d0a0, module!routine or module!routine+0x1c")
    }
    var root = place
    while case .pointee(let inner, _) = root { root = inner }
    if case .named(let name, _) = root, ![.value, .region, .result].contains(meaning(of: name)) {
      throw node.unknown("place \(quoted(name)) (an image's is module!routine)", name, among: names(.value, .region, .result))
    }
    return place
  }

  /// A status or bugcheck code, by its Windows name or by number.
  func code(_ node: FixtureNode, prefix: String = "") throws(FixtureError) -> Fixture.Code {
    let text = try node.text()
    if text.first?.isNumber == true { return .number(UInt32(truncatingIfNeeded: try node.word(upTo: 0xffff_ffff))) }
    guard text.hasPrefix(prefix), text.count > prefix.count, text.first != "_",
      text.utf8.allSatisfy({ (65...90).contains($0) || (48...57).contains($0) || $0 == 95 })
    else {
      let example = prefix.isEmpty ? "IRQL_NOT_LESS_OR_EQUAL or 0xa" : prefix + "ACCESS_VIOLATION or 0xc0000005"
      throw node.error("\(quoted(node.role)) takes a code such as \(example), not \(node.described)")
    }
    return .name(text)
  }

  func irql(_ node: FixtureNode) throws(FixtureError) -> Fixture.IRQL {
    let text = try node.text()
    if let level = Fixture.IRQL.names.firstIndex(of: text) { return Fixture.IRQL(rawValue: UInt8(level)) }
    if text.first?.isNumber == true {
      return Fixture.IRQL(rawValue: UInt8(truncatingIfNeeded: try node.count(upTo: UInt64(Fixture.IRQL.highest))))
    }
    throw node.unknown("IRQL \(quoted(text))", text, among: Fixture.IRQL.names + ["a number"])
  }

  // MARK: Arguments

  func argument(_ node: FixtureNode) throws(FixtureError) -> Fixture.Argument {
    if node.isMapping { return try compoundArgument(node) }
    let text = try node.text()
    switch meaning(of: text) {
    case .process: return .process(text)
    case .thread: return .thread(text)
    case .result: return .result(text)
    case .value, .region: return .place(.named(text, offset: 0))
    case .section: throw node.error("\(quoted(text)) is a section, which no call takes")
    case nil: break
    }
    if text == "true" || text == "false" { return .boolean(text == "true") }
    if Fixture.constants[text] != nil { return .constant(text) }
    if text.hasPrefix("STATUS_"), case .name(let name) = try code(node, prefix: "STATUS_") { return .status(name) }
    if text.contains("!") || text.contains("+0x") || text.hasPrefix("poi(") { return .place(try place(node)) }
    if text.hasPrefix("-"), FixtureNode.plainNumber(text.dropFirst()) != nil, let value = Int64(text) {
      return .integer(UInt64(bitPattern: value))
    }
    if text.first?.isNumber == true || text.utf8.count >= 8 && text.allSatisfy(\.isHexDigit) {
      return .integer(try node.word(upTo: .max))
    }
    let known = names(.process, .thread, .value, .region, .result) + Fixture.constants.keys.sorted()
    let suggestion = nearest(text, among: known).map { " (did you mean \(quoted($0))?)" } ?? ""
    throw node.error(
      "unknown argument \(quoted(text)): neither a number, true, false, STATUS_…, module!symbol, a constant nor a name of this fixture"
        + suggestion)
  }

  private func compoundArgument(_ node: FixtureNode) throws(FixtureError) -> Fixture.Argument {
    if try node.entries().contains(where: { $0.value.role == "text" }) {
      return .text(try node.fields(.textArgument).required("text").text())
    }
    return .operation(try operation(node, what: "an argument is a value, {text: …} or", among: ["text"]))
  }

  /// The one operation in `node`: `{write: {…}}`.
  func operation(_ node: FixtureNode, what: String, among others: [String] = []) throws(FixtureError) -> Fixture.Operation {
    let entries = try node.entries()
    guard entries.count == 1, let (key, value) = entries.first else {
      throw node.error("\(what) one operation such as {write: {…}}")
    }
    guard let kind = Fixture.Operation.Kind(rawValue: value.role) else {
      throw key.unknown("operation \(quoted(value.role))", value.role, among: others + KeyTable.operations.keys)
    }
    return try operation(kind, value)
  }

  private func operation(_ kind: Fixture.Operation.Kind, _ node: FixtureNode) throws(FixtureError) -> Fixture.Operation {
    let fields = try node.fields(.operation)
    var operation = Fixture.Operation(kind)
    if !kind.isControl {
      try fields.refuse(["input", "input-length", "code", "method"], because: "\(quoted(kind.rawValue)) is no control operation")
    }
    if fields["code"] != nil { try fields.refuse(["method"], because: "the low two bits of “code” are the method") }
    operation.buffer = try fields["buffer"]?.address()
    operation.length = try fields["length"].map { node throws(FixtureError) in try node.small() }
    operation.input = try fields["input"]?.address()
    operation.inputLength = try fields["input-length"].map { node throws(FixtureError) in try node.small() }
    operation.code = try fields["code"].map { node throws(FixtureError) in UInt32(try node.word(upTo: 0xffff_ffff)) }
    if let method = try fields["method"]?.word(Fixture.Operation.Method.self) {
      operation.code = Fixture.Operation.code(of: method)
    }
    operation.requestor = try fields["requestor"].map { node throws(FixtureError) in try check(node, is: .thread) }
    operation.process = try fields["process"].map { node throws(FixtureError) in try check(node, is: .process) }
    operation.mdl = try fields["mdl"].map { node throws(FixtureError) in
      meaning(of: try node.text()) == .result ? try node.text() : try check(node, is: .value)
    }
    operation.mode = try fields["mode"]?.word(Fixture.Operation.Mode.self) ?? .user
    operation.minor = try fields["minor"].map { node throws(FixtureError) in UInt8(try node.count(upTo: 0xff)) }
    operation.flags = try flags(fields["flags"])
    operation.isFastIO = try fields["fast-io"]?.boolean() ?? false
    operation.isPostOperation = try fields["post-operation"]?.boolean() ?? false
    operation.hasSystemBuffer = try fields["system-buffer"]?.boolean() ?? false
    return operation
  }

  private func flags(_ node: FixtureNode?) throws(FixtureError) -> [String] {
    guard let node else { return [] }
    let known =
      Fixture.Operation.callbackFlags.keys.sorted() + Fixture.Operation.irpFlags.keys.sorted()
      + Fixture.Operation.stackFlags.keys.sorted()
    var flags: [String] = []
    for element in try node.list() {
      let flag = try element.text()
      if !known.contains(flag) { throw element.unknown("flag \(quoted(flag))", flag, among: known) }
      if flags.contains(flag) { throw element.error("\(quoted(flag)) is given twice") }
      flags.append(flag)
    }
    return flags
  }
}

extension FixtureNode {
  /// A number of bytes below 4 GiB.
  func small() throws(FixtureError) -> UInt32 {
    guard let size = UInt32(exactly: try size()) else { throw error("\(quoted(role)) is at most 0xffffffff, not \(described)") }
    return size
  }
}

extension Fixture.Operation {
  /// The control code of a private device's function 0x800 with this transfer method.
  static func code(of method: Method) -> UInt32 { 0x22_2000 | UInt32(Method.allCases.firstIndex(of: method) ?? 0) }
}
