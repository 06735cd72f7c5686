/// The frames of an MDL, page by page, beside those that the requestor's page tables hold there.
///
/// A right lock takes four bytes a page: only pages on which the two differ, or which somebody else owns, are spelled out.
public struct FrameList: Sendable, Hashable {
  /// What the MDL's frame array says.
  public let frames: [UInt32]
  /// What else there is to say of some pages, in their order.
  private var notes: [Note] = []
  /// How many pages the requestor's tables were asked about, and for how many an owner was looked for.
  private var requestorCount = 0
  private var ownerCount = 0

  private struct Note: Sendable, Hashable {
    let page: Int32
    /// -1 for none.
    let owner: Int32
    let requestorFrame: UInt32?
  }

  /// - Parameters:
  ///   - requestorFrame: what the requestor's tables hold at a page, or `nil` where nothing is resident.
  ///   - owner: asked for each page whose frame is not the requestor's: the process that maps it there.
  public init(
    _ frames: [UInt32], hasRequestor: Bool, requestorFrame: (_ page: Int) -> UInt32?, owner: (_ page: Int, _ frame: UInt32) -> ProcessID?
  ) {
    self.frames = frames
    requestorCount = hasRequestor ? frames.count : 0
    ownerCount = frames.count
    for (page, frame) in frames.enumerated() {
      let theirs = hasRequestor ? requestorFrame(page) : nil
      if theirs == frame { continue }
      note(page, theirs, owner(page, frame))
    }
  }

  /// Spelled out: `requestorFrames` and `owners` may be shorter or longer than `frames`.
  public init(_ frames: [UInt32], _ requestorFrames: [UInt32?], _ owners: [ProcessID?]) {
    self.frames = frames
    requestorCount = requestorFrames.count
    ownerCount = owners.count
    for page in 0..<max(requestorCount, ownerCount) {
      let theirs = page < requestorCount ? requestorFrames[page] : nil
      let owner = page < ownerCount ? owners[page] : nil
      if owner == nil && page < frames.count && theirs == frames[page] { continue }
      note(page, theirs, owner)
    }
  }

  private mutating func note(_ page: Int, _ requestorFrame: UInt32?, _ owner: ProcessID?) {
    // Without a requestor and an owner there is nothing to say that the counts do not say.
    if page >= requestorCount && owner == nil { return }
    let owner = owner.map { Int32(truncatingIfNeeded: $0) } ?? -1
    notes.append(Note(page: Int32(truncatingIfNeeded: page), owner: owner, requestorFrame: requestorFrame))
  }

  /// What the requestor's page tables hold for the range, page by page; `nil` where nothing is resident.
  public var requestorFrames: [UInt32?] {
    var all = (0..<requestorCount).map { $0 < frames.count ? frames[$0] : nil }
    for note in notes where Int(note.page) < requestorCount { all[Int(note.page)] = note.requestorFrame }
    return all
  }

  /// For each page, a process (other than the requestor) whose page the MDL's frame is.
  public var owners: [ProcessID?] {
    var all = [ProcessID?](repeating: nil, count: ownerCount)
    for note in notes where note.owner >= 0 { all[Int(note.page)] = Int(note.owner) }
    return all
  }

  /// In bytes, about.
  var size: Int { frames.count * 4 + notes.count * MemoryLayout<Note>.stride }
}

extension LockEvent {
  /// What the MDL's frame array says.
  public var frames: [UInt32] { pages.frames }
  /// What the requestor's page tables hold for the range, page by page; `nil` where nothing is resident.
  public var requestorFrames: [UInt32?] { pages.requestorFrames }
  /// For each page, a process (other than the requestor) whose private page the MDL's frame is.
  public var owners: [ProcessID?] { pages.owners }
}

extension MappingEvent {
  public var frames: [UInt32] { pages.frames }
  public var requestorFrames: [UInt32?] { pages.requestorFrames }
  public var owners: [ProcessID?] { pages.owners }
}

extension Event {
  /// What it takes beside its place in the list, in bytes, about.
  var payloadSize: Int {
    switch self {
    case .lock(let lock): MemoryLayout<LockEvent>.size + lock.pages.size + lock.site.stack.count * 8
    case .mapping(let mapping): MemoryLayout<MappingEvent>.size + mapping.pages.size + mapping.site.stack.count * 8
    case .fault(let fault): MemoryLayout<FaultEvent>.size + fault.site.stack.count * 8
    case .foreignAccess(let access): MemoryLayout<ForeignAccessEvent>.size + access.site.stack.count * 8
    case .apc: MemoryLayout<APCEvent>.size
    case .port(let port): MemoryLayout<PortEvent>.size + port.bytes.count
    case .waits(_, let text), .deadlock(let text): text.utf8.count
    case .message(let text), .note(let text), .uncertain(let text), .sensitive(_, let text), .step(_, let text): text.utf8.count
    case .unlock(_, _, _, _, let site), .unmapping(_, _, _, let site), .exception(_, _, _, let site), .bugCheck(_, _, let site):
      site.stack.count * 8
    default: 0
    }
  }
}
