import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Processes and threads by handle") struct ProcessCallTests {
  /// A `CLIENT_ID`.
  private func client(_ g: IOGuest, _ process: UInt32, _ thread: UInt32 = 0) throws -> UInt64 {
    let place = try g.space()
    try g.k.store([process, thread], at: place)
    return place
  }
  private func bare(_ g: IOGuest) throws -> UInt64 {
    let place = try g.space(0x18)
    try g.k.store([0x18, 0, 0, 0x200, 0, 0], at: place)
    return place
  }

  @Test("a process is opened by its identifier", arguments: ["ZwOpenProcess", "NtOpenProcess"]) func openProcess(name: String) throws {
    let g = try IOGuest()
    let result = try g.space()
    #expect(try g.status(name, result, 0x400, bare(g), client(g, 1232)) == .success)
    let handle = UInt64(try g.k.load(result))
    let block = try g.space(0x20)
    #expect(try g.status("ZwQueryInformationProcess", handle, 0, block, 0x18, 0) == .success)
    #expect(try g.k.load(block) == 0x103 && g.k.load(block + 0x10) == 1232)
    #expect(try g.status("NtQueryInformationProcess", 0xffff_ffff, 0, block, 0x14, 0) == .infoLengthMismatch)
    #expect(try g.status(name, result, 0x400, bare(g), client(g, 4444)) == .invalidParameter)
    #expect(try g.status(name, result, 0x400, bare(g), 0) == NTSTATUS(rawValue: 0xc000_0030))
  }

  @Test("a thread is opened by its identifier", arguments: ["ZwOpenThread", "NtOpenThread"]) func openThread(name: String) throws {
    let g = try IOGuest()
    let (result, block) = (try g.space(), try g.space(0x20))
    #expect(try g.status(name, result, 0x40, bare(g), client(g, 0, 0x4d4)) == .success)
    let handle = UInt64(try g.k.load(result))
    #expect(try g.status("ZwQueryInformationThread", handle, 0, block, 0x1c, 0) == .success)
    #expect(try g.k.load(block + 8) == 1232 && g.k.load(block + 12) == 0x4d4)
    #expect(try g.status("ZwQueryInformationThread", handle, 77, block, 0x1c, 0) == NTSTATUS(rawValue: 0xc000_0003))
    // A user's call knows no handle of the kernel's.
    let asked = try g.status("NtQueryInformationThread", handle, 77, block, 0x1c, 0)
    #expect(asked == (name == "NtOpenThread" ? NTSTATUS(rawValue: 0xc000_0003) : .invalidHandle))
    #expect(try g.status(name, result, 0x40, bare(g), client(g, 0, 0x777)) == NTSTATUS(rawValue: 0xc000_000b))
    try g.k.store(12, at: block)
    #expect(try g.status("ZwSetInformationThread", handle, 2, block, 4) == .success)
    #expect(try g.call("KeQueryPriorityThread", g.k.client.object.address) == 12)
    #expect(try g.status("ZwSetInformationThread", handle, 2, block, 5) == .infoLengthMismatch)
    // The handle lacks THREAD_SET_INFORMATION.
    let set = try g.status("NtSetInformationThread", handle, 2, block, 4)
    #expect(set == (name == "NtOpenThread" ? .accessDenied : .invalidHandle))
  }

  @Test("a user's process is closed to other users, and open to its own") func users() throws {
    let g = try IOGuest()
    let kernel = g.k.kernel
    kernel.setUser(.user, of: g.k.notepad)
    let result = UInt64(TestKernel.buffer)
    try g.k.map(1, in: g.k.notepad)
    try g.k.store([1232, 0, 800, 0], at: result + 0x100)
    #expect(try g.status("NtOpenProcess", result, 0x400, 0, result + 0x100) == .success)
    #expect(try g.status("NtOpenProcess", result, 0x400, 0, result + 0x108) == .accessDenied)
    #expect(try g.status("ZwOpenProcess", result, 0x400, 0, result + 0x108) == .success)
  }

  @Test("another process ends with its threads, each in its own context; System does not") func terminate() throws {
    let g = try IOGuest()
    let result = try g.space()
    #expect(try g.status("ZwOpenProcess", result, 1, bare(g), client(g, 800)) == .success)
    #expect(try g.status("ZwTerminateProcess", UInt64(try g.k.load(result)), 0xc000_0001) == .success)
    #expect(try g.status("ZwOpenProcess", result, 1, bare(g), client(g, 4)) == .success)
    #expect(try g.status("ZwTerminateProcess", UInt64(try g.k.load(result)), 0) == .accessDenied)
    #expect(try g.status("ZwTerminateProcess", 0x666, 0) == .invalidHandle)
  }

  @Test("system information: exact lengths, and lengths that depend", arguments: ["ZwQuerySystemInformation", "NtQuerySystemInformation"])
  func system(name: String) throws {
    let g = try IOGuest()
    let (block, needed) = (try g.space(0x2000), try g.space())
    #expect(try g.status(name, 0, block, 0x2c, needed) == .success)
    #expect(try g.k.load(block + 8) == 4096 && g.k.load(block + 0x28) == 1)
    #expect(try g.status(name, 0, block, 0x28, needed) == .infoLengthMismatch)
    #expect(try g.status(name, 35, block, 2, needed) == .success)
    #expect(try g.status(name, 11, block, 4, needed) == .infoLengthMismatch)
    #expect(try g.k.load(needed) == 4 + 2 * 0x11c)
    #expect(try g.status(name, 11, block, 0x2000, needed) == .success)
    #expect(try g.k.load(block + 4 + 8) == 0x804d_7000)
    #expect(try g.status(name, 5, block, 0x2000, needed) == .success)
    let first = try g.k.load(block)
    #expect(try g.k.load(block + UInt64(first) + 0x44) == 4 && g.k.load(block + 0x44) == 0)
    #expect(try g.status(name, 999, block, 0x2000, needed) == NTSTATUS(rawValue: 0xc000_0003))
  }

  @Test("events by handle", arguments: ["Zw", "Nt"]) func events(prefix: String) throws {
    // ZwCreateEvent NtCreateEvent ZwSetEvent NtSetEvent
    // ZwWaitForSingleObject NtWaitForSingleObject
    let g = try IOGuest()
    try g.k.kernel.run(g.k.worker)
    try g.k.linkFrames()
    g.k.registers[.sp] = g.k.frame - 0x40
    try g.k.memory.memory.store(0 as UInt8, at: g.k.worker.object.address + 0x140)
    let (result, previous, zero) = (try g.space(), try g.space(), try g.space())
    let attributes = try g.attributes(#"\BaseNamedObjects\Ready"#)
    #expect(try g.status(prefix + "CreateEvent", result, 0x1f_0003, attributes, 1, 0) == .success)
    let event = UInt64(try g.k.load(result))
    #expect(try g.status(prefix + "WaitForSingleObject", event, 0, zero) == .timeout)
    #expect(try g.status(prefix + "SetEvent", event, previous) == .success)
    #expect(try g.k.load(previous) == 0)
    #expect(try g.status(prefix + "WaitForSingleObject", event, 0, zero) == .success)
    #expect(try g.status(prefix + "WaitForSingleObject", event, 0, zero) == .timeout)
    #expect(try g.status("ZwOpenEvent", result, 2, attributes) == .success)
    #expect(try g.status("ZwResetEvent", UInt64(g.k.load(result)), 0) == .success)
    #expect(try g.status(prefix + "CreateEvent", result, 0x1f_0003, attributes, 1, 0) == .objectNameCollision)
    #expect(try g.status("ZwOpenEvent", result, 2, g.attributes(#"\BaseNamedObjects\Other"#)) == .objectNameNotFound)
    #expect(try g.status(prefix + "SetEvent", 0x4444, 0) == .invalidHandle)
  }

  @Test("what no server answers") func ports() throws {
    let g = try IOGuest()
    #expect(try g.status("ZwConnectPort", g.space(), 0, 0, 0, 0, 0, 0, 0) == .objectNameNotFound)
    #expect(try g.status("ZwRequestWaitReplyPort", 0x4444, 0, 0) == .invalidHandle)
    #expect(try g.status("ZwYieldExecution") == NTSTATUS(rawValue: 0x4000_0024))
  }

  @Test("what processes and threads say of themselves") func facts() throws {
    let g = try IOGuest()
    let (process, thread) = (g.k.notepad.object.address, g.k.client.object.address)
    #expect(try g.call("PsIsThreadTerminating", thread) & 0xff == 0)
    #expect(try g.call("PsIsSystemThread", thread) & 0xff == 0)
    #expect(try g.call("PsIsSystemThread", g.k.worker.object.address) & 0xff == 1)
    #expect(try g.call("IoIsSystemThread", g.k.worker.object.address) & 0xff == 1)
    #expect(try g.call("PsGetProcessImageFileName", process) == process + 0x174)
    #expect(try g.call("PsGetThreadId", thread) == 0x4d4)
    #expect(try g.call("PsGetThreadProcessId", thread) == 1232)
    #expect(try g.call("ExGetPreviousMode") == 1)
    for name in [
      "PsGetProcessExitTime", "PsGetCurrentProcessSessionId", "PsGetCurrentThreadTeb",
    ] { #expect(try g.call(name) == 0) }
    for name in [
      "PsGetProcessCreateTimeQuadPart", "PsGetProcessExitStatus", "PsGetProcessInheritedFromUniqueProcessId",
      "PsGetProcessSectionBaseAddress", "PsGetProcessJob", "PsGetProcessWin32Process", "PsGetProcessDebugPort", "PsGetProcessSessionId",
      "PsAcquireProcessExitSynchronization",
    ] { #expect(try g.call(name, process) == 0) }
    try g.call("PsReleaseProcessExitSynchronization", process)
    let block = try g.call("PsGetProcessPeb", process)
    #expect(block == 0x7ffd_f000 && g.k.notepad.space[block].kind == .pagedOut)
    // Whoever reads by offset finds it too: ProcessParameters, ImagePathName and its buffer; Ldr.InLoadOrderModuleList is empty.
    #expect(try g.k.load(process + 0x1b0) == 0x7ffd_f000)
    let parameters = UInt64(try g.k.load(block + 0x10))
    let path = Pointer<UNICODE_STRING>(parameters + 0x38, in: g.k.memory.memory)
    #expect(try path.string() == #"C:\WINDOWS\system32\notepad.exe"#)
    let loaded = UInt64(try g.k.load(block + 0xc)) + 0xc
    #expect(try g.k.load(loaded) == loaded && g.k.load(loaded + 4) == loaded)
    #expect(try g.call("PsGetProcessPeb", g.k.system.object.address) == 0)
    #expect(try g.call("PsGetThreadTeb", thread) == 0)
    try g.call("PsSetThreadHardErrorsAreDisabled", thread, 1)
    #expect(try g.call("PsGetThreadHardErrorsAreDisabled", thread) & 0xff == 1)
    let irp = try g.call("IoAllocateIrp", 1, 0)
    #expect(try g.call("IoGetRequestorProcessId", irp) == 0)
    try g.k.store(UInt32(thread), at: irp + 0x50)
    #expect(try g.call("IoGetRequestorProcessId", irp) == 1232)
    let (owner, own) = (try g.space(), try g.space())
    #expect(try g.status("PsLookupProcessThreadByCid", client(g, 1232, 0x4d4), owner, own) == .success)
    #expect(try g.k.load(own) == UInt32(thread) && g.k.load(owner) == UInt32(process))
    #expect(try g.status("PsLookupProcessThreadByCid", client(g, 1232, 0x44), 0, own) == NTSTATUS(rawValue: 0xc000_000b))
  }

  @Test("pool by its other names") func pool() throws {
    let g = try IOGuest()
    for name in ["ExAllocatePool", "ExAllocatePoolWithQuota"] {
      let block = try g.call(name, 1, 32)
      #expect(block != 0)
      try g.call("ExFreePool", block)
    }
    #expect(try g.call("ExAllocatePoolWithQuotaTag", 8, 32, 0x31323334) != 0)
    #expect(try g.call("ExAllocatePoolWithTagPriority", 0, 32, 0x31323334, 32) != 0)
    let (first, second) = (try g.space(), try g.space())
    #expect(try g.status("ExUuidCreate", first).isSuccess && g.status("ExUuidCreate", second).isSuccess)
    #expect(try g.k.load(first) != g.k.load(second))
    #expect(try g.k.load(first + 4) >> 28 == 1)
  }
}
