import Events
import Guest
import WindowsTypes

/// IRPs on their way down a stack of devices.
extension Kernel {
  /// `IofCallDriver`: the next stack location becomes the current one, and its driver's dispatch routine is called.
  ///
  /// Without a location left it is bugcheck 0x35, NO_MORE_IRP_STACK_LOCATIONS (the IRP).
  package func callDriver(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let location = try irp.CurrentLocation.load() &- 1
    try irp.CurrentLocation.store(location)
    guard location > 0 else { throw BugCheck(.noMoreIRPStackLocations, irp.address) }
    let stack = try nextLocation(of: irp)
    try irp.Tail.Overlay.CurrentStackLocation.store(stack)
    try stack.DeviceObject.store(device)
    let driver = try device.DriverObject.load()
    let major = try stack.MajorFunction.load()
    guard Int(major.rawValue) < IRP_MJ.count else { throw BugCheck(.noMoreIRPStackLocations, irp.address) }
    let routine = try driver.MajorFunction[Int(major.rawValue)].load().address
    let before = try kpcr.Irql.load()
    let result = try await callDriverRoutine(routine, [device.address, irp.address])
    let after = try kpcr.Irql.load()
    if after != before {
      // DRIVER_VERIFIER_IOMANAGER_VIOLATION, 5.
      report(
        violation: "the dispatch routine for \(major) returned at IRQL \(after.rawValue); it was called at \(before.rawValue)",
        at: Site(ip: routine))
    }
    return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: result))
  }
}

/// IRPs on their way up.
extension Kernel {
  /// `IofCompleteRequest`: asks the completion routines from the current location up, then hands the result to the issuer.
  ///
  /// What is complete already, or no IRP, is bugcheck 0x44, MULTIPLE_IRP_COMPLETE_REQUESTS.
  package func completeRequest(_ irp: Pointer<IRP>) async throws {
    let count = try irp.StackCount.load()
    guard try irp.Type.load() == IOObjectType.irp.rawValue, try irp.CurrentLocation.load() <= count &+ 1 else {
      throw BugCheck(.multipleIRPCompleteRequests, irp.address)
    }
    if try irp.IoStatus.Status.load() == .pending {
      report(violation: "an IRP is completed with STATUS_PENDING in IoStatus.Status")
    }
    if try !irp.CancelRoutine.load().isNull {
      report(violation: "an IRP is completed with a cancel routine still set")
    }
    var stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    var location = try irp.CurrentLocation.load() &+ 1
    try irp.CurrentLocation.store(location)
    try irp.Tail.Overlay.CurrentStackLocation.store(stack.advanced(by: 1))
    while location <= count &+ 1 {
      let control = try stack.Control.load()
      try irp.PendingReturned.store(control.contains(.pendingReturned) ? 1 : 0)
      let isSuccess = try irp.IoStatus.Status.load().isSuccess
      let isCancelled = try irp.Cancel.load() != 0
      let isWanted =
        isSuccess && control.contains(.invokeOnSuccess) || !isSuccess && control.contains(.invokeOnError)
        || isCancelled && control.contains(.invokeOnCancel)
      let (routine, context) = (try stack.CompletionRoutine.load().address, try stack.Context.load().address)
      try clear(stack)
      if isWanted {
        // The routine belongs to the driver above, whose location is the next one.
        let device = location == count &+ 1 ? 0 : try irp.Tail.Overlay.CurrentStackLocation.load().DeviceObject.load().address
        let status = try await callDriverRoutine(routine, [device, irp.address, context])
        if UInt32(truncatingIfNeeded: status) == NTSTATUS.moreProcessingRequired.rawValue { return }
      } else if control.contains(.pendingReturned), location <= count {
        let above = try irp.Tail.Overlay.CurrentStackLocation.load()
        try above.Control.store(above.Control.load().union(.pendingReturned))
      }
      stack = try irp.Tail.Overlay.CurrentStackLocation.load()
      location = try irp.CurrentLocation.load() &+ 1
      try irp.CurrentLocation.store(location)
      try irp.Tail.Overlay.CurrentStackLocation.store(stack.advanced(by: 1))
    }
    if try irp.Flags.load().contains(.associatedIRP) { return try await completeMaster(of: irp) }
    try unlockMDLs(of: irp)
    // The issuer ends what it is still there for, when the dispatch routine has returned to it.
    if try irp.Flags.load().contains(.deferIOCompletion), try irp.PendingReturned.load() == 0 {
      io.deferred.insert(irp.address)
      return
    }
    // Paging I/O and closing end here and now: who waits for them may hold APCs back.
    let isInline = try !irp.Flags.load().isDisjoint(with: [.pagingIO, .closeOperation])
    guard let issue = io.issued[irp.address], !isInline, !issue.endsInline else { return try await finish(irp) }
    try await completeLast(irp, issue)
  }

  /// Sends a special kernel APC to the thread that issued `irp`, where the request's data and status reach it (“Types of APCs”, WDK).
  private func completeLast(_ irp: Pointer<IRP>, _ issue: IOManager.Issue) async throws {
    let overlay = irp.Tail.Overlay
    let file = try overlay.OriginalFileObject.load()
    try freeAuxiliaryBuffer(of: irp)
    let environment = KAPC_ENVIRONMENT(rawValue: UInt32(UInt8(bitPattern: try irp.ApcEnvironment.load())))
    try initialize(
      irp.Tail.Apc, thread: issue.thread.object.Tcb, environment: environment, kernel: trapAddress(of: "IopCompleteRequest"),
      rundown: 0, normal: 0, mode: .kernelMode, context: 0)
    io.issued[irp.address]?.isCompleting = true
    if try insert(irp.Tail.Apc, file.address, 0) { return }
    // The thread has ended: nobody is there for the data.
    try irp.UserIosb.store(Pointer(0, in: memory.memory))
    try irp.UserEvent.store(Pointer(0, in: memory.memory))
    try irp.Flags.store(irp.Flags.load().subtracting(.inputOperation))
    try complete(irp, of: Pointer(0, in: memory.memory))
    if let held = issue.heldFile { try await release(held) }
  }

  /// The APC has come to the thread that issued the request. What is no such request any more is bugcheck 0x44.
  func completeInThread(_ apc: Pointer<KAPC>, of file: Pointer<FILE_OBJECT>) async throws {
    let irp = request(ofAPC: apc)
    guard let issue = io.issued[irp.address], issue.isCompleting else { throw BugCheck(.multipleIRPCompleteRequests, irp.address) }
    try complete(irp, of: file)
    if let held = issue.heldFile { try await release(held) }
  }

  /// Ends a request where it is completed, or where its issuer has come back to it.
  package func finish(_ irp: Pointer<IRP>) async throws {
    let held = io.issued[irp.address]?.heldFile
    let file = try irp.Tail.Overlay.OriginalFileObject.load()
    if io.issued[irp.address] == nil {
      // Nobody's: a driver allocated it, and frees it in its completion routine. One that names a thread
      // (IoBuildAsynchronousFsdRequest) is ended in that thread all the same.
      report(violation: "an IRP that a driver allocated reached the end of its completion: its driver must stop and free it")
      guard try thread(at: irp.Tail.Overlay.Thread.load().address) != nil else { return }
    }
    try freeAuxiliaryBuffer(of: irp)
    try complete(irp, of: file)
    if let held { try await release(held) }
  }

  /// Gives back the reference that a pended request held: the last one where IRP_MJ_CLOSE can be sent, at PASSIVE_LEVEL.
  private func release(_ file: UInt64) async throws {
    let irql = try kpcr.Irql.load()
    if try irql == .passive || irql == .apc && header(of: file).PointerCount.load() > 1 { return _ = try await dereference(file) }
    try queue(WorkItem(routine: trapAddress(of: "ObDereferenceObject"), arguments: [file], finish: {}), queue: 1)
  }

  /// Completes an IRP that its issuer still waits for, if no driver above has asked to see it: the ordinary end of a dispatch
  /// routine. Otherwise does nothing, and returns `false`.
  package func completeUnaskedRequest(_ irp: Pointer<IRP>) throws -> Bool {
    let count = try irp.StackCount.load()
    guard try irp.Type.load() == IOObjectType.irp.rawValue, try irp.CurrentLocation.load() == count,
      try irp.IoStatus.Status.load() != .pending, try irp.CancelRoutine.load().isNull,
      case let flags = try irp.Flags.load(), flags.contains(.deferIOCompletion), !flags.contains(.associatedIRP)
    else { return false }
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    guard try stack.Control.load().isEmpty else { return false }
    try irp.CurrentLocation.store(count &+ 2)
    try irp.Tail.Overlay.CurrentStackLocation.store(stack.advanced(by: 2))
    try irp.PendingReturned.store(0)
    try clear(stack)
    try unlockMDLs(of: irp)
    io.deferred.insert(irp.address)
    return true
  }

  /// What a completed location says is cleared, except its major function, device, completion routine and context.
  private func clear(_ stack: Pointer<IO_STACK_LOCATION>) throws {
    try stack.MinorFunction.store(0)
    try stack.Flags.store(0)
    try stack.Control.store([])
    try memory.memory.fill(0, count: 16, at: stack.Parameters.address)
    try stack.FileObject.store(Pointer(0, in: memory.memory))
  }

  private func completeMaster(of irp: Pointer<IRP>) async throws {
    let master = try irp.AssociatedIrp.MasterIrp.load()
    let left = try master.AssociatedIrp.IrpCount.load() - 1
    try master.AssociatedIrp.IrpCount.store(left)
    try releaseMDLs(of: irp)
    try freeIRP(irp)
    if left == 0 { try await completeRequest(master) }
  }

  /// The end of a request, as the special kernel APC in the issuing thread makes it: data, status and event reach the requestor
  /// *in the requestor's address space*, and the packet goes.
  private func complete(_ irp: Pointer<IRP>, of file: Pointer<FILE_OBJECT>) throws {
    io.deferred.remove(irp.address)
    let here = memory.memory
    let requestor = try io.issued[irp.address]?.requestor ?? thread(at: irp.Tail.Overlay.Thread.load().address)?.owner
    var status = try irp.IoStatus.Status.load()
    let information = try irp.IoStatus.Information.load().bits
    let flags = try irp.Flags.load()
    let isPending = try irp.PendingReturned.load() != 0
    let system = try irp.AssociatedIrp.SystemBuffer.load().address
    if flags.contains(.bufferedIO) {
      if flags.contains(.inputOperation), !status.isFailure, system != 0 {
        let bytes = try here.bytes(Int(min(information, blockSize(system))), at: system)
        if information > blockSize(system) {
          report(violation: "IoStatus.Information is \(information), and the system buffer has \(blockSize(system)) bytes")
        }
        do {
          try inSpace(of: requestor) { try here.write(bytes, at: irp.UserBuffer.load().address) }
        } catch let exception as GuestException { status = exception.code }
      }
      if flags.contains(.deallocateBuffer), system != 0 { try freePool(system) }
    }
    try releaseMDLs(of: irp)
    let (block, event) = (try irp.UserIosb.load(), try irp.UserEvent.load())
    if !status.isFailure || isPending {
      do {
        try inSpace(of: requestor) {
          guard !block.isNull else { return }
          try block.Information.store(GuestWord(information))
          try block.Status.store(status)
        }
      } catch is GuestException {}
      if !event.isNull { try set(event) }
      if !file.isNull, kind(of: file.address) == .file {
        try file.FinalStatus.store(status)
        try set(file.Event)
      }
      if !flags.contains(.createOperation), try sendCallersAPC(of: irp) { return }
    }
    try forget(irp)
  }

  /// Queues the APC that the caller of a request gave a routine for, which takes the packet with it (nf-ntifs-ntreadfile, ApcRoutine):
  /// of kernel mode it runs at PASSIVE_LEVEL in the thread as soon as that may be interrupted, of user mode with the next alertable
  /// wait. Returns whether there is one and the thread takes it.
  private func sendCallersAPC(of irp: Pointer<IRP>) throws -> Bool {
    let parameters = irp.Overlay.AsynchronousParameters
    let routine = try parameters.UserApcRoutine.load().address
    guard routine != 0, let issue = io.issued[irp.address] else { return false }
    try irp.ThreadListEntry.remove()
    try irp.ThreadListEntry.initialize()
    io.issued[irp.address] = nil
    let environment = KAPC_ENVIRONMENT(rawValue: UInt32(UInt8(bitPattern: try irp.ApcEnvironment.load())))
    try initialize(
      irp.Tail.Apc, thread: issue.thread.object.Tcb, environment: environment, kernel: trapAddress(of: "IopUserCompletion"),
      rundown: trapAddress(of: "IopUserRundown"), normal: routine, mode: irp.RequestorMode.load(),
      context: parameters.UserApcContext.load().address)
    return try insert(irp.Tail.Apc, irp.UserIosb.load().address, 0)
  }

  /// The packet whose APC has come, or never will.
  func freeRequest(ofAPC apc: Pointer<KAPC>) throws { try freeIRP(request(ofAPC: apc)) }

  private func request(ofAPC apc: Pointer<KAPC>) -> Pointer<IRP> {
    Pointer(bits: apc.address &- UInt64(IRP.layouts[memory.target].Tail.offset), in: memory.memory)
  }

  func blockSize(_ block: UInt64) -> UInt64 { nonPagedPool.blocks[block]?.size ?? 0 }

  /// Does `body` in the address space of `process`, below DISPATCH_LEVEL, as an APC of its thread does; not if it has ended.
  private func inSpace(of process: Process?, _ body: () throws -> Void) throws {
    guard let process, !process.hasExited else { return }
    let (before, irql) = (memory.current, try kpcr.Irql.load())
    memory.activate(process.space)
    if irql >= .dispatch { try kpcr.Irql.store(.apc) }
    defer { memory.activate(before) }
    defer { try? kpcr.Irql.store(irql) }
    try body()
  }

  /// `KeSetEvent`, without a boost.
  package func set(_ event: Pointer<KEVENT>) throws {
    try event.Header.SignalState.store(1)
    try signal(event.Header)
  }
}

extension NTSTATUS {
  /// `NT_ERROR`.
  var isFailure: Bool { rawValue >> 30 == 3 }
}
