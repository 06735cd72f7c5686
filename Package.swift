// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// A library target of ours: it may import what it names here, and nothing else.
func room(_ name: String, knows others: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: others, swiftSettings: strict)
}

func tests(of name: String, knows others: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.byName(name: name)] + others, exclude: exclude, swiftSettings: strict)
}

let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "probelock",
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2")
  ],
  targets: [
    .systemLibrary(name: "CUnicorn", pkgConfig: "unicorn", providers: [.apt(["libunicorn-dev"])]),
    .systemLibrary(name: "CZydis", providers: [.apt(["libzydis-dev"])]),
    .systemLibrary(name: "CHost"),
    room("Guest"),
    room("WindowsTypes", knows: ["Guest"]),
    room("Events"),
    room("Images", knows: ["Disassembly", "Guest"]),
    room("Disassembly", knows: ["CZydis", "Guest"]),
    room("Memory", knows: ["CHost", "Guest"]),
    room("NTKernel", knows: ["Events", "Guest", "Memory", "WindowsTypes"]),
    room("Processor", knows: ["CUnicorn", "Disassembly", "Events", "Guest", "Memory"]),
    room("Emulation", knows: ["Guest", yams]),
    tests(of: "Guest"),
    tests(of: "WindowsTypes", knows: ["Guest"]),
    tests(of: "Events"),
    tests(of: "Images", knows: ["Disassembly", "Guest"]),
    tests(of: "Disassembly", knows: ["Guest"]),
    tests(of: "Memory", knows: ["Guest"]),
    tests(of: "NTKernel", knows: ["Events", "Guest", "Memory", "WindowsTypes"]),
    tests(of: "Processor", knows: ["Disassembly", "Events", "Guest", "Memory"]),
  ],
  swiftLanguageModes: [.v6]
)
