import Guest
import Yams

/// A node of a fixture's YAML, read by what its place expects.
///
/// Values are read from the scalar's own text, never from YAML's idea of its type: that reads `010` as 8 and `12:30:10` as 45010.
struct FixtureNode {
  let node: Node
  let file: String
  /// What messages call the value: the key it stands under.
  let role: String

  init(_ node: Node, in file: String, role: String) {
    self.node = node
    self.file = file
    self.role = role
  }

  var line: Int? { node.mark?.line }
  var origin: Fixture.Origin { Fixture.Origin(line: line) }

  func error(_ message: String) -> FixtureError {
    FixtureError(message, in: file, line: node.mark?.line, column: node.mark?.column)
  }

  private func child(_ node: Node, _ role: String) -> FixtureNode { FixtureNode(node, in: file, role: role) }

  /// What the node is, for messages.
  var described: String {
    switch node {
    case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : quoted(scalar.string)
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  // MARK: Shapes

  var isScalar: Bool { if case .scalar = node { true } else { false } }
  var isMapping: Bool { if case .mapping = node { true } else { false } }

  /// The scalar's text; where it is not quoted, it is not empty.
  func text() throws(FixtureError) -> String {
    guard case .scalar(let scalar) = node else { throw error("\(quoted(role)) takes one value, not \(described)") }
    if scalar.string.isEmpty, scalar.style == .plain || scalar.style == .any { throw error("\(quoted(role)) has no value") }
    return scalar.string
  }

  func list() throws(FixtureError) -> [FixtureNode] {
    guard case .sequence(let sequence) = node else { throw error("\(quoted(role)) takes a list […], not \(described)") }
    return sequence.map { child($0, role) }
  }

  /// The entries of a mapping whose keys are free; their values' role is the key.
  func entries() throws(FixtureError) -> [(key: FixtureNode, value: FixtureNode)] {
    guard case .mapping(let mapping) = node else {
      throw error("\(quoted(role)) takes a mapping {key: value, …}, not \(described)")
    }
    var entries: [(key: FixtureNode, value: FixtureNode)] = []
    for (key, value) in mapping {
      guard case .scalar(let scalar) = key else { throw child(key, role).error("a key is a plain word, not a collection") }
      if scalar.string == "<<" { throw child(key, role).error("a merge key: fixtures have none; write the entries out") }
      entries.append((child(key, role), child(value, scalar.string)))
    }
    return entries
  }

  /// The entries of a mapping whose keys are those of `table`.
  func fields(_ table: KeyTable) throws(FixtureError) -> Fields { try Fields(self, table) }

  /// Refuses what the screen cannot see exactly: depth, number of nodes, and an anchor that it took for text.
  func checkShape() throws(FixtureError) {
    var count = 0
    try checkShape(depth: 0, &count)
  }

  private func checkShape(depth: Int, _ count: inout Int) throws(FixtureError) {
    count += 1
    if count > 100_000 { throw error("more than 100,000 values") }
    if node.anchor != nil { throw error("an anchor: fixtures have none; write the value where it is used") }
    switch node {
    case .scalar: return
    case .alias: throw error("an alias: fixtures have none; write the value where it is used")
    case .mapping(let mapping):
      try checkDepth(depth)
      for (key, value) in mapping {
        try child(key, role).checkShape(depth: depth + 1, &count)
        try child(value, role).checkShape(depth: depth + 1, &count)
      }
    case .sequence(let sequence):
      try checkDepth(depth)
      for element in sequence { try child(element, role).checkShape(depth: depth + 1, &count) }
    }
  }

  private func checkDepth(_ depth: Int) throws(FixtureError) {
    if depth >= YAMLScreen.maximumDepth { throw error("nested deeper than \(YAMLScreen.maximumDepth) levels") }
  }

  // MARK: Words

  func boolean() throws(FixtureError) -> Bool {
    if case .scalar(let scalar) = node, scalar.style == .plain {
      if scalar.string == "true" { return true }
      if scalar.string == "false" { return false }
    }
    throw error("\(quoted(role)) is true or false, not \(described)")
  }

  /// One of the words that a type spells.
  func word<Word: RawRepresentable & CaseIterable>(_: Word.Type) throws(FixtureError) -> Word where Word.RawValue == String {
    let text = try text()
    if let word = Word(rawValue: text) { return word }
    throw unknown("value \(quoted(text)) of \(quoted(role))", text, among: Word.allCases.map(\.rawValue))
  }

  func unknown(_ what: String, _ text: String, among known: [String]) -> FixtureError {
    let suggestion = nearest(text, among: known).map { " (did you mean \(quoted($0))?)" } ?? ""
    if known.isEmpty { return error("unknown \(what): there is none") }
    let choice = known.count <= 50 ? known.joined(separator: ", ") : "\(known.count) names"
    return error("unknown \(what), expected one of \(choice)\(suggestion)")
  }
}

/// The entries of a mapping with a fixed set of keys.
struct Fields {
  let node: FixtureNode
  let table: KeyTable
  private var entries: [String: (key: FixtureNode, value: FixtureNode)] = [:]

  init(_ node: FixtureNode, _ table: KeyTable) throws(FixtureError) {
    self.node = node
    self.table = table
    for (key, value) in try node.entries() {
      let name = value.role
      guard table.keys.contains(name) else { throw key.unknown("key \(quoted(name))", name, among: table.keys) }
      entries[name] = (key, value)
    }
    for key in table.required where entries[key] == nil { throw node.error("\(table.title) needs the key \(quoted(key))") }
  }

  /// The value of a key that the table has; a name it lacks is an error of this program.
  subscript(key: String) -> FixtureNode? {
    precondition(table.keys.contains(key), "\(table.name) has no key \(key)")
    return entries[key]?.value
  }

  /// The value of a key that the table requires.
  func required(_ key: String) throws(FixtureError) -> FixtureNode {
    guard let value = self[key] else { throw node.error("\(table.title) needs the key \(quoted(key))") }
    return value
  }

  /// Refuses keys that nothing would read, with the reason.
  func refuse(_ keys: [String], because reason: String) throws(FixtureError) {
    for key in keys {
      if let entry = entries[key] { throw entry.key.error("\(quoted(key)) is not read here: \(reason)") }
    }
  }

  /// Those of `keys` that are given, in that order.
  func given(_ keys: [String]) -> [String] { keys.filter { entries[$0] != nil } }
}
