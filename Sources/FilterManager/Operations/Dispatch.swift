import Events
import Guest
import NTKernel
import WindowsTypes

/// The way down: pre-operation callbacks, then the device below.
extension Kernel {
  /// What became of an operation at the pre-operation callbacks.
  enum Descent {
    /// Everyone let it pass.
    case passes
    /// A filter completed it; its status is in the callback data.
    case completed
    case pended
    /// Fast I/O is not to be had: the request comes again as an IRP.
    case disallowed
  }

  /// The dispatch routine of the filter manager's device on a volume, for every major function.
  func filterDispatch(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let manager = filterManager
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    guard let volume = manager.volumeByDevice[device.address] else {
      // The filter manager's control device: it can be opened and closed.
      try irp.IoStatus.Status.store(.success)
      try irp.IoStatus.Information.store(0)
      try await completeRequest(irp)
      return .success
    }
    let major = try stack.MajorFunction.load()
    let file = try stack.FileObject.load()
    var above = manager.takeStart(irp.address) ?? (manager.targets.isEmpty ? nil : manager.targets[file.address])
    if major == .create, let thread = running?.id, let target = manager.pendingCreates.removeValue(forKey: thread) { above = target }
    let instances = try interested(in: major, on: volume, below: above, irpFlags: irp.Flags.load(), file: file)
    if major == .create, let above { manager.targets[file.address] = above }
    let closed = major == .close ? ClosedFile(file.address, try file.FsContext.load().address, try fileID(of: file), volume) : nil
    if instances.isEmpty {
      // IoSkipCurrentIrpStackLocation
      try irp.CurrentLocation.store(irp.CurrentLocation.load() &+ 1)
      try irp.Tail.Overlay.CurrentStackLocation.store(stack.advanced(by: 1))
      let status = try await callDriver(volume.below, irp)
      if let closed { try await forget(closed) }
      return status
    }
    let operation = try makeOperation(volume, irp, stack, instances)
    let status = try await descend(operation)
    // The name that it leads to is opened in the same way.
    if major == .create, status == .reparse, let above, let thread = running?.id { manager.pendingCreates[thread] = above }
    if let closed { try await forget(closed) }
    return status
  }

  /// A file object that is being closed: its address, that of its stream, the file's identifier.
  private struct ClosedFile {
    let file: UInt64
    let stream: UInt64
    let id: UInt64?
    let volume: FilterVolume

    init(_ file: UInt64, _ stream: UInt64, _ id: UInt64?, _ volume: FilterVolume) {
      (self.file, self.stream, self.id, self.volume) = (file, stream, id, volume)
    }
  }

  /// A file object is gone, with all that is kept for it.
  private func forget(_ closed: ClosedFile) async throws {
    let (manager, file) = (filterManager, closed.file)
    manager.targets[file] = nil
    if !manager.queriedNames.isEmpty { manager.queriedNames = manager.queriedNames.filter { $0.file != file } }
    try await dropContexts(file: file, stream: closed.stream, fileID: closed.id, on: closed.volume)
  }

  /// The instances that are called for an operation, from the highest altitude down.
  func interested(
    in major: IRP_MJ, on volume: FilterVolume, below above: Instance?, irpFlags: IRPFlags, file: Pointer<FILE_OBJECT>
  ) throws -> [Instance] {
    let index = Int(major.rawValue)
    let candidates = filterManager.interested(in: index, on: volume)
    if candidates.isEmpty { return [] }
    if above == nil, !candidates.contains(where: { $0.operations[index]?.flags.isEmpty == false }) { return candidates }
    // FO_VOLUME_OPEN; a cached transfer is one that neither bypasses the cache nor comes from it.
    let isVolume = try !file.isNull && file.Flags.load() & 0x40_0000 != 0
    let isPaging = irpFlags.contains(.pagingIO)
    let isCached = !isPaging && !irpFlags.contains(.noCache) && (major == .read || major == .write)
    return candidates.filter { instance in
      guard let flags = instance.operations[index]?.flags else { return false }
      if let above, !(instance.altitude < above.altitude) { return false }
      if flags.contains(.skipPagingIO) && isPaging || flags.contains(.skipCachedIO) && isCached { return false }
      return !(flags.contains(.skipNonDASDIO) && !isVolume)
    }
  }

  /// Lets an operation go on: the filters that are left, then the device below; what comes of that is the dispatch routine's status.
  func descend(_ operation: Operation) async throws -> NTSTATUS {
    switch try await callPre(operation) {
    case .passes: return try await passDown(operation)
    case .completed: return try await finishAbove(operation)
    case .pended, .disallowed:
      try markPending(operation.irp)
      return .pending
    }
  }

  /// `IoMarkIrpPending`, at the filter manager's location.
  private func markPending(_ irp: Pointer<IRP>) throws {
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    try stack.Control.store(stack.Control.load().union(.pendingReturned))
  }

  /// Calls the pre-operation callbacks that are left.
  func callPre(_ operation: Operation) async throws -> Descent {
    let (data, block) = (operation.data, operation.block)
    while operation.next < operation.instances.count {
      let instance = operation.instances[operation.next]
      operation.next += 1
      guard try !isGoing(instance), let callbacks = instance.operations[Int(operation.major.rawValue)] else { continue }
      try fill(operation, for: instance)
      let before = try ParameterBlock(block)
      guard callbacks.pre != 0 else {
        try push(operation, instance, callbacks.post, context: 0, before, synchronizes: false)
        continue
      }
      try data.Flags.store(data.Flags.load().subtracting(.dirty))
      try operation.contextSlot.store(0)
      operation.pended = Operation.Pended(instance: instance, parameters: before)
      let irql = try kpcr.Irql.load()
      let result = Int32(
        truncatingIfNeeded: try await call(
          callbacks.pre, [data.address, operation.related.address, operation.contextSlot.address]))
      try checkIRQL(irql, callbacks.pre, "pre-operation callback of \(instance.filter.name) for \(operation.major)")
      if result == FLT_PREOP_CALLBACK_STATUS.pending.rawValue {
        guard !operation.isFast else {
          report(
            violation:
              "a pre-operation callback of \(instance.filter.name) returned FLT_PREOP_PENDING for \(operation.major) as fast I/O, which "
              + "cannot be pended",
            at: Site(ip: callbacks.pre))
          return .disallowed
        }
        if let answer = operation.pended?.answer {
          // Completed before the callback returned.
          operation.pended = nil
          if let end = try obey(answer.status, context: answer.context, instance, callbacks, before, operation) { return end }
          continue
        }
        try hold(operation, by: instance, "pre")
        return .pended
      }
      if operation.pended?.answer != nil {
        report(
          violation: "\(instance.filter.name) called FltCompletePendedPreOperation for \(operation.major) inside its pre-operation "
            + "callback, which then did not return FLT_PREOP_PENDING", at: Site(ip: callbacks.pre))
      }
      operation.pended = nil
      let context = try operation.contextSlot.load().bits
      if context != 0, result == FLT_PREOP_CALLBACK_STATUS.successNoCallback.rawValue
        || result == FLT_PREOP_CALLBACK_STATUS.complete.rawValue
      {
        report(
          violation: "\(instance.filter.name) returned \(result == 1 ? "FLT_PREOP_SUCCESS_NO_CALLBACK" : "FLT_PREOP_COMPLETE") for "
            + "\(operation.major) with a completion context, which nobody will get", at: Site(ip: callbacks.pre))
      }
      if let end = try obey(result, context: context, instance, callbacks, before, operation) { return end }
    }
    return .passes
  }

  /// A callback has pended an operation: that keeps the instance, and somebody may wait.
  func hold(_ operation: Operation, by instance: Instance, _ kind: String) throws {
    operation.pended?.hasReturned = true
    _ = try reference(instance, by: nil)
    guard let thread = running?.id else { return }
    operation.waiter = thread
    setPurpose("\(operation.major), which \(instance.filter.name) has pended in its \(kind)-operation callback", of: thread)
  }

  /// The filter lets go of it.
  func letGo(_ operation: Operation, of instance: Instance) throws {
    try dereference(instance, by: nil)
    if let thread = operation.waiter { setPurpose(nil, of: thread) }
    operation.waiter = nil
  }

  /// Does what a pre-operation callback's status says; `nil` where the next one is asked.
  func obey(
    _ status: Int32, context: UInt64, _ instance: Instance, _ callbacks: Registration.Operation, _ before: ParameterBlock,
    _ operation: Operation
  ) throws -> Descent? {
    try adopt(instance, before, operation)
    switch FLT_PREOP_CALLBACK_STATUS(rawValue: status) {
    case .successNoCallback: break
    case .successWithCallback, .synchronize:
      guard callbacks.post != 0 else {
        // FLTMGR_FILE_SYSTEM, 66: a callback is wanted, and none is registered.
        report(
          violation: "\(instance.filter.name) returned \(status == 0 ? "FLT_PREOP_SUCCESS_WITH_CALLBACK" : "FLT_PREOP_SYNCHRONIZE") for "
            + "\(operation.major), and has registered no post-operation callback for it", at: Site(ip: callbacks.pre))
        throw BugCheck(BugCheckCode(rawValue: 0xf5), 0x66, operation.data.address, callbacks.pre, 0)
      }
      try push(
        operation, instance, callbacks.post, context: context, before,
        synchronizes: status == FLT_PREOP_CALLBACK_STATUS.synchronize.rawValue)
    case .complete:
      try checkCompletion(operation, by: instance, callbacks.pre)
      return .completed
    case .disallowFastIO where operation.isFast: return .disallowed
    case .disallowFastIO:
      report(
        violation: "\(instance.filter.name) returned FLT_PREOP_DISALLOW_FASTIO for \(operation.major), which is no fast I/O",
        at: Site(ip: callbacks.pre))
    default:
      report(
        violation: "a pre-operation callback of \(instance.filter.name) returned \(status) for \(operation.major), which is no "
          + "FLT_PREOP_CALLBACK_STATUS",
        at: Site(ip: callbacks.pre))
      note(uncertain: "an undefined FLT_PREOP_CALLBACK_STATUS is taken as FLT_PREOP_SUCCESS_NO_CALLBACK")
    }
    return nil
  }

  /// What a filter may complete an operation with ("Completing an I/O Operation in a Preoperation Callback Routine").
  private func checkCompletion(_ operation: Operation, by instance: Instance, _ routine: UInt64) throws {
    let (status, major) = (try operation.data.IoStatus.Status.load(), operation.major)
    let rule: String
    if status == .pending || status == .fltDisallowFastIO {
      rule = "which is no status to complete with"
    } else if major == .cleanup || major == .close, status != .success {
      rule = "which must not fail"
    } else {
      return
    }
    report(
      violation: "\(instance.filter.name) completed \(major) with \(status) in its pre-operation callback, \(rule)",
      at: Site(ip: routine))
  }

  private func push(
    _ operation: Operation, _ instance: Instance, _ routine: UInt64, context: UInt64, _ before: ParameterBlock, synchronizes: Bool
  ) throws {
    guard routine != 0 else { return }
    operation.completions.append(
      Operation.Completion(
        instance: instance, routine: routine, context: context, parameters: before, synchronizes: synchronizes))
  }

  /// Takes over what a pre-operation callback did to the parameters, if it said so (FltSetCallbackDataDirty); else it is undone.
  private func adopt(_ instance: Instance, _ before: ParameterBlock, _ operation: Operation) throws {
    let after = try ParameterBlock(operation.block)
    guard after != before else { return }
    guard try operation.data.Flags.load().contains(.dirty) else {
      report(violation: "\(instance.filter.name) changed the parameters of an operation without FltSetCallbackDataDirty")
      return try before.store(operation.block)
    }
    operation.isChanged = true
    if after.words[ParameterBlock.targetInstance] != before.words[ParameterBlock.targetInstance] {
      try redirect(operation, from: instance, to: UInt64(after.words[ParameterBlock.targetInstance]))
    }
    let (bufferWord, mdlWord) = (operation.map.bufferWord, operation.map.mdlWord)
    let (oldMDL, mdl) = (before[mdlWord], after[mdlWord])
    if after[bufferWord] == before[bufferWord] {
      // Locked, not exchanged: whoever asked before has the same buffer.
      if oldMDL == 0, mdl != 0 { spread(mdl, of: after[bufferWord], by: instance, in: operation) }
    } else if mdl != oldMDL, mdl != 0 {
      operation.placed.append((instance, mdl))
    } else if mdl != 0 {
      report(violation: "\(instance.filter.name) exchanged the buffer of an operation and left the old one's MDL in place")
    }
  }

  /// A filter sends an operation to its instance at the same altitude on another volume: it goes on below that
  /// (ns-fltkernel-_flt_io_parameter_block). Anything else stays where it is.
  private func redirect(_ operation: Operation, from instance: Instance, to address: UInt64) throws {
    guard let target = self.instance(address), target.filter === instance.filter, target.altitude == instance.altitude,
      !operation.isFast, try !isGoing(target)
    else {
      return report(
        violation:
          "\(instance.filter.name) changed the target instance of an operation to \(hex(address)), which is no instance of its own "
          + "at that altitude, or for fast I/O")
    }
    operation.volume = target.volume
    operation.next = 0
    operation.instances = try interested(
      in: operation.major, on: target.volume, below: target, irpFlags: operation.irp.Flags.load(),
      file: operation.block.TargetFileObject.load())
  }

  /// An MDL that FltLockUserBuffer made for the operation's buffer is everyone's who sees that buffer.
  func spread(_ mdl: UInt64, of buffer: UInt64, by instance: Instance, in operation: Operation) {
    // The IRP's own buffer is unlocked with the IRP; that of a filter, with the filter.
    if buffer == operation.buffer { operation.lockedMDL = mdl } else { operation.placed.append((instance, mdl)) }
    let (bufferWord, mdlWord) = (operation.map.bufferWord, operation.map.mdlWord)
    for index in operation.completions.indices
    where operation.completions[index].parameters[bufferWord] == buffer && operation.completions[index].parameters[mdlWord] == 0 {
      operation.completions[index].parameters[mdlWord] = mdl
    }
  }

  func fill(_ operation: Operation, for instance: Instance) throws {
    try fill(operation.related, for: instance)
    let file = try operation.block.TargetFileObject.load()
    try operation.related.FileObject.store(file)
    try operation.block.TargetInstance.store(instance.object.cast())
  }

  func checkIRQL(_ before: IRQL, _ routine: UInt64, _ kind: @autoclosure () -> String) throws {
    let after = try kpcr.Irql.load()
    if after != before {
      report(
        violation: "the \(kind()) returned at IRQL \(after.rawValue); it was called at \(before.rawValue)", at: Site(ip: routine))
    }
  }

  // MARK: Below

  /// Sends an operation that every filter let pass to the device below.
  func passDown(_ operation: Operation) async throws -> NTSTATUS {
    let (irp, volume) = (operation.irp, operation.volume)
    operation.stage = .below
    // A create is completed in the thread that asked for it; so is what a filter synchronizes.
    operation.waits = operation.major == .create || operation.completions.contains { $0.synchronizes }
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    let next = stack.advanced(by: -1)
    try memory.memory.write(memory.memory.bytes(0x1c, at: stack.address), at: next.address)
    try next.Control.store([.invokeOnSuccess, .invokeOnError, .invokeOnCancel])
    try next.CompletionRoutine.store(Pointer(filterManager.completionTrap(self), in: memory.memory))
    try next.Context.store(Pointer(operation.data.address, in: memory.memory))
    if operation.isChanged { try apply(operation, to: next) }
    let tell = try statusCallbacks(of: operation)
    let status = try await callDriver(volume.below, irp)
    try await tell?(status)
    guard operation.waits else {
      if status == .pending { return .pending }
      // What a post-operation callback made of the status.
      if operation.stage == .finished { return operation.status }
      // A post-operation callback holds it back.
      try markPending(irp)
      return .pending
    }
    while !operation.isBelowDone { try await wait(for: event(of: operation), "the completion of \(operation.major)") }
    return try await finishAbove(operation)
  }

  /// Who asked to be told what the device below returns (FltRequestOperationStatusCallback), with the parameters as they are now: by
  /// then the operation may be over.
  private func statusCallbacks(of operation: Operation) throws -> ((NTSTATUS) async throws -> Void)? {
    guard !operation.statusCallbacks.isEmpty else { return nil }
    let (callbacks, file) = (operation.statusCallbacks, try operation.block.TargetFileObject.load())
    let copy = try takeBlock()
    let (block, related) = (copy.address + Operation.blockOffset, copy.address + Operation.relatedOffset)
    try ParameterBlock(operation.block).store(Pointer(block, in: memory.memory))
    return { [self] status in
      for (instance, routine, context) in callbacks {
        let objects = Pointer<FLT_RELATED_OBJECTS>(related, in: memory.memory)
        try fill(objects, for: instance)
        try objects.FileObject.store(file)
        _ = try await call(routine, [related, block, UInt64(status.rawValue), context])
      }
      filterManager.spareBlocks.append(copy.address)
    }
  }

  /// The event that a synchronized operation's thread waits on.
  func event(of operation: Operation) throws -> Pointer<KEVENT> {
    if let event = filterManager.events[operation.data.address] { return event }
    let event = Pointer<KEVENT>(try allocate(UInt64(Pointer<KEVENT>.size(in: memory.memory))), in: memory.memory)
    try initializeEvent(event, .eventNotification, isSet: false)
    filterManager.events[operation.data.address] = event
    return event
  }

  /// Calls the post-operation callbacks in this thread and completes the IRP: its dispatch routine, or whoever completed what had
  /// been pended, is at the end.
  func finishAbove(_ operation: Operation) async throws -> NTSTATUS {
    guard try await callPost(operation) else {
      try markPending(operation.irp)
      return .pending
    }
    let status = operation.status
    try await end(operation)
    return status
  }
}
