import Foundation
import Guest
import Images
import TestSupport
import Testing

/// What is wrong, and what the error says of it.
struct Flaw: Sendable, CustomTestStringConvertible {
  let message: String
  let change: @Sendable (inout PEBuilder) -> Void
  var testDescription: String { message }

  init(_ message: String, _ change: @escaping @Sendable (inout PEBuilder) -> Void) {
    self.message = message
    self.change = change
  }
}

private let flaws: [Flaw] = [
  Flaw("expected 0x014c, i386") { $0.machine = 0x1c0 },
  Flaw("this is a PE32+ file for machine 0x8664") {
    $0.machine = 0x8664; $0.magic = 0x20b
  },
  Flaw("expected 0x010b, PE32") { $0.magic = 0x107 },
  Flaw("is not marked executable") { $0.characteristics = 0x100 },
  Flaw("expected a multiple of 64 KiB") { $0.imageBase = 0x1_1000 },
  Flaw("expected powers of two") { $0.sectionAlignment = 0x1001 },
  Flaw("expected powers of two") { $0.fileAlignment = 0 },
  Flaw("SizeOfImage is 0xfffff000") { $0.imageSize = 0xffff_f000 },
  Flaw("SizeOfImage is 0x0") { $0.imageSize = 0 },
  Flaw("SizeOfHeaders is") { $0.headersSize = 0x100_0000 },
  Flaw("the entry point 0x600000 lies outside") { $0.entryPoint = 0x60_0000 },
  Flaw("section .data is at 0x2010; expected the start of a page") { $0.sections[1].address = 0x2010 },
  Flaw("section .data ends at 0x100001fff; expected inside") {
    $0.imageSize = 0x6000; $0.sections[1].virtualSize = 0xffff_ffff
  },
  Flaw("overlaps what ends at 0x5000") {
    $0.sections[1].virtualSize = 0x3000; $0.sections[2].address = 0x2000
  },
  Flaw("do not end in the file") { $0.sections[1].rawSize = 0xffff_fe00 },
  Flaw("do not end in the file") { $0.sections[1].rawOffset = 0xffff_0000 },
  Flaw("the import directory is said to be at 0xffff0000") { $0.directories[1] = (0xffff_0000, 0x28) },
  Flaw("the name of an imported file is said to be at 0x7fffffff") { $0.sections[2].bytes.put(UInt32(0x7fff_ffff), at: 12) },
  Flaw("what is imported from ntoskrnl.exe is said to be at 0x7fffff00") { $0.sections[2].bytes.put(UInt32(0x7fff_ff00), at: 0) },
  Flaw("lies outside the sections; expected inside") { $0.sections[2].bytes.put(UInt32(0x7fff_ff00), at: 16) },
  Flaw("the export directory is said to be at 0x100000000") { $0.directories[0] = (0xffff_fff0, 0x100) },
  Flaw("the file exports 4294967295 routines") { $0.sections[2].bytes.put(UInt32.max, at: 0x800 + 20) },
  Flaw("DllInitialize is exported as number 900 of 4") { $0.sections[2].bytes.put(UInt16(900), at: 0x800 + 40 + 32) },
  Flaw("#1 is exported at 0x700000") { $0.sections[2].bytes.put(UInt32(0x70_0000), at: 0x800 + 40) },
  Flaw("the base relocation table at 0x5000 of 0xfffff000 bytes lies outside") { $0.directories[5] = (0x5000, 0xffff_f000) },
  Flaw("a relocation block has 4 bytes") { $0.sections[4].bytes.put(UInt32(4), at: 4) },
  Flaw("a relocation block has 4294967294 bytes") { $0.sections[4].bytes.put(UInt32(0xffff_fffe), at: 4) },
  Flaw("a relocation is of type 10; expected 3 (HIGHLOW)") { $0.sections[4].bytes.put(UInt16(0xa000), at: 8) },
  Flaw("a relocation is for 0xfffff001, outside the sections") { $0.sections[4].bytes.put(UInt32(0xffff_f000), at: 0) },
  Flaw("expected the same place where SectionAlignment is below a page") {
    $0.sectionAlignment = 0x80
    $0.fileAlignment = 0x80
    $0.sections[1].rawOffset = 0x400
  },
  Flaw("the file has 97 sections; expected at most 96") { builder in
    builder.sections = (0..<97).map { .init("s\($0)", at: 0x1000 + UInt32($0) * 0x1000, [1], PEBuilder.data) }
    builder.directories = [:]
  },
]

@Test("each flaw of a file is refused in one line that says what is wrong", arguments: flaws)
func flaw(flaw: Flaw) throws {
  var builder = sampleDriver()
  flaw.change(&builder)
  let error = try #require(throws: PEError.self) {
    try Image(portableExecutable: builder.build(), named: "sample", file: "sample.sys")
  }
  #expect(error.message.contains(flaw.message), "\(error)")
  #expect(error.description.hasPrefix("sample.sys+0x"), "\(error)")
  #expect(!error.description.contains("\n"))
}

@Test("a table that never ends is refused where it began")
func endless() throws {
  // Ninety imported files that share one lookup table, the directory repeated to the end of the section.
  var builder = sampleDriver()
  var tables = [UInt8](repeating: 0, count: 0x1000)
  for row in 0..<200 {
    tables.put(UInt32(0x3000), at: row * 20)
    tables.put(UInt32(0x3ff0), at: row * 20 + 12)
    tables.put(UInt32(0x3000), at: row * 20 + 16)
  }
  tables.put(UInt32(0x6161_6161), at: 0xff0)
  builder.sections[2].bytes = tables
  builder.directories = [1: (0x3000, 0x28)]
  #expect(throws: PEError.self) { try Image(portableExecutable: builder.build(), named: "sample") }
}

@Test("every truncation of a real driver is read or refused, never worse", arguments: ["neither", "hello"])
func truncations(name: String) throws {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../images")
  let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name + ".sys")))
  for count in 0..<bytes.count {
    do {
      _ = try Image(portableExecutable: Array(bytes.prefix(count)), named: name)
    } catch {
      #expect(!error.description.contains("\n") && !error.message.isEmpty, "at \(count) bytes")
    }
  }
}

@Test("a file that cannot be a driver is an error of one line")
func noDrivers() throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "drivers-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let empty = folder.appending(path: "empty.sys")
  try Data().write(to: empty)
  for path in [folder.path, empty.path, folder.path + "/missing", "/dev/zero", "", "\0"] {
    let error = try #require(throws: PEError.self) { try Image(contentsOfPortableExecutable: path, named: "x") }
    #expect(error.file == path && error.message.contains("expected"), "\(error)")
    #expect(!Image.isPortableExecutable(atPath: path))
  }
}

@Test("20,000 broken drivers are read or refused, never worse", arguments: 0..<20)
func driverMutations(batch: Int) throws {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../images")
  let originals = [
    sampleDriver().build(), [UInt8](try Data(contentsOf: folder.appending(path: "neither.sys"))),
  ]
  for seed in UInt64(batch * 1000)..<UInt64(batch * 1000 + 1000) {
    var random = SplitMix64(state: seed)
    var bytes = originals[Int(random.next() % 2)]
    for _ in 0...random.next() % 6 { damage(&bytes, &random) }
    do {
      let image = try Image(portableExecutable: bytes, named: "mutant")
      #expect(image.sections.allSatisfy { image.contains($0.address) && $0.end <= image.base + image.size }, "seed \(seed)")
      #expect(image.size <= 64 << 20, "seed \(seed)")
      if image.size < 1 << 20 { _ = image.rebased(to: 0xf8b0_0000) }
    } catch {
      #expect(!error.description.contains("\n") && !error.message.isEmpty, "seed \(seed)")
    }
  }
}

private func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
  guard bytes.count > 8 else { return }
  // Headers and tables, where it hurts: the first 400h bytes and any word.
  let end = random.next().isMultiple(of: 2) ? Swift.min(bytes.count, 0x400) : bytes.count
  let place = Int.random(in: 0..<end - 4, using: &random)
  let words: [UInt32] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_f000, 0x1000, 0x2000, UInt32(bytes.count), 0x400_0000]
  switch random.next() % 6 {
  case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
  case 1: bytes.put(words.randomElement(using: &random) ?? 0, at: place & ~3)
  case 2: bytes.put(UInt32.random(in: .min ... .max, using: &random), at: place & ~3)
  case 3: bytes.put(bytes.word(at: place) &+ UInt32.random(in: 0...16, using: &random) &- 8, at: place)
  case 4: bytes.removeSubrange(Int.random(in: place..<bytes.count, using: &random)...)
  default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
  }
}
