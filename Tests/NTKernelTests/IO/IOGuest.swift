import Guest
import NTKernel
import Testing
import WindowsTypes

/// A driver without code: the test plays its routines, each at an address of its own.
///
/// The driver's image is where ``TestKernel`` calls from, so what the test makes is the driver's.
final class IOGuest {
  let k: TestKernel
  let driver: Driver
  /// What guest routines do, by address: they get their arguments, and say how many they pop.
  private var routines: [UInt64: (count: Int, body: ([UInt64]) throws -> UInt64)] = [:]
  private lazy var traps = Dictionary(uniqueKeysWithValues: k.kernel.trapAddresses.enumerated().map { ($1, $0) })

  /// Whether a call of a routine that nobody plays ends the machine, and not the test.
  var allowsStrayCode = false

  /// How the machine stopped.
  struct Stopped: Error { let bugCheck: BugCheck? }

  init(target: Target = .windowsXP_x86) throws {
    k = try TestKernel(target: target)
    driver = try k.kernel.loadDriver("demo", entry: 0xf8b0_0100, base: 0xf8b0_0000, size: 0x1_0000)
    try k.linkFrames()
    k.registers[.sp] = k.frame - 0x40
  }

  /// Calls an export from the driver's code, and plays what it calls.
  @discardableResult
  func call(_ name: String, _ arguments: UInt64...) throws -> UInt64 { try call(name, arguments) }

  func call(_ name: String, _ arguments: [UInt64]) throws -> UInt64 {
    let number = try k.number(of: name)
    CalledExports.insert("\(k.kernel.exports.exports[number].module)!\(name)")
    let before = k.registers[.sp]
    var (sp, rest) = (before - 0x40, arguments[...])
    if k.kernel.exports.exports[number].convention == .fastcall {
      k.registers[.cx] = rest.popFirst() ?? 0
      k.registers[.dx] = rest.popFirst() ?? 0
    }
    for argument in rest.reversed() + [TestKernel.caller] {
      sp -= 4
      try k.store(UInt32(truncatingIfNeeded: argument), at: sp)
    }
    k.registers[.sp] = sp
    k.registers[.ip] = k.kernel.trapAddresses[number]
    try run()
    k.registers[.sp] = before
    return k.registers[.ax] & 0xffff_ffff
  }

  /// The status that a call returns.
  func status(_ name: String, _ arguments: UInt64...) throws -> NTSTATUS {
    NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try call(name, arguments)))
  }

  /// The bugcheck that a call ends in: its code and parameters.
  func bugCheck(_ name: String, _ arguments: UInt64...) throws -> [UInt64] {
    do {
      let value = try call(name, arguments)
      Issue.record("\(name) was to be a bugcheck; it returned \(value)")
    } catch let stopped as Stopped {
      if let bugCheck = stopped.bugCheck { return [UInt64(bugCheck.code.rawValue)] + bugCheck.parameters }
    }
    return []
  }

  private func run() throws {
    let (base, count) = k.kernel.callbackRange
    while k.registers[.ip] != TestKernel.caller {
      let ip = k.registers[.ip]
      if let number = traps[ip] {
        try check(k.kernel.serve(trap: number))
        if k.registers[.ip] == ip { try ret(popping: k.kernel.exports.exports[number].stackBytes(.windowsXP_x86)) }
      } else if ip >= base, ip < base + UInt64(count) * 16 {
        try check(k.kernel.callbackReturned(to: Int((ip - base) / 16)))
      } else if let (count, body) = routines[ip] {
        let sp = k.registers[.sp]
        let value = try body((0..<count).map { UInt64(try k.load(sp + 4 + 4 * UInt64($0))) })
        k.registers[.sp] = sp
        k.registers[.ax] = value
        try ret(popping: 4 * count)
      } else if let target = jump(at: ip) {
        k.registers[.ip] = target
      } else {
        if !allowsStrayCode { Issue.record("guest code strayed to \(hex(ip))") }
        throw Stopped(bugCheck: nil)
      }
    }
  }

  /// Where the dispatch routine of a driver of Windows' own goes on: `mov edi,edi; push ebp; mov ebp,esp; pop ebp; jmp`.
  private func jump(at ip: UInt64) -> UInt64? {
    guard (try? k.memory.memory.bytes(7, at: ip)) == [0x8b, 0xff, 0x55, 0x8b, 0xec, 0x5d, 0xe9], let distance = try? k.load(ip + 7)
    else { return nil }
    return UInt64(UInt32(truncatingIfNeeded: ip + 11) &+ UInt32(distance))
  }

  private func ret(popping bytes: Int) throws {
    k.registers[.ip] = UInt64(try k.load(k.registers[.sp]))
    k.registers[.sp] += 4 + UInt64(bytes)
  }

  private func check(_ continuation: NTKernel.Continuation) throws {
    if let failure = k.kernel.failure { throw failure }
    if case .bugCheck(let bugCheck) = k.kernel.ending { throw Stopped(bugCheck: bugCheck) }
    if continuation == .stop { throw Stopped(bugCheck: nil) }
  }

  // MARK: A driver's parts

  /// A guest routine of `count` arguments at `address`.
  func routine(at address: UInt64, _ count: Int, _ body: @escaping ([UInt64]) throws -> UInt64) { routines[address] = (count, body) }

  /// A dispatch routine for a major function.
  func dispatch(_ major: Int, _ body: @escaping (_ device: UInt64, _ irp: UInt64) throws -> NTSTATUS) throws {
    let address = 0xf8b0_2000 + UInt64(major) * 16
    routine(at: address, 2) { UInt64(try body($0[0], $0[1]).rawValue) }
    try k.store(UInt32(address), at: driver.object.address + 0x38 + 4 * UInt64(major))
  }

  /// Completes an IRP as a dispatch routine does.
  func complete(_ irp: UInt64, _ status: NTSTATUS = .success, _ information: UInt32 = 0) throws -> NTSTATUS {
    try k.store([status.rawValue, information], at: irp + 0x18)
    try call("IofCompleteRequest", irp, 0)
    return status
  }

  /// Create, cleanup and close succeed.
  func acceptFiles() throws {
    for major in [0, 2, 0x12] { try dispatch(major) { _, irp in try self.complete(irp) } }
  }

  /// A counted string.
  func string(_ text: String) throws -> UInt64 {
    let units = Array(text.utf16)
    let place = try k.kernel.allocate(UInt64(8 + units.count * 2))
    try k.store([UInt32(units.count * 2) | UInt32(units.count * 2) << 16, UInt32(place + 8)], at: place)
    for (index, unit) in units.enumerated() { try k.memory.memory.store(unit, at: place + 8 + 2 * UInt64(index)) }
    return place
  }

  /// Zeroed memory of the test's own.
  func space(_ size: UInt64 = 16) throws -> UInt64 { try k.kernel.allocate(size) }

  /// A device, ready to be opened.
  func device(_ name: String?, extension size: UInt64 = 0) throws -> UInt64 {
    let result = try space()
    let status = try status("IoCreateDevice", driver.object.address, size, name.map(string) ?? 0, 0x22, 0, 0, result)
    #expect(status == .success)
    let device = UInt64(try k.load(result))
    try k.store(try k.load(device + 0x1c) & ~0x80, at: device + 0x1c)
    return device
  }

  /// `OBJECT_ATTRIBUTES` with a kernel handle.
  func attributes(_ path: String) throws -> UInt64 {
    let place = try space(0x18)
    try k.store([0x18, 0, UInt32(try string(path)), 0x240, 0, 0], at: place)
    return place
  }

  /// A handle to a device, opened from kernel mode for synchronous I/O.
  func open(_ path: String) throws -> UInt64 {
    let (handle, block) = (try space(), try space())
    let status = try status("ZwCreateFile", handle, 0xc010_0000, attributes(path), block, 0, 0x80, 3, 1, 0x20, 0, 0)
    #expect(status == .success)
    return UInt64(try k.load(handle))
  }

  var violations: [String] { k.stream.events.compactMap { if case .violation(let text, _) = $0 { text } else { nil } } }
}
