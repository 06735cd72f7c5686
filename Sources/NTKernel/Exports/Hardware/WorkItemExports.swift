import Events
import Guest
import WindowsTypes

extension Export {
  /// Work items, a device's timer, and start-I/O's attributes.
  static let deviceWork: [Export] = [
    // nf-wdm-ioallocateworkitem
    export("IoAllocateWorkItem(DeviceObject)", irql: .dispatch) { (kernel, device: GuestWord) -> GuestWord in
      // "IoWi"
      guard let item = try kernel.nonPagedPool.allocate(Kernel.workItemSize, tag: 0x6957_6f49, in: kernel.memory) else { return 0 }
      try kernel.initializeWorkItem(item, device.bits)
      return GuestWord(item)
    },
    // nf-wdm-iofreeworkitem
    export("IoFreeWorkItem(IoWorkItem)", irql: .dispatch) { (kernel, item: GuestWord) in try kernel.freePool(item.bits) },
    // nf-wdm-ioqueueworkitem
    export("IoQueueWorkItem(IoWorkItem, WorkerRoutine, QueueType, Context)", irql: .dispatch) {
      (kernel, item: GuestWord, routine: GuestWord, type: UInt32, context: GuestWord) in
      try kernel.queueWorkItem(item.bits, routine.bits, type, context.bits, isExtended: false)
    },
    // nf-wdm-ioqueueworkitemex: the routine gets the item, too.
    export("IoQueueWorkItemEx(IoWorkItem, WorkerRoutine, QueueType, Context)", irql: .dispatch) {
      (kernel, item: GuestWord, routine: GuestWord, type: UInt32, context: GuestWord) in
      try kernel.queueWorkItem(item.bits, routine.bits, type, context.bits, isExtended: true)
    },
    // nf-wdm-iosizeofworkitem
    export("IoSizeofWorkItem()") { _ -> UInt32 in UInt32(Kernel.workItemSize) },
    // nf-wdm-ioinitializeworkitem
    export("IoInitializeWorkItem(IoObject, IoWorkItem)", irql: .dispatch) { (kernel, object: GuestWord, item: GuestWord) in
      try kernel.initializeWorkItem(item.bits, object.bits)
    },
    // nf-wdm-iouninitializeworkitem
    export("IoUninitializeWorkItem(IoWorkItem)", irql: .dispatch) { (_, item: GuestWord) in },
    // nf-wdm-ioinitializetimer: a device has one.
    export("IoInitializeTimer(DeviceObject, TimerRoutine, Context)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, routine: GuestWord, context: GuestWord) -> NTSTATUS in
      try kernel.initializeDeviceTimer(device, routine.bits, context.bits)
    },
    // nf-wdm-iostarttimer: once a second from now on.
    export("IoStartTimer(DeviceObject)", irql: .dispatch) { (kernel, device: Pointer<DEVICE_OBJECT>) in
      guard let (timer, dpc) = try kernel.deviceTimer(device) else { return }
      try device.Timer.load().TimerFlag.store(1)
      _ = try kernel.setTimer(timer, due: -10_000_000, period: 1000, dpc)
    }
    .uncertain("the first call comes a second after the start; on Windows all devices share one timer, so it can come earlier"),
    // nf-wdm-iostoptimer
    export("IoStopTimer(DeviceObject)", irql: .dispatch) { (kernel, device: Pointer<DEVICE_OBJECT>) in
      guard let (timer, _) = try kernel.deviceTimer(device) else { return }
      try device.Timer.load().TimerFlag.store(0)
      _ = try kernel.cancelTimer(timer)
    },
    // The deferred call that a device's timer queues.
    export("IopTimerDispatch(Dpc, DeferredContext, SystemArgument1, SystemArgument2)", isImportable: false) {
      (kernel, dpc: GuestWord, device: Pointer<DEVICE_OBJECT>, first: GuestWord, second: GuestWord) async throws in
      let timer = try device.Timer.load()
      guard try !timer.isNull && timer.TimerFlag.load() != 0 else { return }
      _ = try await kernel.call(timer.TimerRoutine.load().address, [device.address, timer.Context.load().address])
    },
    // nf-ntifs-iosetstartioattributes
    export("IoSetStartIoAttributes(DeviceObject, DeferredStartIo, NonCancelable)", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>, deferred: UInt8, nonCancelable: UInt8) in
      let flags = try device.startIoFlags()
      let asked = (deferred != 0 ? StartIoFlags.deferred : 0) | (nonCancelable != 0 ? StartIoFlags.notCancelable : 0)
      try flags.store(flags.load() & ~(StartIoFlags.deferred | StartIoFlags.notCancelable) | asked)
    },
  ]
}

extension Kernel {
  /// `IO_WORKITEM`: a work queue item of 10h bytes, routine, device, context and an attached item.
  static let workItemSize: UInt64 = 0x20

  func initializeWorkItem(_ item: UInt64, _ device: UInt64) throws {
    try memory.memory.fill(0, count: Int(Self.workItemSize), at: item)
    try memory.memory.store(UInt32(truncatingIfNeeded: device), at: item + 0x14)
  }

  /// The device stays while the item is queued, and until its routine has returned.
  func queueWorkItem(_ item: UInt64, _ routine: UInt64, _ type: UInt32, _ context: UInt64, isExtended: Bool) throws {
    let here = memory.memory
    let object = UInt64(try here.load(UInt32.self, at: item + 0x14))
    try here.store(UInt32(truncatingIfNeeded: routine), at: item + 0x10)
    try here.store(UInt32(truncatingIfNeeded: context), at: item + 0x18)
    let isKnown = io.objects[object] != nil
    if isKnown { try reference(object, for: nil) }
    let arguments = [object, context] + (isExtended ? [item] : [])
    let finish: () async throws -> Void = { [self] in if isKnown { try await dereference(object) } }
    // CriticalWorkQueue 0, DelayedWorkQueue 1, HyperCriticalWorkQueue 2.
    try queue(WorkItem(routine: routine, arguments: arguments, finish: finish), queue: [1, 0, 2][Int(min(type, 2))])
  }

  /// Behind an `IO_TIMER` lie its timer object and its deferred call.
  func initializeDeviceTimer(_ device: Pointer<DEVICE_OBJECT>, _ routine: UInt64, _ context: UInt64) throws -> NTSTATUS {
    let here = memory.memory
    var timer = try device.Timer.load()
    if timer.isNull {
      let size = Pointer<IO_TIMER>.size(in: here) + Pointer<KTIMER>.size(in: here) + Pointer<KDPC>.size(in: here)
      timer = Pointer(try allocate(UInt64(size)), in: here)
      try timer.Type.store(IOObjectType.timer.rawValue)
      try timer.TimerList.initialize()
      try timer.DeviceObject.store(device)
      try device.Timer.store(timer)
    }
    try timer.TimerRoutine.store(Pointer(routine, in: here))
    try timer.Context.store(Pointer(context, in: here))
    guard let (object, dpc) = try deviceTimer(device) else { return .insufficientResources }
    try object.initialize(.timerNotification)
    try dpc.zero()
    try dpc.Type.store(0x13)
    try dpc.Importance.store(1)
    try dpc.DeferredRoutine.store(Pointer(trapAddress(of: "IopTimerDispatch"), in: here))
    try dpc.DeferredContext.store(device.cast())
    return .success
  }

  /// The timer object and the deferred call of a device, if `IoInitializeTimer` made them.
  func deviceTimer(_ device: Pointer<DEVICE_OBJECT>) throws -> (Pointer<KTIMER>, Pointer<KDPC>)? {
    let timer = try device.Timer.load()
    guard !timer.isNull else { return nil }
    let here = memory.memory
    let object = timer.address + UInt64(Pointer<IO_TIMER>.size(in: here))
    return (Pointer(object, in: here), Pointer(object + UInt64(Pointer<KTIMER>.size(in: here)), in: here))
  }

  /// A device goes: its timer stops, and goes with it.
  func releaseDeviceTimer(_ device: Pointer<DEVICE_OBJECT>) throws {
    guard let (timer, _) = try deviceTimer(device) else { return }
    timers.remove(.timer(timer.address))
    _ = nonPagedPool.free(try device.Timer.load().address)
  }
}
