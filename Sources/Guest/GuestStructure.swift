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

  /// The member is not there in this layout: no code may ask for its place.
  public static var absent: Self { Self(-1) }
  @inlinable public var isAbsent: Bool { offset < 0 }
}

/// A guest structure, described by one value for each known layout.
///
/// The stored properties are the members, in the order in which `dt` prints them; their values are offsets. The compiler thus
/// checks that every layout places every member; what only some targets have is ``Field/absent`` in the others. A member whose type
/// differs from that of the first target has a property of its own, with the version behind an underscore: `Index_7` is `Index` on
/// Windows 7.
public protocol GuestStructure: Sendable {
  /// As the debugger's symbols name it: `_EPROCESS`.
  static var name: String { get }
  static var layouts: Layouts<Self> { get }
}

/// The layouts of one structure, by target.
public struct Layouts<Structure: Sendable>: Sendable {
  @usableFromInline let rows: [Structure]
  @usableFromInline let sizes: [Int]
  private let known: [Bool]

  /// The structure's size in bytes, and where its members lie: one row for each target that changes them, in the order of
  /// ``Target/all``. A target without a row has that of the one before it.
  ///
  /// - Parameter isCarriedOver: whether a target without a row is known to have the layout of the one before it.
  public init(_ rows: (target: Target, size: Int, layout: Structure)..., isCarriedOver: Bool = true) {
    precondition(rows.map(\.target.ordinal) == rows.map(\.target.ordinal).sorted(), "a layout row is out of order")
    let chosen = Target.all.map { target in rows.last { $0.target.ordinal <= target.ordinal } ?? rows[0] }
    self.rows = chosen.map(\.layout)
    sizes = chosen.map(\.size)
    known = zip(Target.all, chosen).map { $1.target == $0 || isCarriedOver && $1.target.ordinal < $0.ordinal }
  }

  @inlinable public subscript(target: Target) -> Structure { rows[target.ordinal] }
  /// In bytes.
  @inlinable public func size(in target: Target) -> Int { sizes[target.ordinal] }
  /// Whether the structure is described for `target`.
  public func isKnown(in target: Target) -> Bool { known[target.ordinal] }
}
