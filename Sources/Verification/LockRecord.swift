import Events

/// One lock, as memory has it: whose frames it holds, whose buffer it was, and what became of it.
public struct LockRecord: Sendable, Hashable {
  public let event: LockEvent
  /// Whether the pages were unlocked again.
  public internal(set) var isUndone: Bool
  /// The process whose frames the MDL holds: the requestor where they are its own, else another whose they are, else `nil`.
  public let holder: ProcessID?
  /// What memory says of the lock.
  public let judgement: Judgement
  /// The process in which the routine ran that a driver called: what was current before that routine attached, if it did.
  public let runningIn: ProcessID

  /// Whether frames and account are the requestor's; `nil` where nobody recorded whose buffer it is.
  public var isRight: Bool? {
    switch judgement {
    case .right: true
    case .wrongFrames, .wrongAccount: false
    case .unjudged, .systemSpace: nil
    }
  }

  /// What memory says of a lock, or of a mapping that no lock stands behind.
  public enum Judgement: Sendable, Hashable {
    /// The frames are those that the requestor's page tables hold, and the requestor is charged.
    case right
    case wrongFrames
    /// The right frames, charged to another process or to nobody.
    case wrongAccount
    /// Nobody recorded whose buffer it is.
    case unjudged
    /// Memory that every process shares: there is no process to be wrong about.
    case systemSpace
  }

  init(_ event: LockEvent, runningIn: ProcessID) {
    self.event = event
    self.runningIn = runningIn
    isUndone = false
    let frames = FrameComparison(event)
    if event.requestor == nil {
      judgement = event.account == nil ? .systemSpace : .unjudged
    } else if !frames.areRequestors {
      judgement = .wrongFrames
    } else {
      judgement = event.account == event.requestor || event.frames.isEmpty ? .right : .wrongAccount
    }
    switch judgement {
    case .right, .wrongAccount: holder = event.requestor
    case .wrongFrames, .unjudged: holder = frames.holders.first ?? event.account ?? event.current
    case .systemSpace: holder = nil
    }
  }

  /// Whether the lock, by its place in the buffer, holds the very frames that `mapping` shows.
  func standsBehind(_ mapping: MappingEvent) -> Bool {
    let (first, start) = (mapping.bufferAddress >> 12, event.address >> 12)
    guard !isUndone, first >= start, first - start <= UInt64(event.frames.count) else { return false }
    return event.frames.dropFirst(Int(first - start)).starts(with: mapping.frames)
  }
}

/// The frames of an MDL beside those that the requestor's page tables hold.
struct FrameComparison {
  /// By page: whether the frame is the requestor's.
  let matches: [Bool]
  /// Other processes whose frames the MDL holds, each once.
  let holders: [ProcessID]

  init(_ frames: [UInt32], _ requestorFrames: [UInt32?], _ owners: [ProcessID?]) {
    let matches = frames.indices.map { $0 < requestorFrames.count && requestorFrames[$0] == frames[$0] }
    var holders: [ProcessID] = []
    for (isMatch, owner) in zip(matches, owners) where !isMatch {
      if let owner, !holders.contains(owner) { holders.append(owner) }
    }
    self.matches = matches
    self.holders = holders
  }
  init(_ lock: LockEvent) { self.init(lock.frames, lock.requestorFrames, lock.owners) }
  init(_ mapping: MappingEvent) { self.init(mapping.frames, mapping.requestorFrames, mapping.owners) }

  var areRequestors: Bool { matches.allSatisfy { $0 } }
  /// How many pages are not the requestor's.
  var wrongPages: Int { matches.count { !$0 } }
}
