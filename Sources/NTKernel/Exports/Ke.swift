import Events
import Guest
import WindowsTypes

extension Export {
  static let ke: [Export] = [
    // nf-wdm-kebugcheckex
    export("KeBugCheckEx(BugCheckCode, BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4)") {
      (_, code: UInt32, p1: GuestWord, p2: GuestWord, p3: GuestWord, p4: GuestWord) in
      throw BugCheck(BugCheckCode(rawValue: code), p1.bits, p2.bits, p3.bits, p4.bits)
    },
    // nf-ntddk-kebugcheck
    export("KeBugCheck(BugCheckCode)") { (_, code: UInt32) in throw BugCheck(BugCheckCode(rawValue: code)) },
    // nf-wdm-kegetcurrentthread
    export("KeGetCurrentThread()") { kernel -> Pointer<ETHREAD> in try kernel.currentThread().cast() },
    // nf-wdm-keentercriticalregion: normal kernel APCs stay away until the region is left.
    export("KeEnterCriticalRegion()", irql: .apc) { kernel in
      let thread = try kernel.currentThread()
      try thread.kernelApcDisable.store(thread.kernelApcDisable.load() &- 1)
    },
    // nf-wdm-keleavecriticalregion
    export("KeLeaveCriticalRegion()", irql: .apc) { kernel in
      let thread = try kernel.currentThread()
      try thread.kernelApcDisable.store(thread.kernelApcDisable.load() &+ 1)
    },
  ]

  /// The interrupt request level: a byte of the processor page.
  static let irql: [Export] = [
    // nf-wdm-kegetcurrentirql
    export("KeGetCurrentIrql()", module: "hal") { kernel -> IRQL in try kernel.kpcr.Irql.load() },
    // nf-wdm-keraiseirql
    export("KeRaiseIrql(NewIrql, OldIrql)", module: "hal") { (kernel, new: IRQL, old: Pointer<IRQL>) in
      try old.store(kernel.raiseIRQL(to: new))
    },
    // nf-wdm-kelowerirql
    export("KeLowerIrql(NewIrql)", module: "hal") { (kernel, new: IRQL) in try kernel.lowerIRQL(to: new) },
    export("KfRaiseIrql(NewIrql)", module: "hal", .fastcall) { (kernel, new: IRQL) -> IRQL in try kernel.raiseIRQL(to: new) },
    export("KfLowerIrql(NewIrql)", module: "hal", .fastcall) { (kernel, new: IRQL) in try kernel.lowerIRQL(to: new) },
    // nf-wdm-keraiseirqltodpclevel
    export("KeRaiseIrqlToDpcLevel()", module: "hal") { kernel -> IRQL in try kernel.raiseIRQL(to: .dispatch) },
    // On a uniprocessor SYNCH_LEVEL is DISPATCH_LEVEL.
    export("KeRaiseIrqlToSynchLevel()", module: "hal") { kernel -> IRQL in try kernel.raiseIRQL(to: .dispatch) },
  ]
}

extension Kernel {
  /// Raises the IRQL and returns the old one. Below the current one it is bugcheck 9, IRQL_NOT_GREATER_OR_EQUAL.
  public func raiseIRQL(to new: IRQL) throws -> IRQL {
    let old = try kpcr.Irql.load()
    guard new >= old else { throw BugCheck(BugCheckCode(rawValue: 0x9), UInt64(old.rawValue), UInt64(new.rawValue), 0, 8) }
    try setIRQL(old, new)
    return old
  }

  /// Lowers the IRQL. Above the current one it is bugcheck 0xA, IRQL_NOT_LESS_OR_EQUAL.
  public func lowerIRQL(to new: IRQL) throws {
    let old = try kpcr.Irql.load()
    guard new <= old else { throw BugCheck(.irqlNotLessOrEqual, UInt64(new.rawValue), UInt64(old.rawValue), 0, 9) }
    try setIRQL(old, new)
  }

  private func setIRQL(_ old: IRQL, _ new: IRQL) throws {
    try kpcr.Irql.store(new)
    if old == new { return }
    stream.append(.irql(from: old.rawValue, to: new.rawValue))
    armDeadline()
  }

  func isDPCActive() throws -> Bool { try kpcr.PrcbData.dpcRoutineActive.load() != 0 }

  /// Runs what follows as a DPC does: at DISPATCH_LEVEL, with the processor's DPC flag set.
  public func enterDPC() throws {
    _ = try raiseIRQL(to: .dispatch)
    try kpcr.PrcbData.dpcRoutineActive.store(1)
  }

  public func leaveDPC() throws {
    try kpcr.PrcbData.dpcRoutineActive.store(0)
    if try kpcr.Irql.load() > .passive { try lowerIRQL(to: .passive) }
  }

  /// What the kernel checks when a system call or a worker routine returns: APC_INDEX_MISMATCH (1) where the thread is still
  /// attached, or has left a critical region unbalanced (bug check reference: routine, ApcStateIndex, disable count, 0 or 1).
  public func checkReturn(of routine: UInt64, isWorker: Bool) throws {
    let thread = try currentThread()
    let (index, disabled) = (try thread.ApcStateIndex.load(), try thread.kernelApcDisable.load())
    if index != 0 || disabled != 0 {
      throw BugCheck(.apcIndexMismatch, routine, UInt64(index), UInt64(disabled), isWorker ? 1 : 0)
    }
  }
}
