import Events
import Guest
import Memory
import Processor
import Testing

@Suite("Faults") struct FaultTests {
  @Test("a thousand repaired faults in one run, two of them at one address; every one resumes, and each is counted")
  func thousand() throws {
    let bench = try Bench()
    // L: mov eax,[esi]; add ebx,eax; add esi,1000h; dec ecx; jne L; mov eax,[410000h]; ret
    let code: [UInt8] = [
      0x8b, 0x06, 0x01, 0xc3, 0x81, 0xc6, 0x00, 0x10, 0, 0, 0x49, 0x75, 0xf3, 0xa1, 0, 0, 0x41, 0, 0xc3,
    ]
    var again = 0
    bench.onFault = { access, address in
      #expect(access == .read)
      try bench.mapUser(address & ~0xfff)
      try bench.memory.memory.store(UInt32(3), at: address & ~0xfff)
      if address == 0x41_0000 && again == 0 {
        // Revoked at once: the instruction faults there once more.
        again = 1
        try bench.memory.current.user.set(.free, at: 0x41_0000)
      }
      return .proceed
    }
    bench.processor[.si] = 0x40_0000
    bench.processor[.cx] = 998
    bench.processor[.bx] = 0
    #expect(try bench.run(code) == .supervisor)
    #expect(bench.processor[.bx] == 3 * 998)
    #expect(bench.faults.count == 999)
    #expect(bench.vectors.isEmpty)
    #expect(bench.processor.instructions == 998 * 5 + 2)
    #expect(bench.instructions.count == 998 * 5 + 2)
  }

  @Test("a divide error, then a protection fault, arrive as themselves")
  func divideThenProtection() throws {
    let bench = try Bench()
    // xor ecx,ecx; div ecx; mov eax,1ffh; mov ds,ax; ret
    bench.onException = { vector, _ in
      bench.processor[.ip] += 2
      return .proceed
    }
    try bench.run([0x31, 0xc9, 0xf7, 0xf1, 0xb8, 0xff, 0x01, 0, 0, 0x8e, 0xd8, 0xc3])
    #expect(bench.vectors == [0, 13])
  }

  @Test("a fault in each of two engines")
  func twoEngines() throws {
    let bench = try Bench()
    let other = try bench.memory.makeAddressSpace()
    let first = bench.memory.current
    bench.onTrap = { _ in
      bench.memory.activate(bench.memory.current === first ? other : first)
      return .proceed
    }
    bench.onFault = { _, address in
      try bench.mapUser(address & ~0xfff)
      try bench.memory.memory.store(UInt32(bench.memory.current.id + 10), at: address)
      return .proceed
    }
    // mov eax,[400000h]; call trap1; mov ebx,[400000h]; call trap1; add ebx,[400000h]; ret
    let at = Bench.code
    try bench.run(
      [0xa1, 0, 0, 0x40, 0] + call(Bench.trap + 16, at: at + 5) + [0x8b, 0x1d, 0, 0, 0x40, 0]
        + call(Bench.trap + 16, at: at + 16) + [0x03, 0x1d, 0, 0, 0x40, 0, 0xc3])
    #expect(bench.processor[.ax] == 10)
    #expect(bench.processor[.bx] == 11 + 10)
    #expect(bench.faults.map(\.1) == [0x40_0000, 0x40_0000])
  }

  @Test("what hardware calls a write is reported as one; a jump to nowhere is a fetch")
  func kinds() throws {
    for (code, expected) in [
      ([0xa1, 0, 0, 0x50, 0], Access.read), ([0xff, 0x05, 0, 0, 0x50, 0], .write), ([0xa3, 0, 0, 0x50, 0], .write),
      ([0xff, 0x35, 0, 0, 0x50, 0], .read), ([0xb8, 0, 0, 0x50, 0, 0xff, 0xe0], .execute),
    ] as [([UInt8], Access)] {
      let bench = try Bench()
      #expect(try bench.run(code) == .supervisor)
      #expect(bench.faults.map(\.0) == [expected])
      #expect(bench.faults.map(\.1) == [0x50_0000])
    }
  }

  @Test("a page that a routine revokes while its engine runs is gone for the next instruction")
  func revoked() throws {
    let bench = try Bench()
    try bench.mapUser(0x50_0000)
    bench.onTrap = { _ in
      try bench.memory.current.user.set(.free, at: 0x50_0000)
      return .proceed
    }
    bench.processor[.cx] = 0x1234
    // mov eax,[500000h]; call trap1; mov ebx,[500000h]; ret
    try bench.run([0xa1, 0, 0, 0x50, 0] + call(Bench.trap + 16, at: Bench.code + 5) + [0x8b, 0x1d, 0, 0, 0x50, 0, 0xc3])
    #expect(bench.faults.map(\.1) == [0x50_0000])
    #expect(bench.processor[.ip] == Bench.code + 10)
    #expect(bench.processor[.cx] == 0x1234)
  }

  @Test("an interrupt is told from the fault of the same number, and passed")
  func software() throws {
    let bench = try Bench()
    var software: [Bool] = []
    bench.onException = { _, isSoftware in
      software.append(isSoftware)
      return .proceed
    }
    // int 0eh; int 2dh; int 3; ret
    try bench.run([0xcd, 0x0e, 0xcd, 0x2d, 0xcc, 0xc3])
    #expect(bench.vectors == [14, 0x2d, 3])
    #expect(software == [true, true, true])
    #expect(bench.instructions.count == 4)
  }

  @Test("an invalid instruction is vector 6, at its own address")
  func invalid() throws {
    let bench = try Bench()
    bench.onException = { _, _ in
      #expect(bench.processor[.ip] == Bench.code + 1)
      bench.processor[.ip] += 2
      return .proceed
    }
    try bench.run([0x40, 0x0f, 0x0b, 0xc3])
    #expect(bench.vectors == [6])
    #expect(bench.instructions == [Bench.code, Bench.code + 3])
  }
}
