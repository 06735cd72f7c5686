import Guest

/// The names in a PE file's own symbol table, which some linkers write.
///
/// Windows does not look at the table, so what is wrong with it costs names and no more.
enum PESymbols {
  /// PE/COFF specification, “COFF Symbol Table”: records of 18 bytes, then the strings of longer names. Relative addresses.
  static func read(_ file: FileBytes, _ headers: PEHeaders) -> [Image.Symbol] {
    let (table, count) = headers.symbolTable
    guard table > 0, count > 0, table <= file.count, count <= (file.count - table) / 18 else { return [] }
    let strings = table + count * 18
    var result: [Image.Symbol] = []
    var index = 0
    while index < count {
      let at = table + index * 18
      guard let value = try? file.u32(at + 8, ""), let section = try? file.u16(at + 12, "") else { return result }
      // External, or static; a static with an auxiliary record is a section's own name.
      let (storage, auxiliaries) = (file.bytes[at + 16], file.bytes[at + 17])
      index += 1 + Int(auxiliaries)
      guard storage == 2 || storage == 3 && auxiliaries == 0, section > 0, Int(section) <= headers.sections.count,
        value < headers.sections[Int(section) - 1].size, let name = name(file, at, strings)
      else { continue }
      result.append(Image.Symbol(address: UInt64(headers.sections[Int(section) - 1].address) + UInt64(value), name: name))
    }
    return result
  }

  private static func name(_ file: FileBytes, _ at: Int, _ strings: Int) -> String? {
    guard let first = try? file.u32(at, ""), let second = try? file.u32(at + 4, "") else { return nil }
    guard first == 0 else { return undecorated(file.bytes[at..<at + 8].prefix { $0 != 0 }) }
    let start = strings + Int(second)
    guard second >= 4, start < file.count else { return nil }
    return undecorated(file.bytes[start..<Swift.min(file.count, start + 4096)].prefix { $0 != 0 })
  }

  /// What the source calls `name`, by the decorations of C on i386: `_f`, `_f@8` (stdcall), `@f@8` (fastcall).
  ///
  /// Import slots, which the import table names, literals and labels of the compiler's are no names: `nil`.
  static func undecorated(_ bytes: some Collection<UInt8>) -> String? {
    guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    var name = Substring(String(decoding: bytes, as: UTF8.self))
    if name.hasPrefix("__imp_") || name.hasPrefix("??_C@") || name.hasPrefix("$") || name.hasPrefix(".") { return nil }
    if name.hasPrefix("?") { return String(name) }
    let isFastcall = name.hasPrefix("@")
    if isFastcall || name.hasPrefix("_") { name = name.dropFirst() }
    if let at = name.lastIndex(of: "@"), at != name.startIndex, !name[name.index(after: at)...].isEmpty,
      name[name.index(after: at)...].allSatisfy(\.isNumber)
    {
      name = name[..<at]
    }
    return name.isEmpty ? nil : String(name)
  }
}
