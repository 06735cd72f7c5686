/// A scalar that the guest keeps in a register, a stack slot or memory.
public protocol GuestValue: SendableMetatype {
  /// In bytes.
  static func size(in target: Target) -> Int
  static func load(_ memory: GuestMemory, at address: UInt64) throws -> Self
  func store(_ memory: GuestMemory, at address: UInt64) throws
  /// The value whose low bits are `bits`; what lies above its size is ignored.
  init(bits: UInt64, in memory: GuestMemory)
  /// Zero-extended.
  var bits: UInt64 { get }
}

extension GuestValue where Self: FixedWidthInteger & BitwiseCopyable {
  @inlinable public static func size(in target: Target) -> Int { MemoryLayout<Self>.size }
  @inlinable public static func load(_ memory: GuestMemory, at address: UInt64) throws -> Self {
    try memory.load(Self.self, at: address)
  }
  @inlinable public func store(_ memory: GuestMemory, at address: UInt64) throws { try memory.store(self, at: address) }
  @inlinable public init(bits: UInt64, in memory: GuestMemory) { self.init(truncatingIfNeeded: bits) }
  @inlinable public var bits: UInt64 { UInt64(truncatingIfNeeded: self) & (~0 >> UInt64(64 - Self.bitWidth)) }
}

extension UInt8: GuestValue {}
extension Int8: GuestValue {}
extension UInt16: GuestValue {}
extension Int16: GuestValue {}
extension UInt32: GuestValue {}
extension Int32: GuestValue {}
extension UInt64: GuestValue {}
extension Int64: GuestValue {}

/// A value that wraps a scalar and accepts each of its values, such as `NTSTATUS`.
public protocol GuestScalar: GuestValue {
  associatedtype RawValue: GuestValue
  init(rawValue: RawValue)
  var rawValue: RawValue { get }
}

extension GuestScalar {
  @inlinable public static func size(in target: Target) -> Int { RawValue.size(in: target) }
  @inlinable public static func load(_ memory: GuestMemory, at address: UInt64) throws -> Self {
    Self(rawValue: try RawValue.load(memory, at: address))
  }
  @inlinable public func store(_ memory: GuestMemory, at address: UInt64) throws { try rawValue.store(memory, at: address) }
  @inlinable public init(bits: UInt64, in memory: GuestMemory) { self.init(rawValue: RawValue(bits: bits, in: memory)) }
  @inlinable public var bits: UInt64 { rawValue.bits }
}

/// An unsigned integer as wide as a pointer: `ULONG_PTR`, `SIZE_T`, a frame number in an MDL.
public struct GuestWord: GuestValue, Hashable, Sendable, ExpressibleByIntegerLiteral {
  public let bits: UInt64
  @inlinable public init(_ value: UInt64) { bits = value }
  @inlinable public init(integerLiteral value: UInt64) { bits = value }
  @inlinable public init(bits: UInt64, in memory: GuestMemory) {
    self.bits = memory.target.width == .x86 ? bits & 0xffff_ffff : bits
  }
  @inlinable public static func size(in target: Target) -> Int { target.width.rawValue }
  @inlinable public static func load(_ memory: GuestMemory, at address: UInt64) throws -> Self {
    Self(
      memory.target.width == .x86
        ? UInt64(try memory.load(UInt32.self, at: address)) : try memory.load(UInt64.self, at: address))
  }
  @inlinable public func store(_ memory: GuestMemory, at address: UInt64) throws {
    if memory.target.width == .x86 {
      try memory.store(UInt32(truncatingIfNeeded: bits), at: address)
    } else {
      try memory.store(bits, at: address)
    }
  }
}
