import Guest
import WindowsTypes

/// Spin locks.
///
/// XP's kernel for one processor raises the IRQL and leaves the lock alone. Here the lock's word is kept as its kernel for
/// several does, so that what would hang there is found: to acquire a lock that is held never ends with one processor, which is
/// bugcheck 0xF, SPIN_LOCK_ALREADY_OWNED; to release one that is not is 0x10, SPIN_LOCK_NOT_OWNED.
extension Export {
  static let spinLocks: [Export] = [
    // nf-wdm-keinitializespinlock
    export("KeInitializeSpinLock(SpinLock)") { (_, lock: Pointer<GuestWord>) in try lock.store(0) },
    // nf-wdm-keacquirespinlock
    export("KeAcquireSpinLock(SpinLock, OldIrql)", module: "hal", irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, old: Pointer<IRQL>) in
      try old.store(kernel.raiseAndAcquire(lock))
    },
    // nf-wdm-kereleasespinlock
    export("KeReleaseSpinLock(SpinLock, NewIrql)", module: "hal", irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, new: IRQL) in
      try kernel.release(lock)
      try kernel.lowerIRQL(to: new)
    },
    export("KfAcquireSpinLock(SpinLock)", module: "hal", .fastcall, irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>) -> IRQL in try kernel.raiseAndAcquire(lock)
    },
    export("KfReleaseSpinLock(SpinLock, NewIrql)", module: "hal", .fastcall, irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, new: IRQL) in
      try kernel.release(lock)
      try kernel.lowerIRQL(to: new)
    },
    export("KeAcquireSpinLockRaiseToSynch(SpinLock)", module: "hal", .fastcall) {
      (kernel, lock: Pointer<GuestWord>) -> IRQL in try kernel.raiseAndAcquire(lock)
    },
    // nf-wdm-keacquirespinlockatdpclevel
    export("KeAcquireSpinLockAtDpcLevel(SpinLock)") { (kernel, lock: Pointer<GuestWord>) in try kernel.acquire(lock) },
    export("KefAcquireSpinLockAtDpcLevel(SpinLock)", .fastcall) { (kernel, lock: Pointer<GuestWord>) in
      try kernel.acquire(lock)
    },
    // nf-wdm-kereleasespinlockfromdpclevel
    export("KeReleaseSpinLockFromDpcLevel(SpinLock)") { (kernel, lock: Pointer<GuestWord>) in try kernel.release(lock) },
    export("KefReleaseSpinLockFromDpcLevel(SpinLock)", .fastcall) { (kernel, lock: Pointer<GuestWord>) in
      try kernel.release(lock)
    },
    // nf-ntddk-ketrytoacquirespinlockatdpclevel
    export("KeTryToAcquireSpinLockAtDpcLevel(SpinLock)", .fastcall) { (kernel, lock: Pointer<GuestWord>) -> UInt8 in
      guard try lock.load().bits == 0 else { return 0 }
      try kernel.acquire(lock)
      return 1
    },
    // nf-wdm-ketestspinlock: whether it is free.
    export("KeTestSpinLock(SpinLock)", .fastcall) { (_, lock: Pointer<GuestWord>) -> UInt8 in
      try lock.load().bits == 0 ? 1 : 0
    },
  ]

  static let queuedSpinLocks: [Export] = [
    // nf-wdm-keacquireinstackqueuedspinlock
    export("KeAcquireInStackQueuedSpinLock(SpinLock, LockHandle)", module: "hal", .fastcall, irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, handle: Pointer<KLOCK_QUEUE_HANDLE>) in
      try handle.OldIrql.store(kernel.raiseIRQL(to: .dispatch))
      try kernel.acquire(lock, queuedAt: handle)
    },
    // nf-wdm-kereleaseinstackqueuedspinlock
    export("KeReleaseInStackQueuedSpinLock(LockHandle)", module: "hal", .fastcall, irql: .dispatch) {
      (kernel, handle: Pointer<KLOCK_QUEUE_HANDLE>) in
      try kernel.release(queuedAt: handle)
      try kernel.lowerIRQL(to: handle.OldIrql.load())
    },
    // SYNCH_LEVEL is DISPATCH_LEVEL on a uniprocessor.
    export("KeAcquireInStackQueuedSpinLockRaiseToSynch(SpinLock, LockHandle)", module: "hal", .fastcall) {
      (kernel, lock: Pointer<GuestWord>, handle: Pointer<KLOCK_QUEUE_HANDLE>) in
      try handle.OldIrql.store(kernel.raiseIRQL(to: .dispatch))
      try kernel.acquire(lock, queuedAt: handle)
    },
    // nf-wdm-keacquireinstackqueuedspinlockatdpclevel
    export("KeAcquireInStackQueuedSpinLockAtDpcLevel(SpinLock, LockHandle)", .fastcall) {
      (kernel, lock: Pointer<GuestWord>, handle: Pointer<KLOCK_QUEUE_HANDLE>) in
      try kernel.acquire(lock, queuedAt: handle)
    },
    // nf-wdm-kereleaseinstackqueuedspinlockfromdpclevel
    export("KeReleaseInStackQueuedSpinLockFromDpcLevel(LockHandle)", .fastcall) {
      (kernel, handle: Pointer<KLOCK_QUEUE_HANDLE>) in
      try kernel.release(queuedAt: handle)
    },
    // The kernel's numbered locks, whose places lie in the processor block.
    export("KeAcquireQueuedSpinLock(Number)", module: "hal", .fastcall, irql: .dispatch) { (kernel, number: UInt32) -> IRQL in
      let old = try kernel.raiseIRQL(to: .dispatch)
      try kernel.acquire(kernel.numberedLock(number))
      return old
    },
    export("KeReleaseQueuedSpinLock(Number, OldIrql)", module: "hal", .fastcall, irql: .dispatch) {
      (kernel, number: UInt32, old: IRQL) in
      try kernel.release(kernel.numberedLock(number))
      try kernel.lowerIRQL(to: old)
    },
  ]
}

extension Kernel {
  /// Sets the lock's word; one that is set already would be waited for without end.
  func acquire(_ lock: Pointer<GuestWord>) throws {
    guard try lock.load().bits == 0 else {
      throw BugCheck(BugCheckCode(rawValue: 0xf), lock.address, 0, 0, 0)
    }
    try lock.store(1)
  }

  func release(_ lock: Pointer<GuestWord>) throws {
    guard try lock.load().bits != 0 else {
      throw BugCheck(BugCheckCode(rawValue: 0x10), lock.address, 0, 0, 0)
    }
    try lock.store(0)
  }

  /// At DISPATCH_LEVEL; returns the IRQL before.
  func raiseAndAcquire(_ lock: Pointer<GuestWord>) throws -> IRQL {
    let old = try raiseIRQL(to: .dispatch)
    try acquire(lock)
    return old
  }

  /// Holds `lock`, if it is not null, while `body` runs.
  func withLock<Result>(_ lock: Pointer<GuestWord>, _ body: () throws -> Result) throws -> Result {
    if !lock.isNull {
      try acquire(lock)
      defer { try? lock.store(0) }
      return try body()
    }
    return try body()
  }

  /// A queued lock's word is the place of the last in the queue; bit 1 of the place's lock says that it owns it.
  fileprivate func acquire(_ lock: Pointer<GuestWord>, queuedAt handle: Pointer<KLOCK_QUEUE_HANDLE>) throws {
    guard try lock.load().bits == 0 else { throw BugCheck(BugCheckCode(rawValue: 0xf), lock.address, 0, 0, 0) }
    try handle.LockQueue.Next.store(Pointer(0, in: memory.memory))
    try handle.LockQueue.Lock.store(Pointer(lock.address | 2, in: memory.memory))
    try lock.store(GuestWord(handle.LockQueue.address))
  }

  fileprivate func release(queuedAt handle: Pointer<KLOCK_QUEUE_HANDLE>) throws {
    let lock = Pointer<GuestWord>(try handle.LockQueue.Lock.load().address & ~3, in: memory.memory)
    guard !lock.isNull, try lock.load().bits == handle.LockQueue.address else {
      throw BugCheck(BugCheckCode(rawValue: 0x10), lock.address, 0, 0, 0)
    }
    try handle.LockQueue.Lock.store(lock)
    try lock.store(0)
  }

  /// The word of one of the kernel's numbered locks: the place's own, since nobody queues.
  fileprivate func numberedLock(_ number: UInt32) -> Pointer<GuestWord> {
    kpcr.PrcbData.LockQueue.advanced(by: Int(number & 15)).Next.cast()
  }
}
