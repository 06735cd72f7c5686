import Guest
import Memory

/// What guest code sees of the processor's control state. The engine's own is another, which it never sees.
struct ControlRegisters {
  /// PG, WP, NE, ET, MP and PE, as XP runs.
  var cr0: UInt64 = 0x8001_003b
  var cr2: UInt64 = 0
  /// PSE, MCE, PGE, OSFXSR, OSXMMEXCPT and their like, as XP runs on a Pentium III or later without PAE.
  var cr4: UInt64 = 0x6d9
  var interruptTable: (base: UInt64, limit: UInt16) = (0x8003_f400, 0x7ff)
  var segmentTable: (base: UInt64, limit: UInt16) = (0x8003_f000, 0x3ff)
  var debugRegisters: [UInt64] = [0, 0, 0, 0, 0, 0, 0xffff_0ff0, 0x400]
  /// Read-only pages that were written to while write protection was off, as they were.
  var unprotected: [(UInt64, Page)] = []

  var isWriteProtectionOff: Bool { cr0 & 1 << 16 == 0 }
}
