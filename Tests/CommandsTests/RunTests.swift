import Emulation
import Foundation
import GuestCode
import Testing

@Test("a fixture that is as expected is one line, a summary and exit code 0")
func asExpected() throws {
  let folder = try Scratch()
  try folder.file("lock.yaml", Fixture.template)
  let run = try ToolRun.tool("run", "lock.yaml", in: folder.path)
  #expect(run.status == 0 && run.errors.isEmpty)
  let lines = run.output.split(separator: "\n")
  #expect(lines.count == 2)
  #expect(lines[0] == "ok    lock   right process    FltLockUserBuffer locked 3 pages of app.exe (1232) while running in System (4)")
  #expect(lines[1] == "1 fixture, 1 as expected")
}

@Test("a fixture that is not as expected says what and where, and exits with 1")
func notAsExpected() throws {
  let folder = try Scratch()
  try folder.file("wrong.yaml", Fixture.template.replacing("verdict: right-process", with: "verdict: wrong-process"))
  try folder.file("right.yaml", Fixture.template)
  let run = try ToolRun.tool(in: folder.path)
  #expect(run.status == 1)
  let lines = run.output.split(separator: "\n").map(String.init)
  #expect(lines.count == 4)
  #expect(lines[0].hasPrefix("ok    right   ") && lines[1].hasPrefix("FAIL  wrong   "))
  #expect(lines[2].hasPrefix("      wrong.yaml:") && lines[2].contains("wrong-process"))
  #expect(lines[3] == "2 fixtures of this folder, 1 as expected")
  let quiet = try ToolRun.tool("-q", in: folder.path)
  #expect(quiet.status == 1 && quiet.output == lines[1...].joined(separator: "\n") + "\n")
}

@Test("the tool alone, anywhere, finds the built-in fixtures and images")
func installed() throws {
  let folder = try Scratch()
  let copy = folder.url.appending(path: "probelock")
  try FileManager.default.copyItem(atPath: ToolRun.binary, toPath: copy.path)
  #expect(try ToolRun.run(copy.path, ["disassemble", "fltMgr"], in: "/", [:]).output.contains("fltMgr!FltLockUserBuffer:"))
  let all = try ToolRun.run(copy.path, [], in: "/", [:])
  if BuiltIn.fixtures.isEmpty {
    #expect(all.status == 66)
  } else {
    #expect(all.status == 0 && all.output.contains(" built-in fixture"), "\(all.output)\(all.errors)")
  }
}

@Test("a patch and a limit change the run", arguments: ["0xf84cc35b=cc", "fltMgr!FltLockUserBuffer+0x81=cc"])
func patches(patch: String) throws {
  let folder = try Scratch()
  try folder.file("lock.yaml", Fixture.template)
  #expect(try ToolRun.tool("run", "lock.yaml", "--patch", patch, in: folder.path).status == 1)
  let limited = try ToolRun.tool("run", "lock.yaml", "--max-instructions", "10", in: folder.path)
  #expect(limited.status == 1 && limited.output.contains("instructions"))
}

@Test("a broken fixture among others does not keep them from running")
func oneBroken() throws {
  let folder = try Scratch()
  try folder.file("a.yaml", "fixture: 1\nlenght: 2\n")
  try folder.file("b.yaml", Fixture.template)
  let run = try ToolRun.tool(in: folder.path)
  #expect(run.status == 65 && run.output.contains("ok    b") && run.errors.hasPrefix("probelock: a.yaml:2: "))
}

@Test("--explain shows the world")
func explanation() throws {
  let folder = try Scratch()
  try folder.file("lock.yaml", Fixture.template)
  let output = try ToolRun.tool("run", "--explain", "lock.yaml", in: folder.path).output
  for part in ["app.exe (1232)", "00130000 to 00133000 3 pages: valid, read-write", "of System (4)", "nt!IoThreadToProcess", "guest code"] {
    #expect(output.contains(part), "\(part)")
  }
}

@Test("every command's JSON parses, and says its version")
func documents() throws {
  let folder = try Scratch()
  try folder.file("lock.yaml", Fixture.template)
  for arguments in [
    "run lock.yaml", "run --explain lock.yaml", "trace lock.yaml", "trace --calls lock.yaml", "exports", "disassemble nt", "dump MDL",
    "call fltMgr --trace FltLockUserBuffer '{write: {buffer: 0x130000, length: 0x3000, requestor: app}}'",
  ] {
    let words = arguments.split(separator: " ", maxSplits: 1)
    let run = try ToolRun.shell("probelock \(words[0]) --json \(words.count > 1 ? words[1] : "")", in: folder.path)
    #expect(run.status == 0 && run.json?["probelock"] as? Int == 1, "\(arguments): \(run.errors)")
  }
}

@Test("new writes a fixture that runs, and overwrites nothing")
func new() throws {
  let folder = try Scratch()
  #expect(try ToolRun.tool("new", "mine.yaml", in: folder.path).status == 0)
  #expect(try ToolRun.tool("run", "mine.yaml", in: folder.path).status == 0)
  let again = try ToolRun.tool("new", "mine.yaml", in: folder.path)
  #expect(again.status == 65 && again.errors.contains("exists already"))
  #expect(try ToolRun.tool("new", "no/such/folder.yaml", in: folder.path).status == 66)
}
