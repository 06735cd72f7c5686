import Guest
import WindowsTypes

/// `FILE_ATTRIBUTE_…` (`wdm.h`).
public enum FileAttributes {
  public static let readOnly: UInt32 = 0x1
  public static let hidden: UInt32 = 0x2
  public static let system: UInt32 = 0x4
  public static let directory: UInt32 = 0x10
  public static let archive: UInt32 = 0x20
  public static let normal: UInt32 = 0x80
  public static let temporary: UInt32 = 0x100
  public static let reparsePoint: UInt32 = 0x400
  /// Those that a caller may set.
  static let settable: UInt32 = 0x31a7
}

/// A file, directory or named stream as a volume keeps it: what would be on the disk.
final class FileNode {
  var name: String
  /// The 8.3 name, where the name itself is none.
  var shortName: String?
  /// The directory it is in; of a named stream, its file.
  unowned(unsafe) var parent: FileNode?
  let isStream: Bool
  let isDirectory: Bool
  /// The file's identifier on its volume.
  let id: UInt64
  var attributes: UInt32
  /// In 100 ns since 1601.
  var creationTime: Int64
  var lastAccessTime: Int64
  var lastWriteTime: Int64
  var changeTime: Int64
  let data: PageStore
  /// What lies between ``data`` and the disk; `nil` where data is what the disk holds.
  var cache: StreamCache?
  /// In bytes.
  private(set) var size: UInt64 = 0
  var allocationSize: UInt64 = 0
  /// By name in capitals.
  private(set) var children: [[UInt16]: FileNode] = [:]
  /// Named streams, by name in capitals.
  private(set) var streams: [[UInt16]: FileNode] = [:]
  var reparsePoint: ReparsePoint?
  /// By name in capitals, in the order in which they came.
  var extendedAttributes: [ExtendedAttribute] = []
  /// What the file holds, in pieces, where that is only made when someone first opens it.
  var maker: (() throws -> [(place: UInt64, bytes: [UInt8])])?
  /// It goes with its last handle.
  var isDeletePending = false
  /// It has no name any more.
  var isDeleted = false
  /// File objects that are not cleaned up, and those that are not closed.
  var handles = 0
  var openFiles = 0
  /// Where its control block lies while it is open; else 0.
  var controlBlock: UInt64 = 0

  init(_ name: String, id: UInt64, isDirectory: Bool, isStream: Bool = false, attributes: UInt32, time: Int64, data: PageStore) {
    self.name = name
    self.id = id
    self.isDirectory = isDirectory
    self.isStream = isStream
    self.attributes = attributes
    creationTime = time
    lastAccessTime = time
    lastWriteTime = time
    changeTime = time
    self.data = data
  }

  /// As names compare: unit by unit, in capitals.
  static func key(_ name: String) -> [UInt16] { name.utf16.map(\.uppercased) }

  func child(_ name: String) -> FileNode? {
    let key = Self.key(name)
    return children[key] ?? children.values.first { $0.shortName.map(Self.key) == key }
  }

  /// In the order in which a directory lists them.
  var sortedChildren: [FileNode] {
    children.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
  }

  func add(_ child: FileNode) {
    child.parent = self
    if child.isStream { streams[Self.key(child.name)] = child } else { children[Self.key(child.name)] = child }
  }

  func remove(_ child: FileNode) {
    if child.isStream { streams[Self.key(child.name)] = nil } else { children[Self.key(child.name)] = nil }
  }

  func stream(_ name: String) -> FileNode? { streams[Self.key(name)] }

  /// From the volume's root on: `\Windows\notepad.exe`, `\file:stream`.
  var path: String {
    var parts: [String] = []
    var node = self
    while let parent = node.parent {
      parts.append((node.isStream ? ":" : "\\") + node.name)
      node = parent
    }
    return parts.isEmpty ? "\\" : parts.reversed().joined()
  }

  /// Whether `other` is this node or lies below it.
  func contains(_ other: FileNode) -> Bool {
    var node: FileNode? = other
    while let here = node {
      if here === self { return true }
      node = here.parent
    }
    return false
  }

  /// What queries show: `FILE_ATTRIBUTE_NORMAL` stands alone.
  var shownAttributes: UInt32 {
    let point = reparsePoint == nil ? 0 : FileAttributes.reparsePoint
    let own = (isStream ? parent?.attributes ?? 0 : attributes) & ~FileAttributes.normal | point
    return isDirectory ? own | FileAttributes.directory : own == 0 ? FileAttributes.normal : own
  }

  /// Fills the file if that is still to be done.
  func make() throws {
    guard let maker else { return }
    self.maker = nil
    for piece in try maker() { try data.write(piece.bytes, at: piece.place) }
  }

  func resize(to newSize: UInt64, cluster: UInt64) {
    if newSize < size {
      data.truncate(to: newSize)
      cache?.truncate(to: newSize, data)
    }
    size = newSize
    allocationSize = roundUp(newSize, cluster)
  }
}

/// The multiple of `granule` that is no less than `value`.
func roundUp(_ value: UInt64, _ granule: UInt64) -> UInt64 { (value + granule - 1) / granule * granule }
