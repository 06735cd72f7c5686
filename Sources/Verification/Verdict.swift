import Events

/// What memory says of a run as a whole.
public enum Verdict: String, Sendable, Hashable, CaseIterable {
  /// Every lock, and every use of one, is in the right address space.
  case rightProcess = "right-process"
  /// At least one is not.
  case wrongProcess = "wrong-process"
  /// Nothing was locked.
  case noLocks = "no-locks"
  /// Something was locked, and nobody recorded whose buffer it is.
  case unjudged

  /// As a report prints it.
  public var title: String {
    switch self {
    case .rightProcess: "right process"
    case .wrongProcess: "WRONG PROCESS"
    case .noLocks: "no locks"
    case .unjudged: "unjudged"
    }
  }
}

/// Something a rule has to say about a run.
public struct Finding: Sendable, Hashable {
  /// The rule's name: `wrong-process`, `wrong-account`, `locked-twice`, `never-unlocked`, `stale-mdl`, `hand-built-mdl`…
  public let rule: String
  /// One sentence, with names.
  public let sentence: String
  /// Where it happened.
  public let site: Site?
  /// Whether it makes the verdict ``Verdict/wrongProcess``.
  public let isWrongProcess: Bool

  public init(rule: String, sentence: String, site: Site?, isWrongProcess: Bool) {
    self.rule = rule
    self.sentence = sentence
    self.site = site
    self.isWrongProcess = isWrongProcess
  }
}
