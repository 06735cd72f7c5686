import Events
import Guest
import WindowsTypes

/// What stands in front of the extension of a device that a driver has NDIS make for it.
enum NdisDevice {
  /// "NDEV"
  static let mark: UInt64 = 0x5645_444e
  /// The symbolic link's name, and the driver's own dispatch routines.
  static let (link, routines): (UInt64, UInt64) = (8, 0x10)
  static let size: UInt64 = 0x80
}

extension Export {
  /// Devices beside the adapters, by which programs reach a driver.
  static let ndisDevices: [Export] = [
    // nf-ndis-ndismregisterdevice
    export(
      "NdisMRegisterDevice(NdisWrapperHandle, DeviceName, SymbolicName, MajorFunctions, DeviceObject, NdisDeviceHandle)", module: "ndis",
      irql: .passive
    ) {
      (
        kernel, handle: GuestWord, name: Pointer<UNICODE_STRING>, link: Pointer<UNICODE_STRING>, routines: Pointer<UInt32>,
        result: Pointer<Pointer<DEVICE_OBJECT>>, deviceHandle: Pointer<GuestWord>
      ) -> NTSTATUS in
      guard let driver = try kernel.ndisOwner(of: handle.bits) else { return .notSupported }
      return try kernel.registerNdisDevice(driver, name, link, routines, 0, result, deviceHandle)
    },
    // nf-ndis-ndismderegisterdevice: the link goes, too.
    export("NdisMDeregisterDevice(NdisDeviceHandle)", module: "ndis", irql: .passive) {
      (kernel, handle: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      try await kernel.deregisterNdisDevice(handle) ? .success : .unsuccessful
    },
    // nf-ndis-ndisregisterdeviceex: NDIS_DEVICE_OBJECT_ATTRIBUTES.
    export("NdisRegisterDeviceEx(NdisHandle, DeviceObjectAttributes, DeviceObject, NdisDeviceHandle)", module: "ndis", irql: .passive) {
      (
        kernel, handle: GuestWord, attributes: GuestWord, result: Pointer<Pointer<DEVICE_OBJECT>>, deviceHandle: Pointer<GuestWord>
      ) -> NTSTATUS in
      let (given, here) = (kernel.words(attributes.bits), kernel.memory.memory)
      guard try given.byte(0) == 0x85 else { return .invalidParameter }
      guard let driver = try kernel.ndisOwner(of: handle.bits) else { return .invalidParameter }
      return try kernel.registerNdisDevice(
        driver, Pointer(given[4], in: here), Pointer(given[8], in: here), Pointer(given[0xc], in: here),
        UInt32(truncatingIfNeeded: given[0x10]), result, deviceHandle)
    }
    .partially("the security descriptor is not looked at"),
    // nf-ndis-ndisderegisterdeviceex
    export("NdisDeregisterDeviceEx(NdisDeviceHandle)", module: "ndis", irql: .passive) {
      (kernel, handle: Pointer<DEVICE_OBJECT>) async throws in
      _ = try await kernel.deregisterNdisDevice(handle)
    },
    // nf-ndis-ndisgetdevicereservedextension: null for a device of somebody else's.
    export("NdisGetDeviceReservedExtension(DeviceObject)", module: "ndis", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>) -> GuestWord in
      guard let registered = try kernel.registeredNdisDevice(device) else { return 0 }
      return GuestWord(registered.base + NdisDevice.size)
    },
  ]
}

extension Kernel {
  /// The driver object behind a handle of NDIS's: a driver's, or an adapter's.
  func ndisOwner(of handle: UInt64) throws -> Pointer<DRIVER_OBJECT>? {
    let data = isNdisDriver(handle) ? words(handle) : ndisDriver(ofAdapter: handle)
    return try data.map { Pointer(try $0[NdisDriver.object], in: memory.memory) }
  }

  /// What NDIS keeps of a device that a driver registered; `nil` for any other device.
  func registeredNdisDevice(_ device: Pointer<DEVICE_OBJECT>) throws -> Words? {
    guard kind(of: device.address) == .device, case let base = try device.DeviceExtension.load().address, base != 0,
      try words(base)[0] == NdisDevice.mark, try words(base)[4] == device.address
    else { return nil }
    return words(base)
  }

  fileprivate func registerNdisDevice(
    _ driver: Pointer<DRIVER_OBJECT>, _ name: Pointer<UNICODE_STRING>, _ link: Pointer<UNICODE_STRING>, _ routines: Pointer<UInt32>,
    _ size: UInt32, _ result: Pointer<Pointer<DEVICE_OBJECT>>, _ handle: Pointer<GuestWord>
  ) throws -> NTSTATUS {
    guard size < 0x10_0000 else { return .insufficientResources }
    // FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN
    let made = try createDevice(
      driver, extensionSize: UInt32(NdisDevice.size) + size, name: name.isNull ? nil : name.string(), type: 0x12, characteristics: 0x100,
      isExclusive: false)
    guard case .success(let device) = made else {
      if case .failure(let refusal) = made { return refusal.status }
      return .insufficientResources
    }
    let data = try words(of: device)
    try data.set([0: NdisDevice.mark, 4: device.address])
    let dispatch = Pointer<Procedure<NTSTATUS>>(trapAddress(of: "NdisMDispatch", in: "ndis"), in: memory.memory)
    for index in 0..<IRP_MJ.count where !routines.isNull {
      let routine = try routines[index].load()
      try data.set(NdisDevice.routines + 4 * UInt64(index), UInt64(routine))
      if routine != 0 { try driver.MajorFunction[index].store(dispatch) }
    }
    try device.Flags.store(device.Flags.load().subtracting(.deviceInitializing))
    try result.store(device)
    try handle.store(GuestWord(device.address))
    guard !link.isNull else { return .success }
    let status = try createLink(link, name)
    if status.isSuccess { try store(link.string(), in: Pointer(data.base + NdisDevice.link, in: memory.memory)) }
    return .success
  }

  fileprivate func deregisterNdisDevice(_ device: Pointer<DEVICE_OBJECT>) async throws -> Bool {
    guard let data = try registeredNdisDevice(device) else { return false }
    let link = Pointer<UNICODE_STRING>(data.base + NdisDevice.link, in: memory.memory)
    if case let text = try link.Buffer.load(), !text.isNull {
      try await removeLink(link.string())
      free(text.address)
    }
    try data.set(0, 0)
    try await deleteDevice(device)
    return true
  }
}
