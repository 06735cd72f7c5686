import Guest
import WindowsTypes

/// The run's registry: what the configuration manager keeps.
///
///     let key = kernel.registry.makeKey(at: #"\Registry\Machine\Software\Demo"#)
///     key?["Limit"] = .dword(5)
///     kernel.registry.key(at: #"HKLM\SOFTWARE\demo"#)?["limit"]?.number   // 5
///
/// Paths begin with `\Registry`, or are shortened as in `HKLM\…`, `HKU\…` and `Services\…`. Links are followed:
/// `\Registry\Machine\System\CurrentControlSet` is `ControlSet001`.
public final class Registry {
  /// `\Registry`
  public let root: RegistryKey
  /// What keys and values that guest code made take, in bytes.
  var usedBytes = 0
  let system: WindowsSystem
  /// What time it is, in 100 ns since 1601.
  var now: () -> UInt64 = { VirtualTime.boot }

  /// Where paths of that first part lead.
  static let abbreviations = [
    "HKLM": #"\Registry\Machine"#, "HKEY_LOCAL_MACHINE": #"\Registry\Machine"#, "HKU": #"\Registry\User"#,
    "HKEY_USERS": #"\Registry\User"#, "Services": services,
  ]
  static let services = #"\Registry\Machine\System\CurrentControlSet\Services"#

  /// The longest name of a key, in UTF-16 units (`REG_MAX_KEY_NAME_LENGTH`, and "Registry Element Size Limits").
  static let longestKeyName = 255
  static let longestValueName = 16383
  static let deepest = 512
  /// The longest data of a value, in bytes ("Registry Element Size Limits": what memory there is).
  static let longestData: UInt32 = 16 << 20
  /// What guest code's keys and values may take together, in bytes; beyond it calls end in `STATUS_REGISTRY_QUOTA_LIMIT`.
  static let quota = 32 << 20
  /// The longest chain of links.
  private static let longestChain = 64

  /// - Parameter system: whose version it states.
  public init(of system: WindowsSystem = Target.windowsXP_x86.system) {
    self.system = system
    root = RegistryKey("REGISTRY", in: nil, isVolatile: false, at: VirtualTime.boot)
    for name in ["MACHINE", "USER"] { root.insert(RegistryKey(name, in: root, isVolatile: false, at: VirtualTime.boot)) }
    fill()
    secure()
  }

  /// The key at `path`, or `nil`.
  ///
  /// - Parameter followsLast: whether a link at the end is followed, too.
  public func key(at path: String, followsLast: Bool = true) -> RegistryKey? {
    guard let parts = Self.parts(of: path) else { return nil }
    guard case .found(let key) = resolve(parts[...], from: root, followsLast: followsLast) else { return nil }
    return key
  }

  /// The key at `path`, made with those above it where they are missing; `nil` where the path is none of the registry's.
  @discardableResult
  public func makeKey(at path: String) -> RegistryKey? {
    guard let parts = Self.parts(of: path), parts.allSatisfy({ $0.utf16.count <= Self.longestKeyName }) else { return nil }
    var key = root
    for part in parts {
      guard case .found(let next) = resolve([part], from: key, followsLast: true) else {
        let made = RegistryKey(part, in: key, isVolatile: key.isVolatile, at: now())
        key.insert(made)
        key = made
        continue
      }
      key = next
    }
    return key
  }

  /// Takes the key at `path` away, with all that is below it. Returns whether it was there.
  @discardableResult
  public func removeKey(at path: String) -> Bool {
    guard let key = key(at: path, followsLast: false), key.parent?.parent != nil else { return false }
    key.remove()
    return true
  }

  /// Whether `path` can name a key below `\Registry`.
  public static func isPath(_ path: String) -> Bool {
    parts(of: path).map { !$0.isEmpty && $0.count < deepest && $0.allSatisfy { $0.utf16.count <= longestKeyName } } ?? false
  }

  /// The parts of a path below `\Registry`; `nil` where it leads elsewhere.
  static func parts(of path: String) -> [String]? {
    var parts = path.split(separator: "\\").map(String.init)
    if path.hasPrefix("\\") {
      guard !parts.isEmpty, FoldedName(parts.removeFirst()) == FoldedName("Registry") else { return nil }
      return parts
    }
    guard let first = parts.first, let full = abbreviations.first(where: { FoldedName($0.key) == FoldedName(first) })?.value,
      let above = Self.parts(of: full)
    else { return nil }
    return above + parts.dropFirst()
  }

  /// Where a path leads.
  enum Destination {
    case found(RegistryKey)
    /// There is no such key in this one; what of the path follows it.
    case missing(String, in: RegistryKey, rest: ArraySlice<String>)
    /// Links that lead back to each other, or out of the registry.
    case badLink
  }

  func resolve(_ parts: ArraySlice<String>, from start: RegistryKey, followsLast: Bool) -> Destination {
    var (key, rest, links) = (start, parts, 0)
    while let part = rest.popFirst() {
      guard let next = key.subkey(part) else { return .missing(part, in: key, rest: rest) }
      key = next
      guard key.isLink, !rest.isEmpty || followsLast else { continue }
      links += 1
      guard links <= Self.longestChain, let target = key["SymbolicLinkValue"]?.text, let parts = Self.parts(of: target),
        target.hasPrefix("\\")
      else { return .badLink }
      key = root
      rest = parts[...] + rest
    }
    return .found(key)
  }
}

extension Kernel {
  /// The key of a driver's service, `\Registry\Machine\System\CurrentControlSet\Services\NAME`, if there is one.
  public func serviceKey(_ name: String) -> RegistryKey? { registry.key(at: Registry.services + "\\" + name) }

  /// Makes the key of a driver's service as `CreateService` leaves it: a kernel driver, started on demand. What the key holds
  /// already stays.
  ///
  /// - Parameter fileName: its image in `System32\Drivers`.
  @discardableResult
  public func makeServiceKey(_ name: String, fileName: String) -> RegistryKey? {
    guard let key = registry.makeKey(at: Registry.services + "\\" + name) else { return nil }
    // SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL
    let fresh: [(String, RegistryData)] = [
      ("Type", .dword(1)), ("Start", .dword(3)), ("ErrorControl", .dword(1)),
      ("ImagePath", .expandableString("System32\\Drivers\\\(fileName)")), ("DisplayName", .string(name)),
    ]
    for (name, data) in fresh where key[name] == nil { key[name] = data }
    return key
  }
}
