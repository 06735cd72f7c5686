import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("The machine's clock, end and dump; rarer requests and security") struct MachineStateTests {
  @Test("the clock is set, and whoever registered is notified") func clock() throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    let (new, old, callback) = (try g.space(), try g.space(), try g.space())
    var notified = 0
    g.routine(at: 0xf8b0_8000, 3) { _ in
      notified += 1
      return 0
    }
    #expect(try g.status("ExCreateCallback", callback, g.attributes(#"\Callback\SetSystemTime"#), 1, 1) == .success)
    try g.call("ExRegisterCallback", UInt64(g.k.load(callback)), 0xf8b0_8000, 0)
    let before = g.k.kernel.systemTime
    try here.store(UInt64(0x01d0_0000_0000_0000), at: new)
    #expect(try g.status("ZwSetSystemTime", new, old) == .success && here.load(UInt64.self, at: old) == before && notified == 1)
    #expect(g.k.kernel.systemTime == 0x01d0_0000_0000_0000)
    try g.call("KeQuerySystemTime", old)
    #expect(try here.load(UInt64.self, at: old) >> 32 == 0x01d0_0000 || here.load(UInt64.self, at: old) >> 32 == 0x01cf_ffff)
    try here.store(Int64(-1), at: new)
    #expect(try g.status("ZwSetSystemTime", new, 0) == .invalidParameter && g.status("ZwSetSystemTime", 0, 0) == .accessViolation)
  }

  @Test("drivers hear of the shutdown, the last that asked first") func shutdown() throws {
    let g = try IOGuest()
    var seen: [UInt64] = []
    try g.dispatch(0x10) { device, irp in
      seen.append(device)
      return try g.complete(irp)
    }
    let (first, second) = (try g.device(#"\Device\A"#), try g.device(#"\Device\B"#))
    let (last, system, away) = (try g.device(#"\Device\C"#), try g.device(#"\Device\D"#), try g.device(#"\Device\E"#))
    for device in [last, away] { #expect(try g.status("IoRegisterLastChanceShutdownNotification", device) == .success) }
    try g.call("IoUnregisterShutdownNotification", away)
    try g.call("IoRegisterFileSystem", system)
    for device in [first, second] { #expect(try g.status("IoRegisterShutdownNotification", device) == .success) }
    // A user's thread has no SE_SHUTDOWN_PRIVILEGE.
    #expect(try g.status("NtShutdownSystem", 0) == .privilegeNotHeld && seen.isEmpty)
    try g.k.kernel.run(g.k.worker)
    #expect(try g.status("NtShutdownSystem", 0) == .success && seen == [second, first, system, last])
    // Who was told is not told again.
    #expect(try g.status("NtShutdownSystem", 0) == .success && seen.count == 5 && seen[4] == system)
    #expect(try g.status("NtShutdownSystem", 3) == .invalidParameter)
  }

  @Test("a small dump says what happened") func dump() throws {
    let g = try IOGuest()
    let (context, buffer) = (try g.space(0x2cc), try g.space(0x1_0000))
    #expect(try g.call("KeCapturePersistentThreadState", context, 0, 0xd1, 1, 2, 3, 4, buffer) == 0x1_0000)
    #expect(
      try [0, 4, 0x28, 0x2c, 0x38, 0xf88, 0xfffc].map { try g.k.load(buffer + $0) } == [
        0x4547_4150, 0x504d_5544, 0xd1, 1, 4, 4, 0x4447_5254,
      ])
    #expect(try g.call("KeCapturePersistentThreadState", 0, 0, 0, 0, 0, 0, 0, buffer) == 0)
  }

  @Test("an interrupt handler that jumps to Kei386EoiHelper goes on where it interrupted") func endOfInterrupt() throws {
    let g = try RuntimeGuest()
    let frame = try g.room(0x8c)
    try g.memory.memory.fill(0, count: 0x8c, at: frame)
    for (offset, value) in [
      (0x3c, 3), (0x40, 2), (0x44, 1), (0x4c, 0xffff_ffff), (0x54, 6), (0x58, 5), (0x5c, 4), (0x60, 7), (0x68, RuntimeGuest.caller),
      (0x6c, 8), (0x70, 0x202),
    ] as [(UInt64, UInt64)] {
      try g.store(UInt32(value), at: frame + offset)
    }
    let table = ExportTable(ExportTable.kernel)
    let number = try #require(table.number(of: "Kei386EoiHelper"))
    g.registers[.bp] = frame
    g.registers[.sp] = frame
    #expect(g.kernel.serve(trap: number) == .proceed)
    #expect([Register.ax, .cx, .dx, .bx, .si, .di, .bp].map { g.registers[$0] } == [1, 2, 3, 4, 5, 6, 7])
    #expect(g.registers[.ip] == RuntimeGuest.caller && g.registers[.sp] == frame + 0x74)
  }

  @Test("nothing is under verification") func verifier() throws {
    let g = try RuntimeGuest()
    #expect(try g.call("VfIsVerificationEnabled", 1, 0x1234) & 0xff == 0)
    #expect(try g.outcome("VfFailDeviceNode", [0, 0, 0, 0, 0, 0, 0]) != .bugCheck(0xc4))
  }

  @Test("extended attributes are checked, volumes verified, pages of requests told") func requests() throws {
    let v = try VolumeGuest()
    let g = v.g
    let here = g.k.memory.memory
    let (list, error) = (try g.space(0x40), try g.space())
    // Two attributes: AB with three bytes, C with none.
    let bytes: [UInt8] = [16, 0, 0, 0, 0, 2, 3, 0, 65, 66, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 67, 0]
    try here.write(bytes, at: list)
    #expect(try g.status("IoCheckEaBufferValidity", list, UInt64(bytes.count), error) == .success)
    #expect(try g.status("IoCheckEaBufferValidity", list, UInt64(bytes.count - 1), error) == .eaListInconsistent && g.k.load(error) == 16)
    try g.k.store([20], at: list)
    #expect(try g.status("IoCheckEaBufferValidity", list, UInt64(bytes.count), error) == .eaListInconsistent && g.k.load(error) == 0)
    #expect(try g.status("IoVerifyVolume", v.volume.storageDevice.address, 0) == .success)
    #expect(try g.status("IoVerifyVolume", g.device(nil), 0) == .invalidDeviceRequest)
    #expect(try g.status("IoQueryDeviceDescription", g.space(), 0, 0, 0, 0, 0, 0xf8b0_8100, 0) == .objectNameNotFound)
    #expect(try g.status("IoQueryDeviceDescription", 0, 0, 0, 0, 0, 0, 0xf8b0_8100, 0) == .notImplemented)
    let handle = try g.call("IoRegisterBootDriverCallback", 0xf8b0_8200, 0)
    #expect(try handle != 0 && g.call("IoRegisterBootDriverCallback", 0, 0) == 0)
    try g.call("IoUnregisterBootDriverCallback", handle)
    let irp = try g.call("IoAllocateIrp", 1, 0)
    #expect(try g.call("IoGetPagingIoPriority", irp) == 0)
    try g.k.store([2], at: irp + 8)
    #expect(try g.call("IoGetPagingIoPriority", irp) == 1)
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    #expect(try g.call("IoGetTransactionParameterBlock", v.file(file).address) == 0)
    #expect(try g.status("ZwQueryInformationTransaction", file, 0, list, 0x20, 0) == .objectTypeMismatch)
    #expect(try g.status("NtQueryInformationTransaction", 0x7ff0, 0, list, 0x20, 0) == .invalidHandle)
    let pointers = try v.file(file).SectionObjectPointer.load().address
    #expect(try g.call("MmDoesFileHaveUserWritableReferences", pointers) == 0)
    let section = try g.space()
    // SECTION_ALL_ACCESS, PAGE_READWRITE, SEC_COMMIT
    #expect(try g.status("ZwCreateSection", section, 0xf001f, 0, 0, 4, 0x800_0000, file) == .success)
    #expect(try g.call("MmDoesFileHaveUserWritableReferences", pointers) == 1)
    #expect(try g.status("RtlCreateSystemVolumeInformationFolder", g.string(#"\??\C:"#)) == .success)
    #expect(try v.create(#"\??\C:\System Volume Information"#, access: 0x10_0080, options: 1) == .success)
    #expect(try g.status("RtlCreateSystemVolumeInformationFolder", g.string(#"\??\Q:"#)) != .success)
  }

  @Test("sessions, filtered tokens and shared descriptors") func security() throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    let (place, id) = (try g.space(), try g.space())
    #expect(try g.status("SeRegisterLogonSessionTerminatedRoutine", 0xf8b0_8300) == .success)
    #expect(try g.status("SeRegisterLogonSessionTerminatedRoutine", 0) == .invalidParameter)
    #expect(try g.status("SeUnregisterLogonSessionTerminatedRoutine", 0xf8b0_8300) == .success)
    #expect(try g.status("SeUnregisterLogonSessionTerminatedRoutine", 0xf8b0_8300) == .notFound)
    let process = try #require(g.k.kernel.processes.first).object.address
    let token = try g.call("PsReferencePrimaryToken", process)
    #expect(try g.status("SeQueryAuthenticationIdToken", token, id) == .success)
    #expect(try g.status("SeMarkLogonSessionForTerminationNotification", id) == .success)
    try here.store(UInt64(0x1234_5678), at: id)
    #expect(try g.status("SeMarkLogonSessionForTerminationNotification", id) == .notFound)
    // Without the Administrators alias, S-1-5-32-544.
    let (sid, groups) = (try g.space(), try g.space())
    try here.write([1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0], at: sid)
    try g.k.store([1, UInt32(sid), 0], at: groups)
    #expect(try g.call("SeTokenIsAdmin", token) & 1 == 1)
    #expect(try g.status("SeFilterToken", token, 1, groups, 0, groups, place) == .success)
    let filtered = UInt64(try g.k.load(place))
    #expect(try g.call("SeTokenIsAdmin", filtered) & 1 == 0 && g.call("SeTokenIsRestricted", filtered) & 1 == 1)
    #expect(try g.status("SeFilterToken", place, 0, 0, 0, 0, place) == .invalidParameter)
    #expect(try g.status("SeLocateProcessImageName", process, place) == .success)
    #expect(try Pointer<UNICODE_STRING>(UInt64(g.k.load(place)), in: here).string().contains("System"))
    #expect(try g.status("SeLocateProcessImageName", place, place) == .invalidParameter)
    try g.k.store([0xff], at: place)
    try g.call("SeOpenObjectAuditAlarm", 0, 0, 0, 0, 0, 0, 1, 0, place)
    #expect(try g.k.load(place) & 0xff == 0)
    let (subject, descriptor) = (try g.space(), try g.space(0x20))
    try g.call("SeCaptureSubjectContext", subject)
    #expect(try g.status("SeAssignSecurityEx", 0, 0, place, 0, 0, 0, subject, g.space(), 1) == .success && g.k.load(place) != 0)
    let assigned = UInt64(try g.k.load(place))
    #expect(try g.status("SeAssignSecurityEx", 0, descriptor, place, 0, 0, 0, subject, g.space(), 1) == .invalidSecurityDescriptor)
    #expect(try g.status("ObLogSecurityDescriptor", assigned, place, 1) == .success)
    let shared = UInt64(try g.k.load(place))
    #expect(
      try g.status("ObLogSecurityDescriptor", assigned, place, 1) == .success && g.k.load(place) == UInt32(shared) && shared != assigned)
    #expect(try g.status("ObLogSecurityDescriptor", descriptor, place, 1) == .invalidSecurityDescriptor)
    try g.call("ObDereferenceSecurityDescriptor", shared, 1)
    #expect(g.k.kernel.isPoolBlock(shared))
    try g.call("ObDereferenceSecurityDescriptor", shared, 1)
    #expect(!g.k.kernel.isPoolBlock(shared))
  }
}
