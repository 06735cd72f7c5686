import Guest
import WindowsTypes

extension Export {
  /// Executive resources: many readers or one writer, each as often as it likes.
  static let resources: [Export] = [
    // nf-wdm-exinitializeresourcelite
    export("ExInitializeResourceLite(Resource)", irql: .dispatch) { (kernel, resource: Pointer<ERESOURCE>) -> NTSTATUS in
      kernel.unregister(Kernel.resource, resource.address)
      kernel.register(Kernel.resource, resource.address)
      try resource.zero()
      try resource.SystemResourcesList.initialize()
      return .success
    },
    // nf-wdm-exreinitializeresourcelite
    export("ExReinitializeResourceLite(Resource)", irql: .dispatch) { (kernel, resource: Pointer<ERESOURCE>) -> NTSTATUS in
      try resource.ActiveCount.store(0)
      try resource.Flag.store(0)
      for entry in try kernel.entries(of: resource) { try entry.zero() }
      kernel.resourceWaiters[resource.address] = nil
      try resource.sharedWaiters.store(0)
      try resource.exclusiveWaiters.store(0)
      try resource.ContentionCount.store(0)
      return .success
    },
    // nf-wdm-exdeleteresourcelite
    export("ExDeleteResourceLite(Resource)", irql: .dispatch) { (kernel, resource: Pointer<ERESOURCE>) -> NTSTATUS in
      kernel.resourceWaiters[resource.address] = nil
      kernel.unregister(Kernel.resource, resource.address)
      let table = try resource.OwnerTable.load()
      if !table.isNull { try kernel.freePool(table.address) }
      try resource.OwnerTable.store(Pointer(0, in: kernel.memory.memory))
      return .success
    },
    // nf-wdm-exacquireresourceexclusivelite
    export("ExAcquireResourceExclusiveLite(Resource, Wait)", irql: .apc) {
      (kernel, resource: Pointer<ERESOURCE>, wait: UInt8) async throws -> UInt8 in
      try await kernel.acquire(resource, isExclusive: true, waits: wait != 0, starves: false) ? 1 : 0
    },
    // nf-wdm-exacquireresourcesharedlite: waits behind those who wait for exclusive access.
    export("ExAcquireResourceSharedLite(Resource, Wait)", irql: .apc) {
      (kernel, resource: Pointer<ERESOURCE>, wait: UInt8) async throws -> UInt8 in
      try await kernel.acquire(resource, isExclusive: false, waits: wait != 0, starves: false) ? 1 : 0
    },
    // nf-wdm-exacquiresharedstarveexclusive
    export("ExAcquireSharedStarveExclusive(Resource, Wait)", irql: .apc) {
      (kernel, resource: Pointer<ERESOURCE>, wait: UInt8) async throws -> UInt8 in
      try await kernel.acquire(resource, isExclusive: false, waits: wait != 0, starves: true) ? 1 : 0
    },
    // nf-wdm-exreleaseresourcelite: the fastcall form is what the macro calls.
    export("ExReleaseResourceLite(Resource)", .fastcall, irql: .dispatch) { (kernel, resource: Pointer<ERESOURCE>) in
      try kernel.release(resource, for: kernel.currentThread().address)
    },
    // nf-wdm-exreleaseresourceforthreadlite
    export("ExReleaseResourceForThreadLite(Resource, ResourceThreadId)", irql: .dispatch) {
      (kernel, resource: Pointer<ERESOURCE>, thread: GuestWord) in
      try kernel.release(resource, for: thread.bits)
    },
    // nf-wdm-exisresourceacquiredexclusivelite
    export("ExIsResourceAcquiredExclusiveLite(Resource)", irql: .dispatch) { (kernel, resource: Pointer<ERESOURCE>) -> UInt8 in
      try kernel.isExclusive(resource) && resource.owners[0].OwnerThread.load().bits == kernel.currentThread().address ? 1 : 0
    },
    // nf-wdm-exisresourceacquiredsharedlite: how often, exclusively or shared.
    export("ExIsResourceAcquiredSharedLite(Resource)", irql: .dispatch) { (kernel, resource: Pointer<ERESOURCE>) -> UInt32 in
      UInt32(try kernel.entry(of: kernel.currentThread().address, in: resource)?.ownerCount.load() ?? 0)
    },
    // nf-wdm-exconvertexclusivetosharedlite
    export("ExConvertExclusiveToSharedLite(Resource)", irql: .dispatch) { (kernel, resource: Pointer<ERESOURCE>) in
      try resource.Flag.store(resource.Flag.load() & ~Kernel.ownedExclusive)
      try kernel.admitWaiters(of: resource)
    },
    // nf-wdm-exgetexclusivewaitercount
    export("ExGetExclusiveWaiterCount(Resource)", irql: .dispatch) { (_, resource: Pointer<ERESOURCE>) -> UInt32 in
      UInt32(try resource.exclusiveWaiters.load())
    },
    // nf-wdm-exgetsharedwaitercount
    export("ExGetSharedWaiterCount(Resource)", irql: .dispatch) { (_, resource: Pointer<ERESOURCE>) -> UInt32 in
      UInt32(try resource.sharedWaiters.load())
    },
  ]
}

/// A thread that waits for a resource.
struct ResourceWaiter {
  let thread: Thread
  let isExclusive: Bool
}

extension Kernel {
  /// `ResourceOwnedExclusive`, a bit of `ERESOURCE.Flag`.
  static let ownedExclusive: UInt16 = 0x80

  func isExclusive(_ resource: Pointer<ERESOURCE>) throws -> Bool { try resource.Flag.load() & Self.ownedExclusive != 0 }

  /// The entry that counts a thread's acquisitions: one of the two in the resource, or one of its table.
  func entry(of thread: UInt64, in resource: Pointer<ERESOURCE>) throws -> Pointer<OWNER_ENTRY>? {
    try entries(of: resource).first {
      try $0.OwnerThread.load().bits == thread && $0.ownerCount.load() > 0
    }
  }

  private static let tableSize = 32

  fileprivate func entries(of resource: Pointer<ERESOURCE>) throws -> [Pointer<OWNER_ENTRY>] {
    let table = try resource.OwnerTable.load()
    let own = resource.owners
    return table.isNull ? own : own + (0..<Self.tableSize).map { table.advanced(by: $0) }
  }

  /// A free entry for a shared owner; the table is made when the entry in the resource is taken.
  private func freeEntry(in resource: Pointer<ERESOURCE>) throws -> Pointer<OWNER_ENTRY> {
    if let free = try entries(of: resource).dropFirst().first(where: { try $0.ownerCount.load() == 0 }) { return free }
    let size = UInt64(Self.tableSize * Pointer<OWNER_ENTRY>.size(in: memory.memory))
    // "Rest", XP's tag for resource owner tables.
    guard try resource.OwnerTable.load().isNull, let block = try nonPagedPool.allocate(size, tag: 0x7473_6552, in: memory) else {
      throw GuestException(.insufficientResources, isContinuable: false)
    }
    try resource.OwnerTable.store(Pointer(block, in: memory.memory))
    return Pointer(block, in: memory.memory)
  }

  fileprivate func acquire(
    _ resource: Pointer<ERESOURCE>, isExclusive: Bool, waits: Bool, starves: Bool
  ) async throws -> Bool {
    guard let thread = running else { throw KernelError("no thread runs") }
    if try take(resource, for: thread, isExclusive: isExclusive, starves: starves) { return true }
    guard waits else { return false }
    try resource.ContentionCount.store(resource.ContentionCount.load() &+ 1)
    resourceWaiters[resource.address, default: []].append(ResourceWaiter(thread: thread, isExclusive: isExclusive))
    try countWaiters(of: resource)
    try thread.object.Tcb.State.store(.waiting)
    _ = try await thread.routines.suspend(.blocked, at: registers[.sp])
    return true
  }

  /// Takes the resource if that is possible now.
  private func take(_ resource: Pointer<ERESOURCE>, for thread: Thread, isExclusive: Bool, starves: Bool) throws -> Bool {
    let owner = thread.object.address
    let active = try resource.ActiveCount.load()
    if let own = try entry(of: owner, in: resource), try !isExclusive || self.isExclusive(resource) {
      try own.ownerCount.store(own.ownerCount.load() + 1)
      return true
    }
    if active == 0 {
      let entry = isExclusive ? resource.owners[0] : try freeEntry(in: resource)
      try entry.OwnerThread.store(GuestWord(owner))
      try entry.ownerCount.store(1)
      try resource.ActiveCount.store(1)
      let flag = try resource.Flag.load()
      try resource.Flag.store(isExclusive ? flag | Self.ownedExclusive : flag & ~Self.ownedExclusive)
      return true
    }
    let hasExclusiveWaiter = resourceWaiters[resource.address, default: []].contains(where: \.isExclusive)
    guard !isExclusive, try !self.isExclusive(resource), starves || !hasExclusiveWaiter else { return false }
    let entry = try freeEntry(in: resource)
    try entry.OwnerThread.store(GuestWord(owner))
    try entry.ownerCount.store(1)
    try resource.ActiveCount.store(active + 1)
    return true
  }

  /// Releases one acquisition. Not an owner's: RESOURCE_NOT_OWNED (0xE3): resource, thread, owner table, 1.
  fileprivate func release(_ resource: Pointer<ERESOURCE>, for thread: UInt64) throws {
    guard let entry = try entry(of: thread, in: resource) else {
      throw BugCheck(.resourceNotOwned, resource.address, thread, try resource.OwnerTable.load().address, 1)
    }
    let count = try entry.ownerCount.load() - 1
    try entry.ownerCount.store(count)
    guard count == 0 else { return }
    try entry.OwnerThread.store(0)
    let active = try resource.ActiveCount.load() - 1
    try resource.ActiveCount.store(active)
    guard active == 0 else { return }
    try resource.Flag.store(resource.Flag.load() & ~Self.ownedExclusive)
    try admitWaiters(of: resource)
  }

  /// Lets waiters in, in their order: one for exclusive access, or all readers up to the next such.
  func admitWaiters(of resource: Pointer<ERESOURCE>) throws {
    while let first = resourceWaiters[resource.address]?.first {
      guard try take(resource, for: first.thread, isExclusive: first.isExclusive, starves: true) else { break }
      resourceWaiters[resource.address]?.removeFirst()
      try first.thread.object.Tcb.WaitStatus.store(.success)
      try makeReady(first.thread)
      if first.isExclusive { break }
    }
    try countWaiters(of: resource)
  }

  private func countWaiters(of resource: Pointer<ERESOURCE>) throws {
    let waiters = resourceWaiters[resource.address, default: []]
    try resource.exclusiveWaiters.store(UInt16(waiters.filter(\.isExclusive).count))
    try resource.sharedWaiters.store(UInt16(waiters.filter { !$0.isExclusive }.count))
  }
}
