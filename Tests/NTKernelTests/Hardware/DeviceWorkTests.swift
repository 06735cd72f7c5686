import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Work, queues and callbacks of drivers") struct DeviceWorkTests {
  @Test("a work item runs in a system worker with its device and context, and the device stays until then")
  func workItems() throws {
    let g = try IOGuest()
    let device = try g.device(#"\Device\Demo"#)
    let item = try g.call("IoAllocateWorkItem", device)
    #expect(try g.call("IoSizeofWorkItem") == 0x20 && item != 0)
    let header = device - 0x18
    var calls: [[UInt64]] = []
    for (address, count) in [(0xf8b0_3000, 2), (0xf8b0_3010, 3)] as [(UInt64, Int)] {
      g.routine(at: address, count) { arguments in
        calls.append(arguments)
        let isAsExpected6 = try g.k.load(header) == 2 && g.k.kernel.running?.owner.id == 0
        #expect(isAsExpected6)
        return 0
      }
    }
    // The worker's priority is higher, so it runs at once.
    try g.call("IoQueueWorkItem", item, 0xf8b0_3000, 1, 0x77)
    #expect(try calls == [[device, 0x77]] && g.k.load(header) == 1)
    let own = try g.space(0x20)
    try g.call("IoFreeWorkItem", item)
    try g.call("IoInitializeWorkItem", device, own)
    #expect(try g.k.load(own + 0x14) == UInt32(device))
    try g.call("IoQueueWorkItemEx", own, 0xf8b0_3010, 1, 0x77)
    #expect(calls.last == [device, 0x77, own])
    try g.call("IoUninitializeWorkItem", own)
    #expect(try g.bugCheck("IoFreeWorkItem", item).first == 0xc2)
  }

  @Test("a device has one timer, which calls while it is started")
  func timers() throws {
    let g = try IOGuest()
    let device = try g.device(nil)
    var calls: [[UInt64]] = []
    g.routine(at: 0xf8b0_3000, 2) { arguments in
      calls.append(arguments)
      return 0
    }
    // Without one nothing happens.
    try g.call("IoStartTimer", device)
    #expect(try g.status("IoInitializeTimer", device, 0xf8b0_3000, 0x55) == .success)
    try g.call("IopTimerDispatch", 0, device, 0, 0)
    #expect(calls.isEmpty)
    try g.call("IoStartTimer", device)
    try g.call("IopTimerDispatch", 0, device, 0, 0)
    #expect(calls == [[device, 0x55]])
    try g.call("IoStopTimer", device)
    try g.call("IopTimerDispatch", 0, device, 0, 0)
    #expect(calls.count == 1)
    try g.call("IoSetStartIoAttributes", device, 1, 1)
    #expect(try g.k.load(UInt64(g.k.load(device + 0xb0)) + 0x24) == 0x300)
  }

  @Test("a cancel-safe queue: insert, remove by context, remove the next, cancel")
  func cancelSafeQueue() throws {
    let g = try IOGuest()
    let (csq, context) = (try g.space(0x20), try g.space())
    var waiting: [UInt64] = []
    var completed: [UInt64] = []
    g.routine(at: 0xf8b0_3000, 2) {
      waiting.append($0[1]); return 0
    }
    g.routine(at: 0xf8b0_3010, 2) { arguments in
      waiting.removeAll { $0 == arguments[1] }; return 0
    }
    g.routine(at: 0xf8b0_3020, 3) { arguments in
      let next = waiting.firstIndex(of: arguments[1]).map { $0 + 1 } ?? 0
      return next < waiting.count ? waiting[next] : 0
    }
    g.routine(at: 0xf8b0_3030, 2) {
      try g.k.store(0x42, at: $0[1]); return 0
    }
    g.routine(at: 0xf8b0_3040, 2) {
      #expect($0[1] == 0x42); return 0
    }
    g.routine(at: 0xf8b0_3050, 2) {
      completed.append($0[1]); return 0
    }
    g.routine(at: 0xf8b0_3060, 3) { $0[2] == 7 ? 0xc000_00a3 : 0 }
    let routines: [UInt64] = [0xf8b0_3000, 0xf8b0_3010, 0xf8b0_3020, 0xf8b0_3030, 0xf8b0_3040, 0xf8b0_3050]
    #expect(try g.call("IoCsqInitialize", [csq] + routines) == 0)
    func irp() throws -> UInt64 {
      let irp = try g.call("IoAllocateIrp", 1, 0)
      // The driver's own location is the current one.
      try g.k.store(UInt32(irp + 0x70), at: irp + 0x60)
      return irp
    }
    let (first, second, third) = (try irp(), try irp(), try irp())
    try g.call("IoCsqInsertIrp", csq, first, context)
    try g.call("IoCsqInsertIrp", csq, second, 0)
    try g.call("IoCsqInsertIrp", csq, third, 0)
    #expect(waiting == [first, second, third])
    #expect(try g.k.load(first + 0x38) == UInt32(g.k.trap("IopCsqCancelRoutine")) && g.k.byte(first + 0x70 + 3) & 1 == 1)
    #expect(try g.call("IoCsqRemoveIrp", csq, context) == first)
    #expect(try g.call("IoCsqRemoveIrp", csq, context) == 0)
    #expect(try g.call("IoCsqRemoveNextIrp", csq, 0) == second)
    try g.k.store(UInt32(try g.device(nil)), at: third + 0x70 + 0x14)
    #expect(try g.call("IoCancelIrp", third) & 0xff == 1)
    #expect(try completed == [third] && waiting.isEmpty && g.k.byte(g.k.kernel.kpcr.address + 0x24) == 0)
    #expect(try g.call("IoCsqRemoveNextIrp", csq, 0) == 0)
    // Cancelled before it gets there.
    let late = try irp()
    try g.k.memory.memory.store(UInt8(1), at: late + 0x24)
    try g.call("IoCsqInsertIrp", csq, late, 0)
    #expect(completed == [third, late])
    var extended = routines
    extended[0] = 0xf8b0_3060
    #expect(try g.call("IoCsqInitializeEx", [csq] + extended) == 0)
    #expect(try g.call("IoCsqInsertIrpEx", csq, irp(), 0, 7) == 0xc000_00a3)
  }

  @Test("a device queue keeps order by arrival or by key")
  func deviceQueues() throws {
    let g = try IOGuest()
    let queue = try g.space(0x14)
    let entries = try (0..<4).map { _ in try g.space(0x10) }
    try g.call("KeInitializeDeviceQueue", queue)
    #expect(try g.call("KeInsertDeviceQueue", queue, entries[0]) & 0xff == 0)
    #expect(try g.call("KeInsertByKeyDeviceQueue", queue, entries[1], 30) & 0xff == 1)
    #expect(try g.call("KeInsertByKeyDeviceQueue", queue, entries[2], 10) & 0xff == 1)
    #expect(try g.call("KeInsertDeviceQueue", queue, entries[3]) & 0xff == 1)
    #expect(try g.call("KeRemoveEntryDeviceQueue", queue, entries[3]) & 0xff == 1)
    #expect(try g.call("KeRemoveEntryDeviceQueue", queue, entries[3]) & 0xff == 0)
    #expect(try g.call("KeRemoveByKeyDeviceQueue", queue, 20) == entries[1])
    #expect(try g.call("KeRemoveDeviceQueue", queue) == entries[2])
    #expect(try g.call("KeRemoveDeviceQueue", queue) == 0)
    // Idle now.
    #expect(try g.call("KeRemoveByKeyDeviceQueueIfBusy", queue, 0) == 0)
    #expect(try g.call("KeInsertDeviceQueue", queue, entries[0]) & 0xff == 0)
  }

  @Test("a thread queue hands out entries in order, and times out when it is empty")
  func threadQueues() throws {
    let g = try IOGuest()
    let (queue, first, second, now) = (try g.space(0x28), try g.space(8), try g.space(8), try g.space(8))
    try g.call("KeInitializeQueue", queue, 0)
    #expect(try g.call("KeInsertQueue", queue, first) == 0)
    #expect(try g.call("KeInsertHeadQueue", queue, second) == 1)
    #expect(try g.call("KeReadStateQueue", queue) == 2)
    #expect(try g.call("KeRemoveQueue", queue, 0, now) == second)
    #expect(try g.call("KeRundownQueue", queue) == first)
    #expect(try g.call("KeRundownQueue", queue) == 0)
    #expect(try g.call("KeRemoveQueue", queue, 0, now) == 0x102)
  }

  @Test("a bugcheck calls who registered, latest first, at HIGH_LEVEL")
  func bugCheckCallbacks() throws {
    let g = try IOGuest()
    let (record, other, reason) = (try g.space(0x20), try g.space(0x20), try g.space(0x20))
    var calls: [UInt64] = []
    g.routine(at: 0xf8b0_3000, 2) { arguments in
      let isAsExpected7 = try g.k.byte(g.k.kernel.kpcr.address + 0x24) == 31
      #expect(isAsExpected7)
      calls.append(arguments[0])
      return 0
    }
    g.routine(at: 0xf8b0_3010, 4) { arguments in
      calls.append(arguments[0])
      try g.k.store(12, at: arguments[2] + 0x20)
      return 0
    }
    #expect(try g.call("KeRegisterBugCheckCallback", record, 0xf8b0_3000, 0x11, 4, 0) & 0xff == 1)
    #expect(try g.call("KeRegisterBugCheckCallback", record, 0xf8b0_3000, 0x11, 4, 0) & 0xff == 0)
    #expect(try g.call("KeDeregisterBugCheckCallback", record) & 0xff == 1)
    #expect(try g.call("KeDeregisterBugCheckCallback", record) & 0xff == 0)
    #expect(try g.call("KeRegisterBugCheckCallback", record, 0xf8b0_3000, 0x11, 4, 0) & 0xff == 1)
    #expect(try g.call("KeRegisterBugCheckCallback", other, 0xf8b0_3000, 0x22, 4, 0) & 0xff == 1)
    #expect(try g.call("KeRegisterBugCheckReasonCallback", reason, 0xf8b0_3010, 2, 0) & 0xff == 1)
    #expect(try g.call("KeDeregisterBugCheckReasonCallback", reason) & 0xff == 1)
    #expect(try g.call("KeRegisterBugCheckReasonCallback", reason, 0xf8b0_3010, 2, 0) & 0xff == 1)
    #expect(try g.bugCheck("KeBugCheck", 0xe2) == [0xe2, 0, 0, 0, 0])
    #expect(try calls == [0x22, 0x11, 2] && g.k.byte(record + 0x1c) == 3)
    #expect(g.k.notes.last == "a bugcheck callback gives 12 bytes of secondary dump data")
  }

  @Test("callback objects: the system's exist, others are made; one routine or several")
  func callbackObjects() throws {
    let g = try IOGuest()
    let result = try g.space()
    let power = try g.attributes(#"\Callback\PowerState"#)
    #expect(try g.status("ExCreateCallback", result, power, 0, 0) == .success)
    let own = try g.attributes(#"\Callback\Demo"#)
    #expect(try g.status("ExCreateCallback", result, own, 0, 0) == .objectNameNotFound)
    #expect(try g.status("ExCreateCallback", result, own, 1, 0) == .success)
    let object = UInt64(try g.k.load(result))
    var calls: [[UInt64]] = []
    g.routine(at: 0xf8b0_3000, 3) {
      calls.append($0); return 0
    }
    let registration = try g.call("ExRegisterCallback", object, 0xf8b0_3000, 9)
    #expect(try registration != 0 && g.call("ExRegisterCallback", object, 0xf8b0_3000, 10) == 0)
    try g.call("ExNotifyCallback", object, 1, 2)
    #expect(calls == [[9, 1, 2]])
    try g.call("ExUnregisterCallback", registration)
    try g.call("ExNotifyCallback", object, 1, 2)
    #expect(calls.count == 1)
    #expect(try g.bugCheck("ExUnregisterCallback", registration).first == 0xc2)
  }

  @Test("named events are made signaled, and opened by the next")
  func namedEvents() throws {
    let g = try IOGuest()
    let handle = try g.space()
    let event = try g.call("IoCreateSynchronizationEvent", g.string(#"\BaseNamedObjects\Demo"#), handle)
    #expect(try g.k.byte(event) == 1 && g.k.load(event + 4) == 1 && g.k.load(handle) & 0x8000_0000 != 0)
    #expect(try g.call("IoCreateNotificationEvent", g.string(#"\BaseNamedObjects\demo"#), handle) == event)
    #expect(try g.call("IoCreateNotificationEvent", g.string(#"\Nowhere\Demo"#), handle) == 0)
  }

  @Test("the error log shows what a driver writes")
  func errorLog() throws {
    let g = try IOGuest()
    let device = try g.device(#"\Device\Demo"#)
    #expect(try g.call("IoAllocateErrorLogEntry", device, 0x10) == 0)
    let entry = try g.call("IoAllocateErrorLogEntry", device, 0x40)
    try g.k.memory.memory.store(UInt16(4), at: entry + 2)
    try g.k.store(0xc000_009d, at: entry + 0xc)
    try g.k.store(7, at: entry + 0x10)
    try g.k.store(0xabcd, at: entry + 0x28)
    try g.call("IoWriteErrorLogEntry", entry)
    #expect(
      g.k.notes.last
        == #"the error log gets STATUS_DEVICE_NOT_CONNECTED of \Device\Demo: final status STATUS_SUCCESS, unique value 7, dump data 0000abcd"#
    )
    try g.call("IoFreeErrorLogEntry", try g.call("IoAllocateErrorLogEntry", device, 0x40))
    #expect(try g.call("IoRaiseInformationalHardError", 0xc000_009d, g.string("disk"), 0) & 0xff == 1)
    #expect(try g.call("IoSetThreadHardErrorMode", 0) & 0xff == 1 && g.call("IoSetThreadHardErrorMode", 1) & 0xff == 0)
    let irp = try g.call("IoAllocateIrp", 1, 0)
    try g.k.store(UInt32(g.k.client.object.address), at: irp + 0x50)
    try g.call("IoSetHardErrorOrVerifyDevice", irp, device)
    #expect(try g.k.load(g.k.client.object.address + 0x21c) == UInt32(device))
    try g.call("IoRaiseHardError", irp, 0, device)
    #expect(g.k.notes.last == "a hard error: STATUS_SUCCESS")
    #expect(try g.bugCheck("IoWriteErrorLogEntry", g.space(0x40) + 0x20).first == 0xc2)
  }

  @Test("a remove lock is refused once it is being removed")
  func removeLocks() throws {
    let g = try IOGuest()
    let lock = try g.space(0x18)
    try g.call("IoInitializeRemoveLockEx", lock, 0, 0, 0, 0x18)
    #expect(try g.status("IoAcquireRemoveLockEx", lock, 1, 0, 0, 0x18) == .success)
    #expect(try g.status("IoAcquireRemoveLockEx", lock, 2, 0, 0, 0x18) == .success)
    try g.call("IoReleaseRemoveLockEx", lock, 2, 0x18)
    try g.call("IoReleaseRemoveLockAndWaitEx", lock, 1, 0x18)
    #expect(try g.status("IoAcquireRemoveLockEx", lock, 3, 0, 0, 0x18) == .deletePending)
    try g.call("IoReleaseRemoveLockEx", lock, 3, 0x18)
    #expect(g.violations == ["a remove lock is released more often than it was acquired"])
  }

  @Test("one processor, whatever is asked of it")
  func processors() throws {
    let g = try IOGuest()
    let place = try g.space(0x20)
    #expect(try g.call("KeQueryActiveProcessors") == 1 && g.call("KeQueryActiveProcessorCount", place) == 1 && g.k.load(place) == 1)
    let thread = try g.k.currentThread
    let before = try g.k.load(thread + 0x124)
    try g.call("KeSetSystemAffinityThread", 3)
    #expect(try g.k.load(thread + 0x124) == 3 && g.k.byte(thread + 0xdc) == 1)
    try g.call("KeRevertToUserAffinityThread")
    #expect(try g.k.load(thread + 0x124) == before && g.k.byte(thread + 0xdc) == 0)
    #expect(try g.call("KeSetAffinityThread", thread, 1) == UInt64(before) && g.call("KeSetAffinityThread", thread, 1) == 1)
    #expect(try g.call("KeSetIdealProcessorThread", thread, 5) & 0xff == 0)
    #expect(try g.call("KeGetRecommendedSharedDataAlignment") == 64)
    g.routine(at: 0xf8b0_3000, 1) { arguments in
      let isAsExpected8 = try g.k.byte(g.k.kernel.kpcr.address + 0x24) == 29
      #expect(isAsExpected8)
      return arguments[0] + 1
    }
    #expect(try g.call("KeIpiGenericCall", 0xf8b0_3000, 41) == 42)
    #expect(try g.call("Ke386IoSetAccessProcess", 0, 1) & 0xff == 1 && g.call("Ke386IoSetAccessProcess", 0, 2) & 0xff == 0)
    #expect(try g.call("Ke386SetIoAccessMap", 1, 0) & 0xff == 1 && g.call("Ke386SetIoAccessMap", 0, 0) & 0xff == 0)
    #expect(try g.status("KeSaveFloatingPointState", place) == .success)
    #expect(try g.status("KeRestoreFloatingPointState", place) == .success)
    #expect(try g.bugCheck("KeRestoreFloatingPointState", place).first == 0xe7)
  }
}
