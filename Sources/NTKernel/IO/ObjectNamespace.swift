import WindowsTypes

/// What an object of the object manager's is.
public enum ObjectKind: String, Sendable, CaseIterable {
  case directory = "Directory"
  case symbolicLink = "SymbolicLink"
  case device = "Device"
  case driver = "Driver"
  case file = "File"
  case process = "Process"
  case thread = "Thread"
  case event = "Event"
  /// A port that takes connections.
  case serverPort = "FilterConnectionPort"
  /// A driver's end of a connection.
  case clientPort = "FilterCommunicationPort"
  /// A process's end of a connection. On Windows it is a file of the filter manager's.
  case portFile = "FilterPortFile"
  case token = "Token"
  case key = "Key"
  case section = "Section"
  case other = "Object"
}

/// The names of objects: the tree from `\` on. The objects themselves lie in guest memory.
///
/// Names compare without regard to case, as they do for drivers, which open with `OBJ_CASE_INSENSITIVE`.
package struct ObjectNamespace {
  package struct Entry {
    /// The object's body.
    package let object: UInt64
    package let kind: ObjectKind
    /// As it was given, from `\` on.
    package let path: String
    var name: String { String(path[(path.lastIndex(of: "\\").map(path.index(after:)) ?? path.startIndex)...]) }
  }
  private var entries: [String: Entry] = [:]

  /// What a path leads to.
  package enum Destination {
    /// An object, and what of the path follows it: a device's file name.
    case found(Entry, rest: String)
    case failed(NTSTATUS)
  }

  /// The longest chain of symbolic links, as the object manager bounds it.
  private static let deepest = 32

  subscript(path: String) -> Entry? { entries[path.lowercased()] }

  /// What lies in the directory at `path`, by name.
  func children(of path: String) -> [Entry] {
    let start = path == "\\" ? "\\" : path.lowercased() + "\\"
    return entries.filter { $0.key.hasPrefix(start) && $0.key != "\\" && !$0.key.dropFirst(start.count).contains("\\") }
      .sorted { $0.key < $1.key }.map(\.value)
  }

  mutating func insert(_ object: UInt64, _ kind: ObjectKind, at path: String) {
    entries[path.lowercased()] = Entry(object: object, kind: kind, path: path)
  }

  mutating func remove(_ path: String) { entries.removeValue(forKey: path.lowercased()) }

  /// Follows `path` through directories and links.
  ///
  /// - Parameters:
  ///   - followsLast: whether a link at the end is followed, too.
  ///   - missing: the first name on the way that nothing has.
  ///   - target: where the link at an address leads.
  func resolve(
    _ path: String, followsLast: Bool = true, missing: inout String?, _ target: (UInt64) throws -> String
  ) rethrows -> Destination {
    var path = path
    for _ in 0..<Self.deepest {
      guard path.hasPrefix("\\") else { return .failed(.objectPathSyntaxBad) }
      let parts = path.split(separator: "\\", omittingEmptySubsequences: true).map(String.init)
      var here = ""
      var next: String?
      // A backslash at the end is part of a file's name.
      let end = path.hasSuffix("\\") ? "\\" : ""
      if parts.isEmpty, let root = self["\\"] { return .found(root, rest: "") }
      for (index, part) in parts.enumerated() {
        here += "\\" + part
        let rest = parts[(index + 1)...].map { "\\" + $0 }.joined()
        guard let entry = self[here] else {
          missing = here
          return .failed(rest.isEmpty ? .objectNameNotFound : .objectPathNotFound)
        }
        switch entry.kind {
        case .directory: if rest.isEmpty { return .found(entry, rest: "") }
        case .symbolicLink where !rest.isEmpty || followsLast: next = try target(entry.object) + rest + end
        case .device: return .found(entry, rest: rest + end)
        default: return rest.isEmpty ? .found(entry, rest: "") : .failed(.objectPathNotFound)
        }
        if next != nil { break }
      }
      guard let following = next else { break }
      path = following
    }
    return .failed(.objectNameNotFound)
  }
}
