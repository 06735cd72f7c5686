import Emulation
import Testing
import WindowsTypes

@Test("what a driver file has begun runs on before it is unloaded, and is told; where there is nothing, nothing is said")
func settling() throws {
  let busy = try emulate(Fixture(driver: "lowlevel.sys"))
  let settled = try #require(busy.drivers.first { $0.phase == .settle })
  #expect(busy.drivers.count { $0.phase == .settle } == 1)
  #expect(settled.summary.hasPrefix("running on for 9") && settled.duration <= 10_000_000 && !settled.isBusy && settled.kernelCalls > 0)
  #expect(busy.outcome == .returned(0) && busy.drivers.last?.phase == .unload)
  let quiet = try emulate(Fixture(driver: "neither.sys"))
  #expect(quiet.drivers.allSatisfy { $0.phase != .settle })
}

@Test("a thread that never waits runs for a million instructions, and no longer") func busyThread() throws {
  // PsCreateSystemThread of a loop: the driver's thread is made by hand, so that no driver of ours has to misbehave.
  let run = try emulate(
    Fixture(
      yaml: #"""
        fixture: 1
        kernel: {0xf8b00000: {size: 0x1000, name: loop, bytes: eb fe}}
        processes: {System: {id: 4}}
        threads: {own: System}
        calls:
        - {on: own, call: nt!PsCreateSystemThread, with: [0xf8b00800, 0, 0, 0, 0, loop, 0]}
        - {run: settled}
        """#, file: "loop.yaml"))
  #expect(run.mismatches == [] && run.instructions >= 1_000_000 && run.instructions < 1_100_000)
}

@Test("devices of a driver file are opened, asked and closed where that is wanted") func askingDevices() throws {
  var fixture = Fixture(driver: "neither.sys")
  fixture.askDevices()
  let run = try emulate(fixture)
  #expect(run.mismatches == [])
  let phases = run.drivers.map(\.phase)
  #expect(
    phases.contains(.device(#"open \??\Neither"#)) && phases.contains(.device("control 0x222003")) && phases.contains(.device("close")))
  #expect(run.drivers.first { $0.phase == .device(#"open \??\Neither"#) }?.status == .success)
  #expect(run.drivers.last?.summary == "DriverUnload   nothing left behind")
}
