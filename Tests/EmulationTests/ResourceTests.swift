import Emulation
import Guest
import NTKernel
import Testing
import WindowsTypes

private typealias Action = GuestThreads.Action
private func at(_ offset: UInt32) -> UInt32 { GuestThreads.at(offset) }

@Suite("Executive resources") struct ResourceTests {
  static let resource: UInt32 = 0x100
  // Fields of the resource.
  static let activeCount: UInt32 = 0x10c
  static let flag: UInt32 = 0x10e
  static let ownerThread: UInt32 = 0x118
  static let ownerCount: UInt32 = 0x11c
  static let contentionCount: UInt32 = 0x128
  static let sharedWaiters: UInt32 = 0x12c
  static let exclusiveWaiters: UInt32 = 0x12e

  private let initialize = Action.quiet("ExInitializeResourceLite", at(resource))
  private let release = Action.quiet("ExReleaseResourceLite", at(resource))
  private func exclusive(wait: Bool = true) -> Action { .call("ExAcquireResourceExclusiveLite", at(Self.resource), wait ? 1 : 0) }
  private func shared(wait: Bool = true) -> Action { .call("ExAcquireResourceSharedLite", at(Self.resource), wait ? 1 : 0) }
  private func starving(wait: Bool = true) -> Action { .call("ExAcquireSharedStarveExclusive", at(Self.resource), wait ? 1 : 0) }
  private let isExclusive = Action.call("ExIsResourceAcquiredExclusiveLite", at(resource))
  private let isShared = Action.call("ExIsResourceAcquiredSharedLite", at(resource))

  private func run(_ main: [Action], threads: [(String, [Action])] = []) throws -> GuestThreads.Result {
    var world = GuestThreads.world()
    // Threads start where `main` says so, by their places in the list.
    var addresses: [UInt32] = []
    for (name, actions) in threads { addresses.append(try world.routine(name, arguments: 1, actions)) }
    var rest = addresses[...]
    let actions = main.map { action in
      if case .note("start") = action, let next = rest.popFirst() { return Action.thread(next) }
      return action
    }
    try world.routine("main", actions)
    return try world.run()
  }
  private let start = Action.note("start")

  @Test("an owner takes a resource exclusively as often as it likes, and each acquisition counts")
  func exclusiveOwner() throws {
    let result = try run([
      .call("ExInitializeResourceLite", at(Self.resource)), isExclusive, isShared, exclusive(),
      .read("ActiveCount", Self.activeCount, size: 2),
      exclusive(wait: false), shared(wait: false), isExclusive, isShared, .read("OwnerCount", Self.ownerCount, size: 4),
      .read("OwnerThread", Self.ownerThread, size: 4), release, release, isExclusive, release, isExclusive, isShared,
      .read("ActiveCount", Self.activeCount, size: 2),
    ])
    let thread = String(result.run.names.threads[0].object, radix: 16)
    #expect(
      result.log == [
        "main: ExInitializeResourceLite = 0", "main: ExIsResourceAcquiredExclusiveLite = 0", "main: ExIsResourceAcquiredSharedLite = 0",
        "main: ExAcquireResourceExclusiveLite = 1", "main: ActiveCount = 1", "main: ExAcquireResourceExclusiveLite = 1",
        "main: ExAcquireResourceSharedLite = 1", "main: ExIsResourceAcquiredExclusiveLite = 1", "main: ExIsResourceAcquiredSharedLite = 3",
        "main: OwnerCount = 3", "main: OwnerThread = \(thread)", "main: ExIsResourceAcquiredExclusiveLite = 1",
        "main: ExIsResourceAcquiredExclusiveLite = 0", "main: ExIsResourceAcquiredSharedLite = 0", "main: ActiveCount = 0",
      ])
    // ResourceOwnedExclusive is gone, and so is the owner.
    #expect(try result.half(Self.flag) & 0x80 == 0 && result.word(Self.ownerThread) == 0)
    #expect(try result.word(Self.contentionCount) == 0)
  }

  @Test("whoever would have to wait, and does not want to, gets FALSE and leaves nothing behind")
  func withoutWaiting() throws {
    let result = try run(
      [
        initialize, shared(), start, .sleep, release, exclusive(), start, .sleep, release, start, .sleep,
      ],
      threads: [
        ("second", [exclusive(wait: false), shared(wait: false), isShared, isExclusive, release]),
        ("third", [exclusive(wait: false), shared(wait: false), starving(wait: false), isShared, isExclusive]),
        ("fourth", [exclusive(wait: false), release]),
      ])
    #expect(
      result.log == [
        "main: ExAcquireResourceSharedLite = 1", "second: ExAcquireResourceExclusiveLite = 0", "second: ExAcquireResourceSharedLite = 1",
        "second: ExIsResourceAcquiredSharedLite = 1", "second: ExIsResourceAcquiredExclusiveLite = 0",
        "main: ExAcquireResourceExclusiveLite = 1", "third: ExAcquireResourceExclusiveLite = 0", "third: ExAcquireResourceSharedLite = 0",
        "third: ExAcquireSharedStarveExclusive = 0", "third: ExIsResourceAcquiredSharedLite = 0",
        "third: ExIsResourceAcquiredExclusiveLite = 0", "fourth: ExAcquireResourceExclusiveLite = 1",
      ])
    #expect(try result.half(Self.activeCount) == 0 && result.word(Self.contentionCount) == 0)
    #expect(result.run.outcome == .returned(0))
  }

  @Test("a reader waits behind a waiting writer; one that starves writers does not, and one that has it already neither")
  func readersAndWriters() throws {
    let result = try run(
      [
        initialize, shared(), start, .sleep, start, .sleep, start, .sleep, shared(wait: false),
        .call("ExGetExclusiveWaiterCount", at(Self.resource)), .call("ExGetSharedWaiterCount", at(Self.resource)),
        .read("ActiveCount", Self.activeCount, size: 2), .read("NumberOfExclusiveWaiters", Self.exclusiveWaiters, size: 2),
        .read("NumberOfSharedWaiters", Self.sharedWaiters, size: 2), .read("ContentionCount", Self.contentionCount, size: 4), release,
        release, .note("released"), .sleep, .call("ExGetExclusiveWaiterCount", at(Self.resource)),
        .call("ExGetSharedWaiterCount", at(Self.resource)),
      ],
      threads: [
        ("writer", [exclusive(), isExclusive, release]), ("reader", [shared(wait: false), shared(), isShared, release]),
        ("starver", [starving(), release]),
      ])
    #expect(
      result.log == [
        "main: ExAcquireResourceSharedLite = 1", "reader: ExAcquireResourceSharedLite = 0", "starver: ExAcquireSharedStarveExclusive = 1",
        "main: ExAcquireResourceSharedLite = 1", "main: ExGetExclusiveWaiterCount = 1", "main: ExGetSharedWaiterCount = 1",
        "main: ActiveCount = 1", "main: NumberOfExclusiveWaiters = 1", "main: NumberOfSharedWaiters = 1", "main: ContentionCount = 2",
        "main: released = 0", "writer: ExAcquireResourceExclusiveLite = 1", "writer: ExIsResourceAcquiredExclusiveLite = 1",
        "reader: ExAcquireResourceSharedLite = 1", "reader: ExIsResourceAcquiredSharedLite = 1", "main: ExGetExclusiveWaiterCount = 0",
        "main: ExGetSharedWaiterCount = 0",
      ])
  }

  @Test("a writer that becomes a reader lets the waiting readers in, and stays one of the owners")
  func conversion() throws {
    let result = try run(
      [
        initialize, exclusive(), start, start, .sleep, .call("ExGetSharedWaiterCount", at(Self.resource)),
        .call("ExConvertExclusiveToSharedLite", at(Self.resource)), isExclusive, isShared, .read("ActiveCount", Self.activeCount, size: 2),
        exclusive(wait: false), .sleep, release, exclusive(wait: false),
      ],
      threads: [("reader", [shared(), release]), ("reader", [shared(), release])])
    #expect(
      result.log == [
        "main: ExAcquireResourceExclusiveLite = 1", "main: ExGetSharedWaiterCount = 2", "main: ExConvertExclusiveToSharedLite = 0",
        "main: ExIsResourceAcquiredExclusiveLite = 0", "main: ExIsResourceAcquiredSharedLite = 1", "main: ActiveCount = 3",
        "main: ExAcquireResourceExclusiveLite = 0", "reader: ExAcquireResourceSharedLite = 1", "reader: ExAcquireResourceSharedLite = 1",
        "main: ExAcquireResourceExclusiveLite = 1",
      ])
    #expect(try result.half(Self.flag) & 0x80 == 0x80)
  }

  @Test("a reader that asks for exclusive access waits for itself")
  func selfDeadlock() throws {
    let result = try run([initialize, shared(), exclusive()])
    #expect(result.run.outcome == .waiting)
    #expect(try result.half(Self.exclusiveWaiters) == 1)
  }

  @Test("more readers than the resource has places for go to its table, which ExDeleteResourceLite gives back")
  func table() throws {
    let reader: (String, [Action]) = ("reader", [shared(), .sleep, .sleep, isShared, release])
    let result = try run(
      [
        initialize, start, start, start, start, .sleep, .read("ActiveCount", Self.activeCount, size: 2), .sleep, .sleep,
        .read("ActiveCount", Self.activeCount, size: 2), .call("ExDeleteResourceLite", at(Self.resource)),
      ], threads: [reader, reader, reader, reader])
    let acquired = Array(repeating: "reader: ExAcquireResourceSharedLite = 1", count: 4)
    let released = Array(repeating: "reader: ExIsResourceAcquiredSharedLite = 1", count: 4)
    #expect(
      result.log == acquired + ["main: ActiveCount = 4"] + released + ["main: ActiveCount = 0", "main: ExDeleteResourceLite = 0"])
    #expect(try result.word(0x108) == 0)
  }

  @Test("ExReinitializeResourceLite forgets every owner and every count")
  func reinitialization() throws {
    let reader: (String, [Action]) = ("reader", [shared(), .sleep, .sleep, isShared, shared(wait: false), isShared])
    let result = try run(
      [
        initialize, shared(), start, start, .sleep, exclusive(wait: false), .store(Self.contentionCount, 7),
        .call("ExReinitializeResourceLite", at(Self.resource)), isShared, .read("ActiveCount", Self.activeCount, size: 2),
        .read("ContentionCount", Self.contentionCount, size: 4), exclusive(wait: false), release, .sleep, .sleep,
      ], threads: [reader, reader])
    let reading = [
      "reader: ExIsResourceAcquiredSharedLite = 0", "reader: ExAcquireResourceSharedLite = 1", "reader: ExIsResourceAcquiredSharedLite = 1",
    ]
    #expect(
      result.log == [
        "main: ExAcquireResourceSharedLite = 1", "reader: ExAcquireResourceSharedLite = 1", "reader: ExAcquireResourceSharedLite = 1",
        "main: ExAcquireResourceExclusiveLite = 0", "main: ExReinitializeResourceLite = 0", "main: ExIsResourceAcquiredSharedLite = 0",
        "main: ActiveCount = 0", "main: ContentionCount = 0", "main: ExAcquireResourceExclusiveLite = 1",
      ] + reading + reading)
  }

  @Test("releasing what one does not own is bugcheck 0xE3, and so is the second release of one acquisition")
  func notOwned() throws {
    for actions in [[initialize, release], [initialize, exclusive(), release, release]] {
      let result = try run(actions)
      let check = try #require(result.bugCheck)
      #expect(check.code.rawValue == 0xe3)
      #expect(Array(check.parameters.prefix(2)) == [UInt64(at(Self.resource)), result.run.names.threads[0].object])
    }
    // Another thread's is not one's own.
    let other = try run([initialize, exclusive(), start, .sleep], threads: [("thief", [release])])
    #expect(other.bugCheck?.code.rawValue == 0xe3)
  }

  @Test("ExReleaseResourceForThreadLite releases for the thread that is named, and nobody else's")
  func releaseForThread() throws {
    var world = GuestThreads.world()
    let resource = Fixture.Argument.integer(UInt64(at(Self.resource)))
    func step(_ routine: Fixture.Place, _ arguments: Fixture.Arguments, _ expect: Fixture.CallExpectation, on thread: String = "main")
      -> Fixture.Step
    { .call(Fixture.Call(on: thread, routine, with: arguments, expect: expect)) }
    world.steps = [
      step("nt!ExInitializeResourceLite", [resource], .returns(0)),
      step("nt!ExAcquireResourceExclusiveLite", [resource, 1], .returns(1)),
      step("nt!ExReleaseResourceForThreadLite", [resource, .thread("main")], .any, on: "client"),
      step("nt!ExAcquireResourceExclusiveLite", [resource, 0], .returns(1), on: "client"),
      step("nt!ExReleaseResourceForThreadLite", [resource, .thread("main")], .bugcheck(.init("RESOURCE_NOT_OWNED"))),
    ]
    #expect(try world.run().run.mismatches.map(\.sentence) == [])
  }
}

@Suite("Fast mutexes") struct FastMutexTests {
  // Count, Owner, Contention, Event, OldIrql.
  static let mutex: UInt32 = 0x100
  private func acquire() -> Action { .call("ExAcquireFastMutex", at(Self.mutex)) }
  private func release() -> Action { .call("ExReleaseFastMutex", at(Self.mutex)) }
  private func tryAcquire() -> Action { .call("ExTryToAcquireFastMutex", at(Self.mutex)) }

  /// With the mutex as `ExInitializeFastMutex` makes it.
  private func world() -> GuestThreads {
    var world = GuestThreads.world()
    world.words[Self.mutex] = 1
    world.words[Self.mutex + 0xc] = 0x0004_0001
    world.words[Self.mutex + 0x14] = at(Self.mutex + 0x14)
    world.words[Self.mutex + 0x18] = at(Self.mutex + 0x14)
    return world
  }

  @Test("a fast mutex raises to APC_LEVEL, keeps the old level, and goes back to it")
  func levels() throws {
    var world = world()
    try world.routine(
      "main",
      [
        acquire(), .read("Count", Self.mutex, size: 4), .read("Owner", Self.mutex + 4, size: 4),
        .read("OldIrql", Self.mutex + 0x1c, size: 4),
        release(), .read("Count", Self.mutex, size: 4), .read("Owner", Self.mutex + 4, size: 4), .call("KfRaiseIrql", 1), acquire(),
        .read("OldIrql", Self.mutex + 0x1c, size: 4), release(), .quiet("KfLowerIrql", 0), .note("end"),
      ])
    let result = try world.run()
    let thread = String(result.run.names.threads[0].object, radix: 16)
    #expect(
      result.log == [
        "main: ExAcquireFastMutex = 0 @1", "main: Count = 0 @1", "main: Owner = \(thread) @1", "main: OldIrql = 0 @1",
        "main: ExReleaseFastMutex = 0", "main: Count = 1", "main: Owner = 0", "main: KfRaiseIrql = 0 @1",
        "main: ExAcquireFastMutex = 0 @1", "main: OldIrql = 1 @1", "main: ExReleaseFastMutex = 0 @1", "main: end = 0",
      ])
    #expect(try result.word(Self.mutex + 8) == 0)
  }

  @Test("those who wait get the mutex in their order; each wait counts as contention, and a try fails at once")
  func contention() throws {
    var world = world()
    let waiter = try world.routine("waiter", arguments: 1, [acquire(), .read("Owner", Self.mutex + 4, size: 4), release()])
    let trier = try world.routine("trier", arguments: 1, [tryAcquire()])
    try world.routine(
      "main",
      [
        tryAcquire(), .thread(waiter), .thread(waiter), .thread(trier), .sleep, .read("Count", Self.mutex, size: 4),
        .read("Contention", Self.mutex + 8, size: 4), release(), .sleep, .read("Count", Self.mutex, size: 4), tryAcquire(), release(),
      ])
    let result = try world.run()
    let owners = result.entries.filter { $0.label == "waiter: Owner" }
    #expect(owners.count == 2 && owners.allSatisfy { $0.value == $0.thread } && owners[0].thread != owners[1].thread)
    #expect(
      result.log.filter { !$0.contains("Owner") } == [
        "main: ExTryToAcquireFastMutex = 1 @1", "trier: ExTryToAcquireFastMutex = 0", "main: Count = fffffffe @1",
        "main: Contention = 2 @1", "main: ExReleaseFastMutex = 0", "waiter: ExAcquireFastMutex = 0 @1", "waiter: ExReleaseFastMutex = 0",
        "waiter: ExAcquireFastMutex = 0 @1", "waiter: ExReleaseFastMutex = 0", "main: Count = 1",
        "main: ExTryToAcquireFastMutex = 1 @1", "main: ExReleaseFastMutex = 0",
      ])
  }

  @Test("the unsafe forms leave the IRQL alone, and wait as the others do")
  func unsafe() throws {
    var world = world()
    let waiter = try world.routine(
      "waiter", arguments: 1, [.call("ExAcquireFastMutexUnsafe", at(Self.mutex)), .call("ExReleaseFastMutexUnsafe", at(Self.mutex))])
    try world.routine(
      "main",
      [
        .quiet("KeEnterCriticalRegion"), .call("ExAcquireFastMutexUnsafe", at(Self.mutex)), .thread(waiter), .sleep,
        .read("Count", Self.mutex, size: 4), .call("ExReleaseFastMutexUnsafe", at(Self.mutex)), .sleep,
        .read("Contention", Self.mutex + 8, size: 4), .quiet("KeLeaveCriticalRegion"),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: ExAcquireFastMutexUnsafe = 0", "main: Count = ffffffff", "main: ExReleaseFastMutexUnsafe = 0",
        "waiter: ExAcquireFastMutexUnsafe = 0", "waiter: ExReleaseFastMutexUnsafe = 0", "main: Contention = 1",
      ])
  }

  @Test("whoever takes a fast mutex twice waits for itself")
  func selfDeadlock() throws {
    var world = world()
    try world.routine("main", [acquire(), acquire()])
    #expect(try world.run().run.outcome == .waiting)
  }
}
