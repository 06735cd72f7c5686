import Events
import Guest
import WindowsTypes

/// The calls that open, make, change and remove keys and values (`NtOpenKey` and its like).
extension Kernel {
  /// The rights and places that opening and making have in common.
  struct KeyRequest {
    let handle: Pointer<GuestWord>
    let access: UInt32
    let attributes: Pointer<OBJECT_ATTRIBUTES>
    let mode: KPROCESSOR_MODE
  }

  /// `NtOpenKey` (nf-wdm-zwopenkey).
  ///
  /// - Parameter options: of `ZwOpenKeyEx`: REG_OPTION_OPEN_LINK, 8.
  func openKey(_ request: KeyRequest, options: UInt32 = 0) async throws -> NTSTATUS {
    try await guarding {
      try probeForResult(request.handle.address, 4, 4, mode: request.mode)
      guard options & ~0xc == 0 else { return .invalidParameter }
      switch try keyName(request.attributes, mode: request.mode) {
      case .failure(let refusal): return refusal.status
      case .success(let name):
        return try await announce(.openKey, naming: name, access: request.access) {
          let followsLast = options & 8 == 0 && !name.flags.contains(.openLink)
          guard case .found(let key) = registry.resolve(name.parts[...], from: name.start, followsLast: followsLast) else {
            return (.objectNameNotFound, 0)
          }
          switch try rights(to: key, request.access, name.flags, request.mode) {
          case .failure(let refusal): return (refusal.status, 0)
          case .success(let rights):
            return (.success, try grant(key, at: request.handle, rights: rights, flags: name.flags, mode: request.mode))
          }
        }
      }
    }
  }

  /// `NtCreateKey` (nf-wdm-zwcreatekey).
  func createKey(
    _ request: KeyRequest, class className: Pointer<UNICODE_STRING>, options: UInt32, disposition: Pointer<UInt32>
  ) async throws -> NTSTATUS {
    try await guarding {
      try probeForResult(request.handle.address, 4, 4, mode: request.mode)
      if !disposition.isNull { try probeForResult(disposition.address, 4, 4, mode: request.mode) }
      // REG_LEGAL_OPTION
      guard options & ~0xf == 0 else { return .invalidParameter }
      var classBytes: [UInt8] = []
      if !className.isNull {
        guard case .success(let text) = try captured(className, mode: request.mode) else { return .invalidParameter }
        classBytes = RegistryData.link(text).bytes
      }
      switch try keyName(request.attributes, mode: request.mode) {
      case .failure(let refusal): return refusal.status
      case .success(let name):
        return try await announce(.createKey, naming: name, access: request.access, options: options) {
          let (isLink, opensLink) = (options & 2 != 0, options & 8 != 0 || name.flags.contains(.openLink))
          var isNew = false
          var key: RegistryKey
          // The maker of a key may do with it what it wants.
          var granted = KeyAccess.mapping(request.access)
          switch registry.resolve(name.parts[...], from: name.start, followsLast: !isLink && !opensLink) {
          case .found(let existing):
            if isLink { return (.objectNameCollision, 0) }
            key = existing
            switch try rights(to: key, request.access, name.flags, request.mode) {
            case .failure(let refusal): return (refusal.status, 0)
            case .success(let rights): granted = rights
            }
          case .badLink: return (.objectNameNotFound, 0)
          case .missing(let part, let parent, let rest):
            guard rest.isEmpty else { return (.objectNameNotFound, 0) }
            if case .failure(let refusal) = try rights(to: parent, KeyAccess.createSubKey.rawValue, name.flags, request.mode) {
              return (refusal.status, 0)
            }
            let explicit = try request.attributes.SecurityDescriptor.load().cast(to: SECURITY_DESCRIPTOR.self)
            if request.mode == .userMode, !explicit.isNull { try checkUserRange(explicit.address, 20, 4) }
            // STATUS_INVALID_SECURITY_DESCR
            guard try explicit.isNull || explicit.isValid else { return (NTSTATUS(rawValue: 0xc000_0079), 0) }
            let status = checkRoom(for: part, in: parent, isVolatile: options & 1 != 0)
            guard status.isSuccess else { return (status, 0) }
            key = RegistryKey(part, in: parent, isVolatile: options & 1 != 0, at: registry.now())
            key.className = classBytes
            if !explicit.isNull {
              var security = try SecurityParts(explicit)
              security.complete(from: parent.security, try currentToken())
              key.ownSecurity = security
            }
            key.isLink = isLink
            registry.usedBytes += key.size
            parent.insert(key)
            parent.lastWriteTime = registry.now()
            try changed(parent, .name)
            isNew = true
          }
          let object = try grant(key, at: request.handle, rights: granted, flags: name.flags, mode: request.mode)
          // REG_CREATED_NEW_KEY, REG_OPENED_EXISTING_KEY
          if !disposition.isNull { try disposition.store(isNew ? 1 : 2) }
          return (.success, object)
        }
      }
    }
  }

  /// Whether a key can be made: not beside the hives, whose roots only the kernel makes, and volatile below a volatile one.
  private func checkRoom(for name: String, in parent: RegistryKey, isVolatile: Bool) -> NTSTATUS {
    guard name.utf16.count <= Registry.longestKeyName, parent.parent?.parent != nil || parent.parent != nil && isVolatile else {
      return .invalidParameter
    }
    var depth = 0
    var above: RegistryKey? = parent
    while let key = above { (depth, above) = (depth + 1, key.parent) }
    guard depth < Registry.deepest else { return .invalidParameter }
    // STATUS_CHILD_MUST_BE_VOLATILE
    if parent.isVolatile, !isVolatile { return NTSTATUS(rawValue: 0xc000_0181) }
    return registryRoom(for: 96 + 2 * name.utf16.count)
  }

  /// STATUS_REGISTRY_QUOTA_LIMIT where `size` bytes more are too many.
  func registryRoom(for size: Int) -> NTSTATUS {
    registry.usedBytes + size <= Registry.quota ? .success : NTSTATUS(rawValue: 0xc000_0256)
  }

  /// `NtDeleteKey` (nf-wdm-zwdeletekey): of a key without subkeys.
  func deleteKey(_ handle: UInt64, mode: KPROCESSOR_MODE) async throws -> NTSTATUS {
    switch try key(handle, access: .delete, mode: mode) {
    case .failure(let refusal): return refusal.status
    case .success(let (object, key)):
      return try await announce(.deleteKey, on: object, { _ in [object] }) {
        // STATUS_CANNOT_DELETE
        guard let parent = key.parent, parent.parent != nil, key.subkeys.isEmpty else { return NTSTATUS(rawValue: 0xc000_0121) }
        registry.usedBytes -= key.size
        key.remove()
        parent.lastWriteTime = registry.now()
        try changed(key, .deleted)
        try changed(parent, .name)
        return .success
      }
    }
  }

  /// `NtSetValueKey` (nf-wdm-zwsetvaluekey).
  func setValue(
    _ handle: UInt64, _ name: Pointer<UNICODE_STRING>, title: UInt32, _ type: RegistryValueType, _ data: (address: UInt64, size: UInt32),
    mode: KPROCESSOR_MODE
  ) async throws -> NTSTATUS {
    try await guarding {
      switch try key(handle, access: .setValue, mode: mode) {
      case .failure(let refusal): return refusal.status
      case .success(let (object, key)):
        guard case .success(let text) = try captured(name, mode: mode), text.utf16.count <= Registry.longestValueName else {
          return .invalidParameter
        }
        guard data.size <= Registry.longestData else { return .invalidParameter }
        if mode == .userMode { try checkUserRange(data.address, UInt64(data.size), 1) }
        let bytes = try memory.memory.bytes(Int(data.size), at: data.address)
        return try await announce(.setValue, on: object) {
          [object, try $0.string(text), UInt64(title), UInt64(type.rawValue), try $0.bytes(bytes), UInt64(data.size)]
        } _: {
          try store(RegistryData(type, bytes), as: text, in: key)
        }
      }
    }
  }

  /// Sets a value, and tells whoever waits for that.
  func store(_ data: RegistryData, as name: String, in key: RegistryKey) throws -> NTSTATUS {
    // STATUS_KEY_DELETED
    if key.isDeleted { return NTSTATUS(rawValue: 0xc000_017c) }
    if key.isLink {
      // A link has its target and nothing else, once.
      guard FoldedName(name) == FoldedName("SymbolicLinkValue"), data.type == .link, key[name] == nil else { return .accessDenied }
    }
    let grown = 24 + 2 * name.utf16.count + data.bytes.count - (key.value(name)?.size ?? 0)
    let room = registryRoom(for: max(0, grown))
    guard room.isSuccess else { return room }
    registry.usedBytes += grown
    key[name] = data
    key.lastWriteTime = registry.now()
    try changed(key, .lastSet)
    return .success
  }

  /// `NtDeleteValueKey` (nf-wdm-zwdeletevaluekey).
  func deleteValue(_ handle: UInt64, _ name: Pointer<UNICODE_STRING>, mode: KPROCESSOR_MODE) async throws -> NTSTATUS {
    try await guarding {
      switch try key(handle, access: .setValue, mode: mode) {
      case .failure(let refusal): return refusal.status
      case .success(let (object, key)):
        guard case .success(let text) = try captured(name, mode: mode) else { return .invalidParameter }
        return try await announce(.deleteValue, on: object, { [object, try $0.string(text)] }) { try remove(text, from: key) }
      }
    }
  }

  /// Takes a value away, and tells whoever waits for that.
  func remove(_ name: String, from key: RegistryKey) throws -> NTSTATUS {
    guard let value = key.value(name) else { return .objectNameNotFound }
    registry.usedBytes -= value.size
    key[name] = nil
    key.lastWriteTime = registry.now()
    try changed(key, .lastSet)
    return .success
  }

  /// Where a call puts what it says of a key or a value, and how much there is.
  struct InformationBuffer {
    let address: UInt64
    let length: UInt32
    let needed: Pointer<UInt32>
  }

  /// `NtQueryKey` (nf-wdm-zwquerykey).
  func queryKey(
    _ handle: UInt64, _ kind: KEY_INFORMATION_CLASS, _ buffer: InformationBuffer, mode: KPROCESSOR_MODE
  ) async throws -> NTSTATUS {
    try await guarding {
      // The name alone can be asked for by any handle (nf-wdm-zwquerykey).
      switch try key(handle, access: kind == .keyName ? [] : .queryValue, mode: mode) {
      case .failure(let refusal): return refusal.status
      case .success(let (object, key)):
        return try await announce(.queryKey, on: object, { _ in [object, UInt64(kind.rawValue)] + buffer.words }) {
          try deliver(information(of: key, kind, isQuery: true), buffer, mode)
        }
      }
    }
  }

  /// `NtEnumerateKey` (nf-wdm-zwenumeratekey).
  func enumerateKey(
    _ handle: UInt64, _ index: UInt32, _ kind: KEY_INFORMATION_CLASS, _ buffer: InformationBuffer, mode: KPROCESSOR_MODE
  ) async throws -> NTSTATUS {
    try await guarding {
      switch try key(handle, access: .enumerateSubKeys, mode: mode) {
      case .failure(let refusal): return refusal.status
      case .success(let (object, key)):
        let words = [object, UInt64(index), UInt64(kind.rawValue)] + buffer.words
        return try await announce(.enumerateKey, on: object, { _ in words }) {
          guard kind.rawValue <= KEY_INFORMATION_CLASS.full.rawValue else { return .invalidParameter }
          guard Int(index) < key.subkeys.count else { return .noMoreEntries }
          return try deliver(information(of: key.subkeys[Int(index)], kind, isQuery: false), buffer, mode)
        }
      }
    }
  }

  /// `NtQueryValueKey` (nf-wdm-zwqueryvaluekey).
  func queryValue(
    _ handle: UInt64, _ name: Pointer<UNICODE_STRING>, _ kind: KEY_VALUE_INFORMATION_CLASS, _ buffer: InformationBuffer,
    mode: KPROCESSOR_MODE
  ) async throws -> NTSTATUS {
    try await guarding {
      switch try key(handle, access: .queryValue, mode: mode) {
      case .failure(let refusal): return refusal.status
      case .success(let (object, key)):
        guard case .success(let text) = try captured(name, mode: mode) else { return .invalidParameter }
        return try await announce(.queryValue, on: object) {
          [object, try $0.string(text), UInt64(kind.rawValue)] + buffer.words
        } _: {
          guard kind.rawValue <= KEY_VALUE_INFORMATION_CLASS.partialAlign64.rawValue else { return .invalidParameter }
          guard let value = key.value(text) else { return .objectNameNotFound }
          return try deliver(information(of: value, kind), buffer, mode)
        }
      }
    }
  }

  /// `NtEnumerateValueKey` (nf-wdm-zwenumeratevaluekey).
  func enumerateValue(
    _ handle: UInt64, _ index: UInt32, _ kind: KEY_VALUE_INFORMATION_CLASS, _ buffer: InformationBuffer, mode: KPROCESSOR_MODE
  ) async throws -> NTSTATUS {
    try await guarding {
      switch try key(handle, access: .queryValue, mode: mode) {
      case .failure(let refusal): return refusal.status
      case .success(let (object, key)):
        let words = [object, UInt64(index), UInt64(kind.rawValue)] + buffer.words
        return try await announce(.enumerateValue, on: object, { _ in words }) {
          guard kind.rawValue <= KEY_VALUE_INFORMATION_CLASS.partial.rawValue else { return .invalidParameter }
          guard Int(index) < key.values.count else { return .noMoreEntries }
          return try deliver(information(of: key.values[Int(index)], kind), buffer, mode)
        }
      }
    }
  }

  /// `NtFlushKey` (nf-wdm-zwflushkey): there is nothing to write to.
  func flushKey(_ handle: UInt64, mode: KPROCESSOR_MODE) throws -> NTSTATUS {
    switch try key(handle, access: [], mode: mode) {
    case .failure(let refusal): refusal.status
    case .success: .success
    }
  }
}

extension Kernel.InformationBuffer {
  /// As callbacks are told of it: buffer, length, where the length that is needed goes.
  var words: [UInt64] { [address, UInt64(length), needed.address] }
}
