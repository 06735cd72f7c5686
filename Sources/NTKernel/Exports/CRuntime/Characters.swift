import Guest
import WindowsTypes

/// Characters one by one, and the C runtime's odds and ends. Letters are those of the C locale, unless said otherwise.
extension Export {
  static let characters: [Export] = [
    // reference/isdigit-iswdigit-isdigit-l-iswdigit-l: bits of the character type table (`_DIGIT`).
    export("isdigit(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in unit.isASCIIDigit ? 0x4 : 0 },
    // reference/islower-iswlower-islower-l-iswlower-l (`_LOWER`)
    export("islower(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in unit.isASCIILower ? 0x2 : 0 },
    // reference/isupper-isupper-l-iswupper-iswupper-l (`_UPPER`)
    export("isupper(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in unit.isASCIIUpper ? 0x1 : 0 },
    // reference/isspace-iswspace-isspace-l-iswspace-l (`_SPACE`)
    export("isspace(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in unit.isASCIIBlank ? 0x8 : 0 },
    // reference/isxdigit-iswxdigit-isxdigit-l-iswxdigit-l (`_HEX`)
    export("isxdigit(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in unit.digitValue.map { $0 < 16 } == true ? 0x80 : 0 },
    // reference/isprint-iswprint-isprint-l-iswprint-l
    export("isprint(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in (0x20...0x7e).contains(unit) ? 1 : 0 }
      .uncertain("which nonzero value it returns is not documented; 1 is taken"),
    // reference/tolower-tolower-towlower-tolower-l-towlower-l
    export("tolower(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in unit.asciiLowercased },
    // reference/toupper-toupper-towupper-toupper-l-towupper-l
    export("toupper(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in unit.asciiUppercased },
    export("towlower(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in UInt32(CaseMapping.lower(UInt16(truncatingIfNeeded: unit))) }
      .uncertain("letters outside ASCII are mapped as RtlDowncaseUnicodeChar maps them"),
    export("towupper(c)", .cdecl) { (_, unit: UInt32) -> UInt32 in UInt32(CaseMapping.upper(UInt16(truncatingIfNeeded: unit))) }
      .uncertain("letters outside ASCII are mapped as RtlUpcaseUnicodeChar maps them"),
    // reference/rand: the multiplier of Microsoft's C runtime; values from 0 to 0x7fff.
    export("rand()", .cdecl) { kernel -> UInt32 in
      kernel.runtime.randomSeed = kernel.runtime.randomSeed &* 214_013 &+ 2_531_011
      return kernel.runtime.randomSeed >> 16 & 0x7fff
    },
    // reference/srand
    export("srand(seed)", .cdecl) { (kernel, seed: UInt32) in kernel.runtime.randomSeed = seed },
    // The compiler's stand-in for a pure virtual function; nothing returns from a call of it.
    export("_purecall()", .cdecl) { _ in throw BugCheck(.kmodeExceptionNotHandled, UInt64(NTSTATUS.notImplemented.rawValue)) }
      .uncertain("how the kernel ends is not documented; KMODE_EXCEPTION_NOT_HANDLED with STATUS_NOT_IMPLEMENTED is taken"),
  ]

  /// Sorting and searching, which call back.
  static let sorting: [Export] = [
    // reference/qsort: not stable, so any order of equal elements will do.
    export("qsort(base, number, width, compare)", .cdecl) {
      (kernel, base: GuestWord, count: UInt32, width: UInt32, compare: GuestWord) async throws in
      try await kernel.sort(base.bits, Int(count), Int(width), by: compare.bits)
      return 0 as UInt32
    }
    .uncertain("elements that compare equal keep their order, and the result register is 0"),
    // reference/bsearch
    export("bsearch(key, base, num, width, compare)", .cdecl) {
      (kernel, key: GuestWord, base: GuestWord, count: UInt32, width: UInt32, compare: GuestWord) async throws -> GuestWord in
      var (low, high) = (0, Int(count))
      while low < high {
        let middle = (low + high) / 2
        let element = base.bits + UInt64(middle) * UInt64(width)
        let order = Int32(truncatingIfNeeded: try await kernel.call(compare.bits, [key.bits, element]))
        if order == 0 { return GuestWord(element) }
        if order < 0 { high = middle } else { low = middle + 1 }
      }
      return 0
    },
  ]
}

extension Kernel {
  /// Sorts in guest memory by binary insertion: the comparison is given the elements' own addresses, as C asks for.
  fileprivate func sort(_ base: UInt64, _ count: Int, _ width: Int, by compare: UInt64) async throws {
    let here = memory.memory
    func address(_ index: Int) -> UInt64 { base + UInt64(index) * UInt64(width) }
    guard count > 1, width > 0 else { return }
    for index in 1..<count {
      // The first element of the sorted prefix that is above the new one.
      var (low, high) = (0, index)
      while low < high {
        let middle = (low + high) / 2
        let order = Int32(truncatingIfNeeded: try await call(compare, [address(middle), address(index)]))
        if order > 0 { high = middle } else { low = middle + 1 }
      }
      guard low < index else { continue }
      let element = try here.bytes(width, at: address(index))
      try move(UInt64((index - low) * width), from: address(low), to: address(low + 1))
      try here.write(element, at: address(low))
    }
  }
}
