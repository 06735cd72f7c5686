import Guest
import WindowsTypes

extension Export {
  /// Memory of one process copied into another's, and what later versions of Windows say of processes and threads.
  static let processCopies: [Export] = [
    // No reference page; exported since Windows Vista for the system's own drivers, and called by many others.
    export(
      "MmCopyVirtualMemory(SourceProcess, SourceAddress, TargetProcess, TargetAddress, BufferSize, PreviousMode, NumberOfBytesCopied)",
      irql: .apc
    ) {
      (
        kernel, source: Pointer<EPROCESS>, from: GuestWord, target: Pointer<EPROCESS>, to: GuestWord, size: GuestWord,
        mode: KPROCESSOR_MODE, copied: Pointer<GuestWord>
      ) -> NTSTATUS in
      if size.bits == 0 {
        try copied.store(0)
        return .success
      }
      if mode == .userMode {
        let limit = kernel.memory.target.highestUserAddress
        for start in [from.bits, to.bits] where start > limit || size.bits > limit - start + 1 { return .accessViolation }
      }
      let (status, count) = try kernel.copy(size.bits, from: source, at: from.bits, to: target, at: to.bits)
      try copied.store(GuestWord(count))
      return status
    }
    .uncertain("the routine has no reference page; that it attaches to the one process and to the other follows its known behaviour"),
    // No reference page: the file that a process runs, referenced.
    export("PsReferenceProcessFilePointer(Process, FileObject)", irql: .passive) {
      (_, process: Pointer<EPROCESS>, file: Pointer<GuestWord>) -> NTSTATUS in
      .unsuccessful
    }
    .partially("processes run no file, as System does not"),
    export("PsIsThreadImpersonating(Thread)") { (kernel, thread: Pointer<ETHREAD>) -> UInt8 in
      try thread.load(bits: \.ActiveImpersonationInfo) == 0 ? 0 : 1
    },
    export("PsGetThreadSessionId(Thread)") { (_, thread: Pointer<ETHREAD>) -> UInt32 in 0 },
    export("PsGetCurrentProcessWin32Process()") { kernel -> Pointer<Void> in
      try kernel.currentProcess().cast(to: EPROCESS.self).Win32Process.load()
    },
    export("PsGetThreadWin32Thread(Thread)") { (kernel, thread: Pointer<ETHREAD>) -> GuestWord in 0 }
      .partially("no thread has a window: win32k does not run"),
    // nf-ntifs-psassignimpersonationtoken: a handle of 0 ends the impersonation.
    export("PsAssignImpersonationToken(Thread, Token)", irql: .passive) {
      (kernel, thread: Pointer<ETHREAD>, handle: GuestWord) -> NTSTATUS in
      guard let thread = kernel.thread(at: thread.address) else { return .invalidParameter }
      guard handle.bits != 0 else {
        try kernel.impersonate(nil, by: thread, copyOnOpen: false, effectiveOnly: false, level: 0)
        return .success
      }
      switch try kernel.object(handle.bits, access: 4, type: kernel.objectType(.token), mode: .kernelMode) {
      case .failure(let refusal): return refusal.status
      case .success(let entry):
        // STATUS_BAD_TOKEN_TYPE: a primary token does not impersonate.
        guard let token = try kernel.token(at: entry.object), token.type == 2 else { return NTSTATUS(rawValue: 0xc000_00a8) }
        try kernel.impersonate(token, by: thread, copyOnOpen: false, effectiveOnly: false, level: token.impersonationLevel)
        return .success
      }
    },
    // No reference page; PsRevertToSelf of another thread.
    export("PsRevertThreadToSelf(Thread)", irql: .passive) { (kernel, thread: Pointer<ETHREAD>) in
      guard let thread = kernel.thread(at: thread.address) else { return }
      try kernel.impersonate(nil, by: thread, copyOnOpen: false, effectiveOnly: false, level: 0)
    },
    // nf-ntddk-pschargepoolquota: raises STATUS_QUOTA_EXCEEDED beyond the limit.
    export("PsChargePoolQuota(Process, PoolType, Amount)", irql: .apc) { (_, process: Pointer<EPROCESS>, type: UInt32, amount: GuestWord) in
    }
    .partially("quotas are without a limit"),
    export("PsReturnPoolQuota(Process, PoolType, Amount)", irql: .dispatch) {
      (_, process: Pointer<EPROCESS>, type: UInt32, amount: GuestWord) in
    }
    .partially("quotas are without a limit"),
    export("PsChargeProcessPoolQuota(Process, PoolType, Amount)", irql: .apc) {
      (_, process: Pointer<EPROCESS>, type: UInt32, amount: GuestWord) -> NTSTATUS in .success
    }
    .partially("quotas are without a limit"),
  ]
}

extension Kernel {
  /// Page by page: attached to the one process the bytes are read, attached to the other they are written. What cannot be read or
  /// written ends it with STATUS_PARTIAL_COPY.
  fileprivate func copy(
    _ size: UInt64, from source: Pointer<EPROCESS>, at from: UInt64, to target: Pointer<EPROCESS>, at to: UInt64
  ) throws -> (NTSTATUS, UInt64) {
    for process in [source, target] {
      guard let process = self.process(at: process.address) else { return (.invalidParameter, 0) }
      if process.hasExited { return (.processIsTerminating, 0) }
    }
    let state = Pointer<KAPC_STATE>(try allocate(0x18), in: memory.memory)
    defer { free(state.address) }
    var done: UInt64 = 0
    while done < size {
      let page = GuestMemory.pageSize
      let count = min(size - done, page - (from + done) % page, page - (to + done) % page)
      do {
        let bytes = try attached(to: source, state) { try memory.memory.bytes(Int(count), at: from + done) }
        try attached(to: target, state) { try memory.memory.write(bytes, at: to + done) }
      } catch is GuestException {
        return (.partialCopy, done)
      }
      done += count
    }
    return (.success, done)
  }

  private func attached<Result>(to process: Pointer<EPROCESS>, _ state: Pointer<KAPC_STATE>, _ body: () throws -> Result) throws -> Result {
    try stackAttach(to: process.Pcb, state)
    let result: Result
    do { result = try body() } catch {
      try unstackDetach(state)
      throw error
    }
    try unstackDetach(state)
    return result
  }
}
