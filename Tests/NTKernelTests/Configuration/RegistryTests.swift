import NTKernel
import Testing
import WindowsTypes

@Suite("The registry's keys and values")
struct RegistryTests {
  let registry = Registry()

  @Test("names compare without regard to case, and keep theirs")
  func names() throws {
    let key = try #require(registry.makeKey(at: #"\Registry\Machine\Software\Demo"#))
    key["Limit"] = .dword(5)
    let again = try #require(registry.key(at: #"hklm\SOFTWARE\dEMO"#))
    #expect(again === key)
    #expect(again["lIMIT"]?.number == 5)
    #expect(again.path == #"\REGISTRY\MACHINE\SOFTWARE\Demo"#)
    again["LIMIT"] = .dword(6)
    #expect(key.values.map(\.name) == ["Limit"])
    key["limit"] = nil
    #expect(key.values.isEmpty)
  }

  @Test("a composed letter is not the decomposed one")
  func units() throws {
    let key = try #require(registry.makeKey(at: #"HKLM\Software\Demo"#))
    key["\u{e9}"] = .dword(1)
    #expect(key["e\u{301}"] == nil)
    #expect(key["\u{c9}"]?.number == 1)
  }

  @Test("subkeys are in alphabetical order, values in that of their making")
  func order() throws {
    for name in ["b", "C", "a"] { registry.makeKey(at: "HKLM\\Software\\Demo\\\(name)") }
    let key = try #require(registry.key(at: #"HKLM\Software\Demo"#))
    #expect(key.subkeys.map(\.name) == ["a", "b", "C"])
    for name in ["z", "a"] { key[name] = .dword(0) }
    #expect(key.values.map(\.name) == ["z", "a"])
  }

  @Test("links are followed: the current control set is the first")
  func links() throws {
    let key = try #require(registry.makeKey(at: #"Services\demo\Parameters"#))
    #expect(key.path == #"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\demo\Parameters"#)
    let link = try #require(registry.key(at: #"HKLM\SYSTEM\CurrentControlSet"#, followsLast: false))
    #expect(link.isLink)
    #expect(link["SymbolicLinkValue"]?.type == .link)
    #expect(registry.key(at: #"HKLM\SYSTEM\CurrentControlSet"#)?.name == "ControlSet001")
  }

  @Test("a key that is gone is gone with what was below it")
  func removal() throws {
    let key = try #require(registry.makeKey(at: #"HKLM\Software\Demo\Below"#))
    #expect(registry.removeKey(at: #"HKLM\Software\Demo"#))
    #expect(key.isDeleted)
    #expect(registry.key(at: #"HKLM\Software\Demo"#) == nil)
    #expect(!registry.removeKey(at: #"HKLM\Software\Demo"#))
    #expect(!registry.removeKey(at: #"HKLM"#))
    #expect(registry.key(at: #"\Device\Demo"#) == nil)
    #expect(registry.key(at: #"Demo"#) == nil)
  }

  @Test("data is text, texts or a number where its type says so")
  func data() {
    #expect(RegistryData.string("ab").bytes == [0x61, 0, 0x62, 0, 0, 0])
    #expect(RegistryData.strings(["a", "b"]).texts == ["a", "b"])
    #expect(RegistryData.strings([]).bytes == [0, 0])
    #expect(RegistryData(.dword, [1]).number == nil)
    #expect(RegistryData(.binary, [1, 0, 0, 0]).number == nil)
    #expect(RegistryData.link(#"\Registry"#).bytes.count == 18)
  }

  @Test("a fresh registry says what the rest of the run says")
  func defaults() throws {
    let version = try #require(registry.key(at: #"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"#))
    #expect(version["CurrentVersion"]?.text == "5.1")
    #expect(version["CurrentBuildNumber"]?.text == "2600")
    #expect(version["CSDVersion"]?.text == "Service Pack 3")
    #expect(registry.key(at: #"HKLM\HARDWARE\DESCRIPTION\System"#)?.isVolatile == true)
    let list = registry.key(at: #"HKLM\SYSTEM\CurrentControlSet\Control\ServiceGroupOrder"#)?["List"]?.texts
    #expect(list?.contains("FSFilter Activity Monitor") == true)
  }

  @Test("a driver has a service key")
  func service() throws {
    let guest = try IOGuest()
    let key = try #require(guest.k.kernel.serviceKey("demo"))
    #expect(key["Type"]?.number == 1)
    #expect(key["Start"]?.number == 3)
    #expect(key["ErrorControl"]?.number == 1)
    #expect(key["ImagePath"]?.text == #"System32\Drivers\demo.sys"#)
  }
}
