/// The width of a guest pointer, in bytes.
public enum PointerWidth: Int, Sendable { case x86 = 4, x64 = 8 }

/// The Windows build whose structure layouts, calling conventions and address split the guest expects.
///
/// `ordinal` indexes every ``Layouts`` table, so a member's offset costs one load.
public struct Target: Hashable, Sendable, CustomStringConvertible {
  public let ordinal: Int
  /// As a fixture spells it: `xp-x86`.
  public let name: String
  public let width: PointerWidth
  /// The first address of the half that every process shares.
  public let systemRangeStart: UInt64

  public static let windowsXP_x86 = Target(
    ordinal: 0, name: "xp-x86", width: .x86, systemRangeStart: 0x8000_0000)
  public static let windows7_x86 = Target(
    ordinal: 1, name: "7-x86", width: .x86, systemRangeStart: 0x8000_0000)

  /// Every target, by ordinal.
  public static let all: [Target] = [windowsXP_x86, windows7_x86]

  public var description: String { name }
}
