import Emulation
import Events
import NTKernel
import Testing
import WindowsTypes

private typealias Action = GuestThreads.Action
private func at(_ offset: UInt32) -> UInt32 { GuestThreads.at(offset) }

@Suite("Asynchronous procedure calls") struct APCTests {
  // Where the objects lie in the data page.
  static let apc: UInt32 = 0x100
  static let second: UInt32 = 0x140
  static let event: UInt32 = 0x180
  static let state: UInt32 = 0x1c0
  /// `KAPC.Thread`, `Inserted`.
  static let thread: UInt32 = 0x108
  static let inserted: UInt32 = 0x12e

  /// A world with a kernel and a normal routine that say when they run.
  private func world(_ kernel: [Action] = [.note("comes")], _ normal: [Action] = [.note("comes")]) throws -> (
    world: GuestThreads, kernel: UInt32, normal: UInt32
  ) {
    var world = GuestThreads.world()
    let routine = try world.routine("kernel", arguments: 5, kernel)
    let second = try world.routine("normal", arguments: 3, normal)
    return (world, routine, second)
  }

  /// Initializes the APC at `offset` for the current thread. A normal routine of 0 makes it a special one.
  private func initialize(
    _ kernel: UInt32, _ normal: UInt32 = 0, at offset: UInt32 = apc, mode: UInt32 = 0, environment: UInt32 = 0, rundown: UInt32 = 0
  ) -> [Action] {
    [
      .quiet("KeInitializeApc", GuestThreads.at(offset), 0, environment, kernel, rundown, normal, mode, 0x77),
      .storeThread(offset + 8),
    ]
  }
  private func insert(_ offset: UInt32 = apc) -> Action { .call("KeInsertQueueApc", at(offset), 0x11, 0x22, 0) }
  private func event(set: Bool = false) -> Action { .quiet("KeInitializeEvent", at(Self.event), 0, set ? 1 : 0) }
  private func wait(mode: UInt32 = 0, isAlertable: Bool = false) -> Action {
    .call("KeWaitForSingleObject", at(Self.event), 0, mode, isAlertable ? 1 : 0, 0)
  }

  // MARK: One's own thread

  @Test("an APC of one's own comes before the routine returns that queues it: at APC_LEVEL, then at PASSIVE_LEVEL")
  func own() throws {
    var (world, kernel, normal) = try world()
    try world.routine(
      "main", initialize(kernel, normal) + [insert(), .read("Inserted", Self.inserted, size: 1), .call("KeAreApcsDisabled")])
    let result = try world.run()
    #expect(
      result.log == [
        "kernel: comes = 0 @1", "normal: comes = 0", "main: KeInsertQueueApc = 1", "main: Inserted = 0", "main: KeAreApcsDisabled = 0",
      ])
    #expect(result.run.outcome == .returned(0))
    let events = result.run.events.events.compactMap { event -> APCEvent? in if case .apc(let apc) = event { apc } else { nil } }
    #expect(events.map(\.kind) == [.normal] && events.map(\.routine) == [UInt64(kernel)] && events.map(\.normal) == [UInt64(normal)])
    // What KeInitializeApc has written: type and size, the routines, the context.
    #expect(try result.half(Self.apc) == 0x12 && result.half(Self.apc + 2) == 0x30)
    #expect(try result.word(Self.apc + 0x14) == kernel && result.word(Self.apc + 0x1c) == normal && result.word(Self.apc + 0x20) == 0x77)
    #expect(try result.word(Self.apc + 0x24) == 0x11 && result.word(Self.apc + 0x28) == 0x22)
  }

  @Test("at APC_LEVEL and above APCs wait until the IRQL is lowered", arguments: [UInt32(1), 2])
  func level(irql: UInt32) throws {
    var (world, kernel, _) = try world()
    try world.routine(
      "main",
      initialize(kernel) + [
        .quiet("KfRaiseIrql", irql), insert(), insert(), .read("Inserted", Self.inserted, size: 1), .call("KeAreAllApcsDisabled"),
        .quiet("KfLowerIrql", 0), .note("low"), .call("KeAreAllApcsDisabled"),
      ])
    let suffix = " @\(irql)"
    #expect(
      try world.run().log == [
        "main: KeInsertQueueApc = 1" + suffix, "main: KeInsertQueueApc = 0" + suffix, "main: Inserted = 1" + suffix,
        "main: KeAreAllApcsDisabled = 1" + suffix, "kernel: comes = 0 @1", "main: low = 0", "main: KeAreAllApcsDisabled = 0",
      ])
  }

  @Test("a critical region keeps normal APCs away, and lets special ones in")
  func criticalRegion() throws {
    var (world, kernel, normal) = try world()
    let special = try world.routine("special", arguments: 5, [.note("comes")])
    try world.routine(
      "main",
      initialize(kernel, normal) + initialize(special, at: Self.second) + [
        .quiet("KeEnterCriticalRegion"), .call("KeAreApcsDisabled"), .call("KeAreAllApcsDisabled"), insert(), insert(Self.second),
        .quiet("KeEnterCriticalRegion"), .quiet("KeLeaveCriticalRegion"), .note("inside"), .quiet("KeLeaveCriticalRegion"),
        .note("outside"),
      ])
    #expect(
      try world.run().log == [
        "main: KeAreApcsDisabled = 1", "main: KeAreAllApcsDisabled = 0", "main: KeInsertQueueApc = 1", "special: comes = 0 @1",
        "main: KeInsertQueueApc = 1", "main: inside = 0", "kernel: comes = 0 @1", "normal: comes = 0", "main: outside = 0",
      ])
  }

  @Test("a guarded region keeps all APCs away; special ones come first when it is left")
  func guardedRegion() throws {
    var (world, kernel, normal) = try world()
    let special = try world.routine("special", arguments: 5, [.note("comes")])
    try world.routine(
      "main",
      initialize(kernel, normal) + initialize(special, at: Self.second) + [
        .quiet("KeEnterGuardedRegion"), .call("KeAreApcsDisabled"), .call("KeAreAllApcsDisabled"), insert(), insert(Self.second),
        .quiet("KeLeaveGuardedRegion"), .note("outside"), .call("KeAreApcsDisabled"),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: KeAreApcsDisabled = 1", "main: KeAreAllApcsDisabled = 1", "main: KeInsertQueueApc = 1", "main: KeInsertQueueApc = 1",
        "special: comes = 0 @1", "kernel: comes = 0 @1", "normal: comes = 0", "main: outside = 0", "main: KeAreApcsDisabled = 0",
      ])
    #expect(!result.run.events.events.contains { if case .violation = $0 { true } else { false } })
  }

  @Test("a region that was not entered is not left silently", arguments: ["KeLeaveCriticalRegion", "KeLeaveGuardedRegion"])
  func notEntered(routine: String) throws {
    var world = GuestThreads.world()
    try world.routine("main", [.quiet(routine)])
    let violations = try world.run().run.events.events.compactMap { if case .violation(let text, _) = $0 { text } else { nil } }
    #expect(violations.count == 1 && violations[0].contains("not entered"))
  }

  @Test("a normal APC does not interrupt another; one that is taken back does not come")
  func oneAfterTheOther() throws {
    var world = GuestThreads.world()
    let kernel = try world.routine("kernel", arguments: 5, [])
    let last = try world.routine("last", arguments: 3, [.note("comes")])
    let first = try world.routine("first", arguments: 3, [insert(Self.second), .note("ends")])
    try world.routine(
      "main",
      initialize(kernel, first) + initialize(kernel, last, at: Self.second) + [
        insert(), .quiet("KeEnterCriticalRegion"), insert(), .call("KeRemoveQueueApc", at(Self.apc)),
        .call("KeRemoveQueueApc", at(Self.apc)), .quiet("KeLeaveCriticalRegion"),
      ])
    #expect(
      try world.run().log == [
        "first: KeInsertQueueApc = 1", "first: ends = 0", "last: comes = 0", "main: KeInsertQueueApc = 1", "main: KeInsertQueueApc = 1",
        "main: KeRemoveQueueApc = 1", "main: KeRemoveQueueApc = 0",
      ])
  }

  @Test("an APC's routine that returns at another IRQL is IRQL_UNEXPECTED_VALUE")
  func wrongLevel() throws {
    var (world, kernel, normal) = try world([], [.quiet("KfRaiseIrql", 1)])
    try world.routine("main", initialize(kernel, normal) + [insert()])
    let check = try world.run().bugCheck
    #expect(check?.code.rawValue == 0xc8 && check?.parameters == [0x1_0000, 0, UInt64(normal), 0])
  }

  // MARK: Another thread

  @Test("an APC runs within a wait, which goes on afterwards", arguments: [false, true])
  func withinWait(isNormal: Bool) throws {
    var (world, kernel, normal) = try world()
    let waiter = try world.routine("waiter", arguments: 1, initialize(kernel, isNormal ? normal : 0) + [wait(), .note("goes on")])
    try world.routine(
      "main",
      [event(), .thread(waiter), .sleep, insert(), .sleep, .call("KeSetEvent", at(Self.event), 0, 0), .sleep])
    let result = try world.run()
    #expect(
      result.log == ["main: KeInsertQueueApc = 1", "kernel: comes = 0 @1"] + (isNormal ? ["normal: comes = 0"] : []) + [
        "main: KeSetEvent = 0", "waiter: KeWaitForSingleObject = 0", "waiter: goes on = 0",
      ])
    // In the waiter's own thread.
    let threads = Dictionary(grouping: result.entries, by: { $0.label.prefix { $0 != ":" } }).mapValues { Set($0.map(\.thread)) }
    #expect(threads["kernel"] == threads["waiter"] && threads["kernel"] != threads["main"])
  }

  @Test("a wait that an APC has interrupted ends when it would have ended without")
  func timeout() throws {
    var (world, kernel, _) = try world()
    // Three seconds.
    world.words[0x80] = 0xfe36_3c80
    world.words[0x84] = 0xffff_ffff
    let waiter = try world.routine(
      "waiter", arguments: 1, initialize(kernel) + [.call("KeWaitForSingleObject", at(Self.event), 0, 0, 0, at(0x80))])
    try world.routine(
      "main", [event(), .thread(waiter), .sleep, insert(), .sleep, .note("two seconds"), .sleep, .sleep, .note("four seconds")])
    #expect(
      try world.run().log == [
        "main: KeInsertQueueApc = 1", "kernel: comes = 0 @1", "main: two seconds = 0", "waiter: KeWaitForSingleObject = 102",
        "main: four seconds = 0",
      ])
  }

  @Test("what an APC signals ends the wait that it interrupts")
  func signals() throws {
    var (world, kernel, _) = try world([.call("KeSetEvent", at(Self.event), 0, 0)])
    let waiter = try world.routine("waiter", arguments: 1, initialize(kernel) + [wait()])
    try world.routine("main", [event(), .thread(waiter), .sleep, insert(), .sleep])
    #expect(
      try world.run().log == ["main: KeInsertQueueApc = 1", "kernel: KeSetEvent = 0 @1", "waiter: KeWaitForSingleObject = 0"])
  }

  @Test("an APC comes within a delay, a fast mutex's wait for another thread, and a resource's")
  func otherWaits() throws {
    var (world, kernel, _) = try world()
    let (mutex, resource): (UInt32, UInt32) = (0x200, 0x240)
    world.words[mutex] = 1
    world.words[mutex + 0xc] = 0x0004_0001
    world.words[mutex + 0x14] = at(mutex + 0x14)
    world.words[mutex + 0x18] = at(mutex + 0x14)
    let waiter = try world.routine(
      "waiter", arguments: 1,
      initialize(kernel) + [.sleep, .quiet("ExAcquireFastMutexUnsafe", at(mutex)), .quiet("ExReleaseFastMutexUnsafe", at(mutex))] + [
        .quiet("KeEnterCriticalRegion"), .call("ExAcquireResourceExclusiveLite", at(resource), 1),
        .quiet("ExReleaseResourceLite", at(resource)), .quiet("KeLeaveCriticalRegion"), .note("done"),
      ])
    try world.routine(
      "main",
      [
        .quiet("ExInitializeResourceLite", at(resource)), .quiet("ExAcquireFastMutexUnsafe", at(mutex)),
        .quiet("KeEnterCriticalRegion"), .call("ExAcquireResourceExclusiveLite", at(resource), 1), .thread(waiter),
        .quiet("KeDelayExecutionThread", 0, 0, at(0x90)), insert(), .sleep, .sleep, insert(), .sleep,
        .quiet("ExReleaseFastMutexUnsafe", at(mutex)), .sleep, insert(), .sleep, .quiet("ExReleaseResourceLite", at(resource)),
        .quiet("KeLeaveCriticalRegion"), .sleep,
      ])
    // A millisecond.
    world.words[0x90] = 0xffff_d8f0
    world.words[0x94] = 0xffff_ffff
    let result = try world.run()
    #expect(result.log.filter { $0.hasPrefix("kernel") }.count == 3)
    #expect(result.log.suffix(2) == ["waiter: ExAcquireResourceExclusiveLite = 1", "waiter: done = 0"])
  }

  // MARK: Alerts and user APCs

  @Test("an alert ends an alertable wait, or the next one; another wait it does not end")
  func alerts() throws {
    var world = GuestThreads.world()
    let waiter = try world.routine(
      "waiter", arguments: 1,
      [
        .storeThread(0x90), wait(isAlertable: true), .call("KeTestAlertThread", 0), .sleep, wait(isAlertable: true), wait(),
        .call("KeTestAlertThread", 0),
      ])
    try world.routine(
      "main",
      [
        event(), .thread(waiter), .sleep, .invokeOn(0x90, "KeAlertThread", [0]), .quiet("KeDelayExecutionThread", 0, 0, at(0xa0)),
        .invokeOn(0x90, "KeAlertThread", [0]), .invokeOn(0x90, "KeAlertThread", [0]), .sleep, .sleep,
        .invokeOn(0x90, "KeAlertThread", [0]), .call("KeSetEvent", at(Self.event), 0, 0), .sleep,
      ])
    world.words[0xa0] = 0xffff_d8f0
    world.words[0xa4] = 0xffff_ffff
    #expect(
      try world.run().log == [
        "main: KeAlertThread = 0", "waiter: KeWaitForSingleObject = 101", "waiter: KeTestAlertThread = 0", "main: KeAlertThread = 0",
        "main: KeAlertThread = 1", "waiter: KeWaitForSingleObject = 101", "main: KeAlertThread = 0", "main: KeSetEvent = 0",
        "waiter: KeWaitForSingleObject = 0", "waiter: KeTestAlertThread = 1",
      ])
  }

  @Test("a user APC ends an alertable wait in user mode with STATUS_USER_APC, and no other")
  func userAPC() throws {
    var (world, kernel, normal) = try world()
    let rundown = try world.routine("rundown", arguments: 1, [.note("comes")])
    let waiter = try world.routine(
      "waiter", arguments: 1,
      initialize(kernel, normal, mode: 1, rundown: rundown) + [
        wait(mode: 0, isAlertable: true), wait(mode: 1, isAlertable: true),
      ])
    try world.routine(
      "main",
      [
        event(), .thread(waiter), .sleep, insert(), .sleep, .note("not yet"), .call("KeSetEvent", at(Self.event), 0, 0),
        .quiet("KeResetEvent", at(Self.event)), .sleep,
      ])
    #expect(
      try world.run().log == [
        "main: KeInsertQueueApc = 1", "main: not yet = 0", "main: KeSetEvent = 0", "waiter: KeWaitForSingleObject = 0",
        "waiter: KeWaitForSingleObject = c0", "rundown: comes = 0",
      ])
  }

  // MARK: Attaching

  @Test("an APC for the original process waits while the thread is attached to another, and comes when it detaches")
  func attached() throws {
    var (world, kernel, _) = try world()
    let attached = try world.routine("attached", arguments: 5, [.note("comes")])
    try world.routine(
      "main",
      initialize(kernel) + initialize(attached, at: Self.second, environment: 1) + [
        .quiet("PsLookupProcessByProcessId", 1232, at(0x90)), .invokeOn(0x90, "KeStackAttachProcess", [at(Self.state)]), insert(),
        insert(Self.second), .quiet("KeUnstackDetachProcess", at(Self.state)), .note("detached"),
      ])
    #expect(
      try world.run().log.filter { !$0.contains("KeStackAttach") } == [
        "main: KeInsertQueueApc = 1", "attached: comes = 0 @1", "main: KeInsertQueueApc = 1", "kernel: comes = 0 @1", "main: detached = 0",
      ])
  }

  @Test("an APC that comes back in another process is INVALID_PROCESS_ATTACH_ATTEMPT")
  func comesBackAttached() throws {
    var world = GuestThreads.world()
    let kernel = try world.routine("kernel", arguments: 5, [.invokeOn(0x90, "KeStackAttachProcess", [at(Self.state)])])
    try world.routine("main", initialize(kernel) + [.quiet("PsLookupProcessByProcessId", 1232, at(0x90)), insert()])
    #expect(try world.run().bugCheck?.code == .invalidProcessAttachAttempt)
  }

  @Test("a thread that ends with an APC it lets not come is KERNEL_APC_PENDING_DURING_EXIT")
  func exit() throws {
    var (world, kernel, normal) = try world()
    let ending = try world.routine(
      "ending", arguments: 1, initialize(kernel, normal) + [.quiet("KeEnterGuardedRegion"), insert()])
    try world.routine("main", [.thread(ending), .sleep])
    let check = try world.run().bugCheck
    #expect(check?.code == .kernelAPCPendingDuringExit && check?.parameters[1] == 0xffff_0000)
  }

  @Test("a thread in user mode takes a kernel APC between the run's calls")
  func atRest() throws {
    var (world, kernel, normal) = try world()
    try world.routine("prepare", initialize(kernel, normal))
    try world.routine("main", [insert(), .note("ends")])
    world.steps = [
      .call(Fixture.Call(on: "client", "prepare", expect: .any)), .call(Fixture.Call(on: "main", "main", expect: .any)),
      .call(Fixture.Call(on: "main", "prepare", expect: .any)),
    ]
    let result = try world.run()
    #expect(result.log == ["main: KeInsertQueueApc = 1", "main: ends = 0", "kernel: comes = 0 @1", "normal: comes = 0"])
    #expect(
      result.run.events.events.contains {
        if case .apc(let apc) = $0 { result.run.names.processes[apc.process].name == "notepad.exe" } else { false }
      })
  }

  @Test("one that comes to a thread in user mode leaves it at PASSIVE_LEVEL, wherever the thread waited last") func atRestAfterWait() throws
  {
    var (world, kernel, _) = try world()
    try world.routine("prepare", initialize(kernel) + [.quiet("KfRaiseIrql", 1), .sleep, .quiet("KfLowerIrql", 0)])
    try world.routine("main", [insert()])
    try world.routine("after", [.note("goes on")])
    world.steps = [("client", "prepare"), ("main", "main"), ("client", "after")].map {
      .call(Fixture.Call(on: $0.0, $0.1, expect: .any))
    }
    #expect(try world.run().log == ["main: KeInsertQueueApc = 1", "kernel: comes = 0 @1", "after: goes on = 0"])
  }

  // MARK: Requests

  /// A volume whose reads end at DISPATCH_LEVEL in whatever process is there, and a thread of System that reads from it.
  private func read(_ actions: (_ read: Action) -> [Action]) throws -> GuestThreads.Result {
    var world = GuestThreads.world()
    let path = #"\??\C:\data.txt"#
    // UNICODE_STRING, OBJECT_ATTRIBUTES, and the name.
    let units = Array(path.utf16)
    world.words[0x400] = UInt32(2 * units.count) | UInt32(2 * units.count) << 16
    world.words[0x404] = at(0x440)
    for index in stride(from: 0, to: units.count, by: 2) {
      world.words[0x440 + 2 * UInt32(index)] = UInt32(units[index]) | (index + 1 < units.count ? UInt32(units[index + 1]) << 16 : 0)
    }
    world.words[0x410] = 0x18
    world.words[0x418] = at(0x400)
    world.words[0x41c] = 0x240
    var volume = VolumeDescription(
      device: #"\Device\HarddiskVolume1"#, drive: "C:", files: [FileDescription(#"\data.txt"#, content: Array("what".utf8) + [0, 0, 0, 0])])
    volume.completion = .atDispatch
    world.volumes = [Fixture.Volume(volume)]
    // FILE_READ_DATA | SYNCHRONIZE; FILE_SYNCHRONOUS_IO_NONALERT
    let open = Action.quiet("ZwOpenFile", at(0x500), 0x10_0001, at(0x410), at(0x508), 7, 0x20)
    try world.routine(
      "main", [open] + actions(.invokeOn(0x500, "ZwReadFile", [0, 0, 0, at(0x508), at(0x600), 8, 0, 0])))
    return try world.run()
  }

  @Test("a request that is completed in another context ends by IopCompleteRequest in the thread that asked, within its wait")
  func completion() throws {
    let result = try read { [$0, .note("goes on")] }
    #expect(result.log == ["main: ZwReadFile = 0", "main: goes on = 0"])
    // The status block and the data.
    #expect(try result.word(0x508) == 0 && result.word(0x50c) == 8 && result.word(0x600) == 0x7461_6877)
    let events = result.run.events.events.compactMap { event -> APCEvent? in if case .apc(let apc) = event { apc } else { nil } }
    #expect(events.map(\.kind) == [.special] && result.run.names.threads[events[0].thread].name == "main")
  }

  @Test("in a guarded region or at APC_LEVEL a request never ends, and the report says why", arguments: [false, true])
  func completionKeptAway(isRaised: Bool) throws {
    let result = try read { [isRaised ? .quiet("KfRaiseIrql", 1) : .quiet("KeEnterGuardedRegion"), $0, .note("goes on")] }
    #expect(result.log.isEmpty && result.run.outcome == .waiting)
    let waits = result.run.events.events.compactMap { event -> String? in if case .waits(_, let what) = event { what } else { nil } }
    #expect(waits.contains { $0.contains(isRaised ? "at APC_LEVEL" : "in a guarded region") && $0.contains("APC") })
  }
}
