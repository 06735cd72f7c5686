internal import CZydis
import Guest

extension Instruction {
  /// The instruction as WinDbg's `u` prints it: `or      dword ptr [ebp-4],0FFFFFFFFh`.
  ///
  /// - Parameter symbol: the full name of an address, `fltMgr!FltLockUserBuffer+0x86`, or `nil` where it has none.
  public func text(symbol: (UInt64) -> String? = { _ in nil }) -> String {
    withoutActuallyEscaping(symbol) { symbol in
      let text = code.withBytes(length) { bytes in
        withDecoded(bytes, width) { decoded, operands in
          InstructionText(decoded: decoded, address: address, width: width, symbol: symbol).line(operands)
        }
      }
      return text ?? "???"
    }
  }

  /// The instruction as one line of a WinDbg listing: `f84cc364 834dfcff        or      dword ptr [ebp-4],0FFFFFFFFh`.
  public func line(symbol: (UInt64) -> String? = { _ in nil }) -> String {
    let bytes = bytes.map { hex($0, digits: 2) }.joined()
    return hex(address, digits: width.rawValue * 2) + " " + bytes.padded(to: 15) + " " + text(symbol: symbol)
  }
}

/// Makes the text of one instruction.
struct InstructionText {
  let decoded: ZydisDecodedInstruction
  let address: UInt64
  let width: PointerWidth
  let symbol: (UInt64) -> String?

  func line(_ operands: UnsafeMutableBufferPointer<ZydisDecodedOperand>) -> String {
    let list = shown(operands).map(text(of:)).joined(separator: ",")
    return list.isEmpty ? mnemonic : mnemonic.padded(to: 7) + " " + list
  }

  private var mnemonic: String {
    let attributes = decoded.attributes
    let prefix =
      attributes & ZYDIS_ATTRIB_HAS_LOCK != 0
      ? "lock "
      : attributes & ZYDIS_ATTRIB_HAS_REP != 0
        ? "rep "
        : attributes & ZYDIS_ATTRIB_HAS_REPE != 0 ? "repe " : attributes & ZYDIS_ATTRIB_HAS_REPNE != 0 ? "repne " : ""
    guard let zydis = ZydisMnemonicGetString(decoded.mnemonic) else { return "???" }
    var name = String(cString: zydis)
    if decoded.isStringOperation {
      // The operands say the size that Zydis' name ends in.
      name.removeLast()
    } else if decoded.mnemonic == ZYDIS_MNEMONIC_RET {
      if decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR { name = "retf" }
      // Compilers set the prefix for old processors' sake; the processor ignores it, the debugger does not.
      if decoded.raw.prefix_count > 0, decoded.raw.prefixes.0.value == 0xf3 { name = "rep " + name }
    }
    return prefix + (Self.debuggerNames[name] ?? name)
  }

  /// The operands that WinDbg prints; what the opcode alone implies it mostly leaves out.
  private func shown(_ operands: UnsafeMutableBufferPointer<ZydisDecodedOperand>) -> [ZydisDecodedOperand] {
    if decoded.isStringOperation {
      // `rep movs dword ptr es:[edi],dword ptr [esi]`, `ins byte ptr es:[edi],dx`
      return operands.filter {
        $0.type == ZYDIS_OPERAND_TYPE_MEMORY || $0.type == ZYDIS_OPERAND_TYPE_REGISTER && $0.reg.value == ZYDIS_REGISTER_DX
      }
    }
    var list = operands.filter { $0.visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN }
    switch decoded.mnemonic {
    case ZYDIS_MNEMONIC_MUL, ZYDIS_MNEMONIC_DIV, ZYDIS_MNEMONIC_IDIV:
      // `div eax,ecx`: the accumulator is printed before the operand that the encoding names.
      if list.count == 1, let accumulator = accumulator(operands, size: list[0].size) { list.insert(accumulator, at: 0) }
    case ZYDIS_MNEMONIC_XCHG: list.reverse()
    case ZYDIS_MNEMONIC_NOP: list = Array(list.prefix(1))
    case ZYDIS_MNEMONIC_XLAT: list = operands.filter { $0.type == ZYDIS_OPERAND_TYPE_MEMORY }
    default: break
    }
    return list
  }

  /// The first hidden register operand of `size` bits, or of twice that where there is none: `al` for `div al,cl`.
  private func accumulator(_ operands: UnsafeMutableBufferPointer<ZydisDecodedOperand>, size: UInt16) -> ZydisDecodedOperand? {
    guard
      var operand = operands.first(where: { $0.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && $0.type == ZYDIS_OPERAND_TYPE_REGISTER })
    else { return nil }
    operand.reg.value =
      switch size {
      case 8: ZYDIS_REGISTER_AL
      case 16: ZYDIS_REGISTER_AX
      case 32: ZYDIS_REGISTER_EAX
      default: ZYDIS_REGISTER_RAX
      }
    return operand
  }

  private func text(of operand: ZydisDecodedOperand) -> String {
    switch operand.type {
    case ZYDIS_OPERAND_TYPE_REGISTER: register(operand.reg.value)
    case ZYDIS_OPERAND_TYPE_IMMEDIATE: immediate(operand)
    case ZYDIS_OPERAND_TYPE_MEMORY: memory(operand)
    case ZYDIS_OPERAND_TYPE_POINTER:
      hex(operand.ptr.segment, digits: 4) + ":" + hex(operand.ptr.offset, digits: 8).uppercased()
    default: "?"
    }
  }

  private func immediate(_ operand: ZydisDecodedOperand) -> String {
    if operand.imm.is_relative != 0 {
      let target = absolute(operand) ?? 0
      return symbol(target).map { "\($0) (\(digits(target)))" } ?? digits(target)
    }
    let bits = operand.imm.is_signed != 0 ? UInt64(decoded.operand_width) : UInt64(operand.size)
    let value = operand.imm.value.u & (~0 >> (64 - Swift.max(bits, 8)))
    if decoded.raw.imm.0.size == UInt8(width.rawValue * 8), let name = symbol(value) { return "offset \(name) (\(digits(value)))" }
    return masm(value)
  }

  private func memory(_ operand: ZydisDecodedOperand) -> String {
    let memory = operand.mem
    let size = namesSize(memory) ? sizeName(operand) : ""
    var parts: [String] = []
    if memory.base != ZYDIS_REGISTER_NONE { parts.append(register(memory.base)) }
    if memory.index != ZYDIS_REGISTER_NONE {
      parts.append(register(memory.index) + (memory.scale > 1 ? "*\(memory.scale)" : ""))
    }
    let displacement = memory.disp.value
    if parts.isEmpty || memory.base == ZYDIS_REGISTER_RIP {
      let target = absolute(operand) ?? UInt64(bitPattern: displacement)
      if isUsual(memory.segment, base: memory.base), let name = symbol(target) { return "\(size)[\(name) (\(digits(target)))]" }
      return "\(size)\(register(memory.segment)):[\(digits(target))h]"
    }
    let segment = isUsual(memory.segment, base: memory.base) ? "" : register(memory.segment) + ":"
    var inside = parts.joined(separator: "+")
    if decoded.raw.disp.size == 32, width == .x86, segment.isEmpty {
      let table = UInt64(UInt32(truncatingIfNeeded: displacement))
      // `mov eax,dword ptr nt!KiServiceTable (8055b2c0)[eax*4]`
      if let name = symbol(table) { return "\(size)\(name) (\(digits(table)))[\(inside)]" }
      if memory.base == ZYDIS_REGISTER_NONE, table != 0 { return "\(size)[\(inside)+\(masm(table))]" }
    }
    if displacement != 0 { inside += (displacement < 0 ? "-" : "+") + masm(displacement.magnitude) }
    return "\(size)\(segment)[\(inside)]"
  }

  /// Whether `segment` is the one that the operand has without a prefix.
  private func isUsual(_ segment: ZydisRegister, base: ZydisRegister) -> Bool {
    let onStack = Register(base) == .sp || Register(base) == .bp
    return segment == (onStack ? ZYDIS_REGISTER_SS : ZYDIS_REGISTER_DS)
  }

  private func absolute(_ operand: ZydisDecodedOperand) -> UInt64? {
    var result: UInt64 = 0
    let status = withUnsafePointer(to: decoded) { decoded in
      withUnsafePointer(to: operand) { ZydisCalcAbsoluteAddress(decoded, $0, address, &result) }
    }
    return status & 0x8000_0000 == 0 ? result : nil
  }

  /// Whether the operand is accessed, and not only pointed at as by `lea`, `invlpg` and `prefetchnta`.
  private func namesSize(_ memory: ZydisDecodedOperandMem) -> Bool {
    memory.type == ZYDIS_MEMOP_TYPE_MEM && decoded.meta.category != ZYDIS_CATEGORY_PREFETCH
      && decoded.mnemonic != ZYDIS_MNEMONIC_INVLPG
  }

  private func sizeName(_ operand: ZydisDecodedOperand) -> String {
    switch operand.size {
    case 8: "byte ptr "
    case 16: "word ptr "
    case 32: "dword ptr "
    case 48: "fword ptr "
    case 64: isVector ? "mmword ptr " : "qword ptr "
    case 80: "tbyte ptr "
    case 128: "xmmword ptr "
    case 256: "ymmword ptr "
    default: ""
    }
  }

  private var isVector: Bool {
    switch decoded.meta.isa_ext {
    case ZYDIS_ISA_EXT_MMX, ZYDIS_ISA_EXT_SSE, ZYDIS_ISA_EXT_SSE2, ZYDIS_ISA_EXT_SSE3, ZYDIS_ISA_EXT_SSSE3,
      ZYDIS_ISA_EXT_SSE4:
      true
    default: false
    }
  }

  private func register(_ register: ZydisRegister) -> String {
    guard let name = ZydisRegisterGetString(register) else { return "?" }
    guard ZydisRegisterGetClass(register) == ZYDIS_REGCLASS_X87 else { return String(cString: name) }
    let number = ZydisRegisterGetId(register)
    return number == 0 && decoded.operand_count_visible > 1 ? "st" : "st(\(number))"
  }

  private func digits(_ address: UInt64) -> String { hex(address, digits: width.rawValue * 2) }

  /// A number as MASM writes it: `9`, `1Ch`, `0FFFFFFFFh`.
  private func masm(_ value: UInt64) -> String {
    if value < 10 { return String(value) }
    let digits = String(value, radix: 16, uppercase: true)
    return (digits.first?.isNumber == true ? "" : "0") + digits + "h"
  }

  /// Where the debugger's mnemonics differ from Zydis'.
  private static let debuggerNames = [
    "jz": "je", "jnz": "jne", "jnb": "jae", "jnbe": "ja", "jnl": "jge", "jnle": "jg",
    "setz": "sete", "setnz": "setne", "setnb": "setae", "setnbe": "seta", "setnl": "setge", "setnle": "setg",
    "cmovz": "cmove", "cmovnz": "cmovne", "cmovnb": "cmovae", "cmovnbe": "cmova", "cmovnl": "cmovge", "cmovnle": "cmovg",
    "int3": "int     3", "int1": "int     1", "fwait": "wait",
  ]
}

extension String {
  func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - utf8.count)) }
}
