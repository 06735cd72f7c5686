import Events
import Guest
import Memory
import WindowsTypes

extension Export {
  /// More ways of sending requests, of attaching, and of reporting resources.
  static let moreRequests: [Export] = [
    // nf-wdm-ioforwardirpsynchronously: FALSE where there is no location left.
    export("IoForwardIrpSynchronously(DeviceObject, Irp)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> UInt8 in
      try await kernel.forward(irp, to: device) ? 1 : 0
    },
    export("IoForwardAndCatchIrp(DeviceObject, Irp)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> UInt8 in
      try await kernel.forward(irp, to: device) ? 1 : 0
    },
    // The completion routine of a request that somebody waits for, and keeps.
    export("IopSynchronousCompletion(DeviceObject, Irp, Context)", isImportable: false) {
      (kernel, device: GuestWord, irp: Pointer<IRP>, event: Pointer<KEVENT>) -> NTSTATUS in
      try kernel.set(event)
      return .moreProcessingRequired
    },
    // nf-wdm-iosetcompletionroutineex
    export(
      "IoSetCompletionRoutineEx(DeviceObject, Irp, CompletionRoutine, Context, InvokeOnSuccess, InvokeOnError, InvokeOnCancel)"
    ) {
      (
        kernel, device: GuestWord, irp: Pointer<IRP>, routine: GuestWord, context: GuestWord, success: UInt8, error: UInt8, cancel: UInt8
      ) -> NTSTATUS in
      let location = try kernel.nextLocation(of: irp)
      try location.CompletionRoutine.store(Pointer(routine.bits, in: kernel.memory.memory))
      try location.Context.store(Pointer(context.bits, in: kernel.memory.memory))
      var control = try location.Control.load()
      control.subtract([.invokeOnSuccess, .invokeOnError, .invokeOnCancel])
      if success != 0 { control.insert(.invokeOnSuccess) }
      if error != 0 { control.insert(.invokeOnError) }
      if cancel != 0 { control.insert(.invokeOnCancel) }
      try location.Control.store(control)
      return .success
    }
    .partially("the driver's image is not kept while the routine is outstanding"),
    // IoAttachDeviceByPointer (ntddk.h of the time): obsolete.
    export("IoAttachDeviceByPointer(SourceDevice, TargetDevice)", irql: .dispatch) {
      (kernel, source: Pointer<DEVICE_OBJECT>, target: Pointer<DEVICE_OBJECT>) -> NTSTATUS in
      try kernel.attach(source, to: target).isNull ? .noSuchDevice : .success
    },
    // nf-ntddk-ioreportresourceusage: nobody else uses any.
    export(
      "IoReportResourceUsage(DriverClassName, DriverObject, DriverList, DriverListSize, DeviceObject, DeviceList, DeviceListSize, OverrideConflict, ConflictDetected)",
      irql: .passive
    ) {
      (
        _, className: GuestWord, driver: GuestWord, driverList: GuestWord, driverSize: UInt32, device: GuestWord, deviceList: GuestWord,
        deviceSize: UInt32, override: UInt8, conflict: Pointer<UInt8>
      ) -> NTSTATUS in
      try conflict.store(0)
      return .success
    }
    .partially("two drivers that claim one resource do not conflict"),
    // nf-ntddk-ioreportresourcefordetection
    export(
      "IoReportResourceForDetection(DriverObject, DriverList, DriverListSize, DeviceObject, DeviceList, DeviceListSize, ConflictDetected)",
      irql: .passive
    ) {
      (
        _, driver: GuestWord, driverList: GuestWord, driverSize: UInt32, device: GuestWord, deviceList: GuestWord, deviceSize: UInt32,
        conflict: Pointer<UInt8>
      ) -> NTSTATUS in
      try conflict.store(0)
      return .success
    }
    .partially("two drivers that claim one resource do not conflict"),
    // nf-ntddk-ioassignresources: without a request what was assigned is given back.
    export(
      "IoAssignResources(RegistryPath, DriverClassName, DriverObject, DeviceObject, RequestedResources, AllocatedResources)", irql: .passive
    ) {
      (
        kernel, path: GuestWord, className: GuestWord, driver: GuestWord, device: GuestWord, requested: GuestWord,
        result: Pointer<GuestWord>
      ) -> NTSTATUS in
      guard requested.bits != 0 else { return .success }
      return try kernel.assign(requested.bits, result)
    }
    .partially("the first alternative's smallest values are assigned, and two drivers that claim one resource do not conflict"),
    // KeAddSystemServiceTable: FALSE where the slot is taken, or is none of the four.
    export("KeAddSystemServiceTable(Base, Count, Limit, Number, Index)", irql: .passive) {
      (kernel, base: GuestWord, counters: GuestWord, limit: UInt32, arguments: GuestWord, index: UInt32) -> UInt8 in
      let here = kernel.memory.memory
      guard index < 4, let table = try kernel.address(ofVariable: "KeServiceDescriptorTable", in: "nt") else { return 0 }
      let slot = table + UInt64(index) * 16
      // The second is win32k's, which only threads with windows see: the exported table does not show it.
      let taken = index == 1 ? kernel.hardware.hasSecondServiceTable : try here.load(UInt32.self, at: slot) != 0
      guard !taken else { return 0 }
      guard index != 1 else {
        kernel.hardware.hasSecondServiceTable = true
        return 1
      }
      for (offset, value) in [base.bits, counters.bits, UInt64(limit), arguments.bits].enumerated() {
        try here.store(UInt32(truncatingIfNeeded: value), at: slot + 4 * UInt64(offset))
      }
      return 1
    }
    .partially("no system call goes through the table"),
  ]
}

extension Kernel {
  /// Sends `irp` on as it is, and waits until it has come back: its completion goes no further up.
  package func forward(_ irp: Pointer<IRP>, to device: Pointer<DEVICE_OBJECT>) async throws -> Bool {
    guard try irp.CurrentLocation.load() > 1 else { return false }
    let here = memory.memory
    let (current, next) = (try irp.Tail.Overlay.CurrentStackLocation.load(), try nextLocation(of: irp))
    // IoCopyCurrentIrpStackLocationToNext: all but the completion routine and its context.
    let size = IO_STACK_LOCATION.layouts[memory.target].CompletionRoutine.offset
    try here.write(here.bytes(size, at: current.address), at: next.address)
    let event = Pointer<KEVENT>(try allocate(16), in: here)
    defer { _ = nonPagedPool.free(event.address) }
    try initializeEvent(event, .eventNotification, isSet: false)
    try next.CompletionRoutine.store(Pointer(trapAddress(of: "IopSynchronousCompletion"), in: here))
    try next.Context.store(Pointer(event.address, in: here))
    try next.Control.store([.invokeOnSuccess, .invokeOnError, .invokeOnCancel])
    if try await callDriver(device, irp) == .pending { _ = try await waiting([event.Header]) }
    return true
  }

  /// Makes a `CM_RESOURCE_LIST` of the first alternative of an `IO_RESOURCE_REQUIREMENTS_LIST` (`wdm.h`).
  fileprivate func assign(_ requested: UInt64, _ result: Pointer<GuestWord>) throws -> NTSTATUS {
    let here = memory.memory
    func word(_ offset: UInt64) throws -> UInt32 { try here.load(UInt32.self, at: requested + offset) }
    // ListSize, InterfaceType, BusNumber, SlotNumber, three words, AlternativeLists; then version, revision and count.
    let count = UInt64(try word(0x24))
    guard count <= 256 else { return .invalidParameter }
    var descriptors: [[UInt32]] = []
    for index in 0..<count {
      let place = 0x28 + index * 0x20
      let head = try word(place)
      // An alternative to the one before, or a preferred one's other choices.
      if head & 0xff & 8 != 0 { continue }
      let kind = head >> 8 & 0xff
      let (length, alignment, low, high) = (try word(place + 8), try word(place + 12), try word(place + 16), try word(place + 20))
      // CmResourceTypePort 1, Interrupt 2, Memory 3, Dma 4: type and share, flags, then three words.
      let first = kind | (head >> 16 & 0xff) << 8 | (try word(place + 4) & 0xffff) << 16
      switch kind {
      case 1, 3:
        let step = max(1, alignment)
        let start = low / step * step < low ? low / step * step &+ step : low
        descriptors.append([first, start, high, length])
      case 2: descriptors.append([first, length, length, 1])
      case 4: descriptors.append([first, length, 0, 0])
      default: descriptors.append([first, 0, 0, 0])
      }
    }
    // CM_RESOURCE_LIST: one full descriptor of interface, bus, version 1.1 and the count.
    let head: [UInt32] = [1, try word(4), try word(8), 0x0001_0001, UInt32(descriptors.count)]
    let words = head + descriptors.joined()
    guard let block = try pagedPool.allocate(UInt64(words.count * 4), tag: Self.ownTag, in: memory) else { return .insufficientResources }
    for (index, word) in words.enumerated() { try here.store(word, at: block + 4 * UInt64(index)) }
    try result.store(GuestWord(block))
    return .success
  }
}
