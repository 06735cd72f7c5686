import Guest
import WindowsTypes

extension Export {
  /// The I/O manager's rarer routines.
  static let requestExtras: [Export] = [
    // nf-ntifs-iocheckeabuffervalidity: FILE_FULL_EA_INFORMATION, one behind the other at offsets that are multiples of four.
    export("IoCheckEaBufferValidity(EaBuffer, EaLength, ErrorOffset)", irql: .passive) {
      (kernel, buffer: GuestWord, length: UInt32, error: Pointer<UInt32>) -> NTSTATUS in
      guard let offset = try kernel.invalidAttribute(at: buffer.bits, length) else { return .success }
      try error.store(offset)
      return .eaListInconsistent
    },
    // nf-ntifs-ioverifyvolume: IRP_MN_VERIFY_VOLUME to the file system that the device is mounted by.
    export("IoVerifyVolume(DeviceObject, AllowRawMount)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, raw: UInt8) async throws -> NTSTATUS in
      let vpb = try device.Vpb.load()
      guard !vpb.isNull else { return .invalidDeviceRequest }
      let mounted = try vpb.DeviceObject.load()
      // DO_VERIFY_VOLUME goes in any case.
      try device.Flags.store(device.Flags.load().subtracting(.verifyVolume))
      guard try !mounted.isNull && vpb.Flags.load() & 1 != 0 else { return .unrecognizedVolume }
      // A volume of the run's own is always the one that it was.
      if kernel.volume(of: mounted) != nil { return .success }
      return try await kernel.sendAndWait(kernel.topDevice(mounted)) { irp in
        let location = try kernel.nextLocation(of: irp)
        try location.MajorFunction.store(.fileSystemControl)
        try location.MinorFunction.store(2)
        try location.Flags.store(raw != 0 ? 2 : 0)
        try location.Parameters.VerifyVolume.Vpb.store(vpb)
        try location.Parameters.VerifyVolume.DeviceObject.store(mounted)
      }.status
    }
    .partially("a volume that is another one, or not mounted, is not mounted anew"),
    // nf-ntddk-ioquerydevicedescription
    export(
      "IoQueryDeviceDescription(BusType, BusNumber, ControllerType, ControllerNumber, PeripheralType, PeripheralNumber, CalloutRoutine, Context)",
      irql: .passive
    ) {
      (
        kernel, bus: Pointer<UInt32>, busNumber: GuestWord, controller: GuestWord, controllerNumber: GuestWord, peripheral: GuestWord,
        peripheralNumber: GuestWord, routine: GuestWord, context: GuestWord
      ) -> NTSTATUS in
      // A bus must be named.
      guard !bus.isNull else { return .notImplemented }
      _ = try bus.load()
      return .objectNameNotFound
    }
    .partially("the machine has no description of buses under \\Registry\\Machine\\Hardware: nothing is found, and nobody is called"),
    // nf-ntddk-ioregisterbootdrivercallback: the handle that takes it back.
    export("IoRegisterBootDriverCallback(CallbackFunction, CallbackContext)", irql: .passive) {
      (kernel, routine: GuestWord, context: GuestWord) -> GuestWord in
      guard routine.bits != 0 else { return 0 }
      let block = try kernel.allocate(0x10)
      try kernel.memory.memory.store(UInt32(truncatingIfNeeded: routine.bits), at: block)
      try kernel.memory.memory.store(UInt32(truncatingIfNeeded: context.bits), at: block + 4)
      kernel.register(Kernel.bootDriverCallback, block)
      return GuestWord(block)
    }
    .partially("boot drivers are not classified, so the routine is never called"),
    // nf-ntddk-iounregisterbootdrivercallback
    export("IoUnregisterBootDriverCallback(CallbackHandle)", irql: .passive) { (kernel, handle: GuestWord) in
      if kernel.unregister(Kernel.bootDriverCallback, handle.bits) { kernel.free(handle.bits) }
    },
    // nf-ntifs-iogetpagingiopriority: IoPagingPriorityInvalid 0 of what is no paging request, IoPagingPriorityNormal 1.
    export("IoGetPagingIoPriority(Irp)", irql: .dispatch) { (_, irp: Pointer<IRP>) -> UInt32 in
      try irp.Flags.load().contains(.pagingIO) ? 1 : 0
    },
    // nf-ntddk-iogettransactionparameterblock: no file is opened in a transaction.
    export("IoGetTransactionParameterBlock(FileObject)", irql: .apc) { (_, file: GuestWord) -> GuestWord in 0 },
    transaction("ZwQueryInformationTransaction"), transaction("NtQueryInformationTransaction"),
    // nf-ntifs-mmdoesfilehaveuserwritablereferences: sections that may be written through, and views of them in processes.
    export("MmDoesFileHaveUserWritableReferences(SectionPointer)", irql: .apc) { (kernel, pointers: GuestWord) -> UInt32 in
      func isMeant(_ section: Section) throws -> Bool {
        // PAGE_READWRITE, PAGE_EXECUTE_READWRITE
        try section.protection.rawValue & 0x44 != 0 && !section.file.isNull
          && section.file.SectionObjectPointer.load().address == pointers.bits
      }
      var count: UInt32 = 0
      for section in kernel.files.sections.sections.values where try isMeant(section) { count += 1 }
      for case .view(let section, _, _) in kernel.files.sections.areas.values.joined().map(\.kind) where try isMeant(section) { count += 1 }
      return count
    },
    // nf-ntifs-rtlcreatesystemvolumeinformationfolder: hidden, and the system's.
    export("RtlCreateSystemVolumeInformationFolder(VolumeRootPath)", irql: .passive) {
      (kernel, root: Pointer<UNICODE_STRING>) async throws -> NTSTATUS in
      let path = try root.string()
      let options = Kernel.OpenOptions(
        access: 0x10_0001, fileAttributes: FileAttributes.hidden | FileAttributes.system, share: 7,
        disposition: CreateDisposition.openIf, options: CreateOptions.directoryFile | CreateOptions.synchronousNonAlert)
      switch try await kernel.openFile(path + (path.hasSuffix("\\") ? "" : "\\") + "System Volume Information", options) {
      case .failure(let refusal): return refusal.status
      case .success(let (file, _)):
        try await kernel.cleanUp(file)
        try await kernel.dereference(file.address)
        return .success
      }
    }
    .partially("files have no security, so the folder is everybody's"),
  ]

  private static func transaction(_ name: String) -> Export {
    // nf-wdm-ntqueryinformationtransaction: nothing makes a transaction, so no handle is one's.
    export(
      "\(name)(TransactionHandle, TransactionInformationClass, TransactionInformation, TransactionInformationLength, ReturnLength)",
      irql: .apc
    ) {
      (kernel, handle: GuestWord, kind: UInt32, buffer: GuestWord, length: UInt32, returned: Pointer<UInt32>) -> NTSTATUS in
      try kernel.entry(of: handle.bits) == nil ? .invalidHandle : .objectTypeMismatch
    }
  }
}

extension Kernel {
  static let bootDriverCallback = "a boot driver callback"
}

extension Kernel {
  /// Where in a list of `FILE_FULL_EA_INFORMATION` the first entry is that does not follow the rules; `nil` where all do.
  func invalidAttribute(at buffer: UInt64, _ length: UInt32) throws -> UInt32? {
    let here = memory.memory
    var offset: UInt64 = 0
    while true {
      guard UInt64(length) >= offset + 8 else { return UInt32(offset) }
      let place = buffer + offset
      let next = UInt64(try here.load(UInt32.self, at: place))
      let name = UInt64(try here.load(UInt8.self, at: place + 5))
      let size = 8 + name + 1 + UInt64(try here.load(UInt16.self, at: place + 6))
      // The name ends in a zero that its length does not count.
      guard name > 0, offset + size <= UInt64(length), try here.load(UInt8.self, at: place + 8 + name) == 0 else {
        return UInt32(offset)
      }
      if next == 0 { return nil }
      guard next == (size + 3) & ~3, offset + next <= UInt64(length) else { return UInt32(offset) }
      offset += next
    }
  }
}
