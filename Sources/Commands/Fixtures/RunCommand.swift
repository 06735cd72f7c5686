import ArgumentParser
import Emulation
import Foundation
import GuestCode
import Guest
import WindowsTypes
import Reporting

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run fixtures, and say of each whether all is as it expects.",
    discussion: """
      A fixture is a file, or a built-in one by its name. Without any, the fixtures (*.yaml) of the current folder run, or the \
      built-in ones where there are none. Exits 0 when all is as expected, and 1 when not.
      """)

  @Argument(help: ArgumentHelp("Files, or names of built-in fixtures.", valueName: "fixture"), completion: .file(extensions: ["yaml"]))
  var names: [String] = []
  @Flag(name: .shortAndLong, help: "Print failures and the summary only.")
  var quiet = false
  @Flag(help: "Print the resolved world: processes, threads, images, pages and what each import is bound to.")
  var explain = false
  @Flag(help: "Print what the guest printed to its debugger, and nothing else.")
  var messages = false
  @Flag(name: .customLong("open"), help: "Open each device of a driver file, send it control codes that mean nothing, and close it.")
  var asksDevices = false
  @OptionGroup var changes: FixtureOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if messages, explain || output.json { throw ValidationError("--messages prints the guest's output alone; leave out the other option") }
  }

  func run() throws {
    var failure: Failure?
    let (fixtures, source) = try collect { failure = failure ?? $0 }
    if failure == nil, fixtures.isEmpty { throw Failure(.missingFile, "no fixtures here, and none built in") }
    var report = RunReport(names: fixtures.map(\.fixture.name), palette: output.palette, width: Console.width)
    var documents: [JSONValue] = []
    for fixture in fixtures.map(asking) {
      do {
        let run = try fixture.changed(by: changes).run()
        report.note(run)
        if output.json {
          documents.append(document(run, fixture))
        } else if messages {
          Console.put(run.messages.map { Console.printable($0, keeping: "\n\t") }.joined())
        } else {
          if explain { Console.put(Explanation(run).text) }
          if !quiet || !run.isAsExpected {
            Console.put(report.lines(for: run, file: fixture.file))
            if let remark = fixture.remark { Console.put("      \(remark)\n") }
            if let reason = fixture.changed(by: changes).versionReason {
              Console.put(
                "      ran in \(run.fixture.target.system.release): \(Console.printable(reason)) (--windows xp runs it in Windows XP)\n")
            }
          }
          if !quiet, fixtures.count == 1 { Console.put(report.story(of: run)) }
        }
      } catch let error as Failure {
        Console.complain(error.message)
        failure = failure ?? error
      }
    }
    if output.json {
      Console.put(
        JSONValue.document([
          "fixtures": .array(documents), "asExpected": .number(report.asExpected), "count": .number(report.count),
        ]).text(depth: 4))
    } else if !messages, report.count > 0 {
      Console.put("\(report.count) \(source(report.count)), \(report.asExpected) as expected\n")
    }
    if let failure { throw ExitCode(failure.code.rawValue) }
    if report.asExpected < report.count { throw ExitCode(1) }
  }

  /// With `--open` a driver file is given work before it is unloaded.
  private func asking(_ sourced: SourcedFixture) -> SourcedFixture {
    guard asksDevices else { return sourced }
    var changed = sourced
    changed.fixture.askDevices()
    return changed
  }

  private func document(_ run: Run, _ fixture: SourcedFixture) -> JSONValue {
    guard case .object(let members) = run.json else { return .null }
    let file = JSONValue.Member(name: "file", value: .string(fixture.file))
    let world = explain ? [JSONValue.Member(name: "world", value: Explanation(run).json)] : []
    return .object(members.prefix(1) + [file] + members.dropFirst() + world)
  }

  /// What is to run, and what the summary calls it. A file that cannot be read is complained of, and the others run.
  private func collect(_ report: (Failure) -> Void) throws -> ([SourcedFixture], (Int) -> String) {
    func gather<Item>(_ items: [Item], _ read: (Item) throws -> [SourcedFixture]) throws -> [SourcedFixture] {
      try items.flatMap { item in
        do {
          return try read(item)
        } catch let error as Failure {
          Console.complain(error.message)
          report(error)
          return []
        }
      }
    }
    func counted(_ before: String, _ after: String = "") -> (Int) -> String {
      { before + ($0 == 1 ? "fixture" : "fixtures") + after }
    }
    guard names.isEmpty else { return (try gather(names, FixtureSource.fixtures(named:)), counted("")) }
    let files = FixtureSource.filesHere()
    guard files.isEmpty else { return (try gather(files, FixtureSource.fixtures(in:)), counted("", " of this folder")) }
    return (try gather(BuiltIn.fixtures, FixtureSource.fixtures(of:)), counted("built-in "))
  }
}
