import Guest
import WindowsTypes

extension Export {
  /// Opportunistic locks, as file systems offer them.
  static let oplockCalls: [Export] = [
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlinitializeoplock: nobody has asked for one.
    export("FsRtlInitializeOplock(Oplock)", irql: .apc) { (_, oplock: Pointer<GuestWord>) in try oplock.store(0) },
    // fsrtluninitializeoplock
    export("FsRtlUninitializeOplock(Oplock)", irql: .apc) { (kernel, oplock: Pointer<GuestWord>) async throws in
      try await kernel.uninitializeOplock(oplock)
    },
    // fsrtloplockfsctrl: completes the request, unless it is pending.
    export("FsRtlOplockFsctrl(Oplock, Irp, OpenCount)", irql: .apc) {
      (kernel, oplock: Pointer<GuestWord>, irp: Pointer<IRP>, count: UInt32) async throws -> NTSTATUS in
      try await kernel.controlOplock(oplock, irp, openCount: count)
    }
    .partially("the locks of Windows 7, FSCTL_REQUEST_OPLOCK, are refused with STATUS_INVALID_PARAMETER"),
    // fsrtlcheckoplock
    export("FsRtlCheckOplock(Oplock, Irp, Context, CompletionRoutine, PostIrpRoutine)", irql: .apc) {
      (
        kernel, oplock: Pointer<GuestWord>, irp: Pointer<IRP>, context: GuestWord, routine: GuestWord, post: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.checkOplock(
        oplock, irp, kernel.oplockBreak(of: irp), isWaiting: !kernel.completesIfOplocked(irp), context: context.bits,
        routine: routine.bits, post: post.bits)
    },
    // fsrtlcheckoplockex: OPLOCK_FLAG_COMPLETE_IF_OPLOCKED 1, OPLOCK_FLAG_OPLOCK_KEY_CHECK_ONLY 2.
    export("FsRtlCheckOplockEx(Oplock, Irp, Flags, Context, CompletionRoutine, PostIrpRoutine)", irql: .apc) {
      (
        kernel, oplock: Pointer<GuestWord>, irp: Pointer<IRP>, flags: UInt32, context: GuestWord, routine: GuestWord, post: GuestWord
      ) async throws -> NTSTATUS in
      if flags & 2 != 0 { return .success }
      let isWaiting = try flags & 1 == 0 && !kernel.completesIfOplocked(irp)
      return try await kernel.checkOplock(
        oplock, irp, kernel.oplockBreak(of: irp), isWaiting: isWaiting, context: context.bits, routine: routine.bits, post: post.bits)
    }
    .partially("oplock keys, and requests that come with a create, are not looked at"),
    // fsrtloplockbreakh: of the older locks those that cache handles are batch and filter locks.
    export("FsRtlOplockBreakH(Oplock, Irp, Flags, Context, CompletionRoutine, PostIrpRoutine)", irql: .apc) {
      (
        kernel, oplock: Pointer<GuestWord>, irp: Pointer<IRP>, flags: UInt32, context: GuestWord, routine: GuestWord, post: GuestWord
      ) async throws -> NTSTATUS in
      let isWaiting = try flags & 1 == 0 && !kernel.completesIfOplocked(irp)
      return try await kernel.checkOplock(
        oplock, irp, OplockBreak(exclusive: .levelTwo, sparesLevelOne: true, breaksFilter: true), isWaiting: isWaiting,
        context: context.bits, routine: routine.bits, post: post.bits)
    }
    .uncertain("a batch lock is broken to level 2, a filter lock to none"),
    // fsrtloplockisfastiopossible: no lock at all, or an exclusive one that is not being broken.
    export("FsRtlOplockIsFastIoPossible(Oplock)", irql: .apc) { (kernel, oplock: Pointer<GuestWord>) -> UInt8 in
      guard let lock = try kernel.oplock(oplock) else { return 1 }
      return lock.isBreaking || !lock.shared.isEmpty ? 0 : 1
    },
    // fsrtlcurrentbatchoplock: a batch or a filter lock.
    export("FsRtlCurrentBatchOplock(Oplock)", irql: .apc) { (kernel, oplock: Pointer<GuestWord>) -> UInt8 in
      try kernel.oplock(oplock)?.cachesHandles == true ? 1 : 0
    },
    // fsrtlcurrentoplockh: a lock that caches handles.
    export("FsRtlCurrentOplockH(Oplock)", irql: .apc) { (kernel, oplock: Pointer<GuestWord>) -> UInt8 in
      try kernel.oplock(oplock)?.cachesHandles == true ? 1 : 0
    },
    // fsrtlcurrentoplock: any lock.
    export("FsRtlCurrentOplock(Oplock)", irql: .apc) { (kernel, oplock: Pointer<GuestWord>) -> UInt8 in
      guard let lock = try kernel.oplock(oplock) else { return 0 }
      return lock.exclusive != nil || !lock.shared.isEmpty ? 1 : 0
    },
    // fsrtloplockissharedrequest: FSCTL_REQUEST_OPLOCK_LEVEL_2, or FSCTL_REQUEST_OPLOCK without write caching.
    export("FsRtlOplockIsSharedRequest(Irp)", irql: .apc) { (kernel, irp: Pointer<IRP>) -> UInt8 in
      let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
      guard try stack.MajorFunction.load() == .fileSystemControl else { return 0 }
      let parameters = stack.Parameters.DeviceIoControl
      switch try parameters.IoControlCode.load().rawValue {
      case Kernel.OplockControl.levelTwo: return 1
      case 0x9_0240:
        // REQUEST_OPLOCK_INPUT_BUFFER.RequestedOplockLevel: OPLOCK_LEVEL_CACHE_WRITE is 4.
        let buffer = try irp.AssociatedIrp.SystemBuffer.load().address
        guard try parameters.InputBufferLength.load() >= 8, buffer != 0 else { return 0 }
        return try kernel.memory.memory.load(UInt32.self, at: buffer + 4) & 4 == 0 ? 1 : 0
      default: return 0
      }
    },
    // The cancel routine of requests that hold a lock.
    export("FsRtlpCancelOplockIrp(DeviceObject, Irp)", isImportable: false) {
      (kernel, device: GuestWord, irp: Pointer<IRP>) async throws in
      try kernel.lowerIRQL(to: irp.CancelIrql.load())
      try await kernel.cancelOplock(irp)
    },
  ]
}

extension Oplock {
  fileprivate var cachesHandles: Bool { exclusive.map { $0.kind != .levelOne } ?? false }
}

extension Kernel {
  /// Whether a create asks not to wait: `FILE_COMPLETE_IF_OPLOCKED`.
  fileprivate func completesIfOplocked(_ irp: Pointer<IRP>) throws -> Bool {
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    return try stack.MajorFunction.load() == .create && stack.Parameters.Create.Options.load() & 0x100 != 0
  }
}
