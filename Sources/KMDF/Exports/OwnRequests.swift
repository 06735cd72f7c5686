import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// Requests that a driver makes itself (wdfrequest.h).
  static let ownRequestFunctions: [Export] = [
    // nf-wdfrequest-wdfrequestcreate: for a target, or for any.
    asyncFunction("WdfRequestCreate(DriverGlobals, RequestAttributes, IoTarget, Request)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, target: GuestWord,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        let binding = try kernel.binding(globals)
        let below = target.bits == 0 ? nil : try kernel.object(target, Target.self).below
        let size = try below.flatMap { $0.isNull ? nil : try $0.StackSize.load() } ?? 1
        let irp = try await kernel.call(kernel.trapAddress(of: "IoAllocateIrp"), [UInt64(UInt8(bitPattern: size)), 0]) & 0xffff_ffff
        guard irp != 0 else { return .insufficientResources }
        let request = Request(try kernel.objectBlock(), binding, Pointer(irp, in: kernel.memory.memory), .internalDeviceControl)
        (request.isOwn, request.freesIRP) = (true, true)
        try kernel.adopt(request, kernel.attributes(attributes), parent: binding.driver)
        try result.store(request.handle)
        return .success
      }
    },
    // nf-wdfrequest-wdfrequestcreatefromirp
    asyncFunction("WdfRequestCreateFromIrp(DriverGlobals, RequestAttributes, Irp, RequestFreesIrp, Request)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, irp: Pointer<IRP>, frees: UInt8,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        let binding = try kernel.binding(globals)
        let request = Request(try kernel.objectBlock(), binding, try kernel.required(irp), .internalDeviceControl)
        (request.isOwn, request.freesIRP) = (true, frees != 0)
        try kernel.adopt(request, kernel.attributes(attributes), parent: binding.driver)
        try result.store(request.handle)
        return .success
      }
    },
    // nf-wdfrequest-wdfrequestreuse: WDF_REQUEST_REUSE_PARAMS is its size, flags and a status. Of a driver's own request alone.
    function("WdfRequestReuse(DriverGlobals, Request, ReuseParams)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, parameters: Pointer<UInt32>) -> NTSTATUS in
      let request = try kernel.request(request)
      guard request.isOwn else { return .invalidDeviceRequest }
      (request.format, request.isFormatted, request.completion, request.information) = (nil, false, 0, 0)
      try request.irp.IoStatus.Status.store(NTSTATUS(rawValue: kernel.required(parameters)[2].load()))
      try request.irp.Cancel.store(0)
      return .success
    }
    .partially("a new IRP is not taken"),
    // nf-wdfrequest-wdfrequestchangetarget
    function("WdfRequestChangeTarget(DriverGlobals, Request, IoTarget)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, target: GuestWord) -> NTSTATUS in
      _ = try (kernel.request(request), kernel.object(target, Target.self))
      return .success
    },
    // nf-wdfrequest-wdfrequestgetcompletionparams: WDF_REQUEST_COMPLETION_PARAMS.
    procedure("WdfRequestGetCompletionParams(DriverGlobals, Request, Params)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, parameters: Pointer<UInt32>) in
      let request = try kernel.request(request)
      try kernel.required(parameters)[1].store(UInt32(request.major.rawValue))
      try parameters[2].store(request.irp.IoStatus.Status.load().rawValue)
      try parameters[3].store(UInt32(truncatingIfNeeded: request.irp.IoStatus.Information.load().bits))
    }
    .partially("of the parameters the status and the information alone are there"),
    // nf-wdfrequest-wdfrequestallocatetimer
    function("WdfRequestAllocateTimer(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> NTSTATUS in
      _ = try kernel.request(request)
      return .success
    },
    // nf-wdfrequest-wdfrequestcancelsentrequest: FALSE, for what was sent has come back.
    function("WdfRequestCancelSentRequest(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) -> UInt8 in
      _ = try kernel.request(request)
      return 0
    },
    // nf-wdfrequest-wdfrequestretrieveinputwdmmdl
    function("WdfRequestRetrieveInputWdmMdl(DriverGlobals, Request, Mdl)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, result: Pointer<Pointer<MDL>>) -> NTSTATUS in
      let request = try kernel.request(request)
      let mdl = try request.irp.MdlAddress.load()
      try result.store(mdl)
      let method = try request.method()
      guard method == .inDirect || method == .outDirect, request.major == .write else { return .invalidDeviceRequest }
      return mdl.isNull ? .bufferTooSmall : .success
    }
    .partially("a system buffer has no MDL: STATUS_INVALID_DEVICE_REQUEST"),
  ]
}
