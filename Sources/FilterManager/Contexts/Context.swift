import Events
import Guest
import NTKernel
import WindowsTypes

/// What a filter hangs on an object: memory of its own choosing, behind a head of the filter manager's, and counted.
final class Context {
  /// Where the filter's part begins.
  let address: UInt64
  let type: FLT_CONTEXT_TYPE
  /// Of the filter's part, in bytes.
  let size: UInt64
  let filter: Filter
  let registration: Registration.Context
  var references = 1
  /// What it hangs on.
  var owner: Owner?

  enum Owner: Hashable {
    case volume(UInt64)
    case instance(UInt64)
    /// A stream, by its file control block; a handle, by its file object.
    case stream(UInt64, instance: UInt64)
    /// A file with all of its streams, by its identifier on the volume.
    case file(UInt64, instance: UInt64)
    case streamHandle(UInt64, instance: UInt64)

    var instance: UInt64? {
      switch self {
      case .volume: nil
      case .instance(let instance), .file(_, let instance), .stream(_, let instance), .streamHandle(_, let instance): instance
      }
    }
  }

  /// Which object of which filter: what a context is found by.
  struct Place: Hashable {
    let owner: Owner
    let filter: UInt64
  }

  init(_ address: UInt64, _ type: FLT_CONTEXT_TYPE, size: UInt64, _ filter: Filter, _ registration: Registration.Context) {
    self.address = address
    self.type = type
    self.size = size
    self.filter = filter
    self.registration = registration
  }

  /// What lies before the filter's part.
  static let headSize: UInt64 = 0x10

  var place: Place? { owner.map { Place(owner: $0, filter: filter.address) } }

  /// As a report of what a driver left behind names it.
  var description: String { "a \(type.word) context of \(size) bytes" }
}

extension FLT_CONTEXT_TYPE {
  var word: String {
    switch self {
    case .volume: "volume"
    case .instance: "instance"
    case .file: "file"
    case .stream: "stream"
    case .streamHandle: "stream handle"
    case .transaction: "transaction"
    default: "nameless"
    }
  }
}

extension Kernel {
  /// `FltAllocateContext` (nf-fltkernel-fltallocatecontext).
  func allocateContext(_ filter: Filter, _ type: FLT_CONTEXT_TYPE, size: UInt64, pool: UInt32) async throws -> Result<Context, Failure> {
    if try isGoing(filter) { return .failure(Failure(.fltDeletingObject)) }
    guard [.volume, .instance, .file, .stream, .streamHandle, .transaction].contains(type), (1...0xffff).contains(size) else {
      return .failure(Failure(.invalidParameter))
    }
    // File and transaction contexts came with Windows Vista.
    if type == .transaction || type == .file && memory.target.system.release < .windows7 { return .failure(Failure(.notSupported)) }
    let rows = filter.registration.contexts.filter { $0.type == type }
    let row =
      rows.first { $0.allocate != 0 || $0.size == size } ?? rows.first { $0.takesSmaller && $0.size.map { $0 >= size } ?? false }
      ?? rows.first { $0.size == nil }
    guard let row else { return .failure(Failure(.fltContextAllocationNotFound)) }
    let isPaged = pool & 1 != 0
    if type == .volume, isPaged { report(violation: "a volume context is allocated from paged pool: it must be nonpaged") }
    let whole = size + Context.headSize
    let block: UInt64
    if row.allocate != 0 {
      block = try await call(row.allocate, [UInt64(pool), whole, UInt64(type.rawValue)]) & 0xffff_ffff
    } else {
      // The head makes it no block that a driver could free itself: what is left over is reported as the context that it is.
      block = try allocatePool(whole, tag: Self.contextTag, paged: isPaged) ?? 0
    }
    guard block != 0 else { return .failure(Failure(.insufficientResources)) }
    let context = Context(block + Context.headSize, type, size: size, filter, row)
    filterManager.contexts[context.address] = context
    register(context.description, context.address)
    return .success(context)
  }

  /// The tag of what is the run's own.
  static let contextTag: UInt32 = 0x6b6c_6250

  func context(_ address: UInt64, in routine: String) throws -> Context? {
    if let context = filterManager.contexts[address] { return context }
    if filterManager.freedContexts.contains(address) {
      // FLTMGR_FILE_SYSTEM, 6E: referenced after it was freed.
      report(violation: "\(routine) is called with a context that is gone: it has been released more often than referenced")
      throw BugCheck(BugCheckCode(rawValue: 0xf5), 0x6e, address, address - Context.headSize, 0)
    }
    _ = try memory.memory.load(UInt32.self, at: address)
    report(violation: "\(routine) is called with \(hex(address)), which is no context")
    return nil
  }

  /// `FltReleaseContext`: the last reference takes it away, after its cleanup callback.
  func release(_ context: Context) async throws {
    context.references -= 1
    guard context.references <= 0 else { return }
    let block = context.address - Context.headSize
    // FLTMGR_FILE_SYSTEM, 6D: the count went to zero while it hangs on its object.
    if context.owner != nil {
      report(violation: "\(context.description) is released more often than it was referenced, while its object still has it")
      throw BugCheck(BugCheckCode(rawValue: 0xf5), 0x6d, context.address, block, 0)
    }
    let type = UInt64(context.type.rawValue)
    if context.registration.cleanup != 0 { _ = try await call(context.registration.cleanup, [context.address, type]) }
    let manager = filterManager
    manager.contexts[context.address] = nil
    manager.noteFreed(context.address)
    unregister(context.description, context.address)
    if context.registration.free != 0 {
      _ = try await call(context.registration.free, [block, type])
    } else if isPoolBlock(block) {
      try freePool(block)
    }
  }

  // MARK: On objects

  enum SetContextOperation: UInt32 { case replaceIfExists, keepIfExists }

  /// `FltSet…Context`: the new context keeps a reference while it hangs on the object.
  ///
  /// - Parameter old: where the context that was there before goes, with a reference for the caller; null releases it.
  func setContext(
    _ owner: Context.Owner, _ type: FLT_CONTEXT_TYPE, _ filter: Filter, _ operation: UInt32, _ new: UInt64, _ old: Pointer<GuestWord>,
    in routine: String
  ) async throws -> NTSTATUS {
    if !old.isNull { try old.store(0) }
    guard let operation = SetContextOperation(rawValue: operation), let context = try context(new, in: routine), context.type == type,
      context.filter === filter
    else { return .invalidParameter }
    guard context.owner == nil else { return .fltContextAlreadyLinked }
    let manager = filterManager
    let place = Context.Place(owner: owner, filter: filter.address)
    if let present = manager.placed[place] {
      if operation == .keepIfExists {
        if !old.isNull {
          present.references += 1
          try old.store(GuestWord(present.address))
        }
        return .fltContextAlreadyDefined
      }
      present.owner = nil
      manager.placed[place] = nil
      if old.isNull { try await release(present) } else { try old.store(GuestWord(present.address)) }
    }
    context.owner = owner
    context.references += 1
    manager.placed[place] = context
    return .success
  }

  /// `FltGet…Context`: with a reference for the caller.
  func getContext(_ owner: Context.Owner, _ filter: Filter, _ result: Pointer<GuestWord>) throws -> NTSTATUS {
    try result.store(0)
    guard let context = filterManager.placed[Context.Place(owner: owner, filter: filter.address)] else { return .notFound }
    context.references += 1
    try result.store(GuestWord(context.address))
    return .success
  }

  /// `FltDelete…Context`: takes it from its object. The caller gets the reference that the object had, if it wants it.
  func deleteContext(_ owner: Context.Owner, _ filter: Filter, _ old: Pointer<GuestWord>) async throws -> NTSTATUS {
    if !old.isNull { try old.store(0) }
    guard let context = filterManager.placed[Context.Place(owner: owner, filter: filter.address)] else { return .notFound }
    if old.isNull {
      try await unlink(context)
    } else {
      detach(context)
      try old.store(GuestWord(context.address))
    }
    return .success
  }

  private func detach(_ context: Context) {
    if let place = context.place { filterManager.placed[place] = nil }
    context.owner = nil
  }

  /// Takes a context from its object, and the object's reference with it.
  func unlink(_ context: Context) async throws {
    guard context.owner != nil else { return }
    detach(context)
    try await release(context)
  }

  // MARK: Objects that go

  private func drop(where isGone: (Context) -> Bool) async throws {
    // Those of handles first, then of files, instances and volumes.
    for context in filterManager.placed.values.filter(isGone).sorted(by: {
      ($1.type.rawValue, $0.address) < ($0.type.rawValue, $1.address)
    }) { try await unlink(context) }
  }

  func dropContexts(of instance: Instance) async throws { try await drop { $0.owner?.instance == instance.address } }

  func dropContexts(of volume: FilterVolume) async throws { try await drop { $0.owner == .volume(volume.address) } }

  func dropContexts(of filter: Filter) async throws { try await drop { $0.filter === filter } }

  /// A file object is closed: what hung on it goes, and what hung on its stream, if that is open no more.
  func dropContexts(file: UInt64, stream: UInt64, fileID: UInt64?, on volume: FilterVolume) async throws {
    guard !filterManager.placed.isEmpty else { return }
    let streamIsGone = !isOpen(stream: stream)
    let fileIsGone = fileID.map { !isOpen(fileID: $0, on: volume.volume) } ?? false
    try await drop { context in
      switch context.owner {
      case .streamHandle(file, _): true
      case .stream(stream, _): streamIsGone
      case .file(let id, let instance): fileIsGone && id == fileID && self.instance(instance)?.volume === volume
      default: false
      }
    }
  }
}
