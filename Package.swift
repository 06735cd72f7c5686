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
    room("Guest"),
    room("Disassembly", knows: ["CZydis", "Guest"]),
    room("Images", knows: ["Disassembly", "Guest"]),
    .executableTarget(
      name: "ImageBuilder", dependencies: ["Disassembly", "Guest", "Images"], path: "tools/ImageBuilder", swiftSettings: strict),
    tests(of: "Guest"),
    tests(of: "Disassembly", knows: ["Guest"]),
    tests(of: "Images", knows: ["Disassembly", "Guest"]),
  ],
  swiftLanguageModes: [.v6]
)
