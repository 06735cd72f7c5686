import Events
import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

/// A filter with a port, whose callbacks the test plays, and threads of service.exe on the other side.
final class PortGuest {
  let f: FilterGuest
  var k: TestKernel { f.k }
  var g: IOGuest { f.g }
  let filter: UInt64
  /// `PFLT_PORT` of the server.
  private(set) var server: UInt64 = 0
  /// Where the driver keeps its client port.
  let client: UInt64
  /// What the driver's routines were called with, in order.
  var log: [String] = []
  /// What the connect routine returns.
  var answer = NTSTATUS.success

  static let connect: UInt64 = 0xf8b0_9000
  static let disconnect: UInt64 = 0xf8b0_9010
  static let message: UInt64 = 0xf8b0_9020

  init(connections: UInt64 = 1, message: UInt64 = PortGuest.message) throws {
    f = try FilterGuest()
    filter = try f.register()
    client = try f.g.space()
    try f.k.map(4, in: f.k.service)
    g.routine(at: Self.connect, 5) { [unowned self] in try connected($0) }
    g.routine(at: Self.disconnect, 1) { [unowned self] in
      log.append("disconnect \($0[0]) in \(k.kernel.currentSpaceOwner.name)")
      return 0
    }
    let result = try g.space()
    #expect(try create(result, attributes(#"\Port"#), connections: connections, message: message) == .success)
    server = UInt64(try k.load(result))
    #expect(try g.status("FltStartFiltering", filter) == .success)
  }

  private func connected(_ arguments: [UInt64]) throws -> UInt64 {
    let context = try k.memory.memory.bytes(Int(arguments[3]), at: arguments[2])
    log.append("connect \(context) in \(k.kernel.currentSpaceOwner.name)")
    guard answer.isSuccess else { return UInt64(answer.rawValue) }
    try k.store(UInt32(arguments[0]), at: client)
    try k.store(0x77, at: arguments[4])
    return 0
  }

  /// `OBJECT_ATTRIBUTES` with a kernel handle, and the default security descriptor.
  func attributes(_ name: String?, flags: UInt32 = 0x240) throws -> UInt64 {
    let (place, descriptor) = (try g.space(0x18), try g.space())
    #expect(try g.status("FltBuildDefaultSecurityDescriptor", descriptor, 0x1f_0001) == .success)
    try k.store([0x18, 0, name.map { UInt32(try g.string($0)) } ?? 0, flags, try k.load(descriptor), 0], at: place)
    return place
  }

  func create(
    _ result: UInt64, _ attributes: UInt64, connections: UInt64 = 1, connect: UInt64 = PortGuest.connect,
    disconnect: UInt64 = PortGuest.disconnect, message: UInt64 = PortGuest.message
  ) throws -> NTSTATUS {
    try g.status("FltCreateCommunicationPort", filter, result, attributes, 0x55, connect, disconnect, message, connections)
  }

  /// A thread of service.exe that does `body` while others wait.
  @discardableResult
  func serve(_ name: String, _ body: @escaping (ThreadLibrary) async throws -> Void) throws -> NTKernel.Thread {
    let thread = try k.kernel.createThread(name, in: k.service)
    let library = try ThreadLibrary(k.kernel, on: thread)
    try k.kernel.start(on: thread) { [unowned self] in
      do { try await body(library) } catch let result as HRESULT { log.append("\(name): \(result)") }
    }
    return thread
  }

  /// Lets the others run until all wait: the running thread waits a while.
  func rest(_ units: Int64 = 1) throws {
    let place = try g.space()
    try k.store([UInt32(truncatingIfNeeded: -units), UInt32(truncatingIfNeeded: -units >> 32)], at: place)
    #expect(try g.status("KeDelayExecutionThread", 0, 0, place) == .success)
  }

  /// `FltSendMessage` of `bytes`; the reply's data, if `room` is given for one.
  func send(_ bytes: [UInt8], room: Int? = nil, timeout: Int64? = nil) throws -> (status: NTSTATUS, reply: [UInt8]) {
    let (message, reply, length, limit) = (try g.space(64), try g.space(64), try g.space(), try g.space())
    try k.memory.memory.write(bytes, at: message)
    try k.store(UInt32(room ?? 0), at: length)
    if let timeout { try k.memory.memory.store(UInt64(bitPattern: timeout), at: limit) }
    let status = try g.status(
      "FltSendMessage", filter, client, message, UInt64(bytes.count), room == nil ? 0 : reply, room == nil ? 0 : length,
      timeout == nil ? 0 : limit)
    let count = room == nil || status != .success ? 0 : Int(try k.load(length))
    return (status, try k.memory.memory.bytes(count, at: reply))
  }

  var uncertain: [String] { k.stream.events.compactMap { if case .uncertain(let text) = $0 { text } else { nil } } }
}
