import Guest
import WindowsTypes

/// The C runtime's routines that are told how large the target is. They came after XP; drivers for later versions import them.
extension Export {
  static let narrowSecureStrings = secureStrings(UInt8.self, "str")
  static let wideSecureStrings = secureStrings(UInt16.self, "wcs")

  /// `errno_t` values of `errno.h`.
  private enum ErrorNumber {
    static let invalid: Int32 = 22
    static let range: Int32 = 34
    static let truncated: Int32 = 80
  }
  /// `_TRUNCATE`: as much as fits.
  private static let truncate: UInt64 = 0xffff_ffff

  private static func secureStrings<Unit: CodeUnit>(_: Unit.Type, _ prefix: String) -> [Export] {
    [
      // reference/strcpy-s-wcscpy-s-mbscpy-s
      export("\(prefix)cpy_s(dest, dest_size, src)", .cdecl) {
        (_, target: Pointer<Unit>, size: GuestWord, source: Pointer<Unit>) -> Int32 in
        try place(source, count: nil, at: 0, of: target, size: size.bits)
      },
      // reference/strncpy-s-strncpy-s-l-wcsncpy-s-wcsncpy-s-l-mbsncpy-s-mbsncpy-s-l
      export("\(prefix)ncpy_s(strDest, numberOfElements, strSource, count)", .cdecl) {
        (_, target: Pointer<Unit>, size: GuestWord, source: Pointer<Unit>, count: GuestWord) -> Int32 in
        if count.bits == 0 && target.isNull && size.bits == 0 { return 0 }
        return try place(source, count: count.bits, at: 0, of: target, size: size.bits)
      },
      // reference/strcat-s-wcscat-s-mbscat-s
      export("\(prefix)cat_s(strDestination, numberOfElements, strSource)", .cdecl) {
        (_, target: Pointer<Unit>, size: GuestWord, source: Pointer<Unit>) -> Int32 in
        try append(source, count: nil, to: target, size: size.bits)
      },
      // reference/strncat-s-strncat-s-l-wcsncat-s-wcsncat-s-l-mbsncat-s-mbsncat-s-l
      export("\(prefix)ncat_s(strDest, numberOfElements, strSource, count)", .cdecl) {
        (_, target: Pointer<Unit>, size: GuestWord, source: Pointer<Unit>, count: GuestWord) -> Int32 in
        if count.bits == 0 && target.isNull && size.bits == 0 { return 0 }
        return try append(source, count: count.bits, to: target, size: size.bits)
      },
      // reference/strnlen-strnlen-s
      export("\(prefix)nlen(str, numberOfElements)", .cdecl) { (_, text: Pointer<Unit>, size: GuestWord) -> UInt32 in
        UInt32(try text.length(limit: Int(size.bits)))
      },
    ]
  }

  /// Copies behind what the target holds already.
  private static func append<Unit: CodeUnit>(
    _ source: Pointer<Unit>, count: UInt64?, to target: Pointer<Unit>, size: UInt64
  ) throws -> Int32 {
    guard !target.isNull, size > 0 else { return ErrorNumber.invalid }
    let length = try target.length(limit: Int(size))
    guard length < size else {
      try target.store(0)
      return ErrorNumber.invalid
    }
    return try place(source, count: count, at: length, of: target, size: size)
  }

  /// Copies all of `source`, or `count` units of it, to position `start`; what does not fit leaves an empty string.
  ///
  /// A violated constraint returns its number: there is no handler to invoke in kernel mode.
  private static func place<Unit: CodeUnit>(
    _ source: Pointer<Unit>, count: UInt64?, at start: Int, of target: Pointer<Unit>, size: UInt64
  ) throws -> Int32 {
    guard !target.isNull, size > 0 else { return ErrorNumber.invalid }
    if source.isNull && count != 0 {
      try target.store(0)
      return ErrorNumber.invalid
    }
    let room = Int(size) - start - 1
    let wanted = count == truncate || count == nil ? room + 1 : Int(min(count ?? 0, UInt64(room + 1)))
    let length = count == 0 ? 0 : try source.length(limit: wanted)
    if length > room && count != truncate {
      try target.store(0)
      return ErrorNumber.range
    }
    let units = try source.array(count: min(length, room))
    try target[start].write(units)
    try target[start + units.count].store(0)
    return length > room ? ErrorNumber.truncated : 0
  }
}
