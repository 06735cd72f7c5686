import Guest
import WindowsTypes

/// A locked range of a file.
struct ByteRangeLock: Hashable {
  let offset: UInt64
  let length: UInt64
  let key: UInt32
  /// `EPROCESS` and `FILE_OBJECT`: with the key, who holds it.
  let process: UInt64
  let file: UInt64
  let isExclusive: Bool

  func overlaps(_ offset: UInt64, _ length: UInt64) -> Bool {
    guard self.length > 0, length > 0 else { return false }
    let (last, otherLast) = (self.offset &+ (self.length - 1), offset &+ (length - 1))
    return self.offset <= otherLast && offset <= last
  }
  func isHeld(by file: UInt64, _ process: UInt64, _ key: UInt32) -> Bool {
    self.file == file && self.process == process && self.key == key
  }
}

/// The ranges of one file, in the order in which they were locked.
typealias ByteRangeLocks = [ByteRangeLock]

/// Byte-range locks, whose rules are those of FsRtlProcessFileLock and the two FsRtlFastCheckLock routines.
extension Kernel {
  /// Whether a range can be locked: exclusively where no lock overlaps it, shared where no other's exclusive one does.
  func canLock(_ wanted: ByteRangeLock, at lock: UInt64) -> Bool {
    !(files.locks[lock] ?? []).contains {
      $0.overlaps(wanted.offset, wanted.length)
        && (wanted.isExclusive || $0.isExclusive && !$0.isHeld(by: wanted.file, wanted.process, wanted.key))
    }
  }

  /// Whether a transfer is allowed: a read but for others' exclusive locks, a write but for any shared lock, too.
  func allows(
    _ offset: UInt64, _ length: UInt64, key: UInt32, file: UInt64, process: UInt64, isWrite: Bool, at lock: UInt64
  ) -> Bool {
    !(files.locks[lock] ?? []).contains {
      $0.overlaps(offset, length) && ($0.isExclusive ? !$0.isHeld(by: file, process, key) : isWrite)
    }
  }

  func checkLocks(of node: FileNode, _ offset: UInt64, _ length: UInt64, key: UInt32, file: UInt64, isWrite: Bool) throws {
    let lock = try controlBlock(of: node).FileLock.address
    guard files.locks[lock] != nil else { return }
    let process = try requestor().object.address
    if !allows(offset, length, key: key, file: file, process: process, isWrite: isWrite, at: lock) {
      throw Refusal(.fileLockConflict)
    }
  }

  /// `IRP_MJ_LOCK_CONTROL` on a set of locks: what it comes to, `.pending` where it waits for others' locks to go.
  func lockControl(_ irp: Pointer<IRP>, _ stack: Pointer<IO_STACK_LOCATION>, at lock: UInt64) async throws -> NTSTATUS {
    let parameters = stack.Parameters.LockControl
    let file = try stack.FileObject.load().address
    let process = try requestor().object.address
    let (offset, key) = (UInt64(bitPattern: try parameters.ByteOffset.QuadPart.load()), try parameters.Key.load())
    let lengthPlace = try parameters.Length.load()
    let length = lengthPlace.isNull ? 0 : UInt64(bitPattern: try lengthPlace.QuadPart.load())
    let flags = try stack.Flags.load()
    switch try stack.MinorFunction.load() {
    case 1:
      if length > 0, offset > UInt64.max - (length - 1) { return NTSTATUS(rawValue: 0xc000_01a1) }
      // SL_FAIL_IMMEDIATELY 1, SL_EXCLUSIVE_LOCK 2
      let wanted = ByteRangeLock(
        offset: offset, length: length, key: key, process: process, file: file, isExclusive: flags & 2 != 0)
      guard canLock(wanted, at: lock) else {
        if flags & 1 != 0 { return .lockNotGranted }
        try stack.Control.store(stack.Control.load().union(.pendingReturned))
        files.waitingLocks.append((irp.address, lock, wanted))
        return .pending
      }
      files.locks[lock, default: []].append(wanted)
      return .success
    case 2:
      guard
        let index = files.locks[lock]?.firstIndex(where: {
          $0.isHeld(by: file, process, key) && $0.offset == offset && $0.length == length
        })
      else { return .rangeNotLocked }
      files.locks[lock]?.remove(at: index)
    case 3: files.locks[lock]?.removeAll { $0.file == file && $0.process == process }
    case 4: files.locks[lock]?.removeAll { $0.isHeld(by: file, process, key) }
    default: return .invalidDeviceRequest
    }
    try await grantWaitingLocks(at: lock)
    return .success
  }

  /// Completes the requests that waited for locks which are gone.
  func grantWaitingLocks(at lock: UInt64) async throws {
    while let index = files.waitingLocks.firstIndex(where: { $0.lock == lock && canLock($0.wanted, at: lock) }) {
      let (irp, _, wanted) = files.waitingLocks.remove(at: index)
      files.locks[lock, default: []].append(wanted)
      let packet = Pointer<IRP>(irp, in: memory.memory)
      try packet.IoStatus.Status.store(.success)
      try packet.IoStatus.Information.store(0)
      try await completeRequest(packet)
    }
  }

  func lockControl(_ request: FileRequest) async throws -> Reply {
    let node = try request.requireNode()
    if node.isDirectory { throw Refusal(.invalidParameter) }
    return Reply(try await lockControl(request.irp, request.stack, at: controlBlock(of: node).FileLock.address))
  }
}
