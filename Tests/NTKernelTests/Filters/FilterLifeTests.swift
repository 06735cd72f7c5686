import Events
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("A filter's life") struct FilterLifeTests {
  @Test func registers() throws {
    let f = try FilterGuest()
    let filter = try f.register()
    #expect(filter >= 0x8000_0000)
    // The filter manager's routine is the driver's DriverUnload now.
    #expect(try UInt64(f.k.load(f.driver + 0x34)) == f.k.trap("FltpMiniFilterDriverUnload"))
    #expect(try f.k.kernel.leftovers(of: f.g.driver).map(\.what) == ["its registration with the filter manager"])
    try f.g.call("FltUnregisterFilter", filter)
    #expect(try f.k.kernel.leftovers(of: f.g.driver).isEmpty)
    #expect(f.g.violations.isEmpty)
  }

  @Test("the major version must be 2; minor version and size are not looked at", arguments: [0x0100, 0x0300, 0x0002] as [UInt32])
  func version(_ wrong: UInt32) throws {
    let f = try FilterGuest()
    let result = try f.g.space()
    #expect(try f.g.status("FltRegisterFilter", f.driver, f.registration(version: wrong), result) == .invalidParameter)
    for (version, size) in [(0x0200, 0), (0x0203, 0x3c), (0x0202, 0xffff)] as [(UInt32, UInt32)] {
      #expect(try f.g.status("FltRegisterFilter", f.driver, f.registration(version: version, size: size), result) == .success)
      try f.g.call("FltUnregisterFilter", UInt64(f.k.load(result)))
    }
  }

  @Test func brokenTables() throws {
    let f = try FilterGuest()
    let (table, result) = (try f.g.space(0x80), try f.g.space())
    // An operation of no known kind; a name provider without its first routine.
    try f.k.store(0x40, at: table)
    #expect(try f.g.status("FltRegisterFilter", f.driver, f.registration([0xc: table]), result) == .invalidParameter)
    try f.k.store(0x80, at: table)
    #expect(try f.g.status("FltRegisterFilter", f.driver, f.registration([0xc: table, 0x28: 1]), result) == .invalidParameter)
    let contexts = try f.g.space(0x80)
    try f.k.store(3, at: contexts)
    #expect(try f.g.status("FltRegisterFilter", f.driver, f.registration([8: contexts]), result) == .invalidParameter)
    try f.k.store([0xffff], at: contexts)
    #expect(try f.g.status("FltRegisterFilter", f.driver, f.registration([8: contexts, 0xc: table]), result) == .success)
    let notes = f.k.stream.events.compactMap { if case .note(let text) = $0 { text } else { nil } }
    #expect(
      notes == [
        "FltRegisterFilter of demo fails: row 0 of OperationRegistration has the major function 0x40, which is none",
        "FltRegisterFilter of demo fails: NormalizeNameComponentCallback comes without GenerateFileNameCallback",
        "FltRegisterFilter of demo fails: row 0 of ContextRegistration has the type 0x0003, which is none",
      ])
    // Another driver's object, or none.
    #expect(try f.g.status("FltRegisterFilter", f.k.scratch, f.registration(), result) == .invalidParameter)
  }

  @Test func starts() throws {
    let f = try FilterGuest()
    let filter = try f.register()
    #expect(try f.g.status("FltStartFiltering", filter) == .success)
    #expect(try f.g.status("FltStartFiltering", filter) == .invalidParameter)
    #expect(try f.g.status("FltStartFiltering", f.k.scratch) == .invalidParameter)
    #expect(f.g.violations.count == 1)
  }

  @Test func references() throws {
    let f = try FilterGuest()
    let filter = try f.register()
    #expect(try f.g.status("FltObjectReference", filter) == .success)
    try f.g.call("FltObjectDereference", filter)
    #expect(f.g.violations.isEmpty)
    try f.g.call("FltObjectDereference", filter)
    #expect(f.g.violations == ["the filter demo is dereferenced more often than it was referenced"])
    #expect(try f.g.status("FltObjectReference", f.k.scratch) == .fltDeletingObject)
  }

  @Test("a filter with a reference left is waited for, and the run says so") func leakedReference() throws {
    let f = try FilterGuest()
    let filter = try f.register()
    try f.g.call("FltObjectReference", filter)
    #expect(throws: IOGuest.Stopped.self) { try f.g.call("FltUnregisterFilter", filter) }
    #expect(f.k.kernel.ending == .idle)
    #expect(
      f.k.kernel.waitingThreads().map { "\($0.thread.name) waits for \($0.what)" } == [
        "client waits for FltUnregisterFilter: 1 reference to the filter demo left (one taken at f8b01234)"
      ])
  }

  @Test("the service is stopped: the callback gets its flag, and its refusal counts for nothing") func mandatoryUnload() throws {
    let f = try FilterGuest()
    let filter = try f.register()
    var flags: [UInt64] = []
    f.g.routine(at: FilterGuest.unload, 1) {
      flags += $0
      try f.g.call("FltUnregisterFilter", filter)
      return UInt64(NTSTATUS.fltDoNotDetach.rawValue)
    }
    #expect(try f.g.status("IopUnloadDriver", f.driver) == .success)
    #expect(flags == [1] && !f.g.driver.isLoaded && f.g.violations.isEmpty)
  }

  @Test func unloadWithoutUnregistering() throws {
    let f = try FilterGuest()
    _ = try f.register()
    f.g.routine(at: FilterGuest.unload, 1) { _ in 0 }
    #expect(try f.g.status("IopUnloadDriver", f.driver) == .success)
    #expect(f.g.violations == ["FilterUnloadCallback of demo returned STATUS_SUCCESS and did not call FltUnregisterFilter"])
  }

  @Test("without FilterUnloadCallback, or with FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP, the service does not stop")
  func cannotStop() throws {
    let f = try FilterGuest()
    _ = try f.register([:])
    #expect(try f.g.status("IopUnloadDriver", f.driver) == .invalidDeviceRequest)
    #expect(try f.g.status("FltUnloadFilter", f.g.string("demo")) == .fltDoNotDetach)
    let other = try FilterGuest()
    let filter = try other.register(flags: 1)
    #expect(try other.g.status("IopUnloadDriver", other.driver) == .invalidDeviceRequest)
    // FilterUnload, which is what fltmc asks for, unloads it all the same.
    other.g.routine(at: FilterGuest.unload, 1) {
      try other.g.call("FltUnregisterFilter", filter)
      return $0[0]
    }
    #expect(try other.g.status("FltUnloadFilter", other.g.string("DEMO")) == .success)
    #expect(!other.g.driver.isLoaded)
    #expect(try other.g.status("FltUnloadFilter", other.g.string("demo")) == .fltFilterNotFound)
  }

  @Test func refusesToUnload() throws {
    let f = try FilterGuest()
    _ = try f.register()
    f.g.routine(at: FilterGuest.unload, 1) { _ in UInt64(NTSTATUS.fltDoNotDetach.rawValue) }
    #expect(try f.g.status("FltUnloadFilter", f.g.string("demo")) == .fltDoNotDetach)
    #expect(f.g.driver.isLoaded && f.g.violations.isEmpty)
  }
}
