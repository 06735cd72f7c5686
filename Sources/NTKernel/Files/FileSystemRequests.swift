import Guest
import WindowsTypes

/// The run's own file systems: what NTFS, FAT and CDFS do with an IRP, by the documentation of the requests and of the statuses.
extension Kernel {
  /// What became of a request.
  struct Reply {
    var status: NTSTATUS
    var information: UInt64 = 0

    init(_ status: NTSTATUS, _ information: UInt64 = 0) {
      self.status = status
      self.information = information
    }
    static let success = Reply(.success)
  }

  /// A request as the file systems look at it.
  struct FileRequest {
    let irp: Pointer<IRP>
    let stack: Pointer<IO_STACK_LOCATION>
    let file: Pointer<FILE_OBJECT>
    let volume: Volume
    let node: FileNode?
    let open: OpenFile?
    /// `IO_STACK_LOCATION.Flags`.
    let flags: UInt8

    /// The file that the request is about; a volume has none.
    func requireNode() throws(Refusal) -> FileNode {
      guard let node else { throw Refusal(.invalidParameter) }
      return node
    }
  }

  /// The dispatch routine of the run's file systems, for every major function: answers the request and completes it.
  ///
  /// It is what every operation on a file of a ``Volume`` comes to, below whatever filters lie above ``Volume/device``.
  func fileSystemRequest(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    let reply: Reply
    if let volume = volume(of: device) {
      let file = try stack.FileObject.load()
      let request = FileRequest(
        irp: irp, stack: stack, file: file, volume: volume, node: try node(of: file), open: try open(of: file),
        flags: try stack.Flags.load())
      do {
        reply = try await answer(request, try stack.MajorFunction.load())
      } catch let refusal as Refusal {
        reply = Reply(refusal.status)
      } catch let exception as GuestException {
        // A user's buffer that is none: FsRtlNormalizeNtstatus(exception, STATUS_INVALID_USER_BUFFER).
        reply = Reply(exception.code.isExpectedOfFileSystems ? exception.code : .invalidUserBuffer)
      }
    } else {
      // A control device, which can only be opened and closed.
      let major = try stack.MajorFunction.load()
      reply = [.create, .cleanup, .close].contains(major) ? .success : Reply(.invalidDeviceRequest)
    }
    if reply.status == .pending { return .pending }
    try irp.IoStatus.Status.store(reply.status)
    try irp.IoStatus.Information.store(GuestWord(reply.information))
    if try completesLater(stack, on: device) { return try completeLater(irp) }
    try await completeRequest(irp)
    return reply.status
  }

  /// Whether what a request is about is deleted. FSCTL_GET_OBJECT_ID is about the file, also where it comes by one of its streams.
  private func isGone(_ node: FileNode, _ request: FileRequest, _ major: IRP_MJ) throws -> Bool {
    if node.isStream, node.parent?.isDeleted == true { return true }
    guard node.isDeleted else { return false }
    guard node.isStream, major == .fileSystemControl else { return true }
    return try request.stack.Parameters.FileSystemControl.FsControlCode.load().rawValue != 0x9_009c
  }

  private func answer(_ request: FileRequest, _ major: IRP_MJ) async throws -> Reply {
    // Of a file that is gone, NTFS says so; only what ends its last opens, and what its cache still does, comes through.
    if request.volume.kind == .ntfs, let node = request.node, try isGone(node, request, major),
      ![.create, .cleanup, .close].contains(major), try !request.irp.Flags.load().contains(.pagingIO)
    {
      throw Refusal(.fileDeleted)
    }
    return switch major {
    case .create: try create(request)
    case .cleanup: try await cleanUp(request)
    case .close: try closed(request)
    case .read: try await read(request)
    case .write: try await write(request)
    case .queryInformation: try queryInformation(request)
    case .setInformation: try setInformation(request)
    case .queryVolumeInformation: try queryVolumeInformation(request)
    case .setVolumeInformation: try setVolumeInformation(request)
    case .directoryControl: try directoryControl(request)
    case .fileSystemControl: try fileSystemControl(request)
    case .lockControl: try await lockControl(request)
    case .queryEa: try queryAttributes(request)
    case .setEa: try setAttributes(request)
    case .flushBuffers: try await flushBuffers(request)
    case .shutdown: .success
    // A file has no control codes of its own; a volume's go to the disk.
    case .deviceControl where request.node != nil: throw Refusal(.invalidParameter)
    case .deviceControl: try storageControl(request)
    default: throw Refusal(.invalidDeviceRequest)
    }
  }

  /// The buffer that a request is about, where it is read or written piece by piece: through its MDL, else as the user's own.
  func store(_ bytes: [UInt8], _ request: FileRequest, at offset: UInt64) throws { try store(bytes, of: request.irp, at: offset) }

  func store(_ bytes: [UInt8], of irp: Pointer<IRP>, at offset: UInt64) throws {
    let mdl = try irp.MdlAddress.load()
    if mdl.isNull { return try memory.memory.write(bytes, at: buffer(of: irp) &+ offset) }
    try forEachPiece(of: mdl, at: offset, count: bytes.count) { place, done, count in
      UnsafeMutableRawBufferPointer(start: place, count: count).copyBytes(from: bytes[done..<done + count])
    }
  }

  func load(_ count: Int, _ request: FileRequest, at offset: UInt64) throws -> [UInt8] {
    let mdl = try request.irp.MdlAddress.load()
    if mdl.isNull { return try memory.memory.bytes(count, at: buffer(of: request.irp) &+ offset) }
    var bytes: [UInt8] = []
    try forEachPiece(of: mdl, at: offset, count: count) { place, _, count in
      bytes += UnsafeRawBufferPointer(start: place, count: count)
    }
    return bytes
  }

  private func forEachPiece(
    of mdl: Pointer<MDL>, at offset: UInt64, count: Int, _ body: (UnsafeMutableRawPointer, Int, Int) -> Void
  ) throws {
    let frames = try frames(of: mdl)
    guard offset + UInt64(count) <= UInt64(try mdl.ByteCount.load()) else { throw Refusal(.invalidParameter) }
    var (place, done) = (UInt64(try mdl.ByteOffset.load()) + offset, 0)
    while done < count {
      let inside = Int(place & 0xfff)
      let piece = min(count - done, 0x1000 - inside)
      guard Int(place >> GuestMemory.pageShift) < frames.count else { throw Refusal(.invalidParameter) }
      let frame = frames[Int(place >> GuestMemory.pageShift)]
      body(memory.physical.host(frame) + inside, done, piece)
      memory.physical[frame].isDirty = true
      done += piece
      place += UInt64(piece)
    }
  }

  /// The system's copy of a buffered request's data.
  func systemBuffer(_ request: FileRequest) throws -> UInt64 { try request.irp.AssociatedIrp.SystemBuffer.load().address }

  /// Writes an answer of the length that fits into the buffer: all of it, or its beginning and STATUS_BUFFER_OVERFLOW.
  ///
  /// - Parameter fixed: how much of it must fit: below, STATUS_INFO_LENGTH_MISMATCH.
  func reply(_ bytes: [UInt8], fixed: Int, length: UInt32, to address: UInt64) throws -> Reply {
    guard Int(length) >= fixed else { throw Refusal(.infoLengthMismatch) }
    let fitting = bytes.prefix(Int(length))
    try memory.memory.write(fitting, at: address)
    return Reply(fitting.count < bytes.count ? .bufferOverflow : .success, UInt64(fitting.count))
  }

  var fileTime: Int64 { Int64(truncatingIfNeeded: systemTime) }
}

extension NTSTATUS {
  /// `STATUS_FILE_DELETED`, 0xC0000123
  static let fileDeleted = Self(rawValue: 0xc000_0123)
  /// `STATUS_OBJECTID_NOT_FOUND`, 0xC00002F0
  static let objectIDNotFound = Self(rawValue: 0xc000_02f0)

  /// `FsRtlIsNtstatusExpected` (nf-ntifs-fsrtlisntstatusexpected): not a status that says that the code itself is broken.
  var isExpectedOfFileSystems: Bool {
    // STATUS_DATATYPE_MISALIGNMENT, ACCESS_VIOLATION, ILLEGAL_INSTRUCTION, INSTRUCTION_MISALIGNMENT
    ![0x8000_0002, 0xc000_0005, 0xc000_001d, 0xc000_00aa].contains(rawValue)
  }
}

/// Builds a structure member by member, each at its natural alignment, as the headers' compilers lay them out.
struct RecordBuilder {
  private(set) var bytes: [UInt8] = []

  mutating func put<Value: FixedWidthInteger>(_ value: Value) {
    align(MemoryLayout<Value>.size)
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  mutating func align(_ size: Int) { while bytes.count % size != 0 { bytes.append(0) } }

  mutating func put(_ text: String) { for unit in text.utf16 { put(unit) } }

  mutating func put(raw: [UInt8]) { bytes += raw }
}
