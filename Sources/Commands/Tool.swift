import ArgumentParser
import Foundation
import GuestCode

/// The command line tool.
public struct Tool: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "probelock",
    abstract: "Runs Windows kernel code, and shows in whose address space it locked a buffer.",
    discussion: """
      Without a command, the fixtures (*.yaml) of the current folder run, or the built-in ones where there are none. \
      Exit codes: 0 all is as expected; 1 something is not; 64 usage; 65 bad input; 66 missing file; 70 a defect of this program.
      """,
    version: "0.1.0",
    subcommands: [
      RunCommand.self, ServeCommand.self, TraceCommand.self, CallCommand.self, DisassembleCommand.self, ImportsCommand.self,
      ExportsCommand.self, DumpCommand.self, NewCommand.self, MutateCommand.self,
    ], defaultSubcommand: RunCommand.self)

  public init() {}

  /// Does what the process's arguments say, and ends the process.
  public static func main() -> Never {
    Console.ignoreBrokenPipes()
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      try checkCommand(arguments)
      var command = try parseAsRoot(arguments)
      try command.run()
      Foundation.exit(0)
    } catch let failure as Failure {
      Console.complain(failure.message)
      Foundation.exit(failure.code.rawValue)
    } catch let code as ExitCode {
      Foundation.exit(code.rawValue)
    } catch {
      finish(error)
    }
  }

  /// A first word that is no command is a mistake, not a fixture.
  private static func checkCommand(_ arguments: [String]) throws {
    guard let word = arguments.first, !word.hasPrefix("-") else { return }
    let commands = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    guard !commands.contains(word) else { return }
    if BuiltIn.fixture(named: word) != nil || FileManager.default.fileExists(atPath: word) {
      throw Failure(.usage, "\(word): no such command; to run a fixture: probelock run \(word)")
    }
    let shown = commands.filter { !$0.hasPrefix("_") }
    let hint = suggestion(word, among: shown)
    throw Failure(.usage, "\(word): no such command" + (hint.isEmpty ? "; expected one of \(shown.joined(separator: ", "))" : hint))
  }

  /// Help goes to standard output; what the parser refuses, to standard error on one line.
  private static func finish(_ error: any Error) -> Never {
    let code = exitCode(for: error)
    if code.isSuccess {
      Console.put(fullMessage(for: error) + "\n")
      Foundation.exit(0)
    }
    guard code == .validationFailure else {
      Console.complain("internal error: \(error)")
      Foundation.exit(Failure.Code.software.rawValue)
    }
    let lines = message(for: error).split(separator: "\n").map { $0.drop(while: \.isWhitespace) }.filter { !$0.isEmpty }
    let word = CommandLine.arguments.dropFirst().first ?? ""
    let command = configuration.subcommands.contains { $0.configuration.commandName == word } ? " " + word : ""
    Console.complain("\(lines.joined(separator: " ")) (see probelock help\(command))")
    Foundation.exit(Failure.Code.usage.rawValue)
  }
}
