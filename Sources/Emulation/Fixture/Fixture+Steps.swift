extension Fixture {
  /// One thing that happens, and where the file says so.
  public struct Step: Hashable, Sendable {
    public var action: Action
    public var origin: Origin

    public init(_ action: Action, origin: Origin = nil) {
      self.action = action
      self.origin = origin
    }

    /// Kinds of steps; more are added as the machine learns them.
    public enum Action: Hashable, Sendable {
      case call(Call)
      /// A thread asks for I/O, which makes its process the requestor for the buffer; `result` names the callback data's address.
      case issue(Operation, result: String?)
      /// The process ends: its address space is torn down.
      case exit(process: String, status: Code? = nil)
      case createProcess(ProcessStart)
      case createThread(ThreadStart)
      case exitThread(String, status: Code? = nil)
      case map(process: String, Region)
      case unmap(Range)
      case protect(Protect)
      /// The process's own thread writes, with its own rights.
      case store(process: String, address: UInt64, Content)
      /// The pages lose their frames; the next access reads them in.
      case pageOut(Range)
      case expect(Expectation)
      case load(Load)
      case unload(Unload)
      case request(IORequest)
      case port(PortRequest)
      case serve(Service)
      case device(DeviceRequest)
      case volume(VolumeChange)
      /// A device raises an interrupt.
      case interrupt(vector: UInt32, expect: CallExpectation?)
      /// Nothing of the fixture's happens until the machine has no more to do.
      case run(Running)
    }

    public static func call(_ call: Call) -> Step { Step(.call(call)) }
    public static func issue(_ operation: Operation, as result: String? = nil) -> Step {
      Step(.issue(operation, result: result))
    }
    public static func exit(_ process: String) -> Step { Step(.exit(process: process)) }
    public static func createProcess(_ start: ProcessStart) -> Step { Step(.createProcess(start)) }
    public static func createThread(_ start: ThreadStart) -> Step { Step(.createThread(start)) }
    public static func exitThread(_ thread: String, status: Code? = nil) -> Step { Step(.exitThread(thread, status: status)) }
    public static func map(_ region: Region, in process: String) -> Step { Step(.map(process: process, region)) }
    public static func unmap(_ range: Range) -> Step { Step(.unmap(range)) }
    public static func protect(_ protect: Protect) -> Step { Step(.protect(protect)) }
    public static func store(_ content: Content, at address: UInt64, in process: String) -> Step {
      Step(.store(process: process, address: address, content))
    }
    public static func pageOut(_ range: Range) -> Step { Step(.pageOut(range)) }
    public static func load(_ load: Load) -> Step { Step(.load(load)) }
    public static func unload(_ unload: Unload) -> Step { Step(.unload(unload)) }
    public static func request(_ request: IORequest) -> Step { Step(.request(request)) }
    public static func port(_ request: PortRequest) -> Step { Step(.port(request)) }
    public static func serve(_ service: Service) -> Step { Step(.serve(service)) }
    public static func run(_ running: Running) -> Step { Step(.run(running)) }
    public static func expect(_ expectation: Expectation) -> Step { Step(.expect(expectation)) }
  }

  /// Whole pages of one process.
  public struct Range: Hashable, Sendable {
    public var process: String
    public var address: UInt64
    /// In bytes, a multiple of the page size.
    public var size: UInt64

    public init(in process: String, at address: UInt64, size: UInt64) {
      self.process = process
      self.address = address
      self.size = size
    }
  }

  /// A change of what pages allow; what is nil stays as it is.
  public struct Protect: Hashable, Sendable {
    public var range: Range
    public var protection: Protection?
    public var `guard`: Bool?
    public var kind: Region.Kind?

    public init(_ range: Range, protection: Protection? = nil, guard: Bool? = nil, kind: Region.Kind? = nil) {
      self.range = range
      self.protection = protection
      self.guard = `guard`
      self.kind = kind
    }
  }

  /// A call of a kernel routine.
  public struct Call: Hashable, Sendable {
    /// The name of the thread that calls.
    public var thread: String
    public var routine: Place
    public var arguments: Arguments
    /// What IRQL the call starts at; nil for the kind's own: ``startingIRQL``.
    public var irql: IRQL?
    /// The name under which later steps find what the call returned: the YAML key `as`.
    public var result: String?
    public var kind: Kind
    /// How the call must end; nil where that is left to the fixture's expectation.
    public var expect: CallExpectation?

    public init(
      on thread: String, _ routine: Place, with arguments: Arguments = [], irql: IRQL? = nil, as result: String? = nil,
      kind: Kind = .thread, expect: CallExpectation? = nil
    ) {
      self.thread = thread
      self.routine = routine
      self.arguments = arguments
      self.irql = irql
      self.result = result
      self.kind = kind
      self.expect = expect
    }

    /// What brings the call about.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
      /// Kernel code of the thread.
      case thread
      /// A system call of the thread: what it leaves behind is checked at the end.
      case systemCall = "system-call"
      /// A work item, which the thread takes from its queue.
      case workItem = "work-item"
      /// A deferred procedure call, which interrupts the thread.
      case dpc
    }

    /// ``irql``, or DISPATCH_LEVEL for a deferred procedure call, or PASSIVE_LEVEL.
    public var startingIRQL: IRQL { irql ?? (kind == .dpc ? .dispatch : .passive) }
  }

  /// A call's arguments, by position or each with its parameter's name.
  public struct Arguments: Hashable, Sendable, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    public struct Element: Hashable, Sendable {
      /// The parameter's name; nil where the position decides.
      public var name: String?
      public var value: Argument
      public var origin: Origin

      public init(_ name: String? = nil, _ value: Argument, origin: Origin = nil) {
        self.name = name
        self.value = value
        self.origin = origin
      }
    }
    public var elements: [Element]

    public init(_ elements: [Element]) { self.elements = elements }
    public init(arrayLiteral values: Argument...) { elements = values.map { Element(nil, $0) } }
    public init(dictionaryLiteral pairs: (String, Argument)...) { elements = pairs.map { Element($0.0, $0.1) } }
  }

  /// An interrupt request level.
  public struct IRQL: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let passive = IRQL(rawValue: 0)
    public static let apc = IRQL(rawValue: 1)
    public static let dispatch = IRQL(rawValue: 2)

    /// The levels that have a name, lowest first.
    public static let names = ["PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL"]
    /// The highest level of the target.
    public static let highest: UInt8 = 31

    public static func < (a: IRQL, b: IRQL) -> Bool { a.rawValue < b.rawValue }
    public var description: String {
      Int(rawValue) < Self.names.count ? Self.names[Int(rawValue)] : String(rawValue)
    }
  }
}
