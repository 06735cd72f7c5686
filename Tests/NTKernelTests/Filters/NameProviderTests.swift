import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Filters that provide names") struct NameProviderTests {
  typealias F = FilterGuest
  private static let generate: UInt64 = 0xf8b0_8300
  private static let normalize: UInt64 = 0xf8b0_8310
  private static let context: UInt64 = 0xf8b0_8320
  private static let upperPre: UInt64 = 0xf8b0_8400

  /// A provider that has the name below it, with another last letter, and asks for the name of the file in a filter above.
  private func ask(
    normalizes: Bool = true, _ answer: @escaping (F, _ arguments: [UInt64]) throws -> UInt64,
    _ body: @escaping (F, _ data: UInt64) throws -> Void
  ) throws -> [[UInt64]] {
    let f = try F()
    var calls: [[UInt64]] = []
    f.g.routine(at: Self.generate, 6) {
      calls.append($0)
      return try answer(f, $0)
    }
    f.g.routine(at: Self.normalize, 8) {
      // Every component in capitals, and one context for all of them.
      let (component, expanded) = (try f.text($0[3]), $0[4])
      let units = Array(component.uppercased().utf16)
      try f.k.store(UInt32(units.count * 2), at: expanded + 8)
      for (index, unit) in units.enumerated() { try f.k.memory.memory.store(unit, at: expanded + 12 + 2 * UInt64(index)) }
      #expect(try f.k.load($0[7]) == (calls.contains { $0.count == 8 } ? 0x77 : 0))
      try f.k.store(0x77, at: $0[7])
      calls.append($0)
      return component == "gone" ? 0xc000_000f : 0
    }
    f.g.routine(at: Self.context, 1) {
      calls.append([try UInt64(f.k.load($0[0]))])
      return 0
    }
    f.g.routine(at: Self.upperPre, 3) {
      try body(f, $0[0])
      return 1
    }
    var words: [Int: UInt64] = [0xc: try f.operations([]), 0x24: Self.generate]
    if normalizes { words[0x28] = Self.normalize; words[0x2c] = Self.context }
    _ = try f.start(words)
    _ = try f.other("upper", altitude: "380000", [0xc: f.operations([(0, 0, Self.upperPre, 0)])])
    _ = try f.open(#"\??\C:\LONGDI~1\notes.txt"#)
    return calls
  }

  /// What `FltGetFileNameInformation` says, asked as a provider does: without its own flag.
  private func below(_ f: F, _ arguments: [UInt64]) throws -> UInt64 {
    #expect(try f.g.status("FltGetFileNameInformation", arguments[2], arguments[3] & ~0x100_0000, f.k.scratch + 0x800) == .success)
    return UInt64(try f.k.load(f.k.scratch + 0x800))
  }

  private func answer(_ text: String, _ f: F, _ arguments: [UInt64]) throws {
    let units = Array(text.utf16)
    #expect(try f.g.status("FltCheckAndGrowNameControl", arguments[5], UInt64(units.count * 2)) == .success)
    let buffer = UInt64(try f.k.load(arguments[5] + 4))
    for (index, unit) in units.enumerated() { try f.k.memory.memory.store(unit, at: buffer + 2 * UInt64(index)) }
    try f.k.memory.memory.store(UInt16(units.count * 2), at: arguments[5])
    try f.k.memory.memory.store(UInt8(1), at: arguments[4])
  }

  private func name(_ f: F, _ data: UInt64, _ options: UInt64) throws -> String {
    let name = try f.out { try f.g.status("FltGetFileNameInformation", data, options, $0) }
    defer { _ = try? f.g.call("FltReleaseFileNameInformation", name) }
    #expect(try UInt64(f.k.load(name + 4)) == options & 0xff)
    return try f.text(name + 8)
  }

  @Test("a provider below answers, with what those below it say") func opened() throws {
    let calls = try ask { f, arguments in
      let name = try below(f, arguments)
      try answer(f.text(name + 8).replacing("notes", with: "virtual"), f, arguments)
      try f.g.call("FltReleaseFileNameInformation", name)
      return 0
    } _: { f, data in
      let given = try name(f, data, 0x102)
      #expect(given == F.volumeName + #"\LONGDI~1\virtual.txt"#)
      // What the provider gave out is kept.
      let kept = try name(f, data, 0x202)
      #expect(kept == F.volumeName + #"\LONGDI~1\virtual.txt"#)
      #expect(f.g.violations.isEmpty)
    }
    #expect(calls.count == 2 && calls[0][3] == 0x102 && calls[0][2] != 0)
  }

  @Test("of a normalized name, the provider gives the opened one and normalizes each component") func normalized() throws {
    let calls = try ask { f, arguments in
      #expect(arguments[3] & 0xff == 2)
      try answer(F.volumeName + #"\dir\gone"#, f, arguments)
      return 0
    } _: { f, data in
      // The last component need not be there.
      let given = try name(f, data, 0x101)
      #expect(given == F.volumeName + #"\DIR\gone"#)
    }
    let components = calls.filter { $0.count == 8 }
    #expect(components.count == 2 && components.allSatisfy { $0[2] == UInt64(F.volumeName.utf16.count * 2) && $0[6] == 0 })
    #expect(calls.last == [0x77])
    // Without a routine of its own, the file system's names count.
    _ = try ask(normalizes: false) { f, arguments in
      try answer(F.volumeName + #"\LONGDI~1\x"#, f, arguments)
      return 0
    } _: { f, data in
      let given = try name(f, data, 0x101)
      #expect(given == F.volumeName + #"\Long directory\x"#)
    }
  }

  @Test("what a provider refuses is refused to whoever asks; who provides is not asked for himself") func refusal() throws {
    _ = try ask { _, _ in
      0xc000_0022
    } _: { f, data in
      let status = try f.g.status("FltGetFileNameInformation", data, 0x102, f.g.space())
      #expect(status == .accessDenied)
    }
    let f = try F()
    var asked = 0
    f.g.routine(at: Self.generate, 6) {
      asked += 1
      try answer("made up", f, $0)
      return 0
    }
    f.g.routine(at: F.pre, 3) {
      let below = try name(f, $0[0], 0x102)
      #expect(below.hasSuffix(#"\notes.txt"#) && asked == 0)
      let own = try name(f, $0[0], 0x100_0102)
      #expect(own == "made up" && asked == 1)
      return 1
    }
    let filter = try f.start([0xc: f.operations([(0, 0, F.pre, 0)]), 0x24: Self.generate])
    let file = try f.fileObject(f.open())
    let instance = try f.instance(of: filter)
    let own = try f.out { try f.g.status("FltGetFileNameInformationUnsafe", file, instance, 0x102, $0) }
    #expect(try f.text(own + 8) == F.volumeName + #"\Long directory\notes.txt"#)
    let outside = try f.out { try f.g.status("FltGetFileNameInformationUnsafe", file, 0, 0x102, $0) }
    #expect(try f.text(outside + 8) == "made up" && f.text(outside + 0x10) == "")
  }

  @Test("a provider that succeeds without a name is told apart; so is a component without one") func nonsense() throws {
    _ = try ask { _, _ in
      0
    } _: { f, data in
      let given = try name(f, data, 0x102)
      #expect(given == "" && f.g.violations.count == 1)
      #expect(f.g.violations[0] == "GenerateFileNameCallback of demo returned STATUS_SUCCESS and a name of 0 bytes in 512")
    }
    let f = try F()
    f.g.routine(at: Self.generate, 6) {
      try answer(F.volumeName + #"\dir"#, f, $0)
      return 0
    }
    f.g.routine(at: Self.normalize, 8) { _ in 0 }
    f.g.routine(at: F.pre, 3) {
      _ = try name(f, $0[0], 0x100_0101)
      return 1
    }
    _ = try f.start([0xc: f.operations([(0, 0, F.pre, 0)]), 0x24: Self.generate, 0x28: Self.normalize])
    _ = try f.open()
    #expect(f.g.violations == ["NormalizeNameComponentCallback of demo returned STATUS_SUCCESS and a component of 0 bytes"])
  }

  /// `nf-fltkernel-fltgetdestinationfilenameinformation` of a rename of the volume's file.
  private func destination(_ f: F, _ instance: UInt64, _ path: String, _ options: UInt64) throws -> (NTSTATUS, String) {
    let file = try f.fileObject(f.open())
    let (text, units, place) = (try f.g.space(0x100), Array(path.utf16), try f.g.space())
    for (index, unit) in units.enumerated() { try f.k.memory.memory.store(unit, at: text + 2 * UInt64(index)) }
    let status = try f.g.status("FltGetDestinationFileNameInformation", instance, file, 0, text, UInt64(units.count * 2), options, place)
    guard status.isSuccess else { return (status, "") }
    let name = UInt64(try f.k.load(place))
    defer { _ = try? f.g.call("FltReleaseFileNameInformation", name) }
    return (status, try f.text(name + 8))
  }

  @Test("a destination's directory is opened through the provider, and its components are normalized as a destination's")
  func destinations()
    throws
  {
    let f = try F()
    var (opened, flags): ([String], [UInt64]) = ([], [])
    f.g.routine(at: Self.generate, 6) {
      try answer(F.volumeName, f, $0)
      return 0
    }
    f.g.routine(at: Self.normalize, 8) {
      let (component, expanded) = (try f.text($0[3]), $0[4])
      let units = Array(component.utf16)
      try f.k.store(UInt32(units.count * 2), at: expanded + 8)
      for (index, unit) in units.enumerated() { try f.k.memory.memory.store(unit, at: expanded + 12 + 2 * UInt64(index)) }
      flags.append($0[6])
      return 0
    }
    f.g.routine(at: F.pre, 3) {
      // FILE_OBJECT.FileName of the operation's file.
      opened.append(try f.text(UInt64(f.k.load($0[1] + 0x10)) + 0x30))
      return 1
    }
    let provider = try f.start([
      0xc: f.operations([(0, 0, F.pre, 0)]), 0x24: Self.generate, 0x28: Self.normalize,
    ])
    _ = provider
    let upper = try f.other("upper", altitude: "380000", [0xc: f.operations([])])
    let instance = try f.instance(of: upper)
    let (status, name) = try destination(f, instance, #"\??\C:\LONGDI~1\new.txt"#, 0x101)
    #expect(status == .success && name == F.volumeName + #"\Long directory\new.txt"#)
    #expect(opened.contains { $0.hasPrefix(#"\LONGDI~1"#) } && flags == [2, 2])
    // A directory that is not there.
    #expect(try destination(f, instance, #"\??\C:\none\new.txt"#, 0x101).0 == .objectPathNotFound)
    // A short name of a destination is not to be had.
    #expect(try destination(f, instance, #"\??\C:\LONGDI~1\new.txt"#, 0x103).0 == .invalidParameter)
    #expect(f.g.violations.isEmpty)
  }

  @Test("a name that was given back is gone: the second time is bugcheck 0xF5, 0x68") func freedName() throws {
    let f = try F()
    var name: UInt64 = 0
    f.g.routine(at: F.pre, 3) {
      name = try f.out { [data = $0[0]] in try f.g.status("FltGetFileNameInformation", data, 0x102, $0) }
      try f.g.call("FltReferenceFileNameInformation", name)
      try f.g.call("FltReleaseFileNameInformation", name)
      #expect(try f.g.status("FltParseFileNameInformation", name) == .success)
      try f.g.call("FltReleaseFileNameInformation", name)
      return 1
    }
    _ = try f.start([0xc: f.operations([(0, 0, F.pre, 0)])])
    _ = try f.open()
    #expect(f.g.violations.isEmpty)
    #expect(try f.g.bugCheck("FltReleaseFileNameInformation", name).prefix(2) == [0xf5, 0x68])
  }
}
