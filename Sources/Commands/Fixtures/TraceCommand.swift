import ArgumentParser
import Emulation
import Reporting

/// What a trace shows beside instructions and calls.
struct TraceFlags: ParsableArguments {
  @Flag(help: "Print the registers before each instruction, and those that it changed.")
  var registers = false
  @Flag(help: "Print where each memory operand lies.")
  var operands = false
  @Flag(help: "Print calls and events, without instructions.")
  var calls = false
  @Flag(help: "Print the guest's call stack with each fault, lock and bugcheck.")
  var stacks = false
}

struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Run one fixture, and print every executed instruction, call and event.",
    discussion: "Exits 0 when the fixture could run, whatever it expects.")

  @Argument(help: ArgumentHelp("A file, or the name of a built-in fixture.", valueName: "fixture"), completion: .file(extensions: ["yaml"]))
  var name: String
  @OptionGroup var trace: TraceFlags
  @OptionGroup var changes: FixtureOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let run = try FixtureSource.fixture(named: name).changed(by: changes).run(recordingRegisters: trace.registers || trace.operands)
    if output.json {
      let trace = run.traceJSON(instructions: !trace.calls)
      Console.put(JSONValue.document(["run": run.json, "trace": .array(trace)]).text(depth: 2))
    } else {
      run.putTrace(trace)
    }
  }
}
