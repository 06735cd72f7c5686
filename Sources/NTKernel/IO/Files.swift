import Events
import Guest
import Memory
import WindowsTypes

/// Files: what a process opens of a device, and the requests it makes of it.
extension Kernel {
  /// `FILE_OBJECT.Flags` (`wdm.h`).
  enum FileFlags {
    static let synchronous: UInt32 = 2
    static let alertable: UInt32 = 4
    static let noIntermediateBuffering: UInt32 = 8
    static let writeThrough: UInt32 = 0x10
    static let sequentialOnly: UInt32 = 0x20
    static let cacheSupported: UInt32 = 0x40
    static let stream: UInt32 = 0x100
    static let directDeviceOpen: UInt32 = 0x800
    static let fileModified: UInt32 = 0x1000
    static let fileSizeChanged: UInt32 = 0x2000
    static let cleanupComplete: UInt32 = 0x4000
    static let temporary: UInt32 = 0x8000
    static let deleteOnClose: UInt32 = 0x1_0000
    static let handleCreated: UInt32 = 0x4_0000
    static let volumeOpen: UInt32 = 0x40_0000
  }

  /// What a file is opened with.
  struct OpenOptions {
    var access: UInt32 = 0
    var fileAttributes: UInt32 = 0
    var share: UInt32 = 0
    var disposition: UInt32 = 1
    var options: UInt32 = 0
    var mode = KPROCESSOR_MODE.kernelMode
    /// `IO_CHECK_CREATE_PARAMETERS`
    var isChecked = false
    /// Where the wanted allocation size stands, in bytes; null for none.
    var allocation: Pointer<Int64>?
    var allocationSize: Int64 = 0
    /// `IO_STACK_LOCATION.Flags`: `SL_OPEN_TARGET_DIRECTORY` and its like.
    var stackFlags: UInt8 = 0
    /// The list of `FILE_FULL_EA_INFORMATION` that the create carries, which transports take their addresses from.
    var extendedAttributes: (address: UInt64, length: UInt32) = (0, 0)
    /// The device that the create is sent to; `nil` for the top of the stack.
    var hint: Pointer<DEVICE_OBJECT>?
    /// The `ECP_LIST` that the create carries; 0 for none.
    var createParameters: UInt64 = 0

    /// What the I/O manager refuses by itself (nf-ntifs-ntcreatefile, CreateOptions).
    var areValid: Bool {
      let synchronous = options & (CreateOptions.synchronousAlert | CreateOptions.synchronousNonAlert)
      if disposition > CreateDisposition.overwriteIf || share & ~7 != 0 { return false }
      if synchronous.nonzeroBitCount > 1 { return false }
      // SYNCHRONIZE, DELETE: a call in kernel mode is not asked for them, unless it asks for the check by IO_CHECK_CREATE_PARAMETERS
      // (alex-ionescu.com/why-iontcreatefile-fails).
      if mode == .userMode || isChecked {
        if synchronous != 0, access & 0x10_0000 == 0 { return false }
        if options & CreateOptions.deleteOnClose != 0, access & 0x1_0000 == 0 { return false }
      }
      if options & CreateOptions.directoryFile != 0 {
        if options & CreateOptions.nonDirectoryFile != 0 { return false }
        if ![CreateDisposition.open, CreateDisposition.create, CreateDisposition.openIf].contains(disposition) { return false }
      }
      return true
    }
  }

  /// The process whose address space the running thread is in.
  package func requestor() throws -> Process { process(at: try currentProcess().address) ?? currentSpaceOwner }

  typealias Opened = Result<(Pointer<FILE_OBJECT>, information: UInt64), Refusal>

  /// Opens what `path` names: a file object, and an `IRP_MJ_CREATE` down the device's stack.
  ///
  /// A driver that answers STATUS_REPARSE has put another path into the file object, which is opened instead.
  ///
  /// - Parameter related: the directory or device that the path starts from, if it is no path of the object manager's.
  func openFile(_ path: String, _ options: OpenOptions, from related: Pointer<FILE_OBJECT>? = nil) async throws -> Opened {
    try makeNamespace()
    var (path, related) = (path, related)
    // As many as symbolic links may follow each other.
    for _ in 0..<32 {
      let device: Pointer<DEVICE_OBJECT>
      var name = path
      if let related {
        device = try related.DeviceObject.load()
      } else {
        switch try resolve(path) {
        case .failed(let status): return .failure(Refusal(status))
        case .found(let entry, _) where entry.kind != .device: return .failure(Refusal(.objectTypeMismatch))
        case .found(let entry, let rest): (device, name) = (Pointer(entry.object, in: memory.memory), rest)
        }
      }
      var next: String?
      let result = try await openFile(of: device, name, options, path: path, from: related, reparsedTo: &next)
      guard let next else { return result }
      (path, related) = (next, nil)
    }
    return .failure(Refusal(.objectNameNotFound))
  }

  private func openFile(
    of device: Pointer<DEVICE_OBJECT>, _ name: String, _ options: OpenOptions, path: String, from related: Pointer<FILE_OBJECT>?,
    reparsedTo next: inout String?
  ) async throws -> Opened {
    let here = memory.memory
    let isGoing = try device.DeviceObjectExtension.load().ExtensionFlags.load() & ExtensionFlags.deletePending != 0
    let count = try device.ReferenceCount.load()
    if try isGoing || device.Flags.load().contains(.deviceInitializing) { return .failure(Refusal(.noSuchDevice)) }
    if try count > 0 && device.Flags.load().contains(.exclusive) { return .failure(Refusal(.accessDenied)) }
    try device.ReferenceCount.store(count + 1)
    let size = UInt64(Pointer<FILE_OBJECT>.size(in: here))
    let file = Pointer<FILE_OBJECT>(try makeObject(.file, size: size), in: here)
    try file.Type.store(IOObjectType.file.rawValue)
    try file.Size.store(Int16(size))
    try file.DeviceObject.store(device)
    if let related {
      try file.RelatedFileObject.store(related)
      try file.Vpb.store(related.Vpb.load())
    } else {
      try file.Vpb.store(device.Vpb.load())
    }
    if !name.isEmpty { try store(name, in: file.FileName) }
    // Whoever asks for no more than the attributes of a volume speaks to its disk:
    // SYNCHRONIZE | FILE_READ_ATTRIBUTES | READ_CONTROL | WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY.
    let isDirect = name.isEmpty && related == nil && options.hint == nil && options.access & ~0x011e_0080 == 0
    try file.Flags.store(flags(options) | (isDirect ? FileFlags.directDeviceOpen : 0))
    try initializeEvent(file.Lock, .eventSynchronization, isSet: false)
    try initializeEvent(file.Event, .eventNotification, isSet: false)
    let top = try options.hint ?? relatedDevice(of: file)
    let irp = try request(.create, to: top, of: file, mode: options.mode)
    try irp.Flags.store([.createOperation, .synchronousApi, .deferIOCompletion])
    try irp.Overlay.AllocationSize.QuadPart.store(options.allocationSize)
    try nextLocation(of: irp).Flags.store(options.stackFlags)
    let parameters = try nextLocation(of: irp).Parameters.Create
    try parameters.SecurityContext.store(Pointer(try securityContext(options), in: here))
    try parameters.Options.store(options.disposition << 24 | options.options & 0xff_ffff)
    try parameters.FileAttributes.store(UInt16(truncatingIfNeeded: options.fileAttributes))
    try parameters.ShareAccess.store(UInt16(truncatingIfNeeded: options.share))
    if options.extendedAttributes.length != 0 {
      try irp.AssociatedIrp.SystemBuffer.store(Pointer(options.extendedAttributes.address, in: here))
      try parameters.EaLength.store(options.extendedAttributes.length)
    }
    if options.createParameters != 0 { io.createParameters[irp.address] = options.createParameters }
    let context = try parameters.SecurityContext.load().address
    let (status, information) = try await send(irp, to: top, waitingOn: file)
    _ = nonPagedPool.free(context)
    guard status.isSuccess, status != .pending, status != .reparse else {
      var refusal = Refusal(status)
      if status == .reparse {
        let data = io.reparsePoints.removeValue(forKey: file.address)
        switch try followReparse(information, data, file, related == nil ? path : nil, name) {
        case .success(let path): next = path
        case .failure(let other): refusal = other
        }
      }
      try file.DeviceObject.store(Pointer(0, in: here))
      try device.ReferenceCount.store(device.ReferenceCount.load() - 1)
      try await dereference(file.address)
      try await leave(device)
      return .failure(refusal)
    }
    // A file system says itself what a file is opened for: IoSetShareAccess.
    if try file.FsContext.load().isNull {
      try file.ReadAccess.store(options.access & 1 != 0 ? 1 : 0)
      try file.WriteAccess.store(options.access & 6 != 0 ? 1 : 0)
    }
    return .success((file, information))
  }

  /// The flags of a file object that its options become.
  private func flags(_ options: OpenOptions) -> UInt32 {
    var flags: UInt32 = 0
    let map = [
      (CreateOptions.synchronousAlert, FileFlags.synchronous | FileFlags.alertable),
      (CreateOptions.synchronousNonAlert, FileFlags.synchronous),
      (CreateOptions.noIntermediateBuffering, FileFlags.noIntermediateBuffering), (CreateOptions.writeThrough, FileFlags.writeThrough),
      (CreateOptions.sequentialOnly, FileFlags.sequentialOnly),
    ]
    for (option, flag) in map where options.options & option != 0 { flags |= flag }
    return flags
  }

  /// `IO_SECURITY_CONTEXT` and the `ACCESS_STATE` it points at (`wdm.h`): who asks for what.
  private func securityContext(_ options: OpenOptions) throws -> UInt64 {
    let here = memory.memory
    let context = try allocate(0x10 + 0x80)
    try here.store(UInt32(truncatingIfNeeded: context + 0x10), at: context + 4)
    try here.store(options.access, at: context + 8)
    try here.store(options.options, at: context + 12)
    // ACCESS_STATE.OriginalDesiredAccess, and RemainingDesiredAccess and PreviouslyGrantedAccess before it.
    try here.store(options.access, at: context + 0x10 + 0x14)
    try here.store(options.access, at: context + 0x10 + 0x18)
    return context
  }

  /// An IRP of the running thread's for `device`, with the first location's major function and file set.
  package func request(
    _ major: IRP_MJ, to device: Pointer<DEVICE_OBJECT>, of file: Pointer<FILE_OBJECT>, mode: KPROCESSOR_MODE
  ) throws -> Pointer<IRP> {
    let irp = try allocateIRP(stackSize: device.StackSize.load())
    guard !irp.isNull else { throw GuestException(.insufficientResources) }
    try irp.RequestorMode.store(mode)
    try irp.Tail.Overlay.Thread.store(currentThread().cast())
    try irp.Tail.Overlay.OriginalFileObject.store(file)
    let location = try nextLocation(of: irp)
    try location.MajorFunction.store(major)
    try location.FileObject.store(file)
    try queue(irp, requestor: requestor())
    return irp
  }

  /// Sends a request of the running thread's, and ends it if it is complete when the dispatch routine returns.
  ///
  /// - Parameter file: the file whose event a pending request is waited for on; `nil` where its caller does not wait.
  package func send(
    _ irp: Pointer<IRP>, to device: Pointer<DEVICE_OBJECT>, waitingOn file: Pointer<FILE_OBJECT>?
  ) async throws -> (status: NTSTATUS, information: UInt64) {
    try file?.Event.Header.SignalState.store(0)
    let major = try nextLocation(of: irp).MajorFunction.load()
    let status = try await callDriver(device, irp)
    if io.deferred.contains(irp.address) {
      let (own, information) = (try irp.IoStatus.Status.load(), try irp.IoStatus.Information.load().bits)
      try await finish(irp)
      if own != status {
        report(violation: "the dispatch routine for \(major) returned \(status), and completed the IRP with \(own)", at: Site(ip: 0))
      }
      return (status == .pending ? own : status, information)
    }
    if status != .pending, let issue = io.issued[irp.address], !issue.isCompleting {
      report(violation: "the dispatch routine for \(major) returned \(status), and did not complete the IRP", at: Site(ip: 0))
    }
    guard status == .pending, let file else { return (status, 0) }
    // Signaled already where the request was completed meanwhile.
    _ = try await waiting([file.Event.Header])
    return (try file.FinalStatus.load(), 0)
  }

  /// The last handle to a file is closed: `IRP_MJ_CLEANUP`.
  func cleanUp(_ file: Pointer<FILE_OBJECT>) async throws {
    guard try !file.DeviceObject.load().isNull else { return }
    let top = try relatedDevice(of: file)
    let irp = try request(.cleanup, to: top, of: file, mode: .kernelMode)
    try irp.Flags.store([.closeOperation, .synchronousApi, .deferIOCompletion])
    _ = try await send(irp, to: top, waitingOn: file)
  }

  /// The last reference to a file is gone: `IRP_MJ_CLOSE`.
  func closeFile(_ file: Pointer<FILE_OBJECT>) async throws {
    let device = try file.DeviceObject.load()
    if !device.isNull {
      let top = try relatedDevice(of: file)
      let irp = try request(.close, to: top, of: file, mode: .kernelMode)
      try irp.Flags.store([.closeOperation, .synchronousApi, .deferIOCompletion])
      _ = try await send(irp, to: top, waitingOn: file)
      try device.ReferenceCount.store(device.ReferenceCount.load() - 1)
      try file.DeviceObject.store(Pointer(0, in: memory.memory))
      try await leave(device)
    }
    let name = try file.FileName.Buffer.load().address
    // A driver may have put a name of its own in its place.
    if name != 0, !nonPagedPool.free(name) { _ = pagedPool.free(name) }
  }
}
