import CUnicorn
import Disassembly
import Events
import Guest

/// How far the processor has come, and which block it is in: what the block hook reads and writes.
struct Progress {
  /// Where the block that runs began, and one less than its size in bytes; 0 for none.
  var start: UInt64 = 0
  var span: UInt64 = 0
  var id: UInt32 = 0
  var blockInstructions: UInt32 = 0
  var instructions: UInt64 = 0
  var limit: UInt64 = .max
  /// Where guest code goes on after the flush stub, and the register that the stub uses.
  var afterFlush: UInt64?
  var flushCX: UInt32 = 0
  /// An instruction before which the run stops: the limit ends inside a block.
  var stopBefore: UInt64?
}

/// The block hook: records what runs.
///
/// Each block is compared with memory every time it begins. That costs a few nanoseconds, and makes translated code coherent
/// whoever changed it (the host, another engine, another address of the frame): one that changed is dropped and made anew.
/// What leaves a block early closes it, so that the record holds what ran, instruction for instruction.
struct BlockHook {
  let cache: UnsafeMutablePointer<CachedBlock>
  let progress: UnsafeMutablePointer<Progress>
  let stream: Unmanaged<EventStream>
  let processor: Unmanaged<Processor>
}

extension Processor {
  func hookBlocks(_ engine: Engine) throws {
    let context = engine.context(
      BlockHook(
        cache: engine.cache, progress: progress, stream: .passUnretained(stream), processor: .passUnretained(self)))
    var hook = uc_hook()
    let status = uc_hook_add_code(
      engine.handle, &hook, UC_HOOK_BLOCK,
      { _, address, size, context in
        let state = context.unsafelyUnwrapped.assumingMemoryBound(to: BlockHook.self)
        let progress = state.pointee.progress
        let block = state.pointee.cache + Int(truncatingIfNeeded: (address ^ address >> 12) & UInt64(Engine.cacheSize - 1))
        guard block.pointee.key == CachedBlock.key(address, size), block.pointee.isCurrent,
          address &- progress.pointee.start &- 1 >= progress.pointee.span,
          progress.pointee.instructions + UInt64(block.pointee.instructions) <= progress.pointee.limit
        else {
          return state.pointee.processor._withUnsafeGuaranteedRef { $0.beginBlock(address, size) }
        }
        state.pointee.stream._withUnsafeGuaranteedRef { begin(block.pointee, progress, $0) }
      }, context, 1, 0)
    try check(status, "the engine takes no block hook")
  }

  /// The slow path: a block that was never seen, has changed, overlaps its predecessor, or reaches the limit.
  private func beginBlock(_ address: UInt64, _ size: UInt32) {
    enterHook(at: address)
    let key = CachedBlock.key(address, size)
    guard let host = engine.host(address) else { return }
    let bytes = UnsafeRawBufferPointer(start: host, count: Int(size))
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
    if address &- progress.pointee.start &- 1 < progress.pointee.span && isStoreIntoRunningBlock(address, bytes) {
      closeBlock(at: address)
    }
    let left = progress.pointee.limit - min(progress.pointee.limit, progress.pointee.instructions)
    if UInt64(block.instructions) > left { return stopInside(address, bytes, after: Int(left)) }
    begin(block, progress, stream)
  }

  /// Drops the translation of a block and lets the engine make it anew.
  private func retranslate(_ address: UInt64, _ size: UInt32) {
    uc_remove_code(engine.handle, address, address + UInt64(size))
    go(to: address)
  }

  /// Decodes a block at first sight. It is incomplete while an instruction in it still lacks its hook.
  private func register(_ address: UInt64, _ bytes: UnsafeRawBufferPointer) -> (CachedBlock, isComplete: Bool) {
    var isComplete = true
    if !isTrap(address) && !FlushStub.contains(address) {
      for instruction in disassembler.decodeAll(bytes, at: address) where instruction.sensitivity.map(concernsSupervisor) ?? false {
        if hookInstruction(at: instruction.address) { isComplete = false }
      }
    }
    let (id, count) = number(address, bytes)
    let made = CachedBlock(
      key: CachedBlock.key(address, UInt32(bytes.count)), host: bytes.baseAddress.unsafelyUnwrapped,
      saved: engine.keep(bytes.baseAddress.unsafelyUnwrapped, bytes.count), id: id, instructions: count)
    return (made, isComplete)
  }

  /// The number of the block with these bytes at this address, and how many instructions it has. Trap pages have none.
  private func number(_ address: UInt64, _ bytes: UnsafeRawBufferPointer) -> (BlockID, UInt32) {
    if bytes.isEmpty || isTrap(address) || FlushStub.contains(address) { return (0, 0) }
    let key = CachedBlock.key(address, UInt32(bytes.count))
    for id in blockNumbers[key] ?? [] where stream.blocks.bytes(of: id).elementsEqual(bytes) {
      return (id, UInt32(stream.blocks[id].instructions))
    }
    let instructions = max(1, disassembler.decodeAll(bytes, at: address).count)
    let id = stream.blocks.add(address: address, bytes: bytes, instructions: instructions)
    blockNumbers[key, default: []].append(id)
    return (id, UInt32(instructions))
  }

  /// Whether the block that begins at `address` is a store of the running block into itself, which the engine runs again on
  /// its own: one instruction that ends no block, although the code after it is the same.
  private func isStoreIntoRunningBlock(_ address: UInt64, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let instruction = disassembler.decode(bytes, at: address), instruction.length == bytes.count else { return false }
    return instruction.writesMemory && !instruction.endsBlock && !instruction.isRepeated
      && instruction.end <= progress.pointee.start + progress.pointee.span
  }

  /// The block that runs is left before the instruction at `ip`: the record keeps what ran.
  func closeBlock(at ip: UInt64) {
    defer {
      progress.pointee.span = 0
      progress.pointee.id = 0
    }
    let (start, size) = (progress.pointee.start, progress.pointee.span + 1)
    guard progress.pointee.id != 0, ip >= start, ip - start < size else { return }
    let ran = Array(stream.blocks.bytes(of: progress.pointee.id).prefix(Int(ip - start)))
    let (id, count) = ran.withUnsafeBytes { number(start, $0) }
    stream.replaceLastBlock(with: id)
    progress.pointee.instructions -= UInt64(progress.pointee.blockInstructions - count)
    if recordsRegisters, let last = snapshots.last, last[.ip] == ip { snapshots.removeLast() }
  }

  /// Runs the first `count` instructions of the block and stops.
  private func stopInside(_ address: UInt64, _ bytes: UnsafeRawBufferPointer, after count: Int) {
    let instructions = disassembler.decodeAll(bytes, at: address)
    guard count > 0, count < instructions.count else { return stop(stream.isFull ? .traceLimit : .instructionLimit) }
    progress.pointee.stopBefore = instructions[count].address
    if hookInstruction(at: instructions[count].address) {
      engine.blocks[CachedBlock.key(address, UInt32(bytes.count))] = nil
      return retranslate(address, UInt32(bytes.count))
    }
    if let block = engine.blocks[CachedBlock.key(address, UInt32(bytes.count))] { begin(block, progress, stream) }
  }
}

/// Notes that `block` runs now.
@inline(__always)
private func begin(_ block: CachedBlock, _ progress: UnsafeMutablePointer<Progress>, _ stream: EventStream) {
  progress.pointee.start = block.key & 0xffff_ffff
  progress.pointee.span = (block.key >> 32) &- 1
  progress.pointee.id = block.id
  progress.pointee.blockInstructions = block.instructions
  guard block.id != 0 else { return }
  progress.pointee.instructions &+= UInt64(block.instructions)
  stream.append(block: block.id)
}
