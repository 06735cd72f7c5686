import Guest
import NTKernel
import WindowsTypes

/// An IRP in the framework's hands, or the driver's.
final class Request: FrameworkObject {
  let irp: Pointer<IRP>
  let major: IRP_MJ
  /// The queue that it waits in, or was presented by.
  var queue: Queue?
  /// Whether the driver has had it in its hands.
  var wasPresented = false
  /// Whether the driver has it in the context of whoever asked: in `EvtIoInCallerContext`.
  var isInCallerContext = false
  /// `EvtRequestCancel`, while the driver has marked the request cancelable.
  var cancelCallback: GuestWord = 0
  var information: UInt64 = 0
  var input: MemoryObject?
  var output: MemoryObject?
  var file: FileObject?
  /// Whether the driver has prepared it for the next lower driver, and who is told when it comes back.
  var isFormatted = false
  /// What it asks a target for, where that is not what it asks the driver for.
  var format: RequestFormat?
  /// Whether the driver made it, and whether its IRP goes with it.
  var isOwn = false
  var freesIRP = false
  var completion: GuestWord = 0
  var completionContext: GuestWord = 0

  init(_ block: UInt64, _ binding: Binding, _ irp: Pointer<IRP>, _ major: IRP_MJ) {
    self.irp = irp
    self.major = major
    super.init(block, binding)
  }

  override func dispose(_ kernel: Kernel) async throws {
    if freesIRP { _ = try await kernel.call(kernel.trapAddress(of: "IoFreeIrp"), [irp.address]) }
    freesIRP = false
  }

  func location() throws -> Pointer<IO_STACK_LOCATION> { try irp.Tail.Overlay.CurrentStackLocation.load() }

  /// The lengths that the request names, in bytes.
  func sizes() throws -> (input: UInt64, output: UInt64) {
    let parameters = try location().Parameters
    switch major {
    case .read: return (0, UInt64(try parameters.Read.Length.load()))
    case .write: return (UInt64(try parameters.Write.Length.load()), 0)
    case .deviceControl, .internalDeviceControl:
      return (
        UInt64(try parameters.DeviceIoControl.InputBufferLength.load()), UInt64(try parameters.DeviceIoControl.OutputBufferLength.load())
      )
    default: return (0, 0)
    }
  }

  /// How the request's buffers come: of a control request by its code, of any other by what the device asks for.
  func method() throws -> TransferMethod {
    if major == .deviceControl || major == .internalDeviceControl {
      return try location().Parameters.DeviceIoControl.IoControlCode.load().method
    }
    switch device?.setup.ioType {
    case 2: return .buffered
    case 3: return .outDirect
    default: return .neither
    }
  }
}

extension Kernel {
  /// A request that the driver holds. One that has been completed is none any more.
  func request(_ handle: GuestWord) throws -> Request { try object(handle, Request.self) }

  /// Completes the IRP; the request and what hangs from it go.
  func complete(_ request: Request, _ status: NTSTATUS, information: UInt64? = nil) async throws {
    let irp = request.irp
    guard framework.requests[irp.address] === request else { throw Violation.invalidHandle.bugCheck(request.handle.bits) }
    framework.requests[irp.address] = nil
    if request.cancelCallback.bits != 0 {
      report(violation: "a request is completed that is still marked cancelable: WdfRequestUnmarkCancelable comes first")
      try irp.CancelRoutine.store(Pointer(0, in: memory.memory))
    }
    // The driver's cleanup callback still finds the IRP; what it locked is unlocked before its issuer goes on.
    reference(request)
    try await delete(request)
    try await complete(irp, status, information ?? request.information)
    try await giveBack(request)
    try await dereference(request)
  }

  // MARK: Buffers

  /// The memory that a request's data comes from or goes to (nf-wdfrequest-wdfrequestretrieveinputmemory and its like).
  ///
  /// It is the system buffer, or the locked pages mapped into system space. METHOD_NEITHER and the wrong direction are
  /// STATUS_INVALID_DEVICE_REQUEST, nothing at all is STATUS_BUFFER_TOO_SMALL.
  func memory(of request: Request, isInput: Bool) throws -> MemoryObject {
    if let known = isInput ? request.input : request.output { return known }
    let sizes = try request.sizes()
    let isControl = request.major == .deviceControl || request.major == .internalDeviceControl
    guard isControl || request.major == (isInput ? .write : .read) else { throw Refused(.invalidDeviceRequest) }
    let size = isInput ? sizes.input : sizes.output
    let address: UInt64
    switch try request.method() {
    case .neither: throw Refused(.invalidDeviceRequest)
    case .inDirect, .outDirect:
      if isControl && isInput { fallthrough }
      guard size > 0 else { throw Refused(.bufferTooSmall) }
      let mdl = try request.irp.MdlAddress.load()
      guard !mdl.isNull, let mapped = try systemAddress(of: mdl) else { throw Refused(.insufficientResources) }
      address = mapped
    case .buffered:
      guard size > 0 else { throw Refused(.bufferTooSmall) }
      address = try request.irp.AssociatedIrp.SystemBuffer.load().address
    }
    let memory = MemoryObject(try objectBlock(), request.binding, buffer: address, size: size)
    try adopt(memory, Attributes(), parent: request)
    if isInput { request.input = memory } else { request.output = memory }
    return memory
  }

  /// The user's own address and length (nf-wdfrequest-wdfrequestretrieveunsafeuserinputbuffer): of METHOD_NEITHER alone, and in
  /// the caller's context alone.
  func userBuffer(of request: Request, isInput: Bool, atLeast minimum: UInt64) throws -> (address: UInt64, size: UInt64) {
    guard request.isInCallerContext else { throw Refused(.invalidDeviceRequest) }
    guard try request.method() == .neither else { throw Refused(.invalidDeviceRequest) }
    let isControl = request.major == .deviceControl || request.major == .internalDeviceControl
    guard isControl || request.major == (isInput ? .write : .read) else { throw Refused(.invalidDeviceRequest) }
    let sizes = try request.sizes()
    let size = isInput ? sizes.input : sizes.output
    guard size > 0, size >= minimum else { throw Refused(.bufferTooSmall) }
    if isControl && isInput { return (try request.location().Parameters.DeviceIoControl.Type3InputBuffer.load().address, size) }
    return (try request.irp.UserBuffer.load().address, size)
  }

  /// Locks a user's buffer and maps it into system space (nf-wdfrequest-wdfrequestprobeandlockuserbufferforread), *in the current
  /// process*: in any other thread than the one that made the request it is STATUS_ACCESS_VIOLATION.
  func lock(_ request: Request, _ address: UInt64, _ length: UInt64, _ operation: LOCK_OPERATION) throws -> MemoryObject {
    guard length > 0 else { throw Refused(.invalidUserBuffer) }
    guard framework.requests[request.irp.address] === request else { throw Refused(.invalidDeviceRequest) }
    guard let running, try request.irp.Tail.Overlay.Thread.load().address == running.object.address else {
      throw Refused(.accessViolation)
    }
    let mdl: Pointer<MDL>
    do {
      guard let locked = try lockedMDL(address, length, request.irp.RequestorMode.load(), operation) else {
        throw Refused(.insufficientResources)
      }
      mdl = locked
    } catch let exception as GuestException { throw Refused(exception.code) }
    guard let mapped = try systemAddress(of: mdl) else {
      try release(mdl)
      throw Refused(.insufficientResources)
    }
    let object = MemoryObject(try objectBlock(), request.binding, buffer: mapped, size: length)
    object.mdl = mdl
    try adopt(object, Attributes(), parent: request)
    return object
  }
}
