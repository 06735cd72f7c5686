import Guest
import WindowsTypes

extension Export {
  /// Asynchronous procedure calls, alerts, and the regions that keep APCs away.
  static let asynchronousCalls: [Export] = [
    // No reference page: the prototype is that of public headers of free drivers; “Types of APCs” (WDK) says what the modes mean.
    export(
      "KeInitializeApc(Apc, Thread, Environment, KernelRoutine, RundownRoutine, NormalRoutine, ApcMode, NormalContext)"
    ) {
      (
        kernel, apc: Pointer<KAPC>, thread: Pointer<KTHREAD>, environment: KAPC_ENVIRONMENT, routine: GuestWord, rundown: GuestWord,
        normal: GuestWord, mode: KPROCESSOR_MODE, context: GuestWord
      ) in
      try kernel.initialize(
        apc, thread: thread, environment: environment, kernel: routine.bits, rundown: rundown.bits, normal: normal.bits, mode: mode,
        context: context.bits)
    }
    .uncertain("the routine has no reference page"),
    export("KeInsertQueueApc(Apc, SystemArgument1, SystemArgument2, Increment)", irql: .dispatch) {
      (kernel, apc: Pointer<KAPC>, first: GuestWord, second: GuestWord, increment: Int32) -> UInt8 in
      try kernel.insert(apc, first.bits, second.bits) ? 1 : 0
    }
    .partially("the normal routine of a user APC does not run, as no code in user mode does; Increment is no boost"),
    export("KeRemoveQueueApc(Apc)", irql: .dispatch) { (kernel, apc: Pointer<KAPC>) -> UInt8 in try kernel.remove(apc) ? 1 : 0 }
      .uncertain("the routine has no reference page"),
    // nf-ntddk-keareapcsdisabled: normal kernel APCs, by a critical or a guarded region.
    export("KeAreApcsDisabled()", irql: .dispatch) { kernel -> UInt8 in try kernel.currentThread().areNormalDisabled ? 1 : 0 },
    // nf-ntddk-keareallapcsdisabled: by a guarded region, or by the IRQL.
    export("KeAreAllApcsDisabled()", irql: .dispatch) { kernel -> UInt8 in
      try kernel.currentThread().areAllDisabled || kernel.kpcr.Irql.load() >= .apc ? 1 : 0
    },
    // nf-ntddk-keenterguardedregion
    export("KeEnterGuardedRegion()", irql: .apc) { kernel in try kernel.enterGuardedRegion() },
    // nf-ntddk-keleaveguardedregion
    export("KeLeaveGuardedRegion()", irql: .apc) { kernel in try kernel.leaveGuardedRegion() },
    // No reference page. Whether the thread was alerted in that mode before.
    export("KeAlertThread(Thread, AlertMode)", irql: .dispatch) {
      (kernel, thread: Pointer<KTHREAD>, mode: KPROCESSOR_MODE) -> UInt8 in
      try kernel.alert(thread, mode) ? 1 : 0
    }
    .uncertain("the routine has no reference page"),
    export("KeTestAlertThread(AlertMode)", irql: .dispatch) { (kernel, mode: KPROCESSOR_MODE) -> UInt8 in
      try kernel.testAlert(mode) ? 1 : 0
    }
    .uncertain("the routine has no reference page"),
    // What ends a request in the thread that asked for it: a kernel routine of the I/O manager's (IRP.Tail.Apc).
    export("IopCompleteRequest(Apc, NormalRoutine, NormalContext, SystemArgument1, SystemArgument2)", isImportable: false) {
      (
        kernel, apc: Pointer<KAPC>, normal: GuestWord, context: GuestWord, first: Pointer<Pointer<FILE_OBJECT>>, second: GuestWord
      ) async throws in
      try await kernel.completeInThread(apc, of: first.load())
    },
  ]

  /// The kernel and rundown routines of an APC that the caller of a request asked for: the packet goes with it.
  static let callersAPCs: [Export] = [
    export("IopUserCompletion(Apc, NormalRoutine, NormalContext, SystemArgument1, SystemArgument2)", isImportable: false) {
      (
        kernel, apc: Pointer<KAPC>, normal: GuestWord, context: GuestWord, first: GuestWord, second: GuestWord
      ) in try kernel.freeRequest(ofAPC: apc)
    },
    export("IopUserRundown(Apc)", isImportable: false) { (kernel, apc: Pointer<KAPC>) in try kernel.freeRequest(ofAPC: apc) },
  ]
}
