import Guest
import WindowsTypes

/// netio.sys and fwpkclnt.sys: network modules that register with each other (netioddk.h), and changes that drivers hear of (netioapi.h).
extension Export {
  static let networkModules: [Export] = [
    // nf-netioddk-nmrregisterclient, nf-netioddk-nmrregisterprovider: NPI_CLIENT_CHARACTERISTICS and its like begin with version 0.
    registerModule("NmrRegisterClient(ClientCharacteristics, ClientContext, NmrClientHandle)", Kernel.npiClient),
    registerModule("NmrRegisterProvider(ProviderCharacteristics, ProviderContext, NmrProviderHandle)", Kernel.npiProvider),
    // nf-netioddk-nmrderegisterclient: STATUS_PENDING, and the wait for its end.
    deregisterModule("NmrDeregisterClient(NmrClientHandle)", Kernel.npiClient),
    deregisterModule("NmrDeregisterProvider(NmrProviderHandle)", Kernel.npiProvider),
    export("NmrWaitForClientDeregisterComplete(NmrClientHandle)", module: "netio", irql: .passive) {
      (_, handle: GuestWord) -> NTSTATUS in .success
    },
    export("NmrWaitForProviderDeregisterComplete(NmrProviderHandle)", module: "netio", irql: .passive) {
      (_, handle: GuestWord) -> NTSTATUS in .success
    },
    // nf-netioapi-notifyipinterfacechange and the pages beside it
    notification("NotifyIpInterfaceChange"), notification("NotifyUnicastIpAddressChange"), notification("NotifyRouteChange2"),
    // nf-netioapi-cancelmibchangenotify2
    export("CancelMibChangeNotify2(NotificationHandle)", module: "netio", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.unregister(Kernel.networkNotification, handle.bits) else { return .invalidParameter }
      kernel.free(handle.bits)
      return .success
    },
    // nf-fwpmk-fwpmbfestateget0: FWPM_SERVICE_RUNNING.
    export("FwpmBfeStateGet0()", module: "fwpkclnt", irql: .dispatch) { _ -> UInt32 in 3 },
    // nf-fwpmk-fwpmbfestatesubscribechanges0, nf-fwpmk-fwpmbfestateunsubscribechanges0
    export("FwpmBfeStateSubscribeChanges0(deviceObject, callback, context, changeHandle)", module: "fwpkclnt", irql: .passive) {
      (kernel, device: GuestWord, routine: GuestWord, context: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      guard device.bits != 0, routine.bits != 0 else { return .invalidParameter }
      let handle = try kernel.allocate(0x10)
      kernel.register(Kernel.engineSubscription, handle)
      try result.store(GuestWord(handle))
      return .success
    }
    .partially("the engine runs from the beginning to the end, so the callback is not called"),
    export("FwpmBfeStateUnsubscribeChanges0(changeHandle)", module: "fwpkclnt", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.unregister(Kernel.engineSubscription, handle.bits) else { return .invalidHandle }
      kernel.free(handle.bits)
      return .success
    },
  ]

  private static func registerModule(_ prototype: String, _ what: String) -> Export {
    export(prototype, module: "netio", irql: .passive) {
      (kernel, characteristics: GuestWord, context: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      let given = kernel.words(characteristics.bits)
      // Its routines for attaching and detaching.
      guard try given.half(0) == 0, try given[4] != 0, try given[8] != 0 else { return .invalidParameter }
      let handle = try kernel.allocate(0x10)
      kernel.register(what, handle)
      try result.store(GuestWord(handle))
      return .success
    }
    .partially("no module of the other side is there, so nobody attaches")
  }

  private static func deregisterModule(_ prototype: String, _ what: String) -> Export {
    export(prototype, module: "netio", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.unregister(what, handle.bits) else { return .invalidParameter }
      kernel.free(handle.bits)
      return .pending
    }
  }

  private static func notification(_ name: String) -> Export {
    export("\(name)(Family, Callback, CallerContext, InitialNotification, NotificationHandle)", module: "netio", irql: .passive) {
      (
        kernel, family: UInt16, routine: GuestWord, context: GuestWord, isInitial: UInt8, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      // AF_UNSPEC, AF_INET, AF_INET6.
      guard [0, 2, 23].contains(family), routine.bits != 0, !result.isNull else { return .invalidParameter }
      let handle = try kernel.allocate(0x10)
      kernel.register(Kernel.networkNotification, handle)
      try result.store(GuestWord(handle))
      // MibInitialNotification, without a row.
      if isInitial != 0 { _ = try await kernel.call(routine.bits, [context.bits, 0, 3]) }
      return .success
    }
    .partially("the network does not change")
  }
}

extension Kernel {
  fileprivate static let npiClient = "a client of the network module registrar's"
  fileprivate static let npiProvider = "a provider of the network module registrar's"
  fileprivate static let networkNotification = "a notification of network changes"
  fileprivate static let engineSubscription = "a subscription to the filter engine's state"
}
