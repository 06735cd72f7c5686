import Guest

/// The state of one page of an address space.
///
/// Everything is in the 8 bytes of a ``PageEntry``: what hardware may do follows from the state, in one place.
public struct Page: Hashable, Sendable {
  public enum Kind: UInt64, Sendable {
    /// Nothing was ever here.
    case free
    /// Address space without memory: `MEM_RESERVE`.
    case reserved
    /// Memory that was given back: `MEM_DECOMMIT`.
    case decommitted
    /// Committed, and zeroed at the first touch.
    case demandZero
    /// A frame is behind it.
    case valid
    /// Its content is with the pager; the frame field numbers its slot.
    case pagedOut
  }

  /// What the owner of the address space may do; `writeCopy` gives a writer a frame of its own.
  public enum Protection: UInt64, Sendable { case noAccess, readOnly, readWrite, writeCopy }

  public var kind: Kind
  public var protection: Protection
  public var isExecutable: Bool
  /// The next touch raises, and clears this.
  public var isGuard: Bool
  /// The frame belongs to a section: copies of the entry in other address spaces name the same frame.
  public var isShared: Bool
  /// The processor asks before it uses the page, whatever the page allows; no watch is Windows' own.
  public var isWatched: Bool
  public var frame: FrameNumber

  public init(
    _ kind: Kind, _ protection: Protection = .readWrite, frame: FrameNumber = 0, isGuard: Bool = false,
    isShared: Bool = false, isExecutable: Bool = false, isWatched: Bool = false
  ) {
    self.kind = kind
    self.protection = protection
    self.frame = frame
    self.isGuard = isGuard
    self.isShared = isShared
    self.isWatched = isWatched
    self.isExecutable = isExecutable
  }

  public static let free = Page(.free, .noAccess)

  public init(_ entry: PageEntry) {
    self.init(
      Kind(rawValue: entry.bits >> 2 & 15) ?? .free, Protection(rawValue: entry.bits >> 6 & 3) ?? .noAccess,
      frame: entry.frame, isGuard: entry.bits >> 8 & 1 != 0, isShared: entry.bits >> 9 & 1 != 0,
      isExecutable: entry.bits >> 10 & 1 != 0, isWatched: entry.bits >> 11 & 1 != 0)
  }

  /// Whether a frame is behind the page, without taking all of the entry apart.
  static func isResident(_ entry: PageEntry) -> Bool { entry.bits >> 2 & 15 == Kind.valid.rawValue }

  public var entry: PageEntry {
    var bits = kind.rawValue << 2 | protection.rawValue << 6 | UInt64(frame) << 32
    if isGuard { bits |= 1 << 8 }
    if isShared { bits |= 1 << 9 }
    if isExecutable { bits |= 1 << 10 }
    if isWatched { bits |= 1 << 11 }
    if kind == .valid && !isGuard && protection != .noAccess {
      let allowed = PageEntry.readable | (protection == .readWrite ? PageEntry.writable : 0)
      bits |= allowed << PageEntry.outsideShift | (isWatched ? 0 : allowed)
    }
    return PageEntry(bits: bits)
  }
}
