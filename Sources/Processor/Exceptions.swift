import CUnicorn
import Disassembly
import Guest
import Memory

extension Processor {
  func hookExceptions(_ engine: Engine) throws {
    let context = Unmanaged.passUnretained(self).toOpaque()
    var hook = uc_hook()
    let status = uc_hook_add_interrupt(
      engine.handle, &hook,
      { _, vector, context in
        Unmanaged<Processor>.fromOpaque(context.unsafelyUnwrapped)._withUnsafeGuaranteedRef { $0.raise(Int(vector)) }
      }, context)
    try check(status, "the engine takes no interrupt hook")
  }

  private func raise(_ vector: Int) {
    let errorCode = clearPendingException()
    enterHook(at: UInt64(engine.read(UC_X86_REG_EIP)))
    let isSoftware = isPastSoftwareInterrupt(vector)
    restoreFlags(at: currentIP)
    closeBlock(at: currentIP)
    if vector == 14 && !isSoftware {
      let address = UInt64(engine.read(UC_X86_REG_CR2))
      leaveHook(supervisor.pageFault(access(at: address, errorCode), at: address))
    } else {
      leaveHook(supervisor.exception(vector: vector, isSoftware: isSoftware))
    }
  }

  /// Resets what the engine keeps of the exception it has just reported. Returns its error code.
  @discardableResult
  func clearPendingException() -> UInt32 {
    uc_context_save(engine.handle, scratch)
    let bytes = UnsafeMutableRawPointer(scratch)
    bytes.storeBytes(of: -1, toByteOffset: facts.pendingException, as: Int32.self)
    let errorCode = bytes.load(fromByteOffset: facts.errorCode, as: UInt32.self)
    uc_context_restore(engine.handle, scratch)
    return errorCode
  }

  /// Whether the block that ran ended in `int vector`, and the instruction pointer is right behind it.
  private func isPastSoftwareInterrupt(_ vector: Int) -> Bool {
    guard progress.pointee.id != 0, currentIP == progress.pointee.start + progress.pointee.size else { return false }
    let bytes = Array(stream.blocks.bytes(of: progress.pointee.id).suffix(2))
    return bytes == [0xcd, UInt8(truncatingIfNeeded: vector)] || (vector == 3 && bytes.last == 0xcc)
      || (vector == 4 && bytes.last == 0xce)
  }

  /// What the instruction at ``currentIP`` wanted of `address`, as hardware would report it.
  private func access(at address: UInt64, _ errorCode: UInt32) -> Access {
    if errorCode & 2 != 0 { return .write }
    if !memory.memory.allows(.read, at: currentIP) { return .execute }
    let start = memory.memory
    var bytes: [UInt8] = []
    for offset in 0..<15 {
      let place = currentIP &+ UInt64(offset)
      // The rest of the instruction is on a page that is not there.
      guard start.allows(.read, at: place), let byte = try? start.load(UInt8.self, at: place) else { break }
      bytes.append(byte)
    }
    guard let instruction = disassembler.decode(bytes, at: currentIP) else { return .execute }
    // `inc [absent]`: the engine reads first, hardware reports the write.
    return instruction.firstAccessIsWrite ? .write : .read
  }

  // MARK: Sensitive instructions

  /// Those that ask for nothing that the engine does not do rightly by itself are left to it.
  func concernsSupervisor(_ sensitivity: Sensitivity) -> Bool {
    switch sensitivity {
    case .cli, .sti, .invlpg, .sldt, .str, .smsw: false
    default: true
    }
  }

  /// Makes the engine ask before it runs the instruction at `address`, from its next translation on.
  func hookInstruction(at address: UInt64) {
    if engine.instrumented.insert(address).inserted { _ = hookReach(address) }
  }

  /// Makes the engine ask before the instruction at which the limit ends, until it stops: hooks that stay slow all others down.
  func hookStop(at address: UInt64) {
    if !engine.instrumented.contains(address) { engine.stopHooks.append(hookReach(address)) }
  }

  /// Takes back the hooks of ``hookStop(at:)``. Only while the engine stands still: a hook must not go while it may be called.
  func removeStopHooks() {
    progress.pointee.stopBefore = nil
    if engine.stopHooks.isEmpty { return }
    for hook in engine.stopHooks { uc_hook_del(engine.handle, hook) }
    engine.stopHooks = []
  }

  private func hookReach(_ address: UInt64) -> uc_hook {
    let context = Unmanaged.passUnretained(self).toOpaque()
    var hook = uc_hook()
    let status = uc_hook_add_code(
      engine.handle, &hook, UC_HOOK_CODE,
      { _, address, _, context in
        Unmanaged<Processor>.fromOpaque(context.unsafelyUnwrapped)._withUnsafeGuaranteedRef { $0.reach(address) }
      }, context, address, address)
    if status != UC_ERR_OK { fail(ProcessorError("the engine takes no hook at \(hex(address)): \(Engine.text(status))")) }
    return hook
  }

  private func reach(_ address: UInt64) {
    if progress.pointee.stopBefore == address && progress.pointee.instructions >= progress.pointee.end {
      enterHook(at: address)
      closeBlock(at: address)
      return stop(.instructionLimit)
    }
    guard let host = engine.host(address),
      let instruction = disassembler.decode(UnsafeRawBufferPointer(start: host, count: 15), at: address),
      instruction.sensitivity.map(concernsSupervisor) ?? false
    else { return }
    enterHook(at: address)
    closeBlock(at: instruction.end)
    self[.ip] = instruction.end
    leaveHook(supervisor.sensitive(instruction))
  }

  func hookEveryInstruction(_ engine: Engine) throws {
    let context = Unmanaged.passUnretained(self).toOpaque()
    var hook = uc_hook()
    let status = uc_hook_add_code(
      engine.handle, &hook, UC_HOOK_CODE,
      { _, address, _, context in
        Unmanaged<Processor>.fromOpaque(context.unsafelyUnwrapped)._withUnsafeGuaranteedRef { $0.snapshot(address) }
      }, context, 1, 0)
    try check(status, "the engine takes no hook on every instruction")
  }

  private func snapshot(_ address: UInt64) {
    // What is not recorded has no number.
    if progress.pointee.id == 0 { return }
    var values = Self.registerNames.indices.map { index in
      var value: UInt32 = 0
      uc_reg_read(engine.handle, Self.registerNumbers[index], &value)
      return value
    }
    values[Register.ip.rawValue] = UInt32(truncatingIfNeeded: address)
    snapshots.append(RegisterSnapshot(values: values))
  }
}
