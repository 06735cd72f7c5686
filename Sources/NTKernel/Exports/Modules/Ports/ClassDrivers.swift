import Events
import Guest
import WindowsTypes

/// hidclass.sys: what a HID minidriver had set in its driver object, which the class driver calls in its turn.
private enum HidDriver {
  static let (addDevice, unload, extensionSize, majors): (UInt64, UInt64, UInt64, UInt64) = (0, 4, 8, 0x10)
  static let size: UInt32 = 0x80
  /// `HID_DEVICE_EXTENSION` stands at the start of a device's extension: physical device, next device, the minidriver's own part.
  static let head: UInt64 = 0x10
}

/// Members of `CLASS_INIT_DATA` (classpnp.h).
private enum ClassData {
  static let size: UInt64 = 0xd4
  static let (fdo, addDevice, unload): (UInt64, UInt64, UInt64) = (4, 0xbc, 0xcc)
  /// In `CLASS_DRIVER_EXTENSION`: the registry path, then the data.
  static let inExtension: UInt64 = 8
  static let extensionSize: UInt32 = 0x1d8
  static let (common, functional): (UInt32, UInt32) = (0x100, 0x2c8)
}

extension Export {
  static let hidclass: [Export] = [
    // nf-hidport-hidregisterminidriver: HID_MINIDRIVER_REGISTRATION of revision 1.
    export("HidRegisterMinidriver(MinidriverRegistration)", module: "hidclass", irql: .passive) {
      (kernel, registration: GuestWord) -> NTSTATUS in
      let given = kernel.words(registration.bits)
      guard try given[0] <= 1 else { return .revisionMismatch }
      let driver = Pointer<DRIVER_OBJECT>(try given[4], in: kernel.memory.memory)
      guard kernel.driver(at: driver.address) != nil else { return .invalidParameter }
      guard let known = try kernel.makePortData(of: driver, "hidclass", size: HidDriver.size) else { return .insufficientResources }
      let own = try driver.DriverExtension.load()
      try known.set([
        HidDriver.addDevice: own.AddDevice.load().address, HidDriver.unload: driver.DriverUnload.load().address,
        HidDriver.extensionSize: given[0xc],
      ])
      for index in 0..<IRP_MJ.count {
        try known.set(HidDriver.majors + 4 * UInt64(index), driver.MajorFunction[index].load().address)
      }
      try kernel.adopt(
        driver, by: "hidclass", dispatch: "HidpMajorHandler",
        [.create, .close, .read, .write, .deviceControl, .internalDeviceControl, .pnp, .power, .systemControl],
        addDevice: "HidpAddDevice", unload: "HidpDriverUnload")
      return .success
    }
    .partially("the device is not asked for its descriptors, and has no collections"),
    // nf-hidport-hidnotifypresence: of a device whose minidriver said that it comes and goes.
    export("HidNotifyPresence(PhysicalDeviceObject, IsPresent)", module: "hidclass", irql: .dispatch) {
      (kernel, device: GuestWord, isPresent: UInt8) -> NTSTATUS in
      kernel.kind(of: device.bits) == .device ? .success : .invalidParameter
    }
    .partially("no collection comes or goes"),
    export("HidpMajorHandler(DeviceObject, Irp)", module: "hidclass", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.dispatchHid(device, irp)
    },
    // The minidriver's AddDevice gets the class driver's device.
    export("HidpAddDevice(DriverObject, PhysicalDeviceObject)", module: "hidclass", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      try await kernel.addHidDevice(driver, physical)
    },
    export("HidpDriverUnload(DriverObject)", module: "hidclass", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>) async throws in
      guard let known = try kernel.portData(of: driver, "hidclass"), case let routine = try known[HidDriver.unload], routine != 0 else {
        return
      }
      _ = try await kernel.call(routine, [driver.address])
    },
  ]

  static let classpnp: [Export] = [
    // nf-classpnp-classinitialize
    export("ClassInitialize(Argument1, Argument2, InitializationData)", module: "classpnp", irql: .passive) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, path: Pointer<UNICODE_STRING>, data: GuestWord) -> UInt32 in
      let given = kernel.words(data.bits)
      guard try given[0] == ClassData.size else { return NTSTATUS.revisionMismatch.rawValue }
      // ClassAddDevice and ClassInitDevice of devices.
      guard try given[ClassData.addDevice] != 0, try given[ClassData.fdo + 0x24] != 0 else { return NTSTATUS.revisionMismatch.rawValue }
      guard let known = try kernel.makePortData(of: driver, "classpnp", size: ClassData.extensionSize) else {
        return NTSTATUS.insufficientResources.rawValue
      }
      try kernel.move(ClassData.size, from: data.bits, to: known.base + ClassData.inExtension)
      try kernel.memory.memory.write(kernel.memory.memory.bytes(8, at: path.address), at: known.base)
      try kernel.adopt(
        driver, by: "classpnp", dispatch: "ClassGlobalDispatch",
        [.create, .close, .read, .write, .internalDeviceControl, .deviceControl, .shutdown, .flushBuffers, .pnp, .power, .systemControl],
        addDevice: "ClassAddDevice", unload: "ClassUnload")
      return 0
    }
    .partially("a device that is no storage does not start: nothing below it answers for its adapter"),
    // nf-classpnp-classinitializeex: GUIDs of features; two kinds are known to XP SP2.
    export("ClassInitializeEx(DriverObject, Guid, Data)", module: "classpnp", irql: .passive) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, identifier: GuestWord, data: GuestWord) -> UInt32 in
      try kernel.portData(of: driver, "classpnp") == nil ? NTSTATUS.notSupported.rawValue : 0
    }
    .partially("what is registered is not called"),
    // nf-classpnp-classgetdriverextension
    export("ClassGetDriverExtension(DriverObject)", module: "classpnp") { (kernel, driver: Pointer<DRIVER_OBJECT>) -> GuestWord in
      GuestWord(try kernel.portData(of: driver, "classpnp")?.base ?? 0)
    },
    // nf-classpnp-classcreatedeviceobject: COMMON_DEVICE_EXTENSION in front, then the driver's own data.
    export(
      "ClassCreateDeviceObject(DriverObject, ObjectNameBuffer, LowerDeviceObject, IsFdo, DeviceObject)", module: "classpnp", irql: .passive
    ) {
      (
        kernel, driver: Pointer<DRIVER_OBJECT>, name: Pointer<UInt8>, lower: Pointer<DEVICE_OBJECT>, isFunctional: UInt8,
        result: Pointer<Pointer<DEVICE_OBJECT>>
      ) -> NTSTATUS in
      try kernel.createClassDevice(driver, name, lower, isFunctional != 0, result)
    },
    // nf-classpnp-classclaimdevice: by a request that only storage answers.
    export("ClassClaimDevice(LowerDeviceObject, Release)", module: "classpnp", irql: .passive) {
      (_, lower: GuestWord, releases: UInt8) -> NTSTATUS in .invalidDeviceRequest
    }
    .partially("no device of the run takes SRB_FUNCTION_CLAIM_DEVICE"),
    // nf-classpnp-classgetdescriptor
    export("ClassGetDescriptor(DeviceObject, PropertyId, Descriptor)", module: "classpnp", irql: .passive) {
      (_, device: GuestWord, property: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(0)
      return .invalidDeviceRequest
    }
    .partially("no device of the run has one"),
    // nf-classpnp-classacquireremovelockex: whether the device is being removed.
    export("ClassAcquireRemoveLockEx(DeviceObject, Tag, File, Line)", module: "classpnp", irql: .dispatch) {
      (_, device: GuestWord, tag: GuestWord, file: GuestWord, line: UInt32) -> UInt32 in 0
    }
    .partially("no device is removed while a request is under way"),
    export("ClassReleaseRemoveLock(DeviceObject, Tag)", module: "classpnp", irql: .dispatch) { (_, device: GuestWord, tag: GuestWord) in },
    // nf-classpnp-classcompleterequest
    export("ClassCompleteRequest(DeviceObject, Irp, PriorityBoost)", module: "classpnp", irql: .dispatch) {
      (kernel, device: GuestWord, irp: Pointer<IRP>, boost: UInt8) async throws in try await kernel.completeRequest(irp)
    },
    // nf-classpnp-classforwardirpsynchronous: to the device below.
    export("ClassForwardIrpSynchronous(CommonExtension, Irp)", module: "classpnp", irql: .passive) {
      (kernel, common: GuestWord, irp: Pointer<IRP>) async throws -> NTSTATUS in
      let lower = Pointer<DEVICE_OBJECT>(try kernel.words(common.bits)[8], in: kernel.memory.memory)
      return try await kernel.forward(irp, to: lower) ? irp.IoStatus.Status.load() : .unsuccessful
    },
    export("ClassInitializeSrbLookasideList(CommonExtension, NumberElements)", module: "classpnp", irql: .dispatch) {
      (_, common: GuestWord, count: UInt32) in
    }
    .partially("requests' blocks come from pool"),
    export("ClassDeleteSrbLookasideList(CommonExtension)", module: "classpnp", irql: .passive) { (_, common: GuestWord) in },
    // nf-classpnp-classdebugprint: the free build's prints nothing.
    variadicExport("ClassDebugPrint(DebugPrintLevel, DebugMessage, ...)", module: "classpnp") {
      (_, _: VariadicArguments, level: UInt32, message: GuestWord) -> UInt32 in 0
    },
    export("ClassGlobalDispatch(DeviceObject, Irp)", module: "classpnp", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.dispatchClass(device, irp)
    },
    export("ClassAddDevice(DriverObject, PhysicalDeviceObject)", module: "classpnp", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      guard let known = try kernel.portData(of: driver, "classpnp") else { return .unsuccessful }
      return try await kernel.status(
        of: known[ClassData.inExtension + ClassData.addDevice], driver.address, physical.address)
    },
    export("ClassUnload(DriverObject)", module: "classpnp", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>) async throws in
      guard let known = try kernel.portData(of: driver, "classpnp"),
        case let routine = try known[ClassData.inExtension + ClassData.unload], routine != 0
      else { return }
      _ = try await kernel.call(routine, [driver.address])
    },
  ]
}

extension Kernel {
  fileprivate func addHidDevice(_ driver: Pointer<DRIVER_OBJECT>, _ physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS {
    guard let known = try portData(of: driver, "hidclass"), case let size = try known[HidDriver.extensionSize], size < 0x10_0000 else {
      return .unsuccessful
    }
    // FILE_DEVICE_KEYBOARD's neighbour: FILE_DEVICE_UNKNOWN.
    let (status, device) = try await addPortDevice(driver, over: physical, type: 0x22, size: UInt32(size), head: HidDriver.head)
    guard status.isSuccess else { return status }
    let base = try device.DeviceExtension.load().address
    let lower = try words(of: device, at: HidDriver.head)[PortDevice.lower]
    try words(base).set([0: physical.address, 4: lower, 8: base + HidDriver.head + UInt64(PortDevice.size)])
    guard case let routine = try known[HidDriver.addDevice], routine != 0 else { return .success }
    let answer = try await self.status(of: routine, driver.address, device.address)
    if !answer.isSuccess {
      try await detach(from: Pointer(lower, in: memory.memory))
      try await deleteDevice(device)
    }
    return answer
  }

  /// Plug and Play, power and the rest go to the minidriver's own routines; who opens the device finds no collection.
  fileprivate func dispatchHid(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let location = try irp.Tail.Overlay.CurrentStackLocation.load()
    let (major, minor) = (try location.MajorFunction.load(), try location.MinorFunction.load())
    guard let known = try portData(of: device.DriverObject.load(), "hidclass"),
      [.pnp, .systemControl, .internalDeviceControl, .power].contains(major)
    else {
      try await complete(irp, .invalidDeviceRequest, 0)
      return .invalidDeviceRequest
    }
    let routine = try known[HidDriver.majors + 4 * UInt64(major.rawValue)]
    guard routine != invalidDeviceRequest, routine != 0 else { return try await passDown(irp, from: device, head: HidDriver.head) }
    let lower = Pointer<DEVICE_OBJECT>(try words(of: device, at: HidDriver.head)[PortDevice.lower], in: memory.memory)
    let status = try await self.status(of: routine, device.address, irp.address)
    if major == .pnp, minor == 2 {
      try await detach(from: lower)
      try await deleteDevice(device)
    }
    return status
  }

  fileprivate func createClassDevice(
    _ driver: Pointer<DRIVER_OBJECT>, _ name: Pointer<UInt8>, _ lower: Pointer<DEVICE_OBJECT>, _ isFunctional: Bool,
    _ result: Pointer<Pointer<DEVICE_OBJECT>>
  ) throws -> NTSTATUS {
    try result.store(Pointer(0, in: memory.memory))
    guard let known = try portData(of: driver, "classpnp") else { return .unsuccessful }
    let info = words(known.base + ClassData.inExtension + (isFunctional ? ClassData.fdo : 0x60))
    let size = try info[0]
    guard size < 0x10_0000 else { return .insufficientResources }
    let text = name.isNull ? nil : String(decoding: try name.units(limit: 0x1000), as: UTF8.self)
    let made = try createDevice(
      driver, extensionSize: max(UInt32(size), isFunctional ? ClassData.functional : ClassData.common), name: text,
      type: UInt32(info[4]), characteristics: UInt32(info[0xc]), isExclusive: false)
    guard case .success(let device) = made else {
      if case .failure(let refusal) = made { return refusal.status }
      return .insufficientResources
    }
    let common = try words(of: device)
    // Version, device, the one below, partition zero, driver; IsFdo; the driver's data.
    try common.set([
      0: 3, 4: device.address, 8: lower.address, 0xc: common.base, 0x10: known.base,
      0x34: common.base + UInt64(isFunctional ? ClassData.functional : ClassData.common), 0x60: info.base,
    ])
    try common.set(byte: isFunctional ? 1 : 0, at: 0x38)
    try result.store(device)
    return .success
  }

  /// A start ends where the device below is to describe its adapter; the rest goes down.
  fileprivate func dispatchClass(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let location = try irp.Tail.Overlay.CurrentStackLocation.load()
    let (major, minor) = (try location.MajorFunction.load(), try location.MinorFunction.load())
    let common = try words(of: device)
    let lower = Pointer<DEVICE_OBJECT>(try common[8], in: memory.memory)
    guard [.pnp, .power, .systemControl].contains(major), kind(of: lower.address) == .device else {
      try await complete(irp, .invalidDeviceRequest, 0)
      return .invalidDeviceRequest
    }
    if major == .pnp, minor == 0 {
      _ = try await forward(irp, to: lower)
      try await complete(irp, .invalidDeviceRequest, 0)
      return .invalidDeviceRequest
    }
    if major == .pnp, minor == 2 {
      try irp.IoStatus.Status.store(.success)
      let status = try await passDown(irp, to: lower)
      try await detach(from: lower)
      try await deleteDevice(device)
      return status
    }
    if major == .pnp, minor <= 6 || minor == 0x17 { try irp.IoStatus.Status.store(.success) }
    return try await passDown(irp, to: lower)
  }
}
