/// A register of the guest processor, named for all widths at once: `.ax` is `eax` or `rax`.
public enum Register: Int, Sendable, CaseIterable {
  case ax, cx, dx, bx, sp, bp, si, di
  /// The address of the next instruction.
  case ip
  case flags

  /// As WinDbg prints it for `target`.
  public func name(in target: Target) -> String {
    let prefix = target.width == .x86 ? "e" : "r"
    return self == .flags ? "efl" : prefix + "\(self)"
  }
}

/// The processor's registers, without the processor.
public protocol Registers: AnyObject {
  subscript(register: Register) -> UInt64 { get set }
  /// The floating-point unit and the SSE registers.
  var floatingPoint: FloatingPointState { get set }
}

/// Register values that no processor holds: a thread that does not run, or a test.
public final class RegisterValues: Registers {
  private var values: [UInt64]
  public var floatingPoint = FloatingPointState.initial
  public init(_ values: [Register: UInt64] = [:]) {
    self.values = Register.allCases.map { values[$0] ?? 0 }
  }
  public convenience init(copying other: any Registers) {
    self.init()
    for register in Register.allCases { self[register] = other[register] }
  }
  public subscript(register: Register) -> UInt64 {
    get { values[register.rawValue] }
    set { values[register.rawValue] = newValue }
  }
}
