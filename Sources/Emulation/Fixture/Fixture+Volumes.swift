import NTKernel

extension Fixture {
  /// A volume of the run's, with its files: never the host's.
  public struct Volume: Hashable, Sendable {
    public var description: VolumeDescription
    public var origin: Origin

    public init(_ description: VolumeDescription, origin: Origin = nil) {
      self.description = description
      self.origin = origin
    }
  }

  /// A file's attributes as a fixture spells them.
  enum FileAttribute: String, CaseIterable {
    case readOnly = "read-only"
    case hidden, system, archive, temporary

    var bit: UInt32 {
      switch self {
      case .readOnly: FileAttributes.readOnly
      case .hidden: FileAttributes.hidden
      case .system: FileAttributes.system
      case .archive: FileAttributes.archive
      case .temporary: FileAttributes.temporary
      }
    }
  }
}
