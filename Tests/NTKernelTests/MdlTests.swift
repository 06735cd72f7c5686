import Guest
import Memory
import NTKernel
import Testing
import WindowsTypes

/// Offsets are those of XP's `MDL`: Next 0, Size 4, MdlFlags 6, Process 8, MappedSystemVa C, StartVa 10, ByteCount 14,
/// ByteOffset 18, frame numbers from 1C.
@Suite("MDLs") struct MdlTests {
  let k: TestKernel
  init() throws { k = try TestKernel() }

  @Test(
    "IoAllocateMdl fills the header as MmInitializeMdl does; up to 23 pages are of fixed size",
    arguments: [
      (0x42_1000, 0x1000, 1), (0x42_1fff, 1, 1), (0x42_1fff, 2, 2), (0x42_1234, 0x3000, 4), (0x42_1000, 23 * 0x1000, 23),
      (0x42_1001, 23 * 0x1000, 24), (0x42_1000, 24 * 0x1000, 24), (0x42_1000, 0, 0), (0x42_1010, 0, 1),
    ] as [(UInt64, UInt64, UInt64)])
  func header(address: UInt64, length: UInt64, pages: UInt64) throws {
    // Stale memory where the MDL will be: the header's fields must not depend on it.
    let block = try k.value("ExAllocatePoolWithTag", 0, 0x100, 0)
    try k.memory.memory.fill(0xee, count: 0x100, at: block)
    try k.value("ExFreePool", block)
    let mdl = try k.makeMDL(address, length)
    #expect(try k.load(mdl) == 0)
    #expect(try UInt64(k.half(mdl + 4)) == 0x1c + 4 * pages)
    #expect(try k.flags(mdl) == (pages <= 23 ? 0x8 : 0))
    #expect(try UInt64(k.load(mdl + 0x10)) == address & ~0xfff)
    #expect(try UInt64(k.load(mdl + 0x14)) == length)
    #expect(try UInt64(k.load(mdl + 0x18)) == address & 0xfff)
    #expect(try k.value("MmSizeOfMdl", address, length) == 0x1c + 4 * pages)
  }

  @Test("the longest MDL is what a 16-bit size can describe; a byte more is NULL")
  func limit() throws {
    // PAGE_SIZE * (65535 - sizeof(MDL)) / sizeof(ULONG_PTR)
    let longest: UInt64 = 0x1000 * ((65535 - 0x1c) / 4)
    let mdl = try k.makeMDL(0x1_0000, longest)
    #expect(try UInt64(k.half(mdl + 4)) == 0x1c + 4 * (longest >> 12))
    #expect(try k.value("IoAllocateMdl", 0x1_0000, longest + 1, 0, 0, 0) == 0)
    #expect(try k.value("IoAllocateMdl", 0x1_0000, 0xffff_ffff, 0, 0, 0) == 0)
  }

  @Test("a primary MDL goes to Irp.MdlAddress, a secondary one to the end of its chain")
  func chaining() throws {
    let irp = k.scratch + 0x400
    let first = try k.value("IoAllocateMdl", k.buffer, 0x1000, 0, 0, irp)
    #expect(try UInt64(k.load(irp + 4)) == first)
    let second = try k.value("IoAllocateMdl", k.buffer, 0x1000, 1, 0, irp)
    let third = try k.value("IoAllocateMdl", k.buffer, 0x1000, 1, 0, irp)
    #expect(try UInt64(k.load(irp + 4)) == first)
    #expect(try UInt64(k.load(first)) == second && UInt64(k.load(second)) == third && k.load(third) == 0)
    // A second primary one takes the first one's place.
    let primary = try k.value("IoAllocateMdl", k.buffer, 0x1000, 0, 0, irp)
    #expect(try UInt64(k.load(irp + 4)) == primary && k.load(primary) == 0)
    // A secondary one without a primary is the chain's first.
    try k.store(0, at: irp + 4)
    let only = try k.value("IoAllocateMdl", k.buffer, 0x1000, 1, 0, irp)
    #expect(try UInt64(k.load(irp + 4)) == only)
  }

  @Test("a chain that closes on itself ends the search for its end")
  func endlessChain() throws {
    let irp = k.scratch + 0x400
    let first = try k.value("IoAllocateMdl", k.buffer, 0x1000, 0, 0, irp)
    try k.store(UInt32(first), at: first)
    _ = try k.call("IoAllocateMdl", k.buffer, 0x1000, 1, 0, irp)
  }

  @Test("IoFreeMdl gives the memory back, and only this MDL's; a second time is bugcheck C2")
  func free() throws {
    let irp = k.scratch + 0x400
    let first = try k.value("IoAllocateMdl", k.buffer, 0x1000, 0, 0, irp)
    let second = try k.value("IoAllocateMdl", k.buffer, 0x1000, 1, 0, irp)
    try k.value("IoFreeMdl", first)
    #expect(try k.makeMDL(k.buffer, 0x1000) == first, "the next MDL of this size lies where the freed one was")
    try k.value("IoFreeMdl", second)
    #expect(try k.bugCheck("IoFreeMdl", second) == [0xc2, 7, 0, 0, second])
  }

  @Test("an MDL freed while its pages are locked leaves them locked and charged")
  func freeLocked() throws {
    try k.map(2, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x2000)
    try k.value("IoFreeMdl", mdl)
    #expect(try k.lockedPages(of: k.notepad) == 2)
    #expect(try k.pins(k.frame(of: k.notepad, 1)) == 1)
    #expect(throws: BugCheck(.processHasLockedPages, 0, k.notepad.object.address, 2, 0)) { try k.kernel.exit(k.notepad) }
  }

  // MARK: Nonpaged pool

  @Test("an MDL of nonpaged pool holds its frames, is mapped from the start, and is charged to nobody")
  func nonPagedPool() throws {
    let block = try k.value("ExAllocatePoolWithTag", 0, 0x3000, 0)
    let mdl = try k.makeMDL(block + 0x10, 0x2000)
    try k.store(0xdead_beef, at: mdl + 8)
    try k.value("MmBuildMdlForNonPagedPool", mdl)
    #expect(try k.flags(mdl) == 0x8 | 0x4)
    #expect(try k.load(mdl + 8) == 0)
    #expect(try UInt64(k.load(mdl + 0xc)) == block + 0x10)
    let expected = try (0..<3).map { try #require(k.memory.current.frame(at: block + UInt64($0) << 12)) }
    #expect(try k.frames(mdl, 3) == expected)
    #expect(Set(expected).count == 3)
    #expect(k.pins(expected[0]) == 0)
  }

  @Test("an MDL of pages that are not resident cannot be nonpaged pool's")
  func notPool() throws {
    let mdl = try k.makeMDL(0xd000_0000, 0x1000)
    #expect(try k.bugCheck("MmBuildMdlForNonPagedPool", mdl).prefix(2) == [0x50, 0xd000_0000])
  }

  // MARK: Partial MDLs

  @Test("a partial MDL takes frames, process and lock-relevant flags from its source")
  func partial() throws {
    try k.map(4, in: k.notepad)
    let source = try k.lock(k.buffer + 0x123, 0x3000)
    let target = try k.makeMDL(0, 0x2000)
    try k.value("IoBuildPartialMdl", source, target, k.buffer + 0x1800, 0x900)
    #expect(try k.frames(target, 2) == k.frames(source, 4)[1...2].map { $0 })
    #expect(try UInt64(k.load(target + 8)) == k.notepad.object.address)
    #expect(try UInt64(k.load(target + 0x10)) == k.buffer + 0x1000)
    #expect(try k.load(target + 0x14) == 0x900 && k.load(target + 0x18) == 0x800)
    // Neither PAGES_LOCKED nor WRITE_OPERATION: the source keeps the lock.
    #expect(try k.flags(target) == 0x8 | 0x10)
    #expect(try k.half(target + 4) == 0x1c + 2 * 4, "its own size stays")
  }

  @Test("a length of 0 means the rest of the source")
  func partialRest() throws {
    try k.map(3, in: k.notepad)
    let source = try k.lock(k.buffer + 0x100, 0x2800)
    let target = try k.makeMDL(0, 0x3000)
    try k.value("IoBuildPartialMdl", source, target, k.buffer + 0x1100, 0)
    #expect(try k.load(target + 0x14) == 0x1800)
    #expect(try k.frames(target, 2) == k.frames(source, 3)[1...2].map { $0 })
  }

  @Test("a source that is mapped, or of nonpaged pool, lends its mapping")
  func partialMapped() throws {
    try k.map(3, in: k.notepad)
    let source = try k.lock(k.buffer + 0x100, 0x2000)
    let view = try k.value("MmMapLockedPagesSpecifyCache", source, 0, 1, 0, 0, 16)
    let target = try k.makeMDL(0, 0x2000)
    try k.value("IoBuildPartialMdl", source, target, k.buffer + 0x1000, 0x800)
    #expect(try UInt64(k.load(target + 0xc)) == view + 0xf00)
    #expect(try k.flags(target) == 0x8 | 0x10 | 0x1)

    let block = try k.value("ExAllocatePoolWithTag", 0, 0x2000, 0)
    let pool = try k.makeMDL(block, 0x2000)
    try k.value("MmBuildMdlForNonPagedPool", pool)
    try k.value("IoBuildPartialMdl", pool, target, block + 0x1004, 8)
    #expect(try UInt64(k.load(target + 0xc)) == block + 0x1004)
    #expect(try k.flags(target) == 0x8 | 0x10 | 0x4)
  }

  @Test("a target without room for the frames is bugcheck 40")
  func partialTooSmall() throws {
    try k.map(3, in: k.notepad)
    let source = try k.lock(k.buffer, 0x3000)
    let target = try k.makeMDL(k.buffer, 0x1000)
    #expect(try k.bugCheck("IoBuildPartialMdl", source, target, k.buffer + 0x800, 0x1000)[0] == 0x40)
  }

  @Test("a part outside its source ends in an outcome", arguments: [0x41_0000, 0x42_9000, 0xffff_f000, 0] as [UInt64])
  func partialOutside(address: UInt64) throws {
    try k.map(1, in: k.notepad)
    let source = try k.lock(k.buffer, 0x1000)
    let target = try k.makeMDL(0, 0x1000)
    _ = try k.call("IoBuildPartialMdl", source, target, address, 0)
    if k.kernel.ending == nil { _ = try k.call("IoBuildPartialMdl", source, target, address, 0x10) }
  }

  @Test("a partial MDL's own mapping goes with MmPrepareMdlForReuse, and with IoFreeMdl; a borrowed one stays")
  func prepareForReuse() throws {
    try k.map(3, in: k.notepad)
    let source = try k.lock(k.buffer, 0x3000)
    let target = try k.makeMDL(0, 0x2000)
    try k.value("IoBuildPartialMdl", source, target, k.buffer + 0x1000, 0x10)
    let view = try k.value("MmMapLockedPagesSpecifyCache", target, 0, 1, 0, 0, 16)
    #expect(try k.flags(target) == 0x8 | 0x10 | 0x1 | 0x20)
    #expect(try k.byte(view) == 2)
    try k.value("MmPrepareMdlForReuse", target)
    #expect(try k.flags(target) & 0x21 == 0 && k.load(target + 0xc) == 0)
    #expect(k.memory.current[view].kind == .free)

    let again = try k.value("MmMapLockedPagesSpecifyCache", target, 0, 1, 0, 0, 16)
    try k.value("IoFreeMdl", target)
    #expect(k.memory.current[again].kind == .free)

    let view2 = try k.value("MmMapLockedPagesSpecifyCache", source, 0, 1, 0, 0, 16)
    let borrower = try k.makeMDL(0, 0x2000)
    try k.value("IoBuildPartialMdl", source, borrower, k.buffer + 0x1000, 0x10)
    try k.value("MmPrepareMdlForReuse", borrower)
    #expect(k.memory.current[view2].kind == .valid)
    #expect(try k.flags(source) & 1 == 1)
  }
}
