import Events
import Guest
import WindowsTypes

/// Loading and unloading drivers by their services' keys (`NtLoadDriver`, `NtUnloadDriver`).
extension Kernel {
  /// What a thread outside System has a system worker do.
  struct LoadRequest {
    let path: String
    let isUnload: Bool
    var status = NTSTATUS.pending
  }

  /// `NtLoadDriver` (nf-wdm-zwloaddriver) and `NtUnloadDriver` (nf-wdm-zwunloaddriver): done in the System process, by a worker
  /// thread where the caller is of another.
  func request(_ service: Pointer<UNICODE_STRING>, isUnload: Bool, mode: KPROCESSOR_MODE) async throws -> NTSTATUS {
    try await guarding {
      guard case .success(let path) = try captured(service, mode: mode), !path.isEmpty else { return .invalidParameter }
      if try requestor().id == 0 { return try await perform(LoadRequest(path: path, isUnload: isUnload)) }
      let event = Pointer<KEVENT>(try allocate(UInt64(Pointer<KEVENT>.size(in: memory.memory))), in: memory.memory)
      try event.Header.initialize(.eventNotification, state: 0, size: 4)
      loadRequests[event.address] = LoadRequest(path: path, isUnload: isUnload)
      try queue(WorkItem(routine: trapAddress(of: "IopLoadUnloadDriver"), arguments: [event.address]) {}, queue: 1)
      try await wait(for: event, "\(path) to be \(isUnload ? "unloaded" : "loaded")")
      let status = loadRequests.removeValue(forKey: event.address)?.status ?? .unsuccessful
      free(event.address)
      return status
    }
  }

  /// The worker's side.
  func performLoadRequest(_ event: Pointer<KEVENT>) async throws {
    guard let request = loadRequests[event.address] else { return }
    loadRequests[event.address]?.status = try await perform(request)
    try event.Header.SignalState.store(1)
    try signal(event.Header)
  }

  private func perform(_ request: LoadRequest) async throws -> NTSTATUS {
    guard let key = registry.key(at: request.path), request.path.hasPrefix("\\") else { return .objectNameNotFound }
    return request.isUnload ? try await unloadDriver(by: key) : try await loadDriver(by: key)
  }

  /// Loads the driver whose service key is `key`: its image, those that it imports from, its object, `DriverEntry`.
  func loadDriver(by key: RegistryKey) async throws -> NTSTATUS {
    // SERVICE_KERNEL_DRIVER, SERVICE_FILE_SYSTEM_DRIVER, SERVICE_RECOGNIZER_DRIVER
    guard let type = key["Type"]?.number, [1, 2, 8].contains(type) else { return .invalidParameter }
    let path = key["ImagePath"]?.text ?? ""
    let file = path.isEmpty ? key.name + ".sys" : path.split(separator: "\\").last.map(String.init) ?? ""
    // STATUS_IMAGE_ALREADY_LOADED
    guard let image = loader?.driverImage(file: file) else {
      return StandingObject.drivers.contains(FoldedName(key.name)) ? NTSTATUS(rawValue: 0xc000_010e) : .objectNameNotFound
    }
    if io.drivers.contains(where: { $0.isLoaded && $0.range.lowerBound == image.range.lowerBound }) {
      return NTSTATUS(rawValue: 0xc000_010e)
    }
    guard let entry = image.entryPoint, !image.isExportDriver else { return .invalidImageFormat }
    try makeNamespace()
    if io.namespace[driverPath(key.name)] != nil { return .objectNameCollision }
    let section = try loader?.mapImage(at: image.range.lowerBound)?.address ?? 0
    let driver = try loadDriver(
      key.name, entry: entry, base: image.range.lowerBound, size: UInt64(image.range.count), section: section)
    return try await start(driver)
  }

  private func unloadDriver(by key: RegistryKey) async throws -> NTSTATUS {
    let path = driverPath(key.name)
    guard let object = io.namespace[path]?.object, let driver = driver(at: object) else { return .objectNameNotFound }
    // DRVO_UNLOAD_INVOKED: asked for once already.
    if try driver.object.Flags.load() & 1 != 0 { return .invalidDeviceRequest }
    return try await unload(driver)
  }

  /// The name of a service's driver object: file systems have a directory of their own, and `ObjectName` chooses any.
  func driverPath(_ name: String) -> String {
    let key = serviceKey(name)
    if let path = key?["ObjectName"]?.text, path.hasPrefix("\\") { return path }
    return ([2, 8].contains(key?["Type"]?.number ?? 1) ? "\\FileSystem\\" : "\\Driver\\") + name
  }
}
