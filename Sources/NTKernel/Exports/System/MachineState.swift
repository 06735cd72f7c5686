import Guest
import WindowsTypes

extension Export {
  /// The machine's clock, its end, and what is told of it afterwards.
  static let machineState: [Export] = [
    setSystemTime("ZwSetSystemTime"),
    // nf-ntifs-ntshutdownsystem's actions: ShutdownNoReboot 0, ShutdownReboot 1, ShutdownPowerOff 2.
    export("NtShutdownSystem(Action)", irql: .passive) { (kernel, action: UInt32) async throws -> NTSTATUS in
      guard action <= 2 else { return .invalidParameter }
      // SE_SHUTDOWN_PRIVILEGE
      guard try kernel.previousMode() == .kernelMode || kernel.currentToken().hasEnabled(19) else { return .privilegeNotHeld }
      try await kernel.shutDownDevices()
      return .success
    }
    .partially("drivers and file systems get their IRP_MJ_SHUTDOWN, and then the call returns: the machine goes on"),
    // KeCapturePersistentThreadState (no page): a small memory dump (`DUMP_HEADER32`, `TRIAGE_DUMP32`) of 64 KB.
    export(
      "KeCapturePersistentThreadState(Context, Thread, BugCheckCode, BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4, VirtualAddress)",
      irql: .high
    ) {
      (
        kernel, context: GuestWord, thread: Pointer<ETHREAD>, code: UInt32, first: UInt32, second: UInt32, third: UInt32,
        fourth: UInt32, buffer: GuestWord
      ) -> UInt32 in
      guard context.bits != 0, buffer.bits != 0 else { return 0 }
      try kernel.writeSmallDump(
        context.bits, thread.isNull ? kernel.currentThread().cast() : thread, [code, first, second, third, fourth], at: buffer.bits)
      return Kernel.smallDumpSize
    }
    .partially("the dump has header, context, thread, process and stack, and no list of drivers"),
    // Kei386EoiHelper (no page): the end of an interrupt handler, which jumps here with its trap frame in ebp.
    export("Kei386EoiHelper()") { kernel in
      let frame = Pointer<KTRAP_FRAME>(kernel.registers[.bp], in: kernel.memory.memory)
      try kernel.kpcr.NtTib.ExceptionList.store(frame.ExceptionList.load())
      var values: [Register: UInt64] = [:]
      for (register, member) in [
        (.ax, frame.Eax), (.cx, frame.Ecx), (.dx, frame.Edx), (.bx, frame.Ebx), (.si, frame.Esi), (.di, frame.Edi), (.bp, frame.Ebp),
        (.ip, frame.Eip), (.flags, frame.EFlags),
      ] as [(Register, Pointer<UInt32>)] {
        values[register] = UInt64(try member.load())
      }
      // Neither the trap flag nor virtual 8086 mode, which no kernel code here runs in.
      values[.flags] = (values[.flags] ?? 0) & 0xed5 | 2
      // A frame of another ring has the stack pointer that it came from; one of the kernel's own ends where the stack goes on.
      let isForeign = try frame.SegCs.load() & 1 != 0
      values[.sp] = isForeign ? UInt64(try frame.HardwareEsp.load()) : frame.HardwareEsp.address
      throw ControlTransfer(registers: values)
    }
    .partially("segment and debug registers stay as they are, and no APC is delivered"),
    // VfFailDeviceNode (wdm.h): what a driver accuses a device's driver of; nothing while the device is not under verification.
    variadicExport(
      "VfFailDeviceNode(PhysicalDeviceObject, BugCheckMajorCode, BugCheckMinorCode, FailureClass, AssertionControl, DebuggerMessageText, ParameterFormatString, ...)"
    ) {
      (
        _, _, device: GuestWord, major: UInt32, minor: UInt32, failure: UInt32, control: GuestWord, text: GuestWord, format: GuestWord
      ) -> UInt32 in 0
    },
    // VfIsVerificationEnabled (wdm.h): the driver verifier is off.
    export("VfIsVerificationEnabled(VfObjectType, Object)") { (_, type: UInt32, object: GuestWord) -> UInt8 in 0 },
  ]

  private static func setSystemTime(_ name: String) -> Export {
    // nf-ntifs (no page of its own): the old time is told, the clock is set, and \Callback\SetSystemTime is notified.
    export("\(name)(NewTime, OldTime)", irql: .passive) {
      (kernel, new: Pointer<Int64>, old: Pointer<Int64>) async throws -> NTSTATUS in
      let time: Int64
      let isUser = try kernel.mode(of: name) == .userMode
      do {
        guard !new.isNull else { return .accessViolation }
        // SE_SYSTEMTIME_PRIVILEGE
        guard try !isUser || kernel.currentToken().hasEnabled(12) else { return .privilegeNotHeld }
        time = try new.load()
        guard time > 0, time < 0x2000_0000_0000_0000 else { return .invalidParameter }
        if !old.isNull { try old.store(Int64(truncatingIfNeeded: kernel.systemTime)) }
      } catch let exception as GuestException where isUser { return exception.code }
      try kernel.setClock(to: UInt64(time))
      if case .found(let entry, _) = try kernel.resolve(#"\Callback\SetSystemTime"#) {
        _ = try await kernel.call(kernel.trapAddress(of: "ExNotifyCallback"), [entry.object, 0, 0])
      }
      return .success
    }
    .partially("timers that are set to an absolute time fire when they would have fired before")
  }
}

extension Kernel {
  /// Sets the clock, in 100 ns since 1601: time since boot goes on as it did.
  func setClock(to new: UInt64) throws {
    time.bootTime = new &- interruptTime
    try publishTime()
  }

  static let smallDumpSize: UInt32 = 0x1_0000

  /// - Parameter bugCheck: the code and four parameters.
  fileprivate func writeSmallDump(_ context: UInt64, _ thread: Pointer<ETHREAD>, _ bugCheck: [UInt32], at buffer: UInt64) throws {
    let here = memory.memory
    try here.fill(0, count: Int(Self.smallDumpSize), at: buffer)
    func put(_ value: UInt64, at offset: UInt64) throws { try here.store(UInt32(truncatingIfNeeded: value), at: buffer + offset) }
    let process = try thread.Tcb.ApcState.Process.load()
    // PAGE, DUMP; the build; the directory; i386, one processor.
    for (offset, value) in [
      (0, 0x4547_4150), (4, 0x504d_5544), (8, 0xf), (0xc, 2600), (0x20, 0x14c), (0x24, 1), (0xf88, 4),
    ] as [(UInt64, UInt64)] { try put(value, at: offset) }
    try put(process.isNull ? 0 : process.DirectoryTableBase.load().bits, at: 0x10)
    for (index, value) in bugCheck.enumerated() { try put(UInt64(value), at: 0x28 + 4 * UInt64(index)) }
    try here.store(systemTime, at: buffer + 0xfc0)
    try here.store(interruptTime, at: buffer + 0xfb8)
    let contextSize = UInt64(Pointer<CONTEXT>.size(in: here))
    try move(contextSize, from: context, to: buffer + 0x320)
    // TRIAGE_DUMP32: where its parts lie.
    let (processPlace, threadPlace, stackPlace): (UInt64, UInt64, UInt64) = (0x2000, 0x2400, 0x3000)
    let stackPointer = UInt64(try Pointer<CONTEXT>(context, in: here).Esp.load())
    let base = try thread.Tcb.InitialStack.load().address
    let stack = stackPointer < base && base - stackPointer < 0x3000 ? base - stackPointer : 0
    for (offset, value) in [
      (0x4, UInt64(Self.smallDumpSize)), (0x8, UInt64(Self.smallDumpSize) - 4), (0xc, 0x320), (0x20, processPlace), (0x24, threadPlace),
      (0x28, stackPlace), (0x2c, stack), (0x48, stackPointer),
    ] as [(UInt64, UInt64)] { try put(value, at: 0x1000 + offset) }
    if !process.isNull { try move(UInt64(Pointer<EPROCESS>.size(in: here)), from: process.address, to: buffer + processPlace) }
    try move(UInt64(Pointer<ETHREAD>.size(in: here)), from: thread.address, to: buffer + threadPlace)
    if stack > 0 { try move(stack, from: stackPointer, to: buffer + stackPlace) }
    // TRIAGE_DUMP_VALID
    try put(0x4447_5254, at: UInt64(Self.smallDumpSize) - 4)
  }
}
