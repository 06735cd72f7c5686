import Events
import Guest
import WindowsTypes

/// What the port drivers of storage keep of a miniport: its `HW_INITIALIZATION_DATA` (srb.h, storport.h) and how many adapters it has.
private enum ScsiDriver {
  static let (context, adapters, data): (UInt64, UInt64, UInt64) = (0, 4, 0x10)
  static let size: UInt32 = 0x90
}

/// In front of a miniport's device extension: whose it is, the miniport's timer, its configuration.
enum ScsiAdapter {
  /// "Scsi"
  static let mark: UInt64 = 0x6973_6353
  static let (device, timer, dpc, timerRoutine, passiveRoutine, ranges): (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (
    4, 0x10, 0x38, 0x58, 0x5c, 0x60
  )
  static let uncached: UInt64 = 0x64
  /// `PORT_CONFIGURATION_INFORMATION`, then the extension.
  static let (configuration, size): (UInt64, UInt64) = (0x80, 0x180)
}

/// Members of `HW_INITIALIZATION_DATA`, which the two port drivers' miniports have in common.
private enum HwData {
  static let (interface, initialize, startIO, findAdapter, resetBus): (UInt64, UInt64, UInt64, UInt64, UInt64) = (4, 8, 0xc, 0x14, 0x18)
  static let (extensionSize, unitSize, requestSize, ranges, flags): (UInt64, UInt64, UInt64, UInt64, UInt64) = (
    0x24, 0x28, 0x2c, 0x30, 0x38
  )
  static let (control, freeResources, features): (UInt64, UInt64, UInt64) = (0x4c, 0x54, 0x6c)
}

extension Export {
  /// What only the port drivers of storage lead to.
  static let scsiInternals: [Export] = ["ScsiPort", "StorPort"].flatMap { prefix in
    let module = prefix.lowercased()
    return [
      export("\(prefix)GlobalDispatch(DeviceObject, Irp)", module: module, isImportable: false) {
        (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
        try await kernel.dispatchScsi(device, irp, module)
      },
      export("\(prefix)AddDevice(DriverObject, PhysicalDeviceObject)", module: module, isImportable: false) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
        // FILE_DEVICE_CONTROLLER
        try await kernel.addPortDevice(driver, over: physical, type: 4, size: 0).status
      },
      export("\(prefix)Unload(DriverObject)", module: module, isImportable: false) { (_, driver: GuestWord) in },
    ]
  }
}

extension Kernel {
  /// `ScsiPortInitialize` (nf-srb-scsiportinitialize) and `StorPortInitialize` (nf-storport-storportinitialize).
  ///
  /// A miniport of a bus that Plug and Play enumerates gets its adapters by it, as its INF file asks for (PnpInterface); another one
  /// is asked at once whether its adapter is there.
  func initializeMiniport(
    _ driver: Pointer<DRIVER_OBJECT>, _ data: UInt64, _ context: UInt64, prefix: String
  ) async throws -> NTSTATUS {
    let (module, given) = (prefix.lowercased(), words(data))
    let size = try given[0]
    guard 0x4c...0x80 ~= size else { return .revisionMismatch }
    for routine in [HwData.initialize, HwData.startIO, HwData.findAdapter, HwData.resetBus] where try given[routine] == 0 {
      return .revisionMismatch
    }
    guard let known = try makePortData(of: driver, module, size: ScsiDriver.size) else { return .insufficientResources }
    try known.set(ScsiDriver.context, context)
    try memory.memory.fill(0, count: 0x80, at: known.base + ScsiDriver.data)
    try move(size, from: data, to: known.base + ScsiDriver.data)
    try adopt(
      driver, by: module, dispatch: "\(prefix)GlobalDispatch",
      [.create, .close, .cleanup, .deviceControl, .internalDeviceControl, .pnp, .power, .systemControl, .shutdown, .flushBuffers],
      addDevice: nil, unload: nil)
    // PCIBus of INTERFACE_TYPE; all of storport's.
    guard module != "storport", try given[HwData.interface] != 5 else {
      try adopt(driver, by: module, dispatch: "", [], addDevice: "\(prefix)AddDevice", unload: "\(prefix)Unload")
      return .success
    }
    return try await findLegacyAdapter(driver, known)
  }

  /// A functional device without a physical one, if the miniport finds its adapter.
  private func findLegacyAdapter(_ driver: Pointer<DRIVER_OBJECT>, _ known: Words) async throws -> NTSTATUS {
    let number = try known[ScsiDriver.adapters]
    // FILE_DEVICE_CONTROLLER
    let made = try createDevice(
      driver, extensionSize: PortDevice.size, name: "\\Device\\ScsiPort\(number)", type: 4, characteristics: 0, isExclusive: false)
    guard case .success(let device) = made else {
      if case .failure(let refusal) = made { return refusal.status }
      return .insufficientResources
    }
    let status = try await startAdapter(device, known)
    guard status.isSuccess else {
      try await deleteDevice(device)
      return status
    }
    try known.set(ScsiDriver.adapters, number + 1)
    try device.Flags.store(device.Flags.load().subtracting(.deviceInitializing))
    return .success
  }

  func dispatchScsi(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>, _ module: String) async throws -> NTSTATUS {
    guard let known = try portData(of: device.DriverObject.load(), module), try !device.DeviceExtension.load().isNull else {
      try await complete(irp, .invalidDeviceRequest, 0)
      return .invalidDeviceRequest
    }
    // A device that was found without Plug and Play has nothing below it.
    let major = try irp.Tail.Overlay.CurrentStackLocation.load().MajorFunction.load()
    if [.pnp, .power, .systemControl].contains(major), try words(of: device)[PortDevice.lower] == 0 {
      try await complete(irp, .notSupported, 0)
      return .notSupported
    }
    return try await dispatchPort(
      device, irp, start: { try await startAdapter(device, known) }, stop: { try await stopAdapter(device, known) })
  }

  /// HwScsiFindAdapter and HwScsiInitialize. The adapter has no resources.
  private func startAdapter(_ device: Pointer<DEVICE_OBJECT>, _ known: Words) async throws -> NTSTATUS {
    let data = words(known.base + ScsiDriver.data)
    let size = try data[HwData.extensionSize]
    guard size < 0x100_0000, let block = try nonPagedPool.allocate(ScsiAdapter.size + size, tag: Self.ownTag, in: memory) else {
      return .insufficientResources
    }
    try memory.memory.fill(0, count: Int(ScsiAdapter.size + size), at: block)
    let (adapter, hardware) = (words(block), block + ScsiAdapter.size)
    try adapter.set([0: ScsiAdapter.mark, ScsiAdapter.device: device.address])
    let rangeCount = min(16, try data[HwData.ranges])
    let ranges = try allocate(0x10 * max(1, rangeCount))
    try adapter.set(ScsiAdapter.ranges, ranges)
    try fillConfiguration(words(block + ScsiAdapter.configuration), data, ranges, rangeCount)
    try words(of: device).set(PortDevice.context, block)

    let place = try allocate(8)
    defer { free(place) }
    // STOR_FEATURE_VIRTUAL_MINIPORT: the device below comes before the arguments' string.
    let isVirtual = try data[HwData.features] & 1 != 0
    let lower = try words(of: device)[PortDevice.lower]
    var arguments = [hardware, try known[ScsiDriver.context], 0, 0, block + ScsiAdapter.configuration, place]
    if isVirtual { arguments.insert(lower, at: 3) }
    var found = try await call(data[HwData.findAdapter], arguments) & 0xff
    // Again: another try, with what the miniport has changed.
    for _ in 0..<8 where try found != 1 && memory.memory.load(UInt8.self, at: place) != 0 {
      try memory.memory.store(UInt8(0), at: place)
      found = try await call(data[HwData.findAdapter], arguments) & 0xff
    }
    guard found == 1 else {
      try releaseAdapter(device)
      // SP_RETURN_NOT_FOUND 0, SP_RETURN_ERROR 2, SP_RETURN_BAD_CONFIG 3.
      return found == 3 ? .invalidParameter : .noSuchDevice
    }
    var isUp = try await call(data[HwData.initialize], [hardware]) & 0xff != 0
    if isUp, case let routine = try adapter[ScsiAdapter.passiveRoutine], routine != 0 {
      isUp = try await call(routine, [hardware]) & 0xff != 0
    }
    guard isUp else {
      try releaseAdapter(device)
      // STATUS_ADAPTER_HARDWARE_ERROR
      return NTSTATUS(rawValue: 0xc000_00c2)
    }
    return .success
  }

  /// PORT_CONFIGURATION_INFORMATION as the miniport finds it: what its own data says, and what is not known yet.
  private func fillConfiguration(_ configuration: Words, _ data: Words, _ ranges: UInt64, _ count: UInt64) throws {
    // SP_UNINITIALIZED_VALUE
    let unknown: UInt64 = 0xffff_ffff
    try configuration.set([
      0: 0x8c, 8: data[HwData.interface], 0x18: unknown, 0x1c: unknown, 0x20: unknown, 0x24: unknown, 0x34: count, 0x38: ranges,
      0x7c: data[HwData.extensionSize], 0x80: data[HwData.unitSize], 0x84: data[HwData.requestSize],
    ])
    // No initiator has an identifier; MapBuffers to ReceiveEvent; eight targets.
    for bus in 0..<8 as Range<UInt64> { try configuration.set(byte: 0xff, at: 0x41 + bus) }
    for flag in 0..<6 as Range<UInt64> { try configuration.set(byte: data.byte(HwData.flags + flag), at: 0x51 + flag) }
    try configuration.set(byte: 8, at: 0x59)
  }

  /// ScsiStopAdapter, where the miniport takes it; and HwFreeAdapterResources.
  private func stopAdapter(_ device: Pointer<DEVICE_OBJECT>, _ known: Words) async throws {
    let (block, data) = (try words(of: device)[PortDevice.context], words(known.base + ScsiDriver.data))
    guard block != 0 else { return }
    if case let routine = try data[HwData.control], routine != 0 {
      _ = try await call(routine, [block + ScsiAdapter.size, 1, 0])
    }
    if try data[0] >= 0x58, case let routine = try data[HwData.freeResources], routine != 0 {
      _ = try await call(routine, [block + ScsiAdapter.size])
    }
    try releaseAdapter(device)
  }

  private func releaseAdapter(_ device: Pointer<DEVICE_OBJECT>) throws {
    let block = try words(of: device)[PortDevice.context]
    guard block != 0 else { return }
    try words(of: device).set(PortDevice.context, 0)
    timers.remove(.timer(block + ScsiAdapter.timer))
    if case let uncached = try words(block)[ScsiAdapter.uncached], hardware.blocks[uncached] != nil {
      try freeBlock(uncached, what: Self.contiguousMemory)
    }
    free(try words(block)[ScsiAdapter.ranges])
    free(block)
  }

  /// What is in front of a miniport's device extension; `nil` where that is none.
  func scsiAdapter(_ hardware: UInt64) -> Words? {
    let block = hardware &- ScsiAdapter.size
    guard nonPagedPool.blocks[block] != nil, (try? words(block)[0]) == ScsiAdapter.mark else { return nil }
    return words(block)
  }

  /// RequestTimerCall: `routine` is called with the extension after so many microseconds; 0 takes it back.
  func requestScsiTimer(_ hardware: UInt64, _ routine: UInt64, _ microseconds: UInt32) throws {
    guard let adapter = scsiAdapter(hardware) else { return }
    let timer = Pointer<KTIMER>(adapter.base + ScsiAdapter.timer, in: memory.memory)
    let dpc = Pointer<KDPC>(adapter.base + ScsiAdapter.dpc, in: memory.memory)
    timers.remove(.timer(timer.address))
    guard microseconds > 0, routine != 0 else { return }
    try adapter.set(ScsiAdapter.timerRoutine, routine)
    try prepare(timer)
    try prepare(dpc, routine: trapAddress(of: "ScsiPortTimerDpc", in: "scsiport"), context: hardware)
    _ = try setTimer(timer, due: -10 * Int64(microseconds), period: 0, dpc)
  }
}
