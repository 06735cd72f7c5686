import Events
import Guest
import WindowsTypes

/// An adapter: what a `MiniportAdapterHandle` leads to, an `NDIS_MINIPORT_BLOCK` whose handlers the macros of NDIS 5 call (ndis.h).
private enum Adapter {
  static let context: UInt64 = 0xc
  static let name: UInt64 = 0x10
  static let deviceObject: UInt64 = 0x108
  static let physicalDevice: UInt64 = 0x10c
  static let nextDevice: UInt64 = 0x110
  /// Behind the structure: the driver, and the device.
  static let driver: UInt64 = 0x300
  static let device: UInt64 = 0x304
  static let size: UInt32 = 0x320

  /// What each handler of the block leads to, all told of data or events that no protocol is there for.
  static let handlers: [(offset: UInt64, routine: String)] = [
    (0xe8, "NdisMIndicateReceivePacket"), (0xec, "NdisMIgnoreThree"), (0xf0, "NdisMIgnoreOne"), (0xf4, "NdisMIgnoreThree"),
    (0x164, "NdisMIgnoreEight"), (0x168, "NdisMIgnoreEight"), (0x16c, "NdisMIgnoreEight"), (0x170, "NdisMIgnoreOne"),
    (0x174, "NdisMIgnoreOne"), (0x178, "NdisMIgnoreOne"), (0x17c, "NdisMIgnoreFour"), (0x180, "NdisMIgnoreOne"),
    (0x184, "NdisMIgnoreFour"), (0x188, "NdisMIgnoreTwo"), (0x18c, "NdisMIgnoreTwo"), (0x190, "NdisMIgnoreThree"),
    (0x194, "NdisMIgnoreFive"), (0x198, "NdisMIgnoreTwo"),
  ]
}

extension Export {
  /// Those handlers. Without a protocol, whatever is told is heard by nobody, and packets are the miniport's again at once.
  static let ndisHandlers: [Export] = [
    export("NdisMIndicateReceivePacket(MiniportAdapterHandle, ReceivePackets, NumberOfPackets)", module: "ndis", isImportable: false) {
      (kernel, adapter: GuestWord, packets: Pointer<UInt32>, count: UInt32) in
      for index in 0..<Int(min(count, 0x1000)) {
        let packet = UInt64(try packets[index].load())
        let place = packet + UInt64(try kernel.words(packet).half(0x1e))
        // NDIS_PACKET_OOB_DATA.Status
        try kernel.words(place).set(0x1c, 0)
      }
    },
    export("NdisMIgnoreOne(MiniportAdapterHandle)", module: "ndis", isImportable: false) { (_, adapter: GuestWord) in },
    export("NdisMIgnoreTwo(MiniportAdapterHandle, Status)", module: "ndis", isImportable: false) {
      (_, adapter: GuestWord, status: UInt32) in
    },
    export("NdisMIgnoreThree(MiniportAdapterHandle, Packet, Status)", module: "ndis", isImportable: false) {
      (_, adapter: GuestWord, packet: GuestWord, status: UInt32) in
    },
    export("NdisMIgnoreFour(MiniportAdapterHandle, GeneralStatus, StatusBuffer, StatusBufferSize)", module: "ndis", isImportable: false) {
      (_, adapter: GuestWord, status: UInt32, buffer: GuestWord, size: UInt32) in
    },
    export("NdisMIgnoreFive(Status, MiniportAdapterHandle, NdisLinkContext, Packet, PacketSize)", module: "ndis", isImportable: false) {
      (_, status: Pointer<UInt32>, adapter: GuestWord, link: GuestWord, packet: GuestWord, size: UInt32) in
      try status.store(0)
    },
    export(
      "NdisMIgnoreEight(Filter, MacReceiveContext, Address, HeaderBuffer, HeaderBufferSize, LookaheadBuffer, LookaheadBufferSize, PacketSize)",
      module: "ndis", isImportable: false
    ) {
      (
        _, filter: GuestWord, context: GuestWord, address: GuestWord, header: GuestWord, headerSize: UInt32, ahead: GuestWord,
        aheadSize: UInt32, size: UInt32
      ) in
    },
  ]

  /// The same as routines, for miniports that were built without the macros. An adapter that nobody is bound to has nothing to say.
  static let ndisIndications: [Export] = [
    ("One", "NdisMSendResourcesAvailable(MiniportAdapterHandle)"), ("One", "NdisMIndicateStatusComplete(MiniportAdapterHandle)"),
    ("Two", "NdisMQueryInformationComplete(MiniportAdapterHandle, Status)"),
    ("Two", "NdisMSetInformationComplete(MiniportAdapterHandle, Status)"),
    ("Three", "NdisMSendComplete(MiniportAdapterHandle, Packet, Status)"),
    ("Three", "NdisMResetComplete(MiniportAdapterHandle, Status, AddressingReset)"),
    ("Four", "NdisMIndicateStatus(MiniportAdapterHandle, GeneralStatus, StatusBuffer, StatusBufferSize)"),
    ("Four", "NdisMTransferDataComplete(MiniportAdapterHandle, Packet, Status, BytesTransferred)"),
    ("Five", "NdisMWanIndicateReceive(Status, MiniportAdapterHandle, NdisLinkContext, Packet, PacketSize)"),
    ("Two", "NdisMWanIndicateReceiveComplete(MiniportAdapterHandle, NdisLinkContext)"),
    ("Three", "NdisMWanSendComplete(MiniportAdapterHandle, Packet, Status)"),
    ("Three", "NdisMSendNetBufferListsComplete(MiniportAdapterHandle, NetBufferList, SendCompleteFlags)"),
    ("Three", "NdisMOidRequestComplete(MiniportAdapterHandle, OidRequest, Status)"),
  ].map { handler, prototype in ndisHandlers["NdisMIgnore" + handler].exported(as: prototype, by: "ndis") }

  /// What a miniport calls while it initialises an adapter.
  static let ndisAdapters: [Export] = [
    // nf-ndis-ndismsetattributesex: NdisMSetAttributes is a macro for an older form.
    export(
      "NdisMSetAttributesEx(MiniportAdapterHandle, MiniportAdapterContext, CheckForHangTimeInSeconds, AttributeFlags, AdapterType)",
      module: "ndis", irql: .passive
    ) {
      (kernel, adapter: GuestWord, context: GuestWord, seconds: UInt32, flags: UInt32, type: UInt32) in
      try kernel.words(adapter.bits).set(Adapter.context, context.bits)
    }
    .partially("the adapter is not asked whether it hangs"),
    export("NdisMSetAttributes(MiniportAdapterHandle, MiniportAdapterContext, BusMaster, AdapterType)", module: "ndis", irql: .passive) {
      (kernel, adapter: GuestWord, context: GuestWord, isMaster: UInt8, type: UInt32) in
      try kernel.words(adapter.bits).set(Adapter.context, context.bits)
    },
    // nf-ndis-ndismsetminiportattributes: NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES has the context.
    export("NdisMSetMiniportAttributes(NdisMiniportAdapterHandle, MiniportAttributes)", module: "ndis", irql: .passive) {
      (kernel, adapter: GuestWord, attributes: GuestWord) -> NTSTATUS in
      let given = kernel.words(attributes.bits)
      let type = try given.byte(0)
      guard 0x9e...0xa4 ~= type || type == 0xc5 else { return .invalidParameter }
      if type == 0x9e { try kernel.words(adapter.bits).set(Adapter.context, given[4]) }
      return .success
    }
    .partially("what the attributes say of the adapter is told to nobody"),
    // nf-ndis-ndismqueryadapterresources: the run's devices have none.
    export(
      "NdisMQueryAdapterResources(Status, WrapperConfigurationContext, ResourceList, BufferSize)", module: "ndis", irql: .passive
    ) {
      (_, status: Pointer<NTSTATUS>, context: GuestWord, list: GuestWord, size: GuestWord) in try status.store(.unsuccessful)
    },
    // nf-ndis-ndismpciassignresources
    export("NdisMPciAssignResources(MiniportHandle, SlotNumber, AssignedResources)", module: "ndis", irql: .passive) {
      (_, adapter: GuestWord, slot: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(0)
      return .unsuccessful
    },
    // nf-ndis-ndismregisterioportrange: every port answers as if nothing were there.
    export("NdisMRegisterIoPortRange(PortOffset, MiniportAdapterHandle, InitialPort, NumberOfPorts)", module: "ndis", irql: .passive) {
      (_, offset: Pointer<GuestWord>, adapter: GuestWord, first: UInt32, count: UInt32) -> NTSTATUS in
      guard UInt64(first) + UInt64(count) <= 0x1_0000 else { return .conflictingAddresses }
      try offset.store(GuestWord(UInt64(first)))
      return .success
    }
    .partially("two drivers that register one port do not conflict"),
    export("NdisMDeregisterIoPortRange(MiniportAdapterHandle, InitialPort, NumberOfPorts, PortOffset)", module: "ndis", irql: .passive) {
      (_, adapter: GuestWord, first: UInt32, count: UInt32, offset: GuestWord) in
    },
    // nf-ndis-ndismmapiospace
    export("NdisMMapIoSpace(VirtualAddress, MiniportAdapterHandle, PhysicalAddress, Length)", module: "ndis", irql: .passive) {
      (kernel, result: Pointer<GuestWord>, adapter: GuestWord, physical: UInt64, length: UInt32) -> NTSTATUS in
      let address = try kernel.mapDeviceMemory(physical, UInt64(length))
      try result.store(GuestWord(address))
      return address == 0 ? .insufficientResources : .success
    },
    export("NdisMUnmapIoSpace(MiniportAdapterHandle, VirtualAddress, Length)", module: "ndis", irql: .passive) {
      (kernel, adapter: GuestWord, address: GuestWord, length: UInt32) in
      try kernel.unmapDeviceMemory(address.bits, UInt64(length))
    },
    // nf-ndis-ndismregisterinterrupt: without an interrupt of its own the device raises none.
    export(
      "NdisMRegisterInterrupt(Interrupt, MiniportAdapterHandle, InterruptVector, InterruptLevel, RequestIsr, SharedInterrupt, InterruptMode)",
      module: "ndis", irql: .passive
    ) {
      (
        kernel, interrupt: GuestWord, adapter: GuestWord, vector: UInt32, level: UInt32, asks: UInt8, isShared: UInt8, mode: UInt32
      ) -> NTSTATUS in
      kernel.register(Kernel.ndisInterrupt, interrupt.bits)
      return .success
    }
    .partially("no device raises it"),
    export("NdisMDeregisterInterrupt(Interrupt)", module: "ndis", irql: .passive) { (kernel, interrupt: GuestWord) in
      kernel.unregister(Kernel.ndisInterrupt, interrupt.bits)
    },
    // nf-ndis-ndismregisterinterruptex
    export(
      "NdisMRegisterInterruptEx(MiniportAdapterHandle, MiniportAdapterContext, MiniportInterruptCharacteristics, NdisInterruptHandle)",
      module: "ndis", irql: .passive
    ) {
      (_, adapter: GuestWord, context: GuestWord, characteristics: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(0)
      // NDIS_STATUS_RESOURCE_CONFLICT: no interrupt is assigned.
      return NTSTATUS(rawValue: 0xc001_001e)
    },
    export("NdisMDeregisterInterruptEx(NdisInterruptHandle)", module: "ndis", irql: .passive) { (_, handle: GuestWord) in },
    // nf-ndis-ndismsynchronizewithinterrupt
    export(
      "NdisMSynchronizeWithInterrupt(Interrupt, SynchronizeFunction, SynchronizeContext)", module: "ndis"
    ) {
      (kernel, interrupt: GuestWord, routine: GuestWord, context: GuestWord) async throws -> UInt8 in
      UInt8(truncatingIfNeeded: try await kernel.call(routine.bits, [context.bits]))
    }
    .partially("the IRQL stays: no interrupt comes"),
    // nf-ndis-ndismregisteradaptershutdownhandler
    export(
      "NdisMRegisterAdapterShutdownHandler(MiniportHandle, ShutdownContext, ShutdownHandler)", module: "ndis", irql: .passive
    ) {
      (_, adapter: GuestWord, context: GuestWord, handler: GuestWord) in
    }
    .partially("the machine is never shut down, so the handler is not called"),
    export("NdisMDeregisterAdapterShutdownHandler(MiniportHandle)", module: "ndis", irql: .passive) { (_, adapter: GuestWord) in },
    // nf-ndis-ndismallocatemapregisters
    export(
      "NdisMAllocateMapRegisters(MiniportAdapterHandle, DmaChannel, DmaSize, PhysicalMapRegistersNeeded, MaximumPhysicalMapping)",
      module: "ndis", irql: .passive
    ) {
      (_, adapter: GuestWord, channel: UInt32, size: UInt8, count: UInt32, maximum: UInt32) -> NTSTATUS in
      count > 0x1_0000 ? .insufficientResources : .success
    },
    export("NdisMFreeMapRegisters(MiniportAdapterHandle)", module: "ndis", irql: .passive) { (_, adapter: GuestWord) in },
    // nf-ndis-ndisminitializescattergatherdma
    export(
      "NdisMInitializeScatterGatherDma(MiniportAdapterHandle, Dma64BitAddresses, MaximumPhysicalMapping)", module: "ndis", irql: .passive
    ) {
      (_, adapter: GuestWord, is64Bit: UInt8, maximum: UInt32) -> NTSTATUS in .success
    },
    // nf-ndis-ndismallocatesharedmemory: null where there is none.
    export(
      "NdisMAllocateSharedMemory(MiniportAdapterHandle, Length, Cached, VirtualAddress, PhysicalAddress)", module: "ndis", irql: .passive
    ) {
      (
        kernel, adapter: GuestWord, length: UInt32, isCached: UInt8, result: Pointer<GuestWord>, physical: Pointer<UInt64>
      ) in
      let address = length == 0 || length > 0x100_0000 ? 0 : try kernel.allocateContiguous(UInt64(length))
      try result.store(GuestWord(address))
      try physical.store(address == 0 ? 0 : kernel.physicalAddress(of: address))
    },
    // A physical address takes eight bytes.
    export(
      "NdisMFreeSharedMemory(MiniportAdapterHandle, Length, Cached, VirtualAddress, PhysicalAddress)", module: "ndis", irql: .passive
    ) {
      (kernel, adapter: GuestWord, length: UInt32, isCached: UInt8, address: GuestWord, physical: UInt64) async throws in
      try await kernel.nt("MmFreeContiguousMemory", address.bits)
    },
    // nf-ndis-ndisreadpcislotinformation: the adapter is no PCI device, so nothing is read.
    export(
      "NdisReadPciSlotInformation(NdisAdapterHandle, SlotNumber, Offset, Buffer, Length)", module: "ndis"
    ) {
      (_, adapter: GuestWord, slot: UInt32, offset: UInt32, buffer: GuestWord, length: UInt32) -> UInt32 in 0
    },
    export(
      "NdisWritePciSlotInformation(NdisAdapterHandle, SlotNumber, Offset, Buffer, Length)", module: "ndis"
    ) {
      (_, adapter: GuestWord, slot: UInt32, offset: UInt32, buffer: GuestWord, length: UInt32) -> UInt32 in 0
    },
    // nf-ndis-ndismgetbusdata, nf-ndis-ndismsetbusdata: WhichSpace 0 is configuration space.
    export("NdisMGetBusData(NdisMiniportHandle, WhichSpace, Offset, Buffer, Length)", module: "ndis") {
      (_, adapter: GuestWord, space: UInt32, offset: UInt32, buffer: GuestWord, length: UInt32) -> UInt32 in 0
    },
    export("NdisMSetBusData(NdisMiniportHandle, WhichSpace, Offset, Buffer, Length)", module: "ndis") {
      (_, adapter: GuestWord, space: UInt32, offset: UInt32, buffer: GuestWord, length: UInt32) -> UInt32 in 0
    },
    // nf-ndis-ndismgetdeviceproperty: each result is optional.
    export(
      "NdisMGetDeviceProperty(MiniportAdapterHandle, PhysicalDeviceObject, FunctionalDeviceObject, NextDeviceObject, AllocatedResources, AllocatedResourcesTranslated)",
      module: "ndis", irql: .passive
    ) {
      (
        kernel, adapter: GuestWord, physical: Pointer<GuestWord>, functional: Pointer<GuestWord>, next: Pointer<GuestWord>,
        resources: Pointer<GuestWord>, translated: Pointer<GuestWord>
      ) in
      let block = kernel.words(adapter.bits)
      for (result, offset) in [(physical, Adapter.physicalDevice), (functional, Adapter.deviceObject), (next, Adapter.nextDevice)]
      where !result.isNull { try result.store(GuestWord(block[offset])) }
      for result in [resources, translated] where !result.isNull { try result.store(0) }
    },
    // nf-ndis-ndismqueryadapterinstancename: a string that the caller frees.
    export("NdisMQueryAdapterInstanceName(AdapterInstanceName, MiniportHandle)", module: "ndis", irql: .passive) {
      (kernel, result: Pointer<UNICODE_STRING>, adapter: GuestWord) -> NTSTATUS in
      guard case let device = try kernel.words(adapter.bits)[Adapter.physicalDevice],
        let node = kernel.hardware.plugAndPlay.nodes[device]
      else { return .unsuccessful }
      let units = Array(node.service.utf16)
      let text = try kernel.allocateText(node.service + "\0")
      guard text != 0 else { return .insufficientResources }
      try result.Length.store(UInt16(units.count * 2))
      try result.MaximumLength.store(UInt16(units.count * 2 + 2))
      try result.Buffer.store(Pointer(text, in: kernel.memory.memory))
      return .success
    },
    // nf-ndis-ndismindicatestatusex and its like: no protocol hears of it.
    export("NdisMIndicateStatusEx(MiniportAdapterHandle, StatusIndication)", module: "ndis", irql: .dispatch) {
      (_, adapter: GuestWord, indication: GuestWord) in
    },
    export("NdisMPauseComplete(MiniportAdapterHandle)", module: "ndis", irql: .dispatch) { (_, adapter: GuestWord) in },
    export("NdisMRestartComplete(MiniportAdapterHandle, Status)", module: "ndis", irql: .dispatch) {
      (_, adapter: GuestWord, status: NTSTATUS) in
    },
    // nf-ndis-ndismregisterscattergatherdma
    export("NdisMRegisterScatterGatherDma(MiniportAdapterHandle, DmaDescription, NdisMiniportDmaHandle)", module: "ndis", irql: .passive) {
      (kernel, adapter: GuestWord, description: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      guard try kernel.words(description.bits).byte(0) == 0x83 else { return .invalidParameter }
      let handle = try kernel.allocate(8)
      kernel.register(Kernel.ndisDma, handle)
      try result.store(GuestWord(handle))
      return .success
    }
    .partially("no transfer is mapped by it"),
    export("NdisMDeregisterScatterGatherDma(NdisMiniportDmaHandle)", module: "ndis", irql: .passive) { (kernel, handle: GuestWord) in
      if kernel.unregister(Kernel.ndisDma, handle.bits) { kernel.free(handle.bits) }
    },
  ]
}

extension Kernel {
  fileprivate static let ndisInterrupt = "an NDIS interrupt"
  fileprivate static let ndisDma = "an NDIS scatter/gather handle"

  /// The adapter's driver, as ``NdisDriver`` describes it, if `handle` is an adapter's.
  func ndisDriver(ofAdapter handle: UInt64) -> Words? {
    guard let driver = try? words(handle)[Adapter.driver], isNdisDriver(driver),
      let device = try? words(handle)[Adapter.device], io.objects[device] != nil
    else { return nil }
    return words(driver)
  }

  /// What the miniport gave as its context of the adapter.
  func ndisContext(ofAdapter handle: UInt64) throws -> UInt64 { try words(handle)[Adapter.context] }

  private static func ndisAdapterName(_ number: UInt64) -> String {
    "\\Device\\{50524F42-454C-4F43-4B00-" + hex(number, digits: 12).uppercased() + "}"
  }

  /// The identifier in an adapter's name, `{50524F42-454C-4F43-4B00-000000000001}`, and its number from 0.
  func ndisIdentifier(ofAdapter handle: UInt64) -> (text: String, index: Int)? {
    guard ndisDriver(ofAdapter: handle) != nil,
      let name = try? Pointer<UNICODE_STRING>(handle + Adapter.name, in: memory.memory).string(), name.count >= 46
    else { return nil }
    let text = String(name.suffix(38))
    return (text, max(0, (Int(text.suffix(13).dropLast(), radix: 16) ?? 1) - 1) % 10_000)
  }

  /// The driver's AddDevice: the adapter's functional device, named as its binding would be.
  func addNdisAdapter(_ driver: Pointer<DRIVER_OBJECT>, _ physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS {
    guard let data = try portData(of: driver, "ndis"), try data[NdisDriver.version] != 0 else { return .unsuccessful }
    // FILE_DEVICE_PHYSICAL_NETCARD. The name's identifier is ours: an installation makes one up.
    try makeNamespace()
    var number: UInt64 = 1
    while number < 0x1000, io.namespace[Self.ndisAdapterName(number)] != nil { number += 1 }
    let name = Self.ndisAdapterName(number)
    let (status, device) = try await addPortDevice(driver, over: physical, type: 0x17, size: Adapter.size, name: name)
    guard status.isSuccess else { return status }
    let extensionBase = try device.DeviceExtension.load().address
    let block = words(extensionBase + UInt64(PortDevice.size))
    try words(extensionBase).set(PortDevice.context, block.base)
    try block.set([
      Adapter.driver: data.base, Adapter.device: device.address, Adapter.deviceObject: device.address,
      Adapter.physicalDevice: physical.address, Adapter.nextDevice: words(extensionBase)[PortDevice.lower],
    ])
    for (offset, routine) in Adapter.handlers { try block.set(offset, trapAddress(of: routine, in: "ndis")) }
    try store(name, in: Pointer(block.base + Adapter.name, in: memory.memory))
    return .success
  }

  /// A request to a device of NDIS's: one that a driver registered, or an adapter's functional device.
  func dispatchNdis(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    if let registered = try registeredNdisDevice(device) {
      let major = try irp.Tail.Overlay.CurrentStackLocation.load().MajorFunction.load()
      let routine = major.rawValue < UInt8(IRP_MJ.count) ? try registered[NdisDevice.routines + 4 * UInt64(major.rawValue)] : 0
      if routine != 0 { return try await status(of: routine, device.address, irp.address) }
      try await complete(irp, .invalidDeviceRequest, 0)
      return .invalidDeviceRequest
    }
    let block = words(try words(of: device)[PortDevice.context])
    guard let driver = ndisDriver(ofAdapter: block.base) else {
      try await complete(irp, .invalidDeviceRequest, 0)
      return .invalidDeviceRequest
    }
    return try await dispatchPort(device, irp, start: { try await initialize(block, driver) }, stop: { try await halt(block, driver) })
  }

  /// MiniportInitialize, or MiniportInitializeEx of NDIS 6.
  private func initialize(_ adapter: Words, _ driver: Words) async throws -> NTSTATUS {
    guard try driver[NdisDriver.isIntermediate] == 0 else { return .success }
    let characteristics = words(driver.base + NdisDriver.characteristics)
    let place = try allocate(0x80)
    defer { free(place) }
    let status: NTSTATUS
    if try driver[NdisDriver.version] >= 0x6_0000 {
      // NDIS_MINIPORT_INIT_PARAMETERS, revision 1.
      try words(place).set([0: 0x0040_0181, 0x14: 1, 0x18: 1])
      status = try await self.status(of: try characteristics[0x10], adapter.base, driver[NdisDriver.context], place)
    } else {
      // NdisMedium802_3 to NdisMediumInfiniBand.
      for medium in 0..<15 as Range<UInt64> { try words(place).set(8 + 4 * medium, medium) }
      status = try await self.status(of: try characteristics[0x1c], place, place + 4, place + 8, 15, adapter.base, adapter.base)
    }
    // NDIS's own codes mean nothing to the Plug and Play manager.
    return status.rawValue >> 16 == 0xc001 ? .unsuccessful : status
  }

  /// MiniportHalt, or MiniportHaltEx with NdisHaltDeviceDisabled.
  private func halt(_ adapter: Words, _ driver: Words) async throws {
    guard try driver[NdisDriver.isIntermediate] == 0 else { return }
    let isNew = try driver[NdisDriver.version] >= 0x6_0000
    let routine = try words(driver.base + NdisDriver.characteristics)[0x14]
    _ = try await call(routine, [try adapter[Adapter.context]] + (isNew ? [0] : []))
  }
}
