import Guest
import WindowsTypes

/// A list of ranges of 64-bit numbers (`RTL_RANGE_LIST`, Plug and Play's headers of the time).
struct RTL_RANGE_LIST: GuestStructure {
  static let name = "_RTL_RANGE_LIST"
  let ListHead: Field<LIST_ENTRY>
  let Flags: Field<UInt32>
  let Count: Field<UInt32>
  let Stamp: Field<UInt32>

  static let layouts = Layouts((.windowsXP_x86, 0x14, RTL_RANGE_LIST(ListHead: 0x00, Flags: 0x08, Count: 0x0c, Stamp: 0x10)))
}

/// One range of a list, in pool: its bounds, both inclusive, as `RTL_RANGE` shows them to the caller, and its links.
struct RTL_RANGE_LIST_ENTRY: GuestStructure {
  static let name = "_RTLP_RANGE_LIST_ENTRY"
  let Start: Field<UInt64>
  let End: Field<UInt64>
  let UserData: Field<Pointer<Void>>
  let Owner: Field<Pointer<Void>>
  let Attributes: Field<UInt8>
  let Flags: Field<UInt8>
  let ListEntry: Field<LIST_ENTRY>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x28,
      RTL_RANGE_LIST_ENTRY(Start: 0x00, End: 0x08, UserData: 0x10, Owner: 0x14, Attributes: 0x18, Flags: 0x19, ListEntry: 0x1c)
    ))

  static let shared: UInt8 = 1
}

extension Export {
  /// Range lists, as arbiters of resources keep them. None of these routines has a page; the names of their arguments are the headers'.
  static let rangeLists: [Export] = [
    export("RtlInitializeRangeList(RangeList)", irql: .apc) { (_, list: Pointer<RTL_RANGE_LIST>) in
      try list.zero()
      try list.ListHead.initialize()
    },
    export("RtlFreeRangeList(RangeList)", irql: .apc) { (kernel, list: Pointer<RTL_RANGE_LIST>) in
      try kernel.removeRanges(of: list) { _ in true }
    },
    // Flags: RTL_RANGE_LIST_ADD_IF_CONFLICT 1, RTL_RANGE_LIST_ADD_SHARED 2. Shared ranges bear other shared ones.
    export("RtlAddRange(RangeList, Start, End, Attributes, Flags, UserData, Owner)", irql: .apc) {
      (
        kernel, list: Pointer<RTL_RANGE_LIST>, start: UInt64, end: UInt64, attributes: UInt8, flags: UInt32, data: Pointer<Void>,
        owner: Pointer<Void>
      ) -> NTSTATUS in
      guard start <= end else { return .invalidParameter }
      let isShared = flags & 2 != 0
      let ranges = try list.ranges()
      let conflicts = try ranges.contains {
        try $0.Start.load() <= end && start <= $0.End.load() && !(isShared && $0.Flags.load() & RTL_RANGE_LIST_ENTRY.shared != 0)
      }
      if conflicts, flags & 1 == 0 { return .rangeListConflict }
      // "RRlp": the pool tag of range lists.
      guard let block = try kernel.pagedPool.allocate(0x28, tag: 0x706c_5252, in: kernel.memory) else { return .insufficientResources }
      let new = Pointer<RTL_RANGE_LIST_ENTRY>(block, in: kernel.memory.memory)
      try new.Start.store(start)
      try new.End.store(end)
      try new.UserData.store(data)
      try new.Owner.store(owner)
      try new.Attributes.store(attributes)
      try new.Flags.store(isShared ? RTL_RANGE_LIST_ENTRY.shared : 0)
      // In order of their starts.
      let next = try ranges.first { try $0.Start.load() > start }
      try (next?.ListEntry ?? list.ListHead).insertTail(new.ListEntry)
      try list.Count.store(list.Count.load() &+ 1)
      try list.Stamp.store(list.Stamp.load() &+ 1)
      return .success
    },
    export("RtlDeleteRange(RangeList, Start, End, Owner)", irql: .apc) {
      (kernel, list: Pointer<RTL_RANGE_LIST>, start: UInt64, end: UInt64, owner: Pointer<Void>) -> NTSTATUS in
      let count = try list.Count.load()
      try kernel.removeRanges(of: list) { try $0.Start.load() == start && $0.End.load() == end && $0.Owner.load() == owner }
      return try list.Count.load() == count ? .rangeNotFound : .success
    },
    export("RtlDeleteOwnersRanges(RangeList, Owner)", irql: .apc) {
      (kernel, list: Pointer<RTL_RANGE_LIST>, owner: Pointer<Void>) -> NTSTATUS in
      try kernel.removeRanges(of: list) { try $0.Owner.load() == owner }
      return .success
    },
    // Flags: RTL_RANGE_LIST_SHARED_OK 1, RTL_RANGE_LIST_NULL_CONFLICT_OK 2.
    export("RtlIsRangeAvailable(RangeList, Start, End, Flags, AttributeAvailableMask, Context, Callback, Available)", irql: .apc) {
      (
        kernel, list: Pointer<RTL_RANGE_LIST>, start: UInt64, end: UInt64, flags: UInt32, mask: UInt8, context: GuestWord,
        callback: GuestWord, available: Pointer<UInt8>
      ) async throws -> NTSTATUS in
      var isFree = true
      for range in try list.ranges() where try range.Start.load() <= end && start <= range.End.load() {
        let isShared = try flags & 1 != 0 && range.Flags.load() & RTL_RANGE_LIST_ENTRY.shared != 0
        let isNobodys = try flags & 2 != 0 && range.Owner.load().isNull
        if try isShared || isNobodys || range.Attributes.load() & mask != 0 { continue }
        // Its own judge may bear the conflict.
        if callback.bits != 0, try await kernel.call(callback.bits, [context.bits, range.address]) & 0xff != 0 { continue }
        isFree = false
      }
      try available.store(isFree ? 1 : 0)
      return .success
    },
    // RTL_RANGE_LIST_ITERATOR: the head of the list, its end, the current range, and the list's stamp.
    export("RtlGetFirstRange(RangeList, Iterator, Range)", irql: .apc) {
      (kernel, list: Pointer<RTL_RANGE_LIST>, iterator: Pointer<UInt32>, result: Pointer<GuestWord>) -> NTSTATUS in
      let first = try list.ranges().first
      try iterator.store(UInt32(truncatingIfNeeded: list.address))
      try iterator[1].store(0)
      try iterator[2].store(UInt32(truncatingIfNeeded: first?.address ?? 0))
      try iterator[3].store(list.Stamp.load())
      try result.store(GuestWord(first?.address ?? 0))
      return first == nil ? .noMoreEntries : .success
    },
    export("RtlGetNextRange(Iterator, Range, MoveForwards)", irql: .apc) {
      (kernel, iterator: Pointer<UInt32>, result: Pointer<GuestWord>, forwards: UInt8) -> NTSTATUS in
      let list = Pointer<RTL_RANGE_LIST>(UInt64(try iterator.load()), in: kernel.memory.memory)
      guard try list.Stamp.load() == iterator[3].load() else { return .invalidParameter }
      let (ranges, current) = (try list.ranges(), UInt64(try iterator[2].load()))
      let index = ranges.firstIndex { $0.address == current }.map { forwards != 0 ? $0 + 1 : $0 - 1 }
      let next = index.flatMap { ranges.indices.contains($0) ? ranges[$0].address : nil }
      try iterator[2].store(UInt32(truncatingIfNeeded: next ?? 0))
      try result.store(GuestWord(next ?? 0))
      return next == nil ? .noMoreEntries : .success
    },
  ]
}

extension Pointer where Pointee == RTL_RANGE_LIST {
  func ranges() throws -> [Pointer<RTL_RANGE_LIST_ENTRY>] { try self.ListHead.elements(\RTL_RANGE_LIST_ENTRY.ListEntry) }
}

extension Kernel {
  fileprivate func removeRanges(
    of list: Pointer<RTL_RANGE_LIST>, where isMeant: (Pointer<RTL_RANGE_LIST_ENTRY>) throws -> Bool
  ) throws {
    for range in try list.ranges() where try isMeant(range) {
      try range.ListEntry.remove()
      try list.Count.store(list.Count.load() &- 1)
      try list.Stamp.store(list.Stamp.load() &+ 1)
      try freePool(range.address)
    }
  }
}
