import Guest
import WindowsTypes

extension Export {
  /// What threads are told of themselves and of the processor, and their priorities.
  static let threadFacts: [Export] = [
    // nf-ntddk-kesetbaseprioritythread: the increment over the process's base priority; the result is the one before.
    export("KeSetBasePriorityThread(Thread, Increment)", irql: .dispatch) {
      (kernel, thread: Pointer<KTHREAD>, increment: Int32) -> Int32 in
      try kernel.setBasePriority(of: thread, increment)
    },
    // nf-ntifs-exgetpreviousmode says what it is; this name has no page.
    export("KeGetPreviousMode()") { kernel -> UInt32 in UInt32(try kernel.previousMode().rawValue) },
    // nf-wdm-kequerysystemtimeprecise: not as of the latest tick, but as of now.
    export("KeQuerySystemTimePrecise(CurrentTime)") { (kernel, time: Pointer<UInt64>) in try time.store(kernel.systemTime) },
    // No reference page: ticks of idling, ticks in all, and the processor's number.
    export("ExGetCurrentProcessorCounts(IdleCount, KernelAndUser, Index)") {
      (kernel, idle: Pointer<UInt32>, all: Pointer<UInt32>, index: Pointer<UInt32>) in
      try idle.store(UInt32(truncatingIfNeeded: kernel.time.skipped / VirtualTime.tick))
      try all.store(UInt32(truncatingIfNeeded: kernel.tickCount))
      try index.store(0)
    }
    .uncertain("the routine has no reference page"),
    export("ExGetCurrentProcessorCpuUsage(CpuUsage)") { (kernel, usage: Pointer<UInt32>) in
      let (idle, all) = (kernel.time.skipped / VirtualTime.tick, kernel.tickCount)
      try usage.store(all == 0 ? 0 : UInt32(100 - min(100, idle * 100 / all)))
    }
    .uncertain("the routine has no reference page"),
    // nf-ntifs-kesetkernelstackswapenable: whether it was enabled.
    export("KeSetKernelStackSwapEnable(Enable)", irql: .dispatch) { (kernel, enable: UInt8) -> UInt8 in
      let swap = try kernel.currentThread().member(\.EnableStackSwap, or: \.EnableStackSwap_7)
      let old = try swap.load()
      try swap.store(enable == 0 ? 0 : 1)
      return old
    },
    // Entries, or the wait's status in place of their number.
    export("KeRemoveQueueEx(Queue, WaitMode, Alertable, Timeout, EntryArray, Count)", irql: .dispatch) {
      (
        kernel, queue: Pointer<KQUEUE>, mode: KPROCESSOR_MODE, alertable: UInt8, timeout: Pointer<Int64>, entries: Pointer<GuestWord>,
        count: UInt32
      ) async throws -> UInt32 in
      let status = try await kernel.waiting(
        [queue.Header], timeout: timeout.isNull ? nil : timeout.load(), mode: mode, isAlertable: alertable != 0)
      guard status == .success else { return status.rawValue }
      var taken: UInt32 = 0
      while taken < count, let entry = try queue.EntryListHead.removeHead() {
        if taken > 0 { try queue.Header.SignalState.store(queue.Header.SignalState.load() &- 1) }
        try entries[Int(taken)].store(GuestWord(entry.address))
        taken += 1
      }
      return taken
    }
    .partially("the number of threads that run at once is not limited"),
  ]
}

extension Kernel {
  /// Beyond what priorities span the increment saturates: the thread then keeps to its class's end (nf-ntddk-kesetbaseprioritythread).
  fileprivate func setBasePriority(of thread: Pointer<KTHREAD>, _ increment: Int32) throws -> Int32 {
    let base = Int32(try process(of: thread)?.object.Pcb.BasePriority.load() ?? 8)
    let saturation = Int32(try thread.Saturation.load())
    let old = saturation == 0 ? Int32(try thread.BasePriority.load()) - base : saturation * 16
    let isSaturated = increment.magnitude >= 16
    try thread.Saturation.store(isSaturated ? (increment > 0 ? 1 : -1) : 0)
    let range: ClosedRange<Int32> = base >= 16 ? 16...31 : 1...15
    let new = min(max(base &+ (isSaturated ? increment.signum() * 16 : increment), range.lowerBound), range.upperBound)
    try thread.BasePriority.store(Int8(new))
    try thread.Priority.store(Int8(new))
    try thread.PriorityDecrement.store(0)
    isPreemptionDue = true
    return old
  }

  /// The process in which a thread was made.
  private func process(of tcb: Pointer<KTHREAD>) throws -> Process? { thread(at: tcb.address)?.owner }
}
