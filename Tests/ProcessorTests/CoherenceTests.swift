import Disassembly
import Events
import Guest
import Memory
import Processor
import Testing

@Suite("Translated code") struct CoherenceTests {
  /// `mov eax,value; ret`, and a caller that runs it in both address spaces, before and after `patch`.
  private func observe(_ patch: @escaping (Bench, AddressSpace, AddressSpace) throws -> Void) throws -> [UInt64] {
    let bench = try Bench()
    let (first, other) = (bench.memory.current, try bench.memory.makeAddressSpace())
    let routine: UInt64 = 0x8040_2000
    try bench.memory.memory.write([0xb8, 1, 0, 0, 0, 0xc3], at: routine)
    var seen: [UInt64] = []
    for round in 0..<2 {
      if round == 1 { try patch(bench, first, other) }
      for space in [first, other] {
        bench.memory.activate(space)
        try bench.run(call(routine, at: Bench.code) + [0xc3])
        seen.append(bench.processor[.ax])
      }
    }
    #expect(bench.instructions.count == 4 * 4 + (seen.count > 4 ? 1 : 0) || bench.instructions.count > 16)
    return seen
  }

  @Test("code patched by the host is seen by both engines")
  func host() throws {
    #expect(
      try observe { bench, _, _ in try bench.memory.memory.store(UInt8(2), at: 0x8040_2001) } == [1, 1, 2, 2])
  }

  @Test("code patched by the guest in one address space is seen by both engines")
  func otherProcess() throws {
    #expect(
      try observe { bench, first, _ in
        bench.memory.activate(first)
        try bench.run([0xc6, 0x05, 0x01, 0x20, 0x40, 0x80, 3, 0xc3], at: 0x8040_3000)
      } == [1, 1, 3, 3])
  }

  @Test("code patched through another address of its frame is seen by both engines")
  func alias() throws {
    #expect(
      try observe { bench, first, _ in
        try bench.mapKernel(0x8050_0000, first.frame(at: 0x8040_2000))
        bench.memory.activate(first)
        try bench.run([0xc6, 0x05, 0x01, 0x00, 0x50, 0x80, 4, 0xc3], at: 0x8040_3000)
      } == [1, 1, 4, 4])
  }

  @Test("a store into the running block through another address of its frame is seen when the block runs next")
  func aliasOfRunning() throws {
    let bench = try Bench()
    try bench.mapKernel(0x8050_0000, bench.memory.current.frame(at: Bench.code))
    // mov byte ptr [alias of the constant],7; mov eax,1; ret
    let code: [UInt8] = [0xc6, 0x05, 8, 0, 0x50, 0x80, 7, 0xb8, 1, 0, 0, 0, 0xc3]
    try bench.run(code)
    #expect(bench.processor[.ax] == 1)
    try bench.run(from: Bench.code)
    #expect(bench.processor[.ax] == 7)
    // The record has the bytes that ran, both times.
    var constants: [UInt8] = []
    bench.stream.forEach { if case .block(let id) = $0 { constants.append(Array(bench.stream.blocks.bytes(of: id))[8]) } }
    #expect(constants == [1, 7])
    #expect(bench.instructions.count == 6)
  }

  @Test("another frame behind the same address brings its own code")
  func remapped() throws {
    #expect(
      try observe { bench, _, _ in
        let frame = try bench.memory.physical.allocate()
        bench.memory.physical.fill(frame, with: [0xb8, 5, 0, 0, 0, 0xc3])
        try bench.mapKernel(0x8040_2000, frame)
      } == [1, 1, 5, 5])
  }

  @Test("the trace keeps the bytes of each execution")
  func bytesOfExecution() throws {
    let bench = try Bench()
    for value in [UInt8(7), 8, 7] { try bench.run([0xb8, value, 0, 0, 0, 0xc3]) }
    var values: [UInt8] = []
    bench.stream.forEach { if case .block(let id) = $0 { values.append(Array(bench.stream.blocks.bytes(of: id))[1]) } }
    #expect(values == [7, 8, 7])
  }
}
