import Guest
import WindowsTypes

/// A read or write that goes to the file system without an IRP, in its caller's thread and memory.
package struct FastTransfer {
  package let file: Pointer<FILE_OBJECT>
  package let isRead: Bool
  /// The caller's own.
  package let buffer: (address: UInt64, length: UInt32)
  package let offset: Int64
  package let key: UInt32
  package let mode: KPROCESSOR_MODE
}

/// Fast I/O, where a volume has it and a filter manager is there to see it.
struct FastIO {
  /// Gives the status and the count of bytes; `nil` where the request is to come as an IRP.
  var handler: ((FastTransfer) async throws -> (status: NTSTATUS, information: UInt64)?)?
}

extension Kernel {
  /// Whoever is asked for transfers by fast I/O.
  package func setFastIO(_ handler: @escaping (FastTransfer) async throws -> (status: NTSTATUS, information: UInt64)?) {
    fast.handler = handler
  }

  /// Tries a transfer by fast I/O, as the system call does for files opened for synchronous I/O that are cached already:
  /// `FILE_OBJECT.PrivateCacheMap` says so from the first transfer on. `nil` where it takes an IRP.
  func tryFast(
    _ arguments: RequestArguments, isRead: Bool, _ buffer: (address: UInt64, length: UInt32), key: Pointer<UInt32>,
    position: (Pointer<FILE_OBJECT>) throws -> Int64
  ) async throws -> NTSTATUS? {
    guard let handler = fast.handler, arguments.event == 0, arguments.apcRoutine == 0, let entry = try entry(of: arguments.handle),
      kind(of: entry.object) == .file
    else { return nil }
    let file = Pointer<FILE_OBJECT>(entry.object, in: memory.memory)
    let flags = try file.Flags.load()
    // FO_SYNCHRONOUS_IO, FO_CACHE_SUPPORTED
    guard flags & 0x42 == 0x42, let volume = try open(of: file)?.volume, volume.hasFastIO, !volume.hasPagingIO,
      entry.grantedAccess & (isRead ? 1 : 2) != 0
    else { return nil }
    guard try !file.PrivateCacheMap.load().isNull else {
      try file.PrivateCacheMap.store(file.FsContext.load().cast())
      return nil
    }
    let answer: (status: NTSTATUS, information: UInt64)?
    let offset: Int64
    do {
      if arguments.mode == .userMode { try checkUserRange(buffer.address, UInt64(buffer.length), 1) }
      offset = try position(file)
      guard offset >= 0 else { return nil }
      let key = key.isNull ? 0 : try key.load()
      answer = try await handler(
        FastTransfer(file: file, isRead: isRead, buffer: buffer, offset: offset, key: key, mode: arguments.mode))
    } catch is GuestException { return nil }
    guard let answer else { return nil }
    do {
      try arguments.block.Status.store(answer.status)
      try arguments.block.Information.store(GuestWord(answer.information))
    } catch let exception as GuestException { return exception.code }
    if answer.status.isSuccess { try file.CurrentByteOffset.QuadPart.store(offset &+ Int64(answer.information)) }
    return answer.status
  }
}
