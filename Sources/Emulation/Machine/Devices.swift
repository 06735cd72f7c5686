import Events
import Guest
import NTKernel
import WindowsTypes

/// What the Plug and Play and the power manager do with a driver's device.
extension Machine {
  func perform(_ request: Fixture.DeviceRequest, _ index: Int, _ line: Int?) throws {
    guard let driver = kernel.drivers.last(where: { $0.isLoaded && $0.name.lowercased() == request.driver.lowercased() }) else {
      if request.isOptional { return }
      let known = suggestion(for: request.driver, among: kernel.drivers.filter(\.isLoaded).map(\.name))
      throw error(line, "no driver \(quoted(request.driver)) runs\(known)")
    }
    let (title, routine): (String, String)
    let device: Pointer<DEVICE_OBJECT>
    var arguments: [UInt64] = []
    if request.kind == .add {
      guard try kernel.hasAddDevice(driver) else {
        if request.isOptional { return }
        throw error(line, "\(driver.name) has no AddDevice")
      }
      device = try kernel.makeRootDevice(for: driver)
    } else if let known = kernel.latestRootDevice(of: driver) {
      device = known
    } else {
      if request.isOptional { return }
      throw error(line, "\(driver.name) has no device: a step “add-device” comes first")
    }
    switch request.kind {
    case .add:
      (title, routine) = ("AddDevice", "IopAddDevice")
      arguments = [driver.object.address, device.address]
    case .plugAndPlay(let kind):
      (title, routine) = (kind.title, "IopPlugAndPlayRequest")
      arguments = [device.address, UInt64(kind.minorFunction)]
    case .power(let kind, let state):
      (title, routine) = ("\(kind == .set ? "SET" : "QUERY")_POWER \(state.rawValue)", "IopPowerRequest")
      arguments = [device.address, kind == .set ? 2 : 3, UInt64(state.type), UInt64(state.value)]
    }
    let before = counters
    try perform(
      Fixture.Call(
        on: try systemThread().name, .symbol(module: "nt", name: routine, offset: 0),
        with: Fixture.Arguments(arguments.map { .init(nil, .integer($0)) }), expect: request.expect ?? .any),
      index, line, title: "\(title) of \(driver.name)")
    note(.device(title), of: driver, since: before)
    if request.expect == nil { checkSuccess("\(title) of \(driver.name)", line) }
  }

  /// A device raises an interrupt while a thread of System runs.
  func raiseInterrupt(_ vector: UInt32, expect: Fixture.CallExpectation?, _ index: Int, _ line: Int?) throws {
    try perform(
      Fixture.Call(
        on: try systemThread().name, .symbol(module: "nt", name: "KiInterruptDispatch", offset: 0), with: [.integer(UInt64(vector))],
        expect: expect ?? .any),
      index, line, title: "interrupt 0x\(hex(vector, digits: 2))")
  }
}
