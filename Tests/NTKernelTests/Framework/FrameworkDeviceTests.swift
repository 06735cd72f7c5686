import Guest
import KMDF
import NTKernel
import Testing
import WindowsTypes

@Suite("What framework drivers ask and say of a device") struct FrameworkDeviceTests {
  @Test("properties, keys and states") func facts() throws {
    let length = Box()
    let bus = try FrameworkBus { (g: FrameworkGuest, setup: UInt64) throws -> Void in
      length.value = try g.g.space()
      #expect(try g.status("WdfFdoInitQueryProperty", setup, 0xf, 0, 0, length.value) == .bufferTooSmall && g.k.load(length.value) == 10)
      #expect(try g.make("WdfFdoInitAllocAndQueryProperty", setup, 0xf, 1, 0) != 0)
      #expect(try g.make("WdfFdoInitOpenRegistryKey", setup, 1, 0xf003f, 0) != 0)
      for name in [
        "WdfDeviceInitRegisterPnpStateChangeCallback", "WdfDeviceInitRegisterPowerStateChangeCallback",
        "WdfDeviceInitRegisterPowerPolicyStateChangeCallback",
      ] { #expect(try g.status(name, setup, 0x119, 1, 1) == .success && g.status(name, setup, 0x119, 0, 1) == .invalidParameter) }
      try g.call("WdfDeviceInitSetDeviceClass", setup, g.g.space())
      try g.call("WdfDeviceInitSetReleaseHardwareOrderOnFailure", setup, 1)
      try g.call("WdfDeviceInitSetRemoveLockOptions", setup, g.g.space())
      let types = try g.g.space()
      try g.k.store([0x10, 2, 2, 0], at: types)
      try g.call("WdfDeviceInitSetIoTypeEx", setup, types)
    }
    let (g, result) = (bus.g, length.value)
    let memory = try g.make("WdfDeviceAllocAndQueryProperty", bus.device, 0xf, 1, 0)
    #expect(try g.call("WdfMemoryGetBuffer", memory, result) != 0 && g.k.load(result) == 10)
    _ = try g.make("WdfDeviceAllocAndQueryProperty", bus.device, 0x77, 1, 0, expect: .invalidParameter2)
    let buffer = try g.g.space(0x40)
    #expect(try g.status("WdfDeviceQueryProperty", bus.device, 0xf, 0x40, buffer, result) == .success && g.k.half(buffer) == 0x52)
    let target = try g.call("WdfDeviceGetIoTarget", bus.device)
    #expect(try g.status("WdfIoTargetQueryTargetProperty", target, 0xf, 0x40, buffer, result) == .success)
    #expect(try g.make("WdfIoTargetAllocAndQueryTargetProperty", target, 0xf, 1, 0) != 0)
    #expect(try g.make("WdfDeviceOpenRegistryKey", bus.device, 2, 0xf003f, 0) != 0)
    let control = try g.device()
    #expect(try g.status("WdfDeviceQueryProperty", control, 0xf, 0, 0, result) == .invalidDeviceRequest)
    _ = try g.make("WdfDeviceOpenRegistryKey", control, 1, 0xf003f, 0, expect: .objectNameNotFound)
    let string = try g.make("WdfStringCreate", 0, 0)
    #expect(try g.status("WdfDeviceRetrieveDeviceName", control, string) == .success)
    #expect(try g.status("WdfDeviceRetrieveDeviceName", bus.device, string).rawValue == 0xc000_0184)
    let text = try g.g.space()
    try g.call("WdfStringGetUnicodeString", string, text)
    #expect(try g.k.half(text) == 22)
    #expect(try g.status("WdfDriverRetrieveVersionString", g.driver, string) == .success)
    #expect(try g.status("WdfDriverRegisterTraceInfo", g.g.driver.object.address, 0, 0) == .notImplemented)
    #expect(try g.status("WdfDeviceAssignMofResourceName", bus.device, text) == .success)
    let state = try g.g.space(0x20)
    try g.call("WdfDeviceGetDeviceState", bus.device, state)
    #expect(try g.k.load(state + 4) == 2)
    try g.k.store([0x1c, 1, 1, 1, 1, 1, 1], at: state)
    try g.call("WdfDeviceSetDeviceState", bus.device, state)
    try g.call("WdfDeviceSetFailed", bus.device, 1)
    try g.call("WdfDeviceSetSpecialFileSupport", bus.device, 1, 1)
    try g.call("WdfDeviceSetStaticStopRemove", bus.device, 1)
    try g.k.store([0x10], at: state)
    #expect(try g.status("WdfDeviceAssignSxWakeSettings", bus.device, state).rawValue == 0xc000_02d3)
    #expect(try g.status("WdfDeviceIndicateWakeStatus", bus.device, 0) == .invalidDeviceRequest)
    #expect(try g.status("WdfDeviceStopIdleNoTrack", bus.device, 1).rawValue == 0xc000_02d3)
    #expect(try bus.request(0) == .success && g.status("WdfDeviceStopIdleNoTrack", bus.device, 1) == .success)
    #expect(try g.status("WdfDeviceStopIdleActual", bus.device, 1, 0, 0, 0) == .success)
    try g.call("WdfDeviceResumeIdleNoTrack", bus.device)
    try g.call("WdfDeviceResumeIdleActual", bus.device, 0, 0, 0)
    #expect(try g.call("WdfDeviceGetSystemPowerAction", bus.device) == 0)
    // A device of the root is no USB device.
    for (name, arguments) in [
      ("WdfUsbTargetDeviceCreate", [bus.device, 0]), ("WdfUsbTargetDeviceCreateWithParameters", [bus.device, state, 0]),
    ] {
      #expect(try NTSTATUS(rawValue: UInt32(truncatingIfNeeded: g.g.call(name, [g.globals] + arguments + [result]))).isSuccess == false)
    }
    #expect(try g.violation("WdfDeviceAssignMofResourceName", bus.device, 0).first == 4)
  }

  private final class Box { var value: UInt64 = 0 }

  @Test("a driver sees an IRP before the framework does, and hands it on") func preprocessing() throws {
    var seen: [UInt64] = []
    let box = Box()
    let bus = try FrameworkBus { (g: FrameworkGuest, setup: UInt64) throws -> Void in
      let routine = g.routine(2) {
        seen.append($0[0])
        // IoSkipCurrentIrpStackLocation
        let location = try g.k.memory.memory.load(UInt8.self, at: $0[1] + 0x23)
        try g.k.memory.memory.store(location + 1, at: $0[1] + 0x23)
        try g.k.store([UInt32(g.k.load($0[1] + 0x60) + 0x24)], at: $0[1] + 0x60)
        return try g.call("WdfDeviceWdmDispatchPreprocessedIrp", $0[0], $0[1])
      }
      let minors = try g.g.space()
      try g.k.store([0x0100], at: minors)
      let name = "WdfDeviceInitAssignWdmIrpPreprocessCallback"
      #expect(try g.status(name, setup, routine, 27, minors, 2) == .success)
      #expect(try g.status(name, setup, routine, 27, minors, 2) == .invalidDeviceRequest)
      #expect(try g.status(name, setup, 0, 27, minors, 2) == .invalidParameter)
      box.value = minors
    }
    #expect(try bus.request(0) == .success && seen == [bus.device])
    // IRP_MN_REMOVE_DEVICE is not among them.
    #expect(try bus.request(2) == .success && seen.count == 1)
  }

  @Test("interrupts without a resource, WMI that nobody asks for") func interruptsAndInstrumentation() throws {
    let bus = try FrameworkBus()
    let g = bus.g
    var calls: [[UInt64]] = []
    let dpc = g.routine(2) {
      calls.append($0)
      return 0
    }
    let config = try g.g.space(0x40)
    try g.k.store([0x20, 0, 0, 0, 0, UInt32(dpc), 0, 0], at: config)
    _ = try g.make("WdfInterruptCreate", bus.device, config, 0, expect: .invalidParameter)
    try g.k.store([UInt32(dpc)], at: config + 0x10)
    let interrupt = try g.make("WdfInterruptCreate", bus.device, config, 0)
    #expect(try g.call("WdfInterruptGetDevice", interrupt) == bus.device && g.call("WdfInterruptWdmGetInterrupt", interrupt) == 0)
    try g.k.raiseIRQL(to: 2)
    #expect(try g.call("WdfInterruptQueueDpcForIsr", interrupt) & 0xff == 1 && g.call("WdfInterruptQueueDpcForIsr", interrupt) & 0xff == 0)
    try g.g.call("FxDpc", 0, interrupt, 0, 0)
    #expect(calls.last == [interrupt, bus.device])
    #expect(try g.call("WdfInterruptSynchronize", interrupt, dpc, 5) & 0xff == 0)
    try g.k.raiseIRQL(to: 0)
    try g.call("WdfInterruptAcquireLock", interrupt)
    #expect(try g.k.irql == 2 && calls.last == [interrupt, 5])
    try g.call("WdfInterruptReleaseLock", interrupt)
    #expect(try g.k.irql == 0 && g.call("WdfInterruptTryToAcquireLock", interrupt) & 0xff == 1)
    try g.call("WdfInterruptReleaseLock", interrupt)
    for name in ["WdfInterruptEnable", "WdfInterruptDisable", "WdfInterruptReportActive", "WdfInterruptReportInactive"] {
      try g.call(name, interrupt)
    }
    try g.k.store([0x20, 7], at: config)
    try g.call("WdfInterruptGetInfo", interrupt, config)
    #expect(try g.k.load(config + 4) == 0)
    try g.call("WdfInterruptSetPolicy", interrupt, 0, 0, 1)
    try g.call("WdfInterruptSetExtendedPolicy", interrupt, config)

    try g.k.store([0x10], at: config)
    _ = try g.make("WdfWmiProviderCreate", bus.device, config, 0, expect: .infoLengthMismatch)
    try g.k.store([0x20, 1, 2, 3, 4, 0, 0, 0], at: config)
    let provider = try g.make("WdfWmiProviderCreate", bus.device, config, 0)
    #expect(try g.call("WdfWmiProviderGetDevice", provider) == bus.device && g.call("WdfWmiProviderIsEnabled", provider, 1) & 0xff == 0)
    #expect(try g.call("WdfWmiProviderGetTracingHandle", provider) == 0)
    let own = try g.g.space(0x20)
    try g.k.store([0x20, UInt32(provider), UInt32(config), 0, 0, 0, 0, 0], at: own)
    _ = try g.make("WdfWmiInstanceCreate", bus.device, own, 0, expect: .invalidParameter)
    try g.k.store([0], at: own + 4)
    let instance = try g.make("WdfWmiInstanceCreate", bus.device, own, 0)
    #expect(
      try g.status("WdfWmiInstanceRegister", instance) == .success && g.status("WdfWmiInstanceRegister", instance) == .invalidDeviceRequest)
    try g.call("WdfWmiInstanceDeregister", instance)
    #expect(try g.call("WdfWmiInstanceGetDevice", instance) == bus.device && g.call("WdfWmiInstanceGetProvider", instance) != 0)
    #expect(try g.status("WdfWmiInstanceFireEvent", instance, 0, 0) == .success)
    #expect(try g.violation("WdfInterruptReleaseLock", interrupt).first == 0xb)
  }

  @Test("a transfer is described to the device page by page, and goes on until all is through") func transfers() throws {
    let bus = try FrameworkBus()
    let (g, config) = (bus.g, try bus.g.g.space())
    try g.k.store([0x28, 0, 0x1000], at: config)
    _ = try g.make("WdfDmaEnablerCreate", bus.device, config, 0, expect: .invalidParameter)
    try g.k.store([0x28, 2, 0x1000], at: config)
    let enabler = try g.make("WdfDmaEnablerCreate", bus.device, config, 0)
    #expect(
      try g.call("WdfDmaEnablerGetMaximumLength", enabler) == 0x1000 && g.call("WdfDmaEnablerGetFragmentLength", enabler, 0) == 0x1000)
    #expect(try g.call("WdfDmaEnablerGetMaximumScatterGatherElements", enabler) == 0xffff_ffff)
    try g.call("WdfDmaEnablerSetMaximumScatterGatherElements", enabler, 4)
    _ = try g.make("WdfCommonBufferCreate", enabler, 0, 0, expect: .invalidParameter)
    let buffer = try g.make("WdfCommonBufferCreate", enabler, 0x2000, 0)
    let address = try g.call("WdfCommonBufferGetAlignedVirtualAddress", buffer)
    #expect(try address != 0 && g.call("WdfCommonBufferGetLength", buffer) == 0x2000)
    let physical = try g.call("WdfCommonBufferGetAlignedLogicalAddress", buffer)
    try g.k.store([8, 0], at: config)
    #expect(try g.make("WdfCommonBufferCreateWithConfig", enabler, 0x10, config, 0) != 0)
    let mdl = try g.g.call("IoAllocateMdl", address, 0x1800, 0, 0, 0)
    try g.g.call("MmBuildMdlForNonPagedPool", mdl)

    var lists: [[UInt64]] = []
    let program = g.routine(5) {
      lists.append([UInt64(try g.k.load($0[4])), UInt64(try g.k.load($0[4] + 8)), UInt64(try g.k.load($0[4] + 0x10)), $0[2], $0[3]])
      return 1
    }
    let transaction = try g.make("WdfDmaTransactionCreate", enabler, 0)
    #expect(try g.call("WdfDmaTransactionGetDevice", transaction) == bus.device && g.call("WdfDmaTransactionGetRequest", transaction) == 0)
    #expect(try g.status("WdfDmaTransactionExecute", transaction, 9) == .invalidDeviceRequest)
    #expect(try g.status("WdfDmaTransactionRelease", transaction) == .invalidDeviceRequest)
    #expect(try g.status("WdfDmaTransactionInitialize", transaction, 0, 1, mdl, address, 0x1800) == .invalidParameter)
    #expect(try g.status("WdfDmaTransactionInitialize", transaction, program, 1, mdl, address, 0x1800) == .success)
    #expect(try g.status("WdfDmaTransactionInitialize", transaction, program, 1, mdl, address, 0x1800) == .invalidDeviceRequest)
    #expect(try g.status("WdfDmaTransactionExecute", transaction, 9) == .success && lists == [[1, physical, 0x1000, 9, 1]])
    #expect(try g.call("WdfDmaTransactionGetCurrentDmaTransferLength", transaction) == 0x1000)
    let status = try g.g.space()
    #expect(try g.call("WdfDmaTransactionDmaCompleted", transaction, status) & 0xff == 0)
    #expect(try g.k.load(status) == NTSTATUS.moreProcessingRequired.rawValue && lists.last == [1, physical + 0x1000, 0x800, 9, 1])
    #expect(try g.call("WdfDmaTransactionDmaCompletedWithLength", transaction, 0x800, status) & 0xff == 1)
    #expect(try g.call("WdfDmaTransactionGetBytesTransferred", transaction) == 0x1800 && g.k.load(status) == 0)
    #expect(try g.call("WdfDmaTransactionDmaCompletedFinal", transaction, 0, status) & 0xff == 0)
    #expect(try g.status("WdfDmaTransactionRelease", transaction) == .success)
    try g.call("WdfDmaTransactionSetMaximumLength", transaction, 0x400)
    #expect(try g.violation("WdfDmaTransactionInitializeUsingRequest", transaction, 0, program, 1).first == 5)
  }
}
