import ArgumentParser
import Emulation
import Foundation
import Guest
import Images
import NTKernel
import Reporting
import WindowsTypes

struct ImportsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "imports",
    abstract: "Print what a driver imports, and how far each routine is provided.",
    discussion: """
      Behind a missing routine stands how many of \(KnownRoutines.countedDrivers) real drivers import it. Routines that the driver asks \
      for by name, through MmGetSystemRoutineAddress, are listed where their names are strings in it. Several drivers are loaded \
      together: what one exports, the others can import. Exits 0 when all is provided, and 1 when something is missing.
      """)

  @Argument(
    help: ArgumentHelp("Drivers: files, or names of built-in images.", valueName: "image"),
    completion: .file(extensions: ["sys", "listing"]))
  var images: [String]
  @Option(
    help: ArgumentHelp("For this version of Windows, xp or 7; otherwise the oldest that has what is imported.", valueName: "version"),
    transform: Target.init(argument:))
  var windows: Target?
  @OptionGroup var output: OutputOptions

  func run() throws {
    let read = try images.map { try ImageFile.image(named: $0) }
    let surveys = read.enumerated().map { index, item in
      let others = read.enumerated().filter { $0.offset != index }.map(\.element.image)
      return (item.image, item.file, ImportSurvey(of: item.image, beside: others, in: windows))
    }
    if output.json {
      Console.put(JSONValue.document(["images": .array(surveys.map { json($0.0, $0.1, $0.2) })]).text(depth: 4))
    } else {
      for (index, (image, file, survey)) in surveys.enumerated() {
        if index > 0 { Console.put("\n") }
        Console.put(Console.printable(text(image, file, survey), keeping: "\n"))
      }
    }
    if surveys.contains(where: { !$0.2.missing.isEmpty }) { throw ExitCode(1) }
  }

  // MARK: Text

  private func text(_ image: Image, _ file: String, _ survey: ImportSurvey) -> String {
    let name = (file as NSString).lastPathComponent
    guard !survey.rows.isEmpty else { return "\(name) imports nothing\n" }
    let width = (survey.rows.map { "\($0.module)!\($0.name)".count }.max() ?? 0) + 2
    var lines = [summary(name, survey)]
    for row in survey.rows {
      let asked = row.origin == .string ? "   by name" : ""
      lines.append("  " + "\(row.module)!\(row.name)".padded(to: width) + words(row, survey) + asked)
    }
    let strange = Set(survey.missing.map(\.module)).sorted().compactMap { module in
      isProvided(module) ? nil : "\(module): \(KnownRoutines.about(module: module) ?? "a module that is not known here")"
    }
    lines += strange.map { line in
      "  " + line + (KnownRoutines.isUserMode(String(line.prefix { $0 != ":" })) ? "" : "; a file of it can be loaded too")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// `hello.sys: 6 imports: 5 provided, 1 of them partly; 1 missing`
  private func summary(_ name: String, _ survey: ImportSurvey) -> String {
    let (missing, count) = (survey.missing.count, survey.rows.count)
    let partial = survey.rows.count {
      switch $0.support {
      case .partial, .variable(lacking: .some): true
      default: false
      }
    }
    let version = survey.target == .windowsXP_x86 ? "" : " in \(survey.target.system.release)"
    return "\(name): \(count) \(count == 1 ? "import" : "imports")\(version): \(count - missing) provided"
      + (partial > 0 ? ", \(partial) of them partly" : "") + (missing > 0 ? "; \(missing) missing" : "")
  }

  private func words(_ row: ImportSurvey.Row, _ survey: ImportSurvey) -> String {
    switch row.support {
    case .tested: "tested"
    case .partial(let missing): "partial: \(missing)"
    case .variable(let missing): "variable" + (missing.map { ": \($0)" } ?? "")
    case .image(let name): "from \(name)"
    case .missing:
      output.palette.red("MISSING")
        + (row.introduced > survey.target.system.release ? ": exported from \(row.introduced) on" : "")
        + (row.importers > 0 ? ": \(row.importers) of \(KnownRoutines.countedDrivers) drivers import it" : "")
    }
  }

  private func isProvided(_ module: String) -> Bool { ["nt", "hal", "fltmgr"].contains(module.lowercased()) }

  // MARK: JSON

  private func json(_ image: Image, _ file: String, _ survey: ImportSurvey) -> JSONValue {
    .object([
      "file": .string(file), "image": .string(image.name), "missing": .number(survey.missing.count),
      "countedDrivers": .number(KnownRoutines.countedDrivers), "imports": .array(survey.rows.map(json)),
    ])
  }

  private func json(_ row: ImportSurvey.Row) -> JSONValue {
    let (support, detail): (String, String?) =
      switch row.support {
      case .tested: ("tested", nil)
      case .partial(let missing): ("partial", missing)
      case .variable(let missing): ("variable", missing)
      case .image(let name): ("image", name)
      case .missing: ("missing", KnownRoutines.about(module: row.module))
      }
    return .object([
      "module": .string(row.module), "name": .string(row.name), "origin": .string(row.origin == .table ? "table" : "string"),
      "support": .string(support), "detail": detail.map { .string($0) }, "importers": .number(row.importers),
      "introduced": .string("\(row.introduced)"),
    ])
  }
}
