import Guest
import WindowsTypes

/// Cancelling, and the queue of a device that takes one request at a time.
extension Kernel {
  /// `IoCancelIrp` (nf-wdm-iocancelirp): calls the cancel routine, if there is one, at DISPATCH_LEVEL with the cancel lock held.
  ///
  /// A request that is complete is bugcheck 0x48, CANCEL_STATE_IN_COMPLETED_IRP.
  package func cancel(_ irp: Pointer<IRP>) async throws -> Bool {
    let old = try raiseIRQL(to: .dispatch)
    try irp.Cancel.store(1)
    let routine = try irp.CancelRoutine.load().address
    try irp.CancelRoutine.store(Pointer(0, in: memory.memory))
    guard routine != 0 else {
      try lowerIRQL(to: old)
      // An input device of the run's own has no routine in guest memory.
      return try await cancelInput(irp)
    }
    guard try irp.CurrentLocation.load() <= irp.StackCount.load() &+ 1 else {
      throw BugCheck(BugCheckCode(rawValue: 0x48), irp.address, routine)
    }
    try irp.CancelIrql.store(old)
    let device = try irp.Tail.Overlay.CurrentStackLocation.load().DeviceObject.load()
    _ = try await call(routine, [device.address, irp.address])
    if try kpcr.Irql.load() != old {
      report(violation: "a cancel routine returned without releasing the cancel spin lock")
      try lowerIRQL(to: old)
    }
    return true
  }

  /// `IoStartPacket` (nf-ntifs-iostartpacket).
  func startPacket(
    _ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>, _ key: UInt32?, cancelRoutine: UInt64
  ) async throws {
    let old = try raiseIRQL(to: .dispatch)
    if cancelRoutine != 0 { try irp.CancelRoutine.store(Pointer(cancelRoutine, in: memory.memory)) }
    let entry = irp.Tail.Overlay.DeviceQueueEntry
    if try device.DeviceQueue.Busy.load() == 0 {
      try device.DeviceQueue.Busy.store(1)
      try entry.Inserted.store(0)
      try device.CurrentIrp.store(irp)
      _ = try await call(device.DriverObject.load().DriverStartIo.load().address, [device.address, irp.address])
    } else {
      try entry.Inserted.store(1)
      try entry.SortKey.store(key ?? 0)
      try device.DeviceQueue.DeviceListHead.insertTail(entry.DeviceListEntry)
    }
    try lowerIRQL(to: old)
  }

  /// `IoStartNextPacket` (nf-ntifs-iostartnextpacket).
  func startNextPacket(_ device: Pointer<DEVICE_OBJECT>) async throws {
    let null = Pointer<IRP>(0, in: memory.memory)
    try device.CurrentIrp.store(null)
    guard let first = try device.DeviceQueue.DeviceListHead.removeHead() else {
      return try device.DeviceQueue.Busy.store(0)
    }
    let entry: Pointer<KDEVICE_QUEUE_ENTRY> = first.container(\.DeviceListEntry)
    try entry.Inserted.store(0)
    let irp = Pointer<IRP>(
      entry.address - UInt64(IRP.layouts[memory.target].Tail.offset), in: memory.memory)
    try device.CurrentIrp.store(irp)
    _ = try await call(device.DriverObject.load().DriverStartIo.load().address, [device.address, irp.address])
  }
}
