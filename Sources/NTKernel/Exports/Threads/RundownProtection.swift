import Guest
import WindowsTypes

/// Run-down protection: a count in steps of 2, and bit 0 once the object is being run down; then the rest is the address of what
/// waits (`EX_RUNDOWN_REF`, public symbols).
extension Export {
  static let rundownProtection: [Export] = [
    // nf-wdm-exinitializerundownprotection
    export("ExInitializeRundownProtection(RunRef)", .fastcall, irql: .dispatch) { (_, reference: Pointer<EX_RUNDOWN_REF>) in
      try reference.Count.store(0)
    },
    // nf-wdm-exreinitializerundownprotection
    export("ExReInitializeRundownProtection(RunRef)", .fastcall, irql: .dispatch) { (_, reference: Pointer<EX_RUNDOWN_REF>) in
      try reference.Count.store(0)
    },
    // nf-wdm-exacquirerundownprotection: FALSE once the object is being run down.
    export("ExAcquireRundownProtection(RunRef)", .fastcall, irql: .dispatch) {
      (kernel, reference: Pointer<EX_RUNDOWN_REF>) -> UInt8 in try reference.acquire(1)
    },
    // nf-wdm-exacquirerundownprotectionex
    export("ExAcquireRundownProtectionEx(RunRef, Count)", .fastcall, irql: .dispatch) {
      (kernel, reference: Pointer<EX_RUNDOWN_REF>, count: UInt32) -> UInt8 in try reference.acquire(count)
    },
    // nf-wdm-exreleaserundownprotection
    export("ExReleaseRundownProtection(RunRef)", .fastcall, irql: .dispatch) { (kernel, reference: Pointer<EX_RUNDOWN_REF>) in
      try kernel.release(reference, 1)
    },
    // nf-wdm-exreleaserundownprotectionex
    export("ExReleaseRundownProtectionEx(RunRef, Count)", .fastcall, irql: .dispatch) {
      (kernel, reference: Pointer<EX_RUNDOWN_REF>, count: UInt32) in try kernel.release(reference, count)
    },
    // nf-wdm-exwaitforrundownprotectionrelease
    export("ExWaitForRundownProtectionRelease(RunRef)", .fastcall, irql: .apc) {
      (kernel, reference: Pointer<EX_RUNDOWN_REF>) async throws in try await kernel.runDown(reference)
    },
    // nf-wdm-exrundowncompleted
    export("ExRundownCompleted(RunRef)", .fastcall, irql: .dispatch) { (_, reference: Pointer<EX_RUNDOWN_REF>) in
      try reference.Count.store(1)
    },
    // nf-wdm-exsizeofrundownprotectioncacheaware: the header and one reference, since there is one processor.
    export("ExSizeOfRundownProtectionCacheAware()") { _ -> GuestWord in GuestWord(Kernel.cacheAwareSize) },
    // nf-wdm-exallocatecacheawarerundownprotection
    export("ExAllocateCacheAwareRundownProtection(PoolType, PoolTag)", irql: .dispatch) {
      (kernel, type: POOL_TYPE, tag: UInt32) -> GuestWord in
      guard let block = try kernel.allocatePool(Kernel.cacheAwareSize, tag: tag) else { return 0 }
      try kernel.initializeCacheAware(block, isInPool: true)
      return GuestWord(block)
    },
    // nf-wdm-exfreecacheawarerundownprotection
    export("ExFreeCacheAwareRundownProtection(RunRefCacheAware)", irql: .dispatch) { (kernel, block: GuestWord) in
      try kernel.freePool(block.bits)
    },
    // nf-wdm-exinitializerundownprotectioncacheaware
    export("ExInitializeRundownProtectionCacheAware(RunRefCacheAware, RunRefSize)", irql: .dispatch) {
      (kernel, block: GuestWord, size: GuestWord) in
      try kernel.initializeCacheAware(block.bits, isInPool: false)
    },
    // nf-wdm-exreinitializerundownprotectioncacheaware
    export("ExReInitializeRundownProtectionCacheAware(RunRefCacheAware)", .fastcall, irql: .dispatch) {
      (kernel, block: Pointer<Pointer<EX_RUNDOWN_REF>>) in try block.load().Count.store(0)
    },
    // nf-wdm-exacquirerundownprotectioncacheaware
    export("ExAcquireRundownProtectionCacheAware(RunRefCacheAware)", .fastcall, irql: .dispatch) {
      (kernel, block: Pointer<Pointer<EX_RUNDOWN_REF>>) -> UInt8 in try block.load().acquire(1)
    },
    // nf-wdm-exacquirerundownprotectioncacheawareex
    export("ExAcquireRundownProtectionCacheAwareEx(RunRefCacheAware, Count)", .fastcall, irql: .dispatch) {
      (kernel, block: Pointer<Pointer<EX_RUNDOWN_REF>>, count: UInt32) -> UInt8 in try block.load().acquire(count)
    },
    // nf-wdm-exreleaserundownprotectioncacheaware
    export("ExReleaseRundownProtectionCacheAware(RunRefCacheAware)", .fastcall, irql: .dispatch) {
      (kernel, block: Pointer<Pointer<EX_RUNDOWN_REF>>) in try kernel.release(block.load(), 1)
    },
    // nf-wdm-exreleaserundownprotectioncacheawareex
    export("ExReleaseRundownProtectionCacheAwareEx(RunRef, Count)", .fastcall, irql: .dispatch) {
      (kernel, block: Pointer<Pointer<EX_RUNDOWN_REF>>, count: UInt32) in try kernel.release(block.load(), count)
    },
    // nf-wdm-exwaitforrundownprotectionreleasecacheaware
    export("ExWaitForRundownProtectionReleaseCacheAware(RunRef)", .fastcall, irql: .apc) {
      (kernel, block: Pointer<Pointer<EX_RUNDOWN_REF>>) async throws in try await kernel.runDown(block.load())
    },
    // nf-wdm-exrundowncompletedcacheaware
    export("ExRundownCompletedCacheAware(RunRefCacheAware)", .fastcall, irql: .dispatch) {
      (kernel, block: Pointer<Pointer<EX_RUNDOWN_REF>>) in try block.load().Count.store(1)
    },
  ]
}

extension Pointer where Pointee == EX_RUNDOWN_REF {
  fileprivate func acquire(_ count: UInt32) throws -> UInt8 {
    let value = try self.Count.load().bits
    guard value & 1 == 0 else { return 0 }
    try self.Count.store(GuestWord((value &+ 2 * UInt64(count)) & 0xffff_ffff))
    return 1
  }
}

extension Kernel {
  /// The reference behind a header of four words: its place, whether the block is the system's own, a reference's size, and how many.
  fileprivate static let cacheAwareSize: UInt64 = 0x14

  fileprivate func initializeCacheAware(_ block: UInt64, isInPool: Bool) throws {
    let words: [UInt32] = [UInt32(truncatingIfNeeded: block &+ 0x10), isInPool ? UInt32(truncatingIfNeeded: block) : 0, 4, 1, 0]
    try Pointer<GuestWord>(block, in: memory.memory).store(words)
  }

  /// What waits for a run-down: an event, and how many references are left.
  private func left(_ reference: Pointer<EX_RUNDOWN_REF>) throws -> (block: UInt64, count: Pointer<UInt32>)? {
    let value = try reference.Count.load().bits
    guard value & 1 != 0, value > 1 else { return nil }
    return (value & ~1, Pointer(value & ~1 &+ 0x10, in: memory.memory))
  }

  fileprivate func release(_ reference: Pointer<EX_RUNDOWN_REF>, _ count: UInt32) throws {
    let value = try reference.Count.load().bits
    if let (block, left) = try left(reference) {
      let rest = try left.load()
      if rest < count { report(violation: "run-down protection at \(reference) is released more often than acquired") }
      try left.store(rest > count ? rest - count : 0)
      if rest <= count { try set(Pointer<KEVENT>(block, in: memory.memory)) }
      return
    }
    guard value & 1 == 0, value >= 2 * UInt64(count) else {
      return report(violation: "run-down protection at \(reference) is released more often than acquired")
    }
    try reference.Count.store(GuestWord(value - 2 * UInt64(count)))
  }

  /// Lets nobody in any more, and waits for those who are.
  fileprivate func runDown(_ reference: Pointer<EX_RUNDOWN_REF>) async throws {
    let value = try reference.Count.load().bits
    guard value & ~1 != 0 else { return try reference.Count.store(1) }
    if value & 1 != 0 { report(violation: "the object of the run-down protection at \(reference) is being run down already") }
    let here = memory.memory
    let event = Pointer<KEVENT>(try allocate(0x14), in: here)
    defer { _ = nonPagedPool.free(event.address) }
    try initializeEvent(event, .eventSynchronization, isSet: false)
    try here.store(UInt32(truncatingIfNeeded: value >> 1), at: event.address + 0x10)
    try reference.Count.store(GuestWord(event.address | 1))
    let thread = running
    thread?.purpose = WaitPurpose("the release of the run-down protection at \(reference)")
    defer { thread?.purpose = nil }
    _ = try await waiting([event.Header])
    try reference.Count.store(1)
  }
}
