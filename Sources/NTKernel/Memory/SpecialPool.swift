import Guest
import Memory
import WindowsTypes

/// Special pool, as Driver Verifier's: every block of a driver's lies at the end of a page of its own, behind it a page that nothing may
/// touch; a block that is freed takes its page with it, and no address is used twice.
///
/// Windows serves blocks of up to a page from it; larger ones come from the pool, and so do they where its addresses are used up
/// ("Special Pool", Driver Verifier's documentation).
struct SpecialPool {
  struct Block {
    let address: UInt64
    /// In bytes, as asked for.
    let size: UInt64
    let tag: UInt32
    let isPaged: Bool
    /// Where the call that asked for it returns to.
    let site: UInt64
    /// Where the call that freed it returns to.
    var freed: UInt64?

    var page: UInt64 { address & ~(GuestMemory.pageSize - 1) }
    /// The first byte that is not the block's.
    var end: UInt64 { address + size }
    /// The tag as WinDbg prints it.
    var tagText: String {
      String(decoding: (0..<4).map { UInt8(truncatingIfNeeded: tag >> (8 * $0)) }.map { $0 < 0x20 || $0 > 0x7e ? 0x2e : $0 }, as: UTF8.self)
    }
  }

  /// By page.
  private(set) var blocks: [UInt64: Block] = [:]
  private var next: UInt64
  private let range: Range<UInt64>
  /// What fills a page beside its block.
  static let pattern: UInt8 = 0x5f

  init(_ range: Range<UInt64>) {
    self.range = range
    next = range.lowerBound
  }

  subscript(page address: UInt64) -> Block? { blocks[address & ~(GuestMemory.pageSize - 1)] }
  func contains(_ address: UInt64) -> Bool { range.contains(address) }

  /// A block of `size` bytes that starts at a multiple of `alignment`; `nil` where it does not fit into a page, or no addresses are left.
  mutating func allocate(
    _ size: UInt64, tag: UInt32, isPaged: Bool, alignment: UInt64, site: UInt64, in memory: VirtualMemory
  ) throws -> UInt64? {
    guard size <= GuestMemory.pageSize, next + 2 * GuestMemory.pageSize <= range.upperBound else { return nil }
    let page = next
    next += 2 * GuestMemory.pageSize
    try memory.kernel.set(Page(.valid, frame: memory.physical.allocate()), at: page)
    try memory.memory.fill(Self.pattern, count: Int(GuestMemory.pageSize), at: page)
    let address = page + GuestMemory.pageSize - max(alignment, (size + alignment - 1) & ~(alignment - 1))
    try memory.memory.fill(0, count: Int(size), at: address)
    blocks[page] = Block(address: address, size: size, tag: tag, isPaged: isPaged, site: site)
    return address
  }

  /// Where in the block's page somebody wrote beside it.
  func damage(beside block: Block, in memory: VirtualMemory) throws -> UInt64? {
    let bytes = try memory.memory.bytes(Int(GuestMemory.pageSize), at: block.page)
    let (start, end) = (Int(block.address - block.page), Int(block.end - block.page))
    let offset = bytes.indices.first { ($0 < start || $0 >= end) && bytes[$0] != Self.pattern }
    return offset.map { block.page + UInt64($0) }
  }

  mutating func free(_ block: Block, by site: UInt64, in memory: VirtualMemory) throws {
    blocks[block.page]?.freed = site
    try memory.kernel.set(.free, at: block.page)
  }
}

extension Kernel {
  /// From here on drivers' pool is special pool.
  public func useSpecialPool() { specialPool = SpecialPool(layout.specialPool) }

  /// Frees a block of special pool. Returns `false` for an address outside of it.
  ///
  /// What was written beside the block shows now: SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION (0xC1) with the place and 23h or, behind the
  /// block, 24h; at a wrong IRQL 31h; an address that is no block's is 21h.
  func freeSpecialPool(_ address: UInt64) throws -> Bool {
    guard let pool = specialPool, pool.contains(address) else { return false }
    let code = BugCheckCode.specialPoolDetectedMemoryCorruption
    guard let block = pool[page: address] else { throw BugCheck(code, address, 0, 0, 0x21) }
    if block.freed != nil {
      poolFault = SpecialPoolFault(block: block, address: address, what: .freedTwice)
      throw BugCheck(.badPoolCaller, 7, 0, UInt64(block.tag), address)
    }
    guard block.address == address else { throw BugCheck(code, address, block.address, 0, 0x21) }
    let irql = try kpcr.Irql.load()
    if irql > (block.isPaged ? .apc : .dispatch) {
      throw BugCheck(code, UInt64(irql.rawValue), block.isPaged ? 1 : 0, address, 0x31)
    }
    if let place = try pool.damage(beside: block, in: memory) {
      poolFault = SpecialPoolFault(block: block, address: place, what: .overwritten)
      throw BugCheck(code, address, place, 0, place >= block.end ? 0x24 : 0x23)
    }
    try specialPool?.free(block, by: caller.address, in: memory)
    return true
  }

  /// What an access of a page of special pool that is not there comes to: PAGE_FAULT_BEYOND_END_OF_ALLOCATION (0xCD) or
  /// PAGE_FAULT_IN_FREED_SPECIAL_POOL (0xCC), and by a driver's instruction 0xD6 and 0xD5: address, 0 read or 1 write, instruction.
  func specialPoolFault(_ access: Access, at address: UInt64) -> BugCheck? {
    guard let pool = specialPool, pool.contains(address) else { return nil }
    let own = pool[page: address]
    guard let block = own ?? pool[page: address &- GuestMemory.pageSize], own == nil || own?.freed != nil else { return nil }
    let ip = registers[.ip]
    let isDriver = !trapPlaces.contains(ip) && !isKernelCode(ip)
    poolFault = SpecialPoolFault(block: block, address: address, what: own == nil ? .beyond : .freed)
    let code: BugCheckCode =
      own == nil
      ? (isDriver ? .driverPageFaultBeyondEndOfAllocation : .pageFaultBeyondEndOfAllocation)
      : (isDriver ? .driverPageFaultInFreedSpecialPool : .pageFaultInFreedSpecialPool)
    return BugCheck(code, address, access == .write ? 1 : 0, ip, 0)
  }
}

/// What special pool found, for a report.
public struct SpecialPoolFault: Sendable {
  enum What { case beyond, freed, overwritten, freedTwice }
  let block: SpecialPool.Block
  let address: UInt64
  let what: What

  /// `3 bytes past the end of 21 bytes tagged Over, which overrun!WriteBeyond+0x17 allocated`
  ///
  /// - Parameter symbol: what an address is called.
  public func sentence(_ symbol: (UInt64) -> String) -> String {
    let size = "\(block.size) byte\(block.size == 1 ? "" : "s") tagged \(block.tagText)"
    let makers =
      ", which \(symbol(block.site)) allocated" + (block.freed.map { " and \(symbol($0)) freed" } ?? "")
    func bytes(_ count: UInt64) -> String { "\(count) byte\(count == 1 ? "" : "s")" }
    if what == .freedTwice { return "\(size)\(makers) already" }
    if what == .freed { return "\(bytes(address &- block.address)) into \(size)\(makers)" }
    if address < block.address { return "\(bytes(block.address - address)) in front of \(size)\(makers)" }
    return (address == block.end ? "right behind " : "\(bytes(address - block.end)) past the end of ") + size + makers
  }
}
