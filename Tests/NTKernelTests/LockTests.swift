import Events
import Guest
import Memory
import NTKernel
import Testing
import WindowsTypes

/// A state that a user page can be in before a lock.
enum PageKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case readWrite, readOnly, demandZero, readOnlyDemandZero, copyOnWrite, guarded, noAccess, reserved, decommitted, free, pagedOut
  case failingPager
  var testDescription: String { rawValue }

  func map(in k: TestKernel) throws {
    switch self {
    case .readWrite: try k.map(1, in: k.notepad)
    case .readOnly: try k.map(1, in: k.notepad, Page(.valid, .readOnly))
    case .demandZero: try k.map(1, in: k.notepad, Page(.demandZero))
    case .readOnlyDemandZero: try k.map(1, in: k.notepad, Page(.demandZero, .readOnly))
    case .copyOnWrite: try k.map(1, in: k.notepad, Page(.valid, .writeCopy, isShared: true))
    case .guarded: try k.map(1, in: k.notepad, Page(.valid, isGuard: true))
    case .noAccess: try k.map(1, in: k.notepad, Page(.valid, .noAccess))
    case .reserved: try k.map(1, in: k.notepad, Page(.reserved))
    case .decommitted: try k.map(1, in: k.notepad, Page(.decommitted))
    case .free: break
    case .pagedOut:
      try k.kernel.pageOut(
        Page(.valid), at: k.buffer, content: Array(repeating: 0x77, count: 4096), failing: nil, in: k.notepad)
    case .failingPager:
      try k.kernel.pageOut(Page(.valid), at: k.buffer, content: nil, failing: NTSTATUS(rawValue: 0xc000_009c), in: k.notepad)
    }
  }

  /// What a lock of it raises, for reading or for writing; `nil` where it succeeds.
  func status(writes: Bool) -> UInt32? {
    switch self {
    case .readWrite, .demandZero, .copyOnWrite, .pagedOut: nil
    case .readOnly, .readOnlyDemandZero: writes ? 0xc000_0005 : nil
    case .guarded: 0x8000_0001
    case .noAccess, .reserved, .decommitted, .free: 0xc000_0005
    case .failingPager: 0xc000_0006
    }
  }
}

@Suite("Locking pages") struct LockTests {
  let k: TestKernel
  init() throws { k = try TestKernel() }

  struct Row: Sendable, CustomTestStringConvertible {
    let kind: PageKind
    let mode: UInt64
    let operation: UInt64
    var testDescription: String {
      "\(kind), \(mode == 0 ? "KernelMode" : "UserMode"), \(["IoReadAccess", "IoWriteAccess", "IoModifyAccess"][Int(operation)])"
    }
  }
  static let matrix: [Row] = PageKind.allCases.flatMap { kind in
    [0, 1].flatMap { mode in [0, 1, 2].map { Row(kind: kind, mode: mode, operation: $0) } }
  }

  @Test("a user page is locked or refused by its state, in either mode, and for write and modify alike", arguments: matrix)
  func outcome(row: Row) throws {
    try row.kind.map(in: k)
    let mdl = try k.makeMDL(k.buffer + 0x10, 0x20)
    try k.store(0xdead_beef, at: mdl + 8)
    let before = k.notepad.space.frame(at: k.buffer)
    let reply = try k.call("MmProbeAndLockPages", mdl, row.mode, row.operation)
    let writes = row.operation != 0
    guard let status = row.kind.status(writes: writes) else {
      guard case .returned = reply else { return unexpected(reply) }
      let frame = try k.frame(of: k.notepad)
      #expect(try k.frames(mdl, 1) == [frame])
      #expect(k.pins(frame) == 1)
      #expect(try k.flags(mdl) == 0x8 | 0x2 | (writes ? 0x80 : 0))
      #expect(try UInt64(k.load(mdl + 8)) == k.notepad.object.address)
      #expect(try k.lockedPages(of: k.notepad) == 1)
      if row.kind == .copyOnWrite {
        // Reading pins the shared frame; writing gives the process its own first.
        #expect((before == frame) == !writes)
        #expect(try k.byte(k.buffer) == 1, "the copy holds what the shared frame held")
        #expect(k.notepad.space[k.buffer].protection == (writes ? .readWrite : .writeCopy))
      }
      if row.kind == .pagedOut { #expect(try k.byte(k.buffer + 0xfff) == 0x77) }
      if row.kind == .demandZero { #expect(try k.byte(k.buffer + 0x10) == 0) }
      return
    }
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.code.rawValue == status)
    #expect(try k.load(mdl + 8) == 0, "the process is forgotten")
    #expect(try k.flags(mdl) & 0x2 == 0)
    #expect(try k.lockedPages(of: k.notepad) == 0)
    #expect(try k.load(mdl + 0x1c) == 0xffff_ffff, "the frame array begins with its end mark")
    let writeFault: UInt64 = row.kind == .readOnly || row.kind == .readOnlyDemandZero ? 1 : 0
    let place = k.buffer + 0x10
    #expect(try exception.information == (status == 0xc000_0006 ? [0, place, 0xc000_009c] : [writeFault, place]))
  }

  @Test("the guard of a page goes with the first try, and the second one locks", arguments: [0, 1] as [UInt64])
  func guardPage(operation: UInt64) throws {
    try PageKind.guarded.map(in: k)
    let mdl = try k.makeMDL(k.buffer, 0x1000)
    #expect(try k.raised("MmProbeAndLockPages", mdl, 1, operation).code == .guardPageViolation)
    #expect(!k.notepad.space[k.buffer].isGuard)
    try k.value("MmProbeAndLockPages", mdl, 1, operation)
    #expect(try k.pins(k.frame(of: k.notepad)) == 1)
  }

  struct Range: Sendable {
    let address: UInt64
    let length: UInt64
  }

  @Test(
    "in user mode a range that ends above 7FFF0000 or wraps is refused before anything is touched",
    arguments: [
      Range(address: 0x7fff_0000, length: 1), Range(address: 0x7ffe_f000, length: 0x1001), Range(address: 0x8000_0000, length: 4),
      Range(address: 0xffff_f000, length: 0x2000), Range(address: 0x42_1000, length: 0xffff_ffff),
    ])
  func range(range: Range) throws {
    // A hand-made header: IoAllocateMdl refuses the longest of these.
    let mdl = try k.makeMDL(range.address, min(range.length, 0x2000))
    try k.store(UInt32(range.length), at: mdl + 0x14)
    #expect(try k.raised("MmProbeAndLockPages", mdl, 1, 0).code == .accessViolation)
    #expect(!k.stream.events.contains { if case .fault = $0 { true } else { false } })
    #expect(try k.load(mdl + 0x1c) == 0xffff_ffff)
  }

  @Test("the last user bytes below 7FFF0000 can be locked")
  func lastUserPage() throws {
    try k.kernel.map(Page(.valid), pages: 1, at: 0x7ffe_f000, in: k.notepad)
    let mdl = try k.lock(0x7ffe_f000, 0x1000)
    #expect(try k.flags(mdl) & 2 == 2)
  }

  @Test("in kernel mode the range is not checked: pool locks, and is charged to nobody")
  func kernelRange() throws {
    let block = try k.value("ExAllocatePoolWithTag", 0, 0x2000, 0)
    let mdl = try k.makeMDL(block + 4, 0x1004)
    try k.value("MmProbeAndLockPages", mdl, 0, 1)
    #expect(try k.load(mdl + 8) == 0)
    #expect(try k.frames(mdl, 2) == [k.memory.current.frame(at: block)!, k.memory.current.frame(at: block + 0x1000)!])
    for process in k.kernel.processes { #expect(try k.lockedPages(of: process) == 0) }
    try k.value("MmUnlockPages", mdl)
    #expect(k.pins(k.memory.current.frame(at: block)!) == 0)
  }

  @Test("in kernel mode a system address without memory is bugcheck 50")
  func kernelRangeBad() throws {
    let mdl = try k.makeMDL(0xd000_0123, 1)
    #expect(try k.bugCheck("MmProbeAndLockPages", mdl, 0, 0).prefix(3) == [0x50, 0xd000_0123, 0])
  }

  @Test("in kernel mode a range that runs into the 64 KiB below system space faults there")
  func noAccessHole() throws {
    try k.kernel.map(Page(.valid), pages: 1, at: 0x7ffe_f000, in: k.notepad)
    let mdl = try k.makeMDL(0x7ffe_f800, 0x1000)
    let exception = try k.raised("MmProbeAndLockPages", mdl, 0, 0)
    #expect(try exception.code == .accessViolation)
    #expect(try exception.information == [0, 0x7fff_0000])
    #expect(k.pins(k.notepad.space.frame(at: 0x7ffe_f000)!) == 0)
  }

  @Test("a length of 0 is refused in user mode, and the run says that it is uncertain")
  func zeroLength() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.makeMDL(k.buffer, 0)
    #expect(try k.raised("MmProbeAndLockPages", mdl, 1, 0).code == .accessViolation)
    #expect(k.stream.events.contains { if case .uncertain(let text) = $0 { text.contains("length of 0") } else { false } })
  }

  @Test("pages of a range that cannot be locked whole stay unpinned and uncharged", arguments: [0, 1, 2] as [UInt64])
  func partialFailure(operation: UInt64) throws {
    try k.map(3, in: k.notepad)
    let mdl = try k.makeMDL(k.buffer + 0x800, 0x3000)
    let exception = try k.raised("MmProbeAndLockPages", mdl, 1, operation)
    #expect(try exception.information == [0, k.buffer + 0x3000])
    for index in 0..<3 { #expect(try k.pins(k.frame(of: k.notepad, UInt64(index))) == 0) }
    #expect(try k.lockedPages(of: k.notepad) == 0)
    #expect(try k.flags(mdl) == 0x8 && k.load(mdl + 8) == 0)
  }

  @Test("an unaligned range locks every page it touches, each frame in its place")
  func unaligned() throws {
    try k.map(3, in: k.notepad)
    let mdl = try k.lock(k.buffer + 0xfff, 0x1002)
    #expect(try k.frames(mdl, 3) == (0..<3).map { try k.frame(of: k.notepad, $0) })
    #expect(try k.lockedPages(of: k.notepad) == 3)
  }

  @Test("a lock is made in the address space one is attached to, and charged to it")
  func wrongProcess() throws {
    try k.map(1, in: k.notepad)
    try k.map(1, in: k.service, filledFrom: 9)
    try k.value("KeStackAttachProcess", k.service.object.address, k.scratch)
    let mdl = try k.lock(k.buffer, 0x1000)
    #expect(try k.frames(mdl, 1) == [k.frame(of: k.service)])
    #expect(try UInt64(k.load(mdl + 8)) == k.service.object.address)
    #expect(try [k.lockedPages(of: k.notepad), k.lockedPages(of: k.service)] == [0, 1])
    // It is given back to whom it was charged, wherever one is by then.
    try k.value("KeUnstackDetachProcess", k.scratch)
    try k.value("MmUnlockPages", mdl)
    #expect(try k.lockedPages(of: k.service) == 0)
  }

  @Test("the event of a lock says what memory was at that moment")
  func event() throws {
    try k.map(2, in: k.notepad)
    try k.kernel.record(BufferRequest(requestor: k.notepad.id, address: k.buffer, length: 0x2000))
    let mdl = try k.lock(k.buffer + 0x10, 0x1ff0, 2)
    let locks = k.stream.events.compactMap { if case .lock(let lock) = $0 { lock } else { nil } }
    let lock = try #require(locks.first)
    #expect(locks.count == 1)
    #expect(lock.mdl == mdl && lock.address == k.buffer + 0x10 && lock.length == 0x1ff0 && lock.intent == .modify)
    #expect(lock.current == k.notepad.id && lock.account == k.notepad.id && lock.requestor == k.notepad.id)
    #expect(lock.requestorFrames == lock.frames.map { $0 } && !lock.wasLocked)
    #expect(lock.site.ip == TestKernel.caller)
  }

  // MARK: Unlocking

  @Test("unlocking takes back pins, charge, process and flag; a writer's frames are dirty")
  func unlock() throws {
    try k.map(2, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x2000)
    try k.value("MmUnlockPages", mdl)
    for index in 0..<2 {
      let frame = try k.frame(of: k.notepad, UInt64(index))
      #expect(k.pins(frame) == 0 && k.memory.physical[frame].isDirty)
    }
    #expect(try k.lockedPages(of: k.notepad) == 0)
    #expect(try k.load(mdl + 8) == 0)
    #expect(try k.flags(mdl) & 2 == 0)
    try k.value("MmProbeAndLockPages", mdl, 1, 0)
    try k.value("MmUnlockPages", mdl)
    #expect(try k.flags(mdl) & 0x80 == 0)
  }

  @Test("a reader's frames stay clean")
  func unlockReader() throws {
    try k.map(1, in: k.notepad)
    try k.value("MmUnlockPages", k.lock(k.buffer, 0x1000, 0))
    #expect(try !k.memory.physical[k.frame(of: k.notepad)].isDirty)
  }

  @Test("a second unlock finds pages that nobody locked: bugcheck 4E, 7 and the frame")
  func doubleUnlock() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x1000)
    try k.value("MmUnlockPages", mdl)
    let check = try k.bugCheck("MmUnlockPages", mdl)
    #expect(try check.prefix(3) == [0x4e, 7, UInt64(k.frame(of: k.notepad))])
  }

  @Test("an unlock that would take back more than the process is charged is bugcheck 76, 1 and the MDL")
  func unlockUncharged() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x1000)
    try k.store(0, at: k.notepad.object.address + 0x12c)
    #expect(try k.bugCheck("MmUnlockPages", mdl) == [0x76, 1, mdl, 0, 0])
  }

  @Test("an unlock of an MDL whose frames are none of the machine's is bugcheck 4E")
  func unlockForeign() throws {
    let mdl = try k.makeMDL(k.buffer, 0x1000)
    try k.store(0x00ab_cdef, at: mdl + 0x1c)
    #expect(try k.bugCheck("MmUnlockPages", mdl).prefix(3) == [0x4e, 7, 0xab_cdef])
  }

  @Test("an unlock stops at the mark that ends the frame array early")
  func unlockEarlyEnd() throws {
    try k.map(2, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x2000)
    try k.store(0xffff_ffff, at: mdl + 0x20)
    try k.value("MmUnlockPages", mdl)
    #expect(try k.pins(k.frame(of: k.notepad, 0)) == 0 && k.pins(k.frame(of: k.notepad, 1)) == 1)
  }

  @Test("an MDL locked twice holds two references, of which one unlock takes one")
  func lockTwice() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x1000)
    try k.value("MmProbeAndLockPages", mdl, 1, 1)
    #expect(try k.pins(k.frame(of: k.notepad)) == 2 && k.lockedPages(of: k.notepad) == 2)
    try k.value("MmUnlockPages", mdl)
    #expect(try k.pins(k.frame(of: k.notepad)) == 1 && k.lockedPages(of: k.notepad) == 1)
    #expect(throws: BugCheck(.processHasLockedPages, 0, k.notepad.object.address, 1, 0)) { try k.kernel.exit(k.notepad) }
  }

  @Test("pinned frames outlive their mapping: the MDL names the old ones, and nobody else gets them")
  func unmappedWhileLocked() throws {
    try k.map(1, in: k.notepad)
    let frame = try k.frame(of: k.notepad)
    let mdl = try k.lock(k.buffer, 0x1000)
    try k.notepad.space.user.set(.free, at: k.buffer)
    try k.map(1, in: k.notepad, filledFrom: 5)
    #expect(try k.frame(of: k.notepad) != frame)
    #expect(try k.frames(mdl, 1) == [frame])
    let view = try k.value("MmMapLockedPagesSpecifyCache", mdl, 0, 1, 0, 0, 16)
    #expect(try k.byte(view) == 1 && k.byte(k.buffer) == 5)
    try k.value("MmUnlockPages", mdl)
    #expect(try k.memory.physical.allocate() == frame)
  }

  @Test("a process that exits without locked pages gives its frames back and leaves the list of processes")
  func exit() throws {
    try k.map(2, in: k.notepad)
    let used = k.memory.physical.used
    try k.kernel.exit(k.notepad)
    #expect(k.memory.physical.used == used - 2)
    #expect(k.notepad.hasExited && k.notepad.space[k.buffer].kind == .free)
    let links = k.service.object.ActiveProcessLinks
    #expect(try !links.entries().contains(k.notepad.object.ActiveProcessLinks))
  }

  // MARK: IRQL

  @Test(
    "at DISPATCH_LEVEL a page that is not resident is bugcheck A, with address, IRQL, access and the routine",
    arguments: [0, 1] as [UInt64])
  func atDispatch(operation: UInt64) throws {
    try PageKind.demandZero.map(in: k)
    let mdl = try k.makeMDL(k.buffer, 0x1000)
    try k.raiseIRQL(to: 2)
    let number = try #require(k.kernel.exports["nt", "MmProbeAndLockPages"])
    #expect(try k.bugCheck("MmProbeAndLockPages", mdl, 1, operation) == [0xa, k.buffer, 2, 0, k.kernel.trapAddresses[number]])
  }

  @Test(
    "at DISPATCH_LEVEL nothing that needs the fault handler can be repaired",
    arguments: [PageKind.guarded, .noAccess, .copyOnWrite, .readOnly, .pagedOut, .free])
  func repairsAtDispatch(kind: PageKind) throws {
    try kind.map(in: k)
    let mdl = try k.makeMDL(k.buffer, 0x1000)
    try k.raiseIRQL(to: 2)
    #expect(try k.bugCheck("MmProbeAndLockPages", mdl, 1, 1).prefix(3) == [0xa, k.buffer, 2])
    #expect(k.notepad.space[k.buffer].isGuard == (kind == .guarded))
  }

  @Test("at DISPATCH_LEVEL resident pages lock")
  func residentAtDispatch() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.makeMDL(k.buffer, 0x1000)
    try k.raiseIRQL(to: 2)
    try k.value("MmProbeAndLockPages", mdl, 1, 1)
    #expect(try k.flags(mdl) & 2 == 2)
  }
}

@Suite("Mapping locked pages") struct MappingTests {
  let k: TestKernel
  init() throws { k = try TestKernel() }

  private func map(_ mdl: UInt64, mode: UInt64 = 0, at base: UInt64 = 0, bugCheckOnFailure: UInt64 = 0) throws -> TestKernel.Reply {
    try k.call("MmMapLockedPagesSpecifyCache", mdl, mode, 1, base, bugCheckOnFailure, 16)
  }

  @Test("a system mapping shows the locked frames at the same offset in its page, in every process")
  func systemMapping() throws {
    try k.map(2, in: k.notepad)
    let mdl = try k.lock(k.buffer + 0x234, 0x1800)
    let view = try k.value("MmMapLockedPagesSpecifyCache", mdl, 0, 1, 0, 0, 16)
    #expect(view >= 0x8000_0000 && view & 0xfff == 0x234)
    #expect(try UInt64(k.load(mdl + 0xc)) == view)
    #expect(try k.flags(mdl) & 0x21 == 1)
    try k.store(0x1122_3344, at: view)
    #expect(try k.load(k.buffer + 0x234) == 0x1122_3344)
    try k.value("KeStackAttachProcess", k.service.object.address, k.scratch)
    #expect(try k.load(view) == 0x1122_3344)
    #expect(try k.byte(view + 0x1000) == 2)
  }

  @Test("MmMapLockedPages maps in system space, at the current process's for user mode")
  func obsolete() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer + 8, 0x10)
    let view = try k.value("MmMapLockedPages", mdl, 0)
    #expect(view >= 0x8000_0000 && view & 0xfff == 8)
    #expect(try k.flags(mdl) & 1 == 1)
    let other = try k.lock(k.buffer + 8, 0x10)
    let user = try k.value("MmMapLockedPages", other, 1)
    #expect(user < 0x7fff_0000 && user & 0xfff == 8)
    #expect(try k.byte(user) == 1)
    #expect(try k.flags(other) & 1 == 0, "a user mapping is not MappedSystemVa")
  }

  @Test(
    "without addresses for a system mapping the answer is NULL, or bugcheck 3F if the caller wanted that", arguments: [0, 1] as [UInt64])
  func noAddresses(bugCheckOnFailure: UInt64) throws {
    // A hand-made MDL of more pages than system space has room for, all of them one frame.
    let pages: UInt64 = 0xd000
    let mdl = try k.value("ExAllocatePoolWithTag", 0, 0x1c + 4 * pages, 0)
    try k.store([0, 2 << 16 | 0x1c, 0, 0, UInt32(k.buffer), UInt32(pages << 12), 0], at: mdl)
    let frame = try k.memory.physical.allocate()
    for index in 0..<pages { try k.store(frame, at: mdl + 0x1c + 4 * index) }
    let reply = try map(mdl, bugCheckOnFailure: bugCheckOnFailure)
    switch reply {
    case .returned(let value): #expect(value == 0 && bugCheckOnFailure == 0)
    case .bugCheck(let check): #expect(check.code.rawValue == 0x3f && check.parameters[1] == pages && bugCheckOnFailure == 1)
    default: Issue.record("\(reply)")
    }
    if bugCheckOnFailure == 0 { #expect(try k.flags(mdl) & 1 == 0 && k.load(mdl + 0xc) == 0) }
  }

  @Test("frames that are not memory are bugcheck 1A, 1236 with MDL, slot and frame")
  func foreignFrames() throws {
    let mdl = try k.makeMDL(k.buffer, 0x1000)
    try k.store(0xab_cdef, at: mdl + 0x1c)
    #expect(try k.bugCheck("MmMapLockedPages", mdl, 0) == [0x1a, 0x1236, mdl, mdl + 0x1c, 0xab_cdef])
  }

  @Test("a user mapping is in the current process, where it was asked for or at 64 KiB granularity")
  func userMapping() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer + 0x10, 0x20)
    try k.value("KeStackAttachProcess", k.service.object.address, k.scratch)
    let view = try k.value("MmMapLockedPagesSpecifyCache", mdl, 1, 1, 0, 0, 16)
    #expect(view & 0xffff == 0x10)
    #expect(try k.byte(view) == 1)
    #expect(k.notepad.space[view & ~0xfff].kind == .free)
    #expect(try k.value("MmMapLockedPagesSpecifyCache", mdl, 1, 1, 0x50_0000, 0, 16) == 0x50_0010)
    // A store there is seen where the frame came from.
    try k.store(0xcafe_f00d, at: view)
    try k.value("KeUnstackDetachProcess", k.scratch)
    #expect(try k.load(k.buffer + 0x10) == 0xcafe_f00d)
  }

  @Test("a user mapping where something is already, or beyond user space, raises", arguments: [0x42_1000, 0x7fff_0000, 0x1000] as [UInt64])
  func userMappingConflict(base: UInt64) throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x1000)
    let reply = try map(mdl, mode: 1, at: base)
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.code.rawValue == 0xc000_0018)
  }

  @Test("a user mapping without room raises that resources are insufficient")
  func userMappingNoRoom() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x1000)
    // One reserved page in each 64 KiB.
    for place in stride(from: UInt64(0x1_0000), to: 0x7fff_0000, by: 0x1_0000) where k.notepad.space[place].kind == .free {
      try k.notepad.space.user.set(Page(.reserved), at: place)
    }
    let reply = try map(mdl, mode: 1)
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.code.rawValue == 0xc000_009a)
  }

  @Test("unmapping a system mapping clears MappedSystemVa and its flag, and frees the addresses")
  func unmap() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer + 4, 0x10)
    let view = try k.value("MmMapLockedPages", mdl, 0)
    try k.value("MmUnmapLockedPages", view, mdl)
    #expect(k.memory.current[view].kind == .free)
    #expect(try k.flags(mdl) & 1 == 0 && k.flags(mdl) & 2 == 2, "the lock stays")
    #expect(try k.value("MmMapLockedPages", mdl, 0) == view)
  }

  @Test("a system mapping that is none is bugcheck DA")
  func unmapTwice() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x10)
    let view = try k.value("MmMapLockedPages", mdl, 0)
    try k.value("MmUnmapLockedPages", view, mdl)
    #expect(try k.bugCheck("MmUnmapLockedPages", view, mdl)[0] == 0xda)
  }

  @Test("unlocking releases the system mapping with the pins")
  func unlockReleases() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x10)
    let view = try k.value("MmMapLockedPages", mdl, 0)
    try k.value("MmUnlockPages", mdl)
    #expect(k.memory.current[view].kind == .free)
    #expect(try k.flags(mdl) & 3 == 0)
    #expect(k.stream.events.contains { if case .unmapping(mdl, view, _, _) = $0 { true } else { false } })
  }

  @Test("unmapping a user mapping in the wrong process removes what lies there, and leaves the mapping")
  func unmapInWrongProcess() throws {
    try k.map(1, in: k.notepad)
    let mdl = try k.lock(k.buffer, 0x1000)
    let view = try k.value("MmMapLockedPagesSpecifyCache", mdl, 1, 1, 0x50_0000, 0, 16)
    try k.kernel.map(Page(.valid), pages: 2, at: 0x50_0000, in: k.service)
    try k.value("KeStackAttachProcess", k.service.object.address, k.scratch)
    try k.value("MmUnmapLockedPages", view, mdl)
    #expect(k.service.space[0x50_0000].kind == .free, "service's own page is gone")
    #expect(k.service.space[0x50_1000].kind == .valid)
    #expect(k.notepad.space[0x50_0000].kind == .valid, "and notepad's mapping is still there")
    try k.value("KeUnstackDetachProcess", k.scratch)
    try k.value("MmUnmapLockedPages", view, mdl)
    #expect(k.notepad.space[0x50_0000].kind == .free)
    #expect(try k.pins(k.frame(of: k.notepad)) == 1)
  }

  @Test("a frame that an MDL names while nobody uses it is not handed out twice")
  func unusedFrame() throws {
    let frame = try k.memory.physical.allocate()
    try k.service.space.user.set(Page(.valid, frame: frame), at: 0x9_0000)
    try k.service.space.user.set(.free, at: 0x9_0000)  // Free now.
    let mdl = try k.makeMDL(k.buffer, 0x1000)
    try k.store(frame, at: mdl + 0x1c)
    let view = try k.value("MmMapLockedPages", mdl, 0)
    let next = try k.memory.physical.allocate()
    #expect(next != frame)
    try k.value("MmUnmapLockedPages", view, mdl)
    #expect(try k.memory.physical.allocate() == frame)
    #expect(try k.memory.physical.allocate() != frame)
  }
}
