import Guest
import Memory
import WindowsTypes

extension Export {
  /// References, handles, and finding objects.
  static let ob: [Export] = [
    // nf-wdm-obfreferenceobject: on x86 the macro ObReferenceObject leads here.
    export("ObfReferenceObject(Object)", .fastcall, irql: .dispatch) { (kernel, object: GuestWord) -> Int32 in
      try kernel.reference(object.bits, for: kernel.site())
    },
    // nf-wdm-obdereferenceobject: on x86 the macro leads here.
    export("ObfDereferenceObject(Object)", .fastcall, irql: .dispatch) {
      (kernel, object: GuestWord) async throws -> Int32 in
      try await kernel.dereference(object.bits, by: kernel.servedReturnAddress)
    },
    export("ObDereferenceObject(Object)", irql: .dispatch) { (kernel, object: GuestWord) async throws -> Int32 in
      try await kernel.dereference(object.bits, by: kernel.servedReturnAddress)
    },
    // nf-wdm-obreferenceobjectbypointer
    export("ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode)", irql: .dispatch) {
      (kernel, object: GuestWord, access: UInt32, type: GuestWord, mode: KPROCESSOR_MODE) -> NTSTATUS in
      guard try kernel.isOfType(object.bits, type.bits), type.bits != 0 || mode == .kernelMode else { return .objectTypeMismatch }
      try kernel.reference(object.bits, for: kernel.site())
      return .success
    },
    // nf-wdm-obreferenceobjectbyhandle
    export(
      "ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object, HandleInformation)", irql: .passive
    ) {
      (
        kernel, handle: GuestWord, access: UInt32, type: GuestWord, mode: KPROCESSOR_MODE, result: Pointer<GuestWord>,
        information: Pointer<UInt32>
      ) -> NTSTATUS in
      try kernel.referenceObject(handle.bits, access, type.bits, mode, result, information)
    },
    // nf-ntifs-obopenobjectbypointer
    export(
      "ObOpenObjectByPointer(Object, HandleAttributes, PassedAccessState, DesiredAccess, ObjectType, AccessMode, Handle)",
      irql: .passive
    ) {
      (
        kernel, object: GuestWord, attributes: UInt32, state: Pointer<Void>, access: UInt32, type: GuestWord, mode: KPROCESSOR_MODE,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.openObject(object.bits, attributes, access, type.bits, result)
    },
    // nf-ntifs-obquerynamestring
    export("ObQueryNameString(Object, ObjectNameInfo, Length, ReturnLength)", irql: .passive) {
      (
        kernel, object: GuestWord, information: Pointer<UNICODE_STRING>, length: UInt32, needed: Pointer<UInt32>
      ) -> NTSTATUS in
      let name = try kernel.name(of: object.bits)
      let size = UInt32(8 + (name.isEmpty ? 0 : name.utf16.count * 2 + 2))
      try needed.store(size)
      // STATUS_INFO_LENGTH_MISMATCH
      guard length >= size else { return NTSTATUS(rawValue: 0xc000_0004) }
      try kernel.memory.memory.fill(0, count: 8, at: information.address)
      if !name.isEmpty { try information.store(name, buffer: Pointer(information.address + 8, in: kernel.memory.memory)) }
      return .success
    },
    // nf-ntifs-pslookupprocessbyprocessid
    export("PsLookupProcessByProcessId(ProcessId, Process)", irql: .apc) {
      (kernel, id: GuestWord, result: Pointer<Pointer<EPROCESS>>) -> NTSTATUS in
      guard
        let process = try kernel.processes.first(where: {
          try !$0.hasExited && $0.object.UniqueProcessId.load().address == id.bits && id.bits != 0
            && kernel.isListed(id.bits, $0.object.address)
        })
      else { return .invalidParameter }
      try kernel.reference(process.object.address, for: kernel.site())
      try result.store(process.object)
      return .success
    },
    // nf-ntifs-pslookupthreadbythreadid
    export("PsLookupThreadByThreadId(ThreadId, Thread)", irql: .apc) {
      (kernel, id: GuestWord, result: Pointer<Pointer<ETHREAD>>) -> NTSTATUS in
      guard
        let thread = try kernel.threads.first(where: {
          try !$0.owner.hasExited && $0.object.Cid.UniqueThread.load().address == id.bits && id.bits != 0
            && kernel.isListed(id.bits, $0.object.address)
        })
      else { return .invalidParameter }
      try kernel.reference(thread.object.address, for: kernel.site())
      try result.store(thread.object)
      return .success
    },
    // nf-ntddk-mmisaddressvalid
    export("MmIsAddressValid(VirtualAddress)", irql: .dispatch) { (kernel, address: GuestWord) -> UInt8 in
      _ = try kernel.provide(address.bits)
      return kernel.memory.memory.allows(.read, at: address.bits) ? 1 : 0
    },
  ]
}

extension Kernel {
  /// What `ObQueryNameString` says: a device's or link's path, or a file's behind its device's.
  func name(of object: UInt64) throws -> String {
    guard kind(of: object) == .file else { return io.objects[object]?.path ?? "" }
    let file = Pointer<FILE_OBJECT>(object, in: memory.memory)
    return (io.objects[try file.DeviceObject.load().address]?.path ?? "") + (try file.FileName.string())
  }
}

extension Kernel {
  /// `ObReferenceObjectByHandle`, with a tag or without: the object, and optionally what its handle grants.
  func referenceObject(
    _ handle: UInt64, _ access: UInt32, _ type: UInt64, _ mode: KPROCESSOR_MODE, _ result: Pointer<GuestWord>,
    _ information: Pointer<UInt32>
  ) throws -> NTSTATUS {
    try result.store(0)
    switch try object(handle, access: access, type: type, mode: mode) {
    case .failure(let refusal): return refusal.status
    case .success(let entry):
      try reference(entry.object, for: site())
      try result.store(GuestWord(entry.object))
      guard !information.isNull else { return .success }
      try information.store(0)
      try information[1].store(entry.grantedAccess)
      return .success
    }
  }
}
