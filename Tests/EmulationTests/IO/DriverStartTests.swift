import Emulation
import Events
import Testing

private func fixture(_ yaml: String) throws -> Fixture { try Fixture(yaml: "fixture: 1\n" + yaml, file: "start.yaml") }

@Test("a driver whose service depends on one that failed, or on a group without a driver, is not started, and the run says why")
func obstacles() throws {
  let run = try emulate(
    fixture(
      #"""
      load: [settings.sys, hello.sys, leaky.sys, neither.sys]
      registry:
        Services\settings: {Start: {dword: 2}}
        Services\settings\Parameters: {Limit: {sz: not a number}}
        Services\hello: {Start: {dword: 2}, DependOnService: {multi-sz: [settings]}}
        Services\leaky: {Start: {dword: 1}, DependOnGroup: {multi-sz: [Primary Disk]}}
        Services\neither: {Start: {dword: 4}}
      """#))
  #expect(run.startOrder.map(\.driver) == ["leaky", "settings", "hello", "neither"])
  #expect(
    run.startOrder.map(\.obstacle) == [
      "no driver of the group “Primary Disk”, which it depends on, is started", nil, "settings, which it depends on, is not started",
      "it is disabled",
    ])
  #expect(run.drivers.map(\.driver) == ["settings"])
  #expect(run.events.events.contains(.note("hello is not started: settings, which it depends on, is not started")))
}

@Test("a file beside a driver that it imports from comes with it, and does not start by itself")
func implied() throws {
  let run = try emulate(fixture("load: [borrower.sys]\ncalls:\n- {unload: borrower, expect: nothing-left-behind}"))
  #expect(run.mismatches == [])
  #expect(run.messages.first?.hasPrefix("shelf: filled") == true && run.messages.last == "shelf: emptied after 101\n")
  #expect(run.drivers.map(\.driver) == ["borrower", "borrower"])
}

@Test("what the registry was to hold and does not is said with what it holds")
func registryExpectation() throws {
  let run = try emulate(
    fixture(
      #"""
      registry: {HKLM\SOFTWARE\Demo: {A: {dword: 1}, B: {multi-sz: [x, y]}}}
      expect:
        registry:
          HKLM\SOFTWARE\Demo: {A: {dword: 2}, B: absent, C: {sz: c}}
          HKLM\SOFTWARE\Missing: {}
          HKLM\SOFTWARE\Microsoft: absent
      """#))
  #expect(
    run.mismatches.map(\.sentence) == [
      #"the value A of HKLM\SOFTWARE\Demo was to be REG_DWORD 0x2; it is REG_DWORD 0x1"#,
      #"the value B of HKLM\SOFTWARE\Demo was to be absent; it is REG_MULTI_SZ “x”, “y”"#,
      #"the value C of HKLM\SOFTWARE\Demo was to be REG_SZ “c”; there is none"#,
      #"the registry was to have the key HKLM\SOFTWARE\Missing; there is none"#,
      #"the registry was to have no key HKLM\SOFTWARE\Microsoft; it has"#,
    ])
}

@Test(
  "a mistake in the registry section is one line",
  arguments: [
    (#"Demo: {}"#, "is no key of the registry"), (#"HKLM\SOFTWARE\Demo: 5"#, "or “absent”"),
    (#"HKLM\SOFTWARE\Demo: {A: 5}"#, "a value says its type"), (#"HKLM\SOFTWARE\Demo: {A: {dword: 0x100000000}}"#, "at most 0xffffffff"),
    (#"HKLM\SOFTWARE\Demo: {A: {dword: 1, sz: x}}"#, "is not read here"), (#"HKLM\SOFTWARE\Demo: {A: {type: REG_DWROD}}"#, "REG_DWORD"),
    (#"HKLM\SOFTWARE\Demo: {A: {}}"#, "needs its type"),
  ])
func registryMistakes(text: String, message: String) throws {
  let error = #expect(throws: FixtureError.self) { try fixture("registry:\n  \(text)\n") }
  #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
}

@Test("code that is gone with its INIT section cannot run again")
func discarded() throws {
  let run = try emulate(
    fixture(
      #"""
      load: [hello.sys]
      processes: {System: {id: 4}}
      threads: {system: System}
      calls:
      - {load: hello, expect: STATUS_SUCCESS}
      - {on: system, call: hello!DriverEntry, with: [0, 0], expect: any}
      """#))
  guard case .bugCheck(let bugCheck) = run.outcome else {
    Issue.record("\(run.outcome)")
    return
  }
  #expect("\(bugCheck.code)".contains("PAGE_FAULT_IN_NONPAGED_AREA"))
}
