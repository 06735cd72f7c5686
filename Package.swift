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
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2")
  ],
  targets: [
    .systemLibrary(name: "CUnicorn", pkgConfig: "unicorn", providers: [.apt(["libunicorn-dev"])]),
    .systemLibrary(name: "CZydis", providers: [.apt(["libzydis-dev"])]),
    room("Guest"),
    tests(of: "Guest"),
    room("Emulation", knows: ["Guest", .product(name: "Yams", package: "Yams")]),
    tests(of: "Emulation", knows: ["Guest", .product(name: "Yams", package: "Yams")]),
  ],
  swiftLanguageModes: [.v6]
)
