import Events
import Guest
import NTKernel
import WindowsTypes

/// A minifilter: what its driver has registered, read when it did.
package final class Filter: FilterObject {
  package let driver: Driver
  let registration: Registration
  let instances: InstanceKeys
  package private(set) var isStarted = false
  /// It is being unloaded because its service stops.
  var isMandatory = false
  /// Where the driver registered it.
  let site: Site
  /// What else must be taken down with the filter, in the order in which it was added: called once by `FltUnregisterFilter`,
  /// before it waits for references.
  private var teardown: [() async throws -> Void] = []

  init(_ object: Pointer<Void>, driver: Driver, _ registration: Registration, _ instances: InstanceKeys, site: Site) {
    self.driver = driver
    self.registration = registration
    self.instances = instances
    self.site = site
    super.init(object, name: driver.name)
  }

  override var description: String { "the filter \(name)" }

  func start() { isStarted = true }

  /// Adds something that ends with the filter, such as its ports.
  package func onUnregister(_ body: @escaping () async throws -> Void) { teardown.append(body) }

  func takeTeardown() -> [() async throws -> Void] {
    defer { teardown = [] }
    return teardown
  }
}

extension Kernel {
  /// `FltRegisterFilter` (nf-fltkernel-fltregisterfilter).
  func registerFilter(
    _ object: Pointer<DRIVER_OBJECT>, _ record: Pointer<FLT_REGISTRATION>, _ result: Pointer<Pointer<FLT_FILTER>>
  ) throws -> NTSTATUS {
    guard let driver = driver(at: object.address) else {
      stream.append(.note("FltRegisterFilter fails: \(hex(object.address)) is no driver object"))
      return .invalidParameter
    }
    func refuse(_ status: NTSTATUS, _ reason: String) -> NTSTATUS {
      stream.append(.note("FltRegisterFilter of \(driver.name) fails: \(reason)"))
      return status
    }
    guard filterManager.isUp else { return refuse(.fltNotInitialized, "the filter manager has not started") }
    var refusal = ""
    guard let registration = try Registration(record, refusal: &refusal) else { return refuse(.invalidParameter, refusal) }
    let (size, expected) = (try record.Size.load(), Registration.size(ofVersion: try record.Version.load()))
    if size != expected {
      report(
        violation: "FLT_REGISTRATION.Size of \(driver.name) is 0x\(hex(UInt64(size), digits: 2)); for its version it is to be "
          + "0x\(hex(UInt64(expected), digits: 2)) (nobody looks at it)")
    }
    let keys: InstanceKeys
    switch try instanceKeys(of: driver) {
    case .failure(let failure): return refuse(failure.code, failure.reason)
    case .success(let found): keys = found
    }
    let manager = filterManager
    if let other = manager.filters.first(where: { $0.instances.altitude == keys.altitude }) {
      return refuse(.fltInstanceAltitudeCollision, "\(other.name) has registered at altitude \(keys.altitude.text)")
    }
    let place = try makeFilterObject(.filter, name: driver.name, altitude: keys.altitude.text)
    let filter = Filter(place, driver: driver, registration, keys, site: site())
    try filter.head.DriverObject.store(object)
    manager.filters.append(filter)
    manager.objects[filter.address] = filter
    register(Self.filterRegistration, filter.address)
    // The filter manager's own routine stands in for the driver's; without one the service cannot be stopped.
    let canStop = registration.unload != 0 && !registration.flags.contains(.doNotSupportServiceStop)
    try object.DriverUnload.store(
      Pointer(canStop ? trapAddress(of: "FltpMiniFilterDriverUnload", in: "fltMgr") : 0, in: memory.memory))
    try result.store(place.cast())
    return .success
  }

  static let filterRegistration = "its registration with the filter manager"

  /// `FltStartFiltering` (nf-fltkernel-fltstartfiltering).
  func startFiltering(_ filter: Filter) async throws -> NTSTATUS {
    if try isGoing(filter) { return .fltDeletingObject }
    guard !filter.isStarted else {
      stream.append(.note("FltStartFiltering of \(filter.name) fails: it has started already"))
      return .invalidParameter
    }
    filter.start()
    try await attachAutomatically(filter, to: filterVolumes())
    return .success
  }

  /// `FltUnregisterFilter` (nf-fltkernel-fltunregisterfilter).
  func unregister(_ filter: Filter) async throws {
    guard try !isGoing(filter) else { return report(violation: "\(filter.description) is unregistered while it is going already") }
    try beginRundown(filter)
    for body in filter.takeTeardown() { try await body() }
    let reason: InstanceTeardownFlags = filter.isMandatory ? .mandatoryFilterUnload : .filterUnload
    for instance in filterManager.volumes.flatMap(\.instances) where instance.filter === filter {
      try await tearDown(instance, reason, in: "FltUnregisterFilter")
    }
    try await dropContexts(of: filter)
    try await awaitRundown(filter, in: "FltUnregisterFilter")
    unregister(Self.filterRegistration, filter.address)
    filterManager.filters.removeAll { $0 === filter }
    try free(filter)
  }

  /// What a pointer that a driver passes as a filter means. What is none is said, and then nothing more is done with it.
  func filter(_ pointer: Pointer<FLT_FILTER>, in routine: String) throws -> Filter? {
    if let filter = filterManager.filter(at: pointer.address) { return filter }
    // As the routine itself would: a pointer to nowhere faults.
    _ = try pointer.cast(to: UInt32.self).load()
    report(violation: "\(routine) is called with \(hex(pointer.address)), which is no filter (or no longer one)")
    return nil
  }

  // MARK: Unloading

  /// The service is stopped (`isMandatory`), or `FltUnloadFilter` asks: calls `FilterUnloadCallback`, whose refusal counts in the
  /// latter case alone (nc-fltkernel-pflt_filter_unload_callback).
  func askToUnload(_ filter: Filter, isMandatory: Bool) async throws -> NTSTATUS {
    let routine = filter.registration.unload
    filter.isMandatory = isMandatory
    let flags: UInt64 = isMandatory ? 1 : 0  // FLTFL_FILTER_UNLOAD_MANDATORY
    let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(routine, [flags])))
    if !status.isSuccess, !isMandatory { return status }
    if !status.isSuccess {
      stream.append(.note("FilterUnloadCallback of \(filter.name) returned \(status), which a mandatory unload ignores"))
    }
    if filterManager.filter(at: filter.address) === filter {
      report(
        violation: "FilterUnloadCallback of \(filter.name) returned \(status) and did not call FltUnregisterFilter",
        at: Site(ip: routine))
    }
    return .success
  }

  /// `FltUnloadFilter` (nf-fltkernel-fltunloadfilter): what `fltmc unload` comes to.
  package func unloadFilter(named name: String) async throws -> NTSTATUS {
    guard let filter = filterManager.filters.first(where: { $0.name.lowercased() == name.lowercased() }) else {
      return .fltFilterNotFound
    }
    guard filter.registration.unload != 0 else { return .fltDoNotDetach }
    let status = try await askToUnload(filter, isMandatory: false)
    guard status.isSuccess else { return status }
    let trap = trapAddress(of: "FltpMiniFilterDriverUnload", in: "fltMgr")
    try filter.driver.object.DriverUnload.store(Pointer(trap, in: memory.memory))
    return try await unload(filter.driver)
  }
}
