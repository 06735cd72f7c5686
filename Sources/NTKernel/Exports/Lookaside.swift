import Guest
import WindowsTypes

/// Lookaside lists, as XP keeps them: a sequenced list of freed blocks in front of the pool. Drivers allocate from them inline,
/// so the members are where the headers say, and `Allocate` and `Free` are routines that guest code can call.
extension Export {
  static let lookaside: [Export] = [
    // nf-wdm-exinitializenpagedlookasidelist
    export("ExInitializeNPagedLookasideList(Lookaside, Allocate, Free, Flags, Size, Tag, Depth)", irql: .dispatch) {
      (
        kernel, list: Pointer<GENERAL_LOOKASIDE>, allocate: Pointer<Void>, free: Pointer<Void>, flags: UInt32, size: GuestWord,
        tag: UInt32, depth: UInt16
      ) in
      try kernel.initialize(list, .nonPaged, allocate, free, flags, size.bits, tag)
    },
    // nf-wdm-exinitializepagedlookasidelist
    export("ExInitializePagedLookasideList(Lookaside, Allocate, Free, Flags, Size, Tag, Depth)", irql: .apc) {
      (
        kernel, list: Pointer<GENERAL_LOOKASIDE>, allocate: Pointer<Void>, free: Pointer<Void>, flags: UInt32, size: GuestWord,
        tag: UInt32, depth: UInt16
      ) in
      try kernel.initialize(list, .paged, allocate, free, flags, size.bits, tag)
    },
    // nf-wdm-exdeletenpagedlookasidelist
    export("ExDeleteNPagedLookasideList(Lookaside)", irql: .dispatch) {
      (kernel, list: Pointer<GENERAL_LOOKASIDE>) async throws in
      try await kernel.delete(list)
      return 0 as UInt32
    },
    // nf-wdm-exdeletepagedlookasidelist
    export("ExDeletePagedLookasideList(Lookaside)", irql: .apc) { (kernel, list: Pointer<GENERAL_LOOKASIDE>) async throws in
      try await kernel.delete(list)
      return 0 as UInt32
    },
    // nf-wdm-exallocatefrompagedlookasidelist
    export("ExAllocateFromPagedLookasideList(Lookaside)", irql: .apc) {
      (kernel, list: Pointer<GENERAL_LOOKASIDE>) async throws -> GuestWord in
      _ = try list.TotalAllocates.update { $0 &+ 1 }
      let block = try list.ListHead.pop()
      if !block.isNull { return GuestWord(block.address) }
      _ = try list.AllocateMisses.update { $0 &+ 1 }
      return GuestWord(
        try await kernel.call(
          list.Allocate.load().address,
          [try list.Type.load().bits, try list.Size.load().bits, try list.Tag.load().bits]))
    },
    // nf-wdm-exfreetopagedlookasidelist: beyond the list's depth a block goes back to the pool.
    export("ExFreeToPagedLookasideList(Lookaside, Entry)", irql: .apc) {
      (kernel, list: Pointer<GENERAL_LOOKASIDE>, block: Pointer<SINGLE_LIST_ENTRY>) async throws in
      _ = try list.TotalFrees.update { $0 &+ 1 }
      if try list.ListHead.Depth.load() < list.Depth.load() {
        _ = try list.ListHead.push(block)
      } else {
        _ = try list.FreeMisses.update { $0 &+ 1 }
        _ = try await kernel.call(list.Free.load().address, [block.address])
      }
      return 0 as UInt32
    },
  ]
}

extension Kernel {
  /// How many freed blocks a list keeps when it is new, and at most: XP adjusts the depth between the two once a second.
  private static let depths: (initial: UInt16, maximum: UInt16) = (4, 256)

  func initialize(
    _ list: Pointer<GENERAL_LOOKASIDE>, _ type: POOL_TYPE, _ allocate: Pointer<Void>, _ free: Pointer<Void>, _ flags: UInt32,
    _ size: UInt64, _ tag: UInt32
  ) throws {
    unregister(Self.lookasideList, list.address)
    register(Self.lookasideList, list.address)
    func address(_ routine: Pointer<Void>, _ standard: String) -> Pointer<Void> {
      guard routine.isNull, let number = exports["nt", standard] else { return routine }
      return Pointer(trapAddresses[number], in: memory.memory)
    }
    // The lock behind the list keeps what the compiler sees as a member: only the list itself is written.
    try memory.memory.fill(0, count: 0x48, at: list.address)
    try list.Depth.store(Self.depths.initial)
    try list.MaximumDepth.store(Self.depths.maximum)
    try list.Type.store(POOL_TYPE(rawValue: type.rawValue | flags))
    try list.Tag.store(tag)
    try list.Size.store(UInt32(truncatingIfNeeded: max(size, 4)))
    try list.Allocate.store(address(allocate, "ExAllocatePoolWithTag"))
    try list.Free.store(address(free, "ExFreePool"))
    if runtime.lookasideHeads.isEmpty {
      runtime.lookasideHeads = try (0..<2).map { _ in
        let head = Pointer<LIST_ENTRY>(try self.allocate(8), in: memory.memory)
        try head.initialize()
        return head
      }
    }
    try runtime.lookasideHeads[type.isPaged ? 1 : 0].insertTail(list.ListEntry)
  }

  /// Takes the list from the kernel's and frees the blocks that it keeps.
  fileprivate func delete(_ list: Pointer<GENERAL_LOOKASIDE>) async throws {
    unregister(Self.lookasideList, list.address)
    try list.ListEntry.remove()
    let free = try list.Free.load().address
    while case let block = try list.ListHead.pop(), !block.isNull { _ = try await call(free, [block.address]) }
  }
}
