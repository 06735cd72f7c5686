import Guest

/// Where a build of Windows puts what has a fixed address.
struct AddressLayout: Sendable {
  let highestUser: UInt64
  let userProbe: UInt64
  let kpcr: UInt64
  let sharedUserData: UInt64
  let sharedUserDataForUsers: UInt64

  /// By target ordinal.
  static let all: [AddressLayout] = [
    AddressLayout(
      highestUser: 0x7ffe_ffff, userProbe: 0x7fff_0000, kpcr: 0xffdf_f000, sharedUserData: 0xffdf_0000,
      sharedUserDataForUsers: 0x7ffe_0000),
    // Windows 7's first KPCR lies in the kernel's image, wherever that was loaded; its place is taken to be XP's.
    AddressLayout(
      highestUser: 0x7ffe_ffff, userProbe: 0x7fff_0000, kpcr: 0xffdf_f000, sharedUserData: 0xffdf_0000,
      sharedUserDataForUsers: 0x7ffe_0000),
  ]
}

extension Target {
  /// `MM_LOWEST_USER_ADDRESS`: what lies below is never mapped.
  public var lowestUserAddress: UInt64 { 0x1_0000 }
  /// `MmHighestUserAddress`, with the usual split of the address space.
  public var highestUserAddress: UInt64 { AddressLayout.all[ordinal].highestUser }
  /// `MmUserProbeAddress`: the first address that a probe refuses. From here to ``systemRangeStart`` nothing is mapped.
  public var userProbeAddress: UInt64 { AddressLayout.all[ordinal].userProbe }
  /// The first processor's `KPCR`.
  public var kpcrAddress: UInt64 { AddressLayout.all[ordinal].kpcr }
  /// `KI_USER_SHARED_DATA`: the kernel's writable view of `KUSER_SHARED_DATA`.
  public var sharedUserDataAddress: UInt64 { AddressLayout.all[ordinal].sharedUserData }
  /// The read-only view of `KUSER_SHARED_DATA` in every process.
  public var userSharedDataAddress: UInt64 { AddressLayout.all[ordinal].sharedUserDataForUsers }

  /// `NULL` terminates no chain of exception frames; this does.
  public var endOfExceptionChain: UInt64 { width == .x86 ? 0xffff_ffff : .max }
}
