import Guest
import NTKernel
import WindowsTypes

/// Requests of filters' own that nobody waits for: `FltReadFile`, `FltWriteFile` and `FltPerformAsynchronousIo` with a callback.
struct LateRequest {
  let operation: Operation
  /// `PFLT_COMPLETED_ASYNC_IO_CALLBACK`
  let routine: UInt64
  let context: UInt64
  /// The filter manager allocated the callback data, and frees it once the callback has returned.
  let endsWithCallback: Bool
  /// Where the file's position was, if the request moves it on.
  let position: Int64?
}

extension Kernel {
  /// Sends a request to the filters below `instance` and to the file system; `late` is told when it is complete, in whatever thread
  /// and at whatever IRQL that is. Returns what the dispatch routine does.
  func askLate(
    _ instance: Instance, _ file: Pointer<FILE_OBJECT>, _ major: IRP_MJ, _ late: LateRequest,
    _ prepare: (Pointer<IRP>, Pointer<IO_STACK_LOCATION>) throws -> Void
  ) async throws -> NTSTATUS {
    guard try reference(instance, by: nil).isSuccess else { return .fltDeletingObject }
    let device = instance.volume.device
    let irp = try request(major, to: device, of: file, mode: .kernelMode)
    let next = try irp.Tail.Overlay.CurrentStackLocation.load().advanced(by: -1)
    do {
      try prepare(irp, next)
    } catch let exception as GuestException {
      try abandon(irp)
      try dereference(instance, by: nil)
      return exception.code
    }
    try next.Control.store([.invokeOnSuccess, .invokeOnError, .invokeOnCancel])
    try next.CompletionRoutine.store(Pointer(trapAddress(of: "FltpLateCompletion", in: "fltMgr"), in: memory.memory))
    filterManager.starts[irp.address] = instance
    filterManager.lateRequests[irp.address] = late
    return try await callDriver(device, irp)
  }

  /// The completion routine of such a request.
  func completeLate(_ irp: Pointer<IRP>) async throws -> NTSTATUS {
    guard let late = filterManager.lateRequests.removeValue(forKey: irp.address) else { return .success }
    let (data, file) = (late.operation.data, try irp.Tail.Overlay.OriginalFileObject.load())
    let (status, information) = (try irp.IoStatus.Status.load(), try irp.IoStatus.Information.load())
    try await finish(irp)
    try data.IoStatus.Status.store(status)
    try data.IoStatus.Information.store(information)
    if let position = late.position, status.isSuccess { try file.CurrentByteOffset.QuadPart.store(position &+ Int64(information.bits)) }
    _ = try await call(late.routine, [data.address, late.context])
    if late.endsWithCallback {
      unregister(Self.callbackDataKind, data.address)
      release(late.operation)
    }
    if let instance = late.operation.initiator { try dereference(instance, by: nil) }
    return .moreProcessingRequired
  }

  /// `FltReadFile` and `FltWriteFile` with a callback (nf-fltkernel-fltreadfile): what they were asked to count they do not.
  func transferLate(
    _ instance: Instance, _ file: Pointer<FILE_OBJECT>, isRead: Bool, _ buffer: (address: UInt64, length: UInt32),
    offset: Pointer<Int64>, flags: UInt32, _ routine: UInt64, _ context: UInt64
  ) async throws -> NTSTATUS {
    let place = try offset.isNull ? file.CurrentByteOffset.QuadPart.load() : offset.load()
    let operation = try allocateCallbackData(instance, file)
    try operation.block.MajorFunction.store(isRead ? .read : .write)
    let parameters = operation.block.Parameters.Read
    try parameters.Length.store(buffer.length)
    try parameters.ByteOffset.QuadPart.store(place)
    try parameters.ReadBuffer.store(Pointer(buffer.address, in: memory.memory))
    let late = LateRequest(
      operation: operation, routine: routine, context: context, endsWithCallback: true, position: flags & 4 != 0 ? nil : place)
    let status = try await askLate(instance, file, isRead ? .read : .write, late) { irp, _ in
      try prepareTransfer(irp, instance.volume.device, isRead: isRead, buffer, offset: place, key: 0, mode: .kernelMode)
      if flags & 1 != 0 { try irp.Flags.store(irp.Flags.load().union(.noCache)) }
    }
    // It never came to a device: nobody is told.
    if operation.stage != .finished, !filterManager.lateRequests.values.contains(where: { $0.operation === operation }) {
      unregister(Self.callbackDataKind, operation.data.address)
      release(operation)
    }
    return status
  }

  /// `FltPerformAsynchronousIo` (nf-fltkernel-fltperformasynchronousio).
  func performLate(_ operation: Operation, _ routine: UInt64, _ context: UInt64) async throws -> NTSTATUS {
    guard let instance = operation.initiator else { return .invalidParameter }
    let late = LateRequest(operation: operation, routine: routine, context: context, endsWithCallback: false, position: nil)
    let file = try operation.block.TargetFileObject.load()
    return try await askLate(instance, file, operation.block.MajorFunction.load(), late) { irp, stack in
      try prepare(irp, stack, from: operation)
    }
  }
}
