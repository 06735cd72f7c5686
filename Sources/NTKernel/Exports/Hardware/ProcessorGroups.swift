import Guest
import WindowsTypes

/// What drivers for Windows 7 ask of processor groups: there is group 0, and in it processor 0.
extension Export {
  static let processorGroups: [Export] = [
    // nf-wdm-kequeryactiveprocessorcountex
    export("KeQueryActiveProcessorCountEx(GroupNumber)") { (_, group: UInt16) -> UInt32 in Kernel.processors(ofGroup: group) },
    // nf-wdm-kequerymaximumprocessorcountex
    export("KeQueryMaximumProcessorCountEx(GroupNumber)") { (_, group: UInt16) -> UInt32 in Kernel.processors(ofGroup: group) },
    // nf-wdm-kequerymaximumprocessorcount
    export("KeQueryMaximumProcessorCount()") { _ -> UInt32 in 1 },
    // nf-wdm-kequeryactivegroupcount
    export("KeQueryActiveGroupCount()") { _ -> UInt32 in 1 },
    // nf-wdm-kequerymaximumgroupcount
    export("KeQueryMaximumGroupCount()") { _ -> UInt32 in 1 },
    // nf-wdm-kequerygroupaffinity: 0 of a group that is not there.
    export("KeQueryGroupAffinity(GroupNumber)") { (_, group: UInt16) -> GuestWord in group == 0 ? 1 : 0 },
    // nf-wdm-kegetcurrentprocessornumberex: the index, and optionally the PROCESSOR_NUMBER.
    export("KeGetCurrentProcessorNumberEx(ProcNumber)") { (_, number: Pointer<UInt32>) -> UInt32 in
      if !number.isNull { try number.store(0) }
      return 0
    },
    // nf-wdm-kegetprocessornumberfromindex
    export("KeGetProcessorNumberFromIndex(ProcIndex, ProcNumber)") { (_, index: UInt32, number: Pointer<UInt32>) -> NTSTATUS in
      guard index == 0 else { return .invalidParameter }
      try number.store(0)
      return .success
    },
    // nf-wdm-kegetprocessorindexfromnumber: INVALID_PROCESSOR_INDEX
    export("KeGetProcessorIndexFromNumber(ProcNumber)") { (_, number: Pointer<UInt32>) -> UInt32 in
      try number.load() == 0 ? 0 : 0xffff_ffff
    },
    // nf-wdm-kesetsystemaffinitythreadex: the system affinity before; 0 if there was none, or none of the processors is there.
    export("KeSetSystemAffinityThreadEx(Affinity)", irql: .dispatch) { (kernel, affinity: GuestWord) -> GuestWord in
      guard affinity.bits & 1 != 0 else { return 0 }
      return GuestWord(try kernel.setSystemAffinity(affinity.bits))
    },
    // nf-wdm-kereverttouseraffinitythreadex: back to that system affinity; 0 to the user's.
    export("KeRevertToUserAffinityThreadEx(Affinity)", irql: .dispatch) { (kernel, affinity: GuestWord) in
      try kernel.restoreSystemAffinity(affinity.bits)
    },
    // nf-wdm-kesetsystemgroupaffinitythread: GROUP_AFFINITY is a mask, a group and three reserved words.
    export("KeSetSystemGroupAffinityThread(Affinity, PreviousAffinity)", irql: .dispatch) {
      (kernel, affinity: Pointer<GuestWord>, previous: Pointer<GuestWord>) in
      let isValid = try kernel.isGroupAffinity(affinity)
      let old = isValid ? try kernel.setSystemAffinity(affinity.load().bits) : 0
      guard !previous.isNull else { return }
      try kernel.memory.memory.fill(0, count: 12, at: previous.address)
      try previous.store(GuestWord(old))
    },
    // nf-wdm-kereverttousergroupaffinitythread
    export("KeRevertToUserGroupAffinityThread(PreviousAffinity)", irql: .dispatch) { (kernel, previous: Pointer<GuestWord>) in
      try kernel.restoreSystemAffinity(previous.load().bits)
    },
    // nf-wdm-kesettargetprocessordpcex
    export("KeSetTargetProcessorDpcEx(Dpc, ProcNumber)") { (_, dpc: Pointer<KDPC>, number: Pointer<UInt32>) -> NTSTATUS in
      try number.load() == 0 ? .success : .invalidParameter
    },
    // nf-wdm-kegetcurrentnodenumber
    export("KeGetCurrentNodeNumber()") { _ -> UInt32 in 0 },
    // nf-wdm-kequeryhighestnodenumber
    export("KeQueryHighestNodeNumber()") { _ -> UInt32 in 0 },
    // nf-wdm-kequerynodemaximumprocessorcount
    export("KeQueryNodeMaximumProcessorCount(NodeNumber)") { (_, node: UInt16) -> UInt32 in Kernel.processors(ofGroup: node) },
    // nf-wdm-kequerynodeactiveaffinity: a node that is not there has an empty mask, in group 0.
    export("KeQueryNodeActiveAffinity(NodeNumber, Affinity, Count)") {
      (kernel, node: UInt16, affinity: Pointer<GuestWord>, count: Pointer<UInt16>) in
      if !affinity.isNull {
        try kernel.memory.memory.fill(0, count: 12, at: affinity.address)
        try affinity.store(node == 0 ? 1 : 0)
      }
      if !count.isNull { try count.store(node == 0 ? 1 : 0) }
    },
    // KAFFINITY_EX (public symbols of Windows 7): how many words are in use, how many there are, a reserved word, the words.
    export("KeInitializeAffinityEx(Affinity)") { (kernel, affinity: Pointer<UInt32>) in
      try kernel.memory.memory.fill(0, count: 0x18, at: affinity.address)
      try affinity.store(4 << 16 | 1)
    }
    .uncertain("the routine has no reference page"),
    export("KeAddProcessorAffinityEx(Affinity, Number)") { (_, affinity: Pointer<UInt32>, number: UInt32) in
      guard number < 32 else { return }
      try affinity[2].store(affinity[2].load() | 1 << number)
    }
    .uncertain("the routine has no reference page"),
    // nf-wdm-keregisterprocessorchangecallback: KE_PROCESSOR_CHANGE_ADD_EXISTING (1) tells of the processor that is there.
    export("KeRegisterProcessorChangeCallback(CallbackFunction, CallbackContext, Flags)", irql: .passive) {
      (kernel, routine: GuestWord, context: GuestWord, flags: UInt32) async throws -> GuestWord in
      guard flags & ~1 == 0 else { return 0 }
      if flags & 1 != 0, try await !kernel.announceProcessor(to: routine.bits, context.bits) { return 0 }
      let handle = try kernel.allocate(0x10)
      kernel.register(Kernel.processorCallback, handle)
      return GuestWord(handle)
    }
    .partially("no processor is added while the system runs"),
    // nf-wdm-kederegisterprocessorchangecallback
    export("KeDeregisterProcessorChangeCallback(CallbackHandle)", irql: .apc) { (kernel, handle: GuestWord) in
      if kernel.unregister(Kernel.processorCallback, handle.bits) { kernel.free(handle.bits) }
    },
  ]
}

extension Kernel {
  fileprivate static let processorCallback = "a processor change callback"

  /// ALL_PROCESSOR_GROUPS is 0xFFFF.
  fileprivate static func processors(ofGroup group: UInt16) -> UInt32 { group == 0 || group == 0xffff ? 1 : 0 }

  /// A mask of processors of group 0 that are there; the reserved words must be 0.
  fileprivate func isGroupAffinity(_ affinity: Pointer<GuestWord>) throws -> Bool {
    let rest = try memory.memory.bytes(8, at: affinity.address + 4)
    return try affinity.load().bits == 1 && rest.allSatisfy { $0 == 0 }
  }

  /// The system affinity that the thread had; 0 if it had the user's.
  fileprivate func setSystemAffinity(_ affinity: UInt64) throws -> UInt64 {
    let thread = try currentThread()
    let wasActive = try thread.systemAffinityActive.load() != 0
    let old = try thread.affinity.load()
    if !wasActive { try thread.userAffinity.store(old) }
    try thread.affinity.store(GuestWord(affinity))
    try thread.systemAffinityActive.store(1)
    return wasActive ? old.bits : 0
  }

  fileprivate func restoreSystemAffinity(_ affinity: UInt64) throws {
    let thread = try currentThread()
    guard try thread.systemAffinityActive.load() != 0 else { return }
    try thread.affinity.store(affinity == 0 ? thread.userAffinity.load() : GuestWord(affinity))
    try thread.systemAffinityActive.store(affinity == 0 ? 0 : 1)
  }

  /// Calls a PROCESSOR_CALLBACK_FUNCTION for processor 0: KeProcessorAddStartNotify, and by its answer KeProcessorAddCompleteNotify or
  /// KeProcessorAddFailureNotify. KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT is the state, the number, the status and the PROCESSOR_NUMBER.
  fileprivate func announceProcessor(to routine: UInt64, _ context: UInt64) async throws -> Bool {
    let block = try allocate(0x20)
    defer { free(block) }
    let here = memory.memory
    try here.fill(0, count: 0x20, at: block)
    _ = try await call(routine, [context, block, block + 0x10])
    let status = NTSTATUS(rawValue: try here.load(UInt32.self, at: block + 0x10))
    try here.store(UInt32(status.isFailure ? 2 : 1), at: block)
    try here.store(status.rawValue, at: block + 8)
    _ = try await call(routine, [context, block, 0])
    return !status.isFailure
  }
}
