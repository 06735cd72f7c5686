import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Files of a volume: data") struct TransferTests {
  @Test("a synchronous file's position follows its transfers") func position() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    #expect(try v.read(file, 5) == .success)
    #expect(try v.text() == "hello")
    #expect(try v.read(file, 100) == .success)
    #expect(try v.text() == ", world")
    #expect(try v.read(file, 1) == .endOfFile)
    // FilePositionInformation
    #expect(try v.query(file, 14) == .success && v.k.load(v.buffer) == 12)
    #expect(try v.set(file, 14, VolumeGuest.bytes(Int64(7))) == .success)
    #expect(try v.read(file, 5, at: -2) == .success)
    #expect(try v.text() == "world")
    #expect(try v.read(file, 5, at: -3) == .invalidParameter)
  }

  @Test("a write makes a file longer, with zeros between") func extending() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    #expect(try v.write(file, [1, 2, 3], at: 0x1800) == .success)
    #expect(try v.information() == 3)
    #expect(try v.read(file, 0x2000, at: 0) == .success)
    #expect(try v.information() == 0x1803 && v.bytes(13)[12] == 0 && v.bytes(3, at: 0x1800) == [1, 2, 3])
    // FILE_WRITE_TO_END_OF_FILE
    #expect(try v.write(file, [4], at: -1) == .success)
    // FileStandardInformation
    #expect(try v.query(file, 5) == .success)
    #expect(try v.k.load(v.buffer) == 0x2000 && v.k.load(v.buffer + 8) == 0x1804 && v.k.load(v.buffer + 16) == 1)
    // FileEndOfFileInformation
    #expect(try v.set(file, 20, VolumeGuest.bytes(Int64(2))) == .success)
    #expect(try v.set(file, 20, VolumeGuest.bytes(Int64(0x1804))) == .success)
    #expect(try v.read(file, 0x2000, at: 0) == .success)
    #expect(try v.bytes(4) == [0x68, 0x65, 0, 0] && v.bytes(3, at: 0x1800) == [0, 0, 0])
    #expect(try v.set(file, 20, VolumeGuest.bytes(Int64(-1))) == .invalidParameter)
  }

  @Test("appending is all that FILE_APPEND_DATA allows") func appending() throws {
    let v = try VolumeGuest()
    #expect(try v.create(#"\??\C:\dir\hello.txt"#, access: 0x10_0005) == .success)
    let file = try v.handle()
    #expect(try v.write(file, Array("!".utf8), at: 0) == .success)
    #expect(try v.read(file, 20, at: 0) == .success)
    #expect(try v.text() == "hello, world!")
  }

  @Test("a volume is full at its size") func full() throws {
    let v = try VolumeGuest(size: 0x1_0000)
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    #expect(try v.write(file, [1], at: 0x1_0000) == .diskFull)
    #expect(try v.set(file, 20, VolumeGuest.bytes(Int64(0x8000))) == .success)
    // FileFsSizeInformation: units of 4 KiB
    #expect(try v.g.status("ZwQueryVolumeInformationFile", file, v.block, v.buffer, 24, 3) == .success)
    #expect(try v.k.load(v.buffer) == 16 && v.k.load(v.buffer + 8) == 6 && v.k.load(v.buffer + 16) == 8 && v.k.load(v.buffer + 20) == 512)
  }

  @Test("requests that a file cannot answer") func refusals() throws {
    let v = try VolumeGuest()
    let directory = try v.opened(#"\??\C:\dir"#)
    #expect(try v.read(directory, 4, at: 0) == .invalidDeviceRequest)
    // FILE_NO_INTERMEDIATE_BUFFERING: whole sectors.
    let unbuffered = try v.opened(#"\??\C:\dir\hello.txt"#, options: 8)
    #expect(try v.read(unbuffered, 4, at: 0) == .invalidParameter)
    #expect(try v.read(unbuffered, 512, at: 0) == .success)
    #expect(try v.information() == 12)
    // A buffer that is none of the user's.
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    #expect(try v.g.status("ZwReadFile", file, 0, 0, 0, v.block, 0x10_0000, 5, 0, 0) == .invalidUserBuffer)
    // Without FILE_SYNCHRONOUS_IO there is no position.
    #expect(try v.g.status("ZwOpenFile", v.handlePlace, 1, v.g.attributes(#"\??\C:\dir\hello.txt"#), v.block, 7, 0) == .success)
    #expect(try v.read(v.handle(), 4) == .invalidParameter)
  }

  @Test("what kernel mode may, user mode needs rights and its own memory for") func userMode() throws {
    let v = try VolumeGuest()
    try v.k.map(2, in: v.k.notepad)
    let (place, block, buffer) = (v.k.buffer, v.k.buffer + 8, v.k.buffer + 0x100)
    let attributes = try v.g.attributes(#"\??\C:\dir\hello.txt"#)
    // SYNCHRONIZE | FILE_READ_ATTRIBUTES
    #expect(try v.g.status("NtOpenFile", place, 0x10_0080, attributes, block, 7, 0x20) == .success)
    let file = UInt64(try v.k.load(place))
    #expect(try v.g.status("NtReadFile", file, 0, 0, 0, block, buffer, 5, 0, 0) == .accessDenied)
    #expect(try v.g.status("NtQueryInformationFile", file, block, buffer, 40, 4) == .success)
    #expect(try v.k.load(buffer + 16) == 0 && v.k.load(buffer + 20) == 0x01c9_0000 && v.k.load(buffer + 32) == 0x80)
    #expect(try v.g.status("NtQueryInformationFile", file, block, v.buffer, 40, 4) == .accessViolation)
    #expect(try v.g.status("NtSetInformationFile", file, block, buffer, 1, 13) == .accessDenied)
  }

  @Test("NtLockFile and NtUnlockFile, ZwLockFile and ZwUnlockFile", arguments: ["Nt", "Zw"]) func locks(prefix: String) throws {
    let v = try VolumeGuest()
    let (first, second) = (try v.opened(#"\??\C:\dir\hello.txt"#), try v.opened(#"\??\C:\dir\hello.txt"#))
    if prefix == "Nt" { try v.k.map(1, in: v.k.notepad) }
    let block = prefix == "Nt" ? v.k.buffer : v.block
    let (offset, length) = (try v.g.space(), try v.g.space())
    try v.k.store([2, 0], at: offset)
    try v.k.store([3, 0], at: length)
    // Exclusively, without waiting.
    #expect(try v.g.status(prefix + "LockFile", first, 0, 0, 0, block, offset, length, 0, 1, 1) == .success)
    #expect(try v.g.status(prefix + "LockFile", second, 0, 0, 0, block, offset, length, 0, 1, 0) == .lockNotGranted)
    #expect(try v.read(second, 5, at: 0) == .fileLockConflict)
    #expect(try v.read(second, 2, at: 0) == .success)
    #expect(try v.read(first, 5, at: 0) == .success)
    #expect(try v.g.status(prefix + "UnlockFile", second, block, offset, length, 0) == .rangeNotLocked)
    #expect(try v.g.status(prefix + "UnlockFile", first, block, offset, length, 0) == .success)
    #expect(try v.read(second, 5, at: 0) == .success)
  }

  @Test("NtFlushBuffersFile and NtFsControlFile, ZwFlushBuffersFile and ZwFsControlFile", arguments: ["Nt", "Zw"]) func flushAndControl(
    prefix: String
  ) throws {
    let v = try VolumeGuest()
    if prefix == "Nt" { try v.k.map(1, in: v.k.notepad) }
    let (block, buffer) = prefix == "Nt" ? (v.k.buffer, v.k.buffer + 16) : (v.block, v.buffer)
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    #expect(try v.g.status(prefix + "FlushBuffersFile", file, block) == .success)
    #expect(try v.g.status(prefix + "FlushBuffersFile", 0x44, block) == .invalidHandle)
    let volume = try v.opened(#"\??\C:"#)
    func control(_ handle: UInt64, _ code: UInt64, _ length: UInt64 = 0) throws -> NTSTATUS {
      try v.g.status(prefix + "FsControlFile", handle, 0, 0, 0, block, code, 0, 0, buffer, length)
    }
    // FSCTL_IS_VOLUME_MOUNTED, FSCTL_GET_COMPRESSION, FSCTL_LOCK_VOLUME
    #expect(try control(file, 0x9_0028) == .success)
    #expect(try control(file, 0x9_003c, 2) == .success)
    #expect(try v.k.half(buffer) == 0)
    #expect(try control(volume, 0x9_0018) == .accessDenied)
    try v.close(file)
    #expect(try control(volume, 0x9_0018) == .success)
    #expect(try control(volume, 0x9_001c) == .success)
    #expect(try control(volume, 0x9_001c) == .notLocked)
    #expect(try control(volume, 0x9_ffff) == .invalidDeviceRequest)
  }
}
