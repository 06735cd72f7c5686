import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("scsiport and storport") struct StoragePortTests {
  private static let hardwareError = NTSTATUS(rawValue: 0xc000_00c2)

  /// HW_INITIALIZATION_DATA of `size` bytes for an interface; its routines stand at f8b09000 and every 10h behind.
  private func data(_ g: IOGuest, interface: UInt32, size: UInt32 = 0x50, extension extra: UInt32 = 0x40) throws -> UInt64 {
    let place = try g.space(0x80)
    try g.k.store([size, interface, 0xf8b0_9000, 0xf8b0_9010, 0, 0xf8b0_9020, 0xf8b0_9030], at: place)
    try g.k.store([extra, 0, 0x20, 2], at: place + 0x24)
    try g.k.store([0xf8b0_9040], at: place + 0x4c)
    return place
  }

  @Test("a miniport of a PCI bus gets its adapter by Plug and Play") func plugAndPlay() throws {
    let g = try IOGuest()
    let driver = g.driver.object.address
    #expect(try g.status("ScsiPortInitialize", driver, 0, data(g, interface: 5, size: 0x100), 0) == .revisionMismatch)
    #expect(try g.status("ScsiPortInitialize", driver, 0, data(g, interface: 5), 0x77) == .success)
    var (found, isUp, calls): (UInt64, UInt64, [String]) = (0, 1, [])
    g.routine(at: 0xf8b0_9020, 6) { arguments in
      calls.append("find")
      let (ranges, interface) = (try g.k.load(arguments[4] + 0x34), try g.k.load(arguments[4] + 8))
      #expect(arguments[1] == 0x77 && ranges == 2 && interface == 5)
      return found
    }
    g.routine(at: 0xf8b0_9000, 1) { _ in
      calls.append("initialize")
      return isUp
    }
    g.routine(at: 0xf8b0_9040, 3) {
      calls.append("control \($0[1])")
      return 0
    }
    func start() throws -> (device: UInt64, status: NTSTATUS) {
      let device = try g.k.kernel.makeRootDevice(for: g.driver).address
      #expect(try g.status("IopAddDevice", driver, device) == .success)
      return (device, try g.status("IopPlugAndPlayRequest", device, 0))
    }
    // SP_RETURN_NOT_FOUND; the adapter that cannot be initialised; the one that can.
    #expect(try start().status == .noSuchDevice)
    (found, isUp) = (1, 0)
    #expect(try start().status == Self.hardwareError)
    isUp = 1
    let (device, status) = try start()
    #expect(status == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 2) == .success)
    #expect(calls == ["find", "find", "initialize", "find", "initialize", "control 1"])
    try g.call("ScsiPortUnload", driver)
    #expect(g.k.kernel.exports["scsiport", "ScsiPortGlobalDispatch"] != nil && g.k.kernel.exports["scsiport", "ScsiPortAddDevice"] != nil)
  }

  @Test("a miniport of an older bus is asked at once, and its timer called") func legacy() throws {
    let g = try IOGuest()
    let driver = g.driver.object.address
    var hardware: UInt64 = 0
    var found: UInt64 = 0
    g.routine(at: 0xf8b0_9020, 6) {
      hardware = $0[0]
      return found
    }
    g.routine(at: 0xf8b0_9000, 1) { _ in 1 }
    #expect(try g.status("ScsiPortInitialize", driver, 0, data(g, interface: 1), 0) == .noSuchDevice)
    #expect(try g.k.kernel.devices(of: g.driver).isEmpty)
    found = 1
    #expect(try g.status("ScsiPortInitialize", driver, 0, data(g, interface: 1), 0) == .success)
    #expect(try g.k.kernel.devices(of: g.driver).count == 1)
    // RequestTimerCall; then what it leads to.
    try g.call("ScsiPortNotification", 6, hardware, 0xf8b0_9050, 100)
    var called: UInt64 = 0
    g.routine(at: 0xf8b0_9050, 1) {
      called = $0[0]
      return 0
    }
    try g.call("ScsiPortTimerDpc", 0, hardware, 0, 0)
    #expect(called == hardware)
    let ticks = try g.space()
    try g.call("ScsiPortNotification", 0xc, hardware, ticks)
    try g.call("ScsiPortNotification", 6, hardware, 0, 0)
  }

  @Test("what miniports call", arguments: ["ScsiPort", "StorPort"]) func routines(prefix: String) throws {
    let g = try IOGuest()
    let (buffer, result) = (try g.space(0x40), try g.space())
    #expect(try g.call(prefix + "GetDeviceBase", 0, 5, 0, 0x1f0, 0, 8, 1) == 0x1f0)
    let registers = try g.call(prefix + "GetDeviceBase", 0, 5, 0, 0xf000_0000, 0, 0x1000, 0)
    #expect(registers > 0x8000_0000)
    try g.call(prefix + "FreeDeviceBase", 0, registers)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
    #expect(try g.call(prefix + "ValidateRange", 0, 5, 0, 0x1f0, 0, 8, 1) & 0xff == 1)
    // A slot without a function answers with two bytes of ones.
    #expect(try g.call(prefix + "GetBusData", 0, 4, 0, 0x1e, buffer, 4) == 2 && g.k.half(buffer) == 0xffff)
    #expect(try g.call(prefix + "SetBusDataByOffset", 0, 4, 0, 0x1e, buffer, 0, 4) == 0)
    let uncached = try g.call(prefix + "GetUncachedExtension", 0, 0, 0x1000)
    #expect(try uncached != 0 && g.call(prefix + "GetUncachedExtension", 0, 0, 0) == 0)
    let physical = try g.call(prefix + "GetPhysicalAddress", 0, 0, uncached + 0x10, result)
    #expect(try physical != 0 && g.k.load(result) == 0xff0)
    #expect(try g.call(prefix + "GetVirtualAddress", 0, physical, 0) == uncached + 0x10)
    #expect(try g.call(prefix + "GetLogicalUnit", 0, 0, 0, 0) == 0 && g.call(prefix + "GetSrb", 0, 0, 0, 0, 0) == 0)
    try g.call(prefix + "CompleteRequest", 0, 0, 0, 0, 1)
    try g.call(prefix + "LogError", 0, 0, 0, 0, 0, 5, 6)
    #expect(g.k.notes.contains { $0.contains("0x00000005") })
    try g.k.store([0x1234_5678], at: buffer)
    try g.call(prefix + "MoveMemory", buffer + 8, buffer, 4)
    #expect(try g.k.load(buffer + 8) == 0x1234_5678)
    try g.call(prefix + "StallExecution", 10)
    try g.call(prefix + "QuerySystemTime", result)
    for (type, ones) in [("Uchar", 0xff), ("Ushort", 0xffff), ("Ulong", 0xffff_ffff)] as [(String, UInt64)] {
      // Nothing answers at this port; a register is memory.
      #expect(try g.call(prefix + "ReadPort\(type)", 0x9000) & ones == ones)
      try g.call(prefix + "WritePort\(type)", 0x9000, 0)
      try g.call(prefix + "ReadPortBuffer\(type)", 0x9000, buffer, 1)
      try g.call(prefix + "WritePortBuffer\(type)", 0x9000, buffer, 1)
      try g.call(prefix + "WriteRegister\(type)", buffer, 0x5a)
      #expect(try g.call(prefix + "ReadRegister\(type)", buffer) & 0xff == 0x5a)
      try g.call(prefix + "ReadRegisterBuffer\(type)", buffer, buffer + 0x10, 1)
      try g.call(prefix + "WriteRegisterBuffer\(type)", buffer + 0x20, buffer, 1)
      #expect(try g.k.byte(buffer + 0x10) == 0x5a && g.k.byte(buffer + 0x20) == 0x5a)
    }
  }

  // What the test above makes of its parts:
  // ScsiPortGetDeviceBase ScsiPortFreeDeviceBase ScsiPortValidateRange ScsiPortGetBusData ScsiPortSetBusDataByOffset
  // ScsiPortGetUncachedExtension ScsiPortGetPhysicalAddress ScsiPortGetVirtualAddress ScsiPortGetLogicalUnit ScsiPortGetSrb
  // ScsiPortCompleteRequest ScsiPortLogError ScsiPortMoveMemory ScsiPortStallExecution ScsiPortQuerySystemTime
  // ScsiPortReadPortUchar ScsiPortReadPortUshort ScsiPortReadPortUlong ScsiPortWritePortUchar ScsiPortWritePortUshort
  // ScsiPortWritePortUlong ScsiPortReadPortBufferUchar ScsiPortReadPortBufferUshort ScsiPortReadPortBufferUlong
  // ScsiPortWritePortBufferUchar ScsiPortWritePortBufferUshort ScsiPortWritePortBufferUlong ScsiPortReadRegisterUchar
  // ScsiPortReadRegisterUshort ScsiPortReadRegisterUlong ScsiPortWriteRegisterUchar ScsiPortWriteRegisterUshort
  // ScsiPortWriteRegisterUlong ScsiPortReadRegisterBufferUchar ScsiPortReadRegisterBufferUshort
  // ScsiPortReadRegisterBufferUlong ScsiPortWriteRegisterBufferUchar ScsiPortWriteRegisterBufferUshort
  // ScsiPortWriteRegisterBufferUlong
  // StorPortGetDeviceBase StorPortFreeDeviceBase StorPortValidateRange StorPortGetBusData StorPortSetBusDataByOffset
  // StorPortGetUncachedExtension StorPortGetPhysicalAddress StorPortGetVirtualAddress StorPortGetLogicalUnit StorPortGetSrb
  // StorPortCompleteRequest StorPortLogError StorPortMoveMemory StorPortStallExecution StorPortQuerySystemTime
  // StorPortReadPortUchar StorPortReadPortUshort StorPortReadPortUlong StorPortWritePortUchar StorPortWritePortUshort
  // StorPortWritePortUlong StorPortReadPortBufferUchar StorPortReadPortBufferUshort StorPortReadPortBufferUlong
  // StorPortWritePortBufferUchar StorPortWritePortBufferUshort StorPortWritePortBufferUlong StorPortReadRegisterUchar
  // StorPortReadRegisterUshort StorPortReadRegisterUlong StorPortWriteRegisterUchar StorPortWriteRegisterUshort
  // StorPortWriteRegisterUlong StorPortReadRegisterBufferUchar StorPortReadRegisterBufferUshort
  // StorPortReadRegisterBufferUlong StorPortWriteRegisterBufferUchar StorPortWriteRegisterBufferUshort
  // StorPortWriteRegisterBufferUlong

  @Test("scsiport's own") func scsi() throws {
    let g = try IOGuest()
    try g.call("ScsiPortFlushDma", 0)
    try g.call("ScsiPortIoMapTransfer", 0, 0, 0, 0)
    #expect(try g.call("ScsiPortConvertUlongToPhysicalAddress", 0x1234) == 0x1234)
    #expect(try g.call("ScsiDebugPrint", 1, 0) == 0)
  }

  @Test("storport's own") func stor() throws {
    let g = try IOGuest()
    let driver = g.driver.object.address
    #expect(try g.status("StorPortInitialize", driver, 0, data(g, interface: 5, size: 0x20), 0) == .revisionMismatch)
    // A virtual miniport: STOR_FEATURE_VIRTUAL_MINIPORT, so the device below is an argument.
    let virtual = try data(g, interface: 0, size: 0x70)
    try g.k.store([0, 0xf8b0_9060], at: virtual + 0x50)
    try g.k.store([1], at: virtual + 0x6c)
    #expect(try g.status("StorPortInitialize", driver, 0, virtual, 0) == .success)
    let result = try g.space(0x20)
    var (hardware, calls): (UInt64, [String]) = (0, [])
    g.routine(at: 0xf8b0_9020, 7) {
      hardware = $0[0]
      #expect($0[3] != 0)
      return 1
    }
    g.routine(at: 0xf8b0_9000, 1) {
      // EnablePassiveInitialization; a deferred call; a lock.
      try g.call("StorPortNotification", 0x1000, $0[0], 0xf8b0_9070, result)
      #expect(try g.k.byte(result) == 1)
      try g.call("StorPortNotification", 0x1001, $0[0], result, 0xf8b0_9080)
      #expect(try g.k.load(result + 0xc) == 0xf8b0_9080)
      try g.call("StorPortNotification", 0x1003, $0[0], 1, 0, result)
      #expect(try g.k.irql == 2)
      try g.call("StorPortNotification", 0x1004, $0[0], result)
      #expect(try g.k.irql == 0)
      return 1
    }
    g.routine(at: 0xf8b0_9070, 1) { _ in
      calls.append("passive")
      return 1
    }
    g.routine(at: 0xf8b0_9040, 3) { _ in 0 }
    g.routine(at: 0xf8b0_9060, 1) { _ in
      calls.append("free")
      return 0
    }
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("StorPortAddDevice", driver, device) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == .success && calls == ["passive"])
    // ExtFunctionAllocatePool and FreePool; MDLs; the devices; the processor; one that is not there.
    #expect(try g.call("StorPortExtendedFunction", 0, hardware, 0x40, 0x7473_6554, result) == 0)
    #expect(try g.call("StorPortExtendedFunction", 1, hardware, UInt64(g.k.load(result))) == 0)
    #expect(try g.call("StorPortExtendedFunction", 0, hardware, 0xffff_0000, 0, result) == 0xc100_0003)
    #expect(try g.call("StorPortExtendedFunction", 2, hardware, hardware, 0x10, result) == 0)
    let mdl = UInt64(try g.k.load(result))
    #expect(try g.call("StorPortExtendedFunction", 4, hardware, mdl) == 0 && g.call("StorPortExtendedFunction", 3, hardware, mdl) == 0)
    #expect(try g.call("StorPortExtendedFunction", 8, hardware, result, result + 4, result + 8) == 0)
    #expect(try UInt64(g.k.load(result + 4)) == device)
    #expect(try g.call("StorPortExtendedFunction", 17, hardware, result) == 0)
    #expect(try g.call("StorPortExtendedFunction", 99, hardware) == 0xc100_0002)
    // A value of the miniport's own.
    let name = try g.space()
    try g.k.memory.memory.write(Array("Depth\0".utf8), at: name)
    try g.k.store([8], at: result)
    #expect(try g.call("StorPortRegistryRead", hardware, name, 1, 4, result + 8, result) & 0xff == 0)
    g.k.kernel.registry.makeKey(at: g.k.kernel.serviceKey("demo")!.path + #"\Parameters\Device"#)?["Depth"] = .dword(7)
    try g.k.store([8], at: result)
    #expect(try g.call("StorPortRegistryRead", hardware, name, 1, 4, result + 8, result) & 0xff == 1 && g.k.load(result + 8) == 7)
    try g.k.store([0x20], at: result)
    let block = try g.call("StorPortAllocateRegistryBuffer", hardware, result)
    try g.call("StorPortFreeRegistryBuffer", hardware, block)
    #expect(try g.status("IopPlugAndPlayRequest", device, 2) == .success && calls == ["passive", "free"])
    try g.call("StorPortUnload", driver)
    #expect(g.k.kernel.exports["storport", "StorPortGlobalDispatch"] != nil)

    g.routine(at: 0xf8b0_9100, 2) { $0[1] }
    #expect(try g.call("StorPortSynchronizeAccess", 0, 0xf8b0_9100, 5) & 0xff == 5)
    #expect(try g.call("StorPortGetScatterGatherList", 0, 0) == 0 && g.call("StorPortDebugPrint", 1, 0) == 0)
    #expect(try g.call("StorPortConvertUlong64ToPhysicalAddress", 0x1234, 0) == 0x1234)
    #expect(try g.call("StorPortConvertPhysicalAddressToUlong64", 0x1234, 0) == 0x1234)
    #expect(try g.call("StorPortPause", 0, 1) & 0xff == 1 && g.call("StorPortResume", 0) & 0xff == 1)
    #expect(try g.call("StorPortBusy", 0, 1) & 0xff == 1 && g.call("StorPortReady", 0) & 0xff == 1)
    // There is no unit that could be held back.
    #expect(try g.call("StorPortPauseDevice", 0, 0, 0, 0, 1) & 0xff == 0 && g.call("StorPortResumeDevice", 0, 0, 0, 0) & 0xff == 0)
    #expect(try g.call("StorPortDeviceBusy", 0, 0, 0, 0, 1) & 0xff == 0 && g.call("StorPortDeviceReady", 0, 0, 0, 0) & 0xff == 0)
    #expect(try g.call("StorPortSetDeviceQueueDepth", 0, 0, 0, 0, 1) & 0xff == 0)
  }
}
