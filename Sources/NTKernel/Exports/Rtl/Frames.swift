import Guest
import WindowsTypes

extension Export {
  /// Callers, contexts and images.
  static let frames: [Export] = [
    // nf-ntifs-rtlcapturestackbacktrace: return addresses, innermost first; the hash is their sum.
    export("RtlCaptureStackBackTrace(FramesToSkip, FramesToCapture, BackTrace, BackTraceHash)") {
      (kernel, skip: UInt32, count: UInt32, trace: Pointer<GuestWord>, hash: Pointer<UInt32>) -> UInt16 in
      let callers = kernel.callers().dropFirst(Int(skip)).prefix(Int(count))
      for (index, caller) in callers.enumerated() { try trace[index].store(GuestWord(caller)) }
      if !hash.isNull { try hash.store(callers.reduce(0) { $0 &+ UInt32(truncatingIfNeeded: $1) }) }
      return UInt16(callers.count)
    },
    // nf-ntifs-rtlwalkframechain: of the kernel's stack; flag 1 asks for the user's, which is not walked.
    export("RtlWalkFrameChain(Callers, Count, Flags)") {
      (kernel, trace: Pointer<GuestWord>, count: UInt32, flags: UInt32) -> UInt32 in
      if flags & 1 != 0 { return 0 }
      let callers = kernel.callers().prefix(Int(count))
      for (index, caller) in callers.enumerated() { try trace[index].store(GuestWord(caller)) }
      return UInt32(callers.count)
    }
    .partially("the user's part of the stack is not walked"),
    // No reference page: the caller of the routine's caller, and that one's.
    export("RtlGetCallersAddress(CallersAddress, CallersCaller)") {
      (kernel, first: Pointer<GuestWord>, second: Pointer<GuestWord>) in
      let callers = kernel.callers()
      try first.store(GuestWord(callers.dropFirst().first ?? 0))
      try second.store(GuestWord(callers.dropFirst(2).first ?? 0))
    }
    .uncertain("exported without a reference page; null where the chain of frame pointers ends"),
    // nf-ntddk-rtlcapturecontext: the caller's registers, as they are when the call has returned.
    export("RtlCaptureContext(ContextRecord)") { (kernel, context: Pointer<CONTEXT>) in
      var registers: [Register: UInt64] = [:]
      for register in Register.allCases { registers[register] = kernel.registers[register] }
      registers[.ip] = kernel.servedReturnAddress
      registers[.sp] = kernel.servedStackPointer + 8
      try kernel.store(registers, in: context)
    },
    // No reference page; what the ASSERT macro of wdm.h calls.
    export("RtlAssert(FailedAssertion, FileName, LineNumber, Message)") {
      (kernel, assertion: Pointer<UInt8>, file: Pointer<UInt8>, line: UInt32, message: Pointer<UInt8>) in
      func text(_ place: Pointer<UInt8>) throws -> String {
        place.isNull ? "" : String(decoding: try place.units(limit: 512), as: UTF8.self)
      }
      let first = "*** Assertion failed: \(try text(message))\(try text(assertion))"
      kernel.stream.append(.message("\(first)\n***   Source File: \(try text(file)), line \(line)\n"))
    }
    .uncertain("it shows the failed assertion and returns; a checked kernel asks its debugger what to do"),
    // nf-ntifs-rtlimagentheader (no page): where the image's `PE` header is, or null.
    export("RtlImageNtHeader(Base)") { (_, base: Pointer<UInt16>) -> Pointer<UInt32> in
      let none = Pointer<UInt32>(0, in: base.memory)
      guard !base.isNull, base.address != 0xffff_ffff, try base.load() == 0x5a4d else { return none }
      let offset = try Pointer<UInt32>(base.address + 0x3c, in: base.memory).load()
      guard offset < 0x1000_0000 else { return none }
      let header = Pointer<UInt32>(base.address + UInt64(offset), in: base.memory)
      return try header.load() == 0x4550 ? header : none
    },
  ]
}

extension Kernel {
  /// The return addresses on the stack, innermost first.
  fileprivate func callers() -> [UInt64] { site().stack }
}
