/// Everything that happened in a run, in order: blocks as one 32-bit word each, calls and returns packed, the rest as ``Event``.
///
/// Words are chunked, and a byte budget bounds them: once it is used up, ``isFull`` is set and nothing more is kept.
/// Safety: the chunks are owned by the stream; `next` stays between the current chunk's start and `end`.
public final class EventStream {
  public private(set) var events: [Event] = []
  public var blocks = BlockTable()
  public internal(set) var isFull = false
  private var chunks: [UnsafeMutablePointer<UInt32>] = []
  /// The place for the next word, and the end of its chunk. ``reserve(_:)`` keeps room ahead of it.
  @usableFromInline var next: UnsafeMutablePointer<UInt32>
  @usableFromInline var end: UnsafeMutablePointer<UInt32>
  private let budget: Int
  /// Sees each ``Event`` before it is recorded.
  public var onEvent: ((Event) -> Void)?
  /// Called once, when the budget is used up.
  public var onFull: (() -> Void)?
  private static let chunkWords = 1 << 18

  /// - Parameter budget: in bytes.
  public init(budget: Int = 256 << 20) {
    self.budget = budget
    next = .allocate(capacity: Self.chunkWords)
    end = next + Self.chunkWords
    chunks = [next]
  }

  deinit { chunks.forEach { $0.deallocate() } }

  /// What a word with the high bit says, in bits 24 to 30; bits 0 to 23 are its own.
  enum Tag: UInt32 {
    /// The rest of a chunk is unused.
    case skip = 0
    /// The index of an ``Event`` follows in the low bits.
    case event
    /// A call: the routine's number in the low bits, then its return address and its arguments.
    case call
    /// A return from a routine: its number in the low bits, then the result.
    case result
  }
  static let marker: UInt32 = 1 << 31

  /// Records that block `id` begins to run.
  @inlinable @inline(__always)
  public func append(block id: BlockID) {
    if next == end { grow() }
    if isFull { return }
    next.pointee = id
    advance()
  }

  @usableFromInline @inline(__always) func advance() { next += 1 }

  /// Takes the last word back, if it is a block, and puts `id` in its place; 0 leaves nothing.
  ///
  /// What leaves a block early calls this with the part that ran.
  public func replaceLastBlock(with id: BlockID) {
    guard !isFull, next > chunks[chunks.count - 1], next[-1] & Self.marker == 0 else { return }
    if id == 0 { next -= 1 } else { next[-1] = id }
  }

  public func append(_ event: Event) {
    onEvent?(event)
    reserve(1)
    if isFull { return }
    put(Self.marker | Tag.event.rawValue << 24 | UInt32(events.count & 0xff_ffff))
    events.append(event)
  }

  /// Records a call of routine number `routine` with its arguments, as they were passed.
  @inlinable @inline(__always)
  public func append(call routine: Int, returnAddress: UInt64, arguments: UnsafeBufferPointer<UInt64>) {
    let words = 4 + 2 * arguments.count
    if next + words > end { reserve(words) }
    if isFull { return }
    put(0x8200_0000 | UInt32(truncatingIfNeeded: routine & 0xff_ffff))
    put(UInt32(truncatingIfNeeded: arguments.count))
    put(wide: returnAddress)
    for argument in arguments { put(wide: argument) }
  }

  /// Records the result of routine number `routine`; `hasValue` is false for `void`.
  @inlinable @inline(__always)
  public func append(resultOf routine: Int, _ value: UInt64, hasValue: Bool) {
    if next + 4 > end { reserve(4) }
    if isFull { return }
    put(0x8300_0000 | UInt32(truncatingIfNeeded: routine & 0xff_ffff))
    put(hasValue ? 1 : 0)
    put(wide: value)
  }

  @inlinable @inline(__always) func put(_ word: UInt32) {
    next.pointee = word
    advance()
  }

  @inlinable @inline(__always) func put(wide value: UInt64) {
    put(UInt32(truncatingIfNeeded: value))
    put(UInt32(truncatingIfNeeded: value >> 32))
  }

  @usableFromInline @inline(never) func reserve(_ words: Int) {
    if next + words > end { grow() }
  }

  @usableFromInline @inline(never) func grow() {
    if isFull { return }
    guard chunks.count * Self.chunkWords * 4 + events.count * 64 + blocks.size < budget else {
      isFull = true
      onFull?()
      return
    }
    if next < end { next.pointee = Self.marker }
    next = .allocate(capacity: Self.chunkWords)
    end = next + Self.chunkWords
    chunks.append(next)
  }

  /// One thing that happened.
  public enum Element: Sendable, Hashable {
    case block(BlockID)
    case call(routine: Int, returnAddress: UInt64, arguments: [UInt64])
    case result(routine: Int, value: UInt64?)
    case event(Event)
  }

  /// Calls `body` with everything that happened, in order.
  public func forEach(_ body: (Element) throws -> Void) rethrows {
    for (index, chunk) in chunks.enumerated() {
      let end = index == chunks.count - 1 ? next : chunk + Self.chunkWords
      var word = chunk
      func take() -> UInt32 {
        defer { word += 1 }
        return word.pointee
      }
      func takeWide() -> UInt64 { UInt64(take()) | UInt64(take()) << 32 }
      chunk: while word < end {
        let head = take()
        guard head & Self.marker != 0 else {
          try body(.block(head))
          continue
        }
        let low = Int(head & 0xff_ffff)
        switch Tag(rawValue: head >> 24 & 0x7f) {
        case .event: try body(.event(events[low]))
        case .call:
          let count = Int(take())
          let site = takeWide()
          try body(.call(routine: low, returnAddress: site, arguments: (0..<count).map { _ in takeWide() }))
        case .result:
          let hasValue = take() != 0
          let value = takeWide()
          try body(.result(routine: low, value: hasValue ? value : nil))
        case .skip, nil: break chunk
        }
      }
    }
  }

  public var elements: [Element] {
    var result: [Element] = []
    forEach { result.append($0) }
    return result
  }
}
