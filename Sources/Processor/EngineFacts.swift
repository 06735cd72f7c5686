import CUnicorn
import Glibc

/// What has to be known about the loaded libunicorn, found by experiment: two places in a saved context.
///
/// The engine keeps an exception pending after `UC_HOOK_INTR`, so that the second fault of a run would arrive as a double
/// fault and the third end it silently. The integer in question turns from -1 to 14 at a first page fault; resetting it
/// resets the state. The fault's error code is found in the same way, as what a write to a read-only page turns from 0 to 3.
struct EngineFacts: Sendable {
  /// Offsets in bytes into a saved context.
  let pendingException: Int
  let errorCode: Int

  /// The facts of the library this process has loaded.
  static let measured: Result<EngineFacts, ProcessorError> = Result { () throws(ProcessorError) in try measure() }

  private static func measure() throws(ProcessorError) -> EngineFacts {
    var handle: OpaquePointer?
    guard uc_open(UC_ARCH_X86, UC_MODE_32, &handle) == UC_ERR_OK, let engine = handle else {
      throw ProcessorError("libunicorn does not open an x86 engine")
    }
    defer { uc_close(engine) }
    // Page 0: code. Page 1: page directory. Page 2: page table, which maps pages 0 and 3 to themselves, 3 read-only.
    let read: [UInt8] = [0xa1, 0x00, 0x50, 0x00, 0x00]  // mov eax,[5000h]: absent
    let write: [UInt8] = [0xa3, 0x00, 0x30, 0x00, 0x00]  // mov [3000h],eax: read-only
    func store(_ value: UInt32, _ address: UInt64) {
      withUnsafeBytes(of: value) { _ = uc_mem_write(engine, address, $0.baseAddress, $0.count) }
    }
    uc_mem_map(engine, 0, 0x8000, UC_PROT_ALL.rawValue)
    uc_mem_write(engine, 0x100, read, read.count)
    uc_mem_write(engine, 0x200, write, write.count)
    store(0x2067, 0x1000)
    store(0x0067, 0x2000)
    store(0x3025, 0x200c)
    var hook = uc_hook()
    uc_hook_add_interrupt(engine, &hook, { engine, _, _ in uc_emu_stop(engine) }, nil)
    var (directory, control) = (UInt32(0x1000), UInt32(0))
    uc_reg_write(engine, Int32(UC_X86_REG_CR3.rawValue), &directory)
    uc_reg_read(engine, Int32(UC_X86_REG_CR0.rawValue), &control)
    control |= 0x8001_0001
    uc_reg_write(engine, Int32(UC_X86_REG_CR0.rawValue), &control)

    let size = Int(uc_context_size(engine))
    var contexts: [OpaquePointer] = []
    defer { contexts.forEach { _ = uc_context_free($0) } }
    func snapshot() -> UnsafeMutablePointer<Int32>? {
      var context: OpaquePointer?
      guard uc_context_alloc(engine, &context) == UC_ERR_OK, let context, uc_context_save(engine, context) == UC_ERR_OK
      else { return nil }
      contexts.append(context)
      return UnsafeMutableRawPointer(context).assumingMemoryBound(to: Int32.self)
    }
    guard let before = snapshot() else { throw ProcessorError("libunicorn saves no context") }
    uc_emu_start(engine, 0x100, 0x105, 0, 0)
    guard let first = snapshot() else { throw ProcessorError("libunicorn saves no context") }
    let words = size / 4
    let pending = (0..<words).filter { before[$0] == -1 && first[$0] == 14 }
    guard pending.count == 1 else {
      throw ProcessorError("this libunicorn keeps no pending exception where it was looked for (\(pending.count) places)")
    }
    first[pending[0]] = -1
    uc_context_restore(engine, contexts[1])
    uc_emu_start(engine, 0x200, 0x205, 0, 0)
    guard let second = snapshot() else { throw ProcessorError("libunicorn saves no context") }
    let code = (0..<words).filter { before[$0] == 0 && first[$0] == 0 && second[$0] == 3 }
    guard second[pending[0]] == 14, code.count == 1 else {
      throw ProcessorError("this libunicorn reports no page-fault error code where it was looked for (\(code.count) places)")
    }
    return EngineFacts(pendingException: pending[0] * 4, errorCode: code[0] * 4)
  }
}
