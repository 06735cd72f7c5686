import Guest
import WindowsTypes

/// `FILE_INFORMATION_CLASS` (`wdm.h`).
enum FileInformationClass {
  static let directory: UInt32 = 1
  static let fullDirectory: UInt32 = 2
  static let bothDirectory: UInt32 = 3
  static let basic: UInt32 = 4
  static let standard: UInt32 = 5
  static let `internal`: UInt32 = 6
  static let extendedAttributes: UInt32 = 7
  static let access: UInt32 = 8
  static let name: UInt32 = 9
  static let rename: UInt32 = 10
  static let link: UInt32 = 11
  static let names: UInt32 = 12
  static let disposition: UInt32 = 13
  static let position: UInt32 = 14
  static let mode: UInt32 = 16
  static let alignment: UInt32 = 17
  static let all: UInt32 = 18
  static let allocation: UInt32 = 19
  static let endOfFile: UInt32 = 20
  static let alternateName: UInt32 = 21
  static let stream: UInt32 = 22
  static let compression: UInt32 = 28
  static let networkOpen: UInt32 = 34
  static let attributeTag: UInt32 = 35
  static let idBothDirectory: UInt32 = 37
  static let idFullDirectory: UInt32 = 38
  static let validDataLength: UInt32 = 39

  /// How long the fixed part of each is, as the I/O manager checks it.
  static let fixedSizes: [UInt32: Int] = [
    basic: 40, standard: 24, `internal`: 8, extendedAttributes: 4, access: 4, name: 8, rename: 16, link: 16, disposition: 1,
    position: 8, mode: 4, alignment: 4, all: 104, allocation: 8, endOfFile: 8, alternateName: 8, stream: 32, compression: 16,
    networkOpen: 56, attributeTag: 8, validDataLength: 8, directory: 72, fullDirectory: 72, bothDirectory: 96, names: 16,
    idBothDirectory: 112, idFullDirectory: 88,
  ]
}

/// `IRP_MJ_QUERY_INFORMATION` and `IRP_MJ_SET_INFORMATION` of files.
extension Kernel {
  func queryInformation(_ request: FileRequest) throws -> Reply {
    let node = try request.requireNode()
    let parameters = request.stack.Parameters.QueryFile
    let kind = try parameters.FileInformationClass.load()
    var record = RecordBuilder()
    var fixed: Int?
    switch kind {
    case FileInformationClass.basic: put(basic: node, in: &record)
    case FileInformationClass.standard: put(standard: node, in: &record)
    case FileInformationClass.internal: record.put(node.id)
    case FileInformationClass.extendedAttributes: record.put(node.extendedAttributeSize)
    case FileInformationClass.position: record.put(try request.file.CurrentByteOffset.QuadPart.load())
    case FileInformationClass.name:
      put(name: try path(of: request.file) ?? node.path, in: &record)
      fixed = 8
    case FileInformationClass.all:
      put(basic: node, in: &record)
      put(standard: node, in: &record)
      record.put(node.id)
      record.put(node.extendedAttributeSize)
      // Access, mode and alignment are the I/O manager's.
      record.put(UInt32(0))
      record.put(try request.file.CurrentByteOffset.QuadPart.load())
      record.put(UInt32(0))
      record.put(UInt32(0))
      put(name: try path(of: request.file) ?? node.path, in: &record)
      fixed = 104
    case FileInformationClass.alternateName:
      let link = request.open?.link
      let short = link == nil ? node.shortName : link?.shortName
      let name = short ?? link?.name ?? node.name
      guard short != nil || request.volume.isValidShortName(name) else { throw Refusal(.objectNameNotFound) }
      put(name: name, in: &record)
      fixed = 8
    case FileInformationClass.stream where request.volume.kind.hasStreams:
      record.put(raw: streams(of: node.isStream ? node.parent ?? node : node))
      fixed = min(24, record.bytes.count)
    case FileInformationClass.compression where !node.isDirectory:
      record.put(node.size)
      record.put(UInt64(0))
    case FileInformationClass.networkOpen:
      put(times: node, in: &record)
      record.put(node.allocationSize)
      record.put(node.size)
      record.put(node.shownAttributes)
      record.align(8)
    case FileInformationClass.attributeTag:
      record.put(node.shownAttributes)
      record.put(node.reparsePoint?.tag ?? 0)
    default: throw Refusal(.invalidParameter)
    }
    return try reply(
      record.bytes, fixed: fixed ?? record.bytes.count, length: parameters.Length.load(), to: systemBuffer(request))
  }

  private func put(times node: FileNode, in record: inout RecordBuilder) {
    let owner = node.isStream ? node.parent ?? node : node
    for time in [owner.creationTime, owner.lastAccessTime, owner.lastWriteTime, owner.changeTime] { record.put(time) }
  }

  private func put(basic node: FileNode, in record: inout RecordBuilder) {
    put(times: node, in: &record)
    record.put(node.shownAttributes)
    record.align(8)
  }

  private func put(standard node: FileNode, in record: inout RecordBuilder) {
    record.put(node.allocationSize)
    record.put(node.size)
    // A file that is to go has one link less.
    record.put(UInt32(node.links.count + (node.isDeletePending ? 0 : 1)))
    record.put(UInt8(node.isDeletePending ? 1 : 0))
    record.put(UInt8(node.isDirectory ? 1 : 0))
    record.align(8)
  }

  private func put(name: String, in record: inout RecordBuilder) {
    record.put(UInt32(name.utf16.count * 2))
    record.put(name)
  }

  /// `FILE_STREAM_INFORMATION` of a file's streams, the unnamed one first.
  private func streams(of node: FileNode) -> [UInt8] {
    var entries: [(name: String, node: FileNode)] = node.isDirectory ? [] : [("::$DATA", node)]
    entries += node.streams.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { (":\($0.value.name):$DATA", $0.value) }
    var bytes: [UInt8] = []
    for (index, entry) in entries.enumerated() {
      var record = RecordBuilder()
      let length = 24 + entry.name.utf16.count * 2
      record.put(UInt32(index == entries.count - 1 ? 0 : (length + 7) & ~7))
      record.put(UInt32(entry.name.utf16.count * 2))
      record.put(entry.node.size)
      record.put(entry.node.allocationSize)
      record.put(entry.name)
      if index < entries.count - 1 { record.align(8) }
      bytes += record.bytes
    }
    return bytes
  }

  // MARK: Setting

  func setInformation(_ request: FileRequest) throws -> Reply {
    let node = try request.requireNode()
    let parameters = request.stack.Parameters.SetFile
    let kind = try parameters.FileInformationClass.load()
    let (buffer, here, volume) = (try systemBuffer(request), memory.memory, request.volume)
    if let size = FileInformationClass.fixedSizes[kind], try Int(parameters.Length.load()) < size { throw Refusal(.infoLengthMismatch) }
    if volume.isReadOnly, kind != FileInformationClass.position { throw Refusal(.mediaWriteProtected) }
    switch kind {
    case FileInformationClass.basic: try setBasic(node, buffer)
    case FileInformationClass.disposition: try setDisposition(request, node, try here.load(UInt8.self, at: buffer) != 0)
    case FileInformationClass.position: try request.file.CurrentByteOffset.QuadPart.store(here.load(Int64.self, at: buffer))
    case FileInformationClass.endOfFile, FileInformationClass.allocation:
      guard !node.isDirectory else { throw Refusal(.invalidParameter) }
      let size = try here.load(Int64.self, at: buffer)
      guard size >= 0 else { throw Refusal(.invalidParameter) }
      guard size <= 1 << 44 else { throw Refusal(.diskFull) }
      // SetFile.AdvanceOnly: the lazy writer's, which never makes a file longer.
      if kind == FileInformationClass.endOfFile, try parameters.AdvanceOnly.load() != 0 { break }
      if UInt64(size) < node.size, node.data.userViews > 0 { throw Refusal(.userMappedFile) }
      try extend(node, to: UInt64(size), on: volume)
      if kind == FileInformationClass.endOfFile {
        node.resize(to: UInt64(size), cluster: volume.kind.clusterSize)
      } else {
        if UInt64(size) < node.size { node.resize(to: UInt64(size), cluster: volume.kind.clusterSize) }
        node.allocationSize = roundUp(UInt64(size), volume.kind.clusterSize)
      }
      touch(node, isWrite: true)
      try publishSizes(of: node)
    case FileInformationClass.validDataLength:
      let length = try here.load(Int64.self, at: buffer)
      guard length >= 0, UInt64(length) <= node.size else { throw Refusal(.invalidParameter) }
    case FileInformationClass.rename: try rename(request, node, buffer)
    case FileInformationClass.link where volume.kind == .ntfs: try makeLink(request, node, buffer)
    default: throw Refusal(.invalidParameter)
    }
    return .success
  }

  private func setBasic(_ node: FileNode, _ buffer: UInt64) throws {
    let here = memory.memory
    let times = try (0..<4).map { try here.load(Int64.self, at: buffer + 8 * $0) }
    let attributes = try here.load(UInt32.self, at: buffer + 32)
    // 0 leaves a time as it is, and -1 keeps later operations from changing it, which they do not remember here.
    guard times.allSatisfy({ $0 >= -1 }) else { throw Refusal(.invalidParameter) }
    let owner = node.isStream ? node.parent ?? node : node
    if attributes & FileAttributes.directory != 0, !owner.isDirectory { throw Refusal(.invalidParameter) }
    if attributes & FileAttributes.temporary != 0, owner.isDirectory { throw Refusal(.invalidParameter) }
    if times[0] > 0 { owner.creationTime = times[0] }
    if times[1] > 0 { owner.lastAccessTime = times[1] }
    if times[2] > 0 { owner.lastWriteTime = times[2] }
    owner.changeTime = times[3] > 0 ? times[3] : fileTime
    if attributes != 0 { owner.attributes = attributes & FileAttributes.settable }
  }

  private func setDisposition(_ request: FileRequest, _ node: FileNode, _ isDeleted: Bool) throws {
    if isDeleted {
      if node.parent == nil { throw Refusal(.cannotDelete) }
      if node.attributes & FileAttributes.readOnly != 0 { throw Refusal(.cannotDelete) }
      if node.data.userViews > 0 { throw Refusal(.cannotDelete) }
      if !node.children.isEmpty { throw Refusal(.directoryNotEmpty) }
    }
    node.isDeletePending = isDeleted
    node.pendingLink = request.open?.link
    try request.file.DeletePending.store(isDeleted ? 1 : 0)
  }

  /// `FILE_RENAME_INFORMATION`: within the directory, or into that of the file object that the I/O manager opened for it.
  private func rename(_ request: FileRequest, _ node: FileNode, _ buffer: UInt64) throws {
    let (directory, name) = try newName(request, node, buffer)
    request.volume.lose(node, openedAs: try request.file.FileName.string(), at: fileTime)
    // Onto another name of its own: that goes.
    let own = request.open?.link
    if let twin = node.link(named: name, in: directory), twin.name != own?.name || twin.directory !== own?.directory { node.drop(twin) }
    if let open = request.open, let link = open.link, node.link(named: link.name, in: link.directory) != nil {
      node.drop(link)
      open.link = add(name, in: directory, to: node, on: request.volume)
    } else {
      node.parent?.remove(node)
      request.volume.settleName(of: node, as: name, in: directory, at: fileTime)
      directory.add(node)
    }
    node.changeTime = fileTime
    touch(directory, isWrite: true)
  }

  /// `FILE_LINK_INFORMATION`: another name of the file, in a directory of the same volume (ns-ntifs-_file_link_information).
  private func makeLink(_ request: FileRequest, _ node: FileNode, _ buffer: UInt64) throws {
    if node.isDirectory { throw Refusal(.fileIsADirectory) }
    // STATUS_TOO_MANY_LINKS
    if node.links.count >= 1023 { throw Refusal(NTSTATUS(rawValue: 0xc000_0265)) }
    let (directory, name) = try newName(request, node, buffer)
    // The name that it has already.
    if directory.child(name) === node { return }
    _ = add(name, in: directory, to: node, on: request.volume)
    node.changeTime = fileTime
    touch(directory, isWrite: true)
  }

  private func add(_ name: String, in directory: FileNode, to node: FileNode, on volume: Volume) -> FileNode.Link {
    let short = volume.isValidShortName(name) ? nil : volume.shortName(for: name, in: directory)
    let link = FileNode.Link(directory: directory, name: name, shortName: short)
    node.add(link)
    return link
  }

  /// The directory and name that a rename or a link asks for; what had the name is gone.
  private func newName(_ request: FileRequest, _ node: FileNode, _ buffer: UInt64) throws -> (directory: FileNode, name: String) {
    let here = memory.memory
    guard node.parent != nil, !node.isStream, !node.isDeletePending else { throw Refusal(.invalidParameter) }
    let parameters = request.stack.Parameters.SetFile
    let target = try parameters.FileObject.load()
    let isReplacing = try parameters.ReplaceIfExists.load() != 0 || here.load(UInt8.self, at: buffer) != 0
    let directory: FileNode
    let name: String
    if target.isNull {
      guard let parent = request.open?.link?.directory ?? node.parent else { throw Refusal(.invalidParameter) }
      directory = parent
      let length = try here.load(UInt32.self, at: buffer + 8)
      guard length > 0, length & 1 == 0, UInt64(length) + 12 <= UInt64(try parameters.Length.load()) else {
        throw Refusal(.invalidParameter)
      }
      let units = try (0..<UInt64(length / 2)).map { try here.load(UInt16.self, at: buffer + 12 + 2 * $0) }
      name = String(decoding: units, as: UTF16.self)
    } else {
      guard let parent = try self.node(of: target), parent.isDirectory, try open(of: target)?.volume === request.volume else {
        throw Refusal(.notSameDevice)
      }
      directory = parent
      name = String(try target.FileName.string().split(separator: "\\").last ?? "")
    }
    guard !name.isEmpty, name.utf16.count <= 255, name.utf16.allSatisfy({ $0 >= 0x20 && !"\"*/:<>?|\\".utf16.contains($0) })
    else { throw Refusal(.objectNameInvalid) }
    if node.contains(directory) { throw Refusal(.invalidParameter) }
    if let other = directory.child(name), other !== node {
      guard isReplacing else { throw Refusal(.objectNameCollision) }
      guard !other.isDirectory, other.openFiles == 0, other.attributes & FileAttributes.readOnly == 0 else { throw Refusal(.accessDenied) }
      if other.links.isEmpty {
        directory.remove(other)
        other.isDeleted = true
      } else {
        other.drop(other.link(named: name, in: directory))
      }
    }
    return (directory, name)
  }
}
