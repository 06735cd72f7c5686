import Events

/// Something that rules have an opinion on, with what the ledger knows of it at that moment.
enum Occasion {
  /// Pages were locked. `earlier` is the open lock of the same MDL, if there is one.
  case lock(LockRecord, earlier: LockRecord?)
  /// Frames were mapped. `behind` is the open lock that holds them for this buffer, if there is one.
  case mapping(MappingEvent, behind: LockRecord?)
  /// A request's buffer address was used in another process.
  case foreignAccess(ForeignAccessEvent)
  /// A lock is still open when the process ends that pays for it.
  case leftLocked(LockRecord, atExitOf: ProcessID)
  case exit(ProcessID, lockedPages: Int)
  /// A driver went without taking this back.
  case leftBehind(driver: String, what: String, Site)
  /// A rule of the I/O manager's was broken.
  case violation(String, Site)
  /// Threads wait for each other.
  case deadlock(String)
  /// A routine was called above its highest IRQL.
  case call(routine: String, irql: UInt8, limit: UInt8, Site)

  var site: Site? {
    switch self {
    case .lock(let lock, _), .leftLocked(let lock, _): lock.event.site
    case .mapping(let mapping, _): mapping.site
    case .foreignAccess(let access): access.site
    case .leftBehind(_, _, let site), .violation(_, let site): site.ip == 0 ? nil : site
    case .call(_, _, _, let site): site
    case .exit, .deadlock: nil
    }
  }
}

/// One thing that can be wrong with a run, judged from the facts that the events carry, never from a routine's name.
protocol Rule: Sendable {
  /// As a report names it: `wrong-process`.
  var name: String { get }
  /// What is wrong with `occasion`, or `nil`.
  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion?
}

/// What a rule has to say.
struct Opinion {
  let sentence: String
  /// Whether memory of the wrong process is involved.
  let isWrongProcess: Bool

  init(_ sentence: String, isWrongProcess: Bool = false) {
    self.sentence = sentence
    self.isWrongProcess = isWrongProcess
  }
}

extension Ledger {
  /// Every rule, in the order in which findings on one occasion are listed.
  static let rules: [any Rule] = [
    WrongProcess(), WrongAccount(), LockedTwice(), StaleMDL(), HandBuiltMDL(), WrongMapping(), WrongAccess(), ExitWithLockedPages(),
    NeverUnlocked(), CalledTooHigh(), LeftBehind(), BrokenRule(), Deadlock(),
  ]
}
