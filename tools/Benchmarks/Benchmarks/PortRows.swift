import Emulation
import FilterManager
import Glibc
import GuestCode
import Processor

/// Messages from a driver to a service and back: `FltSendMessage`, `FilterGetMessage`, `FilterReplyMessage`.
let portRows: [Row] = [
  Row("a message to a service in the run, and its reply", "us", .below(25)) { (try roundTrip(), nil) },
  Row("the same over a socket, against a bare echo", "us", .ratioAtMost(3)) { (try roundTripOverSocket(), try echo()) },
  Row("a million messages, growth of memory after the first tenth", "MB", .below(32)) { (try millionMessages.get(), nil) },
]

/// A world in which a driver sends `count` messages, and waits for the reply to each.
private func fixture(_ count: Int, trace: UInt64 = 256 << 20) throws -> Fixture {
  let yaml = #"""
    fixture: 1
    load: [port-tests.sys]
    registry:
      Services\port-tests\Instances: {DefaultInstance: {sz: tests}}
      Services\port-tests\Instances\tests: {Altitude: {sz: "370040"}, Flags: {dword: 1}}
    limits: {instructions: 10000000000, trace: TRACE}
    processes:
      app.exe: {memory: {0x00130000: {size: 0x1000, u32: COUNT}}}
      service.exe: {memory: {0x00430000: {size: 0x1000}}}
    threads: {app: app.exe, service: service.exe}
    calls:
    - {load: port-tests}
    - {on: app, open: '\\.\PortTests', as: device}
    - {on: service, connect: \PortTests, as: port}
    - {on: service, serve: port, buffer: [0x00430000, 0x100], replies: [{with: {u32: 1}}]}
    - {on: app, ioctl: 0x222024, to: device, input: [0x00130000, 4], expect: STATUS_SUCCESS}
    """#
  return try Fixture.all(
    yaml: yaml.replacing("COUNT", with: "\(count)").replacing("TRACE", with: "\(trace)"), file: "port benchmark")[0]
}

private func measured(_ count: Int, _ options: EmulationOptions = EmulationOptions(), trace: UInt64 = 1 << 30) throws -> Double {
  var options = options
  options.forgetsTrace = true
  let fixture = try fixture(count, trace: trace)
  let start = wallTime()
  let run = try emulate(fixture, options: options)
  let taken = wallTime() - start
  guard run.isAsExpected else { throw ProcessorError("the port benchmark: \(run.mismatches.map(\.sentence))") }
  return taken
}

/// Microseconds, the start of the run taken off.
private func roundTrip() throws -> Double {
  let count = 20_000
  return (try measured(count) - measured(1)) / Double(count - 1) * 1e6
}

// MARK: Over a socket

private let message = [UInt8](repeating: 0x5a, count: 40)
private let exchanges = 10_000

/// Runs this program again as `role` over a socket at `path`, while `body` runs.
private func beside<Value>(_ role: String, _ path: String, _ body: () throws -> Value) throws -> Value {
  let words = [CommandLine.arguments[0], role, path]
  var arguments = words.map { strdup($0) } + [nil]
  defer { arguments.forEach { free($0) } }
  var (child, status) = (pid_t(), Int32())
  guard posix_spawn(&child, words[0], nil, nil, &arguments, environ) == 0 else { throw ProcessorError("\(words[0]) cannot be run") }
  defer {
    kill(child, SIGTERM)
    waitpid(child, &status, 0)
  }
  return try body()
}

private func roundTripOverSocket() throws -> Double {
  let path = "/tmp/probelock-benchmark-\(getpid()).sock"
  func taken(_ count: Int) throws -> Double {
    let listener = try ServiceListener(path: path)
    defer { listener.close() }
    var options = EmulationOptions()
    options.serviceHost = listener
    return try beside("--port-client", path) { try measured(count, options) }
  }
  return (try taken(exchanges) - taken(1)) / Double(exchanges - 1) * 1e6
}

/// Microseconds for as many bytes as a message's frame has, to another process and back.
private func echo() throws -> Double {
  let path = "/tmp/probelock-benchmark-\(getpid()).sock"
  unlink(path)
  defer { unlink(path) }
  let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(listener) }
  guard withAddress(path, { bind(listener, $0, $1) }) == 0, listen(listener, 1) == 0 else { throw ProcessorError("\(path): no socket") }
  return try beside("--port-echo", path) {
    let peer = accept(listener, nil, nil)
    defer { close(peer) }
    var buffer = [UInt8](repeating: 0, count: 256)
    func exchange(_ count: Int) throws {
      for _ in 0..<count {
        guard send(peer, message, message.count, 0) == message.count, recv(peer, &buffer, 256, 0) > 0 else {
          throw ProcessorError("the echo ended")
        }
      }
    }
    try exchange(100)
    let start = wallTime()
    try exchange(exchanges)
    return (wallTime() - start) / Double(exchanges) * 1e6
  }
}

private func withAddress<Value>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
  return withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
  }
}

/// What this program does beside itself: a service of the benchmark's fixture, or an echo.
func servePort(_ role: String, _ path: String) throws -> Never {
  if role == "--port-echo" {
    let peer = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard withAddress(path, { connect(peer, $0, $1) }) == 0 else { exit(1) }
    var buffer = [UInt8](repeating: 0, count: 256)
    while true {
      let count = recv(peer, &buffer, 256, 0)
      guard count > 0, send(peer, buffer, count, Int32(MSG_NOSIGNAL)) == count else { exit(0) }
    }
  }
  let library = try RemoteFilterLibrary(socket: path)
  let handle = try library.exchange(.connect(port: #"\PortTests"#, options: 0, context: []))
  let port = handle.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) }
  while true {
    guard let bytes = try? library.exchange(.message(port: port, capacity: 64)), let message = try? RemoteFilterLibrary.message(bytes),
      (try? library.exchange(.reply(port: port, message: message.id, status: 0, [1, 0, 0, 0]))) != nil
    else { exit(0) }
  }
}

// MARK: Memory

/// Measured once: it takes its time.
private let millionMessages = Result { () throws -> Double in
  let limit: UInt64 = 16 << 20
  _ = try measured(100_000, trace: limit)
  let before = residentMegabytes()
  _ = try measured(1_000_000, trace: limit)
  return residentMegabytes() - before
}

private func residentMegabytes() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return Double(usage.ru_maxrss) / 1024
}

private func wallTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
