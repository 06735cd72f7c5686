import Guest
import WindowsTypes

extension Export {
  /// Run lists in their two other forms: `MCB`, of 32 bits, and `BASE_MCB`, without a lock of its own.
  static let runListCalls: [Export] = [
    // nf-ntifs-fsrtlinitializemcb: what follows is FsRtl…LargeMcb's with numbers of 32 bits.
    export("FsRtlInitializeMcb(Mcb, PoolType)", irql: .apc) { (kernel, mcb: GuestWord, type: UInt32) in
      kernel.files.runLists[mcb.bits] = RunList()
    },
    export("FsRtlUninitializeMcb(Mcb)", irql: .apc) { (kernel, mcb: GuestWord) in kernel.files.runLists[mcb.bits] = nil },
    export("FsRtlAddMcbEntry(Mcb, Vbn, Lbn, SectorCount)", irql: .apc) {
      (kernel, mcb: GuestWord, virtual: UInt32, physical: UInt32, count: UInt32) -> UInt8 in
      kernel.files.runLists[mcb.bits]?.add(Int64(virtual), Int64(physical), Int64(count)) ?? false ? 1 : 0
    },
    export("FsRtlRemoveMcbEntry(Mcb, Vbn, SectorCount)", irql: .apc) { (kernel, mcb: GuestWord, virtual: UInt32, count: UInt32) in
      kernel.files.runLists[mcb.bits]?.remove(Int64(virtual), Int64(count))
    },
    export("FsRtlTruncateMcb(Mcb, Vbn)", irql: .apc) { (kernel, mcb: GuestWord, virtual: UInt32) in
      kernel.files.runLists[mcb.bits]?.truncate(to: Int64(virtual))
    },
    export("FsRtlLookupMcbEntry(Mcb, Vbn, Lbn, SectorCount, Index)", irql: .apc) {
      (
        kernel, mcb: GuestWord, virtual: UInt32, physical: Pointer<UInt32>, count: Pointer<UInt32>, index: Pointer<UInt32>
      ) -> UInt8 in
      guard let (number, run) = kernel.files.runLists[mcb.bits]?.run(at: Int64(virtual)) else { return 0 }
      let inside = Int64(virtual) - run.virtual
      try physical.store(run.physical < 0 ? .max : UInt32(truncatingIfNeeded: run.physical + inside))
      if !count.isNull { try count.store(UInt32(truncatingIfNeeded: run.count - inside)) }
      try index.store(UInt32(number))
      return 1
    },
    export("FsRtlLookupLastMcbEntry(Mcb, Vbn, Lbn)", irql: .apc) {
      (kernel, mcb: GuestWord, virtual: Pointer<UInt32>, physical: Pointer<UInt32>) -> UInt8 in
      guard let last = kernel.files.runLists[mcb.bits]?.runs.last else { return 0 }
      try virtual.store(UInt32(truncatingIfNeeded: last.virtual + last.count - 1))
      try physical.store(last.physical < 0 ? .max : UInt32(truncatingIfNeeded: last.physical + last.count - 1))
      return 1
    },
    export("FsRtlNumberOfRunsInMcb(Mcb)", irql: .apc) { (kernel, mcb: GuestWord) -> UInt32 in
      UInt32(kernel.files.runLists[mcb.bits]?.runs.count ?? 0)
    },
    export("FsRtlGetNextMcbEntry(Mcb, RunIndex, Vbn, Lbn, SectorCount)", irql: .apc) {
      (
        kernel, mcb: GuestWord, index: UInt32, virtual: Pointer<UInt32>, physical: Pointer<UInt32>, count: Pointer<UInt32>
      ) -> UInt8 in
      guard let runs = kernel.files.runLists[mcb.bits]?.runs, Int(index) < runs.count else { return 0 }
      let run = runs[Int(index)]
      try virtual.store(UInt32(truncatingIfNeeded: run.virtual))
      try physical.store(run.physical < 0 ? .max : UInt32(truncatingIfNeeded: run.physical))
      try count.store(UInt32(truncatingIfNeeded: run.count))
      return 1
    },
    // nf-ntifs-fsrtlresetlargemcb
    export("FsRtlResetLargeMcb(Mcb, SelfSynchronized)", irql: .apc) { (kernel, mcb: GuestWord, synchronized: UInt8) in
      if kernel.files.runLists[mcb.bits] != nil { kernel.files.runLists[mcb.bits] = RunList() }
    },
    // nf-ntifs-fsrtlsplitlargemcb
    export("FsRtlSplitLargeMcb(Mcb, Vbn, Amount)", irql: .apc) { (kernel, mcb: GuestWord, virtual: Int64, amount: Int64) -> UInt8 in
      kernel.splitRuns(mcb.bits, virtual, amount)
    },
    // nf-ntifs-fsrtlinitializebasemcb; nf-ntifs-fsrtlinitializebasemcbex: MCB_FLAG_RAISE_ON_ALLOCATION_FAILURE 1.
    export("FsRtlInitializeBaseMcb(Mcb, PoolType)", irql: .apc) { (kernel, mcb: GuestWord, type: UInt32) in
      kernel.files.runLists[mcb.bits] = RunList()
    },
    export("FsRtlInitializeBaseMcbEx(Mcb, PoolType, Flags)", irql: .apc) { (kernel, mcb: GuestWord, type: UInt32, flags: UInt16) -> UInt8 in
      kernel.files.runLists[mcb.bits] = RunList()
      return 1
    },
    export("FsRtlUninitializeBaseMcb(Mcb)", irql: .apc) { (kernel, mcb: GuestWord) in kernel.files.runLists[mcb.bits] = nil },
    export("FsRtlResetBaseMcb(Mcb)", irql: .apc) { (kernel, mcb: GuestWord) in
      if kernel.files.runLists[mcb.bits] != nil { kernel.files.runLists[mcb.bits] = RunList() }
    },
    export("FsRtlTruncateBaseMcb(Mcb, Vbn)", irql: .apc) { (kernel, mcb: GuestWord, virtual: Int64) in
      if isSound(virtual) { kernel.files.runLists[mcb.bits]?.truncate(to: virtual) }
    },
    export("FsRtlAddBaseMcbEntry(Mcb, Vbn, Lbn, SectorCount)", irql: .apc) {
      (kernel, mcb: GuestWord, virtual: Int64, physical: Int64, count: Int64) -> UInt8 in
      guard isSound(virtual, physical, count) else { return 0 }
      return kernel.files.runLists[mcb.bits]?.add(virtual, physical, count) ?? false ? 1 : 0
    },
    export("FsRtlAddBaseMcbEntryEx(Mcb, Vbn, Lbn, SectorCount)", irql: .apc) {
      (kernel, mcb: GuestWord, virtual: Int64, physical: Int64, count: Int64) -> NTSTATUS in
      guard isSound(virtual, physical, count) else { return .invalidParameter }
      return kernel.files.runLists[mcb.bits]?.add(virtual, physical, count) ?? false ? .success : .unsuccessful
    }
    .uncertain("a range that leads elsewhere already is STATUS_UNSUCCESSFUL"),
    export("FsRtlRemoveBaseMcbEntry(Mcb, Vbn, SectorCount)", irql: .apc) {
      (kernel, mcb: GuestWord, virtual: Int64, count: Int64) -> UInt8 in
      guard isSound(virtual, count), kernel.files.runLists[mcb.bits] != nil else { return 0 }
      kernel.files.runLists[mcb.bits]?.remove(virtual, count)
      return 1
    },
    runAt("FsRtlLookupBaseMcbEntry(Mcb, Vbn, Lbn, SectorCountFromLbn, StartingLbn, SectorCountFromStartingLbn, Index)"),
    lastRun("FsRtlLookupLastBaseMcbEntry(OpaqueMcb, LargeVbn, LargeLbn)"),
    lastRunAndIndex("FsRtlLookupLastBaseMcbEntryAndIndex(OpaqueMcb, LargeVbn, LargeLbn, Index)"),
    runCount("FsRtlNumberOfRunsInBaseMcb(Mcb)"),
    nextRun("FsRtlGetNextBaseMcbEntry(Mcb, RunIndex, Vbn, Lbn, SectorCount)"),
    export("FsRtlSplitBaseMcb(Mcb, Vbn, Amount)", irql: .apc) { (kernel, mcb: GuestWord, virtual: Int64, amount: Int64) -> UInt8 in
      kernel.splitRuns(mcb.bits, virtual, amount)
    },
  ]

  /// Base lists and large ones are asked alike.
  static func lastRunAndIndex(_ prototype: String) -> Export {
    export(prototype, irql: .apc) {
      (kernel, mcb: GuestWord, virtual: Pointer<Int64>, physical: Pointer<Int64>, index: Pointer<UInt32>) -> UInt8 in
      guard let runs = kernel.files.runLists[mcb.bits]?.runs, let last = runs.last else { return 0 }
      try virtual.store(last.virtual + last.count - 1)
      try physical.store(last.physical < 0 ? -1 : last.physical + last.count - 1)
      try index.store(UInt32(runs.count - 1))
      return 1
    }
  }

  static func runAt(_ prototype: String) -> Export {
    export(prototype, irql: .apc) {
      (
        kernel, mcb: GuestWord, virtual: Int64, physical: Pointer<Int64>, count: Pointer<Int64>, start: Pointer<Int64>,
        whole: Pointer<Int64>, index: Pointer<UInt32>
      ) -> UInt8 in
      guard let (number, run) = kernel.files.runLists[mcb.bits]?.run(at: virtual) else { return 0 }
      let inside = virtual - run.virtual
      if !physical.isNull { try physical.store(run.physical < 0 ? -1 : run.physical + inside) }
      if !count.isNull { try count.store(run.count - inside) }
      if !start.isNull { try start.store(run.physical) }
      if !whole.isNull { try whole.store(run.count) }
      if !index.isNull { try index.store(UInt32(number)) }
      return 1
    }
  }

  static func runCount(_ prototype: String) -> Export {
    export(prototype, irql: .apc) { (kernel, mcb: GuestWord) -> UInt32 in UInt32(kernel.files.runLists[mcb.bits]?.runs.count ?? 0) }
  }

  static func nextRun(_ prototype: String) -> Export {
    export(prototype, irql: .apc) {
      (
        kernel, mcb: GuestWord, index: UInt32, virtual: Pointer<Int64>, physical: Pointer<Int64>, count: Pointer<Int64>
      ) -> UInt8 in
      guard let runs = kernel.files.runLists[mcb.bits]?.runs, Int(index) < runs.count else { return 0 }
      try virtual.store(runs[Int(index)].virtual)
      try physical.store(runs[Int(index)].physical)
      try count.store(runs[Int(index)].count)
      return 1
    }
  }

  static func lastRun(_ prototype: String) -> Export {
    export(prototype, irql: .apc) { (kernel, mcb: GuestWord, virtual: Pointer<Int64>, physical: Pointer<Int64>) -> UInt8 in
      guard let last = kernel.files.runLists[mcb.bits]?.runs.last else { return 0 }
      try virtual.store(last.virtual + last.count - 1)
      try physical.store(last.physical < 0 ? -1 : last.physical + last.count - 1)
      return 1
    }
  }

  /// Clusters of a volume, not of a bug: no sum of two overflows.
  fileprivate static func isSound(_ numbers: Int64...) -> Bool { numbers.allSatisfy { (0...1 << 48).contains($0) } }
}

extension Kernel {
  fileprivate func splitRuns(_ mcb: UInt64, _ virtual: Int64, _ amount: Int64) -> UInt8 {
    guard Export.isSound(virtual, amount), (files.runLists[mcb]?.end ?? 0) <= 1 << 52 else { return 0 }
    return files.runLists[mcb]?.split(at: virtual, by: amount) ?? false ? 1 : 0
  }
}
