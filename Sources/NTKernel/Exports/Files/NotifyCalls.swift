import Guest
import WindowsTypes

/// A request that waits for a change in a directory: `IRP_MN_NOTIFY_CHANGE_DIRECTORY`.
struct DirectoryWatch {
  let irp: UInt64
  /// What the file system knows the open directory by.
  let context: UInt64
  let directory: [UInt8]
  let isDeep: Bool
  let filter: UInt32
  /// Asked of each change whether this watcher may hear of it; 0 where nobody is.
  var routine: UInt64 = 0
}

extension Export {
  /// Who wants to know of changes in directories.
  static let notifyCalls: [Export] = [
    // nf-ntifs-_fsrtlnotifyinitializesync: PNOTIFY_SYNC
    export("FsRtlNotifyInitializeSync(NotifySync)", irql: .apc) { (kernel, sync: Pointer<GuestWord>) in
      try sync.store(GuestWord(kernel.allocate(0x10)))
    },
    // nf-ntifs-_fsrtlnotifyuninitializesync
    export("FsRtlNotifyUninitializeSync(NotifySync)", irql: .apc) { (kernel, sync: Pointer<GuestWord>) in
      let block = try sync.load().bits
      if block != 0 { _ = kernel.nonPagedPool.free(block) }
      try sync.store(0)
    },
    // nf-ntifs-_fsrtlnotifyfullchangedirectory: the request waits on the list.
    export(
      "FsRtlNotifyFullChangeDirectory(NotifySync, NotifyList, FsContext, FullDirectoryName, WatchTree, IgnoreBuffer, CompletionFilter, NotifyIrp, TraverseCallback, SubjectContext)",
      irql: .apc
    ) {
      (
        kernel, sync: GuestWord, list: GuestWord, context: GuestWord, name: Pointer<STRING>, deep: UInt8, ignored: UInt8, filter: UInt32,
        irp: Pointer<IRP>, traverse: GuestWord, subject: GuestWord
      ) in
      try kernel.watch(
        list.bits, irp,
        DirectoryWatch(irp: irp.address, context: context.bits, directory: try name.units(), isDeep: deep != 0, filter: filter))
    }
    .partially(watchGap),
    // nf-ntifs-fsrtlnotifyfilterchangedirectory: the routine is asked of each change.
    export(
      "FsRtlNotifyFilterChangeDirectory(NotifySync, NotifyList, FsContext, FullDirectoryName, WatchTree, IgnoreBuffer, CompletionFilter, NotifyIrp, TraverseCallback, SubjectContext, FilterCallback)",
      irql: .apc
    ) {
      (
        kernel, sync: GuestWord, list: GuestWord, context: GuestWord, name: Pointer<STRING>, deep: UInt8, ignored: UInt8, filter: UInt32,
        irp: Pointer<IRP>, traverse: GuestWord, subject: GuestWord, routine: GuestWord
      ) in
      try kernel.watch(
        list.bits, irp,
        DirectoryWatch(
          irp: irp.address, context: context.bits, directory: try name.units(), isDeep: deep != 0, filter: filter,
          routine: routine.bits))
    }
    .partially(watchGap),
    // nf-ntifs-_fsrtlnotifyfullreportchange
    export(
      "FsRtlNotifyFullReportChange(NotifySync, NotifyList, FullTargetName, TargetNameOffset, StreamName, NormalizedParentName, FilterMatch, Action, TargetContext)",
      irql: .apc
    ) {
      (
        kernel, sync: GuestWord, list: GuestWord, name: Pointer<STRING>, offset: UInt16, stream: Pointer<STRING>,
        parent: Pointer<STRING>, filter: UInt32, action: UInt32, target: GuestWord
      ) async throws in
      try await kernel.reportChange(list.bits, try name.units(), Int(offset), filter, action)
    }
    .partially("streams are not named"),
    // nf-ntifs-fsrtlnotifyfilterreportchange
    export(
      "FsRtlNotifyFilterReportChange(NotifySync, NotifyList, FullTargetName, TargetNameOffset, StreamName, NormalizedParentName, FilterMatch, Action, TargetContext, FilterContext)",
      irql: .apc
    ) {
      (
        kernel, sync: GuestWord, list: GuestWord, name: Pointer<STRING>, offset: UInt16, stream: Pointer<STRING>,
        parent: Pointer<STRING>, filter: UInt32, action: UInt32, target: GuestWord, context: GuestWord
      ) async throws in
      try await kernel.reportChange(list.bits, try name.units(), Int(offset), filter, action, context: context.bits)
    }
    .partially("streams are not named"),
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlnotifycleanupall: everybody who waits on the list.
    export("FsRtlNotifyCleanupAll(NotifySync, NotifyList)", irql: .apc) {
      (kernel, sync: GuestWord, list: GuestWord) async throws in
      while let watch = kernel.files.watches[list.bits]?.first {
        kernel.files.watches[list.bits]?.removeFirst()
        try await kernel.complete(watch.irp, .notifyCleanup, 0)
      }
    },
    // nf-ntifs-_fsrtlnotifycleanup
    export("FsRtlNotifyCleanup(NotifySync, NotifyList, FsContext)", irql: .apc) {
      (kernel, sync: GuestWord, list: GuestWord, context: GuestWord) async throws in
      while let index = kernel.files.watches[list.bits]?.firstIndex(where: { $0.context == context.bits }),
        let watch = kernel.files.watches[list.bits]?.remove(at: index)
      {
        try await kernel.complete(watch.irp, .notifyCleanup, 0)
      }
    },
  ]

  private static let watchGap =
    "a request is not taken off the list when it is cancelled, changes between two requests are lost, and the traverse callback is not asked whether the caller may see what changed"
}

extension Kernel {
  fileprivate func watch(_ list: UInt64, _ irp: Pointer<IRP>, _ watch: DirectoryWatch) throws {
    guard !irp.isNull else { return }
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    try stack.Control.store(stack.Control.load().union(.pendingReturned))
    files.watches[list, default: []].append(watch)
  }

  fileprivate func complete(_ irp: UInt64, _ status: NTSTATUS, _ information: UInt64) async throws {
    let packet = Pointer<IRP>(irp, in: memory.memory)
    try packet.IoStatus.Status.store(status)
    try packet.IoStatus.Information.store(GuestWord(information))
    try await completeRequest(packet)
  }

  /// Completes whoever watches the directory of `name`, with `FILE_NOTIFY_INFORMATION` of what is in it.
  ///
  /// - Parameter offset: where in the name the last component begins, in bytes.
  /// - Parameter context: what a watcher's own routine is asked with.
  fileprivate func reportChange(
    _ list: UInt64, _ name: [UInt8], _ offset: Int, _ filter: UInt32, _ action: UInt32, context: UInt64 = 0
  ) async throws {
    guard offset <= name.count else { return }
    for watch in files.watches[list] ?? [] where watch.filter & filter != 0 && watches(watch, name, offset) {
      if watch.routine != 0, try await call(watch.routine, [watch.context, context]) & 0xff == 0 { continue }
      guard let index = files.watches[list]?.firstIndex(where: { $0.irp == watch.irp }) else { continue }
      files.watches[list]?.remove(at: index)
      // Behind the directory's name and a separator, which the root's name ends in.
      let isWide = watch.directory.count > 1 && watch.directory[1] == 0
      let isRoot = watch.directory.count == (isWide ? 2 : 1)
      let rest = name.dropFirst(watch.directory.count + (isRoot ? 0 : isWide ? 2 : 1))
      let text = isWide ? Array(rest) : rest.flatMap { [$0, 0] }
      var record = RecordBuilder()
      record.put(UInt32(0))
      record.put(action)
      record.put(UInt32(text.count))
      record.put(raw: text)
      let irp = Pointer<IRP>(watch.irp, in: memory.memory)
      let length = try irp.Tail.Overlay.CurrentStackLocation.load().Parameters.NotifyDirectory.Length.load()
      guard record.bytes.count <= Int(length) else {
        try await complete(watch.irp, .notifyEnumDir, 0)
        continue
      }
      // The completion copies it to the requestor.
      let buffer = try systemBuffer(UInt32(record.bytes.count))
      try memory.memory.write(record.bytes, at: buffer)
      try irp.AssociatedIrp.SystemBuffer.store(Pointer(buffer, in: memory.memory))
      try irp.Flags.store(irp.Flags.load().union([.bufferedIO, .inputOperation, .deallocateBuffer]))
      try await complete(watch.irp, .success, UInt64(record.bytes.count))
    }
  }

  private func watches(_ watch: DirectoryWatch, _ name: [UInt8], _ offset: Int) -> Bool {
    let directory = watch.directory
    guard name.count > directory.count, name.starts(with: directory) else { return false }
    if watch.isDeep { return true }
    let width = directory.count > 1 && directory[1] == 0 ? 2 : 1
    return offset == directory.count + (directory.count == width ? 0 : width)
  }
}
