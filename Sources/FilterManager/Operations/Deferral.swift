import Events
import Guest
import NTKernel
import WindowsTypes

/// What filters put off: to a system worker thread, which is in System whoever asked for the operation.
extension Kernel {
  /// Something that waits for a worker.
  enum DeferredWork {
    /// A routine of the driver's, with what it wants to be handed.
    case routine(UInt64, [UInt64], keeps: FilterObject?)
    /// The safe post-operation callback of an operation.
    case post(Operation, routine: UInt64, context: UInt64, flags: UInt64)
  }

  private static let queues: [Int] = [1, 0, 2]

  /// The system queue of a `WORK_QUEUE_TYPE`: critical, delayed, hypercritical.
  private func queue(_ work: DeferredWork, on type: UInt32) throws {
    let manager = filterManager
    manager.lastWork += 1
    let number = manager.lastWork
    manager.work[number] = work
    let trap = trapAddress(of: "FltpWorkItem", in: "fltMgr")
    try queue(WorkItem(routine: trap, arguments: [number], finish: {}), queue: Self.queues[Int(min(type, 2))])
  }

  func runWorkItem(_ number: UInt64) async throws {
    guard let work = filterManager.work.removeValue(forKey: number) else { return }
    switch work {
    case .routine(let routine, let arguments, let object):
      _ = try await call(routine, arguments)
      if let object { try dereference(object, by: nil) }
    case .post(let operation, let routine, let context, let flags):
      guard operation.stage == .post, let instance = operation.pended?.instance else { return }
      try fill(operation, for: instance)
      let result = try await call(routine, [operation.data.address, operation.related.address, context, flags])
      if Int32(truncatingIfNeeded: result) != FLT_POSTOP_CALLBACK_STATUS.moreProcessingRequired.rawValue {
        try await completePendedPost(operation)
      }
    }
  }

  // MARK: Work items

  func allocateWorkItem(_ kind: String) throws -> Pointer<Void> {
    guard let block = try allocatePool(0x30, tag: Self.contextTag) else { return Pointer(0, in: memory.memory) }
    filterManager.workItems[block] = kind
    register(kind, block)
    return Pointer(block, in: memory.memory)
  }

  func freeWorkItem(_ item: Pointer<Void>, in routine: String) throws {
    guard let kind = filterManager.workItems.removeValue(forKey: item.address) else {
      _ = try item.cast(to: UInt32.self).load()
      return report(violation: "\(routine) is called with \(hex(item.address)), which is no work item (or no longer one)")
    }
    unregister(kind, item.address)
    try freePool(item.address)
  }

  /// `FltQueueGenericWorkItem` (nf-fltkernel-fltqueuegenericworkitem): the object is kept until the routine has returned.
  func queueGeneric(_ item: Pointer<Void>, _ object: Pointer<Void>, _ routine: UInt64, _ type: UInt32, _ context: UInt64) throws
    -> NTSTATUS
  {
    guard filterManager.workItems[item.address] != nil, let owner = filterManager.objects[object.address], routine != 0 else {
      return .invalidParameter
    }
    let status = try reference(owner, by: nil)
    guard status.isSuccess else { return status }
    try queue(.routine(routine, [item.address, object.address, context], keeps: owner), on: type)
    return .success
  }

  /// `FltQueueDeferredIoWorkItem` (nf-fltkernel-fltqueuedeferredioworkitem).
  func queueDeferred(
    _ item: Pointer<Void>, _ data: Pointer<FLT_CALLBACK_DATA>, _ routine: UInt64, _ type: UInt32, _ context: UInt64
  ) throws -> NTSTATUS {
    guard filterManager.workItems[item.address] != nil, routine != 0,
      let operation = try operation(data, in: "FltQueueDeferredIoWorkItem")
    else { return .invalidParameter }
    guard !operation.isFast else { return .fltInvalidAsynchronousRequest }
    if try operation.irp.Flags.load().contains(.pagingIO) { return .fltNotSafeToPostOperation }
    let instance = operation.pended?.instance
    if let instance { guard try reference(instance, by: nil).isSuccess else { return .fltDeletingObject } }
    try queue(.routine(routine, [item.address, data.address, context], keeps: instance), on: type)
    return .success
  }

  /// `FltDoCompletionProcessingWhenSafe` (nf-fltkernel-fltdocompletionprocessingwhensafe): at once where that may fault, else in a
  /// worker. Returns whether it can be done at all.
  func completeWhenSafe(
    _ data: Pointer<FLT_CALLBACK_DATA>, _ objects: Pointer<FLT_RELATED_OBJECTS>, _ context: UInt64, _ flags: UInt32, _ routine: UInt64,
    _ result: Pointer<FLT_POSTOP_CALLBACK_STATUS>
  ) async throws -> Bool {
    guard let operation = try operation(data, in: "FltDoCompletionProcessingWhenSafe"), operation.stage == .post || flags & 1 != 0 else {
      try result.store(.finishedProcessing)
      return false
    }
    if flags & 1 != 0 { report(violation: "FltDoCompletionProcessingWhenSafe is called while the operation is drained") }
    if try kpcr.Irql.load() < .dispatch {
      let value = try await call(routine, [data.address, objects.address, context, UInt64(flags)])
      try result.store(FLT_POSTOP_CALLBACK_STATUS(rawValue: Int32(truncatingIfNeeded: value)))
      return true
    }
    guard try !operation.isFast && !operation.irp.Flags.load().contains(.pagingIO), flags & 1 == 0 else {
      try result.store(.finishedProcessing)
      return false
    }
    try queue(.post(operation, routine: routine, context: context, flags: UInt64(flags)), on: 0)
    try result.store(.moreProcessingRequired)
    return true
  }

  // MARK: Cancelling

  /// The cancel routine of an operation that a filter has set a callback for: it runs without the cancel lock.
  func filterCancel(_ irp: Pointer<IRP>) async throws {
    try lowerIRQL(to: irp.CancelIrql.load())
    guard let operation = filterManager.operations.values.first(where: { $0.irp == irp }) else { return }
    if operation.oplockRequest != 0 {
      _ = try await cancel(Pointer(operation.oplockRequest, in: memory.memory))
      return
    }
    if let queue = operation.queue { return try await cancelQueued(operation, in: queue) }
    guard operation.cancelCallback != 0 else { return }
    let routine = operation.cancelCallback
    operation.cancelCallback = 0
    _ = try await call(routine, [operation.data.address])
  }

  // MARK: About an operation

  /// The operation of callback data that a driver passes. What is none is said.
  func operation(_ data: Pointer<FLT_CALLBACK_DATA>, in routine: String) throws -> Operation? {
    if let operation = filterManager.operations[data.address] { return operation }
    _ = try data.Flags.load()
    report(violation: "\(routine) is called with \(hex(data.address)), which is no operation under way (or no longer one)")
    return nil
  }

  /// The process that asked for an operation: of its thread; the fixture's callback data will do.
  func requestorProcess(_ data: Pointer<FLT_CALLBACK_DATA>) throws -> Pointer<EPROCESS> {
    let thread = try data.Thread.load()
    return thread.isNull ? Pointer(0, in: memory.memory) : try thread.threadsProcess.load()
  }

  func checkIRQL(atMost limit: IRQL, _ routine: String) throws {
    let irql = try kpcr.Irql.load()
    if irql > limit { report(violation: "\(routine) is called at IRQL \(irql.rawValue); its highest level here is \(limit.rawValue)") }
  }

  /// A string of the filter manager's with the name of a major function.
  func irpName(_ major: UInt8) throws -> Pointer<Int8> {
    let manager = filterManager
    if let known = manager.irpNames[major] { return Pointer(known, in: memory.memory) }
    let name = IRP_MJ.names.first { $0.0.rawValue == major && $0.0 != .operationEnd }?.1 ?? "Unknown IRP_MJ code"
    let place = try allocate(UInt64(name.utf8.count + 1))
    try memory.memory.write(Array(name.utf8) + [0], at: place)
    manager.irpNames[major] = place
    return Pointer(place, in: memory.memory)
  }

  /// Where a routine that the filter manager exports is: in a loaded image of it, else the run's own; null for none.
  func filterManagerRoutine(_ name: Pointer<UInt8>) throws -> Pointer<Void> {
    var bytes: [UInt8] = []
    while bytes.count < 128, case let byte = try name[bytes.count].load(), byte != 0 { bytes.append(byte) }
    let text = String(decoding: bytes, as: UTF8.self)
    if let address = imageExport("fltmgr", text) { return Pointer(address, in: memory.memory) }
    guard let number = exports.number(exportedAs: text, by: "fltMgr", in: memory.target) else { return Pointer(0, in: memory.memory) }
    return Pointer(trapAddresses[number], in: memory.memory)
  }
}
