import Events
import Guest
import WindowsTypes

/// What NDIS keeps of a driver: the memory behind an `NdisWrapperHandle` or an `NdisDriverHandle`.
enum NdisDriver {
  static let object: UInt64 = 0
  /// The version of the interface, major in the high half; 0 until something is registered.
  static let version: UInt64 = 4
  static let unloadHandler: UInt64 = 8
  static let context: UInt64 = 0xc
  /// Whether the miniport is an intermediate driver's: NDIS does not initialise its adapters on its own.
  static let isIntermediate: UInt64 = 0x14
  static let characteristics: UInt64 = 0x20
  static let size: UInt32 = 0xb0
}

extension NTSTATUS {
  /// `NDIS_STATUS_BAD_VERSION`
  static let ndisBadVersion = NTSTATUS(rawValue: 0xc001_0004)
  /// `NDIS_STATUS_BAD_CHARACTERISTICS`
  static let ndisBadCharacteristics = NTSTATUS(rawValue: 0xc001_0005)
  /// `NDIS_STATUS_ADAPTER_NOT_FOUND`
  static let ndisAdapterNotFound = NTSTATUS(rawValue: 0xc001_0006)
  /// `NDIS_STATUS_FILE_NOT_FOUND`
  static let ndisFileNotFound = NTSTATUS(rawValue: 0xc001_001b)
  /// `NDIS_STATUS_INVALID_LENGTH`
  static let ndisInvalidLength = NTSTATUS(rawValue: 0xc001_0014)
}

extension Export {
  /// ndis.sys: miniports and intermediate drivers as they register and go (ndis.h; NDIS 5.1 and 6.20).
  static let ndisDrivers: [Export] = [
    // nf-ndis-ndisminitializewrapper: NdisMInitializeWrapper is a macro for this.
    export("NdisInitializeWrapper(NdisWrapperHandle, SystemSpecific1, SystemSpecific2, SystemSpecific3)", module: "ndis", irql: .passive) {
      (kernel, result: Pointer<GuestWord>, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, specific: GuestWord) in
      try result.store(0)
      guard let data = try kernel.makePortData(of: driver, "ndis", size: NdisDriver.size) else { return }
      try data.set(NdisDriver.object, driver.address)
      kernel.register(Kernel.ndisWrapper, data.base)
      try result.store(GuestWord(data.base))
    },
    // nf-ndis-ndisterminatewrapper: for a DriverEntry that fails, and for drivers that unload themselves.
    export("NdisTerminateWrapper(NdisWrapperHandle, SystemSpecific)", module: "ndis", irql: .passive) {
      (kernel, handle: GuestWord, specific: GuestWord) in
      kernel.unregister(Kernel.ndisWrapper, handle.bits)
    },
    // nf-ndis-ndismregisterminiport
    export("NdisMRegisterMiniport(NdisWrapperHandle, MiniportCharacteristics, CharacteristicsLength)", module: "ndis", irql: .passive) {
      (kernel, handle: GuestWord, characteristics: GuestWord, length: UInt32) -> NTSTATUS in
      try kernel.registerMiniport(handle.bits, characteristics.bits, length, isIntermediate: false)
    },
    // nf-ndis-ndisimregisterlayeredminiport
    export(
      "NdisIMRegisterLayeredMiniport(NdisWrapperHandle, MiniportCharacteristics, CharacteristicsLength, DriverHandle)", module: "ndis",
      irql: .passive
    ) {
      (kernel, handle: GuestWord, characteristics: GuestWord, length: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      let status = try kernel.registerMiniport(handle.bits, characteristics.bits, length, isIntermediate: true)
      if status.isSuccess { try result.store(handle) }
      return status
    },
    // nf-ndis-ndisimderegisterlayeredminiport
    export("NdisIMDeregisterLayeredMiniport(DriverHandle)", module: "ndis", irql: .passive) { (kernel, handle: GuestWord) in
      guard kernel.isNdisDriver(handle.bits) else { return }
      try kernel.words(handle.bits).set(NdisDriver.version, 0)
    },
    // nf-ndis-ndisimassociateminiport: NDIS finds the virtual miniports of a protocol's bindings by it.
    export("NdisIMAssociateMiniport(DriverHandle, ProtocolHandle)", module: "ndis", irql: .passive) {
      (kernel, driver: GuestWord, protocolHandle: GuestWord) in
    }
    .partially("no adapter is bound to, so nothing is unloaded in the order that the association gives"),
    // nf-ndis-ndismregisterunloadhandler: called with the driver object, when NDIS unloads the driver.
    export("NdisMRegisterUnloadHandler(NdisWrapperHandle, UnloadHandler)", module: "ndis", irql: .passive) {
      (kernel, handle: GuestWord, handler: GuestWord) in
      guard kernel.isNdisDriver(handle.bits) else { return }
      try kernel.words(handle.bits).set(NdisDriver.unloadHandler, handler.bits)
      let driver = Pointer<DRIVER_OBJECT>(try kernel.words(handle.bits)[NdisDriver.object], in: kernel.memory.memory)
      try kernel.adopt(driver, by: "ndis", dispatch: "NdisMDispatch", [], addDevice: nil, unload: "NdisMUnload")
    },
    // nf-ndis-ndismregisterminiportdriver: MiniportSetOptions is called before it returns.
    export(
      "NdisMRegisterMiniportDriver(DriverObject, RegistryPath, MiniportDriverContext, MiniportDriverCharacteristics, NdisMiniportDriverHandle)",
      module: "ndis", irql: .passive
    ) {
      (
        kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, context: GuestWord, characteristics: GuestWord,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      let given = kernel.words(characteristics.bits)
      // NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS; those of NDIS 6.0 end behind CancelOidRequestHandler.
      guard try given.byte(0) == 0x8a, try given.half(2) >= 0x44 else { return .ndisBadCharacteristics }
      guard try 6 == given.byte(4), try given.byte(5) <= 20 else { return .ndisBadVersion }
      guard try given[0x10] != 0, try given[0x14] != 0, try given[0x18] != 0 else { return .ndisBadCharacteristics }
      guard let data = try kernel.makePortData(of: driver, "ndis", size: NdisDriver.size) else { return .insufficientResources }
      try data.set([
        NdisDriver.object: driver.address, NdisDriver.version: UInt64(given.byte(4)) << 16 | UInt64(given.byte(5)),
        NdisDriver.unloadHandler: given[0x18], NdisDriver.context: context.bits,
        // NDIS_INTERMEDIATE_DRIVER
        NdisDriver.isIntermediate: given[8] & 1,
      ])
      let size = min(0x80, UInt64(try given.half(2)))
      try kernel.move(size, from: characteristics.bits, to: data.base + NdisDriver.characteristics)
      try kernel.adopt(
        driver, by: "ndis", dispatch: "NdisMDispatch", Kernel.ndisMajors, addDevice: "NdisMAddDevice", unload: "NdisMUnload")
      kernel.register(Kernel.ndisMiniportDriver, data.base)
      try result.store(GuestWord(data.base))
      let options = try given[0xc]
      guard options != 0 else { return .success }
      let status = try await kernel.status(of: options, data.base, context.bits)
      if !status.isSuccess { kernel.unregister(Kernel.ndisMiniportDriver, data.base) }
      return status
    },
    // nf-ndis-ndismderegisterminiportdriver
    export("NdisMDeregisterMiniportDriver(NdisMiniportDriverHandle)", module: "ndis", irql: .passive) { (kernel, handle: GuestWord) in
      kernel.unregister(Kernel.ndisMiniportDriver, handle.bits)
      if kernel.isNdisDriver(handle.bits) { try kernel.words(handle.bits).set(NdisDriver.version, 0) }
    },
    // nf-ndis-ndissetoptionalhandlers: from MiniportSetOptions and its like.
    export("NdisSetOptionalHandlers(NdisHandle, OptionalHandlers)", module: "ndis", irql: .passive) {
      (kernel, handle: GuestWord, handlers: GuestWord) -> NTSTATUS in
      // NDIS_OBJECT_TYPE_DEFAULT and above.
      try kernel.words(handlers.bits).byte(0) & 0x80 == 0 ? .invalidParameter : .success
    }
    .partially("no packet passes and no device is added by the handlers, so they are not called"),
    // nf-ndis-ndisgetversion
    export("NdisGetVersion()", module: "ndis") { kernel -> UInt32 in kernel.ndisVersion },
  ]

  /// What only NDIS leads to.
  static let ndisInternals: [Export] = [
    export("NdisMDispatch(DeviceObject, Irp)", module: "ndis", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.dispatchNdis(device, irp)
    },
    export("NdisMAddDevice(DriverObject, PhysicalDeviceObject)", module: "ndis", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      try await kernel.addNdisAdapter(driver, physical)
    },
    export("NdisMUnload(DriverObject)", module: "ndis", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>) async throws in
      guard let data = try kernel.portData(of: driver, "ndis") else { return }
      if case let handler = try data[NdisDriver.unloadHandler], handler != 0 { _ = try await kernel.call(handler, [driver.address]) }
      kernel.unregister(Kernel.ndisWrapper, data.base)
    },
  ]
}

extension Kernel {
  static let ndisWrapper = "an NDIS wrapper"
  static let ndisMiniportDriver = "an NDIS miniport driver"

  /// The requests that NDIS handles for a miniport.
  static let ndisMajors: [IRP_MJ] = [.create, .close, .cleanup, .deviceControl, .internalDeviceControl, .pnp, .power, .systemControl]

  /// The run's NDIS: 5.1 of XP, 6.20 of Windows 7.
  var ndisVersion: UInt32 { memory.target.system.release > .xp ? 0x6_0014 : 0x5_0001 }

  /// Whether `handle` is what ``NdisDriver`` describes.
  func isNdisDriver(_ handle: UInt64) -> Bool {
    guard handle != 0, nonPagedPool.blocks[handle &- 8] != nil, let object = try? words(handle)[NdisDriver.object] else { return false }
    return io.drivers.contains { $0.object.address == object }
  }

  /// NDIS_MINIPORT_CHARACTERISTICS, which grew with the versions: what a driver of one must hand in at least, and no more is kept.
  fileprivate func registerMiniport(
    _ handle: UInt64, _ characteristics: UInt64, _ length: UInt32, isIntermediate: Bool
  ) throws -> NTSTATUS {
    guard isNdisDriver(handle) else { return .unsuccessful }
    let given = words(characteristics)
    let (major, minor) = (try given.byte(0), try given.byte(1))
    let known: [UInt16: UInt32] = [0x300: 0x3c, 0x400: 0x48, 0x500: 0x60, 0x501: 0x7c]
    guard let needed = known[UInt16(major) << 8 | UInt16(minor)] else { return .ndisBadVersion }
    // HaltHandler, InitializeHandler and ResetHandler are every miniport's.
    guard length >= needed, try given[0x14] != 0, try given[0x1c] != 0, try given[0x2c] != 0 else { return .ndisBadCharacteristics }
    let data = words(handle)
    try data.set([NdisDriver.version: UInt64(major) << 16 | UInt64(minor), NdisDriver.isIntermediate: isIntermediate ? 1 : 0])
    try move(UInt64(needed), from: characteristics, to: handle + NdisDriver.characteristics)
    try adopt(
      Pointer(data[NdisDriver.object], in: memory.memory), by: "ndis", dispatch: "NdisMDispatch", Self.ndisMajors,
      addDevice: "NdisMAddDevice", unload: "NdisMUnload")
    return .success
  }
}
