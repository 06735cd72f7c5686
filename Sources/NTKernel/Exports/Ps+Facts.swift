import Guest
import Memory
import WindowsTypes

extension Export {
  /// What a process or a thread says of itself. Without a reference page of their own: prototypes of `ntddk.h`, `ntifs.h` and
  /// ReactOS' headers.
  static let processFacts: [Export] = [
    // nf-ntifs-psisthreadterminating
    export("PsIsThreadTerminating(Thread)") { (_, thread: Pointer<ETHREAD>) -> UInt8 in
      try UInt8(thread.load(bits: \.Terminated))
    },
    // nf-ntifs-psissystemthread
    export("PsIsSystemThread(Thread)") { (_, thread: Pointer<ETHREAD>) -> UInt8 in try thread.isSystemThread() ? 1 : 0 },
    // nf-ntifs-ioissystemthread
    export("IoIsSystemThread(Thread)") { (_, thread: Pointer<ETHREAD>) -> UInt8 in try thread.isSystemThread() ? 1 : 0 },
    // nf-ntifs-psgetprocessexittime: of the current process.
    export("PsGetProcessExitTime()") { kernel -> Int64 in
      try kernel.currentProcess().cast(to: EPROCESS.self).ExitTime.QuadPart.load()
    },
    // nf-ntddk-psgetprocesscreatetimequadpart
    export("PsGetProcessCreateTimeQuadPart(Process)") { (_, process: Pointer<EPROCESS>) -> Int64 in try process.CreateTime.QuadPart.load()
    },
    export("PsGetProcessExitStatus(Process)") { (_, process: Pointer<EPROCESS>) -> NTSTATUS in try process.ExitStatus.load() },
    export("PsGetProcessImageFileName(Process)") { (_, process: Pointer<EPROCESS>) -> Pointer<UInt8> in process.ImageFileName },
    export("PsGetProcessInheritedFromUniqueProcessId(Process)") { (_, process: Pointer<EPROCESS>) -> Pointer<Void> in
      try process.InheritedFromUniqueProcessId.load()
    },
    export("PsGetProcessSectionBaseAddress(Process)") { (_, process: Pointer<EPROCESS>) -> Pointer<Void> in
      try process.SectionBaseAddress.load()
    },
    export("PsGetProcessJob(Process)") { (_, process: Pointer<EPROCESS>) -> Pointer<EJOB> in try process.Job.load() },
    export("PsGetProcessWin32Process(Process)") { (_, process: Pointer<EPROCESS>) -> Pointer<Void> in try process.Win32Process.load() },
    export("PsGetProcessDebugPort(Process)") { (_, process: Pointer<EPROCESS>) -> Pointer<Void> in try process.DebugPort.load() },
    export("PsGetProcessSessionId(Process)") { (_, process: Pointer<EPROCESS>) -> UInt32 in 0 },
    export("PsGetCurrentProcessSessionId()") { _ -> UInt32 in 0 },
    export("PsGetProcessPeb(Process)") { (kernel, process: Pointer<EPROCESS>) -> Pointer<PEB> in
      if let process = kernel.process(at: process.address) { try kernel.makeEnvironment(of: process) }
      return try process.Peb.load()
    }
    .partially("the block is a page of zeros but for ImageBaseAddress, the processor count and the version"),
    // nf-ntifs-psgetthreadid
    export("PsGetThreadId(Thread)") { (_, thread: Pointer<ETHREAD>) -> Pointer<Void> in try thread.Cid.UniqueThread.load() },
    // nf-ntifs-psgetthreadprocessid
    export("PsGetThreadProcessId(Thread)") { (_, thread: Pointer<ETHREAD>) -> Pointer<Void> in try thread.Cid.UniqueProcess.load() },
    export("PsGetCurrentThreadTeb()") { kernel -> Pointer<Void> in try kernel.currentThread().Teb.load() }
      .partially("it is NULL: threads have no environment block"),
    export("PsGetThreadTeb(Thread)") { (_, thread: Pointer<ETHREAD>) -> Pointer<Void> in try thread.Tcb.Teb.load() }
      .partially("it is NULL: threads have no environment block"),
    export("PsGetThreadHardErrorsAreDisabled(Thread)") { (_, thread: Pointer<ETHREAD>) -> UInt8 in
      try UInt8(thread.load(bits: \.HardErrorsAreDisabled))
    },
    export("PsSetThreadHardErrorsAreDisabled(Thread, HardErrorsAreDisabled)") { (_, thread: Pointer<ETHREAD>, isDisabled: UInt8) in
      try thread.store(bits: \.HardErrorsAreDisabled, isDisabled == 0 ? 0 : 1)
    },
    // nf-ntifs-pslookupprocessthreadbycid's fellow of `ntddk.h`: both are referenced, the process only if it is asked for.
    export("PsLookupProcessThreadByCid(Cid, Process, Thread)", irql: .apc) {
      (kernel, id: Pointer<CLIENT_ID>, process: Pointer<Pointer<EPROCESS>>, thread: Pointer<Pointer<ETHREAD>>) -> NTSTATUS in
      let (owner, own) = (try id.UniqueProcess.load().address, try id.UniqueThread.load().address)
      guard
        let found = try kernel.threads.first(where: {
          try !$0.hasEnded && $0.object.Cid.UniqueThread.load().address == own && $0.object.Cid.UniqueProcess.load().address == owner
        })
      else { return NTSTATUS(rawValue: 0xc000_000b) }
      try kernel.reference(found.object.address, for: kernel.site())
      try thread.store(found.object)
      guard !process.isNull else { return .success }
      try kernel.reference(found.owner.object.address, for: kernel.site())
      try process.store(found.owner.object)
      return .success
    },
    // nf-ntifs-iogetrequestorprocessid: 0 where no thread issued it.
    export("IoGetRequestorProcessId(Irp)") { (kernel, irp: Pointer<IRP>) -> UInt32 in
      let thread = try irp.Tail.Overlay.Thread.load()
      guard !thread.isNull else { return 0 }
      return UInt32(truncatingIfNeeded: try thread.threadsProcess.load().UniqueProcessId.load().address)
    },
    // nf-ntddk-exgetpreviousmode
    export("ExGetPreviousMode()") { kernel -> UInt32 in UInt32(try kernel.previousMode().rawValue) },
    // nf-ntifs-psacquireprocessexitsynchronization: STATUS_PROCESS_IS_TERMINATING.
    export("PsAcquireProcessExitSynchronization(Process)", irql: .apc) { (kernel, process: Pointer<EPROCESS>) -> NTSTATUS in
      kernel.process(at: process.address)?.hasExited == true ? .processIsTerminating : .success
    }
    .partially("an exit does not wait for the release"),
    export("PsReleaseProcessExitSynchronization(Process)", irql: .apc) { (_, process: Pointer<EPROCESS>) in },
  ]
}
