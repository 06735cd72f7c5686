import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Plug and play of framework drivers") struct FrameworkPlugAndPlayTests {
  /// A driver with one device, which notes its callbacks; `refusing` fails with STATUS_UNSUCCESSFUL.
  fileprivate final class Guest {
    let g: FrameworkGuest
    var order: [String] = []
    var device: UInt64 = 0
    var count: UInt64 = 99
    var physical: UInt64 = 0

    init(refusing: String = "") throws {
      let g = try FrameworkGuest(creates: false)
      self.g = g
      let names = [
        ("d0Entry", 2), ("post", 2), ("d0Exit", 2), ("pre", 2), ("prepare", 3), ("release", 2), ("cleanup", 1), ("flush", 1), ("init", 1),
        ("suspend", 1), ("restart", 1), ("surprise", 1), ("queryRemove", 1), ("queryStop", 1),
      ]
      let routines = names.map { name, arguments in
        UInt32(
          g.routine(arguments) { [unowned self] in
            order.append(name)
            if name == "prepare" {
              count = try g.call("WdfCmResourceListGetCount", $0[2]) + g.call("WdfCmResourceListGetDescriptor", $0[2], 0)
            }
            return name == refusing ? 0xc000_0001 : 0
          })
      }
      let callbacks = try g.g.space(0x44)
      try g.k.store([0x44] + routines + [0, 0], at: callbacks)
      let add = g.routine(2) { [unowned self] in
        try g.call("WdfDeviceInitSetPnpPowerEventCallbacks", $0[1], callbacks)
        try g.call("WdfDeviceInitSetPowerPolicyEventCallbacks", $0[1], callbacks)
        try g.call("WdfDeviceInitSetPowerPolicyOwnership", $0[1], 1)
        for name in ["WdfDeviceInitSetPowerPageable", "WdfDeviceInitSetPowerNotPageable", "WdfDeviceInitSetPowerInrush"] {
          try g.call(name, $0[1])
        }
        let (setup, result) = (try g.g.space(), try g.g.space())
        try g.k.store([UInt32($0[1])], at: setup)
        let status = try g.status("WdfDeviceCreate", setup, 0, result)
        device = UInt64(try g.k.load(result))
        return UInt64(status.rawValue)
      }
      #expect(try g.createDriver(flags: 0, deviceAdd: add) == .success)
      physical = try g.k.kernel.makeRootDevice(for: g.g.driver).address
      #expect(try g.g.status("FxAddDevice", g.g.driver.object.address, physical) == .success)
    }

    func request(_ minor: UInt64) throws -> NTSTATUS { try g.g.status("IopPlugAndPlayRequest", physical, minor) }
  }

  @Test("hardware is prepared and D0 entered when a device starts; what was done is undone when it stops, and it goes when it is removed")
  func lifecycle() throws {
    let guest = try Guest()
    #expect(try guest.request(0) == .success)
    #expect(guest.order == ["prepare", "d0Entry", "post", "init"] && guest.count == 0)
    guest.order = []
    #expect(try guest.request(5) == .success && guest.request(4) == .success)
    #expect(guest.order == ["queryStop", "suspend", "pre", "d0Exit", "release"])
    guest.order = []
    #expect(try guest.request(0) == .success)
    #expect(guest.order == ["prepare", "d0Entry", "post", "restart"])
    guest.order = []
    #expect(try guest.request(1) == .success && guest.request(2) == .success)
    #expect(guest.order == ["queryRemove", "suspend", "pre", "d0Exit", "release", "flush", "cleanup"])
    #expect(try guest.g.k.load(guest.g.g.driver.object.address + 4) == 0)
  }

  @Test("a callback that fails fails the start, and the device is removed; one that refuses removal keeps it")
  func refusals() throws {
    let failing = try Guest(refusing: "prepare")
    #expect(try failing.request(0).rawValue == 0xc000_0001)
    #expect(failing.order == ["prepare", "release"])
    let keeping = try Guest(refusing: "queryRemove")
    #expect(try keeping.request(0) == .success)
    #expect(try keeping.request(1).rawValue == 0xc000_0001)
    #expect(try keeping.request(0x17) == .success)
    #expect(keeping.order.suffix(5) == ["surprise", "suspend", "pre", "d0Exit", "release"])
  }

  @Test("a device's target is the driver below; it stops and starts; a device without one below has none")
  func target() throws {
    let guest = try Guest()
    let g = guest.g
    let target = try g.call("WdfDeviceGetIoTarget", guest.device)
    #expect(try target != 0 && g.call("WdfDeviceGetIoTarget", guest.device) == target)
    #expect(try g.call("WdfIoTargetWdmGetTargetDeviceObject", target) == guest.physical)
    #expect(try g.call("WdfIoTargetGetDevice", target) == guest.device)
    #expect(try g.call("WdfIoTargetGetState", target) == 1)
    try g.call("WdfIoTargetStop", target, 0)
    #expect(try g.call("WdfIoTargetGetState", target) == 2)
    #expect(try g.status("WdfIoTargetStart", target) == .success)
    #expect(try g.call("WdfIoTargetGetState", target) == 1)
    let settings = try g.g.space(0x20)
    try g.k.store([0x18], at: settings)
    #expect(try g.status("WdfDeviceAssignS0IdleSettings", guest.device, settings) == .success)
    try g.k.store([4], at: settings)
    #expect(try g.status("WdfDeviceAssignS0IdleSettings", guest.device, settings) == .infoLengthMismatch)
    try g.call("WdfDeviceSetPnpCapabilities", guest.device, settings)
    try g.call("WdfDeviceSetPowerCapabilities", guest.device, settings)
    // A handle of another kind is a violation.
    for name in ["WdfIoTargetGetState", "WdfIoTargetStart", "WdfIoTargetWdmGetTargetDeviceObject", "WdfCmResourceListGetCount"] {
      #expect(try Guest().violates(name))
    }
    for name in ["WdfRequestSend", "WdfRequestFormatRequestUsingCurrentType", "WdfRequestSetCompletionRoutine"] {
      #expect(try Guest().violates(name))
    }
  }
}

extension FrameworkPlugAndPlayTests.Guest {
  /// Whether a call with the device's handle in place of another object's is WDF_VIOLATION.
  fileprivate func violates(_ name: String) throws -> Bool { try !g.violation(name, device, device, 0).isEmpty }
}
