extension Fixture {
  /// How a call must end.
  public enum CallExpectation: Hashable, Sendable {
    /// It returns this.
    case returns(Argument)
    /// It returns, whatever the value.
    case any
    case bugcheck(BugcheckExpectation)
    /// An exception with this status leaves the routine.
    case raises(Code)
    /// An access of the guest's own that nothing handles.
    case fault(FaultExpectation)
    /// A limit of the fixture stops it.
    case limit(Limit)
    case outcome(OutcomeName)
  }

  /// What a run can exhaust.
  public enum Limit: String, CaseIterable, Hashable, Sendable { case instructions, memory, trace, time }

  /// A stop of the machine.
  public struct BugcheckExpectation: Hashable, Sendable {
    public var code: Code
    /// Up to four; what is missing may be anything.
    public var parameters: [Pattern]

    public init(_ code: Code, parameters: [Pattern] = []) {
      self.code = code
      self.parameters = parameters
    }
  }

  /// A value, or any.
  public enum Pattern: Hashable, Sendable, ExpressibleByIntegerLiteral {
    case any
    case exactly(Argument)

    public init(integerLiteral value: Int) { self = .exactly(Argument(integerLiteral: value)) }
  }

  /// A page fault; what is nil may be anything.
  public struct FaultExpectation: Hashable, Sendable {
    public var access: Access?
    public var address: UInt64?

    public init(_ access: Access? = nil, at address: UInt64? = nil) {
      self.access = access
      self.address = address
    }

    public enum Access: String, CaseIterable, Hashable, Sendable { case read, write, execute }
  }

  /// How a run ended, by name; other names than those listed here may be added.
  public struct OutcomeName: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Every step ran to its end.
    public static let returned = OutcomeName(rawValue: "returned")
    public static let bugcheck = OutcomeName(rawValue: "bugcheck")
    /// An exception that nothing handles.
    public static let exception = OutcomeName(rawValue: "exception")
    public static let fault = OutcomeName(rawValue: "fault")
    public static let limit = OutcomeName(rawValue: "limit")
    /// Every thread waits, and nothing can wake one.
    public static let waiting = OutcomeName(rawValue: "waiting")
    /// A routine was called that nobody provides.
    public static let missingRoutine = OutcomeName(rawValue: "missing-routine")

    public static let known: [OutcomeName] = [.returned, .bugcheck, .exception, .fault, .limit, .waiting, .missingRoutine]
  }

  /// What memory says of the run, by name; other names than those listed here may be added.
  public struct VerdictName: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Every lock, mapping and access was in the right address space.
    public static let rightProcess = VerdictName(rawValue: "right-process")
    /// At least one was not.
    public static let wrongProcess = VerdictName(rawValue: "wrong-process")
    /// Nothing was locked.
    public static let noLocks = VerdictName(rawValue: "no-locks")
    /// Something was locked for no known requestor.
    public static let unjudged = VerdictName(rawValue: "unjudged")

    public static let known: [VerdictName] = [.rightProcess, .wrongProcess, .noLocks, .unjudged]
  }

  /// What must hold at the end, or at the step that says so; what is nil is not checked.
  public struct Expectation: Hashable, Sendable {
    public var verdict: VerdictName?
    /// All locks, in order.
    public var locks: [Lock]?
    /// What processes' memory holds.
    public var memory: [MemoryContent]
    /// What kernel memory holds.
    public var kernelMemory: [KernelContent]
    public var outcome: OutcomeName?
    public var bugcheck: BugcheckExpectation?
    /// All that was printed to the debugger, in order.
    public var messages: [String]?
    /// The findings' names, in order.
    public var findings: [String]?
    public var irql: IRQL?
    /// By thread, the process whose address space it is in.
    public var attached: [String: String]
    /// By process, the number of its locked pages.
    public var lockedPages: [String: UInt64]
    /// Kernel calls that must have been made in this order, others between them allowed.
    public var calls: [ExpectedCall]
    /// Parts of what the run must admit to be uncertain of; empty: nothing may be uncertain.
    public var uncertain: [String]?
    /// What the registry holds; of a key only the values that are listed count.
    public var registry: [RegistryKey]
    public var origin: Origin

    public init(
      verdict: VerdictName? = nil, locks: [Lock]? = nil, memory: [MemoryContent] = [], kernelMemory: [KernelContent] = [],
      outcome: OutcomeName? = nil, bugcheck: BugcheckExpectation? = nil, messages: [String]? = nil, findings: [String]? = nil,
      irql: IRQL? = nil, attached: [String: String] = [:], lockedPages: [String: UInt64] = [:], calls: [ExpectedCall] = [],
      uncertain: [String]? = nil, registry: [RegistryKey] = [], origin: Origin = nil
    ) {
      self.verdict = verdict
      self.locks = locks
      self.memory = memory
      self.kernelMemory = kernelMemory
      self.outcome = outcome
      self.bugcheck = bugcheck
      self.messages = messages
      self.findings = findings
      self.irql = irql
      self.attached = attached
      self.lockedPages = lockedPages
      self.calls = calls
      self.uncertain = uncertain
      self.registry = registry
      self.origin = origin
    }
  }
}

extension Fixture.Expectation {
  /// A lock of a user's pages; what is nil may be anything.
  public struct Lock: Hashable, Sendable {
    /// The process whose frames were locked.
    public var process: String?
    public var address: UInt64?
    public var pages: UInt64?
    /// The routine that asked for it.
    public var by: Fixture.Place?
    public var operation: Access?
    /// Whether it was undone when the expectation is checked.
    public var undone: Bool?
    /// The process that is charged.
    public var account: String?
    public var origin: Fixture.Origin

    public init(
      process: String? = nil, at address: UInt64? = nil, pages: UInt64? = nil, by: Fixture.Place? = nil,
      operation: Access? = nil, undone: Bool? = nil, account: String? = nil, origin: Fixture.Origin = nil
    ) {
      self.process = process
      self.address = address
      self.pages = pages
      self.by = by
      self.operation = operation
      self.undone = undone
      self.account = account
      self.origin = origin
    }

    /// `LOCK_OPERATION`.
    public enum Access: String, CaseIterable, Hashable, Sendable { case read, write, modify }
  }

  /// What a process's memory holds at an address.
  public struct MemoryContent: Hashable, Sendable {
    public var process: String
    public var address: UInt64
    public var content: Fixture.Content
    public var origin: Fixture.Origin

    public init(in process: String, at address: UInt64, _ content: Fixture.Content, origin: Fixture.Origin = nil) {
      self.process = process
      self.address = address
      self.content = content
      self.origin = origin
    }
  }

  /// What kernel memory holds at a place.
  public struct KernelContent: Hashable, Sendable {
    public var place: Fixture.Place
    public var content: Fixture.Content
    public var origin: Fixture.Origin

    public init(at place: Fixture.Place, _ content: Fixture.Content, origin: Fixture.Origin = nil) {
      self.place = place
      self.content = content
      self.origin = origin
    }
  }

  /// A kernel call that must have been made.
  public struct ExpectedCall: Hashable, Sendable {
    public var routine: Fixture.Place
    /// The process whose address space was current; nil for any.
    public var process: String?
    public var origin: Fixture.Origin

    public init(_ routine: Fixture.Place, in process: String? = nil, origin: Fixture.Origin = nil) {
      self.routine = routine
      self.process = process
      self.origin = origin
    }
  }
}
