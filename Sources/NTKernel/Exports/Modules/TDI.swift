import Guest
import WindowsTypes

extension Export {
  /// tdi.sys: what transports and their clients share. There is no transport in a run but the drivers' own.
  static let tdi: [Export] =
    [
      // nf-tdikrnl-tdicopybuffertomdl: up to the end of the chain; STATUS_BUFFER_OVERFLOW where it does not hold all.
      export(
        "TdiCopyBufferToMdl(SourceBuffer, SourceOffset, SourceBytesToCopy, DestinationMdlChain, DestinationOffset, BytesCopied)",
        module: "tdi", irql: .dispatch
      ) {
        (
          kernel, source: GuestWord, sourceOffset: UInt32, count: UInt32, chain: Pointer<MDL>, offset: UInt32, copied: Pointer<UInt32>
        ) -> NTSTATUS in
        var done: UInt64 = 0
        for piece in try kernel.pieces(of: chain, from: UInt64(offset)) where done < UInt64(count) {
          let length = min(piece.length, UInt64(count) - done)
          try kernel.move(length, from: source.bits + UInt64(sourceOffset) + done, to: piece.address)
          done += length
        }
        try copied.store(UInt32(done))
        return done < UInt64(count) ? .bufferOverflow : .success
      },
      // nf-tdikrnl-tdicopymdltobuffer
      export(
        "TdiCopyMdlToBuffer(SourceMdlChain, SourceOffset, DestinationBuffer, DestinationOffset, DestinationBufferSize, BytesCopied)",
        module: "tdi", irql: .dispatch
      ) {
        (
          kernel, chain: Pointer<MDL>, offset: UInt32, target: GuestWord, targetOffset: UInt32, size: UInt32, copied: Pointer<UInt32>
        ) -> NTSTATUS in
        let room = UInt64(size) - min(UInt64(size), UInt64(targetOffset))
        let pieces = try kernel.pieces(of: chain, from: UInt64(offset))
        var done: UInt64 = 0
        for piece in pieces where done < room {
          let length = min(piece.length, room - done)
          try kernel.move(length, from: piece.address, to: target.bits + UInt64(targetOffset) + done)
          done += length
        }
        try copied.store(UInt32(done))
        return pieces.reduce(0) { $0 + $1.length } > room ? .bufferOverflow : .success
      },
      // nf-tdikrnl-tdimapuserrequest: IOCTLs of user mode are none of the routine's; the caller handles them.
      export("TdiMapUserRequest(DeviceObject, Irp, IrpSp)", module: "tdi", irql: .passive) {
        (_, device: GuestWord, irp: GuestWord, stack: Pointer<IO_STACK_LOCATION>) -> NTSTATUS in
        _ = try stack.MajorFunction.load()
        return .notImplemented
      }
      .partially("no IOCTL_TDI_… code is made an internal one: each is STATUS_NOT_IMPLEMENTED, as one that is not known"),
      // nf-tdikrnl-tdiinitialize
      export("TdiInitialize()", module: "tdi", irql: .passive) { _ in },
      // nf-tdikrnl-tdiregisterpnphandlers: TDI_CLIENT_INTERFACE_INFO of version 1 or 2, and a name.
      export("TdiRegisterPnPHandlers(ClientInterfaceInfo, InterfaceInfoSize, BindingHandle)", module: "tdi", irql: .passive) {
        (kernel, information: GuestWord, size: UInt32, handle: Pointer<GuestWord>) -> NTSTATUS in
        guard size >= 0xc else { return .invalidParameter }
        // MajorTdiVersion, behind it the minor one.
        guard try 1...2 ~= kernel.memory.memory.load(UInt8.self, at: information.bits) else { return .invalidParameter }
        try handle.store(GuestWord(kernel.registerTransport("a TDI client")))
        return .success
      }
      .partially("no transport comes or goes, so the client is not called"),
      tdiDeregister("TdiDeregisterPnPHandlers", "a TDI client"),
      // nf-tdikrnl-tdiregisterdeviceobject
      export("TdiRegisterDeviceObject(DeviceName, RegistrationHandle)", module: "tdi", irql: .passive) {
        (kernel, name: Pointer<UNICODE_STRING>, handle: Pointer<GuestWord>) -> NTSTATUS in
        guard try !name.units().isEmpty else { return .invalidParameter }
        try handle.store(GuestWord(kernel.registerTransport("a TDI device")))
        return .success
      }
      .partially("clients are not told of the device"),
      tdiDeregister("TdiDeregisterDeviceObject", "a TDI device"),
      // nf-tdikrnl-tdiregisternetaddress: TA_ADDRESS, a length, a type and the address.
      export("TdiRegisterNetAddress(Address, DeviceName, Context, RegistrationHandle)", module: "tdi", irql: .passive) {
        (kernel, address: GuestWord, name: GuestWord, context: GuestWord, handle: Pointer<GuestWord>) -> NTSTATUS in
        _ = try kernel.memory.memory.load(UInt32.self, at: address.bits)
        try handle.store(GuestWord(kernel.registerTransport("a TDI address")))
        return .success
      }
      .partially("clients are not told of the address"),
      tdiDeregister("TdiDeregisterNetAddress", "a TDI address"),
      // nf-tdikrnl-tdiregisterprovider
      export("TdiRegisterProvider(ProviderName, ProviderHandle)", module: "tdi", irql: .passive) {
        (kernel, name: Pointer<UNICODE_STRING>, handle: Pointer<GuestWord>) -> NTSTATUS in
        guard try !name.units().isEmpty else { return .invalidParameter }
        try handle.store(GuestWord(kernel.registerTransport("a TDI provider")))
        return .success
      }
      .partially("nobody waits until the provider is ready"),
      tdiDeregister("TdiDeregisterProvider", "a TDI provider"),
      // nf-tdikrnl-tdiproviderready
      export("TdiProviderReady(ProviderHandle)", module: "tdi", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
        kernel.isTransport("a TDI provider", handle.bits) ? .success : .invalidParameter
      },
    ] + defaultHandlers

  /// The handlers that stand in a client's place where it has none (nf-tdikrnl-tdidefaultconnecthandler and its like): STATUS_SUCCESS
  /// for what is only told, STATUS_DATA_NOT_ACCEPTED for data, STATUS_INSUFFICIENT_RESOURCES for a connection.
  private static let defaultHandlers: [Export] = [
    export(
      "TdiDefaultConnectHandler(TdiEventContext, RemoteAddressLength, RemoteAddress, UserDataLength, UserData, OptionsLength, Options, ConnectionContext, AcceptIrp)",
      module: "tdi", irql: .dispatch
    ) {
      (
        _, context: GuestWord, length: UInt32, address: GuestWord, dataLength: UInt32, data: GuestWord, optionsLength: UInt32,
        options: GuestWord, connection: GuestWord, irp: GuestWord
      ) -> NTSTATUS in .insufficientResources
    },
    export(
      "TdiDefaultDisconnectHandler(TdiEventContext, ConnectionContext, DisconnectDataLength, DisconnectData, DisconnectInformationLength, DisconnectInformation, DisconnectFlags)",
      module: "tdi", irql: .dispatch
    ) {
      (
        _, context: GuestWord, connection: GuestWord, length: UInt32, data: GuestWord, informationLength: UInt32,
        information: GuestWord, flags: UInt32
      ) -> NTSTATUS in .success
    },
    export("TdiDefaultErrorHandler(TdiEventContext, Status)", module: "tdi", irql: .dispatch) {
      (_, context: GuestWord, status: NTSTATUS) -> NTSTATUS in .success
    },
    receive("TdiDefaultReceiveHandler"), receive("TdiDefaultRcvExpeditedHandler"),
    export(
      "TdiDefaultRcvDatagramHandler(TdiEventContext, SourceAddressLength, SourceAddress, OptionsLength, Options, ReceiveDatagramFlags, BytesIndicated, BytesAvailable, BytesTaken, Tsdu, IoRequestPacket)",
      module: "tdi", irql: .dispatch
    ) {
      (
        _, context: GuestWord, length: UInt32, address: GuestWord, optionsLength: UInt32, options: GuestWord, flags: UInt32,
        indicated: UInt32, available: UInt32, taken: GuestWord, data: GuestWord, irp: GuestWord
      ) -> NTSTATUS in dataNotAccepted
    },
    export("TdiDefaultSendPossibleHandler(TdiEventContext, ConnectionContext, BytesAvailable)", module: "tdi", irql: .dispatch) {
      (_, context: GuestWord, connection: GuestWord, available: UInt32) -> NTSTATUS in .success
    },
    chained("TdiDefaultChainedReceiveHandler"), chained("TdiDefaultChainedRcvExpeditedHandler"),
    export(
      "TdiDefaultChainedRcvDatagramHandler(TdiEventContext, SourceAddressLength, SourceAddress, OptionsLength, Options, ReceiveDatagramFlags, ReceiveDatagramLength, StartingOffset, Tsdu, TsduDescriptor)",
      module: "tdi", irql: .dispatch
    ) {
      (
        _, context: GuestWord, length: UInt32, address: GuestWord, optionsLength: UInt32, options: GuestWord, flags: UInt32,
        dataLength: UInt32, offset: UInt32, data: GuestWord, descriptor: GuestWord
      ) -> NTSTATUS in dataNotAccepted
    },
  ]

  /// `STATUS_DATA_NOT_ACCEPTED`
  private static let dataNotAccepted = NTSTATUS(rawValue: 0xc000_021b)

  private static func receive(_ name: String) -> Export {
    export(
      "\(name)(TdiEventContext, ConnectionContext, ReceiveFlags, BytesIndicated, BytesAvailable, BytesTaken, Tsdu, IoRequestPacket)",
      module: "tdi", irql: .dispatch
    ) {
      (
        _, context: GuestWord, connection: GuestWord, flags: UInt32, indicated: UInt32, available: UInt32, taken: GuestWord,
        data: GuestWord, irp: GuestWord
      ) -> NTSTATUS in dataNotAccepted
    }
  }

  private static func chained(_ name: String) -> Export {
    export(
      "\(name)(TdiEventContext, ConnectionContext, ReceiveFlags, ReceiveLength, StartingOffset, Tsdu, TsduDescriptor)", module: "tdi",
      irql: .dispatch
    ) {
      (
        _, context: GuestWord, connection: GuestWord, flags: UInt32, length: UInt32, offset: UInt32, data: GuestWord,
        descriptor: GuestWord
      ) -> NTSTATUS in dataNotAccepted
    }
  }

  static func tdiDeregister(_ name: String, _ what: String) -> Export {
    // nf-tdikrnl-tdideregisterpnphandlers and its like
    export("\(name)(Handle)", module: "tdi", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      // STATUS_UNSUCCESSFUL
      guard kernel.unregister(what, handle.bits) else { return .unsuccessful }
      kernel.free(handle.bits)
      return .success
    }
  }
}

extension Kernel {
  func registerTransport(_ what: String) throws -> UInt64 {
    let handle = try allocate(0x10)
    register(what, handle)
    return handle
  }

  fileprivate func isTransport(_ what: String, _ handle: UInt64) -> Bool {
    io.registrations.contains { $0.what == what && $0.key == handle }
  }

  /// Where the bytes of an MDL chain lie in system space, from an offset on.
  func pieces(of chain: Pointer<MDL>, from offset: UInt64) throws -> [(address: UInt64, length: UInt64)] {
    var result: [(UInt64, UInt64)] = []
    var (mdl, offset) = (chain, offset)
    while !mdl.isNull, result.count < 1 << 12 {
      let length = UInt64(try mdl.ByteCount.load())
      if offset < length {
        // MmGetSystemAddressForMdl
        let flags = try mdl.MdlFlags.load()
        let isMapped = flags.contains(.mappedToSystemVA) || flags.contains(.sourceIsNonpagedPool)
        let base = try isMapped ? mdl.MappedSystemVa.load().address : mapSystemView(of: mdl, routine: "MmMapLockedPagesSpecifyCache") ?? 0
        guard base != 0 else { throw GuestException(.insufficientResources) }
        result.append((base + offset, length - offset))
      }
      offset -= min(offset, length)
      mdl = try mdl.Next.load()
    }
    return result
  }
}
