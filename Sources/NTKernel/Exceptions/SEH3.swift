import Events
import Guest
import WindowsTypes

/// Structured exception handling as Visual C++ compiles it for i386: `_except_handler3` over scope tables.
///
/// The frame is the compiler's own: the registration record, the scope table and the try level behind it, `ebp` right above; the
/// saved stack pointer and the exception pointers before it (``EH3_FRAME``).
extension Kernel {
  typealias Frame = Pointer<EH3_EXCEPTION_REGISTRATION>

  func exceptHandler3(
    _ record: Pointer<EXCEPTION_RECORD>, _ frame: Frame, _ context: Pointer<CONTEXT>
  ) async throws -> EXCEPTION_DISPOSITION {
    let flags = try record.ExceptionFlags.load()
    if !flags.isDisjoint(with: [.unwinding, .exitUnwind]) {
      try await localUnwind(frame, to: -1)
      return .continueSearch
    }
    let whole = Pointer<EH3_FRAME>(
      below(frame.address, UInt64(EH3_FRAME.layouts[memory.target].Registration.offset)), in: memory.memory)
    let pointers = Pointer<EXCEPTION_POINTERS>(below(registers[.sp], 16), in: memory.memory)
    try pointers.ExceptionRecord.store(record)
    try pointers.ContextRecord.store(context)
    try whole.ExceptionPointers.store(pointers)
    var level = try frame.TryLevel.load()
    while level != -1 {
      let scope = try scope(level, of: frame)
      let filter = try scope.FilterFunc.load()
      if !filter.isNull {
        let answer = try await callFunclet(filter.address, of: frame, below: pointers.address)
        let result = ExceptionFilterResult(rawValue: Int32(truncatingIfNeeded: answer))
        if result.rawValue < 0 { return .continueExecution }
        if result.rawValue > 0 { throw try await executeHandler(scope, level, frame, record, whole) }
      }
      let enclosing = try scope.EnclosingLevel.load()
      guard isEnclosing(enclosing, level) else {
        try record.ExceptionFlags.store(record.ExceptionFlags.load().union(.stackInvalid))
        return .continueSearch
      }
      level = enclosing
    }
    return .continueSearch
  }

  /// Unwinds to `frame`, then to `level` in it, and leaves for the except block. Never returns normally.
  private func executeHandler(
    _ scope: Pointer<SCOPETABLE_ENTRY>, _ level: Int32, _ frame: Frame, _ record: Pointer<EXCEPTION_RECORD>,
    _ whole: Pointer<EH3_FRAME>
  ) async throws -> ControlTransfer {
    try await unwind(to: frame.address, record, from: servedReturnAddress)
    try await localUnwind(frame, to: level)
    try frame.TryLevel.store(scope.EnclosingLevel.load())
    let target = try scope.HandlerFunc.load().address
    stream.append(.handled(frame: frame.address, target: target))
    return ControlTransfer(
      registers: [
        .ip: target, .sp: try whole.SavedEsp.load().bits, .bp: framePointer(of: frame), .bx: 0, .si: 0, .di: 0,
      ])
  }

  /// Runs the finally blocks of `frame` from its try level out to `level`, which stays.
  func localUnwind(_ frame: Frame, to level: Int32) async throws {
    var current = try frame.TryLevel.load()
    while current != -1 && current != level {
      let scope = try scope(current, of: frame)
      // The level is left before its block runs, so that a second unwind does not run it again.
      let enclosing = try scope.EnclosingLevel.load()
      guard isEnclosing(enclosing, current) else { throw GuestException(.badStack, isContinuable: false) }
      current = enclosing
      try frame.TryLevel.store(current)
      if try scope.FilterFunc.load().isNull {
        running?.localUnwinds.append((registers[.sp], try kpcr.NtTib.ExceptionList.load().address))
        _ = try await callFunclet(scope.HandlerFunc.load().address, of: frame, below: below(registers[.sp], 16))
      }
    }
  }

  /// Whether the running code is a finally block that an unwind runs: not a function that such a block calls, which has a frame of its
  /// own if it asks.
  func isUnwindingLocally() throws -> Bool {
    guard let thread = running else { return false }
    // The stack tells which blocks have ended, however they were left.
    thread.localUnwinds.removeAll { $0.stackPointer <= registers[.sp] }
    return try thread.localUnwinds.last.map { try $0.frames == kpcr.NtTib.ExceptionList.load().address } ?? false
  }

  /// Compilers number the blocks from the outside in. A table that says otherwise was damaged, and could be walked for ever.
  private func isEnclosing(_ outer: Int32, _ inner: Int32) -> Bool { outer == -1 || outer >= 0 && outer < inner }

  private func scope(_ level: Int32, of frame: Frame) throws -> Pointer<SCOPETABLE_ENTRY> {
    let size = Int64(Pointer<SCOPETABLE_ENTRY>.size(in: memory.memory))
    return try frame.ScopeTable.load().advanced(byBytes: Int64(level) * size)
  }

  /// A filter or a finally block runs with its function's frame pointer, and nothing else.
  private func callFunclet(_ routine: UInt64, of frame: Frame, below stackPointer: UInt64) async throws -> UInt64 {
    let saved = [Register.bp, .bx, .si, .di].map { ($0, registers[$0]) }
    let result = try await call(
      routine, [], below: stackPointer, setting: [.bp: framePointer(of: frame), .bx: 0, .si: 0, .di: 0])
    for (register, value) in saved { registers[register] = value }
    return result
  }

  /// What `ebp` is in the function that made `frame`.
  private func framePointer(of frame: Frame) -> UInt64 {
    frame.address + UInt64(Pointer<EH3_EXCEPTION_REGISTRATION>.size(in: memory.memory))
  }
}
