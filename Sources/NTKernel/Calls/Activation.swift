import Guest

/// What every calling convention preserves for a caller, as it was when an export was called (the x86 ABI of MSVC's documentation,
/// “Argument Passing and Naming Conventions”).
struct PreservedRegisters {
  private let bx, si, di, bp: UInt64
  let sp: UInt64

  @inline(__always) init(_ registers: any Registers, sp: UInt64) {
    (bx, si, di, bp) = (registers[.bx], registers[.si], registers[.di], registers[.bp])
    self.sp = sp
  }

  @inline(__always) func restore(to registers: any Registers) {
    registers[.bx] = bx
    registers[.si] = si
    registers[.di] = di
    registers[.bp] = bp
    registers[.sp] = sp
  }
}

/// What a kernel routine on a thread's routine stack goes back to.
enum Activation {
  /// An export that waited: its number, and the registers of its caller that it must preserve.
  case export(number: Int, saved: PreservedRegisters)
  /// Exception dispatch: it ends in a control transfer or a bugcheck.
  case dispatch
  /// A call that the run itself makes.
  case step
  /// A thread's outermost routine: its end is the thread's.
  case thread
  /// What a thread does for the run beside the run's calls: its end leaves the thread at rest.
  case service
  /// A thread's way out. Where a step of the run's was its outermost call, the step ends with it.
  case exit(isStep: Bool)
  /// Calls that interrupted a thread, which goes on with these registers; `nil` where nobody ran.
  case interrupt([Register: UInt64]?)
}

/// What became of a call that the run made.
public enum CallResult: Sendable, Hashable {
  case returned(UInt64)
  /// It raised, and the run had asked for a guard around it.
  case raised(UInt32)
}

/// What guest code does next.
public enum Continuation: Sendable { case proceed, stop }
