import Events
import Guest
import Memory
import NTKernel
import Testing
import WindowsTypes

@Suite("Memory of one process copied to another's; facts of processes; driver objects that drivers make") struct ProcessCopyTests {
  private let address: UInt64 = 0x40_0000

  /// A page in each of two processes, at the same address.
  private func pages(_ g: IOGuest) throws {
    for process in [g.k.notepad, g.k.service] { try g.k.kernel.map(Page(.valid), pages: 1, at: address, in: process) }
  }

  @Test("the bytes of the one process arrive in the other, each at its own page") func copies() throws {
    let g = try IOGuest()
    try pages(g)
    let copied = try g.space()
    // In notepad, which is the current one.
    try g.k.store(0x1234_5678, at: address + 0x10)
    let (from, to) = (g.k.notepad.object.address, g.k.service.object.address)
    #expect(try g.status("MmCopyVirtualMemory", from, address + 0x10, to, address + 0x20, 4, 1, copied) == .success)
    #expect(try g.k.load(copied) == 4 && g.k.load(address + 0x20) == 0)
    try g.call("KeAttachProcess", to)
    #expect(try g.k.load(address + 0x20) == 0x1234_5678)
    try g.call("KeDetachProcess")
    // Beyond the page nothing is mapped: what lies before it is copied.
    #expect(try g.status("MmCopyVirtualMemory", from, address + 0xff0, to, address, 0x20, 1, copied) == .partialCopy)
    #expect(try g.k.load(copied) == 0x10)
    #expect(try g.status("MmCopyVirtualMemory", from, 0x8000_0000, to, address, 4, 1, copied) == .accessViolation)
    #expect(try g.status("MmCopyVirtualMemory", from, 0x8000_0000, to, address, 0, 1, copied) == .success && g.k.load(copied) == 0)
    #expect(try g.k.kernel.currentProcess().address == g.k.notepad.object.address)
  }

  @Test("facts of processes and threads") func facts() throws {
    let g = try IOGuest()
    let (own, thread) = (g.k.notepad.object.address, g.k.client.object.address)
    for name in ["PsIsThreadImpersonating", "PsGetThreadSessionId", "PsGetThreadWin32Thread"] { #expect(try g.call(name, thread) == 0) }
    #expect(try g.call("PsGetCurrentProcessWin32Process") == 0)
    #expect(try g.status("PsReferenceProcessFilePointer", own, g.space()) == .unsuccessful)
    #expect(try g.status("PsAssignImpersonationToken", thread, 0) == .success)
    #expect(try g.status("PsAssignImpersonationToken", thread, 0x7000) == .invalidHandle)
    #expect(try g.status("PsAssignImpersonationToken", own, 0) == .invalidParameter)
    try g.call("PsRevertThreadToSelf", thread)
    try g.call("PsChargePoolQuota", own, 1, 100)
    try g.call("PsReturnPoolQuota", own, 1, 100)
    #expect(try g.status("PsChargeProcessPoolQuota", own, 1, 100) == .success)
  }

  @Test("a driver makes another driver object, and takes it away") func driverObjects() throws {
    let g = try IOGuest()
    var object: UInt64 = 0
    var answer: UInt64 = 0
    g.routine(at: 0xf8b0_8000, 2) { arguments in
      object = arguments[0]
      return answer
    }
    #expect(try g.status("IoCreateDriver", g.string(#"\Driver\Second"#), 0xf8b0_8000) == .success)
    #expect(try g.k.load(object + 0x38) != 0 && g.k.kernel.drivers.last?.name == "Second")
    #expect(try g.status("IoCreateDriver", g.string(#"\Driver\Second"#), 0xf8b0_8000) == .objectNameCollision)
    try g.call("IoDeleteDriver", object)
    #expect(try g.status("IoCreateDriver", g.string(#"\Driver\Second"#), 0xf8b0_8000) == .success)
    try g.call("IoDeleteDriver", object)
    answer = 0xc000_0001
    #expect(try g.status("IoCreateDriver", 0, 0xf8b0_8000) == .unsuccessful && g.status("IoCreateDriver", 0, 0) == .invalidParameter)
  }

  @Test("priorities of requests, and what lies on the stack") func priorities() throws {
    let g = try IOGuest()
    let irp = try g.call("IoAllocateIrp", 1, 0)
    #expect(try g.call("IoGetIoPriorityHint", irp) == 2)
    #expect(try g.status("IoSetIoPriorityHint", irp, 0) == .success && g.call("IoGetIoPriorityHint", irp) == 0)
    #expect(try g.status("IoSetIoPriorityHint", irp, 5) == .invalidParameter && g.call("IoGetIoPriorityHint", irp) == 0)
    let (information, thread) = (try g.space(), g.k.client.object.address)
    #expect(try g.status("IoRetrievePriorityInfo", irp, 0, thread, information) == .invalidParameter)
    try g.k.store(16, at: information)
    #expect(try g.status("IoRetrievePriorityInfo", irp, 0, thread, information) == .success && g.k.load(information + 12) == 0)
    let old = try g.space()
    #expect(try g.status("IoApplyPriorityInfoThread", information, old, thread) == .success && g.k.load(old) == 16)
    try g.k.store(0, at: information)
    #expect(try g.status("IoApplyPriorityInfoThread", information, old, thread) == .invalidParameter)
    let base = try g.call("PsGetCurrentThreadStackBase")
    #expect(try g.call("IoWithinStackLimits", base - 8, 8) == 1 && g.call("IoWithinStackLimits", base - 8, 9) == 0)
    #expect(try g.status("IoGetRequestorSessionId", irp, old) == .unsuccessful && g.k.load(old) == 0xffff_ffff)
    try g.k.store(UInt32(thread), at: irp + 0x50)
    #expect(try g.status("IoGetRequestorSessionId", irp, old) == .success && g.k.load(old) == 0)
    try g.call("IoRequestDeviceEject", 0)
  }
}
