import Guest
import WindowsTypes

/// Where a file's clusters lie on its volume: what a `LARGE_MCB` stands for.
struct RunList {
  struct Run: Hashable {
    var virtual: Int64
    /// -1 where the file has none.
    var physical: Int64
    var count: Int64
  }
  /// In order, without gaps: holes are runs with the cluster -1.
  private(set) var runs: [Run] = []

  var end: Int64 { runs.last.map { $0.virtual + $0.count } ?? 0 }

  /// `false` where part of the range leads elsewhere already.
  mutating func add(_ virtual: Int64, _ physical: Int64, _ count: Int64) -> Bool {
    for run in runs where run.physical >= 0 && run.virtual < virtual + count && virtual < run.virtual + run.count {
      let overlap = max(run.virtual, virtual)
      if run.physical + (overlap - run.virtual) != physical + (overlap - virtual) { return false }
    }
    replace(virtual, physical, count)
    return true
  }

  mutating func remove(_ virtual: Int64, _ count: Int64) {
    replace(virtual, -1, count)
    while runs.last?.physical == -1 { runs.removeLast() }
  }

  /// Makes room at a place: what lies behind it moves on, and leaves a hole. `false` for a place behind the end.
  mutating func split(at virtual: Int64, by amount: Int64) -> Bool {
    guard virtual < end else { return false }
    let moved = runs.compactMap { run -> Run? in
      let start = max(run.virtual, virtual)
      guard run.physical >= 0, start < run.virtual + run.count else { return nil }
      return Run(virtual: start + amount, physical: run.physical + (start - run.virtual), count: run.virtual + run.count - start)
    }
    truncate(to: virtual)
    for run in moved { replace(run.virtual, run.physical, run.count) }
    return true
  }

  mutating func truncate(to virtual: Int64) { remove(virtual, max(0, end - virtual)) }

  private mutating func replace(_ virtual: Int64, _ physical: Int64, _ count: Int64) {
    guard count > 0 else { return }
    var new: [Run] = []
    func append(_ run: Run) {
      guard run.count > 0 else { return }
      if let last = new.last, last.physical < 0 && run.physical < 0 || (last.physical >= 0 && last.physical + last.count == run.physical) {
        new[new.count - 1].count += run.count
      } else {
        new.append(run)
      }
    }
    let stop = virtual + count
    if end < virtual { runs.append(Run(virtual: end, physical: -1, count: virtual - end)) }
    for run in runs where run.virtual < virtual {
      append(Run(virtual: run.virtual, physical: run.physical, count: min(run.count, virtual - run.virtual)))
    }
    append(Run(virtual: virtual, physical: physical, count: count))
    for run in runs where run.virtual + run.count > stop {
      let start = max(run.virtual, stop)
      let place = run.physical < 0 ? -1 : run.physical + (start - run.virtual)
      append(Run(virtual: start, physical: place, count: run.virtual + run.count - start))
    }
    runs = new
  }

  /// The run that holds a cluster, by number.
  func run(at virtual: Int64) -> (index: Int, Run)? {
    runs.enumerated().first { virtual >= $0.element.virtual && virtual < $0.element.virtual + $0.element.count }.map {
      ($0.offset, $0.element)
    }
  }
}

extension Export {
  /// Byte-range locks of file systems, and their run lists.
  static let fileLockCalls: [Export] = [
    // nf-ntifs-_fsrtl… FsRtlInitializeFileLock: FILE_LOCK's two routines, and no locks.
    export("FsRtlInitializeFileLock(FileLock, CompleteLockIrpRoutine, UnlockRoutine)", irql: .apc) {
      (kernel, lock: Pointer<GuestWord>, complete: GuestWord, unlock: GuestWord) in
      try kernel.memory.memory.fill(0, count: 0x38, at: lock.address)
      try lock.store(complete)
      try lock[1].store(unlock)
      kernel.files.locks[lock.address] = []
    },
    export("FsRtlUninitializeFileLock(FileLock)", irql: .apc) { (kernel, lock: Pointer<Void>) in
      kernel.files.locks[lock.address] = nil
    },
    // nf-ntifs-fsrtlprocessfilelock: the request is completed, by the driver's routine if there is one.
    export("FsRtlProcessFileLock(FileLock, Irp, Context)", irql: .apc) {
      (kernel, lock: Pointer<GuestWord>, irp: Pointer<IRP>, context: GuestWord) async throws -> NTSTATUS in
      let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
      let status = try await kernel.lockControl(irp, stack, at: lock.address)
      if status == .pending { return status }
      try irp.IoStatus.Status.store(status)
      try irp.IoStatus.Information.store(0)
      let routine = try lock.load().bits
      if routine != 0 {
        _ = try await kernel.call(routine, [context.bits, irp.address])
      } else {
        try await kernel.completeRequest(irp)
      }
      return status
    }
    .partially("the unlock routine is not called, and a request that waited is completed without the driver's routine"),
    lockCheck("FsRtlCheckLockForReadAccess", isWrite: false), lockCheck("FsRtlCheckLockForWriteAccess", isWrite: true),
    fastLockCheck("FsRtlFastCheckLockForRead", isWrite: false), fastLockCheck("FsRtlFastCheckLockForWrite", isWrite: true),
    // nf-ntifs-fsrtlfastunlocksingle
    export(
      "FsRtlFastUnlockSingle(FileLock, FileObject, FileOffset, Length, Process, Key, Context, AlreadySynchronized)", irql: .apc
    ) {
      (
        kernel, lock: GuestWord, file: GuestWord, offset: Pointer<UInt64>, length: Pointer<UInt64>, process: GuestWord, key: UInt32,
        context: GuestWord, synchronized: UInt8
      ) async throws -> NTSTATUS in
      let (start, count) = (try offset.load(), try length.load())
      guard
        let index = kernel.files.locks[lock.bits]?.firstIndex(where: {
          $0.isHeld(by: file.bits, process.bits, key) && $0.offset == start && $0.length == count
        })
      else { return .rangeNotLocked }
      kernel.files.locks[lock.bits]?.remove(at: index)
      try await kernel.grantWaitingLocks(at: lock.bits)
      return .success
    },
    // nf-ntifs-fsrtlfastunlockall
    export("FsRtlFastUnlockAll(FileLock, FileObject, Process, Context)", irql: .apc) {
      (kernel, lock: GuestWord, file: GuestWord, process: GuestWord, context: GuestWord) async throws -> NTSTATUS in
      try await kernel.unlock(at: lock.bits) { $0.file == file.bits && $0.process == process.bits }
    },
    // nf-ntifs-fsrtlfastunlockallbykey
    export("FsRtlFastUnlockAllByKey(FileLock, FileObject, Process, Key, Context)", irql: .apc) {
      (kernel, lock: GuestWord, file: GuestWord, process: GuestWord, key: UInt32, context: GuestWord) async throws -> NTSTATUS in
      try await kernel.unlock(at: lock.bits) { $0.isHeld(by: file.bits, process.bits, key) }
    },
    // FsRtlPrivateLock, as the macro FsRtlFastLock of ntifs.h calls it.
    export(
      "FsRtlPrivateLock(FileLock, FileObject, FileOffset, Length, Process, Key, FailImmediately, ExclusiveLock, IoStatus, Irp, Context, AlreadySynchronized)",
      irql: .apc
    ) {
      (
        kernel, lock: GuestWord, file: GuestWord, offset: Pointer<UInt64>, length: Pointer<UInt64>, process: GuestWord, key: UInt32,
        fails: UInt8, exclusive: UInt8, block: Pointer<IO_STATUS_BLOCK>, irp: GuestWord, context: GuestWord, synchronized: UInt8
      ) -> UInt8 in
      let wanted = ByteRangeLock(
        offset: try offset.load(), length: try length.load(), key: key, process: process.bits, file: file.bits,
        isExclusive: exclusive != 0)
      try block.Information.store(0)
      guard kernel.canLock(wanted, at: lock.bits) else {
        try block.Status.store(.lockNotGranted)
        return fails != 0 ? 1 : 0
      }
      kernel.files.locks[lock.bits, default: []].append(wanted)
      try block.Status.store(.success)
      return 1
    }
    .partially("a request that may wait is not queued: the routine returns FALSE"),
    // nf-ntifs-fsrtlinitializelargemcb
    export("FsRtlInitializeLargeMcb(Mcb, PoolType)", irql: .apc) { (kernel, mcb: GuestWord, type: UInt32) in
      kernel.files.runLists[mcb.bits] = RunList()
    },
    export("FsRtlUninitializeLargeMcb(Mcb)", irql: .apc) { (kernel, mcb: GuestWord) in kernel.files.runLists[mcb.bits] = nil },
    // nf-ntifs-fsrtladdlargemcbentry
    export("FsRtlAddLargeMcbEntry(Mcb, Vbn, Lbn, SectorCount)", irql: .apc) {
      (kernel, mcb: GuestWord, virtual: Int64, physical: Int64, count: Int64) -> UInt8 in
      guard [virtual, physical, count].allSatisfy({ (0...1 << 48).contains($0) }) else { return 0 }
      return kernel.files.runLists[mcb.bits]?.add(virtual, physical, count) ?? false ? 1 : 0
    },
    // nf-ntifs-fsrtlremovelargemcbentry
    export("FsRtlRemoveLargeMcbEntry(Mcb, Vbn, SectorCount)", irql: .apc) {
      (kernel, mcb: GuestWord, virtual: Int64, count: Int64) in
      guard [virtual, count].allSatisfy({ (0...1 << 48).contains($0) }) else { return }
      kernel.files.runLists[mcb.bits]?.remove(virtual, count)
    },
    // nf-ntifs-fsrtltruncatelargemcb
    export("FsRtlTruncateLargeMcb(Mcb, Vbn)", irql: .apc) { (kernel, mcb: GuestWord, virtual: Int64) in
      guard (0...1 << 48).contains(virtual) else { return }
      kernel.files.runLists[mcb.bits]?.truncate(to: virtual)
    },
    // nf-ntifs-fsrtllookuplargemcbentry
    runAt("FsRtlLookupLargeMcbEntry(Mcb, Vbn, Lbn, SectorCountFromLbn, StartingLbn, SectorCountFromStartingLbn, Index)"),
    // nf-ntifs-fsrtllookuplastlargemcbentry
    lastRun("FsRtlLookupLastLargeMcbEntry(Mcb, Vbn, Lbn)"),
    // nf-ntifs-fsrtlnumberofrunsinlargemcb
    runCount("FsRtlNumberOfRunsInLargeMcb(Mcb)"),
    // nf-ntifs-fsrtlgetnextlargemcbentry
    nextRun("FsRtlGetNextLargeMcbEntry(Mcb, RunIndex, Vbn, Lbn, SectorCount)"),
  ]

  private static func lockCheck(_ name: String, isWrite: Bool) -> Export {
    export("\(name)(FileLock, Irp)", irql: .apc) { (kernel, lock: GuestWord, irp: Pointer<IRP>) -> UInt8 in
      let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
      let parameters = stack.Parameters.Read
      return kernel.allows(
        UInt64(bitPattern: try parameters.ByteOffset.QuadPart.load()), UInt64(try parameters.Length.load()),
        key: try parameters.Key.load(), file: try stack.FileObject.load().address, process: try kernel.requestor().object.address,
        isWrite: isWrite, at: lock.bits) ? 1 : 0
    }
  }

  private static func fastLockCheck(_ name: String, isWrite: Bool) -> Export {
    export("\(name)(FileLock, StartingByte, Length, Key, FileObject, Process)", irql: .apc) {
      (
        kernel, lock: GuestWord, offset: Pointer<UInt64>, length: Pointer<UInt64>, key: UInt32, file: GuestWord, process: GuestWord
      ) -> UInt8 in
      kernel.allows(
        try offset.load(), try length.load(), key: key, file: file.bits, process: process.bits, isWrite: isWrite, at: lock.bits)
        ? 1 : 0
    }
  }
}

extension Kernel {
  fileprivate func unlock(at lock: UInt64, where isMeant: (ByteRangeLock) -> Bool) async throws -> NTSTATUS {
    let count = files.locks[lock]?.count ?? 0
    files.locks[lock]?.removeAll(where: isMeant)
    guard (files.locks[lock]?.count ?? 0) < count else { return .rangeNotLocked }
    try await grantWaitingLocks(at: lock)
    return .success
  }
}
