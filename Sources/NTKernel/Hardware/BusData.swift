import Guest
import WindowsTypes

/// The machine's buses as the HAL shows them: one PCI bus with the two functions of a chipset, and the clock's CMOS memory.
///
/// No adapter is on the bus: a driver that looks for its own finds what it finds on a machine without it.
extension Kernel {
  /// `BUS_DATA_TYPE` (`wdm.h`).
  private enum BusData { static let (cmos, pci) = (UInt32(0), UInt32(4)) }

  /// The functions that are there, by device and function number, as in `PCI_SLOT_NUMBER`.
  private static let pciFunctions: [UInt32: [UInt32]] = [
    // Intel's 440FX: host bridge 8086:1237, revision 2, class 0600.
    0x00: [0x1237_8086, 0x0280_0006, 0x0600_0002, 0],
    // PIIX3, ISA bridge 8086:7000, class 0601, one of several functions.
    0x01: [0x7000_8086, 0x0280_0007, 0x0601_0000, 0x0080_0000],
  ]
  static let configurationSize: UInt32 = 256

  private func configurationKey(_ slot: UInt32, _ offset: UInt32) -> UInt64 { UInt64(slot) << 32 | UInt64(offset) }

  private func configurationByte(_ function: [UInt32], _ slot: UInt32, _ offset: UInt32) -> UInt8 {
    if let written = hardware.configuration[configurationKey(slot, offset)] { return written }
    let word = offset / 4 < function.count ? function[Int(offset / 4)] : 0
    return UInt8(truncatingIfNeeded: word >> (8 * (offset % 4)))
  }

  /// A byte of a function's configuration space; all ones where no function is.
  func configurationByte(slot: UInt32, _ offset: UInt32) -> UInt8 {
    Self.pciFunctions[slot].map { configurationByte($0, slot, offset) } ?? 0xff
  }

  /// Identity, revision and class, and the header's type, are read-only.
  func setConfigurationByte(slot: UInt32, _ offset: UInt32, _ value: UInt8) {
    if Self.pciFunctions[slot] == nil || offset < 4 || 8..<12 ~= offset || offset == 14 { return }
    hardware.configuration[configurationKey(slot, offset)] = value
  }

  /// `HalGetBusDataByOffset`: how many bytes it wrote. 0 where there is no such bus; 2 and a vendor of FFFFh for an empty slot.
  func busData(_ type: UInt32, bus: UInt32, slot: UInt32, _ buffer: UInt64, offset: UInt32, length: UInt32) throws -> UInt32 {
    switch type {
    case BusData.pci:
      guard bus == 0 else { return 0 }
      guard let function = Self.pciFunctions[slot] else {
        guard length > 0 else { return 0 }
        try memory.memory.write([UInt8](repeating: 0xff, count: Int(min(2, length))), at: buffer)
        return 2
      }
      guard offset < Self.configurationSize else { return 0 }
      let count = min(length, Self.configurationSize - offset)
      try memory.memory.write((0..<count).map { configurationByte(function, slot, offset + $0) }, at: buffer)
      return count
    case BusData.cmos:
      // Bus 0 is the 64 bytes of the clock's own, bus 1 what is behind them; the slot is the first byte's number.
      guard bus <= 1 else { return 0 }
      let first = UInt64(slot) + UInt64(offset)
      guard first < 64 else { return 0 }
      let count = min(length, UInt32(64 - first))
      try memory.memory.write((0..<UInt64(count)).map { bus == 0 ? clockByte(first + $0) : 0 }, at: buffer)
      return count
    default: return 0
    }
  }

  /// `HalSetBusDataByOffset`: how many bytes it took.
  func setBusData(_ type: UInt32, bus: UInt32, slot: UInt32, _ buffer: UInt64, offset: UInt32, length: UInt32) throws -> UInt32 {
    guard type == BusData.pci, bus == 0, Self.pciFunctions[slot] != nil, offset < Self.configurationSize else { return 0 }
    let count = min(length, Self.configurationSize - offset)
    for (index, byte) in try memory.memory.bytes(Int(count), at: buffer).enumerated() {
      setConfigurationByte(slot: slot, offset + UInt32(index), byte)
    }
    return count
  }

  /// The clock's registers, in binary-coded decimal and 24 hours.
  func clockByte(_ index: UInt64) -> UInt8 {
    let time = CalendarTime(systemTimeAtTick)
    func decimal(_ value: Int) -> UInt8 { UInt8(truncatingIfNeeded: value / 10 % 10 << 4 | value % 10) }
    return switch index {
    case 0: decimal(time.second)
    case 2: decimal(time.minute)
    case 4: decimal(time.hour)
    case 6: decimal(time.weekday + 1)
    case 7: decimal(time.day)
    case 8: decimal(time.month)
    case 9: decimal(time.year % 100)
    // 24 hours; the clock's battery is good.
    case 11: 2
    case 13: 0x80
    default: 0
    }
  }

  /// `TIME_FIELDS` of the clock now.
  func storeClock(at place: UInt64) throws {
    let time = CalendarTime(systemTimeAtTick)
    let fields = [time.year, time.month, time.day, time.hour, time.minute, time.second, 0, time.weekday]
    for (index, field) in fields.enumerated() { try memory.memory.store(UInt16(field), at: place + 2 * UInt64(index)) }
  }
}

/// A moment of the proleptic Gregorian calendar.
private struct CalendarTime {
  var (year, month, day, hour, minute, second, weekday) = (0, 0, 0, 0, 0, 0, 0)

  /// - Parameter time: in 100 ns since 1601.
  init(_ time: UInt64) {
    let seconds = Int(time / 10_000_000)
    (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
    let days = seconds / 86400
    // 1 January 1601 was a Monday.
    weekday = (days + 1) % 7
    // Years that begin with March, in cycles of 400: day 0 of the cycle is 1 March 1600.
    let shifted = days + 306
    let cycle = shifted / 146_097
    let dayOfCycle = shifted % 146_097
    let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = 1600 + 400 * cycle + yearOfCycle + (month <= 2 ? 1 : 0)
  }
}
