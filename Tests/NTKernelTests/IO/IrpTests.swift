import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("IRPs") struct IrpTests {
  @Test func allocate() throws {
    let g = try IOGuest()
    let irp = try g.call("IoAllocateIrp", 3, 0)
    #expect(try g.k.half(irp) == 6 && g.k.half(irp + 2) == 0x70 + 3 * 0x24)
    #expect(try g.k.byte(irp + 0x22) == 3 && g.k.byte(irp + 0x23) == 4)
    #expect(try g.k.load(irp + 0x60) == UInt32(irp + 0x70 + 3 * 0x24))
    #expect(try g.k.load(irp + 0x10) == UInt32(irp + 0x10))
    try g.call("IoFreeIrp", irp)
    #expect(try g.bugCheck("IoFreeIrp", irp) == [0x44, irp, 0, 0, 0])
  }

  @Test func initializeAndReuse() throws {
    let g = try IOGuest()
    let irp = try g.space(0x70 + 0x24)
    try g.call("IoInitializeIrp", irp, 0x70 + 0x24, 1)
    #expect(try g.k.half(irp) == 6 && g.k.byte(irp + 0x23) == 2)
    try g.k.memory.memory.store(UInt8(1), at: irp + 0x23)
    try g.k.memory.memory.store(UInt8(4), at: irp + 0x27)
    try g.call("IoReuseIrp", irp, 0xc000_0001)
    #expect(try g.k.byte(irp + 0x23) == 2 && g.k.byte(irp + 0x27) == 4 && g.k.load(irp + 0x18) == 0xc000_0001)
  }

  @Test(arguments: ["IofCallDriver", "IoCallDriver", "PoCallDriver"]) func callDriver(name: String) throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    let irp = try g.call("IoAllocateIrp", 1, 0)
    try g.k.memory.memory.store(UInt8(0xe), at: irp + 0x70)
    var seen: [UInt64] = []
    try g.dispatch(0xe) { device, irp in
      seen = [device, irp, UInt64(try g.k.load(irp + 0x60)), UInt64(try g.k.load(irp + 0x70 + 0x14))]
      return .pending
    }
    #expect(try g.status(name, device, irp) == .pending)
    #expect(seen == [device, irp, irp + 0x70, device])
    #expect(try g.bugCheck(name, device, irp) == [0x35, irp, 0, 0, 0])
  }

  @Test func irqlOfDispatchRoutine() throws {
    let g = try IOGuest()
    let (device, irp) = (try g.device(nil), try g.call("IoAllocateIrp", 1, 0))
    try g.dispatch(0) { _, _ in
      try g.k.raiseIRQL(to: 2)
      return .success
    }
    #expect(try g.status("IofCallDriver", device, irp) == .success)
    #expect(g.violations == ["the dispatch routine for IRP_MJ_CREATE returned at IRQL 2; it was called at 0"])
  }

  @Test(arguments: ["IofCompleteRequest", "IoCompleteRequest"]) func completionRoutines(name: String) throws {
    let g = try IOGuest()
    let (lower, upper) = (try g.device(nil), try g.device(nil))
    try g.call("IoAttachDeviceToDeviceStack", upper, lower)
    let irp = try g.call("IoAllocateIrp", 3, 0)
    var seen: [[UInt64]] = []
    for index in 0..<2 as Range<UInt64> {
      g.routine(at: 0xf8b0_4000 + index * 16, 3) {
        seen.append($0 + [UInt64(try g.k.byte(irp + 0x21))])
        return index == 1 ? 0xc000_0016 : 0
      }
    }
    // The lowest location is the bottom driver's; each names the completion routine of the one above.
    for (location, control, routine) in [(0, 0x81, 0xf8b0_4000), (1, 0x40, 0xf8b0_4000), (2, 0xe0, 0xf8b0_4010)]
      as [(UInt64, UInt8, UInt32)]
    {
      let place = irp + 0x70 + location * 0x24
      try g.k.memory.memory.store(control, at: place + 3)
      try g.k.store([UInt32(location == 0 ? lower : upper), 0, routine, 0x77], at: place + 0x14)
    }
    try g.k.memory.memory.store(UInt8(1), at: irp + 0x23)
    try g.k.store(UInt32(irp + 0x70), at: irp + 0x60)
    try g.k.store([0xc000_0001, 0], at: irp + 0x18)
    try g.call(name, irp, 0)
    // On an error the first and third are wanted; the device is that of the driver whose routine it is.
    #expect(seen == [[upper, irp, 0x77, 1], [0, irp, 0x77, 0]])
    #expect(try g.k.byte(irp + 0x23) == 4)
    try g.call("IoFreeIrp", irp)
  }

  @Test func completeTwice() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    try g.dispatch(0xe) { _, irp in
      _ = try g.complete(irp)
      return try g.complete(irp)
    }
    let handle = try g.open(#"\Device\Demo"#)
    let block = try g.space()
    let code = try g.bugCheck("ZwDeviceIoControlFile", handle, 0, 0, 0, block, 0x22_2003, 0, 0, 0, 0)
    #expect(code.first == 0x44)
  }

  @Test func associated() throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    let event = try g.space()
    try g.k.store([0x4_0000, 0, UInt32(event + 8), UInt32(event + 8)], at: event)
    let block = try g.space()
    let master = try g.call("IoBuildDeviceIoControlRequest", 0x22_2003, device, 0, 0, 0, 0, 0, event, block)
    try g.k.store(1, at: master + 0xc)
    let irp = try g.call("IoMakeAssociatedIrp", master, 1)
    #expect(try g.k.load(irp + 8) == 8 && g.k.load(irp + 0xc) == UInt32(master))
    #expect(try g.call("IoMakeAssociatedIrp", master, 0) != 0)
    _ = try g.complete(irp)
    // The last one completes the master, which is its issuer's: the event is set.
    #expect(try g.k.load(event + 4) == 1)
  }

  @Test func buildControlRequest() throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    let (event, block, input, output) = (try g.space(), try g.space(), try g.space(), try g.space())
    try g.k.store([0x4_0000, 0, UInt32(event + 8), UInt32(event + 8)], at: event)
    try g.k.store([0x1234_5678, 0], at: input)
    let irp = try g.call("IoBuildDeviceIoControlRequest", 0x22_2000, device, input, 4, output, 8, 1, event, block)
    let location = irp + 0x70
    #expect(try g.k.byte(location) == 0xf)
    #expect(try g.k.load(location + 4) == 8 && g.k.load(location + 8) == 4 && g.k.load(location + 0xc) == 0x22_2000)
    let system = UInt64(try g.k.load(irp + 0xc))
    #expect(try g.k.load(system) == 0x1234_5678)
    // IRP_BUFFERED_IO, IRP_DEALLOCATE_BUFFER, IRP_INPUT_OPERATION.
    #expect(try g.k.load(irp + 8) == 0x70)
    try g.dispatch(0xf) { _, irp in
      try g.k.store(0xabcd, at: UInt64(try g.k.load(irp + 0xc)))
      return try g.complete(irp, .success, 4)
    }
    #expect(try g.status("IofCallDriver", device, irp) == .success)
    #expect(try g.k.load(output) == 0xabcd && g.k.load(block) == 0 && g.k.load(block + 4) == 4 && g.k.load(event + 4) == 1)
    // A buffer that cannot be locked makes no IRP.
    #expect(try g.call("IoBuildDeviceIoControlRequest", 0x22_2002, device, 0, 0, 0x30_0000, 8, 0, event, block) == 0)
  }

  @Test func buildFileSystemRequests() throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    try g.k.store(try g.k.load(device + 0x1c) | 0x10, at: device + 0x1c)
    let (event, block, offset) = (try g.space(), try g.space(), try g.space())
    try g.k.store([0x2000, 0], at: offset)
    let irp = try g.call("IoBuildSynchronousFsdRequest", 3, device, g.k.scratch, 0x200, offset, event, block)
    #expect(try g.k.byte(irp + 0x70) == 3 && g.k.load(irp + 0x74) == 0x200 && g.k.load(irp + 0x7c) == 0x2000)
    let mdl = UInt64(try g.k.load(irp + 4))
    #expect(try g.k.flags(mdl) & 0x82 == 0x82)
    // A file-system driver's own device takes the buffer as it is.
    try g.k.store(try g.k.load(device + 0x1c) & ~0x10, at: device + 0x1c)
    let other = try g.call("IoBuildAsynchronousFsdRequest", 4, device, g.k.scratch, 0x10, offset, block)
    #expect(try g.k.byte(other + 0x70) == 4 && g.k.load(other + 0x3c) == UInt32(g.k.scratch))
    try g.call("IoFreeIrp", other)
    try g.k.store(try g.k.load(device + 0x1c) | 0x10, at: device + 0x1c)
    #expect(try g.call("IoBuildSynchronousFsdRequest", 3, device, 0x30_0000, 0x200, offset, event, block) == 0)
    #expect(try g.call("IoBuildAsynchronousFsdRequest", 3, device, 0x30_0000, 0x200, offset, block) == 0)
  }

  @Test func cancel() throws {
    let g = try IOGuest()
    let (device, irp, irql) = (try g.device(nil), try g.call("IoAllocateIrp", 1, 0), try g.space())
    #expect(try g.call("IoCancelIrp", irp) & 0xff == 0)
    #expect(try g.k.byte(irp + 0x24) == 1)
    try g.k.memory.memory.store(UInt8(1), at: irp + 0x23)
    try g.k.store(UInt32(irp + 0x70), at: irp + 0x60)
    try g.k.store(UInt32(device), at: irp + 0x70 + 0x14)
    try g.k.store(0xf8b0_5500, at: irp + 0x38)
    var seen: [UInt64] = []
    g.routine(at: 0xf8b0_5500, 2) {
      seen = $0 + [UInt64(try g.k.irql)]
      try g.call("IoReleaseCancelSpinLock", UInt64(try g.k.byte(irp + 0x25)))
      return 0
    }
    #expect(try g.call("IoCancelIrp", irp) & 0xff == 1)
    #expect(try seen == [device, irp, 2] && (g.k.irql) == 0 && (g.k.load(irp + 0x38)) == 0)
    try g.call("IoAcquireCancelSpinLock", irql)
    #expect(try g.k.irql == 2 && g.k.byte(irql) == 0)
    try g.call("IoReleaseCancelSpinLock", 0)
    // Held at another level than it is released to: IRQL_NOT_LESS_OR_EQUAL.
    #expect(try g.bugCheck("IoReleaseCancelSpinLock", 2).first == 0xa)
    #expect(try g.k.irql == 0)
  }

  /// An IRP_MN_SET_POWER of a kind, as a driver above would have prepared it.
  private func powerRequest(_ g: IOGuest, isSystem: Bool, minor: UInt8 = 2) throws -> UInt64 {
    let irp = try g.call("IoAllocateIrp", 1, 0)
    try g.k.memory.memory.write([0x16, minor], at: irp + 0x70)
    try g.k.store(isSystem ? 0 : 1, at: irp + 0x78)
    return irp
  }

  @Test("a device has one power request of a kind at a time; the next comes when its driver asks for it")
  func powerRequests() throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    var seen: [UInt64] = []
    try g.dispatch(0x16) { _, irp in
      seen.append(irp)
      return .pending
    }
    let requests = try [false, false, true, false].map { try powerRequest(g, isSystem: $0) }
    for irp in requests { #expect(try g.status("PoCallDriver", device, irp) == .pending) }
    #expect(seen == [requests[0], requests[2]])
    // SL_PENDING_RETURNED: who waits is pending.
    #expect(try g.k.byte(requests[1] + 0x73) & 1 == 1 && g.k.byte(requests[0] + 0x73) & 1 == 0)
    try g.call("PoStartNextPowerIrp", requests[2])
    #expect(seen.count == 2)
    try g.call("PoStartNextPowerIrp", requests[0])
    #expect(seen == [requests[0], requests[2], requests[1]])
    try g.call("PoStartNextPowerIrp", requests[1])
    #expect(seen.last == requests[3])
    // Once too often, and IRP_MN_WAIT_WAKE, which takes nobody's turn.
    try g.call("PoStartNextPowerIrp", requests[3])
    try g.call("PoStartNextPowerIrp", requests[3])
    for _ in 0..<2 {
      let wake = try powerRequest(g, isSystem: false, minor: 0)
      try g.call("PoCallDriver", device, wake)
      #expect(seen.last == wake)
    }
  }

  @Test func threadsRequests() throws {
    let g = try IOGuest()
    let irp = try g.call("IoAllocateIrp", 1, 0)
    #expect(try g.call("IoGetTopLevelIrp") == 0)
    try g.call("IoSetTopLevelIrp", irp)
    #expect(try g.call("IoGetTopLevelIrp") == irp)
    #expect(try g.k.load(g.k.currentThread + 0x218) == UInt32(irp))
    let limits = try g.space()
    try g.call("IoGetStackLimits", limits, limits + 4)
    #expect(try g.k.load(limits) == g.k.load(g.k.currentThread + 0x1c))
    #expect(try g.call("IoGetInitialStack") == UInt64(g.k.load(limits + 4)))
    #expect(try g.call("IoIsOperationSynchronous", irp) & 0xff == 0)
    // IRP_SYNCHRONOUS_API.
    try g.k.store(4, at: irp + 8)
    #expect(try g.call("IoIsOperationSynchronous", irp) & 0xff == 1)
  }
}
