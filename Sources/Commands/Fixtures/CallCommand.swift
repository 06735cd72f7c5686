import ArgumentParser
import Emulation
import Events
import Guest
import Images
import Reporting
import WindowsTypes

struct CallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call",
    abstract: "Call a routine of an image, in a world with System (4) and app.exe (1232).",
    discussion: """
      The thread “worker” of System calls; “app” is app.exe's, which has three pages at 0x130000. Arguments are written as in a \
      fixture: 0x130000, 12288, true, STATUS_SUCCESS, app, app.exe, '{text: abc}', or an operation such as \
      '{write: {buffer: 0x130000, length: 0x3000, requestor: app}}'. Exits 0 when the routine returned, and 1 when not.
      """)

  @Argument(
    help: ArgumentHelp("A listing, or the name of a built-in image.", valueName: "image"), completion: .file(extensions: ["listing"]))
  var image: String
  @Argument(help: ArgumentHelp("A symbol of the image, or an address with 0x.", valueName: "routine"))
  var routine: String
  @Argument(parsing: .remaining, help: ArgumentHelp("What it is called with. Options come before.", valueName: "argument"))
  var arguments: [String] = []
  @Option(help: ArgumentHelp("The thread that calls: worker or app.", valueName: "name"))
  var on = "worker"
  @Flag(help: "Print the trace before the result.")
  var trace = false
  @OptionGroup var traceFlags: TraceFlags
  @OptionGroup var changes: FixtureOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let (image, file) = try ImageFile.image(named: image)
    let address = try image.address(naming: routine, file: file)
    let source = SourcedFixture(fixture: try fixture(image, file, address), file: file, folder: ".")
    let showsTrace = trace || traceFlags.registers || traceFlags.operands || traceFlags.calls || traceFlags.stacks
    let run = try source.changed(by: changes).run(recordingRegisters: traceFlags.registers || traceFlags.operands)
    if output.json {
      let trace = showsTrace ? JSONValue.array(run.traceJSON(instructions: !traceFlags.calls)) : nil
      Console.put(JSONValue.document(["run": run.json, "trace": trace]).text(depth: showsTrace ? 2 : 4))
    } else {
      if showsTrace { run.putTrace(traceFlags) }
      Console.put(result(run, image.symbol(at: address) ?? "0x" + hex(address)))
    }
    guard case .returned = run.outcome else { throw ExitCode(1) }
  }

  private func result(_ run: Run, _ name: String) -> String {
    var text = ""
    switch run.outcome {
    case .returned(let value):
      let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value))
      text += "\(name) returned \(hex(value, run.names.target))" + (status.name.map { " (\($0))" } ?? "")
      text += " after \(run.instructions) instructions\n"
    default: text += "\(name): \(run.ending)\n"
    }
    if !run.locks.isEmpty { text += "\(run.verdict.title): \(run.sentence)\n" }
    for finding in run.findings { text += "\(finding.rule): \(finding.sentence)\n" }
    if !run.messages.isEmpty { text += "printed: \(run.messages.joined())" + (run.messages.last?.hasSuffix("\n") == true ? "" : "\n") }
    return Console.printable(text, keeping: "\n\t")
  }

  /// The world as the text of a fixture, so that arguments have the same spelling here as there.
  private func fixture(_ image: Image, _ file: String, _ address: UInt64) throws -> Fixture {
    guard ["worker", "app"].contains(on) else { throw Failure(.usage, "--on: no thread “\(on)”; expected worker or app") }
    let isKernel = image.name == "nt"
    let head = """
      fixture: 1
      name: call
      load: [\(isKernel ? "" : "nt.listing, ")\(quoted(file))]
      processes:
        System: {id: 4}
        app.exe:
          id: 1232
          memory:
            0x00130000: {size: 0x3000, text: "the user's bytes"}
      threads: {worker: System, app: app.exe}
      calls:
      - on: \(on)
        call: 0x\(hex(address, digits: 1))
        expect: any
        with:

      """
    let first = head.utf8.count { $0 == UInt8(ascii: "\n") } + 1
    for (index, argument) in arguments.enumerated() where argument.contains(where: \.isNewline) {
      throw Failure(.usage, "argument \(index + 1): more than one line; expected a value as a fixture spells it")
    }
    let text = arguments.isEmpty ? String(head.dropLast("  with:\n".count)) : head + arguments.map { "  - \($0)\n" }.joined()
    do throws(FixtureError) {
      return try Fixture(yaml: text, file: "call")
    } catch {
      let place = error.line.map { $0 >= first ? "argument \($0 - first + 1)" : "call" } ?? "call"
      throw Failure(.badInput, "\(place): \(error.message)")
    }
  }

  private func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
