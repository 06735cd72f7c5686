import Events
import Guest
import WindowsTypes

/// What ks.sys keeps of a driver: its `KSDEVICE_DESCRIPTOR`; of portcls': its AddDevice is its own.
private enum StreamDriver {
  static let descriptor: UInt64 = 0
  static let size: UInt32 = 0x10
}

/// `KSDEVICE` (ks.h), and `KSDEVICE_DISPATCH`.
private enum StreamDevice {
  static let (descriptor, functional, physical, next, isStarted): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0xc, 0x10, 0x14, 0x18)
  static let size: UInt64 = 0x24
  static let (add, start, postStart, stop, remove): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 4, 8, 0x14, 0x20)
}

extension Export {
  /// ks.sys: drivers and devices of kernel streaming. No filter, pin or clock is made.
  static let ks: [Export] =
    [
      // nf-ks-ksinitializedriver: the descriptor is optional.
      export("KsInitializeDriver(DriverObject, RegistryPathName, Descriptor)", module: "ks", irql: .passive) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, descriptor: GuestWord) -> NTSTATUS in
        guard let known = try kernel.makePortData(of: driver, "ks", size: StreamDriver.size) else { return .insufficientResources }
        try known.set(StreamDriver.descriptor, descriptor.bits)
        try kernel.adopt(
          driver, by: "ks", dispatch: "KspDispatch",
          [.create, .close, .read, .write, .flushBuffers, .deviceControl, .querySecurity, .pnp, .power, .systemControl],
          addDevice: "KsAddDevice", unload: "KsNullDriverUnload")
        return .success
      }
      .partially("the descriptor's filters are not made"),
      // nf-ks-ksadddevice: a device that is the class's own.
      export("KsAddDevice(DriverObject, PhysicalDeviceObject)", module: "ks", irql: .passive) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
        try await kernel.addStreamDevice(driver, physical)
      },
      export("KsNullDriverUnload(DriverObject)", module: "ks", irql: .passive) { (_, driver: GuestWord) in },
      // nf-ks-kssetmajorfunctionhandler: STATUS_INVALID_PARAMETER for a function that KS does not handle.
      export("KsSetMajorFunctionHandler(DriverObject, MajorFunction)", module: "ks", irql: .passive) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, major: UInt32) -> NTSTATUS in
        // Create, close, read, write, flush, security, device control.
        guard [0, 2, 3, 4, 9, 0xe, 0x14, 0x15].contains(major) else { return .invalidParameter }
        try driver.MajorFunction[Int(major)].store(
          Pointer(kernel.trapAddress(of: "KsDispatchIrp", in: "ks"), in: kernel.memory.memory))
        return .success
      },
      // nf-ks-ksdispatchirp
      export("KsDispatchIrp(DeviceObject, Irp)", module: "ks", irql: .dispatch) {
        (kernel, device: GuestWord, irp: Pointer<IRP>) async throws -> NTSTATUS in
        try await kernel.complete(irp, .invalidDeviceRequest, 0)
        return .invalidDeviceRequest
      }
      .partially("no object has been created by a create item"),
      export("KsDispatchInvalidDeviceRequest(DeviceObject, Irp)", module: "ks", irql: .dispatch) {
        (kernel, device: GuestWord, irp: Pointer<IRP>) async throws -> NTSTATUS in
        try await kernel.complete(irp, .invalidDeviceRequest, 0)
        return .invalidDeviceRequest
      },
      // nf-ks-ksallocatedeviceheader: the first word of a device's extension leads to it.
      export("KsAllocateDeviceHeader(Header, ItemsCount, ItemsList)", module: "ks", irql: .passive) {
        (kernel, result: Pointer<GuestWord>, count: UInt32, items: GuestWord) -> NTSTATUS in
        // "KsHd"
        guard let header = try kernel.nonPagedPool.allocate(0x20, tag: 0x6448_734b, in: kernel.memory) else {
          return .insufficientResources
        }
        try kernel.memory.memory.fill(0, count: 0x20, at: header)
        try kernel.words(header).set([0: UInt64(count), 4: items.bits])
        try result.store(GuestWord(header))
        return .success
      },
      export("KsFreeDeviceHeader(Header)", module: "ks", irql: .passive) { (kernel, header: GuestWord) in
        try kernel.freePool(header.bits)
      },
      // nf-ks-kssetdevicepnpandbaseobject
      export("KsSetDevicePnpAndBaseObject(Header, PnpDeviceObject, BaseObject)", module: "ks", irql: .passive) {
        (kernel, header: GuestWord, physical: GuestWord, base: GuestWord) in
        try kernel.words(header.bits).set([8: physical.bits, 0xc: base.bits])
      },
      export("KsQueryDevicePnpObject(Header)", module: "ks", irql: .dispatch) { (kernel, header: GuestWord) -> GuestWord in
        GuestWord(try kernel.words(header.bits)[8])
      },
      // nf-ks-ksdefaultdispatchpnp: down the stack; a device that is removed is detached and deleted.
      export("KsDefaultDispatchPnp(DeviceObject, Irp)", module: "ks", irql: .passive) {
        (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
        try await kernel.dispatchStreamHeader(device, irp, removes: true)
      },
      // nf-ks-ksdefaultdispatchpower, nf-ks-ksdefaultforwardirp
      export("KsDefaultDispatchPower(DeviceObject, Irp)", module: "ks", irql: .dispatch) {
        (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
        try await kernel.dispatchStreamHeader(device, irp, removes: false)
      },
      export("KsDefaultForwardIrp(DeviceObject, Irp)", module: "ks", irql: .dispatch) {
        (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
        try await kernel.dispatchStreamHeader(device, irp, removes: false)
      },
      // nf-ks-ksgetdevicefordeviceobject
      export("KsGetDeviceForDeviceObject(FunctionalDeviceObject)", module: "ks", irql: .dispatch) {
        (kernel, device: Pointer<DEVICE_OBJECT>) -> GuestWord in
        GuestWord(try kernel.words(of: device)[PortDevice.context])
      },
      // nf-ks-kscreatebusenumobject: the first word of the bus device's extension leads to the object.
      export(
        "KsCreateBusEnumObject(BusIdentifier, BusDeviceObject, PhysicalDeviceObject, PnpDeviceObject, InterfaceGuid, ServiceRelativePath)",
        module: "ks", irql: .passive
      ) {
        (
          kernel, name: GuestWord, bus: Pointer<DEVICE_OBJECT>, physical: GuestWord, next: GuestWord, identifier: GuestWord, path: GuestWord
        ) -> NTSTATUS in
        // "KsBe"
        guard let object = try kernel.nonPagedPool.allocate(0x20, tag: 0x6542_734b, in: kernel.memory) else {
          return .insufficientResources
        }
        try kernel.memory.memory.fill(0, count: 0x20, at: object)
        try kernel.words(object).set([0: bus.address, 4: physical.bits, 8: next.bits])
        try kernel.words(of: bus).set(0, object)
        return .success
      }
      .partially("no device is enumerated on the bus"),
      // nf-ks-ksisbusenumchilddevice: none is.
      export("KsIsBusEnumChildDevice(DeviceObject, ChildDevice)", module: "ks", irql: .passive) {
        (_, device: GuestWord, result: Pointer<UInt8>) -> NTSTATUS in
        try result.store(0)
        return .success
      },
      // nf-ks-ksgetbusenumpnpdeviceobject: the device below the bus.
      export("KsGetBusEnumPnpDeviceObject(DeviceObject, PnpDeviceObject)", module: "ks", irql: .passive) {
        (kernel, device: Pointer<DEVICE_OBJECT>, result: Pointer<GuestWord>) -> NTSTATUS in
        guard case let object = try kernel.words(of: device)[0], kernel.isPoolBlock(object) else { return .invalidParameter }
        try result.store(GuestWord(kernel.words(object)[8]))
        return .success
      },
      // nf-ks-ksservicebusenumpnprequest: STATUS_NOT_SUPPORTED leaves the request to the caller; a bus that is removed goes.
      export("KsServiceBusEnumPnpRequest(DeviceObject, Irp)", module: "ks", irql: .passive) {
        (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) -> NTSTATUS in
        let minor = try irp.Tail.Overlay.CurrentStackLocation.load().MinorFunction.load()
        guard minor == 2, case let object = try kernel.words(of: device)[0], kernel.isPoolBlock(object) else { return .notSupported }
        try kernel.words(of: device).set(0, 0)
        try kernel.freePool(object)
        return .success
      }
      .uncertain("what the caller does after IRP_MN_REMOVE_DEVICE is as for a request that was not handled, but for the status"),
      export("KspDispatch(DeviceObject, Irp)", module: "ks", isImportable: false) {
        (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
        try await kernel.dispatchStream(device, irp)
      },
    ]

  /// portcls.sys: audio adapters. The run has no port and no miniport of its own.
  static let portcls: [Export] =
    [
      // nf-portcls-pcinitializeadapterdriver: the driver's AddDevice calls PcAddAdapterDevice.
      export("PcInitializeAdapterDriver(DriverObject, RegistryPathName, AddDevice)", module: "portcls", irql: .passive) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, addDevice: GuestWord) -> NTSTATUS in
        guard !driver.isNull, path.bits != 0, addDevice.bits != 0 else { return .invalidParameter }
        try kernel.adopt(
          driver, by: "portcls", dispatch: "PcDispatchIrp",
          [.create, .close, .flushBuffers, .deviceControl, .querySecurity, .pnp, .power, .systemControl], addDevice: nil,
          unload: "PcDriverUnload")
        try driver.DriverExtension.load().AddDevice.store(Pointer(addDevice.bits, in: kernel.memory.memory))
        return .success
      },
      // nf-portcls-pcaddadapterdevice
      export(
        "PcAddAdapterDevice(DriverObject, PhysicalDeviceObject, StartDevice, MaxObjects, DeviceExtensionSize)", module: "portcls",
        irql: .passive
      ) {
        (
          kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>, start: GuestWord, maximum: UInt32, size: UInt32
        ) async throws -> NTSTATUS in
        // PORT_CLASS_DEVICE_EXTENSION_SIZE, 64 pointers, is the class's; what is behind it the driver's.
        guard start.bits != 0, maximum > 0, size == 0 || size >= 0x100, size < 0x10_0000 else { return .invalidParameter }
        // FILE_DEVICE_KS
        let (status, device) = try await kernel.addPortDevice(driver, over: physical, type: 0x2f, size: max(0x100, size))
        if status.isSuccess { try kernel.words(of: device).set(PortDevice.context, start.bits) }
        return status
      },
      // nf-portcls-pcdispatchirp
      export("PcDispatchIrp(DeviceObject, Irp)", module: "portcls", irql: .dispatch) {
        (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
        try await kernel.dispatchAudio(device, irp)
      },
      // nf-portcls-pccompleteirp, nf-portcls-pcforwardirpsynchronous
      export("PcCompleteIrp(DeviceObject, Irp, Status)", module: "portcls", irql: .dispatch) {
        (kernel, device: GuestWord, irp: Pointer<IRP>, status: NTSTATUS) async throws -> NTSTATUS in
        try irp.IoStatus.Status.store(status)
        try await kernel.completeRequest(irp)
        return status
      },
      export("PcForwardIrpSynchronous(DeviceObject, Irp)", module: "portcls", irql: .passive) {
        (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
        let lower = Pointer<DEVICE_OBJECT>(try kernel.words(of: device)[PortDevice.lower], in: kernel.memory.memory)
        return try await kernel.forward(irp, to: lower) ? irp.IoStatus.Status.load() : .unsuccessful
      },
      // nf-portcls-pcnewport and its like: without a port driver there is no object.
      export("PcNewPort(OutPort, ClassId)", module: "portcls", irql: .passive) {
        (_, result: Pointer<GuestWord>, identifier: GuestWord) -> NTSTATUS in
        try result.store(0)
        return .notSupported
      }
      .partially("no port driver is there"),
      export("PcNewMiniport(OutMiniport, ClassId)", module: "portcls", irql: .passive) {
        (_, result: Pointer<GuestWord>, identifier: GuestWord) -> NTSTATUS in
        try result.store(0)
        return .notSupported
      }
      .partially("no miniport of the class's own is there"),
      export("PcRegisterSubdevice(DeviceObject, Name, Unknown)", module: "portcls", irql: .passive) {
        (_, device: GuestWord, name: GuestWord, unknown: GuestWord) -> NTSTATUS in .notSupported
      }
      .partially("no port driver is there"),
      export("PcRegisterAdapterPowerManagement(Unknown, DeviceObject)", module: "portcls", irql: .passive) {
        (_, unknown: GuestWord, device: GuestWord) -> NTSTATUS in
        unknown.bits == 0 || device.bits == 0 ? .invalidParameter : .success
      }
      .partially("the adapter is not told of power states"),
      // nf-portcls-pcgettimeinterval: since a time, in units of 100 ns.
      export("PcGetTimeInterval(Since)", module: "portcls") { (kernel, since: UInt64) -> UInt64 in kernel.interruptTime &- since },
      export("PcDriverUnload(DriverObject)", module: "portcls", isImportable: false) { (_, driver: GuestWord) in },
    ] + resourceList

  /// The methods of `IResourceList` (portcls.h), as its table has them: a list without entries.
  private static let resourceList: [Export] = [
    export("CResourceListQueryInterface(This, InterfaceId, Object)", module: "portcls", isImportable: false) {
      (_, this: GuestWord, identifier: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(0)
      return .invalidParameter
    },
    export("CResourceListAddRef(This)", module: "portcls", isImportable: false) { (_, this: GuestWord) -> UInt32 in 2 },
    export("CResourceListRelease(This)", module: "portcls", isImportable: false) { (_, this: GuestWord) -> UInt32 in 1 },
    export("CResourceListNumberOfEntries(This)", module: "portcls", isImportable: false) { (_, this: GuestWord) -> UInt32 in 0 },
    export("CResourceListNumberOfEntriesOfType(This, Type)", module: "portcls", isImportable: false) {
      (_, this: GuestWord, type: UInt32) -> UInt32 in 0
    },
    export("CResourceListFindEntry(This, Type, Index)", module: "portcls", isImportable: false) {
      (_, this: GuestWord, type: UInt32, index: UInt32) -> GuestWord in 0
    },
    export("CResourceListAddEntry(This, Translated, Untranslated)", module: "portcls", isImportable: false) {
      (_, this: GuestWord, translated: GuestWord, untranslated: GuestWord) -> NTSTATUS in .insufficientResources
    },
    export("CResourceListAddEntryFromParent(This, Parent, Type, Index)", module: "portcls", isImportable: false) {
      (_, this: GuestWord, parent: GuestWord, type: UInt32, index: UInt32) -> NTSTATUS in .invalidParameter
    },
    export("CResourceListTranslatedList(This)", module: "portcls", isImportable: false) { (_, this: GuestWord) -> GuestWord in 0 },
  ]
}

extension Kernel {
  /// KSDEVICE, and the driver's Add.
  fileprivate func addStreamDevice(_ driver: Pointer<DRIVER_OBJECT>, _ physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS {
    guard let known = try portData(of: driver, "ks") else { return .unsuccessful }
    // FILE_DEVICE_KS
    let (status, device) = try await addPortDevice(driver, over: physical, type: 0x2f, size: UInt32(StreamDevice.size))
    guard status.isSuccess else { return status }
    let (own, descriptor) = (try words(of: device), try known[StreamDriver.descriptor])
    let stream = words(own.base + UInt64(PortDevice.size))
    try stream.set([
      StreamDevice.descriptor: descriptor, StreamDevice.functional: device.address, StreamDevice.physical: physical.address,
      StreamDevice.next: own[PortDevice.lower],
    ])
    try own.set(PortDevice.context, stream.base)
    guard let routine = try streamRoutine(stream, StreamDevice.add) else { return .success }
    let answer = try await self.status(of: routine, stream.base)
    if !answer.isSuccess {
      try await detach(from: Pointer(own[PortDevice.lower], in: memory.memory))
      try await deleteDevice(device)
    }
    return answer
  }

  /// A routine of the device's dispatch table, if the driver has one.
  private func streamRoutine(_ stream: Words, _ offset: UInt64) throws -> UInt64? {
    let descriptor = try stream[StreamDevice.descriptor]
    guard descriptor != 0, case let table = try words(descriptor)[0], table != 0, case let routine = try words(table)[offset], routine != 0
    else { return nil }
    return routine
  }

  fileprivate func dispatchStream(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let stream = words(try words(of: device)[PortDevice.context])
    let minor = try irp.Tail.Overlay.CurrentStackLocation.load().MinorFunction.load()
    return try await dispatchPort(
      device, irp,
      start: {
        for (offset, arguments) in [(StreamDevice.start, [irp.address, 0, 0]), (StreamDevice.postStart, [])] as [(UInt64, [UInt64])] {
          guard let routine = try streamRoutine(stream, offset) else { continue }
          let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(routine, [stream.base] + arguments)))
          guard status.isSuccess else { return status }
        }
        try stream.set(byte: 1, at: StreamDevice.isStarted)
        return .success
      },
      stop: {
        try stream.set(byte: 0, at: StreamDevice.isStarted)
        let offset = minor == 4 ? StreamDevice.stop : StreamDevice.remove
        if let routine = try streamRoutine(stream, offset) { _ = try await call(routine, [stream.base, irp.address]) }
      })
  }

  /// A request to a device whose extension begins with a KSDEVICE_HEADER.
  fileprivate func dispatchStreamHeader(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>, removes: Bool) async throws -> NTSTATUS {
    let location = try irp.Tail.Overlay.CurrentStackLocation.load()
    let header = words(try words(of: device)[0])
    let lower = Pointer<DEVICE_OBJECT>(try header[0xc], in: memory.memory)
    let isRemoved = try removes && location.MajorFunction.load() == .pnp && location.MinorFunction.load() == 2
    guard kind(of: lower.address) == .device else {
      let status = try irp.IoStatus.Status.load()
      try await complete(irp, status, 0)
      return status
    }
    if isRemoved { try irp.IoStatus.Status.store(.success) }
    let status = try await passDown(irp, to: lower)
    if isRemoved {
      try await detach(from: lower)
      try freePool(header.base)
      try await deleteDevice(device)
    }
    return status
  }

  fileprivate func dispatchAudio(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    guard kind(of: device.address) == .device, try !device.DeviceExtension.load().isNull else {
      try await complete(irp, .invalidDeviceRequest, 0)
      return .invalidDeviceRequest
    }
    let routine = try words(of: device)[PortDevice.context]
    return try await dispatchPort(
      device, irp,
      start: {
        // An object is a table of its methods, and here no more.
        let object = try allocate(0x40)
        defer { free(object) }
        let find = "FindEntry"
        let methods = [
          "QueryInterface", "AddRef", "Release", "NumberOfEntries", "NumberOfEntriesOfType", find, find, "AddEntry", "AddEntryFromParent",
          "TranslatedList", "TranslatedList",
        ]
        try words(object).set(0, object + 8)
        for (index, method) in methods.enumerated() {
          try words(object).set(8 + 4 * UInt64(index), trapAddress(of: "CResourceList" + method, in: "portcls"))
        }
        return try await status(of: routine, device.address, irp.address, object)
      }, stop: {})
  }
}
