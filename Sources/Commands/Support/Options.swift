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
    help: ArgumentHelp("Replace guest code, as in fltMgr!FltLockUserBuffer+0x8c=9090. May be repeated.", valueName: "place=bytes"),
    transform: Fixture.Patch.init(argument:))
  var patches: [Fixture.Patch] = []
  @Option(help: ArgumentHelp("Stop after this many guest instructions.", valueName: "count"))
  var maxInstructions: UInt64?

  func apply(to fixture: inout Fixture) {
    fixture.patches += patches
    if let maxInstructions { fixture.limits.instructions = maxInstructions }
  }
}

extension Fixture.Patch {
  /// Reads `SYMBOL+OFFSET=BYTES`: a place in guest code, and what is to stand there.
  fileprivate init(argument: String) throws {
    let expected = "expected module!symbol+0x1c=9090, or 0x804f7638=9090"
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { throw ValidationError("“\(argument)” is no patch; \(expected)") }
    guard let place = Fixture.Place(text: parts[0]) else { throw ValidationError("“\(parts[0])” is no place to patch; \(expected)") }
    if case .named = place { throw ValidationError("“\(parts[0])” lacks its module; \(expected)") }
    let digits = parts[1].filter { $0 != " " }
    let bytes = stride(from: 0, to: digits.count, by: 2).map { start in
      let pair = digits.dropFirst(start).prefix(2)
      return pair.count == 2 && pair.allSatisfy { $0.isASCII && $0.isHexDigit } ? UInt8(pair, radix: 16) : nil
    }
    let known = bytes.compactMap { $0 }
    guard !known.isEmpty, known.count == bytes.count else {
      throw ValidationError("“\(parts[1])” are no bytes; expected pairs of hexadecimal digits")
    }
    self.init(at: place, known)
  }
}
