import Guest
import WindowsTypes

/// Asynchronous procedure calls on their way into a thread's queues.
///
/// The routines have no reference page. What they do is told by “Types of APCs” (WDK), by the prototypes of the public headers of
/// free drivers, and by what KTHREAD and KAPC hold (public symbols).
extension Kernel {
  /// `KeInitializeApc`. Without a normal routine it is a special kernel APC, whatever `mode` says.
  func initialize(
    _ apc: Pointer<KAPC>, thread: Pointer<KTHREAD>, environment: KAPC_ENVIRONMENT, kernel: UInt64, rundown: UInt64, normal: UInt64,
    mode: KPROCESSOR_MODE, context: UInt64
  ) throws {
    let here = memory.memory
    try apc.Type.store(Int16(DispatcherObjectType.apc.rawValue))
    try apc.Size.store(Int16(Pointer<KAPC>.size(in: here)))
    try apc.ApcStateIndex.store(
      environment == .current ? thread.ApcStateIndex.load() : UInt8(truncatingIfNeeded: environment.rawValue))
    try apc.Thread.store(thread)
    try apc.KernelRoutine.store(Pointer(kernel, in: here))
    try apc.RundownRoutine.store(Pointer(rundown, in: here))
    try apc.NormalRoutine.store(Pointer(normal, in: here))
    try apc.ApcMode.store(normal == 0 ? .kernelMode : mode)
    try apc.NormalContext.store(Pointer(normal == 0 ? 0 : context, in: here))
    try apc.Inserted.store(0)
  }

  /// `KeInsertQueueApc`. Returns `false` where it is queued already, or its thread takes none any more.
  func insert(_ apc: Pointer<KAPC>, _ first: UInt64, _ second: UInt64) throws -> Bool {
    let tcb = try apc.Thread.load()
    guard try tcb.apcQueueable.load() != 0, try apc.Inserted.load() == 0 else { return false }
    try apc.Inserted.store(1)
    try apc.SystemArgument1.store(Pointer(first, in: memory.memory))
    try apc.SystemArgument2.store(Pointer(second, in: memory.memory))
    if try apc.ApcStateIndex.load() == UInt8(KAPC_ENVIRONMENT.insert.rawValue) {
      try apc.ApcStateIndex.store(tcb.ApcStateIndex.load())
    }
    let (index, mode) = (try apc.ApcStateIndex.load(), try apc.ApcMode.load())
    // Two environments there are; what guest code wrote otherwise leads nowhere.
    let state = try tcb.ApcStatePointer[Int(min(index, 1))].load()
    let list = state.ApcListHead.advanced(by: mode == .userMode ? 1 : 0)
    try place(list, isSpecial: apc.NormalRoutine.load().isNull).insertTail(apc.ApcListEntry)
    // The other environment's APCs come when the thread attaches or detaches.
    guard try index == tcb.ApcStateIndex.load(), let thread = thread(at: tcb.address) else {
      if mode != .userMode { try state.KernelApcPending.store(1) }
      return true
    }
    if mode == .userMode { try announceUserAPC(to: thread) } else { try announceKernelAPC(to: thread) }
    return true
  }

  /// In front of which entry an APC goes: a special one behind the special ones, in front of the normal ones.
  private func place(_ list: Pointer<LIST_ENTRY>, isSpecial: Bool) throws -> Pointer<LIST_ENTRY> {
    guard isSpecial else { return list }
    return try list.entries().first { try !$0.container(\KAPC.ApcListEntry).NormalRoutine.load().isNull } ?? list
  }

  private func announceKernelAPC(to thread: Thread) throws {
    let tcb = thread.object.Tcb
    try tcb.ApcState.KernelApcPending.store(1)
    if thread === running {
      isAPCDue = true
    } else if thread.wait != nil {
      if try tcb.deliverableAPC(at: thread.savedIRQL) != nil { try interruptWait(of: thread) }
    } else if thread.isAtRest {
      // It is in user mode, or has not begun: the APC comes when it gets the processor.
      thread.isTakingAPCs = true
      // Where it was interrupted last, it was in some call of the kernel's.
      thread.savedIRQL = .passive
      thread.savedExceptionList = memory.target.endOfExceptionChain
      thread.resumption = .serve {
        thread.isTakingAPCs = false
        return 0
      }
      try makeReady(thread)
    }
  }

  private func announceUserAPC(to thread: Thread) throws {
    guard let wait = thread.wait, wait.mode == .userMode else { return }
    let pending = thread.object.Tcb.ApcState.UserApcPending
    guard try wait.isAlertable || pending.load() != 0 else { return }
    try pending.store(1)
    try wake(thread, .userAPC)
  }

  /// `KeRemoveQueueApc`: takes an APC back that has not run. Returns whether it was queued.
  func remove(_ apc: Pointer<KAPC>) throws -> Bool {
    guard try apc.Inserted.load() != 0 else { return false }
    try apc.Inserted.store(0)
    try apc.ApcListEntry.remove()
    return true
  }

  /// Takes a thread out of its wait, to which it comes back when its APCs have run.
  func interruptWait(of thread: Thread) throws {
    guard let wait = try leaveWait(thread) else { return }
    let interrupted = InterruptedWait(wait)
    thread.interruptedWaits.append(interrupted)
    thread.resumption = .again(interrupted, thread.resumption)
    try thread.object.Tcb.WaitStatus.store(.kernelAPC)
    try makeReady(thread)
  }
}
