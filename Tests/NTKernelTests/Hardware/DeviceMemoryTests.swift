import Guest
import Memory
import NTKernel
import Testing
import WindowsTypes

@Suite("Device memory and physical addresses") struct DeviceMemoryTests {
  @Test("absent registers read as ones, and what WRITE_REGISTER_ULONG writes is lost")
  func absentDevice() throws {
    let g = try IOGuest()
    let registers = try g.call("MmMapIoSpace", 0xfebf_0010, 0, 0x2000, 0)
    #expect(registers & 0xfff == 0x10)
    #expect(try g.call("READ_REGISTER_ULONG", registers) == 0xffff_ffff)
    try g.call("WRITE_REGISTER_ULONG", registers, 1)
    #expect(try g.call("READ_REGISTER_ULONG", registers) == 0xffff_ffff)
    #expect(try g.call("MmGetPhysicalAddress", registers + 0x1004) == 0xfebf_1014)
    #expect(try g.call("MmIsAddressValid", registers + 0x1000) & 0xff == 1)
    #expect(try g.k.kernel.leftovers(of: g.driver).map(\.what) == ["a mapping of device memory"])
    try g.call("MmUnmapIoSpace", registers, 0x2000)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
    #expect(try g.bugCheck("MmUnmapIoSpace", registers, 0x2000).first == 0xda)
  }

  @Test("device memory that is mapped for user mode by an MDL is what it is in system space")
  func userView() throws {
    let g = try IOGuest()
    let registers = try g.call("MmMapIoSpace", 0xf_0000, 0, 0x1000, 0)
    let mdl = try g.call("IoAllocateMdl", registers, 0x1000, 0, 0, 0)
    try g.call("MmBuildMdlForNonPagedPool", mdl)
    let view = try g.call("MmMapLockedPagesSpecifyCache", mdl, 1, 0, 0, 0, 16)
    #expect(view < 0x8000_0000)
    #expect(try g.k.load(view + 0xf0) == 0x5f4d_535f)
    try g.call("MmUnmapLockedPages", view, mdl)
    try g.call("IoFreeMdl", mdl)
    try g.call("MmUnmapIoSpace", registers, 0x1000)
  }

  @Test("a range that is empty, wraps or lies above 4 GB is not mapped; the old video routines do the same")
  func ranges() throws {
    let g = try IOGuest()
    #expect(try g.call("MmMapIoSpace", 0xfebf_0000, 0, 0, 0) == 0)
    #expect(try g.call("MmMapIoSpace", 0xffff_f000, 0, 0x2000, 0) == 0)
    #expect(try g.call("MmMapIoSpace", 0, 1, 0x1000, 0) == 0)
    #expect(try g.call("MmMapIoSpace", 0x8000_0000, 0, 0x7000_0000, 0) == 0)
    let screen = try g.call("MmMapVideoDisplay", 0xa_0000, 0, 0x1000, 0)
    #expect(try g.k.load(screen) == 0xffff_ffff)
    try g.call("MmUnmapVideoDisplay", screen, 0x1000)
  }

  @Test("memory has physical addresses, and they lead back")
  func physicalAddresses() throws {
    let g = try IOGuest()
    let place = try g.space(16)
    let physical = try g.call("MmGetPhysicalAddress", place)
    #expect(physical & 0xfff == place & 0xfff && physical != 0)
    #expect(try g.call("MmGetVirtualForPhysical", physical, 0) == place)
    #expect(try g.call("MmGetVirtualForPhysical", 0xfebf_0000, 0) == 0)
    #expect(try g.call("MmGetPhysicalAddress", 0xd000_0000) == 0)
    try g.k.store(77, at: place)
    let view = try g.call("MmMapIoSpace", physical, 0, 4, 1)
    #expect(try g.k.load(view) == 77)
    let ranges = try g.call("MmGetPhysicalMemoryRanges")
    #expect(try g.k.load(ranges) == 0x1000 && g.k.load(ranges + 8) > 0 && g.k.load(ranges + 16) == 0 && g.k.load(ranges + 24) == 0)
  }

  @Test("contiguous memory is that, below its limit, and nobody else's")
  func contiguous() throws {
    let g = try IOGuest()
    let block = try g.call("MmAllocateContiguousMemory", 0x3000, 0xffff_ffff, 0)
    let first = try g.call("MmGetPhysicalAddress", block)
    #expect(try g.call("MmGetPhysicalAddress", block + 0x2000) == first + 0x2000)
    try g.call("MmFreeContiguousMemory", block)
    #expect(try g.call("MmAllocateContiguousMemory", 0x1000, 0x1000, 0) == 0)
    let bounded = try g.call("MmAllocateContiguousMemorySpecifyCache", 0x3000, 0, 0, 0xffff_ffff, 0, 0x4000, 0, 1)
    let start = try g.call("MmGetPhysicalAddress", bounded)
    #expect(bounded != 0 && start / 0x4000 == (start + 0x2fff) / 0x4000)
    #expect(try g.call("MmAllocateContiguousMemorySpecifyCache", 0x5000, 0, 0, 0xffff_ffff, 0, 0x4000, 0, 1) == 0)
    try g.call("MmFreeContiguousMemorySpecifyCache", bounded, 0x3000, 1)
    let plain = try g.call("MmAllocateNonCachedMemory", 100)
    #expect(plain & 0xfff == 0 && plain != 0)
    try g.call("MmFreeNonCachedMemory", plain, 100)
    #expect(try g.call("MmAllocateNonCachedMemory", 0xffff_ffff) == 0)
    #expect(try g.bugCheck("MmFreeContiguousMemory", plain).prefix(3) == [0xc2, 0x60, plain])
  }

  @Test("pages for an MDL are zeroed, locked and mapped where they are asked for")
  func pagesForMDL() throws {
    let g = try IOGuest()
    for name in ["MmAllocatePagesForMdl", "MmAllocatePagesForMdlEx"] {
      var arguments: [UInt64] = [0, 0, 0xffff_ffff, 0, 0, 0, 0x2000]
      if name.hasSuffix("Ex") { arguments += [1, 0] }
      let mdl = try g.call(name, arguments)
      let isAsExpected9 = try g.k.flags(mdl) & 2 == 2 && g.k.load(mdl + 0x14) == 0x2000
      #expect(isAsExpected9)
      let view = try g.call("MmMapLockedPagesSpecifyCache", mdl, 0, 1, 0, 0, 16)
      let isAsExpected10 = try g.k.load(view + 0x1ffc) == 0
      #expect(isAsExpected10)
      // PAGE_READONLY, a protection that is none, and an MDL that is not mapped.
      let isAsExpected11 = try g.status("MmProtectMdlSystemAddress", mdl, 2) == .success
      #expect(isAsExpected11)
      let isAsExpected12 = try g.status("MmProtectMdlSystemAddress", mdl, 3).rawValue == 0xc000_0045
      #expect(isAsExpected12)
      try g.call("MmUnmapLockedPages", view, mdl)
      let isAsExpected13 = try g.status("MmProtectMdlSystemAddress", mdl, 2).rawValue == 0xc000_0019
      #expect(isAsExpected13)
      try g.call("MmFreePagesFromMdl", mdl)
      try g.call("ExFreePool", mdl)
    }
    #expect(try g.call("MmAllocatePagesForMdl", 0, 0, 0xffff_ffff, 0, 0, 0, 0) == 0)
    // Below 4 KB there is nothing to have, nor above what the machine has; pages from 1 MB on lie there.
    #expect(try g.call("MmAllocatePagesForMdl", 0, 0, 0xffe, 0, 0, 0, 0x2000) == 0)
    #expect(try g.call("MmAllocatePagesForMdl", 0, 1, 0xffff_ffff, 1, 0, 0, 0x2000) == 0)
    let high = try g.call("MmAllocatePagesForMdl", 0x10_0000, 0, 0x1f_ffff, 0, 0, 0, 0x2000)
    #expect(try high != 0 && (0x100...0x1ff).contains(g.k.load(high + 0x1c)))
    // MM_ALLOCATE_FULLY_REQUIRED of more than there is.
    #expect(try g.call("MmAllocatePagesForMdlEx", 0, 0, 0xffff_ffff, 0, 0, 0, 0x7000_0000, 1, 4) == 0)
  }

  @Test("a reserved mapping takes an MDL's pages, with the right tag only")
  func reservedMapping() throws {
    let g = try IOGuest()
    let base = try g.call("MmAllocateMappingAddress", 0x2000, 0x6d65_4d31)
    let mdl = try g.call("MmAllocatePagesForMdl", 0, 0, 0xffff_ffff, 0, 0, 0, 0x2000)
    #expect(try g.call("MmMapLockedPagesWithReservedMapping", base, 0x6d65_4d31, mdl, 1) == base)
    try g.k.store(5, at: base + 0x1000)
    // A second view of the same reservation is refused.
    #expect(try g.call("MmMapLockedPagesWithReservedMapping", base, 0x6d65_4d31, mdl, 1) == 0)
    try g.call("MmUnmapReservedMapping", base, 0x6d65_4d31, mdl)
    try g.call("MmFreeMappingAddress", base, 0x6d65_4d31)
    #expect(try g.bugCheck("MmFreeMappingAddress", base, 0x6d65_4d31).first == 0xda)
  }

  @Test("MmAdvanceMdl gives up whole pages, and no more than there are bytes")
  func advance() throws {
    let k = try TestKernel()
    try k.map(3, in: k.notepad)
    let mdl = try k.lock(k.buffer + 0x800, 0x2000)
    let frames = try k.frames(mdl, 3)
    #expect(try k.value("MmAdvanceMdl", mdl, 0x2001) == 0xc000_00f0)
    #expect(try k.value("MmAdvanceMdl", mdl, 0x900) == 0)
    #expect(try k.load(mdl + 0x10) == UInt32(k.buffer + 0x1000) && k.load(mdl + 0x18) == 0x100 && k.load(mdl + 0x14) == 0x1700)
    #expect(try k.frames(mdl, 2) == Array(frames[1...]))
    #expect(try k.lockedPages(of: k.notepad) == 2)
    try k.value("MmUnlockPages", mdl)
    #expect(try k.lockedPages(of: k.notepad) == 0)
    let made = try k.value("MmCreateMdl", 0, k.buffer + 4, 8)
    #expect(try k.load(made + 0x10) == UInt32(k.buffer) && k.load(made + 0x18) == 4 && k.load(made + 0x14) == 8)
    #expect(try k.value("MmCreateMdl", k.scratch, k.buffer, 8) == k.scratch)
  }

  @Test("drivers stay resident, and the system is a large workstation without a verifier")
  func residency() throws {
    let g = try IOGuest()
    #expect(try g.call("MmPageEntireDriver", 0xf8b0_1234) == 0xf8b0_0000)
    #expect(try g.call("MmPageEntireDriver", 0x1234) == 0)
    try g.call("MmResetDriverPaging", 0xf8b0_1234)
    let handle = try g.call("MmLockPagableDataSection", 0xf8b0_1234)
    #expect(try handle != 0 && g.call("MmLockPagableImageSection", 0xf8b0_1234) == handle)
    try g.call("MmLockPagableSectionByHandle", handle)
    try g.call("MmUnlockPagableImageSection", handle)
    #expect(try g.call("MmQuerySystemSize") == 2 && g.call("MmIsThisAnNtAsSystem") & 0xff == 0)
    #expect(try g.call("MmIsNonPagedSystemAddressValid", g.space()) & 0xff == 1)
    #expect(try g.call("MmIsNonPagedSystemAddressValid", 0xe100_0000) & 0xff == 0)
    #expect(try g.call("MmIsDriverVerifying", g.driver.object.address) == 0)
    let flags = try g.space()
    #expect(try g.status("MmIsVerifierEnabled", flags) == .notSupported)
  }

  @Test("memory of a process is secured if it allows the access")
  func secure() throws {
    let g = try IOGuest()
    try g.k.map(1, in: g.k.notepad)
    let handle = try g.call("MmSecureVirtualMemory", g.k.buffer, 100, 4)
    #expect(handle != 0)
    try g.call("MmUnsecureVirtualMemory", handle)
    #expect(try g.call("MmSecureVirtualMemory", g.k.buffer + 0x1000, 100, 4) == 0)
    #expect(try g.call("MmSecureVirtualMemory", 0x8000_0000, 100, 4) == 0)
    #expect(try g.bugCheck("MmUnsecureVirtualMemory", handle).first == 0x1a)
  }
}
