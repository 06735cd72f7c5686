import Guest
import WindowsTypes

extension Export {
  /// The resources of images in memory.
  static let imageResources: [Export] = [
    // LdrFindResource_U (no page): RESOURCE_INFO's type, name and language lead to an IMAGE_RESOURCE_DATA_ENTRY.
    export("LdrFindResource_U(BaseAddress, ResourceInfo, Level, ResourceDataEntry)", irql: .passive) {
      (kernel, base: GuestWord, information: Pointer<GuestWord>, level: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      guard level == 3 else { return .invalidParameter }
      let wanted = try (0..<3).map { try information[$0].load().bits }
      switch try ResourceTree(base.bits, in: kernel.memory.memory)?.find(wanted[0], wanted[1], UInt16(truncatingIfNeeded: wanted[2])) {
      case nil: return .resourceDataNotFound
      case .failure(let refusal): return refusal.status
      case .success(let entry):
        try result.store(GuestWord(entry))
        return .success
      }
    }
    .uncertain("where the language is not there, its neutral form, the neutral language, English and then the first one are taken"),
    // LdrAccessResource (no page)
    export("LdrAccessResource(BaseAddress, ResourceDataEntry, Resource, Size)", irql: .passive) {
      (kernel, base: GuestWord, entry: Pointer<UInt32>, resource: Pointer<GuestWord>, size: Pointer<UInt32>) -> NTSTATUS in
      guard try ResourceTree(base.bits & ~1, in: kernel.memory.memory) != nil else { return .resourceDataNotFound }
      if !resource.isNull { try resource.store(GuestWord(base.bits & ~1 &+ UInt64(entry.load()))) }
      if !size.isNull { try size.store(entry[1].load()) }
      return .success
    },
    // RtlFindMessage (no page): MESSAGE_RESOURCE_ENTRY of the image's message table, whose name is 1.
    export("RtlFindMessage(DllHandle, MessageTableId, MessageLanguageId, MessageId, MessageEntry)", irql: .passive) {
      (
        kernel, base: GuestWord, table: UInt32, language: UInt32, identifier: UInt32, result: Pointer<GuestWord>
      ) -> NTSTATUS in
      let here = kernel.memory.memory
      switch try ResourceTree(base.bits, in: here)?.find(UInt64(table), 1, UInt16(truncatingIfNeeded: language)) {
      case nil: return .resourceDataNotFound
      case .failure(let refusal): return refusal.status
      case .success(let entry):
        // MESSAGE_RESOURCE_DATA: a count of blocks, each with its lowest and highest identifier and where its entries lie.
        let data = base.bits &+ UInt64(try here.load(UInt32.self, at: entry))
        for block in 0..<UInt64(min(try here.load(UInt32.self, at: data), 0x1000)) {
          let place = Pointer<UInt32>(data + 4 + 12 * block, in: here)
          let (low, high) = (try place.load(), try place[1].load())
          guard low...max(low, high) ~= identifier else { continue }
          var entry = data + UInt64(try place[2].load())
          for _ in low..<identifier {
            let length = UInt64(try here.load(UInt16.self, at: entry))
            guard length >= 4 else { return .messageNotFound }
            entry += length
          }
          try result.store(GuestWord(entry))
          return .success
        }
        return .messageNotFound
      }
    },
  ]
}

/// The resource directory of a mapped image: type, name, language.
struct ResourceTree {
  let memory: GuestMemory
  /// Where the directory lies, and how long it is.
  let root: UInt64
  let size: UInt64

  /// `nil` where there is no image, or one without resources.
  init?(_ base: UInt64, in memory: GuestMemory) throws {
    self.memory = memory
    guard base >= 0x1_0000, try memory.load(UInt16.self, at: base) == 0x5a4d else { return nil }
    let header = base + UInt64(try memory.load(UInt32.self, at: base + 0x3c))
    // PE32, and more directories than that of resources, the third.
    guard try memory.load(UInt32.self, at: header) == 0x4550, try memory.load(UInt16.self, at: header + 0x18) == 0x10b,
      try memory.load(UInt32.self, at: header + 0x74) > 2
    else { return nil }
    let offset = UInt64(try memory.load(UInt32.self, at: header + 0x88))
    size = UInt64(try memory.load(UInt32.self, at: header + 0x8c))
    guard offset != 0, size >= 16 else { return nil }
    root = base + offset
  }

  /// The entries of the directory at an offset: name or number, and where it leads.
  private func entries(at offset: UInt64) throws -> [(key: UInt32, target: UInt32)] {
    let place = root + offset
    let count = Int(try memory.load(UInt16.self, at: place + 12)) + Int(try memory.load(UInt16.self, at: place + 14))
    return try (0..<min(count, 0x1000)).map {
      (try memory.load(UInt32.self, at: place + 16 + 8 * UInt64($0)), try memory.load(UInt32.self, at: place + 20 + 8 * UInt64($0)))
    }
  }

  /// Whether an entry has the wanted number, or the name at an address.
  private func matches(_ key: UInt32, _ wanted: UInt64) throws -> Bool {
    guard key & 0x8000_0000 != 0 else { return UInt64(key) == wanted }
    guard wanted >= 0x1_0000 else { return false }
    let place = root + UInt64(key & 0x7fff_ffff)
    let name = try Pointer<UInt16>(place + 2, in: memory).array(count: Int(memory.load(UInt16.self, at: place)))
    return try Pointer<UInt16>(wanted, in: memory).units(limit: 0x1_0000).map(\.uppercased) == name.map(\.uppercased)
  }

  private func child(_ offset: UInt64, _ wanted: UInt64) throws -> UInt64? {
    try entries(at: offset).first { try $0.target & 0x8000_0000 != 0 && matches($0.key, wanted) }.map { UInt64($0.target & 0x7fff_ffff) }
  }

  /// The address of the directory that a path of up to two numbers or names leads to.
  func directory(_ path: [UInt64]) throws -> Result<UInt64, Kernel.Refusal> {
    var offset: UInt64 = 0
    for (level, wanted) in path.enumerated() {
      guard let next = try child(offset, wanted) else {
        return .failure(.init(level == 0 ? .resourceTypeNotFound : .resourceNameNotFound))
      }
      offset = next
    }
    return .success(root + offset)
  }

  /// The address of the `IMAGE_RESOURCE_DATA_ENTRY`.
  func find(_ type: UInt64, _ name: UInt64, _ language: UInt16) throws -> Result<UInt64, Kernel.Refusal> {
    guard let names = try child(0, type) else { return .failure(.init(.resourceTypeNotFound)) }
    guard let languages = try child(names, name) else { return .failure(.init(.resourceNameNotFound)) }
    let all = try entries(at: languages).filter { $0.target & 0x8000_0000 == 0 }
    for wanted in [language, language & 0x3ff, 0, 0x409, 9] {
      if let found = all.first(where: { $0.key == UInt32(wanted) }) { return .success(root + UInt64(found.target)) }
    }
    // STATUS_RESOURCE_LANG_NOT_FOUND
    guard let first = all.first else { return .failure(.init(NTSTATUS(rawValue: 0xc000_0204))) }
    return .success(root + UInt64(first.target))
  }
}
