import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("videoprt") struct VideoPortTests {
  /// VIDEO_HW_INITIALIZATION_DATA; of Plug and Play with the routines for power and children.
  private func data(_ g: IOGuest, isPnP: Bool, size: UInt32 = 0x54) throws -> UInt64 {
    let place = try g.space(0x60)
    try g.k.store([size, 5, 0xf8b0_9000, 0xf8b0_9010, 0, 0xf8b0_9020, 0x40], at: place)
    try g.k.store([0xf8b0_9030], at: place + 0x24)
    if isPnP { try g.k.store([1, 1, 1], at: place + 0x2c) }
    return place
  }

  @Test("a miniport's adapter is found, initialised when it is opened, and given requests") func adapter() throws {
    let g = try IOGuest()
    let driver = g.driver.object.address
    #expect(try g.status("VideoPortInitialize", driver, 0, data(g, isPnP: true, size: 0x100), 0) == .revisionMismatch)
    #expect(try g.status("VideoPortInitialize", driver, 0, data(g, isPnP: true), 0x55) == .success)
    var (hardware, found, calls): (UInt64, UInt64, [String]) = (0, 55, [])
    let name = try g.string("Depth")
    let text = UInt64(try g.k.load(name + 4))
    g.routine(at: 0xf8b0_9000, 5) {
      #expect($0[1] == 0x55)
      hardware = $0[0]
      // VIDEO_PORT_CONFIG_INFO.VideoPortGetProcAddress
      let get = UInt64(try g.k.load($0[3] + 0x60))
      #expect(get == g.k.kernel.trapAddress(of: "VideoPortGetProcAddress", in: "videoprt"))
      let name = try g.space(0x20)
      try g.k.memory.memory.write(Array("VideoPortInt10\0".utf8), at: name)
      #expect(try g.call("VideoPortGetProcAddress", hardware, name) == g.k.kernel.trapAddress(of: "VideoPortInt10", in: "videoprt"))
      try g.k.memory.memory.write(Array("VideoPortInt11\0".utf8), at: name)
      #expect(try g.call("VideoPortGetProcAddress", hardware, name) == 0)
      return found
    }
    g.routine(at: 0xf8b0_9010, 1) { _ in
      calls.append("initialize")
      return 1
    }
    g.routine(at: 0xf8b0_9020, 2) {
      calls.append("request")
      // ERROR_INVALID_PARAMETER
      try g.k.store([87, 0], at: UInt64(g.k.load($0[1] + 4)))
      return 1
    }
    g.routine(at: 0xf8b0_9030, 1) { _ in
      calls.append("timer")
      return 0
    }
    let first = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("IopAddDevice", driver, first) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", first, 0) == .noSuchDevice)
    found = 0
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("VideoPortAddDevice", driver, device) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == .success && calls.isEmpty)
    let own = try #require(try g.k.kernel.devices(of: g.driver).first).address
    #expect(try g.call("VideoPortGetAssociatedDeviceExtension", own) == hardware)
    #expect(try g.call("VideoPortGetAssociatedDeviceExtension", g.device(nil, extension: 0x40)) == 0)

    // No AGP, no second display, no monitor; a buffer for transfers.
    #expect(try g.call("VideoPortGetAgpServices", hardware, 0) & 0xff == 0 && g.call("VideoPortGetAssociatedDeviceID", own) == 0)
    #expect(try g.call("VideoPortCreateSecondaryDisplay", hardware, g.space(), 0) == 1)
    #expect(try g.call("VideoPortDDCMonitorHelper", hardware, 0, 0, 0) & 0xff == 0)
    let rom = try g.space(0x40)
    try g.k.memory.memory.write(Array("  IBM VGA".utf8), at: rom)
    #expect(try g.call("VideoPortScanRom", hardware, rom, 0x40, rom + 2) & 0xff == 1)
    #expect(try g.call("VideoPortScanRom", hardware, rom, 4, rom + 2) & 0xff == 0)
    let transfers = try g.call("VideoPortGetDmaAdapter", hardware, rom)
    #expect(try transfers != 0 && g.call("VideoPortGetDmaAdapter", 0, rom) == 0)
    let common = try g.call("VideoPortAllocateCommonBuffer", hardware, transfers, 0x1000, rom, 0, 0)
    #expect(try common != 0 && g.call("VideoPortAllocateCommonBuffer", hardware, transfers, 0, rom, 0, 0) == 0)
    try g.call("VideoPortReleaseCommonBuffer", hardware, transfers, 0x1000, 0, 0, common, 0)
    try g.call("VideoPortPutDmaAdapter", hardware, transfers)

    // Settings in the registry, a timer and a deferred call.
    #expect(try g.call("VideoPortGetRegistryParameters", hardware, text, 0, 0xf8b0_9040, 1) == 87)
    try g.k.store([32], at: g.space())
    let value = try g.space()
    try g.k.store([32], at: value)
    #expect(try g.call("VideoPortSetRegistryParameters", hardware, text, value, 4) == 0)
    #expect(try g.call("VideoPortSetRegistryParameters", 0, text, value, 4) == 87)
    g.routine(at: 0xf8b0_9040, 5) { arguments in
      let depth = try g.k.load(arguments[3])
      #expect(arguments[4] == 4 && depth == 32)
      return 0
    }
    #expect(try g.call("VideoPortGetRegistryParameters", hardware, text, 0, 0xf8b0_9040, 1) == 0)
    try g.call("VideoPortStartTimer", hardware)
    try g.call("VideoPortTimerDpc", 0, hardware, 0, 0)
    try g.call("VideoPortStopTimer", hardware)
    #expect(calls == ["timer"])
    g.routine(at: 0xf8b0_9050, 2) {
      calls.append("dpc \($0[1])")
      return 0
    }
    try g.k.raiseIRQL(to: 2)
    #expect(try g.call("VideoPortQueueDpc", hardware, 0xf8b0_9050, 7) & 0xff == 1)
    #expect(try g.call("VideoPortQueueDpc", hardware, 0xf8b0_9050, 8) & 0xff == 0)
    try g.call("VideoPortDpc", 0, hardware, 0, 0)
    #expect(calls.last == "dpc 7")
    try g.call("VideoPortUnload", driver)
    #expect(g.k.kernel.exports["videoprt", "VideoPortDispatch"] != nil)
  }

  @Test("a miniport without Plug and Play is asked at once") func legacy() throws {
    let g = try IOGuest()
    g.routine(at: 0xf8b0_9000, 5) { _ in 55 }
    #expect(try g.status("VideoPortInitialize", g.driver.object.address, 0, data(g, isPnP: false), 0) == .noSuchDevice)
    g.routine(at: 0xf8b0_9000, 5) { _ in 0 }
    #expect(try g.status("VideoPortInitialize", g.driver.object.address, 0, data(g, isPnP: false), 0) == .success)
    #expect(try g.k.kernel.devices(of: g.driver).count == 1)
  }

  @Test("memory, locks, events") func objects() throws {
    let g = try IOGuest()
    let (buffer, result) = (try g.space(0x40), try g.space())
    func word() throws -> UInt64 { UInt64(try g.k.load(result)) }
    try g.k.store([1, 2, 3, 4], at: buffer)
    try g.call("VideoPortMoveMemory", buffer + 0x10, buffer, 8)
    #expect(try g.call("VideoPortCompareMemory", buffer, buffer + 0x10, 0x10) == 8)
    try g.call("VideoPortZeroMemory", buffer, 4)
    try g.call("VideoPortZeroDeviceMemory", buffer + 4, 4)
    #expect(try g.k.load(buffer) == 0 && g.k.load(buffer + 4) == 0)
    let block = try g.call("VideoPortAllocatePool", 0, 1, 0x20, 0x7473_6554)
    try g.call("VideoPortFreePool", 0, block)
    #expect(try g.call("VideoPortAllocatePool", 0, 0, 0xffff_0000, 0) == 0)
    #expect(try g.call("VideoPortAllocateBuffer", 0, 0x20, result) == 0)
    try g.call("VideoPortReleaseBuffer", 0, word())
    #expect(try g.call("VideoPortAllocateBuffer", 0, 0xffff_0000, result) == 8)
    #expect(try g.call("VideoPortAllocateContiguousMemory", 0, 0x1000, 0xffff_ffff, 0) != 0)
    let common = try g.call("VideoPortGetCommonBuffer", 0, 0x1000, 0, result, result + 8, 0)
    #expect(try common != 0 && g.k.load(result + 8) == 0x1000)
    try g.call("VideoPortFreeCommonBuffer", 0, 0x1000, common, 0, 0, 0)
    #expect(try g.call("VideoPortGetCommonBuffer", 0, 0, 0, result, result + 8, 0) == 0)
    #expect(try g.call("VideoPortCreateSpinLock", 0, result) == 0)
    let lock = try word()
    try g.call("VideoPortAcquireSpinLock", 0, lock, buffer)
    #expect(try g.k.irql == 2)
    #expect(try g.call("VideoPortGetCurrentIrql") & 0xff == 2)
    try g.call("VideoPortReleaseSpinLock", 0, lock, UInt64(g.k.byte(buffer)))
    #expect(try g.k.irql == 0)
    try g.k.raiseIRQL(to: 2)
    try g.call("VideoPortAcquireSpinLockAtDpcLevel", 0, lock)
    try g.call("VideoPortReleaseSpinLockFromDpcLevel", 0, lock)
    try g.k.raiseIRQL(to: 0)
    #expect(try g.call("VideoPortDeleteSpinLock", 0, lock) == 0)
    #expect(try g.call("VideoPortCreateEvent", 0, 3, 0, result) == 0)
    let event = try word()
    #expect(try g.call("VideoPortReadStateEvent", 0, event) == 1 && g.call("VideoPortWaitForSingleObject", 0, event, 0) == 0)
    try g.call("VideoPortClearEvent", 0, event)
    #expect(try g.call("VideoPortSetEvent", 0, event) == 0)
    #expect(try g.call("VideoPortDeleteEvent", 0, event) == 0 && g.call("VideoPortDeleteEvent", 0, event) == 87)
    #expect(try g.call("VideoPortInterlockedIncrement", buffer) == 1 && g.call("VideoPortInterlockedDecrement", buffer) == 0)
    #expect(try g.call("VideoPortInterlockedExchange", buffer, 5) == 0)
    g.routine(at: 0xf8b0_9000, 1) { $0[0] }
    #expect(try g.call("VideoPortSynchronizeExecution", 0, 1, 0xf8b0_9000, 9) & 0xff == 9)
    try g.call("VideoPortAcquireDeviceLock", 0)
    try g.call("VideoPortReleaseDeviceLock", 0)
  }

  @Test("what the hardware would answer") func hardware() throws {
    let g = try IOGuest()
    let (buffer, result) = (try g.space(0x40), try g.space())
    #expect(try g.call("VideoPortGetAccessRanges", 0, 0, 0, 1, buffer, 0, 0, result) == 55)
    #expect(try g.call("VideoPortVerifyAccessRanges", 0, 0, 0) == 0 && g.call("VideoPortSetTrappedEmulatorPorts", 0, 0, 0) == 0)
    #expect(try g.call("VideoPortGetDeviceBase", 0, 0x3c0, 0, 0x10, 1) == 0x3c0)
    let registers = try g.call("VideoPortGetDeviceBase", 0, 0xf000_0000, 0, 0x1000, 0)
    try g.call("VideoPortFreeDeviceBase", 0, registers)
    try g.k.store([0x1000, 1], at: buffer)
    #expect(try g.call("VideoPortMapMemory", 0, 0x3c0, 0, buffer, buffer + 4, result) == 0 && g.k.load(result) == 0x3c0)
    #expect(try g.call("VideoPortUnmapMemory", 0, 0x3c0, 0) == 0)
    #expect(
      try g.call("VideoPortGetBusData", 0, 4, 0x1e, buffer, 0, 4) == 2 && g.call("VideoPortSetBusData", 0, 4, 0x1e, buffer, 0, 4) == 0)
    #expect(try g.call("VideoPortInt10", 0, buffer) == 1 && g.call("VideoPortQueryServices", 0, 0, buffer) == 1)
    #expect(try g.call("VideoPortGetVgaStatus", 0, result) == 0 && g.k.load(result) == 0)
    #expect(try g.call("VideoPortGetRomImage", 0, 0, 0, 0) == 0 && g.call("VideoPortGetDeviceData", 0, 4, 0, 0) == 87)
    #expect(try g.call("VideoPortCheckForDeviceExistence", 0, 0x8086, 1, 0, 0, 0, 0) & 0xff == 0)
    #expect(try g.call("VideoPortEnableInterrupt", 0) == 1 && g.call("VideoPortDisableInterrupt", 0) == 1)
    #expect(try g.call("VideoPortEnumerateChildren", 0, 0) == 0)
    #expect(try g.call("VideoPortRegisterBugcheckCallback", 0, 0xea, 0, 0x2000) == 87)
    try g.k.store([0x14], at: buffer)
    #expect(try g.call("VideoPortGetVersion", 0, buffer) == 0 && g.k.load(buffer + 4) == 5)
    try g.k.store([4], at: buffer)
    #expect(try g.call("VideoPortGetVersion", 0, buffer) == 87)
    try g.call("VideoPortQueryPerformanceCounter", 0, result)
    #expect(try g.k.load(result) == 10_000_000)
    try g.call("VideoPortQuerySystemTime", result)
    try g.call("VideoPortStallExecution", 10)
    #expect(try g.call("VideoPortDebugPrint", 0, 0) == 0)
    try g.call("VideoPortLogError", 0, 0, 0x57, 3)
    #expect(g.k.notes.contains { $0.contains("videoprt") })
    for type in ["Uchar", "Ushort", "Ulong"] {
      #expect(try g.call("VideoPortReadPort\(type)", 0x9000) & 0xff == 0xff)
      try g.call("VideoPortWritePort\(type)", 0x9000, 0)
      try g.call("VideoPortReadPortBuffer\(type)", 0x9000, buffer, 1)
      try g.call("VideoPortWritePortBuffer\(type)", 0x9000, buffer, 1)
      try g.call("VideoPortWriteRegister\(type)", buffer, 0x5a)
      #expect(try g.call("VideoPortReadRegister\(type)", buffer) & 0xff == 0x5a)
      try g.call("VideoPortReadRegisterBuffer\(type)", buffer, buffer + 0x10, 1)
      try g.call("VideoPortWriteRegisterBuffer\(type)", buffer + 0x20, buffer, 1)
    }
  }

  // What the loop above makes of its parts:
  // VideoPortReadPortUchar VideoPortReadPortUshort VideoPortReadPortUlong VideoPortWritePortUchar VideoPortWritePortUshort
  // VideoPortWritePortUlong VideoPortReadPortBufferUchar VideoPortReadPortBufferUshort VideoPortReadPortBufferUlong
  // VideoPortWritePortBufferUchar VideoPortWritePortBufferUshort VideoPortWritePortBufferUlong VideoPortReadRegisterUchar
  // VideoPortReadRegisterUshort VideoPortReadRegisterUlong VideoPortWriteRegisterUchar VideoPortWriteRegisterUshort
  // VideoPortWriteRegisterUlong VideoPortReadRegisterBufferUchar VideoPortReadRegisterBufferUshort
  // VideoPortReadRegisterBufferUlong VideoPortWriteRegisterBufferUchar VideoPortWriteRegisterBufferUshort
  // VideoPortWriteRegisterBufferUlong
}

@Suite("Class drivers: HID, storage, streaming, audio") struct ClassDriverTests {
  @Test("a HID minidriver's device is the class driver's, and its requests come through") func hid() throws {
    let g = try IOGuest()
    let driver = g.driver.object.address
    var calls: [String] = []
    try g.dispatch(0x1b) { device, irp in
      calls.append("pnp")
      // Down the stack, as minidrivers do.
      let extensionBase = UInt64(try g.k.load(device + 0x28))
      let lower = UInt64(try g.k.load(extensionBase + 4))
      #expect(try UInt64(g.k.load(extensionBase + 8)) > extensionBase)
      try g.k.store([0], at: irp + 0x18)
      let place = UInt64(try g.k.load(irp + 0x60))
      try g.k.memory.memory.store(UInt8(g.k.byte(irp + 0x23) + 1), at: irp + 0x23)
      try g.k.store([UInt32(place) + 0x24], at: irp + 0x60)
      g.k.registers[.cx] = lower
      return try g.status("IofCallDriver", lower, irp)
    }
    g.routine(at: 0xf8b0_9000, 2) { _ in
      calls.append("add")
      return 0
    }
    try g.k.store([0xf8b0_9000], at: UInt64(g.k.load(driver + 0x18)) + 4)
    g.routine(at: 0xf8b0_9010, 1) { _ in
      calls.append("unload")
      return 0
    }
    try g.k.store([0xf8b0_9010], at: driver + 0x34)
    let registration = try g.space(0x20)
    try g.k.store([9, UInt32(driver), 0, 0x20], at: registration)
    #expect(try g.status("HidRegisterMinidriver", registration) == .revisionMismatch)
    try g.k.store([1, UInt32(driver), 0, 0x20], at: registration)
    #expect(try g.status("HidRegisterMinidriver", registration) == .success)
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("IopAddDevice", driver, device) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 2) == .success)
    #expect(calls == ["add", "pnp", "pnp"])
    #expect(try g.status("HidNotifyPresence", 0, 1) == .invalidParameter)
    try g.call("HidpDriverUnload", driver)
    #expect(calls.last == "unload")
    #expect(g.k.kernel.exports["hidclass", "HidpAddDevice"] != nil && g.k.kernel.exports["hidclass", "HidpMajorHandler"] != nil)
  }

  @Test("a class driver of storage makes its device; one that is no disk does not start") func storage() throws {
    let g = try IOGuest()
    let (driver, data, result) = (g.driver.object.address, try g.space(0xd4), try g.space())
    let path = try g.string(#"\Registry\Machine\System"#)
    #expect(try g.status("ClassInitialize", driver, path, data) == .revisionMismatch)
    #expect(try g.status("ClassInitializeEx", driver, data, data) == .notSupported && g.call("ClassGetDriverExtension", driver) == 0)
    try g.k.store([0xd4, 0x300, 7], at: data)
    try g.k.store([0xf8b0_9000], at: data + 0x28)
    try g.k.store([0xf8b0_9010, 0, 0, 0, 0xf8b0_9020], at: data + 0xbc)
    #expect(try g.status("ClassInitialize", driver, path, data) == .success)
    #expect(try g.status("ClassInitializeEx", driver, data, data) == .success && g.call("ClassGetDriverExtension", driver) != 0)
    var made: UInt64 = 0
    g.routine(at: 0xf8b0_9010, 2) { arguments in
      #expect(try g.status("ClassClaimDevice", arguments[1], 0) == .invalidDeviceRequest)
      #expect(try g.status("ClassGetDescriptor", arguments[1], 0, result) == .invalidDeviceRequest)
      #expect(try g.status("ClassCreateDeviceObject", arguments[0], 0, arguments[1], 1, result) == .success)
      made = UInt64(try g.k.load(result))
      try g.call("IoAttachDeviceToDeviceStack", made, arguments[1])
      try g.k.store([g.k.load(made + 0x1c) & ~0x80], at: made + 0x1c)
      return 0
    }
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("IopAddDevice", driver, device) == .success)
    let common = UInt64(try g.k.load(made + 0x28))
    #expect(try UInt64(g.k.load(common + 4)) == made && UInt64(g.k.load(common + 8)) == device && g.k.byte(common + 0x38) == 1)
    try g.call("ClassInitializeSrbLookasideList", common, 4)
    #expect(try g.call("ClassAcquireRemoveLockEx", made, 0, 0, 0) == 0)
    try g.call("ClassReleaseRemoveLock", made, 0)
    try g.call("ClassDeleteSrbLookasideList", common)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == .invalidDeviceRequest)
    #expect(try g.call("ClassDebugPrint", 1, 0) == 0)
    g.routine(at: 0xf8b0_9020, 1) { _ in 0 }
    try g.call("ClassUnload", driver)
    #expect(g.k.kernel.exports["classpnp", "ClassGlobalDispatch"] != nil && g.k.kernel.exports["classpnp", "ClassAddDevice"] != nil)
    // A request that the class completes, and one that goes down.
    try g.dispatch(3) { _, irp in
      try g.call("ClassCompleteRequest", 0, irp, 0)
      return .success
    }
    #expect(g.k.kernel.exports["classpnp", "ClassForwardIrpSynchronous"] != nil)
  }

  @Test("a streaming driver's device is added, started and removed") func streaming() throws {
    let g = try IOGuest()
    let (driver, descriptor, table) = (g.driver.object.address, try g.space(), try g.space(0x40))
    var calls: [String] = []
    for (offset, name, count) in [(0, "add", 1), (4, "start", 4), (8, "post", 1), (0x20, "remove", 2)] as [(UInt64, String, Int)] {
      try g.k.store([0xf8b0_9000 + UInt32(offset) * 16], at: table + offset)
      g.routine(at: 0xf8b0_9000 + offset * 16, count) { arguments in
        let own = try g.k.load(arguments[0])
        #expect(own == UInt32(descriptor))
        calls.append(name)
        return 0
      }
    }
    try g.k.store([UInt32(table)], at: descriptor)
    #expect(try g.status("KsAddDevice", driver, 0) == .unsuccessful)
    #expect(try g.status("KsInitializeDriver", driver, 0, descriptor) == .success)
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("IopAddDevice", driver, device) == .success)
    let own = try #require(try g.k.kernel.devices(of: g.driver).first).address
    #expect(try UInt64(g.k.load(g.call("KsGetDeviceForDeviceObject", own) + 0xc)) == own)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 2) == .success)
    #expect(calls == ["add", "start", "post", "remove"])
    try g.call("KsNullDriverUnload", driver)
    #expect(g.k.kernel.exports["ks", "KspDispatch"] != nil)
  }

  @Test("a bus of KS's has no children") func bus() throws {
    let g = try IOGuest()
    let (device, result) = (try g.device(nil, extension: 0x10), try g.space())
    #expect(try g.status("KsGetBusEnumPnpDeviceObject", device, result) == .invalidParameter)
    #expect(try g.status("KsCreateBusEnumObject", 0, device, 0x11, 0x22, 0, 0) == .success)
    #expect(try g.status("KsGetBusEnumPnpDeviceObject", device, result) == .success && g.k.load(result) == 0x22)
    #expect(try g.status("KsIsBusEnumChildDevice", device, result) == .success && g.k.byte(result) == 0)
    let irp = try g.call("IoAllocateIrp", 1, 0)
    let location = try g.space(0x24)
    try g.k.store([UInt32(location)], at: irp + 0x60)
    #expect(try g.status("KsServiceBusEnumPnpRequest", device, irp) == .notSupported)
    try g.k.store([0x021b], at: location)
    #expect(try g.status("KsServiceBusEnumPnpRequest", device, irp) == .success)
    #expect(try g.k.load(UInt64(g.k.load(device + 0x28))) == 0)
  }

  @Test("minidrivers of controllers register; one without resources does not start", arguments: ["PciIdeX", "StreamClass"])
  func controllers(prefix: String) throws {
    let g = try IOGuest()
    let (driver, data) = (g.driver.object.address, try g.space(0x40))
    if prefix == "PciIdeX" {
      #expect(try g.status("PciIdeXInitialize", driver, 0, 0, 0x20) == .invalidParameter)
      #expect(try g.status("PciIdeXInitialize", driver, 0, 0xf8b0_9000, 0x20) == .success)
    } else {
      #expect(try g.status("StreamClassRegisterMinidriver", driver, 0, data) == .revisionMismatch)
      try g.k.store([0x44], at: data)
      #expect(try g.status("StreamClassRegisterMinidriver", driver, 0, data) == .success)
    }
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status(prefix + "AddDevice", driver, device) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == NTSTATUS(rawValue: 0xc000_0182))
    try g.call(prefix + "Unload", driver)
    // PciIdeXAddDevice StreamClassAddDevice PciIdeXUnload StreamClassUnload PciIdeXDispatch StreamClassDispatch
    #expect(g.k.kernel.exports[prefix.lowercased() == "pciidex" ? "pciidex" : "stream", prefix + "Dispatch"] != nil)
  }

  @Test("a device with a header of KS's goes by the default routines") func header() throws {
    let g = try IOGuest()
    let (driver, result) = (g.driver.object.address, try g.space())
    #expect(try g.status("KsSetMajorFunctionHandler", driver, 0x1b) == .invalidParameter)
    #expect(try g.status("KsSetMajorFunctionHandler", driver, 0) == .success)
    #expect(try g.status("KsAllocateDeviceHeader", result, 0, 0) == .success)
    let header = UInt64(try g.k.load(result))
    let physical = try g.k.kernel.makeRootDevice(for: g.driver).address
    let device = try g.device(nil, extension: 0x10)
    let lower = try g.call("IoAttachDeviceToDeviceStack", device, physical)
    try g.k.store([UInt32(header)], at: UInt64(g.k.load(device + 0x28)))
    try g.call("KsSetDevicePnpAndBaseObject", header, physical, lower)
    #expect(try g.call("KsQueryDevicePnpObject", header) == physical)
    try g.dispatch(0x1b) { try g.status("KsDefaultDispatchPnp", $0, $1) }
    try g.dispatch(0x16) { try g.status("KsDefaultDispatchPower", $0, $1) }
    try g.dispatch(0x17) { try g.status("KsDefaultForwardIrp", $0, $1) }
    #expect(try g.status("IopPlugAndPlayRequest", physical, 0) == .success)
    #expect(try g.status("IopPowerRequest", physical, 2, 1, 4) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", physical, 2) == .success)
    #expect(try g.status("KsAllocateDeviceHeader", result, 0, 0) == .success)
    try g.call("KsFreeDeviceHeader", UInt64(g.k.load(result)))
    for name in ["KsDispatchIrp", "KsDispatchInvalidDeviceRequest"] {
      let other = try g.device("\\Device\\" + name)
      try g.dispatch(0) { try g.status(name, $0, $1) }
      let (handle, block) = (try g.space(), try g.space())
      #expect(
        try g.status("ZwCreateFile", handle, 0xc010_0000, g.attributes("\\Device\\" + name), block, 0, 0x80, 3, 1, 0x20, 0, 0)
          == .invalidDeviceRequest)
      try g.call("IoDeleteDevice", other)
    }
  }

  @Test("an audio adapter is added and started without resources") func audio() throws {
    let g = try IOGuest()
    let driver = g.driver.object.address
    #expect(try g.status("PcInitializeAdapterDriver", driver, 0, 0) == .invalidParameter)
    #expect(try g.status("PcInitializeAdapterDriver", driver, driver, 0xf8b0_9000) == .success)
    g.routine(at: 0xf8b0_9000, 2) {
      #expect(try g.status("PcAddAdapterDevice", $0[0], $0[1], 0xf8b0_9010, 0, 0) == .invalidParameter)
      return UInt64(try g.status("PcAddAdapterDevice", $0[0], $0[1], 0xf8b0_9010, 4, 0).rawValue)
    }
    var started = 0
    let result = try g.space()
    g.routine(at: 0xf8b0_9010, 3) { arguments in
      started += 1
      // The list's table of methods.
      let table = UInt64(try g.k.load(arguments[2]))
      let names = try (0..<11 as Range<UInt64>).map { index in
        let place = UInt64(try g.k.load(table + 4 * index))
        return g.k.kernel.exports.exports[try #require(g.k.kernel.trapAddresses.firstIndex(of: place))].name
      }
      #expect(names.first == "CResourceListQueryInterface" && names.last == "CResourceListTranslatedList")
      #expect(try g.status("CResourceListQueryInterface", arguments[2], 0, result) == .invalidParameter)
      #expect(try g.call("CResourceListAddRef", arguments[2]) == 2 && g.call("CResourceListRelease", arguments[2]) == 1)
      #expect(try g.call("CResourceListNumberOfEntries", arguments[2]) == 0)
      #expect(try g.call("CResourceListNumberOfEntriesOfType", arguments[2], 2) == 0)
      #expect(try g.call("CResourceListFindEntry", arguments[2], 2, 0) == 0 && g.call("CResourceListTranslatedList", arguments[2]) == 0)
      #expect(try g.status("CResourceListAddEntry", arguments[2], 0, 0) == .insufficientResources)
      #expect(try g.status("CResourceListAddEntryFromParent", arguments[2], 0, 2, 0) == .invalidParameter)
      #expect(try g.status("PcNewPort", result, 0) == .notSupported && g.status("PcNewMiniport", result, 0) == .notSupported)
      #expect(try g.status("PcRegisterSubdevice", arguments[0], 0, 0) == .notSupported)
      #expect(try g.status("PcRegisterAdapterPowerManagement", 0, arguments[0]) == .invalidParameter)
      return 0
    }
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("IopAddDevice", driver, device) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == .success && started == 1)
    #expect(try g.status("IopPlugAndPlayRequest", device, 2) == .success)
    #expect(try g.call("PcGetTimeInterval", 0, 0) < 0x1000_0000)
    try g.call("PcDriverUnload", driver)
    for name in ["PcDispatchIrp", "PcCompleteIrp", "PcForwardIrpSynchronous"] { #expect(g.k.kernel.exports["portcls", name] != nil) }
  }

  @Test("batteries, host controllers, random numbers, the boot display, sockets") func helpers() throws {
    let g = try IOGuest()
    let (driver, result, buffer) = (g.driver.object.address, try g.space(), try g.space(0x40))
    #expect(try g.status("BatteryClassInitializeDevice", buffer, result) == .revisionMismatch)
    try g.k.store([1], at: buffer)
    #expect(try g.status("BatteryClassInitializeDevice", buffer, result) == .success)
    let battery = UInt64(try g.k.load(result))
    #expect(try g.status("BatteryClassIoctl", battery, 0) == .notSupported && g.status("BatteryClassStatusNotify", battery) == .success)
    #expect(try g.status("BatteryClassUnload", battery) == .success && g.status("BatteryClassUnload", battery) == .invalidParameter)

    #expect(try g.call("USBPORT_GetHciMn") == 0x1000_0001)
    #expect(try g.status("USBPORT_RegisterUSBPortDriver", driver, 10, buffer) == .unsuccessful)
    #expect(try g.status("USBPORT_RegisterUSBPortDriver", driver, 200, buffer) == .success)
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("USBPORT_AddDevice", driver, device) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == NTSTATUS(rawValue: 0xc000_0182))
    try g.call("USBPORT_Unload", driver)
    #expect(g.k.kernel.exports["usbport", "USBPORT_Dispatch"] != nil)

    let name = UInt64(try g.k.load(g.string("RNG\0") + 4))
    #expect(try g.status("BCryptOpenAlgorithmProvider", result, g.k.load(g.string("SHA1\0") + 4).bits, 0, 0) == .notFound)
    #expect(try g.status("BCryptOpenAlgorithmProvider", result, name, 0, 0) == .success)
    let random = UInt64(try g.k.load(result))
    #expect(try g.status("BCryptGenRandom", random, buffer, 0x20, 0) == .success && g.k.load(buffer) != g.k.load(buffer + 0x10))
    #expect(try g.status("BCryptCloseAlgorithmProvider", random, 0) == .success)
    #expect(try g.status("BCryptGenRandom", random, buffer, 0x20, 0) == .invalidHandle)
    #expect(try g.status("BCryptGenRandom", 0, buffer, 0x20, 2) == .success && g.call("SystemPrng", buffer, 8) == 1)

    #expect(try g.call("VidInitialize", 1, 0) & 0xff == 0 && g.call("VidSetTextColor", 1) == 0xf)
    try g.call("VidResetDisplay", 1)
    try g.call("VidSetScrollRegion", 0, 0, 1, 1)
    try g.call("VidSolidColorFill", 0, 0, 1, 1, 0)
    try g.k.memory.memory.write(Array("up\0".utf8), at: buffer)
    try g.call("VidDisplayString", buffer)
    try g.call("VidCleanUp")
    #expect(g.k.messages.last == "up")

    let client = try g.space()
    try g.k.store([0, UInt32(buffer)], at: client)
    try g.k.store([0x200], at: buffer)
    #expect(try g.status("WskRegister", client, result) == .notSupported)
    try g.k.store([0x100], at: buffer)
    #expect(try g.status("WskRegister", client, result) == .success)
    #expect(try g.status("WskCaptureProviderNPI", result, 0, buffer) == NTSTATUS(rawValue: 0xc000_00a3))
    #expect(try g.status("WskQueryProviderCharacteristics", result, buffer) == NTSTATUS(rawValue: 0xc000_00a3))
    try g.call("WskReleaseProviderNPI", result)
    try g.call("WskDeregister", result)
    #expect(try g.k.kernel.leftovers(of: g.driver).map(\.what).allSatisfy { !$0.contains("Winsock") })
  }
}
