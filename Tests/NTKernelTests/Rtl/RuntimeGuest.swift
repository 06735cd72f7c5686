import Events
import Guest
import Memory
import NTKernel
import Testing
import WindowsTypes

/// A kernel and one system thread, without a processor: a test calls exports by name, and plays the routines that they call back.
final class RuntimeGuest {
  let memory: VirtualMemory
  let stream = EventStream(budget: 8 << 20)
  let registers = RegisterValues()
  let kernel: Kernel
  /// Guest routines that exports may call, by address: they get their stack arguments, and return a value.
  var routines: [UInt64: (RuntimeGuest) throws -> UInt64] = [:]
  private static let table = ExportTable(ExportTable.kernel)
  private static let numbers = Dictionary(
    table.exports.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })

  /// Where calls come from.
  static let caller: UInt64 = 0xf8b0_1000
  /// Four pages of the test's own.
  static let data: UInt64 = 0xf8c0_0000
  /// A user page that is not there, behind one that is.
  static let missing: UInt64 = 0x60_1000
  private var nextFree = data

  init() throws {
    memory = try VirtualMemory(target: .windowsXP_x86, limit: 32 << 20)
    kernel = try Kernel(memory: memory, stream: stream, exports: Self.table, registers: registers)
    _ = try kernel.placeTraps(reserved: [:])
    let system = try kernel.createProcess("System", uniqueID: 4)
    try kernel.run(kernel.createThread("worker", in: system))
    try kernel.map(Page(.valid), pages: 1, at: Self.missing - 0x1000, in: system)
    for page in 0..<UInt64(4) { try memory.kernel.set(Page(.valid, frame: memory.physical.allocate()), at: Self.data + page << 12) }
  }

  enum Outcome: Equatable {
    /// `eax` and `edx`.
    case returned(UInt64, UInt64)
    /// An exception that nothing handled.
    case raised(UInt64)
    case bugCheck(UInt64)
  }

  /// Calls the export with 32-bit words for arguments.
  func outcome(_ name: String, _ arguments: [UInt64], setting values: [Register: UInt64] = [:]) throws -> Outcome {
    let number = try #require(Self.numbers[name], "no export \(name)")
    let export = Self.table.exports[number]
    var stackPointer = try #require(kernel.running).object.Tcb.StackBase.load().address - 0x200
    let kept: [Register: UInt64] = [.si: 0x5151, .di: 0xd1d1, .bp: 0xb0b0]
    for (register, value) in kept { registers[register] = value }
    for (register, value) in values { registers[register] = value }
    var rest = arguments[...]
    // The first two arguments of pointer size, which all of a fastcall routine's first two are.
    if export.convention == .fastcall {
      var inRegisters: [Register] = [.cx, .dx]
      var onStack: [UInt64] = []
      for type in export.parameterTypes {
        if type.size(in: .windowsXP_x86) <= 4 {
          let value = rest.removeFirst()
          if inRegisters.isEmpty { onStack.append(value) } else { registers[inRegisters.removeFirst()] = value }
        } else {
          onStack += rest.prefix(2)
          rest = rest.dropFirst(2)
        }
      }
      rest = onStack[...]
    }
    for word in rest.reversed() {
      stackPointer -= 4
      try memory.memory.store(UInt32(truncatingIfNeeded: word), at: stackPointer)
    }
    stackPointer -= 4
    try memory.memory.store(UInt32(Self.caller), at: stackPointer)
    registers[.sp] = stackPointer
    registers[.ip] = kernel.trapAddresses[number]
    try run()
    if case .bugCheck(let bugCheck) = kernel.ending {
      let code = UInt64(bugCheck.code.rawValue)
      // What an exception that nobody takes ends in says which it was.
      return code == 0x7e || code == 0x8e ? .raised(bugCheck.parameters[0]) : .bugCheck(code)
    }
    let popped = UInt64(export.stackBytes(.windowsXP_x86))
    #expect(registers[.sp] == stackPointer + 4 + popped, "\(name) leaves the stack")
    if export.convention == .stdcall { #expect(popped == 4 * UInt64(arguments.count), "\(name) pops") }
    for (register, value) in kept { #expect(registers[register] == value, "\(name) changes \(register)") }
    return .returned(registers[.ax], registers[.dx])
  }

  /// Serves traps and plays routines until control is back at the caller, or the run is over.
  private func run() throws {
    let traps = Dictionary(kernel.trapAddresses.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    while kernel.ending == nil && registers[.ip] != Self.caller {
      let place = registers[.ip]
      if let number = traps[place] {
        guard kernel.serve(trap: number) == .proceed else { break }
        if registers[.ip] == place {
          registers[.ip] = UInt64(try load(registers[.sp]))
          registers[.sp] += 4 + UInt64(Self.table.exports[number].stackBytes(.windowsXP_x86))
        }
      } else if place >= kernel.callbackRange.base,
        place < kernel.callbackRange.base + UInt64(16 * kernel.callbackRange.count)
      {
        guard kernel.callbackReturned(to: Int(place - kernel.callbackRange.base) / 16) == .proceed else { break }
      } else if let routine = routines[place] {
        registers[.ax] = try routine(self)
        registers[.ip] = UInt64(try load(registers[.sp]))
        registers[.sp] += 4
      } else {
        Issue.record("control went to \(hex(place))")
        break
      }
    }
    if let failure = kernel.failure { throw failure }
  }

  /// The `index`th stack argument of the routine that is being played.
  func argument(_ index: UInt64) throws -> UInt64 { UInt64(try load(registers[.sp] + 4 + 4 * index)) }

  /// Calls an export that must return; the result register.
  @discardableResult
  func call(_ name: String, _ arguments: UInt64..., location: SourceLocation = #_sourceLocation) throws -> UInt64 {
    guard case .returned(let value, _) = try outcome(name, arguments) else {
      Issue.record("\(name) ended in \(String(describing: kernel.ending))", sourceLocation: location)
      return .max
    }
    return value
  }

  /// Calls an export whose result is 64 bits wide.
  func callWide(_ name: String, _ arguments: UInt64...) throws -> UInt64 {
    guard case .returned(let low, let high) = try outcome(name, arguments) else { return .max }
    return low | high << 32
  }

  /// Calls an export that must end in an exception or a bugcheck.
  func failure(_ name: String, _ arguments: UInt64...) throws -> Outcome { try outcome(name, arguments) }

  // MARK: Data

  /// Fresh room for the test, aligned to eight bytes and filled with 0xcc.
  func room(_ size: UInt64) throws -> UInt64 {
    defer { nextFree += (size + 15) & ~7 }
    try memory.memory.fill(0xcc, count: Int(size), at: nextFree)
    return nextFree
  }

  func narrow(_ text: String) throws -> UInt64 { try place(Array(text.utf8) + [0]) }
  func wide(_ text: String) throws -> UInt64 { try place((Array(text.utf16) + [0]).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }) }

  func place(_ bytes: [UInt8]) throws -> UInt64 {
    let address = try room(UInt64(bytes.count))
    try memory.memory.write(bytes, at: address)
    return address
  }

  /// A counted string of UTF-16 units, with `spare` bytes behind them.
  func unicode(_ text: String, spare: Int = 0) throws -> UInt64 {
    let bytes = text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    return try counted(bytes, spare)
  }
  /// A counted string of bytes.
  func ansi(_ bytes: [UInt8], spare: Int = 0) throws -> UInt64 { try counted(bytes, spare) }
  func ansi(_ text: String, spare: Int = 0) throws -> UInt64 { try counted(Array(text.utf8), spare) }

  private func counted(_ bytes: [UInt8], _ spare: Int) throws -> UInt64 {
    let buffer = try place(bytes + [UInt8](repeating: 0xcc, count: spare))
    let header = try room(8)
    try store16(UInt16(bytes.count), at: header)
    try store16(UInt16(bytes.count + spare), at: header + 2)
    try store(UInt32(buffer), at: header + 4)
    return header
  }

  /// The text that a `UNICODE_STRING` describes.
  func text(_ header: UInt64) throws -> String { try Pointer<UNICODE_STRING>(header, in: memory.memory).string() }
  /// The bytes that an `ANSI_STRING` describes.
  func bytes(ofString header: UInt64) throws -> [UInt8] {
    try memory.memory.bytes(Int(load16(header)), at: UInt64(load(header + 4)))
  }

  func load(_ address: UInt64) throws -> UInt32 { try memory.memory.load(UInt32.self, at: address) }
  func load8(_ address: UInt64) throws -> UInt8 { try memory.memory.load(UInt8.self, at: address) }
  func load16(_ address: UInt64) throws -> UInt16 { try memory.memory.load(UInt16.self, at: address) }
  func load64(_ address: UInt64) throws -> UInt64 { try memory.memory.load(UInt64.self, at: address) }
  func store(_ value: UInt32, at address: UInt64) throws { try memory.memory.store(value, at: address) }
  func store16(_ value: UInt16, at address: UInt64) throws { try memory.memory.store(value, at: address) }
  func store64(_ value: UInt64, at address: UInt64) throws { try memory.memory.store(value, at: address) }
  func bytes(_ count: Int, at address: UInt64) throws -> [UInt8] { try memory.memory.bytes(count, at: address) }
  /// Zero-terminated bytes.
  func narrowText(_ address: UInt64) throws -> String {
    var bytes: [UInt8] = []
    while case let byte = try load8(address + UInt64(bytes.count)), byte != 0 { bytes.append(byte) }
    return String(decoding: bytes, as: UTF8.self)
  }
  /// Zero-terminated UTF-16.
  func wideText(_ address: UInt64) throws -> String {
    var units: [UInt16] = []
    while case let unit = try load16(address + UInt64(2 * units.count)), unit != 0 { units.append(unit) }
    return String(decoding: units, as: UTF16.self)
  }
}

/// STATUS_ACCESS_VIOLATION, as a fault in an export surfaces where nothing handles it.
let accessViolation = RuntimeGuest.Outcome.raised(0xc000_0005)
