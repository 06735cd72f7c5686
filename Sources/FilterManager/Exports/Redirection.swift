import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// What filters of Windows Vista and 7 ask beside their operations: redirection, snapshots, sessions, priorities, waits.
  static let redirection: [Export] = [
    // nf-fltkernel-fltadjustdevicestacksizeforioredirection: the source's stack gets as many locations as the target's.
    export(
      "FltAdjustDeviceStackSizeForIoRedirection(SourceInstance, TargetInstance, SourceDeviceObjectModified)", module: "fltMgr",
      irql: .apc
    ) {
      (kernel, source: Pointer<Void>, target: Pointer<Void>, result: Pointer<UInt8>) -> NTSTATUS in
      let routine = "FltAdjustDeviceStackSizeForIoRedirection"
      guard let source = try kernel.object(source, Instance.self, in: routine),
        let target = try kernel.object(target, Instance.self, in: routine)
      else { return .invalidParameter }
      let (own, wanted) = (try source.volume.device.StackSize.load(), try target.volume.device.StackSize.load())
      if own < wanted { try source.volume.device.StackSize.store(wanted) }
      if !result.isNull { try result.store(own < wanted ? 1 : 0) }
      return .success
    },
    // nf-fltkernel-fltisioredirectionallowed: to another instance of the filter, at the same altitude, whose stack is no deeper.
    export("FltIsIoRedirectionAllowed(SourceInstance, TargetInstance, RedirectionAllowed)", module: "fltMgr", irql: .apc) {
      (kernel, source: Pointer<Void>, target: Pointer<Void>, result: Pointer<UInt8>) -> NTSTATUS in
      guard let source = try kernel.object(source, Instance.self, in: "FltIsIoRedirectionAllowed"),
        let target = try kernel.object(target, Instance.self, in: "FltIsIoRedirectionAllowed")
      else { return .invalidParameter }
      try result.store(kernel.allowsRedirection(from: source, to: target) ? 1 : 0)
      return .success
    },
    // nf-fltkernel-fltisioredirectionallowedforoperation
    export(
      "FltIsIoRedirectionAllowedForOperation(Data, TargetInstance, RedirectionAllowedThisIo, RedirectionAllowedAllIo)",
      module: "fltMgr", irql: .apc
    ) {
      (
        kernel, data: Pointer<FLT_CALLBACK_DATA>, target: Pointer<Void>, this: Pointer<UInt8>, all: Pointer<UInt8>
      ) -> NTSTATUS in
      let routine = "FltIsIoRedirectionAllowedForOperation"
      guard let operation = try kernel.operation(data, in: routine), let source = operation.current,
        let target = try kernel.object(target, Instance.self, in: routine)
      else { return .invalidParameter }
      let isAllowed = try kernel.allowsRedirection(from: source, to: target)
      try this.store(isAllowed && !operation.isFast ? 1 : 0)
      if !all.isNull { try all.store(isAllowed ? 1 : 0) }
      return .success
    },
    // nf-fltkernel-fltisvolumesnapshot: there are none.
    export("FltIsVolumeSnapshot(FltObject, IsSnapshotVolume)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<UInt8>) -> NTSTATUS in
      guard try kernel.volume(ofObject: pointer, in: "FltIsVolumeSnapshot") != nil else { return .invalidParameter }
      try result.store(0)
      return .success
    },
    // nf-fltkernel-fltgetrequestorsessionid: every process is of the console's session.
    export("FltGetRequestorSessionId(CallbackData, SessionId)", module: "fltMgr") {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>, result: Pointer<UInt32>) async throws -> NTSTATUS in
      let process = try await kernel.call(kernel.trapAddress(of: "FltGetRequestorProcess", in: "fltMgr"), [data.address])
      guard process & 0xffff_ffff != 0 else { return .unsuccessful }
      let session = try await kernel.call(kernel.trapAddress(of: "PsGetProcessSessionId"), [process & 0xffff_ffff])
      try result.store(UInt32(truncatingIfNeeded: session))
      return .success
    },
    // nf-fltkernel-fltcancellablewaitforsingleobject
    export("FltCancellableWaitForSingleObject(Object, Timeout, CallbackData)", module: "fltMgr", irql: .apc) {
      (kernel, object: GuestWord, timeout: GuestWord, data: GuestWord) async throws -> NTSTATUS in
      // Executive, KernelMode, not alertable.
      let status = try await kernel.call(kernel.trapAddress(of: "KeWaitForSingleObject"), [object.bits, 0, 0, 0, timeout.bits])
      return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: status))
    }
    .partially("the cancelling of the operation, and the end of the thread, do not end the wait"),
    // nf-fltkernel-fltgetiopriorityhintfromcallbackdata: bits 17 to 19 of the packet's flags, 0 for none of its own.
    export("FltGetIoPriorityHintFromCallbackData(Data)", module: "fltMgr", irql: .dispatch) {
      (_, data: Pointer<FLT_CALLBACK_DATA>) -> UInt32 in
      let hint = try data.Iopb.load().IrpFlags.load().rawValue >> 17 & 7
      return hint == 0 ? 2 : hint - 1
    },
    // nf-fltkernel-fltsetiopriorityhintintocallbackdata: up to IoPriorityCritical, 4.
    export("FltSetIoPriorityHintIntoCallbackData(Data, PriorityHint)", module: "fltMgr", irql: .dispatch) {
      (_, data: Pointer<FLT_CALLBACK_DATA>, hint: UInt32) -> NTSTATUS in
      guard hint < 5 else { return .invalidParameter }
      let flags = try data.Iopb.load().IrpFlags
      try flags.store(IRPFlags(rawValue: flags.load().rawValue & ~(7 << 17) | (hint + 1) << 17))
      try data.Flags.store(data.Flags.load().union(.dirty))
      return .success
    },
    // nf-fltkernel-fltgetiopriorityhint: as above; nobody changes that of a thread or a file.
    export("FltGetIoPriorityHint(Data)", module: "fltMgr", irql: .dispatch) { (_, data: Pointer<FLT_CALLBACK_DATA>) -> UInt32 in
      let hint = try data.Iopb.load().IrpFlags.load().rawValue >> 17 & 7
      return hint == 0 ? 2 : hint - 1
    },
    // nf-fltkernel-fltpurgefilenameinformationcache: of one file, or of all on the volume.
    export("FltPurgeFileNameInformationCache(Instance, FileObject)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, file: GuestWord) -> NTSTATUS in
      guard try kernel.object(pointer, Instance.self, in: "FltPurgeFileNameInformationCache") != nil else { return .invalidParameter }
      kernel.filterManager.queriedNames = kernel.filterManager.queriedNames.filter { file.bits != 0 && $0.file != file.bits }
      return .success
    },
    // nf-fltkernel-fltloadfilter: in a thread that may load drivers.
    export("FltLoadFilter(FilterName)", module: "fltMgr", irql: .passive) {
      (kernel, name: Pointer<UNICODE_STRING>) async throws -> NTSTATUS in
      let service = try name.string()
      if kernel.drivers.contains(where: { $0.isLoaded && $0.name.lowercased() == service.lowercased() }) {
        // STATUS_IMAGE_ALREADY_LOADED
        return NTSTATUS(rawValue: 0xc000_010e)
      }
      guard let driver = try kernel.prepareDriver(service) else { return .objectNameNotFound }
      return try await kernel.start(driver)
    }
    .partially("the caller's privilege is not looked at"),
    // nf-fltkernel-fltopenvolume: a handle, and a reference to the file object if that is wanted.
    export("FltOpenVolume(Instance, VolumeHandle, VolumeFileObject)", module: "fltMgr", irql: .passive) {
      (kernel, pointer: Pointer<Void>, result: Pointer<GuestWord>, file: Pointer<GuestWord>) async throws -> NTSTATUS in
      try result.store(0)
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltOpenVolume") else { return .invalidParameter }
      // FILE_READ_ATTRIBUTES | SYNCHRONIZE; FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT
      let (status, handle) = try await kernel.openBelow(
        instance, instance.volume.name, access: 0x10_0080, disposition: 1, options: 0x20)
      guard status.isSuccess else { return status }
      try result.store(GuestWord(handle))
      guard !file.isNull, let object = try kernel.fileObject(ofHandle: handle) else { return status }
      try kernel.reference(object.address, for: kernel.site())
      try file.store(GuestWord(object.address))
      return status
    },
  ]
}

extension Kernel {
  fileprivate func allowsRedirection(from source: Instance, to target: Instance) throws -> Bool {
    try source.filter === target.filter && source.altitude == target.altitude && !isGoing(target)
      && target.volume.device.StackSize.load() <= source.volume.device.StackSize.load()
  }
}
