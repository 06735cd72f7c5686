import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Rarely imported routines of the system") struct LessUsualSystemTests {
  @Test("references with a tag are references") func tags() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    let device = try g.device(#"\Device\Own"#)
    let (place, information) = (try g.space(), try g.space())
    let handle = try g.open(#"\Device\Own"#)
    #expect(try g.status("ObReferenceObjectByHandleWithTag", handle, 0, 0, 0, 0x7467_6154, place, information) == .success)
    let file = UInt64(try g.k.load(place))
    #expect(try g.status("ObReferenceObjectByHandleWithTag", 0x7777_0000, 0, 0, 0, 0x7467_6154, place, 0) == .invalidHandle)
    #expect(try g.k.load(place) == 0)
    #expect(try g.status("ObReferenceObjectByPointerWithTag", file, 0, 0, 0, 1) == .success)
    #expect(try g.status("ObReferenceObjectByPointerWithTag", file, 0, 0, 1, 1) == .objectTypeMismatch)
    try g.call("ObDereferenceObjectDeferDeleteWithTag", file, 1)
    try g.call("ObDereferenceObjectDeferDeleteWithTag", file, 0x7467_6154)
    #expect(try g.status("ObOpenObjectByPointerWithTag", device, 0x200, 0, 1, 0, 0, 1, place) == .success)
    let second = UInt64(try g.k.load(place))
    #expect(try g.call("ObIsKernelHandle", second) & 1 == 1 && g.call("ObIsKernelHandle", 0x44) & 1 == 0)
    #expect(try g.call("ObIsKernelHandle", 0xffff_ffff) & 1 == 0)
    let directory: UInt64 = 0x1234
    #expect(try g.status("ObOpenObjectByPointerWithTag", device, 0x200, 0, 1, directory, 0, 1, place) == .objectTypeMismatch)
    // A handle of the process's own.
    #expect(try g.status("ObOpenObjectByPointerWithTag", device, 0, 0, 1, 0, 0, 1, place) == .success)
    let own = UInt64(try g.k.load(place))
    #expect(try g.call("ObFindHandleForObject", g.k.notepad.object.address, device, 0, 0, place) & 1 == 1 && UInt64(g.k.load(place)) == own)
    #expect(try g.call("ObFindHandleForObject", g.k.notepad.object.address, 0x1234, 0, 0, place) & 1 == 0)
    #expect(try g.status("ObQueryObjectAuditingByHandle", second, place) == .success && g.k.byte(place) == 0)
    #expect(try g.status("ObQueryObjectAuditingByHandle", 0x7777_0000, place) == .invalidHandle)
  }

  @Test("descriptors of objects are shared, assigned, changed and asked") func descriptors() throws {
    let g = try IOGuest()
    let (descriptor, place, status) = (try g.space(0x20), try g.space(), try g.space())
    #expect(try g.status("RtlCreateSecurityDescriptor", descriptor, 1) == .success)
    #expect(try g.status("ObLogSecurityDescriptor", descriptor, place, 1) == .success)
    let shared = UInt64(try g.k.load(place))
    try g.call("ObReferenceSecurityDescriptor", shared, 1)
    try g.call("ObDereferenceSecurityDescriptor", shared, 1)
    #expect(try g.call("RtlValidSecurityDescriptor", shared) & 1 == 1)
    try g.call("ObDereferenceSecurityDescriptor", shared, 1)
    try g.call("ObReferenceSecurityDescriptor", 0x1234, 1)
    // A list that is there and has no entries denies everything.
    let (list, state, auxiliary, mapping) = (try g.space(), try g.space(0x74), try g.space(0x40), try g.space())
    try g.call("RtlCreateAcl", list, 8, 2)
    try g.call("RtlSetDaclSecurityDescriptor", descriptor, 1, list, 0)
    try g.k.store([0x2_0000, 0x2_0000, 0x2_0000, 0x1f_01ff], at: mapping)
    #expect(try g.status("SeCreateAccessStateEx", 0, g.k.service.object.address, state, auxiliary, 1, mapping) == .success)
    try g.call("SeSetAccessStateGenericMapping", state, mapping)
    #expect(try g.k.load(auxiliary + 0x14) == 0x1f_01ff)
    let device = try g.device(#"\Device\Own"#)
    try g.k.store([UInt32(descriptor)], at: state + 0x2c)
    #expect(try g.status("ObAssignSecurity", state, 0, device, 0) == .success)
    #expect(try g.k.kernel.securityDescriptor(of: device) != 0)
    #expect(try g.call("ObCheckObjectAccess", device, state, 0, 1, status) & 1 == 0 && g.k.load(status) == 0xc000_0022)
    #expect(try g.call("ObCheckCreateObjectAccess", device, 1, state, 0, 0, 1, status) & 1 == 0)
    #expect(try g.call("ObCheckCreateObjectAccess", device, 1, state, 0, 0, 0, status) & 1 == 1 && g.k.load(status) == 0)
    #expect(try g.call("ObCheckObjectAccess", device, state, 0, 0, status) & 1 == 1 && g.k.load(state + 0x14) & 1 == 1)
    try g.k.store([0], at: descriptor)
    #expect(try g.status("ObAssignSecurity", state, 0, device, 0) == .invalidSecurityDescriptor)
    try g.call("SeDeleteAccessState", state)
    // The owner's part of another descriptor.
    let (information, current) = (try g.space(), try g.space())
    try g.call("RtlCreateSecurityDescriptor", descriptor, 1)
    try g.k.store([4], at: information)
    #expect(try g.status("ObSetSecurityDescriptorInfo", 0, information, descriptor, current, 1, 0) == NTSTATUS(rawValue: 0xc000_00d7))
    #expect(try g.status("SeSetSecurityDescriptorInfoEx", 0, information, descriptor, current, 0, 1, 0) == NTSTATUS(rawValue: 0xc000_00d7))
    try g.k.store([UInt32(g.k.kernel.securityDescriptor(of: device))], at: current)
    #expect(try g.status("ObSetSecurityDescriptorInfo", 0, information, descriptor, current, 1, 0) == .success)
    let changed = UInt64(try g.k.load(current))
    #expect(try g.k.half(changed + 2) & 4 == 0)
    #expect(try g.status("SeSetSecurityDescriptorInfoEx", 0, information, descriptor, current, 0, 1, 0) == .success)
    #expect(try UInt64(g.k.load(current)) != changed)
    #expect(try g.call("SeValidSecurityDescriptor", 0x100, changed) & 1 == 1 && g.call("SeValidSecurityDescriptor", 8, changed) & 1 == 0)
  }

  @Test("nothing is audited") func auditing() throws {
    let g = try IOGuest()
    let (generate, parameters, source) = (try g.space(), try g.space(0x2a0), try g.string("demo"))
    for (name, count) in [
      ("SeAuditingAnyFileEventsWithContext", 2), ("SeAuditingFileEventsWithContext", 3), ("SeAuditingFileOrGlobalEvents", 3),
      ("SeAuditingHardLinkEvents", 2), ("SeAuditingHardLinkEventsWithContext", 3),
    ] { #expect(try g.call(name, Array(repeating: 0, count: count)) & 1 == 0) }
    for (name, count) in [
      ("SeAuditHardLinkCreation", 3), ("SeAuditHardLinkCreationWithTransaction", 4), ("SeAuditTransactionStateChange", 3),
      ("SeCloseObjectAuditAlarm", 3), ("SeDeleteObjectAuditAlarm", 2), ("SeDeleteObjectAuditAlarmWithTransaction", 3),
      ("SePrivilegeObjectAuditAlarm", 6),
    ] { _ = try g.call(name, Array(repeating: 0, count: count)) }
    for (name, count) in [
      ("SeOpenObjectForDeleteAuditAlarm", 8), ("SeOpenObjectForDeleteAuditAlarmWithTransaction", 9),
      ("SeOpenObjectAuditAlarmWithTransaction", 9),
    ] {
      try g.k.store([0xffff_ffff], at: generate)
      _ = try g.call(name, Array(repeating: 0, count: count) + [generate])
      #expect(try g.k.byte(generate) == 0)
    }
    let text = try g.string("file")
    #expect(try g.status("SeSetAuditParameter", parameters, 1, 0, text) == .success && g.k.load(parameters + 8) == 1)
    #expect(try g.k.load(parameters + 0x18) == 1 && g.k.load(parameters + 0x1c) == 16 && UInt64(g.k.load(parameters + 0x28)) == text)
    let number = try g.space()
    try g.k.store([77], at: number)
    #expect(try g.status("SeSetAuditParameter", parameters, 3, 1, number) == .success && g.k.load(parameters + 0x34) == 77)
    #expect(try g.status("SeSetAuditParameter", parameters, 3, 32, number) == .invalidParameter)
    #expect(try g.status("SeReportSecurityEvent", 0, source, 0, parameters) == .success)
    #expect(try g.status("SeReportSecurityEvent", 1, source, 0, parameters) == .invalidParameter)
    #expect(try g.status("SeReportSecurityEventWithSubCategory", 0, source, 0, parameters, 0x9000) == .success)
    #expect(try g.status("SeReportSecurityEventWithSubCategory", 0, 0, 0, parameters, 0x9000) == .invalidParameter)
    #expect(g.k.notes.contains { $0.contains("demo reports security event") })
  }

  @Test("subjects of other processes, and an authority that does not answer") func subjects() throws {
    let g = try IOGuest()
    let context = try g.space()
    try g.call("SeCaptureSubjectContextEx", g.k.worker.object.address, g.k.system.object.address, context)
    let token = UInt64(try g.k.load(context + 8))
    #expect(try token != 0 && g.k.load(context) == 0 && g.k.load(context + 12) == 4)
    #expect(try g.call("SeTokenImpersonationLevel", token) == 0 && g.call("SeTokenImpersonationLevel", 0x1234) == 0)
    #expect(try g.call("SeTokenIsWriteRestricted", token) & 1 == 0)
    try g.call("SeReleaseSubjectContext", context)
    let (name, handle) = (try g.space(), try g.space())
    try g.k.store([4 << 16 | 4, UInt32(try g.space())], at: name)
    #expect(try g.status("LsaRegisterLogonProcess", name, handle, handle) == .objectNameNotFound)
    #expect(try g.status("LsaLookupAuthenticationPackage", 0, name, handle) == .invalidHandle)
    try g.k.store([200 << 16 | 200], at: name)
    #expect(try g.status("LsaRegisterLogonProcess", name, handle, handle) == .nameTooLong)
    #expect(try g.status("LsaLookupAuthenticationPackage", 0, name, handle) == .nameTooLong)
    #expect(try g.status("LsaDeregisterLogonProcess", 0x44) == .invalidHandle)
    #expect(try g.status("LsaCallAuthenticationPackage", 0, 0, 0, 0, 0, 0, 0) == .invalidHandle)
    #expect(try g.status("LsaLogonUser", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) == .invalidHandle)
  }

  @Test("who registers for a power setting is told of its value at once") func powerSettings() throws {
    let g = try IOGuest()
    let here = g.k.memory.memory
    let (setting, handle) = (try g.space(), try g.space())
    // GUID_ACDC_POWER_SOURCE
    try here.write([0x59, 0x9a, 0x3e, 0x5d, 0xd5, 0xe9, 0x00, 0x4b, 0xa6, 0xbd, 0xff, 0x34, 0xff, 0x51, 0x65, 0x48], at: setting)
    var told: [UInt64] = []
    g.routine(at: 0xf8b0_7100, 4) {
      #expect(try here.bytes(16, at: $0[0]) == here.bytes(16, at: setting))
      told += [UInt64(try g.k.load($0[1])), $0[2], $0[3]]
      return 0
    }
    #expect(try g.status("PoRegisterPowerSettingCallback", 0, setting, 0xf8b0_7100, 0x77, handle) == .success && told == [0, 4, 0x77])
    let registration = UInt64(try g.k.load(handle))
    #expect(try g.status("PoRegisterPowerSettingCallback", 0, 0, 0xf8b0_7100, 0x77, handle) == .invalidParameter)
    #expect(try g.status("PoUnregisterPowerSettingCallback", registration) == .success)
    #expect(try g.status("PoUnregisterPowerSettingCallback", registration) == .invalidParameter)
    // A setting that the machine does not have.
    try g.k.store([0], at: setting)
    #expect(try g.status("PoRegisterPowerSettingCallback", 0, setting, 0xf8b0_7100, 0x77, handle) == .success && told.count == 3)
  }

  @Test("power requests, wakes and busy devices") func powerRequests() throws {
    let g = try IOGuest()
    let (place, reason, device) = (try g.space(), try g.space(), try g.device(#"\Device\Own"#))
    #expect(try g.status("PoCreatePowerRequest", place, device, reason) == .success)
    let request = UInt64(try g.k.load(place))
    #expect(try g.status("PoClearPowerRequest", request, 1) == .unsuccessful && g.status("PoSetPowerRequest", request, 1) == .success)
    #expect(try g.status("PoClearPowerRequest", request, 1) == .success && g.status("PoSetPowerRequest", request, 9) == .invalidParameter)
    try g.call("PoDeletePowerRequest", request)
    #expect(try g.status("PoSetPowerRequest", request, 1) == .invalidParameter)
    try g.k.store([7], at: reason)
    #expect(try g.status("PoCreatePowerRequest", place, device, reason) == .invalidParameter)
    let irp = try g.call("IoAllocateIrp", 1, 0)
    #expect(try g.call("PoGetSystemWake", irp) & 1 == 0)
    try g.call("PoSetSystemWake", irp)
    #expect(try g.call("PoGetSystemWake", irp) & 1 == 1)
    let idle = try g.call("PoRegisterDeviceForIdleDetection", device, 10, 10, 4)
    try g.k.store([5], at: idle)
    try g.call("PoSetDeviceBusyEx", idle)
    #expect(try g.k.load(idle) == 0)
    try g.call("PoStartDeviceBusy", idle)
    #expect(try g.k.load(idle + 4) == 1)
    try g.call("PoEndDeviceBusy", idle)
    #expect(try g.k.load(idle + 4) == 0 && g.call("PoQueryWatchdogTime", device, place) & 1 == 0)
    try g.call("PoSetHiberRange", 0, 0, 0, 0, 0)
    let item = try g.space()
    try g.k.store([0, 0, 0xf8b0_7200, 0x55], at: item)
    var ran: [UInt64] = []
    g.routine(at: 0xf8b0_7200, 1) {
      ran += $0
      return 0
    }
    #expect(try g.status("PoQueueShutdownWorkItem", item) == .success)
    try g.k.kernel.run(g.k.worker)
    #expect(try g.status("NtShutdownSystem", 0) == .success && ran == [0x55])
    for name in ["PoSetDeviceBusyEx", "PoStartDeviceBusy", "PoEndDeviceBusy"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing) == accessViolation)
    }
  }

  @Test("firmware, counters and the boot screen of a PC") func firmware() throws {
    let g = try RuntimeGuest()
    let (name, buffer) = (try g.narrow("LastKnownGood"), try g.room(16))
    #expect(try g.call("HalGetEnvironmentVariable", name, 16, buffer) == 0 && g.narrowText(buffer) == "FALSE")
    #expect(
      try g.call("HalGetEnvironmentVariable", name, 2, buffer) == 16
        && g.call("HalGetEnvironmentVariable", g.narrow("OsLoader"), 16, buffer) == 14)
    #expect(try g.call("HalSetEnvironmentVariable", name, g.narrow("TRUE")) == 0 && g.call("HalSetEnvironmentVariable", name, name) == 16)
    for (name, count) in [
      ("HalGetEnvironmentVariableEx", 5), ("HalSetEnvironmentVariableEx", 5), ("HalEnumerateEnvironmentVariablesEx", 3),
      ("HalQueryEnvironmentVariableInfoEx", 4),
    ] { #expect(try g.outcome(name, Array(repeating: 0, count: count)) == .returned(0xc000_0002, g.registers[.dx])) }
    #expect(try g.call("HalAllocateHardwareCounters", 0, 0, 0, buffer) == 0)
    let counters = UInt64(try g.load(buffer))
    #expect(try g.call("HalAllocateHardwareCounters", 0, 0, 0, buffer) == 0xc000_009a)
    #expect(try g.call("HalFreeHardwareCounters", counters) == 0 && g.call("HalFreeHardwareCounters", counters) == 0xc000_000d)
    #expect(try g.call("HalAllProcessorsStarted") & 1 == 1 && g.call("HalQueryMaximumProcessorCount") == 1)
    try g.call("HalAcquireDisplayOwnership", 0)
    #expect(try g.call("x86BiosCall", 0x10, 0) & 1 == 0 && g.call("x86BiosAllocateBuffer", 0, 0, 0) == 0xc000_0017)
    #expect(try g.call("x86BiosFreeBuffer", 0, 0) == 0xc000_000d && g.call("x86BiosReadMemory", 0, 0, 0, 0) == 0xc000_00bb)
    #expect(try g.call("x86BiosWriteMemory", 0, 0, 0, 0) == 0xc000_00bb && g.call("WheaGetErrorSource", 0) == 0)
    #expect(try g.call("InbvResetDisplay") & 1 == 0)
    try g.call("InbvSetScrollRegion", 0, 0, 639, 479)
    try g.call("InbvSetTextColor", 15)
    try g.call("InbvSolidColorFill", 0, 0, 639, 479, 4)
    try g.call("InbvInstallDisplayStringFilter", 0)
    try g.call("InbvEnableBootDriver", 1)
    #expect(try g.failure("HalReturnToFirmware", 9) == .raised(0x8000_0003))
  }

  @Test("HalReturnToFirmware does not return") func firmwareEnd() throws {
    let k = try TestKernel()
    guard case .ended = try k.call("HalReturnToFirmware", 3) else { return missing("the call was not to return") }
    #expect(k.notes.contains { $0.contains("HalRebootRoutine") })
  }

  @Test("debugger's filters, and what no debugger hears") func debugFilters() throws {
    let g = try RuntimeGuest()
    #expect(try g.call("DbgQueryDebugFilterState", 77, 3) == 0 && g.call("DbgQueryDebugFilterState", 77, 0) == 1)
    #expect(try g.call("DbgSetDebugFilterState", 77, 3, 1) == 0 && g.call("DbgQueryDebugFilterState", 77, 3) == 1)
    #expect(try g.call("DbgSetDebugFilterState", 77, 3, 0) == 0 && g.call("DbgQueryDebugFilterState", 77, 3) == 0)
    #expect(
      try g.call("DbgQueryDebugFilterState", 0x1000, 3) == 0xc000_00ef && g.call("DbgSetDebugFilterState", 0x1000, 3, 1) == 0xc000_00ef)
    try g.call("DbgCommandString", 0, 0)
    #expect(try g.call("DbgLoadImageSymbols", 0, 0, 0) == 0)
    let (major, minor) = (try g.room(4), try g.room(4))
    try g.call("CmGetCallbackVersion", major, minor)
    #expect(try g.load(major) == 1 && g.call("CmGetBoundTransaction", 0, 0) == 0)
    #expect(try g.failure("CmGetCallbackVersion", RuntimeGuest.missing, 0) == accessViolation)
  }

  @Test("cached files by their section pointers") func cache() throws {
    let f = try CachedFile(size: 0x3000)
    let (g, file) = (f.g, f.file.address)
    let (block, bcb, buffer, count) = (try g.space(), try g.space(), try g.space(0x100), try g.space())
    #expect(try g.call("CcGetFileObjectFromSectionPtrs", f.pointers) == file && g.call("CcGetFileObjectFromSectionPtrs", block) == 0)
    #expect(try g.call("CcGetFileObjectFromSectionPtrsRef", f.pointers) == file && g.call("CcGetFileObjectFromSectionPtrsRef", block) == 0)
    try g.call("ObfDereferenceObject", file)
    #expect(try g.call("CcCopyWrite", file, f.number(0x1000), 0x10, 1, buffer) & 1 == 1)
    let vpb = try f.file.Vpb.load().address
    #expect(try g.call("CcIsThereDirtyDataEx", vpb, count) & 1 == 1 && g.k.load(count) == 1)
    #expect(try g.call("CcIsThereDirtyDataEx", 0x1234, count) & 1 == 0 && g.k.load(count) == 0)
    #expect(try g.call("CcGetFlushedValidData", f.pointers, 0) == 0x1000)
    try g.call("CcCoherencyFlushAndPurgeCache", f.pointers, 0, 0, block, 0)
    #expect(try g.k.load(block) == 0 && g.call("CcGetFlushedValidData", f.pointers, 0) == 0xffff_ffff)
    #expect(try g.call("CcMapData", file, f.number(0), 0x10, 1, bcb, block) & 1 == 1)
    let view = UInt64(try g.k.load(bcb))
    #expect(try g.call("CcRemapBcb", view) == view)
    try g.call("CcCoherencyFlushAndPurgeCache", f.pointers, 0, 0, block, 0)
    #expect(try g.k.load(block) == 0x115)
    try g.call("CcUnpinData", view)
    try g.call("CcUnpinData", view)
    let sizes = try g.space(24)
    for index in 0..<3 { try g.k.memory.memory.store(Int64(0x1000), at: sizes + 8 * UInt64(index)) }
    #expect(try g.status("CcSetFileSizesEx", file, sizes) == .success)
    try g.call("CcScheduleReadAhead", file, f.number(0), 0x1000)
    try g.call("CcSetDirtyPageThreshold", file, 10)
    try g.call("CcSetParallelFlushFile", file, 1)
    for (name, rest) in [("CcScheduleReadAhead", [0, 0]), ("CcSetDirtyPageThreshold", [0]), ("CcSetParallelFlushFile", [0])]
      as [(String, [UInt64])]
    {
      let other = try IOGuest()
      #expect(throws: IOGuest.Stopped.self) { try other.call(name, [other.space(0x70)] + rest) }
    }
    let other = try IOGuest()
    #expect(try other.status("CcSetFileSizesEx", other.space(0x70), sizes) == .success)
    #expect(throws: IOGuest.Stopped.self) { try other.call("CcRemapBcb", 0x1234) }
  }

  @Test(
    "nothing is a transaction",
    arguments: [
      ("TmCommitComplete", 2), ("TmCommitEnlistment", 2), ("TmPrePrepareComplete", 2), ("TmPrePrepareEnlistment", 2),
      ("TmPrepareComplete", 2),
      ("TmPrepareEnlistment", 2), ("TmReadOnlyEnlistment", 2), ("TmRollbackComplete", 2), ("TmRollbackEnlistment", 2),
      ("TmRequestOutcomeEnlistment", 2), ("TmRecoverEnlistment", 2), ("TmCreateEnlistment", 9), ("TmEnableCallbacks", 3),
      ("TmReferenceEnlistmentKey", 2), ("TmDereferenceEnlistmentKey", 2), ("TmRecoverResourceManager", 1), ("TmCommitTransaction", 2),
      ("TmRollbackTransaction", 2),
    ])
  func transactions(name: String, count: Int) throws {
    let g = try IOGuest()
    #expect(try g.call(name, Array(repeating: 0x1000, count: count)) == 0xc000_0024)
    #expect(try g.call("TmIsTransactionActive", 0x1000) & 1 == 0)
  }

  @Test("counters that nobody reads, rules that nobody loaded, blocks that nobody opened") func counters() throws {
    let g = try IOGuest()
    let (place, information, guid) = (try g.space(), try g.space(0x20), try g.space())
    #expect(try g.status("PcwRegister", place, information) == .invalidParameter)
    try g.k.store([0x100, 0x18], at: information)
    #expect(try g.status("PcwRegister", place, information) == .success)
    let set = UInt64(try g.k.load(place))
    #expect(try g.status("PcwCreateInstance", place, set, g.string("one"), 0, 0) == .success)
    let instance = UInt64(try g.k.load(place))
    #expect(try g.status("PcwCreateInstance", place, instance, g.string("one"), 0, 0) == .invalidParameter)
    #expect(try g.status("PcwAddInstance", 0, g.string("one"), 1, 0, 0) == .invalidParameter)
    try g.call("PcwCloseInstance", instance)
    try g.call("PcwUnregister", set)
    #expect(
      try g.status("EmClientQueryRuleState", guid, place) == .notFound && g.status("EmClientRuleEvaluate", guid, 0, 0, place) == .notFound)
    #expect(try g.status("EmClientRuleRegisterNotification", guid, 0, 0, place) == .notFound)
    try g.call("EmClientRuleDeregisterNotification", 0)
    for (name, count) in [
      ("IoWMIQueryAllDataMultiple", 4), ("IoWMIQuerySingleInstanceMultiple", 5), ("IoWMISetSingleInstance", 5), ("IoWMISetSingleItem", 6),
      ("IoWMIExecuteMethod", 6), ("IoWMIHandleToInstanceName", 3), ("IoWMIDeviceObjectToInstanceName", 3),
    ] { #expect(try g.call(name, Array(repeating: 0, count: count)) == 0xc000_0024) }
    #expect(try g.status("IoWMIAllocateInstanceIds", guid, 3, place) == .success && g.k.load(place) == 0)
    #expect(try g.status("IoWMIAllocateInstanceIds", guid, 1, place) == .success && g.k.load(place) == 3)
    #expect(try g.status("IoWMIAllocateInstanceIds", guid, 0xffff_ffff, place) == .unsuccessful)
    #expect(try g.status("WmiQueryTraceInformation", 0, place, 4, 0, 0) == .notFound)
    #expect(try g.status("WmiTraceMessageVa", 0, 0, 0, guid, 1, 0) == .invalidHandle)
  }
}
