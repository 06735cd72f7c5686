import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Page tables as guest code sees them") struct PageTableTests {
  @Test("an entry shows its page's frame; what is written into it counts from the next call on")
  func entries() throws {
    let g = try IOGuest()
    let block = try g.space(0x40)
    let entry = 0xc000_0000 + block >> 12 * 4
    let value = try g.call("READ_REGISTER_ULONG", entry)
    #expect(value & 3 == 3)
    let physical = try g.call("MmGetPhysicalAddress", block)
    #expect(value & ~0xfff == physical & ~0xfff)
    // The directory maps itself, and has the table.
    #expect(try g.call("READ_REGISTER_ULONG", 0xc030_0c00) & 1 == 1)
    #expect(try g.call("READ_REGISTER_ULONG", 0xc030_0000 + block >> 22 * 4) & 3 == 3)
    #expect(try g.call("READ_REGISTER_ULONG", 0xc000_0000 + 0x9000_0000 >> 12 * 4) == 0)
    // Without the bit that allows it, a store is a bugcheck.
    try g.call("WRITE_REGISTER_ULONG", entry, value & ~2)
    #expect(try g.bugCheck("WRITE_REGISTER_ULONG", block, 1).first == 0xbe)
  }

  @Test("the directory that CR3 names is in physical memory")
  func physical() throws {
    let g = try IOGuest()
    let directory = try g.k.load(g.k.kernel.processes[0].object.address + 0x18)
    let view = try g.call("MmMapIoSpace", UInt64(directory), 0, 0x1000, 0)
    let self0 = try g.call("READ_REGISTER_ULONG", view + 0xc00)
    #expect(self0 & ~0xfff == UInt64(directory) && self0 & 1 == 1)
    try g.call("MmUnmapIoSpace", view, 0x1000)
  }
}
