import Guest
import Memory
import WindowsTypes

/// The headers of `ntoskrnl.exe` and `hal.dll`: what guest code finds that takes the bases from the list of loaded modules and
/// looks for exports by name, as `MmGetSystemRoutineAddress` does.
///
/// They are made when someone first looks: no fixture that does not look has pages, or addresses, for them. Every name leads to
/// where an import of it leads; for a variable of the HAL's, which lies in the kernel's image here, an offset from its base wraps.
extension Kernel {
  /// One of the two images, as far as it is there.
  struct KernelImage {
    let module: String
    let fileName: String
    let base: UInt64
    let size: UInt64
    /// Where its export directory lies, and room for it.
    let directory: Range<UInt64>
    /// Its sections, in the order of their addresses: only what is mapped.
    let sections: [(name: String, range: Range<UInt64>, characteristics: UInt32)]
    var entryPoint: UInt64?
  }

  var buildTimestamp: UInt32 { memory.target.system.buildTimestamp }

  var kernelImages: [KernelImage] {
    let nt = layout.kernelImage
    let (directory, hal) = (layout.kernelExports, layout.halImage)
    let readOnly: UInt32 = 0x4000_0040
    return [
      KernelImage(
        module: "nt", fileName: "ntoskrnl.exe", base: nt.lowerBound, size: UInt64(nt.count), directory: directory,
        sections: [
          (".edata", directory, readOnly), (".data", layout.variables, 0xc800_0040),
          (".text", layout.traps.lowerBound..<layout.callbacks.upperBound, 0x6800_0020),
        ]),
      KernelImage(
        module: "hal", fileName: "hal.dll", base: hal.lowerBound, size: UInt64(hal.count),
        directory: hal.lowerBound + 0x1000..<layout.halTraps.lowerBound,
        sections: [
          (".edata", hal.lowerBound + 0x1000..<layout.halTraps.lowerBound, readOnly), (".text", layout.halTraps, 0x6800_0020),
          (".data", layout.halTraps.upperBound..<hal.upperBound, 0xc800_0040),
        ]),
    ]
  }

  /// Makes the headers that `address` lies in, if it lies in some and they are not there yet. Returns whether it made them.
  func makeKernelImage(at address: UInt64) throws -> Bool {
    guard layout.kernelImage.contains(address) || layout.halImage.contains(address), loadedModules != nil else { return false }
    guard
      let image = kernelImages.first(where: {
        $0.base..<$0.base + GuestMemory.pageSize ~= address || $0.directory.contains(address)
      }), memory.kernel[image.base].kind == .free, memory.kernel[image.directory.lowerBound].kind == .free
    else { return false }
    let directory = try exportDirectory(of: image)
    guard UInt64(directory.count) <= UInt64(image.directory.count) else { return false }
    try mapKernelPages(at: image.base, size: GuestMemory.pageSize)
    try mapKernelPages(at: image.directory.lowerBound, size: UInt64(directory.count))
    for section in image.sections where section.name == ".data" && memory.kernel[section.range.lowerBound].kind == .free {
      try mapKernelPages(at: section.range.lowerBound, size: UInt64(section.range.count))
    }
    try memory.memory.write(headers(of: image, directorySize: UInt32(directory.count)), at: image.base)
    try memory.memory.write(directory, at: image.directory.lowerBound)
    return true
  }

  /// What the image exports: names in the order in which a binary search expects them.
  private func exportedNames(of image: KernelImage) throws -> [(name: String, address: UInt64)] {
    var found: [String: UInt64] = [:]
    for (number, export) in exports.exports.enumerated()
    where export.module == image.module && export.isImportable && exports.isThere(number, in: memory.target) {
      found[export.name] = imageExport(image.module, export.name) ?? trapAddresses[number]
    }
    for variable in KernelVariable.all
    where variable.module == image.module && KnownRoutines.isExported(variable.name, of: variable.module, in: memory.target) {
      found[variable.name] = try address(ofVariable: variable.name, in: variable.module)
    }
    return found.map { ($0.key, $0.value) }.sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
  }

  /// `IMAGE_EXPORT_DIRECTORY` and its three tables (PE format, "The .edata Section").
  private func exportDirectory(of image: KernelImage) throws -> [UInt8] {
    let names = try exportedNames(of: image)
    let start = UInt32(image.directory.lowerBound - image.base)
    let count = UInt32(names.count)
    let (functions, pointers, ordinals) = (start + 40, start + 40 + 4 * count, start + 40 + 8 * count)
    var texts = Array(image.fileName.utf8) + [0]
    let firstText = ordinals + 2 * count
    var bytes = ImageBytes()
    bytes.append([0, buildTimestamp, 0, firstText, 1, count, count, functions, pointers, ordinals])
    for (_, address) in names { bytes.append([UInt32(truncatingIfNeeded: address &- image.base)]) }
    for (name, _) in names {
      bytes.append([firstText + UInt32(texts.count)])
      texts += Array(name.utf8) + [0]
    }
    for ordinal in 0..<count { bytes.append(UInt16(truncatingIfNeeded: ordinal)) }
    return bytes.bytes + texts
  }

  /// The DOS header, the NT headers and the section table.
  func headers(of image: KernelImage, directorySize: UInt32) -> [UInt8] {
    var bytes = ImageBytes()
    bytes.bytes = Array("MZ".utf8) + [UInt8](repeating: 0, count: 0x3a)
    // e_lfanew, and the headers right behind.
    bytes.append([0x40])
    bytes.bytes += Array("PE\0\0".utf8)
    bytes.append(UInt16(0x14c))
    bytes.append(UInt16(image.sections.count))
    bytes.append([buildTimestamp, 0, 0])
    bytes.append(UInt16(0xe0))
    // Executable, 32 bits; the HAL is a DLL too.
    bytes.append(UInt16(image.module == "hal" ? 0x210e : 0x10e))
    bytes.append(UInt16(0x10b))
    bytes.append(UInt16(0x000a))
    let version = memory.target.system.minor << 16 | memory.target.system.major
    let code = image.sections.first { $0.name == ".text" }?.range ?? image.directory
    bytes.append([
      UInt32(code.count), 0, 0, image.entryPoint.map { UInt32($0 - image.base) } ?? 0, UInt32(code.lowerBound - image.base), 0,
      UInt32(image.base), 0x1000, 0x1000,
      // Operating system, image and subsystem versions.
      version, version, version, 0,
      UInt32(image.size), 0x1000, 0,
    ])
    // IMAGE_SUBSYSTEM_NATIVE.
    bytes.append(UInt16(1))
    bytes.append(UInt16(0))
    bytes.append([0x4_0000, 0x1000, 0x10_0000, 0x1000, 0, 16])
    bytes.append([UInt32(image.directory.lowerBound - image.base), directorySize])
    bytes.append([UInt32](repeating: 0, count: 30))
    for section in image.sections {
      bytes.bytes += Array(section.name.utf8) + [UInt8](repeating: 0, count: 8 - section.name.utf8.count)
      let (size, start) = (UInt32(section.range.count), UInt32(section.range.lowerBound - image.base))
      bytes.append([size, start, size, start, 0, 0, 0, section.characteristics])
    }
    return bytes.bytes
  }
}

/// Little-endian values, one behind the other.
private struct ImageBytes {
  var bytes: [UInt8] = []

  mutating func append(_ values: [UInt32]) {
    for value in values { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
  }

  mutating func append(_ value: UInt16) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
}
