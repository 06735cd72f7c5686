import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("What callers of requests are told and refused") struct RequestAPCTests {
  private func guest(_ status: NTSTATUS = .success, _ seen: @escaping (UInt64) -> Void = { _ in }) throws -> IOGuest {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    try g.dispatch(0xe) { _, irp in
      seen(irp)
      return try g.complete(irp, status, 5)
    }
    return g
  }

  /// Whether there is still a packet: `IRP.Type`.
  private func isThere(_ irp: UInt64, _ g: IOGuest) throws -> Bool { try g.k.half(irp) == 6 }

  @Test("a kernel-mode caller's APC routine runs at PASSIVE_LEVEL with its context and block, and the packet goes with it")
  func kernelMode() throws {
    var irp: UInt64 = 0
    let g = try guest { irp = $0 }
    let (handle, block) = (try g.open(#"\Device\Demo"#), try g.space())
    var calls: [[UInt64]] = []
    g.routine(at: 0xf8b0_8000, 3) { (arguments: [UInt64]) throws -> UInt64 in
      #expect(try g.call("KeGetCurrentIrql") & 0xff == 0 && g.k.load(block + 4) == 5)
      calls.append(arguments)
      return 0
    }
    #expect(try g.status("ZwDeviceIoControlFile", handle, 0, 0xf8b0_8000, 0x1234, block, 0x22_2000, 0, 0, 0, 0) == .success)
    // It comes when the thread may be interrupted: at the latest with the next routine that lets it in.
    try g.call("KeEnterCriticalRegion")
    try g.call("KeLeaveCriticalRegion")
    #expect(calls == [[0x1234, block, 0]])
    #expect(try isThere(irp, g) == false)
  }

  @Test("an error that was not pended calls no APC routine") func failure() throws {
    var irp: UInt64 = 0
    let g = try guest(.invalidParameter) { irp = $0 }
    let (handle, block) = (try g.open(#"\Device\Demo"#), try g.space())
    g.routine(at: 0xf8b0_8000, 3) { _ in
      Issue.record("the routine was called")
      return 0
    }
    #expect(try g.status("ZwDeviceIoControlFile", handle, 0, 0xf8b0_8000, 0, block, 0x22_2000, 0, 0, 0, 0) == .invalidParameter)
    try g.call("KeEnterCriticalRegion")
    try g.call("KeLeaveCriticalRegion")
    #expect(try isThere(irp, g) == false)
  }

  @Test("a user's APC is queued to its thread and keeps the packet until it comes, or the thread goes") func userMode() throws {
    var irp: UInt64 = 0
    let g = try guest { irp = $0 }
    try g.k.map(1, in: g.k.notepad)
    let (handle, block) = (try g.open(#"\Device\Demo"#), g.k.buffer)
    #expect(try g.status("NtDeviceIoControlFile", handle, 0, 0x42_0000, 0x1234, block, 0x22_2000, 0, 0, 0, 0) == .success)
    #expect(try isThere(irp, g))
    // KTHREAD.ApcState.ApcListHead[UserMode] holds the packet's APC: KernelRoutine, RundownRoutine, NormalRoutine.
    let apc = UInt64(try g.k.load(g.k.client.object.address + 0x3c)) - 0xc
    #expect(try g.k.load(apc + 0x1c) == 0x42_0000 && g.k.load(apc + 0x20) == 0x1234)
    #expect(try g.k.load(apc + 0x14) == UInt32(g.k.trap("IopUserCompletion")) && g.k.load(apc + 0x18) == UInt32(g.k.trap("IopUserRundown")))
    try g.call("KeRemoveQueueApc", apc)
    try g.call("IopUserRundown", apc)
    #expect(try isThere(irp, g) == false)
    #expect(try g.bugCheck("IopUserCompletion", apc, 0, 0, 0, 0).first == 0x44)
  }

  @Test(
    "a code that demands access is refused to a user's handle without it, and to none of kernel mode's",
    arguments: [(1, 0x22_6000), (2, 0x22_a000), (1, 0x22_e000), (2, 0x22_e000)] as [(UInt32, UInt64)])
  func access(right: UInt32, code: UInt64) throws {
    let g = try guest()
    try g.k.map(1, in: g.k.notepad)
    let (handle, block) = (try g.space(), try g.space())
    func ask(_ access: UInt32, _ name: String) throws -> NTSTATUS {
      let path = try g.attributes(#"\Device\Demo"#)
      #expect(
        try g.status("ZwCreateFile", handle, UInt64(0x10_0000 | access), path, block, 0, 0x80, 3, 1, 0x20, 0, 0) == .success)
      let block = name.hasPrefix("Nt") ? g.k.buffer : block
      return try g.status(name, UInt64(g.k.load(handle)), 0, 0, 0, block, code, 0, 0, 0, 0)
    }
    let isEnough = code != 0x22_e000
    #expect(try ask(right, "NtDeviceIoControlFile") == (isEnough ? .success : .accessDenied))
    #expect(try ask(3 & ~right, "NtDeviceIoControlFile") == .accessDenied)
    #expect(try ask(3, "NtDeviceIoControlFile") == .success)
    #expect(try ask(0, "ZwDeviceIoControlFile") == .success)
  }
}
