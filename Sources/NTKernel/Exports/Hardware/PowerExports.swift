import Events
import Guest
import WindowsTypes

extension Export {
  /// The power manager.
  static let power: [Export] = [
    // nf-wdm-posetpowerstate: the state before; the low four bits of PowerFlags are the system's, the next four the device's.
    export("PoSetPowerState(DeviceObject, Type, State)", irql: .dispatch) {
      (_, device: Pointer<DEVICE_OBJECT>, type: UInt32, state: UInt32) -> UInt32 in
      let flags = try device.DeviceObjectExtension.load().PowerFlags
      let shift: UInt32 = type == 0 ? 0 : 4
      let old = try flags.load()
      try flags.store(old & ~(0xf << shift) | (state & 0xf) << shift)
      return old >> shift & 0xf
    },
    // nf-wdm-porequestpowerirp: the request goes to the top of the stack, and its end to the caller's routine.
    export("PoRequestPowerIrp(DeviceObject, MinorFunction, PowerState, CompletionFunction, Context, Irp)", irql: .dispatch) {
      (
        kernel, device: Pointer<DEVICE_OBJECT>, minor: UInt8, state: UInt32, routine: GuestWord, context: GuestWord,
        result: Pointer<Pointer<IRP>>
      ) async throws -> NTSTATUS in
      try await kernel.requestPower(device, minor, state, routine.bits, context.bits, result)
    },
    // nf-ntifs-poregisterdeviceforidledetection: where the device's driver writes that it is in use; null turns detection off.
    export("PoRegisterDeviceForIdleDetection(DeviceObject, ConservationIdleTime, PerformanceIdleTime, State)", irql: .apc) {
      (kernel, device: Pointer<DEVICE_OBJECT>, conservation: UInt32, performance: UInt32, state: UInt32) -> GuestWord in
      guard conservation != 0 || performance != 0 else { return 0 }
      return GuestWord(try kernel.allocate(0x20))
    }
    .partially("the device is never found idle"),
    // nf-ntifs-poregistersystemstate: a handle, the caller's own if it has one.
    export("PoRegisterSystemState(StateHandle, Flags)", irql: .apc) { (kernel, handle: GuestWord, flags: UInt32) -> GuestWord in
      let place = handle.bits != 0 ? handle.bits : try kernel.allocate(8)
      if handle.bits == 0 { kernel.register("a registered system state", place) }
      try kernel.memory.memory.store(flags, at: place)
      return GuestWord(place)
    }
    .partially("the machine does not sleep"),
    export("PoUnregisterSystemState(StateHandle)", irql: .apc) { (kernel, handle: GuestWord) in
      if kernel.unregister("a registered system state", handle.bits) { try kernel.freePool(handle.bits) }
    },
    export("PoSetSystemState(Flags)", irql: .dispatch) { (_, flags: UInt32) in }.partially("the machine does not sleep"),
    // The completion routine of what PoRequestPowerIrp sent.
    export("PopRequestCompletion(DeviceObject, Irp, Context)", isImportable: false) {
      (kernel, device: GuestWord, irp: Pointer<IRP>, context: Pointer<GuestWord>) async throws -> NTSTATUS in
      let words = try (0..<5).map { try context[$0].load().bits }
      if words[0] != 0 {
        _ = try await kernel.call(words[0], [words[2], words[3], words[4], words[1], irp.IoStatus.address])
      }
      try kernel.freePool(context.address)
      try kernel.freeIRP(irp)
      return .moreProcessingRequired
    },
  ]
}

extension Kernel {
  fileprivate func requestPower(
    _ device: Pointer<DEVICE_OBJECT>, _ minor: UInt8, _ state: UInt32, _ routine: UInt64, _ context: UInt64, _ result: Pointer<Pointer<IRP>>
  ) async throws -> NTSTATUS {
    let here = memory.memory
    // IRP_MN_WAIT_WAKE, IRP_MN_SET_POWER, IRP_MN_QUERY_POWER.
    guard [0, 2, 3].contains(minor) else { return .invalidParameter2 }
    let top = try topDevice(device)
    let irp = try allocateIRP(stackSize: top.StackSize.load())
    guard !irp.isNull else { return .insufficientResources }
    let record = Pointer<GuestWord>(try allocate(0x14), in: here)
    for (index, word) in [routine, context, device.address, UInt64(minor), UInt64(state)].enumerated() {
      try record[index].store(GuestWord(word))
    }
    let location = try nextLocation(of: irp)
    try location.MajorFunction.store(.power)
    try location.MinorFunction.store(minor)
    let power = location.Parameters.Power
    if minor == 0 {
      // Parameters.WaitWake.PowerState
      try power.SystemContext.store(state)
    } else {
      // DevicePowerState
      try power.Type.store(1)
      try power.State.store(state)
    }
    try location.CompletionRoutine.store(Pointer(trapAddress(of: "PopRequestCompletion"), in: here))
    try location.Context.store(Pointer(record.address, in: here))
    try location.Control.store([.invokeOnSuccess, .invokeOnError, .invokeOnCancel])
    try irp.IoStatus.Status.store(.notSupported)
    if !result.isNull { try result.store(irp) }
    _ = try await callPowerDriver(top, irp)
    return .pending
  }
}
