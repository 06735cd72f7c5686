import Guest
import NTKernel
import Testing
import WindowsTypes

/// A driver that NDIS serves: its characteristics, and the routines that the test plays.
private final class NdisGuest {
  let g: IOGuest
  var driver: UInt64 { g.driver.object.address }
  /// Which routines were called, in order.
  var calls: [String] = []

  init() throws { g = try IOGuest() }

  /// A routine that notes its call.
  func routine(_ name: String, at address: UInt64, _ count: Int, _ body: @escaping ([UInt64]) throws -> UInt64 = { _ in 0 }) {
    g.routine(at: address, count) {
      self.calls.append(name)
      return try body($0)
    }
  }

  /// NDIS_MINIPORT_CHARACTERISTICS of NDIS 5.0: halt, initialise, reset.
  func miniport(version: UInt32 = 5) throws -> UInt64 {
    let place = try g.space(0x80)
    try g.k.store([version], at: place)
    for (offset, routine) in [(0x14, 0xf8b0_9000), (0x1c, 0xf8b0_9010), (0x2c, 0xf8b0_9020)] as [(UInt64, UInt32)] {
      try g.k.store([routine], at: place + offset)
    }
    routine("halt", at: 0xf8b0_9000, 1)
    return place
  }

  /// The handle that NdisInitializeWrapper gives.
  func wrapper() throws -> UInt64 {
    let result = try g.space()
    try g.call("NdisInitializeWrapper", result, driver, 0, 0)
    return UInt64(try g.k.load(result))
  }

  func word(_ address: UInt64) throws -> UInt64 { UInt64(try g.k.load(address)) }
  func status(at address: UInt64) throws -> NTSTATUS { NTSTATUS(rawValue: try g.k.load(address)) }
}

@Suite("NDIS: miniports, protocols, filters, devices") struct NdisDriverTests {
  private static let badVersion = NTSTATUS(rawValue: 0xc001_0004)
  private static let badCharacteristics = NTSTATUS(rawValue: 0xc001_0005)

  @Test("a miniport of NDIS 5 registers, and its adapter is initialised, asked for and halted") func miniport() throws {
    let n = try NdisGuest()
    let (g, handle) = (n.g, try n.wrapper())
    let characteristics = try n.miniport()
    #expect(try g.status("NdisMRegisterMiniport", handle, characteristics, 0x40) == Self.badCharacteristics)
    #expect(try g.status("NdisMRegisterMiniport", handle, n.miniport(version: 7), 0x7c) == Self.badVersion)
    #expect(try g.status("NdisMRegisterMiniport", handle, characteristics, 0x60) == .success)
    #expect(try g.k.kernel.hasAddDevice(g.driver))
    n.routine("unload", at: 0xf8b0_9100, 1) {
      #expect($0[0] == n.driver); return 0
    }
    try g.call("NdisMRegisterUnloadHandler", handle, 0xf8b0_9100)

    var adapter: UInt64 = 0
    let (result, name) = (try g.space(0x40), try g.string("Speed"))
    n.routine("initialize", at: 0xf8b0_9010, 6) { arguments in
      adapter = arguments[4]
      #expect(try g.k.load(arguments[2]) == 0 && arguments[3] == 15 && arguments[5] == adapter)
      try g.call("NdisMSetAttributesEx", adapter, 0x77, 0, 0, 0)
      try g.call("NdisOpenConfiguration", result, result + 4, adapter)
      let configuration = try n.word(result + 4)
      #expect(try n.status(at: result) == .success)
      try g.call("NdisReadConfiguration", result, result + 8, configuration, name, 0)
      #expect(try n.status(at: result) == .unsuccessful)
      try g.call("NdisReadConfiguration", result, result + 8, configuration, g.string("Environment"), 0)
      #expect(try n.status(at: result) == .success && g.k.load(n.word(result + 8) + 4) == 1)
      // The adapter's identifier: text, with braces.
      try g.call("NdisReadConfiguration", result, result + 8, configuration, g.string("MiniportName"), 2)
      #expect(try n.status(at: result) == .success && g.k.load(n.word(result + 8)) == 2)
      #expect(try g.k.half(n.word(result + 8) + 4) == 76)
      // What is written is read again, as a number and as text.
      try g.k.store([0, 100], at: result + 0x10)
      try g.call("NdisWriteConfiguration", result, configuration, name, result + 0x10)
      try g.call("NdisReadConfiguration", result, result + 8, configuration, name, 0)
      #expect(try n.status(at: result) == .success && g.k.load(n.word(result + 8) + 4) == 100)
      try g.k.store([9, 100], at: result + 0x10)
      try g.call("NdisWriteConfiguration", result, configuration, name, result + 0x10)
      #expect(try n.status(at: result) == .notSupported)
      try g.call("NdisReadNetworkAddress", result, result + 8, result + 0xc, configuration)
      #expect(try n.status(at: result) == .unsuccessful && g.k.load(result + 0xc) == 0)
      try g.call("NdisOpenConfigurationKeyByName", result, configuration, name, result + 8)
      #expect(try n.status(at: result) == .unsuccessful)
      try g.call("NdisOpenConfigurationKeyByIndex", result, configuration, 0, result + 0x10, result + 8)
      #expect(try n.status(at: result) == .unsuccessful)
      try g.call("NdisCloseConfiguration", configuration)
      try g.call("NdisMQueryAdapterResources", result, adapter, 0, 0)
      #expect(try n.status(at: result) == .unsuccessful)
      return 0
    }
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("IopAddDevice", n.driver, device) == .success && n.calls.isEmpty)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == .success && n.calls == ["initialize"])
    // The handlers of the block stand for the macros: nobody hears of anything.
    for (handler, count) in [
      ("NdisMSendResourcesAvailable", 1), ("NdisMIndicateStatusComplete", 1), ("NdisMQueryInformationComplete", 2),
      ("NdisMSetInformationComplete", 2), ("NdisMSendComplete", 3), ("NdisMResetComplete", 3), ("NdisMIndicateStatus", 4),
      ("NdisMTransferDataComplete", 4), ("NdisMIgnoreOne", 1), ("NdisMIgnoreTwo", 2), ("NdisMIgnoreThree", 3), ("NdisMIgnoreFour", 4),
      ("NdisMIgnoreEight", 8),
    ] { _ = try g.call(handler, Array(repeating: adapter, count: count)) }
    try g.call("NdisMIgnoreFive", result, adapter, 0, 0, 0)
    #expect(try n.status(at: result) == .success)
    try g.call("NdisMIndicateReceivePacket", adapter, 0, 0)
    try g.call("NdisMGetDeviceProperty", adapter, result, result + 4, 0, result + 8, 0)
    #expect(try n.word(result) == device && n.word(result + 4) != device && n.word(result + 8) == 0)
    #expect(try g.status("NdisMQueryAdapterInstanceName", result, adapter) == .success && g.k.half(result) == 8)
    #expect(try g.status("NdisMQueryAdapterInstanceName", result, g.space(0x400)) == .unsuccessful)
    #expect(try g.status("IopPlugAndPlayRequest", device, 2) == .success && n.calls == ["initialize", "halt"])
    try g.call("NdisMUnload", n.driver)
    #expect(n.calls.last == "unload")
  }

  @Test("what a miniport asks for its adapter: ports, memory, interrupts, transfers") func resources() throws {
    let n = try NdisGuest()
    let (g, result, adapter) = (n.g, try n.g.space(0x20), try n.g.space(0x400))
    try g.call("NdisMSetAttributes", adapter, 0x55, 0, 0)
    #expect(try g.k.load(adapter + 0xc) == 0x55)
    #expect(try g.status("NdisMRegisterIoPortRange", result, adapter, 0x300, 0x20) == .success && g.k.load(result) == 0x300)
    #expect(try g.status("NdisMRegisterIoPortRange", result, adapter, 0xfff0, 0x20) == .conflictingAddresses)
    try g.call("NdisMDeregisterIoPortRange", adapter, 0x300, 0x20, 0x300)
    #expect(try g.status("NdisMMapIoSpace", result, adapter, 0xf000_0000, 0, 0x1000) == .success)
    try g.call("NdisMUnmapIoSpace", adapter, n.word(result), 0x1000)
    #expect(try g.status("NdisMRegisterInterrupt", adapter, adapter, 5, 5, 0, 1, 0) == .success)
    g.routine(at: 0xf8b0_9200, 1) { $0[0] }
    #expect(try g.call("NdisMSynchronizeWithInterrupt", adapter, 0xf8b0_9200, 7) == 7)
    try g.call("NdisMDeregisterInterrupt", adapter)
    #expect(try g.status("NdisMRegisterInterruptEx", adapter, 0, 0, result).isSuccess == false)
    try g.call("NdisMDeregisterInterruptEx", 0)
    try g.call("NdisMRegisterAdapterShutdownHandler", adapter, 0, 0)
    try g.call("NdisMDeregisterAdapterShutdownHandler", adapter)
    #expect(try g.status("NdisMAllocateMapRegisters", adapter, 0, 0, 16, 0x1000) == .success)
    #expect(try g.status("NdisMAllocateMapRegisters", adapter, 0, 0, 0x2_0000, 0x1000) == .insufficientResources)
    try g.call("NdisMFreeMapRegisters", adapter)
    #expect(try g.status("NdisMInitializeScatterGatherDma", adapter, 0, 0x1000) == .success)
    try g.call("NdisMAllocateSharedMemory", adapter, 0x1000, 0, result, result + 8)
    let shared = try n.word(result)
    #expect(try shared != 0 && g.k.load(result + 8) != 0)
    try g.call("NdisMFreeSharedMemory", adapter, 0x1000, 0, shared, 0, 0)
    try g.call("NdisMAllocateSharedMemory", adapter, 0, 0, result, result + 8)
    #expect(try n.word(result) == 0)
    for routine in ["NdisReadPciSlotInformation", "NdisWritePciSlotInformation", "NdisMGetBusData", "NdisMSetBusData"] {
      #expect(try g.call(routine, adapter, 0, 0, result, 4) == 0, "\(routine)")
    }
    #expect(try g.status("NdisMPciAssignResources", adapter, 0, result) == .unsuccessful)
    try g.call("NdisMIndicateStatusEx", adapter, 0)
    try g.call("NdisMPauseComplete", adapter)
    try g.call("NdisMRestartComplete", adapter, 0)
    let description = try g.space()
    #expect(try g.status("NdisMRegisterScatterGatherDma", adapter, description, result) == .invalidParameter)
    try g.k.store([0x0008_0183], at: description)
    #expect(try g.status("NdisMRegisterScatterGatherDma", adapter, description, result) == .success)
    try g.call("NdisMDeregisterScatterGatherDma", n.word(result))
  }

  @Test("a miniport of NDIS 6 registers with its options, is initialised and goes") func miniport6() throws {
    let n = try NdisGuest()
    let (g, result, characteristics) = (n.g, try n.g.space(), try n.g.space(0x80))
    try g.k.store([0x0048_018a, 0x0000_0006, 0, 0xf8b0_9000, 0xf8b0_9010, 0xf8b0_9020, 0xf8b0_9030], at: characteristics)
    var status: UInt64 = 0
    n.routine("options", at: 0xf8b0_9000, 2) {
      #expect($0[1] == 0x99); return status
    }
    n.routine("initialize", at: 0xf8b0_9010, 3) { arguments in
      #expect(arguments[1] == 0x99)
      let attributes = try g.space(0x20)
      #expect(try g.status("NdisMSetMiniportAttributes", arguments[0], attributes) == .invalidParameter)
      try g.k.store([0x0014_019e, 0x66], at: attributes)
      #expect(try g.status("NdisMSetMiniportAttributes", arguments[0], attributes) == .success)
      return 0
    }
    n.routine("halt", at: 0xf8b0_9020, 2) {
      #expect($0[0] == 0x66); return 0
    }
    n.routine("unload", at: 0xf8b0_9030, 1) { _ in
      try g.call("NdisMDeregisterMiniportDriver", n.word(result))
      return 0
    }
    #expect(try g.status("NdisMRegisterMiniportDriver", n.driver, 0, 0x99, result, result) == Self.badCharacteristics)
    status = UInt64(NTSTATUS.insufficientResources.rawValue)
    #expect(try g.status("NdisMRegisterMiniportDriver", n.driver, 0, 0x99, characteristics, result) == .insufficientResources)
    status = 0
    #expect(try g.status("NdisMRegisterMiniportDriver", n.driver, 0, 0x99, characteristics, result) == .success)
    let handlers = try g.space()
    #expect(try g.status("NdisSetOptionalHandlers", n.word(result), handlers) == .invalidParameter)
    try g.k.store([0x0010_0192], at: handlers)
    #expect(try g.status("NdisSetOptionalHandlers", n.word(result), handlers) == .success)
    // The driver's own parameters.
    let object = try g.space()
    try g.k.store([0x000c_01a9, g.k.load(result)], at: object)
    #expect(try g.status("NdisOpenConfigurationEx", object, object + 8) == .success)
    try g.call("NdisCloseConfiguration", n.word(object + 8))
    try g.k.store([0x000c_01a9, 0], at: object)
    #expect(try g.status("NdisOpenConfigurationEx", object, object + 8) == .unsuccessful)
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("NdisMAddDevice", n.driver, device) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 2) == .success)
    try g.call("NdisMUnload", n.driver)
    #expect(n.calls == ["options", "options", "initialize", "halt", "unload"])
    #expect(try g.call("NdisGetVersion") == 0x5_0001)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
  }

  @Test("an intermediate driver registers both sides") func intermediate() throws {
    let n = try NdisGuest()
    let (g, result, handle) = (n.g, try n.g.space(), try n.wrapper())
    #expect(try g.status("NdisIMRegisterLayeredMiniport", handle, n.miniport(version: 2), 0x60, result) == Self.badVersion)
    #expect(try g.status("NdisIMRegisterLayeredMiniport", handle, n.miniport(), 0x60, result) == .success)
    let own = try n.word(result)
    let characteristics = try g.space(0x80)
    try g.k.store([6], at: characteristics)
    try g.call("NdisRegisterProtocol", result, result + 4, characteristics, 0x6c)
    #expect(try n.status(at: result) == Self.badVersion)
    try g.k.store([5], at: characteristics)
    try g.call("NdisRegisterProtocol", result, result + 4, characteristics, 0x10)
    #expect(try n.status(at: result) == Self.badCharacteristics)
    try g.call("NdisRegisterProtocol", result, result + 4, characteristics, 0x6c)
    #expect(try n.status(at: result) == .success)
    let protocolHandle = try n.word(result + 4)
    try g.call("NdisIMAssociateMiniport", own, protocolHandle)
    // No adapter is initialised before the driver asks for it.
    let device = try g.k.kernel.makeRootDevice(for: g.driver).address
    #expect(try g.status("IopAddDevice", n.driver, device) == .success)
    #expect(try g.status("IopPlugAndPlayRequest", device, 0) == .success && n.calls.isEmpty)
    #expect(try g.status("IopPlugAndPlayRequest", device, 2) == .success && n.calls.isEmpty)
    _ = try g.call("NdisOpenAdapter", [result, result, result, 0, 0, 0, protocolHandle, 0, 0, 0, 0])
    #expect(try n.status(at: result) == NTSTATUS(rawValue: 0xc001_0006))
    #expect(try g.status("NdisOpenAdapterEx", protocolHandle, 0, 0, 0, result) == NTSTATUS(rawValue: 0xc001_0006))
    try g.call("NdisReEnumerateProtocolBindings", protocolHandle)
    try g.call("NdisCompletePnPEvent", 0, 0, 0)
    try g.call("NdisCompleteNetPnPEvent", 0, 0, 0)
    #expect(try g.k.kernel.leftovers(of: g.driver).map(\.what).contains("an NDIS protocol"))
    try g.call("NdisDeregisterProtocol", result, protocolHandle)
    #expect(try n.status(at: result) == .success)
    try g.call("NdisDeregisterProtocol", result, protocolHandle)
    #expect(try n.status(at: result) == .unsuccessful)
    try g.call("NdisIMDeregisterLayeredMiniport", own)
    try g.call("NdisTerminateWrapper", handle, 0)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
    try g.call("NdisRegisterTdiCallBack", 0, 0)
    try g.call("NdisDeregisterTdiCallBack")
    try g.call("NdisOpenProtocolConfiguration", result, result + 4, g.string("nowhere"))
    #expect(try n.status(at: result) == .unsuccessful)
    _ = g.k.kernel.registry.makeKey(at: #"\Registry\Machine\System\CurrentControlSet\Services\proto\Parameters"#)
    try g.call("NdisOpenProtocolConfiguration", result, result + 4, g.string("proto"))
    #expect(try n.status(at: result) == .success)
    try g.call("NdisCloseConfiguration", n.word(result + 4))
  }

  @Test("protocols and filters of NDIS 6 register with their options") func newProtocols() throws {
    let n = try NdisGuest()
    let (g, result, characteristics) = (n.g, try n.g.space(), try n.g.space(0x80))
    n.routine("options", at: 0xf8b0_9000, 2)
    try g.k.store([0x0064_0195, 6, 0, 0, 0, 0xf8b0_9000, 1, 1, 1, 0], at: characteristics)
    #expect(try g.status("NdisRegisterProtocolDriver", 0, characteristics, result) == Self.badCharacteristics)
    try g.k.store([1], at: characteristics + 0x24)
    #expect(try g.status("NdisRegisterProtocolDriver", 0, characteristics, result) == .success && n.calls == ["options"])
    try g.call("NdisDeregisterProtocolDriver", n.word(result))
    let filter = try g.space(0x80)
    try g.k.store([0x0068_018b, 7], at: filter)
    #expect(try g.status("NdisFRegisterFilterDriver", n.driver, 0, filter, result) == Self.badVersion)
    try g.k.store([0x0068_018b, 6], at: filter)
    try g.k.store([0xf8b0_9000, 0, 1, 1, 1, 1], at: filter + 0x24)
    #expect(try g.status("NdisFRegisterFilterDriver", n.driver, 0x44, filter, result) == .success && n.calls.count == 2)
    let handle = try n.word(result)

    // A device beside it, whose requests come to the driver's own routines.
    let (attributes, routines, out) = (try g.space(0x20), try g.space(0x70), try g.space())
    try g.k.store([0xf8b0_9300], at: routines)
    n.routine("create", at: 0xf8b0_9300, 2) { UInt64(try g.complete($0[1]).rawValue) }
    let (name, link) = (try g.string(#"\Device\Filter"#), try g.string(#"\DosDevices\Filter"#))
    try g.k.store([0, UInt32(name), UInt32(link), UInt32(routines), 0x20], at: attributes)
    #expect(try g.status("NdisRegisterDeviceEx", handle, attributes, out, out + 4) == .invalidParameter)
    try g.k.store([0x001c_0185], at: attributes)
    #expect(try g.status("NdisRegisterDeviceEx", handle, attributes, out, out + 4) == .success)
    let device = try n.word(out)
    #expect(try g.call("NdisGetDeviceReservedExtension", device) != 0)
    #expect(try g.call("NdisGetDeviceReservedExtension", g.device(nil)) == 0)
    _ = try g.open(#"\DosDevices\Filter"#)
    #expect(n.calls.last == "create")
    try g.call("NdisDeregisterDeviceEx", n.word(out + 4))
    try g.call("NdisFDeregisterFilterDriver", handle)
  }

  @Test("a device that NDIS makes for a miniport's driver") func device() throws {
    let n = try NdisGuest()
    let (g, out, handle) = (n.g, try n.g.space(), try n.wrapper())
    let (name, link) = (try g.string(#"\Device\Tap"#), try g.string(#"\DosDevices\Tap"#))
    #expect(try g.status("NdisMRegisterDevice", 0, name, link, g.space(0x70), out, out + 4) == .notSupported)
    #expect(try g.status("NdisMRegisterDevice", handle, name, link, g.space(0x70), out, out + 4) == .success)
    #expect(try g.status("NdisMRegisterDevice", handle, name, link, g.space(0x70), out, out + 8) == .objectNameCollision)
    #expect(try g.status("NdisMDeregisterDevice", n.word(out + 4)) == .success)
    #expect(try g.status("NdisMDeregisterDevice", g.device(nil)) == .unsuccessful)
    #expect(g.k.kernel.symbolicLinks(of: g.driver).isEmpty)
    #expect(g.k.kernel.exports["ndis", "NdisMDispatch"] != nil)
  }
}
