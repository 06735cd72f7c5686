import Guest
import WindowsTypes

/// What drivers ask of the processor, of which there is one.
extension Export {
  static let processors: [Export] = [
    // nf-ntddk-kequeryactiveprocessors
    export("KeQueryActiveProcessors()") { _ -> GuestWord in 1 },
    // nf-wdm-kequeryactiveprocessorcount
    export("KeQueryActiveProcessorCount(ActiveProcessors)") { (_, affinity: Pointer<GuestWord>) -> UInt32 in
      if !affinity.isNull { try affinity.store(1) }
      return 1
    },
    // nf-wdm-kesetsystemaffinitythread: none of the active processors is bugcheck 0x1E on Windows' own assertion; here nothing runs elsewhere.
    export("KeSetSystemAffinityThread(Affinity)", irql: .dispatch) { (kernel, affinity: GuestWord) in
      let thread = try kernel.currentThread()
      if try thread.systemAffinityActive.load() == 0 { try thread.userAffinity.store(thread.affinity.load()) }
      try thread.affinity.store(affinity)
      try thread.systemAffinityActive.store(1)
    },
    // nf-wdm-kereverttouseraffinitythread
    export("KeRevertToUserAffinityThread()", irql: .dispatch) { kernel in
      let thread = try kernel.currentThread()
      guard try thread.systemAffinityActive.load() != 0 else { return }
      try thread.affinity.store(thread.userAffinity.load())
      try thread.systemAffinityActive.store(0)
    },
    // nf-ntddk-kesetaffinitythread (exported, and in no header of the time): the affinity before.
    export("KeSetAffinityThread(Thread, Affinity)", irql: .dispatch) { (_, thread: Pointer<KTHREAD>, affinity: GuestWord) -> GuestWord in
      let old = try thread.affinity.load()
      try thread.affinity.store(affinity)
      return old
    },
    // nf-ntifs-kesetidealprocessorthread: the one before.
    export("KeSetIdealProcessorThread(Thread, Processor)", irql: .dispatch) { (_, thread: Pointer<KTHREAD>, number: UInt8) -> UInt8 in
      let old = try thread.idealProcessor.load()
      if number == 0 { try thread.idealProcessor.store(number) }
      return old
    },
    // nf-wdm-kegetrecommendedshareddataalignment
    export("KeGetRecommendedSharedDataAlignment()") { _ -> UInt32 in 64 },
    // nf-wdm-keipigenericcall: on one processor, a call at IPI_LEVEL.
    export("KeIpiGenericCall(BroadcastFunction, Context)") { (kernel, routine: GuestWord, context: GuestWord) async throws -> GuestWord in
      let old = try kernel.raiseIRQL(to: IRQL(rawValue: 29))
      let result = try await kernel.call(routine.bits, [context.bits])
      try kernel.lowerIRQL(to: old)
      return GuestWord(result & 0xffff_ffff)
    },
    // The processor's I/O permission map (i386 alone): guest code here runs in ring 0, which it does not bind.
    export("Ke386IoSetAccessProcess(Process, MapNumber)") { (_, process: GuestWord, map: UInt32) -> UInt8 in map <= 1 ? 1 : 0 }
      .partially("user-mode code does not run, so nobody's ports are opened or closed"),
    export("Ke386SetIoAccessMap(MapNumber, IoAccessMap)") { (_, map: UInt32, place: GuestWord) -> UInt8 in map == 1 ? 1 : 0 }
      .partially("user-mode code does not run, so nobody's ports are opened or closed"),
    // nf-wdm-kesavefloatingpointstate: KFLOATING_SAVE is 20h bytes that belong to the system.
    export("KeSaveFloatingPointState(FloatSave)", irql: .dispatch) { (kernel, place: GuestWord) -> NTSTATUS in
      try kernel.memory.memory.fill(0, count: 0x20, at: place.bits)
      let state = try kernel.allocate(8)
      try kernel.memory.memory.store(UInt32(truncatingIfNeeded: state), at: place.bits)
      kernel.register("a saved floating-point state", state)
      return .success
    }
    .partially("the unit's registers are not kept: whoever uses them between saving and restoring leaves them changed"),
    // nf-wdm-kerestorefloatingpointstate: what was not saved is INVALID_FLOATING_POINT_STATE.
    export("KeRestoreFloatingPointState(FloatSave)", irql: .dispatch) { (kernel, place: GuestWord) -> NTSTATUS in
      let state = UInt64(try kernel.memory.memory.load(UInt32.self, at: place.bits))
      guard kernel.unregister("a saved floating-point state", state) else {
        throw BugCheck(BugCheckCode(rawValue: 0xe7), 0, place.bits, try kernel.currentThread().address)
      }
      try kernel.freePool(state)
      return .success
    }
    .partially("the unit's registers are not kept"),
  ]
}
