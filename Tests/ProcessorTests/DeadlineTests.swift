import Guest
import Memory
import Processor
import Testing

@Suite("Deadlines") struct DeadlineTests {
  /// mov ecx,1000; L: cmp ecx,500; jmp M; M: adc eax,ecx; dec ecx; jne L; ret: the flags live across a block's end.
  private static let code: [UInt8] =
    [0xb9] + bytes(1000) + [0x81, 0xf9] + bytes(500) + [0xeb, 0x00, 0x11, 0xc8, 0x49, 0x75, 0xf3, 0xc3]

  @Test("the supervisor is asked before the first block that begins at the deadline or later, and nothing else changes")
  func asks() throws {
    let plain = try Bench()
    try plain.run(Self.code)
    let bench = try Bench()
    var asked: [UInt64] = []
    bench.onDeadline = {
      asked.append(bench.processor.instructions)
      #expect([Bench.code + 5, Bench.code + 13, Bench.code + 18].contains(bench.processor[.ip]))
      bench.processor.deadline += 7
      return .proceed
    }
    bench.processor.deadline = 100
    try bench.run(Self.code)
    #expect(asked.count > 600)
    #expect(asked.first.map { (100...103).contains($0) } == true)
    #expect(bench.instructions == plain.instructions)
    #expect(bench.processor[.ax] == plain.processor[.ax])
    #expect(bench.processor.instructions == plain.processor.instructions)
  }

  @Test("guest code may go on elsewhere, in another address space too, and come back as it was")
  func goesElsewhere() throws {
    let plain = try Bench()
    try plain.run(Self.code)
    let bench = try Bench()
    let (home, other) = (bench.memory.current, try bench.memory.makeAddressSpace())
    let visit = Bench.code + 0x1000
    // xor eax,eax; call trap 1
    try bench.memory.memory.write([0x31, 0xc0] + call(Bench.trap + 16, at: visit + 2), at: visit)
    var saved: [Register: UInt64] = [:]
    bench.onDeadline = {
      bench.processor.deadline = .max
      for register in Register.allCases { saved[register] = bench.processor[register] }
      bench.memory.activate(other)
      bench.processor[.ip] = visit
      return .proceed
    }
    var visits = 0
    bench.onTrap = { _ in
      visits += 1
      for (register, value) in saved { bench.processor[register] = value }
      bench.memory.activate(home)
      bench.processor.deadline = bench.processor.instructions + 9
      return .proceed
    }
    bench.processor.deadline = 10
    try bench.run(Self.code)
    #expect(visits > 300)
    #expect(bench.processor[.ax] == plain.processor[.ax])
    #expect(bench.instructions.filter { $0 < visit } == plain.instructions)
  }

  @Test("a deadline may stop the run, and the run's own limit still holds")
  func stops() throws {
    let bench = try Bench()
    bench.onDeadline = { .stop }
    bench.processor.deadline = 50
    // jmp $
    #expect(try bench.run([0xeb, 0xfe]) == .supervisor)
    #expect(bench.processor.instructions == 50)
    bench.onDeadline = { .proceed }
    bench.processor.instructionLimit = 1000
    #expect(try bench.run(from: Bench.code) == .instructionLimit)
    #expect(bench.processor.instructions == 1000)
  }
}
