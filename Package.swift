// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// A library target of ours: it may import what it names here, and nothing else.
func room(_ name: String, knows others: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
  .target(name: name, dependencies: others, resources: resources, swiftSettings: strict)
}

func tests(of name: String, knows others: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.byName(name: name)] + others, exclude: exclude, swiftSettings: strict)
}

let package = Package(
  name: "probelock",
  products: [],
  targets: [
    .systemLibrary(name: "CUnicorn", pkgConfig: "unicorn", providers: [.apt(["libunicorn-dev"])]),
    .systemLibrary(name: "CZydis", providers: [.apt(["libzydis-dev"])]),
    .systemLibrary(name: "CHost"),
    room("Guest"),
    room("Events"),
    room("Images", knows: ["Disassembly", "Guest"]),
    room("Disassembly", knows: ["CZydis", "Guest"]),
    room("Memory", knows: ["CHost", "Guest"]),
    room("Processor", knows: ["CUnicorn", "Disassembly", "Events", "Guest", "Memory"]),
    tests(of: "Guest"),
    tests(of: "Events"),
    tests(of: "Images", knows: ["Disassembly", "Guest"]),
    tests(of: "Disassembly", knows: ["Guest"]),
    tests(of: "Memory", knows: ["Guest"]),
    tests(of: "Processor", knows: ["Disassembly", "Events", "Guest", "Memory"]),
  ],
  swiftLanguageModes: [.v6]
)

// `tools/benchmark` alone builds these.
if Context.environment["PROBELOCK_BENCHMARKS"] != nil {
  package.targets += [
    .target(
      name: "CBaseline", dependencies: ["CUnicorn"], path: "tools/Benchmarks/CBaseline", cSettings: [.unsafeFlags(["-O2"])]),
    .executableTarget(
      name: "Benchmarks", dependencies: ["CBaseline", "Disassembly", "Events", "Guest", "Memory", "Processor"],
      path: "tools/Benchmarks/Benchmarks", swiftSettings: strict),
  ]
}
