import NTKernel
import Testing
import WindowsTypes

@Suite("The order in which drivers start") struct StartOrderTests {
  let registry = Registry()

  private func service(_ name: String, _ values: [String: RegistryData]) {
    let key = registry.makeKey(at: "Services\\\(name)")
    for (name, data) in values { key?[name] = data }
  }

  private func order(_ names: [String]) -> [String] { StartOrder(names, in: registry).entries.map(\.driver) }

  @Test("boot before system before automatic before demand; on demand as they are asked for") func starts() {
    service("a", ["Start": .dword(2)])
    service("b", ["Start": .dword(1)])
    service("c", ["Start": .dword(0)])
    #expect(order(["z", "a", "b", "y", "c"]) == ["c", "b", "a", "z", "y"])
  }

  @Test("groups in the order of their list, unknown ones later, none last") func groups() {
    service("none", ["Start": .dword(1)])
    service("unknown", ["Start": .dword(1), "Group": .string("Ours")])
    service("base", ["Start": .dword(1), "Group": .string("BASE")])
    service("port", ["Start": .dword(1), "Group": .string("Port")])
    #expect(order(["none", "unknown", "base", "port"]) == ["port", "base", "unknown", "none"])
  }

  @Test("tags in the order of their group's list, others after them, none last, then by name") func tags() {
    registry.key(at: #"HKLM\SYSTEM\CurrentControlSet\Control\GroupOrderList"#)?["Base"] = .binary([2, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0, 0])
    for (name, tag) in [("three", 3), ("nine", 9), ("other", 1)] as [(String, UInt32)] {
      service(name, ["Start": .dword(1), "Group": .string("Base"), "Tag": .dword(tag)])
    }
    for name in ["d", "c"] { service(name, ["Start": .dword(1), "Group": .string("Base")]) }
    #expect(order(["d", "c", "other", "three", "nine"]) == ["nine", "three", "other", "c", "d"])
  }

  @Test("a service that another depends on starts before it, and has to run") func services() throws {
    service("a", ["DependOnService": .strings(["b"])])
    service("b", ["DependOnService": .strings(["a"])])
    service("c", ["DependOnService": .strings(["missing"])])
    let order = StartOrder(["a", "b", "c"], in: registry)
    #expect(order.entries.map(\.driver) == ["b", "a", "c"])
    let c = order.entries[2]
    #expect(order.obstacle(to: c) { $0 == "missing" } == nil)
    #expect(order.obstacle(to: c) { _ in false } == "missing, which it depends on, is not started")
    #expect(c.reason == "demand start, after missing")
  }

  @Test("a group that a driver depends on has to have a driver that runs; a disabled driver does not start") func dependences() throws {
    service("a", ["Start": .dword(1), "DependOnGroup": .strings(["Base"])])
    service("b", ["Start": .dword(1), "Group": .string("Base")])
    service("off", ["Start": .dword(4)])
    let order = StartOrder(["a", "b", "off"], in: registry)
    #expect(order.entries.map(\.driver) == ["b", "a", "off"])
    #expect(order.obstacle(to: order.entries[1]) { $0 == "b" } == nil)
    #expect(order.obstacle(to: order.entries[1]) { _ in false } == "no driver of the group “Base”, which it depends on, is started")
    #expect(order.obstacle(to: order.entries[2]) { _ in true } == "it is disabled")
    #expect(order.entries[0].reason == "system start, group “Base”")
  }
}
