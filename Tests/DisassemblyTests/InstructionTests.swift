import Disassembly
import Guest
import Testing

private func decode(_ bytes: UInt8...) throws -> Instruction {
  try #require(Disassembler(.windowsXP_x86).decode(bytes, at: 0x1000))
}

@Test("what no instruction begins with decodes to nothing")
func nothing() {
  let disassembler = Disassembler(.windowsXP_x86)
  #expect(disassembler.decode([], at: 0) == nil)
  #expect(disassembler.decode([0xff], at: 0) == nil)
  #expect(disassembler.decode([0xff, 0xff, 0xff], at: 0) == nil)
  #expect(disassembler.decode([UInt8](repeating: 0x66, count: 40), at: 0) == nil)
}

@Test("a block ends where the next instruction need not run")
func blockEnds() throws {
  for bytes in [
    [0x74, 0], [0xeb, 0], [0xe8, 0, 0, 0, 0], [0xc3], [0xc2, 4, 0], [0xcc], [0xcd, 0x2e], [0xf4], [0x0f, 0x34], [0xcf], [0x0f, 0x0b],
  ]
    as [[UInt8]]
  {
    #expect(try #require(Disassembler(.windowsXP_x86).decode(bytes, at: 0)).endsBlock)
  }
  #expect(try !decode(0x90).endsBlock)
  #expect(try !decode(0xf3, 0xa5).endsBlock)
}

@Test("sensitive instructions say what they ask for")
func sensitivity() throws {
  #expect(try decode(0x0f, 0x31).sensitivity == .rdtsc)
  #expect(try decode(0x0f, 0x20, 0xd8).sensitivity == .controlRegister(3, .read, .ax))
  #expect(try decode(0x0f, 0x22, 0xc1).sensitivity == .controlRegister(0, .write, .cx))
  #expect(try decode(0x0f, 0x23, 0xfa).sensitivity == .debugRegister(7, .write, .dx))
  #expect(try decode(0xec).sensitivity == .input(.dx, size: 1))
  #expect(try decode(0xe5, 0x71).sensitivity == .input(.immediate(0x71), size: 4))
  #expect(try decode(0x66, 0xef).sensitivity == .output(.dx, size: 2))
  #expect(try decode(0x6d).sensitivity == .inputString(size: 4))
  #expect(try decode(0x0f, 0x01, 0x1d, 0, 0, 0x50, 0).sensitivity == .lidt)
  #expect(try decode(0x0f, 0x01, 0xc1).sensitivity == .other("vmcall"))
  #expect(try decode(0x89, 0xc8).sensitivity == nil)
  #expect(try decode(0x8e, 0xd8).sensitivity == nil)
}

@Test("memory operands give the address that the processor will use")
func effectiveAddress() throws {
  let registers: [Register: UInt64] = [.bp: 0xf8a0_0100, .ax: 0xffff_fffc, .cx: 2, .di: 0x2000, .si: 0x3000]
  func offsets(_ instruction: Instruction) -> [UInt64] { instruction.memoryOperands.map { $0.offset { registers[$0] ?? 0 } } }
  #expect(try offsets(decode(0x83, 0x4d, 0xfc, 0xff)) == [0xf8a0_00fc])
  #expect(try offsets(decode(0x8b, 0x4c, 0x88, 0x10)) == [0x14])
  #expect(try offsets(decode(0xf3, 0xa5)) == [0x2000, 0x3000])
  let current = try decode(0x64, 0xa1, 0x24, 1, 0, 0).memoryOperands[0]
  #expect(current.segment == .fs && current.displacement == 0x124 && current.size == 4)
  #expect(try decode(0x8d, 0x45, 0xcc).memoryOperands[0].size == 0)
}

@Test("a fault of an operand that is read and written is a write fault")
func firstAccess() throws {
  for (bytes, writes, first) in [
    ([0xff, 0x00], true, true),  // inc dword ptr [eax]
    ([0x89, 0x00], true, true),  // mov dword ptr [eax],eax
    ([0x8b, 0x00], false, false),  // mov eax,dword ptr [eax]
    ([0xff, 0x36], true, false),  // push dword ptr [esi]
    ([0x50], true, true),  // push eax
    ([0xf3, 0xa5], true, false),  // rep movs
    ([0xab], true, true),  // stos
    ([0x0f, 0xb1, 0x11], true, true),  // cmpxchg dword ptr [ecx],edx
    ([0xff, 0x10], true, false),  // call dword ptr [eax]
    ([0xe8, 0, 0, 0, 0], true, true),  // call
    ([0x8f, 0x00], true, false),  // pop dword ptr [eax]
    ([0x8d, 0x00], false, false),  // lea eax,[eax]
  ] as [([UInt8], Bool, Bool)] {
    let instruction = try #require(Disassembler(.windowsXP_x86).decode(bytes, at: 0))
    #expect(instruction.writesMemory == writes, "\(instruction.text())")
    #expect(instruction.firstAccessIsWrite == first, "\(instruction.text())")
  }
}

@Test("no sequence of bytes is too strange to decode or print")
func fuzz() {
  var state: UInt64 = 0x5eed
  let disassembler = Disassembler(.windowsXP_x86)
  for _ in 0..<20_000 {
    let bytes = (0..<15).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
    guard let instruction = disassembler.decode(bytes, at: 0xffff_fffc) else { continue }
    #expect((1...15).contains(instruction.length))
    #expect(!instruction.text { $0 & 1 == 0 ? "a!b" : nil }.isEmpty)
    for operand in instruction.memoryOperands { _ = operand.offset { _ in .max } }
  }
}
