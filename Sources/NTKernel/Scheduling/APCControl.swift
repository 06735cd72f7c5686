import Guest
import WindowsTypes

/// Where a thread says whether APCs may come to it.
///
/// Both counts go down with each region that is entered, and are 0 where APCs may come (`KTHREAD.KernelApcDisable`).
extension Pointer where Pointee == KTHREAD {
  /// The count that guarded regions change. XP's thread has no such member, and XP no such regions: it stands in spare bytes there.
  var specialDisable: Pointer<Int16> {
    KTHREAD.layouts[memory.target].SpecialApcDisable.isAbsent ? self.Spare0[1].cast() : self.SpecialApcDisable
  }

  /// `KeAreAllApcsDisabled` but for the IRQL: a guarded region.
  var areAllDisabled: Bool { get throws { try specialDisable.load() != 0 } }

  /// `KeAreApcsDisabled`: a critical or a guarded region.
  var areNormalDisabled: Bool { get throws { try self.kernelApcDisable.load() != 0 || areAllDisabled } }

  /// `CombinedApcDisable`, as bugchecks show it: on XP `KernelApcDisable` alone, unless a guarded region is open.
  var combinedDisable: UInt64 {
    get throws {
      let (normal, special) = (try self.kernelApcDisable.load(), try specialDisable.load())
      return special == 0 ? UInt64(normal) : UInt64(UInt16(bitPattern: special)) << 16 | UInt64(normal & 0xffff)
    }
  }

  /// The list of APCs for `mode` in the process that the thread is in.
  func apcs(_ mode: KPROCESSOR_MODE) -> Pointer<LIST_ENTRY> { self.ApcState.ApcListHead.advanced(by: mode == .userMode ? 1 : 0) }

  /// The kernel APC that may run first if the thread runs at `irql`: a special one comes in front of all others.
  func deliverableAPC(at irql: IRQL) throws -> Pointer<KAPC>? {
    guard irql < .apc, try !areAllDisabled else { return nil }
    return try nextAPC()
  }

  /// The kernel APC that is next but for IRQL and guarded regions.
  func nextAPC() throws -> Pointer<KAPC>? {
    let list = apcs(.kernelMode)
    let first = try list.Flink.load()
    guard first != list, !first.isNull else { return nil }
    let apc: Pointer<KAPC> = first.container(\.ApcListEntry)
    if try apc.NormalRoutine.load().isNull { return apc }
    return try self.kernelApcDisable.load() == 0 && self.ApcState.KernelApcInProgress.load() == 0 ? apc : nil
  }
}

/// Critical and guarded regions.
extension Kernel {
  /// `KeEnterCriticalRegion`: normal kernel APCs stay away.
  func enterCriticalRegion() throws {
    let thread = try currentThread()
    try thread.kernelApcDisable.store(thread.kernelApcDisable.load() &- 1)
  }

  /// `KeLeaveCriticalRegion`: what has come meanwhile is due.
  func leaveCriticalRegion() throws {
    let thread = try currentThread()
    let count = try thread.kernelApcDisable.load()
    // It counts down from 0: a region is open as long as it is negative.
    if count < 1 << 31 { report(violation: "a critical region is left that was not entered") }
    try thread.kernelApcDisable.store(count &+ 1)
    if count &+ 1 == 0 { try requestAPCs(of: thread) }
  }

  /// `KeEnterGuardedRegion`: no kernel APC comes.
  func enterGuardedRegion() throws {
    let count = try currentThread().specialDisable
    try count.store(count.load() &- 1)
  }

  /// `KeLeaveGuardedRegion`.
  func leaveGuardedRegion() throws {
    let thread = try currentThread()
    let count = try thread.specialDisable.load()
    if count >= 0 { report(violation: "a guarded region is left that was not entered") }
    try thread.specialDisable.store(count &+ 1)
    if count == -1 { try requestAPCs(of: thread) }
  }

  /// Has the running thread look for APCs when the routine that it calls is done.
  func requestAPCs(of thread: Pointer<KTHREAD>) throws {
    guard try !thread.apcs(.kernelMode).isEmpty else { return }
    try thread.ApcState.KernelApcPending.store(1)
    isAPCDue = true
  }
}
