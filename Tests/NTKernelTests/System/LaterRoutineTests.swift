import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Processor groups, event tracing, and what few import by name") struct LaterRoutineTests {
  @Test("there is one group, and one processor in it") func counts() throws {
    let g = try IOGuest()
    for name in ["KeQueryActiveProcessorCountEx", "KeQueryMaximumProcessorCountEx"] {
      #expect(try g.call(name, 0) == 1 && g.call(name, 0xffff) == 1 && g.call(name, 1) == 0)
    }
    #expect(try g.call("KeQueryMaximumProcessorCount") == 1 && g.call("KeQueryActiveGroupCount") & 0xffff == 1)
    #expect(try g.call("KeQueryMaximumGroupCount") & 0xffff == 1)
    #expect(try g.call("KeQueryGroupAffinity", 0) == 1 && g.call("KeQueryGroupAffinity", 1) == 0)
    let number = try g.space()
    try g.k.store(7, at: number)
    #expect(try g.call("KeGetCurrentProcessorNumberEx", 0) == 0 && g.call("KeGetCurrentProcessorNumberEx", number) == 0)
    #expect(try g.call("KeGetProcessorIndexFromNumber", number) == 0)
    #expect(try g.status("KeGetProcessorNumberFromIndex", 0, number) == .success)
    #expect(try g.status("KeGetProcessorNumberFromIndex", 1, number) == .invalidParameter)
    try g.k.store(1, at: number)
    #expect(try g.call("KeGetProcessorIndexFromNumber", number) == 0xffff_ffff)
    let dpc = try g.space(0x20)
    #expect(try g.status("KeSetTargetProcessorDpcEx", dpc, number) == .invalidParameter)
    try g.k.store(0, at: number)
    #expect(try g.status("KeSetTargetProcessorDpcEx", dpc, number) == .success && g.k.byte(dpc + 2) == 32)
    #expect(try g.call("KeIsExecutingDpc") == 0)
    let affinity = try g.space(0x20)
    try g.call("KeInitializeAffinityEx", affinity)
    try g.call("KeAddProcessorAffinityEx", affinity, 0)
    try g.call("KeAddProcessorAffinityEx", affinity, 64)
    #expect(try g.k.load(affinity + 8) == 1)
  }

  @Test("a thread's affinity is changed and put back") func affinity() throws {
    let g = try IOGuest()
    let (wish, previous) = (try g.space(), try g.space())
    #expect(try g.call("KeSetSystemAffinityThreadEx", 1) == 0 && g.call("KeSetSystemAffinityThreadEx", 1) == 1)
    try g.call("KeRevertToUserAffinityThreadEx", 1)
    try g.call("KeRevertToUserAffinityThreadEx", 0)
    #expect(try g.call("KeSetSystemAffinityThreadEx", 1) == 0)
    try g.call("KeRevertToUserAffinityThreadEx", 0)
    try g.k.store([1, 0, 0], at: wish)
    try g.call("KeSetSystemGroupAffinityThread", wish, previous)
    #expect(try g.k.load(previous) == 0 && g.call("KeSetSystemAffinityThreadEx", 1) == 1)
    try g.call("KeRevertToUserGroupAffinityThread", previous)
    // A group that is not there changes nothing.
    try g.k.store([1, 1, 0], at: wish)
    try g.call("KeSetSystemGroupAffinityThread", wish, previous)
    #expect(try g.call("KeSetSystemAffinityThreadEx", 1) == 0)
  }

  @Test("cores and groups are described, and the length that it takes") func relations() throws {
    let g = try IOGuest()
    let (buffer, length) = (try g.space(0x100), try g.space())
    #expect(try g.status("KeQueryLogicalProcessorRelationship", 0, 4, 0, length) == .infoLengthMismatch && g.k.load(length) == 76)
    #expect(try g.status("KeQueryLogicalProcessorRelationship", 0, 4, buffer, length) == .success)
    #expect(try [0, 4, 8, 0x48].map { try g.k.load(buffer + $0) } == [4, 76, 0x1_0001, 1])
    try g.k.store(0x100, at: length)
    #expect(try g.status("KeQueryLogicalProcessorRelationship", 0, 0xffff, buffer, length) == .success && g.k.load(length) == 120)
    #expect(try g.k.load(buffer + 0x20) == 1 && g.k.load(buffer + 44) == 4)
    #expect(try g.status("KeQueryLogicalProcessorRelationship", 0, 9, buffer, length) == .invalidParameter)
  }

  @Test("whoever wants to know of processors is told of the one that is there") func processorChanges() throws {
    let g = try IOGuest()
    var states: [UInt32] = []
    var answer = NTSTATUS.success
    g.routine(at: 0xf8b0_8000, 3) {
      states.append(try g.k.load($0[1]))
      #expect($0[0] == 0x77)
      try g.k.store(answer.rawValue, at: $0[2])
      return 0
    }
    let handle = try g.call("KeRegisterProcessorChangeCallback", 0xf8b0_8000, 0x77, 1)
    #expect(handle != 0 && states == [0, 1])
    try g.call("KeDeregisterProcessorChangeCallback", handle)
    answer = .insufficientResources
    #expect(try g.call("KeRegisterProcessorChangeCallback", 0xf8b0_8000, 0x77, 1) == 0 && states == [0, 1, 0, 2])
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
  }

  @Test("an event provider comes and goes, and nobody wants its events") func eventTracing() throws {
    let g = try IOGuest()
    let (identifier, handle) = (try g.space(), try g.space())
    #expect(try g.status("EtwRegister", identifier, 0, 0, handle) == .success)
    #expect(try g.status("EtwRegister", 0, 0, 0, handle) == .invalidParameter)
    let (low, high) = (UInt64(try g.k.load(handle)), UInt64(try g.k.load(handle + 4)))
    #expect(try g.call("EtwEventEnabled", low, high, identifier) & 0xff == 0)
    #expect(try g.call("EtwProviderEnabled", low, high, 4, 1, 0) & 0xff == 0)
    #expect(try g.status("EtwWrite", low, high, identifier, 0, 0, 0) == .success)
    #expect(try g.status("EtwWriteString", low, high, 4, 0, 0, 0, identifier) == .success)
    #expect(try g.status("EtwWriteTransfer", low, high, identifier, 0, 0, 0, 0) == .success)
    #expect(try g.status("EtwUnregister", low, high) == .success && g.status("EtwUnregister", low, high) == .invalidHandle)
    #expect(try g.status("EtwWrite", low, high, identifier, 0, 0, 0) == .invalidHandle)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
  }

  @Test("threads and processes say what they are") func facts() throws {
    let g = try IOGuest()
    let (thread, process) = (g.k.client.object, g.k.notepad.object)
    #expect(try g.call("PsGetCurrentThread") == thread.address && g.call("PsGetCurrentThreadProcess") == process.address)
    #expect(try g.call("PsGetCurrentThreadProcessId") == 1232 && g.call("PsGetCurrentThreadPreviousMode") == 1)
    #expect(try g.call("PsGetCurrentThreadStackBase") > g.call("PsGetCurrentThreadStackLimit"))
    #expect(try g.call("PsGetProcessExitProcessCalled", process.address) & 0xff == 0)
    for (name, own, system) in [
      ("PsGetProcessSessionIdEx", 0, 0xffff_ffff), ("PsIsSystemProcess", 0, 1), ("PsIsProtectedProcess", 0, 1),
      ("PsIsProcessBeingDebugged", 0, 0),
    ] as [(String, UInt64, UInt64)] {
      #expect(try g.call(name, process.address) == own && g.call(name, g.k.system.object.address) == system, "\(name)")
    }
  }

  @Test("references with a tag count as those without") func tags() throws {
    let g = try IOGuest()
    let (event, result, information) = (try g.space(), try g.space(), try g.space())
    #expect(try g.status("ZwCreateEvent", event, 0x1f_0003, g.attributes(#"\Tagged"#), 0, 0) == .success)
    let handle = UInt64(try g.k.load(event))
    #expect(try g.status("ObReferenceObjectByHandleWithTag", handle, 1, 0, 0, 0x6761_7401, result, information) == .success)
    let object = UInt64(try g.k.load(result))
    #expect(try g.k.load(information + 4) == 0x1f_0003)
    #expect(try g.status("ObReferenceObjectByHandleWithTag", 0x4444, 1, 0, 0, 0, result, 0) == .invalidHandle)
    #expect(try g.status("ObReferenceObjectByPointerWithTag", object, 0, 0, 0, 0) == .success)
    #expect(try g.status("ObReferenceObjectByPointerWithTag", object, 0, g.k.client.object.address, 0, 0) == .objectTypeMismatch)
    let count = try g.call("ObfReferenceObjectWithTag", object, 0x6761_7401)
    #expect(try g.call("ObfDereferenceObjectWithTag", object, 0x6761_7401) == count - 1)
    for _ in 0..<2 { try g.call("ObfDereferenceObjectWithTag", object, 0) }
    #expect(try g.status("ZwClose", handle) == .success && g.k.kernel.leftovers(of: g.driver).isEmpty)
  }

  @Test("a control request needs the access that its file was opened with") func controlAccess() throws {
    let g = try IOGuest()
    var answers: [NTSTATUS] = []
    try g.acceptFiles()
    try g.dispatch(0xe) { _, irp in
      answers = try [0, 1, 2, 3, 4].map { try g.status("IoValidateDeviceIoControlAccess", irp, $0) }
      // A user's request, of a file that was opened for reading.
      let file = UInt64(try g.k.load(UInt64(try g.k.load(irp + 0x60)) + 0x18))
      try g.k.memory.memory.store(UInt8(1), at: irp + 0x20)
      try g.k.memory.memory.store(UInt8(0), at: file + 0x27)
      answers += try [1, 2].map { try g.status("IoValidateDeviceIoControlAccess", irp, $0) }
      try g.k.memory.memory.store(UInt8(0), at: irp + 0x20)
      return try g.complete(irp)
    }
    _ = try g.device(#"\Device\Asked"#)
    let (handle, block) = (try g.open(#"\Device\Asked"#), try g.space())
    #expect(try g.status("ZwDeviceIoControlFile", handle, 0, 0, 0, block, 0x22_2000, 0, 0, 0, 0) == .success)
    #expect(answers == [.success, .success, .success, .success, .invalidParameter, .success, .accessDenied])
  }

  @Test("what the security authority would answer is given back, and it does not answer") func securityAuthority() throws {
    let g = try IOGuest()
    let (base, size) = (try g.space(), try g.space())
    try g.k.store([0, 0x1000], at: base)
    try g.k.store(0x1000, at: size)
    #expect(try g.status("ZwAllocateVirtualMemory", 0xffff_ffff, base, 0, size, 0x3000, 4) == .success)
    let buffer = UInt64(try g.k.load(base))
    #expect(try g.status("LsaFreeReturnBuffer", buffer) == .success && g.status("LsaFreeReturnBuffer", buffer) != .success)
    let result = try g.space()
    try g.k.store(7, at: result)
    #expect(try g.status("GetSecurityUserInfo", 0, 0, result).rawValue == 0xc000_005f && g.k.load(result) == 0)
  }

  @Test("a timer may be late, and need not be") func coalescable() throws {
    let g = try IOGuest()
    let timer = try g.space(0x28)
    try g.call("KeInitializeTimer", timer)
    #expect(try g.call("KeSetCoalescableTimer", timer, 0xffff_d8f0, 0xffff_ffff, 0, 50, 0) & 0xff == 0)
    #expect(try g.call("KeSetCoalescableTimer", timer, 0xffff_d8f0, 0xffff_ffff, 0, 50, 0) & 0xff == 1)
    #expect(try g.call("KeCancelTimer", timer) & 0xff == 1)
  }

  @Test("the standard's printf without a count") func countless() throws {
    let g = try IOGuest()
    let (buffer, format, list) = (try g.space(0x40), try g.space(0x20), try g.space())
    for (index, unit) in "%d!".utf16.enumerated() { try g.k.memory.memory.store(unit, at: format + 2 * UInt64(index)) }
    try g.k.store(42, at: list)
    #expect(try g.call("_vswprintf", buffer, format, list) == 3 && g.k.load(buffer) == 0x0032_0034)
    #expect(try g.call("_swprintf", buffer, format, 7) == 2 && g.k.load(buffer) == 0x0021_0037)
  }

  @Test("a finally block knows whether an unwind runs it") func abnormalTermination() throws {
    let g = try IOGuest()
    var seen: [UInt64] = []
    g.routine(at: 0xf8b0_9000, 0) { _ in
      seen.append(try g.call("_abnormal_termination"))
      // A function that it calls has a frame of its own.
      let (head, own) = (try g.k.load(g.k.kernel.kpcr.address), try g.space())
      try g.k.store([head, 0xf8b0_9100], at: own)
      try g.k.store(UInt32(own), at: g.k.kernel.kpcr.address)
      seen.append(try g.call("_abnormal_termination"))
      try g.k.store(head, at: g.k.kernel.kpcr.address)
      return 0
    }
    let table = try g.space()
    try g.k.store([0xffff_ffff, 0, 0xf8b0_9000], at: table)
    try g.k.store([UInt32(table), 0], at: g.k.frame + 8)
    #expect(try g.call("_abnormal_termination") == 0)
    try g.call("_local_unwind2", g.k.frame, 0xffff_ffff)
    #expect(seen == [1, 0])
    #expect(try g.call("_abnormal_termination") == 0)
  }

  @Test("a display miniport registers with Windows 7's graphics kernel, and gets an adapter that does not start") func graphics() throws {
    let g = try IOGuest(target: .windows7_x86)
    let (file, device, block, result) = (try g.space(), try g.space(), try g.space(), try g.space())
    let service = try g.string(#"\Registry\Machine\System\CurrentControlSet\Services\DXGKrnl"#)
    // STATUS_IMAGE_ALREADY_LOADED
    try g.k.kernel.run(g.k.worker)
    #expect(try g.status("ZwLoadDriver", service).rawValue == 0xc000_010e)
    #expect(try g.status("IoGetDeviceObjectPointer", g.string(#"\Device\DxgKrnl"#), 0x1f_01ff, file, device) == .success)
    let event = try g.space()
    try g.call("KeInitializeEvent", event, 0, 0)
    func ask(_ code: UInt64) throws -> NTSTATUS {
      let irp = try g.call("IoBuildDeviceIoControlRequest", code, UInt64(g.k.load(device)), 0, 0, result, 4, 1, event, block)
      return try g.status("IofCallDriver", UInt64(g.k.load(device)), irp)
    }
    #expect(try ask(0x23_0047) == .invalidDeviceRequest && ask(0x23_003f) == .success)
    #expect(try UInt64(g.k.load(result)) == g.k.trap("DpiInitialize"))
    var called: [String] = []
    for (offset, name) in [(4, "add"), (0x10, "remove"), (0x38, "unload")] as [(UInt64, String)] {
      g.routine(at: 0xf8b0_7000 + offset, name == "add" ? 2 : name == "remove" ? 1 : 0) {
        called.append(name)
        if name == "add" { try g.k.store(0xabcd, at: $0[1]) }
        if name == "remove" { #expect($0[0] == 0xabcd) }
        return 0
      }
    }
    let data = try g.space(0x40)
    try g.k.store([0x1005], at: data)
    let path = try g.string(#"\Registry\Machine\System\CurrentControlSet\Services\demo"#)
    #expect(try g.status("DpiInitialize", g.driver.object.address, path, data) == .revisionMismatch)
    try g.k.store([0x2005], at: data)
    for offset in [4, 0x10, 0x38] as [UInt64] { try g.k.store(UInt32(0xf8b0_7000 + offset), at: data + offset) }
    #expect(try g.status("DpiInitialize", g.driver.object.address, path, data) == .success)
    let physical = try g.device(nil)
    #expect(try g.status("DpiAddDevice", g.driver.object.address, physical) == .success)
    try g.call("DpiUnload", g.driver.object.address)
    #expect(called == ["add", "unload"])
    // What START_DEVICE and REMOVE_DEVICE come to, DpiDispatch says: a driver's run shows it.
  }

  @Test("Windows XP has no graphics kernel") func graphicsOfXP() throws {
    let g = try IOGuest()
    try g.k.kernel.run(g.k.worker)
    #expect(
      try g.status("ZwLoadDriver", g.string(#"\Registry\Machine\System\CurrentControlSet\Services\DXGKrnl"#)) == .objectNameNotFound)
    #expect(try g.status("IoGetDeviceObjectPointer", g.string(#"\Device\DxgKrnl"#), 1, g.space(), g.space()) == .objectNameNotFound)
  }
}
