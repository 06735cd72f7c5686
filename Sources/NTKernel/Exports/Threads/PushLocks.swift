import Guest
import WindowsTypes

/// Push locks: a word with how many share the lock, or that one has it alone, and whether somebody waits.
///
/// Guest code takes and gives back a lock that nobody waits for by itself; these are what it calls otherwise. XP's word has other bits
/// than later ones (`EX_PUSH_LOCK`, public symbols). Whoever waits is on a list of the kernel's here, not behind the word.
extension Export {
  static let pushLocks: [Export] = [
    // nf-ntifs-exinitializepushlock
    export("ExInitializePushLock(PushLock)") { (_, lock: Pointer<EX_PUSH_LOCK>) in try lock.Value.store(0) },
    export("ExfAcquirePushLockExclusive(PushLock)", .fastcall, irql: .apc) { (kernel, lock: Pointer<EX_PUSH_LOCK>) async throws in
      try await kernel.acquire(lock, isExclusive: true)
    }
    .uncertain("the routine has no reference page"),
    export("ExfAcquirePushLockShared(PushLock)", .fastcall, irql: .apc) { (kernel, lock: Pointer<EX_PUSH_LOCK>) async throws in
      try await kernel.acquire(lock, isExclusive: false)
    }
    .uncertain("the routine has no reference page"),
    export("ExfTryAcquirePushLockShared(PushLock)", .fastcall, irql: .apc) { (kernel, lock: Pointer<EX_PUSH_LOCK>) -> UInt8 in
      try kernel.take(lock, isExclusive: false) ? 1 : 0
    }
    .uncertain("the routine has no reference page"),
    export("ExfReleasePushLockExclusive(PushLock)", .fastcall, irql: .apc) { (kernel, lock: Pointer<EX_PUSH_LOCK>) in
      try kernel.release(lock, wasExclusive: true)
    }
    .uncertain("the routine has no reference page"),
    export("ExfReleasePushLockShared(PushLock)", .fastcall, irql: .apc) { (kernel, lock: Pointer<EX_PUSH_LOCK>) in
      try kernel.release(lock, wasExclusive: false)
    }
    .uncertain("the routine has no reference page"),
    // The second argument is the word as the caller has last seen it.
    export("ExfReleasePushLock(PushLock, OldValue)", .fastcall, irql: .apc) { (kernel, lock: Pointer<EX_PUSH_LOCK>, old: GuestWord) in
      try kernel.release(lock, wasExclusive: nil)
    }
    .uncertain("the routine has no reference page"),
    // After a release that guest code has made by itself.
    export("ExfTryToWakePushLock(PushLock)", .fastcall, irql: .apc) { (kernel, lock: Pointer<EX_PUSH_LOCK>) in
      try kernel.admitWaiters(of: lock)
    }
    .uncertain("the routine has no reference page"),
    export("ExfUnblockPushLock(PushLock, WaitBlock)", .fastcall, irql: .apc) {
      (kernel, lock: Pointer<EX_PUSH_LOCK>, block: GuestWord) in
      try kernel.admitWaiters(of: lock)
    }
    .partially("nothing can wait by ExBlockPushLock, which is not there: those are woken who wait for the lock itself"),
  ]
}

extension Kernel {
  /// Takes a push lock, behind those who wait for it.
  package func acquire(_ lock: Pointer<EX_PUSH_LOCK>, isExclusive: Bool) async throws {
    guard let thread = running else { throw KernelError("no thread runs") }
    if pushLockOwners[lock.address] === thread, try lock.isExclusive() {
      report(violation: "the push lock at \(lock) is acquired by the thread that has it alone, which waits for itself")
    }
    if try take(lock, isExclusive: isExclusive) { return }
    pushLockWaiters[lock.address, default: []].append(ResourceWaiter(thread: thread, isExclusive: isExclusive))
    try lock.store(bits: \.Waiting, 1)
    _ = try await block(
      WaitPurpose("the push lock at \(lock)") { [self] in pushLockOwners[lock.address].map { [$0] } ?? [] })
  }

  /// Takes a push lock that is free, or that is shared and is to be, if nobody waits for it.
  fileprivate func take(_ lock: Pointer<EX_PUSH_LOCK>, isExclusive: Bool) throws -> Bool {
    guard pushLockWaiters[lock.address]?.isEmpty ?? true else { return false }
    return try take(lock, for: running, isExclusive: isExclusive)
  }

  private func take(_ lock: Pointer<EX_PUSH_LOCK>, for thread: Thread?, isExclusive: Bool) throws -> Bool {
    let shares = try lock.load(bits: \.Shared)
    guard try !lock.isExclusive(), !isExclusive || shares == 0 else { return false }
    if isExclusive {
      try lock.set(isExclusive: true, shares: 0)
      pushLockOwners[lock.address] = thread
    } else {
      try lock.set(isExclusive: false, shares: shares + 1)
    }
    return true
  }

  /// - Parameter wasExclusive: how the caller says that it held the lock; `nil` where the word tells.
  package func release(_ lock: Pointer<EX_PUSH_LOCK>, wasExclusive: Bool?) throws {
    let (isExclusive, shares) = (try lock.isExclusive(), try lock.load(bits: \.Shared))
    guard wasExclusive ?? isExclusive ? isExclusive : shares > 0 else {
      return report(violation: "the push lock at \(lock) is released, and is not held that way")
    }
    if isExclusive {
      try lock.set(isExclusive: false, shares: 0)
      pushLockOwners[lock.address] = nil
    } else {
      try lock.set(isExclusive: false, shares: shares - 1)
    }
    try admitWaiters(of: lock)
  }

  /// Lets in whoever waits, in order: one alone, or all who share up to the next such.
  fileprivate func admitWaiters(of lock: Pointer<EX_PUSH_LOCK>) throws {
    while let first = pushLockWaiters[lock.address]?.first, try take(lock, for: first.thread, isExclusive: first.isExclusive) {
      pushLockWaiters[lock.address]?.removeFirst()
      try wake(first.thread, .success)
    }
    guard pushLockWaiters[lock.address]?.isEmpty ?? true else { return }
    pushLockWaiters[lock.address] = nil
    try lock.store(bits: \.Waiting, 0)
  }
}

extension Pointer where Pointee == EX_PUSH_LOCK {
  /// Later words than XP's say with one bit that the lock is held at all, and with a count that it is shared.
  private var hasLockedBit: Bool { EX_PUSH_LOCK.layouts[memory.target].Exclusive.isAbsent }

  /// Whether one has it alone.
  fileprivate func isExclusive() throws -> Bool {
    guard hasLockedBit else { return try load(bits: \.Exclusive) != 0 }
    return try load(bits: \.Locked) != 0 && load(bits: \.Shared) == 0
  }

  fileprivate func set(isExclusive: Bool, shares: UInt64) throws {
    if hasLockedBit {
      try store(bits: \.Locked, isExclusive || shares > 0 ? 1 : 0)
    } else {
      try store(bits: \.Exclusive, isExclusive ? 1 : 0)
    }
    try store(bits: \.Shared, shares)
  }
}
