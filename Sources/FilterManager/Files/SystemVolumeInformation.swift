import Guest
import NTKernel
import WindowsTypes

extension Kernel {
  /// Calls a completion callback of a filter's own I/O (`PFLT_COMPLETED_ASYNC_IO_CALLBACK`), with callback data that lives that long.
  func tell(
    _ routine: UInt64, _ context: UInt64, _ instance: Instance, _ file: Pointer<FILE_OBJECT>, _ status: NTSTATUS, _ information: UInt64
  ) async throws -> NTSTATUS {
    let operation = try allocateCallbackData(instance, file)
    defer {
      unregister(Self.callbackDataKind, operation.data.address)
      release(operation)
    }
    try operation.data.IoStatus.Status.store(status)
    try operation.data.IoStatus.Information.store(GuestWord(information))
    _ = try await call(routine, [operation.data.address, context])
    return status
  }

  /// `\System Volume Information`, hidden and of the system, if it is not there.
  func makeSystemVolumeInformation(_ instance: Instance) async throws -> NTSTATUS {
    let text = Array((instance.volume.name + "\\System Volume Information").utf16)
    // OBJECT_ATTRIBUTES, its string, IO_STATUS_BLOCK, a handle.
    let place = try allocate(UInt64(0x40 + text.count * 2))
    defer { free(place) }
    let attributes = Pointer<OBJECT_ATTRIBUTES>(place, in: memory.memory)
    let name = Pointer<UNICODE_STRING>(place + 0x18, in: memory.memory)
    try write(text, at: place + 0x40)
    try name.Length.store(UInt16(text.count * 2))
    try name.MaximumLength.store(UInt16(text.count * 2))
    try name.Buffer.store(Pointer(place + 0x40, in: memory.memory))
    try attributes.Length.store(0x18)
    try attributes.ObjectName.store(name)
    // OBJ_KERNEL_HANDLE, OBJ_CASE_INSENSITIVE
    try attributes.Attributes.store(0x240)
    // FILE_LIST_DIRECTORY | SYNCHRONIZE; hidden and system; shared; FILE_OPEN_IF; a directory, synchronously.
    let status = try await createFile(
      below: GuestWord(instance.address), [place + 0x30, 0x10_0001, place, place + 0x20, 0, 6, 7, 3, 0x21, 0, 0])
    if status.isSuccess {
      let handle = try Pointer<GuestWord>(place + 0x30, in: memory.memory).load().bits
      _ = try await call(trapAddress(of: "ZwClose"), [handle])
    }
    return status
  }
}
