import Events
import Guest
import WindowsTypes

extension Export {
  /// Attaching to another process's address space.
  static let attach: [Export] = [
    // nf-ntifs-kestackattachprocess
    export("KeStackAttachProcess(Process, ApcState)", irql: .apc) {
      (kernel, process: Pointer<KPROCESS>, state: Pointer<KAPC_STATE>) in
      try kernel.stackAttach(to: process, state)
    }
    .uncertain("how ApcState marks an attach to the process one is in (Process = 1) follows observed behaviour"),

    // nf-ntifs-keunstackdetachprocess
    export("KeUnstackDetachProcess(ApcState)", irql: .apc) { (kernel, state: Pointer<KAPC_STATE>) in
      try kernel.unstackDetach(state)
    },

    // nf-ntifs-keattachprocess
    export("KeAttachProcess(Process)", irql: .apc) { (kernel, process: Pointer<KPROCESS>) in
      let thread = try kernel.currentThread()
      if try thread.ApcState.Process.load() == process { return }
      let index = try thread.ApcStateIndex.load()
      if try index != 0 || kernel.isDPCActive() { throw try kernel.invalidAttach(process, thread) }
      try kernel.attach(thread, to: process, saving: thread.SavedApcState)
    }
    .uncertain("the page names no IRQL limit; that of KeStackAttachProcess is taken"),

    // nf-ntifs-kedetachprocess
    export("KeDetachProcess()", irql: .apc) { kernel in
      let thread = try kernel.currentThread()
      if try thread.ApcStateIndex.load() == 0 { return }
      try kernel.checkDetach(thread)
      try kernel.restore(thread, from: thread.SavedApcState, isOutermost: true)
    }
    .uncertain("without an attach it returns silently, as observed"),
  ]
}

/// The attach state machine. Every step is a change of guest memory: the thread's two `KAPC_STATE`s, their lists, the index, and
/// the pointers by which APC code finds them.
extension Kernel {
  /// In `ApcState.Process` of the caller's storage: the attach was to the process it was in, so the detach does nothing.
  private static let sameProcess: UInt64 = 1

  func stackAttach(to process: Pointer<KPROCESS>, _ state: Pointer<KAPC_STATE>) throws {
    let thread = try currentThread()
    if try isDPCActive() { throw try invalidAttach(process, thread) }
    if try thread.ApcState.Process.load() == process {
      return try state.Process.store(Pointer(Self.sameProcess, in: memory.memory))
    }
    if try thread.ApcStateIndex.load() == 0 {
      try attach(thread, to: process, saving: thread.SavedApcState)
      try state.Process.store(Pointer(0, in: memory.memory))
    } else {
      try attach(thread, to: process, saving: state)
    }
  }

  func unstackDetach(_ state: Pointer<KAPC_STATE>) throws {
    let outer = try state.Process.load()
    if outer.address == Self.sameProcess { return }
    let thread = try currentThread()
    try checkDetach(thread)
    if outer.isNull {
      try restore(thread, from: thread.SavedApcState, isOutermost: true)
    } else {
      try restore(thread, from: state, isOutermost: false)
    }
  }

  /// INVALID_PROCESS_ATTACH_ATTEMPT (5): the target, the current process, ApcStateIndex, not 0 while a DPC runs.
  func invalidAttach(_ process: Pointer<KPROCESS>, _ thread: Pointer<KTHREAD>) throws -> BugCheck {
    BugCheck(
      .invalidProcessAttachAttempt, process.address, try thread.ApcState.Process.load().address,
      UInt64(try thread.ApcStateIndex.load()), try isDPCActive() ? 1 : 0)
  }

  /// INVALID_PROCESS_DETACH_ATTEMPT (6): not attached, or an APC is running or queued.
  func checkDetach(_ thread: Pointer<KTHREAD>) throws {
    let state = thread.ApcState
    let isClean =
      try state.KernelApcInProgress.load() == 0
      && state.ApcListHead.isEmpty && state.ApcListHead.advanced(by: 1).isEmpty
    guard try thread.ApcStateIndex.load() != 0, isClean else { throw BugCheck(.invalidProcessDetachAttempt) }
  }

  /// Moves the thread's APC state to `storage` and puts a fresh one for `process` in its place.
  func attach(_ thread: Pointer<KTHREAD>, to process: Pointer<KPROCESS>, saving storage: Pointer<KAPC_STATE>) throws {
    try process.changeStackCount(by: 1)
    try move(thread.ApcState, to: storage)
    let state = thread.ApcState
    try state.ApcListHead.initialize()
    try state.ApcListHead.advanced(by: 1).initialize()
    try state.Process.store(process)
    try state.KernelApcInProgress.store(0)
    try state.KernelApcPending.store(0)
    try state.UserApcPending.store(0)
    if storage == thread.SavedApcState {
      try thread.ApcStatePointer[0].store(thread.SavedApcState)
      try thread.ApcStatePointer[1].store(thread.ApcState)
      try thread.ApcStateIndex.store(1)
    }
    try switchAddressSpace(to: process, .attach)
  }

  func restore(_ thread: Pointer<KTHREAD>, from storage: Pointer<KAPC_STATE>, isOutermost: Bool) throws {
    let left = try thread.ApcState.Process.load()
    try left.changeStackCount(by: -1)
    try move(storage, to: thread.ApcState)
    if isOutermost {
      try thread.SavedApcState.Process.store(Pointer(0, in: memory.memory))
      try thread.ApcStatePointer[0].store(thread.ApcState)
      try thread.ApcStatePointer[1].store(thread.SavedApcState)
      try thread.ApcStateIndex.store(0)
    }
    try switchAddressSpace(to: thread.ApcState.Process.load(), .detach)
  }

  /// Copies an APC state; queued APCs follow it, since their lists hang from it.
  private func move(_ source: Pointer<KAPC_STATE>, to target: Pointer<KAPC_STATE>) throws {
    try memory.memory.write(
      memory.memory.bytes(Pointer<KAPC_STATE>.size(in: memory.memory), at: source.address), at: target.address)
    for index in 0..<2 {
      let (from, to) = (source.ApcListHead.advanced(by: index), target.ApcListHead.advanced(by: index))
      let first = try from.Flink.load()
      if first == from {
        try to.initialize()
      } else {
        let last = try from.Blink.load()
        try first.Blink.store(to)
        try last.Flink.store(to)
      }
    }
  }

  /// Loads `CR3` from the process object: the address space that it names is the current one.
  func switchAddressSpace(to process: Pointer<KPROCESS>, _ reason: SwitchReason) throws {
    let directory = try process.DirectoryTableBase.load().bits
    try loadDirectory(directory, reason)
  }

  /// What `mov cr3` does. Tables that are no process's hold nothing: the next instruction would be a triple fault.
  func loadDirectory(_ directory: UInt64, _ reason: SwitchReason) throws {
    guard let process = processByDirectory[directory & ~0xfff] else {
      throw BugCheck(.unexpectedKernelModeTrap, 8, directory, 0, 0)
    }
    let from = currentSpaceOwner
    guard process !== from else { return }
    try releasePageTableViews()
    memory.activate(process.space)
    stream.append(.addressSpace(from: from.id, to: process.id, thread: running?.id ?? 0, reason))
  }
}
