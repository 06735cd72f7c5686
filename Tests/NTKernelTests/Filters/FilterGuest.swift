import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

/// A minifilter without code: ``IOGuest``'s driver, with the records that a minifilter fills in, and a volume to filter.
final class FilterGuest {
  let g: IOGuest
  var k: TestKernel { g.k }
  var driver: UInt64 { g.driver.object.address }
  static let volumeName = #"\Device\HarddiskVolume1"#

  static let unload: UInt64 = 0xf8b0_8000
  static let setup: UInt64 = 0xf8b0_8010
  static let queryTeardown: UInt64 = 0xf8b0_8020
  static let teardownStart: UInt64 = 0xf8b0_8030
  static let teardownComplete: UInt64 = 0xf8b0_8040
  static let cleanup: UInt64 = 0xf8b0_8050
  static let pre: UInt64 = 0xf8b0_8100
  static let post: UInt64 = 0xf8b0_8200

  init(
    altitude: String = "370000", flags: UInt32 = 0, hasVolume: Bool = true, _ kind: FileSystemKind = .ntfs,
    pagingIO: Bool = false, target: Target = .windowsXP_x86
  ) throws {
    g = try IOGuest(target: target)
    addKeys("demo", altitude: altitude, flags: flags)
    guard hasVolume else { return }
    var volume = VolumeDescription(
      device: Self.volumeName, fileSystem: kind, drive: "C:", serialNumber: 0x1234_abcd,
      files: [FileDescription(#"\Long directory\notes.txt"#, content: Array("hello".utf8))])
    volume.hasPagingIO = pagingIO
    try g.k.kernel.addVolume(volume)
  }

  /// A service's instances in the registry: one, called Main.
  func addKeys(_ service: String, altitude: String, flags: UInt32 = 0) {
    let registry = k.kernel.registry
    registry.makeKey(at: "Services\\\(service)\\Instances")?["DefaultInstance"] = .string("Main")
    let key = registry.makeKey(at: "Services\\\(service)\\Instances\\Main")
    key?["Altitude"] = .string(altitude)
    key?["Flags"] = .dword(flags)
  }

  /// An `FLT_REGISTRATION` of version 0x0200, with the given words behind its flags.
  func registration(version: UInt32 = 0x0200, size: UInt32 = 0x30, flags: UInt32 = 0, _ words: [Int: UInt64] = [:]) throws -> UInt64 {
    let place = try g.space(0x40)
    try k.store([size | version << 16, flags], at: place)
    for (offset, word) in words { try k.store(UInt32(word), at: place + UInt64(offset)) }
    return place
  }

  /// Registers, and gives the filter.
  func register(_ words: [Int: UInt64] = [0x10: FilterGuest.unload], flags: UInt32 = 0, driver: UInt64? = nil) throws -> UInt64 {
    let result = try g.space()
    #expect(try g.status("FltRegisterFilter", driver ?? self.driver, registration(flags: flags, words), result) == .success)
    return UInt64(try k.load(result))
  }

  /// Registers with `words` and starts.
  func start(_ words: [Int: UInt64] = [:], driver: UInt64? = nil) throws -> UInt64 {
    let filter = try register(words, driver: driver)
    #expect(try g.status("FltStartFiltering", filter) == .success)
    return filter
  }

  /// Another driver, with a filter at another altitude.
  func other(_ name: String, altitude: String, _ words: [Int: UInt64] = [:]) throws -> UInt64 {
    addKeys(name, altitude: altitude)
    let driver = try k.kernel.loadDriver(name, entry: 0xf8c1_0100, base: 0xf8c1_0000, size: 0x1000)
    return try start(words, driver: driver.object.address)
  }

  /// A table of operations: major function, flags, callbacks.
  func operations(_ rows: [(UInt32, flags: UInt32, pre: UInt64, post: UInt64)]) throws -> UInt64 {
    let table = try g.space(UInt64(0x14 * (rows.count + 1)))
    for (index, row) in rows.enumerated() {
      try k.store([row.0, row.flags, UInt32(row.pre), UInt32(row.post), 0], at: table + UInt64(0x14 * index))
    }
    try k.store(0x80, at: table + UInt64(0x14 * rows.count))
    return table
  }

  /// A table of contexts: type, size.
  func contexts(_ rows: [(type: UInt32, size: UInt32)]) throws -> UInt64 {
    let table = try g.space(UInt64(0x1c * (rows.count + 1)))
    for (index, row) in rows.enumerated() {
      try k.store([row.type, UInt32(Self.cleanup), row.size, 0x7478_7443], at: table + UInt64(0x1c * index))
    }
    try k.store(0xffff, at: table + UInt64(0x1c * rows.count))
    return table
  }

  // MARK: Files

  /// The value that a routine stores at a place it is given.
  func out(_ body: (UInt64) throws -> NTSTATUS, expect: NTSTATUS = .success) throws -> UInt64 {
    let place = try g.space()
    #expect(try body(place) == expect)
    return UInt64(try k.load(place))
  }

  /// A handle to a file of the volume, opened from kernel mode for reading and writing.
  func open(_ path: String = #"\??\C:\Long directory\notes.txt"#, expect: NTSTATUS = .success, disposition: UInt64 = 1) throws -> UInt64 {
    let (handle, block) = (try g.space(), try g.space())
    let status = try g.status(
      "ZwCreateFile", handle, 0x12_019f, g.attributes(path), block, 0, 0x80, 7, disposition, 0x20, 0, 0)
    #expect(status == expect)
    return UInt64(try k.load(handle))
  }

  func fileObject(_ handle: UInt64) throws -> UInt64 { try #require(try k.kernel.fileObject(ofHandle: handle)).address }

  /// Reads `count` bytes from the beginning into system memory.
  func read(_ handle: UInt64, _ count: UInt64, expect: NTSTATUS = .success) throws -> [UInt8] {
    let (block, buffer, offset) = (try g.space(), try g.space(max(8, count)), try g.space())
    #expect(try g.status("ZwReadFile", handle, 0, 0, 0, block, buffer, count, offset, 0) == expect)
    return try k.memory.memory.bytes(Int(count), at: buffer)
  }

  /// The instance of a filter on the volume.
  func instance(of filter: UInt64) throws -> UInt64 {
    let (list, count) = (try g.space(), try g.space())
    #expect(try g.status("FltEnumerateInstances", 0, filter, list, 1, count) == .success)
    let instance = UInt64(try k.load(list))
    try g.call("FltObjectDereference", instance)
    return instance
  }

  func volume(_ filter: UInt64) throws -> UInt64 {
    let volume = try out { try g.status("FltGetVolumeFromName", filter, g.string(Self.volumeName), $0) }
    try g.call("FltObjectDereference", volume)
    return volume
  }

  /// The text of a counted string in guest memory.
  func text(_ string: UInt64) throws -> String {
    let units = try (0..<UInt64(k.half(string)) / 2).map { try k.memory.memory.load(UInt16.self, at: UInt64(k.load(string + 4)) + 2 * $0) }
    return String(decoding: units, as: UTF16.self)
  }

  /// A relative time of a millisecond.
  func delay() throws -> UInt64 {
    let place = try g.space()
    try k.store([UInt32(bitPattern: -10_000), 0xffff_ffff], at: place)
    return place
  }
}
