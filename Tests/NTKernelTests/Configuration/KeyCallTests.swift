import Guest
import NTKernel
import Testing
import WindowsTypes

/// What the tests of the registry's calls have in common.
extension IOGuest {
  static let demo = #"\Registry\Machine\Software\Demo"#
  static let keyDeleted = NTSTATUS(rawValue: 0xc000_017c)

  /// `OBJECT_ATTRIBUTES` below a key.
  func attributes(_ name: String, below root: UInt64, flags: UInt32 = 0x240) throws -> UInt64 {
    let place = try attributes(name)
    try k.store(UInt32(root), at: place + 4)
    try k.store(flags, at: place + 12)
    return place
  }

  /// A handle to a key, made where it is missing.
  func key(_ path: String, options: UInt64 = 0) throws -> UInt64 {
    let place = try space()
    let status = try status("ZwCreateKey", place, 0xf003f, attributes(path), 0, 0, options, 0)
    #expect(status == .success)
    return UInt64(try k.load(place))
  }

  func set(_ key: UInt64, _ name: String, _ type: UInt64, _ bytes: [UInt8]) throws {
    let data = try space(UInt64(max(1, bytes.count)))
    try k.memory.memory.write(bytes, at: data)
    #expect(try status("ZwSetValueKey", key, string(name), 0, type, data, UInt64(bytes.count)) == .success)
  }

  func text(at address: UInt64, bytes: UInt32) throws -> String {
    String(decoding: try (0..<UInt64(bytes / 2)).map { try k.half(address + 2 * $0) }, as: UTF16.self)
  }
}

@Suite("Keys and values by handle") struct KeyCallTests {
  @Test func open() throws {
    let g = try IOGuest()
    g.k.kernel.registry.makeKey(at: IOGuest.demo)
    let place = try g.space()
    func open(_ attributes: UInt64) throws -> NTSTATUS { try g.status("ZwOpenKey", place, 0x20019, attributes) }
    #expect(try open(g.attributes(IOGuest.demo.uppercased() + "\\")) == .success)
    let root = UInt64(try g.k.load(place))
    #expect(root & 0x8000_0000 != 0)
    #expect(try open(g.attributes(#"\Registry"#)) == .success)
    #expect(try open(g.attributes("", below: root)) == .success)
    #expect(try open(g.attributes("Missing", below: root)) == .objectNameNotFound)
    #expect(try open(g.attributes(#"\Missing"#, below: root)) == .objectPathSyntaxBad)
    #expect(try open(g.attributes("Demo")) == .objectPathSyntaxBad)
    #expect(try open(g.attributes(#"\Driver\demo"#)) == .objectTypeMismatch)
    #expect(try open(g.attributes(#"\Missing"#)) == .objectNameNotFound)
    #expect(try open(g.attributes("a", below: 0x1234)) == .invalidHandle)
    let bad = try g.attributes(IOGuest.demo)
    try g.k.store(0x14, at: bad)
    #expect(try open(bad) == .invalidParameter)
    #expect(try g.status("ZwClose", root) == .success)
    #expect(try g.status("ZwFlushKey", root) == .invalidHandle)
  }

  @Test func create() throws {
    let g = try IOGuest()
    let (place, disposition) = (try g.space(), try g.space())
    func create(_ path: String, options: UInt64 = 0) throws -> NTSTATUS {
      try g.status("ZwCreateKey", place, 0xf003f, g.attributes(path), 0, g.string("class"), options, disposition)
    }
    #expect(try create(IOGuest.demo) == .success)
    #expect(try g.k.load(disposition) == 1)
    #expect(try create(IOGuest.demo) == .success)
    #expect(try g.k.load(disposition) == 2)
    // One level at a time.
    #expect(try create(IOGuest.demo + #"\a\b"#) == .objectNameNotFound)
    // Nothing is made beside the hives.
    #expect(try create(#"\Registry\Machine\Own"#) == .invalidParameter)
    #expect(try create(IOGuest.demo + "\\" + String(repeating: "n", count: 256)) == .invalidParameter)
    #expect(try create(IOGuest.demo, options: 0x10) == .invalidParameter)
    #expect(try create(IOGuest.demo + #"\v"#, options: 1) == .success)
    // STATUS_CHILD_MUST_BE_VOLATILE
    #expect(try create(IOGuest.demo + #"\v\s"#) == NTSTATUS(rawValue: 0xc000_0181))
    #expect(g.k.kernel.registry.key(at: IOGuest.demo)?.className.count == 10)
  }

  @Test func links() throws {
    let g = try IOGuest()
    let link = try g.key(IOGuest.demo + "Link", options: 2)
    _ = try g.key(IOGuest.demo)
    let target = Array(IOGuest.demo.utf16).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    #expect(try g.status("ZwSetValueKey", link, g.string("x"), 0, 4, g.space(), 4) == .accessDenied)
    try g.set(link, "SymbolicLinkValue", 6, target)
    let below = try g.key(IOGuest.demo + #"Link\Below"#)
    try g.set(below, "v", 4, [1, 0, 0, 0])
    #expect(g.k.kernel.registry.key(at: IOGuest.demo + #"\Below"#)?["v"]?.number == 1)
    // The link itself, by OBJ_OPENLINK.
    let place = try g.space()
    #expect(try g.status("ZwOpenKey", place, 0xf003f, g.attributes(IOGuest.demo + "Link", below: 0, flags: 0x340)) == .success)
    let (information, needed) = (try g.space(64), try g.space())
    #expect(try g.status("ZwQueryKey", UInt64(g.k.load(place)), 0, information, 64, needed) == .success)
    #expect(try g.text(at: information + 16, bytes: g.k.load(information + 12)) == "DemoLink")
  }

  @Test func deletion() throws {
    let g = try IOGuest()
    let (key, below) = (try g.key(IOGuest.demo), try g.key(IOGuest.demo + #"\Below"#))
    // STATUS_CANNOT_DELETE: it has a subkey.
    #expect(try g.status("ZwDeleteKey", key) == NTSTATUS(rawValue: 0xc000_0121))
    #expect(try g.status("ZwDeleteKey", below) == .success)
    #expect(try g.status("ZwDeleteKey", below) == IOGuest.keyDeleted)
    #expect(try g.status("ZwSetValueKey", below, g.string("v"), 0, 4, g.space(), 4) == IOGuest.keyDeleted)
    #expect(try g.status("ZwDeleteKey", key) == .success)
    #expect(g.k.kernel.registry.key(at: IOGuest.demo) == nil)
    #expect(try g.status("ZwClose", below) == .success)
    let device = try g.device(#"\Device\Demo"#)
    _ = device
    try g.acceptFiles()
    #expect(try g.status("ZwDeleteKey", g.open(#"\Device\Demo"#)) == .objectTypeMismatch)
  }

  @Test func values() throws {
    let g = try IOGuest()
    let key = try g.key(IOGuest.demo)
    try g.set(key, "Limit", 4, [5, 0, 0, 0])
    let (information, needed) = (try g.space(64), try g.space())
    func query(_ name: String, _ kind: UInt64, _ length: UInt64) throws -> NTSTATUS {
      try g.status("ZwQueryValueKey", key, g.string(name), kind, information, length, needed)
    }
    // KeyValuePartialInformation
    #expect(try query("LIMIT", 2, 16) == .success)
    #expect(try (0..<4).map { try g.k.load(information + 4 * $0) } == [0, 4, 4, 5])
    #expect(try g.k.load(needed) == 16)
    #expect(try query("Limit", 2, 11) == .bufferTooSmall)
    #expect(try g.k.load(needed) == 16)
    try g.k.store(0xcccc_cccc, at: information + 12)
    #expect(try query("Limit", 2, 14) == .bufferOverflow)
    #expect(try g.k.load(information + 12) == 0xcccc_0005)
    // KeyValueBasicInformation, KeyValueFullInformation
    #expect(try query("Limit", 0, 64) == .success)
    #expect(try g.text(at: information + 12, bytes: g.k.load(information + 8)) == "Limit")
    #expect(try query("Limit", 1, 64) == .success)
    #expect(try (1..<5).map { try g.k.load(information + 4 * $0) } == [4, 0x20, 4, 10])
    #expect(try g.k.load(information + 0x20) == 5)
    #expect(try query("Limit", 9, 64) == .invalidParameter)
    #expect(try query("Missing", 2, 64) == .objectNameNotFound)
    #expect(try g.status("ZwDeleteValueKey", key, g.string("limit")) == .success)
    #expect(try g.status("ZwDeleteValueKey", key, g.string("limit")) == .objectNameNotFound)
  }

  @Test func enumeration() throws {
    let g = try IOGuest()
    let key = try g.key(IOGuest.demo)
    for name in ["b", "A"] { _ = try g.key(IOGuest.demo + "\\" + name) }
    for name in ["second", "x"] { try g.set(key, name, 3, [1, 2, 3]) }
    let (information, needed) = (try g.space(128), try g.space())
    func name(_ routine: String, _ index: UInt64, at offset: UInt64, length: UInt64) throws -> String {
      #expect(try g.status(routine, key, index, 0, information, 128, needed) == .success)
      return try g.text(at: information + offset, bytes: g.k.load(information + length))
    }
    #expect(try name("ZwEnumerateKey", 0, at: 16, length: 12) == "A")
    #expect(try name("ZwEnumerateKey", 1, at: 16, length: 12) == "b")
    #expect(try g.status("ZwEnumerateKey", key, 2, 0, information, 128, needed) == .noMoreEntries)
    #expect(try g.status("ZwEnumerateKey", key, 0, 3, information, 128, needed) == .invalidParameter)
    #expect(try name("ZwEnumerateValueKey", 0, at: 12, length: 8) == "second")
    #expect(try g.status("ZwEnumerateValueKey", key, 2, 0, information, 128, needed) == .noMoreEntries)
    // KeyFullInformation: subkeys, longest name, class, values, longest name, longest data.
    #expect(try g.status("ZwQueryKey", key, 2, information, 128, needed) == .success)
    #expect(try (5..<11).map { try g.k.load(information + 4 * $0) } == [2, 2, 0, 2, 12, 3])
    #expect(try g.k.load(information + 12) == 0xffff_ffff)
    // KeyNameInformation
    #expect(try g.status("ZwQueryKey", key, 3, information, 128, needed) == .success)
    #expect(try g.text(at: information + 4, bytes: g.k.load(information)) == #"\REGISTRY\MACHINE\SOFTWARE\Demo"#)
    #expect(try g.status("ZwQueryKey", key, 3, information, 2, needed) == .bufferTooSmall)
    #expect(try g.status("ZwFlushKey", key) == .success)
  }

  @Test("a user's thread reaches no kernel handle and needs the right access") func userMode() throws {
    let g = try IOGuest()
    try g.k.map(1, in: g.k.notepad)
    let kernelHandle = try g.key(IOGuest.demo)
    let user = g.k.buffer
    try g.k.store([0x18, 0, UInt32(user + 0x40), 0x40, 0, 0], at: user)
    let units = Array(IOGuest.demo.utf16)
    try g.k.store([UInt32(units.count * 2) | UInt32(units.count * 2) << 16, UInt32(user + 0x48)], at: user + 0x40)
    for (index, unit) in units.enumerated() { try g.k.memory.memory.store(unit, at: user + 0x48 + 2 * UInt64(index)) }
    #expect(try g.status("NtOpenKey", user + 0x20, 1, user) == .success)
    let handle = UInt64(try g.k.load(user + 0x20))
    #expect(handle & 0x8000_0000 == 0)
    #expect(try g.status("NtSetValueKey", handle, user + 0x40, 0, 4, user, 4) == .accessDenied)
    #expect(try g.status("NtFlushKey", kernelHandle) == .invalidHandle)
    // A buffer of the kernel's, and none at all.
    #expect(try g.status("NtOpenKey", g.space(), 1, user) == .accessViolation)
    #expect(try g.status("NtOpenKey", user + 0x20, 1, 0x10) == .accessViolation)
    #expect(try g.status("NtQueryKey", handle, 0, g.space(64), 64, user + 0x30) == .accessViolation)
    #expect(try g.status("NtClose", handle) == .success)
    for routine in ["NtCreateKey", "NtDeleteKey", "NtDeleteValueKey", "NtQueryValueKey", "NtEnumerateKey", "NtEnumerateValueKey"] {
      let count = try #require(g.k.kernel.exports.exports.first { $0.name == routine }).parameters.count
      #expect(
        [.invalidHandle, .accessViolation].contains(
          NTSTATUS(rawValue: UInt32(try g.call(routine, [handle] + [UInt64](repeating: 0, count: count - 1))))))
    }
  }

  @Test("values have room until the quota is used up") func quota() throws {
    let g = try IOGuest()
    let key = try g.key(IOGuest.demo)
    let megabyte: UInt64 = 1 << 20
    let data = try g.k.kernel.allocate(megabyte)
    var count = 0
    while try g.status("ZwSetValueKey", key, g.string("\(count)"), 0, 3, data, megabyte) == .success, count < 64 { count += 1 }
    #expect(count == 31)
    // STATUS_REGISTRY_QUOTA_LIMIT
    #expect(try g.status("ZwSetValueKey", key, g.string("x"), 0, 3, data, megabyte) == NTSTATUS(rawValue: 0xc000_0256))
    #expect(try g.status("ZwDeleteValueKey", key, g.string("0")) == .success)
    #expect(try g.status("ZwSetValueKey", key, g.string("x"), 0, 3, data, megabyte) == .success)
    #expect(try g.status("ZwSetValueKey", key, g.string("y"), 0, 3, data, 0x7fff_ffff) == .invalidParameter)
  }
}

@Suite("Waiting for changes of a key") struct ChangeNotificationTests {
  @Test("an asynchronous call is over once a value is set") func asynchronous() throws {
    let g = try IOGuest()
    let key = try g.key(IOGuest.demo)
    let below = try g.key(IOGuest.demo + #"\Below"#)
    let (block, item) = (try g.space(), try g.space())
    func watch(_ filter: UInt64, tree: UInt64) throws -> NTSTATUS {
      try g.status("ZwNotifyChangeKey", key, 0, item, 1, block, filter, tree, 0, 0, 1)
    }
    try g.k.store([0, 0, 0xf8b0_6000, 77], at: item)
    #expect(try watch(0, tree: 0) == .invalidParameter)
    #expect(try watch(4, tree: 1) == .pending)
    try g.k.store(0xcccc_cccc, at: block)
    _ = try g.key(IOGuest.demo + #"\Another"#)
    #expect(try g.k.load(block) == 0xcccc_cccc)
    try g.set(below, "v", 4, [1, 0, 0, 0])
    // STATUS_NOTIFY_ENUM_DIR
    #expect(try g.k.load(block) == 0x10c)
    // A change in between is not lost.
    try g.set(below, "v", 4, [2, 0, 0, 0])
    #expect(try watch(4, tree: 1) == .pending)
    #expect(try watch(4, tree: 1) == .pending)
    // STATUS_NOTIFY_CLEANUP
    #expect(try g.status("ZwClose", key) == .success)
    #expect(try g.k.load(block) == 0x10b)
    #expect(try g.status("NtNotifyChangeKey", key, 0, 0, 0, block, 4, 1, 0, 0, 1) == .accessViolation)
  }
}
