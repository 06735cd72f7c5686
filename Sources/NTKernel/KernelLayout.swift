import Guest

/// Where the kernel's own memory lies on XP with the 2 GiB split: ranges of addresses, none of which the guest may rely on.
///
/// The areas are those of the x86 memory map in public debugger output; how each is filled is ours.
struct KernelLayout: Sendable {
  /// The segment table, where XP's boot loader leaves it.
  let segmentTable: UInt64 = 0x8003_f000
  /// The code of routines that no image provides an address for.
  let traps: Range<UInt64> = 0x8070_0000..<0x8071_0000
  /// Where callbacks return to: a place for each depth of waiting routines, so that a return says which one it is for.
  let callbacks: Range<UInt64> = 0x8071_0000..<0x8071_1000
  /// What the list of loaded modules says of the kernel and of the HAL: everything from the routines of the traced listing to the
  /// traps lies in the former.
  let kernelImage: Range<UInt64> = 0x804d_7000..<0x8071_1000
  let kernelExports: Range<UInt64> = 0x8062_0000..<0x8066_0000
  let halImage: Range<UInt64> = 0x8072_0000..<0x8074_1000
  /// Where the HAL's routines are: the same code as ``traps``, at as many addresses of its own image.
  let halTraps: Range<UInt64> = 0x8073_0000..<0x8074_0000
  let nonPagedPool: Range<UInt64> = 0x8220_0000..<0x8a00_0000
  /// The primary tokens of processes, below the paged pool that others come from.
  let primaryTokens: Range<UInt64> = 0xe0e0_0000..<0xe100_0000
  let pagedPool: Range<UInt64> = 0xe100_0000..<0xeb00_0000
  /// Views of locked pages.
  let systemPTEs: Range<UInt64> = 0xeb00_0000..<0xf700_0000
  let stacks: Range<UInt64> = 0xf700_0000..<0xf800_0000
  /// Variables that the kernel exports.
  let variables: Range<UInt64> = 0x8068_0000..<0x8068_1000
  /// The list of loaded modules.
  let modules: Range<UInt64> = 0x8069_0000..<0x806c_0000
  /// The table of identifiers of processes and threads.
  let clientIdentifiers: Range<UInt64> = 0x806d_0000..<0x806e_0000
  /// The images of a plain installation's own drivers.
  let standingDrivers: Range<UInt64> = 0xf870_0000..<0xf880_0000
  /// Images that cannot stay where they were linked.
  let drivers: Range<UInt64> = 0xf8b0_0000..<0xffb0_0000

  /// A kernel stack: three pages, and one below that nothing may touch.
  let stackSize: UInt64 = 0x3000

  /// Special pool, where a run wants it.
  let specialPool: Range<UInt64> = 0xb000_0000..<0xc000_0000

  /// Where no image of the run's may lie at an address of its own.
  var reserved: [Range<UInt64>] {
    [
      segmentTable..<segmentTable + 0x1000, traps, callbacks, nonPagedPool, pagedPool, systemPTEs, stacks, variables, modules,
      primaryTokens,
      standingDrivers, drivers, kernelImage, halImage,
    ]
  }
}
