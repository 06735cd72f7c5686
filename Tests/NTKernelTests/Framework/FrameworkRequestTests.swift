import Guest
import KMDF
import Memory
import NTKernel
import Testing
import WindowsTypes

@Suite("KMDF: devices, queues and requests") struct FrameworkRequestTests {
  /// A control device that is open, with a queue whose callback for control requests the test plays.
  private func world(
    ioType: UInt64 = 2, dispatching: UInt32 = 1, prepare: (FrameworkGuest, UInt64) throws -> Void = { _, _ in },
    _ body: @escaping (FrameworkGuest, _ request: UInt64, _ code: UInt64) throws -> Void
  ) throws -> (f: FrameworkGuest, device: UInt64, queue: UInt64, handle: UInt64) {
    let f = try FrameworkGuest()
    let device = try f.device(ioType: ioType) { try prepare(f, $0) }
    let control = f.routine(5) { [unowned f] in
      try body(f, $0[1], $0[4])
      return 0
    }
    let queue = try f.queue(device, dispatching, dispatching == 3 ? [:] : [3: control])
    try f.call("WdfControlFinishInitializing", device)
    return (f, device, queue, try f.open())
  }

  @Test("a device's properties, its link, and what a control device has not")
  func device() throws {
    let f = try FrameworkGuest()
    let device = try f.device(ioType: 3) { setup in
      try f.call("WdfDeviceInitSetDeviceType", setup, 0x22)
      try f.call("WdfDeviceInitSetExclusive", setup, 1)
      try f.call("WdfDeviceInitSetCharacteristics", setup, 0x100, 1)
      let callbacks = try f.g.space(0x44)
      try f.k.store(0x44, at: callbacks)
      try f.call("WdfDeviceInitSetPnpPowerEventCallbacks", setup, callbacks)
      try f.call("WdfControlDeviceInitSetShutdownNotification", setup, 0, 0)
      try f.call("WdfFdoInitSetFilter", setup)
      #expect(try f.call("WdfFdoInitWdmGetPhysicalDevice", setup) == 0)
      #expect(try f.status("WdfDeviceInitAssignSDDLString", setup, 0) == .success)
    }
    let object = try f.call("WdfDeviceWdmGetDeviceObject", device)
    // DO_DIRECT_IO, DO_EXCLUSIVE, DO_DEVICE_INITIALIZING
    #expect(try f.k.load(object + 0x1c) & 0x98 == 0x98)
    #expect(try f.call("WdfWdmDeviceGetWdfDeviceHandle", object) == device)
    #expect(try f.call("WdfDeviceGetDriver", device) == f.driver)
    #expect(try f.call("WdfDeviceWdmGetAttachedDevice", device) == 0 && f.call("WdfDeviceWdmGetPhysicalDevice", device) == 0)
    #expect(try f.call("WdfDeviceGetCharacteristics", device) == 0x100)
    try f.call("WdfDeviceSetCharacteristics", device, 0x180)
    #expect(try f.call("WdfDeviceGetCharacteristics", device) == 0x180)
    try f.call("WdfDeviceSetAlignmentRequirement", device, 3)
    #expect(try f.call("WdfDeviceGetAlignmentRequirement", device) == 3)
    #expect(try f.call("WdfDeviceGetDefaultQueue", device) == 0)
    #expect(try f.status("WdfDeviceCreateDeviceInterface", device, 0, 0) == .invalidDeviceRequest)
    #expect(try f.status("WdfDeviceCreateSymbolicLink", device, f.g.string(#"\DosDevices\Wdf"#)) == .success)
    #expect(try f.status("WdfDeviceCreateSymbolicLink", device, f.g.string(#"\DosDevices\Wdf"#)) == .objectNameCollision)
    // A second device of the name, and one that is given up.
    let setup = try f.call("WdfControlDeviceInitAllocate", f.driver, f.g.string("D:P"))
    _ = try f.status("WdfDeviceInitAssignName", setup, f.g.string(#"\Device\Wdf"#))
    let place = try f.g.space()
    try f.k.store(UInt32(setup), at: place)
    _ = try f.make("WdfDeviceCreate", place, 0, expect: .objectNameCollision)
    try f.call("WdfDeviceInitFree", setup)
    try f.call("WdfObjectDelete", device)
    #expect(try f.call("WdfWdmDeviceGetWdfDeviceHandle", object) == 0)
    #expect(try f.g.status("WdfVersionUnbind", f.path(), 0, f.globals) == .success)
  }

  @Test("a miniport's device is another framework's: it has a handle, and stays when the driver goes")
  func miniport() throws {
    let f = try FrameworkGuest()
    let object = try f.g.device(#"\Device\Other"#)
    let device = try f.make("WdfDeviceMiniportCreate", f.driver, 0, object, 0, 0)
    #expect(try f.call("WdfDeviceWdmGetDeviceObject", device) == object)
    #expect(try f.call("WdfWdmDeviceGetWdfDeviceHandle", object) == device)
    try f.call("WdfDriverMiniportUnload", f.driver)
    #expect(try f.call("WdfWdmDeviceGetWdfDeviceHandle", object) == 0)
    #expect(try f.k.load(object) & 0xffff == 3)
    #expect(try f.violation("WdfDriverMiniportUnload", f.driver) == [5, f.driver, 0, 0])
  }

  @Test("a queue that nobody can present to, and one of no kind, are refused; a device has one default queue")
  func queues() throws {
    let f = try FrameworkGuest()
    // "WdfDeviceInitSetIoType" with WdfDeviceIoNeither.
    let device = try f.device(ioType: 1)
    let object = try f.call("WdfDeviceWdmGetDeviceObject", device)
    #expect(try f.k.load(object + 0x1c) & 0x14 == 0)
    let config = try f.g.space(0x34)
    try f.k.store([0x34, 1, 2, 0x100], at: config)
    _ = try f.make("WdfIoQueueCreate", device, config, 0, expect: .init(rawValue: 0xc020_020b))
    try f.k.store([0x34, 9], at: config)
    _ = try f.make("WdfIoQueueCreate", device, config, 0, expect: .invalidParameter)
    try f.k.store([0x10], at: config)
    _ = try f.make("WdfIoQueueCreate", device, config, 0, expect: .infoLengthMismatch)
    _ = try f.queue(device, 3, [:])
    try f.k.store([0x34, 3, 2, 0x100], at: config)
    _ = try f.make("WdfIoQueueCreate", device, config, 0, expect: .unsuccessful)
  }

  @Test("a buffered request: its parameters, its buffers, its completion")
  func buffered() throws {
    let w = try world { f, request, code in
      #expect(code == 0x222000)
      let parameters = try f.g.space(0x18)
      try f.k.store([0x18], at: parameters)
      try f.call("WdfRequestGetParameters", request, parameters)
      #expect(try f.k.load(parameters + 4) == 0xe && f.k.load(parameters + 0x10) == 0x222000)
      let (buffer, length) = (try f.g.space(), try f.g.space())
      #expect(try f.status("WdfRequestRetrieveInputBuffer", request, 5, buffer, length) == .bufferTooSmall)
      #expect(try f.status("WdfRequestRetrieveInputBuffer", request, 1, buffer, length) == .success)
      #expect(try f.k.load(length) == 4)
      let input = UInt64(try f.k.load(buffer))
      #expect(try f.status("WdfRequestRetrieveOutputBuffer", request, 8, buffer, 0) == .success)
      #expect(try UInt64(f.k.load(buffer)) == input)
      let memory = try f.make("WdfRequestRetrieveInputMemory", request)
      #expect(try f.call("WdfMemoryGetBuffer", memory, 0) == input)
      _ = try f.make("WdfRequestRetrieveOutputMemory", request)
      _ = try f.make("WdfRequestRetrieveOutputWdmMdl", request, expect: .invalidDeviceRequest)
      #expect(try f.status("WdfRequestRetrieveUnsafeUserInputBuffer", request, 1, buffer, length) == .invalidDeviceRequest)
      #expect(try f.status("WdfRequestRetrieveUnsafeUserOutputBuffer", request, 1, buffer, length) == .invalidDeviceRequest)
      #expect(try f.call("WdfRequestGetRequestorMode", request) == 0)
      #expect(try f.call("WdfRequestIsFrom32BitProcess", request) == 1)
      #expect(try f.call("WdfRequestIsReserved", request) == 0 && f.call("WdfRequestIsCanceled", request) == 0)
      #expect(try f.call("WdfRequestGetFileObject", request) == 0)
      #expect(try f.k.load(f.call("WdfRequestWdmGetIrp", request)) & 0xffff == 6)
      #expect(try f.status("WdfRequestGetStatus", request) == .success)
      try f.k.store([0x7274_6365], at: input)
      try f.call("WdfRequestSetInformation", request, 4)
      #expect(try f.call("WdfRequestGetInformation", request) == 4)
      try f.call("WdfRequestComplete", request, 0)
    }
    let buffer = try w.f.g.space()
    try w.f.k.store([0x1111_1111], at: buffer)
    #expect(try w.f.control(w.handle, 0x222000, input: (buffer, 4), output: (buffer + 8, 8)) == .pending)
    #expect(try w.f.k.load(buffer + 8) == 0x7274_6365)
    #expect(try w.f.call("WdfIoQueueGetDevice", w.queue) == w.device)
    #expect(try w.f.call("WdfDeviceGetDefaultQueue", w.device) == w.queue)
  }

  @Test("a request that is completed twice is no request any more")
  func twice() throws {
    let w = try world { f, request, _ in
      try f.call("WdfRequestCompleteWithPriorityBoost", request, 0, 0)
      #expect(try f.violation("WdfRequestCompleteWithInformation", request, 0, 0) == [5, request, 0, 0])
    }
    #expect(throws: IOGuest.Stopped.self) { try w.f.control(w.handle, 0x222000) }
  }

  @Test("METHOD_NEITHER: the user's buffers are there in the caller's context alone, and locked in the caller's process")
  func neither() throws {
    var locked: UInt64 = 0
    let w = try world(prepare: { f, setup in
      let inContext = f.routine(2) { arguments in
        let (buffer, length) = (try f.g.space(), try f.g.space())
        #expect(try f.status("WdfRequestRetrieveUnsafeUserOutputBuffer", arguments[1], 9, buffer, length) == .bufferTooSmall)
        #expect(try f.status("WdfRequestRetrieveUnsafeUserOutputBuffer", arguments[1], 1, buffer, length) == .success)
        let address = UInt64(try f.k.load(buffer))
        _ = try f.make("WdfRequestProbeAndLockUserBufferForRead", arguments[1], address, 0, expect: .invalidUserBuffer)
        _ = try f.make("WdfRequestProbeAndLockUserBufferForRead", arguments[1], 0x7fff_0000, 4, expect: .accessViolation)
        locked = try f.make("WdfRequestProbeAndLockUserBufferForWrite", arguments[1], address, 8)
        #expect(try f.status("WdfDeviceEnqueueRequest", arguments[0], arguments[1]) == .success)
        return 0
      }
      try f.call("WdfDeviceInitSetIoInCallerContextCallback", setup, inContext)
    }) { f, request, _ in
      let (buffer, view) = (try f.g.space(), try f.call("WdfMemoryGetBuffer", locked, 0))
      #expect(view >= 0x8000_0000)
      try f.k.store([0x6f68_6365], at: view)
      #expect(try f.status("WdfRequestRetrieveUnsafeUserOutputBuffer", request, 1, buffer, 0) == .invalidDeviceRequest)
      #expect(try f.status("WdfRequestRetrieveOutputBuffer", request, 1, buffer, 0) == .invalidDeviceRequest)
      // Another thread than the one that asked.
      let client = try #require(f.k.kernel.running)
      let before = f.k.registers[.sp]
      try f.k.kernel.run(f.k.worker)
      try f.k.linkFrames()
      f.k.registers[.sp] = f.k.frame - 0x40
      _ = try f.make("WdfRequestProbeAndLockUserBufferForWrite", request, 0x13_0000, 8, expect: .accessViolation)
      try f.k.kernel.run(client)
      f.k.registers[.sp] = before
      try f.call("WdfRequestCompleteWithInformation", request, 0, 8)
    }
    try w.f.k.kernel.map(Page(.valid), pages: 1, at: 0x13_0000, in: w.f.k.notepad)
    #expect(try w.f.control(w.handle, 0x222003, output: (0x13_0000, 8)) == .pending)
    #expect(try w.f.k.load(0x13_0000) == 0x6f68_6365)
  }

  @Test("a sequential queue presents one at a time; stopped it presents none, purged it cancels")
  func sequential() throws {
    var held: [UInt64] = []
    let w = try world { _, request, _ in held.append(request) }
    for _ in 0..<3 { #expect(try w.f.control(w.handle, 0x222000) == .pending) }
    #expect(held.count == 1)
    let (waiting, presented) = (try w.f.g.space(), try w.f.g.space())
    #expect(try w.f.call("WdfIoQueueGetState", w.queue, waiting, presented) == 3)
    #expect(try w.f.k.load(waiting) == 2 && w.f.k.load(presented) == 1)
    #expect(try w.f.call("WdfRequestGetIoQueue", held[0]) == w.queue)
    try w.f.call("WdfRequestComplete", held[0], 0)
    #expect(held.count == 2)
    var isStopped = false
    try w.f.call(
      "WdfIoQueueStop", w.queue,
      w.f.routine(2) { _ in
        isStopped = true; return 0
      }, 0)
    #expect(!isStopped)
    try w.f.call("WdfRequestComplete", held[1], 0)
    #expect(isStopped && held.count == 2)
    try w.f.call("WdfIoQueueStart", w.queue)
    #expect(held.count == 3)
    try w.f.call("WdfRequestComplete", held[2], 0)
    try w.f.call("WdfIoQueueStopSynchronously", w.queue)
    #expect(try w.f.control(w.handle, 0x222000) == .pending)
    var isPurged = false
    try w.f.call(
      "WdfIoQueuePurge", w.queue,
      w.f.routine(2) { _ in
        isPurged = true; return 0
      }, 0)
    #expect(isPurged && held.count == 3)
    try w.f.call("WdfIoQueuePurgeSynchronously", w.queue)
    try w.f.call("WdfIoQueueDrain", w.queue, 0, 0)
    try w.f.call("WdfIoQueueDrainSynchronously", w.queue)
    #expect(try w.f.call("WdfIoQueueGetState", w.queue, 0, 0) == 0xe)
  }

  @Test("a manual queue says when it is no longer empty, and hands out what it holds")
  func manual() throws {
    let w = try world(dispatching: 3) { _, _, _ in }
    var ready = 0
    let routine = w.f.routine(2) { _ in
      ready += 1; return 0
    }
    #expect(try w.f.status("WdfIoQueueReadyNotify", w.queue, routine, 0) == .success)
    #expect(try w.f.status("WdfIoQueueReadyNotify", w.queue, routine, 0) == .invalidDeviceRequest)
    _ = try w.f.make("WdfIoQueueRetrieveNextRequest", w.queue, expect: .noMoreEntries)
    for _ in 0..<2 { #expect(try w.f.control(w.handle, 0x222000) == .pending) }
    #expect(ready == 1)
    let first = try w.f.make("WdfIoQueueRetrieveNextRequest", w.queue)
    #expect(try w.f.status("WdfRequestRequeue", first) == .success)
    #expect(try w.f.make("WdfIoQueueRetrieveNextRequest", w.queue) == first)
    #expect(try w.f.status("WdfRequestRequeue", first) == .success)
    #expect(try w.f.make("WdfIoQueueRetrieveNextRequest", w.queue) == first)
    // To another queue, and not to its own.
    let other = try w.f.queue(w.device, 3, isDefault: false, [:])
    #expect(try w.f.status("WdfRequestForwardToIoQueue", first, w.queue) == .invalidDeviceRequest)
    #expect(try w.f.status("WdfRequestForwardToIoQueue", first, other) == .success)
    #expect(try w.f.make("WdfIoQueueRetrieveNextRequest", other) == first)
    try w.f.call("WdfRequestComplete", first, 0)
    #expect(try w.f.status("WdfDeviceConfigureRequestDispatching", w.device, other, 0xe) == .success)
    #expect(try w.f.status("WdfDeviceConfigureRequestDispatching", w.device, other, 0xe) == .init(rawValue: 0xc020_0204))
    #expect(try w.f.status("WdfDeviceConfigureRequestDispatching", w.device, other, 0x12) == .invalidParameter)
    try w.f.call("WdfRequestStopAcknowledge", try w.f.make("WdfIoQueueRetrieveNextRequest", w.queue), 0)
    #expect(!w.f.g.violations.isEmpty)
  }

  @Test("a request that the driver marked cancelable is given back to it; one that waits is cancelled by itself")
  func cancel() throws {
    var held: [UInt64] = []
    let w = try world { _, request, _ in held.append(request) }
    for _ in 0..<2 { #expect(try w.f.control(w.handle, 0x222000) == .pending) }
    let irp = try w.f.call("WdfRequestWdmGetIrp", held[0])
    var cancelled: [UInt64] = []
    let routine = w.f.routine(1) { [f = w.f] in
      cancelled.append($0[0])
      try f.call("WdfRequestComplete", $0[0], 0xc000_0120)
      return 0
    }
    #expect(try w.f.status("WdfRequestUnmarkCancelable", held[0]) == .invalidDeviceRequest)
    try w.f.call("WdfRequestMarkCancelable", held[0], routine)
    #expect(try w.f.status("WdfRequestUnmarkCancelable", held[0]) == .success)
    #expect(try w.f.status("WdfRequestMarkCancelableEx", held[0], routine) == .success)
    #expect(try w.f.g.call("IoCancelIrp", irp) == 1)
    #expect(cancelled == [held[0]] && held.count == 2)
    #expect(try w.f.k.kernel.kpcr.Irql.load() == .passive)
    // Cancelled already.
    let second = try w.f.call("WdfRequestWdmGetIrp", held[1])
    #expect(try w.f.g.call("IoCancelIrp", second) == 0)
    #expect(try w.f.call("WdfRequestIsCanceled", held[1]) == 1)
    #expect(try w.f.status("WdfRequestMarkCancelableEx", held[1], routine) == .cancelled)
    #expect(try w.f.status("WdfRequestUnmarkCancelable", held[1]) == .cancelled)
  }

  @Test("files: created, cleaned up and closed, each with its object")
  func files() throws {
    var told: [String] = []
    var file: UInt64 = 0
    let w = try world(prepare: { f, setup in
      let config = try f.g.space(0x18)
      let create = f.routine(3) {
        told.append("create")
        file = $0[2]
        #expect(try f.call("WdfRequestGetFileObject", $0[1]) == file)
        try f.call("WdfRequestComplete", $0[1], 0)
        return 0
      }
      let close = f.routine(1) { _ in
        told.append("close"); return 0
      }
      let cleanup = f.routine(1) { _ in
        told.append("cleanup"); return 0
      }
      try f.k.store([0x18, UInt32(create), UInt32(close), UInt32(cleanup), 2, 2], at: config)
      try f.call("WdfDeviceInitSetFileObjectConfig", setup, config, 0)
      try f.call("WdfDeviceInitSetRequestAttributes", setup, f.attributes())
    }) { _, _, _ in }
    let object = try w.f.call("WdfFileObjectWdmGetFileObject", file)
    #expect(try w.f.call("WdfDeviceGetFileObject", w.device, object) == file)
    #expect(try w.f.call("WdfFileObjectGetDevice", file) == w.device)
    #expect(try w.f.call("WdfFileObjectGetFileName", file) == object + 0x30)
    #expect(try w.f.call("WdfFileObjectGetFlags", file) == UInt64(w.f.k.load(object + 0x2c)))
    _ = try w.f.make("WdfIoQueueRetrieveRequestByFileObject", w.queue, file, expect: .noMoreEntries)
    #expect(try w.f.g.status("ZwClose", w.handle) == .success)
    #expect(told == ["create", "cleanup", "close"])
    #expect(try w.f.violation("WdfFileObjectGetDevice", file) == [5, file, 0, 0])
  }

  @Test("timers, deferred calls and work items are made with a parent, and told what they are for")
  func later() throws {
    let f = try FrameworkGuest()
    let device = try f.device()
    let config = try f.g.space(0x14)
    var worked = 0
    let routine = f.routine(1) { _ in
      worked += 1; return 0
    }
    try f.k.store([0x14, UInt32(routine), 10, 0, 0], at: config)
    _ = try f.make("WdfTimerCreate", config, 0, expect: .init(rawValue: 0xc020_0212))
    let timer = try f.make("WdfTimerCreate", config, f.attributes(parent: device))
    #expect(try f.call("WdfTimerGetParentObject", timer) == device)
    #expect(try f.g.call("WdfTimerStart", [f.globals, timer, 0xffff_d8f0, 0xffff_ffff]) & 0xff == 0)
    #expect(try f.call("WdfTimerStop", timer, 1) & 0xff == 1)
    #expect(try f.call("WdfTimerStop", timer, 1) & 0xff == 0)
    try f.k.store([0xc, UInt32(routine), 0], at: config)
    _ = try f.make("WdfTimerCreate", config, f.attributes(parent: device), expect: .infoLengthMismatch)
    let dpc = try f.make("WdfDpcCreate", config, f.attributes(parent: device))
    #expect(try f.call("WdfDpcGetParentObject", dpc) == device)
    #expect(try f.k.load(f.call("WdfDpcWdmGetDpc", dpc) + 0xc) == UInt32(f.k.trap("FxDpc")))
    let old = try f.k.kernel.raiseIRQL(to: .dispatch)
    #expect(try f.call("WdfDpcEnqueue", dpc) & 0xff == 1)
    #expect(try f.call("WdfDpcEnqueue", dpc) & 0xff == 0)
    #expect(try f.call("WdfDpcCancel", dpc, 0) & 0xff == 1)
    try f.k.kernel.lowerIRQL(to: old)
    let item = try f.make("WdfWorkItemCreate", config, f.attributes(parent: device))
    #expect(try f.call("WdfWorkItemGetParentObject", item) == device)
    try f.call("WdfWorkItemFlush", item)
    let old2 = try f.k.kernel.raiseIRQL(to: .dispatch)
    for _ in 0..<2 { try f.call("WdfWorkItemEnqueue", item) }
    try f.k.kernel.lowerIRQL(to: old2)
    try f.call("WdfWorkItemFlush", item)
    #expect(worked == 1)
    let object = try f.make("WdfObjectCreate", 0)
    _ = try f.make("WdfWorkItemCreate", config, f.attributes(parent: object), expect: .invalidDeviceRequest)
  }
}
