import Guest
import WindowsTypes

/// The C runtime's routines on zero-terminated text. Each is written once, for bytes and for UTF-16 units, and declared under its
/// narrow and its wide name; letters are those of the C locale.
extension Export {
  static let narrowStrings = strings(UInt8.self, "str")
  static let wideStrings = strings(UInt16.self, "wcs")
  static let narrowStringChanges = stringChanges(UInt8.self, "str")
  static let wideStringChanges = stringChanges(UInt16.self, "wcs")

  /// What only reads.
  private static func strings<Unit: CodeUnit>(_: Unit.Type, _ prefix: String) -> [Export] {
    [
      // reference/strlen-wcslen-mbslen-mbslen-l-mbstrlen-mbstrlen-l
      export("\(prefix)len(str)", .cdecl) { (_, text: Pointer<Unit>) -> UInt32 in UInt32(try text.length()) },
      // reference/strcmp-wcscmp-mbscmp
      export("\(prefix)cmp(string1, string2)", .cdecl) { (_, first: Pointer<Unit>, second: Pointer<Unit>) -> Int32 in
        try compare(first, second, limit: nil) { $0 }
      },
      // reference/strncmp-wcsncmp-mbsncmp-mbsncmp-l
      export("\(prefix)ncmp(string1, string2, count)", .cdecl) {
        (_, first: Pointer<Unit>, second: Pointer<Unit>, count: GuestWord) -> Int32 in
        try compare(first, second, limit: count.bits) { $0 }
      },
      // reference/stricmp-wcsicmp-mbsicmp-stricmp-l-wcsicmp-l-mbsicmp-l
      export("_\(prefix)icmp(string1, string2)", .cdecl) { (_, first: Pointer<Unit>, second: Pointer<Unit>) -> Int32 in
        try compare(first, second, limit: nil, folding: \.asciiLowercased)
      },
      // reference/strnicmp-wcsnicmp-mbsnicmp-strnicmp-l-wcsnicmp-l-mbsnicmp-l
      export("_\(prefix)nicmp(string1, string2, count)", .cdecl) {
        (_, first: Pointer<Unit>, second: Pointer<Unit>, count: GuestWord) -> Int32 in
        try compare(first, second, limit: count.bits, folding: \.asciiLowercased)
      },
      // reference/strchr-wcschr-mbschr-mbschr-l: the terminator is part of the text.
      export("\(prefix)chr(str, c)", .cdecl) { (kernel, text: Pointer<Unit>, unit: UInt32) -> Pointer<Unit> in
        let wanted = Unit(truncatingIfNeeded: unit)
        var place = text
        while true {
          let here = try place.load()
          if here == wanted { return place }
          if here == 0 { return Pointer(0, in: kernel.memory.memory) }
          place = place[1]
        }
      },
      // reference/strrchr-wcsrchr-mbsrchr-mbsrchr-l
      export("\(prefix)rchr(str, c)", .cdecl) { (kernel, text: Pointer<Unit>, unit: UInt32) -> Pointer<Unit> in
        let units = try text.units() + [0]
        guard let index = units.lastIndex(of: Unit(truncatingIfNeeded: unit)) else { return Pointer(0, in: kernel.memory.memory) }
        return text[index]
      },
      // reference/strstr-wcsstr-mbsstr-mbsstr-l: empty text is found at once.
      export("\(prefix)str(str, strSearch)", .cdecl) {
        (kernel, text: Pointer<Unit>, wanted: Pointer<Unit>) -> Pointer<Unit> in
        let (units, wanted) = (try text.units(), try wanted.units())
        guard let index = units.firstIndex(of: wanted) else { return Pointer(0, in: kernel.memory.memory) }
        return text[index]
      },
      // reference/strspn-wcsspn-mbsspn-mbsspn-l
      export("\(prefix)spn(str, strCharSet)", .cdecl) { (_, text: Pointer<Unit>, set: Pointer<Unit>) -> UInt32 in
        let set = try set.units()
        return UInt32(try text.units().prefix { set.contains($0) }.count)
      },
    ]
  }

  /// What writes.
  private static func stringChanges<Unit: CodeUnit>(_: Unit.Type, _ prefix: String) -> [Export] {
    [
      // reference/strcpy-wcscpy-mbscpy
      export("\(prefix)cpy(strDestination, strSource)", .cdecl) {
        (_, target: Pointer<Unit>, source: Pointer<Unit>) -> Pointer<Unit> in
        try copy(source, to: target, limit: nil)
        return target
      },
      // reference/strncpy-strncpy-l-wcsncpy-wcsncpy-l-mbsncpy-mbsncpy-l: padded with zeros, not terminated beyond.
      export("\(prefix)ncpy(strDest, strSource, count)", .cdecl) {
        (_, target: Pointer<Unit>, source: Pointer<Unit>, count: GuestWord) -> Pointer<Unit> in
        var isOver = false
        for index in 0..<Int(count.bits) {
          let unit = isOver ? 0 : try source[index].load()
          isOver = isOver || unit == 0
          try target[index].store(unit)
        }
        return target
      },
      // reference/strcat-wcscat-mbscat
      export("\(prefix)cat(strDestination, strSource)", .cdecl) {
        (_, target: Pointer<Unit>, source: Pointer<Unit>) -> Pointer<Unit> in
        try copy(source, to: target[target.length()], limit: nil)
        return target
      },
      // reference/strncat-strncat-l-wcsncat-wcsncat-l-mbsncat-mbsncat-l
      export("\(prefix)ncat(strDest, strSource, count)", .cdecl) {
        (_, target: Pointer<Unit>, source: Pointer<Unit>, count: GuestWord) -> Pointer<Unit> in
        try copy(source, to: target[target.length()], limit: count.bits)
        return target
      },
      // reference/strlwr-wcslwr-mbslwr-strlwr-l-wcslwr-l-mbslwr-l
      export("_\(prefix)lwr(str)", .cdecl) { (_, text: Pointer<Unit>) -> Pointer<Unit> in
        try change(text, \.asciiLowercased)
      },
      // reference/strupr-strupr-l-mbsupr-mbsupr-l-wcsupr-l-wcsupr
      export("_\(prefix)upr(str)", .cdecl) { (_, text: Pointer<Unit>) -> Pointer<Unit> in
        try change(text, \.asciiUppercased)
      },
      // reference/strrev-wcsrev-mbsrev-mbsrev-l
      export("_\(prefix)rev(str)", .cdecl) { (_, text: Pointer<Unit>) -> Pointer<Unit> in
        try text.write(text.units().reversed())
        return text
      },
      // reference/strnset-strnset-l-wcsnset-wcsnset-l-mbsnset-mbsnset-l
      export("_\(prefix)nset(str, c, count)", .cdecl) {
        (_, text: Pointer<Unit>, unit: UInt32, count: GuestWord) -> Pointer<Unit> in
        let length = try text.length(limit: Int(count.bits))
        try text.write([Unit](repeating: Unit(truncatingIfNeeded: unit), count: length))
        return text
      },
      // reference/strset-strset-l-wcsset-wcsset-l-mbsset-mbsset-l
      export("_\(prefix)set(str, c)", .cdecl) { (_, text: Pointer<Unit>, unit: UInt32) -> Pointer<Unit> in
        try change(text) { _ in Unit(truncatingIfNeeded: unit) }
      },
    ]
  }

  /// -1, 0 or 1 by the first units that differ once folded, of which at most `limit` are looked at.
  private static func compare<Unit: CodeUnit>(
    _ first: Pointer<Unit>, _ second: Pointer<Unit>, limit: UInt64?, folding fold: (Unit) -> Unit
  ) throws -> Int32 {
    var index = 0
    while limit.map({ index < $0 }) ?? true {
      let (a, b) = (fold(try first[index].load()), fold(try second[index].load()))
      if a != b { return a < b ? -1 : 1 }
      if a == 0 { return 0 }
      index += 1
    }
    return 0
  }

  /// Copies unit by unit and writes a terminator, so that what a fault leaves behind is what a machine leaves.
  private static func copy<Unit: CodeUnit>(_ source: Pointer<Unit>, to target: Pointer<Unit>, limit: UInt64?) throws {
    var index = 0
    while limit.map({ index < $0 }) ?? true {
      let unit = try source[index].load()
      if unit == 0 { break }
      try target[index].store(unit)
      index += 1
    }
    try target[index].store(0)
  }

  /// Replaces every unit before the terminator.
  private static func change<Unit: CodeUnit>(_ text: Pointer<Unit>, _ body: (Unit) -> Unit) throws -> Pointer<Unit> {
    var place = text
    while case let unit = try place.load(), unit != 0 {
      try place.store(body(unit))
      place = place[1]
    }
    return text
  }
}

extension Array where Element: Equatable {
  /// Where `other` begins in this array, if it does.
  func firstIndex(of other: [Element]) -> Int? {
    guard other.count <= count else { return nil }
    return (0...(count - other.count)).first { self[$0..<$0 + other.count].elementsEqual(other) }
  }
}
