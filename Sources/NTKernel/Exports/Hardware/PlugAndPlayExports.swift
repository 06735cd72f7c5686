import Events
import Guest
import Memory
import WindowsTypes

extension Export {
  /// Devices of the Plug and Play manager's, as drivers ask for them.
  static let plugAndPlay: [Export] = [
    // nf-wdm-iogetdeviceproperty
    export("IoGetDeviceProperty(DeviceObject, DeviceProperty, BufferLength, PropertyBuffer, ResultLength)", irql: .passive) {
      (kernel, device: GuestWord, property: UInt32, length: UInt32, buffer: GuestWord, result: Pointer<UInt32>) -> NTSTATUS in
      try kernel.storeProperty(property, of: device.bits, length, buffer.bits, result)
    },
    // nf-wdm-ioregisterdeviceinterface
    export("IoRegisterDeviceInterface(PhysicalDeviceObject, InterfaceClassGuid, ReferenceString, SymbolicLinkName)", irql: .passive) {
      (
        kernel, device: GuestWord, identifier: GuestWord, reference: Pointer<UNICODE_STRING>, link: Pointer<UNICODE_STRING>
      ) -> NTSTATUS in
      let words = reference.isNull ? nil : try reference.string()
      guard
        let name = kernel.registerInterface(
          device.bits, try kernel.memory.memory.bytes(16, at: identifier.bits), reference: words.flatMap { $0.isEmpty ? nil : $0 })
      else { return .invalidDeviceRequest }
      // Its caller frees it with RtlFreeUnicodeString.
      let buffer = try kernel.allocateText(name + "\0")
      guard buffer != 0 else { return .insufficientResources }
      try link.Length.store(UInt16(name.utf16.count * 2))
      try link.MaximumLength.store(UInt16(name.utf16.count * 2 + 2))
      try link.Buffer.store(Pointer(buffer, in: kernel.memory.memory))
      return .success
    },
    // nf-wdm-iosetdeviceinterfacestate
    export("IoSetDeviceInterfaceState(SymbolicLinkName, Enable)", irql: .passive) {
      (kernel, link: Pointer<UNICODE_STRING>, enable: UInt8) async throws -> NTSTATUS in
      try await kernel.setInterface(link.string(), isEnabled: enable != 0)
    },
    // nf-wdm-iogetdeviceinterfaces: names, each with its end, and an empty one.
    export("IoGetDeviceInterfaces(InterfaceClassGuid, PhysicalDeviceObject, Flags, SymbolicLinkList)", irql: .passive) {
      (kernel, identifier: GuestWord, device: GuestWord, flags: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      let wanted = try kernel.memory.memory.bytes(16, at: identifier.bits)
      try kernel.makeStandingInterfaces(of: wanted)
      let found = kernel.hardware.plugAndPlay.interfaces.values.filter {
        // DEVICE_INTERFACE_INCLUDE_NONACTIVE
        $0.classIdentifier == wanted && (flags & 1 != 0 || $0.isEnabled) && (device.bits == 0 || $0.device == device.bits)
      }
      let list = try kernel.allocateText(found.map(\.link).sorted().map { $0 + "\0" }.joined() + "\0")
      try result.store(GuestWord(list))
      return list == 0 ? .insufficientResources : .success
    },
    // nf-wdm-iogetdeviceinterfacealias: no interface has one.
    export("IoGetDeviceInterfaceAlias(SymbolicLinkName, AliasInterfaceClassGuid, AliasSymbolicLinkName)", irql: .passive) {
      (kernel, link: Pointer<UNICODE_STRING>, identifier: GuestWord, alias: Pointer<UNICODE_STRING>) -> NTSTATUS in
      try kernel.memory.memory.fill(0, count: 8, at: alias.address)
      return .objectNameNotFound
    },
    // nf-wdm-ioregisterplugplaynotification
    export(
      "IoRegisterPlugPlayNotification(EventCategory, EventCategoryFlags, EventCategoryData, DriverObject, CallbackRoutine, Context, NotificationEntry)",
      irql: .passive
    ) {
      (
        kernel, category: UInt32, flags: UInt32, data: GuestWord, driver: GuestWord, routine: GuestWord, context: GuestWord,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      // HardwareProfileChange, DeviceInterfaceChange, TargetDeviceChange.
      guard 1...3 ~= category else { return .invalidParameter }
      let subject = category == 2 ? try kernel.memory.memory.bytes(16, at: data.bits) : withUnsafeBytes(of: data.bits) { Array($0) }
      let entry = try kernel.allocate(0x10)
      kernel.hardware.plugAndPlay.notifications.append(
        PlugAndPlayState.Notification(
          entry: entry, category: category, subject: subject, routine: routine.bits, context: context.bits))
      kernel.register(Kernel.plugPlayNotification, entry)
      try result.store(GuestWord(entry))
      // PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES
      guard category == 2, flags & 1 != 0 else { return .success }
      try kernel.makeStandingInterfaces(of: subject)
      for interface in kernel.hardware.plugAndPlay.interfaces.values.sorted(by: { $0.link < $1.link }) where interface.isEnabled {
        try await kernel.notify(of: interface, isArrival: true, only: entry)
      }
      return .success
    },
    // nf-wdm-iounregisterplugplaynotification
    export("IoUnregisterPlugPlayNotification(NotificationEntry)", irql: .passive) { (kernel, entry: GuestWord) -> NTSTATUS in
      guard kernel.unregister(Kernel.plugPlayNotification, entry.bits) else { return .invalidParameter }
      kernel.hardware.plugAndPlay.notifications.removeAll { $0.entry == entry.bits }
      try kernel.freePool(entry.bits)
      return .success
    },
    // nf-wdm-ioinvalidatedevicestate: the manager asks for the state from a worker.
    export("IoInvalidateDeviceState(PhysicalDeviceObject)", irql: .dispatch) { (kernel, device: GuestWord) in
      try kernel.queueRequest(0x14, to: device.bits)
    }
    .partially("what the device answers changes nothing"),
    // nf-wdm-ioinvalidatedevicerelations
    export("IoInvalidateDeviceRelations(DeviceObject, Type)", irql: .dispatch) { (kernel, device: GuestWord, type: UInt32) in
      try kernel.queueRequest(7, to: device.bits)
    }
    .partially("the devices that a bus answers with are asked what they are, and get no drivers"),
    // nf-ntddk-ioreportdetecteddevice
    export(
      "IoReportDetectedDevice(DriverObject, LegacyBusType, BusNumber, SlotNumber, ResourceList, ResourceRequirements, ResourceAssigned, DeviceObject)",
      irql: .passive
    ) {
      (
        kernel, driver: GuestWord, type: UInt32, bus: UInt32, slot: UInt32, resources: GuestWord, requirements: GuestWord,
        assigned: UInt8, result: Pointer<GuestWord>
      ) -> NTSTATUS in
      guard let driver = kernel.driver(at: driver.bits) else { return .invalidParameter }
      try result.store(GuestWord(kernel.makeRootDevice(for: driver).address))
      return .success
    }
    .partially("resources are not checked for conflicts"),
    // nf-wdm-ioreporttargetdevicechange
    export("IoReportTargetDeviceChange(PhysicalDeviceObject, NotificationStructure)", irql: .passive) {
      (kernel, device: GuestWord, structure: GuestWord) async throws -> NTSTATUS in
      guard kernel.hardware.plugAndPlay.nodes[device.bits] != nil else { return .invalidDeviceRequest }
      try await kernel.reportTargetChange(device.bits, structure.bits)
      return .success
    },
    // nf-wdm-ioreporttargetdevicechangeasynchronous
    export("IoReportTargetDeviceChangeAsynchronous(PhysicalDeviceObject, NotificationStructure, Callback, Context)", irql: .dispatch) {
      (kernel, device: GuestWord, structure: GuestWord, callback: GuestWord, context: GuestWord) -> NTSTATUS in
      guard kernel.hardware.plugAndPlay.nodes[device.bits] != nil else { return .invalidDeviceRequest }
      // The structure is the caller's again when this returns.
      let size = UInt64(try kernel.memory.memory.load(UInt16.self, at: structure.bits + 2))
      let copy = try kernel.allocate(max(0x18, size))
      try kernel.memory.memory.write(kernel.memory.memory.bytes(Int(size), at: structure.bits), at: copy)
      try kernel.queue(
        WorkItem(
          routine: kernel.trapAddress(of: "IopReportTargetChange"), arguments: [device.bits, copy, callback.bits, context.bits], finish: {}),
        queue: 0)
      return .pending
    },
    // nf-wdm-iogetconfigurationinformation: the disk and the CD-ROM drive that ``StandingObject`` has.
    export("IoGetConfigurationInformation()", irql: .passive) { kernel -> GuestWord in
      if let known = kernel.hardware.configurationInformation { return GuestWord(known) }
      // CONFIGURATION_INFORMATION: seven counts, disks, floppies and CD-ROM drives first, two claims, the size, another count.
      let place = try kernel.allocate(0x2c)
      for (offset, value) in [(0, 1), (8, 1), (0x20, 0x2c)] as [(UInt64, UInt32)] {
        try kernel.memory.memory.store(value, at: place + offset)
      }
      kernel.hardware.configurationInformation = place
      return GuestWord(place)
    },
  ]

  /// The registry keys of devices and of their interfaces.
  static let plugAndPlayKeys: [Export] = [
    // nf-wdm-ioopendeviceregistrykey: PLUGPLAY_REGKEY_DEVICE 1, PLUGPLAY_REGKEY_DRIVER 2.
    export("IoOpenDeviceRegistryKey(DeviceObject, DevInstKeyType, DesiredAccess, DevInstRegKey)", irql: .passive) {
      (kernel, device: GuestWord, kind: UInt32, access: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      guard kernel.hardware.plugAndPlay.nodes[device.bits] != nil, kind & 3 != 0 else { return .invalidDeviceRequest }
      guard let path = kernel.deviceKeyPath(device.bits, kind) else { return .objectNameNotFound }
      return try kernel.openDeviceKey(path, access, result)
    }
    .partially("no INF file is read: every device is of the class System, and its driver key is empty"),
    // nf-wdm-ioopendeviceinterfaceregistrykey
    export("IoOpenDeviceInterfaceRegistryKey(SymbolicLinkName, DesiredAccess, DeviceInterfaceRegKey)", irql: .passive) {
      (kernel, link: Pointer<UNICODE_STRING>, access: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      guard let known = try kernel.hardware.plugAndPlay.interfaces[link.string().lowercased()] else { return .objectNameNotFound }
      let name = known.link.dropFirst(4).split(separator: "\\").joined(separator: "#")
      let folder = "Control\\DeviceClasses\\\(Kernel.text(of: known.classIdentifier))"
      return try kernel.openDeviceKey("\(folder)\\##?#\(name)\\Device Parameters", access, result)
    },
  ]

  /// What only the Plug and Play manager leads to.
  static let plugAndPlayInternals: [Export] = [
    export("IopPnPDispatch(DeviceObject, Irp)", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.dispatchRootDevice(device, irp)
    },
    // nc-wdm-driver_add_device
    export("IopAddDevice(DriverObject, PhysicalDeviceObject)", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, device: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      let routine = try driver.DriverExtension.load().AddDevice.load().address
      guard routine != 0 else { return .noSuchDevice }
      let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await kernel.call(routine, [driver.address, device.address])))
      if !status.isSuccess { _ = try await kernel.sendPlugAndPlay(device, 2) }
      return status
    },
    export("IopPlugAndPlayRequest(PhysicalDeviceObject, MinorFunction)", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, minor: UInt32) async throws -> NTSTATUS in
      try await kernel.sendPlugAndPlay(device, UInt8(truncatingIfNeeded: minor))
    },
    export("IopPowerRequest(PhysicalDeviceObject, MinorFunction, Type, State)", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, minor: UInt32, type: UInt32, state: UInt32) async throws -> NTSTATUS in
      guard kernel.hardware.plugAndPlay.nodes[device.address] != nil else { return .noSuchDevice }
      return try await kernel.sendPower(device, UInt8(truncatingIfNeeded: minor), type: type, state: state)
    },
    export("IopReportTargetChange(PhysicalDeviceObject, NotificationStructure, Callback, Context)", isImportable: false) {
      (kernel, device: GuestWord, structure: GuestWord, callback: GuestWord, context: GuestWord) async throws in
      try await kernel.reportTargetChange(device.bits, structure.bits)
      if callback.bits != 0 { _ = try await kernel.call(callback.bits, [context.bits]) }
      try kernel.freePool(structure.bits)
    },
  ]
}

extension Kernel {
  static let plugPlayNotification = "a Plug and Play notification"

  /// Where a device's own key is, below `CurrentControlSet`, or with PLUGPLAY_REGKEY_DRIVER its driver's.
  fileprivate func deviceKeyPath(_ device: UInt64, _ kind: UInt32) -> String? {
    guard let node = hardware.plugAndPlay.nodes[device] else { return nil }
    if kind & 1 != 0 { return "Enum\\\(node.instancePath)\\Device Parameters" }
    return node.driver == 0 ? nil : "Control\\Class\\\(PlugAndPlayState.driverKey)"
  }

  /// The key that `IoOpenDeviceRegistryKey` opens.
  package func registryKey(ofDevice device: UInt64, kind: UInt32) -> RegistryKey? {
    deviceKeyPath(device, kind).flatMap { registry.makeKey(at: #"\Registry\Machine\System\CurrentControlSet\"# + $0) }
  }

  /// A handle of the kernel's to a key, with every right.
  package func makeHandle(toKey key: RegistryKey) throws -> UInt64 {
    let place = Pointer<GuestWord>(try allocate(8), in: memory.memory)
    defer { _ = nonPagedPool.free(place.address) }
    // KEY_ALL_ACCESS
    _ = try grant(key, at: place, rights: KeyAccess.mapping(0xf003f), flags: .kernelHandle, mode: .kernelMode)
    return try place.load().bits
  }

  /// A handle to a key below `CurrentControlSet`, which is made if it is not there.
  fileprivate func openDeviceKey(_ path: String, _ access: UInt32, _ result: Pointer<GuestWord>) throws -> NTSTATUS {
    guard let key = registry.makeKey(at: #"\Registry\Machine\System\CurrentControlSet\"# + path) else { return .objectNameNotFound }
    _ = try grant(key, at: result, rights: KeyAccess.mapping(access), flags: .kernelHandle, mode: .kernelMode)
    return .success
  }

  /// The manager asks a device from a worker.
  fileprivate func queueRequest(_ minor: UInt64, to device: UInt64) throws {
    guard hardware.plugAndPlay.nodes[device] != nil else {
      // PNP_DETECTED_FATAL_ERROR (2): not a physical device object.
      throw BugCheck(BugCheckCode(rawValue: 0xca), 2, device, 0, 0)
    }
    try queue(
      WorkItem(routine: trapAddress(of: "IopPlugAndPlayRequest"), arguments: [device, minor], finish: {}), queue: 0)
  }

  /// Tells those who watch a file of that device's stack. The structure's file object is filled in for each (TARGET_DEVICE_…).
  func reportTargetChange(_ device: UInt64, _ structure: UInt64) async throws {
    let here = memory.memory
    for wanted in hardware.plugAndPlay.notifications where wanted.category == 3 {
      let file = Pointer<FILE_OBJECT>(wanted.subject.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }, in: here)
      guard kind(of: file.address) == .file else { continue }
      var base = try topDevice(file.DeviceObject.load())
      for _ in 0..<256 {
        let under = try base.DeviceObjectExtension.load().AttachedTo.load()
        if under.isNull { break }
        base = under
      }
      guard base.address == device else { continue }
      try here.store(UInt32(truncatingIfNeeded: file.address), at: structure + 0x14)
      _ = try await call(wanted.routine, [structure, wanted.context])
    }
  }

  /// `IoGetDeviceProperty`: what the manager knows of a root-enumerated device without an INF file.
  fileprivate func storeProperty(
    _ property: UInt32, of device: UInt64, _ length: UInt32, _ buffer: UInt64, _ result: Pointer<UInt32>
  ) throws -> NTSTATUS {
    try result.store(0)
    guard let node = hardware.plugAndPlay.nodes[device] else { return .invalidDeviceRequest }
    let parts = node.instancePath.split(separator: "\\").map(String.init)
    func words(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] } + [0, 0] }
    func number(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    let bytes: [UInt8]
    switch property {
    // DeviceDescription, of which there is no INF file to read: the service's name.
    case 0, 9: bytes = words(node.service)
    // HardwareID: strings, and an empty one.
    case 1: bytes = words("\(parts[0])\\\(parts[1])") + [0, 0]
    // PhysicalDeviceObjectName.
    case 0xb: bytes = words(io.objects[device]?.path ?? "")
    // LegacyBusType: PNPBus; EnumeratorName.
    case 0xd: bytes = number(15)
    case 0xf: bytes = words(parts[0])
    // InstallState: installed.
    case 0x12: bytes = number(0)
    // RemovalPolicy: expect no removal.
    case 0x13: bytes = number(1)
    // ClassName, ClassGuid, DriverKeyName: no INF file says otherwise.
    case 5 where node.driver != 0: bytes = words("System")
    case 6 where node.driver != 0: bytes = words(String(PlugAndPlayState.driverKey.prefix(38)))
    case 7 where node.driver != 0: bytes = words(PlugAndPlayState.driverKey)
    // Compatible IDs, resources, manufacturer, location, bus, address: a device of the root has none.
    case 2...8, 0xa, 0xc, 0xe, 0x10, 0x11: return .objectNameNotFound
    default: return .invalidParameter2
    }
    try result.store(UInt32(bytes.count))
    guard bytes.count <= length else { return .bufferTooSmall }
    try memory.memory.write(bytes, at: buffer)
    return .success
  }
}
