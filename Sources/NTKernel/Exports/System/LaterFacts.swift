import Guest
import WindowsTypes

/// What threads and processes say of themselves, tagged references, and what else few drivers import by name and many look for.
/// Without a reference page where none is named.
extension Export {
  static let laterFacts: [Export] = [
    export("PsGetCurrentThread()") { kernel -> Pointer<KTHREAD> in try kernel.currentThread() },
    export("PsGetCurrentThreadProcess()") { kernel -> Pointer<EPROCESS> in try kernel.currentThread().cast().threadsProcess.load() },
    export("PsGetCurrentThreadProcessId()") { kernel -> Pointer<Void> in
      try kernel.currentThread().cast(to: ETHREAD.self).Cid.UniqueProcess.load()
    },
    export("PsGetCurrentThreadPreviousMode()") { kernel -> UInt32 in UInt32(try kernel.previousMode().rawValue) },
    export("PsGetCurrentThreadStackBase()") { kernel -> Pointer<Void> in try kernel.currentThread().StackBase.load() },
    export("PsGetCurrentThreadStackLimit()") { kernel -> Pointer<Void> in try kernel.currentThread().StackLimit.load() },
    export("PsGetProcessExitProcessCalled(Process)") { (kernel, process: Pointer<EPROCESS>) -> UInt8 in
      kernel.process(at: process.address).map { $0.hasExited } ?? false ? 1 : 0
    },
    export("PsGetProcessSessionIdEx(Process)") { (_, process: Pointer<EPROCESS>) -> UInt32 in
      // System is in no session.
      try process.UniqueProcessId.load().address == 4 ? 0xffff_ffff : 0
    },
    export("PsIsSystemProcess(Process)") { (_, process: Pointer<EPROCESS>) -> UInt8 in
      try process.UniqueProcessId.load().address == 4 ? 1 : 0
    },
    // nf-ntddk-psisprotectedprocess (Vista): System is.
    export("PsIsProtectedProcess(Process)") { (_, process: Pointer<EPROCESS>) -> UInt8 in
      try process.UniqueProcessId.load().address == 4 ? 1 : 0
    },
    export("PsIsProcessBeingDebugged(Process)") { (_, process: Pointer<EPROCESS>) -> UInt8 in
      try process.DebugPort.load().isNull ? 0 : 1
    },
    // nf-ntifs-obreferenceobjectbyhandlewithtag
    export(
      "ObReferenceObjectByHandleWithTag(Handle, DesiredAccess, ObjectType, AccessMode, Tag, Object, HandleInformation)", irql: .passive
    ) {
      (
        kernel, handle: GuestWord, access: UInt32, type: GuestWord, mode: KPROCESSOR_MODE, tag: UInt32, result: Pointer<GuestWord>,
        information: Pointer<UInt32>
      ) -> NTSTATUS in
      try result.store(0)
      switch try kernel.object(handle.bits, access: access, type: type.bits, mode: mode) {
      case .failure(let refusal): return refusal.status
      case .success(let entry):
        try kernel.reference(entry.object, for: kernel.site())
        try result.store(GuestWord(entry.object))
        guard !information.isNull else { return .success }
        try information.store(0)
        try information[1].store(entry.grantedAccess)
        return .success
      }
    }
    .partially("the tag is not kept"),
    // nf-ntifs-obreferenceobjectbypointerwithtag
    export("ObReferenceObjectByPointerWithTag(Object, DesiredAccess, ObjectType, AccessMode, Tag)", irql: .dispatch) {
      (kernel, object: GuestWord, access: UInt32, type: GuestWord, mode: KPROCESSOR_MODE, tag: UInt32) -> NTSTATUS in
      guard try kernel.isOfType(object.bits, type.bits), type.bits != 0 || mode == .kernelMode else { return .objectTypeMismatch }
      try kernel.reference(object.bits, for: kernel.site())
      return .success
    }
    .partially("the tag is not kept"),
    // nf-ntifs-obreferenceobjectwithtag, nf-ntifs-obdereferenceobjectwithtag: the macros lead here.
    export("ObfReferenceObjectWithTag(Object, Tag)", .fastcall, irql: .dispatch) { (kernel, object: GuestWord, tag: UInt32) -> Int32 in
      try kernel.reference(object.bits, for: kernel.site())
    }
    .partially("the tag is not kept"),
    export("ObfDereferenceObjectWithTag(Object, Tag)", .fastcall, irql: .dispatch) {
      (kernel, object: GuestWord, tag: UInt32) async throws -> Int32 in
      try await kernel.dereference(object.bits, by: kernel.servedReturnAddress)
    }
    .partially("the tag is not kept"),
    // nf-wdm-iovalidatedeviceiocontrolaccess: FILE_READ_ACCESS 1, FILE_WRITE_ACCESS 2; kernel-mode requestors may.
    export("IoValidateDeviceIoControlAccess(Irp, RequiredAccess)", irql: .apc) {
      (_, irp: Pointer<IRP>, access: UInt32) -> NTSTATUS in
      guard access & ~3 == 0 else { return .invalidParameter }
      guard try irp.RequestorMode.load() == .userMode else { return .success }
      let file = try irp.Tail.Overlay.CurrentStackLocation.load().FileObject.load()
      guard !file.isNull else { return .success }
      let granted = (try file.ReadAccess.load() != 0 ? 1 : 0) | (try file.WriteAccess.load() != 0 ? 2 : 0) as UInt32
      return granted & access == access ? .success : .accessDenied
    },
    // nf-ntifs-lsafreereturnbuffer: gives the pages back in which an answer came.
    export("LsaFreeReturnBuffer(Buffer)", irql: .passive) { (kernel, buffer: GuestWord) -> NTSTATUS in
      guard let process = kernel.process(at: try kernel.currentProcess().address) else { return .invalidParameter }
      do {
        _ = try kernel.freeVirtualMemory(buffer.bits, 0, AllocationKind.release, in: process)
        return .success
      } catch let refusal as Kernel.Refusal { return refusal.status }
    },
    // nf-ntsecpkg-getsecurityuserinfo's kernel side: STATUS_NO_SUCH_LOGON_SESSION.
    export("GetSecurityUserInfo(LogonId, Flags, UserInformation)", module: "ksecdd", irql: .passive) {
      (_, id: GuestWord, flags: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(0)
      return NTSTATUS(rawValue: 0xc000_005f)
    }
    .partially("no security authority answers: of every session it is said that there is none"),
    // The compiler's AbnormalTermination(): whether a finally block runs because of an unwind.
    export("_abnormal_termination()", .cdecl) { kernel -> UInt32 in try kernel.isUnwindingLocally() ? 1 : 0 },
    // wdm.h's KeSetCoalescableTimer (Windows 7): a tolerance that this clock does not need.
    export("KeSetCoalescableTimer(Timer, DueTime, Period, TolerableDelay, Dpc)", irql: .dispatch) {
      (kernel, timer: Pointer<KTIMER>, due: Int64, period: UInt32, tolerance: UInt32, dpc: Pointer<KDPC>) -> UInt8 in
      try kernel.setTimer(timer, due: due, period: Int32(clamping: period), dpc) ? 1 : 0
    },
  ]
}
