import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Devices") struct DeviceTests {
  @Test func createDevice() throws {
    let g = try IOGuest()
    let result = try g.space()
    #expect(
      try g.status("IoCreateDevice", g.driver.object.address, 0x24, g.string(#"\Device\Demo"#), 0x22, 0x100, 0, result) == .success)
    let device = UInt64(try g.k.load(result))
    #expect(try g.k.half(device) == 3)
    #expect(try g.k.half(device + 2) == 0xb8 + 0x24)
    #expect(try g.k.load(device + 8) == UInt32(g.driver.object.address))
    // DO_DEVICE_INITIALIZING, DO_DEVICE_HAS_NAME.
    #expect(try g.k.load(device + 0x1c) == 0xc0)
    #expect(try g.k.load(device + 0x20) == 0x100)
    #expect(try g.k.load(device + 0x28) == UInt32(device + 0xb8))
    #expect(try (0..<9).allSatisfy { try g.k.load(device + 0xb8 + 4 * $0) == 0 })
    #expect(try g.k.load(device + 0x2c) == 0x22)
    #expect(try g.k.byte(device + 0x30) == 1)
    #expect(try g.k.load(g.driver.object.address + 4) == UInt32(device))
    let second = try g.device(nil)
    #expect(try g.k.load(second + 0xc) == UInt32(device) && g.k.load(second + 0x28) == 0)
    #expect(
      try g.status("IoCreateDevice", g.driver.object.address, 0, g.string(#"\device\DEMO"#), 0x22, 0, 0, result)
        == .objectNameCollision)
    #expect(try g.k.load(result) == 0)
    #expect(
      try g.status("IoCreateDevice", g.driver.object.address, 0, g.string(#"\Nowhere\Demo"#), 0x22, 0, 0, result)
        == .objectPathNotFound)
    #expect(
      try g.status("IoCreateDevice", g.driver.object.address, 0, g.string("Demo"), 0x22, 0, 0, result) == .objectPathSyntaxBad)
  }

  @Test func deleteDevice() throws {
    let g = try IOGuest()
    let (first, second) = (try g.device(#"\Device\One"#), try g.device(#"\Device\Two"#))
    try g.call("IoDeleteDevice", first)
    #expect(try g.k.load(second + 0xc) == 0)
    // The name is free again.
    let third = try g.device(#"\Device\One"#)
    try g.call("IoDeleteDevice", third)
    try g.call("IoDeleteDevice", second)
    #expect(try g.k.load(g.driver.object.address + 4) == 0)
    #expect(try g.bugCheck("IoDeleteDevice", second).first == 0x18)
  }

  @Test func deleteWhileOpen() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    let device = try g.device(#"\Device\Demo"#)
    let handle = try g.open(#"\Device\Demo"#)
    try g.call("IoDeleteDevice", device)
    #expect(try g.k.load(g.driver.object.address + 4) == UInt32(device))
    #expect(try g.status("ZwClose", handle) == .success)
    #expect(try g.k.load(g.driver.object.address + 4) == 0)
  }

  @Test(arguments: ["IoCreateSymbolicLink", "IoCreateUnprotectedSymbolicLink"])
  func symbolicLinks(create: String) throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    let (link, target) = (try g.string(#"\DosDevices\Demo"#), try g.string(#"\Device\Demo"#))
    #expect(try g.status(create, link, target) == .success)
    #expect(try g.status(create, link, target) == .objectNameCollision)
    _ = try g.open(#"\??\Demo"#)
    #expect(try g.status("IoDeleteSymbolicLink", link) == .success)
    #expect(try g.status("IoDeleteSymbolicLink", link) == .objectNameNotFound)
    #expect(g.k.kernel.symbolicLinks(of: g.driver) == [])
  }

  @Test func devicePointer() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    let device = try g.device(#"\Device\Demo"#)
    let (file, result) = (try g.space(), try g.space())
    #expect(
      try g.status("IoGetDeviceObjectPointer", g.string(#"\Device\None"#), 0x80, file, result) == .objectNameNotFound)
    #expect(try g.status("IoGetDeviceObjectPointer", g.string(#"\Device\Demo"#), 0x80, file, result) == .success)
    let object = UInt64(try g.k.load(file))
    #expect(try g.k.load(result) == UInt32(device) && g.k.half(object) == 5 && g.k.load(object + 4) == UInt32(device))
    #expect(try g.call("IoGetRelatedDeviceObject", object) == device)
    // One reference is the caller's; giving it back closes the file.
    #expect(try g.k.load(device + 4) == 1)
    #expect(try g.call("ObfDereferenceObject", object) == 0)
    #expect(try g.k.load(device + 4) == 0)
  }

  @Test func stacks() throws {
    let g = try IOGuest()
    let (lower, middle, upper) = (try g.device(nil), try g.device(nil), try g.device(nil))
    #expect(try g.call("IoAttachDeviceToDeviceStack", middle, lower) == lower)
    #expect(try g.k.load(lower + 0x10) == UInt32(middle) && g.k.byte(middle + 0x30) == 2)
    let result = try g.space()
    #expect(try g.status("IoAttachDeviceToDeviceStackSafe", upper, lower, result) == .success)
    #expect(try g.k.load(result) == UInt32(middle) && g.k.byte(upper + 0x30) == 3)
    #expect(try g.call("IoGetAttachedDevice", lower) == upper)
    let count = try g.k.load(upper - 0x18)
    #expect(try g.call("IoGetAttachedDeviceReference", lower) == upper)
    #expect(try g.k.load(upper - 0x18) == count + 1)
    #expect(try g.call("IoGetLowerDeviceObject", upper) == middle)
    #expect(try g.call("IoGetLowerDeviceObject", lower) == 0)
    #expect(try g.call("IoGetDeviceAttachmentBaseRef", upper) == lower)
    try g.call("IoDetachDevice", middle)
    #expect(try g.k.load(middle + 0x10) == 0 && g.call("IoGetAttachedDevice", lower) == middle)
    // What is being initialised takes nobody on top.
    try g.k.store(0x80, at: middle + 0x1c)
    #expect(try g.call("IoAttachDeviceToDeviceStack", upper, lower) == 0)
    #expect(try g.status("IoAttachDeviceToDeviceStackSafe", upper, lower, result) == .noSuchDevice)
  }

  @Test func attachByName() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    let (lower, upper, result) = (try g.device(#"\Device\Demo"#), try g.device(nil), try g.space())
    #expect(try g.status("IoAttachDevice", upper, g.string(#"\Device\Demo"#), result) == .success)
    #expect(try g.k.load(result) == UInt32(lower) && g.k.load(lower + 0x10) == UInt32(upper))
    #expect(try g.status("IoAttachDevice", upper, g.string(#"\Device\Other"#), result) == .objectNameNotFound)
  }

  @Test(
    arguments: [
      ("IoRegisterShutdownNotification", "a shutdown notification"),
      ("IoRegisterLastChanceShutdownNotification", "a last-chance shutdown notification"),
    ])
  func shutdownNotification(register: String, what: String) throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    #expect(try g.status(register, device) == .success)
    #expect(try g.k.load(device + 0x1c) & 0x800 != 0)
    #expect(try g.k.kernel.leftovers(of: g.driver).map(\.what) == ["a device without a name", what])
    try g.call("IoUnregisterShutdownNotification", device)
    #expect(try g.k.load(device + 0x1c) & 0x800 == 0)
    #expect(try g.k.kernel.leftovers(of: g.driver).map(\.what) == ["a device without a name"])
  }

  @Test func driverExtension() throws {
    let g = try IOGuest()
    let result = try g.space()
    #expect(try g.status("IoAllocateDriverObjectExtension", g.driver.object.address, 0x1234, 0x20, result) == .success)
    let block = UInt64(try g.k.load(result))
    #expect(try block != 0 && (g.call("IoGetDriverObjectExtension", g.driver.object.address, 0x1234)) == block)
    #expect(try g.call("IoGetDriverObjectExtension", g.driver.object.address, 0x1235) == 0)
    #expect(try g.status("IoAllocateDriverObjectExtension", g.driver.object.address, 0x1234, 8, result) == .objectNameCollision)
  }

  @Test func startPacket() throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    let (first, second) = (try g.call("IoAllocateIrp", 1, 0), try g.call("IoAllocateIrp", 1, 0))
    var started: [UInt64] = []
    g.routine(at: 0xf8b0_3000, 2) {
      started.append($0[1])
      let irql = try g.k.irql
      #expect(irql == 2)
      return 0
    }
    try g.k.store(0xf8b0_3000, at: g.driver.object.address + 0x30)
    try g.call("IoStartPacket", device, first, 0, 0)
    try g.call("IoStartPacket", device, second, 0, 0)
    #expect(try started == [first] && (g.k.load(device + 0x14)) == UInt32(first))
    try g.k.raiseIRQL(to: 2)
    try g.call("IoStartNextPacket", device, 0)
    #expect(try started == [first, second] && (g.k.load(device + 0x14)) == UInt32(second))
    try g.call("IoStartNextPacket", device, 0)
    #expect(try g.k.load(device + 0x14) == 0 && g.k.byte(device + 0x70) == 0)
  }

  /// A device whose StartIo notes what it is given, and does what the test says.
  private func startIo(_ g: IOGuest, _ body: @escaping (UInt64) throws -> Void) throws -> UInt64 {
    let device = try g.device(nil)
    g.routine(at: 0xf8b0_3000, 2) {
      try body($0[1])
      return 0
    }
    try g.k.store(0xf8b0_3000, at: g.driver.object.address + 0x30)
    return device
  }

  @Test("requests with keys are started in their order; the next by key is the first with at least that one")
  func keys() throws {
    let g = try IOGuest()
    var started: [UInt64] = []
    let device = try startIo(g) { started.append($0) }
    let irps = try (0..<5).map { _ in try g.call("IoAllocateIrp", 1, 0) }
    let key = g.k.scratch
    for (irp, value) in zip(irps, [0, 30, 10, 30, 20] as [UInt32]) {
      try g.k.store(value, at: key)
      try g.call("IoStartPacket", device, irp, key, 0)
    }
    try g.k.raiseIRQL(to: 2)
    try g.call("IoStartNextPacketByKey", device, 0, 15)
    try g.call("IoStartNextPacketByKey", device, 0, 31)
    for _ in 0..<3 { try g.call("IoStartNextPacket", device, 0) }
    #expect(started == [0, 4, 2, 1, 3].map { irps[$0] })
    #expect(try g.k.byte(device + 0x70) == 0)
  }

  @Test("a cancelled request that would wait goes to its cancel routine; a deferred StartIo is not called within itself")
  func startIoVariants() throws {
    let g = try IOGuest()
    var started: [UInt64] = []
    let device = try startIo(g) { started.append($0) }
    let irps = try (0..<3).map { _ in try g.call("IoAllocateIrp", 1, 0) }
    var cancelled: [UInt64] = []
    g.routine(at: 0xf8b0_3100, 2) {
      cancelled.append($0[1])
      return 0
    }
    try g.call("IoStartPacket", device, irps[0], 0, 0xf8b0_3100)
    try g.call("IoCancelIrp", irps[1])
    try g.call("IoStartPacket", device, irps[1], 0, 0xf8b0_3100)
    #expect(started == [irps[0]] && cancelled == [irps[1]])

    let other = try IOGuest()
    var depth = 0
    var deepest = 0
    var seen = 0
    var second: UInt64 = 0
    second = try startIo(other) { _ in
      depth += 1
      seen += 1
      deepest = max(deepest, depth)
      if seen < 3 { try other.call("IoStartNextPacket", second, 0) }
      depth -= 1
    }
    try other.call("IoSetStartIoAttributes", second, 1, 0)
    try other.k.store(1, at: second + 0x70)
    for _ in 0..<3 { try other.call("IoStartPacket", second, other.call("IoAllocateIrp", 1, 0), 0, 0) }
    try other.k.raiseIRQL(to: 2)
    try other.call("IoStartNextPacket", second, 0)
    #expect(seen == 3 && deepest == 1)
  }
}
