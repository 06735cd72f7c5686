import Emulation
import Foundation
import GuestCode
import Images

/// A fixture, and where it came from.
struct SourcedFixture {
  var fixture: Fixture
  /// What messages call its file: a path, or a built-in file's name.
  let file: String
  /// Where the images that it names are looked up first; `nil` for a built-in fixture.
  let folder: String?
  /// Files that take the place of images, by the images' names.
  var overrides: [String: String] = [:]
  /// Why a driver file runs in a later Windows than the default.
  var versionReason: String?
  /// What else a reader should know of how a driver file is run.
  var remark: String?
}

/// Finds fixtures: files, and those that are built in.
enum FixtureSource {
  /// Every fixture that `argument` names: those of a file, one of them (`file.yaml#name`), or a built-in one by its name.
  static func fixtures(named argument: String) throws -> [SourcedFixture] {
    if !FileManager.default.fileExists(atPath: argument) {
      if let found = try builtIn(argument) { return found }
      if let hash = argument.lastIndex(of: "#") {
        let file = String(argument[..<hash])
        let all = FileManager.default.fileExists(atPath: file) ? try fixtures(in: file) : try builtIn(file) ?? []
        let name = argument[argument.index(after: hash)...]
        if let found = all.first(where: { $0.fixture.name == argument || $0.fixture.name == name || $0.fixture.name.hasSuffix("#\(name)") })
        {
          return [found]
        }
        if !all.isEmpty {
          let names = all.map(\.fixture.name)
          throw Failure(
            .badInput,
            "\(file): no fixture “\(name)” in it\(suggestion(String(name), among: names)); it has \(names.joined(separator: ", "))")
        }
      }
      let isPath = argument.contains("/") || argument.hasSuffix(".yaml") || argument.hasSuffix(".yml")
      let known = isPath ? [] : BuiltIn.fixtures.map(\.stem)
      let nearby = (try? FileManager.default.contentsOfDirectory(atPath: ".").filter { $0.hasSuffix(".yaml") }) ?? []
      if nearby.contains(argument + ".yaml") {
        throw Failure(.missingFile, "\(argument): no such file or built-in fixture; did you mean \(argument).yaml?")
      }
      throw Failure(
        .missingFile,
        "\(argument): no such file" + (isPath ? "" : " or built-in fixture") + suggestion(argument, among: known + nearby.sorted()))
    }
    return try fixtures(in: argument)
  }

  /// The one fixture that `argument` names.
  static func fixture(named argument: String) throws -> SourcedFixture {
    let all = try fixtures(named: argument)
    guard all.count == 1, let only = all.first else {
      let names = all.map(\.fixture.name).joined(separator: ", ")
      throw Failure(
        .badInput, "\(argument): holds \(all.count) fixtures, where one is wanted; expected \(argument)#NAME with one of \(names)")
    }
    return only
  }

  /// The fixture files of the current folder, in the order of their names.
  static func filesHere() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: ".")) ?? []
    return names.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.sorted()
  }

  static func fixtures(in path: String) throws -> [SourcedFixture] {
    let folder = (path as NSString).deletingLastPathComponent
    if Image.isPortableExecutable(atPath: path) {
      // What cannot be read is complained of when it is run.
      let image = try? Image(contentsOfPortableExecutable: path, named: Image.moduleName(ofFile: path))
      let choice = image.map(TargetChoice.init)
      var source = SourcedFixture(
        fixture: Fixture(driver: path, target: choice?.target ?? .windowsXP_x86), file: path, folder: folder.isEmpty ? "." : folder,
        versionReason: choice?.reason)
      if let image, Fixture.isMinifilter(image) {
        source.fixture.becomeMinifilter()
        source.remark = "its INF is not read: it has altitude \(Fixture.impliedAltitude), on a volume with a few files, which are used"
      }
      return [source]
    }
    do throws(FixtureError) {
      return try Fixture.all(contentsOf: path).map { SourcedFixture(fixture: $0, file: path, folder: folder.isEmpty ? "." : folder) }
    } catch {
      throw Failure(error)
    }
  }

  static func fixtures(of file: BuiltIn.File) throws -> [SourcedFixture] {
    do throws(FixtureError) {
      return try Fixture.all(yaml: file.text, file: file.name).map { SourcedFixture(fixture: $0, file: file.name, folder: nil) }
    } catch {
      throw Failure(error)
    }
  }

  /// A built-in file's fixtures, or the one fixture of that name in any of them.
  private static func builtIn(_ name: String) throws -> [SourcedFixture]? {
    if let file = BuiltIn.fixture(named: name) { return try fixtures(of: file) }
    // Reading them all is slow, and most files hold one fixture, named as the file.
    for file in BuiltIn.fixtures where file.text.contains("name: \(name)") || name.hasPrefix(file.stem + "#") {
      if let found = try fixtures(of: file).first(where: { $0.fixture.name == name }) { return [found] }
    }
    return nil
  }
}
