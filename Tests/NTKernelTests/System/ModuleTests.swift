import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Helper modules: USBD, TDI, WMILIB") struct ModuleTests {
  /// A configuration of two interfaces: 0 with two endpoints, and 1, of class 3, with one.
  static let configuration: [UInt8] =
    [9, 2, 48, 0, 2, 1, 0, 0x80, 50] + [9, 4, 0, 0, 2, 0xff, 1, 2, 0] + [7, 5, 0x81, 2, 64, 0, 0] + [7, 5, 2, 2, 64, 0, 0]
    + [9, 4, 1, 0, 1, 3, 1, 1, 0] + [7, 5, 0x83, 3, 8, 0, 10]

  @Test(
    "descriptors are found, and a request for the interfaces made",
    arguments: [
      ["USBD_ParseDescriptors", "USBD_ParseConfigurationDescriptorEx", "USBD_CreateConfigurationRequestEx"],
      ["_USBD_ParseDescriptors@16", "_USBD_ParseConfigurationDescriptorEx@28", "_USBD_CreateConfigurationRequestEx@8"],
    ])
  func usb(names: [String]) throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    let (place, any) = (try g.space(0x40), UInt64(0xffff_ffff))
    try here.write(Self.configuration, at: place)
    #expect(try g.call(names[0], place, 48, place, 4) == place + 9 && g.call(names[0], place, 48, place + 18, 4) == place + 32)
    #expect(try g.call(names[0], place, 48, place, 0x21) == 0)
    #expect(try g.call(names[1], place, place, any, any, 3, any, any) == place + 32)
    #expect(try g.call(names[1], place, place, 2, any, any, any, any) == 0)
    let list = try g.space(0x20)
    try g.k.store([UInt32(place) + 9, 0, UInt32(place) + 32, 0, 0, 0], at: list)
    let urb = try g.call(names[2], place, list)
    // Length, URB_FUNCTION_SELECT_CONFIGURATION; the descriptor; the interfaces.
    #expect(try g.k.load(urb) == 0x18 + 0x10 + 0x28 + 0x10 + 0x14 && g.k.load(urb + 0x10) == UInt32(place))
    #expect(try g.k.load(list + 4) == UInt32(urb) + 0x18 && g.k.load(list + 12) == UInt32(urb) + 0x50)
    #expect(try g.k.load(urb + 0x18) == 0x0000_0038 && g.k.load(urb + 0x24) == 2 && g.k.load(urb + 0x50) == 0x0001_0024)
  }

  @Test("the older USB routines") func olderUSB() throws {
    let g = try IOGuest()
    let (place, size) = (try g.space(0x40), try g.space())
    try g.k.memory.memory.write(Self.configuration, at: place)
    #expect(try g.call("USBD_ParseConfigurationDescriptor", place, 1, 0) == place + 32)
    #expect(try g.call("USBD_ParseConfigurationDescriptor", place, 1, 1) == 0)
    #expect(try g.call("USBD_GetInterfaceLength", place + 9, place + 48) == 23 && g.call("USBD_GetInterfaceLength", place, place) == 0)
    #expect(try g.call("USBD_CreateConfigurationRequest", place, size) != 0 && g.k.half(size) == 0x74)
    try g.call("USBD_GetUSBDIVersion", size)
    #expect(try g.k.load(size) == 0x500 && g.k.load(size + 4) == 0x200)
  }

  @Test("buffers go to MDLs and back") func transport() throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    let (buffer, target, copied) = (try g.space(0x40), try g.space(0x20), try g.space())
    let mdl = try g.call("IoAllocateMdl", target, 0x20, 0, 0, 0)
    try g.call("MmBuildMdlForNonPagedPool", mdl)
    try here.write(Array(1...0x40), at: buffer)
    #expect(try g.status("TdiCopyBufferToMdl", buffer, 4, 0x10, mdl, 8, copied) == .success && g.k.load(copied) == 0x10)
    #expect(try here.bytes(0x10, at: target + 8) == Array(5...0x14))
    #expect(try g.status("TdiCopyBufferToMdl", buffer, 0, 0x40, mdl, 8, copied) == .bufferOverflow && g.k.load(copied) == 0x18)
    #expect(try g.status("TdiCopyMdlToBuffer", mdl, 8, buffer, 0, 0x40, copied) == .success && g.k.load(copied) == 0x18)
    #expect(try g.status("TdiCopyMdlToBuffer", mdl, 0, buffer, 0, 0x10, copied) == .bufferOverflow && g.k.load(copied) == 0x10)
    #expect(try g.status("TdiMapUserRequest", 0, 0, g.space(0x24)) == .notImplemented)
    try g.call("TdiInitialize")
    let name = try g.string(#"\Device\Own"#)
    try g.k.store([2], at: buffer)
    for (register, arguments, deregister) in [
      ("TdiRegisterPnPHandlers", [buffer, 0x20, copied], "TdiDeregisterPnPHandlers"),
      ("TdiRegisterDeviceObject", [name, copied], "TdiDeregisterDeviceObject"),
      ("TdiRegisterNetAddress", [buffer, name, 0, copied], "TdiDeregisterNetAddress"),
      ("TdiRegisterProvider", [name, copied], "TdiDeregisterProvider"),
    ] {
      #expect(try g.call(register, arguments) == 0, "\(register)")
      let handle = UInt64(try g.k.load(copied))
      #expect(try g.status("TdiProviderReady", handle) == (register == "TdiRegisterProvider" ? .success : .invalidParameter))
      #expect(try g.status(deregister, handle) == .success && g.status(deregister, handle) == .unsuccessful, "\(deregister)")
    }
    #expect(try g.status("TdiRegisterPnPHandlers", buffer, 4, copied) == .invalidParameter)
    let none = try g.string("")
    #expect(
      try g.status("TdiRegisterProvider", none, copied) == .invalidParameter
        && g.status("TdiRegisterDeviceObject", none, copied) == .invalidParameter)
    // The default handlers refuse data and connections, and bear what is only told.
    for (handler, count, status) in [
      ("TdiDefaultConnectHandler", 9, 0xc000_009a), ("TdiDefaultDisconnectHandler", 7, 0), ("TdiDefaultErrorHandler", 2, 0),
      ("TdiDefaultReceiveHandler", 8, 0xc000_021b), ("TdiDefaultRcvExpeditedHandler", 8, 0xc000_021b),
      ("TdiDefaultRcvDatagramHandler", 11, 0xc000_021b), ("TdiDefaultSendPossibleHandler", 3, 0),
      ("TdiDefaultChainedReceiveHandler", 7, 0xc000_021b), ("TdiDefaultChainedRcvExpeditedHandler", 7, 0xc000_021b),
      ("TdiDefaultChainedRcvDatagramHandler", 10, 0xc000_021b),
    ] as [(String, Int, UInt64)] {
      #expect(try g.call(handler, Array(repeating: 0, count: count)) == status, "\(handler)")
    }
  }

  @Test("WMI's requests are the driver's, and go back with a head that says how much there is") func wmi() throws {
    let o = try OplockGuest()
    let g = o.g
    let here = g.k.memory.memory
    let device = try g.device(nil)
    let (identifier, guids, context, disposition) = (try g.space(), try g.space(), try g.space(0x20), try g.space())
    try here.write(Array(1...16), at: identifier)
    try g.k.store([UInt32(identifier), 1, 0], at: guids)
    // WMILIB_CONTEXT: one GUID; the routine for a block's data.
    try g.k.store([1, UInt32(guids), 0, 0xf8b0_9000], at: context)
    var answer = (NTSTATUS.success, UInt64(4))
    g.routine(at: 0xf8b0_9000, 8) {
      // Index, instance, count, lengths, room, buffer.
      #expect($0[2] == 0 && $0[3] == 0 && $0[4] == 1)
      if $0[6] >= 4 { try g.k.store([0x1234], at: $0[7]) }
      return try g.call("WmiCompleteRequest", $0[0], $0[1], UInt64(answer.0.rawValue), answer.1, 0)
    }
    let buffer = try g.space(0x80)
    func send(_ minor: UInt32, length: UInt32 = 0x80, provider: UInt64? = nil) throws -> (irp: UInt64, status: NTSTATUS) {
      try here.write([UInt8](repeating: 0, count: 0x80), at: buffer)
      try g.k.store([0x40], at: buffer + 0x38)
      let irp = try o.irp(
        0x17 | minor << 8, 0, [UInt32(provider ?? device), UInt32(identifier), length, UInt32(buffer)])
      return (irp, try g.status("WmiSystemControl", context, device, irp, disposition))
    }
    let query = try send(1)
    #expect(try query.status == .success && g.k.load(disposition) == 0 && o.completed[query.irp] == [0, 0x44])
    #expect(try g.k.load(buffer) == 0x44 && g.k.load(buffer + 0x3c) == 4 && g.k.load(buffer + 0x40) == 0x1234)
    answer = (.bufferTooSmall, 0x100)
    let small = try send(1, length: 0x40)
    #expect(try o.completed[small.irp] == [0, 0x38] && g.k.load(buffer + 0x2c) & 0x20 != 0 && g.k.load(buffer + 0x30) == 0x140)
    // IrpForward, IrpNotWmi; the registration; what is not there.
    #expect(try send(1, provider: 1).status == .success && g.k.load(disposition) == 3)
    #expect(try send(10).status == .success && g.k.load(disposition) == 2)
    let registration = try send(8)
    #expect(
      try o.completed[registration.irp] == [0, 0x38] && here.bytes(16, at: buffer + 0x14) == Array(1...16) && g.k.load(buffer + 0x28) == 1)
    let method = try send(9)
    #expect(o.completed[method.irp]?[0] == NTSTATUS.invalidDeviceRequest.rawValue)
    try here.write([9], at: identifier)
    try g.k.store([UInt32(g.space()), 1, 0], at: guids)
    let unknown = try send(1)
    #expect(o.completed[unknown.irp]?[0] == NTSTATUS.wmiGuidNotFound.rawValue)
    // An event; one that is longer than any may be.
    let data = try g.call("ExAllocatePoolWithTag", 0, 16, 0x74736554)
    #expect(try g.status("WmiFireEvent", device, identifier, 0, 16, data) == .success && !g.k.kernel.isPoolBlock(data))
    let long = try g.call("ExAllocatePoolWithTag", 0, 0x9000, 0x74736554)
    #expect(try g.status("WmiFireEvent", device, identifier, 0, 0x9000, long) == .bufferOverflow && !g.k.kernel.isPoolBlock(long))
  }
}
