import Guest
import WindowsTypes

/// What the base filtering engine knows: by key, what sessions have added.
struct FilteringObjects {
  enum Kind: UInt32 { case callout = 1, filter = 3, sublayer = 7 }
  struct Object {
    let kind: Kind
    let id: UInt64
    /// The session that it goes with; `nil` for one that stays.
    let session: UInt64?
    /// What a filter refers to: keys of its sublayer and callout.
    let uses: [[UInt8]]
  }
  var all: [[UInt8]: Object] = [:]
  var lastID: UInt64 = 0x1_0000
}

/// The base filtering engine, and the callouts that drivers register with the kernel's part of it.
final class FilteringEngine {
  var objects = FilteringObjects()
  /// Sessions, by handle: whether what they add goes with them.
  var sessions: [UInt64: Bool] = [:]
  /// The session whose transaction is open, and what there was before it.
  var transaction: (session: UInt64, before: FilteringObjects)?
  /// Callouts of the kernel's: key by identifier.
  var callouts: [UInt32: [UInt8]] = [:]
  var lastCallout: UInt32 = 0x100
  var injections: Set<UInt64> = []
}

extension NTSTATUS {
  fileprivate static func fwp(_ code: UInt32) -> NTSTATUS { NTSTATUS(rawValue: 0xc022_0000 | code) }
  fileprivate static let fwpAlreadyExists = fwp(9)
  fileprivate static let fwpInUse = fwp(10)
  fileprivate static let fwpNoTransaction = fwp(13)
  fileprivate static let fwpTransactionInProgress = fwp(14)
  fileprivate static let fwpNullPointer = fwp(0x1c)
  /// `STATUS_FWP_TCPIP_NOT_READY`
  fileprivate static let fwpNotReady = fwp(0x100)
}

extension Export {
  /// fwpkclnt.sys: the Windows Filtering Platform, of which there is the bookkeeping, and no packet.
  static let filteringPlatform: [Export] =
    [
      // nf-fwpmk-fwpmengineopen0: FWPM_SESSION0's flag FWPM_SESSION_FLAG_DYNAMIC has what the session adds go with it.
      fwp("FwpmEngineOpen0(serverName, authnService, authIdentity, session, engineHandle)") {
        (
          kernel, server: GuestWord, service: UInt32, identity: GuestWord, session: GuestWord, result: Pointer<GuestWord>
        ) -> NTSTATUS in
        guard !result.isNull else { return .fwpNullPointer }
        // Another machine's engine is none of the kernel's.
        guard server.bits == 0 else { return .notSupported }
        let flags = session.bits == 0 ? 0 : try kernel.memory.memory.load(UInt32.self, at: session.bits + 24)
        let handle = try kernel.allocate(0x10)
        kernel.filtering.sessions[handle] = flags & 1 != 0
        kernel.register(Kernel.filteringSession, handle)
        try result.store(GuestWord(handle))
        return .success
      },
      // nf-fwpmk-fwpmengineclose0: an open transaction is aborted.
      fwp("FwpmEngineClose0(engineHandle)") { (kernel, handle: GuestWord) -> NTSTATUS in
        let engine = kernel.filtering
        guard engine.sessions.removeValue(forKey: handle.bits) != nil else { return .invalidHandle }
        if let open = engine.transaction, open.session == handle.bits {
          engine.objects = open.before
          engine.transaction = nil
        }
        engine.objects.all = engine.objects.all.filter { $0.value.session != handle.bits }
        kernel.unregister(Kernel.filteringSession, handle.bits)
        kernel.free(handle.bits)
        return .success
      },
      // nf-fwpmk-fwpmtransactionbegin0
      fwp("FwpmTransactionBegin0(engineHandle, flags)") { (kernel, handle: GuestWord, flags: UInt32) -> NTSTATUS in
        let engine = kernel.filtering
        guard engine.sessions[handle.bits] != nil else { return .invalidHandle }
        guard engine.transaction == nil else { return .fwpTransactionInProgress }
        engine.transaction = (handle.bits, engine.objects)
        return .success
      }
      .partially("a session does not wait for another's transaction: it is refused"),
      // nf-fwpmk-fwpmtransactioncommit0
      fwp("FwpmTransactionCommit0(engineHandle)") { (kernel, handle: GuestWord) -> NTSTATUS in
        guard kernel.filtering.transaction?.session == handle.bits else { return .fwpNoTransaction }
        kernel.filtering.transaction = nil
        return .success
      },
      // nf-fwpmk-fwpmtransactionabort0
      fwp("FwpmTransactionAbort0(engineHandle)") { (kernel, handle: GuestWord) -> NTSTATUS in
        guard let open = kernel.filtering.transaction, open.session == handle.bits else { return .fwpNoTransaction }
        kernel.filtering.objects = open.before
        kernel.filtering.transaction = nil
        return .success
      },
      // nf-fwpmk-fwpmsublayeradd0
      fwp("FwpmSubLayerAdd0(engineHandle, subLayer, sd)") {
        (kernel, handle: GuestWord, sublayer: GuestWord, descriptor: GuestWord) -> NTSTATUS in
        guard sublayer.bits != 0 else { return .fwpNullPointer }
        return try kernel.addFiltering(.sublayer, handle.bits, sublayer.bits, uses: []).status
      },
      delete("FwpmSubLayerDeleteByKey0", .sublayer),
      // nf-fwpmk-fwpmcalloutadd0
      fwp("FwpmCalloutAdd0(engineHandle, callout, sd, id)") {
        (kernel, handle: GuestWord, callout: GuestWord, descriptor: GuestWord, id: Pointer<UInt32>) -> NTSTATUS in
        guard callout.bits != 0 else { return .fwpNullPointer }
        let (status, number) = try kernel.addFiltering(.callout, handle.bits, callout.bits, uses: [])
        if status == .success, !id.isNull { try id.store(UInt32(truncatingIfNeeded: number)) }
        return status
      }
      .partially("the layer that a callout is for is not looked at"),
      delete("FwpmCalloutDeleteByKey0", .callout),
      // nf-fwpmk-fwpmfilteradd0: its sublayer and its callout must be there.
      fwp("FwpmFilterAdd0(engineHandle, filter, sd, id)") {
        (kernel, handle: GuestWord, filter: GuestWord, descriptor: GuestWord, id: Pointer<UInt64>) -> NTSTATUS in
        guard filter.bits != 0 else { return .fwpNullPointer }
        let here = kernel.memory.memory
        // FWPM_FILTER0: subLayerKey, and FWPM_ACTION0 with FWP_ACTION_FLAG_CALLOUT and the callout's key.
        var uses: [[UInt8]] = []
        let sublayer = try here.bytes(16, at: filter.bits + 56)
        if sublayer.contains(where: { $0 != 0 }) {
          guard kernel.filtering.objects.all[sublayer]?.kind == .sublayer else { return .fwp(FilteringObjects.Kind.sublayer.rawValue) }
          uses.append(sublayer)
        }
        if try here.load(UInt32.self, at: filter.bits + 88) & 0x4000 != 0 {
          let callout = try here.bytes(16, at: filter.bits + 92)
          guard kernel.filtering.objects.all[callout]?.kind == .callout else { return .fwp(FilteringObjects.Kind.callout.rawValue) }
          uses.append(callout)
        }
        let (status, number) = try kernel.addFiltering(.filter, handle.bits, filter.bits, uses: uses)
        if status == .success, !id.isNull { try id.store(number) }
        return status
      }
      .partially("conditions and weights are not looked at, and no callout is notified: there is no packet to be filtered"),
      delete("FwpmFilterDeleteByKey0", .filter),
      // nf-fwpsk-fwpscalloutregister0: FWPS_CALLOUT0 begins with the key.
      fwp("FwpsCalloutRegister0(deviceObject, callout, calloutId)", irql: .passive) {
        (kernel, device: GuestWord, callout: GuestWord, id: Pointer<UInt32>) -> NTSTATUS in
        guard callout.bits != 0 else { return .fwpNullPointer }
        let engine = kernel.filtering
        let key = try kernel.memory.memory.bytes(16, at: callout.bits)
        guard !engine.callouts.values.contains(key) else { return .fwpAlreadyExists }
        engine.lastCallout += 1
        engine.callouts[engine.lastCallout] = key
        kernel.register(Kernel.callout, UInt64(engine.lastCallout))
        if !id.isNull { try id.store(engine.lastCallout) }
        return .success
      }
      .partially("no packet reaches the callout, and it is not notified of filters"),
      // nf-fwpsk-fwpscalloutunregisterbykey0
      fwp("FwpsCalloutUnregisterByKey0(calloutKey)") { (kernel, key: GuestWord) -> NTSTATUS in
        let key = try kernel.memory.memory.bytes(16, at: key.bits)
        guard let id = kernel.filtering.callouts.first(where: { $0.value == key })?.key else {
          return .fwp(FilteringObjects.Kind.callout.rawValue)
        }
        return kernel.unregisterCallout(id)
      },
      // nf-fwpsk-fwpscalloutunregisterbyid0
      fwp("FwpsCalloutUnregisterById0(calloutId)") { (kernel, id: UInt32) -> NTSTATUS in kernel.unregisterCallout(id) },
    ] + injection

  private static let injection: [Export] = [
    // nf-fwpsk-fwpsinjectionhandlecreate0: AF_UNSPEC 0, AF_INET 2, AF_INET6 23; FWPS_INJECTION_TYPE_STREAM 1 to _L2 0x10.
    fwp("FwpsInjectionHandleCreate0(addressFamily, flags, injectionHandle)") {
      (kernel, family: UInt16, flags: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      guard [0, 2, 23].contains(family), flags & ~0x1f == 0, !result.isNull else { return .invalidParameter }
      let handle = try kernel.allocate(0x10)
      kernel.filtering.injections.insert(handle)
      kernel.register(Kernel.injectionHandle, handle)
      try result.store(GuestWord(handle))
      return .success
    },
    // nf-fwpsk-fwpsinjectionhandledestroy0
    fwp("FwpsInjectionHandleDestroy0(injectionHandle)") { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.filtering.injections.remove(handle.bits) != nil else { return .invalidHandle }
      kernel.unregister(Kernel.injectionHandle, handle.bits)
      kernel.free(handle.bits)
      return .success
    }
    .uncertain("a handle that is none is STATUS_INVALID_HANDLE"),
    // nf-fwpsk-fwpsquerypacketinjectionstate0: FWPS_PACKET_NOT_INJECTED.
    fwp("FwpsQueryPacketInjectionState0(injectionHandle, netBufferList, injectionContext)", irql: .dispatch) {
      (_, handle: GuestWord, list: GuestWord, context: Pointer<GuestWord>) -> UInt32 in
      if !context.isNull { try context.store(0) }
      return 0
    },
    // nf-fwpsk-fwpsinjectnetworksendasync0
    fwp(
      "FwpsInjectNetworkSendAsync0(injectionHandle, injectionContext, flags, compartmentId, netBufferList, completionFn, completionContext)",
      irql: .dispatch
    ) {
      (
        kernel, handle: GuestWord, context: GuestWord, flags: UInt32, compartment: UInt32, list: GuestWord, completion: GuestWord,
        completionContext: GuestWord
      ) -> NTSTATUS in kernel.filtering.injections.contains(handle.bits) ? .fwpNotReady : .invalidHandle
    }
    .partially(noNetwork),
    // nf-fwpsk-fwpsinjectnetworkreceiveasync0
    fwp(
      "FwpsInjectNetworkReceiveAsync0(injectionHandle, injectionContext, flags, compartmentId, interfaceIndex, subInterfaceIndex, netBufferList, completionFn, completionContext)",
      irql: .dispatch
    ) {
      (
        kernel, handle: GuestWord, context: GuestWord, flags: UInt32, compartment: UInt32, interface: UInt32, subinterface: UInt32,
        list: GuestWord, completion: GuestWord, completionContext: GuestWord
      ) -> NTSTATUS in kernel.filtering.injections.contains(handle.bits) ? .fwpNotReady : .invalidHandle
    }
    .partially(noNetwork),
    // nf-fwpsk-fwpsinjectforwardasync0
    fwp(
      "FwpsInjectForwardAsync0(injectionHandle, injectionContext, flags, addressFamily, compartmentId, interfaceIndex, netBufferList, completionFn, completionContext)",
      irql: .dispatch
    ) {
      (
        kernel, handle: GuestWord, context: GuestWord, flags: UInt32, family: UInt16, compartment: UInt32, interface: UInt32,
        list: GuestWord, completion: GuestWord, completionContext: GuestWord
      ) -> NTSTATUS in kernel.filtering.injections.contains(handle.bits) ? .fwpNotReady : .invalidHandle
    }
    .partially(noNetwork),
    // nf-fwpsk-fwpsallocatenetbufferandnetbufferlist0: one NET_BUFFER over the caller's MDLs.
    fwp(
      "FwpsAllocateNetBufferAndNetBufferList0(poolHandle, contextSize, contextBackFill, mdlChain, dataOffset, dataLength, netBufferList)",
      irql: .dispatch
    ) {
      (
        kernel, pool: GuestWord, size: UInt16, backFill: UInt16, chain: Pointer<MDL>, offset: UInt32, length: GuestWord,
        result: Pointer<GuestWord>
      ) -> NTSTATUS in
      guard kernel.isNetBufferPool(pool.bits) else { return .invalidParameter }
      guard let list = try kernel.makeNetBufferList(pool.bits, chain, offset, UInt32(truncatingIfNeeded: length.bits)) else {
        return .insufficientResources
      }
      try result.store(GuestWord(list))
      return .success
    }
    .partially("the list has no context"),
    // nf-fwpsk-fwpsfreenetbufferlist0
    fwp("FwpsFreeNetBufferList0(netBufferList)", irql: .dispatch) { (kernel, list: GuestWord) -> NTSTATUS in
      try kernel.freePool(list.bits)
      return .success
    },
  ]

  private static let noNetwork = "the machine has no network stack: an injection is STATUS_FWP_TCPIP_NOT_READY"

  private static func delete(_ name: String, _ kind: FilteringObjects.Kind) -> Export {
    // nf-fwpmk-fwpmfilterdeletebykey0 and its like: what a filter uses stays.
    fwp("\(name)(engineHandle, key)") { (kernel, handle: GuestWord, key: GuestWord) -> NTSTATUS in
      let engine = kernel.filtering
      guard engine.sessions[handle.bits] != nil else { return .invalidHandle }
      let key = try kernel.memory.memory.bytes(16, at: key.bits)
      guard engine.objects.all[key]?.kind == kind else { return .fwp(kind.rawValue) }
      guard !engine.objects.all.values.contains(where: { $0.uses.contains(key) }) else { return .fwpInUse }
      engine.objects.all[key] = nil
      return .success
    }
  }

  private static func fwp<each Parameter: GuestValue, Result: GuestValue>(
    _ prototype: String, irql: IRQL = .passive, _ body: @escaping @Sendable (Kernel, repeat each Parameter) throws -> Result
  ) -> Export {
    export(prototype, module: "fwpkclnt", irql: irql, body)
  }
}

extension Kernel {
  fileprivate var filtering: FilteringEngine { part { FilteringEngine() } }
  static let filteringSession = "a filtering engine's session"
  static let callout = "a callout"
  static let injectionHandle = "an injection handle"

  /// Adds an object that begins with its key; a key of zeros is made up.
  fileprivate func addFiltering(
    _ kind: FilteringObjects.Kind, _ session: UInt64, _ object: UInt64, uses: [[UInt8]]
  ) throws -> (status: NTSTATUS, id: UInt64) {
    let engine = filtering
    guard let isDynamic = engine.sessions[session] else { return (.invalidHandle, 0) }
    if let open = engine.transaction, open.session != session { return (.fwpTransactionInProgress, 0) }
    var key = try memory.memory.bytes(16, at: object)
    engine.objects.lastID += 1
    if !key.contains(where: { $0 != 0 }) { key = MadeUpKey.bytes(engine.objects.lastID) }
    guard engine.objects.all[key] == nil else { return (.fwpAlreadyExists, 0) }
    engine.objects.all[key] = .init(kind: kind, id: engine.objects.lastID, session: isDynamic ? session : nil, uses: uses)
    return (.success, engine.objects.lastID)
  }

  fileprivate func unregisterCallout(_ id: UInt32) -> NTSTATUS {
    guard filtering.callouts.removeValue(forKey: id) != nil else { return .fwp(FilteringObjects.Kind.callout.rawValue) }
    unregister(Self.callout, UInt64(id))
    return .success
  }
}

/// A key that nobody has chosen.
private enum MadeUpKey {
  static func bytes(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) } + [0x80, 0, 0, 0, 0, 0, 0, 0x40]
  }
}
