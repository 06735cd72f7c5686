import Guest
import WindowsTypes

extension Export {
  /// Calls that run elsewhere: on another stack, on every processor, in a threaded DPC.
  static let processorCalls: [Export] = [
    // nf-ntddk-keexpandkernelstackandcallout: of a size beyond MAXIMUM_EXPANSION_SIZE, STATUS_INVALID_PARAMETER_3.
    export("KeExpandKernelStackAndCallout(Callout, Parameter, Size)", irql: .apc) {
      (kernel, callout: GuestWord, parameter: GuestWord, size: UInt32) async throws -> NTSTATUS in
      try await kernel.callExpanded(callout.bits, parameter.bits, size)
    }
    .partially("the callout runs on the caller's own stack"),
    // nf-ntddk-keexpandkernelstackandcalloutex
    export("KeExpandKernelStackAndCalloutEx(Callout, Parameter, Size, Wait, Context)", irql: .dispatch) {
      (kernel, callout: GuestWord, parameter: GuestWord, size: UInt32, wait: UInt8, context: GuestWord) async throws -> NTSTATUS in
      try await kernel.callExpanded(callout.bits, parameter.bits, size)
    }
    .partially("the callout runs on the caller's own stack"),
    // nf-ntifs-keisattachedprocess
    export("KeIsAttachedProcess()", irql: .dispatch) { kernel -> UInt8 in try kernel.currentThread().ApcStateIndex.load() != 0 ? 1 : 0 },
    // nf-wdm-keinitializethreadeddpc: ThreadedDpcObject is 24.
    export("KeInitializeThreadedDpc(Dpc, DeferredRoutine, DeferredContext)") {
      (_, dpc: Pointer<KDPC>, routine: Pointer<Procedure<Void>>, context: Pointer<Void>) in
      try dpc.zero()
      try dpc.Type.store(0x18)
      try dpc.Importance.store(1)
      try dpc.DeferredRoutine.store(routine)
      try dpc.DeferredContext.store(context)
    }
    .partially("it runs at DISPATCH_LEVEL, as where threaded DPCs are disabled"),
    // No reference page: the routine runs as a DPC on each processor, which here is one.
    export("KeGenericCallDpc(Routine, Context)", irql: .apc) { (kernel, routine: GuestWord, context: GuestWord) async throws in
      try await kernel.callOnEveryProcessor(routine.bits, context.bits)
    }
    .uncertain("the routine has no reference page"),
    export("KeSignalCallDpcDone(SystemArgument1)", irql: .dispatch) { (_, count: Pointer<UInt32>) in
      try count.store(count.load() &- 1)
    }
    .uncertain("the routine has no reference page"),
    // Whether the caller was the last to come: of one it is.
    export("KeSignalCallDpcSynchronize(SystemArgument2)", irql: .dispatch) { (_, barrier: Pointer<UInt32>) -> UInt32 in 1 }
      .uncertain("the routine has no reference page"),
    // nf-wdm-kequeryunbiasedinterrupttime: the machine never sleeps.
    export("KeQueryUnbiasedInterruptTime()") { kernel -> UInt64 in
      try kernel.publishTime()
      return kernel.interruptTimeAtTick
    },
    // nf-ntifs-keinitializemutant: as a mutex, but that it disables no APCs; it may belong to the caller from the start.
    export("KeInitializeMutant(Mutant, InitialOwner)", irql: .dispatch) { (kernel, mutant: Pointer<KMUTANT>, isOwned: UInt8) in
      try mutant.Header.initialize(.mutant, state: isOwned == 0 ? 1 : 0, size: 8)
      try mutant.Abandoned.store(0)
      try mutant.ApcDisable.store(0)
      let none = Pointer<KTHREAD>(0, in: kernel.memory.memory)
      let owner = isOwned == 0 ? none : try kernel.currentThread()
      try mutant.OwnerThread.store(owner)
      if isOwned != 0 { try owner.MutantListHead.insertTail(mutant.MutantListEntry) }
    },
    // nf-ntifs-kereleasemutant: a thread that does not own it raises STATUS_MUTANT_NOT_OWNED.
    export("KeReleaseMutant(Mutant, Increment, Abandoned, Wait)", irql: .dispatch) {
      (kernel, mutant: Pointer<KMUTANT>, increment: Int32, abandoned: UInt8, wait: UInt8) -> Int32 in
      try kernel.release(mutant)
    }
    .partially("Abandoned and Wait are not looked at"),
    // nf-ntifs-kereadstatemutant
    export("KeReadStateMutant(Mutant)", irql: .dispatch) { (_, mutant: Pointer<KMUTANT>) -> Int32 in
      try mutant.Header.SignalState.load()
    },
    // No reference page.
    export("KeIsWaitListEmpty(Object)", irql: .dispatch) { (_, object: Kernel.DispatcherObject) -> UInt8 in
      try object.WaitListHead.isEmpty ? 1 : 0
    },
    // Caches and translations are those of the host's emulator: always coherent.
    export("KeInvalidateAllCaches()") { _ -> UInt8 in 1 },
    export("KeInvalidateRangeAllCaches(BaseAddress, Length)") { (_, base: GuestWord, length: UInt32) in },
    export("KeFlushEntireTb(Invalid, AllProcessors)") { (kernel, isInvalid: UInt8, all: UInt8) in try kernel.releasePageTableViews() },
  ]
}

extension Kernel {
  /// KERNEL_LARGE_STACK_SIZE less half of KERNEL_STACK_SIZE (ntddk.h).
  private static let maximumExpansion: UInt32 = 61440 - 12288 / 2

  fileprivate func callExpanded(_ callout: UInt64, _ parameter: UInt64, _ size: UInt32) async throws -> NTSTATUS {
    // STATUS_INVALID_PARAMETER_3
    guard size <= Self.maximumExpansion else { return NTSTATUS(rawValue: 0xc000_00f1) }
    _ = try await call(callout, [parameter])
    return .success
  }

  /// Dpc, Context, the count of processors that are not done, and the barrier.
  fileprivate func callOnEveryProcessor(_ routine: UInt64, _ context: UInt64) async throws {
    let here = memory.memory
    let block = try allocate(0x40)
    defer { free(block) }
    try here.fill(0, count: 0x40, at: block)
    let dpc = Pointer<KDPC>(block, in: here)
    try dpc.Type.store(0x13)
    try here.store(UInt32(1), at: block + 0x20)
    try here.store(UInt32(1), at: block + 0x30)
    try here.store(UInt32(1), at: block + 0x34)
    let old = try raiseIRQL(to: .dispatch)
    _ = try await call(routine, [block, context, block + 0x20, block + 0x30])
    if try here.load(UInt32.self, at: block + 0x20) != 0 {
      report(violation: "a routine that KeGenericCallDpc called returned without KeSignalCallDpcDone: its caller waits for ever")
    }
    try lowerIRQL(to: old)
  }
}
