import WindowsTypes

/// The order in which Windows starts drivers, from what their service keys say.
///
/// Boot drivers, then system drivers, then those that the service control manager starts by itself. Within each: by the group's
/// place in `ServiceGroupOrder\List`, groups that are not in it after those, drivers without a group last; within a group by the
/// tag's place in `GroupOrderList`, then tags that are not in it, then drivers without a tag; then as the keys are enumerated
/// ("Specifying Driver Load Order", "What Determines When a Driver Is Loaded").
///
/// A group that `DependOnGroup` names must have a started driver. `DependOnService` is for the service control manager: for
/// drivers that start by themselves or on demand, each service in it starts before.
public struct StartOrder: Sendable {
  /// The `Start` value of a service (`SERVICE_…_START`).
  public enum Start: UInt32, Sendable, CaseIterable, CustomStringConvertible {
    case boot, system, auto, demand, disabled
    public var description: String { ["boot", "system", "auto", "demand", "disabled"][Int(rawValue)] }
  }

  /// One driver and why it is where it is.
  public struct Entry: Sendable, Hashable {
    public let driver: String
    public let start: Start
    public let group: String?
    public let tag: UInt32?
    public let services: [String]
    public let groups: [String]

    /// `system start, group "Base", tag 3`
    public var reason: String {
      var words = ["\(start) start"]
      if let group { words.append("group “\(group)”") }
      if let tag { words.append("tag \(tag)") }
      if !services.isEmpty { words.append("after \(services.joined(separator: ", "))") }
      if !groups.isEmpty { words.append("after the group \(groups.map { "“\($0)”" }.joined(separator: ", "))") }
      return words.joined(separator: ", ")
    }
  }

  /// In the order of starting; disabled ones last.
  public let entries: [Entry]
  /// The services of each group, by the group's name.
  private let members: [FoldedName: [String]]

  /// - Parameter drivers: the services' names, in the order in which those on demand are asked for.
  public init(_ drivers: [String], in registry: Registry) {
    let control = #"\Registry\Machine\System\CurrentControlSet\Control"#
    let groups = registry.key(at: control + "\\ServiceGroupOrder")?["List"]?.texts ?? []
    let tags = registry.key(at: control + "\\GroupOrderList")
    var members: [FoldedName: [String]] = [:]
    for key in registry.key(at: Registry.services)?.subkeys ?? [] {
      if let group = key["Group"]?.text { members[FoldedName(group), default: []].append(key.name) }
    }
    self.members = members
    let found = drivers.map { Self.entry($0, in: registry) }
    func rank(_ entry: Entry, _ index: Int) -> [Int] {
      if entry.start == .demand { return [3, 0, 0, index] }
      let group = entry.group.map { name in groups.firstIndex { FoldedName($0) == FoldedName(name) } ?? groups.count } ?? groups.count + 1
      let inUnknownGroup = group == groups.count
      let order = entry.group.flatMap { tags?[$0] }.map(Self.tags) ?? []
      let tag = entry.tag.map { tag in order.firstIndex(of: tag) ?? order.count } ?? order.count + 1
      let place = found.map(\.driver).sorted { FoldedName($0) < FoldedName($1) }.firstIndex(of: entry.driver) ?? 0
      return [Int(entry.start.rawValue), group, inUnknownGroup ? 0 : tag, place]
    }
    let sorted = found.enumerated().map { (rank($1, $0), $1) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
    entries = Self.afterServices(sorted)
  }

  private static func entry(_ driver: String, in registry: Registry) -> Entry {
    let key = registry.key(at: Registry.services + "\\" + driver)
    let group = key?["Group"]?.text
    return Entry(
      driver: driver, start: key?["Start"]?.number.flatMap { Start(rawValue: UInt32(truncatingIfNeeded: $0)) } ?? .demand,
      group: group.flatMap { $0.isEmpty ? nil : $0 }, tag: key?["Tag"]?.number.map { UInt32(truncatingIfNeeded: $0) },
      services: key?["DependOnService"]?.texts ?? [], groups: key?["DependOnGroup"]?.texts ?? [])
  }

  /// `GroupOrderList`'s binary value: a count, then the tags, each a `ULONG`.
  private static func tags(_ data: RegistryData) -> [UInt32] {
    let words = stride(from: 0, to: data.bytes.count & ~3, by: 4).map { at in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(data.bytes[at + $1]) << (8 * UInt32($1)) }
    }
    return Array(words.dropFirst().prefix(Int(words.first ?? 0)))
  }

  /// Moves what others depend on before them, where the service control manager starts them.
  private static func afterServices(_ entries: [Entry]) -> [Entry] {
    var result: [Entry] = []
    var visited: Set<FoldedName> = []
    func visit(_ entry: Entry) {
      guard visited.insert(FoldedName(entry.driver)).inserted else { return }
      if entry.start == .auto || entry.start == .demand {
        for service in entry.services {
          guard let other = entries.first(where: { FoldedName($0.driver) == FoldedName(service) }), other.start != .disabled else {
            continue
          }
          visit(other)
        }
      }
      result.append(entry)
    }
    for entry in entries { visit(entry) }
    return result
  }

  /// Why a driver does not start, for what it depends on; `nil` where nothing is missing.
  ///
  /// - Parameter isStarted: whether the service of a name runs.
  public func obstacle(to entry: Entry, isStarted: (String) -> Bool) -> String? {
    if entry.start == .disabled { return "it is disabled" }
    if entry.start == .auto || entry.start == .demand, let missing = entry.services.first(where: { !isStarted($0) }) {
      return "\(missing), which it depends on, is not started"
    }
    for group in entry.groups {
      if !members[FoldedName(group), default: []].contains(where: isStarted) {
        return "no driver of the group “\(group)”, which it depends on, is started"
      }
    }
    return nil
  }
}
