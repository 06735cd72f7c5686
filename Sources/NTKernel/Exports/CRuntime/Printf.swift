import Guest
import WindowsTypes

/// The C runtime's `printf` into memory: each routine once, under its narrow and its wide names.
extension Export {
  static let narrowPrintf =
    printf(UInt8.self, plain: "sprintf", list: "vsprintf", counted: "_snprintf", countedList: "_vsnprintf")
  static let widePrintf =
    printf(UInt16.self, plain: "swprintf", list: "vswprintf", counted: "_snwprintf", countedList: "_vsnwprintf")
  static let narrowSecurePrintf =
    securePrintf(UInt8.self, plain: "sprintf_s", list: "vsprintf_s", counted: "_snprintf_s", countedList: "_vsnprintf_s")
  static let wideSecurePrintf =
    securePrintf(UInt16.self, plain: "swprintf_s", list: "vswprintf_s", counted: "_snwprintf_s", countedList: "_vsnwprintf_s")

  /// `swprintf` and `vswprintf` of a time when the standard's had got a count: Windows 7 exports both.
  static let countlessPrintf: [Export] = [
    widePrintf["vswprintf"].exported(as: "_vswprintf(buffer, format, argptr)", by: "nt"),
    variadicExport("_swprintf(buffer, format, ...)") {
      (kernel, arguments: VariadicArguments, buffer: Pointer<UInt16>, format: Pointer<UInt16>) -> Int32 in
      try kernel.print(format, arguments, to: buffer, .unlimited)
    },
  ]

  private static func printf<Unit: CodeUnit>(
    _: Unit.Type, plain: String, list: String, counted: String, countedList: String
  ) -> [Export] {
    [
      // reference/sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l: the kernel's swprintf takes no count.
      variadicExport("\(plain)(buffer, format, ...)") {
        (kernel, arguments: VariadicArguments, buffer: Pointer<Unit>, format: Pointer<Unit>) -> Int32 in
        try kernel.print(format, arguments, to: buffer, .unlimited)
      },
      // reference/vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l
      export("\(list)(buffer, format, argptr)", .cdecl) {
        (kernel, buffer: Pointer<Unit>, format: Pointer<Unit>, list: GuestWord) -> Int32 in
        try kernel.print(format, kernel.arguments(list), to: buffer, .unlimited)
      },
      // reference/snprintf-snprintf-snprintf-l-snwprintf-snwprintf-l
      variadicExport("\(counted)(buffer, count, format, ...)") {
        (kernel, arguments: VariadicArguments, buffer: Pointer<Unit>, count: GuestWord, format: Pointer<Unit>) -> Int32 in
        try kernel.print(format, arguments, to: buffer, .count(count.bits))
      },
      // reference/vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l
      export("\(countedList)(buffer, count, format, argptr)", .cdecl) {
        (kernel, buffer: Pointer<Unit>, count: GuestWord, format: Pointer<Unit>, list: GuestWord) -> Int32 in
        try kernel.print(format, kernel.arguments(list), to: buffer, .count(count.bits))
      },
    ]
  }

  private static func securePrintf<Unit: CodeUnit>(
    _: Unit.Type, plain: String, list: String, counted: String, countedList: String
  ) -> [Export] {
    [
      // reference/sprintf-s-sprintf-s-l-swprintf-s-swprintf-s-l
      variadicExport("\(plain)(buffer, sizeOfBuffer, format, ...)") {
        (kernel, arguments: VariadicArguments, buffer: Pointer<Unit>, size: GuestWord, format: Pointer<Unit>) -> Int32 in
        try kernel.print(format, arguments, to: buffer, .size(size.bits))
      },
      // reference/vsprintf-s-vsprintf-s-l-vswprintf-s-vswprintf-s-l
      export("\(list)(buffer, numberOfElements, format, argptr)", .cdecl) {
        (kernel, buffer: Pointer<Unit>, size: GuestWord, format: Pointer<Unit>, list: GuestWord) -> Int32 in
        try kernel.print(format, kernel.arguments(list), to: buffer, .size(size.bits))
      },
      // reference/snprintf-s-snprintf-s-l-snwprintf-s-snwprintf-s-l
      variadicExport("\(counted)(buffer, sizeOfBuffer, count, format, ...)") {
        (
          kernel, arguments: VariadicArguments, buffer: Pointer<Unit>, size: GuestWord, count: GuestWord, format: Pointer<Unit>
        ) -> Int32 in
        try kernel.print(format, arguments, to: buffer, .truncating(size.bits, count: count.bits))
      },
      // reference/vsnprintf-s-vsnprintf-s-vsnprintf-s-l-vsnwprintf-s-vsnwprintf-s-l
      export("\(countedList)(buffer, sizeOfBuffer, count, format, argptr)", .cdecl) {
        (
          kernel, buffer: Pointer<Unit>, size: GuestWord, count: GuestWord, format: Pointer<Unit>, list: GuestWord
        ) -> Int32 in
        try kernel.print(format, kernel.arguments(list), to: buffer, .truncating(size.bits, count: count.bits))
      },
    ]
  }
}

/// What a routine of the `printf` family does with more text than there is room for.
private enum PrintLimit {
  case unlimited
  /// Writes as many units and answers -1; the terminator is written only where one more fits.
  case count(UInt64)
  /// Leaves an empty string in a buffer of that many units and answers -1.
  case size(UInt64)
  /// Writes at most `count` units and a terminator; what does not fit the buffer is as for `size`, unless `count` is `_TRUNCATE`.
  case truncating(UInt64, count: UInt64)
}

extension Kernel {
  fileprivate func arguments(_ list: GuestWord) -> VariadicArguments {
    VariadicArguments(at: list.bits, memory: memory.memory, registers: registers)
  }

  fileprivate func print<Unit: CodeUnit>(
    _ format: Pointer<Unit>, _ arguments: VariadicArguments, to buffer: Pointer<Unit>, _ limit: PrintLimit
  ) throws -> Int32 {
    var arguments = arguments
    var formatter = Formatter<Unit>()
    try formatter.format(format, &arguments)
    let units = formatter.output
    switch limit {
    case .unlimited:
      try buffer.write(units + [0])
      return Int32(units.count)
    case .count(let count):
      // Without a buffer it says how much room the text would take.
      if buffer.isNull && count == 0 { return Int32(units.count) }
      try buffer.write(units.prefix(Int(count)))
      if units.count < count { try buffer[units.count].store(0) }
      return units.count <= count ? Int32(units.count) : -1
    case .size(let size):
      guard !buffer.isNull, size > 0 else { return -1 }
      guard units.count < size else {
        try buffer.store(0)
        return -1
      }
      try buffer.write(units + [0])
      return Int32(units.count)
    case .truncating(let size, let count):
      guard !buffer.isNull, size > 0 else { return -1 }
      let isTruncating = count == 0xffff_ffff
      let wanted = min(units.count, isTruncating ? units.count : Int(count))
      guard wanted < size || isTruncating else {
        try buffer.store(0)
        return -1
      }
      try buffer.write(Array(units.prefix(min(wanted, Int(size) - 1))) + [0])
      return wanted == units.count && wanted < size ? Int32(units.count) : -1
    }
  }
}
