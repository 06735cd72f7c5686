import Emulation
import GuestCode
import Guest
import Images
import NTKernel
import Testing
import WindowsTypes

@Suite("The run's version of Windows")
struct WindowsVersionTests {
  private func read(_ yaml: String) throws -> Fixture { try Fixture(yaml: yaml, file: "test.yaml") }

  @Test("a fixture names it, and XP is the default")
  func fixtureKey() throws {
    #expect(try read("fixture: 1").target == .windowsXP_x86)
    #expect(try read("{fixture: 1, windows: xp}").target == .windowsXP_x86)
    #expect(try read("{fixture: 1, windows: 7}").target == .windows7_x86)
    #expect(try read("{fixture: 1, target: 7-x86}").target == .windows7_x86)
    for yaml in ["{fixture: 1, windows: 95}", "{fixture: 1, windows: 7, target: 7-x86}"] {
      #expect(throws: FixtureError.self) { try read(yaml) }
    }
  }

  @Test(
    "the version that first exports a routine",
    arguments: [
      ("nt", "IoCreateDevice", WindowsRelease.xp), ("nt", "KeAcquireGuardedMutex", .server2003), ("nt", "EtwRegister", .vista),
      ("nt", "PsSetCreateProcessNotifyRoutineEx", .vistaSP1), ("nt", "KeQueryActiveGroupCount", .windows7),
      ("nt", "KeQuerySystemTimePrecise", .windows8), ("nt", "ExAllocatePool2", .windows10_2004), ("fltMgr", "FltGetFileContext", .vista),
    ])
  func introductions(module: String, name: String, release: WindowsRelease) {
    #expect(KnownRoutines.introduction(of: name, in: module) == release)
  }

  @Test("a routine of a later version is not bound, and a call of it says which version has it")
  func laterRoutine() throws {
    let run = try emulate(
      Fixture("later", load: ["gatekeeper.sys"], steps: [.init(.load(.init("gatekeeper", expect: .any)))]))
    let missing = try #require(run.missing)
    #expect(missing.name == "PsSetCreateProcessNotifyRoutineEx" && missing.introduced == .vistaSP1)
    #expect(
      run.names.advice(missing).contains(
        "PsSetCreateProcessNotifyRoutineEx is exported from Windows Vista SP1 on; this run is Windows XP: run it with --windows 7"))
    let later = try emulate(
      Fixture("later", target: .windows7_x86, load: ["gatekeeper.sys"], steps: [.init(.load(.init("gatekeeper", expect: .any)))]))
    #expect(later.missing == nil)
  }

  @Test("the version that a driver file runs in follows from what it imports")
  func choice() throws {
    let gatekeeper = try ImageSource().image(named: "gatekeeper.sys"), hello = try ImageSource().image(named: "hello.sys")
    #expect(TargetChoice(for: gatekeeper).target == .windows7_x86)
    #expect(TargetChoice(for: gatekeeper).reason == "it imports nt!PsSetCreateProcessNotifyRoutineEx, of Windows Vista SP1")
    #expect(TargetChoice(for: hello).target == .windowsXP_x86 && TargetChoice(for: hello).reason == nil)
    #expect(ImportSurvey(of: gatekeeper, in: .windowsXP_x86).missing.map(\.name) == ["PsSetCreateProcessNotifyRoutineEx"])
    #expect(ImportSurvey(of: gatekeeper).missing.isEmpty)
  }
}

extension ImageSource {
  fileprivate func image(named name: String) throws -> Image {
    let driver = try #require(BuiltIn.driver(named: name))
    return try Image(portableExecutable: driver.bytes, named: driver.stem, file: driver.name)
  }
}
