import Guest
import NTKernel
import WindowsTypes

/// The framework's own dispatch routines, which a driver's `DRIVER_OBJECT` names.
extension Kernel {
  func dispatchFramework(_ object: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let location = try irp.Tail.Overlay.CurrentStackLocation.load()
    let major = try location.MajorFunction.load()
    guard let device = framework.devices[object.address] else { return try await finish(irp, .invalidDeviceRequest) }
    if let own = device.setup.preprocessing[major.rawValue], try own.minors.isEmpty || own.minors.contains(location.MinorFunction.load()) {
      return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await notify(own.routine, [device.handle.bits, irp.address])))
    }
    return try await dispatch(device, irp, major)
  }

  /// What becomes of an IRP that no callback of the driver's takes first.
  func dispatch(_ device: Device, _ irp: Pointer<IRP>, _ major: IRP_MJ) async throws -> NTSTATUS {
    switch major {
    case .create: return try await create(device, irp)
    case .cleanup: return try await cleanUp(device, irp)
    case .close: return try await close(device, irp)
    case .read, .write, .deviceControl, .internalDeviceControl: return try await accept(device, irp, major)
    default:
      if let child = device.setup.child {
        if major == .pnp { return try await childPlugAndPlay(device, child, irp) }
        let minor = try irp.Tail.Overlay.CurrentStackLocation.load().MinorFunction.load()
        // IRP_MN_SET_POWER, IRP_MN_QUERY_POWER; anything else as it came.
        let status = major == .power && 2...3 ~= minor ? NTSTATUS.success : try irp.IoStatus.Status.load()
        try await complete(irp, status, UInt64(irp.IoStatus.Information.load().bits))
        return status
      }
      // Whatever it does not handle itself a function driver passes on.
      guard let below = device.below else { return try await finish(irp, .invalidDeviceRequest) }
      return try await major == .pnp ? plugAndPlay(device, irp, over: below) : skip(irp, to: below)
    }
  }

  private func finish(_ irp: Pointer<IRP>, _ status: NTSTATUS) async throws -> NTSTATUS {
    try await complete(irp, status, 0)
    return status
  }

  private func makeRequest(_ device: Device, _ irp: Pointer<IRP>, _ major: IRP_MJ) throws -> Request {
    let request = Request(try objectBlock(), device.binding, irp, major)
    try adopt(request, device.setup.requestAttributes, parent: device)
    framework.requests[irp.address] = request
    let file = try request.location().FileObject.load()
    request.file = device.files[file.address]
    return request
  }

  /// `IoMarkIrpPending`: every request that a queue takes is pending, whenever it is completed.
  private func markPending(_ irp: Pointer<IRP>) throws {
    let location = try irp.Tail.Overlay.CurrentStackLocation.load()
    try location.Control.store(location.Control.load().union(.pendingReturned))
  }

  // MARK: Files

  private func create(_ device: Device, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let callbacks = device.setup.file
    let file = try irp.Tail.Overlay.CurrentStackLocation.load().FileObject.load()
    if callbacks.isWanted {
      let made = FileObject(try objectBlock(), device.binding, file)
      try adopt(made, device.setup.fileAttributes, parent: device)
      device.files[file.address] = made
    }
    guard callbacks.create.bits != 0 else {
      if device.setup.isFilter, let below = device.below { return try await skip(irp, to: below) }
      return try await finish(irp, .success)
    }
    try markPending(irp)
    let request = try makeRequest(device, irp, .create)
    request.wasPresented = true
    let handle = device.files[file.address]?.handle.bits ?? 0
    try await notify(callbacks.create, [device.handle.bits, request.handle.bits, handle])
    return .pending
  }

  private func cleanUp(_ device: Device, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let file = try irp.Tail.Overlay.CurrentStackLocation.load().FileObject.load()
    if let own = device.files[file.address] { try await notify(device.setup.file.cleanup, [own.handle.bits]) }
    // What waits in a queue for this file is cancelled.
    for request in framework.requests.values.sorted(by: { $0.irp.address < $1.irp.address }) where request.device === device {
      guard let queue = request.queue, queue.waiting.contains(where: { $0 === request }),
        try request.location().FileObject.load() == file, try takeCancelRoutine(of: request)
      else { continue }
      try await cancel(waiting: request, in: queue)
    }
    if device.setup.isFilter, let below = device.below { return try await skip(irp, to: below) }
    return try await finish(irp, .success)
  }

  private func close(_ device: Device, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let file = try irp.Tail.Overlay.CurrentStackLocation.load().FileObject.load()
    if let own = device.files.removeValue(forKey: file.address) {
      try await notify(device.setup.file.close, [own.handle.bits])
      try await delete(own)
    }
    if device.setup.isFilter, let below = device.below { return try await skip(irp, to: below) }
    return try await finish(irp, .success)
  }

  // MARK: Reads, writes and control requests

  private func accept(_ device: Device, _ irp: Pointer<IRP>, _ major: IRP_MJ) async throws -> NTSTATUS {
    if device.setup.isFilter, let below = device.below, device.setup.inCallerContext.bits == 0,
      device.dispatching[major.rawValue] ?? device.defaultQueue == nil
    {
      return try await skip(irp, to: below)
    }
    try markPending(irp)
    let request = try makeRequest(device, irp, major)
    if device.setup.inCallerContext.bits != 0 {
      request.isInCallerContext = true
      try await notify(device.setup.inCallerContext, [device.handle.bits, request.handle.bits])
    } else {
      _ = try await enqueue(request, in: device)
    }
    return .pending
  }

  /// Hands a request to the queue that takes its kind (nf-wdfdevice-wdfdeviceenqueuerequest).
  func enqueue(_ request: Request, in device: Device) async throws -> NTSTATUS {
    request.isInCallerContext = false
    guard let queue = device.dispatching[request.major.rawValue] ?? device.defaultQueue else {
      try await complete(request, .invalidDeviceRequest)
      return .invalidDeviceRequest
    }
    guard queue.accepts else {
      try await complete(request, .cancelled)
      return .wdfBusy
    }
    let sizes = try request.sizes()
    if [.read, .write].contains(request.major), sizes.input + sizes.output == 0, !queue.allowsZeroLength {
      try await complete(request, .success)
      return .success
    }
    try await add(request, to: queue)
    return .success
  }
}
