import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Names that come back") struct TunnelTests {
  typealias F = FilterGuest
  private static let folder = #"\??\C:\Long directory\"#

  /// Makes a file, or opens it, and closes it; `deletes` lets it go with that.
  private func touch(_ f: F, _ name: String, disposition: UInt64 = 3, deletes: Bool = false) throws {
    let (handle, block) = (try f.g.space(), try f.g.space())
    let status = try f.g.status(
      "ZwCreateFile", handle, 0x13_019f, f.g.attributes(Self.folder + name), block, 0, 0x80, 7, disposition, deletes ? 0x1020 : 0x20, 0, 0)
    #expect(status == .success)
    #expect(try f.g.status("ZwClose", UInt64(f.k.load(handle))) == .success)
  }

  /// The 8.3 name and the time of creation of a file.
  private func facts(_ f: F, _ name: String) throws -> (name: String, created: UInt32) {
    let handle = try f.open(Self.folder + name)
    let (block, buffer) = (try f.g.space(), try f.g.space(0x100))
    // FileAlternateNameInformation, FileBasicInformation
    #expect(try f.g.status("ZwQueryInformationFile", handle, block, buffer, 0x100, 21) == .success)
    let units = try (0..<UInt64(f.k.load(buffer)) / 2).map { try f.k.memory.memory.load(UInt16.self, at: buffer + 4 + 2 * $0) }
    #expect(try f.g.status("ZwQueryInformationFile", handle, block, buffer, 40, 4) == .success)
    let created = try f.k.load(buffer)
    #expect(try f.g.status("ZwClose", handle) == .success)
    return (String(decoding: units, as: UTF16.self), created)
  }

  private func wait(_ f: F, seconds: Int64) throws {
    let place = try f.g.space()
    try f.k.memory.memory.store(-seconds * 10_000_000, at: place)
    #expect(try f.g.status("KeDelayExecutionThread", 0, 0, place) == .success)
  }

  @Test("a file that is deleted and made again within 15 seconds keeps its short name and its age") func deleted() throws {
    let f = try F()
    // The second of two names that begin alike.
    try touch(f, "a long name.txt")
    try touch(f, "a long name, too.txt")
    let before = try facts(f, "a long name, too.txt")
    #expect(before.name == "ALONGN~2.TXT")
    try touch(f, "a long name.txt", deletes: true)
    try wait(f, seconds: 5)
    try touch(f, "a long name, too.txt", deletes: true)
    try wait(f, seconds: 14)
    try touch(f, "a long name, too.txt", disposition: 2)
    #expect(try facts(f, "a long name, too.txt") == before)
    try touch(f, "a long name, too.txt", deletes: true)
    try wait(f, seconds: 16)
    try touch(f, "a long name, too.txt", disposition: 2)
    let later = try facts(f, "a long name, too.txt")
    #expect(later.name == "ALONGN~1.TXT" && later.created != before.created)
  }

  @Test("a file that went by its short name comes back by it, and a filter is told of its long name") func filtered() throws {
    let f = try F()
    var names: [UInt64] = []
    var told: [String?] = []
    f.g.routine(at: F.pre, 3) { (arguments: [UInt64]) throws -> UInt64 in
      let place = try f.g.space()
      #expect(try f.g.status("FltGetFileNameInformation", arguments[0], 0x101, place) == .success)
      names.append(UInt64(try f.k.load(place)))
      return 5
    }
    f.g.routine(at: F.post, 4) { (arguments: [UInt64]) throws -> UInt64 in
      let place = try f.g.space()
      let name = names.removeLast()
      #expect(try f.g.status("FltGetTunneledName", arguments[0], name, place) == .success)
      let other = UInt64(try f.k.load(place))
      told.append(other == 0 ? nil : try f.text(other + 8))
      if other != 0 { try f.g.call("FltReleaseFileNameInformation", other) }
      try f.g.call("FltReleaseFileNameInformation", name)
      return 0
    }
    try touch(f, "a long name.txt")
    _ = try f.start([0xc: f.operations([(0, 0, F.pre, F.post)])])
    try touch(f, "ALONGN~1.TXT", deletes: true)
    try touch(f, "ALONGN~1.TXT", disposition: 2)
    #expect(told == [nil, F.volumeName + #"\Long directory\a long name.txt"#])
    #expect(try f.open(Self.folder + "a long name.txt") != 0)
    // What is no name is told apart.
    #expect(f.g.violations.isEmpty)
    #expect(try f.g.status("FltGetTunneledName", f.k.scratch, f.k.scratch, f.g.space()) == .invalidParameter)
  }
}
