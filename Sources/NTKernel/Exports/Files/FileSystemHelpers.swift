import Guest
import WindowsTypes

/// What file systems and filters got from their run-time library.
final class FileSystemHelpers {
  /// Resources of FsRtlAllocateResource, handed out in turn.
  var resources: [UInt64] = []
  var next = 0
  /// The list of contexts of a file object, by the object's address.
  var contexts: [UInt64: UInt64] = [:]
  static let mostResources = 16
}

extension Export {
  /// Memory, waits, names and files: what the run-time library of file systems has beside its larger parts.
  static let fileSystemHelpers: [Export] = [
    // nf-ntifs-fsrtlallocatepool; nf-ntifs-fsrtlallocatepoolwithquota: they raise where there is no memory. The tag is "File"'s.
    allocation("FsRtlAllocatePool"),
    allocation("FsRtlAllocatePoolWithQuota").partially("no quota is charged"),
    // nf-ntifs-fsrtlallocateresource: one of a few that file systems share; it is not given back.
    export("FsRtlAllocateResource()", irql: .apc) { kernel async throws -> GuestWord in
      let helpers = kernel.fileSystemHelpers
      if helpers.resources.count < FileSystemHelpers.mostResources {
        // ERESOURCE
        let block = try kernel.allocate(0x40)
        _ = try await kernel.call(kernel.trapAddress(of: "ExInitializeResourceLite"), [block])
        helpers.resources.append(block)
        return GuestWord(block)
      }
      helpers.next = (helpers.next + 1) % helpers.resources.count
      return GuestWord(helpers.resources[helpers.next])
    },
    // nf-ntifs-fsrtlallocatefilelock
    export("FsRtlAllocateFileLock(CompleteLockIrpRoutine, UnlockRoutine)", irql: .apc) {
      (kernel, complete: GuestWord, unlock: GuestWord) async throws -> GuestWord in
      // "FLlk": the library's own tag.
      guard let block = try kernel.pagedPool.allocate(0x48, tag: 0x6b6c_4c46, in: kernel.memory) else { return 0 }
      _ = try await kernel.call(kernel.trapAddress(of: "FsRtlInitializeFileLock"), [block, complete.bits, unlock.bits])
      return GuestWord(block)
    },
    // nf-ntifs-fsrtlfreefilelock
    export("FsRtlFreeFileLock(FileLock)", irql: .apc) { (kernel, lock: GuestWord) in
      kernel.files.locks[lock.bits] = nil
      try kernel.freePool(lock.bits)
    },
    // nf-ntifs-fsrtlcancellablewaitforsingleobject
    export("FsRtlCancellableWaitForSingleObject(Object, Timeout, Irp)", irql: .apc) {
      (kernel, object: Pointer<DISPATCHER_HEADER>, timeout: Pointer<Int64>, irp: Pointer<IRP>) -> NTSTATUS in
      if try !irp.isNull && irp.Cancel.load() != 0 { return .cancelled }
      return try kernel.wait([object], timeout: timeout.isNull ? nil : timeout.load(), mode: .userMode)
    }
    .partially(cancelGap),
    // nf-ntifs-fsrtlcancellablewaitformultipleobjects
    export("FsRtlCancellableWaitForMultipleObjects(Count, ObjectArray, WaitType, Timeout, WaitBlockArray, Irp)", irql: .apc) {
      (
        kernel, count: UInt32, objects: Pointer<GuestWord>, type: WAIT_TYPE, timeout: Pointer<Int64>, blocks: GuestWord,
        irp: Pointer<IRP>
      ) -> NTSTATUS in
      guard count <= (blocks.bits == 0 ? 3 : 64) else { throw BugCheck(BugCheckCode(rawValue: 0xc)) }
      if try !irp.isNull && irp.Cancel.load() != 0 { return .cancelled }
      let list = try (0..<Int(count)).map { Pointer<DISPATCHER_HEADER>(try objects[$0].load().bits, in: kernel.memory.memory) }
      return try kernel.wait(
        list, type, timeout: timeout.isNull ? nil : timeout.load(), mode: .userMode,
        blocks: blocks.bits == 0 ? nil : Pointer(blocks.bits, in: kernel.memory.memory))
    }
    .partially(cancelGap),
    // nf-ntifs-fsrtlispagingfile: the machine pages to no file.
    export("FsRtlIsPagingFile(FileObject)", irql: .dispatch) { (_, file: GuestWord) -> UInt32 in 0 },
    // nf-ntifs-fsrtlacquirefileexclusive: as for a section that is made, by the file system's routine, or by the file's main resource.
    export("FsRtlAcquireFileExclusive(FileObject)", irql: .apc) { (kernel, file: Pointer<FILE_OBJECT>) async throws in
      try await kernel.holdFile(file, fastIO: 0x2c, resource: "ExAcquireResourceExclusiveLite", [1])
    }
    .partially("the callbacks of filters (FsRtlRegisterFileSystemFilterCallbacks) are not told"),
    // nf-ntifs-fsrtlreleasefile
    export("FsRtlReleaseFile(FileObject)", irql: .apc) { (kernel, file: Pointer<FILE_OBJECT>) async throws in
      try await kernel.holdFile(file, fastIO: 0x30, resource: "ExReleaseResourceForThreadLite", [kernel.currentThread().address])
    }
    .partially("the callbacks of filters (FsRtlRegisterFileSystemFilterCallbacks) are not told"),
    transferDescribed("FsRtlMdlRead", fastIO: 0x40), transferDescribed("FsRtlPrepareMdlWrite", fastIO: 0x48),
    // nf-ntifs-fsrtlmdlreadcomplete
    export("FsRtlMdlReadComplete(FileObject, MdlChain)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, mdl: Pointer<MDL>) async throws -> UInt8 in
      let (routine, device) = try kernel.fastIO(of: file, at: 0x44)
      let target = routine == 0 ? kernel.trapAddress(of: "FsRtlMdlReadCompleteDev") : routine
      return UInt8(truncatingIfNeeded: try await kernel.call(target, [file.address, mdl.address, device]))
    },
    // nf-ntifs-fsrtlmdlwritecomplete
    export("FsRtlMdlWriteComplete(FileObject, FileOffset, MdlChain)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, offset: GuestWord, mdl: Pointer<MDL>) async throws -> UInt8 in
      let (routine, device) = try kernel.fastIO(of: file, at: 0x4c)
      let target = routine == 0 ? kernel.trapAddress(of: "FsRtlMdlWriteCompleteDev") : routine
      return UInt8(truncatingIfNeeded: try await kernel.call(target, [file.address, offset.bits, mdl.address, device]))
    },
    // nf-ntifs-fsrtlinsertperfileobjectcontext: FSRTL_PER_FILEOBJECT_CONTEXT is its links, an owner and an instance.
    export("FsRtlInsertPerFileObjectContext(FileObject, Ptr)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, context: Pointer<LIST_ENTRY>) -> NTSTATUS in
      guard !file.isNull else { return .invalidParameter }
      let helpers = kernel.fileSystemHelpers
      // Its list goes with the file object, whose place another one may take.
      if helpers.contexts[file.address] == nil {
        let list = Pointer<LIST_ENTRY>(try kernel.allocate(8), in: kernel.memory.memory)
        try list.initialize()
        helpers.contexts[file.address] = list.address
      }
      guard let list = helpers.contexts[file.address] else { return .insufficientResources }
      try Pointer<LIST_ENTRY>(list, in: kernel.memory.memory).insertHead(context)
      return .success
    },
    // nf-ntifs-fsrtllookupperfileobjectcontext
    export("FsRtlLookupPerFileObjectContext(FileObject, OwnerId, InstanceId)", irql: .apc) {
      (kernel, file: GuestWord, owner: GuestWord, instance: GuestWord) -> GuestWord in
      GuestWord(try kernel.fileContext(file.bits, owner.bits, instance.bits)?.address ?? 0)
    },
    // nf-ntifs-fsrtlremoveperfileobjectcontext
    export("FsRtlRemovePerFileObjectContext(FileObject, OwnerId, InstanceId)", irql: .apc) {
      (kernel, file: GuestWord, owner: GuestWord, instance: GuestWord) -> GuestWord in
      guard let context = try kernel.fileContext(file.bits, owner.bits, instance.bits) else { return 0 }
      try context.remove()
      if let list = kernel.fileSystemHelpers.contexts[file.bits],
        try Pointer<LIST_ENTRY>(list, in: kernel.memory.memory).Flink.load().address == list
      {
        kernel.free(list)
        kernel.fileSystemHelpers.contexts[file.bits] = nil
      }
      return GuestWord(context.address)
    },
    // nf-ntifs-fsrtlinitextracreateparameterlookasidelist: FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL is 2.
    export("FsRtlInitExtraCreateParameterLookasideList(Lookaside, Flags, Size, Tag)", irql: .apc) {
      (kernel, list: GuestWord, flags: UInt32, size: UInt32, tag: UInt32) async throws in
      let routine = flags & 2 != 0 ? "ExInitializeNPagedLookasideList" : "ExInitializePagedLookasideList"
      let total = UInt64(size) + UInt64(Pointer<ECP_HEADER>.size(in: kernel.memory.memory))
      _ = try await kernel.call(kernel.trapAddress(of: routine), [list.bits, 0, 0, 0, total & 0xffff_ffff, UInt64(tag), 0])
    },
    // nf-ntifs-fsrtldeleteextracreateparameterlookasidelist
    export("FsRtlDeleteExtraCreateParameterLookasideList(Lookaside, Flags)", irql: .apc) {
      (kernel, list: GuestWord, flags: UInt32) async throws in
      let routine = flags & 2 != 0 ? "ExDeleteNPagedLookasideList" : "ExDeletePagedLookasideList"
      _ = try await kernel.call(kernel.trapAddress(of: routine), [list.bits])
    },
    // nf-ntifs-fsrtlallocateextracreateparameterfromlookasidelist
    export(
      "FsRtlAllocateExtraCreateParameterFromLookasideList(EcpType, SizeOfContext, Flags, CleanupCallback, LookasideList, EcpContext)",
      irql: .apc
    ) {
      (
        kernel, type: GuestWord, size: UInt32, flags: UInt32, cleanup: GuestWord, list: Pointer<GENERAL_LOOKASIDE>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      // A list of nonpaged blocks has an even type.
      let isNonPaged = try list.Type.load().rawValue & 1 == 0
      _ = try list.TotalAllocates.update { $0 &+ 1 }
      let status = try await kernel.call(
        kernel.trapAddress(of: "FsRtlAllocateExtraCreateParameter"),
        [type.bits, UInt64(size), UInt64(flags & ~2 | (isNonPaged ? 2 : 0)), cleanup.bits, UInt64(list.Tag.load()), result.address])
      return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: status))
    }
    .partially("each parameter comes from the pool that the list stands for: the list itself stays empty"),
    // nf-ntifs-fsrtlcreatesectionfordatascan
    export(
      "FsRtlCreateSectionForDataScan(SectionHandle, SectionObject, SectionFileSize, FileObject, DesiredAccess, ObjectAttributes, MaximumSize, SectionPageProtection, AllocationAttributes, Flags)",
      irql: .passive
    ) {
      (
        kernel, handle: Pointer<GuestWord>, object: Pointer<GuestWord>, fileSize: Pointer<UInt64>, file: Pointer<FILE_OBJECT>,
        access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>, size: Pointer<Int64>, protection: UInt32, kind: UInt32, flags: UInt32
      ) async throws -> NTSTATUS in
      try await kernel.systemCall {
        // Of the allocation attributes SEC_COMMIT alone, of the flags none, of the protections those that cannot write.
        guard kind == SectionAttributes.commit else { return Kernel.invalidParameter(9) }
        guard [2, 0x10, 0x20].contains(protection) else { return Kernel.invalidParameter(8) }
        guard flags == 0 else { return Kernel.invalidParameter(10) }
        guard !file.isNull, try !file.SectionObjectPointer.load().isNull else { return .invalidParameter }
        let length = try kernel.fileSize(of: file)
        if !fileSize.isNull { try fileSize.store(length) }
        guard length > 0 else { return .endOfFile }
        let wish = Kernel.SectionWish(
          access: access, maximumSize: size.isNull ? 0 : UInt64(max(0, try size.load())), protection: PageProtection(rawValue: protection),
          attributes: kind, mode: .kernelMode)
        let section = try await kernel.makeSection(wish, of: file, grantedAccess: .max, path: nil)
        let options =
          attributes.isNull ? ObjectAttributeFlags(rawValue: 0) : ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
        try handle.store(GuestWord(kernel.makeHandle(to: section, access: access, attributes: options, mode: .kernelMode)))
        // A second reference: the handle and the object are given back each on its own.
        if !object.isNull {
          try kernel.reference(section, for: nil)
          try object.store(GuestWord(section))
        }
        return .success
      }
    }
    .uncertain("an empty file is STATUS_END_OF_FILE, as later versions' page says"),
    // nf-ntifs-fsrtloplockbreaktonone: the stack location is the request's current one.
    export("FsRtlOplockBreakToNone(Oplock, IrpSp, Irp, Context, CompletionRoutine, PostIrpRoutine)", irql: .apc) {
      (
        kernel, oplock: Pointer<GuestWord>, location: GuestWord, irp: Pointer<IRP>, context: GuestWord, routine: GuestWord, post: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.breakToNone(oplock, irp, isWaiting: true, context.bits, routine.bits, post.bits)
    },
    // nf-ntifs-fsrtloplockbreaktononeex: OPLOCK_FLAG_COMPLETE_IF_OPLOCKED 1.
    export("FsRtlOplockBreakToNoneEx(Oplock, Irp, Flags, Context, CompletionRoutine, PostIrpRoutine)", irql: .apc) {
      (
        kernel, oplock: Pointer<GuestWord>, irp: Pointer<IRP>, flags: UInt32, context: GuestWord, routine: GuestWord, post: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.breakToNone(oplock, irp, isWaiting: flags & 1 == 0, context.bits, routine.bits, post.bits)
    }
    .partially("oplock keys are not looked at"),
    // nf-ntifs-fsrtloplockfsctrlex: OPLOCK_FSCTRL_FLAG_ALL_KEYS_MATCH 1.
    export("FsRtlOplockFsctrlEx(Oplock, Irp, OpenCount, Flags)", irql: .apc) {
      (kernel, oplock: Pointer<GuestWord>, irp: Pointer<IRP>, count: UInt32, flags: UInt32) async throws -> NTSTATUS in
      try await kernel.controlOplock(oplock, irp, openCount: count)
    }
    .partially("the locks of Windows 7, FSCTL_REQUEST_OPLOCK, are refused with STATUS_INVALID_PARAMETER"),
    // nf-ntifs-fsrtloplockkeysequal: a file without a key has one of its own, and two NULLs are equal.
    export("FsRtlOplockKeysEqual(Fo1, Fo2)", irql: .apc) { (_, first: GuestWord, second: GuestWord) -> UInt8 in
      first.bits == second.bits ? 1 : 0
    }
    .partially("oplock keys that a create brought are not looked at"),
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtldissectdbcs
    export("FsRtlDissectDbcs(PathLengths, PathBuffer, FirstName, RemainingName)", irql: .apc) {
      (kernel, lengths: UInt32, buffer: Pointer<UInt8>, first: Pointer<STRING>, rest: Pointer<STRING>) in
      let bytes = try buffer.array(count: Int(lengths & 0xffff))
      let start = bytes.first == 0x5c ? 1 : 0
      let end = bytes[start...].firstIndex(of: 0x5c) ?? bytes.count
      for (string, from, to) in [(first, start, end), (rest, min(end + 1, bytes.count), bytes.count)] {
        try string.set(count: to - from)
        try string.set(capacity: to - from)
        try string.set(text: to > from ? buffer[from] : Pointer(0, in: kernel.memory.memory))
      }
    }
    .partially("names are of single bytes, as with code page 1252"),
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtldoesdbcscontainwildcards
    export("FsRtlDoesDbcsContainWildCards(Name)", irql: .apc) { (_, name: Pointer<STRING>) -> UInt8 in
      try name.units().contains { NameExpression.isWildCard(UInt16($0)) } ? 1 : 0
    }
    .partially("names are of single bytes, as with code page 1252"),
    // nf-ntifs-fsrtlremovedotsfrompath: in place; lengths in bytes.
    export("FsRtlRemoveDotsFromPath(OriginalString, PathLength, NewLength)", irql: .apc) {
      (_, text: Pointer<UInt16>, length: UInt16, result: Pointer<UInt16>) -> NTSTATUS in
      let units = try text.array(count: Int(length) / 2)
      let isAbsolute = units.first == 0x5c
      var parts: [ArraySlice<UInt16>] = []
      for part in units.split(separator: 0x5c, omittingEmptySubsequences: false).dropFirst(isAbsolute ? 1 : 0) {
        if part == [0x2e] { continue }
        guard part == [0x2e, 0x2e] else {
          parts.append(part)
          continue
        }
        // Above the root there is nothing: STATUS_IO_REPARSE_DATA_INVALID.
        guard parts.popLast() != nil else { return NTSTATUS(rawValue: 0xc000_0278) }
      }
      let new = (isAbsolute ? [0x5c] : []) + parts.joined(separator: [0x5c])
      try text.write(new)
      try result.store(UInt16(2 * new.count))
      return .success
    },
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlnotifychangedirectory: FsRtlNotifyFullChangeDirectory's older form.
    export(
      "FsRtlNotifyChangeDirectory(NotifySync, FsContext, FullDirectoryName, NotifyList, WatchTree, CompletionFilter, NotifyIrp)", irql: .apc
    ) {
      (
        kernel, sync: GuestWord, context: GuestWord, name: GuestWord, list: GuestWord, deep: UInt8, filter: UInt32, irp: GuestWord
      ) async throws in
      _ = try await kernel.call(
        kernel.trapAddress(of: "FsRtlNotifyFullChangeDirectory"),
        [sync.bits, list.bits, context.bits, name.bits, UInt64(deep), 1, UInt64(filter), irp.bits, 0, 0])
    },
    // fsrtlnotifyreportchange: FsRtlNotifyFullReportChange's older form; the name's last part is as long as the variable says.
    export("FsRtlNotifyReportChange(NotifySync, NotifyList, FullTargetName, FileNamePartLength, FilterMatch)", irql: .apc) {
      (
        kernel, sync: GuestWord, list: GuestWord, name: Pointer<STRING>, partLength: Pointer<UInt16>, filter: UInt32
      ) async throws in
      let offset = UInt64(max(0, Int(try name.Length.load()) - Int(try partLength.load())))
      _ = try await kernel.call(
        kernel.trapAddress(of: "FsRtlNotifyFullReportChange"), [sync.bits, list.bits, name.address, offset, 0, 0, UInt64(filter), 0, 0])
    },
    // nf-ntifs-fsrtlnotifyvolumeeventex: the caller brings the notification.
    export("FsRtlNotifyVolumeEventEx(FileObject, EventCode, Event)", irql: .passive) {
      (kernel, file: Pointer<FILE_OBJECT>, code: UInt32, event: GuestWord) async throws -> NTSTATUS in
      guard event.bits != 0 else { return .invalidParameter }
      var base = try file.DeviceObject.load()
      for _ in 0..<256 {
        let under = try base.DeviceObjectExtension.load().AttachedTo.load()
        if under.isNull { break }
        base = under
      }
      try await kernel.reportTargetChange(base.address, event.bits)
      return .success
    },
    counting("FsRtlIncrementCcFastReadNoWait", "CcFastReadNoWait"), counting("FsRtlIncrementCcFastReadWait", "CcFastReadWait"),
    counting("FsRtlIncrementCcFastReadNotPossible", "CcFastReadNotPossible"),
    counting("FsRtlIncrementCcFastReadResourceMiss", "CcFastReadResourceMiss"),
    counting("FsRtlIncrementCcFastMdlReadWait", "CcFastMdlReadWait"),
    // nf-ntifs-fsrtlarevolumestartupapplicationscomplete: autochk has run.
    export("FsRtlAreVolumeStartupApplicationsComplete()", irql: .apc) { _ -> UInt8 in 1 },
    // nf-ntifs-fsrtlgetvirtualdisknestinglevel: no disk of the run's lies in a file.
    export("FsRtlGetVirtualDiskNestingLevel(DeviceObject, NestingLevel, NestingFlags)", irql: .passive) {
      (_, device: GuestWord, level: Pointer<UInt32>, flags: Pointer<UInt32>) -> NTSTATUS in
      try level.store(0)
      if !flags.isNull { try flags.store(0) }
      return .success
    },
    // nf-ntifs-fsrtlquerymaximumvirtualdisknestinglevel
    export("FsRtlQueryMaximumVirtualDiskNestingLevel()", irql: .passive) { _ -> UInt32 in 2 },
    // nf-ntifs-fsrtllogccflusherror
    export("FsRtlLogCcFlushError(FileName, DeviceObject, SectionObjectPointer, FlushError, Flags)", irql: .apc) {
      (kernel, name: Pointer<UNICODE_STRING>, device: GuestWord, pointers: GuestWord, status: NTSTATUS, flags: UInt32) -> NTSTATUS in
      kernel.stream.append(.note("the cache could not write \(try name.string()): \(status)"))
      return .success
    }
    .partially("the trace is told, and no error log"),
  ]

  private static let cancelGap = "a request that is cancelled while the thread waits does not end the wait"

  private static func allocation(_ name: String) -> Export {
    export("\(name)(PoolType, NumberOfBytes)", irql: .dispatch) { (kernel, type: POOL_TYPE, size: UInt32) -> GuestWord in
      // "FSrt"
      let block =
        type.isPaged
        ? try kernel.pagedPool.allocate(UInt64(size), tag: 0x7472_5346, in: kernel.memory)
        : try kernel.nonPagedPool.allocate(UInt64(size), tag: 0x7472_5346, in: kernel.memory)
      guard let block else { throw GuestException(.insufficientResources) }
      return GuestWord(block)
    }
  }

  private static func transferDescribed(_ name: String, fastIO place: UInt64) -> Export {
    // nf-ntifs-fsrtlmdlread, nf-ntifs-fsrtlpreparemdlwrite: by the file system's own routine, or by the library's.
    export("\(name)(FileObject, FileOffset, Length, LockKey, MdlChain, IoStatus)", irql: .apc) {
      (
        kernel, file: Pointer<FILE_OBJECT>, offset: GuestWord, length: UInt32, key: UInt32, chain: GuestWord, block: GuestWord
      ) async throws -> UInt8 in
      let (routine, device) = try kernel.fastIO(of: file, at: place)
      let target = routine == 0 ? kernel.trapAddress(of: "\(name)Dev") : routine
      return UInt8(
        truncatingIfNeeded: try await kernel.call(
          target, [file.address, offset.bits, UInt64(length), UInt64(key), chain.bits, block.bits, device]))
    }
  }

  /// One more of what the cache manager counts for everybody; some of the counters no driver can import.
  private static func counting(_ name: String, _ variable: String) -> Export {
    export("\(name)()") { kernel in
      guard let place = try kernel.address(ofVariable: variable, in: "nt") else { return }
      let memory = kernel.memory.memory
      try memory.store(memory.load(UInt32.self, at: place) &+ 1, at: place)
    }
  }
}

extension Kernel {
  fileprivate var fileSystemHelpers: FileSystemHelpers { part { FileSystemHelpers() } }

  /// A routine of the fast I/O table of the device that a file's requests go to, and that device; 0 for none.
  fileprivate func fastIO(of file: Pointer<FILE_OBJECT>, at offset: UInt64) throws -> (routine: UInt64, device: UInt64) {
    let device = try relatedDevice(of: file)
    guard !device.isNull else { return (0, 0) }
    let table = try device.DriverObject.load().FastIoDispatch.load().address
    // The table says how long it is.
    guard table != 0, try memory.memory.load(UInt32.self, at: table) >= UInt32(offset + 4) else { return (0, device.address) }
    return (UInt64(try memory.memory.load(UInt32.self, at: table + offset)), device.address)
  }

  /// Acquires or releases a file by the file system's routine, else by the file's main resource.
  fileprivate func holdFile(
    _ file: Pointer<FILE_OBJECT>, fastIO offset: UInt64, resource routine: String, _ arguments: [UInt64]
  ) async throws {
    let (own, _) = try fastIO(of: file, at: offset)
    if own != 0 {
      _ = try await call(own, [file.address])
      return
    }
    let header = try file.FsContext.load().cast(to: FSRTL_ADVANCED_FCB_HEADER.self)
    guard !header.isNull, case let resource = try header.Resource.load().address, resource != 0 else { return }
    _ = try await call(trapAddress(of: routine), [resource] + arguments)
  }

  /// The first context of a file object that is an owner's and, if one is named, an instance's; anybody's without an owner.
  fileprivate func fileContext(_ file: UInt64, _ owner: UInt64, _ instance: UInt64) throws -> Pointer<LIST_ENTRY>? {
    guard let list = fileSystemHelpers.contexts[file] else { return nil }
    return try Pointer<LIST_ENTRY>(list, in: memory.memory).entries(limit: 0x1000).first {
      let words = Pointer<GuestWord>($0.address + 8, in: memory.memory)
      if owner == 0 { return true }
      return try words.load().bits == owner && (instance == 0 || words[1].load().bits == instance)
    }
  }

  fileprivate func breakToNone(
    _ oplock: Pointer<GuestWord>, _ irp: Pointer<IRP>, isWaiting: Bool, _ context: UInt64, _ routine: UInt64, _ post: UInt64
  ) async throws -> NTSTATUS {
    try await checkOplock(
      oplock, irp, OplockBreak(exclusive: Oplock.Outcome.none, breaksFilter: true, breaksLevelTwo: true), isWaiting: isWaiting,
      context: context, routine: routine, post: post)
  }
}
