import Guest
import WindowsTypes

/// A routine that waits for a system worker thread.
package struct WorkItem {
  let routine: UInt64
  let arguments: [UInt64]
  /// Runs when the routine has returned.
  let finish: () async throws -> Void
  /// Where the call that queued it returns to.
  var site: UInt64 = 0

  package init(routine: UInt64, arguments: [UInt64], finish: @escaping () async throws -> Void) {
    self.routine = routine
    self.arguments = arguments
    self.finish = finish
  }
}

/// The system worker threads: routines at PASSIVE_LEVEL, in the System process.
extension Kernel {
  /// Queues `item` for the worker of its queue; the worker is made when it is first needed.
  package func queue(_ item: WorkItem, queue: Int) throws {
    var item = item
    item.site = caller.address
    workQueues[queue, default: []].append(item)
    if let worker = workers[queue] {
      if worker.isIdleWorker {
        worker.isIdleWorker = false
        try wake(worker, .success)
      }
      return
    }
    let worker = try createThread(["delayed-worker", "critical-worker", "hypercritical-worker"][min(queue, 2)], in: processes[0])
    // Delayed work runs at priority 12, critical at 13, hypercritical at 15 (system worker threads, WDK).
    try worker.object.Tcb.Priority.store([12, 13, 15][min(queue, 2)])
    workers[queue] = worker
    worker.resumption = .start { [self] in
      while true {
        while workQueues[queue, default: []].isEmpty {
          worker.isIdleWorker = true
          _ = try await waiting([])
        }
        guard let item = workQueues[queue]?.removeFirst() else { continue }
        _ = try await call(item.routine, item.arguments, below: worker.restingStackPointer - 0x40)
        try checkReturn(of: item.routine, isWorker: true)
        let irql = try kpcr.Irql.load()
        // WORKER_THREAD_RETURNED_AT_BAD_IRQL: routine, IRQL, item.
        if irql != .passive {
          throw BugCheck(.workerThreadReturnedAtBadIRQL, item.routine, UInt64(irql.rawValue), item.arguments.last ?? 0)
        }
        try await item.finish()
      }
    }
    try makeReady(worker)
  }
}
