import ArgumentParser
import FilterManager
import Guest
import KMDF
import NTKernel
import Reporting
import WindowsTypes

struct ExportsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exports",
    abstract: "Print every kernel routine and variable that Probelock provides, and how far.",
    discussion: """
      The columns: the convention with the bytes of stack that the routine pops, the highest IRQL at which it may be called, and \
      its prototype. Below it stands what is missing where it is not all there, and what the documentation leaves open.
      """)

  @Argument(help: ArgumentHelp("Routines to print, with or without their module; all where none is named.", valueName: "routine"))
  var routines: [String] = []
  @OptionGroup var output: OutputOptions

  func run() throws {
    let all = ExportTable.kernel.joined() + FilterManager.exports + KMDF.loader
    let (exports, variables) = try select(all.filter(\.isImportable) + KMDF.functions)
    if output.json {
      Console.put(
        JSONValue.document([
          "target": .string(Target.windowsXP_x86.name), "exports": .array(exports.map(json)), "variables": .array(variables.map(json)),
        ]).text())
    } else {
      let width = max(40, Console.width ?? 80)
      Console.put(exports.map { text($0, width) }.joined() + variables.map { text($0, width) }.joined())
    }
  }

  private func select(_ all: [Export]) throws -> ([Export], [KernelVariable]) {
    guard !routines.isEmpty else {
      return (
        all.sorted { ($0.module, $0.name) < ($1.module, $1.name) },
        KernelVariable.all.sorted { ($0.module, $0.name) < ($1.module, $1.name) }
      )
    }
    var found: ([Export], [KernelVariable]) = ([], [])
    for wanted in routines {
      func isMeant(_ module: String, _ name: String) -> Bool {
        "\(module)!\(name)".lowercased() == wanted.lowercased() || name.lowercased() == wanted.lowercased()
      }
      if let export = all.first(where: { isMeant($0.module, $0.name) }) {
        found.0.append(export)
      } else if let variable = KernelVariable.all.first(where: { isMeant($0.module, $0.name) }) {
        found.1.append(variable)
      } else {
        let known = (all.map { ($0.module, $0.name) } + KernelVariable.all.map { ($0.module, $0.name) }).map { module, name in
          wanted.contains("!") ? "\(module)!\(name)" : name
        }
        throw Failure(.badInput, "\(wanted): no such routine is provided\(suggestion(wanted, among: known))")
      }
    }
    return found
  }

  private func text(_ variable: KernelVariable, _ width: Int) -> String {
    let indent = String(repeating: " ", count: 27)
    var lines = ["variable".padded(to: 27) + "\(variable.module)!\(variable.name)"]
    for note in notes(variable.module, variable.name, variable.support) {
      lines += wrap(note, width - indent.count - 4).map { indent + "    " + $0 }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func json(_ variable: KernelVariable) -> JSONValue {
    var missing: String?
    if case .partial(let text) = variable.support { missing = text }
    return .object([
      "module": .string(variable.module), "name": .string(variable.name), "support": .string(missing == nil ? "tested" : "partial"),
      "missing": missing.map { .string($0) },
      "introduced": .string("\(KnownRoutines.introduction(of: variable.name, in: variable.module))"),
    ])
  }

  private func text(_ export: Export, _ width: Int) -> String {
    let bytes = export.stackBytes(.windowsXP_x86)
    let head = export.convention.rawValue.padded(to: 10) + "\(bytes)".leftPadded(to: 2) + "  " + irql(export).padded(to: 13)
    let indent = String(repeating: " ", count: head.count)
    let prototype = "\(export.module)!\(export.name)(\(export.parameters.joined(separator: ", ")))"
    let room = width - indent.count - 2
    // A name that leaves no room for the first parameter has a line of its own.
    let isLong = (prototype.split(separator: " ").first?.count ?? 0) > room
    var lines = wrap(isLong ? prototype.replacing("(", with: "( ", maxReplacements: 1) : prototype, room)
    lines[0] = head + lines[0]
    for index in lines.indices.dropFirst() { lines[index] = indent + "  " + lines[index] }
    for note in notes(export) { lines += wrap(note, width - indent.count - 4).map { indent + "    " + $0 } }
    return lines.joined(separator: "\n") + "\n"
  }

  private func irql(_ export: Export) -> String {
    guard let highest = export.highestIRQL else { return "any IRQL" }
    let name = "\(highest)"
    return (highest.rawValue == 0 ? "" : "<= ") + (name.hasSuffix("_LEVEL") ? String(name.dropLast(6)) : name)
  }

  private func notes(_ export: Export) -> [String] {
    notes(export.module, export.name, export.support) + (export.uncertainty.map { ["uncertain: \($0)"] } ?? [])
  }

  private func notes(_ module: String, _ name: String, _ support: Support) -> [String] {
    var notes: [String] = []
    let introduced = KnownRoutines.introduction(of: name, in: module)
    if introduced > .xp { notes.append("from \(introduced) on") }
    if case .partial(let missing) = support { notes.append("partial: \(missing)") }
    return notes
  }

  private func json(_ export: Export) -> JSONValue {
    var missing: String?
    if case .partial(let text) = export.support { missing = text }
    return .object([
      "module": .string(export.module), "name": .string(export.name), "parameters": .array(export.parameters.map { .string($0) }),
      "convention": .string(export.convention.rawValue), "stackBytes": .number(export.stackBytes(.windowsXP_x86)),
      "highestIRQL": export.highestIRQL.map { .number(Int($0.rawValue)) } ?? .null,
      "support": .string(missing == nil ? "tested" : "partial"), "missing": missing.map { .string($0) },
      "uncertainty": export.uncertainty.map { .string($0) },
      "introduced": .string("\(KnownRoutines.introduction(of: export.name, in: export.module))"),
    ])
  }

  /// Lines of at most `width` columns, broken between words, and behind the parenthesis of a long name; a longer word has its own.
  private func wrap(_ text: String, _ width: Int) -> [String] {
    var lines = [""]
    let words = text.split(separator: " ").flatMap { word -> [Substring] in
      guard word.count > width, let open = word.firstIndex(of: "(") else { return [word] }
      return [word[...open], word[word.index(after: open)...]].filter { !$0.isEmpty }
    }
    for word in words {
      let last = lines[lines.count - 1]
      if last.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}

extension String {
  func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
