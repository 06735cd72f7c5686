import Events
import Guest
import Memory
import WindowsTypes

/// Objects: a body behind an `OBJECT_HEADER`, behind an `OBJECT_HEADER_NAME_INFO` where it has a name.
extension Kernel {
  /// The directories and links that exist before any driver does.
  func makeNamespace() throws {
    guard io.namespace["\\"] == nil else { return }
    for path in [
      "\\", "\\Device", "\\Driver", "\\FileSystem", "\\??", "\\BaseNamedObjects", "\\Callback", "\\KernelObjects", "\\ObjectTypes",
      "\\Security",
    ] { _ = try makeObject(.directory, size: 0xa0, path: path) }
    for link in ["\\DosDevices", "\\GLOBAL??"] { try makeSymbolicLink(link, to: "\\??") }
  }

  /// Makes an object of `size` bytes, zeroed, referenced once, with a name if `path` is given.
  package func makeObject(_ kind: ObjectKind, size: UInt64, path: String? = nil, at given: UInt64? = nil) throws -> UInt64 {
    let here = memory.memory
    let header = UInt64(OBJECT_HEADER.layouts[memory.target].Body.offset)
    let named = path == nil ? 0 : UInt64(Pointer<OBJECT_HEADER_NAME_INFO>.size(in: here))
    let block = try given ?? allocate(named + header + size)
    let place = Pointer<OBJECT_HEADER>(block + named, in: here)
    try place.PointerCount.store(1)
    try setType(Pointer(try objectType(kind), in: here), of: place)
    let body = place.address + header
    if let path {
      let parent = String(path[..<(path.lastIndex(of: "\\") ?? path.startIndex)])
      let info = Pointer<OBJECT_HEADER_NAME_INFO>(block, in: here)
      if isTypeByIndex {
        // OBJECT_INFOMASK_NAME of Windows 7's public symbols.
        try place.InfoMask.store(0x02)
      } else {
        try place.NameInfoOffset.store(UInt8(named))
      }
      try info.Directory.store(Pointer(io.namespace[parent.isEmpty ? "\\" : parent]?.object ?? 0, in: here))
      try store(String(path.split(separator: "\\").last ?? ""), in: info.Name)
      io.namespace.insert(body, kind, at: path)
    }
    io.objects[body] = IOManager.ObjectRecord(kind: kind, block: block, path: path, site: site())
    return body
  }

  /// The `OBJECT_TYPE` of a kind: what `*IoFileObjectType` and its like hold.
  func objectType(_ kind: ObjectKind) throws -> UInt64 { try objectType(named: kind.rawValue).address }

  /// Makes `string` describe a fresh copy of `text`.
  package func store(_ text: String, in string: Pointer<UNICODE_STRING>) throws {
    try string.store(text, buffer: Pointer(try allocate(UInt64(text.utf16.count * 2 + 2)), in: memory.memory))
  }

  package func header(of object: UInt64) -> Pointer<OBJECT_HEADER> {
    Pointer(object &- UInt64(OBJECT_HEADER.layouts[memory.target].Body.offset), in: memory.memory)
  }

  /// Whether an object's header holds its type's index in a table, as it does from Windows 7 on, and not the type's address.
  var isTypeByIndex: Bool { OBJECT_HEADER.layouts[memory.target].Type.isAbsent }

  func setType(_ type: Pointer<OBJECT_TYPE>, of header: Pointer<OBJECT_HEADER>) throws {
    if isTypeByIndex {
      try header.TypeIndex.store(type.Index_7.load())
    } else {
      try header.Type.store(type)
    }
  }

  /// The type that an object's header names; null for none.
  func type(of header: Pointer<OBJECT_HEADER>) throws -> Pointer<OBJECT_TYPE> {
    guard isTypeByIndex else { return try header.Type.load() }
    let index = try header.TypeIndex.load()
    let found = try index == 0 ? nil : objectTypes.values.first { try $0.Index_7.load() == index }
    return found ?? Pointer(0, in: memory.memory)
  }

  /// What the object at `object` is.
  package func kind(of object: UInt64) -> ObjectKind {
    if let record = io.objects[object] { return record.kind }
    if process(at: object) != nil { return .process }
    if thread(at: object) != nil { return .thread }
    return .other
  }

  /// As messages name it: its path, or its kind.
  func describe(object: UInt64) -> String {
    if let path = io.objects[object]?.path { return path }
    if let process = process(at: object) { return "process \(process.name)" }
    if let thread = thread(at: object) { return "thread \(thread.name)" }
    let kind = kind(of: object)
    return "\(kind == .other || kind == .event ? "an" : "a") \(kind.rawValue.lowercased()) object"
  }

  /// Takes a reference for `site`, which a report names if it is never given back. Returns the new count.
  @discardableResult
  package func reference(_ object: UInt64, for site: Site?) throws -> Int32 {
    let header = header(of: object)
    let count = try header.PointerCount.load() &+ 1
    try header.PointerCount.store(count)
    if let site { io.references[object, default: []].append(site) }
    return count
  }

  /// Whether `type` is what the object is, or no type is asked for.
  func isOfType(_ object: UInt64, _ type: UInt64) throws -> Bool {
    if type == 0 { return true }
    let own = try self.type(of: header(of: object)).address
    return try type == (own != 0 ? own : kind(of: object) == .other ? type : objectType(kind(of: object)))
  }

  /// Gives a reference back. The last one takes the object away: of a file, after its `IRP_MJ_CLOSE`.
  ///
  /// More than were taken is bugcheck 0x18, REFERENCE_BY_POINTER (type, object, 1, count).
  @discardableResult
  func dereference(_ object: UInt64, by caller: UInt64? = nil) async throws -> Int32 {
    let header = header(of: object)
    let count = try header.PointerCount.load() &- 1
    guard count >= 0 else {
      throw BugCheck(.referenceByPointer, try type(of: header).address, object, 1, UInt64(UInt32(bitPattern: count)))
    }
    try header.PointerCount.store(count)
    if let caller { forgetReference(to: object, by: caller) }
    if count == 0, let record = io.objects[object] { try await delete(object, record) }
    return count
  }

  /// The reference that `caller`'s driver holds is somebody else's from here on.
  func releaseSite(of object: UInt64, by caller: UInt64) { forgetReference(to: object, by: caller) }

  /// A reference of the same driver's as `caller` is given back; of another's where it has none.
  private func forgetReference(to object: UInt64, by caller: UInt64) {
    guard var sites = io.references[object], !sites.isEmpty else { return }
    let own = driver(containing: caller)
    let index = sites.lastIndex { driver(containing: $0.ip) === own } ?? sites.count - 1
    sites.remove(at: index)
    io.references[object] = sites.isEmpty ? nil : sites
  }

  private func delete(_ object: UInt64, _ record: IOManager.ObjectRecord) async throws {
    try await callDeleteProcedure(of: object)
    if record.kind == .key { try await cleanUpRegistryContexts(ofObject: object) }
    pendingNames[object] = nil
    if record.kind == .section { try await deleteSection(object) }
    if record.kind == .file { try await closeFile(Pointer(object, in: memory.memory)) }
    if let path = record.path, io.namespace[path]?.object == object { io.namespace.remove(path) }
    if record.kind != .file { try releaseDescriptor(ofObject: object) }
    io.objects[object] = nil
    io.references[object] = nil
    if record.kind == .key { forgetKeyObject(object) }
    if record.kind == .device {
      let device = Pointer<DEVICE_OBJECT>(object, in: memory.memory)
      try releaseDeviceTimer(device)
      let vpb = try device.Vpb.load()
      if !vpb.isNull { _ = nonPagedPool.free(vpb.address) }
    }
    _ = nonPagedPool.free(record.block)
  }

  // MARK: Links

  func makeSymbolicLink(_ path: String, to target: String) throws {
    // OBJECT_SYMBOLIC_LINK (public symbols of XP SP3): creation time, then the target.
    let link = try makeObject(.symbolicLink, size: 0x20, path: path)
    try store(target, in: linkTarget(link))
  }

  func target(ofLink link: UInt64) throws -> String { try linkTarget(link).string() }

  private func linkTarget(_ link: UInt64) -> Pointer<UNICODE_STRING> { Pointer(link + 8, in: memory.memory) }

  /// What `path` leads to.
  package func resolve(_ path: String, followsLast: Bool = true) throws -> ObjectNamespace.Destination {
    while true {
      var missing: String?
      let destination = try io.namespace.resolve(path, followsLast: followsLast, missing: &missing) { try linkTarget($0).string() }
      guard let missing, try makeStandingObject(at: missing) else { return destination }
    }
  }

  /// Where an object that `path` names may be made: its path with the links in it followed; or why it may not.
  package func place(forNew path: String) throws -> Result<String, Refusal> {
    guard path.hasPrefix("\\"), let slash = path.lastIndex(of: "\\") else { return .failure(Refusal(.objectPathSyntaxBad)) }
    let name = path[path.index(after: slash)...]
    guard !name.isEmpty else { return .failure(Refusal(.objectNameInvalid)) }
    let parent = String(path[..<slash])
    guard case .found(let entry, "") = try resolve(parent.isEmpty ? "\\" : parent), entry.kind == .directory else {
      return .failure(Refusal(.objectPathNotFound))
    }
    let full = (entry.path == "\\" ? "" : entry.path) + "\\" + name
    return io.namespace[full] == nil ? .success(full) : .failure(Refusal(.objectNameCollision))
  }

  /// A status in place of a result.
  package struct Refusal: Error {
    package let status: NTSTATUS
    package init(_ status: NTSTATUS) { self.status = status }
  }
}
