import Glibc

/// Everything that happened in a run, in order: blocks as one 32-bit word each, calls and returns packed, the rest as ``Event``.
///
/// Words are chunked, and a byte budget bounds them: once it is used up, ``isFull`` is set and ``onFull`` called. One chunk more
/// holds what still happens until the run stops; after that nothing is kept.
/// Safety: no access to what is not checked for exclusive access spans a call. The chunks and the cursor are owned by the stream;
/// `next` stays between the last chunk's start and `end`.
public final class EventStream {
  @exclusivity(unchecked) public private(set) var events: [Event] = []
  public var blocks = BlockTable()
  @exclusivity(unchecked) public private(set) var isFull = false
  @exclusivity(unchecked) private var chunks: [UnsafeMutablePointer<UInt32>] = []
  /// Outside the object, so that a hook that runs millions of times a second reaches it without asking the object's leave.
  public let cursor: UnsafeMutablePointer<Cursor>
  private let budget: Int
  /// Whether what is oldest is forgotten once the budget is used up, and recording goes on, in place of an end.
  private let forgets: Bool
  /// What ``events`` takes, in bytes.
  @exclusivity(unchecked) private var eventSize = 0
  /// Sees each ``Event`` before it is recorded.
  public var onEvent: ((Event) -> Void)?
  /// Called once, when the budget is used up.
  public var onFull: (() -> Void)?
  private static let chunkWords = 1 << 18

  /// The place for the next word, and the end of its chunk.
  public struct Cursor {
    @usableFromInline var next: UnsafeMutablePointer<UInt32>
    @usableFromInline var end: UnsafeMutablePointer<UInt32>

    /// Records that block `id` begins to run, unless the chunk is full. Returns whether it did.
    @inlinable @inline(__always)
    public mutating func append(block id: BlockID) -> Bool {
      if next == end { return false }
      next.pointee = id
      next += 1
      return true
    }
  }

  /// - Parameters:
  ///   - budget: in bytes.
  ///   - forgets: whether everything recorded so far goes when the budget is used up, in place of an end.
  public init(budget: Int = 256 << 20, forgets: Bool = false) {
    self.budget = budget
    self.forgets = forgets
    let chunk = Self.makeChunk()
    chunks = [chunk]
    cursor = .allocate(capacity: 1)
    cursor.initialize(to: Cursor(next: chunk, end: chunk + Self.chunkWords))
  }

  private static func makeChunk() -> UnsafeMutablePointer<UInt32> {
    UnsafeMutableRawPointer.allocate(byteCount: chunkWords * 4, alignment: 4096).bindMemory(to: UInt32.self, capacity: chunkWords)
  }

  deinit {
    chunks.forEach { $0.deallocate() }
    cursor.deallocate()
  }

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
  /// In the second word of a call or a return: its values take two words each.
  @usableFromInline static var wide: UInt32 { 1 << 31 }

  /// Records that block `id` begins to run.
  @inlinable @inline(__always)
  public func append(block id: BlockID) {
    if cursor.pointee.append(block: id) { return }
    if reserve(1) { put(id) }
  }

  /// Takes the last word back, if it is a block, and puts `id` in its place; 0 leaves nothing.
  ///
  /// What leaves a block early calls this with the part that ran.
  public func replaceLastBlock(with id: BlockID) {
    let next = cursor.pointee.next
    guard next > chunks[chunks.count - 1], next[-1] & Self.marker == 0 else { return }
    if id == 0 { cursor.pointee.next -= 1 } else { next[-1] = id }
  }

  public func append(_ event: Event) {
    onEvent?(event)
    guard reserve(1) else { return }
    put(Self.marker | Tag.event.rawValue << 24 | UInt32(events.count & 0xff_ffff))
    events.append(event)
    eventSize += MemoryLayout<Event>.stride + event.payloadSize
    if !isFull && size >= budget { end() }
  }

  /// In bytes, about.
  private var size: Int { chunks.count * Self.chunkWords * 4 + eventSize + blocks.size }

  private func end() {
    if forgets { return forget() }
    isFull = true
    onFull?()
  }

  /// Starts over with an empty record. The blocks stay known: code does not grow with time.
  private func forget() {
    for chunk in chunks.dropLast() { chunk.deallocate() }
    let chunk = chunks[chunks.count - 1]
    chunks = [chunk]
    cursor.pointee = Cursor(next: chunk, end: chunk + Self.chunkWords)
    events = []
    eventSize = 0
  }

  /// Records a call of routine number `routine` with its arguments, as they were passed.
  @inlinable @inline(__always)
  public func append(call routine: Int, returnAddress: UInt64, arguments: UnsafeBufferPointer<UInt64>) {
    guard reserve(4 + 2 * arguments.count) else { return }
    put(0x8200_0000 | UInt32(truncatingIfNeeded: routine & 0xff_ffff))
    var all = returnAddress
    for argument in arguments { all |= argument }
    if all >> 32 == 0 {
      put(UInt32(truncatingIfNeeded: arguments.count))
      put(UInt32(truncatingIfNeeded: returnAddress))
      for argument in arguments { put(UInt32(truncatingIfNeeded: argument)) }
    } else {
      put(UInt32(truncatingIfNeeded: arguments.count) | Self.wide)
      put(wide: returnAddress)
      for argument in arguments { put(wide: argument) }
    }
  }

  /// Records the result of routine number `routine`; `hasValue` is false for `void`.
  @inlinable @inline(__always)
  public func append(resultOf routine: Int, _ value: UInt64, hasValue: Bool) {
    guard reserve(4) else { return }
    put(0x8300_0000 | UInt32(truncatingIfNeeded: routine & 0xff_ffff))
    if value >> 32 == 0 {
      put(hasValue ? 1 : 0)
      put(UInt32(truncatingIfNeeded: value))
    } else {
      put((hasValue ? 1 : 0) | Self.wide)
      put(wide: value)
    }
  }

  @inlinable @inline(__always) func put(_ word: UInt32) {
    cursor.pointee.next.pointee = word
    cursor.pointee.next += 1
  }

  @inlinable @inline(__always) func put(wide value: UInt64) {
    put(UInt32(truncatingIfNeeded: value))
    put(UInt32(truncatingIfNeeded: value >> 32))
  }

  /// Makes room for `words` words that belong together. Returns whether there is any.
  @inlinable @inline(__always) func reserve(_ words: Int) -> Bool {
    cursor.pointee.end - cursor.pointee.next >= words || grow()
  }

  @usableFromInline @inline(never) func grow() -> Bool {
    // What happened after the end would follow a gap: not even a word that would still fit is kept.
    if isFull {
      cursor.pointee.end = cursor.pointee.next
      return false
    }
    if size >= budget { end() }
    if cursor.pointee.next < cursor.pointee.end { cursor.pointee.next.pointee = Self.marker }
    let chunk = Self.makeChunk()
    // All of it will be used: its pages come at once, at a fraction of a fault for each. An old host has them come one by one.
    madvise(chunk, Self.chunkWords * 4, MADV_POPULATE_WRITE)
    cursor.pointee = Cursor(next: chunk, end: chunk + Self.chunkWords)
    chunks.append(chunk)
    return true
  }

  /// One thing that happened.
  public enum Element: Sendable, Hashable {
    case block(BlockID)
    case call(routine: Int, returnAddress: UInt64, arguments: [UInt64])
    case result(routine: Int, value: UInt64?)
    case event(Event)
  }

  private static func take(_ word: inout UnsafeMutablePointer<UInt32>) -> UInt32 {
    defer { word += 1 }
    return word.pointee
  }

  private static func takeValue(_ word: inout UnsafeMutablePointer<UInt32>, isWide: Bool) -> UInt64 {
    let low = UInt64(take(&word))
    return isWide ? low | UInt64(take(&word)) << 32 : low
  }

  /// Calls `body` with everything that happened, in order.
  public func forEach(_ body: (Element) throws -> Void) rethrows {
    for (index, chunk) in chunks.enumerated() {
      let end = index == chunks.count - 1 ? cursor.pointee.next : chunk + Self.chunkWords
      var word = chunk
      chunk: while word < end {
        let head = Self.take(&word)
        guard head & Self.marker != 0 else {
          try body(.block(head))
          continue
        }
        let low = Int(head & 0xff_ffff)
        switch Tag(rawValue: head >> 24 & 0x7f) {
        case .event: try body(.event(events[low]))
        case .call:
          let second = Self.take(&word)
          let isWide = second & Self.wide != 0
          let site = Self.takeValue(&word, isWide: isWide)
          var arguments: [UInt64] = []
          arguments.reserveCapacity(Int(second & ~Self.wide))
          for _ in 0..<Int(second & ~Self.wide) { arguments.append(Self.takeValue(&word, isWide: isWide)) }
          try body(.call(routine: low, returnAddress: site, arguments: arguments))
        case .result:
          let second = Self.take(&word)
          let value = Self.takeValue(&word, isWide: second & Self.wide != 0)
          try body(.result(routine: low, value: second & 1 != 0 ? value : nil))
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
