import Guest
import WindowsTypes

extension Export {
  /// Files and the requests that a handle to one takes: for user mode, and for kernel mode.
  static let files: [Export] =
    createCalls + transferCalls + [
      // nf-ntifs-ntdeviceiocontrolfile
      control("NtDeviceIoControlFile") { try $0.previousMode() },
      control("ZwDeviceIoControlFile") { _ in .kernelMode },
      // nf-ntifs-ntclose
      export("NtClose(Handle)", irql: .passive) { (kernel, handle: GuestWord) async throws -> NTSTATUS in
        try await kernel.close(handle.bits)
      },
      export("ZwClose(Handle)", irql: .passive) { (kernel, handle: GuestWord) async throws -> NTSTATUS in
        try await kernel.close(handle.bits)
      },
    ]

  private static let createCalls: [Export] = [
    // nf-ntifs-ntcreatefile
    create("NtCreateFile") { try $0.previousMode() },
    create("ZwCreateFile") { _ in .kernelMode },
    // nf-ntifs-ntopenfile
    open("NtOpenFile") { try $0.previousMode() },
    open("ZwOpenFile") { _ in .kernelMode },
    // nf-ntddk-iocreatefile
    export(
      "IoCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize, FileAttributes, ShareAccess, Disposition, CreateOptions, EaBuffer, EaLength, CreateFileType, InternalParameters, Options)",
      irql: .passive
    ) {
      (
        kernel, handle: Pointer<Pointer<Void>>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>,
        block: Pointer<IO_STATUS_BLOCK>, allocation: Pointer<Int64>, fileAttributes: UInt32, share: UInt32, disposition: UInt32,
        options: UInt32, extended: Pointer<Void>, extendedLength: UInt32, type: UInt32, parameters: Pointer<Void>, flags: UInt32
      ) async throws -> NTSTATUS in
      // IO_NO_PARAMETER_CHECKING: the parameters are the kernel's own.
      let mode = flags & 0x100 != 0 ? .kernelMode : try kernel.previousMode()
      return try await kernel.createFile(
        handle, attributes, block,
        .init(
          access: access, fileAttributes: fileAttributes, share: share, disposition: disposition, options: options, mode: mode,
          isChecked: flags & 0x200 != 0, allocation: allocation, extendedAttributes: (extended.address, extendedLength)))
    }
    .partially("the run's own volumes keep no extended attributes; pipes and mailslots are not modelled"),
  ]

  private static func create(_ name: String, _ mode: @escaping @Sendable (Kernel) throws -> KPROCESSOR_MODE) -> Export {
    export(
      "\(name)(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize, FileAttributes, ShareAccess, CreateDisposition, CreateOptions, EaBuffer, EaLength)",
      irql: .passive
    ) {
      (
        kernel, handle: Pointer<Pointer<Void>>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>,
        block: Pointer<IO_STATUS_BLOCK>, allocation: Pointer<Int64>, fileAttributes: UInt32, share: UInt32, disposition: UInt32,
        options: UInt32, extended: Pointer<Void>, extendedLength: UInt32
      ) async throws -> NTSTATUS in
      try await kernel.createFile(
        handle, attributes, block,
        .init(
          access: access, fileAttributes: fileAttributes, share: share, disposition: disposition, options: options,
          mode: mode(kernel), allocation: allocation, extendedAttributes: (extended.address, extendedLength)))
    }
    .partially("the run's own volumes keep no extended attributes")
  }

  private static func open(_ name: String, _ mode: @escaping @Sendable (Kernel) throws -> KPROCESSOR_MODE) -> Export {
    export("\(name)(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, ShareAccess, OpenOptions)", irql: .passive) {
      (
        kernel, handle: Pointer<Pointer<Void>>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>,
        block: Pointer<IO_STATUS_BLOCK>, share: UInt32, options: UInt32
      ) async throws -> NTSTATUS in
      try await kernel.createFile(
        handle, attributes, block, .init(access: access, share: share, options: options, mode: mode(kernel)))
    }
  }

  private static let transferCalls: [Export] = [
    // nf-ntifs-ntreadfile
    transfer("NtReadFile", isRead: true) { try $0.previousMode() },
    transfer("ZwReadFile", isRead: true) { _ in .kernelMode },
    // nf-ntifs-ntwritefile
    transfer("NtWriteFile", isRead: false) { try $0.previousMode() },
    transfer("ZwWriteFile", isRead: false) { _ in .kernelMode },
  ]

  private static func transfer(
    _ name: String, isRead: Bool, _ mode: @escaping @Sendable (Kernel) throws -> KPROCESSOR_MODE
  ) -> Export {
    export(
      "\(name)(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, Buffer, Length, ByteOffset, Key)", irql: .passive
    ) {
      (
        kernel, handle: GuestWord, event: GuestWord, routine: GuestWord, context: GuestWord, block: Pointer<IO_STATUS_BLOCK>,
        buffer: GuestWord, length: UInt32, offset: Pointer<Int64>, key: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      try await kernel.transfer(
        .init(
          handle: handle.bits, event: event.bits, apcRoutine: routine.bits, apcContext: context.bits, block: block,
          mode: mode(kernel)),
        isRead: isRead, (buffer.bits, length), offset: offset, key: key)
    }
    .callingAPCs(inUserMode: name.hasPrefix("Nt"))
  }

  private static func control(_ name: String, _ mode: @escaping @Sendable (Kernel) throws -> KPROCESSOR_MODE) -> Export {
    export(
      "\(name)(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, IoControlCode, InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength)",
      irql: .passive
    ) {
      (
        kernel, handle: GuestWord, event: GuestWord, routine: GuestWord, context: GuestWord, block: Pointer<IO_STATUS_BLOCK>,
        code: IOControlCode, input: GuestWord, inputLength: UInt32, output: GuestWord, outputLength: UInt32
      ) async throws -> NTSTATUS in
      try await kernel.control(
        .init(
          handle: handle.bits, event: event.bits, apcRoutine: routine.bits, apcContext: context.bits, block: block,
          mode: mode(kernel)),
        code, input: (input.bits, inputLength), output: (output.bits, outputLength))
    }
    .callingAPCs(inUserMode: name.hasPrefix("Nt"))
  }
}
