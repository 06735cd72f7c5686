internal import CZydis
import Guest

/// Decodes the processor's instructions; making text of them waits until it is asked for.
public struct Disassembler: Sendable {
  private let width: PointerWidth

  public init(_ target: Target) { width = target.width }

  /// The instruction at the start of `bytes`, or `nil` if they begin none.
  public func decode(_ bytes: UnsafeRawBufferPointer, at address: UInt64) -> Instruction? {
    withDecoded(bytes, width) { decoded, operands in
      Instruction(decoded, operands, code: Code(bytes), at: address, width: width)
    }
  }

  /// The instruction at the start of `bytes`, or `nil` if they begin none.
  public func decode(_ bytes: some Collection<UInt8>, at address: UInt64) -> Instruction? {
    let fast = bytes.withContiguousStorageIfAvailable { decode(UnsafeRawBufferPointer($0), at: address) }
    return fast ?? Array(bytes.prefix(Code.longest)).withUnsafeBytes { decode($0, at: address) }
  }

  /// Every instruction of `bytes` in turn, up to the first byte that begins none.
  public func decodeAll(_ bytes: some Collection<UInt8>, at address: UInt64) -> [Instruction] {
    Array(bytes).withUnsafeBytes { all in
      var result: [Instruction] = []
      var offset = 0
      while offset < all.count,
        let next = decode(UnsafeRawBufferPointer(rebasing: all[offset...]), at: address &+ UInt64(offset))
      {
        result.append(next)
        offset += next.length
      }
      return result
    }
  }
}

/// Calls `body` with what Zydis makes of `bytes`: the instruction and all its operands, those that the text hides included.
func withDecoded<Result>(
  _ bytes: UnsafeRawBufferPointer, _ width: PointerWidth,
  _ body: (ZydisDecodedInstruction, UnsafeMutableBufferPointer<ZydisDecodedOperand>) -> Result
) -> Result? {
  guard let start = bytes.baseAddress else { return nil }
  var decoder = ZydisDecoder()
  switch width {
  case .x86: ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32)
  case .x64: ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)
  }
  var decoded = ZydisDecodedInstruction()
  return withUnsafeTemporaryAllocation(of: ZydisDecodedOperand.self, capacity: Int(ZYDIS_MAX_OPERAND_COUNT)) { buffer in
    let count = Swift.min(bytes.count, Code.longest)
    guard ZydisDecoderDecodeFull(&decoder, start, ZyanUSize(count), &decoded, buffer.baseAddress) & 0x8000_0000 == 0
    else { return nil }
    return body(decoded, UnsafeMutableBufferPointer(rebasing: buffer[..<Int(decoded.operand_count)]))
  }
}

extension Instruction {
  init(
    _ decoded: ZydisDecodedInstruction, _ operands: UnsafeMutableBufferPointer<ZydisDecodedOperand>,
    code: Code, at address: UInt64, width: PointerWidth
  ) {
    self.address = address
    length = Int(decoded.length)
    self.code = code
    self.width = width
    endsBlock = Self.endsBlock(decoded)
    repetition = Self.repetition(decoded.attributes)
    sensitivity = Sensitivity(decoded, operands)
    var memory = MemoryOperands()
    var (writes, startsWithWrite, isFirst) = (false, false, true)
    for operand in operands where operand.type == ZYDIS_OPERAND_TYPE_MEMORY {
      let shown = operand.visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN || decoded.isStringOperation
      if shown { memory.append(MemoryOperand(operand, addressWidth: decoded.address_width)) }
      guard operand.mem.type == ZYDIS_MEMOP_TYPE_MEM else { continue }
      writes = writes || operand.isWritten
      // Of two operands the one that is only read is read first, wherever it stands: `movs`, `push [mem]`, `call [mem]`.
      if operand.isRead && !operand.isWritten {
        (startsWithWrite, isFirst) = (false, false)
      } else if isFirst {
        startsWithWrite = operand.isWritten
      }
    }
    memoryOperands = memory
    writesMemory = writes
    firstAccessIsWrite = startsWithWrite
  }

  private static func endsBlock(_ decoded: ZydisDecodedInstruction) -> Bool {
    switch decoded.meta.category {
    case ZYDIS_CATEGORY_COND_BR, ZYDIS_CATEGORY_UNCOND_BR, ZYDIS_CATEGORY_CALL, ZYDIS_CATEGORY_RET,
      ZYDIS_CATEGORY_INTERRUPT, ZYDIS_CATEGORY_SYSCALL, ZYDIS_CATEGORY_SYSRET:
      true
    default:
      switch decoded.mnemonic {
      case ZYDIS_MNEMONIC_HLT, ZYDIS_MNEMONIC_SYSENTER, ZYDIS_MNEMONIC_SYSEXIT, ZYDIS_MNEMONIC_RSM, ZYDIS_MNEMONIC_IRET,
        ZYDIS_MNEMONIC_IRETD, ZYDIS_MNEMONIC_UD0, ZYDIS_MNEMONIC_UD1, ZYDIS_MNEMONIC_UD2:
        true
      default: false
      }
    }
  }

  private static func repetition(_ attributes: ZydisInstructionAttributes) -> Repetition {
    if attributes & ZYDIS_ATTRIB_HAS_REP != 0 { return .rep }
    if attributes & ZYDIS_ATTRIB_HAS_REPE != 0 { return .repeCondition }
    return attributes & ZYDIS_ATTRIB_HAS_REPNE != 0 ? .repneCondition : .no
  }
}

extension ZydisDecodedInstruction {
  /// Whether the operands are implied by the opcode: `movs`, `stos`, `ins`.
  var isStringOperation: Bool {
    meta.category == ZYDIS_CATEGORY_STRINGOP || meta.category == ZYDIS_CATEGORY_IOSTRINGOP
  }
}

extension ZydisDecodedOperand {
  var isRead: Bool { actions & ZydisOperandActions(ZYDIS_OPERAND_ACTION_MASK_READ.rawValue) != 0 }
  var isWritten: Bool { actions & ZydisOperandActions(ZYDIS_OPERAND_ACTION_MASK_WRITE.rawValue) != 0 }
}

extension MemoryOperand {
  init(_ operand: ZydisDecodedOperand, addressWidth: UInt8) {
    let memory = operand.mem
    base = Register(memory.base)
    index = Register(memory.index)
    scale = Swift.max(memory.scale, 1)
    displacement = memory.disp.value
    segment = Segment(rawValue: UInt8(Swift.max(0, ZydisRegisterGetId(memory.segment)))) ?? .ds
    size = memory.type == ZYDIS_MEMOP_TYPE_MEM ? Int(operand.size / 8) : 0
    isRead = operand.isRead
    isWritten = operand.isWritten
    self.addressWidth = addressWidth
  }
}
