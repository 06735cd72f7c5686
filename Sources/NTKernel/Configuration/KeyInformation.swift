import Guest
import WindowsTypes

/// What queries say of keys and values, as the structures of `wdm.h` lay it out.
extension Kernel {
  /// A structure that ends in text or data of any length.
  struct Information {
    var bytes: [UInt8]
    /// How many bytes must fit so that anything is said at all.
    let fixedSize: Int
  }

  func information(of key: RegistryKey, _ kind: KEY_INFORMATION_CLASS, isQuery: Bool) -> Information? {
    let name = RegistryData.link(key.name).bytes
    var writer = InformationWriter()
    // TitleIndex is always 0.
    switch kind {
    case .basic:
      writer.append(key.lastWriteTime)
      for word in [0, name.count] { writer.append(word) }
      return writer.finish(name)
    case .node:
      let offset = (0x18 + name.count + 3) & ~3
      writer.append(key.lastWriteTime)
      for word in [0, key.className.isEmpty ? -1 : offset, key.className.count, name.count] { writer.append(word) }
      guard !key.className.isEmpty else { return writer.finish(name) }
      return writer.finish(name + [UInt8](repeating: 0, count: offset - 0x18 - name.count) + key.className)
    case .full:
      writer.append(key.lastWriteTime)
      let hasClass = !key.className.isEmpty
      for word in [0, hasClass ? 0x2c : -1, key.className.count, key.subkeys.count] { writer.append(word) }
      writer.append(key.subkeys.map { $0.name.utf16.count * 2 }.max() ?? 0)
      writer.append(key.subkeys.map(\.className.count).max() ?? 0)
      writer.append(key.values.count)
      writer.append(key.values.map { $0.name.utf16.count * 2 }.max() ?? 0)
      writer.append(key.values.map(\.data.bytes.count).max() ?? 0)
      return writer.finish(key.className)
    case .keyName where isQuery:
      let path = RegistryData.link(key.path).bytes
      writer.append(path.count)
      return writer.finish(path)
    default: return nil
    }
  }

  func information(of value: RegistryKey.Value, _ kind: KEY_VALUE_INFORMATION_CLASS) -> Information? {
    let (name, data) = (RegistryData.link(value.name).bytes, value.data.bytes)
    var writer = InformationWriter()
    switch kind {
    case .basic:
      for word in [0, Int(value.data.type.rawValue), name.count] { writer.append(word) }
      return writer.finish(name)
    case .partial:
      for word in [0, Int(value.data.type.rawValue), data.count] { writer.append(word) }
      return writer.finish(data)
    case .partialAlign64:
      for word in [Int(value.data.type.rawValue), data.count] { writer.append(word) }
      return writer.finish(data)
    case .full, .fullAlign64:
      let alignment = kind == .full ? 4 : 8
      let offset = (0x14 + name.count + alignment - 1) & ~(alignment - 1)
      for word in [0, Int(value.data.type.rawValue), data.isEmpty ? -1 : offset, data.count, name.count] { writer.append(word) }
      guard !data.isEmpty else { return writer.finish(name) }
      return writer.finish(name + [UInt8](repeating: 0, count: offset - 0x14 - name.count) + data)
    default: return nil
    }
  }

  /// Writes as much as fits. Without room for the fixed part nothing is written: STATUS_BUFFER_TOO_SMALL; where the rest is cut
  /// short, STATUS_BUFFER_OVERFLOW. In each case the size that would do is told.
  func deliver(_ information: Information?, _ buffer: InformationBuffer, _ mode: KPROCESSOR_MODE) throws -> NTSTATUS {
    guard let information else { return .invalidParameter }
    try probeForResult(buffer.needed.address, 4, 4, mode: mode)
    try probeForResult(buffer.address, UInt64(buffer.length), 4, mode: mode)
    try buffer.needed.store(UInt32(information.bytes.count))
    guard Int(buffer.length) >= information.fixedSize else { return .bufferTooSmall }
    try memory.memory.write(information.bytes.prefix(Int(buffer.length)), at: buffer.address)
    return Int(buffer.length) < information.bytes.count ? .bufferOverflow : .success
  }
}

/// Puts little-endian words together.
private struct InformationWriter {
  var bytes: [UInt8] = []

  mutating func append<Word: FixedWidthInteger>(_ word: Word) { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
  /// A `ULONG`.
  mutating func append(_ word: Int) { append(UInt32(truncatingIfNeeded: word)) }

  func finish(_ rest: [UInt8]) -> Kernel.Information { Kernel.Information(bytes: bytes + rest, fixedSize: bytes.count) }
}
