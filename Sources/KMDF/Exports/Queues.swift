import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  static let queueFunctions: [Export] = [
    // nf-wdfio-wdfioqueuecreate
    asyncFunction("WdfIoQueueCreate(DriverGlobals, Device, Config, QueueAttributes, Queue)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, config: Pointer<WDF_IO_QUEUE_CONFIG>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let queue = try kernel.createQueue(kernel.object(device, Device.self), kernel.required(config), kernel.attributes(attributes))
        if !result.isNull { try result.store(queue.handle) }
        return .success
      }
    }
    .partially(
      "queues are not power-managed: they deliver whatever the device's power state, and EvtIoStop and EvtIoResume are not called"),
    // nf-wdfio-wdfioqueuegetdevice
    function("WdfIoQueueGetDevice(DriverGlobals, Queue)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord) -> GuestWord in
      try kernel.object(queue, Queue.self).device?.handle ?? 0
    },
    // nf-wdfio-wdfioqueueretrievenextrequest
    function("WdfIoQueueRetrieveNextRequest(DriverGlobals, Queue, OutRequest)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      try kernel.retrieve(from: kernel.object(queue, Queue.self), kernel.required(result)) { _ in true }
    },
    // nf-wdfio-wdfioqueueretrieverequestbyfileobject
    function("WdfIoQueueRetrieveRequestByFileObject(DriverGlobals, Queue, FileObject, OutRequest)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, file: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      let file = try kernel.object(file, FileObject.self)
      return try kernel.retrieve(from: kernel.object(queue, Queue.self), kernel.required(result)) { $0.file === file }
    },
    // nf-wdfio-wdfioqueuereadynotify: a null callback takes it back.
    function("WdfIoQueueReadyNotify(DriverGlobals, Queue, QueueReady, Context)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, routine: GuestWord, context: GuestWord) -> NTSTATUS in
      let queue = try kernel.object(queue, Queue.self)
      guard queue.dispatching == .manual else { return .invalidDeviceRequest }
      guard routine.bits == 0 || queue.readyNotification == nil else { return .invalidDeviceRequest }
      queue.readyNotification = routine.bits == 0 ? nil : (routine, context)
      return .success
    },
  ]

  /// Queues that are started and stopped (nf-wdfio-wdfioqueuestop and the pages beside it).
  static let queueStateFunctions: [Export] = [
    // nf-wdfio-wdfioqueuegetstate; WDF_IO_QUEUE_STATE in wdfio.h.
    function("WdfIoQueueGetState(DriverGlobals, Queue, QueueRequests, DriverRequests)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, waiting: Pointer<UInt32>, presented: Pointer<UInt32>
      ) -> UInt32 in
      let queue = try kernel.object(queue, Queue.self)
      if !waiting.isNull { try waiting.store(UInt32(queue.waiting.count)) }
      if !presented.isNull { try presented.store(UInt32(queue.presented.count)) }
      return (queue.accepts ? 1 : 0) | (queue.dispatches ? 2 : 0) | (queue.waiting.isEmpty ? 4 : 0) | (queue.presented.isEmpty ? 8 : 0)
    },
    asyncProcedure("WdfIoQueueStart(DriverGlobals, Queue)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord) async throws in
      let queue = try kernel.object(queue, Queue.self)
      queue.accepts = true
      queue.dispatches = true
      try await kernel.present(queue)
    },
    asyncProcedure("WdfIoQueueStop(DriverGlobals, Queue, StopComplete, Context)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, routine: GuestWord, context: GuestWord) async throws in
      let queue = try kernel.object(queue, Queue.self)
      queue.dispatches = false
      try await kernel.tellWhenIdle(queue, routine, context)
    },
    asyncProcedure("WdfIoQueueStopSynchronously(DriverGlobals, Queue)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord) async throws in
      let queue = try kernel.object(queue, Queue.self)
      queue.dispatches = false
      try await kernel.waitUntilIdle(queue)
    },
    asyncProcedure("WdfIoQueueDrain(DriverGlobals, Queue, DrainComplete, Context)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, routine: GuestWord, context: GuestWord) async throws in
      let queue = try kernel.object(queue, Queue.self)
      queue.accepts = false
      try await kernel.tellWhenIdle(queue, routine, context)
    },
    asyncProcedure("WdfIoQueueDrainSynchronously(DriverGlobals, Queue)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord) async throws in
      let queue = try kernel.object(queue, Queue.self)
      queue.accepts = false
      try await kernel.waitUntilIdle(queue)
    },
    asyncProcedure("WdfIoQueuePurge(DriverGlobals, Queue, PurgeComplete, Context)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, routine: GuestWord, context: GuestWord) async throws in
      let queue = try kernel.object(queue, Queue.self)
      try await kernel.purge(queue)
      try await kernel.tellWhenIdle(queue, routine, context)
    },
    asyncProcedure("WdfIoQueuePurgeSynchronously(DriverGlobals, Queue)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord) async throws in
      let queue = try kernel.object(queue, Queue.self)
      try await kernel.purge(queue)
      try await kernel.waitUntilIdle(queue)
    },
  ]
}

extension Kernel {
  func createQueue(_ device: Device, _ config: Pointer<WDF_IO_QUEUE_CONFIG>, _ attributes: Attributes) throws -> Queue {
    let size = try config.Size.load()
    guard size == 0x30 || size == 0x34 || size == 0x38 else { throw Refused(.infoLengthMismatch) }
    guard let dispatching = Queue.Dispatching(rawValue: try config.DispatchType.load()) else { throw Refused(.invalidParameter) }
    let isDefault = try config.DefaultQueue.load() != 0
    if isDefault, device.defaultQueue != nil { throw Refused(.unsuccessful) }
    if attributes.parent.bits != 0, try object(attributes.parent, FrameworkObject.self).device !== device {
      throw Refused(.wdfParentAssignmentNotAllowed)
    }
    let callbacks = try Queue.Callbacks(
      byDefault: config.EvtIoDefault.load(), read: config.EvtIoRead.load(), write: config.EvtIoWrite.load(),
      control: config.EvtIoDeviceControl.load(), internalControl: config.EvtIoInternalDeviceControl.load(),
      canceled: config.EvtIoCanceledOnQueue.load())
    let handlers = [callbacks.byDefault, callbacks.read, callbacks.write, callbacks.control, callbacks.internalControl]
    // A manual queue presents nothing by itself; the others need somebody to present to.
    guard handlers.contains(where: { $0.bits != 0 }) != (dispatching == .manual) else {
      throw Refused(dispatching == .manual ? .invalidParameter : .wdfNoCallback)
    }
    let queue = Queue(try objectBlock(), device.binding, dispatching)
    queue.callbacks = callbacks
    queue.allowsZeroLength = try config.AllowZeroLengthRequests.load() != 0
    if dispatching == .parallel, size > 0x30 {
      queue.limit = try config.NumberOfPresentedRequests.load()
      guard queue.limit > 0 else { throw Refused(.invalidParameter) }
    }
    try adopt(queue, attributes, parent: device)
    if isDefault { device.defaultQueue = queue }
    return queue
  }

  func retrieve(from queue: Queue, _ result: Pointer<GuestWord>, where isWanted: (Request) -> Bool) throws -> NTSTATUS {
    try result.store(0)
    guard queue.dispatching != .parallel else { return .invalidDeviceState }
    guard queue.dispatches else { return .wdfPaused }
    guard let request = try take(from: queue, where: isWanted) else { return .noMoreEntries }
    try result.store(request.handle)
    return .success
  }

  /// What waits is cancelled, and what the driver holds and marked cancelable too.
  func purge(_ queue: Queue) async throws {
    queue.accepts = false
    queue.dispatches = false
    while let request = queue.waiting.first {
      queue.waiting.removeFirst()
      guard try takeCancelRoutine(of: request) else { continue }
      try await complete(request, .cancelled)
    }
    for request in queue.presented where request.cancelCallback.bits != 0 {
      guard try takeCancelRoutine(of: request) else { continue }
      let routine = request.cancelCallback
      request.cancelCallback = 0
      try await notify(routine, [request.handle.bits])
    }
    queue.dispatches = true
  }

  func tellWhenIdle(_ queue: Queue, _ routine: GuestWord, _ context: GuestWord) async throws {
    guard routine.bits != 0 else { return }
    if queue.isIdle {
      try await notify(routine, [queue.handle.bits, context.bits])
    } else {
      queue.idleNotification = (routine, context)
    }
  }

  /// Lets others run until the driver holds no request of the queue's.
  func waitUntilIdle(_ queue: Queue) async throws {
    guard !queue.isIdle else { return }
    let event = try queue.idleEvent ?? Pointer<KEVENT>(objectBlock(), in: memory.memory)
    queue.idleEvent = event
    try initializeEvent(event, .eventNotification, isSet: false)
    try await wait(for: event, "a queue of \(queue.presented.count + queue.waiting.count) requests to be idle")
  }
}

extension NTSTATUS {
  static let wdfNoCallback = Self(rawValue: 0xc020_020b)
}
