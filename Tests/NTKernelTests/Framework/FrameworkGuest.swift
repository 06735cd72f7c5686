import Guest
import KMDF
import NTKernel
import Testing
import WindowsTypes

/// A framework driver without code: ``IOGuest``'s driver, bound to KMDF 1.9.
final class FrameworkGuest {
  let g: IOGuest
  var k: TestKernel { g.k }
  var globals: UInt64 = 0
  var driver: UInt64 = 0
  /// What the driver's function table holds.
  private(set) var table: UInt64 = 0

  /// Where the driver's callbacks are; the test says what they do.
  private var nextRoutine: UInt64 = 0xf8b0_8000

  init(minor: UInt32 = 9, count: UInt32 = 396, creates: Bool = true) throws {
    g = try IOGuest()
    #expect(try bind(minor: minor, count: count) == .success)
    if creates { #expect(try createDriver() == .success) }
  }

  func bind(minor: UInt32, count: UInt32, component: String = "KmdfLibrary", size: UInt32 = 0x20) throws -> NTSTATUS {
    let name = try g.space(64)
    for (index, unit) in component.utf16.enumerated() { try k.memory.memory.store(unit, at: name + 2 * UInt64(index)) }
    table = try g.space(4 * 400)
    let (info, result) = (try g.space(0x20), try g.space())
    try k.store([size, UInt32(name), 1, minor, 7600, count, UInt32(table), 0], at: info)
    let status = try g.status("WdfVersionBind", g.driver.object.address, path(), info, result)
    globals = UInt64(try k.load(result))
    return status
  }

  func path() throws -> UInt64 { try g.string(#"\Registry\Machine\System\CurrentControlSet\Services\demo"#) }

  func createDriver(unload: UInt64 = 0, flags: UInt32 = 1, deviceAdd: UInt64 = 0) throws -> NTSTATUS {
    let (config, result) = (try g.space(0x14), try g.space())
    try k.store([0x14, UInt32(deviceAdd), UInt32(unload), flags, 0], at: config)
    let status = try g.status("WdfDriverCreate", globals, g.driver.object.address, path(), 0, config, result)
    driver = UInt64(try k.load(result))
    return status
  }

  /// Calls a function of the table's with the driver's globals.
  @discardableResult
  func call(_ name: String, _ arguments: UInt64...) throws -> UInt64 { try g.call(name, [globals] + arguments) }
  func status(_ name: String, _ arguments: UInt64...) throws -> NTSTATUS {
    NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try g.call(name, [globals] + arguments)))
  }
  /// The parameters of the WDF_VIOLATION that a call ends in.
  func violation(_ name: String, _ arguments: UInt64...) throws -> [UInt64] {
    do {
      let value = try g.call(name, [globals] + arguments)
      Issue.record("\(name) was to be a bugcheck; it returned \(value)")
    } catch let stopped as IOGuest.Stopped {
      guard let bugCheck = stopped.bugCheck else { return [] }
      #expect(bugCheck.code == .wdfViolation)
      return bugCheck.parameters
    }
    return []
  }

  /// Calls a function whose last argument is where a handle or an address goes.
  func make(_ name: String, _ arguments: UInt64..., expect: NTSTATUS = .success) throws -> UInt64 {
    let result = try g.space()
    let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try g.call(name, [globals] + arguments + [result])))
    #expect(status == expect, "\(name)")
    return UInt64(try k.load(result))
  }

  func routine(_ count: Int, _ body: @escaping ([UInt64]) throws -> UInt64) -> UInt64 {
    defer { nextRoutine += 16 }
    g.routine(at: nextRoutine, count, body)
    return nextRoutine
  }

  /// `WDF_OBJECT_ATTRIBUTES`
  func attributes(
    cleanup: UInt64 = 0, destroy: UInt64 = 0, parent: UInt64 = 0, type: UInt64 = 0, level: UInt32 = 1, scope: UInt32 = 1
  ) throws -> UInt64 {
    let place = try g.space(0x20)
    try k.store([0x20, UInt32(cleanup), UInt32(destroy), level, scope, UInt32(parent), 0, UInt32(type)], at: place)
    return place
  }

  /// A context type of `size` bytes.
  func contextType(_ size: UInt32) throws -> UInt64 {
    let place = try g.space(0x14)
    try k.store([0x14, UInt32(place), size, UInt32(place), 0], at: place)
    return place
  }

  /// A control device called `\Device\Wdf`, not open to anybody yet.
  func device(ioType: UInt64 = 2, _ prepare: (UInt64) throws -> Void = { _ in }) throws -> UInt64 {
    let setup = try call("WdfControlDeviceInitAllocate", driver, g.string("D:P"))
    #expect(try status("WdfDeviceInitAssignName", setup, g.string(#"\Device\Wdf"#)) == .success)
    try call("WdfDeviceInitSetIoType", setup, ioType)
    try prepare(setup)
    let place = try g.space()
    try k.store(UInt32(setup), at: place)
    return try make("WdfDeviceCreate", place, 0)
  }

  /// A queue; the callbacks are by default, read, write, device control, internal, stop, resume, canceled.
  func queue(_ device: UInt64, _ dispatching: UInt32, isDefault: Bool = true, _ callbacks: [Int: UInt64], limit: UInt32 = .max) throws
    -> UInt64
  {
    let config = try g.space(0x34)
    try k.store([0x34, dispatching, 2, isDefault ? 0x100 : 0], at: config)
    for (index, routine) in callbacks { try k.store(UInt32(routine), at: config + 0x10 + 4 * UInt64(index)) }
    try k.store(limit, at: config + 0x30)
    return try make("WdfIoQueueCreate", device, config, 0)
  }

  /// Opens the device and sends it a control request from kernel mode.
  func control(_ handle: UInt64, _ code: UInt64, input: (UInt64, UInt64) = (0, 0), output: (UInt64, UInt64) = (0, 0)) throws -> NTSTATUS {
    try g.status(
      "ZwDeviceIoControlFile", handle, 0, 0, 0, try g.space(), code, input.0, input.1, output.0, output.1)
  }

  /// A handle for overlapped requests.
  func open() throws -> UInt64 {
    let (handle, block) = (try g.space(), try g.space())
    #expect(
      try g.status("ZwCreateFile", handle, 0xc010_0000, g.attributes(#"\Device\Wdf"#), block, 0, 0x80, 3, 1, 0, 0, 0) == .success)
    return UInt64(try k.load(handle))
  }
}
