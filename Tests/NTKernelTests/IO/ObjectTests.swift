import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Objects") struct ObjectTests {
  @Test func references() throws {
    let g = try IOGuest()
    let device = try g.device(#"\Device\Demo"#)
    #expect(try g.call("ObfReferenceObject", device) == 2)
    #expect(try g.k.load(device - 0x18) == 2)
    #expect(try g.k.kernel.leftovers(of: g.driver).map(\.what) == [#"the device \Device\Demo"#, #"a reference to \Device\Demo"#])
    #expect(try g.call("ObfDereferenceObject", device) == 1)
    #expect(try g.status("ObReferenceObjectByPointer", device, 0, 0, 0) == .success)
    #expect(try g.call("ObDereferenceObject", device) == 1)
    #expect(try g.k.kernel.leftovers(of: g.driver).count == 1)
    // Some other type than the object's, or none from user mode.
    let type = UInt64(try g.k.load(g.k.kernel.drivers[0].object.address - 0x10))
    #expect(try g.status("ObReferenceObjectByPointer", device, 0, type, 0) == .objectTypeMismatch)
    #expect(try g.status("ObReferenceObjectByPointer", device, 0, 0, 1) == .objectTypeMismatch)
    try g.k.store(0, at: device - 0x18)
    #expect(try g.bugCheck("ObfDereferenceObject", device).prefix(3) == [0x18, UInt64(try g.k.load(device - 0x10)), device])
  }

  @Test func overDereferenced() throws {
    let g = try IOGuest()
    let process = g.k.service.object.address
    try g.k.store(0, at: process - 0x18)
    #expect(try g.bugCheck("ObDereferenceObject", process).first == 0x18)
  }

  @Test func byHandle() throws {
    let g = try IOGuest()
    let (result, information) = (try g.space(), try g.space())
    let process = g.k.notepad.object.address
    #expect(try g.status("ObReferenceObjectByHandle", 0xffff_ffff, 0, 0, 0, result, information) == .success)
    #expect(try g.k.load(result) == UInt32(process) && g.k.load(information + 4) == 0x1f_0fff)
    #expect(try g.status("ObReferenceObjectByHandle", 0xffff_fffe, 0, 0, 0, result, 0) == .success)
    #expect(try g.k.load(result) == UInt32(g.k.currentThread))
    #expect(try g.status("ObOpenObjectByPointer", process, 0x200, 0, 0x400, 0, 0, result) == .success)
    let handle = UInt64(try g.k.load(result))
    #expect(handle & 0x8000_0000 != 0)
    #expect(try g.status("ObReferenceObjectByHandle", handle, 0, 0, 0, result, 0) == .success)
    #expect(try g.status("ObReferenceObjectByHandle", handle, 0, 0, 1, result, 0) == .invalidHandle)
    #expect(try g.k.load(result) == 0)
    #expect(try g.status("ObReferenceObjectByHandle", 0x1230, 0, 0, 0, result, 0) == .invalidHandle)
    let type = UInt64(try g.k.load(g.driver.object.address - 0x10))
    #expect(try g.status("ObOpenObjectByPointer", process, 0x200, 0, 0x400, type, 0, result) == .objectTypeMismatch)
  }

  @Test func names() throws {
    let g = try IOGuest()
    let device = try g.device(#"\Device\Demo"#)
    let (place, size) = (try g.space(0x80), try g.space())
    #expect(try g.status("ObQueryNameString", device, place, 0x80, size) == .success)
    #expect(try g.k.half(place) == 24 && g.k.load(place + 4) == UInt32(place + 8) && g.k.load(size) == 34)
    #expect(try g.status("ObQueryNameString", device, place, 8, size).rawValue == 0xc000_0004)
  }

  @Test func lookup() throws {
    let g = try IOGuest()
    let result = try g.space()
    #expect(try g.status("PsLookupProcessByProcessId", 800, result) == .success)
    #expect(try g.k.load(result) == UInt32(g.k.service.object.address))
    #expect(try g.status("PsLookupProcessByProcessId", 804, result) == .invalidParameter)
    #expect(try g.status("PsLookupThreadByThreadId", 0x4d4, result) == .success)
    #expect(try g.k.load(result) == UInt32(g.k.client.object.address))
    #expect(try g.status("PsLookupThreadByThreadId", 0x4d8, result) == .invalidParameter)
    #expect(
      try g.k.kernel.leftovers(of: g.driver).map(\.what) == ["a reference to process service.exe", "a reference to thread client"]
        || g.k.kernel.leftovers(of: g.driver).count == 2)
  }

  @Test func system() throws {
    let g = try IOGuest()
    let place = try g.space(0x20)
    #expect(try g.call("PsGetVersion", place, place + 4, place + 8, place + 12) & 0xff == 0)
    #expect(try [0, 4, 8].map { try g.k.load(place + $0) } == [5, 1, 2600])
    #expect(try g.k.half(place + 12) == 28)
    #expect(try g.call("PsGetVersion", 0, 0, 0, 0) & 0xff == 0)
    #expect(try g.call("MmGetSystemRoutineAddress", g.string("IoCreateDevice")) == g.k.trap("IoCreateDevice"))
    let type = try g.call("MmGetSystemRoutineAddress", g.string("IoDriverObjectType"))
    #expect(try type == g.k.kernel.address(ofVariable: "IoDriverObjectType", in: "nt"))
    #expect(try g.call("MmGetSystemRoutineAddress", g.string("IopLoadDriver")) == 0)
    #expect(try g.call("MmGetSystemRoutineAddress", g.string("FltDecodeParameters")) == 0)
    #expect(try g.call("MmIsAddressValid", g.k.scratch) & 0xff == 1)
    #expect(try g.call("MmIsAddressValid", 0x30_0000) & 0xff == 0)
  }
}

@Suite("Drivers") struct DriverTests {
  @Test func driverObject() throws {
    let g = try IOGuest()
    let object = g.driver.object.address
    #expect(try g.k.half(object) == 4 && g.k.half(object + 2) == 0xa8)
    #expect(try g.k.load(object + 0xc) == 0xf8b0_0000 && g.k.load(object + 0x10) == 0x1_0000 && g.k.load(object + 0x2c) == 0xf8b0_0100)
    #expect(try g.k.half(object + 0x1c) == 24)
    let invalid = UInt32(try g.k.trap("IopInvalidDeviceRequest"))
    #expect(try (0..<28).allSatisfy { try g.k.load(object + 0x38 + 4 * $0) == invalid })
  }

  @Test(arguments: ["IoRegisterDriverReinitialization", "IoRegisterBootDriverReinitialization"])
  func start(register: String) throws {
    let g = try IOGuest()
    let object = g.driver.object.address
    var calls: [[UInt64]] = []
    var left: [UInt32] = []
    g.routine(at: 0xf8b0_0100, 2) {
      calls.append([$0[0], UInt64(try g.k.half($0[1]))])
      try g.k.store(0, at: object + 0x38)
      try g.call(register, object, 0xf8b0_6000, 0x55)
      left.append(UInt32(try g.call("IoAllocateIrp", 1, 0)))
      _ = try g.device(nil)
      return 0
    }
    g.routine(at: 0xf8b0_6000, 3) {
      calls.append($0)
      return 0
    }
    #expect(try g.status("IopLoadDriver", object) == .success)
    let path = #"\Registry\Machine\System\CurrentControlSet\Services\demo"#
    #expect(calls == [[object, UInt64(path.utf16.count * 2)], [object, 0x55, 1]])
    #expect(try g.k.load(object + 0x38) == UInt32(g.k.trap("IopInvalidDeviceRequest")))
    // Without DriverUnload it stays.
    #expect(try g.status("IopUnloadDriver", object) == .invalidDeviceRequest)
    g.routine(at: 0xf8b0_7000, 1) { _ in 0 }
    try g.k.store(0xf8b0_7000, at: object + 0x34)
    #expect(try g.status("IopUnloadDriver", object) == .success)
    let reported = g.k.stream.events.compactMap {
      if case .leftBehind(_, let what, let site) = $0 { "\(what) \(hex(site.ip))" } else { nil }
    }
    #expect(reported == ["a device without a name f8b01234", "an IRP f8b01234"])
    #expect(try g.status("IopUnloadDriver", object) == .objectNameNotFound)
  }

  @Test func failingEntry() throws {
    let g = try IOGuest()
    g.routine(at: 0xf8b0_0100, 2) { _ in 0xc000_0001 }
    #expect(try g.status("IopLoadDriver", g.driver.object.address) == .unsuccessful)
    #expect(!g.driver.isLoaded)
  }

  @Test func unhandledRequest() throws {
    let g = try IOGuest()
    let (device, block) = (try g.device(#"\Device\Demo"#), try g.space())
    // Without a create routine a device cannot be opened: "IopInvalidDeviceRequest" answers.
    let handle = try g.space()
    #expect(
      try g.status("ZwCreateFile", handle, 0x10_0080, g.attributes(#"\Device\Demo"#), block, 0, 0x80, 3, 1, 0x20, 0, 0)
        == .invalidDeviceRequest)
    #expect(try g.k.load(device + 4) == 0)
  }
}
