import Events
import Guest
import WindowsTypes

/// Exceptions in kernel mode: records on the guest's own stack, and two passes over its own frames.
///
/// The chain hangs from `fs:[0]` and ends in -1; the layout of a frame, the handler's four arguments and its answers are those of
/// `EXCEPTION_REGISTRATION_RECORD` and `EXCEPTION_DISPOSITION` in the public headers.
extension Kernel {
  /// Raises `exception` for the instruction at `ip`: writes record and context below the stack pointer and starts the dispatch.
  func raise(_ exception: GuestException, ip: UInt64, sp: UInt64) throws -> Continuation {
    let here = memory.memory
    var registers: [Register: UInt64] = [:]
    for register in Register.allCases { registers[register] = self.registers[register] }
    registers[.ip] = ip
    registers[.sp] = sp
    stream.append(
      .exception(
        code: exception.code.rawValue, address: exception.address ?? ip, information: exception.information, site: site()))
    // A trap frame lies between the interrupted code and what the dispatcher builds.
    let frame = below(sp, UInt64(Pointer<KTRAP_FRAME>.size(in: here))) & ~3
    let context = Pointer<CONTEXT>(below(frame, UInt64(Pointer<CONTEXT>.size(in: here))), in: here)
    let record = Pointer<EXCEPTION_RECORD>(
      below(context.address, UInt64(Pointer<EXCEPTION_RECORD>.size(in: here))), in: here)
    try store(registers, in: context)
    try record.zero()
    try record.ExceptionCode.store(exception.code)
    try record.ExceptionFlags.store(exception.isContinuable ? [] : .nonContinuable)
    try record.ExceptionAddress.store(Pointer(exception.address ?? ip, in: here))
    try record.NumberParameters.store(UInt32(exception.information.count))
    for (index, value) in exception.information.prefix(15).enumerated() {
      try record.ExceptionInformation[index].store(GuestWord(value))
    }
    let bottom = below(record.address, 16)
    self.registers[.sp] = bottom
    return try start(.dispatch) { [self] in
      if try await dispatch(record, context, below: bottom) {
        throw ControlTransfer(registers: try load(context))
      }
      throw try unhandled(record, context, frame)
    }
  }

  /// What an exception that no frame takes does to the machine.
  ///
  /// A system thread's outermost frame is the kernel's own, which ends in SYSTEM_THREAD_EXCEPTION_NOT_HANDLED (0x7E: code,
  /// address, record, context); elsewhere it is KERNEL_MODE_EXCEPTION_NOT_HANDLED (0x8E: code, address, trap frame, 0), the
  /// form that x86 systems show in place of 0x1E (bug check reference).
  private func unhandled(
    _ record: Pointer<EXCEPTION_RECORD>, _ context: Pointer<CONTEXT>, _ trapFrame: UInt64
  ) throws -> BugCheck {
    let (code, address) = (UInt64(try record.ExceptionCode.load().rawValue), try record.ExceptionAddress.load().address)
    if try running?.owner.id == 0 && !isDPCActive() {
      return BugCheck(.systemThreadExceptionNotHandled, code, address, record.address, context.address)
    }
    return BugCheck(.kernelModeExceptionNotHandled, code, address, trapFrame, 0)
  }

  /// The first pass: asks each frame's handler. Returns whether the exception's context is to be continued.
  private func dispatch(
    _ record: Pointer<EXCEPTION_RECORD>, _ context: Pointer<CONTEXT>, below stackPointer: UInt64
  ) async throws -> Bool {
    var frame = try kpcr.NtTib.ExceptionList.load()
    var nestedFrame: UInt64 = 0
    let dispatcherContext = below(stackPointer, 4)
    while frame.address != memory.target.endOfExceptionChain {
      guard try isOnStack(frame) else {
        try record.ExceptionFlags.store(record.ExceptionFlags.load().union(.stackInvalid))
        return false
      }
      let disposition = try await execute(
        frame, record, context, dispatcherContext, protector: "KiNestedExceptionHandler", below: below(dispatcherContext, 4))
      var flags = try record.ExceptionFlags.load()
      if frame.address == nestedFrame {
        flags.remove(.nestedCall)
        nestedFrame = 0
      }
      switch disposition {
      case .continueExecution:
        if flags.contains(.nonContinuable) {
          throw GuestException(.noncontinuableException, isContinuable: false)
        }
        return true
      case .continueSearch:
        if flags.contains(.stackInvalid) { return false }
      case .nestedException:
        flags.insert(.nestedCall)
        nestedFrame = max(nestedFrame, UInt64(try memory.memory.load(UInt32.self, at: dispatcherContext)))
      default: throw GuestException(.invalidDisposition, isContinuable: false)
      }
      try record.ExceptionFlags.store(flags)
      frame = try frame.Next.load()
    }
    return false
  }

  /// The second pass, `RtlUnwind`: tells every frame below `target` that it goes, and takes it off the chain.
  ///
  /// - Parameter target: `nil` for an exit unwind, which goes through all frames.
  func unwind(to target: UInt64?, _ record: Pointer<EXCEPTION_RECORD>?, from ip: UInt64) async throws {
    let here = memory.memory
    var bottom = below(registers[.sp], 16)
    let context = Pointer<CONTEXT>(below(bottom, UInt64(Pointer<CONTEXT>.size(in: here))), in: here)
    var values: [Register: UInt64] = [:]
    for register in Register.allCases { values[register] = registers[register] }
    try store(values, in: context)
    bottom = below(context.address, 16)
    let unwinding: Pointer<EXCEPTION_RECORD>
    if let record, !record.isNull {
      unwinding = record
    } else {
      unwinding = Pointer(below(bottom, UInt64(Pointer<EXCEPTION_RECORD>.size(in: here))), in: here)
      try unwinding.zero()
      try unwinding.ExceptionCode.store(.unwind)
      try unwinding.ExceptionAddress.store(Pointer(ip, in: here))
      bottom = below(unwinding.address, 16)
    }
    let flags: ExceptionFlags = target == nil ? [.unwinding, .exitUnwind] : .unwinding
    try unwinding.ExceptionFlags.store(unwinding.ExceptionFlags.load().union(flags))
    let dispatcherContext = below(bottom, 4)
    var frame = try kpcr.NtTib.ExceptionList.load()
    while frame.address != memory.target.endOfExceptionChain {
      if frame.address == target { return }
      if let target, frame.address > target { throw GuestException(.invalidUnwindTarget, isContinuable: false) }
      guard try isOnStack(frame) else { throw GuestException(.badStack, isContinuable: false) }
      let disposition = try await execute(
        frame, unwinding, context, dispatcherContext, protector: "KiCollidedUnwindHandler", below: below(dispatcherContext, 4))
      switch disposition {
      case .continueSearch: break
      case .collidedUnwind: frame = Pointer(UInt64(try here.load(UInt32.self, at: dispatcherContext)), in: here)
      default: throw GuestException(.invalidDisposition, isContinuable: false)
      }
      frame = try frame.Next.load()
      try kpcr.NtTib.ExceptionList.store(frame)
    }
    if target != nil { throw GuestException(.invalidUnwindTarget, isContinuable: false) }
  }

  /// Calls a frame's handler, with a frame of the dispatcher's own on the chain that tells a nested exception.
  private func execute(
    _ frame: Pointer<EXCEPTION_REGISTRATION_RECORD>, _ record: Pointer<EXCEPTION_RECORD>, _ context: Pointer<CONTEXT>,
    _ dispatcherContext: UInt64, protector: String, below stackPointer: UInt64
  ) async throws -> EXCEPTION_DISPOSITION {
    let here = memory.memory
    let own = Pointer<EXCEPTION_REGISTRATION_RECORD>(below(stackPointer, 12), in: here)
    try own.Next.store(kpcr.NtTib.ExceptionList.load())
    try own.Handler.store(Pointer(trapAddresses[exports["nt", protector] ?? 0], in: here))
    try here.store(UInt32(truncatingIfNeeded: frame.address), at: own.address + 8)
    try kpcr.NtTib.ExceptionList.store(own)
    let answer = try await call(
      frame.Handler.load().address, [record.address, frame.address, context.address, dispatcherContext], below: own.address)
    try kpcr.NtTib.ExceptionList.store(own.Next.load())
    return EXCEPTION_DISPOSITION(rawValue: Int32(truncatingIfNeeded: answer))
  }

  /// Whether a frame lies within the running thread's stack, and is aligned.
  private func isOnStack(_ frame: Pointer<EXCEPTION_REGISTRATION_RECORD>) throws -> Bool {
    let (limit, base) = (try kpcr.NtTib.StackLimit.load().address, try kpcr.NtTib.StackBase.load().address)
    return frame.address & 3 == 0 && frame.address >= limit && frame.address + 8 <= base
  }

  // MARK: Contexts

  private static let contextMembers: [(Register, KeyPath<CONTEXT, Field<UInt32>> & Sendable)] = [
    (.ax, \.Eax), (.cx, \.Ecx), (.dx, \.Edx), (.bx, \.Ebx), (.sp, \.Esp), (.bp, \.Ebp), (.si, \.Esi), (.di, \.Edi),
    (.ip, \.Eip), (.flags, \.EFlags),
  ]

  private func store(_ registers: [Register: UInt64], in context: Pointer<CONTEXT>) throws {
    try context.zero()
    // CONTEXT_FULL of winnt.h for i386: control, integer and segment registers.
    try context.ContextFlags.store(0x1_0007)
    for (register, member) in Self.contextMembers {
      try context[dynamicMember: member].store(UInt32(truncatingIfNeeded: registers[register] ?? 0))
    }
    let segments = segmentTable
    try context.SegCs.store(segments.code)
    for segment in [context.SegSs, context.SegDs, context.SegEs] { try segment.store(segments.data) }
    try context.SegFs.store(segments.processor)
  }

  private func load(_ context: Pointer<CONTEXT>) throws -> [Register: UInt64] {
    var registers: [Register: UInt64] = [:]
    for (register, member) in Self.contextMembers { registers[register] = UInt64(try context[dynamicMember: member].load()) }
    return registers
  }
}
