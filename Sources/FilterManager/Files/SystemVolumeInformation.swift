import Guest
import NTKernel
import WindowsTypes

extension Kernel {
  /// `\System Volume Information`, hidden and of the system, if it is not there.
  func makeSystemVolumeInformation(_ instance: Instance) async throws -> NTSTATUS {
    // FILE_LIST_DIRECTORY | SYNCHRONIZE; hidden and system; FILE_OPEN_IF; a directory, synchronously.
    let (status, handle) = try await openBelow(
      instance, instance.volume.name + "\\System Volume Information", access: 0x10_0001, attributes: 6, disposition: 3, options: 0x21)
    if status.isSuccess { _ = try await call(trapAddress(of: "ZwClose"), [handle]) }
    return status
  }

  /// Opens a file, shared for all, by a kernel handle: the filters above `instance`, and that of its own, do not see it.
  func openBelow(
    _ instance: Instance, _ path: String, access: UInt32, attributes fileAttributes: UInt64 = 0x80, disposition: UInt64, options: UInt64
  ) async throws -> (status: NTSTATUS, handle: UInt64) {
    let text = Array(path.utf16)
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
    let status = try await createFile(
      below: GuestWord(instance.address),
      [place + 0x30, UInt64(access), place, place + 0x20, 0, fileAttributes, 7, disposition, options, 0, 0])
    return (status, try Pointer<GuestWord>(place + 0x30, in: memory.memory).load().bits)
  }
}
