import Guest
import WindowsTypes

/// Handles: a process's names for objects, and the kernel's.
extension Kernel {
  /// Makes a handle to `object`, which keeps a reference of its own.
  package func makeHandle(to object: UInt64, access: UInt32, attributes: ObjectAttributeFlags, mode: KPROCESSOR_MODE) throws -> UInt64 {
    let header = header(of: object)
    try header.HandleCount.store(header.HandleCount.load() + 1)
    let isKernel = attributes.contains(.kernelHandle) && mode == .kernelMode
    return handles.insert(object, access: access, process: isKernel ? HandleTable.kernel : try requestor().id, site: caller.address)
  }

  /// What a handle stands for; `-1` and `-2` are the current process and thread.
  package func entry(of handle: UInt64) throws -> HandleTable.Entry? {
    switch handle {
    case 0xffff_ffff: HandleTable.Entry(object: try currentProcess().address, grantedAccess: 0x1f_0fff)
    case 0xffff_fffe: HandleTable.Entry(object: try currentThread().address, grantedAccess: 0x1f_03ff)
    default: handles[handle, try requestor().id]
    }
  }

  /// `ObReferenceObjectByHandle` without the reference: the object, or why not.
  func object(_ handle: UInt64, access: UInt32, type: UInt64, mode: KPROCESSOR_MODE) throws -> Result<HandleTable.Entry, Refusal> {
    let isPseudo = handle >= 0xffff_fffe
    if mode == .userMode, handle & 0x8000_0000 != 0, !isPseudo { return .failure(Refusal(.invalidHandle)) }
    guard let entry = try entry(of: handle) else { return .failure(Refusal(.invalidHandle)) }
    guard try isOfType(entry.object, type) else { return .failure(Refusal(.objectTypeMismatch)) }
    if mode == .userMode, access & ~entry.grantedAccess != 0 { return .failure(Refusal(.accessDenied)) }
    return .success(entry)
  }

  /// `ZwClose` (nf-ntifs-ntclose): of a file's last handle, after its `IRP_MJ_CLEANUP`.
  package func close(_ handle: UInt64) async throws -> NTSTATUS {
    // ProtectFromClose: STATUS_HANDLE_NOT_CLOSABLE.
    if (files.handleFlags[try handleKey(handle)] ?? 0) & 2 != 0, try entry(of: handle) != nil { return NTSTATUS(rawValue: 0xc000_0235) }
    if let entry = try entry(of: handle), configuration.open[entry.object] != nil {
      let status = try await announceClosing(of: entry.object)
      guard status.isSuccess else { return status }
    }
    guard let entry = handles.remove(handle, process: try requestor().id) else { return .invalidHandle }
    let header = header(of: entry.object)
    let count = try header.HandleCount.load() - 1
    try header.HandleCount.store(count)
    let kind = kind(of: entry.object)
    try await callCloseProcedure(of: entry, handlesLeft: count)
    if count == 0, kind == .file { try await cleanUp(Pointer(entry.object, in: memory.memory)) }
    if count == 0 { try endWatch(of: entry.object) }
    if count == 0, let close = io.closeProcedures[kind] { try await close(entry.object) }
    try await dereference(entry.object)
    return .success
  }

  /// The mode that the running thread came into the kernel from.
  func previousMode() throws -> KPROCESSOR_MODE { try currentThread().PreviousMode.load() }

  /// `OBJECT_ATTRIBUTES.ObjectName`, behind its root directory's path.
  package func path(_ attributes: Pointer<OBJECT_ATTRIBUTES>) throws -> Result<String, Refusal> {
    let name = try attributes.ObjectName.load()
    let text = name.isNull ? "" : try name.string()
    let root = try attributes.RootDirectory.load().address
    guard root != 0 else { return .success(text) }
    guard let entry = try entry(of: root) else { return .failure(Refusal(.invalidHandle)) }
    guard kind(of: entry.object) == .file else {
      return .success((io.objects[entry.object]?.path ?? "") + (text.hasPrefix("\\") ? "" : "\\") + text)
    }
    let file = Pointer<FILE_OBJECT>(entry.object, in: memory.memory)
    let device = try file.DeviceObject.load().address
    let base = (io.objects[device]?.path ?? "") + (try file.FileName.string())
    return .success(base + (base.hasSuffix("\\") || text.hasPrefix("\\") ? "" : "\\") + text)
  }
}
