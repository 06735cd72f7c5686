import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  static let reissue: [Export] = [
    // nf-fltkernel-fltreissuesynchronousio
    export("FltReissueSynchronousIo(InitiatingInstance, CallbackData)", module: "fltMgr", irql: .apc) {
      (kernel, instance: Pointer<Void>, data: Pointer<FLT_CALLBACK_DATA>) async throws in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltReissueSynchronousIo"),
        let operation = try kernel.operation(data, in: "FltReissueSynchronousIo")
      else { return }
      if operation.initiator != nil { return try await kernel.perform(operation) }
      guard operation.stage == .post, operation.isSynchronized, operation.pended?.instance === instance else {
        return kernel.report(
          violation: "FltReissueSynchronousIo is called for an operation that \(instance.filter.name) has not synchronized, "
            + "or not in its post-operation callback")
      }
      try await kernel.reissue(operation, below: instance)
    }
  ]
}

extension Kernel {
  /// Sends an operation that has come back once more to the filters below `instance` and to the file system, with the parameters that
  /// its callback data has now, and waits for it.
  func reissue(_ operation: Operation, below instance: Instance) async throws {
    let (irp, data) = (operation.irp, operation.data)
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    let file = try operation.block.TargetFileObject.load()
    // FO_FILE_OPEN_CANCELLED: a close is on its way.
    if operation.major == .create, try file.Flags.load() & 0x20_0000 != 0 { return try data.IoStatus.Status.store(.cancelled) }
    // What a reparse point left there goes.
    try freeTagData(of: operation)
    let asked = operation.pended?.parameters
    var wanted = try ParameterBlock(operation.block)
    if let asked, wanted != asked, try !data.Flags.load().contains(.dirty) {
      report(violation: "\(instance.filter.name) changed the parameters of an operation without FltSetCallbackDataDirty")
      wanted = asked
    }
    let below = try interested(in: operation.major, on: operation.volume, below: instance, irpFlags: irp.Flags.load(), file: file)
    try irp.IoStatus.Status.store(.success)
    try irp.IoStatus.Information.store(0)
    try irp.PendingReturned.store(0)
    let again = try makeOperation(operation.volume, irp, stack, below)
    again.isReissued = true
    again.isChanged = operation.isChanged || wanted != asked
    try wanted.store(again.block)
    again.buffer = wanted[again.map.bufferWord]
    try again.data.Flags.store(again.data.Flags.load().union(.reissuedIO))
    switch try await callPre(again) {
    case .passes: _ = try await passDown(again)
    case .completed: _ = try await finishAbove(again)
    case .pended, .disallowed: break
    }
    while again.stage != .finished { try await wait(for: event(of: again), "the completion of the reissued \(operation.major)") }
    try data.IoStatus.Status.store(again.data.IoStatus.Status.load())
    try data.IoStatus.Information.store(again.data.IoStatus.Information.load())
    try data.TagData.store(again.data.TagData.load())
    filterManager.events.removeValue(forKey: again.data.address).map { free($0.address) }
    release(again)
  }

  /// Every filter is done with an operation: its IRP is complete, or whoever has reissued it goes on.
  func end(_ operation: Operation) async throws {
    if operation.isReissued {
      operation.stage = .finished
      if let event = filterManager.events[operation.data.address] { try set(event) }
      return
    }
    let irp = operation.irp
    release(operation)
    try await completeRequest(irp)
  }

  // MARK: Reparse points

  /// The reparse point that a create came to is the filters' to look at, and to take away (ns-fltkernel-_flt_tag_data_buffer).
  func takeTagData(of operation: Operation) throws {
    guard operation.major == .create else { return }
    try operation.data.TagData.store(operation.irp.Tail.Overlay.AuxiliaryBuffer.load().cast())
  }

  func giveTagData(of operation: Operation) throws {
    guard operation.major == .create else { return }
    let (data, place) = (try operation.data.TagData.load(), operation.irp.Tail.Overlay.AuxiliaryBuffer)
    let present = try place.load().address
    if present != data.address { try place.store(data.cast()) }
  }

  private func freeTagData(of operation: Operation) throws {
    guard operation.major == .create else { return }
    let block = try operation.data.TagData.load().address
    if block != 0 { if isPoolBlock(block) { try freePool(block) } else { free(block) } }
    try operation.data.TagData.store(Pointer(0, in: memory.memory))
    try operation.irp.Tail.Overlay.AuxiliaryBuffer.store(Pointer(0, in: memory.memory))
  }
}
