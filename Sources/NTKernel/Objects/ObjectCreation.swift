import Guest
import WindowsTypes

/// Objects that drivers make themselves, of types that are Windows' or their own.
///
/// The routines have no reference pages: prototypes and what callers rely on are those of ReactOS' headers and of drivers that use them.
extension Export {
  static let objectCreation: [Export] = [
    export(
      "ObCreateObject(ProbeMode, ObjectType, ObjectAttributes, OwnershipMode, ParseContext, ObjectBodySize, PagedPoolCharge, NonPagedPoolCharge, Object)",
      irql: .passive
    ) {
      (
        kernel, probe: KPROCESSOR_MODE, type: Pointer<OBJECT_TYPE>, attributes: Pointer<OBJECT_ATTRIBUTES>, mode: KPROCESSOR_MODE,
        context: Pointer<Void>, size: UInt32, paged: UInt32, nonPaged: UInt32, result: Pointer<GuestWord>
      ) -> NTSTATUS in
      guard !type.isNull else { return .invalidParameter }
      // OBJ_EXCLUSIVE and its like, where the type has none of them.
      if !attributes.isNull, try attributes.Attributes.load() & type.TypeInfo.InvalidAttributes.load() != 0 { return .invalidParameter }
      return try kernel.createObject(type, attributes, size: UInt64(size), result)
    }
    .partially("nothing is charged to a quota, and a security descriptor is not kept")
    .uncertain("the routine has no page; it does what drivers that use it rely on"),
    export("ObInsertObject(Object, PassedAccessState, DesiredAccess, ObjectPointerBias, NewObject, Handle)", irql: .passive) {
      (
        kernel, object: GuestWord, state: Pointer<Void>, access: UInt32, bias: UInt32, inserted: Pointer<GuestWord>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.insertObject(object.bits, access, bias: bias, inserted, result)
    }
    .uncertain("the reference of the creation becomes the handle's, or is given back where no handle is asked for, as in ReactOS"),
    export("ObCreateObjectType(TypeName, ObjectTypeInitializer, SecurityDescriptor, ObjectType)", irql: .passive) {
      (
        kernel, name: Pointer<UNICODE_STRING>, initializer: Pointer<OBJECT_TYPE_INITIALIZER>, descriptor: Pointer<Void>,
        result: Pointer<GuestWord>
      ) -> NTSTATUS in
      try kernel.createObjectType(name, initializer, result)
    }
    .partially("its close and delete procedures are called; those for opening, parsing, security and names are not")
    .uncertain("the routine has no page; it does what drivers that use it rely on"),
    export("ObGetObjectType(Object)") { (kernel, object: GuestWord) -> Pointer<OBJECT_TYPE> in
      let own = try kernel.type(of: kernel.header(of: object.bits))
      if !own.isNull { return own }
      return Pointer(try kernel.objectType(kernel.kind(of: object.bits)), in: kernel.memory.memory)
    },
    // nf-ntifs-obclosehandle
    export("ObCloseHandle(Handle, PreviousMode)", irql: .passive) {
      (kernel, handle: GuestWord, mode: KPROCESSOR_MODE) async throws -> NTSTATUS in
      // A kernel handle is none of a user's.
      if mode == .userMode, handle.bits & 0x8000_0000 != 0 { return .invalidHandle }
      return try await kernel.close(handle.bits)
    },
    // OBJECT_HANDLE_ATTRIBUTE_INFORMATION: Inherit, ProtectFromClose.
    export("ObSetHandleAttributes(Handle, HandleFlags, PreviousMode)", irql: .passive) {
      (kernel, handle: GuestWord, flags: Pointer<UInt8>, mode: KPROCESSOR_MODE) -> NTSTATUS in
      if mode == .userMode, handle.bits & 0x8000_0000 != 0 { return .invalidHandle }
      guard try kernel.entry(of: handle.bits) != nil else { return .invalidHandle }
      let value: UInt8 = try (flags.load() != 0 ? 1 : 0) | (flags[1].load() != 0 ? 2 : 0)
      kernel.files.handleFlags[try kernel.handleKey(handle.bits)] = value
      return .success
    }
    .uncertain("the routine has no page; it does what drivers that use it rely on"),
    // nf-ntifs-obdereferenceobjectdeferdelete: a worker thread takes the last reference's object away.
    export("ObDereferenceObjectDeferDelete(Object)", irql: .dispatch) { (kernel, object: GuestWord) async throws in
      let count = kernel.header(of: object.bits).PointerCount
      guard try count.load() == 1 else {
        _ = try await kernel.dereference(object.bits, by: kernel.servedReturnAddress)
        return
      }
      let caller = kernel.servedReturnAddress
      try kernel.queue(
        WorkItem(
          routine: kernel.trapAddress(of: "ObpDeferredDelete"), arguments: [object.bits, caller], finish: {}), queue: 0)
    },
    export("ObpDeferredDelete(Object, Caller)", isImportable: false) { (kernel, object: GuestWord, caller: GuestWord) async throws in
      _ = try await kernel.dereference(object.bits, by: caller.bits)
    },
  ]
}

extension Kernel {
  /// What an object that was made and not inserted yet is to be called.
  struct PendingName {
    let path: String
    let attributes: ObjectAttributeFlags
  }

  fileprivate func createObject(
    _ type: Pointer<OBJECT_TYPE>, _ attributes: Pointer<OBJECT_ATTRIBUTES>, size: UInt64, _ result: Pointer<GuestWord>
  ) throws -> NTSTATUS {
    var name: PendingName?
    if !attributes.isNull {
      let flags = ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
      switch try path(attributes) {
      case .failure(let refusal): return refusal.status
      case .success(let path): name = PendingName(path: path, attributes: flags)
      }
    }
    guard size <= 0x10_0000 else { return .insufficientResources }
    let typeName = try type.Name.string()
    let kind = ObjectKind(rawValue: typeName) ?? .other
    let object = try makeObject(kind, size: max(size, 8))
    try setType(type, of: header(of: object))
    pendingNames[object] = name
    try reference(object, for: site())
    try header(of: object).PointerCount.store(1)
    try type.TotalNumberOfObjects.store(type.TotalNumberOfObjects.load() &+ 1)
    try result.store(GuestWord(object))
    return .success
  }

  fileprivate func insertObject(
    _ object: UInt64, _ access: UInt32, bias: UInt32, _ inserted: Pointer<GuestWord>, _ result: Pointer<GuestWord>
  ) async throws -> NTSTATUS {
    guard let record = io.objects[object] else { throw BugCheck(.referenceByPointer, 0, object, 2, 0) }
    let name = pendingNames.removeValue(forKey: object)
    if let name, !name.path.isEmpty {
      try makeNamespace()
      switch try place(forNew: name.path) {
      case .failure(let refusal):
        // The object goes where it cannot be inserted.
        _ = try await dereference(object, by: servedReturnAddress)
        return refusal.status
      case .success(let path):
        io.objects[object]?.path = path
        io.namespace.insert(object, record.kind, at: path)
      }
    }
    for _ in 0..<min(bias, 0x1_0000) { try reference(object, for: nil) }
    if !inserted.isNull { try inserted.store(GuestWord(object)) }
    guard !result.isNull else {
      _ = try await dereference(object, by: servedReturnAddress)
      return .success
    }
    let type = try self.type(of: header(of: object))
    let wanted = access & 0x200_0000 != 0 && !type.isNull ? try type.TypeInfo.ValidAccessMask.load() : access
    // The creation's reference is the handle's from here on.
    releaseSite(of: object, by: servedReturnAddress)
    try result.store(
      GuestWord(try makeHandle(to: object, access: wanted, attributes: name?.attributes ?? [], mode: .kernelMode)))
    return .success
  }

  fileprivate func createObjectType(
    _ name: Pointer<UNICODE_STRING>, _ initializer: Pointer<OBJECT_TYPE_INITIALIZER>, _ result: Pointer<GuestWord>
  ) throws -> NTSTATUS {
    let here = memory.memory
    let size = Pointer<OBJECT_TYPE_INITIALIZER>.size(in: here)
    guard !name.isNull, case let text = try name.string(), !text.isEmpty, !text.contains("\\"), !initializer.isNull,
      try Int(initializer.Length.load()) == size
    else { return .invalidParameter }
    guard objectTypes[text] == nil, ObjectKind(rawValue: text) == nil else { return .objectNameCollision }
    guard objectTypes.count < 0xf0 else { return .insufficientResources }
    let type = try objectType(named: text)
    try here.write(here.bytes(size, at: initializer.address), at: type.TypeInfo.address)
    try result.store(GuestWord(type.address))
    return .success
  }

  /// Calls what a driver's own type wants to be called when an object goes: `DeleteProcedure(Object)`.
  func callDeleteProcedure(of object: UInt64) async throws {
    let type = try self.type(of: header(of: object))
    guard !type.isNull, case let routine = try type.TypeInfo.DeleteProcedure.load().address, routine != 0 else { return }
    _ = try await call(routine, [object])
  }

  /// Calls `CloseProcedure(Process, Object, GrantedAccess, ProcessHandleCount, SystemHandleCount)` of a driver's own type.
  func callCloseProcedure(of entry: HandleTable.Entry, handlesLeft: Int32) async throws {
    let type = try self.type(of: header(of: entry.object))
    guard !type.isNull, case let routine = try type.TypeInfo.CloseProcedure.load().address, routine != 0 else { return }
    let count = UInt64(UInt32(bitPattern: handlesLeft &+ 1))
    _ = try await call(routine, [try requestor().object.address, entry.object, UInt64(entry.grantedAccess), count, count])
  }
}
