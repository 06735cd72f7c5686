import Events
import Guest
import WindowsTypes

/// scsiport.sys and storport.sys: what miniports of storage adapters call. No request comes, for no adapter has a device.
extension Export {
  static let scsiport: [Export] =
    storage("ScsiPort") + [
      // nf-srb-scsiportflushdma, nf-srb-scsiportiomaptransfer: no transfer is under way.
      export("ScsiPortFlushDma(DeviceExtension)", module: "scsiport") { (_, hardware: GuestWord) in },
      export("ScsiPortIoMapTransfer(HwDeviceExtension, Srb, LogicalAddress, Length)", module: "scsiport") {
        (_, hardware: GuestWord, srb: GuestWord, address: GuestWord, length: UInt32) in
      }
      .partially("no DMA controller is there"),
      export("ScsiPortConvertUlongToPhysicalAddress(UlongAddress)", module: "scsiport") { (_, address: GuestWord) -> UInt64 in
        address.bits
      },
      // nf-srb-scsidebugprint: the free build's prints nothing.
      variadicExport("ScsiDebugPrint(DebugPrintLevel, DebugMessage, ...)", module: "scsiport") {
        (_, _: VariadicArguments, level: UInt32, message: GuestWord) -> UInt32 in 0
      },
      // The deferred call of a miniport's timer.
      export("ScsiPortTimerDpc(Dpc, DeferredContext, SystemArgument1, SystemArgument2)", module: "scsiport", isImportable: false) {
        (kernel, dpc: GuestWord, hardware: GuestWord, first: GuestWord, second: GuestWord) async throws in
        guard let adapter = kernel.scsiAdapter(hardware.bits) else { return }
        _ = try await kernel.call(adapter[ScsiAdapter.timerRoutine], [hardware.bits])
      },
    ]

  static let storport: [Export] =
    storage("StorPort") + storageQueue + [
      export("StorPortConvertUlong64ToPhysicalAddress(UlongAddress)", module: "storport") { (_, address: UInt64) -> UInt64 in address },
      export("StorPortConvertPhysicalAddressToUlong64(Address)", module: "storport") { (_, address: UInt64) -> UInt64 in address },
      variadicExport("StorPortDebugPrint(DebugPrintLevel, DebugMessage, ...)", module: "storport") {
        (_, _: VariadicArguments, level: UInt32, message: GuestWord) -> UInt32 in 0
      },
      // nf-storport-storportgetscattergatherlist: of a request that was built; there is none.
      export("StorPortGetScatterGatherList(DeviceExtension, Srb)", module: "storport") {
        (_, hardware: GuestWord, srb: GuestWord) -> GuestWord in 0
      },
      // nf-storport-storportsynchronizeaccess
      export("StorPortSynchronizeAccess(HwDeviceExtension, SynchronizedAccessRoutine, Context)", module: "storport") {
        (kernel, hardware: GuestWord, routine: GuestWord, context: GuestWord) async throws -> UInt8 in
        UInt8(truncatingIfNeeded: try await kernel.call(routine.bits, [hardware.bits, context.bits]))
      },
      // nf-storport-storportregistryread: a value of the driver's Parameters\Device key; FALSE where there is none.
      export("StorPortRegistryRead(HwDeviceExtension, ValueName, Global, Type, Buffer, BufferLength)", module: "storport", irql: .passive) {
        (
          kernel, hardware: GuestWord, name: Pointer<UInt8>, isGlobal: UInt32, type: UInt32, buffer: GuestWord, length: Pointer<UInt32>
        ) -> UInt8 in
        let text = String(decoding: try name.units(limit: 0x1000), as: UTF8.self)
        guard let data = try kernel.miniportKey(hardware.bits)?[text] else {
          try length.store(0)
          return 0
        }
        let room = try length.load()
        try length.store(UInt32(data.bytes.count))
        guard data.bytes.count <= Int(room) else { return 0 }
        try kernel.memory.memory.write(data.bytes, at: buffer.bits)
        return 1
      },
      // nf-storport-storportallocateregistrybuffer
      export("StorPortAllocateRegistryBuffer(HwDeviceExtension, Length)", module: "storport", irql: .passive) {
        (kernel, hardware: GuestWord, length: Pointer<UInt32>) -> GuestWord in
        guard case let size = try length.load(), 1...0x1_0000 ~= size else { return 0 }
        return GuestWord(try kernel.nonPagedPool.allocate(UInt64(size), tag: 0x726f_7453, in: kernel.memory) ?? 0)
      },
      export("StorPortFreeRegistryBuffer(HwDeviceExtension, Buffer)", module: "storport", irql: .passive) {
        (kernel, hardware: GuestWord, buffer: GuestWord) in try kernel.freePool(buffer.bits)
      },
      // nf-storport-storportextendedfunction: what the inline routines of storport.h call. STOR_STATUS_NOT_IMPLEMENTED for those of
      // later versions.
      asyncVariadic("StorPortExtendedFunction(FunctionCode, HwDeviceExtension, ...)") { kernel, arguments, code, hardware in
        try await kernel.extendedStorage(code, hardware, arguments)
      },
    ]

  /// What both have, under either name.
  private static func storage(_ prefix: String) -> [Export] {
    let module = prefix.lowercased()
    return storagePorts(prefix, module) + [
      // nf-srb-scsiportinitialize, nf-storport-storportinitialize
      export("\(prefix)Initialize(Argument1, Argument2, HwInitializationData, HwContext)", module: module, irql: .passive) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, data: GuestWord, context: GuestWord) async throws -> NTSTATUS in
        try await kernel.initializeMiniport(driver, data.bits, context.bits, prefix: prefix)
      }
      .partially("adapters have no resources, and no units")
      .uncertain("how registration data of a wrong size or without routines is refused"),
      // nf-srb-scsiportgetbusdata: how many bytes were read.
      export("\(prefix)GetBusData(DeviceExtension, BusDataType, SystemIoBusNumber, SlotNumber, Buffer, Length)", module: module) {
        (kernel, hardware: GuestWord, type: UInt32, bus: UInt32, slot: UInt32, buffer: GuestWord, length: UInt32) -> UInt32 in
        try kernel.busData(type, bus: bus, slot: slot, buffer.bits, offset: 0, length: length)
      },
      export(
        "\(prefix)SetBusDataByOffset(DeviceExtension, BusDataType, SystemIoBusNumber, SlotNumber, Buffer, Offset, Length)", module: module
      ) {
        (
          kernel, hardware: GuestWord, type: UInt32, bus: UInt32, slot: UInt32, buffer: GuestWord, offset: UInt32, length: UInt32
        ) -> UInt32 in
        try kernel.setBusData(type, bus: bus, slot: slot, buffer.bits, offset: offset, length: length)
      },
      // nf-srb-scsiportgetdevicebase: a port's own number, or where its memory is mapped.
      export(
        "\(prefix)GetDeviceBase(HwDeviceExtension, BusType, SystemIoBusNumber, IoAddress, NumberOfBytes, InIoSpace)", module: module
      ) {
        (
          kernel, hardware: GuestWord, type: UInt32, bus: UInt32, address: UInt64, count: UInt32, isPort: UInt8
        ) -> GuestWord in
        isPort != 0 ? GuestWord(address & 0xffff_ffff) : GuestWord(try kernel.mapForPort(address, UInt64(count)))
      },
      export("\(prefix)FreeDeviceBase(HwDeviceExtension, MappedAddress)", module: module) {
        (kernel, hardware: GuestWord, address: GuestWord) in try kernel.unmapForPort(address.bits)
      },
      // nf-srb-scsiportvalidaterange: nobody else has claimed it.
      export(
        "\(prefix)ValidateRange(HwDeviceExtension, BusType, SystemIoBusNumber, IoAddress, NumberOfBytes, InIoSpace)", module: module
      ) {
        (_, hardware: GuestWord, type: UInt32, bus: UInt32, address: UInt64, count: UInt32, isPort: UInt8) -> UInt8 in 1
      },
      // nf-srb-scsiportgetuncachedextension: null where there is none.
      export("\(prefix)GetUncachedExtension(HwDeviceExtension, ConfigInfo, NumberOfBytes)", module: module) {
        (kernel, hardware: GuestWord, configuration: GuestWord, count: UInt32) -> GuestWord in
        guard 1...0x100_0000 ~= count else { return 0 }
        let address = try kernel.allocateContiguous(UInt64(count))
        // It goes with the adapter.
        kernel.unregister(Kernel.contiguousMemory, address)
        try kernel.scsiAdapter(hardware.bits)?.set(ScsiAdapter.uncached, address)
        return GuestWord(address)
      },
      // nf-srb-scsiportgetphysicaladdress: up to the page's end.
      export("\(prefix)GetPhysicalAddress(HwDeviceExtension, Srb, VirtualAddress, Length)", module: module) {
        (kernel, hardware: GuestWord, srb: GuestWord, address: GuestWord, length: Pointer<UInt32>) -> UInt64 in
        let physical = try kernel.physicalAddress(of: address.bits)
        try length.store(physical == 0 ? 0 : UInt32(0x1000 - (address.bits & 0xfff)))
        return physical
      },
      export("\(prefix)GetVirtualAddress(HwDeviceExtension, PhysicalAddress)", module: module) {
        (kernel, hardware: GuestWord, physical: UInt64) -> GuestWord in GuestWord(kernel.virtualAddress(for: physical))
      },
      // nf-srb-scsiportgetlogicalunit, nf-srb-scsiportgetsrb: null, for no unit is there.
      export("\(prefix)GetLogicalUnit(HwDeviceExtension, PathId, TargetId, Lun)", module: module) {
        (_, hardware: GuestWord, path: UInt8, target: UInt8, unit: UInt8) -> GuestWord in 0
      },
      export("\(prefix)GetSrb(DeviceExtension, PathId, TargetId, Lun, QueueTag)", module: module) {
        (_, hardware: GuestWord, path: UInt8, target: UInt8, unit: UInt8, tag: Int32) -> GuestWord in 0
      },
      export("\(prefix)CompleteRequest(HwDeviceExtension, PathId, TargetId, Lun, SrbStatus)", module: module) {
        (_, hardware: GuestWord, path: UInt8, target: UInt8, unit: UInt8, status: UInt8) in
      },
      // nf-srb-scsiportlogerror
      export("\(prefix)LogError(HwDeviceExtension, Srb, PathId, TargetId, Lun, ErrorCode, UniqueId)", module: module) {
        (kernel, hardware: GuestWord, srb: GuestWord, path: UInt8, target: UInt8, unit: UInt8, code: UInt32, unique: UInt32) in
        kernel.stream.append(.note("the error log gets 0x\(hex(code)) of \(module): unique value \(unique)"))
      },
      // nf-srb-scsiportnotification, nf-storport-storportnotification
      variadicExport("\(prefix)Notification(NotificationType, HwDeviceExtension, ...)", module: module) {
        (kernel, arguments: VariadicArguments, type: UInt32, hardware: GuestWord) -> UInt32 in
        var rest = arguments
        try kernel.notifyStorage(type, hardware.bits, &rest)
        return 0
      }
      .partially("no request is under way, so those that are told of are not looked for"),
      export("\(prefix)MoveMemory(WriteBuffer, ReadBuffer, Length)", module: module) {
        (kernel, target: GuestWord, source: GuestWord, length: UInt32) in
        try kernel.move(UInt64(length), from: source.bits, to: target.bits)
      },
      Export.time["KeStallExecutionProcessor"].exported(as: "\(prefix)StallExecution(Delay)", by: module),
      Export.time["KeQuerySystemTime"].exported(as: "\(prefix)QuerySystemTime(CurrentTime)", by: module),
    ]
  }

  /// Ports and registers: the HAL's and the kernel's routines.
  static func storagePorts(_ prefix: String, _ module: String) -> [Export] {
    ["Uchar", "Ushort", "Ulong"].flatMap { type in
      let kind = type.uppercased()
      let (ports, registers) = (Export.ports, Export.deviceRegisters)
      return [
        ports["READ_PORT_\(kind)"].exported(as: "\(prefix)ReadPort\(type)(Port)", by: module),
        ports["WRITE_PORT_\(kind)"].exported(as: "\(prefix)WritePort\(type)(Port, Value)", by: module),
        ports["READ_PORT_BUFFER_\(kind)"].exported(as: "\(prefix)ReadPortBuffer\(type)(Port, Buffer, Count)", by: module),
        ports["WRITE_PORT_BUFFER_\(kind)"].exported(as: "\(prefix)WritePortBuffer\(type)(Port, Buffer, Count)", by: module),
        registers["READ_REGISTER_\(kind)"].exported(as: "\(prefix)ReadRegister\(type)(Register)", by: module),
        registers["WRITE_REGISTER_\(kind)"].exported(as: "\(prefix)WriteRegister\(type)(Register, Value)", by: module),
        registers["READ_REGISTER_BUFFER_\(kind)"].exported(as: "\(prefix)ReadRegisterBuffer\(type)(Register, Buffer, Count)", by: module),
        registers["WRITE_REGISTER_BUFFER_\(kind)"].exported(as: "\(prefix)WriteRegisterBuffer\(type)(Register, Buffer, Count)", by: module),
      ]
    }
  }

  /// nf-storport-storportpause and its like: nothing is queued that could be held back.
  private static let storageQueue: [Export] = [
    export("StorPortPause(HwDeviceExtension, TimeOut)", module: "storport") { (_, hardware: GuestWord, time: UInt32) -> UInt8 in 1 },
    export("StorPortResume(HwDeviceExtension)", module: "storport") { (_, hardware: GuestWord) -> UInt8 in 1 },
    export("StorPortBusy(HwDeviceExtension, RequestsToComplete)", module: "storport") {
      (_, hardware: GuestWord, count: UInt32) -> UInt8 in 1
    },
    export("StorPortReady(HwDeviceExtension)", module: "storport") { (_, hardware: GuestWord) -> UInt8 in 1 },
    export("StorPortPauseDevice(HwDeviceExtension, PathId, TargetId, Lun, TimeOut)", module: "storport") {
      (_, hardware: GuestWord, path: UInt8, target: UInt8, unit: UInt8, time: UInt32) -> UInt8 in 0
    },
    export("StorPortResumeDevice(HwDeviceExtension, PathId, TargetId, Lun)", module: "storport") {
      (_, hardware: GuestWord, path: UInt8, target: UInt8, unit: UInt8) -> UInt8 in 0
    },
    export("StorPortDeviceBusy(HwDeviceExtension, PathId, TargetId, Lun, RequestsToComplete)", module: "storport") {
      (_, hardware: GuestWord, path: UInt8, target: UInt8, unit: UInt8, count: UInt32) -> UInt8 in 0
    },
    export("StorPortDeviceReady(HwDeviceExtension, PathId, TargetId, Lun)", module: "storport") {
      (_, hardware: GuestWord, path: UInt8, target: UInt8, unit: UInt8) -> UInt8 in 0
    },
    export("StorPortSetDeviceQueueDepth(HwDeviceExtension, PathId, TargetId, Lun, Depth)", module: "storport") {
      (_, hardware: GuestWord, path: UInt8, target: UInt8, unit: UInt8, depth: UInt32) -> UInt8 in 0
    },
  ]

  /// A variadic export that calls the kernel's routines in turn.
  private static func asyncVariadic(
    _ prototype: String, _ body: @escaping @Sendable (Kernel, VariadicArguments, UInt32, UInt64) async throws -> UInt32
  ) -> Export {
    Export(
      prototype, module: "storport", .cdecl, nil, types: [UInt32.self, GuestWord.self], result: UInt32.self, isImportable: true,
      stackBytes: { _ in 0 },
      body: .waiting(
        WaitingRoutine { kernel, reader in
          let (code, hardware) = (try reader.next(UInt32.self), try reader.next(GuestWord.self))
          kernel.beginCall(&reader)
          let rest = reader.rest
          return .waits { UInt64(try await body(kernel, rest, code, hardware.bits)) }
        }))
  }
}

extension Kernel {
  /// The registry key of a miniport's own settings.
  fileprivate func miniportKey(_ hardware: UInt64) throws -> RegistryKey? {
    guard let adapter = scsiAdapter(hardware) else { return nil }
    let device = Pointer<DEVICE_OBJECT>(try adapter[ScsiAdapter.device], in: memory.memory)
    guard let driver = driver(at: try device.DriverObject.load().address) else { return nil }
    return serviceKey(driver.name)?.subkey("Parameters")?.subkey("Device")
  }

  fileprivate func notifyStorage(_ type: UInt32, _ hardware: UInt64, _ arguments: inout VariadicArguments) throws {
    let here = memory.memory
    switch type {
    // RequestTimerCall: a routine, and microseconds.
    case 6:
      let routine = try arguments.next(GuestWord.self)
      try requestScsiTimer(hardware, routine.bits, try arguments.next(UInt32.self))
    // QueryTickCount
    case 0xc:
      let result = try arguments.next(Pointer<UInt64>.self)
      try result.store(tickCount)
    // EnablePassiveInitialization: a routine, and whether it was taken.
    case 0x1000:
      let (routine, result) = (try arguments.next(GuestWord.self), try arguments.next(Pointer<UInt8>.self))
      try scsiAdapter(hardware)?.set(ScsiAdapter.passiveRoutine, routine.bits)
      try result.store(scsiAdapter(hardware) == nil ? 0 : 1)
    // InitializeDpc: STOR_DPC, which begins with a deferred call, and its routine, called with the extension.
    case 0x1001:
      let dpc = try arguments.next(Pointer<KDPC>.self)
      try prepare(dpc, routine: try arguments.next(GuestWord.self).bits, context: hardware)
    // IssueDpc: two arguments, and whether it was not queued yet.
    case 0x1002:
      let dpc = try arguments.next(Pointer<KDPC>.self)
      let (first, second) = (try arguments.next(GuestWord.self), try arguments.next(GuestWord.self))
      let result = try arguments.next(Pointer<UInt8>.self)
      let isNew = try queue(dpc, first, second)
      if !result.isNull { try result.store(isNew ? 1 : 0) }
    // AcquireSpinLock: which one, its context, and a STOR_LOCK_HANDLE, which ends in the IRQL before.
    case 0x1003:
      let (lock, _) = (try arguments.next(UInt32.self), try arguments.next(GuestWord.self))
      let handle = try arguments.next(GuestWord.self)
      try words(handle.bits).set(0, UInt64(lock))
      try words(handle.bits).set(byte: raiseIRQL(to: .dispatch).rawValue, at: 0xc)
    // ReleaseSpinLock
    case 0x1004:
      let handle = try arguments.next(GuestWord.self)
      try lowerIRQL(to: IRQL(rawValue: here.load(UInt8.self, at: handle.bits + 0xc)))
    default: break
    }
  }

  /// STORPORT_FUNCTION_CODE
  fileprivate func extendedStorage(_ code: UInt32, _ hardware: UInt64, _ arguments: VariadicArguments) async throws -> UInt32 {
    var rest = arguments
    // STOR_STATUS_NOT_IMPLEMENTED, STOR_STATUS_INSUFFICIENT_RESOURCES, STOR_STATUS_INVALID_PARAMETER
    let (missing, exhausted, invalid): (UInt32, UInt32, UInt32) = (0xc100_0002, 0xc100_0003, 0xc100_0005)
    switch code {
    // ExtFunctionAllocatePool, ExtFunctionFreePool
    case 0:
      let (size, tag, result) = (try rest.next(UInt32.self), try rest.next(UInt32.self), try rest.next(Pointer<GuestWord>.self))
      let block = try allocatePool(.nonPaged, UInt64(size), tag: tag)
      try result.store(GuestWord(block))
      return block == 0 ? exhausted : 0
    case 1:
      try freePool(try rest.next(GuestWord.self).bits)
      return 0
    // ExtFunctionAllocateMdl, ExtFunctionFreeMdl, ExtFunctionBuildMdlForNonPagedPool
    case 2:
      let (address, length) = (try rest.next(GuestWord.self), try rest.next(UInt32.self))
      let result = try rest.next(Pointer<Pointer<MDL>>.self)
      let mdl = try allocateMDL(address.bits, UInt64(length), isSecondary: false, Pointer(0, in: memory.memory))
      try result.store(mdl)
      return mdl.isNull ? exhausted : 0
    case 3:
      try await nt("IoFreeMdl", try rest.next(GuestWord.self).bits)
      return 0
    case 4:
      try await nt("MmBuildMdlForNonPagedPool", try rest.next(GuestWord.self).bits)
      return 0
    // ExtFunctionGetDeviceObjects: the adapter's, the physical one, the one below.
    case 8:
      guard let adapter = scsiAdapter(hardware) else { return invalid }
      let device = Pointer<DEVICE_OBJECT>(try adapter[ScsiAdapter.device], in: memory.memory)
      let own = try words(of: device)
      for value in [device.address, try own[PortDevice.physical], try own[PortDevice.lower]] {
        try rest.next(Pointer<GuestWord>.self).store(GuestWord(value))
      }
      return 0
    // ExtFunctionGetCurrentProcessorNumber
    case 17:
      try rest.next(Pointer<UInt32>.self).store(0)
      return 0
    default: return missing
    }
  }
}
