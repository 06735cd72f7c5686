import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

/// A minifilter without code: ``IOGuest``'s driver, with the records that a minifilter fills in.
final class FilterGuest {
  let g: IOGuest
  var k: TestKernel { g.k }
  var driver: UInt64 { g.driver.object.address }

  static let unload: UInt64 = 0xf8b0_8000
  static let setup: UInt64 = 0xf8b0_8010

  init() throws { g = try IOGuest() }

  /// An `FLT_REGISTRATION` of version 0x0200, with the given words behind its flags.
  func registration(version: UInt32 = 0x0200, size: UInt32 = 0x30, flags: UInt32 = 0, _ words: [Int: UInt64] = [:]) throws -> UInt64 {
    let place = try g.space(0x40)
    try k.store([size | version << 16, flags], at: place)
    for (offset, word) in words { try k.store(UInt32(word), at: place + UInt64(offset)) }
    return place
  }

  /// Registers, and gives the filter.
  func register(_ words: [Int: UInt64] = [0x10: FilterGuest.unload], flags: UInt32 = 0) throws -> UInt64 {
    let result = try g.space()
    #expect(try g.status("FltRegisterFilter", driver, registration(flags: flags, words), result) == .success)
    return UInt64(try k.load(result))
  }
}
