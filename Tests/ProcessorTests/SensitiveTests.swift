import Disassembly
import Guest
import Memory
import Processor
import Testing

@Suite("Sensitive instructions") struct SensitiveTests {
  @Test(
    "each reaches the supervisor before it runs, also at the start and in the middle of a block, and does what it decides",
    arguments: [
      [0x0f, 0x31], [0x0f, 0x32], [0x0f, 0x30], [0x0f, 0x20, 0xd8], [0x0f, 0x22, 0xc0], [0x0f, 0x01, 0x1d, 0, 0, 0x41, 0x80],
      [0xf4], [0x0f, 0x34], [0xec], [0xee], [0xe4, 0x60], [0x0f, 0xa2], [0x0f, 0x21, 0xc0],
    ] as [[UInt8]])
  func reached(code: [UInt8]) throws {
    for prefix in [[], [0x43, 0x43]] as [[UInt8]] {
      let bench = try Bench()
      var seen: [UInt64] = []
      bench.onSensitive = { instruction in
        seen.append(instruction.address)
        bench.processor[.ax] = 0x1234
        bench.processor[.dx] = 0
        return .proceed
      }
      bench.processor[.bx] = 0
      let body = prefix + code + [0x43]
      // Twice, so that the second pass runs code that is already instrumented.
      try bench.run(body + body + [0xc3])
      #expect(seen == [Bench.code + UInt64(prefix.count), Bench.code + UInt64(body.count + prefix.count)])
      #expect(bench.processor[.ax] == 0x1234)
      #expect(bench.processor[.bx] == UInt64(2 * (prefix.count + 1)))
      #expect(bench.instructions.count == 2 * (prefix.count + 2) + 1)
      #expect(bench.processor.instructions == UInt64(bench.instructions.count))
    }
  }

  @Test("an instruction limit ends the run at exactly that instruction", arguments: 1...12)
  func limit(count: Int) throws {
    let bench = try Bench()
    bench.processor.instructionLimit = UInt64(count)
    bench.processor[.ax] = 0
    // L: inc eax; inc eax; inc eax; inc eax; jmp L
    #expect(try bench.run([0x40, 0x40, 0x40, 0x40, 0xeb, 0xfa]) == .instructionLimit)
    #expect(bench.processor.instructions == UInt64(count))
    #expect(bench.instructions.count == count)
    #expect(bench.processor[.ax] == UInt64(count - count / 5))
  }

  @Test("a decision inside a block reads the flags as they are, and may write them", arguments: [1, 0] as [UInt64])
  func flags(carry: UInt64) throws {
    let bench = try Bench()
    var seen: [UInt64] = []
    bench.onSensitive = { [unowned bench] _ in
      seen.append(bench.processor[.flags] & 1)
      bench.processor[.flags] = bench.processor[.flags] & ~1 | carry
      return .proceed
    }
    bench.processor[.bx] = 0
    // xor eax,eax; sub eax,1; rdtsc; setb bl; add edx,0; rdtsc; setb bh; ret
    try bench.run([0x31, 0xc0, 0x83, 0xe8, 1, 0x0f, 0x31, 0x0f, 0x92, 0xc3, 0x83, 0xc2, 0, 0x0f, 0x31, 0x0f, 0x92, 0xc7, 0xc3])
    #expect(seen == [1, 0])
    #expect(bench.processor[.bx] == carry * 0x101)
  }

  @Test("fs reads the processor page")
  func segment() throws {
    let bench = try Bench()
    try bench.run([0x64, 0xa1, 0x24, 0x01, 0, 0, 0xc3])
    #expect(bench.processor[.ax] == 0xcafe)
  }
}
