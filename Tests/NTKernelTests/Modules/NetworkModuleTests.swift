import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Network modules, changers and cameras") struct NetworkModuleTests {
  @Test("modules register and go; changes are subscribed to; the filter engine runs") func modules() throws {
    let g = try IOGuest()
    let (characteristics, result) = (try g.space(0x20), try g.space())
    for (register, deregister, wait) in [
      ("NmrRegisterClient", "NmrDeregisterClient", "NmrWaitForClientDeregisterComplete"),
      ("NmrRegisterProvider", "NmrDeregisterProvider", "NmrWaitForProviderDeregisterComplete"),
    ] {
      try g.k.store([0x0020_0001, 1, 1, 1], at: characteristics)
      #expect(try g.status(register, characteristics, 0, result) == .invalidParameter)
      try g.k.store([0x0020_0000], at: characteristics)
      #expect(try g.status(register, characteristics, 0, result) == .success)
      let handle = UInt64(try g.k.load(result))
      #expect(try g.status(deregister, handle) == .pending && g.status(wait, handle) == .success)
      #expect(try g.status(deregister, handle) == .invalidParameter)
    }
    var told: [[UInt64]] = []
    g.routine(at: 0xf8b0_9000, 3) {
      told.append($0)
      return 0
    }
    for name in ["NotifyIpInterfaceChange", "NotifyUnicastIpAddressChange", "NotifyRouteChange2"] {
      #expect(try g.status(name, 2, 0xf8b0_9000, 7, 1, result) == .success && told.last == [7, 0, 3])
      let handle = UInt64(try g.k.load(result))
      #expect(try g.status("CancelMibChangeNotify2", handle) == .success && g.status("CancelMibChangeNotify2", handle) == .invalidParameter)
      #expect(try g.status(name, 9, 0xf8b0_9000, 7, 1, result) == .invalidParameter)
    }
    #expect(try g.call("FwpmBfeStateGet0") == 3)
    #expect(try g.status("FwpmBfeStateSubscribeChanges0", 0, 1, 0, result) == .invalidParameter)
    #expect(try g.status("FwpmBfeStateSubscribeChanges0", g.device(nil), 1, 0, result) == .success)
    let subscription = UInt64(try g.k.load(result))
    #expect(try g.status("FwpmBfeStateUnsubscribeChanges0", subscription) == .success)
    #expect(try g.status("FwpmBfeStateUnsubscribeChanges0", subscription) == .invalidHandle)
  }

  @Test("a changer's and a camera's minidriver register, and get devices that do not start") func minidrivers() throws {
    for name in ["ChangerClassInitialize", "USBCAMD_DriverEntry"] {
      let g = try IOGuest()
      let (driver, data) = (g.driver.object.address, try g.space(0x40))
      // MCD_INIT_DATA, or a routine for packets: first none that is right.
      func register(_ last: UInt64) throws -> NTSTATUS {
        NTSTATUS(
          rawValue: UInt32(
            truncatingIfNeeded: try g.call(name, name == "USBCAMD_DriverEntry" ? [driver, 0, 0, 0, last] : [driver, 0, data])))
      }
      #expect(try !register(0).isSuccess)
      try g.k.store([0x3c], at: data)
      #expect(try register(1) == .success)
      let device = try g.k.kernel.makeRootDevice(for: g.driver).address
      #expect(try g.status("IopAddDevice", driver, device) == .success)
      #expect(try g.status("IopPlugAndPlayRequest", device, 0).isSuccess == false)
      // What the driver object leads to.
      let own =
        name == "USBCAMD_DriverEntry"
        ? ["UsbcamdAddDevice", "UsbcamdDispatch", "UsbcamdUnload"]
        : ["ChangerClassAddDevice", "ChangerClassDispatch", "ChangerClassUnload"]
      let module = name == "USBCAMD_DriverEntry" ? "usbcamd" : "mcd"
      #expect(own.allSatisfy { g.k.kernel.trapAddress(of: $0, in: module) != 0 })
      try g.call(own[2], driver)
    }
  }
}
