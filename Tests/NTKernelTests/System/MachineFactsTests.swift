import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("The kernel's files, identifiers and interfaces") struct MachineFactsTests {
  @Test("the debugger's data stands where XP's drivers count on it, and leads to the table of identifiers")
  func identifiers() throws {
    let g = try IOGuest()
    let version = UInt64(try g.k.load(g.k.kernel.kpcr.address + 0x34))
    #expect(try UInt64(g.k.load(version + 0x70)) == g.k.kernel.address(ofVariable: "PsLoadedModuleList", in: "nt"))
    #expect(try g.k.load(UInt64(g.k.load(version + 0x78))) == UInt32(g.k.system.object.ActiveProcessLinks.address))
    let variable = UInt64(try g.k.load(version + 0x80))
    // Nobody has looked yet.
    #expect(g.k.memory.kernel[variable].kind == .free && g.k.memory.memory.allows(.read, at: variable) == false)
    #expect(try g.call("MmIsAddressValid", variable) & 0xff == 1)
    let table = UInt64(try g.k.load(variable))
    let code = UInt64(try g.k.load(table))
    #expect(code & 7 == 1)
    func entry(_ id: UInt64) throws -> UInt64 {
      UInt64(try g.k.load((code & ~7) + id / 4 / 512 * 4)) + id / 4 % 512 * 8
    }
    #expect(try UInt64(g.k.load(entry(1232))) & ~7 == g.k.notepad.object.address)
    #expect(try UInt64(g.k.load(entry(0x4d4))) & ~7 == g.k.client.object.address)
    // HandleCount: three processes and their threads.
    let count = try g.k.load(table + 0x3c)
    let late = try g.k.kernel.createProcess("late.exe", uniqueID: 2400)
    #expect(try UInt64(g.k.load(entry(2400))) & ~7 == late.object.address && g.k.load(table + 0x3c) == count + 1)
    try g.k.kernel.exit(late)
    #expect(try g.k.load(entry(2400)) == 0 && g.k.load(table + 0x3c) == count)
    // What is cleared is not found any more.
    let result = try g.space()
    #expect(try g.status("PsLookupProcessByProcessId", 800, result) == .success)
    try g.call("ObfDereferenceObject", UInt64(g.k.load(result)))
    try g.k.store(0, at: entry(800))
    #expect(try g.status("PsLookupProcessByProcessId", 800, result) == .invalidParameter)
    try g.k.store(0, at: entry(0x4d4))
    #expect(try g.status("PsLookupThreadByThreadId", 0x4d4, result) == .invalidParameter)
  }

  @Test("a routine of the HAL's lies in the HAL's image, whose headers are found by going back from it")
  func halImage() throws {
    let g = try IOGuest()
    _ = try g.k.kernel.moduleList()
    let routine = try g.k.trap("KfAcquireSpinLock")
    var page = routine & ~0xfff
    while try g.call("MmIsAddressValid", page) & 0xff == 0 || g.k.half(page) != 0x5a4d { page -= 0x1000 }
    let headers = page + UInt64(try g.k.load(page + 0x3c))
    #expect(try g.k.load(headers) == 0x4550 && g.k.half(headers + 6) == 3)
    #expect(try page < routine && routine < page + UInt64(g.k.load(headers + 0x50)))
    let directory = page + UInt64(try g.k.load(headers + 0x78))
    let name = page + UInt64(try g.k.load(directory + 0xc))
    #expect(try String(decoding: g.k.memory.memory.bytes(7, at: name), as: UTF8.self) == "hal.dll")
    let functions = page + UInt64(try g.k.load(directory + 0x1c))
    let found = try (0..<UInt64(g.k.load(directory + 0x14))).map { page + UInt64(try g.k.load(functions + 4 * $0)) }
    #expect(found.contains(routine))
    // The kernel's own are elsewhere.
    #expect(try g.k.trap("ExAllocatePoolWithTag") < page)
  }

  @Test("the kernel's and the HAL's files hold what is in memory", arguments: ["ntoskrnl.exe", "hal.dll"])
  func files(name: String) throws {
    let g = try IOGuest()
    let (place, block, buffer) = (try g.space(), try g.space(), try g.space(0x1000))
    let path = #"\SystemRoot\system32\"# + name
    #expect(try g.status("ZwOpenFile", place, 0x10_0001, g.attributes(path), block, 1, 0x20) == .success)
    let file = UInt64(try g.k.load(place))
    let offset = try g.space()
    #expect(try g.status("ZwReadFile", file, 0, 0, 0, block, buffer, 0x1000, offset, 0) == .success)
    let entry = try g.k.kernel.moduleList().entries(limit: 2)[name == "hal.dll" ? 1 : 0]
    let base = try entry.container(\LDR_DATA_TABLE_ENTRY.InLoadOrderLinks).DllBase.load().address
    #expect(try g.k.memory.memory.bytes(0x1000, at: buffer) == g.k.memory.memory.bytes(0x1000, at: base))
    // A routine's code, where the section says that it lies.
    let routine = try g.k.trap(name == "hal.dll" ? "KeGetCurrentIrql" : "IoCreateDevice")
    try g.k.store([UInt32(routine - base), 0], at: offset)
    #expect(try g.status("ZwReadFile", file, 0, 0, 0, block, buffer, 16, offset, 0) == .success)
    #expect(try g.k.memory.memory.bytes(16, at: buffer) == g.k.memory.memory.bytes(16, at: routine))
    #expect(try g.status("ZwClose", file) == .success)
  }

  @Test(
    "disk, volume, CD-ROM drive, keyboard and mouse have interfaces",
    arguments: [
      ([0x53f5_6307, 0x11d0_b6bf, 0xa000_f294, 0x8bfb_1ec9], #"\Device\Harddisk0\DR0"#),
      ([0x53f5_630d, 0x11d0_b6bf, 0xa000_f294, 0x8bfb_1ec9], #"\Device\HarddiskVolume1"#),
      ([0x53f5_6308, 0x11d0_b6bf, 0xa000_f294, 0x8bfb_1ec9], #"\Device\CdRom0"#),
      ([0x884b_96c3, 0x11d1_56ef, 0xa000_8cbc, 0xdd05_14c9], #"\Device\KeyboardClass0"#),
      ([0x378d_e44c, 0x11d1_56ef, 0xa000_8cbc, 0xdd05_14c9], #"\Device\PointerClass0"#),
    ] as [([UInt32], String)])
  func interfaces(identifier: [UInt32], device: String) throws {
    let g = try IOGuest()
    let (guid, result) = (try g.space(), try g.space())
    try g.k.store(identifier, at: guid)
    #expect(try g.status("IoGetDeviceInterfaces", guid, 0, 0, result) == .success)
    var (link, place) = ("", UInt64(try g.k.load(result)))
    while case let unit = try g.k.half(place), unit != 0 {
      link.unicodeScalars.append(Unicode.Scalar(unit) ?? "?")
      place += 2
    }
    #expect(link.hasPrefix(#"\??\"#) && link.hasSuffix("}"))
    let (file, object) = (try g.space(), try g.space())
    #expect(try g.status("IoGetDeviceObjectPointer", g.string(link), 0x80, file, object) == .success)
    try g.call("ObfDereferenceObject", UInt64(g.k.load(file)))
    // Who asks to be told of them is told of the one that is there.
    var told = 0
    g.routine(at: 0xf8b0_6000, 2) { _ in
      told += 1
      return 0
    }
    #expect(
      try g.status("IoRegisterPlugPlayNotification", 2, 1, guid, g.driver.object.address, 0xf8b0_6000, 0, result) == .success && told == 1)
    // Another class has none.
    try g.k.store(0, at: guid)
    #expect(try g.status("IoGetDeviceInterfaces", guid, 0, 0, result) == .success && g.k.half(UInt64(g.k.load(result))) == 0)
  }

  @Test("events and threads by their handles: cleared, pulsed, alerted") func handles() throws {
    let g = try IOGuest()
    let (place, previous) = (try g.space(), try g.space())
    #expect(try g.status("ZwCreateEvent", place, 0x1f_0003, g.attributes(#"\Cleared"#), 0, 1) == .success)
    let event = UInt64(try g.k.load(place))
    #expect(try g.status("ZwClearEvent", event) == .success && g.status("ZwClearEvent", 0x4444) == .invalidHandle)
    #expect(try g.status("ZwPulseEvent", event, previous) == .success && g.k.load(previous) == 0)
    #expect(try g.status("ZwPulseEvent", 0x4444, previous) == .invalidHandle)
    // NtCurrentThread
    #expect(try g.status("ZwAlertThread", 0xffff_fffe) == .success && g.status("ZwAlertThread", event) == .objectTypeMismatch)
    #expect(try g.call("KeTestAlertThread", 0) & 0xff == 1)
  }

  @Test("what the thread has asked of a file is cancelled") func cancelFile() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    var cancelled: [UInt64] = []
    g.routine(at: 0xf8b0_6100, 2) {
      cancelled.append($0[1])
      try g.call("IoReleaseCancelSpinLock", UInt64(g.k.byte($0[1] + 0x25)))
      _ = try g.complete($0[1], NTSTATUS(rawValue: 0xc000_0120))
      return 0
    }
    try g.dispatch(3) { _, irp in
      // IoMarkIrpPending, IoSetCancelRoutine
      let location = UInt64(try g.k.load(irp + 0x60))
      try g.k.memory.memory.store(g.k.byte(location + 3) | 1, at: location + 3)
      try g.k.store(0xf8b0_6100, at: irp + 0x38)
      return .pending
    }
    _ = try g.device(#"\Device\Slow"#)
    let (handle, block, other) = (try g.space(), try g.space(), try g.space())
    #expect(try g.status("ZwCreateFile", handle, 0x8010_0000, g.attributes(#"\Device\Slow"#), block, 0, 0x80, 3, 1, 0, 0, 0) == .success)
    let file = UInt64(try g.k.load(handle))
    let (buffer, offset) = (try g.space(), try g.space())
    #expect(try g.status("ZwReadFile", file, 0, 0, 0, block, buffer, 4, offset, 0) == .pending)
    #expect(try g.status("ZwCancelIoFile", file, other) == .success && cancelled.count == 1)
    #expect(try g.k.load(block) == 0xc000_0120 && g.k.load(other) == 0)
    #expect(try g.status("ZwCancelIoFile", 0x4444, other) == .invalidHandle)
  }

  @Test("TCP/IP of a machine without adapters is bound to the wide area network's, and the class of adapters is there")
  func networkKeys() throws {
    let registry = try TestKernel().kernel.registry
    let control = #"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\"#
    #expect(registry.key(at: control + #"Services\Tcpip\Linkage"#)?["Bind"] == .strings([#"\Device\NdisWanIp"#]))
    let adapters = registry.key(at: control + #"Control\Class\{4d36e972-e325-11ce-bfc1-08002be10318}"#)
    #expect(adapters?["Class"]?.text == "Net")
  }

  @Test("the registry says which hardware profile is the current one, and that one is there") func hardwareProfile() throws {
    let registry = try TestKernel().kernel.registry
    let profiles = #"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Control\IDConfigDB"#
    #expect(registry.key(at: profiles)?["CurrentConfig"] == .dword(1))
    #expect(registry.key(at: profiles + #"\Hardware Profiles\0001"#)?["FriendlyName"]?.text == "Profile 1")
    #expect(registry.key(at: profiles + #"\Hardware Profiles\0002"#) == nil)
    #expect(registry.key(at: #"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Hardware Profiles\0001"#) != nil)
  }

  @Test("the hardware's part of the registry names keyboard, mouse and disk; a later Windows the BIOS") func hardwareKeys() throws {
    let xp = try TestKernel()
    let maps = #"\REGISTRY\MACHINE\HARDWARE\DEVICEMAP\"#
    #expect(xp.kernel.registry.key(at: maps + "KeyboardPort")?[#"\Device\KeyboardPort0"#]?.text?.hasSuffix("i8042prt") == true)
    #expect(xp.kernel.registry.key(at: maps + "PointerPort")?[#"\Device\PointerPort0"#] != nil)
    let disk = xp.kernel.registry.key(at: maps + #"Scsi\Scsi Port 0\Scsi Bus 0\Target Id 0\Logical Unit Id 0"#)
    #expect(disk?["Type"]?.text == "DiskPeripheral")
    let bios = #"\REGISTRY\MACHINE\HARDWARE\DESCRIPTION\System\BIOS"#
    #expect(xp.kernel.registry.key(at: bios) == nil)
    #expect(try TestKernel(target: .windows7_x86).kernel.registry.key(at: bios)?["SystemManufacturer"]?.text == "Probelock")
  }
}
