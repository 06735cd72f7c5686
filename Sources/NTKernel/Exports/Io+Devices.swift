import Guest
import WindowsTypes

extension Export {
  /// Devices, their names and their stacks.
  static let devices: [Export] = [
    // nf-wdm-iocreatedevice
    export(
      "IoCreateDevice(DriverObject, DeviceExtensionSize, DeviceName, DeviceType, DeviceCharacteristics, Exclusive, DeviceObject)",
      irql: .apc
    ) {
      (
        kernel, driver: Pointer<DRIVER_OBJECT>, size: UInt32, name: Pointer<UNICODE_STRING>, type: UInt32, characteristics: UInt32,
        exclusive: UInt8, result: Pointer<Pointer<DEVICE_OBJECT>>
      ) -> NTSTATUS in
      try result.store(Pointer(0, in: kernel.memory.memory))
      switch try kernel.createDevice(
        driver, extensionSize: size, name: name.isNull ? nil : name.string(), type: type, characteristics: characteristics,
        isExclusive: exclusive != 0)
      {
      case .success(let device):
        try result.store(device)
        return .success
      case .failure(let refusal): return refusal.status
      }
    },
    // nf-wdm-iodeletedevice
    export("IoDeleteDevice(DeviceObject)", irql: .apc) { (kernel, device: Pointer<DEVICE_OBJECT>) async throws in
      try await kernel.deleteDevice(device)
    },
    // nf-wdm-iocreatesymboliclink
    export("IoCreateSymbolicLink(SymbolicLinkName, DeviceName)", irql: .passive) {
      (kernel, link: Pointer<UNICODE_STRING>, target: Pointer<UNICODE_STRING>) -> NTSTATUS in
      try kernel.createLink(link, target)
    },
    // nf-wdm-iocreateunprotectedsymboliclink
    export("IoCreateUnprotectedSymbolicLink(SymbolicLinkName, DeviceName)", irql: .passive) {
      (kernel, link: Pointer<UNICODE_STRING>, target: Pointer<UNICODE_STRING>) -> NTSTATUS in
      try kernel.createLink(link, target)
    },
    // nf-wdm-iodeletesymboliclink
    export("IoDeleteSymbolicLink(SymbolicLinkName)", irql: .passive) {
      (kernel, link: Pointer<UNICODE_STRING>) async throws -> NTSTATUS in
      try kernel.makeNamespace()
      switch try kernel.resolve(link.string(), followsLast: false) {
      case .failed(let status): return status
      case .found(let entry, _):
        guard entry.kind == .symbolicLink else { return .objectTypeMismatch }
        _ = try await kernel.dereference(entry.object)
        return .success
      }
    },
    // nf-wdm-iogetdeviceobjectpointer: opens the device, keeps the file object, closes the handle.
    export("IoGetDeviceObjectPointer(ObjectName, DesiredAccess, FileObject, DeviceObject)", irql: .passive) {
      (
        kernel, name: Pointer<UNICODE_STRING>, access: UInt32, fileResult: Pointer<Pointer<FILE_OBJECT>>,
        deviceResult: Pointer<Pointer<DEVICE_OBJECT>>
      ) async throws -> NTSTATUS in
      switch try await kernel.devicePointer(name.string(), access) {
      case .failure(let refusal): return refusal.status
      case .success(let (file, device)):
        try fileResult.store(file)
        try deviceResult.store(device)
        return .success
      }
    },
    // nf-wdm-ioattachdevice
    export("IoAttachDevice(SourceDevice, TargetDevice, AttachedDevice)", irql: .passive) {
      (
        kernel, source: Pointer<DEVICE_OBJECT>, name: Pointer<UNICODE_STRING>, result: Pointer<Pointer<DEVICE_OBJECT>>
      ) async throws -> NTSTATUS in
      switch try await kernel.devicePointer(name.string(), 0x80) {
      case .failure(let refusal): return refusal.status
      case .success(let (file, device)):
        let below = try kernel.attach(source, to: device)
        try result.store(below)
        _ = try await kernel.dereference(file.address, by: kernel.servedReturnAddress)
        return below.isNull ? .noSuchDevice : .success
      }
    },
    // nf-wdm-ioattachdevicetodevicestack
    export("IoAttachDeviceToDeviceStack(SourceDevice, TargetDevice)", irql: .dispatch) {
      (kernel, source: Pointer<DEVICE_OBJECT>, target: Pointer<DEVICE_OBJECT>) -> Pointer<DEVICE_OBJECT> in
      try kernel.attach(source, to: target)
    },
    // nf-ntifs-ioattachdevicetodevicestacksafe
    export("IoAttachDeviceToDeviceStackSafe(SourceDevice, TargetDevice, AttachedToDeviceObject)", irql: .dispatch) {
      (
        kernel, source: Pointer<DEVICE_OBJECT>, target: Pointer<DEVICE_OBJECT>, result: Pointer<Pointer<DEVICE_OBJECT>>
      ) -> NTSTATUS in
      let below = try kernel.attach(source, to: target)
      try result.store(below)
      return below.isNull ? .noSuchDevice : .success
    },
    // nf-wdm-iodetachdevice
    export("IoDetachDevice(TargetDevice)", irql: .passive) { (kernel, target: Pointer<DEVICE_OBJECT>) async throws in
      try await kernel.detach(from: target)
    },
    // nf-ntifs-iogetattacheddevice
    export("IoGetAttachedDevice(DeviceObject)", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>) -> Pointer<DEVICE_OBJECT> in
      try kernel.topDevice(device)
    },
    // nf-wdm-iogetattacheddevicereference
    export("IoGetAttachedDeviceReference(DeviceObject)", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>) -> Pointer<DEVICE_OBJECT> in
      let top = try kernel.topDevice(device)
      try kernel.reference(top.address, for: kernel.site())
      return top
    },
    // nf-ntifs-iogetloweverdeviceobject, nf-ntifs-iogetlowerdeviceobject
    export("IoGetLowerDeviceObject(DeviceObject)", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>) -> Pointer<DEVICE_OBJECT> in
      let below = try device.DeviceObjectExtension.load().AttachedTo.load()
      if !below.isNull { try kernel.reference(below.address, for: kernel.site()) }
      return below
    },
    // nf-ntifs-iogetdeviceattachmentbaseref
    export("IoGetDeviceAttachmentBaseRef(DeviceObject)", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>) -> Pointer<DEVICE_OBJECT> in
      var base = device
      while case let below = try base.DeviceObjectExtension.load().AttachedTo.load(), !below.isNull { base = below }
      try kernel.reference(base.address, for: kernel.site())
      return base
    },
    // nf-wdm-iogetrelateddeviceobject
    export("IoGetRelatedDeviceObject(FileObject)", irql: .dispatch) {
      (kernel, file: Pointer<FILE_OBJECT>) -> Pointer<DEVICE_OBJECT> in
      try kernel.relatedDevice(of: file)
    },
    // nf-wdm-iostartpacket
    export("IoStartPacket(DeviceObject, Irp, Key, CancelFunction)", irql: .dispatch) {
      (
        kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>, key: Pointer<UInt32>, cancel: GuestWord
      ) async throws in
      try await kernel.startPacket(device, irp, key.isNull ? nil : key.load(), cancelRoutine: cancel.bits)
    },
    // nf-wdm-iostartnextpacket
    export("IoStartNextPacket(DeviceObject, Cancelable)", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>, isCancelable: UInt8) async throws in
      try await kernel.startNextPacket(device)
    },
  ]
}

extension Kernel {
  func createLink(_ link: Pointer<UNICODE_STRING>, _ target: Pointer<UNICODE_STRING>) throws -> NTSTATUS {
    try makeNamespace()
    switch try place(forNew: link.string()) {
    case .failure(let refusal): return refusal.status
    case .success(let path):
      try makeSymbolicLink(path, to: target.string())
      return .success
    }
  }

  /// Opens `name`, references the file object for the caller, and closes the handle.
  func devicePointer(
    _ name: String, _ access: UInt32
  ) async throws -> Result<(Pointer<FILE_OBJECT>, Pointer<DEVICE_OBJECT>), Refusal> {
    let here = site()
    switch try await openFile(name, OpenOptions(access: access, share: 7, options: 0x40)) {
    case .failure(let refusal): return .failure(refusal)
    case .success(let (file, _)):
      // The reference that came with the file is the handle's: closing it sends IRP_MJ_CLEANUP.
      try reference(file.address, for: here)
      let device = try relatedDevice(of: file)
      try await cleanUp(file)
      try await dereference(file.address)
      return .success((file, device))
    }
  }
}
