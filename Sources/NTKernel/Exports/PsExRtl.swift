import Guest
import WindowsTypes

extension Export {
  static let ps: [Export] = [
    // No reference page; the same process as IoThreadToProcess returns.
    export("PsGetThreadProcess(Thread)") { (_, thread: Pointer<ETHREAD>) -> Pointer<EPROCESS> in
      try thread.threadsProcess.load()
    }
    .uncertain("exported without a reference page; returns the thread's owner"),
    // nf-ntddk-psgetcurrentprocess
    export("PsGetCurrentProcess()") { kernel -> Pointer<EPROCESS> in try kernel.currentProcess().cast() },
    // nf-ntddk-psgetcurrentprocessid: of the thread's own process, whatever it is attached to.
    export("PsGetCurrentProcessId()") { kernel -> Pointer<Void> in
      try kernel.currentThread().cast(to: ETHREAD.self).Cid.UniqueProcess.load()
    },
    // nf-ntddk-psgetcurrentthreadid
    export("PsGetCurrentThreadId()") { kernel -> Pointer<Void> in
      try kernel.currentThread().cast(to: ETHREAD.self).Cid.UniqueThread.load()
    },
    // nf-ntddk-psgetprocessid
    export("PsGetProcessId(Process)") { (_, process: Pointer<EPROCESS>) -> Pointer<Void> in
      try process.UniqueProcessId.load()
    },
  ]

  static let ex: [Export] = [
    // nf-wdm-exraisestatus
    export("ExRaiseStatus(Status)", irql: .apc) { (kernel, status: NTSTATUS) in
      throw GuestException(status, isContinuable: false, address: kernel.servedReturnAddress)
    },
    // nf-ntddk-exraiseaccessviolation
    export("ExRaiseAccessViolation()", irql: .passive) { kernel in
      throw GuestException(.accessViolation, isContinuable: false, address: kernel.servedReturnAddress)
    },
    // nf-ntddk-exraisedatatypemisalignment
    export("ExRaiseDatatypeMisalignment()", irql: .passive) { kernel in
      throw GuestException(.datatypeMisalignment, isContinuable: false, address: kernel.servedReturnAddress)
    },
    // nf-wdm-exallocatepoolwithtag
    export("ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag)", irql: .dispatch) {
      (kernel, type: POOL_TYPE, size: GuestWord, tag: UInt32) -> Pointer<Void> in
      Pointer(try kernel.allocatePool(type, size.bits, tag: tag), in: kernel.memory.memory)
    },
    // nf-ntddk-exfreepool
    export("ExFreePool(P)", irql: .dispatch) { (kernel, block: GuestWord) in try kernel.freePool(block.bits) },
    // nf-wdm-exfreepoolwithtag
    export("ExFreePoolWithTag(P, Tag)", irql: .dispatch) { (kernel, block: GuestWord, tag: UInt32) in
      try kernel.freePool(block.bits, tag: tag)
    },
  ]

  static let rtl: [Export] = [
    // nf-winnt-rtlunwind: returns to its caller, with ReturnValue as the result.
    export("RtlUnwind(TargetFrame, TargetIp, ExceptionRecord, ReturnValue)") {
      (
        kernel, frame: GuestWord, target: GuestWord, record: Pointer<EXCEPTION_RECORD>, value: GuestWord
      ) async throws -> GuestWord in
      try await kernel.unwind(to: frame.bits == 0 ? nil : frame.bits, record, from: kernel.servedReturnAddress)
      return value
    }
    .uncertain("TargetIp is not used on x86: control returns to the caller, as observed"),

    export("_except_handler3(ExceptionRecord, EstablisherFrame, ContextRecord, DispatcherContext)", .cdecl) {
      (
        kernel, record: Pointer<EXCEPTION_RECORD>, frame: Pointer<EH3_EXCEPTION_REGISTRATION>, context: Pointer<CONTEXT>,
        dispatcher: Pointer<Void>
      ) async throws -> EXCEPTION_DISPOSITION in
      try await kernel.exceptHandler3(record, frame, context)
    },

    // The compiler's helper that leaves a try block early: runs the finally blocks on the way.
    export("_local_unwind2(EstablisherFrame, TryLevel)", .cdecl) {
      (kernel, frame: Pointer<EH3_EXCEPTION_REGISTRATION>, level: Int32) async throws -> UInt32 in
      try await kernel.localUnwind(frame, to: level)
      return 0
    },
  ]

  /// Places that only the kernel itself leads to.
  static let internals: [Export] = [
    // The handler of the frame below a running handler: an exception while it runs is nested.
    export(
      "KiNestedExceptionHandler(ExceptionRecord, EstablisherFrame, ContextRecord, DispatcherContext)", .cdecl, isImportable: false
    ) {
      (
        kernel, record: Pointer<EXCEPTION_RECORD>, frame: GuestWord, context: Pointer<CONTEXT>, dispatcher: Pointer<UInt32>
      ) -> EXCEPTION_DISPOSITION in
      guard try record.ExceptionFlags.load().isDisjoint(with: [.unwinding, .exitUnwind]) else { return .continueSearch }
      try dispatcher.store(kernel.memory.memory.load(UInt32.self, at: frame.bits + 8))
      return .nestedException
    },
    // The same while an unwind calls a handler: a second unwind takes over where the first was.
    export(
      "KiCollidedUnwindHandler(ExceptionRecord, EstablisherFrame, ContextRecord, DispatcherContext)", .cdecl, isImportable: false
    ) {
      (
        kernel, record: Pointer<EXCEPTION_RECORD>, frame: GuestWord, context: Pointer<CONTEXT>, dispatcher: Pointer<UInt32>
      ) -> EXCEPTION_DISPOSITION in
      if try record.ExceptionFlags.load().isDisjoint(with: [.unwinding, .exitUnwind]) { return .continueSearch }
      try dispatcher.store(kernel.memory.memory.load(UInt32.self, at: frame.bits + 8))
      return .collidedUnwind
    },
    // The run's own guard around a call it makes.
    export(
      "KiGuardHandler(ExceptionRecord, EstablisherFrame, ContextRecord, DispatcherContext)", .cdecl, isImportable: false
    ) {
      (
        kernel, record: Pointer<EXCEPTION_RECORD>, frame: GuestWord, context: Pointer<CONTEXT>, dispatcher: GuestWord
      ) async throws -> EXCEPTION_DISPOSITION in
      guard try record.ExceptionFlags.load().isDisjoint(with: [.unwinding, .exitUnwind]) else { return .continueSearch }
      let code = try record.ExceptionCode.load()
      try await kernel.unwind(to: frame.bits, record, from: kernel.servedReturnAddress)
      try kernel.kpcr.NtTib.ExceptionList.store(
        Pointer<EXCEPTION_REGISTRATION_RECORD>(frame.bits, in: kernel.memory.memory).Next.load())
      throw GuardedRaise(code: code)
    },
  ]
}
