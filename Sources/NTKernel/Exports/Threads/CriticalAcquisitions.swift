import Guest
import WindowsTypes

extension Export {
  /// Resources and fast mutexes together with the critical region that their owners must be in.
  static let criticalAcquisitions: [Export] = [
    // nf-ntddk-exentercriticalregionandacquireresourceexclusive: the thread's windows, if it has any.
    export("ExEnterCriticalRegionAndAcquireResourceExclusive(Resource)", irql: .apc) {
      (kernel, resource: Pointer<ERESOURCE>) async throws -> Pointer<Void> in
      try kernel.enterCriticalRegion()
      _ = try await kernel.acquire(resource, isExclusive: true, waits: true, starves: false)
      return try kernel.currentThread().Win32Thread.load()
    },
    export("ExEnterCriticalRegionAndAcquireResourceShared(Resource)", irql: .apc) {
      (kernel, resource: Pointer<ERESOURCE>) async throws -> Pointer<Void> in
      try kernel.enterCriticalRegion()
      _ = try await kernel.acquire(resource, isExclusive: false, waits: true, starves: false)
      return try kernel.currentThread().Win32Thread.load()
    },
    export("ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(Resource)", irql: .apc) {
      (kernel, resource: Pointer<ERESOURCE>) async throws -> Pointer<Void> in
      try kernel.enterCriticalRegion()
      _ = try await kernel.acquire(resource, isExclusive: false, waits: true, starves: false, yieldsToExclusive: true)
      return try kernel.currentThread().Win32Thread.load()
    },
    // nf-ntddk-exreleaseresourceandleavecriticalregion
    export("ExReleaseResourceAndLeaveCriticalRegion(Resource)", .fastcall, irql: .dispatch) {
      (kernel, resource: Pointer<ERESOURCE>) in
      try kernel.release(resource, for: kernel.currentThread().address)
      try kernel.leaveCriticalRegion()
    },
    // nf-wdm-exacquiresharedwaitforexclusive: behind those who wait for exclusive access, even where the thread shares it already.
    export("ExAcquireSharedWaitForExclusive(Resource, Wait)", irql: .apc) {
      (kernel, resource: Pointer<ERESOURCE>, wait: UInt8) async throws -> UInt8 in
      try await kernel.acquire(resource, isExclusive: false, waits: wait != 0, starves: false, yieldsToExclusive: true) ? 1 : 0
    },
    // nf-ntifs-exsetresourceownerpointer: the current thread's acquisitions become those of an address.
    export("ExSetResourceOwnerPointer(Resource, OwnerPointer)", irql: .dispatch) {
      (kernel, resource: Pointer<ERESOURCE>, owner: GuestWord) in
      try kernel.setOwner(of: resource, to: owner.bits, isThread: false)
    },
    // nf-ntifs-exsetresourceownerpointerex: FLAG_OWNER_POINTER_IS_THREAD.
    export("ExSetResourceOwnerPointerEx(Resource, OwnerPointer, Flags)", irql: .dispatch) {
      (kernel, resource: Pointer<ERESOURCE>, owner: GuestWord, flags: UInt32) in
      try kernel.setOwner(of: resource, to: owner.bits, isThread: flags & 1 != 0)
    },
    export("ExEnterCriticalRegionAndAcquireFastMutexUnsafe(FastMutex)", .fastcall, irql: .apc) {
      (kernel, mutex: Pointer<FAST_MUTEX>) async throws in
      try kernel.enterCriticalRegion()
      try await kernel.acquire(mutex)
    }
    .uncertain("the routine has no reference page"),
    export("ExReleaseFastMutexUnsafeAndLeaveCriticalRegion(FastMutex)", .fastcall, irql: .apc) {
      (kernel, mutex: Pointer<FAST_MUTEX>) in
      try kernel.release(mutex)
      try kernel.leaveCriticalRegion()
    }
    .uncertain("the routine has no reference page"),
  ]
}

extension Kernel {
  /// Makes the current thread's entry that of `owner`, an address with its two low bits set, or a thread.
  ///
  /// Who has not acquired the resource is RESOURCE_NOT_OWNED (0xE3).
  fileprivate func setOwner(of resource: Pointer<ERESOURCE>, to owner: UInt64, isThread: Bool) throws {
    let thread = try currentThread().address
    if !isThread, owner & 3 != 3 {
      report(violation: "a resource's owner pointer has not both its low bits set: \(hex(owner, memory.target))")
    }
    guard let entry = try entry(of: thread, in: resource) else {
      throw BugCheck(.resourceNotOwned, resource.address, thread, try resource.OwnerTable.load().address, 3)
    }
    // One that shares it already under that name counts on.
    if owner != thread, let other = try self.entry(of: owner, in: resource), try !isExclusive(resource) {
      try other.OwnerCount.store(other.OwnerCount.load() &+ entry.OwnerCount.load())
      try entry.zero()
      try resource.ActiveCount.store(resource.ActiveCount.load() &- 1)
    } else {
      try entry.OwnerThread.store(GuestWord(owner))
    }
  }
}
