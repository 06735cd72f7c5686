import Guest
import WindowsTypes

/// Reader-writer spin locks (`EX_SPIN_LOCK`): a count of readers, or bit 31 for a writer. With one processor, who would spin spins for
/// ever, which is bugcheck 0xF, SPIN_LOCK_ALREADY_OWNED; to release what is not held that way is 0x10, SPIN_LOCK_NOT_OWNED.
extension Export {
  static let readerWriterSpinLocks: [Export] = [
    // nf-wdm-exacquirespinlockexclusive
    export("ExAcquireSpinLockExclusive(SpinLock)", irql: .dispatch) { (kernel, lock: Pointer<UInt32>) -> IRQL in
      let old = try kernel.raiseIRQL(to: .dispatch)
      try lock.acquireExclusive()
      return old
    },
    // nf-wdm-exacquirespinlockexclusiveatdpclevel
    export("ExAcquireSpinLockExclusiveAtDpcLevel(SpinLock)") { (_, lock: Pointer<UInt32>) in try lock.acquireExclusive() },
    // nf-wdm-exreleasespinlockexclusive
    export("ExReleaseSpinLockExclusive(SpinLock, OldIrql)", irql: .dispatch) { (kernel, lock: Pointer<UInt32>, old: IRQL) in
      try lock.releaseExclusive()
      try kernel.lowerIRQL(to: old)
    },
    // nf-wdm-exreleasespinlockexclusivefromdpclevel
    export("ExReleaseSpinLockExclusiveFromDpcLevel(SpinLock)") { (_, lock: Pointer<UInt32>) in try lock.releaseExclusive() },
    // nf-wdm-exacquirespinlockshared
    export("ExAcquireSpinLockShared(SpinLock)", irql: .dispatch) { (kernel, lock: Pointer<UInt32>) -> IRQL in
      let old = try kernel.raiseIRQL(to: .dispatch)
      try lock.acquireShared()
      return old
    },
    // nf-wdm-exacquirespinlocksharedatdpclevel
    export("ExAcquireSpinLockSharedAtDpcLevel(SpinLock)") { (_, lock: Pointer<UInt32>) in try lock.acquireShared() },
    // nf-wdm-exreleasespinlockshared
    export("ExReleaseSpinLockShared(SpinLock, OldIrql)", irql: .dispatch) { (kernel, lock: Pointer<UInt32>, old: IRQL) in
      try lock.releaseShared()
      try kernel.lowerIRQL(to: old)
    },
    // nf-wdm-exreleasespinlocksharedfromdpclevel
    export("ExReleaseSpinLockSharedFromDpcLevel(SpinLock)") { (_, lock: Pointer<UInt32>) in try lock.releaseShared() },
    // nf-wdm-extryconvertsharedspinlockexclusive: only where nobody else shares it.
    export("ExTryConvertSharedSpinLockExclusive(SpinLock)") { (_, lock: Pointer<UInt32>) -> UInt8 in
      guard try lock.load() == 1 else { return 0 }
      try lock.store(Pointer<UInt32>.writer)
      return 1
    },
  ]
}

extension Pointer where Pointee == UInt32 {
  fileprivate static var writer: UInt32 { 0x8000_0000 }

  fileprivate func acquireExclusive() throws {
    guard try load() == 0 else { throw BugCheck(BugCheckCode(rawValue: 0xf), address, 0, 0, 0) }
    try store(Self.writer)
  }

  fileprivate func releaseExclusive() throws {
    guard try load() == Self.writer else { throw BugCheck(BugCheckCode(rawValue: 0x10), address, 0, 0, 0) }
    try store(0)
  }

  fileprivate func acquireShared() throws {
    let readers = try load()
    guard readers < Self.writer - 1 else { throw BugCheck(BugCheckCode(rawValue: 0xf), address, 0, 0, 0) }
    try store(readers + 1)
  }

  fileprivate func releaseShared() throws {
    let readers = try load()
    guard readers > 0, readers < Self.writer else { throw BugCheck(BugCheckCode(rawValue: 0x10), address, 0, 0, 0) }
    try store(readers - 1)
  }
}
