import Guest
import WindowsTypes

/// What the filter manager asks of the file systems, beside what it sends them.
extension Kernel {
  /// The name of an open file or directory, from its volume's root on; `nil` of what is not open, and of a volume.
  package func path(of file: Pointer<FILE_OBJECT>) throws -> String? {
    guard let node = try node(of: file) else { return nil }
    guard let link = try open(of: file)?.link else { return node.path }
    return (link.directory.parent == nil ? "" : link.directory.path) + "\\" + link.name
  }

  /// The 8.3 name of an open file, or its name if that is one.
  package func shortName(of file: Pointer<FILE_OBJECT>) throws -> String? {
    guard let node = try node(of: file), node.parent != nil else { return nil }
    if let link = try open(of: file)?.link { return link.shortName ?? link.name }
    return node.shortName ?? node.name
  }

  /// `path` with the long name of each directory and file in it; the last component need not be there. `nil` where a directory is
  /// missing.
  package func longPath(of path: String, on volume: Volume) -> String? {
    var (node, parts) = (volume.root as FileNode?, [String]())
    let components = path.split(separator: "\\").map(String.init)
    for (index, component) in components.enumerated() {
      let colon = component.firstIndex(of: ":") ?? component.endIndex
      let child = node?.child(String(component[..<colon]))
      guard child != nil || index == components.count - 1 else { return nil }
      parts.append((child?.name ?? String(component[..<colon])) + component[colon...])
      node = child
    }
    return "\\" + parts.joined(separator: "\\")
  }

  /// Whether some file is open on the stream whose control block lies at `stream`.
  package func isOpen(stream: UInt64) -> Bool { files.nodes[stream] != nil }

  /// The identifier, on its volume, of the file that is open, which all of its streams share; `nil` of what is not open, and of a volume.
  package func fileID(of file: Pointer<FILE_OBJECT>) throws -> UInt64? {
    guard let node = try node(of: file) else { return nil }
    return node.isStream ? node.parent?.id : node.id
  }

  /// Whether any stream of a file is open.
  package func isOpen(fileID: UInt64, on volume: Volume) -> Bool {
    files.opens.values.contains { open in
      guard open.volume === volume, let node = open.node else { return false }
      return (node.isStream ? node.parent?.id : node.id) == fileID
    }
  }

  /// Whether an open file is a directory; `nil` of what is not open.
  package func isDirectory(_ file: Pointer<FILE_OBJECT>) throws -> Bool? { try node(of: file)?.isDirectory }

  /// The file object that a handle of the current process's, or of the kernel's, stands for.
  package func fileObject(ofHandle handle: UInt64) throws -> Pointer<FILE_OBJECT>? {
    guard let entry = try entry(of: handle), kind(of: entry.object) == .file else { return nil }
    return Pointer(entry.object, in: memory.memory)
  }

  /// A device without a name of such a driver.
  package func makeDevice(_ driver: Pointer<DRIVER_OBJECT>, type: UInt32) throws -> Pointer<DEVICE_OBJECT> {
    switch try createDevice(driver, extensionSize: 0, name: nil, type: type, characteristics: 0, isExclusive: false) {
    case .success(let device): return device
    case .failure(let refusal): throw GuestException(refusal.status)
    }
  }

  /// Whether `address` is what some allocation from pool returned.
  package func isPoolBlock(_ address: UInt64) -> Bool { nonPagedPool.blocks[address] != nil || pagedPool.blocks[address] != nil }
}

extension FileSystemKind {
  /// `Ntfs`, as the driver is called.
  package var driverName: String { driver }
  /// `Ntfs`, as its control device is called.
  package var deviceName: String { controlDevice }
}
