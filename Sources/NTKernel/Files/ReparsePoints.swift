import Guest
import WindowsTypes

/// A reparse point as its file keeps it: a `REPARSE_DATA_BUFFER`, or with a tag that is not Microsoft's a `REPARSE_GUID_DATA_BUFFER`
/// (`ntifs.h`): tag, length of the data, a reserved word, the GUID, the data.
struct ReparsePoint: Equatable {
  let bytes: [UInt8]

  /// `IO_REPARSE_TAG_MOUNT_POINT`
  static let mountPoint: UInt32 = 0xa000_0003
  /// `IO_REPARSE_TAG_SYMLINK`, which the I/O manager follows from Windows Vista on.
  static let symbolicLink: UInt32 = 0xa000_000c
  /// `MAXIMUM_REPARSE_DATA_BUFFER_SIZE`
  static let maximumSize: UInt32 = 0x4000

  var tag: UInt32 { UInt32(half(0)) | UInt32(half(2)) << 16 }
  var guid: [UInt8] { Self.headerSize(tag) == 24 ? Array(bytes[8..<24]) : [] }

  /// Of the header, with its GUID: a Microsoft tag has none.
  static func headerSize(_ tag: UInt32) -> UInt32 { tag & 0x8000_0000 != 0 ? 8 : 24 }

  private func half(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8 }

  /// Where a mount point or a symbolic link leads: its substitute name, and whether that starts from the link's own directory.
  /// `nil` of another tag, and of data that is none.
  var target: (name: String, isRelative: Bool)? {
    let text: Int
    switch tag {
    case Self.mountPoint: text = 16
    case Self.symbolicLink: text = 20
    default: return nil
    }
    guard bytes.count >= text else { return nil }
    let (offset, length) = (Int(half(8)), Int(half(10)))
    guard length > 0, length % 2 == 0, text + offset + length <= bytes.count else { return nil }
    let units = stride(from: text + offset, to: text + offset + length, by: 2).map { half($0) }
    // SYMLINK_FLAG_RELATIVE
    return (String(decoding: units, as: UTF16.self), tag == Self.symbolicLink && bytes[16] & 1 != 0)
  }
}

/// A name leads through a reparse point: the file system has opened nothing.
struct ReparseEncountered: Error {
  let point: ReparsePoint
  /// What of the name lies behind it, in UTF-16 units.
  let unparsed: Int
}

extension NTSTATUS {
  /// `STATUS_NOT_A_REPARSE_POINT`, 0xC0000275
  static let notAReparsePoint = Self(rawValue: 0xc000_0275)
  /// `STATUS_IO_REPARSE_TAG_INVALID`, 0xC0000276
  static let ioReparseTagInvalid = Self(rawValue: 0xc000_0276)
  /// `STATUS_IO_REPARSE_TAG_MISMATCH`, 0xC0000277
  static let ioReparseTagMismatch = Self(rawValue: 0xc000_0277)
  /// `STATUS_IO_REPARSE_DATA_INVALID`, 0xC0000278
  static let ioReparseDataInvalid = Self(rawValue: 0xc000_0278)
  /// `STATUS_IO_REPARSE_TAG_NOT_HANDLED`, 0xC0000279
  static let ioReparseTagNotHandled = Self(rawValue: 0xc000_0279)
  /// `STATUS_REPARSE_ATTRIBUTE_CONFLICT`, 0xC00002B2
  static let reparseAttributeConflict = Self(rawValue: 0xc000_02b2)
}

extension Kernel {
  /// `FsRtlValidateReparsePointBuffer` (nf-ntifs-fsrtlvalidatereparsepointbuffer).
  func checkReparsePoint(_ length: UInt32, at buffer: UInt64) throws -> NTSTATUS {
    let here = memory.memory
    func half(_ offset: UInt64) throws -> UInt32 { UInt32(try here.load(UInt16.self, at: buffer + offset)) }
    guard 8...ReparsePoint.maximumSize ~= length else { return .ioReparseDataInvalid }
    let (tag, size) = (try here.load(UInt32.self, at: buffer), try half(4))
    guard tag & 0x0fff_0000 == 0, tag & 0xffff > 1 else { return .ioReparseTagInvalid }
    guard length == size + ReparsePoint.headerSize(tag) else { return .ioReparseDataInvalid }
    // The two names, each with its zero, one behind the other.
    guard tag == ReparsePoint.mountPoint else { return .success }
    guard size >= 8 else { return .ioReparseDataInvalid }
    let (first, firstLength, second, secondLength) = (try half(8), try half(10), try half(12), try half(14))
    guard first == 0, second == firstLength + 2, size == 8 + firstLength + secondLength + 4 else { return .ioReparseDataInvalid }
    return .success
  }

  /// `FSCTL_SET_REPARSE_POINT`, `…GET…` and `…DELETE…` (fsctl-set-reparse-point and its like).
  func reparsePointControl(_ request: FileRequest, _ code: UInt32) throws -> Reply {
    let node = try request.requireNode()
    guard request.volume.kind == .ntfs else { throw Refusal(.invalidDeviceRequest) }
    let parameters = request.stack.Parameters.FileSystemControl
    let buffer = try systemBuffer(request)
    if code == 0x9_00a8 {
      guard let point = node.reparsePoint else { throw Refusal(.notAReparsePoint) }
      let length = try parameters.OutputBufferLength.load()
      guard length >= ReparsePoint.headerSize(point.tag) else { throw Refusal(.bufferTooSmall) }
      return try reply(point.bytes, fixed: 0, length: length, to: buffer)
    }
    if request.volume.isReadOnly { throw Refusal(.mediaWriteProtected) }
    // FILE_WRITE_DATA or FILE_WRITE_ATTRIBUTES
    if let open = request.open, open.access & (FileAccess.writeData | FileAccess.writeAttributes) == 0 { throw Refusal(.accessDenied) }
    let length = try parameters.InputBufferLength.load()
    let isSetting = code == 0x9_00a4
    if isSetting {
      let status = try checkReparsePoint(length, at: buffer)
      guard status == .success else { throw Refusal(status) }
    } else {
      // The header alone: no data.
      guard length >= 8, case let tag = try memory.memory.load(UInt32.self, at: buffer), length == ReparsePoint.headerSize(tag),
        try memory.memory.load(UInt16.self, at: buffer + 4) == 0
      else { throw Refusal(.ioReparseDataInvalid) }
    }
    let new = ReparsePoint(bytes: try memory.memory.bytes(Int(length), at: buffer))
    if let old = node.reparsePoint {
      guard old.tag == new.tag else { throw Refusal(.ioReparseTagMismatch) }
      guard old.guid == new.guid else { throw Refusal(.reparseAttributeConflict) }
    } else {
      guard isSetting else { throw Refusal(.notAReparsePoint) }
      if new.tag == ReparsePoint.mountPoint, !node.isDirectory { throw Refusal(.notADirectory) }
      if node.isDirectory, !node.children.isEmpty { throw Refusal(.directoryNotEmpty) }
    }
    node.reparsePoint = isSetting ? new : nil
    node.changeTime = fileTime
    return .success
  }

  /// The answer to a create whose name leads through a reparse point: the point goes with the packet, its reserved word says how much
  /// of the name lies behind it (ns-fltkernel-_flt_tag_data_buffer, UnparsedNameLength).
  func reparse(_ request: FileRequest, _ encounter: ReparseEncountered) throws -> Reply {
    var bytes = encounter.point.bytes
    let length = UInt16(truncatingIfNeeded: encounter.unparsed * 2)
    (bytes[6], bytes[7]) = (UInt8(length & 0xff), UInt8(length >> 8))
    let block = try allocate(UInt64(max(32, bytes.count)))
    try memory.memory.write(bytes, at: block)
    try request.irp.Tail.Overlay.AuxiliaryBuffer.store(Pointer(block, in: memory.memory))
    return Reply(.reparse, UInt64(encounter.point.tag))
  }

  /// Where the I/O manager goes on after a create came back with STATUS_REPARSE.
  ///
  /// - Parameters:
  ///   - information: `IO_REPARSE`, or the tag of a reparse point, whose data came with the packet.
  ///   - path: how the file that was asked for is called, where that is a path of the object manager's.
  ///   - name: the part of it behind the device's.
  func followReparse(_ information: UInt64, _ data: [UInt8]?, _ file: Pointer<FILE_OBJECT>, _ path: String?, _ name: String) throws
    -> Result<String, Refusal>
  {
    if information == 0 { return .success(try file.FileName.string()) }
    guard let data, data.count >= 8, case let point = ReparsePoint(bytes: data), UInt64(point.tag) == information,
      point.tag == ReparsePoint.mountPoint || memory.target.system.release >= .windows7, let target = point.target
    else { return .failure(Refusal(.ioReparseTagNotHandled)) }
    let units = Array(name.utf16)
    let rest = min(units.count, Int(UInt16(data[6]) | UInt16(data[7]) << 8) / 2)
    let (parsed, unparsed) = (String(decoding: units.dropLast(rest), as: UTF16.self), String(decoding: units.suffix(rest), as: UTF16.self))
    var next = target.name
    if target.isRelative {
      guard let path, path.hasSuffix(name), let slash = parsed.lastIndex(of: "\\") else {
        return .failure(Refusal(.ioReparseTagNotHandled))
      }
      next = path.dropLast(name.count) + parsed[...slash] + next
    }
    if next.hasSuffix("\\"), unparsed.hasPrefix("\\") { next.removeLast() }
    return .success(next + unparsed)
  }
}
