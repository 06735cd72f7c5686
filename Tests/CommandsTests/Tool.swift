import Foundation

/// The built tool, run as a user runs it.
struct ToolRun {
  let status: Int32
  let output: String
  let errors: String

  /// The tool beside the test program.
  static let binary = Bundle.main.bundleURL.appending(path: "probelock").path

  /// - Parameter environment: replaces the whole environment, `PATH` aside.
  static func tool(_ arguments: String..., in folder: String? = nil, environment: [String: String] = [:]) throws -> ToolRun {
    try run(binary, arguments, in: folder, environment)
  }

  /// Runs a line of shell, in which `probelock` is the tool.
  static func shell(_ line: String, in folder: String? = nil, environment: [String: String] = [:]) throws -> ToolRun {
    try run("/bin/bash", ["-c", "probelock() { '\(binary)' \"$@\"; }; \(line)"], in: folder, environment)
  }

  static func run(_ program: String, _ arguments: [String], in folder: String?, _ environment: [String: String]) throws -> ToolRun {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    var all = ["PATH": "/usr/bin:/bin"]
    // Where the Swift libraries are, if the toolchain is not where the tool was built to find it.
    all["LD_LIBRARY_PATH"] = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
    process.environment = all.merging(environment) { $1 }
    process.currentDirectoryURL = URL(filePath: folder ?? "/")
    process.standardInput = FileHandle.nullDevice
    // Files, not pipes: neither stream can fill up and stop the tool.
    let scratch = try Scratch()
    let (output, errors) = (try scratch.file("output"), try scratch.file("errors"))
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    return ToolRun(
      status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
  }

  var json: [String: Any]? { (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] }
}

/// A folder that goes away with its value.
final class Scratch {
  let url: URL
  var path: String { url.path }

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "probelock-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(at: url) }

  @discardableResult
  func file(_ name: String, _ text: String = "") throws -> URL { try file(name, bytes: Array(text.utf8)) }

  @discardableResult
  func file(_ name: String, bytes: [UInt8]) throws -> URL {
    let file = url.appending(path: name)
    try Data(bytes).write(to: file)
    return file
  }
}
