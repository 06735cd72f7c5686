import ArgumentParser
import Emulation
import Guest
import Reporting
import WindowsTypes

struct DumpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Print a structure as WinDbg's dt does: its layout, or what a fixture's run left in it.",
    discussion: "With a fixture, the address is one of guest memory at the end of its run: 0x and digits.")

  @Argument(help: ArgumentHelp("The structure: EPROCESS, _MDL, nt!_KTHREAD.", valueName: "structure"))
  var structure: String
  @Argument(help: ArgumentHelp("A file, or the name of a built-in fixture.", valueName: "fixture"), completion: .file(extensions: ["yaml"]))
  var fixture: String?
  @Argument(help: ArgumentHelp("Where the structure lies, with 0x.", valueName: "address"))
  var address: String?
  @Option(help: ArgumentHelp("In whose address space; the one that ran last where none is named.", valueName: "name"))
  var process: String?
  @OptionGroup var changes: FixtureOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if fixture != nil, address == nil { throw ValidationError("a fixture needs an address in it, such as 0x82210020") }
    if fixture == nil, process != nil { throw ValidationError("--process needs a fixture and an address") }
  }

  func run() throws {
    do {
      let text: String
      if let fixture, let address {
        text = try contents(fixture, address)
      } else {
        text = try dt(structure, in: changes.windows ?? .windowsXP_x86)
      }
      guard output.json else { return Console.put(Console.printable(text, keeping: "\n")) }
      let lines = text.split(separator: "\n").map(String.init)
      let members = lines.dropFirst().compactMap(member)
      Console.put(
        JSONValue.document([
          "structure": lines.first.map { .string($0) }, "address": address.map { .string($0) }, "members": .array(members),
        ]).text())
    } catch let error as UnknownStructure {
      throw Failure(.badInput, "\(error)")
    }
  }

  private func contents(_ fixture: String, _ place: String) throws -> String {
    guard place.hasPrefix("0x"), let address = UInt64(place.dropFirst(2), radix: 16) else {
      throw Failure(.badInput, "“\(place)” is no address; expected 0x and up to 16 hexadecimal digits")
    }
    // An unknown structure is found before anything runs.
    _ = try StructureCatalogue.structure(named: structure)
    let run = try FixtureSource.fixture(named: fixture).changed(by: changes).run()
    let owner = try process.map { try id(of: $0, in: run) }
    return try run.withMemory(of: owner) { try dt(structure, at: address, in: $0, symbol: run.names.symbol(at:)) }
  }

  /// The process of this name, or of this number.
  private func id(of process: String, in run: Run) throws -> Int {
    let processes = run.names.processes
    if let found = processes.firstIndex(where: { $0.name == process || String($0.uniqueID) == process }) { return found }
    throw Failure(.badInput, "\(run.fixture.name): no process \(process)\(suggestion(process, among: processes.map(\.name)))")
  }

  /// `   +0x004 Size             : 0n32`
  private func member(_ line: String) -> JSONValue? {
    let parts = line.split(separator: ":", maxSplits: 1)
    let words = (parts.first ?? "").split(separator: " ")
    guard parts.count == 2, words.count == 2, words[0].hasPrefix("+0x") else { return nil }
    return .object([
      "name": .string(String(words[1])), "offset": .string(String(words[0].dropFirst())),
      "text": .string(parts[1].trimmingPrefix(" ").description),
    ])
  }
}
