import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Plug and Play and power") struct PlugAndPlayTests {
  /// A driver's device on top of a root device.
  private func stack(_ g: IOGuest) throws -> (physical: UInt64, device: UInt64) {
    let physical = try g.k.kernel.makeRootDevice(for: g.driver).address
    let device = try g.device(nil)
    #expect(try g.call("IoAttachDeviceToDeviceStack", device, physical) == physical)
    return (physical, device)
  }

  @Test("AddDevice is called with the physical device; a failure takes the device away")
  func addDevice() throws {
    let g = try IOGuest()
    let physical = try g.k.kernel.makeRootDevice(for: g.driver).address
    let driver = g.driver.object.address
    #expect(try g.status("IopAddDevice", driver, physical) == .noSuchDevice)
    let place = UInt64(try g.k.load(driver + 0x18)) + 4
    try g.k.store(0xf8b0_3000, at: place)
    var answer = NTSTATUS.success
    g.routine(at: 0xf8b0_3000, 2) { arguments in
      #expect(arguments == [driver, physical])
      return UInt64(answer.rawValue)
    }
    #expect(try g.k.kernel.hasAddDevice(g.driver))
    #expect(try g.status("IopAddDevice", driver, physical) == .success)
    answer = .insufficientResources
    #expect(try g.status("IopAddDevice", driver, physical) == .insufficientResources)
    #expect(g.k.kernel.latestRootDevice(of: g.driver) == nil)
  }

  @Test("requests go through the driver's stack to the root's own driver, and come back")
  func requests() throws {
    let g = try IOGuest()
    let (physical, device) = try stack(g)
    var minors: [UInt8] = []
    try g.dispatch(0x1b) { _, irp in
      let location = UInt64(try g.k.load(irp + 0x60))
      minors.append(try g.k.byte(location + 1))
      guard minors.last == 0 else {
        try g.k.memory.memory.store(g.k.byte(irp + 0x23) + 1, at: irp + 0x23)
        try g.k.store(UInt32(location + 0x24), at: irp + 0x60)
        return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try g.call("IofCallDriver", physical, irp)))
      }
      let isAsExpected4 = try g.call("IoForwardIrpSynchronously", physical, irp) & 0xff == 1
      #expect(isAsExpected4)
      return try g.complete(irp, NTSTATUS(rawValue: try g.k.load(irp + 0x18)))
    }
    #expect(try g.status("IopPlugAndPlayRequest", physical, 0) == .success)
    for minor in [9, 7, 0x14] as [UInt64] { _ = try g.status("IopPlugAndPlayRequest", physical, minor) }
    #expect(minors == [0, 9, 7, 0x14])
    try g.dispatch(0x16) { _, irp in
      let isAsExpected5 = try g.k.load(UInt64(g.k.load(irp + 0x60)) + 0xc) == 4
      #expect(isAsExpected5)
      return try g.complete(irp)
    }
    #expect(try g.status("IopPowerRequest", physical, 2, 1, 4) == .success)
    #expect(try g.status("IopPowerRequest", device, 2, 1, 4) == .noSuchDevice)
    try g.call("IoDetachDevice", physical)
    #expect(try g.status("IopPlugAndPlayRequest", physical, 2) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", physical, 2) == .noSuchDevice)
  }

  @Test("an IRP at its last location cannot be forwarded; a completion routine is set for all or for none")
  func forwarding() throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    let irp = try g.call("IoAllocateIrp", 2, 0)
    try g.k.memory.memory.store(UInt8(1), at: irp + 0x23)
    #expect(try g.call("IoForwardIrpSynchronously", device, irp) & 0xff == 0)
    #expect(try g.call("IoForwardAndCatchIrp", device, irp) & 0xff == 0)
    let other = try g.call("IoAllocateIrp", 1, 0)
    #expect(try g.status("IoSetCompletionRoutineEx", device, other, 0xf8b0_3000, 5, 1, 0, 1) == .success)
    #expect(try g.k.byte(other + 0x70 + 3) == 0x60 && g.k.load(other + 0x70 + 0x1c) == 0xf8b0_3000)
    let event = try g.space()
    try g.call("KeInitializeEvent", event, 0, 0)
    #expect(try g.call("IopSynchronousCompletion", device, other, event) == 0xc000_0016)
    #expect(try g.k.load(event + 4) == 1)
    let (lower, upper) = (try g.device(nil), try g.device(nil))
    #expect(try g.status("IoAttachDeviceByPointer", upper, lower) == .success)
    try g.k.store(try g.k.load(upper + 0x1c) | 0x80, at: upper + 0x1c)
    #expect(try g.status("IoAttachDeviceByPointer", device, lower) == .noSuchDevice)
  }

  @Test("properties of a root device: what there is, what there is not, and a buffer that is too small")
  func properties() throws {
    let g = try IOGuest()
    let (physical, device) = try stack(g)
    let (buffer, length) = (try g.space(0x100), try g.space())
    #expect(try g.status("IoGetDeviceProperty", physical, 1, 0x100, buffer, length) == .success)
    #expect(try g.k.load(length) == 22 && g.k.half(buffer) == 0x52 && g.k.half(buffer + 18) == 0)
    #expect(try g.status("IoGetDeviceProperty", physical, 1, 4, buffer, length) == .bufferTooSmall)
    #expect(try g.k.load(length) == 22)
    // DriverKeyName: a class and a number.
    #expect(try g.status("IoGetDeviceProperty", physical, 7, 0x100, buffer, length) == .success)
    #expect(try g.k.load(length) == 2 * 44 && g.k.half(buffer) == 0x7b && g.k.half(buffer + 76) == 0x5c)
    #expect(try g.status("IoGetDeviceProperty", physical, 0xa, 0x100, buffer, length) == .objectNameNotFound)
    #expect(try g.status("IoGetDeviceProperty", device, 1, 0x100, buffer, length) == .invalidDeviceRequest)
    #expect(try g.status("IoGetDeviceProperty", physical, 99, 0x100, buffer, length) == .invalidParameter2)
  }

  @Test("device interfaces: registered, enabled, listed, announced, disabled")
  func interfaces() throws {
    let g = try IOGuest()
    let (physical, device) = try stack(g)
    let (identifier, link, list, entry) = (try g.space(), try g.space(), try g.space(), try g.space())
    try g.k.store([0x6d1a_3ad4, 0x4c0e_2b5f, 0x0f5e_319a, 0x882d_1c77], at: identifier)
    #expect(try g.status("IoRegisterDeviceInterface", device, identifier, 0, link) == .invalidDeviceRequest)
    #expect(try g.status("IoRegisterDeviceInterface", physical, identifier, 0, link) == .success)
    let text = try Pointer<UNICODE_STRING>(link, in: g.k.memory.memory).string()
    #expect(text == #"\??\ROOT#DEMO#0000#{6d1a3ad4-2b5f-4c0e-9a31-5e0f771c2d88}"#)
    #expect(try g.status("IoGetDeviceInterfaces", identifier, 0, 0, list) == .success)
    #expect(try g.k.half(UInt64(g.k.load(list))) == 0)
    var events: [UInt32] = []
    g.routine(at: 0xf8b0_3000, 2) { arguments in
      events.append(try g.k.load(arguments[0] + 4))
      #expect(arguments[1] == 0x99)
      return 0
    }
    #expect(
      try g.status("IoRegisterPlugPlayNotification", 2, 1, identifier, g.driver.object.address, 0xf8b0_3000, 0x99, entry) == .success)
    #expect(try g.status("IoSetDeviceInterfaceState", link, 1) == .success)
    #expect(try g.status("IoSetDeviceInterfaceState", link, 1).rawValue == 0x4000_0000)
    #expect(try g.status("IoGetDeviceInterfaces", identifier, physical, 0, list) == .success)
    #expect(try g.k.half(UInt64(g.k.load(list))) == 0x5c)
    let key = try g.space()
    #expect(try g.status("IoOpenDeviceInterfaceRegistryKey", link, 0x2_0019, key) == .success)
    #expect(try g.status("IoOpenDeviceInterfaceRegistryKey", g.string("nothing"), 0x2_0019, key) == .objectNameNotFound)
    #expect(try g.status("IoOpenDeviceRegistryKey", physical, 1, 0x2_0019, key) == .success)
    #expect(try g.status("IoOpenDeviceRegistryKey", physical, 2, 0x2_0019, key) == .success)
    #expect(try g.status("IoOpenDeviceRegistryKey", device, 1, 0x2_0019, key) == .invalidDeviceRequest)
    #expect(try g.status("IoSetDeviceInterfaceState", link, 0) == .success)
    // Arrival, removal.
    #expect(events == [0xcb3a_4004, 0xcb3a_4005])
    #expect(try g.status("IoSetDeviceInterfaceState", g.string("nothing"), 1) == .objectNameNotFound)
    #expect(try g.status("IoGetDeviceInterfaceAlias", link, identifier, list) == .objectNameNotFound)
    let registration = UInt64(try g.k.load(entry))
    #expect(try g.status("IoUnregisterPlugPlayNotification", registration) == .success)
    #expect(try g.status("IoUnregisterPlugPlayNotification", registration) == .invalidParameter)
    #expect(try g.status("IoRegisterPlugPlayNotification", 9, 0, identifier, 0, 0xf8b0_3000, 0, entry) == .invalidParameter)
  }

  @Test("the devices that a bus reports are asked what they are, and go when the bus no longer has them, or goes itself")
  func children() throws {
    let g = try IOGuest()
    let (physical, device) = try stack(g)
    let (first, second) = (try g.device(nil), try g.device(nil))
    var present = [first, second]
    var asked: [UInt64: [UInt8]] = [:]
    try g.dispatch(0x1b) { target, irp in
      let location = UInt64(try g.k.load(irp + 0x60))
      let minor = try g.k.byte(location + 1)
      if target != device {
        asked[target, default: []].append(minor)
        // BusQueryDeviceID and its like: text in the pool.
        guard minor == 0x13 else { return try g.complete(irp, .success) }
        let text = try g.call("ExAllocatePoolWithTag", 1, 16, 0)
        try g.k.store([0x5c_0042, 0x44, 0, 0], at: text)
        return try g.complete(irp, .success, UInt32(text))
      }
      guard minor == 7 else { return try g.complete(irp) }
      let list = try g.call("ExAllocatePoolWithTag", 1, 12, 0)
      try g.k.store([UInt32(present.count)] + present.map { UInt32($0) }, at: list)
      for child in present { try g.call("ObfReferenceObject", child) }
      return try g.complete(irp, .success, UInt32(list))
    }
    #expect(try g.status("IopPlugAndPlayRequest", physical, 7) == .success)
    // Identifiers, capabilities, instance, more identifiers, texts, bus, state, resources.
    let questions: [UInt8] = [0x13, 9, 0x13, 0x13, 0x13, 0xc, 0xc, 0x15, 0x14, 0xa, 0xb]
    #expect(asked[first] == questions && asked[second] == questions)
    // DO_BUS_ENUMERATED_DEVICE; it is the manager's now.
    #expect(try g.k.load(first + 0x1c) & 0x1000 != 0)
    #expect(try g.status("IoGetDeviceProperty", first, 7, 0, 0, g.space()) == .objectNameNotFound)
    // Nothing new; then one is pulled out: IRP_MN_SURPRISE_REMOVAL, IRP_MN_REMOVE_DEVICE.
    #expect(try g.status("IopPlugAndPlayRequest", physical, 7) == .success)
    #expect(asked[first] == questions)
    present = [second]
    #expect(try g.status("IopPlugAndPlayRequest", physical, 7) == .success)
    #expect(asked[first] == questions + [0x17, 2] && asked[second] == questions)
    #expect(try g.status("IoGetDeviceProperty", first, 7, 0, 0, g.space()) == .invalidDeviceRequest)
    // The bus goes: what is left on it before.
    try g.call("IoDetachDevice", physical)
    _ = try g.status("IopPlugAndPlayRequest", physical, 2)
    #expect(asked[second] == questions + [2])
    for child in [first, second] { try g.call("IoDeleteDevice", child) }
    try g.call("IoDeleteDevice", device)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
  }

  @Test("detected devices, changes of devices, and resources without rivals")
  func reports() throws {
    let g = try IOGuest()
    let (physical, device) = try stack(g)
    let result = try g.space()
    #expect(try g.status("IoReportDetectedDevice", g.driver.object.address, 0, 0, 0, 0, 0, 0, result) == .success)
    #expect(try g.k.load(result) != 0 && UInt64(g.k.load(result)) != physical)
    #expect(try g.status("IoReportDetectedDevice", physical, 0, 0, 0, 0, 0, 0, result) == .invalidParameter)
    try g.call("IoInvalidateDeviceState", physical)
    try g.call("IoInvalidateDeviceRelations", physical, 0)
    let change = try g.space(0x20)
    try g.k.store(0x0018_0001, at: change)
    #expect(try g.status("IoReportTargetDeviceChange", physical, change) == .success)
    #expect(try g.status("IoReportTargetDeviceChange", device, change) == .invalidDeviceRequest)
    #expect(try g.status("IoReportTargetDeviceChangeAsynchronous", physical, change, 0, 0) == .pending)
    #expect(try g.status("IoReportTargetDeviceChangeAsynchronous", device, change, 0, 0) == .invalidDeviceRequest)
    let copy = try g.space(0x20)
    try g.call("IopReportTargetChange", physical, copy, 0, 0)
    let conflict = try g.space()
    try g.k.store(0xff, at: conflict)
    #expect(try g.status("IoReportResourceUsage", 0, 0, 0, 0, 0, 0, 0, 0, conflict) == .success)
    #expect(try g.k.byte(conflict) == 0)
    #expect(try g.status("IoReportResourceForDetection", 0, 0, 0, 0, 0, 0, conflict) == .success)
    #expect(try g.status("IoAssignResources", 0, 0, 0, 0, 0, result) == .success)
    // One port range of eight bytes from 3F8h, and its list.
    let requested = try g.space(0x48)
    try g.k.store([0x48, 1, 0, 0, 0, 0, 0, 1, 0x1_0001, 1, 0x100, 1, 8, 8, 0x3f8, 0, 0xffff], at: requested)
    #expect(try g.status("IoAssignResources", 0, 0, 0, 0, requested, result) == .success)
    let list = UInt64(try g.k.load(result))
    #expect(try g.k.load(list + 16) == 1 && g.k.load(list + 24) == 0x3f8 && g.k.load(list + 32) == 8)
    let counts = try g.call("IoGetConfigurationInformation")
    #expect(try g.k.load(counts) == 1 && g.k.load(counts + 4) == 0 && g.k.load(counts + 8) == 1 && g.k.load(counts + 12) == 0)
    #expect(try g.call("IoGetConfigurationInformation") == counts)
    #expect(try g.bugCheck("IoInvalidateDeviceState", device).first == 0xca)
  }

  @Test("power states are kept, and a requested power IRP ends in the caller's routine")
  func power() throws {
    let g = try IOGuest()
    let (physical, device) = try stack(g)
    #expect(try g.call("PoSetPowerState", device, 1, 1) == 0 && g.call("PoSetPowerState", device, 1, 4) == 1)
    #expect(try g.call("PoSetPowerState", device, 0, 1) == 0)
    try g.dispatch(0x16) { _, irp in try g.complete(irp) }
    var ends: [[UInt64]] = []
    g.routine(at: 0xf8b0_3000, 5) {
      ends.append($0); return 0
    }
    #expect(try g.status("PoRequestPowerIrp", physical, 2, 4, 0xf8b0_3000, 0x55, 0) == .pending)
    #expect(ends.map { Array($0.prefix(4)) } == [[physical, 2, 4, 0x55]])
    #expect(try g.status("PoRequestPowerIrp", physical, 9, 4, 0xf8b0_3000, 0x55, 0) == .invalidParameter2)
    #expect(try g.call("PoRegisterDeviceForIdleDetection", physical, 0, 0, 4) == 0)
    #expect(try g.call("PoRegisterDeviceForIdleDetection", physical, 10, 10, 4) != 0)
    let handle = try g.call("PoRegisterSystemState", 0, 1)
    #expect(try g.call("PoRegisterSystemState", handle, 2) == handle)
    try g.call("PoSetSystemState", 1)
    try g.call("PoUnregisterSystemState", handle)
    // What the power manager completes is a routine of its own: PopRequestCompletion.
    #expect(try g.k.trap("PopRequestCompletion") != 0 && g.k.trap("IopPnPDispatch") != 0)
  }

  @Test("WMI: providers register, nobody's class can be opened")
  func instrumentation() throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    #expect(try g.status("IoWMIRegistrationControl", device, 2) == .invalidParameter)
    #expect(try g.status("IoWMIRegistrationControl", device, 1) == .success)
    #expect(try g.status("IoWMIRegistrationControl", device, 2) == .success)
    let event = try g.call("ExAllocatePoolWithTag", 0, 0x40, 1)
    try g.k.store(0x40, at: event)
    #expect(try g.status("IoWMIWriteEvent", event) == .success)
    let result = try g.space()
    #expect(try g.status("IoWMIOpenBlock", g.space(), 1, result) == .wmiGuidNotFound)
    #expect(try g.status("IoWMIQueryAllData", 0, result, 0) == .objectTypeMismatch)
    #expect(try g.status("IoWMIQuerySingleInstance", 0, 0, result, 0) == .objectTypeMismatch)
    #expect(try g.status("IoWMISetNotificationCallback", 0, 0, 0) == .objectTypeMismatch)
  }

  @Test("a third table of system services is taken once")
  func serviceTables() throws {
    let g = try IOGuest()
    #expect(try g.call("KeAddSystemServiceTable", 0x1000, 0, 5, 0x2000, 2) & 0xff == 1)
    #expect(try g.call("KeAddSystemServiceTable", 0x1000, 0, 5, 0x2000, 2) & 0xff == 0)
    #expect(try g.call("KeAddSystemServiceTable", 0x1000, 0, 5, 0x2000, 1) & 0xff == 1)
    #expect(try g.call("KeAddSystemServiceTable", 0x1000, 0, 5, 0x2000, 1) & 0xff == 0)
    #expect(try g.call("KeAddSystemServiceTable", 0x1000, 0, 5, 0x2000, 9) & 0xff == 0)
  }
}
