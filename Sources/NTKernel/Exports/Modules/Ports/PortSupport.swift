import Events
import Guest
import WindowsTypes

extension Export {
  /// The same routine as another module exports it: under the name and with the arguments' names of `prototype`.
  func exported(as prototype: String, by module: String, _ convention: CallingConvention? = nil) -> Export {
    let (own, types) = (convention ?? self.convention, parameterTypes)
    let export = Export(
      prototype, module: module, own, highestIRQL, types: types, result: resultType, isImportable: true,
      stackBytes: { target in NTKernel.stackBytes(own, types.map { $0.size(in: target) }, target.width.rawValue) }, body: body)
    if case .partial(let missing) = support { return export.partially(missing) }
    return uncertainty.map { export.uncertain($0) } ?? export
  }
}

extension [Export] {
  /// The routine of that name, which this table has.
  subscript(name: String) -> Export {
    guard let export = first(where: { $0.name == name }) else { preconditionFailure("the table has no \(name)") }
    return export
  }
}

/// Memory that is read by offset: a structure of a driver kit's whose few members a port driver looks at.
struct Words {
  let base: UInt64
  let memory: GuestMemory

  /// The 32-bit word at an offset.
  subscript(offset: UInt64) -> UInt64 { get throws { UInt64(try memory.load(UInt32.self, at: base &+ offset)) } }
  func byte(_ offset: UInt64) throws -> UInt8 { try memory.load(UInt8.self, at: base &+ offset) }
  func half(_ offset: UInt64) throws -> UInt16 { try memory.load(UInt16.self, at: base &+ offset) }
  func set(_ offset: UInt64, _ value: UInt64) throws { try memory.store(UInt32(truncatingIfNeeded: value), at: base &+ offset) }
  func set(byte value: UInt8, at offset: UInt64) throws { try memory.store(value, at: base &+ offset) }
  /// Each word in its place.
  func set(_ values: [UInt64: UInt64]) throws { for (offset, value) in values { try set(offset, value) } }
}

/// What a port driver's functional device has in front of its extension's own part.
struct PortDevice {
  /// The device below, the physical device, whether it is started, and the port's own word.
  static let (lower, physical, isStarted, context): (UInt64, UInt64, UInt64, UInt64) = (0, 4, 8, 0xc)
  static let size: UInt32 = 0x20
}

/// What port and class drivers do for the drivers that link to them.
extension Kernel {
  func words(_ base: UInt64) -> Words { Words(base: base, memory: memory.memory) }
  /// ``PortDevice`` in a device's extension, at whose start it lies unless the class driver's own structure does.
  func words(of device: Pointer<DEVICE_OBJECT>, at offset: UInt64 = 0) throws -> Words {
    words(try device.DeviceExtension.load().address + offset)
  }

  /// Calls a routine of the kernel's as a driver would.
  @discardableResult
  func nt(_ name: String, _ arguments: UInt64...) async throws -> UInt64 {
    try await call(trapAddress(of: name), arguments) & 0xffff_ffff
  }

  /// Calls a driver's routine, and takes what it returns for a status.
  func status(of routine: UInt64, _ arguments: UInt64...) async throws -> NTSTATUS {
    NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(routine, arguments)))
  }

  /// A view of device registers that is the port driver's: no miniport is blamed for leaving it.
  func mapForPort(_ physical: UInt64, _ size: UInt64) throws -> UInt64 {
    let address = try mapDeviceMemory(physical, size)
    unregister(Self.deviceMapping, address & ~0xfff)
    return address
  }

  /// Takes such a view back; a port's number, and what is no view, is left alone.
  func unmapForPort(_ address: UInt64) throws {
    guard let view = hardware.deviceViews[address & ~0xfff] else { return }
    try unmapDeviceMemory(address, UInt64(view.pages) << GuestMemory.pageShift)
  }

  /// Gives a driver the routines of its port driver, by their names in `module`.
  func adopt(
    _ driver: Pointer<DRIVER_OBJECT>, by module: String, dispatch: String, _ majors: [IRP_MJ], addDevice: String?, unload: String?
  ) throws {
    func routine(_ name: String) -> UInt64 { trapAddress(of: name, in: module) }
    let here = memory.memory
    for major in majors { try driver.MajorFunction[Int(major.rawValue)].store(Pointer(routine(dispatch), in: here)) }
    if let addDevice { try driver.DriverExtension.load().AddDevice.store(Pointer(routine(addDevice), in: here)) }
    if let unload { try driver.DriverUnload.store(Pointer(routine(unload), in: here)) }
  }

  /// What a port driver keeps of a driver: memory that goes with the driver object; `nil` where there is none yet.
  func portData(of driver: Pointer<DRIVER_OBJECT>, _ module: String) throws -> Words? {
    let block = try driverExtension(driver, portKey(module))
    return block.isNull ? nil : words(block.address)
  }

  /// The same, made and zeroed where it is not there.
  func makePortData(of driver: Pointer<DRIVER_OBJECT>, _ module: String, size: UInt32) throws -> Words? {
    if let known = try portData(of: driver, module) { return known }
    let result = Pointer<Pointer<Void>>(try allocate(8), in: memory.memory)
    defer { free(result.address) }
    guard try allocateDriverExtension(driver, portKey(module), size, result).isSuccess else { return nil }
    return words(try result.load().address)
  }

  /// A number that no driver chooses for its own extension: where the module's first routine stands.
  private func portKey(_ module: String) -> UInt64 {
    exports.exports.firstIndex { $0.module == module }.map { trapAddresses[$0] } ?? 0
  }

  /// AddDevice of a port driver: a functional device over `physical`, with `size` bytes of extension behind ``PortDevice``'s.
  func addPortDevice(
    _ driver: Pointer<DRIVER_OBJECT>, over physical: Pointer<DEVICE_OBJECT>, type: UInt32, size: UInt32, name: String? = nil,
    head: UInt64 = 0
  ) async throws -> (status: NTSTATUS, device: Pointer<DEVICE_OBJECT>) {
    let none = Pointer<DEVICE_OBJECT>(0, in: memory.memory)
    // FILE_DEVICE_SECURE_OPEN
    let made = try createDevice(
      driver, extensionSize: UInt32(head) + PortDevice.size + size, name: name, type: type, characteristics: 0x100, isExclusive: false)
    guard case .success(let device) = made else {
      if case .failure(let refusal) = made { return (refusal.status, none) }
      return (.insufficientResources, none)
    }
    let lower = try attach(device, to: physical)
    guard !lower.isNull else {
      try await deleteDevice(device)
      return (.noSuchDevice, none)
    }
    try words(of: device, at: head).set([PortDevice.lower: lower.address, PortDevice.physical: physical.address])
    try device.Flags.store(device.Flags.load().subtracting(.deviceInitializing))
    return (.success, device)
  }

  /// Sends a request on to the device below, which has this one's stack location.
  func passDown(_ irp: Pointer<IRP>, from device: Pointer<DEVICE_OBJECT>, head: UInt64 = 0) async throws -> NTSTATUS {
    let lower = try words(of: device, at: head)[PortDevice.lower]
    return try await passDown(irp, to: Pointer(lower, in: memory.memory))
  }

  /// `IoSkipCurrentIrpStackLocation` and `IoCallDriver`
  func passDown(_ irp: Pointer<IRP>, to lower: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS {
    let current = irp.Tail.Overlay.CurrentStackLocation
    try irp.CurrentLocation.store(irp.CurrentLocation.load() &+ 1)
    try current.store(current.load().advanced(by: 1))
    return try await callDriver(lower, irp)
  }

  /// A request of the Plug and Play or the power manager's, or one that opens or closes a port driver's functional device.
  ///
  /// - Parameters:
  ///   - start: once the devices below have started.
  ///   - stop: before the device stops or goes, if it has started.
  func dispatchPort(
    _ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>, start: () async throws -> NTSTATUS, stop: () async throws -> Void
  ) async throws -> NTSTATUS {
    let location = try irp.Tail.Overlay.CurrentStackLocation.load()
    let (major, minor) = (try location.MajorFunction.load(), try location.MinorFunction.load())
    let data = try words(of: device)
    func halt() async throws {
      guard try data[PortDevice.isStarted] != 0 else { return }
      try data.set(PortDevice.isStarted, 0)
      try await stop()
    }
    switch (major, minor) {
    case (.pnp, 0):
      let lower = Pointer<DEVICE_OBJECT>(try data[PortDevice.lower], in: memory.memory)
      guard try await forward(irp, to: lower), case let below = try irp.IoStatus.Status.load(), below.isSuccess else {
        let status = try irp.IoStatus.Status.load()
        try await complete(irp, status.isSuccess ? .unsuccessful : status, 0)
        return status
      }
      let status = try await start()
      if status.isSuccess { try data.set(PortDevice.isStarted, 1) }
      try await complete(irp, status, 0)
      return status
    case (.pnp, 2):
      try await halt()
      let lower = Pointer<DEVICE_OBJECT>(try data[PortDevice.lower], in: memory.memory)
      try irp.IoStatus.Status.store(.success)
      let status = try await passDown(irp, from: device)
      try await detach(from: lower)
      try await deleteDevice(device)
      return status
    case (.pnp, 1), (.pnp, 3), (.pnp, 5), (.pnp, 6), (.pnp, 4), (.pnp, 0x17):
      if minor == 4 || minor == 0x17 { try await halt() }
      try irp.IoStatus.Status.store(.success)
      return try await passDown(irp, from: device)
    case (.pnp, _), (.power, _), (.systemControl, _): return try await passDown(irp, from: device)
    case (.create, _), (.close, _), (.cleanup, _):
      try await complete(irp, .success, 0)
      return .success
    default:
      try await complete(irp, .invalidDeviceRequest, 0)
      return .invalidDeviceRequest
    }
  }
}
