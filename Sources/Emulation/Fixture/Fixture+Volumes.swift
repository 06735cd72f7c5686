import NTKernel

extension Fixture {
  /// A volume of the run's, with its files: never the host's.
  public struct Volume: Hashable, Sendable {
    public var description: VolumeDescription
    /// Whether it is there from the start; else a step mounts it.
    public var isMounted: Bool
    public var origin: Origin

    public init(_ description: VolumeDescription, isMounted: Bool = true, origin: Origin = nil) {
      self.description = description
      self.isMounted = isMounted
      self.origin = origin
    }
  }

  /// A volume is mounted while the machine runs, or dismounted, and its device goes.
  public struct VolumeChange: Hashable, Sendable {
    /// The path of its device.
    public var device: String
    public var isMount: Bool
    /// What it comes to; STATUS_SUCCESS if `nil`.
    public var expect: CallExpectation?

    public init(_ device: String, isMount: Bool, expect: CallExpectation? = nil) {
      self.device = device
      self.isMount = isMount
      self.expect = expect
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
