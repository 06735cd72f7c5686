import Emulation
import Guest
import NTKernel
import Testing
import WindowsTypes

/// Guest code in the making: threads whose code calls one routine after the other, and writes down what each returned.
///
/// All threads write into one log, so its order is the order in which things happened.
struct GuestThreads {
  /// A page for the objects that the threads share, and the log behind it.
  static let data: UInt64 = 0xf8e1_0000
  private static let log: UInt64 = 0xf8e2_0000
  private static let code: UInt64 = 0xf8e0_0000

  /// One thing that a thread does.
  enum Action {
    /// Calls an export, and logs its result and the IRQL if `isLogged`.
    case invoke(String, [UInt32], isLogged: Bool)
    /// Logs the word at `offset` in the data page, of one, two or four bytes.
    case read(String, UInt32, size: Int)
    /// Logs the current thread's object and the IRQL.
    case note(String)
    /// Sets the word at `offset` in the data page.
    case store(UInt32, UInt32)
    /// Sets the word at `offset` in the data page to the current thread's object.
    case storeThread(UInt32)
    /// Instructions as they are.
    case code([UInt8])
    /// Calls an export with the word at the first offset as its first argument, and `arguments` behind it; logs its result.
    case invokeOn(UInt32, String, [UInt32])
  }

  private var regions: [Fixture.Region] = []
  private var labels: [String] = []
  /// What the data page holds at first.
  var words: [UInt32: UInt32] = [:]
  var steps: [Fixture.Step] = []
  var volumes: [Fixture.Volume] = []

  /// The address of `offset` in the data page.
  static func at(_ offset: UInt32) -> UInt32 { UInt32(data) + offset }

  private static let traps: [String: (address: UInt32, export: Export)] = {
    guard let run = try? emulate(Fixture("traps", load: ["nt.listing", "exercise.listing"])) else { return [:] }
    return Dictionary(
      zip(run.names.exports.exports, run.names.trapAddresses).map { ($0.name, (UInt32($1), $0)) }, uniquingKeysWith: { first, _ in first })
  }()

  /// Adds a routine that does this and returns 0; returns its address. A step calls it by its name.
  ///
  /// - Parameter arguments: how many words it pops as it returns.
  @discardableResult
  mutating func routine(_ name: String, arguments: Int = 0, _ actions: [Action]) throws -> UInt32 {
    let address = Self.code + UInt64(regions.count) << 12
    var bytes: [UInt8] = []
    func word(_ value: UInt32) -> [UInt8] { HostileTests.bytes(value) }
    /// With the value in `eax`: mov edx,[log]; mov [edx],label; mov [edx+4],eax; movzx ecx,byte fs:[24h]; mov [edx+8],ecx;
    /// mov ecx,fs:[124h]; mov [edx+0Ch],ecx; add dword ptr [log],10h
    func log(_ label: String) {
      bytes += [0x8b, 0x15] + word(UInt32(Self.log)) + [0xc7, 0x02] + word(UInt32(labels.count)) + [0x89, 0x42, 0x04]
      bytes += [0x64, 0x0f, 0xb6, 0x0d, 0x24, 0, 0, 0, 0x89, 0x4a, 0x08, 0x64, 0x8b, 0x0d, 0x24, 1, 0, 0, 0x89, 0x4a, 0x0c]
      bytes += [0x83, 0x05] + word(UInt32(Self.log)) + [0x10]
      labels.append("\(name): \(label)")
    }
    for action in actions {
      switch action {
      case .invoke(let routine, let arguments, let isLogged):
        let (trap, export) = try #require(Self.traps[routine], "no export \(routine)")
        var rest = arguments[...]
        if export.convention == .fastcall {
          // mov ecx,…; mov edx,…
          if let first = rest.popFirst() { bytes += [0xb9] + word(first) }
          if let second = rest.popFirst() { bytes += [0xba] + word(second) }
        }
        for argument in rest.reversed() { bytes += [0x68] + word(argument) }
        bytes += [0xb8] + word(trap) + [0xff, 0xd0]
        if isLogged {
          // A routine without a result leaves the register as it was; one that returns a byte says nothing of the others.
          if export.resultType == nil { bytes += [0x31, 0xc0] }
          log(routine)
        }
      case .read(let label, let offset, let size):
        let load: [UInt8] = size == 1 ? [0x0f, 0xb6, 0x05] : size == 2 ? [0x0f, 0xb7, 0x05] : [0x8b, 0x05]
        bytes += load + word(Self.at(offset))
        log(label)
      case .note(let label):
        bytes += [0x31, 0xc0]
        log(label)
      case .storeThread(let offset):
        // mov eax,fs:[124h]; mov [offset],eax
        bytes += [0x64, 0xa1, 0x24, 1, 0, 0, 0xa3] + word(Self.at(offset))
      case .code(let instructions): bytes += instructions
      case .invokeOn(let offset, let routine, let arguments):
        let (trap, _) = try #require(Self.traps[routine], "no export \(routine)")
        for argument in arguments.reversed() { bytes += [0x68] + word(argument) }
        bytes += [0xff, 0x35] + word(Self.at(offset)) + [0xb8] + word(trap) + [0xff, 0xd0]
        log(routine)
      case .store(let offset, let value): bytes += [0xc7, 0x05] + word(Self.at(offset)) + word(value)
      }
    }
    bytes += [0x31, 0xc0] + (arguments == 0 ? [0xc3] : [0xc2, UInt8(4 * arguments), 0])
    try #require(bytes.count <= 0x1000)
    regions.append(Fixture.Region(at: address, size: 0x1000, .bytes(bytes), protection: .executeReadWrite, name: name))
    return UInt32(address)
  }

  /// A line of the log.
  struct Entry: Equatable {
    let label: String
    let value: UInt32
    let irql: UInt32
    let thread: UInt32
    /// `main: KeSetEvent = 0`, with `@1` behind it where the IRQL is not PASSIVE_LEVEL.
    var text: String { "\(label) = \(String(value, radix: 16))" + (irql == 0 ? "" : " @\(irql)") }
  }

  struct Result {
    let run: Run
    let entries: [Entry]
    var log: [String] { entries.map(\.text) }
    /// The word at `offset` of the data page, as the run left it.
    func word(_ offset: UInt32) throws -> UInt32 { try run.withMemory { try $0.load(UInt32.self, at: data + UInt64(offset)) } }
    func half(_ offset: UInt32) throws -> UInt16 { try run.withMemory { try $0.load(UInt16.self, at: data + UInt64(offset)) } }
    func byte(_ offset: UInt32) throws -> UInt8 { try run.withMemory { try $0.load(UInt8.self, at: data + UInt64(offset)) } }
    var bugCheck: BugCheck? { if case .bugCheck(let check) = run.outcome { check } else { nil } }
  }

  /// Runs the steps on `main`, a thread of System: those given, or a call of the routine `main`.
  func run() throws -> Result {
    var content = Array(repeating: UInt32(0), count: 1024)
    for (offset, value) in words { content[Int(offset) / 4] = value }
    let fixture = Fixture(
      "threads", load: ["nt.listing", "exercise.listing"],
      limits: Fixture.Limits(instructions: 200_000, memory: 32 << 20, trace: 32 << 20),
      processes: [Fixture.Process("notepad.exe", id: 1232)],
      threads: [Fixture.Thread("main", in: "System"), Fixture.Thread("client", in: "notepad.exe")],
      kernel: regions + [
        Fixture.Region(at: Self.data, size: 0x1000, .u32(content), name: "data"),
        Fixture.Region(at: Self.log, size: 0x2000, .u32([UInt32(Self.log) + 0x10]), name: "log"),
      ], volumes: volumes, steps: steps.isEmpty ? [.call(Fixture.Call(on: "main", "main", expect: .any))] : steps)
    let run = try emulate(fixture)
    let entries = try run.withMemory { memory in
      let end = UInt64(try memory.load(UInt32.self, at: Self.log))
      return try stride(from: Self.log + 0x10, to: end, by: 16).map { place in
        let words = try (0..<4).map { try memory.load(UInt32.self, at: place + 4 * UInt64($0)) }
        return Entry(label: labels[Int(words[0])], value: words[1], irql: words[2], thread: words[3])
      }
    }
    return Result(run: run, entries: entries)
  }
}

extension GuestThreads.Action {
  /// Calls a routine and logs what it returns.
  static func call(_ routine: String, _ arguments: UInt32...) -> Self { .invoke(routine, arguments, isLogged: true) }
  /// Calls a routine for what it does.
  static func quiet(_ routine: String, _ arguments: UInt32...) -> Self { .invoke(routine, arguments, isLogged: false) }
  /// Makes a system thread that runs `routine`; its handle goes to the end of the data page.
  static func thread(_ routine: UInt32, _ context: UInt32 = 0) -> Self {
    .quiet("PsCreateSystemThread", GuestThreads.at(0xff0), 0, 0, 0, 0, routine, context)
  }
  /// Lets a second pass, and everybody run who can: with the interval at the end of the data page.
  static var sleep: Self { .quiet("KeDelayExecutionThread", 0, 0, GuestThreads.at(0xff8)) }
}

extension GuestThreads {
  /// With the interval of ``Action/sleep``: a second.
  static func world() -> GuestThreads {
    var threads = GuestThreads()
    threads.words = [0xff8: 0xff67_6980, 0xffc: 0xffff_ffff]
    return threads
  }
}
