import Guest
import WindowsTypes

/// What a thread waits for that no dispatcher object tells.
package struct WaitPurpose {
  /// In words: `a reply to message 3 on \Port`.
  package let what: String
  /// Who can end the wait, of whom any one will do; empty where that is not known.
  package let awaited: () -> [Thread]
  /// Whether the wait is over when somebody ends the thread.
  package let endsWithThread: Bool

  package init(_ what: String, endsWithThread: Bool = false, awaited: @escaping () -> [Thread] = { [] }) {
    self.what = what
    self.awaited = awaited
    self.endsWithThread = endsWithThread
  }
}

/// Waits that end when somebody says so, without an object: of the kernel's own services.
extension Kernel {
  /// Blocks the running thread until ``wake(_:_:)``, or until time runs out, which is STATUS_TIMEOUT.
  ///
  /// - Parameter timeout: in 100 ns: negative is relative, positive absolute since 1601; `nil` waits for ever.
  package func block(_ purpose: WaitPurpose, timeout: Int64? = nil) async throws -> NTSTATUS {
    let thread = running
    thread?.purpose = purpose
    defer { thread?.purpose = nil }
    return try await waiting([], timeout: timeout)
  }

  /// Starts `body` on `thread`, which is at rest: it becomes ready, and is at rest again when `body` is done.
  package func start(on thread: Thread, _ body: @escaping () async throws -> Void) throws {
    thread.isServing = true
    thread.resumption = .serve {
      defer { thread.isServing = false }
      try await body()
      return 0
    }
    try makeReady(thread)
  }
}

/// Who waits for what, when nothing can happen any more.
extension Kernel {
  /// A thread that waits, as a report says it.
  public struct Waiting {
    public let thread: Thread
    /// `a reply to message 3 on \Port`
    public let what: String
    /// Who can end the wait; empty where that is not known.
    public let awaited: [Thread]
  }

  /// Every thread that waits, in order, but for those that only serve others.
  public func waitingThreads() -> [Waiting] {
    threads.compactMap { thread in
      guard let waiting = waiting(thread) else { return nil }
      guard let held = heldBackAPC(of: thread) else { return waiting }
      return Waiting(thread: thread, what: waiting.what + "; " + held, awaited: waiting.awaited)
    }
  }

  /// Why a kernel APC that is queued to a waiting thread does not come, which may be what it waits for.
  private func heldBackAPC(of thread: Thread) -> String? {
    let tcb = thread.object.Tcb
    let list = tcb.apcs(.kernelMode)
    guard let first = try? list.Flink.load(), first != list else { return nil }
    let apc: Pointer<KAPC> = first.container(\.ApcListEntry)
    let isRequest = (try? apc.KernelRoutine.load().address) == trapAddress(of: "IopCompleteRequest")
    let what = isRequest ? "the APC that ends a request of its" : "a kernel APC for it"
    let why =
      if thread.savedIRQL >= .apc {
        "at \(thread.savedIRQL)"
      } else if (try? tcb.areAllDisabled) ?? false {
        "in a guarded region"
      } else if (try? tcb.areNormalDisabled) ?? false {
        "in a critical region"
      } else {
        "within another APC"
      }
    return "\(what) cannot come, because it waits \(why)"
  }

  private func waiting(_ thread: Thread) -> Waiting? {
    if let purpose = thread.purpose { return Waiting(thread: thread, what: purpose.what, awaited: purpose.awaited()) }
    guard let first = thread.waitsFor.first else { return nil }
    let described = thread.waitsFor.map(describe)
    let how = thread.wait?.type == .all ? " and " : " or "
    let owners = thread.waitsFor.count == 1 ? owner(of: first) : []
    return Waiting(thread: thread, what: described.joined(separator: how), awaited: owners)
  }

  /// The threads of `waiting` that wait for each other so that none can go on: each waits for threads among them alone.
  public static func deadlocked(among waiting: [Waiting]) -> [Waiting] {
    var set = waiting.filter { !$0.awaited.isEmpty }
    while true {
      let ids = Set(set.map(\.thread.id))
      let rest = set.filter { $0.awaited.allSatisfy { ids.contains($0.id) } }
      if rest.count == set.count { return rest }
      set = rest
    }
  }

  /// Records who waits for what, and the circle if there is one.
  public func noteWaits() {
    let waiting = waitingThreads()
    for wait in waiting { stream.append(.waits(wait.thread.id, wait.what)) }
    noteDeadlock(among: waiting)
  }

  /// Records a circle of waiting threads, if there is one.
  public func noteDeadlock(among waiting: [Waiting]) {
    let circle = Self.deadlocked(among: waiting)
    guard var next = circle.first else { return }
    var order: [Waiting] = []
    // Follows who waits for whom until somebody comes twice.
    while !order.contains(where: { $0.thread === next.thread }) {
      order.append(next)
      guard let awaited = next.awaited.first, let following = circle.first(where: { $0.thread === awaited }) else { break }
      next = following
    }
    let start = order.firstIndex { $0.thread === next.thread } ?? 0
    let sentences = (order[start...] + order[..<start]).map { wait in
      "\(title(wait.thread)) waits for \(wait.what), which \(wait.awaited.first === wait.thread ? "itself" : wait.awaited.first.map(title) ?? "nobody") would have to end"
    }
    stream.append(.deadlock("deadlock: " + sentences.joined(separator: "; ")))
  }

  /// `service of monitor.exe`
  private func title(_ thread: Thread) -> String { "\(thread.name) of \(thread.owner.name)" }

  private func describe(_ object: DispatcherObject) -> String {
    if let thread = thread(at: object.address) { return "the end of \(title(thread))" }
    if let process = process(at: object.address) { return "the end of \(process.name)" }
    if let request = try? request(ending: object) { return request }
    let kind: String =
      switch try? object.Type.load() {
      case .eventNotification, .eventSynchronization: "event"
      case .semaphore: "semaphore"
      case .mutant: "mutex"
      case .timerNotification, .timerSynchronization: "timer"
      case .queue: "queue"
      default: "object"
      }
    let owners = owner(of: object).map(title)
    return "the \(kind) at \(hex(object.address, memory.target))" + (owners.first.map { ", which \($0) owns" } ?? "")
  }

  /// `the end of IRP 82201e58 (IRP_MJ_READ), which \Driver\pended has`, if the event is one that a request's end sets.
  private func request(ending object: DispatcherObject) throws -> String? {
    for irp in io.issued.keys.sorted().map({ Pointer<IRP>($0, in: memory.memory) }) {
      let file = try irp.Tail.Overlay.OriginalFileObject.load()
      guard try irp.UserEvent.load().address == object.address || !file.isNull && file.Event.address == object.address else { continue }
      let waits = powerRequest(waiting: irp)
      let location = try waits == nil ? irp.Tail.Overlay.CurrentStackLocation.load() : nextLocation(of: irp)
      let device = try waits ?? location.DeviceObject.load()
      let (major, minor) = (try location.MajorFunction.load(), try location.MinorFunction.load())
      let name = [.power, .pnp].contains(major) ? MinorFunction(minor, of: major).name : nil
      let what = "the end of IRP \(hex(irp.address, memory.target)) (\(name ?? "\(major)"))"
      guard !device.isNull else { return what }
      let driver = try device.DriverObject.load().DriverName.string()
      return what + (waits == nil ? ", which \(driver) has" : ", which waits for \(driver) to call PoStartNextPowerIrp")
    }
    return nil
  }

  private func owner(of object: DispatcherObject) -> [Thread] {
    if let thread = thread(at: object.address) { return [thread] }
    guard (try? object.Type.load()) == .mutant, let owner = try? object.cast(to: KMUTANT.self).OwnerThread.load(), !owner.isNull
    else { return [] }
    return thread(at: owner.address).map { [$0] } ?? []
  }
}
