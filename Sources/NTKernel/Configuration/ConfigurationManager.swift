import Events
import Guest
import Memory
import WindowsTypes

/// What the configuration manager keeps beside the keys: who has them open, who is told of operations.
struct ConfigurationManager {
  /// The key that each open key object stands for, by the object's address.
  var open: [UInt64: OpenKey] = [:]
  /// In the order in which they are called.
  var callbacks: [RegistryCallback] = []
  var lastCookie: UInt64 = 0x01c9_b300_0000_0000
  /// The names that `CmCallbackGetKeyObjectID` has handed out, by key object.
  var objectNames: [UInt64: UInt64] = [:]
  /// What callbacks have hung on key objects: by the callback's cookie, by object.
  var contexts: [UInt64: [UInt64: UInt64]] = [:]

  /// One opening of a key.
  final class OpenKey {
    let key: RegistryKey
    var watch: RegistryWatch?

    init(_ key: RegistryKey) { self.key = key }
  }
}

/// Key objects and the handles to them.
extension Kernel {
  /// What an `OBJECT_ATTRIBUTES` names, as far as it lies in the registry.
  struct KeyName {
    let start: RegistryKey
    /// The object of `RootDirectory`; 0 without one.
    let root: UInt64
    let parts: [String]
    let flags: ObjectAttributeFlags

    var path: String { ([start.path] + parts).joined(separator: "\\") }
  }

  /// A key by its handle, and the object behind that.
  func key(_ handle: UInt64, access: KeyAccess, mode: KPROCESSOR_MODE) throws -> Result<(object: UInt64, key: RegistryKey), Refusal> {
    switch try object(handle, access: access.rawValue, type: 0, mode: mode) {
    case .failure(let refusal): return .failure(refusal)
    case .success(let entry):
      guard let open = configuration.open[entry.object] else { return .failure(Refusal(.objectTypeMismatch)) }
      // STATUS_KEY_DELETED
      if open.key.isDeleted { return .failure(Refusal(NTSTATUS(rawValue: 0xc000_017c))) }
      return .success((entry.object, open.key))
    }
  }

  func keyName(_ attributes: Pointer<OBJECT_ATTRIBUTES>, mode: KPROCESSOR_MODE) throws -> Result<KeyName, Refusal> {
    if mode == .userMode { try checkUserRange(attributes.address, 0x18, 4) }
    let flags = ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
    // OBJ_VALID_ATTRIBUTES of XP
    guard try attributes.Length.load() == UInt32(Pointer<OBJECT_ATTRIBUTES>.size(in: memory.memory)), flags.rawValue & ~0x7f2 == 0 else {
      return .failure(Refusal(.invalidParameter))
    }
    let name = try attributes.ObjectName.load()
    var text = ""
    if !name.isNull {
      switch try captured(name, mode: mode) {
      case .success(let captured): text = captured
      case .failure: return .failure(Refusal(.objectNameInvalid))
      }
    }
    let rootHandle = try attributes.RootDirectory.load().address
    guard rootHandle == 0 else {
      switch try key(rootHandle, access: [], mode: mode) {
      case .failure(let refusal): return .failure(refusal)
      case .success(let root):
        if text.hasPrefix("\\") { return .failure(Refusal(.objectPathSyntaxBad)) }
        return .success(
          KeyName(start: root.key, root: root.object, parts: text.split(separator: "\\").map(String.init), flags: flags))
      }
    }
    guard text.hasPrefix("\\") else { return .failure(Refusal(.objectPathSyntaxBad)) }
    if let parts = Registry.parts(of: text) {
      return .success(KeyName(start: registry.root, root: 0, parts: parts, flags: flags))
    }
    switch try resolve(text) {
    case .found: return .failure(Refusal(.objectTypeMismatch))
    case .failed(let status): return .failure(Refusal(status))
    }
  }

  /// A counted string of a caller's, read once. Fails where its length is odd.
  func captured(_ string: Pointer<UNICODE_STRING>, mode: KPROCESSOR_MODE) throws -> Result<String, Refusal> {
    if mode == .userMode { try checkUserRange(string.address, 8, 4) }
    let length = try string.Length.load()
    guard length & 1 == 0 else { return .failure(Refusal(.invalidParameter)) }
    if mode == .userMode { try checkUserRange(string.Buffer.load().address, UInt64(length), 2) }
    return .success(try string.string())
  }

  /// A new object for `key`, referenced once.
  func makeKeyObject(_ key: RegistryKey) throws -> UInt64 {
    let object = try makeObject(.key, size: UInt64(Pointer<CM_KEY_BODY>.size(in: memory.memory)))
    let body = Pointer<CM_KEY_BODY>(object, in: memory.memory)
    // The signature "ky02".
    try body.Type.store(0x6b79_3032)
    try body.ProcessID.store(Pointer(requestor().object.UniqueProcessId.load().address, in: memory.memory))
    try body.KeyBodyList.initialize()
    io.objects[object]?.path = key.path
    configuration.open[object] = .init(key)
    return object
  }

  /// The last reference to a key object is gone.
  func forgetKeyObject(_ object: UInt64) {
    configuration.open[object] = nil
    configuration.objectNames[object] = nil
  }

  /// A handle to `key` with these rights is stored at `place`.
  func grant(
    _ key: RegistryKey, at place: Pointer<GuestWord>, rights: UInt32, flags: ObjectAttributeFlags, mode: KPROCESSOR_MODE
  ) throws -> UInt64 {
    let object = try makeKeyObject(key)
    let handle = try makeHandle(to: object, access: rights, attributes: flags, mode: mode)
    try place.store(GuestWord(handle))
    return object
  }

  /// What a call comes to that meets a bad pointer of its caller's: the exception's code.
  func guarding(_ body: () async throws -> NTSTATUS) async throws -> NTSTATUS {
    do { return try await body() } catch let exception as GuestException { return exception.code }
  }

  /// A user's memory that a call is to write: checked and touched.
  func probeForResult(_ address: UInt64, _ length: UInt64, _ alignment: UInt32, mode: KPROCESSOR_MODE) throws {
    guard mode == .userMode else { return }
    try checkUserRange(address, length, alignment)
    var place = address
    while place < address + length {
      try memory.memory.touch(.write, at: place)
      place = (place & ~0xfff) + GuestMemory.pageSize
    }
  }
}
