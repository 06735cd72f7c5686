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
      if try thread.SystemAffinityActive.load() == 0 { try thread.UserAffinity.store(thread.Affinity.load()) }
      try thread.Affinity.store(affinity)
      try thread.SystemAffinityActive.store(1)
    },
    // nf-wdm-kereverttouseraffinitythread
    export("KeRevertToUserAffinityThread()", irql: .dispatch) { kernel in
      let thread = try kernel.currentThread()
      guard try thread.SystemAffinityActive.load() != 0 else { return }
      try thread.Affinity.store(thread.UserAffinity.load())
      try thread.SystemAffinityActive.store(0)
    },
    // nf-ntddk-kesetaffinitythread (exported, and in no header of the time): the affinity before.
    export("KeSetAffinityThread(Thread, Affinity)", irql: .dispatch) { (_, thread: Pointer<KTHREAD>, affinity: GuestWord) -> GuestWord in
      let old = try thread.Affinity.load()
      try thread.Affinity.store(affinity)
      return old
    },
    // nf-ntifs-kesetidealprocessorthread: the one before.
    export("KeSetIdealProcessorThread(Thread, Processor)", irql: .dispatch) { (_, thread: Pointer<KTHREAD>, number: UInt8) -> UInt8 in
      let old = try thread.IdealProcessor.load()
      if number == 0 { try thread.IdealProcessor.store(number) }
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
    // nf-wdm-kesavefloatingpointstate: Swift's routines use no register of the unit's.
    export("KeSaveFloatingPointState(FloatSave)", irql: .dispatch) { (kernel, place: GuestWord) -> NTSTATUS in
      // KFLOATING_SAVE is 20h bytes that belong to the system: the state, or where it is.
      let state = kernel.floatingPoint.save()
      let block = try kernel.allocate(UInt64(max(8, state.count)))
      try kernel.memory.memory.write(state, at: block)
      try kernel.memory.memory.fill(0, count: 0x20, at: place.bits)
      try kernel.memory.memory.store(UInt32(truncatingIfNeeded: block), at: place.bits)
      kernel.register("a saved floating-point state", block)
      return .success
    },
    // nf-wdm-kerestorefloatingpointstate
    export("KeRestoreFloatingPointState(FloatSave)", irql: .dispatch) { (kernel, place: GuestWord) -> NTSTATUS in
      let block = UInt64(try kernel.memory.memory.load(UInt32.self, at: place.bits))
      guard kernel.unregister("a saved floating-point state", block), let size = kernel.nonPagedPool.blocks[block]?.size else {
        // INVALID_FLOATING_POINT_STATE: restored what was not saved.
        throw BugCheck(BugCheckCode(rawValue: 0xe7), 0, place.bits, try kernel.currentThread().address)
      }
      kernel.floatingPoint.restore(try kernel.memory.memory.bytes(Int(size), at: block))
      try kernel.freePool(block)
      return .success
    },
  ]
}

/// The floating-point unit, which the processor has and the kernel does not know. Set by whoever owns the processor.
public struct FloatingPointUnit {
  public var save: () -> [UInt8] = { [] }
  public var restore: ([UInt8]) -> Void = { _ in }
  public init() {}
}
