/// Structures that the kernel answers with, put together as bytes.
extension Kernel {
  /// Words of 32 bits, one behind the other, as guest memory has them; what is more in a value is cut off.
  package func words(_ values: [UInt64]) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }
  }
}
