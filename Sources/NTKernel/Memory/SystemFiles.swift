import Guest
import Memory
import WindowsTypes

/// `ntoskrnl.exe` and `hal.dll` on the system's volume: byte for byte what ``KernelImage`` has in memory, headers, export directory and
/// the routines' code, as drivers compare the two. A section lies in the file where it lies in memory.
extension Kernel {
  /// Puts the files on a volume. What they hold is made when someone first opens one.
  func addSystemFiles(to volume: Volume) throws {
    for image in kernelImages {
      let path = #"\WINDOWS\system32\"# + image.fileName
      try volume.add(FileDescription(path, size: image.sections.map(\.range.upperBound).max().map { $0 - image.base } ?? 0))
      let node = path.split(separator: "\\").reduce(volume.root) { $0.child(String($1)) ?? $0 }
      node.maker = { [unowned self] in try pieces(of: image) }
    }
  }

  private func pieces(of image: KernelImage) throws -> [(place: UInt64, bytes: [UInt8])] {
    _ = try moduleList()
    _ = try makeKernelImage(at: image.base)
    var pieces: [(UInt64, [UInt8])] = []
    for range in [image.base..<image.base + GuestMemory.pageSize] + image.sections.map(\.range) {
      for page in stride(from: range.lowerBound, to: range.upperBound, by: Int(GuestMemory.pageSize))
      where memory.kernel[page].kind == .valid {
        pieces.append((page - image.base, try memory.memory.bytes(Int(GuestMemory.pageSize), at: page)))
      }
    }
    return pieces
  }
}
