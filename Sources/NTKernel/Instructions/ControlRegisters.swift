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
  /// The machine-specific registers that the model has, beside the time stamp counter: those of the P6 family (Intel SDM volume 4,
  /// "MSRs in the P6 Family Processors").
  var modelSpecific: [UInt32: UInt64] = {
    var all: [UInt32: UInt64] = [
      // Platform id, APIC base, power-on configuration; the sysenter trio, memory types, page attributes, debugging.
      0x17: 0, 0x1b: 0xfee0_0900, 0x2a: 0, 0x174: 0, 0x175: 0, 0x176: 0, 0x2ff: 0xc00, 0x277: 0x0007_0406_0007_0406, 0x1d9: 0,
      // Eight variable ranges, fixed ranges and write combining; five machine check banks with a control register.
      0xfe: 0x508, 0x179: 0x105, 0x17a: 0, 0x17b: 0,
    ]
    let zero: [ClosedRange<UInt32>] = [
      0x0...0x1, 0x79...0x79, 0x88...0x8b, 0xc1...0xc2, 0x116...0x116, 0x118...0x11b, 0x11e...0x11e, 0x186...0x187, 0x1db...0x1de,
      0x1e0...0x1e0, 0x200...0x20f, 0x250...0x250, 0x258...0x259, 0x268...0x26f, 0x400...0x413,
    ]
    for index in zero.joined() { all[index] = 0 }
    return all
  }()
  /// Read-only pages that were written to while write protection was off, as they were.
  var unprotected: [(UInt64, Page)] = []

  var isWriteProtectionOff: Bool { cr0 & 1 << 16 == 0 }
}
