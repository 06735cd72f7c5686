/// Runs Swift jobs in the order in which they came, only when told to, on the thread that tells it.
///
/// One run has one loop, and one host thread drains it, so nothing that its jobs touch is shared.
/// Safety: no access to a property of it spans a call, so the checks of exclusive access are left out.
final class RunLoop: TaskExecutor, @unchecked Sendable {
  @exclusivity(unchecked) private var jobs: [UnownedJob] = []
  @exclusivity(unchecked) private var head = 0

  func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }

  func drain() {
    while head < jobs.count {
      head += 1
      jobs[head - 1].runSynchronously(on: asUnownedTaskExecutor())
    }
    jobs.removeAll(keepingCapacity: true)
    head = 0
  }
}
