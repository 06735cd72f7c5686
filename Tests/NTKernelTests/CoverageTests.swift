import Foundation
import NTKernel
import Testing

@Suite("Coverage") struct CoverageTests {
  /// Every word of every test, but for those that go through the whole table, and of every built-in fixture.
  static let words: Set<String> = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    var words: Set<String> = []
    for folder in ["Tests", "images"] {
      let files = FileManager.default.enumerator(at: root.appending(path: folder), includingPropertiesForKeys: nil)
      while let file = files?.nextObject() as? URL {
        let name = file.lastPathComponent
        guard name.hasSuffix("Tests.swift") || name.hasSuffix(".yaml"),
          !["CoverageTests.swift", "DeclarationTests.swift"].contains(name),
          let text = try? String(contentsOf: file, encoding: .utf8)
        else { continue }
        words.formUnion(text.split { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "@" }.map(String.init))
      }
    }
    return words
  }()

  /// Places that calls lead to by themselves.
  static let reachedIndirectly: Set = [
    "KiNestedExceptionHandler", "KiCollidedUnwindHandler", "KiGuardHandler", "IopFileSystemRequest", "IopStorageRequest",
    "ObpDeferredDelete", "FltpOplockCompletion", "FltpOplockWaitComplete", "FltpOplockPrePost",
  ]

  /// The tests of families of routines, which write a placeholder in place of a part of the name.
  static let families: String = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Rtl")
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.compactMap { try? String(contentsOf: $0, encoding: .utf8) }.joined()
  }()
  static let placeholders = [
    ("str", "\\(p)"), ("wcs", "\\(p)"), ("Exf", "\\(prefix)"), ("Ex", "\\(prefix)"), ("Avl", "\\(suffix)"),
    ("Unicode", "\\(kind)"), ("Ansi", "\\(kind)"), ("Oem", "\\(kind)"), ("MultiByte", "\\(kind)"), ("NPaged", "\\(kind)"),
    ("Paged", "\\(kind)"), ("UCHAR", "\\(type)"), ("USHORT", "\\(type)"), ("ULONG", "\\(type)"), ("1970", "\\(year)"),
    ("1980", "\\(year)"), ("ExA", "Ex\\(suffix)"), ("ExW", "Ex\\(suffix)"),
  ]

  /// Whether a family's test calls `name` by a placeholder.
  static func isInFamily(_ name: String) -> Bool {
    let spellings = placeholders.flatMap { part, placeholder in
      name.ranges(of: part).map { name.replacingCharacters(in: $0, with: placeholder) }
    }
    return (spellings + [name + "\\(suffix)"]).contains { families.contains("\"\($0)\"") }
  }

  @Test("every export is called by a test or a fixture", arguments: DeclarationTests.table.exports.map(\.name))
  func named(name: String) {
    #expect(Self.words.contains(name) || Self.isInFamily(name) || Self.reachedIndirectly.contains(name), "no test calls \(name)")
  }
}
