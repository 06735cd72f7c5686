import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Buses, adapters and interrupts") struct BusTests {
  @Test("an empty slot says so, a bus that is not there says nothing, the chipset has a configuration space")
  func configurationSpace() throws {
    let g = try IOGuest()
    let buffer = try g.space(0x200)
    #expect(try g.call("HalGetBusDataByOffset", 4, 0, 5, buffer, 0, 64) == 2)
    #expect(try g.k.load(buffer) == 0xffff)
    #expect(try g.call("HalGetBusDataByOffset", 4, 1, 0, buffer, 0, 64) == 0)
    #expect(try g.call("HalGetBusDataByOffset", 99, 0, 0, buffer, 0, 64) == 0)
    #expect(try g.call("HalGetBusData", 4, 0, 0, buffer, 0x200) == 0x100)
    #expect(try g.k.load(buffer) == 0x1237_8086 && g.k.load(buffer + 8) == 0x0600_0002)
    // The command register can be written, the identity cannot.
    try g.k.store(0x0107, at: buffer)
    #expect(try g.call("HalSetBusDataByOffset", 4, 0, 0, buffer, 4, 2) == 2)
    #expect(try g.call("HalSetBusData", 4, 0, 0, buffer, 4) == 4)
    #expect(try g.call("HalSetBusData", 4, 0, 9, buffer, 4) == 0)
    #expect(try g.call("HalGetBusDataByOffset", 4, 0, 0, buffer, 0, 8) == 8)
    #expect(try g.k.load(buffer) == 0x1237_8086 && g.k.half(buffer + 4) == 0x107)
  }

  @Test("the clock's memory is in binary-coded decimal, and HalQueryRealTimeClock tells the same")
  func clock() throws {
    let g = try IOGuest()
    let (buffer, fields) = (try g.space(64), try g.space())
    #expect(try g.call("HalGetBusDataByOffset", 0, 0, 7, buffer, 0, 3) == 3)
    // 2 April 2009, a Thursday.
    #expect(try g.k.memory.memory.bytes(3, at: buffer) == [2, 4, 9])
    #expect(try g.call("HalQueryRealTimeClock", fields) & 0xff == 1)
    let time = try (0..<8).map { try g.k.half(fields + 2 * UInt64($0)) }
    #expect(time == [2009, 4, 2, 0, 0, 0, 0, 4])
  }

  @Test("bus addresses are the processor's; interrupt lines have their vectors")
  func translation() throws {
    let g = try IOGuest()
    let (space, result) = (try g.space(), try g.space())
    try g.k.store(1, at: space)
    #expect(try g.call("HalTranslateBusAddress", 1, 0, 0x3f8, 0, space, result) & 0xff == 1)
    #expect(try g.k.load(result) == 0x3f8 && g.k.load(space) == 1)
    #expect(try g.call("HalTranslateBusAddress", 5, 7, 0x3f8, 0, space, result) & 0xff == 0)
    #expect(try g.call("HalGetInterruptVector", 1, 0, 4, 4, space, result) == 0x34)
    #expect(try g.k.byte(space) == 23 && g.k.load(result) == 1)
    #expect(try g.call("HalGetInterruptVector", 1, 0, 16, 16, space, result) == 0)
    #expect(try g.status("HalAssignSlotResources", 0, 0, 0, 0, 5, 0, 3, result) == .noSuchDevice)
  }

  @Test("the rest of the HAL and the boot screen: silent, and without a debugger")
  func services() throws {
    let g = try IOGuest()
    #expect(try g.call("HalMakeBeep", 440) & 0xff == 1)
    let text = try g.space()
    try g.k.memory.memory.write(Array("hello".utf8) + [0], at: text)
    try g.call("HalDisplayString", text)
    #expect(try g.call("InbvDisplayString", text) & 0xff == 1)
    #expect(g.k.notes.suffix(2) == ["the HAL displays: hello", "the boot screen shows: hello"])
    let old = try g.space()
    #expect(try g.call("HalBeginSystemInterrupt", 20, 0x37, old) & 0xff == 1)
    #expect(try g.k.byte(g.k.kernel.kpcr.address + 0x24) == 20 && g.call("HalBeginSystemInterrupt", 20, 0x37, old) & 0xff == 0)
    try g.call("HalEndSystemInterrupt", 0, 0x37)
    #expect(try g.k.byte(g.k.kernel.kpcr.address + 0x24) == 0)
    try g.call("KeFlushWriteBuffer")
    try g.call("InbvAcquireDisplayOwnership")
    try g.call("InbvNotifyDisplayOwnershipLost", 0)
    for name in ["InbvCheckDisplayOwnership", "InbvIsBootDriverInstalled", "KdPollBreakIn"] { #expect(try g.call(name) & 0xff == 0) }
    #expect(try g.call("InbvEnableDisplayString", 1) & 0xff == 1 && g.call("KdRefreshDebuggerNotPresent") & 0xff == 1)
    #expect(try g.status("HeadlessDispatch", 1, 0, 0, 0, 0) == .invalidParameter)
    #expect(try g.call("KdDisableDebugger") == 0xc000_0354 && g.call("KdEnableDebugger") == 0xc000_0354)
    #expect(try g.call("KdSystemDebugControl", 0, 0, 0, 0, 0, 0, 0) == 0xc000_0354)
    #expect(try g.call("KdChangeOption", 0, 0, 0, 0, 0, 0) == 0xc000_0354)
    #expect(try g.call("DbgPrompt", text, text, 16) == 0)
    let k = try TestKernel()
    #expect(try k.raised("DbgBreakPoint").code == .breakpoint)
    let other = try TestKernel()
    #expect(try other.raised("DbgBreakPointWithStatus", 5).code == .breakpoint)
  }

  @Test("an interrupt calls whoever is connected, at its level with its lock held")
  func interrupts() throws {
    let g = try IOGuest()
    let (result, lock) = (try g.space(), try g.space())
    var calls: [UInt64] = []
    g.routine(at: 0xf8b0_3000, 2) { arguments in
      calls = arguments
      let isAsExpected1 = try g.k.byte(g.k.kernel.kpcr.address + 0x24) == 16 && g.k.load(lock) != 0
      #expect(isAsExpected1)
      return 1
    }
    g.routine(at: 0xf8b0_3010, 1) { arguments in
      let isAsExpected2 = try g.k.byte(g.k.kernel.kpcr.address + 0x24) == 16
      #expect(isAsExpected2)
      return arguments[0]
    }
    #expect(try g.status("IoConnectInterrupt", result, 0xf8b0_3000, 0x77, lock, 0x3b, 16, 16, 0, 0, 1, 0) == .success)
    let interrupt = UInt64(try g.k.load(result))
    #expect(try g.k.half(interrupt) == 22 && g.k.byte(interrupt + 0x2b) == 1)
    // Not shared: nobody else gets it. No processor: nobody can.
    #expect(try g.status("IoConnectInterrupt", result, 0xf8b0_3000, 0, 0, 0x3b, 16, 16, 0, 1, 1, 0) == .invalidParameter)
    #expect(try g.status("IoConnectInterrupt", result, 0xf8b0_3000, 0, 0, 0x3c, 16, 16, 0, 1, 2, 0) == .invalidParameter)
    #expect(try g.call("KiInterruptDispatch", 0x3b) & 0xff == 1)
    #expect(try calls == [interrupt, 0x77] && g.k.byte(g.k.kernel.kpcr.address + 0x24) == 0 && g.k.load(lock) == 0)
    #expect(try g.call("KiInterruptDispatch", 0x3c) & 0xff == 0)
    #expect(try g.call("KeSynchronizeExecution", interrupt, 0xf8b0_3010, 1) & 0xff == 1)
    #expect(try g.call("KeAcquireInterruptSpinLock", interrupt) & 0xff == 0)
    #expect(try g.k.byte(g.k.kernel.kpcr.address + 0x24) == 16)
    try g.call("KeReleaseInterruptSpinLock", interrupt, 0)
    try g.call("IoDisconnectInterrupt", interrupt)
    #expect(try g.call("KiInterruptDispatch", 0x3b) & 0xff == 0)
    let handle = try g.call("KeRegisterNmiCallback", 0xf8b0_3000, 0)
    #expect(try g.status("KeDeregisterNmiCallback", handle) == .success)
    #expect(try g.status("KeDeregisterNmiCallback", handle) == .invalidHandle)
    #expect(try g.bugCheck("IoDisconnectInterrupt", interrupt).first == 0xc2)
  }

  /// An adapter, and the operation at an offset of its table.
  private func adapter(_ g: IOGuest) throws -> UInt64 {
    let (description, count) = (try g.space(0x30), try g.space())
    try g.k.store([0, 0x101], at: description)
    try g.k.store(0x1_0000, at: description + 0x20)
    let adapter = try g.call("IoGetDmaAdapter", 0, description, count)
    #expect(try adapter != 0 && g.k.load(count) == 18 && g.k.half(adapter) == 1)
    return adapter
  }

  @Test("an adapter's operations: common buffers, channels, transfers, scatter/gather lists")
  func directMemoryAccess() throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    let made = try adapter(g)
    let operations = UInt64(try g.k.load(made + 4))
    #expect(try g.k.load(operations) == 0x40 && g.k.load(operations + 8) == UInt32(g.k.trap("HalAllocateCommonBuffer")))
    let logical = try g.space()
    let buffer = try g.call("HalAllocateCommonBuffer", made, 0x2000, logical, 0)
    #expect(try UInt64(g.k.load(logical)) == g.call("MmGetPhysicalAddress", buffer))
    let mdl = try g.k.makeMDL(buffer + 0x800, 0x1000)
    try g.call("MmBuildMdlForNonPagedPool", mdl)
    var given: [UInt64] = []
    g.routine(at: 0xf8b0_3000, 4) { arguments in
      given = arguments
      let isAsExpected3 = try g.k.byte(g.k.kernel.kpcr.address + 0x24) == 2
      #expect(isAsExpected3)
      return 2
    }
    #expect(try g.status("IoAllocateAdapterChannel", made, device, 2, 0xf8b0_3000, 0x99) == .success)
    #expect(given.first == device && given.last == 0x99)
    #expect(try g.status("IoAllocateAdapterChannel", made, device, 1000, 0xf8b0_3000, 0x99) == .insufficientResources)
    let length = try g.space()
    try g.k.store(0x1000, at: length)
    // Frames that follow each other are one run.
    #expect(try g.call("IoMapTransfer", made, mdl, given[2], buffer + 0x800, length, 1) == UInt64(g.k.load(logical)) + 0x800)
    #expect(try g.k.load(length) == 0x1000)
    #expect(try g.call("IoFlushAdapterBuffers", made, mdl, given[2], buffer + 0x800, 0x1000, 1) & 0xff == 1)
    try g.call("IoFreeMapRegisters", made, given[2], 2)
    try g.call("IoFreeAdapterChannel", made)
    #expect(try g.call("HalReadDmaCounter", made) == 0 && g.call("HalGetDmaAlignment", made) == 1)
    #expect(try g.status("HalGetScatterGatherList", made, device, mdl, buffer + 0x800, 0x1000, 0xf8b0_3000, 5, 1) == .success)
    let list = given[2]
    #expect(try g.k.load(list) == 1 && g.k.load(list + 8) == g.k.load(logical) + 0x800 && g.k.load(list + 16) == 0x1000)
    let target = try g.space()
    #expect(try g.status("HalBuildMdlFromScatterGatherList", made, list, mdl, target) == .success)
    #expect(try g.k.load(target) == UInt32(mdl))
    try g.call("HalPutScatterGatherList", made, list, 1)
    #expect(try g.status("HalCalculateScatterGatherListSize", made, mdl, buffer + 0x800, 0x1000, length, target) == .success)
    #expect(try g.k.load(length) == 8 + 32 && g.k.load(target) == 2)
    let room = try g.space(64)
    #expect(
      try g.status("HalBuildScatterGatherList", made, device, mdl, buffer + 0x800, 0x1000, 0xf8b0_3000, 5, 1, room, 64) == .success)
    #expect(given[2] == room)
    #expect(
      try g.status("HalBuildScatterGatherList", made, device, mdl, buffer + 0x800, 0x1000, 0xf8b0_3000, 5, 1, room, 8) == .bufferTooSmall)
    try g.call("HalFreeCommonBuffer", made, 0x2000, 0, 0, buffer, 0)
    try g.call("HalPutDmaAdapter", made)
    let description = try g.space(0x30)
    #expect(try g.call("HalGetAdapter", description, length) != 0)
    try g.k.store(9, at: description)
    #expect(try g.call("HalGetAdapter", description, length) == 0)
    #expect(try g.bugCheck("HalPutDmaAdapter", made).first == 0xc2)
  }
}
