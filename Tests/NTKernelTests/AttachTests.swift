import Events
import Guest
import NTKernel
import Testing
import WindowsTypes

/// Offsets are those of XP's `KTHREAD`, `KAPC_STATE` and `KPROCESS`, as public symbols give them.
@Suite("Attaching") struct AttachTests {
  let k: TestKernel
  let thread: UInt64
  let state = TestKernel.scratch
  let (target, other, home): (UInt64, UInt64, UInt64)
  init() throws {
    k = try TestKernel()
    thread = try k.currentThread
    (target, other, home) = (k.service.object.address, k.system.object.address, k.notepad.object.address)
    try k.memory.memory.fill(0xee, count: 0x100, at: state)
  }

  private let apcState: UInt64 = 0x34
  private let savedApcState: UInt64 = 0x14c

  /// What the thread says about APCs: both states, the pointers to them, and the index.
  private func apcBytes() throws -> [[UInt8]] {
    try [(apcState, 0x18), (savedApcState, 0x18), (0x138, 8), (0x165, 1), (0xd4, 4)].map {
      try k.memory.memory.bytes($0.1, at: thread + $0.0)
    }
  }

  private func stackCount(_ process: UInt64) throws -> UInt16 { try k.half(process + 0x60) }

  private func isEmpty(_ list: UInt64) throws -> Bool {
    try UInt64(k.load(list)) == list && UInt64(k.load(list + 4)) == list
  }

  @Test("a first attach saves the APC state in the thread, and the caller's storage is marked by a null process")
  func firstAttach() throws {
    try k.memory.memory.write([1, 1, 1], at: thread + apcState + 0x14)
    try k.value("KeStackAttachProcess", target, state)
    #expect(try UInt64(k.load(thread + 0x44)) == target)
    #expect(try UInt64(k.load(thread + savedApcState + 0x10)) == home)
    #expect(try k.byte(thread + 0x165) == 1)
    #expect(try UInt64(k.load(thread + 0x138)) == thread + savedApcState)
    #expect(try UInt64(k.load(thread + 0x13c)) == thread + apcState)
    #expect(try k.load(state + 0x10) == 0)
    #expect(try k.load(state) == 0xeeee_eeee, "the caller's storage is not used for a first attach")
    #expect(try k.memory.memory.bytes(3, at: thread + apcState + 0x14) == [0, 0, 0])
    #expect(try k.memory.memory.bytes(3, at: thread + savedApcState + 0x14) == [1, 1, 1])
    for list in [apcState, apcState + 8, savedApcState, savedApcState + 8] { #expect(try isEmpty(thread + list)) }
  }

  @Test("the address space is the target's, by the tables that its process object names")
  func addressSpace() throws {
    try k.map(1, in: k.notepad, filledFrom: 7)
    try k.map(1, in: k.service, filledFrom: 9)
    #expect(try k.byte(k.buffer) == 7)
    try k.value("KeStackAttachProcess", target, state)
    #expect(k.memory.current === k.service.space)
    #expect(try k.byte(k.buffer) == 9)
    let switches = k.stream.events.compactMap { if case .addressSpace(let from, let to, _, .attach) = $0 { [from, to] } else { nil } }
    #expect(switches == [[k.notepad.id, k.service.id]])
    try k.value("KeUnstackDetachProcess", state)
    #expect(try k.byte(k.buffer) == 7)

    // Tables are what counts: with notepad's in the service's object, the switch leads to notepad.
    try k.store(k.load(home + 0x18), at: target + 0x18)
    try k.value("KeStackAttachProcess", target, state)
    #expect(k.memory.current === k.notepad.space)
  }

  @Test("tables that are no process's are a triple fault in the making")
  func badTables() throws {
    try k.store(0x7ff_f000, at: target + 0x18)
    #expect(try k.bugCheck("KeStackAttachProcess", target, state).prefix(2) == [0x7f, 8])
  }

  @Test("an attach and its detach restore every byte")
  func detachRestores() throws {
    let before = try apcBytes()
    let counts = try [stackCount(target), stackCount(home)]
    try k.value("KeStackAttachProcess", target, state)
    #expect(try stackCount(target) == counts[0] + 1)
    #expect(try stackCount(home) == counts[1])
    try k.value("KeUnstackDetachProcess", state)
    #expect(try apcBytes() == before)
    #expect(try [stackCount(target), stackCount(home)] == counts)
    #expect(k.memory.current === k.notepad.space)
  }

  @Test("a queued APC follows its list to the saved state, and back")
  func queuedAPC() throws {
    let (first, second) = (k.scratch + 0x200, k.scratch + 0x240)
    let list = thread + apcState + 8
    // Two user APCs: head -> first -> second -> head.
    try k.store([UInt32(first), UInt32(second)], at: list)
    try k.store([UInt32(second), UInt32(list)], at: first)
    try k.store([UInt32(list), UInt32(first)], at: second)
    try k.value("KeStackAttachProcess", target, state)
    let moved = thread + savedApcState + 8
    #expect(try k.load(moved) == UInt32(first) && k.load(moved + 4) == UInt32(second))
    #expect(try k.load(first + 4) == UInt32(moved) && k.load(second) == UInt32(moved))
    #expect(try k.load(first) == UInt32(second) && k.load(second + 4) == UInt32(first))
    #expect(try isEmpty(list), "the attached state's list is fresh")
    #expect(try isEmpty(thread + savedApcState), "the kernel-mode list is empty on both sides")
    try k.value("KeUnstackDetachProcess", state)
    #expect(try k.load(list) == UInt32(first) && k.load(list + 4) == UInt32(second))
    #expect(try k.load(first + 4) == UInt32(list) && k.load(second) == UInt32(list))
  }

  @Test("a nested attach keeps the middle state in the caller's storage, and detaches undo them one by one")
  func nested() throws {
    let (outer, inner) = (state, state + 0x20)
    let before = try apcBytes()
    try k.value("KeStackAttachProcess", target, outer)
    let attached = try apcBytes()
    try k.value("KeStackAttachProcess", other, inner)
    #expect(try UInt64(k.load(thread + 0x44)) == other)
    #expect(try UInt64(k.load(inner + 0x10)) == target)
    #expect(try UInt64(k.load(inner)) == inner && UInt64(k.load(inner + 8)) == inner + 8)
    #expect(try k.byte(thread + 0x165) == 1)
    #expect(try UInt64(k.load(thread + savedApcState + 0x10)) == home, "the outermost state stays")
    #expect(k.memory.current === k.system.space)
    #expect(try [stackCount(target), stackCount(other)] == [1, 1])
    try k.value("KeUnstackDetachProcess", inner)
    #expect(try apcBytes() == attached)
    #expect(k.memory.current === k.service.space)
    try k.value("KeUnstackDetachProcess", outer)
    #expect(try apcBytes() == before)
    #expect(try [stackCount(target), stackCount(other)] == [0, 0])
  }

  @Test("an attach to the process one is in only marks the caller's storage, and its detach does nothing")
  func toOneself() throws {
    let before = try apcBytes()
    try k.value("KeStackAttachProcess", home, state)
    #expect(try k.load(state + 0x10) == 1)
    #expect(try apcBytes() == before)
    try k.value("KeUnstackDetachProcess", state)
    #expect(try apcBytes() == before)
    #expect(k.memory.current === k.notepad.space)
    // The same while attached: the inner pair leaves the outer attach alone.
    try k.value("KeStackAttachProcess", target, state)
    let attached = try apcBytes()
    try k.value("KeStackAttachProcess", target, state + 0x20)
    #expect(try k.load(state + 0x30) == 1)
    try k.value("KeUnstackDetachProcess", state + 0x20)
    #expect(try apcBytes() == attached)
    #expect(k.memory.current === k.service.space)
  }

  @Test("an attach while a DPC runs is bugcheck 5 with its fourth parameter not zero")
  func inDPC() throws {
    try k.kernel.enterDPC()
    #expect(try k.bugCheck("KeStackAttachProcess", target, state) == [5, target, home, 0, 1])
  }

  @Test("a detach with a state that no attach filled is bugcheck 6")
  func detachUnattached() throws {
    try k.store(0, at: state + 0x10)
    #expect(try k.bugCheck("KeUnstackDetachProcess", state) == [6, 0, 0, 0, 0])
  }

  @Test("a detach with an APC queued to the attached process, or one in progress, is bugcheck 6", arguments: [true, false])
  func dirtyDetach(isQueued: Bool) throws {
    try k.value("KeStackAttachProcess", target, state)
    if isQueued {
      let (list, apc) = (thread + apcState, k.scratch + 0x200)
      try k.store([UInt32(apc), UInt32(apc)], at: list)
      try k.store([UInt32(list), UInt32(list)], at: apc)
    } else {
      try k.memory.memory.store(UInt8(1), at: thread + apcState + 0x14)
    }
    #expect(try k.bugCheck("KeUnstackDetachProcess", state)[0] == 6)
  }

  @Test("the caller's storage must be writable: what it says is dispatched after the address space was left")
  func badStorage() throws {
    let exception = try k.raised("KeStackAttachProcess", target, 0x10)
    #expect(try exception.code == .accessViolation)
    #expect(try exception.information == [1, 0x20])
  }

  @Test("KeAttachProcess saves the state as a first attach does, and KeDetachProcess restores it")
  func simpleAttach() throws {
    let before = try apcBytes()
    try k.value("KeAttachProcess", target)
    #expect(try UInt64(k.load(thread + 0x44)) == target)
    #expect(try UInt64(k.load(thread + savedApcState + 0x10)) == home)
    #expect(try k.byte(thread + 0x165) == 1)
    #expect(k.memory.current === k.service.space)
    try k.value("KeDetachProcess")
    #expect(try apcBytes() == before)
    #expect(k.memory.current === k.notepad.space)
    #expect(try stackCount(target) == 0)
  }

  @Test("KeAttachProcess does not nest: a second one to another process is bugcheck 5 with what is attached")
  func simpleAttachNested() throws {
    try k.value("KeAttachProcess", target)
    #expect(try k.bugCheck("KeAttachProcess", other) == [5, other, target, 1, 0])
  }

  @Test("KeAttachProcess in a DPC is bugcheck 5")
  func simpleAttachInDPC() throws {
    try k.kernel.enterDPC()
    #expect(try k.bugCheck("KeAttachProcess", target) == [5, target, home, 0, 1])
  }

  @Test("KeAttachProcess to the current process changes nothing, and a detach without an attach returns silently")
  func simpleAttachToOneself() throws {
    let before = try apcBytes()
    try k.value("KeAttachProcess", home)
    try k.value("KeDetachProcess")
    #expect(try apcBytes() == before)
    #expect(k.memory.current === k.notepad.space)
  }

  @Test("KeDetachProcess with an APC in progress is bugcheck 6")
  func simpleDetachDirty() throws {
    try k.value("KeAttachProcess", target)
    try k.memory.memory.store(UInt8(1), at: thread + apcState + 0x14)
    #expect(try k.bugCheck("KeDetachProcess")[0] == 6)
  }

  @Test("a system call or a worker that returns attached is bugcheck 1 with the routine, the index and the disable count")
  func returnAttached() throws {
    try k.kernel.checkReturn(of: 0x1234, isWorker: false)
    try k.value("KeStackAttachProcess", target, state)
    #expect(throws: BugCheck(.apcIndexMismatch, 0x1234, 1, 0, 0)) { try k.kernel.checkReturn(of: 0x1234, isWorker: false) }
    #expect(throws: BugCheck(.apcIndexMismatch, 0x1234, 1, 0, 1)) { try k.kernel.checkReturn(of: 0x1234, isWorker: true) }
    try k.value("KeUnstackDetachProcess", state)
    try k.value("KeEnterCriticalRegion")
    #expect(throws: BugCheck(.apcIndexMismatch, 0x1234, 0, 0xffff_ffff, 0)) {
      try k.kernel.checkReturn(of: 0x1234, isWorker: false)
    }
  }
}

@Suite("Which process, which thread") struct IdentityTests {
  let k: TestKernel
  let (notepad, service): (UInt64, UInt64)
  init() throws {
    k = try TestKernel()
    (notepad, service) = (k.notepad.object.address, k.service.object.address)
  }

  @Test("the thread's owner is ThreadsProcess, whatever the thread is attached to", arguments: ["IoThreadToProcess", "PsGetThreadProcess"])
  func owner(name: String) throws {
    let thread = k.client.object.address
    #expect(try UInt64(k.load(thread + 0x220)) == notepad)
    try k.value("KeStackAttachProcess", service, k.scratch)
    #expect(try k.value(name, thread) == notepad)
    #expect(try k.value(name, k.worker.object.address) == k.system.object.address)
    // It is a field of guest memory: another value there is another answer.
    try k.store(UInt32(service), at: thread + 0x220)
    #expect(try k.value(name, thread) == service)
  }

  @Test("a null thread is an access violation at the field's offset", arguments: ["IoThreadToProcess", "PsGetThreadProcess"])
  func nullThread(name: String) throws {
    let exception = try k.raised(name, 0)
    #expect(try exception.code == .accessViolation)
    #expect(try exception.information == [0, 0x220])
  }

  @Test("the current process is the one attached to", arguments: ["PsGetCurrentProcess", "IoGetCurrentProcess"])
  func current(name: String) throws {
    #expect(try k.value(name) == notepad)
    try k.value("KeStackAttachProcess", service, k.scratch)
    #expect(try k.value(name) == service)
    // fs:[124h], then +44h: nothing else.
    try k.store(0x1234_5678, at: k.currentThread + 0x44)
    #expect(try k.value(name) == 0x1234_5678)
    try k.store(0x20, at: k.kernel.kpcr.address + 0x124)
    #expect(try k.raised(name).information == [0, 0x64])
  }

  @Test("the requestor is what the requesting thread is attached to now; an IRP without a thread has none")
  func requestor() throws {
    let irp = k.scratch + 0x400
    #expect(try k.value("IoGetRequestorProcess", irp) == 0)
    try k.store(UInt32(k.worker.object.address), at: irp + 0x50)
    #expect(try k.value("IoGetRequestorProcess", irp) == k.system.object.address)
    try k.store(UInt32(service), at: k.worker.object.address + 0x44)
    #expect(try k.value("IoGetRequestorProcess", irp) == service)
    #expect(try k.raised("IoGetRequestorProcess", 0).information == [0, 0x50])
  }

  @Test("identifiers are the thread's own, whatever it is attached to")
  func identifiers() throws {
    try k.value("KeStackAttachProcess", service, k.scratch)
    #expect(try k.value("PsGetCurrentProcessId") == 1232)
    #expect(try k.value("PsGetCurrentThreadId") == 0x4d4)
    #expect(try k.value("PsGetProcessId", service) == 800)
    #expect(try k.load(service + 0x84) == 800)
    let thread = try k.currentThread
    #expect(try k.load(thread + 0x1ec) == 1232 && k.load(thread + 0x1f0) == 0x4d4)
    #expect(try k.value("KeGetCurrentThread") == thread)
    #expect(try k.raised("PsGetProcessId", 0).information == [0, 0x84])
  }

  @Test("identifiers and threads of a smashed processor page fault where they are read")
  func smashed() throws {
    try k.store(0x10, at: k.kernel.kpcr.address + 0x124)
    #expect(try k.value("KeGetCurrentThread") == 0x10)
    for name in ["PsGetCurrentProcessId", "PsGetCurrentThreadId"] {
      let number = try #require(k.kernel.exports["nt", name])
      k.registers[.sp] = k.entryStackPointer
      k.registers[.ip] = k.kernel.trapAddresses[number]
      _ = k.kernel.serve(trap: number)
      #expect(k.kernel.failure == nil)
    }
  }
}
