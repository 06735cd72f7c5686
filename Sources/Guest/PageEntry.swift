/// What one page of an address space allows right now, and which frame is behind it: 8 bytes.
///
/// Bits 0 and 1 say whether the page can be read and written without a fault; bits 2 to 31 belong to the module that owns
/// the table; bits 32 to 63 are the frame number.
public struct PageEntry: Hashable, Sendable {
  public var bits: UInt64
  @inlinable public init(bits: UInt64) { self.bits = bits }

  public static let readable: UInt64 = 1
  public static let writable: UInt64 = 2

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

  public init(user: PageTable, kernel: PageTable, physical: UnsafeMutableRawPointer, target: Target) {
    self.user = user
    self.kernel = kernel
    self.physical = physical
    self.target = target
  }
}
