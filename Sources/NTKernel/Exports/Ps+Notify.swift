import Guest
import WindowsTypes

extension Export {
  /// Being told of processes, threads and images.
  static let notifyRoutines: [Export] = [
    // nf-ntddk-pssetcreateprocessnotifyroutine
    export("PsSetCreateProcessNotifyRoutine(NotifyRoutine, Remove)", irql: .passive) {
      (kernel, routine: GuestWord, remove: UInt8) -> NTSTATUS in
      kernel.changeProcessRoutine(routine.bits, isExtended: false, removes: remove != 0)
    }
    .uncertain("XP's limit is taken to be 8; the page names 64, that of Windows 7"),
    // nf-ntddk-pssetcreateprocessnotifyroutineex
    export("PsSetCreateProcessNotifyRoutineEx(NotifyRoutine, Remove)", irql: .passive) {
      (kernel, routine: GuestWord, remove: UInt8) -> NTSTATUS in
      guard kernel.hasIntegrityCheck(routine.bits) else { return .accessDenied }
      return kernel.changeProcessRoutine(routine.bits, isExtended: true, removes: remove != 0)
    }
    .uncertain("a process that a routine forbids is reported to have ended, as any other"),
    // nf-ntddk-pssetcreatethreadnotifyroutine
    export("PsSetCreateThreadNotifyRoutine(NotifyRoutine)", irql: .passive) { (kernel, routine: GuestWord) -> NTSTATUS in
      kernel.addRoutine(routine.bits, to: \.threadRoutines, NotifyKind.thread)
    },
    // nf-ntddk-psremovecreatethreadnotifyroutine
    export("PsRemoveCreateThreadNotifyRoutine(NotifyRoutine)", irql: .passive) { (kernel, routine: GuestWord) -> NTSTATUS in
      kernel.removeRoutine(routine.bits, from: \.threadRoutines, NotifyKind.thread)
    },
    // nf-ntddk-pssetloadimagenotifyroutine
    export("PsSetLoadImageNotifyRoutine(NotifyRoutine)", irql: .passive) { (kernel, routine: GuestWord) -> NTSTATUS in
      kernel.addRoutine(routine.bits, to: \.imageRoutines, NotifyKind.image)
    }
    .partially("of a process, its own image is reported, and not ntdll.dll and the other libraries"),
    // nf-ntddk-psremoveloadimagenotifyroutine
    export("PsRemoveLoadImageNotifyRoutine(NotifyRoutine)", irql: .passive) { (kernel, routine: GuestWord) -> NTSTATUS in
      kernel.removeRoutine(routine.bits, from: \.imageRoutines, NotifyKind.image)
    },
  ]
}
