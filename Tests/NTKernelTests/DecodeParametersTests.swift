import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

/// Offsets are those of `FLT_CALLBACK_DATA` (Flags 0, Iopb 8), `FLT_IO_PARAMETER_BLOCK` (MajorFunction 4, MinorFunction 5,
/// Parameters 10) and, within `FLT_PARAMETERS`, of the flt-parameters pages, all on x86.
@Suite("FltDecodeParameters") struct DecodeParametersTests {
  let k: TestKernel
  let data = TestKernel.scratch + 0x100
  let block = TestKernel.scratch + 0x200
  let outputs = TestKernel.scratch + 0x300
  init() throws {
    k = try TestKernel()
    try k.store(UInt32(block), at: data + 8)
    try k.store([0xeeee_eeee, 0xeeee_eeee, 0xeeee_eeee, 0xeeee_eeee], at: outputs)
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let what: String
    let major: UInt8
    var minor: UInt8 = 0
    /// The control code's transfer method.
    var method: UInt32?
    /// `FLTFL_CALLBACK_DATA_FAST_IO_OPERATION` is 2, `…IRP_OPERATION` 1.
    var flags: UInt32 = 1
    /// Offsets in `FLT_PARAMETERS`; `nil` where there is no such field.
    var mdl: UInt64?
    var buffer: UInt64?
    var length: UInt64?
    /// 0 read, 1 write; `nil`: the operation has no buffer.
    var access: UInt32?
    var isUncertain = false
    var testDescription: String { what }
  }

  static let rows = [
    Row(what: "create", major: 0, buffer: 0x10, length: 0xc, access: 0),
    Row(what: "read", major: 3, mdl: 0x14, buffer: 0x10, length: 0, access: 1),
    Row(what: "write", major: 4, mdl: 0x14, buffer: 0x10, length: 0, access: 0),
    Row(what: "query information", major: 5, buffer: 8, length: 0, access: 1),
    Row(what: "set information", major: 6, buffer: 0x10, length: 0, access: 0),
    Row(what: "query EA", major: 7, mdl: 0x14, buffer: 0x10, length: 0, access: 1),
    Row(what: "set EA", major: 8, mdl: 8, buffer: 4, length: 0, access: 0),
    Row(what: "query volume", major: 0xa, buffer: 8, length: 0, access: 1),
    Row(what: "set volume", major: 0xb, buffer: 8, length: 0, access: 0),
    Row(what: "query directory", major: 0xc, minor: 1, mdl: 0x14, buffer: 0x10, length: 0, access: 1),
    Row(what: "notify directory", major: 0xc, minor: 2, mdl: 0x14, buffer: 0x10, length: 0, access: 1),
    Row(what: "other directory control", major: 0xc, minor: 3),
    Row(what: "FSCTL, neither", major: 0xd, method: 3, mdl: 0x14, buffer: 0x10, length: 0, access: 1, isUncertain: true),
    Row(what: "FSCTL of the kernel, out direct", major: 0xd, minor: 4, method: 2, mdl: 0x14, buffer: 0x10, length: 0, access: 1),
    Row(what: "mounting", major: 0xd, minor: 1),
    Row(what: "verifying", major: 0xd, minor: 2),
    Row(what: "loading", major: 0xd, minor: 3),
    Row(what: "IOCTL, buffered", major: 0xe, method: 0, buffer: 0xc, length: 0, access: 1, isUncertain: true),
    Row(what: "IOCTL, in direct", major: 0xe, method: 1, mdl: 0x14, buffer: 0x10, length: 0, access: 0),
    Row(what: "IOCTL, out direct", major: 0xe, method: 2, mdl: 0x14, buffer: 0x10, length: 0, access: 1),
    Row(what: "IOCTL, neither", major: 0xe, method: 3, mdl: 0x14, buffer: 0x10, length: 0, access: 1, isUncertain: true),
    Row(what: "internal IOCTL, neither", major: 0xf, method: 3, mdl: 0x14, buffer: 0x10, length: 0, access: 1, isUncertain: true),
    Row(what: "IOCTL by fast I/O", major: 0xe, method: 3, flags: 2, buffer: 0x10, length: 0, access: 1, isUncertain: true),
    Row(what: "query security", major: 0x14, mdl: 0xc, buffer: 8, length: 4, access: 1),
    Row(what: "set security", major: 0x15, buffer: 4, access: 0),
    Row(what: "query quota", major: 0x19, mdl: 0x14, buffer: 0x10, length: 0, access: 1),
    Row(what: "set quota", major: 0x1a, mdl: 8, buffer: 4, length: 0, access: 0),
    Row(what: "close", major: 2), Row(what: "flush", major: 9), Row(what: "lock control", major: 0x11),
    Row(what: "clean-up", major: 0x12), Row(what: "acquire for section synchronization", major: 0xff),
  ]

  @Test("each operation's fields, and the access that its data's direction asks for", arguments: rows)
  func fields(row: Row) throws {
    try k.store(row.flags, at: data)
    try k.memory.memory.write([row.major, row.minor], at: block + 4)
    let parameters = block + 0x10
    try k.store(row.method ?? 0, at: parameters + 8)
    let status = try k.value("FltDecodeParameters", data, outputs, outputs + 4, outputs + 8, outputs + 12)
    let found = try (0..<4).map { try k.load(outputs + 4 * UInt64($0)) }
    guard let access = row.access else {
      #expect(status == 0xc000_000d)
      #expect(found == [0xeeee_eeee, 0xeeee_eeee, 0xeeee_eeee, 0xeeee_eeee], "nothing is written")
      return
    }
    #expect(status == 0)
    #expect(found == [row.mdl, row.buffer, row.length].map { $0.map { UInt32(parameters + $0) } ?? 0 } + [access])
    #expect(k.stream.events.contains { if case .uncertain = $0 { true } else { false } } == row.isUncertain)
  }

  @Test("all outputs but the MDL's are optional")
  func optional() throws {
    try k.memory.memory.write([3, 0], at: block + 4)
    #expect(try k.value("FltDecodeParameters", data, outputs, 0, 0, 0) == 0)
    #expect(try UInt64(k.load(outputs)) == block + 0x10 + 0x14 && k.load(outputs + 4) == 0xeeee_eeee)
    #expect(try k.raised("FltDecodeParameters", data, 0, 0, 0, 0).information == [1, 0])
  }

  @Test("callback data that cannot be read faults at the caller")
  func unreadable() throws {
    #expect(try k.raised("FltDecodeParameters", 0x10, outputs, 0, 0, 0).information == [0, 0x18])
  }
}
