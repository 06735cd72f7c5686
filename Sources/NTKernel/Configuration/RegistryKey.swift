import WindowsTypes

/// A key of the run's registry.
///
/// Names are kept as they were given, and compare without regard to case, unit by unit, as `RtlUpcaseUnicodeChar` maps them.
/// Values lie in the order in which they were made; subkeys in alphabetical order, those that outlast a restart first: so XP
/// enumerates them.
public final class RegistryKey {
  public let name: String
  public private(set) weak var parent: RegistryKey?
  public let isVolatile: Bool
  /// The class string that its maker gave it.
  public var className: [UInt8] = []
  /// Of the key's own content, in 100 ns since 1601.
  public internal(set) var lastWriteTime: UInt64
  /// Whether it was deleted. Handles to it may still be open; calls by them end in `STATUS_KEY_DELETED`.
  public private(set) var isDeleted = false
  /// Whether it stands for the key that its value `SymbolicLinkValue` names.
  public internal(set) var isLink = false
  /// What the key's maker, or who changed its security, said; `nil` where it has what the key above has.
  var ownSecurity: SecurityParts?
  public private(set) var values: [Value] = []
  public private(set) var subkeys: [RegistryKey] = []
  private let folded: FoldedName

  public struct Value: Hashable, Sendable {
    public let name: String
    public internal(set) var data: RegistryData
  }

  init(_ name: String, in parent: RegistryKey?, isVolatile: Bool, at time: UInt64) {
    self.name = name
    self.parent = parent
    self.isVolatile = isVolatile
    lastWriteTime = time
    folded = FoldedName(name)
  }

  /// From `\Registry` on.
  public var path: String { (parent.map(\.path) ?? "") + "\\" + name }

  // MARK: Values

  /// The data of a value; the empty name is the key's default value.
  public subscript(name: String) -> RegistryData? {
    get { index(ofValue: name).map { values[$0].data } }
    set {
      let index = index(ofValue: name)
      switch (index, newValue) {
      case (let index?, let data?): values[index].data = data
      case (let index?, nil): values.remove(at: index)
      case (nil, let data?): values.append(Value(name: name, data: data))
      case (nil, nil): break
      }
    }
  }

  public func value(_ name: String) -> Value? { index(ofValue: name).map { values[$0] } }

  private func index(ofValue name: String) -> Int? {
    let wanted = FoldedName(name)
    return values.firstIndex { FoldedName($0.name) == wanted }
  }

  // MARK: Subkeys

  public func subkey(_ name: String) -> RegistryKey? {
    let wanted = FoldedName(name)
    return subkeys.first { $0.folded == wanted }
  }

  func insert(_ key: RegistryKey) {
    let index = subkeys.firstIndex { key.isBefore($0) } ?? subkeys.count
    subkeys.insert(key, at: index)
  }

  private func isBefore(_ other: RegistryKey) -> Bool {
    isVolatile == other.isVolatile ? folded < other.folded : !isVolatile
  }

  /// Takes the key, with what is below it, out of the registry.
  func remove() {
    parent?.subkeys.removeAll { $0 === self }
    markDeleted()
  }

  private func markDeleted() {
    isDeleted = true
    for key in subkeys { key.markDeleted() }
  }

  /// The bytes that names and data take here and below: what the registry's quota counts.
  var size: Int {
    96 + 2 * name.utf16.count + className.count + values.reduce(0) { $0 + $1.size } + subkeys.reduce(0) { $0 + $1.size }
  }
}

extension RegistryKey.Value {
  var size: Int { 24 + 2 * name.utf16.count + data.bytes.count }
}

/// A name in upper case, unit by unit: Swift's own comparison would take composed and decomposed letters for one.
struct FoldedName: Hashable, Comparable {
  private let units: [UInt16]
  init(_ name: String) { units = name.utf16.map(\.uppercased) }
  static func < (a: FoldedName, b: FoldedName) -> Bool { a.units.lexicographicallyPrecedes(b.units) }
}
