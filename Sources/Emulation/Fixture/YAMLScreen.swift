/// Refuses, before anything is composed, what YAML has and fixtures do not: anchors, aliases, tags, directives, complex keys,
/// deep nesting.
///
/// Seven lines of aliases expand to millions of nodes, so finding them afterwards is too late. This follows libyaml's scanner as
/// far as it takes to know which characters begin a token.
struct YAMLScreen {
  static let maximumDepth = 16
  static let maximumSize = 4 << 20

  private let bytes: [UInt8]
  private let file: String
  private var position = 0
  private var line = 1
  private var lineStart = 0
  /// The columns of the open block collections, below a floor of -1.
  private var indents = [-1]
  private var flowDepth = 0
  /// Where a mapping's key may have begun on this line.
  private var key: Int?
  private var keyAllowed = true

  private init(_ bytes: [UInt8], _ file: String) {
    self.bytes = bytes
    self.file = file
  }

  static func check(_ text: String, file: String) throws(FixtureError) {
    var screen = YAMLScreen(Array(text.utf8), file)
    try screen.checkCharacters()
    try screen.checkTokens()
  }

  private var column: Int { position - lineStart }

  private func refuse(_ message: String) -> FixtureError { FixtureError(message, in: file, line: line, column: column + 1) }

  private func byte(_ offset: Int = 0) -> UInt8 {
    position + offset < bytes.count ? bytes[position + offset] : 0
  }

  private func at(_ character: Unicode.Scalar, _ offset: Int = 0) -> Bool { byte(offset) == UInt8(ascii: character) }

  private func blank(_ offset: Int) -> Bool {
    switch byte(offset) {
    case 0, 9, 10, 13, 32: true
    default: false
    }
  }

  private var atBreak: Bool { byte() == 10 || byte() == 13 }

  private mutating func newLine() {
    position += byte() == 13 && byte(1) == 10 ? 2 : 1
    line += 1
    lineStart = position
  }

  private mutating func skipLine() {
    while position < bytes.count, !atBreak { position += 1 }
  }

  /// Refuses NUL, at which libyaml stops, and the line separators that only YAML knows.
  private mutating func checkCharacters() throws(FixtureError) {
    if bytes.count > Self.maximumSize { throw FixtureError("larger than 4 MiB", in: file) }
    while position < bytes.count {
      switch byte() {
      case 0: throw refuse("a NUL byte: a fixture is text")
      case 0xc2 where byte(1) == 0x85, 0xe2 where byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9):
        throw refuse("a Unicode line separator: end lines with a plain new line")
      case 10, 13: newLine()
      default: position += 1
      }
    }
    (position, line, lineStart) = (0, 1, 0)
  }

  private mutating func checkTokens() throws(FixtureError) {
    while true {
      skipBlanks()
      guard position < bytes.count else { return }
      if flowDepth == 0 { while let last = indents.last, last > column { indents.removeLast() } }
      if atDocumentMarker {
        indents = [-1]
        flowDepth = 0
        keyAllowed = false
        position += 3
        continue
      }
      try checkToken()
    }
  }

  private var atDocumentMarker: Bool {
    column == 0 && blank(3) && ((at("-") && at("-", 1) && at("-", 2)) || (at(".") && at(".", 1) && at(".", 2)))
  }

  private mutating func skipBlanks() {
    while position < bytes.count {
      if atBreak {
        newLine()
        if flowDepth == 0 {
          key = nil
          keyAllowed = true
        }
      } else if byte() == 32 || byte() == 9 {
        position += 1
      } else if at("#"), position == lineStart || bytes[position - 1] == 32 || bytes[position - 1] == 9 {
        skipLine()
      } else {
        return
      }
    }
  }

  private mutating func open(_ column: Int) throws(FixtureError) {
    if let last = indents.last, last < column { indents.append(column) }
    try checkDepth()
  }

  private func checkDepth() throws(FixtureError) {
    if indents.count - 1 + flowDepth > Self.maximumDepth { throw refuse("nested deeper than \(Self.maximumDepth) levels") }
  }

  private mutating func beginKey() {
    if keyAllowed, flowDepth == 0 { key = column }
    keyAllowed = false
  }

  private mutating func checkToken() throws(FixtureError) {
    switch Unicode.Scalar(byte()) {
    case "&" where !blank(1): throw refuse("an anchor: fixtures have none; write the value where it is used, or quote the text")
    case "*" where !blank(1): throw refuse("an alias: fixtures have none; write the value where it is used, or quote the text")
    case "!": throw refuse("a tag: fixtures have none; remove it, or quote the text")
    case "%" where column == 0 && flowDepth == 0: throw refuse("a directive: fixtures have none; remove it")
    case "[", "{":
      beginKey()
      flowDepth += 1
      position += 1
      try checkDepth()
    case "]", "}":
      flowDepth = max(0, flowDepth - 1)
      position += 1
    case "," where flowDepth > 0: position += 1
    case "-" where blank(1) && flowDepth == 0:
      try open(column)
      keyAllowed = true
      position += 1
    case "?" where blank(1): throw refuse("a complex key: a fixture's keys are plain words and addresses")
    case ":" where blank(1) || flowDepth > 0:
      if flowDepth == 0, let key { try open(key) }
      key = nil
      keyAllowed = false
      position += 1
    case "|" where flowDepth == 0, ">" where flowDepth == 0: skipBlockScalar()
    case "\"", "'":
      beginKey()
      try skipQuoted()
    default:
      beginKey()
      skipPlain()
    }
  }

  private mutating func skipQuoted() throws(FixtureError) {
    let start = refuse("a quotation that does not end")
    let quote = byte()
    position += 1
    while position < bytes.count {
      if atBreak {
        newLine()
      } else if byte() == quote {
        if quote == UInt8(ascii: "'"), byte(1) == quote {
          position += 2
        } else {
          position += 1
          return
        }
      } else if quote == UInt8(ascii: "\""), at("\\"), byte(1) != 10, byte(1) != 13 {
        position += 2
      } else {
        position += 1
      }
    }
    throw start
  }

  /// Leaves the position behind the scalar, which goes on over lines that are indented more than the collection it is in.
  private mutating func skipPlain() {
    let floor = indents.last ?? -1
    while position < bytes.count {
      while position < bytes.count, !blank(0) {
        if at(":"), blank(1) || (flowDepth > 0 && ",?[]{}".utf8.contains(byte(1))) { return }
        if flowDepth > 0, ",[]{}".utf8.contains(byte()) { return }
        position += 1
      }
      let text = (position, line, lineStart)
      while position < bytes.count, blank(0), byte() != 0 {
        if atBreak { newLine() } else { position += 1 }
      }
      let ended = position >= bytes.count || at("#") || (line != text.1 && atDocumentMarker)
      if ended || (flowDepth == 0 && column <= floor) {
        (position, line, lineStart) = text
        return
      }
    }
  }

  private mutating func skipBlockScalar() {
    let floor = indents.last ?? -1
    var indent: Int?
    position += 1
    while !blank(0) {
      if (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(byte()) { indent = max(floor, 0) + Int(byte() - UInt8(ascii: "0")) }
      position += 1
    }
    skipLine()
    while position < bytes.count {
      newLine()
      while byte() == 32, column < indent ?? .max { position += 1 }
      if position < bytes.count, !atBreak {
        let content = indent ?? max(column, floor + 1, 1)
        indent = content
        if column < content {
          position = lineStart
          keyAllowed = true
          key = nil
          return
        }
      }
      skipLine()
    }
  }
}
