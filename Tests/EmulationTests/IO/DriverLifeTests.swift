import Emulation
import Events
import Testing

/// A client with a page of input and a page of output, and a driver of ours.
private func fixture(_ driver: String, _ steps: String) throws -> Fixture {
  try Fixture(
    yaml: #"""
      fixture: 1
      load: [\#(driver).sys]
      processes:
        client.exe: {id: 1232, memory: {0x00130000: {size: 0x1000, text: ping}, 0x00140000: {size: 0x1000}}}
      threads: {client: client.exe}
      calls:
      \#(steps)
      """#, file: "io.yaml")
}

@Test("a driver starts, is opened, answers a METHOD_NEITHER request in its caller's memory, and leaves nothing behind")
func neither() throws {
  let run = try emulate(
    fixture(
      "neither",
      #"""
      - {on: client, open: '\\.\Neither', as: device, expect: STATUS_SUCCESS}
      - on: client
        ioctl: 0x222003
        to: device
        input: [0x130000, 4]
        output: [0x140000, 4]
        expect: STATUS_SUCCESS
        information: 4
      - {on: client, ioctl: 0x222007, to: device, expect: STATUS_INVALID_DEVICE_REQUEST}
      - {on: client, ioctl: 0x222003, to: device, input: [0x130000, 4], output: [0x150000, 4], expect: STATUS_ACCESS_VIOLATION}
      - {on: client, close: device, expect: STATUS_SUCCESS}
      - {unload: neither, expect: nothing-left-behind}
      - expect: {memory: {client.exe: {0x140000: {bytes: 8f 96 91 98}}}, findings: []}
      """#))
  #expect(run.mismatches == [])
  #expect(run.findings.isEmpty)
  #expect(run.drivers.map(\.summary).first?.hasPrefix("DriverEntry -> STATUS_SUCCESS   1 device, 1 symbolic link, ") == true)
  #expect(run.drivers.last?.summary == "DriverUnload   nothing left behind")
}

@Test("a driver that takes nothing back is told what it left, and who made it")
func leaky() throws {
  let run = try emulate(fixture("leaky", "- {unload: leaky, expect: STATUS_SUCCESS}"))
  #expect(run.mismatches == [])
  let left = run.drivers.last?.leftBehind ?? []
  #expect(
    left.map { $0.split(separator: " (leaky!")[0] } == [
      #"the device \Device\Leaky"#, #"the symbolic link \??\Leaky"#, "64 bytes of nonpaged pool (tag Leak)",
    ])
  #expect(left.allSatisfy { $0.contains("(leaky!DriverEntry+0x") })
  #expect(run.findings.map(\.rule) == ["left-behind", "left-behind", "left-behind"])
}

@Test("a driver made from a path starts and goes")
func fromPath() throws {
  let run = try emulate(Fixture(driver: "neither.sys"))
  #expect(run.mismatches == [])
  #expect(run.drivers.count == 2)
  #expect(run.drivers.map(\.summary).last == "DriverUnload   nothing left behind")
}

@Test("a handle that a process gets while a filter's callback looks on is the process's, not the driver's") func handlesOfOthers() throws {
  let run = try emulate(
    Fixture(
      yaml: #"""
        fixture: 1
        load: [counter.sys, port-tests.sys]
        volumes: {\Device\HarddiskVolume1: {drive: "C:", files: {\plain.txt: {text: hello}}}}
        registry:
          Services\counter\Instances: {DefaultInstance: {sz: Counter}}
          Services\counter\Instances\Counter: {Altitude: {sz: "370040"}}
          Services\port-tests\Instances: {DefaultInstance: {sz: tests}}
          Services\port-tests\Instances\tests: {Altitude: {sz: "370050"}, Flags: {dword: 1}}
        processes: {client.exe: {id: 1232}}
        threads: {client: client.exe}
        calls:
        - {load: counter}
        - {load: port-tests}
        - {on: client, open: '\??\C:\plain.txt', as: file, expect: STATUS_SUCCESS}
        - {on: client, connect: \PortTests, as: port, expect: S_OK}
        - {unload: port-tests, expect: nothing-left-behind}
        - {unload: counter, expect: nothing-left-behind}
        """#, file: "io.yaml"))
  #expect(run.mismatches == [])
  #expect(run.drivers.suffix(2).map(\.leftBehind) == [[], []])
}
