import ArgumentParser
import Emulation
import Guest
import GuestCode
import Images

/// Feeds a reader broken input, in a process of its own: the last seed that it announced is the one that crashed it.
struct MutateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "__mutate", abstract: "Feed a reader broken input.", shouldDisplay: false)

  enum Reader: String, ExpressibleByArgument, CaseIterable { case listing, fixture, driver }

  @Option var reader: Reader
  @Option var seed: UInt64 = 0
  @Option var count: UInt64 = 1000
  /// Prints the input of `seed` instead of reading it.
  @Flag var show = false

  func run() throws {
    let originals: [[UInt8]] =
      switch reader {
      case .listing: BuiltIn.images.map { Array($0.text.utf8) }
      case .fixture: (BuiltIn.fixtures.map(\.text) + [Fixture.template]).map { Array($0.utf8) }
      case .driver: BuiltIn.drivers.map(\.bytes)
      }
    for seed in seed..<seed &+ count {
      var random = SplitMix64(state: seed)
      var bytes = originals[Int(random.next() % UInt64(originals.count))]
      for _ in 0...random.next() % 8 {
        if reader == .driver { Self.damage(&bytes, &random) } else { Self.mutate(&bytes, &random) }
      }
      if show {
        return Console.put(reader == .driver ? bytes.map { hex($0, digits: 2) }.joined() + "\n" : String(decoding: bytes, as: UTF8.self))
      }
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
    case .driver:
      do throws(PEError) {
        let image = try Image(portableExecutable: bytes, named: "mutant", file: "mutant")
        _ = image.rebased(to: 0xf8b0_0000)
        return image.sections.allSatisfy { image.contains($0.address) && $0.end <= image.base + image.size }
          ? nil : "a section lies outside its image"
      } catch { message = error.description }
    }
    return message.isEmpty || message.contains(where: \.isNewline) ? "the message is not one line: \(message)" : nil
  }

  /// Changes a byte or a word, most often in the headers and tables of the first 400h bytes, or cuts the file.
  private static func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    let end = random.next() % 2 == 0 ? min(bytes.count, 0x400) : bytes.count
    guard end > 4 else { return }
    let place = Int.random(in: 0..<end - 4, using: &random)
    func put(_ word: UInt32, at place: Int) {
      for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: word >> (8 * UInt32(index))) }
    }
    let words: [UInt32] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_f000, 0x1000, 0x2000, 0x400_0000, UInt32(bytes.count)]
    switch random.next() % 8 {
    case 0, 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 2, 3: put(words[Int(random.next() % UInt64(words.count))], at: place & ~3)
    case 4: put(UInt32(truncatingIfNeeded: random.next()), at: place & ~3)
    case 5: bytes[place] = bytes[place] &+ 8 &- UInt8(random.next() % 16)
    case 6: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
    default: bytes.removeSubrange(Int.random(in: place..<bytes.count, using: &random)...)
    }
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
