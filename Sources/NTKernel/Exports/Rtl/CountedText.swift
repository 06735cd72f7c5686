import Guest
import WindowsTypes

/// A structure that describes text by length, capacity and buffer: `UNICODE_STRING`, or `ANSI_STRING` and `OEM_STRING`.
protocol CountedText: GuestStructure {
  associatedtype Unit: CodeUnit
}
extension UNICODE_STRING: CountedText { typealias Unit = UInt16 }
extension STRING: CountedText { typealias Unit = UInt8 }

extension Pointer where Pointee: CountedText {
  /// The two structures have one layout.
  private var fields: Pointer<UNICODE_STRING> { cast() }

  /// `Length`, in units.
  var count: Int { get throws { Int(try fields.Length.load()) / MemoryLayout<Pointee.Unit>.size } }
  /// `MaximumLength`, in units.
  var capacity: Int { get throws { Int(try fields.MaximumLength.load()) / MemoryLayout<Pointee.Unit>.size } }
  var text: Pointer<Pointee.Unit> { get throws { try fields.Buffer.load().cast() } }
  func units() throws -> [Pointee.Unit] { try text.array(count: count) }

  func set(count: Int) throws { try fields.Length.store(UInt16(truncatingIfNeeded: count * MemoryLayout<Pointee.Unit>.size)) }
  func set(capacity: Int) throws {
    try fields.MaximumLength.store(UInt16(truncatingIfNeeded: capacity * MemoryLayout<Pointee.Unit>.size))
  }
  func set(text: Pointer<Pointee.Unit>) throws { try fields.Buffer.store(text.cast()) }

  /// Describes the zero-terminated `text`; nothing if that is null.
  func describe(_ text: Pointer<Pointee.Unit>, longest: Int) throws {
    let length = text.isNull ? 0 : min(try text.length(), longest)
    try set(count: length)
    try set(capacity: text.isNull ? 0 : length + 1)
    try set(text: text)
  }

  /// Appends, with a terminator where `isTerminated` asks for it and there is room. Returns `false`, having written nothing,
  /// where the units do not fit.
  func append(_ units: [Pointee.Unit], isTerminated: Bool) throws -> Bool {
    let (length, capacity) = (try count, try capacity)
    guard length + units.count <= capacity else { return false }
    let end = try text[length]
    try end.write(units)
    try set(count: length + units.count)
    if isTerminated && length + units.count < capacity { try end[units.count].store(0) }
    return true
  }
}

/// What XP tags the pool behind strings with: `Strg`.
private let stringTag: UInt32 = 0x6772_7453

extension Kernel {
  /// Pool for a string's `count` units, or `nil`.
  func allocateText<Unit: CodeUnit>(_ count: Int, of _: Unit.Type = Unit.self) throws -> Pointer<Unit>? {
    let size = UInt64(count * MemoryLayout<Unit>.size)
    return try pagedPool.allocate(size, tag: stringTag, in: memory).map { Pointer($0, in: memory.memory) }
  }

  /// Gives `target` a buffer of its own, of `count` units. Returns `false` where there is no memory.
  func allocate<Text: CountedText>(_ target: Pointer<Text>, count: Int) throws -> Bool {
    guard let buffer = try allocateText(count, of: Text.Unit.self) else { return false }
    try target.set(capacity: count)
    try target.set(text: buffer)
    return true
  }
}
