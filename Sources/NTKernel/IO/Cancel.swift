import Guest
import WindowsTypes

/// Cancelling.
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
}
