import Guest
import WindowsTypes

/// Power requests before Windows Vista: a device has one request for a system state and one for a device state at a time, and what
/// comes meanwhile waits until its driver calls `PoStartNextPowerIrp` ("Calling PoStartNextPowerIrp"). Later versions send each at once.
struct PowerRequests {
  /// The slot of a device that a request takes.
  struct Slot: Hashable {
    let device: UInt64
    let isSystem: Bool
  }

  /// Who is in each slot, or was last and has not been followed by `PoStartNextPowerIrp`.
  var active: Set<Slot> = []
  /// Those that wait, oldest first.
  var waiting: [Slot: [UInt64]] = [:]
}

extension Kernel {
  /// `PoCallDriver` (nf-ntifs-pocalldriver).
  package func callPowerDriver(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let location = try nextLocation(of: irp)
    guard let slot = try powerSlot(of: device, location) else { return try await callDriver(device, irp) }
    guard io.power.active.insert(slot).inserted else {
      // IoMarkIrpPending for whoever is below.
      try location.Control.store(location.Control.load().union(.pendingReturned))
      io.power.waiting[slot, default: []].append(irp.address)
      return .pending
    }
    return try await callDriver(device, irp)
  }

  /// `PoStartNextPowerIrp` (nf-ntifs-postartnextpowerirp): the current location's device takes another request of the same kind.
  func startNextPowerRequest(_ irp: Pointer<IRP>) async throws {
    let location = try irp.Tail.Overlay.CurrentStackLocation.load()
    guard let slot = try powerSlot(of: location.DeviceObject.load(), location), io.power.active.contains(slot) else { return }
    guard var queue = io.power.waiting[slot], !queue.isEmpty else {
      io.power.active.remove(slot)
      return
    }
    let next = queue.removeFirst()
    io.power.waiting[slot] = queue.isEmpty ? nil : queue
    _ = try await callDriver(Pointer(slot.device, in: memory.memory), Pointer(next, in: memory.memory))
  }

  /// A device is gone, and nothing waits there any more.
  func forgetPowerRequests(of device: Pointer<DEVICE_OBJECT>) {
    for isSystem in [true, false] {
      io.power.active.remove(PowerRequests.Slot(device: device.address, isSystem: isSystem))
      io.power.waiting[PowerRequests.Slot(device: device.address, isSystem: isSystem)] = nil
    }
  }

  /// The slot that a request takes; `nil` where it takes none: a later Windows, a request that is no IRP_MN_SET_POWER or
  /// IRP_MN_QUERY_POWER, or a driver of the kernel's own, which is ready at once.
  private func powerSlot(of device: Pointer<DEVICE_OBJECT>, _ location: Pointer<IO_STACK_LOCATION>) throws -> PowerRequests.Slot? {
    guard memory.target.system.release < .vista, try location.MajorFunction.load() == .power,
      try [2, 3].contains(location.MinorFunction.load())
    else { return nil }
    let routine = try device.DriverObject.load().MajorFunction[Int(IRP_MJ.power.rawValue)].load().address
    guard !isOwnRoutine(at: routine) else { return nil }
    return PowerRequests.Slot(device: device.address, isSystem: try location.Parameters.Power.Type.load() == 0)
  }

  /// The device at which `irp` waits for its turn.
  func powerRequest(waiting irp: Pointer<IRP>) -> Pointer<DEVICE_OBJECT>? {
    io.power.waiting.first { $0.value.contains(irp.address) }.map { Pointer($0.key.device, in: memory.memory) }
  }
}
