import Guest
import WindowsTypes

extension Export {
  /// Driver objects that drivers make, priorities of requests, interrupts by parameters.
  static let driverObjects: [Export] = [
    // No reference page. Without a name it is \Driver\ and eight digits of the tick count; there is no service, and no registry path.
    export("IoCreateDriver(DriverName, InitializationFunction)", irql: .passive) {
      (kernel, name: Pointer<UNICODE_STRING>, routine: GuestWord) async throws -> NTSTATUS in
      guard routine.bits != 0 else { return .invalidParameter }
      return try await kernel.createDriver(name.isNull ? nil : name.string(), routine.bits)
    }
    .uncertain("the routine has no reference page"),
    export("IoDeleteDriver(DriverObject)", irql: .passive) { (kernel, object: Pointer<DRIVER_OBJECT>) async throws in
      guard let driver = kernel.driver(at: object.address), kernel.unregister(Kernel.createdDriver, object.address) else { return }
      try await kernel.forget(driver)
    }
    .uncertain("the routine has no reference page"),
    // nf-wdm-iorequestdeviceeject
    export("IoRequestDeviceEject(PhysicalDeviceObject)", irql: .dispatch) { (kernel, device: GuestWord) in
      kernel.stream.append(.note("the Plug and Play manager is asked to eject a device: a step removes it"))
    }
    .partially("a step removes the device, not the request"),
    // nf-wdm-iogetiopriorityhint: IoPriorityNormal, if nobody set another.
    export("IoGetIoPriorityHint(Irp)", irql: .dispatch) { (_, irp: Pointer<IRP>) -> UInt32 in
      let hint = try irp.Flags.load().rawValue >> 17 & 7
      return hint == 0 ? 2 : hint - 1
    }
    .uncertain("which bits of the request's Flags hold the priority is from memory"),
    // nf-wdm-iosetiopriorityhint
    export("IoSetIoPriorityHint(Irp, PriorityHint)", irql: .dispatch) { (_, irp: Pointer<IRP>, hint: UInt32) -> NTSTATUS in
      guard hint <= 4 else { return .invalidParameter }
      let flags = try irp.Flags.load().rawValue & ~(7 << 17)
      try irp.Flags.store(.init(rawValue: flags | (hint + 1) << 17))
      return .success
    }
    .uncertain("which bits of the request's Flags hold the priority is from memory"),
    // nf-ntifs-ioretrievepriorityinfo: IO_PRIORITY_INFO is its size, a thread's priority, a page priority and a hint.
    export("IoRetrievePriorityInfo(Irp, FileObject, Thread, PriorityInfo)", irql: .dispatch) {
      (kernel, irp: Pointer<IRP>, file: GuestWord, thread: Pointer<ETHREAD>, information: Pointer<UInt32>) -> NTSTATUS in
      guard try information.load() == 16 else { return .invalidParameter }
      let hint = irp.isNull ? 0 : try irp.Flags.load().rawValue >> 17 & 7
      try information[1].store(thread.isNull ? 0xffff : UInt32(thread.Tcb.Priority.load()))
      try information[2].store(5)
      try information[3].store(hint == 0 ? 2 : hint - 1)
      return .success
    },
    // nf-ntifs-ioapplypriorityinfothread: what was before is optional.
    export("IoApplyPriorityInfoThread(InputPriorityInfo, OutputPriorityInfo, Thread)", irql: .apc) {
      (_, new: Pointer<UInt32>, old: Pointer<UInt32>, thread: Pointer<ETHREAD>) -> NTSTATUS in
      guard try new.load() == 16 else { return .invalidParameter }
      if !old.isNull {
        try old.store(16)
        try old[1].store(UInt32(thread.Tcb.Priority.load()))
        try old[2].store(5)
        try old[3].store(2)
      }
      let priority = try new[1].load()
      if 1...31 ~= priority { try thread.Tcb.Priority.store(Int8(priority)) }
      return .success
    }
    .partially("pages and requests have no priorities"),
    // nf-ntifs-iowithinstacklimits
    export("IoWithinStackLimits(RegionStart, RegionSize)") { (kernel, start: GuestWord, size: GuestWord) -> UInt32 in
      let thread = try kernel.currentThread()
      let (low, high) = (try thread.StackLimit.load().address, try thread.StackBase.load().address)
      return start.bits >= low && start.bits <= high && size.bits <= high - start.bits ? 1 : 0
    },
    // nf-ntifs-iogetrequestorsessionid
    export("IoGetRequestorSessionId(Irp, SessionId)", irql: .dispatch) { (_, irp: Pointer<IRP>, id: Pointer<UInt32>) -> NTSTATUS in
      guard try !irp.Tail.Overlay.Thread.load().isNull else {
        try id.store(0xffff_ffff)
        return .unsuccessful
      }
      try id.store(0)
      return .success
    },
  ]
}

extension Kernel {
  static let createdDriver = "a driver made with IoCreateDriver"

  /// The driver object is made as for a driver's image, and its initialization function called in its `DriverEntry`'s place.
  fileprivate func createDriver(_ name: String?, _ routine: UInt64) async throws -> NTSTATUS {
    let path = name ?? #"\Driver\"# + String(String(tickCount + 100_000_000).suffix(8))
    guard path.hasPrefix("\\"), let last = path.split(separator: "\\").last else {
      // STATUS_OBJECT_PATH_SYNTAX_BAD
      return NTSTATUS(rawValue: 0xc000_003b)
    }
    try makeNamespace()
    if case .found(_, "") = try resolve(path) { return .objectNameCollision }
    let driver = try loadDriver(String(last), path: path, entry: routine, base: 0, size: 0, isService: false)
    try driver.object.Flags.store(driver.object.Flags.load() | 4)  // DRVO_BUILTIN_DRIVER
    register(Self.createdDriver, driver.object.address)
    let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(routine, [driver.object.address, 0])))
    guard status.isSuccess else {
      unregister(Self.createdDriver, driver.object.address)
      try await forget(driver)
      return status
    }
    try fillDispatchTable(of: driver)
    return status
  }
}
