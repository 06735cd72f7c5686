import Guest
import Guest
import Images
import NTKernel
import WindowsTypes

/// What becomes of an image's imports: which are provided, how far, and by whom.
public struct ImportSurvey: Sendable {
  /// What an import leads to.
  public enum Support: Sendable, Hashable {
    /// A routine that does what its documentation says, and that a test calls.
    case tested
    /// A routine that does less, and what is missing.
    case partial(String)
    /// A variable of the kernel's, and what it lacks.
    case variable(lacking: String?)
    /// Another loaded image exports it.
    case image(String)
    /// Nobody provides it: a call ends the run.
    case missing
  }

  /// How the image names it.
  public enum Origin: Sendable, Hashable {
    /// In its import table.
    case table
    /// In a string that it passes to `MmGetSystemRoutineAddress` or its like.
    case string
  }

  public struct Row: Sendable, Hashable {
    public let module: String
    public let name: String
    public let origin: Origin
    public let support: Support
    /// How many of ``KnownRoutines/countedDrivers`` import it.
    public let importers: Int
    /// The version of Windows that first exports it.
    public let introduced: WindowsRelease
  }

  /// In the order of the import table, then what strings name.
  public let rows: [Row]

  public var missing: [Row] { rows.filter { $0.support == .missing } }

  /// The Windows that the image is looked at for.
  public let target: Target

  /// - Parameters:
  ///   - others: images that are loaded beside it.
  ///   - target: the Windows that it is to run in; `nil` for the one that ``TargetChoice`` chooses.
  public init(of image: Image, beside others: [Image] = [], in target: Target? = nil) {
    let target = target ?? TargetChoice(for: image).target
    self.target = target
    var rows: [Row] = []
    var seen: Set<String> = []
    for item in image.imports where seen.insert("\(item.module)!\(item.name)").inserted {
      rows.append(Self.row(item.module, item.name, .table, others, target))
    }
    for (module, name) in Self.routineNames(in: image) where seen.insert("\(module)!\(name)").inserted {
      rows.append(Self.row(module, name, .string, others, target))
    }
    self.rows = rows
  }

  private static func row(_ module: String, _ name: String, _ origin: Origin, _ others: [Image], _ target: Target) -> Row {
    Row(
      module: module, name: name, origin: origin, support: support(module, name, others, target),
      importers: KnownRoutines.importers(of: name, in: module), introduced: KnownRoutines.introduction(of: name, in: module))
  }

  /// The order is the loader's.
  private static func support(_ module: String, _ name: String, _ others: [Image], _ target: Target) -> Support {
    let symbol = Image.ExportedName(name)
    if let other = others.first(where: { $0.name.lowercased() == module.lowercased() && $0.export(symbol) != nil }) {
      return .image(other.name)
    }
    if let number = Machine.exportNumber(of: name, in: module, for: target) {
      switch Machine.exports.exports[number].support {
      case .tested: return .tested
      case .partial(let missing): return .partial(missing)
      }
    }
    guard let variable = KernelVariable.named(name, in: module), KnownRoutines.isExported(name, of: module, in: target) else {
      return .missing
    }
    if case .partial(let missing) = variable.support { return .variable(lacking: missing) }
    return .variable(lacking: nil)
  }

  // MARK: Strings

  /// The routines that a driver asks for by name: strings in it that are an export's name, where it imports a routine that takes one.
  private static func routineNames(in image: Image) -> [(module: String, name: String)] {
    let imports = Set(image.imports.map(\.name))
    var found: [(String, String)] = []
    func look(in modules: [String], width: Int) {
      let known = modules.map { module in
        let provided = Machine.exports.exports.filter { $0.module == module && $0.isImportable }.map(\.name)
        return (module, Set(KnownRoutines.names(in: module)).union(provided))
      }
      for text in strings(in: image, width: width) {
        if let (module, _) = known.first(where: { $0.1.contains(text) }) { found.append((module, text)) }
      }
    }
    if imports.contains("MmGetSystemRoutineAddress") { look(in: ["nt", "hal"], width: 2) }
    // nf-fltkernel-fltgetroutineaddress takes a string of bytes.
    if imports.contains("FltGetRoutineAddress") { look(in: ["fltMgr"], width: 1) }
    return found
  }

  /// The identifiers in the image, as strings of `width` bytes a character that end in a zero.
  private static func strings(in image: Image, width: Int) -> [String] {
    func isPart(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
    }
    var strings: [String] = []
    for section in image.sections {
      let bytes = section.bytes
      var place = 0
      while place + width <= bytes.count {
        var text: [UInt8] = []
        var next = place
        while next + width <= bytes.count, isPart(bytes[next]), width == 1 || bytes[next + 1] == 0 {
          text.append(bytes[next])
          next += width
        }
        let isEnded = next + width <= bytes.count && bytes[next] == 0 && (width == 1 || bytes[next + 1] == 0)
        if text.count >= 4, isEnded { strings.append(String(decoding: text, as: UTF8.self)) }
        place = text.isEmpty ? place + 1 : next
      }
    }
    return strings
  }
}

extension Machine {
  /// The number of the routine that `module!name` is: what the kernel and the HAL export, each of them names as its own.
  ///
  /// - Parameter target: whose exports are asked about; `nil` for all that are provided.
  static func exportNumber(of name: String, in module: String, for target: Target?) -> Int? {
    func isThere(_ number: Int) -> Bool { target.map { exports.isThere(number, in: $0) } ?? true }
    if let number = exports[module, name], exports.exports[number].isImportable { return isThere(number) ? number : nil }
    let kernel = ["nt", "hal"]
    guard kernel.contains(module.lowercased()) else { return nil }
    return exports.number(of: name).flatMap { kernel.contains(exports.exports[$0].module) && isThere($0) ? $0 : nil }
  }
}
