// swift-tools-version: 6.2
import PackageDescription

/// An `async` function stays where its caller runs: a run is one host thread, and a routine that waits would pay for each change.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error), .enableUpcomingFeature("NonisolatedNonsendingByDefault")]
/// Set by `tools/fuzz` alone: the readers tell the fuzzer which code an input reached.
let isFuzzing = Context.environment["PROBELOCK_FUZZ"] != nil
let instrumented: [SwiftSetting] = isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : []

/// A library target of ours: it may import what it names here, and nothing else.
func room(_ name: String, knows others: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: others, swiftSettings: strict + instrumented)
}

func tests(of name: String, knows others: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.byName(name: name)] + others, exclude: exclude, swiftSettings: strict)
}

let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "probelock",
  products: [
    .library(name: "Probelock", targets: ["Probelock"]),
    .executable(name: "probelock", targets: ["ProbelockTool"]),
  ],
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
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
    .target(
      name: "GuestCode", path: "images", exclude: ["README.md", "fixture.schema.json", "src"], swiftSettings: strict,
      plugins: ["EmbedImages"]),
    room("Memory", knows: ["CHost", "Guest"]),
    room("NTKernel", knows: ["Disassembly", "Events", "Guest", "Memory", "WindowsTypes"]),
    room("FilterManager", knows: ["Events", "Guest", "Memory", "NTKernel", "WindowsTypes"]),
    room("KMDF", knows: ["Events", "Guest", "Memory", "NTKernel", "WindowsTypes"]),
    room("Processor", knows: ["CUnicorn", "Disassembly", "Events", "Guest", "Memory"]),
    room("Verification", knows: ["Events"]),
    room(
      "Emulation",
      knows: [
        "Disassembly", "Events", "FilterManager", "Guest", "GuestCode", "Images", "KMDF", "Memory", "NTKernel", "Processor",
        "Verification", "WindowsTypes", yams,
      ]),
    room("Reporting", knows: ["Disassembly", "Emulation", "Events", "Guest", "Images", "NTKernel", "Verification", "WindowsTypes"]),
    room(
      "Probelock",
      knows: [
        "Emulation", "Events", "FilterManager", "Guest", "GuestCode", "Images", "NTKernel", "Reporting", "Verification",
        "WindowsTypes",
      ]),
    room(
      "Commands",
      knows: [
        "Disassembly", "Emulation", "Events", "FilterManager", "Guest", "GuestCode", "Images", "KMDF", "NTKernel", "Reporting",
        "Verification",
        "WindowsTypes", argumentParser,
      ]),
    .executableTarget(name: "ProbelockTool", dependencies: ["Commands"], swiftSettings: strict),
    .executableTarget(
      name: "ImageBuilder", dependencies: ["Disassembly", "Guest", "Images"], path: "tools/ImageBuilder", swiftSettings: strict),
    .executableTarget(name: "Embedder", path: "tools/Embedder", swiftSettings: strict),
    .plugin(name: "EmbedImages", capability: .buildTool(), dependencies: ["Embedder"], path: "tools/EmbedImages"),
    .target(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
    tests(of: "Guest"),
    tests(of: "WindowsTypes", knows: ["Guest"], exclude: ["structures.h"]),
    tests(of: "Events"),
    tests(of: "Images", knows: ["Disassembly", "Guest", "TestSupport"]),
    tests(of: "Disassembly", knows: ["Guest"]),
    tests(of: "Memory", knows: ["Guest"]),
    tests(
      of: "NTKernel", knows: ["Events", "FilterManager", "Guest", "KMDF", "Memory", "TestSupport", "WindowsTypes"],
      exclude: ["stack-bytes.tsv"]),
    tests(of: "Processor", knows: ["Disassembly", "Events", "Guest", "Memory"]),
    tests(of: "Verification", knows: ["Events"]),
    tests(
      of: "Emulation", knows: ["Events", "Guest", "GuestCode", "Images", "NTKernel", "TestSupport", "Verification", "WindowsTypes", yams]),
    tests(
      of: "Reporting",
      knows: [
        "Disassembly", "Emulation", "Events", "Guest", "GuestCode", "NTKernel", "ProbelockTool", "Processor", "Verification",
        "WindowsTypes",
      ],
      exclude: ["Golden"]),
    tests(of: "Commands", knows: ["Emulation", "FilterManager", "GuestCode", "ProbelockTool", "TestSupport", "WindowsTypes"]),
  ],
  swiftLanguageModes: [.v6]
)

// `tools/benchmark` alone builds these.
if Context.environment["PROBELOCK_BENCHMARKS"] != nil {
  package.targets += [
    .target(
      name: "CBaseline", dependencies: ["CUnicorn"], path: "tools/Benchmarks/CBaseline", cSettings: [.unsafeFlags(["-O2"])]),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "CBaseline", "Disassembly", "Emulation", "Events", "FilterManager", "Guest", "GuestCode", "Images", "Memory", "NTKernel",
        "Processor",
        "TestSupport", "WindowsTypes",
      ],
      path: "tools/Benchmarks/Benchmarks", swiftSettings: strict),
  ]
}

if isFuzzing {
  for (reader, room) in [("Listing", "Images"), ("Fixture", "Emulation"), ("Driver", "Images")] {
    package.targets.append(
      // A library, for it is the fuzzer that has the program's entry.
      .target(
        name: "Fuzz\(reader)", dependencies: [.byName(name: room)], path: "tools/Fuzzing/\(reader)", swiftSettings: strict + instrumented))
    package.products.append(.library(name: "Fuzz\(reader)", type: .static, targets: ["Fuzz\(reader)"]))
  }
}
