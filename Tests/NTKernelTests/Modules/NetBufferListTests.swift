import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("NDIS: net buffer lists") struct NetBufferListTests {
  /// A pool made with NET_BUFFER_LIST_POOL_PARAMETERS or NET_BUFFER_POOL_PARAMETERS of `dataSize` bytes.
  private func pool(_ g: IOGuest, _ name: String, dataSize: UInt32 = 0) throws -> UInt64 {
    let parameters = try g.space(0x20)
    try g.k.store([0x000c_0180, 0x7473_6554, dataSize], at: parameters)
    return try g.call(name, 0, parameters)
  }

  /// An MDL of `bytes`.
  private func mdl(_ g: IOGuest, _ bytes: [UInt8]) throws -> UInt64 {
    let place = try g.space(UInt64(bytes.count))
    try g.k.memory.memory.write(bytes, at: place)
    return try g.call("NdisAllocateMdl", 0, place, UInt64(bytes.count))
  }

  @Test("a list comes with its buffer and its context, and takes them with it") func lists() throws {
    let g = try IOGuest()
    let lists = try pool(g, "NdisAllocateNetBufferListPool")
    let mdl = try mdl(g, Array(0..<0x20))
    let list = try g.call("NdisAllocateNetBufferAndNetBufferList", lists, 8, 8, mdl, 4, 0x10)
    let buffer = UInt64(try g.k.load(list + 4))
    #expect(try g.k.load(buffer + 0xc) == 0x10 && g.k.load(buffer + 8) == 4 && UInt64(g.k.load(buffer + 4)) == mdl)
    #expect(try g.call("NdisGetPoolFromNetBufferList", list) == lists && g.call("NdisGetPoolFromNetBuffer", buffer) == lists)
    // NET_BUFFER_LIST_CONTEXT: 16 bytes, of which the last 8 are taken.
    let context = UInt64(try g.k.load(list + 8))
    #expect(try g.k.load(context + 4) == 0x0008_0010)
    #expect(try g.status("NdisAllocateNetBufferListContext", list, 8, 0, 0) == .success && g.k.load(context + 4) == 0x10)
    #expect(try g.status("NdisAllocateNetBufferListContext", list, 8, 0, 0) == .success && UInt64(g.k.load(list + 8)) != context)
    #expect(try g.status("NdisAllocateNetBufferListContext", list, 3, 0, 0) == .invalidParameter)
    try g.call("NdisFreeNetBufferListContext", list, 8)
    #expect(try UInt64(g.k.load(list + 8)) == context)
    try g.call("NdisFreeNetBufferListContext", list, 16)
    try g.call("NdisFreeNetBufferListContext", list, 16)
    #expect(try g.k.load(list + 8) == 0)

    #expect(try g.status("NdisRetreatNetBufferListDataStart", list, 4, 0, 0, 0) == .success && g.k.load(buffer + 0xc) == 0x14)
    #expect(try g.status("NdisRetreatNetBufferListDataStart", list, 4, 0, 0, 0) == .insufficientResources)
    try g.call("NdisAdvanceNetBufferListDataStart", list, 6, 0, 0)
    #expect(try g.k.load(buffer + 0x14) == 6 && g.k.load(buffer + 8) == 6)
    try g.k.store([2], at: buffer + 0x14)
    try g.call("NdisAdjustNetBufferCurrentMdl", buffer)
    #expect(try g.k.load(buffer + 8) == 2)
    #expect(try g.call("NdisQueryNetBufferPhysicalCount", buffer) == 1)

    for (make, free) in [
      ("NdisAllocateCloneNetBufferList", "NdisFreeCloneNetBufferList"), ("FwpsAllocateCloneNetBufferList0", "FwpsFreeCloneNetBufferList0"),
    ] {
      let result = try g.space()
      let value = try g.call(make, [list, lists, 0, 0] + (make.hasPrefix("Fwps") ? [result] : []))
      let clone = make.hasPrefix("Fwps") ? UInt64(try g.k.load(result)) : value
      #expect(try UInt64(g.k.load(clone + 0xc)) == list && UInt64(g.k.load(clone + 4)) != buffer)
      try g.k.store([7], at: list + 0x50)
      try g.call("NdisCopySendNetBufferListInfo", clone, list)
      #expect(try g.k.load(clone + 0x50) == 7)
      try g.call("NdisCopyReceiveNetBufferListInfo", clone, list)
      try g.call(free, clone, 0)
    }
    #expect(try g.call("NdisAllocateCloneNetBufferList", list, 1, 0, 0) == 0)
    #expect(try g.status("FwpsAllocateCloneNetBufferList0", list, 1, 0, 0, g.space()) == .insufficientResources)
    try g.call("NdisFreeNetBufferList", list)
    #expect(try g.call("NdisAllocateNetBufferList", 1, 0, 0) == 0)
    #expect(try g.call("NdisAllocateNetBufferAndNetBufferList", lists, 3, 0, mdl, 0, 0) == 0)
    try g.call("NdisFreeNetBufferList", g.call("NdisAllocateNetBufferList", lists, 0, 0))
    try g.call("NdisFreeNetBufferListPool", lists)
  }

  @Test("buffers come from a pool, with data if it was made for some, and their data is copied") func buffers() throws {
    let g = try IOGuest()
    let (plain, full) = (try pool(g, "NdisAllocateNetBufferPool"), try pool(g, "NdisAllocateNetBufferPool", dataSize: 0x20))
    #expect(try g.call("NdisAllocateNetBufferPool", 0, g.space(0x20)) == 0)
    #expect(try g.call("NdisAllocateNetBufferMdlAndData", plain) == 0 && g.call("NdisAllocateNetBuffer", 1, 0, 0, 0) == 0)
    let target = try g.call("NdisAllocateNetBufferMdlAndData", full)
    try g.k.store([0x20], at: target + 0xc)
    // Two MDLs of 8 bytes.
    let (first, second) = (try mdl(g, Array(0..<8)), try mdl(g, Array(8..<16)))
    try g.k.store([UInt32(second)], at: first)
    let source = try g.call("NdisAllocateNetBuffer", plain, first, 2, 14)
    let copied = try g.space()
    #expect(try g.status("NdisCopyFromNetBufferToNetBuffer", target, 3, 0x40, source, 1, copied) == .success && g.k.load(copied) == 13)
    let data = UInt64(try g.k.load(UInt64(g.k.load(target + 4)) + 0xc))
    #expect(try g.k.memory.memory.bytes(17, at: data) == [0, 0, 0] + Array(3..<16) + [0])
    #expect(try g.status("NdisCopyFromNetBufferToNetBuffer", target, 0x30, 1, source, 0, copied) == .invalidParameter)
    try g.call("NdisFreeNetBuffer", target)
    try g.call("NdisFreeNetBuffer", source)
    for pool in [plain, full] { try g.call("NdisFreeNetBufferPool", pool) }
  }

  @Test("what few miniports call: transfers, buses, ports, comparisons, the processor") func hardware() throws {
    let g = try IOGuest()
    let (result, adapter) = (try g.space(0x20), try g.space(0x400))
    #expect(try g.status("NdisMRegisterDmaChannel", result, adapter, 3, 0, 0, 0x1000).rawValue == 0xc001_001e)
    #expect(try g.call("NdisMGetDmaAlignment", adapter) == 1)
    try g.call("NdisReadEisaSlotInformation", result, adapter, 0, 0)
    #expect(try g.k.load(result) == NTSTATUS.unsuccessful.rawValue)
    for name in ["NdisReadPcmciaAttributeMemory", "NdisWritePcmciaAttributeMemory"] {
      #expect(try g.call(name, adapter, 0, result, 4) == 0)
    }
    for (name, value) in [
      ("NdisImmediateReadPortUchar", 0xff), ("NdisImmediateReadPortUshort", 0xffff), ("NdisImmediateReadPortUlong", 0xffff_ffff),
    ] as [(String, UInt32)] {
      try g.k.store([0], at: result)
      try g.call(name, adapter, 0x300, result)
      #expect(try g.k.load(result) == value)
    }
    for name in ["NdisImmediateWritePortUchar", "NdisImmediateWritePortUshort", "NdisImmediateWritePortUlong"] {
      try g.call(name, adapter, 0x300, 1)
    }
    #expect(try g.status("NdisMCmRegisterAddressFamily", adapter, 0, result, 0x40) == .unsuccessful)
    let (upper, lower) = (try g.string("ABC"), try g.string("abc"))
    #expect(try g.call("NdisCompareUnicodeString", upper, lower, 1) == 0 && g.call("NdisCompareUnicodeString", upper, lower, 0) != 0)
    #expect(try g.call("NdisCompareAnsiString", upper, upper, 0) == 0)
    #expect(try g.call("NdisCurrentProcessorIndex") == 0 && g.call("NdisActiveGroupCount") == 1 && g.call("NdisMaxGroupCount") == 1)
    #expect(try g.call("NdisGroupActiveProcessorMask", 0) == 1 && g.call("NdisGroupActiveProcessorMask", 1) == 0)
    // An adapter that is none hears nothing.
    try g.call("NdisMIndicateReceiveNetBufferLists", adapter, adapter, 0, 1, 0)
    for name in ["NdisMSendNetBufferListsComplete", "NdisMOidRequestComplete", "NdisMWanSendComplete"] { try g.call(name, adapter, 0, 0) }
    try g.call("NdisMWanIndicateReceiveComplete", adapter, 0)
    try g.call("NdisMWanIndicateReceive", result, adapter, 0, 0, 0)
    #expect(try g.k.load(result) == 0)
    let (lock, state) = (try g.space(0x210), try g.space())
    try g.call("NdisInitializeReadWriteLock", lock)
    try g.k.raiseIRQL(to: 2)
    try g.call("NdisDprAcquireReadWriteLock", lock, 1, state)
    try g.call("NdisDprReleaseReadWriteLock", lock, state)
    try g.k.raiseIRQL(to: 0)
    #expect(try g.call("NdisPacketSize", 0x10) == 0x98)
    try g.call("NdisAllocatePacketPool", result, result + 4, 1, 0x10)
    let pool = UInt64(try g.k.load(result + 4))
    try g.call("NdisSetPacketPoolProtocolId", pool, 1)
    try g.call("NdisAllocatePacket", result, result + 8, pool)
    #expect(try g.call("NdisGetPoolFromPacket", UInt64(g.k.load(result + 8))) == pool)
    let characteristics = try g.space(0x10)
    try g.k.store([0x0010_0197, 0x7473_6554, 0xf8b0_9000, 0], at: characteristics)
    #expect(try g.status("NdisAllocateTimerObject", 0, characteristics, result) == .success)
    let timer = UInt64(try g.k.load(result))
    #expect(try g.call("NdisSetCoalescableTimerObject", timer, 0xfff0_0000, 0xffff_ffff, 0, 5, 10) & 0xff == 0)
    #expect(try g.call("NdisSetCoalescableTimerObject", timer, 0xfff0_0000, 0xffff_ffff, 0, 0, 10) & 0xff == 1)
    #expect(try g.call("NdisCancelTimerObject", timer) & 0xff == 1)
  }
}

@Suite("WppRecorder") struct TraceRecorderTests {
  @Test("logs are made and deleted; the default log is off") func logs() throws {
    let g = try IOGuest()
    let (control, parameters, result) = (try g.space(0x60), try g.space(0x30), try g.space())
    try g.call("WppAutoLogStart", control, g.driver.object.address, 0)
    #expect(try g.call("imp_WppRecorderIsDefaultLogAvailable", control) & 0xff == 0)
    #expect(try g.call("imp_WppRecorderLogGetDefault", control) == 0)
    #expect(try g.status("imp_WppRecorderLogCreate", control, parameters, result) == .invalidParameter)
    try g.k.store([0x30, 0, 0x400, 0], at: parameters)
    #expect(try g.status("imp_WppRecorderLogCreate", control, parameters, result) == .success)
    let log = UInt64(try g.k.load(result))
    #expect(try g.call("WppAutoLogTrace", log, 4, 1, control, 10, 0) == 0)
    #expect(try g.status("imp_WppRecorderLogDelete", control, log) == .success)
    #expect(try g.status("imp_WppRecorderLogDelete", control, log) == .invalidParameter)
    try g.k.store([0x30, 0, 0x4000_0000, 0], at: parameters)
    #expect(try g.status("imp_WppRecorderLogCreate", control, parameters, result) == .insufficientResources)
    #expect(try g.status("imp_WppRecorderReplay", control, 0, 0, 0, 0) == .success)
    #expect(try g.status("imp_WppRecorderConfigure", control, parameters) == .success)
    #expect(try g.status("imp_WppRecorderConfigure", control, 0) == .invalidParameter)
    try g.k.store([0x30, 0, 0x400, 0], at: parameters)
    #expect(try g.status("imp_WppRecorderLogCreate", control, parameters, result) == .success)
    try g.call("WppAutoLogStop", control, g.driver.object.address)
    #expect(try g.status("imp_WppRecorderLogDelete", control, UInt64(g.k.load(result))) == .invalidParameter)
  }
}

@Suite("TDI: older registrations, addresses") struct TDIAddressTests {
  @Test("clients register and go; NetBIOS addresses are built") func clients() throws {
    let g = try IOGuest()
    let (result, name, buffer) = (try g.space(), try g.space(0x10), try g.space(0x40))
    for (make, free) in [
      ("TdiRegisterNotificationHandler", "TdiDeregisterPnPHandlers"),
      ("TdiRegisterAddressChangeHandler", "TdiDeregisterAddressChangeHandler"),
    ] {
      #expect(try g.status(make, 1, 1, result) == .success)
      let handle = UInt64(try g.k.load(result))
      #expect(try g.status("TdiEnumerateAddresses", handle) == .success)
      #expect(try g.status(free, handle) == .success && g.status(free, handle) == .unsuccessful)
      #expect(try g.status("TdiEnumerateAddresses", handle) == .invalidParameter)
    }
    try g.k.memory.memory.write(Array("*               ".utf8), at: name)
    try g.call("TdiBuildNetbiosAddress", name, 1, buffer)
    #expect(try g.k.memory.memory.bytes(12, at: buffer) == [1, 0, 0, 0, 18, 0, 17, 0, 1, 0, 0x2a, 0x20])
    #expect(try g.status("TdiBuildNetbiosAddressEa", buffer, 0, name) == .success)
    #expect(try g.k.memory.memory.bytes(9, at: buffer) == [0, 0, 0, 0, 0, 16, 26, 0, 0x54])
    #expect(try g.status("TdiBuildNetbiosAddressEa", 0, 0, name) == .unsuccessful)
  }
}
