import CUnicorn
import Glibc
import Guest
import Memory

/// What all engines of one processor share: the upper levels of the shadow tables, and where they lie in guest-physical space.
///
/// Every engine sees the same tables at the same places, so a saved register context fits them all. The lowest level of the
/// tables is the ``AddressRange/shadow`` of the two ranges; the upper levels are constant.
/// Safety: the pages are allocated once and live as long as the object, which every engine holds.
final class ShadowTables {
  static let pointers: UInt64 = 0xffff_f000
  static let directories: UInt64 = 0x1_0000_0000
  static let userEntries: UInt64 = 0x1_0040_0000
  static let kernelEntries: UInt64 = 0x1_0080_0000
  /// In bytes: one entry for each page of a half.
  static let entriesSize = 0x40_0000

  /// The page directory pointers, then four page directories.
  let pages: UnsafeMutableRawPointer
  static let size = 5 * 4096

  init() throws(MemoryExhausted) {
    guard let pages = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), pages != MAP_FAILED
    else { throw MemoryExhausted(description: "the host has no memory for page tables") }
    self.pages = pages
    let words = pages.assumingMemoryBound(to: UInt64.self)
    for gigabyte in 0..<4 {
      words[gigabyte] = Self.directories + UInt64(gigabyte) * 4096 | 1
      let entries = gigabyte < 2 ? Self.userEntries : Self.kernelEntries
      for megabytes in 0..<512 {
        words[512 * (1 + gigabyte) + megabytes] = entries + UInt64(gigabyte % 2 * 512 + megabytes) * 4096 | 0x67
      }
    }
  }

  deinit { munmap(pages, Self.size) }
}

/// Where the descriptors of the guest's segments lie, and which selectors it runs with.
public struct Segments: Sendable {
  public var table: UInt64
  /// In bytes.
  public var size: Int
  public var code: UInt32
  public var data: UInt32
  /// The selector of the segment behind `fs`.
  public var processor: UInt32

  public init(table: UInt64, size: Int, code: UInt32, data: UInt32, processor: UInt32) {
    self.table = table
    self.size = size
    self.code = code
    self.data = data
    self.processor = processor
  }
}

/// One address space's engine: translated code, and the derived tables that its memory accesses go through.
final class Engine {
  let handle: OpaquePointer
  let space: AddressSpace
  /// What a trap compares: the tables of the current address space, and the counts of weakenings. Safety: `space` owns them.
  private let entries: UnsafeMutablePointer<PageEntry>
  private let userWeakenings: UnsafeMutablePointer<Int>
  private let kernelWeakenings: UnsafeMutablePointer<Int>
  /// What it knows of the blocks that it has translated, by address and size.
  var blocks: [UInt64: CachedBlock] = [:]
  /// The blocks that ran last, by a hash of the address: one load and one comparison on the fast path.
  let cache: UnsafeMutablePointer<CachedBlock>
  static let cacheSize = 4096
  /// The addresses at which a code hook stands, beside those of traps.
  var instrumented: Set<UInt64> = []
  /// The hooks at instructions before which the run is to stop, until it has.
  var stopHooks: [uc_hook] = []
  /// The blocks, by address and size, that were translated anew because an instruction in them is hooked.
  var remade: Set<UInt64> = []
  /// The states of its address space that it has seen; see ``AddressRange/weakenings``.
  var weakenings: Int
  /// When it ran last, in switches: the idlest engine goes first.
  var lastUse = 0
  private let tables: ShadowTables
  private var contexts: [UnsafeMutableRawPointer] = []

  init(space: AddressSpace, tables: ShadowTables, segments: Segments) throws {
    self.space = space
    self.tables = tables
    entries = space.user.table.entries
    userWeakenings = space.user.weakeningCounter
    kernelWeakenings = space.kernel.weakeningCounter
    try space.user.prepareForExecution()
    try space.kernel.prepareForExecution()
    weakenings = userWeakenings.pointee + kernelWeakenings.pointee
    var opened: OpaquePointer?
    guard uc_open(UC_ARCH_X86, UC_MODE_32, &opened) == UC_ERR_OK, let opened else {
      throw MemoryExhausted(description: "the host has no memory for another engine")
    }
    handle = opened
    cache = .allocate(capacity: Self.cacheSize)
    cache.initialize(repeating: .none, count: Self.cacheSize)
    guard let user = space.user.window, let kernel = space.kernel.window, let userShadow = space.user.shadow,
      let kernelShadow = space.kernel.shadow
    else { throw ProcessorError("an address space without windows") }
    let regions: [(UInt64, UInt64, UnsafeMutableRawPointer)] = [
      (space.user.table.base, space.user.table.count << 12, user),
      (space.kernel.table.base, space.kernel.table.count << 12, kernel),
      (ShadowTables.pointers, 0x1000, tables.pages),
      (ShadowTables.directories, 0x4000, tables.pages + 0x1000),
      (ShadowTables.userEntries, UInt64(ShadowTables.entriesSize), UnsafeMutableRawPointer(userShadow)),
      (ShadowTables.kernelEntries, UInt64(ShadowTables.entriesSize), UnsafeMutableRawPointer(kernelShadow)),
    ]
    for (address, size, host) in regions {
      let status = uc_mem_map_ptr(handle, address, Int(size), UC_PROT_ALL.rawValue, host)
      guard status == UC_ERR_OK else { throw ProcessorError("the engine maps nothing at \(hex(address)): \(Self.text(status))") }
    }
    var descriptors = uc_x86_mmr(selector: 0, base: segments.table, limit: UInt32(segments.size - 1), flags: 0)
    uc_reg_write(handle, Int32(UC_X86_REG_GDTR.rawValue), &descriptors)
    write(UC_X86_REG_CS, segments.code)
    for register in [UC_X86_REG_SS, UC_X86_REG_DS, UC_X86_REG_ES] { write(register, segments.data) }
    write(UC_X86_REG_FS, segments.processor)
    // KGDT_TSS: `str` shows it.
    var task = uc_x86_mmr(selector: 0x28, base: 0x8004_2000, limit: 0x20ab, flags: 0x8b00)
    uc_reg_write(handle, Int32(UC_X86_REG_TR.rawValue), &task)
    // PAE, and SSE for those who use it; then protection, write protection in ring 0, and paging.
    write(UC_X86_REG_CR4, 0x0620)
    write(UC_X86_REG_CR3, UInt32(ShadowTables.pointers))
    write(UC_X86_REG_CR0, read(UC_X86_REG_CR0) | 0x8001_0033)
  }

  deinit {
    uc_close(handle)
    cache.deallocate()
    contexts.forEach { $0.deallocate() }
  }

  func read(_ register: uc_x86_reg) -> UInt32 {
    var value: UInt32 = 0
    uc_reg_read(handle, Int32(register.rawValue), &value)
    return value
  }

  func write(_ register: uc_x86_reg, _ value: UInt32) {
    var value = value
    uc_reg_write(handle, Int32(register.rawValue), &value)
  }

  /// Memory for a hook's context, which lives as long as the engine.
  func context<Value: BitwiseCopyable>(_ value: Value) -> UnsafeMutablePointer<Value> {
    let place = UnsafeMutablePointer<Value>.allocate(capacity: 1)
    place.initialize(to: value)
    contexts.append(UnsafeMutableRawPointer(place))
    return place
  }

  /// The host bytes that the engine fetches for `address`.
  func host(_ address: UInt64) -> UnsafeRawPointer? {
    guard let range = space.range(of: address), let window = range.window else { return nil }
    return UnsafeRawPointer(window + Int(address - range.table.base))
  }

  /// Whether a page was weakened since the engine last flushed.
  var isStale: Bool { weakenings != userWeakenings.pointee + kernelWeakenings.pointee }
  func noteFlush() { weakenings = userWeakenings.pointee + kernelWeakenings.pointee }

  /// Whether `memory` is that of this engine's address space: cheaper to ask than which one is current.
  func sees(_ memory: GuestMemory) -> Bool { memory.translation.pointee.user.entries == entries }

  static func text(_ status: uc_err) -> String { String(cString: uc_strerror(status)) }
}

/// A block as an engine translated it: what its bytes were, and where to look whether they still are.
///
/// Safety: the bytes are the processor's and those behind `host` the address space's; both outlive the engine that owns the value.
struct CachedBlock: @unchecked Sendable {
  /// Address and size; 0 is none.
  var key: UInt64
  var host: UnsafeRawPointer
  var saved: UnsafeRawPointer
  /// The block's number in the event stream; 0 for one that is not recorded.
  var id: UInt32
  var instructions: UInt16
  var kind: Kind

  /// What a block may be besides the next one, if it lies inside the one that runs: its own store, which the engine runs again.
  enum Kind: UInt8 {
    /// It is what it seems.
    case other
    /// One storing instruction that leads to the next one: it is not reached from inside the running block.
    case store
    /// One call.
    case call
    /// One `rep movs` or `rep stos`.
    case repeated
  }

  static let none = CachedBlock(key: 0, host: placeholder, saved: placeholder, id: 0, instructions: 0, kind: .other)
  /// Safety: never written, and compared for no bytes at all.
  nonisolated(unsafe) private static let placeholder = UnsafeRawPointer(
    UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8))

  static func key(_ address: UInt64, _ size: UInt32) -> UInt64 { address | UInt64(size) << 32 }

  /// Whether memory still holds what was translated. Reads whole words: up to 7 bytes more than the block has.
  @inline(__always) var isCurrent: Bool {
    var (offset, left) = (0, Int(key >> 32))
    while left >= 8 {
      if host.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != saved.load(fromByteOffset: offset, as: UInt64.self) {
        return false
      }
      offset += 8
      left -= 8
    }
    if left == 0 { return true }
    let difference =
      host.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ saved.load(fromByteOffset: offset, as: UInt64.self)
    return difference << UInt64(64 - 8 * left) == 0
  }
}
