import Emulation
import Events
import NTKernel
import Testing
import WindowsTypes

private typealias Action = GuestThreads.Action
private func at(_ offset: UInt32) -> UInt32 { GuestThreads.at(offset) }

@Suite("Threads that wait for guarded mutexes, push locks and run-downs") struct ThreadContentionTests {
  static let lock: UInt32 = 0x100
  static let other: UInt32 = 0x140

  @Test("a guarded mutex is handed to who waits for it, in order") func guardedMutex() throws {
    var world = GuestThreads.world()
    func holder(_ name: String) -> [Action] {
      [.quiet("KeAcquireGuardedMutex", at(Self.lock)), .note("has it"), .quiet("KeReleaseGuardedMutex", at(Self.lock)), .note("has left")]
    }
    let first = try world.routine("first", arguments: 1, holder("first"))
    let second = try world.routine("second", arguments: 1, holder("second"))
    try world.routine(
      "main",
      [
        .quiet("KeInitializeGuardedMutex", at(Self.lock)), .quiet("KeAcquireGuardedMutex", at(Self.lock)), .thread(first),
        .thread(second), .sleep, .read("Count", Self.lock, size: 4), .quiet("KeReleaseGuardedMutex", at(Self.lock)), .sleep,
        .read("Count", Self.lock, size: 4),
      ])
    let result = try world.run()
    #expect(
      result.log == [
        "main: Count = 8", "first: has it = 0", "first: has left = 0", "second: has it = 0", "second: has left = 0", "main: Count = 1",
      ])
    #expect(result.run.outcome == .returned(0))
  }

  @Test("two threads that take two guarded mutexes the other way round are a deadlock, with names") func deadlock() throws {
    var world = GuestThreads.world()
    let crossing = try world.routine(
      "crossing", arguments: 1,
      [.quiet("KeAcquireGuardedMutex", at(Self.other)), .sleep, .quiet("KeAcquireGuardedMutex", at(Self.lock))])
    try world.routine(
      "main",
      [
        .quiet("KeInitializeGuardedMutex", at(Self.lock)), .quiet("KeInitializeGuardedMutex", at(Self.other)),
        .quiet("KeAcquireGuardedMutex", at(Self.lock)), .thread(crossing), .sleep, .sleep,
        .quiet("KeAcquireGuardedMutex", at(Self.other)),
      ])
    let run = try world.run().run
    let sentences = run.events.events.compactMap { event -> String? in if case .deadlock(let text) = event { text } else { nil } }
    #expect(run.outcome == .waiting && sentences.count == 1)
    #expect(sentences.first?.contains("guarded mutex") == true && sentences.first?.contains("main of System") == true)
  }

  @Test("a push lock lets readers in together, and a writer alone when they are gone") func pushLock() throws {
    var world = GuestThreads.world()
    let writer = try world.routine(
      "writer", arguments: 1,
      [.quiet("ExfAcquirePushLockExclusive", at(Self.lock)), .note("has it"), .quiet("ExfReleasePushLockExclusive", at(Self.lock))])
    let reader = try world.routine(
      "reader", arguments: 1,
      [.quiet("ExfAcquirePushLockShared", at(Self.lock)), .note("has it"), .sleep, .quiet("ExfReleasePushLockShared", at(Self.lock))])
    try world.routine(
      "main",
      [
        .quiet("ExInitializePushLock", at(Self.lock)), .thread(reader), .thread(reader), .quiet("KeDelayExecutionThread", 0, 0, at(0x90)),
        .thread(writer), .thread(reader), .quiet("KeDelayExecutionThread", 0, 0, at(0x90)), .read("word", Self.lock, size: 4), .sleep,
        .note("later"), .sleep, .read("word", Self.lock, size: 4),
      ])
    world.words[0x90] = 0xffff_d8f0
    world.words[0x94] = 0xffff_ffff
    #expect(
      try world.run().log == [
        "reader: has it = 0", "reader: has it = 0", "main: word = 9", "writer: has it = 0", "reader: has it = 0", "main: later = 0",
        "main: word = 0",
      ])
  }

  @Test("a run-down waits for the last who holds protection, and lets nobody else in") func rundown() throws {
    var world = GuestThreads.world()
    let waiter = try world.routine(
      "waiter", arguments: 1, [.quiet("ExWaitForRundownProtectionRelease", at(Self.lock)), .note("is alone")])
    try world.routine(
      "main",
      [
        .quiet("ExInitializeRundownProtection", at(Self.lock)), .quiet("ExAcquireRundownProtection", at(Self.lock)),
        .quiet("ExAcquireRundownProtectionEx", at(Self.lock), 2), .thread(waiter), .sleep,
        .call("ExAcquireRundownProtection", at(Self.lock)), .quiet("ExReleaseRundownProtection", at(Self.lock)), .sleep,
        .note("not yet"), .quiet("ExReleaseRundownProtectionEx", at(Self.lock), 2), .sleep, .read("word", Self.lock, size: 4),
      ])
    let log = try world.run().log.map { $0.hasPrefix("main: ExAcquire") ? String($0.suffix(1)) : $0 }
    #expect(log == ["0", "main: not yet = 0", "waiter: is alone = 0", "main: word = 1"])
  }

  @Test("an exclusive waiter keeps out who would wait for it, and not who may pass it") func sharedWaitForExclusive() throws {
    var world = GuestThreads.world()
    let writer = try world.routine(
      "writer", arguments: 1,
      [
        .quiet("ExEnterCriticalRegionAndAcquireResourceExclusive", at(Self.lock)), .note("has it"),
        .quiet("ExReleaseResourceAndLeaveCriticalRegion", at(Self.lock)),
      ])
    try world.routine(
      "main",
      [
        .quiet("ExInitializeResourceLite", at(Self.lock)), .quiet("KeEnterCriticalRegion"),
        .quiet("ExAcquireResourceSharedLite", at(Self.lock), 1), .thread(writer), .sleep,
        .call("ExAcquireSharedStarveExclusive", at(Self.lock), 0), .call("ExAcquireSharedWaitForExclusive", at(Self.lock), 0),
        .quiet("ExReleaseResourceLite", at(Self.lock)), .quiet("ExReleaseResourceLite", at(Self.lock)), .sleep,
        .quiet("KeLeaveCriticalRegion"),
      ])
    #expect(
      try world.run().log == [
        "main: ExAcquireSharedStarveExclusive = 1", "main: ExAcquireSharedWaitForExclusive = 0", "writer: has it = 0",
      ])
  }
}
