import Guest
import WindowsTypes

extension Export {
  /// Pseudorandom numbers. Each depends on the caller's seed and on the calls before it, and on nothing else.
  static let random: [Export] = [
    // nf-ntddk-rtlrandom: two steps of the generator, shuffled through a table of 128 values.
    export("RtlRandom(Seed)", irql: .apc) { (kernel, seed: Pointer<UInt32>) -> UInt32 in try kernel.random(seed) }
      .uncertain("the page promises a uniform number up to MAXLONG - 1; which one follows no documented table"),
    // nf-ntddk-rtlrandomex
    export("RtlRandomEx(Seed)", irql: .apc) { (kernel, seed: Pointer<UInt32>) -> UInt32 in try kernel.random(seed) }
      .uncertain("the page promises a uniform number up to MAXLONG - 1; which one follows no documented table"),
  ]

  /// D. H. Lehmer's generator modulo 2^31 - 1, as RtlUniform's page describes it.
  fileprivate static func uniform(_ seed: Pointer<UInt32>) throws -> UInt32 {
    let next = UInt32((UInt64(try seed.load()) &* 0x7fff_ffed &+ 0x7fff_ffc3) % 0x7fff_ffff)
    try seed.store(next)
    return next
  }
}

extension Kernel {
  fileprivate func random(_ seed: Pointer<UInt32>) throws -> UInt32 {
    if runtime.randomTable.isEmpty {
      // Any start that is none of the seeds that callers begin with.
      var value: UInt64 = 0x5eed_0bad
      runtime.randomTable = (0..<128).map { _ in
        value = (value &* 0x7fff_ffed &+ 0x7fff_ffc3) % 0x7fff_ffff
        return UInt32(value)
      }
    }
    let value = try Export.uniform(seed)
    let index = Int(try Export.uniform(seed) & 127)
    defer { runtime.randomTable[index] = value }
    // No number is MAXLONG itself.
    return min(runtime.randomTable[index], 0x7fff_fffe)
  }
}
