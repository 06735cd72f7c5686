import Emulation
import Testing

/// A generator whose whole state is its seed.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

private let interesting = Array("&*!|>'\"%@`{}[],:?-# \n\t0x9~<\\\u{0}\u{85}é".utf8)

/// `bytes` with one to eight small changes: replaced, inserted, removed, repeated.
func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
  var bytes = bytes
  for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
    let index = Int.random(in: 0..<bytes.count, using: &random)
    let byte = Bool.random(using: &random) ? interesting.randomElement(using: &random) : .random(in: 0...255, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes[index] = byte ?? 0
    case 1: bytes.insert(byte ?? 0, at: index)
    case 2: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...40, using: &random)))
    case 3: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + Int.random(in: 1...40, using: &random))], at: index)
    default: bytes.removeSubrange(index...)
    }
  }
  return bytes
}

/// The command line's tests throw many more, in a process of its own.
@Test("a mutated fixture is a fixture or an error of one line", arguments: 0..<4)
func mutations(batch: UInt64) {
  let texts = [lockFromSystemWorker, everything, Fixture.template, portSteps].map { Array($0.utf8) }
  for seed in batch * 100..<(batch + 1) * 100 {
    var random = SplitMix64(state: seed)
    let bytes = mutated(texts[Int(seed % 4)], &random)
    do throws(FixtureError) {
      _ = try Fixture.all(yaml: String(decoding: bytes, as: UTF8.self), file: "mutated.yaml")
    } catch {
      #expect(!error.message.isEmpty && !error.description.contains(where: \.isNewline), "seed \(seed): \(error)")
    }
  }
}
