import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Pool") struct PoolTests {
  let k: TestKernel
  init() throws { k = try TestKernel() }

  @Test("blocks are aligned to 8 bytes, apart from each other, and lie in their pool", arguments: [0, 1] as [UInt64])
  func blocks(type: UInt64) throws {
    var ranges: [Range<UInt64>] = []
    for size in [1, 7, 8, 9, 0x100, 0xff8, 0xfff, 0] as [UInt64] {
      let block = try k.value("ExAllocatePoolWithTag", type, size, 0x6761_5431)
      #expect(block & 7 == 0)
      #expect((0xe100_0000..<0xeb00_0000).contains(block) == (type == 1))
      try k.memory.memory.fill(0x5a, count: Int(size), at: block)
      ranges.append(block..<block + max(1, size))
    }
    for (index, range) in ranges.enumerated() { for other in ranges[..<index] { #expect(!range.overlaps(other)) } }
  }

  @Test("a small block has its tag before it, a block of a page or more starts at a page")
  func headers() throws {
    let small = try k.value("ExAllocatePoolWithTag", 0, 0x20, 0x6761_5431)
    #expect(try k.load(small - 4) == 0x6761_5431)
    for size in [0x1000, 0x1001, 0x5000] as [UInt64] {
      let block = try k.value("ExAllocatePoolWithTag", 0, size, 0x6761_5431)
      #expect(block & 0xfff == 0)
      try k.store(1, at: block + size - 4)
    }
  }

  @Test("a writer of one block does not reach its neighbour's header")
  func neighbours() throws {
    let first = try k.value("ExAllocatePoolWithTag", 0, 0x20, 0x3131_3131)
    let second = try k.value("ExAllocatePoolWithTag", 0, 0x20, 0x3232_3232)
    try k.memory.memory.fill(0xff, count: 0x20, at: first)
    #expect(try k.load(second - 4) == 0x3232_3232)
  }

  @Test("more than a pool has room for is NULL", arguments: [0, 1] as [UInt64])
  func tooLarge(type: UInt64) throws {
    #expect(try k.value("ExAllocatePoolWithTag", type, 0xffff_ffff, 0) == 0)
    #expect(try k.value("ExAllocatePoolWithTag", type, 0x2000_0000, 0) == 0)
  }

  @Test("memory that is freed is used again", arguments: ["ExFreePool", "ExFreePoolWithTag"])
  func free(name: String) throws {
    for type in [0, 1] as [UInt64] {
      let block = try k.value("ExAllocatePoolWithTag", type, 0x40, 0x3131_3131)
      try k.value(name, block, 0x3131_3131)
      #expect(try k.value("ExAllocatePoolWithTag", type, 0x40, 0) == block)
    }
  }

  @Test("what is no block, or no longer one, is bugcheck C2", arguments: ["ExFreePool", "ExFreePoolWithTag"])
  func freeTwice(name: String) throws {
    let block = try k.value("ExAllocatePoolWithTag", 0, 0x40, 0)
    try k.value(name, block, 0)
    #expect(try k.bugCheck(name, block, 0) == [0xc2, 7, 0, 0, block])
    let other = try TestKernel()
    let inside = try other.value("ExAllocatePoolWithTag", 0, 0x40, 0) + 8
    #expect(try other.bugCheck(name, inside, 0)[0] == 0xc2)
  }

  @Test("cache-aligned blocks start at a line of the cache, and lie in their pool", arguments: [4, 5, 6] as [UInt64])
  func cacheAligned(type: UInt64) throws {
    var last: UInt64 = 0
    for size in [1, 0x40, 0x41, 0x1000] as [UInt64] {
      let block = try k.value("ExAllocatePoolWithTag", type, size, 0x6761_5431)
      #expect(block & 63 == 0 && block != last)
      #expect((0xe100_0000..<0xeb00_0000).contains(block) == (type == 5))
      if size < 0x1000 { #expect(try k.load(block - 4) == 0x6761_5431) }
      try k.value("ExFreePoolWithTag", block, 0x6761_5431)
      last = block + 1
    }
  }

  @Test("what must succeed and cannot is bugcheck 41h; POOL_RAISE_IF_ALLOCATION_FAILURE raises")
  func failures() throws {
    #expect(try TestKernel().bugCheck("ExAllocatePoolWithTag", 2, 0x2000_0000, 0).prefix(2) == [0x41, 0x2000_0000])
    #expect(try k.raised("ExAllocatePoolWithTag", 0x10, 0x2000_0000, 0).code == .insufficientResources)
    #expect(try k.value("ExAllocatePoolWithTag", 0x10, 0x20, 0) != 0)
  }

  @Test("a tag that protects its block is compared when the block is freed")
  func protected() throws {
    let tag: UInt64 = 0xb132_3334
    let block = try k.value("ExAllocatePoolWithTag", 0, 0x20, tag)
    try k.value("ExFreePoolWithTag", block, tag)
    let other = try TestKernel()
    let again = try other.value("ExAllocatePoolWithTag", 1, 0x20, tag)
    #expect(try other.bugCheck("ExFreePoolWithTag", again, 0x3132_3334) == [0xc2, 0xa, again, tag, 0x3132_3334])
    let third = try TestKernel()
    #expect(try third.bugCheck("ExFreePool", third.value("ExAllocatePoolWithTag", 0, 0x20, tag)).prefix(2) == [0xc2, 0xa])
    // Any other tag is nobody's concern.
    try k.value("ExFreePoolWithTag", k.value("ExAllocatePoolWithTag", 0, 0x20, 0x3131_3131), 0x3232_3232)
  }

  @Test("a block with quota is on its process's account until it is freed", arguments: [0, 1] as [UInt64])
  func quota(type: UInt64) throws {
    let process = k.notepad.object
    let usage = process.quotaUsage(isPaged: type == 1)
    let before = try usage.load().bits
    let block = try k.value("ExAllocatePoolWithQuotaTag", type, 0x21, 0)
    #expect(try usage.load().bits == before + 0x30)
    #expect(try process.quotaPeak(isPaged: type == 1).load().bits >= before + 0x30)
    #expect(try process.quotaUsage(isPaged: type != 1).load().bits == 0)
    try k.value("ExFreePool", block)
    #expect(try usage.load().bits == before)
    let irp = try k.value("IoAllocateIrp", 1, 1)
    #expect(try process.quotaUsage(isPaged: false).load().bits > 0)
    try k.value("IoFreeIrp", irp)
    #expect(try process.quotaUsage(isPaged: false).load().bits == 0)
    #expect(try k.value("ExAllocatePoolWithQuotaTag", 8 | type, 0x2000_0000, 0) == 0)
    #expect(try k.raised("ExAllocatePoolWithQuotaTag", type, 0x2000_0000, 0).code == .insufficientResources)
  }

  @Test("a run out of memory while a block is made ends the run, and says so")
  func exhausted() throws {
    let small = try TestKernel(limit: 1 << 20)
    let reply = try small.call("ExAllocatePoolWithTag", 0, 0x20_0000, 0)
    guard case .ended = reply, case .memoryExhausted = small.kernel.ending else { return unexpected(reply) }
  }
}

@Suite("Bugchecks that are called for") struct BugCheckTests {
  @Test("KeBugCheckEx stops with the code and the four parameters, KeBugCheck with zeros")
  func parameters() throws {
    #expect(try TestKernel().bugCheck("KeBugCheckEx", 0xe2, 1, 0x8000_0000, 3, 0xffff_ffff) == [0xe2, 1, 0x8000_0000, 3, 0xffff_ffff])
    #expect(try TestKernel().bugCheck("KeBugCheck", 0xdead_dead) == [0xdead_dead, 0, 0, 0, 0])
  }

  @Test("the event names who called")
  func event() throws {
    let k = try TestKernel()
    _ = try k.bugCheck("KeBugCheckEx", 0xe2, 1, 2, 3, 4)
    let sites = k.stream.events.compactMap { if case .bugCheck(0xe2, [1, 2, 3, 4], let site) = $0 { site.ip } else { nil } }
    #expect(sites == [TestKernel.caller])
  }

  @Test("arguments that cannot be read fault at the call")
  func unreadableArguments() throws {
    let k = try TestKernel()
    let number = try #require(k.kernel.exports["nt", "KeBugCheckEx"])
    try k.value("KeGetCurrentThread")
    // The stack pointer points at the end of a user page: the arguments lie on one that is not there.
    try k.map(1, in: k.notepad)
    k.registers[.sp] = k.buffer + 0xffc
    k.registers[.ip] = k.kernel.trapAddresses[number]
    _ = k.kernel.serve(trap: number)
    #expect(k.kernel.failure == nil)
    let exceptions = k.stream.events.compactMap {
      if case .exception(let code, _, let information, _) = $0 { (code, information) } else { nil }
    }
    #expect(exceptions.first?.0 == 0xc000_0005)
    #expect(exceptions.first?.1 == [0, k.buffer + 0x1000])
  }
}
