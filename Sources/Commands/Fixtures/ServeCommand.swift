import ArgumentParser
import Emulation
import FilterManager
import Foundation
import Glibc
import Reporting

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run a fixture whose services are processes of their own.",
    discussion: """
      Listens on a socket that only you can use. Each thread that a “serve” step of the fixture names is played by a process that \
      connects (RemoteFilterLibrary in the library Probelock); the run waits for it, and no time passes in the run while it owes an \
      answer. With --record, what the services did is written to a file, which --replay plays without them, to the same trace.
      """)

  @Argument(help: ArgumentHelp("A file, or the name of a built-in fixture.", valueName: "fixture"), completion: .file(extensions: ["yaml"]))
  var name: String
  @Option(help: ArgumentHelp("Where to listen; a name in the runtime folder if left out.", valueName: "path"))
  var socket: String?
  @Option(help: ArgumentHelp("Write what the services did to this file.", valueName: "file"))
  var record: String?
  @Option(help: ArgumentHelp("Play this recording in the place of services.", valueName: "file"))
  var replay: String?
  @Flag(help: "Print the whole trace.")
  var trace = false
  @OptionGroup var changes: FixtureOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if replay != nil, socket != nil || record != nil { throw ValidationError("--replay needs neither --socket nor --record") }
  }

  func run() throws {
    let fixtures = try FixtureSource.fixtures(named: name)
    guard fixtures.count == 1, let fixture = fixtures.first?.changed(by: changes) else {
      throw Failure(.usage, "\(name): \(fixtures.count) fixtures; name one of them: \(name)#NAME")
    }
    guard fixture.fixture.hasServices else {
      throw Failure(.badInput, "\(fixture.file): no “serve” step, so there is nothing for a service to do")
    }
    let run: Run
    if let replay {
      run = try fixture.run(services: ServiceReplay(try recording(at: replay), file: replay))
    } else {
      let listener: ServiceListener
      do throws(SocketError) {
        listener = try ServiceListener(path: socket ?? Self.defaultPath)
      } catch { throw Failure(.badInput, error.description) }
      defer { listener.close() }
      removeAtSignal(listener.path)
      listener.onNotice = { Console.complain(Console.printable($0)) }
      Console.put("\(fixture.fixture.name): listening on \(listener.path)\n")
      fflush(nil)
      run = try fixture.run(services: listener)
      if let record {
        do { try listener.recording.text.write(toFile: record, atomically: true, encoding: .utf8) } catch {
          throw Failure(.badInput, "\(record): cannot be written")
        }
      }
    }
    if output.json {
      Console.put(run.json.text(depth: 4))
    } else if trace {
      Console.put(run.trace())
    } else {
      let report = RunReport(names: [run.fixture.name], palette: output.palette, width: Console.width)
      Console.put(report.lines(for: run, file: fixture.file) + report.story(of: run))
    }
    if !run.isAsExpected { throw ExitCode(1) }
  }

  private func recording(at path: String) throws -> ServiceRecording {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw Failure(.missingFile, "\(path): cannot be read") }
    do {
      return try ServiceRecording(text: text, file: path)
    } catch let error as SocketError { throw Failure(.badInput, error.description) }
  }

  /// A socket of this process's own, where sessions keep theirs.
  private static var defaultPath: String {
    let folder = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"] ?? "/tmp"
    return "\(folder)/probelock-\(getpid()).sock"
  }
}

/// What a signal's handler takes away.
nonisolated(unsafe) private var pathToRemove: UnsafeMutablePointer<CChar>?

/// Has an interrupt or a request to end take the socket away, too.
private func removeAtSignal(_ path: String) {
  pathToRemove = strdup(path)
  // Whoever started this process may have blocked them.
  var signals = sigset_t()
  sigemptyset(&signals)
  defer { sigprocmask(SIG_UNBLOCK, &signals, nil) }
  for number in [SIGINT, SIGTERM, SIGHUP] {
    sigaddset(&signals, number)
    signal(number) { number in
      if let path = pathToRemove { unlink(path) }
      _exit(128 + number)
    }
  }
}
