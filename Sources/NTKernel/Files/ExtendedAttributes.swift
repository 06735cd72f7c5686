import Guest
import WindowsTypes

/// An extended attribute of a file: `FILE_FULL_EA_INFORMATION` without its place in a list.
struct ExtendedAttribute {
  let flags: UInt8
  /// In capitals.
  let name: [UInt8]
  let value: [UInt8]

  /// As a list has it.
  var record: [UInt8] {
    var record = RecordBuilder()
    record.put(UInt32(0))
    record.put(flags)
    record.put(UInt8(truncatingIfNeeded: name.count))
    record.put(UInt16(truncatingIfNeeded: value.count))
    record.put(raw: name + [0] + value)
    return record.bytes
  }

  static func key(_ name: [UInt8]) -> [UInt8] { name.map { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 } }

  /// A name has 1 to 254 characters, none of them a control character or one of those that no file name has.
  static func isValid(_ name: [UInt8]) -> Bool {
    1...254 ~= name.count && name.allSatisfy { $0 >= 0x20 && !"\\/:*?\"<>|,+=[];".utf8.contains($0) }
  }

  /// What the attributes of one file may take together, in bytes.
  static let limit = 0x1_0000
}

extension FileNode {
  /// `FILE_EA_INFORMATION.EaSize`: a length, then each attribute with a head of four bytes and its name's zero.
  var extendedAttributeSize: UInt32 {
    extendedAttributes.isEmpty ? 0 : UInt32(extendedAttributes.reduce(4) { $0 + 5 + $1.name.count + $1.value.count })
  }
}

extension NTSTATUS {
  /// `STATUS_NO_MORE_EAS`, 0x80000012
  static let noMoreEAs = Self(rawValue: 0x8000_0012)
  /// `STATUS_INVALID_EA_NAME`, 0x80000013
  static let invalidEAName = Self(rawValue: 0x8000_0013)
  /// `STATUS_EAS_NOT_SUPPORTED`, 0xC000004F
  static let easNotSupported = Self(rawValue: 0xc000_004f)
  /// `STATUS_NONEXISTENT_EA_ENTRY`, 0xC0000051
  static let nonexistentEAEntry = Self(rawValue: 0xc000_0051)
  /// `STATUS_NO_EAS_ON_FILE`, 0xC0000052
  static let noEAsOnFile = Self(rawValue: 0xc000_0052)
}

extension Kernel {
  /// `IoCheckEaBufferValidity` (nf-ntifs-iocheckeabuffervalidity): where a list is broken; `nil` where it is whole.
  func brokenEntry(ofAttributesAt buffer: UInt64, _ length: UInt32) throws -> UInt32? {
    let here = memory.memory
    var offset: UInt64 = 0
    while true {
      guard UInt64(length) >= offset + 8 else { return UInt32(offset) }
      let place = buffer + offset
      let next = UInt64(try here.load(UInt32.self, at: place))
      let name = UInt64(try here.load(UInt8.self, at: place + 5))
      let size = 8 + name + 1 + UInt64(try here.load(UInt16.self, at: place + 6))
      // The name ends in a zero that its length does not count.
      guard name > 0, offset + size <= UInt64(length), try here.load(UInt8.self, at: place + 8 + name) == 0 else { return UInt32(offset) }
      if next == 0 { return nil }
      guard next == (size + 3) & ~3, offset + next <= UInt64(length) else { return UInt32(offset) }
      offset += next
    }
  }

  private func attributeNode(_ request: FileRequest) throws -> FileNode {
    let node = try request.requireNode()
    switch request.volume.kind {
    case .ntfs, .fat: return node.isStream ? node.parent ?? node : node
    case .fat32: throw Refusal(.easNotSupported)
    case .cdfs: throw Refusal(.invalidDeviceRequest)
    }
  }

  /// `IRP_MJ_QUERY_EA` (irp-mj-query-ea).
  func queryAttributes(_ request: FileRequest) throws -> Reply {
    let node = try attributeNode(request)
    guard let open = request.open else { throw Refusal(.invalidParameter) }
    let parameters = request.stack.Parameters.QueryEa
    let list = try parameters.EaList.load().address
    let (entries, moves): ([ExtendedAttribute], Bool)
    if list != 0 {
      (entries, moves) = (try wanted(list, parameters.EaListLength.load(), of: node), false)
    } else {
      if node.extendedAttributes.isEmpty { throw Refusal(.noEAsOnFile) }
      // SL_RESTART_SCAN 1, SL_INDEX_SPECIFIED 4: indices begin with 1.
      if request.flags & 4 != 0 {
        open.attributePosition = Int(try parameters.EaIndex.load()) - 1
      } else if request.flags & 1 != 0 {
        open.attributePosition = 0
      }
      guard 0...node.extendedAttributes.count ~= open.attributePosition else { throw Refusal(.nonexistentEAEntry) }
      (entries, moves) = (Array(node.extendedAttributes[open.attributePosition...]), true)
      if entries.isEmpty { throw Refusal(.noMoreEAs) }
    }
    let length = Int(try parameters.Length.load())
    var bytes: [UInt8] = []
    var last = 0
    for (index, entry) in entries.enumerated() {
      let start = (bytes.count + 3) & ~3
      let record = entry.record
      guard start + record.count <= length else {
        if index == 0 { throw Refusal(.bufferOverflow) }
        try store(bytes, request, at: 0)
        return Reply(.bufferOverflow, UInt64(bytes.count))
      }
      if index > 0 {
        for byte in 0..<4 { bytes[last + byte] = UInt8(truncatingIfNeeded: (start - last) >> (8 * byte)) }
      }
      bytes += Array(repeating: 0, count: start - bytes.count) + record
      last = start
      if moves { open.attributePosition += 1 }
      // SL_RETURN_SINGLE_ENTRY
      if request.flags & 2 != 0 { break }
    }
    try store(bytes, request, at: 0)
    return Reply(.success, UInt64(bytes.count))
  }

  /// The attributes that a list of `FILE_GET_EA_INFORMATION` names; one that is not there has no value.
  private func wanted(_ list: UInt64, _ length: UInt32, of node: FileNode) throws -> [ExtendedAttribute] {
    let here = memory.memory
    var entries: [ExtendedAttribute] = []
    var offset: UInt64 = 0
    while true {
      guard offset + 6 <= UInt64(length) else { throw Refusal(.eaListInconsistent) }
      let next = UInt64(try here.load(UInt32.self, at: list + offset))
      let count = UInt64(try here.load(UInt8.self, at: list + offset + 4))
      guard offset + 5 + count <= UInt64(length), next == 0 || next & 3 == 0 && next >= 5 + count else {
        throw Refusal(.eaListInconsistent)
      }
      let name = ExtendedAttribute.key(try here.bytes(Int(count), at: list + offset + 5))
      guard ExtendedAttribute.isValid(name) else { throw Refusal(.invalidEAName) }
      entries.append(node.extendedAttributes.first { $0.name == name } ?? ExtendedAttribute(flags: 0, name: name, value: []))
      if next == 0 { return entries }
      offset += next
    }
  }

  /// `IRP_MJ_SET_EA` (irp-mj-set-ea): each attribute takes the place of one of its name; one without a value goes.
  func setAttributes(_ request: FileRequest) throws -> Reply {
    let node = try attributeNode(request)
    if request.volume.isReadOnly { throw Refusal(.mediaWriteProtected) }
    let length = try request.stack.Parameters.SetEa.Length.load()
    // Out of the user's buffer, before anything is looked at.
    let bytes = try load(Int(length), request, at: 0)
    let copy = try allocate(UInt64(max(16, bytes.count)))
    defer { free(copy) }
    let here = memory.memory
    try here.write(bytes, at: copy)
    if let place = try brokenEntry(ofAttributesAt: copy, length) { return Reply(.eaListInconsistent, UInt64(place)) }
    var attributes = node.extendedAttributes
    var offset: UInt64 = 0
    while true {
      let place = copy + offset
      let next = UInt64(try here.load(UInt32.self, at: place))
      let flags = try here.load(UInt8.self, at: place + 4)
      let (name, value) = (UInt64(try here.load(UInt8.self, at: place + 5)), try here.load(UInt16.self, at: place + 6))
      let key = ExtendedAttribute.key(try here.bytes(Int(name), at: place + 8))
      // FILE_NEED_EA
      guard ExtendedAttribute.isValid(key), flags & ~0x80 == 0 else { return Reply(.invalidEAName, offset) }
      attributes.removeAll { $0.name == key }
      if value > 0 {
        attributes.append(ExtendedAttribute(flags: flags, name: key, value: try here.bytes(Int(value), at: place + 9 + name)))
      }
      if next == 0 { break }
      offset += next
    }
    guard attributes.reduce(0, { $0 + $1.record.count }) <= ExtendedAttribute.limit else { throw Refusal(.eaTooLarge) }
    node.extendedAttributes = attributes
    node.changeTime = fileTime
    return .success
  }

  // MARK: System calls

  /// `NtQueryEaFile` (nf-ntifs-zwqueryeafile): the file system writes into the caller's buffer itself.
  ///
  /// - Parameter list: which attributes are wanted; its copy goes with the packet.
  func queryAttributes(
    _ arguments: RequestArguments, _ buffer: UInt64, _ length: UInt32, isSingle: Bool, list: (address: UInt64, length: UInt32),
    index: Pointer<UInt32>, restarts: Bool
  ) async throws -> NTSTATUS {
    // FILE_READ_EA
    try await issue(arguments, .queryEa, access: [8], buffers: [(buffer, length)], isSynchronous: true) { irp, device in
      if arguments.mode == .userMode { try self.probe(buffer, UInt64(length)) }
      let stack = try self.nextLocation(of: irp)
      try irp.Flags.store(irp.Flags.load().union(.synchronousApi))
      let parameters = stack.Parameters.QueryEa
      try parameters.Length.store(length)
      var flags: UInt8 = (restarts ? 1 : 0) | (isSingle ? 2 : 0)
      if list.address != 0, list.length > 0 {
        let copy = try self.systemBuffer(list.length)
        try self.memory.memory.write(self.memory.memory.bytes(Int(list.length), at: list.address), at: copy)
        try irp.Tail.Overlay.AuxiliaryBuffer.store(Pointer(copy, in: self.memory.memory))
        try parameters.EaList.store(Pointer(copy, in: self.memory.memory))
        try parameters.EaListLength.store(list.length)
      } else if !index.isNull {
        try parameters.EaIndex.store(index.load())
        flags |= 4
      }
      try stack.Flags.store(flags)
      try self.prepareOutput(irp, device, buffer, length, arguments.mode)
    }
  }

  /// `NtSetEaFile` (nf-ntifs-zwseteafile).
  func setAttributes(_ arguments: RequestArguments, _ buffer: UInt64, _ length: UInt32) async throws -> NTSTATUS {
    if arguments.mode == .userMode {
      do { try checkUserRange(buffer, UInt64(length), 4) } catch let exception as GuestException { return exception.code }
    }
    if let place = try brokenEntry(ofAttributesAt: buffer, length) {
      try arguments.block.Information.store(GuestWord(UInt64(place)))
      try arguments.block.Status.store(.eaListInconsistent)
      return .eaListInconsistent
    }
    // FILE_WRITE_EA
    return try await issue(arguments, .setEa, access: [0x10], buffers: [(buffer, length)], isSynchronous: true) { irp, device in
      try irp.Flags.store(irp.Flags.load().union(.synchronousApi))
      let stack = try self.nextLocation(of: irp)
      try stack.Parameters.SetEa.Length.store(length)
      let wanted = try device.Flags.load()
      if wanted.contains(.directIO) { return try self.lock((buffer, length), for: irp, arguments.mode, .read) }
      guard wanted.contains(.bufferedIO) else { return try irp.UserBuffer.store(Pointer(buffer, in: self.memory.memory)) }
      let copy = try self.systemBuffer(length)
      try self.memory.memory.write(self.memory.memory.bytes(Int(length), at: buffer), at: copy)
      try irp.AssociatedIrp.SystemBuffer.store(Pointer(copy, in: self.memory.memory))
      try irp.Flags.store(irp.Flags.load().union([.bufferedIO, .deallocateBuffer]))
    }
  }
}
