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
  /// The machine-specific registers that the model has, beside the time stamp counter: platform id, APIC base, the `sysenter`
  /// trio, memory types, page attributes.
  var modelSpecific: [UInt32: UInt64] = [
    0x17: 0, 0x1b: 0xfee0_0900, 0x174: 0, 0x175: 0, 0x176: 0, 0x2ff: 0xc00, 0x277: 0x0007_0406_0007_0406, 0x1d9: 0,
  ]
  /// Read-only pages that were written to while write protection was off, as they were.
  var unprotected: [(UInt64, Page)] = []

  var isWriteProtectionOff: Bool { cr0 & 1 << 16 == 0 }
}
