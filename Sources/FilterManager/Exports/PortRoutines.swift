import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// The kernel side of communication ports.
  static let ports: [Export] = [
    // nf-fltkernel-fltcreatecommunicationport
    export(
      "FltCreateCommunicationPort(Filter, ServerPort, ObjectAttributes, ServerPortCookie, ConnectNotifyCallback, DisconnectNotifyCallback, MessageNotifyCallback, MaxConnections)",
      module: "fltMgr", irql: .passive
    ) {
      (
        kernel, pointer: Pointer<FLT_FILTER>, result: Pointer<GuestWord>, attributes: Pointer<OBJECT_ATTRIBUTES>, cookie: GuestWord,
        connect: GuestWord, disconnect: GuestWord, message: GuestWord, count: Int32
      ) async throws -> NTSTATUS in
      guard let filter = try kernel.filter(pointer, in: "FltCreateCommunicationPort") else { return .invalidParameter }
      return try await kernel.createPort(
        filter, result, attributes, cookie: cookie.bits, (connect.bits, disconnect.bits, message.bits), maximumConnections: count)
    }
    .uncertain(
      "a port without a security descriptor is for SYSTEM and Administrators; a generic right in a descriptor but GENERIC_ALL lets connect; "
        + "a port works without FltStartFiltering"),
    // nf-fltkernel-fltclosecommunicationport
    export("FltCloseCommunicationPort(ServerPort)", module: "fltMgr", irql: .passive) { (kernel, port: GuestWord) async throws in
      try await kernel.closePort(port.bits)
    },
    // nf-fltkernel-fltcloseclientport
    export("FltCloseClientPort(Filter, ClientPort)", module: "fltMgr", irql: .passive) {
      (kernel, pointer: Pointer<FLT_FILTER>, port: Pointer<GuestWord>) async throws in
      guard try kernel.filter(pointer, in: "FltCloseClientPort") != nil else { return }
      try await kernel.closeClient(port)
    },
    // nf-fltkernel-fltsendmessage
    export(
      "FltSendMessage(Filter, ClientPort, SenderBuffer, SenderBufferLength, ReplyBuffer, ReplyLength, Timeout)", module: "fltMgr",
      irql: .apc
    ) {
      (
        kernel, pointer: Pointer<FLT_FILTER>, port: Pointer<GuestWord>, buffer: GuestWord, length: UInt32, reply: GuestWord,
        replyLength: Pointer<UInt32>, timeout: Pointer<Int64>
      ) async throws -> NTSTATUS in
      guard try kernel.filter(pointer, in: "FltSendMessage") != nil else { return .invalidParameter }
      return try await kernel.send(
        to: port, buffer.bits, length, reply: reply.bits, replyLength, timeout: timeout)
    }
    .uncertain("a reply that is too long fills the buffer; a client port that is none is STATUS_PORT_DISCONNECTED"),
    // nf-fltkernel-fltbuilddefaultsecuritydescriptor
    export("FltBuildDefaultSecurityDescriptor(SecurityDescriptor, DesiredAccess)", module: "fltMgr", irql: .apc) {
      (kernel, result: Pointer<Pointer<Void>>, access: UInt32) -> NTSTATUS in try kernel.buildDefaultSecurity(result, access)
    },
    // nf-fltkernel-fltfreesecuritydescriptor
    export("FltFreeSecurityDescriptor(SecurityDescriptor)", module: "fltMgr", irql: .apc) {
      (kernel, descriptor: GuestWord) in try kernel.freePool(descriptor.bits)
    },
  ]

  /// The user side, as `fltlib.dll` exports it: reached by a process's threads of the run's, on buffers in the process's own pages.
  static let userSide: [Export] = [
    // nf-fltuser-filterconnectcommunicationport
    export(
      "FilterConnectCommunicationPort(PortName, Options, Context, SizeOfContext, SecurityAttributes, Port)", module: "fltLib",
      irql: .passive, isImportable: false
    ) {
      (
        kernel, name: Pointer<UInt16>, options: UInt32, context: GuestWord, size: UInt16, attributes: GuestWord,
        result: Pointer<GuestWord>
      ) async throws -> HRESULT in
      try await kernel.filterConnect(name, options, context.bits, size, result)
    },
    // nf-fltuser-filtergetmessage
    export("FilterGetMessage(Port, MessageBuffer, MessageBufferSize, Overlapped)", module: "fltLib", irql: .passive, isImportable: false) {
      (kernel, port: GuestWord, buffer: GuestWord, size: UInt32, overlapped: GuestWord) async throws -> HRESULT in
      guard buffer.bits != 0, Int(size) >= Kernel.messageHeader else { return .invalidArgument }
      return HRESULT(try await kernel.getMessage(port.bits, buffer.bits, size, overlapped: overlapped.bits))
    },
    // nf-fltuser-filterreplymessage
    export("FilterReplyMessage(Port, ReplyBuffer, ReplyBufferSize)", module: "fltLib", irql: .passive, isImportable: false) {
      (kernel, port: GuestWord, buffer: GuestWord, size: UInt32) -> HRESULT in
      guard buffer.bits != 0 else { return .invalidArgument }
      return HRESULT(try kernel.reply(port.bits, buffer.bits, size))
    },
    // nf-fltuser-filtersendmessage
    export(
      "FilterSendMessage(Port, InBuffer, InBufferSize, OutBuffer, OutBufferSize, BytesReturned)", module: "fltLib", irql: .passive,
      isImportable: false
    ) {
      (
        kernel, port: GuestWord, input: GuestWord, inputSize: UInt32, output: GuestWord, outputSize: UInt32, returned: Pointer<UInt32>
      ) async throws -> HRESULT in
      HRESULT(try await kernel.request(port.bits, input.bits, inputSize, output.bits, outputSize, returned))
    },
    // nf-fltuser-filterload
    export("FilterLoad(FilterName)", module: "fltLib", irql: .passive, isImportable: false) {
      (kernel, name: Pointer<UInt16>) async throws -> HRESULT in
      guard try kernel.mayLoadDrivers() else { return HRESULT(.privilegeNotHeld) }
      switch try kernel.userText(name) {
      case .failure(let result): return result
      case .success(let text):
        // ERROR_SERVICE_ALREADY_RUNNING
        if kernel.drivers.contains(where: { $0.isLoaded && $0.name.lowercased() == text.lowercased() }) { return HRESULT(win32: 1056) }
        guard let driver = try kernel.prepareDriver(text) else { return .fileNotFound }
        return HRESULT(try await kernel.start(driver))
      }
    },
    // nf-fltuser-filterunload
    export("FilterUnload(FilterName)", module: "fltLib", irql: .passive, isImportable: false) {
      (kernel, name: Pointer<UInt16>) async throws -> HRESULT in
      guard try kernel.mayLoadDrivers() else { return HRESULT(.privilegeNotHeld) }
      switch try kernel.userText(name) {
      case .failure(let result): return result
      case .success(let text): return HRESULT(try await kernel.unloadFilter(named: text))
      }
    },
  ]
}

extension Kernel {
  /// Whether the calling thread's token has SeLoadDriverPrivilege, enabled: what `FilterLoad` and `FilterUnload` ask for.
  fileprivate func mayLoadDrivers() throws -> Bool {
    guard let thread = running else { return false }
    return try effectiveToken(of: thread).hasEnabled(Token.loadDriverPrivilege)
  }

  /// A terminated string in the process's pages.
  fileprivate func userText(_ name: Pointer<UInt16>) throws -> Result<String, HRESULT> {
    guard !name.isNull else { return .failure(.invalidArgument) }
    var units: [UInt16] = []
    do {
      while units.count < 0x7fff {
        guard name.address + 2 * UInt64(units.count) < memory.target.userProbeAddress else { return .failure(HRESULT(.accessViolation)) }
        let unit = try name[units.count].load()
        if unit == 0 { break }
        units.append(unit)
      }
    } catch let exception as GuestException { return .failure(HRESULT(exception.code)) }
    return .success(String(decoding: units, as: UTF16.self))
  }

  /// `FilterConnectCommunicationPort`: what it is given lies in the process's pages, and is captured.
  fileprivate func filterConnect(
    _ name: Pointer<UInt16>, _ options: UInt32, _ context: UInt64, _ size: UInt16, _ result: Pointer<GuestWord>
  ) async throws -> HRESULT {
    var text = ""
    var captured: [UInt8] = []
    do {
      try probe(result.address, 4)
      try result.store(0xffff_ffff)  // INVALID_HANDLE_VALUE
      guard !name.isNull, (context == 0) == (size == 0) else { return .invalidArgument }
      // FLT_PORT_FLAG_SYNC_HANDLE is all that later systems know.
      guard options & ~1 == 0 else { return .invalidArgument }
      switch try userText(name) {
      case .failure(let result): return result
      case .success(let found): text = found
      }
      if size > 0 {
        try checkUserRange(context, UInt64(size), 1)
        captured = try memory.memory.bytes(Int(size), at: context)
      }
    } catch let exception as GuestException { return HRESULT(exception.code) }
    switch try await connect(to: text, context: captured) {
    case .failure(let failure): return HRESULT(failure.code)
    case .success(let handle):
      do { try result.store(GuestWord(handle)) } catch let exception as GuestException { return HRESULT(exception.code) }
      return .ok
    }
  }
}
