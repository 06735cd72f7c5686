import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Hard links") struct LinkTests {
  typealias F = FilterGuest
  private static let first = #"\??\C:\Long directory\notes.txt"#

  /// `FILE_LINK_INFORMATION` or `FILE_RENAME_INFORMATION` of an open file.
  private func set(_ f: F, _ handle: UInt64, _ name: String, _ kind: UInt64, replaces: UInt32 = 0) throws -> NTSTATUS {
    let (block, buffer, units) = (try f.g.space(), try f.g.space(0x100), Array(name.utf16))
    try f.k.store([replaces, 0, UInt32(units.count * 2)], at: buffer)
    for (index, unit) in units.enumerated() { try f.k.memory.memory.store(unit, at: buffer + 12 + 2 * UInt64(index)) }
    return try f.g.status("ZwSetInformationFile", handle, block, buffer, UInt64(12 + units.count * 2), kind)
  }

  /// FileStandardInformation's NumberOfLinks, FileNameInformation.
  private func facts(_ f: F, _ handle: UInt64) throws -> (links: UInt32, name: String) {
    let (block, buffer) = (try f.g.space(), try f.g.space(0x100))
    #expect(try f.g.status("ZwQueryInformationFile", handle, block, buffer, 24, 5) == .success)
    let links = try f.k.load(buffer + 16)
    #expect(try f.g.status("ZwQueryInformationFile", handle, block, buffer, 0x100, 9) == .success)
    let units = try (0..<UInt64(f.k.load(buffer)) / 2).map { try f.k.memory.memory.load(UInt16.self, at: buffer + 4 + 2 * $0) }
    return (links, String(decoding: units, as: UTF16.self))
  }

  private func open(_ f: F, _ path: String, access: UInt64 = 0x13_019f) throws -> UInt64 {
    let (handle, block) = (try f.g.space(), try f.g.space())
    let status = try f.g.status("ZwCreateFile", handle, access, f.g.attributes(path), block, 0, 0x80, 7, 1, 0x20, 0, 0)
    return status.isSuccess ? UInt64(try f.k.load(handle)) : 0
  }

  private func delete(_ f: F, _ path: String) throws {
    let (handle, block, buffer) = (try open(f, path), try f.g.space(), try f.g.space())
    try f.k.store(1, at: buffer)
    #expect(try f.g.status("ZwSetInformationFile", handle, block, buffer, 1, 13) == .success)
    #expect(try f.g.status("ZwClose", handle) == .success)
  }

  @Test("a file has several names, and stays while one is left") func names() throws {
    let f = try F()
    let handle = try open(f, Self.first)
    #expect(try set(f, handle, "another name.txt", 11) == .success)
    #expect(try set(f, handle, #"\??\C:\third.txt"#, 11) == .success)
    #expect(try set(f, handle, "another name.txt", 11) == .success)
    #expect(try facts(f, handle) == (3, #"\Long directory\notes.txt"#))
    let other = try open(f, #"\??\C:\Long directory\ANOTHE~1.TXT"#)
    #expect(try facts(f, other) == (3, #"\Long directory\another name.txt"#))
    #expect(try f.read(other, 5) == Array("hello".utf8))
    for handle in [handle, other] { #expect(try f.g.status("ZwClose", handle) == .success) }
    // The first name goes, and the others are still there.
    try delete(f, Self.first)
    #expect(try open(f, Self.first) == 0)
    let third = try open(f, #"\??\C:\third.txt"#)
    #expect(try facts(f, third).links == 2 && f.read(third, 5) == Array("hello".utf8))
    #expect(try set(f, third, #"\??\C:\fourth.txt"#, 10) == .success)
    #expect(try facts(f, third) == (2, #"\fourth.txt"#))
    #expect(try f.g.status("ZwClose", third) == .success)
    try delete(f, #"\??\C:\fourth.txt"#)
    try delete(f, #"\??\C:\Long directory\another name.txt"#)
    #expect(try open(f, #"\??\C:\Long directory\another name.txt"#) == 0)
  }

  @Test("what a link is refused for") func refusals() throws {
    let f = try F()
    let handle = try open(f, Self.first)
    let folder = try open(f, #"\??\C:\Long directory"#, access: 0x10_0080)
    #expect(try set(f, folder, "twin", 11) == .fileIsADirectory)
    let (made, block) = (try f.g.space(), try f.g.space())
    #expect(
      try f.g.status(
        "ZwCreateFile", made, 0x12_019f, f.g.attributes(#"\??\C:\Long directory\taken"#), block, 0, 0x80, 7, 2, 0x20, 0, 0) == .success)
    #expect(try set(f, handle, "taken", 11) == .objectNameCollision)
    #expect(try f.g.status("ZwClose", UInt64(f.k.load(made))) == .success)
    #expect(try set(f, handle, "taken", 11, replaces: 1) == .success)
    #expect(try facts(f, handle).links == 2)
    let fat = try F(.fat)
    #expect(try set(fat, open(fat, Self.first), "twin", 11) == .invalidParameter)
  }
}
