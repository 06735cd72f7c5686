import CUnicorn
import Disassembly
import Events
import Guest

/// How far the processor has come, and which block it is in: what the block hook reads and writes.
struct Progress {
  /// Where the block that runs began, and its size in bytes; 0 for none.
  var start: UInt64 = 0
  var size: UInt64 = 0
  var id: UInt32 = 0
  var blockInstructions: UInt32 = 0
  var instructions: UInt64 = 0
  /// The count of instructions at which a block needs to be looked at: the run's end or the deadline, whichever comes first.
  private(set) var limit: UInt64 = .max
  /// The run ends once so many instructions have run.
  var end: UInt64 = .max { didSet { limit = min(end, deadline) } }
  /// The first block that begins once so many have run asks the supervisor first.
  var deadline: UInt64 = .max { didSet { limit = min(end, deadline) } }
  /// Where guest code goes on after the flush stub, and the register that the stub uses.
  var afterFlush: UInt64?
  var flushCX: UInt32 = 0
  /// An instruction before which the run stops, and the block that was made anew for it: the limit ends inside.
  var stopBefore: UInt64?
  var stopKey: UInt64 = 0
  /// How many instructions had run, with it, when a store into its own block ran again.
  var runAgainAt: UInt64 = .max
  /// What `ecx` was when the block that runs began, if that is one repeated store.
  var repetitions: UInt64 = 0
}

/// The block hook: records what runs.
///
/// Each block is compared with memory every time it begins. That costs a few nanoseconds, and makes translated code coherent
/// whoever changed it (the host, another engine, another address of the frame): one that changed is dropped and made anew.
/// What leaves a block early closes it, so that the record holds what ran, instruction for instruction.
///
/// A store of the running block into itself makes the engine run that instruction again, in a block of its own; nothing else
/// says so. See ``CachedBlock/Kind``.
///
/// One gap is known: a store into the running block *through another address of its frame* is seen by nobody before the block
/// ends. The engine goes on with what it translated, and so does the record: both agree, and differ from hardware. The next
/// execution of the block sees the change.
struct BlockHook {
  let cache: UnsafeMutablePointer<CachedBlock>
  let progress: UnsafeMutablePointer<Progress>
  let cursor: UnsafeMutablePointer<EventStream.Cursor>
  let processor: Unmanaged<Processor>
}

extension Processor {
  func hookBlocks(_ engine: Engine) throws {
    let context = engine.context(
      BlockHook(
        cache: engine.cache, progress: progress, cursor: stream.cursor, processor: .passUnretained(self)))
    var hook = uc_hook()
    let status = uc_hook_add_code(
      engine.handle, &hook, UC_HOOK_BLOCK,
      { _, address, size, context in
        let state = context.unsafelyUnwrapped.assumingMemoryBound(to: BlockHook.self)
        let progress = state.pointee.progress
        let block = state.pointee.cache + Int(truncatingIfNeeded: (address ^ address >> 12) & UInt64(Engine.cacheSize - 1))
        guard block.pointee.key == CachedBlock.key(address, size), block.pointee.isCurrent,
          block.pointee.kind == .other
            || block.pointee.kind != .repeated && address &- progress.pointee.start >= progress.pointee.size,
          progress.pointee.instructions + UInt64(block.pointee.instructions) <= progress.pointee.limit
        else {
          return state.pointee.processor._withUnsafeGuaranteedRef { $0.beginBlock(address, size) }
        }
        if !note(block.pointee, progress, state.pointee.cursor) {
          state.pointee.processor._withUnsafeGuaranteedRef { $0.stream.append(block: block.pointee.id) }
        }
      }, context, 1, 0)
    try check(status, "the engine takes no block hook")
  }

  /// The slow path: a block that was never seen, has changed, overlaps its predecessor, or reaches the limit.
  private func beginBlock(_ address: UInt64, _ size: UInt32) {
    enterHook(at: address)
    let key = CachedBlock.key(address, size)
    guard let host = engine.host(address) else { return }
    let bytes = UnsafeRawBufferPointer(start: host, count: Int(size))
    let runsAgain = isStoreRunAgain(engine.blocks[key]?.kind, bytes, at: address)
    if runsAgain {
      restoreFlags(at: address)
      closeBlock(at: address)
    }
    if let known = engine.blocks[key], !known.isCurrent {
      // Translated from bytes that are no more.
      engine.blocks[key] = nil
      return retranslate(address, size)
    }
    let block: CachedBlock
    if let known = engine.blocks[key] {
      block = known
    } else {
      let (made, isComplete) = register(address, bytes)
      engine.blocks[key] = made
      if !isComplete { return retranslate(address, size) }
      block = made
    }
    engine.cache[Int(truncatingIfNeeded: (address ^ address >> 12) & UInt64(Engine.cacheSize - 1))] = block
    let left = progress.pointee.end - min(progress.pointee.end, progress.pointee.instructions)
    if UInt64(block.instructions) > left { return stopInside(address, bytes, after: Int(left)) }
    // A trap's block is no place to stand still at: its routine may have been served.
    if progress.pointee.instructions >= progress.pointee.deadline && block.id != 0 && meetDeadline() { return }
    begin(block)
    if runsAgain { progress.pointee.runAgainAt = progress.pointee.instructions }
    if block.kind == .repeated { progress.pointee.repetitions = self[.cx] }
  }

  /// Asks the supervisor before the block at ``currentIP`` begins. Returns whether guest code goes on elsewhere, or not at all.
  private func meetDeadline() -> Bool {
    // What ran before is complete.
    progress.pointee.size = 0
    progress.pointee.id = 0
    progress.pointee.runAgainAt = .max
    let directive = supervisor.deadline()
    let goesElsewhere = nextIP != nil
    return leaveHook(directive) || goesElsewhere
  }

  private func begin(_ block: CachedBlock) {
    if !note(block, progress, stream.cursor) { stream.append(block: block.id) }
  }

  /// Drops the translation of a block and lets the engine make it anew.
  private func retranslate(_ address: UInt64, _ size: UInt32) {
    uc_remove_code(engine.handle, address, address + UInt64(size))
    go(to: address)
  }

  /// Decodes a block at first sight. It is incomplete while an instruction in it may still lack its hook.
  private func register(_ address: UInt64, _ bytes: UnsafeRawBufferPointer) -> (CachedBlock, isComplete: Bool) {
    let key = CachedBlock.key(address, UInt32(bytes.count))
    var isSensitive = false
    if !isTrap(address..<address + UInt64(bytes.count)) && !FlushStub.contains(address) {
      for instruction in disassembler.decodeAll(bytes, at: address) where instruction.sensitivity.map(concernsSupervisor) ?? false {
        hookInstruction(at: instruction.address)
        isSensitive = true
      }
    }
    // A hook that is there already may be another block's, and younger than this translation.
    let isComplete = !isSensitive || !engine.remade.insert(key).inserted
    let (id, count) = number(address, bytes)
    let made = CachedBlock(
      key: key, host: bytes.baseAddress.unsafelyUnwrapped, saved: saved(id, bytes),
      id: id, instructions: UInt16(count), kind: kind(of: bytes, at: address))
    return (made, isComplete)
  }

  /// A copy of a block's bytes that lives as long as the processor, padded to whole words. A recorded block has one for all engines.
  private func saved(_ id: BlockID, _ bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer {
    if id != 0, let place = savedBytes[id] { return UnsafeRawPointer(place) }
    let place = UnsafeMutableRawPointer.allocate(byteCount: (bytes.count + 15) & ~7, alignment: 8)
    if let start = bytes.baseAddress { place.copyMemory(from: start, byteCount: bytes.count) }
    if id != 0 { savedBytes[id] = place } else { unrecordedBytes.append(place) }
    return UnsafeRawPointer(place)
  }

  /// The number of the block with these bytes at this address, and how many instructions it has. Trap pages have none.
  private func number(_ address: UInt64, _ bytes: UnsafeRawBufferPointer) -> (BlockID, UInt32) {
    if bytes.isEmpty || isTrap(address..<address + UInt64(bytes.count)) || FlushStub.contains(address) { return (0, 0) }
    let content = BlockContent(address: address, bytes: Array(bytes))
    if let id = blockNumbers[content] { return (id, UInt32(stream.blocks[id].instructions)) }
    let instructions = max(1, disassembler.decodeAll(bytes, at: address).count)
    let id = stream.blocks.add(address: address, bytes: bytes, instructions: instructions)
    blockNumbers[content] = id
    return (id, UInt32(instructions))
  }

  private func kind(of bytes: UnsafeRawBufferPointer, at address: UInt64) -> CachedBlock.Kind {
    guard let only = disassembler.decode(bytes, at: address), only.length == bytes.count, only.writesMemory else { return .other }
    return only.isRepeated ? .repeated : only.endsBlock ? .call : .store
  }

  /// Whether the block at `address` is a store of the running block into itself, which the engine left undone and runs again.
  ///
  /// A store that leads to the next instruction is not reached from inside its block in any other way. A call or a repeated
  /// store may follow itself; then it runs again if it is about to write into the running block, and `ecx` is what it was.
  ///
  /// Where the running block holds more than the repeated store, nobody knows what `ecx` was. If the step before would have
  /// written into the block too, there was none. Else it left its value where it wrote; where that value was anyhow, one
  /// repetition too many is recorded.
  private func isStoreRunAgain(_ kind: CachedBlock.Kind?, _ bytes: UnsafeRawBufferPointer, at address: UInt64) -> Bool {
    let (start, size) = (progress.pointee.start, progress.pointee.size)
    // What runs again is not left a second time.
    guard address &- start < size, progress.pointee.runAgainAt != progress.pointee.instructions else { return false }
    func overlaps(_ target: UInt64, _ count: UInt64) -> Bool { target < start + size && start < target + count }
    switch kind ?? self.kind(of: bytes, at: address) {
    case .other: return false
    case .store: return address + UInt64(bytes.count) <= start + size
    case .call: return overlaps(self[.sp] &- 4, 4) && address + UInt64(bytes.count) == start + size
    case .repeated: break
    }
    if address == start { return self[.cx] == progress.pointee.repetitions }
    guard let instruction = disassembler.decode(bytes, at: address), instruction.end == start + size,
      let operand = instruction.memoryOperands.first(where: \.isWritten)
    else { return false }
    let (target, count) = (self[.di], UInt64(operand.size))
    guard overlaps(target, count) else { return false }
    let isUpwards = self[.flags] & 0x400 == 0
    func before(_ place: UInt64) -> UInt64 { (isUpwards ? place &- count : place &+ count) & 0xffff_ffff }
    if overlaps(before(target), count) { return true }
    // The window, so that asking brings no page in.
    guard let left = engine.host(before(target)) else { return false }
    let isCopy = instruction.memoryOperands.count > 1
    for index in 0..<Int(count) {
      let value =
        isCopy
        ? engine.host(before(self[.si]))?.load(fromByteOffset: index, as: UInt8.self) : UInt8(truncatingIfNeeded: self[.ax] >> (8 * index))
      if left.load(fromByteOffset: index, as: UInt8.self) != value { return true }
    }
    return false
  }

  /// The block that runs is left before the instruction at `ip`: the record keeps what ran.
  func closeBlock(at ip: UInt64) {
    defer {
      progress.pointee.size = 0
      progress.pointee.id = 0
      progress.pointee.runAgainAt = .max
    }
    let (start, size) = (progress.pointee.start, progress.pointee.size)
    guard progress.pointee.id != 0, ip >= start, ip - start < size else { return }
    let ran = Array(stream.blocks.bytes(of: progress.pointee.id).prefix(Int(ip - start)))
    let (id, count) = ran.withUnsafeBytes { number(start, $0) }
    stream.replaceLastBlock(with: id)
    progress.pointee.instructions -= UInt64(progress.pointee.blockInstructions - count)
    // The registers were kept before an instruction that did not run.
    if recordsRegisters, let last = snapshots.last, last[.ip] == ip { snapshots.removeLast() }
  }

  /// Makes the flags what they were before the instruction at `ip`, which the engine began and left undone.
  ///
  /// With a hook on every instruction, the newer library forgets them then.
  func restoreFlags(at ip: UInt64) {
    if recordsRegisters, let last = snapshots.last, last[.ip] == ip { self[.flags] = last[.flags] }
  }

  /// Runs the first `count` instructions of the block and stops.
  private func stopInside(_ address: UInt64, _ bytes: UnsafeRawBufferPointer, after count: Int) {
    let instructions = disassembler.decodeAll(bytes, at: address)
    guard count > 0, count < instructions.count else {
      progress.pointee.size = 0
      progress.pointee.id = 0
      return stop(stream.isFull ? .traceLimit : .instructionLimit)
    }
    let key = CachedBlock.key(address, UInt32(bytes.count))
    if progress.pointee.stopBefore != instructions[count].address || progress.pointee.stopKey != key {
      progress.pointee.stopBefore = instructions[count].address
      progress.pointee.stopKey = key
      hookStop(at: instructions[count].address)
      return retranslate(address, UInt32(bytes.count))
    }
    if let block = engine.blocks[key] { begin(block) }
  }
}

/// What tells one recorded block from another.
struct BlockContent: Hashable {
  let address: UInt64
  let bytes: [UInt8]
}

/// Notes that `block` runs now. Returns whether there was room to record it.
@inline(__always)
private func note(
  _ block: CachedBlock, _ progress: UnsafeMutablePointer<Progress>, _ cursor: UnsafeMutablePointer<EventStream.Cursor>
) -> Bool {
  progress.pointee.start = block.key & 0xffff_ffff
  progress.pointee.size = block.key >> 32
  progress.pointee.id = block.id
  progress.pointee.blockInstructions = UInt32(block.instructions)
  guard block.id != 0 else { return true }
  progress.pointee.instructions &+= UInt64(block.instructions)
  return cursor.pointee.append(block: block.id)
}
