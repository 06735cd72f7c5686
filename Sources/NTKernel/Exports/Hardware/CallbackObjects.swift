import Events
import Guest
import WindowsTypes

/// Callback objects (nf-wdm-excreatecallback), and named events of the I/O manager's.
extension Export {
  static let callbackObjects: [Export] = [
    // nf-wdm-excreatecallback: opens the object of that name, or makes it if it may.
    export("ExCreateCallback(CallbackObject, ObjectAttributes, Create, AllowMultipleCallbacks)", irql: .passive) {
      (
        kernel, result: Pointer<GuestWord>, attributes: Pointer<OBJECT_ATTRIBUTES>, create: UInt8, allowMultiple: UInt8
      ) -> NTSTATUS in
      let name = try attributes.ObjectName.load()
      let path = name.isNull ? nil : try name.string()
      return try kernel.createCallback(path, mayCreate: create != 0, allowsSeveral: allowMultiple != 0, result)
    },
    // nf-wdm-exregistercallback: null where the object takes one routine, and has it.
    export("ExRegisterCallback(CallbackObject, CallbackFunction, CallbackContext)", irql: .apc) {
      (kernel, object: GuestWord, routine: GuestWord, context: GuestWord) -> GuestWord in
      try kernel.registerCallback(object.bits, routine.bits, context.bits)
    },
    // nf-wdm-exunregistercallback
    export("ExUnregisterCallback(CbRegistration)", irql: .apc) { (kernel, registration: GuestWord) in
      guard kernel.unregister(Kernel.callbackRegistration, registration.bits) else {
        throw BugCheck(.badPoolCaller, 7, 0, 0, registration.bits)
      }
      try Pointer<LIST_ENTRY>(registration.bits, in: kernel.memory.memory).remove()
      try kernel.freePool(registration.bits)
    },
    // nf-wdm-exnotifycallback
    export("ExNotifyCallback(CallbackObject, Argument1, Argument2)", irql: .dispatch) {
      (kernel, object: GuestWord, first: GuestWord, second: GuestWord) async throws in
      let here = kernel.memory.memory
      for entry in try kernel.callbackList(object.bits).entries() {
        // A routine may have taken another one back.
        guard kernel.io.registrations.contains(where: { $0.key == entry.address }) else { continue }
        let routine = UInt64(try here.load(UInt32.self, at: entry.address + 12))
        let context = UInt64(try here.load(UInt32.self, at: entry.address + 16))
        _ = try await kernel.call(routine, [context, first.bits, second.bits])
      }
    },
    // nf-wdm-iocreatesynchronizationevent
    export("IoCreateSynchronizationEvent(EventName, EventHandle)", irql: .passive) {
      (kernel, name: Pointer<UNICODE_STRING>, handle: Pointer<GuestWord>) -> GuestWord in
      try kernel.namedEvent(name, .eventSynchronization, handle)
    },
    // nf-wdm-iocreatenotificationevent
    export("IoCreateNotificationEvent(EventName, EventHandle)", irql: .passive) {
      (kernel, name: Pointer<UNICODE_STRING>, handle: Pointer<GuestWord>) -> GuestWord in
      try kernel.namedEvent(name, .eventNotification, handle)
    },
  ]
}

extension Kernel {
  static let callbackRegistration = "a callback registration"
  /// The callbacks that Windows itself makes: \Callback\SetSystemTime, \Callback\PowerState, \Callback\ProcessorAdd.
  private static let systemCallbacks: Set = ["\\callback\\setsystemtime", "\\callback\\powerstate", "\\callback\\processoradd"]

  /// `CALLBACK_OBJECT`: a signature, a lock, the list of registrations, and whether there may be several.
  private static let callbackSize: UInt64 = 0x18
  func callbackList(_ object: UInt64) -> Pointer<LIST_ENTRY> { Pointer(object + 8, in: memory.memory) }

  fileprivate func createCallback(
    _ path: String?, mayCreate: Bool, allowsSeveral: Bool, _ result: Pointer<GuestWord>
  ) throws -> NTSTATUS {
    try makeNamespace()
    if let path, let known = hardware.callbackObjects[path.lowercased()], io.objects[known] != nil {
      try reference(known, for: site())
      try result.store(GuestWord(known))
      return .success
    }
    let isSystems = path.map { Self.systemCallbacks.contains($0.lowercased()) } ?? false
    guard mayCreate || isSystems else { return .objectNameNotFound }
    var place: String?
    if let path {
      switch try self.place(forNew: path) {
      case .success(let full): place = full
      case .failure(let refusal): return refusal.status
      }
    }
    let object = try makeObject(.other, size: Self.callbackSize, path: place)
    // "Call"
    try memory.memory.store(UInt32(0x6c6c_6143), at: object)
    try callbackList(object).initialize()
    try memory.memory.store(UInt8(allowsSeveral || isSystems ? 1 : 0), at: object + 0x10)
    if let path { hardware.callbackObjects[path.lowercased()] = object }
    // The system keeps its own; anyone else's goes with the last reference.
    if isSystems { try reference(object, for: site()) } else { io.references[object, default: []].append(site()) }
    try result.store(GuestWord(object))
    return .success
  }

  fileprivate func registerCallback(_ object: UInt64, _ routine: UInt64, _ context: UInt64) throws -> GuestWord {
    let here = memory.memory
    guard try here.load(UInt32.self, at: object) == 0x6c6c_6143 else {
      throw BugCheck(.referenceByPointer, 0, object, 1, 0)
    }
    let allowsSeveral = try here.load(UInt8.self, at: object + 0x10) != 0
    guard try allowsSeveral || callbackList(object).isEmpty else { return 0 }
    // CALLBACK_REGISTRATION: links, object, function, context, and who is in it.
    guard let block = try nonPagedPool.allocate(0x18, tag: Self.ownTag, in: memory) else { return 0 }
    for (index, value) in [object, routine, context].enumerated() {
      try here.store(UInt32(truncatingIfNeeded: value), at: block + 8 + 4 * UInt64(index))
    }
    try callbackList(object).insertTail(Pointer(block, in: here))
    register(Self.callbackRegistration, block)
    return GuestWord(block)
  }

  /// The event of that name, which is made, signaled, where there is none; a new one without a name where `name` is null. Null
  /// where the name cannot be had.
  fileprivate func namedEvent(
    _ name: Pointer<UNICODE_STRING>, _ type: DispatcherObjectType, _ handle: Pointer<GuestWord>
  ) throws -> GuestWord {
    try makeNamespace()
    let path = name.isNull ? nil : try name.string()
    try handle.store(0)
    var object: UInt64
    if let path, case .found(let entry, "") = try resolve(path) {
      guard entry.kind == .event else { return 0 }
      object = entry.object
    } else {
      var place: String?
      if let path {
        guard case .success(let found) = try self.place(forNew: path) else { return 0 }
        place = found
      }
      object = try makeObject(.event, size: UInt64(Pointer<KEVENT>.size(in: memory.memory)), path: place)
      try initializeEvent(Pointer(object, in: memory.memory), type, isSet: true)
    }
    // The handle keeps it; the pointer is the caller's as long as the handle is open.
    try reference(object, for: nil)
    try handle.store(GuestWord(handles.insert(object, access: 0x1f_0003, process: HandleTable.kernel)))
    return GuestWord(object)
  }
}
