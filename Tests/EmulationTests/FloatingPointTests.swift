import Emulation
import Guest
import NTKernel
import Testing
import WindowsTypes

private func at(_ offset: UInt32) -> UInt32 { GuestThreads.at(offset) }

@Suite("The floating-point unit and its threads") struct FloatingPointTests {
  /// fld dword ptr [offset]; movss xmm3,[offset]
  private func load(_ offset: UInt32) -> GuestThreads.Action {
    let place = HostileTests.bytes(at(offset))
    return .code([0xd9, 0x05] + place + [0xf3, 0x0f, 0x10, 0x1d] + place)
  }
  /// fst dword ptr [offset]; movss [offset+4],xmm3
  private func store(_ offset: UInt32) -> GuestThreads.Action {
    .code([0xd9, 0x15] + HostileTests.bytes(at(offset)) + [0xf3, 0x0f, 0x11, 0x1d] + HostileTests.bytes(at(offset + 4)))
  }
  /// fnstcw [offset]; fnstsw [offset+2]; stmxcsr [offset+4]
  private func control(_ offset: UInt32) -> GuestThreads.Action {
    .code(
      [0xd9, 0x3d] + HostileTests.bytes(at(offset)) + [0xdd, 0x3d] + HostileTests.bytes(at(offset + 2)) + [0x0f, 0xae, 0x1d]
        + HostileTests.bytes(at(offset + 4)))
  }
  /// 1.5 and 2.5, as singles.
  private let first: UInt32 = 0x3fc0_0000
  private let second: UInt32 = 0x4020_0000

  @Test("each thread has registers of its own; a new one finds them as they are in the beginning")
  func threads() throws {
    var world = GuestThreads.world()
    world.words[0x80] = first
    world.words[0x84] = second
    let other = try world.routine("other", arguments: 1, [control(0x98), load(0x84), .sleep, store(0xa0)])
    try world.routine("main", [load(0x80), .thread(other), .sleep, store(0x90), .sleep])
    let result = try world.run()
    #expect(try result.word(0x90) == first && result.word(0x94) == first)
    #expect(try result.word(0xa0) == second && result.word(0xa4) == second)
    #expect(try result.half(0x98) == 0x27f && result.half(0x9a) == 0 && result.word(0x9c) == 0x1f80)
  }

  @Test("what is saved comes back, whatever the caller does in between")
  func saved() throws {
    var world = GuestThreads.world()
    world.words[0x80] = first
    world.words[0x84] = second
    try world.routine(
      "main",
      [
        load(0x80), .call("KeSaveFloatingPointState", at(0x100)), control(0x98), load(0x84), store(0xa0),
        .call("KeRestoreFloatingPointState", at(0x100)), store(0x90),
      ])
    let result = try world.run()
    #expect(result.log == ["main: KeSaveFloatingPointState = 0", "main: KeRestoreFloatingPointState = 0"])
    #expect(try result.word(0x90) == first && result.word(0x94) == first && result.word(0xa0) == second)
    #expect(try result.half(0x9a) == 0)
  }

  @Test("a state that another thread saved is INVALID_FLOATING_POINT_STATE")
  func foreign() throws {
    var world = GuestThreads.world()
    let other = try world.routine("other", arguments: 1, [.call("KeRestoreFloatingPointState", at(0x100))])
    try world.routine("main", [.call("KeSaveFloatingPointState", at(0x100)), .thread(other), .sleep])
    let check = try world.run().bugCheck
    #expect(check?.code.rawValue == 0xe7 && check?.parameters[0] == 2)
  }

  @Test("an image says what fxsave stores") func image() {
    var state = FloatingPointState.initial
    state.status = 7 << 11
    state.tag = 0x3fff
    state.registers[70] = 0xaa
    state.vectors[17] = 0xbb
    #expect(state.image[4] == 0x80 && state.image[0x20] == 0xaa && state.image[0xb1] == 0xbb && state.image[0x18...0x19] == [0x80, 0x1f])
    #expect(FloatingPointState(image: state.image) == state && FloatingPointState(image: []) == .initial)
  }
}
