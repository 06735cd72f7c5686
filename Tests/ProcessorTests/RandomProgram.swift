import Guest

/// A small generator with a known sequence, so that a seed names a program for ever.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Writes valid programs that do what makes block records hard to trust.
///
/// A program is a few routines that call later ones only, so it ends. It branches over and back into straight code, reads and
/// writes demand-zero pages, repeats string instructions over them, reads the clock, calls traps, and rewrites its own code in
/// ways that keep it valid: constants, and one-byte `inc`s that become others.
struct RandomProgram {
  private var random: SplitMix64
  private(set) var code: [UInt8] = []
  private let base: UInt64
  private var routines: [UInt64] = []
  private var calls: [(place: Int, routine: Int)] = []
  /// Where a store's target goes, once it is known what there is to overwrite.
  private var patches: [(place: Int, kind: Patch)] = []
  private var constants: [UInt64] = []
  private var increments: [UInt64] = []
  private var runs: [UInt64] = []
  private enum Patch { case constant, increment, run }

  static func make(seed: UInt64) -> Program {
    var random = SplitMix64(seed)
    // Some programs lie across a page border.
    let base = Bench.code + (random.next() % 3 == 0 ? 0xe80 + random.next() % 0x100 : 0)
    var generator = RandomProgram(random: random, base: base)
    let limit = UInt64.random(in: 20...3000, using: &generator.random)
    let code = generator.write()
    return Program(code: code, address: base, limit: limit)
  }

  private init(random: SplitMix64, base: UInt64) {
    self.random = random
    self.base = base
  }

  private var here: UInt64 { base + UInt64(code.count) }
  private mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
  private mutating func emit(_ bytes: [UInt8]) { code += bytes }
  private mutating func emit(_ bytes: [UInt8], _ address: UInt64) {
    code += bytes + ProcessorTests.bytes(UInt32(truncatingIfNeeded: address))
  }

  private mutating func write() -> [UInt8] {
    let count = 2 + pick(4)
    for routine in 0..<count {
      routines.append(here)
      for _ in 0..<3 + pick(8) { piece(routine, of: count, depth: 0) }
      emit([0xc3])
    }
    for (place, routine) in calls {
      let displacement = routines[routine] &- (base + UInt64(place) + 4)
      code.replaceSubrange(place..<place + 4, with: bytes(UInt32(truncatingIfNeeded: displacement)))
    }
    for (place, kind) in patches {
      let targets =
        switch kind {
        case .constant: constants
        case .increment: increments
        case .run: runs
        }
      // A store near itself is the interesting one.
      let near = targets.filter { $0 + 48 > base + UInt64(place) && $0 < base + UInt64(place) + 48 }
      let choice = near.isEmpty || pick(4) == 0 ? targets : near
      code.replaceSubrange(place..<place + 4, with: bytes(UInt32(choice[pick(choice.count)])))
    }
    return code
  }

  private mutating func straight() {
    let register = UInt8([0, 2, 3][pick(3)])
    switch pick(6) {
    case 0, 1:
      increments.append(here)
      emit([0x40 + register])
    case 2:
      constants.append(here + 1)
      emit([0xb8 + register], UInt64(pick(1 << 16)))
    case 3: emit([0x01, 0xc0 | register << 3 | UInt8([0, 2, 3][pick(3)])])
    case 4: emit([0x50 + register, 0x58 + register])
    default:
      runs.append(here)
      emit([UInt8](repeating: 0x40 + register, count: 8))
    }
  }

  private mutating func memory() {
    let page = UInt64(0x40_0000 + pick(64) * 0x1000)
    // Kernel data, a user page, or the border between two of them.
    let address = [UInt64(0x8041_0000 + pick(1024) * 4), page + UInt64(pick(1000)) * 4, page + 0xffe][pick(3)]
    // mov eax,[m]; mov [m],eax; inc [m]; add [m],ebx; add edx,[m]; push [m], pop eax
    let kind = pick(6)
    emit([[0xa1], [0xa3], [0xff, 0x05], [0x01, 0x1d], [0x03, 0x15], [0xff, 0x35]][kind], address)
    if kind == 5 { emit([0x58]) }
  }

  private mutating func repeated() {
    let source = UInt64(0x40_0000 + pick(32) * 0x1000 + 0xff0), target = source + UInt64(pick(8) * 0x1000) + 3
    emit([0xb9], UInt64(pick(24)))
    emit([0xbe], source)
    emit([0xbf], target)
    emit([[0xf3, 0xa4], [0xf3, 0xa5], [0xf3, 0xaa], [0xf3, 0xab], [0xf3, 0xa6], [0xf2, 0xae], [0xf2, 0xa6], [0xf3, 0xae]][pick(8)])
  }

  private mutating func storeIntoCode() {
    switch pick(4) {
    case 0 where !constants.isEmpty:
      // mov byte ptr [constant],n, or mov [constant],eax
      let isByte = pick(2) == 0
      emit(isByte ? [0xc6, 0x05] : [0xa3])
      patches.append((code.count, .constant))
      emit([0, 0, 0, 0] + (isByte ? [UInt8(pick(256))] : []))
    case 1 where !increments.isEmpty:
      emit([0xc6, 0x05])
      patches.append((code.count, .increment))
      emit([0, 0, 0, 0, UInt8([0x40, 0x42, 0x43][pick(3)])])
    case 2 where !runs.isEmpty:
      // Rewrites up to eight instructions; ebx keeps eax, which holds the new one.
      emit([0xb0, UInt8([0x40, 0x42, 0x43][pick(3)]), 0xb9], UInt64(pick(9)))
      emit([0xbf])
      patches.append((code.count, .run))
      emit([0, 0, 0, 0, 0xf3, 0xaa])
    default:
      increments.append(here)
      emit([0x40])
      constants.append(here + 1)
      emit([0xb8], 0)
      runs.append(here)
      emit([UInt8](repeating: 0x43, count: 8))
    }
  }

  private mutating func piece(_ routine: Int, of count: Int, depth: Int) {
    switch pick(14) {
    case 0...3: straight()
    case 4, 5: memory()
    case 6: repeated()
    case 7, 8: storeIntoCode()
    case 9: emit([[0x0f, 0x31], [0x0f, 0xa2], [0x0f, 0x31, 0x40]][pick(3)])
    case 10: emit([0xe8], Bench.trap + UInt64(16 * (1 + pick(15))) &- (here + 5) & 0xffff_ffff)
    case 11 where routine + 1 < count:
      emit([0xe8])
      calls.append((code.count, routine + 1 + pick(count - routine - 1)))
      emit([0, 0, 0, 0])
    case 12 where depth < 2:
      // Over a few instructions, or not: test eax,n; jcc
      emit([0xa9], UInt64(1 << pick(4)))
      emit([UInt8([0x74, 0x75, 0x78, 0x72][pick(4)]), 0])
      let start = code.count
      for _ in 0..<1 + pick(2) { straight() }
      code[start - 1] = UInt8(code.count - start)
    case 13 where depth == 0:
      // mov ebp,n; L: ...; dec ebp; jne L
      emit([0xbd], UInt64(1 + pick(12)))
      let start = code.count
      for _ in 0..<1 + pick(4) { piece(routine, of: count, depth: 1) }
      emit([0x4d, 0x0f, 0x85])
      emit(bytes(UInt32(bitPattern: Int32(start - code.count - 4))))
    default: straight()
    }
  }
}
