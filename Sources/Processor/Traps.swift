import CUnicorn
import Guest
import Memory

/// Addresses at which guest code reaches the supervisor: trap `first` at `base`, the next ones ``stride`` bytes apart.
///
/// A routine's trap has ``entry`` before it: guest code finds there what routines of Windows begin with, and may put a jump over it
/// and run a copy of it elsewhere, as hooks do. The supervisor is asked only by who comes past it.
public struct TrapRange: Sendable, Hashable {
  public let base: UInt64
  public let count: Int
  public let first: Int
  /// How many bytes of code lie before each trap.
  public let lead: UInt64

  /// In bytes.
  public static let stride: UInt64 = 16

  public init(base: UInt64, count: Int, first: Int, lead: Int = 0) {
    self.base = base
    self.count = count
    self.first = first
    self.lead = UInt64(lead)
  }

  public func address(of trap: Int) -> UInt64 { base + UInt64(trap - first) * Self.stride }
  var end: UInt64 { base + UInt64(count) * Self.stride }

  /// Whether a trap of the range lies in `block`.
  func hasTrap(in block: Range<UInt64>) -> Bool {
    guard block.lowerBound < end, block.upperBound > base else { return false }
    let start = max(block.lowerBound, base) - base
    let next = (start + Self.stride - 1 - lead) / Self.stride * Self.stride + lead
    return base + next < min(block.upperBound, end)
  }

  /// `mov edi,edi; push ebp; mov ebp,esp; pop ebp`, as what may be patched while it runs begins, and `lea esp,[esp]` to fill up:
  /// leaves every register and flag as it was.
  public static let entry: [UInt8] = [0x8b, 0xff, 0x55, 0x8b, 0xec, 0x5d, 0x8d, 0xa4, 0x24, 0, 0, 0, 0]

  /// The code of a trap: what runs once its routine has been served.
  public static func code(popping bytes: Int) -> [UInt8] {
    bytes == 0 ? [0xc3] : [0xc2, UInt8(bytes & 0xff), UInt8(bytes >> 8)]
  }
}

extension Processor {
  /// Makes calls to the addresses of `range` reach the supervisor. Their code, a `ret`, is the caller's to write.
  public func add(_ range: TrapRange) throws {
    traps.append(range)
    for engine in allEngines { try hook(range, in: engine) }
  }

  /// Whether the block is one of traps': not guest code, and not recorded.
  func isTrap(_ block: Range<UInt64>) -> Bool { traps.contains { $0.hasTrap(in: block) } }

  private struct TrapContext {
    let base: UInt64
    let lead: UInt64
    let first: Int
    let processor: Unmanaged<Processor>
  }

  func hook(_ range: TrapRange, in engine: Engine) throws {
    let context = engine.context(TrapContext(base: range.base, lead: range.lead, first: range.first, processor: .passUnretained(self)))
    var hook = uc_hook()
    let status = uc_hook_add_code(
      engine.handle, &hook, UC_HOOK_CODE,
      { _, address, _, context in
        let state = context.unsafelyUnwrapped.assumingMemoryBound(to: TrapContext.self)
        let offset = address &- state.pointee.base
        guard offset & (TrapRange.stride - 1) == state.pointee.lead else { return }
        let trap = state.pointee.first &+ Int(truncatingIfNeeded: offset >> 4)
        let entry = address &- state.pointee.lead
        state.pointee.processor._withUnsafeGuaranteedRef { $0.serve(trap, at: entry, endingAt: address) }
      }, context, range.base, range.end - 1)
    try check(status, "the engine takes no hook at \(hex(range.base))")
  }

  /// - Parameters:
  ///   - entry: where the supervisor is told that guest code stands: the routine's address.
  ///   - end: where its `ret` is.
  private func serve(_ trap: Int, at entry: UInt64, endingAt end: UInt64) {
    if isServed {
      isServed = false
      return
    }
    enterHook(at: entry)
    let directive = supervisor.serve(trap: trap, with: self)
    let goesElsewhere = nextIP != nil
    currentIP = end
    // Served in place, the `ret` follows at once. Where the engine is left or flushed first, the trap is reached again.
    isServed = leaveHook(directive) && !goesElsewhere
  }

  // MARK: Flushing

  /// Sends the running engine through the flush stub, and from there to `address`.
  ///
  /// No call of the library flushes the engine's address translations in both versions, and none at all inside a hook; guest
  /// code that reloads its page directory register does.
  func flush(thenGoTo address: UInt64) {
    progress.pointee.afterFlush = address
    progress.pointee.flushCX = engine.read(UC_X86_REG_ECX)
    go(to: FlushStub.address)
  }

  static func installFlushStub(in memory: VirtualMemory) throws {
    let frame = try memory.physical.allocate()
    memory.physical.fill(frame, with: FlushStub.code)
    try memory.kernel.set(Page(.valid, .readOnly, frame: frame), at: FlushStub.address)
  }

  func hookFlushStub(_ engine: Engine) throws {
    let context = Unmanaged.passUnretained(self).toOpaque()
    var hook = uc_hook()
    let status = uc_hook_add_code(
      engine.handle, &hook, UC_HOOK_CODE,
      { _, address, _, context in
        Unmanaged<Processor>.fromOpaque(context.unsafelyUnwrapped)._withUnsafeGuaranteedRef { $0.flushed(at: address) }
      }, context, FlushStub.end, FlushStub.end)
    try check(status, "the engine takes no hook at \(hex(FlushStub.end))")
  }

  private func flushed(at address: UInt64) {
    guard let next = progress.pointee.afterFlush else {
      // Guest code strayed here on its own.
      enterHook(at: address)
      leaveHook(supervisor.exception(vector: 6, isSoftware: false))
      return
    }
    progress.pointee.afterFlush = nil
    engine.noteFlush()
    self[.cx] = UInt64(progress.pointee.flushCX)
    go(to: next)
  }
}

/// Guest code that makes an engine forget the address translations it has seen: `mov ecx,cr3; mov cr3,ecx`.
enum FlushStub {
  static let address: UInt64 = 0xffff_e000
  static let code: [UInt8] = [0x0f, 0x20, 0xd9, 0x0f, 0x22, 0xd9, 0x90]
  static let end = address + 6
  static func contains(_ address: UInt64) -> Bool { address >= self.address && address < self.address + 0x1000 }
}
