import Emulation
import Foundation
import GuestCode
import Reporting
import Synchronization
import Testing

/// What the fixtures of one built-in file are to come out as, line by line.
///
/// A file with one fixture has its whole trace. A file with many, which are one table, and a run that goes round in a loop have
/// what was called and what came of it.
/// `RECORD=1 swift test` writes the files anew, and fails, so that nobody takes them over unseen.
struct Golden: Sendable, CustomTestStringConvertible {
  /// As the fixture file, without its extension.
  let name: String
  let fixtures: [Fixture]

  static let isRecording = ProcessInfo.processInfo.environment["RECORD"] != nil
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
  /// One for each built-in file that can be read.
  static let all: [Golden] = BuiltIn.fixtures.map { file in
    Golden(name: file.stem, fixtures: (try? Fixture.all(yaml: file.text, file: file.name)) ?? [])
  }

  var file: URL { Self.folder.appending(path: name + ".trace") }
  var testDescription: String { name }

  /// What `runs`, one for each fixture, came out as.
  func text(of runs: [Run]) -> String {
    runs.count == 1 && runs[0].instructions <= 1000 ? runs[0].trace() : runs.map { $0.callList() }.joined(separator: "\n")
  }

  /// Runs the fixtures now.
  func text(inReverse isReversed: Bool = false) throws -> String {
    let runs = try (isReversed ? fixtures.reversed() : fixtures).map { try emulate($0) }
    return text(of: isReversed ? runs.reversed() : runs)
  }

  /// What one run of the fixtures came to.
  struct Outcome: Sendable {
    let text: String
    /// Each with the fixture's name and the line of its file.
    var mismatches: [String] = []
    /// The exports that were called, as `module!name`, and all there are.
    var called: Set<String> = []
    var exports: [String] = []
  }

  private static let outcomes = Mutex<[String: Outcome]>([:])

  /// Runs the fixtures, once for all tests that ask.
  func outcome() throws -> Outcome {
    if let outcome = Self.outcomes.withLock({ $0[name] }) { return outcome }
    let runs = try fixtures.map { try emulate($0) }
    var outcome = Outcome(text: text(of: runs))
    for run in runs {
      outcome.mismatches += run.mismatches.map {
        "images/\(name).yaml:\($0.line.map(String.init) ?? "?"): \(run.fixture.name): \($0.sentence)"
      }
      outcome.exports = run.names.exports.exports.map { "\($0.module)!\($0.name)" }
      run.events.forEach { element in
        if case .call(let number, _, _) = element { outcome.called.insert(outcome.exports[number]) }
      }
    }
    Self.outcomes.withLock { $0[name] = outcome }
    return outcome
  }

  func recorded() throws -> String { try String(contentsOf: file, encoding: .utf8) }
}

/// The first line that differs between two texts, and what led there.
struct Difference: CustomStringConvertible {
  /// From 1.
  let line: Int
  let before: [Substring]
  let expected: Substring?
  let actual: Substring?

  /// Returns `nil` where the texts have the same lines.
  init?(expected: [Substring], actual: [Substring]) {
    let count = max(expected.count, actual.count)
    let isSame = { (index: Int) in index < expected.count && index < actual.count && expected[index] == actual[index] }
    guard let index = (0..<count).first(where: { !isSame($0) }) else { return nil }
    line = index + 1
    before = Array(expected[max(0, index - 3)..<index])
    self.expected = index < expected.count ? expected[index] : nil
    self.actual = index < actual.count ? actual[index] : nil
  }

  var description: String {
    func text(_ line: Substring?) -> String { line.map(String.init) ?? "(the end)" }
    return (["line \(line)"] + before.map { "  \($0)" } + ["- \(text(expected))", "+ \(text(actual))"]).joined(separator: "\n")
  }
}

extension String {
  /// Lines, empty ones included; the last is empty where the text ends in a line feed.
  var lines: [Substring] { split(separator: "\n", omittingEmptySubsequences: false) }
}
