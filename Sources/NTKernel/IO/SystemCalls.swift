import Events
import Guest
import Memory
import WindowsTypes

/// The I/O system calls, for user mode (`Nt…` of a user's thread) and for kernel mode (`Zw…`).
///
/// What a user's pointer comes to is the call's status, as it is with the system's own handler around every probe.
extension Kernel {
  /// `NtCreateFile` (nf-ntifs-ntcreatefile).
  func createFile(
    _ handle: Pointer<Pointer<Void>>, _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ block: Pointer<IO_STATUS_BLOCK>,
    _ options: OpenOptions
  ) async throws -> NTSTATUS {
    var options = options
    let given = options.extendedAttributes.address
    defer { if options.extendedAttributes.address != given { _ = nonPagedPool.free(options.extendedAttributes.address) } }
    guard options.areValid else { return .invalidParameter }
    options.access = granted(options.access)
    let path: String
    let flags: ObjectAttributeFlags
    let related: Pointer<FILE_OBJECT>?
    do {
      if options.mode == .userMode {
        try probe(handle.address, 4)
        try probe(block.address, 8)
      }
      if try !capture(&options.extendedAttributes, mode: options.mode, block) { return .eaListInconsistent }
      if let place = options.allocation, !place.isNull { options.allocationSize = try place.load() }
      guard options.allocationSize >= 0 else { return .invalidParameter }
      related = try relatedFile(attributes)
      if related != nil {
        let name = try attributes.ObjectName.load()
        path = name.isNull ? "" : try name.string()
      } else {
        switch try self.path(attributes) {
        case .success(let found): path = found
        case .failure(let refusal): return refusal.status
        }
      }
      flags = ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
    } catch let exception as GuestException { return exception.code }
    switch try await openFile(path, options, from: related) {
    case .failure(let refusal): return refusal.status
    case .success(let (file, information)):
      let value = try makeHandle(to: file.address, access: options.access, attributes: flags, mode: options.mode)
      try file.Flags.store(file.Flags.load() | FileFlags.handleCreated)
      do {
        try handle.store(Pointer(value, in: memory.memory))
        try block.Status.store(.success)
        try block.Information.store(GuestWord(information))
      } catch let exception as GuestException { return exception.code }
      return .success
    }
  }

  /// Copies a create's extended attributes into the pool; whether they follow the rules. The place where they do not is the call's
  /// information (nf-ntifs-ntcreatefile, EaBuffer).
  private func capture(
    _ attributes: inout (address: UInt64, length: UInt32), mode: KPROCESSOR_MODE, _ block: Pointer<IO_STATUS_BLOCK>
  ) throws -> Bool {
    guard attributes.address != 0, attributes.length != 0 else {
      attributes.length = 0
      return true
    }
    guard attributes.length <= 1 << 20 else { throw GuestException(.insufficientResources) }
    if mode == .userMode { try checkUserRange(attributes.address, UInt64(attributes.length), 1) }
    let bytes = try memory.memory.bytes(Int(attributes.length), at: attributes.address)
    attributes.address = try allocate(UInt64(attributes.length))
    try memory.memory.write(bytes, at: attributes.address)
    guard let offset = try brokenEntry(ofAttributesAt: attributes.address, attributes.length) else { return true }
    try block.Information.store(GuestWord(UInt64(offset)))
    return false
  }

  /// The open file that a name starts from.
  func relatedFile(_ attributes: Pointer<OBJECT_ATTRIBUTES>) throws -> Pointer<FILE_OBJECT>? {
    let root = try attributes.RootDirectory.load().address
    guard root != 0, let entry = try entry(of: root), kind(of: entry.object) == .file else { return nil }
    return Pointer(entry.object, in: memory.memory)
  }

  /// The specific rights that generic ones stand for, of a file (`FILE_GENERIC_READ` and its like in `wdm.h`).
  func granted(_ access: UInt32) -> UInt32 {
    var rights = access & 0x0fff_ffff
    if access & 0x8000_0000 != 0 { rights |= 0x12_0089 }
    if access & 0x4000_0000 != 0 { rights |= 0x12_0116 }
    if access & 0x2000_0000 != 0 { rights |= 0x12_00a0 }
    if access & 0x1200_0000 != 0 { rights |= 0x1f_01ff }
    return rights
  }

  /// What every request on a file begins with.
  struct RequestArguments {
    var handle: UInt64
    var event: UInt64
    var apcRoutine: UInt64
    var apcContext: UInt64
    var block: Pointer<IO_STATUS_BLOCK>
    var mode: KPROCESSOR_MODE
  }

  /// `NtDeviceIoControlFile` and `NtFsControlFile` (nf-ntifs-ntdeviceiocontrolfile, nf-ntifs-ntfscontrolfile).
  func control(
    _ arguments: RequestArguments, _ code: IOControlCode, input: (address: UInt64, length: UInt32),
    output: (address: UInt64, length: UInt32), isFileSystem: Bool = false
  ) async throws -> NTSTATUS {
    // FILE_READ_ACCESS and FILE_WRITE_ACCESS are FILE_READ_DATA and FILE_WRITE_DATA (“Defining I/O Control Codes”, WDK).
    try await issue(
      arguments, isFileSystem ? .fileSystemControl : .deviceControl, access: code.access == 0 ? [] : [UInt32(code.access)],
      buffers: [input, output]
    ) { irp, device in
      let mode = arguments.mode
      if mode == .userMode, code.method != .neither {
        if output.address != 0, code.method == .buffered { try self.probe(output.address, UInt64(output.length)) }
        if input.address != 0 { try self.checkUserRange(input.address, UInt64(input.length), 1) }
      }
      try self.prepareControl(irp, code, input: input, output: output, mode: mode, isInternal: false)
      if isFileSystem { try self.nextLocation(of: irp).MajorFunction.store(.fileSystemControl) }
    }
  }

  /// `NtReadFile` and `NtWriteFile` (nf-ntifs-ntreadfile, nf-ntifs-ntwritefile).
  func transfer(
    _ arguments: RequestArguments, isRead: Bool, _ buffer: (address: UInt64, length: UInt32), offset: Pointer<Int64>,
    key: Pointer<UInt32>
  ) async throws -> NTSTATUS {
    let fast = try await tryFast(arguments, isRead: isRead, buffer, key: key) { file in
      try position(offset, of: file, arguments, isRead: isRead)
    }
    if let fast { return fast }
    return try await issue(
      arguments, isRead ? .read : .write, access: isRead ? [FileAccess.readData] : [FileAccess.writeData, FileAccess.appendData],
      buffers: [buffer]
    ) { irp, device in
      if arguments.mode == .userMode {
        if isRead {
          try self.probe(buffer.address, UInt64(buffer.length))
        } else {
          try self.checkUserRange(buffer.address, UInt64(buffer.length), 1)
        }
      }
      let file = try irp.Tail.Overlay.OriginalFileObject.load()
      try self.prepareTransfer(
        irp, device, isRead: isRead, buffer, offset: self.position(offset, of: file, arguments, isRead: isRead),
        key: key.isNull ? 0 : try key.load(), mode: arguments.mode)
    }
  }

  /// Where a transfer begins: as given, at the file's own position, or for appending at its end (nf-ntifs-ntwritefile).
  private func position(
    _ offset: Pointer<Int64>, of file: Pointer<FILE_OBJECT>, _ arguments: RequestArguments, isRead: Bool
  ) throws -> Int64 {
    let isSynchronous = try file.Flags.load() & FileFlags.synchronous != 0
    let given = offset.isNull ? nil : try offset.load()
    if !isRead, let access = try entry(of: arguments.handle)?.grantedAccess,
      access & (FileAccess.appendData | FileAccess.writeData) == FileAccess.appendData
    {
      return -1
    }
    // FILE_USE_FILE_POINTER_POSITION
    if given == nil || given == -2 {
      guard isSynchronous else { throw GuestException(.invalidParameter) }
      return try file.CurrentByteOffset.QuadPart.load()
    }
    guard let given, given >= (isRead ? 0 : -1) else { throw GuestException(.invalidParameter) }
    return given
  }

  /// Makes a request of a file on behalf of the running thread, and sends it.
  ///
  /// - Parameters:
  ///   - access: masks of rights, of which a handle of user mode must have one whole; any handle will do where there is none.
  ///   - isSynchronous: whether the caller waits, however the file is opened.
  ///   - prepare: fills in what is special about the request; what it throws is the call's status.
  func issue(
    _ arguments: RequestArguments, _ major: IRP_MJ, access: [UInt32] = [], buffers: [(address: UInt64, length: UInt32)],
    isSynchronous: Bool = false, _ prepare: (Pointer<IRP>, Pointer<DEVICE_OBJECT>) throws -> Void
  ) async throws -> NTSTATUS {
    let here = memory.memory
    guard let entry = try entry(of: arguments.handle) else { return .invalidHandle }
    guard kind(of: entry.object) == .file else { return .objectTypeMismatch }
    if arguments.mode == .userMode, !access.isEmpty, !access.contains(where: { $0 & ~entry.grantedAccess == 0 }) { return .accessDenied }
    let file = Pointer<FILE_OBJECT>(entry.object, in: here)
    var event = Pointer<KEVENT>(0, in: here)
    if arguments.event != 0 {
      guard let entry = try self.entry(of: arguments.event) else { return .invalidHandle }
      event = Pointer(entry.object, in: here)
      try event.Header.SignalState.store(0)
    }
    let device = try relatedDevice(of: file)
    let irp: Pointer<IRP>
    do {
      if arguments.mode == .userMode { try probe(arguments.block.address, 8) }
      let owner = try requestor()
      for buffer in buffers where buffer.address != 0 && buffer.length > 0 && buffer.address < memory.target.systemRangeStart {
        try record(BufferRequest(requestor: owner.id, address: buffer.address, length: UInt64(buffer.length)))
      }
      try file.Event.Header.SignalState.store(0)
      irp = try request(major, to: device, of: file, mode: arguments.mode)
    } catch let exception as GuestException { return exception.code }
    do {
      try irp.UserIosb.store(arguments.block)
      try irp.UserEvent.store(event)
      try irp.Overlay.AsynchronousParameters.UserApcRoutine.store(Pointer(arguments.apcRoutine, in: here))
      try irp.Overlay.AsynchronousParameters.UserApcContext.store(Pointer(arguments.apcContext, in: here))
      try irp.Flags.store(.deferIOCompletion)
      try prepare(irp, device)
    } catch let exception as GuestException {
      try abandon(irp)
      return exception.code
    } catch let refusal as Refusal {
      try abandon(irp)
      return refusal.status
    }
    // The file stays while a request on it is under way.
    try reference(file.address, for: nil)
    let waits = try isSynchronous || file.Flags.load() & FileFlags.synchronous != 0
    let (status, _) = try await send(irp, to: device, waitingOn: waits ? file : nil)
    if io.issued[irp.address] == nil {
      try await dereference(file.address)
    } else {
      io.issued[irp.address]?.heldFile = file.address
    }
    return status
  }

  /// A user's buffer that is to be written: its range, and that every page of it can be stored to.
  package func probe(_ address: UInt64, _ length: UInt64) throws {
    try checkUserRange(address, length, 1)
    var place = address
    while place < address + length {
      try memory.memory.touch(.read, at: place)
      try memory.memory.touch(.write, at: place)
      place = (place & ~0xfff) + GuestMemory.pageSize
    }
  }

  // MARK: The user's side

  /// Room for the blocks that a system call of `process` takes by address, in a page of its own.
  public func userBlock(_ size: UInt64, in process: Process) throws -> UInt64 {
    var (page, used) = io.userBlocks[process.id] ?? (0, 0)
    if page == 0 {
      // Below the shared page, where XP puts thread environment blocks.
      page = 0x7ffd_e000
      while process.space[page].kind != .free { page -= GuestMemory.pageSize }
      try map(Page(.valid), pages: 1, at: page, in: process)
    }
    if used + size > GuestMemory.pageSize { used = 0 }
    io.userBlocks[process.id] = (page, used + (size + 7) & ~7)
    return page + used
  }

  /// `OBJECT_ATTRIBUTES` for `path` in memory of `process`, as its own code would have them.
  public func objectAttributes(_ path: String, in process: Process) throws -> UInt64 {
    let units = Array(path.utf16).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    let block = try userBlock(UInt64(0x20 + units.count), in: process)
    let head = words([0x18, 0, block + 0x18, 0x40, 0, 0, UInt64(units.count) | UInt64(units.count) << 16, block + 0x20])
    try store(head + units, at: block, in: process)
    return block
  }
}
