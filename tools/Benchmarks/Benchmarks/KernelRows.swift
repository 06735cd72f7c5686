import CBaseline
import Emulation
import Events
import Glibc
import Guest
import GuestCode
import Memory
import NTKernel
import Processor
import WindowsTypes

/// What goes through the whole product: guest code, the processor, the kernel model.
let kernelRows: [Row] = [
  Row("service of a two-argument export", "ns", .ratioAtMost(1.0)) { try service() },
  Row("attach plus detach, called by guest code", "us", .below(8)) { (try attach(pages: 1), nil) },
  Row("attach plus detach, 100,000 pages against one", "us", .within(0.2)) { (try attach(pages: 100_000), try attach(pages: 1)) },
  Row("60 MiB locked and unlocked, a page", "ns", .atMost(100)) { (try lock(inWrongProcess: false), nil) },
  Row("60 MiB locked in the wrong process, a page", "ns", .atMost(100)) { (try lock(inWrongProcess: true), nil) },
  Row("256 processes of 16 pages", "s", .below(2)) { (try processes(), nil) },
]

/// Nanoseconds that the kernel model takes for a call with two typed arguments, and that C's hook takes: in each, the loop with
/// the call less the loop without.
private func service() throws -> (Double, Double?) {
  let calls = 300_000
  func ours(_ machine: KernelMachine, _ body: (Int) throws -> [UInt8]) throws -> Double {
    try machine.run(machine.loop(calls, body)) / Double(calls) * 1e9
  }
  let machine = try KernelMachine(memory: 32 << 20)
  let state = try machine.kernel.allocate(64)
  let with = try ours(machine) { try machine.call("Exchange", [0x8041_0000, state], at: $0) }
  // push; push; add esp,8
  let pushes = [0x68] + bytes(0x8041_0000) + [0x68] + bytes(state) + [0x83, 0xc4, 0x08]
  let without = try ours(machine) { _ in pushes }
  // mov ecx,calls; L: push 80410000h; push 80420020h; add esp,8; dec ecx; jne L
  let plain =
    [0xb9] + bytes(UInt64(calls)) + [0x68] + bytes(0x8041_0000) + [0x68] + bytes(0x8042_0020) + [0x83, 0xc4, 0x08, 0x49, 0x75, 0xf0]
  let theirs = baseline_calls(Int32(calls)) - baseline_trace(plain, plain.count, 0)
  return (with - without, theirs / Double(calls) * 1e9)
}

/// Microseconds for `KeStackAttachProcess` and `KeUnstackDetachProcess`, with `pages` pages mapped in the other process.
private func attach(pages: Int) throws -> Double {
  let machine = try KernelMachine(memory: (32 << 20) + pages * 4096)
  let other = try machine.kernel.createProcess("app.exe", uniqueID: 1232)
  try machine.kernel.map(Page(.valid), pages: pages, at: 0x40_0000, in: other)
  let state = try machine.kernel.allocate(64)
  let count = 20_000
  func program(_ count: Int) throws -> [UInt8] {
    try machine.loop(count) { offset in
      let attach = try machine.call("KeStackAttachProcess", [other.object.address, state], at: offset)
      return attach + (try machine.call("KeUnstackDetachProcess", [state], at: offset + attach.count))
    }
  }
  try machine.run(program(100))
  return try machine.run(program(count)) / Double(count) * 1e6
}

/// Nanoseconds a page for locking and unlocking about the largest buffer that XP locks at once.
private func lock(inWrongProcess isWrong: Bool) throws -> Double {
  let (pages, times, address) = (15_360, 5, 0x40_0000 as UInt64)
  let machine = try KernelMachine(memory: 256 << 20)
  let kernel = machine.kernel
  let app = try kernel.createProcess("app.exe", uniqueID: 1232)
  let user = try kernel.createThread("app", in: app)
  for process in [app, machine.system] { try kernel.map(Page(.valid), pages: pages, at: address, in: process) }
  try kernel.record(BufferRequest(requestor: app.id, address: address, length: UInt64(pages) << 12))
  let mdl = Pointer<MDL>(try kernel.allocate(UInt64(0x1c + 4 * pages)), in: machine.memory.memory)
  try mdl.StartVa.store(Pointer(address, in: machine.memory.memory))
  try mdl.ByteCount.store(UInt32(pages) << 12)
  func program(_ count: Int) throws -> [UInt8] {
    try machine.loop(count) { offset in
      // UserMode, IoWriteAccess.
      let lock = try machine.call("MmProbeAndLockPages", [mdl.address, 1, 1], at: offset)
      return lock + (try machine.call("MmUnlockPages", [mdl.address], at: offset + lock.count))
    }
  }
  let thread = isWrong ? machine.worker : user
  try machine.run(program(1), on: thread)
  return try machine.run(program(times), on: thread) / Double(times * pages) * 1e9
}

/// Seconds for setting up 256 processes of 16 pages each.
private func processes() throws -> Double {
  let start = processorTime()
  let machine = try KernelMachine(memory: 64 << 20)
  for index in 1...256 {
    let process = try machine.kernel.createProcess("process-\(index)", uniqueID: UInt64(4 + 4 * index))
    try machine.kernel.map(Page(.valid), pages: 16, at: 0x40_0000, in: process)
    try machine.kernel.store([UInt8(index & 0xff)], at: 0x40_0000, in: process)
  }
  guard machine.kernel.processes.count == 257 else { throw ProcessorError("processes are missing") }
  return processorTime() - start
}

// MARK: The command

/// Measured before anything else: a child's peak counts from its parent's.
let commandRows: [Row] = [
  Row("probelock run of one fixture, start to exit", "ms", .below(100)) { (try runCommand().milliseconds, nil) },
  Row("probelock run of one fixture, memory at most", "MB", .below(80)) { (try runCommand().megabytes, nil) },
]

/// Runs the command that lies beside this program, as a shell would.
private func runCommand() throws -> (milliseconds: Double, megabytes: Double) {
  let folder = CommandLine.arguments[0].split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  let words = ["\(folder)/probelock", "run", "-q", try fixtureToRun.get()]
  var arguments = words.map { strdup($0) } + [nil]
  defer { arguments.forEach { free($0) } }
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
  var (child, status, usage) = (pid_t(), Int32(), rusage())
  let start = wallTime()
  guard posix_spawn(&child, words[0], &actions, nil, &arguments, environ) == 0, wait4(child, &status, 0, &usage) == child
  else { throw ProcessorError("\(words[0]) cannot be run") }
  let taken = wallTime() - start
  guard status == 0 else { throw ProcessorError("\(words.joined(separator: " ")) ended with status \(status >> 8)") }
  return (taken * 1e3, Double(usage.ru_maxrss) / 1024)
}

/// The traced routine's own fixture.
private let fixtureToRun = Result { () throws -> String in
  if let fixture = BuiltIn.fixture(named: "lock-from-system-worker") { return fixture.stem }
  var path = Array("/tmp/benchmark-XXXXXX.yaml".utf8CString)
  let file = mkstemps(&path, 5)
  guard file >= 0 else { throw ProcessorError("no temporary file") }
  defer { close(file) }
  let text = Array(Fixture.template.utf8)
  guard write(file, text, text.count) == text.count else { throw ProcessorError("the fixture cannot be written") }
  return path.withUnsafeBufferPointer { String(cString: $0.baseAddress.unsafelyUnwrapped) }
}

private func wallTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
