import Guest
import WindowsTypes

/// System services that few drivers call.
extension Export {
  static let laterCalls: [Export] = [
    // nf-ntifs has no page for it: THREAD_ALERT is 4.
    export("ZwAlertThread(ThreadHandle)", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      switch try kernel.object(handle.bits, access: 4, type: kernel.objectType(named: "Thread").address, mode: kernel.mode(of: "Zw")) {
      case .failure(let refusal): return refusal.status
      case .success(let entry):
        _ = try kernel.alert(Pointer(entry.object, in: kernel.memory.memory), kernel.mode(of: "Zw"))
        return .success
      }
    }
    .uncertain("the routine has no reference page"),
    // No reference page: cancels what the calling thread has asked of the file, and waits for it.
    export("ZwCancelIoFile(FileHandle, IoStatusBlock)", irql: .passive) {
      (kernel, handle: GuestWord, block: Pointer<UInt32>) async throws -> NTSTATUS in
      let type = try kernel.objectType(named: "File").address
      switch try kernel.object(handle.bits, access: 0, type: type, mode: kernel.mode(of: "Zw")) {
      case .failure(let refusal): return refusal.status
      case .success(let entry):
        try await kernel.cancelRequests(of: entry.object)
        try block.store(0)
        try block[1].store(0)
        return .success
      }
    }
    .uncertain("the routine has no reference page"),
    // nf-ntifs-zwclearevent has no page of its own: KeClearEvent by handle, EVENT_MODIFY_STATE 2.
    export("ZwClearEvent(EventHandle)", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      try kernel.withEvent(handle.bits) { try $0.Header.SignalState.store(0) }
    },
    // Whoever waits now, and nobody else.
    export("ZwPulseEvent(EventHandle, PreviousState)", irql: .passive) {
      (kernel, handle: GuestWord, previous: Pointer<Int32>) -> NTSTATUS in
      try kernel.withEvent(handle.bits) {
        let old = try $0.Header.SignalState.load()
        try $0.Header.SignalState.store(1)
        try kernel.signal($0.Header)
        try $0.Header.SignalState.store(0)
        if !previous.isNull { try previous.store(old) }
      }
    },
  ]
}

extension Kernel {
  fileprivate func withEvent(_ handle: UInt64, _ body: (Pointer<KEVENT>) throws -> Void) throws -> NTSTATUS {
    switch try object(handle, access: 2, type: objectType(.event), mode: mode(of: "Zw")) {
    case .failure(let refusal): return refusal.status
    case .success(let entry):
      try body(Pointer(entry.object, in: memory.memory))
      return .success
    }
  }

  /// Cancels the running thread's requests of a file, and waits until they are complete.
  fileprivate func cancelRequests(of file: UInt64) async throws {
    guard let thread = running else { return }
    func pending() throws -> [Pointer<IRP>] {
      try thread.object.IrpList.entries().map {
        Pointer<IRP>($0.address - UInt64(IRP.layouts[memory.target].ThreadListEntry.offset), in: memory.memory)
      }.filter { try $0.Tail.Overlay.OriginalFileObject.load().address == file }
    }
    for irp in try pending() { _ = try await cancel(irp) }
    // As long as it takes; the run says what is waited for where it never ends.
    while try !pending().isEmpty { _ = try await waiting([], timeout: -100_000) }
  }
}
