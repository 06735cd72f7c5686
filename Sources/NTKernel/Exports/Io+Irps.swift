import Guest
import Memory
import WindowsTypes

extension Export {
  /// IRPs from allocation to completion.
  static let irps: [Export] = [
    // nf-wdm-ioallocateirp
    export("IoAllocateIrp(StackSize, ChargeQuota)", irql: .dispatch) {
      (kernel, stackSize: Int8, chargeQuota: UInt8) -> Pointer<IRP> in
      let irp = try kernel.allocateIRP(stackSize: stackSize)
      guard chargeQuota != 0, !irp.isNull else { return irp }
      try kernel.charge(irp.address)
      // IRP_QUOTA_CHARGED
      try irp.AllocationFlags.store(irp.AllocationFlags.load() | 1)
      return irp
    },
    // nf-wdm-ioinitializeirp
    export("IoInitializeIrp(Irp, PacketSize, StackSize)", irql: .dispatch) {
      (kernel, irp: Pointer<IRP>, size: UInt16, stackSize: Int8) in
      try kernel.initializeIRP(irp, size, stackSize)
    },
    // nf-wdm-ioreuseirp
    export("IoReuseIrp(Irp, Iostatus)", irql: .dispatch) { (kernel, irp: Pointer<IRP>, status: NTSTATUS) in
      let flags = try irp.AllocationFlags.load()
      try kernel.initializeIRP(irp, irp.Size.load(), irp.StackCount.load())
      try irp.AllocationFlags.store(flags)
      try irp.IoStatus.Status.store(status)
    },
    // nf-wdm-iofreeirp
    export("IoFreeIrp(Irp)", irql: .dispatch) { (kernel, irp: Pointer<IRP>) in try kernel.freeIRP(irp) },
    // nf-ntddk-iomakeassociatedirp
    export("IoMakeAssociatedIrp(Irp, StackSize)", irql: .dispatch) {
      (kernel, master: Pointer<IRP>, stackSize: Int8) -> Pointer<IRP> in
      let irp = try kernel.allocateIRP(stackSize: stackSize)
      guard !irp.isNull else { return irp }
      try irp.Flags.store(.associatedIRP)
      try irp.AssociatedIrp.MasterIrp.store(master)
      try irp.Tail.Overlay.Thread.store(master.Tail.Overlay.Thread.load())
      return irp
    },
    // nf-wdm-iobuilddeviceiocontrolrequest
    export(
      "IoBuildDeviceIoControlRequest(IoControlCode, DeviceObject, InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength, InternalDeviceIoControl, Event, IoStatusBlock)",
      irql: .apc
    ) {
      (
        kernel, code: IOControlCode, device: Pointer<DEVICE_OBJECT>, input: GuestWord, inputLength: UInt32, output: GuestWord,
        outputLength: UInt32, isInternal: UInt8, event: Pointer<KEVENT>, block: Pointer<IO_STATUS_BLOCK>
      ) -> Pointer<IRP> in
      try kernel.build(device, event, block, isQueued: true) { irp in
        try kernel.prepareControl(
          irp, code, input: (input.bits, inputLength), output: (output.bits, outputLength), mode: .kernelMode,
          isInternal: isInternal != 0)
      }
    },
    // nf-wdm-iobuildsynchronousfsdrequest
    export(
      "IoBuildSynchronousFsdRequest(MajorFunction, DeviceObject, Buffer, Length, StartingOffset, Event, IoStatusBlock)", irql: .apc
    ) {
      (
        kernel, major: UInt32, device: Pointer<DEVICE_OBJECT>, buffer: GuestWord, length: UInt32, offset: Pointer<Int64>,
        event: Pointer<KEVENT>, block: Pointer<IO_STATUS_BLOCK>
      ) -> Pointer<IRP> in
      try kernel.build(device, event, block, isQueued: true) { irp in
        try kernel.prepareFileSystemRequest(irp, major, device, (buffer.bits, length), offset)
        try irp.Flags.store(irp.Flags.load().union(.synchronousApi))
      }
    },
    // nf-wdm-iobuildasynchronousfsdrequest: the completion routine frees it.
    export(
      "IoBuildAsynchronousFsdRequest(MajorFunction, DeviceObject, Buffer, Length, StartingOffset, IoStatusBlock)", irql: .dispatch
    ) {
      (
        kernel, major: UInt32, device: Pointer<DEVICE_OBJECT>, buffer: GuestWord, length: UInt32, offset: Pointer<Int64>,
        block: Pointer<IO_STATUS_BLOCK>
      ) -> Pointer<IRP> in
      try kernel.build(device, Pointer(0, in: kernel.memory.memory), block, isQueued: false) { irp in
        try kernel.prepareFileSystemRequest(irp, major, device, (buffer.bits, length), offset)
      }
    },
    // nf-wdm-iocalldriver: on x86 the macro leads here.
    export("IofCallDriver(DeviceObject, Irp)", .fastcall, irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.callDriver(device, irp)
    },
    export("IoCallDriver(DeviceObject, Irp)", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.callDriver(device, irp)
    },
    // nf-wdm-iocompleterequest: on x86 the macro leads here.
    export(
      "IofCompleteRequest(Irp, PriorityBoost)", .fastcall, irql: .dispatch,
      tryAtOnce: { (kernel, irp: Pointer<IRP>, boost: UInt8) in try kernel.completeUnaskedRequest(irp) }
    ) { (kernel, irp: Pointer<IRP>, boost: UInt8) async throws in try await kernel.completeRequest(irp) },
    export(
      "IoCompleteRequest(Irp, PriorityBoost)", irql: .dispatch,
      tryAtOnce: { (kernel, irp: Pointer<IRP>, boost: UInt8) in try kernel.completeUnaskedRequest(irp) }
    ) { (kernel, irp: Pointer<IRP>, boost: UInt8) async throws in try await kernel.completeRequest(irp) },
    // nf-ntifs-pocalldriver
    export("PoCallDriver(DeviceObject, Irp)", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.callPowerDriver(device, irp)
    },
    // nf-ntifs-postartnextpowerirp
    export("PoStartNextPowerIrp(Irp)", irql: .dispatch) { (kernel, irp: Pointer<IRP>) async throws in
      try await kernel.startNextPowerRequest(irp)
    },
    // nf-wdm-iocancelirp
    export("IoCancelIrp(Irp)", irql: .dispatch) { (kernel, irp: Pointer<IRP>) async throws -> UInt8 in
      try await kernel.cancel(irp) ? 1 : 0
    },
    // nf-wdm-ioacquirecancelspinlock: on a uniprocessor the lock is the IRQL.
    export("IoAcquireCancelSpinLock(Irql)", irql: .dispatch) { (kernel, irql: Pointer<IRQL>) in
      try irql.store(kernel.raiseIRQL(to: .dispatch))
    },
    // nf-wdm-ioreleasecancelspinlock
    export("IoReleaseCancelSpinLock(Irql)", irql: .dispatch) { (kernel, irql: IRQL) in try kernel.lowerIRQL(to: irql) },
    // nf-ntifs-iogettoplevelirp
    export("IoGetTopLevelIrp()") { kernel -> GuestWord in
      GuestWord(try kernel.currentThread().cast(to: ETHREAD.self).TopLevelIrp.load().bits)
    },
    // nf-ntifs-iosettoplevelirp
    export("IoSetTopLevelIrp(Irp)") { (kernel, irp: GuestWord) in
      let place = try kernel.currentThread().cast(to: ETHREAD.self).TopLevelIrp
      try kernel.memory.memory.store(UInt32(truncatingIfNeeded: irp.bits), at: place.address)
    },
    // nf-wdm-iogetinitialstack
    export("IoGetInitialStack()") { kernel -> Pointer<Void> in try kernel.currentThread().InitialStack.load() },
    // nf-wdm-iogetstacklimits
    export("IoGetStackLimits(LowLimit, HighLimit)") { (kernel, low: Pointer<GuestWord>, high: Pointer<GuestWord>) in
      let thread = try kernel.currentThread()
      try low.store(GuestWord(thread.StackLimit.load().address))
      try high.store(GuestWord(thread.InitialStack.load().address))
    },
    // nf-ntifs-ioisoperationsynchronous
    export("IoIsOperationSynchronous(Irp)", irql: .dispatch) { (kernel, irp: Pointer<IRP>) -> UInt8 in
      let flags = try irp.Flags.load()
      let file = try irp.Tail.Overlay.OriginalFileObject.load()
      let isSynchronousFile = try !file.isNull && file.Flags.load() & Kernel.FileFlags.synchronous != 0
      // Paging I/O is synchronous where IRP_SYNCHRONOUS_PAGING_IO says so.
      if flags.contains(.pagingIO) { return flags.contains(.inputOperation) ? 1 : 0 }
      return flags.contains(.synchronousApi) || isSynchronousFile ? 1 : 0
    },
  ]
}

extension Kernel {
  /// An IRP that a driver asks for, ready to be sent; null where its buffers cannot be had.
  ///
  /// - Parameter isQueued: whether it is the running thread's, which the I/O manager frees when it is complete.
  func build(
    _ device: Pointer<DEVICE_OBJECT>, _ event: Pointer<KEVENT>, _ block: Pointer<IO_STATUS_BLOCK>, isQueued: Bool,
    _ prepare: (Pointer<IRP>) throws -> Void
  ) throws -> Pointer<IRP> {
    let irp = try allocateIRP(stackSize: device.StackSize.load())
    guard !irp.isNull else { return irp }
    do {
      try prepare(irp)
    } catch is GuestException {
      try abandon(irp)
      return Pointer(0, in: memory.memory)
    }
    try irp.UserIosb.store(block)
    try irp.UserEvent.store(event)
    try irp.RequestorMode.store(.kernelMode)
    try irp.Tail.Overlay.Thread.store(currentThread().cast())
    if isQueued { try queue(irp, requestor: requestor()) }
    return irp
  }

  /// What the two file-system request builders do for each major function that they take.
  func prepareFileSystemRequest(
    _ irp: Pointer<IRP>, _ major: UInt32, _ device: Pointer<DEVICE_OBJECT>, _ buffer: (address: UInt64, length: UInt32),
    _ offset: Pointer<Int64>
  ) throws {
    let major = IRP_MJ(rawValue: UInt8(truncatingIfNeeded: major))
    if major == .read || major == .write {
      try prepareTransfer(
        irp, device, isRead: major == .read, buffer, offset: offset.isNull ? 0 : offset.load(), key: 0, mode: .kernelMode)
    } else {
      try nextLocation(of: irp).MajorFunction.store(major)
    }
  }
}
