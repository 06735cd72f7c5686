import Guest

/// One decoded instruction: what running code asks of it, and the bytes from which its text is made on demand.
public struct Instruction: Sendable {
  public let address: UInt64
  /// In bytes, 1 to 15.
  public let length: Int
  /// Whether what follows need not run next: a branch, call, return, interrupt or halt.
  public let endsBlock: Bool
  public let repetition: Repetition
  /// What the instruction asks of the machine beyond registers and memory, if anything.
  public let sensitivity: Sensitivity?
  /// The operands in memory that the text shows; a push's or a call's own stack access is not among them.
  public let memoryOperands: MemoryOperands
  /// Whether memory changes, the stack included.
  public let writesMemory: Bool
  /// Whether a page fault of its first memory access is a write fault on hardware.
  ///
  /// True for `inc [mem]` as for `mov [mem],eax`: an operand that is read and then written faults as a write at once.
  public let firstAccessIsWrite: Bool
  let width: PointerWidth
  let code: Code

  /// How often the instruction runs where it stands.
  public enum Repetition: Sendable { case no, rep, repeCondition, repneCondition }

  public var isRepeated: Bool { repetition != .no }
  public var end: UInt64 { address &+ UInt64(length) }
  public var bytes: [UInt8] { code.withBytes(length) { Array($0) } }
}

/// The bytes of one instruction, held in place.
struct Code: Sendable {
  var low: UInt64 = 0
  var high: UInt64 = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    withUnsafeMutableBytes(of: &self) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.longest))) }
  }

  static let longest = 15

  func withBytes<Result>(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withUnsafeBytes(of: self) { try body(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
  }
}
