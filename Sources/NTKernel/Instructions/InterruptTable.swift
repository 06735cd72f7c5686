import Guest
import WindowsTypes

/// The interrupt descriptor table: every gate leads to a place of the kernel's, until guest code puts its own there.
extension Kernel {
  /// The vectors that have a routine of their own in XP's table; every other gate leads to `KiUnexpectedInterrupt`.
  static let trapVectors: [Int] = Array(0...0x13) + [0x2a, 0x2b, 0x2c, 0x2d, 0x2e]

  private static func handlerName(_ vector: Int) -> String {
    switch vector {
    case 0x2a: "KiGetTickCount"
    case 0x2b: "KiCallbackReturn"
    case 0x2c: "KiRaiseAssertion"
    case 0x2d: "KiDebugService"
    case 0x2e: "KiSystemService"
    default: "KiTrap" + hex(vector, digits: 2).uppercased()
    }
  }

  /// Writes the gates: ring 0's code, present, 32 bits; those of `int 3`, `into` and the services are open to user mode.
  func fillInterruptTable() throws {
    let here = memory.memory
    for vector in 0..<256 {
      let name = Self.trapVectors.contains(vector) ? Self.handlerName(vector) : "KiUnexpectedInterrupt"
      let handler = trapAddress(of: name)
      let isOpen = [3, 4].contains(vector) || (0x2a...0x2e).contains(vector)
      let place = control.interruptTable.base + UInt64(8 * vector)
      try here.store(UInt32(0x8_0000) | UInt32(handler & 0xffff), at: place)
      try here.store(UInt32(handler & 0xffff_0000) | (isOpen ? 0xee00 : 0x8e00), at: place + 4)
    }
    control.modelSpecific[0x174] = UInt64(segmentTable.code)
    control.modelSpecific[0x176] = trapAddress(of: "KiFastCallEntry")
  }

  /// The handler of guest code's own for `vector`, if its gate is not the kernel's any more.
  private func guestHandler(_ vector: Int) -> UInt64? {
    let table = control.interruptTable
    let place = table.base + UInt64(8 * vector)
    guard UInt64(8 * vector + 7) <= UInt64(table.limit), memory.memory.allows(.read, at: place), memory.memory.allows(.read, at: place + 7),
      let low = try? memory.memory.load(UInt32.self, at: place), let high = try? memory.memory.load(UInt32.self, at: place + 4),
      high & 0x8000 != 0
    else { return nil }
    let handler = UInt64(low & 0xffff | high & 0xffff_0000)
    return layout.traps.contains(handler) || handler == 0 ? nil : handler
  }

  /// Enters guest code's own handler as the processor does: flags, code segment and instruction pointer on the stack, then the
  /// error code of the vectors that have one. Returns `false` where the gate is the kernel's.
  func enterGuestHandler(_ vector: Int, isSoftware: Bool, ip: UInt64, sp: UInt64) throws -> Bool {
    guard let handler = guestHandler(vector) else { return false }
    var frame: [UInt32] = [UInt32(truncatingIfNeeded: ip), segmentTable.code, UInt32(truncatingIfNeeded: registers[.flags])]
    if !isSoftware && ([8, 17].contains(vector) || (10...14).contains(vector)) { frame.insert(0, at: 0) }
    let place = below(sp, UInt64(4 * frame.count))
    for (index, word) in frame.enumerated() { try memory.memory.store(word, at: place + UInt64(4 * index)) }
    registers[.sp] = place
    registers[.flags] &= ~0x300
    registers[.ip] = handler
    return true
  }

  /// Guest code's own handler has jumped on to the kernel's: the frame on the stack says what was interrupted.
  func enterTrapHandler(_ vector: Int) -> Continuation {
    let here = memory.memory
    var stack = registers[.sp]
    if [8, 17].contains(vector) || (10...14).contains(vector) { stack += 4 }
    guard let ip = try? here.load(UInt32.self, at: stack), let flags = try? here.load(UInt32.self, at: stack + 8) else {
      return end(BugCheck(.unexpectedKernelModeTrap, 8, 0, 0, registers[.ip]))
    }
    registers[.sp] = stack + 12
    registers[.flags] = UInt64(flags)
    registers[.ip] = UInt64(ip)
    return dispatchException(vector: vector, isSoftware: [3, 4].contains(vector) || vector >= 0x20)
  }
}

/// Guest code reached the kernel's handler of an interrupt or exception.
struct TrapHandlerReached: Error {
  let vector: Int
}

extension Export {
  /// What the gates of the interrupt table and `SYSENTER_EIP_MSR` lead to.
  static let trapHandlers: [Export] =
    Kernel.trapVectors.map { vector in
      export(Kernel.handlerPrototype(vector), isImportable: false) { (_: Kernel) -> Void in throw TrapHandlerReached(vector: vector) }
    } + [
      export("KiUnexpectedInterrupt()", isImportable: false) { (_: Kernel) -> Void in throw TrapHandlerReached(vector: 0x30) },
      export("KiFastCallEntry()", isImportable: false) { (_: Kernel) -> Void in throw TrapHandlerReached(vector: 13) },
    ]
}

extension Kernel {
  fileprivate static func handlerPrototype(_ vector: Int) -> String { handlerName(vector) + "()" }
}
