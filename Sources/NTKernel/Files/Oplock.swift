import Guest
import WindowsTypes

/// The opportunistic lock of one stream: what a file system's `OPLOCK` leads to once somebody has asked for one.
final class Oplock {
  enum Kind { case levelOne, batch, filter }
  /// What is left of a lock that is broken: `FILE_OPLOCK_BROKEN_TO_LEVEL_2` and `FILE_OPLOCK_BROKEN_TO_NONE` (`ntifs.h`).
  enum Outcome: UInt64 { case levelTwo = 7, none = 8 }
  /// The one that excludes others, and the request that waits to hear that it is broken; 0 once it has heard.
  struct Exclusive {
    let kind: Kind
    let file: UInt64
    var irp: UInt64
    /// What its owner has been told, and not yet acknowledged.
    var breaking: Outcome?
  }
  /// Who goes on when the owner has acknowledged.
  enum Waiter {
    case thread(Pointer<KEVENT>)
    case request(irp: UInt64, routine: UInt64, context: UInt64)
  }

  var exclusive: Exclusive?
  /// Locks of level 2: the file, and the request that waits to hear that it is broken.
  var shared: [(file: UInt64, irp: UInt64)] = []
  var waiting: [Waiter] = []
  /// Requests of `FSCTL_OPLOCK_BREAK_NOTIFY`.
  var notices: [UInt64] = []

  var isBreaking: Bool { exclusive?.breaking != nil }
}

/// Every oplock, by the address of the block that its `OPLOCK` holds.
final class Oplocks {
  var all: [UInt64: Oplock] = [:]
}

/// What an operation does to the locks of other openers (ifs, "Breaking Oplocks").
struct OplockBreak {
  /// What a level 1 or batch lock becomes.
  var exclusive: Oplock.Outcome?
  /// Whether a batch lock alone of these two is meant.
  var sparesLevelOne = false
  var breaksFilter = false
  var breaksLevelTwo = false
}

extension Kernel {
  private var oplocks: Oplocks { part { Oplocks() } }

  /// The lock behind an `OPLOCK`; `nil` while nobody has asked for one.
  func oplock(_ place: Pointer<GuestWord>) throws -> Oplock? {
    place.isNull ? nil : oplocks.all[try place.load().bits]
  }

  private func makeOplock(_ place: Pointer<GuestWord>) throws -> Oplock {
    if let known = try oplock(place) { return known }
    let block = try allocate(0x10)
    let new = Oplock()
    oplocks.all[block] = new
    try place.store(GuestWord(block))
    return new
  }

  // MARK: Asking

  /// `FSCTL_REQUEST_…OPLOCK…` and its like (`ntifs.h`).
  enum OplockControl {
    static let levelOne: UInt32 = 0x9_0000
    static let levelTwo: UInt32 = 0x9_0004
    static let batch: UInt32 = 0x9_0008
    static let acknowledge: UInt32 = 0x9_000c
    static let closePending: UInt32 = 0x9_0010
    static let notify: UInt32 = 0x9_0014
    static let acknowledgeNoLevelTwo: UInt32 = 0x9_0050
    static let filter: UInt32 = 0x9_005c
  }

  /// `FsRtlOplockFsctrl`: what the request comes to, which is complete then unless it is `.pending`.
  func controlOplock(_ place: Pointer<GuestWord>, _ irp: Pointer<IRP>, openCount: UInt32) async throws -> NTSTATUS {
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    let file = try stack.FileObject.load()
    // A filter lock that comes with the open has no request that could hear of its end.
    if try stack.MajorFunction.load() == .create {
      let old = try oplock(place)
      guard openCount <= 1, old?.exclusive == nil, old?.shared.isEmpty ?? true else { return .oplockNotGranted }
      try makeOplock(place).exclusive = .init(kind: .filter, file: file.address, irp: 0)
      return .success
    }
    let code = try stack.Parameters.DeviceIoControl.IoControlCode.load().rawValue
    let isSynchronous = try irp.Flags.load().contains(.synchronousApi) || !file.isNull && file.Flags.load() & FileFlags.synchronous != 0
    let status: NTSTATUS
    switch code {
    case OplockControl.levelOne, OplockControl.batch, OplockControl.filter:
      let kind: Oplock.Kind = code == OplockControl.levelOne ? .levelOne : code == OplockControl.batch ? .batch : .filter
      let old = try oplock(place)
      let isOwn = old?.exclusive.map { $0.kind == .filter && $0.irp == 0 && $0.file == file.address && kind == .filter } ?? true
      let others = old?.shared.contains { $0.file != file.address } ?? false
      if isSynchronous || openCount > 1 || others || !isOwn {
        status = .oplockNotGranted
      } else {
        let lock = try makeOplock(place)
        try await breakShared(lock)
        lock.exclusive = .init(kind: kind, file: file.address, irp: irp.address)
        status = try hold(irp)
      }
    case OplockControl.levelTwo:
      // A count says that there are byte-range locks.
      if try isSynchronous || openCount > 0 || oplock(place)?.exclusive != nil {
        status = .oplockNotGranted
      } else {
        try makeOplock(place).shared.append((file.address, irp.address))
        status = try hold(irp)
      }
    case OplockControl.acknowledge, OplockControl.acknowledgeNoLevelTwo, OplockControl.closePending:
      guard let lock = try oplock(place), let own = lock.exclusive, own.file == file.address, let outcome = own.breaking else {
        status = .invalidOplockProtocol
        break
      }
      if code == OplockControl.closePending {
        // Whoever waits goes on when the file is closed.
        status = own.kind == .batch ? .success : .invalidOplockProtocol
      } else if outcome == .levelTwo, code == OplockControl.acknowledge {
        lock.exclusive = nil
        lock.shared.append((file.address, irp.address))
        status = try hold(irp)
        try await release(lock)
      } else {
        lock.exclusive = nil
        try irp.IoStatus.Information.store(GuestWord(Oplock.Outcome.none.rawValue))
        try await release(lock)
        status = .success
      }
    case OplockControl.notify:
      if let lock = try oplock(place), lock.isBreaking {
        lock.notices.append(irp.address)
        status = try hold(irp)
      } else {
        status = .success
      }
    default: status = .invalidParameter
    }
    if status == .pending { return status }
    try irp.IoStatus.Status.store(status)
    try await completeRequest(irp)
    return status
  }

  private func hold(_ irp: Pointer<IRP>) throws -> NTSTATUS {
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    try stack.Control.store(stack.Control.load().union(.pendingReturned))
    try irp.CancelRoutine.store(Pointer(trapAddress(of: "FsRtlpCancelOplockIrp"), in: memory.memory))
    return .pending
  }

  private func tell(_ irp: UInt64, _ status: NTSTATUS, _ information: UInt64) async throws {
    guard irp != 0 else { return }
    let packet = Pointer<IRP>(irp, in: memory.memory)
    try packet.CancelRoutine.store(Pointer(0, in: memory.memory))
    try packet.IoStatus.Status.store(status)
    try packet.IoStatus.Information.store(GuestWord(information))
    try await completeRequest(packet)
  }

  // MARK: Breaking

  /// `FsRtlCheckOplock`: breaks what an operation breaks, and has it wait until the owner has acknowledged.
  ///
  /// - Parameter routine: called with the context and the IRP when the break is over; 0 where the caller itself waits.
  func checkOplock(
    _ place: Pointer<GuestWord>, _ irp: Pointer<IRP>, _ wanted: OplockBreak?, isWaiting: Bool, context: UInt64, routine: UInt64,
    post: UInt64
  ) async throws -> NTSTATUS {
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    let file = try stack.FileObject.load().address
    if try stack.MajorFunction.load() == .cleanup, let lock = try oplock(place) {
      try await leave(lock, file)
      return .success
    }
    guard let wanted else { return .success }
    while let lock = try oplock(place) {
      if wanted.breaksLevelTwo { try await breakShared(lock) }
      guard let own = lock.exclusive, own.file != file, let outcome = wanted.outcome(for: own.kind) else { return .success }
      if own.breaking == nil {
        guard own.irp != 0 else {
          lock.exclusive = nil
          continue
        }
        lock.exclusive?.breaking = outcome
        lock.exclusive?.irp = 0
        try await tell(own.irp, .success, outcome.rawValue)
      }
      // Its completion may have led to the acknowledgment already.
      guard lock.isBreaking else { continue }
      guard isWaiting else { return .oplockBreakInProgress }
      if routine != 0 {
        lock.waiting.append(.request(irp: irp.address, routine: routine, context: context))
        try stack.Control.store(stack.Control.load().union(.pendingReturned))
        if post != 0 { _ = try await call(post, [context, irp.address]) }
        return .pending
      }
      let event = Pointer<KEVENT>(try allocate(16), in: memory.memory)
      defer { _ = nonPagedPool.free(event.address) }
      try initializeEvent(event, .eventNotification, isSet: false)
      lock.waiting.append(.thread(event))
      try await wait(for: event, "the acknowledgment of an oplock break")
    }
    return .success
  }

  private func breakShared(_ lock: Oplock) async throws {
    let broken = lock.shared
    lock.shared = []
    for (_, irp) in broken { try await tell(irp, .success, Oplock.Outcome.none.rawValue) }
  }

  /// The break is over: everybody goes on.
  private func release(_ lock: Oplock) async throws {
    let (waiting, notices) = (lock.waiting, lock.notices)
    (lock.waiting, lock.notices) = ([], [])
    for irp in notices { try await tell(irp, .success, 0) }
    for waiter in waiting {
      switch waiter {
      case .thread(let event): try set(event)
      case .request(let irp, let routine, let context):
        try Pointer<IRP>(irp, in: memory.memory).IoStatus.Status.store(.success)
        _ = try await call(routine, [context, irp])
      }
    }
  }

  /// The last handle of a file is closed: its locks are gone.
  private func leave(_ lock: Oplock, _ file: UInt64) async throws {
    let mine = lock.shared.filter { $0.file == file }
    lock.shared.removeAll { $0.file == file }
    for (_, irp) in mine { try await tell(irp, .success, Oplock.Outcome.none.rawValue) }
    guard let own = lock.exclusive, own.file == file else { return }
    lock.exclusive = nil
    try await tell(own.irp, .success, Oplock.Outcome.none.rawValue)
    try await release(lock)
  }

  /// The file system gives the lock up: whoever holds it hears so, and whoever waits goes on.
  func uninitializeOplock(_ place: Pointer<GuestWord>) async throws {
    guard let lock = try oplock(place) else { return }
    let block = try place.load().bits
    try place.store(0)
    oplocks.all[block] = nil
    _ = nonPagedPool.free(block)
    try await breakShared(lock)
    let own = lock.exclusive
    lock.exclusive = nil
    try await tell(own?.irp ?? 0, .success, Oplock.Outcome.none.rawValue)
    try await release(lock)
  }

  /// A request that held a lock is cancelled: the lock is gone, and nobody waits for its owner any more.
  func cancelOplock(_ irp: Pointer<IRP>) async throws {
    for lock in oplocks.all.values {
      let isExclusive = lock.exclusive?.irp == irp.address
      lock.shared.removeAll { $0.irp == irp.address }
      lock.notices.removeAll { $0 == irp.address }
      guard isExclusive else { continue }
      lock.exclusive = nil
      try await release(lock)
    }
    try await tell(irp.address, .cancelled, 0)
  }

  /// What an IRP does to other openers' locks; `nil` for one that leaves them.
  func oplockBreak(of irp: Pointer<IRP>) throws -> OplockBreak? {
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    let writes = OplockBreak(exclusive: Oplock.Outcome.none, breaksFilter: true, breaksLevelTwo: true)
    switch try stack.MajorFunction.load() {
    case .create:
      let parameters = stack.Parameters.Create
      let security = try parameters.SecurityContext.load().address
      let access = security == 0 ? 0 : try memory.memory.load(UInt32.self, at: security + 8)
      let disposition = try parameters.Options.load() >> 24
      let replaces = [CreateDisposition.supersede, CreateDisposition.overwrite, CreateDisposition.overwriteIf].contains(disposition)
      // FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES and SYNCHRONIZE leave every lock.
      guard replaces || access & ~0x10_0180 != 0 else { return nil }
      // A filter lock bears readers, too: FILE_READ_DATA, FILE_READ_EA, FILE_EXECUTE, READ_CONTROL.
      return OplockBreak(
        exclusive: replaces ? Oplock.Outcome.none : .levelTwo, breaksFilter: replaces || access & ~0x12_01a9 != 0, breaksLevelTwo: replaces)
    case .read: return OplockBreak(exclusive: .levelTwo)
    case .write, .lockControl: return writes
    case .setInformation:
      switch try stack.Parameters.SetFile.FileInformationClass.load() {
      // FileAllocationInformation, FileEndOfFileInformation, FileValidDataLengthInformation
      case 19, 20, 39: return writes
      // FileRenameInformation, FileLinkInformation, FileShortNameInformation
      case 10, 11, 40: return OplockBreak(exclusive: Oplock.Outcome.none, sparesLevelOne: true, breaksFilter: true)
      default: return nil
      }
    case .fileSystemControl:
      // FSCTL_SET_ZERO_DATA
      return try stack.Parameters.DeviceIoControl.IoControlCode.load().rawValue == 0x9_80c8 ? writes : nil
    default: return nil
    }
  }
}

extension OplockBreak {
  func outcome(for kind: Oplock.Kind) -> Oplock.Outcome? {
    switch kind {
    case .levelOne: sparesLevelOne ? nil : exclusive
    case .batch: exclusive
    case .filter: breaksFilter ? Oplock.Outcome.none : nil
    }
  }
}
