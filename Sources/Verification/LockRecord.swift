import Events

/// One lock, as memory has it: whose frames it holds, whose buffer it was, and what became of it.
public struct LockRecord: Sendable, Hashable {
  public let event: LockEvent
  /// Whether the pages were unlocked again.
  public internal(set) var isUndone: Bool
  /// The process whose frames the MDL holds: the requestor where they are its own, else another whose they are, else `nil`.
  public let holder: ProcessID?
  /// Whether frames and account are the requestor's; `nil` where nobody recorded whose buffer it is.
  public let isRight: Bool?
}
