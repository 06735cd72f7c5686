import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Calls on processors, nodes, activities") struct ProcessorCallTests {
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
    #expect(try g.call("KeIsAttachedProcess") == 0)
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

  @Test("mutants and threaded DPCs") func primitives() throws {
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

  @Test("a provider's events have activities") func eventTracing() throws {
    let g = try IOGuest()
    let (identifier, handle, activity) = (try g.space(), try g.space(), try g.space())
    #expect(
      try g.status("EtwRegister", identifier, 0, 0, handle) == .success && g.status("EtwRegister", 0, 0, 0, handle) == .invalidParameter)
    let word = UInt64(try g.k.load(handle))
    for (handle, status) in [(word, UInt64(0)), (word + 4, 0xc000_0008)] {
      #expect(try g.call("EtwWriteEx", handle, 0, identifier, 0, 0, 0, 0, 0, 0, 0) == status)
    }
    // EVENT_ACTIVITY_CTRL_CREATE_SET_ID, then _GET_ID.
    #expect(try g.status("EtwActivityIdControl", 5, activity) == .success && g.k.load(activity) == 0)
    #expect(try g.status("EtwActivityIdControl", 1, activity) == .success && g.k.load(activity) == 1)
    #expect(try g.status("EtwActivityIdControl", 3, activity) == .success && g.k.load(activity) == 2)
    #expect(try g.status("EtwActivityIdControl", 4, activity) == .success && g.k.load(activity) == 1)
    #expect(
      try g.status("EtwActivityIdControl", 2, activity) == .success && g.status("EtwActivityIdControl", 6, activity) == .invalidParameter)
    #expect(try g.status("EtwUnregister", word, 0) == .success && g.status("EtwUnregister", word, 0) == .invalidHandle)
  }
}
