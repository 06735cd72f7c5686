import Guest
import WindowsTypes

/// The Windows Filtering Platform's engine: what drivers add to it. No packet passes, so no callout is asked to classify one.
final class FilteringPlatform {
  enum Kind { case provider, sublayer, callout, filter }

  struct Contents {
    var keys: [Kind: Set<[UInt8]>] = [:]
    /// Filters by their run-time identifier, and callouts by theirs.
    var identifiers: [UInt64: (kind: Kind, key: [UInt8])] = [:]
  }

  var contents = Contents()
  /// The contents as a session's transaction found them.
  var transactions: [UInt64: Contents] = [:]
  var sessions: Set<UInt64> = []
  var injectionHandles: Set<UInt64> = []
  /// The callouts that drivers have registered: their identifier and device.
  var registered: [[UInt8]: UInt32] = [:]
  private var next: UInt64 = 0x100

  func identifier() -> UInt64 {
    next += 1
    return next
  }

  /// FWPM_SUBLAYER_UNIVERSAL, which is always there.
  static let universal: [UInt8] = [
    0x03, 0xcc, 0xbe, 0xee, 0xd4, 0xce, 0x80, 0x43, 0x81, 0x9a, 0x27, 0x34, 0x39, 0x7b, 0x2b, 0x74,
  ]
}

extension NTSTATUS {
  fileprivate static let calloutNotFound = NTSTATUS(rawValue: 0xc022_0001)
  fileprivate static let filterNotFound = NTSTATUS(rawValue: 0xc022_0003)
  fileprivate static let providerNotFound = NTSTATUS(rawValue: 0xc022_0005)
  fileprivate static let sublayerNotFound = NTSTATUS(rawValue: 0xc022_0007)
  fileprivate static let alreadyExists = NTSTATUS(rawValue: 0xc022_0009)
  fileprivate static let noTransaction = NTSTATUS(rawValue: 0xc022_000d)
  fileprivate static let transactionInProgress = NTSTATUS(rawValue: 0xc022_000e)
}

extension Kernel {
  fileprivate var filtering: FilteringPlatform { part { FilteringPlatform() } }
  fileprivate static let session = "a session of the filter engine"
  fileprivate static let registeredCallout = "a registered callout"
  fileprivate static let injectionHandle = "an injection handle"

  fileprivate func key(at place: UInt64) throws -> [UInt8] { try memory.memory.bytes(16, at: place) }

  /// Does `body` for a session that is open.
  fileprivate func inSession(_ handle: UInt64, _ body: (FilteringPlatform) throws -> NTSTATUS) throws -> NTSTATUS {
    guard filtering.sessions.contains(handle) else { return .invalidHandle }
    return try body(filtering)
  }

  fileprivate func add(_ kind: FilteringPlatform.Kind, _ key: [UInt8], to platform: FilteringPlatform) -> NTSTATUS {
    platform.contents.keys[kind, default: []].insert(key).inserted ? .success : .alreadyExists
  }

  fileprivate func remove(_ kind: FilteringPlatform.Kind, _ key: [UInt8], orElse status: NTSTATUS, in session: UInt64) throws -> NTSTATUS {
    try inSession(session) { platform in
      guard platform.contents.keys[kind]?.remove(key) != nil else { return status }
      platform.contents.identifiers = platform.contents.identifiers.filter { $0.value.kind != kind || $0.value.key != key }
      return .success
    }
  }

  fileprivate func remove(_ kind: FilteringPlatform.Kind, _ identifier: UInt64, orElse status: NTSTATUS, in session: UInt64) throws
    -> NTSTATUS
  {
    guard let known = filtering.contents.identifiers[identifier], known.kind == kind else {
      return try inSession(session) { _ in status }
    }
    return try remove(kind, known.key, orElse: status, in: session)
  }

  /// FWPM_FILTER0: the sublayer and the callout that it names must be there.
  fileprivate func addFilter(_ filter: UInt64, _ result: Pointer<UInt64>, in session: UInt64) throws -> NTSTATUS {
    try inSession(session) { platform in
      let zero = [UInt8](repeating: 0, count: 16)
      let sublayer = try key(at: filter + 0x38)
      if sublayer != zero, sublayer != FilteringPlatform.universal, platform.contents.keys[.sublayer]?.contains(sublayer) != true {
        return .sublayerNotFound
      }
      // FWP_ACTION_FLAG_CALLOUT
      if try memory.memory.load(UInt32.self, at: filter + 0x58) & 0x4000 != 0,
        try platform.contents.keys[.callout]?.contains(key(at: filter + 0x5c)) != true
      {
        return .calloutNotFound
      }
      let identifier = platform.identifier()
      var own = try key(at: filter)
      if own == zero { own = (0..<16).map { UInt8(truncatingIfNeeded: identifier >> (8 * UInt64($0 & 7))) } }
      let status = add(.filter, own, to: platform)
      guard status == .success else { return status }
      platform.contents.identifiers[identifier] = (.filter, own)
      if !result.isNull { try result.store(identifier) }
      return .success
    }
  }

  /// FWPS_CALLOUT0 to FWPS_CALLOUT2 begin alike.
  fileprivate func registerCallout(_ callout: UInt64, _ result: Pointer<UInt32>) throws -> NTSTATUS {
    let key = try key(at: callout)
    guard filtering.registered[key] == nil else { return .alreadyExists }
    let identifier = UInt32(truncatingIfNeeded: filtering.identifier())
    filtering.registered[key] = identifier
    register(Self.registeredCallout, UInt64(identifier))
    if !result.isNull { try result.store(identifier) }
    return .success
  }

  fileprivate func unregisterCallout(_ key: [UInt8]?) -> NTSTATUS {
    guard let key, let identifier = filtering.registered.removeValue(forKey: key) else { return .calloutNotFound }
    unregister(Self.registeredCallout, UInt64(identifier))
    return .success
  }
}

extension Export {
  /// fwpkclnt.sys: sessions, transactions, and what is added in them (fwpmk.h).
  static let filterEngine: [Export] = [
    // nf-fwpmk-fwpmengineopen0
    export("FwpmEngineOpen0(serverName, authnService, authIdentity, session, engineHandle)", module: "fwpkclnt", irql: .passive) {
      (kernel, server: GuestWord, service: UInt32, identity: GuestWord, session: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      guard server.bits == 0 else { return .notSupported }
      let handle = kernel.filtering.identifier()
      try result.store(GuestWord(handle))
      kernel.filtering.sessions.insert(handle)
      kernel.register(Kernel.session, handle)
      return .success
    },
    // nf-fwpmk-fwpmengineclose0: a transaction that is open is aborted.
    export("FwpmEngineClose0(engineHandle)", module: "fwpkclnt", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.filtering.sessions.remove(handle.bits) != nil else { return .invalidHandle }
      if let before = kernel.filtering.transactions.removeValue(forKey: handle.bits) { kernel.filtering.contents = before }
      kernel.unregister(Kernel.session, handle.bits)
      return .success
    }
    .partially("what a dynamic session added stays"),
    // nf-fwpmk-fwpmtransactionbegin0
    export("FwpmTransactionBegin0(engineHandle, flags)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, flags: UInt32) -> NTSTATUS in
      try kernel.inSession(handle.bits) { platform in
        guard platform.transactions[handle.bits] == nil else { return .transactionInProgress }
        platform.transactions[handle.bits] = platform.contents
        return .success
      }
    },
    // nf-fwpmk-fwpmtransactioncommit0
    export("FwpmTransactionCommit0(engineHandle)", module: "fwpkclnt", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      try kernel.inSession(handle.bits) { platform in
        platform.transactions.removeValue(forKey: handle.bits) == nil ? .noTransaction : .success
      }
    },
    // nf-fwpmk-fwpmtransactionabort0
    export("FwpmTransactionAbort0(engineHandle)", module: "fwpkclnt", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      try kernel.inSession(handle.bits) { platform in
        guard let before = platform.transactions.removeValue(forKey: handle.bits) else { return .noTransaction }
        platform.contents = before
        return .success
      }
    },
    // nf-fwpmk-fwpmprovideradd0
    export("FwpmProviderAdd0(engineHandle, provider, sd)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, provider: GuestWord, descriptor: GuestWord) -> NTSTATUS in
      try kernel.inSession(handle.bits) { try kernel.add(.provider, kernel.key(at: provider.bits), to: $0) }
    },
    // nf-fwpmk-fwpmproviderdeletebykey0
    export("FwpmProviderDeleteByKey0(engineHandle, key)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, key: GuestWord) -> NTSTATUS in
      try kernel.remove(.provider, kernel.key(at: key.bits), orElse: .providerNotFound, in: handle.bits)
    },
    // nf-fwpmk-fwpmsublayeradd0
    export("FwpmSubLayerAdd0(engineHandle, subLayer, sd)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, layer: GuestWord, descriptor: GuestWord) -> NTSTATUS in
      try kernel.inSession(handle.bits) { try kernel.add(.sublayer, kernel.key(at: layer.bits), to: $0) }
    },
    // nf-fwpmk-fwpmsublayerdeletebykey0
    export("FwpmSubLayerDeleteByKey0(engineHandle, key)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, key: GuestWord) -> NTSTATUS in
      try kernel.remove(.sublayer, kernel.key(at: key.bits), orElse: .sublayerNotFound, in: handle.bits)
    }
    .partially("filters that are still in it do not keep it"),
    // nf-fwpmk-fwpmcalloutadd0
    export("FwpmCalloutAdd0(engineHandle, callout, sd, id)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, callout: GuestWord, descriptor: GuestWord, result: Pointer<UInt32>) -> NTSTATUS in
      try kernel.inSession(handle.bits) { platform in
        let key = try kernel.key(at: callout.bits)
        let status = kernel.add(.callout, key, to: platform)
        guard status == .success else { return status }
        let identifier = platform.registered[key].map(UInt64.init) ?? platform.identifier()
        platform.contents.identifiers[identifier] = (.callout, key)
        if !result.isNull { try result.store(UInt32(truncatingIfNeeded: identifier)) }
        return .success
      }
    },
    // nf-fwpmk-fwpmcalloutdeletebykey0
    export("FwpmCalloutDeleteByKey0(engineHandle, key)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, key: GuestWord) -> NTSTATUS in
      try kernel.remove(.callout, kernel.key(at: key.bits), orElse: .calloutNotFound, in: handle.bits)
    },
    // nf-fwpmk-fwpmcalloutdeletebyid0
    export("FwpmCalloutDeleteById0(engineHandle, id)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, identifier: UInt32) -> NTSTATUS in
      try kernel.remove(.callout, UInt64(identifier), orElse: .calloutNotFound, in: handle.bits)
    },
    // nf-fwpmk-fwpmfilteradd0
    export("FwpmFilterAdd0(engineHandle, filter, sd, id)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, filter: GuestWord, descriptor: GuestWord, result: Pointer<UInt64>) -> NTSTATUS in
      try kernel.addFilter(filter.bits, result, in: handle.bits)
    }
    .partially("layer and conditions are not looked at, and the callout's notifyFn is not called"),
    // nf-fwpmk-fwpmfilterdeletebykey0
    export("FwpmFilterDeleteByKey0(engineHandle, key)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, key: GuestWord) -> NTSTATUS in
      try kernel.remove(.filter, kernel.key(at: key.bits), orElse: .filterNotFound, in: handle.bits)
    },
    // nf-fwpmk-fwpmfilterdeletebyid0
    export("FwpmFilterDeleteById0(engineHandle, id)", module: "fwpkclnt", irql: .passive) {
      (kernel, handle: GuestWord, identifier: UInt64) -> NTSTATUS in
      try kernel.remove(.filter, identifier, orElse: .filterNotFound, in: handle.bits)
    },
  ]

  /// fwpkclnt.sys: callouts, and packets that drivers send themselves (fwpsk.h).
  static let callouts: [Export] =
    ["0", "1", "2"].map { version in
      // nf-fwpsk-fwpscalloutregister0 and its successors
      export("FwpsCalloutRegister\(version)(deviceObject, callout, calloutId)", module: "fwpkclnt", irql: .passive) {
        (kernel, device: GuestWord, callout: GuestWord, result: Pointer<UInt32>) -> NTSTATUS in
        try kernel.registerCallout(callout.bits, result)
      }
      .partially("no packet passes, so classifyFn is not called")
    } + [
      // nf-fwpsk-fwpscalloutunregisterbykey0
      export("FwpsCalloutUnregisterByKey0(calloutKey)", module: "fwpkclnt", irql: .passive) { (kernel, key: GuestWord) -> NTSTATUS in
        kernel.unregisterCallout(try kernel.key(at: key.bits))
      },
      // nf-fwpsk-fwpscalloutunregisterbyid0
      export("FwpsCalloutUnregisterById0(calloutId)", module: "fwpkclnt", irql: .passive) { (kernel, identifier: UInt32) -> NTSTATUS in
        kernel.unregisterCallout(kernel.filtering.registered.first { $0.value == identifier }?.key)
      },
      // nf-fwpsk-fwpsinjectionhandlecreate0
      export("FwpsInjectionHandleCreate0(addressFamily, flags, injectionHandle)", module: "fwpkclnt", irql: .passive) {
        (kernel, family: UInt32, flags: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
        let handle = kernel.filtering.identifier()
        try result.store(GuestWord(handle))
        kernel.filtering.injectionHandles.insert(handle)
        kernel.register(Kernel.injectionHandle, handle)
        return .success
      },
      // nf-fwpsk-fwpsinjectionhandledestroy0
      export("FwpsInjectionHandleDestroy0(injectionHandle)", module: "fwpkclnt", irql: .passive) {
        (kernel, handle: GuestWord) -> NTSTATUS in
        guard kernel.filtering.injectionHandles.remove(handle.bits) != nil else { return .invalidHandle }
        kernel.unregister(Kernel.injectionHandle, handle.bits)
        return .success
      },
      // nf-fwpsk-fwpsquerypacketinjectionstate0: FWPS_PACKET_NOT_INJECTED
      export("FwpsQueryPacketInjectionState0(injectionHandle, netBufferList, injectionContext)", module: "fwpkclnt", irql: .dispatch) {
        (_, handle: GuestWord, list: GuestWord, context: Pointer<GuestWord>) -> UInt32 in
        if !context.isNull { try context.store(0) }
        return 0
      }
      .partially("no packet comes back to a callout"),
      // nf-fwpsk-fwpsinjectnetworksendasync0
      export(
        "FwpsInjectNetworkSendAsync0(injectionHandle, injectionContext, flags, compartmentId, netBufferList, completionFn, completionContext)",
        module: "fwpkclnt", irql: .dispatch
      ) {
        (
          kernel, handle: GuestWord, context: GuestWord, flags: UInt32, compartment: UInt32, list: GuestWord, routine: GuestWord,
          completionContext: GuestWord
        ) async throws -> NTSTATUS in
        try await kernel.inject(list.bits, handle.bits, routine.bits, completionContext.bits)
      }
      .partially("the packet goes nowhere: it is through at once"),
      // nf-fwpsk-fwpsinjectnetworkreceiveasync0
      export(
        "FwpsInjectNetworkReceiveAsync0(injectionHandle, injectionContext, flags, compartmentId, interfaceIndex, subInterfaceIndex, netBufferList, completionFn, completionContext)",
        module: "fwpkclnt", irql: .dispatch
      ) {
        (
          kernel, handle: GuestWord, context: GuestWord, flags: UInt32, compartment: UInt32, interface: UInt32, subinterface: UInt32,
          list: GuestWord, routine: GuestWord, completionContext: GuestWord
        ) async throws -> NTSTATUS in
        try await kernel.inject(list.bits, handle.bits, routine.bits, completionContext.bits)
      }
      .partially("the packet goes nowhere: it is through at once"),
      // nf-fwpsk-fwpsinjectforwardasync0
      export(
        "FwpsInjectForwardAsync0(injectionHandle, injectionContext, flags, addressFamily, compartmentId, interfaceIndex, netBufferList, completionFn, completionContext)",
        module: "fwpkclnt", irql: .dispatch
      ) {
        (
          kernel, handle: GuestWord, context: GuestWord, flags: UInt32, family: UInt32, compartment: UInt32, interface: UInt32,
          list: GuestWord, routine: GuestWord, completionContext: GuestWord
        ) async throws -> NTSTATUS in
        try await kernel.inject(list.bits, handle.bits, routine.bits, completionContext.bits)
      }
      .partially("the packet goes nowhere: it is through at once"),
    ]
}

extension Kernel {
  /// Ends a packet of a driver's own: its completion routine is called with the list, whose status says how it went.
  fileprivate func inject(_ list: UInt64, _ handle: UInt64, _ routine: UInt64, _ context: UInt64) async throws -> NTSTATUS {
    guard filtering.injectionHandles.contains(handle) else { return .invalidHandle }
    guard list != 0, routine != 0 else { return .invalidParameter }
    try Pointer<NET_BUFFER_LIST>(list, in: memory.memory).Status.store(.success)
    _ = try await call(routine, [context, list, try kpcr.Irql.load() >= .dispatch ? 1 : 0])
    return .success
  }
}
