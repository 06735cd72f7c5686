import Foundation
import Testing

@Suite("Exports") struct CoverageTests {
  @Test("every export is called by a fixture, or named by a test")
  func everyExport() throws {
    var called: Set<String> = []
    var all: [String] = []
    for golden in Golden.all {
      let outcome = try golden.outcome()
      called.formUnion(outcome.called)
      all = outcome.exports
    }
    // The run's own way back, which is served without a record.
    called.insert("nt!KiCallbackReturn")
    let byNone = all.filter { export in
      !called.contains(export) && !Self.testSources.contains("\"\(export.split(separator: "!")[1])\"")
    }
    print("exports that no fixture calls: \(list(all.filter { !called.contains($0) }))")
    print("exports that no fixture calls and no test names: \(list(byNone))")
  }

  private func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }

  /// The sources of all tests, but this one.
  private static let testSources: String = {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let files = FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
    return files.filter { $0.pathExtension == "swift" && $0.lastPathComponent != "CoverageTests.swift" }
      .compactMap { try? String(contentsOf: $0, encoding: .utf8) }.joined()
  }()
}
