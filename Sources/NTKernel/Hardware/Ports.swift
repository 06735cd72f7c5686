import WindowsTypes

/// What answers at the ports of a PC without adapters: the chipset's configuration mechanism, the clock, the interrupt controllers'
/// masks, the interval timer and the keyboard controller. Anywhere else a read is all ones, as on a floating bus, and what is
/// written is lost.
///
/// (Intel's data sheets of the 440FX and the PIIX3 name the ports and what their bits mean.)
struct PortState {
  /// `CONFADD`: enable, bus, device, function and register.
  var configurationAddress: UInt32 = 0
  var clockIndex: UInt8 = 0
  /// The CMOS bytes that were written, beside the clock's own.
  var clockMemory: [UInt8: UInt8] = [:]
  /// The interrupt controllers' masks: the keyboard's and the clock's lines, and the cascade, are open.
  var masks: [UInt16: UInt8] = [0x21: 0xb8, 0xa1: 0xfe]
  var postCode: UInt8 = 0
  /// The low four bits of port 61h, and how often it was read.
  var systemControl: UInt8 = 0
  var reads = 0
  var keyboard = KeyboardController()

  /// The 8042: a command byte, and what it has to say.
  struct KeyboardController {
    var command: UInt8 = 0x47
    var pending: UInt8?
    var output: [UInt8] = []

    /// Output full, self-test passed, not locked; what is written is taken at once.
    var status: UInt8 { (output.isEmpty ? 0 : 1) | 0x14 }

    mutating func read() -> UInt8 { output.isEmpty ? 0 : output.removeFirst() }

    mutating func take(command value: UInt8) {
      switch value {
      case 0x20: output.append(command)
      case 0xaa: output.append(0x55)
      case 0xab, 0xa9: output.append(0)
      // The next byte of data goes with it: the command byte, the output port, the output buffers, the mouse.
      case 0x60, 0xd1, 0xd2, 0xd3, 0xd4: pending = value
      case 0xd0: output.append(0x03)
      default: break
      }
      if output.count > 16 { output.removeFirst(output.count - 16) }
    }

    mutating func take(data value: UInt8) {
      switch pending {
      case 0x60: command = value
      case 0xd2, 0xd3: output.append(value)
      case 0xd1: break
      // A keyboard or a mouse acknowledges what it is told.
      default: output.append(0xfa)
      }
      pending = nil
      if output.count > 16 { output.removeFirst(output.count - 16) }
    }
  }
}

extension Kernel {
  /// What an `in` of 1, 2 or 4 bytes reads.
  func readPort(_ port: UInt64, size: Int) -> UInt64 {
    let port = UInt16(truncatingIfNeeded: port)
    if port == 0xcf8, size == 4 { return UInt64(hardware.ports.configurationAddress) }
    return (0..<size).reduce(UInt64(0)) { $0 | UInt64(readPort(port &+ UInt16($1))) << (8 * UInt64($1)) }
  }

  /// What an `out` of 1, 2 or 4 bytes does.
  func writePort(_ port: UInt64, _ value: UInt64, size: Int) {
    let port = UInt16(truncatingIfNeeded: port)
    if port == 0xcf8, size == 4 {
      hardware.ports.configurationAddress = UInt32(truncatingIfNeeded: value)
      return
    }
    for index in 0..<size { writePort(port &+ UInt16(index), UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
  }

  private func readPort(_ port: UInt16) -> UInt8 {
    switch port {
    case 0x20, 0xa0: return 0
    case 0x21, 0xa1: return hardware.ports.masks[port] ?? 0xff
    case 0x40...0x42: return timerByte()
    case 0x60: return hardware.ports.keyboard.read()
    case 0x61:
      // The refresh bit toggles, and the speaker's timer counts.
      hardware.ports.reads += 1
      return hardware.ports.systemControl | (hardware.ports.reads & 1 == 0 ? 0 : 0x10) | (hardware.ports.reads & 2 == 0 ? 0 : 0x20)
    case 0x64: return hardware.ports.keyboard.status
    case 0x71:
      let index = hardware.ports.clockIndex & 0x7f
      return index < 14 ? clockByte(UInt64(index)) : hardware.ports.clockMemory[index] ?? 0
    case 0x80: return hardware.ports.postCode
    case 0x92: return 0x02
    case 0xcfc...0xcff:
      guard let place = configurationPlace(port) else { return 0xff }
      return configurationByte(slot: place.slot, place.offset)
    default: return 0xff
    }
  }

  private func writePort(_ port: UInt16, _ value: UInt8) {
    switch port {
    case 0x21, 0xa1: hardware.ports.masks[port] = value
    case 0x60: hardware.ports.keyboard.take(data: value)
    case 0x61: hardware.ports.systemControl = value & 0xf
    case 0x64: hardware.ports.keyboard.take(command: value)
    case 0x70: hardware.ports.clockIndex = value
    case 0x71 where hardware.ports.clockIndex & 0x7f >= 14: hardware.ports.clockMemory[hardware.ports.clockIndex & 0x7f] = value
    case 0x80: hardware.ports.postCode = value
    case 0xcfc...0xcff:
      if let place = configurationPlace(port) { setConfigurationByte(slot: place.slot, place.offset, value) }
    default: break
    }
  }

  /// A byte of the interval timer's count, which goes down 1,193,182 times a second; low and high byte alternate.
  private func timerByte() -> UInt8 {
    hardware.ports.reads += 1
    let count = 0xffff - interruptTime &* 1_193_182 / 10_000_000 & 0xffff
    return UInt8(truncatingIfNeeded: hardware.ports.reads & 1 == 0 ? count >> 8 : count)
  }

  /// Which byte of which function port CFCh to CFFh shows; `nil` where the mechanism is off or asks for another bus.
  private func configurationPlace(_ port: UInt16) -> (slot: UInt32, offset: UInt32)? {
    let address = hardware.ports.configurationAddress
    guard address & 0x8000_0000 != 0, address >> 16 & 0xff == 0 else { return nil }
    // PCI_SLOT_NUMBER: five bits of device, three of function.
    return (address >> 11 & 0x1f | (address >> 8 & 7) << 5, address & 0xfc | UInt32(port - 0xcfc))
  }
}
