import ArgumentParser
import Emulation

struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one versioned JSON object; addresses are strings.")
  var json = false
  @Option(help: ArgumentHelp("When to color: auto, always or never.", valueName: "when"))
  var color = ColorMode.auto

  var palette: Palette { Palette(isOn: color.isOn) }
}

/// What changes a fixture before it runs.
struct FixtureOptions: ParsableArguments {
  @Option(
    name: .customLong("patch"),
    help: ArgumentHelp("Replace guest code, as in fltMgr!FltLockUserBuffer+0x8c=9090. May be repeated.", valueName: "place=bytes"))
  var patches: [PatchArgument] = []
  @Option(help: ArgumentHelp("Stop after this many guest instructions.", valueName: "count"))
  var maxInstructions: UInt64?

  func apply(to fixture: inout Fixture) {
    fixture.patches += patches.map(\.patch)
    if let maxInstructions { fixture.limits.instructions = maxInstructions }
  }
}

/// `SYMBOL+OFFSET=BYTES`: a place in guest code, and what is to stand there.
struct PatchArgument: ExpressibleByArgument {
  let patch: Fixture.Patch

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, let place = Fixture.Place(text: String(parts[0])) else { return nil }
    if case .named = place { return nil }
    let digits = Array(parts[1].utf8.filter { $0 != UInt8(ascii: " ") })
    guard !digits.isEmpty, digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      let pair = String(decoding: digits[index..<index + 2], as: UTF8.self)
      guard pair.allSatisfy(\.isHexDigit), let byte = UInt8(pair, radix: 16) else { return nil }
      bytes.append(byte)
    }
    patch = Fixture.Patch(at: place, bytes)
  }
}
