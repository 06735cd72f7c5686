import Guest
import NTKernel
import WindowsTypes

/// Fast I/O through filters: the same callbacks, about the caller's own buffer, in its thread.
extension Kernel {
  /// Calls the filters for a transfer without an IRP. `nil` where none is interested, or one will have an IRP.
  func filterFast(_ transfer: FastTransfer) async throws -> (status: NTSTATUS, information: UInt64)? {
    let file = transfer.file
    let major: IRP_MJ = transfer.isRead ? .read : .write
    guard let volume = filterManager.volumeByDevice[try relatedDevice(of: file).address] else { return nil }
    let instances = try interested(in: major, on: volume, below: filterManager.targets[file.address], irpFlags: [], file: file)
    guard !instances.isEmpty else { return nil }
    let operation = Operation(
      volume, Pointer(0, in: memory.memory), major, ParameterMap.of(major, minor: 0, code: IOControlCode(rawValue: 0)), try takeBlock(),
      instances)
    let (data, block) = (operation.data, operation.block)
    try data.Flags.store(.fastIOOperation)
    try data.Thread.store(currentThread().cast())
    try data.Iopb.store(block)
    try data.RequestorMode.store(transfer.mode)
    try block.MajorFunction.store(major)
    try block.TargetFileObject.store(file)
    let parameters = block.Parameters.Read
    try parameters.Length.store(transfer.buffer.length)
    try parameters.Key.store(transfer.key)
    try parameters.ByteOffset.QuadPart.store(transfer.offset)
    try parameters.ReadBuffer.store(Pointer(transfer.buffer.address, in: memory.memory))
    operation.buffer = transfer.buffer.address
    filterManager.operations[data.address] = operation
    defer { release(operation) }
    let descent = try await callPre(operation)
    switch descent {
    case .passes:
      let answer = try await askBelow(operation)
      try data.IoStatus.Status.store(answer.status)
      try data.IoStatus.Information.store(GuestWord(answer.information))
    case .completed: break
    case .disallowed, .pended: try data.IoStatus.Status.store(.fltDisallowFastIO)
    }
    guard try await callPost(operation) else { return nil }
    return descent == .disallowed || descent == .pended
      ? nil : (operation.status, try data.IoStatus.Information.load().bits)
  }

  /// What the file system does with the parameters, at once.
  private func askBelow(_ operation: Operation) async throws -> (status: NTSTATUS, information: UInt64) {
    let (block, below) = (operation.block, operation.volume.below)
    let parameters = block.Parameters.Read
    let file = try block.TargetFileObject.load()
    let irp = try request(operation.major, to: below, of: file, mode: operation.data.RequestorMode.load())
    try irp.Flags.store([.synchronousApi, .deferIOCompletion])
    endInline(irp)
    do {
      try prepareTransfer(
        irp, below, isRead: operation.major == .read, (parameters.ReadBuffer.load().address, parameters.Length.load()),
        offset: parameters.ByteOffset.QuadPart.load(), key: parameters.Key.load(), mode: .kernelMode)
    } catch let exception as GuestException {
      try abandon(irp)
      return (exception.code, 0)
    }
    return try await send(irp, to: below, waitingOn: file)
  }
}
