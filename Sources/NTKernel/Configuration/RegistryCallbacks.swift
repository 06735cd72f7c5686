import Events
import Guest
import WindowsTypes

/// A routine that is told of the registry's operations before they happen, and after (`CmRegisterCallback`).
struct RegistryCallback {
  let routine: UInt64
  let context: UInt64
  let cookie: UInt64
  /// Registered by `CmRegisterCallbackEx`: told as Windows Vista tells, of the end of every operation too.
  let isExtended: Bool
  /// Of those, the higher is called first.
  let altitude: String
}

/// What callbacks are told of, by the numbers that XP and Vista give it.
struct RegistryOperation {
  /// XP's class for what comes.
  let before: UInt32
  /// XP's class for what has happened, where it has one.
  var after: UInt32?
  let extendedBefore: UInt32
  let extendedAfter: UInt32

  static let deleteKey = Self(before: 0, extendedBefore: 0, extendedAfter: 15)
  static let setValue = Self(before: 1, extendedBefore: 1, extendedAfter: 16)
  static let deleteValue = Self(before: 2, extendedBefore: 2, extendedAfter: 17)
  static let enumerateKey = Self(before: 5, extendedBefore: 5, extendedAfter: 20)
  static let enumerateValue = Self(before: 6, extendedBefore: 6, extendedAfter: 21)
  static let queryKey = Self(before: 7, extendedBefore: 7, extendedAfter: 22)
  static let queryValue = Self(before: 8, extendedBefore: 8, extendedAfter: 23)
  static let createKey = Self(before: 10, after: 11, extendedBefore: 26, extendedAfter: 27)
  static let openKey = Self(before: 12, after: 13, extendedBefore: 28, extendedAfter: 29)
  static let closeHandle = Self(before: 14, extendedBefore: 14, extendedAfter: 25)
}

/// The contexts of one operation: of the object that it is on, and those that callbacks left at its begin, by their cookies.
final class RegistryContexts {
  /// Where `CallContext` and `ObjectContext` lie.
  let place: UInt64
  let object: UInt64
  var calls: [UInt64: UInt64] = [:]

  init(_ place: UInt64, _ object: UInt64) {
    self.place = place
    self.object = object
  }
}

/// The structures that callbacks get: memory for the length of one operation.
struct RegistryNotice {
  private unowned let kernel: Kernel
  private let list = BlockList()

  private final class BlockList {
    var blocks: [UInt64] = []
  }

  init(_ kernel: Kernel) { self.kernel = kernel }

  func bytes(_ bytes: [UInt8]) throws -> UInt64 {
    let block = try kernel.allocate(UInt64(max(8, bytes.count)))
    list.blocks.append(block)
    try kernel.memory.memory.write(bytes, at: block)
    return block
  }

  /// A `UNICODE_STRING`.
  func string(_ text: String) throws -> UInt64 {
    let units = text.utf16.prefix(0x7ffe)
    let string = Pointer<UNICODE_STRING>(try bytes([UInt8](repeating: 0, count: 8 + 2 * units.count + 2)), in: kernel.memory.memory)
    try string.store(String(decoding: units, as: UTF16.self), buffer: Pointer(string.address + 8, in: kernel.memory.memory))
    return string.address
  }

  /// A structure of pointers and `ULONG`s: the members that XP knows, and room for those that later versions add.
  func structure(_ words: [UInt64]) throws -> UInt64 {
    let block = try bytes([UInt8](repeating: 0, count: 4 * (words.count + 3)))
    for (index, word) in words.enumerated() {
      try kernel.memory.memory.store(UInt32(truncatingIfNeeded: word), at: block + 4 * UInt64(index))
    }
    return block
  }

  func end() {
    for block in list.blocks { kernel.free(block) }
    list.blocks = []
  }
}

extension Kernel {
  /// How many callbacks XP has room for.
  static let mostRegistryCallbacks = 100

  /// `CmRegisterCallback` (nf-wdm-cmregistercallback).
  func registerRegistryCallback(_ routine: UInt64, _ context: UInt64, altitude: String?, cookie: Pointer<Int64>) throws -> NTSTATUS {
    guard configuration.callbacks.count < Self.mostRegistryCallbacks else { return .insufficientResources }
    if let altitude, configuration.callbacks.contains(where: { $0.isExtended && $0.altitude == altitude }) {
      // STATUS_FLT_INSTANCE_ALTITUDE_COLLISION, as the page says.
      return NTSTATUS(rawValue: 0xc01c_0011)
    }
    configuration.lastCookie += 1
    let callback = RegistryCallback(
      routine: routine, context: context, cookie: configuration.lastCookie, isExtended: altitude != nil, altitude: altitude ?? "")
    let index =
      altitude.map { new in
        configuration.callbacks.firstIndex { $0.isExtended && Self.altitude($0.altitude, isBelow: new) } ?? configuration.callbacks.count
      } ?? configuration.callbacks.count
    configuration.callbacks.insert(callback, at: index)
    register(Self.registryCallback, callback.cookie)
    try cookie.store(Int64(bitPattern: callback.cookie))
    return .success
  }

  static let registryCallback = "a registry callback"

  /// Altitudes are decimal numbers of any length.
  static func altitude(_ a: String, isBelow b: String) -> Bool {
    func parts(_ text: String) -> (whole: String, fraction: String) {
      let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      return (String(parts[0].drop { $0 == "0" }), parts.count > 1 ? parts[1] : "")
    }
    let (x, y) = (parts(a), parts(b))
    if x.whole.count != y.whole.count { return x.whole.count < y.whole.count }
    return x.whole == y.whole ? x.fraction < y.fraction : x.whole < y.whole
  }

  /// `CmUnRegisterCallback` (nf-wdm-cmunregistercallback).
  func unregisterRegistryCallback(_ cookie: UInt64) -> NTSTATUS {
    guard let index = configuration.callbacks.firstIndex(where: { $0.cookie == cookie }) else { return .invalidParameter }
    configuration.callbacks.remove(at: index)
    unregister(Self.registryCallback, cookie)
    return .success
  }

  /// Performs an operation on an open key, with those who asked for it told before and after.
  ///
  /// - Parameter fields: the members of the operation's structure, in order.
  func announce(
    _ operation: RegistryOperation, on object: UInt64, _ fields: (RegistryNotice) throws -> [UInt64],
    _ body: () async throws -> NTSTATUS
  ) async throws -> NTSTATUS {
    let callbacks = configuration.callbacks
    guard !callbacks.isEmpty else { return try await body() }
    let notice = RegistryNotice(self)
    defer { notice.end() }
    let words = try fields(notice)
    let structure = try notice.structure(words)
    // CallContext, ObjectContext and Reserved follow.
    let contexts = RegistryContexts(structure + 4 * UInt64(words.count), object)
    if let refusal = try await tell(callbacks, operation, plain: structure, extended: structure, contexts) { return refusal }
    return try await tellEnd(callbacks, operation, notice, object, structure, try await body(), contexts)
  }

  /// Opens or makes a key, likewise. `body` returns the new object, too.
  func announce(
    _ operation: RegistryOperation, naming name: KeyName, access: UInt32, options: UInt32 = 0,
    _ body: () async throws -> (status: NTSTATUS, object: UInt64)
  ) async throws -> NTSTATUS {
    let callbacks = configuration.callbacks
    guard !callbacks.isEmpty else { return try await body().status }
    let notice = RegistryNotice(self)
    defer { notice.end() }
    let path = try notice.string(name.path)
    let plain = try notice.structure([path])
    var extended: UInt64 = 0
    if callbacks.contains(where: \.isExtended) {
      let relative = name.root == 0 ? path : try notice.string(name.parts.joined(separator: "\\"))
      let type = try objectType(.key)
      extended = try notice.structure(
        [relative, name.root, type, UInt64(options), 0, 0, 0, UInt64(access), 0, 0, 0, 0, 0, 0, 0])
    }
    // Behind eleven members: CallContext, RootObjectContext.
    let contexts = RegistryContexts(extended + 0x2c, name.root)
    if let refusal = try await tell(callbacks, operation, plain: plain, extended: extended, contexts) { return refusal }
    let (status, object) = try await body()
    if let after = operation.after {
      let structure = try notice.structure([path, object, UInt64(status.rawValue)])
      for callback in callbacks where !callback.isExtended {
        _ = try await call(callback.routine, [callback.context, UInt64(after), structure])
      }
    }
    return try await tellEnd(callbacks, operation, notice, object, extended, status, contexts)
  }

  /// A handle to a key goes.
  func announceClosing(of object: UInt64) async throws -> NTSTATUS {
    try await announce(.closeHandle, on: object, { _ in [object] }) { .success }
  }

  /// Tells of what comes. A callback's status other than success is the operation's; STATUS_CALLBACK_BYPASS makes it a success
  /// that did not happen.
  private func tell(
    _ callbacks: [RegistryCallback], _ operation: RegistryOperation, plain: UInt64, extended: UInt64, _ contexts: RegistryContexts
  ) async throws -> NTSTATUS? {
    for callback in callbacks {
      if callback.isExtended { try store(0, configuration.contexts[callback.cookie]?[contexts.object] ?? 0, at: contexts.place) }
      let (kind, structure) = callback.isExtended ? (operation.extendedBefore, extended) : (operation.before, plain)
      let result = try await call(callback.routine, [callback.context, UInt64(kind), structure])
      if callback.isExtended { contexts.calls[callback.cookie] = UInt64(try memory.memory.load(UInt32.self, at: contexts.place)) }
      let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: result))
      if callback.isExtended, status.rawValue == 0xc000_0503 { return .success }
      if !status.isSuccess { return status }
    }
    return nil
  }

  /// Tells those of Vista's kind of what has happened.
  private func tellEnd(
    _ callbacks: [RegistryCallback], _ operation: RegistryOperation, _ notice: RegistryNotice, _ object: UInt64,
    _ before: UInt64, _ status: NTSTATUS, _ contexts: RegistryContexts
  ) async throws -> NTSTATUS {
    guard callbacks.contains(where: \.isExtended) else { return status }
    let isObject = status.isSuccess && operation.extendedAfter != RegistryOperation.closeHandle.extendedAfter
    let structure = try notice.structure(
      [isObject ? object : 0, UInt64(status.rawValue), before, UInt64(status.rawValue), 0, 0, 0])
    for callback in callbacks where callback.isExtended {
      try store(contexts.calls[callback.cookie] ?? 0, configuration.contexts[callback.cookie]?[object] ?? 0, at: structure + 0x10)
      let result = try await call(callback.routine, [callback.context, UInt64(operation.extendedAfter), structure])
      // The callback's own status for the caller: ReturnStatus.
      if UInt32(truncatingIfNeeded: result) == 0xc000_0503 {
        return NTSTATUS(rawValue: try memory.memory.load(UInt32.self, at: structure + 12))
      }
    }
    return status
  }

  /// A call's context, which its callback may change, and the object's.
  private func store(_ call: UInt64, _ object: UInt64, at place: UInt64) throws {
    try memory.memory.store(UInt32(truncatingIfNeeded: call), at: place)
    try memory.memory.store(UInt32(truncatingIfNeeded: object), at: place + 4)
  }

  /// `CmSetCallbackObjectContext` (nf-wdm-cmsetcallbackobjectcontext): what a callback hangs on an open key; 0 for nothing.
  func setRegistryContext(_ context: UInt64, on object: UInt64, of cookie: UInt64) -> UInt64? {
    guard configuration.callbacks.contains(where: { $0.cookie == cookie }), configuration.open[object] != nil else { return nil }
    let old = configuration.contexts[cookie]?[object] ?? 0
    configuration.contexts[cookie, default: [:]][object] = context == 0 ? nil : context
    return old
  }

  /// `RegNtCallbackObjectContextCleanup`: the key object goes, or the callback; whoever hung a context there is told.
  func cleanUpRegistryContexts(ofObject object: UInt64? = nil, ofCallback cookie: UInt64? = nil) async throws {
    for callback in configuration.callbacks where cookie == nil || callback.cookie == cookie {
      for (key, context) in (configuration.contexts[callback.cookie] ?? [:]).sorted(by: { $0.key < $1.key })
      where object == nil || key == object {
        configuration.contexts[callback.cookie]?[key] = nil
        let notice = RegistryNotice(self)
        defer { notice.end() }
        let structure = try notice.structure([key, context])
        _ = try await call(callback.routine, [callback.context, 40, structure])
      }
    }
  }

  /// `CmCallbackGetKeyObjectID` (nf-wdm-cmcallbackgetkeyobjectid): an identifier of the key, and its path.
  func keyObjectID(
    _ cookie: Pointer<Int64>, _ object: UInt64, _ identifier: Pointer<GuestWord>, _ name: Pointer<Pointer<UNICODE_STRING>>
  ) throws -> NTSTATUS {
    let wanted = UInt64(bitPattern: try cookie.load())
    guard configuration.callbacks.contains(where: { $0.cookie == wanted }), let key = configuration.open[object]?.key else {
      return .invalidParameter
    }
    if key.isDeleted { return NTSTATUS(rawValue: 0xc000_017c) }
    let known = configuration.objectNames[object]
    let string = Pointer<UNICODE_STRING>(try known ?? allocate(8), in: memory.memory)
    if known == nil {
      try store(key.path, in: string)
      configuration.objectNames[object] = string.address
    }
    if !identifier.isNull { try identifier.store(GuestWord(string.address)) }
    if !name.isNull { try name.store(string) }
    return .success
  }
}
