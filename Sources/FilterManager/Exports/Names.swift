import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Names of files.
  static let names: [Export] = [
    // nf-fltkernel-fltgetfilenameinformation
    export("FltGetFileNameInformation(CallbackData, NameOptions, FileNameInformation)", module: "fltMgr", irql: .apc) {
      (
        kernel, data: Pointer<FLT_CALLBACK_DATA>, options: UInt32, result: Pointer<Pointer<FLT_FILE_NAME_INFORMATION>>
      ) async throws -> NTSTATUS in
      try result.store(Pointer(0, in: kernel.memory.memory))
      guard let operation = try kernel.operation(data, in: "FltGetFileNameInformation") else { return .invalidParameter }
      if try operation.block.IrpFlags.load().contains(.pagingIO) { return .fltInvalidNameRequest }
      return try await kernel.answer(
        kernel.fileName(
          operation.block.TargetFileObject.load(), operation.volume, options,
          isPreCreate: operation.major == .create && operation.stage != .post, operation, for: operation.current), to: result)
    },
    // nf-fltkernel-fltgetfilenameinformationunsafe
    export(
      "FltGetFileNameInformationUnsafe(FileObject, Instance, NameOptions, FileNameInformation)", module: "fltMgr", irql: .apc
    ) {
      (
        kernel, file: Pointer<FILE_OBJECT>, instance: GuestWord, options: UInt32, result: Pointer<Pointer<FLT_FILE_NAME_INFORMATION>>
      ) async throws -> NTSTATUS in
      try result.store(Pointer(0, in: kernel.memory.memory))
      guard !file.isNull, let volume = try kernel.filterVolume(ofDevice: file.DeviceObject.load()) else { return .invalidParameter }
      // Of a file that is open, alone.
      guard try !file.FsContext.load().isNull else { return .invalidParameter }
      return try await kernel.answer(
        kernel.fileName(file, volume, options, isPreCreate: false, nil, for: kernel.instance(instance.bits)), to: result)
    },
    // nf-fltkernel-fltreferencefilenameinformation
    export("FltReferenceFileNameInformation(FileNameInformation)", module: "fltMgr", irql: .apc) {
      (kernel, name: Pointer<FLT_FILE_NAME_INFORMATION>) in
      if kernel.filterManager.names[name.address] == nil { _ = try name.Size.load() }
      kernel.filterManager.names[name.address]?.references += 1
    },
    // nf-fltkernel-fltreleasefilenameinformation
    export("FltReleaseFileNameInformation(FileNameInformation)", module: "fltMgr", irql: .apc) {
      (kernel, name: Pointer<FLT_FILE_NAME_INFORMATION>) in
      try kernel.releaseName(name)
    },
    // nf-fltkernel-fltparsefilenameinformation
    export("FltParseFileNameInformation(FileNameInformation)", module: "fltMgr", irql: .apc) {
      (kernel, name: Pointer<FLT_FILE_NAME_INFORMATION>) -> NTSTATUS in
      try kernel.parse(name)
    },
    // nf-fltkernel-fltparsefilename: the parts point into the name.
    export("FltParseFileName(FileName, Extension, Stream, FinalComponent)", module: "fltMgr", irql: .apc) {
      (
        kernel, name: Pointer<UNICODE_STRING>, suffix: Pointer<UNICODE_STRING>, stream: Pointer<UNICODE_STRING>,
        final: Pointer<UNICODE_STRING>
      ) -> NTSTATUS in
      let units = Array(try name.string().utf16)
      let parts = FileNameParts(units, volume: 0)
      let buffer = try name.Buffer.load().address
      for (range, string) in [(parts.extension, suffix), (parts.stream, stream), (parts.finalComponent, final)] where !string.isNull {
        try string.Length.store(UInt16(range.count * 2))
        try string.MaximumLength.store(UInt16(range.count * 2))
        try string.Buffer.store(Pointer(range.isEmpty ? 0 : buffer + UInt64(range.lowerBound * 2), in: kernel.memory.memory))
      }
      return .success
    },
    // nf-fltkernel-fltgetdestinationfilenameinformation
    export(
      "FltGetDestinationFileNameInformation(Instance, FileObject, RootDirectory, FileName, FileNameLength, "
        + "NameOptions, RetFileNameInformation)",
      module: "fltMgr", irql: .passive
    ) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, root: GuestWord, name: GuestWord, length: UInt32, options: UInt32,
        result: Pointer<Pointer<FLT_FILE_NAME_INFORMATION>>
      ) async throws -> NTSTATUS in
      try result.store(Pointer(0, in: kernel.memory.memory))
      guard let instance = try kernel.object(instance, Instance.self, in: "FltGetDestinationFileNameInformation") else {
        return .invalidParameter
      }
      guard length % 2 == 0, length <= 0xffff else { return .invalidParameter }
      let bytes = try kernel.memory.memory.bytes(Int(length), at: name.bits)
      let units = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
      return try await kernel.answer(
        kernel.destinationName(instance, file, root: root.bits, String(decoding: units, as: UTF16.self), options), to: result)
    },
    // nf-fltkernel-fltgettunneledname: on the way up the file system knows; the last component may be another than was foreseen.
    export("FltGetTunneledName(CallbackData, FileNameInformation, RetTunneledFileNameInformation)", module: "fltMgr", irql: .apc) {
      (
        kernel, data: Pointer<FLT_CALLBACK_DATA>, name: Pointer<FLT_FILE_NAME_INFORMATION>,
        result: Pointer<Pointer<FLT_FILE_NAME_INFORMATION>>
      ) -> NTSTATUS in
      try result.store(Pointer(0, in: kernel.memory.memory))
      guard let operation = try kernel.operation(data, in: "FltGetTunneledName") else { return .invalidParameter }
      guard let other = try kernel.tunneledName(operation, name) else { return .success }
      try result.store(other)
      return .success
    }
    .uncertain("a normalized name, of a create, a rename or a link that has come back from the file system, is all that it looks at"),
    // nf-fltkernel-fltcheckandgrownamecontrol
    export("FltCheckAndGrowNameControl(NameCtrl, NewSize)", module: "fltMgr", irql: .apc) {
      (kernel, control: Pointer<UNICODE_STRING>, size: UInt16) -> NTSTATUS in
      guard try control.MaximumLength.load() < size else { return .success }
      guard let block = try kernel.allocatePool(UInt64(size), tag: 0x6e46_4d46) else { return .insufficientResources }
      let old = try control.Buffer.load().address
      try kernel.memory.memory.write(kernel.memory.memory.bytes(Int(control.Length.load()), at: old), at: block)
      if kernel.isPoolBlock(old) { try kernel.freePool(old) }
      try control.Buffer.store(Pointer(block, in: kernel.memory.memory))
      try control.MaximumLength.store(size)
      return .success
    },
  ]
}

extension Kernel {
  /// The name that a file has got in the place of the one that `name` says; `nil` where that is still right.
  fileprivate func tunneledName(
    _ operation: Operation, _ name: Pointer<FLT_FILE_NAME_INFORMATION>
  ) throws -> Pointer<FLT_FILE_NAME_INFORMATION>? {
    guard let known = filterManager.names[name.address] else {
      _ = try name.Size.load()
      report(violation: "FltGetTunneledName is called with \(hex(name.address)), which is no file name information")
      return nil
    }
    let isNormalized = try name.Format.load() & 0xff == FileNameOptions.Format.normalized.rawValue
    guard isNormalized, operation.stage == .post, [.create, .setInformation].contains(operation.major),
      let path = try path(of: operation.block.TargetFileObject.load()), let slash = path.lastIndex(of: "\\")
    else { return nil }
    let (text, volume) = (String(decoding: known.units, as: UTF16.self), operation.volume.name)
    guard let place = text.lastIndex(of: "\\") else { return nil }
    let (foreseen, now) = (text[text.index(after: place)...], path[path.index(after: slash)...])
    // The case of a name is its owner's affair.
    guard foreseen.lowercased() != now.lowercased() else { return nil }
    return try makeName(String(text[...place]) + now, volume: volume, FileNameOptions.Format.normalized.rawValue)
  }

  func answer(
    _ name: Result<Pointer<FLT_FILE_NAME_INFORMATION>, Failure>, to result: Pointer<Pointer<FLT_FILE_NAME_INFORMATION>>
  ) throws -> NTSTATUS {
    switch name {
    case .failure(let failure): return failure.code
    case .success(let name):
      try result.store(name)
      return .success
    }
  }
}
