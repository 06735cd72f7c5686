import Emulation
import Reporting
import Testing

@Suite("The trace as JSON Lines") struct TraceJSONTests {
  @Test("a versioned head, an object a line, and what it came to")
  func lines() throws {
    var lines: [String] = []
    try World.lockFromWorker().writeTraceJSON { lines.append($0) }
    #expect(lines.first == #"{"probelock": 1, "kind": "trace", "name": "world", "target": "xp-x86", "images": ["nt", "fltMgr"]}"#)
    #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") && !$0.contains("\n") })
    #expect(lines.contains { $0.hasPrefix(#"{"kind": "instruction", "address": "0xf84cc355", "symbol": "fltMgr!FltLockUserBuffer+0x7b""#) })
    #expect(lines.contains { $0.contains(#""name": "AccessMode", "value": "0x00000001", "text": "UserMode""#) })
    #expect(lines.last?.hasPrefix(#"{"kind": "end", "outcome": {"kind": "returned""#) == true)
    #expect(lines.last?.contains(#""verdict": "right-process""#) == true)
  }

  @Test("without instructions the rest is the same")
  func withoutInstructions() throws {
    var (all, some): ([String], [String]) = ([], [])
    let run = try World.lockFromWorker()
    run.writeTraceJSON { all.append($0) }
    run.writeTraceJSON(instructions: false) { some.append($0) }
    #expect(all.filter { !$0.hasPrefix(#"{"kind": "instruction""#) } == some)
    #expect(all.count - some.count == Int(run.instructions))
  }
}
