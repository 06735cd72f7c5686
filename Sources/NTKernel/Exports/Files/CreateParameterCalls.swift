import Guest
import WindowsTypes

/// In front of an extra create parameter's context: whose it is, and how it is freed. Opaque to drivers.
struct ECP_HEADER: GuestStructure {
  static let name = "_ECP_HEADER"
  let Signature: Field<UInt32>
  let Flags: Field<UInt32>
  let ListEntry: Field<LIST_ENTRY>
  let EcpType: Field<UInt64>
  let CleanupCallback: Field<Pointer<Void>>
  let Size: Field<UInt32>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x28,
      ECP_HEADER(Signature: 0x00, Flags: 0x04, ListEntry: 0x08, EcpType: 0x10, CleanupCallback: 0x20, Size: 0x24)
    ))

  /// `EcpH`
  static let signature: UInt32 = 0x4870_6345
  static let acknowledged: UInt32 = 1
  static let fromUserMode: UInt32 = 2
}

/// A list of extra create parameters. Opaque to drivers.
struct ECP_LIST: GuestStructure {
  static let name = "_ECP_LIST"
  let Signature: Field<UInt32>
  let Flags: Field<UInt32>
  let EcpList: Field<LIST_ENTRY>

  static let layouts = Layouts((.windowsXP_x86, 0x10, ECP_LIST(Signature: 0x00, Flags: 0x04, EcpList: 0x08)))

  /// `EcpL`
  static let signature: UInt32 = 0x4c70_6345
}

extension Export {
  /// Extra create parameters: what drivers tell each other with a create.
  static let createParameterCalls: [Export] = [
    // nf-ntifs-fsrtlallocateextracreateparameterlist
    export("FsRtlAllocateExtraCreateParameterList(Flags, EcpList)", irql: .apc) {
      (kernel, flags: UInt32, result: Pointer<Pointer<ECP_LIST>>) -> NTSTATUS in
      try result.store(Pointer(0, in: kernel.memory.memory))
      guard let block = try kernel.pagedPool.allocate(0x10, tag: ECP_LIST.signature, in: kernel.memory) else {
        return .insufficientResources
      }
      let list = Pointer<ECP_LIST>(block, in: kernel.memory.memory)
      try list.Signature.store(ECP_LIST.signature)
      try list.EcpList.initialize()
      try result.store(list)
      return .success
    },
    // nf-ntifs-fsrtlfreeextracreateparameterlist: with what is in it.
    export("FsRtlFreeExtraCreateParameterList(EcpList)", irql: .apc) { (kernel, list: Pointer<ECP_LIST>) async throws in
      for header in try list.headers() { try await kernel.freeParameter(header) }
      try kernel.freePool(list.address)
    },
    // nf-ntifs-fsrtlallocateextracreateparameter: FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL is 2.
    export("FsRtlAllocateExtraCreateParameter(EcpType, SizeOfContext, Flags, CleanupCallback, PoolTag, EcpContext)", irql: .apc) {
      (
        kernel, type: Pointer<UInt64>, size: UInt32, flags: UInt32, cleanup: Pointer<Void>, tag: UInt32, result: Pointer<GuestWord>
      ) -> NTSTATUS in
      try result.store(0)
      let here = kernel.memory.memory
      let head = UInt64(Pointer<ECP_HEADER>.size(in: here))
      guard size <= 1 << 24 else { return .insufficientResources }
      let total = head + UInt64(size)
      let block =
        flags & 2 != 0
        ? try kernel.nonPagedPool.allocate(total, tag: tag, in: kernel.memory)
        : try kernel.pagedPool.allocate(total, tag: tag, in: kernel.memory)
      guard let block else { return .insufficientResources }
      let header = Pointer<ECP_HEADER>(block, in: here)
      try header.Signature.store(ECP_HEADER.signature)
      try header.ListEntry.initialize()
      try here.write(here.bytes(16, at: type.address), at: header.EcpType.address)
      try header.CleanupCallback.store(cleanup)
      try header.Size.store(size)
      try result.store(GuestWord(block + head))
      return .success
    },
    // nf-ntifs-fsrtlfreeextracreateparameter: its cleanup routine is called first.
    export("FsRtlFreeExtraCreateParameter(EcpContext)", irql: .apc) { (kernel, context: GuestWord) async throws in
      try await kernel.freeParameter(kernel.header(ofContext: context.bits))
    },
    // nf-ntifs-fsrtlinsertextracreateparameter: one of a type.
    export("FsRtlInsertExtraCreateParameter(EcpList, EcpContext)", irql: .apc) {
      (kernel, list: Pointer<ECP_LIST>, context: GuestWord) -> NTSTATUS in
      let header = kernel.header(ofContext: context.bits)
      guard try header.Signature.load() == ECP_HEADER.signature, try list.find(header.type()) == nil else { return .invalidParameter }
      try list.EcpList.insertTail(header.ListEntry)
      return .success
    },
    // nf-ntifs-fsrtlfindextracreateparameter
    export("FsRtlFindExtraCreateParameter(EcpList, EcpType, EcpContext, EcpContextSize)", irql: .apc) {
      (
        kernel, list: Pointer<ECP_LIST>, type: GuestWord, context: Pointer<GuestWord>, size: Pointer<UInt32>
      ) -> NTSTATUS in
      let found = try list.find(kernel.memory.memory.bytes(16, at: type.bits))
      try found.store(context, size)
      return found == nil ? .notFound : .success
    },
    // nf-ntifs-fsrtlremoveextracreateparameter: it is the caller's then.
    export("FsRtlRemoveExtraCreateParameter(EcpList, EcpType, EcpContext, EcpContextSize)", irql: .apc) {
      (
        kernel, list: Pointer<ECP_LIST>, type: GuestWord, context: Pointer<GuestWord>, size: Pointer<UInt32>
      ) -> NTSTATUS in
      let found = try list.find(kernel.memory.memory.bytes(16, at: type.bits))
      try found.store(context, size)
      guard let found else { return .notFound }
      try found.ListEntry.remove()
      try found.ListEntry.initialize()
      return .success
    },
    // nf-ntifs-fsrtlgetnextextracreateparameter: the first behind NULL.
    export("FsRtlGetNextExtraCreateParameter(EcpList, CurrentEcpContext, NextEcpType, NextEcpContext, NextEcpContextSize)", irql: .apc) {
      (
        kernel, list: Pointer<ECP_LIST>, current: GuestWord, type: GuestWord, context: Pointer<GuestWord>, size: Pointer<UInt32>
      ) -> NTSTATUS in
      var rest = try list.headers()[...]
      if current.bits != 0 {
        let header = kernel.header(ofContext: current.bits)
        guard let index = rest.firstIndex(of: header) else { return .invalidParameter }
        rest = rest[(index + 1)...]
      }
      try rest.first.store(context, size)
      guard let next = rest.first else { return .notFound }
      if type.bits != 0 { try kernel.memory.memory.write(next.type(), at: type.bits) }
      return .success
    },
    // nf-ntifs-fsrtlgetecplistfromirp: NULL where a create carries none.
    export("FsRtlGetEcpListFromIrp(Irp, EcpList)", irql: .apc) { (kernel, irp: Pointer<IRP>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard try kernel.isCreate(irp) else { return .invalidParameter }
      try result.store(GuestWord(kernel.io.createParameters[irp.address] ?? 0))
      return .success
    },
    // nf-ntifs-fsrtlsetecplistintoirp
    export("FsRtlSetEcpListIntoIrp(Irp, EcpList)", irql: .apc) { (kernel, irp: Pointer<IRP>, list: GuestWord) -> NTSTATUS in
      guard try kernel.isCreate(irp) else { return .invalidParameter2 }
      guard kernel.io.createParameters[irp.address] == nil else { return .invalidParameter3 }
      kernel.io.createParameters[irp.address] = list.bits == 0 ? nil : list.bits
      return .success
    },
    // nf-ntifs-fsrtlisecpfromusermode: no caller in user mode can send one.
    export("FsRtlIsEcpFromUserMode(EcpContext)", irql: .apc) { (kernel, context: GuestWord) -> UInt8 in
      try kernel.header(ofContext: context.bits).Flags.load() & ECP_HEADER.fromUserMode != 0 ? 1 : 0
    },
    // nf-ntifs-fsrtlacknowledgeecp
    export("FsRtlAcknowledgeEcp(EcpContext)", irql: .apc) { (kernel, context: GuestWord) in
      let flags = kernel.header(ofContext: context.bits).Flags
      try flags.store(flags.load() | ECP_HEADER.acknowledged)
    },
    // nf-ntifs-fsrtlisecpacknowledged
    export("FsRtlIsEcpAcknowledged(EcpContext)", irql: .apc) { (kernel, context: GuestWord) -> UInt8 in
      try kernel.header(ofContext: context.bits).Flags.load() & ECP_HEADER.acknowledged != 0 ? 1 : 0
    },
    // nf-ntifs-fsrtlpreparetoreuseecp: nobody has acknowledged it.
    export("FsRtlPrepareToReuseEcp(EcpContext)", irql: .apc) { (kernel, context: GuestWord) in
      let flags = kernel.header(ofContext: context.bits).Flags
      try flags.store(flags.load() & ~ECP_HEADER.acknowledged)
    },
    // nf-ntddk-iocreatefileex: IoCreateFileSpecifyDeviceObjectHint, with the hint and more in a structure.
    export(
      "IoCreateFileEx(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize, FileAttributes, ShareAccess, Disposition, CreateOptions, EaBuffer, EaLength, CreateFileType, InternalParameters, Options, DriverContext)",
      irql: .passive
    ) {
      (
        kernel, handle: Pointer<Pointer<Void>>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>,
        block: Pointer<IO_STATUS_BLOCK>, allocation: Pointer<Int64>, fileAttributes: UInt32, share: UInt32, disposition: UInt32,
        options: UInt32, extended: Pointer<Void>, extendedLength: UInt32, type: UInt32, parameters: Pointer<Void>, flags: UInt32,
        context: Pointer<IO_DRIVER_CREATE_CONTEXT>
      ) async throws -> NTSTATUS in
      let mode = flags & 0x100 != 0 ? .kernelMode : try kernel.previousMode()
      var wanted = Kernel.OpenOptions(
        access: access, fileAttributes: fileAttributes, share: share, disposition: disposition, options: options, mode: mode,
        allocation: allocation)
      if !context.isNull {
        guard try Int(context.Size.load()) >= Pointer<IO_DRIVER_CREATE_CONTEXT>.size(in: kernel.memory.memory) else {
          return .invalidParameter
        }
        let hint = try context.DeviceObjectHint.load()
        wanted.hint = hint.isNull ? nil : hint
        wanted.createParameters = try context.ExtraCreateParameter.load().address
      }
      return try await kernel.createFile(handle, attributes, block, wanted)
    }
    .partially(
      "extended attributes, pipes, mailslots and transactions are not modelled; later requests on the file go to the top of the stack"),
    // nf-ntifs-ioreplacefileobjectname: the name's memory is the file object's, larger only where the old one is too small.
    export("IoReplaceFileObjectName(FileObject, NewFileName, FileNameLength)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, name: GuestWord, length: UInt16) -> NTSTATUS in
      let (string, here) = (file.FileName, kernel.memory.memory)
      let bytes = try here.bytes(Int(length), at: name.bits)
      if try string.MaximumLength.load() < length {
        // "IoNm": the file object's, whoever asks.
        let block = try kernel.allocate(UInt64(length), tag: 0x6d4e_6f49)
        let old = try string.Buffer.load().address
        if kernel.isPoolBlock(old) { try kernel.freePool(old) }
        try string.Buffer.store(Pointer(block, in: here))
        try string.MaximumLength.store(length)
      }
      try here.write(bytes, at: string.Buffer.load().address)
      try string.Length.store(length)
      return .success
    },
  ]
}

extension Pointer where Pointee == ECP_HEADER {
  fileprivate func type() throws -> [UInt8] { try memory.bytes(16, at: self.EcpType.address) }
  fileprivate var context: UInt64 { address + UInt64(Self.size(in: memory)) }
}

extension Optional where Wrapped == Pointer<ECP_HEADER> {
  /// Tells the caller of the context and its size, or of none, where it wants to hear of them.
  fileprivate func store(_ context: Pointer<GuestWord>, _ size: Pointer<UInt32>) throws {
    if !context.isNull { try context.store(GuestWord(self?.context ?? 0)) }
    if !size.isNull { try size.store(self?.Size.load() ?? 0) }
  }
}

extension Pointer where Pointee == ECP_LIST {
  fileprivate func headers() throws -> [Pointer<ECP_HEADER>] { try self.EcpList.elements(\ECP_HEADER.ListEntry) }
  fileprivate func find(_ type: [UInt8]) throws -> Pointer<ECP_HEADER>? { try headers().first { try $0.type() == type } }
}

extension Kernel {
  fileprivate func header(ofContext context: UInt64) -> Pointer<ECP_HEADER> {
    let here = memory.memory
    return Pointer(bits: context &- UInt64(Pointer<ECP_HEADER>.size(in: here)), in: here)
  }

  fileprivate func isCreate(_ irp: Pointer<IRP>) throws -> Bool {
    let isUnderWay = try irp.CurrentLocation.load() <= irp.StackCount.load()
    let stack = isUnderWay ? try irp.Tail.Overlay.CurrentStackLocation.load() : try nextLocation(of: irp)
    return try stack.MajorFunction.load() == .create
  }

  fileprivate func freeParameter(_ header: Pointer<ECP_HEADER>) async throws {
    let cleanup = try header.CleanupCallback.load().address
    if cleanup != 0 { _ = try await call(cleanup, [header.context, header.EcpType.address]) }
    try freePool(header.address)
  }
}
