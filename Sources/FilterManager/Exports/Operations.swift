import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Operations.
  static let operations: [Export] = [
    // nf-fltkernel-fltsetcallbackdatadirty
    export("FltSetCallbackDataDirty(Data)", module: "fltMgr") { (_, data: Pointer<FLT_CALLBACK_DATA>) in
      try data.Flags.store(data.Flags.load().union(.dirty))
    },
    // nf-fltkernel-fltclearcallbackdatadirty
    export("FltClearCallbackDataDirty(Data)", module: "fltMgr") { (_, data: Pointer<FLT_CALLBACK_DATA>) in
      try data.Flags.store(data.Flags.load().subtracting(.dirty))
    },
    // nf-fltkernel-fltiscallbackdatadirty
    export("FltIsCallbackDataDirty(Data)", module: "fltMgr") { (_, data: Pointer<FLT_CALLBACK_DATA>) -> UInt8 in
      try data.Flags.load().contains(.dirty) ? 1 : 0
    },
    // nf-fltkernel-fltcompletependedpreoperation
    export("FltCompletePendedPreOperation(CallbackData, CallbackStatus, Context)", module: "fltMgr", irql: .dispatch) {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>, status: FLT_PREOP_CALLBACK_STATUS, context: GuestWord) async throws in
      if status != .complete { try kernel.checkIRQL(atMost: .apc, "FltCompletePendedPreOperation") }
      guard let operation = try kernel.operation(data, in: "FltCompletePendedPreOperation") else { return }
      guard [.complete, .successNoCallback, .successWithCallback].contains(status) else {
        return kernel.report(
          violation: "FltCompletePendedPreOperation is called with \(status), and does nothing: it takes FLT_PREOP_SUCCESS_NO_CALLBACK, "
            + "FLT_PREOP_SUCCESS_WITH_CALLBACK or FLT_PREOP_COMPLETE")
      }
      try await kernel.completePendedPre(operation, status.rawValue, context: context.bits)
    },
    // nf-fltkernel-fltcompletependedpostoperation
    export("FltCompletePendedPostOperation(CallbackData)", module: "fltMgr", irql: .dispatch) {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>) async throws in
      guard let operation = try kernel.operation(data, in: "FltCompletePendedPostOperation") else { return }
      try await kernel.completePendedPost(operation)
    },
    // nf-fltkernel-fltdocompletionprocessingwhensafe
    export(
      "FltDoCompletionProcessingWhenSafe(Data, FltObjects, CompletionContext, Flags, SafePostCallback, RetPostOperationStatus)",
      module: "fltMgr", irql: .dispatch
    ) {
      (
        kernel, data: Pointer<FLT_CALLBACK_DATA>, objects: Pointer<FLT_RELATED_OBJECTS>, context: GuestWord, flags: UInt32,
        routine: GuestWord, result: Pointer<FLT_POSTOP_CALLBACK_STATUS>
      ) async throws -> UInt8 in
      try await kernel.completeWhenSafe(data, objects, context.bits, flags, routine.bits, result) ? 1 : 0
    },
    // nf-fltkernel-fltallocatedeferredioworkitem
    export("FltAllocateDeferredIoWorkItem()", module: "fltMgr", irql: .dispatch) { kernel -> Pointer<Void> in
      try kernel.allocateWorkItem("a deferred I/O work item")
    },
    // nf-fltkernel-fltfreedeferredioworkitem
    export("FltFreeDeferredIoWorkItem(FltWorkItem)", module: "fltMgr", irql: .dispatch) { (kernel, item: Pointer<Void>) in
      try kernel.freeWorkItem(item, in: "FltFreeDeferredIoWorkItem")
    },
    // nf-fltkernel-fltqueuedeferredioworkitem
    export("FltQueueDeferredIoWorkItem(FltWorkItem, Data, WorkerRoutine, QueueType, Context)", module: "fltMgr", irql: .dispatch) {
      (
        kernel, item: Pointer<Void>, data: Pointer<FLT_CALLBACK_DATA>, routine: GuestWord, queue: UInt32, context: GuestWord
      ) -> NTSTATUS in
      try kernel.queueDeferred(item, data, routine.bits, queue, context.bits)
    },
    // nf-fltkernel-fltallocategenericworkitem
    export("FltAllocateGenericWorkItem()", module: "fltMgr", irql: .dispatch) { kernel -> Pointer<Void> in
      try kernel.allocateWorkItem("a generic work item")
    },
    // nf-fltkernel-fltfreegenericworkitem
    export("FltFreeGenericWorkItem(FltWorkItem)", module: "fltMgr", irql: .dispatch) { (kernel, item: Pointer<Void>) in
      try kernel.freeWorkItem(item, in: "FltFreeGenericWorkItem")
    },
    // nf-fltkernel-fltqueuegenericworkitem
    export(
      "FltQueueGenericWorkItem(FltWorkItem, FltObject, WorkerRoutine, QueueType, Context)", module: "fltMgr", irql: .dispatch
    ) {
      (
        kernel, item: Pointer<Void>, object: Pointer<Void>, routine: GuestWord, queue: UInt32, context: GuestWord
      ) -> NTSTATUS in
      try kernel.queueGeneric(item, object, routine.bits, queue, context.bits)
    },
    // nf-fltkernel-fltgetrequestorprocess
    export("FltGetRequestorProcess(CallbackData)", module: "fltMgr") {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>) -> Pointer<EPROCESS> in
      try kernel.requestorProcess(data)
    },
    // nf-fltkernel-fltgetrequestorprocessid
    export("FltGetRequestorProcessId(CallbackData)", module: "fltMgr") { (kernel, data: Pointer<FLT_CALLBACK_DATA>) -> UInt32 in
      let process = try kernel.requestorProcess(data)
      return process.isNull ? 0 : UInt32(truncatingIfNeeded: try process.UniqueProcessId.load().address)
    },
    // nf-fltkernel-fltcancelio
    export("FltCancelIo(CallbackData)", module: "fltMgr", irql: .dispatch) {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>) async throws -> UInt8 in
      guard let operation = try kernel.operation(data, in: "FltCancelIo"), !operation.irp.isNull else { return 0 }
      return try await kernel.cancel(operation.irp) ? 1 : 0
    },
    // nf-fltkernel-fltisiocanceled
    export(
      "FltIsIoCanceled(CallbackData)", module: "fltMgr", irql: .dispatch
    ) { (kernel, data: Pointer<FLT_CALLBACK_DATA>) -> UInt8 in
      guard let operation = try kernel.operation(data, in: "FltIsIoCanceled"), !operation.irp.isNull else { return 0 }
      return try operation.irp.Cancel.load()
    },
    // nf-fltkernel-fltsetcancelcompletion
    export("FltSetCancelCompletion(CallbackData, CanceledCallback)", module: "fltMgr", irql: .dispatch) {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>, routine: GuestWord) -> NTSTATUS in
      guard let operation = try kernel.operation(data, in: "FltSetCancelCompletion"), !operation.irp.isNull else {
        return .invalidParameter
      }
      if try operation.irp.Cancel.load() != 0 { return .cancelled }
      operation.cancelCallback = routine.bits
      try operation.irp.CancelRoutine.store(
        Pointer(kernel.trapAddress(of: "FltpCancelRoutine", in: "fltMgr"), in: kernel.memory.memory))
      return .success
    },
    // nf-fltkernel-fltclearcancelcompletion
    export("FltClearCancelCompletion(CallbackData)", module: "fltMgr", irql: .dispatch) {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>) -> NTSTATUS in
      guard let operation = try kernel.operation(data, in: "FltClearCancelCompletion"), !operation.irp.isNull else {
        return .invalidParameter
      }
      let routine = try operation.irp.CancelRoutine.load()
      try operation.irp.CancelRoutine.store(Pointer(0, in: kernel.memory.memory))
      operation.cancelCallback = 0
      return routine.isNull ? .cancelled : .success
    },
    // nf-fltkernel-fltrequestoperationstatuscallback
    export("FltRequestOperationStatusCallback(Data, CallbackRoutine, RequesterContext)", module: "fltMgr", irql: .apc) {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>, routine: GuestWord, context: GuestWord) -> NTSTATUS in
      guard let operation = try kernel.operation(data, in: "FltRequestOperationStatusCallback"), operation.stage == .pre,
        operation.major != .close, let instance = operation.pended?.instance, routine.bits != 0
      else { return .invalidParameter }
      operation.statusCallbacks.append((instance, routine.bits, context.bits))
      return .success
    },
    // nf-fltkernel-fltgetirpname: of an operation's major function.
    export("FltGetIrpName(IrpMajorCode)", module: "fltMgr") { (kernel, major: UInt8) -> Pointer<Int8> in
      try kernel.irpName(major)
    },
    // nf-fltkernel-fltgetroutineaddress: of the filter manager's own routines.
    export("FltGetRoutineAddress(FltMgrRoutineName)", module: "fltMgr", irql: .apc) {
      (kernel, name: Pointer<UInt8>) -> Pointer<Void> in
      try kernel.filterManagerRoutine(name)
    },
    // nf-fltkernel-fltacquireresourceexclusive: in a critical region.
    export("FltAcquireResourceExclusive(Resource)", module: "fltMgr", irql: .apc) { (kernel, resource: GuestWord) async throws in
      _ = try await kernel.call(kernel.trapAddress(of: "KeEnterCriticalRegion"), [])
      _ = try await kernel.call(kernel.trapAddress(of: "ExAcquireResourceExclusiveLite"), [resource.bits, 1])
    },
    // nf-fltkernel-fltacquireresourceshared
    export("FltAcquireResourceShared(Resource)", module: "fltMgr", irql: .apc) { (kernel, resource: GuestWord) async throws in
      _ = try await kernel.call(kernel.trapAddress(of: "KeEnterCriticalRegion"), [])
      _ = try await kernel.call(kernel.trapAddress(of: "ExAcquireResourceSharedLite"), [resource.bits, 1])
    },
    // nf-fltkernel-fltreleaseresource
    export("FltReleaseResource(Resource)", module: "fltMgr", irql: .apc) { (kernel, resource: GuestWord) async throws in
      _ = try await kernel.call(kernel.trapAddress(of: "ExReleaseResourceLite"), [], setting: [.cx: resource.bits])
      _ = try await kernel.call(kernel.trapAddress(of: "KeLeaveCriticalRegion"), [])
    },
    // nf-fltkernel-fltgetecplistfromcallbackdata: extra create parameters came with Windows Vista; no create has any.
    export("FltGetEcpListFromCallbackData(Filter, CallbackData, EcpList)", module: "fltMgr", irql: .apc) {
      (
        kernel, filter: Pointer<FLT_FILTER>, data: Pointer<FLT_CALLBACK_DATA>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try result.store(0)
      guard let irp = try kernel.createPacket(of: data, in: "FltGetEcpListFromCallbackData") else { return .invalidParameter }
      return try await kernel.forward(filter, "GetEcpListFromIrp", [irp, GuestWord(result.address)])
    },
    // nf-fltkernel-fltgetnextextracreateparameter
    export(
      "FltGetNextExtraCreateParameter(Filter, EcpList, CurrentEcpContext, NextEcpType, NextEcpContext, NextEcpContextSize)",
      module: "fltMgr", irql: .apc
    ) {
      (
        kernel, filter: Pointer<FLT_FILTER>, list: GuestWord, current: GuestWord, type: GuestWord, next: GuestWord, size: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.forward(filter, "GetNextExtraCreateParameter", [list, current, type, next, size])
    },
    // nf-fltkernel-fltisecpfromusermode
    export("FltIsEcpFromUserMode(Filter, EcpContext)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, context: GuestWord) async throws -> UInt8 in
      UInt8(truncatingIfNeeded: try await kernel.forward(filter, "IsEcpFromUserMode", [context]).rawValue)
    },
    // nf-fltkernel-fltenlistintransaction: from Windows Vista on; XP has no transactions.
    export("FltEnlistInTransaction(Instance, Transaction, TransactionContext, NotificationMask)", module: "fltMgr", irql: .apc) {
      (_, instance: Pointer<FLT_INSTANCE>, transaction: GuestWord, context: GuestWord, mask: UInt32) -> NTSTATUS in .notSupported
    },
  ]

  /// What only the filter manager itself leads to.
  static let internals: [Export] = [
    export("FltpDispatch(DeviceObject, Irp)", module: "fltMgr", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.filterDispatch(device, irp)
    },
    export("FltpPassThroughCompletion(DeviceObject, Irp, Context)", module: "fltMgr", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>, context: GuestWord) async throws -> NTSTATUS in
      try await kernel.filterCompletion(irp, context.bits)
    },
    export("FltpCancelRoutine(DeviceObject, Irp)", module: "fltMgr", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws in
      try await kernel.filterCancel(irp)
    },
    export("FltpLateCompletion(DeviceObject, Irp, Context)", module: "fltMgr", isImportable: false) {
      (kernel, device: GuestWord, irp: Pointer<IRP>, context: GuestWord) async throws -> NTSTATUS in try await kernel.completeLate(irp)
    },
    export("FltpWorkItem(Item)", module: "fltMgr", isImportable: false) { (kernel, item: GuestWord) async throws in
      try await kernel.runWorkItem(item.bits)
    },
  ]
}
