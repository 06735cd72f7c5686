internal import CZydis
import Guest

/// What an instruction asks of the machine beyond registers and memory.
///
/// Where the instruction has a memory operand as well (`lidt`, `invlpg`), it is in ``Instruction/memoryOperands``.
public enum Sensitivity: Hashable, Sendable {
  case rdtsc, rdtscp, rdmsr, wrmsr, rdpmc, cpuid
  /// `mov cr3,eax` is a write of control register 3 from `eax`.
  case controlRegister(Int, Direction, Register)
  case debugRegister(Int, Direction, Register)
  case hlt, cli, sti
  case sysenter, sysexit, syscall, sysret, iret
  /// `in al,dx`: sizes are in bytes.
  case input(Port, size: Int)
  case output(Port, size: Int)
  case inputString(size: Int)
  case outputString(size: Int)
  case lgdt, sgdt, lidt, sidt, lldt, sldt, ltr, str
  case lmsw, smsw, clts, invd, wbinvd, invlpg, rsm
  /// Another privileged or virtual-machine instruction, by name.
  case other(String)

  public enum Direction: Sendable { case read, write }
  public enum Port: Hashable, Sendable {
    case immediate(UInt8)
    /// The port whose number is in `dx`.
    case dx
  }
}

extension Sensitivity {
  init?(_ instruction: ZydisDecodedInstruction, _ operands: UnsafeMutableBufferPointer<ZydisDecodedOperand>) {
    switch instruction.mnemonic {
    case ZYDIS_MNEMONIC_RDTSC: self = .rdtsc
    case ZYDIS_MNEMONIC_RDTSCP: self = .rdtscp
    case ZYDIS_MNEMONIC_RDMSR: self = .rdmsr
    case ZYDIS_MNEMONIC_WRMSR: self = .wrmsr
    case ZYDIS_MNEMONIC_RDPMC: self = .rdpmc
    case ZYDIS_MNEMONIC_CPUID: self = .cpuid
    case ZYDIS_MNEMONIC_MOV:
      guard let move = Self.specialMove(operands) else { return nil }
      self = move
    case ZYDIS_MNEMONIC_HLT: self = .hlt
    case ZYDIS_MNEMONIC_CLI: self = .cli
    case ZYDIS_MNEMONIC_STI: self = .sti
    case ZYDIS_MNEMONIC_SYSENTER: self = .sysenter
    case ZYDIS_MNEMONIC_SYSEXIT: self = .sysexit
    case ZYDIS_MNEMONIC_SYSCALL: self = .syscall
    case ZYDIS_MNEMONIC_SYSRET: self = .sysret
    case ZYDIS_MNEMONIC_IRET, ZYDIS_MNEMONIC_IRETD, ZYDIS_MNEMONIC_IRETQ: self = .iret
    case ZYDIS_MNEMONIC_IN: self = .input(Self.port(operands[1]), size: Int(operands[0].size / 8))
    case ZYDIS_MNEMONIC_OUT: self = .output(Self.port(operands[0]), size: Int(operands[1].size / 8))
    case ZYDIS_MNEMONIC_INSB: self = .inputString(size: 1)
    case ZYDIS_MNEMONIC_INSW: self = .inputString(size: 2)
    case ZYDIS_MNEMONIC_INSD: self = .inputString(size: 4)
    case ZYDIS_MNEMONIC_OUTSB: self = .outputString(size: 1)
    case ZYDIS_MNEMONIC_OUTSW: self = .outputString(size: 2)
    case ZYDIS_MNEMONIC_OUTSD: self = .outputString(size: 4)
    case ZYDIS_MNEMONIC_LGDT: self = .lgdt
    case ZYDIS_MNEMONIC_SGDT: self = .sgdt
    case ZYDIS_MNEMONIC_LIDT: self = .lidt
    case ZYDIS_MNEMONIC_SIDT: self = .sidt
    case ZYDIS_MNEMONIC_LLDT: self = .lldt
    case ZYDIS_MNEMONIC_SLDT: self = .sldt
    case ZYDIS_MNEMONIC_LTR: self = .ltr
    case ZYDIS_MNEMONIC_STR: self = .str
    case ZYDIS_MNEMONIC_LMSW: self = .lmsw
    case ZYDIS_MNEMONIC_SMSW: self = .smsw
    case ZYDIS_MNEMONIC_CLTS: self = .clts
    case ZYDIS_MNEMONIC_INVD: self = .invd
    case ZYDIS_MNEMONIC_WBINVD: self = .wbinvd
    case ZYDIS_MNEMONIC_INVLPG: self = .invlpg
    case ZYDIS_MNEMONIC_RSM: self = .rsm
    default:
      guard instruction.meta.category == ZYDIS_CATEGORY_VTX || instruction.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED != 0,
        let name = ZydisMnemonicGetString(instruction.mnemonic)
      else { return nil }
      self = .other(String(cString: name))
    }
  }

  private static func port(_ operand: ZydisDecodedOperand) -> Port {
    operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? .immediate(UInt8(truncatingIfNeeded: operand.imm.value.u)) : .dx
  }

  /// A `mov` from or to a control or debug register.
  private static func specialMove(_ operands: UnsafeMutableBufferPointer<ZydisDecodedOperand>) -> Sensitivity? {
    guard operands.count >= 2, operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER,
      operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER
    else { return nil }
    let (target, source) = (operands[0].reg.value, operands[1].reg.value)
    for (special, general, direction) in [(target, source, Direction.write), (source, target, .read)] {
      guard let register = Register(special == target ? source : general) else { continue }
      let number = Int(ZydisRegisterGetId(special))
      switch ZydisRegisterGetClass(special) {
      case ZYDIS_REGCLASS_CONTROL: return .controlRegister(number, direction, register)
      case ZYDIS_REGCLASS_DEBUG: return .debugRegister(number, direction, register)
      default: continue
      }
    }
    return nil
  }
}

extension Register {
  /// The register that holds `register`, or `nil` where it is none of the eight.
  init?(_ register: ZydisRegister) {
    switch register.rawValue {
    case ZYDIS_REGISTER_EAX.rawValue...ZYDIS_REGISTER_EDI.rawValue:
      self.init(rawValue: Int(register.rawValue - ZYDIS_REGISTER_EAX.rawValue))
    case ZYDIS_REGISTER_AX.rawValue...ZYDIS_REGISTER_DI.rawValue:
      self.init(rawValue: Int(register.rawValue - ZYDIS_REGISTER_AX.rawValue))
    case ZYDIS_REGISTER_RAX.rawValue...ZYDIS_REGISTER_RDI.rawValue:
      self.init(rawValue: Int(register.rawValue - ZYDIS_REGISTER_RAX.rawValue))
    case ZYDIS_REGISTER_RIP.rawValue: self = .ip
    default: return nil
    }
  }
}
