import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("The filtering platform, and packets' data") struct FilteringPlatformTests {
  @Test("what a session adds is found, used, undone with its transaction and gone with it") func engine() throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    func status(_ code: UInt32) -> NTSTATUS { NTSTATUS(rawValue: 0xc022_0000 | code) }
    let (place, id) = (try g.space(), try g.space())
    let session = try g.space(0x40)
    try g.k.store([1], at: session + 24)
    #expect(try g.status("FwpmEngineOpen0", 0, 10, 0, session, place) == .success)
    #expect(try g.status("FwpmEngineOpen0", 0, 10, 0, 0, 0) == status(0x1c))
    let engine = UInt64(try g.k.load(place))
    let (sublayer, callout, filter) = (try g.space(0x80), try g.space(0x80), try g.space(0xa0))
    for (index, object) in [sublayer, callout, filter].enumerated() { try here.write([UInt8](repeating: UInt8(index + 1), count: 16), at: object) }
    #expect(try g.status("FwpmTransactionCommit0", engine) == status(13) && g.status("FwpmTransactionAbort0", engine) == status(13))
    #expect(try g.status("FwpmTransactionBegin0", engine, 0) == .success && g.status("FwpmTransactionBegin0", engine, 0) == status(14))
    #expect(try g.status("FwpmSubLayerAdd0", engine, sublayer, 0) == .success && g.status("FwpmSubLayerAdd0", engine, sublayer, 0) == status(9))
    #expect(try g.status("FwpmTransactionAbort0", engine) == .success && g.status("FwpmSubLayerDeleteByKey0", engine, sublayer) == status(7))
    #expect(try g.status("FwpmTransactionBegin0", 0x1234, 0) == .invalidHandle && g.status("FwpmTransactionBegin0", engine, 0) == .success)
    #expect(try g.status("FwpmSubLayerAdd0", engine, sublayer, 0) == .success)
    // A filter needs its sublayer and its callout.
    try here.write([UInt8](repeating: 1, count: 16), at: filter + 56)
    try g.k.store([0x5001], at: filter + 88)
    try here.write([UInt8](repeating: 2, count: 16), at: filter + 92)
    #expect(try g.status("FwpmFilterAdd0", engine, filter, 0, id) == status(1))
    #expect(try g.status("FwpmCalloutAdd0", engine, callout, 0, id) == .success && g.k.load(id) != 0)
    #expect(try g.status("FwpmCalloutAdd0", engine, 0, 0, id) == status(0x1c))
    #expect(try g.status("FwpmFilterAdd0", engine, filter, 0, id) == .success && g.status("FwpmTransactionCommit0", engine) == .success)
    #expect(try g.status("FwpmCalloutDeleteByKey0", engine, callout) == status(10))
    #expect(try g.status("FwpmFilterDeleteByKey0", engine, filter) == .success && g.status("FwpmFilterDeleteByKey0", engine, filter) == status(3))
    #expect(try g.status("FwpmCalloutDeleteByKey0", engine, callout) == .success)
    #expect(try g.status("FwpmEngineClose0", engine) == .success && g.status("FwpmEngineClose0", engine) == .invalidHandle)
    // FWPM_SESSION_FLAG_DYNAMIC: the sublayer has gone with its session.
    #expect(try g.status("FwpmEngineOpen0", 0, 10, 0, 0, place) == .success)
    #expect(try g.status("FwpmSubLayerDeleteByKey0", UInt64(g.k.load(place)), sublayer) == status(7))
  }

  @Test("callouts are registered once; nothing can be injected where there is no network") func callouts() throws {
    let g = try IOGuest()
    let (callout, id, handle) = (try g.space(0x20), try g.space(), try g.space())
    try g.k.store([1, 2, 3, 4], at: callout)
    #expect(try g.status("FwpsCalloutRegister0", 0, callout, id) == .success)
    #expect(try g.status("FwpsCalloutRegister0", 0, callout, id) == NTSTATUS(rawValue: 0xc022_0009))
    #expect(try g.status("FwpsCalloutUnregisterByKey0", callout) == .success)
    #expect(try g.status("FwpsCalloutUnregisterByKey0", callout) == NTSTATUS(rawValue: 0xc022_0001))
    #expect(try g.status("FwpsCalloutRegister0", 0, callout, id) == .success)
    #expect(try g.status("FwpsCalloutUnregisterById0", UInt64(g.k.load(id))) == .success)
    #expect(try g.status("FwpsCalloutUnregisterById0", UInt64(g.k.load(id))) == NTSTATUS(rawValue: 0xc022_0001))
    #expect(try g.status("FwpsInjectionHandleCreate0", 2, 4, handle) == .success)
    #expect(try g.status("FwpsInjectionHandleCreate0", 9, 4, handle) == .invalidParameter)
    let injection = UInt64(try g.k.load(handle))
    #expect(try g.call("FwpsQueryPacketInjectionState0", injection, 0, handle) == 0)
    for (name, count) in [("FwpsInjectNetworkSendAsync0", 7), ("FwpsInjectNetworkReceiveAsync0", 9), ("FwpsInjectForwardAsync0", 9)] {
      let zeros = [UInt64](repeating: 0, count: count - 1)
      #expect(try g.call(name, [injection] + zeros) == 0xc022_0100 && g.call(name, [1] + zeros) == 0xc000_0008, "\(name)")
    }
    #expect(try g.status("FwpsInjectionHandleDestroy0", injection) == .success)
    #expect(try g.status("FwpsInjectionHandleDestroy0", injection) == .invalidHandle)
  }

  @Test("a packet's data is found, moved on and back") func netBuffers() throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    let (parameters, data, storage, place) = (try g.space(0x20), try g.space(0x40), try g.space(0x40), try g.space())
    #expect(try g.call("NdisAllocateNetBufferListPool", 0, parameters) == 0)
    try g.k.store([0x10_0180], at: parameters)
    let pool = try g.call("NdisAllocateNetBufferListPool", 0, parameters)
    try here.write(Array(0..<0x40), at: data)
    // Two MDLs of twenty and of forty-four bytes.
    let (first, second) = (try g.call("IoAllocateMdl", data, 20, 0, 0, 0), try g.call("IoAllocateMdl", data + 20, 44, 0, 0, 0))
    for mdl in [first, second] { try g.call("MmBuildMdlForNonPagedPool", mdl) }
    try g.k.store([UInt32(second)], at: first)
    #expect(try g.status("FwpsAllocateNetBufferAndNetBufferList0", 0x1234, 0, 0, first, 4, 40, place) == .invalidParameter)
    #expect(try g.status("FwpsAllocateNetBufferAndNetBufferList0", pool, 0, 0, first, 4, 40, place) == .success)
    let list = UInt64(try g.k.load(place))
    let buffer = UInt64(try g.k.load(list + 4))
    #expect(try g.call("NdisGetDataBuffer", buffer, 8, 0, 1, 0) == data + 4)
    #expect(try g.call("NdisGetDataBuffer", buffer, 30, 0, 1, 0) == 0 && g.call("NdisGetDataBuffer", buffer, 41, storage, 1, 0) == 0)
    #expect(try g.call("NdisGetDataBuffer", buffer, 30, storage, 1, 0) == storage && here.bytes(30, at: storage) == Array(4..<34))
    try g.call("NdisAdvanceNetBufferDataStart", buffer, 20, 0, 0)
    #expect(try g.k.load(buffer + 4) == UInt32(second) && g.k.load(buffer + 8) == 4 && g.k.load(buffer + 12) == 20)
    #expect(try g.status("NdisRetreatNetBufferDataStart", buffer, 20, 0, 0) == .success && g.k.load(buffer + 4) == UInt32(first))
    // More than there is room for: another MDL in front.
    #expect(try g.status("NdisRetreatNetBufferDataStart", buffer, 16, 0, 0) == .success)
    #expect(try g.k.load(buffer + 0x10) != UInt32(first) && g.k.load(buffer + 12) == 56 && g.k.load(buffer + 0x14) == 0)
    #expect(try g.status("NdisRetreatNetBufferDataStart", buffer, 0x2_0000, 0, 0) == .insufficientResources)
    #expect(try g.status("FwpsFreeNetBufferList0", list) == .success)
    try g.call("NdisFreeNetBufferListPool", pool)
  }
}
