import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Directories of objects, links and handles") struct ObjectCallTests {
  /// Calls a routine that leaves a handle, and returns it.
  private func handle(_ v: VolumeGuest, _ name: String, _ path: String, _ more: UInt64...) throws -> (NTSTATUS, UInt64) {
    let place = try v.g.space()
    let status = NTSTATUS(rawValue: UInt32(try v.g.call(name, [place, 1, v.g.attributes(path)] + more)))
    return (status, UInt64(try v.k.load(place)))
  }

  @Test("a directory lists what it holds, by name") func directories() throws {
    let v = try VolumeGuest()
    let (status, directory) = try handle(v, "ZwOpenDirectoryObject", #"\Device"#)
    #expect(status == .success)
    #expect(try handle(v, "ZwOpenDirectoryObject", #"\None"#).0 == .objectNameNotFound)
    #expect(try handle(v, "ZwOpenDirectoryObject", #"\Device\HarddiskVolume1"#).0 == .objectTypeMismatch)
    let (context, needed) = (try v.g.space(), try v.g.space())
    var names: [String] = []
    func name(_ offset: UInt64) throws -> String {
      let text = UInt64(try v.k.load(v.buffer + offset + 4))
      return try v.units(Int(v.k.half(v.buffer + offset)), at: text - v.buffer)
    }
    func query(_ length: UInt64, single: UInt64, restart: UInt64) throws -> NTSTATUS {
      try v.g.status("ZwQueryDirectoryObject", directory, v.buffer, length, single, restart, context, needed)
    }
    for index in 0..<40 {
      let status = try query(0x200, single: 1, restart: index == 0 ? 1 : 0)
      if status == .noMoreEntries { break }
      try #require(status == .success)
      names.append(try name(0) + " " + name(8))
    }
    #expect(names.contains("HarddiskVolume1 Device") && names.contains("Harddisk0 Directory") && names.contains("Null Device"))
    #expect(names == names.sorted { $0.lowercased() < $1.lowercased() })
    #expect(try query(0x20, single: 1, restart: 1) == .bufferTooSmall)
    #expect(try v.k.load(needed) > 0x20)
    let (_, root) = try handle(v, "ZwOpenDirectoryObject", #"\"#)
    #expect(try v.g.status("ZwQueryDirectoryObject", root, v.buffer, 0x60, 0, 1, context, needed) == .moreEntries)
    #expect(try v.g.status("ZwQueryDirectoryObject", root, v.buffer, 0x1000, 0, 0, context, needed) == .success)
    #expect(try v.g.status("ZwQueryDirectoryObject", root, v.buffer, 0x1000, 0, 0, context, needed) == .noMoreEntries)
  }

  @Test("directories and links are made, last while they are used or are permanent, and are followed") func links() throws {
    let v = try VolumeGuest()
    #expect(try handle(v, "ZwCreateDirectoryObject", #"\Own"#).0 == .success)
    #expect(try handle(v, "ZwCreateDirectoryObject", #"\Own"#).0 == .objectNameCollision)
    let target = try v.g.string(#"\Device\HarddiskVolume1"#)
    let (status, link) = try handle(v, "ZwCreateSymbolicLinkObject", #"\Own\Disk"#, target)
    #expect(status == .success)
    #expect(try v.create(#"\Own\Disk\dir\hello.txt"#) == .success)
    let (found, opened) = try handle(v, "ZwOpenSymbolicLinkObject", #"\??\C:"#)
    #expect(found == .success)
    #expect(try handle(v, "ZwOpenSymbolicLinkObject", #"\??\Q:"#).0 == .objectNameNotFound)
    let (string, needed) = (try v.g.space(), try v.g.space())
    try v.k.store([0x100_0000, UInt32(v.buffer)], at: string)
    #expect(try v.g.status("ZwQuerySymbolicLinkObject", opened, string, needed) == .success)
    #expect(try v.k.half(string) == 46 && v.k.load(needed) == 48 && v.units(46, at: 0) == #"\Device\HarddiskVolume1"#)
    try v.k.store([0x8_0000, UInt32(v.buffer)], at: string)
    #expect(try v.g.status("ZwQuerySymbolicLinkObject", opened, string, needed) == .bufferTooSmall)
    try v.close(link)
    #expect(try v.create(#"\Own\Disk\dir\hello.txt"#) == .objectPathNotFound)
    // OBJ_PERMANENT
    let attributes = try v.g.attributes(#"\Own\Kept"#)
    try v.k.store(0x250, at: attributes + 12)
    let place = try v.g.space()
    #expect(try v.g.status("ZwCreateSymbolicLinkObject", place, 1, attributes, target) == .success)
    let kept = UInt64(try v.k.load(place))
    let object = try v.g.space()
    #expect(try v.g.status("ObReferenceObjectByName", v.g.string(#"\Own\Kept"#), 0x140, 0, 0, 0, 0, 0, object) == .success)
    #expect(try v.g.status("ZwMakeTemporaryObject", kept) == .success)
    #expect(try v.g.status("ZwMakeTemporaryObject", 0x7770) == .invalidHandle)
    try v.g.call("ObMakeTemporaryObject", UInt64(v.k.load(object)))
    try v.g.call("ObfDereferenceObject", UInt64(v.k.load(object)))
    #expect(try v.create(#"\Own\Kept\dir"#) == .success)
    try v.close(kept)
    #expect(try v.create(#"\Own\Kept\dir"#) == .objectPathNotFound)
  }

  @Test("objects are found by their names") func byName() throws {
    let v = try VolumeGuest()
    let place = try v.g.space()
    func reference(_ path: String, _ type: UInt64 = 0) throws -> NTSTATUS {
      try v.g.status("ObReferenceObjectByName", v.g.string(path), 0x40, 0, 0, type, 0, 0, place)
    }
    #expect(try reference(#"\FileSystem\Ntfs"#) == .success)
    #expect(try UInt64(v.k.load(place)) == v.volume.device.DriverObject.load().address)
    try v.g.call("ObfDereferenceObject", UInt64(v.k.load(place)))
    #expect(try reference(#"\Driver\Nobodys"#) == .objectNameNotFound)
    let (status, handle) = try handle(v, "ZwOpenDirectoryObject", #"\Driver"#)
    #expect(status == .success)
    _ = handle
    let attributes = try v.g.attributes(#"\FileSystem\Ntfs"#)
    #expect(try v.g.status("ObOpenObjectByName", attributes, 0, 0, 0, 0, 0, place) == .success)
    try v.close(UInt64(v.k.load(place)))
    #expect(try v.g.status("ObOpenObjectByName", v.g.attributes(#"\FileSystem\None"#), 0, 0, 0, 0, 0, place) == .objectNameNotFound)
  }

  @Test("a handle says what it is of, can be protected, and given to another process") func handles() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    let needed = try v.g.space()
    func query(_ kind: UInt64, _ length: UInt64) throws -> NTSTATUS {
      try v.g.status("ZwQueryObject", file, kind, v.buffer, length, needed)
    }
    // Basic, name and type.
    #expect(try query(0, 56) == .success && v.k.load(v.buffer + 4) == 0x13_019f && v.k.load(v.buffer + 8) == 1)
    let name = #"\Device\HarddiskVolume1\dir\hello.txt"#
    #expect(try query(1, 0x200) == .success && v.units(name.utf16.count * 2, at: 8) == name)
    #expect(try query(2, 0x200) == .success && v.units(8, at: 0x60) == "File")
    #expect(try query(1, 8) == .infoLengthMismatch && v.k.load(needed) == UInt32(8 + name.utf16.count * 2 + 2))
    #expect(try query(9, 8) == .invalidInfoClass)
    // ObjectHandleFlagInformation
    try v.k.memory.memory.write([0, 1], at: v.buffer)
    #expect(try v.g.status("ZwSetInformationObject", file, 4, v.buffer, 2) == .success)
    #expect(try v.g.status("ZwSetInformationObject", file, 4, v.buffer, 1) == .infoLengthMismatch)
    #expect(try query(4, 2) == .success && v.bytes(2) == [0, 1])
    // STATUS_HANDLE_NOT_CLOSABLE
    #expect(try v.g.status("ZwClose", file) == NTSTATUS(rawValue: 0xc000_0235))
    try v.k.memory.memory.write([0, 0], at: v.buffer)
    #expect(try v.g.status("ZwSetInformationObject", file, 4, v.buffer, 2) == .success)
    // DUPLICATE_SAME_ACCESS
    let place = try v.g.space()
    #expect(try v.g.status("ZwDuplicateObject", 0xffff_ffff, file, 0xffff_ffff, place, 0, 0x200, 2) == .success)
    let copy = UInt64(try v.k.load(place))
    #expect(try copy != file && v.file(copy) == v.file(file))
    try v.close(file)
    #expect(try v.read(copy, 5, at: 0) == .success)
    // DUPLICATE_CLOSE_SOURCE
    #expect(try v.g.status("ZwDuplicateObject", 0xffff_ffff, copy, 0, 0, 0, 0, 1) == .success)
    #expect(try v.g.status("ZwDuplicateObject", 0xffff_ffff, copy, 0xffff_ffff, place, 0, 0, 2) == .invalidHandle)
  }
}

@Suite("What file systems and their filters call") struct FileSystemRoutineTests {
  @Test("IoCheckShareAccess and IoSetShareAccess, IoUpdateShareAccess and IoRemoveShareAccess") func sharing() throws {
    let v = try VolumeGuest()
    let (counts, first, second) = (try v.g.space(0x1c), try v.g.space(0x70), try v.g.space(0x70))
    func numbers() throws -> [UInt32] { try (0..<7).map { try v.k.load(counts + 4 * $0) } }
    // FILE_READ_DATA, shared for reading
    try v.g.call("IoSetShareAccess", 1, 1, first, counts)
    #expect(try numbers() == [1, 1, 0, 0, 1, 0, 0])
    #expect(try v.g.status("IoCheckShareAccess", 2, 7, second, counts, 1) == .sharingViolation)
    #expect(try v.g.status("IoCheckShareAccess", 1, 7, second, counts, 0) == .success)
    #expect(try numbers()[0] == 1)
    try v.g.call("IoUpdateShareAccess", second, counts)
    #expect(try numbers() == [2, 2, 0, 0, 2, 1, 1])
    try v.g.call("IoRemoveShareAccess", first, counts)
    #expect(try numbers() == [1, 1, 0, 0, 1, 1, 1])
  }

  @Test("volumes, disks and what lies under filters") func volumes() throws {
    let v = try VolumeGuest()
    let place = try v.g.space(0x40)
    let file = try v.file(v.opened(#"\??\C:\dir\hello.txt"#))
    let (disk, device) = (v.volume.storageDevice.address, v.volume.device.address)
    #expect(try v.g.call("IoGetBaseFileSystemDeviceObject", file.address) == device)
    #expect(try v.g.status("IoGetDiskDeviceObject", device, place) == .success && UInt64(v.k.load(place)) == disk)
    #expect(try v.g.status("IoGetDiskDeviceObject", disk, place) == .invalidParameter)
    let driver = try v.volume.device.DriverObject.load().address
    #expect(try v.g.status("IoEnumerateDeviceObjectList", driver, 0, 0, place) == .bufferTooSmall && v.k.load(place) == 2)
    #expect(try v.g.status("IoEnumerateDeviceObjectList", driver, v.buffer, 8, place) == .success && UInt64(v.k.load(v.buffer)) == device)
    for name in ["IoVolumeDeviceToDosName", "RtlVolumeDeviceToDosName"] {
      #expect(try v.g.status(name, disk, place) == .success)
      #expect(try Pointer<UNICODE_STRING>(place, in: v.k.memory.memory).string() == "C:")
      #expect(try v.g.status(name, v.g.device(nil), place) == .objectNameNotFound)
    }
    #expect(try v.g.status("IoQueryFileDosDeviceName", file.address, place) == .success)
    #expect(try Pointer<UNICODE_STRING>(UInt64(v.k.load(place)), in: v.k.memory.memory).string() == #"C:\dir\hello.txt"#)
    #expect(try v.g.status("IoQueryFileInformation", file.address, 5, 24, v.buffer, place) == .success && v.k.load(v.buffer + 8) == 12)
    #expect(try v.g.status("IoQueryFileInformation", file.address, 5, 4, v.buffer, place) == .infoLengthMismatch)
    #expect(try v.g.status("FsRtlGetFileSize", file.address, place) == .success && v.k.load(place) == 12)
    let directory = try v.file(v.opened(#"\??\C:\dir"#))
    #expect(try v.g.status("FsRtlGetFileSize", directory.address, place) == .fileIsADirectory)
    #expect(try v.g.status("IoQueryFileDosDeviceName", v.file(v.opened(#"\??\C:"#)).address, place) == .invalidParameter)
    // FILE_GENERIC_READ
    #expect(try v.k.load(v.g.call("IoGetFileObjectGenericMapping")) == 0x12_0089)
    try v.g.call("IoAcquireVpbSpinLock", place)
    #expect(try v.k.irql == 2)
    try v.g.call("IoReleaseVpbSpinLock", 0)
    #expect(try v.k.irql == 0)
    let thread = try v.k.currentThread
    try v.g.call("IoSetDeviceToVerify", thread, disk)
    #expect(try v.g.call("IoGetDeviceToVerify", thread) == disk)
    let irp = try v.g.call("IoAllocateIrp", 1, 0)
    try v.k.store(UInt32(thread), at: irp + 0x50)
    try v.g.call("IoSetHardErrorOrVerifyDevice", irp, device)
    #expect(try v.g.call("IoGetDeviceToVerify", thread) == device)
  }

  @Test("file systems register, and those who asked are told") func registration() throws {
    let v = try VolumeGuest()
    var told: [[UInt64]] = []
    v.g.routine(at: 0xf8b0_6000, 2) {
      told.append($0)
      return 0
    }
    let control = try v.k.kernel.volumes[0].device.DriverObject.load().DeviceObject.load().NextDevice.load().address
    #expect(try v.g.status("IoRegisterFsRegistrationChange", v.g.driver.object.address, 0xf8b0_6000) == .success)
    #expect(try v.g.status("IoRegisterFsRegistrationChange", v.g.driver.object.address, 0xf8b0_6000) == .deviceAlreadyAttached)
    let device = try v.g.device(#"\Own"#)
    try v.g.call("IoRegisterFileSystem", device)
    try v.g.call("IoUnregisterFileSystem", device)
    try v.g.call("IoUnregisterFsRegistrationChange", v.g.driver.object.address, 0xf8b0_6000)
    try v.g.call("IoRegisterFileSystem", device)
    #expect(told == [[control, 1], [device, 1], [device, 0]])
  }

  @Test("a stream file object has no handle and no name, and is cleaned up at once") func stream() throws {
    let v = try VolumeGuest()
    let file = try v.g.call("IoCreateStreamFileObject", 0, v.volume.storageDevice.address)
    let object = Pointer<FILE_OBJECT>(file, in: v.k.memory.memory)
    // FO_STREAM_FILE, FO_CLEANUP_COMPLETE
    #expect(try object.Flags.load() == 0x4100 && object.DeviceObject.load() == v.volume.storageDevice)
    try v.g.call("ObfDereferenceObject", file)
  }

  @Test("a create can be sent below those who would see it") func hint() throws {
    let v = try VolumeGuest()
    let filter = try v.g.device(nil)
    try v.g.call("IoAttachDeviceToDeviceStack", filter, v.volume.device.address)
    try v.g.dispatch(0) { _, irp in try v.g.complete(irp, .accessDenied) }
    let path = #"\??\C:\dir\hello.txt"#
    #expect(try v.create(path) == .accessDenied)
    func create(_ path: String) throws -> NTSTATUS {
      try v.g.status(
        "IoCreateFileSpecifyDeviceObjectHint", v.handlePlace, 0x10_0001, v.g.attributes(path), v.block, 0, 0x80, 7, 1, 0x20, 0, 0, 0, 0,
        0x100, v.volume.device.address)
    }
    #expect(try create(path) == .success)
    #expect(try create(#"\??\C:\dir\none"#) == .objectNameNotFound)
  }

  @Test(
    "FsRtlIsNameInExpression: wild cards, and what MS-DOS means by them",
    arguments: [
      ("*.TXT", "hello.txt", true), ("*.TXT", "hello.text", false), ("H?LLO*", "hello", true), ("*", "anything", true),
      ("A*B*C", "axxbyyc", true),
      ("A*B", "abc", false), ("<.TXT", "a.b.txt", true), ("<", "a.b", false), ("<.", "a.b.", true), ("A>>.TXT", "a.txt", true),
      ("A>>.TXT", "abcd.txt", false), ("FILE\"", "file", true), ("FILE\"TXT", "file.txt", true), ("*.*", "noperiod", false),
      ("?", "", false),
    ])
  func expressions(expression: String, name: String, matches: Bool) throws {
    let v = try VolumeGuest()
    #expect(try v.g.call("FsRtlIsNameInExpression", v.g.string(expression), v.g.string(name), 1, 0) == (matches ? 1 : 0))
  }

  /// A counted string of bytes.
  private func narrow(_ v: VolumeGuest, _ text: String) throws -> UInt64 {
    let place = try v.g.space(UInt64(8 + text.utf8.count))
    try v.k.store([UInt32(text.utf8.count) << 16 | UInt32(text.utf8.count), UInt32(place + 8)], at: place)
    try v.k.memory.memory.write(Array(text.utf8), at: place + 8)
    return place
  }

  @Test("names are compared, taken apart, and checked") func names() throws {
    let v = try VolumeGuest()
    let (a, b) = (try v.g.string("Name"), try v.g.string("nAME"))
    #expect(try v.g.call("FsRtlIsNameInExpression", a, b, 0, 0) == 0)
    #expect(try v.g.call("FsRtlAreNamesEqual", a, b, 1, 0) == 1 && v.g.call("FsRtlAreNamesEqual", a, b, 0, 0) == 0)
    #expect(try v.g.call("FsRtlDoesNameContainWildCards", v.g.string("a*b")) == 1 && v.g.call("FsRtlDoesNameContainWildCards", a) == 0)
    #expect(try v.g.call("FsRtlIsDbcsInExpression", narrow(v, "*.C"), narrow(v, "main.c")) == 1)
    #expect(try v.g.call("FsRtlIsDbcsInExpression", narrow(v, "*.H"), narrow(v, "main.c")) == 0)
    func dissect(_ path: String) throws -> [String] {
      let (path, first, rest) = (try v.g.string(path), try v.g.space(), try v.g.space())
      try v.g.call("FsRtlDissectName", UInt64(v.k.load(path)), UInt64(v.k.load(path + 4)), first, rest)
      return try [first, rest].map { try Pointer<UNICODE_STRING>($0, in: v.k.memory.memory).string() }
    }
    #expect(try dissect(#"\a\bc\d"#) == ["a", #"bc\d"#] && dissect("only") == ["only", ""] && dissect("") == ["", ""])
    func isLegal(_ text: String, _ wild: UInt64 = 0, _ path: UInt64 = 0) throws -> UInt64 {
      let name = try narrow(v, text)
      return try v.g.call("FsRtlIsFatDbcsLegal", UInt64(v.k.load(name)), UInt64(v.k.load(name + 4)), wild, path, 0)
    }
    #expect(try isLegal("AUTOEXEC.BAT") == 1 && isLegal("LONGERNAME") == 0 && isLegal("A*.TXT") == 0 && isLegal("A*.TXT", 1) == 1)
    #expect(try isLegal(#"DIR\FILE.C"#) == 0 && isLegal(#"DIR\FILE.C"#, 0, 1) == 1)
    let (oem, spaces) = (try narrow(v, "            "), try v.g.space())
    #expect(try v.g.call("RtlIsNameLegalDOS8Dot3", v.g.string("read me.txt"), oem, spaces) == 1)
    #expect(try v.k.byte(spaces) == 1 && v.k.half(oem) == 11 && v.k.byte(oem + 8) == 0x52)
    #expect(try v.g.call("RtlIsNameLegalDOS8Dot3", v.g.string("too long.text"), 0, 0) == 0)
  }

  @Test("statuses and pool") func statuses() throws {
    let v = try VolumeGuest()
    #expect(try v.g.call("FsRtlIsNtstatusExpected", 0xc000_0005) == 0 && v.g.call("FsRtlIsNtstatusExpected", 0xc000_009a) == 1)
    #expect(try v.g.status("FsRtlNormalizeNtstatus", 0xc000_0005, 0xc000_00e8) == .invalidUserBuffer)
    #expect(try v.g.status("FsRtlNormalizeNtstatus", 0xc000_0022, 0xc000_00e8) == .accessDenied)
    #expect(try v.g.call("FsRtlIsTotalDeviceFailure", 0xc000_00a3) == 1 && v.g.call("FsRtlIsTotalDeviceFailure", 0xc000_003f) == 0)
    for name in ["FsRtlAllocatePoolWithTag", "FsRtlAllocatePoolWithQuotaTag"] {
      let block = try v.g.call(name, 1, 64, 0x7473_6554)
      #expect(block >= 0xe100_0000)
      try v.g.call("ExFreePoolWithTag", block, 0)
    }
  }

  @Test("locks of a file: kept, checked, taken back by file, process and key") func locks() throws {
    let v = try VolumeGuest()
    let lock = try v.g.space(0x38)
    try v.g.call("FsRtlInitializeFileLock", lock, 0, 0)
    let (offset, length, block) = (try v.g.space(), try v.g.space(), try v.g.space())
    try v.k.store([10, 0], at: offset)
    try v.k.store([5, 0], at: length)
    let (file, other, process) = (UInt64(0x8230_0000), UInt64(0x8230_1000), v.k.notepad.object.address)
    func take(_ file: UInt64, exclusive: UInt64) throws -> UInt64 {
      try v.g.call("FsRtlPrivateLock", lock, file, offset, length, process, 0, 1, exclusive, block, 0, 0, 0)
    }
    #expect(try take(file, exclusive: 1) == 1 && v.k.load(block) == 0)
    #expect(try take(other, exclusive: 0) == 1 && v.k.load(block) == NTSTATUS.lockNotGranted.rawValue)
    func check(_ name: String, _ file: UInt64) throws -> UInt64 { try v.g.call(name, lock, offset, length, 0, file, process) }
    #expect(try check("FsRtlFastCheckLockForRead", file) == 1 && check("FsRtlFastCheckLockForRead", other) == 0)
    #expect(try check("FsRtlFastCheckLockForWrite", file) == 1 && check("FsRtlFastCheckLockForWrite", other) == 0)
    func unlock(_ file: UInt64) throws -> NTSTATUS {
      try v.g.status("FsRtlFastUnlockSingle", lock, file, offset, length, process, 0, 0, 0)
    }
    #expect(try unlock(other) == .rangeNotLocked)
    #expect(try unlock(file) == .success)
    #expect(
      try take(other, exclusive: 0) == 1 && check("FsRtlFastCheckLockForRead", file) == 1 && check("FsRtlFastCheckLockForWrite", file) == 0)
    #expect(try v.g.status("FsRtlFastUnlockAll", lock, file, process, 0) == .rangeNotLocked)
    #expect(try v.g.status("FsRtlFastUnlockAll", lock, other, process, 0) == .success)
    #expect(try take(other, exclusive: 1) == 1)
    #expect(try v.g.status("FsRtlFastUnlockAllByKey", lock, other, process, 7, 0) == .rangeNotLocked)
    // By request: IRP_MN_LOCK, exclusive, at once.
    let irp = try v.g.call("IoAllocateIrp", 1, 0)
    let stack = UInt64(try v.k.load(irp + 0x60)) - 0x24
    try v.k.store(UInt32(stack), at: irp + 0x60)
    try v.k.memory.memory.store(UInt8(1), at: irp + 0x23)
    try v.k.memory.memory.write([0x11, 1, 3, 0], at: stack)
    try v.k.store([UInt32(length), 0, 12, 0], at: stack + 4)
    try v.k.store(UInt32(file), at: stack + 0x18)
    var completed: [UInt64] = []
    v.g.routine(at: 0xf8b0_6100, 2) {
      completed = $0
      return 0
    }
    try v.k.store(0xf8b0_6100, at: lock)
    #expect(try v.g.status("FsRtlProcessFileLock", lock, irp, 0x77) == .lockNotGranted)
    #expect(completed == [0x77, irp])
    try v.k.store([5, 0, 10, 0], at: stack + 4)
    #expect(try v.g.call("FsRtlCheckLockForReadAccess", lock, irp) == 0 && v.g.call("FsRtlCheckLockForWriteAccess", lock, irp) == 0)
    #expect(try v.g.status("FsRtlFastUnlockAllByKey", lock, other, process, 0, 0) == .success)
    #expect(try v.g.call("FsRtlCheckLockForReadAccess", lock, irp) == 1 && v.g.call("FsRtlCheckLockForWriteAccess", lock, irp) == 1)
    try v.g.call("FsRtlUninitializeFileLock", lock)
  }

  @Test("a run list says where clusters lie") func runs() throws {
    let v = try VolumeGuest()
    let (mcb, place) = (try v.g.space(0x20), try v.g.space(0x40))
    try v.g.call("FsRtlInitializeLargeMcb", mcb, 1)
    func add(_ virtual: UInt64, _ physical: UInt64, _ count: UInt64) throws -> UInt64 {
      try v.g.call("FsRtlAddLargeMcbEntry", mcb, virtual, 0, physical, 0, count, 0)
    }
    func lookup(_ virtual: UInt64) throws -> [UInt32]? {
      let found = try v.g.call(
        "FsRtlLookupLargeMcbEntry", mcb, virtual, 0, place, place + 8, place + 16, place + 24, place + 32)
      return try found == 0 ? nil : [0, 8, 16, 24, 32].map { try v.k.load(place + $0) }
    }
    #expect(try add(0, 100, 10) == 1 && add(10, 110, 5) == 1 && add(20, 300, 4) == 1)
    #expect(try v.g.call("FsRtlNumberOfRunsInLargeMcb", mcb) == 3)
    #expect(try lookup(12) == [112, 3, 100, 15, 0])
    #expect(try lookup(17) == [0xffff_ffff, 3, 0xffff_ffff, 5, 1])
    #expect(try lookup(24) == nil)
    // Elsewhere already.
    #expect(try add(5, 500, 2) == 0)
    #expect(try v.g.call("FsRtlGetNextLargeMcbEntry", mcb, 2, place, place + 8, place + 16) == 1)
    #expect(try v.k.load(place) == 20 && v.k.load(place + 8) == 300 && v.k.load(place + 16) == 4)
    #expect(try v.g.call("FsRtlGetNextLargeMcbEntry", mcb, 3, place, place + 8, place + 16) == 0)
    #expect(try v.g.call("FsRtlLookupLastLargeMcbEntry", mcb, place, place + 8) == 1 && v.k.load(place) == 23 && v.k.load(place + 8) == 303)
    try v.g.call("FsRtlRemoveLargeMcbEntry", mcb, 5, 0, 2, 0)
    #expect(try lookup(4) == [104, 1, 100, 5, 0])
    #expect(try lookup(7) == [107, 8, 107, 8, 2])
    try v.g.call("FsRtlTruncateLargeMcb", mcb, 3, 0)
    #expect(try v.g.call("FsRtlNumberOfRunsInLargeMcb", mcb) == 1 && lookup(2) == [102, 1, 100, 3, 0])
    try v.g.call("FsRtlUninitializeLargeMcb", mcb)
    #expect(try add(0, 1, 1) == 0 && v.g.call("FsRtlLookupLastLargeMcbEntry", mcb, place, place + 8) == 0)
  }
}

@Test("FsRtlLegalAnsiCharacterArray says which file systems a character is legal in") func legalCharacters() throws {
  let k = try TestKernel()
  let place = try #require(try k.kernel.address(ofVariable: "FsRtlLegalAnsiCharacterArray", in: "nt"))
  try k.kernel.fillVariables()
  let table = UInt64(try k.load(place))
  #expect(try k.byte(table + 0x41) == 0x17 && k.byte(table + 0x2a) & 8 == 8 && k.byte(table + 0x2b) == 0x16 && k.byte(table + 0x5c) == 0)
}
