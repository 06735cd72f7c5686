import Guest
import WindowsTypes

/// A wait, as it can be begun: for the first time, and again when an APC has interrupted it.
struct Wait {
  let objects: [Kernel.DispatcherObject]
  let type: WAIT_TYPE
  /// Until when, in 100 ns since boot; 0 does not wait, `nil` waits for ever.
  let due: UInt64?
  let mode: KPROCESSOR_MODE
  let isAlertable: Bool
  /// The caller's wait blocks, for more than three objects.
  let blocks: Pointer<KWAIT_BLOCK>?
  /// What the status is when time runs out.
  let timeoutStatus: NTSTATUS
}

/// A wait whose thread runs an APC.
final class InterruptedWait {
  let wait: Wait
  /// What the wait has come to meanwhile, where no object tells.
  var status: NTSTATUS?
  init(_ wait: Wait) { self.wait = wait }
}

/// Alerts: what ends an alertable wait beside its objects (nf-wdm-kewaitforsingleobject, “Remarks”: WaitMode and Alertable).
extension Kernel {
  /// What a wait that begins now comes to because its thread was alerted, or because a user APC is there for it.
  func alert(of thread: Thread, in wait: Wait) throws -> NTSTATUS? {
    let tcb = thread.object.Tcb
    guard wait.isAlertable else {
      return try wait.mode == .userMode && tcb.ApcState.UserApcPending.load() != 0 ? .userAPC : nil
    }
    if try takeAlert(of: tcb, wait.mode) { return .alerted }
    if try wait.mode == .userMode && !tcb.ApcState.ApcListHead.advanced(by: 1).isEmpty {
      try tcb.ApcState.UserApcPending.store(1)
      return .userAPC
    }
    return try takeAlert(of: tcb, .kernelMode) ? .alerted : nil
  }

  /// Takes the thread's alert for `mode` away. Returns whether there was one.
  private func takeAlert(of tcb: Pointer<KTHREAD>, _ mode: KPROCESSOR_MODE) throws -> Bool {
    let alerted = tcb.Alerted[mode == .userMode ? 1 : 0]
    guard try alerted.load() != 0 else { return false }
    try alerted.store(0)
    return true
  }

  /// `KeAlertThread`: ends an alertable wait, or the next one. Returns whether the thread was alerted before.
  func alert(_ tcb: Pointer<KTHREAD>, _ mode: KPROCESSOR_MODE) throws -> Bool {
    let alerted = tcb.Alerted[mode == .userMode ? 1 : 0]
    if try alerted.load() != 0 { return true }
    if let thread = thread(at: tcb.address), let wait = thread.wait, wait.isAlertable, mode.rawValue <= wait.mode.rawValue {
      try wake(thread, .alerted)
    } else {
      try alerted.store(1)
    }
    return false
  }

  /// `KeTestAlertThread`: takes the running thread's alert; where there is none, lets user APCs come that are there.
  func testAlert(_ mode: KPROCESSOR_MODE) throws -> Bool {
    let tcb = try currentThread()
    if try takeAlert(of: tcb, mode) { return true }
    if try mode == .userMode && !tcb.ApcState.ApcListHead.advanced(by: 1).isEmpty { try tcb.ApcState.UserApcPending.store(1) }
    return false
  }
}
