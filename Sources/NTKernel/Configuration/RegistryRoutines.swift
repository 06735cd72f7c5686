import Events
import Guest
import WindowsTypes

/// The run-time library's way to the registry: a key by a place and a path relative to it (nf-wdm-rtlqueryregistryvalues).
extension Kernel {
  /// `RTL_REGISTRY_…`
  private static let relativePlaces = [
    "", Registry.services, #"\Registry\Machine\System\CurrentControlSet\Control"#,
    #"\Registry\Machine\Software\Microsoft\Windows NT\CurrentVersion"#, #"\Registry\Machine\Hardware\DeviceMap"#,
  ]

  /// The key that a run-time routine means; `makesLast` has it made where only it is missing.
  func runtimeKey(_ relativeTo: UInt32, _ path: Pointer<UInt16>, makesLast: Bool = false) async throws -> Result<RegistryKey, Refusal> {
    // RTL_REGISTRY_HANDLE, RTL_REGISTRY_OPTIONAL
    if relativeTo & 0x4000_0000 != 0 { return try key(path.address, access: [], mode: .kernelMode).map(\.key) }
    let place = Int(relativeTo & ~0x8000_0000)
    // RTL_REGISTRY_MAXIMUM
    guard place < 6 else { return .failure(Refusal(.invalidParameter)) }
    let rest = path.isNull ? "" : String(decoding: try path.array(count: try path.length()), as: UTF16.self)
    let base = place == 5 ? currentUserPath() : Self.relativePlaces[place]
    let full = base.isEmpty ? rest : base + "\\" + rest
    guard full.hasPrefix("\\") else { return .failure(Refusal(.objectPathSyntaxBad)) }
    guard let parts = Registry.parts(of: full) else { return .failure(Refusal(.objectNameNotFound)) }
    var found: RegistryKey?
    let name = KeyName(start: registry.root, root: 0, parts: parts, flags: .caseInsensitive)
    let status = try await announce(makesLast ? .createKey : .openKey, naming: name, access: 0x2_0019) {
      switch registry.resolve(parts[...], from: registry.root, followsLast: true) {
      case .found(let key): found = key
      case .missing(let part, let parent, let rest) where makesLast && rest.isEmpty:
        guard parent.parent?.parent != nil, part.utf16.count <= Registry.longestKeyName else { return (.invalidParameter, 0) }
        let room = registryRoom(for: 96 + 2 * part.utf16.count)
        guard room.isSuccess else { return (room, 0) }
        let key = RegistryKey(part, in: parent, isVolatile: parent.isVolatile, at: registry.now())
        registry.usedBytes += key.size
        parent.insert(key)
        try changed(parent, .name)
        found = key
      default: return (.objectNameNotFound, 0)
      }
      return (.success, 0)
    }
    guard let found else { return .failure(Refusal(status.isSuccess ? .objectNameNotFound : status)) }
    return .success(found)
  }

  /// Where the current user's keys are: the local system account's, which every process of the run has.
  func currentUserPath() -> String { #"\REGISTRY\USER\S-1-5-18"# }

  /// `RtlWriteRegistryValue` (nf-wdm-rtlwriteregistryvalue).
  func writeRegistryValue(
    _ relativeTo: UInt32, _ path: Pointer<UInt16>, _ name: Pointer<UInt16>, _ type: RegistryValueType, _ data: UInt64, _ size: UInt32
  ) async throws -> NTSTATUS {
    switch try await runtimeKey(relativeTo, path, makesLast: true) {
    case .failure(let refusal): return refusal.status
    case .success(let key):
      guard size <= Registry.longestData else { return .invalidParameter }
      let bytes = try memory.memory.bytes(Int(size), at: data)
      let name = try text(name)
      return try await announceInternally(.setValue, key) { notice, object in
        [object, try notice.string(name), 0, UInt64(type.rawValue), try notice.bytes(bytes), UInt64(size)]
      } _: {
        try store(RegistryData(type, bytes), as: name, in: key)
      }
    }
  }

  /// `RtlDeleteRegistryValue` (nf-wdm-rtldeleteregistryvalue).
  func deleteRegistryValue(_ relativeTo: UInt32, _ path: Pointer<UInt16>, _ name: Pointer<UInt16>) async throws -> NTSTATUS {
    switch try await runtimeKey(relativeTo, path) {
    case .failure(let refusal): return refusal.status
    case .success(let key):
      let name = try text(name)
      return try await announceInternally(.deleteValue, key) {
        [$1, try $0.string(name)]
      } _: {
        try remove(name, from: key)
      }
    }
  }

  /// Performs an operation on a key that no handle of the caller's stands for.
  private func announceInternally(
    _ operation: RegistryOperation, _ key: RegistryKey, _ fields: (RegistryNotice, UInt64) throws -> [UInt64],
    _ body: () throws -> NTSTATUS
  ) async throws -> NTSTATUS {
    guard !configuration.callbacks.isEmpty else { return try body() }
    let object = try makeKeyObject(key)
    let status = try await announce(operation, on: object, { try fields($0, object) }) { try body() }
    try await dereference(object)
    return status
  }

  func text(_ string: Pointer<UInt16>) throws -> String {
    string.isNull ? "" : String(decoding: try string.array(count: min(try string.length(), Registry.longestValueName)), as: UTF16.self)
  }

  /// `%NAME%` replaced by what `environment` has for it: strings `NAME=VALUE`, the last one empty. What it does not have stays.
  func expand(_ units: [UInt16], environment: Pointer<UInt16>) throws -> [UInt16] {
    guard !environment.isNull, units.contains(0x25) else { return units }
    var values: [FoldedName: [UInt16]] = [:]
    var place = environment
    while true {
      let entry = try place.array(count: try place.length())
      guard !entry.isEmpty, values.count < 4096 else { break }
      if let separator = entry.dropFirst().firstIndex(of: 0x3d) {
        values[FoldedName(String(decoding: entry[..<separator], as: UTF16.self))] = Array(entry[(separator + 1)...])
      }
      place = place[entry.count + 1]
    }
    var result: [UInt16] = []
    var rest = units[...]
    while let start = rest.firstIndex(of: 0x25) {
      result += rest[..<start]
      guard let end = rest[(start + 1)...].firstIndex(of: 0x25) else {
        rest = rest[start...]
        break
      }
      if let value = values[FoldedName(String(decoding: rest[(start + 1)..<end], as: UTF16.self))] {
        result += value
        rest = rest[(end + 1)...]
      } else {
        result += rest[start..<end]
        rest = rest[end...]
        // The closing sign may open another name.
        if rest.dropFirst().firstIndex(of: 0x25) == nil { break }
      }
      guard result.count < 1 << 20 else { break }
    }
    return result + rest
  }
}
