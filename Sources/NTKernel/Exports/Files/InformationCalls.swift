import Guest
import WindowsTypes

extension Export {
  /// The system calls on files beside opening and transfers: for user mode, and for kernel mode.
  static let fileInformation: [Export] = [KPROCESSOR_MODE.userMode, .kernelMode].flatMap { mode in
    let isUser = mode == .userMode
    let prefix = isUser ? "Nt" : "Zw"
    @Sendable func origin(_ kernel: Kernel) throws -> KPROCESSOR_MODE { isUser ? try kernel.previousMode() : .kernelMode }
    @Sendable func arguments(_ kernel: Kernel, _ handle: GuestWord, _ block: Pointer<IO_STATUS_BLOCK>) throws -> Kernel.RequestArguments {
      .init(handle: handle.bits, event: 0, apcRoutine: 0, apcContext: 0, block: block, mode: try origin(kernel))
    }
    return [
      // nf-ntifs-ntqueryinformationfile
      export("\(prefix)QueryInformationFile(FileHandle, IoStatusBlock, FileInformation, Length, FileInformationClass)", irql: .passive) {
        (
          kernel, handle: GuestWord, block: Pointer<IO_STATUS_BLOCK>, buffer: GuestWord, length: UInt32, kind: UInt32
        ) async throws -> NTSTATUS in
        try await kernel.queryInformation(arguments(kernel, handle, block), buffer.bits, length, kind)
      }
      .partially("object identifiers, quotas, links, pipes and mailslots are unknown classes"),
      // nf-ntifs-ntsetinformationfile
      export("\(prefix)SetInformationFile(FileHandle, IoStatusBlock, FileInformation, Length, FileInformationClass)", irql: .passive) {
        (
          kernel, handle: GuestWord, block: Pointer<IO_STATUS_BLOCK>, buffer: GuestWord, length: UInt32, kind: UInt32
        ) async throws -> NTSTATUS in
        try await kernel.setInformation(arguments(kernel, handle, block), buffer.bits, length, kind)
      }
      .partially("hard links, completion ports and short names cannot be set"),
      // nf-ntifs-ntqueryvolumeinformationfile
      export(
        "\(prefix)QueryVolumeInformationFile(FileHandle, IoStatusBlock, FsInformation, Length, FsInformationClass)", irql: .passive
      ) {
        (
          kernel, handle: GuestWord, block: Pointer<IO_STATUS_BLOCK>, buffer: GuestWord, length: UInt32, kind: UInt32
        ) async throws -> NTSTATUS in
        try await kernel.volumeInformation(arguments(kernel, handle, block), buffer.bits, length, kind, isQuery: true)
      }
      .partially("quotas and driver paths are unknown classes, and a volume has no object identifier"),
      // nf-ntifs-ntsetvolumeinformationfile
      export(
        "\(prefix)SetVolumeInformationFile(FileHandle, IoStatusBlock, FsInformation, Length, FsInformationClass)", irql: .passive
      ) {
        (
          kernel, handle: GuestWord, block: Pointer<IO_STATUS_BLOCK>, buffer: GuestWord, length: UInt32, kind: UInt32
        ) async throws -> NTSTATUS in
        try await kernel.volumeInformation(arguments(kernel, handle, block), buffer.bits, length, kind, isQuery: false)
      }
      .partially("only the label can be set"),
      // nf-ntifs-ntflushbuffersfileex: NtFlushBuffersFile
      export("\(prefix)FlushBuffersFile(FileHandle, IoStatusBlock)", irql: .passive, isImportable: !isUser) {
        (kernel, handle: GuestWord, block: Pointer<IO_STATUS_BLOCK>) async throws -> NTSTATUS in
        try await kernel.flush(arguments(kernel, handle, block))
      },
      // nf-ntifs-ntquerydirectoryfile
      export(
        "\(prefix)QueryDirectoryFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, FileInformation, Length, FileInformationClass, ReturnSingleEntry, FileName, RestartScan)",
        irql: .passive
      ) {
        (
          kernel, handle: GuestWord, event: GuestWord, routine: GuestWord, context: GuestWord, block: Pointer<IO_STATUS_BLOCK>,
          buffer: GuestWord, length: UInt32, kind: UInt32, single: UInt8, name: Pointer<UNICODE_STRING>, restart: UInt8
        ) async throws -> NTSTATUS in
        try await kernel.queryDirectory(
          .init(
            handle: handle.bits, event: event.bits, apcRoutine: routine.bits, apcContext: context.bits, block: block,
            mode: origin(kernel)),
          buffer.bits, length, kind, isSingle: single != 0, name: name, restarts: restart != 0)
      }
      .partially("object identifiers, quotas and reparse points are unknown classes"),
      // nf-ntifs-ntfscontrolfile
      export(
        "\(prefix)FsControlFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, FsControlCode, InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength)",
        irql: .passive
      ) {
        (
          kernel, handle: GuestWord, event: GuestWord, routine: GuestWord, context: GuestWord, block: Pointer<IO_STATUS_BLOCK>,
          code: IOControlCode, input: GuestWord, inputLength: UInt32, output: GuestWord, outputLength: UInt32
        ) async throws -> NTSTATUS in
        try await kernel.control(
          .init(
            handle: handle.bits, event: event.bits, apcRoutine: routine.bits, apcContext: context.bits, block: block,
            mode: origin(kernel)),
          code, input: (input.bits, inputLength), output: (output.bits, outputLength), isFileSystem: true)
      }
      .callingAPCs(inUserMode: isUser),
      // nf-ntifs-ntlockfile
      export(
        "\(prefix)LockFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, ByteOffset, Length, Key, FailImmediately, ExclusiveLock)",
        irql: .passive
      ) {
        (
          kernel, handle: GuestWord, event: GuestWord, routine: GuestWord, context: GuestWord, block: Pointer<IO_STATUS_BLOCK>,
          offset: Pointer<Int64>, length: Pointer<Int64>, key: UInt32, fails: UInt8, exclusive: UInt8
        ) async throws -> NTSTATUS in
        try await kernel.lock(
          .init(
            handle: handle.bits, event: event.bits, apcRoutine: routine.bits, apcContext: context.bits, block: block,
            mode: origin(kernel)),
          offset, length, key: key, minor: 1, flags: (fails != 0 ? 1 : 0) | (exclusive != 0 ? 2 : 0))
      }
      .callingAPCs(inUserMode: isUser),
      // nf-ntifs-ntunlockfile
      export("\(prefix)UnlockFile(FileHandle, IoStatusBlock, ByteOffset, Length, Key)", irql: .passive) {
        (
          kernel, handle: GuestWord, block: Pointer<IO_STATUS_BLOCK>, offset: Pointer<Int64>, length: Pointer<Int64>, key: UInt32
        ) async throws -> NTSTATUS in
        try await kernel.lock(arguments(kernel, handle, block), offset, length, key: key, minor: 2, flags: 0)
      },
      // nf-wdm-zwqueryfullattributesfile
      export("\(prefix)QueryFullAttributesFile(ObjectAttributes, FileInformation)", irql: .passive, isImportable: !isUser) {
        (kernel, attributes: Pointer<OBJECT_ATTRIBUTES>, buffer: GuestWord) async throws -> NTSTATUS in
        try await kernel.queryAttributes(attributes, buffer.bits, FileInformationClass.networkOpen, size: 56, origin(kernel))
      },
      export("\(prefix)QueryAttributesFile(ObjectAttributes, FileInformation)", irql: .passive, isImportable: false) {
        (kernel, attributes: Pointer<OBJECT_ATTRIBUTES>, buffer: GuestWord) async throws -> NTSTATUS in
        try await kernel.queryAttributes(attributes, buffer.bits, FileInformationClass.basic, size: 40, origin(kernel))
      },
      // nf-ntifs-zwdeletefile
      export("\(prefix)DeleteFile(ObjectAttributes)", irql: .passive) {
        (kernel, attributes: Pointer<OBJECT_ATTRIBUTES>) async throws -> NTSTATUS in
        try await kernel.deleteFile(attributes, origin(kernel))
      },
    ]
  }

  /// What the run's own devices lead to.
  static let fileSystemInternals: [Export] = [
    export("IopFileSystemRequest(DeviceObject, Irp)", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.fileSystemRequest(device, irp)
    },
    export("IopStorageRequest(DeviceObject, Irp)", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.storageRequest(device, irp)
    },
  ]
}

extension Kernel {
  /// Opens a file for one purpose, in kernel mode, without a handle.
  private func openBriefly(
    _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ options: OpenOptions, _ body: (Pointer<FILE_OBJECT>) async throws -> NTSTATUS
  ) async throws -> NTSTATUS {
    let path: String
    let related: Pointer<FILE_OBJECT>?
    do {
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
    } catch let exception as GuestException { return exception.code }
    switch try await openFile(path, options, from: related) {
    case .failure(let refusal): return refusal.status
    case .success(let (file, _)):
      let status = try await body(file)
      try await cleanUp(file)
      try await dereference(file.address)
      return status
    }
  }

  /// `NtQueryFullAttributesFile` and `NtQueryAttributesFile`: opened for its attributes, asked, closed.
  func queryAttributes(
    _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ buffer: UInt64, _ kind: UInt32, size: UInt32, _ mode: KPROCESSOR_MODE
  ) async throws -> NTSTATUS {
    do { if mode == .userMode { try probe(buffer, UInt64(size)) } } catch let exception as GuestException { return exception.code }
    // FILE_READ_ATTRIBUTES, shared; FILE_OPEN_FOR_BACKUP_INTENT | FILE_OPEN_REPARSE_POINT
    return try await openBriefly(attributes, OpenOptions(access: 0x80, share: 7, options: 0x20_4000, mode: mode)) { file in
      let (status, record) = try await self.query(file, kind, size)
      guard status == .success else { return status }
      do { try self.memory.memory.write(record, at: buffer) } catch let exception as GuestException { return exception.code }
      return .success
    }
  }

  /// Asks a file about itself on behalf of the kernel: `IoQueryFileInformation` and its like.
  func query(_ file: Pointer<FILE_OBJECT>, _ kind: UInt32, _ length: UInt32) async throws -> (NTSTATUS, [UInt8]) {
    let here = memory.memory
    let top = try relatedDevice(of: file)
    let irp = try request(.queryInformation, to: top, of: file, mode: .kernelMode)
    let system = try allocate(UInt64(length))
    try irp.AssociatedIrp.SystemBuffer.store(Pointer(system, in: here))
    try irp.Flags.store([.bufferedIO, .synchronousApi, .deferIOCompletion])
    let parameters = try nextLocation(of: irp).Parameters.QueryFile
    try parameters.Length.store(length)
    try parameters.FileInformationClass.store(kind)
    let (status, information) = try await send(irp, to: top, waitingOn: file)
    let bytes = status.isFailure ? [] : try here.bytes(Int(min(information, UInt64(length))), at: system)
    _ = nonPagedPool.free(system)
    return (status, bytes)
  }

  /// `NtDeleteFile` (nf-ntifs-zwdeletefile): opened to be deleted when it is closed.
  func deleteFile(_ attributes: Pointer<OBJECT_ATTRIBUTES>, _ mode: KPROCESSOR_MODE) async throws -> NTSTATUS {
    // DELETE, shared; FILE_DELETE_ON_CLOSE | FILE_OPEN_FOR_BACKUP_INTENT
    try await openBriefly(attributes, OpenOptions(access: 0x1_0000, share: 7, options: 0x5000, mode: mode)) { _ in .success }
  }
}
