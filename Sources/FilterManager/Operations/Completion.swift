import Events
import Guest
import NTKernel
import WindowsTypes

/// The way up: post-operation callbacks.
extension Kernel {
  /// The completion routine that the filter manager sets for what it sends down.
  func filterCompletion(_ irp: Pointer<IRP>, _ data: UInt64) async throws -> NTSTATUS {
    guard let operation = filterManager.operations[data] else { return .success }
    if operation.waits {
      operation.isBelowDone = true
      if let event = filterManager.events.removeValue(forKey: data) {
        try set(event)
        free(event.address)
      }
      return .moreProcessingRequired
    }
    if try irp.PendingReturned.load() != 0 {
      let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
      try stack.Control.store(stack.Control.load().union(.pendingReturned))
    }
    guard try await callPost(operation) else { return .moreProcessingRequired }
    release(operation)
    return .success
  }

  /// Calls the post-operation callbacks that are left, from the lowest altitude up. Returns whether all are done; else one holds the
  /// operation back.
  func callPost(_ operation: Operation) async throws -> Bool {
    let data = operation.data
    if operation.stage != .post {
      // What a filter completed itself has its status in the callback data.
      if operation.stage == .below {
        try copyStatus(from: operation.irp.IoStatus, to: data.IoStatus)
        try takeTagData(of: operation)
      }
      operation.stage = .post
      try data.Flags.store(data.Flags.load().union(.postOperation).subtracting(.dirty))
    }
    while let completion = operation.completions.popLast() {
      try completion.parameters.store(operation.block)
      guard try await callPost(operation, completion) else { return false }
    }
    operation.status = try data.IoStatus.Status.load()
    if !operation.isFast {
      try copyStatus(from: data.IoStatus, to: operation.irp.IoStatus)
      try giveTagData(of: operation)
      try restore(operation)
    }
    for (_, mdl) in operation.placed { try freePlaced(mdl) }
    operation.placed = []
    // What was locked for fast I/O has no IRP to end with.
    if operation.isFast, operation.lockedMDL != 0 { try freePlaced(operation.lockedMDL) }
    return true
  }

  /// Calls one of them. Returns whether it is done with the operation.
  private func callPost(_ operation: Operation, _ completion: Operation.Completion, flags: UInt64 = 0) async throws -> Bool {
    let instance = completion.instance
    let mdlBefore = completion.parameters[operation.map.mdlWord]
    try fill(operation, for: instance)
    operation.pended = Operation.Pended(instance: instance, parameters: completion.parameters)
    operation.isSynchronized = completion.synchronizes
    let irql = try kpcr.Irql.load()
    let result = Int32(
      truncatingIfNeeded: try await call(
        completion.routine, [operation.data.address, operation.related.address, completion.context, flags]))
    try checkIRQL(irql, completion.routine, "post-operation callback of \(instance.filter.name) for \(operation.major)")
    if result == FLT_POSTOP_CALLBACK_STATUS.moreProcessingRequired.rawValue, flags == 0 {
      guard operation.pended?.answer == nil else { return try finished(operation, instance, mdlBefore) }
      try hold(operation, by: instance, "post")
      return false
    }
    if result != FLT_POSTOP_CALLBACK_STATUS.finishedProcessing.rawValue {
      report(
        violation: "a post-operation callback of \(instance.filter.name) returned \(result) for \(operation.major), which is no "
          + "FLT_POSTOP_CALLBACK_STATUS",
        at: Site(ip: completion.routine))
    } else if operation.pended?.answer != nil {
      report(
        violation: "\(instance.filter.name) called FltCompletePendedPostOperation for \(operation.major) inside its post-operation "
          + "callback, which then did not return FLT_POSTOP_MORE_PROCESSING_REQUIRED", at: Site(ip: completion.routine))
    }
    return try finished(operation, instance, mdlBefore)
  }

  /// A filter is done with an operation: what it put in place of the operation's MDL goes.
  func finished(_ operation: Operation, _ instance: Instance, _ mdlBefore: UInt64) throws -> Bool {
    operation.pended = nil
    let values = try ParameterBlock(operation.block)
    let mdl = values[operation.map.mdlWord]
    if mdlBefore == 0, mdl != 0 {
      // Locked on the way up.
      spread(mdl, of: values[operation.map.bufferWord], by: instance, in: operation)
    }
    for (_, mdl) in operation.placed.filter({ $0.instance === instance }) { try freePlaced(mdl) }
    operation.placed.removeAll { $0.instance === instance }
    return true
  }

  /// The filter manager frees the MDL that a filter put in place of the operation's (flt-parameters-for-irp-mj-read).
  private func freePlaced(_ mdl: UInt64) throws {
    let pointer = Pointer<MDL>(mdl, in: memory.memory)
    guard isPoolBlock(mdl) else {
      return report(violation: "a filter freed the MDL that it had put in an operation's parameters: the filter manager does that")
    }
    if try pointer.MdlFlags.load().contains(.pagesLocked) { try unlock(pointer) }
    try freePool(mdl)
  }

  private func copyStatus(from source: Pointer<IO_STATUS_BLOCK>, to target: Pointer<IO_STATUS_BLOCK>) throws {
    try target.Status.store(source.Status.load())
    try target.Information.store(source.Information.load())
  }

  // MARK: What was held back

  /// `FltCompletePendedPreOperation` (nf-fltkernel-fltcompletependedpreoperation).
  func completePendedPre(_ operation: Operation, _ status: Int32, context: UInt64) async throws {
    guard let pended = operation.pended, operation.stage == .pre, pended.answer == nil else {
      return report(violation: "FltCompletePendedPreOperation is called for an operation that no pre-operation callback has pended")
    }
    guard pended.hasReturned else {
      operation.pended?.answer = (status, context)
      return
    }
    let instance = pended.instance
    operation.pended = nil
    guard let callbacks = instance.operations[Int(operation.major.rawValue)] else { return }
    let end = try obey(status, context: context, instance, callbacks, pended.parameters, operation)
    try letGo(operation, of: instance)
    if end == .completed {
      _ = try await finishAbove(operation)
    } else {
      _ = try await descend(operation)
    }
  }

  /// `FltCompletePendedPostOperation` (nf-fltkernel-fltcompletependedpostoperation).
  func completePendedPost(_ operation: Operation) async throws {
    guard let pended = operation.pended, operation.stage == .post, pended.answer == nil else {
      return report(violation: "FltCompletePendedPostOperation is called for an operation that no post-operation callback has pended")
    }
    guard pended.hasReturned else {
      operation.pended?.answer = (0, 0)
      return
    }
    _ = try finished(operation, pended.instance, pended.parameters[operation.map.mdlWord])
    try letGo(operation, of: pended.instance)
    guard try await callPost(operation) else { return }
    try await end(operation)
  }

  /// An instance goes: whoever of its filter is to be called later is called now, to clean up (FLTFL_POST_OPERATION_DRAINING).
  func drain(_ instance: Instance) async throws {
    for operation in filterManager.operations.values.sorted(by: { $0.data.address < $1.data.address }) where operation.stage == .below {
      while let index = operation.completions.firstIndex(where: { $0.instance === instance }) {
        let completion = operation.completions.remove(at: index)
        let (saved, pended) = (try ParameterBlock(operation.block), operation.pended)
        try completion.parameters.store(operation.block)
        try operation.data.Flags.store(operation.data.Flags.load().union(.drainingIO))
        _ = try await callPost(operation, completion, flags: 1)
        try operation.data.Flags.store(operation.data.Flags.load().subtracting(.drainingIO))
        try saved.store(operation.block)
        operation.pended = pended
      }
    }
  }
}
