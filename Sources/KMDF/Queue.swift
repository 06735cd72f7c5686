import Guest
import NTKernel
import WindowsTypes

final class Queue: FrameworkObject {
  /// `WDF_IO_QUEUE_DISPATCH_TYPE`
  enum Dispatching: UInt32 { case sequential = 1, parallel, manual }
  let dispatching: Dispatching
  var callbacks = Callbacks()
  var allowsZeroLength = false
  /// How many requests of a parallel queue's the driver may hold.
  var limit = UInt32.max
  /// Waiting to be presented, oldest first.
  var waiting: [Request] = []
  /// Presented, and not completed or sent on.
  var presented: [Request] = []
  var accepts = true
  var dispatches = true
  var isPresenting = false
  var readyNotification: (routine: GuestWord, context: GuestWord)?
  /// Whom to tell once the driver holds no request of the queue's.
  var idleNotification: (routine: GuestWord, context: GuestWord)?
  /// What a thread that waits for that waits on.
  var idleEvent: Pointer<KEVENT>?

  struct Callbacks {
    var byDefault: GuestWord = 0
    var read: GuestWord = 0
    var write: GuestWord = 0
    var control: GuestWord = 0
    var internalControl: GuestWord = 0
    var canceled: GuestWord = 0
  }

  init(_ block: UInt64, _ binding: Binding, _ dispatching: Dispatching) {
    self.dispatching = dispatching
    super.init(block, binding)
  }

  /// Whether the driver holds no request, and none is to come that it was promised to see before the queue is drained.
  var isIdle: Bool { presented.isEmpty && (accepts || waiting.isEmpty) }

  /// Whether a request may be presented now.
  var isReady: Bool {
    guard dispatches, !waiting.isEmpty else { return false }
    switch dispatching {
    case .sequential: return presented.isEmpty
    case .parallel: return UInt32(clamping: presented.count) < limit
    case .manual: return false
    }
  }

  override func dispose(_ kernel: Kernel) async throws {
    for request in waiting { try await kernel.cancel(waiting: request, in: self) }
    if let idleEvent { kernel.free(idleEvent.address) }
  }
}

/// A queue at work.
extension Kernel {
  /// Takes a request that came from outside, or from another queue.
  func add(_ request: Request, to queue: Queue) async throws {
    request.queue = queue
    let wasEmpty = queue.waiting.isEmpty
    queue.waiting.append(request)
    try request.irp.CancelRoutine.store(Pointer(frameworkTrap("FxRequestCancel"), in: memory.memory))
    if try request.irp.Cancel.load() != 0, try takeCancelRoutine(of: request) { return try await cancel(waiting: request, in: queue) }
    if queue.dispatching == .manual {
      if wasEmpty, queue.dispatches, let ready = queue.readyNotification {
        try await notify(ready.routine, [queue.handle.bits, ready.context.bits])
      }
    } else {
      try await present(queue)
    }
  }

  /// `IoSetCancelRoutine(Irp, NULL)`: whether there was one, and the request is not being cancelled.
  func takeCancelRoutine(of request: Request) throws -> Bool {
    let routine = try request.irp.CancelRoutine.load()
    try request.irp.CancelRoutine.store(Pointer(0, in: memory.memory))
    return !routine.isNull
  }

  /// Takes the first request that is not being cancelled out of the queue, for the driver.
  func take(from queue: Queue, where isWanted: (Request) -> Bool = { _ in true }) throws -> Request? {
    while let index = queue.waiting.firstIndex(where: isWanted) {
      let request = queue.waiting.remove(at: index)
      guard try takeCancelRoutine(of: request) else { continue }
      request.wasPresented = true
      queue.presented.append(request)
      return request
    }
    return nil
  }

  /// Presents what may be presented. Requests that come to be ready meanwhile are presented by the same loop.
  func present(_ queue: Queue) async throws {
    guard !queue.isPresenting else { return }
    queue.isPresenting = true
    defer { queue.isPresenting = false }
    while queue.isReady, let request = try take(from: queue) { try await present(request, of: queue) }
  }

  /// Calls the callback for the request's kind (nc-wdfio-evt_wdf_io_queue_io_read and its like).
  private func present(_ request: Request, of queue: Queue) async throws {
    let (routine, arguments) = try callback(for: request, queue)
    guard routine.bits != 0 else { return try await complete(request, .invalidDeviceRequest) }
    // A synchronization scope is a lock around the callback: a spin lock, unless callbacks are made at PASSIVE_LEVEL.
    guard [.device, .queue].contains(queue.scope), !queue.isPassive else { return _ = try await notify(routine, arguments) }
    let old = try kpcr.Irql.load()
    if old < .dispatch { _ = try raiseIRQL(to: .dispatch) }
    try await notify(routine, arguments)
    if old < .dispatch { try lowerIRQL(to: old) }
  }

  private func callback(for request: Request, _ queue: Queue) throws -> (GuestWord, [UInt64]) {
    let (queueHandle, requestHandle) = (queue.handle.bits, request.handle.bits)
    func own(_ routine: GuestWord, _ more: [UInt64]) -> (GuestWord, [UInt64]) {
      routine.bits == 0 ? (queue.callbacks.byDefault, [queueHandle, requestHandle]) : (routine, [queueHandle, requestHandle] + more)
    }
    let sizes = try request.sizes()
    switch request.major {
    case .read: return own(queue.callbacks.read, [sizes.output])
    case .write: return own(queue.callbacks.write, [sizes.input])
    case .deviceControl, .internalDeviceControl:
      let code = UInt64(try request.location().Parameters.DeviceIoControl.IoControlCode.load().rawValue)
      return own(
        request.major == .deviceControl ? queue.callbacks.control : queue.callbacks.internalControl, [sizes.output, sizes.input, code])
    default: return own(0, [])
    }
  }

  // MARK: Cancelling

  /// A waiting request is cancelled: the driver that has seen it before is asked, any other completes by itself.
  func cancel(waiting request: Request, in queue: Queue) async throws {
    queue.waiting.removeAll { $0 === request }
    try request.irp.CancelRoutine.store(Pointer(0, in: memory.memory))
    guard request.wasPresented, queue.callbacks.canceled.bits != 0 else { return try await complete(request, .cancelled) }
    queue.presented.append(request)
    try await notify(queue.callbacks.canceled, [queue.handle.bits, request.handle.bits])
  }

  /// The cancel routine of every IRP that the framework holds.
  func cancelFrameworkRequest(_ irp: Pointer<IRP>) async throws {
    // IoReleaseCancelSpinLock
    try lowerIRQL(to: irp.CancelIrql.load())
    guard let request = framework.requests[irp.address] else { return }
    if let queue = request.queue, queue.waiting.contains(where: { $0 === request }) {
      return try await cancel(waiting: request, in: queue)
    }
    let routine = request.cancelCallback
    request.cancelCallback = 0
    try await notify(routine, [request.handle.bits])
  }

  /// The driver has given a request of the queue's back.
  func giveBack(_ request: Request) async throws {
    guard let queue = request.queue else { return }
    queue.presented.removeAll { $0 === request }
    if queue.isIdle, let event = queue.idleEvent { try set(event) }
    if queue.isIdle, let idle = queue.idleNotification {
      queue.idleNotification = nil
      try await notify(idle.routine, [queue.handle.bits, idle.context.bits])
    }
    if !queue.isDeleting { try await present(queue) }
  }
}
