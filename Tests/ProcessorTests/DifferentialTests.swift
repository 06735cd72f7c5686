import Events
import Guest
import Memory
import Processor
import Testing

@Suite("The trace and what ran") struct DifferentialTests {
  static let quanta: [UInt64] = [1, 2, 3, 7, 50]

  /// Named so that a failure says which of them it was.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let program: Program
    init(_ name: String, _ code: [UInt8], prepare: @escaping @Sendable (Bench) throws -> Void = { _ in }) {
      testDescription = name
      program = Program(code: code, prepare: prepare, limit: 20_000)
    }
  }

  static let at = UInt32(Bench.code)

  static let cases: [Case] = [
    Case(
      "faults inside a block", [0x40, 0xa3, 0, 0, 0x40, 0, 0x43, 0xa1, 0, 0x10, 0x40, 0, 0x43, 0xff, 0x05, 0xfe, 0x2f, 0x40, 0, 0x43, 0xc3]),
    Case(
      "a fault at the first instruction, in a loop over pages",
      [
        0xbe, 0, 0, 0x40, 0, 0xb9, 20, 0, 0, 0, 0x89, 0x0e, 0x81, 0xc6, 0, 0x10, 0, 0, 0x49, 0x75, 0xf5, 0xc3,
      ]),
    Case("traps", [0x40] + call(Bench.trap + 16, at: Bench.code + 1) + [0x43] + call(Bench.trap + 32, at: Bench.code + 7) + [0xc3]),
    Case("sensitive instructions", [0x0f, 0x31, 0x43, 0x0f, 0xa2, 0x0f, 0x31, 0x75, 0, 0x43, 0x0f, 0x31, 0xc3]),
    Case(
      "a sensitive instruction in a loop that enters its block in the middle",
      [
        0xb9, 5, 0, 0, 0, 0x43, 0x0f, 0x31, 0x43, 0x49, 0x75, 0xfb, 0xc3,
      ]),
    Case("branches into the running block", [0xb9, 4, 0, 0, 0, 0x40, 0x43, 0x49, 0x75, 0xfc, 0xc3]),
    Case("a branch to the last instruction of the running block", [0x31, 0xc9, 0x40, 0xe3, 0x02, 0xeb, 0xfe, 0xc3]),
    // mov byte [own constant],7 at the start, in the middle, at the end of its block
    Case("a store into its own block, first", [0xc6, 0x05] + bytes(at + 8) + [7, 0xb8, 1, 0, 0, 0, 0x43, 0xc3]),
    Case("a store into its own block, in the middle", [0x43, 0x43, 0xc6, 0x05] + bytes(at + 10) + [7, 0xb8, 1, 0, 0, 0, 0x43, 0xc3]),
    Case("a store into what its own block has behind it", [0xb8, 1, 0, 0, 0, 0x43, 0xc6, 0x05] + bytes(at + 1) + [7, 0x43, 0xc3]),
    Case("a store into its own block that changes nothing", [0x43, 0xc6, 0x05] + bytes(at + 9) + [1, 0xb8, 1, 0, 0, 0, 0x43, 0xc3]),
    Case("a store into itself", [0x43, 0xc6, 0x05] + bytes(at + 7) + [9, 0x43, 0xc3]),
    Case("the next instruction becomes another", [0x43, 0xc6, 0x05] + bytes(at + 8) + [0x40, 0x43, 0x43, 0xc3]),
    Case("the next instruction becomes a return", [0x43, 0xc6, 0x05] + bytes(at + 8) + [0xc3, 0x43, 0x43, 0xc3]),
    Case(
      "two stores into one block, one after the other",
      [0xc6, 0x05] + bytes(at + 16) + [0x40, 0xc6, 0x05] + bytes(at + 15) + [0x40, 0x43, 0x43, 0x43, 0xc3]),
    // mov ecx,6; L: inc dword [constant]; mov eax,1; dec ecx; jne L; ret
    Case(
      "a loop that rewrites its own constant, from the first instruction",
      [
        0xb9, 6, 0, 0, 0, 0xff, 0x05,
      ] + bytes(at + 12) + [0xb8, 1, 0, 0, 0, 0x49, 0x75, 0xf2, 0xc3]),
    Case(
      "a loop that rewrites its own constant, from the middle",
      [
        0xb9, 6, 0, 0, 0, 0x43, 0xff, 0x05,
      ] + bytes(at + 13) + [0xb8, 1, 0, 0, 0, 0x49, 0x75, 0xf1, 0xc3]),
    Case(
      "a loop that branches to its own store",
      [
        0xb9, 6, 0, 0, 0, 0x43, 0xff, 0x05,
      ] + bytes(at + 13) + [0xb8, 1, 0, 0, 0, 0x49, 0x75, 0xf2, 0xc3]),
    // mov esp,own code; push eax ...
    Case("a push into its own block", [0x89, 0xe5, 0xbc] + bytes(at + 14) + [0x43, 0x50, 0x89, 0xec, 0xc3, 0x90, 0x90, 0xc3]),
    Case(
      "a call that pushes into its own block",
      [
        0x89, 0xe5, 0xbc,
      ] + bytes(at + 12) + [0xe8, 5, 0, 0, 0, 0x90, 0x90, 0x90, 0x90, 0x90, 0x89, 0xec, 0xc3]),
    Case("rep", [0xb9, 9, 0, 0, 0, 0xbe, 0, 0, 0x41, 0x80, 0xbf, 0, 8, 0x41, 0x80, 0xf3, 0xa5, 0x43, 0xc3]),
    Case("rep of nothing", [0x31, 0xc9, 0xbf, 0, 8, 0x41, 0x80, 0xf3, 0xab, 0x43, 0xf3, 0xab, 0xc3]),
    Case(
      "rep from its own start",
      [
        0xbf, 0, 8, 0x41, 0x80, 0xb9, 3, 0, 0, 0, 0xeb, 0, 0xf3, 0xab, 0x43, 0xb9, 2, 0, 0, 0, 0xeb, 0, 0xf3, 0xab, 0xc3,
      ]),
    Case(
      "rep with faults in the middle, of both kinds",
      [
        0xb9, 12, 0, 0, 0, 0xbe, 0xf8, 0x0f, 0x40, 0, 0xbf, 0xf0, 0x3f, 0x40, 0, 0xf3, 0xa5, 0x43, 0xc3,
      ]),
    Case(
      "rep across unaligned page borders",
      [
        0xb9, 30, 0, 0, 0, 0xbf, 0xbe, 0x0f, 0x40, 0, 0xf3, 0xab, 0xb9, 30, 0, 0, 0, 0xbe, 0xbe, 0x0f, 0x40, 0, 0xf3, 0xa6, 0xc3,
      ]),
    Case(
      "repe and repne",
      [
        0xb9, 9, 0, 0, 0, 0xbe, 0, 0, 0x40, 0, 0xbf, 0, 0x10, 0x40, 0, 0xf3, 0xa6, 0xb9, 9, 0, 0, 0, 0xb0, 1, 0xf2, 0xae,
        0xb9, 9, 0, 0, 0, 0xb0, 0, 0xf2, 0xae, 0x74, 1, 0x43, 0xf3, 0xae, 0xc3,
      ]),
    // mov al,43h; mov ecx,n; mov edi,place; inc ebx; rep stosb; inc... ; ret
    Case(
      "rep stos over the code before it in its block",
      [0xb0, 0x42, 0xb9, 3, 0, 0, 0, 0xbf] + bytes(at + 12) + [0x43, 0x43, 0x43, 0xf3, 0xaa, 0x43, 0xc3]),
    Case(
      "rep stos over the code behind it",
      [0xb0, 0x42, 0xb9, 3, 0, 0, 0, 0xbf] + bytes(at + 15) + [0x43, 0xf3, 0xaa, 0x43, 0x43, 0x43, 0x43, 0xc3]),
    Case(
      "rep stos into its block from outside", [0xb0, 0x90, 0xb9, 14, 0, 0, 0, 0xbf] + bytes(at - 8) + [0x43, 0xf3, 0xaa, 0x43, 0xc3],
      prepare: { bench in
        for register in [0x803f_f000] as [UInt64] { try bench.mapKernel(register) }
      }),
    Case(
      "rep movs of itself over itself",
      [0xb9, 5, 0, 0, 0, 0xbe] + bytes(at + 15) + [0xbf] + bytes(at + 15) + [0xf3, 0xa4, 0x43, 0x43, 0x43, 0xc3]),
    Case("rep stos over itself, with what it is", [0xb0, 0xf3, 0xb9, 1, 0, 0, 0, 0xbf] + bytes(at + 12) + [0xf3, 0xaa, 0x43, 0xc3]),
    Case(
      "an exception that is passed", [0x43, 0xcd, 0x2d, 0x43, 0xcc, 0x43, 0xc3],
      prepare: { bench in bench.onException = { _, _ in .proceed } }),
    Case(
      "a divide error that is repaired", [0x31, 0xc9, 0x43, 0xf7, 0xf1, 0x43, 0xc3],
      prepare: { bench in
        bench.onException = { [unowned bench] _, _ in
          bench.processor[.cx] = 1
          return .proceed
        }
      }),
    Case("a block longer than the engine's", [UInt8](repeating: 0x43, count: 1500) + [0xc3]),
    Case(
      "a block across a page border",
      [0xe9] + bytes(0xff0 - 5) + [UInt8](repeating: 0x90, count: 0xff0 - 5)
        + [UInt8](repeating: 0x43, count: 13) + [0xa1, 0, 0, 0x41, 0x80, 0x43, 0xc3]),
  ]

  @Test("every way to leave a block, by hand", arguments: cases)
  func hand(example: Case) throws {
    let found = try difference(example.program, quanta: Self.quanta)
    #expect(found == nil)
  }

  @Test("a loop that rewrites itself ten thousand times costs no more each time")
  func manyContents() throws {
    // mov ecx,10000; L: inc dword [constant]; mov eax,0; dec ecx; jne L; ret
    let code: [UInt8] = [0xb9] + bytes(10_000) + [0xff, 0x05] + bytes(Self.at + 12) + [0xb8, 0, 0, 0, 0, 0x49, 0x75, 0xf2, 0xc3]
    let bench = try Bench()
    try bench.run(code)
    #expect(bench.processor[.ax] == 10_000)
    #expect(bench.processor.instructions == 4 * 10_000 + 2)
    #expect(bench.instructions.count == 4 * 10_000 + 2)
  }

  @Test("programs made at random", arguments: 0..<10)
  func random(part: UInt64) throws {
    for seed in part * 32..<(part + 1) * 32 {
      let found = try difference(RandomProgram.make(seed: seed), quanta: [Self.quanta[Int(seed % 5)]])
      #expect(found == nil, "seed \(seed)")
    }
  }
}
