import Guest
import WindowsTypes

/// Numbers and identifiers as text.
extension Export {
  static let rtlNumbers: [Export] = [
    // nf-wdm-rtlunicodestringtointeger
    export("RtlUnicodeStringToInteger(String, Base, Value)", irql: .passive) {
      (_, text: Pointer<UNICODE_STRING>, base: UInt32, value: Pointer<UInt32>) -> NTSTATUS in
      guard let number = integer(try text.units(), base) else { return .invalidParameter }
      try value.store(number)
      return .success
    },
    // nf-ntddk-rtlchartointeger
    export("RtlCharToInteger(String, Base, Value)", irql: .passive) {
      (_, text: Pointer<UInt8>, base: UInt32, value: Pointer<UInt32>) -> NTSTATUS in
      guard let number = integer(try text.units(), base, allowsNothing: true) else { return .invalidParameter }
      try value.store(number)
      return .success
    },
    // nf-wdm-rtlintegertounicodestring
    export("RtlIntegerToUnicodeString(Value, Base, String)", irql: .passive) {
      (_, value: UInt32, base: UInt32, text: Pointer<UNICODE_STRING>) -> NTSTATUS in
      try store(UInt64(value), base, in: text)
    },
    // nf-wdm-rtlint64tounicodestring
    export("RtlInt64ToUnicodeString(Value, Base, String)", irql: .passive) {
      (_, value: UInt64, base: UInt32, text: Pointer<UNICODE_STRING>) -> NTSTATUS in
      try store(value, base, in: text)
    },
    // nf-wdm-rtlstringfromguid
    export("RtlStringFromGUID(Guid, GuidString)", irql: .passive) {
      (kernel, guid: Pointer<UInt8>, text: Pointer<UNICODE_STRING>) -> NTSTATUS in
      let bytes = try guid.array(count: 16)
      func digits(_ indices: [Int]) -> String { indices.map { hex(bytes[$0], digits: 2) }.joined().uppercased() }
      let parts = [[3, 2, 1, 0], [5, 4], [7, 6], [8, 9], [10, 11, 12, 13, 14, 15]].map(digits)
      let units = Array("{\(parts.joined(separator: "-"))}".utf16)
      guard try kernel.allocate(text, count: units.count + 1) else { return .noMemory }
      try text.text.write(units + [0])
      try text.set(count: units.count)
      return .success
    },
    // nf-wdm-rtlguidfromstring
    export("RtlGUIDFromString(GuidString, Guid)", irql: .passive) {
      (_, text: Pointer<UNICODE_STRING>, guid: Pointer<UInt8>) -> NTSTATUS in
      let units = try text.units()
      let pattern = Array("{00000000-0000-0000-0000-000000000000}".utf16)
      guard units.count >= pattern.count else { return .invalidParameter }
      var digits: [UInt8] = []
      for (unit, model) in zip(units, pattern) {
        if model == 0x30, let digit = unit.digitValue, digit < 16 {
          digits.append(UInt8(digit))
        } else if unit != model || model == 0x30 {
          return .invalidParameter
        }
      }
      let bytes = stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
      try guid.write([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map { bytes[$0] })
      return .success
    },
  ]

  /// The number that `units` begin with; base 0 looks for a prefix. `nil` for another base, or for no text.
  private static func integer<Unit: CodeUnit>(_ units: [Unit], _ base: UInt32, allowsNothing: Bool = false) -> UInt32? {
    guard [0, 2, 8, 10, 16].contains(base), allowsNothing || !units.isEmpty else { return nil }
    var rest = units.drop { $0 <= 0x20 }
    let isNegative = rest.first == Unit(ascii: "-")
    if isNegative || rest.first == Unit(ascii: "+") { rest = rest.dropFirst() }
    var radix = UInt64(base == 0 ? 10 : base)
    let prefixes: [(Unicode.Scalar, UInt64)] = [("x", 16), ("o", 8), ("b", 2)]
    if base == 0 && rest.first == Unit(ascii: "0"),
      let prefix = prefixes.first(where: { rest.dropFirst().first == Unit(ascii: $0.0) })
    {
      radix = prefix.1
      rest = rest.dropFirst(2)
    }
    var value: UInt32 = 0
    for unit in rest {
      guard let digit = unit.digitValue, digit < radix else { break }
      value = value &* UInt32(radix) &+ UInt32(digit)
    }
    return isNegative ? 0 &- value : value
  }

  /// Writes digits, in capitals, and a terminator.
  private static func store(_ value: UInt64, _ base: UInt32, in text: Pointer<UNICODE_STRING>) throws -> NTSTATUS {
    guard [0, 2, 8, 10, 16].contains(base) else { return .invalidParameter }
    let units = Array(String(value, radix: base == 0 ? 10 : Int(base), uppercase: true).utf16)
    guard try units.count < text.capacity else { return .bufferOverflow }
    try text.text.write(units + [0])
    try text.set(count: units.count)
    return .success
  }
}
