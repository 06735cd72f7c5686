import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Files and handles") struct FileTests {
  @Test(arguments: ["ZwCreateFile", "NtCreateFile", "IoCreateFile"]) func create(name: String) throws {
    let g = try IOGuest()
    try g.acceptFiles()
    let device = try g.device(#"\Device\Demo"#)
    var seen: [UInt32] = []
    try g.dispatch(0) { _, irp in
      let context = UInt64(try g.k.load(irp + 0x74))
      // Options: FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT; ShareAccess; DesiredAccess.
      seen = [try g.k.load(irp + 0x78), UInt32(try g.k.half(irp + 0x7e)), try g.k.load(context + 8)]
      return try g.complete(irp, .success, 1)
    }
    // From user mode, handle and status block are the user's.
    if name == "NtCreateFile" { try g.k.map(1, in: g.k.notepad) }
    let place = name == "NtCreateFile" ? g.k.buffer : try g.space()
    let extra: [UInt64] = name == "IoCreateFile" ? [0, 0, 0x100] : []
    func create(_ path: String) throws -> NTSTATUS {
      NTSTATUS(
        rawValue: UInt32(
          try g.call(name, [place, 0x8010_0000, g.attributes(path), place + 8, 0, 0x80, 3, 1, 0x20, 0, 0] + extra)))
    }
    #expect(try create(#"\Device\Demo\file"#) == .success)
    // Generic rights arrive as what they stand for: FILE_GENERIC_READ.
    #expect(seen == [0x0100_0020, 3, 0x12_0089])
    #expect(try g.k.load(place) != 0 && g.k.load(place + 8) == 0 && g.k.load(place + 12) == 1)
    #expect(try g.k.load(device + 4) == 1)
    #expect(try create(#"\Device\Demi"#) == .objectNameNotFound)
    #expect(try create(#"\Driver\demo"#) == .objectTypeMismatch)
  }

  @Test("a create carries its extended attributes to the driver", arguments: ["ZwCreateFile", "NtCreateFile"])
  func extendedAttributes(name: String) throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    var seen: [UInt8] = []
    try g.dispatch(0) { _, irp in
      // AssociatedIrp.SystemBuffer; Parameters.Create.EaLength in the stack location.
      seen = try g.k.memory.memory.bytes(Int(g.k.load(irp + 0x80)), at: UInt64(g.k.load(irp + 0xc)))
      return try g.complete(irp)
    }
    if name == "NtCreateFile" { try g.k.map(1, in: g.k.notepad) }
    let place = name == "NtCreateFile" ? g.k.buffer : try g.space(0x100)
    // FILE_FULL_EA_INFORMATION: no other follows; AB with the value 1, 2, 3.
    var bytes: [UInt8] = [0, 0, 0, 0, 0, 2, 3, 0, 65, 66, 0, 1, 2, 3]
    func create() throws -> NTSTATUS {
      try g.k.memory.memory.write(bytes, at: place + 0x20)
      return try g.status(
        name, place, 0x8010_0000, g.attributes(#"\Device\Demo"#), place + 8, 0, 0x80, 3, 1, 0x20, place + 0x20, UInt64(bytes.count))
    }
    #expect(try create() == .success)
    #expect(seen == bytes)
    bytes[0] = 3
    #expect(try create() == .eaListInconsistent && g.k.load(place + 12) == 0)
  }

  @Test(arguments: ["ZwOpenFile", "NtOpenFile"]) func open(name: String) throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    if name == "NtOpenFile" { try g.k.map(1, in: g.k.notepad) }
    let place = name == "NtOpenFile" ? g.k.buffer : try g.space()
    #expect(try g.status(name, place, 0x10_0080, g.attributes(#"\Device\Demo"#), place + 8, 3, 0x20) == .success)
    try g.dispatch(0) { _, irp in try g.complete(irp, .accessDenied) }
    #expect(try g.status(name, place, 0x10_0080, g.attributes(#"\Device\Demo"#), place + 8, 3, 0x20) == .accessDenied)
  }

  @Test(arguments: ["ZwClose", "NtClose"]) func close(name: String) throws {
    let g = try IOGuest()
    try g.acceptFiles()
    let device = try g.device(#"\Device\Demo"#)
    var majors: [UInt8] = []
    for major in [2, 0x12] {
      try g.dispatch(major) { _, irp in
        majors.append(try g.k.byte(irp + 0x70))
        return try g.complete(irp)
      }
    }
    let handle = try g.open(#"\Device\Demo"#)
    #expect(try g.status(name, handle) == .success)
    #expect(majors == [0x12, 2])
    #expect(try g.k.load(device + 4) == 0)
    #expect(try g.status(name, handle) == .invalidHandle)
  }

  /// A user's request: buffers at 421000h of notepad.
  private func control(
    _ g: IOGuest, _ name: String, _ code: UInt64, _ input: UInt64, _ inputLength: UInt64, _ output: UInt64, _ outputLength: UInt64
  ) throws -> NTSTATUS {
    let handle = try g.open(#"\Device\Demo"#)
    let block = name.hasPrefix("Nt") ? g.k.buffer + 0xf00 : try g.space()
    return try g.status(name, handle, 0, 0, 0, block, code, input, inputLength, output, outputLength)
  }

  @Test(arguments: ["ZwDeviceIoControlFile", "NtDeviceIoControlFile"]) func buffered(name: String) throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    try g.k.map(1, in: g.k.notepad)
    try g.dispatch(0xe) { _, irp in
      let buffer = UInt64(try g.k.load(irp + 0xc))
      #expect(try buffer >= 0x8000_0000 && (g.k.load(buffer)) == 0x0101_0101)
      try g.k.store([1, 2, 3], at: buffer)
      return try g.complete(irp, .success, 8)
    }
    #expect(try control(g, name, 0x22_2000, g.k.buffer, 4, g.k.buffer + 0x100, 12) == .success)
    // As many bytes as Information says.
    #expect(try [0, 4, 8].map { try g.k.load(g.k.buffer + 0x100 + $0) } == [1, 2, 0x0101_0101])
    let reply = try control(g, "ZwDeviceIoControlFile", 0x22_2000, 0x30_0000, 4, 0, 0)
    #expect(reply == .accessViolation)
  }

  @Test("a request that another process's thread completes is copied to the requestor's memory") func otherProcess() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    try g.k.map(1, in: g.k.notepad)
    try g.k.map(1, in: g.k.service, filledFrom: 0x40)
    try g.dispatch(0xe) { _, irp in
      // IoMarkIrpPending; then completion while attached to another process.
      try g.k.memory.memory.store(UInt8(1), at: irp + 0x73)
      let state = try g.space(0x18)
      try g.call("KeStackAttachProcess", g.k.service.object.address, state)
      try g.k.store(0x99, at: UInt64(try g.k.load(irp + 0xc)))
      _ = try g.complete(irp, .success, 4)
      try g.call("KeUnstackDetachProcess", state)
      return .pending
    }
    #expect(try control(g, "NtDeviceIoControlFile", 0x22_2000, 0, 0, g.k.buffer, 4) == .success)
    #expect(try g.k.load(g.k.buffer) == 0x99)
    #expect(g.k.memory.physical.bytes(of: try g.k.frame(of: g.k.service)).first == 0x40)
  }

  @Test func direct() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    try g.k.map(1, in: g.k.notepad)
    let frame = try g.k.frame(of: g.k.notepad)
    for (code, flags) in [(0x22_2001, 2), (0x22_2002, 0x82)] as [(UInt64, UInt16)] {
      try g.dispatch(0xe) { _, irp in
        let mdl = UInt64(try g.k.load(irp + 4))
        #expect(try g.k.flags(mdl) & 0x82 == flags)
        #expect(try g.k.frames(mdl, 1) == [frame] && g.k.lockedPages(of: g.k.notepad) == 1)
        return try g.complete(irp)
      }
      #expect(try control(g, "ZwDeviceIoControlFile", code, 0, 0, g.k.buffer, 16) == .success)
      #expect(try g.k.pins(frame) == 0 && g.k.lockedPages(of: g.k.notepad) == 0)
    }
    #expect(try control(g, "ZwDeviceIoControlFile", 0x22_2002, 0, 0, 0x30_0000, 16) == .accessViolation)
  }

  @Test func neither() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    try g.dispatch(0xe) { _, irp in
      #expect(try g.k.load(irp + 0x80) == 0x1234 && g.k.load(irp + 0x3c) == 0x5678)
      return try g.complete(irp, .bufferTooSmall)
    }
    #expect(try control(g, "ZwDeviceIoControlFile", 0x22_2003, 0x1234, 4, 0x5678, 4) == .bufferTooSmall)
    #expect(g.k.kernel.requests.map(\.requestor) == [1, 1])
  }

  @Test(arguments: [("ZwReadFile", "ZwWriteFile"), ("NtReadFile", "NtWriteFile")])
  func transfer(read: String, write: String) throws {
    let g = try IOGuest()
    try g.acceptFiles()
    let device = try g.device(#"\Device\Demo"#)
    try g.k.map(1, in: g.k.notepad)
    try g.k.store(try g.k.load(device + 0x1c) | 4, at: device + 0x1c)
    try g.dispatch(3) { _, irp in
      #expect(try g.k.load(irp + 0x74) == 8 && g.k.load(irp + 0x7c) == 0x40)
      try g.k.store([7, 8], at: UInt64(try g.k.load(irp + 0xc)))
      return try g.complete(irp, .success, 8)
    }
    var written: UInt32 = 0
    try g.dispatch(4) { _, irp in
      written = try g.k.load(UInt64(try g.k.load(irp + 0xc)))
      return try g.complete(irp, .success, 4)
    }
    let handle = try g.open(#"\Device\Demo"#)
    let (block, offset) = (g.k.buffer + 0xf00, try g.space())
    try g.k.store([0x40, 0], at: offset)
    #expect(try g.status(read, handle, 0, 0, 0, block, g.k.buffer, 8, offset, 0) == .success)
    #expect(try g.k.load(g.k.buffer) == 7 && g.k.load(block + 4) == 8)
    #expect(try g.status(write, handle, 0, 0, 0, block, g.k.buffer, 4, offset, 0) == .success)
    #expect(written == 7)
    #expect(try g.status(read, 0x444, 0, 0, 0, block, g.k.buffer, 8, offset, 0) == .invalidHandle)
    #expect(try g.status(write, handle, 0, 0, 0, block, 0x30_0000, 4, offset, 0) == .accessViolation)
  }

  @Test("a dispatch routine that neither completes nor pends, and one that says two things, are reported") func contradictions() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    try g.dispatch(0xe) { _, irp in
      _ = try g.complete(irp, .unsuccessful)
      return .success
    }
    _ = try control(g, "ZwDeviceIoControlFile", 0x22_2003, 0, 0, 0, 0)
    try g.dispatch(0xe) { _, _ in .success }
    _ = try control(g, "ZwDeviceIoControlFile", 0x22_2003, 0, 0, 0, 0)
    #expect(
      g.violations == [
        "the dispatch routine for IRP_MJ_DEVICE_CONTROL returned STATUS_SUCCESS, and completed the IRP with STATUS_UNSUCCESSFUL",
        "the dispatch routine for IRP_MJ_DEVICE_CONTROL returned STATUS_SUCCESS, and did not complete the IRP",
      ])
  }

  @Test("a pending request of a synchronous file waits until another thread completes it") func pending() throws {
    let g = try IOGuest()
    try g.acceptFiles()
    _ = try g.device(#"\Device\Demo"#)
    try g.k.map(1, in: g.k.notepad)
    var (pended, completedBy): (UInt64, UInt32) = (0, 0)
    g.routine(at: 0xf8b0_8000, 1) { _ in
      completedBy = UInt32(truncatingIfNeeded: try g.k.currentThread)
      try g.k.store(0x77, at: UInt64(try g.k.load(pended + 0xc)))
      _ = try g.complete(pended, .success, 4)
      return 0
    }
    try g.dispatch(0xe) { _, irp in
      pended = irp
      try g.k.memory.memory.store(UInt8(1), at: irp + 0x73)
      let handle = try g.space()
      #expect(try g.status("PsCreateSystemThread", handle, 0, 0, 0, 0, 0xf8b0_8000, 0) == .success)
      return .pending
    }
    #expect(try control(g, "NtDeviceIoControlFile", 0x22_2000, 0, 0, g.k.buffer, 4) == .success)
    #expect(completedBy != UInt32(g.k.client.object.address) && completedBy != 0)
    // The thread that completed it is in System; the bytes are in notepad.
    #expect(try g.k.load(g.k.buffer) == 0x77)
    #expect(try g.k.load(g.k.buffer + 0xf04) == 4)
  }
}
