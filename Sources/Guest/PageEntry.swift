/// What one page of an address space allows right now, and which frame is behind it: 8 bytes.
///
/// Bits 0 and 1 say whether the processor reads and writes the page without asking; bits 16 and 17 say the same of those who
/// look at an address space from outside, and whom no watch concerns. Bits 2 to 15 belong to the module that owns the table;
/// bits 32 to 63 are the frame number.
public struct PageEntry: Hashable, Sendable {
  public var bits: UInt64
  @inlinable public init(bits: UInt64) { self.bits = bits }

  public static let readable: UInt64 = 1
  public static let writable: UInt64 = 2
  /// How far the outsiders' two bits lie from the processor's.
  public static let outsideShift: UInt64 = 16

  @inlinable public var frame: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }
}

/// The pages of one contiguous range of addresses.
public struct PageTable {
  /// The first address that the table describes.
  public let base: UInt64
  /// In pages.
  public let count: UInt64
  public let entries: UnsafeMutablePointer<PageEntry>

  public init(base: UInt64, count: UInt64, entries: UnsafeMutablePointer<PageEntry>) {
    self.base = base
    self.count = count
    self.entries = entries
  }
}

/// Where an address leads: the two halves' page tables and the physical memory behind them.
///
/// Its owner rewrites `user` when another address space becomes current; accessors that hold a pointer to it follow at once.
public struct Translation {
  public var user: PageTable
  public var kernel: PageTable
  public var physical: UnsafeMutableRawPointer
  public var target: Target
  /// How many more accesses may be made; then each throws ``AccessLimit``. What walks a guest's structures, which may be
  /// circles, thus ends.
  public var accessesLeft = Int.max
  /// Decides about the accesses that a page does not allow. Without one they throw ``GuestFault``.
  public unowned(unsafe) var resolver: (any PageFaultResolver)?
  /// 0 for what accesses memory as the processor does; ``PageEntry/outsideShift`` for those who only look.
  public let permissionShift: UInt64

  public init(
    user: PageTable, kernel: PageTable, physical: UnsafeMutableRawPointer, target: Target, permissionShift: UInt64 = 0
  ) {
    self.permissionShift = permissionShift
    self.user = user
    self.kernel = kernel
    self.physical = physical
    self.target = target
  }
}
