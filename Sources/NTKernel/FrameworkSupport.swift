import Guest
import WindowsTypes

/// A routine that guest code reached and that nobody provides: the run ends, and names it.
package struct RoutineNotProvided: Error {
  package let name: String
  package init(_ name: String) { self.name = name }
}

/// What modules that build on the I/O manager ask of it.
extension Kernel {
  /// `IoCreateDevice`, without an extension. The device, or why there is none.
  package func makeDevice(
    of driver: Pointer<DRIVER_OBJECT>, name: String?, type: UInt32, characteristics: UInt32, isExclusive: Bool
  ) throws -> (device: Pointer<DEVICE_OBJECT>?, status: NTSTATUS) {
    switch try createDevice(
      driver, extensionSize: 0, name: name, type: type, characteristics: characteristics, isExclusive: isExclusive)
    {
    case .success(let device): return (device, .success)
    case .failure(let refusal): return (nil, refusal.status)
    }
  }

  /// `IoDeleteDevice`
  package func removeDevice(_ device: Pointer<DEVICE_OBJECT>) async throws { try await deleteDevice(device) }

  /// The path of a device that has a name.
  package func path(of device: Pointer<DEVICE_OBJECT>) -> String? { io.objects[device.address]?.path }

  /// `IoAttachDeviceToDeviceStack`
  package func put(_ source: Pointer<DEVICE_OBJECT>, over target: Pointer<DEVICE_OBJECT>) throws -> Pointer<DEVICE_OBJECT> {
    try attach(source, to: target)
  }

  /// `IoDetachDevice`
  package func takeOff(_ target: Pointer<DEVICE_OBJECT>) async throws { try await detach(from: target) }

  /// `IoCreateSymbolicLink`
  package func makeLink(_ link: String, to target: String) throws -> NTSTATUS {
    try makeNamespace()
    switch try place(forNew: link) {
    case .failure(let refusal): return refusal.status
    case .success(let path):
      try makeSymbolicLink(path, to: target)
      return .success
    }
  }

  /// `IoDeleteSymbolicLink`
  package func removeLink(_ link: String) async throws {
    guard case .found(let entry, "") = try resolve(link, followsLast: false), entry.kind == .symbolicLink else { return }
    _ = try await dereference(entry.object)
  }

  /// `IoCallDriver`
  package func pass(_ irp: Pointer<IRP>, to device: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS { try await callDriver(device, irp) }

  /// `IoCompleteRequest`
  package func complete(_ irp: Pointer<IRP>, _ status: NTSTATUS, _ information: UInt64) async throws {
    try irp.IoStatus.Status.store(status)
    try irp.IoStatus.Information.store(GuestWord(information))
    try await completeRequest(irp)
  }

  /// The MDL of a buffer whose pages are probed and locked in the current process; raises where they cannot be.
  package func lockedMDL(
    _ address: UInt64, _ length: UInt64, _ mode: KPROCESSOR_MODE, _ operation: LOCK_OPERATION
  ) throws -> Pointer<MDL>? {
    let mdl = try allocateMDL(address, length, isSecondary: false, Pointer(0, in: memory.memory))
    guard !mdl.isNull else { return nil }
    do {
      try probeAndLock(mdl, mode, operation)
    } catch {
      _ = nonPagedPool.free(mdl.address)
      throw error
    }
    return mdl
  }

  /// `MmUnlockPages` and `IoFreeMdl`
  package func release(_ mdl: Pointer<MDL>) throws {
    try unlock(mdl)
    _ = nonPagedPool.free(mdl.address)
  }

  /// `MmGetSystemAddressForMdlSafe`; `nil` where no addresses are left.
  package func systemAddress(of mdl: Pointer<MDL>) throws -> UInt64? {
    if try !mdl.MdlFlags.load().isDisjoint(with: [.mappedToSystemVA, .sourceIsNonpagedPool]) {
      return try mdl.MappedSystemVa.load().address
    }
    return try mapSystemView(of: mdl, routine: "MmMapLockedPagesSpecifyCache")
  }

  /// `KeInitializeTimerEx` and `KeInitializeDpc`
  package func prepare(_ timer: Pointer<KTIMER>) throws { try timer.initialize(.timerNotification) }
  package func prepare(_ dpc: Pointer<KDPC>, routine: UInt64, context: UInt64) throws {
    try dpc.zero()
    try dpc.Type.store(0x13)
    try dpc.Importance.store(1)
    try dpc.DeferredRoutine.store(Pointer(routine, in: memory.memory))
    try dpc.DeferredContext.store(Pointer(context, in: memory.memory))
  }

  /// `KeSetTimerEx`
  package func start(_ timer: Pointer<KTIMER>, due: Int64, period: Int32, _ dpc: Pointer<KDPC>) throws -> Bool {
    try setTimer(timer, due: due, period: period, dpc)
  }

  /// `KeCancelTimer`
  package func cancel(_ timer: Pointer<KTIMER>) throws -> Bool { try cancelTimer(timer) }

  /// `KeInsertQueueDpc`, without arguments.
  package func enqueue(_ dpc: Pointer<KDPC>) throws -> Bool { try queue(dpc, 0, 0) }

  /// `KeRemoveQueueDpc`
  package func withdraw(_ dpc: Pointer<KDPC>) throws -> Bool {
    guard let index = deferredCalls.firstIndex(of: dpc.address) else { return false }
    deferredCalls.remove(at: index)
    try kpcr.PrcbData.DpcQueueDepth.store(UInt32(deferredCalls.count))
    return true
  }

  /// `KeResetEvent`
  package func reset(_ event: Pointer<KEVENT>) throws { try event.Header.SignalState.store(0) }
}
