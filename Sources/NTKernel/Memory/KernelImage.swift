import Guest
import Memory
import WindowsTypes

/// What guest code finds where the list of modules says that the kernel and the HAL lie: headers, and a directory of exports that
/// leads to the routines and variables of this run.
///
/// The pages come into being when somebody looks.
extension Kernel {
  private struct KernelModule {
    let name: String
    let fileName: String
    let base: UInt64
    let size: UInt64
  }

  private static let kernelModules = [
    KernelModule(name: "nt", fileName: "ntoskrnl.exe", base: 0x804d_7000, size: 0x1f_8580),
    KernelModule(name: "hal", fileName: "hal.dll", base: 0x806d_0000, size: 0x2_0300),
  ]

  /// Where the export directory lies, and how far it may reach, from the base.
  private static let directoryPlace: UInt64 = 0x1000
  private static let directoryLimit: UInt64 = 0x1f000

  /// Makes the headers of the module that `address` would be in readable, if nothing else is there. Returns whether they are now.
  func provideKernelImage(at address: UInt64) throws -> Bool {
    guard loadedModules != nil,
      let module = Self.kernelModules.first(where: { address >= $0.base && address < $0.base + Self.directoryLimit }),
      memory.kernel[module.base].kind == .free
    else { return false }
    let (headers, directory) = try kernelImage(module)
    let pages = (UInt64(directory.count) + 0xfff) & ~0xfff
    guard address < module.base + Self.directoryPlace + pages,
      stride(from: module.base, to: module.base + Self.directoryPlace + pages, by: 0x1000).allSatisfy({ memory.kernel[$0].kind == .free })
    else { return false }
    try mapKernelPages(at: module.base, size: Self.directoryPlace + pages)
    try memory.memory.write(headers, at: module.base)
    try memory.memory.write(directory, at: module.base + Self.directoryPlace)
    return true
  }

  private func kernelImage(_ module: KernelModule) throws -> (headers: [UInt8], directory: [UInt8]) {
    func relative(_ address: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: address &- module.base) }
    var items: [String: UInt32] = [:]
    for (number, export) in exports.exports.enumerated() where export.module == module.name && export.isImportable {
      items[export.name] = relative(trapAddresses[number])
    }
    for variable in KernelVariable.all where variable.module == module.name {
      items[variable.name] = try address(ofVariable: variable.name, in: variable.module).map(relative)
    }
    let directory = Self.exportDirectory(items.sorted { $0.key < $1.key }, of: module.fileName)
    return (try headers(module, directorySize: directory.count), directory)
  }

  /// An export directory at ``directoryPlace`` (PE/COFF specification, “The .edata Section”).
  private static func exportDirectory(_ items: [(key: String, value: UInt32)], of fileName: String) -> [UInt8] {
    let place = UInt32(directoryPlace)
    let count = UInt32(items.count)
    var names: [UInt8] = Array(fileName.utf8) + [0]
    let textPlace = place + 40 + 10 * count
    var nameAddresses: [UInt32] = []
    for (name, _) in items {
      nameAddresses.append(textPlace + UInt32(names.count))
      names += Array(name.utf8) + [0]
    }
    var bytes: [UInt8] = []
    func put(_ words: [UInt32]) { for word in words { withUnsafeBytes(of: word.littleEndian) { bytes += Array($0) } } }
    put([0, 0, 0, textPlace, 1, count, count, place + 40, place + 40 + 4 * count, place + 40 + 8 * count])
    put(items.map(\.value))
    put(nameAddresses)
    for number in 0..<UInt16(count) { withUnsafeBytes(of: number.littleEndian) { bytes += Array($0) } }
    return bytes + names
  }

  private func headers(_ module: KernelModule, directorySize: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 0x400)
    func put<Word: FixedWidthInteger>(_ word: Word, at offset: Int) {
      withUnsafeBytes(of: word.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: Array($0)) }
    }
    put(UInt16(0x5a4d), at: 0)
    put(UInt32(0x80), at: 0x3c)
    put(UInt32(0x4550), at: 0x80)
    put(UInt16(0x14c), at: 0x84)
    let sections: [(name: String, address: UInt64, size: UInt64, characteristics: UInt32)] =
      [(".edata", module.base + Self.directoryPlace, UInt64(directorySize), 0x4000_0040)]
      + (module.name == "nt"
        ? [
          (".text", layout.traps.lowerBound, layout.traps.upperBound - layout.traps.lowerBound, 0x6000_0020),
          (".data", layout.variables.lowerBound, layout.variables.upperBound - layout.variables.lowerBound, 0xc000_0040),
        ] : [])
    put(UInt16(sections.count), at: 0x86)
    put(UInt16(224), at: 0x94)
    put(UInt16(0x10e), at: 0x96)
    let optional = 0x98
    put(UInt16(0x10b), at: optional)
    put(UInt32(0x40_0000), at: optional + 28)
    put(UInt32(0x1000), at: optional + 32)
    put(UInt32(0x200), at: optional + 36)
    // The versions: of the linker's system, 5.1.
    put(UInt32(0x1_0005), at: optional + 40)
    put(UInt32(0x1_0005), at: optional + 48)
    put(UInt32(truncatingIfNeeded: module.size), at: optional + 56)
    put(UInt32(0x400), at: optional + 60)
    put(UInt16(1), at: optional + 68)
    put(UInt32(16), at: optional + 92)
    put(UInt32(Self.directoryPlace), at: optional + 96)
    put(UInt32(directorySize), at: optional + 100)
    for (index, section) in sections.enumerated() {
      let row = optional + 224 + 40 * index
      bytes.replaceSubrange(row..<row + section.name.utf8.count, with: Array(section.name.utf8))
      put(UInt32(truncatingIfNeeded: section.size), at: row + 8)
      put(UInt32(truncatingIfNeeded: section.address &- module.base), at: row + 12)
      put(UInt32(truncatingIfNeeded: section.size), at: row + 16)
      put(section.characteristics, at: row + 36)
    }
    return bytes
  }
}
