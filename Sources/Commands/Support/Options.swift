import ArgumentParser
import Emulation
import Guest
import WindowsTypes

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
  @Option(
    name: .customLong("stub"),
    help: ArgumentHelp(
      "Let a routine return a value at once, as in ZwFoo=STATUS_NOT_FOUND; ZwFoo@12=0 pops 12 bytes where that is not known. May be repeated.",
      valueName: "name=value"),
    transform: Fixture.Stub.init(argument:))
  var stubs: [Fixture.Stub] = []
  @Option(help: ArgumentHelp("Stop after this many guest instructions.", valueName: "count"))
  var maxInstructions: UInt64?

  @Option(
    name: .customLong("image"),
    help: ArgumentHelp(
      "Let a file of your own take the place of the image or routines of that name, as in fltMgr=fltmgr.sys. May be repeated.",
      valueName: "name=path"),
    transform: ImageOverride.init(argument:))
  var images: [ImageOverride] = []
  @Option(
    help: ArgumentHelp(
      "Run in this version of Windows, xp or 7, whatever the fixture says. A driver file runs in the oldest one that has its imports.",
      valueName: "version"),
    transform: Target.init(argument:))
  var windows: Target?

  @Flag(
    help: "Give every block of pool a page of its own, with a page behind it that nothing may touch: overruns and uses after free stop.")
  var specialPool = false

  func apply(to fixture: inout Fixture) {
    if specialPool { fixture.usesSpecialPool = true }
    if let windows { fixture.target = windows }
    fixture.patches += patches
    fixture.stubs += stubs
    if let maxInstructions { fixture.limits.instructions = maxInstructions }
  }
}

extension Target {
  /// Reads `xp` or `7`.
  init(argument: String) throws {
    guard let target = Target.windows(named: argument.lowercased()) else {
      throw ValidationError("“\(argument)” is no version of Windows; expected \(Target.all.map(\.windowsName).joined(separator: " or "))")
    }
    self = target
  }
}

/// A module's name, and the file that takes its place.
struct ImageOverride {
  let name: String
  let path: String

  init(argument: String) throws {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, !parts[0].contains("/") else {
      throw ValidationError("“\(argument)” names no image; expected fltMgr=path/to/fltmgr.sys")
    }
    (name, path) = (parts[0], parts[1])
  }
}

extension Fixture.Stub {
  /// Reads `NAME=VALUE`, `MODULE!NAME=VALUE` or `NAME@BYTES=VALUE`; the value is a number, or a status by its name.
  fileprivate init(argument: String) throws {
    let expected = "expected ZwFoo=0, nt!ZwFoo=STATUS_NOT_FOUND, or ZwFoo@12=0"
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { throw ValidationError("“\(argument)” is no stub; \(expected)") }
    let digits = parts[1].hasPrefix("0x") ? UInt32(parts[1].dropFirst(2), radix: 16) : UInt32(parts[1])
    guard let value = digits.map(Fixture.Code.number) ?? (parts[1].hasPrefix("STATUS_") ? .name(parts[1]) : nil) else {
      throw ValidationError("“\(parts[1])” is no value; \(expected)")
    }
    guard let stub = Fixture.Stub(text: parts[0], returning: value) else {
      throw ValidationError("“\(parts[0])” names no routine; \(expected)")
    }
    self = stub
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
