import Events
import Guest
import WindowsTypes

/// Every callback of a bugcheck has been made, or cannot be: the machine stops.
struct BugCheckDone: Error { let bugCheck: BugCheck }

/// What drivers want to be called for when the machine stops (nf-wdm-keregisterbugcheckcallback and its like).
extension Kernel {
  private static let bugCheckCallback = "a bugcheck callback"

  /// Calls them at HIGH_LEVEL, the latest registered first, on the stack of the thread that runs. `nil` where nobody is to be called.
  func notifyBugCheck(_ bugCheck: BugCheck) -> Continuation? {
    guard hardware.stopping == nil, !hardware.bugCheckCallbacks.isEmpty || !hardware.bugCheckReasonCallbacks.isEmpty,
      let thread = running, thread.stackLimit + 0x200..<thread.stackBase ~= registers[.sp]
    else { return nil }
    hardware.stopping = bugCheck
    do {
      try kpcr.Irql.store(IRQL(rawValue: 31))
      return try start(.dispatch) { [self] in
        for address in hardware.bugCheckCallbacks {
          let record = Pointer<KBUGCHECK_CALLBACK_RECORD>(address, in: memory.memory)
          // BufferStarted, BufferFinished.
          try record.State.store(2)
          _ = try await call(
            record.CallbackRoutine.load().address, [record.Buffer.load().address, UInt64(record.Length.load())],
            below: below(registers[.sp], 32))
          try record.State.store(3)
        }
        for address in hardware.bugCheckReasonCallbacks { try await callReasonCallback(address) }
        throw BugCheckDone(bugCheck: bugCheck)
      }
    } catch {
      return nil
    }
  }

  /// `KbCallbackSecondaryDumpData`: the driver is asked for data of its own, of which there is no dump to put it into.
  private func callReasonCallback(_ address: UInt64) async throws {
    let record = Pointer<KBUGCHECK_REASON_CALLBACK_RECORD>(address, in: memory.memory)
    guard try record.Reason.load() == 2 else { return }
    // KBUGCHECK_SECONDARY_DUMP_DATA: buffer, its length, the most that fits, an identifier, and what the driver makes of it.
    let size: UInt64 = 0x2000
    let data = try allocate(0x24)
    let buffer = try allocate(size)
    for (index, value) in [buffer, size, size].enumerated() {
      try memory.memory.store(UInt32(truncatingIfNeeded: value), at: data + 4 * UInt64(index))
    }
    _ = try await call(record.CallbackRoutine.load().address, [2, address, data, 0x24], below: below(registers[.sp], 32))
    let length = try memory.memory.load(UInt32.self, at: data + 0x20)
    stream.append(.note("a bugcheck callback gives \(length) \(length == 1 ? "byte" : "bytes") of secondary dump data"))
  }

  /// Links a record in, if it is a fresh one.
  func registerBugCheckRecord(_ record: UInt64, isReason: Bool) {
    if isReason { hardware.bugCheckReasonCallbacks.insert(record, at: 0) } else { hardware.bugCheckCallbacks.insert(record, at: 0) }
    register(Self.bugCheckCallback, record)
  }

  /// Returns whether the record was registered.
  func deregisterBugCheckRecord(_ record: UInt64, isReason: Bool) -> Bool {
    guard unregister(Self.bugCheckCallback, record) else { return false }
    hardware.bugCheckCallbacks.removeAll { $0 == record && !isReason }
    hardware.bugCheckReasonCallbacks.removeAll { $0 == record && isReason }
    return true
  }
}

extension Export {
  static let bugCheckCallbacks: [Export] = [
    // nf-wdm-keregisterbugcheckcallback: FALSE for a record that is registered already.
    export("KeRegisterBugCheckCallback(CallbackRecord, CallbackRoutine, Buffer, Length, Component)") {
      (
        kernel, record: Pointer<KBUGCHECK_CALLBACK_RECORD>, routine: GuestWord, buffer: GuestWord, length: UInt32, component: GuestWord
      ) -> UInt8 in
      guard try record.State.load() == 0 else { return 0 }
      let here = kernel.memory.memory
      try record.CallbackRoutine.store(Pointer(routine.bits, in: here))
      try record.Buffer.store(Pointer(buffer.bits, in: here))
      try record.Length.store(length)
      try record.Component.store(Pointer(component.bits, in: here))
      try record.Checksum.store(GuestWord((routine.bits + buffer.bits + UInt64(length) + component.bits) & 0xffff_ffff))
      try record.Entry.initialize()
      // BufferInserted
      try record.State.store(1)
      kernel.registerBugCheckRecord(record.address, isReason: false)
      return 1
    },
    // nf-wdm-kederegisterbugcheckcallback
    export("KeDeregisterBugCheckCallback(CallbackRecord)") { (kernel, record: Pointer<KBUGCHECK_CALLBACK_RECORD>) -> UInt8 in
      guard kernel.deregisterBugCheckRecord(record.address, isReason: false) else { return 0 }
      try record.State.store(0)
      return 1
    },
    // nf-wdm-keregisterbugcheckreasoncallback
    export("KeRegisterBugCheckReasonCallback(CallbackRecord, CallbackRoutine, Reason, Component)") {
      (kernel, record: Pointer<KBUGCHECK_REASON_CALLBACK_RECORD>, routine: GuestWord, reason: UInt32, component: GuestWord) -> UInt8 in
      guard try record.State.load() == 0 else { return 0 }
      let here = kernel.memory.memory
      try record.CallbackRoutine.store(Pointer(routine.bits, in: here))
      try record.Component.store(Pointer(component.bits, in: here))
      try record.Checksum.store(GuestWord((routine.bits + UInt64(reason) + component.bits) & 0xffff_ffff))
      try record.Reason.store(reason)
      try record.Entry.initialize()
      try record.State.store(1)
      kernel.registerBugCheckRecord(record.address, isReason: true)
      return 1
    }
    .partially("no dump is written, so KbCallbackDumpIo is never called"),
    // nf-wdm-kederegisterbugcheckreasoncallback
    export("KeDeregisterBugCheckReasonCallback(CallbackRecord)") {
      (kernel, record: Pointer<KBUGCHECK_REASON_CALLBACK_RECORD>) -> UInt8 in
      guard kernel.deregisterBugCheckRecord(record.address, isReason: true) else { return 0 }
      try record.State.store(0)
      return 1
    },
  ]
}
