import Events
import Guest
import WindowsTypes

/// videoprt.sys: what display miniports call (video.h). Results are Win32 error codes.
extension Export {
  static let videoprt: [Export] =
    storagePorts("VideoPort", "videoprt") + videoMemory + videoObjects + videoHardware + [
      // nf-video-videoportinitialize
      export("VideoPortInitialize(Argument1, Argument2, HwInitializationData, HwContext)", module: "videoprt", irql: .passive) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, data: GuestWord, context: GuestWord) async throws -> NTSTATUS in
        try await kernel.initializeVideo(driver, data.bits, context.bits)
      }
      .partially("adapters have no resources, and no children are enumerated")
      .uncertain(
        "how registration data of a wrong size or without routines is refused, and the status where a legacy adapter is not found"),
      Export.interlocked["InterlockedIncrement"].exported(as: "VideoPortInterlockedIncrement(Addend)", by: "videoprt"),
      Export.interlocked["InterlockedDecrement"].exported(as: "VideoPortInterlockedDecrement(Addend)", by: "videoprt"),
      Export.interlocked["InterlockedExchange"].exported(as: "VideoPortInterlockedExchange(Target, Value)", by: "videoprt"),
      Export.time["KeStallExecutionProcessor"].exported(as: "VideoPortStallExecution(Microseconds)", by: "videoprt"),
      Export.time["KeQuerySystemTime"].exported(as: "VideoPortQuerySystemTime(CurrentTime)", by: "videoprt"),
      export("VideoPortQueryPerformanceCounter(HwDeviceExtension, PerformanceFrequency)", module: "videoprt") {
        (kernel, hardware: GuestWord, frequency: Pointer<UInt64>) -> UInt64 in
        if !frequency.isNull { try frequency.store(10_000_000) }
        return kernel.interruptTime
      },
      export("VideoPortGetCurrentIrql()", module: "videoprt") { kernel -> UInt8 in try kernel.kpcr.Irql.load().rawValue },
      // nf-video-videoportdebugprint: the free build's prints nothing below its level.
      variadicExport("VideoPortDebugPrint(DebugPrintLevel, DebugMessage, ...)", module: "videoprt") {
        (_, _: VariadicArguments, level: UInt32, message: GuestWord) -> UInt32 in 0
      },
      // nf-video-videoportlogerror
      export("VideoPortLogError(HwDeviceExtension, Vrp, ErrorCode, UniqueId)", module: "videoprt") {
        (kernel, hardware: GuestWord, packet: GuestWord, code: UInt32, unique: UInt32) in
        kernel.stream.append(.note("the error log gets 0x\(hex(code)) of videoprt: unique value \(unique)"))
      },
      // nf-video-videoportgetversion: VPOSVERSIONINFO of a size that is known.
      export("VideoPortGetVersion(HwDeviceExtension, VpOsVersionInfo)", module: "videoprt") {
        (kernel, hardware: GuestWord, result: Pointer<UInt32>) -> UInt32 in
        guard try result.load() >= 0x14 else { return 87 }
        let system = kernel.memory.target.system
        for (index, value) in [system.release > .xp ? 6 : 5, 1, system.build, system.release > .xp ? 1 : 3].enumerated() {
          try result[index + 1].store(value)
        }
        return 0
      },
      // nf-video-videoportgetregistryparameters: the routine gets the value, or ERROR_INVALID_PARAMETER comes back.
      export(
        "VideoPortGetRegistryParameters(HwDeviceExtension, ParameterName, IsParameterFileName, CallbackRoutine, Context)",
        module: "videoprt", irql: .passive
      ) {
        (
          kernel, hardware: GuestWord, name: Pointer<UInt16>, isFile: UInt8, routine: GuestWord, context: GuestWord
        ) async throws -> UInt32 in
        guard let data = try kernel.videoKey(hardware.bits, makes: false)?[kernel.text(name)] else { return 87 }
        let place = try kernel.allocate(UInt64(max(8, data.bytes.count)))
        defer { kernel.free(place) }
        try kernel.memory.memory.write(data.bytes, at: place)
        return UInt32(
          truncatingIfNeeded: try await kernel.call(
            routine.bits, [hardware.bits, context.bits, name.address, place, UInt64(data.bytes.count)]))
      }
      .partially("a value that names a file is not read from it"),
      // nf-video-videoportsetregistryparameters
      export("VideoPortSetRegistryParameters(HwDeviceExtension, ValueName, ValueData, ValueLength)", module: "videoprt", irql: .passive) {
        (kernel, hardware: GuestWord, name: Pointer<UInt16>, data: GuestWord, length: UInt32) -> UInt32 in
        guard length <= 0x1_0000, let key = try kernel.videoKey(hardware.bits, makes: true) else { return 87 }
        try key[kernel.text(name)] = .binary(kernel.memory.memory.bytes(Int(length), at: data.bits))
        return 0
      },
    ]

  private static let videoMemory: [Export] = [
    export("VideoPortZeroMemory(Destination, Length)", module: "videoprt") { (kernel, target: GuestWord, length: UInt32) in
      try kernel.memory.memory.fill(0, count: Int(length), at: target.bits)
    },
    export("VideoPortZeroDeviceMemory(Destination, Length)", module: "videoprt") { (kernel, target: GuestWord, length: UInt32) in
      if !kernel.isAbsentDevice(target.bits) { try kernel.memory.memory.fill(0, count: Int(length), at: target.bits) }
    },
    export("VideoPortMoveMemory(Destination, Source, Length)", module: "videoprt") {
      (kernel, target: GuestWord, source: GuestWord, length: UInt32) in
      try kernel.move(UInt64(length), from: source.bits, to: target.bits)
    },
    // nf-video-videoportcomparememory: how many bytes are alike.
    export("VideoPortCompareMemory(Source1, Source2, Length)", module: "videoprt") {
      (kernel, first: Pointer<UInt8>, second: Pointer<UInt8>, length: UInt32) -> UInt32 in
      var count = 0
      while count < Int(length), try first[count].load() == second[count].load() { count += 1 }
      return UInt32(count)
    },
    // nf-video-videoportallocatepool: VpNonPagedPool 0, VpPagedPool 1.
    export("VideoPortAllocatePool(HwDeviceExtension, PoolType, NumberOfBytes, Tag)", module: "videoprt", irql: .dispatch) {
      (kernel, hardware: GuestWord, type: UInt32, size: GuestWord, tag: UInt32) -> GuestWord in
      GuestWord(try kernel.allocatePool(type & 1 != 0 ? .paged : .nonPaged, size.bits, tag: tag))
    },
    export("VideoPortFreePool(HwDeviceExtension, Ptr)", module: "videoprt", irql: .dispatch) {
      (kernel, hardware: GuestWord, block: GuestWord) in try kernel.freePool(block.bits)
    },
    // nf-video-videoportallocatebuffer: ERROR_NOT_ENOUGH_MEMORY where there is none.
    export("VideoPortAllocateBuffer(HwDeviceExtension, Size, Buffer)", module: "videoprt", irql: .apc) {
      (kernel, hardware: GuestWord, size: UInt32, result: Pointer<GuestWord>) -> UInt32 in
      let block = try kernel.allocatePool(.paged, UInt64(size), tag: 0x7470_7876)
      try result.store(GuestWord(block))
      return block == 0 ? 8 : 0
    },
    export("VideoPortReleaseBuffer(HwDeviceExtension, Buffer)", module: "videoprt", irql: .apc) {
      (kernel, hardware: GuestWord, block: GuestWord) in try kernel.freePool(block.bits)
    },
    // nf-video-videoportallocatecontiguousmemory
    export(
      "VideoPortAllocateContiguousMemory(HwDeviceExtension, NumberOfBytes, HighestAcceptableAddress)", module: "videoprt", irql: .passive
    ) {
      (kernel, hardware: GuestWord, size: UInt32, highest: UInt64) -> GuestWord in
      GuestWord(try kernel.allocateContiguous(UInt64(size), highest: highest))
    },
    // nf-video-videoportgetcommonbuffer
    export(
      "VideoPortGetCommonBuffer(HwDeviceExtension, DesiredLength, Alignment, LogicalAddress, ActualLength, CacheEnabled)",
      module: "videoprt", irql: .passive
    ) {
      (
        kernel, hardware: GuestWord, size: UInt32, alignment: UInt32, logical: Pointer<UInt64>, actual: Pointer<UInt32>, isCached: UInt8
      ) -> GuestWord in
      let address = size == 0 || size > 0x100_0000 ? 0 : try kernel.allocateContiguous(UInt64(size))
      try logical.store(address == 0 ? 0 : kernel.physicalAddress(of: address))
      try actual.store(address == 0 ? 0 : size)
      return GuestWord(address)
    },
    export(
      "VideoPortFreeCommonBuffer(HwDeviceExtension, Length, VirtualAddress, LogicalAddress, CacheEnabled)", module: "videoprt",
      irql: .passive
    ) {
      (kernel, hardware: GuestWord, length: UInt32, address: GuestWord, logical: UInt64, isCached: UInt8) async throws in
      try await kernel.nt("MmFreeContiguousMemory", address.bits)
    },
  ]

  private static let videoObjects: [Export] = [
    export("VideoPortCreateSpinLock(HwDeviceExtension, SpinLock)", module: "videoprt") {
      (kernel, hardware: GuestWord, result: Pointer<GuestWord>) -> UInt32 in
      guard let lock = try kernel.nonPagedPool.allocate(8, tag: 0x7470_7876, in: kernel.memory) else { return 8 }
      try kernel.words(lock).set(0, 0)
      try result.store(GuestWord(lock))
      return 0
    },
    export("VideoPortDeleteSpinLock(HwDeviceExtension, SpinLock)", module: "videoprt") {
      (kernel, hardware: GuestWord, lock: GuestWord) -> UInt32 in
      try kernel.freePool(lock.bits)
      return 0
    },
    export("VideoPortAcquireSpinLock(HwDeviceExtension, SpinLock, OldIrql)", module: "videoprt", irql: .dispatch) {
      (kernel, hardware: GuestWord, lock: Pointer<GuestWord>, old: Pointer<IRQL>) in try old.store(kernel.raiseAndAcquire(lock))
    },
    export("VideoPortReleaseSpinLock(HwDeviceExtension, SpinLock, NewIrql)", module: "videoprt", irql: .dispatch) {
      (kernel, hardware: GuestWord, lock: Pointer<GuestWord>, new: IRQL) in
      try kernel.release(lock)
      try kernel.lowerIRQL(to: new)
    },
    export("VideoPortAcquireSpinLockAtDpcLevel(HwDeviceExtension, SpinLock)", module: "videoprt", irql: .dispatch) {
      (kernel, hardware: GuestWord, lock: Pointer<GuestWord>) in try kernel.acquire(lock)
    },
    export("VideoPortReleaseSpinLockFromDpcLevel(HwDeviceExtension, SpinLock)", module: "videoprt", irql: .dispatch) {
      (kernel, hardware: GuestWord, lock: Pointer<GuestWord>) in try kernel.release(lock)
    },
    // nf-video-videoportcreateevent: NOTIFICATION_EVENT 1, INITIAL_EVENT_SIGNALED 2.
    export("VideoPortCreateEvent(HwDeviceExtension, EventFlag, Unused, Event)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, flags: UInt32, unused: GuestWord, result: Pointer<GuestWord>) -> UInt32 in
      guard let event = try kernel.nonPagedPool.allocate(0x10, tag: 0x7470_7876, in: kernel.memory) else { return 8 }
      try kernel.initializeEvent(
        Pointer(event, in: kernel.memory.memory), flags & 1 != 0 ? .eventNotification : .eventSynchronization, isSet: flags & 2 != 0)
      try result.store(GuestWord(event))
      return 0
    },
    export("VideoPortDeleteEvent(HwDeviceExtension, Event)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, event: GuestWord) -> UInt32 in
      guard kernel.isPoolBlock(event.bits) else { return 87 }
      try kernel.freePool(event.bits)
      return 0
    },
    export("VideoPortSetEvent(HwDeviceExtension, Event)", module: "videoprt", irql: .dispatch) {
      (kernel, hardware: GuestWord, event: Pointer<KEVENT>) -> Int32 in
      let old = try event.Header.SignalState.load()
      try kernel.set(event)
      return old
    },
    export("VideoPortClearEvent(HwDeviceExtension, Event)", module: "videoprt", irql: .dispatch) {
      (_, hardware: GuestWord, event: Pointer<KEVENT>) in try event.Header.SignalState.store(0)
    },
    export("VideoPortReadStateEvent(HwDeviceExtension, Event)", module: "videoprt", irql: .dispatch) {
      (_, hardware: GuestWord, event: Pointer<KEVENT>) -> Int32 in try event.Header.SignalState.load()
    },
    // nf-video-videoportwaitforsingleobject: WAIT_TIMEOUT 258.
    export("VideoPortWaitForSingleObject(HwDeviceExtension, Object, Timeout)", module: "videoprt", irql: .dispatch) {
      (kernel, hardware: GuestWord, event: Pointer<KEVENT>, timeout: Pointer<Int64>) async throws -> UInt32 in
      try await kernel.waiting([event.Header], timeout: timeout.isNull ? nil : timeout.load()) == .success ? 0 : 258
    },
    // nf-video-videoportqueuedpc: FALSE where one is queued already.
    export("VideoPortQueueDpc(HwDeviceExtension, CallbackRoutine, Context)", module: "videoprt") {
      (kernel, hardware: GuestWord, routine: GuestWord, context: GuestWord) -> UInt8 in
      guard let adapter = kernel.videoAdapter(hardware.bits) else { return 0 }
      let dpc = Pointer<KDPC>(adapter.base + VideoAdapter.dpc, in: kernel.memory.memory)
      guard !kernel.deferredCalls.contains(dpc.address) else { return 0 }
      try adapter.set([VideoAdapter.callback: routine.bits, VideoAdapter.context: context.bits])
      try kernel.prepare(dpc, routine: kernel.trapAddress(of: "VideoPortDpc", in: "videoprt"), context: hardware.bits)
      return try kernel.queue(dpc, 0, 0) ? 1 : 0
    },
    // nf-video-videoportstarttimer: HwVidTimer, once a second.
    export("VideoPortStartTimer(HwDeviceExtension)", module: "videoprt", irql: .dispatch) { (kernel, hardware: GuestWord) in
      guard let adapter = kernel.videoAdapter(hardware.bits) else { return }
      let here = kernel.memory.memory
      let (timer, dpc) = (
        Pointer<KTIMER>(adapter.base + VideoAdapter.timer, in: here), Pointer<KDPC>(adapter.base + VideoAdapter.timerDpc, in: here)
      )
      kernel.timers.remove(.timer(timer.address))
      try kernel.prepare(timer)
      try kernel.prepare(dpc, routine: kernel.trapAddress(of: "VideoPortTimerDpc", in: "videoprt"), context: hardware.bits)
      _ = try kernel.setTimer(timer, due: -10_000_000, period: 1000, dpc)
    },
    export("VideoPortStopTimer(HwDeviceExtension)", module: "videoprt", irql: .dispatch) { (kernel, hardware: GuestWord) in
      if let adapter = kernel.videoAdapter(hardware.bits) { kernel.timers.remove(.timer(adapter.base + VideoAdapter.timer)) }
    },
    // nf-video-videoportsynchronizeexecution
    export("VideoPortSynchronizeExecution(HwDeviceExtension, Priority, SynchronizeRoutine, Context)", module: "videoprt") {
      (kernel, hardware: GuestWord, priority: UInt32, routine: GuestWord, context: GuestWord) async throws -> UInt8 in
      UInt8(truncatingIfNeeded: try await kernel.call(routine.bits, [context.bits]))
    }
    .partially("the IRQL stays: no interrupt comes"),
    export("VideoPortAcquireDeviceLock(HwDeviceExtension)", module: "videoprt", irql: .apc) { (_, hardware: GuestWord) in },
    export("VideoPortReleaseDeviceLock(HwDeviceExtension)", module: "videoprt", irql: .apc) { (_, hardware: GuestWord) in },
  ]

  private static let videoHardware: [Export] = [
    // nf-video-videoportgetaccessranges: ERROR_DEV_NOT_EXIST, for no adapter is on the bus.
    export(
      "VideoPortGetAccessRanges(HwDeviceExtension, NumRequestedResources, RequestedResources, NumAccessRanges, AccessRanges, VendorId, DeviceId, Slot)",
      module: "videoprt", irql: .passive
    ) {
      (
        _, hardware: GuestWord, requests: UInt32, requested: GuestWord, count: UInt32, ranges: GuestWord, vendor: GuestWord,
        device: GuestWord, slot: GuestWord
      ) -> UInt32 in 55
    },
    // nf-video-videoportverifyaccessranges: nobody else has claimed them.
    export("VideoPortVerifyAccessRanges(HwDeviceExtension, NumAccessRanges, AccessRanges)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, count: UInt32, ranges: GuestWord) -> UInt32 in 0
    },
    export("VideoPortSetTrappedEmulatorPorts(HwDeviceExtension, NumAccessRanges, AccessRange)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, count: UInt32, ranges: GuestWord) -> UInt32 in 0
    },
    // nf-video-videoportgetdevicebase: VIDEO_MEMORY_SPACE_IO 1.
    export("VideoPortGetDeviceBase(HwDeviceExtension, IoAddress, NumberOfUchars, InIoSpace)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, address: UInt64, count: UInt32, space: UInt8) -> GuestWord in
      space & 1 != 0 ? GuestWord(address & 0xffff_ffff) : GuestWord(try kernel.mapForPort(address, UInt64(count)))
    },
    export("VideoPortFreeDeviceBase(HwDeviceExtension, MappedAddress)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, address: GuestWord) in try kernel.unmapForPort(address.bits)
    },
    // nf-video-videoportmapmemory: ERROR_INVALID_PARAMETER where it cannot be mapped.
    export("VideoPortMapMemory(HwDeviceExtension, PhysicalAddress, Length, InIoSpace, VirtualAddress)", module: "videoprt", irql: .passive)
    {
      (
        kernel, hardware: GuestWord, physical: UInt64, length: Pointer<UInt32>, space: Pointer<UInt32>, result: Pointer<GuestWord>
      ) -> UInt32 in
      if try space.load() & 1 != 0 {
        try result.store(GuestWord(physical & 0xffff_ffff))
        return 0
      }
      let address = try kernel.mapForPort(physical, UInt64(length.load()))
      try result.store(GuestWord(address))
      return address == 0 ? 87 : 0
    }
    .partially("a process's handle in `VirtualAddress` is not looked at: the view is in system space"),
    export("VideoPortUnmapMemory(HwDeviceExtension, VirtualAddress, ProcessHandle)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, address: GuestWord, process: GuestWord) -> UInt32 in
      try kernel.unmapForPort(address.bits)
      return 0
    },
    // nf-video-videoportgetbusdata: PCIConfiguration 4 of a device that is not there.
    export("VideoPortGetBusData(HwDeviceExtension, BusDataType, SlotNumber, Buffer, Offset, Length)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, type: UInt32, slot: UInt32, buffer: GuestWord, offset: UInt32, length: UInt32) -> UInt32 in
      try kernel.busData(type, bus: 0, slot: slot, buffer.bits, offset: offset, length: length)
    },
    export("VideoPortSetBusData(HwDeviceExtension, BusDataType, SlotNumber, Buffer, Offset, Length)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, type: UInt32, slot: UInt32, buffer: GuestWord, offset: UInt32, length: UInt32) -> UInt32 in
      try kernel.setBusData(type, bus: 0, slot: slot, buffer.bits, offset: offset, length: length)
    },
    // nf-video-videoportint10: ERROR_INVALID_FUNCTION, as where the video BIOS cannot be called.
    export("VideoPortInt10(HwDeviceExtension, BiosArguments)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, arguments: GuestWord) -> UInt32 in 1
    }
    .partially("there is no video BIOS"),
    // nf-video-videoportqueryservices: ERROR_INVALID_FUNCTION for a service that is not there.
    export("VideoPortQueryServices(HwDeviceExtension, ServicesType, Interface)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, type: UInt32, interface: GuestWord) -> UInt32 in 1
    }
    .partially("no service is there"),
    // nf-video-videoportgetvgastatus: the adapter decodes no legacy ports.
    export("VideoPortGetVgaStatus(HwDeviceExtension, VgaStatus)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, result: Pointer<UInt32>) -> UInt32 in
      try result.store(0)
      return 0
    },
    export("VideoPortGetRomImage(HwDeviceExtension, Unused1, Unused2, Length)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, first: GuestWord, second: UInt32, length: UInt32) -> GuestWord in 0
    },
    // nf-video-videoportgetdevicedata: ERROR_INVALID_PARAMETER for data that the firmware has not left.
    export("VideoPortGetDeviceData(HwDeviceExtension, DeviceDataType, CallbackRoutine, Context)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, type: UInt32, routine: GuestWord, context: GuestWord) -> UInt32 in 87
    },
    export(
      "VideoPortCheckForDeviceExistence(HwDeviceExtension, VendorId, DeviceId, RevisionId, SubVendorId, SubSystemId, Flags)",
      module: "videoprt", irql: .passive
    ) {
      (
        _, hardware: GuestWord, vendor: UInt16, device: UInt16, revision: UInt8, subvendor: UInt16, subsystem: UInt16, flags: UInt32
      ) -> UInt8 in 0
    },
    export("VideoPortEnableInterrupt(HwDeviceExtension)", module: "videoprt") { (_, hardware: GuestWord) -> UInt32 in 1 },
    export("VideoPortDisableInterrupt(HwDeviceExtension)", module: "videoprt") { (_, hardware: GuestWord) -> UInt32 in 1 },
    export("VideoPortEnumerateChildren(HwDeviceExtension, Reserved)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, reserved: GuestWord) -> UInt32 in 0
    }
    .partially("the miniport is not asked for its children"),
    // nf-video-videoportgetassociateddeviceextension: null for a device of somebody else's.
    export("VideoPortGetAssociatedDeviceExtension(DeviceObject)", module: "videoprt") {
      (kernel, device: Pointer<DEVICE_OBJECT>) -> GuestWord in
      guard kernel.kind(of: device.address) == .device, case let own = try device.DeviceExtension.load().address, own != 0 else { return 0 }
      let hardware = try kernel.words(own)[PortDevice.context] + VideoAdapter.size
      return kernel.videoAdapter(hardware) == nil ? 0 : GuestWord(hardware)
    },
    // nf-video-videoportregisterbugcheckcallback
    export(
      "VideoPortRegisterBugcheckCallback(HwDeviceExtension, BugcheckCode, Callback, BugcheckDataSize)", module: "videoprt", irql: .passive
    ) {
      (_, hardware: GuestWord, code: UInt32, routine: GuestWord, size: UInt32) -> UInt32 in size > 0xf98 ? 87 : 0
    }
    .partially("no dump is written, so the routine is not asked for data"),
  ]
}
