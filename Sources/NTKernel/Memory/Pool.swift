import Guest
import Memory
import WindowsTypes

/// The kernel's pools: blocks of 8-byte granularity behind a header of 8 bytes, as XP's are.
struct Pool {
  private var addresses: AddressAllocator
  /// The first address beyond the pages that exist.
  private var top: UInt64
  private let caller: CallSite
  /// What was asked for, by address: what `ExFreePool` gives back.
  private(set) var blocks: [UInt64: Block] = [:]

  struct Block {
    /// In bytes, as asked for.
    let size: UInt64
    let tag: UInt32
    /// Where the call that asked for it returns to.
    let site: UInt64
    /// The addresses it takes, header and alignment included.
    let room: Range<UInt64>
    /// The process on whose account it is, or 0.
    var payer: UInt64 = 0

    /// How much it counts on an account, in bytes: with its header, or whole pages.
    var charge: UInt64 { size >= GuestMemory.pageSize ? (size + 0xfff) & ~0xfff : (size + Pool.headerSize + 7) & ~7 }
  }
  static let headerSize: UInt64 = 8

  init(_ range: Range<UInt64>, caller: CallSite) {
    self.caller = caller
    addresses = AddressAllocator(range, granule: 8)
    top = range.lowerBound
  }

  /// A block of `size` bytes, zeroed, at a multiple of `alignment`; page-aligned if a page or larger. `nil` where the pool's addresses
  /// are used up.
  mutating func allocate(_ size: UInt64, tag: UInt32, alignment: UInt64 = 8, in memory: VirtualMemory) throws -> UInt64? {
    let isWholePages = size >= GuestMemory.pageSize
    // Whole pages carry no header, and start at a page: what lies before is skipped by asking for a page more.
    let room = isWholePages ? (size + 0xfff) & ~0xfff + 0x1000 : size + Self.headerSize + alignment - 8
    guard let start = addresses.allocate(room) else { return nil }
    let block = isWholePages ? (start + 0xfff) & ~0xfff : (start + Self.headerSize + alignment - 1) & ~(alignment - 1)
    while top < start + ((room + 7) & ~7) {
      try memory.kernel.set(Page(.valid, frame: memory.physical.allocate()), at: top)
      top += GuestMemory.pageSize
    }
    if !isWholePages {
      try memory.memory.store(UInt32(truncatingIfNeeded: ((size + 15) >> 3) << 16), at: block - 8)
      try memory.memory.store(tag, at: block - 4)
    }
    try memory.memory.fill(0, count: Int(size), at: block)
    blocks[block] = Block(size: size, tag: tag, site: caller.address, room: start..<start + room)
    return block
  }

  /// Notes who pays for `block`. Returns `false` if it is none.
  mutating func charge(_ block: UInt64, to payer: UInt64) -> Bool {
    blocks[block]?.payer = payer
    return blocks[block] != nil
  }

  /// Takes `block` back. Returns `false` if it is none.
  mutating func free(_ block: UInt64) -> Bool {
    guard let room = blocks.removeValue(forKey: block)?.room else { return false }
    addresses.release(room.lowerBound, room.upperBound - room.lowerBound)
    return true
  }
}
