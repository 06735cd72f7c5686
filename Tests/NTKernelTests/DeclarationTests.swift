import FilterManager
import Foundation
import Guest
import KMDF
import NTKernel
import Testing

@Suite("Export declarations") struct DeclarationTests {
  static let table = ExportTable(ExportTable.kernel + [FilterManager.exports, KMDF.loader + KMDF.functions])

  /// Routines that no row of the table names, and why.
  static let withoutRow = [
    "FsRtlPrepareToReuseEcp": "newer than the library", "IoRegisterBootDriverCallback": "newer than the library",
    "IoUnregisterBootDriverCallback": "newer than the library", "Kei386EoiHelper": "no routine to be called: handlers jump to it",
    "MmPrepareMdlForReuse": "a macro of the DDK's headers, which no import library has",
    "KeRemoveQueueApc": "in no import library of Debian's",
    "KeQuerySystemTimePrecise": "of Windows 8, and in no import library of Debian's",
    "ExAcquireRundownProtectionEx": "its page has two arguments, the library's decorated name one",
    "ExAcquireRundownProtectionCacheAwareEx": "its page has two arguments, the library's decorated name one",
    "ObfReferenceObjectWithTag": "in no import library of Debian's", "ObfDereferenceObjectWithTag": "in no import library of Debian's",
    "FltDecodeParameters": "fltMgr's, for which Debian has no import library",
  ]

  /// Modules for which Debian has no import library.
  static let withoutLibrary: Set = [
    "fwpkclnt", "storport", "portcls", "battc", "cng", "watchdog", "drmk", "stream", "pciidex", "oprghdlr", "irclass", "WppRecorder",
  ]

  /// Rows of stack-bytes.tsv: the module and the argument bytes of each routine.
  static let rows: [String: (module: String, bytes: Int)] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "stack-bytes.tsv")
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [:] }
    var rows: [String: (String, Int)] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let fields = line.split(separator: "\t").map(String.init)
      if fields.count == 3, let bytes = Int(fields[2]) { rows[fields[0]] = (fields[1], bytes) }
    }
    return rows
  }()

  @Test(
    "each stdcall or fastcall routine takes as many argument bytes as the import libraries' decorated names say",
    arguments: table.exports.filter { $0.isImportable && ![.cdecl, .wideShift].contains($0.convention) }.map(\.name))
  func stackBytes(name: String) throws {
    let export = try #require(Self.table.exports.first { $0.name == name })
    guard let row = Self.rows[name] else {
      #expect(Self.withoutRow[name] != nil || Self.withoutLibrary.contains(export.module), "stack-bytes.tsv has no row for \(name)")
      return
    }
    #expect(Self.withoutRow[name] == nil, "\(name) has a row")
    let words = export.parameterTypes.filter { $0.size(in: .windowsXP_x86) <= 4 }.count
    let inRegisters = export.convention == .fastcall ? min(8, words * 4) : 0
    #expect(export.stackBytes(.windowsXP_x86) + inRegisters == row.bytes)
    #expect(export.module == row.module)
  }

  @Test("the table of bytes has no row that nothing declares") func noStrayRows() {
    #expect(Self.rows.count > 40)
    for name in Self.rows.keys { #expect(Self.table.number(of: name) != nil, "\(name) is not declared") }
  }

  @Test("a cdecl routine leaves its arguments to the caller") func cdecl() throws {
    for name in ["DbgPrint", "DbgPrintEx", "_except_handler3", "_local_unwind2"] {
      let export = try #require(Self.table.exports.first { $0.name == name })
      #expect(export.convention == .cdecl && export.stackBytes(.windowsXP_x86) == 0, "\(name)")
    }
  }

  @Test("a name is found whatever its case and module; what only the kernel leads to is found by module alone") func names() {
    #expect(Self.table["NT", "keattachprocess"] == Self.table.number(of: "KeAttachProcess"))
    #expect(Self.table["nt", "KfRaiseIrql"] == nil)
    #expect(Self.table["hal", "KfRaiseIrql"] == Self.table.number(of: "KfRaiseIrql"))
    #expect(Self.table.number(of: "KiGuardHandler") == nil)
    #expect(Self.table["nt", "KiGuardHandler"] != nil)
  }
}
