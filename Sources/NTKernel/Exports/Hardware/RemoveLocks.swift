import Events
import Guest
import WindowsTypes

/// Remove locks (nf-wdm-ioinitializeremovelock and its like): the common part alone, as in free builds.
extension Export {
  static let removeLocks: [Export] = [
    export("IoInitializeRemoveLockEx(Lock, AllocateTag, MaxLockedMinutes, HighWatermark, RemlockSize)", irql: .passive) {
      (kernel, lock: Pointer<IO_REMOVE_LOCK_COMMON_BLOCK>, tag: UInt32, minutes: UInt32, watermark: UInt32, size: UInt32) in
      try lock.Removed.store(0)
      try lock.IoCount.store(1)
      try kernel.initializeEvent(lock.RemoveEvent, .eventSynchronization, isSet: false)
    }
    .partially("the additional checks of a checked build's larger lock are not made"),
    // STATUS_DELETE_PENDING once it is being removed.
    export("IoAcquireRemoveLockEx(RemoveLock, Tag, File, Line, RemlockSize)", irql: .dispatch) {
      (
        _, lock: Pointer<IO_REMOVE_LOCK_COMMON_BLOCK>, tag: GuestWord, file: GuestWord, line: UInt32, size: UInt32
      ) -> NTSTATUS in
      try lock.IoCount.store(lock.IoCount.load() &+ 1)
      guard try lock.Removed.load() != 0 else { return .success }
      let left = try lock.IoCount.load() &- 1
      try lock.IoCount.store(left)
      return .deletePending
    },
    export("IoReleaseRemoveLockEx(RemoveLock, Tag, RemlockSize)", irql: .dispatch) {
      (kernel, lock: Pointer<IO_REMOVE_LOCK_COMMON_BLOCK>, tag: GuestWord, size: UInt32) in
      let left = try lock.IoCount.load() &- 1
      try lock.IoCount.store(left)
      if left < 0 { kernel.report(violation: "a remove lock is released more often than it was acquired") }
      if left == 0 { try kernel.set(lock.RemoveEvent) }
    },
    // Waits until the last one is released; the caller's own goes, and so does the one that the lock began with.
    export("IoReleaseRemoveLockAndWaitEx(RemoveLock, Tag, RemlockSize)", irql: .passive) {
      (kernel, lock: Pointer<IO_REMOVE_LOCK_COMMON_BLOCK>, tag: GuestWord, size: UInt32) async throws in
      try lock.Removed.store(1)
      let left = try lock.IoCount.load() &- 2
      try lock.IoCount.store(left)
      if left > 0 { _ = try await kernel.waiting([lock.RemoveEvent.Header]) }
    },
  ]
}
