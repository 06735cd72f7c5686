import Events
import Testing

@testable import Verification

@Suite("The ledger") struct LedgerTests {
  @Test("without a lock there is nothing to judge")
  func noLocks() {
    #expect(Scenario().ledger.verdict == .noLocks)
    #expect(Scenario().append(.note("hello")).ledger.findings.isEmpty)
  }

  @Test("the requestor's frames, charged to the requestor: right, whatever process was current")
  func right() throws {
    let ledger = Scenario().lock().unlock().ledger
    #expect(ledger.verdict == .rightProcess)
    #expect(ledger.findings.isEmpty)
    let lock = try #require(ledger.locks.first)
    #expect(lock.isRight == true)
    #expect(lock.holder == 1)
    #expect(lock.isUndone)
  }

  @Test("a buffer that nobody is recorded for is unjudged, and one right lock beside it does not change that")
  func unjudged() throws {
    let ledger = Scenario().lock().lock(mdl: 1, requestor: nil, requestorFrames: [], owners: [2, 2, 2]).unlock().unlock(mdl: 1).ledger
    #expect(ledger.verdict == .unjudged)
    #expect(ledger.findings.isEmpty)
    #expect(ledger.locks[1].isRight == nil)
    #expect(ledger.locks[1].holder == 2)
  }

  @Test("a lock of system space has nobody to be wrong about")
  func systemSpace() throws {
    let ledger = Scenario().lock(address: 0x8200_0000, account: nil, requestor: nil, requestorFrames: []).unlock().ledger
    #expect(ledger.verdict == .rightProcess)
    #expect(ledger.findings.isEmpty)
    #expect(ledger.locks[0].isRight == nil)
    #expect(ledger.locks[0].holder == nil)
  }

  @Test("an unlock takes back the last open lock of its MDL")
  func unlocks() {
    let ledger = Scenario().lock().lock(mdl: 1).lock(wasLocked: true).unlock().ledger
    #expect(ledger.locks.map(\.isUndone) == [false, false, true])
    #expect(Scenario().lock().lock(wasLocked: true).unlock().unlock().ledger.locks.map(\.isUndone) == [true, true])
    #expect(Scenario().lock().unlock().lock().unlock().ledger.locks.map(\.isUndone) == [true, true])
  }

  @Test("a wrong lock outweighs everything, and comes first")
  func order() {
    let ledger = Scenario().lock(mdl: 1, wasLocked: true).lock(current: 0, account: 0).lock(mdl: 2, requestor: nil).ledger
    #expect(ledger.verdict == .wrongProcess)
    #expect(ledger.findings.first?.rule == "wrong-account")
    #expect(ledger.findings.map(\.isWrongProcess) == [true, false])
  }
}

@Suite("The headline of a lock") struct HeadlineTests {
  private func headline(_ scenario: Scenario) -> String? { scenario.ledger.locks.headline(Scenario.names) }

  @Test("names the routine of Windows that was called, and the process it ran in before it attached")
  func attached() {
    let scenario = Scenario().attach(from: 0, to: 1, caller: Scenario.nt).lock(stack: [Scenario.nt, Scenario.fltMgr, Scenario.stub])
    #expect(headline(scenario) == "FltLockUserBuffer locked 3 pages of notepad.exe (1232) while running in System (4)")
    #expect(scenario.ledger.locks[0].runningIn == 0)
  }

  @Test("leaves out the process where it is the one whose pages were locked")
  func sameProcess() {
    #expect(
      headline(Scenario().lock(stack: [Scenario.nt, Scenario.fltMgr, Scenario.driver]))
        == "FltLockUserBuffer locked 3 pages of notepad.exe (1232)")
  }

  @Test("an attach that a driver made is where the driver was running")
  func attachedByDriver() {
    let scenario = Scenario().attach(from: 0, to: 1, caller: Scenario.driver).lock()
    #expect(headline(scenario) == "MmProbeAndLockPages locked 3 pages of notepad.exe (1232)")
    let nested = Scenario().attach(from: 0, to: 2, caller: Scenario.driver).attach(from: 2, to: 1, caller: Scenario.nt)
      .lock(stack: [Scenario.nt, Scenario.driver])
    #expect(headline(nested) == "MmProbeAndLockProcessPages locked 3 pages of notepad.exe (1232) while running in service.exe (800)")
  }

  @Test("a detach ends an attach, on the thread that made it")
  func detached() {
    let scenario = Scenario().attach(from: 0, to: 2, caller: Scenario.nt).attach(from: 2, to: 0, caller: Scenario.nt, .detach)
    #expect(scenario.lock(current: 0).ledger.locks[0].runningIn == 0)
    let other = Scenario().attach(from: 0, to: 1, caller: Scenario.nt).append(.thread(1)).lock()
    #expect(other.ledger.locks[0].runningIn == 1)
  }

  @Test("writing the page directory's register is an attach by whoever does it, and back again")
  func control() {
    let scenario = Scenario().attach(from: 0, to: 2, caller: Scenario.nt, .control)
    #expect(scenario.lock(current: 2).ledger.locks[0].runningIn == 2)
    _ = scenario.attach(from: 2, to: 0, caller: Scenario.nt, .control).attach(from: 0, to: 1, caller: Scenario.nt)
    #expect(scenario.lock().ledger.locks[1].runningIn == 0)
  }

  @Test("a wrong lock says whose the buffer is, and comes before a right one")
  func wrong() {
    let scenario = Scenario().lock(mdl: 1).lock(frames: [7, 8, 9], current: 0, account: 0, owners: [0, 0, 0])
    #expect(headline(scenario) == "MmProbeAndLockPages locked 3 pages of System (4); the buffer is notepad.exe's")
    #expect(
      headline(Scenario().lock(current: 0, account: 0))
        == "MmProbeAndLockPages locked 3 pages of notepad.exe (1232) while running in System (4), charged to System (4)")
  }

  @Test("system space is nobody's")
  func systemSpace() {
    #expect(
      headline(Scenario().lock(frames: [1], account: nil, requestor: nil)) == "MmProbeAndLockPages locked 1 page of system space")
    #expect(headline(Scenario()) == nil)
  }
}
