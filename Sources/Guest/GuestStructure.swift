/// Where a member lies within its structure, in bytes from the start.
public struct Field<Member>: ExpressibleByIntegerLiteral, Sendable {
  public let offset: Int
  /// How many values of `Member` follow each other, for an array; else 1.
  public let count: Int
  /// The bits of `Member` that the member takes, for a bit field.
  public let bits: ClosedRange<Int>?

  @inlinable public init(integerLiteral offset: Int) {
    self.init(offset)
  }
  public init(_ offset: Int, count: Int = 1, bits: ClosedRange<Int>? = nil) {
    self.offset = offset
    self.count = count
    self.bits = bits
  }
}

/// A guest structure, described by one value for each known layout.
///
/// The stored properties are the members, in the order in which `dt` prints them; their values are offsets. The compiler thus
/// checks that every layout places every member.
public protocol GuestStructure: Sendable {
  /// As the debugger's symbols name it: `_EPROCESS`.
  static var name: String { get }
  static var layouts: Layouts<Self> { get }
}

/// The layouts of one structure, by target.
public struct Layouts<Structure: Sendable>: Sendable {
  @usableFromInline let rows: [Structure]
  @usableFromInline let sizes: [Int]

  /// One row for each target, in the order of ``Target/all``: the structure's size in bytes, and where its members lie.
  public init(_ rows: (target: Target, size: Int, layout: Structure)...) {
    precondition(rows.map(\.target) == Target.all, "a layout row is missing or out of order")
    self.rows = rows.map(\.layout)
    self.sizes = rows.map(\.size)
  }

  @inlinable public subscript(target: Target) -> Structure { rows[target.ordinal] }
  /// In bytes.
  @inlinable public func size(in target: Target) -> Int { sizes[target.ordinal] }
}
