import Guest
import WindowsTypes

extension Export {
  /// The I/O manager's rarer routines.
  static let requestExtras: [Export] = [
    // nf-ntifs-iocheckeabuffervalidity: FILE_FULL_EA_INFORMATION, one behind the other at offsets that are multiples of four.
    export("IoCheckEaBufferValidity(EaBuffer, EaLength, ErrorOffset)", irql: .passive) {
      (kernel, buffer: GuestWord, length: UInt32, error: Pointer<UInt32>) -> NTSTATUS in
      guard let place = try kernel.brokenEntry(ofAttributesAt: buffer.bits, length) else { return .success }
      try error.store(place)
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
