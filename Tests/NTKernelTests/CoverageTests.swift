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
        words.formUnion(text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
      }
    }
    return words
  }()

  /// Places that calls lead to by themselves.
  static let reachedIndirectly: Set = ["KiNestedExceptionHandler", "KiCollidedUnwindHandler", "KiGuardHandler"]

  @Test("every export is called by a test or a fixture", arguments: DeclarationTests.table.exports.map(\.name))
  func named(name: String) {
    #expect(Self.words.contains(name) || Self.reachedIndirectly.contains(name), "no test calls \(name)")
  }
}
