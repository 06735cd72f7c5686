import Guest
import WindowsTypes

extension Export {
  /// Directories of the object manager, symbolic links, and what handles say of their objects.
  static let objectCalls: [Export] = [
    // nf-wdm-zwopendirectoryobject
    export("ZwOpenDirectoryObject(DirectoryHandle, DesiredAccess, ObjectAttributes)", irql: .passive) {
      (kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>) async throws -> NTSTATUS in
      try await kernel.systemCall { try kernel.openObject(.directory, attributes, access, result) }
    },
    // nf-wdm-zwcreatedirectoryobject
    export("ZwCreateDirectoryObject(DirectoryHandle, DesiredAccess, ObjectAttributes)", irql: .passive) {
      (kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>) async throws -> NTSTATUS in
      try await kernel.systemCall {
        try kernel.createNamed(.directory, attributes, access, result) { try kernel.makeObject(.directory, size: 0xa0, path: $0) }
      }
    },
    // nf-ntifs-ntquerydirectoryobject: OBJECT_DIRECTORY_INFORMATION
    export(
      "ZwQueryDirectoryObject(DirectoryHandle, Buffer, Length, ReturnSingleEntry, RestartScan, Context, ReturnLength)", irql: .passive
    ) {
      (
        kernel, handle: GuestWord, buffer: GuestWord, length: UInt32, single: UInt8, restart: UInt8, context: Pointer<UInt32>,
        needed: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      try await kernel.systemCall {
        guard let entry = try kernel.entry(of: handle.bits) else { return .invalidHandle }
        guard kernel.kind(of: entry.object) == .directory else { return .objectTypeMismatch }
        return try kernel.list(entry.object, buffer.bits, length, isSingle: single != 0, restarts: restart != 0, context, needed)
      }
    },
    // nf-wdm-zwopensymboliclinkobject
    export("ZwOpenSymbolicLinkObject(LinkHandle, DesiredAccess, ObjectAttributes)", irql: .passive) {
      (kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>) async throws -> NTSTATUS in
      try await kernel.systemCall { try kernel.openObject(.symbolicLink, attributes, access, result) }
    },
    // nf-wdm-zwquerysymboliclinkobject
    export("ZwQuerySymbolicLinkObject(LinkHandle, LinkTarget, ReturnedLength)", irql: .passive) {
      (kernel, handle: GuestWord, target: Pointer<UNICODE_STRING>, needed: Pointer<UInt32>) async throws -> NTSTATUS in
      try await kernel.systemCall {
        guard let entry = try kernel.entry(of: handle.bits) else { return .invalidHandle }
        guard kernel.kind(of: entry.object) == .symbolicLink else { return .objectTypeMismatch }
        let units = Array(try kernel.target(ofLink: entry.object).utf16)
        // With ReturnedLength the terminator counts.
        let size = units.count * 2 + (needed.isNull ? 0 : 2)
        if !needed.isNull { try needed.store(UInt32(size)) }
        guard try Int(target.MaximumLength.load()) >= size else { return .bufferTooSmall }
        try target.text.write(units + (needed.isNull ? [] : [0]))
        try target.set(count: units.count)
        return .success
      }
    }
    .uncertain("with ReturnedLength the buffer must hold the terminator, too; the page says “the maximum number of bytes to copy”"),
    // NtCreateSymbolicLinkObject
    export("ZwCreateSymbolicLinkObject(LinkHandle, DesiredAccess, ObjectAttributes, LinkTarget)", irql: .passive) {
      (
        kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>, target: Pointer<UNICODE_STRING>
      ) async throws -> NTSTATUS in
      try await kernel.systemCall {
        let text = try target.string()
        return try kernel.createNamed(.symbolicLink, attributes, access, result) {
          try kernel.makeSymbolicLink($0, to: text)
          return kernel.io.namespace[$0]?.object ?? 0
        }
      }
    },
    // nf-wdm-zwmaketemporaryobject
    export("ZwMakeTemporaryObject(Handle)", irql: .passive) { (kernel, handle: GuestWord) async throws -> NTSTATUS in
      guard let entry = try kernel.entry(of: handle.bits) else { return .invalidHandle }
      try await kernel.makeTemporary(entry.object)
      return .success
    },
    export("ObMakeTemporaryObject(Object)", irql: .passive) { (kernel, object: GuestWord) async throws in
      try await kernel.makeTemporary(object.bits)
    },
    // nf-ntifs-ntqueryobject
    export("ZwQueryObject(Handle, ObjectInformationClass, ObjectInformation, ObjectInformationLength, ReturnLength)", irql: .passive) {
      (kernel, handle: GuestWord, kind: UInt32, buffer: GuestWord, length: UInt32, needed: Pointer<UInt32>) async throws -> NTSTATUS in
      try await kernel.systemCall {
        guard let entry = try kernel.entry(of: handle.bits) else { return .invalidHandle }
        return try kernel.queryObject(handle.bits, entry, kind, buffer.bits, length, needed)
      }
    }
    .partially("the list of all types is an unknown class, and a type tells its name alone"),
    // NtSetInformationObject, ObjectHandleFlagInformation: Inherit, ProtectFromClose.
    export("ZwSetInformationObject(Handle, ObjectInformationClass, ObjectInformation, ObjectInformationLength)", irql: .passive) {
      (kernel, handle: GuestWord, kind: UInt32, buffer: Pointer<UInt8>, length: UInt32) async throws -> NTSTATUS in
      try await kernel.systemCall {
        guard try kernel.entry(of: handle.bits) != nil else { return .invalidHandle }
        guard kind == 4 else { return .invalidInfoClass }
        guard length == 2 else { return .infoLengthMismatch }
        let flags: UInt8 = try (buffer.load() != 0 ? 1 : 0) | (buffer[1].load() != 0 ? 2 : 0)
        kernel.files.handleFlags[try kernel.handleKey(handle.bits)] = flags
        return .success
      }
    },
    // nf-ntifs-zwduplicateobject
    export(
      "ZwDuplicateObject(SourceProcessHandle, SourceHandle, TargetProcessHandle, TargetHandle, DesiredAccess, HandleAttributes, Options)",
      irql: .passive
    ) {
      (
        kernel, source: GuestWord, handle: GuestWord, target: GuestWord, result: Pointer<GuestWord>, access: UInt32, attributes: UInt32,
        options: UInt32
      ) async throws -> NTSTATUS in
      try await kernel.systemCall {
        try await kernel.duplicate(handle.bits, from: source.bits, to: target.bits, result, access, attributes, options)
      }
    },
    // ntifs.h of the time declares neither page; the routine is ZwOpenObject of whatever type.
    export(
      "ObReferenceObjectByName(ObjectName, Attributes, AccessState, DesiredAccess, ObjectType, AccessMode, ParseContext, Object)",
      irql: .passive
    ) {
      (
        kernel, name: Pointer<UNICODE_STRING>, attributes: UInt32, state: Pointer<Void>, access: UInt32, type: GuestWord,
        mode: KPROCESSOR_MODE, context: Pointer<Void>, result: Pointer<GuestWord>
      ) -> NTSTATUS in
      try kernel.makeNamespace()
      try result.store(0)
      // OBJ_OPENLINK: the link itself.
      let wantsLink = try attributes & 0x100 != 0 || type.bits == kernel.objectType(.symbolicLink)
      switch try kernel.resolve(name.string(), followsLast: !wantsLink) {
      case .failed(let status): return status
      case .found(let entry, let rest):
        guard try rest.isEmpty && kernel.isOfType(entry.object, type.bits) else { return .objectTypeMismatch }
        try kernel.reference(entry.object, for: kernel.site())
        try result.store(GuestWord(entry.object))
        return .success
      }
    }
    .uncertain("the routine has no page; it does what drivers that use it rely on"),
    export(
      "ObOpenObjectByName(ObjectAttributes, ObjectType, AccessMode, AccessState, DesiredAccess, ParseContext, Handle)", irql: .passive
    ) {
      (
        kernel, attributes: Pointer<OBJECT_ATTRIBUTES>, type: GuestWord, mode: KPROCESSOR_MODE, state: Pointer<Void>, access: UInt32,
        context: Pointer<Void>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.systemCall {
        try kernel.makeNamespace()
        guard case .success(let path) = try kernel.path(attributes) else { return .invalidHandle }
        let wantsLink = try type.bits == kernel.objectType(.symbolicLink)
        switch try kernel.resolve(path, followsLast: !wantsLink) {
        case .failed(let status): return status
        case .found(let entry, let rest):
          guard try rest.isEmpty && kernel.isOfType(entry.object, type.bits) else { return .objectTypeMismatch }
          let flags = ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
          try kernel.reference(entry.object, for: nil)
          try result.store(GuestWord(try kernel.makeHandle(to: entry.object, access: access, attributes: flags, mode: .kernelMode)))
          return .success
        }
      }
    }
    .partially("files and keys are not opened by it")
    .uncertain("the routine has no page; it does what drivers that use it rely on"),
  ]
}

extension Kernel {
  /// Makes an object with the name that its attributes give, and a handle to it: the one there is, where `OBJ_OPENIF` asks for it.
  fileprivate func createNamed(
    _ kind: ObjectKind, _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ access: UInt32, _ result: Pointer<GuestWord>,
    _ make: (String) throws -> UInt64
  ) throws -> NTSTATUS {
    try makeNamespace()
    let flags = ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
    let path: String
    switch try self.path(attributes) {
    case .failure(let refusal): return refusal.status
    case .success(let name):
      switch try place(forNew: name) {
      case .success(let place): path = place
      case .failure(let refusal):
        guard refusal.status == .objectNameCollision, flags.contains(.openIf) else { return refusal.status }
        let status = try openObject(kind, attributes, access, result)
        return status == .success ? .objectNameExists : status
      }
    }
    let object = try make(path)
    if flags.contains(.permanent) {
      // OB_FLAG_PERMANENT_OBJECT: the name keeps it.
      try header(of: object).Flags.store(header(of: object).Flags.load() | 0x10)
      try reference(object, for: nil)
    }
    try result.store(GuestWord(try makeHandle(to: object, access: access, attributes: flags, mode: .kernelMode)))
    return .success
  }

  /// The name no longer keeps the object.
  fileprivate func makeTemporary(_ object: UInt64) async throws {
    let header = header(of: object)
    guard try header.Flags.load() & 0x10 != 0 else { return }
    try header.Flags.store(header.Flags.load() & ~0x10)
    try await dereference(object)
  }

  /// `OBJECT_DIRECTORY_INFORMATION` of what a directory holds, by name: a name and a type each, and an empty one at the end.
  fileprivate func list(
    _ directory: UInt64, _ buffer: UInt64, _ length: UInt32, isSingle: Bool, restarts: Bool, _ context: Pointer<UInt32>,
    _ needed: Pointer<UInt32>
  ) throws -> NTSTATUS {
    try makeStandingObjects(in: io.objects[directory]?.path ?? "\\")
    let children = io.namespace.children(of: io.objects[directory]?.path ?? "\\")
    let first = restarts ? 0 : Int(try context.load())
    guard first < children.count else { return .noMoreEntries }
    func size(_ entry: ObjectNamespace.Entry) -> Int { 16 + (entry.name.utf16.count + entry.kind.rawValue.utf16.count) * 2 + 4 }
    var (count, total) = (0, 16)
    while first + count < children.count, total + size(children[first + count]) <= Int(length) {
      total += size(children[first + count])
      count += 1
      if isSingle { break }
    }
    guard count > 0 else {
      if !needed.isNull { try needed.store(UInt32(16 + size(children[first]))) }
      return isSingle ? .bufferTooSmall : .moreEntries
    }
    let here = memory.memory
    var text = buffer + UInt64(16 * (count + 1))
    for (index, entry) in children[first..<first + count].enumerated() {
      let place = buffer + UInt64(16 * index)
      for (offset, name) in [(0, entry.name), (8, entry.kind.rawValue)] as [(UInt64, String)] {
        try Pointer<UNICODE_STRING>(place + offset, in: here).store(name, buffer: Pointer(text, in: here))
        try here.store(UInt16(0), at: text + UInt64(name.utf16.count * 2))
        text += UInt64(name.utf16.count * 2 + 2)
      }
    }
    try here.fill(0, count: 16, at: buffer + UInt64(16 * count))
    try context.store(UInt32(first + count))
    if !needed.isNull { try needed.store(UInt32(text - buffer)) }
    return !isSingle && first + count < children.count ? .moreEntries : .success
  }

  fileprivate func queryObject(
    _ handle: UInt64, _ entry: HandleTable.Entry, _ kind: UInt32, _ buffer: UInt64, _ length: UInt32, _ needed: Pointer<UInt32>
  ) throws -> NTSTATUS {
    let here = memory.memory
    func answer(_ size: Int, _ body: () throws -> Void) throws -> NTSTATUS {
      if !needed.isNull { try needed.store(UInt32(size)) }
      guard Int(length) >= size else { return .infoLengthMismatch }
      try body()
      return .success
    }
    func describe(_ name: String, size: Int) throws -> NTSTATUS {
      try answer(size + (name.isEmpty ? 0 : name.utf16.count * 2 + 2)) {
        try here.fill(0, count: size, at: buffer)
        guard !name.isEmpty else { return }
        let text = Pointer<UNICODE_STRING>(buffer, in: here)
        try text.store(name, buffer: Pointer(buffer + UInt64(size), in: here))
        try text.MaximumLength.store(UInt16(name.utf16.count * 2 + 2))
        try here.store(UInt16(0), at: buffer + UInt64(size + name.utf16.count * 2))
      }
    }
    let header = header(of: entry.object)
    switch kind {
    case 0:
      guard length == 56 else { return .infoLengthMismatch }
      return try answer(56) {
        var record = RecordBuilder()
        let name = try name(of: entry.object)
        record.put(UInt32(files.handleFlags[try handleKey(handle)] ?? 0) << 1 & 2)
        record.put(entry.grantedAccess)
        record.put(UInt32(bitPattern: try header.HandleCount.load()))
        record.put(UInt32(bitPattern: try header.PointerCount.load()))
        for _ in 0..<5 { record.put(UInt32(0)) }
        record.put(UInt32(name.isEmpty ? 0 : 8 + name.utf16.count * 2 + 2))
        record.put(UInt32(0x60 + self.kind(of: entry.object).rawValue.utf16.count * 2 + 2))
        record.put(UInt32(0))
        record.put(UInt64(0))
        try here.write(record.bytes, at: buffer)
      }
    case 1: return try describe(name(of: entry.object), size: 8)
    case 2: return try describe(self.kind(of: entry.object).rawValue, size: 0x60)
    case 4:
      return try answer(2) {
        let flags = files.handleFlags[try handleKey(handle)] ?? 0
        try here.write([flags & 1, flags >> 1 & 1], at: buffer)
      }
    default: return .invalidInfoClass
    }
  }

  /// What a handle is, whoever asks: its table and its value.
  func handleKey(_ handle: UInt64) throws -> FileSystems.HandleKey {
    FileSystems.HandleKey(process: handle & 0x8000_0000 != 0 ? HandleTable.kernel : try requestor().id, handle: handle & ~3)
  }

  fileprivate func duplicate(
    _ handle: UInt64, from source: UInt64, to target: UInt64, _ result: Pointer<GuestWord>, _ access: UInt32, _ attributes: UInt32,
    _ options: UInt32
  ) async throws -> NTSTATUS {
    guard let owner = try process(ofHandle: source) else { return .invalidHandle }
    let isPseudo = handle >= 0xffff_fffe
    guard let entry = isPseudo ? try entry(of: handle) : handles[handle, owner.id] else { return .invalidHandle }
    // DUPLICATE_CLOSE_SOURCE 1, DUPLICATE_SAME_ACCESS 2
    if target != 0 || options & 1 == 0 {
      guard let receiver = try process(ofHandle: target) else { return .invalidHandle }
      let flags = ObjectAttributeFlags(rawValue: attributes)
      let operation = HandleOperation(
        code: 2, object: entry.object, isKernelHandle: flags.contains(.kernelHandle), source: owner.object.address,
        target: receiver.object.address)
      let rights = options & 2 != 0 ? entry.grantedAccess : granted(access)
      let status = try await announcingHandle(operation, access: rights) { rights in
        let header = header(of: entry.object)
        try header.HandleCount.store(header.HandleCount.load() + 1)
        try reference(entry.object, for: nil)
        let made = handles.insert(entry.object, access: rights, process: flags.contains(.kernelHandle) ? HandleTable.kernel : receiver.id)
        if !result.isNull { try result.store(GuestWord(made)) }
        return .success
      }
      guard status.isSuccess else { return status }
    }
    if options & 1 != 0, !isPseudo {
      guard handles.remove(handle, process: owner.id) != nil else { return .invalidHandle }
      let header = header(of: entry.object)
      let count = try header.HandleCount.load() - 1
      try header.HandleCount.store(count)
      if count == 0, kind(of: entry.object) == .file { try await cleanUp(Pointer(entry.object, in: memory.memory)) }
      try await dereference(entry.object)
    }
    return .success
  }
}
