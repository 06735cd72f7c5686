import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Opportunistic locks of filters' own: the file system's library does the work.
  static let oplocks: [Export] = [
    // nf-fltkernel-fltinitializeoplock
    export("FltInitializeOplock(Oplock)", module: "fltMgr", irql: .apc) { (kernel, oplock: GuestWord) async throws in
      _ = try await kernel.call(kernel.trapAddress(of: "FsRtlInitializeOplock"), [oplock.bits])
    },
    // nf-fltkernel-fltuninitializeoplock
    export("FltUninitializeOplock(Oplock)", module: "fltMgr", irql: .apc) { (kernel, oplock: GuestWord) async throws in
      _ = try await kernel.call(kernel.trapAddress(of: "FsRtlUninitializeOplock"), [oplock.bits])
    },
    // nf-fltkernel-fltoplockisfastiopossible
    export("FltOplockIsFastIoPossible(Oplock)", module: "fltMgr", irql: .apc) { (kernel, oplock: GuestWord) async throws -> UInt8 in
      UInt8(truncatingIfNeeded: try await kernel.call(kernel.trapAddress(of: "FsRtlOplockIsFastIoPossible"), [oplock.bits]))
    },
    // nf-fltkernel-fltcurrentbatchoplock
    export("FltCurrentBatchOplock(Oplock)", module: "fltMgr", irql: .apc) { (kernel, oplock: GuestWord) async throws -> UInt8 in
      UInt8(truncatingIfNeeded: try await kernel.call(kernel.trapAddress(of: "FsRtlCurrentBatchOplock"), [oplock.bits]))
    },
    // nf-fltkernel-fltoplockfsctrl
    export("FltOplockFsctrl(Oplock, CallbackData, OpenCount)", module: "fltMgr", irql: .apc) {
      (kernel, oplock: GuestWord, data: Pointer<FLT_CALLBACK_DATA>, count: UInt32) async throws -> FLT_PREOP_CALLBACK_STATUS in
      guard let operation = try kernel.irpOperation(data, in: "FltOplockFsctrl") else { return .complete }
      guard [.create, .fileSystemControl].contains(operation.major) else {
        kernel.report(violation: "FltOplockFsctrl is called for \(operation.major), which asks for no oplock")
        try data.IoStatus.Status.store(.invalidParameter)
        return .complete
      }
      return try await kernel.controlOplock(oplock.bits, operation, count)
    }
    .partially("the locks of Windows 7, FSCTL_REQUEST_OPLOCK, are refused with STATUS_INVALID_PARAMETER"),
    // nf-fltkernel-fltcheckoplock
    export(
      "FltCheckOplock(Oplock, CallbackData, Context, WaitCompletionRoutine, PrePostCallbackDataRoutine)", module: "fltMgr", irql: .apc
    ) {
      (
        kernel, oplock: GuestWord, data: Pointer<FLT_CALLBACK_DATA>, context: GuestWord, routine: GuestWord, post: GuestWord
      ) async throws -> FLT_PREOP_CALLBACK_STATUS in
      guard let operation = try kernel.irpOperation(data, in: "FltCheckOplock") else { return .complete }
      return try await kernel.checkOplock(oplock.bits, operation, context: context.bits, routine: routine.bits, post: post.bits)
    },
    export("FltpOplockCompletion(DeviceObject, Irp, Context)", module: "fltMgr", isImportable: false) {
      (kernel, device: GuestWord, irp: Pointer<IRP>, context: GuestWord) async throws -> NTSTATUS in
      try await kernel.completeOplockRequest(irp, of: context.bits)
    },
    export("FltpOplockWaitComplete(Context, Irp)", module: "fltMgr", isImportable: false) {
      (kernel, context: GuestWord, irp: Pointer<IRP>) async throws in
      guard let operation = kernel.filterManager.operations[context.bits], let wait = operation.oplockWait else { return }
      operation.oplockWait = nil
      _ = try await kernel.call(wait.routine, [operation.data.address, wait.context])
    },
    export("FltpOplockPrePost(Context, Irp)", module: "fltMgr", isImportable: false) {
      (kernel, context: GuestWord, irp: Pointer<IRP>) async throws in
      guard let operation = kernel.filterManager.operations[context.bits], let wait = operation.oplockWait, wait.post != 0 else { return }
      _ = try await kernel.call(wait.post, [operation.data.address, wait.context])
    },
  ]
}

extension Kernel {
  /// An operation that has an IRP. What has none is said.
  fileprivate func irpOperation(_ data: Pointer<FLT_CALLBACK_DATA>, in routine: String) throws -> Operation? {
    guard let operation = try operation(data, in: routine) else { return nil }
    if !operation.isFast { return operation }
    report(violation: "\(routine) is called for an operation without an IRP")
    try data.IoStatus.Status.store(.invalidParameter)
    return nil
  }

  /// `FltOplockFsctrl`: the library gets a packet of the filter manager's own, whose completion is that of the operation.
  fileprivate func controlOplock(_ oplock: UInt64, _ operation: Operation, _ count: UInt32) async throws -> FLT_PREOP_CALLBACK_STATUS {
    let (data, here) = (operation.data, memory.memory)
    let old = try operation.irp.Tail.Overlay.CurrentStackLocation.load()
    let irp = try request(operation.major, to: operation.volume.device, of: operation.block.TargetFileObject.load(), mode: .kernelMode)
    endInline(irp)
    try irp.Flags.store(operation.irp.Flags.load().intersection([.synchronousApi, .createOperation]))
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load().advanced(by: -1)
    try here.write(here.bytes(16, at: old.Parameters.address), at: stack.Parameters.address)
    try stack.Control.store([.invokeOnSuccess, .invokeOnError, .invokeOnCancel])
    try stack.CompletionRoutine.store(Pointer(trapAddress(of: "FltpOplockCompletion", in: "fltMgr"), in: here))
    try stack.Context.store(Pointer(data.address, in: here))
    // As if it had been sent to a driver.
    try irp.CurrentLocation.store(irp.CurrentLocation.load() &- 1)
    try irp.Tail.Overlay.CurrentStackLocation.store(stack)
    operation.oplockRequest = irp.address
    operation.isAskingForOplock = true
    let status = try await call(trapAddress(of: "FsRtlOplockFsctrl"), [oplock, irp.address, UInt64(count)])
    operation.isAskingForOplock = false
    guard UInt32(truncatingIfNeeded: status) == NTSTATUS.pending.rawValue, operation.oplockRequest != 0 else { return .complete }
    try operation.irp.CancelRoutine.store(Pointer(trapAddress(of: "FltpCancelRoutine", in: "fltMgr"), in: here))
    return .pending
  }

  /// The packet is complete: at once, or because the lock is broken.
  fileprivate func completeOplockRequest(_ irp: Pointer<IRP>, of data: UInt64) async throws -> NTSTATUS {
    let (status, information) = (try irp.IoStatus.Status.load(), try irp.IoStatus.Information.load())
    try await finish(irp)
    guard let operation = filterManager.operations[data], operation.oplockRequest == irp.address else { return .moreProcessingRequired }
    operation.oplockRequest = 0
    try operation.data.IoStatus.Status.store(status)
    try operation.data.IoStatus.Information.store(information)
    if !operation.isAskingForOplock {
      try operation.irp.CancelRoutine.store(Pointer(0, in: memory.memory))
      try await completePendedPre(operation, FLT_PREOP_CALLBACK_STATUS.complete.rawValue, context: 0)
    }
    return .moreProcessingRequired
  }

  /// `FltCheckOplock`: FLT_PREOP_SUCCESS_WITH_CALLBACK where the operation may go on.
  fileprivate func checkOplock(
    _ oplock: UInt64, _ operation: Operation, context: UInt64, routine: UInt64, post: UInt64
  ) async throws -> FLT_PREOP_CALLBACK_STATUS {
    operation.oplockWait = (routine, post, context)
    let traps = (trapAddress(of: "FltpOplockWaitComplete", in: "fltMgr"), trapAddress(of: "FltpOplockPrePost", in: "fltMgr"))
    let status = NTSTATUS(
      rawValue: UInt32(
        truncatingIfNeeded: try await call(
          trapAddress(of: "FsRtlCheckOplock"),
          [oplock, operation.irp.address, operation.data.address, routine == 0 ? 0 : traps.0, post == 0 ? 0 : traps.1])))
    if status == .pending { return .pending }
    operation.oplockWait = nil
    guard !status.isSuccess || status == .oplockBreakInProgress else { return .successWithCallback }
    try operation.data.IoStatus.Status.store(status)
    return status.isSuccess ? .successWithCallback : .complete
  }
}
