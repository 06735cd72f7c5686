import Guest

/// A world, and the calls made in it, with what is expected of them.
///
/// Its types are plain values: a fixture spelled out in Swift equals the one read from the YAML that says the same.
public struct Fixture: Hashable, Sendable {
  /// The version of the format that this build reads: the value of the key `fixture`.
  public static let formatVersion = 1

  /// The file's name without its extension, or what the key `name` says.
  public var name: String
  /// One sentence on what the fixture shows.
  public var about: String
  public var target: Target
  /// Whether each block of a driver's has a page of its own: the YAML value `special` of `pool`.
  public var usesSpecialPool = false
  /// The files of the images to load, in order.
  public var load: [String]
  /// What every pseudo-random choice of the run follows from.
  public var seed: UInt64
  public var limits: Limits
  public var processes: [Process]
  /// Memory that several processes may map.
  public var sections: [Section]
  public var threads: [Thread]
  /// Guest code and data in the kernel's half, given by bytes.
  public var kernel: [Region]
  /// Kernel allocations that calls take as arguments.
  public var values: [Value]
  public var patches: [Patch]
  /// Routines that return at once, whoever else provides them.
  public var stubs: [Stub] = []
  /// What the run's registry holds beyond the default, in the order in which it is made.
  public var registry: [RegistryKey]
  public var volumes: [Volume]
  /// What happens, in order: the YAML key `calls`.
  public var steps: [Step]
  /// What holds when all steps are done.
  public var expect: Expectation

  public init(
    _ name: String, about: String = "", target: Target = .windowsXP_x86, load: [String] = ["nt.listing"], seed: UInt64 = 1,
    limits: Limits = Limits(), processes: [Process] = [], sections: [Section] = [], threads: [Thread] = [],
    kernel: [Region] = [], values: [Value] = [], patches: [Patch] = [], registry: [RegistryKey] = [], volumes: [Volume] = [],
    steps: [Step] = [], expect: Expectation = Expectation()
  ) {
    self.name = name
    self.about = about
    self.target = target
    self.load = load
    self.seed = seed
    self.limits = limits
    self.processes = processes
    self.sections = sections
    self.threads = threads
    self.kernel = kernel
    self.values = values
    self.patches = patches
    self.registry = registry
    self.volumes = volumes
    self.steps = steps
    self.expect = expect
  }

  public func process(_ name: String) -> Process? { processes.first { $0.name == name } }
  public func thread(_ name: String) -> Thread? { threads.first { $0.name == name } }
  public func section(_ name: String) -> Section? { sections.first { $0.name == name } }
  public func value(_ name: String) -> Value? { values.first { $0.name == name } }

  /// What a run may consume before it is stopped.
  public struct Limits: Hashable, Sendable {
    /// Guest instructions.
    public var instructions: UInt64
    /// Guest memory, in bytes.
    public var memory: UInt64
    /// The recorded events, in bytes.
    public var trace: UInt64
    /// Virtual time from the first step, where bounded.
    public var time: Duration?

    public init(
      instructions: UInt64 = 10_000_000, memory: UInt64 = 256 << 20, trace: UInt64 = 256 << 20, time: Duration? = nil
    ) {
      self.instructions = instructions
      self.memory = memory
      self.trace = trace
      self.time = time
    }
  }

  /// Where in its file something stands, for messages.
  ///
  /// All origins are equal, so that they take no part in comparing fixtures.
  public struct Origin: Hashable, Sendable, ExpressibleByNilLiteral {
    /// From 1; nil where the fixture was spelled out in Swift.
    public let line: Int?

    public init(line: Int? = nil) { self.line = line }
    public init(nilLiteral: ()) { line = nil }
    public static func == (_: Origin, _: Origin) -> Bool { true }
    public func hash(into _: inout Hasher) {}
  }
}
