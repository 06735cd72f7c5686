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
      case open(path: String, handle: String, isOverlapped: Bool, Opening = Opening())
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

  /// How a file is opened, beside what `CreateFile` asks for by itself.
  public struct Opening: Hashable, Sendable {
    /// `DesiredAccess`; nil for `GENERIC_READ | GENERIC_WRITE`. `SYNCHRONIZE` and `FILE_READ_ATTRIBUTES` come with either.
    public var access: UInt32?
    public var disposition: Disposition
    /// Names of ``options``.
    public var options: [String]

    public init(access: UInt32? = nil, _ disposition: Disposition = .open, options: [String] = []) {
      self.access = access
      self.disposition = disposition
      self.options = options
    }

    /// `FILE_SUPERSEDE` and its like, in their order.
    public enum Disposition: String, CaseIterable, Hashable, Sendable {
      case supersede, open, create
      case openIf = "open-if"
      case overwrite
      case overwriteIf = "overwrite-if"
    }

    /// `CreateOptions` (`wdm.h`).
    public static let options: [String: UInt32] = [
      "FILE_DIRECTORY_FILE": 0x1, "FILE_WRITE_THROUGH": 0x2, "FILE_SEQUENTIAL_ONLY": 0x4, "FILE_NO_INTERMEDIATE_BUFFERING": 0x8,
      "FILE_DELETE_ON_CLOSE": 0x1000, "FILE_OPEN_FOR_BACKUP_INTENT": 0x4000, "FILE_OPEN_REPARSE_POINT": 0x20_0000,
    ]

    /// `NtCreateFile`'s own: `FILE_NON_DIRECTORY_FILE` but for directories and their like, `FILE_SYNCHRONOUS_IO_NONALERT`.
    func createOptions(isOverlapped: Bool) -> UInt32 {
      let own = options.reduce(0) { $0 | (Self.options[$1] ?? 0) }
      // With FILE_FLAG_BACKUP_SEMANTICS a directory will do.
      let isFile = own & 0x4001 == 0
      return own | (isFile ? 0x40 : 0) | (isOverlapped ? 0 : 0x20)
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
    /// Until every thread waits and nothing is due within a second, or a million instructions have run.
    case settled
    /// Until each device that a driver has named was opened, asked with control codes that mean nothing, and closed.
    case devicesAsked = "devices-asked"
    /// Until drivers and file systems have been told that the machine shuts down.
    case shutdown
  }

  /// What `probelock run mydriver.sys` runs: the driver is loaded, started, given a device if it serves some, and unloaded.
  ///
  /// - Parameter target: the Windows that it runs in: what ``TargetChoice`` says of the file, if nobody knows better.
  public init(driver path: String, target: Target = .windowsXP_x86) {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    let name = file.split(separator: ".").dropLast().joined(separator: ".")
    let service = name.isEmpty ? file : name
    self.init(
      file, target: target, load: [file], limits: Limits(instructions: Self.driverInstructions),
      processes: Self.systemProcesses.map { Process($0.name, id: $0.id, user: $0.user) },
      threads: Self.systemProcesses.map { Thread($0.name.replacing(".exe", with: ""), in: $0.name) },
      // What it has begun runs on for a while before it is asked to go.
      steps: [Step(.load(Load(service, expect: .any))), Step(.run(.settled))]
        // A driver that serves devices is given one, which has no hardware.
        + [.add, .plugAndPlay(.startDevice)].map { Self.device($0, service) } + [Step(.run(.settled))]
        + [.plugAndPlay(.queryRemoveDevice), .plugAndPlay(.removeDevice)].map { Self.device($0, service) }
        + [Step(.unload(Unload(service, expect: .any)))],
      expect: Expectation(outcome: .returned))
  }

  /// Ten seconds of the machine's time: drivers measure its clock, unpack themselves and build tables.
  private static let driverInstructions: UInt64 = 1_000_000_000

  /// Has the devices of a driver file opened, asked and closed before the driver is asked to go. Any other fixture stays as it is.
  public mutating func askDevices() {
    guard let index = steps.lastIndex(where: { $0.action == .run(.settled) }) else { return }
    steps.insert(contentsOf: [Step(.run(.devicesAsked)), Step(.run(.settled))], at: index + 1)
  }

  private static func device(_ kind: DeviceRequest.Kind, _ service: String) -> Step {
    Step(.device(DeviceRequest(service, kind, expect: .any, isOptional: true)))
  }

  /// What runs on a plain installation when somebody has logged on, and drivers look for by name.
  private static let systemProcesses: [(name: String, id: UInt32, user: ProcessUser?)] = [
    ("smss.exe", 376, .system), ("csrss.exe", 600, .system), ("winlogon.exe", 624, .system), ("services.exe", 668, .system),
    ("lsass.exe", 680, .system), ("svchost.exe", 848, .system), ("explorer.exe", 1480, nil),
  ]
}
