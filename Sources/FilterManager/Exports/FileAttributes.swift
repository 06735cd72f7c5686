import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Reparse points, extended attributes and file contexts.
  static let fileAttributes: [Export] = [
    // nf-fltkernel-flttagfile
    export("FltTagFile(InitiatingInstance, FileObject, FileTag, Guid, DataBuffer, DataBufferLength)", module: "fltMgr", irql: .passive) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, tag: UInt32, guid: GuestWord, data: GuestWord, length: UInt16
      ) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltTagFile") else { return .invalidParameter }
      let bytes = length == 0 ? [] : try kernel.memory.memory.bytes(Int(length), at: data.bits)
      return try await kernel.sendReparsePoint(instance, file, 0x9_00a4, tag, guid.bits, bytes)
    },
    // nf-fltkernel-fltuntagfile
    export("FltUntagFile(InitiatingInstance, FileObject, FileTag, Guid)", module: "fltMgr", irql: .passive) {
      (kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, tag: UInt32, guid: GuestWord) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltUntagFile") else { return .invalidParameter }
      return try await kernel.sendReparsePoint(instance, file, 0x9_00ac, tag, guid.bits, [])
    },
    // nf-fltkernel-fltqueryeafile
    export(
      "FltQueryEaFile(Instance, FileObject, ReturnedEaData, Length, ReturnSingleEntry, EaList, EaListLength, EaIndex, RestartScan, "
        + "LengthReturned)",
      module: "fltMgr", irql: .passive
    ) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, buffer: GuestWord, length: UInt32, single: UInt8, list: GuestWord,
        listLength: UInt32, index: Pointer<UInt32>, restart: UInt8, returned: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltQueryEaFile") else { return .invalidParameter }
      let hasList = list.bits != 0 && listLength > 0
      let start = try hasList || index.isNull ? 0 : index.load()
      let result = try await kernel.ask(instance, file, .queryEa) { irp, stack in
        // SL_RESTART_SCAN, SL_RETURN_SINGLE_ENTRY, SL_INDEX_SPECIFIED
        try stack.Flags.store((restart != 0 ? 1 : 0) | (single != 0 ? 2 : 0) | (!hasList && !index.isNull ? 4 : 0))
        let parameters = stack.Parameters.QueryEa
        try parameters.Length.store(length)
        if hasList { try parameters.EaList.store(Pointer(list.bits, in: kernel.memory.memory)) }
        try parameters.EaListLength.store(hasList ? listLength : 0)
        try parameters.EaIndex.store(start)
        try irp.UserBuffer.store(Pointer(buffer.bits, in: kernel.memory.memory))
      }
      if !returned.isNull { try returned.store(UInt32(truncatingIfNeeded: result.information)) }
      return result.status
    },
    // nf-fltkernel-fltseteafile
    export("FltSetEaFile(Instance, FileObject, EaBuffer, Length)", module: "fltMgr", irql: .passive) {
      (kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, buffer: GuestWord, length: UInt32) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltSetEaFile") else { return .invalidParameter }
      return try await kernel.ask(instance, file, .setEa) { irp, stack in
        try stack.Parameters.SetEa.Length.store(length)
        try irp.UserBuffer.store(Pointer(buffer.bits, in: kernel.memory.memory))
      }.status
    },
    // nf-fltkernel-fltsupportsfilecontexts: FAT has one stream a file, and leaves file contexts to the filter manager.
    export("FltSupportsFileContexts(FileObject)", module: "fltMgr", irql: .apc) { (kernel, file: Pointer<FILE_OBJECT>) -> UInt8 in
      try kernel.supportsFileContexts(file) && kernel.keepsFileContexts(file) ? 1 : 0
    },
    // nf-fltkernel-fltsupportsfilecontextsex
    export("FltSupportsFileContextsEx(FileObject, Instance)", module: "fltMgr", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, instance: GuestWord) -> UInt8 in
      guard try kernel.supportsFileContexts(file) else { return 0 }
      if instance.bits != 0, kernel.instance(instance.bits) != nil { return 1 }
      return try kernel.keepsFileContexts(file) ? 1 : 0
    },
  ]
}

extension Kernel {
  /// Sets or deletes a reparse point (fsctl-set-reparse-point, fsctl-delete-reparse-point).
  fileprivate func sendReparsePoint(
    _ instance: Instance, _ file: Pointer<FILE_OBJECT>, _ code: UInt32, _ tag: UInt32, _ guid: UInt64, _ data: [UInt8]
  ) async throws -> NTSTATUS {
    let isMicrosofts = tag & 0x8000_0000 != 0
    if !isMicrosofts, guid == 0 { return .invalidParameter }
    let length = UInt16(data.count)
    var bytes = (0..<4).map { UInt8(truncatingIfNeeded: tag >> (8 * $0)) } + [UInt8(length & 0xff), UInt8(length >> 8), 0, 0]
    if !isMicrosofts { bytes += try memory.memory.bytes(16, at: guid) }
    bytes += data
    let block = try allocate(UInt64(bytes.count))
    defer { free(block) }
    try memory.memory.write(bytes, at: block)
    return try await control(
      instance, file, .fileSystemControl, IOControlCode(rawValue: code), input: (block, UInt32(bytes.count)), output: (0, 0)
    ).status
  }

  // MARK: File contexts

  /// Whether a file can have contexts of its own, beside those of its streams: from Windows Vista on.
  func supportsFileContexts(_ file: Pointer<FILE_OBJECT>) throws -> Bool {
    guard memory.target.system.release >= .windows7 else { return false }
    return try supportsContexts(file)
  }

  /// Whether the file system itself keeps them: one whose files have several streams.
  fileprivate func keepsFileContexts(_ file: Pointer<FILE_OBJECT>) throws -> Bool {
    try filterVolume(ofDevice: file.DeviceObject.load())?.volume.kind == .ntfs
  }
}
