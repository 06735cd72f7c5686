import Events
import Guest
import Memory
import WindowsTypes

/// A loaded driver: its image's place, and where its `DRIVER_OBJECT` lies.
public final class Driver {
  public let name: String
  public let object: Pointer<DRIVER_OBJECT>
  /// Its image.
  public let range: Range<UInt64>
  let registryPath: Pointer<UNICODE_STRING>
  /// Routines to call again once it has started, each with its context.
  var reinitialization: [(routine: UInt64, context: UInt64)] = []
  /// Those that are called once every boot driver has started.
  var bootReinitialization: [(routine: UInt64, context: UInt64)] = []
  /// When the system started it; `nil` if it was asked to.
  var startPhase: StartOrder.Start?
  /// Unloading waits for the last handle to one of its devices.
  public internal(set) var isUnloadPending = false
  public internal(set) var isLoaded = true
  /// Whether its image counts it as a user.
  var holdsImage = false

  init(name: String, object: Pointer<DRIVER_OBJECT>, range: Range<UInt64>, registryPath: Pointer<UNICODE_STRING>) {
    self.name = name
    self.object = object
    self.range = range
    self.registryPath = registryPath
  }

  /// Whether routines wait to be called once the drivers of `phase` have started.
  public func isToBeReinitialized(after phase: StartOrder.Start) -> Bool {
    guard isLoaded else { return false }
    return phase == .boot && !bootReinitialization.isEmpty || phase == .system && !reinitialization.isEmpty
  }
}

/// Drivers from `DriverEntry` to `DriverUnload`.
extension Kernel {
  public var drivers: [Driver] { io.drivers }

  /// The loaded driver whose image holds `address`.
  package func driver(containing address: UInt64) -> Driver? { io.drivers.last { $0.isLoaded && $0.range.contains(address) } }

  /// Whether the service of that name runs; the filter manager always does.
  public func isServiceStarted(_ name: String) -> Bool {
    let wanted = FoldedName(name)
    return StandingObject.drivers.contains(wanted) || io.drivers.contains { $0.isLoaded && FoldedName($0.name) == wanted }
  }

  package func driver(at object: UInt64) -> Driver? { io.drivers.last { $0.isLoaded && $0.object.address == object } }

  /// Makes the driver object of an image that is in memory, as the I/O manager does before it calls `DriverEntry`.
  ///
  /// - Parameters:
  ///   - name: the service's name, which `\Driver` and the registry path end in.
  ///   - entry: `DriverEntry`.
  public func loadDriver(_ name: String, entry: UInt64, base: UInt64, size: UInt64, section: UInt64 = 0) throws -> Driver {
    try loadDriver(name, path: driverPath(name), entry: entry, base: base, size: size, section: section)
  }

  /// A driver object at `path`; one that is no service's has no key in the registry.
  func loadDriver(
    _ name: String, path: String, entry: UInt64, base: UInt64, size: UInt64, section: UInt64 = 0, isService: Bool = true
  ) throws -> Driver {
    try makeNamespace()
    for process in processes { try makeEnvironment(of: process) }
    if isService { makeServiceKey(name, fileName: "\(name).sys") }
    caller.address = 0
    let here = memory.memory
    let size16 = UInt64(Pointer<DRIVER_OBJECT>.size(in: here))
    let total = size16 + UInt64(Pointer<DRIVER_EXTENSION>.size(in: here))
    let object = Pointer<DRIVER_OBJECT>(try makeObject(.driver, size: total, path: path), in: here)
    let driverExtension = Pointer<DRIVER_EXTENSION>(object.address + size16, in: here)
    try object.Type.store(IOObjectType.driver.rawValue)
    try object.Size.store(Int16(size16))
    try object.DriverStart.store(Pointer(base, in: here))
    try object.DriverSize.store(UInt32(truncatingIfNeeded: size))
    try object.DriverSection.store(Pointer(section, in: here))
    try object.DriverExtension.store(driverExtension)
    try store(path, in: object.DriverName)
    let hardware = Pointer<UNICODE_STRING>(try allocate(8), in: here)
    try store("\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM", in: hardware)
    try object.HardwareDatabase.store(hardware)
    try object.DriverInit.store(Pointer(entry, in: here))
    try driverExtension.DriverObject.store(object)
    try store(name, in: driverExtension.ServiceKeyName)
    for index in 0..<IRP_MJ.count { try object.MajorFunction[index].store(Pointer(invalidDeviceRequest, in: here)) }
    let registryPath = Pointer<UNICODE_STRING>(try allocate(8), in: here)
    try store("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\\(name)", in: registryPath)
    let driver = Driver(name: name, object: object, range: base..<base + max(1, size), registryPath: registryPath)
    driver.startPhase = startPhase
    io.drivers.append(driver)
    return driver
  }

  /// The dispatch routine of what a driver does not handle.
  var invalidDeviceRequest: UInt64 { trapAddress(of: "IopInvalidDeviceRequest") }

  /// Where a routine of the kernel's own is reached.
  public func trapAddress(of name: String) -> UInt64 { exports["nt", name].map { trapAddresses[$0] } ?? 0 }

  /// Calls `DriverEntry`, then what the driver registered to be called again. A driver that fails goes.
  ///
  /// Before that the images come into memory that it imports from; after it, its own INIT section goes.
  package func start(_ driver: Driver) async throws -> NTSTATUS {
    let loaded = try await acquireImage(at: driver.range.lowerBound, isImported: false)
    guard loaded.isSuccess else {
      try await forget(driver)
      return loaded
    }
    driver.holdsImage = true
    if loader?.driverImage(at: driver.range.lowerBound) != nil, let section = try loader?.mapImage(at: driver.range.lowerBound) {
      try driver.object.DriverSection.store(section.cast())
    }
    try await notifyImage(
      imageName(of: driver), process: 0, base: driver.range.lowerBound, size: UInt64(driver.range.count), isSystem: true)
    let result = try await call(
      driver.object.DriverInit.load().address, [driver.object.address, driver.registryPath.address])
    let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: result))
    guard status.isSuccess else {
      try reportLeftovers(of: driver)
      try await forget(driver, keepsImage: true)
      return status
    }
    try fillDispatchTable(of: driver)
    // DRVO_INITIALIZED, and DRVO_LEGACY_DRIVER where it has no AddDevice.
    let isLegacy = try driver.object.DriverExtension.load().AddDevice.load().isNull
    try driver.object.Flags.store(driver.object.Flags.load() | (isLegacy ? 0x12 : 0x10))
    try loader?.discardInitialisation(ofImageAt: driver.range.lowerBound)
    // While the system starts, there is a later moment for that.
    if driver.startPhase != .boot && driver.startPhase != .system { try await reinitialize(driver) }
    return status
  }

  /// What the driver left NULL in its dispatch table is not handled; its devices are ready.
  func fillDispatchTable(of driver: Driver) throws {
    for index in 0..<IRP_MJ.count where try driver.object.MajorFunction[index].load().isNull {
      try driver.object.MajorFunction[index].store(Pointer(invalidDeviceRequest, in: memory.memory))
    }
    for device in try devices(of: driver) { try device.Flags.store(device.Flags.load().subtracting(.deviceInitializing)) }
  }

  /// Calls what the driver registered to be called again, and what that registers.
  func reinitialize(_ driver: Driver) async throws {
    let driverExtension = try driver.object.DriverExtension.load()
    let isAfterBoot = startPhase == .boot
    while !driver.bootReinitialization.isEmpty || !isAfterBoot && !driver.reinitialization.isEmpty {
      let (routine, context) =
        driver.bootReinitialization.isEmpty ? driver.reinitialization.removeFirst() : driver.bootReinitialization.removeFirst()
      let count = try driverExtension.Count.load() + 1
      try driverExtension.Count.store(count)
      _ = try await call(routine, [driver.object.address, context, UInt64(count)])
    }
  }

  /// Unloads a driver: `DriverUnload`, then a report of what it left behind.
  ///
  /// Without `DriverUnload` it is refused (nc-wdm-driver_unload); while a device of its is open or attached to, it waits.
  package func unload(_ driver: Driver) async throws -> NTSTATUS {
    let routine = try driver.object.DriverUnload.load()
    guard !routine.isNull else { return .invalidDeviceRequest }
    // DRVO_UNLOAD_INVOKED
    try driver.object.Flags.store(driver.object.Flags.load() | 1)
    guard try devices(of: driver).allSatisfy({ try $0.ReferenceCount.load() == 0 && $0.AttachedDevice.load().isNull }) else {
      driver.isUnloadPending = true
      stream.append(.note("\(driver.name) is unloaded once no device of its is open or attached to"))
      return .success
    }
    driver.isUnloadPending = false
    _ = try await call(routine.address, [driver.object.address])
    try reportLeftovers(of: driver)
    try await forget(driver)
    return .success
  }

  /// After a device was closed or detached from: unloads the drivers that wait for that.
  func unloadPendingDrivers() async throws {
    for driver in io.drivers where driver.isLoaded && driver.isUnloadPending { _ = try await unload(driver) }
  }

  /// - Parameter keepsImage: of a driver whose `DriverEntry` fails: a fixture may want its other routines.
  func forget(_ driver: Driver, keepsImage: Bool = false) async throws {
    var client = try driver.object.DriverExtension.load().ClientDriverExtension.load().address
    while client != 0 {
      let next = UInt64(try memory.memory.load(UInt32.self, at: client))
      _ = nonPagedPool.free(client)
      client = next
    }
    driver.isLoaded = false
    if driver.holdsImage { try await releaseImage(at: driver.range.lowerBound, keepsPages: keepsImage) }
    driver.holdsImage = false
    _ = try await dereference(driver.object.address)
  }

  /// A driver's devices, latest first.
  public func devices(of driver: Driver) throws -> [Pointer<DEVICE_OBJECT>] {
    var devices: [Pointer<DEVICE_OBJECT>] = []
    var device = try driver.object.DeviceObject.load()
    while !device.isNull && devices.count < 4096 {
      devices.append(device)
      device = try device.NextDevice.load()
    }
    return devices
  }

  /// The paths of the symbolic links that a driver has made.
  public func symbolicLinks(of driver: Driver) -> [String] {
    io.objects.values.filter { $0.kind == .symbolicLink && driver.range.contains($0.site.ip) }.compactMap(\.path).sorted()
  }

  /// The path of a device that has a name.
  public func path(ofDevice device: Pointer<DEVICE_OBJECT>) -> String? { io.objects[device.address]?.path }
}
