import Testing

@Suite("Interlocked operations, lists and spin locks") struct SynchronizationTests {
  let g: RuntimeGuest
  init() throws { g = try RuntimeGuest() }

  static let alreadyOwned = RuntimeGuest.Outcome.bugCheck(0xf)
  static let notOwned = RuntimeGuest.Outcome.bugCheck(0x10)

  @Test("words") func words() throws {
    let value = try g.place([5, 0, 0, 0])
    #expect(try g.call("InterlockedIncrement", value) == 6)
    #expect(try g.call("InterlockedDecrement", value) == 5)
    #expect(try g.call("InterlockedExchange", value, 9) == 5)
    #expect(try g.call("InterlockedExchangeAdd", value, 0xffff_ffff) == 9)
    #expect(try g.call("InterlockedCompareExchange", value, 1, 7) == 8)
    #expect(try g.load(value) == 8)
    #expect(try g.call("InterlockedCompareExchange", value, 1, 8) == 8)
    #expect(try g.load(value) == 1)
    #expect(try g.call("ExInterlockedAddUlong", value, 4, 0) == 1)
    #expect(try g.call("ExfInterlockedAddUlong", value, 4, 0) == 5)
    #expect(try g.call("ExInterlockedExchangeUlong", value, 0xffff_ffff, 0) == 9)
    #expect(try g.call("ExInterlockedIncrementLong", value, 0) == 0x4000)
    #expect(try g.call("ExInterlockedIncrementLong", value, 0) == 0)
    #expect(try g.call("ExInterlockedDecrementLong", value, 0) == 0x4000)
    #expect(try g.call("ExInterlockedDecrementLong", value, 0) == 0x8000)
    for name in [
      "InterlockedIncrement", "InterlockedDecrement", "InterlockedExchange", "InterlockedExchangeAdd", "InterlockedCompareExchange",
      "ExInterlockedAddUlong", "ExfInterlockedAddUlong", "ExInterlockedExchangeUlong", "ExInterlockedIncrementLong",
      "ExInterlockedDecrementLong",
    ] {
      let g = try RuntimeGuest()
      let count = ["InterlockedIncrement", "InterlockedDecrement"].contains(name) ? 1 : name.hasSuffix("Long") ? 2 : 3
      let two = ["InterlockedExchange", "InterlockedExchangeAdd"].contains(name)
      let arguments = [RuntimeGuest.missing, 0, 0].prefix(two ? 2 : count)
      #expect(try g.outcome(name, Array(arguments)) == accessViolation, "\(name)")
    }
  }

  @Test("quadwords") func quadwords() throws {
    let (value, new, expected) = (try g.room(8), try g.room(8), try g.room(8))
    try g.store64(0x1_0000_0002, at: value)
    try g.store64(0x3_0000_0004, at: new)
    try g.store64(0x1_0000_0002, at: expected)
    #expect(try g.callWide("ExInterlockedCompareExchange64", value, new, expected, 0) == 0x1_0000_0002)
    #expect(try g.load64(value) == 0x3_0000_0004)
    #expect(try g.callWide("ExfInterlockedCompareExchange64", value, expected, expected) == 0x3_0000_0004)
    #expect(try g.load64(value) == 0x3_0000_0004)
    #expect(try g.callWide("ExInterlockedAddLargeInteger", value, 0xffff_ffff, 0, 0) == 0x3_0000_0004)
    try g.call("ExInterlockedAddLargeStatistic", value, 5)
    #expect(try g.load64(value) == 0x4_0000_0008)
    let missing = RuntimeGuest.missing
    #expect(try RuntimeGuest().failure("ExInterlockedCompareExchange64", missing, missing, missing, 0) == accessViolation)
    #expect(try RuntimeGuest().failure("ExfInterlockedCompareExchange64", missing, missing, missing) == accessViolation)
    #expect(try RuntimeGuest().failure("ExInterlockedAddLargeInteger", missing, 0, 0, 0) == accessViolation)
    #expect(try RuntimeGuest().failure("ExInterlockedAddLargeStatistic", missing, 1) == accessViolation)
  }

  @Test("lists under a lock", arguments: ["Ex", "Exf"])
  func lists(prefix: String) throws {
    let (head, a, b, lock) = (try g.room(8), try g.room(8), try g.room(8), try g.place([0, 0, 0, 0]))
    try g.store(UInt32(head), at: head)
    try g.store(UInt32(head), at: head + 4)
    #expect(try g.call("\(prefix)InterlockedRemoveHeadList", head, lock) == 0)
    #expect(try g.call("\(prefix)InterlockedInsertHeadList", head, a, lock) == 0)
    #expect(try g.call("\(prefix)InterlockedInsertHeadList", head, b, lock) == a)
    #expect(try g.call("\(prefix)InterlockedRemoveHeadList", head, lock) == b)
    #expect(try g.call("\(prefix)InterlockedInsertTailList", head, b, lock) == a)
    #expect(try g.load(head + 4) == UInt32(b))
    #expect(try g.load(lock) == 0)
    let single = try g.place([0, 0, 0, 0])
    #expect(try g.call("\(prefix)InterlockedPopEntryList", single, lock) == 0)
    #expect(try g.call("\(prefix)InterlockedPushEntryList", single, a, lock) == 0)
    #expect(try g.call("\(prefix)InterlockedPushEntryList", single, b, lock) == a)
    #expect(try g.call("\(prefix)InterlockedPopEntryList", single, lock) == b)
    #expect(try g.call("\(prefix)InterlockedPopEntryList", single, lock) == a)
    for name in ["InsertHeadList", "InsertTailList", "RemoveHeadList", "PopEntryList", "PushEntryList"] {
      let g = try RuntimeGuest()
      let (head, held) = (try g.room(8), try g.place([1, 0, 0, 0]))
      let arguments = name.hasPrefix("Remove") || name.hasPrefix("Pop") ? [head, held] : [head, head, held]
      #expect(try g.outcome("\(prefix)Interlocked\(name)", arguments) == Self.alreadyOwned, "\(name)")
    }
  }

  @Test("sequenced lists count their entries") func sequenced() throws {
    let (head, a, b) = (try g.place([UInt8](repeating: 0, count: 8)), try g.room(8), try g.room(8))
    #expect(try g.call("InterlockedPopEntrySList", head) == 0)
    #expect(try g.call("InterlockedPushEntrySList", head, a) == 0)
    #expect(try g.call("ExInterlockedPushEntrySList", head, b, 0) == a)
    #expect(try g.bytes(8, at: head + 4).prefix(4) == [2, 0, 2, 0])
    #expect(try g.call("ExInterlockedPopEntrySList", head, 0) == b)
    #expect(try g.call("InterlockedPushEntrySList", head, b) == a)
    #expect(try g.call("ExInterlockedFlushSList", head) == b)
    #expect(try g.load(head) == 0)
    #expect(try g.load16(head + 4) == 0)
    #expect(try g.call("ExInterlockedFlushSList", head) == 0)
    let missing = RuntimeGuest.missing
    #expect(try RuntimeGuest().failure("InterlockedPopEntrySList", missing) == accessViolation)
    #expect(try RuntimeGuest().failure("InterlockedPushEntrySList", missing, missing) == accessViolation)
    #expect(try RuntimeGuest().failure("ExInterlockedPushEntrySList", missing, missing, 0) == accessViolation)
    #expect(try RuntimeGuest().failure("ExInterlockedPopEntrySList", missing, 0) == accessViolation)
    #expect(try RuntimeGuest().failure("ExInterlockedFlushSList", missing) == accessViolation)
  }

  @Test("a spin lock raises to DISPATCH_LEVEL and is held by one") func spinLocks() throws {
    let lock = try g.room(4)
    let old = try g.room(4)
    try g.call("KeInitializeSpinLock", lock)
    #expect(try g.load(lock) == 0)
    #expect(try g.call("KfAcquireSpinLock", lock) == 0)
    #expect(try g.call("KeGetCurrentIrql") == 2)
    #expect(try g.load(lock) == 1)
    #expect(try g.call("KeTestSpinLock", lock) == 0)
    #expect(try g.call("KeTryToAcquireSpinLockAtDpcLevel", lock) == 0)
    try g.call("KfReleaseSpinLock", lock, 0)
    #expect(try g.call("KeGetCurrentIrql") == 0)
    try g.call("KeAcquireSpinLock", lock, old)
    #expect(try g.load8(old) == 0)
    try g.call("KeReleaseSpinLock", lock, 0)
    #expect(try g.call("KeTestSpinLock", lock) == 1)
    #expect(try g.call("KeAcquireSpinLockRaiseToSynch", lock) == 0)
    try g.call("KefReleaseSpinLockFromDpcLevel", lock)
    for (acquire, release) in [
      ("KeAcquireSpinLockAtDpcLevel", "KeReleaseSpinLockFromDpcLevel"),
      ("KefAcquireSpinLockAtDpcLevel", "KefReleaseSpinLockFromDpcLevel"),
      ("KeTryToAcquireSpinLockAtDpcLevel", "KefReleaseSpinLockFromDpcLevel"),
    ] {
      try g.call(acquire, lock)
      #expect(try g.load(lock) == 1)
      try g.call(release, lock)
      #expect(try g.load(lock) == 0)
    }
    #expect(try g.call("KeGetCurrentIrql") == 2)
  }

  @Test(
    "to acquire a lock twice never ends",
    arguments: [
      "KfAcquireSpinLock", "KeAcquireSpinLock", "KeAcquireSpinLockRaiseToSynch", "KeAcquireSpinLockAtDpcLevel",
      "KefAcquireSpinLockAtDpcLevel", "KeAcquireInStackQueuedSpinLock",
      "KeAcquireInStackQueuedSpinLockRaiseToSynch", "KeAcquireInStackQueuedSpinLockAtDpcLevel",
    ])
  func deadlock(name: String) throws {
    let (lock, place) = (try g.place([1, 0, 0, 0]), try g.room(12))
    let takesTwo = name.contains("InStack") || name == "KeAcquireSpinLock"
    #expect(try g.outcome(name, takesTwo ? [lock, place] : [lock]) == Self.alreadyOwned)
  }

  @Test(
    "to release a lock that nobody holds is an error",
    arguments: [
      ("KfReleaseSpinLock", 2), ("KeReleaseSpinLock", 2), ("KeReleaseSpinLockFromDpcLevel", 1),
      ("KefReleaseSpinLockFromDpcLevel", 1), ("KeReleaseQueuedSpinLock", 2),
    ])
  func notHeld(name: String, count: Int) throws {
    let lock = try g.place([0, 0, 0, 0])
    #expect(try g.outcome(name, Array([lock, 0].prefix(count))) == Self.notOwned)
  }

  @Test("queued locks") func queued() throws {
    let (lock, place) = (try g.place([0, 0, 0, 0]), try g.room(12))
    for (acquire, release) in [
      ("KeAcquireInStackQueuedSpinLock", "KeReleaseInStackQueuedSpinLock"),
      ("KeAcquireInStackQueuedSpinLockRaiseToSynch", "KeReleaseInStackQueuedSpinLock"),
      ("KeAcquireInStackQueuedSpinLockAtDpcLevel", "KeReleaseInStackQueuedSpinLockFromDpcLevel"),
    ] {
      try g.call(acquire, lock, place)
      #expect(try g.load(lock) == UInt32(place))
      #expect(try g.load(place + 4) == UInt32(lock) | 2)
      try g.call(release, place)
      #expect(try g.load(lock) == 0)
      let other = try RuntimeGuest()
      let idle = try other.place([UInt8](repeating: 0, count: 12))
      #expect(try other.failure(release, idle) == Self.notOwned)
    }
    #expect(try g.call("KeGetCurrentIrql") == 0)
    #expect(try g.call("KeAcquireQueuedSpinLock", 3) == 0)
    #expect(try g.call("KeGetCurrentIrql") == 2)
    #expect(try g.failure("KeAcquireQueuedSpinLock", 3) == Self.alreadyOwned)
  }

  @Test("lookaside lists", arguments: [("NPaged", 0), ("Paged", 1)] as [(String, UInt32)])
  func lookaside(kind: String, type: UInt32) throws {
    let list = try g.room(0x88)
    try g.call("ExInitialize\(kind)LookasideList", list, 0, 0, 0, 0x20, 0x6761_5431, 0)
    #expect(try g.load(list + 0x1c) == type && g.load(list + 0x20) == 0x6761_5431 && g.load(list + 0x24) == 0x20)
    #expect(try g.load16(list + 8) == 4 && g.load16(list + 10) == 256)
    #expect(try g.load(list + 0x48) == 0xcccc_cccc)
    let allocate = UInt64(try g.load(list + 0x28))
    #expect(try g.kernel.trapAddresses[#require(g.kernel.exports.number(of: "ExAllocatePoolWithTag"))] == allocate)
    if kind == "Paged" {
      let block = try g.call("ExAllocateFromPagedLookasideList", list)
      #expect(block >= 0xe100_0000)
      #expect(try g.load(list + 0xc) == 1 && g.load(list + 0x10) == 1)
      try g.call("ExFreeToPagedLookasideList", list, block)
      #expect(try g.load16(list + 4) == 1)
      #expect(try g.call("ExAllocateFromPagedLookasideList", list) == block)
      #expect(try g.load(list + 0x10) == 1)
      try g.store16(0, at: list + 8)
      try g.call("ExFreeToPagedLookasideList", list, block)
      #expect(try g.load(list + 0x18) == 1 && g.load16(list + 4) == 0)
      // It went back to the pool, and cannot do so again.
      #expect(try g.failure("ExFreePool", block) == .bugCheck(0xc2))
    } else {
      let block = try g.call("ExAllocatePoolWithTag", 0, 0x20, 0)
      try g.call("InterlockedPushEntrySList", list, block)
      try g.call("ExDeleteNPagedLookasideList", list)
      #expect(try g.failure("ExFreePool", block) == .bugCheck(0xc2))
    }
    #expect(try RuntimeGuest().failure("ExDelete\(kind)LookasideList", RuntimeGuest.missing) == accessViolation)
    #expect(try RuntimeGuest().failure("ExInitialize\(kind)LookasideList", RuntimeGuest.missing, 0, 0, 0, 8, 0, 0) == accessViolation)
  }

  @Test("a lookaside list's own routines allocate and free") func ownRoutines() throws {
    let list = try g.room(0x88)
    var calls: [[UInt64]] = []
    g.routines[0xf8b0_3000] = { g in
      calls.append(try (0..<3).map { try g.argument($0) })
      return 0x1234_5678
    }
    g.routines[0xf8b0_4000] = { g in
      calls.append([try g.argument(0)])
      return 0
    }
    try g.call("ExInitializePagedLookasideList", list, 0xf8b0_3000, 0xf8b0_4000, 0, 0x40, 0x31, 0)
    #expect(try g.call("ExAllocateFromPagedLookasideList", list) == 0x1234_5678)
    let block = try g.room(8)
    try g.call("ExFreeToPagedLookasideList", list, block)
    try g.call("ExDeletePagedLookasideList", list)
    #expect(calls == [[1, 0x40, 0x31], [block]])
    for name in ["ExAllocateFromPagedLookasideList", "ExFreeToPagedLookasideList"] {
      let arguments = name.contains("Free") ? [RuntimeGuest.missing, 0] : [RuntimeGuest.missing]
      #expect(try RuntimeGuest().outcome(name, arguments) == accessViolation)
    }
  }
}
