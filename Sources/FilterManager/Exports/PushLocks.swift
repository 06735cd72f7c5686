import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Push locks: held by one thread, or shared by many, in a critical region. The word is the owner's bit and a count of sharers.
  static let pushLocks: [Export] = [
    // nf-fltkernel-fltinitializepushlock
    export("FltInitializePushLock(PushLock)", module: "fltMgr", irql: .dispatch) { (kernel, lock: Pointer<UInt32>) in
      try lock.store(0)
    },
    // nf-fltkernel-fltdeletepushlock
    export("FltDeletePushLock(PushLock)", module: "fltMgr", irql: .dispatch) { (kernel, lock: Pointer<UInt32>) in
      if try lock.load() != 0 { kernel.report(violation: "FltDeletePushLock is called for a lock that is held") }
    },
    // nf-fltkernel-fltacquirepushlockexclusive
    export("FltAcquirePushLockExclusive(PushLock)", module: "fltMgr", irql: .apc) { (kernel, lock: Pointer<UInt32>) async throws in
      try await kernel.acquirePushLock(lock, isShared: false)
    },
    // nf-fltkernel-fltacquirepushlockshared
    export("FltAcquirePushLockShared(PushLock)", module: "fltMgr", irql: .apc) { (kernel, lock: Pointer<UInt32>) async throws in
      try await kernel.acquirePushLock(lock, isShared: true)
    },
    // nf-fltkernel-fltreleasepushlock
    export("FltReleasePushLock(PushLock)", module: "fltMgr", irql: .apc) { (kernel, lock: Pointer<UInt32>) async throws in
      try await kernel.releasePushLock(lock)
    },
  ]
}

extension Kernel {
  /// `EX_PUSH_LOCK_LOCK`, and what each sharer adds (`EX_PUSH_LOCK_SHARE_INC`).
  private static let owned: UInt32 = 1
  private static let share: UInt32 = 0x10

  fileprivate func acquirePushLock(_ lock: Pointer<UInt32>, isShared: Bool) async throws {
    _ = try await call(trapAddress(of: "KeEnterCriticalRegion"), [])
    while case let value = try lock.load(), value != 0 {
      // A sharer joins sharers, unless somebody waits to have it alone.
      if isShared, value >= Self.share, filterManager.pushLockWaiters[lock.address, default: []].isEmpty { break }
      guard let thread = running else { return }
      filterManager.pushLockWaiters[lock.address, default: []].append(thread)
      defer { filterManager.pushLockWaiters[lock.address]?.removeAll { $0 === thread } }
      let owner = filterManager.pushLockOwners[lock.address]
      _ = try await block(
        WaitPurpose("the push lock at \(hex(lock.address))", awaited: { owner.map { [$0] } ?? [] }))
    }
    try lock.store(isShared ? (lock.load() | Self.owned) &+ Self.share : Self.owned)
    filterManager.pushLockOwners[lock.address] = isShared ? nil : running
  }

  fileprivate func releasePushLock(_ lock: Pointer<UInt32>) async throws {
    let value = try lock.load()
    if value == 0 {
      report(violation: "FltReleasePushLock is called for a lock that nobody holds")
    } else {
      // The last sharer, or the owner.
      let left = value >= Self.share * 2 ? value - Self.share : 0
      try lock.store(left)
      filterManager.pushLockOwners[lock.address] = nil
      if left == 0 { for thread in filterManager.pushLockWaiters[lock.address] ?? [] { try wake(thread, .success) } }
    }
    _ = try await call(trapAddress(of: "KeLeaveCriticalRegion"), [])
  }
}
