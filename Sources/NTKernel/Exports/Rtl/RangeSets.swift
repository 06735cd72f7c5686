import Guest
import WindowsTypes

extension Export {
  /// What range lists make of each other. None of these routines has a page.
  static let rangeSets: [Export] = [
    export("RtlCopyRangeList(CopyRangeList, RangeList)", irql: .apc) {
      (kernel, target: Pointer<RTL_RANGE_LIST>, source: Pointer<RTL_RANGE_LIST>) -> NTSTATUS in
      // The copy must be empty.
      guard try target.Count.load() == 0 else { return .invalidParameter }
      try target.Flags.store(source.Flags.load())
      for range in try source.ranges() {
        guard try kernel.copyRange(range, to: target) else { return .insufficientResources }
      }
      try target.Stamp.store(source.Stamp.load())
      return .success
    },
    // RTL_RANGE_LIST_MERGE_IF_CONFLICT 1
    export("RtlMergeRangeLists(MergedRangeList, RangeList1, RangeList2, Flags)", irql: .apc) {
      (
        kernel, target: Pointer<RTL_RANGE_LIST>, first: Pointer<RTL_RANGE_LIST>, second: Pointer<RTL_RANGE_LIST>, flags: UInt32
      ) -> NTSTATUS in
      guard try target.Count.load() == 0 else { return .invalidParameter }
      for source in [first, second] {
        for range in try source.ranges() {
          let (start, end) = (try range.Start.load(), try range.End.load())
          let isShared = try range.Flags.load() & RTL_RANGE_LIST_ENTRY.shared != 0
          let conflicts = try target.ranges().contains {
            try $0.Start.load() <= end && start <= $0.End.load() && !(isShared && $0.Flags.load() & RTL_RANGE_LIST_ENTRY.shared != 0)
          }
          if conflicts, flags & 1 == 0 { return .rangeListConflict }
          guard try kernel.copyRange(range, to: target) else { return .insufficientResources }
        }
      }
      return .success
    },
    invertRangeList("RtlInvertRangeList"), invertRangeListEx(),
    export("RtlGetLastRange(RangeList, Iterator, Range)", irql: .apc) {
      (kernel, list: Pointer<RTL_RANGE_LIST>, iterator: Pointer<UInt32>, result: Pointer<GuestWord>) -> NTSTATUS in
      let last = try list.ranges().last
      try iterator.store(UInt32(truncatingIfNeeded: list.address))
      try iterator[1].store(0)
      try iterator[2].store(UInt32(truncatingIfNeeded: last?.address ?? 0))
      try iterator[3].store(list.Stamp.load())
      try result.store(GuestWord(last?.address ?? 0))
      return last == nil ? .noMoreEntries : .success
    },
    // The highest place between two bounds that is free, as an arbiter looks for one.
    export(
      "RtlFindRange(RangeList, Minimum, Maximum, Length, Alignment, Flags, AttributeAvailableMask, Context, Callback, Start)", irql: .apc
    ) {
      (
        kernel, list: Pointer<RTL_RANGE_LIST>, minimum: UInt64, maximum: UInt64, length: UInt32, alignment: UInt32, flags: UInt32,
        mask: UInt8, context: GuestWord, callback: GuestWord, result: Pointer<UInt64>
      ) async throws -> NTSTATUS in
      guard alignment > 0, length > 0, minimum <= maximum else { return .invalidParameter }
      let (step, size) = (UInt64(alignment), UInt64(length))
      guard maximum - minimum >= size - 1 else { return .unsuccessful }
      var start = (maximum - (size - 1)) / step * step
      while start >= minimum {
        var conflict: UInt64?
        for range in try list.ranges() {
          let (from, to) = (try range.Start.load(), try range.End.load())
          guard from <= start + (size - 1), start <= to else { continue }
          let isShared = try flags & 1 != 0 && range.Flags.load() & RTL_RANGE_LIST_ENTRY.shared != 0
          let isNobodys = try flags & 2 != 0 && range.Owner.load().isNull
          if try isShared || isNobodys || range.Attributes.load() & mask != 0 { continue }
          if callback.bits != 0, try await kernel.call(callback.bits, [context.bits, range.address]) & 0xff != 0 { continue }
          conflict = min(conflict ?? from, from)
        }
        guard let conflict else {
          try result.store(start)
          return .success
        }
        // Below what is in the way.
        guard conflict >= size else { break }
        start = (conflict - size) / step * step
      }
      return .unsuccessful
    }
    .uncertain("where several places are free, the highest one is taken, as ReactOS does"),
  ]

  private static func invertRangeList(_ name: String) -> Export {
    export("\(name)(InvertedRangeList, RangeList)", irql: .apc) {
      (kernel, target: Pointer<RTL_RANGE_LIST>, source: Pointer<RTL_RANGE_LIST>) -> NTSTATUS in
      try kernel.invert(source, to: target, attributes: 0, data: 0, owner: 0)
    }
  }

  private static func invertRangeListEx() -> Export {
    export("RtlInvertRangeListEx(InvertedRangeList, RangeList, Attributes, UserData, Owner)", irql: .apc) {
      (
        kernel, target: Pointer<RTL_RANGE_LIST>, source: Pointer<RTL_RANGE_LIST>, attributes: UInt8, data: GuestWord, owner: GuestWord
      ) -> NTSTATUS in
      try kernel.invert(source, to: target, attributes: attributes, data: data.bits, owner: owner.bits)
    }
  }
}

extension Kernel {
  private func appendRange(
    _ start: UInt64, _ end: UInt64, attributes: UInt8, flags: UInt8, data: UInt64, owner: UInt64, to list: Pointer<RTL_RANGE_LIST>
  ) throws -> Bool {
    guard let block = try pagedPool.allocate(0x28, tag: 0x706c_5252, in: memory) else { return false }
    let new = Pointer<RTL_RANGE_LIST_ENTRY>(block, in: memory.memory)
    try new.Start.store(start)
    try new.End.store(end)
    try new.UserData.store(Pointer(data, in: memory.memory))
    try new.Owner.store(Pointer(owner, in: memory.memory))
    try new.Attributes.store(attributes)
    try new.Flags.store(flags)
    let next = try list.ranges().first { try $0.Start.load() > start }
    try (next?.ListEntry ?? list.ListHead).insertTail(new.ListEntry)
    try list.Count.store(list.Count.load() &+ 1)
    try list.Stamp.store(list.Stamp.load() &+ 1)
    return true
  }

  fileprivate func copyRange(_ range: Pointer<RTL_RANGE_LIST_ENTRY>, to list: Pointer<RTL_RANGE_LIST>) throws -> Bool {
    try appendRange(
      range.Start.load(), range.End.load(), attributes: range.Attributes.load(), flags: range.Flags.load(),
      data: range.UserData.load().address, owner: range.Owner.load().address, to: list)
  }

  /// What lies between the ranges of `source`, and in front of and behind them.
  fileprivate func invert(
    _ source: Pointer<RTL_RANGE_LIST>, to target: Pointer<RTL_RANGE_LIST>, attributes: UInt8, data: UInt64, owner: UInt64
  ) throws -> NTSTATUS {
    guard try target.Count.load() == 0 else { return .invalidParameter }
    var free: UInt64? = 0
    for range in try source.ranges() {
      guard let start = free else { break }
      let (from, to) = (try range.Start.load(), try range.End.load())
      if from > start {
        guard try appendRange(start, from - 1, attributes: attributes, flags: 0, data: data, owner: owner, to: target) else {
          return .insufficientResources
        }
      }
      free = to == .max ? nil : max(start, to + 1)
    }
    if let free {
      guard try appendRange(free, .max, attributes: attributes, flags: 0, data: data, owner: owner, to: target) else {
        return .insufficientResources
      }
    }
    return .success
  }
}
