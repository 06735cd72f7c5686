import Guest
import WindowsTypes

/// ndis.sys: what miniports do with data and with the hardware that they ask for, which no adapter of a run has.
extension Export {
  static let ndisHardware: [Export] = [
    // nf-ndis-ndismindicatereceivenetbufferlists: nobody is bound, so the lists are the miniport's again at once, by
    // MiniportReturnNetBufferLists; with NDIS_RECEIVE_FLAGS_RESOURCES they are when the call returns.
    export(
      "NdisMIndicateReceiveNetBufferLists(MiniportAdapterHandle, NetBufferLists, PortNumber, NumberOfNetBufferLists, ReceiveFlags)",
      module: "ndis", irql: .dispatch
    ) {
      (kernel, adapter: GuestWord, lists: GuestWord, port: UInt32, count: UInt32, flags: UInt32) async throws in
      guard flags & 2 == 0, lists.bits != 0, let driver = kernel.ndisDriver(ofAdapter: adapter.bits),
        try driver[NdisDriver.version] >= 0x6_0000,
        case let routine = try kernel.words(driver.base + NdisDriver.characteristics)[0x2c], routine != 0
      else { return }
      // NDIS_RETURN_FLAGS_DISPATCH_LEVEL as it was given.
      _ = try await kernel.call(routine, [kernel.ndisContext(ofAdapter: adapter.bits), lists.bits, UInt64(flags & 1)])
    },
    // nf-ndis-ndismregisterdmachannel: NDIS_STATUS_RESOURCE_CONFLICT, for the bus has no such channel.
    export(
      "NdisMRegisterDmaChannel(MiniportDmaHandle, MiniportAdapterHandle, DmaChannel, Dma32BitAddresses, DmaDescription, MaximumLength)",
      module: "ndis", irql: .passive
    ) {
      (
        _, result: Pointer<GuestWord>, adapter: GuestWord, channel: UInt32, is32Bit: UInt8, description: GuestWord, maximum: UInt32
      ) -> NTSTATUS in
      try result.store(0)
      return NTSTATUS(rawValue: 0xc001_001e)
    },
    // nf-ndis-ndismgetdmaalignment: the caches of this processor are coherent.
    export("NdisMGetDmaAlignment(MiniportAdapterHandle)", module: "ndis", irql: .passive) { (_, adapter: GuestWord) -> UInt32 in 1 },
    // NdisReadEisaSlotInformation (ndis.h): there is no such bus.
    export("NdisReadEisaSlotInformation(Status, WrapperConfigurationContext, SlotNumber, EisaData)", module: "ndis", irql: .passive) {
      (_, status: Pointer<NTSTATUS>, context: GuestWord, slot: GuestWord, data: GuestWord) in try status.store(.unsuccessful)
    },
    // nf-ndis-ndisreadpcmciaattributememory, nf-ndis-ndiswritepcmciaattributememory: no byte, for the adapter is no such card.
    export("NdisReadPcmciaAttributeMemory(NdisAdapterHandle, Offset, Buffer, Length)", module: "ndis", irql: .passive) {
      (_, adapter: GuestWord, offset: UInt32, buffer: GuestWord, length: UInt32) -> UInt32 in 0
    },
    export("NdisWritePcmciaAttributeMemory(NdisAdapterHandle, Offset, Buffer, Length)", module: "ndis", irql: .passive) {
      (_, adapter: GuestWord, offset: UInt32, buffer: GuestWord, length: UInt32) -> UInt32 in 0
    },
    // nf-ndis-ndisimmediatereadportuchar and its like: before the adapter has its ports.
    immediateRead("Uchar", "UCHAR") { (kernel, value, place) in try kernel.memory.memory.store(UInt8(truncatingIfNeeded: value), at: place)
    },
    immediateRead("Ushort", "USHORT") { (kernel, value, place) in
      try kernel.memory.memory.store(UInt16(truncatingIfNeeded: value), at: place)
    },
    immediateRead("Ulong", "ULONG") { (kernel, value, place) in try kernel.memory.memory.store(UInt32(truncatingIfNeeded: value), at: place)
    },
    immediateWrite("Uchar", "UCHAR", UInt8.self), immediateWrite("Ushort", "USHORT", UInt16.self),
    immediateWrite("Ulong", "ULONG", UInt32.self),
    // nf-ndis-ndismcmregisteraddressfamily: an integrated call manager's. Clients would be told of it.
    export(
      "NdisMCmRegisterAddressFamily(MiniportAdapterHandle, AddressFamily, CmCharacteristics, SizeOfCmCharacteristics)", module: "ndis",
      irql: .passive
    ) {
      (kernel, adapter: GuestWord, family: GuestWord, characteristics: GuestWord, size: UInt32) -> NTSTATUS in
      guard kernel.ndisDriver(ofAdapter: adapter.bits) != nil else { return .unsuccessful }
      // CmMajorVersion, which NDIS 4.1 and 5 have.
      return try 4...5 ~= kernel.words(characteristics.bits).byte(0) ? .success : .ndisBadVersion
    }
    .partially("no client opens the address family"),
    // nf-ndis-ndiscompareansistring, nf-ndis-ndiscompareunicodestring
    comparison("NdisCompareAnsiString", by: "RtlCompareString"), comparison("NdisCompareUnicodeString", by: "RtlCompareUnicodeString"),
    // nf-ndis-ndiscurrentprocessorindex and its like: one processor in one group.
    export("NdisCurrentProcessorIndex()", module: "ndis", irql: .dispatch) { _ -> UInt32 in 0 },
    export("NdisActiveGroupCount()", module: "ndis") { _ -> UInt16 in 1 },
    export("NdisMaxGroupCount()", module: "ndis") { _ -> UInt16 in 1 },
    export("NdisGroupActiveProcessorMask(Group)", module: "ndis") { (_, group: UInt16) -> UInt32 in group == 0 ? 1 : 0 },
  ]

  private static func comparison(_ name: String, by original: String) -> Export {
    export("\(name)(String1, String2, CaseInsensitive)", module: "ndis", irql: .passive) {
      (kernel, first: GuestWord, second: GuestWord, ignoresCase: UInt8) async throws -> UInt32 in
      UInt32(truncatingIfNeeded: try await kernel.nt(original, first.bits, second.bits, UInt64(ignoresCase)))
    }
  }

  private static func immediateRead(
    _ name: String, _ type: String, store: @escaping @Sendable (Kernel, UInt64, UInt64) throws -> Void
  ) -> Export {
    export("NdisImmediateReadPort\(name)(WrapperConfigurationContext, Port, Data)", module: "ndis", irql: .passive) {
      (kernel, context: GuestWord, port: UInt32, data: GuestWord) async throws in
      try store(kernel, await kernel.call(kernel.trapAddress(of: "READ_PORT_" + type, in: "hal"), [UInt64(port)]), data.bits)
    }
  }

  private static func immediateWrite<Value: GuestValue>(_ name: String, _ type: String, _: Value.Type) -> Export {
    export("NdisImmediateWritePort\(name)(WrapperConfigurationContext, Port, Data)", module: "ndis", irql: .passive) {
      (kernel, context: GuestWord, port: UInt32, value: Value) async throws in
      _ = try await kernel.call(kernel.trapAddress(of: "WRITE_PORT_" + type, in: "hal"), [UInt64(port), value.bits])
    }
  }
}
