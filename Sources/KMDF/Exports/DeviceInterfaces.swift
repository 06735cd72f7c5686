import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// Interfaces: those of a device by which applications find it, and those that drivers ask each other for.
  static let deviceInterfaceFunctions: [Export] = [
    // nf-wdfdevice-wdfdevicesetdeviceinterfacestate
    asyncProcedure(
      "WdfDeviceSetDeviceInterfaceState(DriverGlobals, Device, InterfaceClassGUID, ReferenceString, IsInterfaceEnabled)", irql: .passive
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, guid: GuestWord, reference: Pointer<UNICODE_STRING>,
        isEnabled: UInt8
      ) async throws in
      let device = try kernel.object(device, Device.self)
      guard let index = try kernel.interface(of: device, guid, reference) else { return }
      device.interfaces[index].isWanted = isEnabled != 0
      guard let link = device.interfaces[index].link else { return }
      _ = try await kernel.setInterface(link, isEnabled: isEnabled != 0)
    },
    // nf-wdfdevice-wdfdeviceretrievedeviceinterfacestring: STATUS_INVALID_DEVICE_STATE until the interface is registered.
    function(
      "WdfDeviceRetrieveDeviceInterfaceString(DriverGlobals, Device, InterfaceClassGUID, ReferenceString, String)", irql: .passive
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, guid: GuestWord, reference: Pointer<UNICODE_STRING>,
        string: GuestWord
      ) -> NTSTATUS in
      let (device, string) = try (kernel.object(device, Device.self), kernel.object(string, StringObject.self))
      guard let index = try kernel.interface(of: device, guid, reference) else { return .objectNameNotFound }
      try kernel.registerInterfaces(of: device)
      guard let link = device.interfaces[index].link else { return .invalidDeviceState }
      try string.replace(with: link, kernel)
      return .success
    },
    // nf-wdfqueryinterface-wdfdeviceaddqueryinterface: WDF_QUERY_INTERFACE_CONFIG.
    function("WdfDeviceAddQueryInterface(DriverGlobals, Device, InterfaceConfig)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, config: Pointer<GuestWord>) -> NTSTATUS in
      let (device, here) = (try kernel.object(device, Device.self), kernel.memory.memory)
      guard try kernel.required(config).load().bits >= 0x18 else { return .infoLengthMismatch }
      // The interface, its type, where the request goes on to, the callback.
      let (interface, type) = (try config[1].load().bits, try config[2].load().bits)
      guard type != 0, interface != 0 else { return .invalidParameter }
      let identifier = try here.bytes(16, at: type)
      guard !device.queryInterfaces.contains(where: { $0.identifier == identifier }) else { return .invalidDeviceRequest }
      let size = try here.load(UInt16.self, at: interface)
      guard size >= 0x10 else { return .invalidParameter }
      device.queryInterfaces.append(
        .init(identifier: identifier, bytes: try here.bytes(Int(size), at: interface), routine: try config[4].load()))
      return .success
    }
    .partially("the request does not go on to the parent's stack"),
    // nf-wdffdo-wdffdoqueryforinterface, nf-wdfiotarget-wdfiotargetqueryforinterface: IRP_MN_QUERY_INTERFACE to the device's stack.
    query("WdfFdoQueryForInterface(DriverGlobals, Fdo, InterfaceType, Interface, Size, Version, InterfaceSpecificData)") {
      try $0.object($1, Device.self).physical
    },
    query("WdfIoTargetQueryForInterface(DriverGlobals, IoTarget, InterfaceType, Interface, Size, Version, InterfaceSpecificData)") {
      try $0.object($1, Target.self).below
    },
  ]

  private static func query(_ prototype: String, of find: @escaping @Sendable (Kernel, GuestWord) throws -> Pointer<DEVICE_OBJECT>?)
    -> Export
  {
    asyncFunction(prototype, irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, subject: GuestWord, type: GuestWord, interface: GuestWord, size: UInt16,
        version: UInt16, data: GuestWord
      ) async throws -> NTSTATUS in
      guard type.bits != 0, interface.bits != 0, let target = try find(kernel, subject) else { return .invalidParameter }
      let here = kernel.memory.memory
      return try await kernel.send(to: target, .pnp, 8) { location in
        let place = location.Parameters.address
        try here.store(UInt32(truncatingIfNeeded: type.bits), at: place)
        try here.store(size, at: place + 4)
        try here.store(version, at: place + 6)
        try here.store(UInt32(truncatingIfNeeded: interface.bits), at: place + 8)
        try here.store(UInt32(truncatingIfNeeded: data.bits), at: place + 12)
      }.status
    }
  }
}

extension Kernel {
  fileprivate func interface(of device: Device, _ guid: GuestWord, _ reference: Pointer<UNICODE_STRING>) throws -> Int? {
    let (identifier, name) = (try memory.memory.bytes(16, at: guid.bits), try reference.isNull ? "" : reference.string())
    return device.interfaces.firstIndex { $0.identifier == identifier && $0.reference == name }
  }

  /// `IoRegisterDeviceInterface` for those that the Plug and Play manager does not know yet.
  fileprivate func registerInterfaces(of device: Device) throws {
    guard let physical = device.physical else { return }
    for index in device.interfaces.indices where device.interfaces[index].link == nil {
      let own = device.interfaces[index]
      device.interfaces[index].link = registerInterface(
        physical.address, own.identifier, reference: own.reference.isEmpty ? nil : own.reference)
    }
  }

  /// The interfaces come with a device that has started, and go before it does.
  func setInterfaces(of device: Device, areEnabled: Bool) async throws {
    if areEnabled { try registerInterfaces(of: device) }
    for interface in device.interfaces where interface.isWanted || !areEnabled {
      if let link = interface.link { _ = try await setInterface(link, isEnabled: areEnabled) }
    }
  }

  /// IRP_MN_QUERY_INTERFACE for an interface of the driver's: copied as far as there is room, and referenced.
  func answerInterface(_ device: Device, _ location: Pointer<IO_STACK_LOCATION>) async throws -> Bool {
    let (here, place) = (memory.memory, location.Parameters.address)
    guard !device.queryInterfaces.isEmpty else { return false }
    let type = UInt64(try here.load(UInt32.self, at: place))
    let (size, target) = (Int(try here.load(UInt16.self, at: place + 4)), UInt64(try here.load(UInt32.self, at: place + 8)))
    let identifier = try here.bytes(16, at: type)
    guard let own = device.queryInterfaces.first(where: { $0.identifier == identifier }), size >= own.bytes.count, target != 0 else {
      return false
    }
    try here.write(own.bytes, at: target)
    if own.routine.bits != 0 {
      let data = UInt64(try here.load(UInt32.self, at: place + 12))
      let status = NTSTATUS(
        rawValue: UInt32(truncatingIfNeeded: try await notify(own.routine, [device.handle.bits, type, target, data])))
      guard status.isSuccess else { return false }
    }
    // INTERFACE.InterfaceReference of its Context.
    let (context, reference) = (try here.load(UInt32.self, at: target + 4), try GuestWord.load(here, at: target + 8))
    try await notify(reference, [UInt64(context)])
    return true
  }
}
