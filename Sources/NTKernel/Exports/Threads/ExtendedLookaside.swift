import Guest
import WindowsTypes

extension Export {
  /// Lookaside lists whose routines get the list itself. Drivers allocate and free inline; the list begins as the older one does.
  static let extendedLookaside: [Export] = [
    // nf-wdm-exinitializelookasidelistex
    export("ExInitializeLookasideListEx(Lookaside, Allocate, Free, PoolType, Flags, Size, Tag, Depth)", irql: .dispatch) {
      (
        kernel, list: Pointer<GENERAL_LOOKASIDE>, allocate: Pointer<Void>, free: Pointer<Void>, type: POOL_TYPE, flags: UInt32,
        size: GuestWord, tag: UInt32, depth: UInt16
      ) -> NTSTATUS in
      guard [0, 1, 0x20, 0x21, 0x200].contains(type.rawValue) else { return NTSTATUS(rawValue: 0xc000_00f2) }
      // EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL and ..._FAIL_NO_RAISE: not both.
      guard flags < 3 else { return NTSTATUS(rawValue: 0xc000_00f3) }
      guard depth == 0 else { return NTSTATUS(rawValue: 0xc000_00f6) }
      func routine(_ given: Pointer<Void>, _ own: String) -> Pointer<Void> {
        given.isNull ? Pointer(kernel.trapAddress(of: own), in: kernel.memory.memory) : given
      }
      // POOL_RAISE_IF_ALLOCATION_FAILURE, POOL_QUOTA_FAIL_INSTEAD_OF_RAISE
      let extra: UInt32 = flags == 1 ? 0x10 : flags == 2 ? 8 : 0
      try kernel.initialize(
        list, type, routine(allocate, "ExpAllocateLookasideEx"), routine(free, "ExpFreeLookasideEx"), extra, size.bits, tag)
      return .success
    },
    // nf-wdm-exdeletelookasidelistex
    export("ExDeleteLookasideListEx(Lookaside)", irql: .dispatch) { (kernel, list: Pointer<GENERAL_LOOKASIDE>) async throws in
      kernel.unregister(Kernel.lookasideList, list.address)
      try list.ListEntry.remove()
      try await kernel.flush(list)
    },
    // nf-wdm-exflushlookasidelistex
    export("ExFlushLookasideListEx(Lookaside)", irql: .dispatch) { (kernel, list: Pointer<GENERAL_LOOKASIDE>) async throws in
      try await kernel.flush(list)
    },
    // What a list allocates with that brings no routine of its own.
    export("ExpAllocateLookasideEx(PoolType, NumberOfBytes, Tag, Lookaside)", isImportable: false) {
      (kernel, type: POOL_TYPE, size: GuestWord, tag: UInt32, list: GuestWord) -> GuestWord in
      GuestWord(try kernel.allocatePool(type, size.bits, tag: tag))
    },
    export("ExpFreeLookasideEx(Buffer, Lookaside)", isImportable: false) { (kernel, block: GuestWord, list: GuestWord) in
      try kernel.freePool(block.bits)
    },
  ]

  /// Zones: blocks of one size, cut out of segments that the caller brings.
  static let zones: [Export] = [
    // nf-wdm-exinitializezone
    export("ExInitializeZone(Zone, BlockSize, InitialSegment, InitialSegmentSize)", irql: .dispatch) {
      (_, zone: Pointer<ZONE_HEADER>, size: UInt32, segment: Pointer<SINGLE_LIST_ENTRY>, length: UInt32) -> NTSTATUS in
      guard segment.address & 7 == 0, size & 7 == 0, length & 7 == 0, size > 0, size <= length, length >= 8 else {
        return .invalidParameter
      }
      let nothing = Pointer<SINGLE_LIST_ENTRY>(0, in: zone.memory)
      try zone.FreeList.Next.store(nothing)
      try zone.SegmentList.Next.store(nothing)
      try zone.BlockSize.store(size)
      try zone.TotalSegmentSize.store(0)
      try zone.add(segment, length)
      return .success
    },
    // nf-wdm-exextendzone
    export("ExExtendZone(Zone, Segment, SegmentSize)", irql: .dispatch) {
      (_, zone: Pointer<ZONE_HEADER>, segment: Pointer<SINGLE_LIST_ENTRY>, length: UInt32) -> NTSTATUS in
      try zone.extend(segment, length)
    },
    // nf-wdm-exinterlockedextendzone
    export("ExInterlockedExtendZone(Zone, Segment, SegmentSize, Lock)") {
      (kernel, zone: Pointer<ZONE_HEADER>, segment: Pointer<SINGLE_LIST_ENTRY>, length: UInt32, lock: Pointer<GuestWord>) -> NTSTATUS in
      try kernel.withLock(lock) { try zone.extend(segment, length) }
    },
  ]
}

extension Kernel {
  /// Frees the blocks that a list keeps, by its own routine.
  fileprivate func flush(_ list: Pointer<GENERAL_LOOKASIDE>) async throws {
    let free = try list.Free.load().address
    while case let block = try list.ListHead.pop(), !block.isNull { _ = try await call(free, [block.address, list.address]) }
  }
}

extension Pointer where Pointee == ZONE_HEADER {
  fileprivate func extend(_ segment: Pointer<SINGLE_LIST_ENTRY>, _ length: UInt32) throws -> NTSTATUS {
    let size = try self.BlockSize.load()
    guard segment.address & 7 == 0, length & 7 == 0, size > 0, size <= length, length >= 8 else { return .unsuccessful }
    try add(segment, length)
    return .success
  }

  /// Hangs a segment on the zone, and its blocks on the list of free ones: they begin behind the segment's header of two words.
  fileprivate func add(_ segment: Pointer<SINGLE_LIST_ENTRY>, _ length: UInt32) throws {
    try segment.Next.store(self.SegmentList.Next.load())
    try segment.advanced(by: 1).Next.store(Pointer<SINGLE_LIST_ENTRY>(0, in: memory))
    try self.SegmentList.Next.store(segment)
    let size = try self.BlockSize.load()
    var place: UInt32 = 8
    while UInt64(place) + UInt64(size) <= UInt64(length) {
      let block = segment.advanced(byBytes: Int64(place))
      try block.Next.store(self.FreeList.Next.load())
      try self.FreeList.Next.store(block)
      place += size
    }
    try self.TotalSegmentSize.store(self.TotalSegmentSize.load() &+ place)
  }
}
