import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Guarded mutexes, run-down protection and their like") struct ThreadPrimitiveTests {
  private func violations(_ test: TestKernel) -> [String] {
    test.stream.events.compactMap { if case .violation(let text, _) = $0 { text } else { nil } }
  }

  // MARK: Guarded mutexes

  @Test("a guarded mutex is free, owned by one thread in a guarded region, and free again")
  func guardedMutex() throws {
    let test = try TestKernel()
    let mutex = test.scratch
    try test.value("KeInitializeGuardedMutex", mutex)
    #expect(try test.load(mutex) == 1 && test.load(mutex + 4) == 0)
    try test.value("KeAcquireGuardedMutex", mutex)
    #expect(try test.load(mutex) == 0 && UInt64(test.load(mutex + 4)) == test.currentThread)
    #expect(try test.value("KeAreAllApcsDisabled") & 0xff == 1 && test.irql == 0)
    #expect(try test.value("KeTryToAcquireGuardedMutex", mutex) & 0xff == 0)
    try test.value("KeReleaseGuardedMutex", mutex)
    #expect(try test.value("KeAreAllApcsDisabled") & 0xff == 0)
    #expect(try test.value("KeTryToAcquireGuardedMutex", mutex) & 0xff == 1)
    #expect(try test.load(mutex) == 0 && test.value("KeAreAllApcsDisabled") & 0xff == 1)
    try test.value("KeReleaseGuardedMutex", mutex)
    #expect(violations(test).isEmpty)
  }

  @Test("a guarded mutex that another owns is not released silently, and the Unsafe routines want a region")
  func guardedMutexMisuse() throws {
    let test = try TestKernel()
    let mutex = test.scratch
    try test.value("KeInitializeGuardedMutex", mutex)
    try test.value("KeAcquireGuardedMutexUnsafe", mutex)
    #expect(violations(test).count == 1)
    try test.value("KeEnterGuardedRegion")
    try test.value("KeReleaseGuardedMutexUnsafe", mutex)
    #expect(violations(test).count == 1)
    try test.value("KeReleaseGuardedMutex", mutex)
    #expect(violations(test).count == 2 && violations(test)[1].contains("does not own it"))
  }

  @Test("a thread that acquires its own guarded mutex waits for itself")
  func guardedMutexRecursion() throws {
    let test = try TestKernel()
    try test.value("KeInitializeGuardedMutex", test.scratch)
    try test.value("KeAcquireGuardedMutex", test.scratch)
    guard case .ended = try test.call("KeAcquireGuardedMutex", test.scratch) else { return missing("the wait") }
    #expect(violations(test).count == 1 && violations(test)[0].contains("waits for itself"))
    let waiting = test.kernel.waitingThreads()
    #expect(waiting.map(\.thread.name) == ["client"] && waiting[0].what.contains("which client of notepad.exe owns"))
    #expect(Kernel.deadlocked(among: waiting).count == 1)
  }

  // MARK: Run-down protection

  @Test("run-down protection counts those who hold it in steps of two, and lets nobody in once it is run down", arguments: [false, true])
  func rundown(isCacheAware: Bool) throws {
    let test = try TestKernel()
    var (reference, place) = (test.scratch, test.scratch)
    var suffix = ""
    if isCacheAware {
      #expect(try test.value("ExSizeOfRundownProtectionCacheAware") == 0x14)
      reference = try test.value("ExAllocateCacheAwareRundownProtection", 0, 0x6e75_5263)
      place = UInt64(try test.load(reference))
      suffix = "CacheAware"
    } else {
      try test.value("ExInitializeRundownProtection", reference)
    }
    func call(_ name: String, _ arguments: UInt64...) throws -> UInt64 {
      guard case .returned(let value) = try test.call(name, [reference] + arguments) else { throw TestKernel.Unexpected() }
      return value & 0xff
    }
    #expect(try call("ExAcquireRundownProtection" + suffix) == 1 && test.load(place) == 2)
    #expect(try call("ExAcquireRundownProtection\(suffix)Ex", 3) == 1 && test.load(place) == 8)
    _ = try call("ExReleaseRundownProtection\(suffix)Ex", 3)
    _ = try call("ExReleaseRundownProtection" + suffix)
    #expect(try test.load(place) == 0)
    _ = try call("ExWaitForRundownProtectionRelease" + suffix)
    #expect(try call("ExAcquireRundownProtection" + suffix) == 0 && test.load(place) == 1)
    _ = try call("ExReInitializeRundownProtection" + suffix)
    #expect(try call("ExAcquireRundownProtection" + suffix) == 1)
    _ = try call("ExReleaseRundownProtection" + suffix)
    #expect(violations(test).isEmpty)
    _ = try call("ExReleaseRundownProtection" + suffix)
    #expect(violations(test).count == 1)
    _ = try call("ExRundownCompleted" + suffix)
    #expect(try test.load(place) == 1)
    if isCacheAware { try test.value("ExFreeCacheAwareRundownProtection", reference) }
  }

  /// Every name that the family above is made of.
  static let rundownNames = [
    "ExReInitializeRundownProtection", "ExReInitializeRundownProtectionCacheAware", "ExAcquireRundownProtection",
    "ExAcquireRundownProtectionCacheAware", "ExAcquireRundownProtectionEx", "ExAcquireRundownProtectionCacheAwareEx",
    "ExReleaseRundownProtection", "ExReleaseRundownProtectionCacheAware", "ExReleaseRundownProtectionEx",
    "ExReleaseRundownProtectionCacheAwareEx", "ExWaitForRundownProtectionRelease", "ExWaitForRundownProtectionReleaseCacheAware",
    "ExRundownCompleted", "ExRundownCompletedCacheAware",
  ]

  @Test("a cache-aware reference can lie in the caller's own memory")
  func ownMemory() throws {
    let test = try TestKernel()
    let size = try test.value("ExSizeOfRundownProtectionCacheAware")
    try test.value("ExInitializeRundownProtectionCacheAware", test.scratch, size)
    #expect(try UInt64(test.load(test.scratch)) == test.scratch + 0x10 && test.load(test.scratch + 0xc) == 1)
    for name in Self.rundownNames where !name.contains("CacheAware") { #expect(try test.number(of: name) > 0) }
  }

  // MARK: Spin locks

  @Test("readers share a reader-writer spin lock, a writer has it alone, and who would spin for ever is told so")
  func readerWriterSpinLocks() throws {
    let test = try TestKernel()
    let lock = test.scratch
    #expect(try test.value("ExAcquireSpinLockShared", lock) & 0xff == 0 && test.irql == 2)
    try test.value("ExAcquireSpinLockSharedAtDpcLevel", lock)
    #expect(try test.load(lock) == 2 && test.value("ExTryConvertSharedSpinLockExclusive", lock) & 0xff == 0)
    try test.value("ExReleaseSpinLockSharedFromDpcLevel", lock)
    #expect(try test.value("ExTryConvertSharedSpinLockExclusive", lock) & 0xff == 1 && test.load(lock) == 0x8000_0000)
    try test.value("ExReleaseSpinLockExclusive", lock, 0)
    #expect(try test.load(lock) == 0 && test.irql == 0)
    #expect(try test.value("ExAcquireSpinLockExclusive", lock) & 0xff == 0)
    try test.value("ExReleaseSpinLockExclusiveFromDpcLevel", lock)
    try test.value("ExAcquireSpinLockSharedAtDpcLevel", lock)
    try test.value("ExReleaseSpinLockShared", lock, 0)
    try test.value("ExAcquireSpinLockExclusiveAtDpcLevel", lock)
    #expect(try test.bugCheck("ExAcquireSpinLockShared", lock)[0] == 0xf)
    let other = try TestKernel()
    #expect(try other.bugCheck("ExReleaseSpinLockExclusiveFromDpcLevel", lock)[0] == 0x10)
  }

  // MARK: Resources

  @Test("a resource is acquired together with its critical region, and both are left together")
  func criticalRegion() throws {
    let test = try TestKernel()
    let resource = test.scratch
    try test.value("ExInitializeResourceLite", resource)
    for routine in ["Resource", "Shared"] {
      let name = routine == "Shared" ? "ExEnterCriticalRegionAndAcquireResourceShared" : "ExEnterCriticalRegionAndAcquireResourceExclusive"
      #expect(try test.value(name, resource) == 0)
      #expect(try test.value("KeAreApcsDisabled") & 0xff == 1 && test.value("ExIsResourceAcquiredSharedLite", resource) == 1)
      try test.value("ExReleaseResourceAndLeaveCriticalRegion", resource)
      #expect(try test.value("KeAreApcsDisabled") & 0xff == 0 && test.value("ExIsResourceAcquiredSharedLite", resource) == 0)
    }
    try test.value("ExEnterCriticalRegionAndAcquireSharedWaitForExclusive", resource)
    #expect(try test.value("ExAcquireSharedWaitForExclusive", resource, 0) & 0xff == 1)
    try test.value("ExReleaseResourceLite", resource)
    try test.value("ExReleaseResourceAndLeaveCriticalRegion", resource)
    #expect(try test.bugCheck("ExReleaseResourceAndLeaveCriticalRegion", resource)[0] == 0xe3)
  }

  @Test("a resource's acquisitions become those of an address, by which they are released")
  func ownerPointer() throws {
    let test = try TestKernel()
    let resource = test.scratch
    try test.value("ExInitializeResourceLite", resource)
    try test.value("KeEnterCriticalRegion")
    try test.value("ExAcquireResourceExclusiveLite", resource, 1)
    try test.value("ExSetResourceOwnerPointer", resource, 0x8220_0003)
    #expect(try test.value("ExIsResourceAcquiredExclusiveLite", resource) & 0xff == 0)
    try test.value("ExReleaseResourceForThreadLite", resource, 0x8220_0003)
    try test.value("ExAcquireResourceSharedLite", resource, 1)
    try test.value("ExSetResourceOwnerPointerEx", resource, test.worker.object.address, 1)
    try test.value("ExReleaseResourceForThreadLite", resource, test.worker.object.address)
    #expect(violations(test).isEmpty)
    #expect(try test.bugCheck("ExSetResourceOwnerPointer", resource, 0x8220_0003)[0] == 0xe3)
  }

  @Test("a fast mutex comes with its critical region") func fastMutex() throws {
    let test = try TestKernel()
    let mutex = test.scratch
    try test.store([1, 0, 0, 0x4_0001, 0, UInt32(mutex + 0x14), UInt32(mutex + 0x14), 0], at: mutex)
    try test.value("ExEnterCriticalRegionAndAcquireFastMutexUnsafe", mutex)
    #expect(try test.load(mutex) == 0 && test.value("KeAreApcsDisabled") & 0xff == 1)
    try test.value("ExReleaseFastMutexUnsafeAndLeaveCriticalRegion", mutex)
    #expect(try test.load(mutex) == 1 && test.value("KeAreApcsDisabled") & 0xff == 0)
    try test.value("ExReleaseFastMutexUnsafeAndLeaveCriticalRegion", mutex)
    #expect(violations(test).count == 2)
  }

  // MARK: Push locks

  @Test("a push lock is shared by many or held by one, and is not released otherwise")
  func pushLocks() throws {
    let test = try TestKernel()
    let lock = test.scratch
    try test.value("ExInitializePushLock", lock)
    try test.value("ExfAcquirePushLockShared", lock)
    #expect(try test.value("ExfTryAcquirePushLockShared", lock) & 0xff == 1 && test.load(lock) == 8)
    try test.value("ExfReleasePushLockShared", lock)
    try test.value("ExfReleasePushLock", lock, 4)
    #expect(try test.load(lock) == 0)
    try test.value("ExfAcquirePushLockExclusive", lock)
    #expect(try test.load(lock) == 2 && test.value("ExfTryAcquirePushLockShared", lock) & 0xff == 0)
    try test.value("ExfReleasePushLockExclusive", lock)
    try test.value("ExfTryToWakePushLock", lock)
    try test.value("ExfUnblockPushLock", lock, 0)
    #expect(try test.load(lock) == 0 && violations(test).isEmpty)
    try test.value("ExfReleasePushLockShared", lock)
    #expect(violations(test).count == 1)
  }

  // MARK: Lookaside lists and zones

  @Test("an extended lookaside list brings routines of its own or the system's, which get the list")
  func lookaside() throws {
    let test = try TestKernel()
    let list = test.scratch
    #expect(try test.value("ExInitializeLookasideListEx", list, 0, 0, 2, 0, 0x40, 0x6b6f_6f4c, 0) == 0xc000_00f2)
    #expect(try test.value("ExInitializeLookasideListEx", list, 0, 0, 0, 3, 0x40, 0x6b6f_6f4c, 0) == 0xc000_00f3)
    #expect(try test.value("ExInitializeLookasideListEx", list, 0, 0, 0, 0, 0x40, 0x6b6f_6f4c, 0) == 0)
    #expect(try UInt64(test.load(list + 0x28)) == test.trap("ExpAllocateLookasideEx"))
    let block = try test.value("ExpAllocateLookasideEx", 0, 0x40, 0x6b6f_6f4c, list)
    #expect(block != 0)
    // As ExFreeToLookasideListEx does inline.
    try test.value("InterlockedPushEntrySList", list, block)
    try test.value("ExFlushLookasideListEx", list)
    #expect(try test.half(list + 4) == 0)
    let other = try test.value("ExpAllocateLookasideEx", 0, 0x40, 0x6b6f_6f4c, list)
    try test.value("ExpFreeLookasideEx", other, list)
    try test.value("ExDeleteLookasideListEx", list)
  }

  @Test("a zone hands out the blocks of its segments") func zones() throws {
    let test = try TestKernel()
    let (zone, segment) = (test.scratch, test.scratch + 0x100)
    #expect(try test.value("ExInitializeZone", zone, 0x11, segment, 0x48) == 0xc000_000d)
    #expect(try test.value("ExInitializeZone", zone, 0x10, segment, 0x48) == 0)
    #expect(try test.load(zone + 8) == 0x10 && test.load(zone + 0xc) == 0x48)
    var blocks: [UInt32] = []
    var block = try test.load(zone)
    while block != 0, blocks.count < 10 {
      blocks.append(block)
      block = try test.load(UInt64(block))
    }
    #expect(blocks == [0x38, 0x28, 0x18, 8].map { UInt32(segment) + $0 })
    #expect(try test.value("ExExtendZone", zone, segment + 0x204, 0x48) == 0xc000_0001)
    #expect(try test.value("ExExtendZone", zone, segment + 0x200, 0x18) == 0)
    #expect(try test.value("ExInterlockedExtendZone", zone, segment + 0x300, 0x18, test.scratch + 0x80) == 0)
    #expect(try UInt64(test.load(zone)) == segment + 0x308 && UInt64(test.load(zone + 4)) == segment + 0x300)
  }

  // MARK: Threads

  @Test("a thread's base priority moves with its increment, and stays within its class") func basePriority() throws {
    let test = try TestKernel()
    let thread = test.client.object.address
    #expect(try test.value("KeSetBasePriorityThread", thread, 3) == 0)
    #expect(try test.byte(thread + 0x33) == 11 && test.byte(thread + 0x6c) == 11)
    #expect(try test.value("KeSetBasePriorityThread", thread, 0xffff_fff0) == 3)
    #expect(try test.byte(thread + 0x33) == 1)
    #expect(try test.value("KeSetBasePriorityThread", thread, 0) == 0xffff_fff0)
    #expect(try test.byte(thread + 0x33) == 8)
  }

  @Test("what a thread is told of itself and of the processor") func facts() throws {
    let test = try TestKernel()
    #expect(try test.value("KeGetPreviousMode") == test.value("ExGetPreviousMode"))
    try test.value("KeQuerySystemTimePrecise", test.scratch)
    #expect(try test.load(test.scratch + 4) >> 16 == 0x1c9)
    try test.value("ExGetCurrentProcessorCounts", test.scratch, test.scratch + 4, test.scratch + 8)
    try test.value("ExGetCurrentProcessorCpuUsage", test.scratch + 12)
    #expect(try test.load(test.scratch + 8) == 0 && test.load(test.scratch + 12) <= 100)
    let enabled = try test.value("KeSetKernelStackSwapEnable", 1)
    #expect(try test.value("KeSetKernelStackSwapEnable", enabled & 0xff) & 0xff == 1)
  }

  @Test("several entries leave a queue at once; none in time is STATUS_TIMEOUT, an alert STATUS_ALERTED") func queue() throws {
    let test = try TestKernel()
    let (queue, entries, zero) = (test.scratch, test.scratch + 0x200, test.scratch + 0x300)
    try test.value("KeInitializeQueue", queue, 1)
    for index in UInt64(0)..<3 { try test.value("KeInsertQueue", queue, test.scratch + 0x100 + 8 * index) }
    #expect(try test.value("KeRemoveQueueEx", queue, 0, 0, zero, entries, 2) == 2)
    #expect(try UInt64(test.load(entries)) == test.scratch + 0x100 && UInt64(test.load(entries + 4)) == test.scratch + 0x108)
    #expect(try test.value("KeRemoveQueueEx", queue, 0, 0, zero, entries, 2) == 1)
    #expect(try test.value("KeRemoveQueueEx", queue, 0, 0, zero, entries, 2) == 0x102)
    try test.value("KeAlertThread", test.client.object.address, 0)
    #expect(try test.value("KeRemoveQueueEx", queue, 0, 1, zero, entries, 2) == 0x101)
  }
}
