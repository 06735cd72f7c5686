import Events
import Guest
import WindowsTypes

extension Export {
  /// ndis.sys: protocols and filters as they register and go. No adapter is bound to.
  static let ndisProtocols: [Export] = [
    // nf-ndis-ndisregisterprotocol: NDIS_PROTOCOL_CHARACTERISTICS of NDIS 3, 4 or 5.
    export(
      "NdisRegisterProtocol(Status, NdisProtocolHandle, ProtocolCharacteristics, CharacteristicsLength)", module: "ndis", irql: .passive
    ) {
      (kernel, status: Pointer<NTSTATUS>, result: Pointer<GuestWord>, characteristics: GuestWord, length: UInt32) in
      let given = kernel.words(characteristics.bits)
      let sizes: [UInt8: UInt32] = [3: 0x38, 4: 0x4c, 5: 0x6c]
      guard let size = try sizes[given.byte(0)] else { return try status.store(.ndisBadVersion) }
      guard length >= size else { return try status.store(.ndisBadCharacteristics) }
      try result.store(GuestWord(kernel.registerNdis(Kernel.ndisProtocol)))
      try status.store(.success)
    }
    .partially("there is no adapter, so BindAdapterHandler and PnPEventHandler are not called"),
    // nf-ndis-ndisderegisterprotocol
    export("NdisDeregisterProtocol(Status, NdisProtocolHandle)", module: "ndis", irql: .passive) {
      (kernel, status: Pointer<NTSTATUS>, handle: GuestWord) in
      try status.store(kernel.deregisterNdis(Kernel.ndisProtocol, handle.bits) ? .success : .unsuccessful)
    },
    // nf-ndis-ndisopenadapter: the adapter that is named is not there.
    export(
      "NdisOpenAdapter(Status, OpenErrorStatus, NdisBindingHandle, SelectedMediumIndex, MediumArray, MediumArraySize, NdisProtocolHandle, ProtocolBindingContext, AdapterName, OpenOptions, AddressingInformation)",
      module: "ndis", irql: .passive
    ) {
      (
        _, status: Pointer<NTSTATUS>, error: GuestWord, binding: GuestWord, index: GuestWord, mediums: GuestWord, count: UInt32,
        handle: GuestWord, context: GuestWord, name: GuestWord, options: UInt32, addressing: GuestWord
      ) in try status.store(.ndisAdapterNotFound)
    },
    // nf-ndis-ndisopenadapterex
    export(
      "NdisOpenAdapterEx(NdisProtocolHandle, ProtocolBindingContext, OpenParameters, BindContext, NdisBindingHandle)", module: "ndis",
      irql: .passive
    ) {
      (_, handle: GuestWord, context: GuestWord, parameters: GuestWord, bind: GuestWord, binding: GuestWord) -> NTSTATUS in
      .ndisAdapterNotFound
    },
    // nf-ndis-ndisreenumerateprotocolbindings
    export("NdisReEnumerateProtocolBindings(NdisProtocolHandle)", module: "ndis", irql: .passive) { (_, handle: GuestWord) in },
    // nf-ndis-ndisregisterprotocoldriver: ProtocolSetOptions is called before it returns.
    export("NdisRegisterProtocolDriver(ProtocolDriverContext, ProtocolCharacteristics, NdisProtocolHandle)", module: "ndis", irql: .passive)
    {
      (kernel, context: GuestWord, characteristics: GuestWord, result: Pointer<GuestWord>) async throws -> NTSTATUS in
      let given = kernel.words(characteristics.bits)
      // NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS
      guard try given.byte(0) == 0x95 else { return .ndisBadCharacteristics }
      guard try given.byte(4) == 6, try given.byte(5) <= 20 else { return .ndisBadVersion }
      // BindAdapterHandlerEx, UnbindAdapterHandlerEx, OpenAdapterCompleteHandlerEx and CloseAdapterCompleteHandlerEx.
      for offset in [0x18, 0x1c, 0x20, 0x24] as [UInt64] where try given[offset] == 0 { return .ndisBadCharacteristics }
      return try await kernel.registerNdis(
        Kernel.ndisProtocol, options: given[0x14], context: context.bits, result)
    }
    .partially("there is no adapter, so no handler but ProtocolSetOptions is called"),
    // nf-ndis-ndisderegisterprotocoldriver
    export("NdisDeregisterProtocolDriver(NdisProtocolHandle)", module: "ndis", irql: .passive) { (kernel, handle: GuestWord) in
      _ = kernel.deregisterNdis(Kernel.ndisProtocol, handle.bits)
    },
    // nf-ndis-ndisfregisterfilterdriver: FilterSetOptions is called before it returns.
    export(
      "NdisFRegisterFilterDriver(DriverObject, FilterDriverContext, FilterDriverCharacteristics, NdisFilterDriverHandle)", module: "ndis",
      irql: .passive
    ) {
      (
        kernel, driver: Pointer<DRIVER_OBJECT>, context: GuestWord, characteristics: GuestWord, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      let given = kernel.words(characteristics.bits)
      // NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS
      guard try given.byte(0) == 0x8b else { return .ndisBadCharacteristics }
      guard try given.byte(4) == 6, try given.byte(5) <= 20 else { return .ndisBadVersion }
      // AttachHandler, DetachHandler, RestartHandler and PauseHandler.
      for offset in [0x2c, 0x30, 0x34, 0x38] as [UInt64] where try given[offset] == 0 { return .ndisBadCharacteristics }
      guard let data = try kernel.makePortData(of: driver, "ndis", size: NdisDriver.size) else { return .insufficientResources }
      try data.set(NdisDriver.object, driver.address)
      kernel.register(Kernel.ndisFilter, data.base)
      try result.store(GuestWord(data.base))
      guard case let options = try given[0x24], options != 0 else { return .success }
      let status = try await kernel.status(of: options, data.base, context.bits)
      if !status.isSuccess { kernel.unregister(Kernel.ndisFilter, data.base) }
      return status
    }
    .partially("there is no adapter to attach to, so no handler but FilterSetOptions is called"),
    // nf-ndis-ndisfderegisterfilterdriver
    export("NdisFDeregisterFilterDriver(NdisFilterDriverHandle)", module: "ndis", irql: .passive) { (kernel, handle: GuestWord) in
      kernel.unregister(Kernel.ndisFilter, handle.bits)
    },
    // nf-ndis-ndiscompletenetpnpevent, nf-ndis-ndiscompletepnpevent
    export("NdisCompletePnPEvent(Status, NdisBindingHandle, NetPnPEvent)", module: "ndis", irql: .passive) {
      (_, status: NTSTATUS, binding: GuestWord, event: GuestWord) in
    },
    export("NdisCompleteNetPnPEvent(NdisBindingHandle, NetPnPEventNotification, Status)", module: "ndis", irql: .passive) {
      (_, binding: GuestWord, event: GuestWord, status: NTSTATUS) in
    },
    // NdisRegisterTdiCallBack (ndis.h of the time): TDI's own, for binding to transports.
    export("NdisRegisterTdiCallBack(RegisterCallback, PnPHandler)", module: "ndis", irql: .passive) {
      (kernel, callback: GuestWord, handler: GuestWord) in
      kernel.register(Kernel.tdiCallback, 0)
    },
    export("NdisDeregisterTdiCallBack()", module: "ndis", irql: .passive) { kernel in kernel.unregister(Kernel.tdiCallback, 0) },
  ]
}

extension Kernel {
  fileprivate static let ndisProtocol = "an NDIS protocol"
  fileprivate static let ndisFilter = "an NDIS filter driver"
  fileprivate static let tdiCallback = "a TDI callback of NDIS's"

  fileprivate func registerNdis(_ what: String) throws -> UInt64 {
    let handle = try allocate(0x20)
    register(what, handle)
    return handle
  }

  fileprivate func registerNdis(
    _ what: String, options: UInt64, context: UInt64, _ result: Pointer<GuestWord>
  ) async throws -> NTSTATUS {
    let handle = try registerNdis(what)
    try result.store(GuestWord(handle))
    guard options != 0 else { return .success }
    let status = try await status(of: options, handle, context)
    if !status.isSuccess { _ = deregisterNdis(what, handle) }
    return status
  }

  fileprivate func deregisterNdis(_ what: String, _ handle: UInt64) -> Bool {
    guard unregister(what, handle) else { return false }
    free(handle)
    return true
  }
}
