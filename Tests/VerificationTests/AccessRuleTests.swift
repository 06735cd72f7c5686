import Events
import Testing

@testable import Verification

@Suite("Rules on accesses") struct AccessRuleTests {
  private func sentence(_ kind: ForeignAccessEvent.Kind, routine: String? = nil, process: Int = 0, ip: UInt64 = Scenario.driver) -> String?
  {
    let scenario = Scenario()
    scenario.stream.append(
      .foreignAccess(
        ForeignAccessEvent(
          kind: kind, address: 0x13_0000, process: process, requestor: 1, routine: routine, site: Site(ip: ip, stack: [ip]))))
    let ledger = scenario.ledger
    #expect(ledger.verdict == .wrongProcess)
    #expect(ledger.findings.map(\.rule) == ["wrong-access"])
    return ledger.findings.first?.sentence
  }

  @Test("wrong-access: the instruction, or the routine that it called, what it did, and whose buffer it was")
  func sentences() {
    #expect(sentence(.write) == "legacy!Dispatch+0x20 wrote 0x130000 in System (4); the buffer is notepad.exe's")
    #expect(sentence(.read, routine: "memcpy") == "memcpy read 0x130000 in System (4); the buffer is notepad.exe's")
    #expect(
      sentence(.probe, routine: "ProbeForRead", process: 3)
        == "ProbeForRead probed 0x130000 in notepad.exe (1300); the buffer is that of notepad.exe (1232)")
    #expect(sentence(.read, ip: 0x1234) == "the code at 0x1234 read 0x130000 in System (4); the buffer is notepad.exe's")
  }
}
