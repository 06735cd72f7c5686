import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// Timers, deferred procedure calls and work items.
  static let laterFunctions: [Export] = [
    // nf-wdftimer-wdftimercreate: without a parent it is STATUS_WDF_PARENT_NOT_SPECIFIED.
    create("WdfTimerCreate(DriverGlobals, Config, Attributes, Timer)", .timer),
    // nf-wdfdpc-wdfdpccreate
    create("WdfDpcCreate(DriverGlobals, Config, Attributes, Dpc)", .dpc),
    // nf-wdfworkitem-wdfworkitemcreate
    create("WdfWorkItemCreate(DriverGlobals, Config, Attributes, WorkItem)", .workItem),
    parent("WdfTimerGetParentObject(DriverGlobals, Timer)"),
    parent("WdfDpcGetParentObject(DriverGlobals, Dpc)"),
    parent("WdfWorkItemGetParentObject(DriverGlobals, WorkItem)"),
    // nf-wdftimer-wdftimerstart: returns whether it was running.
    function("WdfTimerStart(DriverGlobals, Timer, DueTime)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, timer: GuestWord, due: Int64) -> UInt8 in
      let timer = try kernel.later(timer, .timer)
      return try kernel.start(timer.timer(kernel), due: due, period: Int32(clamping: timer.period), timer.dpc(kernel)) ? 1 : 0
    },
    // nf-wdftimer-wdftimerstop: on one processor a callback that was under way has returned.
    function("WdfTimerStop(DriverGlobals, Timer, Wait)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, timer: GuestWord, waits: UInt8) -> UInt8 in
      let timer = try kernel.later(timer, .timer)
      let wasQueued = try kernel.withdraw(timer.dpc(kernel))
      return try kernel.cancel(timer.timer(kernel)) || wasQueued ? 1 : 0
    },
    // nf-wdfdpc-wdfdpcenqueue
    function("WdfDpcEnqueue(DriverGlobals, Dpc)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, dpc: GuestWord) -> UInt8 in
      try kernel.enqueue(kernel.later(dpc, .dpc).dpc(kernel)) ? 1 : 0
    },
    // nf-wdfdpc-wdfdpccancel
    function("WdfDpcCancel(DriverGlobals, Dpc, Wait)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, dpc: GuestWord, waits: UInt8) -> UInt8 in
      try kernel.withdraw(kernel.later(dpc, .dpc).dpc(kernel)) ? 1 : 0
    },
    // nf-wdfdpc-wdfdpcwdmgetdpc
    function("WdfDpcWdmGetDpc(DriverGlobals, Dpc)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, dpc: GuestWord) -> Pointer<KDPC> in
      try kernel.later(dpc, .dpc).dpc(kernel)
    },
    // nf-wdfworkitem-wdfworkitemenqueue: one that is queued stays so.
    procedure("WdfWorkItemEnqueue(DriverGlobals, WorkItem)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, item: GuestWord) in
      try kernel.enqueue(kernel.later(item, .workItem))
    },
    // nf-wdfworkitem-wdfworkitemflush
    asyncProcedure("WdfWorkItemFlush(DriverGlobals, WorkItem)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, item: GuestWord) async throws in
      let item = try kernel.later(item, .workItem)
      if item.isQueued { try await kernel.wait(for: item.event(kernel), "WdfWorkItemFlush") }
    },
  ]

  private static func create(_ prototype: String, _ kind: LaterCall.Kind) -> Export {
    asyncFunction(prototype) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, config: Pointer<WDF_CALLBACK_CONFIG>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let later = try kernel.createLater(kind, kernel.binding(globals), kernel.required(config), kernel.attributes(attributes))
        try kernel.required(result).store(later.handle)
        return .success
      }
    }
    .partially("AutomaticSerialization is not looked at: nothing runs at the same time on one processor")
  }

  private static func parent(_ prototype: String) -> Export {
    function(prototype) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: GuestWord) -> GuestWord in
      try kernel.object(object, LaterCall.self).parent?.handle ?? 0
    }
  }
}

extension Kernel {
  func later(_ handle: GuestWord, _ kind: LaterCall.Kind) throws -> LaterCall {
    let later = try object(handle, LaterCall.self)
    guard later.kind == kind else { throw Violation.invalidHandle.bugCheck(handle.bits) }
    return later
  }

  func createLater(
    _ kind: LaterCall.Kind, _ binding: Binding, _ config: Pointer<WDF_CALLBACK_CONFIG>, _ attributes: Attributes
  ) throws -> LaterCall {
    let sizes: ClosedRange<UInt32> = kind == .timer ? 0x10...0x20 : 0xc...0xc
    guard try sizes.contains(config.Size.load()) else { throw Refused(.infoLengthMismatch) }
    let routine = try config.EvtFunc.load()
    guard routine.bits != 0 else { throw Refused(.invalidParameter) }
    guard attributes.parent.bits != 0 else { throw Refused(.wdfParentNotSpecified) }
    guard try object(attributes.parent, FrameworkObject.self).device != nil else { throw Refused(.invalidDeviceRequest) }
    let period = kind == .timer ? try config.Period.load() : 0
    let later = LaterCall(try objectBlock(LaterCall.size), binding, kind, routine, period: period)
    switch kind {
    case .timer, .dpc:
      try prepare(later.timer(self))
      try prepare(later.dpc(self), routine: frameworkTrap("FxDpc"), context: later.handle.bits)
    case .workItem: try initializeEvent(later.event(self), .eventNotification, isSet: true)
    }
    try adopt(later, attributes, parent: nil)
    return later
  }

  func enqueue(_ item: LaterCall) throws {
    guard !item.isQueued else { return }
    item.isQueued = true
    reference(item)
    try reset(item.event(self))
    // Of the delayed work queue, whose number here is 0.
    try queue(WorkItem(routine: frameworkTrap("FxWorkItem"), arguments: [item.handle.bits], finish: {}), queue: 0)
  }
}
