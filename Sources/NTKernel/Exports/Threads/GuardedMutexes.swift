import Guest
import WindowsTypes

extension Export {
  /// Guarded mutexes: fast mutexes whose owner is in a guarded region.
  static let guardedMutexes: [Export] = [
    // nf-wdm-keinitializeguardedmutex
    export("KeInitializeGuardedMutex(Mutex)", .fastcall, irql: .apc) { (kernel, mutex: Pointer<KGUARDED_MUTEX>) in
      try mutex.zero()
      try mutex.Count.store(KGUARDED_MUTEX.lockBit)
      try kernel.initializeEvent(mutex.Gate, .eventSynchronization, isSet: false)
    },
    // nf-wdm-keacquireguardedmutex
    export("KeAcquireGuardedMutex(Mutex)", .fastcall, irql: .apc) { (kernel, mutex: Pointer<KGUARDED_MUTEX>) async throws in
      try kernel.enterGuardedRegion()
      try await kernel.acquire(mutex)
      try mutex.SpecialApcDisable.store(kernel.currentThread().specialDisable.load())
    },
    // nf-wdm-kereleaseguardedmutex
    export("KeReleaseGuardedMutex(Mutex)", .fastcall, irql: .apc) { (kernel, mutex: Pointer<KGUARDED_MUTEX>) in
      try kernel.release(mutex)
      try kernel.leaveGuardedRegion()
    },
    // nf-wdm-ketrytoacquireguardedmutex
    export("KeTryToAcquireGuardedMutex(Mutex)", .fastcall, irql: .apc) { (kernel, mutex: Pointer<KGUARDED_MUTEX>) -> UInt8 in
      guard try mutex.Count.load() & KGUARDED_MUTEX.lockBit != 0 else { return 0 }
      try kernel.enterGuardedRegion()
      try mutex.Count.store(mutex.Count.load() & ~KGUARDED_MUTEX.lockBit)
      try mutex.Owner.store(kernel.currentThread())
      try mutex.SpecialApcDisable.store(kernel.currentThread().specialDisable.load())
      return 1
    },
    // nf-wdm-keacquireguardedmutexunsafe: the caller is in a guarded region already, or at APC_LEVEL.
    export("KeAcquireGuardedMutexUnsafe(FastMutex)", .fastcall, irql: .apc) {
      (kernel, mutex: Pointer<KGUARDED_MUTEX>) async throws in
      try kernel.checkUnsafe(mutex, "acquired")
      try await kernel.acquire(mutex)
    },
    // nf-wdm-kereleaseguardedmutexunsafe
    export("KeReleaseGuardedMutexUnsafe(FastMutex)", .fastcall, irql: .apc) { (kernel, mutex: Pointer<KGUARDED_MUTEX>) in
      try kernel.checkUnsafe(mutex, "released")
      try kernel.release(mutex)
    },
  ]
}

extension Kernel {
  fileprivate func acquire(_ mutex: Pointer<KGUARDED_MUTEX>) async throws {
    let (count, thread) = (try mutex.Count.load(), try currentThread())
    if count & KGUARDED_MUTEX.lockBit != 0 {
      try mutex.Count.store(count & ~KGUARDED_MUTEX.lockBit)
    } else {
      if try mutex.Owner.load() == thread {
        report(violation: "the guarded mutex at \(mutex) is acquired by the thread that owns it, which waits for itself")
      }
      try mutex.Contention.store(mutex.Contention.load() &+ 1)
      try mutex.Count.store(count &+ KGUARDED_MUTEX.waiter)
      // Whoever releases it hands it over.
      try await waiting([mutex.Gate.Header], "the guarded mutex at \(mutex)") { try mutex.Owner.load() }
    }
    try mutex.Owner.store(thread)
  }

  fileprivate func release(_ mutex: Pointer<KGUARDED_MUTEX>) throws {
    if try mutex.Owner.load() != currentThread() {
      report(violation: "the guarded mutex at \(mutex) is released by a thread that does not own it")
    }
    try mutex.Owner.store(Pointer(0, in: memory.memory))
    let count = try mutex.Count.load()
    guard count >= KGUARDED_MUTEX.waiter else { return try mutex.Count.store(count | KGUARDED_MUTEX.lockBit) }
    try mutex.Count.store(count &- KGUARDED_MUTEX.waiter)
    try set(mutex.Gate)
  }

  /// The unsafe routines are for callers whom no APC reaches.
  fileprivate func checkUnsafe(_ mutex: Pointer<KGUARDED_MUTEX>, _ what: String) throws {
    guard try !currentThread().areAllDisabled, try kpcr.Irql.load() < .apc else { return }
    report(violation: "the guarded mutex at \(mutex) is \(what) by an Unsafe routine where APCs may come")
  }

  /// Waits for `objects`, which stand for something that `owner` has.
  func waiting(
    _ objects: [DispatcherObject], _ what: String, owner: @escaping () throws -> Pointer<KTHREAD>
  ) async throws {
    let thread = running
    let outer = thread?.purpose
    let title = (try? owner()).flatMap { self.thread(at: $0.address) }.map { what + ", which \($0.name) of \($0.owner.name) owns" }
    thread?.purpose = WaitPurpose(title ?? what) { [self] in (try? owner()).flatMap { self.thread(at: $0.address) }.map { [$0] } ?? [] }
    defer { thread?.purpose = outer }
    _ = try await waiting(objects)
  }
}
