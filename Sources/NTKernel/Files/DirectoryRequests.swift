import Guest
import WindowsTypes

/// `IRP_MJ_DIRECTORY_CONTROL`: what a directory holds.
extension Kernel {
  func directoryControl(_ request: FileRequest) throws -> Reply {
    let node = try request.requireNode()
    guard node.isDirectory, let open = request.open else { throw Refusal(.invalidParameter) }
    // IRP_MN_QUERY_DIRECTORY; nobody is told of changes.
    guard try request.stack.MinorFunction.load() == 1 else { throw Refusal(.notImplemented) }
    let parameters = request.stack.Parameters.QueryDirectory
    let (length, kind) = (try parameters.Length.load(), try parameters.FileInformationClass.load())
    let isFirst = open.pattern == nil
    if isFirst {
      let name = try parameters.FileName.load()
      let text = name.isNull ? "" : try name.string()
      open.pattern = text.isEmpty ? [NameExpression.star] : FileNode.key(text)
    }
    // SL_RESTART_SCAN 1, SL_RETURN_SINGLE_ENTRY 2
    if isFirst || request.flags & 1 != 0 {
      let pattern = open.pattern ?? []
      open.position = 0
      open.entries = entries(of: node).filter { entry in
        NameExpression.matches(FileNode.key(entry.name), pattern)
          || entry.node.shortName(beside: entry.name).map { NameExpression.matches(FileNode.key($0), pattern) } ?? false
      }
    }
    var (offset, previous) = (0, -1)
    while open.position < open.entries.count {
      let (name, entry) = open.entries[open.position]
      if entry.isDeleted {
        open.position += 1
        continue
      }
      let (fixed, bytes) = try record(kind, entry, name)
      let start = (offset + 7) & ~7
      guard start + bytes.count <= Int(length) else {
        if previous >= 0 { break }
        guard Int(length) >= fixed else { throw Refusal(.bufferTooSmall) }
        // As much of the name as fits; the next query goes on behind it.
        open.position += 1
        try store(Array(bytes.prefix(Int(length))), request, at: 0)
        return Reply(.bufferOverflow, UInt64(length))
      }
      try store(bytes, request, at: UInt64(start))
      if previous >= 0 {
        let distance = UInt32(start - previous)
        try store(withUnsafeBytes(of: distance.littleEndian) { Array($0) }, request, at: UInt64(previous))
      }
      (offset, previous) = (start + bytes.count, start)
      open.position += 1
      if request.flags & 2 != 0 { break }
    }
    if previous < 0 { throw Refusal(isFirst ? .noSuchFile : .noMoreFiles) }
    return Reply(.success, UInt64(offset))
  }

  private func entries(of node: FileNode) -> [(name: String, node: FileNode)] {
    let own = node.sortedChildren
    guard let parent = node.parent else { return own }
    return [(".", node), ("..", parent)] + own
  }

  /// One entry in the layout of an information class, and how much of it precedes the name.
  private func record(_ kind: UInt32, _ node: FileNode, _ name: String) throws -> (fixed: Int, [UInt8]) {
    var record = RecordBuilder()
    record.put(UInt32(0))
    record.put(UInt32(0))
    let nameLength = UInt32(name.utf16.count * 2)
    guard kind != FileInformationClass.names else {
      record.put(nameLength)
      record.put(name)
      return (12, record.bytes)
    }
    for time in [node.creationTime, node.lastAccessTime, node.lastWriteTime, node.changeTime] { record.put(time) }
    record.put(node.size)
    record.put(node.allocationSize)
    record.put(node.shownAttributes)
    record.put(nameLength)
    // EaSize: of a reparse point, its tag.
    if kind != FileInformationClass.directory { record.put(node.reparsePoint?.tag ?? node.extendedAttributeSize) }
    switch kind {
    case FileInformationClass.directory, FileInformationClass.fullDirectory: break
    case FileInformationClass.bothDirectory, FileInformationClass.idBothDirectory:
      let short = Array((node.shortName(beside: name) ?? "").utf16.prefix(12))
      record.put(UInt8(short.count * 2))
      record.align(2)
      for index in 0..<12 { record.put(index < short.count ? short[index] : 0) }
      if kind == FileInformationClass.idBothDirectory { record.put(node.id) }
    case FileInformationClass.idFullDirectory: record.put(node.id)
    default: throw Refusal(.invalidInfoClass)
    }
    let fixed = record.bytes.count
    record.put(name)
    return (fixed, record.bytes)
  }
}
