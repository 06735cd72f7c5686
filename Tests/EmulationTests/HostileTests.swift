@testable import Emulation
import Events
import Foundation
import Guest
import NTKernel
import Testing

/// Guest code that does what no driver should. Whatever it is, the run ends in an outcome: `emulate` throws nothing, and the
/// process lives.
@Suite("Hostile guest code") struct HostileTests {
  static let code: UInt64 = 0xf8e0_0000
  static let data: UInt64 = 0xf8e1_0000
  /// Where nt.listing has `KeStackAttachProcess`.
  static let attach: UInt32 = 0x804f_7638

  /// A world of two processes, with `code` as a kernel routine that a thread of notepad.exe calls `calls` times.
  static func fixture(
    _ code: [UInt8], calls: Int = 1, kind: Fixture.Call.Kind = .thread, memory: UInt64 = 32 << 20, instructions: UInt64 = 50_000,
    more: [Fixture.Region] = []
  ) -> Fixture {
    Fixture(
      "hostile", limits: Fixture.Limits(instructions: instructions, memory: memory, trace: 32 << 20),
      processes: [
        Fixture.Process("notepad.exe", id: 1232, memory: [Fixture.Region(at: 0x42_0000, size: 0x2000, .fill(0x90))]),
        Fixture.Process("service.exe", id: 800),
      ],
      threads: [Fixture.Thread("client", in: "notepad.exe")],
      kernel: [
        Fixture.Region(at: Self.code, size: 0x1000, .bytes(code), protection: .executeReadWrite, name: "code"),
        Fixture.Region(at: data, size: 0x1000, .zeros, name: "data"),
      ] + more,
      steps: (0..<calls).map { _ in .call(Fixture.Call(on: "client", "code", kind: kind, expect: .any)) })
  }

  static func run(
    _ code: [UInt8], calls: Int = 1, kind: Fixture.Call.Kind = .thread, memory: UInt64 = 32 << 20, instructions: UInt64 = 50_000,
    more: [Fixture.Region] = []
  ) throws -> Run {
    try emulate(fixture(code, calls: calls, kind: kind, memory: memory, instructions: instructions, more: more))
  }

  static func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
  /// `mov eax, routine; jmp eax`
  static func jump(_ routine: UInt32) -> [UInt8] { [0xb8] + bytes(routine) + [0xff, 0xe0] }
  /// `push argument` for each, last first; `mov eax, routine; call eax; ret`
  static func call(_ routine: UInt32, _ arguments: UInt32...) -> [UInt8] {
    arguments.reversed().flatMap { [0x68] + bytes($0) } + [0xb8] + bytes(routine) + [0xff, 0xd0, 0xc3]
  }
  static let ret: UInt8 = 0xc3

  private func bugCheck(_ run: Run) -> UInt32? { if case .bugCheck(let check) = run.outcome { check.code.rawValue } else { nil } }

  // MARK: Kernel structures

  @Test(
    "fs:[124h] set to garbage is met by the next routine that asks for the thread",
    arguments: [0, 0x4141_4141, 0xd000_0000, 0xffff_ffff, 0x8000_0001] as [UInt32])
  func currentThread(value: UInt32) throws {
    let smash: [UInt8] = [0x64, 0xc7, 0x05, 0x24, 0x01, 0x00, 0x00] + Self.bytes(value)
    #expect(bugCheck(try Self.run(smash + Self.call(Self.attach, UInt32(Self.data), UInt32(Self.data)))) != nil)
    // The same where the kernel itself asks, when a system call returns.
    #expect(bugCheck(try Self.run(smash + [Self.ret], kind: .systemCall)) != nil)
  }

  @Test("a KPCR full of ones, then exceptions, attaches and another call")
  func processorPage() throws {
    // mov edi,fs:[1Ch]; mov ecx,200h; or eax,-1; rep stosd
    let smash: [UInt8] = [0x64, 0x8b, 0x3d, 0x1c, 0, 0, 0, 0xb9, 0, 2, 0, 0, 0x83, 0xc8, 0xff, 0xf3, 0xab]
    for rest in [[0xcc], [0x0f, 0x0b], Self.call(Self.attach, 0, 0), [Self.ret]] as [[UInt8]] {
      for kind in [Fixture.Call.Kind.thread, .systemCall, .workItem, .dpc] { _ = try Self.run(smash + rest, calls: 2, kind: kind) }
    }
  }

  @Test("a KTHREAD that is attached to nowhere, or full of ones, is met at the next call")
  func threadObject() throws {
    // mov eax,fs:[124h]; mov dword ptr [eax+44h],12345678h; ret
    let nowhere: [UInt8] = [0x64, 0xa1, 0x24, 0x01, 0, 0, 0xc7, 0x40, 0x44, 0x78, 0x56, 0x34, 0x12, Self.ret]
    #expect(bugCheck(try Self.run(nowhere, calls: 2)) == 0x7f)
    // mov edi,fs:[124h]; mov ecx,96h; or eax,-1; rep stosd; ret
    let ones: [UInt8] = [0x64, 0x8b, 0x3d, 0x24, 1, 0, 0, 0xb9, 0x96, 0, 0, 0, 0x83, 0xc8, 0xff, 0xf3, 0xab, Self.ret]
    #expect(bugCheck(try Self.run(ones, calls: 2)) != nil)
    #expect(bugCheck(try Self.run(ones, kind: .systemCall)) == 1)
  }

  @Test(
    "an exception chain that leads to garbage, to itself or off the stack",
    arguments: [0, 0x10, 0xd000_0000, 0xf8e1_0000, 0xffff_fffc] as [UInt32])
  func exceptionChain(head: UInt32) throws {
    // mov dword ptr fs:[0],head; ud2
    let code: [UInt8] = [0x64, 0xc7, 0x05, 0, 0, 0, 0] + Self.bytes(head) + [0x0f, 0x0b]
    #expect(bugCheck(try Self.run(code)) != nil)
  }

  @Test("a frame that is its own successor asks its handler until the instructions are used up")
  func endlessChain() throws {
    // push handler; push esp; mov [esp],esp; mov fs:[0],esp; ud2; handler: mov eax,1; ret
    let handler = UInt32(Self.code) + 0x20
    var code: [UInt8] = [0x68] + Self.bytes(handler) + [0x54, 0x89, 0x24, 0x24, 0x64, 0x89, 0x25, 0, 0, 0, 0, 0x0f, 0x0b]
    code += Array(repeating: 0xcc, count: 0x20 - code.count) + [0xb8, 1, 0, 0, 0, Self.ret]
    let run = try Self.run(code)
    #expect(run.outcome == .limit(.instructions))
  }

  // MARK: Stacks

  @Test(
    "a stack pointer that leads nowhere, then a push, a call or an exception",
    arguments: [0, 3, 0x10, 0x42_2002, 0x7fff_0000, 0xd000_0000, 0xffff_fffe, 0x8000_0002] as [UInt32])
  func stackPointer(value: UInt32) throws {
    let set: [UInt8] = [0xbc] + Self.bytes(value)
    for rest in [[0x50], [0x0f, 0x0b], [0xe8, 0, 0, 0, 0], [Self.ret], [0xcc], [0x0f, 0x31, 0x58]] + [Self.jump(Self.attach)] as [[UInt8]] {
      let run = try Self.run(set + rest)
      #expect(bugCheck(run) != nil, "\(rest)")
    }
  }

  @Test("a stack overwritten from its top to beyond its base")
  func ownStack() throws {
    for count in [1, 2, 5, 6, 0x2000] as [UInt32] {
      // mov edi,esp; mov ecx,count; mov eax,0DEADBEEFh; rep stosd; ret
      let code: [UInt8] = [0x89, 0xe7, 0xb9] + Self.bytes(count) + [0xb8] + Self.bytes(0xdead_beef) + [0xf3, 0xab, Self.ret]
      #expect(bugCheck(try Self.run(code)) != nil)
    }
  }

  @Test("guest code on a stack of its own may call, raise and come back")
  func foreignStack() throws {
    // mov ebx,esp; mov esp,data+1000h; push state; push 0; mov eax,attach; call eax: the null process faults.
    let code: [UInt8] =
      [0x89, 0xe3, 0xbc] + Self.bytes(UInt32(Self.data) + 0x1000)
      + [0x68] + Self.bytes(UInt32(Self.data)) + [0x6a, 0, 0xb8] + Self.bytes(Self.attach) + [0xff, 0xd0, 0x89, 0xdc, Self.ret]
    #expect(bugCheck(try Self.run(code)) != nil)
    // The same without a fault comes back: KeGetCurrentIrql is reached through its trap.
    let level = try #require(Names.exports.firstIndex { $0.name == "KeGetCurrentIrql" })
    let harmless: [UInt8] =
      [0x89, 0xe3, 0xbc] + Self.bytes(UInt32(Self.data) + 0x1000) + [0xb8] + Self.bytes(0x8070_0000 + 16 * UInt32(level))
      + [0xff, 0xd0, 0x89, 0xdc, Self.ret]
    #expect(try Self.run(harmless).outcome == .returned(0))
  }

  @Test("the last page of the address space is not the guest's", arguments: [0xffff_f000, 0xffff_fffc] as [UInt32])
  func lastPage(address: UInt32) throws {
    #expect(bugCheck(try Self.run([0xa3] + Self.bytes(address) + [Self.ret])) == 0x50)
    #expect(bugCheck(try Self.run([0xa1] + Self.bytes(address) + [Self.ret])) == 0x50)
    #expect(bugCheck(try Self.run(Self.jump(address))) != nil)
  }

  // MARK: Traps

  /// The declared exports, in the order of their traps.
  enum Names {
    static let exports = Machine.exports.exports
  }

  @Test("a jump into the middle of a trap", arguments: 0..<16 as Range<UInt32>)
  func midTrap(offset: UInt32) throws {
    for base in [Self.attach, 0x8070_0000, 0x8070_0010, 0x8070_0ff0, 0x8070_fff0] as [UInt32] {
      _ = try Self.run(Self.jump(base + offset), instructions: 2000)
    }
  }

  @Test("a jump to each routine with whatever the stack holds", arguments: Names.exports.indices)
  func wildCalls(number: Int) throws {
    let trap = 0x8070_0000 + 16 * UInt32(number)
    for argument in [0, 0x42_0ffe, UInt32(Self.data) + 0xffe, 0xffff_ffff] as [UInt32] {
      let push: [UInt8] = [0x68] + Self.bytes(argument)
      let pushes = (0..<6).flatMap { _ in push }
      // call, then straight into the data behind it.
      _ = try Self.run(pushes + [0xb8] + Self.bytes(trap) + [0xff, 0xd0], instructions: 2000)
    }
    // Data that points at itself, at a small size, is a list, an MDL and a frame of some kind.
    let knot: [UInt8] = (0..<64).flatMap { Self.bytes($0 % 3 == 0 ? 0x40 : UInt32(Self.data) + 8) }
    let fill: [UInt8] =
      [0xbe] + Self.bytes(UInt32(Self.code) + 0x80) + [0xbf] + Self.bytes(UInt32(Self.data)) + [0xb9, 64, 0, 0, 0, 0xf3, 0xa5]
    var code = fill + (0..<4).flatMap { _ in [0x68] + Self.bytes(UInt32(Self.data)) } + [0xb8] + Self.bytes(trap) + [0xff, 0xd0, Self.ret]
    code += Array(repeating: 0xcc, count: 0x80 - code.count) + knot
    _ = try Self.run(code, instructions: 2000)
  }

  /// Valid places, sizes and lengths that do not fit together: what the routines' own arithmetic makes of them.
  ///
  /// It takes minutes, so it runs where `PROBELOCK_SWEEP` is set.
  @Test(
    "a call of each routine with arguments that contradict each other",
    .enabled(if: ProcessInfo.processInfo.environment["PROBELOCK_SWEEP"] != nil), arguments: Names.exports.indices)
  func contradictions(number: Int) throws {
    let trap = 0x8070_0000 + 16 * UInt32(number)
    let data = UInt32(Self.data)
    let pairs: [(UInt32, UInt32)] = [
      (data, 0xffff_ffff), (0xffff_ffff, data), (data, 0x7fff_fff0), (data + 0x100, 0x10), (0x10, data), (data, 1),
    ]
    for (one, other) in pairs {
      let pair: [UInt8] = [0x68] + Self.bytes(one) + [0x68] + Self.bytes(other)
      let pushes: [UInt8] = Array((0..<5).map { _ in pair }.joined())
      // mov ecx,one; mov edx,other; mov eax,trap; call eax
      let call: [UInt8] = [0xb9] + Self.bytes(one) + [0xba] + Self.bytes(other) + [0xb8] + Self.bytes(trap) + [0xff, 0xd0]
      _ = try Self.run(pushes + call, instructions: 2000)
    }
  }

  @Test("a return to the place of callbacks from above the thread's stack frame")
  func strayReturn() throws {
    // The run's own call returns to the first of the places that callbacks return to: it is on the stack.
    let trap: UInt32 = 0x8071_0000
    _ = try Self.run([0x83, 0xc4, 0x20] + Self.jump(trap))  // add esp,20h
    _ = try Self.run([0xbc, 0xff, 0xff, 0xff, 0xff] + Self.jump(trap))
    _ = try Self.run([0x83, 0xec, 0x40] + Self.jump(trap), calls: 3)
  }

  // MARK: Code

  @Test("data that is executed: zeros, and a user page")
  func executesData() throws {
    #expect(bugCheck(try Self.run([0x31, 0xc0] + Self.jump(UInt32(Self.data)))) != nil)
    // A page of nops in user space runs, up to the end of what is mapped.
    #expect(bugCheck(try Self.run(Self.jump(0x42_0000))) != nil)
  }

  @Test("code that writes over itself runs as written")
  func selfModifying() throws {
    // mov byte ptr [code+7],0C3h; ud2
    #expect(try Self.run([0xc6, 0x05] + Self.bytes(UInt32(Self.code) + 7) + [Self.ret, 0x0f, 0x0b]).outcome == .returned(0))
    // Over the whole page, from its start.
    let code: [UInt8] =
      [0xbf] + Self.bytes(UInt32(Self.code)) + [0xb9, 0, 4, 0, 0, 0xb8] + Self.bytes(0xcccc_cccc) + [0xf3, 0xab, Self.ret]
    #expect(bugCheck(try Self.run(code)) != nil)
  }

  @Test(
    "code that writes over the kernel's routines",
    arguments: [0x804f_7638, 0x8070_0000, 0x8003_f000, 0x8068_0000, 0xffdf_f000, 0xffdf_0000] as [UInt32])
  func overwritesKernel(address: UInt32) throws {
    let fill: [UInt8] = [0xbf] + Self.bytes(address) + [0xb9, 0x20, 0, 0, 0, 0xb8] + Self.bytes(0xcccc_cccc) + [0xf3, 0xab]
    _ = try Self.run(fill + Self.call(Self.attach, 0, 0), calls: 2)
    _ = try Self.run(fill + [0x0f, 0x0b])
  }

  @Test("a loop at HIGH_LEVEL uses up the instructions")
  func highLevel() throws {
    let run = try Self.run([0x64, 0xc6, 0x05, 0x24, 0, 0, 0, 0x1f, 0xeb, 0xfe])
    #expect(run.outcome == .limit(.instructions))
    #expect((50_000...50_100).contains(run.instructions))
  }

  @Test("faults that exhaust the memory budget end the run")
  func memoryBudget() throws {
    // mov eax,D0000000h; again: mov byte ptr [eax],1; add eax,1000h; jmp again
    let run = try Self.run(
      [0xb8, 0, 0, 0, 0xd0, 0xc6, 0x00, 0x01, 0x05, 0x00, 0x10, 0, 0, 0xeb, 0xf6], memory: 8 << 20,
      more: [Fixture.Region(at: 0xd000_0000, size: 64 << 20, kind: .demandZero, name: "large")])
    #expect(run.outcome == .limit(.memory))
  }

  @Test("a run that is over gives back its memory, however it ended")
  func givesBack() throws {
    func memoryFiles() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.contains("memfd:probelock") == true
      }
    }
    let before = try memoryFiles()
    for _ in 0..<60 {
      for code in [[Self.ret], [0x0f, 0x0b], [0xeb, 0xfe]] as [[UInt8]] { _ = try Self.run(code, instructions: 100) }
    }
    // Of 180; tests beside this one hold some of their own.
    #expect(try memoryFiles() - before < 100)
  }

  @Test("flags, segments, far transfers and old instructions")
  func oddities() throws {
    let programs: [[UInt8]] = [
      [0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90, 0x90, Self.ret],  // the trap flag
      [0x68, 0, 0, 2, 0, 0x9d, Self.ret],  // the VM flag
      [0x68, 0, 0x40, 0, 0, 0x9d, 0xcf],  // the NT flag, then iret
      [0x68, 0, 0, 4, 0, 0x9d, 0xa1, 0x01, 0, 0xe1, 0xf8, Self.ret],  // alignment checks
      [0xfd, 0xbf, 0, 0, 0xe1, 0xf8, 0xb9, 0, 0, 1, 0, 0xf3, 0xaa, Self.ret],  // down from the data page
      [0x31, 0xc0, 0x8e, 0xe0, 0x64, 0xa1, 0, 0, 0, 0, Self.ret],  // mov fs,0; fs:[0]
      [0xb8, 0x23, 0, 0, 0, 0x8e, 0xd0, Self.ret],  // mov ss,23h
      [0xb8, 0xff, 0xff, 0, 0, 0x8e, 0xd8, 0xa1, 0, 0, 0xe1, 0xf8, Self.ret],  // mov ds,FFFFh
      [0xb8, 0x30, 0, 0, 0, 0x8e, 0xd8, 0xa1, 0, 0, 0xe1, 0xf8, Self.ret],  // mov ds,30h
      [0xcb], [0xca, 0xff, 0xff], [0xcf],  // far returns
      [0xea, 0, 0, 0xe1, 0xf8, 0x1b, 0], [0xea, 0, 0, 0, 0, 0, 0], [0x9a, 0, 0, 0, 0, 0xff, 0xff],  // far jumps and calls
      [0xce], [0xf1], [0xcd, 0x2e], [0xcd, 0x80], [0xcd, 0xff], [0xcc], [0x62, 0x05, 0, 0, 0xe1, 0xf8],
      [0x0f, 0x05], [0x0f, 0x07], [0x0f, 0x35], [0x0f, 0xaa], [0x0f, 0x0b], [0x0f, 0xff], [0xff, 0xff], [0xf0, 0x90],
      [0x66, 0xe9, 0, 0], [0x67, 0xa1, 0, 0, Self.ret], [0xd7], [0x9b, 0xd9, 0xe8, 0xd9, 0x3d, 0, 0, 0xe1, 0xf8, Self.ret],
      Array(repeating: 0x66, count: 16), Array(repeating: 0x2e, count: 64), [0xc8, 0xff, 0xff, 0x1f], [0xc9, Self.ret], [0x61, Self.ret],
      [0x31, 0xd2, 0xf7, 0xf2], [0xd4, 0], [0xb8, 0, 0, 0, 0x80, 0x99, 0x6a, 0xff, 0xf7, 0x3c, 0x24],  // divide errors
    ]
    for program in programs { _ = try Self.run(program, calls: 2) }
  }

  /// Linear congruential: the constants of Knuth's MMIX.
  private static func random(_ seed: UInt64, count: Int) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
  }

  @Test("random bytes as code: an outcome each, and the same one twice", arguments: 0..<8 as Range<UInt64>)
  func randomCode(block: UInt64) throws {
    for seed in block * 25..<block * 25 + 25 {
      let code = Self.random(seed &+ 1, count: 256)
      let first = try Self.run(code, calls: 2, instructions: 5000)
      if seed % 5 == 0 {
        let second = try Self.run(code, calls: 2, instructions: 5000)
        #expect(first.outcome == second.outcome && first.instructions == second.instructions, "seed \(seed)")
      }
    }
  }
}

/// The instructions that the kernel model decides: registers, memory and outcome are the model's, whatever the host is.
@Suite("Sensitive instructions") struct SensitiveInstructionTests {
  private static let data = HostileTests.bytes(UInt32(HostileTests.data))

  struct Row: Sendable, CustomTestStringConvertible {
    let what: String
    let code: [UInt8]
    /// What `eax` holds when the routine returns; `nil` where it does not.
    var returns: UInt64?
    var bugCheck: UInt32?
    /// What its first parameter is.
    var parameter: UInt64?
    /// The beginning of the event that tells of it.
    var event: String?
    var testDescription: String { what }
  }

  static let rows = [
    Row(
      what: "rdtsc counts executed instructions from a fixed base", code: [0x0f, 0x31, 0x89, 0xd0, 0xc3], returns: 0x10,
      event: "rdtsc -> 00000010"),
    Row(
      what: "cpuid names the processor that the model has", code: [0x31, 0xc0, 0x0f, 0xa2, 0x89, 0xd8, 0xc3], returns: 0x756e_6547,
      event: "cpuid"),
    Row(what: "rdmsr of the APIC base", code: [0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32, 0xc3], returns: 0xfee0_0900, event: "rdmsr"),
    Row(
      what: "rdmsr of a register that is not there", code: [0xb9, 0x45, 0x23, 1, 0, 0x0f, 0x32, 0xc3], bugCheck: 0x8e,
      parameter: 0xc000_0005),
    Row(
      what: "wrmsr is read back",
      code: [0xb9, 0x74, 1, 0, 0, 0xb8, 0x78, 0x56, 0x34, 0x12, 0x31, 0xd2, 0x0f, 0x30, 0x31, 0xc0, 0x0f, 0x32, 0xc3],
      returns: 0x1234_5678, event: "wrmsr"),
    Row(
      what: "wrmsr of a register that is not there", code: [0xb9, 0x45, 0x23, 1, 0, 0x0f, 0x30, 0xc3], bugCheck: 0x8e,
      parameter: 0xc000_0005),
    Row(what: "cr0 is the model's", code: [0x0f, 0x20, 0xc0, 0xc3], returns: 0x8001_003b, event: "cr0 ->"),
    Row(what: "cr4 is the model's", code: [0x0f, 0x20, 0xe0, 0xc3], returns: 0x6d9, event: "cr4 ->"),
    Row(what: "cr0 without protection is the machine's end", code: [0x31, 0xc0, 0x0f, 0x22, 0xc0, 0xc3], bugCheck: 0x7f, parameter: 8),
    Row(
      what: "cr0 with write protection off, and back",
      code: [0x0f, 0x20, 0xc0, 0x25, 0xff, 0xff, 0xfe, 0xff, 0x0f, 0x22, 0xc0, 0x0f, 0x20, 0xc0, 0xc3], returns: 0x8000_003b,
      event: "cr0 ->"),
    Row(
      what: "cr3 written with itself changes nothing",
      code: [0x0f, 0x20, 0xd8, 0x89, 0xc2, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xd8, 0x29, 0xd0, 0xc3], returns: 0, event: "cr3 ->"),
    Row(what: "cr3 of tables that are nobody's", code: [0xb8, 0, 0xf0, 0xff, 0x7f, 0x0f, 0x22, 0xd8, 0xc3], bugCheck: 0x7f, parameter: 8),
    Row(
      what: "a debug register is kept", code: [0xb8, 0x44, 0x33, 0x22, 0x11, 0x0f, 0x23, 0xc0, 0x31, 0xc0, 0x0f, 0x21, 0xc0, 0xc3],
      returns: 0x1122_3344, event: "dr0 <-"),
    Row(what: "lidt is noted", code: [0x0f, 0x01, 0x1d] + data + [0x31, 0xc0, 0xc3], returns: 0, event: "lidt"),
    Row(what: "lgdt is noted", code: [0x0f, 0x01, 0x15] + data + [0x31, 0xc0, 0xc3], returns: 0, event: "lgdt"),
    Row(what: "lidt of memory that is not there", code: [0x0f, 0x01, 0x1d, 0x10, 0, 0, 0, 0xc3], bugCheck: 0x8e, parameter: 0xc000_0005),
    Row(
      what: "sidt tells the model's table", code: [0x0f, 0x01, 0x0d] + data + [0xa1] + data + [0xc3], returns: 0xf400_07ff, event: "sidt ->"
    ),
    Row(what: "hlt passes", code: [0x31, 0xc0, 0xf4, 0xc3], returns: 0, event: "hlt"),
    Row(what: "cli and sti pass", code: [0x31, 0xc0, 0xfa, 0xfb, 0xc3], returns: 0),
    Row(what: "sysenter without its registers is a protection fault", code: [0x0f, 0x34], bugCheck: 0x7f, parameter: 13),
    Row(what: "sysexit too", code: [0x0f, 0x35], bugCheck: 0x7f, parameter: 13),
    Row(what: "in of a byte reads ones, and no more than a byte", code: [0x31, 0xc0, 0xe4, 0x90, 0xc3], returns: 0xff, event: "in 0090"),
    Row(what: "in of a word", code: [0x31, 0xc0, 0xba, 0xf8, 0xcf, 0, 0, 0x66, 0xed, 0xc3], returns: 0xffff, event: "in cff8"),
    Row(what: "in of a double word", code: [0x31, 0xc0, 0xba, 0xf0, 0x0c, 0, 0, 0xed, 0xc3], returns: 0xffff_ffff, event: "in 0cf0"),
    Row(what: "out goes nowhere", code: [0xb8, 0x42, 1, 0, 0, 0xe6, 0x80, 0xc3], returns: 0x142, event: "out 0080 <- 42"),
    Row(
      what: "rep insb fills memory with ones", code: [0xbf] + data + [0xb9, 3, 0, 0, 0, 0xf3, 0x6c, 0xa1] + data + [0xc3],
      returns: 0xff_ffff, event: "ins"),
    Row(
      what: "rep outsb reads memory", code: [0xbe, 0x10, 0, 0, 0, 0xb9, 3, 0, 0, 0, 0xf3, 0x6e, 0xc3], bugCheck: 0x8e,
      parameter: 0xc000_0005),
    Row(
      what: "iret within ring 0",
      code: [0x9c, 0x6a, 0x08, 0x68] + HostileTests.bytes(UInt32(HostileTests.code) + 9) + [0xcf, 0x31, 0xc0, 0xc3], returns: 0,
      event: "iret ->"),
    Row(what: "an interrupt that nobody serves is a protection fault", code: [0xcd, 0x80], bugCheck: 0x7f, parameter: 13),
  ]

  @Test("each does what the model decides", arguments: rows)
  func row(row: Row) throws {
    let run = try HostileTests.run(row.code)
    let events = run.events.events.compactMap { if case .sensitive(_, let text) = $0 { text } else { nil } }
    switch (run.outcome, row.returns, row.bugCheck) {
    case (.returned(let value), let expected?, nil): #expect(value == expected)
    case (.bugCheck(let check), nil, let code?):
      #expect(check.code.rawValue == code)
      if let parameter = row.parameter { #expect(check.parameters[0] == parameter) }
    default: Issue.record("\(run.outcome)")
    }
    if let event = row.event { #expect(events.contains { $0.hasPrefix(event) }, "\(events)") }
  }

  @Test("rdtsc advances by the instructions in between")
  func timeStamp() throws {
    // rdtsc; mov ecx,eax; nop x8; rdtsc; sub eax,ecx; ret
    let run = try HostileTests.run([0x0f, 0x31, 0x89, 0xc1] + Array(repeating: 0x90, count: 8) + [0x0f, 0x31, 0x29, 0xc8, 0xc3])
    #expect(run.outcome == .returned(10))
  }

  @Test("mov cr3 goes to another process's memory, and the trace says so")
  func switchByControlRegister() throws {
    // The routine's own process, from fs:[124h]; its neighbour's tables, from ActiveProcessLinks.
    let code: [UInt8] = [
      0x64, 0xa1, 0x24, 1, 0, 0,  // mov eax,fs:[124h]
      0x8b, 0x40, 0x44,  // mov eax,[eax+44h]
      0x8b, 0x88, 0x88, 0, 0, 0,  // mov ecx,[eax+88h]
      0x8b, 0x49, 0x90,  // mov ecx,[ecx-70h]: DirectoryTableBase of the next process
      0x0f, 0x22, 0xd9,  // mov cr3,ecx
      0x31, 0xc0, 0xc3,
    ]
    let run = try HostileTests.run(code)
    #expect(run.outcome == .returned(0))
    let switches = run.events.events.compactMap { if case .addressSpace(let from, let to, _, .control) = $0 { [from, to] } else { nil } }
    #expect(switches == [[1, 2]])
  }
}
