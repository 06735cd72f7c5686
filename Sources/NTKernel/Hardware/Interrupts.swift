import Events
import Guest
import WindowsTypes

/// Interrupts: `KINTERRUPT`s in guest memory, and what happens when a device raises one.
extension Kernel {
  static let connectedInterrupt = "a connected interrupt"

  /// `IoConnectInterrupt` (nf-wdm-ioconnectinterrupt).
  func connectInterrupt(
    routine: UInt64, context: UInt64, lock: UInt64, vector: UInt32, irql: IRQL, synchronizeIRQL: IRQL, mode: UInt32, isShared: Bool,
    affinity: UInt64, savesFloatingPoint: Bool
  ) throws -> Result<Pointer<KINTERRUPT>, Refusal> {
    // Only processor 0 is there, and interrupts are below the clock's level.
    guard affinity & 1 != 0, synchronizeIRQL >= irql, synchronizeIRQL.rawValue <= 31 else { return .failure(Refusal(.invalidParameter)) }
    let others = try hardware.interrupts.filter { try $0.Vector.load() == vector }
    guard try others.allSatisfy({ try isShared && $0.ShareVector.load() != 0 && $0.Mode.load() == mode }) else {
      return .failure(Refusal(.invalidParameter))
    }
    let here = memory.memory
    let interrupt = Pointer<KINTERRUPT>(try allocate(UInt64(Pointer<KINTERRUPT>.size(in: here))), in: here)
    // InterruptObject of KOBJECTS.
    try interrupt.Type.store(22)
    try interrupt.Size.store(Int16(Pointer<KINTERRUPT>.size(in: here)))
    try interrupt.InterruptListEntry.initialize()
    try interrupt.ServiceRoutine.store(Pointer(routine, in: here))
    try interrupt.ServiceContext.store(Pointer(context, in: here))
    try interrupt.ActualLock.store(lock == 0 ? interrupt.SpinLock : Pointer(lock, in: here))
    try interrupt.Vector.store(vector)
    try interrupt.Irql.store(irql)
    try interrupt.SynchronizeIrql.store(synchronizeIRQL)
    try interrupt.FloatingSave.store(savesFloatingPoint ? 1 : 0)
    try interrupt.ShareVector.store(isShared ? 1 : 0)
    try interrupt.Mode.store(mode)
    if let first = others.first { try first.InterruptListEntry.insertTail(interrupt.InterruptListEntry) }
    try interrupt.Connected.store(1)
    hardware.interrupts.append(interrupt)
    register(Self.connectedInterrupt, interrupt.address)
    return .success(interrupt)
  }

  /// `IoDisconnectInterrupt` (nf-wdm-iodisconnectinterrupt).
  func disconnectInterrupt(_ interrupt: Pointer<KINTERRUPT>) throws {
    guard let index = hardware.interrupts.firstIndex(of: interrupt) else { throw BugCheck(.badPoolCaller, 7, 0, 0, interrupt.address) }
    hardware.interrupts.remove(at: index)
    try interrupt.Connected.store(0)
    try interrupt.InterruptListEntry.remove()
    unregister(Self.connectedInterrupt, interrupt.address)
    try freePool(interrupt.address)
  }

  /// A device raises the interrupt `vector`: whoever is connected is called at the synchronization IRQL with the lock held, in the
  /// order of connecting, for a level-sensitive one until somebody says that it was theirs. Returns whether anybody did.
  func raiseInterrupt(_ vector: UInt32) async throws -> Bool {
    var isServed = false
    for interrupt in try hardware.interrupts.filter({ try $0.Vector.load() == vector }) {
      try interrupt.DispatchCount.store(interrupt.DispatchCount.load() &+ 1)
      let routine = try interrupt.ServiceRoutine.load().address
      let context = try interrupt.ServiceContext.load().address
      let isMine = try await synchronized(with: interrupt, calling: routine, [interrupt.address, context])
      guard isMine else { continue }
      isServed = true
      // LevelSensitive: the line is low again.
      if try interrupt.Mode.load() == 0 { break }
    }
    if !isServed {
      stream.append(.note("interrupt 0x\(hex(vector, digits: 2)): \(hardware.interrupts.isEmpty ? "nobody is connected" : "nobody's")"))
    }
    return isServed
  }

  /// Calls a routine of the driver's as its interrupt service routine is called. It must leave the IRQL as it found it.
  func synchronized(with interrupt: Pointer<KINTERRUPT>, calling routine: UInt64, _ arguments: [UInt64]) async throws -> Bool {
    let old = try raiseIRQL(to: interrupt.SynchronizeIrql.load())
    let (lock, level) = (try interrupt.ActualLock.load(), try kpcr.Irql.load())
    try acquire(lock)
    let result = try await call(routine, arguments)
    let now = try kpcr.Irql.load()
    if now != level {
      report(
        violation: "an interrupt service routine returned at IRQL \(now.rawValue); it was called at \(level.rawValue)",
        at: Site(ip: routine))
    }
    try release(lock)
    try lowerIRQL(to: old)
    return result & 0xff != 0
  }
}

extension Export {
  static let interrupts: [Export] = [
    // nf-wdm-ioconnectinterrupt
    export(
      "IoConnectInterrupt(InterruptObject, ServiceRoutine, ServiceContext, SpinLock, Vector, Irql, SynchronizeIrql, InterruptMode, ShareVector, ProcessorEnableMask, FloatingSave)",
      irql: .passive
    ) {
      (
        kernel, result: Pointer<Pointer<KINTERRUPT>>, routine: GuestWord, context: GuestWord, lock: GuestWord, vector: UInt32, irql: IRQL,
        synchronize: IRQL, mode: UInt32, share: UInt8, affinity: GuestWord, floatingSave: UInt8
      ) -> NTSTATUS in
      try result.store(Pointer(0, in: kernel.memory.memory))
      switch try kernel.connectInterrupt(
        routine: routine.bits, context: context.bits, lock: lock.bits, vector: vector, irql: irql, synchronizeIRQL: synchronize,
        mode: mode, isShared: share != 0, affinity: affinity.bits, savesFloatingPoint: floatingSave != 0)
      {
      case .success(let interrupt):
        try result.store(interrupt)
        return .success
      case .failure(let refusal): return refusal.status
      }
    }
    .partially("no device raises an interrupt by itself: a fixture's step does"),
    // nf-wdm-iodisconnectinterrupt
    export("IoDisconnectInterrupt(InterruptObject)", irql: .passive) { (kernel, interrupt: Pointer<KINTERRUPT>) in
      try kernel.disconnectInterrupt(interrupt)
    },
    // nf-wdm-kesynchronizeexecution
    export("KeSynchronizeExecution(Interrupt, SynchronizeRoutine, SynchronizeContext)") {
      (kernel, interrupt: Pointer<KINTERRUPT>, routine: GuestWord, context: GuestWord) async throws -> UInt8 in
      try await kernel.synchronized(with: interrupt, calling: routine.bits, [context.bits]) ? 1 : 0
    },
    // nf-wdm-keacquireinterruptspinlock
    export("KeAcquireInterruptSpinLock(Interrupt)") { (kernel, interrupt: Pointer<KINTERRUPT>) -> IRQL in
      let old = try kernel.raiseIRQL(to: interrupt.SynchronizeIrql.load())
      try kernel.acquire(interrupt.ActualLock.load())
      return old
    },
    // nf-wdm-kereleaseinterruptspinlock
    export("KeReleaseInterruptSpinLock(Interrupt, OldIrql)") { (kernel, interrupt: Pointer<KINTERRUPT>, old: IRQL) in
      try kernel.release(interrupt.ActualLock.load())
      try kernel.lowerIRQL(to: old)
    },
    // What the interrupt table leads to: a fixture's step `interrupt`.
    export("KiInterruptDispatch(Vector)", isImportable: false) { (kernel, vector: UInt32) async throws -> UInt8 in
      try await kernel.raiseInterrupt(vector) ? 1 : 0
    },
    // nf-wdm-keregisternmicallback
    export("KeRegisterNmiCallback(CallbackRoutine, Context)", irql: .apc) { (kernel, routine: GuestWord, context: GuestWord) -> GuestWord in
      let handle = try kernel.allocate(16)
      try kernel.memory.memory.store(UInt32(truncatingIfNeeded: routine.bits), at: handle + 4)
      try kernel.memory.memory.store(UInt32(truncatingIfNeeded: context.bits), at: handle + 8)
      kernel.hardware.nmiCallbacks.insert(handle)
      kernel.register("a callback for NMIs", handle)
      return GuestWord(handle)
    }
    .partially("no hardware raises an interrupt that cannot be masked"),
    // nf-wdm-kederegisternmicallback
    export("KeDeregisterNmiCallback(Handle)", irql: .apc) { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.hardware.nmiCallbacks.remove(handle.bits) != nil else { return .invalidHandle }
      kernel.unregister("a callback for NMIs", handle.bits)
      try kernel.freePool(handle.bits)
      return .success
    },
  ]
}
