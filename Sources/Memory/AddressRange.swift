import Glibc
import Guest

/// The pages of a contiguous range of addresses: a process's half, or the half that all processes share.
///
/// The page table is the truth. Two things are derived from it, and only once an engine asks for them: the *window*, a
/// reserved piece of host address space in which the page at `base + x` is mapped at `window + x`; and the *shadow*, an array
/// of hardware page table entries, one a page, that map every valid page to itself with the right permission.
///
/// The window is ordinary memory where no page is valid, and a revoked page stays mapped in it: a stray access there cannot
/// take the host down. What keeps guest code out is the shadow entry, and ``weakenings``, which tells engines to flush.
/// Safety: tables and window are allocated in `init` or on demand, never move, and go when the object goes.
public final class AddressRange {
  public let table: PageTable
  public let physical: PhysicalMemory
  /// How often a page was revoked or weakened. An engine that has not seen the latest must flush before it goes on.
  public var weakenings: Int { weakeningCounter.pointee }
  /// Where ``weakenings`` is counted: engines look there at every trap.
  public let weakeningCounter: UnsafeMutablePointer<Int>
  public private(set) var window: UnsafeMutableRawPointer?
  public private(set) var shadow: UnsafeMutablePointer<UInt64>?
  /// The permission bits that every shadow entry of this range carries on top of its own.
  private let shadowFlags: UInt64
  /// Which runs of 512 pages were ever written to, so that a walk over a sparse range is cheap.
  private var touched: [Bool]

  /// - Parameters:
  ///   - isUser: whether user mode may use the pages.
  public init(base: UInt64, size: UInt64, isUser: Bool, physical: PhysicalMemory) throws(MemoryExhausted) {
    let count = size >> GuestMemory.pageShift
    let entries = try Self.reserve(Int(count) * MemoryLayout<PageEntry>.stride)
    table = PageTable(base: base, count: count, entries: entries.bindMemory(to: PageEntry.self, capacity: Int(count)))
    self.physical = physical
    weakeningCounter = .allocate(capacity: 1)
    weakeningCounter.initialize(to: 0)
    touched = Array(repeating: false, count: Int((count + 511) / 512))
    // Present, accessed; and for user pages, user.
    shadowFlags = isUser ? 0x25 : 0x21
  }

  deinit {
    for page in occupiedPages() where Page(table.entries[page]).kind == .valid { physical.release(table.entries[page].frame) }
    weakeningCounter.deallocate()
    munmap(table.entries, Int(table.count) * MemoryLayout<PageEntry>.stride)
    if let window { munmap(window, Int(table.count << GuestMemory.pageShift)) }
    if let shadow { munmap(shadow, Int(table.count) * 8) }
  }

  static func reserve(_ size: Int) throws(MemoryExhausted) -> UnsafeMutableRawPointer {
    guard let place = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      place != MAP_FAILED
    else { throw MemoryExhausted(description: "the host has no \(size) bytes of address space left") }
    return place
  }

  public func contains(_ address: UInt64) -> Bool { address >= table.base && (address - table.base) >> 12 < table.count }

  /// The page that holds `address`; `.free` outside the range. Setting it moves the frame's count, the window and the shadow.
  public subscript(address: UInt64) -> Page {
    contains(address) ? Page(table.entries[index(of: address)]) : .free
  }

  private func index(of address: UInt64) -> Int { Int((address - table.base) >> GuestMemory.pageShift) }

  /// Gives the page that holds `address` the state `page`.
  public func set(_ page: Page, at address: UInt64) throws(MemoryExhausted) {
    try set(CollectionOfOne(page), at: address)
  }

  /// Gives the pages from `address` on the states `pages`. Frames that follow each other take one host mapping.
  public func set(_ pages: some Collection<Page>, at address: UInt64) throws(MemoryExhausted) {
    let first = index(of: address)
    precondition(contains(address) && pages.count <= Int(table.count) - first, "a page outside its range")
    var run = (start: first, frame: FrameNumber(0), count: 0)
    var index = first
    for page in pages {
      let old = table.entries[index]
      let new = page.entry
      defer { index += 1 }
      if old == new { continue }
      touched[index >> 9] = true
      let (was, frame) = (Page(old), page.frame)
      if page.kind == .valid { physical.retain(frame) }
      if was.kind == .valid { physical.release(old.frame) }
      table.entries[index] = new
      if let shadow { shadow[index] = shadowEntry(new, index) }
      if old.bits & 3 & ~new.bits != 0 || (was.kind == .valid && old.frame != new.frame && old.bits & 3 != 0) {
        weakeningCounter.pointee += 1
      }
      guard window != nil, page.kind == .valid, was.kind != .valid || old.frame != new.frame else { continue }
      if run.count > 0 && run.start + run.count == index && Int(run.frame) + run.count == Int(frame) {
        run.count += 1
      } else {
        try mapWindow(run)
        run = (index, frame, 1)
      }
    }
    try mapWindow(run)
  }

  private func mapWindow(_ run: (start: Int, frame: FrameNumber, count: Int)) throws(MemoryExhausted) {
    guard run.count > 0, let window else { return }
    let place = mmap(
      window + run.start << 12, run.count << 12, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, physical.file,
      off_t(run.frame) << 12)
    guard place != MAP_FAILED else {
      throw MemoryExhausted(description: "the host allows no more separate mappings (vm.max_map_count)")
    }
  }

  private func shadowEntry(_ entry: PageEntry, _ index: Int) -> UInt64 {
    guard entry.bits & PageEntry.readable != 0 else { return 0 }
    let address = table.base + UInt64(index) << GuestMemory.pageShift
    // Writable pages are dirty from the start: the engine then never has to set the bit.
    return address | shadowFlags | (entry.bits & PageEntry.writable != 0 ? 0x42 : 0)
  }

  /// The indices of all pages that are not free, in order.
  public func occupiedPages() -> some Sequence<Int> {
    let (entries, count) = (table.entries, Int(table.count))
    return touched.indices.lazy.filter { [touched] in touched[$0] }
      .flatMap { $0 << 9..<Swift.min($0 << 9 + 512, count) }
      .filter { Page(entries[$0]).kind != .free }
  }

  /// Makes the window and the shadow exist, for an engine.
  public func prepareForExecution() throws(MemoryExhausted) {
    guard window == nil else { return }
    let shadow = try Self.reserve(Int(table.count) * 8).bindMemory(to: UInt64.self, capacity: Int(table.count))
    self.shadow = shadow
    window = try Self.reserve(Int(table.count << GuestMemory.pageShift))
    var run = (start: 0, frame: FrameNumber(0), count: 0)
    for index in occupiedPages() {
      let entry = table.entries[index]
      shadow[index] = shadowEntry(entry, index)
      guard Page(entry).kind == .valid else { continue }
      if run.count > 0 && run.start + run.count == index && Int(run.frame) + run.count == Int(entry.frame) {
        run.count += 1
      } else {
        try mapWindow(run)
        run = (index, entry.frame, 1)
      }
    }
    try mapWindow(run)
  }
}
