import Guest
import WindowsTypes

/// The system calls that ask a file or volume about itself, or change that.
extension Kernel {
  /// A request with a buffer that the I/O manager copies: `length` bytes at `buffer`, into the system's or back.
  private func exchange(
    _ arguments: RequestArguments, _ major: IRP_MJ, _ buffer: UInt64, _ length: UInt32, isQuery: Bool, access: [UInt32],
    _ prepare: (Pointer<IRP>, Pointer<IO_STACK_LOCATION>) throws -> Void
  ) async throws -> NTSTATUS {
    try await issue(arguments, major, access: access, buffers: [], isSynchronous: true) { irp, _ in
      if arguments.mode == .userMode {
        if isQuery {
          try self.probe(buffer, UInt64(length))
        } else {
          try self.checkUserRange(buffer, UInt64(length), 1)
        }
      }
      let here = self.memory.memory
      let system = try self.systemBuffer(length)
      try irp.AssociatedIrp.SystemBuffer.store(Pointer(system, in: here))
      var flags = try irp.Flags.load().union([.bufferedIO, .deallocateBuffer, .synchronousApi])
      if isQuery {
        try irp.UserBuffer.store(Pointer(buffer, in: here))
        flags.insert(.inputOperation)
      } else {
        try here.write(here.bytes(Int(length), at: buffer), at: system)
      }
      try irp.Flags.store(flags)
      let stack = try self.nextLocation(of: irp)
      try stack.MajorFunction.store(major)
      try prepare(irp, stack)
    }
  }

  /// `NtQueryInformationFile` (nf-ntifs-ntqueryinformationfile). Access, mode, alignment and the position of a synchronous file are
  /// the I/O manager's own to say.
  func queryInformation(
    _ arguments: RequestArguments, _ buffer: UInt64, _ length: UInt32, _ kind: UInt32
  ) async throws -> NTSTATUS {
    guard let size = FileInformationClass.fixedSizes[kind], !Self.directoryClasses.contains(kind), !Self.setOnly.contains(kind) else {
      return .invalidInfoClass
    }
    guard Int(length) >= size else { return .infoLengthMismatch }
    guard let entry = try entry(of: arguments.handle) else { return .invalidHandle }
    guard self.kind(of: entry.object) == .file else { return .objectTypeMismatch }
    let file = Pointer<FILE_OBJECT>(entry.object, in: memory.memory)
    var record = RecordBuilder()
    switch kind {
    case FileInformationClass.access: record.put(entry.grantedAccess)
    case FileInformationClass.mode: record.put(try mode(of: file))
    case FileInformationClass.alignment: record.put(try relatedDevice(of: file).AlignmentRequirement.load())
    case FileInformationClass.position where try file.Flags.load() & FileFlags.synchronous != 0:
      record.put(try file.CurrentByteOffset.QuadPart.load())
    default:
      let access: [UInt32] =
        [FileInformationClass.basic, FileInformationClass.all, FileInformationClass.networkOpen, FileInformationClass.attributeTag]
          .contains(kind) ? [FileAccess.readAttributes] : []
      let status = try await exchange(arguments, .queryInformation, buffer, length, isQuery: true, access: access) { _, stack in
        try stack.Parameters.QueryFile.Length.store(length)
        try stack.Parameters.QueryFile.FileInformationClass.store(kind)
      }
      if kind == FileInformationClass.all, status == .success || status == .bufferOverflow {
        let here = memory.memory
        try here.store(entry.grantedAccess, at: buffer + 0x4c)
        try here.store(mode(of: file), at: buffer + 0x58)
        try here.store(relatedDevice(of: file).AlignmentRequirement.load(), at: buffer + 0x5c)
      }
      return status
    }
    do {
      if arguments.mode == .userMode {
        try probe(arguments.block.address, 8)
        try probe(buffer, UInt64(length))
      }
      try memory.memory.write(record.bytes, at: buffer)
      try arguments.block.Information.store(GuestWord(UInt64(record.bytes.count)))
      try arguments.block.Status.store(.success)
    } catch let exception as GuestException { return exception.code }
    return .success
  }

  private static let directoryClasses: Set<UInt32> = [1, 2, 3, 12, 37, 38]
  private static let setOnly: Set<UInt32> = [10, 11, 13, 19, 20, 39]
  private static let queryOnly: Set<UInt32> = [5, 6, 7, 8, 9, 17, 18, 21, 22, 28, 34, 35]

  /// `FILE_MODE_INFORMATION`: the create options that the file object remembers.
  private func mode(of file: Pointer<FILE_OBJECT>) throws -> UInt32 {
    let flags = try file.Flags.load()
    var mode: UInt32 = 0
    if flags & FileFlags.writeThrough != 0 { mode |= CreateOptions.writeThrough }
    if flags & FileFlags.sequentialOnly != 0 { mode |= CreateOptions.sequentialOnly }
    if flags & FileFlags.noIntermediateBuffering != 0 { mode |= CreateOptions.noIntermediateBuffering }
    if flags & FileFlags.synchronous != 0 {
      mode |= flags & FileFlags.alertable != 0 ? CreateOptions.synchronousAlert : CreateOptions.synchronousNonAlert
    }
    if flags & FileFlags.deleteOnClose != 0 { mode |= CreateOptions.deleteOnClose }
    return mode
  }

  /// `NtSetInformationFile` (nf-ntifs-ntsetinformationfile).
  func setInformation(
    _ arguments: RequestArguments, _ buffer: UInt64, _ length: UInt32, _ kind: UInt32
  ) async throws -> NTSTATUS {
    guard let size = FileInformationClass.fixedSizes[kind], !Self.directoryClasses.contains(kind), !Self.queryOnly.contains(kind),
      kind != FileInformationClass.mode
    else { return .invalidInfoClass }
    guard Int(length) >= size else { return .infoLengthMismatch }
    guard let entry = try entry(of: arguments.handle) else { return .invalidHandle }
    guard self.kind(of: entry.object) == .file else { return .objectTypeMismatch }
    let file = Pointer<FILE_OBJECT>(entry.object, in: memory.memory)
    if kind == FileInformationClass.position, try file.Flags.load() & FileFlags.synchronous != 0 {
      do {
        if arguments.mode == .userMode {
          try probe(arguments.block.address, 8)
          try checkUserRange(buffer, UInt64(length), 1)
        }
        let position = try memory.memory.load(Int64.self, at: buffer)
        guard position >= 0 else { return .invalidParameter }
        try file.CurrentByteOffset.QuadPart.store(position)
        try arguments.block.Information.store(0)
        try arguments.block.Status.store(.success)
      } catch let exception as GuestException { return exception.code }
      return .success
    }
    if kind == FileInformationClass.rename || kind == FileInformationClass.link {
      return try await rename(arguments, file, buffer, length, kind)
    }
    let access: [UInt32] =
      switch kind {
      case FileInformationClass.basic: [FileAccess.writeAttributes]
      case FileInformationClass.disposition: [FileAccess.delete]
      case FileInformationClass.position: [FileAccess.readData, FileAccess.writeData]
      default: [FileAccess.writeData]
      }
    return try await set(arguments, buffer, length, kind, access: access) { _ in }
  }

  private func set(
    _ arguments: RequestArguments, _ buffer: UInt64, _ length: UInt32, _ kind: UInt32, access: [UInt32],
    _ prepare: (Pointer<IO_STACK_LOCATION_Parameters_SetFile>) throws -> Void
  ) async throws -> NTSTATUS {
    try await exchange(arguments, .setInformation, buffer, length, isQuery: false, access: access) { _, stack in
      try stack.Parameters.SetFile.Length.store(length)
      try stack.Parameters.SetFile.FileInformationClass.store(kind)
      try prepare(stack.Parameters.SetFile)
    }
  }

  /// `NtSetInformationFile` of a new name.
  private func rename(
    _ arguments: RequestArguments, _ file: Pointer<FILE_OBJECT>, _ buffer: UInt64, _ length: UInt32, _ kind: UInt32
  ) async throws -> NTSTATUS {
    do {
      if arguments.mode == .userMode { try checkUserRange(buffer, UInt64(length), 1) }
    } catch let exception as GuestException { return exception.code }
    return try await withRenameTarget(of: file, buffer, length) { target, replaces in
      // A link takes nothing away from the file.
      try await set(arguments, buffer, length, kind, access: kind == FileInformationClass.link ? [] : [FileAccess.delete]) {
        try $0.FileObject.store(target)
        try $0.ReplaceIfExists.store(replaces)
      }
    }
  }

  /// A rename or a link into another directory: whoever asks for it opens that first (irp-mj-set-information, FileRenameInformation).
  ///
  /// - Parameter send: gets the open directory, or null for the file's own, and `ReplaceIfExists`.
  package func withRenameTarget(
    of file: Pointer<FILE_OBJECT>, _ buffer: UInt64, _ length: UInt32,
    _ send: (Pointer<FILE_OBJECT>, _ replaces: UInt8) async throws -> NTSTATUS
  ) async throws -> NTSTATUS {
    let here = memory.memory
    let name: String
    let (root, replaces): (UInt64, UInt8)
    do {
      replaces = try here.load(UInt8.self, at: buffer)
      root = UInt64(try here.load(UInt32.self, at: buffer + 4))
      let size = try here.load(UInt32.self, at: buffer + 8)
      guard size > 0, size & 1 == 0, UInt64(size) + 12 <= UInt64(length) else { return .invalidParameter }
      let units = try (0..<UInt64(size / 2)).map { try here.load(UInt16.self, at: buffer + 12 + 2 * $0) }
      name = String(decoding: units, as: UTF16.self)
    } catch let exception as GuestException { return exception.code }
    guard name.hasPrefix("\\") || root != 0 else {
      if name.contains("\\") { return .objectNameInvalid }
      return try await send(Pointer(0, in: here), replaces)
    }
    var related: Pointer<FILE_OBJECT>?
    if root != 0 {
      guard let entry = try entry(of: root) else { return .invalidHandle }
      guard self.kind(of: entry.object) == .file else { return .objectTypeMismatch }
      related = Pointer(entry.object, in: here)
    }
    // FILE_WRITE_DATA | SYNCHRONIZE, shared; FILE_OPEN_FOR_BACKUP_INTENT; SL_OPEN_TARGET_DIRECTORY.
    let options = OpenOptions(access: 0x10_0002, share: 7, disposition: 1, options: 0x4000, mode: .kernelMode, stackFlags: 4)
    switch try await openFile(name, options, from: related) {
    case .failure(let refusal): return refusal.status
    case .success(let (target, information)):
      var status = NTSTATUS.notSameDevice
      if try relatedDevice(of: target) == relatedDevice(of: file) {
        // FILE_EXISTS
        status = information == 4 && replaces == 0 ? .objectNameCollision : try await send(target, replaces)
      }
      try await cleanUp(target)
      try await dereference(target.address)
      return status
    }
  }

  /// `NtQueryVolumeInformationFile` and `NtSetVolumeInformationFile` (nf-ntifs-ntqueryvolumeinformationfile).
  func volumeInformation(
    _ arguments: RequestArguments, _ buffer: UInt64, _ length: UInt32, _ kind: UInt32, isQuery: Bool
  ) async throws -> NTSTATUS {
    guard let size = VolumeInformationClass.fixedSizes[kind], isQuery == (kind != VolumeInformationClass.label) else {
      return .invalidInfoClass
    }
    guard Int(length) >= size else { return .infoLengthMismatch }
    // A device on which nothing is mounted tells its type by itself.
    if isQuery, kind == VolumeInformationClass.device, let entry = try entry(of: arguments.handle), self.kind(of: entry.object) == .file {
      let device = try Pointer<FILE_OBJECT>(entry.object, in: memory.memory).DeviceObject.load()
      if try device.Vpb.load().isNull {
        do {
          if arguments.mode == .userMode {
            try probe(arguments.block.address, 8)
            try probe(buffer, UInt64(length))
          }
          try memory.memory.store(device.DeviceType.load(), at: buffer)
          try memory.memory.store(device.Characteristics.load(), at: buffer + 4)
          try arguments.block.Information.store(8)
          try arguments.block.Status.store(.success)
        } catch let exception as GuestException { return exception.code }
        return .success
      }
    }
    let major: IRP_MJ = isQuery ? .queryVolumeInformation : .setVolumeInformation
    return try await exchange(
      arguments, major, buffer, length, isQuery: isQuery, access: isQuery ? [] : [FileAccess.writeData]
    ) { _, stack in
      try stack.Parameters.QueryVolume.Length.store(length)
      try stack.Parameters.QueryVolume.FsInformationClass.store(kind)
    }
  }

  /// `NtQueryDirectoryFile` (nf-ntifs-ntquerydirectoryfile): the file system writes into the caller's buffer itself.
  func queryDirectory(
    _ arguments: RequestArguments, _ buffer: UInt64, _ length: UInt32, _ kind: UInt32, isSingle: Bool,
    name: Pointer<UNICODE_STRING>, restarts: Bool
  ) async throws -> NTSTATUS {
    guard Self.directoryClasses.contains(kind), let size = FileInformationClass.fixedSizes[kind] else { return .invalidInfoClass }
    guard Int(length) >= size else { return .infoLengthMismatch }
    return try await issue(arguments, .directoryControl, access: [FileAccess.readData], buffers: [(buffer, length)]) { irp, device in
      if arguments.mode == .userMode { try self.probe(buffer, UInt64(length)) }
      let stack = try self.nextLocation(of: irp)
      try stack.MinorFunction.store(1)
      let flags: UInt8 = (restarts ? 1 : 0) | (isSingle ? 2 : 0)
      try stack.Flags.store(flags)
      let parameters = stack.Parameters.QueryDirectory
      try parameters.Length.store(length)
      try parameters.FileInformationClass.store(kind)
      if !name.isNull {
        // A copy of the pattern goes with the packet, in one block of pool.
        let text = try name.string()
        let here = self.memory.memory
        let copy = Pointer<UNICODE_STRING>(try self.systemBuffer(UInt32(8 + text.utf16.count * 2 + 2)), in: here)
        try copy.store(text, buffer: Pointer(copy.address + 8, in: here))
        try parameters.FileName.store(copy)
        try irp.Tail.Overlay.AuxiliaryBuffer.store(Pointer(copy.address, in: here))
      }
      try self.prepareOutput(irp, device, buffer, length, arguments.mode)
    }
  }

  /// The buffer of a request that the device writes into, by what it asks for: `DO_BUFFERED_IO`, `DO_DIRECT_IO`, or neither.
  func prepareOutput(
    _ irp: Pointer<IRP>, _ device: Pointer<DEVICE_OBJECT>, _ buffer: UInt64, _ length: UInt32, _ mode: KPROCESSOR_MODE
  ) throws {
    let wanted = try device.Flags.load()
    if wanted.contains(.directIO) { return try lock((buffer, length), for: irp, mode, .write) }
    try irp.UserBuffer.store(Pointer(buffer, in: memory.memory))
    guard wanted.contains(.bufferedIO) else { return }
    try irp.AssociatedIrp.SystemBuffer.store(Pointer(try systemBuffer(length), in: memory.memory))
    try irp.Flags.store(irp.Flags.load().union([.bufferedIO, .deallocateBuffer, .inputOperation]))
  }

  /// `NtFlushBuffersFile` (nf-ntifs-ntflushbuffersfile).
  func flush(_ arguments: RequestArguments) async throws -> NTSTATUS {
    try await issue(
      arguments, .flushBuffers, access: [FileAccess.writeData, FileAccess.appendData], buffers: [], isSynchronous: true
    ) { irp, _ in try irp.Flags.store(irp.Flags.load().union(.synchronousApi)) }
  }

  /// `NtLockFile` and `NtUnlockFile` (nf-ntifs-ntlockfile).
  func lock(
    _ arguments: RequestArguments, _ offset: Pointer<Int64>, _ length: Pointer<Int64>, key: UInt32, minor: UInt8, flags: UInt8
  ) async throws -> NTSTATUS {
    try await issue(
      arguments, .lockControl, access: [FileAccess.readData, FileAccess.writeData], buffers: [], isSynchronous: minor != 1
    ) { irp, _ in
      let here = self.memory.memory
      let stack = try self.nextLocation(of: irp)
      try stack.MinorFunction.store(minor)
      try stack.Flags.store(flags)
      let copy = try self.systemBuffer(8)
      try irp.Tail.Overlay.AuxiliaryBuffer.store(Pointer(copy, in: here))
      try here.store(length.load(), at: copy)
      let parameters = stack.Parameters.LockControl
      try parameters.Length.store(Pointer(copy, in: here))
      try parameters.Key.store(key)
      try parameters.ByteOffset.QuadPart.store(offset.load())
    }
  }
}
