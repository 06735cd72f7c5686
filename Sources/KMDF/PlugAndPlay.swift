import Guest
import NTKernel
import WindowsTypes

/// `WDF_PNPPOWER_EVENT_CALLBACKS` (ns-wdfdevice-_wdf_pnppower_event_callbacks), read.
struct PlugAndPlayCallbacks {
  private var routines: [UInt64: GuestWord] = [:]

  init() {}

  init(_ place: UInt64, _ kernel: Kernel) throws {
    let size = UInt64(try kernel.memory.memory.load(UInt32.self, at: place))
    for offset in stride(from: 4, to: min(size, 0x48), by: 4) {
      routines[offset] = try GuestWord.load(kernel.memory.memory, at: place + offset)
    }
  }

  private func routine(_ offset: UInt64) -> GuestWord { routines[offset] ?? 0 }
  var d0Entry: GuestWord { routine(0x04) }
  var d0EntryPostInterruptsEnabled: GuestWord { routine(0x08) }
  var d0Exit: GuestWord { routine(0x0c) }
  var d0ExitPreInterruptsDisabled: GuestWord { routine(0x10) }
  var prepareHardware: GuestWord { routine(0x14) }
  var releaseHardware: GuestWord { routine(0x18) }
  var selfManagedIoCleanup: GuestWord { routine(0x1c) }
  var selfManagedIoFlush: GuestWord { routine(0x20) }
  var selfManagedIoInit: GuestWord { routine(0x24) }
  var selfManagedIoSuspend: GuestWord { routine(0x28) }
  var selfManagedIoRestart: GuestWord { routine(0x2c) }
  var surpriseRemoval: GuestWord { routine(0x30) }
  var queryRemove: GuestWord { routine(0x34) }
  var queryStop: GuestWord { routine(0x38) }
}

/// Where a device is between being added and being removed.
struct PlugAndPlayProgress {
  var isPrepared = false
  var isInD0 = false
  /// Whether `EvtDeviceSelfManagedIoInit` has been called, which happens once.
  var hasInitializedIo = false
}

/// The handle that a driver asks for its hardware resources: a device of the root has none.
final class ResourceList: FrameworkObject {}

/// `WDF_POWER_DEVICE_STATE`
enum PowerState { static let (d3, d3Final) = (UInt64(4), UInt64(5)) }

/// The framework's plug-and-play and power work, in the order of "PnP and Power Management Scenarios" of the driver documentation.
extension Kernel {
  func plugAndPlay(_ device: Device, _ irp: Pointer<IRP>, over below: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS {
    let minor = try irp.Tail.Overlay.CurrentStackLocation.load().MinorFunction.load()
    let callbacks = device.setup.plugAndPlay
    switch minor {
    case 0:  // IRP_MN_START_DEVICE: the bus first.
      guard try await forward(irp, to: below) else { break }
      var status = try irp.IoStatus.Status.load()
      if status.isSuccess { status = try await start(device) }
      try await complete(irp, status, 0)
      return status
    case 1, 5:  // IRP_MN_QUERY_REMOVE_DEVICE, IRP_MN_QUERY_STOP_DEVICE
      if case let status = try await asked(minor == 1 ? callbacks.queryRemove : callbacks.queryStop, device), !status.isSuccess {
        try await complete(irp, status, 0)
        return status
      }
      try irp.IoStatus.Status.store(.success)
    case 4:  // IRP_MN_STOP_DEVICE
      try await stop(device, PowerState.d3)
      try irp.IoStatus.Status.store(.success)
    case 0x17:  // IRP_MN_SURPRISE_REMOVAL
      try await notify(callbacks.surpriseRemoval, [device.handle.bits])
      try await stop(device, PowerState.d3Final)
      try irp.IoStatus.Status.store(.success)
    case 2:  // IRP_MN_REMOVE_DEVICE: the device goes with it.
      try await end(device)
      try irp.IoStatus.Status.store(.success)
      let status = try await skip(irp, to: below)
      try await delete(device)
      return status
    case 7:  // IRP_MN_QUERY_DEVICE_RELATIONS: BusRelations of a bus.
      let type = try irp.Tail.Overlay.CurrentStackLocation.load().Parameters.QueryDeviceRelations.Type.load()
      if type == 0, device.isBus {
        try await relate(presentChildren(of: device).map(\.object.address), in: irp)
      }
    case 8:  // IRP_MN_QUERY_INTERFACE
      if try await answerInterface(device, irp.Tail.Overlay.CurrentStackLocation.load()) { try irp.IoStatus.Status.store(.success) }
    default: break
    }
    return try await skip(irp, to: below)
  }

  /// What a callback that may refuse says.
  func asked(_ routine: GuestWord, _ device: Device) async throws -> NTSTATUS {
    guard routine.bits != 0 else { return .success }
    return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await notify(routine, [device.handle.bits])))
  }

  /// What IRP_MN_REMOVE_DEVICE comes to before the device goes.
  func end(_ device: Device) async throws {
    try await stop(device, PowerState.d3Final)
    if device.progress.hasInitializedIo {
      try await notify(device.setup.plugAndPlay.selfManagedIoFlush, [device.handle.bits])
      try await notify(device.setup.plugAndPlay.selfManagedIoCleanup, [device.handle.bits])
    }
    device.progress.hasInitializedIo = false
    try await setInterfaces(of: device, areEnabled: false)
  }

  /// `IoSkipCurrentIrpStackLocation` and `IoCallDriver`
  func skip(_ irp: Pointer<IRP>, to below: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS {
    let location = try irp.Tail.Overlay.CurrentStackLocation.load()
    try irp.CurrentLocation.store(irp.CurrentLocation.load() &+ 1)
    try irp.Tail.Overlay.CurrentStackLocation.store(location.advanced(by: 1))
    return try await pass(irp, to: below)
  }

  func start(_ device: Device) async throws -> NTSTATUS {
    let callbacks = device.setup.plugAndPlay
    func step(_ routine: GuestWord, _ arguments: [UInt64]) async throws -> NTSTATUS {
      guard routine.bits != 0 else { return .success }
      return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await notify(routine, arguments)))
    }
    let own = device.handle.bits
    device.progress.isPrepared = true
    var status = try await step(callbacks.prepareHardware, [own, resources(of: device), resources(of: device)])
    guard status.isSuccess else { return status }
    device.progress.isInD0 = true
    status = try await step(callbacks.d0Entry, [own, PowerState.d3Final])
    guard status.isSuccess else { return status }
    status = try await step(callbacks.d0EntryPostInterruptsEnabled, [own, PowerState.d3Final])
    guard status.isSuccess else { return status }
    for list in device.childLists where list.configuration.scan.bits != 0 {
      try await notify(list.configuration.scan, [list.handle.bits])
    }
    status = try await step(device.progress.hasInitializedIo ? callbacks.selfManagedIoRestart : callbacks.selfManagedIoInit, [own])
    device.progress.hasInitializedIo = true
    if status.isSuccess { try await setInterfaces(of: device, areEnabled: true) }
    return status
  }

  func stop(_ device: Device, _ state: UInt64) async throws {
    let (callbacks, own) = (device.setup.plugAndPlay, device.handle.bits)
    if device.progress.isInD0 {
      if device.progress.hasInitializedIo { try await notify(callbacks.selfManagedIoSuspend, [own]) }
      try await notify(callbacks.d0ExitPreInterruptsDisabled, [own, state])
      try await notify(callbacks.d0Exit, [own, state])
    }
    device.progress.isInD0 = false
    if state == PowerState.d3Final { try await setInterfaces(of: device, areEnabled: false) }
    if device.progress.isPrepared { try await notify(callbacks.releaseHardware, [own, resources(of: device)]) }
    device.progress.isPrepared = false
  }

  private func resources(of device: Device) throws -> UInt64 {
    if let known = device.children.first(where: { $0 is ResourceList }) { return known.handle.bits }
    let list = ResourceList(try objectBlock(), device.binding)
    try adopt(list, Attributes(), parent: device)
    return list.handle.bits
  }
}
