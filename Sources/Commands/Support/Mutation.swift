import ArgumentParser
import Emulation
import GuestCode
import Images

/// Feeds a reader broken input, in a process of its own: the last seed that it announced is the one that crashed it.
struct MutateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "__mutate", abstract: "Feed a reader broken input.", shouldDisplay: false)

  enum Reader: String, ExpressibleByArgument, CaseIterable { case listing, fixture }

  @Option var reader: Reader
  @Option var seed: UInt64 = 0
  @Option var count: UInt64 = 1000
  /// Prints the input of `seed` instead of reading it.
  @Flag var show = false

  func run() throws {
    let originals = (reader == .listing ? BuiltIn.images.map(\.text) : BuiltIn.fixtures.map(\.text) + [Fixture.template]).map {
      Array($0.utf8)
    }
    for seed in seed..<seed &+ count {
      var random = SplitMix64(state: seed)
      var bytes = originals[Int(random.next() % UInt64(originals.count))]
      for _ in 0...random.next() % 8 { Self.mutate(&bytes, &random) }
      if show { return Console.put(String(decoding: bytes, as: UTF8.self)) }
      // Announced before it is read: who waits for this process knows which input ended it.
      Console.put("\(seed)\n")
      if let complaint = read(bytes) { throw Failure(.software, "seed \(seed): \(complaint)") }
    }
  }

  /// What is wrong with the reader's answer, if anything.
  private func read(_ bytes: [UInt8]) -> String? {
    let message: String
    switch reader {
    case .listing:
      do throws(ListingError) {
        let image = try Image(listing: bytes, file: "mutant")
        return image.sections.allSatisfy { image.contains($0.address) && $0.end <= image.base + image.size }
          ? nil : "a section lies outside its image"
      } catch { message = error.description }
    case .fixture:
      do throws(FixtureError) {
        _ = try Fixture.all(yaml: String(decoding: bytes, as: UTF8.self), file: "mutant")
        return nil
      } catch { message = error.description }
    }
    return message.isEmpty || message.contains(where: \.isNewline) ? "the message is not one line: \(message)" : nil
  }

  private static let interesting = Array("&*!|>'\"%@`{}[],:?-#.;+() \n\t0123456789abcdefx~<\\\u{0}\u{85}é".utf8)

  private static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
    let byte =
      random.next() % 2 == 0 ? interesting[Int(random.next() % UInt64(interesting.count))] : UInt8(truncatingIfNeeded: random.next())
    switch random.next() % 12 {
    case 0...2: bytes[place] = byte
    case 3, 4: bytes.insert(byte, at: place)
    case 5, 6: bytes.removeSubrange(place..<end)
    case 7, 8: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
    case 9, 10: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
    default: bytes.removeSubrange(place...)
    }
  }
}

/// A generator whose whole state is its seed: https://prng.di.unimi.it/splitmix64.c
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
