import Guest
import WindowsTypes

extension Export {
  /// Events and waits by handle, and what has no server here.
  static let eventCalls: [Export] =
    ["Zw", "Nt"].flatMap { prefix -> [Export] in
      [
        // nf-ntifs-zwcreateevent: EventType 0 notifies, 1 synchronizes.
        export("\(prefix)CreateEvent(EventHandle, DesiredAccess, ObjectAttributes, EventType, InitialState)", irql: .passive) {
          (
            kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>, type: UInt32, state: UInt8
          ) -> NTSTATUS in
          try kernel.guarded(prefix) {
            guard type <= 1 else { return .invalidParameter }
            return try kernel.makeEvent(
              result, access, attributes, type == 0 ? .eventNotification : .eventSynchronization, state != 0, prefix)
          }
        },
        // nf-ntifs-zwsetevent
        event("\(prefix)SetEvent(EventHandle, PreviousState)", prefix) { kernel, event in
          let old = try event.Header.SignalState.load()
          try kernel.set(event)
          return old
        },
        // nf-ntifs-zwwaitforsingleobject
        export("\(prefix)WaitForSingleObject(Handle, Alertable, Timeout)", irql: .passive) {
          (kernel, handle: GuestWord, alertable: UInt8, timeout: Pointer<Int64>) -> NTSTATUS in
          let mode = try kernel.mode(of: prefix)
          switch try kernel.object(handle.bits, access: 0x10_0000, type: 0, mode: mode) {
          case .failure(let refusal): return refusal.status
          case .success(let entry):
            guard let header = kernel.dispatcherObject(of: entry.object) else { return NTSTATUS(rawValue: 0xc000_0024) }
            return try kernel.wait(
              [header], timeout: timeout.isNull ? nil : timeout.load(), mode: mode, isAlertable: alertable != 0)
          }
        },
      ]
    } + [
      // nf-ntifs-zwopenevent
      export("ZwOpenEvent(EventHandle, DesiredAccess, ObjectAttributes)", irql: .passive) {
        (kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>) -> NTSTATUS in
        try kernel.guarded("Zw") {
          try kernel.makeNamespace()
          switch try kernel.path(attributes) {
          case .failure(let refusal): return refusal.status
          case .success(let path):
            switch try kernel.resolve(path) {
            case .failed(let status): return status
            case .found(let entry, _) where entry.kind != .event: return .objectTypeMismatch
            case .found(let entry, _): return try kernel.openEvent(entry.object, result, access, attributes, "Zw")
            }
          }
        }
      },
      event("ZwResetEvent(EventHandle, PreviousState)", "Zw") { _, event in
        let old = try event.Header.SignalState.load()
        try event.Header.SignalState.store(0)
        return old
      },
      // No reference page. STATUS_NO_YIELD_PERFORMED where nobody else is ready.
      export("ZwYieldExecution()", irql: .passive) { kernel async throws -> NTSTATUS in
        guard let thread = kernel.running, !kernel.readyThreads.isEmpty else { return NTSTATUS(rawValue: 0x4000_0024) }
        try thread.object.Tcb.WaitStatus.store(.success)
        try kernel.makeReady(thread)
        _ = try await thread.routines.suspend(.blocked, at: kernel.registers[.sp])
        return .success
      },
      // Nobody serves a port of the old kind in a run: what a machine says where the server does not run.
      export(
        "ZwConnectPort(PortHandle, PortName, SecurityQos, ClientView, ServerView, MaxMessageLength, ConnectionInformation, ConnectionInformationLength)",
        irql: .passive
      ) {
        (
          _, handle: GuestWord, name: Pointer<UNICODE_STRING>, service: GuestWord, client: GuestWord, server: GuestWord,
          length: GuestWord, information: GuestWord, informationLength: GuestWord
        ) -> NTSTATUS in
        .objectNameNotFound
      }
      .partially("no port has a server"),
      export("ZwRequestWaitReplyPort(PortHandle, RequestMessage, ReplyMessage)", irql: .passive) {
        (kernel, handle: GuestWord, request: GuestWord, reply: GuestWord) -> NTSTATUS in
        try kernel.entry(of: handle.bits) == nil ? .invalidHandle : .objectTypeMismatch
      }
      .partially("no port has a server"),
    ]

  private static func event(
    _ prototype: String, _ prefix: String, _ body: @escaping @Sendable (Kernel, Pointer<KEVENT>) throws -> Int32
  ) -> Export {
    export(prototype, irql: .passive) { (kernel, handle: GuestWord, previous: Pointer<Int32>) -> NTSTATUS in
      try kernel.guarded(prefix) {
        switch try kernel.object(handle.bits, access: 2, type: kernel.objectType(.event), mode: kernel.mode(of: prefix)) {
        case .failure(let refusal): return refusal.status
        case .success(let entry):
          let old = try body(kernel, Pointer(entry.object, in: kernel.memory.memory))
          if !previous.isNull { try previous.store(old) }
          return .success
        }
      }
    }
  }
}

extension Kernel {
  /// An event that a handle stands for; one of that name that is there already is opened only with OBJ_OPENIF.
  func makeEvent(
    _ result: Pointer<GuestWord>, _ access: UInt32, _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ type: DispatcherObjectType,
    _ isSet: Bool, _ prefix: String
  ) throws -> NTSTATUS {
    try makeNamespace()
    var path: String?
    if !attributes.isNull, try !attributes.ObjectName.load().isNull {
      guard case .success(let asked) = try self.path(attributes) else { return .invalidHandle }
      switch try place(forNew: asked) {
      case .success(let place): path = place
      case .failure(let refusal):
        guard refusal.status == .objectNameCollision, case .found(let entry, "") = try resolve(asked) else { return refusal.status }
        guard entry.kind == .event else { return .objectTypeMismatch }
        let flags = ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
        guard flags.contains(.openIf) else { return refusal.status }
        let status = try openEvent(entry.object, result, access, attributes, prefix)
        // STATUS_OBJECT_NAME_EXISTS
        return status == .success ? NTSTATUS(rawValue: 0x4000_0000) : status
      }
    }
    let object = try makeObject(.event, size: 0x10, path: path)
    try initializeEvent(Pointer(object, in: memory.memory), type, isSet: isSet)
    let status = try openEvent(object, result, access, attributes, prefix)
    try decrement(object)
    return status
  }

  func openEvent(
    _ object: UInt64, _ result: Pointer<GuestWord>, _ access: UInt32, _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ prefix: String
  ) throws -> NTSTATUS {
    let mapping = GenericMapping(read: 0x2_0001, write: 0x2_0002, execute: 0x12_0000, all: 0x1f_0003)
    let flags = attributes.isNull ? 0 : try attributes.Attributes.load()
    try reference(object, for: nil)
    let handle = try makeHandle(
      to: object, access: access & 0x200_0000 != 0 ? mapping.all : mapping.map(access),
      attributes: ObjectAttributeFlags(rawValue: flags), mode: mode(of: prefix))
    try result.store(GuestWord(handle))
    return .success
  }

  /// What a wait for an object is about: itself, or of a file its event. `nil` where it cannot be waited for.
  func dispatcherObject(of object: UInt64) -> DispatcherObject? {
    switch kind(of: object) {
    case .event, .process, .thread: Pointer(object, in: memory.memory)
    case .file: Pointer<FILE_OBJECT>(object, in: memory.memory).Event.Header
    default: nil
    }
  }
}
