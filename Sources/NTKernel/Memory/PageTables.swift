import Guest
import Memory
import WindowsTypes

/// The page tables as guest code sees them: the current process's at C0000000h, where the directory maps them, and every process's
/// in physical memory, from the directory that `CR3` names on.
///
/// No engine walks them. A page of them is made from the state of the pages when someone first looks at it, and goes at the next
/// call, fault, flush or change of process, which then finds what guest code has written into its entries: a page may be written
/// to or not, is absent, or is another frame.
extension Kernel {
  static let pageTables: Range<UInt64> = 0xc000_0000..<0xc040_0000
  /// The first of the frames that tables are said to be in: beyond the memory of any run, 1024 for each process.
  private static let firstTableFrame: UInt64 = 0xe_0000

  /// The bits of an entry (public symbols of XP SP3, `_MMPTE_HARDWARE`).
  private enum Bit {
    static let (valid, writable, user) = (UInt32(1), UInt32(2), UInt32(4))
    static let (accessed, dirty, global, copyOnWrite) = (UInt32(0x20), UInt32(0x40), UInt32(0x100), UInt32(0x200))
  }

  /// Makes the page of tables at `address`, if it is one and is not there.
  func makePageTableView(at address: UInt64) throws -> Bool {
    guard Self.pageTables.contains(address), memory.kernel[address].kind == .free else { return false }
    let base = address & ~(GuestMemory.pageSize - 1)
    let entries = entries(ofTable: Int((base - Self.pageTables.lowerBound) >> GuestMemory.pageShift), of: memory.current)
    let frame = try memory.physical.allocate()
    memory.physical.fill(frame, with: Self.bytes(entries))
    try memory.kernel.set(Page(.valid, frame: frame), at: base)
    pageTableViews[base] = entries
    return true
  }

  /// Takes the pages of tables away, and does what was written into them. Returns whether anything was.
  @discardableResult
  func releasePageTableViews() throws -> Bool {
    guard !pageTableViews.isEmpty else { return false }
    let views = pageTableViews
    pageTableViews = [:]
    var isChanged = false
    for (base, before) in views.sorted(by: { $0.key < $1.key }) {
      let bytes = memory.physical.bytes(of: memory.kernel[base].frame)
      try memory.kernel.set(Page.free, at: base)
      for (index, old) in before.enumerated() {
        let new = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[4 * index + $1]) << (8 * UInt32($1)) }
        let place = ((base - Self.pageTables.lowerBound) / 4 + UInt64(index)) << GuestMemory.pageShift
        if new != old, !Self.pageTables.contains(place) { isChanged = try apply(new, at: place) || isChanged }
      }
    }
    return isChanged
  }

  /// The page of tables, or the directory, at a physical address; `nil` where none is.
  func pageTable(atPhysical address: UInt64) -> [UInt8]? {
    let page = address & ~(GuestMemory.pageSize - 1)
    if let process = processByDirectory[page] { return Self.bytes(entries(ofTable: 0x300, of: process.space)) }
    let number = Int(page >> GuestMemory.pageShift) - Int(Self.firstTableFrame)
    guard number >= 0, number >> 10 < memory.spaces.count else { return nil }
    return Self.bytes(entries(ofTable: number & 0x3ff, of: memory.spaces[number >> 10]))
  }

  private static func bytes(_ entries: [UInt32]) -> [UInt8] {
    entries.flatMap { entry in (0..<4).map { UInt8(truncatingIfNeeded: entry >> (8 * UInt32($0))) } }
  }

  /// The 1024 entries of a table, which describe 4 MB from `number` times that on.
  private func entries(ofTable number: Int, of space: AddressSpace) -> [UInt32] {
    let start = UInt64(number) << 22
    guard start != Self.pageTables.lowerBound else { return (0..<1024).map { directoryEntry($0, of: space) } }
    return (0..<1024).map { entry(of: space[start + UInt64($0) << GuestMemory.pageShift], isUser: start < memory.target.systemRangeStart) }
  }

  private func entry(of page: Page, isUser: Bool) -> UInt32 {
    switch page.kind {
    case .valid where page.protection != .noAccess && !page.isGuard:
      var entry = UInt32(page.frame) << 12 | Bit.valid | Bit.accessed | (isUser ? Bit.user : Bit.global)
      if page.protection == .readWrite { entry |= Bit.writable | Bit.dirty }
      if page.protection == .writeCopy { entry |= Bit.copyOnWrite }
      return entry
    // A software entry: what protects the page, from bit 5 on; MM_READWRITE is 4, MM_READONLY 1.
    case .demandZero, .pagedOut, .valid: return page.protection == .readWrite ? 4 << 5 : 1 << 5
    case .free, .reserved, .decommitted: return 0
    }
  }

  /// The directory maps itself; a table is there where anything in its 4 MB is.
  private func directoryEntry(_ number: Int, of space: AddressSpace) -> UInt32 {
    let start = UInt64(number) << 22
    let isUser = start < memory.target.systemRangeStart
    if start == Self.pageTables.lowerBound {
      let directory = processByDirectory.first { $0.value.space === space }?.key ?? 0
      return UInt32(truncatingIfNeeded: directory) | Bit.valid | Bit.writable | Bit.accessed | Bit.dirty
    }
    let isPresent = (0..<1024).contains { index in
      ![.free, .reserved, .decommitted].contains(space[start + UInt64(index) << GuestMemory.pageShift].kind)
    }
    guard isPresent else { return 0 }
    let frame = Self.firstTableFrame + UInt64(space.id) << 10 + UInt64(number)
    return UInt32(truncatingIfNeeded: frame << 12) | Bit.valid | Bit.writable | Bit.accessed | Bit.dirty | (isUser ? Bit.user : 0)
  }

  /// Makes the page at `address` what an entry of guest code's own says. Returns whether it could be done.
  private func apply(_ entry: UInt32, at address: UInt64) throws -> Bool {
    guard let range = memory.current.range(of: address) else { return false }
    var page = range[address]
    let frame = FrameNumber(entry >> 12)
    guard entry & Bit.valid != 0 else {
      guard page.kind == .valid else { return false }
      page.protection = .noAccess
      try range.set(page, at: address)
      return true
    }
    guard memory.physical.contains(frame) || page.kind == .valid && page.frame == frame else {
      report(violation: "the page table entry of \(hex(address)) names the physical page \(hex(UInt64(frame))), where no memory is")
      return false
    }
    page = Page(
      .valid, entry & Bit.writable != 0 ? .readWrite : .readOnly, frame: frame, isShared: page.isShared, isExecutable: page.isExecutable,
      isWatched: page.isWatched)
    try range.set(page, at: address)
    return true
  }
}
