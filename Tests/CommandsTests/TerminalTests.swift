import Emulation
import Foundation
import Testing

@Test("| head ends quietly", arguments: ["exports", "disassemble exercise", "exports --json", "__mutate --reader listing --count 100000"])
func head(arguments: String) throws {
  let run = try ToolRun.shell("probelock \(arguments) | head -1; echo ${PIPESTATUS[0]}")
  #expect(run.errors.isEmpty && run.output.hasSuffix("\n0\n"), "\(run.errors)\(run.output)")
}

@Test("a full disk is an error, not a success")
func fullDisk() throws {
  let run = try ToolRun.shell("probelock exports > /dev/full")
  #expect(run.status == 70 && run.errors.hasPrefix("probelock: standard output: "))
}

/// Runs a command with a terminal of this many columns.
private func terminal(_ arguments: String, columns: Int, in folder: String, _ environment: [String: String] = [:]) throws -> String {
  try ToolRun.run(
    "/usr/bin/script", ["-qec", "stty cols \(columns); '\(ToolRun.binary)' \(arguments)", "/dev/null"], in: folder,
    ["TERM": "xterm", "SHELL": "/bin/sh"].merging(environment) { $1 }
  ).output.replacing("\r\n", with: "\n")
}

private let hasScript = FileManager.default.isExecutableFile(atPath: "/usr/bin/script")

@Test("a narrow terminal cuts the sentence, never the name", .enabled(if: hasScript))
func narrow() throws {
  let folder = try Scratch()
  try folder.file("a-rather-long-name.yaml", Fixture.template)
  for columns in [20, 40, 60, 80] {
    let line = try #require(
      try terminal("run a-rather-long-name.yaml", columns: columns, in: folder.path, ["NO_COLOR": "1"]).split(separator: "\n").first)
    #expect(line.contains("a-rather-long-name") && (columns < 60 || line.count <= columns && line.hasSuffix("…")), "\(columns): \(line)")
  }
  let given = try terminal("run a-rather-long-name.yaml", columns: 200, in: folder.path, ["NO_COLOR": "1", "COLUMNS": "60"])
  #expect(given.split(separator: "\n").first?.count == 60)
  let wide = try ToolRun.tool("run", "a-rather-long-name.yaml", in: folder.path, environment: ["COLUMNS": "40"]).output
  #expect(wide.contains("while running in System (4)\n"))
}

@Test("color is for terminals that want it", .enabled(if: hasScript))
func color() throws {
  let folder = try Scratch()
  try folder.file("lock.yaml", Fixture.template)
  func colors(_ environment: [String: String], _ option: String = "") throws -> Bool {
    try terminal("run \(option) lock.yaml", columns: 120, in: folder.path, environment).contains("\u{1b}[")
  }
  #expect(try colors([:]))
  #expect(try !colors(["NO_COLOR": "1"]))
  #expect(try !colors(["TERM": "dumb"]))
  #expect(try !colors([:], "--color never"))
  #expect(try colors(["NO_COLOR": "1"], "--color always"))
  #expect(try !ToolRun.tool("run", "lock.yaml", in: folder.path).output.contains("\u{1b}"))
  #expect(try ToolRun.tool("run", "--color", "always", "lock.yaml", in: folder.path).output.contains("\u{1b}["))
}

@Test("the table of exports fits 80 columns")
func exports() throws {
  let lines = try ToolRun.tool("exports").output.split(separator: "\n")
  #expect(lines.count > 40)
  // But for a name that is longer itself.
  for line in lines { #expect(line.count <= 80 || !line.dropFirst(27).contains(" "), "\(line)") }
}
