import Events
import Guest
import WindowsTypes

/// What the processor's own exceptions become: the trap handlers.
extension Kernel {
  /// A page fault of guest code.
  public func pageFault(_ access: Access, at address: UInt64) -> Continuation {
    let (ip, sp) = (registers[.ip], registers[.sp])
    do {
      try resolve(access, at: address, routine: nil)
      return .proceed
    } catch {
      return handle(error, ip: ip, sp: sp)
    }
  }

  /// Any other exception or interrupt. ``Register/ip`` is the instruction, or past it for an `int n`.
  ///
  /// In kernel mode a divide error, an overflow, a bound violation, a breakpoint and an invalid opcode are dispatched as the
  /// statuses of the same names; what remains is UNEXPECTED_KERNEL_MODE_TRAP (0x7F) with the vector. Source: bug check reference,
  /// 0x7F; the statuses' descriptions in ntstatus.h.
  ///
  /// A handler of guest code's own, whose gate it has put into the interrupt table, comes first.
  public func processorException(vector: Int, isSoftware: Bool) -> Continuation {
    let (ip, sp) = (registers[.ip], registers[.sp])
    do {
      if try enterGuestHandler(vector, isSoftware: isSoftware, ip: ip, sp: sp) { return .proceed }
    } catch { return handle(error, ip: ip, sp: sp) }
    return dispatchException(vector: vector, isSoftware: isSoftware)
  }

  func dispatchException(vector: Int, isSoftware: Bool) -> Continuation {
    let (ip, sp) = (registers[.ip], registers[.sp])
    func raise(_ code: NTSTATUS, _ information: [UInt64] = [], at place: UInt64? = nil) -> Continuation {
      handle(GuestException(code, information: information), ip: place ?? ip, sp: sp)
    }
    switch (vector, isSoftware) {
    case (0, false): return raise(.integerDivideByZero)
    case (1, false): return raise(.singleStep)
    // `int 3`: reported at the instruction itself, which is one byte long.
    case (3, _): return raise(.breakpoint, [0], at: ip &- 1)
    case (4, _): return raise(.integerOverflow)
    case (5, false): return raise(.arrayBoundsExceeded)
    case (6, false): return raise(.illegalInstruction)
    case (0x2e, true): return callService(returningTo: ip, sp)
    case (0x2c, true): return raise(.assertionFailure, at: ip &- 2)
    case (0x2d, true): return raise(.breakpoint, [registers[.ax]])
    case (0x29, true): return raise(.accessViolation, [0, 0xffff_ffff], at: ip &- 2)
    default:
      // An interrupt without a descriptor is a protection fault.
      return end(BugCheck(.unexpectedKernelModeTrap, UInt64(isSoftware ? 13 : vector), 0, 0, ip))
    }
  }
}
