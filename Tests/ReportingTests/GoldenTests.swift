import Disassembly
import Emulation
import Events
import Foundation
import Reporting
import Testing

@Suite("Golden traces") struct GoldenTests {
  @Test("every fixture's trace is the recorded one", arguments: Golden.all)
  func isAsRecorded(_ golden: Golden) throws {
    let actual = try golden.outcome().text
    if Golden.isRecording {
      try actual.write(to: golden.file, atomically: true, encoding: .utf8)
      Issue.record("\(golden.name).trace is recorded: look at it, then run the tests without RECORD")
      return
    }
    guard let recorded = try? golden.recorded() else {
      Issue.record("there is no \(golden.name).trace; RECORD=1 swift test records it")
      return
    }
    if let difference = Difference(expected: recorded.lines, actual: actual.lines) {
      Issue.record("\(golden.name).trace, \(difference)")
    }
  }

  @Test("every recorded trace is a fixture's", .disabled(if: Golden.isRecording))
  func noneIsLeftOver() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Golden.folder.path).filter { $0.hasSuffix(".trace") }
    #expect(Set(files) == Set(Golden.all.map { $0.name + ".trace" }))
  }

  @Test("a trace that lacks any one of its lines is found out", .disabled(if: Golden.isRecording))
  func everyLineCounts() throws {
    for golden in Golden.all {
      let lines = try golden.recorded().lines
      for index in lines.indices {
        var shorter = lines
        shorter.remove(at: index)
        if Difference(expected: shorter, actual: lines) == nil || Difference(expected: lines, actual: shorter) == nil {
          Issue.record("\(golden.name).trace: line \(index + 1) could be taken away unnoticed")
        }
      }
    }
  }

  @Test("a difference shows its line, the three before it, and both texts")
  func difference() {
    let text = "a\nb\nc\nd\ne\n"
    #expect(Difference(expected: text.lines, actual: text.lines) == nil)
    let changed = Difference(expected: text.lines, actual: "a\nb\nc\nd\nf\n".lines)
    #expect(changed?.description == "line 5\n  b\n  c\n  d\n- e\n+ f")
    #expect(Difference(expected: text.lines, actual: "a\nb".lines)?.description == "line 3\n  a\n  b\n- c\n+ (the end)")
    #expect(Difference(expected: "a\n".lines, actual: "a".lines)?.line == 2)
  }

  @Test("the same fixtures in another order give the same traces", .disabled(if: Golden.isRecording))
  func anotherOrder() throws {
    for golden in Golden.all.reversed() {
      let actual = try golden.text(inReverse: true)
      if let difference = Difference(expected: try golden.recorded().lines, actual: actual.lines) {
        Issue.record("\(golden.name), \(difference)")
      }
    }
  }

  @Test("one fixture twice gives the same trace, also where the first run is still held")
  func twice() throws {
    let golden = try #require(Golden.all.first { $0.name == "lock-from-system-worker" })
    let first = try golden.fixtures.map { try emulate($0) }
    #expect(try golden.text() == golden.text(of: first))
  }

  @Test("another process, with whatever hash seed, gives the same trace", .disabled(if: Golden.isRecording))
  func anotherProcess() throws {
    for name in ["lock-from-system-worker", "lock-raises", "two-requests-at-one-address"] {
      let golden = try #require(Golden.all.first { $0.name == name })
      for seed in [nil, "1"] {
        let child = Process()
        // The tool is built beside the test program.
        child.executableURL = Bundle.main.bundleURL.appending(path: "probelock")
        child.arguments = ["trace", name]
        var environment = ProcessInfo.processInfo.environment
        environment["SWIFT_DETERMINISTIC_HASHING"] = seed
        child.environment = environment
        let output = Pipe()
        child.standardOutput = output
        try child.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        child.waitUntilExit()
        if let difference = Difference(expected: try golden.recorded().lines, actual: text.lines) {
          Issue.record("\(name), \(difference)")
        }
      }
    }
  }
}

@Suite("Instructions of the built-in fixtures") struct DifferentialTests {
  @Test("the blocks that were recorded are the instructions that a hook on each one saw", arguments: Golden.all)
  func blocksAgree(_ golden: Golden) throws {
    var options = EmulationOptions()
    options.recordsRegisters = true
    for fixture in golden.fixtures {
      let (plain, hooked) = (try emulate(fixture), try emulate(fixture, options: options))
      let seen = hooked.snapshots.map { $0[.ip] }
      #expect(addresses(plain) == seen, "\(fixture.name)")
      #expect(addresses(hooked) == seen, "\(fixture.name), while hooked")
      #expect(plain.instructions == hooked.instructions && plain.outcome == hooked.outcome, "\(fixture.name)")
    }
  }

  /// What the recorded blocks say was executed.
  private func addresses(_ run: Run) -> [UInt64] {
    let disassembler = Disassembler(run.names.target)
    var byBlock: [BlockID: [UInt64]] = [:]
    var result: [UInt64] = []
    run.events.forEach { element in
      guard case .block(let id) = element else { return }
      let block = byBlock[id] ?? disassembler.decodeAll(run.events.blocks.bytes(of: id), at: run.events.blocks[id].address).map(\.address)
      byBlock[id] = block
      result += block
    }
    return result
  }
}
