import Guest
import WindowsTypes

/// How far the search for a short name has come (`ns-ntifs-_generate_name_context`).
struct GENERATE_NAME_CONTEXT: GuestStructure {
  static let name = "_GENERATE_NAME_CONTEXT"
  let Checksum: Field<UInt16>
  let CheckSumInserted: Field<UInt8>
  let NameLength: Field<UInt8>
  let NameBuffer: Field<UInt16>
  let ExtensionLength: Field<UInt32>
  let ExtensionBuffer: Field<UInt16>
  let LastIndexValue: Field<UInt32>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x24,
      GENERATE_NAME_CONTEXT(
        Checksum: 0x00, CheckSumInserted: 0x02, NameLength: 0x03, NameBuffer: 0x04, ExtensionLength: 0x14, ExtensionBuffer: 0x18,
        LastIndexValue: 0x20)
    ))
}

extension Export {
  static let shortNames: [Export] = [
    // nf-ntifs-rtlgenerate8dot3name: each call with one context gives the next name, LONGNA~1.TXT and so on.
    export("RtlGenerate8dot3Name(Name, AllowExtendedCharacters, Context, Name8dot3)", irql: .passive) {
      (
        _, name: Pointer<UNICODE_STRING>, extended: UInt8, context: Pointer<GENERATE_NAME_CONTEXT>, result: Pointer<UNICODE_STRING>
      ) in
      if try context.LastIndexValue.load() == 0 { try context.begin(name.units()) }
      var index = try context.LastIndexValue.load() &+ 1
      // After four names that are taken, two letters and a checksum stand in place of the first six.
      if index > 4, try context.CheckSumInserted.load() == 0 {
        let kept = try context.NameBuffer.array(count: min(2, Int(context.NameLength.load())))
        let digits = hex(try context.Checksum.load(), digits: 4).uppercased().utf16
        try context.NameBuffer.write(kept + digits)
        try context.NameLength.store(UInt8(kept.count + 4))
        try context.CheckSumInserted.store(1)
        index = 1
      }
      try context.LastIndexValue.store(index)
      let tail = Array("~\(index)".utf16)
      let base = try context.NameBuffer.array(count: min(8, Int(context.NameLength.load())))
      let suffix = try context.ExtensionBuffer.array(count: min(4, Int(context.ExtensionLength.load())))
      let units = base.prefix(max(0, 8 - tail.count)) + tail + suffix
      try result.text.write(units)
      try result.set(count: units.count)
    }
    .partially("characters beyond ASCII become an underscore")
    .uncertain("the checksum is not Windows' own: only that it stands there from the fifth name on is documented")
  ]
}

extension Pointer where Pointee == GENERATE_NAME_CONTEXT {
  /// Splits a long name into the letters that a short one has of it.
  fileprivate func begin(_ name: [UInt16]) throws {
    func legal(_ units: ArraySlice<UInt16>) -> [UInt16] {
      units.filter { $0 != 0x20 && $0 != 0x2e }.map { unit in
        let isOdd = unit >= 0x7f || unit < 0x20 || "+,;=[]\"*/:<>?\\|".utf16.contains(unit)
        return isOdd ? 0x5f : unit.uppercased
      }
    }
    let rest = name.drop { $0 == 0x2e || $0 == 0x20 }
    let dot = rest.lastIndex(of: 0x2e)
    let base = legal(rest[..<(dot ?? rest.endIndex)]).prefix(6)
    let suffix = dot.map { legal(rest[($0 + 1)...]).prefix(3) } ?? []
    try self.NameBuffer.write(base)
    try self.NameLength.store(UInt8(base.count))
    try self.ExtensionBuffer.write(suffix.isEmpty ? [] : [0x2e] + suffix)
    try self.ExtensionLength.store(suffix.isEmpty ? 0 : UInt32(suffix.count + 1))
    try self.CheckSumInserted.store(0)
    try self.Checksum.store(name.reduce(0) { ($0 << 7 | $0 >> 9) &+ $1 })
  }
}
