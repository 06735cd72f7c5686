import Guest
import WindowsTypes

/// A file name that a directory has lost a short while ago, with what the next file of that name gets of it ("File name tunneling",
/// nf-fltkernel-fltgettunneledname).
struct LostName {
  /// The directory's identifier on its volume.
  let directory: UInt64
  let name: String
  let shortName: String?
  /// The file was opened by its short name when it went: that is what brings it back.
  let isByShortName: Bool
  let creationTime: Int64
  /// When it is forgotten, in 100 ns since 1601.
  let end: Int64

  var key: [UInt16] { FileNode.key(isByShortName ? shortName ?? name : name) }
}

extension Volume {
  /// 15 seconds, in 100 ns, as `MaximumTunnelEntryAgeInSeconds` has it where nobody changes it.
  private static let tunnelAge: Int64 = 150_000_000
  private static let longestTunnel = 256

  /// A file is deleted, or gets another name. Directories and streams leave nothing.
  func lose(_ node: FileNode, openedAs opened: String, at time: Int64) {
    guard kind != .cdfs, !node.isDirectory, !node.isStream, let directory = node.parent else { return }
    let last = opened.split(separator: "\\").last.map { FileNode.key(String($0)) }
    let lost = LostName(
      directory: directory.id, name: node.name, shortName: node.shortName,
      isByShortName: last != nil && last == node.shortName.map(FileNode.key), creationTime: node.creationTime, end: time + Self.tunnelAge)
    lostNames.removeAll { $0.end <= time || $0.directory == lost.directory && $0.key == lost.key }
    lostNames.append(lost)
    if lostNames.count > Self.longestTunnel { lostNames.removeFirst() }
  }

  /// A file gets its name in a directory: a new one's other name and its creation time are those of the file that had the name.
  func settleName(of node: FileNode, as name: String, in directory: FileNode, at time: Int64) {
    node.name = name
    node.shortName = nil
    lostNames.removeAll { $0.end <= time }
    if !node.isDirectory, let lost = lostNames.last(where: { $0.directory == directory.id && $0.key == FileNode.key(name) }) {
      node.creationTime = lost.creationTime
      if lost.isByShortName, directory.child(lost.name) == nil {
        node.name = lost.name
        node.shortName = name
        return
      }
      if !lost.isByShortName, let short = lost.shortName, directory.child(short) == nil {
        node.shortName = short
        return
      }
    }
    if kind != .cdfs, !isValidShortName(name) { node.shortName = shortName(for: name, in: directory) }
  }
}
