import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Files.
  static let files: [Export] = [
    // nf-fltkernel-fltcreatefile
    export(
      "FltCreateFile(Filter, Instance, FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, "
        + "AllocationSize, FileAttributes, ShareAccess, CreateDisposition, CreateOptions, EaBuffer, EaLength, Flags)",
      module: "fltMgr", irql: .passive
    ) {
      (
        kernel, filter: Pointer<FLT_FILTER>, instance: GuestWord, handle: GuestWord, access: GuestWord, attributes: GuestWord,
        block: GuestWord, allocation: GuestWord, fileAttributes: GuestWord, share: GuestWord, disposition: GuestWord,
        options: GuestWord, extended: GuestWord, extendedLength: GuestWord, flags: UInt32
      ) async throws -> NTSTATUS in
      guard try kernel.filter(filter, in: "FltCreateFile") != nil else { return .invalidParameter }
      return try await kernel.createFile(
        below: instance,
        [handle, access, attributes, block, allocation, fileAttributes, share, disposition, options, extended, extendedLength].map(\.bits))
    }
    .partially("Flags is not looked at"),
    // nf-fltkernel-fltcreatefileex: with a reference to the file object.
    export(
      "FltCreateFileEx(Filter, Instance, FileHandle, FileObject, DesiredAccess, ObjectAttributes, "
        + "IoStatusBlock, AllocationSize, FileAttributes, ShareAccess, CreateDisposition, CreateOptions, EaBuffer, "
        + "EaLength, Flags)",
      module: "fltMgr", irql: .passive
    ) {
      (
        kernel, filter: Pointer<FLT_FILTER>, instance: GuestWord, handle: GuestWord, file: Pointer<GuestWord>, access: GuestWord,
        attributes: GuestWord, block: GuestWord, allocation: GuestWord, fileAttributes: GuestWord, share: GuestWord,
        disposition: GuestWord, options: GuestWord, extended: GuestWord, extendedLength: GuestWord, flags: UInt32
      ) async throws -> NTSTATUS in
      guard try kernel.filter(filter, in: "FltCreateFileEx") != nil else { return .invalidParameter }
      let status = try await kernel.createFile(
        below: instance,
        [handle, access, attributes, block, allocation, fileAttributes, share, disposition, options, extended, extendedLength].map(\.bits))
      guard status.isSuccess, !file.isNull else { return status }
      let value = try Pointer<GuestWord>(handle.bits, in: kernel.memory.memory).load().bits
      if let object = try kernel.fileObject(ofHandle: value) {
        try kernel.reference(object.address, for: kernel.site())
        try file.store(GuestWord(object.address))
      }
      return status
    }
    .partially("Flags is not looked at"),
    // nf-fltkernel-fltcreatefileex2: with a reference to the file object.
    export(
      "FltCreateFileEx2(Filter, Instance, FileHandle, FileObject, DesiredAccess, ObjectAttributes, "
        + "IoStatusBlock, AllocationSize, FileAttributes, ShareAccess, CreateDisposition, CreateOptions, EaBuffer, "
        + "EaLength, Flags, DriverContext)",
      module: "fltMgr", irql: .passive
    ) {
      (
        kernel, filter: Pointer<FLT_FILTER>, instance: GuestWord, handle: GuestWord, file: Pointer<GuestWord>, access: GuestWord,
        attributes: GuestWord, block: GuestWord, allocation: GuestWord, fileAttributes: GuestWord, share: GuestWord,
        disposition: GuestWord, options: GuestWord, extended: GuestWord, extendedLength: GuestWord, flags: UInt32, context: GuestWord
      ) async throws -> NTSTATUS in
      guard try kernel.filter(filter, in: "FltCreateFileEx2") != nil else { return .invalidParameter }
      let status = try await kernel.createFile(
        below: instance,
        [handle, access, attributes, block, allocation, fileAttributes, share, disposition, options, extended, extendedLength].map(\.bits))
      guard status.isSuccess, !file.isNull else { return status }
      let value = try Pointer<GuestWord>(handle.bits, in: kernel.memory.memory).load().bits
      if let object = try kernel.fileObject(ofHandle: value) {
        try kernel.reference(object.address, for: kernel.site())
        try file.store(GuestWord(object.address))
      }
      return status
    }
    .partially("Flags and DriverContext are not looked at"),
    // nf-fltkernel-fltclose
    export("FltClose(FileHandle)", module: "fltMgr", irql: .passive) { (kernel, handle: GuestWord) async throws -> NTSTATUS in
      NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await kernel.call(kernel.trapAddress(of: "ZwClose"), [handle.bits])))
    },
    // nf-fltkernel-fltreadfile
    transferExport("FltReadFile", count: "BytesRead", isRead: true),
    // nf-fltkernel-fltwritefile
    transferExport("FltWriteFile", count: "BytesWritten", isRead: false),
    // nf-fltkernel-fltqueryinformationfile
    export(
      "FltQueryInformationFile(Instance, FileObject, FileInformation, Length, FileInformationClass, "
        + "LengthReturned)", module: "fltMgr",
      irql: .passive
    ) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, buffer: GuestWord, length: UInt32, type: UInt32,
        returned: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltQueryInformationFile") else { return .invalidParameter }
      let (status, information) = try await kernel.askBuffered(instance, file, .queryInformation, buffer.bits, length, type, isInput: false)
      if !returned.isNull { try returned.store(UInt32(truncatingIfNeeded: information)) }
      return status
    },
    // nf-fltkernel-fltsetinformationfile
    export(
      "FltSetInformationFile(Instance, FileObject, FileInformation, Length, FileInformationClass)", module: "fltMgr", irql: .passive
    ) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, buffer: GuestWord, length: UInt32, type: UInt32
      ) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltSetInformationFile") else { return .invalidParameter }
      // FileRenameInformation, FileLinkInformation
      guard type == 10 || type == 11 else {
        return try await kernel.askBuffered(instance, file, .setInformation, buffer.bits, length, type, isInput: true).status
      }
      // The directory of the new name is opened below the instance, too.
      return try await kernel.withPendingCreate(below: instance) {
        try await kernel.withRenameTarget(of: file, buffer.bits, length) { target, replaces in
          try await kernel.askBuffered(instance, file, .setInformation, buffer.bits, length, type, isInput: true) { stack in
            try stack.Parameters.SetFile.FileObject.store(target)
            try stack.Parameters.SetFile.ReplaceIfExists.store(replaces)
          }.status
        }
      }
    },
    // nf-fltkernel-fltqueryvolumeinformationfile
    export(
      "FltQueryVolumeInformationFile(Instance, FileObject, FsInformation, Length, FsInformationClass, "
        + "LengthReturned)", module: "fltMgr",
      irql: .passive
    ) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, buffer: GuestWord, length: UInt32, type: UInt32,
        returned: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltQueryVolumeInformationFile") else {
        return .invalidParameter
      }
      let (status, information) = try await kernel.askBuffered(
        instance, file, .queryVolumeInformation, buffer.bits, length, type, isInput: false)
      if !returned.isNull { try returned.store(UInt32(truncatingIfNeeded: information)) }
      return status
    },
    // nf-fltkernel-fltfscontrolfile
    export(
      "FltFsControlFile(Instance, FileObject, FsControlCode, InputBuffer, InputBufferLength, OutputBuffer, "
        + "OutputBufferLength, LengthReturned)",
      module: "fltMgr", irql: .passive
    ) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, code: UInt32, input: GuestWord, inputLength: UInt32,
        output: GuestWord, outputLength: UInt32, returned: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      try await kernel.control(
        instance, file, .fileSystemControl, code, input: (input.bits, inputLength), output: (output.bits, outputLength), returned,
        in: "FltFsControlFile")
    },
    // nf-fltkernel-fltdeviceiocontrolfile
    export(
      "FltDeviceIoControlFile(Instance, FileObject, IoControlCode, InputBuffer, InputBufferLength, "
        + "OutputBuffer, OutputBufferLength, LengthReturned)",
      module: "fltMgr", irql: .passive
    ) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, code: UInt32, input: GuestWord, inputLength: UInt32,
        output: GuestWord, outputLength: UInt32, returned: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      try await kernel.control(
        instance, file, .deviceControl, code, input: (input.bits, inputLength), output: (output.bits, outputLength), returned,
        in: "FltDeviceIoControlFile")
    },
    // nf-fltkernel-fltflushbuffers
    export("FltFlushBuffers(Instance, FileObject)", module: "fltMgr", irql: .passive) {
      (kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltFlushBuffers") else { return .invalidParameter }
      return try await kernel.ask(instance, file, .flushBuffers) { _, _ in }.status
    },
    // nf-fltkernel-fltquerydirectoryfile
    export(
      "FltQueryDirectoryFile(Instance, FileObject, FileInformation, Length, FileInformationClass, "
        + "ReturnSingleEntry, FileName, RestartScan, LengthReturned)",
      module: "fltMgr", irql: .passive
    ) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, buffer: GuestWord, length: UInt32, type: UInt32, single: UInt8,
        name: GuestWord, restart: UInt8, returned: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltQueryDirectoryFile") else { return .invalidParameter }
      let (status, information) = try await kernel.ask(instance, file, .directoryControl) { irp, stack in
        // IRP_MN_QUERY_DIRECTORY; SL_RESTART_SCAN, SL_RETURN_SINGLE_ENTRY.
        try stack.MinorFunction.store(1)
        try stack.Flags.store((restart != 0 ? 1 : 0) | (single != 0 ? 2 : 0))
        let parameters = stack.Parameters.cast(to: UInt32.self)
        for (index, value) in [UInt64(length), name.bits, UInt64(type), 0].enumerated() {
          try parameters[index].store(UInt32(truncatingIfNeeded: value))
        }
        try irp.UserBuffer.store(Pointer(buffer.bits, in: kernel.memory.memory))
      }
      if !returned.isNull { try returned.store(UInt32(truncatingIfNeeded: information)) }
      return status
    },
    // nf-fltkernel-fltisdirectory: of a file that is open.
    export("FltIsDirectory(FileObject, Instance, IsDirectory)", module: "fltMgr", irql: .passive) {
      (kernel, file: Pointer<FILE_OBJECT>, instance: Pointer<Void>, result: Pointer<UInt8>) async throws -> NTSTATUS in
      guard try kernel.object(instance, Instance.self, in: "FltIsDirectory") != nil else { return .invalidParameter }
      guard let isDirectory = try kernel.isDirectory(file) else { return .invalidParameter }
      try result.store(isDirectory ? 1 : 0)
      return .success
    },
    // nf-fltkernel-fltcancelfileopen: of a file that the file system has opened and nobody has a handle to.
    export("FltCancelFileOpen(Instance, FileObject)", module: "fltMgr", irql: .passive) {
      (kernel, pointer: Pointer<Void>, file: Pointer<FILE_OBJECT>) async throws in
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltCancelFileOpen") else { return }
      // FO_HANDLE_CREATED. FLTMGR_FILE_SYSTEM, 6A: handles have been made.
      if try file.Flags.load() & 0x4_0000 != 0 {
        kernel.report(violation: "FltCancelFileOpen is called for a file that has handles")
        throw BugCheck(BugCheckCode(rawValue: 0xf5), 0x6a, file.address, 0, 0)
      }
      for major in [IRP_MJ.cleanup, .close] { _ = try await kernel.ask(instance, file, major) { _, _ in } }
      // FO_FILE_OPEN_CANCELLED
      try file.Flags.store(file.Flags.load() | 0x20_0000)
    },
    // nf-fltkernel-fltallocatecallbackdata
    export("FltAllocateCallbackData(Instance, FileObject, RetNewCallbackData)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, file: Pointer<FILE_OBJECT>, result: Pointer<Pointer<FLT_CALLBACK_DATA>>) -> NTSTATUS in
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltAllocateCallbackData") else { return .invalidParameter }
      try result.store(kernel.allocateCallbackData(instance, file).data)
      return .success
    },
    // nf-fltkernel-fltfreecallbackdata
    export("FltFreeCallbackData(CallbackData)", module: "fltMgr", irql: .apc) { (kernel, data: Pointer<FLT_CALLBACK_DATA>) in
      guard let operation = try kernel.operation(data, in: "FltFreeCallbackData") else { return }
      guard operation.initiator != nil else { return kernel.report(violation: "FltFreeCallbackData is called for an operation of others") }
      kernel.unregister(Kernel.callbackDataKind, data.address)
      kernel.release(operation)
    },
    // nf-fltkernel-fltreusecallbackdata
    export("FltReuseCallbackData(CallbackData)", module: "fltMgr", irql: .apc) { (kernel, data: Pointer<FLT_CALLBACK_DATA>) in
      guard let operation = try kernel.operation(data, in: "FltReuseCallbackData"), let instance = operation.initiator else { return }
      let block = operation.block
      let file = try block.TargetFileObject.load()
      try kernel.memory.memory.fill(0, count: Int(Operation.relatedOffset - Operation.blockOffset), at: block.address)
      try block.TargetFileObject.store(file)
      try block.TargetInstance.store(instance.object.cast())
      try data.IoStatus.Status.store(.success)
      try data.IoStatus.Information.store(0)
    },
    // nf-fltkernel-fltperformsynchronousio
    export("FltPerformSynchronousIo(CallbackData)", module: "fltMgr", irql: .apc) {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>) async throws in
      guard let operation = try kernel.operation(data, in: "FltPerformSynchronousIo"), operation.initiator != nil else { return }
      try await kernel.perform(operation)
    },
    // nf-fltkernel-fltperformasynchronousio
    export("FltPerformAsynchronousIo(CallbackData, CallbackRoutine, CallbackContext)", module: "fltMgr", irql: .apc) {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>, routine: GuestWord, context: GuestWord) async throws -> NTSTATUS in
      guard let operation = try kernel.operation(data, in: "FltPerformAsynchronousIo"), operation.initiator != nil, routine.bits != 0
      else { return .invalidParameter }
      return try await kernel.performLate(operation, routine.bits, context.bits)
    },
    // nf-fltkernel-fltallocatepoolalignedwithtag: pool of the run is aligned as any device here asks.
    export("FltAllocatePoolAlignedWithTag(Instance, PoolType, NumberOfBytes, Tag)", module: "fltMgr", irql: .dispatch) {
      (kernel, instance: Pointer<Void>, pool: UInt32, size: GuestWord, tag: UInt32) -> Pointer<Void> in
      guard try kernel.object(instance, Instance.self, in: "FltAllocatePoolAlignedWithTag") != nil else {
        return Pointer(0, in: kernel.memory.memory)
      }
      return Pointer(try kernel.allocatePool(max(1, size.bits), tag: tag, paged: pool & 1 != 0) ?? 0, in: kernel.memory.memory)
    },
    // nf-fltkernel-fltfreepoolalignedwithtag
    export("FltFreePoolAlignedWithTag(Instance, Buffer, Tag)", module: "fltMgr", irql: .dispatch) {
      (kernel, instance: Pointer<Void>, buffer: GuestWord, tag: UInt32) in
      try kernel.freePool(buffer.bits)
    },
    // nf-fltkernel-fltcreatesystemvolumeinformationfolder
    export("FltCreateSystemVolumeInformationFolder(Instance)", module: "fltMgr", irql: .passive) {
      (kernel, pointer: Pointer<Void>) async throws -> NTSTATUS in
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltCreateSystemVolumeInformationFolder") else {
        return .invalidParameter
      }
      if instance.volume.volume.isReadOnly { return .mediaWriteProtected }
      return try await kernel.makeSystemVolumeInformation(instance)
    }
    .partially("the folder gets no security descriptor"),
  ]
}

extension Kernel {
  /// A filter's own control request, by the handle that `routine` was given: its status, with the length of the answer stored.
  fileprivate func control(
    _ instance: Pointer<Void>, _ file: Pointer<FILE_OBJECT>, _ major: IRP_MJ, _ code: UInt32, input: (UInt64, UInt32),
    output: (UInt64, UInt32), _ returned: Pointer<UInt32>, in routine: String
  ) async throws -> NTSTATUS {
    guard let instance = try object(instance, Instance.self, in: routine) else { return .invalidParameter }
    let (status, information) = try await control(
      instance, file, major, IOControlCode(rawValue: code), input: input, output: output)
    if !returned.isNull { try returned.store(UInt32(truncatingIfNeeded: information)) }
    return status
  }
}

/// `FltReadFile` and `FltWriteFile`, which differ in the direction alone.
private func transferExport(_ name: String, count: String, isRead: Bool) -> Export {
  export(
    "\(name)(InitiatingInstance, FileObject, ByteOffset, Length, Buffer, Flags, \(count), CallbackRoutine, CallbackContext)",
    module: "fltMgr", irql: .passive
  ) {
    (
      kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, offset: Pointer<Int64>, length: UInt32, buffer: GuestWord,
      flags: UInt32, count: Pointer<UInt32>, routine: GuestWord, context: GuestWord
    ) async throws -> NTSTATUS in
    guard let instance = try kernel.object(instance, Instance.self, in: name) else { return .invalidParameter }
    if routine.bits != 0 {
      return try await kernel.transferLate(
        instance, file, isRead: isRead, (buffer.bits, length), offset: offset, flags: flags, routine.bits, context.bits)
    }
    let (status, information) = try await kernel.transfer(
      instance, file, isRead: isRead, (buffer.bits, length), offset: offset, flags: flags)
    if !count.isNull { try count.store(UInt32(truncatingIfNeeded: information)) }
    return status
  }
}
