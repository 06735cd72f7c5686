import Guest
import KMDF
import NTKernel
import Testing
import WindowsTypes

/// A framework driver with a device over one of the root's, which its test prepares.
final class FrameworkBus {
  let g: FrameworkGuest
  var k: TestKernel { g.k }
  private(set) var device: UInt64 = 0
  private(set) var physical: UInt64 = 0

  /// - Parameters:
  ///   - prepare: what EvtDriverDeviceAdd does with its WDFDEVICE_INIT before it makes the device.
  ///   - more: what it does with the device.
  init(
    _ prepare: @escaping (FrameworkGuest, UInt64) throws -> Void = { _, _ in },
    then more: @escaping (FrameworkBus) throws -> Void = { _ in }
  )
    throws
  {
    g = try FrameworkGuest(creates: false)
    let add = g.routine(2) { [unowned self] in
      try prepare(g, $0[1])
      let (setup, result) = (try g.g.space(), try g.g.space())
      try k.store([UInt32($0[1])], at: setup)
      let status = try g.status("WdfDeviceCreate", setup, 0, result)
      device = UInt64(try k.load(result))
      try more(self)
      return UInt64(status.rawValue)
    }
    #expect(try g.createDriver(flags: 0, deviceAdd: add) == .success)
    physical = try k.kernel.makeRootDevice(for: g.g.driver).address
    #expect(try g.g.status("FxAddDevice", g.g.driver.object.address, physical) == .success)
  }

  func request(_ minor: UInt64) throws -> NTSTATUS { try g.g.status("IopPlugAndPlayRequest", physical, minor) }

  /// Makes a device of the WDFDEVICE_INIT `setup`, of a child.
  func child(_ setup: UInt64) throws -> UInt64 {
    let place = try g.g.space()
    try k.store([UInt32(setup)], at: place)
    return try g.make("WdfDeviceCreate", place, 0)
  }

  /// What the Plug and Play manager knows of a device: a property of IoGetDeviceProperty's.
  func property(_ property: UInt64, of device: UInt64) throws -> String {
    let (buffer, length) = (try g.g.space(0x100), try g.g.space())
    guard try g.g.status("IoGetDeviceProperty", device, property, 0x100, buffer, length) == .success else { return "" }
    var units: [UInt16] = []
    while units.count < 0x80, case let unit = try k.half(buffer + 2 * UInt64(units.count)), unit != 0 { units.append(unit) }
    return String(decoding: units, as: UTF16.self)
  }

  /// A GUID of one repeated byte.
  func identifier(_ byte: UInt8) throws -> UInt64 {
    let place = try g.g.space()
    try k.memory.memory.write([UInt8](repeating: byte, count: 16), at: place)
    return place
  }
}
