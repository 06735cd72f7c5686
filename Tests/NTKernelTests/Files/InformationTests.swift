import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Files of a volume: what they say of themselves") struct InformationTests {
  @Test("the classes of ZwQueryInformationFile have their layouts and lengths") func classes() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\A name that is long.text"#)
    // FileAllInformation: its parts one behind the other, the name at 64h.
    #expect(try v.query(file, 18) == .success)
    #expect(try v.k.load(v.buffer + 0x20) == 0x80 && v.k.load(v.buffer + 0x30) == 3)
    // DELETE, SYNCHRONIZE, generic read and write; FILE_SYNCHRONOUS_IO_NONALERT
    #expect(try v.k.load(v.buffer + 0x4c) == 0x13_019f && v.k.load(v.buffer + 0x58) == 0x20)
    let name = #"\dir\A name that is long.text"#
    #expect(try v.k.load(v.buffer + 0x60) == UInt32(name.utf16.count * 2))
    #expect(try v.units(name.utf16.count * 2, at: 0x64) == name)
    #expect(try v.information() == UInt32(0x64 + name.utf16.count * 2))
    // FileNameInformation into a short buffer: as much as fits.
    #expect(try v.query(file, 9, 12) == .bufferOverflow)
    #expect(try v.information() == 12 && v.units(8, at: 4) == #"\dir"#)
    #expect(try v.query(file, 9, 4) == .infoLengthMismatch)
    // FileAlternateNameInformation
    #expect(try v.query(file, 21) == .success && v.units(24, at: 4) == "ANAMET~1.TEX")
    #expect(try v.query(file, 99) == .invalidInfoClass)
    // FileNetworkOpenInformation, FileAttributeTagInformation, FileInternalInformation
    #expect(try v.query(file, 34) == .success && v.k.load(v.buffer + 0x28) == 3 && v.k.load(v.buffer + 0x30) == 0x80)
    #expect(try v.query(file, 35) == .success && v.query(file, 6) == .success && v.k.load(v.buffer) > 5)
    // A device that is no file's.
    try v.g.acceptFiles()
    _ = try v.g.device(#"\Device\Demo"#)
    #expect(try v.query(v.g.open(#"\Device\Demo"#), 5) == .invalidDeviceRequest)
  }

  @Test("times and attributes can be set: ZwSetInformationFile") func basic() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    let times: [Int64] = [0x0100_0000_0000_0000, 0, -1, 0]
    #expect(try v.set(file, 4, times.flatMap { VolumeGuest.bytes($0) } + [0x02, 0, 0, 0, 0, 0, 0, 0]) == .success)
    #expect(try v.query(file, 4) == .success)
    #expect(try v.k.load(v.buffer + 4) == 0x0100_0000 && v.k.load(v.buffer + 0x14) == 0x01c9_0000 && v.k.load(v.buffer + 0x20) == 2)
    #expect(try v.set(file, 4, [UInt8](repeating: 0, count: 32) + [0x10, 0, 0, 0, 0, 0, 0, 0]) == .invalidParameter)
    #expect(try v.set(file, 5, [UInt8](repeating: 0, count: 24)) == .invalidInfoClass)
    #expect(try v.set(file, 4, [0]) == .infoLengthMismatch)
  }

  /// `FILE_RENAME_INFORMATION`
  private func rename(_ name: String, root: UInt32 = 0, replaces: UInt8 = 0) -> [UInt8] {
    let units = Array(name.utf16)
    return [replaces, 0, 0, 0] + VolumeGuest.bytes(root) + VolumeGuest.bytes(UInt32(units.count * 2)) + units.flatMap(VolumeGuest.bytes)
      + [0, 0]
  }

  @Test("a file gets another name, in its directory or in another one") func renames() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    #expect(try v.set(file, 10, rename("other.txt")) == .success)
    #expect(try v.query(file, 9) == .success && v.units(28, at: 4) == #"\dir\other.txt"#)
    #expect(try v.set(file, 10, rename("locked.bin")) == .objectNameCollision)
    #expect(try v.set(file, 10, rename("locked.bin", replaces: 1)) == .accessDenied)
    #expect(try v.set(file, 10, rename(#"\??\C:\empty\moved.txt"#)) == .success)
    #expect(try v.create(#"\??\C:\empty\moved.txt"#) == .success)
    #expect(try v.create(#"\??\C:\dir\other.txt"#) == .objectNameNotFound)
    #expect(try v.set(file, 10, rename(#"\??\C:\none\moved.txt"#)) == .objectPathNotFound)
    #expect(try v.set(file, 10, rename("a:b")) == .objectNameInvalid)
    // A directory does not go below itself.
    #expect(try v.set(v.opened(#"\??\C:\empty"#), 10, rename(#"\??\C:\empty\below"#)) == .invalidParameter)
  }

  @Test(
    "NtQueryFullAttributesFile and NtQueryAttributesFile, ZwQueryFullAttributesFile and ZwQueryAttributesFile", arguments: ["Nt", "Zw"])
  func attributesByName(prefix: String) throws {
    let v = try VolumeGuest()
    if prefix == "Nt" { try v.k.map(1, in: v.k.notepad) }
    let buffer = prefix == "Nt" ? v.k.buffer : v.buffer
    let attributes = try v.g.attributes(#"\??\C:\dir\hello.txt"#)
    #expect(try v.g.status(prefix + "QueryFullAttributesFile", attributes, buffer) == .success)
    #expect(try v.k.load(buffer + 0x28) == 12)
    #expect(try v.g.status(prefix + "QueryAttributesFile", attributes, buffer) == .success)
    #expect(try v.k.load(buffer + 0x20) == 0x80)
    let none = try v.g.attributes(#"\??\C:\dir\none"#)
    #expect(try v.g.status(prefix + "QueryAttributesFile", none, buffer) == .objectNameNotFound)
    #expect(try v.g.status(prefix + "QueryFullAttributesFile", none, buffer) == .objectNameNotFound)
  }

  @Test(
    "a volume says what it is: NtQueryVolumeInformationFile, NtSetVolumeInformationFile, ZwSetVolumeInformationFile",
    arguments: ["Nt", "Zw"]) func volume(prefix: String) throws
  {
    let v = try VolumeGuest()
    if prefix == "Nt" { try v.k.map(1, in: v.k.notepad) }
    let (block, buffer) = prefix == "Nt" ? (v.k.buffer, v.k.buffer + 0x100) : (v.block, v.buffer)
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    func query(_ kind: UInt64, _ length: UInt64 = 0x80) throws -> NTSTATUS {
      try v.g.status(prefix + "QueryVolumeInformationFile", file, block, buffer, length, kind)
    }
    func text(_ count: UInt64, _ offset: UInt64) throws -> String {
      String(decoding: try (0..<count).map { try v.k.half(buffer + offset + 2 * $0) }, as: UTF16.self)
    }
    // FileFsVolumeInformation, FileFsDeviceInformation, FileFsAttributeInformation
    #expect(try query(1) == .success && v.k.load(buffer + 8) == 0x1234_5678 && text(6, 18) == "System")
    #expect(try query(4) == .success && v.k.load(buffer) == 7 && v.k.load(buffer + 4) == 0x20)
    #expect(try query(5) == .success && v.k.load(buffer + 4) == 255 && text(4, 12) == "NTFS")
    #expect(try query(7) == .success && v.k.load(buffer) == 256)
    #expect(try query(1, 8) == .infoLengthMismatch)
    #expect(try query(77) == .invalidInfoClass)
    // FileFsLabelInformation
    try v.k.store([4, 0x42_0041], at: buffer)
    let volume = try v.opened(#"\??\C:"#)
    #expect(try v.g.status(prefix + "SetVolumeInformationFile", volume, block, buffer, 8, 2) == .success)
    #expect(try query(1) == .success && text(2, 18) == "AB")
    try v.k.store([5, 0], at: buffer)
    #expect(try v.g.status(prefix + "SetVolumeInformationFile", volume, block, buffer, 8, 2) == .invalidParameter)
    #expect(try v.g.status(prefix + "SetVolumeInformationFile", volume, block, buffer, 8, 3) == .invalidInfoClass)
  }

  @Test("a disk tells its name to those who open it") func disk() throws {
    let v = try VolumeGuest()
    // FILE_READ_ATTRIBUTES | SYNCHRONIZE: beside the file system.
    let disk = try v.opened(#"\Device\HarddiskVolume1"#, access: 0x10_0080)
    #expect(try UInt64(v.g.call("IoGetRelatedDeviceObject", v.file(disk).address)) == v.volume.storageDevice.address)
    // IOCTL_MOUNTDEV_QUERY_DEVICE_NAME
    #expect(try v.g.status("ZwDeviceIoControlFile", disk, 0, 0, 0, v.block, 0x4d_0008, 0, 0, v.buffer, 0x100) == .success)
    #expect(try v.k.half(v.buffer) == 46 && v.units(46, at: 2) == #"\Device\HarddiskVolume1"#)
    #expect(try v.g.status("ZwDeviceIoControlFile", disk, 0, 0, 0, v.block, 0x4d_0008, 0, 0, v.buffer, 4) == .bufferOverflow)
    #expect(try v.g.status("ZwDeviceIoControlFile", disk, 0, 0, 0, v.block, 0x22_2000, 0, 0, 0, 0) == .invalidDeviceRequest)
  }
}

@Suite("Files of a volume: directories") struct DirectoryTests {
  /// The names that a directory is listed with, one query after another.
  private func list(
    _ v: VolumeGuest, _ handle: UInt64, _ pattern: String?, kind: UInt64 = 12, length: UInt64 = 0x200, single: Bool = false,
    prefix: String = "Zw"
  ) throws -> [String] {
    let (nameLength, name): (UInt64, UInt64) =
      [1: (0x3c, 0x40), 2: (0x3c, 0x44), 3: (0x3c, 0x5e), 37: (0x3c, 0x68), 38: (0x3c, 0x50)][kind] ?? (8, 12)
    var (names, isFirst): ([String], Bool) = ([], true)
    while true {
      let status = try v.g.status(
        prefix + "QueryDirectoryFile", handle, 0, 0, 0, v.block, v.buffer, length, kind, single ? 1 : 0,
        pattern.map { try v.g.string($0) } ?? 0, isFirst ? 1 : 0)
      isFirst = false
      if status == .noMoreFiles || status == .noSuchFile { return status == .noSuchFile ? ["none"] : names }
      try #require(status == .success)
      var offset: UInt64 = 0
      repeat {
        let next = UInt64(try v.k.load(v.buffer + offset))
        names.append(try v.units(Int(v.k.load(v.buffer + offset + nameLength)), at: offset + name))
        offset += next
        if next == 0 { break }
      } while true
    }
  }

  @Test(arguments: [1, 2, 3, 12, 37, 38] as [UInt64]) func everyClass(kind: UInt64) throws {
    let v = try VolumeGuest()
    let all = [".", "..", "A name that is long.text", "hello.txt", "locked.bin"]
    #expect(try list(v, v.opened(#"\??\C:\dir"#), nil, kind: kind) == all)
    #expect(try list(v, v.opened(#"\??\C:\dir"#), nil, kind: kind, length: 0x100) == all)
    #expect(try list(v, v.opened(#"\??\C:\dir"#), nil, kind: kind, single: true) == all)
    #expect(try list(v, v.opened(#"\??\C:\"#), nil, kind: kind) == ["dir", "empty"])
  }

  @Test("the pattern is that of the first query") func patterns() throws {
    let v = try VolumeGuest()
    #expect(try list(v, v.opened(#"\??\C:\dir"#), "*.txt") == ["hello.txt"])
    #expect(try list(v, v.opened(#"\??\C:\dir"#), "HELLO.TXT") == ["hello.txt"])
    // A short name matches, too.
    #expect(try list(v, v.opened(#"\??\C:\dir"#), "ANAMET~1.TEX") == ["A name that is long.text"])
    #expect(try list(v, v.opened(#"\??\C:\dir"#), "*.none") == ["none"])
    let directory = try v.opened(#"\??\C:\dir"#)
    #expect(try list(v, directory, "hello.*") == ["hello.txt"])
    #expect(try list(v, directory, "*") == ["hello.txt"])
  }

  @Test("a buffer that is too short, and a class that is none") func refusals() throws {
    let v = try VolumeGuest()
    let directory = try v.opened(#"\??\C:\dir"#)
    func query(_ length: UInt64, _ kind: UInt64, _ handle: UInt64) throws -> NTSTATUS {
      try v.g.status("NtQueryDirectoryFile", handle, 0, 0, 0, v.k.buffer, v.k.buffer + 8, length, kind, 0, 0, 0)
    }
    try v.k.map(1, in: v.k.notepad)
    #expect(try query(8, 3, directory) == .infoLengthMismatch)
    #expect(try query(0x100, 4, directory) == .invalidInfoClass)
    #expect(try query(0x100, 3, v.opened(#"\??\C:\dir\hello.txt"#)) == .invalidParameter)
    // The first name does not fit: as much of it as does.
    let long = try v.opened(#"\??\C:\dir"#)
    #expect(
      try v.g.status("ZwQueryDirectoryFile", long, 0, 0, 0, v.block, v.buffer, 20, 12, 0, v.g.string("A*"), 0) == .bufferOverflow)
    #expect(try v.k.load(v.buffer + 8) == 48 && v.units(8, at: 12) == "A na")
  }
}
