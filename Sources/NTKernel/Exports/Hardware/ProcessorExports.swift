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
    export("KeGetRecommendedSharedDataAlignment()") { _ -> UInt32 in UInt32(Kernel.cacheLine) },
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
    // nf-wdm-kesavefloatingpointstate: KFLOATING_SAVE is 20h bytes that belong to the system; the caller gets an empty unit.
    export("KeSaveFloatingPointState(FloatSave)", irql: .dispatch) { (kernel, place: GuestWord) -> NTSTATUS in
      try kernel.saveFloatingPoint(place.bits)
      return .success
    },
    // nf-wdm-kerestorefloatingpointstate
    export("KeRestoreFloatingPointState(FloatSave)", irql: .dispatch) { (kernel, place: GuestWord) -> NTSTATUS in
      try kernel.restoreFloatingPoint(place.bits)
      return .success
    },
  ]
}

extension Kernel {
  private static let floatingPointKind = "a saved floating-point state"
  private static var imageSize: UInt64 { UInt64(FloatingPointState.imageSize) }

  /// Keeps the unit's state in a block of its own, with the thread's address and the IRQL behind it.
  fileprivate func saveFloatingPoint(_ place: UInt64) throws {
    let here = memory.memory
    try here.fill(0, count: 0x20, at: place)
    let block = try allocate(Self.imageSize + 8)
    try here.write(registers.floatingPoint.image, at: block)
    try here.store(UInt32(truncatingIfNeeded: currentThread().address), at: block + Self.imageSize)
    try here.store(UInt32(kpcr.Irql.load().rawValue), at: block + Self.imageSize + 4)
    try here.store(UInt32(truncatingIfNeeded: block), at: place)
    register(Self.floatingPointKind, block)
    registers.floatingPoint = .initial
  }

  /// What was not saved, or by another thread or at another IRQL, is INVALID_FLOATING_POINT_STATE (0xE7: 0, 2 or 1, what was saved,
  /// what is now).
  fileprivate func restoreFloatingPoint(_ place: UInt64) throws {
    let here = memory.memory
    let code = BugCheckCode(rawValue: 0xe7)
    let block = UInt64(try here.load(UInt32.self, at: place))
    let (thread, irql) = (try currentThread().address, UInt32(try kpcr.Irql.load().rawValue))
    guard unregister(Self.floatingPointKind, block) else { throw BugCheck(code, 0, place, thread) }
    let owner = UInt64(try here.load(UInt32.self, at: block + Self.imageSize))
    guard owner == thread else { throw BugCheck(code, 2, owner, thread) }
    let level = try here.load(UInt32.self, at: block + Self.imageSize + 4)
    guard level == irql else { throw BugCheck(code, 1, UInt64(level), UInt64(irql)) }
    registers.floatingPoint = FloatingPointState(image: try here.bytes(FloatingPointState.imageSize, at: block))
    try freePool(block)
  }
}
