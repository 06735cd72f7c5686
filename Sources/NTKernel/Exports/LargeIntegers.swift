import Guest
import WindowsTypes

/// 64-bit arithmetic: the helpers that Visual C++ calls for it on i386, and the run-time library's older routines.
///
/// A divisor of 0 is the processor's divide error, which the trap handler raises as STATUS_INTEGER_DIVIDE_BY_ZERO.
extension Export {
  /// The compiler's: operands on the stack, popped by the callee; a shift's operands are in `edx:eax` and `cl`.
  static let compilerArithmetic: [Export] = [
    export("_allmul(Multiplicand, Multiplier)") { (_, a: Int64, b: Int64) -> Int64 in a &* b },
    export("_alldiv(Dividend, Divisor)") { (_, a: Int64, b: Int64) -> Int64 in try divide(a, b).quotient },
    export("_allrem(Dividend, Divisor)") { (_, a: Int64, b: Int64) -> Int64 in try divide(a, b).remainder },
    export("_aulldiv(Dividend, Divisor)") { (_, a: UInt64, b: UInt64) -> UInt64 in try divide(a, b).quotient },
    export("_aullrem(Dividend, Divisor)") { (_, a: UInt64, b: UInt64) -> UInt64 in try divide(a, b).remainder },
    // The quotient in edx:eax, the remainder in ebx:ecx.
    export("_alldvrm(Dividend, Divisor)") { (kernel, a: Int64, b: Int64) -> Int64 in
      let (quotient, remainder) = try divide(a, b)
      kernel.setRemainder(remainder.bits)
      return quotient
    },
    export("_aulldvrm(Dividend, Divisor)") { (kernel, a: UInt64, b: UInt64) -> UInt64 in
      let (quotient, remainder) = try divide(a, b)
      kernel.setRemainder(remainder)
      return quotient
    },
    // Counts of 64 and more shift everything out.
    export("_allshl(Value, Count)", .wideShift) { (_, value: UInt64, count: UInt8) -> UInt64 in value << UInt64(count) },
    export("_allshr(Value, Count)", .wideShift) { (_, value: Int64, count: UInt8) -> Int64 in value >> Int64(count) },
    export("_aullshr(Value, Count)", .wideShift) { (_, value: UInt64, count: UInt8) -> UInt64 in value >> UInt64(count) },
  ]

  static let largeIntegers: [Export] = [
    // nf-wdm-rtllargeintegeradd
    export("RtlLargeIntegerAdd(Addend1, Addend2)") { (_, a: Int64, b: Int64) -> Int64 in a &+ b },
    // nf-wdm-rtllargeintegersubtract
    export("RtlLargeIntegerSubtract(Minuend, Subtrahend)") { (_, a: Int64, b: Int64) -> Int64 in a &- b },
    // nf-wdm-rtllargeintegernegate
    export("RtlLargeIntegerNegate(Subtrahend)") { (_, a: Int64) -> Int64 in 0 &- a },
    // nf-wdm-rtllargeintegershiftleft: modulo 64.
    export("RtlLargeIntegerShiftLeft(LargeInteger, ShiftCount)") { (_, a: UInt64, count: UInt8) -> UInt64 in
      a << UInt64(count & 63)
    },
    // nf-wdm-rtllargeintegershiftright
    export("RtlLargeIntegerShiftRight(LargeInteger, ShiftCount)") { (_, a: UInt64, count: UInt8) -> UInt64 in
      a >> UInt64(count & 63)
    },
    // nf-wdm-rtllargeintegerarithmeticshift
    export("RtlLargeIntegerArithmeticShift(LargeInteger, ShiftCount)") { (_, a: Int64, count: UInt8) -> Int64 in
      a >> Int64(count & 63)
    },
    // nf-wdm-rtllargeintegerdivide: unsigned, with an optional remainder.
    export("RtlLargeIntegerDivide(Dividend, Divisor, Remainder)") {
      (_, a: UInt64, b: UInt64, rest: Pointer<UInt64>) -> UInt64 in
      let (quotient, remainder) = try divide(a, b)
      if !rest.isNull { try rest.store(remainder) }
      return quotient
    },
    // nf-wdm-rtlextendedlargeintegerdivide
    export("RtlExtendedLargeIntegerDivide(Dividend, Divisor, Remainder)") {
      (_, a: UInt64, b: UInt32, rest: Pointer<UInt32>) -> UInt64 in
      let (quotient, remainder) = try divide(a, UInt64(b))
      if !rest.isNull { try rest.store(UInt32(remainder)) }
      return quotient
    },
    // nf-wdm-rtlextendedintegermultiply
    export("RtlExtendedIntegerMultiply(Multiplicand, Multiplier)") { (_, a: Int64, b: Int32) -> Int64 in a &* Int64(b) },
    // nf-wdm-rtlextendedmagicdivide: the high half of a product with a reciprocal, shifted.
    export("RtlExtendedMagicDivide(Dividend, MagicDivisor, ShiftCount)") {
      (_, a: Int64, magic: UInt64, count: UInt8) -> Int64 in
      let quotient = Int64(bitPattern: a.magnitude.multipliedFullWidth(by: magic).high >> UInt64(count & 63))
      return a < 0 ? 0 &- quotient : quotient
    },
    // nf-wdm-rtlenlargedintegermultiply, nf-wdm-rtlenlargedunsignedmultiply
    export("RtlEnlargedIntegerMultiply(Multiplicand, Multiplier)") { (_, a: Int32, b: Int32) -> Int64 in
      Int64(a) * Int64(b)
    },
    export("RtlEnlargedUnsignedMultiply(Multiplicand, Multiplier)") { (_, a: UInt32, b: UInt32) -> UInt64 in
      UInt64(a) * UInt64(b)
    },
    // nf-wdm-rtlconvertlongtolargeinteger, nf-wdm-rtlconvertulongtolargeinteger
    export("RtlConvertLongToLargeInteger(SignedInteger)") { (_, a: Int32) -> Int64 in Int64(a) },
    export("RtlConvertUlongToLargeInteger(UnsignedInteger)") { (_, a: UInt32) -> UInt64 in UInt64(a) },
    // nf-wdm-rtlushortbyteswap, nf-wdm-rtlulongbyteswap, nf-wdm-rtlulonglongbyteswap
    export("RtlUshortByteSwap(Source)", .fastcall) { (_, a: UInt16) -> UInt16 in a.byteSwapped },
    export("RtlUlongByteSwap(Source)", .fastcall) { (_, a: UInt32) -> UInt32 in a.byteSwapped },
    export("RtlUlonglongByteSwap(Source)", .fastcall) { (_, a: UInt64) -> UInt64 in a.byteSwapped },
  ]

  private static func divide<Value: FixedWidthInteger>(_ a: Value, _ b: Value) throws -> (quotient: Value, remainder: Value) {
    guard b != 0 else { throw GuestException(.integerDivideByZero) }
    // The one quotient that does not fit wraps around.
    return (a.dividedReportingOverflow(by: b).partialValue, a.remainderReportingOverflow(dividingBy: b).partialValue)
  }
}

extension Kernel {
  fileprivate func setRemainder(_ value: UInt64) {
    registers[.cx] = value & 0xffff_ffff
    registers[.bx] = value >> 32
  }
}
