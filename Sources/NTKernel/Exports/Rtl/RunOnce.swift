import Guest
import WindowsTypes

/// Events that threads wait on until somebody else's initialization is over, by the address of the `RTL_RUN_ONCE`.
final class RunOnceWaits { var events: [UInt64: UInt64] = [:] }

/// The low two bits of an `RTL_RUN_ONCE`; the others are the context.
private enum RunOnceState {
  static let mask: UInt64 = 3
  static let none: UInt64 = 0
  static let running: UInt64 = 1
  static let complete: UInt64 = 2
  /// Several threads may try at once.
  static let asynchronous: UInt64 = 3
}

/// `RTL_RUN_ONCE_CHECK_ONLY`, `_ASYNC` and `_INIT_FAILED`.
private enum RunOnceFlags {
  static let checkOnly: UInt32 = 1
  static let asynchronous: UInt32 = 2
  static let failed: UInt32 = 4
}

extension Export {
  /// What is to be done once.
  static let runOnce: [Export] = [
    // nf-ntddk-rtlrunonceinitialize
    export("RtlRunOnceInitialize(RunOnce)", irql: .apc) { (_, once: Pointer<GuestWord>) in try once.store(0) },
    // nf-ntddk-rtlrunoncebegininitialize: STATUS_PENDING says that it is the caller's turn.
    export("RtlRunOnceBeginInitialize(RunOnce, Flags, Context)", irql: .apc) {
      (kernel, once: Pointer<GuestWord>, flags: UInt32, context: Pointer<GuestWord>) async throws -> NTSTATUS in
      try await kernel.beginOnce(once, flags, context)
    },
    // nf-ntddk-rtlrunoncecomplete
    export("RtlRunOnceComplete(RunOnce, Flags, Context)", irql: .apc) {
      (kernel, once: Pointer<GuestWord>, flags: UInt32, context: GuestWord) async throws -> NTSTATUS in
      try await kernel.completeOnce(once, flags, context.bits)
    },
    // nf-ntddk-rtlrunonceexecuteonce: a routine that returns 0 has failed, and the next caller tries again.
    export("RtlRunOnceExecuteOnce(RunOnce, InitFn, Parameter, Context)", irql: .apc) {
      (
        kernel, once: Pointer<GuestWord>, routine: GuestWord, parameter: GuestWord, context: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      let status = try await kernel.beginOnce(once, 0, context)
      guard status == .pending else { return status }
      // Where the routine leaves the context.
      let place: Pointer<GuestWord> = context.isNull ? Pointer(try kernel.allocate(8), in: kernel.memory.memory) : context
      defer { if context.isNull { kernel.free(place.address) } }
      try place.store(0)
      guard try await kernel.call(routine.bits, [once.address, parameter.bits, place.address]) & 0xffff_ffff != 0 else {
        _ = try await kernel.completeOnce(once, RunOnceFlags.failed, 0)
        return .unsuccessful
      }
      return try await kernel.completeOnce(once, 0, place.load().bits)
    },
  ]
}

extension Kernel {
  private var onceWaits: RunOnceWaits { part { RunOnceWaits() } }

  fileprivate func beginOnce(_ once: Pointer<GuestWord>, _ flags: UInt32, _ context: Pointer<GuestWord>) async throws -> NTSTATUS {
    guard flags & ~(RunOnceFlags.checkOnly | RunOnceFlags.asynchronous) == 0, flags != 3 else { return .invalidParameter }
    while true {
      let value = try once.load().bits
      let state = value & RunOnceState.mask
      if state == RunOnceState.complete {
        if !context.isNull { try context.store(GuestWord(value & ~RunOnceState.mask)) }
        return .success
      }
      if flags & RunOnceFlags.checkOnly != 0 { return .unsuccessful }
      let isAsynchronous = flags & RunOnceFlags.asynchronous != 0
      switch state {
      case RunOnceState.none:
        try once.store(GuestWord(isAsynchronous ? RunOnceState.asynchronous : RunOnceState.running))
        return .pending
      case RunOnceState.running:
        if isAsynchronous { return .invalidParameter }
        let event = try onceEvent(once.address)
        try await wait(for: event, "an initialization that another thread has begun")
      default: return isAsynchronous ? .pending : .invalidParameter
      }
    }
  }

  /// The event that is set when whoever began at `place` is done.
  private func onceEvent(_ place: UInt64) throws -> Pointer<KEVENT> {
    let block = try onceWaits.events[place] ?? allocate(0x10)
    let event = Pointer<KEVENT>(block, in: memory.memory)
    if onceWaits.events.updateValue(block, forKey: place) == nil { try initializeEvent(event, .eventNotification, isSet: false) }
    return event
  }

  fileprivate func completeOnce(_ once: Pointer<GuestWord>, _ flags: UInt32, _ context: UInt64) async throws -> NTSTATUS {
    let isAsynchronous = flags & RunOnceFlags.asynchronous != 0
    let isFailure = flags & RunOnceFlags.failed != 0
    // What failed has no context, and is not told by one of several.
    guard flags & ~6 == 0, context & RunOnceState.mask == 0, !isFailure || context == 0 && !isAsynchronous else { return .invalidParameter }
    switch try once.load().bits & RunOnceState.mask {
    case RunOnceState.running: guard !isAsynchronous else { return .invalidParameter }
    case RunOnceState.asynchronous: guard isAsynchronous else { return .invalidParameter }
    default: return .unsuccessful
    }
    try once.store(GuestWord(isFailure ? RunOnceState.none : context | RunOnceState.complete))
    // The event stays set: whoever waited looks again at what it stands for.
    if let event = onceWaits.events.removeValue(forKey: once.address) { _ = try await call(trapAddress(of: "KeSetEvent"), [event, 0, 0]) }
    return .success
  }
}
