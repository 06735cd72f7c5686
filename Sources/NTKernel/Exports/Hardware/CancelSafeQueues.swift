import Guest
import WindowsTypes

/// Cancel-safe queues: the driver keeps the list, the I/O manager the rules of cancelling (nf-wdm-iocsqinitialize and its like).
extension Export {
  static let cancelSafeQueues: [Export] = [
    // nf-wdm-iocsqinitialize
    export(
      "IoCsqInitialize(Csq, CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock, CsqCompleteCanceledIrp)"
    ) {
      (
        _, csq: Pointer<IO_CSQ>, insert: GuestWord, remove: GuestWord, peek: GuestWord, acquire: GuestWord, release: GuestWord,
        complete: GuestWord
      ) -> NTSTATUS in
      try csq.initialize(type: IO_CSQ.simple, [insert, remove, peek, acquire, release, complete])
    },
    // nf-wdm-iocsqinitializeex: inserting may fail.
    export(
      "IoCsqInitializeEx(Csq, CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock, CsqCompleteCanceledIrp)"
    ) {
      (
        _, csq: Pointer<IO_CSQ>, insert: GuestWord, remove: GuestWord, peek: GuestWord, acquire: GuestWord, release: GuestWord,
        complete: GuestWord
      ) -> NTSTATUS in
      try csq.initialize(type: IO_CSQ.extended, [insert, remove, peek, acquire, release, complete])
    },
    // nf-wdm-iocsqinsertirp
    export("IoCsqInsertIrp(Csq, Irp, Context)", irql: .dispatch) {
      (kernel, csq: Pointer<IO_CSQ>, irp: Pointer<IRP>, context: Pointer<IO_CSQ_IRP_CONTEXT>) async throws in
      _ = try await kernel.insert(irp, into: csq, context, insertContext: 0)
    },
    // nf-wdm-iocsqinsertirpex
    export("IoCsqInsertIrpEx(Csq, Irp, Context, InsertContext)", irql: .dispatch) {
      (
        kernel, csq: Pointer<IO_CSQ>, irp: Pointer<IRP>, context: Pointer<IO_CSQ_IRP_CONTEXT>, insertContext: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.insert(irp, into: csq, context, insertContext: insertContext.bits)
    },
    // nf-wdm-iocsqremoveirp: null where it is being cancelled.
    export("IoCsqRemoveIrp(Csq, Context)", irql: .dispatch) {
      (kernel, csq: Pointer<IO_CSQ>, context: Pointer<IO_CSQ_IRP_CONTEXT>) async throws -> Pointer<IRP> in
      try await kernel.withLock(of: csq) {
        let irp = try context.Irp.load()
        guard !irp.isNull, try irp.CancelRoutine.load().address != 0 else { return Pointer(0, in: kernel.memory.memory) }
        try await kernel.take(irp, from: csq)
        return irp
      }
    },
    // nf-wdm-iocsqremovenextirp
    export("IoCsqRemoveNextIrp(Csq, PeekContext)", irql: .dispatch) {
      (kernel, csq: Pointer<IO_CSQ>, peekContext: GuestWord) async throws -> Pointer<IRP> in
      try await kernel.withLock(of: csq) {
        var irp: UInt64 = 0
        // A driver that hands out the same one again and again would hang Windows, too.
        for _ in 0..<1 << 16 {
          irp = try await kernel.call(csq.CsqPeekNextIrp.load().address, [csq.address, irp, peekContext.bits]) & 0xffff_ffff
          let found = Pointer<IRP>(irp, in: kernel.memory.memory)
          guard !found.isNull else { return found }
          // One without a cancel routine is being cancelled.
          guard try found.CancelRoutine.load().address != 0 else { continue }
          try await kernel.take(found, from: csq)
          return found
        }
        throw EndlessLoop(description: "CsqPeekNextIrp gives one IRP that is being cancelled after the other")
      }
    },
    // The cancel routine of every IRP in such a queue.
    export("IopCsqCancelRoutine(DeviceObject, Irp)", isImportable: false) {
      (kernel, device: GuestWord, irp: Pointer<IRP>) async throws in
      try kernel.lowerIRQL(to: irp.CancelIrql.load())
      let csq = try kernel.queueOf(irp)
      try await kernel.withLock(of: csq) { try await kernel.take(irp, from: csq) }
      _ = try await kernel.call(csq.CsqCompleteCanceledIrp.load().address, [csq.address, irp.address])
    },
  ]
}

extension IO_CSQ {
  /// `IO_TYPE_CSQ`, `IO_TYPE_CSQ_EX`; between them `IO_TYPE_CSQ_IRP_CONTEXT`.
  static let (simple, context, extended) = (UInt32(1), UInt32(2), UInt32(3))
}

extension Pointer where Pointee == IO_CSQ {
  fileprivate func initialize(type: UInt32, _ routines: [GuestWord]) throws -> NTSTATUS {
    try self.Type.store(type)
    for (index, routine) in routines.enumerated() { try routine.store(memory, at: self.CsqInsertIrp.address + 4 * UInt64(index)) }
    try self.ReservePointer.store(Pointer<Void>(0, in: memory))
    return .success
  }
}

extension Kernel {
  /// The word of the IRP's that says which queue it is in: the last of `DriverContext`.
  private func link(of irp: Pointer<IRP>) -> Pointer<Pointer<Void>> { irp.Tail.Overlay.DriverContext[3] }

  fileprivate func queueOf(_ irp: Pointer<IRP>) throws -> Pointer<IO_CSQ> {
    let link = try link(of: irp).load()
    let context = link.cast(to: IO_CSQ_IRP_CONTEXT.self)
    return try context.Type.load() == IO_CSQ.context ? context.Csq.load() : link.cast()
  }

  /// Does `body` with the driver's lock held.
  fileprivate func withLock<Result>(of csq: Pointer<IO_CSQ>, _ body: () async throws -> Result) async throws -> Result {
    let place = try allocate(8)
    defer { _ = nonPagedPool.free(place) }
    _ = try await call(csq.CsqAcquireLock.load().address, [csq.address, place])
    let result = try await body()
    let irql = try memory.memory.load(UInt8.self, at: place)
    _ = try await call(csq.CsqReleaseLock.load().address, [csq.address, UInt64(irql)])
    return result
  }

  /// Takes an IRP that is not being cancelled out of its queue. The lock is held.
  fileprivate func take(_ irp: Pointer<IRP>, from csq: Pointer<IO_CSQ>) async throws {
    let null = Pointer<Void>(0, in: memory.memory)
    try irp.CancelRoutine.store(null.cast())
    _ = try await call(csq.CsqRemoveIrp.load().address, [csq.address, irp.address])
    let context = try link(of: irp).load().cast(to: IO_CSQ_IRP_CONTEXT.self)
    if !context.isNull, try context.Type.load() == IO_CSQ.context { try context.Irp.store(null.cast()) }
    try link(of: irp).store(null)
  }

  fileprivate func insert(
    _ irp: Pointer<IRP>, into csq: Pointer<IO_CSQ>, _ context: Pointer<IO_CSQ_IRP_CONTEXT>, insertContext: UInt64
  ) async throws -> NTSTATUS {
    if context.isNull {
      try link(of: irp).store(csq.cast())
    } else {
      try link(of: irp).store(context.cast())
      try context.Type.store(IO_CSQ.context)
      try context.Irp.store(irp)
      try context.Csq.store(csq)
    }
    let isExtended = try csq.Type.load() == IO_CSQ.extended
    let (status, isCancelled): (NTSTATUS, Bool) = try await withLock(of: csq) {
      let control = try irp.Tail.Overlay.CurrentStackLocation.load().Control
      try control.store(control.load().union(.pendingReturned))
      let result = try await call(
        csq.CsqInsertIrp.load().address, [csq.address, irp.address] + (isExtended ? [insertContext] : []))
      let status = isExtended ? NTSTATUS(rawValue: UInt32(truncatingIfNeeded: result)) : .success
      guard status.isSuccess else { return (status, false) }
      guard try irp.Cancel.load() != 0 else {
        try irp.CancelRoutine.store(Pointer(trapAddress(of: "IopCsqCancelRoutine"), in: memory.memory))
        return (status, false)
      }
      // Cancelled on the way here: nobody else will take it out.
      try await take(irp, from: csq)
      return (status, true)
    }
    if isCancelled { _ = try await call(csq.CsqCompleteCanceledIrp.load().address, [csq.address, irp.address]) }
    return status
  }
}
