import Foundation
import NTKernel
import Testing

@Suite("Coverage") struct CoverageTests {
  /// The sources of this target, without this file and the helper.
  static let sources: String = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let files = (FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.allObjects ?? []).compactMap { $0 as? URL }
    return files.filter { $0.pathExtension == "swift" && $0.lastPathComponent.hasSuffix("Tests.swift") }
      .filter { !["CoverageTests.swift", "DeclarationTests.swift"].contains($0.lastPathComponent) }
      .compactMap { try? String(contentsOf: $0, encoding: .utf8) }.joined()
  }()

  /// Places that calls lead to by themselves.
  static let reachedIndirectly: Set = ["KiNestedExceptionHandler", "KiCollidedUnwindHandler", "KiGuardHandler"]

  @Test("every export is named by a test of this target", arguments: DeclarationTests.table.exports.map(\.name))
  func named(name: String) {
    #expect(Self.sources.contains("\"\(name)\"") || Self.reachedIndirectly.contains(name), "no test calls \(name)")
  }
}
