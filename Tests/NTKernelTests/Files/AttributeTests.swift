import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Extended attributes and reparse points") struct AttributeTests {
  /// `FILE_FULL_EA_INFORMATION`, one behind the other.
  private func list(_ attributes: [(name: String, value: String)]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (index, (name, value)) in attributes.enumerated() {
      let size = 8 + name.utf8.count + 1 + value.utf8.count
      let next = index == attributes.count - 1 ? 0 : (size + 3) & ~3
      bytes += [UInt8(next), 0, 0, 0, 0, UInt8(name.utf8.count), UInt8(value.utf8.count), 0] + Array(name.utf8) + [0] + Array(value.utf8)
      if next > 0 { bytes += Array(repeating: 0, count: next - size) }
    }
    return bytes
  }

  private func set(_ v: VolumeGuest, _ handle: UInt64, _ attributes: [(String, String)]) throws -> NTSTATUS {
    let bytes = list(attributes)
    try v.k.memory.memory.write(bytes, at: v.buffer)
    return try v.g.status("ZwSetEaFile", handle, v.block, v.buffer, UInt64(bytes.count))
  }

  private func query(
    _ v: VolumeGuest, _ handle: UInt64, length: UInt64 = 0x100, single: UInt64 = 0, names: [UInt8] = [], index: UInt32? = nil,
    restart: UInt64 = 0
  ) throws -> (NTSTATUS, [UInt8]) {
    let (wanted, place) = (try v.g.space(0x40), try v.g.space())
    try v.k.memory.memory.write(names, at: wanted)
    if let index { try v.k.store(index, at: place) }
    let status = try v.g.status(
      "ZwQueryEaFile", handle, v.block, v.buffer + 0x1000, length, single, names.isEmpty ? 0 : wanted, UInt64(names.count),
      index == nil ? 0 : place, restart)
    return (status, try v.k.memory.memory.bytes(status.isSuccess ? Int(v.information()) : 0, at: v.buffer + 0x1000))
  }

  @Test("attributes are set, listed, found by name, and go where they get no value") func attributes() throws {
    let v = try VolumeGuest()
    let handle = try v.opened(#"\??\C:\dir\hello.txt"#)
    #expect(try query(v, handle).0.rawValue == 0xc000_0052)
    #expect(try set(v, handle, [("first", "1"), ("SECOND", "22")]) == .success)
    let all = list([("FIRST", "1"), ("SECOND", "22")])
    #expect(try query(v, handle, restart: 1) == (.success, all))
    // The scan goes on where it was: behind the last.
    #expect(try query(v, handle).0.rawValue == 0x8000_0012)
    #expect(try query(v, handle, single: 1, restart: 1) == (.success, list([("FIRST", "1")])))
    #expect(try query(v, handle) == (.success, list([("SECOND", "22")])))
    #expect(try query(v, handle, index: 2) == (.success, list([("SECOND", "22")])))
    #expect(try query(v, handle, index: 3).0.rawValue == 0x8000_0012)
    #expect(try query(v, handle, index: 4).0.rawValue == 0xc000_0051)
    #expect(try query(v, handle, length: 16, restart: 1).0 == .bufferOverflow)
    #expect(try query(v, handle, names: [0, 0, 0, 0, 6] + Array("second\0".utf8)) == (.success, list([("SECOND", "22")])))
    #expect(try query(v, handle, names: [0, 0, 0, 0, 4] + Array("none\0".utf8)) == (.success, list([("NONE", "")])))
    #expect(try query(v, handle, names: [0, 0, 0, 0, 60, 0x61]).0 == .eaListInconsistent)
    #expect(try query(v, handle, names: [0, 0, 0, 0, 1, 0x2a, 0]).0.rawValue == 0x8000_0013)
    let size = try v.g.space()
    #expect(try v.g.status("ZwQueryInformationFile", handle, v.block, size, 4, 7) == .success)
    #expect(try v.k.load(size) == 4 + 11 + 13)
    #expect(try set(v, handle, [("FIRST", "")]) == .success)
    #expect(try query(v, handle, restart: 1) == (.success, list([("SECOND", "22")])))
    #expect(try set(v, handle, [("a*b", "1")]).rawValue == 0x8000_0013)
    #expect(try v.g.status("ZwSetEaFile", handle, v.block, v.buffer, 4) == .eaListInconsistent)
    #expect(try v.g.status("NtQueryEaFile", handle, v.block, v.buffer, 0x100, 0, 0, 0, 0, 1) == .accessViolation)
    #expect(try v.g.status("NtSetEaFile", handle, v.block, v.buffer, 0x100) == .accessViolation)
  }

  @Test("FAT32 has no attributes, and CDFS no request for them", arguments: [FileSystemKind.fat32, .cdfs]) func others(kind: FileSystemKind)
    throws
  {
    let v = try VolumeGuest(kind)
    let handle = try v.opened(#"\??\C:\dir\hello.txt"#, access: 0x8010_0000)
    #expect(try query(v, handle).0.rawValue == (kind == .fat32 ? 0xc000_004f : NTSTATUS.invalidDeviceRequest.rawValue))
  }

  @Test("a filter asks below itself: FltQueryEaFile, FltSetEaFile") func ofFilters() throws {
    let f = try FilterGuest(target: .windows7_x86)
    let instance = try f.instance(of: f.start())
    let file = try f.fileObject(f.open())
    let (buffer, count) = (try f.g.space(0x40), try f.g.space())
    let bytes = list([("NAME", "value")])
    try f.k.memory.memory.write(bytes, at: buffer)
    #expect(try f.g.status("FltQueryEaFile", instance, file, buffer, 0x40, 0, 0, 0, 0, 1, count).rawValue == 0xc000_0052)
    #expect(try f.g.status("FltSetEaFile", instance, file, buffer, UInt64(bytes.count)) == .success)
    try f.k.memory.memory.fill(0, count: 0x40, at: buffer)
    #expect(try f.g.status("FltQueryEaFile", instance, file, buffer, 0x40, 0, 0, 0, 0, 1, count) == .success)
    #expect(try f.k.memory.memory.bytes(Int(f.k.load(count)), at: buffer) == bytes)
    #expect(try f.g.status("FltSetEaFile", instance, file, buffer, 4) == .eaListInconsistent)
  }

  // MARK: Reparse points

  /// `REPARSE_DATA_BUFFER` of a mount point.
  private func mountPoint(to target: String, tag: UInt32 = 0xa000_0003) -> [UInt8] {
    func half(_ value: Int) -> [UInt8] { [UInt8(value & 0xff), UInt8(value >> 8)] }
    let text = Array(target.utf16).flatMap { half(Int($0)) }
    let isLink = tag == 0xa000_000c
    let data = half(0) + half(text.count) + half(text.count + 2) + half(0) + (isLink ? [0, 0, 0, 0] : []) + text + [0, 0, 0, 0]
    return (0..<4).map { UInt8(truncatingIfNeeded: tag >> (8 * $0)) } + half(data.count) + [0, 0] + data
  }

  private func tag(_ v: VolumeGuest, _ handle: UInt64, _ bytes: [UInt8], code: UInt64 = 0x9_00a4) throws -> NTSTATUS {
    try v.k.memory.memory.write(bytes, at: v.buffer)
    return try v.g.status("ZwFsControlFile", handle, 0, 0, 0, v.block, code, v.buffer, UInt64(bytes.count), 0, 0)
  }

  @Test("a mount point leads elsewhere; whoever opens it as it is can take it away") func junctions() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    #expect(try tag(v, file, mountPoint(to: #"\??\C:\dir"#)) == .notADirectory)
    let full = try v.opened(#"\??\C:\dir"#, options: 1)
    #expect(try tag(v, full, mountPoint(to: #"\??\C:\empty"#)) == .directoryNotEmpty)
    let empty = try v.opened(#"\??\C:\empty"#, options: 1)
    #expect(try tag(v, empty, mountPoint(to: #"\??\C:\dir"#).dropLast()).rawValue == 0xc000_0278)
    #expect(try tag(v, empty, mountPoint(to: #"\??\C:\dir"#)) == .success)
    // By way of it, its target; itself only where that is asked for.
    #expect(try v.create(#"\??\C:\empty\hello.txt"#) == .success)
    #expect(try v.read(v.handle(), 5) == .success)
    #expect(try v.create(#"\??\C:\empty\none.txt"#) == .objectNameNotFound)
    #expect(try v.create(#"\??\C:\empty"#, disposition: 2, options: 1) == .objectNameCollision)
    let own = try v.opened(#"\??\C:\empty"#, options: 0x20_0001)
    #expect(try tag(v, own, [3, 0, 0, 0xa0, 0, 0, 0, 0], code: 0x9_00ac) == .success)
    #expect(try tag(v, own, [3, 0, 0, 0xa0, 0, 0, 0, 0], code: 0x9_00ac).rawValue == 0xc000_0275)
    #expect(try tag(v, own, [3, 0, 0, 0xa0, 1, 0, 0, 0], code: 0x9_00ac).rawValue == 0xc000_0278)
    #expect(try v.create(#"\??\C:\empty\hello.txt"#) == .objectNameNotFound)
    // A loop of them ends.
    #expect(try tag(v, own, mountPoint(to: #"\??\C:\empty"#)) == .success)
    #expect(try v.create(#"\??\C:\empty\hello.txt"#) == .objectNameNotFound)
  }

  @Test("symbolic links are followed from Windows Vista on", arguments: [Target.windowsXP_x86, .windows7_x86])
  func symbolicLinks(target: Target) throws {
    let f = try FilterGuest(target: target)
    let handle = try f.open(#"\??\C:\link"#, disposition: 2)
    let bytes = mountPoint(to: #"\??\C:\Long directory\notes.txt"#, tag: 0xa000_000c)
    let buffer = try f.g.space(0x100)
    try f.k.memory.memory.write(bytes, at: buffer)
    #expect(
      try f.g.status("ZwFsControlFile", handle, 0, 0, 0, f.g.space(), 0x9_00a4, buffer, UInt64(bytes.count), 0, 0) == .success)
    let isFollowed = target == .windows7_x86
    let link = try f.open(#"\??\C:\link"#, expect: isFollowed ? .success : NTSTATUS(rawValue: 0xc000_0279))
    if isFollowed { #expect(try String(decoding: f.read(link, 5), as: UTF8.self) == "hello") }
  }

  @Test("a file is opened by its identifier; one that is gone is told from one that was never there") func deletion() throws {
    let f = try FilterGuest()
    let instance = try f.instance(of: f.start())
    let handle = try f.open(#"\??\C:\doomed"#, disposition: 2)
    let file = try f.fileObject(handle)
    let (information, count) = (try f.g.space(24), try f.g.space())
    #expect(try f.g.status("FltQueryInformationFile", instance, file, information, 8, 6, count) == .success)
    // The identifier as a name, from a directory of the volume.
    let id = UInt16(truncatingIfNeeded: try f.k.load(information))
    func openByID(_ id: UInt16) throws -> NTSTATUS {
      let (name, attributes, place, block) = (try f.g.space(0x20), try f.g.space(0x18), try f.g.space(), try f.g.space())
      try f.k.store([8 | 8 << 16, UInt32(name + 8), UInt32(id), 0], at: name)
      let root = try f.open(#"\??\C:\Long directory"#)
      try f.k.store([0x18, UInt32(root), UInt32(name), 0x240, 0, 0], at: attributes)
      return try f.g.status("ZwCreateFile", place, 0x12_0080, attributes, block, 0, 0, 7, 1, 0x2020, 0, 0)
    }
    #expect(try openByID(id) == .success)
    #expect(try openByID(0x7fff) == .invalidParameter)
    let object = try f.g.space(0x40)
    #expect(try f.g.status("FltFsControlFile", instance, file, 0x9_009c, 0, 0, object, 0x40, count).rawValue == 0xc000_02f0)
    // Deleted by its disposition: the filter asks when the last handle is gone.
    try f.k.memory.memory.store(UInt8(1), at: information)
    var answers: [NTSTATUS] = []
    f.g.routine(at: FilterGuest.pre, 3) { _ in 5 }
    f.g.routine(at: FilterGuest.post, 4) { arguments in
      let target = UInt64(try f.k.load(arguments[1] + 0x10))
      let own = UInt64(try f.k.load(arguments[1] + 0xc))
      answers.append(try f.g.status("FltQueryInformationFile", own, target, information, 24, 5, count))
      answers.append(try f.g.status("FltFsControlFile", own, target, 0x9_009c, 0, 0, object, 0x40, count))
      return 0
    }
    _ = try f.other(
      "watcher", altitude: "380000", [0xc: f.operations([(0x12, 0, FilterGuest.pre, FilterGuest.post)])])
    let last = try f.out {
      try f.g.status(
        "ZwCreateFile", $0, 0x13_0080, f.g.attributes(#"\??\C:\alone"#), f.g.space(), 0, 0x80, 7, 2, 0x1020, 0, 0)
    }
    try f.g.call("ZwClose", last)
    #expect(answers == [NTSTATUS(rawValue: 0xc000_0123), NTSTATUS(rawValue: 0xc000_0123)])
    // Of a stream that is gone the file is still there.
    answers = []
    let stream = try f.out {
      try f.g.status(
        "ZwCreateFile", $0, 0x13_0080, f.g.attributes(#"\??\C:\Long directory\notes.txt:gone"#), f.g.space(), 0, 0x80, 7, 2, 0x1020, 0,
        0)
    }
    try f.g.call("ZwClose", stream)
    #expect(answers.map(\.rawValue) == [0xc000_0123, 0xc000_02f0])
  }
}
