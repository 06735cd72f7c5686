import Guest
import WindowsTypes

/// Threads that others end.
extension Kernel {
  /// `NtTerminateThread` of another thread: it ends where it would go back to user mode, and what it waits for in user mode is over.
  ///
  /// A wait of the kernel's own services that a terminating thread does not stay in ends with STATUS_THREAD_IS_TERMINATING
  /// (nf-fltkernel-fltsendmessage), another one in user mode with STATUS_USER_APC (nf-wdm-kewaitforsingleobject, WaitMode); one in
  /// kernel mode goes on.
  package func terminate(_ thread: Thread) throws {
    guard !thread.hasEnded else { return }
    let flags = thread.object.CrossThreadFlags
    try flags.store(flags.load() | CrossThreadFlags.terminated)
    // The APC that takes it out waits for it to come back to user mode.
    try thread.object.Tcb.ApcState.UserApcPending.store(1)
    if thread.purpose?.endsWithThread == true { return try wake(thread, .threadIsTerminating) }
    if thread.wait?.mode == .userMode { try wake(thread, .userAPC) }
  }

  /// Whether somebody has ended the thread, which has not yet left the kernel; what it does on its way out it does in peace.
  public func isTerminating(_ thread: Thread) throws -> Bool {
    try !thread.hasEnded && thread.object.CrossThreadFlags.load() & CrossThreadFlags.terminated != 0
      && thread.object.Tcb.ApcState.UserApcPending.load() != 0
  }
}
