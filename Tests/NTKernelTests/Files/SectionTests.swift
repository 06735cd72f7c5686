import Guest
import Memory
import NTKernel
import TestSupport
import Testing
import WindowsTypes

@Suite("Sections") struct SectionTests {
  /// Makes a section and returns its handle.
  private func make(
    _ v: VolumeGuest, of file: UInt64 = 0, size: Int64 = 0, protection: UInt64 = 4, kind: UInt64 = 0x800_0000, name: String? = nil,
    prefix: String = "Zw"
  ) throws -> (NTSTATUS, UInt64) {
    let (result, place) = (try v.g.space(), try v.g.space())
    try v.k.memory.memory.store(size, at: place)
    let attributes = try name.map { try v.g.attributes($0) } ?? 0
    let status = try v.g.status(
      prefix + "CreateSection", result, 0xf001f, attributes, size == 0 ? 0 : place, protection, kind, file)
    return (status, UInt64(try v.k.load(result)))
  }

  private struct View { let status: NTSTATUS, base: UInt64, size: UInt32, offset: UInt32 }
  private func map(
    _ v: VolumeGuest, _ section: UInt64, base: UInt64 = 0, offset: UInt64 = 0, size: UInt64 = 0, protection: UInt64 = 4,
    process: UInt64 = 0xffff_ffff, inherit: UInt64 = 2
  ) throws -> View {
    let place = try v.g.space(24)
    try v.k.store([UInt32(base), UInt32(size), UInt32(offset), 0], at: place)
    let status = try v.g.status(
      "ZwMapViewOfSection", section, process, place, 0, 0, place + 8, place + 4, inherit, 0, protection)
    return View(status: status, base: UInt64(try v.k.load(place)), size: try v.k.load(place + 4), offset: try v.k.load(place + 8))
  }
  /// A handle to the service's process.
  private func service(_ v: VolumeGuest) throws -> UInt64 {
    let place = try v.g.space()
    #expect(try v.g.status("ObOpenObjectByPointer", v.k.service.object.address, 0x200, 0, 0x1f_0fff, 0, 0, place) == .success)
    return UInt64(try v.k.load(place))
  }

  @Test("two processes that map a section see one frame") func shared() throws {
    let v = try VolumeGuest()
    let (status, section) = try make(v, size: 0x2000)
    #expect(status == .success)
    let own = try map(v, section)
    #expect(own.status == .success && own.size == 0x2000 && own.base & 0xffff == 0)
    let other = try map(v, section, process: service(v))
    #expect(other.status == .success)
    try v.k.store(0x1234_5678, at: own.base + 0x1004)
    let frame = try #require(v.k.notepad.space.frame(at: own.base + 0x1000))
    v.k.memory.activate(v.k.service.space)
    #expect(try v.k.load(other.base + 0x1004) == 0x1234_5678)
    v.k.memory.activate(v.k.notepad.space)
    #expect(v.k.service.space.frame(at: other.base + 0x1000) == frame)
    #expect(try v.g.status("ZwUnmapViewOfSection", 0xffff_ffff, own.base + 0x1800) == .success)
    #expect(v.k.notepad.space[own.base].kind == .free)
    #expect(try v.g.status("ZwUnmapViewOfSection", 0xffff_ffff, own.base) == .notMappedView)
    #expect(try v.g.status("ZwUnmapViewOfSection", 0x4444, own.base) == .invalidHandle)
  }

  @Test("a view of a file shows its data, and what is written there is in the file") func file() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    let (status, section) = try make(v, of: file)
    #expect(status == .success)
    let view = try map(v, section)
    #expect(view.status == .success && view.size == 0x1000)
    #expect(try v.k.memory.memory.bytes(5, at: view.base) == Array("hello".utf8))
    try v.k.memory.memory.write(Array("HELLO".utf8), at: view.base)
    #expect(try v.read(file, 12, at: 0) == .success)
    #expect(try v.text() == "HELLO, world")
    #expect(try v.write(file, Array("bye".utf8), at: 0) == .success)
    #expect(try v.k.memory.memory.bytes(5, at: view.base) == Array("byeLO".utf8))
    // What is mapped is not cut off: FileEndOfFileInformation, MmCanFileBeTruncated.
    #expect(try v.set(file, 20, VolumeGuest.bytes(Int64(2))) == .userMappedFile)
    let pointers = try v.file(file).SectionObjectPointer.load().address
    #expect(try v.g.call("MmCanFileBeTruncated", pointers, 0) == 0)
    #expect(try v.g.call("MmFlushImageSection", pointers, 1) == 1)
    #expect(try v.g.call("MmForceSectionClosed", pointers, 0) == 0)
    #expect(try v.g.status("ZwUnmapViewOfSection", 0xffff_ffff, view.base) == .success)
    #expect(try v.g.call("MmCanFileBeTruncated", pointers, 0) == 1)
    try v.close(section)
    #expect(try v.g.call("MmForceSectionClosed", pointers, 0) == 1)
    #expect(try v.set(file, 20, VolumeGuest.bytes(Int64(2))) == .success)
  }

  @Test("a writer of a copy-on-write view has a page of its own") func copyOnWrite() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    // PAGE_READONLY section, PAGE_WRITECOPY view
    let (_, section) = try make(v, of: file, protection: 2)
    let view = try map(v, section, protection: 8)
    #expect(view.status == .success)
    try v.k.memory.memory.write([0x58], at: view.base)
    #expect(try v.k.memory.memory.bytes(5, at: view.base) == Array("Xello".utf8))
    #expect(try v.read(file, 5, at: 0) == .success)
    #expect(try v.text() == "hello")
    #expect(try map(v, section, protection: 4).status == .sectionProtection)
  }

  @Test("what cannot be a section or a view: ZwCreateSection, ZwMapViewOfSection") func refusals() throws {
    let v = try VolumeGuest()
    let file = try v.opened(#"\??\C:\dir\hello.txt"#)
    let directory = try v.opened(#"\??\C:\dir"#)
    #expect(try make(v).0 == NTSTATUS(rawValue: 0xc000_00f2))
    #expect(try make(v, size: 0x1000, kind: 0).0 == NTSTATUS(rawValue: 0xc000_00f4))
    #expect(try make(v, size: 0x1000, protection: 3).0 == .invalidPageProtection)
    #expect(try make(v, of: directory).0 == .invalidFileForSection)
    #expect(try make(v, of: 0x7000).0 == .invalidHandle)
    #expect(try make(v, of: file, size: 0x1000, protection: 2).0 == .sectionTooBig)
    #expect(try make(v, of: file, kind: 0x100_0000).0 == NTSTATUS(rawValue: 0xc000_012f))
    #expect(try v.set(file, 20, VolumeGuest.bytes(Int64(0))) == .success)
    #expect(try make(v, of: file).0 == .mappedFileSizeZero)
    let (_, section) = try make(v, size: 0x3000)
    #expect(try map(v, section, size: 0x4000).status == .invalidViewSize)
    #expect(try map(v, section, offset: 0x1_0000).status == .invalidViewSize)
    #expect(try map(v, section, inherit: 3).status == NTSTATUS(rawValue: 0xc000_00f6))
    #expect(try map(v, section, base: 0x9000_0000).status == NTSTATUS(rawValue: 0xc000_00f1))
    #expect(try map(v, file).status == .objectTypeMismatch)
    let view = try map(v, section, base: 0x50_1234)
    #expect(view.status == .success && view.base == 0x50_0000)
    #expect(try map(v, section, base: 0x50_0000).status == .conflictingAddresses)
  }

  @Test("a named section is opened by its name, and says what it is") func names() throws {
    let v = try VolumeGuest()
    let (status, section) = try make(v, size: 0x1800, name: #"\BaseNamedObjects\Shared"#)
    #expect(status == .success)
    #expect(try make(v, size: 0x1000, name: #"\BaseNamedObjects\Shared"#).0 == .objectNameCollision)
    let place = try v.g.space()
    #expect(try v.g.status("ZwOpenSection", place, 4, v.g.attributes(#"\BaseNamedObjects\shared"#)) == .success)
    #expect(try v.g.status("ZwOpenSection", place, 4, v.g.attributes(#"\BaseNamedObjects\none"#)) == .objectNameNotFound)
    #expect(try v.g.status("ZwOpenSection", place, 4, v.g.attributes(#"\Device"#)) == .objectTypeMismatch)
    // SectionBasicInformation
    #expect(try v.g.status("ZwQuerySection", section, 0, v.buffer, 16, place) == .success)
    #expect(try v.k.load(v.buffer + 4) == 0x800_0000 && v.k.load(v.buffer + 8) == 0x2000 && v.k.load(place) == 16)
    #expect(try v.g.status("ZwQuerySection", section, 1, v.buffer, 48, 0) == .sectionNotImage)
    #expect(try v.g.status("ZwQuerySection", section, 0, v.buffer, 8, 0) == .infoLengthMismatch)
  }

  @Test("the machine's memory is a section, whose pages are frames by their numbers") func physicalMemory() throws {
    let v = try VolumeGuest()
    let place = try v.g.space()
    #expect(try v.g.status("ZwOpenSection", place, 4, v.g.attributes(#"\Device\PhysicalMemory"#)) == .success)
    let frame = try #require(v.k.system.space.frame(at: v.buffer & ~0xfff))
    try v.k.store(0x1357_9bdf, at: v.buffer)
    let address = UInt64(frame) << 12
    let view = try map(v, UInt64(v.k.load(place)), offset: address, size: 0x1000, protection: 2)
    #expect(view.status == .success && view.offset == UInt32(address & ~0xffff))
    #expect(try v.k.load(view.base + (address - UInt64(view.offset)) + v.buffer & 0xfff) == 0x1357_9bdf)
  }

  @Test("an image section has the file's sections at their addresses, relocated where they cannot be at their own") func image() throws {
    // mov eax,[10002000h]; ret; and the block of relocations that says so.
    var builder = PEBuilder([
      .init(".text", at: 0x1000, [0xa1, 0x00, 0x20, 0x00, 0x10, 0xc3], PEBuilder.code),
      .init(".data", at: 0x2000, [0x2a, 0, 0, 0], PEBuilder.data),
      .init(".reloc", at: 0x3000, [0, 0x10, 0, 0, 12, 0, 0, 0, 0x01, 0x30, 0, 0], PEBuilder.constants),
    ])
    builder.imageBase = 0x1000_0000
    builder.directories[5] = (0x3000, 12)
    let v = try VolumeGuest(files: [FileDescription(#"\lib.dll"#, content: builder.build())])
    let (status, section) = try make(v, of: v.opened(#"\??\C:\lib.dll"#), protection: 2, kind: 0x100_0000)
    #expect(status == .success)
    let first = try map(v, section, protection: 4)
    #expect(first.status == .success && first.base == 0x1000_0000)
    #expect(try v.k.load(first.base + 0x2000) == 42 && v.k.half(first.base) == 0x5a4d)
    #expect(try v.k.load(first.base + 0x1001) == 0x1000_2000)
    let second = try map(v, section, protection: 4)
    #expect(second.status == .imageNotAtBase && second.base != first.base)
    #expect(try UInt64(v.k.load(second.base + 0x1001)) == second.base + 0x2000)
    // Writers get copies.
    try v.k.store(43, at: second.base + 0x2000)
    #expect(try v.k.load(first.base + 0x2000) == 42)
    // SectionImageInformation
    #expect(try v.g.status("ZwQuerySection", section, 1, v.buffer, 48, 0) == .success)
    #expect(try v.k.load(v.buffer) == 0x1000_1000)
  }

  @Test("views in system space, and sections without handles") func systemSpace() throws {
    let v = try VolumeGuest()
    let file = try v.file(v.opened(#"\??\C:\dir\hello.txt"#))
    let place = try v.g.space(24)
    #expect(try v.g.status("MmCreateSection", place, 0xf001f, 0, 0, 2, 0x800_0000, 0, file.address) == .success)
    let section = UInt64(try v.k.load(place))
    #expect(try v.g.status("MmMapViewInSystemSpace", section, place + 8, place + 12) == .success)
    let base = UInt64(try v.k.load(place + 8))
    #expect(try base >= 0x8000_0000 && v.k.memory.memory.bytes(5, at: base) == Array("hello".utf8))
    #expect(try v.g.status("MmUnmapViewInSystemSpace", base) == .success)
    #expect(try v.g.status("MmUnmapViewInSystemSpace", base) == .notMappedView)
    #expect(try v.g.status("MmMapViewInSystemSpace", file.address, place + 8, place + 12) == .objectTypeMismatch)
    #expect(try v.g.status("MmCreateSection", place, 0xf001f, 0, 0, 2, 0x800_0000, 0x4444, 0) == .invalidHandle)
    try v.g.call("ObfDereferenceObject", section)
  }

  @Test(
    "a user's pointers are checked", arguments: ["NtCreateSection", "NtMapViewOfSection", "NtAllocateVirtualMemory", "NtFreeVirtualMemory"])
  func userPointers(name: String) throws {
    let v = try VolumeGuest()
    let (_, section) = try make(v, size: 0x1000)
    switch name {
    case "NtCreateSection": #expect(try make(v, size: 0x1000, prefix: "Nt").0 == .accessViolation)
    case "NtMapViewOfSection":
      #expect(try v.g.status(name, section, 0xffff_ffff, v.buffer, 0, 0, 0, v.buffer + 4, 2, 0, 4) == .accessViolation)
    case "NtAllocateVirtualMemory": #expect(try v.g.status(name, 0xffff_ffff, v.buffer, 0, v.buffer + 4, 0x1000, 4) == .accessViolation)
    default: #expect(try v.g.status(name, 0xffff_ffff, v.buffer, v.buffer + 4, 0x8000) == .accessViolation)
    }
  }

  @Test("memory is reserved, committed, asked about, given back") func virtualMemory() throws {
    let v = try VolumeGuest()
    let place = try v.g.space()
    func allocate(_ base: UInt64, _ size: UInt64, _ type: UInt64, _ protection: UInt64 = 4) throws -> NTSTATUS {
      try v.k.store([UInt32(base), UInt32(size)], at: place)
      return try v.g.status("ZwAllocateVirtualMemory", 0xffff_ffff, place, 0, place + 4, type, protection)
    }
    func free(_ base: UInt64, _ size: UInt64, _ type: UInt64) throws -> NTSTATUS {
      try v.k.store([UInt32(base), UInt32(size)], at: place)
      return try v.g.status("ZwFreeVirtualMemory", 0xffff_ffff, place, place + 4, type)
    }
    func query(_ address: UInt64) throws -> [UInt32] {
      #expect(try v.g.status("ZwQueryVirtualMemory", 0xffff_ffff, address, 0, v.buffer, 28, 0) == .success)
      return try (0..<7).map { try v.k.load(v.buffer + 4 * $0) }
    }
    #expect(try allocate(0, 0x3000, 0x2000) == .success)
    let base = UInt64(try v.k.load(place))
    #expect(try query(base) == [UInt32(base), UInt32(base), 4, 0x3000, 0x2000, 0, 0x2_0000])
    #expect(try allocate(base + 0x1000, 0x800, 0x1000) == .success)
    #expect(try v.k.load(place + 4) == 0x1000)
    try v.k.store(7, at: base + 0x1ffc)
    #expect(try query(base + 0x1234)[0...5] == [UInt32(base + 0x1000), UInt32(base), 4, 0x1000, 0x1000, 4])
    #expect(try query(base + 0x10_0000)[4] == 0x1_0000)
    #expect(try allocate(base, 0x1000, 0x3000) == .conflictingAddresses)
    #expect(try allocate(0, 0, 0x1000) == NTSTATUS(rawValue: 0xc000_00f2))
    #expect(try allocate(0, 0x1000, 0x4000) == NTSTATUS(rawValue: 0xc000_00f3))
    #expect(try allocate(0, 0x1000, 0x1000, 3) == .invalidPageProtection)
    #expect(try free(base + 0x1000, 0, 0x8000) == .freeVMNotAtBase)
    #expect(try free(base, 0x4000, 0x4000) == .unableToFreeVM)
    #expect(try free(base + 0x1000, 0x1000, 0x4000) == .success)
    #expect(try query(base)[3...4] == [0x3000, 0x2000])
    #expect(try free(base, 0, 0x8000) == .success)
    #expect(try free(base, 0, 0x8000) == .memoryNotAllocated)
    #expect(try v.g.status("ZwQueryVirtualMemory", 0xffff_ffff, base, 0, v.buffer, 8, 0) == .infoLengthMismatch)
    #expect(try v.g.status("ZwQueryVirtualMemory", 0xffff_ffff, base, 9, v.buffer, 28, 0) == .invalidInfoClass)
  }
}
