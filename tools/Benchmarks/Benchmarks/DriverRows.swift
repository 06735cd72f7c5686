import Emulation
import Foundation
import Glibc
import Images
import TestSupport

/// One run of a driver from the command line.
let driverToolRows: [Row] = [
  Row("probelock run of a 40 KB driver with 40 imports", "ms", .below(150)) { (try tool().milliseconds, nil) },
  Row("the same, its memory at most", "MB", .below(80)) { (try tool().megabytes, nil) },
]

/// What somebody who brings a driver waits for.
let driverRows: [Row] = [
  Row("a buffered IOCTL through one driver", "us", .below(10)) { (try request(), nil) },
  Row("loading a 1 MB driver", "ms", .below(20)) { (try load(), nil) },
]

/// A driver of `size` bytes of code, which begins with `xor eax,eax; ret 8`, with as many imports and a relocation in each page.
private func driver(size: Int, imports names: [String]) -> [UInt8] {
  var code: [UInt8] = [0x31, 0xc0, 0xc2, 8, 0]
  // mov eax,[11000h], over and over: something to relocate.
  while code.count < size { code += [0xa1, 0, 0x10, 1, 0] }
  let place = (UInt32(0x1000 + code.count) + 0xfff) & ~0xfff
  let imports = PEBuilder.imports([("ntoskrnl.exe", names)], at: place)
  let behind = (place + UInt32(imports.bytes.count) + 0xfff) & ~0xfff
  var relocations: [UInt8] = []
  for page in stride(from: 0, to: size & ~0xfff, by: 0x1000) {
    let first = (5 - page % 5) % 5 + 6
    relocations += PEBuilder.relocations(page: UInt32(0x1000 + page), stride(from: first, to: 0xffc, by: 5).map { UInt16($0) })
  }
  var builder = PEBuilder([
    .init(".text", at: 0x1000, code, PEBuilder.code), .init(".idata", at: place, imports.bytes, PEBuilder.data),
    .init(".reloc", at: behind, relocations, PEBuilder.constants | PEBuilder.discardable),
  ])
  builder.directories = [1: (place, UInt32(imports.bytes.count)), 5: (behind, UInt32(relocations.count))]
  return builder.build()
}

private let fortyImports = [
  "IoCreateDevice", "IofCompleteRequest", "IoDeleteDevice", "RtlInitUnicodeString", "IoCreateSymbolicLink", "IoDeleteSymbolicLink",
  "ExAllocatePoolWithTag", "ZwClose", "KeWaitForSingleObject", "ExFreePoolWithTag", "memset", "KeInitializeEvent",
  "ObfDereferenceObject", "memcpy", "KeSetEvent", "IofCallDriver", "RtlUnwind", "MmMapLockedPagesSpecifyCache", "IoFreeMdl",
  "IoAllocateMdl", "KeInitializeSpinLock", "ExFreePool", "DbgPrint", "KeBugCheckEx", "RtlCopyUnicodeString", "RtlCompareUnicodeString",
  "IoGetCurrentProcess", "ObReferenceObjectByHandle", "PsCreateSystemThread", "PsTerminateSystemThread", "KeDelayExecutionThread",
  "KeQuerySystemTime", "MmUnlockPages", "MmProbeAndLockPages", "ProbeForRead", "ProbeForWrite", "RtlFreeUnicodeString", "IoAllocateIrp",
  "IoFreeIrp", "KeGetCurrentThread",
]

private struct Folder: ~Copyable {
  let url = FileManager.default.temporaryDirectory.appending(path: "benchmark-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }
}

/// One run of the tool beside this program, from its start to its exit.
private func tool() throws -> (milliseconds: Double, megabytes: Double) {
  let folder = try Folder()
  let file = folder.url.appending(path: "driver.sys")
  try Data(driver(size: 36 << 10, imports: fortyImports)).write(to: file)
  let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "probelock").path()
  let words: [String] = [program, "run", "-q", file.path()]
  var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
  defer { arguments.forEach { free($0) } }
  var (child, status, usage) = (pid_t(), Int32(0), rusage())
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
  let start = ContinuousClock.now
  guard posix_spawn(&child, program, &actions, nil, &arguments, environ) == 0, wait4(child, &status, 0, &usage) == child, status == 0 else {
    throw BenchmarkError(description: "\(program) run ended with \(status)")
  }
  let time = (ContinuousClock.now - start) / .milliseconds(1)
  return (time, Double(usage.ru_maxrss) / 1024)
}

struct BenchmarkError: Error, CustomStringConvertible {
  let description: String
}

/// Microseconds for a METHOD_BUFFERED request: a user's call, the driver's dispatch routine, and back.
private func request() throws -> Double {
  func seconds(_ count: Int) throws -> Double {
    let buffer = Fixture.Buffer(at: 0x13_0000, 64)
    var fixture = Fixture(
      "requests", load: ["neither.sys"], processes: [Fixture.Process("app.exe", memory: [Fixture.Region(at: 0x13_0000, size: 0x1000)])],
      threads: [Fixture.Thread("app", in: "app.exe")])
    let control = Fixture.IORequest(on: "app", .control(code: 0x22_2400, handle: "h", input: buffer, output: buffer), expect: .any)
    fixture.steps = [
      Fixture.Step(.load(Fixture.Load("neither"))),
      Fixture.Step(.request(Fixture.IORequest(on: "app", .open(path: "\\\\.\\Neither", handle: "h", isOverlapped: false)))),
    ]
    fixture.steps += (0..<count).map { _ in Fixture.Step(.request(control)) }
    let start = ContinuousClock.now
    let run = try emulate(fixture)
    guard run.isAsExpected else { throw BenchmarkError(description: run.mismatches.first?.sentence ?? "the requests did not end") }
    return (ContinuousClock.now - start) / .seconds(1)
  }
  return (try seconds(1100) - seconds(100)) / 1000 * 1e6
}

/// Milliseconds that a driver of 1 MB takes more than one of a page, from its bytes to `DriverEntry`'s return.
private func load() throws -> Double {
  func milliseconds(_ bytes: [UInt8]) throws -> Double {
    let folder = try Folder()
    try Data(bytes).write(to: folder.url.appending(path: "driver.sys"))
    var options = EmulationOptions()
    options.images = ImageSource(folder: folder.url.path)
    let fixture = Fixture("load", load: ["driver.sys"], steps: [Fixture.Step(.load(Fixture.Load("driver")))])
    let start = ContinuousClock.now
    _ = try emulate(fixture, options: options)
    return (ContinuousClock.now - start) / .milliseconds(1)
  }
  let (large, small) = (driver(size: 1 << 20, imports: fortyImports), driver(size: 64, imports: fortyImports))
  return try milliseconds(large) - milliseconds(small)
}
