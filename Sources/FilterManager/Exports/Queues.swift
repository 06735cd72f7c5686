import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Queues of operations that can be cancelled: `FLT_CALLBACK_DATA_QUEUE`, whose routines are the filter's.
  static let queues: [Export] = [
    // nf-fltkernel-fltcbdqinitialize
    export(
      "FltCbdqInitialize(Instance, Cbdq, CbdqInsertIo, CbdqRemoveIo, CbdqPeekNextIo, CbdqAcquire, CbdqRelease, "
        + "CbdqCompleteCanceledIo)",
      module: "fltMgr"
    ) {
      (
        kernel, instance: Pointer<FLT_INSTANCE>, queue: Pointer<FLT_CALLBACK_DATA_QUEUE>, insert: Pointer<Procedure<NTSTATUS>>,
        remove: Pointer<Procedure<Void>>, peek: Pointer<Procedure<Pointer<FLT_CALLBACK_DATA>>>, acquire: Pointer<Procedure<Void>>,
        release: Pointer<Procedure<Void>>, cancel: Pointer<Procedure<Void>>
      ) -> NTSTATUS in
      try kernel.memory.memory.fill(0, count: Pointer<FLT_CALLBACK_DATA_QUEUE>.size(in: queue.memory), at: queue.address)
      try queue.Instance.store(instance)
      try queue.InsertIo.store(insert)
      try queue.RemoveIo.store(remove)
      try queue.PeekNextIo.store(peek)
      try queue.Acquire.store(acquire)
      try queue.Release.store(release)
      try queue.CompleteCanceledIo.store(cancel)
      return .success
    },
    // nf-fltkernel-fltcbdqinsertio
    export("FltCbdqInsertIo(Cbdq, CallbackData, Context, InsertContext)", module: "fltMgr", irql: .dispatch) {
      (
        kernel, queue: Pointer<FLT_CALLBACK_DATA_QUEUE>, data: Pointer<FLT_CALLBACK_DATA>, context: Pointer<UInt32>, insert: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.insert(data, into: queue, context, insert.bits)
    },
    // nf-fltkernel-fltcbdqremoveio: what `Context` was inserted with.
    export("FltCbdqRemoveIo(Cbdq, Context)", module: "fltMgr", irql: .dispatch) {
      (kernel, queue: Pointer<FLT_CALLBACK_DATA_QUEUE>, context: Pointer<UInt32>) async throws -> Pointer<FLT_CALLBACK_DATA> in
      try await kernel.remove(from: queue, context: context)
    },
    // nf-fltkernel-fltcbdqremovenextio
    export("FltCbdqRemoveNextIo(Cbdq, PeekContext)", module: "fltMgr", irql: .dispatch) {
      (kernel, queue: Pointer<FLT_CALLBACK_DATA_QUEUE>, peek: GuestWord) async throws -> Pointer<FLT_CALLBACK_DATA> in
      try await kernel.removeNext(from: queue, peek.bits)
    },
    // nf-fltkernel-fltcbdqdisable
    export("FltCbdqDisable(Cbdq)", module: "fltMgr", irql: .dispatch) { (_, queue: Pointer<FLT_CALLBACK_DATA_QUEUE>) in
      try queue.Flags.store(queue.Flags.load() | Kernel.disabledQueue)
    },
    // nf-fltkernel-fltcbdqenable
    export("FltCbdqEnable(Cbdq)", module: "fltMgr", irql: .dispatch) { (_, queue: Pointer<FLT_CALLBACK_DATA_QUEUE>) in
      try queue.Flags.store(queue.Flags.load() & ~Kernel.disabledQueue)
    },
  ]
}

extension Kernel {
  static let disabledQueue: UInt32 = 1

  /// Calls `body` between the queue's own acquire and release routines.
  private func locked<Value>(_ queue: Pointer<FLT_CALLBACK_DATA_QUEUE>, _ body: () async throws -> Value) async throws -> Value {
    // Room for the IRQL that the filter keeps for its release routine.
    let place = try allocate(8)
    defer { free(place) }
    _ = try await call(queue.Acquire.load().address, [queue.address, place])
    let value = try await body()
    _ = try await call(queue.Release.load().address, [queue.address, UInt64(memory.memory.load(UInt8.self, at: place))])
    return value
  }

  /// Inserts an operation: from now on it may be cancelled, and then the queue's own routine completes it.
  func insert(
    _ data: Pointer<FLT_CALLBACK_DATA>, into queue: Pointer<FLT_CALLBACK_DATA_QUEUE>, _ context: Pointer<UInt32>, _ insertContext: UInt64
  ) async throws -> NTSTATUS {
    guard let operation = try operation(data, in: "FltCbdqInsertIo") else { return .invalidParameter }
    guard !operation.isFast else { return .fltInvalidAsynchronousRequest }
    return try await locked(queue) {
      if try queue.Flags.load() & Self.disabledQueue != 0 { return .fltCbdqDisabled }
      let status = NTSTATUS(
        rawValue: UInt32(truncatingIfNeeded: try await call(queue.InsertIo.load().address, [queue.address, data.address, insertContext])))
      guard status.isSuccess else { return status }
      if try operation.irp.Cancel.load() != 0 {
        _ = try await call(queue.RemoveIo.load().address, [queue.address, data.address])
        return .cancelled
      }
      operation.queue = queue
      if !context.isNull {
        try context.store(UInt32(truncatingIfNeeded: data.address))
        operation.queueContext = context.address
      }
      try operation.irp.CancelRoutine.store(Pointer(trapAddress(of: "FltpCancelRoutine", in: "fltMgr"), in: memory.memory))
      return .success
    }
  }

  func removeNext(from queue: Pointer<FLT_CALLBACK_DATA_QUEUE>, _ peekContext: UInt64) async throws -> Pointer<FLT_CALLBACK_DATA> {
    try await locked(queue) {
      let found = try await call(queue.PeekNextIo.load().address, [queue.address, 0, peekContext]) & 0xffff_ffff
      let data = Pointer<FLT_CALLBACK_DATA>(found, in: memory.memory)
      guard found != 0 else { return data }
      try await takeOut(data, of: queue)
      return data
    }
  }

  func remove(from queue: Pointer<FLT_CALLBACK_DATA_QUEUE>, context: Pointer<UInt32>) async throws -> Pointer<FLT_CALLBACK_DATA> {
    try await locked(queue) {
      let data = Pointer<FLT_CALLBACK_DATA>(UInt64(try context.load()), in: memory.memory)
      // It was removed already, or cancelled.
      guard !data.isNull, filterManager.operations[data.address]?.queue == queue else { return Pointer(0, in: memory.memory) }
      try await takeOut(data, of: queue)
      return data
    }
  }

  /// Calls the queue's remove routine: the operation is its caller's alone.
  private func takeOut(_ data: Pointer<FLT_CALLBACK_DATA>, of queue: Pointer<FLT_CALLBACK_DATA_QUEUE>) async throws {
    _ = try await call(queue.RemoveIo.load().address, [queue.address, data.address])
    guard let operation = filterManager.operations[data.address] else { return }
    operation.queue = nil
    if !operation.irp.isNull { try operation.irp.CancelRoutine.store(Pointer(0, in: memory.memory)) }
    if operation.queueContext != 0 {
      try memory.memory.store(UInt32(0), at: operation.queueContext)
      operation.queueContext = 0
    }
  }

  /// A queued operation is cancelled: out of the queue, and to the filter's routine.
  func cancelQueued(_ operation: Operation, in queue: Pointer<FLT_CALLBACK_DATA_QUEUE>) async throws {
    try await locked(queue) { try await takeOut(operation.data, of: queue) }
    _ = try await call(queue.CompleteCanceledIo.load().address, [queue.address, operation.data.address])
  }
}
