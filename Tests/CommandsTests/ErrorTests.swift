import Emulation
import Foundation
import Testing

/// What is wrong is said on one line of standard error, and nothing else is said.
func expectComplaint(
  _ run: ToolRun, _ status: Int32, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(run.status == status, "\(run.errors)", sourceLocation: sourceLocation)
  #expect(run.output.isEmpty, sourceLocation: sourceLocation)
  #expect(
    run.errors.hasPrefix("probelock: ") && run.errors.split(separator: "\n").count == 1, "\(run.errors)", sourceLocation: sourceLocation)
  for part in parts { #expect(run.errors.contains(part), "\(run.errors)", sourceLocation: sourceLocation) }
}

@Test("a misspelt name gives the nearest one")
func misspelt() throws {
  let folder = try Scratch()
  try folder.file("lock.yaml", Fixture.template)
  expectComplaint(try .tool("trce"), 64, "did you mean trace?")
  expectComplaint(try .tool("run", "--explian", "x"), 64, "--explian")
  expectComplaint(try .tool("run", "lok.yaml", in: folder.path), 66, "did you mean lock.yaml?")
  expectComplaint(try .tool("lock.yaml", in: folder.path), 64, "probelock run lock.yaml")
  expectComplaint(try .tool("disassemble", "fltMrg"), 66, "did you mean fltMgr?")
  expectComplaint(try .tool("disassemble", "fltMgr", "FltLockUserBufer"), 65, "did you mean FltLockUserBuffer?")
  expectComplaint(try .tool("call", "nt", "MmProbeAndLockProcessPage"), 65, "did you mean MmProbeAndLockProcessPages?")
  expectComplaint(try .tool("exports", "KeStackAtachProcess"), 65, "did you mean KeStackAttachProcess?")
  expectComplaint(try .tool("dump", "EPROCES"), 65, "did you mean EPROCESS?")
}

@Test(
  "usage errors exit with 64",
  arguments: [
    "run --color sometimes", "run --patch nonsense", "run --patch nt!Foo+0x1=9", "run --max-instructions many", "trace", "call", "dump",
    "dump MDL lock.yaml", "call nt MmProbeAndLockProcessPages --on nobody", "--no-such-option", "new a b",
  ])
func usage(arguments: String) throws {
  expectComplaint(try .shell("probelock \(arguments)"), 64)
}

@Test("files that are no fixtures or listings", arguments: [("run", "yaml"), ("trace", "yaml"), ("disassemble", "listing")])
func files(command: String, suffix: String) throws {
  let folder = try Scratch()
  func run(_ name: String) throws -> ToolRun { try .tool(command, name, in: folder.path) }
  expectComplaint(try run("missing.\(suffix)"), 66, "missing.\(suffix)", "no such file")
  try folder.file("empty.\(suffix)")
  expectComplaint(try run("empty.\(suffix)"), 65, "empty.\(suffix)", "is empty")
  try FileManager.default.createDirectory(at: folder.url.appending(path: "folder.\(suffix)"), withIntermediateDirectories: true)
  expectComplaint(try run("folder.\(suffix)"), 65, "folder.\(suffix)")
  try folder.file("latin.\(suffix)", bytes: Array("# caf".utf8) + [0xe9, 10])
  expectComplaint(try run("latin.\(suffix)"), 65, "latin.\(suffix):", "UTF-8")
  try folder.file("binary.\(suffix)", bytes: (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 37) })
  expectComplaint(try run("binary.\(suffix)"), 65, "binary.\(suffix)")
  try folder.file("truncated.\(suffix)", suffix == "yaml" ? "fixture: 1\nprocesses: {" : "f84cc35b 5")
  expectComplaint(try run("truncated.\(suffix)"), 65, "truncated.\(suffix):")
  expectComplaint(try run("/dev/zero"), 65, "/dev/zero")
}

@Test("an image that a fixture names and nobody has")
func missingImage() throws {
  let folder = try Scratch()
  try folder.file("lock.yaml", Fixture.template.replacing("fltMgr.listing]", with: "fltMrg.listing]"))
  let run = try ToolRun.tool("run", "lock.yaml", in: folder.path)
  #expect([65, 66].contains(run.status) && run.errors.contains("fltMgr.listing"), "\(run.errors)")
}

@Test("a file's name cannot move the cursor")
func controlCharacters() throws {
  let run = try ToolRun.tool("run", "\u{1b}[2Jx\ny.yaml")
  expectComplaint(run, 66, "\\u{1b}")
}

@Test("a variable is listed as such, by the table and by its name") func variables() throws {
  #expect(try ToolRun.tool("exports", "PsInitialSystemProcess").output == "variable                   nt!PsInitialSystemProcess\n")
  let listed = try ToolRun.tool("exports", "--json", "nt!keservicedescriptortable").output
  #expect(listed.contains("\"variables\"") && listed.contains("\"KeServiceDescriptorTable\""))
}
