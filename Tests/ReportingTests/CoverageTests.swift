import Emulation
import Events
import Foundation
import NTKernel
import Testing

@Suite("Exports") struct CoverageTests {
  @Test("every export is called by a fixture, or named by a test")
  func everyExport() throws {
    var called: Set<String> = []
    var all: [String] = []
    for fixture in Golden.all.flatMap(\.fixtures) {
      let run = try emulate(fixture)
      let names = run.names.exports.exports.map { "\($0.module)!\($0.name)" }
      all = names
      run.events.forEach { element in
        if case .call(let number, _, _) = element { called.insert(names[number]) }
      }
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
