import Guest
import Images
import Memory
import NTKernel
import WindowsTypes

/// The fixture's drivers as the kernel's loader sees them: in memory from the start, gone once they are unloaded, and as their
/// file has them when they are loaded again.
extension Machine: DriverLoader {
  func driverImage(file: String) -> DriverImage? {
    names.images.first { image in
      image.isFile && fileNames[image.base].map { $0.lowercased() == file.lowercased() } ?? false
    }.flatMap { driverImage(at: $0.base) }
  }

  func driverImage(at base: UInt64) -> DriverImage? {
    guard let image = names.images.first(where: { $0.base == base && $0.isFile }), !["nt", "hal"].contains(image.name.lowercased()) else {
      return nil
    }
    var imports: [UInt64] = []
    for module in image.imports.map({ $0.module.lowercased() }) {
      guard let other = names.images.first(where: { $0.isFile && $0.name.lowercased() == module }), !imports.contains(other.base) else {
        continue
      }
      imports.append(other.base)
    }
    return DriverImage(
      name: image.name, range: image.base..<image.base + image.size, entryPoint: image.file.entryPoint,
      isExportDriver: image.isExportDriver, dllInitialize: image.exports["DllInitialize"], dllUnload: image.exports["DllUnload"],
      imports: imports)
  }

  var driverFiles: [(name: String, content: [UInt8])] {
    names.images.compactMap { image in
      guard image.isFile, !image.file.content.isEmpty, let name = fileNames[image.base] else { return nil }
      return (name, image.file.content)
    }
  }

  func mapImage(at base: UInt64) throws -> Pointer<LDR_DATA_TABLE_ENTRY>? {
    if let entry = moduleEntries[base] { return entry }
    guard let image = names.images.first(where: { $0.base == base && $0.isFile }) else { return nil }
    try map(image)
    try freshenCookie(of: image)
    try bind(image)
    for patch in fixture.patches + options.patches {
      let place = try address(of: patch.place, line: patch.origin.line)
      if place >= base, place < base + image.size { overwrite(patch.bytes, at: place) }
    }
    return try list(image, file: fileNames[base] ?? image.name)
  }

  /// Puts an image into the kernel's list of modules.
  @discardableResult
  func list(_ image: Image, file: String) throws -> Pointer<LDR_DATA_TABLE_ENTRY> {
    let entry = try kernel.addLoadedModule(
      Kernel.LoadedModule(
        fileName: file, base: image.base, size: image.size, entryPoint: image.file.entryPoint ?? 0, timestamp: image.file.timestamp,
        checksum: image.file.checksum, forcesIntegrity: image.file.forcesIntegrity))
    fileNames[image.base] = file
    moduleEntries[image.base] = entry
    return entry
  }

  func unmapImage(at base: UInt64) throws {
    guard let image = names.images.first(where: { $0.base == base && $0.isFile }), let entry = moduleEntries.removeValue(forKey: base)
    else { return }
    try kernel.removeLoadedModule(entry)
    for section in image.sections where !section.bytes.isEmpty {
      let pages = (UInt64(section.bytes.count) + 0xfff) >> GuestMemory.pageShift
      try memory.kernel.set(repeatElement(Page.free, count: Int(pages)), at: section.address)
    }
  }

  func discardInitialisation(ofImageAt base: UInt64) throws {
    guard let image = names.images.first(where: { $0.base == base && $0.isFile }) else { return }
    try discardInitialisation(of: image)
  }
}
