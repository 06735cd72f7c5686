import Emulation
import Events
import Guest
import NTKernel
import Testing
import WindowsTypes

private typealias Action = GuestThreads.Action
private func at(_ offset: UInt32) -> UInt32 { GuestThreads.at(offset) }

@Suite("Waits: events, semaphores, mutexes") struct WaitTests {
  // Where the objects lie in the data page.
  static let first: UInt32 = 0x100
  static let second: UInt32 = 0x140
  static let third: UInt32 = 0x180
  static let fourth: UInt32 = 0x1c0
  static let list: UInt32 = 0x200
  static let blocks: UInt32 = 0x300
  static let interval: UInt32 = 0xff8

  private func wait(_ offset: UInt32) -> Action { .call("KeWaitForSingleObject", at(offset), 0, 0, 0, 0) }
  private func poll(_ offset: UInt32) -> Action { .call("KeWaitForSingleObject", at(offset), 0, 0, 0, at(0x80)) }
  private func event(_ offset: UInt32, synchronization: Bool, set: Bool = false) -> Action {
    .quiet("KeInitializeEvent", at(offset), synchronization ? 1 : 0, set ? 1 : 0)
  }

  // MARK: Events

  @Test("KeResetEvent tells the state it takes away, KeClearEvent does not")
  func reset() throws {
    var world = GuestThreads.world()
    try world.routine(
      "main",
      [
        event(Self.first, synchronization: false, set: true), .read("SignalState", 0x104, size: 4), .call("KeResetEvent", at(Self.first)),
        .call("KeResetEvent", at(Self.first)), .call("KeSetEvent", at(Self.first), 0, 0), .call("KeSetEvent", at(Self.first), 0, 0),
        .call("KeClearEvent", at(Self.first)), .call("KeReadStateEvent", at(Self.first)), poll(Self.first),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: SignalState = 1", "main: KeResetEvent = 1", "main: KeResetEvent = 0", "main: KeSetEvent = 0", "main: KeSetEvent = 1",
        "main: KeClearEvent = 0", "main: KeReadStateEvent = 0", "main: KeWaitForSingleObject = 102",
      ])
    // NotificationEvent, four words long.
    #expect(try result.byte(0x100) == 0 && result.byte(0x102) == 4 && result.word(0x104) == 0)
  }

  @Test("a pulse wakes those who wait, all of them or one, and nobody who comes later", arguments: [false, true])
  func pulse(isSynchronization: Bool) throws {
    var world = GuestThreads.world()
    let waiter = try world.routine("waiter", arguments: 1, [wait(Self.first)])
    try world.routine(
      "main",
      [
        event(Self.first, synchronization: isSynchronization), .call("KePulseEvent", at(Self.first), 0, 0), .thread(waiter),
        .thread(waiter),
        .sleep, .call("KePulseEvent", at(Self.first), 0, 0), .call("KeReadStateEvent", at(Self.first)), .sleep, poll(Self.first),
      ])
    let result = try world.run()
    let woken = Array(repeating: "waiter: KeWaitForSingleObject = 0", count: isSynchronization ? 1 : 2)
    #expect(
      result.log == ["main: KePulseEvent = 0", "main: KePulseEvent = 0", "main: KeReadStateEvent = 0"] + woken + [
        "main: KeWaitForSingleObject = 102"
      ])
    // Whoever still waits hangs on the object's list.
    #expect(try (result.word(0x108) == at(0x108)) == !isSynchronization)
  }

  // MARK: Several objects

  @Test("a wait for any object says which; the first that is signaled is taken, the others are not")
  func waitAny() throws {
    var world = GuestThreads.world()
    for (index, object) in [Self.first, Self.second, Self.third].enumerated() {
      world.words[Self.list + 4 * UInt32(index)] = at(object)
    }
    let any = Action.call("KeWaitForMultipleObjects", 3, at(Self.list), 1, 0, 0, 0, 0, 0)
    let setter = try world.routine("setter", arguments: 1, [.call("KeSetEvent", at(Self.third), 0, 0)])
    try world.routine(
      "main",
      [
        event(Self.first, synchronization: true), event(Self.second, synchronization: true, set: true),
        event(Self.third, synchronization: true, set: true), any, .read("second", 0x144, size: 4), .read("third", 0x184, size: 4), any,
        .thread(setter), any, .read("third", 0x184, size: 4),
        .call("KeWaitForMultipleObjects", 3, at(Self.list), 1, 0, 0, 0, at(Self.interval), 0),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: KeWaitForMultipleObjects = 1", "main: second = 0", "main: third = 1", "main: KeWaitForMultipleObjects = 2",
        "setter: KeSetEvent = 0", "main: KeWaitForMultipleObjects = 2", "main: third = 0", "main: KeWaitForMultipleObjects = 102",
      ])
    #expect(result.run.outcome == .returned(0))
    // No wait block is left on any object.
    for object in [Self.first, Self.second, Self.third] { #expect(try result.word(object + 8) == at(object + 8)) }
  }

  @Test("a wait for all objects takes none before it can take every one")
  func waitAll() throws {
    var world = GuestThreads.world()
    world.words[Self.list] = at(Self.first)
    world.words[Self.list + 4] = at(Self.second)
    let waiter = try world.routine("waiter", arguments: 1, [.call("KeWaitForMultipleObjects", 2, at(Self.list), 0, 0, 0, 0, 0, 0)])
    try world.routine(
      "main",
      [
        event(Self.first, synchronization: true), event(Self.second, synchronization: true), .thread(waiter), .sleep,
        .call("KeSetEvent", at(Self.first), 0, 0), .sleep, .call("KeReadStateEvent", at(Self.first)),
        .call("KeSetEvent", at(Self.second), 0, 0), .call("KeReadStateEvent", at(Self.first)), .sleep,
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: KeSetEvent = 0", "main: KeReadStateEvent = 1", "main: KeSetEvent = 0", "main: KeReadStateEvent = 0",
        "waiter: KeWaitForMultipleObjects = 0",
      ])
  }

  @Test("four objects need wait blocks of the caller's: without them bugcheck 0xC, with them they are what hangs on the objects")
  func waitBlocks() throws {
    func world(_ blocks: UInt32) throws -> GuestThreads.Result {
      var world = GuestThreads.world()
      let objects = [Self.first, Self.second, Self.third, Self.fourth]
      for (index, object) in objects.enumerated() { world.words[Self.list + 4 * UInt32(index)] = at(object) }
      try world.routine(
        "main",
        objects.map { event($0, synchronization: false) } + [
          .call("KeWaitForMultipleObjects", 4, at(Self.list), 1, 0, 0, 0, 0, blocks)
        ])
      return try world.run()
    }
    #expect(try world(0).bugCheck?.code.rawValue == 0xc)
    let waits = try world(at(Self.blocks))
    #expect(waits.run.outcome == .waiting)
    // The fourth block: on the fourth object's list, which leads back to the first block; its key is its index, WaitAny is 1.
    let block = Self.blocks + 3 * 0x18
    #expect(try waits.word(Self.fourth + 8) == at(block) && waits.word(block) == at(Self.fourth + 8))
    #expect(try waits.word(block + 0xc) == at(Self.fourth) && waits.word(block + 0x10) == at(Self.blocks))
    #expect(try waits.half(block + 0x14) == 3 && waits.half(block + 0x16) == 1)
    #expect(try waits.word(block + 8) == UInt32(waits.run.names.threads[0].object))
  }

  @Test("more than 64 objects are bugcheck 0xC whatever the caller brings")
  func tooMany() throws {
    var world = GuestThreads.world()
    try world.routine("main", [.call("KeWaitForMultipleObjects", 65, at(Self.list), 1, 0, 0, 0, 0, at(Self.blocks))])
    #expect(try world.run().bugCheck?.code.rawValue == 0xc)
  }

  // MARK: Semaphores

  @Test("a semaphore lets in as many as its count says, and a release that many more")
  func semaphore() throws {
    var world = GuestThreads.world()
    let waiter = try world.routine("waiter", arguments: 1, [wait(Self.first)])
    try world.routine(
      "main",
      [
        .call("KeInitializeSemaphore", at(Self.first), 1, 3), .call("KeReadStateSemaphore", at(Self.first)), wait(Self.first),
        poll(Self.first), .thread(waiter), .thread(waiter), .thread(waiter), .sleep,
        .call("KeReleaseSemaphore", at(Self.first), 0, 2, 0), .call("KeReadStateSemaphore", at(Self.first)), .sleep,
        .call("KeReleaseSemaphore", at(Self.first), 0, 3, 0), .call("KeReadStateSemaphore", at(Self.first)),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: KeInitializeSemaphore = 0", "main: KeReadStateSemaphore = 1", "main: KeWaitForSingleObject = 0",
        "main: KeWaitForSingleObject = 102", "main: KeReleaseSemaphore = 0", "main: KeReadStateSemaphore = 0",
        "waiter: KeWaitForSingleObject = 0", "waiter: KeWaitForSingleObject = 0", "main: KeReleaseSemaphore = 0",
        "main: KeReadStateSemaphore = 2",
      ])
    // SemaphoreObject, five words long, with its limit behind the header.
    #expect(try result.byte(0x100) == 5 && result.byte(0x102) == 5 && result.word(0x104) == 2 && result.word(0x110) == 3)
  }

  @Test("a release beyond the limit, or of a negative number, raises and changes nothing", arguments: [2, 0xffff_ffff] as [UInt64])
  func semaphoreLimit(adjustment: UInt64) throws {
    var world = GuestThreads.world()
    let place = Fixture.Argument.integer(GuestThreads.data + 0x100)
    func step(_ routine: Fixture.Place, _ arguments: Fixture.Arguments, _ expect: Fixture.CallExpectation) -> Fixture.Step {
      .call(Fixture.Call(on: "main", routine, with: arguments, expect: expect))
    }
    world.steps = [
      step("nt!KeInitializeSemaphore", [place, 2, 3], .any),
      step("nt!KeReleaseSemaphore", [place, 0, 1, 0], .returns(2)),
      step("nt!KeReleaseSemaphore", [place, 0, .integer(adjustment), 0], .raises(0xc000_0047)),
      step("nt!KeReadStateSemaphore", [place], .returns(3)),
    ]
    #expect(try world.run().run.mismatches.map(\.sentence) == [])
  }

  // MARK: Mutexes

  @Test("KeWaitForMutexObject waits for the owner, who blocks his APCs while he has the mutex")
  func mutex() throws {
    var world = GuestThreads.world()
    func take(_ timeout: UInt32 = 0) -> Action { .call("KeWaitForMutexObject", at(Self.first), 0, 0, 0, timeout) }
    let other = try world.routine(
      "other", arguments: 1, [take(at(0x80)), take(), .call("KeReleaseMutex", at(Self.first), 0)])
    try world.routine(
      "main",
      [
        .quiet("KeInitializeMutex", at(Self.first), 0), take(), take(), .read("SignalState", 0x104, size: 4), .thread(other), .sleep,
        .call("KeReleaseMutex", at(Self.first), 0), .call("KeReleaseMutex", at(Self.first), 0), .note("released"), .sleep,
        .call("KeReadStateMutex", at(Self.first)),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: KeWaitForMutexObject = 0", "main: KeWaitForMutexObject = 0", "main: SignalState = ffffffff",
        "other: KeWaitForMutexObject = 102", "main: KeReleaseMutex = ffffffff", "main: KeReleaseMutex = 0", "main: released = 0",
        "other: KeWaitForMutexObject = 0", "other: KeReleaseMutex = 0", "main: KeReadStateMutex = 1",
      ])
    #expect(try result.word(0x118) == 0)
    // KTHREAD.KernelApcDisable.
    #expect(try result.run.withMemory { try $0.load(UInt32.self, at: result.run.names.threads[0].object + 0xd4) } == 0)
  }
}

@Suite("Timers and deferred calls") struct TimerTests {
  static let timer: UInt32 = 0x100
  static let dpc: UInt32 = 0x140
  static let other: UInt32 = 0x180
  static let flag: UInt32 = 0x1c0
  /// -5,000,000: half a second from now.
  static let half: [UInt32] = [0xffb3_b4c0, 0xffff_ffff]
  private func wait(_ offset: UInt32) -> Action { .call("KeWaitForSingleObject", at(offset), 0, 0, 0, 0) }

  @Test("a synchronization timer is taken by one waiter, a notification timer stays", arguments: [0, 1] as [UInt32])
  func kinds(type: UInt32) throws {
    var world = GuestThreads.world()
    try world.routine(
      "main",
      [
        .quiet("KeInitializeTimerEx", at(Self.timer), type), .call("KeSetTimer", at(Self.timer), Self.half[0], Self.half[1], 0),
        .read("Inserted", 0x103, size: 1), .call("KeReadStateTimer", at(Self.timer)), wait(Self.timer),
        .call("KeReadStateTimer", at(Self.timer)), .read("Inserted", 0x103, size: 1),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: KeSetTimer = 0", "main: Inserted = 1", "main: KeReadStateTimer = 0", "main: KeWaitForSingleObject = 0",
        "main: KeReadStateTimer = \(1 - type)", "main: Inserted = 0",
      ])
    // TimerNotificationObject is 8, TimerSynchronizationObject 9.
    #expect(try result.byte(0x100) == 8 + UInt8(type))
  }

  @Test("a periodic timer comes again until it is cancelled")
  func periodic() throws {
    var world = GuestThreads.world()
    // Every 400 ms from half a second on: at 500 and 900 ms within the first second, then at 1300.
    try world.routine(
      "main",
      [
        .quiet("KeInitializeTimerEx", at(Self.timer), 1),
        .call("KeSetTimerEx", at(Self.timer), Self.half[0], Self.half[1], 400, 0), .read("Period", 0x124, size: 4), wait(Self.timer),
        wait(Self.timer), wait(Self.timer), .call("KeCancelTimer", at(Self.timer)), .call("KeCancelTimer", at(Self.timer)), .sleep,
        .call("KeReadStateTimer", at(Self.timer)),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: KeSetTimerEx = 0", "main: Period = 190", "main: KeWaitForSingleObject = 0", "main: KeWaitForSingleObject = 0",
        "main: KeWaitForSingleObject = 0", "main: KeCancelTimer = 1", "main: KeCancelTimer = 0", "main: KeReadStateTimer = 0",
      ])
  }

  @Test("a cancelled timer never fires, one that is set again fires at its new time, and one with a past time fires at once")
  func cancelled() throws {
    var world = GuestThreads.world()
    let deferred = try world.routine("deferred", arguments: 4, [.note("runs")])
    func set(_ low: UInt32, _ high: UInt32) -> Action { .call("KeSetTimer", at(Self.timer), low, high, at(Self.dpc)) }
    try world.routine(
      "main",
      [
        .quiet("KeInitializeTimer", at(Self.timer)), .quiet("KeInitializeDpc", at(Self.dpc), deferred, 0),
        set(Self.half[0], Self.half[1]), .call("KeCancelTimer", at(Self.timer)), .sleep, .note("slept"),
        // Two seconds, then half a one instead.
        set(0xfece_d300, 0xffff_ffff), set(Self.half[0], Self.half[1]), .sleep, .note("slept"), .sleep, .sleep,
        set(1, 0), .call("KeReadStateTimer", at(Self.timer)),
      ])
    #expect(
      try world.run().log == [
        "main: KeSetTimer = 0", "main: KeCancelTimer = 1", "main: slept = 0", "main: KeSetTimer = 0", "main: KeSetTimer = 1",
        "deferred: runs = 0 @2", "main: slept = 0", "deferred: runs = 0 @2", "main: KeSetTimer = 0", "main: KeReadStateTimer = 1",
      ])
  }

  @Test("a deferred call of a timer wakes a thread although nobody runs")
  func wakesFromIdle() throws {
    var world = GuestThreads.world()
    let deferred = try world.routine("deferred", arguments: 4, [.call("KeSetEvent", at(Self.flag), 0, 0)])
    try world.routine(
      "main",
      [
        .quiet("KeInitializeTimer", at(Self.timer)), .quiet("KeInitializeDpc", at(Self.dpc), deferred, 0),
        .quiet("KeInitializeEvent", at(Self.flag), 1, 0),
        .quiet("KeSetTimer", at(Self.timer), Self.half[0], Self.half[1], at(Self.dpc)), wait(Self.flag),
      ])
    let result = try world.run()
    #expect(result.log == ["deferred: KeSetEvent = 0 @2", "main: KeWaitForSingleObject = 0"])
    // The deferred call gets the time at which it was queued: half a second and a little after boot.
    let time = try UInt64(result.word(Self.dpc + 0x14)) | UInt64(result.word(Self.dpc + 0x18)) << 32
    #expect((128_831_040_005_000_000..<128_831_040_005_001_000).contains(time))
  }

  @Test("a periodic timer that nobody waits for does not keep the run alive", .timeLimit(.minutes(1)))
  func periodicAlone() throws {
    var world = GuestThreads.world()
    try world.routine(
      "main",
      [
        .quiet("KeInitializeTimer", at(Self.timer)), .quiet("KeSetTimerEx", at(Self.timer), Self.half[0], Self.half[1], 1, 0),
        .quiet("KeInitializeEvent", at(Self.flag), 1, 0), wait(Self.flag),
      ])
    #expect(try world.run().run.outcome == .waiting)
  }

  @Test("deferred calls wait while the IRQL is DISPATCH_LEVEL: one of high importance goes first, one that is removed never runs")
  func importance() throws {
    var world = GuestThreads.world()
    let low = try world.routine("low", arguments: 4, [.note("runs")])
    let high = try world.routine("high", arguments: 4, [.note("runs")])
    let gone = try world.routine("gone", arguments: 4, [.note("runs")])
    try world.routine(
      "main",
      [
        .quiet("KeInitializeDpc", at(Self.timer), gone, 0), .quiet("KeInitializeDpc", at(Self.dpc), low, 0),
        .quiet("KeInitializeDpc", at(Self.other), high, 0x77), .quiet("KeSetImportanceDpc", at(Self.dpc), 0),
        .call("KeSetImportanceDpc", at(Self.other), 2), .call("KeSetTargetProcessorDpc", at(Self.other), 0),
        .call("KeRaiseIrqlToDpcLevel"), .call("KeInsertQueueDpc", at(Self.timer), 0, 0), .call("KeInsertQueueDpc", at(Self.dpc), 0, 0),
        .call("KeInsertQueueDpc", at(Self.other), 0x11, 0x22), .call("KeInsertQueueDpc", at(Self.other), 0x33, 0x44),
        .call("KeRemoveQueueDpc", at(Self.timer)), .call("KeRemoveQueueDpc", at(Self.timer)), .call("KfLowerIrql", 0),
        .call("KeRemoveQueueDpc", at(Self.dpc)), .call("KeFlushQueuedDpcs"),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: KeSetImportanceDpc = 0", "main: KeSetTargetProcessorDpc = 0", "main: KeRaiseIrqlToDpcLevel = 0 @2",
        "main: KeInsertQueueDpc = 1 @2", "main: KeInsertQueueDpc = 1 @2", "main: KeInsertQueueDpc = 1 @2",
        "main: KeInsertQueueDpc = 0 @2", "main: KeRemoveQueueDpc = 1 @2", "main: KeRemoveQueueDpc = 0 @2", "high: runs = 0 @2",
        "low: runs = 0 @2", "main: KfLowerIrql = 0", "main: KeRemoveQueueDpc = 0", "main: KeFlushQueuedDpcs = 0",
      ])
    // Type, Number, Importance; the context and the arguments of the call that queued it.
    #expect(try result.half(0x180) == 0x13 && result.byte(0x182) == 32 && result.byte(0x183) == 2 && result.byte(0x143) == 0)
    #expect(try [0x190, 0x194, 0x198].map { try result.word($0) } == [0x77, 0x11, 0x22])
  }

  @Test("KeRemoveQueueDpc keeps the processor's count of queued calls")
  func queueDepth() throws {
    var world = GuestThreads.world()
    let deferred = try world.routine("deferred", arguments: 4, [])
    try world.routine(
      "main",
      [
        .quiet("KeInitializeDpc", at(Self.dpc), deferred, 0), .quiet("KeRaiseIrqlToDpcLevel"),
        .quiet("KeInsertQueueDpc", at(Self.dpc), 0, 0), .call("KeRemoveQueueDpc", at(Self.dpc)), .quiet("KfLowerIrql", 0),
      ])
    let result = try world.run()
    // KPCR.PrcbData.DpcQueueDepth.
    let prcb = KPCR.layouts[.windowsXP_x86].PrcbData.offset + KPRCB.layouts[.windowsXP_x86].DpcQueueDepth.offset
    #expect(try result.run.withMemory { try $0.load(UInt32.self, at: 0xffdf_f000 + UInt64(prcb)) } == 0)
  }
}

@Suite("System threads and workers") struct ThreadTests {
  @Test("PsTerminateSystemThread does not come back; of another thread it is refused")
  func terminate() throws {
    var world = GuestThreads.world()
    let doomed = try world.routine(
      "doomed", arguments: 1, [.note("lives"), .call("PsTerminateSystemThread", 0xc000_0001), .note("lives on")])
    try world.routine("main", [.thread(doomed), .sleep, .note("awake")])
    try world.routine("asks", [.call("PsTerminateSystemThread", 0)])
    world.steps = [
      .call(Fixture.Call(on: "main", "main", expect: .any)), .call(Fixture.Call(on: "client", "asks", expect: .any)),
    ]
    let result = try world.run()
    #expect(
      result.log == [
        "doomed: lives = 0", "main: awake = 0", "asks: PsTerminateSystemThread = c000000d",
      ])
    // Its object is signaled: whoever waits for the thread goes on. Its state is Terminated, its status what it gave.
    let thread = UInt64(result.entries[0].thread)
    let layout = ETHREAD.layouts[.windowsXP_x86]
    let state = thread + UInt64(KTHREAD.layouts[.windowsXP_x86].State.offset)
    #expect(try result.run.withMemory { try $0.load(UInt32.self, at: thread + 4) } == 1)
    #expect(try result.run.withMemory { try $0.load(UInt32.self, at: thread + UInt64(layout.ExitStatus.offset)) } == 0xc000_0001)
    #expect(try result.run.withMemory { try $0.load(UInt8.self, at: state) } == 4)
  }

  @Test("a thread that ends with its APCs disabled is bugcheck 0x20")
  func endsInCriticalRegion() throws {
    var world = GuestThreads.world()
    let doomed = try world.routine("doomed", arguments: 1, [.quiet("KeEnterCriticalRegion")])
    try world.routine("main", [.thread(doomed), .sleep])
    let check = try #require(try world.run().bugCheck)
    #expect(check.code.rawValue == 0x20)
    #expect(check.parameters[1] == 0xffff_ffff)
  }

  @Test("KeSetPriorityThread says what the priority was, and keeps it from 1 to 31")
  func priorities() throws {
    var world = GuestThreads.world()
    let normal = try world.routine("normal", arguments: 1, [.note("runs")])
    try world.routine("start", [.thread(normal), .thread(normal), .sleep, .note("slept")])
    let main = Fixture.Argument.thread("main")
    func step(_ routine: Fixture.Place, _ arguments: Fixture.Arguments, _ expect: Fixture.CallExpectation) -> Fixture.Step {
      .call(Fixture.Call(on: "main", routine, with: arguments, expect: expect))
    }
    world.steps = [
      step("nt!KeQueryPriorityThread", [main], .returns(8)),
      step("nt!KeSetPriorityThread", [main, 16], .returns(8)),
      step("nt!KeQueryPriorityThread", [main], .returns(16)),
      // There are 32 priorities, and the lowest is not for threads.
      step("nt!KeSetPriorityThread", [main, 0], .returns(16)),
      step("nt!KeSetPriorityThread", [main, 99], .returns(1)),
      step("nt!KeSetPriorityThread", [main, 8], .returns(31)),
      step("start", [], .any),
    ]
    let result = try world.run()
    #expect(result.run.mismatches.map(\.sentence) == [])
    #expect(result.log == ["normal: runs = 0", "normal: runs = 0", "start: slept = 0"])
  }

  // MARK: Work items

  /// A WORK_QUEUE_ITEM: a list entry, the routine, its parameter.
  private func item(_ world: inout GuestThreads, _ offset: UInt32, _ routine: UInt32, _ parameter: UInt32 = 0) -> UInt32 {
    world.words[offset + 8] = routine
    world.words[offset + 0xc] = parameter
    return at(offset)
  }

  @Test("a work item runs on a worker at PASSIVE_LEVEL, in System, whoever queued it at whatever level")
  func workItem() throws {
    var world = GuestThreads.world()
    let work = try world.routine("work", arguments: 1, [.note("runs"), .call("PsGetCurrentProcessId")])
    let delayed = item(&world, 0x100, work)
    let again = item(&world, 0x120, work)
    try world.routine(
      "main",
      [
        .call("KeRaiseIrqlToDpcLevel"), .quiet("ExQueueWorkItem", delayed, 1), .note("queued"), .quiet("KfLowerIrql", 0), .sleep,
        .quiet("ExQueueWorkItem", again, 1), .sleep, .note("done"),
      ])
    world.steps = [.call(Fixture.Call(on: "client", "main", expect: .any))]
    let result = try world.run()
    #expect(
      result.log == [
        "main: KeRaiseIrqlToDpcLevel = 0 @2", "main: queued = 0 @2", "work: runs = 0", "work: PsGetCurrentProcessId = 4",
        "work: runs = 0", "work: PsGetCurrentProcessId = 4", "main: done = 0",
      ])
    let threads = result.entries.map(\.thread)
    #expect(threads[2] == threads[4] && threads[2] != threads[0])
  }

  @Test("a thread of higher priority takes the processor as soon as it is ready, or as soon as the IRQL allows it")
  func preemption() throws {
    var world = GuestThreads.world()
    let work = try world.routine("work", arguments: 1, [.note("runs"), .call("KeWaitForSingleObject", at(0x140), 0, 0, 0, 0)])
    let queued = item(&world, 0x100, work)
    try world.routine(
      "main",
      [
        .quiet("KeInitializeEvent", at(0x140), 1, 0), .call("ExQueueWorkItem", queued, 1), .call("KeRaiseIrqlToDpcLevel"),
        .call("KeSetEvent", at(0x140), 0, 0), .call("KfLowerIrql", 0),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "work: runs = 0", "main: ExQueueWorkItem = 0", "main: KeRaiseIrqlToDpcLevel = 0 @2", "main: KeSetEvent = 0 @2",
        "work: KeWaitForSingleObject = 0", "main: KfLowerIrql = 0",
      ])
  }

  @Test("each queue has a worker, of its own priority: the critical one comes before the delayed one")
  func workQueues() throws {
    var world = GuestThreads.world()
    let items = try (0..<3).map { index in
      let routine = try world.routine(["critical", "delayed", "hypercritical"][index], arguments: 1, [.note("runs")])
      return item(&world, 0x100 + 0x20 * UInt32(index), routine)
    }
    try world.routine(
      "main",
      [
        .quiet("KeRaiseIrqlToDpcLevel"), .quiet("ExQueueWorkItem", items[1], 1), .quiet("ExQueueWorkItem", items[0], 0),
        .quiet("ExQueueWorkItem", items[2], 2), .quiet("KfLowerIrql", 0), .sleep,
      ])
    let result = try world.run()
    #expect(result.log == ["hypercritical: runs = 0", "critical: runs = 0", "delayed: runs = 0"])
    #expect(Set(result.entries.map(\.thread)).count == 3)
  }

  @Test("a worker that returns attached is bugcheck 1, at a raised IRQL bugcheck 0xE1")
  func workerLeavesSomething() throws {
    func run(_ actions: [Action]) throws -> (BugCheck?, UInt32) {
      var world = GuestThreads.world()
      let work = try world.routine("work", arguments: 1, actions)
      let queued = item(&world, 0x100, work, 0x77)
      world.words[0x180] = 0
      try world.routine("queue", [.quiet("ExQueueWorkItem", queued, 1), .sleep])
      world.steps = [.call(Fixture.Call(on: "main", "queue", expect: .any))]
      return (try world.run().bugCheck, work)
    }
    // The process to attach to: the one that the worker is in will not do, so its neighbour's object is looked up first.
    var world = GuestThreads.world()
    try world.routine("main", [.call("IoGetCurrentProcess")])
    world.steps = [.call(Fixture.Call(on: "client", "main", expect: .any))]
    let notepad = try #require(try world.run().entries.first?.value)
    let (attached, work) = try run([.quiet("KeStackAttachProcess", notepad, at(0x180))])
    #expect(attached?.code.rawValue == 1)
    #expect(attached?.parameters == [UInt64(work), 1, 0, 1])
    let (raised, other) = try run([.quiet("KeRaiseIrqlToDpcLevel")])
    #expect(raised?.code.rawValue == 0xe1)
    #expect(raised.map { Array($0.parameters.prefix(3)) } == [UInt64(other), 2, 0x77])
  }
}
