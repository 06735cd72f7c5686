import Guest
import Memory
import NTKernel
import WindowsTypes

/// The user side on a thread inside the run: each function is called as the process's own code would, on the process's pages.
public final class ThreadLibrary: FilterLibrary {
  let kernel: Kernel
  public let thread: NTKernel.Thread
  /// Where messages go, in the process; replies are built there too.
  private var buffer: Range<UInt64>
  /// Where small arguments lie.
  private let arguments: UInt64
  private static let argumentSize = GuestMemory.pageSize

  /// - Parameter buffer: where messages go; pages of the library's own if `nil`.
  public init(_ kernel: Kernel, on thread: NTKernel.Thread, buffer: Range<UInt64>? = nil) throws {
    self.kernel = kernel
    self.thread = thread
    arguments = try kernel.reserveUserPages(1, in: thread.owner)
    self.buffer = buffer ?? 0..<0
  }

  /// Beyond that a buffer is refused with `ERROR_NOT_ENOUGH_MEMORY`.
  public static let largestBuffer = 1 << 20

  /// Room for `size` bytes in the process.
  private func room(_ size: Int) throws -> UInt64 {
    if size <= buffer.count { return buffer.lowerBound }
    guard size <= Self.largestBuffer else { throw HRESULT(win32: 8) }
    let pages = (size + 0xfff) >> 12
    let start = try kernel.reserveUserPages(pages, in: thread.owner)
    buffer = start..<start + UInt64(pages) << GuestMemory.pageShift
    return start
  }

  private func write(_ bytes: [UInt8], at address: UInt64) throws {
    do { try kernel.memory.memory.write(bytes, at: address) } catch let exception as GuestException { throw HRESULT(exception.code) }
  }

  private func word(at address: UInt64) throws -> UInt64 { UInt64(try kernel.memory.memory.load(UInt32.self, at: address)) }

  /// Calls a function of the user side, and throws what it returns unless that is a success.
  private func call(_ name: String, _ values: UInt64...) async throws {
    let result = HRESULT(
      rawValue: UInt32(truncatingIfNeeded: try await kernel.call(kernel.trapAddress(of: name, in: "fltLib"), values)))
    if !result.isSuccess { throw result }
  }

  public func connect(to port: String, options: UInt32, context: [UInt8]) async throws -> FilterPort {
    guard context.count <= 0xffff, port.utf16.count < 512 else { throw HRESULT.invalidArgument }
    try write(Self.terminated(port), at: arguments + 8)
    var place: UInt64 = 0
    if !context.isEmpty {
      place = try room(context.count)
      try write(context, at: place)
    }
    try await call("FilterConnectCommunicationPort", arguments + 8, UInt64(options), place, UInt64(context.count), 0, arguments)
    return FilterPort(handle: UInt32(try word(at: arguments)))
  }

  public func message(from port: FilterPort, capacity: Int) async throws -> FilterMessage {
    guard capacity >= 0 else { throw HRESULT.invalidArgument }
    let place = try room(16 + min(capacity, Self.largestBuffer))
    // What the fixture gives is all there is; a buffer of the library's own is as long as was asked for.
    try await call("FilterGetMessage", UInt64(port.handle), place, UInt64(16 + capacity), 0)
    let here = kernel.memory.memory
    let (length, id) = (try here.load(UInt32.self, at: place), try here.load(UInt64.self, at: place + 8))
    // How much came is not told: the process reads what it asked for.
    let count = kernel.ports.deliveries[thread.id] ?? 0
    return FilterMessage(id: id, replyLength: length, payload: try here.bytes(count, at: place + 16))
  }

  public func reply(to message: UInt64, on port: FilterPort, status: NTSTATUS, _ data: [UInt8]) async throws {
    let place = try room(16 + data.count)
    func bytes(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }
    try write(bytes(UInt64(status.rawValue)) + bytes(message) + data, at: place)
    try await call("FilterReplyMessage", UInt64(port.handle), place, UInt64(16 + data.count))
  }

  public func send(_ data: [UInt8], to port: FilterPort, capacity: Int) async throws -> [UInt8] {
    guard capacity >= 0, capacity <= Self.largestBuffer else { throw HRESULT.invalidArgument }
    let place = try room(data.count + 8 + capacity)
    let output = place + UInt64((data.count + 7) & ~7)
    try write(data, at: place)
    try await call(
      "FilterSendMessage", UInt64(port.handle), place, UInt64(data.count), capacity == 0 ? 0 : output, UInt64(capacity), arguments)
    return try kernel.memory.memory.bytes(min(capacity, Int(word(at: arguments))), at: output)
  }

  public func close(_ port: FilterPort) async throws {
    let status = try await kernel.call(kernel.trapAddress(of: "NtClose", in: "nt"), [UInt64(port.handle)])
    let result = HRESULT(NTSTATUS(rawValue: UInt32(truncatingIfNeeded: status)))
    if !result.isSuccess { throw result }
  }

  public func load(_ filter: String) async throws { try await named("FilterLoad", filter) }
  public func unload(_ filter: String) async throws { try await named("FilterUnload", filter) }

  /// UTF-16 with a zero behind it.
  private static func terminated(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for unit in Array(text.utf16) + [0] { bytes += [UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit >> 8)] }
    return bytes
  }

  private func named(_ function: String, _ name: String) async throws {
    guard name.utf16.count < 512 else { throw HRESULT.invalidArgument }
    try write(Self.terminated(name), at: arguments + 8)
    try await call(function, arguments + 8)
  }

  /// Opens a device or file as `CreateFile` does, and closes it.
  public func open(_ path: String) async throws {
    let name = path.hasPrefix("\\\\.\\") ? "\\??\\" + path.dropFirst(4) : path
    let attributes = try kernel.objectAttributes(name, in: thread.owner)
    let values: [UInt64] = [arguments, 0xc010_0080, attributes, arguments + 8, 0, 0x80, 3, 1, 0x60, 0, 0]
    let status = NTSTATUS(
      rawValue: UInt32(truncatingIfNeeded: try await kernel.call(kernel.trapAddress(of: "NtCreateFile", in: "nt"), values)))
    guard status.isSuccess else { throw HRESULT(status) }
    try await close(FilterPort(handle: UInt32(try word(at: arguments))))
  }

  public func sleep(for duration: UInt64) async throws {
    guard duration > 0 else { return }
    _ = try await kernel.block(WaitPurpose("\(duration) units of 100 ns to pass"), timeout: -Int64(clamping: duration))
  }
}

extension Kernel {
  /// Maps fresh pages of `process` where its own memory is not, from the top of its half down. Returns the first address.
  func reserveUserPages(_ count: Int, in process: NTKernel.Process) throws -> UInt64 {
    var start: UInt64 = 0x7ffd_0000 - UInt64(count) << GuestMemory.pageShift
    while (0..<UInt64(count)).contains(where: { process.space[start + $0 << GuestMemory.pageShift].kind != .free }) {
      start -= GuestMemory.pageSize
    }
    try map(Page(.valid), pages: count, at: start, in: process)
    return start
  }
}
