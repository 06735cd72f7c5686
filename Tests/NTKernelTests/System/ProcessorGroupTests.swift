import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Processor groups, processor calls, event tracing") struct ProcessorGroupTests {
  @Test("group 0 has one processor, and there is no other") func counts() throws {
    let g = try IOGuest()
    for name in ["KeQueryActiveProcessorCountEx", "KeQueryMaximumProcessorCountEx", "KeQueryGroupAffinity"] {
      #expect(try g.call(name, 0) == 1 && g.call(name, 1) == 0)
    }
    #expect(try g.call("KeQueryActiveProcessorCountEx", 0xffff) == 1)
    for name in ["KeQueryMaximumProcessorCount", "KeQueryActiveGroupCount", "KeQueryMaximumGroupCount"] {
      #expect(try g.call(name) == 1)
    }
    let number = try g.space()
    #expect(try g.call("KeGetCurrentProcessorNumberEx", number) == 0 && g.k.load(number) == 0)
    #expect(try g.status("KeGetProcessorNumberFromIndex", 0, number) == .success)
    #expect(try g.status("KeGetProcessorNumberFromIndex", 1, number) == .invalidParameter)
    #expect(try g.call("KeGetProcessorIndexFromNumber", number) == 0)
    try g.k.store(0x0001_0000, at: number)
    #expect(try g.call("KeGetProcessorIndexFromNumber", number) == 0xffff_ffff)
    #expect(try g.status("KeSetTargetProcessorDpcEx", g.space(0x20), number) == .invalidParameter)
    try g.k.store(0, at: number)
    #expect(try g.status("KeSetTargetProcessorDpcEx", g.space(0x20), number) == .success)
  }

  @Test("node 0 has one processor") func nodes() throws {
    let g = try IOGuest()
    let (affinity, count) = (try g.space(), try g.space())
    #expect(try g.call("KeGetCurrentNodeNumber") == 0 && g.call("KeQueryHighestNodeNumber") == 0)
    #expect(try g.call("KeQueryNodeMaximumProcessorCount", 0) == 1 && g.call("KeQueryNodeMaximumProcessorCount", 1) == 0)
    try g.call("KeQueryNodeActiveAffinity", 0, affinity, count)
    #expect(try g.k.load(affinity) == 1 && g.k.load(count) & 0xffff == 1)
    try g.call("KeQueryNodeActiveAffinity", 1, affinity, count)
    #expect(try g.k.load(affinity) == 0 && g.k.load(count) & 0xffff == 0)
    try g.call("KeInitializeAffinityEx", affinity)
    try g.call("KeAddProcessorAffinityEx", affinity, 0)
    try g.call("KeAddProcessorAffinityEx", affinity, 32)
    #expect(try g.k.load(affinity) == 0x0004_0001 && g.k.load(affinity + 8) == 1 && g.k.load(affinity + 12) == 0)
  }

  @Test("a system affinity is nested: what was before comes back") func affinity() throws {
    let g = try IOGuest()
    #expect(try g.call("KeSetSystemAffinityThreadEx", 2) == 0 && g.call("KeSetSystemAffinityThreadEx", 1) == 0)
    #expect(try g.call("KeSetSystemAffinityThreadEx", 3) == 1)
    try g.call("KeRevertToUserAffinityThreadEx", 1)
    #expect(try g.call("KeSetSystemAffinityThreadEx", 1) == 1)
    try g.call("KeRevertToUserAffinityThreadEx", 0)
    let (new, old) = (try g.space(), try g.space())
    try g.k.store(1, at: new)
    try g.k.store(7, at: old)
    try g.call("KeSetSystemGroupAffinityThread", new, old)
    #expect(try g.k.load(old) == 0)
    // Group 1 is not there: nothing changes.
    try g.k.store(1, at: new + 4)
    try g.call("KeSetSystemGroupAffinityThread", new, old)
    #expect(try g.k.load(old) == 0 && g.call("KeSetSystemAffinityThreadEx", 1) == 1)
    try g.call("KeRevertToUserGroupAffinityThread", old)
    #expect(try g.call("KeSetSystemAffinityThreadEx", 1) == 0)
  }

  @Test("who wants to know of processors is told of the one that is there") func processorChanges() throws {
    let g = try IOGuest()
    var states: [UInt32] = []
    var answer: UInt32 = 0
    g.routine(at: 0xf8b0_8000, 3) { arguments in
      states.append(try g.k.load(arguments[1]))
      if arguments[2] != 0 { try g.k.store(answer, at: arguments[2]) }
      return 0
    }
    let handle = try g.call("KeRegisterProcessorChangeCallback", 0xf8b0_8000, 0, 1)
    #expect(handle != 0 && states == [0, 1])
    try g.call("KeDeregisterProcessorChangeCallback", handle)
    answer = 0xc000_009a
    #expect(try g.call("KeRegisterProcessorChangeCallback", 0xf8b0_8000, 0, 1) == 0 && states == [0, 1, 0, 2])
    #expect(try g.call("KeRegisterProcessorChangeCallback", 0xf8b0_8000, 0, 4) == 0 && states.count == 4)
  }

  @Test("a routine is called on every processor, at DISPATCH_LEVEL") func genericCall() throws {
    let g = try IOGuest()
    var seen: [UInt64] = []
    g.routine(at: 0xf8b0_8000, 4) { arguments in
      seen = [arguments[1], UInt64(try g.k.kernel.kpcr.Irql.load().rawValue), try UInt64(g.k.load(arguments[2]))]
      try g.k.store(0, at: arguments[2])
      return 0
    }
    try g.call("KeGenericCallDpc", 0xf8b0_8000, 0x77)
    #expect(try seen == [0x77, 2, 1] && g.k.kernel.kpcr.Irql.load() == .passive)
    let word = try g.space()
    try g.k.store(1, at: word)
    try g.call("KeSignalCallDpcDone", word)
    #expect(try g.k.load(word) == 0 && g.call("KeSignalCallDpcSynchronize", word) == 1)
    #expect(try g.call("KeIsExecutingDpc") == 0 && g.call("KeIsAttachedProcess") == 0)
  }

  @Test("a callout that needs more stack than there can be is refused") func callout() throws {
    let g = try IOGuest()
    var parameters: [UInt64] = []
    g.routine(at: 0xf8b0_8000, 1) { arguments in
      parameters += arguments
      return 0
    }
    #expect(try g.status("KeExpandKernelStackAndCallout", 0xf8b0_8000, 5, 0x4000) == .success)
    #expect(try g.status("KeExpandKernelStackAndCalloutEx", 0xf8b0_8000, 6, 0x4000, 0, 0) == .success && parameters == [5, 6])
    #expect(try g.status("KeExpandKernelStackAndCallout", 0xf8b0_8000, 7, 0x1_0000).rawValue == 0xc000_00f1 && parameters.count == 2)
  }

  @Test("mutants, threaded DPCs, coalescable timers") func primitives() throws {
    let g = try IOGuest()
    let mutant = try g.space(0x20)
    try g.call("KeInitializeMutant", mutant, 1)
    #expect(try g.call("KeReadStateMutant", mutant) == 0 && g.call("KeIsWaitListEmpty", mutant) == 1)
    #expect(try g.call("KeReleaseMutant", mutant, 0, 0, 0) == 0 && g.call("KeReadStateMutant", mutant) == 1)
    try g.call("KeInitializeMutant", mutant, 0)
    #expect(try g.call("KeReadStateMutant", mutant) == 1)
    let dpc = try g.space(0x20)
    try g.call("KeInitializeThreadedDpc", dpc, 0xf8b0_8000, 5)
    #expect(try g.k.load(dpc) == 0x0100_0018 && g.k.load(dpc + 0x10) == 5)
    let timer = try g.space(0x28)
    try g.call("KeInitializeTimer", timer)
    #expect(try g.call("KeSetCoalescableTimer", timer, 0xffff_0000, 0xffff_ffff, 0, 50, 0) == 0)
    #expect(try g.call("KeSetCoalescableTimer", timer, 0xffff_0000, 0xffff_ffff, 0, 50, 0) == 1)
    try g.call("KeCancelTimer", timer)
    #expect(try g.call("KeInvalidateAllCaches") == 1 && g.call("KeQueryUnbiasedInterruptTime") == g.call("KeQueryInterruptTime"))
    try g.call("KeInvalidateRangeAllCaches", 0x8000_0000, 0x1000)
    try g.call("KeFlushEntireTb", 1, 1)
  }

  @Test("a mutant is released by its owner alone") func owner() throws {
    let g = try RuntimeGuest()
    let mutant = try g.room(0x20)
    _ = try g.call("KeInitializeMutant", mutant, 0)
    #expect(try g.outcome("KeReleaseMutant", [mutant, 0, 0, 0]) == .raised(0xc000_0046))
  }

  @Test("a provider registers, and nobody listens") func eventTracing() throws {
    let g = try IOGuest()
    let (identifier, handle, activity) = (try g.space(), try g.space(), try g.space())
    #expect(try g.status("EtwRegister", identifier, 0, 0, handle) == .success && g.status("EtwRegister", 0, 0, 0, handle) == .invalidParameter)
    let word = UInt64(try g.k.load(handle))
    #expect(try g.call("EtwEventEnabled", word, 0, identifier) & 0xff == 0 && g.call("EtwProviderEnabled", word, 0, 4, 0, 0) & 0xff == 0)
    let ways: [(String, [UInt64])] = [
      ("EtwWrite", [identifier, 0, 0, 0]), ("EtwWriteEx", [identifier, 0, 0, 0, 0, 0, 0, 0]),
      ("EtwWriteTransfer", [identifier, 0, 0, 0, 0]), ("EtwWriteString", [4, 0, 0, 0, identifier]),
    ]
    for (name, rest) in ways {
      #expect(try g.call(name, [word, 0] + rest) == 0)
      #expect(try g.call(name, [word + 4, 0] + rest) == 0xc000_0008)
    }
    // EVENT_ACTIVITY_CTRL_CREATE_SET_ID, then _GET_ID.
    #expect(try g.status("EtwActivityIdControl", 5, activity) == .success && g.k.load(activity) == 0)
    #expect(try g.status("EtwActivityIdControl", 1, activity) == .success && g.k.load(activity) == 1)
    #expect(try g.status("EtwActivityIdControl", 3, activity) == .success && g.k.load(activity) == 2)
    #expect(try g.status("EtwActivityIdControl", 4, activity) == .success && g.k.load(activity) == 1)
    #expect(try g.status("EtwActivityIdControl", 2, activity) == .success && g.status("EtwActivityIdControl", 6, activity) == .invalidParameter)
    #expect(try g.status("EtwUnregister", word, 0) == .success && g.status("EtwUnregister", word, 0) == .invalidHandle)
  }
}
