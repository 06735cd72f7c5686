import Guest
import WindowsTypes

extension Export {
  /// What legacy filters hang on streams and files.
  static let filterContextCalls: [Export] = [
    // nf-ntifs-fsrtlinsertperstreamcontext: where FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS is set.
    export("FsRtlInsertPerStreamContext(PerStreamContext, Ptr)", irql: .apc) {
      (_, header: Pointer<FSRTL_ADVANCED_FCB_HEADER>, context: Pointer<FSRTL_PER_STREAM_CONTEXT>) -> NTSTATUS in
      guard try header.supportsContexts else { return .invalidDeviceRequest }
      try header.FilterContexts.insertHead(context.Links)
      return .success
    },
    // nf-ntifs-fsrtllookupperstreamcontext, a macro over it
    export("FsRtlLookupPerStreamContextInternal(StreamContext, OwnerId, InstanceId)", irql: .apc) {
      (
        kernel, header: Pointer<FSRTL_ADVANCED_FCB_HEADER>, owner: GuestWord, instance: GuestWord
      ) -> Pointer<FSRTL_PER_STREAM_CONTEXT> in
      guard try header.supportsContexts else { return Pointer(0, in: kernel.memory.memory) }
      return try header.FilterContexts.context(owner.bits, instance.bits)
    },
    // nf-ntifs-fsrtlremoveperstreamcontext
    export("FsRtlRemovePerStreamContext(StreamContext, OwnerId, InstanceId)", irql: .apc) {
      (
        kernel, header: Pointer<FSRTL_ADVANCED_FCB_HEADER>, owner: GuestWord, instance: GuestWord
      ) -> Pointer<FSRTL_PER_STREAM_CONTEXT> in
      guard try header.supportsContexts else { return Pointer(0, in: kernel.memory.memory) }
      return try header.FilterContexts.removeContext(owner.bits, instance.bits)
    },
    // nf-ntifs-fsrtlteardownperstreamcontexts: each is freed by its owner.
    export("FsRtlTeardownPerStreamContexts(AdvancedHeader)", irql: .apc) {
      (kernel, header: Pointer<FSRTL_ADVANCED_FCB_HEADER>) async throws in
      guard try header.supportsContexts else { return }
      try await kernel.tearDown(header.FilterContexts)
    },
    // nf-ntifs-fsrtlinsertperfilecontext: the first makes the list, which the file system's pointer leads to.
    export("FsRtlInsertPerFileContext(PerFileContextPointer, Ptr)", irql: .apc) {
      (kernel, place: Pointer<Pointer<LIST_ENTRY>>, context: Pointer<FSRTL_PER_STREAM_CONTEXT>) -> NTSTATUS in
      guard !place.isNull else { return .invalidDeviceRequest }
      if try place.load().isNull {
        let list = Pointer<LIST_ENTRY>(try kernel.allocate(8), in: kernel.memory.memory)
        try list.initialize()
        try place.store(list)
      }
      try place.load().insertHead(context.Links)
      return .success
    },
    // nf-ntifs-fsrtllookupperfilecontext
    export("FsRtlLookupPerFileContext(PerFileContextPointer, OwnerId, InstanceId)", irql: .apc) {
      (
        kernel, place: Pointer<Pointer<LIST_ENTRY>>, owner: GuestWord, instance: GuestWord
      ) -> Pointer<FSRTL_PER_STREAM_CONTEXT> in
      guard !place.isNull, case let list = try place.load(), !list.isNull else { return Pointer(0, in: kernel.memory.memory) }
      return try list.context(owner.bits, instance.bits)
    },
    // nf-ntifs-fsrtlremoveperfilecontext
    export("FsRtlRemovePerFileContext(PerFileContextPointer, OwnerId, InstanceId)", irql: .apc) {
      (
        kernel, place: Pointer<Pointer<LIST_ENTRY>>, owner: GuestWord, instance: GuestWord
      ) -> Pointer<FSRTL_PER_STREAM_CONTEXT> in
      guard !place.isNull, case let list = try place.load(), !list.isNull else { return Pointer(0, in: kernel.memory.memory) }
      return try list.removeContext(owner.bits, instance.bits)
    },
    // nf-ntifs-fsrtlteardownperfilecontexts
    export("FsRtlTeardownPerFileContexts(PerFileContextPointer)", irql: .apc) {
      (kernel, place: Pointer<Pointer<LIST_ENTRY>>) async throws in
      guard !place.isNull, case let list = try place.load(), !list.isNull else { return }
      try await kernel.tearDown(list)
      kernel.free(list.address)
      try place.store(Pointer(0, in: kernel.memory.memory))
    },
  ]
}

extension Pointer where Pointee == FSRTL_ADVANCED_FCB_HEADER {
  fileprivate var supportsContexts: Bool { get throws { try !isNull && self.Flags2.load() & 2 != 0 } }
}

extension Pointer where Pointee == LIST_ENTRY {
  /// The first context of an owner and, if one is named, an instance; of anybody's where no owner is named.
  fileprivate func context(_ owner: UInt64, _ instance: UInt64) throws -> Pointer<FSRTL_PER_STREAM_CONTEXT> {
    let found = try elements(\FSRTL_PER_STREAM_CONTEXT.Links).first {
      if owner == 0 { return true }
      return try $0.OwnerId.load().address == owner && (instance == 0 || $0.InstanceId.load().address == instance)
    }
    return found ?? Pointer<FSRTL_PER_STREAM_CONTEXT>(0, in: memory)
  }

  fileprivate func removeContext(_ owner: UInt64, _ instance: UInt64) throws -> Pointer<FSRTL_PER_STREAM_CONTEXT> {
    let found = try context(owner, instance)
    if !found.isNull { try found.Links.remove() }
    return found
  }
}

extension Kernel {
  /// Takes every context off the list, and has its owner free it.
  fileprivate func tearDown(_ list: Pointer<LIST_ENTRY>) async throws {
    while let entry = try list.removeHead() {
      let context: Pointer<FSRTL_PER_STREAM_CONTEXT> = entry.container(\.Links)
      let routine = try context.FreeCallback.load().address
      if routine != 0 { _ = try await call(routine, [context.address]) }
    }
  }
}
