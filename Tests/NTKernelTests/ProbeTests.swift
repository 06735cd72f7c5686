import Guest
import Memory
import NTKernel
import Testing
import WindowsTypes

@Suite("Probing") struct ProbeTests {
  let k: TestKernel
  init() throws { k = try TestKernel() }

  struct Row: Sendable {
    var address: UInt64
    var length: UInt64
    var alignment: UInt64 = 1
    /// `nil`: returns.
    var status: UInt32?
  }
  static let rows = [
    Row(address: 0, length: 0),
    Row(address: 0xffff_ffff, length: 0, alignment: 8),
    Row(address: 0x42_1001, length: 0, alignment: 4),
    Row(address: 0x42_1001, length: 4, alignment: 4, status: 0x8000_0002),
    Row(address: 0x42_1002, length: 2, alignment: 4, status: 0x8000_0002),
    Row(address: 0x42_1004, length: 8, alignment: 8, status: 0x8000_0002),
    Row(address: 0x42_1004, length: 8, alignment: 4),
    Row(address: 0x42_1010, length: 1, alignment: 16),
    Row(address: 0x7fff_0000, length: 1, status: 0xc000_0005),
    Row(address: 0x8000_0000, length: 4, alignment: 4, status: 0xc000_0005),
    Row(address: 0x42_1000, length: 0x7fff_0000 - 0x42_1000 + 1, status: 0xc000_0005),
    Row(address: 0x42_1000, length: 0xffff_ffff, status: 0xc000_0005),
    Row(address: 0xffff_f000, length: 0x1000, status: 0xc000_0005),
    // Alignment is looked at first.
    Row(address: 0x8000_0001, length: 4, alignment: 4, status: 0x8000_0002),
  ]

  private func check(_ name: String, _ row: Row) throws {
    let reply = try k.call(name, row.address, row.length, row.alignment)
    switch (reply, row.status) {
    case (.returned, nil): break
    case (.raised(let exception), let status?): #expect(try exception.code.rawValue == status)
    default: Issue.record("\(name)(\(hex(row.address)), \(hex(row.length)), \(row.alignment)): \(reply)")
    }
  }

  @Test("ProbeForRead checks alignment and range, in that order, and nothing for a length of 0", arguments: rows)
  func read(row: Row) throws { try check("ProbeForRead", row) }

  @Test("ProbeForWrite makes the same checks", arguments: rows)
  func write(row: Row) throws {
    try k.map(1, in: k.notepad)
    try check("ProbeForWrite", row)
  }

  @Test("ProbeForRead touches nothing: a range without memory passes, up to the last user byte")
  func readTouchesNothing() throws {
    try k.value("ProbeForRead", 0x42_1000, 0x7fff_0000 - 0x42_1000, 1)
    try PageKind.guarded.map(in: k)
    try k.value("ProbeForRead", k.buffer, 0x1000, 1)
    #expect(k.notepad.space[k.buffer].isGuard)
    #expect(!k.stream.events.contains { if case .fault = $0 { true } else { false } })
  }

  @Test("ProbeForWrite touches each page", arguments: PageKind.allCases)
  func writeTouches(kind: PageKind) throws {
    try kind.map(in: k)
    let before = k.notepad.space.frame(at: k.buffer)
    let reply = try k.call("ProbeForWrite", k.buffer + 0x10, 0x20, 1)
    guard let status = kind.status(writes: true) else {
      guard case .returned = reply else { return unexpected(reply) }
      #expect(k.notepad.space[k.buffer].kind == .valid)
      if kind == .copyOnWrite { #expect(try k.frame(of: k.notepad) != before) }
      return
    }
    guard case .raised(let exception) = reply else { return unexpected(reply) }
    #expect(try exception.code.rawValue == status)
    #expect(try exception.information[1] == k.buffer + 0x10)
  }

  @Test("ProbeForWrite reaches the page of the last byte, and no further")
  func writeRange() throws {
    try k.map(2, in: k.notepad)
    try k.value("ProbeForWrite", k.buffer + 0xfff, 0x1001, 1)
    #expect(try k.raised("ProbeForWrite", k.buffer + 0xfff, 0x1002, 1).information == [0, k.buffer + 0x2000])
    #expect(try k.byte(k.buffer + 0xfff) == 1 && k.byte(k.buffer + 0x1000) == 2, "the bytes are as they were")
  }

  @Test("ProbeForWrite at DISPATCH_LEVEL on a page that is not resident is bugcheck A")
  func writeAtDispatch() throws {
    try PageKind.pagedOut.map(in: k)
    try k.raiseIRQL(to: 2)
    #expect(try k.bugCheck("ProbeForWrite", k.buffer, 1, 1).prefix(4) == [0xa, k.buffer, 2, 0])
  }

  // MARK: Guest code's own faults

  @Test("a driver's page fault at DISPATCH_LEVEL is bugcheck D1, the kernel's own is A")
  func faultAtDispatch() throws {
    try PageKind.demandZero.map(in: k)
    try k.raiseIRQL(to: 2)
    k.registers[.ip] = 0xf8b0_0040
    k.registers[.sp] = UInt64(try k.load(k.currentThread + 0x168)) - 0x200
    #expect(k.kernel.pageFault(.write, at: k.buffer) == .stop)
    #expect(k.kernel.ending == .bugCheck(BugCheck(.driverIRQLNotLessOrEqual, k.buffer, 2, 1, 0xf8b0_0040)))

    let other = try TestKernel()
    try other.raiseIRQL(to: 2)
    other.registers[.ip] = 0x8053_1234
    #expect(other.kernel.pageFault(.read, at: 0x1_0000) == .stop)
    #expect(other.kernel.ending == .bugCheck(BugCheck(.irqlNotLessOrEqual, 0x1_0000, 2, 0, 0x8053_1234)))
  }

  @Test("a fault below DISPATCH_LEVEL is repaired where the page allows it", arguments: [PageKind.demandZero, .pagedOut, .copyOnWrite])
  func repaired(kind: PageKind) throws {
    try kind.map(in: k)
    try k.raiseIRQL(to: 1)
    #expect(k.kernel.pageFault(.write, at: k.buffer + 8) == .proceed)
    #expect(k.memory.memory.allows(.write, at: k.buffer))
    #expect(k.kernel.ending == nil)
  }

  @Test("kernel pages: demand-zero is repaired, read-only is bugcheck BE, absent is bugcheck 50")
  func kernelPages() throws {
    try k.memory.kernel.set(Page(.demandZero), at: 0xf8d0_0000)
    #expect(k.kernel.pageFault(.write, at: 0xf8d0_0004) == .proceed)
    #expect(try k.load(0xf8d0_0004) == 0)
    try k.memory.kernel.set(Page(.valid, .readOnly, frame: k.memory.physical.allocate()), at: 0xf8d0_1000)
    #expect(k.kernel.pageFault(.write, at: 0xf8d0_1008) == .stop)
    if case .bugCheck(let check) = k.kernel.ending {
      #expect(check.code.rawValue == 0xbe && check.parameters[0] == 0xf8d0_1008)
    } else {
      Issue.record("no bugcheck")
    }

    let other = try TestKernel()
    other.registers[.ip] = 0xf8b0_0040
    #expect(other.kernel.pageFault(.write, at: 0xf8d0_1008) == .stop)
    #expect(other.kernel.ending == .bugCheck(BugCheck(.pageFaultInNonpagedArea, 0xf8d0_1008, 1, 0xf8b0_0040, 0)))
  }
}
