import Guest
import WindowsTypes

/// What `ObRegisterCallbacks` registered: who is asked before a handle to a process or a thread is made, and told after.
struct ObjectCallbacks {
  struct Callback {
    /// The `OBJECT_TYPE`'s address.
    let type: UInt64
    /// `OB_OPERATION_HANDLE_CREATE` and `OB_OPERATION_HANDLE_DUPLICATE`.
    let operations: UInt32
    let pre: UInt64
    let post: UInt64
  }
  struct Registration {
    /// What the caller knows it by.
    let handle: UInt64
    let altitude: String
    let context: UInt64
    let callbacks: [Callback]
  }
  /// From the highest altitude down.
  var registrations: [Registration] = []

  /// `OB_FLT_REGISTRATION_VERSION`
  static let version: UInt16 = 0x100
}

extension Export {
  /// Callbacks of the object manager (Vista SP1 brought them).
  static let objectCallbacks: [Export] = [
    // nf-wdm-obgetfilterversion
    export("ObGetFilterVersion()") { _ -> UInt16 in ObjectCallbacks.version },
    // nf-wdm-obregistercallbacks
    export("ObRegisterCallbacks(CallbackRegistration, RegistrationHandle)", irql: .apc) {
      (kernel, registration: Pointer<OB_CALLBACK_REGISTRATION>, result: Pointer<GuestWord>) -> NTSTATUS in
      try kernel.registerObjectCallbacks(registration, result)
    }
    .partially(
      "handles that process and thread creation return, and those that a new process inherits, are not announced; OBJECT_TYPE.CallbackList stays empty"
    ),
    // nf-wdm-obunregistercallbacks
    export("ObUnRegisterCallbacks(RegistrationHandle)", irql: .apc) { (kernel, handle: GuestWord) in
      kernel.objectCallbacks.registrations.removeAll { $0.handle == handle.bits }
      if kernel.unregister(Kernel.objectCallback, handle.bits) { _ = kernel.nonPagedPool.free(handle.bits) }
    },
  ]
}

extension Kernel {
  static let objectCallback = "an object callback"

  fileprivate func registerObjectCallbacks(
    _ registration: Pointer<OB_CALLBACK_REGISTRATION>, _ result: Pointer<GuestWord>
  ) throws -> NTSTATUS {
    guard try registration.Version.load() & 0xff00 == ObjectCallbacks.version else { return .invalidParameter }
    let count = Int(try registration.OperationRegistrationCount.load())
    guard count > 0 else { return .invalidParameter }
    let table = try registration.OperationRegistration.load()
    let types = try [objectType(.process), objectType(.thread)]
    var callbacks: [ObjectCallbacks.Callback] = []
    for index in 0..<count {
      let entry = table.advanced(by: index)
      let type = try entry.ObjectType.load().load().bits
      let (pre, post) = (try entry.PreOperation.load().address, try entry.PostOperation.load().address)
      let operations = try entry.Operations.load()
      guard types.contains(type), operations != 0, operations & ~3 == 0, pre != 0 || post != 0 else { return .invalidParameter }
      // Of an image whose signature was checked because it asks for that.
      guard [pre, post].allSatisfy({ $0 == 0 || hasIntegrityCheck($0) }) else { return .accessDenied }
      callbacks.append(.init(type: type, operations: operations, pre: pre, post: post))
    }
    let altitude = try registration.Altitude.string()
    func isBelow(_ a: String, _ b: String) -> Bool { Kernel.altitude(a, isBelow: b) }
    let all = objectCallbacks.registrations
    guard !all.contains(where: { !isBelow($0.altitude, altitude) && !isBelow(altitude, $0.altitude) }) else {
      return .fltInstanceAltitudeCollision
    }
    let handle = try allocate(8, tag: 0x6c46_624f)
    objectCallbacks.registrations.insert(
      .init(handle: handle, altitude: altitude, context: try registration.RegistrationContext.load().address, callbacks: callbacks),
      at: all.firstIndex { isBelow($0.altitude, altitude) } ?? all.count)
    register(Self.objectCallback, handle)
    try result.store(GuestWord(handle))
    return .success
  }

  /// What is about to be done with a handle.
  struct HandleOperation {
    /// `OB_OPERATION_HANDLE_CREATE` 1, `OB_OPERATION_HANDLE_DUPLICATE` 2.
    let code: UInt32
    let object: UInt64
    let isKernelHandle: Bool
    /// Of a duplication: from whose table, and into whose.
    var source: UInt64 = 0
    var target: UInt64 = 0
  }

  /// Makes a handle for an object that the caller has a pointer to, as `ObOpenObjectByPointer` does.
  func openObject(
    _ object: UInt64, _ attributes: UInt32, _ access: UInt32, _ type: UInt64, _ result: Pointer<GuestWord>
  ) async throws -> NTSTATUS {
    guard try isOfType(object, type) else { return .objectTypeMismatch }
    let flags = ObjectAttributeFlags(rawValue: attributes)
    let operation = HandleOperation(code: 1, object: object, isKernelHandle: flags.contains(.kernelHandle))
    return try await announcingHandle(operation, access: access) { granted in
      try reference(object, for: nil)
      try result.store(GuestWord(makeHandle(to: object, access: granted, attributes: flags, mode: .kernelMode)))
      return .success
    }
  }

  /// Makes a handle with those asked and told who registered for it.
  ///
  /// - Parameters:
  ///   - access: what the caller asks for; the callbacks may take rights away from it.
  ///   - make: makes the handle with the rights that are left.
  func announcingHandle(
    _ operation: HandleOperation, access: UInt32, _ make: (UInt32) throws -> NTSTATUS
  ) async throws -> NTSTATUS {
    let kind = kind(of: operation.object)
    guard !objectCallbacks.registrations.isEmpty, kind == .process || kind == .thread else { return try make(access) }
    let type = try objectType(kind)
    let asked = objectCallbacks.registrations.flatMap { registration in
      registration.callbacks.filter { $0.type == type && $0.operations & operation.code != 0 }.map { (registration.context, $0) }
    }
    guard !asked.isEmpty else { return try make(access) }
    let here = memory.memory
    // The handle is the caller's, whatever the callbacks call.
    let site = caller.address
    let block = try allocate(0x40)
    defer { _ = nonPagedPool.free(block) }
    let (record, parameters) = (block, block + 0x20)
    func fill(_ words: [UInt64], at place: UInt64) throws {
      for (index, word) in words.enumerated() { try here.store(UInt32(truncatingIfNeeded: word), at: place + UInt64(4 * index)) }
    }
    var wanted = access
    var contexts: [UInt64] = []
    for (context, callback) in asked {
      guard callback.pre != 0 else {
        contexts.append(0)
        continue
      }
      // OB_PRE_OPERATION_INFORMATION, and OB_PRE_OPERATION_PARAMETERS.
      try fill(
        [UInt64(operation.code), operation.isKernelHandle ? 1 : 0, operation.object, type, 0, parameters], at: record)
      try fill([UInt64(wanted), UInt64(access), operation.source, operation.target], at: parameters)
      _ = try await call(callback.pre, [context, record])
      wanted = try here.load(UInt32.self, at: parameters) & access
      contexts.append(UInt64(try here.load(UInt32.self, at: record + 0x10)))
    }
    caller.address = site
    let status = try make(wanted)
    for ((context, callback), own) in zip(asked, contexts).reversed() where callback.post != 0 {
      // OB_POST_OPERATION_INFORMATION, and OB_POST_OPERATION_PARAMETERS.
      try fill(
        [UInt64(operation.code), operation.isKernelHandle ? 1 : 0, operation.object, type, own, UInt64(status.rawValue), parameters],
        at: record)
      try fill([status.isSuccess ? UInt64(wanted) : 0], at: parameters)
      _ = try await call(callback.post, [context, record])
    }
    return status
  }

  /// As ``guarded(_:_:)``, for what may wait.
  func guardedWaiting(_ name: String, _ body: () async throws -> NTSTATUS) async throws -> NTSTATUS {
    let isUser = try mode(of: name) == .userMode
    do { return try await body() } catch let exception as GuestException where isUser { return exception.code }
  }
}
