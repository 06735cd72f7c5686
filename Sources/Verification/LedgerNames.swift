import Events

/// What the rules need to know of a run beside its events: how things are called, and where system space begins.
public struct LedgerNames {
  /// `notepad.exe (1232)`
  public let process: (ProcessID) -> String
  /// `fltMgr!FltLockUserBuffer+0x8a`, or `nil` where nothing is known.
  public let symbol: (UInt64) -> String?
  /// The first address of the half that every process shares.
  public let systemRangeStart: UInt64

  public init(process: @escaping (ProcessID) -> String, symbol: @escaping (UInt64) -> String?, systemRangeStart: UInt64) {
    self.process = process
    self.symbol = symbol
    self.systemRangeStart = systemRangeStart
  }

  /// Modules that are part of Windows, as the debugger names them.
  static let windowsModules: Set<String> = ["nt", "hal", "fltmgr", "wdf01000"]

  /// The routine of Windows that holds `returnAddress`, without module and offset; `nil` where it is a driver's code.
  ///
  /// A return address lies behind a call, never at a routine's first byte: what does is a stub to which callbacks return.
  func windowsRoutine(at returnAddress: UInt64) -> String? {
    guard let symbol = symbol(returnAddress), let mark = symbol.firstIndex(of: "!"), let offset = symbol.lastIndex(of: "+"),
      Self.windowsModules.contains(symbol[..<mark].lowercased())
    else { return nil }
    return String(symbol[symbol.index(after: mark)..<offset])
  }

  /// The routine that a driver called and that ended in `routine`: the last of Windows' own on the way out from `site`.
  func subject(of routine: String, at site: Site) -> String {
    site.stack.lazy.map(windowsRoutine(at:)).prefix { $0 != nil }.last.flatMap { $0 } ?? routine
  }

  /// `System (4)`, `System (4) and service.exe (800)`, `nobody`
  func list(_ processes: [ProcessID]) -> String {
    let titles = processes.map(process)
    guard let last = titles.last else { return "nobody" }
    return titles.count == 1 ? last : titles.dropLast().joined(separator: ", ") + " and " + last
  }

  /// `notepad.exe's`; with the process's number where another one in the sentence has the same name.
  func possessive(_ id: ProcessID, besides others: [ProcessID]) -> String {
    let name = shortName(id)
    return others.contains { $0 != id && shortName($0) == name } ? "that of \(process(id))" : "\(name)'s"
  }

  private func shortName(_ id: ProcessID) -> String {
    let title = process(id)
    guard title.hasSuffix(")"), let bracket = title.lastIndex(of: "(") else { return title }
    return String(title[..<bracket].dropLast())
  }
}

/// `3 pages`, `1 page`
func pages(_ count: Int) -> String { count == 1 ? "1 page" : "\(count) pages" }
