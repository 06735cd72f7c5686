import Guest
import WindowsTypes

/// dxgkrnl.sys, Vista's graphics kernel: what display miniports register with (dispmprt.h).
///
/// A miniport links `DxgkInitialize` from displib.lib, which has dxgkrnl loaded, opens `\Device\DxgKrnl`, and is answered
/// `IOCTL_VIDEO_DDI_FUNC_REGISTER` with the address of the routine that does the work.
extension Export {
  static let graphics: [Export] = [
    // nf-dispmprt-dxgkinitialize: DRIVER_INITIALIZATION_DATA begins with DXGKDDI_INTERFACE_VERSION, 1052h in Vista.
    export("DpiInitialize(DriverObject, RegistryPath, DriverInitializationData)", module: "dxgkrnl", irql: .passive, isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, data: GuestWord) -> NTSTATUS in
      guard !driver.isNull, path.bits != 0, data.bits != 0 else { return .invalidParameter }
      let given = kernel.words(data.bits)
      guard try given[0] >= 0x1052 else { return .revisionMismatch }
      guard let own = try kernel.makePortData(of: driver, "dxgkrnl", size: DisplayMiniport.size) else { return .insufficientResources }
      for offset in stride(from: UInt64(0), to: UInt64(DisplayMiniport.size), by: 4) { try own.set(offset, given[offset]) }
      try kernel.adopt(
        driver, by: "dxgkrnl", dispatch: "DpiDispatch",
        [.create, .close, .deviceControl, .internalDeviceControl, .pnp, .power, .systemControl],
        addDevice: "DpiAddDevice", unload: "DpiUnload")
      return .success
    }
    .partially("an adapter is added and removed, and does not start: it has no registers"),
    // nc-dispmprt-dxgkddi_add_device, nc-dispmprt-dxgkddi_remove_device.
    export("DpiAddDevice(DriverObject, PhysicalDeviceObject)", module: "dxgkrnl", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      guard let own = try kernel.portData(of: driver, "dxgkrnl") else { return .noSuchDevice }
      // FILE_DEVICE_VIDEO
      let made = try await kernel.addPortDevice(driver, over: physical, type: 0x23, size: 4)
      guard made.status.isSuccess else { return made.status }
      let place = try made.device.DeviceExtension.load().address + UInt64(PortDevice.size)
      let routine = try own[DisplayMiniport.addDevice]
      let status = routine == 0 ? NTSTATUS.success : try await kernel.status(of: routine, physical.address, place)
      guard !status.isSuccess else { return status }
      try await kernel.detach(from: Pointer(kernel.words(of: made.device)[PortDevice.lower], in: kernel.memory.memory))
      try await kernel.deleteDevice(made.device)
      return status
    },
    export("DpiDispatch(DeviceObject, Irp)", module: "dxgkrnl", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      let location = try irp.Tail.Overlay.CurrentStackLocation.load()
      if try location.MajorFunction.load() == .pnp, try location.MinorFunction.load() == 2,
        let own = try kernel.portData(of: device.DriverObject.load(), "dxgkrnl"), case let routine = try own[DisplayMiniport.removeDevice],
        routine != 0
      {
        _ = try await kernel.status(of: routine, kernel.words(of: device)[UInt64(PortDevice.size)])
      }
      // STATUS_DEVICE_CONFIGURATION_ERROR
      return try await kernel.dispatchPort(device, irp, start: { NTSTATUS(rawValue: 0xc000_0182) }, stop: {})
    },
    // nc-dispmprt-dxgkddi_unload
    export("DpiUnload(DriverObject)", module: "dxgkrnl", isImportable: false) { (kernel, driver: Pointer<DRIVER_OBJECT>) async throws in
      guard let routine = try kernel.portData(of: driver, "dxgkrnl")?[DisplayMiniport.unload], routine != 0 else { return }
      _ = try await kernel.call(routine, [])
    },
  ]
}

/// The members of `DRIVER_INITIALIZATION_DATA` (dispmprt.h) that are called.
private enum DisplayMiniport {
  static let (addDevice, removeDevice, unload): (UInt64, UInt64, UInt64) = (4, 0x10, 0x38)
  /// As far as it is kept: up to `DxgkDdiUnload`.
  static let size: UInt32 = 0x3c
}

extension Kernel {
  /// `IOCTL_VIDEO_DDI_FUNC_REGISTER` and its fellow of display-only drivers, METHOD_NEITHER: the routine's address for the caller.
  func graphicsControl(_ irp: Pointer<IRP>, _ stack: Pointer<IO_STACK_LOCATION>) throws -> Reply {
    guard try stack.Parameters.DeviceIoControl.IoControlCode.load().rawValue == 0x23_003f,
      try stack.Parameters.DeviceIoControl.OutputBufferLength.load() >= 4
    else { return Reply(.invalidDeviceRequest) }
    let result = try irp.UserBuffer.load().address
    try memory.memory.store(UInt32(truncatingIfNeeded: trapAddress(of: "DpiInitialize", in: "dxgkrnl")), at: result)
    return Reply(.success, 4)
  }
}
