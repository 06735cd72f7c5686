import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  static let requestFunctions: [Export] = [
    // nf-wdfrequest-wdfrequestcomplete and its like
    asyncProcedure("WdfRequestComplete(DriverGlobals, Request, Status)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, status: NTSTATUS) async throws in
      try await kernel.complete(kernel.request(request), status)
    },
    asyncProcedure("WdfRequestCompleteWithInformation(DriverGlobals, Request, Status, Information)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, status: NTSTATUS, information: GuestWord) async throws in
      try await kernel.complete(kernel.request(request), status, information: information.bits)
    },
    asyncProcedure("WdfRequestCompleteWithPriorityBoost(DriverGlobals, Request, Status, PriorityBoost)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, status: NTSTATUS, boost: Int8) async throws in
      try await kernel.complete(kernel.request(request), status)
    },
    // nf-wdfrequest-wdfrequestsetinformation, nf-wdfrequest-wdfrequestgetinformation
    procedure("WdfRequestSetInformation(DriverGlobals, Request, Information)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, information: GuestWord) in
      try kernel.request(request).information = information.bits
    },
    function("WdfRequestGetInformation(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> GuestWord in
      GuestWord(try kernel.request(request).information)
    },
    // nf-wdfrequest-wdfrequestgetparameters
    procedure("WdfRequestGetParameters(DriverGlobals, Request, Parameters)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, parameters: Pointer<WDF_REQUEST_PARAMETERS>) in
      try kernel.describe(kernel.request(request), in: kernel.required(parameters))
    },
    // nf-wdfrequest-wdfrequestgetfileobject
    function("WdfRequestGetFileObject(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> GuestWord in
      try kernel.request(request).file?.handle ?? 0
    },
    // nf-wdfrequest-wdfrequestgetioqueue
    function("WdfRequestGetIoQueue(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> GuestWord in
      try kernel.request(request).queue?.handle ?? 0
    },
    // nf-wdfrequest-wdfrequestgetrequestormode
    function("WdfRequestGetRequestorMode(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> KPROCESSOR_MODE in
      try kernel.request(request).irp.RequestorMode.load()
    },
    // nf-wdfrequest-wdfrequestisfrom32bitprocess
    function("WdfRequestIsFrom32BitProcess(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> UInt8 in
      _ = try kernel.request(request)
      return kernel.memory.target.width == .x86 ? 1 : 0
    },
    // nf-wdfrequest-wdfrequestwdmgetirp
    function("WdfRequestWdmGetIrp(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> Pointer<IRP> in
      try kernel.request(request).irp
    },
    // nf-wdfrequest-wdfrequestgetstatus
    function("WdfRequestGetStatus(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> NTSTATUS in
      try kernel.request(request).irp.IoStatus.Status.load()
    },
    // nf-wdfrequest-wdfrequestiscanceled
    function("WdfRequestIsCanceled(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> UInt8 in
      try kernel.request(request).irp.Cancel.load()
    },
    // nf-wdfrequest-wdfrequestisreserved
    function("WdfRequestIsReserved(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> UInt8 in
      _ = try kernel.request(request)
      return 0
    },
    // nf-wdfrequest-wdfrequestmarkcancelable: of a request that is cancelled already the callback is called at once.
    asyncProcedure("WdfRequestMarkCancelable(DriverGlobals, Request, EvtRequestCancel)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, routine: GuestWord) async throws in
      let request = try kernel.request(request)
      guard try kernel.markCancelable(request, routine) == .cancelled else { return }
      try await kernel.notify(routine, [request.handle.bits])
    },
    // nf-wdfrequest-wdfrequestmarkcancelableex: of a request that is cancelled already it is STATUS_CANCELLED.
    function("WdfRequestMarkCancelableEx(DriverGlobals, Request, EvtRequestCancel)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, routine: GuestWord) -> NTSTATUS in
      try kernel.markCancelable(kernel.request(request), routine)
    },
    // nf-wdfrequest-wdfrequestunmarkcancelable
    function("WdfRequestUnmarkCancelable(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> NTSTATUS in
      let request = try kernel.request(request)
      if request.cancelCallback.bits != 0, try kernel.takeCancelRoutine(of: request) {
        request.cancelCallback = 0
        return .success
      }
      return try request.irp.Cancel.load() != 0 ? .cancelled : .invalidDeviceRequest
    },
    // nf-wdfrequest-wdfrequestforwardtoioqueue
    asyncFunction("WdfRequestForwardToIoQueue(DriverGlobals, Request, DestinationQueue)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, queue: GuestWord) async throws -> NTSTATUS in
      let (request, queue) = try (kernel.request(request), kernel.object(queue, Queue.self))
      return try await kernel.forward(request, to: queue)
    },
    // nf-wdfrequest-wdfrequestrequeue: to the head of a manual queue.
    asyncFunction("WdfRequestRequeue(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) async throws -> NTSTATUS in
      let request = try kernel.request(request)
      guard let queue = request.queue, queue.dispatching == .manual, queue.presented.contains(where: { $0 === request }) else {
        return .invalidDeviceRequest
      }
      queue.presented.removeAll { $0 === request }
      queue.waiting.insert(request, at: 0)
      try request.irp.CancelRoutine.store(Pointer(kernel.frameworkTrap("FxRequestCancel"), in: kernel.memory.memory))
      return .success
    },
    // nf-wdfrequest-wdfrequeststopacknowledge
    procedure("WdfRequestStopAcknowledge(DriverGlobals, Request, Requeue)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, requeues: UInt8) in
      _ = try kernel.request(request)
      kernel.report(violation: "WdfRequestStopAcknowledge is called outside EvtIoStop")
    }
    .partially("EvtIoStop is never called, so there is nothing to acknowledge"),
  ]
}

extension Kernel {
  func markCancelable(_ request: Request, _ routine: GuestWord) throws -> NTSTATUS {
    guard routine.bits != 0 else { throw Violation.requiredParameterIsNull.bugCheck(0, site().ip) }
    if try request.irp.Cancel.load() != 0 { return .cancelled }
    request.cancelCallback = routine
    try request.irp.CancelRoutine.store(Pointer(frameworkTrap("FxRequestCancel"), in: memory.memory))
    return .success
  }

  func forward(_ request: Request, to queue: Queue) async throws -> NTSTATUS {
    guard request.device === queue.device, request.queue !== queue else { return .invalidDeviceRequest }
    guard request.wasPresented || request.isInCallerContext, request.cancelCallback.bits == 0 else { return .wdfRequestInvalidState }
    guard queue.accepts else { return .wdfBusy }
    let old = request.queue
    old?.presented.removeAll { $0 === request }
    try await add(request, to: queue)
    if let old, !old.isDeleting { try await present(old) }
    return .success
  }

  func describe(_ request: Request, in parameters: Pointer<WDF_REQUEST_PARAMETERS>) throws {
    let location = try request.location()
    try parameters.MinorFunction.store(location.MinorFunction.load())
    try parameters.Type.store(UInt32(request.major.rawValue))
    // The words of the stack location are the same, but for a read's offset, which is aligned there already.
    let words = Pointer<GuestWord>(location.Parameters.address, in: memory.memory)
    for index in 0..<4 { try parameters.Parameters[index].store(words[index].load()) }
  }
}
