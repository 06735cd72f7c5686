import Guest
import WindowsTypes

extension Export {
  /// A driver's own life.
  static let drivers: [Export] = [
    // nf-ntddk-ioregisterdriverreinitialization
    export("IoRegisterDriverReinitialization(DriverObject, DriverReinitializationRoutine, Context)") {
      (kernel, driver: Pointer<DRIVER_OBJECT>, routine: GuestWord, context: GuestWord) in
      kernel.driver(at: driver.address)?.reinitialization.append((routine.bits, context.bits))
    },
    // nf-ntddk-ioregisterbootdriverreinitialization
    export("IoRegisterBootDriverReinitialization(DriverObject, DriverReinitializationRoutine, Context)") {
      (kernel, driver: Pointer<DRIVER_OBJECT>, routine: GuestWord, context: GuestWord) in
      kernel.driver(at: driver.address)?.bootReinitialization.append((routine.bits, context.bits))
    }
    .uncertain("the routine of a driver that is not started at boot is called once its DriverEntry has returned"),
    // nf-wdm-ioallocatedriverobjectextension
    export(
      "IoAllocateDriverObjectExtension(DriverObject, ClientIdentificationAddress, DriverObjectExtensionSize, DriverObjectExtension)",
      irql: .apc
    ) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, key: GuestWord, size: UInt32, result: Pointer<Pointer<Void>>) -> NTSTATUS in
      try kernel.allocateDriverExtension(driver, key.bits, size, result)
    },
    // nf-wdm-iogetdriverobjectextension
    export("IoGetDriverObjectExtension(DriverObject, ClientIdentificationAddress)", irql: .dispatch) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, key: GuestWord) -> Pointer<Void> in
      try kernel.driverExtension(driver, key.bits)
    },
    // nf-wdm-ioregistershutdownnotification
    export("IoRegisterShutdownNotification(DeviceObject)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>) -> NTSTATUS in
      kernel.register(Kernel.shutdownNotification, device.address)
      try device.Flags.store(device.Flags.load().union(.shutdownRegistered))
      return .success
    },
    // nf-ntifs-ioregisterlastchanceshutdownnotification
    export("IoRegisterLastChanceShutdownNotification(DeviceObject)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>) -> NTSTATUS in
      kernel.register(Kernel.lastChanceNotification, device.address)
      try device.Flags.store(device.Flags.load().union(.shutdownRegistered))
      return .success
    },
    // nf-wdm-iounregistershutdownnotification
    export("IoUnregisterShutdownNotification(DeviceObject)", irql: .passive) { (kernel, device: Pointer<DEVICE_OBJECT>) in
      kernel.unregisterShutdown(of: device)
      try device.Flags.store(device.Flags.load().subtracting(.shutdownRegistered))
    },
    // nf-wdm-mmgetsystemroutineaddress: the kernel's and the HAL's exports alone, variables among them.
    export("MmGetSystemRoutineAddress(SystemRoutineName)", irql: .passive) {
      (kernel, name: Pointer<UNICODE_STRING>) -> Pointer<Void> in
      Pointer(try kernel.systemRoutine(name.string()), in: kernel.memory.memory)
    },
  ]

  /// What only the I/O manager itself leads to.
  static let ioInternals: [Export] = [
    // The dispatch routine of a major function that a driver does not handle.
    export("IopInvalidDeviceRequest(DeviceObject, Irp)", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try irp.IoStatus.Status.store(.invalidDeviceRequest)
      try irp.IoStatus.Information.store(0)
      try await kernel.completeRequest(irp)
      return .invalidDeviceRequest
    },
    // What the I/O manager does once a phase of starting is over.
    export("IopReinitializeDriver(DriverObject)", isImportable: false) {
      (kernel, object: Pointer<DRIVER_OBJECT>) async throws -> NTSTATUS in
      guard let driver = kernel.driver(at: object.address) else { return .objectNameNotFound }
      try await kernel.reinitialize(driver)
      return .success
    },
    // What a system worker does for a thread of another process.
    export("IopLoadUnloadDriver(LoadPacket)", isImportable: false) { (kernel, event: Pointer<KEVENT>) async throws in
      try await kernel.performLoadRequest(event)
    },
    // What the service control manager asks for by NtLoadDriver and NtUnloadDriver.
    export("IopLoadDriver(DriverObject)", isImportable: false) {
      (kernel, object: Pointer<DRIVER_OBJECT>) async throws -> NTSTATUS in
      guard let driver = kernel.driver(at: object.address) else { return .objectNameNotFound }
      return try await kernel.start(driver)
    },
    export("IopUnloadDriver(DriverObject)", isImportable: false) {
      (kernel, object: Pointer<DRIVER_OBJECT>) async throws -> NTSTATUS in
      guard let driver = kernel.driver(at: object.address) else { return .objectNameNotFound }
      return try await kernel.unload(driver)
    },
  ]
}

extension Export {
  /// Drivers loaded by name.
  static let driverLoading: [Export] = ["Nt", "Zw"].flatMap { prefix in
    [
      // nf-wdm-zwloaddriver
      loading("\(prefix)LoadDriver", isUnload: false),
      // nf-wdm-zwunloaddriver
      loading("\(prefix)UnloadDriver", isUnload: true),
    ]
  }

  private static func loading(_ name: String, isUnload: Bool) -> Export {
    let isKernel = name.hasPrefix("Zw")
    return export("\(name)(DriverServiceName)", irql: .passive, isImportable: isKernel) {
      (kernel, service: Pointer<UNICODE_STRING>) async throws -> NTSTATUS in
      try await kernel.request(service, isUnload: isUnload, mode: isKernel ? .kernelMode : kernel.previousMode())
    }
    .partially("a user's privilege to load drivers is not asked for")
  }
}

extension Kernel {
  /// The address of a routine of `ntoskrnl` or the HAL: of a loaded image that stands for it, else of the run's own.
  func systemRoutine(_ name: String) throws -> UInt64 {
    for module in ["nt", "hal"] {
      if let address = imageExport(module, name) { return address }
      if let number = exports.number(exportedAs: name, by: module, in: memory.target) { return trapAddresses[number] }
      if KnownRoutines.isExported(name, of: module, in: memory.target), let variable = try address(ofVariable: name, in: module) {
        return variable
      }
    }
    return 0
  }

  /// `IO_CLIENT_EXTENSION` (`ntddk.h` of the time): the next one, the key, then the driver's own bytes.
  func driverExtension(_ driver: Pointer<DRIVER_OBJECT>, _ key: UInt64) throws -> Pointer<Void> {
    let here = memory.memory
    var client = try driver.DriverExtension.load().ClientDriverExtension.load().address
    while client != 0 {
      if try UInt64(here.load(UInt32.self, at: client + 4)) == key { return Pointer(client + 8, in: here) }
      client = UInt64(try here.load(UInt32.self, at: client))
    }
    return Pointer(0, in: here)
  }

  func allocateDriverExtension(
    _ driver: Pointer<DRIVER_OBJECT>, _ key: UInt64, _ size: UInt32, _ result: Pointer<Pointer<Void>>
  ) throws -> NTSTATUS {
    let here = memory.memory
    try result.store(Pointer(0, in: here))
    guard try driverExtension(driver, key).isNull else { return .objectNameCollision }
    guard let block = try nonPagedPool.allocate(UInt64(size) + 8, tag: Self.ownTag, in: memory) else { return .insufficientResources }
    let head = try driver.DriverExtension.load().ClientDriverExtension
    try here.store(UInt32(truncatingIfNeeded: head.load().address), at: block)
    try here.store(UInt32(truncatingIfNeeded: key), at: block + 4)
    try head.store(Pointer(block, in: here))
    try result.store(Pointer(block + 8, in: here))
    return .success
  }
}
