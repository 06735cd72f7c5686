import Events
import Testing

@testable import Verification

@Suite("Rules on locks") struct LockRuleTests {
  @Test("wrong-process: other frames than the requestor's, though the account is right")
  func wrongProcess() throws {
    let ledger = Scenario().lock(frames: [7, 8, 9], current: 0, account: 1, owners: [0, 0, 0]).unlock().ledger
    #expect(ledger.verdict == .wrongProcess)
    let finding = try #require(ledger.findings.first)
    #expect(ledger.findings.count == 1)
    #expect(finding.rule == "wrong-process")
    #expect(finding.sentence == "MmProbeAndLockPages locked 3 pages of System (4); the buffer is notepad.exe's")
    #expect(finding.site?.ip == Scenario.driver)
    #expect(ledger.locks[0].holder == 0)
    #expect(ledger.locks[0].isRight == false)
  }

  @Test("wrong-process: one page is enough, also where the requestor has nothing resident")
  func onePage() {
    let ledger = Scenario().lock(frames: [54, 8, 56], current: 2, account: 2, owners: [3, 2, nil]).ledger
    #expect(
      ledger.findings.first?.sentence
        == "MmProbeAndLockPages locked 3 pages, 1 of them of service.exe (800); the buffer is notepad.exe's")
    let absent = Scenario().lock(current: 2, account: 2, requestorFrames: [54, nil, 56], owners: [2, 2, 2]).ledger
    #expect(absent.findings.first?.rule == "wrong-process")
    let unmapped = Scenario().lock(current: 2, account: 2, requestorFrames: [54, 55], owners: [2, 2, 2]).ledger
    #expect(unmapped.findings.first?.rule == "wrong-process")
  }

  @Test("wrong-process: several holders are all named, and a namesake by its number")
  func holders() {
    let ledger = Scenario().lock(frames: [7, 8, 9], current: 3, account: 3, owners: [3, 2, 3]).ledger
    #expect(
      ledger.findings.first?.sentence
        == "MmProbeAndLockPages locked 3 pages of notepad.exe (1300) and service.exe (800); the buffer is that of notepad.exe (1232)")
  }

  @Test("wrong-process: frames that no process has at that address are held by whom they are charged to")
  func noOwner() {
    let ledger = Scenario().lock(frames: [7, 8, 9], current: 0, account: 2).ledger
    #expect(ledger.locks[0].holder == 2)
    #expect(Scenario().lock(frames: [7], current: 0, account: nil, requestorFrames: [8]).ledger.locks[0].holder == 0)
  }

  @Test("wrong-account: the right frames, charged to another process or to nobody")
  func wrongAccount() {
    let ledger = Scenario().lock(current: 0, account: 0, owners: [0, 0, 0]).unlock().ledger
    #expect(ledger.verdict == .wrongProcess)
    #expect(
      ledger.findings.map(\.sentence) == [
        "MmProbeAndLockPages locked 3 pages of notepad.exe (1232), but charged to System (4): the pages are shared, and locked from "
          + "the wrong process"
      ])
    #expect(ledger.findings[0].rule == "wrong-account")
    #expect(ledger.locks[0].holder == 1)
    #expect(Scenario().lock(account: nil).unlock().rules == ["wrong-account"])
  }

  @Test("locked-twice: the MDL was locked before")
  func lockedTwice() {
    let ledger = Scenario().lock().lock(wasLocked: true).unlock().ledger
    #expect(ledger.verdict == .rightProcess)
    #expect(ledger.findings.map(\.rule) == ["locked-twice"])
    #expect(
      ledger.findings[0].sentence
        == "MmProbeAndLockPages locked an MDL that was locked already; the earlier lock of 3 pages is lost")
    #expect(!Scenario().lock().unlock().lock().unlock().rules.contains("locked-twice"))
  }
}

@Suite("Rules on mappings") struct MappingRuleTests {
  @Test("a view in system space of what was locked, and still is the requestor's, is as it should be")
  func right() {
    let ledger = Scenario().lock().map().unlock().ledger
    #expect(ledger.findings.isEmpty)
    #expect(ledger.verdict == .rightProcess)
  }

  @Test("stale-mdl: right when locked, other pages now")
  func stale() {
    let ledger = Scenario().lock().map(requestorFrames: [54, 99, 56]).unlock().ledger
    #expect(ledger.verdict == .wrongProcess)
    #expect(
      ledger.findings.map(\.sentence) == [
        "MmMapLockedPagesSpecifyCache mapped a page that is no longer notepad.exe's: the buffer has other pages since, remapped or "
          + "copied on write"
      ])
    #expect(ledger.findings[0].rule == "stale-mdl")
    let freed = Scenario().lock().map(requestorFrames: [nil, nil, nil]).unlock().ledger
    #expect(
      freed.findings[0].sentence.hasSuffix("mapped 3 pages that are no longer notepad.exe's: the buffer was freed since they were locked"))
  }

  @Test("a lock that was wrong is reported once, not again where it is mapped")
  func wrongLockMapped() {
    let scenario = Scenario().lock(frames: [7, 8, 9], current: 0, account: 0, owners: [0, 0, 0])
    #expect(scenario.map(frames: [7, 8, 9], owners: [0, 0, 0]).unlock().rules == ["wrong-process"])
  }

  @Test("a partial MDL has the lock behind it whose frames it shows")
  func partial() {
    #expect(Scenario().lock().map(mdl: 9, buffer: 0x13_1800, frames: [55], requestorFrames: [55]).unlock().rules.isEmpty)
    #expect(Scenario().lock().map(mdl: 9, buffer: 0x13_1000, frames: [55], requestorFrames: [99]).unlock().rules == ["stale-mdl"])
    #expect(
      Scenario().lock().map(mdl: 9, buffer: 0x13_0000, frames: [55], requestorFrames: [54], isLocked: false).unlock().rules
        == ["hand-built-mdl"])
  }

  @Test("hand-built-mdl: judged by its frames, as a lock is")
  func handBuilt() {
    let wrong = Scenario().map(frames: [7, 8, 9], owners: [0, 0, 0], isLocked: false).ledger
    #expect(wrong.verdict == .wrongProcess)
    #expect(
      wrong.findings.map(\.sentence) == [
        "MmMapLockedPagesSpecifyCache mapped 3 pages of System (4) from an MDL filled by hand; the buffer is notepad.exe's"
      ])
    let right = Scenario().map(isLocked: false).ledger
    #expect(right.verdict == .rightProcess)
    #expect(right.findings.map(\.rule) == ["hand-built-mdl"])
    #expect(
      right.findings[0].sentence == "MmMapLockedPagesSpecifyCache mapped 3 pages of notepad.exe (1232) that nothing keeps locked")
    #expect(Scenario().map(requestor: nil, requestorFrames: [], isLocked: false).ledger.verdict == .unjudged)
  }

  @Test("hand-built-mdl: frames that another lock pins are judged, too, and a lock that was taken back stands behind nothing")
  func copied() {
    #expect(Scenario().map(frames: [7, 8, 9], owners: [2, 2, 2]).rules == ["hand-built-mdl"])
    #expect(Scenario().map().rules.isEmpty)
    #expect(Scenario().lock().unlock().map(isLocked: false).rules == ["hand-built-mdl"])
  }

  @Test("an MDL of nonpaged pool is not judged")
  func nonpagedPool() {
    let ledger = Scenario().map(buffer: 0x8210_0000, requestor: nil, requestorFrames: [], owners: [0, 0, 0], isLocked: false).ledger
    #expect(ledger.verdict == .noLocks)
    #expect(ledger.findings.isEmpty)
  }

  @Test("wrong-mapping: a view in another process's half")
  func wrongMapping() {
    let ledger = Scenario().lock().map(process: 2).unlock().ledger
    #expect(ledger.verdict == .wrongProcess)
    #expect(
      ledger.findings.map(\.sentence) == [
        "MmMapLockedPagesSpecifyCache mapped 3 pages into service.exe (800); the buffer is notepad.exe's"
      ])
    #expect(ledger.findings[0].rule == "wrong-mapping")
    #expect(Scenario().lock().map(process: 1).unlock().rules.isEmpty)
  }
}

@Suite("Rules on what is left") struct EndRuleTests {
  @Test("never-unlocked: by the end of the process that pays, in the holder's name; the end of a run reports nothing")
  func neverUnlocked() {
    #expect(Scenario().lock().rules.isEmpty)
    #expect(Scenario().lock().unlock().append(.processExit(1, lockedPages: 0)).rules.isEmpty)
    #expect(Scenario().lock().append(.processExit(2, lockedPages: 0)).rules.isEmpty)
    let ledger = Scenario().lock(frames: [54], requestorFrames: [54], owners: [nil]).append(.processExit(1, lockedPages: 0)).ledger
    #expect(
      ledger.findings.map(\.sentence) == [
        "1 page of notepad.exe (1232) that MmProbeAndLockPages locked was never unlocked before the process ended"
      ])
    #expect(ledger.verdict == .rightProcess)
  }

  @Test("exit-with-locked-pages: and each lock that is charged to the process, once")
  func exit() {
    let ledger = Scenario().lock().lock(mdl: 1, current: 2, account: 2, requestor: 2).append(.processExit(1, lockedPages: 3))
      .unlock(mdl: 1).ledger
    #expect(
      ledger.findings.map(\.sentence) == [
        "notepad.exe (1232) ended with 3 pages still locked",
        "3 pages of notepad.exe (1232) that MmProbeAndLockPages locked were never unlocked before the process ended",
      ])
    #expect(ledger.findings.map(\.rule) == ["exit-with-locked-pages", "never-unlocked"])
    #expect(Scenario().append(.processExit(1, lockedPages: 0)).rules.isEmpty)
  }
}

@Suite("Rules on calls") struct CallRuleTests {
  @Test("irql-too-high: a finding that names routine, level and limit, and leaves the verdict alone")
  func tooHigh() {
    let ledger = Scenario()
      .append(.irqlTooHigh(routine: "KeStackAttachProcess", irql: 2, limit: 1, site: Site(ip: Scenario.driver)))
      .append(.irqlTooHigh(routine: "MmUnlockPages", irql: 31, limit: 2, site: Site(ip: Scenario.driver))).ledger
    #expect(
      ledger.findings.map(\.sentence) == [
        "KeStackAttachProcess was called at DISPATCH_LEVEL; it may be called at APC_LEVEL or below",
        "MmUnlockPages was called at IRQL 31; it may be called at DISPATCH_LEVEL or below",
      ])
    #expect(ledger.findings.allSatisfy { $0.rule == "irql-too-high" && $0.site?.ip == Scenario.driver && !$0.isWrongProcess })
    #expect(ledger.verdict == .noLocks)
  }
}
