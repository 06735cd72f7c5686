import Guest
import WindowsTypes

/// `FILE_…` create options and dispositions (`wdm.h`).
enum CreateOptions {
  static let directoryFile: UInt32 = 0x1
  static let writeThrough: UInt32 = 0x2
  static let sequentialOnly: UInt32 = 0x4
  static let noIntermediateBuffering: UInt32 = 0x8
  static let synchronousAlert: UInt32 = 0x10
  static let synchronousNonAlert: UInt32 = 0x20
  static let nonDirectoryFile: UInt32 = 0x40
  static let deleteOnClose: UInt32 = 0x1000
  static let openByFileID: UInt32 = 0x2000
  static let openReparsePoint: UInt32 = 0x20_0000
}

enum CreateDisposition {
  static let supersede: UInt32 = 0
  static let open: UInt32 = 1
  static let create: UInt32 = 2
  static let openIf: UInt32 = 3
  static let overwrite: UInt32 = 4
  static let overwriteIf: UInt32 = 5
}

/// `FILE_READ_DATA` and its like (`wdm.h`).
enum FileAccess {
  static let readData: UInt32 = 0x1
  static let writeData: UInt32 = 0x2
  static let appendData: UInt32 = 0x4
  static let readAttributes: UInt32 = 0x80
  static let writeAttributes: UInt32 = 0x100
  static let delete: UInt32 = 0x1_0000
}

/// `IRP_MJ_CREATE` (irp-mj-create of the file system documentation), cleanup and close.
extension Kernel {
  /// `IO_STATUS_BLOCK.Information` of a create (`wdm.h`).
  private enum Outcome {
    static let superseded: UInt64 = 0
    static let opened: UInt64 = 1
    static let created: UInt64 = 2
    static let overwritten: UInt64 = 3
    static let exists: UInt64 = 4
    static let doesNotExist: UInt64 = 5
  }

  /// What a create asks for.
  private struct Wish {
    let access: UInt32
    let share: UInt32
    let disposition: UInt32
    let options: UInt32
    let attributes: UInt32

    func has(_ option: UInt32) -> Bool { options & option != 0 }
    var replaces: Bool {
      [CreateDisposition.supersede, CreateDisposition.overwrite, CreateDisposition.overwriteIf].contains(disposition)
    }
    var makes: Bool { disposition != CreateDisposition.open && disposition != CreateDisposition.overwrite }
  }

  /// Where a name leads: the directory, and what in it.
  private struct Place {
    let directory: FileNode
    let name: String
    let stream: String?
    /// The name ends in a backslash: only a directory will do.
    let mustBeDirectory: Bool
    let node: FileNode?
  }

  func create(_ request: FileRequest) throws -> Reply {
    let parameters = request.stack.Parameters.Create
    let context = try parameters.SecurityContext.load().address
    let options = try parameters.Options.load()
    let wish = Wish(
      access: context == 0 ? 0 : try memory.memory.load(UInt32.self, at: context + 8),
      share: UInt32(try parameters.ShareAccess.load()), disposition: options >> 24, options: options & 0xff_ffff,
      attributes: UInt32(try parameters.FileAttributes.load()))
    let (file, volume) = (request.file, request.volume)
    let related = try file.RelatedFileObject.load()
    let name = try file.FileName.string()
    if name.isEmpty && related.isNull { return try openVolume(request, wish) }
    if wish.has(CreateOptions.openByFileID) { return try openByID(request, wish) }
    // SL_OPEN_TARGET_DIRECTORY: the directory of what a rename is to make.
    if request.flags & 4 != 0 { return try openTargetDirectory(request, wish, name, related) }
    do {
      // What is to be made new collides with a reparse point, wherever that leads.
      let isOwn = wish.has(CreateOptions.openReparsePoint) || wish.disposition == CreateDisposition.create
      let place = try find(name, from: related, on: volume, opensReparsePoint: isOwn)
      guard let node = place.node else { return try make(place, request, wish) }
      return try openExisting(node, place, request, wish)
    } catch let encounter as ReparseEncountered { return try reparse(request, encounter) }
  }

  private func openVolume(_ request: FileRequest, _ wish: Wish) throws -> Reply {
    if wish.has(CreateOptions.directoryFile) { throw Refusal(.notADirectory) }
    guard [CreateDisposition.open, CreateDisposition.openIf].contains(wish.disposition) else { throw Refusal(.accessDenied) }
    if request.volume.lockedBy != 0 { throw Refusal(.accessDenied) }
    try link(request.file, to: nil, on: request.volume, access: wish.access, isDeleteOnClose: false)
    // FO_VOLUME_OPEN
    try request.file.Flags.store(request.file.Flags.load() | 0x40_0000)
    return Reply(.success, Outcome.opened)
  }

  /// `FILE_OPEN_BY_FILE_ID`: the name is a file's identifier, with or without a backslash in front. There is nothing to be made.
  private func openByID(_ request: FileRequest, _ wish: Wish) throws -> Reply {
    guard request.volume.kind == .ntfs, wish.disposition == CreateDisposition.open else { throw Refusal(.invalidParameter) }
    let (string, here) = (request.file.FileName, memory.memory)
    let (length, buffer) = (try string.Length.load(), try string.Buffer.load().address)
    guard length == 8 || length == 10 else { throw Refusal(.invalidParameter) }
    let id = try here.load(UInt64.self, at: buffer + UInt64(length - 8))
    var left = [request.volume.root]
    while let node = left.popLast() {
      if node.id == id {
        let place = Place(directory: node.parent ?? node, name: node.name, stream: nil, mustBeDirectory: false, node: node)
        return try openExisting(node, place, request, wish)
      }
      left += node.children.values
    }
    throw Refusal(.invalidParameter)
  }

  // MARK: Names

  /// Follows a name, from the volume's root or from the directory of a related file.
  ///
  /// - Parameter opensReparsePoint: the last component is taken as it is. Throws ``ReparseEncountered`` where the name leads through
  ///   a reparse point.
  private func find(
    _ name: String, from related: Pointer<FILE_OBJECT>, on volume: Volume, opensReparsePoint: Bool
  ) throws -> Place {
    var directory = volume.root
    var rest = name
    if related.isNull {
      guard rest.hasPrefix("\\") else { throw Refusal(.objectNameInvalid) }
      // One more is forgiven, as FAT does for clients that put it there.
      rest.removeFirst(rest.hasPrefix("\\\\") ? 2 : 1)
    } else {
      guard !rest.hasPrefix("\\"), let start = try node(of: related) else { throw Refusal(.objectNameInvalid) }
      if rest.isEmpty {
        return Place(directory: start.parent ?? start, name: start.name, stream: nil, mustBeDirectory: false, node: start)
      }
      if rest.hasPrefix(":") {
        return try streamPlace(of: start, rest.dropFirst(), in: start.parent ?? start, on: volume)
      }
      guard start.isDirectory else { throw Refusal(.objectPathNotFound) }
      directory = start
    }
    let mustBeDirectory = rest.hasSuffix("\\")
    if mustBeDirectory { rest.removeLast() }
    if rest.isEmpty { return Place(directory: directory, name: "", stream: nil, mustBeDirectory: true, node: directory) }
    let parts = rest.split(separator: "\\", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      let isLast = index == parts.count - 1
      if isLast, volume.kind.hasStreams, let colon = part.firstIndex(of: ":"), !mustBeDirectory {
        let owner = String(part[..<colon])
        if !owner.isEmpty { try check(owner) }
        let stream = part[part.index(after: colon)...]
        if let point = directory.child(owner)?.reparsePoint, !opensReparsePoint {
          throw ReparseEncountered(point: point, unparsed: stream.utf16.count + 1)
        }
        guard let node = owner.isEmpty ? directory : directory.child(owner) else {
          // `::$DATA` names the file itself.
          return Place(
            directory: directory, name: owner, stream: try streamName(stream), mustBeDirectory: false, node: nil)
        }
        return try streamPlace(of: node, stream, in: directory, on: volume)
      }
      try check(String(part))
      let rest = parts[(index + 1)...].reduce(mustBeDirectory ? 1 : 0) { $0 + 1 + $1.utf16.count }
      if let point = directory.child(String(part))?.reparsePoint, !isLast || !opensReparsePoint {
        throw ReparseEncountered(point: point, unparsed: rest)
      }
      if isLast {
        return Place(
          directory: directory, name: String(part), stream: nil, mustBeDirectory: mustBeDirectory, node: directory.child(String(part)))
      }
      guard let next = directory.child(String(part)), next.isDirectory else { throw Refusal(.objectPathNotFound) }
      directory = next
    }
    throw Refusal(.objectNameInvalid)
  }

  /// `name`, `name:$DATA` or `:$DATA`: the stream's name, `nil` for the unnamed one.
  private func streamName(_ text: Substring) throws -> String? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.count == 1 || FileNode.key(String(parts[1])) == FileNode.key("$DATA") else {
      throw Refusal(.objectNameInvalid)
    }
    if parts[0].isEmpty {
      if parts.count == 1 { throw Refusal(.objectNameInvalid) }
      return nil
    }
    try check(String(parts[0]))
    return String(parts[0])
  }

  private func streamPlace(of node: FileNode, _ text: Substring, in directory: FileNode, on volume: Volume) throws -> Place {
    guard volume.kind.hasStreams else { throw Refusal(.objectNameInvalid) }
    let stream = try streamName(text)
    return Place(
      directory: directory, name: node.name, stream: stream, mustBeDirectory: false,
      node: stream.map { node.stream($0) } ?? node)
  }

  /// A component of a name: no wild cards, no separators of other systems, at most 255 units.
  private func check(_ component: String) throws {
    guard !component.isEmpty, component.utf16.count <= 255,
      component.utf16.allSatisfy({ $0 >= 0x20 && !"\"*/:<>?|".utf16.contains($0) })
    else { throw Refusal(.objectNameInvalid) }
  }

  private func openTargetDirectory(
    _ request: FileRequest, _ wish: Wish, _ name: String, _ related: Pointer<FILE_OBJECT>
  ) throws -> Reply {
    let place: Place
    do {
      place = try find(name, from: related, on: request.volume, opensReparsePoint: true)
    } catch let encounter as ReparseEncountered { return try reparse(request, encounter) }
    let directory = place.node === place.directory ? place.directory.parent ?? place.directory : place.directory
    // The name that remains is the new one: what a filter sees of the rename.
    try store(place.name, in: request.file.FileName)
    let block = try controlBlock(of: directory)
    let status = try checkShareAccess(wish.access, wish.share, request.file, block.ShareAccess, updates: true)
    guard status == .success else {
      try releaseControlBlock(of: directory)
      throw Refusal(status)
    }
    try link(request.file, to: directory, on: request.volume, access: wish.access, isDeleteOnClose: false)
    return Reply(.success, place.node == nil ? Outcome.doesNotExist : Outcome.exists)
  }

  // MARK: What is there

  private func openExisting(_ node: FileNode, _ place: Place, _ request: FileRequest, _ wish: Wish) throws -> Reply {
    let owner = node.isStream ? node.parent ?? node : node
    try node.make()
    if node.isDeletePending || owner.isDeletePending { throw Refusal(.deletePending) }
    if node.isDirectory {
      if wish.has(CreateOptions.nonDirectoryFile) { throw Refusal(.fileIsADirectory) }
      guard [CreateDisposition.open, CreateDisposition.openIf].contains(wish.disposition) else {
        throw Refusal(.objectNameCollision)
      }
    } else {
      if place.mustBeDirectory { throw Refusal(.objectNameInvalid) }
      if wish.has(CreateOptions.directoryFile) {
        throw Refusal(wish.disposition == CreateDisposition.create ? .objectNameCollision : .notADirectory)
      }
      if wish.disposition == CreateDisposition.create { throw Refusal(.objectNameCollision) }
    }
    try checkWriting(owner, request.volume, wish)
    let block = try controlBlock(of: node)
    let status = try checkShareAccess(wish.access, wish.share, request.file, block.ShareAccess, updates: node.openFiles > 0)
    guard status == .success else {
      try releaseControlBlock(of: node)
      throw Refusal(status)
    }
    if wish.replaces, node.data.userViews > 0 {
      if node.openFiles > 0 { try removeShareAccess(request.file, block.ShareAccess) }
      try releaseControlBlock(of: node)
      throw Refusal(.userMappedFile)
    }
    if node.openFiles == 0 { try setShareAccess(wish.access, wish.share, request.file, block.ShareAccess) }
    try link(request.file, to: node, on: request.volume, access: wish.access, isDeleteOnClose: wish.has(CreateOptions.deleteOnClose))
    try settle(request, wish)
    guard wish.replaces else { return Reply(.success, Outcome.opened) }
    node.resize(to: 0, cluster: request.volume.kind.clusterSize)
    let kept = wish.disposition == CreateDisposition.supersede ? 0 : owner.attributes & FileAttributes.settable
    owner.attributes = (kept | wish.attributes & FileAttributes.settable | FileAttributes.archive) & ~FileAttributes.normal
    touch(node, isWrite: true)
    try publishSizes(of: node)
    return Reply(.success, wish.disposition == CreateDisposition.supersede ? Outcome.superseded : Outcome.overwritten)
  }

  /// What a read-only file or volume refuses.
  private func checkWriting(_ node: FileNode, _ volume: Volume, _ wish: Wish) throws {
    let writes = wish.access & (FileAccess.writeData | FileAccess.appendData) != 0 && !node.isDirectory
    if volume.isReadOnly, writes || wish.replaces || wish.has(CreateOptions.deleteOnClose) || wish.access & FileAccess.delete != 0 {
      throw Refusal(.mediaWriteProtected)
    }
    if node.attributes & FileAttributes.readOnly != 0, !node.isDirectory {
      if writes || wish.replaces { throw Refusal(.accessDenied) }
      if wish.has(CreateOptions.deleteOnClose) { throw Refusal(.cannotDelete) }
    }
    if wish.has(CreateOptions.deleteOnClose), node.parent == nil { throw Refusal(.cannotDelete) }
    // Hidden and system files are only replaced by those who name these attributes.
    let special = FileAttributes.hidden | FileAttributes.system
    if wish.replaces, node.attributes & special & ~wish.attributes != 0 { throw Refusal(.accessDenied) }
  }

  private func make(_ place: Place, _ request: FileRequest, _ wish: Wish) throws -> Reply {
    guard wish.makes else { throw Refusal(.objectNameNotFound) }
    let volume = request.volume
    if volume.isReadOnly { throw Refusal(.mediaWriteProtected) }
    if place.mustBeDirectory && !wish.has(CreateOptions.directoryFile) { throw Refusal(.objectNameInvalid) }
    // FILE_ATTRIBUTE_READONLY and FILE_DELETE_ON_CLOSE exclude each other.
    if wish.attributes & FileAttributes.readOnly != 0, wish.has(CreateOptions.deleteOnClose) { throw Refusal(.cannotDelete) }
    if place.directory.isDeletePending { throw Refusal(.deletePending) }
    let allocation = try request.irp.Overlay.AllocationSize.QuadPart.load()
    if allocation > 0, UInt64(allocation) > volume.free { throw Refusal(.diskFull) }
    let time = fileTime
    let isDirectory = wish.has(CreateOptions.directoryFile) && place.stream == nil
    var node: FileNode
    if let known = place.directory.child(place.name), place.stream != nil {
      if known.isDeletePending { throw Refusal(.deletePending) }
      if known.attributes & FileAttributes.readOnly != 0 { throw Refusal(.accessDenied) }
      node = known
    } else {
      let own = wish.attributes & FileAttributes.settable | (isDirectory ? 0 : FileAttributes.archive)
      node = volume.makeNode(place.name, isDirectory: isDirectory, attributes: own & ~FileAttributes.normal, time: time)
      if volume.kind != .cdfs, !volume.isValidShortName(place.name) {
        node.shortName = volume.shortName(for: place.name, in: place.directory)
      }
      place.directory.add(node)
      touch(place.directory, isWrite: true)
    }
    if let stream = place.stream {
      let made = volume.makeNode(stream, isDirectory: false, isStream: true, attributes: 0, time: time)
      node.add(made)
      node = made
    }
    let block = try controlBlock(of: node)
    try setShareAccess(wish.access, wish.share, request.file, block.ShareAccess)
    try link(request.file, to: node, on: volume, access: wish.access, isDeleteOnClose: wish.has(CreateOptions.deleteOnClose))
    try settle(request, wish)
    if allocation > 0, !isDirectory {
      node.allocationSize = roundUp(UInt64(allocation), volume.kind.clusterSize)
      try publishSizes(of: node)
    }
    return Reply(.success, Outcome.created)
  }

  /// The file object's flags that follow from what it was opened with.
  private func settle(_ request: FileRequest, _ wish: Wish) throws {
    var flags = try request.file.Flags.load()
    if !wish.has(CreateOptions.noIntermediateBuffering) { flags |= FileFlags.cacheSupported }
    if wish.attributes & FileAttributes.temporary != 0 { flags |= FileFlags.temporary }
    if wish.has(CreateOptions.deleteOnClose) { flags |= FileFlags.deleteOnClose }
    try request.file.Flags.store(flags)
  }

  /// Marks that a file was read or written.
  func touch(_ node: FileNode, isWrite: Bool) {
    let owner = node.isStream ? node.parent ?? node : node
    owner.lastAccessTime = fileTime
    guard isWrite else { return }
    owner.lastWriteTime = fileTime
    owner.changeTime = fileTime
    if !owner.isDirectory { owner.attributes |= FileAttributes.archive }
  }

  // MARK: The end

  func cleanUp(_ request: FileRequest) async throws -> Reply {
    let file = request.file
    // FO_CLEANUP_COMPLETE
    try file.Flags.store(file.Flags.load() | FileFlags.cleanupComplete)
    guard let open = request.open, !open.isCleanedUp else { return .success }
    open.isCleanedUp = true
    guard let node = open.node else {
      if request.volume.lockedBy == file.address { request.volume.lockedBy = 0 }
      return .success
    }
    let block = try controlBlock(of: node)
    try removeShareAccess(file, block.ShareAccess)
    files.locks[block.FileLock.address]?.removeAll { $0.file == file.address }
    if open.isDeleteOnClose { node.isDeletePending = true }
    node.handles -= 1
    if node.handles <= 0, node.isDeletePending, !node.isDeleted {
      node.isDeleted = true
      node.parent?.remove(node)
      if let parent = node.parent, !node.isStream { touch(parent, isWrite: true) }
      node.resize(to: 0, cluster: request.volume.kind.clusterSize)
      try publishSizes(of: node)
    }
    if node.handles <= 0 { try leaveToLazyWriter(node) }
    return .success
  }

  func closed(_ request: FileRequest) throws -> Reply {
    try unlink(request.file)
    return .success
  }
}
