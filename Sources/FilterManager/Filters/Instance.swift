import Events
import Guest
import NTKernel
import WindowsTypes

/// A volume, as the filter manager sees it: the device that it has attached to the volume's stack, and who filters there.
final class FilterVolume: FilterObject {
  let volume: Volume
  /// The filter manager's own device, on top of the stack as it was then; requests come in here.
  let device: Pointer<DEVICE_OBJECT>
  /// What that device lies on.
  let below: Pointer<DEVICE_OBJECT>
  /// From the highest altitude down.
  var instances: [Instance] = []

  init(_ object: Pointer<Void>, _ volume: Volume, device: Pointer<DEVICE_OBJECT>, below: Pointer<DEVICE_OBJECT>) {
    self.volume = volume
    self.device = device
    self.below = below
    super.init(object, name: volume.name)
  }

  override var description: String { "the volume \(name)" }
}

/// A minifilter on a volume, at an altitude.
final class Instance: FilterObject {
  let filter: Filter
  let volume: FilterVolume
  let altitude: Altitude
  /// `FLT_RELATED_OBJECTS` for its own callbacks, in guest memory.
  let related: Pointer<FLT_RELATED_OBJECTS>
  /// The callbacks of each major function that has any.
  let operations: [Registration.Operation?]

  init(
    _ object: Pointer<Void>, name: String, _ filter: Filter, on volume: FilterVolume, at altitude: Altitude,
    related: Pointer<FLT_RELATED_OBJECTS>
  ) {
    self.filter = filter
    self.volume = volume
    self.altitude = altitude
    self.related = related
    operations = (0..<256).map { filter.registration.operations[UInt8($0)] }
    super.init(object, name: name)
  }

  override var description: String { "the instance \(name) on \(volume.name)" }
}

extension Kernel {
  // MARK: Volumes

  /// The volumes of the run, attached to where they are not yet.
  func filterVolumes() throws -> [FilterVolume] {
    let manager = filterManager
    if manager.volumes.count == volumes.count { return manager.volumes }
    if manager.volumes.isEmpty { setFastIO { [unowned self] in try await filterFast($0) } }
    for volume in volumes where !manager.volumes.contains(where: { $0.volume === volume }) {
      let device = try makeFilterDevice(on: volume)
      let object = try makeFilterObject(.volume, name: volume.name, altitude: "")
      let made = FilterVolume(object, volume, device: device.own, below: device.below)
      manager.volumes.append(made)
      manager.objects[made.address] = made
      manager.volumeByDevice[device.own.address] = made
    }
    return manager.volumes
  }

  private func makeFilterDevice(on volume: Volume) throws -> (own: Pointer<DEVICE_OBJECT>, below: Pointer<DEVICE_OBJECT>) {
    let driver = try kernelDriver("\\FileSystem\\FltMgr", routine: trapAddress(of: "FltpDispatch", in: "fltMgr"))
    let own = try makeDevice(driver, type: volume.kind.volumeType)
    let below = try attach(own, to: volume.device)
    // The I/O manager prepares buffers as the top device asks for, so that asks for what the one below does.
    let kept = try below.Flags.load().intersection([.bufferedIO, .directIO])
    try own.Flags.store(own.Flags.load().subtracting(.deviceInitializing).union(kept))
    return (own, below)
  }

  /// The filter manager's volume of a pointer that a driver passes.
  func filterVolume(_ address: UInt64) -> FilterVolume? { filterManager.objects[address] as? FilterVolume }

  func instance(_ address: UInt64) -> Instance? { filterManager.objects[address] as? Instance }

  // MARK: Setting up

  /// Attaches `filter` to `volume` where its instance setup agrees (nc-fltkernel-pflt_instance_setup_callback).
  func attach(
    _ filter: Filter, to volume: FilterVolume, name: String, at altitude: Altitude, _ flags: InstanceSetupFlags
  ) async throws -> Result<Instance, Failure> {
    if try isGoing(filter) || isGoing(volume) { return .failure(Failure(.fltDeletingObject)) }
    if volume.instances.contains(where: { $0.filter === filter && $0.name.lowercased() == name.lowercased() }) {
      return .failure(Failure(.fltInstanceNameCollision))
    }
    if volume.instances.contains(where: { $0.altitude == altitude }) { return .failure(Failure(.fltInstanceAltitudeCollision)) }
    let object = try makeFilterObject(.instance, name: name, altitude: altitude.text)
    let related = Pointer<FLT_RELATED_OBJECTS>(
      try allocate(UInt64(Pointer<FLT_RELATED_OBJECTS>.size(in: memory.memory))), in: memory.memory)
    let instance = Instance(object, name: name, filter, on: volume, at: altitude, related: related)
    filterManager.objects[instance.address] = instance
    try fill(related, for: instance)
    let setup = filter.registration.instanceSetup
    if setup != 0 {
      // FLT_FILESYSTEM_TYPE is an enumeration, the device's type a DEVICE_TYPE.
      let result = try await call(
        setup, [related.address, UInt64(flags.rawValue), UInt64(volume.volume.kind.volumeType), UInt64(volume.volume.kind.filterType)])
      let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: result))
      // A warning refuses as an error does.
      if status.rawValue >> 31 != 0 {
        try await dropContexts(of: instance)
        try free(instance)
        return .failure(Failure(status))
      }
    }
    let place = volume.instances.firstIndex { $0.altitude < altitude } ?? volume.instances.count
    volume.instances.insert(instance, at: place)
    filterManager.noteInstances()
    return .success(instance)
  }

  /// Fills the objects that each callback of an instance is handed; the file is the operation's.
  func fill(_ related: Pointer<FLT_RELATED_OBJECTS>, for instance: Instance) throws {
    try related.Size.store(UInt16(Pointer<FLT_RELATED_OBJECTS>.size(in: memory.memory)))
    try related.Filter.store(instance.filter.object.cast())
    try related.Volume.store(instance.volume.object.cast())
    try related.Instance.store(instance.object.cast())
  }

  /// What starting to filter does on each volume, and mounting one for each filter: the instances that the registry does not exclude from it.
  func attachAutomatically(
    _ filter: Filter, to volumes: [FilterVolume], _ flags: InstanceSetupFlags = .automaticAttachment
  ) async throws {
    for volume in volumes {
      for instance in filter.instances.instances where !instance.flags.contains(.suppressesAutomaticAttachment) {
        let result = try await attach(filter, to: volume, name: instance.name, at: instance.altitude, flags)
        if case .failure(let failure) = result, failure.code != .fltDoNotAttach {
          stream.append(.note("\(filter.name) is not attached to \(volume.name): \(failure.code)"))
        }
      }
    }
  }

  // MARK: Tearing down

  /// `FltDetachVolume` (nf-fltkernel-fltdetachvolume): the filter may refuse.
  func detach(_ instance: Instance) async throws -> NTSTATUS {
    if try isGoing(instance) { return .fltDeletingObject }
    let query = instance.filter.registration.instanceQueryTeardown
    guard query != 0 else { return .fltDoNotDetach }
    let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(query, [instance.related.address, 0])))
    guard status.isSuccess else { return status }
    try await tearDown(instance, .manual, in: "FltDetachVolume")
    return .success
  }

  /// Takes an instance away: start, what is still under way, complete (nc-fltkernel-pflt_instance_teardown_callback).
  func tearDown(_ instance: Instance, _ reason: InstanceTeardownFlags, in routine: String) async throws {
    guard try !isGoing(instance) else { return }
    try beginRundown(instance)
    let registration = instance.filter.registration
    if registration.instanceTeardownStart != 0 {
      _ = try await call(registration.instanceTeardownStart, [instance.related.address, UInt64(reason.rawValue)])
    }
    instance.volume.instances.removeAll { $0 === instance }
    filterManager.noteInstances()
    try await drain(instance)
    try await awaitRundown(instance, in: routine)
    if registration.instanceTeardownComplete != 0 {
      _ = try await call(registration.instanceTeardownComplete, [instance.related.address, UInt64(reason.rawValue)])
    }
    try await dropContexts(of: instance)
    free(instance.related.address)
    try free(instance)
  }
}

extension FileSystemKind {
  /// `FLT_FILESYSTEM_TYPE` (`fltUserStructures.h`).
  var filterType: UInt32 {
    switch self {
    case .ntfs: 2
    case .fat, .fat32: 3
    case .cdfs: 4
    }
  }
}
