import Guest
import Memory
import NTKernel
import Testing
import WindowsTypes

/// The test plays the handlers, filters and blocks: an export that calls one has entered it when it hands over.
@Suite("Exceptions") struct ExceptionTests {
  let k: TestKernel
  init() throws { k = try TestKernel() }

  // MARK: Raising

  @Test(
    "a routine that raises gives its caller's frame the status, not to be continued, at the return address",
    arguments: [
      ("ExRaiseStatus", [0xc000_000d], 0xc000_000d), ("ExRaiseStatus", [0x8000_0005], 0x8000_0005),
      ("ExRaiseAccessViolation", [], 0xc000_0005), ("ExRaiseDatatypeMisalignment", [], 0x8000_0002),
    ] as [(String, [UInt64], UInt32)])
  func raise(name: String, arguments: [UInt64], status: UInt32) throws {
    let reply = try k.call(name, arguments)
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.code.rawValue == status)
    #expect(try exception.flags == 1)
    #expect(try exception.address == TestKernel.caller)
    #expect(try exception.information == [])
    #expect(exception.frame == k.frame)
    // Continuing all the same is another exception, on top of the first.
    guard case .raised(let second) = try k.returnFromCallback(0) else { return unexpected(reply) }
    #expect(try second.code == .noncontinuableException && second.flags & 1 == 1)
    #expect(second.record.address < exception.record.address)
  }

  @Test("a fault inside an export is dispatched at its caller, with the context at the export's entry")
  func context() throws {
    let exception = try k.raised("IoGetRequestorProcess", 0x10)
    let trap = try k.trap("IoGetRequestorProcess")
    #expect(try exception.code == .accessViolation)
    #expect(try exception.flags == 0)
    #expect(try exception.address == trap)
    #expect(try exception.information == [0, 0x60])
    let context = exception.context.address
    #expect(try UInt64(k.load(context + 0xb8)) == trap)
    #expect(try UInt64(k.load(context + 0xc4)) == k.entryStackPointer)
    #expect(try UInt64(k.load(k.entryStackPointer)) == TestKernel.caller)
    for (register, offset) in [Register.bx: 0xa4, .si: 0xa0, .di: 0x9c, .bp: 0xb4] as [Register: UInt64] {
      #expect(try UInt64(k.load(context + offset)) == TestKernel.kept[register])
    }
    #expect(try k.load(context) == 0x1_0007)
    #expect(try k.load(context + 0xbc) == 0x8 && k.load(context + 0x90) == 0x30)
    // Record and context lie below what the caller uses.
    #expect(exception.record.address + 0x50 <= context && context + 0x2cc <= k.entryStackPointer - 0x8c)
  }

  @Test("a continued fault is tried again: a guard page is gone by then")
  func continued() throws {
    try PageKind.guarded.map(in: k)
    let exception = try k.raised("ProbeForWrite", k.buffer, 4, 1)
    #expect(try exception.code == .guardPageViolation)
    guard case .returned = try k.returnFromCallback(0) else { return missing("it was to return") }
  }

  @Test("what a handler changes in the context is where guest code goes on")
  func changedContext() throws {
    let exception = try k.raised("PsGetProcessId", 0x10)
    try exception.context.Eip.store(0xf8b0_7777)
    try exception.context.Ecx.store(0x1234)
    try exception.context.Esp.store(UInt32(k.entryStackPointer - 8))
    let reply = try k.returnFromCallback(0)
    guard case .calls(0xf8b0_7777) = reply else { return unexpected(reply) }
    #expect(k.registers[.cx] == 0x1234 && k.registers[.sp] == k.entryStackPointer - 8)
    #expect(try UInt64(k.load(k.kernel.kpcr.address)) == k.frame, "the chain is the caller's again")
  }

  @Test("frames are asked from the inside out, each with its own address")
  func search() throws {
    k.handlers = [0xf8b0_6000, 0xf8b0_6100, TestKernel.handler]
    var reply = try k.call("ExRaiseStatus", 0xc000_0001)
    for index in 0..<2 {
      guard case .calls(0xf8b0_6000 + 0x100 * UInt64(index)) = reply else { return unexpected(reply) }
      #expect(try k.argument(1) == k.frames[index])
      reply = try k.returnFromCallback(1)
    }
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(exception.frame == k.frames[2])
  }

  @Test("unhandled in a process's thread: bugcheck 8E with status, address and trap frame")
  func unhandled() throws {
    let exception = try k.raised("ExRaiseStatus", 0xc000_0001)
    guard case .bugCheck(let check) = try k.returnFromCallback(1) else { return missing("no bugcheck") }
    #expect(check.code.rawValue == 0x8e)
    #expect(check.parameters == [0xc000_0001, TestKernel.caller, exception.context.address + 0x2cc, 0])
  }

  @Test("unhandled in a system thread: bugcheck 7E with record and context")
  func unhandledInSystem() throws {
    try k.kernel.run(k.worker)
    let exception = try k.raised("ExRaiseStatus", 0xc000_0001)
    guard case .bugCheck(let check) = try k.returnFromCallback(1) else { return missing("no bugcheck") }
    #expect(check.code.rawValue == 0x7e)
    #expect(check.parameters == [0xc000_0001, TestKernel.caller, exception.record.address, exception.context.address])
  }

  @Test("a frame that is not on the stack, or not aligned, ends the search", arguments: [TestKernel.scratch, 2])
  func offStack(place: UInt64) throws {
    let exception = try k.raised("ExRaiseStatus", 0xc000_0001)
    try k.store(UInt32(place == 2 ? k.frame + 2 : place), at: k.frame)
    guard case .bugCheck(let check) = try k.returnFromCallback(1) else { return missing("no bugcheck") }
    #expect(check.code.rawValue == 0x8e)
    #expect(try exception.flags & 8 == 8)
  }

  @Test("an answer that is none is an exception of its own")
  func invalidDisposition() throws {
    try k.raised("ExRaiseStatus", 0xc000_0001)
    guard case .raised(let second) = try k.returnFromCallback(77) else { return missing("no exception") }
    #expect(try second.code == .invalidDisposition)
  }

  @Test("an exception in a handler is nested: the frame that was being asked is told so")
  func nested() throws {
    k.handlers = [TestKernel.handler, 0xf8b0_6100]
    try k.raised("ExRaiseStatus", 0xc000_0001)
    guard case .raised(let second) = try k.enter("ExRaiseStatus", [0xc000_0002], at: k.registers[.sp]) else {
      return missing("no second exception")
    }
    #expect(try second.code.rawValue == 0xc000_0002)
    #expect(try second.flags & 0x10 == 0x10)
    #expect(second.frame == k.frame)
    // Beyond the frame that was being asked the call is not nested any more.
    guard case .calls(0xf8b0_6100) = try k.returnFromCallback(1) else { return missing("the outer frame was not asked") }
    #expect(try k.load(k.argument(0)) == 0xc000_0002 && k.load(k.argument(0) + 4) & 0x10 == 0)
  }

  @Test(
    "a processor's exception becomes its status at the instruction",
    arguments: [
      (0, false, 0xc000_0094, 0), (4, true, 0xc000_0095, 0), (5, false, 0xc000_008c, 0), (6, false, 0xc000_001d, 0),
      (3, true, 0x8000_0003, 1), (1, false, 0x8000_0004, 0),
    ] as [(Int, Bool, UInt32, UInt64)])
  func processor(vector: Int, isSoftware: Bool, status: UInt32, back: UInt64) throws {
    try k.linkFrames()
    k.registers[.sp] = k.frame - 0x40
    k.registers[.ip] = 0xf8b0_0100
    #expect(k.kernel.processorException(vector: vector, isSoftware: isSoftware) == .proceed)
    #expect(k.registers[.ip] == TestKernel.handler)
    let record = try k.argument(0)
    #expect(try k.load(record) == status)
    #expect(try UInt64(k.load(record + 0xc)) == 0xf8b0_0100 - back)
  }

  @Test(
    "a processor's exception that has no status is bugcheck 7F with its vector",
    arguments: [(13, false, 13), (8, false, 8), (0x80, true, 13)])
  func trap(vector: Int, isSoftware: Bool, reported: UInt64) throws {
    k.registers[.ip] = 0xf8b0_0100
    #expect(k.kernel.processorException(vector: vector, isSoftware: isSoftware) == .stop)
    guard case .bugCheck(let check) = k.kernel.ending else { return missing("no bugcheck") }
    #expect(check.code.rawValue == 0x7f && check.parameters[0] == reported)
  }

  @Test(
    "an exception on a stack that cannot take the record ends in a bugcheck",
    arguments: [0, 4, 0x100, 0x10_0000, 0xffff_ffff, 0x8000_0000] as [UInt64])
  func noStack(stackPointer: UInt64) throws {
    k.registers[.sp] = stackPointer
    k.registers[.ip] = 0xf8b0_0100
    #expect(k.kernel.processorException(vector: 6, isSoftware: false) == .stop)
    #expect(k.kernel.failure == nil)
    guard case .bugCheck = k.kernel.ending else { return missing("no bugcheck") }
  }

  @Test("a routine entered on a stack that cannot be read ends in a bugcheck", arguments: [0, 2, 0xffff_fffe, 0x8000_0000] as [UInt64])
  func noStackForExport(stackPointer: UInt64) throws {
    for name in ["KeStackAttachProcess", "RtlUnwind", "KeGetCurrentIrql", "KfRaiseIrql"] {
      let k = try TestKernel()
      let number = try k.number(of: name)
      k.registers[.sp] = stackPointer
      k.registers[.ip] = k.kernel.trapAddresses[number]
      #expect(k.kernel.serve(trap: number) == .stop)
      #expect(k.kernel.failure == nil)
    }
  }

  @Test("a stack pointer at the end of the last mapped page is looked at without faulting")
  func stackAtPageEnd() throws {
    // Three bytes of the return address are there, one is not.
    let k = try TestKernel()
    let number = try k.number(of: "KeGetCurrentIrql")
    k.registers[.sp] = TestKernel.scratch + 0xffd
    k.registers[.ip] = k.kernel.trapAddresses[number]
    #expect(k.kernel.serve(trap: number) == .stop)
    guard case .bugCheck(let check) = k.kernel.ending else { return missing("no bugcheck") }
    #expect(check.code.rawValue == 0x50)
  }

  @Test("a return to a place where nothing waits is an invalid instruction in the kernel's own code")
  func strayReturn() throws {
    k.registers[.ip] = k.kernel.callbackRange.base + 32
    #expect(k.kernel.callbackReturned(to: 2) == .stop)
    #expect(k.kernel.ending == .bugCheck(BugCheck(.unexpectedKernelModeTrap, 6, 0, 0, k.registers[.ip])))
  }

  @Test("a guarded call of the run's own ends with the status; an unguarded one with the result")
  func guarded() throws {
    let raise = try k.trap("ExRaiseStatus")
    #expect(try k.kernel.beginCall(raise, [0xc000_0001], on: k.client, isGuarded: true) == .proceed)
    guard case .ended = try k.serve(k.number(of: "ExRaiseStatus")) else { return missing("the call goes on") }
    #expect(k.kernel.callResult == .raised(0xc000_0001))
    #expect(try k.load(k.kernel.kpcr.address) == 0xffff_ffff)
    let level = try k.trap("KeGetCurrentIrql")
    try k.raiseIRQL(to: 1)
    #expect(try k.kernel.beginCall(level, [], on: k.client, isGuarded: true) == .proceed)
    guard case .ended = try k.serve(k.number(of: "KeGetCurrentIrql")) else { return missing("the call goes on") }
    #expect(k.kernel.callResult == .returned(1))
  }

  // MARK: Unwinding

  @Test("RtlUnwind tells each frame below its target that it goes, and takes it off the chain")
  func unwind() throws {
    k.handlers = [0xf8b0_6000, 0xf8b0_6100, TestKernel.handler]
    try k.linkFrames()
    var reply = try k.call("RtlUnwind", k.frames[2], 0, 0, 0x77)
    for index in 0..<2 {
      guard case .calls(0xf8b0_6000 + 0x100 * UInt64(index)) = reply else { return unexpected(reply) }
      let record = try k.argument(0)
      #expect(try k.load(record) == 0xc000_0027 && k.load(record + 4) == 2, "STATUS_UNWIND, EXCEPTION_UNWINDING")
      #expect(try k.argument(1) == k.frames[index])
      reply = try k.returnFromCallback(1)
    }
    guard case .returned(0x77) = reply else { return unexpected(reply) }
    #expect(try UInt64(k.load(k.kernel.kpcr.address)) == k.frames[2])
  }

  @Test("RtlUnwind passes the caller's record on, with its own flag added")
  func unwindRecord() throws {
    k.handlers = [0xf8b0_6000, TestKernel.handler]
    try k.linkFrames()
    let record = k.scratch + 0x100
    try k.store([0xc000_0001, 1, 0, 0x1234, 0], at: record)
    let reply = try k.call("RtlUnwind", k.frames[1], 0, record, 0)
    guard case .calls(0xf8b0_6000) = reply else { return unexpected(reply) }
    #expect(try k.argument(0) == record)
    #expect(try k.load(record) == 0xc000_0001 && k.load(record + 4) == 3)
  }

  @Test("RtlUnwind without a target is an exit unwind of every frame")
  func exitUnwind() throws {
    let reply = try k.call("RtlUnwind", 0, 0, 0, 5)
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.flags == 6)
    guard case .returned(5) = try k.returnFromCallback(1) else { return missing("it was to return") }
    #expect(try k.load(k.kernel.kpcr.address) == 0xffff_ffff)
  }

  @Test("a target that is not on the chain is STATUS_INVALID_UNWIND_TARGET, raised", arguments: [true, false])
  func invalidTarget(isBelow: Bool) throws {
    k.handlers = [TestKernel.handler]
    try k.linkFrames()
    var reply = try k.call("RtlUnwind", isBelow ? k.frame - 8 : k.frame + 8, 0, 0, 0)
    if !isBelow {
      // The frame is unwound before the chain's end shows that the target is missing.
      guard case .raised(let unwinding) = reply, try unwinding.flags & 2 == 2 else { return unexpected(reply) }
      k.handlers = []
      reply = try k.returnFromCallback(1)
      guard case .bugCheck(let check) = reply else { return unexpected(reply) }
      #expect(check.parameters[0] == 0xc000_0029)
      return
    }
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.code.rawValue == 0xc000_0029)
  }

  @Test("an unwind inside an unwind goes on behind the frame that was being told")
  func collided() throws {
    k.handlers = [0xf8b0_6000, 0xf8b0_6100, TestKernel.handler]
    try k.linkFrames()
    var reply = try k.call("RtlUnwind", k.frames[2], 0, 0, 1)
    guard case .calls(0xf8b0_6000) = reply else { return unexpected(reply) }
    for (register, value) in TestKernel.kept { k.registers[register] = value }
    reply = try k.enter("RtlUnwind", [k.frames[2], 0, 0, 2], at: k.registers[.sp])
    guard case .calls(0xf8b0_6100) = reply else { return unexpected(reply) }
    #expect(try k.argument(1) == k.frames[1])
    reply = try k.returnFromCallback(1)
    guard case .returned(2) = reply else { return unexpected(reply) }
    #expect(try UInt64(k.load(k.kernel.kpcr.address)) == k.frames[2])
  }

  @Test("RtlUnwind over a frame that is not on the stack raises STATUS_BAD_STACK")
  func unwindOffStack() throws {
    k.handlers = [0xf8b0_6000, TestKernel.handler]
    try k.linkFrames()
    let reply = try k.call("RtlUnwind", 0xffff_0000, 0, 0, 0)
    guard case .calls(0xf8b0_6000) = reply else { return unexpected(reply) }
    try k.store(UInt32(k.scratch), at: k.frames[0])
    let next = try k.returnFromCallback(1)
    guard case .bugCheck(let check) = next else { return unexpected(next) }
    #expect(check.parameters[0] == 0xc000_0028)
  }
}

/// `_except_handler3` and its frames: saved `esp` at -8 from the registration record, exception pointers at -4, scope table at 8,
/// try level at C; `ebp` of the function is 10h above the record.
@Suite("Visual C++ frames") struct ScopeTableTests {
  let k: TestKernel
  let table = TestKernel.scratch + 0x400
  let record = TestKernel.scratch + 0x500
  static let (filter, handler, finally, innerFinally): (UInt64, UInt64, UInt64, UInt64) = (
    0xf8b1_0000, 0xf8b1_0100, 0xf8b1_0200, 0xf8b1_0300
  )

  /// Level 0: try/except; level 1: try/finally in it; level 2: another one in that.
  init() throws {
    k = try TestKernel()
    try k.store(
      [
        0xffff_ffff, UInt32(Self.filter), UInt32(Self.handler), 0, 0, UInt32(Self.finally), 1, 0, UInt32(Self.innerFinally),
      ], at: table)
    try k.store([0xc000_0005, 0, 0, 0x1234, 0], at: record)
  }

  /// Calls the handler for the test's frame, which stands in `level`.
  private func call(level: UInt32, flags: UInt32 = 0) throws -> TestKernel.Reply {
    try k.linkFrames()
    try k.store(flags, at: record + 4)
    try k.store([UInt32(table), level], at: k.frame + 8)
    try k.store(UInt32(k.frame - 0x20), at: k.frame - 8)
    return try k.call("_except_handler3", record, k.frame, 0x5555_0000, 0)
  }
  private var tryLevel: UInt32 { get throws { try k.load(k.frame + 0xc) } }

  @Test("a filter runs with its function's frame, and finds record and context through it")
  func filter() throws {
    let reply = try call(level: 0)
    guard case .calls(Self.filter) = reply else { return unexpected(reply) }
    #expect(k.registers[.bp] == k.frame + 0x10)
    let pointers = UInt64(try k.load(k.frame - 4))
    #expect(try UInt64(k.load(pointers)) == record && k.load(pointers + 4) == 0x5555_0000)
    #expect(pointers > k.registers[.sp], "the pointers lie above the filter's stack")
  }

  @Test(
    "a filter that says no leads to the next frame, one that says continue back to the instruction",
    arguments: [(0, 1), (0xffff_ffff, 0)] as [(UInt64, UInt64)])
  func answers(answer: UInt64, disposition: UInt64) throws {
    _ = try call(level: 0)
    let reply = try k.returnFromCallback(answer)
    guard case .returned(disposition) = reply else { return unexpected(reply) }
    #expect(try tryLevel == 0)
  }

  @Test("outside any try the next frame is asked")
  func outside() throws {
    let reply = try call(level: 0xffff_ffff)
    guard case .returned(1) = reply else { return unexpected(reply) }
  }

  @Test("a filter that takes the exception: the inner blocks run, from the inside out, and then its own")
  func taken() throws {
    var reply = try call(level: 2)
    guard case .calls(Self.filter) = reply else { return unexpected(reply) }
    reply = try k.returnFromCallback(1)
    guard case .calls(Self.innerFinally) = reply else { return unexpected(reply) }
    #expect(try tryLevel == 1, "the level is left before its block runs")
    #expect(k.registers[.bp] == k.frame + 0x10)
    reply = try k.returnFromCallback(0)
    guard case .calls(Self.finally) = reply else { return unexpected(reply) }
    #expect(try tryLevel == 0)
    reply = try k.returnFromCallback(0)
    guard case .calls(Self.handler) = reply else { return unexpected(reply) }
    #expect(try tryLevel == 0xffff_ffff)
    #expect(k.registers[.bp] == k.frame + 0x10 && k.registers[.sp] == k.frame - 0x20)
    #expect(try UInt64(k.load(k.kernel.kpcr.address)) == k.frame)
    #expect(try k.load(record + 4) & 2 == 2)
    #expect(k.stream.events.contains(.handled(frame: k.frame, target: Self.handler)))
  }

  @Test("while an unwind passes, every finally runs and no filter does")
  func unwinding() throws {
    var reply = try call(level: 2, flags: 2)
    for block in [Self.innerFinally, Self.finally] {
      guard case .calls(block) = reply else { return unexpected(reply) }
      reply = try k.returnFromCallback(0)
    }
    guard case .returned(1) = reply else { return unexpected(reply) }
    #expect(try tryLevel == 0xffff_ffff)
  }

  @Test("_local_unwind2 runs the blocks down to a level, which stays")
  func localUnwind() throws {
    _ = try call(level: 0xffff_ffff)
    try k.store(2, at: k.frame + 0xc)
    let frame = k.frame
    var reply = try k.call("_local_unwind2", frame, 1)
    // The call linked the frame anew; table and level are still in place.
    guard case .calls(Self.innerFinally) = reply else { return unexpected(reply) }
    reply = try k.returnFromCallback(0)
    guard case .returned = reply else { return unexpected(reply) }
    #expect(try tryLevel == 1)
  }

  @Test("a table whose levels form a circle is a bad stack, not an endless walk")
  func damagedTable() throws {
    try k.store([0, 0, UInt32(Self.finally)], at: table)
    var reply = try call(level: 0)
    guard case .returned(1) = reply else { return unexpected(reply) }
    #expect(try k.load(record + 4) & 8 == 8)
    reply = try k.call("_local_unwind2", k.frame, 0xffff_ffff)
    // Level 0 claims to lie in itself: nothing runs.
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.code.rawValue == 0xc000_0028)
  }

  @Test("a table that cannot be read raises where the handler was called", arguments: ["_except_handler3", "_local_unwind2"])
  func unreadableTable(name: String) throws {
    _ = try call(level: 0xffff_ffff)
    try k.store([0x10, 1], at: k.frame + 8)
    let reply = name == "_local_unwind2" ? try k.call(name, k.frame, 0) : try k.call(name, record, k.frame, 0, 0)
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.code == .accessViolation)
  }
}
