import Guest
import Memory
import WindowsTypes

/// What a file system is called, and how its volumes differ.
public enum FileSystemKind: String, CaseIterable, Sendable {
  case ntfs = "NTFS"
  case fat = "FAT"
  case fat32 = "FAT32"
  case cdfs = "CDFS"

  /// The driver, and the name of its control device.
  var driver: String {
    switch self {
    case .ntfs: "Ntfs"
    case .fat, .fat32: "Fastfat"
    case .cdfs: "Cdfs"
    }
  }
  var controlDevice: String {
    switch self {
    case .ntfs: "Ntfs"
    case .fat, .fat32: "Fat"
    case .cdfs: "Cdfs"
    }
  }
  /// `FILE_DEVICE_CD_ROM`, `FILE_DEVICE_DISK`, and their file systems' types.
  var deviceType: UInt32 { self == .cdfs ? 2 : 7 }
  package var volumeType: UInt32 { self == .cdfs ? 3 : 8 }
  var sectorSize: UInt64 { self == .cdfs ? 2048 : 512 }
  var clusterSize: UInt64 { self == .cdfs ? 2048 : 4096 }
  var hasStreams: Bool { self == .ntfs }
  /// `FILE_FS_ATTRIBUTE_INFORMATION.FileSystemAttributes` (ns-ntifs-_file_fs_attribute_information).
  var attributes: UInt32 {
    switch self {
    case .ntfs: 0x0007_00ff
    case .fat, .fat32: 0x0000_0006
    case .cdfs: 0x0008_0001
    }
  }
}

/// A volume as a run's maker describes it.
public struct VolumeDescription: Hashable, Sendable {
  /// `\Device\HarddiskVolume1`
  public var device: String
  public var fileSystem: FileSystemKind
  /// `C:`
  public var drive: String?
  public var label: String
  public var serialNumber: UInt32
  /// In bytes.
  public var size: UInt64
  public var isReadOnly: Bool
  public var completion = VolumeCompletion.atOnce
  public var buffers = VolumeBuffers.neither
  /// Reads and writes of cached files may go without an IRP.
  public var hasFastIO = false
  /// Files' data passes a cache, which paging I/O fills and empties.
  public var hasPagingIO = false
  public var files: [FileDescription]

  public init(
    device: String, fileSystem: FileSystemKind = .ntfs, drive: String? = nil, label: String = "", serialNumber: UInt32 = 0,
    size: UInt64 = 1 << 30, isReadOnly: Bool = false, files: [FileDescription] = []
  ) {
    self.device = device
    self.fileSystem = fileSystem
    self.drive = drive
    self.label = label
    self.serialNumber = serialNumber
    self.size = size
    self.isReadOnly = isReadOnly
    self.files = files
  }
}

/// A file or directory of a ``VolumeDescription``.
public struct FileDescription: Hashable, Sendable {
  /// From the volume's root on: `\Windows\notepad.exe`. Directories on the way need no description of their own.
  public var path: String
  public var isDirectory: Bool
  /// What the file begins with; zeros follow up to ``size``.
  public var content: [UInt8]
  /// In bytes; no less than the content.
  public var size: UInt64
  public var attributes: UInt32
  /// In 100 ns since 1601; `nil` is when the machine booted.
  public var created: UInt64?
  public var modified: UInt64?

  public init(
    _ path: String, isDirectory: Bool = false, content: [UInt8] = [], size: UInt64 = 0, attributes: UInt32 = 0,
    created: UInt64? = nil, modified: UInt64? = nil
  ) {
    self.path = path
    self.isDirectory = isDirectory
    self.content = content
    self.size = max(size, UInt64(content.count))
    self.attributes = attributes
    self.created = created
    self.modified = modified
  }
}

/// A mounted volume: its devices, and the tree of its files.
public final class Volume {
  /// `\Device\HarddiskVolume1`
  public let name: String
  public let kind: FileSystemKind
  public let drive: String?
  public let isReadOnly: Bool
  let completion: VolumeCompletion
  let hasFastIO: Bool
  let hasPagingIO: Bool
  public let serialNumber: UInt32
  var label: String
  let created: Int64
  /// In bytes.
  let size: UInt64
  let root: FileNode
  private let physical: PhysicalMemory
  private var nextID: UInt64 = 5
  /// The disk's device, which has the name.
  public internal(set) var storageDevice: Pointer<DEVICE_OBJECT>
  /// The file system's device, which the volume's parameter block leads to. What filters attach to.
  public internal(set) var device: Pointer<DEVICE_OBJECT>
  /// Oldest first.
  var lostNames: [LostName] = []
  /// Taken for one process: `FSCTL_LOCK_VOLUME`.
  var lockedBy: UInt64 = 0

  init(_ description: VolumeDescription, time: Int64, in physical: PhysicalMemory, null: Pointer<DEVICE_OBJECT>) {
    name = description.device
    kind = description.fileSystem
    drive = description.drive
    isReadOnly = description.isReadOnly || kind == .cdfs
    completion = description.completion
    hasFastIO = description.hasFastIO
    hasPagingIO = description.hasPagingIO
    serialNumber = description.serialNumber
    label = description.label
    size = description.size
    created = time
    self.physical = physical
    storageDevice = null
    device = null
    // The root directory is NTFS's file record 5.
    root = FileNode(
      "", id: 5, isDirectory: true, attributes: FileAttributes.hidden | FileAttributes.system, time: time,
      data: PageStore(in: physical))
  }

  func makeNode(_ name: String, isDirectory: Bool, isStream: Bool = false, attributes: UInt32, time: Int64) -> FileNode {
    nextID += 1
    let node = FileNode(
      name, id: nextID, isDirectory: isDirectory, isStream: isStream, attributes: attributes, time: time,
      data: PageStore(in: physical))
    if hasPagingIO, !isDirectory { node.cache = StreamCache(disk: PageStore(in: physical)) }
    return node
  }

  /// Bytes that files have allocated.
  var used: UInt64 {
    var (total, left): (UInt64, [FileNode]) = (0, [root])
    var linked: Set<UInt64> = []
    while let node = left.popLast() {
      if !node.links.isEmpty, !linked.insert(node.id).inserted { continue }
      total += node.allocationSize
      left += node.children.values
      left += node.streams.values
    }
    return total
  }

  /// Bytes that nothing has allocated.
  var free: UInt64 { size - min(size, used) }

  /// Makes what the path names, and the directories on the way.
  func add(_ file: FileDescription) throws {
    var directory = root
    let parts = file.path.split(separator: "\\").map(String.init)
    for (index, part) in parts.enumerated() {
      let isLast = index == parts.count - 1
      if let known = directory.child(part) {
        directory = known
        if isLast { apply(file, to: known) }
        continue
      }
      let node = makeNode(part, isDirectory: !isLast || file.isDirectory, attributes: 0, time: created)
      if !isValidShortName(part) { node.shortName = shortName(for: part, in: directory) }
      directory.add(node)
      if isLast {
        apply(file, to: node)
        try (node.cache?.disk ?? node.data).write(file.content, at: 0)
        node.resize(to: file.size, cluster: kind.clusterSize)
      }
      directory = node
    }
  }

  private func apply(_ file: FileDescription, to node: FileNode) {
    node.attributes = file.attributes
    if let time = file.created { node.creationTime = Int64(truncatingIfNeeded: time) }
    if let time = file.modified {
      node.lastWriteTime = Int64(truncatingIfNeeded: time)
      node.changeTime = node.lastWriteTime
      node.lastAccessTime = node.lastWriteTime
    }
  }

  /// Whether a name is an 8.3 name, for which no other is made up.
  func isValidShortName(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count <= 2 && (1...8).contains(parts[0].utf16.count) && (parts.count == 1 || (1...3).contains(parts[1].utf16.count))
      && name.unicodeScalars.allSatisfy { $0.isASCII && $0 > " " && !"\"*+,/:;<=>?[\\]|".unicodeScalars.contains($0) }
  }

  /// A name like `LONGNA~1.TXT` that nothing else in the directory has.
  func shortName(for name: String, in directory: FileNode) -> String? {
    let allowed = name.uppercased().unicodeScalars.filter { $0.isASCII && $0 > " " && !"\"*+,/:;<=>?[\\]|".unicodeScalars.contains($0) }
    let text = String(String.UnicodeScalarView(allowed))
    let dot = text.lastIndex(of: ".")
    let base = text[..<(dot ?? text.endIndex)].filter { $0 != "." }.prefix(6)
    let suffix = dot.map { "." + text[text.index(after: $0)...].prefix(3) } ?? ""
    for number in 1...999 {
      let digits = "~\(number)"
      let candidate = base.prefix(8 - digits.count) + digits + (suffix == "." ? "" : suffix)
      if directory.child(String(candidate)) == nil { return String(candidate) }
    }
    return nil
  }
}
