import Guest
import NTKernel
import Testing
import WindowsTypes

/// The IRQL is the byte at `fs:[24h]`.
@Suite("IRQL") struct IrqlTests {
  let k: TestKernel
  init() throws { k = try TestKernel() }

  @Test("KeGetCurrentIrql reads the processor page", arguments: [0, 1, 2, 0x1f] as [UInt8])
  func current(level: UInt8) throws {
    try k.raiseIRQL(to: level)
    #expect(try k.value("KeGetCurrentIrql") == UInt64(level))
  }

  @Test("raising gives the old level, by result or through the pointer")
  func raise() throws {
    #expect(try k.value("KfRaiseIrql", 1) == 0)
    #expect(try k.irql == 1)
    try k.memory.memory.store(UInt32(0xeeee_eeee), at: k.scratch)
    try k.value("KeRaiseIrql", 2, k.scratch)
    #expect(try k.irql == 2)
    #expect(try k.load(k.scratch) == 0xeeee_ee01, "one byte is written")
    #expect(try k.value("KeRaiseIrqlToDpcLevel") == 2)
    let changes = k.stream.events.compactMap { if case .irql(let from, let to) = $0 { [from, to] } else { nil } }
    #expect(changes == [[0, 1], [1, 2]], "raising to where one is, is no change")
  }

  @Test("the fixed levels are DISPATCH_LEVEL on a uniprocessor", arguments: ["KeRaiseIrqlToDpcLevel", "KeRaiseIrqlToSynchLevel"])
  func fixedLevels(name: String) throws {
    try k.raiseIRQL(to: 1)
    #expect(try k.value(name) == 1)
    #expect(try k.irql == 2)
  }

  @Test("lowering sets the level", arguments: ["KeLowerIrql", "KfLowerIrql"])
  func lower(name: String) throws {
    try k.raiseIRQL(to: 2)
    try k.value(name, 1)
    #expect(try k.irql == 1)
    try k.value(name, 0)
    #expect(try k.irql == 0)
  }

  @Test("only the low byte of the argument is the level")
  func lowByte() throws {
    try k.value("KfRaiseIrql", 0xabcd_ef02)
    #expect(try k.irql == 2)
    try k.value("KeLowerIrql", 0xabcd_ef00)
    #expect(try k.irql == 0)
  }

  @Test("raising to a lower level is bugcheck 9 with both levels", arguments: ["KfRaiseIrql", "KeRaiseIrql"])
  func raiseDownwards(name: String) throws {
    try k.raiseIRQL(to: 2)
    #expect(try k.bugCheck(name, 1, k.scratch).prefix(3) == [9, 2, 1])
  }

  @Test("raising to DISPATCH_LEVEL from above is bugcheck 9", arguments: ["KeRaiseIrqlToDpcLevel", "KeRaiseIrqlToSynchLevel"])
  func raiseFromAbove(name: String) throws {
    try k.raiseIRQL(to: 0x1f)
    #expect(try k.bugCheck(name)[0] == 9)
  }

  @Test("lowering to a higher level is bugcheck A", arguments: ["KeLowerIrql", "KfLowerIrql"])
  func lowerUpwards(name: String) throws {
    try k.raiseIRQL(to: 1)
    #expect(try k.bugCheck(name, 2)[0] == 0xa)
  }

  @Test("a bad place for the old level faults at the new level: bugcheck A above APC_LEVEL")
  func badPlace() throws {
    #expect(try k.bugCheck("KeRaiseIrql", 2, 0x10).prefix(4) == [0xa, 0x10, 2, 1])
    let other = try TestKernel()
    #expect(try other.raised("KeRaiseIrql", 1, 0x10).information == [1, 0x10])
  }

  @Test("a critical region counts the thread's KernelApcDisable down, and up again")
  func criticalRegion() throws {
    let place = try k.currentThread + 0xd4
    try k.value("KeEnterCriticalRegion")
    #expect(try k.load(place) == 0xffff_ffff)
    try k.value("KeEnterCriticalRegion")
    #expect(try k.load(place) == 0xffff_fffe)
    try k.value("KeLeaveCriticalRegion")
    try k.value("KeLeaveCriticalRegion")
    #expect(try k.load(place) == 0)
    // One leave too many is seen when the system call returns.
    try k.value("KeLeaveCriticalRegion")
    #expect(throws: BugCheck(.apcIndexMismatch, 0x99, 0, 1, 0)) { try k.kernel.checkReturn(of: 0x99, isWorker: false) }
  }

  @Test("a critical region of a smashed current thread faults", arguments: ["KeEnterCriticalRegion", "KeLeaveCriticalRegion"])
  func criticalRegionSmashed(name: String) throws {
    let number = try #require(k.kernel.exports["nt", name])
    try k.value("KeGetCurrentThread")
    try k.store(0x10, at: k.kernel.kpcr.address + 0x124)
    k.registers[.sp] = k.entryStackPointer
    k.registers[.ip] = k.kernel.trapAddresses[number]
    #expect(k.kernel.serve(trap: number) == .proceed)
    #expect(k.registers[.ip] == TestKernel.handler)
    #expect(try k.load(k.argument(0)) == 0xc000_0005)
  }

  @Test("a DPC runs at DISPATCH_LEVEL with the processor's flag set")
  func dpc() throws {
    try k.kernel.enterDPC()
    #expect(try k.irql == 2 && k.load(k.kernel.kpcr.address + 0x120 + 0x874) == 1)
    try k.kernel.leaveDPC()
    #expect(try k.irql == 0 && k.load(k.kernel.kpcr.address + 0x120 + 0x874) == 0)
  }

  // MARK: Limits

  @Test("a call above a routine's highest IRQL is noted with routine, IRQL and limit, and goes on")
  func limit() throws {
    try k.value("KeStackAttachProcess", k.service.object.address, k.scratch)
    #expect(k.stream.events.allSatisfy { if case .irqlTooHigh = $0 { false } else { true } })
    try k.raiseIRQL(to: 2)
    try k.value("KeUnstackDetachProcess", k.scratch)
    let found = k.stream.events.compactMap {
      if case .irqlTooHigh(let routine, let level, let limit, let site) = $0 { (routine, level, limit, site.ip) } else { nil }
    }
    #expect(found.count == 1)
    #expect(found.first?.0 == "KeUnstackDetachProcess" && found.first?.1 == 2 && found.first?.2 == 1)
    #expect(found.first?.3 == TestKernel.caller)
    #expect(k.memory.current === k.notepad.space, "the call did its work all the same")
  }

  @Test("at the limit itself nothing is noted")
  func atLimit() throws {
    try k.raiseIRQL(to: 2)
    try k.value("IoGetRequestorProcess", k.scratch)
    try k.raiseIRQL(to: 1)
    try k.value("KeStackAttachProcess", k.service.object.address, k.scratch)
    #expect(k.stream.events.allSatisfy { if case .irqlTooHigh = $0 { false } else { true } })
  }

  @Test("locking or mapping for user addresses has APC_LEVEL for its limit, for system addresses DISPATCH_LEVEL")
  func limitByArgument() throws {
    try k.map(1, in: k.notepad)
    let user = try k.makeMDL(k.buffer, 0x10)
    let system = try k.makeMDL(k.value("ExAllocatePoolWithTag", 0, 0x10, 0), 0x10)
    try k.raiseIRQL(to: 2)
    func limits() -> [UInt8] {
      k.stream.events.compactMap { if case .irqlTooHigh(_, _, let limit, _) = $0 { limit } else { nil } }
    }
    try k.value("MmProbeAndLockPages", system, 0, 1)
    try k.value("MmMapLockedPagesSpecifyCache", system, 0, 1, 0, 0, 16)
    #expect(limits() == [])
    try k.value("MmProbeAndLockPages", user, 1, 1)
    #expect(limits() == [1])
    let view = try k.value("MmMapLockedPagesSpecifyCache", user, 1, 1, 0, 0, 16)
    #expect(limits() == [1, 1])
    try k.value("MmUnmapLockedPages", view, user)
    #expect(limits() == [1, 1, 1])
  }
}
