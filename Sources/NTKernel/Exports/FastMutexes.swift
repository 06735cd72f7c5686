import Guest
import WindowsTypes

extension Export {
  /// Fast mutexes. `ExInitializeFastMutex` is a macro: a count of 1, and a synchronization event.
  static let fastMutexes: [Export] = [
    // nf-wdm-exacquirefastmutex: the caller runs at APC_LEVEL until it releases the mutex.
    export("ExAcquireFastMutex(FastMutex)", module: "hal", .fastcall, irql: .apc) {
      (kernel, mutex: Pointer<FAST_MUTEX>) async throws -> UInt32 in
      let old = try kernel.raiseIRQL(to: .apc)
      try await kernel.acquire(mutex)
      try mutex.OldIrql.store(UInt32(old.rawValue))
      return 0
    },
    // nf-wdm-exreleasefastmutex
    export("ExReleaseFastMutex(FastMutex)", module: "hal", .fastcall, irql: .apc) { (kernel, mutex: Pointer<FAST_MUTEX>) in
      let old = IRQL(rawValue: UInt8(truncatingIfNeeded: try mutex.OldIrql.load()))
      try kernel.release(mutex)
      try kernel.lowerIRQL(to: old)
    },
    // nf-wdm-extrytoacquirefastmutex
    export("ExTryToAcquireFastMutex(FastMutex)", module: "hal", .fastcall, irql: .apc) {
      (kernel, mutex: Pointer<FAST_MUTEX>) -> UInt8 in
      guard try mutex.Count.load() == 1 else { return 0 }
      let old = try kernel.raiseIRQL(to: .apc)
      try mutex.Count.store(0)
      try mutex.Owner.store(kernel.currentThread())
      try mutex.OldIrql.store(UInt32(old.rawValue))
      return 1
    },
    // nf-wdm-exacquirefastmutexunsafe: the caller has seen to it that no APC comes.
    export("ExAcquireFastMutexUnsafe(FastMutex)", .fastcall, irql: .apc) {
      (kernel, mutex: Pointer<FAST_MUTEX>) async throws -> UInt32 in
      try await kernel.acquire(mutex)
      return 0
    },
    // nf-wdm-exreleasefastmutexunsafe
    export("ExReleaseFastMutexUnsafe(FastMutex)", .fastcall, irql: .apc) { (kernel, mutex: Pointer<FAST_MUTEX>) in
      try kernel.release(mutex)
    },
  ]
}

extension Kernel {
  /// Takes a fast mutex, or waits for its event: whoever releases it hands it over.
  func acquire(_ mutex: Pointer<FAST_MUTEX>) async throws {
    let count = try mutex.Count.load() - 1
    try mutex.Count.store(count)
    if count != 0 {
      if try mutex.Owner.load() == currentThread() {
        report(violation: "the fast mutex at \(mutex) is acquired by the thread that owns it, which waits for itself")
      }
      try mutex.Contention.store(mutex.Contention.load() &+ 1)
      try await waiting([mutex.Event.Header], "the fast mutex at \(mutex)") { try mutex.Owner.load() }
    }
    try mutex.Owner.store(currentThread())
  }

  func release(_ mutex: Pointer<FAST_MUTEX>) throws {
    if try mutex.Owner.load() != currentThread() {
      report(violation: "the fast mutex at \(mutex) is released by a thread that does not own it")
    }
    try mutex.Owner.store(Pointer(0, in: memory.memory))
    let count = try mutex.Count.load() + 1
    try mutex.Count.store(count)
    guard count <= 0 else { return }
    try mutex.Event.Header.SignalState.store(1)
    try signal(mutex.Event.Header)
  }
}
