import Events
import Guest
import WindowsTypes

/// Kernel APCs in their threads: when the thread gets the processor, when a routine returns that let them in, and within waits.
extension Kernel {
  /// Lets the kernel APCs that are due run on `thread`, which has the processor, before it goes on by `resumption`; `nil` where
  /// none may come.
  func deliverAPCs(on thread: Thread, before resumption: Resumption) throws -> Continuation? {
    let tcb = thread.object.Tcb
    guard try tcb.deliverableAPC(at: kpcr.Irql.load()) != nil else {
      // What a guarded region or the IRQL holds back is looked for again; the others are asked for by who lets them in.
      isAPCDue = try tcb.nextAPC() != nil
      return nil
    }
    registers.load(resumption.registers ?? restingRegisters(of: thread))
    registers[.flags] = 0x202
    return try start(.apc(resumption)) { [self] in
      try await runAPCs(of: tcb)
      return 0
    }
  }

  /// `thread`'s APCs have run: it goes on, unless they made somebody ready who is more urgent.
  func returnFromAPCs(of thread: Thread, to resumption: Resumption) throws -> Continuation {
    if case .registers(let values) = resumption {
      registers.load(values)
      return try preempt(thread, values) ?? .proceed
    }
    return try goOn(thread, by: resumption)
  }

  private func runAPCs(of tcb: Pointer<KTHREAD>) async throws {
    isAPCDue = false
    let (irql, process) = (try kpcr.Irql.load(), try tcb.ApcState.Process.load())
    _ = try raiseIRQL(to: .apc)
    try tcb.ApcState.KernelApcPending.store(0)
    while let apc = try tcb.areAllDisabled ? nil : tcb.nextAPC() {
      let isNormal = try !apc.NormalRoutine.load().isNull
      let call = try await runKernelRoutine(of: apc, isNormal ? .normal : .special)
      guard isNormal, call.routine != 0 else { continue }
      let inProgress = tcb.ApcState.KernelApcInProgress
      try inProgress.store(1)
      try lowerIRQL(to: .passive)
      _ = try await self.call(call.routine, call.arguments, below: below(registers[.sp], 32))
      try check(call.routine, .passive)
      _ = try raiseIRQL(to: .apc)
      try inProgress.store(0)
    }
    // INVALID_PROCESS_ATTACH_ATTEMPT: an APC has left the thread in another process than it found it in.
    if try tcb.ApcState.Process.load() != process { throw try invalidAttach(process, tcb) }
    try lowerIRQL(to: irql)
  }

  /// An APC's normal routine, as its kernel routine has left it.
  private struct NormalCall {
    let routine: UInt64
    let arguments: [UInt64]
  }

  /// Takes an APC from its queue and calls its kernel routine, which may change what comes after it, and free the object.
  private func runKernelRoutine(of apc: Pointer<KAPC>, _ kind: APCEvent.Kind) async throws -> NormalCall {
    try apc.ApcListEntry.remove()
    try apc.Inserted.store(0)
    let routine = try apc.KernelRoutine.load().address
    // The kernel's own variables, of which the routine gets the addresses.
    let place = below(registers[.sp], 48)
    let variables = Pointer<GuestWord>(place, in: memory.memory)
    let values = [
      try apc.NormalRoutine.load().address, try apc.NormalContext.load().address, try apc.SystemArgument1.load().address,
      try apc.SystemArgument2.load().address,
    ]
    for (index, value) in values.enumerated() { try variables[index].store(GuestWord(value)) }
    stream.append(
      .apc(APCEvent(kind: kind, routine: routine, normal: values[0], thread: running?.id ?? 0, process: currentSpaceOwner.id)))
    _ = try await call(routine, [apc.address] + (0..<4).map { variables[$0].address }, below: below(place, 16))
    try check(routine, .apc)
    let left = try (0..<4).map { try variables[$0].load().bits }
    return NormalCall(routine: left[0], arguments: Array(left[1...]))
  }

  /// An APC's routine is to return at the IRQL at which it was called: else IRQL_UNEXPECTED_VALUE (0xC8: the levels, the routine).
  private func check(_ routine: UInt64, _ irql: IRQL) throws {
    let now = try kpcr.Irql.load()
    guard now != irql else { return }
    throw BugCheck(BugCheckCode(rawValue: 0xc8), UInt64(now.rawValue) << 16 | UInt64(irql.rawValue) << 8, 0, routine, 0)
  }
}

/// User APCs, and threads in user mode.
extension Kernel {
  /// Lets the threads that are in user mode take the kernel APCs that have come for them: between the run's own calls they get the
  /// processor.
  public func beginDeliveries() throws -> Continuation {
    guard readyThreads.contains(where: \.isTakingAPCs) else { return .stop }
    isDelivering = true
    return try runNextThread()
  }

  /// While only deliveries are made: who is next, if anybody is.
  func nextDelivery() -> Thread? {
    readyThreads.firstIndex(where: \.isTakingAPCs).map { readyThreads.remove(at: $0) }
  }

  /// Whether a user APC comes to `thread` when it goes back to user mode.
  public func isUserAPCDue(to thread: Thread) throws -> Bool {
    let tcb = thread.object.Tcb
    guard try tcb.ApcState.UserApcPending.load() != 0 else { return false }
    return try !tcb.apcs(.userMode).isEmpty
  }

  /// `thread` goes back to user mode, and its user APCs come first: their kernel routines run here; their normal routines are code
  /// of the process, which no run executes.
  public func beginUserAPCs(of thread: Thread) throws -> Continuation {
    try beginRoutine(on: thread) { [self] in
      let tcb = thread.object.Tcb
      _ = try raiseIRQL(to: .apc)
      try tcb.ApcState.UserApcPending.store(0)
      let list = tcb.apcs(.userMode)
      while try !list.isEmpty {
        let call = try await runKernelRoutine(of: list.Flink.load().container(\.ApcListEntry), .user)
        guard call.routine != 0 else { continue }
        stream.append(
          .note(
            "a user APC's routine at \(hex(call.routine, memory.target)) would run in \(thread.owner.name) now; code in user mode does not run"
          ))
      }
      try lowerIRQL(to: .passive)
      return 0
    }
  }

  /// A thread ends: nothing is queued to it any more, and its user APCs are run down.
  ///
  /// A kernel APC that is still there is KERNEL_APC_PENDING_DURING_EXIT (0x20: the APC, the disable count, the IRQL).
  func runDownAPCs(of thread: Thread) async throws {
    let tcb = thread.object.Tcb
    if try tcb.deliverableAPC(at: kpcr.Irql.load()) != nil { try await runAPCs(of: tcb) }
    try tcb.apcQueueable.store(0)
    while let entry = try tcb.apcs(.userMode).removeHead() {
      let apc: Pointer<KAPC> = entry.container(\.ApcListEntry)
      try apc.Inserted.store(0)
      let rundown = try apc.RundownRoutine.load().address
      if rundown != 0 { _ = try await call(rundown, [apc.address]) } else { try freePool(apc.address) }
    }
    let list = tcb.apcs(.kernelMode)
    guard try !list.isEmpty else { return }
    let apc: Pointer<KAPC> = try list.Flink.load().container(\.ApcListEntry)
    throw BugCheck(.kernelAPCPendingDuringExit, apc.address, try tcb.combinedDisable, UInt64(try kpcr.Irql.load().rawValue))
  }
}

extension Registers {
  func load(_ values: [Register: UInt64]) { for (register, value) in values { self[register] = value } }
}
