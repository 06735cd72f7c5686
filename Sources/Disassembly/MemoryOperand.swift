import Guest

/// A segment register, in the order of its encoding.
public enum Segment: UInt8, Sendable { case es, cs, ss, ds, fs, gs }

/// A memory operand as the instruction encodes it: `dword ptr fs:[eax+ecx*4+10h]`.
public struct MemoryOperand: Hashable, Sendable {
  public let base: Register?
  public let index: Register?
  /// 1, 2, 4 or 8; 1 without an index.
  public let scale: UInt8
  public let displacement: Int64
  public let segment: Segment
  /// In bytes; 0 where the instruction forms the address alone, as `lea` does.
  public let size: Int
  public let isRead: Bool
  public let isWritten: Bool
  /// In bits: an address is cut to this width before the segment's base is added.
  public let addressWidth: UInt8

  /// The offset in ``segment``, with what the registers hold before the instruction runs.
  @inlinable
  public func offset(_ register: (Register) -> UInt64) -> UInt64 {
    var sum = UInt64(bitPattern: displacement)
    let mask: UInt64 = ~0 >> UInt64(64 - addressWidth)
    if let base { sum &+= register(base) & mask }
    if let index { sum &+= (register(index) & mask) &* UInt64(scale) }
    return sum & mask
  }
}

/// The memory operands of one instruction: at most two.
public struct MemoryOperands: RandomAccessCollection, Sendable {
  var first: MemoryOperand?
  var second: MemoryOperand?

  public var startIndex: Int { 0 }
  public var endIndex: Int { first == nil ? 0 : second == nil ? 1 : 2 }
  public subscript(position: Int) -> MemoryOperand {
    guard let operand = position == 0 ? first : position == 1 ? second : nil else {
      preconditionFailure("an instruction has no memory operand \(position)")
    }
    return operand
  }

  mutating func append(_ operand: MemoryOperand) {
    if first == nil { first = operand } else { second = operand }
  }
}
