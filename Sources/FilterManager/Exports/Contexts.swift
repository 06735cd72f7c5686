import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Contexts.
  static let contexts: [Export] = [
    // nf-fltkernel-fltallocatecontext
    export("FltAllocateContext(Filter, ContextType, ContextSize, PoolType, ReturnedContext)", module: "fltMgr", irql: .apc) {
      (
        kernel, pointer: Pointer<FLT_FILTER>, type: UInt32, size: GuestWord, pool: UInt32, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try result.store(0)
      guard let filter = try kernel.filter(pointer, in: "FltAllocateContext") else { return .invalidParameter }
      let type = FLT_CONTEXT_TYPE(rawValue: UInt16(truncatingIfNeeded: type))
      switch try await kernel.allocateContext(filter, type, size: size.bits, pool: pool) {
      case .failure(let failure): return failure.code
      case .success(let context):
        try result.store(GuestWord(context.address))
        return .success
      }
    },
    // nf-fltkernel-fltreferencecontext
    export("FltReferenceContext(Context)", module: "fltMgr", irql: .dispatch) { (kernel, address: GuestWord) in
      try kernel.context(address.bits, in: "FltReferenceContext")?.references += 1
    },
    // nf-fltkernel-fltreleasecontext
    export("FltReleaseContext(Context)", module: "fltMgr", irql: .dispatch) { (kernel, address: GuestWord) async throws in
      if let context = try kernel.context(address.bits, in: "FltReleaseContext") { try await kernel.release(context) }
    },
    // nf-fltkernel-fltdeletecontext: taken from its object; the caller's own reference stays.
    export("FltDeleteContext(Context)", module: "fltMgr", irql: .apc) { (kernel, address: GuestWord) async throws in
      if let context = try kernel.context(address.bits, in: "FltDeleteContext") { try await kernel.unlink(context) }
    },
    // nf-fltkernel-fltsetinstancecontext
    export("FltSetInstanceContext(Instance, Operation, NewContext, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, operation: UInt32, new: GuestWord, old: Pointer<GuestWord>) async throws -> NTSTATUS in
      switch try kernel.contextPlace(.instance, first, nil, in: "FltSetInstanceContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)):
        return try await kernel.setContext(owner, .instance, filter, operation, new.bits, old, in: "FltSetInstanceContext")
      }
    },
    // nf-fltkernel-fltgetinstancecontext
    export("FltGetInstanceContext(Instance, Context)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      switch try kernel.contextPlace(.instance, first, nil, in: "FltGetInstanceContext") {
      case .failure(let failure):
        try result.store(0)
        return failure.code
      case .success(let (owner, filter)): return try kernel.getContext(owner, filter, result)
      }
    },
    // nf-fltkernel-fltdeleteinstancecontext
    export("FltDeleteInstanceContext(Instance, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, old: Pointer<GuestWord>) async throws -> NTSTATUS in
      switch try kernel.contextPlace(.instance, first, nil, in: "FltDeleteInstanceContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)): return try await kernel.deleteContext(owner, filter, old)
      }
    },
    // nf-fltkernel-fltsetstreamcontext
    export("FltSetStreamContext(Instance, FileObject, Operation, NewContext, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, operation: UInt32, new: GuestWord, old: Pointer<GuestWord>) async throws
        -> NTSTATUS in
      switch try kernel.contextPlace(.stream, first, second, in: "FltSetStreamContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)):
        return try await kernel.setContext(owner, .stream, filter, operation, new.bits, old, in: "FltSetStreamContext")
      }
    },
    // nf-fltkernel-fltgetstreamcontext
    export("FltGetStreamContext(Instance, FileObject, Context)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      switch try kernel.contextPlace(.stream, first, second, in: "FltGetStreamContext") {
      case .failure(let failure):
        try result.store(0)
        return failure.code
      case .success(let (owner, filter)): return try kernel.getContext(owner, filter, result)
      }
    },
    // nf-fltkernel-fltdeletestreamcontext
    export("FltDeleteStreamContext(Instance, FileObject, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, old: Pointer<GuestWord>) async throws -> NTSTATUS in
      switch try kernel.contextPlace(.stream, first, second, in: "FltDeleteStreamContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)): return try await kernel.deleteContext(owner, filter, old)
      }
    },
    // nf-fltkernel-fltsetstreamhandlecontext
    export("FltSetStreamHandleContext(Instance, FileObject, Operation, NewContext, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, operation: UInt32, new: GuestWord, old: Pointer<GuestWord>) async throws
        -> NTSTATUS in
      switch try kernel.contextPlace(.streamHandle, first, second, in: "FltSetStreamHandleContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)):
        return try await kernel.setContext(owner, .streamHandle, filter, operation, new.bits, old, in: "FltSetStreamHandleContext")
      }
    },
    // nf-fltkernel-fltgetstreamhandlecontext
    export("FltGetStreamHandleContext(Instance, FileObject, Context)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      switch try kernel.contextPlace(.streamHandle, first, second, in: "FltGetStreamHandleContext") {
      case .failure(let failure):
        try result.store(0)
        return failure.code
      case .success(let (owner, filter)): return try kernel.getContext(owner, filter, result)
      }
    },
    // nf-fltkernel-fltdeletestreamhandlecontext
    export("FltDeleteStreamHandleContext(Instance, FileObject, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, old: Pointer<GuestWord>) async throws -> NTSTATUS in
      switch try kernel.contextPlace(.streamHandle, first, second, in: "FltDeleteStreamHandleContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)): return try await kernel.deleteContext(owner, filter, old)
      }
    },
    // nf-fltkernel-fltsetvolumecontext: whose it is, the context itself knows.
    export("FltSetVolumeContext(Volume, Operation, NewContext, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, operation: UInt32, new: GuestWord, old: Pointer<GuestWord>) async throws -> NTSTATUS in
      if !old.isNull { try old.store(0) }
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltSetVolumeContext"),
        let context = try kernel.context(new.bits, in: "FltSetVolumeContext")
      else { return .invalidParameter }
      if try kernel.isGoing(volume) { return .fltDeletingObject }
      return try await kernel.setContext(
        .volume(volume.address), .volume, context.filter, operation, new.bits, old, in: "FltSetVolumeContext")
    },
    // nf-fltkernel-fltgetvolumecontext
    export("FltGetVolumeContext(Filter, Volume, Context)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      switch try kernel.contextPlace(.volume, first, second, in: "FltGetVolumeContext") {
      case .failure(let failure):
        try result.store(0)
        return failure.code
      case .success(let (owner, filter)): return try kernel.getContext(owner, filter, result)
      }
    },
    // nf-fltkernel-fltdeletevolumecontext
    export("FltDeleteVolumeContext(Filter, Volume, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, old: Pointer<GuestWord>) async throws -> NTSTATUS in
      switch try kernel.contextPlace(.volume, first, second, in: "FltDeleteVolumeContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)): return try await kernel.deleteContext(owner, filter, old)
      }
    },
    // nf-fltkernel-fltsetfilecontext: supported from Windows Vista on.
    export("FltSetFileContext(Instance, FileObject, Operation, NewContext, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, operation: UInt32, new: GuestWord, old: Pointer<GuestWord>) async throws
        -> NTSTATUS in
      if !old.isNull { try old.store(0) }
      switch try kernel.contextPlace(.file, first, second, in: "FltSetFileContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)):
        return try await kernel.setContext(owner, .file, filter, operation, new.bits, old, in: "FltSetFileContext")
      }
    },
    // nf-fltkernel-fltgetfilecontext
    export("FltGetFileContext(Instance, FileObject, Context)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(0)
      switch try kernel.contextPlace(.file, first, second, in: "FltGetFileContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)): return try kernel.getContext(owner, filter, result)
      }
    },
    // nf-fltkernel-fltdeletefilecontext
    export("FltDeleteFileContext(Instance, FileObject, OldContext)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>, old: Pointer<GuestWord>) async throws -> NTSTATUS in
      if !old.isNull { try old.store(0) }
      switch try kernel.contextPlace(.file, first, second, in: "FltDeleteFileContext") {
      case .failure(let failure): return failure.code
      case .success(let (owner, filter)): return try await kernel.deleteContext(owner, filter, old)
      }
    },
    // nf-fltkernel-fltsettransactioncontext: from Windows Vista on.
    export("FltSetTransactionContext(Instance, Transaction, Operation, NewContext, OldContext)", module: "fltMgr", irql: .apc) {
      (
        _, instance: Pointer<FLT_INSTANCE>, object: Pointer<Void>, operation: UInt32, new: GuestWord, old: Pointer<GuestWord>
      ) -> NTSTATUS in
      if !old.isNull { try old.store(0) }
      return .notSupported
    },
    // nf-fltkernel-fltgettransactioncontext: from Windows Vista on.
    export("FltGetTransactionContext(Instance, Transaction, Context)", module: "fltMgr", irql: .apc) {
      (_, instance: Pointer<FLT_INSTANCE>, object: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(0)
      return .notSupported
    },
    // nf-fltkernel-fltdeletetransactioncontext: from Windows Vista on.
    export("FltDeleteTransactionContext(Instance, Transaction, OldContext)", module: "fltMgr", irql: .apc) {
      (_, instance: Pointer<FLT_INSTANCE>, object: Pointer<Void>, old: Pointer<GuestWord>) -> NTSTATUS in
      if !old.isNull { try old.store(0) }
      return .notSupported
    },
    // nf-fltkernel-fltsupportsstreamcontexts
    export("FltSupportsStreamContexts(FileObject)", module: "fltMgr", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>) -> UInt8 in
      try kernel.supportsContexts(file) ? 1 : 0
    },
    // nf-fltkernel-fltsupportsstreamhandlecontexts
    export("FltSupportsStreamHandleContexts(FileObject)", module: "fltMgr", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>) -> UInt8 in
      try kernel.supportsContexts(file) ? 1 : 0
    },
    // nf-fltkernel-fltgetcontexts: those of an operation's objects, by type; null where there is none.
    export("FltGetContexts(FltObjects, DesiredContexts, Contexts)", module: "fltMgr", irql: .apc) {
      (kernel, objects: Pointer<FLT_RELATED_OBJECTS>, wanted: UInt32, result: Pointer<GuestWord>) in
      try kernel.getContexts(objects, FLT_CONTEXT_TYPE(rawValue: UInt16(truncatingIfNeeded: wanted)), result)
    },
    // nf-fltkernel-fltreleasecontexts
    export(
      "FltReleaseContexts(Contexts)", module: "fltMgr", irql: .dispatch
    ) { (kernel, contexts: Pointer<GuestWord>) async throws in
      for index in 0..<6 {
        let address = try contexts[index].load().bits
        guard address != 0, let context = try kernel.context(address, in: "FltReleaseContexts") else { continue }
        try await kernel.release(context)
        try contexts[index].store(0)
      }
    },
  ]
}

extension Kernel {
  /// What the first arguments of a context routine mean: which object of which filter.
  func contextPlace(
    _ type: FLT_CONTEXT_TYPE, _ first: Pointer<Void>, _ second: Pointer<Void>?, in routine: String
  ) throws -> Result<(owner: Context.Owner, filter: Filter), Failure> {
    // File contexts came with Windows Vista: before, nothing is looked at.
    if type == .file, memory.target.system.release < .windows7 { return .failure(Failure(.notSupported)) }
    if type == .volume {
      guard let filter = try filter(first.cast(), in: routine), let second, let volume = try object(second, FilterVolume.self, in: routine)
      else { return .failure(Failure(.invalidParameter)) }
      return .success((.volume(volume.address), filter))
    }
    guard let instance = try object(first, Instance.self, in: routine) else { return .failure(Failure(.invalidParameter)) }
    if try isGoing(instance), routine.hasPrefix("FltSet") { return .failure(Failure(.fltDeletingObject)) }
    guard let second else { return .success((.instance(instance.address), instance.filter)) }
    let file: Pointer<FILE_OBJECT> = second.cast()
    // Nothing is open before the file system has answered the create.
    guard try supportsContexts(file) else { return .failure(Failure(.notSupported)) }
    if type == .file {
      guard let id = try fileID(of: file) else { return .failure(Failure(.notSupported)) }
      return .success((.file(id, instance: instance.address), instance.filter))
    }
    let owner: Context.Owner =
      type == .stream
      ? .stream(try file.FsContext.load().address, instance: instance.address) : .streamHandle(file.address, instance: instance.address)
    return .success((owner, instance.filter))
  }

  /// `FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS` in the header of the file's control block.
  func supportsContexts(_ file: Pointer<FILE_OBJECT>) throws -> Bool {
    let block = try file.FsContext.load().address
    return try block != 0 && memory.memory.load(UInt8.self, at: block + 6) & 2 != 0
  }

  func getContexts(
    _ objects: Pointer<FLT_RELATED_OBJECTS>, _ wanted: FLT_CONTEXT_TYPE, _ result: Pointer<GuestWord>
  ) throws {
    for index in 0..<6 { try result[index].store(0) }
    let (volume, file) = (try objects.Volume.load(), try objects.FileObject.load())
    guard let filter = filterManager.filter(at: try objects.Filter.load().address) else { return }
    let instance = try objects.Instance.load().address
    var owners: [(FLT_CONTEXT_TYPE, Int, Context.Owner)] = [(.volume, 0, .volume(volume.address)), (.instance, 1, .instance(instance))]
    if try !file.isNull && supportsContexts(file) {
      owners += [
        (.stream, 3, .stream(try file.FsContext.load().address, instance: instance)),
        (.streamHandle, 4, .streamHandle(file.address, instance: instance)),
      ]
      if try supportsFileContexts(file), let id = try fileID(of: file) { owners.append((.file, 2, .file(id, instance: instance))) }
    }
    for (type, index, owner) in owners where wanted.contains(type) { _ = try getContext(owner, filter, result[index]) }
  }
}
