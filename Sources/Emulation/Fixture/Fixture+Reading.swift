import Foundation
import Yams

extension Fixture {
  /// Reads the one fixture in a file.
  public init(contentsOf path: String) throws(FixtureError) {
    self = try Self.only(Self.all(contentsOf: path), in: path)
  }

  /// Reads the one fixture in `yaml`; `file` is what messages call it, and its name without extension is the fixture's.
  public init(yaml: String, file: String) throws(FixtureError) {
    self = try Self.only(Self.all(yaml: yaml, file: file), in: file)
  }

  /// Reads every fixture in a file: its documents, which `---` parts.
  public static func all(contentsOf path: String) throws(FixtureError) -> [Fixture] {
    try all(yaml: try text(of: path), file: path)
  }

  /// Reads every fixture in `yaml`: the first is named as the file, the others `file#2` and on, unless they name themselves.
  public static func all(yaml: String, file: String) throws(FixtureError) -> [Fixture] {
    let text = yaml.hasPrefix("\u{feff}") ? String(yaml.unicodeScalars.dropFirst()) : yaml
    try YAMLScreen.check(text, file: file)
    let name = Self.name(of: file)
    var fixtures: [Fixture] = []
    var lines: [String: Int] = [:]
    do {
      let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
      while let document = try parser.nextRoot() {
        let root = FixtureNode(document, in: file, role: "fixture")
        var reader = FixtureReader(root)
        let fixture = try reader.read(name: fixtures.isEmpty ? name : "\(name)#\(fixtures.count + 1)")
        if let line = lines[fixture.name] { throw root.error("\(quoted(fixture.name)) already names a fixture (line \(line))") }
        lines[fixture.name] = root.line ?? 1
        fixtures.append(fixture)
      }
    } catch let error as FixtureError {
      throw error
    } catch let error as YamlError {
      throw FixtureError(error, in: file, text)
    } catch {
      throw FixtureError("not readable as YAML", in: file)
    }
    if fixtures.isEmpty { throw FixtureError("there is no fixture in it: one begins with “fixture: 1”", in: file) }
    return fixtures
  }

  private static func only(_ fixtures: [Fixture], in file: String) throws(FixtureError) -> Fixture {
    guard fixtures.count == 1 else {
      throw FixtureError("holds \(fixtures.count) fixtures, where one is wanted", in: file)
    }
    return fixtures[0]
  }

  private static func name(of file: String) -> String {
    let last = file.split(separator: "/").last.map(String.init) ?? file
    guard let dot = last.lastIndex(of: "."), dot != last.startIndex else { return last }
    return String(last[..<dot])
  }

  private static func text(of path: String) throws(FixtureError) -> String {
    var isDirectory: ObjCBool = false
    guard !path.utf8.contains(0), FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw FixtureError("no such file", in: path, kind: .missingFile)
    }
    if isDirectory.boolValue { throw FixtureError("a directory, not a fixture", in: path) }
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let attributes = try? FileManager.default.attributesOfItem(atPath: resolved)
    guard attributes?[.type] as? FileAttributeType == .typeRegular else { throw FixtureError("not a regular file", in: path) }
    guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: YAMLScreen.maximumSize + 1) ?? Data()
    else { throw FixtureError("cannot be read", in: path, kind: .missingFile) }
    if data.count > YAMLScreen.maximumSize { throw FixtureError("larger than 4 MiB", in: path) }
    if data.isEmpty { throw FixtureError("the file is empty; expected a fixture, which begins with “fixture: 1”", in: path) }
    if let nul = data.firstIndex(of: 0) {
      throw FixtureError("a NUL byte: a fixture is text", in: path, line: Self.line(of: nul, in: data))
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw FixtureError("not UTF-8", in: path, line: Self.line(of: Self.firstInvalidByte(data), in: data))
    }
    return text
  }

  private static func firstInvalidByte(_ data: Data) -> Int {
    var decoder = UTF8()
    var bytes = data.makeIterator()
    var offset = 0
    while case .scalarValue(let scalar) = decoder.decode(&bytes) { offset += UTF8.width(scalar) }
    return min(offset, data.count)
  }

  static func line(of offset: Int, in bytes: some Collection<UInt8>) -> Int {
    1 + bytes.prefix(offset).count { $0 == 10 }
  }
}

extension FixtureError {
  /// What the YAML parser says, in one line and at its place.
  init(_ error: YamlError, in file: String, _ text: String) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let doing = context.map { " \($0.text) from line \($0.mark.line)" } ?? ""
      self.init("not YAML: \(problem)\(doing)", in: file, line: mark.line, column: mark.column)
    case .reader(let problem, let offset, _, _):
      self.init("not YAML: \(problem)", in: file, line: offset.map { Fixture.line(of: $0, in: text.utf8) })
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.map { quoted($0) }.joined(separator: ", ")
      self.init("duplicate key \(keys), first given here", in: file, line: context.mark.line, column: context.mark.column)
    default:
      self.init("not readable as YAML", in: file)
    }
  }
}
