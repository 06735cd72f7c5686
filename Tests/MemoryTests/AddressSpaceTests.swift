import Guest
import Memory
import Testing

@Suite("Address spaces") struct AddressSpaceTests {
  let memory: VirtualMemory
  init() throws { memory = try VirtualMemory(target: .windowsXP_x86, limit: 4 << 20) }

  @Test("two address spaces hold different frames at one address, and the shared half is shared")
  func twoSpaces() throws {
    let (a, b) = (try memory.makeAddressSpace(), try memory.makeAddressSpace())
    for space in [a, b] {
      try space.user.set(Page(.valid, frame: memory.physical.allocate()), at: 0x40_0000)
      try space.memory.store(UInt32(space.id), at: 0x40_0000)
    }
    try memory.kernel.set(Page(.valid, frame: memory.physical.allocate()), at: 0x8000_1000)
    memory.activate(a)
    try memory.memory.store(UInt32(77), at: 0x8000_1000)
    #expect(try memory.memory.load(UInt32.self, at: 0x40_0000) == UInt32(a.id))
    memory.activate(b)
    #expect(try memory.memory.load(UInt32.self, at: 0x40_0000) == UInt32(b.id))
    #expect(try memory.memory.load(UInt32.self, at: 0x8000_1000) == 77)
  }

  @Test("a frame that is pinned survives its mapping, and no one else gets it")
  func pin() throws {
    let space = try memory.makeAddressSpace()
    let frame = try memory.physical.allocate()
    try space.user.set(Page(.valid, frame: frame), at: 0x1_0000)
    memory.physical.pin(frame)
    try space.user.set(.free, at: 0x1_0000)
    #expect(try memory.physical.allocate() != frame)
    #expect(memory.physical.unpin(frame))
    #expect(!memory.physical.unpin(frame))
    #expect(try memory.physical.allocate() == frame)
  }

  @Test("a read-only, guarded, absent or unreachable page refuses; a store over a page border is all or nothing")
  func refusals() throws {
    let space = try memory.makeAddressSpace()
    func page(_ page: Page, _ address: UInt64) throws { try space.user.set(page, at: address) }
    try page(Page(.valid, .readOnly, frame: memory.physical.allocate()), 0x2_0000)
    try page(Page(.valid, frame: memory.physical.allocate(), isGuard: true), 0x2_1000)
    try page(Page(.valid, frame: memory.physical.allocate()), 0x2_3000)
    #expect(try space.memory.load(UInt8.self, at: 0x2_0fff) == 0)
    #expect(throws: GuestFault(.write, at: 0x2_0000)) { try space.memory.store(UInt8(1), at: 0x2_0000) }
    #expect(throws: GuestFault(.read, at: 0x2_1000)) { try space.memory.load(UInt32.self, at: 0x2_0ffe) }
    #expect(throws: GuestFault(.write, at: 0x2_4001)) { try space.memory.store(UInt32(0x0102_0304), at: 0x2_3ffe) }
    #expect(try space.memory.load(UInt16.self, at: 0x2_3ffe) == 0)
    #expect(throws: GuestFault(.read, at: 0xffff_f000)) { try space.memory.load(UInt8.self, at: 0xffff_f000) }
  }

  @Test("the budget is a limit")
  func budget() throws {
    let small = try PhysicalMemory(limit: 16 * 4096)
    for _ in 1..<16 { _ = try small.allocate() }
    #expect(throws: MemoryExhausted.self) { try small.allocate() }
  }
}
