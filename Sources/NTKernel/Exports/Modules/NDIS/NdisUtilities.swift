import Events
import Guest
import WindowsTypes

extension Export {
  /// NDIS's names for what the kernel does.
  static let ndisUtilities: [Export] =
    ndisStrings + ndisMemory + ndisLocks + ndisTimers + ndisWork + ndisFacts + ndisFiles
    + [
      Export.interlocked["InterlockedIncrement"].exported(as: "NdisInterlockedIncrement(Addend)", by: "ndis", .stdcall),
      Export.interlocked["InterlockedDecrement"].exported(as: "NdisInterlockedDecrement(Addend)", by: "ndis", .stdcall),
      Export.interlocked["ExInterlockedAddUlong"].exported(as: "NdisInterlockedAddUlong(Addend, Increment, SpinLock)", by: "ndis"),
      Export.stackLists["ExInterlockedInsertHeadList"].exported(
        as: "NdisInterlockedInsertHeadList(ListHead, ListEntry, SpinLock)", by: "ndis"),
      Export.stackLists["ExInterlockedInsertTailList"].exported(
        as: "NdisInterlockedInsertTailList(ListHead, ListEntry, SpinLock)", by: "ndis"),
      Export.stackLists["ExInterlockedRemoveHeadList"].exported(as: "NdisInterlockedRemoveHeadList(ListHead, SpinLock)", by: "ndis"),
      Export.stackLists["ExInterlockedPushEntryList"].exported(as: "NdisInterlockedPushEntryList(ListHead, ListEntry, Lock)", by: "ndis"),
      Export.stackLists["ExInterlockedPopEntryList"].exported(as: "NdisInterlockedPopEntryList(ListHead, Lock)", by: "ndis"),
    ]

  private static let ndisStrings: [Export] = [
    Export.unicodeStrings["RtlInitUnicodeString"].exported(as: "NdisInitUnicodeString(Destination, Source)", by: "ndis"),
    Export.ansiStrings["RtlInitAnsiString"].exported(as: "NdisInitAnsiString(Destination, Source)", by: "ndis"),
    conversion("NdisAnsiStringToUnicodeString", by: "RtlAnsiStringToUnicodeString"),
    conversion("NdisUnicodeStringToAnsiString", by: "RtlUnicodeStringToAnsiString"),
    conversion("NdisUpcaseUnicodeString", by: "RtlUpcaseUnicodeString"),
    Export.unicodeStrings["RtlEqualUnicodeString"].exported(as: "NdisEqualString(String1, String2, CaseInsensitive)", by: "ndis"),
    // nf-ndis-ndisinitializestring: into a buffer that the caller frees by NdisFreeString.
    export("NdisInitializeString(Destination, Source)", module: "ndis", irql: .passive) {
      (kernel, target: Pointer<UNICODE_STRING>, source: Pointer<UInt8>) in
      let units = try source.units().prefix(0x7ffe)
      // "Ndis"
      guard let text = try kernel.nonPagedPool.allocate(UInt64(units.count * 2 + 2), tag: 0x7369_644e, in: kernel.memory) else { return }
      for (index, unit) in units.enumerated() { try kernel.memory.memory.store(UInt16(unit), at: text + UInt64(index) * 2) }
      try kernel.memory.memory.store(UInt16(0), at: text + UInt64(units.count) * 2)
      try target.Length.store(UInt16(units.count * 2))
      try target.MaximumLength.store(UInt16(units.count * 2 + 2))
      try target.Buffer.store(Pointer(text, in: kernel.memory.memory))
    },
  ]

  private static let ndisMemory: [Export] = [
    // nf-ndis-ndisallocatememory: NDIS_MEMORY_CONTIGUOUS 1, NDIS_MEMORY_NONCACHED 2; else nonpaged pool.
    export("NdisAllocateMemory(VirtualAddress, Length, MemoryFlags, HighestAcceptableAddress)", module: "ndis", irql: .dispatch) {
      (kernel, result: Pointer<GuestWord>, length: UInt32, flags: UInt32, highest: UInt64) -> NTSTATUS in
      let address =
        flags & 3 != 0
        ? try kernel.allocateContiguous(UInt64(length), highest: highest)
        : try kernel.allocatePool(.nonPaged, UInt64(length), tag: 0x7369_644e)
      try result.store(GuestWord(address))
      return address == 0 ? .unsuccessful : .success
    },
    // nf-ndis-ndisallocatememorywithtag: NDIS_STATUS_FAILURE where there is none.
    export("NdisAllocateMemoryWithTag(VirtualAddress, Length, Tag)", module: "ndis", irql: .dispatch) {
      (kernel, result: Pointer<GuestWord>, length: UInt32, tag: UInt32) -> NTSTATUS in
      let address = try kernel.allocatePool(.nonPaged, UInt64(length), tag: tag)
      try result.store(GuestWord(address))
      return address == 0 ? .unsuccessful : .success
    },
    // nf-ndis-ndisallocatememorywithtagpriority
    export("NdisAllocateMemoryWithTagPriority(NdisHandle, Length, Tag, Priority)", module: "ndis", irql: .dispatch) {
      (kernel, handle: GuestWord, length: UInt32, tag: UInt32, priority: UInt32) -> GuestWord in
      GuestWord(try kernel.allocatePool(.nonPaged, UInt64(length), tag: tag))
    },
    // nf-ndis-ndisfreememory: with the flags that it was allocated with.
    export("NdisFreeMemory(VirtualAddress, Length, MemoryFlags)", module: "ndis", irql: .dispatch) {
      (kernel, address: GuestWord, length: UInt32, flags: UInt32) async throws in
      if flags & 3 != 0 {
        try await kernel.nt("MmFreeContiguousMemory", address.bits)
      } else {
        try kernel.freePool(address.bits)
      }
    },
    export("NdisFreeMemoryWithTag(VirtualAddress, Tag)", module: "ndis", irql: .dispatch) { (kernel, address: GuestWord, tag: UInt32) in
      try kernel.freePool(address.bits)
    },
    export("NdisFreeMemoryWithTagPriority(NdisHandle, VirtualAddress, Tag)", module: "ndis", irql: .dispatch) {
      (kernel, handle: GuestWord, address: GuestWord, tag: UInt32) in try kernel.freePool(address.bits)
    },
    // nf-ndis-ndisallocategenericobject
    export("NdisAllocateGenericObject(DriverObject, Tag, Size)", module: "ndis", irql: .dispatch) {
      (kernel, driver: GuestWord, tag: UInt32, size: UInt16) -> GuestWord in
      // NDIS_OBJECT_HEADER of NDIS_OBJECT_TYPE_GENERIC_OBJECT, the caller, the object's own driver.
      let place = try kernel.allocatePool(.nonPaged, max(0x10, UInt64(size)), tag: tag)
      guard place != 0 else { return 0 }
      try kernel.memory.memory.fill(0, count: Int(max(0x10, size)), at: place)
      try kernel.words(place).set([0: 0x0010_01a0, 0xc: driver.bits])
      return GuestWord(place)
    },
    export("NdisFreeGenericObject(NdisObject)", module: "ndis", irql: .dispatch) { (kernel, object: GuestWord) in
      try kernel.freePool(object.bits)
    },
  ]

  /// NDIS_SPIN_LOCK: a spin lock, and the IRQL before.
  private static let ndisLocks: [Export] = [
    export("NdisAllocateSpinLock(SpinLock)", module: "ndis") { (_, lock: Pointer<GuestWord>) in try lock.store(0) },
    export("NdisFreeSpinLock(SpinLock)", module: "ndis") { (_, lock: GuestWord) in },
    // nf-ndis-ndisacquirespinlock
    export("NdisAcquireSpinLock(SpinLock)", module: "ndis", irql: .dispatch) { (kernel, lock: Pointer<GuestWord>) in
      let old = try kernel.raiseAndAcquire(lock)
      try kernel.words(lock.address).set(byte: old.rawValue, at: 4)
    },
    // nf-ndis-ndisreleasespinlock
    export("NdisReleaseSpinLock(SpinLock)", module: "ndis", irql: .dispatch) { (kernel, lock: Pointer<GuestWord>) in
      try kernel.release(lock)
      try kernel.lowerIRQL(to: IRQL(rawValue: kernel.words(lock.address).byte(4)))
    },
    export("NdisDprAcquireSpinLock(SpinLock)", module: "ndis", irql: .dispatch) { (kernel, lock: Pointer<GuestWord>) in
      try kernel.acquire(lock)
      try kernel.words(lock.address).set(byte: IRQL.dispatch.rawValue, at: 4)
    },
    export("NdisDprReleaseSpinLock(SpinLock)", module: "ndis", irql: .dispatch) { (kernel, lock: Pointer<GuestWord>) in
      try kernel.release(lock)
    },
    // nf-ndis-ndisinitializereadwritelock
    export("NdisInitializeReadWriteLock(Lock)", module: "ndis") { (kernel, lock: GuestWord) in
      try kernel.memory.memory.fill(0, count: 0x210, at: lock.bits)
    },
    export("NdisAcquireReadWriteLock(Lock, Write, LockState)", module: "ndis", irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, writes: UInt8, state: GuestWord) in
      try kernel.acquire(lock, writes: writes != 0, state.bits)
    },
    export("NdisReleaseReadWriteLock(Lock, LockState)", module: "ndis", irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, state: GuestWord) in try kernel.release(lock, state.bits)
    },
    // nf-ndis-ndisdpracquirereadwritelock: at DISPATCH_LEVEL, which it stays at.
    export("NdisDprAcquireReadWriteLock(Lock, Write, LockState)", module: "ndis", irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, writes: UInt8, state: GuestWord) in
      try kernel.acquire(lock, writes: writes != 0, state.bits)
    },
    export("NdisDprReleaseReadWriteLock(Lock, LockState)", module: "ndis", irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, state: GuestWord) in try kernel.release(lock, state.bits)
    },
    // nf-ndis-ndisallocaterwlock
    export("NdisAllocateRWLock(NdisHandle)", module: "ndis", irql: .dispatch) { (kernel, handle: GuestWord) -> GuestWord in
      // "NDrl"
      guard let lock = try kernel.nonPagedPool.allocate(0x10, tag: 0x6c72_444e, in: kernel.memory) else { return 0 }
      try kernel.words(lock).set(0, 0)
      return GuestWord(lock)
    },
    export("NdisFreeRWLock(Lock)", module: "ndis", irql: .dispatch) { (kernel, lock: GuestWord) in try kernel.freePool(lock.bits) },
    export("NdisAcquireRWLockRead(Lock, LockState, Flags)", module: "ndis", irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, state: GuestWord, flags: UInt8) in try kernel.acquire(lock, writes: false, state.bits)
    },
    export("NdisAcquireRWLockWrite(Lock, LockState, Flags)", module: "ndis", irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, state: GuestWord, flags: UInt8) in try kernel.acquire(lock, writes: true, state.bits)
    },
    export("NdisReleaseRWLock(Lock, LockState)", module: "ndis", irql: .dispatch) {
      (kernel, lock: Pointer<GuestWord>, state: GuestWord) in try kernel.release(lock, state.bits)
    },
  ]

  private static let ndisTimers: [Export] = [
    // nf-ndis-ndisinitializeevent: a notification event.
    export("NdisInitializeEvent(Event)", module: "ndis", irql: .passive) { (kernel, event: Pointer<KEVENT>) in
      try kernel.initializeEvent(event, .eventNotification, isSet: false)
    },
    export("NdisSetEvent(Event)", module: "ndis", irql: .dispatch) { (kernel, event: Pointer<KEVENT>) in try kernel.set(event) },
    export("NdisResetEvent(Event)", module: "ndis", irql: .dispatch) { (_, event: Pointer<KEVENT>) in
      try event.Header.SignalState.store(0)
    },
    // nf-ndis-ndiswaitevent: whether it was set; 0 milliseconds are for ever.
    export("NdisWaitEvent(Event, MsToWait)", module: "ndis", irql: .passive) {
      (kernel, event: Pointer<KEVENT>, milliseconds: UInt32) async throws -> UInt8 in
      let timeout: Int64? = milliseconds == 0 ? nil : -10_000 * Int64(milliseconds)
      return try await kernel.waiting([event.Header], timeout: timeout) == .success ? 1 : 0
    },
    // nf-ndis-ndismsleep: microseconds.
    export("NdisMSleep(MicrosecondsToSleep)", module: "ndis", irql: .passive) { (kernel, microseconds: UInt32) in
      _ = try kernel.wait([], timeout: -10 * Int64(microseconds), timeoutStatus: .success)
    },
    // nf-ndis-ndisinitializetimer: NDIS_TIMER is a timer object and its deferred call.
    export("NdisInitializeTimer(Timer, TimerFunction, FunctionContext)", module: "ndis", irql: .dispatch) {
      (kernel, timer: GuestWord, routine: GuestWord, context: GuestWord) in
      try kernel.initializeNdisTimer(timer.bits, routine.bits, context.bits)
    },
    // nf-ndis-ndisminitializetimer: an NDIS_MINIPORT_TIMER begins alike.
    export("NdisMInitializeTimer(Timer, MiniportAdapterHandle, TimerFunction, FunctionContext)", module: "ndis", irql: .passive) {
      (kernel, timer: GuestWord, adapter: GuestWord, routine: GuestWord, context: GuestWord) in
      try kernel.initializeNdisTimer(timer.bits, routine.bits, context.bits)
      try kernel.words(timer.bits).set([0x48: routine.bits, 0x4c: context.bits, 0x50: adapter.bits])
    },
    export("NdisSetTimer(Timer, MillisecondsToDelay)", module: "ndis", irql: .dispatch) {
      (kernel, timer: GuestWord, milliseconds: UInt32) in try kernel.setNdisTimer(timer.bits, milliseconds, 0)
    },
    // nf-ndis-ndissettimerex: with another context.
    export("NdisSetTimerEx(Timer, MillisecondsToDelay, FunctionContext)", module: "ndis", irql: .dispatch) {
      (kernel, timer: GuestWord, milliseconds: UInt32, context: GuestWord) in
      try kernel.words(timer.bits + 0x28).set(0x10, context.bits)
      try kernel.setNdisTimer(timer.bits, milliseconds, 0)
    },
    export("NdisMSetTimer(Timer, MillisecondsToDelay)", module: "ndis", irql: .dispatch) {
      (kernel, timer: GuestWord, milliseconds: UInt32) in try kernel.setNdisTimer(timer.bits, milliseconds, 0)
    },
    export("NdisSetPeriodicTimer(Timer, MillisecondsPeriod)", module: "ndis", irql: .dispatch) {
      (kernel, timer: GuestWord, milliseconds: UInt32) in try kernel.setNdisTimer(timer.bits, milliseconds, milliseconds)
    },
    export("NdisMSetPeriodicTimer(Timer, MillisecondsPeriod)", module: "ndis", irql: .dispatch) {
      (kernel, timer: GuestWord, milliseconds: UInt32) in try kernel.setNdisTimer(timer.bits, milliseconds, milliseconds)
    },
    // nf-ndis-ndiscanceltimer: whether it was set.
    export("NdisCancelTimer(Timer, TimerCancelled)", module: "ndis", irql: .dispatch) {
      (kernel, timer: Pointer<KTIMER>, result: Pointer<UInt8>) in try result.store(kernel.cancelTimer(timer) ? 1 : 0)
    },
    export("NdisMCancelTimer(Timer, TimerCancelled)", module: "ndis", irql: .dispatch) {
      (kernel, timer: Pointer<KTIMER>, result: Pointer<UInt8>) in try result.store(kernel.cancelTimer(timer) ? 1 : 0)
    },
    // nf-ndis-ndisallocatetimerobject: NDIS_TIMER_CHARACTERISTICS.
    export("NdisAllocateTimerObject(NdisHandle, TimerCharacteristics, TimerObject)", module: "ndis", irql: .dispatch) {
      (kernel, handle: GuestWord, characteristics: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      let given = kernel.words(characteristics.bits)
      guard try given.byte(0) == 0x97 else { return .invalidParameter }
      guard let timer = try kernel.nonPagedPool.allocate(0x58, tag: UInt32(truncatingIfNeeded: given[4]), in: kernel.memory) else {
        return .insufficientResources
      }
      try kernel.initializeNdisTimer(timer, given[8], given[0xc])
      try result.store(GuestWord(timer))
      return .success
    },
    // nf-ndis-ndissettimerobject: whether it was set already.
    export("NdisSetTimerObject(TimerObject, DueTime, MillisecondsPeriod, FunctionContext)", module: "ndis", irql: .dispatch) {
      (kernel, timer: GuestWord, due: Int64, period: UInt32, context: GuestWord) -> UInt8 in
      if context.bits != 0 { try kernel.words(timer.bits + 0x28).set(0x10, context.bits) }
      return try kernel.setTimer(
        Pointer(timer.bits, in: kernel.memory.memory), due: due, period: Int32(clamping: period),
        Pointer(timer.bits + 0x28, in: kernel.memory.memory)) ? 1 : 0
    },
    // nf-ndis-ndissetcoalescabletimerobject
    export(
      "NdisSetCoalescableTimerObject(TimerObject, DueTime, MillisecondsPeriod, FunctionContext, Tolerance)", module: "ndis", irql: .dispatch
    ) {
      (kernel, timer: GuestWord, due: Int64, period: UInt32, context: GuestWord, tolerance: UInt32) -> UInt8 in
      if context.bits != 0 { try kernel.words(timer.bits + 0x28).set(0x10, context.bits) }
      return try kernel.setTimer(
        Pointer(timer.bits, in: kernel.memory.memory), due: due, period: Int32(clamping: period),
        Pointer(timer.bits + 0x28, in: kernel.memory.memory)) ? 1 : 0
    }
    .partially("the timer is due when it is due: nothing is coalesced"),
    export("NdisCancelTimerObject(TimerObject)", module: "ndis", irql: .dispatch) { (kernel, timer: Pointer<KTIMER>) -> UInt8 in
      try kernel.cancelTimer(timer) ? 1 : 0
    },
    export("NdisFreeTimerObject(TimerObject)", module: "ndis", irql: .dispatch) { (kernel, timer: Pointer<KTIMER>) in
      _ = try kernel.cancelTimer(timer)
      try kernel.freePool(timer.address)
    },
  ]

  private static let ndisWork: [Export] = [
    // nf-ndis-ndisscheduleworkitem: NDIS_WORK_ITEM has the context and the routine, which is called with both.
    export("NdisScheduleWorkItem(WorkItem)", module: "ndis", irql: .dispatch) { (kernel, item: GuestWord) -> NTSTATUS in
      let data = kernel.words(item.bits)
      try kernel.queue(WorkItem(routine: data[4], arguments: [item.bits, data[0]], finish: {}), queue: 0)
      return .success
    },
    // nf-ndis-ndisallocateioworkitem
    export("NdisAllocateIoWorkItem(NdisObjectHandle)", module: "ndis", irql: .dispatch) { (kernel, handle: GuestWord) -> GuestWord in
      // "NDwi"
      GuestWord(try kernel.nonPagedPool.allocate(0x20, tag: 0x6977_444e, in: kernel.memory) ?? 0)
    },
    // nf-ndis-ndisqueueioworkitem: the routine gets its context, and the item.
    export("NdisQueueIoWorkItem(NdisIoWorkItemHandle, Routine, WorkItemContext)", module: "ndis", irql: .dispatch) {
      (kernel, item: GuestWord, routine: GuestWord, context: GuestWord) in
      try kernel.queue(WorkItem(routine: routine.bits, arguments: [context.bits, item.bits], finish: {}), queue: 0)
    },
    export("NdisFreeIoWorkItem(NdisIoWorkItemHandle)", module: "ndis", irql: .dispatch) { (kernel, item: GuestWord) in
      try kernel.freePool(item.bits)
    },
  ]

  private static let ndisFacts: [Export] = [
    export("NdisSystemProcessorCount()", module: "ndis") { _ -> UInt8 in 1 },
    export("NdisSystemActiveProcessorCount(ActiveProcessors)", module: "ndis", irql: .dispatch) {
      (_, mask: Pointer<GuestWord>) -> UInt32 in
      if !mask.isNull { try mask.store(1) }
      return 1
    },
    export("NdisGroupMaxProcessorCount(Group)", module: "ndis") { (_, group: UInt16) -> UInt32 in group == 0 || group == 0xffff ? 1 : 0 },
    export("NdisGroupActiveProcessorCount(Group)", module: "ndis") { (_, group: UInt16) -> UInt32 in
      group == 0 || group == 0xffff ? 1 : 0
    },
    // nf-ndis-ndisgetsystemuptime: milliseconds.
    export("NdisGetSystemUpTime(SystemUpTime)", module: "ndis") { (kernel, result: Pointer<UInt32>) in
      try result.store(UInt32(truncatingIfNeeded: kernel.interruptTime / 10_000))
    },
    export("NdisGetSystemUpTimeEx(SystemUpTime)", module: "ndis") { (kernel, result: Pointer<UInt64>) in
      try result.store(kernel.interruptTime / 10_000)
    },
    export("NdisGetCurrentSystemTime(CurrentTime)", module: "ndis") { (kernel, result: Pointer<UInt64>) in
      try result.store(kernel.systemTime)
    },
    // nf-ndis-ndisgetcurrentprocessorcpuusage: per cent.
    export("NdisGetCurrentProcessorCpuUsage(CpuUsage)", module: "ndis", irql: .dispatch) { (_, result: Pointer<UInt32>) in
      try result.store(0)
    },
    export("NdisGetCurrentProcessorCounts(IdleCount, KernelAndUser, Index)", module: "ndis", irql: .dispatch) {
      (kernel, idle: Pointer<UInt32>, busy: Pointer<UInt32>, index: Pointer<UInt32>) in
      try idle.store(0)
      try busy.store(UInt32(truncatingIfNeeded: kernel.tickCount))
      try index.store(0)
    },
    export("NdisGetSharedDataAlignment()", module: "ndis") { _ -> UInt32 in 64 },
    // nf-ndis-ndisgetroutineaddress: null for a routine that NDIS does not have.
    export("NdisGetRoutineAddress(NdisRoutineName)", module: "ndis", irql: .passive) {
      (kernel, name: Pointer<UNICODE_STRING>) -> GuestWord in
      guard let number = kernel.exports.number(exportedAs: try name.string(), by: "ndis", in: kernel.memory.target) else { return 0 }
      return GuestWord(kernel.trapAddresses[number])
    },
    // nf-ndis-ndisgeneratepartialcancelid
    export("NdisGeneratePartialCancelId()", module: "ndis", irql: .dispatch) { kernel -> UInt8 in
      UInt8(truncatingIfNeeded: kernel.allocateLUID())
    },
    // nf-ndis-ndiswriteerrorlogentry: codes of 32 bits behind the named arguments.
    variadicExport("NdisWriteErrorLogEntry(NdisAdapterHandle, ErrorCode, NumberOfErrorValues, ...)", module: "ndis", irql: .dispatch) {
      (kernel, arguments: VariadicArguments, adapter: GuestWord, code: UInt32, count: UInt32) -> UInt32 in
      var rest = arguments
      let values = try (0..<min(count, 16)).map { _ in "0x" + hex(try rest.next(UInt32.self)) }
      kernel.stream.append(.note("the error log gets 0x\(hex(code)) of NDIS\(values.isEmpty ? "" : ": ")\(values.joined(separator: ", "))"))
      return 0
    },
    // nf-ndis-ndiswriteeventlogentry
    export(
      "NdisWriteEventLogEntry(LogHandle, EventCode, UniqueEventValue, NumStrings, StringsList, DataSize, Data)", module: "ndis",
      irql: .passive
    ) {
      (
        kernel, handle: GuestWord, code: UInt32, unique: UInt32, count: UInt16, strings: GuestWord, size: UInt32, data: GuestWord
      ) -> NTSTATUS in
      kernel.stream.append(.note("the event log gets 0x\(hex(code)) of NDIS: unique value \(unique)"))
      return .success
    },
    // nf-ndis-ndisconvertntstatustondisstatus: NDIS's statuses are NTSTATUS values where there is one.
    export("NdisConvertNtStatusToNdisStatus(NtStatus)", module: "ndis") { (_, status: NTSTATUS) -> NTSTATUS in status },
    export("NdisConvertNdisStatusToNtStatus(NdisStatus)", module: "ndis") { (_, status: NTSTATUS) -> NTSTATUS in
      status.rawValue >> 16 == 0xc001 ? .unsuccessful : status
    },
  ]

  private static let ndisFiles: [Export] = [
    // nf-ndis-ndisopenfile: in the drivers' folder, which the run has not.
    export("NdisOpenFile(Status, FileHandle, FileLength, FileName, HighestAcceptableAddress)", module: "ndis", irql: .passive) {
      (_, status: Pointer<NTSTATUS>, handle: GuestWord, length: GuestWord, name: GuestWord, highest: UInt64) in
      try status.store(.ndisFileNotFound)
    },
    export("NdisCloseFile(FileHandle)", module: "ndis", irql: .passive) { (_, handle: GuestWord) in },
    export("NdisMapFile(Status, MappedBuffer, FileHandle)", module: "ndis", irql: .passive) {
      (_, status: Pointer<NTSTATUS>, buffer: GuestWord, handle: GuestWord) in try status.store(.unsuccessful)
    },
    export("NdisUnmapFile(FileHandle)", module: "ndis", irql: .passive) { (_, handle: GuestWord) in },
  ]
}

extension Export {
  /// A routine of the kernel's that makes a string of another, as NDIS exports it: into the buffer that the caller provides.
  private static func conversion(_ name: String, by original: String) -> Export {
    export("\(name)(Destination, Source)", module: "ndis", irql: .passive) {
      (kernel, target: GuestWord, source: GuestWord) async throws -> NTSTATUS in
      NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await kernel.nt(original, target.bits, source.bits, 0)))
    }
  }
}

extension Kernel {
  fileprivate func initializeNdisTimer(_ timer: UInt64, _ routine: UInt64, _ context: UInt64) throws {
    try prepare(Pointer<KTIMER>(timer, in: memory.memory))
    try prepare(Pointer<KDPC>(timer + 0x28, in: memory.memory), routine: routine, context: context)
  }

  fileprivate func setNdisTimer(_ timer: UInt64, _ milliseconds: UInt32, _ period: UInt32) throws {
    _ = try setTimer(
      Pointer(timer, in: memory.memory), due: -10_000 * Int64(milliseconds), period: Int32(clamping: period),
      Pointer(timer + 0x28, in: memory.memory))
  }

  /// At DISPATCH_LEVEL; LOCK_STATE keeps what it takes to undo it. A reader meets no writer on one processor, but for itself.
  fileprivate func acquire(_ lock: Pointer<GuestWord>, writes: Bool, _ state: UInt64) throws {
    let old = try raiseIRQL(to: .dispatch)
    if writes {
      try acquire(lock)
    } else if try lock.load().bits != 0 {
      throw BugCheck(BugCheckCode(rawValue: 0xf), lock.address, 0, 0, 0)
    }
    try memory.memory.store(UInt32(writes ? 2 : 1) | UInt32(old.rawValue) << 16, at: state)
  }

  fileprivate func release(_ lock: Pointer<GuestWord>, _ state: UInt64) throws {
    let saved = try memory.memory.load(UInt32.self, at: state)
    if saved & 0xffff == 2 { try release(lock) }
    try lowerIRQL(to: IRQL(rawValue: UInt8(truncatingIfNeeded: saved >> 16)))
  }
}
