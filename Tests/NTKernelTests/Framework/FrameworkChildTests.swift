import Guest
import KMDF
import NTKernel
import Testing
import WindowsTypes

@Suite("Children of framework drivers") struct FrameworkChildTests {
  @Test("a child that the driver reports itself is asked what it is, and goes with its bus") func staticChild() throws {
    var (child, text): (UInt64, UInt64) = (0, 0)
    let bus = try FrameworkBus { (g: FrameworkGuest, setup: UInt64) throws -> Void in
      #expect(try g.status("WdfPdoInitAssignDeviceID", setup, g.g.string("X")) == .invalidDeviceRequest)
    } then: { (bus: FrameworkBus) throws -> Void in
      let g = bus.g
      let setup = try g.call("WdfPdoInitAllocate", bus.device)
      text = try g.g.string(#"DEMO\Child"#)
      try g.call("WdfPdoInitSetEventCallbacks", setup, try g.g.space(0x20))
      try g.call("WdfPdoInitAllowForwardingRequestToParent", setup)
      for (name, value) in [
        ("WdfPdoInitAssignDeviceID", #"DEMO\Child"#), ("WdfPdoInitAssignInstanceID", "7"), ("WdfPdoInitAddHardwareID", #"DEMO\Hard"#),
        ("WdfPdoInitAddCompatibleID", #"DEMO\Soft"#), ("WdfPdoInitAssignContainerID", "{1}"),
      ] { #expect(try g.status(name, setup, g.g.string(value)) == .success, "\(name)") }
      #expect(try g.status("WdfPdoInitAddDeviceText", setup, text, text, 0x409) == .success)
      #expect(try g.status("WdfPdoInitAddDeviceText", setup, text, text, 0x409) == .objectNameCollision)
      try g.call("WdfPdoInitSetDefaultLocale", setup, 0x409)
      #expect(try g.status("WdfPdoInitAssignRawDevice", setup, bus.identifier(1)) == .success)
      child = try bus.child(setup)
      #expect(try g.status("WdfPdoMarkMissing", child) == .noSuchDevice)
      #expect(try g.status("WdfFdoAddStaticChild", bus.device, bus.device) == .invalidParameter)
      #expect(try g.status("WdfFdoAddStaticChild", bus.device, child) == .success)
      let information = try g.g.space(0x20)
      try g.k.store([1, 2, 3, 4, 15, 3], at: information)
      try g.call("WdfDeviceSetBusInformationForChildren", bus.device, information)
    }
    let g = bus.g
    // Without a device ID there is no child.
    let place = try g.g.space()
    try g.k.store([UInt32(g.call("WdfPdoInitAllocate", bus.device))], at: place)
    _ = try g.make("WdfDeviceCreate", place, 0, expect: NTSTATUS(rawValue: 0xc000_0184))
    #expect(try g.call("WdfPdoGetParent", child) == bus.device && g.call("WdfPdoGetParent", bus.device) == 0)
    try g.call("WdfFdoLockStaticChildListForIteration", bus.device)
    #expect(try g.call("WdfFdoRetrieveNextStaticChild", bus.device, 0, 1) == child)
    #expect(try g.call("WdfFdoRetrieveNextStaticChild", bus.device, child, 1) == 0)
    try g.call("WdfFdoUnlockStaticChildListFromIteration", bus.device)
    for name in [
      "WdfPdoAddEjectionRelationsPhysicalDevice", "WdfDeviceAddRemovalRelationsPhysicalDevice", "WdfDeviceAddDependentUsageDeviceObject",
    ] {
      #expect(try g.status(name, child, bus.physical) == .success && g.status(name, child, 0) == .invalidParameter)
    }
    for name in [
      "WdfPdoRemoveEjectionRelationsPhysicalDevice", "WdfDeviceRemoveRemovalRelationsPhysicalDevice",
      "WdfDeviceRemoveDependentUsageDeviceObject",
    ] { try g.call(name, child, bus.physical) }
    for name in ["WdfPdoClearEjectionRelationsDevices", "WdfDeviceClearRemovalRelationsDevices", "WdfPdoRequestEject"] {
      try g.call(name, child)
    }
    #expect(try bus.request(0) == .success && bus.request(7) == .success)
    let object = try g.call("WdfDeviceWdmGetDeviceObject", child)
    #expect(try bus.property(0xf, of: object) == "DEMO" && bus.property(1, of: object) == #"DEMO\Child"#)
    #expect(try g.g.status("IopPlugAndPlayRequest", object, 0) == .success)
    #expect(try g.g.status("IopPlugAndPlayRequest", object, 1) == .success)
    #expect(try g.status("WdfPdoMarkMissing", bus.device) == .invalidDeviceRequest)
    #expect(try g.status("WdfPdoMarkMissing", child) == .success)
    #expect(try bus.request(7) == .success && bus.property(0xf, of: object).isEmpty)
    #expect(try bus.request(2) == .success)
    #expect(try g.k.load(g.g.driver.object.address + 4) == 0)
    #expect(try g.violation("WdfPdoGetParent", child).first == 5)
  }

  @Test("a list makes a device for each description, and takes it away when the description is missing") func list() throws {
    var (made, compared) = ([UInt32](), 0)
    let box = Box()
    let bus = try FrameworkBus { (g: FrameworkGuest, setup: UInt64) throws -> Void in
      let create = g.routine(3) {
        let serial = try g.k.load($0[1] + 4)
        #expect(try g.status("WdfPdoInitAssignDeviceID", $0[2], g.g.string(#"DEMO\Listed"#)) == .success)
        #expect(try g.status("WdfPdoInitAssignInstanceID", $0[2], g.g.string("\(serial)")) == .success)
        box.device = try box.bus?.child($0[2]) ?? 0
        made.append(serial)
        return 0
      }
      let compare = g.routine(3) {
        compared += 1
        return try g.k.load($0[1] + 4) == g.k.load($0[2] + 4) ? 1 : 0
      }
      let config = try g.g.space(0x34)
      try g.k.store([0x34, 8, 8, UInt32(create), 0, 0, 0, 0, UInt32(compare), 0, 0, 0, 0], at: config)
      try g.call("WdfFdoInitSetDefaultChildListConfig", setup, config, 0)
      try g.call("WdfFdoInitSetEventCallbacks", setup, g.g.space(0x20))
    } then: {
      box.bus = $0
    }
    let g = bus.g
    let list = try g.call("WdfFdoGetDefaultChildList", bus.device)
    #expect(try list != 0 && g.call("WdfChildListGetDevice", list) == bus.device)
    let (first, second, address, config) = (try g.g.space(), try g.g.space(), try g.g.space(), try g.g.space(0x34))
    try g.k.store([8, 1], at: first)
    try g.k.store([8, 2], at: second)
    try g.k.store([8, 0x55], at: address)
    try g.k.store([0x10], at: config)
    _ = try g.make("WdfChildListCreate", bus.device, config, 0, expect: .infoLengthMismatch)
    try g.k.store([0x34, 8, 0, 0xf8b0_8000], at: config)
    #expect(try g.make("WdfChildListCreate", bus.device, config, 0) != 0)

    let add = "WdfChildListAddOrUpdateChildDescriptionAsPresent"
    #expect(try g.status(add, list, first, address) == .success && g.status(add, list, first, address) == .objectNameExists)
    #expect(compared == 1)
    #expect(try g.status(add, list, address + 4, 0) == .invalidParameter)
    let info = try g.g.space(0x20)
    try g.k.store([0x14, UInt32(first), UInt32(second + 8), 0, 0], at: info)
    #expect(try g.call("WdfChildListRetrievePdo", list, info) == 0 && g.k.load(info + 0xc) == 2)
    #expect(try bus.request(0) == .success && bus.request(7) == .success && made == [1])
    #expect(try g.call("WdfChildListRetrievePdo", list, info) == box.device && g.k.load(info + 0xc) == 1)
    let object = try g.call("WdfDeviceWdmGetDeviceObject", box.device)
    #expect(try bus.property(1, of: object) == #"DEMO\Listed"#)
    let copy = try g.g.space()
    for name in ["WdfPdoRetrieveIdentificationDescription", "WdfPdoRetrieveAddressDescription", "WdfPdoUpdateAddressDescription"] {
      #expect(try g.status(name, bus.device, copy) == .invalidDeviceRequest)
    }
    #expect(try g.status("WdfPdoRetrieveIdentificationDescription", box.device, copy) == .success && g.k.load(copy + 4) == 1)
    #expect(try g.status("WdfPdoRetrieveAddressDescription", box.device, copy) == .success && g.k.load(copy + 4) == 0x55)
    try g.k.store([8, 0x66], at: copy)
    #expect(try g.status("WdfPdoUpdateAddressDescription", box.device, copy) == .success)
    #expect(try g.status("WdfChildListRetrieveAddressDescription", list, first, copy) == .success && g.k.load(copy + 4) == 0x66)
    #expect(try g.status("WdfChildListRetrieveAddressDescription", list, second, copy) == .noSuchDevice)
    #expect(try g.call("WdfChildListRequestChildEject", list, first) & 0xff == 1)
    #expect(try g.call("WdfChildListRequestChildEject", list, second) & 0xff == 0)

    let (iterator, found) = (try g.g.space(0x20), try g.g.space())
    try g.k.store([0x18, 1], at: iterator)
    #expect(try g.status("WdfChildListRetrieveNextDevice", list, iterator, found, 0) == .invalidParameter)
    try g.call("WdfChildListBeginIteration", list, iterator)
    #expect(try g.status("WdfChildListRetrieveNextDevice", list, iterator, found, 0) == .success && UInt64(g.k.load(found)) == box.device)
    #expect(try g.status("WdfChildListRetrieveNextDevice", list, iterator, found, 0) == .noMoreEntries)
    try g.call("WdfChildListEndIteration", list, iterator)

    // A scan that finds the second one, and not the first.
    try g.call("WdfChildListBeginScan", list)
    #expect(try g.status(add, list, second, 0) == .success)
    try g.call("WdfChildListEndScan", list)
    #expect(try bus.request(7) == .success && made == [1, 2] && bus.property(1, of: object).isEmpty)
    try g.call("WdfChildListBeginScan", list)
    try g.call("WdfChildListUpdateAllChildDescriptionsAsPresent", list)
    try g.call("WdfChildListEndScan", list)
    #expect(try g.status("WdfChildListUpdateChildDescriptionAsMissing", list, first) == .noSuchDevice)
    #expect(try g.status("WdfChildListUpdateChildDescriptionAsMissing", list, second) == .success)
    #expect(try bus.request(7) == .success && bus.request(2) == .success)
    #expect(try g.k.load(g.g.driver.object.address + 4) == 0)
  }

  private final class Box {
    var bus: FrameworkBus?
    var device: UInt64 = 0
  }

  @Test("an interface is there while the device is started; another driver's is asked for by a request") func interfaces() throws {
    let bus = try FrameworkBus()
    let g = bus.g
    let (known, other) = (try bus.identifier(0x11), try bus.identifier(0x22))
    #expect(try g.status("WdfDeviceCreateDeviceInterface", bus.device, known, 0) == .success)
    let string = try g.make("WdfStringCreate", 0, 0)
    #expect(try g.status("WdfDeviceRetrieveDeviceInterfaceString", bus.device, other, 0, string) == .objectNameNotFound)
    #expect(try g.status("WdfDeviceRetrieveDeviceInterfaceString", bus.device, known, 0, string) == .success)
    let list = try g.g.space()
    func count() throws -> UInt16 {
      #expect(try g.g.status("IoGetDeviceInterfaces", known, 0, 0, list) == .success)
      return try g.k.half(UInt64(g.k.load(list)))
    }
    #expect(try count() == 0)
    #expect(try bus.request(0) == .success && count() != 0)
    try g.call("WdfDeviceSetDeviceInterfaceState", bus.device, known, 0, 0)
    #expect(try count() == 0)
    try g.call("WdfDeviceSetDeviceInterfaceState", bus.device, known, 0, 1)
    #expect(try count() != 0)

    // INTERFACE: size, version, context, reference, dereference.
    let (interface, config, answer) = (try g.g.space(0x20), try g.g.space(0x20), try g.g.space(0x20))
    var references: [UInt64] = []
    let reference = g.routine(1) {
      references.append($0[0])
      return 0
    }
    try g.k.store([0x0001_0010, 0x77, UInt32(reference), 0], at: interface)
    try g.k.store([0x18, UInt32(interface), UInt32(known), 0, 0, 0], at: config)
    #expect(try g.status("WdfDeviceAddQueryInterface", bus.device, config) == .success)
    #expect(try g.status("WdfDeviceAddQueryInterface", bus.device, config) == .invalidDeviceRequest)
    #expect(try g.status("WdfFdoQueryForInterface", bus.device, known, answer, 0x10, 1, 0) == .success && references == [0x77])
    #expect(try g.k.load(answer + 4) == 0x77)
    #expect(try g.status("WdfFdoQueryForInterface", bus.device, other, answer, 0x10, 1, 0) == .notSupported)
    let target = try g.call("WdfDeviceGetIoTarget", bus.device)
    #expect(try g.status("WdfIoTargetQueryForInterface", target, other, answer, 0x10, 1, 0) == .notSupported)
    #expect(try bus.request(2) == .success && count() == 0)
  }
}
