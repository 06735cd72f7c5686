import Foundation
import NTKernel
import Testing

@Suite("Coverage") struct CoverageTests {
  /// The sources of this target, without this file and the helper.
  static let sources: String = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
    return files.filter { $0.pathExtension == "swift" && $0.lastPathComponent.hasSuffix("Tests.swift") }
      .filter { !["CoverageTests.swift", "DeclarationTests.swift"].contains($0.lastPathComponent) }
      .compactMap { try? String(contentsOf: $0, encoding: .utf8) }.joined()
  }()

  /// Places that calls lead to by themselves.
  static let reachedIndirectly: Set = ["KiNestedExceptionHandler", "KiCollidedUnwindHandler", "KiGuardHandler"]

  /// What tests of families of routines write in place of a part of the name.
  static let placeholders = [
    ("str", "\\(p)"), ("wcs", "\\(p)"), ("Exf", "\\(prefix)"), ("Ex", "\\(prefix)"), ("Avl", "\\(suffix)"),
    ("Unicode", "\\(kind)"), ("Ansi", "\\(kind)"), ("Oem", "\\(kind)"), ("MultiByte", "\\(kind)"), ("NPaged", "\\(kind)"),
    ("Paged", "\\(kind)"), ("UCHAR", "\\(type)"), ("USHORT", "\\(type)"), ("ULONG", "\\(type)"), ("1970", "\\(year)"),
    ("1980", "\\(year)"),
  ]

  /// The name, and the names with a placeholder that stand for it.
  static func spellings(of name: String) -> [String] {
    let parts = placeholders.flatMap { part, placeholder in
      name.ranges(of: part).map { name.replacingCharacters(in: $0, with: placeholder) }
    }
    return [name, name + "\\(suffix)"] + parts
  }

  @Test("every export is named by a test of this target", arguments: DeclarationTests.table.exports.map(\.name))
  func named(name: String) {
    let isNamed = Self.spellings(of: name).contains { Self.sources.contains("\"\($0)\"") }
    #expect(isNamed || Self.reachedIndirectly.contains(name), "no test calls \(name)")
  }
}
