/// A guest address, typed by what lies there, and bound to the memory it is read through.
///
/// A member of a structure is again a pointer, as `&p->Member` is in C; nothing is read until ``load()``:
///
///     let id = try process.UniqueProcessId.load()
///     try state.Process.store(process)
///
/// Accesses go through the address space that `memory` stands for: the current one, as hardware does, or that of ``in(_:)``.
@dynamicMemberLookup
public struct Pointer<Pointee>: GuestValue, Hashable {
  public let address: UInt64
  public let memory: GuestMemory

  @inlinable public init(_ address: UInt64, in memory: GuestMemory) {
    self.address = address
    self.memory = memory
  }
  @inlinable public init(bits: UInt64, in memory: GuestMemory) {
    self.init(memory.target.width == .x86 ? bits & 0xffff_ffff : bits, in: memory)
  }
  @inlinable public var bits: UInt64 { address }
  @inlinable public static func size(in target: Target) -> Int { target.width.rawValue }
  @inlinable public static func load(_ memory: GuestMemory, at address: UInt64) throws -> Self {
    Self(try GuestWord.load(memory, at: address).bits, in: memory)
  }
  @inlinable public func store(_ memory: GuestMemory, at place: UInt64) throws {
    try GuestWord(address).store(memory, at: place)
  }

  @inlinable public var isNull: Bool { address == 0 }
  @inlinable public static func == (a: Self, b: Self) -> Bool { a.address == b.address }
  @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(address) }

  /// The same address, read through another address space.
  public func `in`(_ memory: GuestMemory) -> Self { Self(address, in: memory) }
  /// The same address, taken for something else.
  public func cast<Other>(to _: Other.Type = Other.self) -> Pointer<Other> { Pointer<Other>(address, in: memory) }
  public func advanced(byBytes count: Int64) -> Self { Self(bits: address &+ UInt64(bitPattern: count), in: memory) }
}

extension Pointer where Pointee: GuestValue {
  @inlinable public func load() throws -> Pointee { try Pointee.load(memory, at: address) }
  @inlinable public func store(_ value: Pointee) throws { try value.store(memory, at: address) }
  /// The `index`th of the values that lie from here on.
  @inlinable public subscript(index: Int) -> Pointer<Pointee> {
    advanced(byBytes: Int64(index * Pointee.size(in: memory.target)))
  }
}

extension Pointer where Pointee == GuestWord {
  /// Stores `values` from here on, one word each.
  public func store(_ values: [UInt32]) throws {
    if memory.target.width == .x86 { return try values.withUnsafeBytes { try memory.write($0, at: address) } }
    for (index, value) in values.enumerated() { try self[index].store(GuestWord(UInt64(value))) }
  }
}

extension Pointer where Pointee: GuestStructure {
  @inlinable public subscript<Member>(dynamicMember field: KeyPath<Pointee, Field<Member>>) -> Pointer<Member> {
    let offset = Pointee.layouts[memory.target][keyPath: field].offset
    assert(offset >= 0, "\(Pointee.name) has no such member in \(memory.target)")
    return Pointer<Member>(address &+ UInt64(truncatingIfNeeded: offset), in: memory)
  }
  /// The address of a member of an object whose own address is this one's, for routines that want a number.
  @inlinable public static func size(of _: Pointee.Type = Pointee.self, in memory: GuestMemory) -> Int {
    Pointee.layouts.size(in: memory.target)
  }
}

extension Pointer: CustomStringConvertible {
  public var description: String { hex(address, memory.target) }
}

/// An address as WinDbg prints it: 8 or 16 digits, without `0x`.
public func hex(_ address: UInt64, _ target: Target) -> String {
  hex(address, digits: target.width.rawValue * 2)
}

/// `value` in lower-case hexadecimal, padded with zeros to `digits`.
public func hex(_ value: some BinaryInteger, digits: Int = 8) -> String {
  let text = String(value, radix: 16)
  return String(repeating: "0", count: Swift.max(0, digits - text.count)) + text
}
