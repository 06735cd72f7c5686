import Emulation
import FilterManager
import Foundation
import Glibc
import Testing
import WindowsTypes

/// `probelock serve` in one process, the service in another: this one.
@Suite("Serving", .timeLimit(.minutes(2))) struct ServeTests {
  /// A tool that runs while the test talks to it.
  final class Server {
    let folder: Scratch
    let socket: String
    private let process = Process()
    private let output: URL
    private let errors: URL

    init(_ fixture: String, _ more: String...) throws {
      folder = try Scratch()
      socket = folder.path + "/s"
      output = try folder.file("output")
      errors = try folder.file("errors")
      process.executableURL = URL(filePath: ToolRun.binary)
      process.arguments = ["serve", fixture, "--socket", socket] + more.map { $0.replacing("FOLDER", with: folder.path) }
      var environment = ["PATH": "/usr/bin:/bin"]
      environment["LD_LIBRARY_PATH"] = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
      process.environment = environment
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = try FileHandle(forWritingTo: output)
      process.standardError = try FileHandle(forWritingTo: errors)
      try process.run()
      for _ in 0..<3000 where process.isRunning && access(socket, F_OK) != 0 { usleep(10_000) }
    }

    deinit { if process.isRunning { process.terminate() } }

    func interrupt() { process.interrupt() }

    /// Waits for the end of the run: exit code, what it printed, what it complained of.
    func end() throws -> (Int32, String, String) {
      process.waitUntilExit()
      return (
        process.terminationStatus, String(decoding: try Data(contentsOf: output), as: UTF8.self),
        String(decoding: try Data(contentsOf: errors), as: UTF8.self)
      )
    }
  }

  /// A service for process-monitor: every process is fine.
  static func monitor(_ library: any FilterLibrary) async throws -> [[UInt8]] {
    var messages: [[UInt8]] = []
    let port = try await library.connect(to: #"\ProcessMonitor"#)
    do {
      while true {
        let message = try await library.message(from: port, capacity: 64)
        messages.append(message.payload)
        #expect(message.replyLength == 20)
        try await library.sleep(for: 20_000)
        try await library.reply(to: message, on: port, [UInt8(messages.count), 0, 0, 0])
      }
    } catch let result as HRESULT {
      #expect(result == .invalidHandle)
    } catch is RemoteFilterLibrary.RunEnded {}
    return messages
  }

  @Test("a service in a process of its own sees what a fixture's own sees, and its replay is the same run")
  func conversation() async throws {
    let server = try Server("process-monitor", "--record", "FOLDER/recording", "--trace")
    var status = stat()
    #expect(lstat(server.socket, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    let messages = try await Self.monitor(try RemoteFilterLibrary(socket: server.socket, as: "service"))
    #expect(messages == [[1, 0, 0, 0, 0x14, 5, 0, 0, 0xe8, 3, 0, 0], [0, 0, 0, 0, 0x14, 5, 0, 0, 0xe8, 3, 0, 0]])
    let (code, output, errors) = try server.end()
    // The verdicts are not those that the fixture expects.
    #expect(code == 1, "\(errors)")
    #expect(access(server.socket, F_OK) != 0)
    let trace = output.split(separator: "\n").dropFirst().joined(separator: "\n")
    #expect(trace.contains("replies to message 2 with STATUS_SUCCESS, 4 bytes: 02 00 00 00"))
    for _ in 0..<2 {
      let replay = try ToolRun.tool("serve", "process-monitor", "--replay", server.folder.path + "/recording", "--trace")
      #expect(replay.output.trimmingCharacters(in: .newlines) == trace)
    }
  }

  @Test("the same service runs in the run's own process") func inside() throws {
    var options = EmulationOptions()
    options.services["service"] = { library in _ = try await Self.monitor(library) }
    let fixture = try Fixture.all(
      yaml: String(contentsOf: Self.images.appending(path: "process-monitor.yaml"), encoding: .utf8), file: "process-monitor.yaml")[0]
    var open = fixture
    open.steps.removeAll { if case .port = $0.action { true } else { false } }
    open.expect = Fixture.Expectation()
    let run = try emulate(open, options: options)
    #expect(run.outcome == .returned(0))
    #expect(run.messages == ["process-monitor: the verdict on 1300 is 1\n", "process-monitor: the verdict on 1300 is 2\n"])
  }

  private static let images = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../images").standardized

  /// A connection that says whatever the test wants.
  private func raw(_ path: String) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let isConnected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    #expect(isConnected == 0)
    return descriptor
  }

  private func say(_ bytes: [UInt8], on descriptor: Int32) { _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

  @Test("a malformed or an oversized frame closes its connection alone") func malformed() async throws {
    let server = try Server("process-monitor")
    let bad: [[UInt8]] = [
      [0xff, 0xff, 0xff, 0x7f], [1, 0, 0, 0, 99], [0, 0, 0, 0], [2, 0, 0, 0, 0, 9], [3, 0, 0, 0, 0, 1, 0xff],
      ServiceFrame.bytes(of: .close(port: 4)),
    ]
    for bytes in bad {
      let descriptor = raw(server.socket)
      say(bytes, on: descriptor)
      var byte: UInt8 = 0
      // Sent away: the end of the stream, or a reset.
      #expect(recv(descriptor, &byte, 1, 0) <= 0)
      close(descriptor)
    }
    let messages = try await Self.monitor(try RemoteFilterLibrary(socket: server.socket))
    #expect(messages.count == 2)
    let (_, output, errors) = try server.end()
    #expect(output.contains("has connection 1"))
    #expect(errors.split(separator: "\n").filter { $0.contains("was sent away") }.count == bad.count, "\(errors)")
  }

  @Test(
    "a service that sends nonsense, or dies, with a message in its hands is a disconnect",
    arguments: [[], [5, 0, 0, 0, 77, 1, 2, 3, 4]] as [[UInt8]])
  func dying(last: [UInt8]) throws {
    let server = try Server("process-monitor")
    let descriptor = raw(server.socket)
    say(ServiceFrame.bytes(of: .hello(thread: "")), on: descriptor)
    say(ServiceFrame.bytes(of: .connect(port: #"\ProcessMonitor"#, options: 0, context: [])), on: descriptor)
    var answer = [UInt8](repeating: 0, count: 256)
    #expect(recv(descriptor, &answer, 256, 0) == 12)
    say(ServiceFrame.bytes(of: .message(port: UInt32(answer[8]), capacity: 64)), on: descriptor)
    #expect(recv(descriptor, &answer, 256, 0) > 12)
    say(last, on: descriptor)
    if last.isEmpty { shutdown(descriptor, Int32(SHUT_RDWR)) }
    let (code, output, _) = try server.end()
    close(descriptor)
    #expect(code == 1)
    #expect(output.contains("STATUS_PORT_DISCONNECTED"))
    #expect(output.contains("closes its handle: connection 1 is over"))
  }

  @Test("sockets in the way are one line each; a stale one is taken over; an interrupt takes the socket away") func names() throws {
    let server = try Server("process-monitor")
    let second = try ToolRun.tool("serve", "process-monitor", "--socket", server.socket)
    #expect(second.status == 65)
    #expect(second.errors == "probelock: \(server.socket): another run listens here\n")
    server.interrupt()
    #expect(try server.end().0 == 130)
    #expect(access(server.socket, F_OK) != 0)
    let file = try server.folder.file("plain").path
    let third = try ToolRun.tool("serve", "process-monitor", "--socket", file)
    #expect(third.status == 65 && third.errors == "probelock: \(file): something else has this name\n")
    let long = try ToolRun.tool("serve", "process-monitor", "--socket", "/tmp/" + String(repeating: "x", count: 120))
    #expect(long.status == 65 && long.errors.contains("1 to 107 bytes"))
    let nothing = try ToolRun.tool("serve", "lock-from-system-worker")
    #expect(nothing.status == 65 && nothing.errors.contains("no “serve” step"))
    let recording = try server.folder.file("recording", "probelock-recording 1\n0 zz\n").path
    let replay = try ToolRun.tool("serve", "process-monitor", "--replay", recording)
    #expect(replay.status == 65 && replay.errors.contains("recording:2:"))
  }
}
