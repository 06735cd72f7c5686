import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Files of a volume: opening") struct CreateTests {
  @Test("what a name leads to, or why it does not") func names() throws {
    let v = try VolumeGuest()
    for path in [#"\??\C:\dir\hello.txt"#, #"\DosDevices\c:\DIR\HELLO.TXT"#, #"\Device\HarddiskVolume1\dir\hello.txt"#] {
      #expect(try v.create(path) == .success)
      // FILE_OPENED
      #expect(try v.information() == 1)
      try v.close(v.handle())
    }
    #expect(try v.create(#"\??\C:\dir\ANAMET~1.TEX"#) == .success)
    #expect(try v.create(#"\??\C:\dir\other.txt"#) == .objectNameNotFound)
    #expect(try v.create(#"\??\C:\none\hello.txt"#) == .objectPathNotFound)
    #expect(try v.create(#"\??\C:\dir\hello.txt\below"#) == .objectPathNotFound)
    #expect(try v.create(#"\??\D:\dir"#) == .objectPathNotFound)
    #expect(try v.create(#"\??\C:\dir\*.txt"#) == .objectNameInvalid)
    #expect(try v.create(#"\??\C:\dir\hello.txt\"#) == .objectNameInvalid)
    #expect(try v.create(#"\??\C:\dir\"#) == .success)
  }

  @Test("dispositions") func dispositions() throws {
    let v = try VolumeGuest()
    let (known, new) = (#"\??\C:\dir\hello.txt"#, #"\??\C:\dir\new"#)
    // FILE_CREATE, FILE_OPEN_IF, FILE_OVERWRITE, FILE_OVERWRITE_IF, FILE_SUPERSEDE
    #expect(try v.create(known, disposition: 2) == .objectNameCollision)
    #expect(try v.create(new, disposition: 4) == .objectNameNotFound)
    var results: [UInt32] = []
    for (path, disposition) in [(new, 2), (known, 3), (known, 4), (known, 5), (known, 0), (#"\??\C:\other"#, 5)] as [(String, UInt64)] {
      #expect(try v.create(path, disposition: disposition) == .success)
      results.append(try v.information())
      try v.close(v.handle())
    }
    // FILE_CREATED, FILE_OPENED, FILE_OVERWRITTEN, FILE_OVERWRITTEN, FILE_SUPERSEDED, FILE_CREATED
    #expect(results == [2, 1, 3, 3, 0, 2])
    #expect(try v.read(v.opened(known), 4, at: 0) == .endOfFile)
    #expect(try v.create(known, disposition: 6) == .invalidParameter)
  }

  @Test("files and directories are not taken for each other") func directories() throws {
    let v = try VolumeGuest()
    #expect(try v.create(#"\??\C:\dir"#, options: 0x40) == .fileIsADirectory)
    #expect(try v.create(#"\??\C:\dir\hello.txt"#, options: 1) == .notADirectory)
    #expect(try v.create(#"\??\C:\dir"#, options: 0x41) == .invalidParameter)
    #expect(try v.create(#"\??\C:\dir"#, disposition: 5) == .objectNameCollision)
    #expect(try v.create(#"\??\C:\dir"#, disposition: 5, options: 1) == .invalidParameter)
    #expect(try v.create(#"\??\C:\made"#, disposition: 2, options: 1) == .success)
    #expect(try v.create(#"\??\C:\made\file"#, disposition: 2) == .success)
    // FILE_SYNCHRONOUS_IO_NONALERT without SYNCHRONIZE, FILE_DELETE_ON_CLOSE without DELETE.
    for (routine, expected) in [("ZwCreateFile", NTSTATUS.success), ("NtCreateFile", .invalidParameter)] {
      #expect(try v.create(#"\??\C:\empty"#, access: 0x80, by: routine) == expected)
      #expect(try v.create(#"\??\C:\dir"#, access: 0x10_0080, options: 0x1000, by: routine) == expected)
    }
    // IO_CHECK_CREATE_PARAMETERS
    for (flags, expected) in [(0x100, NTSTATUS.success), (0x300, .invalidParameter)] as [(UInt64, NTSTATUS)] {
      #expect(
        try v.g.status(
          "IoCreateFile", v.handlePlace, 0x80, v.g.attributes(#"\??\C:\empty"#), v.block, 0, 0, 7, 1, 0x20, 0, 0, 0, 0, flags) == expected)
    }
  }

  @Test("sharing is what those who have it open allow") func sharing() throws {
    let v = try VolumeGuest()
    let path = #"\??\C:\dir\hello.txt"#
    // SYNCHRONIZE | FILE_READ_DATA, shared for reading
    #expect(try v.create(path, access: 0x10_0001, share: 1) == .success)
    let first = try v.handle()
    #expect(try v.create(path, access: 0x10_0001, share: 1) == .success)
    try v.close(v.handle())
    #expect(try v.create(path, access: 0x10_0002, share: 7) == .sharingViolation)
    #expect(try v.create(path, access: 0x10_0001, share: 2) == .sharingViolation)
    // Attributes are nobody's to share.
    #expect(try v.create(path, access: 0x10_0080, share: 0) == .success)
    let file = try v.file(first)
    #expect(try file.ReadAccess.load() == 1 && file.WriteAccess.load() == 0 && file.SharedRead.load() == 1)
    try v.close(first)
    #expect(try v.create(path, access: 0x10_0002, share: 0) == .success)
    #expect(try v.create(path, share: 3) == .sharingViolation)
  }

  @Test("a file that is to be deleted goes with its last handle") func deletion() throws {
    let v = try VolumeGuest()
    let path = #"\??\C:\dir\hello.txt"#
    let (first, second) = (try v.opened(path), try v.opened(path))
    // FileDispositionInformation
    #expect(try v.set(first, 13, [1]) == .success)
    #expect(try v.create(path) == .deletePending)
    try v.close(first)
    #expect(try v.create(path) == .deletePending)
    try v.close(second)
    #expect(try v.create(path) == .objectNameNotFound)
    // FILE_DELETE_ON_CLOSE
    #expect(try v.create(#"\??\C:\short"#, disposition: 2, options: 0x1000) == .success)
    try v.close(v.handle())
    #expect(try v.create(#"\??\C:\short"#) == .objectNameNotFound)
    #expect(try v.set(v.opened(#"\??\C:\dir"#), 13, [1]) == .directoryNotEmpty)
    #expect(try v.set(v.opened(#"\??\C:\"#), 13, [1]) == .cannotDelete)
    #expect(try v.set(v.opened(#"\??\C:\dir\locked.bin"#, access: 0x11_0081), 13, [1]) == .cannotDelete)
  }

  @Test("ZwDeleteFile") func delete() throws {
    let v = try VolumeGuest()
    #expect(try v.g.status("ZwDeleteFile", v.g.attributes(#"\??\C:\dir\hello.txt"#)) == .success)
    #expect(try v.create(#"\??\C:\dir\hello.txt"#) == .objectNameNotFound)
    #expect(try v.g.status("NtDeleteFile", v.g.attributes(#"\??\C:\dir\hello.txt"#)) == .objectNameNotFound)
  }

  @Test("read-only files and volumes") func readOnly() throws {
    let v = try VolumeGuest()
    let path = #"\??\C:\dir\locked.bin"#
    #expect(try v.create(path, access: 0x10_0002) == .accessDenied)
    #expect(try v.create(path, access: 0x10_0001, disposition: 5) == .accessDenied)
    #expect(try v.create(path, access: 0x11_0001, options: 0x1000) == .cannotDelete)
    #expect(try v.create(path, access: 0x10_0001) == .success)
    let disc = try VolumeGuest(.cdfs)
    #expect(try disc.create(#"\??\C:\dir\hello.txt"#, access: 0x10_0001) == .success)
    #expect(try disc.create(#"\??\C:\dir\hello.txt"#, access: 0x10_0002) == .mediaWriteProtected)
    #expect(try disc.create(#"\??\C:\new"#, disposition: 2) == .mediaWriteProtected)
  }

  @Test("a name may start from an open directory, whose file object the driver below sees") func relative() throws {
    let v = try VolumeGuest()
    let directory = try v.opened(#"\??\C:\dir"#)
    let attributes = try v.g.attributes("hello.txt")
    try v.k.store(UInt32(directory), at: attributes + 4)
    #expect(try v.g.status("ZwOpenFile", v.handlePlace, 0x10_0001, attributes, v.block, 7, 0x20) == .success)
    let file = try v.file(v.handle())
    #expect(try file.RelatedFileObject.load() == v.file(directory))
    #expect(try file.FileName.string() == "hello.txt")
    // FileNameInformation
    #expect(try v.query(v.handle(), 9) == .success)
    #expect(try v.units(Int(v.k.load(v.buffer)), at: 4) == #"\dir\hello.txt"#)
  }

  @Test("a file object has the members that a file system gives it") func fileObject() throws {
    let v = try VolumeGuest()
    let file = try v.file(v.opened(#"\??\C:\dir\hello.txt"#))
    #expect(try file.DeviceObject.load() == v.volume.storageDevice)
    let vpb = try v.volume.storageDevice.Vpb.load()
    #expect(try file.Vpb.load() == vpb && vpb.DeviceObject.load() == v.volume.device && vpb.Flags.load() & 1 == 1)
    #expect(try vpb.SerialNumber.load() == 0x1234_5678 && vpb.VolumeLabelLength.load() == 12)
    #expect(try !file.FsContext.load().isNull && !file.FsContext2.load().isNull && !file.SectionObjectPointer.load().isNull)
    // The sizes in the header of the control block, where filters read them.
    let header = Pointer<FSRTL_ADVANCED_FCB_HEADER>(try file.FsContext.load().address, in: v.k.memory.memory)
    #expect(try header.FileSize.load() == 12 && header.AllocationSize.load() == 4096)
    // FO_SYNCHRONOUS_IO, FO_CACHE_SUPPORTED, FO_HANDLE_CREATED
    #expect(try file.Flags.load() == 0x4_0042)
    #expect(try UInt64(v.g.call("IoGetRelatedDeviceObject", file.address)) == v.volume.device.address)
    #expect(try v.file(v.opened(#"\??\C:\dir\HELLO.TXT"#)).FsContext.load() == file.FsContext.load())
  }

  @Test("a filter's device above the volume gets every request, and can send a create elsewhere") func filter() throws {
    let v = try VolumeGuest()
    let device = try v.g.device(nil)
    #expect(try v.g.call("IoAttachDeviceToDeviceStack", device, v.volume.device.address) == v.volume.device.address)
    var majors: [UInt8] = []
    for major in [0, 2, 3, 5, 0x12] {
      try v.g.dispatch(major) { _, irp in
        majors.append(UInt8(major))
        let stack = UInt64(try v.k.load(irp + 0x60))
        let name = Pointer<FILE_OBJECT>(UInt64(try v.k.load(stack + 0x18)), in: v.k.memory.memory).FileName
        if major == 0, try name.string() == #"\gone"# {
          try name.store(#"\??\C:\dir\hello.txt"#, buffer: Pointer(v.g.space(64), in: v.k.memory.memory))
          return try v.g.complete(irp, .reparse, 0)
        }
        // IoSkipCurrentIrpStackLocation
        try v.k.memory.memory.store(v.k.byte(irp + 0x23) + 1, at: irp + 0x23)
        try v.k.store(UInt32(stack + 0x24), at: irp + 0x60)
        return NTSTATUS(rawValue: UInt32(try v.g.call("IofCallDriver", v.volume.device.address, irp)))
      }
    }
    let handle = try v.opened(#"\??\C:\gone"#)
    #expect(try v.read(handle, 5) == .success)
    #expect(try v.text() == "hello")
    #expect(try v.query(handle, 5) == .success)
    try v.close(handle)
    #expect(majors == [0, 0, 3, 5, 0x12, 2])
  }

  @Test("a named stream is a file of its own on NTFS") func streams() throws {
    let v = try VolumeGuest()
    let path = #"\??\C:\dir\hello.txt:side"#
    #expect(try v.create(path) == .objectNameNotFound)
    #expect(try v.create(path, disposition: 2) == .success)
    #expect(try v.write(v.handle(), [1, 2, 3], at: 0) == .success)
    try v.close(v.handle())
    #expect(try v.read(v.opened(path + ":$DATA"), 9, at: 0) == .success)
    #expect(try v.bytes(3) == [1, 2, 3])
    // FileStreamInformation: ::$DATA and :side:$DATA
    let file = try v.opened(#"\??\C:\dir\hello.txt::$DATA"#)
    #expect(try v.query(file, 22) == .success)
    #expect(try v.units(14, at: 24) == "::$DATA" && v.k.load(v.buffer) == 40)
    #expect(try v.units(22, at: 64) == ":side:$DATA" && v.k.load(v.buffer + 48) == 3)
    #expect(try VolumeGuest(.fat32).create(path) == .objectNameInvalid)
  }
}
