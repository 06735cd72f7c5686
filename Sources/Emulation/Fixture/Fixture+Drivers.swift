import Guest
import NTKernel

extension Fixture {
  /// A driver is started: its object is made, and `DriverEntry` called in a system thread.
  public struct Load: Hashable, Sendable {
    /// The service's name: an image of ``Fixture/load``, or any name where ``entry`` says where the code is.
    public var driver: String
    /// `DriverEntry`; nil for the image's own entry point.
    public var entry: Place?
    /// How `DriverEntry` must end; nil for STATUS_SUCCESS or another success.
    public var expect: CallExpectation?

    public init(_ driver: String, entry: Place? = nil, expect: CallExpectation? = nil) {
      self.driver = driver
      self.entry = entry
      self.expect = expect
    }
  }

  /// A driver is asked to go.
  public struct Unload: Hashable, Sendable {
    public var driver: String
    /// How the request must end; nil for a success.
    public var expect: CallExpectation?
    /// Whether it must leave nothing behind: the YAML value `nothing-left-behind` of `expect`.
    public var leavesNothing: Bool

    public init(_ driver: String, expect: CallExpectation? = nil, leavesNothing: Bool = false) {
      self.driver = driver
      self.expect = expect
      self.leavesNothing = leavesNothing
    }
  }

  /// What a user's thread asks of a device.
  public struct IORequest: Hashable, Sendable {
    public var thread: String
    public var kind: Kind
    /// How the system call must end; nil where that is left to the fixture's expectation.
    public var expect: CallExpectation?
    /// `IoStatus.Information` as the caller finds it, if it is checked.
    public var information: UInt64?

    public enum Kind: Hashable, Sendable {
      /// `\\.\Name`, or a path of the object manager's such as `\Device\Name`; the handle gets a name.
      case open(path: String, handle: String, isOverlapped: Bool)
      case control(code: UInt32, handle: String, input: Buffer?, output: Buffer?)
      case read(handle: String, Buffer, offset: UInt64)
      case write(handle: String, Buffer, offset: UInt64)
      case close(handle: String)
    }

    public init(on thread: String, _ kind: Kind, expect: CallExpectation? = nil, information: UInt64? = nil) {
      self.thread = thread
      self.kind = kind
      self.expect = expect
      self.information = information
    }
  }

  /// A user's buffer: where, and how many bytes.
  public struct Buffer: Hashable, Sendable {
    public var address: UInt64
    public var length: UInt32

    public init(at address: UInt64, _ length: UInt32) {
      self.address = address
      self.length = length
    }
  }

  /// How long the machine runs without a call of the fixture's.
  public enum Running: String, CaseIterable, Hashable, Sendable {
    /// Until every thread waits and nothing is due.
    case untilIdle = "until-idle"
  }

  /// What `probelock run mydriver.sys` runs: the driver is loaded, started, given a device if it serves some, and unloaded.
  ///
  /// - Parameter target: the Windows that it runs in: what ``TargetChoice`` says of the file, if nobody knows better.
  public init(driver path: String, target: Target = .windowsXP_x86) {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    let name = file.split(separator: ".").dropLast().joined(separator: ".")
    let service = name.isEmpty ? file : name
    self.init(
      file, target: target, load: [file], processes: Self.systemProcesses.map { Process($0.name, id: $0.id, user: $0.user) },
      threads: Self.systemProcesses.map { Thread($0.name.replacing(".exe", with: ""), in: $0.name) },
      steps: [Step(.load(Load(service, expect: .any)))]
        // A driver that serves devices is given one, which has no hardware.
        + [.add, .plugAndPlay(.startDevice), .plugAndPlay(.queryRemoveDevice), .plugAndPlay(.removeDevice)].map {
          Step(.device(DeviceRequest(service, $0, expect: .any, isOptional: true)))
        } + [Step(.unload(Unload(service, expect: .any)))],
      expect: Expectation(outcome: .returned))
  }

  /// What runs on a plain installation when somebody has logged on, and drivers look for by name.
  private static let systemProcesses: [(name: String, id: UInt32, user: ProcessUser?)] = [
    ("smss.exe", 376, .system), ("csrss.exe", 600, .system), ("winlogon.exe", 624, .system), ("services.exe", 668, .system),
    ("lsass.exe", 680, .system), ("svchost.exe", 848, .system), ("explorer.exe", 1480, nil),
  ]
}
