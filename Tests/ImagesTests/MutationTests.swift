import Guest
import Images
import Testing

/// https://prng.di.unimi.it/splitmix64.c
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

/// The command line's tests throw many more, in a process of its own.
@Test("broken listings are read or refused, never worse", arguments: 0..<4)
func mutations(batch: Int) {
  let originals = [Excerpts.fltMgr, Excerpts.nt, Excerpts.whole].map { Array($0.utf8) }
  for seed in UInt64(batch * 100)..<UInt64(batch * 100 + 100) {
    var random = SplitMix64(state: seed)
    var bytes = originals[Int(random.next() % 3)]
    for _ in 0...random.next() % 4 { mutate(&bytes, &random) }
    do {
      let image = try Image(listing: bytes, named: random.next().isMultiple(of: 2) ? "sample" : nil, file: "mutant")
      #expect(image.sections.allSatisfy { image.contains($0.address) && $0.end <= image.base + image.size }, "seed \(seed)")
      for range in image.provenance { #expect(image.symbol(at: range.start) != nil, "seed \(seed)") }
    } catch {
      #expect(!error.description.contains("\n") && !error.message.isEmpty, "seed \(seed)")
    }
  }
}

private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
  guard !bytes.isEmpty else { return }
  let place = Int.random(in: 0..<bytes.count, using: &random)
  let length = Int.random(in: 1...40, using: &random)
  let end = Swift.min(bytes.count, place + length)
  switch random.next() % 6 {
  case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
  case 1: bytes.removeSubrange(place..<end)
  case 2: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
  case 3: bytes.removeSubrange(place...)
  case 4: bytes[place] = Array("0123456789abcdef .:;!+()[]\n".utf8).randomElement(using: &random) ?? 0
  default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
  }
}
