import Guest
import WindowsTypes

extension Export {
  /// What images in memory are, and what they say.
  static let moduleTexts: [Export] = [
    // RtlQueryModuleInformation, which AuxKlibQueryModuleInformation leads to (nf-aux_klib-auxklibquerymoduleinformation):
    // AUX_MODULE_BASIC_INFO is an address; AUX_MODULE_EXTENDED_INFO has the size, where the name begins, and 256 bytes of path as well.
    export("RtlQueryModuleInformation(InformationLength, SizePerModule, InformationBuffer)", irql: .passive) {
      (kernel, length: Pointer<UInt32>, size: UInt32, buffer: GuestWord) -> NTSTATUS in
      guard [4, 0x10c].contains(size) else { return .invalidParameter2 }
      guard buffer.bits & 3 == 0 else { return .invalidParameter3 }
      let modules = try kernel.moduleList().entries(limit: 1024).map { $0.container(\LDR_DATA_TABLE_ENTRY.InLoadOrderLinks) }
      let needed = UInt32(modules.count) * size
      let room = try length.load()
      try length.store(needed)
      guard buffer.bits != 0 else { return .success }
      guard room >= needed else { return .bufferTooSmall }
      let memory = kernel.memory.memory
      for (index, module) in modules.enumerated() {
        let place = buffer.bits &+ UInt64(index) &* UInt64(size)
        try memory.store(UInt32(truncatingIfNeeded: module.DllBase.load().address), at: place)
        guard size > 4 else { continue }
        let path = Array(try module.FullDllName.string().utf8.prefix(255))
        try memory.store(module.SizeOfImage.load(), at: place &+ 4)
        try memory.store(UInt16((path.lastIndex(of: 0x5c) ?? -1) + 1), at: place &+ 8)
        try memory.write(path + Array(repeating: 0, count: 256 - path.count), at: place &+ 0xa)
      }
      return .success
    },
    // RtlLoadString (ntrtl.h of Windows 7): from the image's string tables, sixteen to a block; the text has no terminator.
    export(
      "RtlLoadString(DllHandle, StringId, StringLanguage, Flags, ReturnString, ReturnStringLen, ReturnLanguageName, ReturnLanguageLen)",
      irql: .passive
    ) {
      (
        kernel, base: GuestWord, identifier: UInt32, language: GuestWord, flags: UInt32, result: Pointer<GuestWord>,
        length: Pointer<UInt16>, name: GuestWord, nameLength: GuestWord
      ) -> NTSTATUS in
      guard base.bits != 0, !result.isNull, flags == 0 else { return .invalidParameter }
      let memory = kernel.memory.memory
      // RT_STRING
      switch try ResourceTree(base.bits, in: memory)?.find(6, UInt64(identifier >> 4) + 1, 0) {
      case nil: return .resourceDataNotFound
      case .failure(let refusal): return refusal.status
      case .success(let entry):
        var place = base.bits &+ UInt64(try memory.load(UInt32.self, at: entry))
        let end = place &+ UInt64(try memory.load(UInt32.self, at: entry &+ 4))
        for _ in 0..<(identifier & 15) where place < end { place &+= 2 &+ 2 &* UInt64(try memory.load(UInt16.self, at: place)) }
        guard place < end, case let count = try memory.load(UInt16.self, at: place), count > 0 else { return .notFound }
        try result.store(GuestWord(place &+ 2))
        if !length.isNull { try length.store(count) }
        return .success
      }
    }
    .partially("a language that is named is not looked for, and none is named")
    .uncertain("a string that is empty is STATUS_NOT_FOUND"),
    // LdrFindResourceEx_U (no page): LdrFindResource_U; no flag is known.
    export("LdrFindResourceEx_U(Flags, BaseAddress, ResourceInfo, Level, ResourceDataEntry)", irql: .passive) {
      (kernel, flags: UInt32, base: GuestWord, information: GuestWord, level: UInt32, result: GuestWord) async throws -> NTSTATUS in
      guard flags == 0 else { return .invalidParameter }
      return NTSTATUS(
        rawValue: UInt32(
          truncatingIfNeeded: try await kernel.call(
            kernel.trapAddress(of: "LdrFindResource_U"), [base.bits, information.bits, UInt64(level), result.bits])))
    },
    // LdrFindResourceDirectory_U (no page): the directory of a type, or of a name in it.
    export("LdrFindResourceDirectory_U(BaseAddress, ResourceInfo, Level, ResourceDirectory)", irql: .passive) {
      (kernel, base: GuestWord, information: Pointer<GuestWord>, level: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      guard level <= 2 else { return .invalidParameter }
      let path = try (0..<Int(level)).map { try information[$0].load().bits }
      switch try ResourceTree(base.bits, in: kernel.memory.memory)?.directory(path) {
      case nil: return .resourceDataNotFound
      case .failure(let refusal): return refusal.status
      case .success(let directory):
        try result.store(GuestWord(directory))
        return .success
      }
    },
    // RtlSetTimeZoneInformation (ntrtl.h): to the registry, where RtlQueryTimeZoneInformation reads it.
    export("RtlSetTimeZoneInformation(TimeZoneInformation)", irql: .passive) { (kernel, information: Pointer<UInt8>) -> NTSTATUS in
      try kernel.setTimeZone(information.array(count: 0xac))
    }
    .partially("the bias that is in force stays"),
    export("RtlSetDynamicTimeZoneInformation(TimeZoneInformation)", irql: .passive) { (kernel, information: Pointer<UInt8>) -> NTSTATUS in
      let bytes = try information.array(count: 0x1b0)
      let status = try kernel.setTimeZone(Array(bytes.prefix(0xac)))
      guard status == .success, let key = kernel.registry.key(at: timeZoneKey) else { return status }
      key["TimeZoneKeyName"] = .string(Kernel.text(bytes[0xac..<0x1ac]))
      key["DynamicDaylightTimeDisabled"] = .dword(bytes[0x1ac] == 0 ? 0 : 1)
      return .success
    }
    .partially("the bias that is in force stays"),
    // RtlInitCodePageTable (ntrtl.h): CPTABLEINFO, from a code page's file in memory.
    export("RtlInitCodePageTable(TableBase, CodePageTable)", irql: .passive) { (_, file: Pointer<UInt16>, table: Pointer<UInt16>) in
      // The code page, the size of its characters, four characters for what is missing.
      for index in 0..<6 { try table[index].store(file[1 + index].load()) }
      // LeadByte
      for index in 0..<6 { try table[7 + index].store(file[7 + index].load()) }
      let start = file[Int(try file.load())]
      let bytes = start[1]
      // Behind the 256 characters come, for some, as many glyphs, and then the ranges of lead bytes.
      let ranges = try bytes[256].load() == 0 ? bytes[257] : bytes[257 + 256]
      let isDouble = try ranges.load() != 0
      try table[6].store(isDouble ? 1 : 0)
      let pointers = Pointer<GuestWord>(table.address &+ 0x1c, in: table.memory)
      try pointers.store(GuestWord(bytes.address))
      try pointers[1].store(GuestWord(start[Int(try start.load()) + 1].address))
      try pointers[2].store(GuestWord(ranges.address))
      try pointers[3].store(GuestWord(isDouble ? ranges[1].address : 0))
    },
    // RtlCustomCPToUnicodeN (ntrtl.h)
    export(
      "RtlCustomCPToUnicodeN(CustomCP, UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString, CustomCPString, BytesInCustomCPString)"
    ) {
      (
        _, table: Pointer<UInt16>, target: Pointer<UInt16>, size: UInt32, written: Pointer<UInt32>, source: Pointer<UInt8>, count: UInt32
      ) -> NTSTATUS in
      guard try table[6].load() == 0 else { return .notSupported }
      let units = Pointer<UInt16>(UInt64(try Pointer<UInt32>(table.address &+ 0x1c, in: table.memory).load()), in: table.memory)
      let count = min(Int(count), Int(size / 2))
      for (index, byte) in try source.array(count: count).enumerated() { try target[index].store(units[Int(byte)].load()) }
      if !written.isNull { try written.store(UInt32(2 * count)) }
      return .success
    }
    .partially(doubleBytes),
    toCustom("RtlUnicodeToCustomCPN") { $0 }, toCustom("RtlUpcaseUnicodeToCustomCPN") { CaseMapping.upper($0) },
  ]

  private static let doubleBytes = "a code page of two bytes a character is STATUS_NOT_SUPPORTED"
  private static let timeZoneKey = #"\Registry\Machine\System\CurrentControlSet\Control\TimeZoneInformation"#

  private static func toCustom(_ name: String, _ change: @escaping @Sendable (UInt16) -> UInt16) -> Export {
    export("\(name)(CustomCP, CustomCPString, MaxBytesInCustomCPString, BytesInCustomCPString, UnicodeString, BytesInUnicodeString)") {
      (
        _, table: Pointer<UInt16>, target: Pointer<UInt8>, size: UInt32, written: Pointer<UInt32>, source: Pointer<UInt16>, bytes: UInt32
      ) -> NTSTATUS in
      guard try table[6].load() == 0 else { return .notSupported }
      let narrow = Pointer<UInt8>(UInt64(try Pointer<UInt32>(table.address &+ 0x20, in: table.memory).load()), in: table.memory)
      let count = min(Int(bytes / 2), Int(size))
      for (index, unit) in try source.array(count: count).enumerated() { try target[index].store(narrow[Int(change(unit))].load()) }
      if !written.isNull { try written.store(UInt32(count)) }
      return .success
    }
    .partially(doubleBytes)
  }
}

extension Kernel {
  /// The text in a fixed room of UTF-16, up to its terminator.
  fileprivate static func text(_ bytes: ArraySlice<UInt8>) -> String {
    let all = Array(bytes)
    let units = (0..<all.count / 2).map { UInt16(all[2 * $0]) | UInt16(all[2 * $0 + 1]) << 8 }
    return String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)
  }

  /// Writes `RTL_TIME_ZONE_INFORMATION` to the registry.
  fileprivate func setTimeZone(_ bytes: [UInt8]) throws -> NTSTATUS {
    guard let key = registry.key(at: #"\Registry\Machine\System\CurrentControlSet\Control\TimeZoneInformation"#) else {
      return .objectNameNotFound
    }
    func number(_ offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) } }
    key["Bias"] = .dword(number(0))
    for (season, offset) in [("Standard", 4), ("Daylight", 0x58)] {
      key[season + "Name"] = .string(Self.text(bytes[offset..<offset + 64]))
      key[season + "Start"] = .binary(Array(bytes[offset + 64..<offset + 80]))
      key[season + "Bias"] = .dword(number(offset + 80))
    }
    return .success
  }
}
