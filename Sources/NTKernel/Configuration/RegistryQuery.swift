import Events
import Guest
import WindowsTypes

/// `RtlQueryRegistryValues`: a table of queries, answered by the caller's routines or into its variables
/// (nf-wdm-rtlqueryregistryvalues, nc-wdm-rtl_query_registry_routine).
struct RegistryQuery {
  let kernel: Kernel
  let top: RegistryKey
  let context: UInt64
  let environment: Pointer<UInt16>

  /// `RTL_QUERY_REGISTRY_…`
  private enum Flag {
    static let subkey: UInt32 = 0x1
    static let topKey: UInt32 = 0x2
    static let required: UInt32 = 0x4
    static let noValue: UInt32 = 0x8
    static let noExpand: UInt32 = 0x10
    static let direct: UInt32 = 0x20
    static let delete: UInt32 = 0x40
    static let typeCheck: UInt32 = 0x100
  }

  private struct Entry {
    let routine: UInt64
    let flags: UInt32
    let name: Pointer<UInt16>
    let context: UInt64
    let defaultType: UInt32
    let defaultData: UInt64
    let defaultLength: UInt32

    init(_ entry: Pointer<RTL_QUERY_REGISTRY_TABLE>) throws {
      routine = try entry.QueryRoutine.load().address
      flags = try entry.Flags.load()
      name = try entry.Name.load()
      context = try entry.EntryContext.load().address
      defaultType = try entry.DefaultType.load()
      defaultData = try entry.DefaultData.load().address
      defaultLength = try entry.DefaultLength.load()
    }

    func has(_ flag: UInt32) -> Bool { flags & flag != 0 }
  }

  func run(_ table: Pointer<RTL_QUERY_REGISTRY_TABLE>) async throws -> NTSTATUS {
    var key = top
    var place = table
    while true {
      let entry = try Entry(place)
      guard entry.routine != 0 || entry.has(Flag.subkey | Flag.direct) else { return .success }
      if entry.has(Flag.direct), entry.routine != 0 || entry.name.isNull || entry.has(Flag.subkey) { return .invalidParameter }
      if entry.has(Flag.topKey | Flag.subkey) { key = top }
      if entry.has(Flag.subkey) {
        guard !entry.name.isNull else { return .invalidParameter }
        let parts = try kernel.text(entry.name).split(separator: "\\").map(String.init)
        guard case .found(let next) = kernel.registry.resolve(parts[...], from: top, followsLast: true) else { return .objectNameNotFound }
        key = next
      }
      let status = try await answer(entry, key)
      guard status.isSuccess else { return status }
      place = place.advanced(by: 1)
    }
  }

  private func answer(_ entry: Entry, _ key: RegistryKey) async throws -> NTSTATUS {
    if entry.has(Flag.subkey) { return entry.routine == 0 ? .success : try await answerAll(entry, key) }
    if entry.has(Flag.noValue) {
      return try await call(entry, name: 0, .none, (0, 0))
    }
    if entry.name.isNull { return try await answerAll(entry, key) }
    let name = try kernel.text(entry.name)
    guard let value = key.value(name) else {
      if entry.has(Flag.required) { return .objectNameNotFound }
      return try await answerByDefault(entry)
    }
    let status = try await deliver(value, entry)
    if status.isSuccess, entry.has(Flag.delete) { _ = try kernel.remove(name, from: key) }
    return status
  }

  /// Every value of the key, one after the other.
  private func answerAll(_ entry: Entry, _ key: RegistryKey) async throws -> NTSTATUS {
    if key.values.isEmpty, entry.has(Flag.required) { return .objectNameNotFound }
    for value in key.values {
      let status = try await deliver(value, entry)
      guard status.isSuccess else { return status }
      if entry.has(Flag.delete) { _ = try kernel.remove(value.name, from: key) }
    }
    return .success
  }

  /// The table's own data, in place of a value that is not there.
  private func answerByDefault(_ entry: Entry) async throws -> NTSTATUS {
    let type = RegistryValueType(rawValue: entry.defaultType & 0xff_ffff)
    guard type != .none else { return .success }
    var length = Int(entry.defaultLength)
    let data = Pointer<UInt16>(entry.defaultData, in: kernel.memory.memory)
    if length == 0, type.isText, entry.defaultData != 0 {
      repeat {
        let count = try data[length / 2].length()
        length += (count + 1) * 2
        if count == 0 || type != .multiString { break }
      } while length < 1 << 20
    }
    let bytes = entry.defaultData == 0 ? [] : try kernel.memory.memory.bytes(min(length, 1 << 20), at: entry.defaultData)
    return try await deliver(RegistryKey.Value(name: kernel.text(entry.name), data: RegistryData(type, bytes)), entry, isDefault: true)
  }

  private func deliver(_ value: RegistryKey.Value, _ entry: Entry, isDefault: Bool = false) async throws -> NTSTATUS {
    let type = value.data.type
    if entry.has(Flag.noExpand) || type != .multiString && type != .expandableString {
      return try await deliver(value.name, value.data, entry, stored: isDefault ? nil : type, at: entry.context)
    }
    if type == .expandableString {
      let expanded = try kernel.expand(value.data.units, environment: environment)
      let data = RegistryData(.string, expanded.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
      return try await deliver(value.name, data, entry, stored: isDefault ? nil : type, at: entry.context)
    }
    // Each string on its own; with DIRECT into one UNICODE_STRING after the other.
    var place = entry.context
    for text in value.data.texts ?? [] {
      let status = try await deliver(value.name, .string(text), entry, stored: isDefault ? nil : type, at: place)
      guard status.isSuccess else { return status }
      if entry.has(Flag.direct) { place += UInt64(Pointer<UNICODE_STRING>.size(in: kernel.memory.memory)) }
    }
    return .success
  }

  private func deliver(
    _ name: String, _ data: RegistryData, _ entry: Entry, stored: RegistryValueType?, at place: UInt64
  ) async throws -> NTSTATUS {
    guard entry.has(Flag.direct) else {
      let size = UInt64(name.utf16.count * 2 + 2)
      let room = (size + 7) & ~7
      // The routine's copies, of name and data.
      guard let block = try kernel.pagedPool.allocate(room + UInt64(data.bytes.count) + 2, tag: Kernel.ownTag, in: kernel.memory) else {
        return .insufficientResources
      }
      defer { _ = kernel.pagedPool.free(block) }
      try kernel.memory.memory.write(RegistryData.string(name).bytes, at: block)
      try kernel.memory.memory.write(data.bytes, at: block + room)
      return try await call(entry, name: block, data.type, (data.bytes.isEmpty ? 0 : block + room, data.bytes.count))
    }
    if entry.has(Flag.typeCheck), let stored {
      let wanted = entry.defaultType >> 24
      guard wanted == stored.rawValue || wanted == data.type.rawValue else { return .objectTypeMismatch }
    }
    return try store(data, at: place)
  }

  private func call(
    _ entry: Entry, name: UInt64, _ type: RegistryValueType, _ data: (address: UInt64, count: Int)
  ) async throws -> NTSTATUS {
    guard entry.routine != 0 else { return .success }
    let arguments = [name, UInt64(type.rawValue), data.address, UInt64(data.count), context, entry.context]
    return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await kernel.call(entry.routine, arguments)))
  }

  /// `RTL_QUERY_REGISTRY_DIRECT`: the data goes where `EntryContext` points.
  private func store(_ data: RegistryData, at place: UInt64) throws -> NTSTATUS {
    let here = kernel.memory.memory
    let (bytes, count) = (data.bytes, data.bytes.count)
    if [.string, .expandableString, .multiString].contains(data.type) {
      let string = Pointer<UNICODE_STRING>(place, in: here)
      guard count <= 0xffff else { return .bufferTooSmall }
      var buffer = try string.Buffer.load()
      if buffer.isNull {
        guard let text = try kernel.allocateText(max(1, (count + 1) / 2), of: UInt16.self) else { return .insufficientResources }
        buffer = text
        try string.Buffer.store(buffer)
        try string.MaximumLength.store(UInt16(count))
      } else if Int(try string.MaximumLength.load()) < count {
        return .bufferTooSmall
      }
      try here.write(bytes, at: buffer.address)
      try string.Length.store(UInt16(max(0, count - 2)))
      return .success
    }
    if count <= 4 {
      try here.write(bytes, at: place)
      return .success
    }
    // The buffer begins with its size: negative for the data alone, positive for length, type and data.
    let size = Int32(bitPattern: try here.load(UInt32.self, at: place))
    if size < 0 {
      guard count <= Int(size.magnitude) else { return .bufferTooSmall }
      try here.write(bytes, at: place)
    } else {
      guard count + 8 <= Int(size) else { return .bufferTooSmall }
      try here.store(UInt32(count), at: place)
      try here.store(data.type.rawValue, at: place + 4)
      try here.write(bytes, at: place + 8)
    }
    return .success
  }
}
