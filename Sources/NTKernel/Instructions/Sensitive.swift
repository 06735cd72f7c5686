import Disassembly
import Events
import Guest
import WindowsTypes

/// The instructions that ask for more than registers and memory: each does what the model decides, whatever the host is.
///
/// Time is the count of executed instructions. Hardware that is not there reads as ones. A machine-specific register that the
/// model lacks is a protection fault, which XP's handler dispatches as an access violation for `rdmsr` and `wrmsr` (uncertain:
/// known from reimplementations) and takes for UNEXPECTED_KERNEL_MODE_TRAP otherwise.
extension Kernel {
  /// Does what `instruction` does. ``Register/ip`` is already past it.
  public func execute(_ instruction: Instruction) -> Continuation {
    guard let sensitivity = instruction.sensitivity else { return .proceed }
    do {
      let effect = try execute(sensitivity, instruction)
      stream.append(.sensitive(ip: instruction.address, effect))
      return .proceed
    } catch {
      return handle(error, ip: instruction.address, sp: registers[.sp])
    }
  }

  private func execute(_ sensitivity: Sensitivity, _ instruction: Instruction) throws -> String {
    switch sensitivity {
    case .rdtsc, .rdpmc:
      let value = sensitivity == .rdtsc ? timeStamp : clock()
      setWide(value)
      return "\(sensitivity) -> \(hex(value, digits: 16))"
    case .cpuid: return identifyProcessor()
    case .rdmsr:
      let index = UInt32(truncatingIfNeeded: registers[.cx])
      guard let value = index == 0x10 ? timeStamp : control.modelSpecific[index] else {
        throw GuestException(.accessViolation, information: [0, 0xffff_ffff])
      }
      setWide(value)
      return "rdmsr \(hex(index)) -> \(hex(value, digits: 16))"
    case .wrmsr:
      let index = UInt32(truncatingIfNeeded: registers[.cx])
      let value = registers[.ax] & 0xffff_ffff | registers[.dx] << 32
      guard index == 0x10 || control.modelSpecific[index] != nil else {
        throw GuestException(.accessViolation, information: [0, 0xffff_ffff])
      }
      control.modelSpecific[index] = value
      return "wrmsr \(hex(index)) <- \(hex(value, digits: 16))"
    case .controlRegister(let number, .read, let register):
      let value = try readControl(number)
      registers[register] = value
      return "cr\(number) -> \(hex(value))"
    case .controlRegister(let number, .write, let register):
      try writeControl(number, registers[register])
      return "cr\(number) <- \(hex(registers[register]))"
    case .debugRegister(let number, .read, let register):
      registers[register] = control.debugRegisters[number & 7]
      return "dr\(number) -> \(hex(registers[register]))"
    case .debugRegister(let number, .write, let register):
      control.debugRegisters[number & 7] = registers[register]
      return "dr\(number) <- \(hex(registers[register]))"
    case .hlt: return "hlt: nothing is pending, so time goes on"
    case .invlpg, .wbinvd:
      try releasePageTableViews()
      return "\(sensitivity)"
    case .cli, .sti, .invd, .clts: return "\(sensitivity)"
    case .input(let port, let size):
      let mask: UInt64 = (1 << UInt64(8 * size)) - 1
      let value = readPort(number(of: port), size: size)
      registers[.ax] = registers[.ax] & ~mask | value
      return "in \(name(of: port)) -> \(hex(value, digits: size * 2))" + (value == mask ? ": no device" : "")
    case .output(let port, let size):
      let mask: UInt64 = (1 << UInt64(8 * size)) - 1
      writePort(number(of: port), registers[.ax] & mask, size: size)
      return "out \(name(of: port)) <- \(hex(registers[.ax] & mask, digits: size * 2))"
    case .inputString(let size): return try inputString(size, isRepeated: instruction.isRepeated)
    case .outputString(let size): return try outputString(size, isRepeated: instruction.isRepeated)
    case .lidt, .lgdt:
      let (limit, base) = try loadDescriptor(instruction)
      if sensitivity == .lidt { control.interruptTable = (base, limit) } else { control.segmentTable = (base, limit) }
      return "\(sensitivity) \(hex(base)) limit \(hex(limit, digits: 4)): noted, the model's own stays in use"
    case .sidt, .sgdt:
      let (base, limit) = sensitivity == .sidt ? control.interruptTable : control.segmentTable
      let place = try operandAddress(instruction)
      try memory.memory.store(limit, at: place)
      try memory.memory.store(UInt32(truncatingIfNeeded: base), at: place + 2)
      return "\(sensitivity) -> \(hex(base)) limit \(hex(limit, digits: 4))"
    case .iret: return try returnFromInterrupt()
    case .lldt, .ltr, .lmsw, .sldt, .str, .smsw: return "\(sensitivity): ignored"
    case .rdtscp, .other:
      // Not of this processor's generation: an invalid opcode.
      throw GuestException(.illegalInstruction)
    case .sysenter, .sysexit, .syscall, .sysret, .rsm:
      // Without the registers that name its target, `sysenter` is a protection fault (Intel SDM); so are the others here.
      throw BugCheck(.unexpectedKernelModeTrap, 13, 0, 0, instruction.address)
    }
  }

  private func setWide(_ value: UInt64) {
    registers[.ax] = value & 0xffff_ffff
    registers[.dx] = value >> 32
  }

  private func number(of port: Sensitivity.Port) -> UInt64 {
    switch port {
    case .immediate(let number): UInt64(number)
    case .dx: registers[.dx] & 0xffff
    }
  }

  private func name(of port: Sensitivity.Port) -> String { hex(number(of: port), digits: 4) }

  /// A Pentium III: family 6, model 8, with what XP needs (Intel, "Processor Identification").
  private func identifyProcessor() -> String {
    let leaf = registers[.ax] & 0xffff_ffff
    let values: (UInt64, UInt64, UInt64, UInt64) =
      switch leaf {
      case 0: (2, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)
      case 1: (0x683, 0, 0, 0x0383_fbff)
      case 2: (0x0304_0101 | 0x300, 0, 0, 0x0c04_0843)
      default: (0, 0, 0, 0)
      }
    (registers[.ax], registers[.bx], registers[.cx], registers[.dx]) = (values.0, values.1, values.2, values.3)
    return "cpuid \(hex(leaf)) -> \(hex(values.0)) \(hex(values.1)) \(hex(values.2)) \(hex(values.3))"
  }

  private func readControl(_ number: Int) throws -> UInt64 {
    switch number {
    case 0: control.cr0
    case 2: control.cr2
    case 3: currentSpaceOwner.directoryTableBase
    case 4: control.cr4
    default: throw GuestException(.illegalInstruction)
    }
  }

  private func writeControl(_ number: Int, _ value: UInt64) throws {
    switch number {
    case 0:
      // Protection and paging cannot go: the next fetch would be nowhere.
      guard value & 0x8000_0001 == 0x8000_0001 else { throw BugCheck(.unexpectedKernelModeTrap, 8, value, 0, 0) }
      control.cr0 = value
      guard !control.isWriteProtectionOff else { return }
      for (address, page) in control.unprotected {
        var restored = memory.kernel[address]
        restored.protection = page.protection
        try memory.kernel.set(restored, at: address)
      }
      control.unprotected = []
    case 2: control.cr2 = value
    case 3:
      try releasePageTableViews()
      try loadDirectory(value, .control)
    case 4: control.cr4 = value
    default: throw GuestException(.illegalInstruction)
    }
  }

  private func operandAddress(_ instruction: Instruction) throws -> UInt64 {
    guard let operand = instruction.memoryOperands.first else { throw GuestException(.illegalInstruction) }
    let base: UInt64 = operand.segment == .fs ? kpcr.address : 0
    return (base + operand.offset { registers[$0] }) & 0xffff_ffff
  }

  private func loadDescriptor(_ instruction: Instruction) throws -> (limit: UInt16, base: UInt64) {
    let place = try operandAddress(instruction)
    return (try memory.memory.load(UInt16.self, at: place), UInt64(try memory.memory.load(UInt32.self, at: place + 2)))
  }

  private var stringStep: UInt64 { registers[.flags] & 0x400 == 0 ? 1 : ~0 }

  private func inputString(_ size: Int, isRepeated: Bool) throws -> String {
    var left = isRepeated ? registers[.cx] : 1
    let count = left
    while left > 0 {
      let value = readPort(registers[.dx] & 0xffff, size: size)
      try memory.memory.write((0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }, at: registers[.di])
      registers[.di] = (registers[.di] &+ stringStep &* UInt64(size)) & 0xffff_ffff
      left -= 1
      if isRepeated { registers[.cx] = left }
    }
    return "ins \(hex(registers[.dx] & 0xffff, digits: 4)), \(count) times"
  }

  private func outputString(_ size: Int, isRepeated: Bool) throws -> String {
    var left = isRepeated ? registers[.cx] : 1
    let count = left
    while left > 0 {
      let value = try memory.memory.bytes(size, at: registers[.si]).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      writePort(registers[.dx] & 0xffff, value, size: size)
      registers[.si] = (registers[.si] &+ stringStep &* UInt64(size)) & 0xffff_ffff
      left -= 1
      if isRepeated { registers[.cx] = left }
    }
    return "outs \(hex(registers[.dx] & 0xffff, digits: 4)), \(count) times"
  }

  /// Within ring 0: instruction pointer, code segment and flags come off the stack.
  private func returnFromInterrupt() throws -> String {
    let stack = registers[.sp]
    let here = memory.memory
    let (ip, flags) = (try here.load(UInt32.self, at: stack), try here.load(UInt32.self, at: stack + 8))
    registers[.sp] = stack + 12
    registers[.flags] = UInt64(flags)
    registers[.ip] = UInt64(ip)
    return "iret -> \(hex(ip))"
  }
}
