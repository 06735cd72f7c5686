import Guest
import NTKernel
import Testing
import WindowsTypes

/// A driver's view of a volume: `\Device\HarddiskVolume1`, which is C:, with a few files.
final class VolumeGuest {
  let g: IOGuest
  let volume: Volume
  var k: TestKernel { g.k }
  /// Where calls leave a handle, and the status block behind it.
  let handlePlace: UInt64
  let block: UInt64
  /// A page and more for buffers.
  let buffer: UInt64

  init(_ kind: FileSystemKind = .ntfs, size: UInt64 = 1 << 20, files: [FileDescription] = VolumeGuest.files) throws {
    g = try IOGuest()
    volume = try g.k.kernel.addVolume(
      VolumeDescription(
        device: #"\Device\HarddiskVolume1"#, fileSystem: kind, drive: "C:", label: "System", serialNumber: 0x1234_5678, size: size,
        files: files))
    handlePlace = try g.space()
    block = try g.space()
    buffer = try g.space(0x3000)
  }

  static let files = [
    FileDescription(#"\dir\hello.txt"#, content: Array("hello, world".utf8), modified: 0x01c9_0000_0000_0000),
    FileDescription(#"\dir\A name that is long.text"#, content: [1, 2, 3]),
    FileDescription(#"\dir\locked.bin"#, content: [0xff], attributes: FileAttributes.readOnly),
    FileDescription(#"\empty"#, isDirectory: true),
  ]

  /// GENERIC_READ | GENERIC_WRITE | DELETE | SYNCHRONIZE
  static let all: UInt64 = 0xc011_0000

  /// Creates or opens, synchronously, and returns the status; the handle is ``handle``.
  func create(
    _ path: String, access: UInt64 = VolumeGuest.all, share: UInt64 = 7, disposition: UInt64 = 1, options: UInt64 = 0,
    attributes: UInt64 = 0x80, by routine: String = "ZwCreateFile"
  ) throws -> NTSTATUS {
    try k.store([0, 0], at: block)
    return try g.status(
      routine, handlePlace, access, g.attributes(path), block, 0, attributes, share, disposition, 0x20 | options, 0, 0)
  }
  func handle() throws -> UInt64 { UInt64(try k.load(handlePlace)) }
  func information() throws -> UInt32 { try k.load(block + 4) }

  func opened(_ path: String, options: UInt64 = 0, access: UInt64 = VolumeGuest.all) throws -> UInt64 {
    #expect(try create(path, access: access, options: options) == .success)
    return try handle()
  }

  func write(_ handle: UInt64, _ bytes: [UInt8], at offset: Int64? = nil) throws -> NTSTATUS {
    try k.memory.memory.write(bytes, at: buffer)
    return try transfer("ZwWriteFile", handle, UInt64(bytes.count), offset)
  }
  func read(_ handle: UInt64, _ count: UInt64, at offset: Int64? = nil) throws -> NTSTATUS {
    try transfer("ZwReadFile", handle, count, offset)
  }
  private func transfer(_ name: String, _ handle: UInt64, _ count: UInt64, _ offset: Int64?) throws -> NTSTATUS {
    var place: UInt64 = 0
    if let offset {
      place = try g.space()
      try k.memory.memory.store(offset, at: place)
    }
    return try g.status(name, handle, 0, 0, 0, block, buffer, count, place, 0)
  }
  func bytes(_ count: Int, at offset: UInt64 = 0) throws -> [UInt8] { try k.memory.memory.bytes(count, at: buffer + offset) }
  func text() throws -> String { String(decoding: try bytes(Int(information())), as: UTF8.self) }
  func units(_ count: Int, at offset: UInt64) throws -> String {
    String(decoding: try (0..<UInt64(count / 2)).map { try k.half(buffer + offset + 2 * $0) }, as: UTF16.self)
  }

  func close(_ handle: UInt64) throws { #expect(try g.status("ZwClose", handle) == .success) }
  func query(_ handle: UInt64, _ kind: UInt64, _ length: UInt64 = 0x200) throws -> NTSTATUS {
    try g.status("ZwQueryInformationFile", handle, block, buffer, length, kind)
  }
  func set(_ handle: UInt64, _ kind: UInt64, _ bytes: [UInt8]) throws -> NTSTATUS {
    try k.memory.memory.write(bytes, at: buffer)
    return try g.status("ZwSetInformationFile", handle, block, buffer, UInt64(bytes.count), kind)
  }
  /// The file object behind a handle.
  func file(_ handle: UInt64) throws -> Pointer<FILE_OBJECT> {
    let place = try g.space()
    #expect(try g.status("ObReferenceObjectByHandle", handle, 0, 0, 0, place, 0) == .success)
    let object = UInt64(try k.load(place))
    try g.call("ObfDereferenceObject", object)
    return Pointer(object, in: k.memory.memory)
  }

  static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}
