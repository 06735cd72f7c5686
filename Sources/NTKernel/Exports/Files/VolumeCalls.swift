import Guest
import WindowsTypes

extension Export {
  /// Volumes, file systems and file objects, as their drivers and filters ask for them.
  static let volumeCalls: [Export] = [
    // nf-wdm-iocheckshareaccess
    export("IoCheckShareAccess(DesiredAccess, DesiredShareAccess, FileObject, ShareAccess, Update)", irql: .passive) {
      (
        kernel, access: UInt32, share: UInt32, file: Pointer<FILE_OBJECT>, counts: Pointer<SHARE_ACCESS>, update: UInt8
      ) -> NTSTATUS in
      try kernel.checkShareAccess(access, share, file, counts, updates: update != 0)
    },
    // nf-wdm-iosetshareaccess
    export("IoSetShareAccess(DesiredAccess, DesiredShareAccess, FileObject, ShareAccess)", irql: .passive) {
      (kernel, access: UInt32, share: UInt32, file: Pointer<FILE_OBJECT>, counts: Pointer<SHARE_ACCESS>) in
      try kernel.setShareAccess(access, share, file, counts)
    },
    // nf-wdm-ioupdateshareaccess
    export("IoUpdateShareAccess(FileObject, ShareAccess)", irql: .passive) {
      (kernel, file: Pointer<FILE_OBJECT>, counts: Pointer<SHARE_ACCESS>) in try kernel.updateShareAccess(file, counts)
    },
    // nf-wdm-ioremoveshareaccess
    export("IoRemoveShareAccess(FileObject, ShareAccess)", irql: .passive) {
      (kernel, file: Pointer<FILE_OBJECT>, counts: Pointer<SHARE_ACCESS>) in try kernel.removeShareAccess(file, counts)
    },
    // nf-ntifs-ioacquirevpbspinlock
    export("IoAcquireVpbSpinLock(Irql)", irql: .dispatch) { (kernel, old: Pointer<IRQL>) in
      try old.store(kernel.raiseIRQL(to: .dispatch))
    },
    // nf-ntifs-ioreleasevpbspinlock
    export("IoReleaseVpbSpinLock(Irql)", irql: .dispatch) { (kernel, old: IRQL) in try kernel.lowerIRQL(to: old) },
    // nf-wdm-iogetfileobjectgenericmapping
    export("IoGetFileObjectGenericMapping()", irql: .passive) { kernel -> Pointer<GENERIC_MAPPING> in
      let type: Pointer<OBJECT_TYPE> = try kernel.objectType(named: ObjectKind.file.rawValue)
      let mapping = type.TypeInfo.GenericMapping
      for (place, value) in [
        (mapping.GenericRead, 0x12_0089), (mapping.GenericWrite, 0x12_0116), (mapping.GenericExecute, 0x12_00a0),
        (mapping.GenericAll, 0x1f_01ff),
      ] as [(Pointer<UInt32>, UInt32)] { try place.store(value) }
      return mapping
    },
    // nf-ntifs-ioregisterfilesystem
    export("IoRegisterFileSystem(DeviceObject)", irql: .passive) { (kernel, device: Pointer<DEVICE_OBJECT>) async throws in
      kernel.files.registered.insert(device.address, at: 0)
      kernel.register("a registered file system", device.address)
      try device.ReferenceCount.store(device.ReferenceCount.load() + 1)
      try await kernel.tellWatchers(of: device, isComing: true)
    },
    // nf-ntifs-iounregisterfilesystem
    export("IoUnregisterFileSystem(DeviceObject)", irql: .passive) { (kernel, device: Pointer<DEVICE_OBJECT>) async throws in
      guard let index = kernel.files.registered.firstIndex(of: device.address) else { return }
      kernel.files.registered.remove(at: index)
      kernel.unregister("a registered file system", device.address)
      try device.ReferenceCount.store(device.ReferenceCount.load() - 1)
      try await kernel.tellWatchers(of: device, isComing: false)
    },
    // nf-ntifs-ioregisterfsregistrationchange: called at once for the file systems there are.
    export("IoRegisterFsRegistrationChange(DriverObject, DriverNotificationRoutine)", irql: .passive) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, routine: GuestWord) async throws -> NTSTATUS in
      guard !kernel.files.watchers.contains(where: { $0.driver == driver.address && $0.routine == routine.bits }) else {
        return .deviceAlreadyAttached
      }
      // The file system of the system's volume is there before any filter.
      _ = try kernel.makeStandingObject(at: "\\Ntfs")
      kernel.files.watchers.append((driver.address, routine.bits))
      kernel.register("a file system notification", routine.bits)
      try kernel.reference(driver.address, for: nil)
      for device in kernel.files.registered { _ = try await kernel.call(routine.bits, [device, 1]) }
      return .success
    },
    // nf-ntifs-iounregisterfsregistrationchange
    export("IoUnregisterFsRegistrationChange(DriverObject, DriverNotificationRoutine)", irql: .passive) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, routine: GuestWord) async throws in
      guard
        let index = kernel.files.watchers.firstIndex(where: { $0.driver == driver.address && $0.routine == routine.bits })
      else { return }
      kernel.files.watchers.remove(at: index)
      kernel.unregister("a file system notification", routine.bits)
      try await kernel.dereference(driver.address)
    },
    // nf-ntifs-ioenumeratedeviceobjectlist: each device referenced.
    export(
      "IoEnumerateDeviceObjectList(DriverObject, DeviceObjectList, DeviceObjectListSize, ActualNumberDeviceObjects)", irql: .dispatch
    ) {
      (
        kernel, driver: Pointer<DRIVER_OBJECT>, list: Pointer<GuestWord>, size: UInt32, actual: Pointer<UInt32>
      ) -> NTSTATUS in
      var devices: [UInt64] = []
      var device = try driver.DeviceObject.load()
      while !device.isNull, devices.count < 4096 {
        devices.append(device.address)
        device = try device.NextDevice.load()
      }
      try actual.store(UInt32(devices.count))
      let fitting = list.isNull ? 0 : Int(size) / 4
      for (index, device) in devices.prefix(fitting).enumerated() {
        try list[index].store(GuestWord(device))
        try kernel.reference(device, for: kernel.site())
      }
      return fitting < devices.count ? .bufferTooSmall : .success
    },
    // nf-ntifs-iogetdiskdeviceobject: the disk under a file system's device.
    export("IoGetDiskDeviceObject(FileSystemDeviceObject, DiskDeviceObject)", irql: .apc) {
      (kernel, device: Pointer<DEVICE_OBJECT>, result: Pointer<Pointer<DEVICE_OBJECT>>) -> NTSTATUS in
      guard try device.Vpb.load().isNull else { return .invalidParameter }
      let vpb = try device.DeviceObjectExtension.load().Vpb.load()
      guard !vpb.isNull else { return .invalidParameter }
      guard try vpb.Flags.load() & 1 != 0 else { return .volumeDismounted }
      let disk = try vpb.RealDevice.load()
      try kernel.reference(disk.address, for: kernel.site())
      try result.store(disk)
      return .success
    },
    // nf-ntifs-iogetbasefilesystemdeviceobject: below every filter.
    export("IoGetBaseFileSystemDeviceObject(FileObject)", irql: .dispatch) {
      (kernel, file: Pointer<FILE_OBJECT>) -> Pointer<DEVICE_OBJECT> in
      let device = try file.DeviceObject.load()
      for vpb in [try file.Vpb.load(), try device.Vpb.load()] where !vpb.isNull {
        if case let mounted = try vpb.DeviceObject.load(), !mounted.isNull { return mounted }
      }
      return device
    },
    // nf-ntifs-iogetdevicetoverify
    export("IoGetDeviceToVerify(Thread)") { (_, thread: Pointer<ETHREAD>) -> Pointer<DEVICE_OBJECT> in try thread.DeviceToVerify.load() },
    // nf-ntifs-iosetdevicetoverify
    export("IoSetDeviceToVerify(Thread, DeviceObject)") { (_, thread: Pointer<ETHREAD>, device: Pointer<DEVICE_OBJECT>) in
      try thread.DeviceToVerify.store(device)
    },
    // nf-ntddk-iosetharderrororverifydevice: in the thread of the request.
    export("IoSetHardErrorOrVerifyDevice(Irp, DeviceObject)", irql: .dispatch) {
      (_, irp: Pointer<IRP>, device: Pointer<DEVICE_OBJECT>) in
      let thread = try irp.Tail.Overlay.Thread.load()
      if !thread.isNull { try thread.DeviceToVerify.store(device) }
    },
    // nf-ntifs-iocreatestreamfileobject: a file object without a handle, on which IRP_MJ_CLEANUP is sent at once.
    export("IoCreateStreamFileObject(FileObject, DeviceObject)", irql: .passive) {
      (kernel, model: Pointer<FILE_OBJECT>, device: Pointer<DEVICE_OBJECT>) async throws -> Pointer<FILE_OBJECT> in
      try await kernel.streamFile(like: model, device)
    },
    // nf-ntddk-ioqueryfileinformation: its own page is gone; the routine is NtQueryInformationFile by file object.
    export("IoQueryFileInformation(FileObject, FileInformationClass, Length, FileInformation, ReturnedLength)", irql: .passive) {
      (
        kernel, file: Pointer<FILE_OBJECT>, kind: UInt32, length: UInt32, buffer: GuestWord, returned: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      guard length <= 0x1_0000 else { return .invalidParameter }
      let (status, bytes) = try await kernel.query(file, kind, length)
      if !status.isFailure {
        try kernel.memory.memory.write(bytes, at: buffer.bits)
        try returned.store(UInt32(bytes.count))
      }
      return status
    },
    // nf-ntddk-ioqueryfiledosdevicename: OBJECT_NAME_INFORMATION in pool, C:\dir\file.
    export("IoQueryFileDosDeviceName(FileObject, ObjectNameInformation)", irql: .passive) {
      (kernel, file: Pointer<FILE_OBJECT>, result: Pointer<GuestWord>) async throws -> NTSTATUS in
      let (status, bytes) = try await kernel.query(file, FileInformationClass.name, 0x8000)
      guard status == .success, bytes.count >= 4 else { return status }
      let units = stride(from: 4, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
      guard let drive = try kernel.dosName(of: file.DeviceObject.load()) else { return .objectNameNotFound }
      let name = drive + String(decoding: units, as: UTF16.self)
      let size = UInt64(8 + name.utf16.count * 2 + 2)
      guard let block = try kernel.pagedPool.allocate(size, tag: 0x6e6f_4944, in: kernel.memory) else { return .insufficientResources }
      let text = Pointer<UNICODE_STRING>(block, in: kernel.memory.memory)
      try text.store(name, buffer: Pointer(block + 8, in: kernel.memory.memory))
      try result.store(GuestWord(block))
      return .success
    },
    dosName("IoVolumeDeviceToDosName"), dosName("RtlVolumeDeviceToDosName"),
    // nf-ntddk-iocreatefilespecifydeviceobjecthint
    export(
      "IoCreateFileSpecifyDeviceObjectHint(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize, FileAttributes, ShareAccess, Disposition, CreateOptions, EaBuffer, EaLength, CreateFileType, InternalParameters, Options, DeviceObject)",
      irql: .passive
    ) {
      (
        kernel, handle: Pointer<Pointer<Void>>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>,
        block: Pointer<IO_STATUS_BLOCK>, allocation: Pointer<Int64>, fileAttributes: UInt32, share: UInt32, disposition: UInt32,
        options: UInt32, extended: Pointer<Void>, extendedLength: UInt32, type: UInt32, parameters: Pointer<Void>, flags: UInt32,
        hint: Pointer<DEVICE_OBJECT>
      ) async throws -> NTSTATUS in
      let mode = flags & 0x100 != 0 ? .kernelMode : try kernel.previousMode()
      return try await kernel.createFile(
        handle, attributes, block,
        .init(
          access: access, fileAttributes: fileAttributes, share: share, disposition: disposition, options: options, mode: mode,
          allocation: allocation, hint: hint.isNull ? nil : hint))
    }
    .partially("extended attributes, pipes and mailslots are not modelled; later requests on the file go to the top of the stack"),
  ]

  /// nf-ntddk-iovolumedevicetodosname: the name in pool that the caller frees.
  private static func dosName(_ name: String) -> Export {
    export("\(name)(VolumeDeviceObject, DosName)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, result: Pointer<UNICODE_STRING>) -> NTSTATUS in
      guard let text = try kernel.dosName(of: device) else { return .objectNameNotFound }
      guard let block = try kernel.allocateText(text.utf16.count + 1, of: UInt16.self) else { return .insufficientResources }
      try result.store(text, buffer: block)
      return .success
    }
  }
}

extension Kernel {
  /// Tells everyone who asked that a file system comes or goes.
  fileprivate func tellWatchers(of device: Pointer<DEVICE_OBJECT>, isComing: Bool) async throws {
    for watcher in files.watchers { _ = try await call(watcher.routine, [device.address, isComing ? 1 : 0]) }
  }

  /// `C:` of the volume that a disk's or file system's device is of.
  func dosName(of device: Pointer<DEVICE_OBJECT>) throws -> String? { volume(of: device)?.drive }

  fileprivate func streamFile(
    like model: Pointer<FILE_OBJECT>, _ device: Pointer<DEVICE_OBJECT>
  ) async throws -> Pointer<FILE_OBJECT> {
    let here = memory.memory
    let owner = try model.isNull ? device : model.DeviceObject.load()
    let size = UInt64(Pointer<FILE_OBJECT>.size(in: here))
    let file = Pointer<FILE_OBJECT>(try makeObject(.file, size: size), in: here)
    try file.Type.store(IOObjectType.file.rawValue)
    try file.Size.store(Int16(size))
    try file.DeviceObject.store(owner)
    try file.Vpb.store(owner.Vpb.load())
    try file.Flags.store(FileFlags.stream)
    try initializeEvent(file.Lock, .eventSynchronization, isSet: false)
    try initializeEvent(file.Event, .eventNotification, isSet: false)
    try owner.ReferenceCount.store(owner.ReferenceCount.load() + 1)
    try await cleanUp(file)
    return file
  }
}
