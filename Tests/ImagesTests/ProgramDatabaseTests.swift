import Foundation
import Guest
import Images
import TestSupport
import Testing

/// Our drivers as a debug build makes them, with a program database each; built once.
private let debugBuild = Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "debug-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  let tool = Process()
  tool.executableURL = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../tools/build-drivers")
  tool.arguments = ["--debug", folder.path]
  try tool.run()
  tool.waitUntilExit()
  return Dictionary(
    uniqueKeysWithValues: try FileManager.default.contentsOfDirectory(atPath: folder.path).map {
      ($0, [UInt8](try Data(contentsOf: folder.appending(path: $0))))
    })
}

private func files(_ name: String) throws -> (driver: [UInt8], database: [UInt8]) {
  let files = try debugBuild.get()
  return (try #require(files[name + ".sys"]), try #require(files[name + ".pdb"]))
}

@Test("a linker's database names what the image calls public")
func databaseOfDriver() throws {
  let (driver, bytes) = try files("neither")
  let database = try ProgramDatabase(bytes)
  let image = try Image(portableExecutable: driver, named: "neither", database: database)
  let entry = try #require(image.file.entryPoint)
  #expect(image.address(of: "DriverEntry") == entry)
  // A jump to the import, which only the database names.
  #expect(image.address(of: "_except_handler3") != nil)
  #expect(try Image(portableExecutable: driver, named: "neither").address(of: "_except_handler3") == nil)
}

@Test("the database is taken from beside the driver, and only if it belongs to it")
func databaseBeside() throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "beside-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let (neither, hello) = (try files("neither"), try files("hello"))
  let driver = folder.appending(path: "neither.sys")
  try Data(neither.driver).write(to: driver)
  for (database, isIts) in [(neither.database, true), (hello.database, false), ([1, 2, 3], false)] {
    try Data(database).write(to: folder.appending(path: "neither.pdb"))
    let image = try Image(contentsOfPortableExecutable: driver.path, named: "neither")
    #expect((image.address(of: "_except_handler3") != nil) == isIts)
    #expect(image.address(of: "DriverEntry") == image.file.entryPoint)
  }
}

/// A database of four streams: info, types, debug information, symbols; and for a reordered image two more.
private func database(map: [(UInt32, UInt32)]? = nil) -> [UInt8] {
  var info = [UInt8](repeating: 0, count: 12)
  info += (1...16).map { UInt8($0) }
  var debug = [UInt8](repeating: 0, count: 64)
  debug.put(UInt16(4), at: 20)
  debug.put(UInt32(22), at: 48)
  var optional = [UInt8](repeating: 0xff, count: 22)
  if map != nil {
    optional.put(UInt16(5), at: 8)
    optional.put(UInt16(6), at: 20)
  }
  debug += optional
  var symbols: [UInt8] = []
  for (name, section, offset) in [("_First@8", 1, 0x10), ("@Second@4", 1, 0x20), ("_Third", 2, 0)] as [(String, UInt16, UInt32)] {
    var body: [UInt8] = []
    body.append(UInt16(0x110e))
    body.append(UInt32(2))
    body.append(offset)
    body.append(section)
    body += Array(name.utf8) + [0]
    symbols.append(UInt16(body.count))
    symbols += body
  }
  var pairs: [UInt8] = []
  for (from, to) in map ?? [] {
    pairs.append(from)
    pairs.append(to)
  }
  var headers = [UInt8](repeating: 0, count: 80)
  headers.put(UInt32(0x1000), at: 12)
  headers.put(UInt32(0x2000), at: 52)
  let streams = [[], info, [], debug, symbols] + (map == nil ? [] : [pairs, headers])

  // Blocks of 512: superblock, two free maps, the directory's map, the directory, then each stream in one block.
  var directory: [UInt8] = []
  directory.append(UInt32(streams.count))
  for stream in streams { directory.append(UInt32(stream.count)) }
  var next = UInt32(5)
  for stream in streams where !stream.isEmpty {
    directory.append(next)
    next += 1
  }
  var file = Array("Microsoft C/C++ MSF 7.00\r\n\u{1a}DS\0\0\0".utf8)
  for word in [512, 1, next, UInt32(directory.count), 0, 3] { file.append(word) }
  func pad() { file += [UInt8](repeating: 0, count: (512 - file.count % 512) % 512) }
  pad()
  file += [UInt8](repeating: 0, count: 1024)
  file.append(UInt32(4))
  pad()
  for block in [directory] + streams.filter({ !$0.isEmpty }) {
    file += block
    pad()
  }
  return file
}

@Test("a database's symbols lose the decorations of C")
func publicSymbols() throws {
  let found = try ProgramDatabase(database())
  #expect(found.signature == (1...16).map { UInt8($0) })
  #expect(found.publicSymbols.map(\.name) == ["First", "Second", "Third"])
  #expect(found.publicSymbols.map(\.section) == [1, 1, 2] && found.publicSymbols.map(\.offset) == [0x10, 0x20, 0])
}

@Test("where an image was reordered, its symbols are where they are now")
func reordered() throws {
  let found = try ProgramDatabase(database(map: [(0x1000, 0x3000), (0x1018, 0), (0x2000, 0x1500)]))
  #expect(found.publicSymbols.map(\.name) == ["First", "Third"])
  #expect(found.publicSymbols.map(\.offset) == [0x3010, 0x1500])
  #expect(found.publicSymbols.allSatisfy { $0.section == 0 })
}

@Test("a broken database is read or refused, never worse")
func brokenDatabases() throws {
  let originals = [database(), database(map: [(0x1000, 0x3000)]), try files("hello").database]
  for original in originals {
    for count in stride(from: 0, to: original.count, by: original.count / 400) { _ = try? ProgramDatabase(Array(original.prefix(count))) }
  }
  for seed in 0..<3000 as Range<UInt64> {
    var random = SplitMix64(state: seed)
    var bytes = originals[Int(seed % 30 == 0 ? 2 : seed % 2)]
    for _ in 0...random.next() % 6 {
      let place = Int.random(in: 0..<bytes.count - 4, using: &random)
      bytes.put(
        [0, 1, 0xffff_ffff, 0x8000_0000, 512, UInt32.random(in: 0 ... .max, using: &random)].randomElement(using: &random) ?? 0, at: place)
    }
    do {
      _ = try ProgramDatabase(bytes, file: "mutant.pdb")
    } catch {
      #expect(error.description.hasPrefix("mutant.pdb") && !error.description.contains("\n"), "seed \(seed)")
    }
  }
}
