import Events
import Guest
import WindowsTypes

/// Who waits for a change of a key, by one opening of it (`NtNotifyChangeKey`).
struct RegistryWatch {
  /// What counts as a change: set by the first call, and kept with the handle.
  let filter: RegistryChange
  let watchesTree: Bool
  /// A change came while nobody waited: the next call is over at once.
  var isDue = false
  var pending: [Pending] = []

  /// One call that is not over.
  struct Pending {
    /// The caller's event, or this call's own.
    let event: Pointer<KEVENT>?
    let isOwnEvent: Bool
    let block: Pointer<IO_STATUS_BLOCK>
    let process: Process
    /// A `WORK_QUEUE_ITEM` of a kernel-mode caller's, and its queue.
    let workItem: UInt64
    let queue: Int
  }
}

/// `REG_NOTIFY_CHANGE_…` (`wdm.h`).
struct RegistryChange: OptionSet {
  let rawValue: UInt32
  /// A subkey was made or deleted.
  static let name = Self(rawValue: 1)
  static let attributes = Self(rawValue: 2)
  /// A value was set or deleted.
  static let lastSet = Self(rawValue: 4)
  static let security = Self(rawValue: 8)
  static let all: Self = [.name, .attributes, .lastSet, .security]
  /// The key itself is gone: whoever waits for anything is told.
  static let deleted = Self(rawValue: 0x8000_0000)
}

extension Kernel {
  struct NotifyRequest {
    let event: UInt64
    let apcRoutine: UInt64
    let apcContext: UInt64
    let block: Pointer<IO_STATUS_BLOCK>
    let filter: UInt32
    let watchesTree: Bool
    let isAsynchronous: Bool
    let mode: KPROCESSOR_MODE
  }

  /// `NtNotifyChangeKey` (nf-ntifs-zwnotifychangekey; the kernel-mode meaning of its APC arguments is on the same page).
  func notifyChange(_ handle: UInt64, _ request: NotifyRequest) async throws -> NTSTATUS {
    try await guarding {
      try probeForResult(request.block.address, 8, 4, mode: request.mode)
      let filter = RegistryChange(rawValue: request.filter)
      guard !filter.isEmpty, filter.isSubset(of: .all) else { return .invalidParameter }
      switch try key(handle, access: .notify, mode: request.mode) {
      case .failure(let refusal): return refusal.status
      case .success(let (object, _)):
        guard let open = configuration.open[object] else { return .invalidHandle }
        var event: Pointer<KEVENT>?
        if request.event != 0 {
          switch try self.object(request.event, access: 2, type: 0, mode: request.mode) {
          case .failure(let refusal): return refusal.status
          case .success(let entry):
            event = Pointer(entry.object, in: memory.memory)
            try event?.Header.SignalState.store(0)
          }
        }
        var watch = open.watch ?? RegistryWatch(filter: filter, watchesTree: request.watchesTree)
        if watch.isDue {
          watch.isDue = false
          open.watch = watch
          try finish(try pending(request, event, isOwn: false), notifyEnumDir)
          return request.isAsynchronous ? .pending : notifyEnumDir
        }
        guard watch.pending.count < 1024 else { return .insufficientResources }
        let waits = !request.isAsynchronous
        if event == nil, waits {
          let own = Pointer<KEVENT>(try allocate(UInt64(Pointer<KEVENT>.size(in: memory.memory))), in: memory.memory)
          try own.Header.initialize(.eventNotification, state: 0, size: 4)
          event = own
        }
        let entry = try pending(request, event, isOwn: waits && request.event == 0)
        if !entry.isOwnEvent, let event { try reference(event.address, for: nil) }
        watch.pending.append(entry)
        open.watch = watch
        guard waits, let event else { return .pending }
        try await wait(for: event, "a change of \(open.key.path)")
        let status = try entry.block.Status.load()
        if entry.isOwnEvent { free(event.address) }
        return status
      }
    }
  }

  private func pending(_ request: NotifyRequest, _ event: Pointer<KEVENT>?, isOwn: Bool) throws -> RegistryWatch.Pending {
    let isKernel = request.mode == .kernelMode
    return RegistryWatch.Pending(
      event: event, isOwnEvent: isOwn, block: request.block, process: try requestor(), workItem: isKernel ? request.apcRoutine : 0,
      queue: Int(clamping: request.apcContext & 3))
  }

  private var notifyEnumDir: NTSTATUS { NTSTATUS(rawValue: 0x10c) }

  /// Something changed: whoever waits for that is told, once.
  func changed(_ key: RegistryKey, _ change: RegistryChange) throws {
    for open in configuration.open.sorted(by: { $0.key < $1.key }).map(\.value) {
      guard var watch = open.watch else { continue }
      let isGone = change == .deleted && open.key === key
      guard isGone || !watch.filter.isDisjoint(with: change), open.key === key || watch.watchesTree && open.key.isAbove(key) else {
        continue
      }
      let pending = watch.pending
      watch.isDue = pending.isEmpty
      watch.pending = []
      open.watch = watch
      for entry in pending { try finish(entry, isGone ? NTSTATUS(rawValue: 0xc000_017c) : notifyEnumDir) }
    }
  }

  /// The last handle to a key object is closed: its calls end in STATUS_NOTIFY_CLEANUP.
  func endWatch(of object: UInt64) throws {
    guard let open = configuration.open[object], let watch = open.watch else { return }
    open.watch = nil
    for entry in watch.pending { try finish(entry, NTSTATUS(rawValue: 0x10b)) }
  }

  private func finish(_ entry: RegistryWatch.Pending, _ status: NTSTATUS) throws {
    func store() throws {
      try entry.block.Status.store(status)
      try entry.block.Information.store(0)
    }
    if entry.block.address >= memory.target.systemRangeStart {
      try store()
    } else if !entry.process.hasExited {
      let before = memory.current
      memory.activate(entry.process.space)
      defer { memory.activate(before) }
      // What became of the user's block is the user's business.
      do { try store() } catch is GuestException {}
    }
    if let event = entry.event {
      try event.Header.SignalState.store(1)
      try signal(event.Header)
      if !entry.isOwnEvent { try header(of: event.address).PointerCount.store(header(of: event.address).PointerCount.load() - 1) }
    }
    if entry.workItem != 0 {
      // WORK_QUEUE_ITEM: list entry, routine, parameter.
      let routine = try memory.memory.load(UInt32.self, at: entry.workItem + 8)
      let parameter = try memory.memory.load(UInt32.self, at: entry.workItem + 12)
      try queue(WorkItem(routine: UInt64(routine), arguments: [UInt64(parameter)]) {}, queue: entry.queue)
    }
  }
}

extension RegistryKey {
  func isAbove(_ other: RegistryKey) -> Bool {
    var key = other.parent
    while let here = key {
      if here === self { return true }
      key = here.parent
    }
    return false
  }
}
