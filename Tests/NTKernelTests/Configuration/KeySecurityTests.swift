import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Who may do what with a key") struct KeySecurityTests {
  private static let limited = #"\Registry\Machine\System\CurrentControlSet\Services\limited"#

  /// Notepad's user, with a page for what system calls read and write.
  private func guest(_ user: ProcessUser) throws -> IOGuest {
    let g = try IOGuest()
    g.k.kernel.setUser(user, of: g.k.notepad)
    try g.k.map(1, in: g.k.notepad)
    return g
  }

  /// Opens or makes a key as a user's thread does.
  private func ask(_ g: IOGuest, _ path: String, _ access: UInt64, makes: Bool = false, descriptor: UInt32 = 0) throws -> NTSTATUS {
    let user = g.k.buffer
    let units = Array(path.utf16)
    try g.k.store([0x18, 0, UInt32(user + 0x40), 0x40, descriptor, 0], at: user)
    try g.k.store([UInt32(units.count * 2) | UInt32(units.count * 2) << 16, UInt32(user + 0x48)], at: user + 0x40)
    for (index, unit) in units.enumerated() { try g.k.memory.memory.store(unit, at: user + 0x48 + 2 * UInt64(index)) }
    return makes
      ? try g.status("NtCreateKey", user + 0x20, access, user, 0, 0, 0, 0) : try g.status("NtOpenKey", user + 0x20, access, user)
  }

  @Test("a user reads what the machine has, and changes nothing; an administrator may", arguments: [ProcessUser.user, .administrator])
  func installed(user: ProcessUser) throws {
    let g = try guest(user)
    let refused: NTSTATUS = user == .user ? .accessDenied : .success
    let services = #"\Registry\Machine\System\CurrentControlSet\Services"#
    #expect(try ask(g, services, 0x2_0019) == .success)
    #expect(try ask(g, services, 0x2_0006) == refused)
    #expect(try ask(g, services + "\\new", 0x2_0019, makes: true) == refused)
    #expect(try ask(g, services + "\\none", 0x2_0019) == .objectNameNotFound)
    // MAXIMUM_ALLOWED is what there is: KEY_SET_VALUE is or is not among it.
    #expect(try ask(g, services, 0x200_0000) == .success)
    let handle = UInt64(try g.k.load(g.k.buffer + 0x20))
    #expect(try g.status("NtSetValueKey", handle, g.k.buffer + 0x40, 0, 4, g.k.buffer, 4) == refused)
    // The accounts are the system's alone.
    #expect(try ask(g, #"\Registry\Machine\SECURITY\Policy"#, 1) == .accessDenied)
  }

  @Test("kernel mode is asked only where it wants to be") func kernelMode() throws {
    let g = try guest(.user)
    let (handle, attributes) = (try g.space(), try g.attributes(#"\Registry\Machine\SECURITY\Policy"#))
    #expect(try g.status("ZwOpenKey", handle, 0xf_003f, attributes) == .success)
    // OBJ_FORCE_ACCESS_CHECK
    try g.k.store(0x640, at: attributes + 0xc)
    #expect(try g.status("ZwOpenKey", handle, 0xf_003f, attributes) == .accessDenied)
  }

  @Test("a driver's list on its key holds for every later opening, and for the keys below") func ownList() throws {
    let g = try guest(.user)
    let (handle, attributes) = (try g.space(), try g.attributes(Self.limited))
    #expect(try g.status("ZwCreateKey", handle, 0xf_003f, attributes, 0, 0, 0, 0) == .success)
    let key = UInt64(try g.k.load(handle))
    #expect(try ask(g, Self.limited, 1) == .success)
    // An empty list grants nothing: SE_DACL_PRESENT, ACL_REVISION, 8 bytes.
    let (descriptor, list) = (try g.space(20), try g.space())
    try g.k.store([8 << 16 | 2, 0], at: list)
    try g.k.store([4 << 16 | 1, 0, 0, 0, UInt32(list)], at: descriptor)
    #expect(try g.status("ZwSetSecurityObject", key, 4, descriptor) == .success)
    #expect(try ask(g, Self.limited, 1) == .accessDenied)
    let below = try g.attributes(Self.limited + "\\below")
    #expect(try g.status("ZwCreateKey", handle, 0xf_003f, below, 0, 0, 0, 0) == .success)
    #expect(try ask(g, Self.limited + "\\below", 1) == .accessDenied)
    // What is asked for is the list: 20 bytes, and the list's 8.
    let (copy, needed) = (try g.space(0x40), try g.space())
    #expect(try g.status("ZwQuerySecurityObject", key, 4, copy, 0x40, needed) == .success && g.k.load(needed) == 28)
    #expect(try g.k.load(copy + 20) == 8 << 16 | 2)
    #expect(try g.status("ZwQuerySecurityObject", key, 4, copy, 4, needed) == .bufferTooSmall)
  }

  @Test("a key that is made with a list has that") func madeWithList() throws {
    let g = try guest(.user)
    let (descriptor, list) = (try g.space(20), try g.space())
    try g.k.store([8 << 16 | 2, 0], at: list)
    try g.k.store([4 << 16 | 1, 0, 0, 0, UInt32(list)], at: descriptor)
    let (handle, attributes) = (try g.space(), try g.attributes(Self.limited))
    try g.k.store(UInt32(descriptor), at: attributes + 0x10)
    #expect(try g.status("ZwCreateKey", handle, 0xf_003f, attributes, 0, 0, 0, 0) == .success)
    #expect(try ask(g, Self.limited, 1) == .accessDenied)
    // One that is none is refused: an unknown revision.
    try g.k.store(9, at: descriptor)
    let other = try g.attributes(Self.limited + "2")
    try g.k.store(UInt32(descriptor), at: other + 0x10)
    #expect(try g.status("ZwCreateKey", handle, 0xf_003f, other, 0, 0, 0, 0) == NTSTATUS(rawValue: 0xc000_0079))
  }

  @Test("a user's thread gives no list that lies in the kernel's memory") func listOfTheKernels() throws {
    let g = try guest(.administrator)
    let descriptor = try g.space(20)
    try g.k.store([1, 0, 0, 0, 0], at: descriptor)
    #expect(try ask(g, Self.limited, 1, makes: true, descriptor: UInt32(descriptor)) == .accessViolation)
    #expect(try ask(g, Self.limited, 1, makes: true) == .success)
  }
}
