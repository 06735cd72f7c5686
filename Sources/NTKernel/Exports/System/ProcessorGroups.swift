import Guest
import WindowsTypes

/// Processors in groups, as later versions than XP count them: one group, and one processor in it.
extension Export {
  static let processorGroups: [Export] = [
    // nf-wdm-kequeryactiveprocessorcountex: ALL_PROCESSOR_GROUPS is FFFFh; a group that is not there has none.
    processorCount("KeQueryActiveProcessorCountEx(GroupNumber)"),
    // nf-wdm-kequerymaximumprocessorcountex
    processorCount("KeQueryMaximumProcessorCountEx(GroupNumber)"),
    // nf-wdm-kequerymaximumprocessorcount
    export("KeQueryMaximumProcessorCount()") { _ -> UInt32 in 1 },
    // nf-wdm-kequeryactivegroupcount
    export("KeQueryActiveGroupCount()") { _ -> UInt16 in 1 },
    // nf-wdm-kequerymaximumgroupcount
    export("KeQueryMaximumGroupCount()") { _ -> UInt16 in 1 },
    // nf-wdm-kequerygroupaffinity
    export("KeQueryGroupAffinity(GroupNumber)") { (_, group: UInt16) -> GuestWord in group == 0 ? 1 : 0 },
    // nf-wdm-kegetcurrentprocessornumberex: the index in all groups; the number where it is asked for.
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
    // nf-wdm-kegetprocessorindexfromnumber: INVALID_PROCESSOR_INDEX. PROCESSOR_NUMBER is group, number and a byte that must be 0.
    export("KeGetProcessorIndexFromNumber(ProcNumber)") { (_, number: Pointer<UInt32>) -> UInt32 in
      try number.load() == 0 ? 0 : 0xffff_ffff
    },
    // nf-wdm-kesetsystemaffinitythreadex: the system affinity before, 0 where there was none.
    export("KeSetSystemAffinityThreadEx(Affinity)", irql: .dispatch) { (kernel, affinity: GuestWord) -> GuestWord in
      // None of the processors is there: nothing changes.
      guard affinity.bits & 1 != 0 else { return 0 }
      return try kernel.setSystemAffinity(affinity)
    },
    // nf-wdm-kereverttouseraffinitythreadex: back to what that returned.
    export("KeRevertToUserAffinityThreadEx(Affinity)", irql: .dispatch) { (kernel, affinity: GuestWord) in
      try kernel.revertAffinity(to: affinity)
    },
    // nf-wdm-kesetsystemgroupaffinitythread: GROUP_AFFINITY is a mask, a group, and six bytes that must be 0.
    export("KeSetSystemGroupAffinityThread(Affinity, PreviousAffinity)", irql: .dispatch) {
      (kernel, affinity: Pointer<UInt32>, previous: Pointer<UInt32>) in
      let mask = try affinity.load()
      // A group that is not there, or none of its processors, changes nothing.
      let isThere = try affinity[1].load() == 0 && affinity[2].load() == 0 && mask & 1 != 0
      let old = isThere ? try kernel.setSystemAffinity(GuestWord(UInt64(mask & 1))) : 0
      guard !previous.isNull else { return }
      for (index, word) in [UInt32(truncatingIfNeeded: old.bits), 0, 0].enumerated() { try previous[index].store(word) }
    },
    // nf-wdm-kereverttousergroupaffinitythread
    export("KeRevertToUserGroupAffinityThread(PreviousAffinity)", irql: .dispatch) { (kernel, previous: Pointer<UInt32>) in
      try kernel.revertAffinity(to: GuestWord(UInt64(previous.load())))
    },
    // nf-ntddk-kequerylogicalprocessorrelationship: RelationProcessorCore 0, RelationGroup 4, RelationAll FFFFh.
    export("KeQueryLogicalProcessorRelationship(ProcessorNumber, RelationshipType, Information, Length)", irql: .passive) {
      (kernel, number: Pointer<UInt32>, type: UInt32, information: GuestWord, length: Pointer<UInt32>) -> NTSTATUS in
      guard try number.isNull || number.load() == 0, [0, 4, 0xffff].contains(type) else { return .invalidParameter }
      let bytes = Kernel.processorRelations(type)
      let room = try length.load()
      try length.store(UInt32(bytes.count))
      guard information.bits != 0, room >= bytes.count else { return .infoLengthMismatch }
      try kernel.memory.memory.write(bytes, at: information.bits)
      return .success
    }
    .partially("nothing is said of caches, nodes and packages"),
    // nf-wdm-keregisterprocessorchangecallback: KE_PROCESSOR_CHANGE_ADD_EXISTING 1 tells of the processors that are there.
    export("KeRegisterProcessorChangeCallback(CallbackFunction, CallbackContext, Flags)", irql: .passive) {
      (kernel, routine: GuestWord, context: GuestWord, flags: UInt32) async throws -> GuestWord in
      let registration = try kernel.allocate(0x20)
      if flags & 1 != 0 {
        // KeProcessorAddStartNotify, KeProcessorAddCompleteNotify; KeProcessorAddFailureNotify if the first was refused.
        let status = try await kernel.tellProcessor(0, of: routine.bits, context.bits, at: registration)
        _ = try await kernel.tellProcessor(status.isSuccess ? 1 : 2, of: routine.bits, context.bits, at: registration)
        if !status.isSuccess {
          kernel.free(registration)
          return 0
        }
      }
      kernel.register(Kernel.processorCallback, registration)
      return GuestWord(registration)
    }
    .partially("no processor is ever added"),
    // nf-wdm-kederegisterprocessorchangecallback
    export("KeDeregisterProcessorChangeCallback(CallbackHandle)", irql: .passive) { (kernel, handle: GuestWord) in
      if kernel.unregister(Kernel.processorCallback, handle.bits) { kernel.free(handle.bits) }
    },
    // nf-wdm-kesettargetprocessordpcex
    export("KeSetTargetProcessorDpcEx(Dpc, ProcNumber)") { (_, dpc: Pointer<KDPC>, number: Pointer<UInt32>) -> NTSTATUS in
      guard try number.load() == 0 else { return .invalidParameter }
      // MAXIMUM_PROCESSORS of x86 stands before the number, so that 0 says that none is asked for.
      try dpc.Number.store(32)
      return .success
    },
    // nf-wdm-kegetcurrentnodenumber
    export("KeGetCurrentNodeNumber()") { _ -> UInt32 in 0 },
    // nf-wdm-kequeryhighestnodenumber
    export("KeQueryHighestNodeNumber()") { _ -> UInt32 in 0 },
    // nf-wdm-kequerynodemaximumprocessorcount
    export("KeQueryNodeMaximumProcessorCount(NodeNumber)") { (_, node: UInt16) -> UInt32 in node == 0 ? 1 : 0 },
    // nf-wdm-kequerynodeactiveaffinity: a node that is not there has an empty mask, in group 0.
    export("KeQueryNodeActiveAffinity(NodeNumber, Affinity, Count)") {
      (kernel, node: UInt16, affinity: Pointer<GuestWord>, count: Pointer<UInt16>) in
      if !affinity.isNull {
        try kernel.memory.memory.fill(0, count: 12, at: affinity.address)
        try affinity.store(node == 0 ? 1 : 0)
      }
      if !count.isNull { try count.store(node == 0 ? 1 : 0) }
    },
    // KAFFINITY_EX (public symbols): how many groups, how many there is room for, a reserved word, and a mask for each.
    export("KeInitializeAffinityEx(Affinity)") { (_, affinity: Pointer<UInt32>) in
      for (index, word) in [0x0004_0001, 0, 0, 0, 0, 0].enumerated() { try affinity[index].store(UInt32(word)) }
    }
    .uncertain("the routine has no reference page"),
    export("KeAddProcessorAffinityEx(Affinity, Number)") { (_, affinity: Pointer<UInt32>, number: UInt32) in
      if number < 32 { try affinity[2].store(affinity[2].load() | 1 << number) }
    }
    .uncertain("the routine has no reference page"),
    // KeIsExecutingDpc (no page): whether the processor runs a deferred call.
    export("KeIsExecutingDpc()") { kernel -> UInt32 in try kernel.isDPCActive() ? 1 : 0 },
  ]

  private static func processorCount(_ prototype: String) -> Export {
    export(prototype) { (_, group: UInt16) -> UInt32 in group == 0 || group == 0xffff ? 1 : 0 }
  }
}

extension Kernel {
  fileprivate static let processorCallback = "a processor change callback"

  fileprivate func setSystemAffinity(_ affinity: GuestWord) throws -> GuestWord {
    let thread = try currentThread()
    let wasActive = try thread.systemAffinityActive.load() != 0
    let old = try thread.affinity.load()
    if !wasActive { try thread.userAffinity.store(old) }
    try thread.affinity.store(affinity)
    try thread.systemAffinityActive.store(1)
    return wasActive ? old : 0
  }

  fileprivate func revertAffinity(to affinity: GuestWord) throws {
    let thread = try currentThread()
    guard try thread.systemAffinityActive.load() != 0 else { return }
    if affinity.bits == 0 {
      try thread.affinity.store(thread.userAffinity.load())
      try thread.systemAffinityActive.store(0)
    } else {
      try thread.affinity.store(affinity)
    }
  }

  /// `SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX` (winnt.h): a core without a second thread, and the group.
  fileprivate static func processorRelations(_ type: UInt32) -> [UInt8] {
    // PROCESSOR_RELATIONSHIP: flags, 21 reserved bytes, the number of groups, then GROUP_AFFINITY.
    let core: [UInt8] = [0, 0, 0, 0, 44, 0, 0, 0] + [UInt8](repeating: 0, count: 22) + [1, 0] + [1] + [UInt8](repeating: 0, count: 11)
    // GROUP_RELATIONSHIP: greatest and active number of groups, 20 reserved bytes, then PROCESSOR_GROUP_INFO.
    let group: [UInt8] =
      [4, 0, 0, 0, 76, 0, 0, 0, 1, 0, 1, 0] + [UInt8](repeating: 0, count: 20) + [1, 1] + [UInt8](repeating: 0, count: 38) + [1, 0, 0, 0]
    return type == 0 ? core : type == 4 ? group : core + group
  }

  /// Calls a processor change callback with a `KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT` at `place`; returns what it says of the operation.
  fileprivate func tellProcessor(_ state: UInt32, of routine: UInt64, _ context: UInt64, at place: UInt64) async throws -> NTSTATUS {
    let here = memory.memory
    for (index, word) in [state, 0, 0, 0, 0].enumerated() { try here.store(word, at: place + 4 * UInt64(index)) }
    _ = try await call(routine, [context, place, place + 0x10])
    return NTSTATUS(rawValue: try here.load(UInt32.self, at: place + 0x10))
  }
}
