import Guest
import NTKernel
import Testing
import WindowsTypes

/// What a plain installation has by name before anybody's driver starts.
@Suite("Standing objects") struct StandingObjectTests {
  @Test(
    "devices that drivers look for are there, of their driver and type",
    arguments: [
      (#"\Device\Null"#, 0x15, #"\Driver\Null"#), (#"\Device\KeyboardClass0"#, 0xb, #"\Driver\Kbdclass"#),
      (#"\Device\Tcp"#, 0x12, #"\Driver\Tcpip"#), (#"\??\PhysicalDrive0"#, 7, #"\Driver\Disk"#),
      (#"\Device\Harddisk0\Partition0"#, 7, #"\Driver\Disk"#), (#"\DosDevices\C:"#, 8, #"\FileSystem\Ntfs"#),
      (#"\Device\RawDisk"#, 8, #"\FileSystem\RAW"#), (#"\Device\RawCdRom"#, 3, #"\FileSystem\RAW"#),
      (#"\FileSystem\Filters\FltMgr"#, 8, #"\FileSystem\FltMgr"#),
    ] as [(String, UInt32, String)])
  func devices(path: String, type: UInt32, driver: String) throws {
    let g = try IOGuest()
    let (file, device) = (try g.space(), try g.space())
    #expect(try g.status("IoGetDeviceObjectPointer", g.string(path), 1, file, device) == .success)
    let object = Pointer<DEVICE_OBJECT>(UInt64(try g.k.load(device)), in: g.k.memory.memory)
    #expect(try object.DeviceType.load() == type)
    #expect(try object.DriverObject.load().DriverName.string() == driver)
    // They are nobody's in the run.
    let left = try g.k.kernel.leftovers(of: g.driver).map(\.what)
    #expect(left.allSatisfy { $0.hasPrefix("a reference to") })
  }

  @Test("a driver of Windows' own has its devices, and a descriptor goes with its device")
  func driverObject() throws {
    let g = try IOGuest()
    let place = try g.space()
    #expect(
      try g.status("ObReferenceObjectByName", g.string(#"\Driver\Kbdclass"#), 0x40, 0, 0, 0, 0, 0, place) == .success)
    let driver = Pointer<DRIVER_OBJECT>(UInt64(try g.k.load(place)), in: g.k.memory.memory)
    #expect(try driver.DeviceObject.load().DeviceType.load() == 0xb)
    try g.call("ObfDereferenceObject", driver.address)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
  }

  /// `DRIVER_OBJECT` by name.
  private func driver(_ name: String, _ g: borrowing IOGuest) throws -> Pointer<DRIVER_OBJECT> {
    let place = try g.space()
    #expect(try g.status("ObReferenceObjectByName", g.string(name), 0x40, 0, 0, 0, 0, 0, place) == .success)
    return Pointer<DRIVER_OBJECT>(UInt64(try g.k.load(place)), in: g.k.memory.memory)
  }

  @Test(
    "a driver of Windows' own has an image, which the list of modules shows, and its dispatch routines lie in it",
    arguments: [#"\Driver\Disk"#, #"\Driver\Kbdclass"#, #"\FileSystem\Ntfs"#, #"\Driver\Tcpip"#, #"\Driver\VgaSave"#])
  func images(name: String) throws {
    let g = try IOGuest()
    let driver = try driver(name, g)
    let (base, size) = (try driver.DriverStart.load().address, UInt64(try driver.DriverSize.load()))
    // MZ, and PE\0\0 where e_lfanew says; as large as the object says.
    #expect(try base != 0 && g.k.load(base) & 0xffff == 0x5a4d)
    let header = base + UInt64(try g.k.load(base + 0x3c))
    #expect(try g.k.load(header) == 0x4550 && UInt64(g.k.load(header + 0x50)) == size)
    #expect(try base + UInt64(g.k.load(header + 0x28)) == driver.DriverInit.load().address)
    for index in 0..<IRP_MJ.count { #expect(try base..<base + size ~= driver.MajorFunction[index].load().address) }
    // mov edi,edi; push ebp; mov ebp,esp; pop ebp; jmp
    let routine = try driver.MajorFunction[14].load().address
    #expect(try g.k.memory.memory.bytes(7, at: routine) == [0x8b, 0xff, 0x55, 0x8b, 0xec, 0x5d, 0xe9])
    let target = try UInt64(UInt32(truncatingIfNeeded: routine + 11) &+ g.k.load(routine + 7))
    let own = name.hasPrefix(#"\FileSystem"#) ? "IopFileSystemRequest" : "IopStorageRequest"
    #expect(target == g.k.kernel.trapAddress(of: own))
    let section: Pointer<LDR_DATA_TABLE_ENTRY> = try driver.DriverSection.load().cast()
    #expect(try section.DllBase.load().address == base && UInt64(section.SizeOfImage.load()) == size)
    let file = name == #"\Driver\VgaSave"# ? "vga.sys" : (name.split(separator: "\\").last.map(String.init) ?? "") + ".sys"
    #expect(try section.BaseDllName.string() == file)
    let listed = try g.k.kernel.moduleList().entries().map { $0.container(\LDR_DATA_TABLE_ENTRY.InLoadOrderLinks) }
    #expect(listed.contains(section))
  }

  @Test("what replaces a dispatch routine of such a driver stays when the driver is looked up again") func replacedRoutine() throws {
    let g = try IOGuest()
    let found = try driver(#"\Driver\Disk"#, g)
    try found.MajorFunction[14].store(Pointer(0xf8b0_6000, in: g.k.memory.memory))
    #expect(try driver(#"\Driver\Disk"#, g) == found)
    #expect(try found.MajorFunction[14].load().address == 0xf8b0_6000)
  }

  @Test("a driver object whose routines are the kernel's has no image", arguments: [#"\FileSystem\RAW"#, #"\Driver\PnpManager"#])
  func kernelsOwn(name: String) throws {
    let g = try IOGuest()
    let driver = try driver(name, g)
    #expect(try driver.DriverStart.load().address == 0 && driver.DriverSize.load() == 0)
    #expect(try driver.DriverSection.load().address == 0)
  }

  @Test("who asks for file systems is told of the system volume's at once") func fileSystems() throws {
    let g = try IOGuest()
    var told: [[UInt64]] = []
    g.routine(at: 0xf8b0_6000, 2) {
      told.append($0)
      return 0
    }
    #expect(try g.status("IoRegisterFsRegistrationChange", g.driver.object.address, 0xf8b0_6000) == .success)
    let device = Pointer<DEVICE_OBJECT>(try #require(told.first?.first), in: g.k.memory.memory)
    #expect(told.count == 1 && told[0][1] == 1)
    #expect(try device.DriverObject.load().DriverName.string() == #"\FileSystem\Ntfs"#)
    // Its volume is there to attach to.
    #expect(try device.DriverObject.load().DeviceObject.load() != device)
    try g.call("IoUnregisterFsRegistrationChange", g.driver.object.address, 0xf8b0_6000)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
  }

  @Test(
    "the disk says what it is",
    arguments: [
      // Code, the answer's size, and a word of it: IOCTL_DISK_GET_DRIVE_LAYOUT with the partition's first sector,
      // IOCTL_DISK_GET_PARTITION_INFO_EX, IOCTL_DISK_GET_DRIVE_LAYOUT_EX, IOCTL_DISK_GET_DRIVE_GEOMETRY_EX, IOCTL_SCSI_GET_ADDRESS,
      // IOCTL_STORAGE_QUERY_PROPERTY with BusTypeAta.
      (0x7_400c, 136, 8 + 16, 63), (0x7_0048, 144, 16, 0x7e00), (0x7_0050, 624, 4, 4), (0x7_00a0, 32, 20, 512), (0x4_1018, 8, 0, 8),
      (0x2d_1400, 59, 28, 3),
    ] as [(UInt64, UInt32, UInt64, UInt32)])
  func diskControls(code: UInt64, size: UInt32, place: UInt64, value: UInt32) throws {
    let g = try IOGuest()
    let disk = try g.open(#"\??\PhysicalDrive0"#)
    let (block, buffer) = (try g.space(), try g.space(0x400))
    func control(_ length: UInt64) throws -> NTSTATUS {
      // STORAGE_PROPERTY_QUERY: StorageDeviceProperty, PropertyStandardQuery.
      try g.k.store([0, 0, 0], at: buffer)
      return try g.status("ZwDeviceIoControlFile", disk, 0, 0, 0, block, code, buffer, 12, buffer, length)
    }
    #expect(try control(0x400) == .success && g.k.load(block + 4) == size)
    #expect(try g.k.load(buffer + place) == value)
    #expect(try control(4) == .bufferTooSmall)
    // A descriptor's first words say how long it is.
    if code == 0x2d_1400 { #expect(try control(8) == .success && g.k.load(buffer + 4) == size) }
  }

  @Test("the mount manager makes a volume's name and takes it away") func mountManager() throws {
    let g = try IOGuest()
    let manager = try g.open(#"\Device\MountPointManager"#)
    _ = try g.device(#"\Device\Ram"#)
    let (block, buffer) = (try g.space(), try g.space(0x100))
    func control(_ code: UInt64, _ length: UInt64) throws -> NTSTATUS {
      try g.status("ZwDeviceIoControlFile", manager, 0, 0, 0, block, code, buffer, length, buffer, 0)
    }
    func write(_ text: String, at offset: UInt64) throws {
      for (index, unit) in text.utf16.enumerated() { try g.k.memory.memory.store(unit, at: buffer + offset + 2 * UInt64(index)) }
    }
    // MOUNTMGR_CREATE_POINT_INPUT: offset and bytes of the link's name, and of the device's.
    try g.k.store([0x1c_0008, 0x16_0024], at: buffer)
    try write(#"\DosDevices\R:"#, at: 8)
    try write(#"\Device\Ram"#, at: 0x24)
    #expect(try control(0x6d_c000, 0x3a) == .success)
    #expect(try control(0x6d_c000, 0x3a) == .objectNameCollision)
    #expect(try control(0x6d_c000, 0x20) == .invalidParameter)
    let (file, device) = (try g.space(), try g.space())
    try g.acceptFiles()
    #expect(try g.status("IoGetDeviceObjectPointer", g.string(#"\??\R:"#), 0x80, file, device) == .success)
    // MOUNTMGR_MOUNT_POINT
    try g.k.store([0x18, 0x1c, 0, 0, 0, 0], at: buffer)
    try write(#"\DosDevices\R:"#, at: 0x18)
    #expect(try control(0x6d_c004, 0x34) == .success)
    #expect(try control(0x6d_c004, 0x34) == .objectNameNotFound)
    #expect(try control(0x6d_402c, 0x10) == .success)
    #expect(try control(0x6d_ffff, 0x10) == .invalidDeviceRequest)
  }

  @Test("a read of the keyboard waits until it is cancelled, or its file is cleaned up", arguments: ["IoCancelIrp", "ZwClose"])
  func keyboard(ending: String) throws {
    let g = try IOGuest()
    let handle = try g.open(#"\Device\KeyboardClass0"#)
    let place = try g.space()
    #expect(try g.status("ObReferenceObjectByHandle", handle, 0, 0, 0, place, 0) == .success)
    let file = UInt64(try g.k.load(place))
    let irp = try g.call("IoAllocateIrp", 1, 0)
    let next = UInt64(try g.k.load(irp + 0x60)) - 0x24
    // IRP_MJ_READ of twelve bytes, and a completion routine that keeps the IRP.
    try g.k.store([0xe000_0003, 12], at: next)
    try g.k.store(UInt32(file), at: next + 0x18)
    var ended: [UInt32] = []
    g.routine(at: 0xf8b0_3100, 3) { arguments in
      ended.append(try g.k.load(arguments[1] + 0x18))
      return 0xc000_0016
    }
    try g.k.store(0xf8b0_3100, at: next + 0x1c)
    #expect(try g.status("IofCallDriver", UInt64(g.k.load(file + 4)), irp) == .pending)
    #expect(ended.isEmpty)
    let result = try g.call(ending, ending == "ZwClose" ? handle : irp) & 0xff
    #expect(result == (ending == "ZwClose" ? 0 : 1))
    // STATUS_CANCELLED
    #expect(ended == [0xc000_0120])
    #expect(try g.call("IoCancelIrp", irp) & 0xff == 0)
  }

  @Test(
    "a transport without adapters takes handlers and reaches nobody",
    arguments: [(0xb, 0), (1, 0), (3, 0xc000_023c), (7, 0xc000_0140), (0x77, 0xc000_0010)] as [(UInt8, UInt32)])
  func transport(minor: UInt8, expected: UInt32) throws {
    let g = try IOGuest()
    let (file, device) = (try g.space(), try g.space())
    #expect(try g.status("IoGetDeviceObjectPointer", g.string(#"\Device\Tcp"#), 1, file, device) == .success)
    let target = UInt64(try g.k.load(device))
    let irp = try g.call("IoAllocateIrp", 1, 0)
    let next = UInt64(try g.k.load(irp + 0x60)) - 0x24
    // IRP_MJ_INTERNAL_DEVICE_CONTROL
    try g.k.store(0xf | UInt32(minor) << 8, at: next)
    g.routine(at: 0xf8b0_3100, 3) { _ in 0xc000_0016 }
    try g.k.store(0xf8b0_3100, at: next + 0x1c)
    try g.k.memory.memory.store(UInt8(0xe0), at: next + 3)
    #expect(try g.status("IofCallDriver", target, irp) == NTSTATUS(rawValue: expected))
    try g.call("IoFreeIrp", irp)
  }

  @Test("ntdll.dll leads to the numbers of the services, which drivers look up there") func serviceLibrary() throws {
    let g = try IOGuest()
    let (place, block) = (try g.space(), try g.space())
    let path = #"\SystemRoot\system32\ntdll.dll"#
    #expect(try g.status("ZwOpenFile", place, 0x10_0020, g.attributes(path), block, 1, 0x20) == .success)
    // SECTION_ALL_ACCESS, PAGE_EXECUTE, SEC_IMAGE.
    #expect(try g.status("ZwCreateSection", place + 4, 0xf_001f, 0, 0, 0x10, 0x100_0000, UInt64(g.k.load(place))) == .success)
    try g.k.store([0, 0, 0, 0], at: block)
    let mapped = try g.status(
      "ZwMapViewOfSection", UInt64(g.k.load(place + 4)), 0xffff_ffff, block, 0, 0, 0, block + 4, 1, 0, 4)
    #expect(mapped.isSuccess)
    let base = UInt64(try g.k.load(block))
    let directory = base + UInt64(try g.k.load(base + UInt64(try g.k.load(base + 0x3c)) + 0x78))
    let (count, functions, names) = (
      try g.k.load(directory + 0x18), base + UInt64(try g.k.load(directory + 0x1c)), base + UInt64(try g.k.load(directory + 0x20))
    )
    let services = Kernel.serviceNames(in: .windowsXP_x86)
    #expect(count == UInt32(2 * services.count))
    var found: [String: UInt32] = [:]
    for index in 0..<UInt64(count) {
      var (text, character) = ("", base + UInt64(try g.k.load(names + 4 * index)))
      while case let byte = try g.k.byte(character), byte != 0 {
        text.unicodeScalars.append(Unicode.Scalar(byte))
        character += 1
      }
      // mov eax,number
      let code = base + UInt64(try g.k.load(functions + 4 * index))
      let isMove = try g.k.byte(code) == 0xb8
      #expect(isMove)
      found[text] = try g.k.load(code + 1)
    }
    // NtCreateFile is 25h of XP.
    #expect(found["NtCreateFile"] == 0x25 && found["ZwCreateFile"] == 0x25)
    for (number, name) in services.enumerated() { #expect(found[name] == UInt32(number), "\(name)") }
  }

  @Test("a name that Windows has no object for is not found; one that a driver takes first is the driver's")
  func names() throws {
    let g = try IOGuest()
    let (file, device) = (try g.space(), try g.space())
    #expect(try g.status("IoGetDeviceObjectPointer", g.string(#"\Device\Nothing"#), 0x80, file, device) == .objectNameNotFound)
    #expect(
      try g.status("IoCreateDevice", g.driver.object.address, 0, g.string(#"\Device\Beep"#), 1, 0, 0, device) == .success)
    let own = Pointer<DEVICE_OBJECT>(UInt64(try g.k.load(device)), in: g.k.memory.memory)
    #expect(try own.DriverObject.load().address == g.driver.object.address)
    #expect(try g.status("IoCreateSymbolicLink", g.string(#"\DosDevices\Global\Mine"#), g.string(#"\Device\Beep"#)) == .success)
    #expect(try g.status("IoDeleteSymbolicLink", g.string(#"\??\Mine"#)) == .success)
  }
}

@Suite("Ports and firmware") struct IOPortTests {
  @Test("the configuration mechanism shows what HalGetBusData shows")
  func configuration() throws {
    let g = try IOGuest()
    #expect(try g.call("READ_PORT_ULONG", 0xcfc) == 0xffff_ffff)
    try g.call("WRITE_PORT_ULONG", 0xcf8, 0x8000_0000)
    #expect(try g.call("READ_PORT_ULONG", 0xcf8) == 0x8000_0000)
    #expect(try g.call("READ_PORT_ULONG", 0xcfc) == 0x1237_8086)
    try g.call("WRITE_PORT_ULONG", 0xcf8, 0x8000_0808)
    #expect(try g.call("READ_PORT_USHORT", 0xcfe) & 0xffff == 0x0601)
    // Device 5 is not there, nor is bus 1.
    for address in [0x8000_2800, 0x8001_0000] as [UInt64] {
      try g.call("WRITE_PORT_ULONG", 0xcf8, address)
      #expect(try g.call("READ_PORT_ULONG", 0xcfc) == 0xffff_ffff)
    }
  }

  @Test("the clock, the interrupt mask and the keyboard controller answer; an absent device is all ones")
  func chipset() throws {
    let g = try IOGuest()
    // The year, in binary-coded decimal.
    try g.call("WRITE_PORT_UCHAR", 0x70, 9)
    #expect(try g.call("READ_PORT_UCHAR", 0x71) & 0xff == 9)
    try g.call("WRITE_PORT_UCHAR", 0x21, 0x5a)
    #expect(try g.call("READ_PORT_UCHAR", 0x21) & 0xff == 0x5a)
    #expect(try g.call("READ_PORT_UCHAR", 0x64) & 0xff == 0x14)
    // A self-test ends well, and an echo of the keyboard's is acknowledged.
    try g.call("WRITE_PORT_UCHAR", 0x64, 0xaa)
    #expect(try g.call("READ_PORT_UCHAR", 0x64) & 1 == 1)
    #expect(try g.call("READ_PORT_UCHAR", 0x60) & 0xff == 0x55)
    try g.call("WRITE_PORT_UCHAR", 0x60, 0xed)
    #expect(try g.call("READ_PORT_UCHAR", 0x60) & 0xff == 0xfa)
    #expect(try g.call("READ_PORT_UCHAR", 0x60) & 0xff == 0)
    #expect(try g.call("READ_PORT_UCHAR", 0x1f7) & 0xff == 0xff)
  }

  @Test("physical memory below 1 MB ends in a BIOS with the System Management BIOS' entry point")
  func firmware() throws {
    let g = try IOGuest()
    let view = try g.call("MmMapIoSpace", 0xf_0000, 0, 0x1_0000, 0)
    #expect(try g.call("READ_REGISTER_ULONG", view + 0xf0) == 0x5f4d_535f)
    #expect(try g.call("READ_REGISTER_UCHAR", view + 0xfff0) & 0xff == 0xea)
    let anchor = try g.k.memory.memory.bytes(0x1f, at: view + 0xf0)
    #expect(String(decoding: anchor.prefix(4), as: UTF8.self) == "_SM_")
    #expect(anchor.reduce(0, &+) == 0 && anchor[16...].reduce(0, &+) == 0)
    #expect(try String(decoding: g.k.memory.memory.bytes(8, at: view + 0xfff5), as: UTF8.self) == "04/13/08")
    try g.call("MmUnmapIoSpace", view, 0x1_0000)
  }
}

@Suite("System information of a machine at rest") struct SystemClassTests {
  @Test("handles of every process, with object and access")
  func handles() throws {
    let g = try IOGuest()
    let (buffer, event) = (try g.space(0x200), try g.space())
    #expect(try g.status("ZwCreateEvent", event, 0x1f_0003, 0, 0, 0) == .success)
    #expect(try g.status("ZwQuerySystemInformation", 16, buffer, 0x200, 0) == .success)
    let count = try g.k.load(buffer)
    #expect(count >= 1)
    let values = try (0..<UInt64(count)).map { try g.k.load(buffer + 4 + 16 * $0 + 12) }
    #expect(values.contains(0x1f_0003))
    #expect(try g.status("ZwQuerySystemInformation", 16, buffer, 4, 0) == .infoLengthMismatch)
  }

  @Test("devices, performance, range start; what is exact is refused where it is longer")
  func others() throws {
    let g = try IOGuest()
    let buffer = try g.space(0x200)
    #expect(try g.status("ZwQuerySystemInformation", 7, buffer, 24, 0) == .success)
    #expect(try g.k.load(buffer) == 1)
    #expect(try g.status("ZwQuerySystemInformation", 7, buffer, 25, 0) == .infoLengthMismatch)
    #expect(try g.status("ZwQuerySystemInformation", 2, buffer, 312, 0) == .success)
    #expect(try g.status("ZwQuerySystemInformation", 50, buffer, 4, 0) == .success)
    #expect(try g.k.load(buffer) == 0x8000_0000)
  }
}

@Suite("The filtering platform") struct FilteringPlatformTests {
  @Test("what is added in a transaction goes with it, and once more is refused")
  func transactions() throws {
    let g = try IOGuest()
    let (place, key) = (try g.space(), try g.space(0x100))
    try g.k.memory.memory.fill(7, count: 16, at: key)
    #expect(try g.status("FwpmEngineOpen0", 0, 10, 0, 0, place) == .success)
    let engine = UInt64(try g.k.load(place))
    #expect(try g.status("FwpmTransactionCommit0", engine).rawValue == 0xc022_000d)
    #expect(try g.status("FwpmTransactionBegin0", engine, 0) == .success)
    #expect(try g.status("FwpmTransactionBegin0", engine, 0).rawValue == 0xc022_000e)
    #expect(try g.status("FwpmSubLayerAdd0", engine, key, 0) == .success)
    #expect(try g.status("FwpmTransactionAbort0", engine) == .success)
    #expect(try g.status("FwpmSubLayerDeleteByKey0", engine, key).rawValue == 0xc022_0007)
    #expect(try g.status("FwpmProviderAdd0", engine, key, 0) == .success)
    #expect(try g.status("FwpmProviderAdd0", engine, key, 0).rawValue == 0xc022_0009)
    #expect(try g.status("FwpmProviderDeleteByKey0", engine, key) == .success)
    #expect(try g.status("FwpmProviderDeleteByKey0", engine, key).rawValue == 0xc022_0005)
    #expect(try g.status("FwpmEngineClose0", engine) == .success)
    #expect(try g.status("FwpmEngineClose0", engine) == .invalidHandle)
    #expect(try g.status("FwpmEngineOpen0", key, 10, 0, 0, place) == .notSupported)
  }

  @Test("a filter names a sublayer and a callout that are there")
  func filters() throws {
    let g = try IOGuest()
    let (place, key, filter) = (try g.space(), try g.space(0x100), try g.space(0x98))
    try g.k.memory.memory.fill(7, count: 16, at: key)
    _ = try g.status("FwpmEngineOpen0", 0, 10, 0, 0, place)
    let engine = UInt64(try g.k.load(place))
    try g.k.memory.memory.fill(7, count: 16, at: filter + 0x38)
    // FWP_ACTION_CALLOUT_TERMINATING
    try g.k.store(0x5003, at: filter + 0x58)
    try g.k.memory.memory.fill(7, count: 16, at: filter + 0x5c)
    #expect(try g.status("FwpmFilterAdd0", engine, filter, 0, place).rawValue == 0xc022_0007)
    _ = try g.status("FwpmSubLayerAdd0", engine, key, 0)
    #expect(try g.status("FwpmFilterAdd0", engine, filter, 0, place).rawValue == 0xc022_0001)
    #expect(try g.status("FwpsCalloutRegister0", 0, key, place) == .success)
    #expect(try g.status("FwpsCalloutRegister1", 0, key, place).rawValue == 0xc022_0009)
    #expect(try g.status("FwpsCalloutRegister2", 0, key, place).rawValue == 0xc022_0009)
    let callout = UInt64(try g.k.load(place))
    #expect(try g.status("FwpmCalloutAdd0", engine, key, 0, place) == .success)
    #expect(try UInt64(g.k.load(place)) == callout)
    #expect(try g.status("FwpmFilterAdd0", engine, filter, 0, place) == .success)
    let identifier = UInt64(try g.k.load(place))
    #expect(try g.status("FwpmFilterDeleteById0", engine, identifier, 0) == .success)
    #expect(try g.status("FwpmFilterDeleteById0", engine, identifier, 0).rawValue == 0xc022_0003)
    #expect(try g.status("FwpmFilterDeleteByKey0", engine, key).rawValue == 0xc022_0003)
    #expect(try g.status("FwpmCalloutDeleteById0", engine, callout) == .success)
    #expect(try g.status("FwpmCalloutDeleteByKey0", engine, key).rawValue == 0xc022_0001)
    #expect(try g.status("FwpsCalloutUnregisterById0", callout) == .success)
    #expect(try g.status("FwpsCalloutUnregisterByKey0", key).rawValue == 0xc022_0001)
  }

  @Test("a packet of a driver's own is described, read, and through at once")
  func packets() throws {
    let g = try IOGuest()
    let (place, data) = (try g.space(), try g.space(0x40))
    let pool = try g.call("NdisAllocateNetBufferListPool", 0, 0)
    let mdl = try g.call("IoAllocateMdl", data, 0x40, 0, 0, 0)
    try g.call("MmBuildMdlForNonPagedPool", mdl)
    #expect(try g.status("FwpsAllocateNetBufferAndNetBufferList0", pool, 0, 0, mdl, 0, 0x40, place) == .success)
    let list = UInt64(try g.k.load(place))
    let buffer = UInt64(try g.k.load(list + 4))
    #expect(try g.call("NdisGetDataBuffer", buffer, 0x40, 0, 1, 0) == data)
    #expect(try g.call("NdisGetDataBuffer", buffer, 0x41, 0, 1, 0) == 0)
    try g.call("NdisAdvanceNetBufferDataStart", buffer, 0x14, 0, 0)
    #expect(try g.call("NdisGetDataBuffer", buffer, 4, 0, 1, 0) == data + 0x14)
    #expect(try g.status("NdisRetreatNetBufferDataStart", buffer, 0x14, 0, 0) == .success)
    #expect(try g.status("NdisRetreatNetBufferDataStart", buffer, 1, 0, 0) == .insufficientResources)
    #expect(try g.status("FwpsInjectionHandleCreate0", 2, 0, place) == .success)
    let handle = UInt64(try g.k.load(place))
    #expect(try g.call("FwpsQueryPacketInjectionState0", handle, list, 0) == 0)
    var completed: [UInt64] = []
    g.routine(at: 0xf8b0_3000, 3) {
      completed.append($0[1])
      return 0
    }
    #expect(try g.status("FwpsInjectNetworkSendAsync0", handle, 0, 0, 0, list, 0xf8b0_3000, 1) == .success)
    #expect(try g.status("FwpsInjectNetworkReceiveAsync0", handle, 0, 0, 0, 1, 0, list, 0xf8b0_3000, 1) == .success)
    #expect(try g.status("FwpsInjectForwardAsync0", handle, 0, 0, 2, 0, 1, list, 0xf8b0_3000, 1) == .success)
    #expect(try g.status("FwpsInjectForwardAsync0", 0x7777, 0, 0, 2, 0, 1, list, 0xf8b0_3000, 1) == .invalidHandle)
    #expect(completed == [list, list, list])
    try g.call("FwpsFreeNetBufferList0", list)
    #expect(try g.status("FwpsInjectionHandleDestroy0", handle) == .success)
    #expect(try g.status("FwpsInjectionHandleDestroy0", handle) == .invalidHandle)
    try g.call("NdisFreeNetBufferListPool", pool)
    #expect(try g.status("FwpsAllocateNetBufferAndNetBufferList0", pool, 0, 0, mdl, 0, 0x40, place) == .insufficientResources)
  }
}
